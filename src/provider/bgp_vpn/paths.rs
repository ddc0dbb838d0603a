//! Where fields of the domain stand in the resource block, and faults as diagnostics at those places.

use crate::link::fault::{Fault, Field};
use crate::plugin::{AttributePath, Diagnostic, Diagnostics};

/// The attribute of a field.
pub fn path(field: &Field) -> AttributePath {
    let dotted = match field {
        Field::Name => "name",
        Field::ResourceGroup => "azure.resource_group_name",
        Field::Location => "azure.location",
        Field::Zones => "azure.zones",
        Field::NetworkId => "azure.virtual_network_id",
        // Of a path that ends in name, Terraform shows the line of the resource's own name.
        Field::NetworkName => "azure.virtual_network",
        Field::AddressSpace => "azure.virtual_network.address_space",
        Field::NetworkGatewaySubnet => "azure.virtual_network.gateway_subnet_prefix",
        Field::GatewaySubnet => "azure.gateway_subnet_prefix",
        Field::Subnet(name) => return AttributePath::from("azure.virtual_network.subnets").key(name),
        Field::AzureGateway => "azure.gateway_id",
        Field::Sku => "azure.sku",
        Field::Generation => "azure.generation",
        Field::AzureAsn => "azure.asn",
        Field::ConnectionMode => "azure.connection_mode",
        Field::AzureDpdSeconds => "azure.dpd_timeout_seconds",
        Field::AzureName(name) => return AttributePath::from("azure.names").attr(name),
        Field::AwsName(name) => return AttributePath::from("aws.names").attr(name),
        Field::VpcId => "aws.vpc_id",
        Field::VpcCidr => "aws.vpc.cidr_block",
        Field::PublicSubnet => "aws.vpc.public_subnet_cidr_block",
        Field::VpnGateway => "aws.vpn_gateway_id",
        Field::TransitGateway => "aws.transit_gateway_id",
        Field::Region => "aws.region",
        Field::AwsAsn => "aws.asn",
        Field::RouteTables => "aws.route_table_ids",
        Field::StartupAction => "aws.startup_action",
        Field::DpdAction => "aws.dpd_timeout_action",
        Field::AwsDpdSeconds => "aws.dpd_timeout_seconds",
        Field::Acceleration => "aws.enable_acceleration",
        Field::Bandwidth => "aws.tunnel_bandwidth",
        Field::KeyStorage => "aws.preshared_key_storage",
        Field::Logs(name) => return AttributePath::from("aws.logs").attr(*name),
        Field::Slot => "slot",
        Field::InsideCidr(key) => return AttributePath::root("inside_cidrs").attr(key.to_string()),
        Field::Policy(name) => return AttributePath::root("ipsec_policy").attr(*name),
        Field::OwnKey(key) => return AttributePath::root("preshared_keys_wo").attr(key.to_string()),
        Field::OwnKeys => "preshared_keys_wo",
        Field::OwnKeysVersion => "preshared_keys_wo_version",
        Field::RotateKeys => "rotate_keys",
        Field::OnCreateFailure => "on_create_failure",
        Field::Tags => "tags",
        Field::Tag(name) => return AttributePath::root("tags").key(name),
        Field::Timeout(name) => return AttributePath::root("timeouts").attr(name),
        Field::ManageGateways => "manage_gateways",
    };
    AttributePath::from(dotted)
}

/// Faults for the user, each at its attribute. Terraform points no further than at the resource where an attribute is nested, so
/// its path is said too.
pub fn diagnostics(faults: impl IntoIterator<Item = Fault>) -> Diagnostics {
    let tell = |fault: Fault| {
        let make = if fault.warning { Diagnostic::warning } else { Diagnostic::error };
        let (path, problem) = (path(&fault.field), fault.problem.to_string());
        let detail = if path.steps().len() > 1 { format!("{path}: {problem}") } else { problem };
        make(fault.problem.summary()).detail(detail).at(path)
    };
    faults.into_iter().map(tell).collect()
}
