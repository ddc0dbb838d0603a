#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::aws::model as aws;
use crate::azure::model::BgpPeer;
use crate::link::observed::Observed;
use crate::link::tunnel::Instance;
use crate::plugin::ClientCapabilities;
use std::net::Ipv4Addr;

const GATEWAY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/gw";

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
        telemetry: Some(aws::Telemetry { up: true, message: "1 BGP ROUTES".into(), accepted_routes: 1 }),
    };
    *observed.aws.vpns.get_mut(Instance::Zero) = Some(aws::VpnConnection {
        id: aws::VpnConnectionId("vpn-1".into()),
        state: aws::State::Available,
        customer_gateway_id: aws::CustomerGatewayId("cgw-1".into()),
        target: aws::Target::Other,
        tunnels: vec![tunnel],
        static_routes_only: false,
        tags: Default::default(),
    });
    *observed.aws.outside_ips.get_mut(TunnelKey::ALL[0]) = Some(ip("52.0.0.1"));
    observed
}

fn row(local: &str, neighbor: &str, state: &str) -> BgpPeer {
    BgpPeer { local: Some(ip(local)), neighbor: Some(ip(neighbor)), asn: None, state: state.into(), routes_received: 1 }
}

#[test]
fn the_peer_row_of_the_instance_that_aws_does_not_know_is_left_out() {
    let rows = [row("169.254.21.6", "169.254.21.1", "Connecting"), row("169.254.21.2", "169.254.21.1", "Connected")];
    let view = View::of(&half_a_link(), Some(&rows));
    let tunnel = view.tunnels.get(TunnelKey::ALL[0]);
    assert_eq!(tunnel.bgp.known().unwrap().state, "Connected");
    assert_eq!(tunnel.azure, Seen::Absent);
    assert!(!view.azure_busy);
    assert_eq!(View::of(&half_a_link(), None).tunnels.get(TunnelKey::ALL[0]).bgp, Seen::Unknown);
}

struct Fixed(View);

#[async_trait]
impl StatusSource for Fixed {
    async fn view(&self, _: &Settings, query: &Query, _: Cancel) -> Result<View, Diagnostics> {
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
async fn every_tunnel_is_told_and_unknown_states_are_no_error() {
    let configured = Configured::default();
    let status = BgpVpnStatus::new(configured.clone(), Arc::new(Fixed(View::default())));
    assert!(status.read(request(GATEWAY)).await.diagnostics.has_errors(), "not configured");

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
async fn an_id_that_is_none_is_refused_offline_at_its_attribute() {
    let status = BgpVpnStatus::new(Configured::default(), Arc::new(Fixed(View::default())));
    let faults = status.validate(request("gw").config).await;
    assert_eq!(faults.iter().next().unwrap().path, Some("azure_gateway_id".into()));
}
