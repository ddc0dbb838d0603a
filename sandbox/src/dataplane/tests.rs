//! The wrong-parameter table, and how a tunnel's state follows time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use super::{AwsEnd, AzureEnd, AzurePolicy, Paths, Verdict, judge};
use crate::time::SimTime;

fn aws(tunnel: u8) -> AwsEnd {
    AwsEnd {
        vpn_connection_id: "vpn-1".into(),
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
fn each_single_wrong_parameter_fails_in_its_own_layer() {
    type Wrong = fn(&mut AwsEnd, &mut AzureEnd);
    let table: [(&str, Verdict, Wrong); 22] = [
        ("nothing", Verdict::Up, |_, _| {}),
        ("key", Verdict::IkeAuthFailed, |_, z| z.shared_key = "wrong_psk_example_1234".into()),
        ("customer gateway's ASN", Verdict::BgpBadPeerAs, |a, _| a.peer_asn = 65_010),
        ("local network gateway's ASN", Verdict::BgpBadPeerAs, |_, z| z.peer_asn = Some(64_513)),
        ("Azure's own BGP address", Verdict::BgpNoConnection, |_, z| z.bgp_ip = Some("169.254.22.2".parse().unwrap())),
        ("AWS's BGP address", Verdict::BgpNoConnection, |_, z| z.peer_bgp_ip = Some("169.254.22.1".parse().unwrap())),
        ("BGP off", Verdict::BgpNoConnection, |_, z| z.enable_bgp = false),
        ("static routes", Verdict::BgpNoConnection, |a, _| a.static_routes_only = true),
        ("outside address", Verdict::IkeNoProposal, |_, z| z.peer_ip = "198.51.100.12".parse().unwrap()),
        ("customer gateway's address", Verdict::IkeNoAnswer, |a, _| a.peer_ip = "203.0.113.11".parse().unwrap()),
        ("AWS out of service", Verdict::IkeNoAnswer, |a, _| a.serving = false),
        ("Azure out of service", Verdict::IkeNoAnswer, |_, z| z.serving = false),
        ("nobody dials", Verdict::IkeNoAnswer, |a, _| a.startup_action = "add".into()),
        ("Azure dials instead", Verdict::Up, |a, z| {
            a.startup_action = "add".into();
            z.connection_mode = "InitiatorOnly".into();
        }),
        ("IKEv1", Verdict::IkeNoProposal, |a, z| {
            a.ike_versions = vec!["ikev1".into()];
            z.connection_mode = "Default".into();
        }),
        ("IKE encryption", Verdict::IkeNoProposal, |_, z| policy(z).ike_encryption = "AES128".into()),
        ("IKE integrity", Verdict::IkeNoProposal, |_, z| policy(z).ike_integrity = "SHA256".into()),
        ("DH group", Verdict::IkeNoProposal, |_, z| policy(z).dh_group = "ECP256".into()),
        ("IPsec encryption", Verdict::ChildNoProposal, |_, z| policy(z).ipsec_encryption = "AES256".into()),
        ("IPsec integrity", Verdict::ChildNoProposal, |a, z| {
            a.phase2_encryption = vec!["AES256".into()];
            policy(z).ipsec_encryption = "AES256".into();
            policy(z).ipsec_integrity = "SHA256".into();
        }),
        ("AWS's defaults", Verdict::Up, |a, _| {
            a.phase1_encryption.clear();
            a.phase1_dh_groups.clear();
            a.phase2_dh_groups.clear();
        }),
        ("Azure's defaults with group 20", Verdict::IkeNoProposal, |_, z| z.policy = None),
    ];
    for (wrong, verdict, change) in table {
        let (mut a, mut z) = (aws(1), azure(1, 0));
        change(&mut a, &mut z);
        let judgement = judge(&a, &z);
        assert_eq!(judgement.verdict, verdict, "{wrong}: {}", judgement.reason);
        assert_eq!(judgement.agreed.is_some(), verdict.ipsec(), "{wrong}");
    }
}

#[test]
fn two_ends_at_their_defaults_agree_on_group_2_and_rekey_without_one() {
    let (mut a, mut z) = (aws(1), azure(1, 0));
    z.policy = None;
    a.phase1_encryption.clear();
    a.phase1_integrity.clear();
    a.phase1_dh_groups.clear();
    a.phase2_encryption.clear();
    a.phase2_integrity.clear();
    a.phase2_dh_groups.clear();
    let judgement = judge(&a, &z);
    assert_eq!(judgement.verdict, Verdict::Up);
    assert!(judgement.rekeys);
    assert_eq!(judgement.agreed.unwrap().phase1_dh_group, 2);
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
