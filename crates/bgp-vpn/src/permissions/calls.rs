//! Which calls a link makes. Names are those of EC2's operations and of Azure's operations as the
//! clients use them; each has its row in [`super::aws`] or [`super::azure`].

use super::Phase;
use super::features::Features;
use std::collections::BTreeSet;

/// Calls, each of which has a row in the table of its cloud.
pub type Calls = BTreeSet<&'static str>;

/// The calls to EC2 of a link.
pub fn aws(features: &Features, phase: Phase) -> Calls {
    let mut calls = Calls::from([
        "DescribeVpnConnections",
        "DescribeCustomerGateways",
        "GetServiceQuota",
    ]);
    let has_vpc = features.creates_vpn_gateway || features.uses_vpn_gateway;
    if has_vpc {
        calls.extend(["DescribeVpcs", "DescribeVpnGateways", "DescribeRouteTables"]);
    }
    if features.uses_vpc || features.uses_vpn_gateway || features.creates_vpc {
        calls.insert("DescribeSubnets");
    }
    if features.creates_vpc {
        calls.insert("DescribeInternetGateways");
    }
    if features.uses_transit_gateway {
        calls.extend([
            "DescribeTransitGateways",
            "DescribeTransitGatewayAttachments",
        ]);
    }
    if features.associates_attachments || features.propagates_attachments {
        calls.insert("DescribeTransitGatewayRouteTables");
    }
    if features.propagates_attachments {
        calls.insert("GetTransitGatewayAttachmentPropagations");
    }
    if phase == Phase::Plan {
        return calls;
    }
    calls.extend([
        "CreateCustomerGateway",
        "DeleteCustomerGateway",
        "CreateVpnConnection",
        "DeleteVpnConnection",
        "ModifyVpnTunnelOptions",
        // Another Azure ASN or public IP needs other customer gateways.
        "ModifyVpnConnection",
        "ModifyVpnConnectionOptions",
        "CreateTags",
        "DeleteTags",
    ]);
    if features.creates_vpn_gateway {
        calls.extend([
            "CreateVpnGateway",
            "AttachVpnGateway",
            "DetachVpnGateway",
            "DeleteVpnGateway",
        ]);
    }
    if features.propagates_routes {
        calls.extend(["EnableVgwRoutePropagation", "DisableVgwRoutePropagation"]);
    }
    if features.associates_attachments {
        calls.extend([
            "AssociateTransitGatewayRouteTable",
            "DisassociateTransitGatewayRouteTable",
        ]);
    }
    if features.propagates_attachments {
        calls.extend([
            "EnableTransitGatewayRouteTablePropagation",
            "DisableTransitGatewayRouteTablePropagation",
        ]);
    }
    if features.creates_vpc {
        calls.extend([
            "CreateVpc",
            "DeleteVpc",
            // What others have put into the VPC stops a destroy before it deletes anything.
            "DescribeNetworkInterfaces",
            "DescribeNatGateways",
            "DescribeVpcEndpoints",
            "DescribeSecurityGroups",
            "DescribeNetworkAcls",
            "DescribeEgressOnlyInternetGateways",
            "DescribeVpcPeeringConnections",
        ]);
    }
    if features.creates_public_subnet {
        calls.extend([
            "CreateSubnet",
            "DeleteSubnet",
            "CreateInternetGateway",
            "AttachInternetGateway",
            "DetachInternetGateway",
            "DeleteInternetGateway",
            "CreateRouteTable",
            "AssociateRouteTable",
            "DisassociateRouteTable",
            "CreateRoute",
            "DeleteRouteTable",
        ]);
    }
    if features.writes_logs {
        calls.insert("tunnel logs");
    }
    calls
}

/// The calls to Resource Manager of a link.
pub fn azure(features: &Features, phase: Phase) -> Calls {
    let mut calls = Calls::from([
        "read group",
        "read network",
        "read gateway",
        "list gateway connections",
        "list connections",
        "list local gateways",
        "read public IP",
        "read shared key",
    ]);
    if features.uses_existing_group {
        // Preflight of a create.
        calls.insert("list permissions");
    }
    if features.creates_azure_gateway {
        // Preflight of a create.
        calls.extend([
            "read provider",
            "list usages",
            "check policies",
            "list locks",
        ]);
    }
    if phase == Phase::Plan {
        return calls;
    }
    calls.extend([
        "write connection",
        "delete connection",
        "write local gateway",
        "delete local gateway",
        "write shared key",
        "write gateway",
        "read BGP peers",
        "read operation",
        "list resources of subscription",
        "list locks",
    ]);
    if features.creates_group {
        calls.extend(["write group", "delete group", "list resources of group"]);
    }
    if features.creates_azure_gateway {
        calls.extend(["delete gateway", "write public IP", "delete public IP"]);
    }
    if features.creates_network {
        calls.extend([
            "write network",
            "delete network",
            "write network with users",
        ]);
    }
    if features.creates_network || features.creates_gateway_subnet {
        calls.extend(["read subnet", "write subnet", "delete subnet"]);
    }
    if features.reads_zones {
        calls.insert("list locations");
    }
    calls
}

/// The calls to EC2 of the data source.
pub fn aws_status() -> Calls {
    Calls::from([
        "DescribeVpnConnections",
        "DescribeCustomerGateways",
        "DescribeVpnGateways",
        "DescribeTransitGateways",
        "DescribeVpcs",
        "DescribeRouteTables",
        "DescribeSubnets",
        "DescribeInternetGateways",
    ])
}

/// The calls to Resource Manager of the data source.
pub fn azure_status() -> Calls {
    Calls::from([
        "read group",
        "read network",
        "read gateway",
        "list gateway connections",
        "list connections",
        "list local gateways",
        "read public IP",
        "read BGP peers",
        "read operation",
    ])
}
