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
use bgp_vpn::mismatches::{Mismatch, bgp_mismatches, ipsec_mismatches};
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::tunnel::Instance;
use bgp_vpn::types::{Asn, PreSharedKey};
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

fn key_of(text: &str) -> KeyRead {
    KeyRead::Value(PreSharedKey::parse(text).unwrap())
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
    let local = serde_json::json!({"gatewayIpAddress": "52.0.0.1",
        "bgpSettings": {"asn": 64_512, "bgpPeeringAddress": "169.254.21.1"}});
    let connection = serde_json::json!({
        "connectionType": "IPsec", "enableBgp": true, "connectionMode": "ResponderOnly",
        "connectionProtocol": "IKEv2",
        "ipsecPolicies": [{"saLifeTimeSeconds": 27_000, "saDataSizeKilobytes": 102_400_000,
            "ipsecEncryption": "GCMAES256", "ipsecIntegrity": "GCMAES256", "ikeEncryption": "AES256",
            "ikeIntegrity": "SHA384", "dhGroup": "ECP384", "pfsGroup": "ECP384"}],
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
    *azure.keys.get_mut(key) = key_of("one.key.of.both");
    *azure.public_ips.get_mut(Instance::Zero) = Some(crate::azure::model::PublicIp {
        address: Some(ip("20.0.0.1")),
        ..documents::public_ip::parse(document("publicIPAddresses", "p", serde_json::json!({})))
            .unwrap()
    });
    let vpn = observed
        .aws
        .vpn_connections
        .get_mut(Instance::Zero)
        .as_mut()
        .unwrap();
    let phase = |integrity: &str, encryption: &str| aws::Phase {
        encryption: vec![encryption.into()],
        integrity: vec![integrity.into()],
        dh_groups: vec![20],
        lifetime_seconds: None,
    };
    vpn.tunnels[0].key = PreSharedKey::parse("one.key.of.both").ok();
    vpn.tunnels[0].options = aws::TunnelOptions {
        startup_action: Some("start".into()),
        ike_versions: vec!["ikev2".into()],
        phase1: phase("SHA2-384", "AES256"),
        phase2: phase("SHA2-384", "AES256-GCM-16"),
        ..aws::TunnelOptions::default()
    };
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

/// Every field on which the two sides of a tunnel can differ, changed alone: it is named alone, with
/// both values.
#[test]
fn each_wrong_setting_is_the_only_mismatch() {
    type Spoil = fn(&mut Observed);
    let mismatches = |spoil: Spoil| {
        let mut observed = a_whole_tunnel();
        spoil(&mut observed);
        let view = LinkHealth::of(&observed, Peers::Busy);
        let tunnel = view.tunnels.get(TunnelKey::ALL[0]).clone();
        let bgp = tunnel.bgp_mismatches.unwrap();
        tunnel
            .ipsec_mismatches
            .into_iter()
            .chain(bgp)
            .collect::<Vec<_>>()
    };
    assert_eq!(mismatches(|_| ()), Vec::new());
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
    fn policy(seen: &mut Observed) -> &mut crate::azure::model::IpsecPolicy {
        connection(seen).policy.as_mut().unwrap()
    }
    fn customer(seen: &mut Observed) -> &mut aws::CustomerGateway {
        seen.aws
            .customer_gateways
            .get_mut(Instance::Zero)
            .as_mut()
            .unwrap()
    }
    fn vpn(seen: &mut Observed) -> &mut aws::VpnConnection {
        seen.aws
            .vpn_connections
            .get_mut(Instance::Zero)
            .as_mut()
            .unwrap()
    }
    let rows: [(Spoil, &[&str]); 20] = [
        (
            |it| customer(it).ip = ip("20.0.0.9"),
            &["20.0.0.9", "20.0.0.1"],
        ),
        (
            |it| local(it).gateway_ip = Some(ip("52.0.0.9")),
            &["52.0.0.9", "52.0.0.1"],
        ),
        (
            |it| *it.azure.keys.get_mut(TunnelKey::ALL[0]) = KeyRead::NotSet,
            &["no pre-shared key"],
        ),
        (
            |it| *it.azure.keys.get_mut(TunnelKey::ALL[0]) = key_of("another.key.of.azure"),
            &["pre-shared keys"],
        ),
        (
            |it| vpn(it).tunnels[0].options.startup_action = None,
            &["add", "ResponderOnly"],
        ),
        (
            |it| connection(it).protocol = Some("IKEv1".into()),
            &["IKEv1", "ikev2"],
        ),
        (
            |it| policy(it).ike_encryption = "AES192".into(),
            &["IKE encryption", "AES192", "AES256"],
        ),
        (
            |it| policy(it).ike_integrity = "SHA1".into(),
            &["IKE integrity", "SHA1", "SHA2-384"],
        ),
        (
            |it| policy(it).dh_group = "DHGroup14".into(),
            &["DH group", "DHGroup14", "20"],
        ),
        (
            |it| policy(it).pfs_group = "PFS2048".into(),
            &["PFS group", "PFS2048", "20"],
        ),
        (
            |it| policy(it).ipsec_encryption = "GCMAES128".into(),
            &["IPsec encryption", "GCMAES128", "AES256-GCM-16"],
        ),
        (
            |it| connection(it).policy = None,
            &["DH group", "DHGroup2", "20"],
        ),
        (
            |it| connection(it).policy_based_selectors = true,
            &["traffic selectors"],
        ),
        (
            |it| vpn(it).networks.local = "10.1.0.0/16".parse().unwrap(),
            &["10.1.0.0/16", "0.0.0.0/0"],
        ),
        (|it| customer(it).asn = Asn(65_001), &["65001", "65000"]),
        (
            |it| local(it).bgp = Some((Asn(64_513), ip("169.254.21.1"))),
            &["64513", "64512"],
        ),
        (
            |it| local(it).bgp = Some((Asn(64_512), ip("169.254.21.5"))),
            &["169.254.21.5", "169.254.21.1"],
        ),
        (|it| local(it).bgp = None, &["no BGP peer"]),
        (
            |it| connection(it).custom_bgp_ips.clear(),
            &["169.254.21.2"],
        ),
        (|it| connection(it).enable_bgp = false, &["BGP is disabled"]),
    ];
    for (spoil, words) in rows {
        let found = mismatches(spoil);
        let [only] = found.as_slice() else {
            panic!("{words:?}: {found:?}");
        };
        let text = only.to_string();
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{words:?}: {text}"
        );
    }
    let static_routes = mismatches(|it| vpn(it).static_routes_only = true);
    assert_eq!(static_routes, [Mismatch::StaticRouting]);
}

/// Settings that are spelled differently and mean the same are no mismatch.
#[test]
fn equal_settings_in_other_words_are_no_mismatch() {
    let mut observed = a_whole_tunnel();
    let key = TunnelKey::ALL[0];
    let phases = |observed: &mut Observed, group: u32| {
        let vpn = observed
            .aws
            .vpn_connections
            .get_mut(Instance::Zero)
            .as_mut()
            .unwrap();
        vpn.tunnels[0].options.phase1.dh_groups = vec![group];
        vpn.tunnels[0].options.phase2.dh_groups = vec![group];
    };
    let policy = |observed: &mut Observed, dh: &str, pfs: &str| {
        let connection = observed.azure.connections.get_mut(key).as_mut().unwrap();
        let policy = connection.policy.as_mut().unwrap();
        (policy.dh_group, policy.pfs_group) = (dh.into(), pfs.into());
    };
    phases(&mut observed, 14);
    policy(&mut observed, "DHGroup2048", "PFSMM");
    assert_eq!(ipsec_mismatches(&observed, key), Vec::new());
    // A transit gateway's ASN is not read.
    observed.aws.gateway = None;
    assert_eq!(bgp_mismatches(&observed, key), None);
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
