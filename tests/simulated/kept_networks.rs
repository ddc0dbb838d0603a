//! A replacement keeps the networks that need not change, with what others have put into them.
//! Under virtual time.

use awsazure::provider::summaries::OBJECTS_DELETED;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::scripted_run::{ScriptedRun, scripted};
use test_support::simulated::terraform_core::{
    Replacement, Run, Stored, TerraformCore, complete_link, config,
};
use test_support::simulated::verify::listing;

/// Ids of what stays, by attribute.
fn ids(core: &TerraformCore<'_>, paths: &[&str]) -> Vec<String> {
    paths
        .iter()
        .map(|path| {
            core.stored
                .state
                .at(&(*path).into())
                .as_str()
                .unwrap_or("none")
                .to_owned()
        })
        .collect()
}

/// Deletes that were asked for, by operation.
fn deletes(sim: &Sim) -> BTreeSet<String> {
    let calls = sim.sandbox.calls().into_iter().map(|call| call.operation);
    calls
        .filter(|operation| operation.starts_with("Delete"))
        .collect()
}

const AWS: [&str; 4] = [
    "aws.vpc_id",
    "aws.vpn_gateway_id",
    "aws.public_subnet_id",
    "aws.main_route_table_id",
];

async fn replaced(
    change: fn(&mut Value),
    seed: u64,
) -> (BTreeSet<String>, bool, bool, Vec<String>) {
    let sim = Sim::new(seed);
    let mut wanted = complete_link();
    let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
    core.replacement = Replacement::DestroyFirst;
    core.run(&Run::Apply).await.unwrap();
    let before = (ids(&core, &AWS), listing(&sim));
    let network = |listing: &test_support::simulated::verify::Listing| {
        listing
            .iter()
            .find(|(id, _)| id.to_lowercase().contains("virtualnetworks/vnet"))
            .map(|(id, _)| id.clone())
    };
    assert!(network(&before.1).is_some());
    let there = deletes(&sim);
    change(&mut wanted);
    core.config = config(&wanted);
    core.messages.clear();
    core.new_process();
    core.run(&Run::Apply).await.unwrap();
    let messages = core.messages.clone();
    for _ in 0..2 {
        core.new_process();
        core.plans_empty().await.unwrap();
    }
    let aws_stays = ids(&core, &AWS) == before.0;
    let deleted: BTreeSet<String> = deletes(&sim).difference(&there).cloned().collect();
    core.new_process();
    core.run(&Run::Destroy).await.unwrap();
    assert_eq!(
        listing(&sim).keys().collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    let network_stays = !deleted
        .iter()
        .any(|operation| operation == "DeleteVirtualNetwork");
    (deleted, aws_stays, network_stays, messages)
}

#[test]
fn keep_both_networks_when_generation_changes() {
    simulated(|| async {
        let change: fn(&mut Value) = |wanted| wanted["azure"]["generation"] = json!("Generation1");
        let (deleted, aws, network, messages) = replaced(change, 91).await;
        assert!(aws && network, "{deleted:?}");
        let announced = messages
            .iter()
            .find(|said| said.contains(OBJECTS_DELETED))
            .unwrap();
        assert!(announced.contains("\n- aws_vpc: vpc-"), "{announced}");
        assert!(!announced.contains("\naws_vpc: "), "{announced}");
    });
}

#[test]
fn keep_virtual_network_when_gateway_subnet_prefix_changes() {
    simulated(|| async {
        let change: fn(&mut Value) = |wanted| {
            wanted["azure"]["virtual_network"]["gateway_subnet_prefix"] = json!("10.1.254.0/27")
        };
        let (deleted, aws, network, _) = replaced(change, 92).await;
        assert!(aws && network, "{deleted:?}");
    });
}

#[test]
fn keep_vpc_when_location_or_group_changes() {
    simulated(|| async {
        let changes: [fn(&mut Value); 3] = [
            |wanted| wanted["azure"]["location"] = json!("northeurope"),
            |wanted| wanted["azure"]["resource_group_name"] = json!("other-rg"),
            |wanted| wanted["azure"]["virtual_network"]["name"] = json!("renamed"),
        ];
        for (seed, change) in (93..).zip(changes) {
            let (deleted, aws, network, _) = replaced(change, seed).await;
            assert!(aws && !network, "{deleted:?}");
        }
    });
}

/// Objects of other teams in both networks of the link.
async fn add_foreign_subnets(run: &ScriptedRun<'_>) -> String {
    let (vpc, network) = (
        run.state("aws.vpc_id"),
        run.state("azure.virtual_network_id"),
    );
    let form = format!(
        "CreateSubnet&VpcId={}&CidrBlock=10.2.9.0/24",
        vpc.as_str().unwrap()
    );
    assert!(run.sim.say_to_ec2(&form).await.contains("subnetId"));
    let path = format!("{}/subnets/theirs", network.as_str().unwrap());
    let body = json!({"properties": {"addressPrefix": "10.1.9.0/24"}});
    assert!(run.sim.say_to_azure("PUT", &path, body).await.0 < 300);
    run.wait(awsazure_sandbox::time::SimDuration::minutes(2))
        .await;
    path
}

#[test]
fn replace_gateway_while_others_use_networks() {
    scripted(async |run| {
        let mut wanted = complete_link();
        run.configure(&wanted);
        run.apply().await;
        let theirs = add_foreign_subnets(run).await;
        wanted["azure"]["generation"] = json!("Generation1");
        run.configure(&wanted);
        run.apply().await;
        assert!(
            listing(run.sim)
                .keys()
                .any(|id| id.eq_ignore_ascii_case(&theirs) || id.contains("subnet-"))
        );
        run.core.new_process();
        assert!(
            run.core.run(&Run::Destroy).await.is_err(),
            "others use what a destroy would delete"
        );
    });
}

#[test]
fn keep_networks_after_failed_create_half() {
    let rules = [
        "fail call 1 of azure PutPublicIp: forever 403",
        "fail call 1 of aws CreateCustomerGateway: forever 403",
        "fail call 3 of aws DescribeVpcs: forever 403",
        "fail call 1 of aws CreateTags: forever 403",
    ];
    for rule in rules {
        scripted(async |run| {
            let mut wanted = complete_link();
            run.configure(&wanted);
            run.apply().await;
            let before = ids(&run.core, &AWS);
            wanted["azure"]["generation"] = json!("Generation1");
            run.configure(&wanted);
            run.apply_fails(Some(rule)).await;
            assert!(
                !run.core.stored.state.is_null(),
                "{rule}: the state still names the networks"
            );
            run.apply().await;
            assert_eq!(ids(&run.core, &AWS), before, "{rule}");
            run.finish().await;
        });
    }
}

#[test]
fn find_kept_networks_after_kill_between_halves() {
    for rule in [
        "fail call 1 of aws CreateTags: once hang-after",
        "fail call 1 of azure PutPublicIp: once hang",
    ] {
        for saved in [true, false] {
            scripted(async |run| {
                let mut wanted = complete_link();
                run.configure(&wanted);
                run.apply().await;
                let before = ids(&run.core, &AWS);
                wanted["azure"]["generation"] = json!("Generation1");
                run.configure(&wanted);
                run.apply_killed(rule, saved).await;
                run.apply().await;
                assert_eq!(ids(&run.core, &AWS), before, "{rule}, state saved: {saved}");
                run.finish().await;
            });
        }
    }
}

#[test]
fn fail_without_changes_under_create_before_destroy() {
    scripted(async |run| {
        let mut wanted = complete_link();
        run.configure(&wanted);
        run.apply().await;
        run.core.replacement = Replacement::CreateFirst;
        wanted["azure"]["generation"] = json!("Generation1");
        run.configure(&wanted);
        run.apply_fails(None).await;
        run.core.replacement = Replacement::DestroyFirst;
        run.apply().await;
        run.finish().await;
    });
}

#[test]
fn create_adopts_what_destroy_without_gateways_kept() {
    simulated(|| async {
        let sim = Sim::new(97);
        let mut wanted = complete_link();
        let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
        core.run(&Run::Apply).await.unwrap();
        wanted["manage_gateways"] = json!(false);
        core.config = config(&wanted);
        core.run(&Run::Apply).await.unwrap();
        let before = ids(&core, &AWS);
        core.new_process();
        core.run(&Run::Destroy).await.unwrap();
        assert!(core.stored.state.is_null());

        wanted.as_object_mut().unwrap().remove("manage_gateways");
        core.config = config(&wanted);
        core.new_process();
        core.run(&Run::Apply).await.unwrap();
        assert_eq!(ids(&core, &AWS), before);
        for _ in 0..2 {
            core.new_process();
            core.plans_empty().await.unwrap();
        }
        core.new_process();
        core.run(&Run::Destroy).await.unwrap();
        assert_eq!(
            listing(&sim).keys().collect::<Vec<_>>(),
            Vec::<&String>::new()
        );
    });
}
