//! Decisions about keys, one case a line of the table: what both ends have, what is configured, and
//! what follows.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::aws::{
    Bandwidth, CustomerGatewayId, Logs, NetworkCidrs, Region, State, TargetGateway, Tunnel,
    TunnelOptions, VpnConnection, VpnConnectionId, VpnGatewayId,
};
use crate::azure::id::ResourceId;
use crate::azure::model::{Connection, ConnectionMode, ProvisioningState, Resource};
use crate::inside_cidr::Slot;
use crate::ipsec::IpsecPolicy;
use crate::names::{AwsNames, AzureNames};
use crate::ownership_tags::LinkId;
use crate::spec::{
    AwsGateway, AwsNetwork, AwsSpec, AzureGateway, AzureNetwork, AzureSpec, PropagationTargets,
    Removals,
};
use crate::tunnel::PerTunnel;
use crate::types::Tags;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

const KEY: TunnelKey = TunnelKey::ALL[0];
const SUBSCRIPTION: &str = "00000000-0000-4000-a000-000000000001";

fn id(kind: &str, name: &str) -> ResourceId {
    ResourceId::network(SUBSCRIPTION, "rg", kind, name)
}

fn psk(text: &str) -> PreSharedKey {
    PreSharedKey::parse(text).unwrap()
}

fn spec() -> Spec {
    let inside_cidrs = Slot::default().inside_cidrs();
    Spec {
        name: "link".to_owned(),
        link: LinkId::from_tag("link"),
        azure: AzureSpec {
            subscription: SUBSCRIPTION.to_owned(),
            resource_group: "rg".to_owned(),
            create_resource_group: false,
            location: "westeurope".to_owned(),
            zones: None,
            network: AzureNetwork::Existing {
                id: id("virtualNetworks", "vnet"),
                gateway_subnet_prefix: None,
            },
            gateway: AzureGateway::Existing(id("virtualNetworkGateways", "gateway")),
            connection_mode: ConnectionMode::ResponderOnly,
            dpd_timeout_seconds: 45,
            names: AzureNames::of("link"),
        },
        aws: AwsSpec {
            transit_routing: Default::default(),
            region: Region("eu-central-1".to_owned()),
            network: AwsNetwork::FromGateway,
            gateway: AwsGateway::ExistingVgw(VpnGatewayId("vgw-1".to_owned())),
            route_tables: PropagationTargets::Default,
            startup_action: "start".to_owned(),
            dpd_timeout_action: "restart".to_owned(),
            dpd_timeout_seconds: 30,
            key_storage: KeyStorage::Standard,
            acceleration: false,
            bandwidth: Bandwidth::Standard,
            recreates_for_bandwidth: false,
            tunnel_lifecycle_control: false,
            logs: Logs::default(),
            names: AwsNames::of("link"),
        },
        inside_cidrs,
        policy: IpsecPolicy::CloudDefault,
        tags: Tags::new(),
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

/// A tunnel whose ends have these keys.
fn observed(aws: Option<&str>, storage: KeyStorage, azure: KeyRead) -> Observed {
    let outside_ip = Ipv4Addr::new(203, 0, 113, 1);
    let tunnel = Tunnel {
        outside_ip,
        inside_cidr: None,
        key: aws.map(psk),
        key_storage: Some(storage),
        options: TunnelOptions::default(),
        telemetry: None,
    };
    let vpn = VpnConnection {
        id: VpnConnectionId("vpn-1".to_owned()),
        state: State::Available,
        customer_gateway_id: CustomerGatewayId("cgw-1".to_owned()),
        target: TargetGateway::VpnGateway(VpnGatewayId("vgw-1".to_owned())),
        tunnels: vec![tunnel],
        static_routes_only: false,
        networks: NetworkCidrs::default(),
        accelerated: false,
        bandwidth: Bandwidth::Standard,
        tags: Tags::new(),
    };
    let connection = Connection {
        resource: Resource {
            id: id("connections", "link"),
            location: "westeurope".to_owned(),
            tags: Tags::new(),
            etag: None,
            state: ProvisioningState::Succeeded,
            raw: serde_json::Value::Null,
        },
        gateway_id: Some(id("virtualNetworkGateways", "gateway")),
        local_gateway_id: None,
        connection_type: "IPsec".to_owned(),
        protocol: Some("IKEv2".to_owned()),
        enable_bgp: true,
        mode: ConnectionMode::ResponderOnly,
        dpd_timeout_seconds: 45,
        custom_bgp_ips: Vec::new(),
        policy: None,
        policy_based_selectors: false,
        traffic_selectors: 0,
        status: None,
    };
    let mut observed = Observed::default();
    *observed.aws.outside_ips.get_mut(KEY) = Some(outside_ip);
    *observed.aws.vpn_connections.get_mut(KEY.instance) = Some(vpn);
    *observed.azure.connections.get_mut(KEY) = Some(connection);
    *observed.azure.keys.get_mut(KEY) = azure;
    observed
}

fn read(text: &str) -> KeyRead {
    KeyRead::Value(psk(text))
}

fn configured(applies: bool) -> Spec {
    let mut spec = Spec {
        applies_configured_keys: applies,
        ..spec()
    };
    *spec.configured_keys.get_mut(KEY) = Some(psk("configured"));
    spec
}

fn in_secrets_manager(mut spec: Spec) -> Spec {
    spec.aws.key_storage = KeyStorage::SecretsManager;
    spec
}

fn rotating(mut spec: Spec) -> Spec {
    spec.rotation = Some(KeyRotation::new(&spec.link, "2026-11"));
    spec
}

fn without_vpn_connection(mut observed: Observed) -> Observed {
    *observed.aws.vpn_connections.get_mut(KEY.instance) = None;
    *observed.aws.outside_ips.get_mut(KEY) = None;
    observed
}

fn without_connection(mut observed: Observed) -> Observed {
    *observed.azure.connections.get_mut(KEY) = None;
    *observed.azure.keys.get_mut(KEY) = KeyRead::NotRequested;
    observed
}

fn with_rotation_tag(spec: &Spec, mut observed: Observed) -> Observed {
    let tag = spec.rotation.as_ref().unwrap().tag(KEY);
    observed
        .aws
        .vpn_connections
        .get_mut(KEY.instance)
        .as_mut()
        .unwrap()
        .tags
        .extend(tag);
    observed
}

#[test]
fn existing_endpoint_keeps_or_copies_its_key() {
    use KeyStorage::Standard;
    for (azure, expected) in [
        (read("same_key"), KeyAction::Keep),
        (read("another_key"), KeyAction::CopyToAzure),
        (KeyRead::NotSet, KeyAction::CopyToAzure),
        (KeyRead::Forbidden, KeyAction::Keep),
        (KeyRead::NotRequested, KeyAction::Keep),
    ] {
        let there = observed(Some("same_key"), Standard, azure.clone());
        assert_eq!(key_action(&spec(), &there, KEY), expected, "{azure:?}");
        assert_eq!(desired_key(&spec(), &there, KEY), Some(psk("same_key")));
    }
    let there = without_connection(observed(Some("same_key"), Standard, KeyRead::NotRequested));
    assert_eq!(key_action(&spec(), &there, KEY), KeyAction::CopyToAzure);
}

#[test]
fn configured_key_replaces_key_only_when_applied() {
    let there = || observed(Some("same_key"), KeyStorage::Standard, read("same_key"));
    assert_eq!(
        key_action(&configured(false), &there(), KEY),
        KeyAction::Keep
    );
    assert_eq!(
        key_action(&configured(true), &there(), KEY),
        KeyAction::UseConfigured
    );
    assert_eq!(
        desired_key(&configured(true), &there(), KEY),
        Some(psk("configured"))
    );
    let done = observed(Some("configured"), KeyStorage::Standard, read("same_key"));
    assert_eq!(
        key_action(&configured(true), &done, KEY),
        KeyAction::CopyToAzure
    );
    let done = observed(Some("configured"), KeyStorage::Standard, read("configured"));
    assert_eq!(key_action(&configured(true), &done, KEY), KeyAction::Keep);
}

#[test]
fn rotation_gives_new_key_until_tagged() {
    let there = || observed(Some("same_key"), KeyStorage::Standard, read("same_key"));
    let spec = rotating(spec());
    assert_eq!(key_action(&spec, &there(), KEY), KeyAction::Generate);
    assert_eq!(
        key_action(&spec, &with_rotation_tag(&spec, there()), KEY),
        KeyAction::Keep
    );
    assert_eq!(endpoint_key_reasons(&spec, &there(), KEY).len(), 1);
    // With configured keys only the tunnels that have one are rotated.
    let hidden = || observed(None, KeyStorage::SecretsManager, read("same_key"));
    let own = rotating(in_secrets_manager(configured(true)));
    assert_eq!(key_action(&own, &hidden(), KEY), KeyAction::UseConfigured);
    let others = Spec {
        configured_keys: PerTunnel::default(),
        ..own
    };
    assert_eq!(key_action(&others, &hidden(), KEY), KeyAction::Keep);
}

#[test]
fn storage_moves_with_desired_key() {
    let there = observed(Some("same_key"), KeyStorage::Standard, read("same_key"));
    assert_eq!(
        key_action(&in_secrets_manager(spec()), &there, KEY),
        KeyAction::MoveStorage
    );
    let hidden = observed(None, KeyStorage::SecretsManager, read("same_key"));
    assert_eq!(key_action(&spec(), &hidden, KEY), KeyAction::MoveStorage);
    assert_eq!(desired_key(&spec(), &hidden, KEY), Some(psk("same_key")));
    assert_eq!(
        key_action(&rotating(spec()), &hidden, KEY),
        KeyAction::Generate
    );
}

#[test]
fn unrecoverable_key_is_replaced_at_both_ends() {
    let spec = in_secrets_manager(spec());
    let hidden = |azure| observed(None, KeyStorage::SecretsManager, azure);
    assert_eq!(
        key_action(&spec, &hidden(KeyRead::NotSet), KEY),
        KeyAction::Generate
    );
    assert_eq!(
        key_action(
            &spec,
            &without_connection(hidden(KeyRead::NotRequested)),
            KEY
        ),
        KeyAction::Generate
    );
    assert_eq!(
        key_action(&spec, &hidden(KeyRead::Forbidden), KEY),
        KeyAction::Keep
    );
    let own = in_secrets_manager(configured(false));
    assert_eq!(
        key_action(&own, &hidden(KeyRead::NotSet), KEY),
        KeyAction::UseConfigured
    );
    assert_eq!(
        azure_key_reasons(&spec, &hidden(KeyRead::NotSet), KEY, true).len(),
        1
    );
    let mut written = hidden(KeyRead::NotSet);
    *written.aws.written_keys.get_mut(KEY) = Some(psk("written_key"));
    assert_eq!(key_action(&spec, &written, KEY), KeyAction::CopyToAzure);
    assert_eq!(desired_key(&spec, &written, KEY), Some(psk("written_key")));
}

#[test]
fn new_endpoint_takes_over_azure_key_if_hidden() {
    let there = |azure| without_vpn_connection(observed(None, KeyStorage::Standard, azure));
    let hidden = in_secrets_manager(spec());
    assert_eq!(
        key_action(&spec(), &there(read("same_key")), KEY),
        KeyAction::Generate
    );
    assert_eq!(
        key_action(&configured(false), &there(read("same_key")), KEY),
        KeyAction::UseConfigured
    );
    assert_eq!(
        key_action(&hidden, &there(read("same_key")), KEY),
        KeyAction::CopyToAws
    );
    assert_eq!(
        key_action(&hidden, &there(KeyRead::Forbidden), KEY),
        KeyAction::Generate
    );
    assert_eq!(
        key_action(&hidden, &without_connection(there(KeyRead::NotSet)), KEY),
        KeyAction::Generate
    );
    let changing = [
        rotating(hidden.clone()),
        in_secrets_manager(configured(true)),
    ];
    let expected = [KeyAction::Generate, KeyAction::UseConfigured];
    assert_eq!(
        changing
            .each_ref()
            .map(|spec| key_action(spec, &there(read("same_key")), KEY)),
        expected
    );
    // Azure follows every new endpoint.
    assert_eq!(
        azure_key_reasons(&hidden, &there(read("same_key")), KEY, false).len(),
        1
    );
    assert!(rotation_tag_pending(
        &rotating(hidden.clone()),
        &there(read("same_key")),
        KEY
    ));
    assert!(!rotation_tag_pending(
        &hidden,
        &there(read("same_key")),
        KEY
    ));
}
