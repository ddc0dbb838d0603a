//! Settles what a plan had to leave open, and checks it before anything is created.

use super::apply_plan::ApplyPlan;
use super::attribute_paths::{attribute_path, diagnostics};
use super::backend::Backend;
use super::change_set::ChangeSet;
use super::create_before_destroy::{explain_errors, is_conflict};
use super::defaults::{PlanInputs, apply_defaults};
use super::expand::{ExpandInputs, KeyInputs, configured_keys, expand_spec, key_storage, text};
use super::flatten::read_managed;
use super::link_status::is_incomplete;
use super::model::read_config;
use super::plan::plan_inputs;
use super::plan_validation::validate_plan;
use super::planned_id::id_beside_moved_link;
use super::preflight_request::preflight_request;
use super::private_state::PrivateState;
use super::provenance::provenance;
use super::public_subnet;
use super::teardown::removals;
use crate::aws::model::KeyStorage;
use crate::provider::summaries;
use bgp_vpn::preflight::PreflightSnapshot;
use terraform_plugin::{ApplyRequest, Diagnostic, Diagnostics, Value};

/// Settles what plan had to leave open, and checks it before anything is made.
pub async fn resolve_plan(
    backend: &dyn Backend,
    request: &ApplyRequest,
    before: Option<&Value>,
    messages: &mut Diagnostics,
) -> Result<ApplyPlan, Diagnostics> {
    let mut private = PrivateState::read(&request.planned_private);
    // What finishes a link was planned as a create, and is settled as one.
    let prior = (!request.prior.is_null()).then_some(&request.prior);
    let mut snapshot = PreflightSnapshot::default();
    if !private.preflight_complete {
        let draft = apply_defaults(&plan_inputs(
            backend,
            &request.config,
            prior,
            &private,
            &snapshot,
        ));
        let inputs = plan_inputs(backend, &request.config, prior, &private, &snapshot);
        let (ask, _) = preflight_request(backend, &draft.planned, &inputs);
        snapshot = backend.preflight(&ask, &request.cancel).await?;
    }
    let inputs = PlanInputs {
        snapshot: &snapshot,
        ..plan_inputs(backend, &request.config, prior, &private, &snapshot)
    };
    let settled = apply_defaults(&inputs).planned;
    let mut target = fill_unknown(&request.planned, &settled);
    if let Some(left) = before.filter(|_| request.is_create()) {
        keep_gateway(&mut target, left);
    }
    let moved = if request.is_create() && !private.preflight_complete && private.link.is_none() {
        id_beside_moved_link(&target, &private, &snapshot, backend.subscription())
    } else {
        None
    };
    let claims = inputs.takes_ownership(&target);
    // Also where plan saw all surroundings, a setting may have been unknown by then.
    let violations = validate_plan(&inputs, &target, backend);
    let conflicts = violations.iter().any(is_conflict);
    let found = diagnostics(violations);
    if found.has_errors() {
        return Err(if prior.is_none() && conflicts {
            explain_errors(found)
        } else {
            found
        });
    }
    if !private.preflight_complete {
        messages.append(found);
        private.provenance = provenance(&inputs, &snapshot, &target);
    }
    private.link = moved.or(private.link);
    private.names_route_tables = !request.config.at(&"aws.route_table_ids".into()).is_null();
    if !private.names_route_tables
        && prior.is_some_and(|prior| public_subnet::comes_or_goes(prior, &target))
    {
        // The tables of before lack the one that is created with the subnet.
        private
            .applied
            .set_at(&"aws.route_table_ids".into(), Value::Null);
    }
    let unfinished = request.is_create() || is_incomplete(&request.prior);
    let managed = before.map(read_managed).unwrap_or_default();
    let former = before
        .map(|before| removals(before, &target, &private, &managed))
        .unwrap_or_default();
    let around = ExpandInputs {
        private: &private,
        subscription: backend.subscription(),
        default_tags: backend.default_tags(),
        keys: keys(
            request,
            &target,
            prior.map(|prior| ChangeSet {
                prior,
                planned: &target,
            }),
            &private,
        ),
        removals: former,
    };
    let mut spec = expand_spec(&target, around).map_err(|lacking| {
        Diagnostics::from(missing_setting(&attribute_path(&lacking.0).to_string()))
    })?;
    spec.removals
        .tags
        .retain(|key| !spec.tags.contains_key(key));
    spec.claims_gateways = claims;
    let triggers = ["rotate_keys", "preshared_keys_wo_version", "tags"]
        .map(|name| Some((name, prior?.get(name).clone())));
    let claimed = claims.then(|| ("manage_gateways", Value::from(false)));
    let asked = triggers.into_iter().flatten().chain(claimed).collect();
    let (config, prior) = (request.config.clone(), prior.cloned());
    Ok(ApplyPlan {
        target,
        private,
        spec,
        before: managed,
        takes_ownership: claims,
        incomplete: unfinished,
        trigger_values: asked,
        config,
        prior,
    })
}

/// An unfinished link keeps its Azure gateway where another name is configured by now.
fn keep_gateway(target: &mut Value, left: &Value) {
    let path = "azure.gateway_id".into();
    if !target.at(&path).is_set() && left.at(&path).is_set() {
        target.set_at(&path, left.at(&path).clone());
    }
}

/// The keys in use stay, unless a create makes them all or an update is asked to change them.
fn keys(
    request: &ApplyRequest,
    target: &Value,
    changes: Option<ChangeSet<'_>>,
    private: &PrivateState,
) -> KeyInputs {
    let rolled = changes.filter(|changes| changes.rotates_keys(private));
    let raised = changes.is_none_or(ChangeSet::applies_configured_keys);
    // An endpoint that shows no key cannot be seen to have the user's: a mark has to say so.
    let hidden = key_storage(&read_config(target)) == KeyStorage::SecretsManager;
    let version = target
        .get("preshared_keys_wo_version")
        .as_number()
        .filter(|_| raised && hidden);
    KeyInputs {
        configured: configured_keys(&request.config),
        applies_configured: raised,
        trigger: rolled
            .and_then(|changes| text(changes.planned, "rotate_keys"))
            .or_else(|| version.map(|version| format!("own keys, version {version}"))),
    }
}

/// A plan with its unknown places taken from what is settled by now.
fn fill_unknown(planned: &Value, settled: &Value) -> Value {
    match (planned, settled) {
        (Value::Unknown(_), settled) => settled.clone(),
        (Value::Object(items), _) => Value::Object(
            items
                .iter()
                .map(|(name, value)| (name.clone(), fill_unknown(value, settled.get(name))))
                .collect(),
        ),
        (Value::Map(items), _) => Value::Map(
            items
                .iter()
                .map(|(name, value)| (name.clone(), fill_unknown(value, settled.get(name))))
                .collect(),
        ),
        (known, _) if known.is_wholly_known() => known.clone(),
        // Lists and sets hold unknown elements only where the configuration does.
        (_, settled) => settled.clone(),
    }
}

/// Rejects a link without a setting that neither the configuration nor the clouds provide.
pub fn missing_setting(path: &str) -> Diagnostic {
    Diagnostic::error(summaries::MISSING_REQUIRED_ARGUMENT)
        .detail(format!(
            "{path} is not configured and cannot be derived. Set it, or set the default of the provider block."
        ))
        .at(path)
}
