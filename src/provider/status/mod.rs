//! `awsazure_bgp_vpn_status`: how the four tunnels are at this moment, as both clouds tell it.
//!
//! `health` is what the clouds say, `diagnose` what that means; who asks them is behind [`HealthSource`].

mod diagnose;
mod health;

pub use diagnose::{HealthReport, diagnose};
pub use health::{AwsHealth, AzureHealth, BgpHealth, Denial, LinkHealth, Peers, Reported, TunnelHealth};

use super::settings::{ProviderData, Settings};
use crate::aws::model::Region;
use crate::azure::id::ResourceId;
use crate::link::inside_cidr::InsideCidr;
use crate::link::tunnel::TunnelKey;
use crate::plugin::{
    Attribute, Cancel, DataRequest, DataResponse, DataSource, Deferred, Diagnostic, Diagnostics, Nesting, Schema, Value,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Which link to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusQuery {
    pub azure_gateway_id: ResourceId,
    /// `vgw-...` or `tgw-...`.
    pub aws_gateway_id: String,
    /// The inside CIDR of any of its tunnels, where the pair of gateways carries several links.
    pub inside_cidr: Option<InsideCidr>,
    /// Where it is not the provider's.
    pub region: Option<Region>,
}

/// Asks both clouds about a link.
#[async_trait]
pub trait HealthSource: Send + Sync + 'static {
    /// # Errors
    /// Where there is no such link, or a cloud refuses to tell. A gateway that is being changed is no error.
    async fn read_health(
        &self,
        settings: &Settings,
        query: &StatusQuery,
        cancel: Cancel,
    ) -> Result<LinkHealth, Diagnostics>;
}

/// The data source.
pub struct BgpVpnStatus {
    provider_data: ProviderData,
    source: Arc<dyn HealthSource>,
}

impl BgpVpnStatus {
    pub fn new(provider_data: ProviderData, source: Arc<dyn HealthSource>) -> Self {
        BgpVpnStatus { provider_data, source }
    }
}

/// The data source's schema.
pub fn schema() -> Schema {
    let text_attribute = |description: &str| Attribute::string().computed().description(description);
    let count = |description: &str| Attribute::number().computed().description(description);
    let tunnel = [
        ("inside_cidr", text_attribute("The /30 inside the tunnel.")),
        ("aws_status", text_attribute("`UP`, `DOWN` or `UNKNOWN`. AWS calls a tunnel up when IPsec and BGP are.")),
        ("aws_status_message", text_attribute("AWS's own words, such as `IPSEC IS UP` or `1 BGP ROUTES`.")),
        ("aws_accepted_routes", count("How many routes AWS accepted from Azure.")),
        ("azure_connection_status", text_attribute("`Connected`, `Connecting`, `NotConnected` or `Unknown`.")),
        (
            "azure_bgp_state",
            text_attribute(
                "State of the BGP session with this tunnel's AWS address: `Connected`, `Connecting`, `Idle`, `Stopped` or `Unknown`. \
                 `Unknown` also where the credentials lack `Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action`; health is \
                 then judged by AWS alone.",
            ),
        ),
        ("azure_routes_learned", count("How many routes Azure learned from AWS over this session.")),
        ("diagnosis", text_attribute("What is wrong, in words; null when the tunnel is well.")),
    ];
    Schema::new(0)
        .description(
            "How the four tunnels of a link are at this moment, as both clouds tell it: Part 4 of Microsoft's tutorial as data. Health changes \
             by itself, so it is here and not in the state of `awsazure_bgp_vpn`: an output that shows it makes later plans \
             not empty.",
        )
        .attribute(
            "azure_gateway_id",
            Attribute::string().required().description("Resource id of the Azure VPN gateway."),
        )
        .attribute(
            "aws_gateway_id",
            Attribute::string().required().description("Id of the virtual private gateway (`vgw-...`) or transit gateway (`tgw-...`)."),
        )
        .attribute(
            "inside_cidr",
            Attribute::string().optional().description(
                "Inside CIDR of any tunnel of the link, such as `169.254.21.0/30`. Needed where the two gateways carry more than one link.",
            ),
        )
        .attribute("region", Attribute::string().optional().description("AWS region, where it is not the provider's."))
        .attribute(
            "tunnels",
            Attribute::nested(Nesting::Map, tunnel).computed().description(
                "The tunnels: `instance0_tunnel1`, `instance0_tunnel2`, `instance1_tunnel1`, `instance1_tunnel2`.",
            ),
        )
        .attribute("healthy", Attribute::bool().computed().description("Whether all four tunnels are up and carry routes both ways."))
        .attribute(
            "degraded",
            Attribute::bool().computed().description("Whether traffic flows, but not by all four tunnels."),
        )
        .attribute(
            "tunnels_up",
            Attribute::number().computed().description("How many tunnels have IPsec and BGP up, as both clouds say: 0 to 4."),
        )
}

/// Reads the configuration; what is unknown or null is `None`.
fn decode(config: &Value) -> Result<Option<StatusQuery>, Diagnostics> {
    let mut violations = Diagnostics::new();
    let mut refuse = |name: &str, why: String| violations.push(Diagnostic::error("Invalid value").detail(why).at(name));
    let text = |name: &str| config.get(name).as_str().filter(|text| !text.is_empty());

    let azure = text("azure_gateway_id").map(ResourceId::parse);
    if let Some(Err(fault)) = &azure {
        refuse("azure_gateway_id", format!("{fault}."));
    }
    let aws = text("aws_gateway_id");
    if let Some(id) = aws.filter(|id| !id.starts_with("vgw-") && !id.starts_with("tgw-")) {
        let why = format!("{id:?} is neither a virtual private gateway (vgw-...) nor a transit gateway (tgw-...).");
        refuse("aws_gateway_id", why);
    }
    let inside = text("inside_cidr").map(InsideCidr::parse);
    if let Some(Err(fault)) = &inside {
        refuse("inside_cidr", format!("{fault}."));
    }
    if violations.has_errors() {
        return Err(violations);
    }
    let (Some(Ok(azure_gateway_id)), Some(aws)) = (azure, aws) else { return Ok(None) };
    Ok(Some(StatusQuery {
        azure_gateway_id,
        aws_gateway_id: aws.to_owned(),
        inside_cidr: inside.and_then(Result::ok),
        region: text("region").map(|region| Region(region.to_owned())),
    }))
}

/// The configuration with everything computed filled in.
fn encode(mut state: Value, view: &LinkHealth) -> Value {
    let diagnosis = diagnose(view);
    let tunnels = TunnelKey::ALL.map(|key| {
        let object = encode_tunnel(view.tunnels.get(key), diagnosis.tunnels.get(key).as_deref());
        (key.to_string(), object)
    });
    state.set("tunnels", Value::map(tunnels));
    state.set("healthy", diagnosis.healthy);
    state.set("degraded", diagnosis.degraded);
    state.set("tunnels_up", diagnosis.tunnels_up);
    state
}

fn encode_tunnel(tunnel: &TunnelHealth, diagnosis: Option<&str>) -> Value {
    let aws = tunnel.aws.known();
    let azure = tunnel.azure.known();
    let bgp = tunnel.bgp.known();
    Value::object([
        ("inside_cidr", Value::from(tunnel.inside_cidr.map(|cidr| cidr.to_string()))),
        ("aws_status", Value::from(aws.map_or("UNKNOWN", |aws| if aws.up { "UP" } else { "DOWN" }))),
        ("aws_status_message", Value::from(aws.map(|aws| aws.message.clone()))),
        ("aws_accepted_routes", Value::from(aws.map(|aws| aws.accepted_routes))),
        ("azure_connection_status", Value::from(azure.map_or("Unknown", |azure| azure.status.as_str()))),
        ("azure_bgp_state", Value::from(bgp.map_or("Unknown", |bgp| bgp.state.as_str()))),
        ("azure_routes_learned", Value::from(bgp.map(|bgp| bgp.routes_learned))),
        ("diagnosis", Value::from(diagnosis)),
    ])
}

/// The warning about a permission without which health is judged by the other cloud alone.
pub fn denied(denial: &Denial) -> Diagnostic {
    let Denial { action, scope, reason } = denial;
    Diagnostic::warning("Missing permission to read BGP peers").detail(format!(
        "The credentials may not read the BGP sessions of {scope}. Tunnels are judged by AWS's telemetry alone. Grant {action} on that \
         scope to have both sides checked (Network Contributor has it).\n\nAzure reported: {reason}"
    ))
}

#[async_trait]
impl DataSource for BgpVpnStatus {
    fn schema(&self) -> Schema {
        schema()
    }

    async fn validate(&self, config: Value) -> Diagnostics {
        decode(&config).err().unwrap_or_default()
    }

    async fn read(&self, request: DataRequest) -> DataResponse {
        let query = match decode(&request.config) {
            Ok(Some(query)) => query,
            Ok(None) => {
                return Diagnostic::error("Which link?")
                    .detail("azure_gateway_id and aws_gateway_id must not be empty.")
                    .into();
            }
            Err(violations) => return violations.into(),
        };
        let settings = match self.provider_data.known() {
            Ok(settings) => settings,
            Err(_) if request.capabilities.deferral_allowed => {
                let deferred = Some(Deferred::ProviderConfigUnknown);
                return DataResponse { state: request.config, deferred, ..DataResponse::default() };
            }
            Err(not_ready) => return not_ready.diagnostic().into(),
        };
        match self.source.read_health(&settings, &query, request.cancel).await {
            Ok(view) => {
                let diagnostics = view.peers_denied.iter().map(denied).collect();
                DataResponse { state: encode(request.config, &view), diagnostics, ..DataResponse::default() }
            }
            Err(diagnostics) => diagnostics.into(),
        }
    }
}

#[cfg(test)]
mod tests;
