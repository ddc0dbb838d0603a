//! The `azure` attribute of the provider block: names and meanings of the azurerm provider.

use super::block_reader::BlockReader;
use crate::azure::credential::CredentialSettings;
use crate::plugin::{Attribute, Nesting};

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
        subscription_id: "Subscription of links that create their Azure networks by name. Or `ARM_SUBSCRIPTION_ID`.",
        tenant_id: "Tenant. Or `ARM_TENANT_ID`.",
        client_id: "Client (application) id. Or `ARM_CLIENT_ID`.",
        client_id_file_path: "File with the client id. Or `ARM_CLIENT_ID_FILE_PATH`.",
        client_secret_file_path: "File with the client secret. Or `ARM_CLIENT_SECRET_FILE_PATH`.",
        client_certificate_path: "PKCS#12 file with certificate and key. Or `ARM_CLIENT_CERTIFICATE_PATH`.",
        oidc_token_file_path: "File with the token, read anew whenever one is needed. Or `ARM_OIDC_TOKEN_FILE_PATH`.",
        oidc_request_url: "Where to ask for a token, in GitHub Actions and Azure Pipelines. Or `ARM_OIDC_REQUEST_URL`, \
             `ACTIONS_ID_TOKEN_REQUEST_URL`, `SYSTEM_OIDCREQUESTURI`.",
        ado_pipeline_service_connection_id: "Service connection of Azure Pipelines that tokens are asked for. Or \
             `ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID`, `ARM_OIDC_AZURE_SERVICE_CONNECTION_ID`, \
             `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`.",
        msi_endpoint: "Address of the managed identity endpoint. Or `ARM_MSI_ENDPOINT`.",
        environment: "Which Azure: `public` (default), `usgovernment` or `china`. Or `ARM_ENVIRONMENT`.",
        metadata_host: "Host that tells the endpoints of an Azure other than these. Or `ARM_METADATA_HOSTNAME`.",
    }
    secrets {
        client_secret: "Client secret. Or `ARM_CLIENT_SECRET`.",
        client_certificate: "PKCS#12 file with certificate and key, in base64. Or `ARM_CLIENT_CERTIFICATE`.",
        client_certificate_password: "Password of the certificate. Or `ARM_CLIENT_CERTIFICATE_PASSWORD`.",
        oidc_token: "Token of another identity provider that Azure trusts. Or `ARM_OIDC_TOKEN`. It lasts minutes, a create half an \
             hour: prefer a file or a request URL.",
        oidc_request_token: "What to show when asking for a token. Or `ARM_OIDC_REQUEST_TOKEN`, \
             `ACTIONS_ID_TOKEN_REQUEST_TOKEN`, `SYSTEM_ACCESSTOKEN`.",
    }
    flags {
        use_oidc: "Use a token of another identity provider (OpenID Connect). Or `ARM_USE_OIDC`.",
        use_msi: "Use a managed identity. Or `ARM_USE_MSI`.",
        use_cli: "Use the identity that `az login` left behind; default true. Or `ARM_USE_CLI`.",
        use_aks_workload_identity: "Use the workload identity of an AKS pod. Or `ARM_USE_AKS_WORKLOAD_IDENTITY`.",
    }
}

pub(super) fn schema() -> Attribute {
    Attribute::nested(Nesting::Single, attributes()).optional().description(
        "How to reach Azure. Attributes and variables are those of the \
         [azurerm provider](https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs): what works there works \
         here unchanged. The first method that is configured is used: client secret, client certificate, OpenID Connect, managed \
         identity, `az login`. Nothing is contacted until a resource needs it.",
    )
}
