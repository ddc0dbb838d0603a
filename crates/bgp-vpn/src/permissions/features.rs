//! What of both clouds a configuration may use. A value that only apply will know counts as set, so
//! that the permissions cover both of its variants.

use crate::azure::id::ResourceId;
use crate::config::{Attr, Config};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Features {
    pub creates_group: bool,
    /// The resource group may exist already.
    pub uses_existing_group: bool,
    pub creates_network: bool,
    /// The gateway subnet is created in an existing virtual network.
    pub creates_gateway_subnet: bool,
    /// The link creates its Azure gateway, in a network of its own or an existing one.
    pub creates_azure_gateway: bool,
    pub uses_azure_gateway: bool,
    /// The zones of new public IPs are not configured, so the region is asked for them.
    pub reads_zones: bool,
    pub creates_vpc: bool,
    pub creates_public_subnet: bool,
    pub uses_vpc: bool,
    /// The link creates its VPN gateway, in a VPC of its own or an existing one.
    pub creates_vpn_gateway: bool,
    pub uses_vpn_gateway: bool,
    pub uses_transit_gateway: bool,
    /// The attachments are associated with a route table of the transit gateway.
    pub associates_attachments: bool,
    /// The attachments propagate their routes into route tables of the transit gateway.
    pub propagates_attachments: bool,
    pub propagates_routes: bool,
    pub writes_logs: bool,
    /// Existing gateways become the link's own.
    pub claims_gateways: bool,
    pub region: Option<String>,
    pub vpc_ids: BTreeSet<String>,
    pub vpn_gateway_ids: BTreeSet<String>,
    pub transit_gateway_ids: BTreeSet<String>,
    /// Route tables that are named by id; None where others may be used too.
    pub route_table_ids: Option<BTreeSet<String>>,
    /// The same for route tables of the transit gateway.
    pub transit_route_table_ids: Option<BTreeSet<String>>,
    pub subscriptions: BTreeSet<String>,
}

impl Features {
    /// Reads a configuration.
    pub fn of(config: &Config) -> Self {
        let set = |attribute: &Attr<String>| !attribute.is_null();
        let may = |flag: &Attr<bool>| flag.is_unknown() || flag.known() == Some(&true);
        let (given_network, new_network) = (set(&config.network_id), !config.network.is_null());
        let uses_azure_gateway = set(&config.gateway_id);
        // An unknown id may be null only where the configuration is complete without it.
        let creates_azure_gateway = match config.gateway_id {
            Attr::Known(_) => false,
            Attr::Null => true,
            Attr::Unknown => given_network || new_network,
        };
        let creates_network = creates_azure_gateway && (new_network || !given_network);
        let (uses_vpc, uses_vpn_gateway, uses_transit_gateway) = (
            set(&config.vpc_id),
            set(&config.vpn_gateway_id),
            set(&config.transit_gateway_id),
        );
        let creates_vpc =
            !config.vpc.is_null() || !(uses_vpc || uses_vpn_gateway || uses_transit_gateway);
        let has_route_tables = match &config.route_tables {
            Attr::Known(tables) => !tables.is_empty(),
            Attr::Null | Attr::Unknown => true,
        };
        let propagates_attachments = match &config.transit_propagations {
            Attr::Known(tables) => !tables.is_empty(),
            Attr::Null => false,
            Attr::Unknown => true,
        };
        let creates_vpn_gateway = creates_vpc || uses_vpc;
        let ids = |attribute: &Attr<String>| attribute.known().cloned().into_iter().collect();
        let subscription = |attribute: &Attr<String>| {
            let id = ResourceId::parse(attribute.known()?).ok()?;
            id.as_str().split('/').nth(2).map(str::to_owned)
        };
        Features {
            creates_group: may(&config.create_group),
            uses_existing_group: config.create_group != Attr::Known(true),
            creates_network,
            creates_gateway_subnet: given_network && set(&config.gateway_subnet_prefix),
            creates_azure_gateway,
            uses_azure_gateway,
            reads_zones: creates_azure_gateway && !config.zones.is_set(),
            creates_vpc,
            creates_public_subnet: creates_vpc
                && !matches!(&config.vpc, Attr::Known(vpc) if vpc.public_subnet.is_null()),
            uses_vpc,
            creates_vpn_gateway,
            uses_vpn_gateway,
            uses_transit_gateway,
            associates_attachments: uses_transit_gateway && set(&config.transit_association),
            propagates_attachments: uses_transit_gateway && propagates_attachments,
            propagates_routes: (creates_vpn_gateway || uses_vpn_gateway) && has_route_tables,
            writes_logs: !config.logs.is_null(),
            claims_gateways: may(&config.manage_gateways),
            region: config.region.known().cloned(),
            vpc_ids: ids(&config.vpc_id),
            vpn_gateway_ids: ids(&config.vpn_gateway_id),
            transit_gateway_ids: ids(&config.transit_gateway_id),
            route_table_ids: match &config.route_tables {
                Attr::Known(tables) => tables.iter().map(|id| id.known().cloned()).collect(),
                Attr::Null | Attr::Unknown => None,
            },
            transit_route_table_ids: transit_route_tables(config),
            subscriptions: [&config.network_id, &config.gateway_id]
                .into_iter()
                .filter_map(subscription)
                .collect(),
        }
    }
}

/// The route tables of the transit gateway that a configuration names; None where one is unknown.
fn transit_route_tables(config: &Config) -> Option<BTreeSet<String>> {
    let association = match &config.transit_association {
        Attr::Null => None,
        Attr::Known(table) => Some(table.clone()),
        Attr::Unknown => return None,
    };
    let propagations = match &config.transit_propagations {
        Attr::Null => BTreeSet::new(),
        Attr::Known(tables) => tables
            .iter()
            .map(|table| table.known().cloned())
            .collect::<Option<_>>()?,
        Attr::Unknown => return None,
    };
    Some(association.into_iter().chain(propagations).collect())
}
