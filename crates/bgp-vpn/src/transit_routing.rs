//! Differences between the attachment of a VPN connection to a transit gateway and what is wanted of
//! it: tags, the associated route table, and propagation into route tables.

use super::compare::{self, Reasons};
use super::observed::Observed;
use super::ownership_tags::{AwsEndpoint, TAG_AWS_ENDPOINT, TAG_NAME, propagating_tables};
use super::spec::Spec;
use super::tunnel::Instance;
use crate::aws::{AssociationState, TransitAttachment, TransitRouteTableId, VpnConnection};
use crate::types::Tags;
use std::collections::BTreeSet;

/// How an attachment differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AttachmentDiff {
    pub reasons: Reasons,
    /// Another route table has to be associated, which interrupts the routes of the connection.
    pub association: bool,
}

/// Compares an attachment that was read with what is wanted.
pub fn attachment(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
    have: &TransitAttachment,
) -> AttachmentDiff {
    let mut reasons = Reasons::new();
    if let Some(connection) = observed.aws.vpn_connections.get(instance) {
        let wanted = desired_tags(spec, connection, &have.tags, instance);
        reasons.extend(compare::user_tag_diff(&have.tags, &wanted));
        let surplus = compare::removed_tags(&have.tags, spec);
        reasons.extend(surplus.map(|key| format!("tag {key:?} is no longer wanted")));
    }
    for table in missing_propagations(spec, have) {
        reasons.push(format!("it does not propagate its routes into {table}"));
    }
    for table in former_propagations(spec, have) {
        reasons.push(format!(
            "it propagates its routes into {table}, which is no longer wanted"
        ));
    }
    let association = association_reason(spec, have);
    let differs = association.is_some();
    reasons.extend(association);
    let id = &have.id;
    AttachmentDiff {
        reasons: reasons
            .into_iter()
            .map(|reason| format!("{id}: {reason}"))
            .collect(),
        association: differs,
    }
}

/// The tags that an attachment should have, other tags left out. AWS creates it without tags. One of
/// a VPN connection that the link did not create gets the user's tags only.
pub fn desired_tags(
    spec: &Spec,
    connection: &VpnConnection,
    have: &Tags,
    instance: Instance,
) -> Tags {
    let mut wanted = compare::desired_tags(have, spec);
    if !spec.link.is_on(&connection.tags) {
        return wanted;
    }
    wanted.extend(spec.link.tags(instance));
    wanted.insert(TAG_NAME.to_owned(), spec.name.clone());
    // These two are kept as they were when the object was created.
    let name = spec.aws.names.vpn_connections.get(instance).clone();
    let endpoint = AwsEndpoint::of(&spec.aws).map(|endpoint| endpoint.to_string());
    let initial = [("Name", Some(name)), (TAG_AWS_ENDPOINT, endpoint)];
    for (key, value) in initial {
        if let Some(value) = value.filter(|_| !have.contains_key(key)) {
            wanted.insert(key.to_owned(), value);
        }
    }
    wanted
}

/// Configured route tables into which the attachment does not propagate its routes.
pub fn missing_propagations(spec: &Spec, have: &TransitAttachment) -> Vec<TransitRouteTableId> {
    let Some(tables) = &have.propagations else {
        return Vec::new();
    };
    let wanted = spec.aws.transit_routing.propagations.iter();
    wanted
        .filter(|table| !tables.contains(table))
        .cloned()
        .collect()
}

/// Route tables for which the link enabled propagation, by the tags of the attachment, and that are
/// no longer configured. Propagation that another user enabled has no tag.
pub fn former_propagations(spec: &Spec, have: &TransitAttachment) -> Vec<TransitRouteTableId> {
    let wanted = &spec.aws.transit_routing.propagations;
    let recorded: BTreeSet<TransitRouteTableId> = propagating_tables(&have.tags, &have.id.0)
        .map(TransitRouteTableId)
        .collect();
    recorded
        .into_iter()
        .filter(|table| have.propagations.is_some() && !wanted.contains(table))
        .collect()
}

/// Why the configured route table has to be associated; None where it is or none is configured.
pub fn association_reason(spec: &Spec, have: &TransitAttachment) -> Option<String> {
    let wanted = spec.aws.transit_routing.association.as_ref()?;
    match &have.association {
        Some((table, state)) if *state != AssociationState::Disassociating => {
            (table != wanted).then(|| format!("it is associated with {table}, not {wanted}"))
        }
        _ => Some(format!("it is not associated with {wanted}")),
    }
}
