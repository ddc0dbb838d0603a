//! A random configuration, a random failure, a random correction: after it one apply has to end
//! well, two plans have to be empty, and destroy has to leave both clouds as they were.

use super::Sim;
use super::clock::in_virtual_time;
use super::configuration::{AzureEnd, Draft};
use super::environment::{Environment, QUOTAS};
use super::fingerprint::{differences, fingerprint};
use super::leak_checker;
use super::other_team;
use super::scenario_gen::{once_in, pick};
use super::terraform_core::{Replacement, Run, Stored, TerraformCore};
use awsazure::provider::summaries::CONFLICTING_INCOMPLETE_LINK;
use awsazure_sandbox::aws::Quotas;
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::Settings;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use terraform_plugin::Cancel;

/// Seconds within which a run has to end after Ctrl-C.
const STOP_LIMIT: u64 = 10;

/// Answers that end a call for good, and such that only look so.
const KINDS: [&str; 11] = [
    "refused",
    "lost",
    "dropped",
    "429",
    "503",
    "409",
    "500",
    "malformed",
    "hang-after",
    "403",
    "failed",
];

/// Calls that a missing permission or a quota can fail at each time.
const WRITES: [&str; 22] = [
    "azure PutGroup",
    "azure PutVirtualNetwork",
    "azure PutSubnet",
    "azure PutPublicIp",
    "azure PutGateway",
    "azure PutLocalGateway",
    "azure PutConnection",
    "azure DeleteConnection",
    "azure DeleteGateway",
    "azure DeletePublicIp",
    "aws CreateVpc",
    "aws CreateVpnGateway",
    "aws AttachVpnGateway",
    "aws CreateCustomerGateway",
    "aws CreateVpnConnection",
    "aws ModifyVpnTunnelOptions",
    "aws EnableVgwRoutePropagation",
    "aws CreateRouteTable",
    "aws AssociateRouteTable",
    "aws DeleteVpnConnection",
    "aws DeleteVpc",
    "aws CreateTags",
];

/// A fault in the product that the attribute table or the corrections found: the test that keeps it
/// out, and what it was.
pub const FINDINGS: [(&str, &str); 21] = [
    (
        "replace_after_broken_region_move_deletes_both_sides",
        "A move to another AWS region that was interrupted left the state with the new region: the former AWS side was never deleted.",
    ),
    (
        "failed_vpc_move_drops_route_tables_of_old_vpc",
        "After a move to another VPC that failed, the next apply used the route tables of the deleted VPC.",
    ),
    (
        "replace_vpn_gateway_by_vpc_in_one_apply",
        "A VPC in place of an existing VPN gateway was ignored or rejected, and a VPN gateway created then was not deleted by destroy.",
    ),
    (
        "vpn_gateway_in_other_region_excludes_vpc_block",
        "An existing VPN gateway in another region kept the settings of the VPC that the link had created: the plan was never empty.",
    ),
    (
        "replacement_ignores_existing_gateway_differences",
        "A link that leaves an existing Azure gateway was compared with that gateway: its own generation and ASN were rejected.",
    ),
    (
        "replace_tainted_link_on_another_network",
        "A tainted link whose configuration names another network was rejected because of its own objects.",
    ),
    (
        "destroy_deletes_gateway_subnet_of_killed_create",
        "The gateway subnet that a killed create had added to an existing network was left behind by destroy.",
    ),
    (
        "create_on_existing_gateways_rejects_manage_gateways",
        "A create on existing gateways accepted manage_gateways = true, which had no effect.",
    ),
    (
        "complete_move_killed_at_its_end",
        "A move to an existing VPN gateway that was killed at its end was made a second time: the inside CIDRs were taken.",
    ),
    (
        "remove_propagation_tag_with_public_subnet",
        "A public subnet that was removed left the tag of its deleted route table on the VPN gateway.",
    ),
    (
        "move_tagged_link_from_existing_to_managed_vgw",
        "A link with tags could not move from an existing VPN gateway to one of its own: each plan was rejected as outdated.",
    ),
    (
        "keep_existing_vgw_untagged_after_failed_move",
        "A failed move away from an existing VPN gateway, reverted by the next apply, put the tags of the link on that gateway.",
    ),
    (
        "keep_subnet_of_existing_gateway_after_killed_replacement",
        "After a killed replacement, the next apply tried to delete the gateway subnet of the former existing gateway.",
    ),
    (
        "replacement_removes_addresses_of_failed_update",
        "A replacement left addresses of a failed change on an existing Azure gateway.",
    ),
    (
        "remove_swapped_addresses_from_existing_gateway",
        "Addresses that two tunnels of one instance exchanged counted as addresses of another owner, and destroy left them.",
    ),
    (
        "incomplete_link_keeps_gateway_under_another_name",
        "An incomplete link with another gateway name was completed on a gateway that did not exist.",
    ),
    (
        "ignore_vpn_gateway_of_killed_move",
        "The VPN gateway that a killed move had created in an existing VPC was rejected as a foreign one.",
    ),
    (
        "taking_back_a_killed_move_deletes_its_objects",
        "A killed move to another AWS side, reverted by the next apply, left customer gateways and VPN connections that no state contained.",
    ),
    (
        "destroy_after_a_killed_move_deletes_both_sides",
        "A destroy after a killed move deleted the former AWS side only, and nothing in another region.",
    ),
    (
        "failed_replacement_continues_on_existing_gateway",
        "After a replacement that failed once it had deleted the gateway, an existing gateway in the configuration was created again.",
    ),
    (
        "rollback_after_any_failed_read_leaves_nothing",
        "A create that failed at its last read, after the incomplete tags were removed, reported a complete rollback and left the AWS side.",
    ),
];

/// What goes wrong in a run.
#[derive(Clone, Debug)]
enum Failure {
    /// A rule of the fault plan.
    Fault(String),
    /// The provider is killed at the n-th call; Terraform stores its last checkpoint or nothing.
    Killed { call: u64, after: bool, saved: bool },
    /// Ctrl-C at the n-th call.
    Interrupted(usize),
    /// A quota of EC2 is used up.
    Quota(&'static str),
    /// An attribute has a value that no cloud accepts.
    Wrong,
    /// The limit of the operation is too short.
    Timeout(&'static str),
    /// `create_before_destroy`, which one VNet has no room for.
    CreateFirst,
}

/// How many runs did what.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub applies: u64,
    pub failed: u64,
    pub replaced: u64,
    pub calls: u64,
    pub failures: BTreeMap<&'static str, u64>,
    pub story: Vec<String>,
}

impl Failure {
    fn kind(&self) -> &'static str {
        match self {
            Failure::Fault(rule) if rule.contains("forever") => "denied or refused for good",
            Failure::Fault(_) => "one failed call",
            Failure::Killed { .. } => "killed process",
            Failure::Interrupted(_) => "Ctrl-C",
            Failure::Quota(_) => "quota",
            Failure::Wrong => "wrong value",
            Failure::Timeout(_) => "timeout",
            Failure::CreateFirst => "create_before_destroy",
        }
    }

    fn random(rng: &mut Rng, draft: &mut Draft, environment: &Environment) -> Failure {
        let call = 1 + rng.below(220);
        match rng.below(12) {
            0 | 1 => Failure::Fault(format!("fail call {call} of *: once {}", pick(rng, &KINDS))),
            2 | 3 => {
                let kind = pick(rng, &["403", "refused"]);
                Failure::Fault(format!(
                    "fail call {} of {}: forever {kind}",
                    1 + rng.below(3),
                    pick(rng, &WRITES)
                ))
            }
            4 => Failure::Fault(format!(
                "fail call {call} of *: forever {}",
                pick(rng, &["dropped", "hang", "403"])
            )),
            5 | 6 => Failure::Killed {
                call,
                after: once_in(rng, 2),
                saved: once_in(rng, 2),
            },
            7 => Failure::Interrupted(call as usize),
            8 => Failure::Quota(pick(
                rng,
                &["customer gateways", "VPN gateways", "VPN connections"],
            )),
            9 => Failure::Timeout(pick(rng, &["1m", "8m", "20m", "30m"])),
            10 => Failure::CreateFirst,
            _ => Failure::wrong(rng, draft, environment),
        }
    }

    fn wrong(rng: &mut Rng, draft: &mut Draft, environment: &Environment) -> Failure {
        let own_gateway = !matches!(draft.azure, AzureEnd::Gateway { .. });
        let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let all = [
            // Azure refuses what is in another location than its network.
            ("azure.location", json!("northeurope")),
            ("azure.location", json!("no-such-place!")),
            ("azure.names.public_ip_instance1", json!("one-a")),
            (
                "azure.names.gateway",
                json!(name(&environment.azure_gateways[0])),
            ),
            (
                "azure.virtual_network_id",
                json!(format!("{}-missing", environment.networks[0])),
            ),
            (
                "azure.gateway_id",
                json!(environment.networks[0].replace("virtualNetworks", "virtualNetworkGateways")),
            ),
            (
                "azure.gateway_id",
                json!(environment.single_instance_gateway),
            ),
            // On some gateways another team has it.
            ("slot", json!(other_team::TAKEN_SLOT)),
            ("aws.vpc_id", json!("vpc-00000000000000000")),
            ("aws.vpn_gateway_id", json!("vgw-00000000000000000")),
            ("aws.transit_gateway_id", json!("tgw-00000000000000000")),
            ("aws.region", json!("eu-nowhere-1")),
            ("tags", json!({"aws:reserved": "x"})),
            ("slot", json!(77)),
            ("azure.sku", json!("Basic")),
            ("aws.asn", json!(65_515)),
        ];
        let (path, value) = pick(rng, &all);
        if own_gateway || !path.starts_with("azure.names") {
            draft.wrong.push((path, value));
        }
        Failure::Wrong
    }
}

/// One run of the property on this thread.
///
/// # Errors
/// What was not true, and what had happened by then.
pub fn run(environment: &Environment, seed: u64) -> Result<Tally, String> {
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        in_virtual_time(Box::pin(async {
            let mut world = environment.world.clone();
            world.reseed(seed);
            world.settings = Settings {
                time_scale: 30,
                growing_retry_after: true,
                ..world.settings
            };
            let sim = Sim::of(seed, world);
            let rng = Rng::seeded(seed.wrapping_mul(0x5851_F42D_4C95_7F2D));
            let mut user = User {
                sim: &sim,
                environment,
                rng,
                tally: Tally::default(),
                draft_before: None,
                draft_failed: None,
            };
            let ended = user.live().await;
            user.tally.calls = sim.sandbox.calls().len() as u64;
            ended
                .map(|()| user.tally.clone())
                .map_err(|fault| format!("{fault}\nbefore that: {:#?}", user.tally.story))
        }))
    }));
    ended.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Err(format!("panic: {}", words.unwrap_or_default()))
    })
}

struct User<'a> {
    sim: &'a Sim,
    environment: &'a Environment,
    rng: Rng,
    tally: Tally,
    /// What was last applied without an error.
    draft_before: Option<Draft>,
    /// What was applied in the run that failed.
    draft_failed: Option<Draft>,
}

impl User<'_> {
    async fn live(&mut self) -> Result<(), String> {
        let mut draft = Draft::random(&mut self.rng);
        let mut core =
            TerraformCore::new(self.sim, draft.value(self.environment), Stored::default());
        core.replacement = Replacement::DestroyFirst;
        // Half of the failures meet a create, the others a change of a link that is complete.
        if once_in(&mut self.rng, 2) {
            self.apply(&mut core, &draft, "create").await?;
            self.draft_before = Some(draft.clone());
            let changed = draft.change(&mut self.rng);
            self.tell(format!("changed {changed:?}"));
        }
        let lost = self.fail(&mut core, &mut draft).await?;
        if once_in(&mut self.rng, 4)
            && let Some(what) =
                other_team::deletes_by_hand(self.sim, &mut self.rng, &core.stored.state).await
        {
            self.tell(what);
            self.wait(SimDuration::minutes(20)).await;
        }
        self.correct(&mut draft, lost);
        self.apply(&mut core, &draft, "the apply after the correction")
            .await?;
        core.new_process();
        core.plans_empty().await?;
        self.wait(SimDuration::minutes(6)).await;
        leak_checker::tunnels_up(self.sim)?;
        core.run(&Run::Destroy)
            .await
            .map_err(|words| format!("destroy: {words}"))?;
        self.wait(SimDuration::minutes(20)).await;
        let left = differences(
            &fingerprint(self.sim, &Stored::default()),
            &self.environment.fingerprint,
        );
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!(
                "after destroy both clouds are not as before:\n{}",
                left.join("\n")
            ))
        }
    }

    fn tell(&mut self, line: String) {
        self.tally
            .story
            .push(format!("{} s: {line}", self.sim.sandbox.now().0 / 1000));
    }

    async fn wait(&self, span: SimDuration) {
        self.sim.wait(span).await;
    }

    /// An apply without trouble, and two plans after it.
    async fn apply(
        &mut self,
        core: &mut TerraformCore<'_>,
        draft: &Draft,
        what: &str,
    ) -> Result<(), String> {
        core.config = draft.value(self.environment);
        core.new_process();
        self.tell(format!("{what}: {draft:?}"));
        self.tally.applies += 1;
        let mut ended = core.run(&Run::Apply).await;
        // The process was killed between the last step and the state.
        let import = ended
            .as_ref()
            .err()
            .and_then(|words| words.split_once("terraform import ADDRESS '"));
        if let Some(id) = import
            .and_then(|(_, rest)| rest.split('\'').next())
            .map(str::to_owned)
            && core.stored.state.is_null()
        {
            self.tell(format!("imported {id}"));
            core.new_process();
            core.run(&Run::Import(id))
                .await
                .map_err(|words| format!("import: {words}"))?;
            core.new_process();
            ended = core.run(&Run::Apply).await;
        }
        // The create that was killed left objects of another AWS side, which no state names: the
        // error says to restore its settings.
        let incomplete = ended
            .as_ref()
            .err()
            .is_some_and(|words| words.contains(CONFLICTING_INCOMPLETE_LINK));
        if incomplete
            && core.stored.state.is_null()
            && let Some(failed) = self.draft_failed.clone()
        {
            self.tell("restored the settings of the killed create".to_owned());
            core.new_process();
            core.config = failed.value(self.environment);
            core.run(&Run::Apply)
                .await
                .map_err(|words| format!("restored settings: {words}"))?;
            core.new_process();
            core.config = draft.value(self.environment);
            ended = core.run(&Run::Apply).await;
        }
        self.tally.replaced +=
            u64::from(core.action == Some(super::terraform_core::Action::Replace));
        ended.map_err(|words| format!("{what}: {words}"))?;
        core.new_process();
        core.plans_empty()
            .await
            .map_err(|fault| format!("after {what}: {fault}"))
    }

    /// A run in which something goes wrong. True: the process was killed, and the state does not
    /// name what it created.
    async fn fail(
        &mut self,
        core: &mut TerraformCore<'_>,
        draft: &mut Draft,
    ) -> Result<bool, String> {
        let failure = Failure::random(&mut self.rng, draft, self.environment);
        *self.tally.failures.entry(failure.kind()).or_default() += 1;
        core.config = draft.value(self.environment);
        self.draft_failed = Some(draft.clone());
        core.new_process();
        self.tell(format!("{failure:?}: {draft:?}"));
        let (stop, mut grave, mut rule) = (Cancel::new(), Cancel::new(), None);
        match &failure {
            Failure::Fault(text) => rule = Some(text.clone()),
            Failure::Killed { call, after, .. } => {
                grave = self.sim.wire.deadly();
                rule = Some(format!(
                    "fail call {call} of *: once {}",
                    if *after { "hang-after" } else { "hang" }
                ));
            }
            Failure::Interrupted(call) => {
                self.sim.wire.stop_at(*call, &stop);
                core.cancel = stop.clone();
            }
            Failure::Quota(kind) => {
                let used_up = match *kind {
                    "customer gateways" => Quotas {
                        customer_gateways: 1,
                        ..QUOTAS
                    },
                    "VPN gateways" => Quotas {
                        vpn_gateways: 2,
                        ..QUOTAS
                    },
                    _ => Quotas {
                        vpn_connections: 1,
                        ..QUOTAS
                    },
                };
                let mut world = self.sim.sandbox.world();
                world.aws.quotas = used_up;
                // The plan cannot know, so that the apply fails.
                let denied = "fail call 1 of aws GetServiceQuota: forever 403".parse();
                world
                    .faults
                    .add(denied.map_err(|fault| format!("{fault}"))?);
            }
            Failure::Timeout(limit) => {
                let limits = json!({"create": limit, "update": limit});
                super::attributes::set(&mut core.config, "timeouts", &limits);
            }
            Failure::CreateFirst => core.replacement = Replacement::CreateFirst,
            Failure::Wrong => {}
        }
        if let Some(rule) = rule {
            self.sim
                .sandbox
                .world()
                .faults
                .add(rule.parse().map_err(|fault| format!("{rule}: {fault}"))?);
        }
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(Duration::from_secs(STOP_LIMIT)).await;
        };
        let ended = tokio::select! {
            biased;
            ended = core.run(&Run::Apply) => Some(ended),
            () = grave.cancelled() => None,
            () = too_late => return Err("it went on for more than 10 s after Ctrl-C".to_owned()),
        };
        let killed = ended.is_none();
        let saved = matches!(failure, Failure::Killed { saved: true, .. });
        if killed && saved {
            core.store_checkpoint();
        }
        self.sim.sandbox.world().faults.clear();
        self.sim.sandbox.world().aws.quotas = QUOTAS;
        self.sim.wire.calm();
        core.replacement = Replacement::DestroyFirst;
        if let Some(Err(words)) = &ended {
            self.tally.failed += 1;
            if words.contains("rule of core broken") {
                return Err(words.clone());
            }
        }
        let shown: String = format!("{ended:?}").chars().take(900).collect();
        self.tell(format!(
            "ended: {shown}; tainted: {}, deposed: {}",
            core.stored.tainted,
            core.deposed.len()
        ));
        let pause = SimDuration::seconds(5 + self.rng.below(600));
        self.wait(pause).await;
        // A process that is killed before its first checkpoint stores nothing either.
        Ok(killed && (!saved || core.stored.state.is_null()))
    }

    /// Another configuration, or the same one where the failure was not of its making.
    fn correct(&mut self, draft: &mut Draft, lost: bool) {
        draft.wrong.clear();
        let what = match (self.rng.below(6), self.draft_before.clone()) {
            (0, _) => vec!["nothing"],
            (1, Some(before)) => {
                *draft = before;
                vec!["back to what was applied"]
            }
            // What identifies a link whose state was lost has to remain, or it is lost.
            _ if lost => vec![draft.change_harmlessly(&mut self.rng)],
            _ => draft.change(&mut self.rng),
        };
        self.tell(format!("corrected {what:?}"));
    }
}
