//! Gateway endpoints of a VPC.

use super::take;
use crate::aws::errors::ApiError;
use crate::aws::lifecycle::{self, new_id, object, select};
use crate::aws::query::Params;
use crate::aws::region::{ApiResult, Region};
use crate::aws::tags::{self, Tags};
use crate::aws::xml::Xml;
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    service: String,
}

object!(
    Endpoint,
    "vpc-endpoint",
    "vpce",
    "InvalidVpcEndpointId",
    "vpcEndpoint"
);

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

impl Region {
    pub(in crate::aws) fn create_vpc_endpoint(
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

    pub(in crate::aws) fn describe_vpc_endpoints(
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

    pub(in crate::aws) fn delete_vpc_endpoints(
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
}
