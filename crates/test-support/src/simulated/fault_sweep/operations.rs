//! The link and the change of each scenario, and the run of it without faults.

use super::SEED;
use super::foreign_gateways::{transit_gateway, vpn_gateway};
use crate::simulated::clock::in_virtual_time;
use crate::simulated::fault_point::Scenario;
use crate::simulated::terraform_core::{Run, Stored, TerraformCore, config};
use crate::simulated::{Sim, leak_checker};
use awsazure_sandbox::call_log::CallRecord;
use awsazure_sandbox::world::{Settings, World};
use bgp_vpn::tunnel::TunnelKey;
use serde_json::json;
use terraform_plugin::{AttributePath, Value};

/// Where a run begins.
#[derive(Clone)]
pub struct InitialState {
    pub world: World,
    pub stored: Stored,
    pub config: Value,
    pub run: Run,
}

/// What a run does when nothing goes wrong.
#[derive(Clone)]
pub struct Baseline {
    pub operation: Scenario,
    pub initial: InitialState,
    /// Cloud and operation of each call, and how many of that operation there were by then.
    pub calls: Vec<(String, String, usize)>,
    /// The link after it.
    pub snapshot: String,
    pub after: (World, Stored),
}

/// The quickstart's link.
fn quickstart() -> Value {
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
        "tags": {"team": "network"},
    }))
}

/// The link that an operation is about.
pub(super) fn link(operation: Scenario) -> Value {
    let mut link = quickstart();
    if operation.hides_keys() {
        link.set_at(&"aws.preshared_key_storage".into(), "SecretsManager");
    }
    link
}

/// What the configuration becomes.
fn changed(operation: Scenario) -> Value {
    let mut changed = link(operation);
    let mut set = |path: &str, value: Value| changed.set_at(&AttributePath::from(path), value);
    match operation {
        Scenario::Addresses => set("slot", 1_u8.into()),
        Scenario::Asn => set("aws.asn", 64_600_u32.into()),
        Scenario::AzureAsn => {
            set("azure.asn", 65_010_u32.into());
            // As for a secret.
            set("tags", Value::map([("team", "another")]));
        }
        Scenario::HiddenAsn => {
            set("aws.asn", 64_600_u32.into());
            set("azure.asn", 65_010_u32.into());
            let own = TunnelKey::ALL.map(|key| key.to_string());
            let own = own.map(|key| {
                (
                    key.clone(),
                    (key == "instance1_tunnel2").then(|| "given.by.the.user".to_owned()),
                )
            });
            set("preshared_keys_wo", Value::object(own));
            set("preshared_keys_wo_version", 1_u8.into());
        }
        Scenario::Bandwidth => {
            set("aws.tunnel_bandwidth", "large".into());
            // As for a secret.
            set("tags", Value::map([("team", "large")]));
        }
        Scenario::Accelerated => {
            set("aws.enable_acceleration", true.into());
            // As for a secret.
            set("tags", Value::map([("team", "fast")]));
        }
        Scenario::Settings => {
            set("tags", Value::map([("team", "network"), ("cost", "4711")]));
            set("azure.dpd_timeout_seconds", 60_u8.into());
            set("aws.dpd_timeout_seconds", 40_u8.into());
        }
        Scenario::Network => {
            let network = "azure.virtual_network";
            set(
                &format!("{network}.address_space"),
                Value::list(["10.1.0.0/16", "10.5.0.0/16"]),
            );
            let subnets = [("frontend", "10.1.0.0/24"), ("backend", "10.5.1.0/24")];
            set(&format!("{network}.subnets"), Value::map(subnets));
        }
        Scenario::Secret => {
            set("aws.preshared_key_storage", "SecretsManager".into());
            let group = "arn:aws:logs:eu-west-1:123456789012:log-group:vpn";
            set(
                "aws.logs",
                Value::object(
                    ["format", "bgp_log_group_arn", "bgp_format"].map(|name| (name, Value::Null)),
                ),
            );
            set("aws.logs.log_group_arn", group.into());
            // What is read back completely would leave nothing to apply after a run that died at
            // its last call.
            set("tags", Value::map([("team", "secret")]));
        }
        Scenario::Rotate | Scenario::HiddenRotate => set("rotate_keys", "once".into()),
        Scenario::Keys | Scenario::HiddenKeys => {
            let keys = [
                "instance0_tunnel1",
                "instance0_tunnel2",
                "instance1_tunnel1",
                "instance1_tunnel2",
            ];
            set(
                "preshared_keys_wo",
                Value::object(keys.map(|key| (key, format!("given.by.the.user_{key}")))),
            );
            set("preshared_keys_wo_version", 1_u8.into());
        }
        // Tags are what only a configuration knows: with them the plan after an import would not be
        // empty.
        Scenario::Import => set("tags", Value::Null),
        Scenario::Create
        | Scenario::HiddenCreate
        | Scenario::Given
        | Scenario::Read
        | Scenario::Destroy => {}
        // The id of the gateway comes from the world: `moved`.
        Scenario::Gateway => set("tags", Value::map([("team", "another")])),
        Scenario::Transit => {}
    }
    changed
}

/// Where an operation begins, in a world that is `hurry` times as fast as its clients' clock.
///
/// # Errors
/// A run without faults that does not end well.
pub fn baseline(operation: Scenario, hurry: u64) -> Result<Baseline, String> {
    // Retry-After grows, as it was recorded: fewer polls, which are all alike.
    let settings = Settings {
        time_scale: hurry,
        growing_retry_after: true,
        ..Settings::default()
    };
    let mut empty = World::new(SEED, settings);
    let starts_there = matches!(
        operation,
        Scenario::Given | Scenario::Bandwidth | Scenario::Accelerated
    );
    let gateway = match operation {
        Scenario::Gateway | Scenario::Given => {
            let (gateway, tables) = vpn_gateway(&mut empty);
            vec![
                ("aws.vpn_gateway_id", Value::from(gateway.as_str())),
                ("aws.route_table_ids", Value::set_of(tables)),
            ]
        }
        Scenario::Transit | Scenario::Bandwidth | Scenario::Accelerated => {
            vec![(
                "aws.transit_gateway_id",
                Value::from(transit_gateway(&mut empty).as_str()),
            )]
        }
        _ => Vec::new(),
    };
    let moved = |mut config: Value| {
        for (path, given) in &gateway {
            config.set_at(&"aws.vpc".into(), Value::Null);
            config.set_at(&AttributePath::from(*path), given.clone());
        }
        config
    };
    let config = if starts_there {
        moved(link(operation))
    } else {
        link(operation)
    };
    let create = InitialState {
        world: empty,
        stored: Stored::default(),
        config,
        run: Run::Apply,
    };
    if matches!(
        operation,
        Scenario::Create | Scenario::HiddenCreate | Scenario::Given
    ) {
        return run_without_faults(operation, create);
    }
    let (world, stored) = run_without_faults(Scenario::Create, create)?.after;
    let id = stored
        .state
        .get("id")
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let (run, stored) = match operation {
        Scenario::Read => (Run::Refresh, stored),
        Scenario::Import => (Run::Import(id), Stored::default()),
        Scenario::Destroy => (Run::Destroy, stored),
        _ => (Run::Apply, stored),
    };
    run_without_faults(
        operation,
        InitialState {
            world,
            stored,
            config: moved(changed(operation)),
            run,
        },
    )
}

fn run_without_faults(operation: Scenario, initial: InitialState) -> Result<Baseline, String> {
    in_virtual_time(async {
        let sim = Sim::of(SEED, initial.world.clone());
        let mut core = TerraformCore::new(&sim, initial.config.clone(), initial.stored.clone());
        core.run(&initial.run)
            .await
            .map_err(|words| format!("without any fault: {words}"))?;
        let snapshot = leak_checker::snapshot(&sim, &core.stored);
        let mut calls: Vec<CallRecord> = sim.sandbox.calls();
        calls.sort_by_key(|call| call.n);
        let mut named = Vec::<(String, String, usize)>::new();
        for call in calls {
            let so_far = named.iter().filter(|(cloud, operation, _)| {
                *cloud == call.cloud && *operation == call.operation
            });
            let count = so_far.count() + 1;
            named.push((call.cloud, call.operation, count));
        }
        let world = sim.sandbox.world().clone();
        Ok(Baseline {
            operation,
            calls: named,
            snapshot,
            after: (world, core.stored),
            initial: initial.clone(),
        })
    })
}
