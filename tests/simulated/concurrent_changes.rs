//! What others do to a link and next to it: they build it at the same time, take away what it
//! stands on, hang links of their own on its gateways.

use awsazure::aws::model::{InternetGatewayId, Region, VpcId};
use awsazure::aws::{Ec2, IdempotencyKey};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::{
    local_gateway::NewLocalGateway, network::NewVirtualNetwork, public_ip::NewPublicIp,
};
use awsazure::reconcile::{ActionError, ReconcileOutcome, converge, teardown};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::role;
use bgp_vpn::ownership_tags::{
    LinkId, TAG_AWS_ENDPOINT, TAG_HEARTBEAT, TAG_INCOMPLETE, TAG_LINK, TAG_NAME,
};
use bgp_vpn::plan::describe_drift;
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::{Asn, Tags};
use futures::future::join_all;
use serde_json::json;
use std::time::Duration;
use terraform_plugin::Value;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use test_support::simulated::verify::{Listing, listing, managed, succeeded, tunnels_agree};
use test_support::simulated::{REGION, Sim, leak_checker};

async fn ec2(sim: &Sim) -> Ec2 {
    sim.process()
        .aws
        .region(&sim.limits().aws(), Some(&Region(REGION.to_owned())))
        .await
        .unwrap()
}

/// Writes from the n-th call on, each operation as often as it was asked.
fn writes(sim: &Sim, from: usize) -> Vec<String> {
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

/// A second create of the same link, as another process begins it.
async fn second_create(sim: &Sim, spec: &Spec) -> ReconcileOutcome {
    converge(
        &sim.process(),
        spec,
        &sim.search(spec),
        &sim.limits(),
        &|_| {},
    )
    .await
}

/// A create that came no further than the networks and the VPN gateway.
async fn half_built(sim: &Sim, spec: &Spec) {
    sim.sandbox.world().faults.add(
        "fail call 1 of PutPublicIp: forever refused"
            .parse()
            .unwrap(),
    );
    assert!(!sim.converge(spec).await.failures.is_empty());
    sim.sandbox.world().faults.clear();
    let AzureNetwork::Create {
        id,
        address_space,
        gateway_subnet_prefix,
        subnets,
    } = &spec.azure.network
    else {
        unreachable!()
    };
    let gateway_subnet = ("GatewaySubnet".to_owned(), *gateway_subnet_prefix);
    let others = subnets.iter().map(|(name, prefix)| (name.clone(), *prefix));
    let new = NewVirtualNetwork {
        location: spec.azure.location.clone(),
        address_space: address_space.clone(),
        subnets: std::iter::once(gateway_subnet).chain(others).collect(),
        tags: spec.link.tags(role::VIRTUAL_NETWORK),
    };
    sim.clouds
        .azure
        .create_virtual_network(id, &new, &|_| true, &sim.limits().azure())
        .await
        .unwrap();
}

/// Another run continues the link: something new of it at Azure, where it shows at once, every ten
/// seconds.
async fn somebody_builds(sim: &Sim, spec: &Spec) {
    let (azure, ec2, limits) = (sim.process().azure, ec2(sim).await, sim.limits());
    let turn = |n: usize| tokio::time::sleep(Duration::from_millis(5_000 + 10_300 * n as u64));
    let id = |kind: &str, name: &str| {
        ResourceId::network(&sim.subscription(), &spec.azure.resource_group, kind, name)
    };
    let address = async |instance: Instance| {
        turn(instance.index()).await;
        let id = id(
            "publicIPAddresses",
            spec.azure.names.public_ips.get(instance),
        );
        let (location, zones) = (
            spec.azure.location.clone(),
            ["1", "2", "3"].map(str::to_owned).to_vec(),
        );
        let new = NewPublicIp {
            location,
            zones,
            tags: spec.link.tags(instance),
        };
        let made = azure
            .create_public_ip(&id, &new, &|_| true, &limits.azure())
            .await
            .unwrap();
        let mut tags = spec.link.tags(instance);
        tags.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
        let (ip, device) = (
            made.address.unwrap(),
            format!("awsazure-{}-{instance}", spec.link),
        );
        ec2.create_customer_gateway(&limits.aws(), ip, Asn(65_000), &device, &tags)
            .await
            .unwrap();
    };
    let end = async |n: usize, key: TunnelKey| {
        turn(Instance::ALL.len() + n).await;
        let new = NewLocalGateway {
            location: spec.azure.location.clone(),
            gateway_ip: [198, 51, 100, key.number].into(),
            asn: Asn(64_512),
            bgp_ip: spec.inside_cidrs.get(key).aws_ip(),
            tags: spec.link.tags(key),
        };
        let id = id(
            "localNetworkGateways",
            spec.azure.names.local_gateways.get(key),
        );
        azure
            .create_local_gateway(&id, &new, &|_| true, &limits.azure())
            .await
            .unwrap();
    };
    let ends = join_all(
        TunnelKey::ALL
            .into_iter()
            .enumerate()
            .map(|(n, key)| end(n, key)),
    );
    tokio::join!(join_all(Instance::ALL.map(address)), ends);
}

#[test]
fn keep_incomplete_link_of_live_run() {
    simulated(|| async {
        let sim = Sim::new(31);
        let spec = sim.spec("prod", 0);
        half_built(&sim, &spec).await;
        let before = sim.sandbox.calls().len();
        let (second, ()) = tokio::join!(second_create(&sim, &spec), somebody_builds(&sim, &spec));
        let [failure] = second.failures.as_slice() else {
            panic!("{:#?}", second.failures)
        };
        assert!(
            matches!(failure.error, ActionError::ConcurrentApply { .. }),
            "{}",
            failure.error
        );
        assert!(second.done.is_empty() && second.observed == Observed::default());
        let theirs = [
            ["CreateCustomerGateway"; 2].as_slice(),
            &["PutLocalGateway"; 4],
            &["PutPublicIp"; 2],
        ]
        .concat();
        assert_eq!(
            writes(&sim, before),
            theirs,
            "nothing of it was changed by the second"
        );
    });
}

#[test]
fn detect_live_run_waiting_for_gateway() {
    simulated(|| async {
        let sim = Sim::new(33);
        let spec = sim.spec("prod", 0);
        let later = async |minutes: u64| {
            tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
            second_create(&sim, &spec).await
        };
        let (first, second, third) = tokio::join!(sim.converge(&spec), later(10), later(20));
        for other in [second, third] {
            let [failure] = other.failures.as_slice() else {
                panic!("{:#?}", other.failures)
            };
            assert!(
                failure.error.to_string().contains("cgw-"),
                "{}",
                failure.error
            );
            assert!(other.done.is_empty());
        }
        succeeded("the first create", &first).unwrap();
        assert!(first.heartbeat_error.is_none());
        let tagged: Vec<String> = sim
            .sandbox
            .world()
            .aws
            .objects()
            .iter()
            .map(|row| row["tags"].to_string())
            .collect();
        assert!(
            tagged
                .iter()
                .all(|tags| !tags.contains(TAG_HEARTBEAT) && !tags.contains(TAG_INCOMPLETE)),
            "{tagged:#?}"
        );
    });
}

#[test]
fn detect_dead_run_waiting_for_gateway() {
    simulated(|| async {
        let sim = Sim::new(34);
        let spec = sim.spec("prod", 0);
        let died = tokio::time::timeout(Duration::from_secs(600), sim.converge(&spec)).await;
        assert!(died.is_err());
        let second = second_create(&sim, &spec).await;
        succeeded("the second create", &second).unwrap();
        assert!(second.resumed);
        leak_checker::no_duplicates(&sim).unwrap();
    });
}

#[test]
fn create_without_tag_permission_warns() {
    simulated(|| async {
        let sim = Sim::new(35);
        let spec = sim.spec("prod", 0);
        sim.sandbox.world().faults.add(
            "fail call 1 of aws CreateTags: forever 403"
                .parse()
                .unwrap(),
        );
        let made = sim.converge(&spec).await;
        succeeded("the create", &made).unwrap();
        assert!(
            made.heartbeat_error
                .is_some_and(|cause| cause.to_string().contains("CreateTags"))
        );
    });
}

#[test]
fn take_over_abandoned_incomplete_link() {
    simulated(|| async {
        let sim = Sim::new(32);
        let spec = sim.spec("prod", 0);
        half_built(&sim, &spec).await;
        somebody_builds(&sim, &spec).await;
        let second = second_create(&sim, &spec).await;
        succeeded("the second create", &second).unwrap();
        assert!(second.resumed);
        tunnels_agree(&sim, &second.observed).unwrap();
        leak_checker::no_duplicates(&sim).unwrap();
    });
}

/// An object that EC2 lists only while an incomplete link is watched is not created again.
#[test]
fn adopt_object_that_appears_during_watch() {
    simulated(|| async {
        let sim = Sim::new(35);
        let spec = sim.spec("prod", 0);
        sim.sandbox
            .world()
            .faults
            .add("fail call 1 of CreateVpc: forever refused".parse().unwrap());
        assert!(!sim.converge(&spec).await.failures.is_empty());
        sim.sandbox.world().faults.clear();
        let (ec2, limits, mut own) = (ec2(&sim).await, sim.limits(), spec.link.tags(role::VPC));
        own.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
        let shows = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            ec2.create_vpc(
                &limits.aws(),
                "10.2.0.0/16".parse().unwrap(),
                &own,
                IdempotencyKey::new(&own),
            )
            .await
            .unwrap();
        };
        let (second, ()) = tokio::join!(second_create(&sim, &spec), shows);
        succeeded("the second create", &second).unwrap();
        assert_eq!(of_kind(&sim, "vpc").len(), 1);
    });
}

/// Tags of a VPC that looks like this link's, but for what is left out or changed.
fn vpc_tags(spec: &Spec, unfinished: bool, endpoint: Option<&str>) -> Tags {
    let mut tags = spec.link.tags(role::VPC);
    if unfinished {
        tags.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
    }
    tags.extend(endpoint.map(|endpoint| (TAG_AWS_ENDPOINT.to_owned(), endpoint.to_owned())));
    tags
}

#[test]
fn adopt_vpc_only_with_tags_and_properties() {
    let own = format!("{REGION} new-vpc 10.2.0.0/16");
    let own = own.as_str();
    for (unfinished, endpoint, cidr, adopts) in [
        (true, Some(own), "10.2.0.0/16", true),
        (false, Some(own), "10.2.0.0/16", false),
        (true, Some(own), "10.77.0.0/16", false),
    ] {
        simulated(|| async {
            let sim = Sim::new(36);
            let spec = sim.spec("prod", 0);
            let (ec2, limits, tags) = (
                ec2(&sim).await,
                sim.limits(),
                vpc_tags(&spec, unfinished, endpoint),
            );
            let theirs = ec2
                .create_vpc(
                    &limits.aws(),
                    cidr.parse().unwrap(),
                    &tags,
                    IdempotencyKey::new(&tags),
                )
                .await
                .unwrap();
            ec2.wait_vpc_available(&limits.aws(), &theirs.id)
                .await
                .unwrap();
            let made = sim.converge(&spec).await;
            succeeded("the create", &made).unwrap();
            assert_eq!(
                made.observed
                    .aws
                    .vpc
                    .as_ref()
                    .map(|vpc| vpc.id == theirs.id),
                Some(adopts),
                "{cidr}"
            );
            assert_eq!(made.adopted.contains(&theirs.id.0), adopts);
            let gone = sim.demolish(&spec, &made.observed).await;
            succeeded("the destroy", &gone).unwrap();
            assert_eq!(of_kind(&sim, "vpc").contains(&theirs.id.0), !adopts);
        });
    }
}

#[test]
fn create_makes_nothing_next_to_incomplete_link_in_other_vpc() {
    simulated(|| async {
        let sim = Sim::new(37);
        let spec = sim.spec("prod", 0);
        let (ec2, limits) = (ec2(&sim).await, sim.limits());
        let tags = vpc_tags(&spec, true, Some(&format!("{REGION} new-vpc 10.9.0.0/16")));
        let theirs = ec2
            .create_vpc(
                &limits.aws(),
                "10.9.0.0/16".parse().unwrap(),
                &tags,
                IdempotencyKey::new(&tags),
            )
            .await
            .unwrap();
        let before = sim.objects();
        let ended = sim.converge(&spec).await;
        let [failure] = ended.failures.as_slice() else {
            panic!("{:#?}", ended.failures)
        };
        assert!(
            matches!(&failure.error, ActionError::IncompleteCreate { found, .. } if found.contains(&theirs.id.0)),
            "{}",
            failure.error
        );
        assert!(ended.done.is_empty() && ended.observed == Observed::default());
        assert_eq!(sim.objects(), before);
    });
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
            &limits.aws(),
            std::slice::from_ref(&vpc),
            &[TAG_LINK.to_owned()],
        )
        .await
        .unwrap();
        let network = &made.observed.azure.network.as_ref().unwrap().resource;
        sim.clouds
            .azure
            .set_tags(&network.id, &Tags::new(), &limits.azure())
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
        assert_eq!(of_kind(&sim, "vpc"), [vpc]);
        assert_eq!(of_kind(&sim, "virtualNetworks").len(), 1);
    });
}

#[test]
fn interrupted_run_records_object_just_created() {
    for seed in 0..16 {
        simulated(|| async {
            let sim = Sim::new(seed);
            let spec = sim.spec("prod", 0);
            sim.sandbox.world().faults.add(
                "fail call 1 of PutResourceGroup: forever refused"
                    .parse()
                    .unwrap(),
            );
            let ended = sim.converge(&spec).await;
            assert!(!ended.failures.is_empty());
            let known: Vec<String> = ended
                .observed
                .aws
                .vpc
                .iter()
                .map(|vpc| vpc.id.to_string())
                .collect();
            assert_eq!(known, of_kind(&sim, "vpc"), "seed {seed}");
        });
    }
}

/// A configuration of a link with networks of its own.
fn whole_link() -> Value {
    config(&json!({
        "name": "prod",
        "azure": {
            "resource_group_name": "prod-rg",
            "create_resource_group": true,
            "location": "westeurope",
            "virtual_network": {
                "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.1.0/24",
                "subnets": {"frontend": "10.1.0.0/24"},
            },
        },
        "aws": {"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}},
    }))
}

fn of_kind(sim: &Sim, kind: &str) -> Vec<String> {
    let all = listing(sim);
    all.values()
        .filter(|object| object["kind"] == kind)
        .map(|o| o["id"].as_str().unwrap().to_owned())
        .collect()
}

fn one_of_kind(sim: &Sim, kind: &str) -> String {
    let [one] = of_kind(sim, kind).try_into().unwrap();
    one
}

#[test]
fn repair_default_route_after_internet_gateway_loss() {
    simulated(|| async {
        let sim = Sim::new(33);
        let mut core = TerraformCore::new(&sim, whole_link(), Stored::default());
        core.run(&Run::Apply).await.unwrap();
        let (ec2, ctx) = (ec2(&sim).await, sim.limits().aws());
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
fn beside(sim: &Sim, first: &Spec, seen: &Observed) -> Spec {
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
        let second = beside(&sim, &first, &one.observed);
        let two = sim.converge(&second).await;
        succeeded("the second create", &two).unwrap();
        assert_eq!(propagating(&sim), 2);

        // As if the second link had switched it on.
        let mut what = sim.demolition(&second, &two.observed);
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
        let mut what = sim.demolition(&first, &still.observed);
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
                    .set_tags(&id, &Tags::new(), &ctx.azure())
                    .await
                    .unwrap();
            }
            _ if id.starts_with('/') => {
                let name = id.rsplit('/').next().unwrap();
                sim.clouds
                    .azure
                    .set_group_tags(name, &Tags::new(), &ctx.azure())
                    .await
                    .unwrap();
            }
            _ => ec2
                .delete_tags(&ctx.aws(), &[id.to_owned()], &keys)
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
        let ctx = sim.limits().azure();
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
        let customers = of_kind(&sim, "customer-gateway");
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
            assert!(of_kind(&sim, gone).is_empty(), "{gone}");
        }
        assert_eq!(
            of_kind(&sim, "virtualNetworks").len() + of_kind(&sim, "vpc").len(),
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
        let mut what = sim.demolition(&spec, &made.observed);
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
        let [failure] = gone.failures.as_slice() else {
            panic!("{:#?}", gone.failures)
        };
        assert!(
            matches!(failure.error, ActionError::Blocked { .. }),
            "{}",
            failure.error
        );
        let group = format!("/resourcegroups/{}/resources", spec.azure.resource_group);
        let calls = sim.sandbox.calls();
        let looks = calls
            .iter()
            .filter(|call| call.operation == "ListResources" && call.target.contains(&group))
            .count();
        assert_eq!(looks, 1, "it does not go by waiting");
        assert_eq!(
            of_kind(&sim, "virtualNetworkGateways").len() + of_kind(&sim, "connections").len(),
            5
        );
    });
}
