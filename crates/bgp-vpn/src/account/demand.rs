//! How many objects a plan adds to each quota, so that all links of one plan are counted together.

use super::quota::Quota;
use crate::aws::Region;
use std::collections::BTreeMap;

/// Objects that one link adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    pub region: Option<Region>,
    /// Subscription and location, in lower case.
    pub location: Option<(String, String)>,
    pub counts: BTreeMap<Quota, u32>,
}

impl Demand {
    pub fn get(&self, quota: Quota) -> u32 {
        self.counts.get(&quota).copied().unwrap_or(0)
    }

    /// What another link of the plan adds to the same quota of the same place.
    pub fn in_same_place(&self, quota: Quota, other: &Demand) -> u32 {
        let same = if quota == Quota::PublicIps {
            self.location.is_some() && self.location == other.location
        } else {
            self.region.is_some() && self.region == other.region
        };
        if same { other.get(quota) } else { 0 }
    }
}

/// What a link adds that is created with these sides.
pub fn demand_of_create(
    region: Option<Region>,
    location: Option<(String, String)>,
    creates_vpc: bool,
    creates_vpn_gateway: bool,
) -> Demand {
    let counts = [
        (Quota::Vpcs, u32::from(creates_vpc)),
        (Quota::VpnGateways, u32::from(creates_vpn_gateway)),
        (Quota::CustomerGateways, 2),
        (Quota::VpnConnections, 2),
        (Quota::PublicIps, if location.is_some() { 2 } else { 0 }),
    ];
    Demand {
        region,
        location,
        counts: counts.into_iter().filter(|(_, count)| *count > 0).collect(),
    }
}
