//! A plan announces what its apply deletes: those ids and no others. Under virtual time, and with
//! real Terraform.

use awsazure::provider::summaries::OBJECTS_DELETED;
use bgp_vpn::managed::Kind;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use test_support::simulated::Sim;
use test_support::simulated::clock::simulated;
use test_support::simulated::terraform_core::{
    Replacement, Run, Stored, TerraformCore, complete_link, config,
};
use test_support::simulated::verify::listing;
use test_support::terraform::{Link, TestEnv, has_warning};

/// Ids in the announcements of one run, in lower case.
fn announced(messages: &[String]) -> BTreeSet<String> {
    let texts: Vec<&String> = messages
        .iter()
        .filter(|said| said.starts_with(&format!("plan: {OBJECTS_DELETED}")))
        .collect();
    assert!(texts.len() <= 1, "announced more than once: {texts:#?}");
    let lines = texts.into_iter().flat_map(|text| text.lines());
    let of_kind = |line: &str| {
        let (kind, ids) = line.split_once(": ")?;
        Kind::ALL
            .iter()
            .any(|known| known.as_str() == kind)
            .then(|| ids.to_lowercase())
    };
    let ids = lines
        .filter_map(of_kind)
        .flat_map(|ids| ids.split(", ").map(str::to_owned).collect::<Vec<_>>());
    // A group is announced by its name or id; the clouds list it by id.
    ids.map(|id| {
        if id.contains(['/', '-']) || id.contains("vpc") {
            id
        } else {
            format!("group {id}")
        }
    })
    .collect()
}

/// What marks an object of its own: a recreated one has the same id at Azure.
fn stamps(sim: &Sim) -> BTreeSet<String> {
    let deletes = sim
        .sandbox
        .calls()
        .into_iter()
        .filter(|call| call.operation.starts_with("Delete"));
    let objects = deletes
        .filter(|call| !call.operation.contains("Tags") && !call.operation.contains("Route"));
    objects.map(|call| call.target.to_lowercase()).collect()
}

/// An edit of the configuration.
type Change = fn(&mut Value);

async fn changed(change: Change) -> (Sim, BTreeSet<String>, BTreeSet<String>, Vec<String>) {
    let sim = Sim::new(81);
    let mut wanted = complete_link();
    let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
    core.replacement = Replacement::DestroyFirst;
    core.run(&Run::Apply).await.unwrap();
    let before = (
        stamps(&sim),
        listing(&sim).into_keys().collect::<BTreeSet<_>>(),
    );
    change(&mut wanted);
    core.config = config(&wanted);
    core.messages.clear();
    core.new_process();
    core.run(&Run::Apply).await.unwrap();
    let announced = announced(&core.messages);
    let deleted: BTreeSet<String> = stamps(&sim).difference(&before.0).cloned().collect();
    let messages = core.messages.clone();
    (sim, announced, deleted, messages)
}

/// Announced and deleted are the same, route tables and what is deleted by the table left out of
/// both.
fn same(name: &str, announced: &BTreeSet<String>, deleted: &BTreeSet<String>) {
    let strip = |ids: &BTreeSet<String>| {
        let plain = ids.iter().filter(|id| !id.starts_with("rtb-"));
        plain
            .map(|id| id.rsplit('/').next().unwrap_or_default().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(strip(announced), strip(deleted), "{name}");
}

#[test]
fn announce_objects_that_update_deletes() {
    simulated(|| async {
        let cases: [(&str, Change); 5] = [
            ("region", |wanted| {
                wanted["aws"]["region"] = json!("us-east-1")
            }),
            ("cidr_block", |wanted| {
                wanted["aws"]["vpc"] = json!({"cidr_block": "10.3.0.0/16"})
            }),
            ("aws.asn", |wanted| wanted["aws"]["asn"] = json!(64_600)),
            ("azure.asn", |wanted| wanted["azure"]["asn"] = json!(64_700)),
            ("subnets", |wanted| {
                wanted["azure"]["virtual_network"]["subnets"] = json!({"front": "10.1.0.0/24"});
            }),
        ];
        for (name, change) in cases {
            let (_, announced, deleted, _) = changed(change).await;
            // The name alone identifies no object: the apply completes the link and renames it.
            assert_eq!(deleted.is_empty(), name == "name", "{name}");
            same(name, &announced, &deleted);
        }
        let (_, announced, deleted, messages) =
            changed(|wanted| wanted["tags"] = json!({"team": "network"})).await;
        assert_eq!((announced.len(), deleted.len()), (0, 0), "{messages:#?}");
    });
}

#[test]
fn announce_objects_that_destroy_and_replacement_delete() {
    simulated(|| async {
        let (_, said, deleted, _) =
            changed(|wanted| wanted["azure"]["location"] = json!("northeurope")).await;
        same("location", &said, &deleted);

        let sim = Sim::new(82);
        let mut core = TerraformCore::new(&sim, config(&complete_link()), Stored::default());
        core.run(&Run::Apply).await.unwrap();
        core.messages.clear();
        core.new_process();
        core.run(&Run::Destroy).await.unwrap();
        same("destroy", &announced(&core.messages), &stamps(&sim));
    });
}

/// A user corrects a setting that identifies the link after its create failed.
#[test]
fn announce_objects_of_failed_create_of_former_name() {
    simulated(|| async {
        let cases: [(&str, Change); 3] = [
            ("resource group", |wanted| {
                wanted["azure"]["resource_group_name"] = json!("other-rg");
            }),
            ("name", |wanted| wanted["name"] = json!("other")),
            ("name and slot", |wanted| {
                wanted["name"] = json!("other");
                wanted["slot"] = json!(5);
            }),
        ];
        for (name, change) in cases {
            let sim = Sim::new(83);
            let mut wanted = complete_link();
            let mut core = TerraformCore::new(&sim, config(&wanted), Stored::default());
            let fault = "fail call 2 of azure PutConnection: forever refused";
            sim.sandbox.world().faults.add(fault.parse().unwrap());
            core.run(&Run::Apply).await.unwrap_err();
            assert!(core.stored.tainted, "{name}");
            sim.sandbox.world().faults.clear();
            let before = stamps(&sim);
            change(&mut wanted);
            core.config = config(&wanted);
            core.messages.clear();
            core.new_process();
            core.run(&Run::Apply).await.unwrap();
            let deleted: BTreeSet<String> = stamps(&sim).difference(&before).cloned().collect();
            // The name alone identifies no object: the apply completes the link and renames it.
            assert_eq!(deleted.is_empty(), name == "name", "{name}");
            same(name, &announced(&core.messages), &deleted);
        }
    });
}

#[test]
fn announce_destroy_and_replacement_in_terraform() {
    let Some(env) = TestEnv::new() else { return };
    let link = Link::complete("link");
    env.write(&link.to_string());
    env.apply();
    let state = env.link("link");
    let ids: Vec<String> = [
        &state["azure"]["gateway_id"],
        &state["azure"]["virtual_network_id"],
        &state["aws"]["vpc_id"],
    ]
    .into_iter()
    .map(|id| id.as_str().unwrap().to_owned())
    .collect();
    for args in [
        &["plan", "-destroy", "-no-color"][..],
        &["plan", "-no-color"],
    ] {
        let run = env.ok(args);
        assert!(has_warning(&run.text(), OBJECTS_DELETED), "{}", run.text());
        let words = run.words();
        for id in &ids {
            // Terraform breaks long lines within an id.
            assert!(
                words.replace(' ', "").contains(id.as_str()),
                "{id} in {words}"
            );
        }
        assert_eq!(
            run.text()
                .matches(&format!("Warning: {OBJECTS_DELETED}"))
                .count(),
            1,
            "{}",
            run.text()
        );
        env.write(
            &link
                .clone()
                .with("azure.location", "\"westeurope\"")
                .to_string(),
        );
    }
}
