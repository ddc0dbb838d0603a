//! What was observed, as computed attributes of a state. Ids keep the spelling that the state had.

use super::attribute_paths::value_path;
use super::default_options::inside_cidrs;
use super::expand::{link_id, subscription};
use super::model::{
    MAIN_ROUTE_TABLE_ID, Model, PUBLIC_IP_ADDRESSES, PUBLIC_SUBNET_ID, SUBNET_IDS,
    TRANSIT_ATTACHMENT_ID, read_config, read_managed,
};
use super::planned::Place;
use super::private_state::PrivateState;
use crate::azure::id::ResourceId;
use crate::azure::model::Gateway;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{
    LinkId, MAX_TAGS_BEFORE_RECORD, created_gateway_subnet, recorded_propagations,
};
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Tags;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::Ipv4Addr;
use terraform_plugin::Value;

/// Sets every computed attribute from what was observed. `drift`, `status` and `id` are left to the
/// caller.
pub fn set_computed(state: &mut Value, observed: &Observed, managed: &Managed) {
    let (azure, aws) = (&observed.azure, &observed.aws);
    set_id_keep_casing(
        state,
        &AttributeId::AzureGateway,
        azure.gateway.as_ref().map(|gateway| &gateway.resource.id),
    );
    set_id_keep_casing(
        state,
        &AttributeId::NetworkId,
        azure.network.as_ref().map(|network| &network.resource.id),
    );
    set(state, SUBNET_IDS, Value::Map(subnet_ids(state, observed)));
    let ips = Instance::ALL
        .into_iter()
        .filter_map(|i| Some((i.to_string(), observed.public_ip(i)?.to_string())));
    set(state, PUBLIC_IP_ADDRESSES, Value::map(ips));
    set(
        state,
        &AttributeId::VpcId,
        aws.vpc.as_ref().map(|vpc| vpc.id.0.clone()),
    );
    set(
        state,
        &AttributeId::VpnGateway,
        aws.gateway.as_ref().map(|gateway| gateway.id.0.clone()),
    );
    set(
        state,
        &AttributeId::TransitGateway,
        aws.transit_gateway
            .as_ref()
            .map(|gateway| gateway.id.0.clone()),
    );
    set(
        state,
        PUBLIC_SUBNET_ID,
        aws.public_subnet.as_ref().map(|subnet| subnet.0.clone()),
    );
    let main = aws.route_tables.iter().find(|table| table.main);
    set(
        state,
        MAIN_ROUTE_TABLE_ID,
        main.map(|table| table.id.0.clone()),
    );
    let tunnels: Vec<(String, Value)> = TunnelKey::ALL
        .into_iter()
        .map(|key| (key.to_string(), tunnel(state, observed, key)))
        .collect();
    state.set("tunnels", Value::object(tunnels));
    let managed = managed.spelled_as(&read_managed(state));
    state.set("managed", managed_value(&managed));
}

fn set(state: &mut Value, place: &(impl Place + ?Sized), value: impl Into<Value>) {
    state.set_at(&place.path(), value);
}

fn set_id_keep_casing(state: &mut Value, attribute: &AttributeId, id: Option<&ResourceId>) {
    let kept = id.map(|id| prior_casing(state.at(&attribute.path()), id));
    set(state, attribute, kept);
}

/// The spelling that was there before, where it differs in case only.
fn prior_casing(before: &Value, id: &ResourceId) -> String {
    let before = before
        .as_str()
        .filter(|text| ResourceId::parse(text).is_ok_and(|before| before == *id));
    before.unwrap_or(id.as_str()).to_owned()
}

fn subnet_ids(state: &Value, observed: &Observed) -> BTreeMap<String, Value> {
    let before = state.at(&SUBNET_IDS.into());
    let settings = read_config(state);
    let named = settings
        .network
        .known()
        .and_then(|network| network.subnets.known());
    let is_named = |name: &str| {
        let prefix = named.and_then(|named| named.get(name));
        prefix.is_some_and(Attr::is_set)
    };
    let subnets = observed
        .azure
        .network
        .iter()
        .flat_map(|network| &network.subnets);
    let shown = subnets.filter(|subnet| subnet.name == "GatewaySubnet" || is_named(&subnet.name));
    shown
        .map(|s| {
            (
                s.name.clone(),
                prior_casing(before.get(&s.name), &s.id).into(),
            )
        })
        .collect()
}

fn tunnel(state: &Value, observed: &Observed, key: TunnelKey) -> Value {
    let before = state.get("tunnels").get(&key.to_string());
    let id = |name: &str, id: Option<&ResourceId>| {
        Value::from(id.map(|id| prior_casing(before.get(name), id)))
    };
    let mut tunnel = planned_tunnel(state, key);
    let (azure, aws) = (&observed.azure, &observed.aws);
    tunnel.set(
        "aws_outside_ip",
        aws.outside_ips.get(key).map(|ip| ip.to_string()),
    );
    tunnel.set(
        "azure_public_ip",
        observed.public_ip(key.instance).map(|ip| ip.to_string()),
    );
    tunnel.set(
        "aws_vpn_connection_id",
        aws.vpn_connections
            .get(key.instance)
            .as_ref()
            .map(|vpn| vpn.id.0.clone()),
    );
    tunnel.set(
        TRANSIT_ATTACHMENT_ID,
        aws.transit_attachment_ids
            .get(key.instance)
            .as_ref()
            .map(|id| id.0.clone()),
    );
    let customer = aws.customer_gateways.get(key.instance).as_ref();
    tunnel.set(
        "aws_customer_gateway_id",
        customer.map(|gateway| gateway.id.0.clone()),
    );
    let local = azure
        .local_gateways
        .get(key)
        .as_ref()
        .map(|local| &local.resource.id);
    tunnel.set(
        "azure_local_network_gateway_id",
        id("azure_local_network_gateway_id", local),
    );
    let connection = azure
        .connections
        .get(key)
        .as_ref()
        .map(|connection| &connection.resource.id);
    tunnel.set("azure_connection_id", id("azure_connection_id", connection));
    tunnel
}

/// The five fields of a tunnel that are known at plan.
pub fn planned_tunnel(state: &Value, key: TunnelKey) -> Value {
    let text = state.at(&value_path(&AttributeId::InsideCidr(key)));
    let cidr = text
        .as_str()
        .and_then(|text| bgp_vpn::inside_cidr::InsideCidr::parse(text).ok());
    let address = |ip: Option<std::net::Ipv4Addr>| {
        ip.map_or_else(
            || {
                if text.is_known() {
                    Value::Null
                } else {
                    Value::unknown()
                }
            },
            |ip| ip.to_string().into(),
        )
    };
    Value::object([
        ("azure_instance", Value::from(key.instance.index() as u64)),
        ("aws_tunnel", key.number.into()),
        (
            "inside_cidr",
            if text.is_known() {
                text.clone()
            } else {
                Value::unknown()
            },
        ),
        ("aws_bgp_ip", address(cidr.map(|cidr| cidr.aws_ip()))),
        ("azure_bgp_ip", address(cidr.map(|cidr| cidr.azure_ip()))),
    ])
}

/// What destroy may delete of what was observed: this link's tunnel ends always; customer gateways,
/// gateways, networks and groups where they carry the ownership tag or were managed before;
/// propagation and the gateway subnet where this link made them.
pub fn managed(
    settings: &Model,
    observed: &Observed,
    before: &Managed,
    private: &PrivateState,
    claims: bool,
) -> Managed {
    let mut managed = Managed::default();
    let (azure, aws) = (&observed.azure, &observed.aws);
    let link = azure
        .network
        .as_ref()
        .map(|network| network.resource.id.clone())
        .or_else(|| ResourceId::parse(settings.network_id.known()?).ok());
    let link = link.zip(inside_cidrs(settings)).map(|(network, cidrs)| {
        link_id(
            &settings.link,
            private,
            &network,
            *cidrs.get(TunnelKey {
                instance: Instance::Zero,
                number: 1,
            }),
        )
    });
    let link = link.or_else(|| private.link.clone());
    let tagged = |tags| link.as_ref().is_some_and(|link| link.is_on(tags));
    let mut add = |kind: Kind, id: &dyn Display, ours: bool| {
        let id = id.to_string();
        if ours || before.has(kind, &id) {
            managed.add(kind, id);
        }
    };
    for local in azure
        .local_gateways
        .iter()
        .filter_map(|(_, local)| local.as_ref())
    {
        add(Kind::AzureLocalGateway, &local.resource.id, true);
    }
    for connection in azure
        .connections
        .iter()
        .filter_map(|(_, connection)| connection.as_ref())
    {
        add(Kind::AzureConnection, &connection.resource.id, true);
    }
    for gateway in aws
        .customer_gateways
        .iter()
        .filter_map(|(_, gateway)| gateway.as_ref())
    {
        add(Kind::AwsCustomerGateway, &gateway.id, tagged(&gateway.tags));
    }
    for vpn in aws
        .vpn_connections
        .iter()
        .filter_map(|(_, vpn)| vpn.as_ref())
    {
        add(Kind::AwsVpnConnection, &vpn.id, true);
    }
    if settings.manage_gateways != Attr::Known(false) {
        if let Some(gateway) = &azure.gateway {
            let creates =
                !private.provenance.azure_gateway_is_existing && tagged(&gateway.resource.tags);
            add(Kind::AzureGateway, &gateway.resource.id, claims || creates);
        }
        for ip in azure.public_ips.iter().filter_map(|(_, ip)| ip.as_ref()) {
            let creates =
                !private.provenance.azure_gateway_is_existing && tagged(&ip.resource.tags);
            add(Kind::AzurePublicIp, &ip.resource.id, claims || creates);
        }
        if let Some(gateway) = &aws.gateway {
            let creates = !private.provenance.vpn_gateway_is_existing && tagged(&gateway.tags);
            add(Kind::AwsVpnGateway, &gateway.id, claims || creates);
        }
    }
    if let Some(group) = &azure.group {
        let of_gateway = azure
            .gateway
            .as_ref()
            .map(|gateway| gateway.resource.id.subscription().to_owned());
        let subscription = subscription(settings, of_gateway).unwrap_or_default();
        let id = format!(
            "/subscriptions/{subscription}/resourceGroups/{}",
            group.name
        );
        let creates = settings.create_group == Attr::Known(true);
        let on_existing_gateway = private.provenance.azure_gateway_is_existing && !creates;
        add(
            Kind::AzureResourceGroup,
            &id,
            tagged(&group.tags) && !on_existing_gateway,
        );
    }
    if let Some(network) = &azure.network {
        let creates = settings.network.is_set();
        add(
            Kind::AzureVirtualNetwork,
            &network.resource.id,
            creates && tagged(&network.resource.tags),
        );
        if let Some(subnet) = network
            .subnets
            .iter()
            .find(|subnet| subnet.name == "GatewaySubnet")
        {
            let marked = azure
                .public_ips
                .iter()
                .filter_map(|(_, ip)| ip.as_ref())
                .any(|ip| {
                    tagged(&ip.resource.tags)
                        && created_gateway_subnet(&ip.resource.tags)
                            .is_some_and(|made| Some(made) == subnet.prefix)
                });
            add(
                Kind::AzureSubnet,
                &subnet.id,
                private.provenance.creates_gateway_subnet || marked,
            );
        }
    }
    // Tags prove nothing where the configuration names an existing object: they may have been
    // copied.
    let creates_vpc =
        settings.vpc.is_set() && aws.vpc.as_ref().is_some_and(|vpc| tagged(&vpc.tags));
    if let Some(vpc) = &aws.vpc {
        add(Kind::AwsVpc, &vpc.id, creates_vpc);
    }
    if let Some(gateway) = &aws.internet_gateway {
        add(
            Kind::AwsInternetGateway,
            &gateway.id,
            creates_vpc && tagged(&gateway.tags),
        );
    }
    if let Some(subnet) = &aws.public_subnet {
        let read = aws.subnets.iter().find(|read| read.id == *subnet);
        // A complete public table shows its subnet, which is then known by id and not read.
        add(
            Kind::AwsSubnet,
            &subnet.0,
            creates_vpc && read.is_none_or(|subnet| tagged(&subnet.tags)),
        );
    }
    let tables = settings.route_tables.known();
    let marks = Propagations::of(observed, link.as_ref());
    if let Some(table) = &aws.public_route_table {
        add(Kind::AwsRouteTable, table, creates_vpc);
    }
    for table in &aws.route_tables {
        if let Some(gateway) = aws
            .gateway
            .as_ref()
            .filter(|gateway| table.propagating.contains(&gateway.id))
        {
            let found = private
                .provenance
                .preexisting_propagation
                .contains(&table.id.0);
            let wanted = tables.is_none_or(|ids| ids.contains(&Attr::Known(table.id.0.clone())));
            // An empty set means hands off: what this link once switched on is left to others from
            // then on.
            if tables.is_none_or(|ids| !ids.is_empty()) {
                let id = format!("{}/{}", table.id, gateway.id);
                let own = marks.enabled_by_link(&id)
                    || private.provenance.vpn_gateway_is_existing && marks.full;
                add(Kind::AwsRoutePropagation, &id, own && wanted && !found);
            }
        }
    }
    managed
}

/// In which route tables the tags say that the link enabled propagation.
struct Propagations {
    enabled: BTreeSet<String>,
    /// The customer gateways hold no further tag, so that a missing one says nothing.
    full: bool,
}

impl Propagations {
    fn of(observed: &Observed, link: Option<&LinkId>) -> Self {
        let own = |tags: &&Tags| link.is_some_and(|link| link.is_on(tags));
        let customers = observed
            .aws
            .customer_gateways
            .iter()
            .filter_map(|(_, one)| one.as_ref().map(|one| &one.tags));
        let customers: Vec<&Tags> = customers.filter(own).collect();
        let gateway = observed
            .aws
            .gateway
            .iter()
            .map(|gateway| &gateway.tags)
            .filter(own);
        Propagations {
            enabled: customers
                .iter()
                .copied()
                .chain(gateway)
                .flat_map(recorded_propagations)
                .collect(),
            full: customers
                .iter()
                .any(|tags| tags.len() >= MAX_TAGS_BEFORE_RECORD),
        }
    }

    fn enabled_by_link(&self, id: &str) -> bool {
        self.enabled.contains(id)
    }
}

/// `managed` as a value: only kinds of which there is something.
pub fn managed_value(managed: &Managed) -> Value {
    let kinds = managed.0.iter().filter(|(_, ids)| !ids.is_empty());
    Value::map(kinds.map(|(kind, ids)| {
        (
            kind.to_string(),
            Value::set_of(ids.iter().map(String::as_str)),
        )
    }))
}

/// `id` and identity of a link, once the Azure gateway's id is known.
pub fn identity(gateway: &str, inside_cidr: &str) -> (Value, Value) {
    let identity = Value::object([("azure_gateway_id", gateway), ("inside_cidr", inside_cidr)]);
    (format!("{gateway},{inside_cidr}").into(), identity)
}

/// This link's addresses on the Azure gateway, by its state: not those that were there before it.
pub fn own_bgp_addresses(state: &Config, private: &PrivateState) -> Vec<Ipv4Addr> {
    let cidrs = inside_cidrs(state);
    let placed = cidrs
        .iter()
        .flat_map(|cidrs| cidrs.iter().map(|(_, cidr)| cidr.azure_ip()));
    let former = private.pending_removals.iter().map(|(_, ip)| *ip);
    placed
        .chain(former)
        .filter(|ip| !private.provenance.preexisting_addresses.contains(ip))
        .collect()
}

/// Whether all that is left of a link is nothing, its addresses on another user's gateway included.
/// A busy gateway does not show what it lists.
pub fn is_deleted(
    state: &Config,
    private: &PrivateState,
    managed: &Managed,
    observed: &Observed,
) -> bool {
    let own = own_bgp_addresses(state, private);
    // From a gateway with RADIUS clients they are never taken off.
    let withdrawable = |gateway: &&Gateway| {
        private.provenance.azure_gateway_is_existing && !gateway.hides_radius_secret
    };
    let gateway = observed.azure.gateway.as_ref().filter(withdrawable);
    let listed = gateway.is_some_and(|at| {
        at.resource.state.is_busy() || at.custom_bgp_ips().any(|ip| own.contains(ip))
    });
    managed.is_empty() && !listed
}

/// The identity that the `id` of a state contains.
pub fn identity_of(state: &Value) -> Option<Value> {
    let (gateway, cidr) = state.get("id").as_str()?.rsplit_once(',')?;
    Some(identity(gateway, cidr).1)
}
