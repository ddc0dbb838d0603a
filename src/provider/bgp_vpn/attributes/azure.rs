//! Attributes of the object `azure`.

use super::{AttributeRow, Effect, Source};
use bgp_vpn::config::AttributeId;
use terraform_plugin::{Type, Value};

/// Attributes of `azure.names`, with what each names.
pub const AZURE_NAMES: [(&str, &str); 11] = [
    ("gateway", "the VPN gateway"),
    ("public_ip_instance0", "the public IP of instance 0"),
    ("public_ip_instance1", "the public IP of instance 1"),
    (
        "local_gateway_instance0_tunnel1",
        "the local network gateway of instance 0, tunnel 1",
    ),
    (
        "local_gateway_instance0_tunnel2",
        "the local network gateway of instance 0, tunnel 2",
    ),
    (
        "local_gateway_instance1_tunnel1",
        "the local network gateway of instance 1, tunnel 1",
    ),
    (
        "local_gateway_instance1_tunnel2",
        "the local network gateway of instance 1, tunnel 2",
    ),
    (
        "connection_instance0_tunnel1",
        "the connection of instance 0, tunnel 1",
    ),
    (
        "connection_instance0_tunnel2",
        "the connection of instance 0, tunnel 2",
    ),
    (
        "connection_instance1_tunnel1",
        "the connection of instance 1, tunnel 1",
    ),
    (
        "connection_instance1_tunnel2",
        "the connection of instance 1, tunnel 2",
    ),
];

pub(super) fn rows() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("azure").required().describe("The Azure side."),
        AttributeRow::string("azure.resource_group_name").id(AttributeId::ResourceGroup)
            .required()
            .remembered()
            .on_change(Effect::ReplacesLink)
            .describe("Resource group of the Azure objects that this link creates."),
        AttributeRow::bool("azure.create_resource_group").id(AttributeId::CreateGroup)
            .default(false)
            .remembered()
            .on_change(Effect::LocalOnly)
            .describe(
                "Whether to create the resource group if it does not exist. Destroy deletes a group that this link created, if it contains nothing else.",
            ),
        AttributeRow::string("azure.location").id(AttributeId::Location)
            .remembered()
            .observed(|clouds| clouds.location().map(Value::from))
            .on_change(Effect::ReplacesLink)
            .describe(
                "Azure region, such as `westeurope`. Defaults to the region of the virtual network or the resource group. Required if this link creates both.",
            ),
        AttributeRow::of("azure.zones", Type::set(Type::String)).id(AttributeId::Zones)
            .remembered()
            .observed(|clouds| clouds.zones().map(Value::set_of))
            .on_change(Effect::Described)
            .describe(
                "Availability zones of the public IPs of the gateway, such as `[\"1\", \"2\", \"3\"]`; `[]` for none. Defaults to all zones of the region, which are read when the public IPs are created (permission `Microsoft.Resources/subscriptions/locations/read`). Without that permission, zones 1, 2 and 3 are requested, or no zones if Azure rejects them. The zones of existing public IPs cannot be changed: another value is rejected.",
            ),
        AttributeRow::string("azure.virtual_network_id").id(AttributeId::NetworkId)
            .remembered()
            .source(Source::Objects)
            .on_change(Effect::ReplacesLink)
            .describe("Resource ID of an existing virtual network. Required unless `virtual_network` or `gateway_id` is set."),
    ];
    rows.extend(virtual_network());
    rows.extend([
        AttributeRow::string("azure.gateway_subnet_prefix").id(AttributeId::GatewaySubnet)
            .remembered()
            .affects_managed()
            .needs_preflight()
            .on_change(Effect::Fixed)
            .describe(
                "Prefix of the `GatewaySubnet` to create in an existing virtual network without one, such as `10.1.1.0/27`. At least /29; /27 or larger is recommended.",
            ),
        AttributeRow::string("azure.generation").id(AttributeId::Generation)
            .remembered()
            .of_azure_gateway()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.generation.clone().into()))
            .on_change(Effect::ReplacesLink)
            .describe("`Generation1` or `Generation2`. Defaults to the newest that the SKU supports."),
        AttributeRow::string("azure.gateway_id").id(AttributeId::AzureGateway)
            .remembered()
            .source(Source::Objects)
            .on_change(Effect::ReplacesLink)
            .describe(
                "Resource ID of an existing active-active, route-based VPN gateway with BGP, which the link neither creates nor deletes. The link only adds and removes its own BGP addresses. The ASN, SKU, generation and location are read from the gateway. It may also serve point-to-site clients. If it authenticates them by RADIUS, it is never updated, because Azure does not return the RADIUS secret. In that case, add the BGP addresses that the plan lists manually, with the secret; destroy does not remove them. If not set, a gateway is created.",
            ),
        AttributeRow::string("azure.sku").id(AttributeId::Sku)
            .default_of_created_gateway("VpnGw2AZ")
            .of_azure_gateway()
            .remembered()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.sku.clone().into()))
            .on_change(Effect::ResizesGateway)
            .needs_preflight()
            .describe("SKU of the new gateway: `VpnGw1AZ` to `VpnGw5AZ`."),
        AttributeRow::number("azure.asn").id(AttributeId::AzureAsn)
            .default_of_created_gateway(65_000_u32)
            .of_azure_gateway()
            .remembered()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.asn.0.into()))
            .on_change(Effect::RecreatesCustomerGateways)
            .needs_preflight()
            .describe("ASN of the Azure gateway."),
        AttributeRow::string("azure.connection_mode").id(AttributeId::ConnectionMode)
            .default("ResponderOnly")
            .remembered()
            .observed(|clouds| clouds.of_connections(|connection| connection.mode).map(|mode| mode.as_str().into()))
            .on_change(Effect::InterruptsTunnels)
            .describe("Connection mode of Azure: `Default`, `InitiatorOnly` or `ResponderOnly`."),
        AttributeRow::number("azure.dpd_timeout_seconds").id(AttributeId::AzureDpdSeconds)
            .default(45_u32)
            .remembered()
            .observed(|clouds| clouds.of_connections(|connection| connection.dpd_timeout_seconds).map(Value::from))
            .on_change(Effect::InterruptsTunnels)
            .describe("Dead peer detection of the Azure connections, 9 to 3600 seconds."),
        AttributeRow::object("azure.names").id(AttributeId::AzureNames)
            .remembered()
            .on_change(Effect::NamesNewObjects)
            .describe("Names of single objects, for companies with naming standards. What is left out is made from `name`."),
        AttributeRow::of("azure.subnet_ids", Type::map(Type::String)).computed().describe(
            "Resource IDs of `GatewaySubnet` and of the subnets in `virtual_network.subnets`, by name.",
        ),
        AttributeRow::of("azure.public_ip_addresses", Type::map(Type::String))
            .computed()
            .describe("Public addresses of the Azure gateway, by `instance0` and `instance1`."),
    ]);
    rows.extend(AZURE_NAMES.map(|(name, noun)| {
        AttributeRow::string(format!("azure.names.{name}")).describe(format!("Name of {noun}."))
    }));
    rows
}

fn virtual_network() -> Vec<AttributeRow> {
    let path = |name: &str| format!("azure.virtual_network.{name}");
    vec![
        AttributeRow::object("azure.virtual_network")
            .id(AttributeId::Network)
            .remembered()
            .affects_managed()
            .needs_preflight()
            .describe("Virtual network to create. Required unless `virtual_network_id` or `gateway_id` is set."),
        AttributeRow::string(path("name"))
            .id(AttributeId::NetworkName)
            .required()
            .on_change(Effect::ReplacesNetwork)
            .describe("Name, 2 to 64 characters."),
        AttributeRow::of(path("address_space"), Type::list(Type::String))
            .id(AttributeId::AddressSpace)
            .required()
            .on_change(Effect::InPlace)
            .describe("Address ranges, such as `[\"10.1.0.0/16\"]`. Updated in place."),
        AttributeRow::string(path("gateway_subnet_prefix"))
            .id(AttributeId::NetworkGatewaySubnet)
            .required()
            .on_change(Effect::ReplacesLink)
            .describe("Prefix of `GatewaySubnet`, such as `10.1.1.0/27`. At least /29; /27 or larger is recommended."),
        AttributeRow::of(path("subnets"), Type::map(Type::String))
            .id(AttributeId::Subnets)
            .optional()
            .on_change(Effect::InPlace)
            .describe("Prefixes of more subnets by name, such as `{ frontend = \"10.1.0.0/24\" }`. Updated in place."),
    ]
}
