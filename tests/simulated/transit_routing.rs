//! Route tables and tags of the attachments of a link on a transit gateway.

use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use test_support::simulated::availability::AvailabilityMonitor;
use test_support::simulated::clock::{in_virtual_time, on_big_stack};
use test_support::simulated::environment::{Environment, GROUP};
use test_support::simulated::fault_sweep::create_foreign;
use test_support::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use test_support::simulated::{REGION, Sim};

const ASSOCIATION: &str = "transit_gateway_association_route_table_id";
const PROPAGATIONS: &str = "transit_gateway_propagation_route_table_ids";

/// An attachment as the simulator has it.
#[derive(Debug, PartialEq, Eq)]
struct Attachment {
    id: String,
    association: Option<String>,
    propagations: BTreeSet<String>,
    tags: BTreeMap<String, String>,
}

/// The living attachments of the link, by its gateway instances.
fn attachments(sim: &Sim) -> [Attachment; 2] {
    sim.sandbox.world().advance(sim.sandbox.now());
    let world = serde_json::to_value(&*sim.sandbox.world()).unwrap();
    let rows = &world["aws"]["regions"][REGION]["transit_attachments"];
    let mut found = BTreeMap::new();
    for row in rows.as_object().unwrap().values() {
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        let tags: BTreeMap<String, String> = serde_json::from_value(row["tags"].clone()).unwrap();
        let Some(part) = tags.get("awsazure:part").cloned() else {
            continue;
        };
        if row["lifecycle"]["state"] == "Available" {
            let association = &row["association"];
            // EC2 shows what is being disabled for some seconds.
            let propagations = row["propagations"].as_object().unwrap().iter();
            let propagations = propagations
                .filter(|(_, one)| one["state"] != "Ending")
                .map(|(table, _)| table.clone())
                .collect();
            let one = Attachment {
                id: text(&row["id"]),
                association: (!association.is_null()).then(|| text(&association["route_table"])),
                propagations,
                tags,
            };
            found.insert(part, one);
        }
    }
    let found: Vec<Attachment> = found.into_values().collect();
    found.try_into().unwrap()
}

fn link(environment: &Environment, settings: &[(&str, Json)]) -> terraform_plugin::Value {
    let mut aws = json!({"transit_gateway_id": environment.transit_gateways[0]});
    for (name, value) in settings {
        aws[name] = value.clone();
    }
    config(&json!({
        "name": "prod",
        "azure": {"resource_group_name": GROUP, "virtual_network_id": environment.networks[0]},
        "aws": aws,
        "tags": {"team": "network"},
    }))
}

/// Runs a test with a link that was created, its tunnels up.
fn with_link<F>(settings: fn(&Environment) -> Vec<(&'static str, Json)>, test: F)
where
    F: AsyncFnOnce(&Environment, &Sim, &mut TerraformCore<'_>) + Send,
{
    on_big_stack(|| {
        let environment = Environment::build();
        in_virtual_time(Box::pin(async {
            let sim = Sim::of(1, environment.world.clone());
            let created = link(&environment, &settings(&environment));
            let mut core = TerraformCore::new(&sim, created, Stored::default());
            core.run(&Run::Apply).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_secs(300)).await;
            core.new_process();
            core.plans_empty().await.unwrap();
            test(&environment, &sim, &mut core).await;
        }));
    });
}

/// A user changes the routing of an attachment.
fn edit(sim: &Sim, action: &str, attachment: &str, table: &str) {
    let form =
        format!("TransitGatewayAttachmentId={attachment}&TransitGatewayRouteTableId={table}");
    create_foreign(&mut sim.sandbox.world(), action, &form, "state");
}

fn drift(core: &TerraformCore<'_>) -> String {
    format!("{:?}", core.stored.state.get("drift"))
}

fn count(sim: &Sim, operation: &str) -> usize {
    let calls = sim.sandbox.calls();
    calls
        .iter()
        .filter(|call| call.operation == operation)
        .count()
}

/// Attachments are associated one at a time. Propagation that the link enabled ends with its table,
/// and that of another user stays.
#[test]
fn create_and_change_route_tables() {
    let settings = |environment: &Environment| {
        let [one, _] = &environment.transit_tables;
        vec![(ASSOCIATION, json!(one)), (PROPAGATIONS, json!([one]))]
    };
    with_link(settings, async |environment, sim, core| {
        let [one, two] = &environment.transit_tables;
        let made = attachments(sim);
        let default = made[0].propagations.iter().find(|table| *table != one);
        let default = default.unwrap().clone();
        for (at, attachment) in made.iter().enumerate() {
            assert_eq!(attachment.association.as_ref(), Some(one));
            let tables = BTreeSet::from([one.clone(), default.clone()]);
            assert_eq!(attachment.propagations, tables);
            assert_eq!(attachment.tags["team"], "network");
            let path = format!("tunnels.instance{at}_tunnel2.aws_transit_gateway_attachment_id");
            let id = core.stored.state.at(&path.as_str().into()).as_str();
            assert_eq!(id, Some(attachment.id.as_str()));
        }

        // Another user enables propagation into the second table for one attachment.
        edit(
            sim,
            "EnableTransitGatewayRouteTablePropagation",
            &made[0].id,
            two,
        );
        let both = json!([one, two]);
        core.config = link(
            environment,
            &[(ASSOCIATION, json!(two)), (PROPAGATIONS, both)],
        );
        let availability = AvailabilityMonitor::over(sim).unwrap();
        core.run(&Run::Apply).await.unwrap();
        availability.check_at_least(4).unwrap();
        assert!(
            core.messages
                .iter()
                .any(|text| text.contains("Routes will be interrupted"))
        );
        core.new_process();
        core.plans_empty().await.unwrap();
        let calls = sim.sandbox.calls();
        let order: Vec<&str> = calls
            .iter()
            .map(|call| call.operation.as_str())
            .filter(|operation| operation.ends_with("ssociateTransitGatewayRouteTable"))
            .collect();
        let change = [
            "DisassociateTransitGatewayRouteTable",
            "AssociateTransitGatewayRouteTable",
        ];
        assert!(order.ends_with(&[change, change].concat()), "{order:?}");
        for attachment in attachments(sim) {
            assert_eq!(attachment.association.as_ref(), Some(two));
            assert_eq!(attachment.propagations.len(), 3);
        }

        core.config = link(environment, &[]);
        core.run(&Run::Apply).await.unwrap();
        core.new_process();
        core.plans_empty().await.unwrap();
        let left = attachments(sim);
        let others = BTreeSet::from([two.clone(), default.clone()]);
        assert_eq!(left[0].propagations, others);
        assert_eq!(left[1].propagations, BTreeSet::from([default]));
        assert!(left.iter().all(|one| one.association.as_ref() == Some(two)));
        let recorded = |one: &Attachment| one.tags.keys().any(|key| key.contains("propagates"));
        assert!(!left.iter().any(recorded));
        core.run(&Run::Destroy).await.unwrap();
    });
}

#[test]
fn repair_edited_route_tables_and_tags() {
    let settings = |environment: &Environment| {
        let [one, two] = &environment.transit_tables;
        vec![(ASSOCIATION, json!(one)), (PROPAGATIONS, json!([two]))]
    };
    with_link(settings, async |environment, sim, core| {
        let [one, two] = &environment.transit_tables;
        let made = attachments(sim);
        edit(
            sim,
            "DisassociateTransitGatewayRouteTable",
            &made[0].id,
            one,
        );
        edit(sim, "AssociateTransitGatewayRouteTable", &made[0].id, two);
        edit(
            sim,
            "DisassociateTransitGatewayRouteTable",
            &made[1].id,
            one,
        );
        edit(
            sim,
            "DisableTransitGatewayRouteTablePropagation",
            &made[1].id,
            two,
        );
        let form = format!("ResourceId.1={}&Tag.1.Key=team", made[1].id);
        create_foreign(&mut sim.sandbox.world(), "DeleteTags", &form, "return");

        core.run(&Run::Refresh).await.unwrap();
        let shown = drift(core);
        for text in [
            format!("{}: it is associated with {two}, not {one}", made[0].id),
            format!("{}: it is not associated with {one}", made[1].id),
            format!(
                "{}: it does not propagate its routes into {two}",
                made[1].id
            ),
            format!("{}: tag \\\"team\\\" is missing", made[1].id),
        ] {
            assert!(shown.contains(&text), "{text}: {shown}");
        }
        core.run(&Run::Apply).await.unwrap();
        core.new_process();
        core.plans_empty().await.unwrap();
        assert_eq!(attachments(sim), made);
    });
}

/// A link without the attributes reads its attachments once, tags them, and leaves their routing
/// alone.
#[test]
fn tag_attachments_without_route_tables() {
    with_link(
        |_| Vec::new(),
        async |environment, sim, core| {
            let reads = count(sim, "DescribeTransitGatewayAttachments");
            core.new_process();
            core.plans_empty().await.unwrap();
            assert_eq!(count(sim, "DescribeTransitGatewayAttachments"), reads);
            for (from, to) in [("team", "cost"), ("cost", "team")] {
                core.config = link(environment, &[]);
                let tags = terraform_plugin::Value::map([(to, "network")]);
                core.config.set("tags", tags);
                core.run(&Run::Apply).await.unwrap();
                for attachment in attachments(sim) {
                    assert_eq!(attachment.tags.get(to).map(String::as_str), Some("network"));
                    assert_eq!(attachment.tags.get(from), None);
                }
                core.new_process();
                core.plans_empty().await.unwrap();
            }
            for operation in [
                "AssociateTransitGatewayRouteTable",
                "EnableTransitGatewayRouteTablePropagation",
                "GetTransitGatewayAttachmentPropagations",
                "DescribeTransitGatewayRouteTables",
            ] {
                assert_eq!(count(sim, operation), 0, "{operation}");
            }
        },
    );
}

#[test]
fn plan_rejects_unsuitable_route_tables() {
    on_big_stack(|| {
        let environment = Environment::build();
        in_virtual_time(Box::pin(async {
            let sim = Sim::of(1, environment.world.clone());
            let missing = "tgw-rtb-00000000000000000";
            let far = environment.far_transit_table.as_str();
            let near = environment.transit_tables[0].as_str();
            let on_vpc = json!(environment.vpcs[0].id);
            let far_words = format!(
                "belongs to the transit gateway {}",
                environment.transit_gateways[1]
            );
            let cases = [
                (ASSOCIATION, json!(missing), None, "does not exist"),
                (ASSOCIATION, json!(far), None, far_words.as_str()),
                (ASSOCIATION, json!("rtb-1"), None, "is not the ID of"),
                (
                    ASSOCIATION,
                    json!(near),
                    Some(&on_vpc),
                    "aws.transit_gateway_id",
                ),
                (PROPAGATIONS, json!([near, missing]), None, "does not exist"),
                (PROPAGATIONS, json!([far]), None, far_words.as_str()),
                (
                    PROPAGATIONS,
                    json!([near]),
                    Some(&on_vpc),
                    "aws.transit_gateway_id",
                ),
            ];
            for (name, value, vpc, words) in cases {
                let mut settings = vec![(name, value)];
                if let Some(vpc) = vpc {
                    settings.extend([("transit_gateway_id", Json::Null), ("vpc_id", vpc.clone())]);
                }
                let wrong = link(&environment, &settings);
                let mut core = TerraformCore::new(&sim, wrong, Stored::default());
                let error = core.run(&Run::Apply).await.unwrap_err();
                assert!(error.contains(words), "{settings:?}: {error}");
                assert!(
                    core.failed_at
                        .iter()
                        .any(|path| *path == format!("aws.{name}")),
                    "{settings:?}: {:?}",
                    core.failed_at
                );
            }
            assert_eq!(count(&sim, "CreateVpnConnection"), 0);
        }));
    });
}
