//! Attributes of the link in general: name, addresses, policy, keys, behaviour.

use super::{AttributeRow, Effect, Mode, Source};
use bgp_vpn::config::AttributeId;
use bgp_vpn::managed::Kind;
use bgp_vpn::tunnel::TunnelKey;
use terraform_plugin::Type;

pub(super) fn rows() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::string("name")
            .id(AttributeId::Name)
            .required()
            .remembered()
            .on_change(Effect::NamesNewObjects)
            .describe("Prefix of the names and Name tags of this link: 1 to 55 letters, digits, `.`, `_` and `-`."),
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
            .describe("Inside CIDRs of the four tunnels, if they differ from those of `slot`."),
        AttributeRow::number("slot").id(AttributeId::Slot)
            .remembered()
            .needs_preflight()
            .on_change(Effect::InterruptsTunnels)
            .describe(
                "Block of inside addresses, 0 to 31. Slot n gives instance 0 `169.254.21.(8n)/30` and `169.254.22.(8n)/30`, and instance 1 `169.254.21.(8n+4)/30` and `169.254.22.(8n+4)/30`. Defaults to `0`, the addresses of Microsoft's tutorial. Links that share a gateway need different slots. Null if the addresses do not form a slot. Updated in place, one tunnel at a time.",
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
    let text =
        |name: &str| AttributeRow::string(format!("ipsec_policy.{name}")).source(Source::Policy);
    let number =
        |name: &str| AttributeRow::number(format!("ipsec_policy.{name}")).source(Source::Policy);
    vec![
        AttributeRow::object("ipsec_policy").id(AttributeId::IpsecPolicy).remembered().on_change(Effect::InterruptsTunnels).describe(
            "One IPsec policy, in AWS's words, compiled for both clouds. Single fields override the preset. Null for an imported \
             link whose tunnels do not share a single policy; such tunnels are left unchanged.",
        ),
        text("preset").describe(
            "`strong` (AES256, SHA2-384, group 20, AES256-GCM-16), `compatible` (AES256, SHA2-256, group 14) or `cloud_default` \
             (no restriction, the two clouds negotiate). Defaults to `strong`. Null where the policy follows none.",
        ),
        text("ike_encryption").describe("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`."),
        text("ike_integrity").describe("`SHA1`, `SHA2-256` or `SHA2-384`."),
        number("dh_group").describe("Diffie-Hellman group of IKE: 2, 14, 19, 20 or 24."),
        text("ipsec_encryption").describe("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`."),
        text("ipsec_integrity")
            .describe("`SHA1` or `SHA2-256`. With GCM encryption also `SHA2-384`, which has no effect then."),
        number("pfs_group").describe("Group for perfect forward secrecy: 2, 14, 19, 20 or 24."),
        number("ike_lifetime_seconds").describe("Lifetime of IKE keys on the AWS side in seconds, 900 to 28800. Defaults to 27000, so that AWS rekeys before Azure (28800, fixed). With `aws.enable_acceleration` it must be 28800, which is the default then."),
        number("ipsec_lifetime_seconds").describe("Lifetime of IPsec keys on the AWS side in seconds, 900 to 3600. Defaults to 3600. The Azure side uses 27000, so that AWS rekeys. With `aws.enable_acceleration` the minimum is 1200, and the Azure side uses 900 less than this value, so that Azure rekeys."),
    ]
}

fn keys() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("preshared_keys_wo").id(AttributeId::PresharedKeys).mode(Mode::WriteOnly).on_change(Effect::Described).describe(
            "Configured pre-shared keys. They are never stored, neither in the plan nor in the state. Requires Terraform 1.11 or newer and `preshared_keys_wo_version`.",
        ),
        AttributeRow::number("preshared_keys_wo_version").id(AttributeId::PresharedKeysVersion)
            .optional()
            .on_change(Effect::AppliesKeys)
            .describe("Version of `preshared_keys_wo`. Changing this applies the keys, one tunnel at a time."),
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
        AttributeRow::string(format!("timeouts.{name}"))
            .optional()
            .describe(description)
    };
    vec![
        AttributeRow::bool("wait_for_bgp").id(AttributeId::WaitForBgp).default(true).remembered().on_change(Effect::LocalOnly).describe(
            "Whether create and update wait until the BGP sessions of the changed tunnels are up, for at most 15 minutes. A tunnel that was not up before also has to exchange routes: AWS accepts at least one, and Azure learns at least one. Azure is not expected to learn any from a transit gateway, from a virtual private gateway without a VPC, or if the ranges of VPC and virtual network overlap.",
        ),
        AttributeRow::string("on_create_failure").id(AttributeId::OnCreateFailure).default("keep").remembered().on_change(Effect::LocalOnly).describe(
            "What happens after a failed create. With `keep`, the state contains the created objects, and the next apply completes the link. With `rollback`, the created objects are deleted. A create that was interrupted, or whose tunnels exist but did not come up in time, is always kept.",
        ),
        AttributeRow::bool("manage_gateways").id(AttributeId::ManageGateways)
            .affects_managed()
            .needs_preflight()
            .on_change(Effect::ClaimsGateways)
            .describe(
                "Whether destroy deletes the Azure gateway with its public IPs, and the virtual private gateway. Defaults to `true` if this link created one of them, and to `false` otherwise, for example after an import. With `false`, destroy also keeps the networks and the resource group of these gateways, so the link that created a gateway can be destroyed while other links use it. `true` is rejected while objects that this link did not create use the gateways.",
            ),
        AttributeRow::bool("allow_overlapping_prefixes").id(AttributeId::AllowOverlap)
            .default(false)
            .needs_preflight()
            .on_change(Effect::LocalOnly)
            .describe("Whether to allow overlapping address ranges of the virtual network and the VPC."),
        AttributeRow::of("tags", Type::map(Type::String)).id(AttributeId::Tags).optional().on_change(Effect::InPlace).describe(
            "Tags of every object in both clouds. Tags that are neither here nor in `default_tags` of the provider are not changed. At most 40 including `default_tags`. Keys have up to 128 characters without `<>%&\\?/` and do not start with `aws:`. Values have up to 256 characters. Azure ignores letter case in keys.",
        ),
        AttributeRow::object("timeouts").id(AttributeId::Timeouts).optional().on_change(Effect::LocalOnly).describe(
            "Time limits of operations, from `\"1s\"` to `\"168h\"`, such as `\"90m\"`, `\"2h30m\"` or `\"1.5h\"`. Time spent waiting for other links of the same Azure gateway does not count.",
        ),
        timeout("create", "Time limit of a create. Defaults to `120m`."),
        timeout("update", "Time limit of an update. Defaults to `240m`."),
        timeout("delete", "Time limit of a destroy. Defaults to `120m`."),
        timeout("read", "Time limit of a refresh. Defaults to `10m`."),
    ]
}

/// What only the provider sets.
fn results() -> Vec<AttributeRow> {
    let kinds = Kind::ALL.map(|kind| format!("`{kind}`")).join(", ");
    let keys = TunnelKey::ALL.map(|key| format!("`{key}`")).join(", ");
    let mut rows = vec![
        AttributeRow::string("id").computed().describe(
            "`<Azure gateway resource ID>,<inside CIDR>`, with the inside CIDR of `instance0_tunnel1` when the link was created or imported. It never changes. `terraform import` accepts it.",
        ),
        AttributeRow::of("managed", Type::map(Type::set(Type::String))).computed().describe(format!(
            "What destroy will delete: sets of ids by kind of object ({kinds}). Nothing else is ever deleted."
        )),
        AttributeRow::of("drift", Type::list(Type::String)).computed().describe(
            "Differences between the clouds and this link that no other attribute shows. The next apply repairs them. Empty if there are none.",
        ),
        AttributeRow::string("status").computed().describe(
            "How the last run on this link ended. `complete`: the link was created; `drift` lists what differs since. `incomplete`: the \
             create did not finish, and the next apply finishes it. `interrupted`: an update or a destroy did not finish and the link \
             was not refreshed since; the next apply finishes the update. Whether tunnels are up is not part of it.",
        ),
        AttributeRow::object("tunnels").computed().describe(format!(
            "The four tunnels, by {keys}. Their health changes at any time; the data source `awsazure_bgp_vpn_status` reads it."
        )),
    ];
    rows.extend(TunnelKey::ALL.into_iter().flat_map(tunnel));
    rows
}

/// One of `tunnels`, and what is in it.
fn tunnel(key: TunnelKey) -> Vec<AttributeRow> {
    let text = |name: &str, description: &str| {
        AttributeRow::string(format!("tunnels.{key}.{name}"))
            .computed()
            .describe(description)
    };
    let number = |name: &str, description: &str| {
        AttributeRow::number(format!("tunnels.{key}.{name}"))
            .computed()
            .describe(description)
    };
    vec![
        AttributeRow::object(format!("tunnels.{key}"))
            .computed()
            .describe(format!(
                "The tunnel from instance {} of the Azure gateway to tunnel {} of its VPN connection.",
                key.instance.index(),
                key.number
            )),
        number("azure_instance", "Instance of the Azure gateway, 0 or 1. Known at plan."),
        number("aws_tunnel", "Tunnel of the VPN connection, 1 or 2. Known at plan."),
        text("inside_cidr", "Inside CIDR, a /30. Known at plan."),
        text("aws_bgp_ip", "BGP address of the AWS end, the first host of `inside_cidr`. Known at plan."),
        text("azure_bgp_ip", "BGP address of the Azure end, the second host of `inside_cidr`. Known at plan."),
        text("aws_outside_ip", "Public address of the AWS end."),
        text("azure_public_ip", "Public address of the Azure end."),
        text("aws_vpn_connection_id", "ID of the VPN connection (`vpn-...`)."),
        text(
            "aws_transit_gateway_attachment_id",
            "ID of the attachment of the VPN connection to the transit gateway (`tgw-attach-...`).",
        ),
        text("aws_customer_gateway_id", "ID of the customer gateway (`cgw-...`)."),
        text("azure_local_network_gateway_id", "Resource ID of the local network gateway."),
        text("azure_connection_id", "Resource ID of the connection."),
    ]
}
