//! The `aws` attribute of the provider block: names and meanings of the official provider for AWS.

use super::block_reader::BlockReader;
use crate::aws::credentials::{AssumeRole, AssumeRoleWithWebIdentity, Endpoints, Settings};
use crate::provider::summaries;
use bgp_vpn::validation::is_region;
use std::time::Duration;
use terraform_plugin::{Attribute, Nesting, Type};

/// STS's limits for a role session.
const SHORTEST_SESSION: Duration = Duration::from_secs(15 * 60);
const LONGEST_SESSION: Duration = Duration::from_secs(12 * 3600);

fn text(description: &str) -> Attribute {
    Attribute::string().optional().description(description)
}

fn secret(description: &str) -> Attribute {
    text(description).sensitive()
}

fn flag(description: &str) -> Attribute {
    Attribute::bool().optional().description(description)
}

fn texts(description: &str) -> Attribute {
    Attribute::of(Type::list(Type::String))
        .optional()
        .description(description)
}

fn set_of_texts(description: &str) -> Attribute {
    Attribute::of(Type::set(Type::String))
        .optional()
        .description(description)
}

const SESSION: &str = "Name of the role session.";
const DURATION: &str = "Validity of the credentials of the role, such as `1h30m`; from `15m` to `12h`. They are renewed during a \
     run.";
const POLICY: &str = "IAM policy in JSON that restricts the session further.";
const POLICY_ARNS: &str = "ARNs of IAM policies that restrict the session further.";

pub(super) fn schema() -> Attribute {
    Attribute::nested(
        Nesting::Single,
        [
            ("access_key", text("Access key. Or `AWS_ACCESS_KEY_ID`.")),
            ("secret_key", secret("Secret key. Or `AWS_SECRET_ACCESS_KEY`.")),
            ("token", secret("Session token of temporary credentials. Or `AWS_SESSION_TOKEN`.")),
            (
                "region",
                text(
                    "Region of links without `aws.region`. Or `AWS_REGION`, `AWS_DEFAULT_REGION` or the region of the profile.",
                ),
            ),
            ("profile", text("Profile in the shared files. Or `AWS_PROFILE`.")),
            ("shared_config_files", texts("Shared configuration files. Or `AWS_CONFIG_FILE`. Defaults to `~/.aws/config`.")),
            (
                "shared_credentials_files",
                texts("Shared credentials files. Or `AWS_SHARED_CREDENTIALS_FILE`. Defaults to `~/.aws/credentials`."),
            ),
            ("assume_role", assume_role()),
            ("assume_role_with_web_identity", web_identity()),
            ("endpoints", endpoints()),
            ("use_fips_endpoint", flag("Use FIPS endpoints. Or `AWS_USE_FIPS_ENDPOINT`.")),
            (
                "use_dualstack_endpoint",
                flag("Use dual-stack endpoints (IPv4 and IPv6). Or `AWS_USE_DUALSTACK_ENDPOINT`."),
            ),
            (
                "max_retries",
                Attribute::number().optional().description(
                    "Maximum number of retries of a call. Or `AWS_MAX_ATTEMPTS`. By default, calls are retried until the time limit \
                     of the operation (`timeouts`).",
                ),
            ),
            (
                "custom_ca_bundle",
                text("PEM file with additional certificate authorities. Or `AWS_CA_BUNDLE`. `SSL_CERT_FILE` is also used."),
            ),
            (
                "ec2_metadata_service_endpoint",
                text("URL of the instance metadata service. Or `AWS_EC2_METADATA_SERVICE_ENDPOINT`."),
            ),
            (
                "allowed_account_ids",
                set_of_texts("Allowed account IDs. Any other account is rejected before a resource is created."),
            ),
            (
                "forbidden_account_ids",
                set_of_texts("Forbidden account IDs. Conflicts with `allowed_account_ids`."),
            ),
            ("skip_credentials_validation", flag("Accepted for compatibility; has no effect. Credentials are never validated before use.")),
            (
                "skip_requesting_account_id",
                flag("Accepted for compatibility; has no effect. The account ID is requested only if account IDs are restricted."),
            ),
            ("skip_region_validation", flag("Accept a region whose name does not have the form of an AWS region. Region names are not checked against a list.")),
        ],
    )
    .optional()
    .description(
        "Access to AWS. Attributes, variables and their order are those of the [AWS provider](https://registry.terraform.io/providers/hashicorp/aws/latest/docs); \
         its configuration works unchanged. The first source that has credentials is used: attributes, keys and web identity of the \
         environment, the profile, the role of the container or of the instance ([guide](guides/credentials.md)). The provider contacts no endpoint until a resource needs it.",
    )
}

fn assume_role() -> Attribute {
    Attribute::nested(
        Nesting::List,
        [
            (
                "role_arn",
                Attribute::string()
                    .required()
                    .description("ARN of the role."),
            ),
            ("session_name", text(SESSION)),
            (
                "external_id",
                text("External ID that the trust policy of the role requires."),
            ),
            ("duration", text(DURATION)),
            ("policy", text(POLICY)),
            ("policy_arns", set_of_texts(POLICY_ARNS)),
            (
                "tags",
                Attribute::of(Type::map(Type::String))
                    .optional()
                    .description("Tags of the session."),
            ),
            (
                "transitive_tag_keys",
                set_of_texts("Keys of session tags that are passed to the next role."),
            ),
            (
                "source_identity",
                text("Source identity of the session, for CloudTrail."),
            ),
        ],
    )
    .optional()
    .description("Roles to assume in order, each with the credentials of the previous role.")
}

fn web_identity() -> Attribute {
    Attribute::nested(
        Nesting::Single,
        [
            ("role_arn", text("ARN of the role. Or `AWS_ROLE_ARN`.")),
            ("session_name", text("Name of the role session. Or `AWS_ROLE_SESSION_NAME`.")),
            ("web_identity_token", secret("The token. Conflicts with `web_identity_token_file`.")),
            (
                "web_identity_token_file",
                text("File with the token, which is read for each token request. Or `AWS_WEB_IDENTITY_TOKEN_FILE`."),
            ),
            ("duration", text(DURATION)),
            ("policy", text(POLICY)),
            ("policy_arns", set_of_texts(POLICY_ARNS)),
        ],
    )
    .optional()
    .description("Role to assume with an OpenID Connect token, before the roles in `assume_role`.")
}

fn endpoints() -> Attribute {
    Attribute::nested(
        Nesting::Single,
        [
            (
                "ec2",
                text("URL of EC2. Or `AWS_ENDPOINT_URL_EC2` or `AWS_ENDPOINT_URL`."),
            ),
            (
                "sts",
                text("URL of STS. Or `AWS_ENDPOINT_URL_STS` or `AWS_ENDPOINT_URL`."),
            ),
        ],
    )
    .optional()
    .description("Custom endpoints.")
}

pub(super) fn decode(block: &BlockReader<'_>) -> Settings {
    let settings = Settings {
        access_key: block.text("access_key"),
        secret_key: block.text("secret_key"),
        token: block.text("token"),
        region: block.text("region"),
        profile: block.text("profile"),
        shared_config_files: block.texts("shared_config_files"),
        shared_credentials_files: block.texts("shared_credentials_files"),
        assume_role: block
            .blocks("assume_role")
            .iter()
            .map(decode_role)
            .collect(),
        assume_role_with_web_identity: block
            .block("assume_role_with_web_identity")
            .map(|identity| decode_web_identity(&identity)),
        endpoints: block
            .block("endpoints")
            .map(|endpoints| Endpoints {
                ec2: endpoints.text("ec2"),
                sts: endpoints.text("sts"),
            })
            .unwrap_or_default(),
        use_fips_endpoint: block.flag("use_fips_endpoint"),
        use_dualstack_endpoint: block.flag("use_dualstack_endpoint"),
        max_retries: block.count("max_retries"),
        custom_ca_bundle: block.text("custom_ca_bundle"),
        skip_credentials_validation: block.flag("skip_credentials_validation"),
        skip_requesting_account_id: block.flag("skip_requesting_account_id"),
        skip_region_validation: block.flag("skip_region_validation"),
        ec2_metadata_service_endpoint: block.text("ec2_metadata_service_endpoint"),
        allowed_account_ids: block.texts("allowed_account_ids"),
        forbidden_account_ids: block.texts("forbidden_account_ids"),
    };
    // A custom endpoint may have regions of any name.
    let is_checked =
        settings.endpoints.ec2.is_none() && settings.skip_region_validation != Some(true);
    if let Some(region) = settings
        .region
        .as_ref()
        .filter(|it| is_checked && !is_region(it))
    {
        block.error(
            "region",
            summaries::INVALID_REGION,
            format!("{region:?} is not the name of an AWS region, such as eu-west-1. Correct aws.region of the provider."),
        );
    }
    if !settings.allowed_account_ids.is_empty() && !settings.forbidden_account_ids.is_empty() {
        block.error(
            "forbidden_account_ids",
            summaries::CONFLICTING_ACCOUNT_IDS,
            "aws.allowed_account_ids and aws.forbidden_account_ids are both set. Remove one of them.",
        );
    }
    settings
}

fn decode_role(role: &BlockReader<'_>) -> AssumeRole {
    AssumeRole {
        role_arn: role.text("role_arn").unwrap_or_default(),
        session_name: role.text("session_name"),
        external_id: role.text("external_id"),
        duration: role.duration("duration", SHORTEST_SESSION, LONGEST_SESSION),
        policy: role.text("policy"),
        policy_arns: role.texts("policy_arns"),
        tags: role.tags("tags").unwrap_or_default(),
        transitive_tag_keys: role.texts("transitive_tag_keys"),
        source_identity: role.text("source_identity"),
    }
}

fn decode_web_identity(identity: &BlockReader<'_>) -> AssumeRoleWithWebIdentity {
    let decoded = AssumeRoleWithWebIdentity {
        role_arn: identity.text("role_arn"),
        session_name: identity.text("session_name"),
        web_identity_token: identity.text("web_identity_token"),
        web_identity_token_file: identity.text("web_identity_token_file"),
        duration: identity.duration("duration", SHORTEST_SESSION, LONGEST_SESSION),
        policy: identity.text("policy"),
        policy_arns: identity.texts("policy_arns"),
    };
    if decoded.web_identity_token.is_some() && decoded.web_identity_token_file.is_some() {
        identity.error(
            "web_identity_token_file",
            summaries::CONFLICTING_TOKEN_SOURCES,
            "web_identity_token and web_identity_token_file are both set. Remove one of them.",
        );
    }
    decoded
}
