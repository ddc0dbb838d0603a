//! Subnets of a VPC.

use super::ACCOUNT;
use super::errors::ApiError;
use super::lifecycle::{self, Lifecycle, find, find_mut, new_id, object, select, visible_from};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::{self, Tags};
use super::vpc::overlap;
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

const CREATE_LEAST: SimDuration = SimDuration(300);
const CREATE_MOST: SimDuration = SimDuration(2_000);
/// Addresses of every subnet that AWS keeps for itself.
const RESERVED: u64 = 5;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subnet {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub vpc_id: String,
    pub cidr: Ipv4Net,
    arn: String,
    zone: String,
    zone_id: String,
    public_addresses: bool,
}

object!(Subnet, "subnet", "subnet", "InvalidSubnetID", "subnet");

impl Subnet {
    fn write(&self, xml: &mut Xml) {
        xml.text("subnetId", &self.id);
        xml.text("subnetArn", &self.arn);
        xml.text("state", self.lifecycle.state.as_str());
        xml.text("ownerId", ACCOUNT);
        xml.text("vpcId", &self.vpc_id);
        xml.text("cidrBlock", self.cidr);
        xml.nest("ipv6CidrBlockAssociationSet", |_| {});
        let size = 1u64 << (32 - u32::from(self.cidr.prefix_len().min(32)));
        xml.text("availableIpAddressCount", size.saturating_sub(RESERVED));
        xml.text("availabilityZone", &self.zone);
        xml.text("availabilityZoneId", &self.zone_id);
        xml.text("defaultForAz", false);
        xml.text("mapPublicIpOnLaunch", self.public_addresses);
        xml.text("mapCustomerOwnedIpOnLaunch", false);
        xml.text("assignIpv6AddressOnCreation", false);
        xml.text("enableDns64", false);
        xml.text("ipv6Native", false);
        xml.nest("privateDnsNameOptionsOnLaunch", |xml| {
            xml.text("hostnameType", "ip-name");
            xml.text("enableResourceNameDnsARecord", false);
            xml.text("enableResourceNameDnsAAAARecord", false);
        });
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(vec![match name {
            "subnet-id" => self.id.clone(),
            "vpc-id" => self.vpc_id.clone(),
            "cidr-block" | "cidr" | "cidrBlock" => self.cidr.to_string(),
            "availability-zone" | "availabilityZone" => self.zone.clone(),
            "availability-zone-id" | "availabilityZoneId" => self.zone_id.clone(),
            "state" => self.lifecycle.state.as_str().to_owned(),
            "default-for-az" | "defaultForAz" => "false".to_owned(),
            "map-public-ip-on-launch" => self.public_addresses.to_string(),
            "owner-id" => ACCOUNT.to_owned(),
            "subnet-arn" => self.arn.clone(),
            _ => return None,
        }])
    }
}

impl Region {
    pub(super) fn create_subnet(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let vpc = self.usable_vpc(params.require("VpcId")?, cx.now)?;
        let text = params.require("CidrBlock")?;
        let cidr: Ipv4Net = text
            .parse()
            .map_err(|_| ApiError::value("cidrBlock", text, "This is not a valid CIDR block."))?;
        if cidr.trunc() != cidr || !(16..=28).contains(&cidr.prefix_len()) {
            return Err(ApiError::value(
                "cidrBlock",
                text,
                "This is not a valid CIDR block.",
            ));
        }
        if !vpc.ranges().any(|range| range.contains(&cidr)) {
            return Err(ApiError::new(
                "InvalidSubnet.Range",
                format!("The CIDR '{cidr}' is invalid."),
            ));
        }
        if self
            .subnets
            .values()
            .any(|subnet| subnet.vpc_id == vpc.id && overlap(&subnet.cidr, &cidr))
        {
            return Err(ApiError::new(
                "InvalidSubnet.Conflict",
                format!("The CIDR '{cidr}' conflicts with another subnet"),
            ));
        }
        let id = new_id("subnet", cx.rng);
        let zone = params
            .get("AvailabilityZone")
            .map_or_else(|| self.first_zone(), str::to_owned);
        if !zone.starts_with(self.name.as_str()) {
            return Err(ApiError::value(
                "availabilityZone",
                &zone,
                "Subnets can not be created in that zone.",
            ));
        }
        let subnet = Subnet {
            tags: lifecycle::initial_tags::<Subnet>(params)?,
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::pending(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST)),
            vpc_id: vpc.id.clone(),
            cidr,
            arn: self.arn("ec2", &format!("subnet/{id}")),
            zone_id: self.zone_id(&zone),
            zone,
            public_addresses: false,
            id,
        };
        let mut xml = Xml::new();
        xml.nest("subnet", |xml| subnet.write(xml));
        self.subnets.insert(subnet.id.clone(), subnet);
        Ok(xml)
    }

    pub(super) fn describe_subnets(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let rows = select(&self.subnets, params, "SubnetId", cx.now, Subnet::field)?;
        let mut xml = Xml::new();
        xml.set("subnetSet", rows, |xml, subnet| subnet.write(xml));
        Ok(xml)
    }

    pub(super) fn delete_subnet(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let id = params.require("SubnetId")?;
        find(&self.subnets, id, cx.now)?;
        if self.dependents.uses_subnet(id) {
            return Err(ApiError::dependency(format!(
                "The subnet '{id}' has dependencies and cannot be deleted."
            )));
        }
        for table in self.route_tables.values_mut() {
            table.forget_subnet(id);
        }
        self.subnets.remove(id);
        Ok(Xml::done())
    }

    pub(super) fn modify_subnet_attribute(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let subnet = find_mut(&mut self.subnets, params.require("SubnetId")?, cx.now)?;
        if let Some(value) = params.flag("MapPublicIpOnLaunch.Value")? {
            subnet.public_addresses = value;
        }
        Ok(Xml::done())
    }

    pub(super) fn subnets_of<'a>(&'a self, vpc_id: &'a str) -> impl Iterator<Item = &'a str> {
        self.subnets
            .values()
            .filter(move |subnet| subnet.vpc_id == vpc_id)
            .map(|subnet| subnet.id.as_str())
    }
}
