//! Resolves what a plan left unknown, and checks it before anything is created.

use super::apply_plan::{ApplyPlan, RequestModels};
use super::attribute_paths::{attribute_path, diagnostics};
use super::backend::Backend;
use super::change_set::ChangeSet;
use super::create_before_destroy::{explain_errors, is_conflict};
use super::defaults::apply_defaults;
use super::expand::{ExpandInputs, KeyInputs, configured_keys, expand_spec, key_storage};
use super::model::Model;
use super::plan::plan_inputs;
use super::plan_validation::validate_plan;
use super::planned::Place;
use super::planned_id::id_beside_moved_link;
use super::preflight_request::preflight_request;
use super::private_state::PrivateState;
use super::provenance::provenance;
use super::public_subnet;
use super::teardown::removals;
use crate::aws::model::KeyStorage;
use crate::provider::summaries;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::preflight::PreflightSnapshot;
use terraform_plugin::{ApplyRequest, Diagnostic, Diagnostics, Value};

/// Propagation that is to end is found while the state has the tables.
const TRANSIT_PROPAGATIONS: &str = "aws.transit_gateway_propagation_route_table_ids";

/// Resolves what the plan left unknown, and checks it before anything is created.
pub async fn resolve_plan(
    backend: &dyn Backend,
    request: &ApplyRequest,
    values: &RequestModels,
    before: Option<&Model>,
    messages: &mut Diagnostics,
) -> Result<ApplyPlan, Diagnostics> {
    let mut private = PrivateState::read(&request.planned_private);
    // An apply that finishes a link was planned as a create, and is resolved as one.
    let (config, prior) = (&values.config, values.prior.as_ref());
    let mut snapshot = PreflightSnapshot::default();
    if !private.preflight_complete {
        let inputs = plan_inputs(backend, config, prior, &private, &snapshot);
        let draft = Model::read(&apply_defaults(&inputs).planned);
        let (ask, _) = preflight_request(backend, &draft, &inputs);
        snapshot = backend.preflight(&ask, &request.cancel).await?;
    }
    let inputs = plan_inputs(backend, config, prior, &private, &snapshot);
    let settled = apply_defaults(&inputs).planned;
    let mut target = fill_unknown(&request.planned, &settled);
    if let Some(left) = before.filter(|_| request.is_create()) {
        keep_gateway(&mut target, left);
    }
    let target = Model::read(&target);
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
            explain_errors(found, values.follows_destroy)
        } else {
            found
        });
    }
    if !private.preflight_complete {
        messages.append(found);
        private.provenance = provenance(&inputs, &snapshot, &target);
    }
    private.link = moved.or(private.link);
    private.names_route_tables = !config.route_tables.is_null();
    if !private.names_route_tables
        && prior.is_some_and(|prior| public_subnet::comes_or_goes(prior, &target))
    {
        // The last applied tables lack the one that is created with the subnet.
        let tables = AttributeId::RouteTables.path();
        private.applied.set_at(&tables, Value::Null);
    }
    let unfinished = prior.is_none_or(Model::is_incomplete);
    let changes = |prior| ChangeSet {
        prior,
        planned: &target,
    };
    let managed = before.map(|before| before.link.managed.clone());
    let managed = managed.unwrap_or_default();
    let former = before
        .map(|before| removals(changes(before), &private, &managed))
        .unwrap_or_default();
    let around = ExpandInputs {
        private: &private,
        subscription: backend.subscription(),
        default_tags: backend.default_tags(),
        keys: keys(config, &target, prior.map(changes), &private),
        removals: former,
    };
    let mut spec = expand_spec(&target, around).map_err(|lacking| {
        Diagnostics::from(missing_setting(&attribute_path(&lacking.0).to_string()))
    })?;
    spec.removals
        .tags
        .retain(|key| !spec.tags.contains_key(key));
    spec.claims_gateways = claims;
    let triggers = [
        "rotate_keys",
        "preshared_keys_wo_version",
        "tags",
        TRANSIT_PROPAGATIONS,
    ]
    .map(|name| Some((name, prior?.at(name).clone())));
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
        follows_destroy: values.follows_destroy,
    })
}

/// An unfinished link keeps its Azure gateway where another name is configured by now.
fn keep_gateway(target: &mut Value, left: &Model) {
    let path = AttributeId::AzureGateway.path();
    if !target.at(&path).is_set()
        && let Attr::Known(gateway) = &left.gateway_id
    {
        target.set_at(&path, gateway.clone());
    }
}

/// The keys in use stay, unless a create makes them all or an update is asked to change them.
fn keys(
    config: &Model,
    target: &Config,
    changes: Option<ChangeSet<'_>>,
    private: &PrivateState,
) -> KeyInputs {
    let rolled = changes.filter(|changes| changes.rotates_keys(private));
    let raised = changes.is_none_or(ChangeSet::applies_configured_keys);
    // An endpoint that shows no key cannot be seen to have the user's: a mark has to say so.
    let hidden = key_storage(target) == KeyStorage::SecretsManager;
    let version = target
        .preshared_keys_version
        .known()
        .filter(|_| raised && hidden);
    KeyInputs {
        configured: configured_keys(config),
        applies_configured: raised,
        trigger: rolled
            .and_then(|changes| changes.planned.rotate_keys.known().cloned())
            .or_else(|| version.map(|version| format!("own keys, version {version}"))),
    }
}

/// A plan whose unknown values are replaced by those that are known by now.
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
            "{path} is required, because neither an existing object nor the provider block determines it. Set it here or in the provider block."
        ))
        .at(path)
}
