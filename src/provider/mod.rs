//! What the user types: the resource, between Terraform's values and the domain of links.

pub mod bgp_vpn;
