//! Random values of the attributes that do not say where a link ends.

use super::Draft;
use crate::simulated::REGION;
use crate::simulated::other_team::TAKEN_SLOT;
use crate::simulated::scenario_gen::{once_in, pick};
use awsazure_sandbox::rng::Rng;
use bgp_vpn::tunnel::TunnelKey;
use serde_json::{Map, Value as Json, json};

/// Names of the settings.
pub(super) const SETTINGS: [&str; 21] = [
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
    pub(super) fn reroll(&mut self, rng: &mut Rng, name: &'static str) {
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
            "transit options" => {
                let accelerated = once_in(rng, 2);
                if accelerated {
                    self.accelerated = true;
                    self.settings
                        .insert("policy", one("ipsec_policy.preset", json!("compatible")));
                }
                vec![
                    ("aws.enable_acceleration".to_owned(), json!(accelerated)),
                    (
                        "aws.tunnel_bandwidth".to_owned(),
                        json!(pick(rng, &["standard", "large"])),
                    ),
                ]
            }
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
                1 if !self.accelerated => one("ipsec_policy.preset", json!("cloud_default")),
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
}
