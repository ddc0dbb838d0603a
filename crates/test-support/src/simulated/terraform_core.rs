//! Terraform's core, as far as one resource instance meets it: refresh, plan, apply, destroy,
//! import, and what of each is stored when the provider fails or is killed. The provider is the
//! real one, in this process.

use super::{REGION, Sim};
use crate::random::configuration::wire;
use crate::random::rules::{compatible, plan_valid, proposed};
use awsazure::provider::backend::CloudBackend;
use awsazure::provider::bgp_vpn::backend::Backend;
use awsazure::provider::bgp_vpn::{BgpVpn, schema};
use awsazure::provider::settings::Settings;
use std::sync::{Arc, LazyLock};
use terraform_plugin::{
    ApplyRequest, AttributePath, Cancel, ClientCapabilities, Diagnostics, ImportRequest,
    PartialState, PlanRequest, ReadRequest, Resource, Schema, ValidateRequest, Value, json,
};

static SCHEMA: LazyLock<Schema> = LazyLock::new(schema::resource);

/// What Terraform keeps of an instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub state: Value,
    pub private: Vec<u8>,
    pub identity: Option<Value>,
    /// Its create failed.
    pub tainted: bool,
}

impl Default for Stored {
    fn default() -> Self {
        Stored {
            state: Value::Null,
            private: Vec::new(),
            identity: None,
            tainted: false,
        }
    }
}

/// A run of terraform.
#[derive(Clone, Debug, PartialEq)]
pub enum Run {
    Refresh,
    Apply,
    Destroy,
    Import(String),
}

struct Planned {
    value: Value,
    private: Vec<u8>,
    identity: Option<Value>,
    replaces: bool,
}

/// What an apply does where the plan asks for a replacement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Replacement {
    /// It fails: the scenario has none.
    #[default]
    Refused,
    /// The default of Terraform: destroy, then create.
    DestroyFirst,
    /// `create_before_destroy`.
    CreateFirst,
}

/// What the last apply was, by its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Nothing,
    Create,
    Update,
    Replace,
}

/// One resource instance and its state file.
pub struct TerraformCore<'a> {
    sim: &'a Sim,
    provider: BgpVpn,
    pub config: Value,
    pub stored: Stored,
    /// All diagnostics, warnings included.
    pub messages: Vec<String>,
    /// Of the apply under way.
    checkpoint: Option<PartialState>,
    /// A destroy is refreshing.
    before_destroy: bool,
    pub cancel: Cancel,
    /// Applies and destroys with `-refresh=false`.
    pub blind: bool,
    pub replacement: Replacement,
    /// Of the last apply; None where its plan failed.
    pub action: Option<Action>,
    /// Attributes named by the errors of the last run.
    pub failed_at: Vec<String>,
    /// Objects that a replacement with `create_before_destroy` has not destroyed yet.
    pub deposed: Vec<Stored>,
}

/// The configuration of a link that creates all that it needs.
pub fn complete_link() -> serde_json::Value {
    serde_json::json!({
        "name": "prod",
        "azure": {
            "resource_group_name": "prod-rg", "create_resource_group": true, "location": "westeurope", "sku": "VpnGw2AZ",
            "generation": "Generation2",
            "virtual_network": {
                "name": "vnet", "address_space": ["10.1.0.0/16"], "gateway_subnet_prefix": "10.1.255.0/27",
                "subnets": {"front": "10.1.0.0/24", "back": "10.1.1.0/24"},
            },
        },
        "aws": {"vpc": {"cidr_block": "10.2.0.0/16", "public_subnet_cidr_block": "10.2.0.0/24"}},
    })
}

/// A configuration from JSON; what is not there is null.
pub fn config(json: &serde_json::Value) -> Value {
    json::decode(schema::value_type(), json.to_string().as_bytes()).unwrap()
}

fn provider(sim: &Sim) -> BgpVpn {
    let aws = awsazure::aws::Settings {
        region: Some(REGION.to_owned()),
        ..Default::default()
    };
    let engine: Arc<dyn Backend> = Arc::new(CloudBackend::with_clients(
        Settings {
            aws,
            ..Settings::default()
        },
        sim.process(),
    ));
    BgpVpn::new(Arc::new(move || Ok(engine.clone())))
}

fn capabilities() -> ClientCapabilities {
    ClientCapabilities {
        write_only_attributes_allowed: true,
        ..ClientCapabilities::default()
    }
}

fn none(violations: Vec<String>, what: &str) -> Result<(), String> {
    if violations.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "rule of core broken, {what}: {}",
            violations.join("; ")
        ))
    }
}

/// As the plugin layer does it.
fn without_keys(mut value: Value) -> Value {
    if !value.is_null() {
        value.set("preshared_keys_wo", Value::Null);
    }
    value
}

impl<'a> TerraformCore<'a> {
    pub fn new(sim: &'a Sim, config: Value, stored: Stored) -> Self {
        let (provider, messages) = (provider(sim), Vec::new());
        let (cancel, replacement) = (Cancel::new(), Replacement::default());
        TerraformCore {
            sim,
            provider,
            config,
            stored,
            messages,
            checkpoint: None,
            before_destroy: false,
            cancel,
            blind: false,
            replacement,
            action: None,
            failed_at: Vec::new(),
            deposed: Vec::new(),
        }
    }

    /// The next run has a provider process of its own, as every run of terraform has.
    pub fn new_process(&mut self) {
        (self.provider, self.cancel) = (provider(self.sim), Cancel::new());
    }

    /// One run of terraform. Err: it ended with errors, in these words.
    pub async fn run(&mut self, run: &Run) -> Result<(), String> {
        (self.checkpoint, self.failed_at) = (None, Vec::new());
        if !self.stored.state.is_null() {
            self.provider.on_stored_state(&self.stored.state);
        }
        match run {
            Run::Refresh => self.refresh().await,
            Run::Apply => Box::pin(self.apply()).await,
            Run::Destroy => Box::pin(self.destroy()).await,
            Run::Import(id) => self.import(id).await,
        }
    }

    /// What is stored when the provider panicked: what it had noted last.
    pub fn store_checkpoint(&mut self) {
        if let Some(checkpoint) = self.checkpoint.take() {
            let saved = checkpoint.response(Diagnostics::new());
            if saved.new_state.is_null() {
                // Terraform forgets all of an instance that is gone.
                self.stored = Stored::default();
                return;
            }
            let tainted = self.stored.state.is_null() || self.stored.tainted;
            self.stored = Stored {
                state: without_keys(saved.new_state),
                private: saved.private,
                identity: saved.identity,
                tainted,
            };
        }
    }

    fn check_diagnostics(&mut self, diagnostics: &Diagnostics, what: &str) -> Result<(), String> {
        let words: Vec<String> = diagnostics
            .iter()
            .map(|d| format!("{what}: {}: {}", d.summary, d.detail))
            .collect();
        let errors: Vec<String> = diagnostics
            .iter()
            .zip(&words)
            .filter(|(d, _)| d.is_error())
            .map(|(_, w)| w.clone())
            .collect();
        let at = diagnostics
            .iter()
            .filter(|d| d.is_error())
            .filter_map(|d| d.path.as_ref());
        self.failed_at.extend(at.map(ToString::to_string));
        self.messages.extend(words);
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors.join("\n"))
        }
    }

    /// Reads what is stored.
    pub async fn refresh(&mut self) -> Result<(), String> {
        if self.stored.state.is_null() {
            return Ok(());
        }
        let request = ReadRequest {
            state: self.stored.state.clone(),
            private: self.stored.private.clone(),
            identity: self.stored.identity.clone(),
            capabilities: capabilities(),
            cancel: self.cancel.child_token(),
        };
        let read = self.provider.read(request).await;
        self.check_diagnostics(&read.diagnostics, "read")?;
        if read.state.is_null() {
            self.stored = Stored::default();
            return Ok(());
        }
        if self.stored.identity.is_some() && read.identity != self.stored.identity {
            return Err("rule of core broken: the read changed the identity".to_owned());
        }
        (self.stored.state, self.stored.private, self.stored.identity) =
            (wire(&read.state), read.private, read.identity);
        Ok(())
    }

    async fn plan(
        &mut self,
        prior: &Value,
        config: &Value,
        private: Vec<u8>,
    ) -> Result<Planned, String> {
        let request = ValidateRequest {
            config: config.clone(),
            capabilities: capabilities(),
        };
        if !config.is_null() {
            let found = self.provider.validate(request).await;
            self.check_diagnostics(&found, "validate")?;
        }
        let proposal = if config.is_null() {
            Value::Null
        } else {
            proposed(&SCHEMA.attributes, prior, config)
        };
        let identity = self.stored.identity.clone().filter(|_| !prior.is_null());
        let request = PlanRequest {
            prior: prior.clone(),
            proposed: proposal,
            config: config.clone(),
            private,
            identity,
            may_be_applying: false,
            before_destroy: self.before_destroy,
            replaced: Vec::new(),
            capabilities: capabilities(),
            cancel: self.cancel.child_token(),
        };
        let planned = self.provider.plan(request).await;
        self.check_diagnostics(&planned.diagnostics, "plan")?;
        let value = without_keys(wire(&planned.planned));
        if !config.is_null() {
            none(
                plan_valid(
                    &SCHEMA.attributes,
                    prior,
                    config,
                    &value,
                    &AttributePath::empty(),
                ),
                "invalid plan",
            )?;
        }
        let replaces = !prior.is_null() && !planned.requires_replace.is_empty() && value != *prior;
        Ok(Planned {
            value,
            private: planned.private,
            identity: planned.identity,
            replaces,
        })
    }

    async fn apply_planned(
        &mut self,
        prior: Value,
        config: Value,
        planned: Planned,
    ) -> Result<(), String> {
        let checkpoint = match prior {
            Value::Null => PartialState::new(Value::Null, Vec::new(), None),
            _ => PartialState::new(
                prior.clone(),
                planned.private.clone(),
                planned.identity.clone(),
            ),
        };
        self.checkpoint = Some(checkpoint.clone());
        let request = ApplyRequest {
            prior: prior.clone(),
            planned: planned.value.clone(),
            config,
            planned_private: planned.private,
            planned_identity: planned.identity,
            checkpoint,
            cancel: self.cancel.child_token(),
        };
        let applied = self.provider.apply(request).await;
        self.checkpoint = None;
        let failed = applied.diagnostics.has_errors();
        let new = if failed {
            applied.new_state.unknown_as_null()
        } else {
            applied.new_state
        };
        let violations = if failed {
            Vec::new()
        } else {
            compatible(&planned.value, &new, &AttributePath::empty())
        };
        let known = new.is_wholly_known();
        self.stored = match &new {
            Value::Null => Stored::default(),
            _ => Stored {
                state: without_keys(new),
                private: applied.private,
                identity: applied.identity,
                tainted: failed && (prior.is_null() || self.stored.tainted),
            },
        };
        self.check_diagnostics(&applied.diagnostics, "apply")?;
        none(violations, "inconsistent result")?;
        if known {
            Ok(())
        } else {
            Err("rule of core broken: unknown values after apply".to_owned())
        }
    }

    /// Whether a plan, made after a refresh, has nothing to do; else what it would change.
    pub async fn plans_empty(&mut self) -> Result<(), String> {
        self.refresh().await?;
        if self.stored.tainted {
            return Err("the link is tainted".to_owned());
        }
        let (prior, config) = (self.stored.state.clone(), self.config.clone());
        let planned = self
            .plan(&prior, &config, self.stored.private.clone())
            .await?;
        let path = AttributePath::empty();
        let mut changes = compatible(&planned.value, &prior, &path);
        changes.extend(compatible(&prior, &planned.value, &path));
        if changes.is_empty() {
            Ok(())
        } else {
            Err(format!("the plan is not empty: {}", changes.join("; ")))
        }
    }

    async fn apply(&mut self) -> Result<(), String> {
        self.action = None;
        if !self.blind {
            self.refresh().await?;
        }
        if self.stored.tainted {
            self.action = Some(Action::Replace);
            return self.replace(Vec::new()).await;
        }
        let (prior, config) = (self.stored.state.clone(), self.config.clone());
        let planned = self
            .plan(&prior, &config, self.stored.private.clone())
            .await?;
        if planned.value == prior && !prior.is_null() {
            self.action = Some(Action::Nothing);
            return self.destroy_deposed().await;
        }
        if planned.replaces {
            self.action = Some(Action::Replace);
            if self.replacement == Replacement::Refused {
                return Err("the plan would replace the link".to_owned());
            }
            return self.replace(planned.private).await;
        }
        self.action = Some(if prior.is_null() {
            Action::Create
        } else {
            Action::Update
        });
        self.apply_planned(prior, config, planned).await?;
        self.destroy_deposed().await
    }

    /// What core does with an object that is to be replaced. `private` is what the plan of the
    /// update left; a tainted object has no such plan.
    async fn replace(&mut self, private: Vec<u8>) -> Result<(), String> {
        let config = self.config.clone();
        let shown = self.plan(&Value::Null, &config, private).await?;
        if self.replacement == Replacement::CreateFirst {
            return Box::pin(self.create_first(shown)).await;
        }
        let gone = Planned {
            value: Value::Null,
            private: shown.private,
            identity: None,
            replaces: false,
        };
        self.apply_planned(self.stored.state.clone(), Value::Null, gone)
            .await?;
        self.create_as_shown(&shown.value).await
    }

    /// Core plans a create again right before it is applied.
    async fn create_as_shown(&mut self, shown: &Value) -> Result<(), String> {
        let config = self.config.clone();
        let planned = self.plan(&Value::Null, &config, Vec::new()).await?;
        none(
            compatible(shown, &planned.value, &AttributePath::empty()),
            "inconsistent final plan",
        )?;
        self.apply_planned(Value::Null, config, planned).await
    }

    /// The old object is deposed. It comes back where the create leaves nothing.
    async fn create_first(&mut self, shown: Planned) -> Result<(), String> {
        let old = std::mem::take(&mut self.stored);
        let created = self.create_as_shown(&shown.value).await;
        if created.is_err() && self.stored.state.is_null() {
            self.stored = old;
            return created;
        }
        self.deposed.push(old);
        created?;
        self.destroy_deposed().await
    }

    /// As part of every apply and destroy.
    async fn destroy_deposed(&mut self) -> Result<(), String> {
        let current = std::mem::take(&mut self.stored);
        let mut ended = Ok(());
        for old in std::mem::take(&mut self.deposed) {
            self.stored = old;
            let gone = self.destroy_current().await;
            if gone.is_err() {
                self.deposed.push(std::mem::take(&mut self.stored));
                ended = gone;
            }
        }
        self.stored = current;
        ended
    }

    async fn destroy(&mut self) -> Result<(), String> {
        if !self.blind {
            self.refresh().await?;
            self.plan_before_destroy().await?;
        }
        self.destroy_current().await?;
        self.destroy_deposed().await
    }

    /// A destroy begins with a plan of the configuration, of which core keeps only the errors.
    async fn plan_before_destroy(&mut self) -> Result<(), String> {
        let (prior, config, messages) = (
            self.stored.state.clone(),
            self.config.clone(),
            self.messages.clone(),
        );
        if prior.is_null() || config.is_null() {
            return Ok(());
        }
        let prior = if self.stored.tainted {
            Value::Null
        } else {
            prior
        };
        let private = if self.stored.tainted {
            Vec::new()
        } else {
            self.stored.private.clone()
        };
        self.before_destroy = true;
        let mut planned = self.plan(&prior, &config, private).await;
        if let Ok(Planned {
            replaces: true,
            private,
            ..
        }) = planned
        {
            planned = self.plan(&Value::Null, &config, private).await;
        }
        self.before_destroy = false;
        planned?;
        self.messages = messages;
        Ok(())
    }

    async fn destroy_current(&mut self) -> Result<(), String> {
        if !self.blind {
            self.refresh().await?;
        }
        if self.stored.state.is_null() {
            return Ok(());
        }
        let prior = self.stored.state.clone();
        let planned = self
            .plan(&prior, &Value::Null, self.stored.private.clone())
            .await?;
        self.apply_planned(prior, Value::Null, planned).await?;
        if self.stored.state.is_null() {
            Ok(())
        } else {
            Err("a state is left after destroy".to_owned())
        }
    }

    async fn import(&mut self, id: &str) -> Result<(), String> {
        self.import_by(id, None).await
    }

    /// Imports by id, or by identity where the id is empty.
    pub async fn import_by(&mut self, id: &str, identity: Option<Value>) -> Result<(), String> {
        let request = ImportRequest {
            id: id.to_owned(),
            identity,
            capabilities: capabilities(),
            cancel: self.cancel.child_token(),
        };
        let found = self.provider.import(request).await;
        self.check_diagnostics(&found.diagnostics, "import")?;
        let before = std::mem::replace(
            &mut self.stored,
            Stored {
                state: wire(&found.state),
                private: found.private,
                identity: found.identity,
                tainted: false,
            },
        );
        // Terraform reads right after, and stores nothing where that fails.
        let read = self.refresh().await;
        if read.is_err() {
            self.stored = before;
        }
        read
    }
}
