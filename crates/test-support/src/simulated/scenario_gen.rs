//! What a seed decides before anything runs: the world's temper, the ground on which a link is
//! built, and the link itself.

use super::{REGION, Sim};
use awsazure::aws::IdempotencyKey;
use awsazure::aws::model::{KeyStorage, LogGroup, Logs, Region};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::model::ConnectionMode;
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use awsazure_sandbox::world::Settings;
use bgp_vpn::inside_cidr::Slot;
use bgp_vpn::ipsec::{IpsecPolicy, Preset};
use bgp_vpn::observed::Observed;
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::spec::{
    AwsGateway, AwsNetwork, AzureGateway, AzureNetwork, PropagationTargets, Removals, Spec,
};
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// One of several, all as likely.
pub fn pick<T: Clone>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.below(all.len() as u64) as usize].clone()
}

/// True once in so many times.
pub fn once_in(rng: &mut Rng, many: u64) -> bool {
    rng.below(many) == 0
}

/// A world that answers quickly or slowly, and asks for the same patience always or for more and
/// more.
pub fn cloud_settings(rng: &mut Rng) -> Settings {
    Settings {
        latency: SimDuration(20 + rng.below(400)),
        growing_retry_after: once_in(rng, 4),
        ..Settings::default()
    }
}

pub fn policy(rng: &mut Rng) -> IpsecPolicy {
    pick(
        rng,
        &[
            Preset::Strong,
            Preset::Strong,
            Preset::Compatible,
            Preset::CloudDefault,
        ],
    )
    .policy()
}

/// Who initiates; at least one end does.
pub fn initiators(rng: &mut Rng) -> (ConnectionMode, String) {
    let ways = [
        (ConnectionMode::ResponderOnly, "start"),
        (ConnectionMode::ResponderOnly, "start"),
        (ConnectionMode::Default, "start"),
        (ConnectionMode::Default, "add"),
        (ConnectionMode::InitiatorOnly, "add"),
    ];
    let (mode, startup) = pick(rng, &ways);
    (mode, startup.to_owned())
}

pub fn tags(rng: &mut Rng) -> Tags {
    let all = [
        ("team", "network"),
        ("cost", "4711"),
        ("env", "prod"),
        ("owner", "Zoë & Søn"),
    ];
    let chosen = all.into_iter().filter(|_| rng.below(2) == 0);
    chosen
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A link that stands on its own: networks that it makes, or that are there already.
pub async fn alone(sim: &Sim, rng: &mut Rng) -> Spec {
    let mut spec = sim.spec("prod", rng.below(u64::from(Slot::COUNT)));
    if once_in(rng, 3) {
        existing_azure_network(sim, rng, &mut spec).await;
    }
    match rng.below(4) {
        0 => existing_vpc(sim, &mut spec).await,
        1 => {
            if let AwsNetwork::Create { public_subnet, .. } = &mut spec.aws.network {
                *public_subnet = None;
            }
        }
        _ => {}
    }
    if let AzureGateway::Managed {
        sku,
        generation,
        asn,
        ..
    } = &mut spec.azure.gateway
    {
        let (new_sku, new_generation) = pick(
            rng,
            &[
                ("VpnGw2AZ", "Generation2"),
                ("VpnGw1AZ", "Generation1"),
                ("VpnGw3AZ", "Generation2"),
            ],
        );
        (*sku, *generation) = (new_sku.to_owned(), new_generation.to_owned());
        *asn = Asn(pick(rng, &[65000, 65515, 65010]));
    }
    if let AwsGateway::ManagedVgw { asn } = &mut spec.aws.gateway {
        *asn = Asn(pick(rng, &[64512, 64600, 4_200_000_100]));
    }
    common(rng, &mut spec);
    spec
}

/// Another link on the Azure gateway of one that is complete, and on its VGW or one of its own.
pub fn on_gateways_of(sim: &Sim, rng: &mut Rng, neighbour: &Spec, seen: &Observed) -> Spec {
    let taken = u64::from(Slot::of(&neighbour.inside_cidrs).map_or(0, Slot::number));
    let slot = (taken + 1 + rng.below(u64::from(Slot::COUNT) - 1)) % u64::from(Slot::COUNT);
    let mut spec = sim.spec("second", slot);
    let network = neighbour.azure.network.id().clone();
    spec.link = LinkId::new(&network, *spec.inside_cidrs.get(TunnelKey::ALL[0]));
    spec.azure.network = AzureNetwork::Existing {
        id: network,
        gateway_subnet_prefix: None,
    };
    spec.azure.gateway = AzureGateway::Existing(neighbour.azure.gateway.id().clone());
    if once_in(rng, 2) {
        spec.azure.resource_group = neighbour.azure.resource_group.clone();
        spec.azure.create_resource_group = false;
    }
    if once_in(rng, 2) {
        spec.aws.network = AwsNetwork::FromGateway;
        spec.aws.gateway = AwsGateway::ExistingVgw(seen.aws.gateway.as_ref().unwrap().id.clone());
    }
    common(rng, &mut spec);
    spec
}

fn common(rng: &mut Rng, spec: &mut Spec) {
    spec.policy = policy(rng);
    (spec.azure.connection_mode, spec.aws.startup_action) = initiators(rng);
    spec.azure.dpd_timeout_seconds = pick(rng, &[45, 45, 9, 120]);
    spec.aws.dpd_timeout_seconds = pick(rng, &[30, 30, 45]);
    spec.wait_for_bgp = !once_in(rng, 4);
    spec.tags = tags(rng);
    if once_in(rng, 3) {
        spec.aws.key_storage = KeyStorage::SecretsManager;
    }
    spec.aws.logs = logs(rng);
}

pub fn logs(rng: &mut Rng) -> Logs {
    let mut group = |name: &str| {
        let arn = format!("arn:aws:logs:{REGION}:123456789012:log-group:{name}");
        once_in(rng, 4).then(|| LogGroup {
            arn,
            format: pick(rng, &["json", "text"]).to_owned(),
        })
    };
    Logs {
        tunnel: group("vpn"),
        bgp: group("bgp"),
    }
}

/// Another user's resource group with a VNet in it, with a gateway subnet or without.
async fn existing_azure_network(sim: &Sim, rng: &mut Rng, spec: &mut Spec) {
    let azure = &sim.clouds.azure;
    let ctx = sim.limits().call_context();
    azure
        .create_group("hub-rg", "westeurope", &Tags::new(), &ctx)
        .await
        .unwrap();
    let id = ResourceId::network(&sim.subscription(), "hub-rg", "virtualNetworks", "hub");
    let with_subnet = once_in(rng, 2);
    let mut subnets = vec![("app".to_owned(), "10.1.0.0/24".parse().unwrap())];
    if with_subnet {
        subnets.push(("GatewaySubnet".to_owned(), "10.1.1.0/24".parse().unwrap()));
    }
    let address_space = vec!["10.1.0.0/16".parse().unwrap()];
    let new = NewVirtualNetwork {
        location: "westeurope".to_owned(),
        address_space,
        subnets,
        tags: Tags::new(),
    };
    azure
        .create_virtual_network(&id, &new, &|_| true, &ctx)
        .await
        .unwrap();
    spec.link = LinkId::new(&id, *spec.inside_cidrs.get(TunnelKey::ALL[0]));
    let gateway_subnet_prefix = (!with_subnet).then(|| "10.1.1.0/24".parse().unwrap());
    spec.azure.network = AzureNetwork::Existing {
        id,
        gateway_subnet_prefix,
    };
    if once_in(rng, 2) {
        spec.azure.resource_group = "hub-rg".to_owned();
        spec.azure.create_resource_group = false;
        let gateway = ResourceId::network(
            &sim.subscription(),
            "hub-rg",
            "virtualNetworkGateways",
            spec.azure.gateway.id().name(),
        );
        if let AzureGateway::Managed { id, .. } = &mut spec.azure.gateway {
            *id = gateway;
        }
    }
}

async fn existing_vpc(sim: &Sim, spec: &mut Spec) {
    let limits = sim.limits();
    let ctx = limits.call_context();
    let ec2 = sim
        .clouds
        .aws
        .region(&ctx, Some(&Region(REGION.to_owned())))
        .await
        .unwrap();
    let tags = BTreeMap::from([("Name".to_owned(), "workloads".to_owned())]);
    let made = ec2
        .create_vpc(
            &ctx,
            "10.2.0.0/16".parse().unwrap(),
            &tags,
            IdempotencyKey::new(&tags),
        )
        .await
        .unwrap();
    ec2.wait_vpc_available(&ctx, &made.id).await.unwrap();
    spec.aws.network = AwsNetwork::Existing(made.id);
}

/// One thing or several that a user changes in place. Says what.
pub fn change(rng: &mut Rng, spec: &mut Spec, seen: &Observed) -> Vec<&'static str> {
    let mut story = Vec::new();
    spec.removals = Removals::default();
    for _ in 0..1 + rng.below(2) {
        story.push(match rng.below(10) {
            0 => {
                spec.policy = policy(rng);
                "policy"
            }
            1 => {
                (spec.azure.connection_mode, spec.aws.startup_action) = initiators(rng);
                "dialling"
            }
            2 => {
                spec.azure.dpd_timeout_seconds = pick(rng, &[20, 45, 60]);
                "Azure's DPD"
            }
            3 => {
                spec.aws.dpd_timeout_seconds = pick(rng, &[30, 40, 60]);
                "AWS's DPD"
            }
            4 => {
                spec.tags.extend(tags(rng));
                spec.tags
                    .insert("version".to_owned(), rng.below(10).to_string());
                "tags"
            }
            5 if matches!(spec.azure.gateway, AzureGateway::Managed { .. }) => {
                let slot = Slot::new(rng.below(u64::from(Slot::COUNT))).unwrap();
                let before = std::mem::replace(&mut spec.inside_cidrs, slot.inside_cidrs());
                let now: Vec<_> = spec
                    .inside_cidrs
                    .iter()
                    .map(|(_, cidr)| cidr.azure_ip())
                    .collect();
                let gone = before
                    .iter()
                    .map(|(key, cidr)| (key.instance, cidr.azure_ip()));
                spec.removals
                    .addresses
                    .extend(gone.filter(|(_, ip)| !now.contains(ip)));
                "slot"
            }
            6 => {
                let own = PreSharedKey::from_cloud(&format!("user.given_{}", rng.hex(20)));
                let all = once_in(rng, 2);
                let one = pick(rng, &TunnelKey::ALL);
                spec.configured_keys =
                    PerTunnel::from_fn(|key| (all || key == one).then(|| own.clone()));
                "keys"
            }
            7 => {
                spec.aws.key_storage = match spec.aws.key_storage {
                    KeyStorage::Standard => KeyStorage::SecretsManager,
                    KeyStorage::SecretsManager => KeyStorage::Standard,
                };
                "key storage"
            }
            8 => {
                spec.aws.logs = logs(rng);
                "logs"
            }
            _ => {
                let off = matches!(spec.aws.route_tables, PropagationTargets::Default)
                    && matches!(spec.aws.gateway, AwsGateway::ManagedVgw { .. });
                spec.removals.route_tables.clear();
                if off {
                    spec.aws.route_tables = PropagationTargets::Explicit(BTreeSet::new());
                    spec.removals
                        .route_tables
                        .extend(seen.aws.route_tables.iter().map(|table| table.id.clone()));
                } else {
                    spec.aws.route_tables = PropagationTargets::Default;
                }
                "route tables"
            }
        });
    }
    story
}
