//! Attributes of the object `azure`.

use super::{AttributeRow, Effect, Source};
use crate::link::config::AttributeId;
use crate::plugin::{Type, Value};

/// Attributes of `azure.names`, with what each names.
pub const AZURE_NAMES: [(&str, &str); 11] = [
    ("gateway", "the VPN gateway"),
    ("public_ip_instance0", "the public IP of instance 0"),
    ("public_ip_instance1", "the public IP of instance 1"),
    ("local_gateway_instance0_tunnel1", "the local network gateway of instance 0, tunnel 1"),
    ("local_gateway_instance0_tunnel2", "the local network gateway of instance 0, tunnel 2"),
    ("local_gateway_instance1_tunnel1", "the local network gateway of instance 1, tunnel 1"),
    ("local_gateway_instance1_tunnel2", "the local network gateway of instance 1, tunnel 2"),
    ("connection_instance0_tunnel1", "the connection of instance 0, tunnel 1"),
    ("connection_instance0_tunnel2", "the connection of instance 0, tunnel 2"),
    ("connection_instance1_tunnel1", "the connection of instance 1, tunnel 1"),
    ("connection_instance1_tunnel2", "the connection of instance 1, tunnel 2"),
];

pub(super) fn rows() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("azure").required().describe("The Azure side."),
        AttributeRow::string("azure.resource_group_name").id(AttributeId::ResourceGroup)
            .required()
            .remembered()
            .on_change(Effect::ReplacesLink)
            .describe("Resource group of everything that this link makes in Azure."),
        AttributeRow::bool("azure.create_resource_group").id(AttributeId::CreateGroup)
            .default(false)
            .remembered()
            .on_change(Effect::LocalOnly)
            .describe(
                "Create the resource group if it is not there. Destroy deletes a group that this link made, provided nothing else \
                 is in it.",
            ),
        AttributeRow::string("azure.location").id(AttributeId::Location)
            .remembered()
            .observed(|clouds| clouds.location().map(Value::from))
            .on_change(Effect::ReplacesLink)
            .describe(
                "Azure region, such as `westeurope`. Taken from the VNet or the resource group; required only where this link \
                 creates both.",
            ),
        AttributeRow::of("azure.zones", Type::set(Type::String)).id(AttributeId::Zones)
            .remembered()
            .observed(|clouds| clouds.zones().map(Value::set_of))
            .on_change(Effect::Described)
            .describe(
                "Availability zones of the gateway's public IPs, such as `[\"1\", \"2\", \"3\"]`; `[]` for none. Default: all zones of \
                 the region, read from Azure when the public IPs are created (permission \
                 `Microsoft.Resources/subscriptions/locations/read`). Without that permission zones 1, 2 and 3 are requested, \
                 and none if Azure rejects them. Existing public IPs keep their zones: another value is rejected.",
            ),
        AttributeRow::string("azure.virtual_network_id").id(AttributeId::NetworkId)
            .remembered()
            .source(Source::Objects)
            .on_change(Effect::ReplacesLink)
            .describe("Resource id of an existing VNet. Needed unless `virtual_network` or `gateway_id` is given."),
    ];
    rows.extend(virtual_network());
    rows.extend([
        AttributeRow::string("azure.gateway_subnet_prefix").id(AttributeId::GatewaySubnet)
            .remembered()
            .affects_managed()
            .needs_preflight()
            .on_change(Effect::Fixed)
            .describe(
                "Prefix of the `GatewaySubnet` to be created in an existing VNet that lacks one: /27 or larger is recommended, /29 \
                 the least. Example: `10.1.1.0/27`.",
            ),
        AttributeRow::string("azure.generation").id(AttributeId::Generation)
            .remembered()
            .of_azure_gateway()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.generation.clone().into()))
            .on_change(Effect::ReplacesLink)
            .describe("`Generation1` or `Generation2`. Default: the newest that the SKU has."),
        AttributeRow::string("azure.gateway_id").id(AttributeId::AzureGateway)
            .remembered()
            .source(Source::Objects)
            .on_change(Effect::ReplacesLink)
            .describe(
                "Resource id of an existing active-active, route-based VPN gateway with BGP to attach to. It is neither created nor \
                 deleted; only this link's own inside addresses are added to it and removed again. Its ASN, SKU, generation \
                 and location are read from it. It may serve point-to-site clients too. If it authenticates them by RADIUS, it is never \
                 updated, since Azure does not return the RADIUS secret: add the BGP addresses that the plan lists by hand, with the \
                 secret; destroy leaves them. Without this, a gateway is created.",
            ),
        AttributeRow::string("azure.sku").id(AttributeId::Sku)
            .default_of_created_gateway("VpnGw2AZ")
            .of_azure_gateway()
            .remembered()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.sku.clone().into()))
            .on_change(Effect::ResizesGateway)
            .describe("SKU of the gateway to be created: `VpnGw1AZ` to `VpnGw5AZ`."),
        AttributeRow::number("azure.asn").id(AttributeId::AzureAsn)
            .default_of_created_gateway(65_000_u32)
            .of_azure_gateway()
            .remembered()
            .observed(|clouds| clouds.azure_gateway().map(|gateway| gateway.asn.0.into()))
            .on_change(Effect::RecreatesCustomerGateways)
            .describe("ASN of the Azure gateway."),
        AttributeRow::string("azure.connection_mode").id(AttributeId::ConnectionMode)
            .default("ResponderOnly")
            .remembered()
            .observed(|clouds| clouds.of_connections(|connection| connection.mode).map(|mode| mode.as_str().into()))
            .on_change(Effect::InterruptsTunnels)
            .describe("Who dials, seen from Azure: `Default`, `InitiatorOnly` or `ResponderOnly`."),
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
            "Resource ids of `GatewaySubnet` and of the subnets named in `virtual_network.subnets`, by name.",
        ),
        AttributeRow::of("azure.public_ip_addresses", Type::map(Type::String))
            .computed()
            .describe("Public addresses of the Azure gateway, by `instance0` and `instance1`."),
    ]);
    rows.extend(
        AZURE_NAMES.map(|(name, noun)| {
            AttributeRow::string(format!("azure.names.{name}")).describe(format!("Name of {noun}."))
        }),
    );
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
            .describe("A VNet to create. Needed unless `virtual_network_id` or `gateway_id` is given."),
        AttributeRow::string(path("name"))
            .id(AttributeId::NetworkName)
            .required()
            .on_change(Effect::ReplacesNetwork)
            .describe("Name, 2 to 64 characters."),
        AttributeRow::of(path("address_space"), Type::list(Type::String))
            .id(AttributeId::AddressSpace)
            .required()
            .on_change(Effect::InPlace)
            .describe("Ranges, such as `[\"10.1.0.0/16\"]`."),
        AttributeRow::string(path("gateway_subnet_prefix"))
            .id(AttributeId::NetworkGatewaySubnet)
            .required()
            .on_change(Effect::ReplacesLink)
            .describe(
                "Prefix of `GatewaySubnet`: /27 or larger is recommended, /29 the least. Example: `10.1.1.0/27`.",
            ),
        AttributeRow::of(path("subnets"), Type::map(Type::String))
            .id(AttributeId::Subnets)
            .optional()
            .on_change(Effect::InPlace)
            .describe("Prefixes of further subnets by name, such as `{ frontend = \"10.1.0.0/24\" }`."),
    ]
}
