//! Pre-shared keys and IPsec policies change one tunnel at a time: three tunnels stay up.

use awsazure::aws::model::{KeyStorage, TunnelOptions};
use awsazure::reconcile::{ActionError, ReconcileOutcome};
use bgp_vpn::ipsec::Preset;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use bgp_vpn::types::PreSharedKey;
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::tunnel_watch::{converge_watched, create_link, observe, tunnels_up};
use test_support::simulated::verify::succeeded;

/// Creates a link; returns it with a rotation of its keys that is still to be done.
pub async fn link_to_rotate(sim: &Sim, mut spec: Spec) -> (Spec, Observed) {
    let before = create_link(sim, &spec).await;
    spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
    (spec, before)
}

fn keys(seen: &Observed) -> PerTunnel<PreSharedKey> {
    PerTunnel::from_fn(|key| seen.tunnel(key).unwrap().key.clone().unwrap())
}

/// Whether a run left a tunnel alone, for a reason that names this.
fn spares(ended: &ReconcileOutcome, tunnel: &str, reason: &str) -> bool {
    ended.failures.iter().any(|failure| match &failure.error {
        ActionError::PeersNotReady { spared, why } => {
            spared.to_string().contains(tunnel) && why.iter().any(|why| why.contains(reason))
        }
        _ => false,
    })
}

#[test]
fn rotate_keys_with_three_tunnels_up() {
    simulated(|| async {
        let sim = Sim::new(11);
        let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!(least, 3, "one tunnel at a time is down, and never two");
        let after = observe(&sim, &spec, &ended.observed).await;
        for key in TunnelKey::ALL {
            assert_ne!(keys(&before).get(key), keys(&after).get(key), "{key}");
        }
        assert_eq!(tunnels_up(&sim, &after), 4);

        let again = sim
            .converge_from(&spec, &sim.search_after(&spec, &after))
            .await;
        assert!(
            again.done.is_empty() && again.failures.is_empty(),
            "the same trigger rolls once: {:?}",
            again.done
        );
    });
}

#[test]
fn move_and_rotate_hidden_keys_with_three_tunnels_up() {
    simulated(|| async {
        let sim = Sim::new(16);
        let mut spec = sim.spec("prod", 0);
        let before = create_link(&sim, &spec).await;
        spec.aws.key_storage = KeyStorage::SecretsManager;
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the move", &ended).unwrap();
        assert_eq!((least, tunnels_up(&sim, &ended.observed)), (3, 4));
        let hidden = observe(&sim, &spec, &ended.observed).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| hidden.tunnel(*key).unwrap().key.is_none())
        );
        let azure = |seen: &Observed| seen.azure.keys.clone();
        assert_eq!(
            azure(&hidden),
            keys(&before).map(|_, key| KeyRead::Value(key.clone())),
            "the same keys as before"
        );

        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let (ended, least) = converge_watched(&sim, &spec, &hidden).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!((least, tunnels_up(&sim, &ended.observed)), (3, 4));
        let rolled = observe(&sim, &spec, &ended.observed).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| azure(&rolled).get(*key) != azure(&hidden).get(*key))
        );

        spec.aws.key_storage = KeyStorage::Standard;
        let (ended, least) = converge_watched(&sim, &spec, &rolled).await;
        succeeded("the move back", &ended).unwrap();
        assert_eq!((least, tunnels_up(&sim, &ended.observed)), (3, 4));
        let shown = observe(&sim, &spec, &ended.observed).await;
        assert_eq!(
            azure(&shown),
            keys(&shown).map(|_, key| KeyRead::Value(key.clone()))
        );
        assert_eq!(azure(&shown), azure(&rolled));
    });
}

#[test]
fn interrupted_rotation_resumes() {
    simulated(|| async {
        let sim = Sim::new(12);
        let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
        sim.sandbox.world().faults.add(
            "fail call 3 of ModifyVpnTunnelOptions: forever refused"
                .parse()
                .unwrap(),
        );
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        assert!(
            least >= 3 && ended.failures.len() == 1,
            "{:#?}",
            ended.failures
        );
        sim.sandbox.world().faults.clear();
        let half = observe(&sim, &spec, &ended.observed).await;
        let [one, two, three, four] = TunnelKey::ALL;
        assert!(
            keys(&before).get(one) != keys(&half).get(one)
                && keys(&before).get(two) != keys(&half).get(two)
        );
        assert!(
            keys(&before).get(three) == keys(&half).get(three)
                && keys(&before).get(four) == keys(&half).get(four)
        );

        let (ended, least) = converge_watched(&sim, &spec, &half).await;
        succeeded("the rest of the roll", &ended).unwrap();
        assert!(least >= 3);
        let after = observe(&sim, &spec, &ended.observed).await;
        assert!(
            keys(&half).get(one) == keys(&after).get(one)
                && keys(&half).get(two) == keys(&after).get(two)
        );
        assert!(
            keys(&half).get(three) != keys(&after).get(three)
                && keys(&half).get(four) != keys(&after).get(four)
        );
    });
}

#[test]
fn policy_update_starts_with_tunnel_that_is_down() {
    simulated(|| async {
        let sim = Sim::new(13);
        let mut spec = sim.spec("prod", 0);
        let before = create_link(&sim, &spec).await;
        let broken = before
            .azure
            .connections
            .get(TunnelKey::ALL[3])
            .as_ref()
            .unwrap()
            .resource
            .id
            .clone();
        let wrong = PreSharedKey::from_cloud("a_key_that_only_azure_has");
        let limits = sim.limits().call_context();
        sim.clouds
            .azure
            .set_shared_key(&broken, spec.azure.gateway.id(), &wrong, &limits)
            .await
            .unwrap();
        tokio::time::sleep(Duration::from_secs(120)).await;
        assert_eq!(tunnels_up(&sim, &before), 3);
        spec.policy = Preset::Compatible.policy();
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the roll", &ended).unwrap();
        assert_eq!(
            least, 3,
            "the broken one is repaired before another is changed"
        );
        assert_eq!(tunnels_up(&sim, &ended.observed), 4);
    });
}

#[test]
fn rotation_stops_when_another_tunnel_goes_down() {
    simulated(|| async {
        let sim = Sim::new(14);
        let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
        let search = sim.search_after(&spec, &before);
        let last = TunnelKey::ALL[3];
        let other_user = async {
            // While the first tunnel is changing, a user gives the last one a policy that its peer
            // rejects.
            while !sim
                .sandbox
                .calls()
                .iter()
                .any(|call| call.operation == "ModifyVpnTunnelOptions")
            {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            let site = sim
                .clouds
                .link_clients(Some(&spec.aws.region), &sim.limits())
                .await
                .unwrap();
            let (vpn, endpoint) = (
                before
                    .aws
                    .vpn_connections
                    .get(last.instance)
                    .as_ref()
                    .unwrap(),
                before.tunnel(last).unwrap(),
            );
            let odd = TunnelOptions {
                ike_versions: vec!["ikev1".to_owned()],
                startup_action: Some("add".to_owned()),
                ..TunnelOptions::default()
            };
            site.ec2
                .modify_tunnel(
                    &sim.limits().call_context(),
                    &vpn.id,
                    endpoint.outside_ip,
                    &odd,
                )
                .await
                .unwrap();
        };
        let (ended, ()) = tokio::join!(sim.converge_from(&spec, &search), other_user);
        assert!(
            spares(&ended, "instance0_tunnel2", "instance1_tunnel2"),
            "{:#?}",
            ended.failures
        );
        assert_eq!(tunnels_up(&sim, &before), 3);

        // The next apply repairs what is down first, and then completes the rotation.
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the rest of the roll", &ended).unwrap();
        assert_eq!(least, 3);
        for key in TunnelKey::ALL {
            assert_ne!(
                keys(&before).get(key),
                keys(&ended.observed).get(key),
                "{key}"
            );
        }
    });
}

#[test]
fn rotation_does_not_start_without_azure_status() {
    simulated(|| async {
        let sim = Sim::new(23);
        let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
        let silent = "fail call 1 of azure GetBgpPeerStatus: forever lost";
        sim.sandbox.world().faults.add(silent.parse().unwrap());
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        assert!(
            spares(&ended, "instance0_tunnel1", "Azure"),
            "{:#?}",
            ended.failures
        );
        assert_eq!(changes(&sim).len(), 0);
    });
}

#[test]
fn configured_keys_apply_only_with_new_version() {
    simulated(|| async {
        let sim = Sim::new(15);
        let mut spec = sim.spec("prod", 0);
        let before = create_link(&sim, &spec).await;
        let own = PreSharedKey::parse("Qd3k_Zr7.Wm2x_Pt9").unwrap();
        *spec.configured_keys.get_mut(TunnelKey::ALL[1]) = Some(own.clone());
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        assert!(ended.done.is_empty(), "{:?}", ended.done);
        spec.applies_configured_keys = true;
        let (ended, least) = converge_watched(&sim, &spec, &before).await;
        succeeded("the raise", &ended).unwrap();
        assert_eq!((least, tunnels_up(&sim, &ended.observed)), (3, 4));
        assert_eq!(*keys(&ended.observed).get(TunnelKey::ALL[1]), own);
    });
}

/// When each tunnel began to be changed, in milliseconds.
pub fn changes(sim: &Sim) -> Vec<u64> {
    let calls = sim.sandbox.calls().into_iter();
    calls
        .filter(|call| call.operation == "ModifyVpnTunnelOptions")
        .map(|call| call.start_ms)
        .collect()
}

#[test]
fn check_other_tunnels_with_one_read() {
    simulated(|| async {
        let sim = Sim::new(11);
        let (spec, before) = link_to_rotate(&sim, sim.spec("prod", 0)).await;
        let earlier = sim.sandbox.calls().len();
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before))
            .await;
        succeeded("the roll", &ended).unwrap();
        let calls: Vec<String> = sim
            .sandbox
            .calls()
            .into_iter()
            .skip(earlier)
            .map(|call| call.operation)
            .collect();
        // Azure is asked too, before even the first one, for which no session was waited.
        let until_first = calls
            .iter()
            .take_while(|one| *one != "ModifyVpnTunnelOptions");
        assert_eq!(
            until_first.filter(|one| *one == "GetBgpPeerStatus").count(),
            1
        );
        let interrupted = (0..calls.len()).filter(|at| calls[*at] == "ModifyVpnTunnelOptions");
        let looks = interrupted.map(|at| {
            calls[..at]
                .iter()
                .rev()
                .take_while(|one| *one == "DescribeVpnConnections")
                .count()
        });
        assert_eq!(looks.collect::<Vec<_>>(), [1; 4]);
    });
}
