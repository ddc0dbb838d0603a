//! What Terraform's core does around a provider, as far as it judges: values over the wire, a valid
//! plan, a consistent apply.

use super::super::{BgpVpn, schema};
use super::clouds::Clouds;
use std::collections::BTreeMap;
use std::sync::Arc;
use terraform_plugin::{
    ApplyRequest, ApplyResponse, Attribute, AttributeKind, AttributePath, Cancel,
    ClientCapabilities, Diagnostics, Nesting, PartialState, PlanRequest, PlanResponse, ReadRequest,
    Resource, Value, msgpack,
};

pub struct Core {
    pub clouds: Arc<Clouds>,
    pub resource: BgpVpn,
    pub state: Value,
    pub private: Vec<u8>,
    pub identity: Option<Value>,
    pub may_be_applying: bool,
}

/// A value as it comes out of the wire: every attribute there.
pub fn wire(value: &Value) -> Value {
    let ty = schema::value_type();
    msgpack::decode(ty, &msgpack::encode(ty, value).unwrap()).unwrap()
}

impl Core {
    pub fn new() -> Self {
        let clients = Arc::new(Clouds::default());
        let backend = clients.clone();
        let resource = BgpVpn::new(Arc::new(move || Ok(backend.clone())));
        Core {
            clouds: clients,
            resource,
            state: Value::Null,
            private: Vec::new(),
            identity: None,
            may_be_applying: false,
        }
    }

    /// The next call meets another process.
    pub fn forgets(&mut self) {
        let backend = self.clouds.clone();
        self.resource = BgpVpn::new(Arc::new(move || Ok(backend.clone())));
    }

    /// Plans, and holds the plan against Terraform's own rules.
    pub async fn plan_from(&self, prior: &Value, config: &Value, private: Vec<u8>) -> PlanResponse {
        let config = wire(config);
        let request = PlanRequest {
            prior: prior.clone(),
            proposed: config.clone(),
            config: config.clone(),
            private,
            identity: self.identity.clone(),
            may_be_applying: self.may_be_applying,
            before_destroy: false,
            replaced: Vec::new(),
            capabilities: ClientCapabilities::default(),
            cancel: Cancel::new(),
        };
        let mut plan = self.resource.plan(request).await;
        if !plan.diagnostics.has_errors() {
            plan.planned = wire(&plan.planned);
            let schema = schema::resource();
            check_attributes(
                &schema.attributes,
                prior,
                &config,
                &plan.planned,
                &AttributePath::empty(),
            );
        }
        plan
    }

    pub async fn plan(&self, config: &Value) -> PlanResponse {
        self.plan_from(&self.state, config, self.private.clone())
            .await
    }

    pub async fn apply_plan(
        &mut self,
        prior: Value,
        config: &Value,
        plan: PlanResponse,
    ) -> ApplyResponse {
        let checkpoint =
            PartialState::new(prior.clone(), plan.private.clone(), self.identity.clone());
        let request = ApplyRequest {
            prior,
            planned: plan.planned,
            config: wire(config),
            planned_private: plan.private,
            planned_identity: plan.identity,
            checkpoint,
            cancel: Cancel::new(),
        };
        let mut done = self.resource.apply(request).await;
        done.new_state = wire(&done.new_state);
        assert!(done.new_state.is_wholly_known(), "unknown after apply");
        self.state = done.new_state.clone();
        self.private = done.private.clone();
        self.identity = done.identity.clone();
        done
    }

    /// Plans with what is known, applies with everything known, replacing where the plan says so.
    pub async fn apply_with(&mut self, at_plan: &Value, at_apply: &Value) -> Diagnostics {
        let mut plan = self.plan(at_plan).await;
        if plan.diagnostics.has_errors() {
            return plan.diagnostics;
        }
        let mut prior = self.state.clone();
        if !prior.is_null() && !plan.requires_replace.is_empty() {
            let again = self
                .plan_from(&Value::Null, at_plan, plan.private.clone())
                .await;
            if again.diagnostics.has_errors() {
                return again.diagnostics;
            }
            let planned = PlanResponse {
                private: again.private.clone(),
                ..PlanResponse::default()
            };
            self.apply_plan(prior, &Value::Null, planned).await;
            (plan, prior) = (again, Value::Null);
        }
        if at_plan != at_apply {
            plan = match self.plan_at_apply(&prior, at_apply, &plan.planned).await {
                Ok(plan) => plan,
                Err(diagnostics) => return diagnostics,
            };
        }
        let planned = plan.planned.clone();
        let done = self.apply_plan(prior, at_apply, plan).await;
        if !done.diagnostics.has_errors() {
            consistent(&planned, &self.state, &AttributePath::empty());
        }
        done.diagnostics
    }

    /// The plan that Terraform makes in the process that applies it, with what is known by then.
    async fn plan_at_apply(
        &mut self,
        prior: &Value,
        config: &Value,
        shown: &Value,
    ) -> Result<PlanResponse, Diagnostics> {
        self.forgets();
        self.resource.on_stored_state(prior);
        self.may_be_applying = true;
        let private = if prior.is_null() {
            Vec::new()
        } else {
            self.private.clone()
        };
        let plan = self.plan_from(prior, config, private).await;
        self.may_be_applying = false;
        if plan.diagnostics.has_errors() {
            return Err(plan.diagnostics);
        }
        assert!(
            prior.is_null() || plan.requires_replace.is_empty(),
            "Update became a replacement"
        );
        consistent(shown, &plan.planned, &AttributePath::empty());
        Ok(plan)
    }

    pub async fn apply(&mut self, config: &Value) -> Diagnostics {
        self.apply_with(config, config).await
    }

    pub async fn refresh(&mut self) {
        let request = ReadRequest {
            state: self.state.clone(),
            private: self.private.clone(),
            identity: self.identity.clone(),
            capabilities: ClientCapabilities::default(),
            cancel: Cancel::new(),
        };
        let read = self.resource.read(request).await;
        assert!(!read.diagnostics.has_errors(), "{:?}", read.diagnostics);
        self.state = wire(&read.state);
        self.private = read.private;
    }
}

/// `AssertPlanValid`: what is configured is planned as configured, or as it was before.
fn check_attributes(
    attributes: &BTreeMap<String, Attribute>,
    prior: &Value,
    config: &Value,
    planned: &Value,
    at: &AttributePath,
) {
    for (name, attribute) in attributes {
        let (prior, config, planned, at) = (
            prior.get(name),
            config.get(name),
            planned.get(name),
            at.clone().attr(name),
        );
        if planned == config || planned == prior && prior.is_set() && !config.is_null() {
            continue;
        }
        if attribute.write_only {
            assert!(planned.is_null(), "{at}: a write-only value in the plan");
            continue;
        }
        if attribute.computed && (!attribute.optional || config.is_null()) {
            continue;
        }
        match &attribute.kind {
            AttributeKind::Nested(nested)
                if nested.nesting == Nesting::Single && config.is_set() && planned.is_set() =>
            {
                check_attributes(&nested.attributes, prior, config, planned, &at);
            }
            _ => panic!("{at}: planned {planned:?}, configured {config:?}, was {prior:?}"),
        }
    }
}

/// What was known in the plan is so after apply.
fn consistent(planned: &Value, state: &Value, at: &AttributePath) {
    match planned {
        Value::Unknown(_) => {}
        Value::Object(items) => items
            .iter()
            .for_each(|(name, value)| consistent(value, state.get(name), &at.clone().attr(name))),
        Value::Map(items) => {
            assert_eq!(items.len(), state.as_map().map_or(0, BTreeMap::len), "{at}");
            items.iter().for_each(|(name, value)| {
                consistent(value, state.get(name), &at.clone().key(name))
            });
        }
        known if known.is_wholly_known() => assert_eq!(known, state, "{at} was shown otherwise"),
        _ => {}
    }
}

/// Places at which two values differ.
pub fn differences(a: &Value, b: &Value, at: AttributePath) -> Vec<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) | (Value::Map(x), Value::Map(y))
            if x.len() == y.len() =>
        {
            x.iter()
                .flat_map(|(name, value)| differences(value, b.get(name), at.clone().attr(name)))
                .collect()
        }
        _ if a == b => Vec::new(),
        _ => vec![format!("{at}: {a:?} / {b:?}")],
    }
}
