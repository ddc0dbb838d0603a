//! How a tunnel's state follows time, and what is told of it. Which state is the wrong-parameter table's: `tests/wrong_parameters`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{AwsEnd, AwsWord, AzureEnd, AzurePolicy, AzureWord, Paths, Report, Route, Sa, Session};
use crate::time::{SimTime, Span};

fn aws(tunnel: u8) -> AwsEnd {
    AwsEnd {
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
        ike_versions: vec!["ikev2".into()],
        startup_action: "start".into(),
        dpd_timeout_action: "restart".into(),
        dpd_timeout_seconds: 30,
        serving: true,
        announces: vec!["10.1.0.0/16".parse().unwrap()],
    }
}

/// Azure's end of that tunnel at one instance; instance 1 has a placeholder for its own address.
fn azure(tunnel: u8, instance: usize) -> AzureEnd {
    let host = if instance == 0 { 2 } else { 6 };
    AzureEnd {
        connection_id: format!("c{tunnel}"),
        gateway_id: "g".into(),
        instance,
        ip_configuration_id: format!("ip{instance}"),
        public_ip: format!("203.0.113.1{instance}").parse().unwrap(),
        bgp_ip: Some(format!("169.254.2{tunnel}.{host}").parse().unwrap()),
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
        announces: vec!["10.0.0.0/16".parse().unwrap(), "10.9.0.0/16".parse().unwrap()],
    }
}

fn policy(end: &mut AzureEnd) -> &mut AzurePolicy {
    end.policy.as_mut().unwrap()
}

#[test]
fn a_wrong_pfs_group_comes_up_and_fails_at_the_first_rekey() {
    let (a, mut z) = (aws(1), azure(1, 0));
    policy(&mut z).pfs_group = "PFS2048".into();
    let (outside, a, z) = (a.outside_ip, [a], [z]);
    let mut paths = Paths::default();
    paths.refresh(SimTime(0), &a, &z);
    paths.refresh(SimTime(100_000), &a, &z);
    assert!(paths.azure_tunnel("c1", 0).connected);
    assert!(paths.aws_telemetry(outside).up);
    paths.refresh(SimTime(3_700_000), &a, &z);
    assert!(!paths.azure_tunnel("c1", 0).connected);
    assert_eq!(paths.aws_telemetry(outside).status_message, "IPSEC IS DOWN");
}

#[test]
fn telemetry_lags_and_the_other_instances_row_never_connects() {
    let (one, two) = (aws(1), aws(2));
    let azure: Vec<AzureEnd> = [1, 2].iter().flat_map(|tunnel| [azure(*tunnel, 0), azure(*tunnel, 1)]).collect();
    let mut paths = Paths::default();
    let mut first_up = None;
    let mut first_told = None;
    for second in 0..200 {
        paths.refresh(SimTime(second * 1_000), &[one.clone(), two.clone()], &azure);
        if first_up.is_none() && paths.azure_peers("g").iter().any(|peer| peer.state == "Connected") {
            first_up = Some(second);
        }
        if first_told.is_none() && (paths.aws_telemetry(one.outside_ip).up || paths.aws_telemetry(two.outside_ip).up) {
            first_told = Some(second);
        }
    }
    let (up, told) = (first_up.unwrap(), first_told.unwrap());
    assert!((13..=36).contains(&up), "{up}");
    assert!(told > up, "{told} after {up}");
    let peers = paths.azure_peers("G");
    assert_eq!(peers.len(), 4);
    assert!(peers.iter().all(|peer| (peer.state == "Connected") == (peer.instance == 0)));
    assert!(paths.azure_tunnel("C1", 0).connected && !paths.azure_tunnel("c1", 1).connected);
    assert_eq!(paths.aws_telemetry(one.outside_ip).status_message, "2 BGP ROUTES");
    assert_eq!(paths.azure_learned("g").iter().filter(|route| route.origin == "EBgp").count(), 2);
    let since = paths.azure_tunnel("c1", 0).since;
    paths.refresh(SimTime(9_000_000), &[one, two], &azure);
    assert_eq!(paths.azure_tunnel("c1", 0).since, since, "nothing changed: the session goes on");
}

#[test]
fn a_swap_of_inside_addresses_breaks_bgp_on_both_tunnels_and_leaves_ipsec() {
    let mut ends = [azure(1, 0), azure(2, 0)];
    ends[0].bgp_ip = Some("169.254.22.2".parse().unwrap());
    ends[1].bgp_ip = Some("169.254.21.2".parse().unwrap());
    let mut paths = Paths::default();
    for second in [0, 100, 200] {
        paths.refresh(SimTime(second * 1_000), &[aws(1), aws(2)], &ends);
    }
    for tunnel in [1, 2] {
        let telemetry = paths.aws_telemetry(aws(tunnel).outside_ip);
        assert!(!telemetry.up);
        assert_eq!(telemetry.status_message, "IPSEC IS UP");
        assert!(paths.azure_tunnel(&format!("c{tunnel}"), 0).connected);
    }
}

#[test]
fn an_end_that_clears_does_not_redial_a_peer_that_only_responds() {
    let (mut a, mut z) = (aws(1), azure(1, 0));
    a.dpd_timeout_action = "clear".into();
    let mut paths = Paths::default();
    let mut now = 0;
    let mut look = |paths: &mut Paths, a: &AwsEnd, z: &AzureEnd| {
        now += 100_000;
        paths.refresh(SimTime(now), std::slice::from_ref(a), std::slice::from_ref(z));
        now += 100_000;
        paths.refresh(SimTime(now), std::slice::from_ref(a), std::slice::from_ref(z));
        paths.azure_tunnel("c1", 0).connected
    };
    assert!(look(&mut paths, &a, &z));
    z.serving = false;
    assert!(!look(&mut paths, &a, &z));
    z.serving = true;
    assert!(!look(&mut paths, &a, &z), "given up");
    a.serving = false;
    assert!(!look(&mut paths, &a, &z));
    a.serving = true;
    assert!(look(&mut paths, &a, &z), "a replaced endpoint dials again");
}

#[test]
fn an_attached_lab_is_believed_until_it_falls_silent() {
    let (a, z) = (aws(1), azure(1, 0));
    let outside = a.outside_ip;
    let mut paths = Paths::default();
    let look = |paths: &mut Paths, second: u64| {
        paths.refresh(SimTime(second * 1_000), std::slice::from_ref(&a), std::slice::from_ref(&z));
    };
    look(&mut paths, 0);
    look(&mut paths, 100);
    assert!(paths.aws_telemetry(outside).up && paths.azure_tunnel("c1", 0).connected);

    let report = |up: bool| {
        let session = Session { state: if up { "Established" } else { "Active" }.into(), ..Session::default() };
        let sa = Some(Sa { agreed: None, bytes_in: 7, bytes_out: 9 });
        let network = "10.1.0.0/16".parse().unwrap();
        Report {
            lab: "lab".into(),
            aws: vec![AwsWord {
                outside_ip: outside,
                inside_cidr: a.inside_cidr,
                ike: true,
                trouble: None,
                sa: sa.clone(),
                session: session.clone(),
                routes: vec!["10.0.0.0/16".parse().unwrap()],
                best: Vec::new(),
            }],
            azure: vec![AzureWord {
                connection_id: "C1".into(),
                instance: 0,
                public_ip: z.public_ip,
                peer_ip: z.peer_ip,
                trouble: None,
                sa,
                session,
                routes: vec![Route { network, next_hop: z.peer_bgp_ip, as_path: "64512".into() }],
            }],
            ..Report::default()
        }
    };
    paths.tell(SimTime(100_000), report(false), Span::seconds(50));
    assert_eq!(paths.aws_telemetry(outside).status_message, "IPSEC IS UP");
    assert_eq!(paths.azure_peers("g")[0].state, "Connecting");
    assert!(paths.aws_learned(outside).is_empty());
    assert_eq!(paths.azure_tunnel("c1", 0).ingress_bytes, 7);

    paths.tell(SimTime(110_000), report(true), Span::seconds(50));
    assert_eq!(paths.aws_telemetry(outside).status_message, "1 BGP ROUTES");
    assert_eq!((paths.azure_peers("G")[0].state, paths.azure_peers("g")[0].routes_received), ("Connected", 1));
    assert_eq!(paths.azure_peers("g")[0].connected_since, Some(SimTime(110_000)));
    assert!(paths.azure_learned("g").iter().any(|route| route.origin == "EBgp" && route.as_path == "64512"));
    assert_eq!(paths.azure_tunnel("c1", 0).since, Some(SimTime(100_000)), "IPsec was up before");

    paths.tell(SimTime(120_000), Report { lab: "lab".into(), ..Report::default() }, Span::seconds(50));
    assert_eq!(paths.aws_telemetry(outside).status_message, "IPSEC IS DOWN");
    look(&mut paths, 171);
    assert!(paths.aws_telemetry(outside).up, "by the rules");
}
