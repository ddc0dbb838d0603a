//! How far the create of a link came, by the incomplete tag on its AWS objects.

use super::observed::Observed;
use super::ownership_tags::TAG_INCOMPLETE;
use crate::types::Tags;

/// How far the create of a link came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing of it exists.
    NotFound,
    /// A create began it and never ended.
    Incomplete,
    /// Complete.
    Complete,
}

/// What the marks on the AWS half say.
pub fn completeness(observed: &Observed) -> Completeness {
    let aws = &observed.aws;
    let mut tags: Vec<&Tags> = Vec::new();
    tags.extend(
        aws.customer_gateways
            .iter()
            .filter_map(|(_, c)| c.as_ref())
            .map(|c| &c.tags),
    );
    tags.extend(
        aws.vpn_connections
            .iter()
            .filter_map(|(_, v)| v.as_ref())
            .map(|v| &v.tags),
    );
    match (
        tags.is_empty(),
        tags.iter().any(|tags| tags.contains_key(TAG_INCOMPLETE)),
    ) {
        (true, _) => Completeness::NotFound,
        (false, true) => Completeness::Incomplete,
        (false, false) => Completeness::Complete,
    }
}
