//! Roles that are assumed through STS.

use super::settings::{AssumeRole, AssumeRoleWithWebIdentity};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use std::fmt;
use std::time::SystemTime;

const SESSION: &str = "terraform-provider-awsazure";

/// A role that is assumed with other credentials, once for each session.
pub(super) struct Role {
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) role: AssumeRole,
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Role").field(&self.role.role_arn).finish()
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl Role {
    async fn assume(&self) -> provider::Result {
        let role = &self.role;
        let tags = role
            .tags
            .iter()
            .map(|(key, value)| Tag::builder().key(key).value(value).build());
        let tags = tags
            .collect::<Result<Vec<_>, _>>()
            .map_err(CredentialsError::invalid_configuration)?;
        let answer = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(role.session_name.as_deref().unwrap_or(SESSION))
            .set_external_id(role.external_id.clone())
            .set_duration_seconds(
                role.duration
                    .and_then(|time| i32::try_from(time.as_secs()).ok()),
            )
            .set_policy(role.policy.clone())
            .set_policy_arns(arns(&role.policy_arns))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_transitive_tag_keys(
                (!role.transitive_tag_keys.is_empty()).then(|| role.transitive_tag_keys.clone()),
            )
            .set_source_identity(role.source_identity.clone())
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        credentials(answer.credentials, "aws.assume_role")
    }
}

/// A role that is assumed with a token, which is read again for each renewal.
pub(super) struct WebIdentity {
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) identity: AssumeRoleWithWebIdentity,
}

impl fmt::Debug for WebIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.identity.fmt(f)
    }
}

impl ProvideCredentials for WebIdentity {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

impl WebIdentity {
    async fn assume(&self) -> provider::Result {
        let identity = &self.identity;
        let wanting = |what: &str, variable: &str| {
            CredentialsError::invalid_configuration(format!(
                "a web identity needs aws.assume_role_with_web_identity.{what} or {variable}"
            ))
        };
        let role = either(&identity.role_arn, "AWS_ROLE_ARN")
            .ok_or_else(|| wanting("role_arn", "AWS_ROLE_ARN"))?;
        let token = match &identity.web_identity_token {
            Some(token) => token.clone(),
            None => {
                let path = either(
                    &identity.web_identity_token_file,
                    "AWS_WEB_IDENTITY_TOKEN_FILE",
                )
                .ok_or_else(|| wanting("web_identity_token_file", "AWS_WEB_IDENTITY_TOKEN_FILE"))?;
                let token = tokio::fs::read_to_string(&path).await;
                token.map_err(|error| {
                    CredentialsError::invalid_configuration(format!("{path}: {error}"))
                })?
            }
        };
        let session = either(&identity.session_name, "AWS_ROLE_SESSION_NAME");
        let answer = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(role)
            .role_session_name(session.as_deref().unwrap_or(SESSION))
            .web_identity_token(token.trim())
            .set_duration_seconds(
                identity
                    .duration
                    .and_then(|time| i32::try_from(time.as_secs()).ok()),
            )
            .set_policy(identity.policy.clone())
            .set_policy_arns(arns(&identity.policy_arns))
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        credentials(answer.credentials, "aws.assume_role_with_web_identity")
    }
}

fn either(attribute: &Option<String>, variable: &str) -> Option<String> {
    attribute
        .clone()
        .or_else(|| std::env::var(variable).ok())
        .filter(|text| !text.is_empty())
}

fn arns(arns: &[String]) -> Option<Vec<PolicyDescriptorType>> {
    let list = || {
        arns.iter()
            .map(|arn| PolicyDescriptorType::builder().arn(arn).build())
            .collect()
    };
    (!arns.is_empty()).then(list)
}

fn credentials(
    found: Option<aws_sdk_sts::types::Credentials>,
    source: &'static str,
) -> provider::Result {
    let found =
        found.ok_or_else(|| CredentialsError::unhandled("STS answered without credentials"))?;
    let until = SystemTime::try_from(found.expiration)
        .map_err(|_| CredentialsError::unhandled("STS answered with an impossible expiration"))?;
    Ok(Credentials::new(
        found.access_key_id,
        found.secret_access_key,
        Some(found.session_token),
        Some(until),
        source,
    ))
}
