//! Attributes of the link in general: name, addresses, policy, keys, behaviour.

use super::{AttributeRow, Effect, Mode, Shape, Source};
use crate::link::config::AttributeId;
use crate::link::managed::Kind;
use crate::link::tunnel::TunnelKey;
use crate::plugin::Type;

pub(super) fn rows() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::string("name").id(AttributeId::Name).required().remembered().on_change(Effect::NamesNewObjects).describe(
            "Prefix of every name and tag that this link gives, 1 to 55 characters of letters, digits, `.`, `_` and `-`.",
        ),
    ];
    rows.extend(addresses());
    rows.extend(policy());
    rows.extend(keys());
    rows.extend(behaviour());
    rows.extend(results());
    rows
}

fn addresses() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("inside_cidrs")
            .remembered()
            .needs_preflight()
            .on_change(Effect::InterruptsTunnels)
            .describe("Inside networks of the four tunnels, where they should not follow `slot`."),
        AttributeRow::number("slot").id(AttributeId::Slot)
            .remembered()
            .needs_preflight()
            .on_change(Effect::InterruptsTunnels)
            .describe(
                "Block of inside addresses, 0 to 31: slot n gives instance 0 `169.254.21.(8n)/30` and `169.254.22.(8n)/30`, instance 1 \
                 `169.254.21.(8n+4)/30` and `169.254.22.(8n+4)/30`. Default 0, which is the table of Microsoft's tutorial. Links that \
                 share a gateway need slots of their own. Null where the addresses follow no slot.",
            ),
    ];
    rows.extend(TunnelKey::ALL.map(|key| {
        AttributeRow::string(format!("inside_cidrs.{key}")).describe(format!(
            "Inside network of the tunnel `{key}`: an aligned /30 in 169.254.21.0 to 169.254.22.255. AWS takes its first host, \
             Azure its second."
        ))
    }));
    rows
}

fn policy() -> Vec<AttributeRow> {
    let text = |name: &str| AttributeRow::string(format!("ipsec_policy.{name}")).source(Source::Policy);
    let number = |name: &str| AttributeRow::number(format!("ipsec_policy.{name}")).source(Source::Policy);
    vec![
        AttributeRow::object("ipsec_policy").remembered().on_change(Effect::InterruptsTunnels).describe(
            "One IPsec policy, in AWS's words, compiled for both clouds. Single fields override the preset. Null for an imported \
             link whose tunnels do not share a single policy; such tunnels are left unchanged.",
        ),
        text("preset").describe(
            "`strong` (AES256, SHA2-384, group 20, AES256-GCM-16), `compatible` (AES256, SHA2-256, group 14) or `cloud_default` \
             (whatever the two clouds agree on). Default `strong`. Null where the policy follows none.",
        ),
        text("ike_encryption").describe("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`."),
        text("ike_integrity").describe("`SHA1`, `SHA2-256` or `SHA2-384`."),
        number("dh_group").describe("Diffie-Hellman group of IKE: 2, 14, 19, 20 or 24."),
        text("ipsec_encryption").describe("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`."),
        text("ipsec_integrity")
            .describe("`SHA1` or `SHA2-256`; with a GCM encryption also `SHA2-384`, though it plays no part then."),
        number("pfs_group").describe("Group for perfect forward secrecy: 2, 14, 19, 20 or 24."),
        number("ike_lifetime_seconds").describe("Lifetime of IKE keys at the AWS end, 900 to 28800 seconds."),
        number("ipsec_lifetime_seconds").describe("Lifetime of IPsec keys at the AWS end, 900 to 3600 seconds."),
    ]
}

fn keys() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("preshared_keys_wo").id(AttributeId::PresharedKeys).mode(Mode::WriteOnly).on_change(Effect::Described).describe(
            "Keys of your own. They are never stored, neither in the plan nor in the state. Needs Terraform 1.11 or newer, and \
             `preshared_keys_wo_version`.",
        ),
        AttributeRow::number("preshared_keys_wo_version").id(AttributeId::PresharedKeysVersion)
            .optional()
            .on_change(Effect::AppliesKeys)
            .describe("Any number, to be changed whenever `preshared_keys_wo` changes."),
        AttributeRow::string("rotate_keys").id(AttributeId::RotateKeys).optional().on_change(Effect::RotatesKeys).describe(
            "Any text, such as a date. A tunnel that is up is interrupted only while all others are up, and the next one waits until it \
             is back with as many routes as before. Not together with `preshared_keys_wo`. Setting it on a link that was just \
             imported changes nothing yet.",
        ),
    ];
    rows.extend(TunnelKey::ALL.map(|key| {
        AttributeRow::string(format!("preshared_keys_wo.{key}")).mode(Mode::Secret).describe(format!(
            "Key of the tunnel `{key}`: 8 to 64 letters, digits, `.` and `_`, not starting with `0`. Generated if left out."
        ))
    }));
    rows
}

fn behaviour() -> Vec<AttributeRow> {
    let timeout = |name: &str, description: &str| {
        AttributeRow::string(format!("timeouts.{name}")).optional().describe(description)
    };
    vec![
        AttributeRow::bool("wait_for_bgp").id(AttributeId::WaitForBgp).default(true).remembered().on_change(Effect::LocalOnly).describe(
            "Whether create and update end only when the BGP sessions of the tunnels they touched are up, for at most 15 minutes.",
        ),
        AttributeRow::string("on_create_failure").id(AttributeId::OnCreateFailure).default("keep").remembered().on_change(Effect::LocalOnly).describe(
            "What becomes of a link whose create fails: with `keep` the state keeps everything that was made, and the next apply finishes \
             it; with `rollback` what this create made is deleted again. A create that was interrupted, or whose tunnels are built but \
             not up in time, is always kept.",
        ),
        AttributeRow::bool("manage_gateways").id(AttributeId::ManageGateways)
            .affects_managed()
            .needs_preflight()
            .on_change(Effect::ClaimsGateways)
            .describe(
                "Whether destroy deletes the Azure gateway with its public IPs, and the virtual private gateway. The default is `true` if \
                 this link created one of them, and `false` otherwise, as after an import. With `false`, destroy also leaves the networks and \
                 the resource group in which these gateways are: so the link that created a gateway can go while other links use it. Setting \
                 it `true` claims the gateways, unless objects of others use them.",
            ),
        AttributeRow::bool("allow_overlapping_prefixes")
            .default(false)
            .needs_preflight()
            .on_change(Effect::LocalOnly)
            .describe("Let the address ranges of VNet and VPC overlap, with a warning instead of an error."),
        AttributeRow::of("tags", Type::map(Type::String)).id(AttributeId::Tags).optional().on_change(Effect::InPlace).describe(
            "Tags on every object of both clouds. Only tags named here or in the provider's `default_tags` are compared; all others \
             are left alone. At most 40 with `default_tags`: keys of up to 128 characters without `<>%&\\?/` and not starting with `aws:`, \
             values of up to 256. Azure compares keys without regard to case.",
        ),
        AttributeRow::object("timeouts").id(AttributeId::Timeouts).optional().on_change(Effect::LocalOnly).describe(
            "How long operations may take, from `\"1s\"` to `\"168h\"`, such as `\"90m\"`, `\"2h30m\"` or `\"1.5h\"`. Waiting for other \
             links of the same Azure gateway does not count.",
        ),
        timeout("create", "Limit of a create. Default `120m`."),
        timeout("update", "Limit of an update. Default `240m`."),
        timeout("delete", "Limit of a destroy. Default `120m`."),
        timeout("read", "Limit of a refresh. Default `10m`."),
    ]
}

/// What only the provider sets.
fn results() -> Vec<AttributeRow> {
    let kinds = Kind::ALL.map(|kind| format!("`{kind}`")).join(", ");
    let keys = TunnelKey::ALL.map(|key| format!("`{key}`")).join(", ");
    let text = |name: &str, description: &str| {
        AttributeRow::string(format!("tunnels.*.{name}")).computed().describe(description)
    };
    let number = |name: &str, description: &str| {
        AttributeRow::number(format!("tunnels.*.{name}")).computed().describe(description)
    };
    vec![
        AttributeRow::string("id").computed().describe(
            "`<Azure gateway resource id>,<inside CIDR>`: the inside CIDR is the one that `instance0_tunnel1` had when the link \
             was made or imported. It never changes, and `terraform import` takes it.",
        ),
        AttributeRow::of("managed", Type::map(Type::set(Type::String))).computed().describe(format!(
            "What destroy will delete: sets of ids by kind of object ({kinds}). Nothing else is ever deleted."
        )),
        AttributeRow::of("drift", Type::list(Type::String)).computed().describe(
            "Sentences that say what the clouds have that differs from this link, that the next apply will mend, and that no other \
             attribute shows. Empty when all is as it should be.",
        ),
        AttributeRow::string("status").computed().describe(
            "How the last run on this link ended. `complete`: the link was created; `drift` lists what differs since. `incomplete`: the \
             create did not finish, and the next apply finishes it. `interrupted`: an update or a destroy did not finish and the link \
             was not refreshed since; the next apply finishes the update. Whether tunnels are up is not part of it.",
        ),
        AttributeRow::new("tunnels", Shape::Objects).computed().describe(format!(
            "The four tunnels, by {keys}. Whether they are up is volatile and told by the data source `awsazure_bgp_vpn_status`."
        )),
        number("azure_instance", "Instance of the Azure gateway, 0 or 1. Known at plan."),
        number("aws_tunnel", "Tunnel of the VPN connection, 1 or 2. Known at plan."),
        text("inside_cidr", "Inside network, a /30. Known at plan."),
        text("aws_bgp_ip", "BGP address at the AWS end: first host of `inside_cidr`. Known at plan."),
        text("azure_bgp_ip", "BGP address at the Azure end: second host of `inside_cidr`. Known at plan."),
        text("aws_outside_ip", "Public address of the AWS end."),
        text("azure_public_ip", "Public address of the Azure end."),
        text("aws_vpn_connection_id", "Id of the VPN connection, `vpn-...`."),
        text("aws_customer_gateway_id", "Id of the customer gateway, `cgw-...`."),
        text("azure_local_network_gateway_id", "Resource id of the local network gateway."),
        text("azure_connection_id", "Resource id of the connection."),
    ]
}
