//! One link through plan, apply, change and destroy, each held against Terraform's rules. A
//! complaint ends the life and says what was broken; a configuration that is refused with an error
//! of its own is none.

use super::configuration::unknown_places;
use super::provider_process::{Client, configure, dynamic};
use super::rules::{compatible, plan_valid, proposed};
use awsazure::provider::bgp_vpn::schema;
use std::sync::LazyLock;
use terraform_plugin::protocol::tfplugin6 as wire;
use terraform_plugin::{AttributePath, Schema, Value, msgpack};

const TYPE: &str = "awsazure_bgp_vpn";

static SCHEMA: LazyLock<Schema> = LazyLock::new(schema::resource);

/// What broke a rule.
#[derive(Debug)]
pub struct RuleViolation(pub String);

/// Why an operation did not come to its end.
#[derive(Debug)]
pub enum Stop {
    /// The provider refused with errors of its own: summary and detail of each.
    Refused(String),
    Broken(RuleViolation),
}

impl From<RuleViolation> for Stop {
    fn from(violation: RuleViolation) -> Self {
        Stop::Broken(violation)
    }
}

/// A plan, and what it was made for.
#[derive(Clone)]
pub struct Planned {
    pub value: Value,
    pub replaces: bool,
    private: Vec<u8>,
    identity: Option<wire::ResourceIdentityData>,
}

/// A link as Terraform keeps it.
pub struct Lifecycle {
    client: Client,
    pub state: Value,
    private: Vec<u8>,
    identity: Option<wire::ResourceIdentityData>,
}

fn root() -> AttributePath {
    AttributePath::empty()
}

fn encoded(value: &Value) -> Option<wire::DynamicValue> {
    dynamic(schema::value_type(), value)
}

fn decoded(value: Option<wire::DynamicValue>, what: &str) -> Result<Value, RuleViolation> {
    let value = value.ok_or_else(|| RuleViolation(format!("{what}: no value")))?;
    msgpack::decode(schema::value_type(), &value.msgpack)
        .map_err(|error| RuleViolation(format!("{what}: {error}")))
}

fn capabilities() -> Option<wire::ClientCapabilities> {
    Some(wire::ClientCapabilities {
        write_only_attributes_allowed: true,
        ..Default::default()
    })
}

fn transport(what: &str) -> impl Fn(tonic::Status) -> RuleViolation {
    move |status| RuleViolation(format!("{what}: gRPC error {status}"))
}

/// Errors end an operation; words that only a fault of the program's own uses are a complaint.
fn check_diagnostics(diagnostics: &[wire::Diagnostic], what: &str) -> Result<(), Stop> {
    let text_of = |d: &wire::Diagnostic| format!("{}: {}", d.summary, d.detail);
    let inner = |d: &&wire::Diagnostic| {
        let text = text_of(d).to_lowercase();
        [
            "bug",
            "panic",
            "internal error",
            "cannot be read by the provider",
        ]
        .iter()
        .any(|word| text.contains(word))
    };
    if let Some(found) = diagnostics.iter().find(inner) {
        return Err(Stop::Broken(RuleViolation(format!(
            "{what}: {}",
            text_of(found)
        ))));
    }
    let errors: Vec<String> = diagnostics
        .iter()
        .filter(|d| d.severity() == wire::diagnostic::Severity::Error)
        .map(text_of)
        .collect();
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Stop::Refused(format!("{what}: {}", errors.join(" / "))))
    }
}

fn none(violations: Vec<String>, what: &str) -> Result<(), RuleViolation> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(RuleViolation(format!("{what}: {}", violations.join("; "))))
    }
}

/// What was accepted before may not be refused now.
fn must<T>(result: Result<T, Stop>) -> Result<T, RuleViolation> {
    result.map_err(|halt| match halt {
        Stop::Refused(why) => RuleViolation(format!("refused what was planned: {why}")),
        Stop::Broken(violation) => violation,
    })
}

impl Lifecycle {
    pub fn new(client: Client) -> Self {
        Lifecycle {
            client,
            state: Value::Null,
            private: Vec::new(),
            identity: None,
        }
    }

    pub async fn validate(&mut self, config: &Value) -> Result<(), Stop> {
        let request = wire::validate_resource_config::Request {
            type_name: TYPE.into(),
            config: encoded(config),
            client_capabilities: capabilities(),
        };
        let response = self
            .client
            .validate_resource_config(request)
            .await
            .map_err(transport("validate"))?;
        check_diagnostics(&response.into_inner().diagnostics, "validate")
    }

    async fn ask(
        &mut self,
        prior: &Value,
        config: &Value,
        private: &[u8],
    ) -> Result<Planned, Stop> {
        let attributes = &SCHEMA.attributes;
        let proposal = if config.is_null() {
            Value::Null
        } else {
            proposed(attributes, prior, config)
        };
        let identity = if prior.is_null() {
            None
        } else {
            self.identity.clone()
        };
        let request = wire::plan_resource_change::Request {
            type_name: TYPE.into(),
            prior_state: encoded(prior),
            proposed_new_state: encoded(&proposal),
            config: encoded(config),
            prior_private: private.to_vec(),
            client_capabilities: capabilities(),
            prior_identity: identity.clone(),
            ..Default::default()
        };
        let response = self
            .client
            .plan_resource_change(request)
            .await
            .map_err(transport("plan"))?
            .into_inner();
        check_diagnostics(&response.diagnostics, "plan")?;
        let value = decoded(response.planned_state, "planned state")?;
        if config.is_null() != value.is_null() {
            return Err(RuleViolation(
                "a plan of nothing where there is a configuration, or the reverse".into(),
            )
            .into());
        }
        if !config.is_null() {
            none(
                plan_valid(attributes, prior, config, &value, &root()),
                "invalid plan",
            )?;
        }
        if identity.is_some()
            && response.planned_identity.is_some()
            && response.planned_identity != identity
        {
            return Err(RuleViolation("the plan changes the identity".into()).into());
        }
        let replaces = !prior.is_null() && !response.requires_replace.is_empty() && value != *prior;
        Ok(Planned {
            value,
            replaces,
            private: response.planned_private,
            identity: response.planned_identity,
        })
    }

    /// Plans as core does: once more from nothing where the link must be replaced.
    pub async fn plan(&mut self, config: &Value) -> Result<Planned, Stop> {
        self.validate(config).await?;
        // Links of one run may not exclude each other, and each plan here belongs to a run of its
        // own.
        configure(self.client.clone()).await;
        let (prior, private) = (self.state.clone(), self.private.clone());
        let planned = self.ask(&prior, config, &private).await?;
        if !planned.replaces {
            return Ok(planned);
        }
        let again = self.ask(&Value::Null, config, &planned.private).await?;
        Ok(Planned {
            replaces: true,
            ..again
        })
    }

    /// Plans again with all values known, as core does before apply. The known parts of the first
    /// plan must be the same.
    pub async fn plan_again(&mut self, first: &Planned, config: &Value) -> Result<Planned, Stop> {
        configure(self.client.clone()).await;
        let (prior, private) = (self.state.clone(), self.private.clone());
        let again = self.ask(&prior, config, &private).await?;
        none(
            compatible(&first.value, &again.value, &root()),
            "inconsistent final plan",
        )?;
        Ok(again)
    }

    async fn apply_planned(
        &mut self,
        prior: Value,
        config: &Value,
        planned: &Planned,
    ) -> Result<(), Stop> {
        let request = wire::apply_resource_change::Request {
            type_name: TYPE.into(),
            prior_state: encoded(&prior),
            planned_state: encoded(&planned.value),
            config: encoded(config),
            planned_private: planned.private.clone(),
            provider_meta: None,
            planned_identity: planned.identity.clone(),
        };
        let response = self
            .client
            .apply_resource_change(request)
            .await
            .map_err(transport("apply"))?
            .into_inner();
        self.state = decoded(response.new_state, "new state")?;
        self.private = response.private;
        let before = std::mem::replace(&mut self.identity, response.new_identity);
        check_diagnostics(&response.diagnostics, "apply")?;
        let mut unknown = Vec::new();
        unknown_places(&self.state, root(), &mut unknown);
        none(unknown, "unknown after apply")?;
        none(
            compatible(&planned.value, &self.state, &root()),
            "inconsistent result",
        )?;
        if !prior.is_null() && !self.state.is_null() && before != self.identity {
            return Err(RuleViolation("the apply changed the identity".into()).into());
        }
        Ok(())
    }

    /// The delete half of a replacement, which core carries out before it plans again.
    async fn accept_replacement(&mut self, planned: &Planned) -> Result<(), RuleViolation> {
        let gone = Planned {
            value: Value::Null,
            identity: None,
            ..planned.clone()
        };
        must(
            self.apply_planned(self.state.clone(), &Value::Null, &gone)
                .await,
        )?;
        (self.private, self.identity) = (Vec::new(), None);
        Ok(())
    }

    pub async fn apply(&mut self, planned: &Planned, config: &Value) -> Result<(), RuleViolation> {
        must(
            self.apply_planned(self.state.clone(), config, planned)
                .await,
        )
    }

    pub async fn read(&mut self) -> Result<(), RuleViolation> {
        let request = wire::read_resource::Request {
            type_name: TYPE.into(),
            current_state: encoded(&self.state),
            private: self.private.clone(),
            client_capabilities: capabilities(),
            current_identity: self.identity.clone(),
            ..Default::default()
        };
        let response = self
            .client
            .read_resource(request)
            .await
            .map_err(transport("read"))?
            .into_inner();
        must(check_diagnostics(&response.diagnostics, "read"))?;
        let state = decoded(response.new_state, "read state")?;
        none(
            compatible(&self.state, &state, &root()),
            "read found something else than apply left",
        )?;
        if self.identity != response.new_identity {
            return Err(RuleViolation("the read changed the identity".into()));
        }
        (self.state, self.private) = (state, response.private);
        Ok(())
    }

    /// The plan of what is there already.
    pub async fn expect_no_change(
        &mut self,
        config: &Value,
        when: &str,
    ) -> Result<(), RuleViolation> {
        let planned = must(self.plan(config).await)?;
        none(compatible(&planned.value, &self.state, &root()), when)?;
        none(compatible(&self.state, &planned.value, &root()), when)
    }

    /// Plan, second plan, apply, no change before and after a read. Ok(false) where the
    /// configuration was refused.
    pub async fn become_as(
        &mut self,
        at_plan: &Value,
        at_apply: &Value,
    ) -> Result<bool, RuleViolation> {
        let Some(first) = accepted(self.plan(at_plan).await)? else {
            return Ok(false);
        };
        let Some(_) = accepted(self.validate(at_apply).await)? else {
            return Ok(false);
        };
        if first.replaces {
            self.accept_replacement(&first).await?;
        }
        let Some(second) = accepted(self.plan_again(&first, at_apply).await)? else {
            return Ok(false);
        };
        if second.value == self.state {
            return Ok(true);
        }
        self.apply(&second, at_apply).await?;
        self.expect_no_change(at_apply, "the plan after apply is not empty")
            .await?;
        self.read().await?;
        self.expect_no_change(at_apply, "the plan after read is not empty")
            .await?;
        Ok(true)
    }

    pub async fn destroy(&mut self) -> Result<(), RuleViolation> {
        let (prior, private) = (self.state.clone(), self.private.clone());
        let planned = must(self.ask(&prior, &Value::Null, &private).await)?;
        must(self.apply_planned(prior, &Value::Null, &planned).await)?;
        if self.state.is_null() {
            Ok(())
        } else {
            Err(RuleViolation("a state is left after destroy".into()))
        }
    }
}

/// None where the provider refused.
pub fn accepted<T>(result: Result<T, Stop>) -> Result<Option<T>, RuleViolation> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Stop::Refused(why)) => {
            if super::replayed().is_some() {
                eprintln!("refused: {why}");
            }
            Ok(None)
        }
        Err(Stop::Broken(violation)) => Err(violation),
    }
}
