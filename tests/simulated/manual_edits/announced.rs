//! A plan announces what its apply interrupts, with ids: also of an imported link, and where only
//! repairs interrupt it.

use super::fixture::{Link, ec2, wait_for_sessions};
use awsazure::aws::model::{NetworkCidrs, TargetGateway, TunnelOptions, VpnConnectionId};
use awsazure::aws::{ConnectionEndpoints, ConnectionOptions, IdempotencyKey};
use bgp_vpn::types::{Asn, Tags};
use test_support::simulated::Sim;
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore};

const SUMMARY: &str = awsazure::provider::summaries::REPAIRS_INTERRUPT;

/// Narrowed network CIDRs on one connection, and other DPD seconds on a tunnel of the other one.
async fn edited(sim: &Sim, link: &Link) -> [String; 2] {
    let (ec2, ctx) = (ec2(sim).await, sim.limits().call_context());
    let narrowed = VpnConnectionId(link.text("tunnels.instance1_tunnel1.aws_vpn_connection_id"));
    let networks = NetworkCidrs {
        local: "10.1.0.0/16".parse().unwrap(),
        remote: "10.2.0.0/16".parse().unwrap(),
    };
    let options = ConnectionOptions {
        bandwidth: None,
        networks: Some(networks),
    };
    ec2.change_connection_options(&ctx, &narrowed, &options)
        .await
        .unwrap();
    let other = VpnConnectionId(link.text("tunnels.instance0_tunnel2.aws_vpn_connection_id"));
    let outside = link.text("tunnels.instance0_tunnel2.aws_outside_ip");
    let seconds = TunnelOptions {
        dpd_timeout_seconds: Some(50),
        ..TunnelOptions::default()
    };
    ec2.change_tunnel(&ctx, &other, outside.parse().unwrap(), &seconds)
        .await
        .unwrap();
    wait_for_sessions(sim).await;
    [narrowed.0, outside]
}

/// The plan's warning of what its apply interrupts.
fn announced(core: &TerraformCore<'_>) -> Option<String> {
    core.messages
        .iter()
        .rev()
        .find(|words| words.starts_with("plan") && words.contains(SUMMARY))
        .cloned()
}

#[test]
fn announce_interruptions_of_repair_and_after_import() {
    let link = Link::new();
    simulated(|| async move {
        for imports in [false, true] {
            let sim = link.sim();
            let ids = edited(&sim, &link).await;
            let mut core = link.core(&sim);
            if imports {
                core.stored = Stored::default();
                core.run(&Run::Import(link.text("id"))).await.unwrap();
            }
            let availability = AvailabilityMonitor::over(&sim).unwrap();
            core.run(&Run::Apply).await.unwrap();
            availability.check_at_least(2).unwrap();
            let words = announced(&core).unwrap_or_else(|| panic!("{:?}", core.messages));
            assert!(
                ids.iter().all(|id| words.contains(id)) && words.contains("instance0_tunnel2"),
                "{words}"
            );
            assert!(!words.contains("instance0_tunnel1"), "{words}");

            core.messages.clear();
            core.plans_empty().await.unwrap();
            core.config.set("name", "renamed");
            core.run(&Run::Apply).await.unwrap();
            assert_eq!(
                announced(&core),
                None,
                "what was repaired is not announced again"
            );
        }
    });
}

#[test]
fn import_finds_own_gateway_of_moved_connection() {
    let link = Link::new();
    simulated(|| async move {
        let sim = link.sim();
        let (ec2, ctx) = (ec2(&sim).await, sim.limits().call_context());
        let other = ec2
            .create_vpn_gateway(
                &ctx,
                Asn(64_512),
                &Tags::new(),
                IdempotencyKey::new(&Tags::new()),
            )
            .await
            .unwrap();
        ec2.wait_vpn_gateway_available(&ctx, &other.id)
            .await
            .unwrap();
        let moved = VpnConnectionId(link.text("tunnels.instance0_tunnel1.aws_vpn_connection_id"));
        let ends = ConnectionEndpoints {
            customer_gateway: None,
            target: Some(TargetGateway::VpnGateway(other.id.clone())),
        };
        ec2.change_connection_endpoints(&ctx, &moved, &ends)
            .await
            .unwrap();
        wait_for_sessions(&sim).await;
        let own = link.text("aws.vpn_gateway_id");
        for id in [
            link.text("id"),
            format!("{},{own}", link.text("azure.gateway_id")),
        ] {
            let mut core = link.core(&sim);
            core.stored = Stored::default();
            core.run(&Run::Import(id)).await.unwrap();
            let state = &core.stored.state;
            assert_eq!(
                state.at(&"aws.vpn_gateway_id".into()).as_str(),
                Some(own.as_str())
            );
            let drift = format!("{:?}", state.get("drift"));
            assert!(
                drift.contains(&moved.0) && drift.contains(&other.id.0),
                "{drift}"
            );
        }
        let mut core = link.core(&sim);
        let availability = AvailabilityMonitor::over(&sim).unwrap();
        core.run(&Run::Apply).await.unwrap();
        availability.check_at_least(2).unwrap();
        core.plans_empty().await.unwrap();
        assert!(announced(&core).is_none_or(|words| words.contains(&moved.0)));
    });
}
