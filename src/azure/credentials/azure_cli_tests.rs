//! `az` is a script that records its arguments, one a line, and its environment.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use super::*;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command as Process;

const SCOPE: &str = "https://management.azure.com/.default";

/// A folder with the program `az`, for which `account show` prints `account`.
fn folder(account: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("az");
    let log = folder.path().join("log");
    let script = format!(
        "#!/bin/sh\n\
         [ \"$2\" = show ] && {{ printf '%s' '{account}'; exit 0; }}\n\
         for word in \"$@\"; do echo \"$word\" >> '{log}'; done\n\
         env | while read -r line; do echo \"env $line\" >> '{log}'; done\n\
         printf '%s' '{{\"accessToken\":\"jwt\",\"expires_on\":4102444800,\"tokenType\":\"Bearer\"}}'\n",
        log = log.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn login(folder: &Path, tenant: Option<&str>, subscription: Option<&str>) -> AzureCli {
    let id = |text: Option<&str>| text.map(str::to_owned);
    let mut login = AzureCli::new(id(tenant), id(subscription)).unwrap();
    login.program = folder.join("az").into();
    login
}

/// What `az` was called with.
async fn words(account: &str, tenant: Option<&str>, subscription: Option<&str>) -> Vec<String> {
    let folder = folder(account);
    let login = login(folder.path(), tenant, subscription);
    let token = login.get_token(&[SCOPE], None).await.unwrap();
    assert_eq!(token.token.secret(), "jwt");
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    log.lines()
        .filter(|line| !line.starts_with("env "))
        .map(str::to_owned)
        .collect()
}

fn expected(account: Option<&str>) -> Vec<String> {
    let scope = format!("--scope={SCOPE}");
    ["account", "get-access-token", "--output=json", &scope]
        .into_iter()
        .chain(account)
        .map(str::to_owned)
        .collect()
}

const USER: &str = r#"{"user":{"name":"a@b.example","type":"user"}}"#;

#[tokio::test]
async fn name_subscription_before_tenant() {
    let both = words(USER, Some("t-1"), Some("My subscription")).await;
    assert_eq!(both, expected(Some("--subscription=My subscription")));
    let tenant = words(USER, Some("t-1"), None).await;
    assert_eq!(tenant, expected(Some("--tenant=t-1")));
    assert_eq!(words(USER, None, None).await, expected(None));
}

#[tokio::test]
async fn omit_tenant_where_az_rejects_it() {
    let accounts = [
        r#"{"user":{"assignedIdentityInfo":"MSI","name":"systemAssignedIdentity","type":"servicePrincipal"}}"#,
        r#"{"user":{"assignedIdentityInfo":"MSIClient-1","name":"userAssignedIdentity","type":"servicePrincipal"}}"#,
        r#"{"user":{"name":"userAssignedIdentity","type":"servicePrincipal"}}"#,
        r#"{"user":{"cloudShellID":true,"name":"a@b.example","type":"user"}}"#,
    ];
    for account in accounts {
        assert_eq!(
            words(account, Some("t-1"), None).await,
            expected(None),
            "{account}"
        );
    }
    let principal = r#"{"user":{"name":"app","type":"servicePrincipal"}}"#;
    let named = words(principal, Some("t-1"), None).await;
    assert_eq!(named, expected(Some("--tenant=t-1")));
}

#[test]
fn reject_id_that_is_no_id() {
    for id in ["--debug", "a;b", "a\"b", "$(id)"] {
        let fault = AzureCli::new(None, Some(id.to_owned())).unwrap_err();
        assert!(fault.to_string().contains("subscription_id"), "{fault}");
        assert!(AzureCli::new(Some(id.to_owned()), None).is_err());
    }
}

#[tokio::test]
async fn report_stderr_of_failed_az() {
    let folder = folder(USER);
    let path = folder.path().join("az");
    std::fs::write(&path, "#!/bin/sh\necho 'Please run az login' >&2\nexit 1\n").unwrap();
    let login = login(folder.path(), None, None);
    let fault = login.get_token(&[SCOPE], None).await.unwrap_err();
    let text = fault.to_string();
    assert!(
        text.contains("az account get-access-token failed: Please run az login"),
        "{text}"
    );
}

/// Variables cannot be set in this process: the test runs itself once more.
#[tokio::test]
async fn hide_aws_variables_from_az() {
    const NAME: &str = "azure::credentials::azure_cli::tests::hide_aws_variables_from_az";
    let Some(folder) = std::env::var_os("AZ_TEST_FOLDER") else {
        let folder = folder(USER);
        let run = Process::new(std::env::current_exe().unwrap())
            .args([NAME, "--exact"])
            .env("AZ_TEST_FOLDER", folder.path())
            .env("AWS_SECRET_ACCESS_KEY", "geheim")
            .env("AWS_SESSION_TOKEN", "geheim")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success() && said.contains("1 passed"), "{said}");
        return;
    };
    let login = login(Path::new(&folder), None, Some("s-1"));
    login.get_token(&[SCOPE], None).await.unwrap();
    let log = std::fs::read_to_string(Path::new(&folder).join("log")).unwrap();
    assert!(log.contains("env PATH="), "{log}");
    assert!(!log.contains("AWS_") && !log.contains("geheim"), "{log}");
}
