//! Security groups: those that were created, and the default one that every VPC has.

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
pub struct SecurityGroup {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub vpc_id: String,
    pub name: String,
}

object!(
    SecurityGroup,
    "security-group",
    "sg",
    "InvalidGroup",
    "security group"
);

impl SecurityGroup {
    fn write(&self, xml: &mut Xml) {
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

impl Region {
    pub(in crate::aws) fn create_security_group(
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

    pub(in crate::aws) fn describe_security_groups(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let filters = filters::parse(params)?;
        let wanted = params.list("GroupId");
        let mut rows = Vec::new();
        for vpc in self.vpcs.values().filter(|vpc| vpc.visible_from <= cx.now) {
            let passes = filters::accept(&filters, &Tags::new(), |name| {
                Some(vec![match name {
                    "vpc-id" => vpc.id.clone(),
                    "group-name" => "default".to_owned(),
                    "group-id" => vpc.security_group_id.clone(),
                    "owner-id" => ACCOUNT.to_owned(),
                    "description" => "default VPC security group".to_owned(),
                    _ => return None,
                }])
            })?;
            if passes && (wanted.is_empty() || wanted.contains(&vpc.security_group_id.as_str())) {
                rows.push(vpc);
            }
        }
        let mut xml = Xml::new();
        let made = self.created_security_groups(params, cx.now)?;
        let rows = rows.into_iter().map(Ok).chain(made.into_iter().map(Err));
        xml.set("securityGroupInfo", rows, |xml, row| {
            let vpc = match row {
                Ok(vpc) => vpc,
                Err(made) => return made.write(xml),
            };
            xml.text("ownerId", ACCOUNT);
            xml.text("groupId", &vpc.security_group_id);
            xml.text("groupName", "default");
            xml.text("groupDescription", "default VPC security group");
            xml.text("vpcId", &vpc.id);
            xml.nest("ipPermissions", |_| {});
            xml.nest("ipPermissionsEgress", |_| {});
            tags::write(xml, &Tags::new());
        });
        Ok(xml)
    }

    /// Security groups that were made, by the filters and ids of a call.
    fn created_security_groups(
        &self,
        params: &Params,
        now: SimTime,
    ) -> Result<Vec<&SecurityGroup>, ApiError> {
        select_created(
            &self.dependents.security_groups,
            params,
            "GroupId",
            now,
            SecurityGroup::field,
        )
    }

    pub(in crate::aws) fn delete_security_group(
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
}
