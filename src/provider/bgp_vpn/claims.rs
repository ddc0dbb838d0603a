//! What the links of this process take for themselves. One provider process plans all links of a
//! configuration, and one applies them, so two links that exclude each other are rejected before
//! either is created.
//!
//! Terraform names no address in PlanResourceChange. A link with a state is identified by its `id`,
//! a new link by the hash of its configuration. The private data of a plan carries that identity to
//! the plan of a replacement and to the apply.

use super::attribute_paths::value_path;
use super::expand::{endpoint, lookup_scope, subscription};
use super::model::Model;
use super::object_names::{azure_name, azure_names};
use super::private_state::{PrivateState, to_json};
use super::schema::AZURE_NAMES;
use crate::azure::id::ResourceId;
use crate::provider::summaries;
use bgp_vpn::account::Demand;
use bgp_vpn::claim::{Claim, ClaimConflict, format_slots, free_slots};
use bgp_vpn::config::{AttributeId, Config};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::managed::Kind;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::preflight::PreflightSnapshot;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use terraform_plugin::{Diagnostic, Diagnostics, Value};

/// Identity of the link that holds a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHolder(String);

impl ClaimHolder {
    /// The holder of a plan or an apply.
    pub fn of(prior: Option<&Model>, private: &PrivateState, config: &Model) -> Self {
        let carried = private.holder.clone().map(ClaimHolder);
        let link = private.of_state().link;
        carried
            .or_else(|| Self::in_state(prior?, link.as_ref()))
            .unwrap_or_else(|| Self::of_config(config))
    }

    /// Two links may have the same `id` attribute: one that moved to another slot, and one that was
    /// created in its former slot. Their ownership tags differ.
    fn in_state(state: &Model, link: Option<&LinkId>) -> Option<Self> {
        let link = link.map(LinkId::as_str).unwrap_or_default();
        let id = state.link.id.known();
        id.map(|id| ClaimHolder(format!("id:{} {link}", id.to_lowercase())))
    }

    fn of_config(config: &Model) -> Self {
        let mut config = config.value().clone();
        config.set("preshared_keys_wo", Value::Null);
        let digest = aws_lc_rs::digest::digest(
            &aws_lc_rs::digest::SHA256,
            to_json(&config).to_string().as_bytes(),
        );
        let words: String = digest
            .as_ref()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        ClaimHolder(format!("new:{words}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Debug)]
struct ClaimEntry {
    holder: ClaimHolder,
    claim: Claim,
    /// A create with this claim has started in this process.
    creates: bool,
}

/// The claims of one process.
#[derive(Debug, Default)]
pub struct Claims {
    entries: Mutex<Vec<ClaimEntry>>,
}

impl Claims {
    fn entries(&self) -> MutexGuard<'_, Vec<ClaimEntry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what a plan takes in place of what the same link took before. `taken`: inside CIDRs
    /// in use on the gateway.
    pub fn plan(
        &self,
        holder: &ClaimHolder,
        claim: Claim,
        taken: &BTreeSet<InsideCidr>,
    ) -> Diagnostics {
        let mut entries = self.entries();
        entries.retain(|entry| entry.holder != *holder || entry.creates);
        let others = entries.iter().filter(|entry| entry.holder != *holder);
        let clash = others
            .clone()
            .find_map(|entry| Some((claim.conflict(&entry.claim)?, &entry.claim)));
        let diagnostics = clash.map(|(clash, other)| {
            let others = others.filter(|entry| claim.shares_gateway(&entry.claim).is_some());
            let used = others.flat_map(|entry| entry.claim.inside_cidrs.iter().copied());
            diagnostic(&clash, other, &used.chain(taken.iter().copied()).collect())
        });
        entries.push(ClaimEntry {
            holder: holder.clone(),
            claim,
            creates: false,
        });
        diagnostics.into_iter().collect()
    }

    /// Warns of a link that was planned before and whose VPC has the same addresses.
    pub fn overlap_warning(&self, holder: &ClaimHolder) -> Option<Diagnostic> {
        let entries = self.entries();
        let own = entries.iter().rfind(|entry| entry.holder == *holder)?;
        let before = entries.iter().filter(|entry| entry.holder != *holder);
        before.into_iter().find_map(|other| {
            let (range, others) = own.claim.overlapping_range(&other.claim)?;
            Some(overlapping_vpcs(range, others, &other.claim.name))
        })
    }

    /// What the links that were planned before this one add to quotas. None while an apply runs in
    /// this process: a part of that exists then, and counts already.
    pub fn planned_before(&self, holder: &ClaimHolder) -> Option<Vec<Demand>> {
        let entries = self.entries();
        if entries.iter().any(|entry| entry.creates) {
            return None;
        }
        let before = entries.iter().take_while(|entry| entry.holder != *holder);
        Some(before.map(|entry| entry.claim.demand.clone()).collect())
    }

    /// Records what an apply takes. Rejects a second create with the same claim, which only two
    /// identical blocks ask for.
    pub fn apply(&self, holder: &ClaimHolder, claim: Claim, creates: bool) -> Diagnostics {
        let twin = {
            let mut entries = self.entries();
            let twin = entries
                .iter()
                .filter(|entry| creates && entry.creates && entry.holder == *holder);
            let clash = twin
                .clone()
                .find_map(|entry| Some((claim.conflict(&entry.claim)?, &entry.claim)));
            let diagnostics =
                clash.map(|(clash, other)| diagnostic(&clash, other, &other.inside_cidrs));
            for entry in entries
                .iter_mut()
                .filter(|entry| entry.holder == *holder && entry.claim == claim)
            {
                entry.creates |= creates;
            }
            diagnostics
        };
        match twin {
            Some(diagnostics) => diagnostics.into(),
            None => {
                let diagnostics = self.plan(holder, claim, &BTreeSet::new());
                let mut entries = self.entries();
                if let Some(entry) = entries.last_mut().filter(|entry| entry.holder == *holder) {
                    entry.creates = creates;
                }
                diagnostics
            }
        }
    }

    /// After an apply: the link is identified by its state, or holds nothing any more.
    pub fn finish(&self, holder: &ClaimHolder, state: &Model, link: Option<&LinkId>) {
        let mut entries = self.entries();
        match ClaimHolder::in_state(state, link) {
            Some(known) => entries
                .iter_mut()
                .filter(|entry| entry.holder == *holder)
                .for_each(|entry| {
                    entry.holder = known.clone();
                }),
            None => entries.retain(|entry| entry.holder != *holder),
        }
    }

    /// After a destroy.
    pub fn release(&self, state: &Model, link: Option<&LinkId>) {
        if let Some(holder) = ClaimHolder::in_state(state, link) {
            self.entries().retain(|entry| entry.holder != holder);
        }
    }
}

pub fn overlapping_vpcs(range: Ipv4Net, others: Ipv4Net, link: &str) -> Diagnostic {
    Diagnostic::warning(summaries::OVERLAPPING_VPCS)
        .detail(format!(
            "The VPC of this link has the range {range}, and that of the link {link:?} on the same Azure gateway has {others}. For \
             an address in both ranges, Azure may choose either link, and so reach the wrong VPC. Use VPCs with different ranges on one gateway."
        ))
        .at(value_path(&AttributeId::VpcCidr))
}

pub fn diagnostic(
    clash: &ClaimConflict,
    other: &Claim,
    taken: &BTreeSet<InsideCidr>,
) -> Diagnostic {
    let end = other
        .aws
        .as_ref()
        .map(|aws| format!(" (AWS side: {aws})"))
        .unwrap_or_default();
    let other = format!("the link {:?}{end} of this configuration", other.name);
    let error = |summary: &str, detail: String, attribute: AttributeId| {
        Diagnostic::error(summary)
            .detail(detail)
            .at(value_path(&attribute))
    };
    match clash {
        ClaimConflict::InsideCidr { cidr, gateway } => error(
            summaries::CONFLICTING_SLOT,
            format!(
                "Inside CIDR {cidr} is also used by {other}, on {gateway}. Every link on a gateway needs its own slot. Set another slot. \
                 Free slots: {}.",
                format_slots(&free_slots(taken))
            ),
            AttributeId::Slot,
        ),
        ClaimConflict::AzureGateway(network) => error(
            summaries::CONFLICTING_AZURE_GATEWAYS,
            format!(
                "This link and {other} would both create the VPN gateway of {network}. A virtual network has one VPN gateway. \
                 Let one link create it, and set azure.gateway_id of the other to that gateway, with another slot."
            ),
            AttributeId::AzureGateway,
        ),
        ClaimConflict::VpnGateway(vpc) => error(
            summaries::CONFLICTING_VPN_GATEWAYS,
            format!(
                "This link and {other} would both create the virtual private gateway of {vpc}. A VPC has one virtual private \
                 gateway. Let one link create it, and set aws.vpn_gateway_id of the other to that gateway."
            ),
            AttributeId::VpnGateway,
        ),
        ClaimConflict::Object(id) => error(
            summaries::CONFLICTING_NAMES,
            format!(
                "This link and {other} would both create {id}. Set another name, or other names in azure.names."
            ),
            AttributeId::AzureNames,
        ),
    }
}

/// What a plan takes; None while the addresses are unknown.
pub fn claim(
    planned: &Model,
    prior: Option<&Model>,
    private: &PrivateState,
    provider_subscription: Option<String>,
) -> Option<Claim> {
    let found = lookup_scope(planned, private, provider_subscription.clone(), false)?;
    let given = private.provenance.azure_gateway_is_existing;
    let objects = match prior {
        Some(prior) => existing_objects(prior),
        None => {
            let subscription = subscription(planned, provider_subscription);
            new_objects(planned, given, subscription).unwrap_or_default()
        }
    };
    Some(Claim {
        name: planned.name.known().cloned().unwrap_or_default(),
        network: found.known.network,
        gateway: found.known.azure_gateway,
        makes_gateway: !given,
        aws: endpoint(planned, private),
        inside_cidrs: found.inside_cidrs.iter().map(|(_, cidr)| *cidr).collect(),
        objects,
        vpc_ranges: Vec::new(),
        demand: Demand::default(),
    })
}

/// Azure objects that a state holds.
fn existing_objects(state: &Model) -> BTreeSet<ResourceId> {
    let kinds = [
        Kind::AzureVirtualNetwork,
        Kind::AzureGateway,
        Kind::AzurePublicIp,
    ];
    let managed = &state.link.managed;
    let ends = [Kind::AzureLocalGateway, Kind::AzureConnection];
    kinds
        .into_iter()
        .chain(ends)
        .flat_map(|kind| managed.ids(kind))
        .filter_map(|id| ResourceId::parse(id).ok())
        .collect()
}

/// Azure objects that a create names.
fn new_objects(
    planned: &Config,
    given: bool,
    subscription: Option<String>,
) -> Option<BTreeSet<ResourceId>> {
    let subscription = subscription?;
    let group = planned.group.known()?;
    let names = azure_names(planned, planned.name.known()?);
    let id = |kind: &str, name: &str| ResourceId::network(&subscription, group, kind, name);
    let kind_of = |attribute: &str| match attribute {
        "gateway" => "virtualNetworkGateways",
        name if name.starts_with("public_ip_") => "publicIPAddresses",
        name if name.starts_with("local_gateway_") => "localNetworkGateways",
        _ => "connections",
    };
    let own = |kind: &str| !given || matches!(kind, "localNetworkGateways" | "connections");
    let named = AZURE_NAMES
        .iter()
        .filter_map(|(attribute, _)| Some((kind_of(attribute), azure_name(&names, attribute)?)));
    let mut objects: BTreeSet<ResourceId> = named
        .filter(|(kind, _)| own(kind))
        .map(|(kind, name)| id(kind, name))
        .collect();
    let network = planned.network_name();
    objects.extend(network.known().map(|name| id("virtualNetworks", name)));
    Some(objects)
}

/// Inside CIDRs that connections of the gateway use, those of this link left out.
pub fn taken(snapshot: &PreflightSnapshot, own: &[String]) -> BTreeSet<InsideCidr> {
    let connections = snapshot
        .connections
        .iter()
        .chain(&snapshot.network_connections);
    let others = connections.filter(|c| {
        !own.iter()
            .any(|id| id.eq_ignore_ascii_case(c.resource.id.as_str()))
    });
    let addresses: BTreeSet<_> = others
        .flat_map(|c| c.custom_bgp_ips.iter().map(|(_, ip)| *ip))
        .collect();
    bgp_vpn::preflight::inside_addresses::inside_cidrs_with(&addresses)
}
