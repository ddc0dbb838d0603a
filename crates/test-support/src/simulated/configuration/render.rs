//! A draft as a Terraform configuration.

use super::Draft;
use super::ends::{AwsEnd, AzureEnd};
use crate::simulated::REGION;
use crate::simulated::environment::{Environment, GROUP, OTHER_REGION};
use crate::simulated::terraform_core::config;
use serde_json::{Value as Json, json};
use terraform_plugin::Value;

impl Draft {
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
                    // EC2 requires log groups in the region of the link.
                    "logs" if self.is_far() => {
                        let text = value.as_str().unwrap_or_default();
                        put(path, &json!(text.replace(REGION, OTHER_REGION)));
                    }
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

    fn is_far(&self) -> bool {
        matches!(self.aws, AwsEnd::FarVpc | AwsEnd::Created { far: true, .. })
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
