//! States that were edited by hand: one refresh or one apply fills what is missing.

use super::super::attributes::paths;
use super::{differences, made, nine_lines};
use terraform_plugin::{AttributePath, Value};

/// Without these the state does not say which objects are the link's: the provider rejects a state
/// without inside CIDRs, and plans a move from the unknown region.
fn identifies_objects(path: &str) -> bool {
    path.starts_with("inside_cidrs") || matches!(path, "aws" | "aws.region")
}

#[tokio::test]
async fn any_null_attribute_is_filled_again() {
    let mut stuck = Vec::new();
    for path in paths(|_| true).filter(|path| !identifies_objects(path)) {
        let mut core = made(&nine_lines()).await;
        core.refresh().await;
        let before = core.state.clone();
        if before.at(&path.into()).is_null() {
            continue;
        }
        core.state.set_at(&path.into(), Value::Null);
        core.forgets();
        core.refresh().await;
        let applied = core.apply(&nine_lines()).await;
        core.refresh().await;
        let plan = core.plan(&nine_lines()).await;
        let root = AttributePath::empty;
        let pending = differences(&plan.planned, &core.state, root());
        let lost = differences(&core.state, &before, root());
        if applied.has_errors() || !pending.is_empty() || !lost.is_empty() {
            stuck.push(format!(
                "{path}: {applied:?}, plans {pending:?}, state {lost:?}"
            ));
        }
    }
    assert!(stuck.is_empty(), "{}", stuck.join("\n"));
}
