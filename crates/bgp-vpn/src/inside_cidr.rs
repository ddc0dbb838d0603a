//! The APIPA address plan. Azure takes custom BGP addresses only from 169.254.21.0 to
//! 169.254.22.255; a slot is a block of eight addresses in each half, so 32 links on one gateway
//! never meet. Slot 0 is the table of Microsoft's tutorial.

use super::tunnel::{Instance, PerTunnel, TunnelKey};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;

/// Which block of APIPA space a link uses, 0 to 31.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot(u8);

impl Slot {
    pub const COUNT: u8 = 32;

    pub fn new(number: u64) -> Option<Self> {
        u8::try_from(number)
            .ok()
            .filter(|n| *n < Self::COUNT)
            .map(Slot)
    }

    pub fn number(self) -> u8 {
        self.0
    }

    /// The inside CIDRs of the four tunnels: the tunnel's number chooses 169.254.21 or .22, the
    /// instance the half block.
    pub fn inside_cidrs(self) -> PerTunnel<InsideCidr> {
        PerTunnel::from_fn(|key| self.inside_cidr(key))
    }

    fn inside_cidr(self, key: TunnelKey) -> InsideCidr {
        let third = 20 + key.number;
        let fourth = self.0 * 8 + if key.instance == Instance::One { 4 } else { 0 };
        InsideCidr(Ipv4Addr::new(169, 254, third, fourth))
    }

    /// The slot whose plan these four follow, if one does.
    pub fn of(cidrs: &PerTunnel<InsideCidr>) -> Option<Slot> {
        (0..Self::COUNT)
            .map(Slot)
            .find(|slot| slot.inside_cidrs() == *cidrs)
    }
}

/// A tunnel's inside network: an aligned /30 that both clouds take. AWS has its first host, Azure
/// its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InsideCidr(Ipv4Addr);

/// Why a text is no inside CIDR for a link with Azure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsideCidrError {
    #[error("{0:?} is not an IPv4 network in CIDR notation, such as 169.254.21.0/30")]
    NotACidr(String),
    #[error("{0} is a /{bits}, and both clouds require a /30", bits = .0.prefix_len())]
    NotA30(Ipv4Net),
    #[error("{0} has host bits set: its /30 is {trunc}", trunc = .0.trunc())]
    NotAligned(Ipv4Net),
    #[error("AWS reserves {0}")]
    ReservedByAws(Ipv4Net),
    #[error("{0} is outside 169.254.21.0-169.254.22.255, the only APIPA range that Azure accepts")]
    OutsideAzureRange(Ipv4Net),
}

/// EC2 API reference, VpnTunnelOptionsSpecification.TunnelInsideCidr: these blocks are reserved.
const RESERVED_BY_AWS: [(u8, u8); 7] = [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (169, 252)];

impl InsideCidr {
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, InsideCidrError> {
        let net: Ipv4Net = text
            .parse()
            .map_err(|_| InsideCidrError::NotACidr(text.to_owned()))?;
        Self::check(net)
    }

    /// # Errors
    /// The rule that the network breaks.
    pub fn check(net: Ipv4Net) -> Result<Self, InsideCidrError> {
        if net.prefix_len() != 30 {
            return Err(InsideCidrError::NotA30(net));
        }
        if net.addr() != net.network() {
            return Err(InsideCidrError::NotAligned(net));
        }
        let [a, b, c, d] = net.network().octets();
        if (a, b) == (169, 254) && RESERVED_BY_AWS.contains(&(c, d)) {
            return Err(InsideCidrError::ReservedByAws(net));
        }
        if (a, b) != (169, 254) || !(21..=22).contains(&c) {
            return Err(InsideCidrError::OutsideAzureRange(net));
        }
        Ok(InsideCidr(net.network()))
    }

    pub fn net(self) -> Ipv4Net {
        Ipv4Net::new_assert(self.0, 30)
    }

    /// The BGP address at the AWS end: first host.
    pub fn aws_ip(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.0) + 1)
    }

    /// The BGP address at the Azure end: second host.
    pub fn azure_ip(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.0) + 2)
    }
}

impl fmt::Display for InsideCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/30", self.0)
    }
}

impl TryFrom<String> for InsideCidr {
    type Error = InsideCidrError;

    fn try_from(text: String) -> Result<Self, InsideCidrError> {
        Self::parse(&text)
    }
}

impl From<InsideCidr> for String {
    fn from(cidr: InsideCidr) -> String {
        cidr.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// "How to configure BGP for VPN Gateway: Azure and AWS", the table of BGP peer addresses.
    #[test]
    fn slot_0_matches_tutorial_table() {
        let table = [
            (
                "instance0_tunnel1",
                "169.254.21.0/30",
                "169.254.21.1",
                "169.254.21.2",
            ),
            (
                "instance0_tunnel2",
                "169.254.22.0/30",
                "169.254.22.1",
                "169.254.22.2",
            ),
            (
                "instance1_tunnel1",
                "169.254.21.4/30",
                "169.254.21.5",
                "169.254.21.6",
            ),
            (
                "instance1_tunnel2",
                "169.254.22.4/30",
                "169.254.22.5",
                "169.254.22.6",
            ),
        ];
        let plan = Slot::default().inside_cidrs();
        for (tunnel, cidr, aws, azure) in table {
            let inside = plan.get(tunnel.parse().unwrap());
            assert_eq!(
                (
                    inside.to_string(),
                    inside.aws_ip().to_string(),
                    inside.azure_ip().to_string()
                ),
                (cidr.to_owned(), aws.to_owned(), azure.to_owned())
            );
        }
    }

    #[test]
    fn slots_are_disjoint_and_valid_in_both_clouds() {
        let mut observed = std::collections::HashSet::new();
        for slot in (0..32).filter_map(Slot::new) {
            for (_, cidr) in slot.inside_cidrs().iter() {
                assert!(observed.insert(*cidr), "{cidr} twice");
                assert_eq!(InsideCidr::check(cidr.net()), Ok(*cidr));
            }
            assert_eq!(Slot::of(&slot.inside_cidrs()), Some(slot));
        }
        assert_eq!(observed.len(), 128);
        assert_eq!(Slot::new(32), None);
    }

    #[test]
    fn inside_cidr_error_names_broken_rule() {
        use InsideCidrError::*;
        let violation = |text: &str| InsideCidr::parse(text).unwrap_err();
        assert!(matches!(violation("169.254.21"), NotACidr(_)));
        assert!(matches!(violation("169.254.21.0/29"), NotA30(_)));
        assert!(matches!(violation("169.254.21.2/30"), NotAligned(_)));
        assert!(matches!(violation("169.254.0.0/30"), ReservedByAws(_)));
        assert!(matches!(violation("169.254.23.0/30"), OutsideAzureRange(_)));
        assert!(matches!(violation("10.0.0.0/30"), OutsideAzureRange(_)));
    }
}
