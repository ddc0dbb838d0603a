//! Where the provider block is kept between Configure and the operations that need it.

use super::Settings;
use crate::plugin::{AttributePath, Diagnostic};
use std::sync::{Arc, PoisonError, RwLock};

/// The settings of the last Configure. Resources and data sources share one; clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct ProviderData(Arc<RwLock<Option<Arc<Settings>>>>);

/// Why no cloud can be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderDataError {
    #[error("the provider was not configured")]
    NotConfigured,
    /// Credentials come from something that this very run makes.
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
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(ProviderDataError::NotConfigured)
    }

    /// Settings with which both clouds can be asked.
    ///
    /// # Errors
    /// Before the first Configure, and while credentials are unknown, as they may be while planning.
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
    /// The error to show where the operation cannot do without a cloud and the client cannot defer it.
    pub fn diagnostic(&self) -> Diagnostic {
        match self {
            ProviderDataError::NotConfigured => Diagnostic::error("Provider not configured").detail(
                "An operation that needs the clouds came before the provider's configuration. This is a bug in the \
                 client or in this provider.",
            ),
            ProviderDataError::Unknown(paths) => {
                let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
                Diagnostic::error("Provider configuration not known yet").detail(format!(
                    "{} of the provider block depend{} on something that this run has yet to make, and this operation must ask \
                     the clouds now. Apply what the provider block depends on first, with -target, then run again.",
                    names.join(", "),
                    if names.len() == 1 { "s" } else { "" }
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
        assert_eq!(configured.known().unwrap_err(), ProviderDataError::NotConfigured);
        configured.set(Settings { unknown: vec![AttributePath::from("azure.client_id")], ..Settings::default() });
        let refusal = configured.clone().known().unwrap_err();
        assert!(refusal.diagnostic().detail.starts_with("azure.client_id of the provider block depends on"));
        assert!(configured.settings().is_ok());
        configured.set(Settings::default());
        assert!(configured.known().is_ok());
    }
}
