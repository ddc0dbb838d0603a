//! What an apply takes down. The apply carries it out, and the plan announces the very same.

use super::change_set::ChangeSet;
use super::default_options::inside_cidrs;
use super::expand::{ExpandInputs, KeyInputs, endpoint, expand_spec, link_id, subscription};
use super::flatten::own_bgp_addresses;
use super::kept::Kept;
use super::model::{Model, read_config};
use super::private_state::PrivateState;
use super::public_subnet;
use crate::aws::model::{Region, RouteTableId};
use crate::azure::id::ResourceId;
use crate::provider::summaries;
use bgp_vpn::action::Verb;
use bgp_vpn::blockers::managed_id;
use bgp_vpn::config::{Attr, AttributeId, Config, VirtualNetworkConfig};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::lookup::TeardownSpec;
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{AwsEndpoint, propagation_tag};
use bgp_vpn::plan::plan_actions;
use bgp_vpn::spec::Removals;
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::types::Tags;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use terraform_plugin::Diagnostic;

/// A VPC that the link creates, and what it creates in it.
const AWS_NETWORK: [Kind; 4] = [
    Kind::AwsVpc,
    Kind::AwsInternetGateway,
    Kind::AwsSubnet,
    Kind::AwsRouteTable,
];

/// What to take down of a state. Addresses are taken off the Azure gateway only where it stays.
pub fn teardown_spec(
    state: &Model,
    private: &PrivateState,
    managed: Managed,
    subscription: String,
) -> TeardownSpec {
    let cidrs = inside_cidrs(state);
    let first = TunnelKey {
        instance: Instance::Zero,
        number: 1,
    };
    let link = resource_id(&state.network_id).zip(cidrs.as_ref());
    let link =
        link.map(|(network, cidrs)| link_id(&state.link, private, &network, *cidrs.get(first)));
    let managed = without_networks_of_gateways(state, managed);
    let stays = managed.ids(Kind::AzureGateway).next().is_none();
    TeardownSpec {
        link: link
            .or_else(|| private.link.clone())
            .unwrap_or_else(|| bgp_vpn::ownership_tags::LinkId::from_tag("")),
        region: Region(state.region.known().cloned().unwrap_or_default()),
        resource_group: state.group.known().cloned().unwrap_or_default(),
        azure_gateway: resource_id(&state.gateway_id),
        own_bgp_addresses: if stays {
            own_bgp_addresses(state, private)
        } else {
            Vec::new()
        },
        managed,
        subscription,
        subnets: recorded_subnets(state, private),
        hands_over: None,
        stays: Managed::default(),
        moves_to: None,
    }
}

/// `manage_gateways = false` leaves the gateways that the link created, and with them the networks
/// and the resource group in which they are: no cloud deletes a network that contains a gateway, so
/// a teardown that tried would never end. A link on an existing gateway creates no network for it,
/// and its own resource group is another one.
fn without_networks_of_gateways(state: &Config, managed: Managed) -> Managed {
    if state.manage_gateways != Attr::Known(false) {
        return managed;
    }
    let gateway = resource_id(&state.gateway_id);
    let contains_gateway = |group: &str| {
        let group = group.rsplit('/').next().unwrap_or_default();
        gateway
            .as_ref()
            .is_some_and(|gateway| gateway.resource_group().eq_ignore_ascii_case(group))
    };
    let vpc_stays = state.vpn_gateway_id.is_set();
    let stays = |kind: Kind, id: &str| match kind {
        Kind::AzureResourceGroup => contains_gateway(id),
        Kind::AzureVirtualNetwork | Kind::AzureSubnet => gateway.is_some(),
        kind => vpc_stays && AWS_NETWORK.contains(&kind),
    };
    let mut left = Managed::default();
    for (kind, ids) in &managed.0 {
        ids.iter()
            .filter(|id| !stays(*kind, id))
            .for_each(|id| left.add(*kind, id));
    }
    left
}

/// What a destroy with `manage_gateways = false` leaves of the AWS side that the link created.
pub fn staying_aws_objects(state: &Config, private: &PrivateState, before: &Managed) -> Managed {
    let mut stays = Managed::default();
    let Attr::Known(gateway) = &state.vpn_gateway_id else {
        return stays;
    };
    if state.manage_gateways != Attr::Known(false) || private.provenance.vpn_gateway_is_existing {
        return stays;
    }
    stays.add(Kind::AwsVpnGateway, gateway);
    let deleted = without_networks_of_gateways(state, before.clone());
    for kind in AWS_NETWORK {
        before
            .ids(kind)
            .filter(|id| !deleted.has(kind, id))
            .for_each(|id| stays.add(kind, id));
    }
    stays
}

/// Subnets of a VNet that the link creates, by the state and by what was applied last: an update
/// that failed may be in between.
fn recorded_subnets(state: &Config, private: &PrivateState) -> BTreeSet<String> {
    let applied = read_config(&private.applied).network;
    let mut subnets = subnet_names(&state.network);
    subnets.extend(subnet_names(&applied));
    subnets
}

fn resource_id(id: &Attr<String>) -> Option<ResourceId> {
    ResourceId::parse(id.known()?).ok()
}

/// What goes of the AWS half before it is recreated; of a link that stays on its transit gateway,
/// the VPC alone.
pub fn aws_teardown(
    changes: ChangeSet<'_>,
    before: &Managed,
    private: &PrivateState,
    subscription: &str,
) -> TeardownSpec {
    let gateway = changes.any_changed(&[AttributeId::VpnGateway, AttributeId::AwsAsn]);
    let network = changes.any_changed(&[AttributeId::VpcId, AttributeId::Region]);
    let ends = !changes.drops_vpc();
    let goes = |kind: &Kind| match kind {
        Kind::AwsVpnConnection | Kind::AwsCustomerGateway | Kind::AwsRoutePropagation => ends,
        Kind::AwsVpnGateway => ends && (gateway || network),
        Kind::AwsVpc | Kind::AwsInternetGateway | Kind::AwsSubnet | Kind::AwsRouteTable => network,
        _ => false,
    };
    let managed = before
        .0
        .iter()
        .filter(|(kind, _)| goes(kind))
        .map(|(kind, ids)| (*kind, ids.clone()))
        .collect();
    let mut teardown = teardown_spec(
        changes.prior,
        private,
        Managed(managed),
        subscription.to_owned(),
    );
    teardown.azure_gateway = None;
    teardown.own_bgp_addresses.clear();
    let (former, planned) = (
        endpoint(changes.prior, &private.of_state()),
        endpoint(changes.planned, private),
    );
    teardown.moves_to = planned.filter(|planned| former.as_ref() != Some(planned));
    teardown
}

/// What the link has put somewhere and is not to have there any more. Only what was last applied
/// counts as put there by it.
pub fn removals(changes: ChangeSet<'_>, private: &PrivateState, before: &Managed) -> Removals {
    let (prior, target) = (changes.prior, changes.planned);
    let applied = read_config(&private.applied);
    let placed = |cidrs: Option<PerTunnel<InsideCidr>>| {
        let cidrs = cidrs
            .iter()
            .flat_map(PerTunnel::iter)
            .collect::<Vec<_>>()
            .into_iter();
        cidrs
            .map(|(key, cidr)| (key.instance, cidr.azure_ip()))
            .collect::<BTreeSet<_>>()
    };
    let last = inside_cidrs(&applied).or_else(|| inside_cidrs(prior));
    let mut addresses = placed(last);
    let instance = |index: usize| {
        Instance::ALL
            .into_iter()
            .find(|instance| instance.index() == index)
    };
    addresses.extend(
        private
            .pending_removals
            .iter()
            .filter_map(|(index, ip)| Some((instance(*index)?, *ip))),
    );
    let wanted = placed(inside_cidrs(target));
    addresses.retain(|at| {
        !wanted.contains(at) && !private.provenance.preexisting_addresses.contains(&at.1)
    });
    let tables = target.route_tables.known();
    let hands_off = tables.is_some_and(Vec::is_empty);
    // The public subnet's table is deleted with it.
    let goes = public_subnet::goes(changes);
    let unwanted = |table: &str| {
        tables.is_some_and(|ids| {
            !ids.iter()
                .any(|id| id.known().is_some_and(|id| id == table))
        }) || goes && before.has(Kind::AwsRouteTable, table)
    };
    let own = || {
        before
            .ids(Kind::AwsRoutePropagation)
            .filter_map(|id| id.split_once('/'))
    };
    let unmarked = own()
        .filter(|(table, _)| unwanted(table))
        .map(|(table, gateway)| propagation_tag(table, gateway).0);
    let tables = own()
        .filter(|_| !hands_off)
        .map(|(table, _)| RouteTableId(table.to_owned()));
    let last = if applied.network.is_set() {
        &applied.network
    } else {
        &prior.network
    };
    let had = ranges(last);
    let subnets = subnet_names(last);
    let keys = |settings: &Config| -> BTreeSet<String> {
        let tags = settings.tags.known().into_iter().flatten();
        tags.map(|(key, _)| key.clone()).collect()
    };
    let (carried, wanted) = (keys(prior), keys(target));
    Removals {
        addresses,
        route_tables: tables.collect(),
        address_space: had.difference(&ranges(&target.network)).copied().collect(),
        subnets: subnets
            .difference(&subnet_names(&target.network))
            .cloned()
            .collect(),
        public_subnet: public_subnet::replaces(changes),
        tags: carried
            .difference(&wanted)
            .cloned()
            .chain(unmarked)
            .collect(),
    }
}

/// Ranges of a VNet that a link creates.
fn ranges(network: &Attr<VirtualNetworkConfig>) -> BTreeSet<Ipv4Net> {
    let space = network.known().and_then(|it| it.address_space.known());
    let ranges = space.into_iter().flatten();
    ranges
        .filter_map(|range| range.known()?.parse().ok())
        .collect()
}

/// Subnets of a VNet that a link creates.
fn subnet_names(network: &Attr<VirtualNetworkConfig>) -> BTreeSet<String> {
    let subnets = network.known().and_then(|it| it.subnets.known());
    subnets
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// What an apply of a destroy plan, or the delete half of a replacement, deletes.
pub fn full_removal(state: &Model, private: &PrivateState, provider: Option<String>) -> Managed {
    let subscription = subscription(state, provider).unwrap_or_default();
    let mut removed =
        teardown_spec(state, private, state.link.managed.clone(), subscription).managed;
    add_interrupted_moves(&mut removed, private, None);
    removed
}

/// Adds what interrupted moves left behind. The AWS side that is planned is adopted instead.
fn add_interrupted_moves(
    removed: &mut Managed,
    private: &PrivateState,
    planned: Option<AwsEndpoint>,
) {
    let planned = planned.map(|endpoint| endpoint.to_string());
    let left = private.interrupted_moves.iter();
    for side in left.filter(|side| Some(&side.endpoint) != planned.as_ref()) {
        for (kind, ids) in side.objects().0 {
            ids.iter().for_each(|id| removed.add(kind, id));
        }
    }
}

/// What an apply deletes that finishes an incomplete link: its AWS side, where the configuration
/// names another one by now.
pub fn incomplete_removal(
    changes: ChangeSet<'_>,
    private: &PrivateState,
    provider: Option<String>,
) -> Managed {
    if !changes.aws_side_replaced_known() && !changes.drops_vpc() {
        return Managed::default();
    }
    let home = subscription(changes.prior, provider).unwrap_or_default();
    aws_teardown(changes, &changes.prior.link.managed, private, &home).managed
}

/// What an apply of an update deletes: the AWS half where that is recreated, and what the steps to
/// the planned link delete of what was read last.
pub fn update_removal(
    changes: ChangeSet<'_>,
    private: &PrivateState,
    observed: Option<&Observed>,
    provider: Option<String>,
    default_tags: Tags,
) -> Managed {
    let before = &changes.prior.link.managed;
    let mut removed = Managed::default();
    if changes.aws_side_replaced() || changes.drops_vpc() {
        let home = subscription(changes.prior, provider.clone()).unwrap_or_default();
        removed = aws_teardown(changes, before, private, &home).managed;
    }
    add_interrupted_moves(&mut removed, private, endpoint(changes.planned, private));
    let former = removals(changes, private, before);
    let around = ExpandInputs {
        private,
        subscription: provider,
        default_tags,
        keys: KeyInputs::default(),
        removals: former,
    };
    // Without a spec, or without anything read, only the apply can tell the rest.
    if let (Some(observed), Ok(spec)) = (observed, expand_spec(changes.planned, around)) {
        let steps = plan_actions(&spec, observed)
            .into_iter()
            .filter(|step| step.verb == Verb::Delete);
        steps
            .filter_map(|step| managed_id(&step.target, observed))
            .for_each(|(kind, id)| removed.add(kind, id));
    }
    removed
}

/// Resource group and name of a link.
pub fn label(link: &Config) -> String {
    let text = |attribute: &Attr<String>| attribute.known().cloned().unwrap_or_default();
    format!("{}/{}", text(&link.group), text(&link.name))
}

/// Reports what a plan deletes of the link of a state or plan, and what a replacement keeps. Route
/// propagation is a setting, not an object.
///
/// Of warnings with one summary Terraform shows the first only (1.11), so the summary names the
/// link.
pub fn removal_warning(
    removed: &Managed,
    kept: Option<&Kept>,
    link: &Config,
) -> Option<Diagnostic> {
    let mut detail = format!(
        "The apply deletes these objects. It recreates those that the configuration still needs, with new IDs.\n\n{}",
        listed(removed)
    );
    if let Some(kept) = kept {
        detail.push_str("\n\nThe apply keeps these objects for the new link:\n");
        detail.extend(
            listed(&kept.managed())
                .lines()
                .map(|line| format!("- {line}\n")),
        );
    }
    objects_deleted(removed, link, detail.trim_end())
}

/// Reports what a destroy deletes.
pub fn destroy_warning(removed: &Managed, link: &Config) -> Option<Diagnostic> {
    let detail = format!("The destroy deletes these objects.\n\n{}", listed(removed));
    objects_deleted(removed, link, &detail)
}

fn objects_deleted(removed: &Managed, link: &Config, detail: &str) -> Option<Diagnostic> {
    let summary = format!("{}: {}", summaries::OBJECTS_DELETED, label(link));
    (!listed(removed).is_empty()).then(|| Diagnostic::warning(summary).detail(detail))
}

/// One line for each kind.
pub fn listed(managed: &Managed) -> String {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::AwsRoutePropagation);
    let lines = kinds.filter_map(|kind| {
        let ids: Vec<&str> = managed.ids(kind).collect();
        (!ids.is_empty()).then(|| format!("{kind}: {}", ids.join(", ")))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link on an existing gateway deletes the resource group that it created; the creator of a
    /// gateway leaves its group.
    #[test]
    fn unmanaged_gateways_keep_only_the_networks_around_them() {
        let gateway = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworkGateways/g";
        let state = Config {
            manage_gateways: Attr::Known(false),
            gateway_id: Attr::Known(gateway.to_owned()),
            ..Config::default()
        };
        let mut managed = Managed::default();
        managed.add(
            Kind::AzureResourceGroup,
            "/subscriptions/s/resourceGroups/Hub",
        );
        managed.add(
            Kind::AzureResourceGroup,
            "/subscriptions/s/resourceGroups/spoke",
        );
        managed.add(Kind::AzureConnection, "c");
        managed.add(Kind::AwsVpc, "vpc-1");
        let left = without_networks_of_gateways(&state, managed);
        assert!(!left.has(
            Kind::AzureResourceGroup,
            "/subscriptions/s/resourceGroups/Hub"
        ));
        assert!(left.has(
            Kind::AzureResourceGroup,
            "/subscriptions/s/resourceGroups/spoke"
        ));
        assert!(left.has(Kind::AzureConnection, "c") && left.has(Kind::AwsVpc, "vpc-1"));
    }
}
