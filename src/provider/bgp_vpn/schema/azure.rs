//! The object `azure`.

use super::names::{AZURE_NAMES, names};
use crate::plugin::{Attribute, Nesting, Type};

pub(super) fn azure() -> Attribute {
    let attributes = [
        (
            "resource_group_name",
            Attribute::string().required().description(
                "Resource group of everything that this link makes in Azure. A change makes the link anew.",
            ),
        ),
        (
            "create_resource_group",
            Attribute::bool().optional().computed().description(
                "Create the resource group if it is not there. Destroy deletes a group that this link made, provided nothing else \
                 is in it. Default `false`.",
            ),
        ),
        (
            "location",
            Attribute::string().optional().computed().description(
                "Azure region, such as `westeurope`. Taken from the VNet or the resource group; required only where this link \
                 creates both. A change makes the link anew.",
            ),
        ),
        (
            "zones",
            Attribute::of(Type::set(Type::String)).optional().computed().description(
                "Availability zones of the gateway's public IPs, such as `[\"1\", \"2\", \"3\"]`; `[]` for none. Default: all zones of \
                 the region, read from Azure when the public IPs are created (permission \
                 `Microsoft.Resources/subscriptions/locations/read`). Without that permission zones 1, 2 and 3 are requested, \
                 and none if Azure rejects them. Existing public IPs keep their zones: another value is rejected.",
            ),
        ),
        (
            "virtual_network_id",
            Attribute::string().optional().computed().description(
                "Resource id of an existing VNet. Needed unless `virtual_network` or `gateway_id` is given. Another VNet makes the \
                 link anew.",
            ),
        ),
        ("virtual_network", virtual_network()),
        (
            "gateway_subnet_prefix",
            Attribute::string().optional().computed().description(
                "Prefix of the `GatewaySubnet` to be created in an existing VNet that lacks one: /27 or larger is recommended, /29 \
                 the least. Example: `10.1.1.0/27`.",
            ),
        ),
        (
            "gateway_id",
            Attribute::string().optional().computed().description(
                "Resource id of an existing active-active, route-based VPN gateway with BGP to attach to. It is neither created nor \
                 deleted; only this link's own inside addresses are added to it and removed again. Its ASN, SKU, generation \
                 and location are read from it. It may serve point-to-site clients too. If it authenticates them by RADIUS, it is never \
                 updated, since Azure does not return the RADIUS secret: add the BGP addresses that the plan lists by hand, with the \
                 secret; destroy leaves them. Without this, a gateway is created.",
            ),
        ),
        (
            "sku",
            Attribute::string().optional().computed().description(
                "SKU of the gateway to be created: `VpnGw1AZ` to `VpnGw5AZ`. Default `VpnGw2AZ`. Changed in place, within a \
                 generation.",
            ),
        ),
        (
            "generation",
            Attribute::string().optional().computed().description(
                "`Generation1` or `Generation2`. Default: the newest that the SKU has. A change makes the link anew.",
            ),
        ),
        (
            "asn",
            Attribute::number().optional().computed().description(
                "ASN of the Azure gateway. Default 65000 for a gateway to be created. A change replaces the AWS customer gateways \
                 and VPN connections.",
            ),
        ),
        (
            "connection_mode",
            Attribute::string().optional().computed().description(
                "Who dials, seen from Azure: `Default`, `InitiatorOnly` or `ResponderOnly`. Default `ResponderOnly`.",
            ),
        ),
        (
            "dpd_timeout_seconds",
            Attribute::number()
                .optional()
                .computed()
                .description("Dead peer detection of the Azure connections, 9 to 3600 seconds. Default 45."),
        ),
        ("names", names(&AZURE_NAMES, "Name")),
        (
            "subnet_ids",
            Attribute::of(Type::map(Type::String)).computed().description(
                "Resource ids of `GatewaySubnet` and of the subnets named in `virtual_network.subnets`, by name.",
            ),
        ),
        (
            "public_ip_addresses",
            Attribute::of(Type::map(Type::String)).computed().description(
                "Public addresses of the Azure gateway, by `instance0` and `instance1`.",
            ),
        ),
    ];
    Attribute::nested(Nesting::Single, attributes).required().description("The Azure side.")
}

fn virtual_network() -> Attribute {
    let attributes = [
        ("name", Attribute::string().required().description("Name, 2 to 64 characters.")),
        (
            "address_space",
            Attribute::of(Type::list(Type::String)).required().description("Ranges, such as `[\"10.1.0.0/16\"]`."),
        ),
        (
            "gateway_subnet_prefix",
            Attribute::string().required().description(
                "Prefix of `GatewaySubnet`: /27 or larger is recommended, /29 the least. Example: `10.1.1.0/27`.",
            ),
        ),
        (
            "subnets",
            Attribute::of(Type::map(Type::String))
                .optional()
                .description("Prefixes of further subnets by name, such as `{ frontend = \"10.1.0.0/24\" }`."),
        ),
    ];
    Attribute::nested(Nesting::Single, attributes)
        .optional()
        .computed()
        .description("A VNet to create. Needed unless `virtual_network_id` or `gateway_id` is given.")
}
