//! NAT gateways, which take half a minute or more to create and delete.

use crate::aws::lifecycle::{self, Lifecycle, State, new_id, object, select};
use crate::aws::query::Params;
use crate::aws::region::{ApiResult, Region};
use crate::aws::tags::{self, Tags};
use crate::aws::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NatGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub lifecycle: Lifecycle,
    pub(super) subnet_id: String,
    pub(super) public: bool,
}

object!(
    NatGateway,
    "natgateway",
    "nat",
    "NatGatewayNotFound",
    "natGateway",
    lifecycle
);

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

impl Region {
    pub(in crate::aws) fn create_nat_gateway(
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

    pub(in crate::aws) fn describe_nat_gateways(
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

    pub(in crate::aws) fn delete_nat_gateway(
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
}
