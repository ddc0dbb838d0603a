//! The `azure` attribute of the provider block: names and meanings of the azurerm provider.

use super::block_reader::BlockReader;
use crate::azure::credentials::CredentialSettings;
use terraform_plugin::{Attribute, Nesting};

/// Declares each attribute once: its place in [`CredentialSettings`] has the same name.
macro_rules! attributes {
    (
        texts { $($text:ident: $text_doc:literal),+ $(,)? }
        secrets { $($secret:ident: $secret_doc:literal),+ $(,)? }
        flags { $($flag:ident: $flag_doc:literal),+ $(,)? }
    ) => {
        fn attributes() -> Vec<(&'static str, Attribute)> {
            vec![
                $((stringify!($text), Attribute::string().optional().description($text_doc)),)+
                $((stringify!($secret), Attribute::string().optional().sensitive().description($secret_doc)),)+
                $((stringify!($flag), Attribute::bool().optional().description($flag_doc)),)+
            ]
        }

        pub(super) fn decode(block: &BlockReader<'_>) -> CredentialSettings {
            CredentialSettings {
                $($text: block.text(stringify!($text)),)+
                $($secret: block.text(stringify!($secret)),)+
                $($flag: block.flag(stringify!($flag)),)+
            }
        }
    };
}

attributes! {
    texts {
        subscription_id: "Subscription ID. Used by links that create their virtual network. Or `ARM_SUBSCRIPTION_ID`.",
        tenant_id: "Tenant ID. Or `ARM_TENANT_ID`.",
        client_id: "Client (application) ID. Or `ARM_CLIENT_ID`.",
        client_id_file_path: "File with the client ID. Or `ARM_CLIENT_ID_FILE_PATH`.",
        client_secret_file_path: "File with the client secret. Or `ARM_CLIENT_SECRET_FILE_PATH`.",
        client_certificate_path: "PKCS#12 file with certificate and key. Or `ARM_CLIENT_CERTIFICATE_PATH`.",
        oidc_token_file_path: "File with the token, which is read for each token request. Or `ARM_OIDC_TOKEN_FILE_PATH`.",
        oidc_request_url: "URL for token requests in GitHub Actions and Azure Pipelines. Or `ARM_OIDC_REQUEST_URL`, \
             `ACTIONS_ID_TOKEN_REQUEST_URL`, `SYSTEM_OIDCREQUESTURI`.",
        ado_pipeline_service_connection_id: "Service connection of Azure Pipelines for token requests. Or \
             `ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID`, `ARM_OIDC_AZURE_SERVICE_CONNECTION_ID`, \
             `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`.",
        msi_endpoint: "URL of the managed identity endpoint. Or `ARM_MSI_ENDPOINT`.",
        msi_api_version: "API version of `msi_endpoint`, such as `2019-08-01` for Azure Container Apps and App Service. Or \
             `ARM_MSI_API_VERSION`. Defaults to `2018-02-01`.",
        environment: "Azure environment: `public`, `usgovernment` or `china`. Or `ARM_ENVIRONMENT`. Defaults to `public`.",
        metadata_host: "Hostname of the Azure metadata service, for other environments. Or `ARM_METADATA_HOSTNAME`.",
    }
    secrets {
        client_secret: "Client secret. Or `ARM_CLIENT_SECRET`.",
        client_certificate: "PKCS#12 file with certificate and key, in base64. Or `ARM_CLIENT_CERTIFICATE`.",
        client_certificate_password: "Password of the certificate. Or `ARM_CLIENT_CERTIFICATE_PASSWORD`.",
        oidc_token: "Token of another identity provider that Azure trusts. Or `ARM_OIDC_TOKEN`. It is valid for minutes, but a create takes \
             30 minutes or more: use a file or a request URL instead.",
        oidc_request_token: "Bearer token for token requests. Or `ARM_OIDC_REQUEST_TOKEN`, \
             `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, `SYSTEM_ACCESSTOKEN`.",
    }
    flags {
        use_oidc: "Use a token of another identity provider (OpenID Connect). Or `ARM_USE_OIDC`.",
        use_msi: "Use a managed identity. Or `ARM_USE_MSI`.",
        use_cli: "Use the identity of `az login`. Or `ARM_USE_CLI`. Defaults to `true`.",
        use_aks_workload_identity: "Use the workload identity of an AKS pod. Or `ARM_USE_AKS_WORKLOAD_IDENTITY`.",
    }
}

pub(super) fn schema() -> Attribute {
    Attribute::nested(Nesting::Single, attributes()).optional().description(
        "Access to Azure. Attributes and variables are those of the \
         [azurerm provider](https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs); its configuration works \
         unchanged. The first configured method is used: client certificate, client secret, OpenID Connect, managed identity, \
         `az login` ([guide](guides/credentials.md)). The provider contacts no endpoint until a resource needs it.",
    )
}
