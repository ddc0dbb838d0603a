//! VPN connections and Azure connections that were changed by hand.

use super::fixture::Fixture;
use awsazure::aws::model::{
    NetworkCidrs, State, TargetGateway, TunnelOptions, VpnGateway, VpnGatewayId,
};
use awsazure::aws::{ConnectionEndpoints, ConnectionOptions, IdempotencyKey};
use bgp_vpn::action::{ActionTarget, Verb};
use bgp_vpn::observed::Observed;
use bgp_vpn::plan::plan_actions;
use bgp_vpn::tunnel::{Instance, PerInstance, TunnelKey};
use bgp_vpn::types::Tags;
use serde_json::json;
use std::time::Duration;
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::succeeded;

/// Every drift entry, joined.
fn words(drift: &[String]) -> String {
    drift.join("\n")
}

#[test]
fn accept_equal_customer_gateways() {
    simulated(|| async {
        let fixture = Fixture::new(31).await;
        let ip = PerInstance::from_fn(|instance| fixture.before.public_ip(instance).unwrap());
        for instance in Instance::ALL {
            let equal = fixture
                .customer_gateway(*ip.get(instance), 65000, &format!("hub-{instance}"))
                .await;
            fixture.use_customer_gateway(instance, &equal).await;
        }
        fixture.wait_for_sessions().await;
        assert_eq!(fixture.drift().await, Vec::<String>::new());
        let writes = fixture.calls("ModifyVpnConnection");
        let after = fixture.repair(4).await;
        assert_eq!(fixture.calls("ModifyVpnConnection"), writes);
        let own = |seen: &Observed| {
            seen.aws
                .customer_gateways
                .clone()
                .iter()
                .map(|(_, c)| c.clone().unwrap().id)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            own(&after),
            own(&fixture.before),
            "destroy still finds the link's own"
        );

        // The user deletes the link's own, which nothing uses: the equal ones take their place.
        for (_, customer) in fixture.before.aws.customer_gateways.iter() {
            let id = &customer.as_ref().unwrap().id;
            fixture
                .ec2()
                .await
                .delete_customer_gateway(&fixture.sim.limits().call_context(), id)
                .await
                .unwrap();
        }
        tokio::time::sleep(Duration::from_secs(120)).await;
        let created = fixture.calls("CreateCustomerGateway");
        assert_eq!(fixture.drift().await, Vec::<String>::new());
        succeeded("another apply", &fixture.converge().await).unwrap();
        assert_eq!(fixture.calls("CreateCustomerGateway"), created);
    });
}

#[test]
fn replace_customer_gateways_with_another_address_in_place() {
    for deletes_own in [false, true] {
        simulated(|| async move {
            let fixture = Fixture::new(32).await;
            let office = fixture
                .customer_gateway([198, 51, 100, 7].into(), 65000, "office")
                .await;
            let other = fixture
                .customer_gateway([20, 0, 0, 9].into(), 65010, "other")
                .await;
            fixture.use_customer_gateway(Instance::One, &office).await;
            fixture.wait_for_sessions().await;
            let said = words(&fixture.drift().await);
            assert!(
                said.contains(&fixture.vpn(Instance::One).id.0) && said.contains(&office.id.0),
                "{said}"
            );
            assert!(!said.contains(&fixture.vpn(Instance::Zero).id.0), "{said}");
            fixture.use_customer_gateway(Instance::Zero, &other).await;
            if deletes_own {
                for (_, customer) in fixture.before.aws.customer_gateways.iter() {
                    let id = &customer.as_ref().unwrap().id;
                    fixture
                        .ec2()
                        .await
                        .delete_customer_gateway(&fixture.sim.limits().call_context(), id)
                        .await
                        .unwrap();
                }
            }
            let writes = fixture.sim.sandbox.calls().len();
            let ended = fixture.converge().await;
            succeeded("the repair", &ended).unwrap();
            let calls: Vec<String> = fixture
                .sim
                .sandbox
                .calls()
                .into_iter()
                .skip(writes)
                .map(|call| call.operation)
                .collect();
            let count = |operation: &str| calls.iter().filter(|one| *one == operation).count();
            assert_eq!(count("ModifyVpnConnection"), 2);
            assert_eq!(
                (count("DeleteVpnConnection"), count("DeleteCustomerGateway")),
                (0, 0),
                "{calls:?}"
            );
            assert_eq!(
                count("CreateCustomerGateway"),
                if deletes_own { 2 } else { 0 }
            );
            fixture.wait_for_sessions().await;
            AvailabilityMonitor::over(&fixture.sim).unwrap();
        });
    }
}

/// A VPN gateway of another user.
async fn vpn_gateway(fixture: &Fixture) -> VpnGatewayId {
    let (ec2, ctx) = (fixture.ec2().await, fixture.sim.limits().call_context());
    let asn = fixture.before.aws.gateway.as_ref().unwrap().asn;
    let made: VpnGateway = ec2
        .create_vpn_gateway(&ctx, asn, &Tags::new(), IdempotencyKey::new(&Tags::new()))
        .await
        .unwrap();
    ec2.wait_vpn_gateway_available(&ctx, &made.id)
        .await
        .unwrap()
        .id
}

#[test]
fn move_connections_back_one_at_a_time_from_another_gateway() {
    simulated(|| async {
        let fixture = Fixture::new(33).await;
        let other = vpn_gateway(&fixture).await;
        for instance in Instance::ALL {
            let ends = ConnectionEndpoints {
                customer_gateway: None,
                target: Some(TargetGateway::VpnGateway(other.clone())),
            };
            let id = fixture.vpn(instance).id;
            fixture
                .ec2()
                .await
                .change_connection_endpoints(&fixture.sim.limits().call_context(), &id, &ends)
                .await
                .unwrap();
        }
        fixture.wait_for_sessions().await;
        let said = words(&fixture.drift().await);
        for instance in Instance::ALL {
            assert!(
                said.contains(&fixture.vpn(instance).id.0) && said.contains(&other.0),
                "{said}"
            );
        }
        let after = fixture.repair(2).await;
        for (instance, vpn) in after.aws.vpn_connections.iter() {
            assert_eq!(vpn.as_ref().unwrap().target, fixture.vpn(instance).target);
            assert_eq!(vpn.as_ref().unwrap().state, State::Available);
        }
    });
}

#[test]
fn widen_narrowed_network_cidrs_one_connection_at_a_time() {
    simulated(|| async {
        let fixture = Fixture::new(34).await;
        let networks = NetworkCidrs {
            local: "10.1.0.0/16".parse().unwrap(),
            remote: "10.2.0.0/16".parse().unwrap(),
        };
        for instance in Instance::ALL {
            let options = ConnectionOptions {
                bandwidth: None,
                networks: Some(networks),
            };
            let id = fixture.vpn(instance).id;
            fixture
                .ec2()
                .await
                .change_connection_options(&fixture.sim.limits().call_context(), &id, &options)
                .await
                .unwrap();
        }
        fixture.wait_for_sessions().await;
        let said = words(&fixture.drift().await);
        assert!(said.contains("LocalIpv4NetworkCidr 10.1.0.0/16"), "{said}");
        let after = fixture.repair(2).await;
        assert!(
            after
                .aws
                .vpn_connections
                .iter()
                .all(|(_, vpn)| vpn.as_ref().unwrap().networks == NetworkCidrs::default())
        );
    });
}

#[test]
fn clear_policy_based_traffic_selectors_one_tunnel_at_a_time() {
    simulated(|| async {
        let fixture = Fixture::new(35).await;
        for (key, connection) in fixture.before.azure.connections.iter() {
            let edit = |doc: &mut serde_json::Value| {
                doc["properties"]["usePolicyBasedTrafficSelectors"] = json!(true);
                doc["properties"]["trafficSelectorPolicies"] = json!([{"localAddressRanges": ["10.1.0.0/16"], "remoteAddressRanges": ["10.2.0.0/16"]}]);
            };
            let id = &connection.as_ref().unwrap().resource.id;
            let (gateway, ctx) = (
                fixture.spec.azure.gateway.id(),
                fixture.sim.limits().call_context(),
            );
            fixture
                .sim
                .clouds
                .azure
                .change_connection(id, gateway, &edit, &ctx)
                .await
                .unwrap();
            assert!(
                words(&fixture.drift().await)
                    .to_lowercase()
                    .contains(&id.to_string().to_lowercase()),
                "{key}"
            );
        }
        fixture.wait_for_sessions().await;
        let after = fixture.repair(3).await;
        let narrowed = |c: &awsazure::azure::model::Connection| {
            c.policy_based_selectors || c.traffic_selectors > 0
        };
        assert!(
            !after
                .azure
                .connections
                .iter()
                .any(|(_, c)| narrowed(c.as_ref().unwrap()))
        );
    });
}

#[test]
fn disable_ikev1_one_tunnel_at_a_time() {
    simulated(|| async {
        let fixture = Fixture::new(36).await;
        let both = TunnelOptions {
            ike_versions: vec!["ikev1".to_owned(), "ikev2".to_owned()],
            ..TunnelOptions::default()
        };
        for key in TunnelKey::ALL {
            let (vpn, outside) = (
                fixture.vpn(key.instance),
                fixture.before.tunnel(key).unwrap().outside_ip,
            );
            fixture
                .ec2()
                .await
                .change_tunnel(
                    &fixture.sim.limits().call_context(),
                    &vpn.id,
                    outside,
                    &both,
                )
                .await
                .unwrap();
            assert!(
                words(&fixture.drift().await).contains(&outside.to_string()),
                "{key}"
            );
        }
        fixture.wait_for_sessions().await;
        let after = fixture.repair(3).await;
        assert!(
            TunnelKey::ALL
                .iter()
                .all(|key| after.tunnel(*key).unwrap().options.ike_versions == ["ikev2"])
        );
    });
}

/// An IKEv1 connection cannot be changed to IKEv2. Its tunnel may carry traffic, so that it is
/// recreated when all others are up.
#[test]
fn recreate_ikev1_connections_one_at_a_time() {
    simulated(|| async {
        let fixture = Fixture::new(37).await;
        let mut seen = fixture.seen().await;
        for key in TunnelKey::ALL {
            seen.azure
                .connections
                .get_mut(key)
                .as_mut()
                .unwrap()
                .protocol = Some("IKEv1".to_owned());
        }
        let steps = plan_actions(&fixture.spec, &seen);
        for key in TunnelKey::ALL {
            let deleted = steps
                .iter()
                .find(|s| s.id() == (ActionTarget::Connection(key), Verb::Delete))
                .unwrap();
            assert!(
                deleted
                    .depends_on
                    .contains(&(ActionTarget::PeerTunnelsUp(key), Verb::WaitFor)),
                "{:?}",
                deleted.depends_on
            );
        }
        let gates = steps
            .iter()
            .filter(|s| matches!(s.target, ActionTarget::PeerTunnelsUp(_)))
            .collect::<Vec<_>>();
        for (at, gate) in gates.iter().enumerate().skip(1) {
            let before = TunnelKey::ALL[at - 1];
            assert!(
                gate.depends_on
                    .contains(&(ActionTarget::BgpSession(before), Verb::WaitFor)),
                "{:?}",
                gate.depends_on
            );
        }
    });
}
