//! Internet gateways.

use super::ACCOUNT;
use super::errors::ApiError;
use super::lifecycle::{self, find, find_mut, new_id, object, select, visible_from};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::routes::Hop;
use super::tags::{self, Tags};
use super::xml::Xml;
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InternetGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: Option<String>,
}

object!(
    InternetGateway,
    "internet-gateway",
    "igw",
    "InvalidInternetGatewayID",
    "internetGateway"
);

impl InternetGateway {
    fn write(&self, xml: &mut Xml) {
        xml.text("internetGatewayId", &self.id);
        xml.text("ownerId", ACCOUNT);
        xml.set("attachmentSet", &self.vpc_id, |xml, vpc| {
            xml.text("vpcId", vpc);
            xml.text("state", "available");
        });
        tags::write(xml, &self.tags);
    }

    fn field(&self, name: &str) -> Option<Vec<String>> {
        Some(match name {
            "internet-gateway-id" => vec![self.id.clone()],
            "attachment.vpc-id" => self.vpc_id.iter().cloned().collect(),
            "attachment.state" => self.vpc_id.iter().map(|_| "available".to_owned()).collect(),
            "owner-id" => vec![ACCOUNT.to_owned()],
            _ => return None,
        })
    }
}

impl Region {
    pub(super) fn create_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let gateway = InternetGateway {
            id: new_id("igw", cx.rng),
            tags: lifecycle::initial_tags::<InternetGateway>(params)?,
            visible_from: visible_from(cx.now, cx.rng),
            vpc_id: None,
        };
        let mut xml = Xml::new();
        xml.nest("internetGateway", |xml| gateway.write(xml));
        self.internet_gateways.insert(gateway.id.clone(), gateway);
        Ok(xml)
    }

    pub(super) fn attach_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = self
            .usable_vpc(params.require("VpcId")?, cx.now)?
            .id
            .clone();
        let id = params.require("InternetGatewayId")?;
        find(&self.internet_gateways, id, cx.now)?;
        if self
            .internet_gateways
            .values()
            .any(|other| other.vpc_id.as_deref() == Some(vpc.as_str()) && other.id != id)
        {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Network {vpc} already has an internet gateway attached"),
            ));
        }
        let gateway = find_mut(&mut self.internet_gateways, id, cx.now)?;
        if gateway.vpc_id.is_some() {
            return Err(ApiError::new(
                "Resource.AlreadyAssociated",
                format!("resource {id} is already attached to network"),
            ));
        }
        gateway.vpc_id = Some(vpc);
        Ok(Xml::done())
    }

    pub(super) fn detach_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let vpc = params.require("VpcId")?;
        if self.dependents.maps_public_address(vpc) {
            return Err(ApiError::dependency(format!(
                "Network {vpc} has some mapped public address(es)."
            )));
        }
        let gateway = find_mut(
            &mut self.internet_gateways,
            params.require("InternetGatewayId")?,
            cx.now,
        )?;
        if gateway.vpc_id.as_deref() != Some(vpc) {
            return Err(ApiError::new(
                "Gateway.NotAttached",
                format!("resource {} is not attached to network {vpc}", gateway.id),
            ));
        }
        gateway.vpc_id = None;
        Ok(Xml::done())
    }

    pub(super) fn delete_internet_gateway(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("InternetGatewayId")?;
        if find(&self.internet_gateways, id, cx.now)?.vpc_id.is_some() {
            return Err(ApiError::dependency(format!(
                "The internetGateway '{id}' has dependencies and cannot be deleted."
            )));
        }
        self.internet_gateways.remove(id);
        Ok(Xml::done())
    }

    pub(super) fn describe_internet_gateways(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.internet_gateways,
            params,
            "InternetGatewayId",
            cx.now,
            InternetGateway::field,
        )?;
        let mut xml = Xml::new();
        xml.set("internetGatewaySet", rows, |xml, gateway| {
            gateway.write(xml)
        });
        Ok(xml)
    }

    /// Whether a route through that gateway leads anywhere from that VPC.
    pub(super) fn leads(&self, hop: &Hop, vpc_id: &str) -> bool {
        match hop {
            Hop::Local => true,
            Hop::Gateway(id) => {
                self.internet_gateways
                    .get(id)
                    .is_some_and(|gateway| gateway.vpc_id.as_deref() == Some(vpc_id))
                    || self
                        .vpn_gateways
                        .get(id)
                        .is_some_and(|gateway| gateway.attached_vpc() == Some(vpc_id))
            }
            Hop::TransitGateway(id) => self.transit_gateways.contains_key(id),
        }
    }
}
