//! Route tables: associations, routes of one's own, and routes that a VPN gateway propagates from
//! its live tunnels.

use super::ACCOUNT;
use super::errors::ApiError;
use super::lifecycle::{self, find, find_live, find_mut, new_id, object, select, visible_from};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::dataplane::Tunnels;
use crate::time::SimTime;
use crate::world::Context;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hop {
    Local,
    /// An internet gateway or a VPN gateway.
    Gateway(String),
    TransitGateway(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    pub destination: Ipv4Net,
    pub hop: Hop,
}

/// No subnet means the main association of the VPC.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Association {
    pub id: String,
    pub subnet_id: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RouteTable {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub associations: Vec<Association>,
    /// Routes that were created; local and propagated ones follow from the VPC and its gateway.
    pub routes: Vec<Route>,
    /// VPN gateways that propagate into this table.
    pub propagating: BTreeSet<String>,
}

object!(
    RouteTable,
    "route-table",
    "rtb",
    "InvalidRouteTableID",
    "routeTable"
);

/// A route as it is shown.
struct Row {
    destination: Ipv4Net,
    hop: Hop,
    origin: &'static str,
    state: &'static str,
}

impl RouteTable {
    /// The table that a VPC is born with.
    pub fn main_of(vpc_id: &str, cx: &mut Context<'_>) -> Self {
        let main = Association {
            id: new_id("rtbassoc", cx.rng),
            subnet_id: None,
        };
        RouteTable {
            associations: vec![main],
            ..RouteTable::new(vpc_id, Tags::new(), cx)
        }
    }

    fn new(vpc_id: &str, tags: Tags, cx: &mut Context<'_>) -> Self {
        RouteTable {
            id: new_id("rtb", cx.rng),
            tags,
            visible_from: visible_from(cx.now, cx.rng),
            vpc_id: vpc_id.to_owned(),
            associations: Vec::new(),
            routes: Vec::new(),
            propagating: BTreeSet::new(),
        }
    }

    pub fn main(&self) -> bool {
        self.associations
            .iter()
            .any(|association| association.subnet_id.is_none())
    }

    pub fn subnets(&self) -> impl Iterator<Item = &str> {
        self.associations
            .iter()
            .filter_map(|association| association.subnet_id.as_deref())
    }

    pub fn forget_subnet(&mut self, subnet_id: &str) {
        self.associations
            .retain(|association| association.subnet_id.as_deref() != Some(subnet_id));
    }

    fn field(&self, rows: &[Row], name: &str) -> Option<Vec<String>> {
        let ids = || self.associations.iter();
        Some(match name {
            "route-table-id" => vec![self.id.clone()],
            "vpc-id" => vec![self.vpc_id.clone()],
            "owner-id" => vec![ACCOUNT.to_owned()],
            "association.main" => {
                let main: BTreeSet<bool> = ids()
                    .map(|association| association.subnet_id.is_none())
                    .collect();
                main.into_iter().map(|main| main.to_string()).collect()
            }
            "association.subnet-id" => self.subnets().map(str::to_owned).collect(),
            "association.route-table-id" => ids().map(|_| self.id.clone()).collect(),
            "association.route-table-association-id" => {
                ids().map(|association| association.id.clone()).collect()
            }
            "route.destination-cidr-block" => {
                rows.iter().map(|row| row.destination.to_string()).collect()
            }
            "route.origin" => rows.iter().map(|row| row.origin.to_owned()).collect(),
            "route.state" => rows.iter().map(|row| row.state.to_owned()).collect(),
            "route.gateway-id" => rows
                .iter()
                .filter_map(|row| match &row.hop {
                    Hop::Local => Some("local".to_owned()),
                    Hop::Gateway(id) => Some(id.clone()),
                    Hop::TransitGateway(_) => None,
                })
                .collect(),
            _ => return None,
        })
    }

    fn write(&self, rows: &[Row], xml: &mut Xml) {
        xml.text("routeTableId", &self.id);
        xml.text("vpcId", &self.vpc_id);
        xml.text("ownerId", ACCOUNT);
        xml.set("routeSet", rows, |xml, row| {
            xml.text("destinationCidrBlock", row.destination);
            match &row.hop {
                Hop::Local => xml.text("gatewayId", "local"),
                Hop::Gateway(id) => xml.text("gatewayId", id),
                Hop::TransitGateway(id) => xml.text("transitGatewayId", id),
            }
            xml.text("state", row.state);
            xml.text("origin", row.origin);
        });
        xml.set("associationSet", &self.associations, |xml, association| {
            xml.text("routeTableAssociationId", &association.id);
            xml.text("routeTableId", &self.id);
            xml.maybe("subnetId", association.subnet_id.as_ref());
            xml.text("main", association.subnet_id.is_none());
            xml.nest("associationState", |xml| xml.text("state", "associated"));
        });
        xml.set("propagatingVgwSet", &self.propagating, |xml, id| {
            xml.text("gatewayId", id)
        });
        tags::write(xml, &self.tags);
    }
}

impl Region {
    /// What a table holds at this moment. A propagated route yields to one of the table's own for
    /// the same destination.
    fn rows(&self, table: &RouteTable, tunnels: &Tunnels) -> Vec<Row> {
        let mut rows: Vec<Row> = Vec::new();
        let local = self
            .vpcs
            .get(&table.vpc_id)
            .into_iter()
            .flat_map(|vpc| vpc.ranges());
        rows.extend(local.map(|destination| Row {
            destination,
            hop: Hop::Local,
            origin: "CreateRouteTable",
            state: "active",
        }));
        rows.extend(table.routes.iter().map(|route| Row {
            destination: route.destination,
            hop: route.hop.clone(),
            origin: "CreateRoute",
            state: if self.leads(&route.hop, &table.vpc_id) {
                "active"
            } else {
                "blackhole"
            },
        }));
        for gateway in &table.propagating {
            let learned: BTreeSet<Ipv4Net> = self
                .connections_of(gateway)
                .flat_map(|connection| connection.tunnels.iter())
                .flat_map(|tunnel| tunnels.aws_learned(tunnel.outside_ip).iter().copied())
                .collect();
            for destination in learned {
                if rows.iter().all(|row| row.destination != destination) {
                    let hop = Hop::Gateway(gateway.clone());
                    rows.push(Row {
                        destination,
                        hop,
                        origin: "EnableVgwRoutePropagation",
                        state: "active",
                    });
                }
            }
        }
        rows
    }

    pub(super) fn create_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = self
            .usable_vpc(params.require("VpcId")?, cx.now)?
            .id
            .clone();
        let table = RouteTable::new(&vpc, lifecycle::initial_tags::<RouteTable>(params)?, cx);
        let mut xml = Xml::new();
        xml.nest("routeTable", |xml| {
            table.write(&self.rows(&table, cx.tunnels), xml)
        });
        self.route_tables.insert(table.id.clone(), table);
        Ok(xml)
    }

    pub(super) fn describe_route_tables(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let tables = select(
            &self.route_tables,
            params,
            "RouteTableId",
            cx.now,
            |table, name| {
                let rows = if name.starts_with("route.") {
                    self.rows(table, cx.tunnels)
                } else {
                    Vec::new()
                };
                table.field(&rows, name)
            },
        )?;
        let mut xml = Xml::new();
        xml.set("routeTableSet", tables, |xml, table| {
            table.write(&self.rows(table, cx.tunnels), xml)
        });
        Ok(xml)
    }

    pub(super) fn delete_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("RouteTableId")?;
        if !find(&self.route_tables, id, cx.now)?
            .associations
            .is_empty()
        {
            return Err(ApiError::dependency(format!(
                "The routeTable '{id}' has dependencies and cannot be deleted."
            )));
        }
        self.route_tables.remove(id);
        Ok(Xml::done())
    }

    pub(super) fn associate_route_table(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let subnet = find(&self.subnets, params.require("SubnetId")?, cx.now)?;
        let (subnet_id, vpc_id) = (subnet.id.clone(), subnet.vpc_id.clone());
        let id = params.require("RouteTableId")?;
        if find(&self.route_tables, id, cx.now)?.vpc_id != vpc_id {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Route table {id} and network {subnet_id} belong to different networks"),
            ));
        }
        if self
            .route_tables
            .values()
            .any(|table| table.id != id && table.subnets().any(|other| other == subnet_id))
        {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!(
                    "the specified association for route table {id} conflicts with an existing association"
                ),
            ));
        }
        let table = find_mut(&mut self.route_tables, id, cx.now)?;
        let known = table
            .associations
            .iter()
            .find(|a| a.subnet_id.as_deref() == Some(subnet_id.as_str()));
        let association = known.map_or_else(
            || new_id("rtbassoc", cx.rng),
            |association| association.id.clone(),
        );
        table.forget_subnet(&subnet_id);
        table.associations.push(Association {
            id: association.clone(),
            subnet_id: Some(subnet_id),
        });
        let mut xml = Xml::new();
        xml.text("associationId", association);
        xml.nest("associationState", |xml| xml.text("state", "associated"));
        Ok(xml)
    }

    pub(super) fn disassociate_route_table(
        &mut self,
        params: &Params,
        _cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("AssociationId")?;
        for table in self.route_tables.values_mut() {
            if let Some(place) = table
                .associations
                .iter()
                .position(|association| association.id == id)
            {
                if table
                    .associations
                    .get(place)
                    .is_some_and(|association| association.subnet_id.is_none())
                {
                    return Err(ApiError::new(
                        "InvalidParameterValue",
                        format!("cannot disassociate the main route table association {id}"),
                    ));
                }
                table.associations.remove(place);
                return Ok(Xml::done());
            }
        }
        Err(ApiError::new(
            "InvalidAssociationID.NotFound",
            format!("The association ID '{id}' does not exist"),
        ))
    }

    pub(super) fn create_route(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let destination = destination(params)?;
        let hop = if let Some(id) = params.get("GatewayId") {
            match id.split_once('-').map(|(prefix, _)| prefix) {
                Some("vgw") => drop(find_live(&self.vpn_gateways, id, cx.now)?),
                _ => drop(find(&self.internet_gateways, id, cx.now)?),
            }
            Hop::Gateway(id.to_owned())
        } else {
            let id = params.require("TransitGatewayId")?;
            find_live(&self.transit_gateways, id, cx.now)?;
            Hop::TransitGateway(id.to_owned())
        };
        let vpc_id = find(&self.route_tables, params.require("RouteTableId")?, cx.now)?
            .vpc_id
            .clone();
        if let Hop::Gateway(id) = &hop
            && !self.leads(&hop, &vpc_id)
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("route table and network gateway {id} belong to different networks"),
            ));
        }
        if self
            .vpcs
            .get(&vpc_id)
            .is_some_and(|vpc| vpc.ranges().any(|range| range == destination))
        {
            return Err(ApiError::value(
                "destinationCidrBlock",
                &destination.to_string(),
                "The local route is there already.",
            ));
        }
        let table = find_mut(
            &mut self.route_tables,
            params.require("RouteTableId")?,
            cx.now,
        )?;
        if let Some(known) = table
            .routes
            .iter()
            .find(|route| route.destination == destination)
        {
            if known.hop == hop {
                return Ok(Xml::done());
            }
            return Err(ApiError::new(
                "RouteAlreadyExists",
                format!("The route identified by {destination} already exists."),
            ));
        }
        table.routes.push(Route { destination, hop });
        Ok(Xml::done())
    }

    pub(super) fn delete_route(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let destination = destination(params)?;
        let table = find_mut(
            &mut self.route_tables,
            params.require("RouteTableId")?,
            cx.now,
        )?;
        let Some(place) = table
            .routes
            .iter()
            .position(|route| route.destination == destination)
        else {
            return Err(ApiError::new(
                "InvalidRoute.NotFound",
                format!(
                    "no route with destination-cidr-block {destination} in route table {}",
                    table.id
                ),
            ));
        };
        table.routes.remove(place);
        Ok(Xml::done())
    }

    pub(super) fn enable_vgw_route_propagation(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let gateway = find_live(&self.vpn_gateways, params.require("GatewayId")?, cx.now)?;
        let (id, vpc) = (
            gateway.id.clone(),
            gateway.attached_vpc().map(str::to_owned),
        );
        let table = find_mut(
            &mut self.route_tables,
            params.require("RouteTableId")?,
            cx.now,
        )?;
        if vpc.as_deref() != Some(table.vpc_id.as_str()) {
            return Err(ApiError::new(
                "Gateway.NotAttached",
                format!("resource {id} is not attached to network {}", table.vpc_id),
            ));
        }
        table.propagating.insert(id);
        Ok(Xml::done())
    }

    pub(super) fn disable_vgw_route_propagation(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("GatewayId")?;
        find(&self.vpn_gateways, id, cx.now)?;
        let table = find_mut(
            &mut self.route_tables,
            params.require("RouteTableId")?,
            cx.now,
        )?;
        table.propagating.remove(id);
        Ok(Xml::done())
    }

    /// A gateway that leaves a VPC no longer propagates there.
    pub(super) fn forget_propagation(&mut self, gateway_id: &str, vpc_id: &str) {
        for table in self
            .route_tables
            .values_mut()
            .filter(|table| table.vpc_id == vpc_id)
        {
            table.propagating.remove(gateway_id);
        }
    }
}

fn destination(params: &Params) -> Result<Ipv4Net, ApiError> {
    let text = params.require("DestinationCidrBlock")?;
    let cidr: Ipv4Net = text.parse().map_err(|_| {
        ApiError::value(
            "destinationCidrBlock",
            text,
            "This is not a valid CIDR block.",
        )
    })?;
    Ok(cidr.trunc())
}
