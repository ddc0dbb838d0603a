//! VPCs: their ranges and attributes, and the default network ACL and security group that come with
//! each.

use super::ACCOUNT;
use super::errors::ApiError;
use super::lifecycle::{
    self, Lifecycle, find, find_live, find_mut, new_id, object, select, visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::routes::RouteTable;
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

const CREATE_LEAST: SimDuration = SimDuration(300);
const CREATE_MOST: SimDuration = SimDuration(2_000);

/// A range and the id of its association.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Range {
    pub association_id: String,
    pub cidr: Ipv4Net,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vpc {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    /// The first one is the primary range and cannot be taken away.
    pub cidrs: Vec<Range>,
    tenancy: String,
    dns_support: bool,
    dns_hostnames: bool,
    usage_metrics: bool,
    dhcp_options_id: String,
    pub(super) security_group_id: String,
    pub(super) network_acl_id: String,
}

object!(Vpc, "vpc", "vpc", "InvalidVpcID", "vpc");

impl Vpc {
    pub fn ranges(&self) -> impl Iterator<Item = Ipv4Net> {
        self.cidrs.iter().map(|range| range.cidr)
    }

    fn write(&self, xml: &mut Xml) {
        xml.text("vpcId", &self.id);
        xml.text("ownerId", ACCOUNT);
        xml.text("state", self.lifecycle.state.as_str());
        xml.maybe("cidrBlock", self.ranges().next());
        xml.set("cidrBlockAssociationSet", &self.cidrs, write_range);
        xml.nest("ipv6CidrBlockAssociationSet", |_| {});
        xml.text("dhcpOptionsId", &self.dhcp_options_id);
        tags::write(xml, &self.tags);
        xml.text("instanceTenancy", &self.tenancy);
        xml.text("isDefault", false);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(match name {
            "vpc-id" => vec![self.id.clone()],
            "state" => vec![self.lifecycle.state.as_str().to_owned()],
            "cidr" | "cidrBlock" => self
                .ranges()
                .take(1)
                .map(|range| range.to_string())
                .collect(),
            "cidr-block-association.cidr-block" => {
                self.ranges().map(|range| range.to_string()).collect()
            }
            "cidr-block-association.association-id" => self
                .cidrs
                .iter()
                .map(|range| range.association_id.clone())
                .collect(),
            "owner-id" => vec![ACCOUNT.to_owned()],
            "is-default" | "isDefault" => vec!["false".to_owned()],
            "dhcp-options-id" => vec![self.dhcp_options_id.clone()],
            _ => return None,
        })
    }
}

fn write_range(xml: &mut Xml, range: &Range) {
    xml.text("cidrBlock", range.cidr);
    xml.text("associationId", &range.association_id);
    xml.nest("cidrBlockState", |xml| xml.text("state", "associated"));
}

/// A VPC's range: aligned, /16 to /28.
fn range(params: &Params) -> Result<Ipv4Net, ApiError> {
    let text = params.require("CidrBlock")?;
    let cidr: Ipv4Net = text
        .parse()
        .map_err(|_| ApiError::value("cidrBlock", text, "This is not a valid CIDR block."))?;
    if !(16..=28).contains(&cidr.prefix_len()) {
        return Err(ApiError::new(
            "InvalidVpc.Range",
            format!("The CIDR '{text}' is invalid."),
        ));
    }
    Ok(cidr.trunc())
}

pub fn overlap(a: &Ipv4Net, b: &Ipv4Net) -> bool {
    a.contains(b) || b.contains(a)
}

impl Region {
    pub(super) fn create_vpc(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let cidr = range(params)?;
        if self.vpcs.len() >= self.quotas.vpcs {
            return Err(ApiError::new(
                "VpcLimitExceeded",
                "The maximum number of VPCs has been reached.",
            ));
        }
        let vpc = Vpc {
            id: new_id("vpc", cx.rng),
            tags: lifecycle::initial_tags::<Vpc>(params)?,
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::pending(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST)),
            cidrs: vec![Range {
                association_id: new_id("vpc-cidr-assoc", cx.rng),
                cidr,
            }],
            tenancy: params
                .get("InstanceTenancy")
                .unwrap_or("default")
                .to_owned(),
            dns_support: true,
            dns_hostnames: false,
            usage_metrics: false,
            dhcp_options_id: new_id("dopt", cx.rng),
            security_group_id: new_id("sg", cx.rng),
            network_acl_id: new_id("acl", cx.rng),
        };
        let table = RouteTable::main_of(&vpc.id, cx);
        let mut xml = Xml::new();
        xml.nest("vpc", |xml| vpc.write(xml));
        self.route_tables.insert(table.id.clone(), table);
        self.vpcs.insert(vpc.id.clone(), vpc);
        Ok(xml)
    }

    pub(super) fn describe_vpcs(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let rows = select(&self.vpcs, params, "VpcId", cx.now, Vpc::field)?;
        let mut xml = Xml::new();
        xml.set("vpcSet", rows, |xml, vpc| vpc.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_vpc(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let id = params.require("VpcId")?;
        find(&self.vpcs, id, cx.now)?;
        let used = self.subnets.values().any(|subnet| subnet.vpc_id == id)
            || self
                .internet_gateways
                .values()
                .any(|gateway| gateway.vpc_id.as_deref() == Some(id))
            || self
                .route_tables
                .values()
                .any(|table| table.vpc_id == id && !table.main())
            || self.vpn_gateways.values().any(|gateway| gateway.holds(id))
            || self.dependents.uses_vpc(id);
        if used {
            return Err(ApiError::dependency(format!(
                "The vpc '{id}' has dependencies and cannot be deleted."
            )));
        }
        self.route_tables.retain(|_, table| table.vpc_id != id);
        self.vpcs.remove(id);
        Ok(Xml::done())
    }

    pub(super) fn modify_vpc_attribute(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = find_mut(&mut self.vpcs, params.require("VpcId")?, cx.now)?;
        let mut changed = false;
        for (name, attribute) in [
            ("EnableDnsSupport.Value", &mut vpc.dns_support),
            ("EnableDnsHostnames.Value", &mut vpc.dns_hostnames),
            (
                "EnableNetworkAddressUsageMetrics.Value",
                &mut vpc.usage_metrics,
            ),
        ] {
            if let Some(value) = params.flag(name)? {
                *attribute = value;
                changed = true;
            }
        }
        if changed {
            Ok(Xml::done())
        } else {
            Err(ApiError::combination("No attributes specified."))
        }
    }

    pub(super) fn describe_vpc_attribute(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = find(&self.vpcs, params.require("VpcId")?, cx.now)?;
        let name = params.require("Attribute")?;
        let value = match name {
            "enableDnsSupport" => vpc.dns_support,
            "enableDnsHostnames" => vpc.dns_hostnames,
            "enableNetworkAddressUsageMetrics" => vpc.usage_metrics,
            _ => return Err(ApiError::value("attribute", name, "Unknown attribute.")),
        };
        let mut xml = Xml::new();
        xml.text("vpcId", &vpc.id);
        xml.nest(name, |xml| xml.text("value", value));
        Ok(xml)
    }

    pub(super) fn associate_vpc_cidr_block(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = find_mut(&mut self.vpcs, params.require("VpcId")?, cx.now)?;
        let cidr = range(params)?;
        if vpc.ranges().any(|other| overlap(&other, &cidr)) {
            return Err(ApiError::new(
                "CidrConflict",
                format!("The CIDR '{cidr}' conflicts with another range of the VPC"),
            ));
        }
        if vpc.cidrs.len() >= 5 {
            return Err(ApiError::new(
                "CidrBlockLimitExceeded",
                "This network has met its maximum number of allowed CIDRs.",
            ));
        }
        let range = Range {
            association_id: new_id("vpc-cidr-assoc", cx.rng),
            cidr,
        };
        let mut xml = Xml::new();
        xml.text("vpcId", &vpc.id);
        xml.nest("cidrBlockAssociation", |xml| {
            xml.text("associationId", &range.association_id);
            xml.text("cidrBlock", range.cidr);
            xml.nest("cidrBlockState", |xml| xml.text("state", "associating"));
        });
        vpc.cidrs.push(range);
        Ok(xml)
    }

    pub(super) fn disassociate_vpc_cidr_block(
        &mut self,
        params: &Params,
        _cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("AssociationId")?;
        let subnets = &self.subnets;
        for vpc in self.vpcs.values_mut() {
            let Some(place) = vpc
                .cidrs
                .iter()
                .position(|range| range.association_id == id)
            else {
                continue;
            };
            let Some(range) = vpc.cidrs.get(place).filter(|_| place > 0).cloned() else {
                return Err(ApiError::new(
                    "OperationNotPermitted",
                    format!(
                        "The vpc CIDR block with association ID {id} may not be disassociated. It is the primary IPv4 CIDR block of the VPC"
                    ),
                ));
            };
            if subnets
                .values()
                .any(|subnet| subnet.vpc_id == vpc.id && range.cidr.contains(&subnet.cidr))
            {
                return Err(ApiError::dependency(format!(
                    "The range {} has subnets",
                    range.cidr
                )));
            }
            vpc.cidrs.remove(place);
            let mut xml = Xml::new();
            xml.text("vpcId", &vpc.id);
            xml.nest("cidrBlockAssociation", |xml| {
                xml.text("associationId", id);
                xml.text("cidrBlock", range.cidr);
                xml.nest("cidrBlockState", |xml| xml.text("state", "disassociating"));
            });
            return Ok(xml);
        }
        Err(ApiError::new(
            "InvalidVpcCidrBlockAssociationID.NotFound",
            format!("The association ID '{id}' does not exist"),
        ))
    }

    /// Fails unless that VPC is there and available.
    pub(super) fn usable_vpc(&self, id: &str, now: SimTime) -> Result<&Vpc, ApiError> {
        find_live(&self.vpcs, id, now)
    }
}
