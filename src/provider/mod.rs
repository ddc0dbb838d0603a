//! What the user types: the provider block, the resource, the data source and the function, and what they mean.
//!
//! | room | holds |
//! |---|---|
//! | `settings` | the provider block: credentials for both clouds, default tags |
//! | `bgp_vpn` | the resource: configuration to link and back, plan, import |
//! | `engine` | the clouds behind resource and data source, and their failures in words |
//! | `name_taken` | what to do about an Azure name that another object has |
//! | `summary` | what a failed operation leaves behind |
//! | `status` | the data source: how the tunnels are right now |
//! | `address_plan` | the function: the addresses inside the tunnels |

pub mod address_plan;
pub mod bgp_vpn;
#[cfg(feature = "clouds")]
pub mod engine;
#[cfg(feature = "clouds")]
mod name_taken;
pub mod settings;
pub mod status;
mod summary;

use crate::plugin::{ConfigureRequest, DataSource, Diagnostics, Function, Provider, Resource, Schema, Value};
use address_plan::AddressPlan;
use async_trait::async_trait;
use settings::Configured;
use status::{BgpVpnStatus, StatusSource};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the provider is published.
pub const ADDRESS: &str = "registry.terraform.io/awsazure/awsazure";

/// The provider. What it offers is made once, before Configure, and shares [`Configured`].
#[derive(Default)]
pub struct Awsazure {
    configured: Configured,
    resources: BTreeMap<String, Arc<dyn Resource>>,
    data_sources: BTreeMap<String, Arc<dyn DataSource>>,
}

impl Awsazure {
    /// The provider block, as far as it is known, for whatever is added.
    pub fn configured(&self) -> Configured {
        self.configured.clone()
    }

    /// Adds a resource type.
    #[must_use]
    pub fn resource(mut self, name: &str, resource: impl Resource) -> Self {
        self.resources.insert(name.to_owned(), Arc::new(resource));
        self
    }

    /// Adds `awsazure_bgp_vpn_status`, read from `source`.
    #[must_use]
    pub fn status(mut self, source: impl StatusSource) -> Self {
        let status = BgpVpnStatus::new(self.configured(), Arc::new(source));
        self.data_sources.insert("awsazure_bgp_vpn_status".to_owned(), Arc::new(status));
        self
    }
}

/// The provider as it is served: everything that it offers registers here.
#[cfg(feature = "clouds")]
pub fn assemble() -> Awsazure {
    let provider = Awsazure::default();
    let engines = engine::Engines::new(provider.configured());
    let link = bgp_vpn::BgpVpn::new(engines.source());
    provider.resource(bgp_vpn::TYPE_NAME, link).status(engines)
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
        let (settings, faults) = settings::decode(&request.config);
        self.configured.set(settings);
        faults
    }

    fn resources(&self) -> BTreeMap<String, Arc<dyn Resource>> {
        self.resources.clone()
    }

    fn data_sources(&self) -> BTreeMap<String, Arc<dyn DataSource>> {
        self.data_sources.clone()
    }

    fn functions(&self) -> BTreeMap<String, Arc<dyn Function>> {
        let plan: Arc<dyn Function> = Arc::new(AddressPlan);
        BTreeMap::from([("address_plan".to_owned(), plan)])
    }
}
