//! AWS credentials that end before the create.

use super::core::Core;
use super::{made, nine_lines, with};
use crate::aws::credentials::ExpiringKeys;
use std::time::Duration;
use terraform_plugin::Value;

fn keys(minutes: u64) -> ExpiringKeys {
    ExpiringKeys {
        valid_for: Duration::from_secs(minutes * 60),
        known_from: "AWS_CREDENTIAL_EXPIRATION".to_owned(),
    }
}

async fn warning(minutes: u64, config: &Value) -> Option<String> {
    let core = Core::new();
    *core.clouds.expiring_keys.lock().unwrap() = Some(keys(minutes));
    let diagnostics = core.plan(config).await.diagnostics;
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let found = diagnostics
        .iter()
        .find(|it| it.summary.starts_with("AWS credentials expire"));
    found.map(|it| it.detail.clone())
}

#[tokio::test]
async fn warn_of_keys_that_expire_during_create() {
    let detail = warning(25, &nine_lines()).await.unwrap();
    let named = "expires in 25 minutes (AWS_CREDENTIAL_EXPIRATION)";
    assert!(
        detail.contains(named) && detail.contains("up to 60 minutes"),
        "{detail}"
    );
    assert_eq!(warning(60, &nine_lines()).await, None);
    let short = with(nine_lines(), "timeouts.create", "20m");
    assert_eq!(warning(25, &short).await, None);
}

#[tokio::test]
async fn ignore_expiring_keys_of_update() {
    let core = made(&nine_lines()).await;
    *core.clouds.expiring_keys.lock().unwrap() = Some(keys(1));
    let changed = with(nine_lines(), "tags", Value::map([("team", "net")]));
    let diagnostics = core.plan(&changed).await.diagnostics;
    let expire = |text: &str| text.starts_with("AWS credentials expire");
    assert!(
        !diagnostics.iter().any(|it| expire(&it.summary)),
        "{diagnostics:?}"
    );
}
