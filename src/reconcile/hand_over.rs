//! The last step of the delete half of a replacement: what stays gets the ownership tags of the new link. Only then is it
//! anything but this link's, so a run that is killed before goes on with the same replacement.

use super::cause::Cause;
use super::clouds::{Limits, Site};
use crate::link::lost_tags::{Place, Tagged, objects};
use crate::link::managed::Kind;
use crate::link::observed::Observed;
use crate::link::ownership::{AWS_END, LINK, LinkId, UNFINISHED, propagation_keys};
use crate::link::search::HandOver;
use crate::primitives::Tags;
use std::collections::BTreeMap;

/// Kinds whose tags are not read together with the others.
const UNREAD: [Kind; 3] = [Kind::AwsInternetGateway, Kind::AwsSubnet, Kind::AwsRouteTable];

/// Tags what stays.
///
/// # Errors
/// `NotOwned` for an object that no longer carries the tag of either link; what writing the tags answers.
pub async fn hand_over(
    site: &Site,
    from: &LinkId,
    to: &HandOver,
    seen: &Observed,
    limits: &Limits,
) -> Result<(), Cause> {
    let mut own = Tags::from([(LINK.to_owned(), to.link.to_string())]);
    own.extend(to.endpoint.iter().map(|end| (AWS_END.to_owned(), end.clone())));
    let kept: Vec<Tagged> = objects(seen).into_iter().filter(|object| is_kept(to, &object.place)).collect();
    if let Some(foreign) = kept.iter().find(|object| !from.is_on(&object.tags) && !to.link.is_on(&object.tags)) {
        return Err(Cause::NotOwned { id: foreign.place.key(), tag: from.to_string() });
    }
    let unread = UNREAD.into_iter().flat_map(|kind| to.kept.ids(kind)).map(str::to_owned);
    let mut aws: Vec<String> = unread.collect();
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    for object in kept {
        let azure = object.tags.iter().chain(&own).map(|(key, value)| (key.clone(), value.clone())).collect();
        match object.place {
            Place::Group(name) => site.azure.set_group_tags(&name, &azure, &limits.azure()).await?,
            Place::Azure(id) => site.azure.set_tags(&id, &azure, &limits.azure()).await?,
            Place::Aws(id) => {
                named.extend(object.tags.get("Name").map(|name| (id.clone(), name.clone())));
                aws.push(id);
            }
            Place::AzureGateway(_) | Place::AzureConnection(_) => {}
        }
    }
    aws.sort_unstable();
    aws.dedup();
    if aws.is_empty() {
        return Ok(());
    }
    own.insert(UNFINISHED.to_owned(), "true".to_owned());
    site.ec2.create_tags(&limits.aws(), &aws, &own).await?;
    let has_name = |id: &String, name: &String| named.get(id) == Some(name);
    for (id, name) in to.names.iter().filter(|(id, name)| !has_name(id, name)) {
        let name = Tags::from([("Name".to_owned(), name.clone())]);
        site.ec2.create_tags(&limits.aws(), std::slice::from_ref(id), &name).await?;
    }
    // The delete half has disabled all propagation.
    if let Some(gateway) = seen.aws.gateway.as_ref().filter(|it| to.kept.has(Kind::AwsVpnGateway, &it.id.0)) {
        let keys: Vec<String> = propagation_keys(&gateway.tags).collect();
        if !keys.is_empty() {
            site.ec2.delete_tags(&limits.aws(), &[gateway.id.0.clone()], &keys).await?;
        }
    }
    Ok(())
}

fn is_kept(to: &HandOver, place: &Place) -> bool {
    let has = |kinds: &[Kind], id: &str| kinds.iter().any(|kind| to.kept.has(*kind, id));
    match place {
        Place::Group(name) => to
            .kept
            .ids(Kind::AzureResourceGroup)
            .any(|id| id.rsplit('/').next().is_some_and(|kept| kept.eq_ignore_ascii_case(name))),
        Place::Azure(id) => has(&[Kind::AzureVirtualNetwork], id.as_str()),
        Place::Aws(id) => has(&[Kind::AwsVpc, Kind::AwsVpnGateway, Kind::AwsRouteTable], id),
        Place::AzureGateway(_) | Place::AzureConnection(_) => false,
    }
}
