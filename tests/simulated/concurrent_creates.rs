//! Two runs create the same link: the second detects whether the first is still running, and continues
//! its work only if it is not.

use super::concurrent_changes::{ec2, writes};
use awsazure::aws::IdempotencyKey;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::{
    local_gateway::NewLocalGateway, network::NewVirtualNetwork, public_ip::NewPublicIp,
};
use awsazure::reconcile::{ActionError, ReconcileOutcome, converge};
use bgp_vpn::conflict::Conflict;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{TAG_AWS_ENDPOINT, TAG_HEARTBEAT, TAG_INCOMPLETE, role};
use bgp_vpn::spec::{AzureNetwork, Spec};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::{Asn, Tags};
use futures::future::join_all;
use std::time::Duration;
use test_support::simulated::clock::simulated;
use test_support::simulated::verify::{ids_of_kind, only_error, succeeded, tunnels_agree};
use test_support::simulated::{REGION, Sim, leak_checker};

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
async fn build_half(sim: &Sim, spec: &Spec) {
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
        .create_virtual_network(id, &new, &|_| true, &sim.limits().call_context())
        .await
        .unwrap();
}

/// Another run continues the link: something new of it at Azure, where it shows at once, every ten
/// seconds.
async fn other_run_builds(sim: &Sim, spec: &Spec) {
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
            .create_public_ip(&id, &new, &|_| true, &limits.call_context())
            .await
            .unwrap();
        let mut tags = spec.link.tags(instance);
        tags.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
        let (ip, device) = (
            made.address.unwrap(),
            format!("awsazure-{}-{instance}", spec.link),
        );
        ec2.create_customer_gateway(&limits.call_context(), ip, Asn(65_000), &device, &tags)
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
            .create_local_gateway(&id, &new, &|_| true, &limits.call_context())
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
        build_half(&sim, &spec).await;
        let before = sim.sandbox.calls().len();
        let (second, ()) = tokio::join!(second_create(&sim, &spec), other_run_builds(&sim, &spec));
        let error = only_error(&second);
        assert!(
            matches!(error, ActionError::ConcurrentApply { .. }),
            "{error}"
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
            let error = only_error(&other);
            assert!(error.to_string().contains("cgw-"), "{error}");
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
        build_half(&sim, &spec).await;
        other_run_builds(&sim, &spec).await;
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
                &limits.call_context(),
                "10.2.0.0/16".parse().unwrap(),
                &own,
                IdempotencyKey::new(&own),
            )
            .await
            .unwrap();
        };
        let (second, ()) = tokio::join!(second_create(&sim, &spec), shows);
        succeeded("the second create", &second).unwrap();
        assert_eq!(ids_of_kind(&sim, "vpc").len(), 1);
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
                    &limits.call_context(),
                    cidr.parse().unwrap(),
                    &tags,
                    IdempotencyKey::new(&tags),
                )
                .await
                .unwrap();
            ec2.wait_vpc_available(&limits.call_context(), &theirs.id)
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
            assert_eq!(ids_of_kind(&sim, "vpc").contains(&theirs.id.0), !adopts);
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
                &limits.call_context(),
                "10.9.0.0/16".parse().unwrap(),
                &tags,
                IdempotencyKey::new(&tags),
            )
            .await
            .unwrap();
        let before = sim.objects();
        let ended = sim.converge(&spec).await;
        let error = only_error(&ended);
        assert!(
            matches!(error, ActionError::Conflict(Conflict::IncompleteLink { objects, .. }) if objects.contains(&theirs.id.0)),
            "{error}"
        );
        assert!(ended.done.is_empty() && ended.observed == Observed::default());
        assert_eq!(sim.objects(), before);
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
            assert_eq!(known, ids_of_kind(&sim, "vpc"), "seed {seed}");
        });
    }
}
