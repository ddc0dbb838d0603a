//! VPN connections and Azure connections that were changed by hand.

use super::scene::Scene;
use super::simulated::clock::simulated;
use super::simulated::lookout::Lookout;
use super::simulated::verify::ended_well;
use awsazure::aws::model::{NetworkCidrs, State, TargetGateway, TunnelOptions, VpnGateway, VpnGatewayId};
use awsazure::aws::{ConnectionEndpoints, ConnectionOptions, IdempotencyKey};
use awsazure::link::action::{ActionTarget, Verb};
use awsazure::link::observed::Observed;
use awsazure::link::plan::plan_actions;
use awsazure::link::tunnel::{Instance, PerInstance, TunnelKey};
use awsazure::types::Tags;
use serde_json::json;
use std::time::Duration;

/// Every drift entry, joined.
fn words(drift: &[String]) -> String {
    drift.join("\n")
}

#[test]
fn accept_customer_gateways_that_are_equal() {
    simulated(|| async {
        let scene = Scene::new(31).await;
        let ip = PerInstance::from_fn(|instance| scene.before.public_ip(instance).unwrap());
        for instance in Instance::ALL {
            let equal = scene.customer_gateway(*ip.get(instance), 65000, &format!("hub-{instance}")).await;
            scene.use_customer_gateway(instance, &equal).await;
        }
        scene.settle().await;
        assert_eq!(scene.drift().await, Vec::<String>::new());
        let writes = scene.calls("ModifyVpnConnection");
        let after = scene.repaired(4).await;
        assert_eq!(scene.calls("ModifyVpnConnection"), writes);
        let own = |seen: &Observed| {
            seen.aws.customer_gateways.clone().iter().map(|(_, c)| c.clone().unwrap().id).collect::<Vec<_>>()
        };
        assert_eq!(own(&after), own(&scene.before), "destroy still finds the link's own");

        // The user deletes the link's own, which nothing uses: the equal ones take their place.
        for (_, customer) in scene.before.aws.customer_gateways.iter() {
            let id = &customer.as_ref().unwrap().id;
            scene.ec2().await.delete_customer_gateway(&scene.sim.limits().aws(), id).await.unwrap();
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        let created = scene.calls("CreateCustomerGateway");
        assert_eq!(scene.drift().await, Vec::<String>::new());
        ended_well("another apply", &scene.converge().await).unwrap();
        assert_eq!(scene.calls("CreateCustomerGateway"), created);
    });
}

#[test]
fn replace_customer_gateways_with_another_address_in_place() {
    for deletes_own in [false, true] {
        simulated(|| async move {
            let scene = Scene::new(32).await;
            let office = scene.customer_gateway([198, 51, 100, 7].into(), 65000, "office").await;
            let other = scene.customer_gateway([20, 0, 0, 9].into(), 65010, "other").await;
            scene.use_customer_gateway(Instance::One, &office).await;
            scene.settle().await;
            let said = words(&scene.drift().await);
            assert!(said.contains(&scene.vpn(Instance::One).id.0) && said.contains(&office.id.0), "{said}");
            assert!(!said.contains(&scene.vpn(Instance::Zero).id.0), "{said}");
            scene.use_customer_gateway(Instance::Zero, &other).await;
            if deletes_own {
                for (_, customer) in scene.before.aws.customer_gateways.iter() {
                    let id = &customer.as_ref().unwrap().id;
                    scene.ec2().await.delete_customer_gateway(&scene.sim.limits().aws(), id).await.unwrap();
                }
            }
            let writes = scene.sim.sandbox.calls().len();
            let ended = scene.converge().await;
            ended_well("the repair", &ended).unwrap();
            let calls: Vec<String> =
                scene.sim.sandbox.calls().into_iter().skip(writes).map(|call| call.operation).collect();
            let count = |operation: &str| calls.iter().filter(|one| *one == operation).count();
            assert_eq!(count("ModifyVpnConnection"), 2);
            assert_eq!((count("DeleteVpnConnection"), count("DeleteCustomerGateway")), (0, 0), "{calls:?}");
            assert_eq!(count("CreateCustomerGateway"), if deletes_own { 2 } else { 0 });
            scene.settle().await;
            Lookout::over(&scene.sim).unwrap();
        });
    }
}

/// A VPN gateway of another user.
async fn vpn_gateway(scene: &Scene) -> VpnGatewayId {
    let (ec2, ctx) = (scene.ec2().await, scene.sim.limits().aws());
    let asn = scene.before.aws.gateway.as_ref().unwrap().asn;
    let made: VpnGateway =
        ec2.create_vpn_gateway(&ctx, asn, &Tags::new(), IdempotencyKey::new(&Tags::new())).await.unwrap();
    ec2.wait_vpn_gateway_available(&ctx, &made.id).await.unwrap().id
}

#[test]
fn move_connections_back_one_at_a_time_from_another_gateway() {
    simulated(|| async {
        let scene = Scene::new(33).await;
        let other = vpn_gateway(&scene).await;
        for instance in Instance::ALL {
            let ends =
                ConnectionEndpoints { customer_gateway: None, target: Some(TargetGateway::VpnGateway(other.clone())) };
            let id = scene.vpn(instance).id;
            scene.ec2().await.change_connection_endpoints(&scene.sim.limits().aws(), &id, &ends).await.unwrap();
        }
        scene.settle().await;
        let said = words(&scene.drift().await);
        for instance in Instance::ALL {
            assert!(said.contains(&scene.vpn(instance).id.0) && said.contains(&other.0), "{said}");
        }
        let after = scene.repaired(2).await;
        for (instance, vpn) in after.aws.vpn_connections.iter() {
            assert_eq!(vpn.as_ref().unwrap().target, scene.vpn(instance).target);
            assert_eq!(vpn.as_ref().unwrap().state, State::Available);
        }
    });
}

#[test]
fn widen_narrowed_network_cidrs_one_connection_at_a_time() {
    simulated(|| async {
        let scene = Scene::new(34).await;
        let networks = NetworkCidrs { local: "10.1.0.0/16".parse().unwrap(), remote: "10.2.0.0/16".parse().unwrap() };
        for instance in Instance::ALL {
            let options = ConnectionOptions { bandwidth: None, networks: Some(networks) };
            let id = scene.vpn(instance).id;
            scene.ec2().await.change_connection_options(&scene.sim.limits().aws(), &id, &options).await.unwrap();
        }
        scene.settle().await;
        let said = words(&scene.drift().await);
        assert!(said.contains("LocalIpv4NetworkCidr 10.1.0.0/16"), "{said}");
        let after = scene.repaired(2).await;
        assert!(
            after.aws.vpn_connections.iter().all(|(_, vpn)| vpn.as_ref().unwrap().networks == NetworkCidrs::default())
        );
    });
}

#[test]
fn clear_policy_based_traffic_selectors_one_tunnel_at_a_time() {
    simulated(|| async {
        let scene = Scene::new(35).await;
        for (key, connection) in scene.before.azure.connections.iter() {
            let edit = |doc: &mut serde_json::Value| {
                doc["properties"]["usePolicyBasedTrafficSelectors"] = json!(true);
                doc["properties"]["trafficSelectorPolicies"] =
                    json!([{"localAddressRanges": ["10.1.0.0/16"], "remoteAddressRanges": ["10.2.0.0/16"]}]);
            };
            let id = &connection.as_ref().unwrap().resource.id;
            let (gateway, ctx) = (scene.spec.azure.gateway.id(), scene.sim.limits().azure());
            scene.sim.clouds.azure.change_connection(id, gateway, &edit, &ctx).await.unwrap();
            assert!(words(&scene.drift().await).contains(&id.to_string()), "{key}");
        }
        scene.settle().await;
        let after = scene.repaired(3).await;
        let narrowed = |c: &awsazure::azure::model::Connection| c.policy_based_selectors || c.traffic_selectors > 0;
        assert!(!after.azure.connections.iter().any(|(_, c)| narrowed(c.as_ref().unwrap())));
    });
}

#[test]
fn disable_ikev1_one_tunnel_at_a_time() {
    simulated(|| async {
        let scene = Scene::new(36).await;
        let both =
            TunnelOptions { ike_versions: vec!["ikev1".to_owned(), "ikev2".to_owned()], ..TunnelOptions::default() };
        for key in TunnelKey::ALL {
            let (vpn, outside) = (scene.vpn(key.instance), scene.before.tunnel(key).unwrap().outside_ip);
            scene.ec2().await.change_tunnel(&scene.sim.limits().aws(), &vpn.id, outside, &both).await.unwrap();
            assert!(words(&scene.drift().await).contains(&outside.to_string()), "{key}");
        }
        scene.settle().await;
        let after = scene.repaired(3).await;
        assert!(TunnelKey::ALL.iter().all(|key| after.tunnel(*key).unwrap().options.ike_versions == ["ikev2"]));
    });
}

/// An IKEv1 connection cannot be changed to IKEv2. Its tunnel may carry traffic, so that it is recreated when all others are up.
#[test]
fn recreate_ikev1_connections_one_at_a_time() {
    simulated(|| async {
        let scene = Scene::new(37).await;
        let mut seen = scene.seen().await;
        for key in TunnelKey::ALL {
            seen.azure.connections.get_mut(key).as_mut().unwrap().protocol = Some("IKEv1".to_owned());
        }
        let steps = plan_actions(&scene.spec, &seen);
        for key in TunnelKey::ALL {
            let deleted = steps.iter().find(|s| s.id() == (ActionTarget::Connection(key), Verb::Delete)).unwrap();
            assert!(
                deleted.depends_on.contains(&(ActionTarget::PeerTunnelsUp(key), Verb::WaitFor)),
                "{:?}",
                deleted.depends_on
            );
        }
        let gates = steps.iter().filter(|s| matches!(s.target, ActionTarget::PeerTunnelsUp(_))).collect::<Vec<_>>();
        for (at, gate) in gates.iter().enumerate().skip(1) {
            let before = TunnelKey::ALL[at - 1];
            assert!(
                gate.depends_on.contains(&(ActionTarget::BgpSession(before), Verb::WaitFor)),
                "{:?}",
                gate.depends_on
            );
        }
    });
}
