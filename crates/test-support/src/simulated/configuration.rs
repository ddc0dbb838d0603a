//! Random configurations of a link among the networks and gateways of an [`Environment`], each of
//! them valid, and random changes from one to another.

use super::REGION;
use super::environment::{Environment, GROUP, OTHER_REGION};
use super::other_team::TAKEN_SLOT;
use super::scenario_gen::{once_in, pick};
use super::terraform_core::config;
use awsazure_sandbox::rng::Rng;
use bgp_vpn::tunnel::TunnelKey;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use terraform_plugin::Value;

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

/// A configuration in the making.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub azure: AzureEnd,
    pub aws: AwsEnd,
    /// All other attributes by path. Those that depend on each other are one setting.
    pub settings: BTreeMap<&'static str, Vec<(String, Json)>>,
    /// Attributes with values that no cloud accepts, which take the place of the others.
    pub wrong: Vec<(&'static str, Json)>,
    /// Own keys get another version with each change.
    version: u64,
}

/// Names of the settings.
const SETTINGS: [&str; 21] = [
    "name",
    "gateway size",
    "azure asn",
    "aws asn",
    "initiator",
    "azure dpd",
    "aws dpd",
    "lifecycle control",
    "key storage",
    "transit options",
    "logs",
    "route tables",
    "slot",
    "one inside cidr",
    "ordered inside cidrs",
    "policy",
    "keys",
    "behaviour",
    "tags",
    "names",
    "timeouts",
];

impl Draft {
    pub fn random(rng: &mut Rng) -> Draft {
        let (azure, aws) = (azure_end(rng), aws_end(rng));
        let mut draft = Draft {
            azure,
            aws,
            settings: BTreeMap::new(),
            wrong: Vec::new(),
            version: 1,
        };
        for name in SETTINGS {
            if once_in(rng, 4) {
                draft.reroll(rng, name);
            }
        }
        draft
    }

    /// Changes one or two things; says which.
    pub fn change(&mut self, rng: &mut Rng) -> Vec<&'static str> {
        (0..1 + rng.below(2))
            .map(|_| match rng.below(8) {
                0 => {
                    self.azure = azure_end(rng);
                    "azure end"
                }
                1 => {
                    self.aws = aws_end(rng);
                    "aws end"
                }
                2 => {
                    nudge_azure(&mut self.azure, rng);
                    "azure network"
                }
                3 => {
                    nudge_aws(&mut self.aws, rng);
                    "aws network"
                }
                _ => self.change_setting(rng),
            })
            .collect()
    }

    /// Changes something that does not identify the link.
    pub fn change_setting(&mut self, rng: &mut Rng) -> &'static str {
        let name = loop {
            let name = pick(rng, &SETTINGS);
            if !matches!(
                name,
                "slot" | "one inside cidr" | "ordered inside cidrs" | "names" | "name"
            ) || !self.wrong.is_empty()
                || once_in(rng, 2)
            {
                break name;
            }
        };
        self.set(rng, name);
        name
    }

    /// Changes something by which a link is not found.
    pub fn change_harmlessly(&mut self, rng: &mut Rng) -> &'static str {
        let name = pick(
            rng,
            &[
                "initiator",
                "azure dpd",
                "aws dpd",
                "logs",
                "policy",
                "behaviour",
                "tags",
                "timeouts",
            ],
        );
        self.set(rng, name);
        name
    }

    fn set(&mut self, rng: &mut Rng, name: &'static str) {
        if self.settings.contains_key(name) && once_in(rng, 3) {
            self.settings.remove(name);
        } else {
            self.reroll(rng, name);
        }
    }

    fn reroll(&mut self, rng: &mut Rng, name: &'static str) {
        self.version += 1;
        let version = self.version;
        let one = |path: &str, value: Json| vec![(path.to_owned(), value)];
        let value = match name {
            "name" => one("name", json!(pick(rng, &["prod", "second"]))),
            "gateway size" => {
                let (sku, generation) = pick(
                    rng,
                    &[
                        ("VpnGw1AZ", "Generation1"),
                        ("VpnGw2AZ", "Generation1"),
                        ("VpnGw2AZ", "Generation2"),
                        ("VpnGw3AZ", "Generation2"),
                    ],
                );
                vec![
                    ("azure.sku".to_owned(), json!(sku)),
                    ("azure.generation".to_owned(), json!(generation)),
                ]
            }
            "azure asn" => one("azure.asn", json!(pick(rng, &[65_000, 65_010, 65_515]))),
            "aws asn" => one(
                "aws.asn",
                json!(pick(rng, &[64_512_u32, 64_600, 4_200_000_100])),
            ),
            "initiator" => {
                let (mode, startup, action) = pick(
                    rng,
                    &[
                        ("ResponderOnly", "start", "restart"),
                        ("Default", "start", "restart"),
                        ("Default", "add", "clear"),
                        ("InitiatorOnly", "add", "none"),
                    ],
                );
                vec![
                    ("azure.connection_mode".to_owned(), json!(mode)),
                    ("aws.startup_action".to_owned(), json!(startup)),
                    ("aws.dpd_timeout_action".to_owned(), json!(action)),
                ]
            }
            "azure dpd" => one("azure.dpd_timeout_seconds", json!(pick(rng, &[9, 45, 60]))),
            "aws dpd" => one("aws.dpd_timeout_seconds", json!(pick(rng, &[30, 40, 60]))),
            "lifecycle control" => one("aws.tunnel_lifecycle_control", json!(once_in(rng, 2))),
            "key storage" => one(
                "aws.preshared_key_storage",
                json!(pick(rng, &["Standard", "SecretsManager"])),
            ),
            "transit options" => vec![
                ("aws.enable_acceleration".to_owned(), json!(once_in(rng, 2))),
                (
                    "aws.tunnel_bandwidth".to_owned(),
                    json!(pick(rng, &["standard", "large"])),
                ),
            ],
            "logs" => {
                let arn = |name: &str| {
                    json!(format!(
                        "arn:aws:logs:{REGION}:123456789012:log-group:{name}"
                    ))
                };
                let mut all = one("aws.logs.log_group_arn", arn(pick(rng, &["one", "two"])));
                if once_in(rng, 2) {
                    all.push(("aws.logs.bgp_log_group_arn".to_owned(), arn("bgp")));
                    all.push((
                        "aws.logs.bgp_format".to_owned(),
                        json!(pick(rng, &["json", "text"])),
                    ));
                }
                all
            }
            "route tables" => one(
                "aws.route_table_ids",
                json!(pick(rng, &["none", "main", "both"])),
            ),
            "slot" => one("slot", json!(rng.below(TAKEN_SLOT))),
            "one inside cidr" => {
                let key = pick(rng, &TunnelKey::ALL);
                let cidr = format!(
                    "169.254.21.{}/30",
                    160 + 4 * key.index() + 16 * rng.below(2) as usize
                );
                one(&format!("inside_cidrs.{key}"), json!(cidr))
            }
            // From one order to another the tunnels exchange them.
            "ordered inside cidrs" => {
                let shift = rng.below(4) as usize;
                let cidr = |key: TunnelKey| {
                    json!(format!(
                        "169.254.21.{}/30",
                        224 + 4 * ((key.index() + shift) % 4)
                    ))
                };
                TunnelKey::ALL
                    .into_iter()
                    .map(|key| (format!("inside_cidrs.{key}"), cidr(key)))
                    .collect()
            }
            "policy" => match rng.below(4) {
                0 => one("ipsec_policy.preset", json!("compatible")),
                1 => one("ipsec_policy.preset", json!("cloud_default")),
                2 => one("ipsec_policy.dh_group", json!(pick(rng, &[14, 19, 20]))),
                _ => one("ipsec_policy.preset", json!("strong")),
            },
            "keys" if once_in(rng, 2) => one("rotate_keys", json!(format!("rotation {version}"))),
            "keys" => {
                let keys = TunnelKey::ALL.map(|key| {
                    (
                        key.to_string(),
                        json!(format!("own.key.{version}.of_{key}")),
                    )
                });
                let some = keys
                    .into_iter()
                    .filter(|_| !once_in(rng, 4))
                    .collect::<Map<_, _>>();
                vec![
                    ("preshared_keys_wo".to_owned(), some.into()),
                    ("preshared_keys_wo_version".to_owned(), json!(version)),
                ]
            }
            "behaviour" => vec![
                (
                    "on_create_failure".to_owned(),
                    json!(pick(rng, &["keep", "rollback"])),
                ),
                ("wait_for_bgp".to_owned(), json!(!once_in(rng, 3))),
            ],
            "tags" => one(
                "tags",
                pick(
                    rng,
                    &[
                        json!({}),
                        json!({"team": "network"}),
                        json!({"team": "cloud", "cost": "4711"}),
                    ],
                ),
            ),
            "names" => {
                let suffix = pick(rng, &["x", "y"]);
                vec![
                    (
                        "azure.names.gateway".to_owned(),
                        json!(format!("gateway-{suffix}")),
                    ),
                    (
                        "azure.names.public_ip_instance0".to_owned(),
                        json!(format!("address-{suffix}")),
                    ),
                    (
                        "azure.names.connection_instance1_tunnel2".to_owned(),
                        json!(format!("connection-{suffix}")),
                    ),
                    (
                        "aws.names.vpn_connection_instance0".to_owned(),
                        json!(format!("connection {suffix}")),
                    ),
                ]
            }
            _ => one(
                "timeouts",
                json!({"create": pick(rng, &["2h", "3h"]), "delete": "3h"}),
            ),
        };
        self.settings.insert(name, value);
    }

    /// The configuration, with those settings that fit both ends.
    pub fn value(&self, environment: &Environment) -> Value {
        let mut all = json!({"name": "prod"});
        let mut put = |path: &str, value: &Json| {
            let pointer = path.split('.').fold(&mut all, |at, name| &mut at[name]);
            *pointer = value.clone();
        };
        for (path, value) in self
            .azure_parts(environment)
            .into_iter()
            .chain(self.aws_parts(environment))
        {
            put(path, &value);
        }
        let own_azure_gateway = !matches!(self.azure, AzureEnd::Gateway { .. });
        for (name, parts) in &self.settings {
            let fits = match *name {
                "gateway size" | "azure asn" => own_azure_gateway,
                "aws asn" => !matches!(self.aws, AwsEnd::Gateway { .. } | AwsEnd::Transit { .. }),
                // Open fault: during a change of the bandwidth, the first session of an exchange
                // does not come up.
                "ordered inside cidrs" => !matches!(self.aws, AwsEnd::Transit { .. }),
                "transit options" => matches!(self.aws, AwsEnd::Transit { .. }),
                "route tables" => !matches!(self.aws, AwsEnd::Transit { .. }),
                _ => true,
            };
            for (path, value) in parts.iter().filter(|_| fits) {
                match *name {
                    "route tables" => put(path, &self.tables(environment, value)),
                    _ => put(path, value),
                }
            }
        }
        for (path, value) in &self.wrong {
            put(path, value);
        }
        config(&all)
    }

    fn tables(&self, environment: &Environment, which: &Json) -> Json {
        match (&self.aws, which.as_str().unwrap_or_default()) {
            (AwsEnd::Vpc { index }, "main") => json!([environment.vpcs[*index].main_table]),
            (AwsEnd::Vpc { index }, "both") => {
                let vpc = &environment.vpcs[*index];
                json!([vpc.main_table, vpc.other_table])
            }
            // It leaves propagation enabled that the link enabled before: a VPN gateway that
            // remains would keep it.
            (AwsEnd::Gateway { .. }, _) => Json::Null,
            (_, "none") => json!([]),
            _ => Json::Null,
        }
    }

    fn azure_parts(&self, environment: &Environment) -> Vec<(&'static str, Json)> {
        let (group, mut parts) = match &self.azure {
            AzureEnd::Created {
                group,
                network,
                gateway_subnet,
                wide,
                subnets,
            } => {
                let space = if *wide {
                    json!(["10.1.0.0/16", "10.5.0.0/16"])
                } else {
                    json!(["10.1.0.0/16"])
                };
                let subnets = match subnets {
                    0 => Json::Null,
                    1 => json!({"frontend": "10.1.0.0/24"}),
                    2 => json!({"frontend": "10.1.9.0/24"}),
                    _ => json!({"frontend": "10.1.0.0/24", "backend": "10.1.8.0/24"}),
                };
                let network = json!({
                    "name": format!("vnet{network}"), "address_space": space, "subnets": subnets,
                    "gateway_subnet_prefix": format!("10.1.{}.0/24", 1 + gateway_subnet),
                });
                (
                    group,
                    vec![
                        ("azure.virtual_network", network),
                        ("azure.location", json!("westeurope")),
                    ],
                )
            }
            AzureEnd::Network { index, group } => (
                group,
                vec![(
                    "azure.virtual_network_id",
                    json!(environment.networks[*index]),
                )],
            ),
            AzureEnd::Bare { group } => (
                group,
                vec![
                    ("azure.virtual_network_id", json!(environment.bare_network)),
                    ("azure.gateway_subnet_prefix", json!("10.10.1.0/24")),
                ],
            ),
            AzureEnd::Gateway { index, group } => (
                group,
                vec![(
                    "azure.gateway_id",
                    json!(environment.azure_gateways[*index]),
                )],
            ),
        };
        match group {
            None => parts.push(("azure.resource_group_name", json!(GROUP))),
            Some(number) => {
                parts.push((
                    "azure.resource_group_name",
                    json!(format!("created{number}-rg")),
                ));
                parts.push(("azure.create_resource_group", json!(true)));
            }
        }
        parts
    }

    fn aws_parts(&self, environment: &Environment) -> Vec<(&'static str, Json)> {
        match &self.aws {
            AwsEnd::Created {
                range,
                public_subnet,
                far,
            } => {
                let start = format!("10.{}", 2 + range);
                let subnet = public_subnet.map(|number| format!("{start}.{}.0/24", 9 * number));
                let region = if *far { OTHER_REGION } else { REGION };
                let vpc = json!({"cidr_block": format!("{start}.0.0/16"), "public_subnet_cidr_block": subnet});
                vec![("aws.vpc", vpc), ("aws.region", json!(region))]
            }
            AwsEnd::Vpc { index } => {
                vec![
                    ("aws.vpc_id", json!(environment.vpcs[*index].id)),
                    ("aws.region", json!(REGION)),
                ]
            }
            AwsEnd::FarVpc => vec![
                ("aws.vpc_id", json!(environment.far_vpc)),
                ("aws.region", json!(OTHER_REGION)),
            ],
            AwsEnd::Gateway { index } => {
                vec![
                    (
                        "aws.vpn_gateway_id",
                        json!(environment.vpn_gateways[*index]),
                    ),
                    ("aws.region", json!(REGION)),
                ]
            }
            AwsEnd::Transit { index } => {
                let gateway = &environment.transit_gateways[*index];
                vec![
                    ("aws.transit_gateway_id", json!(gateway)),
                    ("aws.region", json!(REGION)),
                ]
            }
        }
    }
}

fn group(rng: &mut Rng) -> Option<u64> {
    once_in(rng, 2).then(|| rng.below(2))
}

fn azure_end(rng: &mut Rng) -> AzureEnd {
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

fn aws_end(rng: &mut Rng) -> AwsEnd {
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
fn nudge_azure(end: &mut AzureEnd, rng: &mut Rng) {
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
fn nudge_aws(end: &mut AwsEnd, rng: &mut Rng) {
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
