//! The endpoints of the public and the sovereign Azure clouds, and those that a metadata host
//! returns.

use serde_json::Value;

/// Endpoints of one Azure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// Base of the token endpoint, without a tenant.
    pub authority: String,
    /// Base of the resource manager, without a trailing slash.
    pub resource_manager: String,
    /// Token scope of the resource manager.
    pub scope: String,
}

/// Where the endpoints come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CloudSource {
    Known(Cloud),
    /// Host, with a port perhaps, that is asked at first use.
    MetadataHost(String),
}

/// The endpoints cannot be determined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloudConfigError {
    #[error("environment {0:?} is not known: expected public, usgovernment or china")]
    UnknownEnvironment(String),
    #[error("the metadata host's answer has no usable {0}")]
    Metadata(&'static str),
}

fn known(authority: &str, host: &str) -> Cloud {
    let resource_manager = format!("https://{host}");
    Cloud {
        authority: format!("https://{authority}"),
        scope: format!("{resource_manager}/.default"),
        resource_manager,
    }
}

/// The cloud of azurerm's `environment`; a metadata host goes first.
///
/// # Errors
/// Where the environment's name is not known.
pub fn source(
    environment: Option<&str>,
    metadata_host: Option<&str>,
) -> Result<CloudSource, CloudConfigError> {
    if let Some(host) = metadata_host.filter(|host| !host.is_empty()) {
        return Ok(CloudSource::MetadataHost(host.to_owned()));
    }
    let name = environment.unwrap_or("public");
    let cloud = match name.to_ascii_lowercase().as_str() {
        "" | "public" | "global" | "azurepubliccloud" | "azurecloud" => {
            known("login.microsoftonline.com", "management.azure.com")
        }
        "usgovernment"
        | "usgov"
        | "azureusgovernment"
        | "azureusgovernmentcloud"
        | "usgovernmentl4"
        | "usgovernmentl5" => known("login.microsoftonline.us", "management.usgovcloudapi.net"),
        "china" | "azurechinacloud" | "azurechina" => {
            known("login.chinacloudapi.cn", "management.chinacloudapi.cn")
        }
        _ => return Err(CloudConfigError::UnknownEnvironment(name.to_owned())),
    };
    Ok(CloudSource::Known(cloud))
}

/// URL of the endpoints at a metadata host. The request has no token.
pub fn metadata_url(host: &str) -> String {
    let host = host.trim_start_matches("https://").trim_end_matches('/');
    format!("https://{host}/metadata/endpoints?api-version=2022-09-01")
}

/// Reads the metadata document: one object since 2022-09-01.
///
/// # Errors
/// Where an endpoint is missing or not https: no token goes over anything else.
pub fn parse_metadata(doc: &Value) -> Result<Cloud, CloudConfigError> {
    let text = |path: &str, name: &'static str| {
        let text = doc
            .pointer(path)
            .and_then(Value::as_str)
            .map(|v| v.trim_end_matches('/').to_owned());
        text.filter(|v| v.starts_with("https://"))
            .ok_or(CloudConfigError::Metadata(name))
    };
    Ok(Cloud {
        authority: text(
            "/authentication/loginEndpoint",
            "authentication.loginEndpoint",
        )?,
        resource_manager: text("/resourceManager", "resourceManager")?,
        scope: text("/authentication/audiences/0", "authentication.audiences")? + "/.default",
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn use_authority_and_scope_of_each_cloud() {
        let CloudSource::Known(us) = source(Some("usgovernment"), None).unwrap() else {
            unreachable!()
        };
        assert_eq!(us.authority, "https://login.microsoftonline.us");
        assert_eq!(us.scope, "https://management.usgovcloudapi.net/.default");
        let CloudSource::Known(china) = source(Some("china"), None).unwrap() else {
            unreachable!()
        };
        assert_eq!(china.authority, "https://login.chinacloudapi.cn");
        assert_eq!(china.scope, "https://management.chinacloudapi.cn/.default");
        assert!(source(Some("germany"), None).is_err());
        assert_eq!(
            source(None, Some("h:1")),
            Ok(CloudSource::MetadataHost("h:1".into()))
        );
    }

    #[test]
    fn accept_metadata_port_and_reject_plain_http() {
        let doc = |scheme: &str| {
            json!({"name": "x", "resourceManager": format!("{scheme}://127.0.0.1:8443/"), "authentication": {
                "loginEndpoint": "https://127.0.0.1:8443", "audiences": ["https://management.azure.com/", "x"]}})
        };
        let cloud = parse_metadata(&doc("https")).unwrap();
        assert_eq!(cloud.resource_manager, "https://127.0.0.1:8443");
        assert_eq!(cloud.scope, "https://management.azure.com/.default");
        assert_eq!(
            parse_metadata(&doc("http")),
            Err(CloudConfigError::Metadata("resourceManager"))
        );
    }
}
