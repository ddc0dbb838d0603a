//! What a GET of a gateway returns, and which secrets it omits.

use crate::azure::bgp;
use crate::azure::resource::{self, Object, Resource, text};
use crate::azure::service::AzureService;
use crate::world::Context;
use serde_json::{Value, json};

impl AzureService {
    pub(in crate::azure) fn render_gateway(
        &self,
        gateway: &Resource,
        mut document: Value,
        cx: &mut Context<'_>,
    ) -> Value {
        let settings = bgp::render(self, gateway, cx);
        let creating = !gateway.ready;
        if let Some(properties) = document
            .pointer_mut("/properties")
            .and_then(Value::as_object_mut)
        {
            for configuration in properties
                .get_mut("ipConfigurations")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                let name = text(configuration, "/name").unwrap_or_default().to_owned();
                if let Some(configuration) = configuration.as_object_mut() {
                    configuration.insert(
                        "id".into(),
                        format!("{}/ipConfigurations/{name}", gateway.id).into(),
                    );
                    configuration.insert("etag".into(), gateway.etag.clone().into());
                    configuration.insert(
                        "type".into(),
                        "Microsoft.Network/virtualNetworkGateways/ipConfigurations".into(),
                    );
                    if let Some(own) = configuration
                        .get_mut("properties")
                        .and_then(Value::as_object_mut)
                    {
                        own.insert("provisioningState".into(), gateway.state.word().into());
                    }
                }
            }
            properties.insert("packetCaptureDiagnosticState".into(), "None".into());
            hide_radius_secrets(properties);
            properties.insert("bgpSettings".into(), settings);
            if let Some(sku) = properties.get_mut("sku").and_then(Value::as_object_mut) {
                sku.insert("capacity".into(), 2.into());
            }
            if creating && !properties.contains_key("vpnClientConfiguration") {
                properties.insert(
                    "vpnClientConfiguration".into(),
                    json!({"vpnClientProtocols": ["OpenVPN", "IkeV2"], "vpnAuthenticationTypes": [],
                        "vpnClientRootCertificates": [], "vpnClientRevokedCertificates": [],
                        "vngClientConnectionConfigurations": [], "radiusServers": [], "vpnClientIpsecPolicies": []}),
                );
            }
        }
        document
    }
}

/// A RADIUS server's secret can be written and never read (api-version 2025-01-01). What a PUT
/// omits is gone.
fn hide_radius_secrets(properties: &mut Object) {
    let Some(clients) = properties
        .get_mut("vpnClientConfiguration")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    clients.remove("radiusServerSecret");
    for server in clients
        .get_mut("radiusServers")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(server) = server.as_object_mut() {
            server.remove("radiusServerSecret");
        }
    }
}

/// Whether each RADIUS server of a gateway's point-to-site clients has a secret; None without
/// RADIUS.
pub(in crate::azure) fn has_radius_secrets(gateway: &Resource) -> Option<bool> {
    let clients = gateway.properties.pointer("/vpnClientConfiguration")?;
    let set = |at: &Value, pointer: &str| text(at, pointer).is_some_and(|word| !word.is_empty());
    let single = set(clients, "/radiusServerAddress").then(|| set(clients, "/radiusServerSecret"));
    let servers = resource::items(clients, "/radiusServers")
        .iter()
        .map(|s| set(s, "/radiusServerSecret"));
    single
        .into_iter()
        .chain(servers)
        .reduce(|all, one| all && one)
}
