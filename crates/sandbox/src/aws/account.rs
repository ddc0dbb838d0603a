//! Regions, availability zones and what an account is asked about itself.

use super::query::Params;
use super::region::{ApiResult, Region, partition};
use super::xml::Xml;
use crate::world::Context;

const REGIONS: [&str; 12] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "eu-central-1",
    "eu-west-1",
    "eu-west-2",
    "eu-north-1",
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
];
/// Regions of the other partitions. An account belongs to one partition and sees its regions only.
const OTHER_PARTITIONS: [&str; 4] = [
    "cn-north-1",
    "cn-northwest-1",
    "us-gov-east-1",
    "us-gov-west-1",
];
const ZONES: [&str; 3] = ["a", "b", "c"];

impl Region {
    /// The zone that an object gets when none is asked for.
    pub(super) fn first_zone(&self) -> String {
        format!("{}a", self.name)
    }

    /// The account-independent id of a zone, such as `use1-az1`.
    pub(super) fn zone_id(&self, zone: &str) -> String {
        let mut parts = self.name.split('-');
        let area = parts.next().unwrap_or_default();
        let side: String = parts.next().unwrap_or_default().chars().take(1).collect();
        let number = parts.next().unwrap_or_default();
        let letter = zone.strip_prefix(self.name.as_str()).unwrap_or_default();
        let position = ZONES
            .iter()
            .position(|known| *known == letter)
            .unwrap_or_default()
            + 1;
        format!("{area}{side}{number}-az{position}")
    }

    pub(super) fn describe_availability_zones(
        &mut self,
        _params: &Params,
        _cx: &mut Context<'_>,
    ) -> ApiResult {
        let mut xml = Xml::new();
        xml.set("availabilityZoneInfo", ZONES, |xml, letter| {
            let zone = format!("{}{letter}", self.name);
            xml.text("optInStatus", "opt-in-not-required");
            xml.text("zoneName", &zone);
            xml.text("zoneId", self.zone_id(&zone));
            xml.text("zoneState", "available");
            xml.text("zoneType", "availability-zone");
            xml.text("regionName", &self.name);
            xml.text("groupName", format!("{}-zg-1", self.name));
            xml.text("networkBorderGroup", &self.name);
            xml.nest("messageSet", |_| {});
        });
        Ok(xml)
    }

    pub(super) fn describe_regions(&mut self, params: &Params, _cx: &mut Context<'_>) -> ApiResult {
        let wanted = params.list("RegionName");
        let own = partition(&self.name);
        let suffix = match own {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        };
        let regions = REGIONS
            .iter()
            .chain(&OTHER_PARTITIONS)
            .filter(|name| partition(name) == own)
            .filter(|name| wanted.is_empty() || wanted.contains(name));
        let mut xml = Xml::new();
        xml.set("regionInfo", regions, |xml, name| {
            xml.text("optInStatus", "opt-in-not-required");
            xml.text("regionName", name);
            xml.text("regionEndpoint", format!("ec2.{name}.{suffix}"));
        });
        Ok(xml)
    }

    pub(super) fn describe_account_attributes(
        &mut self,
        params: &Params,
        _cx: &mut Context<'_>,
    ) -> ApiResult {
        let wanted = params.list("AttributeName");
        let known = [
            ("supported-platforms", "VPC"),
            ("default-vpc", "none"),
            ("max-instances", "20"),
        ];
        let rows = known
            .into_iter()
            .filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
        let mut xml = Xml::new();
        xml.set("accountAttributeSet", rows, |xml, (name, value)| {
            xml.text("attributeName", name);
            xml.set("attributeValueSet", [value], |xml, value| {
                xml.text("attributeValue", value)
            });
        });
        Ok(xml)
    }
}
