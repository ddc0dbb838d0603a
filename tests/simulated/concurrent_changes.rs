//! Changes of other users while a link exists: deleted objects, removed tags, other links on the same
//! gateways, and groups in use.

use awsazure::aws::Ec2;
use awsazure::aws::model::{InternetGatewayId, Region, VpcId};
use awsazure::azure::ResourceId;
use awsazure::reconcile::{ActionError, teardown};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{LinkId, TAG_LINK, TAG_NAME};
use bgp_vpn::plan::describe_drift;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use serde_json::json;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, complete_link, config};
use test_support::simulated::verify::{
    Listing, ids_of_kind, listing, managed, only_error, succeeded,
};
use test_support::simulated::{REGION, Sim, leak_checker};

pub async fn ec2(sim: &Sim) -> Ec2 {
    sim.process()
        .aws
        .region(
            &sim.limits().call_context(),
            Some(&Region(REGION.to_owned())),
        )
        .await
        .unwrap()
}

/// Writes from the n-th call on, each operation as often as it was asked.
pub fn writes(sim: &Sim, from: usize) -> Vec<String> {
    let writes = [
        "Create",
        "Put",
        "Delete",
        "Modify",
        "Attach",
        "Detach",
        "Enable",
        "Disable",
        "Associate",
        "Replace",
    ];
    let is_write = |operation: &String| writes.iter().any(|verb| operation.starts_with(verb));
    let mut all: Vec<String> = sim
        .sandbox
        .calls()
        .into_iter()
        .skip(from)
        .map(|c| c.operation)
        .filter(is_write)
        .collect();
    all.sort();
    all
}

#[test]
fn destroy_keeps_objects_whose_tags_were_removed() {
    simulated(|| async {
        let sim = Sim::new(38);
        let spec = sim.spec("prod", 0);
        let made = sim.converge(&spec).await;
        succeeded("the create", &made).unwrap();
        let (ec2, limits) = (ec2(&sim).await, sim.limits());
        let vpc = made.observed.aws.vpc.as_ref().unwrap().id.0.clone();
        ec2.delete_tags(
            &limits.call_context(),
            std::slice::from_ref(&vpc),
            &[TAG_LINK.to_owned()],
        )
        .await
        .unwrap();
        let network = &made.observed.azure.network.as_ref().unwrap().resource;
        sim.clouds
            .azure
            .set_tags(&network.id, &Tags::new(), &limits.call_context())
            .await
            .unwrap();
        let gone = sim.demolish(&spec, &made.observed).await;
        let kept = |id: &str| {
            let names = |cause: &ActionError| matches!(cause, ActionError::NotOwned { id: named, .. } if named.eq_ignore_ascii_case(id));
            gone.failures.iter().any(|failure| names(&failure.error))
        };
        assert!(
            kept(&vpc) && kept(network.id.as_str()),
            "{:#?}",
            gone.failures
        );
        assert_eq!(ids_of_kind(&sim, "vpc"), [vpc]);
        assert_eq!(ids_of_kind(&sim, "virtualNetworks").len(), 1);
    });
}

fn one_of_kind(sim: &Sim, kind: &str) -> String {
    let [one] = ids_of_kind(sim, kind).try_into().unwrap();
    one
}

#[test]
fn repair_default_route_after_internet_gateway_loss() {
    simulated(|| async {
        let sim = Sim::new(33);
        let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
        core.run(&Run::Apply).await.unwrap();
        let (ec2, ctx) = (ec2(&sim).await, sim.limits().call_context());
        let lost = InternetGatewayId(one_of_kind(&sim, "internet-gateway"));
        let vpc = VpcId(one_of_kind(&sim, "vpc"));
        let before = sim.objects();
        ec2.detach_internet_gateway(&ctx, &lost, &vpc)
            .await
            .unwrap();
        ec2.delete_internet_gateway(&ctx, &lost).await.unwrap();

        core.new_process();
        let shown = core.plans_empty().await.unwrap_err();
        assert!(shown.contains("the plan is not empty"), "{shown}");
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();
        let new = one_of_kind(&sim, "internet-gateway");
        assert_ne!(new, lost.0);
        let tables = ec2
            .describe_route_tables(&ctx, &awsazure::aws::Filter::vpc(&vpc))
            .await
            .unwrap();
        let out: Vec<String> = tables
            .into_iter()
            .filter_map(|table| table.default_route)
            .collect();
        assert_eq!(out, std::slice::from_ref(&new));
        let others = |id: &String| !id.ends_with(&lost.0) && !id.ends_with(&new);
        let rest = |all: Vec<String>| all.into_iter().filter(others).collect::<Vec<_>>();
        assert_eq!(rest(sim.objects()), rest(before), "nothing else is new");
    });
}

/// Another link on the Azure gateway and the VPN gateway of one that is complete.
fn link_on_gateways_of(sim: &Sim, first: &Spec, seen: &Observed) -> Spec {
    let mut spec = sim.spec("second", 3);
    let network = first.azure.network.id().clone();
    spec.link = LinkId::new(&network, *spec.inside_cidrs.get(TunnelKey::ALL[0]));
    spec.azure.network = AzureNetwork::Existing {
        id: network,
        gateway_subnet_prefix: None,
    };
    spec.azure.gateway = AzureGateway::Existing(first.azure.gateway.id().clone());
    spec.azure
        .resource_group
        .clone_from(&first.azure.resource_group);
    spec.azure.create_resource_group = false;
    spec.aws.network = AwsNetwork::FromGateway;
    spec.aws.gateway = AwsGateway::ExistingVgw(seen.aws.gateway.as_ref().unwrap().id.clone());
    spec
}

fn propagating(sim: &Sim) -> usize {
    let tables = listing(sim)
        .into_values()
        .filter(|object| object["kind"] == "route-table");
    tables
        .filter(|table| table["propagating"].to_string().contains("vgw-"))
        .count()
}

#[test]
fn destroy_keeps_propagation_used_by_other_link() {
    simulated(|| async {
        let sim = Sim::new(34);
        let first = sim.spec("prod", 0);
        let one = sim.converge(&first).await;
        succeeded("the first create", &one).unwrap();
        let second = link_on_gateways_of(&sim, &first, &one.observed);
        let two = sim.converge(&second).await;
        succeeded("the second create", &two).unwrap();
        assert_eq!(propagating(&sim), 2);

        // As if the second link had switched it on.
        let mut what = sim.teardown_spec(&second, &two.observed);
        let rows = managed(&first, &one.observed);
        rows.ids(Kind::AwsRoutePropagation)
            .for_each(|row| what.managed.add(Kind::AwsRoutePropagation, row));
        let search = sim.search_after(&second, &two.observed);
        let gone = teardown(&sim.clouds, &what, &search, &sim.limits(), &|_| {}).await;
        succeeded("the second destroy", &gone).unwrap();
        assert_eq!(
            propagating(&sim),
            2,
            "the first link's routes stay in the tables"
        );
        let still = sim
            .converge_from(&first, &sim.search_after(&first, &one.observed))
            .await;
        succeeded("the first's look", &still).unwrap();
        assert!(still.done.is_empty(), "{:?}", still.done);

        // The last link's own, although everything else of it stays.
        let mut what = sim.teardown_spec(&first, &still.observed);
        let tunnels = [Kind::AwsVpnConnection, Kind::AwsRoutePropagation];
        what.managed.0.retain(|kind, _| tunnels.contains(kind));
        let search = sim.search_after(&first, &still.observed);
        let gone = teardown(&sim.clouds, &what, &search, &sim.limits(), &|_| {}).await;
        succeeded("the destroy of the first's tunnels", &gone).unwrap();
        assert_eq!(propagating(&sim), 0);
    });
}

/// Takes every tag off every object: as if they had been created manually.
async fn by_hand(sim: &Sim) {
    let (ec2, ctx) = (ec2(sim).await, sim.limits());
    for (_, object) in listing(sim) {
        let (id, tags) = (object["id"].as_str().unwrap(), object["tags"].as_object());
        let keys: Vec<String> = tags
            .into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect();
        let [kind, azure] = [object["kind"].as_str().unwrap(), id];
        if keys.is_empty() {
            continue;
        }
        match ResourceId::parse(azure) {
            Ok(id) if kind != "resourceGroups" => {
                sim.clouds
                    .azure
                    .set_tags(&id, &Tags::new(), &ctx.call_context())
                    .await
                    .unwrap();
            }
            _ if id.starts_with('/') => {
                let name = id.rsplit('/').next().unwrap();
                sim.clouds
                    .azure
                    .set_group_tags(name, &Tags::new(), &ctx.call_context())
                    .await
                    .unwrap();
            }
            _ => ec2
                .delete_tags(&ctx.call_context(), &[id.to_owned()], &keys)
                .await
                .unwrap(),
        }
    }
    let marked = |all: &Listing| {
        all.values()
            .any(|object| object["tags"].get(TAG_NAME).is_some())
    };
    assert!(!marked(&listing(sim)), "{:#?}", listing(sim));
}

/// A claimed Azure gateway that is lost together with a public IP is recreated with a new customer
/// gateway.
#[test]
fn recreate_claimed_gateway_and_customer_gateway() {
    simulated(|| async {
        let sim = Sim::new(35);
        let spec = sim.spec("prod", 0);
        let made = sim.converge(&spec).await;
        succeeded("the making by hand", &made).unwrap();
        assert!(describe_drift(&spec, &made.observed).is_empty());
        by_hand(&sim).await;

        let (azure, aws) = (&made.observed.azure, &made.observed.aws);
        let gateway = spec.azure.gateway.id();
        let vgw = aws.gateway.as_ref().unwrap().id.clone();
        let vpc = aws.vpc.as_ref().unwrap().id.clone();
        let minimal = json!({
            "name": gateway.name(),
            "azure": {"resource_group_name": "prod-rg", "virtual_network_id": spec.azure.network.id().as_str()},
            "aws": {"vpc_id": vpc.0},
            "manage_gateways": true,
        });
        let mut core = TerraformCore::new(&sim, config(&minimal), Stored::default());
        core.run(&Run::Import(format!("{gateway},{vgw}")))
            .await
            .unwrap();
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();

        // A user deletes the gateway, and one of its two addresses.
        let ctx = sim.limits().call_context();
        for (_, connection) in azure.connections.iter() {
            let id = &connection.as_ref().unwrap().resource.id;
            sim.clouds
                .azure
                .delete_connection(id, gateway, &ctx)
                .await
                .unwrap();
        }
        sim.clouds
            .azure
            .delete_gateway(gateway, &ctx)
            .await
            .unwrap();
        let lost = &azure
            .public_ips
            .get(Instance::One)
            .as_ref()
            .unwrap()
            .resource
            .id;
        sim.clouds.azure.delete_public_ip(lost, &ctx).await.unwrap();
        core.new_process();
        let mark = sim.sandbox.calls().len();
        core.run(&Run::Apply).await.unwrap();
        core.plans_empty().await.unwrap();
        leak_checker::tunnels_up(&sim).unwrap();
        let customers = ids_of_kind(&sim, "customer-gateway");
        let was = |instance| {
            aws.customer_gateways
                .get(instance)
                .as_ref()
                .unwrap()
                .id
                .0
                .clone()
        };
        assert!(
            customers.contains(&was(Instance::Zero)) && !customers.contains(&was(Instance::One)),
            "{customers:?}"
        );
        let made = writes(&sim, mark);
        let count = |operation: &str| made.iter().filter(|one| *one == operation).count();
        assert_eq!(
            [
                "CreateCustomerGateway",
                "CreateVpnConnection",
                "PutPublicIp",
                "PutGateway"
            ]
            .map(count),
            [1; 4]
        );

        // The gateway is the link's own by now; the networks are not.
        core.new_process();
        core.run(&Run::Destroy).await.unwrap();
        for gone in [
            "virtualNetworkGateways",
            "publicIPAddresses",
            "vpn-gateway",
            "vpn-connection",
            "customer-gateway",
        ] {
            assert!(ids_of_kind(&sim, gone).is_empty(), "{gone}");
        }
        assert_eq!(
            ids_of_kind(&sim, "virtualNetworks").len() + ids_of_kind(&sim, "vpc").len(),
            2
        );
    });
}

#[test]
fn destroy_does_not_wait_for_group_in_use() {
    simulated(|| async {
        let sim = Sim::new(36);
        let spec = sim.spec("prod", 0);
        let made = sim.converge(&spec).await;
        succeeded("create", &made).unwrap();
        let mut what = sim.teardown_spec(&spec, &made.observed);
        what.managed.0.retain(|kind, _| {
            ![
                Kind::AzureGateway,
                Kind::AzurePublicIp,
                Kind::AzureVirtualNetwork,
            ]
            .contains(kind)
        });
        let search = sim.search_after(&spec, &made.observed);
        let gone = teardown(&sim.clouds, &what, &search, &sim.limits(), &|_| {}).await;
        let error = only_error(&gone);
        assert!(matches!(error, ActionError::Blocked { .. }), "{error}");
        let group = format!("/resourcegroups/{}/resources", spec.azure.resource_group);
        let calls = sim.sandbox.calls();
        let looks = calls
            .iter()
            .filter(|call| call.operation == "ListResources" && call.target.contains(&group))
            .count();
        assert_eq!(looks, 1, "it does not go by waiting");
        assert_eq!(
            ids_of_kind(&sim, "virtualNetworkGateways").len()
                + ids_of_kind(&sim, "connections").len(),
            5
        );
    });
}
