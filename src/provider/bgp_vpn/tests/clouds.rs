//! Two clouds small enough for a test: what was asked for is there at once.

use super::super::backend::{ApplyOutcome, Backend, ImportedLink, ProgressCallback};
use crate::aws::credentials::ExpiringKeys;
use crate::aws::model::*;
use crate::azure::id::ResourceId;
use crate::azure::model as azure;
use async_trait::async_trait;
use bgp_vpn::lookup::{ImportId, InterruptedMove, LookupScope, TeardownSpec};
use bgp_vpn::managed::Kind;
use bgp_vpn::observed::Observed;
use bgp_vpn::preflight::{Lookup, PreflightRequest, PreflightSnapshot};
use bgp_vpn::spec::{AwsGateway, AwsNetwork, AzureGateway, Spec};
use bgp_vpn::stale_plan::ShownPlan;
use bgp_vpn::tunnel::{Instance, PerInstance, PerTunnel, TunnelKey};
use bgp_vpn::types::{Asn, Tags};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use terraform_plugin::{Cancel, Diagnostic, Diagnostics};

#[derive(Default)]
pub struct Clouds {
    pub there: Mutex<Observed>,
    pub survey: Mutex<PreflightSnapshot>,
    pub spec: Mutex<Option<Spec>>,
    /// Calls of any kind.
    pub calls: AtomicUsize,
    /// A converge ends with an error once this much of AWS stands.
    pub fails: Mutex<bool>,
    pub expiring_keys: Mutex<Option<ExpiringKeys>>,
    made: AtomicUsize,
}

pub fn resource(id: ResourceId, tags: Tags) -> azure::Resource {
    let state = azure::ProvisioningState::Succeeded;
    azure::Resource {
        id,
        location: "westeurope".into(),
        tags,
        etag: None,
        state,
        raw: serde_json::Value::Null,
    }
}

/// Every one of them has the same ASN.
fn transit_gateway(id: &TransitGatewayId) -> TransitGateway {
    let (asn, state) = (Asn(64_700), State::Available);
    TransitGateway {
        id: id.clone(),
        asn,
        state,
        associates: true,
        propagates: true,
        ecmp: true,
    }
}

impl Clouds {
    fn number(&self) -> usize {
        self.made.fetch_add(1, Ordering::Relaxed)
    }

    fn build_aws(&self, spec: &Spec, there: &mut Observed) {
        let n = self.number();
        let tags = spec.link.tags("x");
        let aws = &mut there.aws;
        if let AwsNetwork::Create { cidr, .. } = &spec.aws.network {
            aws.vpc.get_or_insert_with(|| {
                vpc(&format!("vpc-made{n}"), &cidr.to_string(), tags.clone())
            });
        } else if let AwsNetwork::Existing(id) = &spec.aws.network {
            aws.vpc = Some(vpc(&id.0, "10.2.0.0/16", Tags::new()));
        }
        let vpc_id = aws.vpc.as_ref().map(|vpc| vpc.id.clone());
        match &spec.aws.gateway {
            AwsGateway::ManagedVgw { asn } => {
                let attachment = vpc_id.clone().map(|id| (id, AttachmentState::Attached));
                let made = VpnGateway {
                    id: VpnGatewayId(format!("vgw-made{n}")),
                    asn: *asn,
                    state: State::Available,
                    attachment,
                    tags: tags.clone(),
                };
                aws.gateway.get_or_insert(made);
            }
            AwsGateway::ExistingVgw(id) => {
                aws.gateway = Some(VpnGateway {
                    id: id.clone(),
                    asn: Asn(7_224),
                    state: State::Available,
                    attachment: None,
                    tags: Tags::new(),
                });
            }
            AwsGateway::TransitGateway(id) => {
                (aws.vpc, aws.gateway, aws.transit_gateway) =
                    (None, None, Some(transit_gateway(id)));
            }
        }
        if !matches!(spec.aws.gateway, AwsGateway::TransitGateway(_)) {
            aws.transit_gateway = None;
        }
        aws.route_tables = (aws.vpc.iter().map(|vpc| vpc.id.clone()))
            .map(|vpc_id| RouteTable {
                id: RouteTableId(format!("rtb-{}", vpc_id.0)),
                vpc_id,
                main: true,
                subnets: Vec::new(),
                propagating: aws
                    .gateway
                    .iter()
                    .map(|gateway| gateway.id.clone())
                    .collect(),
                default_route: None,
                tags: Tags::new(),
            })
            .collect();
        let azure_asn = match &spec.azure.gateway {
            AzureGateway::Managed { asn, .. } => *asn,
            AzureGateway::Existing(_) => Asn(65_515),
        };
        for instance in Instance::ALL {
            let customer = aws.customer_gateways.get_mut(instance);
            if customer.as_ref().is_none_or(|c| c.asn != azure_asn) {
                let ip = [20, 0, 0, instance.index() as u8].into();
                *customer = Some(CustomerGateway {
                    id: CustomerGatewayId(format!("cgw-{n}-{instance}")),
                    ip,
                    asn: azure_asn,
                    device_name: None,
                    state: State::Available,
                    tags: tags.clone(),
                });
                *aws.vpn_connections.get_mut(instance) = None;
            }
            let customer_gateway_id = aws.customer_gateways.get(instance).clone().unwrap().id;
            let (phase1, phase2) = spec.policy.aws();
            let old = aws.vpn_connections.get(instance).clone();
            let outside = |key: TunnelKey| match &old {
                Some(_) => aws.outside_ips.get(key).unwrap(),
                None => [52, n as u8, instance.index() as u8, key.number].into(),
            };
            let tunnels = instance.tunnels().map(|key| Tunnel {
                outside_ip: outside(key),
                inside_cidr: Some(spec.inside_cidrs.get(key).net()),
                key: None,
                key_storage: Some(spec.aws.key_storage),
                telemetry: None,
                options: TunnelOptions {
                    startup_action: Some(spec.aws.startup_action.clone()),
                    dpd_timeout_action: Some(spec.aws.dpd_timeout_action.clone()),
                    dpd_timeout_seconds: Some(spec.aws.dpd_timeout_seconds),
                    phase1: phase1.clone(),
                    phase2: phase2.clone(),
                    logs: Some(spec.aws.logs.clone()),
                    ..TunnelOptions::default()
                },
            });
            for (key, tunnel) in instance.tunnels().into_iter().zip(&tunnels) {
                *aws.outside_ips.get_mut(key) = Some(tunnel.outside_ip);
            }
            let id = old.map_or_else(
                || VpnConnectionId(format!("vpn-{n}-{instance}")),
                |old| old.id,
            );
            *aws.vpn_connections.get_mut(instance) = Some(VpnConnection {
                id,
                state: State::Available,
                customer_gateway_id,
                target: match (&aws.gateway, &spec.aws.gateway) {
                    (_, AwsGateway::TransitGateway(id)) => {
                        TargetGateway::TransitGateway(id.clone())
                    }
                    (Some(gateway), _) => TargetGateway::VpnGateway(gateway.id.clone()),
                    (None, _) => TargetGateway::Other,
                },
                tunnels: tunnels.into(),
                accelerated: spec.aws.acceleration,
                bandwidth: spec.aws.bandwidth,
                static_routes_only: false,
                networks: Default::default(),
                tags: tags.clone(),
            });
        }
    }

    fn build_azure(&self, spec: &Spec, there: &mut Observed) {
        let (s, side) = (&spec.azure, &mut there.azure);
        let tags = spec.link.tags("x");
        let network = |kind: &str, name: &str| {
            ResourceId::network(&s.subscription, &s.resource_group, kind, name)
        };
        let group_tags = if s.create_resource_group {
            tags.clone()
        } else {
            Tags::new()
        };
        side.group.get_or_insert(azure::ResourceGroup {
            name: s.resource_group.clone(),
            location: s.location.clone(),
            tags: group_tags,
        });
        let id = s.network.id().clone();
        let made = matches!(s.network, bgp_vpn::spec::AzureNetwork::Create { .. });
        let mut names = vec!["GatewaySubnet".to_owned()];
        if let bgp_vpn::spec::AzureNetwork::Create { subnets, .. } = &s.network {
            names.extend(subnets.keys().cloned());
        }
        let subnets = names.into_iter().map(|name| azure::Subnet {
            id: id.child("subnets", &name),
            name,
            prefix: Some("10.1.1.0/27".parse().unwrap()),
            state: azure::ProvisioningState::Succeeded,
            security_group: None,
            ip_configurations: Vec::new(),
        });
        side.network = Some(azure::VirtualNetwork {
            resource: resource(id.clone(), if made { tags.clone() } else { Tags::new() }),
            address_space: vec!["10.1.0.0/16".parse().unwrap()],
            transit_space: Vec::new(),
            subnets: subnets.collect(),
        });
        let (id, sku, generation, asn, tagged) = match &s.gateway {
            AzureGateway::Managed {
                id,
                sku,
                generation,
                asn,
            } => (id.clone(), sku.clone(), generation.clone(), *asn, true),
            AzureGateway::Existing(id) => (
                id.clone(),
                "VpnGw2AZ".into(),
                "Generation2".into(),
                Asn(65_515),
                false,
            ),
        };
        // ARM answers in another casing than was asked in.
        let shouted =
            ResourceId::parse(&id.as_str().replace("resourceGroups", "RESOURCEGROUPS")).unwrap();
        let mut gateway = gateway(
            shouted,
            &sku,
            &generation,
            asn,
            if tagged { tags.clone() } else { Tags::new() },
        );
        gateway.resource.location = s.location.to_lowercase().replace(' ', "");
        for instance in Instance::ALL {
            let address = Some([20, 0, 0, instance.index() as u8].into());
            let ip = network("publicIPAddresses", s.names.public_ips.get(instance));
            *side.public_ips.get_mut(instance) = tagged.then(|| azure::PublicIp {
                resource: resource(ip, tags.clone()),
                address,
                sku: "Standard".into(),
                zones: Vec::new(),
                used_by: None,
            });
            gateway.instances[instance.index()].tunnel_ips = address.into_iter().collect();
        }
        side.gateway = Some(gateway);
        for key in TunnelKey::ALL {
            let local = network("localNetworkGateways", s.names.local_gateways.get(key));
            *side.local_gateways.get_mut(key) = Some(azure::LocalGateway {
                resource: resource(local, tags.clone()),
                gateway_ip: None,
                bgp: None,
                address_prefixes: Vec::new(),
            });
            let connection = network("connections", s.names.connections.get(key));
            *side.connections.get_mut(key) = Some(azure::Connection {
                resource: resource(connection, tags.clone()),
                gateway_id: Some(id.clone()),
                local_gateway_id: None,
                connection_type: "IPsec".into(),
                protocol: None,
                enable_bgp: true,
                mode: s.connection_mode,
                dpd_timeout_seconds: s.dpd_timeout_seconds,
                custom_bgp_ips: Vec::new(),
                policy: spec.azure_policy(),
                policy_based_selectors: false,
                traffic_selectors: 0,
                status: None,
            });
        }
    }
}

pub fn vpc(id: &str, cidr: &str, tags: Tags) -> Vpc {
    Vpc {
        id: VpcId(id.into()),
        cidr: cidr.parse().unwrap(),
        secondary_cidrs: Vec::new(),
        state: State::Available,
        tags,
    }
}

pub fn gateway(
    id: ResourceId,
    sku: &str,
    generation: &str,
    asn: Asn,
    tags: Tags,
) -> azure::Gateway {
    let instance = |name: &str| azure::GatewayInstance {
        ip_configuration_id: id.child("ipConfigurations", name),
        subnet_id: Some(
            ResourceId::network("s", "g", "virtualNetworks", "vnet1")
                .child("subnets", "GatewaySubnet"),
        ),
        public_ip_id: None,
        custom_bgp_ips: Vec::new(),
        default_bgp_ips: Vec::new(),
        tunnel_ips: Vec::new(),
    };
    let instances = vec![instance("a"), instance("b")];
    azure::Gateway {
        gateway_type: "Vpn".into(),
        sku: sku.into(),
        generation: generation.into(),
        active_active: true,
        enable_bgp: true,
        hides_radius_secret: false,
        asn,
        instances,
        resource: resource(id, tags),
    }
}

#[async_trait]
impl Backend for Clouds {
    async fn expiring_keys(&self) -> Option<ExpiringKeys> {
        self.expiring_keys.lock().unwrap().clone()
    }

    async fn observe(&self, _: &LookupScope, _: &Cancel) -> Result<Observed, Diagnostics> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        Ok(self.there.lock().unwrap().clone())
    }

    async fn interrupted_moves(
        &self,
        _scope: &LookupScope,
        _observed: &Observed,
        _cancel: &Cancel,
    ) -> Result<Vec<InterruptedMove>, Diagnostics> {
        Ok(Vec::new())
    }

    async fn preflight(
        &self,
        ask: &PreflightRequest,
        _: &Cancel,
    ) -> Result<PreflightSnapshot, Diagnostics> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut snapshot = self.survey.lock().unwrap().clone();
        if snapshot.group == Lookup::Skipped && ask.resource_group.is_some() {
            snapshot.group = Lookup::Found(azure::ResourceGroup {
                name: "g".into(),
                location: "westeurope".into(),
                tags: Tags::new(),
            });
        }
        if let Some(id) = &ask.transit_gateway {
            snapshot.transit_gateway = Lookup::Found(transit_gateway(id));
        }
        if snapshot.network == Lookup::Skipped
            && let Some(id) = &ask.network
        {
            let subnet = azure::Subnet {
                id: id.child("subnets", "GatewaySubnet"),
                name: "GatewaySubnet".into(),
                prefix: Some("10.1.1.0/27".parse().unwrap()),
                state: azure::ProvisioningState::Succeeded,
                security_group: None,
                ip_configurations: Vec::new(),
            };
            let space = vec!["10.1.0.0/16".parse().unwrap()];
            snapshot.network = match id.name() {
                "new" => Lookup::NotFound,
                _ => Lookup::Found(azure::VirtualNetwork {
                    resource: resource(id.clone(), Tags::new()),
                    address_space: space,
                    transit_space: Vec::new(),
                    subnets: vec![subnet],
                }),
            };
        }
        if snapshot.vpc == Lookup::Skipped
            && let Some(id) = &ask.vpc
        {
            snapshot.vpc = Lookup::Found(vpc(&id.0, "10.2.0.0/16", Tags::new()));
        }
        Ok(snapshot)
    }

    async fn converge(
        &self,
        spec: &Spec,
        _: &LookupScope,
        _: Duration,
        _: &Cancel,
        progress: ProgressCallback<'_>,
    ) -> ApplyOutcome {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut there = self.there.lock().unwrap();
        *self.spec.lock().unwrap() = Some(spec.clone());
        self.build_aws(spec, &mut there);
        progress(&there);
        if *self.fails.lock().unwrap() {
            return ApplyOutcome {
                observed: there.clone(),
                diagnostics: Diagnostic::error("The Azure gateway failed").into(),
                failed: true,
                ..ApplyOutcome::default()
            };
        }
        self.build_azure(spec, &mut there);
        ApplyOutcome {
            observed: there.clone(),
            ..ApplyOutcome::default()
        }
    }

    async fn teardown(
        &self,
        removal: &TeardownSpec,
        _: &LookupScope,
        _: Duration,
        _: &Cancel,
        _: ProgressCallback<'_>,
    ) -> ApplyOutcome {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut there = self.there.lock().unwrap();
        if removal.managed.ids(Kind::AzureConnection).next().is_some() {
            *there = Observed::default();
        } else {
            there.aws.vpn_connections = PerInstance::default();
            there.aws.customer_gateways = PerInstance::default();
            there.aws.outside_ips = PerTunnel::default();
            there.aws.gateway = there
                .aws
                .gateway
                .take()
                .filter(|g| !removal.managed.has(Kind::AwsVpnGateway, &g.id.0));
            there.aws.vpc = there
                .aws
                .vpc
                .take()
                .filter(|vpc| !removal.managed.has(Kind::AwsVpc, &vpc.id.0));
        }
        ApplyOutcome {
            observed: there.clone(),
            ..ApplyOutcome::default()
        }
    }

    async fn discover(&self, id: &ImportId, _: &Cancel) -> Result<ImportedLink, Diagnostics> {
        let spec = self
            .spec
            .lock()
            .unwrap()
            .clone()
            .ok_or_else(|| Diagnostics::from(Diagnostic::error("no link")))?;
        let known = bgp_vpn::known_ids::KnownIds {
            resource_group: Some(id.azure_gateway.resource_group().to_owned()),
            transit_gateway: self
                .there
                .lock()
                .unwrap()
                .aws
                .transit_gateway
                .as_ref()
                .map(|gateway| gateway.id.clone()),
            ..Default::default()
        };
        Ok(ImportedLink {
            observed: self.there.lock().unwrap().clone(),
            link: spec.link,
            name: spec.name,
            inside_cidrs: spec.inside_cidrs,
            region: spec.aws.region,
            known,
            shared_customer_gateways: Vec::new(),
            complete: true,
        })
    }

    fn drift(&self, _: &Spec, _: &Observed) -> Vec<String> {
        Vec::new()
    }

    fn changes_since_plan(
        &self,
        _: Option<&Spec>,
        _: &Spec,
        _: &Observed,
        _: &ShownPlan,
    ) -> Vec<String> {
        Vec::new()
    }

    fn checks_account(&self) -> bool {
        false
    }

    fn default_tags(&self) -> Tags {
        Tags::new()
    }

    fn is_configured(&self) -> bool {
        true
    }

    fn default_region(&self) -> Option<String> {
        Some("eu-west-1".into())
    }

    fn subscription(&self) -> Option<String> {
        Some("s".into())
    }
}
