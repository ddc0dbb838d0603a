//! VPC peering connections, which both VPCs depend on.

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
pub struct Peering {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    /// The requester's.
    pub vpc_id: String,
    pub peer_vpc_id: String,
}

object!(
    Peering,
    "vpc-peering-connection",
    "pcx",
    "InvalidVpcPeeringConnectionID",
    "vpcPeeringConnection"
);

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

impl Region {
    pub(in crate::aws) fn create_vpc_peering_connection(
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

    pub(in crate::aws) fn describe_vpc_peering_connections(
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

    pub(in crate::aws) fn delete_vpc_peering_connection(
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
}
