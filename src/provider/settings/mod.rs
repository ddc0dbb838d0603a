//! The provider block: credentials for both clouds, under the official providers' names, and tags
//! for everything.

mod aws;
mod azure;
mod block_reader;
mod provider_data;

pub use provider_data::{ProviderData, ProviderDataError};

use crate::azure::credentials::CredentialSettings;
use bgp_vpn::types::Tags;
use block_reader::{BlockReader, ReadNotes};
use terraform_plugin::{Attribute, AttributePath, Diagnostics, Schema, Type, Value};

/// The provider block as plain data. The environment has not been looked at: the client of each cloud does
/// that.
#[derive(Clone, Debug)]
pub struct Settings {
    pub aws: crate::aws::Settings,
    pub azure: CredentialSettings,
    /// Tags of every object that takes tags; those of the resource go first. None while they are
    /// not known.
    pub default_tags: Option<Tags>,
    /// Whether plans that create objects check quotas, locks, policies and permissions.
    pub preflight: bool,
    /// Attributes of `aws` and `azure` that are not known yet: as long as there are any, no cloud
    /// can be asked.
    pub unknown: Vec<AttributePath>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            aws: crate::aws::Settings::default(),
            azure: CredentialSettings::default(),
            default_tags: None,
            preflight: true,
            unknown: Vec::new(),
        }
    }
}

/// The provider block's schema.
pub fn schema() -> Schema {
    Schema::new(0)
        .description(
            "Manages BGP-enabled, active-active VPNs between Azure and AWS. One resource contains both sides and all four tunnels \
             of a link.",
        )
        .attribute("aws", aws::schema())
        .attribute("azure", azure::schema())
        .attribute(
            "default_tags",
            Attribute::of(Type::map(Type::String)).optional().description(
                "Tags of every object in both clouds. `tags` of the resource overrides them for the same key.",
            ),
        )
        .attribute(
            "preflight",
            Attribute::of(Type::Bool).optional().description(
                "Whether a plan that creates or moves a link checks beforehand what the account and the subscription allow: quotas, \
                 locks, Azure policies, the registration of Microsoft.Network, and permissions. The checks only read. Default: `true`.",
            ),
        )
}

/// Reads the provider block, with what is wrong in it.
pub fn decode(config: &Value) -> (Settings, Diagnostics) {
    let clients = ReadNotes::default();
    let rest = ReadNotes::default();
    let block = BlockReader::root(config, &clients);
    let settings = Settings {
        aws: block
            .block("aws")
            .map(|block| aws::decode(&block))
            .unwrap_or_default(),
        azure: block
            .block("azure")
            .map(|block| azure::decode(&block))
            .unwrap_or_default(),
        default_tags: BlockReader::root(config, &rest).tags("default_tags"),
        preflight: BlockReader::root(config, &rest)
            .flag("preflight")
            .unwrap_or(true),
        unknown: clients.unknown.into_inner(),
    };
    let mut violations = clients.faults.into_inner();
    violations.append(rest.faults.into_inner());
    (settings, violations)
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )]
    use super::*;
    use std::time::Duration;
    use terraform_plugin::AttributeKind;

    #[test]
    fn read_credentials_by_official_names() {
        let role = |arn: &str| Value::object([("role_arn", arn), ("duration", "1h")]);
        let config = Value::object([
            (
                "aws",
                Value::object([
                    ("region", Value::from("eu-west-1")),
                    ("assume_role", Value::list([role("arn:a"), role("arn:b")])),
                    ("max_retries", Value::from(3_u8)),
                    ("endpoints", Value::object([("ec2", "https://127.0.0.1:1")])),
                    ("profile", Value::from("")),
                ]),
            ),
            (
                "azure",
                Value::object([
                    ("client_id", Value::from("c")),
                    ("use_oidc", Value::from(true)),
                ]),
            ),
            ("default_tags", Value::map([("team", "net")])),
        ]);
        let (settings, violations) = decode(&config);
        assert!(violations.is_empty() && settings.unknown.is_empty());
        assert_eq!(settings.aws.region.as_deref(), Some("eu-west-1"));
        let chain: Vec<_> = settings
            .aws
            .assume_role
            .iter()
            .map(|r| (r.role_arn.as_str(), r.duration))
            .collect();
        assert_eq!(
            chain,
            [
                ("arn:a", Some(Duration::from_secs(3600))),
                ("arn:b", Some(Duration::from_secs(3600)))
            ]
        );
        assert_eq!(
            settings.aws.endpoints.ec2.as_deref(),
            Some("https://127.0.0.1:1")
        );
        assert_eq!(
            (settings.aws.max_retries, settings.aws.profile),
            (Some(3), None)
        );
        assert_eq!(
            (settings.azure.client_id.as_deref(), settings.azure.use_oidc),
            (Some("c"), Some(true))
        );
        assert_eq!(settings.default_tags.unwrap()["team"], "net");
    }

    #[test]
    fn name_unknown_settings_except_tags() {
        let config = Value::object([
            (
                "aws",
                Value::object([(
                    "assume_role",
                    Value::list([Value::object([("role_arn", Value::unknown())])]),
                )]),
            ),
            ("azure", Value::unknown()),
            ("default_tags", Value::unknown()),
        ]);
        let (settings, _) = decode(&config);
        let named: Vec<String> = settings.unknown.iter().map(ToString::to_string).collect();
        assert_eq!(named, ["aws.assume_role[0].role_arn", "azure"]);
        assert_eq!(settings.default_tags, None);
    }

    #[test]
    fn reject_invalid_settings_at_attribute() {
        let config = Value::object([(
            "aws",
            Value::object([
                ("allowed_account_ids", Value::set_of(["1"])),
                ("forbidden_account_ids", Value::set_of(["2"])),
                ("max_retries", Value::from(-1)),
                (
                    "assume_role",
                    Value::list([Value::object([("role_arn", "arn:a"), ("duration", "10m")])]),
                ),
            ]),
        )]);
        let at: Vec<String> = decode(&config)
            .1
            .iter()
            .map(|d| d.path.clone().unwrap().to_string())
            .collect();
        assert_eq!(
            at,
            [
                "aws.assume_role[0].duration",
                "aws.max_retries",
                "aws.forbidden_account_ids"
            ]
        );
    }

    #[test]
    fn reject_default_tags_invalid_in_a_cloud() {
        let at = |key: &str, value: &str| {
            let config = Value::object([("default_tags", Value::map([(key, value)]))]);
            decode(&config)
                .1
                .iter()
                .map(|d| d.path.clone().unwrap().to_string())
                .collect::<Vec<_>>()
        };
        assert!(at("team", "net").is_empty());
        assert_eq!(at("aws:team", "net"), ["default_tags[\"aws:team\"]"]);
        assert_eq!(at("team", "a\u{1b}b"), ["default_tags[\"team\"]"]);
        assert_eq!(
            at("awsazure:link", "x"),
            ["default_tags[\"awsazure:link\"]"]
        );
    }

    /// Every secret in the block, and nothing else, is sensitive; everything says what it is for.
    #[test]
    fn settings_are_described_and_secrets_sensitive() {
        fn walk(name: &str, attribute: &Attribute, secrets: &mut Vec<String>) {
            assert!(
                !attribute.description.is_empty(),
                "{name} has no description"
            );
            if attribute.sensitive {
                secrets.push(name.to_owned());
            }
            if let AttributeKind::Nested(nested) = &attribute.kind {
                nested
                    .attributes
                    .iter()
                    .for_each(|(name, attribute)| walk(name, attribute, secrets));
            }
        }
        let mut secrets = Vec::new();
        schema()
            .attributes
            .iter()
            .for_each(|(name, attribute)| walk(name, attribute, &mut secrets));
        let expected = [
            "web_identity_token",
            "secret_key",
            "token",
            "client_certificate",
            "client_certificate_password",
            "client_secret",
            "oidc_request_token",
            "oidc_token",
        ];
        assert_eq!(secrets, expected);
    }
}
