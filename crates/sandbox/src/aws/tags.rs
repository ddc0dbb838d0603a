//! Tags: given at creation by `TagSpecification`, changed by CreateTags and DeleteTags, listed by
//! DescribeTags.

use super::errors::ApiError;
use super::filters;
use super::lifecycle::{self, Object};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::xml::Xml;
use crate::time::SimTime;
use crate::world::Context;
use std::collections::BTreeMap;

pub type Tags = BTreeMap<String, String>;

/// EC2 takes at most so many tags on a resource.
const MOST: usize = 50;

/// The tags that `TagSpecification.N` gives to a resource of that type. A specification for another
/// type is refused.
pub fn specified(params: &Params, kind: &str) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for prefix in params.structures("TagSpecification") {
        let of = params.require(&format!("{prefix}ResourceType"))?;
        if of != kind {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("'{of}' is not a valid taggable resource type for this operation."),
            ));
        }
        add(&mut tags, params, &format!("{prefix}Tag"))?;
    }
    Ok(tags)
}

/// Puts the `list.N.Key`/`list.N.Value` pairs into `tags`, all or none.
fn add(tags: &mut Tags, params: &Params, list: &str) -> Result<(), ApiError> {
    let mut more = tags.clone();
    for prefix in params.structures(list) {
        let key = params.require(&format!("{prefix}Key"))?;
        let value = params.get(&format!("{prefix}Value")).unwrap_or_default();
        if key.starts_with("aws:") {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "Tag keys starting with 'aws:' are reserved for system use",
            ));
        }
        if key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(ApiError::new(
                "InvalidParameterValue",
                format!("Tag '{key}' exceeds the maximum length"),
            ));
        }
        more.insert(key.to_owned(), value.to_owned());
    }
    if more.len() > MOST {
        return Err(ApiError::new(
            "TagLimitExceeded",
            "The maximum number of Tags for a resource has been reached.",
        ));
    }
    *tags = more;
    Ok(())
}

pub fn write(xml: &mut Xml, tags: &Tags) {
    xml.set("tagSet", tags, |xml, (key, value)| {
        xml.text("key", key);
        xml.text("value", value);
    });
}

impl Region {
    pub(super) fn create_tags(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let ids = params.list("ResourceId");
        if ids.is_empty() {
            return Err(ApiError::missing("ResourceIdSet"));
        }
        if params.structures("Tag").is_empty() {
            return Err(ApiError::missing("TagSet"));
        }
        // Nothing is changed unless every resource can be.
        for id in &ids {
            let mut tags = self.tags_mut(id, cx.now)?.clone();
            add(&mut tags, params, "Tag")?;
        }
        for id in ids {
            add(self.tags_mut(id, cx.now)?, params, "Tag")?;
        }
        Ok(Xml::done())
    }

    pub(super) fn delete_tags(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let ids = params.list("ResourceId");
        if ids.is_empty() {
            return Err(ApiError::missing("ResourceIdSet"));
        }
        let keys = params.structures("Tag");
        for id in ids {
            let tags = self.tags_mut(id, cx.now)?;
            if keys.is_empty() {
                tags.clear();
            }
            for prefix in &keys {
                let key = params.require(&format!("{prefix}Key"))?;
                let value = params.get(&format!("{prefix}Value"));
                if value.is_none_or(|value| tags.get(key).is_some_and(|have| have == value)) {
                    tags.remove(key);
                }
            }
        }
        Ok(Xml::done())
    }

    pub(super) fn describe_tags(&mut self, params: &Params, cx: &mut Context<'_>) -> ApiResult {
        let filters = filters::parse(params)?;
        let mut rows = Vec::new();
        for (kind, id, tags) in self.tagged(cx.now) {
            for (key, value) in tags {
                let passes = filters::accept(&filters, tags, |name| {
                    Some(vec![match name {
                        "resource-id" => id.to_owned(),
                        "resource-type" => kind.to_owned(),
                        "key" => key.clone(),
                        "value" => value.clone(),
                        _ => return None,
                    }])
                })?;
                if passes {
                    rows.push((kind, id, key, value));
                }
            }
        }
        let mut xml = Xml::new();
        xml.set("tagSet", rows, |xml, (kind, id, key, value)| {
            xml.text("resourceId", id);
            xml.text("resourceType", kind);
            xml.text("key", key);
            xml.text("value", value);
        });
        Ok(xml)
    }

    /// The tags of an object that exists, whether it is visible yet or not.
    pub(super) fn tags_of(&self, id: &str) -> Option<&Tags> {
        fn of<'a, T: Object>(map: &'a BTreeMap<String, T>, id: &str) -> Option<&'a Tags> {
            map.get(id).filter(|object| !object.gone()).map(T::tags)
        }
        match id.split_once('-').map_or("", |(prefix, _)| prefix) {
            "vpc" => of(&self.vpcs, id),
            "subnet" => of(&self.subnets, id),
            "rtb" => of(&self.route_tables, id),
            "igw" => of(&self.internet_gateways, id),
            "vgw" => of(&self.vpn_gateways, id),
            "cgw" => of(&self.customer_gateways, id),
            "vpn" => of(&self.vpn_connections, id),
            "tgw" if id.starts_with("tgw-attach-") => of(&self.transit_attachments, id),
            "tgw" if id.starts_with("tgw-rtb-") => of(&self.transit_route_tables, id),
            "tgw" => of(&self.transit_gateways, id),
            "eni" => of(&self.dependents.interfaces, id),
            "nat" => of(&self.dependents.nat_gateways, id),
            "vpce" => of(&self.dependents.endpoints, id),
            "pcx" => of(&self.dependents.peerings, id),
            "eigw" => of(&self.dependents.egress_gateways, id),
            _ => None,
        }
    }

    fn tags_mut(&mut self, id: &str, now: SimTime) -> Result<&mut Tags, ApiError> {
        let kind = id.split_once('-').map_or("", |(prefix, _)| prefix);
        Ok(match kind {
            "vpc" => lifecycle::find_mut(&mut self.vpcs, id, now)?.tags_mut(),
            "subnet" => lifecycle::find_mut(&mut self.subnets, id, now)?.tags_mut(),
            "rtb" => lifecycle::find_mut(&mut self.route_tables, id, now)?.tags_mut(),
            "igw" => lifecycle::find_mut(&mut self.internet_gateways, id, now)?.tags_mut(),
            "vgw" => lifecycle::find_mut(&mut self.vpn_gateways, id, now)?.tags_mut(),
            "cgw" => lifecycle::find_mut(&mut self.customer_gateways, id, now)?.tags_mut(),
            "vpn" => lifecycle::find_mut(&mut self.vpn_connections, id, now)?.tags_mut(),
            "tgw" => self.transit_tags_mut(id, now)?,
            "eni" => lifecycle::find_mut(&mut self.dependents.interfaces, id, now)?.tags_mut(),
            "nat" => lifecycle::find_mut(&mut self.dependents.nat_gateways, id, now)?.tags_mut(),
            "vpce" => lifecycle::find_mut(&mut self.dependents.endpoints, id, now)?.tags_mut(),
            "pcx" => lifecycle::find_mut(&mut self.dependents.peerings, id, now)?.tags_mut(),
            "eigw" => {
                lifecycle::find_mut(&mut self.dependents.egress_gateways, id, now)?.tags_mut()
            }
            _ => {
                return Err(ApiError::new(
                    "InvalidID",
                    format!("The ID '{id}' is not valid"),
                ));
            }
        })
    }

    fn tagged(&self, now: SimTime) -> Vec<(&'static str, &str, &Tags)> {
        fn rows<T: Object>(
            map: &BTreeMap<String, T>,
            now: SimTime,
        ) -> impl Iterator<Item = (&'static str, &str, &Tags)> {
            map.values()
                .filter(move |o| o.visible_from() <= now && !o.gone())
                .map(|o| (T::KIND, o.id(), o.tags()))
        }
        rows(&self.vpcs, now)
            .chain(rows(&self.subnets, now))
            .chain(rows(&self.route_tables, now))
            .chain(rows(&self.internet_gateways, now))
            .chain(rows(&self.vpn_gateways, now))
            .chain(rows(&self.customer_gateways, now))
            .chain(rows(&self.vpn_connections, now))
            .chain(rows(&self.transit_gateways, now))
            .chain(rows(&self.transit_attachments, now))
            .chain(rows(&self.transit_route_tables, now))
            .collect()
    }
}
