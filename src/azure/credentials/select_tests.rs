//! The order of the methods, and what an incomplete one lacks.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
use super::*;

fn env(pairs: &'static [(&'static str, &'static str)]) -> CredentialSettings {
    CredentialSettings::from_env(&|name| {
        pairs
            .iter()
            .find(|(k, _)| *k == name)
            .map(|(_, v)| (*v).to_owned())
    })
}

/// Each row of the order with settings that complete it, all of which are set from there on.
const COMPLETE: [(&str, &[(&str, &str)]); 9] = [
    (
        "client certificate",
        &[("ARM_CLIENT_CERTIFICATE_PATH", "/c.pfx")],
    ),
    ("client secret", &[("ARM_CLIENT_SECRET", "s")]),
    ("OIDC: token", &[("ARM_OIDC_TOKEN", "jwt")]),
    ("OIDC: token file", &[("ARM_OIDC_TOKEN_FILE_PATH", "/t")]),
    (
        "OIDC: AKS workload identity",
        &[
            ("ARM_USE_OIDC", "false"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/f"),
        ],
    ),
    (
        "OIDC: Azure Pipelines",
        &[
            ("ARM_USE_OIDC", "true"),
            ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "id"),
            ("SYSTEM_OIDCREQUESTURI", "https://p"),
            ("SYSTEM_ACCESSTOKEN", "r"),
        ],
    ),
    (
        "OIDC: token request (GitHub Actions)",
        &[
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "r"),
        ],
    ),
    (
        "managed identity",
        &[
            ("ARM_USE_OIDC", "false"),
            ("ARM_USE_AKS_WORKLOAD_IDENTITY", "false"),
        ],
    ),
    ("Azure CLI", &[("ARM_USE_MSI", "false")]),
];

/// The variables of a row and of all rows after it, so that only the order decides.
fn settings_from(row: usize) -> CredentialSettings {
    let principal = [
        ("ARM_TENANT_ID", "t"),
        ("ARM_CLIENT_ID", "c"),
        ("ARM_USE_OIDC", "true"),
        ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
        ("ARM_USE_MSI", "true"),
        ("ARM_USE_CLI", "true"),
    ];
    // The flags that a row switches off stay off; of other variables the first one counts.
    let flags = COMPLETE[..=row]
        .iter()
        .rev()
        .flat_map(|(_, set)| *set)
        .filter(|(name, _)| name.starts_with("ARM_USE_"));
    let own = COMPLETE[row..].iter().flat_map(|(_, set)| *set);
    let own = own.filter(|(name, _)| !name.starts_with("ARM_USE_"));
    let all: Vec<(&str, &str)> = flags.chain(own).chain(&principal).copied().collect();
    CredentialSettings::from_env(&|name| {
        let found = all.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn row_of(method: &CredentialMethod, settings: &CredentialSettings) -> &'static str {
    match method {
        CredentialMethod::ClientCertificate { .. } => "client certificate",
        CredentialMethod::ClientSecret { .. } => "client secret",
        CredentialMethod::Oidc { from, .. } => match from {
            OidcSource::Token(_) => "OIDC: token",
            OidcSource::TokenFile(_) if settings.use_oidc == Some(true) => "OIDC: token file",
            OidcSource::TokenFile(_) => "OIDC: AKS workload identity",
            OidcSource::Pipelines { .. } => "OIDC: Azure Pipelines",
            OidcSource::Request { .. } => "OIDC: token request (GitHub Actions)",
        },
        CredentialMethod::ManagedIdentity { .. } => "managed identity",
        CredentialMethod::Cli { .. } => "Azure CLI",
    }
}

#[test]
fn choose_first_complete_method_in_documented_order() {
    for (row, (source, _)) in ORDER.iter().enumerate() {
        let settings = settings_from(row);
        let method = select_method(&settings).unwrap();
        assert_eq!(
            (COMPLETE[row].0, row_of(&method, &settings)),
            (source.name, source.name)
        );
    }
}

/// azurerm has all of these variables.
#[test]
fn documented_attributes_exist() {
    for (source, _) in &ORDER {
        for attribute in source.attributes {
            let named = CredentialSettings::named(attribute);
            assert_ne!(named, *attribute, "{}", source.name);
            let variable = named.split_once('(').unwrap().1.trim_end_matches(')');
            assert!(
                source.variables.contains(&variable),
                "{named} of {}",
                source.name
            );
        }
    }
}

#[test]
fn prefer_secret_and_block_over_environment() {
    let block = CredentialSettings {
        client_id: Some("block".into()),
        ..Default::default()
    };
    let all = block.with_env(&|name| match name {
        "ARM_CLIENT_ID" => Some("env".into()),
        "ARM_TENANT_ID" => Some("tenant".into()),
        "ARM_CLIENT_SECRET" => Some("geheim".into()),
        "ARM_USE_OIDC" | "ARM_USE_MSI" => Some("true".into()),
        "ARM_OIDC_TOKEN" => Some("jwt".into()),
        _ => None,
    });
    let CredentialMethod::ClientSecret { client_id, .. } = select_method(&all).unwrap() else {
        panic!("not a secret")
    };
    assert_eq!(client_id, ValueSource::Value(SecretString::new("block")));
    assert!(!format!("{all:?}{:?}", select_method(&all)).contains("geheim"));
}

/// Recognises GitHub Actions, Azure Pipelines, Kubernetes and HCP Terraform.
#[test]
fn detect_workload_identity_environments() {
    let from = |settings: &CredentialSettings| match select_method(settings).unwrap() {
        CredentialMethod::Oidc { from, .. } => from,
        other => panic!("{other:?}"),
    };
    let github = env(&[
        ("ARM_USE_OIDC", "1"),
        ("ARM_CLIENT_ID", "c"),
        ("ARM_TENANT_ID", "t"),
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://x"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "r"),
    ]);
    assert!(matches!(from(&github), OidcSource::Request { .. }));
    let pipeline = env(&[
        ("ARM_USE_OIDC", "true"),
        ("ARM_CLIENT_ID", "c"),
        ("ARM_TENANT_ID", "t"),
        ("SYSTEM_OIDCREQUESTURI", "https://x"),
        ("SYSTEM_ACCESSTOKEN", "r"),
        ("ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID", "s"),
    ]);
    assert!(matches!(from(&pipeline), OidcSource::Pipelines { .. }));
    let cluster = env(&[
        ("ARM_USE_AKS_WORKLOAD_IDENTITY", "true"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_TENANT_ID", "t"),
        ("AZURE_FEDERATED_TOKEN_FILE", "/f"),
    ]);
    assert_eq!(from(&cluster), OidcSource::TokenFile("/f".into()));
    let hcp = env(&[
        ("ARM_USE_OIDC", "true"),
        ("ARM_CLIENT_ID", "c"),
        ("ARM_TENANT_ID", "t"),
        ("ARM_OIDC_TOKEN_FILE_PATH", "/t"),
    ]);
    assert_eq!(from(&hcp), OidcSource::TokenFile("/t".into()));
}

#[test]
fn fall_back_to_azure_cli() {
    assert!(matches!(
        select_method(&CredentialSettings::default()),
        Ok(CredentialMethod::Cli { .. })
    ));
}

#[test]
fn incomplete_service_principal_names_missing_variable() {
    let cases = [
        (
            &[("ARM_CLIENT_ID", "c"), ("ARM_TENANT_ID", "t")][..],
            "client_secret (ARM_CLIENT_SECRET) is missing while client_id (ARM_CLIENT_ID) is set",
        ),
        (
            &[("ARM_CLIENT_SECRET", "s"), ("ARM_TENANT_ID", "t")],
            "client_id (ARM_CLIENT_ID) is missing while client_secret (ARM_CLIENT_SECRET) is set",
        ),
        (
            &[("ARM_CLIENT_ID", "c"), ("ARM_CLIENT_SECRET", "s")],
            "tenant_id (ARM_TENANT_ID) is missing while",
        ),
        (
            &[
                ("ARM_USE_OIDC", "true"),
                ("ARM_CLIENT_ID", "c"),
                ("ARM_TENANT_ID", "t"),
            ],
            "oidc_token (ARM_OIDC_TOKEN) is missing while",
        ),
    ];
    for (variables, expected) in cases {
        let text = select_method(&env(variables)).unwrap_err().to_string();
        assert!(text.contains(expected), "{variables:?}: {text}");
    }
    // The CLI was asked for, or only a tenant for it is set.
    for variables in [
        &[("ARM_CLIENT_ID", "c"), ("ARM_USE_CLI", "true")][..],
        &[("ARM_TENANT_ID", "t")],
    ] {
        let method = select_method(&env(variables));
        assert!(
            matches!(method, Ok(CredentialMethod::Cli { .. })),
            "{method:?}"
        );
    }
}

#[test]
fn error_names_every_missing_attribute_and_variable() {
    let text = select_method(&env(&[("ARM_USE_CLI", "false"), ("ARM_CLIENT_ID", "c")]))
        .unwrap_err()
        .to_string();
    for part in [
        "client secret: missing tenant_id (ARM_TENANT_ID), client_secret (ARM_CLIENT_SECRET) or client_secret_file_path (ARM_CLIENT_SECRET_FILE_PATH)",
        "client certificate",
        "use_oidc (ARM_USE_OIDC)",
        "oidc_request_url (ARM_OIDC_REQUEST_URL) with oidc_request_token (ARM_OIDC_REQUEST_TOKEN)",
        "use_msi (ARM_USE_MSI)",
        "use_cli (ARM_USE_CLI)",
    ] {
        assert!(text.contains(part), "{part:?} is missing in {text}");
    }
}
