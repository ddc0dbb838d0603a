//! The resource block `awsazure_bgp_vpn`: every attribute with its documentation. `docs/` is generated from here.

mod aws;
mod azure;
mod names;
mod options;

pub use names::{AWS_NAMES, AZURE_NAMES};

use crate::link::managed::Kind;
use crate::link::tunnel::TunnelKey;
use crate::plugin::{Attribute, IdentitySchema, Nesting, Schema, Type};
use std::sync::LazyLock;

/// Version of the stored form. Version 1 added `status`; `upgrade.rs` upgrades from version 0.
const VERSION: i64 = 1;

/// The resource block.
pub fn resource() -> Schema {
    Schema::new(VERSION)
        .description(
            "An active-active, BGP-enabled site-to-site VPN between Azure and AWS: one Azure VPN gateway with two instances, \
             two AWS VPN connections, four tunnels, every address computed. Creating one takes half an hour to an hour, \
             nearly all of it Azure building its gateway.",
        )
        .attribute(
            "name",
            Attribute::string().required().description(
                "Prefix of every name and tag that this link gives, 1 to 55 characters of letters, digits, `.`, `_` and `-`. \
                 A later change renames nothing: it names what is made from then on.",
            ),
        )
        .attribute("azure", azure::azure())
        .attribute("aws", aws::aws())
        .attribute("slot", options::slot())
        .attribute("inside_cidrs", options::inside_cidrs())
        .attribute("ipsec_policy", options::ipsec_policy())
        .attribute("preshared_keys_wo", options::preshared_keys())
        .attribute("preshared_keys_wo_version", options::preshared_keys_version())
        .attribute("wait_for_bgp", options::wait_for_bgp())
        .attribute("rotate_keys", options::rotate_keys())
        .attribute("on_create_failure", options::on_create_failure())
        .attribute("manage_gateways", options::manage_gateways())
        .attribute("allow_overlapping_prefixes", options::allow_overlapping_prefixes())
        .attribute("tags", options::tags())
        .attribute("timeouts", options::timeouts())
        .attribute("id", id())
        .attribute("tunnels", tunnels())
        .attribute("managed", managed())
        .attribute("drift", drift())
        .attribute("status", status())
}

/// The type of a whole resource value.
pub fn value_type() -> &'static Type {
    static TYPE: LazyLock<Type> = LazyLock::new(|| resource().type_());
    &TYPE
}

/// What tells one link from all others.
pub fn identity() -> IdentitySchema {
    IdentitySchema::new(0).required("azure_gateway_id", Type::String, "Resource id of the Azure VPN gateway.").required(
        "inside_cidr",
        Type::String,
        "Inside CIDR that the tunnel instance0_tunnel1 had when the link was made or imported.",
    )
}

fn id() -> Attribute {
    Attribute::string().computed().description(
        "`<Azure gateway resource id>,<inside CIDR>`: the inside CIDR is the one that `instance0_tunnel1` had when the link \
         was made or imported. It never changes, and `terraform import` takes it.",
    )
}

fn tunnels() -> Attribute {
    let text = |description: &str| Attribute::string().computed().description(description);
    let attributes = [
        (
            "azure_instance",
            Attribute::number().computed().description("Instance of the Azure gateway, 0 or 1. Known at plan."),
        ),
        (
            "aws_tunnel",
            Attribute::number().computed().description("Tunnel of the VPN connection, 1 or 2. Known at plan."),
        ),
        ("inside_cidr", text("Inside network, a /30. Known at plan.")),
        ("aws_bgp_ip", text("BGP address at the AWS end: first host of `inside_cidr`. Known at plan.")),
        ("azure_bgp_ip", text("BGP address at the Azure end: second host of `inside_cidr`. Known at plan.")),
        ("aws_outside_ip", text("Public address of the AWS end.")),
        ("azure_public_ip", text("Public address of the Azure end.")),
        ("aws_vpn_connection_id", text("Id of the VPN connection, `vpn-...`.")),
        ("aws_customer_gateway_id", text("Id of the customer gateway, `cgw-...`.")),
        ("azure_local_network_gateway_id", text("Resource id of the local network gateway.")),
        ("azure_connection_id", text("Resource id of the connection.")),
    ];
    let keys = TunnelKey::ALL.map(|key| format!("`{key}`")).join(", ");
    Attribute::nested(Nesting::Map, attributes).computed().description(format!(
        "The four tunnels, by {keys}. Whether they are up is volatile and told by the data source `awsazure_bgp_vpn_status`."
    ))
}

fn managed() -> Attribute {
    let kinds = Kind::ALL.map(|kind| format!("`{kind}`")).join(", ");
    Attribute::of(Type::map(Type::set(Type::String))).computed().description(format!(
        "What destroy will delete: sets of ids by kind of object ({kinds}). Nothing else is ever deleted."
    ))
}

fn drift() -> Attribute {
    Attribute::of(Type::list(Type::String)).computed().description(
        "Sentences that say what the clouds have that differs from this link, that the next apply will mend, and that no other \
         attribute shows. Empty when all is as it should be.",
    )
}

fn status() -> Attribute {
    Attribute::string().computed().description(
        "How the last run on this link ended. `complete`: the link was created; `drift` lists what differs since. `incomplete`: the \
         create did not finish, and the next apply finishes it. `interrupted`: an update or a destroy did not finish and the link \
         was not refreshed since; the next apply finishes the update. Whether tunnels are up is not part of it.",
    )
}
