//! The object `aws`.

use super::names::{AWS_NAMES, names};
use crate::plugin::{Attribute, Nesting, Type};

pub(super) fn aws() -> Attribute {
    let attributes = [
        (
            "region",
            Attribute::string().optional().computed().description(
                "AWS region, such as `eu-west-1`. Default: the provider's. A change builds the AWS half anew.",
            ),
        ),
        (
            "vpc_id",
            Attribute::string().optional().computed().description(
                "Id of an existing VPC. Needed unless `vpc`, `vpn_gateway_id` or `transit_gateway_id` is given. A change builds the AWS half anew.",
            ),
        ),
        ("vpc", vpc()),
        (
            "vpn_gateway_id",
            Attribute::string().optional().computed().description(
                "Id of an existing virtual private gateway to attach to. It is neither created nor deleted, and its VPC and ASN are \
                 read from it; one without a VPC (Direct Connect) is fine. Without this, a gateway is created.",
            ),
        ),
        (
            "transit_gateway_id",
            Attribute::string().optional().computed().description(
                "Id of an existing transit gateway, to be the AWS end in place of a VPN gateway and its VPC. It is neither created nor \
                 deleted, and its ASN is read from it. Routes in VPCs towards it are theirs to set; the attachments of the two VPN \
                 connections go where the transit gateway puts new ones. A change builds the AWS half anew.",
            ),
        ),
        (
            "asn",
            Attribute::number().optional().computed().description(
                "ASN of the AWS side. Default 64512 for a gateway to be created. A change builds the AWS half anew.",
            ),
        ),
        (
            "route_table_ids",
            Attribute::of(Type::set(Type::String)).optional().computed().description(
                "Route tables that get the routes to Azure by propagation. Default: the VPC's main table, and the public subnet's \
                 where this link made it. `[]` means hands off.",
            ),
        ),
        (
            "startup_action",
            Attribute::string().optional().computed().description(
                "`start` (AWS dials) or `add` (AWS waits). Default `start`. A change interrupts one tunnel after the other.",
            ),
        ),
        (
            "dpd_timeout_action",
            Attribute::string().optional().computed().description(
                "What AWS does when the Azure end falls silent: `restart`, `clear` or `none`. Default `restart`; with \
                 `ResponderOnly` the other two would never dial again.",
            ),
        ),
        (
            "dpd_timeout_seconds",
            Attribute::number()
                .optional()
                .computed()
                .description("Dead peer detection of the AWS tunnels, 30 seconds or more. Default 30."),
        ),
        (
            "preshared_key_storage",
            Attribute::string().optional().computed().description(
                "Where AWS keeps the shared keys: `Standard` (in the VPN service) or `SecretsManager` (in a secret that AWS makes). \
                 Default `Standard`. With `SecretsManager` EC2 shows no key, so a key that somebody changes on one side only is \
                 not noticed; the tunnel goes down, and a change of `rotate_keys` gives both ends a new one. The caller needs \
                 permissions for Secrets Manager then. A change keeps the keys and interrupts one tunnel after the other.",
            ),
        ),
        (
            "enable_acceleration",
            Attribute::bool().optional().computed().description(
                "Whether AWS takes the tunnels' traffic in at its nearest edge (Global Accelerator). On a transit gateway only. Default \
                 `false`. A change makes the two VPN connections anew, one after the other, each while the other one's tunnels are up.",
            ),
        ),
        (
            "tunnel_bandwidth",
            Attribute::string().optional().computed().description(
                "`standard` (1.25 Gbit/s a tunnel) or `large` (5 Gbit/s), as far as the region has it. `large` on a transit gateway only. \
                 Default `standard`. A change interrupts one VPN connection after the other, each while the other one's tunnels are up.",
            ),
        ),
        ("logs", logs()),
        ("names", names(&AWS_NAMES, "Name tag")),
        (
            "public_subnet_id",
            Attribute::string().computed().description("Id of the public subnet, where this link made the VPC."),
        ),
        ("main_route_table_id", Attribute::string().computed().description("Id of the VPC's main route table.")),
    ];
    Attribute::nested(Nesting::Single, attributes).required().description("The AWS side.")
}

fn logs() -> Attribute {
    let group = |of: &str| {
        Attribute::string().optional().description(format!(
            "ARN of the CloudWatch log group for the logs of {of}, without `:*` at its end. Without one they are off."
        ))
    };
    let format = || {
        Attribute::string()
            .optional()
            .computed()
            .description("`json` or `text`. Default `json`; only together with its log group.")
    };
    let attributes = [
        ("log_group_arn", group("IKE and IPsec")),
        ("format", format()),
        ("bgp_log_group_arn", group("BGP")),
        ("bgp_format", format()),
    ];
    Attribute::nested(Nesting::Single, attributes).optional().computed().description(
        "Logs of the tunnels, in CloudWatch. Where the object is given it says all: a log without a group is off, and `{}` \
         switches both off. Left out, they stay as they are; a new link has none. A change interrupts one tunnel after the other.",
    )
}

fn vpc() -> Attribute {
    let attributes = [
        ("cidr_block", Attribute::string().required().description("Range of the VPC, /16 to /28, such as `10.2.0.0/16`.")),
        (
            "public_subnet_cidr_block",
            Attribute::string().optional().description(
                "Range of a public subnet, such as `10.2.0.0/24`, with an internet gateway and a route table of its own. Changing this \
                 recreates the subnet in place; removing this deletes all three.",
            ),
        ),
    ];
    Attribute::nested(Nesting::Single, attributes)
        .optional()
        .computed()
        .description(
            "A VPC to create. Needed unless `vpc_id`, `vpn_gateway_id` or `transit_gateway_id` is given. With `transit_gateway_id`, the \
             VPC is not attached to the transit gateway: a link that moves to a transit gateway keeps its VPC until `vpc` is removed, \
             which deletes the VPC.",
        )
}
