//! One point of the sweep: a run with trouble at one call, what is true right after it, and one
//! more run without trouble.

use super::availability::{self, AvailabilityMonitor};
use super::clock::in_virtual_time;
use super::fault_point::{FaultMode, FaultPoint, FaultScope, Scenario};
use super::leak_checker;
use super::terraform_core::{Run, Stored, TerraformCore, config};
use super::{REGION, Sim};
use awsazure_sandbox::call_log::CallRecord;
use awsazure_sandbox::http::{Outcome, Request};
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::{Settings, World};
use bgp_vpn::tunnel::TunnelKey;
use serde_json::json;
use std::time::Duration;
use terraform_plugin::{AttributePath, Cancel, Value};

/// The seed of every world of the sweep, so that all runs begin alike.
pub const SEED: u64 = 7;
/// Terraform kills a provider that does not stop; it has to be done by then.
const STOP_LIMIT: Duration = Duration::from_secs(10);

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

/// What goes wrong in a run.
#[derive(Clone, Debug)]
pub enum InjectedFault {
    /// Rules of the fault plan.
    Rules(Vec<String>),
    /// The process dies at the call that the rule leaves without an answer.
    Killed { rule: String, saved: bool },
    /// Ctrl-C at the n-th call.
    Stopped(usize),
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
fn link(operation: Scenario) -> Value {
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

/// A user makes a transit gateway; its id once it is available.
pub fn transit_gateway(world: &mut World) -> String {
    create_foreign(
        world,
        "CreateTransitGateway",
        "Options.AmazonSideAsn=64700",
        "transitGatewayId",
    )
}

/// A user makes a VPN gateway, attaches it to a VPC and lets its routes into the main table there,
/// but not into another one; its id once that is so, and both tables.
fn vpn_gateway(world: &mut World) -> (String, [String; 2]) {
    let marked = |kind: &str| {
        let (key, value) = leak_checker::FOREIGN_TAG;
        let tag =
            format!("TagSpecification.1.Tag.1.Key={key}&TagSpecification.1.Tag.1.Value={value}");
        format!("TagSpecification.1.ResourceType={kind}&{tag}")
    };
    let vpc = format!("CidrBlock=10.8.0.0%2F16&{}", marked("vpc"));
    let vpc = create_foreign(world, "CreateVpc", &vpc, "vpcId");
    let gateway = format!("Type=ipsec.1&AmazonSideAsn=64700&{}", marked("vpn-gateway"));
    let gateway = create_foreign(world, "CreateVpnGateway", &gateway, "vpnGatewayId");
    create_foreign(
        world,
        "AttachVpnGateway",
        &format!("VpcId={vpc}&VpnGatewayId={gateway}"),
        "state",
    );
    let of_vpc = format!("Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}");
    let main = create_foreign(world, "DescribeRouteTables", &of_vpc, "routeTableId");
    let on = format!("RouteTableId={main}&GatewayId={gateway}");
    create_foreign(world, "EnableVgwRoutePropagation", &on, "return");
    let other = format!("VpcId={vpc}&{}", marked("route-table"));
    let other = create_foreign(world, "CreateRouteTable", &other, "routeTableId");
    (gateway, [main, other])
}

/// A user calls EC2; what the answer says in `element`, ten minutes later.
pub fn create_foreign(world: &mut World, action: &str, parameters: &str, element: &str) -> String {
    let caller = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/{REGION}/ec2/aws4_request, Signature=0"
    );
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    let headers = [
        ("authorization", caller.as_str()),
        ("x-amz-date", "20260101T000000Z"),
        ("content-type", form),
    ];
    let request = Request {
        method: "POST".to_owned(),
        base_url: "https://ec2.sandbox".to_owned(),
        path: "/".to_owned(),
        query: String::new(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: format!("Action={action}&Version=2016-11-15&{parameters}").into_bytes(),
    };
    let Outcome::Response(made) = world.handle(world.now(), &request).outcome else {
        panic!("no answer")
    };
    let made = String::from_utf8(made.body).unwrap();
    let (_, rest) = made
        .split_once(&format!("<{element}>"))
        .unwrap_or_else(|| panic!("{made}"));
    world.advance(world.now() + SimDuration::minutes(10));
    rest.split_once('<').unwrap().0.to_owned()
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

impl Baseline {
    /// What goes wrong at a point; None where that way makes no sense there.
    pub fn injected(&self, point: &FaultPoint) -> Option<InjectedFault> {
        let (cloud, operation, count) = self.calls.get(point.call.checked_sub(1)?)?;
        let call = point.call;
        Some(match point.mode {
            // Only Azure has operations that go on by themselves, and only what starts or polls one
            // meets their end.
            FaultMode::Fault(_, "failed" | "expired")
                if cloud != "azure"
                    || operation.starts_with("Get") && operation != "GetOperation"
                    || operation.starts_with("List") =>
            {
                return None;
            }
            FaultMode::Fault(FaultScope::Once, kind) => {
                InjectedFault::Rules(vec![format!("fail call {call} of *: once {kind}")])
            }
            FaultMode::Fault(FaultScope::Forever, kind) => InjectedFault::Rules(vec![format!(
                "fail call {count} of {cloud} {operation}: forever {kind}"
            )]),
            FaultMode::Fault(FaultScope::Outage, kind) => {
                InjectedFault::Rules(vec![format!("fail call {call} of *: forever {kind}")])
            }
            FaultMode::Killed { after, saved } => {
                let kind = if after { "hang-after" } else { "hang" };
                InjectedFault::Killed {
                    rule: format!("fail call {call} of *: once {kind}"),
                    saved,
                }
            }
            FaultMode::Stopped => InjectedFault::Stopped(call),
        })
    }

    /// The run with trouble, all that must be true then, and the run after it. `thorough`: to the
    /// link's end; `blind`: the run after it has `-refresh=false`.
    ///
    /// # Errors
    /// What was not true.
    pub fn meet(
        &self,
        injected: &InjectedFault,
        thorough: bool,
        blind: bool,
    ) -> Result<(), String> {
        let met = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            in_virtual_time(Box::pin(self.met(injected, thorough, blind)))
        }));
        let met = met.unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
            Err(format!("panic: {}", words.unwrap_or_default()))
        });
        crate::simulated::log_recorder::take_log();
        met
    }

    async fn met(
        &self,
        injected: &InjectedFault,
        thorough: bool,
        blind: bool,
    ) -> Result<(), String> {
        let initial = &self.initial;
        let sim = Sim::of(SEED, initial.world.clone());
        let mut core = TerraformCore::new(&sim, initial.config.clone(), initial.stored.clone());
        let min_tunnels_up = match availability::min_tunnels_up(self.operation) {
            Some(least) => Some((AvailabilityMonitor::over(&sim)?, least)),
            None => None,
        };
        let ended = run_with(&sim, &mut core, &initial.run, injected).await?;
        let said = core.messages.join("\n");
        let context = |fault: String| format!("{fault}\nthe run with trouble ended with {ended:?}");
        leak_checker::all_objects_recorded(&sim, &core.stored).map_err(context)?;
        leak_checker::no_duplicates(&sim).map_err(context)?;
        leak_checker::no_secret(
            &sim,
            &[
                &said,
                &format!("{:?}", core.stored),
                &crate::simulated::log_recorder::take_log(),
            ],
        )
        .map_err(context)?;
        if ended == Some(Ok(())) {
            self.matches_baseline(&sim, &core.stored).map_err(context)?;
        }

        sim.sandbox.world().faults.clear();
        sim.wire.calm();
        // Running terraform again takes a moment.
        tokio::time::sleep(client_time(&sim, SimDuration::seconds(5))).await;
        core.new_process();
        core.blind = blind;
        let repaired = match core.run(&initial.run).await {
            Err(words) if injected.leaves_no_state() => import_instead(&mut core, &words).await,
            other => other.map(|()| false),
        };
        core.blind = false;
        let imported = repaired
            .map_err(|words| context(format!("one more run did not repair it: {words}")))?;
        // A change that the run with trouble began may still be under way: the plan had nothing to
        // add to it.
        leak_checker::wait_until_idle(&sim, client_time(&sim, SimDuration::seconds(10))).await;
        leak_checker::no_duplicates(&sim).map_err(context)?;
        if initial.run == Run::Destroy {
            return self.matches_baseline(&sim, &core.stored).map_err(context);
        }
        core.new_process();
        core.plans_empty().await.map_err(context)?;
        if !imported {
            self.matches_baseline(&sim, &core.stored).map_err(context)?;
        }
        core.plans_empty().await.map_err(context)?;
        // Sessions come up within minutes after the last change.
        tokio::time::sleep(client_time(&sim, SimDuration::minutes(5))).await;
        sim.sandbox.world().advance(sim.sandbox.now());
        leak_checker::tunnels_up(&sim).map_err(context)?;
        if let Some((availability, least)) = min_tunnels_up {
            availability.check_at_least(least).map_err(context)?;
        }
        if thorough || imported {
            core.new_process();
            core.run(&Run::Destroy)
                .await
                .map_err(|words| context(format!("destroy: {words}")))?;
            leak_checker::no_objects_left(&sim).map_err(context)?;
        }
        let said = core.messages.join("\n");
        leak_checker::no_secret(
            &sim,
            &[
                &said,
                &format!("{:?}", core.stored),
                &crate::simulated::log_recorder::take_log(),
            ],
        )
        .map_err(context)
    }

    fn matches_baseline(&self, sim: &Sim, stored: &Stored) -> Result<(), String> {
        let is = leak_checker::snapshot(sim, stored);
        let unrecorded = || {
            sim.sandbox
                .calls()
                .iter()
                .any(|call| call.operation == "CreateTags" && call.status == Some(403))
        };
        if is == self.snapshot
            || unrecorded() && without_records(&is) == without_records(&self.snapshot)
        {
            return Ok(());
        }
        Err(format!(
            "the link is another than without faults: {}",
            leak_checker::difference(&is, &self.snapshot)
        ))
    }
}

/// Without the record of which propagation the link enabled: a run that may set no tags completes
/// the link, and leaves none.
fn without_records(snapshot: &str) -> String {
    let record = |part: &&str| {
        part.contains("awsazure:propagates/")
            || part.contains("route-table/") && part.contains("vpn-gateway/vpn-gateway")
    };
    let line = |line: &str| {
        line.split(", ")
            .filter(|part| !record(part))
            .collect::<Vec<_>>()
            .join(", ")
    };
    snapshot.lines().map(line).collect::<Vec<_>>().join("\n")
}

impl InjectedFault {
    fn leaves_no_state(&self) -> bool {
        matches!(self, InjectedFault::Killed { saved: false, .. })
    }
}

fn client_time(sim: &Sim, span: SimDuration) -> Duration {
    Duration::from_millis(
        span.0
            .div_ceil(sim.sandbox.world().settings.time_scale.max(1)),
    )
}

/// None where it was killed; else how it ended.
async fn run_with(
    sim: &Sim,
    core: &mut TerraformCore<'_>,
    run: &Run,
    injected: &InjectedFault,
) -> Result<Option<Result<(), String>>, String> {
    let (never, stop) = (Cancel::new(), Cancel::new());
    let (mut grave, mut rules, mut saved) = (never, Vec::new(), false);
    match injected {
        InjectedFault::Rules(all) => rules.clone_from(all),
        InjectedFault::Killed { rule, saved: keeps } => {
            (grave, saved) = (sim.wire.deadly(), *keeps);
            rules.push(rule.clone());
        }
        InjectedFault::Stopped(call) => {
            sim.wire.stop_at(*call, &stop);
            core.cancel = stop.clone();
        }
    }
    for rule in rules {
        sim.sandbox
            .world()
            .faults
            .add(rule.parse().map_err(|fault| format!("{rule}: {fault}"))?);
    }
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    let ended = tokio::select! {
        biased;
        ended = core.run(run) => Some(ended),
        () = grave.cancelled() => None,
        () = too_late => return Err("it went on for more than 10 s after Ctrl-C".to_owned()),
    };
    if ended.is_none() && saved {
        core.store_checkpoint();
    }
    Ok(ended)
}

/// Killed between the last step and the state: the link is finished, and the error says how to take
/// it in. True where so.
async fn import_instead(core: &mut TerraformCore<'_>, words: &str) -> Result<bool, String> {
    let id = words
        .split_once("terraform import ADDRESS '")
        .and_then(|(_, rest)| rest.split_once('\''))
        .map(|(id, _)| id);
    let id = id.ok_or_else(|| words.to_owned())?;
    // Each command has a process of its own.
    core.new_process();
    core.run(&Run::Import(id.to_owned())).await?;
    core.new_process();
    core.run(&Run::Apply).await?;
    Ok(true)
}
