//! Desired minus observed: the actions that complete a link. One rule per object, regardless of
//! what brought the link into the state it is in: never made, half made, edited by hand, or asked
//! to be different.

use super::action::{Action, ActionTarget, Change, NewTunnel, Verb};
use super::compare::{self, Reasons, TunnelDiff};
use super::customer_gateway::customer_gateway_needs_replacement;
use super::dependencies::assign_dependencies;
use super::keys::{self, key_action};
use super::lost_tags;
use super::managed::Kind;
use super::observed::Observed;
use super::ownership_tags::TAG_INCOMPLETE;
use super::placement::misplaced_public_ip;
use super::replacement;
use super::rollout::serialize_disruptive_updates;
use super::route_tables::{desired_route_tables, needs_main_table_of_new_vpc};
use super::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use super::tunnel::{Instance, TunnelKey};
use super::vpn_connection;
use crate::aws::{CustomerGateway, RouteTableId, State};
use crate::types::Tags;
use std::collections::BTreeSet;

/// The name that Azure demands of the subnet that holds a gateway.
pub const GATEWAY_SUBNET: &str = "GatewaySubnet";

/// Every step from what is there to what is wanted, each with the steps that it waits for. Empty
/// for a complete link.
pub fn plan_actions(spec: &Spec, observed: &Observed) -> Vec<Action> {
    plan_with_nondisruptive(spec, observed).0
}

/// The steps, and the objects of those that interrupt no tunnel.
pub(super) fn plan_with_nondisruptive(
    spec: &Spec,
    observed: &Observed,
) -> (Vec<Action>, BTreeSet<ActionTarget>) {
    let mut list = ActionList::default();
    diff_azure_network(spec, observed, &mut list);
    diff_aws_network(spec, observed, &mut list);
    for instance in Instance::ALL {
        diff_aws_instance(spec, observed, instance, &mut list);
    }
    for key in TunnelKey::ALL {
        diff_azure_tunnel(spec, observed, key, &mut list);
    }
    list.update(
        ActionTarget::OwnershipTags,
        lost_tags::describe_lost_tags(spec, observed),
    );
    let ActionList {
        mut actions,
        nondisruptive,
    } = list;
    assign_dependencies(&mut actions);
    serialize_disruptive_updates(spec, observed, &mut actions, &nondisruptive);
    (actions, nondisruptive)
}

/// What the clouds have that differs from this link, one sentence each.
pub fn describe_drift(spec: &Spec, observed: &Observed) -> Vec<String> {
    let awaited = |action: &Action| {
        matches!(action.verb, Verb::WaitFor) || action.target == ActionTarget::IncompleteTag
    };
    let fixed = vpn_connection::statically_routed(observed)
        .map(|id| format!("the VPN connection {id} uses static routing (StaticRoutesOnly), which AWS cannot change"));
    let actions = plan_actions(spec, observed)
        .into_iter()
        .filter(|action| !awaited(action))
        .flat_map(|action| action.reasons);
    fixed.chain(actions).collect()
}

/// The customer gateways and VPN connections whose ids or outside addresses may be other ones after
/// an apply, whether they exist or not.
pub fn recreated_objects(
    spec: &Spec,
    observed: &Observed,
) -> impl Iterator<Item = (Instance, Kind)> {
    let moves = |change: &Change| matches!(change, Change::VpnConnection { settings, .. } if settings.changes_endpoint());
    plan_actions(spec, observed)
        .into_iter()
        .filter_map(move |action| match (action.target, action.verb) {
            (ActionTarget::CustomerGateway(instance), Verb::Create) => {
                Some((instance, Kind::AwsCustomerGateway))
            }
            (ActionTarget::VpnConnection(instance), Verb::Create) => {
                Some((instance, Kind::AwsVpnConnection))
            }
            (ActionTarget::VpnConnection(instance), Verb::Update) if moves(&action.change) => {
                Some((instance, Kind::AwsVpnConnection))
            }
            _ => None,
        })
}

/// The kinds of objects of which a repair creates some: their ids in `managed` are not known before
/// it. None where it may delete the last object of a kind, which then is not in `managed` at all.
pub fn changed_kinds(spec: &Spec, observed: &Observed) -> Option<BTreeSet<Kind>> {
    let actions = plan_actions(spec, observed);
    let kinds = |verb: Verb| -> BTreeSet<Kind> {
        let of_verb = actions.iter().filter(|action| action.verb == verb);
        of_verb.filter_map(|action| action.target.kind()).collect()
    };
    let (created, deleted) = (kinds(Verb::Create), kinds(Verb::Delete));
    deleted.is_subset(&created).then_some(created)
}

/// The steps so far, and the objects of those changes that interrupt no tunnel: of labels alone,
/// for one.
#[derive(Default)]
struct ActionList {
    actions: Vec<Action>,
    nondisruptive: BTreeSet<ActionTarget>,
}

impl ActionList {
    fn push(&mut self, verb: Verb, object: ActionTarget, because: Reasons) {
        self.actions.push(Action::new(object, verb, because));
    }

    /// An action with what was decided about it.
    fn push_change(&mut self, verb: Verb, object: ActionTarget, because: Reasons, change: Change) {
        self.actions.push(Action {
            change,
            ..Action::new(object, verb, because)
        });
    }

    fn create(&mut self, object: ActionTarget) {
        let because = vec![format!("{object} is missing")];
        self.push(Verb::Create, object, because);
    }

    fn update(&mut self, object: ActionTarget, because: Reasons) {
        if !because.is_empty() {
            self.push(Verb::Update, object, because);
        }
    }

    /// A change that interrupts nothing where nothing but that differs.
    fn update_nondisruptive(
        &mut self,
        object: ActionTarget,
        because: Reasons,
        nondisruptive: &Reasons,
    ) {
        if because == *nondisruptive {
            self.nondisruptive.insert(object.clone());
        }
        self.update(object, because);
    }

    fn has(&self, verb: Verb, object: &ActionTarget) -> bool {
        self.actions
            .iter()
            .any(|action| action.verb == verb && action.target == *object)
    }

    fn touches(&self, object: &ActionTarget) -> bool {
        self.actions.iter().any(|action| action.target == *object)
    }
}

fn diff_azure_network(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    if spec.azure.create_resource_group && observed.azure.group.is_none() {
        list.create(ActionTarget::ResourceGroup);
    }
    // Groups, networks and addresses get tags where this link created them. With an existing
    // gateway they belong to others, also to a link that left this slot and has the same ownership
    // tag.
    let own = |tags: &Tags| {
        if spec.link.is_on(tags) {
            compare::azure_tag_diff(tags, spec)
        } else {
            Reasons::new()
        }
    };
    let creates_gateway = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    if let Some(group) = observed
        .azure
        .group
        .as_ref()
        .filter(|_| creates_gateway || spec.azure.create_resource_group)
    {
        list.update(ActionTarget::ResourceGroup, own(&group.tags));
    }
    if let Some(network) = &observed.azure.network {
        list.update(
            ActionTarget::VirtualNetwork,
            compare::network(spec, network),
        );
    }
    let public_ips = observed
        .azure
        .public_ips
        .iter()
        .filter_map(|(i, ip)| Some((i, ip.as_ref()?)));
    for (instance, ip) in public_ips.filter(|_| creates_gateway) {
        if let Some(why) = misplaced_public_ip(spec, observed, instance) {
            list.push(Verb::Delete, ActionTarget::PublicIp(instance), vec![]);
            list.push(Verb::Create, ActionTarget::PublicIp(instance), vec![why]);
            continue;
        }
        list.update(
            ActionTarget::PublicIp(instance),
            compare::public_ip(spec, instance, ip),
        );
    }
    let gateway_missing = observed.azure.gateway.is_none();
    match (&spec.azure.network, &observed.azure.network) {
        (AzureNetwork::Create { .. }, None) => list.create(ActionTarget::VirtualNetwork),
        (
            AzureNetwork::Create { .. }
            | AzureNetwork::Existing {
                gateway_subnet_prefix: Some(_),
                ..
            },
            Some(network),
        ) if gateway_missing => match network
            .subnets
            .iter()
            .find(|s| s.name.eq_ignore_ascii_case(GATEWAY_SUBNET))
        {
            Some(subnet) => list.update(
                ActionTarget::GatewaySubnet,
                compare::provisioning_failure("the gateway subnet", subnet.state),
            ),
            None => list.create(ActionTarget::GatewaySubnet),
        },
        _ => {}
    }
    if let (AzureNetwork::Create { subnets, .. }, Some(network)) =
        (&spec.azure.network, &observed.azure.network)
    {
        let missing = |name: &&String| {
            !network
                .subnets
                .iter()
                .any(|s| s.name.eq_ignore_ascii_case(name))
        };
        subnets
            .keys()
            .filter(missing)
            .for_each(|name| list.create(ActionTarget::Subnet(name.clone())));
        for have in &network.subnets {
            let (wanted, subnet) = (
                subnets.get(&have.name),
                ActionTarget::Subnet(have.name.clone()),
            );
            if let (Some(wanted), Some(prefix)) =
                (wanted, have.prefix.filter(|prefix| Some(prefix) != wanted))
            {
                list.update(
                    subnet,
                    vec![format!(
                        "the subnet {} is {prefix}, not {wanted}",
                        have.name
                    )],
                );
            } else if wanted.is_some() {
                list.update(
                    subnet,
                    compare::provisioning_failure(&format!("the subnet {}", have.name), have.state),
                );
            } else if spec.removals.subnets.contains(&have.name) {
                list.push(
                    Verb::Delete,
                    subnet,
                    vec![format!("the subnet {} is no longer wanted", have.name)],
                );
            }
        }
    }
    let own = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    for instance in Instance::ALL {
        if own && observed.azure.public_ips.get(instance).is_none() {
            list.create(ActionTarget::PublicIp(instance));
        }
    }
    match &observed.azure.gateway {
        None if own => list.create(ActionTarget::Gateway),
        None => {}
        // While it is being built or changed it shows empty address lists: wait first, look again
        // then.
        Some(have) if have.resource.state.is_busy() => {
            list.push(Verb::WaitFor, ActionTarget::Gateway, vec![])
        }
        Some(have) => list.update(
            ActionTarget::Gateway,
            compare::gateway(spec, observed, have),
        ),
    }
    let listed = |(instance, ip): &(Instance, std::net::Ipv4Addr)| {
        observed
            .azure
            .gateway_instance(*instance)
            .is_some_and(|i| i.custom_bgp_ips.contains(ip))
    };
    let busy = observed
        .azure
        .gateway
        .as_ref()
        .is_some_and(|gateway| gateway.resource.state.is_busy());
    let writable = observed
        .azure
        .gateway
        .as_ref()
        .is_none_or(|gateway| !gateway.hides_radius_secret);
    if writable
        && spec
            .removals
            .addresses
            .iter()
            .any(|former| busy || listed(former))
    {
        let because =
            vec!["the Azure gateway lists addresses that this link no longer uses".to_owned()];
        list.push(Verb::Delete, ActionTarget::CustomBgpAddresses, because);
    }
}

fn diff_aws_network(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    if let AwsNetwork::Create { public_subnet, .. } = &spec.aws.network {
        if observed.aws.vpc.is_none() {
            list.create(ActionTarget::Vpc);
        }
        if public_subnet.is_some() {
            if observed
                .aws
                .internet_gateway
                .as_ref()
                .is_none_or(|igw| igw.attached_vpcs.is_empty())
            {
                list.create(ActionTarget::InternetGateway);
            }
            if observed.aws.public_subnet.is_none() {
                list.create(ActionTarget::PublicSubnet);
            }
            let other_range = compare::public_subnet(spec, observed);
            if !other_range.is_empty() {
                list.push(Verb::Delete, ActionTarget::PublicSubnet, vec![]);
                list.push(Verb::Create, ActionTarget::PublicSubnet, other_range);
            }
            if !public_route_table_is_complete(observed)
                || list.has(Verb::Create, &ActionTarget::PublicSubnet)
            {
                list.create(ActionTarget::PublicRouteTable);
            }
        } else if spec.removals.public_subnet {
            remove_public_subnet(spec, observed, list);
        }
    }
    let own = |tags: &Tags| {
        if spec.link.is_on(tags) {
            compare::tag_diff(tags, spec)
        } else {
            Reasons::new()
        }
    };
    let creates_vpc = matches!(spec.aws.network, AwsNetwork::Create { .. });
    if let Some(vpc) = observed.aws.vpc.as_ref().filter(|_| creates_vpc) {
        list.update(ActionTarget::Vpc, own(&vpc.tags));
    }
    // The subnet and the internet gateway are tagged with their table, and not read with it.
    let public = observed
        .aws
        .route_tables
        .iter()
        .find(|table| observed.aws.public_route_table.as_ref() == Some(&table.id));
    if let Some(table) = public.filter(|_| !list.touches(&ActionTarget::PublicRouteTable)) {
        list.update(ActionTarget::PublicRouteTable, own(&table.tags));
    }
    if let AwsGateway::ManagedVgw { .. } = &spec.aws.gateway {
        if observed.aws.gateway.is_none() {
            list.create(ActionTarget::VpnGateway);
        }
        match observed
            .aws
            .gateway
            .as_ref()
            .map(|g| (&g.attachment, &g.tags))
        {
            Some((attachment, tags)) => {
                let mut because = compare::tag_diff(tags, spec);
                because.extend(compare::describe_missing_ownership_tags(
                    tags,
                    spec,
                    "the VPN gateway",
                ));
                list.update(ActionTarget::VpnGateway, because);
                let attached = |(_, state): &(_, crate::aws::AttachmentState)| {
                    *state == crate::aws::AttachmentState::Attached
                };
                if !attachment.as_ref().is_some_and(attached) {
                    list.create(ActionTarget::VgwAttachment);
                }
            }
            None => list.create(ActionTarget::VgwAttachment),
        }
    }
    diff_propagation(spec, observed, list);
}

/// What goes with a public subnet that is no longer wanted.
fn remove_public_subnet(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    let aws = &observed.aws;
    let table = aws
        .route_tables
        .iter()
        .find(|table| aws.public_route_table.as_ref() == Some(&table.id));
    let subnet = aws
        .subnets
        .iter()
        .find(|subnet| aws.public_subnet.as_ref() == Some(&subnet.id));
    let parts = [
        (
            ActionTarget::PublicRouteTable,
            table.map(|table| &table.tags),
        ),
        (
            ActionTarget::PublicSubnet,
            subnet.map(|subnet| &subnet.tags),
        ),
        (
            ActionTarget::InternetGateway,
            aws.internet_gateway.as_ref().map(|gateway| &gateway.tags),
        ),
    ];
    for (object, tags) in parts {
        if tags.is_some_and(|tags| spec.link.is_on(tags)) {
            let because = vec![format!("{object} is no longer wanted")];
            list.push(Verb::Delete, object, because);
        }
    }
}

/// The public subnet's table is made in three calls: the table, its default route, its association.
fn public_route_table_is_complete(observed: &Observed) -> bool {
    let Some(id) = &observed.aws.public_route_table else {
        return false;
    };
    let table = observed.aws.route_tables.iter().find(|t| t.id == *id);
    table.is_some_and(|t| {
        let associated = |subnet| t.subnets.iter().any(|(id, _)| id == subnet);
        let out = observed
            .aws
            .internet_gateway
            .as_ref()
            .map(|gateway| &gateway.id.0);
        t.default_route.is_some()
            && t.default_route.as_ref() == out
            && observed.aws.public_subnet.as_ref().is_some_and(associated)
    })
}

fn diff_propagation(spec: &Spec, observed: &Observed, list: &mut ActionList) {
    let hangs_on_a_vpc = match &spec.aws.gateway {
        AwsGateway::ManagedVgw { .. } => true,
        AwsGateway::ExistingVgw(_) => observed
            .aws
            .gateway
            .as_ref()
            .is_some_and(|g| g.attachment.is_some()),
        AwsGateway::TransitGateway(_) => false,
    };
    if !hangs_on_a_vpc {
        return;
    }
    let gateway = observed.aws.gateway.as_ref().map(|g| &g.id);
    let is_on = |id: &RouteTableId| {
        let table = observed.aws.route_tables.iter().find(|t| t.id == *id);
        table.is_some_and(|t| gateway.is_some_and(|g| t.propagating.contains(g)))
    };
    let wanted = desired_route_tables(spec, observed);
    let vpc_to_come = needs_main_table_of_new_vpc(spec, observed);
    for table in &wanted {
        match table {
            Some(id) if is_on(id) => {}
            Some(id) => {
                let because = vec![format!("route propagation into {id} is switched off")];
                list.push(
                    Verb::Create,
                    ActionTarget::RoutePropagation(table.clone()),
                    because,
                );
            }
            None => list.create(ActionTarget::RoutePropagation(None)),
        }
    }
    if vpc_to_come && !list.touches(&ActionTarget::RoutePropagation(None)) {
        list.create(ActionTarget::RoutePropagation(None));
    }
    for id in &spec.removals.route_tables {
        let goes = list.has(Verb::Delete, &ActionTarget::PublicRouteTable)
            && observed.aws.public_route_table.as_ref() == Some(id);
        if !wanted.contains(&Some(id.clone())) && is_on(id) && !goes {
            let because = vec![format!("route propagation into {id} is no longer wanted")];
            list.push(
                Verb::Delete,
                ActionTarget::RoutePropagation(Some(id.clone())),
                because,
            );
        }
    }
}

fn diff_aws_instance(spec: &Spec, observed: &Observed, instance: Instance, list: &mut ActionList) {
    let customer = ActionTarget::CustomerGateway(instance);
    let have_customer = observed.aws.customer_gateways.get(instance).as_ref();
    match have_customer {
        None => list.create(customer.clone()),
        Some(have) => match replacement::replaced_customer_gateway(spec, observed, instance) {
            Some(why) => {
                list.push(Verb::Delete, customer.clone(), vec![]);
                list.push(Verb::Create, customer.clone(), vec![why]);
            }
            // The connection uses one that fits: this one is not needed any more.
            None if customer_gateway_needs_replacement(spec, observed, instance).is_some() => {}
            None if is_foreign_customer_gateway(spec, observed, have, instance) => {}
            None => list.update(customer.clone(), compare::tag_diff(&have.tags, spec)),
        },
    }
    let connection = ActionTarget::VpnConnection(instance);
    let mark_new = |list: &mut ActionList| {
        let rolled = instance
            .tunnels()
            .into_iter()
            .filter(|key| keys::rotation_tag_pending(spec, observed, *key));
        rolled.for_each(|key| list.push(Verb::Create, ActionTarget::KeyRotationTag(key), vec![]));
        plan_incomplete_tag(observed, list);
    };
    let new = || {
        Change::NewVpnConnection(instance.tunnels().map(|key| NewTunnel {
            key: key_action(spec, observed, key),
            has_rotation_tag: !keys::rotation_tag_pending(spec, observed, key),
        }))
    };
    let Some(have) = observed.aws.vpn_connections.get(instance) else {
        let because = vec![format!("{connection} is missing")];
        list.push_change(Verb::Create, connection, because, new());
        return mark_new(list);
    };
    // One that only is missing is created and then set; one that is replaced takes its connection
    // along.
    let customer_replaced = list.has(Verb::Delete, &customer);
    let obsolete = compare::vpn_connection_needs_replacement(spec, have, instance);
    if customer_replaced || obsolete.is_some() {
        let why = format!(
            "the VPN connection {} to {instance} uses a customer gateway that is replaced",
            have.id
        );
        let why = obsolete.unwrap_or(why);
        list.push(Verb::Delete, connection.clone(), vec![]);
        list.push_change(Verb::Create, connection, vec![why], new());
        return mark_new(list);
    }
    if have.state == State::Pending {
        list.push(Verb::WaitFor, connection.clone(), vec![]);
    }
    let because = compare::vpn_connection(spec, observed, have, instance);
    if !because.is_empty() {
        let settings = vpn_connection::diff_connection(spec, observed, have, instance);
        let tags = !compare::tag_diff(&have.tags, spec).is_empty();
        list.push_change(
            Verb::Update,
            connection,
            because,
            Change::VpnConnection { settings, tags },
        );
    }
    for key in instance.tunnels() {
        let Some(tunnel) = observed.tunnel(key) else {
            continue;
        };
        let TunnelDiff {
            reasons: mut because,
            nondisruptive,
            change: options,
        } = compare::tunnel(spec, tunnel, key);
        because.extend(keys::endpoint_key_reasons(spec, observed, key));
        if keys::needs_rotation(spec, observed, key) {
            list.push(Verb::Create, ActionTarget::KeyRotationTag(key), vec![]);
        }
        if !because.is_empty() {
            let change = Change::Tunnel {
                options,
                key: key_action(spec, observed, key),
            };
            if because == nondisruptive {
                list.nondisruptive.insert(ActionTarget::Tunnel(key));
            }
            list.push_change(Verb::Update, ActionTarget::Tunnel(key), because, change);
        }
    }
    plan_incomplete_tag(observed, list);
}

/// Whether a customer gateway is another user's, which was set on a connection of this link's: it
/// gets no tags.
fn is_foreign_customer_gateway(
    spec: &Spec,
    observed: &Observed,
    have: &CustomerGateway,
    instance: Instance,
) -> bool {
    let made_here = observed
        .aws
        .vpn_connections
        .get(instance)
        .as_ref()
        .is_some_and(|vpn| spec.link.is_on(&vpn.tags));
    made_here && !spec.link.is_on(&have.tags)
}

/// The unfinished mark comes off when everything else is done, be it there already or on an object
/// about to be made.
fn plan_incomplete_tag(observed: &Observed, list: &mut ActionList) {
    if list.touches(&ActionTarget::IncompleteTag) {
        return;
    }
    let marked = |tags: &crate::types::Tags| tags.contains_key(TAG_INCOMPLETE);
    let aws = &observed.aws;
    let any = aws
        .customer_gateways
        .iter()
        .any(|(_, c)| c.as_ref().is_some_and(|c| marked(&c.tags)))
        || aws
            .vpn_connections
            .iter()
            .any(|(_, v)| v.as_ref().is_some_and(|v| marked(&v.tags)))
        || aws.gateway.as_ref().is_some_and(|g| marked(&g.tags))
        || aws.vpc.as_ref().is_some_and(|v| marked(&v.tags));
    let made = |action: &Action| {
        let kind = &action.target;
        action.verb == Verb::Create
            && matches!(
                kind,
                ActionTarget::VpnGateway
                    | ActionTarget::CustomerGateway(_)
                    | ActionTarget::VpnConnection(_)
                    | ActionTarget::Vpc
                    | ActionTarget::InternetGateway
                    | ActionTarget::PublicSubnet
                    | ActionTarget::PublicRouteTable
            )
    };
    if any || list.actions.iter().any(made) {
        list.push(Verb::Delete, ActionTarget::IncompleteTag, vec![]);
    }
}

fn diff_azure_tunnel(spec: &Spec, observed: &Observed, key: TunnelKey, list: &mut ActionList) {
    let vpn_renewed = list.has(Verb::Create, &ActionTarget::VpnConnection(key.instance));
    let local = ActionTarget::LocalGateway(key);
    match observed.azure.local_gateways.get(key) {
        None => list.create(local),
        Some(have) => {
            let mut because = compare::local_gateway(spec, observed, key, have);
            if vpn_renewed && because.is_empty() {
                because.push(format!(
                    "the local network gateway for {key} must follow the new AWS endpoint"
                ));
            }
            list.update_nondisruptive(
                local,
                because,
                &compare::azure_tag_diff(&have.resource.tags, spec),
            );
        }
    }
    let connection = ActionTarget::Connection(key);
    match observed.azure.connections.get(key) {
        None => list.create(connection.clone()),
        Some(have) => match compare::connection_needs_replacement(spec, have, key) {
            Some(why) => {
                list.push(Verb::Delete, connection.clone(), vec![]);
                list.push(Verb::Create, connection.clone(), vec![why]);
            }
            None => {
                let because = compare::connection(spec, observed, key, have);
                list.update_nondisruptive(
                    connection.clone(),
                    because,
                    &compare::azure_tag_diff(&have.resource.tags, spec),
                );
            }
        },
    }
    if !list.has(Verb::Create, &connection) {
        let endpoint_changes = list.has(Verb::Update, &ActionTarget::Tunnel(key));
        let because = keys::azure_key_reasons(spec, observed, key, endpoint_changes);
        list.update(ActionTarget::SharedKey(key), because);
    }
    let touched = [
        ActionTarget::VpnConnection(key.instance),
        ActionTarget::Tunnel(key),
        ActionTarget::LocalGateway(key),
        connection,
        ActionTarget::SharedKey(key),
    ];
    if spec.wait_for_bgp
        && (touched.iter().any(|o| list.touches(o)) || list.touches(&ActionTarget::IncompleteTag))
    {
        list.push(Verb::WaitFor, ActionTarget::BgpSession(key), vec![]);
    }
}
