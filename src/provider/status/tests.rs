#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::aws::model as aws;
use crate::azure::documents;
use crate::azure::model::BgpPeer;
use bgp_vpn::observed::Observed;
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::Asn;
use std::net::Ipv4Addr;
use terraform_plugin::ClientCapabilities;

const GATEWAY: &str =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/gw";

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

/// One AWS tunnel, `instance0_tunnel1`, without its Azure half.
fn half_a_link() -> Observed {
    let mut observed = Observed::default();
    let tunnel = aws::Tunnel {
        outside_ip: ip("52.0.0.1"),
        inside_cidr: Some("169.254.21.0/30".parse().unwrap()),
        key: None,
        key_storage: None,
        options: aws::TunnelOptions::default(),
        telemetry: Some(aws::Telemetry {
            up: true,
            message: "1 BGP ROUTES".into(),
            accepted_routes: 1,
        }),
    };
    *observed.aws.vpn_connections.get_mut(Instance::Zero) = Some(aws::VpnConnection {
        id: aws::VpnConnectionId("vpn-1".into()),
        state: aws::State::Available,
        customer_gateway_id: aws::CustomerGatewayId("cgw-1".into()),
        target: aws::TargetGateway::Other,
        tunnels: vec![tunnel],
        accelerated: false,
        bandwidth: aws::Bandwidth::Standard,
        static_routes_only: false,
        networks: Default::default(),
        tags: Default::default(),
    });
    *observed.aws.outside_ips.get_mut(TunnelKey::ALL[0]) = Some(ip("52.0.0.1"));
    observed
}

fn row(local: &str, neighbor: &str, state: &str) -> BgpPeer {
    BgpPeer {
        local: Some(ip(local)),
        neighbor: Some(ip(neighbor)),
        asn: None,
        state: state.into(),
        routes_received: 1,
    }
}

#[test]
fn omit_peer_row_of_unused_instance() {
    for own in ["169.254.21.2", "10.1.255.4"] {
        let rows = vec![
            row("10.1.255.5", "169.254.21.1", "Connecting"),
            row(own, "169.254.21.1", "Connected"),
        ];
        let view = LinkHealth::of(&half_a_link(), Peers::Listed(rows));
        assert_eq!(
            view.tunnels
                .get(TunnelKey::ALL[0])
                .bgp
                .known()
                .unwrap()
                .state,
            "Connected",
            "{own}"
        );
    }
    let rows = vec![
        row("169.254.21.6", "169.254.21.1", "Connecting"),
        row("169.254.21.2", "169.254.21.1", "Idle"),
    ];
    let view = LinkHealth::of(&half_a_link(), Peers::Listed(rows));
    let tunnel = view.tunnels.get(TunnelKey::ALL[0]);
    assert_eq!(tunnel.bgp.known().unwrap().state, "Idle");
    assert_eq!(tunnel.azure, Reported::NotFound);
    assert!(!view.azure_busy);
    assert_eq!(
        LinkHealth::of(&half_a_link(), Peers::Busy)
            .tunnels
            .get(TunnelKey::ALL[0])
            .bgp,
        Reported::Unknown
    );
}

/// The same tunnel with its Azure half, with the same settings on both sides.
fn a_whole_tunnel() -> Observed {
    let mut observed = half_a_link();
    let key = TunnelKey::ALL[0];
    let document = |kind: &str, name: &str, properties: serde_json::Value| {
        let id =
            format!("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/{kind}/{name}");
        serde_json::json!({"id": id, "location": "westeurope", "properties": properties})
    };
    let at = format!("{GATEWAY}/ipConfigurations/a");
    let gateway = serde_json::json!({
        "gatewayType": "Vpn", "activeActive": true, "enableBgp": true, "bgpSettings": {"asn": 65_000},
        "ipConfigurations": [{"id": at, "name": "a", "properties": {}}], "provisioningState": "Succeeded",
    });
    let local =
        serde_json::json!({"bgpSettings": {"asn": 64_512, "bgpPeeringAddress": "169.254.21.1"}});
    let connection = serde_json::json!({
        "connectionType": "IPsec", "enableBgp": true, "connectionMode": "ResponderOnly",
        "gatewayCustomBgpIpAddresses": [{"ipConfigurationId": at, "customBgpIpAddress": "169.254.21.2"}],
    });
    let azure = &mut observed.azure;
    azure.gateway =
        Some(documents::gateway::parse(document("virtualNetworkGateways", "gw", gateway)).unwrap());
    *azure.local_gateways.get_mut(key) = Some(
        documents::local_gateway::parse(document("localNetworkGateways", "l", local)).unwrap(),
    );
    *azure.connections.get_mut(key) =
        Some(documents::connection::parse(document("connections", "c", connection)).unwrap());
    observed.aws.gateway = Some(aws::VpnGateway {
        id: aws::VpnGatewayId("vgw-1".into()),
        asn: Asn(64_512),
        state: aws::State::Available,
        attachment: None,
        tags: Default::default(),
    });
    *observed.aws.customer_gateways.get_mut(Instance::Zero) = Some(aws::CustomerGateway {
        id: aws::CustomerGatewayId("cgw-1".into()),
        ip: ip("20.0.0.1"),
        asn: Asn(65_000),
        device_name: None,
        state: aws::State::Available,
        tags: Default::default(),
    });
    observed
}

#[test]
fn compare_settings_of_both_clouds() {
    let key = TunnelKey::ALL[0];
    let said = |spoil: fn(&mut Observed)| {
        let mut observed = a_whole_tunnel();
        spoil(&mut observed);
        LinkHealth::of(&observed, Peers::Busy)
            .tunnels
            .get(key)
            .mismatches
            .clone()
    };
    assert_eq!(said(|_| ()), Some(Vec::new()));
    let one = |spoil: fn(&mut Observed)| {
        let found = said(spoil).unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].clone()
    };
    fn local(seen: &mut Observed) -> &mut crate::azure::model::LocalGateway {
        seen.azure
            .local_gateways
            .get_mut(TunnelKey::ALL[0])
            .as_mut()
            .unwrap()
    }
    fn connection(seen: &mut Observed) -> &mut crate::azure::model::Connection {
        seen.azure
            .connections
            .get_mut(TunnelKey::ALL[0])
            .as_mut()
            .unwrap()
    }
    let asn = one(|seen| {
        seen.aws
            .customer_gateways
            .get_mut(Instance::Zero)
            .as_mut()
            .unwrap()
            .asn = Asn(65_001)
    });
    assert!(asn.contains("65001") && asn.contains("65000"), "{asn}");
    let asn = one(|seen| local(seen).bgp = Some((Asn(64_513), ip("169.254.21.1"))));
    assert!(asn.contains("64513") && asn.contains("64512"), "{asn}");
    let peer = one(|seen| local(seen).bgp = Some((Asn(64_512), ip("169.254.21.5"))));
    assert!(
        peer.contains("169.254.21.5") && peer.contains("169.254.21.1"),
        "{peer}"
    );
    assert!(one(|seen| local(seen).bgp = None).contains("BGP"));
    assert!(one(|seen| connection(seen).custom_bgp_ips.clear()).contains("169.254.21.2"));
    assert!(one(|seen| connection(seen).enable_bgp = false).contains("disabled"));
    let fixed = one(|seen| {
        seen.aws
            .vpn_connections
            .get_mut(Instance::Zero)
            .as_mut()
            .unwrap()
            .static_routes_only = true
    });
    assert!(fixed.contains("static"), "{fixed}");
    // A transit gateway's ASN is not read.
    assert_eq!(said(|seen| seen.aws.gateway = None), None);
}

struct Fixed(LinkHealth);

#[async_trait]
impl HealthSource for Fixed {
    async fn read_health(
        &self,
        _: &Settings,
        query: &StatusQuery,
        _: Cancel,
    ) -> Result<LinkHealth, Diagnostics> {
        assert_eq!(query.aws_gateway_id, "vgw-1");
        Ok(self.0.clone())
    }
}

fn request(azure: &str) -> DataRequest {
    DataRequest {
        config: Value::object([("azure_gateway_id", azure), ("aws_gateway_id", "vgw-1")]),
        capabilities: ClientCapabilities::default(),
        cancel: Cancel::new(),
    }
}

#[tokio::test]
async fn report_every_tunnel_including_unknown_states() {
    let configured = ProviderData::default();
    let status = BgpVpnStatus::new(configured.clone(), Arc::new(Fixed(LinkHealth::default())));
    assert!(
        status.read(request(GATEWAY)).await.diagnostics.has_errors(),
        "not configured"
    );

    configured.set(Settings::default());
    let read = status.read(request(GATEWAY)).await;
    assert!(!read.diagnostics.has_errors());
    assert_eq!(read.state.get("tunnels").as_map().unwrap().len(), 4);
    let tunnel = read.state.get("tunnels").get("instance1_tunnel2");
    assert_eq!(tunnel.get("aws_status").as_str(), Some("UNKNOWN"));
    assert_eq!(tunnel.get("azure_bgp_state").as_str(), Some("Unknown"));
    assert_eq!(read.state.get("healthy").as_bool(), Some(false));
    assert_eq!(read.state.get("tunnels_up").as_u64(), Some(0));
}

#[tokio::test]
async fn reject_invalid_id_offline_at_attribute() {
    let status = BgpVpnStatus::new(
        ProviderData::default(),
        Arc::new(Fixed(LinkHealth::default())),
    );
    let violations = status.validate(request("gw").config).await;
    assert_eq!(
        violations.iter().next().unwrap().path,
        Some("azure_gateway_id".into())
    );
}
