//! A provider with one of each: what it does is ruled by the attribute `mode`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use terraform_plugin::*;

pub struct FakeProvider;

pub struct Thing {
    waiting: Arc<AtomicUsize>,
}

struct Look;
struct Join;

pub fn thing_schema() -> Schema {
    Schema::new(3)
        .description("A thing.")
        .attribute(
            "name",
            Attribute::string().required().description("Its name."),
        )
        .attribute("mode", Attribute::string().optional())
        .attribute("id", Attribute::string().computed())
        .attribute("size", Attribute::number().optional())
        .attribute("any", Attribute::of(Type::Dynamic).optional())
        .attribute("secret", Attribute::string().optional().write_only())
        .attribute(
            "parts",
            Attribute::nested(
                Nesting::Map,
                [
                    ("slot", Attribute::number().optional()),
                    ("key", Attribute::string().optional().write_only()),
                ],
            )
            .optional(),
        )
}

pub fn thing_type() -> Type {
    thing_schema().type_()
}

pub fn identity_type() -> Type {
    Type::object([("id", Type::String)])
}

fn identity(id: &str) -> Option<Value> {
    Some(Value::object([("id", id)]))
}

#[async_trait]
impl Provider for FakeProvider {
    fn address(&self) -> &str {
        "registry.terraform.io/example/fake"
    }

    fn schema(&self) -> Schema {
        Schema::new(0).attribute("region", Attribute::string().optional())
    }

    async fn validate(&self, config: Value) -> Diagnostics {
        match config.get("region").as_str() {
            Some("nowhere") => Diagnostic::error("No such region").at("region").into(),
            _ => Diagnostics::new(),
        }
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        Diagnostic::warning(format!("configured by {}", request.terraform_version)).into()
    }

    fn resources(&self) -> BTreeMap<String, Arc<dyn Resource>> {
        let thing: Arc<dyn Resource> = Arc::new(Thing {
            waiting: Arc::default(),
        });
        BTreeMap::from([("fake_thing".to_owned(), thing)])
    }

    fn data_sources(&self) -> BTreeMap<String, Arc<dyn DataSource>> {
        let look: Arc<dyn DataSource> = Arc::new(Look);
        BTreeMap::from([("fake_look".to_owned(), look)])
    }

    fn functions(&self) -> BTreeMap<String, Arc<dyn Function>> {
        let join: Arc<dyn Function> = Arc::new(Join);
        BTreeMap::from([("join".to_owned(), join)])
    }
}

#[async_trait]
impl Resource for Thing {
    fn schema(&self) -> Schema {
        thing_schema()
    }

    fn identity_schema(&self) -> Option<IdentitySchema> {
        Some(IdentitySchema::new(1).required("id", Type::String, "Its id."))
    }

    async fn validate(&self, request: ValidateRequest) -> Diagnostics {
        if request.config.get("mode").as_str() == Some("panic in validate") {
            panic!("hunter2");
        }
        Diagnostics::new()
    }

    async fn upgrade(&self, request: UpgradeRequest) -> Upgraded {
        match request.version {
            1 => {
                let old = request.state["title"].as_str().unwrap();
                Upgraded::State(Value::object([("name", old), ("secret", "left over")]))
            }
            _ => Upgraded::Unhandled,
        }
    }

    async fn read(&self, request: ReadRequest) -> ReadResponse {
        if request.state.get("mode").as_str() == Some("gone") {
            return ReadResponse::default();
        }
        let mut state = request.state;
        state.set("secret", "leaked by read");
        ReadResponse {
            state,
            private: [request.private, b"+read".to_vec()].concat(),
            identity: request.identity,
            ..Default::default()
        }
    }

    async fn plan(&self, request: PlanRequest) -> PlanResponse {
        let mut planned = request.proposed.clone();
        if request.is_create() {
            planned.set("id", Value::unknown());
        }
        let renamed =
            request.is_update() && request.prior.get("name") != request.proposed.get("name");
        let deferred = request.config.get("mode").as_str() == Some("defer");
        PlanResponse {
            planned,
            requires_replace: renamed
                .then(|| AttributePath::root("name"))
                .into_iter()
                .collect(),
            private: if request.is_destroy() {
                b"destroy".to_vec()
            } else {
                b"plan".to_vec()
            },
            identity: request.identity,
            deferred: deferred.then_some(Deferred::AbsentPrerequisite),
            diagnostics: Diagnostics::new(),
        }
    }

    async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        let mut state = request.planned.clone();
        if request.is_destroy() {
            return ApplyResponse::default();
        }
        state.set("id", "42");
        state.set("secret", request.config.get("secret").clone());
        let partial = |state: &Value| {
            let mut partial = state.clone();
            partial.set("id", "partial");
            partial.set("size", Value::unknown());
            request
                .checkpoint
                .save(partial, b"partial".to_vec(), identity("partial"));
        };
        match request.config.get("mode").as_str() {
            Some("panic") => {
                partial(&state);
                panic!("hunter2");
            }
            Some("panic at once") => panic!("hunter2"),
            Some("wait") => {
                partial(&state);
                request.cancel.cancelled().await;
                return request.failed(Diagnostic::error("stopped"));
            }
            Some("wait for 99 others") => {
                self.waiting.fetch_add(1, Ordering::SeqCst);
                while self.waiting.load(Ordering::SeqCst) < 100 {
                    tokio::task::yield_now().await;
                }
            }
            Some("misfit") => {
                partial(&state);
                state.set("surplus", true);
            }
            _ => {}
        }
        ApplyResponse {
            new_state: state,
            private: request.planned_private,
            identity: identity("42"),
            diagnostics: Diagnostics::new(),
        }
    }

    async fn import(&self, request: ImportRequest) -> ImportResponse {
        let id = match &request.identity {
            Some(identity) => identity.get("id").as_str().unwrap().to_owned(),
            None => request.id,
        };
        if id == "nothing" {
            return ImportResponse::default();
        }
        ImportResponse {
            state: Value::object([
                ("id", id.as_str()),
                ("name", "found"),
                ("secret", "leaked by import"),
            ]),
            private: b"import".to_vec(),
            identity: identity(&id),
            ..Default::default()
        }
    }
}

#[async_trait]
impl DataSource for Look {
    fn schema(&self) -> Schema {
        Schema::new(0)
            .attribute("at", Attribute::string().required())
            .attribute("seen", Attribute::of(Type::list(Type::String)).computed())
    }

    async fn validate(&self, config: Value) -> Diagnostics {
        match config.get("at").as_str() {
            Some("") => Diagnostic::error("Nothing to look at").at("at").into(),
            _ => Diagnostics::new(),
        }
    }

    async fn read(&self, request: DataRequest) -> DataResponse {
        let mut state = request.config;
        state.set("seen", Value::list(["a", "b"]));
        DataResponse {
            state,
            ..Default::default()
        }
    }
}

#[async_trait]
impl Function for Join {
    fn signature(&self) -> Signature {
        Signature {
            parameters: vec![Parameter::new(
                "separator",
                Type::String,
                "What comes between.",
            )],
            variadic: Some(Parameter::new("parts", Type::String, "What to join.")),
            result: Type::String,
            summary: "Joins".to_owned(),
            description: "Joins parts.".to_owned(),
        }
    }

    async fn call(&self, arguments: Vec<Value>) -> Result<Value, FunctionError> {
        let texts: Vec<&str> = arguments
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .collect();
        match texts.iter().position(|text| text.is_empty()) {
            Some(empty) => Err(FunctionError::argument(empty, "must not be empty")),
            None => Ok(texts[1..].join(texts[0]).into()),
        }
    }
}
