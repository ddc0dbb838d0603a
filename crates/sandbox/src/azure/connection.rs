//! Connections: one per AWS tunnel. The shared key of the PUT that makes one is used, that of any
//! later PUT is not; no answer about a connection carries it.

use super::bgp;
use super::errors::{self, ApiError, unrecorded};
use super::gateway::{capacity, configurations};
use super::ids::{Id, Kind};
use super::policy;
use super::resource::{self, Object, Resource, State, fill, reference, text};
use super::resource_ops::{self, ValidatedPut};
use super::service::AzureService;
use super::shared_key;
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::{Value, json};

const DURATION: (SimDuration, SimDuration) = (SimDuration::seconds(60), SimDuration::seconds(150));
/// How long after it succeeded a connection's status stays Unknown.
const UNKNOWN: SimDuration = SimDuration::seconds(30);

const COMPUTED: [&str; 8] = [
    "provisioningState",
    "resourceGuid",
    "connectionStatus",
    "tunnelConnectionStatus",
    "ingressBytesTransferred",
    "egressBytesTransferred",
    "packetCaptureDiagnosticState",
    "sharedKey",
];

impl AzureService {
    pub(super) fn validate_connection(
        &self,
        id: &Id,
        body: &Object,
        location: &str,
        existing: Option<&Resource>,
        cx: &mut Context<'_>,
    ) -> Result<ValidatedPut, ApiError> {
        let mut properties = resource_ops::properties(body);
        let sent_key = properties
            .get("sharedKey")
            .and_then(Value::as_str)
            .map(str::to_owned);
        for computed in COMPUTED {
            properties.remove(computed);
        }
        fill(
            &mut properties,
            json!({"connectionProtocol": "IKEv2", "connectionMode": "Default", "routingWeight": 0, "enableBgp": false,
                "dpdTimeoutSeconds": 0, "useLocalAzureIpAddress": false, "usePolicyBasedTrafficSelectors": false,
                "ipsecPolicies": [], "trafficSelectorPolicies": [], "expressRouteGatewayBypass": false}),
        );
        normalize(id, &mut properties)?;
        let document = Value::Object(properties.clone());
        if let Some(existing) = existing {
            check_unchanged(id, existing, &document)?;
        }
        let gateway =
            self.referenced(id, &document, "/virtualNetworkGateway1/id", Kind::Gateway)?;
        let local = self.referenced(
            id,
            &document,
            "/localNetworkGateway2/id",
            Kind::LocalGateway,
        )?;
        if gateway.location != location {
            return Err(errors::bad_reference(id, &gateway.id.to_string()));
        }
        check_values(id, &document, gateway, local)?;
        let gateway_key = gateway.id.key();
        let others = self
            .connections_of(&gateway_key)
            .filter(|other| other.id.key() != id.key())
            .count();
        if existing.is_none() && others >= capacity(gateway) {
            return Err(unrecorded(format!(
                "Gateway {} has as many connections as its SKU allows.",
                gateway.id
            )));
        }
        if !gateway.ready {
            self.require_provisioned(id, gateway, cx)?;
        }
        if !(local.ready && local.state == State::Updating) {
            self.require_provisioned(id, local, cx)?;
        }
        let secret = match (existing, sent_key) {
            (Some(_), _) => None,
            (None, Some(key)) => Some(shared_key::check(key)?),
            (None, None) => Some(cx.rng.hex(32)),
        };
        let mut draft = ValidatedPut::new(properties, cx.rng.duration(DURATION.0, DURATION.1));
        draft.lock = Some(gateway_key);
        draft.secret = secret;
        Ok(draft)
    }

    fn referenced(
        &self,
        id: &Id,
        document: &Value,
        pointer: &str,
        kind: Kind,
    ) -> Result<&Resource, ApiError> {
        let named = text(document, pointer).unwrap_or_default();
        let found = self
            .resources
            .get(&named.to_lowercase())
            .filter(|found| found.id.kind == kind);
        found.ok_or_else(|| errors::bad_reference(id, named))
    }

    pub(super) fn render_connection(
        &self,
        connection: &Resource,
        mut document: Value,
        cx: &mut Context<'_>,
    ) -> Value {
        let gateway = connection
            .text("/virtualNetworkGateway1/id")
            .and_then(|id| self.resources.get(&id.to_lowercase()));
        let id = connection.id.to_string();
        let names: Vec<&str> = gateway
            .map(|gateway| configurations(gateway).collect())
            .unwrap_or_default();
        let mut tunnels = Vec::new();
        let (mut ingress, mut egress, mut any) = (0, 0, false);
        if connection.ready {
            for (instance, name) in names.iter().enumerate() {
                let tunnel = cx.tunnels.azure_tunnel(&id, instance);
                ingress += tunnel.ingress_bytes;
                egress += tunnel.egress_bytes;
                any |= tunnel.connected;
                let mut shown = json!({"tunnel": format!("{}_{name}", connection.id.name),
                    "connectionStatus": if tunnel.connected { "Connected" } else { "NotConnected" },
                    "ingressBytesTransferred": tunnel.ingress_bytes, "egressBytesTransferred": tunnel.egress_bytes});
                if let (Some(since), Some(shown)) = (tunnel.since, shown.as_object_mut()) {
                    shown.insert(
                        "lastConnectionEstablishedUtcTime".into(),
                        date(cx, since).into(),
                    );
                }
                tunnels.push(shown);
            }
        }
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        {
            properties.insert("packetCaptureDiagnosticState".into(), "None".into());
            properties.insert("ingressBytesTransferred".into(), ingress.into());
            properties.insert("egressBytesTransferred".into(), egress.into());
            // Recorded: no status while Updating.
            if connection.state != State::Updating {
                let dials = properties.get("connectionMode").and_then(Value::as_str)
                    != Some("ResponderOnly");
                let status = match any {
                    true => "Connected",
                    false if cx.now < connection.settled + UNKNOWN => "Unknown",
                    false if dials => "Connecting",
                    false => "NotConnected",
                };
                properties.insert("connectionStatus".into(), status.into());
                properties.insert("tunnelConnectionStatus".into(), tunnels.into());
            }
        }
        document
    }
}

fn date(cx: &Context<'_>, at: crate::time::SimTime) -> String {
    jiff::Timestamp::from_second(cx.settings.unix_seconds(at))
        .map(|at| at.to_string())
        .unwrap_or_default()
}

/// References keep nothing but their id; the connection type gets its own spelling.
fn normalize(id: &Id, properties: &mut Object) -> Result<(), ApiError> {
    for member in [
        "virtualNetworkGateway1",
        "virtualNetworkGateway2",
        "localNetworkGateway2",
    ] {
        let named = properties
            .get(member)
            .and_then(|value| text(value, "/id"))
            .map(str::to_owned);
        match named {
            Some(named) => properties.insert(member.into(), reference(&named)),
            None => properties.remove(member),
        };
    }
    let kind = properties
        .get("connectionType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !kind.eq_ignore_ascii_case("IPsec") {
        return Err(unrecorded(format!(
            "connectionType '{kind}' of {id} is not served here; IPsec is."
        )));
    }
    properties.insert("connectionType".into(), "IPsec".into());
    for required in ["virtualNetworkGateway1", "localNetworkGateway2"] {
        if !properties.contains_key(required) {
            return Err(errors::request_format(format!(
                "{required}: a reference with an id is required"
            )));
        }
    }
    Ok(())
}

/// Type, protocol and gateway are a connection's for life.
fn check_unchanged(id: &Id, existing: &Resource, document: &Value) -> Result<(), ApiError> {
    for pointer in [
        "/connectionType",
        "/connectionProtocol",
        "/virtualNetworkGateway1/id",
    ] {
        let same = match (existing.text(pointer), text(document, pointer)) {
            (Some(before), Some(after)) => before.eq_ignore_ascii_case(after),
            (before, after) => before == after,
        };
        if !same {
            return Err(unrecorded(format!(
                "The {} of connection {id} cannot be changed.",
                pointer.trim_start_matches('/')
            )));
        }
    }
    Ok(())
}

fn check_values(
    id: &Id,
    document: &Value,
    gateway: &Resource,
    local: &Resource,
) -> Result<(), ApiError> {
    let word = |pointer: &str| text(document, pointer).unwrap_or_default().to_owned();
    if !matches!(word("/connectionProtocol").as_str(), "IKEv2" | "IKEv1") {
        return Err(unrecorded(format!(
            "connectionProtocol '{}' is neither IKEv1 nor IKEv2.",
            word("/connectionProtocol")
        )));
    }
    if !matches!(
        word("/connectionMode").as_str(),
        "Default" | "ResponderOnly" | "InitiatorOnly"
    ) {
        return Err(unrecorded(format!(
            "connectionMode '{}' is not valid.",
            word("/connectionMode")
        )));
    }
    let timeout = document
        .pointer("/dpdTimeoutSeconds")
        .and_then(Value::as_u64)
        .unwrap_or(1);
    if timeout != 0 && !(9..=3_600).contains(&timeout) {
        return Err(unrecorded("dpdTimeoutSeconds must be between 9 and 3600."));
    }
    policy::check(resource::items(document, "/ipsecPolicies"))?;
    let bgp = document.pointer("/enableBgp") == Some(&Value::Bool(true));
    if bgp && !gateway.flag("/enableBgp") {
        return Err(unrecorded(format!(
            "Connection {id} enables BGP, which is disabled on gateway {}.",
            gateway.id
        )));
    }
    if bgp && local.properties.pointer("/bgpSettings").is_none() {
        return Err(unrecorded(format!(
            "Connection {id} enables BGP, but {} has no bgpSettings.",
            local.id
        )));
    }
    let mut named: Vec<String> = Vec::new();
    for entry in resource::items(document, "/gatewayCustomBgpIpAddresses") {
        let configuration = text(entry, "/ipConfigurationId").unwrap_or_default();
        let address = text(entry, "/customBgpIpAddress").unwrap_or_default();
        if !bgp::has_custom(gateway, configuration, address) {
            return Err(unrecorded(format!(
                "gatewayCustomBgpIpAddresses of {id}: '{address}' is no custom BGP address of ipConfiguration '{configuration}'."
            )));
        }
        if named.contains(&configuration.to_lowercase()) {
            return Err(unrecorded(format!(
                "gatewayCustomBgpIpAddresses of {id} name '{configuration}' twice."
            )));
        }
        named.push(configuration.to_lowercase());
    }
    Ok(())
}
