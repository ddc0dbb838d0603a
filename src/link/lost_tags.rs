//! Ownership tags that were deleted from this link's objects. Only objects that were seen with them before count: one that another
//! user created never gets them.

use super::assemble::part;
use super::observed::Observed;
use super::ownership::{AWS_END, AwsEndpoint, LinkId, NAME};
use super::spec::Spec;
use super::tunnel::{Instance, TunnelKey};
use crate::azure::id::ResourceId;
use crate::primitives::Tags;
use std::collections::BTreeSet;

/// An object that carries ownership tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// By the resource group's name.
    Group(String),
    /// Tags of a gateway or connection are written with its document, under the gateway's lock.
    AzureGateway(ResourceId),
    AzureConnection(ResourceId),
    Azure(ResourceId),
    /// By its id.
    Aws(String),
}

impl Place {
    /// What the object is remembered by. Azure ids compare without regard to case.
    pub fn key(&self) -> String {
        match self {
            Place::Group(name) => format!("resource group {}", name.to_lowercase()),
            Place::AzureGateway(id) | Place::AzureConnection(id) | Place::Azure(id) => id.as_str().to_lowercase(),
            Place::Aws(id) => id.clone(),
        }
    }
}

/// An object, which part of the link it is, and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    pub place: Place,
    pub part: String,
    pub tags: Tags,
}

/// All objects of a link that can carry its tags. Subnet and internet gateway are seen with their route table only.
pub fn objects(seen: &Observed) -> Vec<Tagged> {
    let mut all = Vec::new();
    let mut add = |place: Place, part: &dyn ToString, tags: &Tags| {
        all.push(Tagged { place, part: part.to_string(), tags: tags.clone() });
    };
    let (azure, aws) = (&seen.azure, &seen.aws);
    azure.group.iter().for_each(|it| add(Place::Group(it.name.clone()), &part::RESOURCE_GROUP, &it.tags));
    if let Some(network) = &azure.network {
        add(Place::Azure(network.resource.id.clone()), &part::VIRTUAL_NETWORK, &network.resource.tags);
    }
    if let Some(gateway) = &azure.gateway {
        add(Place::AzureGateway(gateway.resource.id.clone()), &part::AZURE_GATEWAY, &gateway.resource.tags);
    }
    for instance in Instance::ALL {
        if let Some(ip) = azure.public_ips.get(instance) {
            add(Place::Azure(ip.resource.id.clone()), &instance, &ip.resource.tags);
        }
        if let Some(customer) = aws.customer_gateways.get(instance) {
            add(Place::Aws(customer.id.0.clone()), &instance, &customer.tags);
        }
        aws.vpns.get(instance).iter().for_each(|it| add(Place::Aws(it.id.0.clone()), &instance, &it.tags));
    }
    for key in TunnelKey::ALL {
        if let Some(local) = azure.local_gateways.get(key) {
            add(Place::Azure(local.resource.id.clone()), &key, &local.resource.tags);
        }
        if let Some(connection) = azure.connections.get(key) {
            add(Place::AzureConnection(connection.resource.id.clone()), &key, &connection.resource.tags);
        }
    }
    aws.vpc.iter().for_each(|it| add(Place::Aws(it.id.0.clone()), &part::VPC, &it.tags));
    aws.gateway.iter().for_each(|it| add(Place::Aws(it.id.0.clone()), &part::VPN_GATEWAY, &it.tags));
    for table in aws.route_tables.iter().filter(|table| aws.public_route_table.as_ref() == Some(&table.id)) {
        add(Place::Aws(table.id.0.clone()), &part::PUBLIC_ROUTE_TABLE, &table.tags);
    }
    all
}

/// What the objects that carry this link's tag are remembered by.
pub fn carriers(seen: &Observed, link: &LinkId) -> BTreeSet<String> {
    objects(seen).into_iter().filter(|object| link.is_on(&object.tags)).map(|object| object.place.key()).collect()
}

/// Objects that carried the tags and lack one of them.
pub fn lost(spec: &Spec, seen: &Observed) -> Vec<Tagged> {
    let lacks = |object: &Tagged| wanted(spec, object).iter().any(|(key, value)| object.tags.get(key) != Some(value));
    objects(seen).into_iter().filter(|object| spec.owned.contains(&object.place.key()) && lacks(object)).collect()
}

/// The ownership tags of an object.
pub fn wanted(spec: &Spec, object: &Tagged) -> Tags {
    let mut tags = spec.link.tags(&object.part);
    tags.insert(NAME.to_owned(), spec.name.clone());
    tags.extend(AwsEndpoint::of(&spec.aws).map(|endpoint| endpoint.tag()));
    // A changed name is a label: `differ::labels` compares it. After a move, objects keep the AWS side that they were created for.
    let settled = |key: &str| (key == NAME || key == AWS_END) && object.tags.contains_key(key);
    tags.retain(|key, _| !settled(key));
    tags
}

/// In words.
pub fn differences(spec: &Spec, seen: &Observed) -> Vec<String> {
    lost(spec, seen).iter().map(|object| format!("the ownership tags of {} are missing", object.place.key())).collect()
}
