//! Where fields of the domain stand in the resource block, and faults as diagnostics at those places.

use crate::link::violation::{AttributeId, Violation};
use crate::plugin::{AttributePath, Diagnostic, Diagnostics};

/// The attribute of a field.
pub fn attribute_path(field: &AttributeId) -> AttributePath {
    let dotted = match field {
        AttributeId::Name => "name",
        AttributeId::ResourceGroup => "azure.resource_group_name",
        AttributeId::Location => "azure.location",
        AttributeId::Zones => "azure.zones",
        AttributeId::NetworkId => "azure.virtual_network_id",
        // Of a path that ends in name, Terraform shows the line of the resource's own name.
        AttributeId::NetworkName => "azure.virtual_network",
        AttributeId::AddressSpace => "azure.virtual_network.address_space",
        AttributeId::NetworkGatewaySubnet => "azure.virtual_network.gateway_subnet_prefix",
        AttributeId::GatewaySubnet => "azure.gateway_subnet_prefix",
        AttributeId::Subnet(name) => return AttributePath::from("azure.virtual_network.subnets").key(name),
        AttributeId::AzureGateway => "azure.gateway_id",
        AttributeId::Sku => "azure.sku",
        AttributeId::Generation => "azure.generation",
        AttributeId::AzureAsn => "azure.asn",
        AttributeId::ConnectionMode => "azure.connection_mode",
        AttributeId::AzureDpdSeconds => "azure.dpd_timeout_seconds",
        AttributeId::AzureName(name) => return AttributePath::from("azure.names").attr(name),
        AttributeId::AwsName(name) => return AttributePath::from("aws.names").attr(name),
        AttributeId::VpcId => "aws.vpc_id",
        AttributeId::VpcCidr => "aws.vpc.cidr_block",
        AttributeId::PublicSubnet => "aws.vpc.public_subnet_cidr_block",
        AttributeId::VpnGateway => "aws.vpn_gateway_id",
        AttributeId::TransitGateway => "aws.transit_gateway_id",
        AttributeId::Region => "aws.region",
        AttributeId::AwsAsn => "aws.asn",
        AttributeId::RouteTables => "aws.route_table_ids",
        AttributeId::StartupAction => "aws.startup_action",
        AttributeId::DpdAction => "aws.dpd_timeout_action",
        AttributeId::AwsDpdSeconds => "aws.dpd_timeout_seconds",
        AttributeId::Acceleration => "aws.enable_acceleration",
        AttributeId::Bandwidth => "aws.tunnel_bandwidth",
        AttributeId::KeyStorage => "aws.preshared_key_storage",
        AttributeId::Logs(name) => return AttributePath::from("aws.logs").attr(*name),
        AttributeId::Slot => "slot",
        AttributeId::InsideCidr(key) => return AttributePath::root("inside_cidrs").attr(key.to_string()),
        AttributeId::Policy(name) => return AttributePath::root("ipsec_policy").attr(*name),
        AttributeId::PresharedKey(key) => return AttributePath::root("preshared_keys_wo").attr(key.to_string()),
        AttributeId::PresharedKeys => "preshared_keys_wo",
        AttributeId::PresharedKeysVersion => "preshared_keys_wo_version",
        AttributeId::RotateKeys => "rotate_keys",
        AttributeId::OnCreateFailure => "on_create_failure",
        AttributeId::Tags => "tags",
        AttributeId::Tag(name) => return AttributePath::root("tags").key(name),
        AttributeId::Timeout(name) => return AttributePath::root("timeouts").attr(name),
        AttributeId::ManageGateways => "manage_gateways",
    };
    AttributePath::from(dotted)
}

/// Faults for the user, each at its attribute. Terraform points no further than at the resource where an attribute is nested, so
/// its path is said too.
pub fn diagnostics(violations: impl IntoIterator<Item = Violation>) -> Diagnostics {
    let tell = |fault: Violation| {
        let make = if fault.is_warning() { Diagnostic::warning } else { Diagnostic::error };
        let (path, problem) = (attribute_path(&fault.attribute), fault.kind.to_string());
        let detail = if path.steps().len() > 1 { format!("{path}: {problem}") } else { problem };
        make(fault.kind.summary()).detail(detail).at(path)
    };
    violations.into_iter().map(tell).collect()
}
