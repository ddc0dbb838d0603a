//! Conflicts between a planned link and the clouds.

use super::{azure, gateway, samples};
use crate::aws::model::{VpnConnectionId, VpnGatewayId};
use crate::provider::bgp_vpn::attribute_paths::diagnostics;
use bgp_vpn::preflight::PreflightIssue as Issue;
use bgp_vpn::tunnel::Instance;
use bgp_vpn::violation::{AttributeId as At, Violation, ViolationKind};
use terraform_plugin::Diagnostic;

pub fn issues() -> Vec<Diagnostic> {
    let net = |text: &str| text.parse().unwrap();
    let network = || azure("virtualNetworks", "vnet1");
    let issues = samples!(Issue {
        Issue::ResourceGroupNotFound(_) => Issue::ResourceGroupNotFound("prod-rg".into()),
        Issue::VirtualNetworkNotFound(_) => Issue::VirtualNetworkNotFound(network().to_string()),
        Issue::VirtualNetworkExists { .. } => Issue::VirtualNetworkExists { id: network(), link: Some("office".into()) },
        Issue::VirtualNetworkHasGateway { .. } => Issue::VirtualNetworkHasGateway { id: gateway(), link: Some("office".into()) },
        Issue::LinkExists(..) => Issue::LinkExists(gateway(), "169.254.21.0/30".into()),
        Issue::VpcNotFound { .. } => Issue::VpcNotFound { id: "vpc-1".into(), region: "eu-west-1".into() },
        Issue::VpcHasGateway(_) => Issue::VpcHasGateway(VpnGatewayId("vgw-1".into())),
        Issue::LeftByIncompleteCreate { .. } => {
            Issue::LeftByIncompleteCreate { id: "vgw-1".into(), name: "office".into() }
        },
        Issue::GatewaySubnetNotFound => Issue::GatewaySubnetNotFound,
        Issue::GatewaySubnetMisspelled(_) => Issue::GatewaySubnetMisspelled("gatewaysubnet".into()),
        Issue::UsedGatewaySubnet { .. } => Issue::UsedGatewaySubnet { has: net("10.1.255.0/27"), wanted: net("10.1.254.0/27") },
        Issue::OtherGatewaySubnet(_) => Issue::OtherGatewaySubnet(net("10.1.255.0/27")),
        Issue::AzureGatewayNotFound(_) => Issue::AzureGatewayNotFound(gateway().to_string()),
        Issue::UnsuitableGateway(_) => Issue::UnsuitableGateway("it is not active-active"),
        Issue::RadiusGateway(_) => Issue::RadiusGateway("169.254.21.2 on instance0".into()),
        Issue::VirtualNetworkInOtherLocation(_) => Issue::VirtualNetworkInOtherLocation("westeurope".into()),
        Issue::RouteTableOfOtherVpc(_) => Issue::RouteTableOfOtherVpc("rtb-1".into()),
        Issue::TooManyPrefixes { .. } => Issue::TooManyPrefixes { has: 120, limit: 100 },
        Issue::SecurityGroup(_) => Issue::SecurityGroup(azure("networkSecurityGroups", "nsg1")),
        Issue::GatewayMismatch(..) => Issue::GatewayMismatch("SKU", "VpnGw1AZ".into()),
        Issue::GatewayFull { .. } => Issue::GatewayFull { has: 28, limit: 30 },
        Issue::AddressInUse { .. } => Issue::AddressInUse {
            address: "169.254.21.2".parse().unwrap(),
            by: azure("connections", "branch"),
            free: vec![1, 2, 3],
        },
        Issue::AddressOfOtherInstance { .. } => Issue::AddressOfOtherInstance {
            address: "169.254.21.2".parse().unwrap(),
            configuration: gateway().child("ipConfigurations", "instance1"),
            needed: Instance::Zero,
        },
        Issue::VpnGatewayNotFound { .. } => Issue::VpnGatewayNotFound { id: "vgw-1".into(), region: "eu-west-1".into() },
        Issue::TransitGatewayNotFound { .. } => Issue::TransitGatewayNotFound { id: "tgw-1".into(), region: "eu-west-1".into() },
        Issue::TransitRouteTableNotFound { .. } => Issue::TransitRouteTableNotFound { id: "tgw-rtb-1".into(), region: "eu-west-1".into() },
        Issue::RouteTableOfOtherTransitGateway { .. } => Issue::RouteTableOfOtherTransitGateway {
            id: "tgw-rtb-1".into(),
            has: "tgw-2".into(),
            needs: "tgw-1".into(),
        },
        Issue::ManualTransitAttachment(_) => Issue::ManualTransitAttachment("associate and propagate routes of"),
        Issue::NoEcmp => Issue::NoEcmp,
        Issue::InsideCidrInUse { .. } => Issue::InsideCidrInUse {
            cidr: net("169.254.21.0/30"),
            by: VpnConnectionId("vpn-1".into()),
        },
        Issue::VpnGatewayFull { .. } => Issue::VpnGatewayFull { has: 9, limit: 10 },
        Issue::OverlappingRanges { .. } => Issue::OverlappingRanges { azure: net("10.1.0.0/16"), aws: net("10.1.128.0/17") },
        Issue::SubnetsWithoutRoutes(_) => Issue::SubnetsWithoutRoutes("subnet-1, subnet-2".into()),
        Issue::SharedGateways(_) => Issue::SharedGateways("vpn-9".into()),
        Issue::ClaimAtCreate => Issue::ClaimAtCreate,
    });
    let violation = |issue: Issue| {
        let warns = matches!(
            issue,
            Issue::TooManyPrefixes { .. }
                | Issue::SecurityGroup(_)
                | Issue::ManualTransitAttachment(_)
                | Issue::NoEcmp
                | Issue::VpnGatewayFull { .. }
                | Issue::SubnetsWithoutRoutes(_)
        );
        let make = if warns {
            Violation::warning
        } else {
            Violation::error
        };
        make(place(&issue), ViolationKind::Preflight(issue))
    };
    diagnostics(issues.into_iter().map(violation))
        .into_iter()
        .collect()
}

fn place(issue: &Issue) -> At {
    match issue {
        Issue::ResourceGroupNotFound(_) => At::ResourceGroup,
        Issue::VirtualNetworkNotFound(_)
        | Issue::GatewaySubnetMisspelled(_)
        | Issue::SecurityGroup(_) => At::NetworkId,
        Issue::VirtualNetworkExists { .. } => At::NetworkName,
        Issue::VpcNotFound { .. } | Issue::OverlappingRanges { .. } => At::VpcId,
        Issue::VpcHasGateway(_)
        | Issue::VpnGatewayNotFound { .. }
        | Issue::VpnGatewayFull { .. } => At::VpnGateway,
        Issue::UsedGatewaySubnet { .. } => At::NetworkGatewaySubnet,
        Issue::GatewaySubnetNotFound | Issue::OtherGatewaySubnet(_) => At::GatewaySubnet,
        Issue::VirtualNetworkInOtherLocation(_) => At::Location,
        Issue::RouteTableOfOtherVpc(_) | Issue::SubnetsWithoutRoutes(_) => At::RouteTables,
        Issue::GatewayMismatch(..) => At::Sku,
        Issue::AddressInUse { .. } | Issue::InsideCidrInUse { .. } => At::Slot,
        Issue::TransitGatewayNotFound { .. }
        | Issue::ManualTransitAttachment(_)
        | Issue::NoEcmp => At::TransitGateway,
        Issue::TransitRouteTableNotFound { .. } => At::TransitAssociation,
        Issue::RouteTableOfOtherTransitGateway { .. } => At::TransitPropagations,
        Issue::SharedGateways(_) | Issue::ClaimAtCreate => At::ManageGateways,
        _ => At::AzureGateway,
    }
}
