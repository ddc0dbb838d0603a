//! The attributes of azurerm's provider block that say who one is and where, and their environment
//! variables.

use std::fmt;
use zeroize::Zeroizing;

/// A secret text: wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    pub fn new(text: impl Into<String>) -> Self {
        SecretString(Zeroizing::new(text.into()))
    }

    /// The secret itself, for a request and nothing else.
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(..)")
    }
}

/// A value, or the file that holds it and is read when it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueSource {
    Value(SecretString),
    File(String),
}

/// Declares the settings with, for each, the variables that stand in for it, first match first.
macro_rules! settings {
    (texts { $($text:ident: [$($text_var:literal),+]),+ $(,)? } flags { $($flag:ident: [$($flag_var:literal),+]),+ $(,)? }) => {
        /// azurerm's attributes by their own names; all optional. An empty text is as good as none.
        #[derive(Clone, Default, PartialEq, Eq)]
        pub struct CredentialSettings {
            $(#[doc = concat!("Or one of ", $("`", $text_var, "` ",)+ "in the environment.")] pub $text: Option<String>,)+
            $(#[doc = concat!("Or one of ", $("`", $flag_var, "` ",)+ "in the environment.")] pub $flag: Option<bool>,)+
        }

        impl CredentialSettings {
            /// Fills what is not set from the environment.
            #[must_use]
            pub fn filled_from(mut self, lookup: &dyn Fn(&str) -> Option<String>) -> Self {
                let find = |names: &[&str]| names.iter().find_map(|name| lookup(name).filter(|v| !v.is_empty()));
                $(self.$text = self.$text.filter(|v| !v.is_empty()).or_else(|| find(&[$($text_var),+]));)+
                $(self.$flag = self.$flag.or_else(|| find(&[$($flag_var),+]).and_then(|v| truth(&v)));)+
                self
            }

            /// The value of a text attribute; an empty one is as good as none.
            pub(super) fn text(&self, attribute: &str) -> Option<&str> {
                let value = match attribute {
                    $(stringify!($text) => self.$text.as_deref(),)+
                    _ => None,
                };
                value.filter(|value| !value.is_empty())
            }

            /// The attribute with its first variable, for messages: `client_id (ARM_CLIENT_ID)`.
            pub(super) fn named(attribute: &str) -> String {
                let variable = match attribute {
                    $(stringify!($text) => [$($text_var),+].first().copied(),)+
                    $(stringify!($flag) => [$($flag_var),+].first().copied(),)+
                    _ => None,
                };
                variable.map_or_else(|| attribute.to_owned(), |variable| format!("{attribute} ({variable})"))
            }
        }
    };
}

settings! {
    texts {
        subscription_id: ["ARM_SUBSCRIPTION_ID"],
        tenant_id: ["ARM_TENANT_ID"],
        client_id: ["ARM_CLIENT_ID"],
        client_id_file_path: ["ARM_CLIENT_ID_FILE_PATH"],
        client_secret: ["ARM_CLIENT_SECRET"],
        client_secret_file_path: ["ARM_CLIENT_SECRET_FILE_PATH"],
        client_certificate: ["ARM_CLIENT_CERTIFICATE"],
        client_certificate_path: ["ARM_CLIENT_CERTIFICATE_PATH"],
        client_certificate_password: ["ARM_CLIENT_CERTIFICATE_PASSWORD"],
        oidc_token: ["ARM_OIDC_TOKEN"],
        oidc_token_file_path: ["ARM_OIDC_TOKEN_FILE_PATH"],
        oidc_request_url: ["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"],
        oidc_request_token: ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"],
        ado_pipeline_service_connection_id: [
            "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
            "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
            "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"
        ],
        msi_endpoint: ["ARM_MSI_ENDPOINT"],
        msi_api_version: ["ARM_MSI_API_VERSION"],
        environment: ["ARM_ENVIRONMENT"],
        metadata_host: ["ARM_METADATA_HOSTNAME"],
    }
    flags {
        use_oidc: ["ARM_USE_OIDC"],
        use_msi: ["ARM_USE_MSI"],
        use_cli: ["ARM_USE_CLI"],
        use_aks_workload_identity: ["ARM_USE_AKS_WORKLOAD_IDENTITY"],
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "t" | "true" => Some(true),
        "0" | "f" | "false" => Some(false),
        _ => None,
    }
}

impl CredentialSettings {
    /// The settings that the environment alone gives. With `use_aks_workload_identity` the
    /// cluster's `AZURE_*` variables count too.
    pub fn from_env(lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        CredentialSettings::default().with_env(lookup)
    }

    /// These settings, completed from the environment; what is set here wins.
    #[must_use]
    pub fn with_env(self, lookup: &dyn Fn(&str) -> Option<String>) -> Self {
        let mut all = self.filled_from(lookup);
        if all.use_aks_workload_identity == Some(true) {
            let find = |name: &str| lookup(name).filter(|v| !v.is_empty());
            all.client_id = all.client_id.or_else(|| find("AZURE_CLIENT_ID"));
            all.tenant_id = all.tenant_id.or_else(|| find("AZURE_TENANT_ID"));
            all.oidc_token_file_path = all
                .oidc_token_file_path
                .or_else(|| find("AZURE_FEDERATED_TOKEN_FILE"));
        }
        all
    }
}

/// Shows who and where, never a secret.
impl fmt::Debug for CredentialSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialSettings")
            .field("subscription_id", &self.subscription_id)
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .field("environment", &self.environment)
            .field("metadata_host", &self.metadata_host)
            .finish_non_exhaustive()
    }
}
