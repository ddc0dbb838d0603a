//! What other teams put into a VPC: network interfaces, NAT gateways, endpoints, peering
//! connections, security groups, network ACLs and egress-only internet gateways. Each of them keeps
//! its VPC from being deleted.

mod egress_only_internet_gateway;
mod nat_gateway;
mod network_acl;
mod network_interface;
mod security_group;
mod vpc_endpoint;
mod vpc_peering;

use crate::aws::errors::ApiError;
use crate::aws::filters;
use crate::aws::lifecycle::{self, Object, find};
use crate::aws::query::Params;
use crate::aws::region::Region;
use crate::time::SimTime;
use crate::world::Context;
use egress_only_internet_gateway::EgressGateway;
use nat_gateway::NatGateway;
use network_acl::NetworkAcl;
use network_interface::NetworkInterface;
use security_group::SecurityGroup;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use vpc_endpoint::Endpoint;
use vpc_peering::Peering;

/// Everything of this kind in a region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Dependents {
    pub interfaces: BTreeMap<String, NetworkInterface>,
    pub nat_gateways: BTreeMap<String, NatGateway>,
    pub endpoints: BTreeMap<String, Endpoint>,
    pub peerings: BTreeMap<String, Peering>,
    pub security_groups: BTreeMap<String, SecurityGroup>,
    pub network_acls: BTreeMap<String, NetworkAcl>,
    pub egress_gateways: BTreeMap<String, EgressGateway>,
}

impl Dependents {
    pub fn advance(&mut self, now: SimTime) {
        self.nat_gateways
            .retain(|_, gateway| gateway.lifecycle.advance(now));
    }

    /// Whether anything of a VPC would be left behind if that were deleted.
    pub fn uses_vpc(&self, id: &str) -> bool {
        self.interfaces.values().any(|one| one.vpc_id == id)
            || self
                .nat_gateways
                .values()
                .any(|one| one.vpc_id == id && !one.lifecycle.state.is_terminating())
            || self.endpoints.values().any(|one| one.vpc_id == id)
            || self
                .peerings
                .values()
                .any(|one| one.vpc_id == id || one.peer_vpc_id == id)
            || self.security_groups.values().any(|one| one.vpc_id == id)
            || self.network_acls.values().any(|one| one.vpc_id == id)
            || self.egress_gateways.values().any(|one| one.vpc_id == id)
    }

    pub fn uses_subnet(&self, id: &str) -> bool {
        self.interfaces.values().any(|one| one.subnet_id == id)
            || self
                .nat_gateways
                .values()
                .any(|one| one.subnet_id == id && !one.lifecycle.state.is_terminating())
    }

    /// Whether an address of the VPC can be reached from the internet.
    pub fn maps_public_address(&self, vpc: &str) -> bool {
        self.nat_gateways
            .values()
            .any(|one| one.vpc_id == vpc && one.public && !one.lifecycle.state.is_terminating())
    }
}

impl Region {
    /// What other teams put into the VPCs.
    pub(super) fn dependent_rows(&self) -> Vec<Value> {
        let (all, mut rows) = (&self.dependents, Vec::new());
        let within = |vpc: &String| json!({ "vpc_id": vpc });
        rows.extend(
            all.interfaces
                .values()
                .map(|one| self.row(one, "available", within(&one.vpc_id))),
        );
        let nat_gateways = all.nat_gateways.values().filter(|one| !one.gone());
        rows.extend(
            nat_gateways
                .map(|one| self.row(one, one.lifecycle.state.as_str(), within(&one.vpc_id))),
        );
        rows.extend(
            all.endpoints
                .values()
                .map(|one| self.row(one, "available", within(&one.vpc_id))),
        );
        rows.extend(
            all.peerings
                .values()
                .map(|one| self.row(one, "active", within(&one.vpc_id))),
        );
        rows.extend(
            all.security_groups
                .values()
                .map(|one| self.row(one, "available", within(&one.vpc_id))),
        );
        rows.extend(
            all.network_acls
                .values()
                .map(|one| self.row(one, "available", within(&one.vpc_id))),
        );
        rows.extend(
            all.egress_gateways
                .values()
                .map(|one| self.row(one, "attached", within(&one.vpc_id))),
        );
        rows
    }

    /// The VPC of a subnet, and the subnet.
    fn place_in(&self, subnet: &str, cx: &Context<'_>) -> Result<(String, String), ApiError> {
        let subnet = find(&self.subnets, subnet, cx.now)?;
        Ok((subnet.vpc_id.clone(), subnet.id.clone()))
    }
}

fn take<T: lifecycle::Object>(
    map: &mut BTreeMap<String, T>,
    id: &str,
    now: SimTime,
) -> Result<(), ApiError> {
    find(map, id, now)?;
    map.remove(id);
    Ok(())
}

/// Like `select`, but ids of others than these are no fault: the defaults of a VPC are listed
/// elsewhere.
fn select_created<'a, T: lifecycle::Object>(
    map: &'a BTreeMap<String, T>,
    params: &Params,
    ids: &str,
    now: SimTime,
    field: impl Fn(&T, &str) -> Option<Vec<String>>,
) -> Result<Vec<&'a T>, ApiError> {
    let (filters, wanted) = (filters::parse(params)?, params.list(ids));
    let mut found = Vec::new();
    for one in map
        .values()
        .filter(|one| one.visible_from() <= now && !one.gone())
    {
        let passes = filters::accept(&filters, one.tags(), |name| field(one, name))?;
        if passes && (wanted.is_empty() || wanted.contains(&one.id())) {
            found.push(one);
        }
    }
    Ok(found)
}
