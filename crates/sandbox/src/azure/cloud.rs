//! Which Azure the sandbox plays: the audiences of its tokens, its regions and the newest version of
//! its network API.

use super::errors::ApiError;
use crate::http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// An Azure with its own endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AzureCloud {
    /// Its address is its audience, and it has the public cloud's regions.
    #[default]
    Public,
    UsGovernment,
    China,
}

/// A location of a sovereign cloud: name, display name, whether it has zones.
pub type Location = (&'static str, &'static str, bool);

/// The version of Microsoft.Network that sovereign clouds serve at least (azurerm uses it in all).
const SOVEREIGN_VERSION: &str = "2025-01-01";
/// Properties that older versions neither return nor accept, with their first version, as far as
/// the models of 2025-01-01 and 2026-03-01 differ.
const NEWER: [(&str, &str); 1] = [("routingConfiguration", "2026-03-01")];

impl AzureCloud {
    /// Its name in `/metadata/endpoints`.
    pub fn name(self) -> &'static str {
        match self {
            AzureCloud::Public => "AzureSandbox",
            AzureCloud::UsGovernment => "AzureUSGovernment",
            AzureCloud::China => "AzureChinaCloud",
        }
    }

    /// The audiences of tokens for Resource Manager; none where the sandbox's address is one.
    pub fn audiences(self) -> &'static [&'static str] {
        match self {
            AzureCloud::Public => &[],
            AzureCloud::UsGovernment => &[
                "https://management.core.usgovcloudapi.net",
                "https://management.usgovcloudapi.net",
            ],
            AzureCloud::China => &[
                "https://management.core.chinacloudapi.cn",
                "https://management.chinacloudapi.cn",
            ],
        }
    }

    /// Whether a token of that audience, or for that scope, is one for Resource Manager here.
    pub(super) fn accepts(self, audience: &str) -> bool {
        let audience = audience.trim_end_matches("/.default").trim_end_matches('/');
        self == AzureCloud::Public || self.audiences().contains(&audience)
    }

    /// The locations of a sovereign cloud.
    pub(super) fn locations(self) -> &'static [Location] {
        match self {
            AzureCloud::Public => &[],
            AzureCloud::UsGovernment => &[
                ("usgovvirginia", "USGov Virginia", true),
                ("usgovtexas", "USGov Texas", false),
            ],
            AzureCloud::China => &[
                ("chinanorth3", "China North 3", true),
                ("chinaeast2", "China East 2", false),
            ],
        }
    }

    /// Refuses a version of Microsoft.Network that the cloud does not serve yet.
    pub(super) fn check_version(self, request: &Request, version: &str) -> Result<(), ApiError> {
        let network = "/providers/microsoft.network/";
        let path = request.path.to_ascii_lowercase();
        let Some((_, rest)) = path.split_once(network) else {
            return Ok(());
        };
        if self == AzureCloud::Public || version <= SOVEREIGN_VERSION {
            return Ok(());
        }
        let kind = rest.split('/').next().unwrap_or_default();
        Err(ApiError::bad(
            "NoRegisteredProviderFound",
            format!(
                "No registered resource provider found for location '' and API version '{version}' for type '{kind}'. The supported \
                 api-versions are '2024-07-01, {SOVEREIGN_VERSION}'."
            ),
        ))
    }
}

impl FromStr for AzureCloud {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "public" => Ok(AzureCloud::Public),
            "usgovernment" => Ok(AzureCloud::UsGovernment),
            "china" => Ok(AzureCloud::China),
            _ => Err(format!("{text:?} is not public, usgovernment or china")),
        }
    }
}

/// Removes what the version of a request does not know from its answer.
pub(super) fn hide_newer(response: &mut Response, version: &str) {
    let hidden: Vec<&str> = NEWER
        .iter()
        .filter(|(_, since)| version < *since)
        .map(|(name, _)| *name)
        .collect();
    let known =
        |body: &[u8], name: &str| body.windows(name.len()).any(|part| part == name.as_bytes());
    if !hidden.iter().any(|name| known(&response.body, name)) {
        return;
    }
    if let Ok(mut document) = serde_json::from_slice::<Value>(&response.body) {
        remove(&mut document, &hidden);
        response.body = document.to_string().into_bytes();
    }
}

fn remove(value: &mut Value, names: &[&str]) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !names.contains(&name.as_str()));
            members
                .values_mut()
                .for_each(|member| remove(member, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, names)),
        _ => {}
    }
}
