//! VPN connections with static routing, which AWS cannot change: rejected, and no tunnel is
//! touched.

use super::fixture::{Link, SEED, writes};
use awsazure_sandbox::world::World;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{Run, Stored};

/// The same clouds, where both VPN connections route statically.
fn with_static_routing(world: &World) -> World {
    let text = serde_json::to_string(world).unwrap();
    let (was, is) = (
        "\"static_routes_only\":false",
        "\"static_routes_only\":true",
    );
    assert!(text.contains(was));
    serde_json::from_str(&text.replace(was, is)).unwrap()
}

fn is_refusal(refused: Result<(), String>, phase: &str) -> bool {
    let words = refused.unwrap_err();
    words.starts_with(phase) && words.contains("StaticRoutesOnly") && words.contains("vpn-")
}

#[test]
fn reject_static_routing_at_import_plan_and_apply() {
    let link = Link::new();
    simulated(|| async move {
        let sim = Sim::of(SEED, with_static_routing(&link.world));
        let mut core = link.core(&sim);
        core.config.set_at(&"aws.dpd_timeout_seconds".into(), 60_u8);
        assert!(is_refusal(core.run(&Run::Apply).await, "plan"));
        let drift = format!("{:?}", core.stored.state.get("drift"));
        assert!(drift.contains("StaticRoutesOnly"), "{drift}");

        // A state that was not refreshed: the apply finds out before it changes anything.
        let mut core = link.core(&sim);
        core.config.set_at(&"aws.dpd_timeout_seconds".into(), 60_u8);
        core.blind = true;
        assert!(is_refusal(core.run(&Run::Apply).await, "apply"));

        let mut core = link.core(&sim);
        core.stored = Stored::default();
        assert!(is_refusal(
            core.run(&Run::Import(link.text("id"))).await,
            "import"
        ));
        assert_eq!(writes(&sim), Vec::<String>::new());

        // Destroy is no change of it.
        let mut core = link.core(&sim);
        core.run(&Run::Destroy).await.unwrap();
    });
}
