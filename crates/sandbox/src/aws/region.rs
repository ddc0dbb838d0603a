//! One region: its objects, what happens to them as time goes by, and how the rest of the world
//! sees them.

use super::connection::{Connection, Target};
use super::customer_gateway::CustomerGateway;
use super::dependents::Dependents;
use super::errors::ApiError;
use super::gateways::VpnGateway;
use super::internet_gateway::InternetGateway;
use super::lifecycle::Object;
use super::routes::RouteTable;
use super::subnets::Subnet;
use super::transit::{TransitAttachment, TransitGateway};
use super::transit_routes::TransitRouteTable;
use super::vpc::Vpc;
use super::xml::Xml;
use crate::dataplane::AwsEndpoint;
use crate::rng::Rng;
use crate::time::SimTime;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

/// What an operation gives back: the elements inside its response, or a refusal.
pub type ApiResult = Result<Xml, ApiError>;

/// How many there may be in a region. The defaults are EC2's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quotas {
    pub vpcs: usize,
    pub customer_gateways: usize,
    pub vpn_gateways: usize,
    pub vpn_connections: usize,
    pub vpn_connections_per_gateway: usize,
    pub transit_gateways: usize,
}

impl Default for Quotas {
    fn default() -> Self {
        Quotas {
            vpcs: 5,
            customer_gateways: 50,
            vpn_gateways: 5,
            vpn_connections: 50,
            vpn_connections_per_gateway: 10,
            transit_gateways: 5,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Region {
    pub name: String,
    #[serde(skip)]
    pub quotas: Quotas,
    pub vpcs: BTreeMap<String, Vpc>,
    pub subnets: BTreeMap<String, Subnet>,
    pub route_tables: BTreeMap<String, RouteTable>,
    pub internet_gateways: BTreeMap<String, InternetGateway>,
    pub vpn_gateways: BTreeMap<String, VpnGateway>,
    pub customer_gateways: BTreeMap<String, CustomerGateway>,
    pub vpn_connections: BTreeMap<String, Connection>,
    pub transit_gateways: BTreeMap<String, TransitGateway>,
    pub transit_attachments: BTreeMap<String, TransitAttachment>,
    #[serde(default)]
    pub transit_route_tables: BTreeMap<String, TransitRouteTable>,
    #[serde(default)]
    pub dependents: Dependents,
}

/// The partition that a region belongs to.
pub fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

impl Region {
    pub fn new(name: &str) -> Self {
        Region {
            name: name.to_owned(),
            ..Region::default()
        }
    }

    /// `arn:aws:...`, in the partition that the region belongs to.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            partition(&self.name),
            self.name,
            super::ACCOUNT
        )
    }

    pub fn advance(&mut self, now: SimTime, _rng: &mut Rng) {
        for vpc in self.vpcs.values_mut() {
            vpc.lifecycle.advance(now);
        }
        for subnet in self.subnets.values_mut() {
            subnet.lifecycle.advance(now);
        }
        let mut detached = Vec::new();
        self.vpn_gateways.retain(|_, gateway| {
            detached.extend(
                gateway
                    .complete_attachments(now)
                    .into_iter()
                    .map(|vpc| (gateway.id.clone(), vpc)),
            );
            gateway.lifecycle.advance(now)
        });
        for (gateway, vpc) in detached {
            self.forget_propagation(&gateway, &vpc);
        }
        self.customer_gateways
            .retain(|_, gateway| gateway.lifecycle.advance(now));
        self.vpn_connections
            .retain(|_, connection| connection.advance(now));
        self.transit_gateways
            .retain(|_, gateway| gateway.lifecycle.advance(now));
        self.transit_attachments
            .retain(|_, attachment| attachment.advance(now));
        self.transit_route_tables
            .retain(|_, table| table.lifecycle.advance(now));
        self.dependents.advance(now);
    }

    /// What time alone changes of the endpoints.
    pub fn revision(&self, hasher: &mut impl Hasher) {
        for connection in self.vpn_connections.values() {
            connection.lifecycle.state.hash(hasher);
            connection
                .tunnels
                .iter()
                .for_each(|tunnel| tunnel.replaced_until.is_some().hash(hasher));
        }
        self.vpn_gateways
            .values()
            .for_each(|gateway| gateway.attached_vpc().hash(hasher));
        (self.customer_gateways.len(), self.transit_gateways.len()).hash(hasher);
    }

    /// Every tunnel endpoint of this region's connections that are not deleted.
    pub fn endpoints(&self) -> Vec<AwsEndpoint> {
        let mut endpoints = Vec::new();
        for connection in self
            .vpn_connections
            .values()
            .filter(|connection| !connection.gone())
        {
            let Some(customer) = self.customer_gateways.get(&connection.customer_gateway_id) else {
                continue;
            };
            let (asn, announces) = match &connection.target {
                Target::VpnGateway(id) => {
                    let Some(gateway) = self.vpn_gateways.get(id) else {
                        continue;
                    };
                    let vpc = gateway.attached_vpc().and_then(|vpc| self.vpcs.get(vpc));
                    (
                        gateway.asn,
                        vpc.map(|vpc| vpc.ranges().collect()).unwrap_or_default(),
                    )
                }
                Target::TransitGateway(id) => {
                    let Some(gateway) = self.transit_gateways.get(id) else {
                        continue;
                    };
                    (gateway.asn, Vec::new())
                }
            };
            endpoints.extend(connection.endpoints(customer, asn, &announces));
        }
        endpoints
    }

    /// What the world's listing shows.
    pub fn objects(&self) -> Vec<Value> {
        let mut all = Vec::new();
        for vpc in self.vpcs.values() {
            all.push(self.row(
                vpc,
                vpc.lifecycle.state.as_str(),
                json!({
                    "cidr_blocks": vpc.ranges().map(|range| range.to_string()).collect::<Vec<_>>(),
                }),
            ));
        }
        for subnet in self.subnets.values() {
            all.push(self.row(
                subnet,
                subnet.lifecycle.state.as_str(),
                json!({
                    "vpc_id": subnet.vpc_id, "cidr_block": subnet.cidr.to_string(),
                }),
            ));
        }
        for table in self.route_tables.values() {
            all.push(self.row(
                table,
                "available",
                json!({
                    "vpc_id": table.vpc_id,
                    "main": table.main(),
                    "subnets": table.subnets().collect::<Vec<_>>(),
                    "propagating": table.propagating,
                    "routes": table.routes.iter().map(|route| route.destination.to_string()).collect::<Vec<_>>(),
                }),
            ));
        }
        for gateway in self.internet_gateways.values() {
            all.push(self.row(gateway, "available", json!({ "vpc_id": gateway.vpc_id })));
        }
        for gateway in self.vpn_gateways.values().filter(|gateway| !gateway.gone()) {
            let attachments: Vec<Value> = gateway
                .attachments
                .iter()
                .map(|attachment| json!({ "vpc_id": attachment.vpc_id, "state": attachment.state.as_str() }))
                .collect();
            let extra = json!({ "asn": gateway.asn, "attachments": attachments });
            all.push(self.row(gateway, gateway.lifecycle.state.as_str(), extra));
        }
        for gateway in self
            .customer_gateways
            .values()
            .filter(|gateway| !gateway.gone())
        {
            all.push(self.row(
                gateway,
                gateway.lifecycle.state.as_str(),
                json!({
                    "asn": gateway.asn, "ip_address": gateway.ip_address, "device_name": gateway.device_name,
                }),
            ));
        }
        for connection in self
            .vpn_connections
            .values()
            .filter(|connection| !connection.gone())
        {
            all.push(self.row(
                connection,
                connection.lifecycle.state.as_str(),
                connection.summary(),
            ));
        }
        for gateway in self
            .transit_gateways
            .values()
            .filter(|gateway| !gateway.gone())
        {
            all.push(self.row(
                gateway,
                gateway.lifecycle.state.as_str(),
                json!({ "asn": gateway.asn }),
            ));
        }
        all.extend(self.dependent_rows());
        all
    }

    pub(super) fn row<T: Object>(&self, object: &T, state: &str, extra: Value) -> Value {
        let mut row = json!({
            "kind": T::KIND,
            "id": object.id(),
            "name": object.tags().get("Name"),
            "region": self.name,
            "state": state,
            "tags": object.tags(),
        });
        if let (Some(row), Value::Object(extra)) = (row.as_object_mut(), extra) {
            row.extend(extra);
        }
        row
    }
}
