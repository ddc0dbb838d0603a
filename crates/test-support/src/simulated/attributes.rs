//! The attribute table: for every attribute of the schema a value before and after, and what a
//! change of it has to do. A change is applied in both directions, and both clouds have to be as if
//! the link had been created with the new value.

use super::clock::in_virtual_time;
use super::environment::{Environment, GROUP};
use super::fingerprint::{differences, fingerprint};
use super::terraform_core::{Action, Replacement, Run, Stored, TerraformCore, config};
use super::{Sim, is_read};
use awsazure::provider::bgp_vpn::schema;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::{Settings, World};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;
use terraform_plugin::{Attribute, AttributeKind, AttributePath, Nesting, Value};

/// The seed of every world of the table.
const SEED: u64 = 11;

/// What a change of an attribute does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Objects in the clouds change or are recreated, the link remains.
    InPlace,
    /// Terraform replaces the link.
    Replaces,
    /// Only the state changes: the attribute tells the provider what to do.
    LocalOnly,
    /// Objects that exist keep their names, objects that are created later get the new one.
    NamesNewObjects,
    /// The shared keys of both clouds change.
    Keys,
    /// What destroy deletes changes, and with it ownership tags.
    ManagedOnly,
    /// The plan fails at this attribute.
    Rejected(&'static str),
    /// The attribute cannot be configured.
    Computed,
}

/// The link that a row changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Base {
    /// It creates group, VNet and VPC.
    Networks,
    /// VNet and VPC exist, in a group that exists.
    Existing,
    /// Both gateways exist.
    Gateways,
    /// VNet and transit gateway exist.
    Transit,
}

/// One attribute, changed from one value to another and back.
#[derive(Clone, Debug)]
pub struct Row {
    pub path: String,
    pub base: Base,
    pub from: Json,
    pub to: Json,
    pub there: Effect,
    pub back: Effect,
    /// Attributes that change along with it, before and after.
    along: Vec<(&'static str, Json, Json)>,
    /// Attributes that both configurations have.
    with: Vec<(&'static str, Json)>,
    /// A part of the fingerprint in which equivalent links may differ.
    loose: Option<&'static str>,
}

impl Row {
    pub(super) fn new(path: &str, base: Base, from: Json, to: Json, effect: Effect) -> Row {
        let (there, back) = (effect, effect);
        Row {
            path: path.to_owned(),
            base,
            from,
            to,
            there,
            back,
            along: Vec::new(),
            with: Vec::new(),
            loose: None,
        }
    }

    pub(super) fn back(mut self, effect: Effect) -> Row {
        self.back = effect;
        self
    }

    pub(super) fn with(mut self, path: &'static str, value: Json) -> Row {
        self.with.push((path, value));
        self
    }

    pub(super) fn loose(mut self, part: &'static str) -> Row {
        self.loose = Some(part);
        self
    }

    pub(super) fn along(mut self, path: &'static str, from: Json, to: Json) -> Row {
        self.along.push((path, from, to));
        self
    }

    fn configuration(&self, environment: &Environment, changed: bool) -> Value {
        let mut value = self.base.configuration(environment);
        let mut set = |path: &str, to: &Json| set(&mut value, path, to);
        self.with.iter().for_each(|(path, to)| set(path, to));
        set(&self.path, if changed { &self.to } else { &self.from });
        self.along
            .iter()
            .for_each(|(path, from, to)| set(path, if changed { to } else { from }));
        value
    }
}

/// Sets an attribute to a value of JSON, typed by the schema.
pub fn set(value: &mut Value, path: &str, to: &Json) {
    let nested = path
        .rsplit('.')
        .fold(to.clone(), |inner, name| json!({name: inner}));
    let mut typed = config(&nested).at(&path.into()).clone();
    if let (Some(parent), false) = (
        path.rsplit_once('.').map(|(parent, _)| parent),
        to.is_null(),
    ) && value.at(&parent.into()).is_null()
    {
        // An object has all its attributes.
        let (parent, nested) = (AttributePath::from(parent), config(&nested));
        typed = nested.at(&parent).clone();
        value.set_at(&parent, typed);
        return;
    }
    value.set_at(&path.into(), typed);
}

impl Base {
    fn configuration(self, environment: &Environment) -> Value {
        let created = json!({
            "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope",
            "virtual_network": {"name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.1.0/24"},
        });
        let (azure, aws) = match self {
            Base::Networks => (created, json!({"vpc": {"cidr_block": "10.2.0.0/16"}})),
            Base::Existing => (
                json!({"resource_group_name": GROUP, "virtual_network_id": environment.networks[0]}),
                json!({"vpc_id": environment.vpcs[0].id}),
            ),
            Base::Gateways => (
                json!({"resource_group_name": GROUP, "gateway_id": environment.azure_gateways[0]}),
                json!({"vpn_gateway_id": environment.vpn_gateways[0]}),
            ),
            Base::Transit => (
                json!({"resource_group_name": GROUP, "virtual_network_id": environment.networks[0]}),
                json!({"transit_gateway_id": environment.transit_gateways[0]}),
            ),
        };
        config(&json!({"name": "prod", "azure": azure, "aws": aws}))
    }
}

/// Every attribute that has no attributes of its own, with its schema.
pub fn attributes() -> BTreeMap<String, Attribute> {
    fn walk(
        attributes: &BTreeMap<String, Attribute>,
        at: &str,
        found: &mut BTreeMap<String, Attribute>,
    ) {
        for (name, attribute) in attributes {
            let path = if at.is_empty() {
                name.clone()
            } else {
                format!("{at}.{name}")
            };
            match &attribute.kind {
                AttributeKind::Nested(nested) => {
                    assert_eq!(nested.nesting, Nesting::Single, "{path}");
                    walk(&nested.attributes, &path, found);
                }
                AttributeKind::Value(_) => {
                    found.insert(path, attribute.clone());
                }
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&schema::resource().attributes, "", &mut found);
    found
}

/// A link that was created, in its world.
#[derive(Clone)]
struct Created {
    world: World,
    stored: Stored,
    fingerprint: Vec<String>,
}

/// Links by their configuration: many rows begin alike.
#[derive(Default)]
pub struct Cache(Mutex<BTreeMap<String, Created>>);

/// Tests one row in both directions; answers how many changes it applied.
///
/// # Errors
/// What a change did that it must not, or did not do.
pub fn check(environment: &Environment, cache: &Cache, row: &Row) -> Result<usize, String> {
    let values = format!("{} from {} to {}", row.path, row.from, row.to);
    let checked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| match row.there {
        Effect::Computed => computed(environment, cache, row).map(|()| 0),
        _ => {
            let sides = [
                row.configuration(environment, false),
                row.configuration(environment, true),
            ];
            change(environment, cache, row, &sides[0], &sides[1], row.there)
                .map_err(|fault| format!("{values}: {fault}"))?;
            if !matches!(row.back, Effect::Rejected(_) | Effect::ManagedOnly) {
                change(environment, cache, row, &sides[1], &sides[0], row.back)
                    .map_err(|fault| format!("{values}, back: {fault}"))?;
                return Ok(2);
            }
            Ok(1)
        }
    }));
    checked.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("{values}: panic: {}", words.unwrap_or_default()))
    })
}

/// A fast world: nothing of the table depends on its times.
fn hurry(world: &World) -> World {
    let mut world = world.clone();
    world.settings = Settings {
        time_scale: 30,
        growing_retry_after: true,
        ..world.settings
    };
    world
}

fn created(environment: &Environment, cache: &Cache, value: &Value) -> Result<Created, String> {
    let name = format!("{value:?}");
    if let Some(created) = cache.0.lock().unwrap().get(&name) {
        return Ok(created.clone());
    }
    let created = in_virtual_time(Box::pin(async {
        let sim = Sim::of(SEED, hurry(&environment.world));
        let mut core = TerraformCore::new(&sim, value.clone(), Stored::default());
        core.run(&Run::Apply)
            .await
            .map_err(|words| format!("create: {words}"))?;
        core.new_process();
        core.plans_empty()
            .await
            .map_err(|fault| format!("after create: {fault}"))?;
        wait_for_sessions(&sim).await;
        let fingerprint = fingerprint(&sim, &core.stored);
        let world = sim.sandbox.world().clone();
        Ok::<_, String>(Created {
            world,
            stored: core.stored.clone(),
            fingerprint,
        })
    }))?;
    cache.0.lock().unwrap().insert(name, created.clone());
    Ok(created)
}

/// Until AWS has detached and deleted what it was asked to.
async fn wait_for_sessions(sim: &Sim) {
    let minutes = SimDuration::minutes(10).0 / sim.sandbox.world().settings.time_scale;
    tokio::time::sleep(Duration::from_millis(minutes)).await;
    sim.sandbox.world().advance(sim.sandbox.now());
}

fn change(
    environment: &Environment,
    cache: &Cache,
    row: &Row,
    from: &Value,
    to: &Value,
    effect: Effect,
) -> Result<(), String> {
    let before = created(environment, cache, from)?;
    let Some(is) = in_virtual_time(Box::pin(changed(&before, row, to, effect)))? else {
        return Ok(());
    };
    let wanted = match effect {
        Effect::NamesNewObjects => moved(to),
        // A create does not take over gateways that exist.
        Effect::ManagedOnly => return managed_only(&before.fingerprint, &is),
        _ => to.clone(),
    };
    let mut differs = differences(&is, &created(environment, cache, &wanted)?.fingerprint);
    differs.retain(|line| row.loose.is_none_or(|part| !line.contains(part)));
    if !differs.is_empty() {
        return Err(format!(
            "the link differs from one that was created so:\n{}",
            differs.join("\n")
        ));
    }
    has_effect(&before.fingerprint, &is, effect)
}

/// Without ownership tags, by which the fingerprint also names gateways.
fn untagged(lines: &[String]) -> Vec<String> {
    let lines = lines
        .iter()
        .filter(|line| !line.contains(".tags.awsazure:") && !line.ends_with(".tags = {}"));
    lines
        .map(|line| {
            line.replace(
                "<vpn_gateways vpn-gateway>",
                "<vpn_gateways workloads 64900>",
            )
        })
        .collect()
}

fn managed_only(before: &[String], is: &[String]) -> Result<(), String> {
    // What destroy deletes has to carry this link's tags.
    let (before, is) = (untagged(before), untagged(is));
    has_effect(&before, &is, Effect::LocalOnly)?;
    let managed = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| line.contains(".managed."))
            .cloned()
            .collect::<Vec<_>>()
    };
    if managed(&before) == managed(&is) {
        Err("destroy would delete the same as before".to_owned())
    } else {
        Ok(())
    }
}

/// The fingerprint after the change; None where it was rejected as it has to be.
async fn changed(
    before: &Created,
    row: &Row,
    to: &Value,
    effect: Effect,
) -> Result<Option<Vec<String>>, String> {
    let sim = Sim::of(SEED + 1, before.world.clone());
    let mut core = TerraformCore::new(&sim, to.clone(), before.stored.clone());
    core.replacement = Replacement::DestroyFirst;
    let keys_before = keys(&sim);
    let ended = core.run(&Run::Apply).await;
    if let Effect::Rejected(attribute) = effect {
        return rejected(&sim, &core, ended, attribute).map(|()| None);
    }
    ended.map_err(|words| format!("apply: {words}"))?;
    acted(&sim, &core, effect, row)?;
    core.new_process();
    core.plans_empty()
        .await
        .map_err(|fault| format!("after the change: {fault}"))?;
    if effect == Effect::NamesNewObjects {
        // The names show when the link is replaced.
        core.config = moved(to);
        core.run(&Run::Apply)
            .await
            .map_err(|words| format!("the replacement: {words}"))?;
    }
    if effect == Effect::ManagedOnly {
        return there_and_back(&sim, core, before, row).await.map(Some);
    }
    if effect == Effect::Keys && keys(&sim) == keys_before {
        return Err("all shared keys are as before".to_owned());
    }
    wait_for_sessions(&sim).await;
    Ok(Some(fingerprint(&sim, &core.stored)))
}

/// The fingerprint after the change, which the way back has to undo: no create would have the
/// value.
async fn there_and_back(
    sim: &Sim,
    mut core: TerraformCore<'_>,
    before: &Created,
    row: &Row,
) -> Result<Vec<String>, String> {
    let is = fingerprint(sim, &core.stored);
    set(&mut core.config, &row.path, &row.from);
    core.run(&Run::Apply)
        .await
        .map_err(|words| format!("back: {words}"))?;
    core.plans_empty()
        .await
        .map_err(|fault| format!("after the change back: {fault}"))?;
    // The gateways keep this link's tags.
    let differs = differences(
        &untagged(&fingerprint(sim, &core.stored)),
        &untagged(&before.fingerprint),
    );
    if differs.is_empty() {
        Ok(is)
    } else {
        Err(format!("the change back left:\n{}", differs.join("\n")))
    }
}

/// The same link elsewhere.
fn moved(configuration: &Value) -> Value {
    let mut moved = configuration.clone();
    set(&mut moved, "azure.location", &json!("northeurope"));
    moved
}

/// Shared keys as EC2 has them.
fn keys(sim: &Sim) -> BTreeSet<String> {
    sim.sandbox
        .world()
        .aws
        .endpoints()
        .into_iter()
        .map(|end| end.pre_shared_key.clone())
        .collect()
}

/// What Terraform planned, and whether anything was written.
fn acted(sim: &Sim, core: &TerraformCore<'_>, effect: Effect, row: &Row) -> Result<(), String> {
    let writes = sim
        .sandbox
        .calls()
        .into_iter()
        .filter(|call| !is_read(&call.operation))
        .count();
    let wanted = if effect == Effect::Replaces {
        Action::Replace
    } else {
        Action::Update
    };
    if core.action != Some(wanted) {
        return Err(format!("{:?} was planned, not {wanted:?}", core.action));
    }
    match effect {
        Effect::LocalOnly if writes > 0 => Err(format!("{writes} calls changed something")),
        Effect::InPlace | Effect::Keys if writes == 0 => Err("no call changed anything".to_owned()),
        // A text that was a trigger may be gone.
        Effect::LocalOnly
            if row.path != "rotate_keys"
                && core.stored.state.at(&row.path.as_str().into()).is_null() =>
        {
            Err("the state does not have it".to_owned())
        }
        _ => Ok(()),
    }
}

/// The clouds are others than before exactly where an attribute is theirs.
fn has_effect(before: &[String], is: &[String], effect: Effect) -> Result<(), String> {
    let clouds = |lines: &[String]| {
        lines
            .iter()
            .filter(|line| !line.starts_with("state "))
            .cloned()
            .collect::<Vec<_>>()
    };
    let same = clouds(before) == clouds(is);
    match effect {
        Effect::InPlace | Effect::Replaces if same => Err("the clouds are as before".to_owned()),
        Effect::LocalOnly if !same => Err("the clouds changed".to_owned()),
        _ => Ok(()),
    }
}

fn rejected(
    sim: &Sim,
    core: &TerraformCore<'_>,
    ended: Result<(), String>,
    attribute: &str,
) -> Result<(), String> {
    if ended.is_ok() {
        return Err(format!("{:?} was applied, not rejected", core.action));
    }
    if !core.failed_at.iter().any(|path| path == attribute) {
        return Err(format!(
            "it was rejected at {:?}: {ended:?}",
            core.failed_at
        ));
    }
    match sim
        .sandbox
        .calls()
        .iter()
        .find(|call| !is_read(&call.operation))
    {
        Some(call) => Err(format!("rejected after {} {}", call.operation, call.target)),
        None => Ok(()),
    }
}

/// It has a value once the link is created.
fn computed(environment: &Environment, cache: &Cache, row: &Row) -> Result<(), String> {
    let mut value = row.base.configuration(environment);
    if row.base == Base::Networks {
        let subnet = "aws.vpc.public_subnet_cidr_block";
        set(&mut value, subnet, &json!("10.2.0.0/24"));
    }
    let created = created(environment, cache, &value)?;
    if created.stored.state.at(&row.path.as_str().into()).is_set() {
        Ok(())
    } else {
        Err(format!("{} has no value after a create", row.path))
    }
}
