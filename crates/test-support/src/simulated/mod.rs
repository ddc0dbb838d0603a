//! Both clouds in memory behind the real SDKs, under tokio's paused clock: half an hour passes as
//! fast as the code runs.

pub mod attribute_rows;
pub mod attributes;
pub mod availability;
pub mod clock;
pub mod configuration;
pub mod correction;
pub mod environment;
pub mod external_changes;
pub mod fault_point;
pub mod fault_sweep;
pub mod fingerprint;
pub mod foreign;
mod foreign_gateways;
pub mod isolation_checker;
pub mod leak_checker;
pub mod lifecycle;
pub mod log_recorder;
pub mod other_team;
pub mod scenario_gen;
pub mod scripted_run;
pub mod shared_gateway;
pub mod sweep_stats;
pub mod terraform_core;
pub mod tunnel_watch;
pub mod verify;
pub mod wire;

use self::verify::managed;
use self::wire::Wire;
use aws_smithy_runtime_api::client::http::{SharedHttpClient, SharedHttpConnector, http_client_fn};
use awsazure::aws::model::{Bandwidth, KeyStorage, Logs, Region};
use awsazure::aws::{Aws, ClientOverrides, Settings as AwsSettings, TokioTimeSource};
use awsazure::azure::credentials::CredentialSettings;
use awsazure::azure::{Azure, AzureSettings, ResourceId};
use awsazure::reconcile::{CloudClients, OperationContext, ReconcileOutcome, converge, teardown};
use awsazure_sandbox::azure::AzureCloud;
use awsazure_sandbox::in_process::Sandbox;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::{Settings, World};
use bgp_vpn::adoption::Adoption;
use bgp_vpn::inside_cidr::Slot;
use bgp_vpn::ipsec::Preset;
use bgp_vpn::known_ids::KnownIds;
use bgp_vpn::lookup::{AttachmentReads, LookupScope, TeardownSpec};
use bgp_vpn::managed::Managed;
use bgp_vpn::names::{AwsNames, AzureNames};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::spec::{
    AwsGateway, AwsNetwork, AwsSpec, AzureGateway, AzureNetwork, AzureSpec, PropagationTargets,
    Removals, Spec, TransitRouting,
};
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use bgp_vpn::types::Asn;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Two simulated clouds and clients for them.
pub struct Sim {
    pub sandbox: Sandbox,
    pub clouds: CloudClients,
    pub wire: Wire,
    seed: u64,
    /// The date when it began, for signatures.
    origin: SystemTime,
}

/// No request or response of a test may violate the schemas of the clouds.
impl Drop for Sim {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let world = self.sandbox.world();
            assert_eq!(
                world.validator.violations,
                0,
                "the clouds' schemas were broken:\n{}",
                world.validator.report()
            );
        }
    }
}

/// Whether an operation of the call log changes nothing.
pub fn is_read(operation: &str) -> bool {
    let reads = [
        "Describe", "Get", "List", "Metadata", "Token", "Assume", "DryRun", "Check",
    ];
    // The name of the GET too, which is the only call of the provider.
    operation == "RegisterProvider" || reads.iter().any(|start| operation.starts_with(start))
}

pub const REGION: &str = "eu-west-1";

impl Sim {
    /// Half of the worlds list BGP peers by the gateway's own addresses.
    pub fn new(seed: u64) -> Self {
        Self::with(
            seed,
            Settings {
                peers_by_own_address: seed % 2 == 1,
                ..Settings::default()
            },
        )
    }

    pub fn with(seed: u64, settings: Settings) -> Self {
        Self::of(seed, World::new(seed, settings))
    }

    /// A world that goes on from where it stood.
    pub fn of(seed: u64, world: World) -> Self {
        let origin = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let origin =
            origin + Duration::from_millis(world.now().0 / world.settings.time_scale.max(1));
        let settings = world.settings.clone();
        let sandbox = Sandbox::of(world);
        let wire = Wire::new(sandbox.clone());
        let clouds = clients(&wire, &settings, seed, TokioTimeSource::starting(origin));
        Sim {
            sandbox,
            clouds,
            wire,
            seed,
            origin,
        }
    }

    /// The same clouds with clients of another user's.
    pub fn of_actor(&self, actor: &'static str) -> Self {
        let wire = self.wire.of(actor);
        let (sandbox, seed, origin) = (self.sandbox.clone(), self.seed, self.origin);
        let clouds = clients(
            &wire,
            &sandbox.world().settings.clone(),
            seed,
            TokioTimeSource::starting(origin),
        );
        Sim {
            sandbox,
            clouds,
            wire,
            seed,
            origin,
        }
    }

    /// Clients as a new process has them: nothing known, not logged in.
    pub fn process(&self) -> CloudClients {
        let settings = self.sandbox.world().settings.clone();
        let by_now = Duration::from_millis(self.sandbox.elapsed_ms());
        clients(
            &self.wire,
            &settings,
            self.seed,
            TokioTimeSource::starting(self.origin + by_now),
        )
    }

    pub fn subscription(&self) -> String {
        self.clouds.azure.subscription().to_owned()
    }

    /// The quickstart: a link that makes its own networks, in a slot.
    pub fn spec(&self, name: &str, slot: u64) -> Spec {
        let (group, subscription) = (format!("{name}-rg"), self.subscription());
        let network = ResourceId::network(
            &subscription,
            &group,
            "virtualNetworks",
            &format!("{name}-vnet"),
        );
        let names = AzureNames::of(name);
        let gateway = ResourceId::network(
            &subscription,
            &group,
            "virtualNetworkGateways",
            &names.gateway,
        );
        let inside_cidrs = Slot::new(slot).unwrap().inside_cidrs();
        let net = |text: &str| text.parse().unwrap();
        Spec {
            name: name.to_owned(),
            link: LinkId::new(&network, *inside_cidrs.get(TunnelKey::ALL[0])),
            azure: AzureSpec {
                subscription,
                resource_group: group,
                create_resource_group: true,
                location: "westeurope".to_owned(),
                zones: None,
                network: AzureNetwork::Create {
                    id: network,
                    address_space: vec![net("10.1.0.0/16")],
                    gateway_subnet_prefix: net("10.1.1.0/24"),
                    subnets: BTreeMap::from([("frontend".to_owned(), net("10.1.0.0/24"))]),
                },
                gateway: AzureGateway::Managed {
                    id: gateway,
                    sku: "VpnGw2AZ".to_owned(),
                    generation: "Generation2".to_owned(),
                    asn: Asn(65000),
                },
                connection_mode: awsazure::azure::model::ConnectionMode::ResponderOnly,
                dpd_timeout_seconds: 45,
                names,
            },
            aws: AwsSpec {
                transit_routing: TransitRouting::default(),
                region: Region(REGION.to_owned()),
                network: AwsNetwork::Create {
                    cidr: net("10.2.0.0/16"),
                    public_subnet: Some(net("10.2.0.0/24")),
                },
                gateway: AwsGateway::ManagedVgw { asn: Asn(64512) },
                route_tables: PropagationTargets::Default,
                startup_action: "start".to_owned(),
                dpd_timeout_action: "restart".to_owned(),
                dpd_timeout_seconds: 30,
                key_storage: KeyStorage::Standard,
                tunnel_lifecycle_control: false,
                acceleration: false,
                bandwidth: Bandwidth::Standard,
                recreates_for_bandwidth: false,
                logs: Logs::default(),
                names: AwsNames::of(name),
            },
            inside_cidrs,
            policy: Preset::Strong.policy(),
            tags: BTreeMap::from([("team".to_owned(), "network".to_owned())]),
            configured_keys: PerTunnel::default(),
            applies_configured_keys: false,
            rotation: None,
            wait_for_bgp: true,
            removals: Removals::default(),
            claims_gateways: false,
            preexisting_addresses: BTreeSet::new(),
            preexisting_propagation: BTreeSet::new(),
            owned: BTreeSet::new(),
        }
    }

    pub fn search(&self, spec: &Spec) -> LookupScope {
        let gateway = match &spec.aws.gateway {
            AwsGateway::ExistingVgw(id) => Some(id.clone()),
            _ => None,
        };
        let transit_gateway = match &spec.aws.gateway {
            AwsGateway::TransitGateway(id) => Some(id.clone()),
            _ => None,
        };
        let vpc = match &spec.aws.network {
            AwsNetwork::Existing(id) => Some(id.clone()),
            _ => None,
        };
        let known = KnownIds {
            vpc,
            vpn_gateway: gateway,
            transit_gateway,
            region: Some(spec.aws.region.clone()),
            resource_group: Some(spec.azure.resource_group.clone()),
            network: Some(spec.azure.network.id().clone()),
            azure_gateway: Some(spec.azure.gateway.id().clone()),
            ..KnownIds::default()
        };
        LookupScope {
            known,
            link: Some(spec.link.clone()),
            inside_cidrs: spec.inside_cidrs.clone(),
            names: Some(spec.azure.names.clone()),
            adoption: Adoption::of(spec),
            recorded_ids: Managed::default(),
            read_keys: true,
            attachment_reads: AttachmentReads::of(&spec.aws),
        }
    }

    /// By names and tags alone, as a create does.
    pub async fn converge(&self, spec: &Spec) -> ReconcileOutcome {
        self.converge_from(spec, &self.search(spec)).await
    }

    pub async fn converge_from(&self, spec: &Spec, search: &LookupScope) -> ReconcileOutcome {
        converge(&self.clouds, spec, search, &self.limits(), &|_| {}).await
    }

    /// Four simulated hours.
    pub fn limits(&self) -> OperationContext {
        OperationContext::with_timeout(Duration::from_secs(4 * 3600), &CancellationToken::new())
    }

    /// Lets simulated time pass in the clouds.
    pub async fn wait(&self, span: SimDuration) {
        let scale = self.sandbox.world().settings.time_scale;
        tokio::time::sleep(Duration::from_millis(span.0.div_ceil(scale))).await;
        self.sandbox.world().advance(self.sandbox.now());
    }

    /// What a state would know of the link after `seen`.
    pub fn search_after(&self, spec: &Spec, seen: &Observed) -> LookupScope {
        let mut search = self.search(spec);
        search.known.record(seen);
        search
    }

    /// What a destroy takes down.
    pub fn teardown_spec(&self, spec: &Spec, seen: &Observed) -> TeardownSpec {
        TeardownSpec {
            link: spec.link.clone(),
            managed: managed(spec, seen),
            region: spec.aws.region.clone(),
            subscription: self.subscription(),
            resource_group: spec.azure.resource_group.clone(),
            azure_gateway: Some(spec.azure.gateway.id().clone()),
            subnets: match &spec.azure.network {
                AzureNetwork::Create { subnets, .. } => subnets.keys().cloned().collect(),
                AzureNetwork::Existing { .. } => BTreeSet::new(),
            },
            own_bgp_addresses: match spec.azure.gateway {
                AzureGateway::Existing(_) => spec
                    .inside_cidrs
                    .iter()
                    .map(|(_, cidr)| cidr.azure_ip())
                    .collect(),
                AzureGateway::Managed { .. } => Vec::new(),
            },
            hands_over: None,
            stays: Managed::default(),
            moves_to: None,
        }
    }

    pub async fn demolish(&self, spec: &Spec, seen: &Observed) -> ReconcileOutcome {
        let what = self.teardown_spec(spec, seen);
        teardown(
            &self.clouds,
            &what,
            &self.search_after(spec, seen),
            &self.limits(),
            &|_| {},
        )
        .await
    }

    /// Every object of both clouds, as `kind id`.
    pub fn objects(&self) -> Vec<String> {
        let listing = self.sandbox.world().objects();
        let all = ["aws", "azure"]
            .into_iter()
            .flat_map(|cloud| listing[cloud].as_array().cloned().unwrap_or_default());
        all.map(|o| {
            format!(
                "{} {}",
                o["kind"].as_str().unwrap_or("?"),
                o["id"].as_str().unwrap_or("?")
            )
        })
        .collect()
    }
}

fn clients(wire: &Wire, settings: &Settings, seed: u64, time: TokioTimeSource) -> CloudClients {
    let connector = wire.clone();
    let http: SharedHttpClient =
        http_client_fn(move |_, _| SharedHttpConnector::new(connector.clone()));
    let time = aws_smithy_async::time::SharedTimeSource::new(time);
    let aws = AwsSettings {
        access_key: Some("AKIAEXAMPLE".to_owned()),
        secret_key: Some(wire::AWS_SECRET.to_owned()),
        region: Some(REGION.to_owned()),
        ..AwsSettings::default()
    };
    let aws = Aws::with(
        aws,
        ClientOverrides {
            http: Some(http),
            sleep: None,
            time: Some(time),
            seed: Some(seed),
        },
    );
    // The public cloud is found by its metadata, the others by their names.
    let environment = match settings.azure_cloud {
        AzureCloud::Public => None,
        AzureCloud::UsGovernment => Some("usgovernment"),
        AzureCloud::China => Some("china"),
    };
    let credentials = CredentialSettings {
        tenant_id: Some(settings.tenant_id.clone()),
        client_id: Some(settings.client_id.clone()),
        client_secret: Some(settings.client_secret.clone()),
        subscription_id: Some(settings.subscription_id.clone()),
        metadata_host: environment.is_none().then(|| "arm.sandbox".to_owned()),
        environment: environment.map(str::to_owned),
        ..CredentialSettings::from_env(&|_| None)
    };
    let azure = AzureSettings {
        credentials,
        http: Some(Arc::new(wire.clone())),
        seed: Some(seed),
        ..AzureSettings::default()
    };
    CloudClients {
        azure: Azure::new(azure).expect("settings"),
        aws,
    }
}
