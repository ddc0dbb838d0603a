//! Where the provider block is kept between Configure and the operations that need it.

use super::Settings;
use crate::provider::summaries;
use std::sync::{Arc, PoisonError, RwLock};
use terraform_plugin::{AttributePath, Diagnostic};

/// The settings of the last Configure. Resources and data sources share one; clones are the same
/// place.
#[derive(Clone, Debug, Default)]
pub struct ProviderData(Arc<RwLock<Option<Arc<Settings>>>>);

/// Why no cloud can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderDataError {
    #[error("the provider was not configured")]
    NotConfigured,
    /// Credentials depend on objects that this run creates.
    #[error("the provider's configuration is not known yet: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    Unknown(Vec<AttributePath>),
}

impl ProviderData {
    pub fn set(&self, settings: Settings) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(settings));
    }

    /// The settings, known or not: for what needs no cloud, such as default tags.
    ///
    /// # Errors
    /// Before the first Configure.
    pub fn settings(&self) -> Result<Arc<Settings>, ProviderDataError> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(ProviderDataError::NotConfigured)
    }

    /// Settings with which both clouds can be asked.
    ///
    /// # Errors
    /// Before the first Configure, and while credentials are unknown, as they may be while
    /// planning.
    pub fn known(&self) -> Result<Arc<Settings>, ProviderDataError> {
        let settings = self.settings()?;
        if settings.unknown.is_empty() {
            Ok(settings)
        } else {
            Err(ProviderDataError::Unknown(settings.unknown.clone()))
        }
    }
}

impl ProviderDataError {
    /// The error where the operation needs a cloud and the client does not support deferral.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            ProviderDataError::NotConfigured => Diagnostic::error(summaries::MISSING_PROVIDER_CONFIGURATION).detail(
                "Terraform called an operation before it configured the provider. This is a bug in Terraform or in the provider. \
                 Report it.",
            ),
            ProviderDataError::Unknown(paths) => {
                let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
                Diagnostic::error(summaries::UNKNOWN_PROVIDER_CONFIGURATION).detail(format!(
                    "The provider block uses values that are not known before the apply: {}. This operation must read the clouds now. \
                     Apply the resources that the provider block depends on first (terraform apply -target=ADDRESS), then run again.",
                    names.join(", "),
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn unknown_settings_defer_cloud_calls() {
        let configured = ProviderData::default();
        assert_eq!(
            configured.known().unwrap_err(),
            ProviderDataError::NotConfigured
        );
        configured.set(Settings {
            unknown: vec![AttributePath::from("azure.client_id")],
            ..Settings::default()
        });
        let refusal = configured.clone().known().unwrap_err();
        assert!(refusal.diagnostic().detail.contains("azure.client_id"));
        assert!(configured.settings().is_ok());
        configured.set(Settings::default());
        assert!(configured.known().is_ok());
    }
}
