//! Attributes of the link as a whole: addresses, policy, keys, behaviour.

use crate::link::tunnel::TunnelKey;
use crate::plugin::{Attribute, Nesting, Type};

pub(super) fn slot() -> Attribute {
    Attribute::number().optional().computed().description(
        "Block of inside addresses, 0 to 31: slot n gives instance 0 `169.254.21.(8n)/30` and `169.254.22.(8n)/30`, instance 1 \
         `169.254.21.(8n+4)/30` and `169.254.22.(8n+4)/30`. Default 0, which is the table of Microsoft's tutorial. Links that \
         share a gateway need slots of their own. Null where the addresses follow no slot.",
    )
}

pub(super) fn inside_cidrs() -> Attribute {
    let attributes = TunnelKey::ALL.map(|key| {
        let description = format!(
            "Inside network of the tunnel `{key}`: an aligned /30 in 169.254.21.0 to 169.254.22.255. AWS takes its first host, \
             Azure its second."
        );
        (key.to_string(), Attribute::string().optional().computed().description(description))
    });
    Attribute::nested(Nesting::Single, attributes).optional().computed().description(
        "Inside networks of the four tunnels, where they should not follow `slot`. Changed in place, one tunnel at a time.",
    )
}

pub(super) fn ipsec_policy() -> Attribute {
    let text = |description: &str| Attribute::string().optional().computed().description(description);
    let number = |description: &str| Attribute::number().optional().computed().description(description);
    let attributes = [
        (
            "preset",
            text(
                "`strong` (AES256, SHA2-384, group 20, AES256-GCM-16), `compatible` (AES256, SHA2-256, group 14) or `cloud_default` \
                 (whatever the two clouds agree on). Default `strong`. Null where the policy follows none.",
            ),
        ),
        ("ike_encryption", text("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`.")),
        ("ike_integrity", text("`SHA1`, `SHA2-256` or `SHA2-384`.")),
        ("dh_group", number("Diffie-Hellman group of IKE: 2, 14, 19, 20 or 24.")),
        ("ipsec_encryption", text("`AES128`, `AES256`, `AES128-GCM-16` or `AES256-GCM-16`.")),
        (
            "ipsec_integrity",
            text("`SHA1` or `SHA2-256`; with a GCM encryption also `SHA2-384`, though it plays no part then."),
        ),
        ("pfs_group", number("Group for perfect forward secrecy: 2, 14, 19, 20 or 24.")),
        ("ike_lifetime_seconds", number("Lifetime of IKE keys at the AWS end, 900 to 28800 seconds.")),
        ("ipsec_lifetime_seconds", number("Lifetime of IPsec keys at the AWS end, 900 to 3600 seconds.")),
    ];
    Attribute::nested(Nesting::Single, attributes).optional().computed().description(
        "One IPsec policy, in AWS's words, compiled for both clouds. Single fields override the preset. A change interrupts one \
         tunnel after the other. Null throughout for an imported link whose ends agree on what no one policy says: they are \
         left as they are.",
    )
}

pub(super) fn preshared_keys() -> Attribute {
    let attributes = TunnelKey::ALL.map(|key| {
        let description = format!(
            "Key of the tunnel `{key}`: 8 to 64 letters, digits, `.` and `_`, not starting with `0`. Generated if left out."
        );
        (key.to_string(), Attribute::string().optional().write_only().sensitive().description(description))
    });
    Attribute::nested(Nesting::Single, attributes).optional().write_only().description(
        "Keys of your own. They are never stored, neither in the plan nor in the state. Needs Terraform 1.11 or newer, and \
         `preshared_keys_wo_version`.",
    )
}

pub(super) fn preshared_keys_version() -> Attribute {
    Attribute::number().optional().description("Any number, to be changed whenever `preshared_keys_wo` changes.")
}

pub(super) fn wait_for_bgp() -> Attribute {
    Attribute::bool().optional().computed().description(
        "Whether create and update end only when the BGP sessions of the tunnels they touched are up, for at most 15 minutes. \
         Default `true`.",
    )
}

pub(super) fn rotate_keys() -> Attribute {
    Attribute::string().optional().description(
        "Any text: a change of it rolls all four shared keys, one tunnel at a time. A tunnel that is up is interrupted only while all \
         others are up, and the next one waits until it is back with as many routes as before. A date does well. Not together with \
         `preshared_keys_wo`. Setting it on a link that was just imported changes nothing yet.",
    )
}

pub(super) fn on_create_failure() -> Attribute {
    Attribute::string().optional().computed().description(
        "What becomes of a link whose create fails: with `keep` the state keeps everything that was made, and the next apply finishes \
         it; with `rollback` what this create made is deleted again. A create that was interrupted, or whose tunnels are built but \
         not up in time, is always kept. Default `keep`.",
    )
}

pub(super) fn manage_gateways() -> Attribute {
    Attribute::bool().optional().computed().description(
        "Whether destroy deletes the Azure gateway with its public IPs, and the virtual private gateway. The default is `true` if \
         this link created one of them, and `false` otherwise, as after an import. With `false`, destroy also leaves the networks and \
         the resource group in which these gateways are: so the link that created a gateway can go while other links use it. Setting \
         it `true` claims the gateways, unless objects of others use them.",
    )
}

pub(super) fn allow_overlapping_prefixes() -> Attribute {
    Attribute::bool().optional().computed().description(
        "Let the address ranges of VNet and VPC overlap, with a warning instead of an error. Default `false`.",
    )
}

pub(super) fn tags() -> Attribute {
    Attribute::of(Type::map(Type::String)).optional().description(
        "Tags on every object of both clouds. Only tags named here or in the provider's `default_tags` are compared; all others \
         are left alone. At most 40 with `default_tags`: keys of up to 128 characters without `<>%&\\?/` and not starting with `aws:`, \
         values of up to 256. Azure compares keys without regard to case.",
    )
}

pub(super) fn timeouts() -> Attribute {
    let each = |description: &str| Attribute::string().optional().description(description);
    let attributes = [
        ("create", each("Limit of a create. Default `120m`.")),
        ("update", each("Limit of an update. Default `240m`.")),
        ("delete", each("Limit of a destroy. Default `120m`.")),
        ("read", each("Limit of a refresh. Default `10m`.")),
    ];
    Attribute::nested(Nesting::Single, attributes).optional().description(
        "How long operations may take, from `\"1s\"` to `\"168h\"`, such as `\"90m\"`, `\"2h30m\"` or `\"1.5h\"`. Waiting for other \
         links of the same Azure gateway does not count.",
    )
}
