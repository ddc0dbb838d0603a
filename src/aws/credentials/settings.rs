//! The provider's `aws` block as plain data: attribute names and meanings are those of the official
//! provider for AWS.
//!
//! What is not set here comes from the next source of the order in `sources`.

use super::shared_files::profiles;
use bgp_vpn::types::Tags;
use std::fmt;
use std::time::Duration;

/// The `aws` block. Everything is optional; nothing is read or contacted until a resource needs it.
#[derive(Clone, Default)]
pub struct Settings {
    /// `AWS_ACCESS_KEY_ID`
    pub access_key: Option<String>,
    /// `AWS_SECRET_ACCESS_KEY`
    pub secret_key: Option<String>,
    /// `AWS_SESSION_TOKEN`
    pub token: Option<String>,
    /// `AWS_REGION`, `AWS_DEFAULT_REGION`
    pub region: Option<String>,
    /// `AWS_PROFILE`
    pub profile: Option<String>,
    /// `AWS_CONFIG_FILE`
    pub shared_config_files: Vec<String>,
    /// `AWS_SHARED_CREDENTIALS_FILE`
    pub shared_credentials_files: Vec<String>,
    /// Roles to take on one after the other, each with the credentials of the one before.
    pub assume_role: Vec<AssumeRole>,
    pub assume_role_with_web_identity: Option<AssumeRoleWithWebIdentity>,
    pub endpoints: Endpoints,
    pub use_fips_endpoint: Option<bool>,
    pub use_dualstack_endpoint: Option<bool>,
    /// Attempts a call may take at most; unset: until its time is over.
    pub max_retries: Option<u32>,
    /// `AWS_CA_BUNDLE`: a PEM file of further certificate authorities.
    pub custom_ca_bundle: Option<String>,
    /// Accepted; credentials are never checked before their first use.
    pub skip_credentials_validation: Option<bool>,
    /// Accepted; the account is asked for only where account ids are restricted.
    pub skip_requesting_account_id: Option<bool>,
    /// Accept names that do not have the form of a region. There is no list of regions.
    pub skip_region_validation: Option<bool>,
    /// `AWS_EC2_METADATA_SERVICE_ENDPOINT`
    pub ec2_metadata_service_endpoint: Option<String>,
    /// Accounts that may be worked on; empty: all. Checked at first use.
    pub allowed_account_ids: Vec<String>,
    /// Accounts that must not be worked on. Checked at first use.
    pub forbidden_account_ids: Vec<String>,
}

/// One `assume_role` block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssumeRole {
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration: Option<Duration>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
    pub tags: Tags,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
}

/// The `assume_role_with_web_identity` block: token or file; the file is read each time.
#[derive(Clone, Default)]
pub struct AssumeRoleWithWebIdentity {
    /// `AWS_ROLE_ARN`
    pub role_arn: Option<String>,
    /// `AWS_ROLE_SESSION_NAME`
    pub session_name: Option<String>,
    pub web_identity_token: Option<String>,
    /// `AWS_WEB_IDENTITY_TOKEN_FILE`
    pub web_identity_token_file: Option<String>,
    pub duration: Option<Duration>,
    pub policy: Option<String>,
    pub policy_arns: Vec<String>,
}

/// Other addresses than AWS's own. Unset: `AWS_ENDPOINT_URL_EC2`, `AWS_ENDPOINT_URL_STS`,
/// `AWS_ENDPOINT_URL`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub ec2: Option<String>,
    pub sts: Option<String>,
}

impl Settings {
    /// The region of the block, the environment or the profile, in this order.
    pub async fn default_region(&self) -> Option<String> {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        let named = self.region.clone();
        let named = named
            .or_else(|| variable("AWS_REGION"))
            .or_else(|| variable("AWS_DEFAULT_REGION"));
        if named.is_some() {
            return named;
        }
        let name = self.profile_name().unwrap_or_else(|| "default".to_owned());
        let profiles = profiles(self).await?;
        profiles
            .get_profile(&name)?
            .get("region")
            .map(str::to_owned)
    }

    /// The profile that the block or the environment names.
    pub(in crate::aws) fn profile_name(&self) -> Option<String> {
        let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
        self.profile
            .clone()
            .or_else(|| variable("AWS_PROFILE"))
            .or_else(|| variable("AWS_DEFAULT_PROFILE"))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AssumeRoleWithWebIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssumeRoleWithWebIdentity")
            .field("role_arn", &self.role_arn)
            .finish_non_exhaustive()
    }
}
