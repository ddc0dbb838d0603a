//! The last step of a destroy that leaves objects in place.
//!
//! In the delete half of a replacement, kept objects get the ownership tags of the new link. Until
//! then they belong to the former link, so the run after a killed one continues the same
//! replacement. With `manage_gateways = false`, AWS objects get the incomplete tag, with which a
//! later create of the same link adopts them.

use super::clients::{LinkClients, OperationContext};
use super::error::ActionError;
use bgp_vpn::lookup::{HandOver, TeardownSpec};
use bgp_vpn::lost_tags::{ObjectRef, Tagged, taggable_objects};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::{
    LinkId, TAG_AWS_ENDPOINT, TAG_INCOMPLETE, TAG_LINK, propagation_keys,
};
use bgp_vpn::types::Tags;
use std::collections::BTreeMap;

/// Kinds whose tags are not read together with the others.
const UNREAD: [Kind; 3] = [
    Kind::AwsInternetGateway,
    Kind::AwsSubnet,
    Kind::AwsRouteTable,
];

/// Tags what stays.
///
/// # Errors
/// `NotOwned` for an object that no longer carries the tag of either link; what writing the tags
/// answers.
pub async fn hand_over(
    clients: &LinkClients,
    from: &LinkId,
    to: &HandOver,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let mut own = Tags::from([(TAG_LINK.to_owned(), to.link.to_string())]);
    own.extend(
        to.endpoint
            .iter()
            .map(|end| (TAG_AWS_ENDPOINT.to_owned(), end.clone())),
    );
    let kept: Vec<Tagged> = taggable_objects(observed)
        .into_iter()
        .filter(|object| is_kept(to, &object.place))
        .collect();
    if let Some(foreign) = kept
        .iter()
        .find(|object| !from.is_on(&object.tags) && !to.link.is_on(&object.tags))
    {
        return Err(ActionError::NotOwned {
            id: foreign.place.key(),
            tag: from.to_string(),
        });
    }
    let unread = UNREAD
        .into_iter()
        .flat_map(|kind| to.kept.ids(kind))
        .map(str::to_owned);
    let mut aws: Vec<String> = unread.collect();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for object in kept {
        let azure = object
            .tags
            .iter()
            .chain(&own)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        match object.place {
            ObjectRef::Group(name) => {
                clients
                    .azure
                    .set_group_tags(&name, &azure, &operation.call_context())
                    .await?
            }
            ObjectRef::Azure(id) => {
                clients
                    .azure
                    .set_tags(&id, &azure, &operation.call_context())
                    .await?
            }
            ObjectRef::Aws(id) => {
                named.extend(
                    object
                        .tags
                        .get("Name")
                        .map(|name| (id.clone(), name.clone())),
                );
                aws.push(id);
            }
            ObjectRef::AzureGateway(_) | ObjectRef::AzureConnection(_) => {}
        }
    }
    aws.sort_unstable();
    aws.dedup();
    if aws.is_empty() {
        return Ok(());
    }
    own.insert(TAG_INCOMPLETE.to_owned(), "true".to_owned());
    clients
        .ec2
        .create_tags(&operation.call_context(), &aws, &own)
        .await?;
    let has_name = |id: &String, name: &String| named.get(id) == Some(name);
    for (id, name) in to.names.iter().filter(|(id, name)| !has_name(id, name)) {
        let name = Tags::from([("Name".to_owned(), name.clone())]);
        clients
            .ec2
            .create_tags(&operation.call_context(), std::slice::from_ref(id), &name)
            .await?;
    }
    // The delete half has disabled all propagation.
    if let Some(gateway) = observed
        .aws
        .gateway
        .as_ref()
        .filter(|it| to.kept.has(Kind::AwsVpnGateway, &it.id.0))
    {
        let keys: Vec<String> = propagation_keys(&gateway.tags).collect();
        if !keys.is_empty() {
            clients
                .ec2
                .delete_tags(
                    &operation.call_context(),
                    std::slice::from_ref(&gateway.id.0),
                    &keys,
                )
                .await?;
        }
    }
    Ok(())
}

/// Puts the incomplete tag on the AWS objects that a destroy leaves in place, as far as they are the
/// link's. A complete link's tags could be copied, so without this one a create adopts none of them.
///
/// # Errors
/// What writing the tags answers.
pub async fn mark_staying(
    clients: &LinkClients,
    what: &TeardownSpec,
    observed: &Observed,
    operation: &OperationContext,
) -> Result<(), ActionError> {
    let has = |kind: Kind, id: &str| what.stays.has(kind, id);
    let aws = &observed.aws;
    let gateway = aws.gateway.as_ref().filter(|gateway| {
        has(Kind::AwsVpnGateway, &gateway.id.0) && what.link.is_on(&gateway.tags)
    });
    let vpc = aws
        .vpc
        .as_ref()
        .filter(|vpc| has(Kind::AwsVpc, &vpc.id.0) && what.link.is_on(&vpc.tags));
    let in_vpc = UNREAD
        .into_iter()
        .filter(|_| vpc.is_some())
        .flat_map(|kind| what.stays.ids(kind))
        .map(str::to_owned);
    let ids: Vec<String> = gateway
        .map(|gateway| gateway.id.0.clone())
        .into_iter()
        .chain(vpc.map(|vpc| vpc.id.0.clone()))
        .chain(in_vpc)
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let incomplete = Tags::from([(TAG_INCOMPLETE.to_owned(), "true".to_owned())]);
    Ok(clients
        .ec2
        .create_tags(&operation.call_context(), &ids, &incomplete)
        .await?)
}

fn is_kept(to: &HandOver, place: &ObjectRef) -> bool {
    let has = |kinds: &[Kind], id: &str| kinds.iter().any(|kind| to.kept.has(*kind, id));
    match place {
        ObjectRef::Group(name) => to.kept.ids(Kind::AzureResourceGroup).any(|id| {
            id.rsplit('/')
                .next()
                .is_some_and(|kept| kept.eq_ignore_ascii_case(name))
        }),
        ObjectRef::Azure(id) => has(&[Kind::AzureVirtualNetwork], id.as_str()),
        ObjectRef::Aws(id) => has(
            &[Kind::AwsVpc, Kind::AwsVpnGateway, Kind::AwsRouteTable],
            id,
        ),
        ObjectRef::AzureGateway(_) | ObjectRef::AzureConnection(_) => false,
    }
}
