//! The resource block `awsazure_bgp_vpn`, made from the attribute table. `docs/` is generated from
//! here.

pub use super::attributes::{AWS_NAMES, AZURE_NAMES};

use super::attributes::schema_attributes;
use std::sync::LazyLock;
use terraform_plugin::{IdentitySchema, Schema, Type};

/// Version of the stored form. Version 1 added `status`. Version 2 made `tunnels` an object: a map
/// before. `upgrade.rs` upgrades from both former versions.
pub const VERSION: i64 = 2;

/// The resource block.
pub fn resource() -> Schema {
    let schema = Schema::new(VERSION).description(
        "An active-active, BGP-enabled site-to-site VPN between Azure and AWS: one Azure VPN gateway with two instances, two AWS VPN connections and four tunnels. All addresses are computed. A create takes 30 to 60 minutes, most of which Azure needs to create its gateway.",
    );
    schema_attributes(None)
        .into_iter()
        .fold(schema, |schema, (name, attribute)| {
            schema.attribute(name, attribute)
        })
}

/// The type of a complete resource value.
pub fn value_type() -> &'static Type {
    static TYPE: LazyLock<Type> = LazyLock::new(|| resource().type_());
    &TYPE
}

/// What tells one link from all others.
pub fn identity() -> IdentitySchema {
    IdentitySchema::new(0)
        .required(
            "azure_gateway_id",
            Type::String,
            "Resource id of the Azure VPN gateway.",
        )
        .required(
            "inside_cidr",
            Type::String,
            "Inside CIDR that the tunnel instance0_tunnel1 had when the link was made or imported.",
        )
}
