//! The life of one link with restricted credentials: plan, create, changes, destroy.

use awsazure_sandbox::authorization::{Authorization, Policy, Role};
use awsazure_sandbox::time::SimDuration;
use bgp_vpn::permissions::{Permissions, Phase};
use serde_json::Value;
use std::collections::BTreeSet;
use test_support::simulated::Sim;
use test_support::simulated::clock::in_virtual_time;
use test_support::simulated::environment::Environment;
use test_support::simulated::fault_sweep::create_foreign;
use test_support::simulated::terraform_core::{Replacement, Run, Stored, TerraformCore, config};

/// A configuration with the changes of its life.
pub struct Case {
    pub name: &'static str,
    /// The configurations that are applied one after another.
    pub steps: Vec<Value>,
    /// The link changes its AWS side. Such a life does not repair or rotate anything.
    pub is_move: bool,
}

/// What happened.
#[derive(Debug)]
pub struct Outcome {
    pub result: Result<(), String>,
    /// All diagnostics, warnings included.
    pub messages: Vec<String>,
    /// The actions that the calls needed, and those of the plans.
    pub needed: BTreeSet<String>,
    pub needed_by_plans: BTreeSet<String>,
}

/// The documents of a run, as the commands and the sandbox exchange them.
#[derive(Clone, Default)]
pub struct Documents {
    pub policy: Option<Value>,
    pub role: Option<Value>,
}

impl Documents {
    pub fn of(permissions: &Permissions, phase: Phase, subscription: &str) -> Self {
        let mut role = permissions.azure_role(phase);
        role["AssignableScopes"] = serde_json::json!([format!("/subscriptions/{subscription}")]);
        Documents {
            policy: Some(permissions.aws_policy()),
            role: Some(role),
        }
    }

    /// The same without one action.
    pub fn without(&self, action: &str) -> Self {
        let drop_from = |list: &mut Value| {
            if let Some(list) = list.as_array_mut() {
                list.retain(|one| one != action);
            }
        };
        let mut rest = self.clone();
        if let Some(statements) = rest
            .policy
            .as_mut()
            .and_then(|policy| policy["Statement"].as_array_mut())
        {
            statements
                .iter_mut()
                .for_each(|one| drop_from(&mut one["Action"]));
            statements.retain(|one| {
                one["Action"]
                    .as_array()
                    .is_some_and(|list| !list.is_empty())
            });
        }
        if let Some(role) = &mut rest.role {
            drop_from(&mut role["Actions"]);
        }
        rest
    }

    fn enforce(&self, sim: &Sim) {
        let mut world = sim.sandbox.world();
        let needed = std::mem::take(&mut world.authorization.needed);
        world.authorization = Authorization {
            aws: self
                .policy
                .as_ref()
                .map(|one| Policy::parse(&one.to_string()).unwrap()),
            azure: self
                .role
                .as_ref()
                .map(|one| Role::parse(&one.to_string()).unwrap()),
            needed,
            records: true,
        };
    }
}

/// Lives a life. Plans run with `plan`, applies with `apply`.
pub fn live(
    environment: &Environment,
    case: &Case,
    plan: &Documents,
    apply: &Documents,
) -> Outcome {
    in_virtual_time(Box::pin(async {
        let sim = Sim::of(1, environment.world.clone());
        let mut core = TerraformCore::new(&sim, terraform_plugin::Value::Null, Stored::default());
        core.replacement = Replacement::DestroyFirst;
        let mut needed_by_plans = BTreeSet::new();
        let result = steps(&sim, &mut core, case, plan, apply, &mut needed_by_plans).await;
        let needed = sim.sandbox.world().authorization.needed.clone();
        Outcome {
            result,
            messages: core.messages.clone(),
            needed,
            needed_by_plans,
        }
    }))
}

async fn steps(
    sim: &Sim,
    core: &mut TerraformCore<'_>,
    case: &Case,
    plan: &Documents,
    apply: &Documents,
    needed_by_plans: &mut BTreeSet<String>,
) -> Result<(), String> {
    for (number, step) in case.steps.iter().enumerate() {
        core.config = config(step);
        planned(sim, core, plan, needed_by_plans, true).await?;
        apply.enforce(sim);
        core.new_process();
        core.run(&Run::Apply).await?;
        sim.wait(SimDuration::minutes(6)).await;
        planned(sim, core, plan, needed_by_plans, false).await?;
        if number == 0 && !case.is_move {
            narrow_networks(sim);
        }
    }
    import(sim, core, plan, needed_by_plans).await?;
    apply.enforce(sim);
    core.new_process();
    core.run(&Run::Destroy).await
}

/// A user narrows the networks of a VPN connection by hand. The next apply repairs it.
fn narrow_networks(sim: &Sim) {
    let mut world = sim.sandbox.world();
    let allowed = std::mem::take(&mut world.authorization);
    let id = world.objects()["aws"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "vpn-connection" && one["tags"]["awsazure:link"].is_string())
        .map(|one| one["id"].as_str().unwrap().to_owned())
        .unwrap();
    let form = format!("VpnConnectionId={id}&LocalIpv4NetworkCidr=10.0.0.0%2F8");
    create_foreign(
        &mut world,
        "ModifyVpnConnectionOptions",
        &form,
        "vpnConnectionId",
    );
    world.authorization = allowed;
}

/// Imports the link into another state. Import belongs to the permissions of a plan.
async fn import(
    sim: &Sim,
    core: &TerraformCore<'_>,
    plan: &Documents,
    needed: &mut BTreeSet<String>,
) -> Result<(), String> {
    plan.enforce(sim);
    let before = std::mem::take(&mut sim.sandbox.world().authorization.needed);
    let id = core.stored.state.get("id").as_str().unwrap().to_owned();
    let mut other = TerraformCore::new(sim, core.config.clone(), Stored::default());
    let ended = other.run(&Run::Import(id)).await;
    needed.extend(sim.sandbox.world().authorization.needed.iter().cloned());
    sim.sandbox.world().authorization.needed.extend(before);
    ended
}

/// A refresh and a plan, which may have changes or not.
async fn planned(
    sim: &Sim,
    core: &mut TerraformCore<'_>,
    plan: &Documents,
    needed: &mut BTreeSet<String>,
    has_changes: bool,
) -> Result<(), String> {
    plan.enforce(sim);
    let before = std::mem::take(&mut sim.sandbox.world().authorization.needed);
    core.new_process();
    let ended = core.plans_empty().await;
    needed.extend(sim.sandbox.world().authorization.needed.iter().cloned());
    sim.sandbox.world().authorization.needed.extend(before);
    match ended {
        Err(text) if has_changes && text.starts_with("the plan is not empty") => Ok(()),
        other => other,
    }
}
