//! Where a link ends in Azure and in AWS, at random, and one changed part of it.

use crate::simulated::scenario_gen::once_in;
use awsazure_sandbox::rng::Rng;

/// Where the link ends in Azure.
#[derive(Clone, Debug, PartialEq)]
pub enum AzureEnd {
    /// VNet and perhaps the group are created; both names end in the number.
    Created {
        group: Option<u64>,
        network: u64,
        gateway_subnet: u64,
        wide: bool,
        subnets: u64,
    },
    /// An existing VNet with a gateway subnet.
    Network { index: usize, group: Option<u64> },
    /// An existing VNet whose gateway subnet is created.
    Bare { group: Option<u64> },
    /// An existing gateway.
    Gateway { index: usize, group: Option<u64> },
}

/// Where the link ends in AWS.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsEnd {
    /// A VPC is created, with a public subnet if there is a number, in a region.
    Created {
        range: u64,
        public_subnet: Option<u64>,
        far: bool,
    },
    Vpc {
        index: usize,
    },
    FarVpc,
    Gateway {
        index: usize,
    },
    Transit {
        index: usize,
    },
}

pub(super) fn group(rng: &mut Rng) -> Option<u64> {
    once_in(rng, 2).then(|| rng.below(2))
}

pub(super) fn azure_end(rng: &mut Rng) -> AzureEnd {
    match rng.below(6) {
        0..=2 => AzureEnd::Created {
            group: group(rng),
            network: rng.below(2),
            gateway_subnet: 0,
            wide: once_in(rng, 4),
            subnets: rng.below(3),
        },
        3 => AzureEnd::Network {
            index: rng.below(2) as usize,
            group: group(rng),
        },
        4 => AzureEnd::Bare { group: group(rng) },
        _ => AzureEnd::Gateway {
            index: rng.below(2) as usize,
            group: group(rng),
        },
    }
}

pub(super) fn aws_end(rng: &mut Rng) -> AwsEnd {
    match rng.below(8) {
        0..=2 => AwsEnd::Created {
            range: rng.below(2),
            public_subnet: once_in(rng, 2).then(|| rng.below(2)),
            far: once_in(rng, 5),
        },
        3 | 4 => AwsEnd::Vpc {
            index: rng.below(2) as usize,
        },
        5 if once_in(rng, 2) => AwsEnd::FarVpc,
        5 | 6 => AwsEnd::Gateway {
            index: rng.below(2) as usize,
        },
        _ => AwsEnd::Transit {
            index: rng.below(2) as usize,
        },
    }
}

/// One part of the end in Azure.
pub(super) fn nudge_azure(end: &mut AzureEnd, rng: &mut Rng) {
    let choice = rng.below(5);
    match end {
        AzureEnd::Created {
            group: at,
            network,
            gateway_subnet,
            wide,
            subnets,
        } => match choice {
            0 => *at = group(rng),
            1 => *network = 1 - *network,
            2 => *gateway_subnet = 1 - *gateway_subnet,
            3 => *wide = !*wide,
            _ => *subnets = rng.below(4),
        },
        AzureEnd::Network { index, group: at } | AzureEnd::Gateway { index, group: at } => {
            match choice {
                0 | 1 => *at = group(rng),
                _ => *index = 1 - *index,
            }
        }
        AzureEnd::Bare { group: at } => *at = group(rng),
    }
}

/// One part of the end in AWS.
pub(super) fn nudge_aws(end: &mut AwsEnd, rng: &mut Rng) {
    match end {
        AwsEnd::Created {
            range,
            public_subnet,
            far,
        } => match rng.below(4) {
            0 => *range = 1 - *range,
            1 => *far = !*far,
            _ => {
                *public_subnet = once_in(rng, 3)
                    .then_some(())
                    .map_or(Some(rng.below(2)), |()| None)
            }
        },
        AwsEnd::Vpc { index } | AwsEnd::Gateway { index } | AwsEnd::Transit { index } => {
            *index = 1 - *index
        }
        AwsEnd::FarVpc => *end = AwsEnd::Vpc { index: 0 },
    }
}
