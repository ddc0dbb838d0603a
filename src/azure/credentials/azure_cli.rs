//! Tokens of `az login`.
//!
//! azurerm names the subscription where it knows one, because `az` may be logged in with several
//! accounts of one tenant. `az` accepts a subscription or a tenant, not both (azure-cli issue 32755). It
//! rejects a tenant for managed identities and in Cloud Shell, until 2025-07 even the current one
//! (azure-cli pull request 31869).

use super::select::CredentialError;
use super::token_endpoint::fault;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use serde_json::Value;
use std::ffi::OsString;
use std::process::{Output, Stdio};
use tokio::process::Command;

/// The program; a test has another one.
const PROGRAM: &str = "az";

/// Runs `az` for each token; the bearer policy above it keeps them.
#[derive(Debug)]
pub(super) struct AzureCli {
    program: OsString,
    tenant_id: Option<String>,
    subscription_id: Option<String>,
}

impl AzureCli {
    /// # Errors
    /// `Unusable` for an ID with characters that an ID does not contain.
    pub(super) fn new(
        tenant_id: Option<String>,
        subscription_id: Option<String>,
    ) -> Result<Self, CredentialError> {
        let check = |attribute: &'static str, id: &Option<String>, more: &str| match id {
            Some(id) if !is_id(id, more) => Err(CredentialError::Unusable {
                attribute,
                reason: format!("{id:?} contains characters that are not allowed"),
            }),
            _ => Ok(()),
        };
        check("tenant_id", &tenant_id, ".-")?;
        check("subscription_id", &subscription_id, " ._-")?;
        Ok(AzureCli {
            program: PROGRAM.into(),
            tenant_id,
            subscription_id,
        })
    }

    /// The account of the token: the subscription, else the tenant where `az` accepts one.
    async fn account(&self) -> azure_core::Result<Option<String>> {
        if let Some(subscription) = &self.subscription_id {
            return Ok(Some(format!("--subscription={subscription}")));
        }
        let Some(tenant) = &self.tenant_id else {
            return Ok(None);
        };
        let shown = self.run(&["account", "show", "--output=json"]).await?;
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
        Ok((!rejects_tenant(&shown)).then(|| format!("--tenant={tenant}")))
    }

    async fn run(&self, arguments: &[&str]) -> azure_core::Result<Output> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        // az is written in Python and loads extensions: it gets no credentials of the other cloud.
        std::env::vars_os()
            .filter(|(name, _)| name.to_string_lossy().starts_with("AWS_"))
            .for_each(|(name, _)| {
                command.env_remove(name);
            });
        let output = command.output().await.map_err(|error| {
            fault(format!(
                "the Azure CLI (az) cannot be started: {error}. Install it and run az login, or configure another \
                 method"
            ))
        })?;
        if output.status.success() {
            return Ok(output);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(fault(format!(
            "az {} failed: {}",
            arguments
                .iter()
                .take(2)
                .copied()
                .collect::<Vec<_>>()
                .join(" "),
            said.trim()
        )))
    }
}

/// Whether the account is one for which `az` decides on the tenant: a managed identity, or the user
/// of Cloud Shell.
fn rejects_tenant(account: &Value) -> bool {
    let user = account.get("user").unwrap_or(&Value::Null);
    let text = |key: &str| user.get(key).and_then(Value::as_str).unwrap_or_default();
    let identity = ["systemAssignedIdentity", "userAssignedIdentity"];
    user.get("cloudShellID").and_then(Value::as_bool) == Some(true)
        || text("assignedIdentityInfo").starts_with("MSI")
        || (text("type") == "servicePrincipal" && identity.contains(&text("name")))
}

fn is_id(text: &str, more: &str) -> bool {
    !text.starts_with('-')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

#[async_trait::async_trait]
impl TokenCredential for AzureCli {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let scope = format!("--scope={}", scopes.first().copied().unwrap_or_default());
        let account = self.account().await?;
        let mut arguments = vec!["account", "get-access-token", "--output=json", &scope];
        arguments.extend(account.as_deref());
        let output = self.run(&arguments).await?;
        // Nothing of the output is quoted: it contains the token.
        let answer: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| fault("the output of az is not JSON".to_owned()))?;
        let token = answer.get("accessToken").and_then(Value::as_str);
        let expires = answer.get("expires_on").and_then(Value::as_i64);
        let expires = expires.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        match (token, expires) {
            (Some(token), Some(expires)) => Ok(AccessToken::new(token.to_owned(), expires)),
            _ => Err(fault(
                "the output of az lacks accessToken or expires_on. Update the Azure CLI to 2.54 or later"
                    .to_owned(),
            )),
        }
    }
}

#[cfg(test)]
#[path = "azure_cli_tests.rs"]
mod tests;
