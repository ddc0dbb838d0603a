//! What other teams put into a VPC: network interfaces, NAT gateways, endpoints, peering
//! connections, security groups, network ACLs and egress-only internet gateways. Each of them keeps
//! its VPC from being deleted.

use super::ACCOUNT;
use super::errors::ApiError;
use super::filters;
use super::lifecycle::{self, Lifecycle, State, find, new_id, object, select};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    subnet_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NatGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub lifecycle: Lifecycle,
    subnet_id: String,
    public: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    service: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Peering {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    /// The requester's.
    pub vpc_id: String,
    pub peer_vpc_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SecurityGroup {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkAcl {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EgressGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
}

object!(
    NetworkInterface,
    "network-interface",
    "eni",
    "InvalidNetworkInterfaceID",
    "networkInterface"
);
object!(
    NatGateway,
    "natgateway",
    "nat",
    "NatGatewayNotFound",
    "natGateway",
    lifecycle
);
object!(
    Endpoint,
    "vpc-endpoint",
    "vpce",
    "InvalidVpcEndpointId",
    "vpcEndpoint"
);
object!(
    Peering,
    "vpc-peering-connection",
    "pcx",
    "InvalidVpcPeeringConnectionID",
    "vpcPeeringConnection"
);
object!(
    SecurityGroup,
    "security-group",
    "sg",
    "InvalidGroup",
    "security group"
);
object!(
    NetworkAcl,
    "network-acl",
    "acl",
    "InvalidNetworkAclID",
    "networkAcl"
);
object!(
    EgressGateway,
    "egress-only-internet-gateway",
    "eigw",
    "InvalidEgressOnlyInternetGatewayId",
    "egressOnlyInternetGateway"
);

impl NetworkInterface {
    fn write(&self, xml: &mut Xml) {
        xml.text("networkInterfaceId", &self.id);
        xml.text("subnetId", &self.subnet_id);
        xml.text("vpcId", &self.vpc_id);
        xml.text("ownerId", ACCOUNT);
        xml.text("requesterManaged", false);
        xml.text("status", "available");
        xml.text("interfaceType", "interface");
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "network-interface-id" => self.id.clone(),
            "vpc-id" => self.vpc_id.clone(),
            "subnet-id" => self.subnet_id.clone(),
            "owner-id" => ACCOUNT.to_owned(),
            "status" => "available".to_owned(),
            // Filters of clients that look for leftovers of services that have none here.
            "attachment.instance-owner-id"
            | "description"
            | "requester-id"
            | "group-id"
            | "interface-type" => String::new(),
            _ => return None,
        }])
    }
}

impl NatGateway {
    fn write(&self, xml: &mut Xml) {
        xml.text("natGatewayId", &self.id);
        xml.text("subnetId", &self.subnet_id);
        xml.text("vpcId", &self.vpc_id);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text(
            "connectivityType",
            if self.public { "public" } else { "private" },
        );
        xml.nest("natGatewayAddressSet", |_| {});
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "nat-gateway-id" => self.id.clone(),
            "vpc-id" => self.vpc_id.clone(),
            "subnet-id" => self.subnet_id.clone(),
            "state" => self.lifecycle.state.as_str().to_owned(),
            _ => return None,
        }])
    }
}

impl Endpoint {
    fn write(&self, xml: &mut Xml) {
        xml.text("vpcEndpointId", &self.id);
        xml.text("vpcEndpointType", "Gateway");
        xml.text("vpcId", &self.vpc_id);
        xml.text("serviceName", &self.service);
        xml.text("state", "available");
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "vpc-endpoint-id" => self.id.clone(),
            "vpc-id" => self.vpc_id.clone(),
            "service-name" => self.service.clone(),
            "vpc-endpoint-state" => "available".to_owned(),
            _ => return None,
        }])
    }
}

impl Peering {
    fn write(&self, xml: &mut Xml, region: &str) {
        let mut side = |name: &str, vpc: &str| {
            xml.nest(name, |xml| {
                xml.text("ownerId", ACCOUNT);
                xml.text("vpcId", vpc);
                xml.text("region", region);
            });
        };
        side("requesterVpcInfo", &self.vpc_id);
        side("accepterVpcInfo", &self.peer_vpc_id);
        xml.nest("status", |xml| {
            xml.text("code", "active");
            xml.text("message", "Active");
        });
        xml.text("vpcPeeringConnectionId", &self.id);
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "vpc-peering-connection-id" => self.id.clone(),
            "requester-vpc-info.vpc-id" => self.vpc_id.clone(),
            "accepter-vpc-info.vpc-id" => self.peer_vpc_id.clone(),
            "status-code" => "active".to_owned(),
            _ => return None,
        }])
    }
}

impl SecurityGroup {
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.text("ownerId", ACCOUNT);
        xml.text("groupId", &self.id);
        xml.text("groupName", &self.name);
        xml.text("groupDescription", &self.name);
        xml.text("vpcId", &self.vpc_id);
        xml.nest("ipPermissions", |_| {});
        xml.nest("ipPermissionsEgress", |_| {});
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "vpc-id" => self.vpc_id.clone(),
            "group-name" | "description" => self.name.clone(),
            "group-id" => self.id.clone(),
            "owner-id" => ACCOUNT.to_owned(),
            _ => return None,
        }])
    }
}

impl NetworkAcl {
    pub(super) fn write(&self, xml: &mut Xml) {
        xml.text("networkAclId", &self.id);
        xml.text("vpcId", &self.vpc_id);
        xml.text("ownerId", ACCOUNT);
        xml.text("default", false);
        xml.nest("entrySet", |_| {});
        xml.nest("associationSet", |_| {});
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(match name {
            "vpc-id" => vec![self.vpc_id.clone()],
            "default" => vec!["false".to_owned()],
            "network-acl-id" => vec![self.id.clone()],
            "association.subnet-id" => Vec::new(),
            _ => return None,
        })
    }
}

impl EgressGateway {
    fn write(&self, xml: &mut Xml) {
        xml.text("egressOnlyInternetGatewayId", &self.id);
        xml.set("attachmentSet", [&self.vpc_id], |xml, vpc| {
            xml.text("vpcId", vpc);
            xml.text("state", "attached");
        });
        tags::write(xml, &self.tags);
    }
}

impl Region {
    pub(super) fn create_network_interface(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (vpc_id, subnet_id) = self.place_in(params.require("SubnetId")?, cx)?;
        let made = NetworkInterface {
            id: new_id("eni", cx.rng),
            tags: lifecycle::initial_tags::<NetworkInterface>(params)?,
            visible_from: cx.now,
            vpc_id,
            subnet_id,
        };
        let mut xml = Xml::new();
        xml.nest("networkInterface", |xml| made.write(xml));
        self.dependents.interfaces.insert(made.id.clone(), made);
        Ok(xml)
    }

    pub(super) fn describe_network_interfaces(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let found = select(
            &self.dependents.interfaces,
            params,
            "NetworkInterfaceId",
            cx.now,
            NetworkInterface::field,
        )?;
        let mut xml = Xml::new();
        xml.set("networkInterfaceSet", found, |xml, one| one.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_network_interface(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        take(
            &mut self.dependents.interfaces,
            params.require("NetworkInterfaceId")?,
            cx.now,
        )?;
        Ok(Xml::done())
    }

    pub(super) fn create_nat_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let (vpc_id, subnet_id) = self.place_in(params.require("SubnetId")?, cx)?;
        let public = params.get("ConnectivityType").unwrap_or("public") == "public";
        if public {
            params.require("AllocationId")?;
        }
        let made = NatGateway {
            id: new_id("nat", cx.rng),
            tags: lifecycle::initial_tags::<NatGateway>(params)?,
            visible_from: cx.now,
            lifecycle: Lifecycle::pending(
                cx.now
                    + cx.rng
                        .duration(SimDuration::seconds(30), SimDuration::seconds(90)),
            ),
            vpc_id,
            subnet_id,
            public,
        };
        let mut xml = Xml::new();
        xml.nest("natGateway", |xml| made.write(xml));
        self.dependents.nat_gateways.insert(made.id.clone(), made);
        Ok(xml)
    }

    pub(super) fn describe_nat_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let found = select(
            &self.dependents.nat_gateways,
            params,
            "NatGatewayId",
            cx.now,
            NatGateway::field,
        )?;
        let mut xml = Xml::new();
        xml.set("natGatewaySet", found, |xml, one| one.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_nat_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("NatGatewayId")?;
        let gateway = lifecycle::find_mut(&mut self.dependents.nat_gateways, id, cx.now)?;
        if gateway.lifecycle.state != State::Deleting {
            gateway.lifecycle = Lifecycle::deleting(
                cx.now
                    + cx.rng
                        .duration(SimDuration::seconds(20), SimDuration::seconds(60)),
            );
        }
        let mut xml = Xml::new();
        xml.text("natGatewayId", id);
        Ok(xml)
    }

    pub(super) fn create_vpc_endpoint(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        if params
            .get("VpcEndpointType")
            .is_some_and(|kind| kind != "Gateway")
        {
            return Err(ApiError::new(
                "UnsupportedOperation",
                "Only gateway endpoints are served here.",
            ));
        }
        let made = Endpoint {
            id: new_id("vpce", cx.rng),
            tags: lifecycle::initial_tags::<Endpoint>(params)?,
            visible_from: cx.now,
            vpc_id: self
                .usable_vpc(params.require("VpcId")?, cx.now)?
                .id
                .clone(),
            service: params.require("ServiceName")?.to_owned(),
        };
        let mut xml = Xml::new();
        xml.nest("vpcEndpoint", |xml| made.write(xml));
        self.dependents.endpoints.insert(made.id.clone(), made);
        Ok(xml)
    }

    pub(super) fn describe_vpc_endpoints(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let found = select(
            &self.dependents.endpoints,
            params,
            "VpcEndpointId",
            cx.now,
            Endpoint::field,
        )?;
        let mut xml = Xml::new();
        xml.set("vpcEndpointSet", found, |xml, one| one.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_vpc_endpoints(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        for id in params.list("VpcEndpointId") {
            take(&mut self.dependents.endpoints, id, cx.now)?;
        }
        let mut xml = Xml::new();
        xml.nest("unsuccessful", |_| {});
        Ok(xml)
    }

    pub(super) fn create_vpc_peering_connection(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let made = Peering {
            id: new_id("pcx", cx.rng),
            tags: lifecycle::initial_tags::<Peering>(params)?,
            visible_from: cx.now,
            vpc_id: self
                .usable_vpc(params.require("VpcId")?, cx.now)?
                .id
                .clone(),
            peer_vpc_id: self
                .usable_vpc(params.require("PeerVpcId")?, cx.now)?
                .id
                .clone(),
        };
        let (mut xml, region) = (Xml::new(), self.name.clone());
        xml.nest("vpcPeeringConnection", |xml| made.write(xml, &region));
        self.dependents.peerings.insert(made.id.clone(), made);
        Ok(xml)
    }

    pub(super) fn describe_vpc_peering_connections(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let found = select(
            &self.dependents.peerings,
            params,
            "VpcPeeringConnectionId",
            cx.now,
            Peering::field,
        )?;
        let mut xml = Xml::new();
        xml.set("vpcPeeringConnectionSet", found, |xml, one| {
            one.write(xml, &self.name)
        });
        Ok(xml)
    }

    pub(super) fn delete_vpc_peering_connection(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        take(
            &mut self.dependents.peerings,
            params.require("VpcPeeringConnectionId")?,
            cx.now,
        )?;
        Ok(Xml::done())
    }

    pub(super) fn create_security_group(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        params.require("GroupDescription")?;
        let made = SecurityGroup {
            id: new_id("sg", cx.rng),
            tags: lifecycle::initial_tags::<SecurityGroup>(params)?,
            visible_from: cx.now,
            vpc_id: self
                .usable_vpc(params.require("VpcId")?, cx.now)?
                .id
                .clone(),
            name: params.require("GroupName")?.to_owned(),
        };
        if made.name == "default" {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "Cannot use reserved security group name: default",
            ));
        }
        let mut xml = Xml::new();
        xml.text("groupId", &made.id);
        tags::write(&mut xml, &made.tags);
        self.dependents
            .security_groups
            .insert(made.id.clone(), made);
        Ok(xml)
    }

    /// Security groups that were made, by the filters and ids of a call.
    pub(super) fn created_security_groups(
        &self,
        params: &Params,
        now: SimTime,
    ) -> Result<Vec<&SecurityGroup>, ApiError> {
        made(
            &self.dependents.security_groups,
            params,
            "GroupId",
            now,
            SecurityGroup::field,
        )
    }

    pub(super) fn delete_security_group(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("GroupId")?;
        take(&mut self.dependents.security_groups, id, cx.now)?;
        let mut xml = Xml::done();
        xml.text("groupId", id);
        Ok(xml)
    }

    pub(super) fn create_network_acl(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let made = NetworkAcl {
            id: new_id("acl", cx.rng),
            tags: lifecycle::initial_tags::<NetworkAcl>(params)?,
            visible_from: cx.now,
            vpc_id: self
                .usable_vpc(params.require("VpcId")?, cx.now)?
                .id
                .clone(),
        };
        let mut xml = Xml::new();
        xml.nest("networkAcl", |xml| made.write(xml));
        self.dependents.network_acls.insert(made.id.clone(), made);
        Ok(xml)
    }

    /// Network ACLs that were made, by the filters and ids of a call.
    pub(super) fn created_network_acls(
        &self,
        params: &Params,
        now: SimTime,
    ) -> Result<Vec<&NetworkAcl>, ApiError> {
        made(
            &self.dependents.network_acls,
            params,
            "NetworkAclId",
            now,
            NetworkAcl::field,
        )
    }

    pub(super) fn delete_network_acl(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        take(
            &mut self.dependents.network_acls,
            params.require("NetworkAclId")?,
            cx.now,
        )?;
        Ok(Xml::done())
    }

    pub(super) fn create_egress_only_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let made = EgressGateway {
            id: new_id("eigw", cx.rng),
            tags: lifecycle::initial_tags::<EgressGateway>(params)?,
            visible_from: cx.now,
            vpc_id: self
                .usable_vpc(params.require("VpcId")?, cx.now)?
                .id
                .clone(),
        };
        let mut xml = Xml::new();
        xml.nest("egressOnlyInternetGateway", |xml| made.write(xml));
        self.dependents
            .egress_gateways
            .insert(made.id.clone(), made);
        Ok(xml)
    }

    pub(super) fn describe_egress_only_internet_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        // This call filters by tags only.
        let found = select(
            &self.dependents.egress_gateways,
            params,
            "EgressOnlyInternetGatewayId",
            cx.now,
            |_, _| None,
        )?;
        let mut xml = Xml::new();
        xml.set("egressOnlyInternetGatewaySet", found, |xml, one| {
            one.write(xml)
        });
        Ok(xml)
    }

    pub(super) fn delete_egress_only_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        take(
            &mut self.dependents.egress_gateways,
            params.require("EgressOnlyInternetGatewayId")?,
            cx.now,
        )?;
        let mut xml = Xml::new();
        xml.text("returnCode", true);
        Ok(xml)
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
fn made<'a, T: lifecycle::Object>(
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
