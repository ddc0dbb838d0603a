//! Tunnel lifecycle control: a change of it interrupts no tunnel.

use awsazure::aws::model::TunnelOptions;
use bgp_vpn::interruptions::interruptions;
use bgp_vpn::observed::Observed;
use bgp_vpn::plan::{describe_drift, plan_actions};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::tunnel_watch::{converge_watched, create_link, observe};
use test_support::simulated::verify::succeeded;

#[test]
fn change_lifecycle_control_without_interruption() {
    simulated(|| async {
        let sim = Sim::new(23);
        let mut spec = sim.spec("prod", 0);
        let mut last = create_link(&sim, &spec).await;
        let controlled = |seen: &Observed| {
            TunnelKey::ALL.map(|key| seen.tunnel(key).unwrap().options.lifecycle_control)
        };
        assert_eq!(
            controlled(&last),
            [None; 4],
            "a create sends nothing that is the default"
        );
        for wanted in [true, false] {
            spec.aws.tunnel_lifecycle_control = wanted;
            let (ended, least) = converge_watched(&sim, &spec, &last).await;
            succeeded("the change", &ended).unwrap();
            last = observe(&sim, &spec, &ended.observed).await;
            assert_eq!((least, controlled(&last)), (4, [Some(wanted); 4]));
            assert!(plan_actions(&spec, &last).is_empty());

            let site = sim
                .clouds
                .link_clients(Some(&spec.aws.region), &sim.limits())
                .await
                .unwrap();
            let vpn = last.aws.vpn_connections.get(Instance::One).clone().unwrap();
            let edit = TunnelOptions {
                lifecycle_control: Some(!wanted),
                ..TunnelOptions::default()
            };
            let outside_ip = vpn.tunnels[0].outside_ip;
            site.ec2
                .change_tunnel(&sim.limits().call_context(), &vpn.id, outside_ip, &edit)
                .await
                .unwrap();
            last = observe(&sim, &spec, &last).await;
            let drift = describe_drift(&spec, &last);
            assert!(
                drift.len() == 1 && drift[0].contains("lifecycle control"),
                "{drift:?}"
            );
            assert!(interruptions(&spec, &last).is_empty());
            let (ended, least) = converge_watched(&sim, &spec, &last).await;
            succeeded("the repair", &ended).unwrap();
            last = observe(&sim, &spec, &ended.observed).await;
            assert_eq!((least, controlled(&last)), (4, [Some(wanted); 4]));
        }
        let calls = sim.sandbox.calls();
        let changes = || {
            calls
                .iter()
                .filter(|call| call.operation == "ModifyVpnTunnelOptions")
        };
        assert_eq!(changes().count(), 12);
        assert!(
            changes().all(|call| call.status == Some(200)),
            "one change of a connection at a time"
        );

        // Together with an option whose change replaces the endpoint, it rolls like that.
        spec.aws.tunnel_lifecycle_control = true;
        spec.aws.dpd_timeout_seconds = 40;
        let (ended, least) = converge_watched(&sim, &spec, &last).await;
        succeeded("both changes", &ended).unwrap();
        assert_eq!((least, controlled(&ended.observed)), (3, [Some(true); 4]));
    });
}

/// A new tunnel has it from the start.
#[test]
fn create_with_lifecycle_control() {
    simulated(|| async {
        let sim = Sim::new(24);
        let mut spec = sim.spec("prod", 0);
        spec.aws.tunnel_lifecycle_control = true;
        let made = create_link(&sim, &spec).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| made.tunnel(*key).unwrap().options.lifecycle_control == Some(true))
        );
        assert!(plan_actions(&spec, &made).is_empty());
        assert!(
            !sim.sandbox
                .calls()
                .iter()
                .any(|call| call.operation == "ModifyVpnTunnelOptions")
        );
    });
}
