//! Desired minus observed: the steps that make a link whole. One rule per object, whatever brought the link into the state
//! it is in: never made, half made, edited by hand, or asked to be different.

use super::differ::{self, Differences};
use super::lost_tags;
use super::managed::Kind;
use super::need::order;
use super::observed::Observed;
use super::ownership::UNFINISHED;
use super::placement::misplaced_public_ip;
use super::route_tables::{wanted_tables, wants_main_table_of_new_vpc};
use super::spec::{AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, Spec};
use super::step::{Object, Step, Verb};
use super::tunnel::{Instance, TunnelKey};
use super::turns::take_turns;
use super::vpn_connection;
use crate::aws::model::{CustomerGateway, RouteTableId, State};
use crate::primitives::Tags;
use std::collections::BTreeSet;

/// The name that Azure demands of the subnet that holds a gateway.
pub const GATEWAY_SUBNET: &str = "GatewaySubnet";

/// Every step from what is there to what is wanted, each with the steps that it waits for. Empty for a whole link.
pub fn decide(spec: &Spec, seen: &Observed) -> Vec<Step> {
    decided(spec, seen).0
}

/// The steps, and the objects of those that change labels only.
pub(super) fn decided(spec: &Spec, seen: &Observed) -> (Vec<Step>, BTreeSet<Object>) {
    let mut list = List::default();
    azure_ground(spec, seen, &mut list);
    aws_ground(spec, seen, &mut list);
    for instance in Instance::ALL {
        aws_half(spec, seen, instance, &mut list);
    }
    for key in TunnelKey::ALL {
        azure_half(spec, seen, key, &mut list);
    }
    list.change(Object::OwnershipTags, lost_tags::differences(spec, seen));
    let List(mut steps, gentle) = list;
    order(&mut steps);
    take_turns(spec, seen, &mut steps, &gentle);
    (steps, gentle)
}

/// What the clouds have that differs from this link, one sentence each.
pub fn drift(spec: &Spec, seen: &Observed) -> Vec<String> {
    let awaited = |step: &Step| matches!(step.verb, Verb::Await) || step.object == Object::UnfinishedMark;
    let fixed = vpn_connection::static_routed(seen)
        .map(|id| format!("the VPN connection {id} uses static routing (StaticRoutesOnly), which AWS cannot change"));
    let steps = decide(spec, seen).into_iter().filter(|step| !awaited(step)).flat_map(|step| step.because);
    fixed.chain(steps).collect()
}

/// The customer gateways and VPN connections whose ids or outside addresses may be other ones after an apply, whether they exist
/// or not.
pub fn renews(spec: &Spec, seen: &Observed) -> impl Iterator<Item = (Instance, Kind)> {
    let moves = |instance: Instance| {
        let have = seen.aws.vpns.get(instance).as_ref();
        have.is_some_and(|have| vpn_connection::differing(spec, seen, have, instance).moves())
    };
    decide(spec, seen).into_iter().filter_map(move |step| match (step.object, step.verb) {
        (Object::CustomerGateway(instance), Verb::Create) => Some((instance, Kind::AwsCustomerGateway)),
        (Object::VpnConnection(instance), Verb::Create) => Some((instance, Kind::AwsVpnConnection)),
        (Object::VpnConnection(instance), Verb::Change) if moves(instance) => Some((instance, Kind::AwsVpnConnection)),
        _ => None,
    })
}

/// The steps so far, and those changes that interrupt no tunnel: of labels alone.
#[derive(Default)]
struct List(Vec<Step>, BTreeSet<Object>);

impl List {
    fn push(&mut self, verb: Verb, object: Object, because: Differences) {
        self.0.push(Step { object, verb, after: Vec::new(), because });
    }

    fn create(&mut self, object: Object) {
        let because = vec![format!("{object} is missing")];
        self.push(Verb::Create, object, because);
    }

    fn change(&mut self, object: Object, because: Differences) {
        if !because.is_empty() {
            self.push(Verb::Change, object, because);
        }
    }

    /// A change that interrupts nothing where only labels differ.
    fn change_gently(&mut self, object: Object, because: Differences, labels: &Differences) {
        if because == *labels {
            self.1.insert(object.clone());
        }
        self.change(object, because);
    }

    fn has(&self, verb: Verb, object: &Object) -> bool {
        self.0.iter().any(|step| step.verb == verb && step.object == *object)
    }

    fn touches(&self, object: &Object) -> bool {
        self.0.iter().any(|step| step.object == *object)
    }
}

fn azure_ground(spec: &Spec, seen: &Observed, list: &mut List) {
    if spec.azure.create_resource_group && seen.azure.group.is_none() {
        list.create(Object::ResourceGroup);
    }
    // Groups, networks and addresses are labelled where this link made them.
    let own = |tags: &Tags| if spec.link.is_on(tags) { differ::azure_labels(tags, spec) } else { Differences::new() };
    if let Some(group) = &seen.azure.group {
        list.change(Object::ResourceGroup, own(&group.tags));
    }
    if let Some(network) = &seen.azure.network {
        list.change(Object::VirtualNetwork, differ::network(spec, network));
    }
    for (instance, ip) in seen.azure.public_ips.iter().filter_map(|(i, ip)| Some((i, ip.as_ref()?))) {
        if let Some(why) = misplaced_public_ip(spec, seen, instance) {
            list.push(Verb::Delete, Object::PublicIp(instance), vec![]);
            list.push(Verb::Create, Object::PublicIp(instance), vec![why]);
            continue;
        }
        list.change(Object::PublicIp(instance), differ::public_ip(spec, instance, ip));
    }
    let gateway_missing = seen.azure.gateway.is_none();
    match (&spec.azure.network, &seen.azure.network) {
        (AzureNetwork::Create { .. }, None) => list.create(Object::VirtualNetwork),
        (
            AzureNetwork::Create { .. } | AzureNetwork::Existing { gateway_subnet_prefix: Some(_), .. },
            Some(network),
        ) if gateway_missing => match network.subnets.iter().find(|s| s.name.eq_ignore_ascii_case(GATEWAY_SUBNET)) {
            Some(subnet) => list.change(Object::GatewaySubnet, differ::failed("the gateway subnet", subnet.state)),
            None => list.create(Object::GatewaySubnet),
        },
        _ => {}
    }
    if let (AzureNetwork::Create { subnets, .. }, Some(network)) = (&spec.azure.network, &seen.azure.network) {
        let missing = |name: &&String| !network.subnets.iter().any(|s| s.name.eq_ignore_ascii_case(name));
        subnets.keys().filter(missing).for_each(|name| list.create(Object::Subnet(name.clone())));
        for have in &network.subnets {
            let (wanted, subnet) = (subnets.get(&have.name), Object::Subnet(have.name.clone()));
            if let (Some(wanted), Some(prefix)) = (wanted, have.prefix.filter(|prefix| Some(prefix) != wanted)) {
                list.change(subnet, vec![format!("the subnet {} is {prefix}, not {wanted}", have.name)]);
            } else if wanted.is_some() {
                list.change(subnet, differ::failed(&format!("the subnet {}", have.name), have.state));
            } else if spec.former.subnets.contains(&have.name) {
                list.push(Verb::Delete, subnet, vec![format!("the subnet {} is no longer wanted", have.name)]);
            }
        }
    }
    let own = matches!(spec.azure.gateway, AzureGateway::Own { .. });
    for instance in Instance::ALL {
        if own && seen.azure.public_ips.get(instance).is_none() {
            list.create(Object::PublicIp(instance));
        }
    }
    match &seen.azure.gateway {
        None if own => list.create(Object::Gateway),
        None => {}
        // While it is being built or changed it shows empty address lists: wait first, look again then.
        Some(have) if have.resource.state.is_busy() => list.push(Verb::Await, Object::Gateway, vec![]),
        Some(have) => list.change(Object::Gateway, differ::gateway(spec, seen, have)),
    }
    let listed = |(instance, ip): &(Instance, std::net::Ipv4Addr)| {
        seen.azure.gateway_instance(*instance).is_some_and(|i| i.custom_bgp_ips.contains(ip))
    };
    let busy = seen.azure.gateway.as_ref().is_some_and(|gateway| gateway.resource.state.is_busy());
    let writable = seen.azure.gateway.as_ref().is_none_or(|gateway| !gateway.hides_radius_secret);
    if writable && spec.former.addresses.iter().any(|former| busy || listed(former)) {
        let because = vec!["the Azure gateway lists addresses that this link no longer uses".to_owned()];
        list.push(Verb::Delete, Object::OwnAddresses, because);
    }
}

fn aws_ground(spec: &Spec, seen: &Observed, list: &mut List) {
    if let AwsNetwork::Create { public_subnet, .. } = &spec.aws.network {
        if seen.aws.vpc.is_none() {
            list.create(Object::Vpc);
        }
        if public_subnet.is_some() {
            if seen.aws.internet_gateway.as_ref().is_none_or(|igw| igw.attached_vpcs.is_empty()) {
                list.create(Object::InternetGateway);
            }
            if seen.aws.public_subnet.is_none() {
                list.create(Object::PublicSubnet);
            }
            let other_range = differ::public_subnet(spec, seen);
            if !other_range.is_empty() {
                list.push(Verb::Delete, Object::PublicSubnet, vec![]);
                list.push(Verb::Create, Object::PublicSubnet, other_range);
            }
            if !public_table_is_whole(seen) || list.has(Verb::Create, &Object::PublicSubnet) {
                list.create(Object::PublicRouteTable);
            }
        } else if spec.former.public_subnet {
            former_public_half(spec, seen, list);
        }
    }
    let own = |tags: &Tags| if spec.link.is_on(tags) { differ::labels(tags, spec) } else { Differences::new() };
    if let Some(vpc) = &seen.aws.vpc {
        list.change(Object::Vpc, own(&vpc.tags));
    }
    // The subnet and the internet gateway are labelled with their table, and not read beside it.
    let public = seen.aws.route_tables.iter().find(|table| seen.aws.public_route_table.as_ref() == Some(&table.id));
    if let Some(table) = public.filter(|_| !list.touches(&Object::PublicRouteTable)) {
        list.change(Object::PublicRouteTable, own(&table.tags));
    }
    if let AwsGateway::Own { .. } = &spec.aws.gateway {
        if seen.aws.gateway.is_none() {
            list.create(Object::VpnGateway);
        }
        match seen.aws.gateway.as_ref().map(|g| (&g.attachment, &g.tags)) {
            Some((attachment, tags)) => {
                let mut because = differ::labels(tags, spec);
                because.extend(differ::claims(tags, spec, "the VPN gateway"));
                list.change(Object::VpnGateway, because);
                let attached = |(_, state): &(_, crate::aws::model::AttachmentState)| {
                    *state == crate::aws::model::AttachmentState::Attached
                };
                if !attachment.as_ref().is_some_and(attached) {
                    list.create(Object::Attachment);
                }
            }
            None => list.create(Object::Attachment),
        }
    }
    propagation(spec, seen, list);
}

/// What goes with a public subnet that is no longer wanted.
fn former_public_half(spec: &Spec, seen: &Observed, list: &mut List) {
    let aws = &seen.aws;
    let table = aws.route_tables.iter().find(|table| aws.public_route_table.as_ref() == Some(&table.id));
    let subnet = aws.subnets.iter().find(|subnet| aws.public_subnet.as_ref() == Some(&subnet.id));
    let parts = [
        (Object::PublicRouteTable, table.map(|table| &table.tags)),
        (Object::PublicSubnet, subnet.map(|subnet| &subnet.tags)),
        (Object::InternetGateway, aws.internet_gateway.as_ref().map(|gateway| &gateway.tags)),
    ];
    for (object, tags) in parts {
        if tags.is_some_and(|tags| spec.link.is_on(tags)) {
            let because = vec![format!("{object} is no longer wanted")];
            list.push(Verb::Delete, object, because);
        }
    }
}

/// The public subnet's table is made in three calls: the table, its default route, its association.
fn public_table_is_whole(seen: &Observed) -> bool {
    let Some(id) = &seen.aws.public_route_table else { return false };
    let table = seen.aws.route_tables.iter().find(|t| t.id == *id);
    table.is_some_and(|t| {
        let associated = |subnet| t.subnets.iter().any(|(id, _)| id == subnet);
        let out = seen.aws.internet_gateway.as_ref().map(|gateway| &gateway.id.0);
        t.default_route.is_some()
            && t.default_route.as_ref() == out
            && seen.aws.public_subnet.as_ref().is_some_and(associated)
    })
}

fn propagation(spec: &Spec, seen: &Observed, list: &mut List) {
    let hangs_on_a_vpc = match &spec.aws.gateway {
        AwsGateway::Own { .. } => true,
        AwsGateway::Existing(_) => seen.aws.gateway.as_ref().is_some_and(|g| g.attachment.is_some()),
        AwsGateway::Transit(_) => false,
    };
    if !hangs_on_a_vpc {
        return;
    }
    let gateway = seen.aws.gateway.as_ref().map(|g| &g.id);
    let is_on = |id: &RouteTableId| {
        let table = seen.aws.route_tables.iter().find(|t| t.id == *id);
        table.is_some_and(|t| gateway.is_some_and(|g| t.propagating.contains(g)))
    };
    let wanted = wanted_tables(spec, seen);
    let vpc_to_come = wants_main_table_of_new_vpc(spec, seen);
    for table in &wanted {
        match table {
            Some(id) if is_on(id) => {}
            Some(id) => {
                let because = vec![format!("route propagation into {id} is switched off")];
                list.push(Verb::Create, Object::Propagation(table.clone()), because);
            }
            None => list.create(Object::Propagation(None)),
        }
    }
    if vpc_to_come && !list.touches(&Object::Propagation(None)) {
        list.create(Object::Propagation(None));
    }
    for id in &spec.former.route_tables {
        let goes =
            list.has(Verb::Delete, &Object::PublicRouteTable) && seen.aws.public_route_table.as_ref() == Some(id);
        if !wanted.contains(&Some(id.clone())) && is_on(id) && !goes {
            let because = vec![format!("route propagation into {id} is no longer wanted")];
            list.push(Verb::Delete, Object::Propagation(Some(id.clone())), because);
        }
    }
}

fn aws_half(spec: &Spec, seen: &Observed, instance: Instance, list: &mut List) {
    let customer = Object::CustomerGateway(instance);
    let have_customer = seen.aws.customer_gateways.get(instance).as_ref();
    match have_customer {
        None => list.create(customer.clone()),
        Some(have) => match differ::customer_gateway_is_obsolete(spec, seen, instance) {
            // The connection uses one that fits: this one is not needed any more.
            Some(_) if uses_another_that_fits(spec, seen, have, instance) => {}
            Some(why) => {
                list.push(Verb::Delete, customer.clone(), vec![]);
                list.push(Verb::Create, customer.clone(), vec![why]);
            }
            None if is_lent(spec, seen, have, instance) => {}
            None => list.change(customer.clone(), differ::labels(&have.tags, spec)),
        },
    }
    let connection = Object::VpnConnection(instance);
    let mark_new = |list: &mut List| {
        let rolled = instance.tunnels().into_iter().filter(|key| differ::roll_to_be_marked(spec, seen, *key).is_some());
        rolled.for_each(|key| list.push(Verb::Create, Object::RolledMark(key), vec![]));
        mark(seen, list);
    };
    let Some(have) = seen.aws.vpns.get(instance) else {
        list.create(connection);
        return mark_new(list);
    };
    // One that only is missing is created and then set; one that is replaced takes its connection along.
    let customer_replaced = list.has(Verb::Delete, &customer);
    let obsolete = differ::vpn_connection_is_obsolete(spec, have, instance);
    if customer_replaced || obsolete.is_some() {
        let why = format!("the VPN connection {} to {instance} uses a customer gateway that is replaced", have.id);
        let why = obsolete.unwrap_or(why);
        list.push(Verb::Delete, connection.clone(), vec![]);
        list.push(Verb::Create, connection, vec![why]);
        return mark_new(list);
    }
    if have.state == State::Pending {
        list.push(Verb::Await, connection.clone(), vec![]);
    }
    list.change(connection, differ::vpn_connection(spec, seen, have, instance));
    for key in instance.tunnels() {
        let Some(tunnel) = seen.tunnel(key) else { continue };
        let mut because = differ::tunnel(spec, tunnel, key).map(|(because, _)| because).unwrap_or_default();
        if differ::key_is_old(spec, have, key) {
            because.push(format!("the shared key of {key} is to be rolled"));
            list.push(Verb::Create, Object::RolledMark(key), vec![]);
        } else if differ::key_is_lost(spec, seen, key) {
            because.push(format!("the shared key of {key} is not to be found out: both ends get a new one"));
        }
        list.change(Object::Tunnel(key), because);
    }
    mark(seen, list);
}

/// Whether a customer gateway is another user's, which was set on a connection of this link's: it gets no tags.
fn is_lent(spec: &Spec, seen: &Observed, have: &CustomerGateway, instance: Instance) -> bool {
    let made_here = seen.aws.vpns.get(instance).as_ref().is_some_and(|vpn| spec.link.is_on(&vpn.tags));
    made_here && !spec.link.is_on(&have.tags)
}

fn uses_another_that_fits(spec: &Spec, seen: &Observed, own: &CustomerGateway, instance: Instance) -> bool {
    seen.aws.vpns.get(instance).as_ref().is_some_and(|have| {
        have.customer_gateway_id != own.id && !vpn_connection::differing(spec, seen, have, instance).customer_gateway
    })
}

/// The unfinished mark comes off when everything else is done, be it there already or on an object about to be made.
fn mark(seen: &Observed, list: &mut List) {
    if list.touches(&Object::UnfinishedMark) {
        return;
    }
    let marked = |tags: &crate::primitives::Tags| tags.contains_key(UNFINISHED);
    let aws = &seen.aws;
    let any = aws.customer_gateways.iter().any(|(_, c)| c.as_ref().is_some_and(|c| marked(&c.tags)))
        || aws.vpns.iter().any(|(_, v)| v.as_ref().is_some_and(|v| marked(&v.tags)))
        || aws.gateway.as_ref().is_some_and(|g| marked(&g.tags))
        || aws.vpc.as_ref().is_some_and(|v| marked(&v.tags));
    let made = |step: &Step| {
        let kind = &step.object;
        step.verb == Verb::Create
            && matches!(
                kind,
                Object::VpnGateway
                    | Object::CustomerGateway(_)
                    | Object::VpnConnection(_)
                    | Object::Vpc
                    | Object::InternetGateway
                    | Object::PublicSubnet
                    | Object::PublicRouteTable
            )
    };
    if any || list.0.iter().any(made) {
        list.push(Verb::Delete, Object::UnfinishedMark, vec![]);
    }
}

fn azure_half(spec: &Spec, seen: &Observed, key: TunnelKey, list: &mut List) {
    let vpn_renewed = list.has(Verb::Create, &Object::VpnConnection(key.instance));
    let local = Object::LocalGateway(key);
    match seen.azure.local_gateways.get(key) {
        None => list.create(local),
        Some(have) => {
            let mut because = differ::local_gateway(spec, seen, key, have);
            if vpn_renewed && because.is_empty() {
                because.push(format!("the local network gateway for {key} must follow the new AWS endpoint"));
            }
            list.change_gently(local, because, &differ::azure_labels(&have.resource.tags, spec));
        }
    }
    let connection = Object::Connection(key);
    match seen.azure.connections.get(key) {
        None => list.create(connection.clone()),
        Some(have) => match differ::connection_is_obsolete(spec, have, key) {
            Some(why) => {
                list.push(Verb::Delete, connection.clone(), vec![]);
                list.push(Verb::Create, connection.clone(), vec![why]);
            }
            None => {
                let because = differ::connection(spec, seen, key, have);
                list.change_gently(connection.clone(), because, &differ::azure_labels(&have.resource.tags, spec));
            }
        },
    }
    if !list.has(Verb::Create, &connection) {
        let tunnel_changes = list.has(Verb::Change, &Object::Tunnel(key));
        let rolled = list.touches(&Object::RolledMark(key));
        let raised = spec.keys_raised && spec.keys.get(key).is_some();
        let tunnel_gets_key = tunnel_changes && (rolled || raised || differ::key_is_lost(spec, seen, key));
        if differ::key_differs(spec, seen, key) {
            let because = vec![format!("the shared key of {key} differs between the two clouds")];
            list.push(Verb::Change, Object::SharedKey(key), because);
        } else if vpn_renewed || tunnel_gets_key {
            let because = vec![format!("the shared key of {key} must follow the AWS endpoint's")];
            list.push(Verb::Change, Object::SharedKey(key), because);
        }
    }
    let touched = [
        Object::VpnConnection(key.instance),
        Object::Tunnel(key),
        Object::LocalGateway(key),
        connection,
        Object::SharedKey(key),
    ];
    if spec.wait_for_bgp && (touched.iter().any(|o| list.touches(o)) || list.touches(&Object::UnfinishedMark)) {
        list.push(Verb::Await, Object::Session(key), vec![]);
    }
}
