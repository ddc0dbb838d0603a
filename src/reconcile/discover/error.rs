//! Why no link can be imported.

use super::super::error::ActionError;
use crate::aws::model::Region;
use bgp_vpn::inside_cidr::InsideCidr;
use std::collections::BTreeSet;

/// Why no link can be imported.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error(transparent)]
    Cause(#[from] ActionError),
    #[error(
        "the Azure gateway {0} does not exist, or the credentials have no permission to read it. Correct its subscription, resource group or name"
    )]
    NoGateway(String),
    #[error(
        "the Azure gateway {id} {what}. A link needs an active-active VPN gateway with BGP. Change the gateway, or use another"
    )]
    WrongGateway { id: String, what: &'static str },
    #[error("{end} does not exist in {region}")]
    NoEnd { region: Region, end: String },
    #[error(
        "in {region}, no VPN connection of {end} has a customer gateway with an address of the Azure gateway ({addresses}){}",
        format_elsewhere(.elsewhere)
    )]
    NoConnection {
        region: Region,
        end: String,
        addresses: String,
        elsewhere: BTreeSet<String>,
    },
    #[error(
        "in {region}, no tunnel of the VPN connections to this Azure gateway has the inside CIDR {cidr}. Existing connections: {found}"
    )]
    NoTunnel {
        region: Region,
        cidr: InsideCidr,
        found: String,
    },
    /// One of the three above, with the regions named by tags in Azure.
    #[error("{fault}")]
    NotHere {
        fault: Box<DiscoverError>,
        regions: BTreeSet<Region>,
    },
    #[error(
        "the two VPN connections of this link belong to different gateways, {0}. Add the gateway that the link should use, and the \
         inside CIDR, to the ID (<Azure gateway ID>,<vgw-... or tgw-...>,<inside CIDR>). The next apply moves the other connection to it"
    )]
    TwoEnds(String),
    #[error(
        "there is more than one link between these gateways. Add the inside CIDR of one tunnel of the link to the ID. Existing connections: {0}"
    )]
    Ambiguous(String),
}

impl DiscoverError {
    /// Where the link may be in another region: the regions to which tags point, which may be none.
    pub fn other_regions(&self) -> Option<&BTreeSet<Region>> {
        if let DiscoverError::NotHere { regions, .. } = self {
            Some(regions)
        } else {
            None
        }
    }
}

fn format_elsewhere(elsewhere: &BTreeSet<String>) -> String {
    if elsewhere.is_empty() {
        return String::new();
    }
    format!(
        ". The VPN connections to this Azure gateway belong to {0}. Use {0} in the import ID",
        elsewhere.iter().cloned().collect::<Vec<_>>().join(", ")
    )
}
