//! Bad input is refused at its attribute.

use super::core::Core;
use super::{VNET, nine_lines, with};
use crate::aws::model::{State, VpnGateway, VpnGatewayId};
use crate::azure::id::ResourceId;
use crate::azure::model::{ProvisioningState, Subnet, VirtualNetwork};
use crate::link::survey::Looked;
use crate::plugin::Value;
use crate::primitives::{Asn, Tags};

async fn paths(core: &Core, config: &Value) -> Vec<String> {
    let told = core.plan(config).await.diagnostics;
    let errors = told.iter().filter(|d| d.is_error());
    errors
        .map(|d| {
            assert!(d.detail.len() > 20);
            d.path.as_ref().unwrap().to_string()
        })
        .collect()
}

#[tokio::test]
async fn what_needs_no_cloud_is_refused_at_its_attribute() {
    let bad: Vec<(&str, &str, Value)> = vec![
        ("azure.asn", "azure.asn", 64_512_u32.into()),
        ("azure.asn", "azure.asn", 23_456_u32.into()),
        ("aws.asn", "aws.asn", 65_515_u32.into()),
        ("inside_cidrs.instance0_tunnel1", "inside_cidrs.instance0_tunnel1", "169.254.21.0/29".into()),
        ("inside_cidrs.instance0_tunnel1", "inside_cidrs.instance0_tunnel1", "169.254.21.2/30".into()),
        ("inside_cidrs.instance0_tunnel1", "inside_cidrs.instance0_tunnel1", "169.254.5.0/30".into()),
        ("inside_cidrs.instance0_tunnel1", "inside_cidrs.instance0_tunnel2", "169.254.22.0/30".into()),
        ("slot", "slot", 32_u32.into()),
        ("azure.sku", "azure.sku", "VpnGw2".into()),
        ("azure.sku", "azure.sku", "Basic".into()),
        ("azure.generation", "azure.generation", "Generation3".into()),
        ("azure.gateway_subnet_prefix", "azure.gateway_subnet_prefix", "10.1.0.0/30".into()),
        ("aws.startup_action", "aws.startup_action", "add".into()),
        ("aws.dpd_timeout_action", "aws.dpd_timeout_action", "clear".into()),
        ("azure.resource_group_name", "azure.resource_group_name", "ends.".into()),
        ("name", "name", "a b".into()),
        ("azure.virtual_network_id", "azure.virtual_network_id", "vnet1".into()),
        ("azure.virtual_network_id", "azure.virtual_network_id", Value::Null),
        ("aws.vpc_id", "aws.vpc_id", Value::Null),
        ("aws.vpn_gateway_id", "aws.vpn_gateway_id", "tgw-0123456789abcdef0".into()),
        ("timeouts.create", "timeouts.create", "5 minutes".into()),
        ("ipsec_policy.dh_group", "ipsec_policy.dh_group", 15_u32.into()),
        ("preshared_keys_wo_version", "preshared_keys_wo_version", 1_u32.into()),
        ("preshared_keys_wo.instance0_tunnel1", "preshared_keys_wo", "longenoughkey".into()),
    ];
    for (set, at, value) in bad {
        let found = paths(&Core::new(), &with(nine_lines(), set, value.clone())).await;
        assert_eq!(found, [at], "{set} = {value:?}");
    }
    let lacks = with(with(nine_lines(), "azure.sku", "VpnGw1AZ"), "azure.generation", "Generation2");
    assert_eq!(paths(&Core::new(), &lacks).await, ["azure.generation"]);
}

fn vnet(subnets: &[(&str, &str)]) -> VirtualNetwork {
    let id = ResourceId::parse(VNET).unwrap();
    let subnets = subnets.iter().map(|(name, prefix)| Subnet {
        id: id.child("subnets", name),
        name: (*name).to_owned(),
        prefix: Some(prefix.parse().unwrap()),
        state: ProvisioningState::Succeeded,
        ip_configurations: Vec::new(),
    });
    let subnets = subnets.collect();
    VirtualNetwork {
        resource: super::clouds::resource(id, Tags::new()),
        address_space: vec!["10.1.0.0/16".parse().unwrap()],
        subnets,
    }
}

#[tokio::test]
async fn what_the_surroundings_forbid_is_refused_with_the_id_to_use() {
    let core = Core::new();
    let refused = async |at: &str, says: &str| {
        let told = core.plan(&nine_lines()).await.diagnostics;
        let hit = told.iter().find(|d| d.is_error() && d.path.as_ref().is_some_and(|p| p.to_string() == at));
        let hit = hit.unwrap_or_else(|| panic!("{at}: {told:?}"));
        assert!(hit.detail.contains(says), "{}", hit.detail);
        *core.clouds.survey.lock().unwrap() = Default::default();
    };
    let look = || core.clouds.survey.lock().unwrap();
    look().network = Looked::Absent;
    refused("azure.virtual_network_id", "not there").await;
    look().group = Looked::Absent;
    refused("azure.resource_group_name", "create_resource_group").await;
    look().vpc = Looked::Absent;
    refused("aws.vpc_id", "not there").await;
    look().network = Looked::Found(vnet(&[]));
    refused("azure.gateway_subnet_prefix", "GatewaySubnet").await;
    look().network = Looked::Found(vnet(&[("gatewaysubnet", "10.1.1.0/27")]));
    refused("azure.virtual_network_id", "exactly that spelling").await;
    look().network = Looked::Found(vnet(&[("GatewaySubnet", "10.1.1.0/30")]));
    refused("azure.virtual_network_id", "too small").await;
    look().network = Looked::Found(vnet(&[("GatewaySubnet", "10.1.1.0/27")]));
    look().vpc = Looked::Found(super::clouds::vpc("vpc-1", "10.1.128.0/17", Tags::new()));
    refused("aws.vpc_id", "allow_overlapping_prefixes").await;
    let id = ResourceId::parse(&VNET.replace("virtualNetworks/vnet1", "virtualNetworkGateways/hub")).unwrap();
    look().network_gateway =
        Looked::Found(super::clouds::gateway(id, "VpnGw2AZ", "Generation2", Asn(65_515), Tags::new()));
    refused("azure.gateway_id", "virtualNetworkGateways/hub").await;
    let gateway = VpnGateway {
        id: VpnGatewayId("vgw-9".into()),
        asn: Asn(64_512),
        state: State::Available,
        attachment: None,
        tags: Tags::new(),
    };
    look().vpc_gateway = Looked::Found(gateway);
    refused("aws.vpn_gateway_id", "vgw-9").await;
}

#[tokio::test]
async fn overlaps_of_secondary_ranges_and_those_that_are_allowed_only_warn() {
    let core = Core::new();
    core.clouds.survey.lock().unwrap().network = Looked::Found(vnet(&[("GatewaySubnet", "10.1.1.0/27")]));
    let mut vpc = super::clouds::vpc("vpc-1", "10.2.0.0/16", Tags::new());
    vpc.secondary_cidrs = vec!["10.1.0.0/20".parse().unwrap()];
    core.clouds.survey.lock().unwrap().vpc = Looked::Found(vpc.clone());
    let told = core.plan(&nine_lines()).await.diagnostics;
    assert!(!told.has_errors() && told.len() == 1, "{told:?}");
    vpc.cidr = "10.1.0.0/16".parse().unwrap();
    core.clouds.survey.lock().unwrap().vpc = Looked::Found(vpc);
    let told = core.plan(&with(nine_lines(), "allow_overlapping_prefixes", true)).await.diagnostics;
    assert!(!told.has_errors() && !told.is_empty(), "{told:?}");
}
