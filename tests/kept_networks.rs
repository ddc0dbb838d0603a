//! A replacement keeps the networks that need not change, with what others have put into them. Under virtual time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod simulated;

use serde_json::{Value, json};
use simulated::Sim;
use simulated::clock::simulated;
use simulated::core::{Core, Replacement, Run, Stored, config};
use simulated::verify::listing;
use std::collections::BTreeSet;

fn link() -> Value {
    json!({
        "name": "prod",
        "azure": {
            "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope", "sku": "VpnGw2AZ",
            "generation": "Generation2",
            "virtual_network": {
                "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.255.0/27",
                "subnets": {"front": "10.1.0.0/24"},
            },
        },
        "aws": {"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}},
    })
}

/// Ids of what stays, by attribute.
fn ids(core: &Core<'_>, paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| core.stored.state.at(&(*path).into()).as_str().unwrap_or("none").to_owned()).collect()
}

/// Deletes that were asked for, by operation.
fn deletes(sim: &Sim) -> BTreeSet<String> {
    let calls = sim.sandbox.calls().into_iter().map(|call| call.operation);
    calls.filter(|operation| operation.starts_with("Delete")).collect()
}

const AWS: [&str; 4] = ["aws.vpc_id", "aws.vpn_gateway_id", "aws.public_subnet_id", "aws.main_route_table_id"];

async fn replaced(change: fn(&mut Value), seed: u64) -> (BTreeSet<String>, bool, bool, Vec<String>) {
    let sim = Sim::new(seed);
    let mut wanted = link();
    let mut core = Core::new(&sim, config(&wanted), Stored::default());
    core.replacement = Replacement::DestroyFirst;
    core.run(&Run::Apply).await.unwrap();
    let before = (ids(&core, &AWS), listing(&sim));
    let network = |listing: &simulated::verify::Listing| {
        listing.iter().find(|(id, _)| id.to_lowercase().contains("virtualnetworks/vnet")).map(|(id, _)| id.clone())
    };
    assert!(network(&before.1).is_some());
    let there = deletes(&sim);
    change(&mut wanted);
    core.config = config(&wanted);
    core.told.clear();
    core.new_process();
    core.run(&Run::Apply).await.unwrap();
    let told = core.told.clone();
    for _ in 0..2 {
        core.new_process();
        core.plans_nothing().await.unwrap();
    }
    let aws_stays = ids(&core, &AWS) == before.0;
    let deleted: BTreeSet<String> = deletes(&sim).difference(&there).cloned().collect();
    core.new_process();
    core.run(&Run::Destroy).await.unwrap();
    assert_eq!(listing(&sim).keys().collect::<Vec<_>>(), Vec::<&String>::new());
    let network_stays = !deleted.iter().any(|operation| operation == "DeleteVirtualNetwork");
    (deleted, aws_stays, network_stays, told)
}

#[test]
fn keep_both_networks_when_the_generation_changes() {
    simulated(|| async {
        let change: fn(&mut Value) = |wanted| wanted["azure"]["generation"] = json!("Generation1");
        let (deleted, aws, network, told) = replaced(change, 91).await;
        assert!(aws && network, "{deleted:?}");
        let announced = told.iter().find(|said| said.contains("Objects will be deleted")).unwrap();
        assert!(announced.contains("\n- aws_vpc: vpc-"), "{announced}");
        assert!(!announced.contains("\naws_vpc: "), "{announced}");
    });
}

#[test]
fn keep_virtual_network_when_gateway_subnet_prefix_changes() {
    simulated(|| async {
        let change: fn(&mut Value) =
            |wanted| wanted["azure"]["virtual_network"]["gateway_subnet_prefix"] = json!("10.1.254.0/27");
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
