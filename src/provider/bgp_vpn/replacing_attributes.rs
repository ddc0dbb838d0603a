//! Settings that are fixed for the life of the Azure gateway or of the AWS half. Only a change of
//! the configuration replaces what has them: the clouds change some of them by themselves (Azure
//! moves gateways to Generation2, announced for 2026), and a value that is unknown at plan usually
//! proves to be the same.

use super::attributes::{AttributeRow, Effect, paths, paths_with};
use super::change_set::ChangeSet;
use super::model::Model;
use super::planned::PlannedState;
use super::private_state::PrivateState;
use crate::provider::summaries;
use bgp_vpn::preflight::eq_ignoring_case_and_spaces;
use terraform_plugin::{AttributePath, Diagnostic, Value};

/// Every attribute of this kind.
fn replacing_attributes() -> impl Iterator<Item = &'static str> {
    paths(is_replacing)
}

fn is_replacing(row: &AttributeRow) -> bool {
    matches!(row.effect, Effect::ReplacesLink | Effect::RecreatesAwsSide)
}

/// Other settings of the Azure gateway, which the link reads and never changes on an existing one.
fn other_gateway_attributes() -> impl Iterator<Item = &'static str> {
    paths(|row| row.of_azure_gateway && !is_replacing(row))
}

/// Whether two values mean the same setting: ids and locations have many spellings.
pub fn is_same_setting(one: &Value, other: &Value) -> bool {
    let texts = one.as_str().zip(other.as_str());
    texts.map_or(one == other, |(one, other)| is_same_text(one, other))
}

/// The same of two texts.
pub fn is_same_text(one: &str, other: &str) -> bool {
    eq_ignoring_case_and_spaces(one.trim_end_matches('/'), other.trim_end_matches('/'))
}

/// A configuration with the value of the state in place of each replacing attribute that is not
/// known yet, and those attributes. Terraform plans again with the known values before it applies.
pub fn assume_unchanged(config: &Value, prior: Option<&Model>) -> (Value, Vec<AttributePath>) {
    let mut assumed = config.clone();
    let Some(prior) = prior else {
        return (assumed, Vec::new());
    };
    let mut paths = Vec::new();
    for name in paths_with(Effect::ReplacesLink) {
        let path = AttributePath::from(name);
        let parent_known = name
            .rsplit_once('.')
            .is_none_or(|(parent, _)| config.at(&parent.into()).is_known());
        if parent_known && !config.at(&path).is_known() && prior.at(name).is_set() {
            assumed.set_at(&path, prior.at(name).clone());
            paths.push(path);
        }
    }
    (assumed, paths)
}

/// Whether an apply leaves a setting as the cloud has it, so that a change since the plan undoes
/// nothing.
pub fn follows_the_cloud(path: &str, private: &PrivateState) -> bool {
    replacing_attributes().any(|fixed| fixed == path)
        || private.provenance.azure_gateway_is_existing
            && other_gateway_attributes().any(|of_gateway| of_gateway == path)
}

/// Leaves configured values as they are in the clouds where only the clouds changed.
pub fn leave_drifted(draft: &mut PlannedState<'_>, prior: &Model, private: &PrivateState) {
    let given = other_gateway_attributes().filter(|_| private.provenance.azure_gateway_is_existing);
    let drifted = |path: &AttributePath| {
        let (configured, now, applied) = (
            draft.config.value().at(path),
            prior.value().at(path),
            private.applied.at(path),
        );
        configured.is_set()
            && now.is_set()
            && !is_same_setting(configured, now)
            && applied.is_set()
            && is_same_setting(configured, applied)
    };
    let left: Vec<AttributePath> = replacing_attributes()
        .chain(given)
        .map(AttributePath::from)
        .filter(drifted)
        .collect();
    for path in &left {
        draft.planned.set_at(path, prior.value().at(path).clone());
    }
    draft.left = left;
}

/// Warns of a configured value that the clouds no longer have.
pub fn drifted_warning(path: &AttributePath, config: &Value, prior: &Value) -> Diagnostic {
    let (configured, now) = (shown(config.at(path)), shown(prior.at(path)));
    Diagnostic::warning(summaries::DIFFERENT_CONFIGURATION)
        .detail(format!(
            "{path} is {configured} in the configuration and {now} in the cloud. The gateway was changed outside of Terraform. The provider \
             replaces no link to undo such a change. Set it to {now}, or remove it. To restore {configured}, run terraform apply -replace=ADDRESS."
        ))
        .at(path.clone())
}

/// Rejects a replacement that no plan has shown: a value that was unknown in the plan turned out to
/// be another one.
pub fn late_replacement(path: &AttributePath, prior: &Value, planned: &Value) -> Diagnostic {
    let (before, now) = (shown(prior.at(path)), shown(planned.at(path)));
    Diagnostic::error(summaries::UNABLE_TO_REPLACE_IN_RUN)
        .detail(format!(
            "{path} changes from {before} to {now}, which replaces the Azure gateway and the complete link. The plan did not show this, \
             because the new value was not known yet or the state was not refreshed (-refresh=false). Nothing was changed. Apply \
             again: the next plan shows the replacement."
        ))
        .at(path.clone())
}

fn shown(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("{text:?}"),
        None => value
            .as_number()
            .map_or_else(|| "a new value".to_owned(), ToString::to_string),
    }
}

/// Remembers what the configuration said in a run that ended well. `planned` was made from another
/// configuration where `ignore_changes` hides a change from the plan and not from the apply: such a
/// setting was not applied, and a later plan shows it.
pub fn record_configured(
    private: &mut PrivateState,
    before: &PrivateState,
    config: &Value,
    planned: &Value,
) {
    for path in replacing_attributes()
        .chain(other_gateway_attributes())
        .map(AttributePath::from)
    {
        let (configured, applied) = (config.at(&path), before.applied.at(&path));
        if !configured.is_set() {
            continue;
        }
        if is_same_setting(configured, planned.at(&path)) {
            private.applied.set_at(&path, configured.clone());
        } else if applied.is_set() {
            private.applied.set_at(&path, applied.clone());
        }
    }
}

/// After a run that failed: what it was changing counts neither as before nor as planned, the state
/// alone does.
pub fn record_failed(
    private: &mut PrivateState,
    before: &PrivateState,
    changes: Option<ChangeSet<'_>>,
) {
    let Some(changes) = changes else { return };
    for path in replacing_attributes() {
        let remembered = if changes.changed(path) {
            Value::Null
        } else {
            before.applied.at(&path.into()).clone()
        };
        // A null below an object that is not there would create the object.
        if *private.applied.at(&path.into()) != remembered {
            private.applied.set_at(&path.into(), remembered);
        }
    }
}

/// Remembers what a link without any difference has, where a failed run left nothing remembered:
/// the setting it was changing arrived after all.
pub fn record_arrived(private: &mut PrivateState, state: &Value) {
    for name in replacing_attributes() {
        let path = AttributePath::from(name);
        let parent_is_set = name
            .rsplit_once('.')
            .is_none_or(|(parent, _)| private.applied.at(&parent.into()).is_set());
        if parent_is_set && private.applied.at(&path).is_null() && state.at(&path).is_set() {
            private.applied.set_at(&path, state.at(&path).clone());
        }
    }
}
