//! What a planned link takes for itself: inside addresses on shared gateways, the only VPN gateway
//! of a network, and Azure names. Two links of one run must not take the same.

use super::account::Demand;
use super::inside_cidr::{InsideCidr, Slot};
use super::ownership_tags::{AwsEndpoint, EndpointKind};
use crate::aws::VpcId;
use crate::azure::id::ResourceId;
use crate::cidr::overlaps;
use ipnet::Ipv4Net;
use std::collections::BTreeSet;
use std::fmt;

/// Everything that one link takes, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// The link's name, for messages.
    pub name: String,
    pub network: Option<ResourceId>,
    pub gateway: Option<ResourceId>,
    /// The link creates the VPN gateway of the virtual network.
    pub makes_gateway: bool,
    pub aws: Option<AwsEndpoint>,
    pub inside_cidrs: BTreeSet<InsideCidr>,
    /// Azure objects that the link creates, or has created.
    pub objects: BTreeSet<ResourceId>,
    /// Ranges of the VPC, as far as they are known.
    pub vpc_ranges: Vec<Ipv4Net>,
    /// What the plan adds to the quotas of the account.
    pub demand: Demand,
}

/// Something that two links cannot both have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimConflict {
    /// Both create the VPN gateway of this virtual network.
    AzureGateway(ResourceId),
    /// Both create the VPN gateway of this VPC.
    VpnGateway(VpcId),
    /// Both use this inside CIDR on one gateway.
    InsideCidr {
        cidr: InsideCidr,
        gateway: SharedGateway,
    },
    /// Both create this Azure object.
    Object(ResourceId),
}

/// A gateway on which inside CIDRs have to differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SharedGateway {
    Azure,
    Aws(AwsEndpoint),
}

impl fmt::Display for SharedGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SharedGateway::Azure => f.write_str("the same Azure gateway"),
            SharedGateway::Aws(endpoint) => write!(f, "the same AWS gateway ({endpoint})"),
        }
    }
}

impl Claim {
    /// The first thing that both links take.
    pub fn conflict(&self, other: &Claim) -> Option<ClaimConflict> {
        let same = |a: &Option<ResourceId>, b: &Option<ResourceId>| a.is_some() && a == b;
        if same(&self.network, &other.network)
            && self.makes_gateway
            && other.makes_gateway
            && let Some(network) = &self.network
        {
            return Some(ClaimConflict::AzureGateway(network.clone()));
        }
        if let (Some(own), Some(others)) = (&self.aws, &other.aws)
            && own == others
            && let EndpointKind::Vpc(vpc) = &own.end
        {
            return Some(ClaimConflict::VpnGateway(vpc.clone()));
        }
        if let Some(gateway) = self.shares_gateway(other)
            && let Some(cidr) = self.inside_cidrs.intersection(&other.inside_cidrs).next()
        {
            return Some(ClaimConflict::InsideCidr {
                cidr: *cidr,
                gateway,
            });
        }
        self.objects
            .intersection(&other.objects)
            .next()
            .map(|id| ClaimConflict::Object(id.clone()))
    }

    /// Ranges of both links' VPCs that overlap, where both links use one Azure gateway: it has two
    /// routes to the same addresses.
    pub fn overlapping_range(&self, other: &Claim) -> Option<(Ipv4Net, Ipv4Net)> {
        let on_one_gateway = self.shares_gateway(other) == Some(SharedGateway::Azure);
        let is_same_vpc = self.aws.is_some() && self.aws == other.aws;
        let pairs = self
            .vpc_ranges
            .iter()
            .flat_map(|own| other.vpc_ranges.iter().map(move |others| (*own, *others)));
        let mut overlapping = pairs.filter(|(own, others)| overlaps(*own, *others));
        overlapping
            .next()
            .filter(|_| on_one_gateway && !is_same_vpc)
    }

    /// The gateway that both links use, on which their inside CIDRs have to differ.
    pub fn shares_gateway(&self, other: &Claim) -> Option<SharedGateway> {
        let same = |a: &Option<ResourceId>, b: &Option<ResourceId>| a.is_some() && a == b;
        if same(&self.network, &other.network) || same(&self.gateway, &other.gateway) {
            return Some(SharedGateway::Azure);
        }
        let endpoint = self
            .aws
            .as_ref()
            .filter(|endpoint| Some(*endpoint) == other.aws.as_ref())?;
        let existing = matches!(
            endpoint.end,
            EndpointKind::VpnGateway(_) | EndpointKind::TransitGateway(_)
        );
        existing.then(|| SharedGateway::Aws(endpoint.clone()))
    }
}

/// The slots none of whose inside CIDRs is taken.
pub fn free_slots(taken: &BTreeSet<InsideCidr>) -> Vec<u8> {
    let slots = (0..Slot::COUNT).filter_map(|number| Slot::new(u64::from(number)));
    let free = slots.filter(|slot| {
        !slot
            .inside_cidrs()
            .iter()
            .any(|(_, cidr)| taken.contains(cidr))
    });
    free.map(Slot::number).collect()
}

/// A list of slots for a message: the first few are enough to choose from.
pub fn format_slots(slots: &[u8]) -> String {
    const MAX_SLOTS_SHOWN: usize = 5;
    if slots.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<String> = slots
        .iter()
        .take(MAX_SLOTS_SHOWN)
        .map(ToString::to_string)
        .collect();
    let more = if slots.len() > MAX_SLOTS_SHOWN {
        " and more"
    } else {
        ""
    };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::aws::{Region, TransitGatewayId, VpnGatewayId};

    fn network(kind: &str, name: &str) -> Option<ResourceId> {
        Some(ResourceId::network("s", "g", kind, name))
    }

    fn claim(slot: u64, end: EndpointKind) -> Claim {
        Claim {
            network: network("virtualNetworks", "hub"),
            gateway: network("virtualNetworkGateways", "hub"),
            aws: Some(AwsEndpoint {
                region: Region("us-east-1".into()),
                end,
            }),
            inside_cidrs: Slot::new(slot)
                .unwrap()
                .inside_cidrs()
                .iter()
                .map(|(_, cidr)| *cidr)
                .collect(),
            ..Claim::default()
        }
    }

    fn vpc(id: &str) -> EndpointKind {
        EndpointKind::Vpc(VpcId(id.to_owned()))
    }

    #[test]
    fn clash_names_shared_object() {
        let one = claim(0, vpc("vpc-1"));
        assert!(matches!(
            one.conflict(&claim(0, vpc("vpc-2"))),
            Some(ClaimConflict::InsideCidr {
                gateway: SharedGateway::Azure,
                ..
            })
        ));
        assert_eq!(one.conflict(&claim(1, vpc("vpc-2"))), None);
        assert_eq!(
            one.conflict(&claim(1, vpc("vpc-1"))),
            Some(ClaimConflict::VpnGateway(VpcId("vpc-1".into())))
        );
        let owner = |slot, end| Claim {
            makes_gateway: true,
            gateway: None,
            ..claim(slot, end)
        };
        assert!(matches!(
            owner(0, vpc("vpc-1")).conflict(&owner(1, vpc("vpc-2"))),
            Some(ClaimConflict::AzureGateway(_))
        ));
        assert_eq!(
            owner(0, vpc("vpc-1")).conflict(&claim(1, vpc("vpc-2"))),
            None
        );
        assert!(
            owner(0, vpc("vpc-1"))
                .conflict(&claim(0, vpc("vpc-2")))
                .is_some()
        );
    }

    #[test]
    fn clash_finds_inside_cidrs_on_one_aws_gateway() {
        let elsewhere = |slot, end| {
            let (network, gateway) = (
                network("virtualNetworks", "b"),
                network("virtualNetworkGateways", "b"),
            );
            Claim {
                network,
                gateway,
                ..claim(slot, end)
            }
        };
        let transit = || EndpointKind::TransitGateway(TransitGatewayId("tgw-1".into()));
        let given = || EndpointKind::VpnGateway(VpnGatewayId("vgw-1".into()));
        for end in [transit(), given()] {
            assert!(
                claim(0, end.clone())
                    .conflict(&elsewhere(0, end.clone()))
                    .is_some()
            );
            assert_eq!(claim(0, end.clone()).conflict(&elsewhere(1, end)), None);
        }
        let made = || EndpointKind::NewVpc("10.2.0.0/16".parse().unwrap());
        assert_eq!(
            claim(0, made()).conflict(&elsewhere(0, made())),
            None,
            "each link creates its own VPC"
        );
    }

    #[test]
    fn ranges_overlap_on_one_azure_gateway_only() {
        let with = |slot, range: &str, end| Claim {
            vpc_ranges: vec![range.parse().unwrap()],
            ..claim(slot, end)
        };
        let one = with(0, "10.2.0.0/16", vpc("vpc-1"));
        let two = with(1, "10.2.128.0/17", vpc("vpc-2"));
        assert!(one.overlapping_range(&two).is_some());
        let apart = with(1, "10.3.0.0/16", vpc("vpc-2"));
        assert_eq!(one.overlapping_range(&apart), None);
        let same_vpc = with(1, "10.2.0.0/16", vpc("vpc-1"));
        assert_eq!(one.overlapping_range(&same_vpc), None);
        let elsewhere = Claim {
            network: network("virtualNetworks", "b"),
            gateway: network("virtualNetworkGateways", "b"),
            ..two
        };
        assert_eq!(one.overlapping_range(&elsewhere), None);
    }

    #[test]
    fn clash_finds_equal_names_in_any_case() {
        let named = |name: &str| Claim {
            objects: network("connections", name).into_iter().collect(),
            ..Claim::default()
        };
        assert!(matches!(
            named("A").conflict(&named("a")),
            Some(ClaimConflict::Object(_))
        ));
        assert_eq!(named("a").conflict(&named("b")), None);
    }

    #[test]
    fn free_slots_exclude_overlapping_ones() {
        let taken = claim(0, vpc("vpc-1")).inside_cidrs;
        assert_eq!(free_slots(&taken).first(), Some(&1));
        assert_eq!(format_slots(&free_slots(&taken)), "1, 2, 3, 4, 5 and more");
    }
}
