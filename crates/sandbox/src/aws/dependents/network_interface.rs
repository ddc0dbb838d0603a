//! Network interfaces that other teams create in a subnet.

use super::take;
use crate::aws::ACCOUNT;
use crate::aws::lifecycle::{self, new_id, object, select};
use crate::aws::query::Params;
use crate::aws::region::{ApiResult, Region};
use crate::aws::tags::{self, Tags};
use crate::aws::xml::Xml;
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkInterface {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub(super) subnet_id: String,
}

object!(
    NetworkInterface,
    "network-interface",
    "eni",
    "InvalidNetworkInterfaceID",
    "networkInterface"
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

impl Region {
    pub(in crate::aws) fn create_network_interface(
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

    pub(in crate::aws) fn describe_network_interfaces(
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

    pub(in crate::aws) fn delete_network_interface(
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
}
