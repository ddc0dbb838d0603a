//! The plan that a preflight checks, and which objects belong to the link itself.

use crate::config::Config;
use crate::ownership_tags::{AwsEndpoint, LinkId, TAG_AWS_ENDPOINT};
use crate::tunnel::TunnelKey;
use crate::types::Tags;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// What is planned, as far as the surroundings matter.
#[derive(Clone, Copy, Debug)]
pub struct PreflightContext<'a> {
    /// As configured: what may contradict an existing gateway.
    pub configured: &'a Config,
    /// As planned, defaults filled in.
    pub planned: &'a Config,
    pub link: Option<&'a LinkId>,
    /// The AWS side of a link that is created, as its tag has it.
    pub endpoint: Option<&'a str>,
    /// Ids of this link's own objects, and of those that will be gone before it is made.
    pub own: &'a [String],
    /// BGP addresses that this link put on the Azure gateway.
    pub own_addresses: &'a BTreeSet<Ipv4Addr>,
    pub azure_gateway_is_existing: bool,
    pub vpn_gateway_is_existing: bool,
    pub on_transit_gateway: bool,
    pub allow_overlap: bool,
    /// The planned AWS side of a link that exists.
    pub moves_to: Option<&'a AwsEndpoint>,
}

impl PreflightContext<'_> {
    /// Whether an object is this link's, or of the one in whose place it comes.
    ///
    /// The ownership tag of a link that moved to another slot stays: a link that is created in its
    /// former slot has the same one and another AWS side.
    pub fn owns(&self, id: &str, tags: &Tags) -> bool {
        let other_end = self
            .endpoint
            .zip(tags.get(TAG_AWS_ENDPOINT))
            .is_some_and(|(end, tag)| end != tag);
        self.link.is_some_and(|link| link.is_on(tags)) && !other_end || self.records(id)
    }

    /// Whether a state names an object as this link's.
    pub(super) fn records(&self, id: &str) -> bool {
        self.own.iter().any(|own| own.eq_ignore_ascii_case(id))
    }
}

/// The inside CIDRs of a plan, as far as they are known.
pub fn planned_cidrs(
    context: PreflightContext<'_>,
) -> impl Iterator<Item = (TunnelKey, crate::inside_cidr::InsideCidr)> {
    let cidrs = context.planned.inside_cidrs.iter();
    cidrs.filter_map(|(key, text)| {
        Some((
            key,
            crate::inside_cidr::InsideCidr::parse(text.known()?).ok()?,
        ))
    })
}
