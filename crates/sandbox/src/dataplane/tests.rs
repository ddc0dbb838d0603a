//! How the state of a tunnel changes over time, and what is reported. Which state is the
//! wrong-parameter table's: `crates/sandbox-lab/tests/wrong_parameters`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::{
    AwsEndpoint, AwsReport, AzureEndpoint, AzurePolicy, AzureReport, LabReport, Route, Sa, Session,
    Tunnels,
};
use crate::time::{SimDuration, SimTime};

fn aws(tunnel: u8) -> AwsEndpoint {
    AwsEndpoint {
        vpn_connection_id: "vpn-1".into(),
        gateway_id: "vgw-1".into(),
        outside_ip: format!("198.51.100.1{tunnel}").parse().unwrap(),
        inside_cidr: format!("169.254.2{tunnel}.0/30").parse().unwrap(),
        peer_ip: "203.0.113.10".parse().unwrap(),
        asn: 64_512,
        peer_asn: 65_000,
        static_routes_only: false,
        pre_shared_key: format!("Psk_1.{tunnel}_example"),
        phase1_encryption: vec!["AES256".into()],
        phase1_integrity: vec!["SHA2-384".into()],
        phase1_dh_groups: vec![20],
        phase2_encryption: vec!["AES256-GCM-16".into()],
        phase2_integrity: vec!["SHA2-384".into()],
        phase2_dh_groups: vec![20],
        phase1_lifetime_seconds: 27_000,
        phase2_lifetime_seconds: 3_600,
        rekey_margin_seconds: 270,
        rekey_fuzz_percent: 100,
        accelerated: false,
        ike_versions: vec!["ikev2".into()],
        startup_action: "start".into(),
        dpd_timeout_action: "restart".into(),
        dpd_timeout_seconds: 30,
        serving: true,
        announces: vec!["10.1.0.0/16".parse().unwrap()],
    }
}

/// Azure's end of that tunnel at one instance; instance 1 has a placeholder for its own address.
fn azure(tunnel: u8, instance: usize) -> AzureEndpoint {
    let host = if instance == 0 { 2 } else { 6 };
    AzureEndpoint {
        connection_id: format!("c{tunnel}"),
        gateway_id: "g".into(),
        instance,
        ip_configuration_id: format!("ip{instance}"),
        public_ip: format!("203.0.113.1{instance}").parse().unwrap(),
        bgp_ip: Some(format!("169.254.2{tunnel}.{host}").parse().unwrap()),
        next_hop: Some(format!("169.254.21.{host}").parse().unwrap()),
        peer_ip: format!("198.51.100.1{tunnel}").parse().unwrap(),
        peer_bgp_ip: Some(format!("169.254.2{tunnel}.1").parse().unwrap()),
        peer_asn: Some(64_512),
        asn: 65_000,
        shared_key: format!("Psk_1.{tunnel}_example"),
        enable_bgp: true,
        connection_mode: "ResponderOnly".into(),
        policy: Some(AzurePolicy {
            ike_encryption: "AES256".into(),
            ike_integrity: "SHA384".into(),
            dh_group: "ECP384".into(),
            ipsec_encryption: "GCMAES256".into(),
            ipsec_integrity: "GCMAES256".into(),
            pfs_group: "ECP384".into(),
            sa_life_time_seconds: 27_000,
            sa_data_size_kilobytes: 2_147_483_647,
        }),
        serving: true,
        announces: vec![
            "10.0.0.0/16".parse().unwrap(),
            "10.9.0.0/16".parse().unwrap(),
        ],
    }
}

fn policy(end: &mut AzureEndpoint) -> &mut AzurePolicy {
    end.policy.as_mut().unwrap()
}

#[test]
fn wrong_pfs_group_fails_at_first_rekey() {
    let (a, mut z) = (aws(1), azure(1, 0));
    policy(&mut z).pfs_group = "PFS2048".into();
    let (outside, a, z) = (a.outside_ip, [a], [z]);
    let mut tunnels = Tunnels::default();
    tunnels.refresh(SimTime(0), &a, &z);
    tunnels.refresh(SimTime(100_000), &a, &z);
    assert!(tunnels.azure_tunnel("c1", 0).connected);
    assert!(tunnels.aws_telemetry(outside).up);
    tunnels.refresh(SimTime(3_700_000), &a, &z);
    assert!(!tunnels.azure_tunnel("c1", 0).connected);
    assert_eq!(
        tunnels.aws_telemetry(outside).status_message,
        "IPSEC IS DOWN"
    );
}

/// Telemetry lags, and the row of the instance without a peer never connects.
#[test]
fn telemetry_lags_and_unused_row_stays_down() {
    let (one, two) = (aws(1), aws(2));
    let azure: Vec<AzureEndpoint> = [1, 2]
        .iter()
        .flat_map(|tunnel| [azure(*tunnel, 0), azure(*tunnel, 1)])
        .collect();
    let mut tunnels = Tunnels::default();
    let mut first_up = None;
    let mut first_reported = None;
    for second in 0..200 {
        tunnels.refresh(SimTime(second * 1_000), &[one.clone(), two.clone()], &azure);
        if first_up.is_none()
            && tunnels
                .azure_peers("g")
                .iter()
                .any(|peer| peer.state == "Connected")
        {
            first_up = Some(second);
        }
        if first_reported.is_none()
            && (tunnels.aws_telemetry(one.outside_ip).up
                || tunnels.aws_telemetry(two.outside_ip).up)
        {
            first_reported = Some(second);
        }
    }
    let (up, history) = (first_up.unwrap(), first_reported.unwrap());
    assert!((13..=36).contains(&up), "{up}");
    assert!(history > up, "{history} after {up}");
    let peers = tunnels.azure_peers("G");
    assert_eq!(peers.len(), 4);
    assert!(
        peers
            .iter()
            .all(|peer| (peer.state == "Connected") == (peer.instance == 0))
    );
    assert!(tunnels.azure_tunnel("C1", 0).connected && !tunnels.azure_tunnel("c1", 1).connected);
    assert_eq!(
        tunnels.aws_telemetry(one.outside_ip).status_message,
        "2 BGP ROUTES"
    );
    assert_eq!(
        tunnels
            .azure_learned("g")
            .iter()
            .filter(|route| route.origin == "EBgp")
            .count(),
        2
    );
    let since = tunnels.azure_tunnel("c1", 0).since;
    tunnels.refresh(SimTime(9_000_000), &[one, two], &azure);
    assert_eq!(
        tunnels.azure_tunnel("c1", 0).since,
        since,
        "nothing changed, so the session stays up"
    );
}

/// Swapped inside addresses break BGP on both tunnels while IPsec stays up.
#[test]
fn swapped_inside_addresses_break_bgp_only() {
    let mut endpoints = [azure(1, 0), azure(2, 0)];
    endpoints[0].bgp_ip = Some("169.254.22.2".parse().unwrap());
    endpoints[1].bgp_ip = Some("169.254.21.2".parse().unwrap());
    let mut tunnels = Tunnels::default();
    for second in [0, 100, 200] {
        tunnels.refresh(SimTime(second * 1_000), &[aws(1), aws(2)], &endpoints);
    }
    for tunnel in [1, 2] {
        let telemetry = tunnels.aws_telemetry(aws(tunnel).outside_ip);
        assert!(!telemetry.up);
        assert_eq!(telemetry.status_message, "IPSEC IS UP");
        assert!(tunnels.azure_tunnel(&format!("c{tunnel}"), 0).connected);
    }
}

#[test]
fn cleared_endpoint_does_not_redial_responder() {
    let (mut a, mut z) = (aws(1), azure(1, 0));
    a.dpd_timeout_action = "clear".into();
    let mut tunnels = Tunnels::default();
    let mut now = 0;
    let mut look = |tunnels: &mut Tunnels, a: &AwsEndpoint, z: &AzureEndpoint| {
        now += 100_000;
        tunnels.refresh(
            SimTime(now),
            std::slice::from_ref(a),
            std::slice::from_ref(z),
        );
        now += 100_000;
        tunnels.refresh(
            SimTime(now),
            std::slice::from_ref(a),
            std::slice::from_ref(z),
        );
        tunnels.azure_tunnel("c1", 0).connected
    };
    assert!(look(&mut tunnels, &a, &z));
    z.serving = false;
    assert!(!look(&mut tunnels, &a, &z));
    z.serving = true;
    assert!(!look(&mut tunnels, &a, &z), "given up");
    a.serving = false;
    assert!(!look(&mut tunnels, &a, &z));
    a.serving = true;
    assert!(
        look(&mut tunnels, &a, &z),
        "a replaced endpoint dials again"
    );
}

#[test]
fn use_lab_report_until_it_expires() {
    let (a, z) = (aws(1), azure(1, 0));
    let outside = a.outside_ip;
    let mut tunnels = Tunnels::default();
    let look = |tunnels: &mut Tunnels, second: u64| {
        tunnels.refresh(
            SimTime(second * 1_000),
            std::slice::from_ref(&a),
            std::slice::from_ref(&z),
        );
    };
    look(&mut tunnels, 0);
    look(&mut tunnels, 100);
    assert!(tunnels.aws_telemetry(outside).up && tunnels.azure_tunnel("c1", 0).connected);

    let report = |up: bool| {
        let session = Session {
            state: if up { "Established" } else { "Active" }.into(),
            ..Session::default()
        };
        let sa = Some(Sa {
            agreed: None,
            bytes_in: 7,
            bytes_out: 9,
        });
        let network = "10.1.0.0/16".parse().unwrap();
        LabReport {
            lab: "lab".into(),
            aws: vec![AwsReport {
                outside_ip: outside,
                inside_cidr: a.inside_cidr,
                ike: true,
                trouble: None,
                sa: sa.clone(),
                session: session.clone(),
                routes: vec!["10.0.0.0/16".parse().unwrap()],
                best: Vec::new(),
                next_hop: z.next_hop,
            }],
            azure: vec![AzureReport {
                connection_id: "C1".into(),
                instance: 0,
                public_ip: z.public_ip,
                peer_ip: z.peer_ip,
                trouble: None,
                sa,
                session,
                routes: vec![Route {
                    network,
                    next_hop: z.peer_bgp_ip,
                    as_path: "64512".into(),
                }],
            }],
            ..LabReport::default()
        }
    };
    tunnels.accept_report(SimTime(100_000), report(false), SimDuration::seconds(50));
    assert_eq!(tunnels.aws_telemetry(outside).status_message, "IPSEC IS UP");
    assert_eq!(tunnels.azure_peers("g")[0].state, "Connecting");
    assert!(tunnels.aws_learned(outside).is_empty());
    assert_eq!(tunnels.azure_tunnel("c1", 0).ingress_bytes, 7);

    tunnels.accept_report(SimTime(110_000), report(true), SimDuration::seconds(50));
    assert_eq!(
        tunnels.aws_telemetry(outside).status_message,
        "1 BGP ROUTES"
    );
    assert_eq!(
        (
            tunnels.azure_peers("G")[0].state,
            tunnels.azure_peers("g")[0].routes_received
        ),
        ("Connected", 1)
    );
    assert_eq!(
        tunnels.azure_peers("g")[0].connected_since,
        Some(SimTime(110_000))
    );
    assert!(
        tunnels
            .azure_learned("g")
            .iter()
            .any(|route| route.origin == "EBgp" && route.as_path == "64512")
    );
    assert_eq!(
        tunnels.azure_tunnel("c1", 0).since,
        Some(SimTime(100_000)),
        "IPsec was up before"
    );

    tunnels.accept_report(
        SimTime(120_000),
        LabReport {
            lab: "lab".into(),
            ..LabReport::default()
        },
        SimDuration::seconds(50),
    );
    assert_eq!(
        tunnels.aws_telemetry(outside).status_message,
        "IPSEC IS DOWN"
    );
    look(&mut tunnels, 171);
    assert!(tunnels.aws_telemetry(outside).up, "by the rules");
}
