//! Egress-only internet gateways of a VPC.

use super::take;
use crate::aws::lifecycle::{self, new_id, object, select};
use crate::aws::query::Params;
use crate::aws::region::{ApiResult, Region};
use crate::aws::tags::{self, Tags};
use crate::aws::xml::Xml;
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EgressGateway {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
}

object!(
    EgressGateway,
    "egress-only-internet-gateway",
    "eigw",
    "InvalidEgressOnlyInternetGatewayId",
    "egressOnlyInternetGateway"
);

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
    pub(in crate::aws) fn create_egress_only_internet_gateway(
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

    pub(in crate::aws) fn describe_egress_only_internet_gateways(
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

    pub(in crate::aws) fn delete_egress_only_internet_gateway(
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
}
