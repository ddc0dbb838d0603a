//! Limits on the number of objects.

use std::fmt;

/// A quota that a link uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quota {
    Vpcs,
    VpnGateways,
    CustomerGateways,
    VpnConnections,
    /// Public IPs of the Standard SKU at an Azure location.
    PublicIps,
}

impl Quota {
    /// Quotas of an AWS region.
    pub const AWS: [Quota; 4] = [
        Quota::Vpcs,
        Quota::VpnGateways,
        Quota::CustomerGateways,
        Quota::VpnConnections,
    ];

    /// Default limit of AWS (2026-11, Site-to-Site VPN quotas and Amazon VPC quotas). Quotas can be
    /// raised, never lowered below it. None where the cloud reports the limit with the usage.
    pub fn default_limit(self) -> Option<u32> {
        match self {
            Quota::Vpcs | Quota::VpnGateways => Some(5),
            Quota::CustomerGateways | Quota::VpnConnections => Some(50),
            Quota::PublicIps => None,
        }
    }

    /// What to use instead of more objects.
    pub fn alternative(self) -> &'static str {
        match self {
            Quota::Vpcs => "an existing VPC (aws.vpc_id)",
            Quota::VpnGateways => "an existing virtual private gateway (aws.vpn_gateway_id)",
            Quota::CustomerGateways | Quota::VpnConnections => "another region",
            Quota::PublicIps => "another location",
        }
    }

    /// Service code and quota code in AWS Service Quotas. They are the same in all regions.
    pub fn service_quota(self) -> Option<(&'static str, &'static str)> {
        match self {
            Quota::Vpcs => Some(("vpc", "L-F678F1CE")),
            Quota::VpnGateways => Some(("ec2", "L-7029FAB6")),
            Quota::CustomerGateways => Some(("ec2", "L-4FB7FF5D")),
            Quota::VpnConnections => Some(("ec2", "L-3E6EC3A3")),
            Quota::PublicIps => None,
        }
    }
}

/// In the plural.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Quota::Vpcs => "VPCs",
            Quota::VpnGateways => "virtual private gateways",
            Quota::CustomerGateways => "customer gateways",
            Quota::VpnConnections => "VPN connections",
            Quota::PublicIps => "public IPs of the Standard SKU",
        })
    }
}
