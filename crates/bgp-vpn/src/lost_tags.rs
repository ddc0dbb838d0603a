//! Ownership tags that were deleted from this link's objects. Only objects that were seen with them
//! before count: one that another user created never gets them.

use super::observed::Observed;
use super::ownership_tags::{AwsEndpoint, LinkId, TAG_AWS_ENDPOINT, TAG_NAME, role};
use super::spec::{AwsGateway, AwsNetwork, AzureGateway, Spec};
use super::tunnel::{Instance, TunnelKey};
use crate::azure::id::ResourceId;
use crate::types::Tags;
use std::collections::BTreeSet;

/// An object that carries ownership tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectRef {
    /// By the resource group's name.
    Group(String),
    /// Tags of a gateway or connection are written with its document, under the gateway's lock.
    AzureGateway(ResourceId),
    AzureConnection(ResourceId),
    Azure(ResourceId),
    /// By its id.
    Aws(String),
}

impl ObjectRef {
    /// What the object is remembered by. Azure ids compare without regard to case.
    pub fn key(&self) -> String {
        match self {
            ObjectRef::Group(name) => format!("resource group {}", name.to_lowercase()),
            ObjectRef::AzureGateway(id) | ObjectRef::AzureConnection(id) | ObjectRef::Azure(id) => {
                id.as_str().to_lowercase()
            }
            ObjectRef::Aws(id) => id.clone(),
        }
    }
}

/// An object, which part of the link it is, and its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tagged {
    pub place: ObjectRef,
    pub role: String,
    pub tags: Tags,
}

/// All objects of a link that can carry its tags. Subnet and internet gateway are seen with their
/// route table only.
pub fn taggable_objects(observed: &Observed) -> Vec<Tagged> {
    let mut all = Vec::new();
    let mut add = |place: ObjectRef, part: &dyn ToString, tags: &Tags| {
        all.push(Tagged {
            place,
            role: part.to_string(),
            tags: tags.clone(),
        });
    };
    let (azure, aws) = (&observed.azure, &observed.aws);
    azure.group.iter().for_each(|it| {
        add(
            ObjectRef::Group(it.name.clone()),
            &role::RESOURCE_GROUP,
            &it.tags,
        )
    });
    if let Some(network) = &azure.network {
        add(
            ObjectRef::Azure(network.resource.id.clone()),
            &role::VIRTUAL_NETWORK,
            &network.resource.tags,
        );
    }
    if let Some(gateway) = &azure.gateway {
        add(
            ObjectRef::AzureGateway(gateway.resource.id.clone()),
            &role::AZURE_GATEWAY,
            &gateway.resource.tags,
        );
    }
    for instance in Instance::ALL {
        if let Some(ip) = azure.public_ips.get(instance) {
            add(
                ObjectRef::Azure(ip.resource.id.clone()),
                &instance,
                &ip.resource.tags,
            );
        }
        if let Some(customer) = aws.customer_gateways.get(instance) {
            add(
                ObjectRef::Aws(customer.id.0.clone()),
                &instance,
                &customer.tags,
            );
        }
        aws.vpn_connections
            .get(instance)
            .iter()
            .for_each(|it| add(ObjectRef::Aws(it.id.0.clone()), &instance, &it.tags));
    }
    for key in TunnelKey::ALL {
        if let Some(local) = azure.local_gateways.get(key) {
            add(
                ObjectRef::Azure(local.resource.id.clone()),
                &key,
                &local.resource.tags,
            );
        }
        if let Some(connection) = azure.connections.get(key) {
            add(
                ObjectRef::AzureConnection(connection.resource.id.clone()),
                &key,
                &connection.resource.tags,
            );
        }
    }
    aws.vpc
        .iter()
        .for_each(|it| add(ObjectRef::Aws(it.id.0.clone()), &role::VPC, &it.tags));
    aws.gateway.iter().for_each(|it| {
        add(
            ObjectRef::Aws(it.id.0.clone()),
            &role::VPN_GATEWAY,
            &it.tags,
        )
    });
    for table in aws
        .route_tables
        .iter()
        .filter(|table| aws.public_route_table.as_ref() == Some(&table.id))
    {
        add(
            ObjectRef::Aws(table.id.0.clone()),
            &role::PUBLIC_ROUTE_TABLE,
            &table.tags,
        );
    }
    all
}

/// What the objects that carry this link's tag are remembered by.
pub fn tagged_objects(observed: &Observed, link: &LinkId) -> BTreeSet<String> {
    taggable_objects(observed)
        .into_iter()
        .filter(|object| link.is_on(&object.tags))
        .map(|object| object.place.key())
        .collect()
}

/// Objects that carried the tags and lack one of them.
pub fn objects_with_lost_tags(spec: &Spec, observed: &Observed) -> Vec<Tagged> {
    let lacks = |object: &Tagged| {
        desired_tags(spec, object)
            .iter()
            .any(|(key, value)| object.tags.get(key) != Some(value))
    };
    taggable_objects(observed)
        .into_iter()
        .filter(|object| creates(spec, object))
        .filter(|object| spec.owned.contains(&object.place.key()) && lacks(object))
        .collect()
}

/// Whether the link creates the object. Those of an existing gateway may carry the tag of a link
/// that had the same slot before.
fn creates(spec: &Spec, object: &Tagged) -> bool {
    let gateway = matches!(spec.azure.gateway, AzureGateway::Managed { .. });
    let is_public_ip = matches!(object.place, ObjectRef::Azure(_))
        && Instance::ALL
            .iter()
            .any(|instance| instance.to_string() == object.role);
    match object.role.as_str() {
        role::RESOURCE_GROUP => gateway || spec.azure.create_resource_group,
        role::VIRTUAL_NETWORK | role::AZURE_GATEWAY => gateway,
        role::VPC | role::PUBLIC_ROUTE_TABLE => {
            matches!(spec.aws.network, AwsNetwork::Create { .. })
        }
        role::VPN_GATEWAY => matches!(spec.aws.gateway, AwsGateway::ManagedVgw { .. }),
        _ => gateway || !is_public_ip,
    }
}

/// The ownership tags of an object.
pub fn desired_tags(spec: &Spec, object: &Tagged) -> Tags {
    let mut tags = spec.link.tags(&object.role);
    tags.insert(TAG_NAME.to_owned(), spec.name.clone());
    tags.extend(AwsEndpoint::of(&spec.aws).map(|endpoint| endpoint.tag()));
    // A changed name is a label: `compare::tag_diff` compares it. After a move, objects keep the
    // AWS side that they were created for.
    let decided =
        |key: &str| (key == TAG_NAME || key == TAG_AWS_ENDPOINT) && object.tags.contains_key(key);
    tags.retain(|key, _| !decided(key));
    tags
}

/// In words.
pub fn describe_lost_tags(spec: &Spec, observed: &Observed) -> Vec<String> {
    objects_with_lost_tags(spec, observed)
        .iter()
        .map(|object| format!("the ownership tags of {} are missing", object.place.key()))
        .collect()
}
