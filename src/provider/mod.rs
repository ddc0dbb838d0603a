//! What users configure: the provider block, the resource, the data source and the function.
//!
//! | module | content |
//! |---|---|
//! | `settings` | the provider block: credentials for both clouds, default tags |
//! | `bgp_vpn` | the resource: configuration to link and back, plan, import |
//! | `backend` | the clouds of the resource and the data source, and their errors as diagnostics |
//! | `name_conflict` | what to do about an Azure name that another object has |
//! | `remaining_objects` | what a failed operation leaves behind |
//! | `status` | the data source: the current health of the tunnels |
//! | `summaries` | the summaries of diagnostics |
//! | `address_plan` | the function: the addresses inside the tunnels |
//! | `permissions` | the function and the command: what a link needs to be permitted |

pub mod address_plan;
pub mod backend;
pub mod bgp_vpn;
mod name_conflict;
pub mod permissions;
pub mod remaining_objects;
mod sentence;
pub mod settings;
pub mod status;
pub mod summaries;

use address_plan::AddressPlan;
use async_trait::async_trait;
use permissions::function::RequiredPermissions;
use settings::ProviderData;
use status::{BgpVpnStatus, HealthSource};
use std::collections::BTreeMap;
use std::sync::Arc;
use terraform_plugin::{
    ConfigureRequest, DataSource, Diagnostics, Function, Provider, Resource, Schema, Value,
};

/// Where the provider is published.
pub const ADDRESS: &str = "registry.terraform.io/awsazure/awsazure";

/// The provider. What it offers is made once, before Configure, and shares [`ProviderData`].
#[derive(Default)]
pub struct Awsazure {
    provider_data: ProviderData,
    resources: BTreeMap<String, Arc<dyn Resource>>,
    data_sources: BTreeMap<String, Arc<dyn DataSource>>,
}

impl Awsazure {
    /// The provider block, as far as it is known, for the parts that are added.
    pub fn provider_data(&self) -> ProviderData {
        self.provider_data.clone()
    }

    /// Adds a resource type.
    #[must_use]
    pub fn resource(mut self, name: &str, resource: impl Resource) -> Self {
        self.resources.insert(name.to_owned(), Arc::new(resource));
        self
    }

    /// Adds `awsazure_bgp_vpn_status`, read from `source`.
    #[must_use]
    pub fn status(mut self, source: impl HealthSource) -> Self {
        let status = BgpVpnStatus::new(self.provider_data(), Arc::new(source));
        self.data_sources
            .insert("awsazure_bgp_vpn_status".to_owned(), Arc::new(status));
        self
    }
}

/// The provider as it is served: everything that it offers registers here.
pub fn assemble() -> Awsazure {
    let provider = Awsazure::default();
    let backends = backend::BackendCache::new(provider.provider_data());
    let link = bgp_vpn::BgpVpn::new(backends.factory());
    provider.resource(bgp_vpn::TYPE_NAME, link).status(backends)
}

#[async_trait]
impl Provider for Awsazure {
    fn address(&self) -> &str {
        ADDRESS
    }

    fn schema(&self) -> Schema {
        settings::schema()
    }

    async fn validate(&self, config: Value) -> Diagnostics {
        settings::decode(&config).1
    }

    async fn configure(&self, request: ConfigureRequest) -> Diagnostics {
        let (mut settings, violations) = settings::decode(&request.config);
        settings.aws.region = settings.aws.default_region().await;
        self.provider_data.set(settings);
        violations
    }

    fn resources(&self) -> BTreeMap<String, Arc<dyn Resource>> {
        self.resources.clone()
    }

    fn data_sources(&self) -> BTreeMap<String, Arc<dyn DataSource>> {
        self.data_sources.clone()
    }

    fn functions(&self) -> BTreeMap<String, Arc<dyn Function>> {
        let plan: Arc<dyn Function> = Arc::new(AddressPlan);
        let permissions: Arc<dyn Function> = Arc::new(RequiredPermissions);
        BTreeMap::from([
            ("address_plan".to_owned(), plan),
            ("required_permissions".to_owned(), permissions),
        ])
    }
}
