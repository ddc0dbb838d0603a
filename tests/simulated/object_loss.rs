//! Each of a link's objects disappears once, with what stands on it, under virtual time: one apply
//! brings all of it back, and the next finds nothing to do. So it is with what Azure gave up on.

use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::reconcile::{ReconcileOutcome, teardown};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::{AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::{
    listing, managed, only_preexisting_objects_left, succeeded, tunnels_agree,
};

/// The parts of a link's children, by what cannot be deleted while they stand: 22 of them.
fn victims() -> Vec<(&'static str, Option<usize>, Vec<Kind>)> {
    use Kind::*;
    let azure = vec![AzureConnection, AzureGateway];
    let with = |kinds: &[Kind], kind| kinds.iter().copied().chain([kind]).collect::<Vec<_>>();
    let all_of_azure = vec![
        AzureConnection,
        AzureLocalGateway,
        AzureGateway,
        AzurePublicIp,
        AzureVirtualNetwork,
        AzureResourceGroup,
    ];
    let all_of_vpc = vec![
        AwsVpnConnection,
        AwsRoutePropagation,
        AwsVpnGateway,
        AwsRouteTable,
        AwsSubnet,
        AwsInternetGateway,
        AwsVpc,
    ];
    let mut all = vec![
        ("the resource group", None, all_of_azure),
        (
            "the virtual network",
            None,
            with(&azure, AzureVirtualNetwork),
        ),
        ("the Azure gateway", None, azure.clone()),
        ("the VPC", None, all_of_vpc),
        ("the internet gateway", None, vec![AwsInternetGateway]),
        ("the public subnet", None, vec![AwsSubnet]),
        (
            "the public route table",
            None,
            vec![AwsRoutePropagation, AwsRouteTable],
        ),
        (
            "the VPN gateway",
            None,
            vec![AwsVpnConnection, AwsRoutePropagation, AwsVpnGateway],
        ),
    ];
    for instance in Instance::ALL {
        let at = Some(instance.index());
        all.push(("a public IP", at, with(&azure, AzurePublicIp)));
        all.push((
            "a customer gateway",
            at,
            vec![AwsVpnConnection, AwsCustomerGateway],
        ));
        all.push(("a VPN connection", at, vec![AwsVpnConnection]));
    }
    for key in TunnelKey::ALL {
        all.push((
            "a local network gateway",
            Some(key.index()),
            vec![AzureConnection, AzureLocalGateway],
        ));
        all.push((
            "an Azure connection",
            Some(key.index()),
            vec![AzureConnection],
        ));
    }
    all
}

/// Of `kinds` all that the link has, or what belongs to the one instance or tunnel.
fn chosen(spec: &Spec, seen: &Observed, at: Option<usize>, kinds: &[Kind]) -> Managed {
    let all = managed(spec, seen);
    let mut chosen = Managed::default();
    for kind in kinds {
        // Azure's ids differ in letter case, and their names have the number of the tunnel.
        let mut ids: Vec<&str> = all.ids(*kind).collect();
        ids.sort_by_key(|id| id.to_lowercase());
        for (n, id) in ids.into_iter().enumerate() {
            // Ids of the AWS half are random; its customer gateways are identified by their
            // connection.
            let of_aws = |i: Instance| {
                let vpn = seen
                    .aws
                    .vpn_connections
                    .get(i)
                    .as_ref()
                    .is_some_and(|vpn| vpn.id.0 == id);
                vpn || seen
                    .aws
                    .customer_gateways
                    .get(i)
                    .as_ref()
                    .is_some_and(|customer| customer.id.0 == id)
            };
            let takes = match (kind, at) {
                (_, None) | (Kind::AzureGateway, _) => true,
                (Kind::AzureConnection, Some(_)) if kinds.contains(&Kind::AzureGateway) => true,
                (Kind::AwsVpnConnection | Kind::AwsCustomerGateway, Some(at)) => {
                    of_aws(Instance::ALL[at])
                }
                (_, Some(at)) => n == at,
            };
            if takes {
                chosen.add(*kind, id);
            }
        }
    }
    chosen
}

async fn vanish(sim: &Sim, spec: &Spec, seen: &Observed, what: Managed) -> ReconcileOutcome {
    let teardown_spec = sim.teardown_spec(spec, seen);
    let only = bgp_vpn::lookup::TeardownSpec {
        managed: what,
        ..teardown_spec
    };
    teardown(
        &sim.clouds,
        &only,
        &sim.search_after(spec, seen),
        &sim.limits(),
        &|_| {},
    )
    .await
}

#[test]
fn one_apply_recreates_each_lost_object() {
    simulated(|| async {
        let sim = Sim::new(22);
        let before = listing(&sim);
        let spec = sim.spec("prod", 0);
        let built = sim.converge(&spec).await;
        succeeded("create", &built).unwrap();
        let mut seen = built.observed;
        assert_eq!(victims().len(), 22);
        for (name, at, kinds) in victims() {
            let victims = chosen(&spec, &seen, at, &kinds);
            let gone = vanish(&sim, &spec, &seen, victims).await;
            succeeded(name, &gone).unwrap();
            assert!(!gone.done.is_empty(), "{name} {at:?} was not there");
            let repaired = sim
                .converge_from(&spec, &sim.search_after(&spec, &seen))
                .await;
            succeeded(&format!("repairing {name} {at:?}"), &repaired).unwrap();
            let again = sim
                .converge_from(&spec, &sim.search_after(&spec, &repaired.observed))
                .await;
            assert!(
                again.done.is_empty() && again.failures.is_empty(),
                "after {name} {at:?}: {:?}",
                again.done
            );
            tunnels_agree(&sim, &again.observed).unwrap();
            seen = again.observed;
        }
        let gone = sim.demolish(&spec, &seen).await;
        succeeded("destroy", &gone).unwrap();
        only_preexisting_objects_left(&before, &listing(&sim)).unwrap();
    });
}

#[test]
fn rewrite_failed_gateway_subnet_in_existing_network() {
    simulated(|| async {
        let sim = Sim::new(60);
        let (mut spec, limits) = (sim.spec("prod", 0), sim.limits());
        let (group, location) = (
            spec.azure.resource_group.clone(),
            spec.azure.location.clone(),
        );
        sim.clouds
            .azure
            .create_group(&group, &location, &Tags::new(), &limits.call_context())
            .await
            .unwrap();
        let id = spec.azure.network.id().clone();
        let (address_space, subnets, tags) = (
            vec!["10.1.0.0/16".parse().unwrap()],
            Vec::new(),
            Tags::new(),
        );
        let new = NewVirtualNetwork {
            location,
            address_space,
            subnets,
            tags,
        };
        sim.clouds
            .azure
            .create_virtual_network(&id, &new, &|_| true, &limits.call_context())
            .await
            .unwrap();
        let gateway_subnet_prefix = Some("10.1.1.0/24".parse().unwrap());
        spec.azure.network = AzureNetwork::Existing {
            id,
            gateway_subnet_prefix,
        };
        spec.azure.create_resource_group = false;
        sim.sandbox.world().faults.add(
            "fail call 1 of azure PutSubnet: once failed"
                .parse()
                .unwrap(),
        );
        assert!(!sim.converge(&spec).await.failures.is_empty());
        let failed = |sim: &Sim| {
            listing(sim)
                .values()
                .filter(|object| object["state"] == "Failed")
                .count()
        };
        assert_eq!(failed(&sim), 1);
        let repaired = sim.converge(&spec).await;
        succeeded("the run after that", &repaired).unwrap();
        assert_eq!(failed(&sim), 0);
        tunnels_agree(&sim, &repaired.observed).unwrap();
    });
}
