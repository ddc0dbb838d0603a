//! Attributes of the object `aws`.

use super::{AttributeRow, Effect, Source};
use crate::provider::bgp_vpn::default_options::logs_value;
use bgp_vpn::config::AttributeId;
use terraform_plugin::{Type, Value};

/// Attributes of `aws.names`, with what each names.
pub const AWS_NAMES: [(&str, &str); 9] = [
    ("vpn_gateway", "the virtual private gateway"),
    (
        "customer_gateway_instance0",
        "the customer gateway for instance 0",
    ),
    (
        "customer_gateway_instance1",
        "the customer gateway for instance 1",
    ),
    (
        "vpn_connection_instance0",
        "the VPN connection to instance 0",
    ),
    (
        "vpn_connection_instance1",
        "the VPN connection to instance 1",
    ),
    ("vpc", "the VPC, where this link makes it"),
    (
        "internet_gateway",
        "the internet gateway, if this link creates it",
    ),
    (
        "public_subnet",
        "the public subnet, if this link creates it",
    ),
    (
        "public_route_table",
        "the route table of the public subnet, if this link creates it",
    ),
];

/// EC2's defaults, for options that DescribeVpnConnections omits (2026-11). They are those of
/// CreateVpnConnection.
const STARTUP_ACTION: &str = "add";
const DPD_TIMEOUT_ACTION: &str = "clear";
const DPD_TIMEOUT_SECONDS: u32 = 30;
const LIFECYCLE_CONTROL: bool = false;

pub(super) fn rows() -> Vec<AttributeRow> {
    let mut rows = vec![
        AttributeRow::object("aws")
            .required()
            .describe("The AWS side."),
    ];
    rows.extend(gateway());
    rows.extend(tunnels());
    rows.extend(logs());
    rows.extend([
        AttributeRow::object("aws.names").id(AttributeId::AwsNames).remembered().on_change(Effect::NamesNewObjects).describe(
            "Name tags of single objects, for companies with naming standards. What is left out is made from `name`.",
        ),
        AttributeRow::string("aws.public_subnet_id")
            .computed()
            .describe("ID of the public subnet, if this link created it."),
        AttributeRow::string("aws.main_route_table_id").computed().describe("ID of the main route table of the VPC."),
    ]);
    rows.extend(AWS_NAMES.map(|(name, noun)| {
        AttributeRow::string(format!("aws.names.{name}")).describe(format!("Name tag of {noun}."))
    }));
    rows
}

/// Where the AWS side ends.
fn gateway() -> Vec<AttributeRow> {
    vec![
        AttributeRow::string("aws.region").id(AttributeId::Region)
            .remembered()
            .on_change(Effect::RecreatesAwsSide)
            .describe("AWS region, such as `eu-west-1`. Defaults to the region of the provider."),
        AttributeRow::string("aws.vpc_id").id(AttributeId::VpcId)
            .remembered()
            .affects_managed()
            .source(Source::Objects)
            .on_change(Effect::RecreatesAwsSide)
            .describe("ID of an existing VPC. Required unless `vpc`, `vpn_gateway_id` or `transit_gateway_id` is set."),
        AttributeRow::object("aws.vpc").id(AttributeId::Vpc).remembered().affects_managed().needs_preflight().describe(
            "VPC to create. Required unless `vpc_id`, `vpn_gateway_id` or `transit_gateway_id` is set. With `transit_gateway_id`, the VPC is not attached to the transit gateway: a link that moves to a transit gateway keeps its VPC until `vpc` is removed, which deletes the VPC.",
        ),
        AttributeRow::string("aws.vpc.cidr_block").id(AttributeId::VpcCidr)
            .required()
            .on_change(Effect::RecreatesVpc)
            .describe("CIDR block of the VPC, /16 to /28, such as `10.2.0.0/16`. Changing this recreates the AWS side."),
        AttributeRow::string("aws.vpc.public_subnet_cidr_block").id(AttributeId::PublicSubnet).optional().on_change(Effect::Described).describe(
            "CIDR block of a public subnet, such as `10.2.0.0/24`, with its own internet gateway and route table. Changing this recreates the subnet. Removing this deletes all three.",
        ),
        AttributeRow::number("aws.asn").id(AttributeId::AwsAsn)
            .default_of_created_gateway(64_512_u32)
            .remembered()
            .observed(|clouds| clouds.observed.amazon_asn().map(|asn| asn.0.into()))
            .on_change(Effect::RecreatesAwsSide)
            .describe("ASN of the AWS side."),
        AttributeRow::string("aws.vpn_gateway_id").id(AttributeId::VpnGateway)
            .remembered()
            .affects_managed()
            .source(Source::Objects)
            .on_change(Effect::RecreatesAwsSide)
            .describe(
                "ID of an existing virtual private gateway, which the link neither creates nor deletes. Its VPC and ASN are read from it. It does not need a VPC (Direct Connect). If not set, a gateway is created. Changing this recreates the AWS side.",
            ),
        AttributeRow::string("aws.transit_gateway_id").id(AttributeId::TransitGateway)
            .remembered()
            .affects_managed()
            .needs_preflight()
            .source(Source::Objects)
            .on_change(Effect::RecreatesAwsSide)
            .describe(
                "ID of an existing transit gateway, used instead of a virtual private gateway and its VPC. The link neither creates nor deletes it. Its ASN is read from it. Routes from VPCs to the transit gateway are not managed. The attachments of the two VPN connections get the tags of the link, and use the default route tables unless others are configured.",
            ),
        AttributeRow::string("aws.transit_gateway_association_route_table_id").id(AttributeId::TransitAssociation)
            .optional()
            .needs_preflight()
            .on_change(Effect::InterruptsRoutes)
            .describe(
                "Route table of the transit gateway (`tgw-rtb-...`) with which the attachments of both VPN connections are associated. It routes the traffic from Azure. If not set, the link does not change associations: AWS associates new attachments with the default association route table of the transit gateway. Removing this keeps the present association, because another one would interrupt the routes.",
            ),
        AttributeRow::of("aws.transit_gateway_propagation_route_table_ids", Type::set(Type::String)).id(AttributeId::TransitPropagations)
            .optional()
            .needs_preflight()
            .on_change(Effect::InPlace)
            .describe(
                "Route tables of the transit gateway (`tgw-rtb-...`) into which the attachments of both VPN connections propagate the routes to Azure. Removing a table ends the propagation only if this link enabled it. Propagation into the default propagation route table of the transit gateway is not changed.",
            ),
        AttributeRow::of("aws.route_table_ids", Type::set(Type::String)).id(AttributeId::RouteTables)
            .remembered()
            .affects_managed()
            .needs_preflight()
            .on_change(Effect::InPlace)
            .describe(
                "Route tables into which the routes to Azure are propagated. Defaults to the main route table of the VPC, and that of the public subnet if this link created it. `[]` disables the management of route tables.",
            ),
    ]
}

/// Options of the VPN connections and their tunnels.
fn tunnels() -> Vec<AttributeRow> {
    vec![
        AttributeRow::string("aws.startup_action").id(AttributeId::StartupAction)
            .default("start")
            .remembered()
            .observed(|clouds| {
                let shown = |action: Option<&String>| action.map_or(STARTUP_ACTION, String::as_str).to_owned();
                clouds.of_tunnels(|tunnel| Some(shown(tunnel.options.startup_action.as_ref()))).map(Value::from)
            })
            .on_change(Effect::InterruptsTunnels)
            .describe("`start` (AWS initiates the tunnels) or `add` (AWS waits for Azure)."),
        AttributeRow::string("aws.dpd_timeout_action").id(AttributeId::DpdAction)
            .default("restart")
            .remembered()
            .observed(|clouds| {
                let shown = |action: Option<&String>| action.map_or(DPD_TIMEOUT_ACTION, String::as_str).to_owned();
                clouds.of_tunnels(|tunnel| Some(shown(tunnel.options.dpd_timeout_action.as_ref()))).map(Value::from)
            })
            .on_change(Effect::InterruptsTunnels)
            .describe(
                "What AWS does when the Azure end falls silent: `restart`, `clear` or `none`. With `ResponderOnly` the last two would \
                 never dial again.",
            ),
        AttributeRow::number("aws.dpd_timeout_seconds").id(AttributeId::AwsDpdSeconds)
            .default(30_u32)
            .remembered()
            .observed(|clouds| {
                let shown = |seconds: Option<u32>| seconds.unwrap_or(DPD_TIMEOUT_SECONDS);
                clouds.of_tunnels(|tunnel| Some(shown(tunnel.options.dpd_timeout_seconds))).map(Value::from)
            })
            .on_change(Effect::InterruptsTunnels)
            .describe("Dead peer detection of the AWS tunnels, 30 seconds or more."),
        AttributeRow::string("aws.preshared_key_storage").id(AttributeId::KeyStorage)
            .default("Standard")
            .remembered()
            .observed(|clouds| clouds.of_tunnels(|tunnel| tunnel.key_storage).map(|storage| storage.to_string().into()))
            .on_change(Effect::InterruptsTunnels)
            .describe(
                "Where AWS stores the pre-shared keys: `Standard` (in the VPN service) or `SecretsManager` (in a secret that AWS creates). `SecretsManager` requires permissions for Secrets Manager. EC2 does not return these keys, so a key that was changed on one side only is not detected. The tunnel goes down; change `rotate_keys` to set new keys on both sides. A change of the storage keeps the keys.",
            ),
        AttributeRow::bool("aws.tunnel_lifecycle_control").id(AttributeId::LifecycleControl)
            .default(false)
            .remembered()
            .observed(|clouds| {
                let shown = |on: Option<bool>| on.unwrap_or(LIFECYCLE_CONTROL);
                clouds.of_tunnels(|tunnel| Some(shown(tunnel.options.lifecycle_control))).map(Value::from)
            })
            .on_change(Effect::InPlace)
            .describe(
                "Whether AWS waits for you before it replaces a tunnel endpoint for maintenance (`EnableTunnelLifecycleControl` of all \
                 four tunnels), until the deadline that AWS sets.",
            ),
        AttributeRow::bool("aws.enable_acceleration").id(AttributeId::Acceleration)
            .default_on_transit_gateway(false)
            .remembered()
            // Null where an interrupted change left only one of the connections accelerated. The next
            // apply recreates one of them in either case.
            .observed(|clouds| clouds.has_vpn_connections().then(|| clouds.acceleration().into()))
            .on_change(Effect::RecreatesConnections)
            .describe(
                "Whether the tunnels use AWS Global Accelerator. Requires a transit gateway. AWS keeps accelerated tunnels up only if Azure initiates the rekeys, so the default lifetimes of `ipsec_policy` change, and `azure.connection_mode = \"Default\"` is recommended.",
            ),
        AttributeRow::string("aws.tunnel_bandwidth").id(AttributeId::Bandwidth)
            .default_on_transit_gateway("standard")
            .remembered()
            .observed(|clouds| clouds.of_vpn_connections(|vpn| vpn.bandwidth).map(|it| it.as_str().into()))
            .on_change(Effect::InterruptsConnections)
            .describe(
                "Bandwidth of each tunnel: `standard` (1.25 Gbit/s) or `large` (5 Gbit/s, where the region supports it). `large` requires a transit gateway.",
            ),
    ]
}

fn logs() -> Vec<AttributeRow> {
    let group = |name: &str, of: &str| {
        AttributeRow::string(format!("aws.logs.{name}")).optional().describe(format!(
            "ARN of the CloudWatch log group for the logs of {of}, without `:*` at its end. Without one they are off."
        ))
    };
    let format = |name: &str| {
        AttributeRow::string(format!("aws.logs.{name}"))
            .describe("`json` or `text`. Defaults to `json`. Requires the log group.")
    };
    vec![
        AttributeRow::object("aws.logs").id(AttributeId::TunnelLogs)
            .remembered()
            .observed(|clouds| {
                let logs = clouds.of_tunnels(|tunnel| Some(tunnel.options.logs.clone().unwrap_or_default()))?;
                Some(logs_value(&logs))
            })
            .on_change(Effect::InterruptsTunnels)
            .describe(
                "Logs of the tunnels, in CloudWatch. Where the object is given it says all: a log without a group is off, and `{}` \
                 switches both off. Left out, they stay as they are; a new link has none.",
            ),
        group("log_group_arn", "IKE and IPsec"),
        format("format"),
        group("bgp_log_group_arn", "BGP"),
        format("bgp_format"),
    ]
}
