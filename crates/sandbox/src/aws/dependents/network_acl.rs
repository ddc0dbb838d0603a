//! Network ACLs: those that were created, and the default one that every VPC has.

use super::{select_created, take};
use crate::aws::errors::ApiError;
use crate::aws::lifecycle::{self, new_id, object};
use crate::aws::query::Params;
use crate::aws::region::{ApiResult, Region};
use crate::aws::tags::{self, Tags};
use crate::aws::xml::Xml;
use crate::aws::{ACCOUNT, filters};
use crate::time::SimTime;
use crate::world::Context;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NetworkAcl {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
}

object!(
    NetworkAcl,
    "network-acl",
    "acl",
    "InvalidNetworkAclID",
    "networkAcl"
);

impl NetworkAcl {
    fn write(&self, xml: &mut Xml) {
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

impl Region {
    pub(in crate::aws) fn create_network_acl(
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

    pub(in crate::aws) fn describe_network_acls(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let filters = filters::parse(params)?;
        let wanted = params.list("NetworkAclId");
        let mut rows = Vec::new();
        for vpc in self.vpcs.values().filter(|vpc| vpc.visible_from <= cx.now) {
            let passes = filters::accept(&filters, &Tags::new(), |name| {
                Some(match name {
                    "vpc-id" => vec![vpc.id.clone()],
                    "default" => vec!["true".to_owned()],
                    "network-acl-id" => vec![vpc.network_acl_id.clone()],
                    "association.subnet-id" => {
                        self.subnets_of(&vpc.id).map(str::to_owned).collect()
                    }
                    _ => return None,
                })
            })?;
            if passes && (wanted.is_empty() || wanted.contains(&vpc.network_acl_id.as_str())) {
                rows.push(vpc);
            }
        }
        let mut xml = Xml::new();
        let made = self.created_network_acls(params, cx.now)?;
        let rows = rows.into_iter().map(Ok).chain(made.into_iter().map(Err));
        xml.set("networkAclSet", rows, |xml, row| {
            let vpc = match row {
                Ok(vpc) => vpc,
                Err(made) => return made.write(xml),
            };
            xml.text("networkAclId", &vpc.network_acl_id);
            xml.text("vpcId", &vpc.id);
            xml.text("ownerId", ACCOUNT);
            xml.text("default", true);
            xml.nest("entrySet", |_| {});
            xml.nest("associationSet", |_| {});
            tags::write(xml, &Tags::new());
        });
        Ok(xml)
    }

    /// Network ACLs that were made, by the filters and ids of a call.
    fn created_network_acls(
        &self,
        params: &Params,
        now: SimTime,
    ) -> Result<Vec<&NetworkAcl>, ApiError> {
        select_created(
            &self.dependents.network_acls,
            params,
            "NetworkAclId",
            now,
            NetworkAcl::field,
        )
    }

    pub(in crate::aws) fn delete_network_acl(
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
}
