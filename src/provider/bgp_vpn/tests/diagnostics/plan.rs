//! Errors and warnings of a plan.

use super::{azure, gateway, samples};
use crate::aws::credentials::ExpiringKeys;
use crate::aws::model::VpcId;
use crate::provider::bgp_vpn::change_set::ChangeSet;
use crate::provider::bgp_vpn::model::Model;
use crate::provider::bgp_vpn::other_links::{other_links_interrupted, other_links_lose_sessions};
use crate::provider::bgp_vpn::private_state::PrivateState;
use crate::provider::bgp_vpn::replacing_attributes::{drifted_warning, late_replacement};
use crate::provider::bgp_vpn::resume::{missing_moved_block, resume_warning};
use crate::provider::bgp_vpn::stale_plan::outdated_plan;
use crate::provider::bgp_vpn::{
    claims, existing_link, expiring_keys, plan_conflicts, public_subnet,
};
use bgp_vpn::claim::{Claim, ClaimConflict, SharedGateway};
use bgp_vpn::conflict::Conflict;
use bgp_vpn::inside_cidr::Slot;
use bgp_vpn::tunnel::TunnelKey;
use std::collections::BTreeSet;
use std::time::Duration;
use terraform_plugin::{Diagnostic, Value};

fn claim_conflicts() -> Vec<Diagnostic> {
    let cidr = *Slot::default().inside_cidrs().get(TunnelKey::ALL[0]);
    let other = Claim {
        name: "office".into(),
        network: None,
        gateway: None,
        makes_gateway: true,
        aws: None,
        inside_cidrs: BTreeSet::from([cidr]),
        objects: BTreeSet::new(),
        vpc_ranges: Vec::new(),
        demand: Default::default(),
    };
    let conflicts = samples!(ClaimConflict {
        ClaimConflict::AzureGateway(_) => ClaimConflict::AzureGateway(azure("virtualNetworks", "vnet1")),
        ClaimConflict::VpnGateway(_) => ClaimConflict::VpnGateway(VpcId("vpc-1".into())),
        ClaimConflict::InsideCidr { .. } => ClaimConflict::InsideCidr { cidr, gateway: SharedGateway::Azure },
        ClaimConflict::Object(_) => ClaimConflict::Object(azure("connections", "prod")),
    });
    conflicts
        .iter()
        .map(|conflict| claims::diagnostic(conflict, &other, &other.inside_cidrs))
        .collect()
}

fn conflicts() -> Vec<Diagnostic> {
    let objects = || "vpn-1, cgw-1".to_owned();
    let endpoint = || "vgw-1 in eu-west-1".to_owned();
    let free = || "1, 2, 3".to_owned();
    let cidr = *Slot::default().inside_cidrs().get(TunnelKey::ALL[0]);
    let conflicts = samples!(Conflict {
        Conflict::OtherLink { .. } => Conflict::OtherLink { endpoint: endpoint(), objects: objects(), free: free() },
        Conflict::IncompleteLink { .. } => {
            Conflict::IncompleteLink { endpoint: endpoint(), objects: objects(), free: free() }
        },
        Conflict::Complete { .. } => Conflict::Complete {
            id: format!("{},{cidr}@eu-west-1", gateway()),
            objects: objects(),
            free: free(),
        },
        Conflict::InsideCidr { .. } => {
            Conflict::InsideCidr { cidr, connection: azure("connections", "branch").to_string(), free: free() }
        },
        Conflict::Name(_) => Conflict::Name(azure("connections", "prod").to_string()),
    });
    conflicts
        .iter()
        .map(existing_link::conflict_diagnostic)
        .collect()
}

fn state() -> Value {
    let azure = [
        ("asn", Value::from(65_000_u32)),
        ("connection_mode", "ResponderOnly".into()),
        ("gateway_id", gateway().to_string().into()),
        ("generation", "Generation1".into()),
        ("resource_group_name", "prod-rg".into()),
        ("sku", "VpnGw1AZ".into()),
    ];
    let aws = [
        ("asn", Value::from(64_512_u32)),
        ("enable_acceleration", false.into()),
        ("public_subnet_id", "subnet-1".into()),
        ("region", "eu-west-1".into()),
        ("tunnel_bandwidth", "standard".into()),
        (
            "vpc",
            Value::object([("public_subnet_cidr_block", "10.2.1.0/24")]),
        ),
        ("vpn_gateway_id", "vgw-1".into()),
    ];
    Value::object([
        ("name", Value::from("prod")),
        ("azure", Value::object(azure)),
        ("aws", Value::object(aws)),
        ("manage_gateways", false.into()),
        ("rotate_keys", "2026-10".into()),
        ("preshared_keys_wo_version", 1_u32.into()),
    ])
}

/// The warnings of a change of one attribute.
fn changes(path: &str, value: impl Into<Value>, private: &PrivateState) -> Vec<Diagnostic> {
    let (prior, mut planned) = (state(), state());
    planned.set_at(&path.into(), value);
    let changes = ChangeSet {
        prior: &Model::read(&prior),
        planned: &Model::read(&planned),
    };
    changes
        .warnings(private)
        .into_iter()
        .chain(public_subnet::warning(changes))
        .collect()
}

/// The warning of another route table of a transit gateway.
fn interrupted_routes() -> Vec<Diagnostic> {
    let mut prior = state();
    prior.set_at(&"aws.transit_gateway_id".into(), "tgw-1");
    let mut planned = prior.clone();
    let table = "aws.transit_gateway_association_route_table_id";
    planned.set_at(&table.into(), "tgw-rtb-1");
    let (prior, planned) = (Model::read(&prior), Model::read(&planned));
    ChangeSet {
        prior: &prior,
        planned: &planned,
    }
    .warnings(&PrivateState::default())
    .into_iter()
    .collect()
}

/// The warning of an update whose Azure gateway was deleted.
fn recreated_gateway() -> Vec<Diagnostic> {
    let mut prior = state();
    prior.set_at(&"azure.gateway_id".into(), Value::Null);
    let prior = Model::read(&prior);
    ChangeSet {
        prior: &prior,
        planned: &prior,
    }
    .warnings(&PrivateState::default())
    .into_iter()
    .collect()
}

pub fn diagnostics() -> Vec<Diagnostic> {
    let (prior, mut planned) = (state(), state());
    planned.set_at(&"azure.sku".into(), "VpnGw2AZ");
    let mut found = claim_conflicts();
    found.extend(conflicts());
    found.push(late_replacement(&"azure.sku".into(), &prior, &planned));
    found.push(outdated_plan(&[
        "the VPN connection to instance0 is missing".into(),
    ]));
    found.push(drifted_warning(&"azure.sku".into(), &planned, &prior));
    found.push(resume_warning(false));
    found.push(resume_warning(true));
    let keys = ExpiringKeys {
        valid_for: Duration::from_secs(25 * 60),
        known_from: "AWS_CREDENTIAL_EXPIRATION".into(),
    };
    found.extend(expiring_keys::warning(&keys, &Model::read(&prior), false));
    found.push(plan_conflicts::region_kept("eu-west-1", "us-east-1"));
    found.push(missing_moved_block("network/prod"));
    let others = [
        "link \"branch\"".to_owned(),
        "connection to-office".to_owned(),
    ];
    found.push(other_links_lose_sessions(&others));
    found.push(other_links_interrupted(&others));
    let net = |text: &str| text.parse().unwrap();
    found.push(claims::overlapping_vpcs(
        net("10.2.0.0/16"),
        net("10.2.128.0/17"),
        "office",
    ));
    found.push(existing_link::adopted_objects(&[
        "vpn-1".into(),
        "cgw-1".into(),
    ]));
    let private = PrivateState::default();
    found.extend(changes(
        "aws.vpc.public_subnet_cidr_block",
        "10.2.2.0/24",
        &private,
    ));
    found.extend(changes(
        "aws.vpc.public_subnet_cidr_block",
        Value::Null,
        &private,
    ));
    found.extend(changes("azure.generation", "Generation2", &private));
    found.extend(recreated_gateway());
    found.extend(changes("aws.region", "us-east-1", &private));
    found.extend(changes("azure.asn", 65_001_u32, &private));
    found.extend(changes("azure.sku", "VpnGw2AZ", &private));
    found.extend(changes("aws.enable_acceleration", true, &private));
    found.extend(changes("aws.tunnel_bandwidth", "large", &private));
    found.extend(interrupted_routes());
    found.extend(changes("azure.connection_mode", "Default", &private));
    found.extend(changes("rotate_keys", "2026-11", &private));
    found.extend(changes("preshared_keys_wo_version", 2_u32, &private));
    found.extend(changes("manage_gateways", true, &private));
    let repairs = PrivateState {
        interrupts: vec!["instance0_tunnel1 (vpn-1)".into()],
        ..PrivateState::default()
    };
    found.extend(changes("name", "prod", &repairs));
    found
}
