//! What each cloud was given about its end of a tunnel. Neither half is ever filled from the other:
//! a tunnel comes up only where the two, read separately, agree.

mod lab_fault;
mod lab_report;
mod rules;
mod tunnel;
mod tunnels;

#[cfg(test)]
mod tests;

pub use lab_fault::LabFault;
pub use lab_report::{
    AwsReport, AzureReport, Host, LabInstructions, LabReport, Route, Sa, Session,
};
pub use rules::{Agreed, Negotiation, TunnelStatus, negotiate};
pub use tunnels::{AwsTelemetry, AzurePeer, AzureTunnel, LearnedRoute, Tunnels};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// One AWS tunnel endpoint, in AWS's own words.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AwsEndpoint {
    pub vpn_connection_id: String,
    /// The virtual private or transit gateway at which the connection ends.
    pub gateway_id: String,
    pub outside_ip: Ipv4Addr,
    pub inside_cidr: Ipv4Net,
    /// The customer gateway's address: the only source from which IKE is accepted.
    pub peer_ip: Ipv4Addr,
    pub asn: u32,
    pub peer_asn: u32,
    /// No BGP session is offered then.
    pub static_routes_only: bool,
    pub pre_shared_key: String,
    /// Empty lists accept every value that EC2 knows.
    pub phase1_encryption: Vec<String>,
    pub phase1_integrity: Vec<String>,
    pub phase1_dh_groups: Vec<u32>,
    pub phase2_encryption: Vec<String>,
    pub phase2_integrity: Vec<String>,
    pub phase2_dh_groups: Vec<u32>,
    pub phase1_lifetime_seconds: u32,
    pub phase2_lifetime_seconds: u32,
    /// How long before the end of a lifetime AWS rekeys, and by how much more of that at random.
    pub rekey_margin_seconds: u32,
    pub rekey_fuzz_percent: u32,
    /// AWS lets the keys of an accelerated tunnel expire unless Azure renews them.
    pub accelerated: bool,
    pub ike_versions: Vec<String>,
    pub startup_action: String,
    pub dpd_timeout_action: String,
    pub dpd_timeout_seconds: u32,
    /// False while the connection is pending, modifying or going away: the endpoint does not answer
    /// then.
    pub serving: bool,
    /// What it announces: the VPC's ranges.
    pub announces: Vec<Ipv4Net>,
}

/// One Azure gateway instance's end of one connection, in Azure's own words. Every connection has
/// one end per instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AzureEndpoint {
    pub connection_id: String,
    pub gateway_id: String,
    /// Position of the gateway's ipConfiguration, 0 or 1.
    pub instance: usize,
    pub ip_configuration_id: String,
    pub public_ip: Ipv4Addr,
    /// Source of the BGP session: the connection's custom address for this instance, else the
    /// instance's first custom address, else its default one.
    pub bgp_ip: Option<Ipv4Addr>,
    /// Next hop of what it announces: the instance's first custom address on every session, also
    /// where `bgp_ip` is another one (measured with two peers, 2026-01), else `bgp_ip`.
    pub next_hop: Option<Ipv4Addr>,
    /// The local network gateway's address, BGP peer and ASN.
    pub peer_ip: Ipv4Addr,
    pub peer_bgp_ip: Option<Ipv4Addr>,
    pub peer_asn: Option<u32>,
    pub asn: u32,
    pub shared_key: String,
    pub enable_bgp: bool,
    pub connection_mode: String,
    pub policy: Option<AzurePolicy>,
    /// False until both the gateway and the connection have succeeded once, and while the gateway
    /// is being replaced.
    pub serving: bool,
    /// What it announces: the VNet's ranges.
    pub announces: Vec<Ipv4Net>,
}

/// The eight fields of `ipsecPolicies[0]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AzurePolicy {
    pub ike_encryption: String,
    pub ike_integrity: String,
    pub dh_group: String,
    pub ipsec_encryption: String,
    pub ipsec_integrity: String,
    pub pfs_group: String,
    pub sa_life_time_seconds: u32,
    pub sa_data_size_kilobytes: u32,
}
