//! Random configurations with unknowns, planned and applied one after the other.

use super::core::{Core, differences};
use super::{VNET, nine_lines, with};
use terraform_plugin::{AttributePath, Value};

/// A small generator (xorshift): the same seed gives the same walk.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

fn choices() -> Vec<(&'static str, Vec<Value>)> {
    let text = |words: &[&str]| words.iter().map(|w| Value::from(*w)).collect::<Vec<_>>();
    let number = |numbers: &[u32]| numbers.iter().map(|n| Value::from(*n)).collect::<Vec<_>>();
    vec![
        ("name", text(&["a", "b"])),
        ("azure.virtual_network_id", text(&[VNET])),
        (
            "azure.create_resource_group",
            vec![true.into(), false.into()],
        ),
        ("azure.location", text(&["westeurope", "West Europe"])),
        ("azure.sku", text(&["VpnGw2AZ", "VpnGw3AZ", "VpnGw1AZ"])),
        ("azure.asn", number(&[65_000, 65_515])),
        (
            "azure.connection_mode",
            text(&["Default", "ResponderOnly", "InitiatorOnly"]),
        ),
        ("azure.dpd_timeout_seconds", number(&[45, 60])),
        (
            "azure.names",
            vec![
                Value::object([("gateway", "gw")]),
                Value::object([("gateway", Value::unknown())]),
            ],
        ),
        ("aws.vpc_id", text(&["vpc-1", "vpc-2"])),
        ("aws.region", text(&["eu-west-1", "us-east-1"])),
        ("aws.asn", number(&[64_512, 64_600])),
        (
            "aws.route_table_ids",
            vec![
                Value::set_of(["rtb-1"]),
                Value::Set(vec![Value::unknown()]),
                Value::Set(Vec::new()),
            ],
        ),
        ("aws.dpd_timeout_seconds", number(&[30, 40])),
        ("slot", number(&[0, 1, 31])),
        (
            "inside_cidrs.instance0_tunnel1",
            text(&["169.254.21.128/30", "169.254.22.132/30"]),
        ),
        (
            "inside_cidrs.instance1_tunnel2",
            text(&["169.254.21.140/30"]),
        ),
        (
            "ipsec_policy.preset",
            text(&["strong", "compatible", "cloud_default"]),
        ),
        ("ipsec_policy.dh_group", number(&[14, 19])),
        ("wait_for_bgp", vec![true.into(), false.into()]),
        ("rotate_keys", text(&["2026-10", "2026-11"])),
        ("on_create_failure", text(&["keep", "rollback"])),
        ("allow_overlapping_prefixes", vec![true.into()]),
        (
            "tags",
            vec![
                Value::map([("a", "b")]),
                Value::map([("a", Value::unknown())]),
            ],
        ),
        ("timeouts", vec![Value::object([("create", "1h")])]),
    ]
}

/// Everything unknown becomes null or one of the choices.
fn configuration(dice: &mut Dice) -> (Value, Value) {
    let (mut plan, mut apply) = (nine_lines(), nine_lines());
    for (path, values) in choices() {
        let known = &values[dice.roll(values.len())];
        let required = matches!(path, "name" | "azure.virtual_network_id" | "aws.vpc_id");
        match dice.roll(6) {
            0 => {
                plan = with(plan, path, Value::unknown());
                if dice.roll(3) > 0 || required {
                    apply = with(apply, path, resolved(known));
                }
            }
            1 | 2 => {
                (plan, apply) = (
                    with(plan, path, known.clone()),
                    with(apply, path, resolved(known)),
                )
            }
            _ => {}
        }
    }
    if dice.roll(4) == 0 {
        (plan, apply) = on_transit_gateway(dice, plan, apply);
    }
    if dice.roll(12) == 0 {
        let part = [
            "azure",
            "ipsec_policy",
            "inside_cidrs",
            "aws.names",
            "timeouts",
        ][dice.roll(5)];
        plan = with(plan, part, Value::unknown());
    }
    (plan, apply)
}

/// The same link with a transit gateway as its AWS end, which may be known at apply only.
fn on_transit_gateway(dice: &mut Dice, plan: Value, apply: Value) -> (Value, Value) {
    let of_vpc = ["aws.vpc_id", "aws.asn", "aws.route_table_ids"];
    let bare = |config: Value| {
        of_vpc
            .iter()
            .fold(config, |config, path| with(config, path, Value::Null))
    };
    let id = Value::from(["tgw-1", "tgw-2"][dice.roll(2)]);
    let at_plan = if dice.roll(3) == 0 {
        Value::unknown()
    } else {
        id.clone()
    };
    (
        with(bare(plan), "aws.transit_gateway_id", at_plan),
        with(bare(apply), "aws.transit_gateway_id", id),
    )
}

fn resolved(value: &Value) -> Value {
    match value {
        Value::Unknown(_) => "rtb-9".into(),
        Value::Set(items) => Value::Set(items.iter().map(resolved).collect()),
        Value::Map(items) => Value::Map(
            items
                .iter()
                .map(|(k, v)| (k.clone(), resolved(v)))
                .collect(),
        ),
        Value::Object(items) => Value::Object(
            items
                .iter()
                .map(|(k, v)| (k.clone(), resolved(v)))
                .collect(),
        ),
        known => known.clone(),
    }
}

#[tokio::test]
async fn plans_with_unknowns_are_valid_and_kept() {
    let (mut applied, mut refused) = (0, 0);
    for seed in 1..150_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut core = Core::new();
        for _ in 0..4 {
            let (at_plan, at_apply) = configuration(&mut dice);
            let diagnostics = core.apply_with(&at_plan, &at_apply).await;
            if diagnostics.has_errors() {
                refused += 1;
                continue;
            }
            applied += 1;
            core.refresh().await;
            let again = core.plan(&at_apply).await;
            if !again.diagnostics.has_errors() {
                let differs = differences(&again.planned, &core.state, AttributePath::empty());
                assert!(differs.is_empty(), "seed {seed}: {differs:?}");
            }
        }
    }
    assert!(
        applied > 3 * refused,
        "{applied} applied, {refused} refused"
    );
}

#[tokio::test]
async fn accept_configuration_of_unknowns_only() {
    let mut config = Value::object([
        ("name", Value::unknown()),
        ("azure", Value::unknown()),
        ("aws", Value::unknown()),
    ]);
    for name in [
        "slot",
        "inside_cidrs",
        "ipsec_policy",
        "tags",
        "timeouts",
        "manage_gateways",
        "preshared_keys_wo",
        "preshared_keys_wo_version",
    ] {
        config.set(name, Value::unknown());
    }
    let plan = Core::new().plan(&config).await;
    assert!(plan.diagnostics.is_empty(), "{:?}", plan.diagnostics);
    for (path, _) in choices() {
        let plan = Core::new()
            .plan(&with(nine_lines(), path, Value::unknown()))
            .await;
        assert!(
            !plan.diagnostics.has_errors(),
            "{path}: {:?}",
            plan.diagnostics
        );
    }
}
