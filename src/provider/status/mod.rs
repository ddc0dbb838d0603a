//! `awsazure_bgp_vpn_status`: the current health of the four tunnels, as both clouds report it.
//!
//! `health` holds the reports of the clouds, `diagnose` interprets them, and [`HealthSource`] reads
//! them.

mod diagnose;
mod health;

pub use diagnose::{HealthReport, diagnose};
pub use health::{
    AwsHealth, AzureHealth, BgpHealth, Denial, LinkHealth, Peers, Reported, TunnelHealth,
};

use super::settings::{ProviderData, Settings};
use crate::aws::model::Region;
use crate::azure::id::ResourceId;
use crate::provider::summaries;
use async_trait::async_trait;
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::tunnel::TunnelKey;
use std::sync::Arc;
use terraform_plugin::{
    Attribute, Cancel, DataRequest, DataResponse, DataSource, Deferred, Diagnostic, Diagnostics,
    Nesting, Schema, Value,
};

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
    /// Where there is no such link, or a cloud refuses to tell. A gateway that is being changed is
    /// no error.
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
        BgpVpnStatus {
            provider_data,
            source,
        }
    }
}

/// The data source's schema.
pub fn schema() -> Schema {
    let text_attribute =
        |description: &str| Attribute::string().computed().description(description);
    let count = |description: &str| Attribute::number().computed().description(description);
    let tunnel = [
        (
            "inside_cidr",
            text_attribute("Inside CIDR of the tunnel, a /30."),
        ),
        (
            "aws_status",
            text_attribute(
                "`UP`, `DOWN` or `UNKNOWN`. AWS reports a tunnel as up when IPsec and BGP are up.",
            ),
        ),
        (
            "aws_status_message",
            text_attribute("Status message of AWS, such as `IPSEC IS UP` or `1 BGP ROUTES`."),
        ),
        (
            "aws_accepted_routes",
            count("Number of routes that AWS accepted from Azure."),
        ),
        (
            "azure_connection_status",
            text_attribute("`Connected`, `Connecting`, `NotConnected` or `Unknown`."),
        ),
        (
            "azure_bgp_state",
            text_attribute(
                "State of the BGP session with the AWS address of this tunnel: `Connected`, `Connecting`, `Idle`, `Stopped` or `Unknown`. Also \
                 `Unknown` if the credentials lack `Microsoft.Network/virtualNetworkGateways/getbgppeerstatus/action`; health is then \
                 judged by AWS telemetry only.",
            ),
        ),
        (
            "azure_routes_learned",
            count("Number of routes that Azure learned from AWS over this session."),
        ),
        (
            "diagnosis",
            text_attribute("Description of the problem. Null if the tunnel is healthy."),
        ),
    ];
    let tunnels = TunnelKey::ALL.map(|key| {
        let description = format!(
            "The tunnel from instance {} of the Azure gateway to tunnel {} of its VPN connection.",
            key.instance.index(),
            key.number
        );
        let attribute = Attribute::nested(Nesting::Single, tunnel.clone());
        (
            key.to_string(),
            attribute.computed().description(description),
        )
    });
    Schema::new(0)
        .description(
            "Current health of the four tunnels of a link, as both clouds report it (part 4 of Microsoft's tutorial). The state of \
             `awsazure_bgp_vpn` does not contain it, because it changes at any time. An output of this data source therefore causes \
             changes in later plans.",
        )
        .attribute(
            "azure_gateway_id",
            Attribute::string().required().description("Resource ID of the Azure VPN gateway."),
        )
        .attribute(
            "aws_gateway_id",
            Attribute::string().required().description("ID of the virtual private gateway (`vgw-...`) or transit gateway (`tgw-...`)."),
        )
        .attribute(
            "inside_cidr",
            Attribute::string().optional().description(
                "Inside CIDR of any tunnel of the link, such as `169.254.21.0/30`. Required if the two gateways have more than one link.",
            ),
        )
        .attribute("region", Attribute::string().optional().description("AWS region. Defaults to the region of the provider."))
        .attribute(
            "tunnels",
            Attribute::nested(Nesting::Single, tunnels).computed().description(
                "The tunnels: `instance0_tunnel1`, `instance0_tunnel2`, `instance1_tunnel1`, `instance1_tunnel2`.",
            ),
        )
        .attribute("healthy", Attribute::bool().computed().description("Whether all four tunnels are up and carry routes both ways."))
        .attribute(
            "degraded",
            Attribute::bool().computed().description("Whether some tunnels carry traffic, but not all four."),
        )
        .attribute(
            "tunnels_up",
            Attribute::number().computed().description("Number of tunnels with IPsec and BGP up in both clouds, 0 to 4."),
        )
}

/// Reads the configuration; what is unknown or null is `None`.
pub(super) fn decode(config: &Value) -> Result<Option<StatusQuery>, Diagnostics> {
    let mut violations = Diagnostics::new();
    let mut refuse = |name: &str, why: String| {
        violations.push(
            Diagnostic::error(summaries::INVALID_VALUE)
                .detail(why)
                .at(name),
        )
    };
    let text = |name: &str| config.get(name).as_str().filter(|text| !text.is_empty());

    let azure = text("azure_gateway_id").map(ResourceId::parse);
    if let Some(Err(fault)) = &azure {
        refuse("azure_gateway_id", format!("{fault}."));
    }
    let aws = text("aws_gateway_id");
    if let Some(id) = aws.filter(|id| !id.starts_with("vgw-") && !id.starts_with("tgw-")) {
        let why = format!(
            "{id:?} is not the ID of a virtual private gateway (vgw-...) or a transit gateway (tgw-...)."
        );
        refuse("aws_gateway_id", why);
    }
    let inside = text("inside_cidr").map(InsideCidr::parse);
    if let Some(Err(fault)) = &inside {
        refuse("inside_cidr", format!("{fault}."));
    }
    if violations.has_errors() {
        return Err(violations);
    }
    let (Some(Ok(azure_gateway_id)), Some(aws)) = (azure, aws) else {
        return Ok(None);
    };
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
    state.set("tunnels", Value::object(tunnels));
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
        (
            "inside_cidr",
            Value::from(tunnel.inside_cidr.map(|cidr| cidr.to_string())),
        ),
        (
            "aws_status",
            Value::from(aws.map_or("UNKNOWN", |aws| if aws.up { "UP" } else { "DOWN" })),
        ),
        (
            "aws_status_message",
            Value::from(aws.map(|aws| aws.message.clone())),
        ),
        (
            "aws_accepted_routes",
            Value::from(aws.map(|aws| aws.accepted_routes)),
        ),
        (
            "azure_connection_status",
            Value::from(azure.map_or("Unknown", |azure| azure.status.as_str())),
        ),
        (
            "azure_bgp_state",
            Value::from(bgp.map_or("Unknown", |bgp| bgp.state.as_str())),
        ),
        (
            "azure_routes_learned",
            Value::from(bgp.map(|bgp| bgp.routes_learned)),
        ),
        ("diagnosis", Value::from(diagnosis)),
    ])
}

/// Rejects a configuration without gateways.
pub fn missing_gateway_id() -> Diagnostic {
    Diagnostic::error(summaries::MISSING_GATEWAY_ID)
        .detail("azure_gateway_id and aws_gateway_id must not be empty.")
}

/// The warning about a permission without which health is judged by the other cloud alone.
pub fn denied(denial: &Denial) -> Diagnostic {
    let Denial {
        action,
        scope,
        reason,
    } = denial;
    Diagnostic::warning(summaries::UNREAD_BGP_PEERS).detail(format!(
        "The credentials have no permission to read the BGP sessions of {scope}. The health of the tunnels is judged by AWS telemetry \
         only. Grant {action} on that scope to check both sides (the role Network Contributor includes it).\n\nAzure reported: {reason}"
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
                return missing_gateway_id().into();
            }
            Err(violations) => return violations.into(),
        };
        let settings = match self.provider_data.known() {
            Ok(settings) => settings,
            Err(_) if request.capabilities.deferral_allowed => {
                let deferred = Some(Deferred::ProviderConfigUnknown);
                return DataResponse {
                    state: request.config,
                    deferred,
                    ..DataResponse::default()
                };
            }
            Err(not_ready) => return not_ready.diagnostic().into(),
        };
        match self
            .source
            .read_health(&settings, &query, request.cancel)
            .await
        {
            Ok(view) => {
                let diagnostics = view.peers_denied.iter().map(denied).collect();
                DataResponse {
                    state: encode(request.config, &view),
                    diagnostics,
                    ..DataResponse::default()
                }
            }
            Err(diagnostics) => diagnostics.into(),
        }
    }
}

#[cfg(test)]
mod tests;
