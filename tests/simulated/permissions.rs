//! Permissions that are missing, and names that objects of others have.

use awsazure::azure::documents::gateway::{NewGateway, NewInstance};
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure::azure::{Error, ResourceId};
use awsazure::reconcile::{ActionError, BGP_PEERS, ReconcileOutcome};
use bgp_vpn::action::ActionTarget;
use bgp_vpn::key_rotation::KeyRotation;
use bgp_vpn::observed::{KeyRead, Observed};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::time::Duration;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::succeeded;

fn deny(sim: &Sim, operation: &str) {
    let plan = format!("fail call 1 of azure {operation}: forever 403");
    sim.sandbox.world().faults.add(plan.parse().unwrap());
}

fn calls(sim: &Sim, operation: &str) -> usize {
    sim.sandbox
        .calls()
        .iter()
        .filter(|call| call.operation == operation)
        .count()
}

fn key_of(seen: &Observed, key: TunnelKey) -> PreSharedKey {
    seen.tunnel(key).unwrap().key.clone().unwrap()
}

/// One denial for the complete run, with permission and scope.
fn is_told_once(sim: &Sim, ended: &ReconcileOutcome, gateway: &ResourceId) {
    let [denial] = ended.denied.as_slice() else {
        panic!("{:?}", ended.denied)
    };
    assert_eq!((denial.action, &denial.scope), (BGP_PEERS, gateway));
    assert_eq!(
        calls(sim, "GetBgpPeerStatus"),
        1,
        "what was denied once is not tried again"
    );
}

#[test]
fn create_link_without_permission_to_read_peers() {
    simulated(|| async {
        let sim = Sim::new(41);
        let spec = sim.spec("prod", 0);
        deny(&sim, "GetBgpPeerStatus");
        let ended = sim.converge(&spec).await;
        succeeded("create", &ended).unwrap();
        is_told_once(&sim, &ended, spec.azure.gateway.id());
        assert!(
            TunnelKey::ALL.into_iter().all(|key| ended
                .observed
                .azure
                .connections
                .get(key)
                .is_some())
        );
        assert!(
            TunnelKey::ALL
                .into_iter()
                .all(|key| ended.observed.is_up(key)),
            "AWS decides alone"
        );
    });
}

#[test]
fn rotate_keys_without_permission_to_read_peers() {
    simulated(|| async {
        let sim = Sim::new(42);
        let mut spec = sim.spec("prod", 0);
        let before = sim.converge(&spec).await;
        succeeded("create", &before).unwrap();
        tokio::time::sleep(Duration::from_secs(300)).await;
        let earlier = calls(&sim, "GetBgpPeerStatus");
        deny(&sim, "GetBgpPeerStatus");
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before.observed))
            .await;
        succeeded("rotation", &ended).unwrap();
        assert_eq!(
            (
                ended.denied.len(),
                calls(&sim, "GetBgpPeerStatus") - earlier
            ),
            (1, 1)
        );
        for key in TunnelKey::ALL {
            assert_ne!(
                key_of(&before.observed, key),
                key_of(&ended.observed, key),
                "{key}"
            );
        }
    });
}

/// A tunnel that AWS reports as down still fails the wait.
#[test]
fn stop_rotation_by_aws_status_without_peer_permission() {
    simulated(|| async {
        let sim = Sim::new(43);
        let mut spec = sim.spec("prod", 0);
        let before = sim.converge(&spec).await;
        succeeded("create", &before).unwrap();
        deny(&sim, "GetBgpPeerStatus");
        let (azure, ctx) = (&sim.clouds.azure, sim.limits().call_context());
        let connection = before
            .observed
            .azure
            .connections
            .get(TunnelKey::ALL[3])
            .clone()
            .unwrap();
        azure
            .delete_connection(&connection.resource.id, spec.azure.gateway.id(), &ctx)
            .await
            .unwrap();
        sim.sandbox.world().faults.add(
            "fail call 1 of azure PutConnection: forever refused"
                .parse()
                .unwrap(),
        );
        tokio::time::sleep(Duration::from_secs(600)).await;
        spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
        let ended = sim
            .converge_from(&spec, &sim.search_after(&spec, &before.observed))
            .await;
        assert!(!ended.failures.is_empty());
        // The tunnel that is down loses nothing by a new key.
        for key in &TunnelKey::ALL[..3] {
            assert_eq!(
                key_of(&before.observed, *key),
                key_of(&ended.observed, *key),
                "{key} was interrupted too"
            );
        }
    });
}

#[test]
fn create_link_without_permission_to_read_keys() {
    simulated(|| async {
        let sim = Sim::new(44);
        let spec = sim.spec("prod", 0);
        deny(&sim, "GetSharedKey");
        let ended = sim.converge(&spec).await;
        succeeded("create", &ended).unwrap();
        assert!(
            TunnelKey::ALL
                .into_iter()
                .all(|key| *ended.observed.azure.keys.get(key) == KeyRead::Forbidden)
        );
    });
}

/// Reads that the work needs keep failing, with action and scope.
#[test]
fn fail_without_required_read_permission() {
    simulated(|| async {
        let sim = Sim::new(45);
        let spec = sim.spec("prod", 0);
        deny(&sim, "GetVirtualNetwork");
        let ended = sim.converge(&spec).await;
        let [failure] = ended.failures.as_slice() else {
            panic!("{:?}", ended.failures)
        };
        let ActionError::Azure(Error::Denied(facts)) = &failure.error else {
            panic!("{}", failure.error)
        };
        assert!(
            facts
                .target
                .eq_ignore_ascii_case(spec.azure.network.id().as_str()),
            "{facts}"
        );
        assert!(sim.objects().is_empty(), "{:?}", sim.objects());
    });
}

#[test]
fn keep_foreign_network_and_gateway_of_same_name() {
    simulated(|| async {
        let sim = Sim::new(46);
        let spec = sim.spec("prod", 0);
        let (azure, ctx, others) = (
            &sim.clouds.azure,
            sim.limits().call_context(),
            Tags::from([("team".into(), "b".into())]),
        );
        let location = spec.azure.location.clone();
        azure
            .create_group(&spec.azure.resource_group, &location, &others, &ctx)
            .await
            .unwrap();
        let id = |kind: &str, name: &str| azure.network_id(&spec.azure.resource_group, kind, name);
        let network = |id: ResourceId| {
            let subnets = vec![("GatewaySubnet".to_owned(), "10.1.1.0/24".parse().unwrap())];
            let address_space = vec!["10.1.0.0/16".parse().unwrap()];
            let new = NewVirtualNetwork {
                location: location.clone(),
                address_space,
                subnets,
                tags: others.clone(),
            };
            let ctx = ctx.clone();
            async move {
                azure
                    .create_virtual_network(&id, &new, &|_| false, &ctx)
                    .await
                    .unwrap()
            }
        };
        // The gateway's name is taken in another virtual network of the group.
        let other = network(id("virtualNetworks", "other")).await;
        let mut instances = Vec::new();
        for instance in Instance::ALL {
            let ip = id("publicIPAddresses", &format!("other-{instance}"));
            let zones = ["1", "2", "3"].map(str::to_owned).to_vec();
            let new = NewPublicIp {
                location: location.clone(),
                zones,
                tags: others.clone(),
            };
            azure
                .create_public_ip(&ip, &new, &|_| false, &ctx)
                .await
                .unwrap();
            instances.push(NewInstance {
                name: instance.to_string(),
                public_ip_id: ip,
                custom_bgp_ips: Vec::new(),
            });
        }
        let new = NewGateway {
            location: location.clone(),
            sku: "VpnGw1AZ".into(),
            generation: "Generation1".into(),
            asn: Asn(65_010),
            subnet_id: other.resource.id.child("subnets", "GatewaySubnet"),
            instances,
            tags: others.clone(),
        };
        let gateway = spec.azure.gateway.id();
        azure
            .create_gateway(gateway, &new, &|_| false, &ctx)
            .await
            .unwrap();
        let version = async || {
            azure
                .get_gateway(gateway, &ctx)
                .await
                .unwrap()
                .unwrap()
                .resource
                .etag
        };
        let before = version().await;
        let is_refused = async |object: ActionTarget| {
            let (objects, ended) = (sim.objects(), sim.converge(&spec).await);
            let refused = ended.failures.iter().any(|failure| {
                matches!(failure.error, ActionError::Azure(Error::AlreadyExists(_)))
                    && failure
                        .action
                        .as_ref()
                        .is_some_and(|step| step.target == object)
            });
            assert!(refused, "{object}: {:?}", ended.failures);
            assert_eq!(
                sim.objects(),
                objects,
                "nothing was created before it was noticed"
            );
        };
        is_refused(ActionTarget::Gateway).await;
        network(spec.azure.network.id().clone()).await;
        is_refused(ActionTarget::VirtualNetwork).await;
        assert_eq!(version().await, before);
    });
}
