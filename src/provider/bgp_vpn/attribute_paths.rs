//! Where fields of the domain stand in the resource block, and faults as diagnostics at those
//! places.

use super::attributes::path_of;
use bgp_vpn::violation::{AttributeId, Violation};
use terraform_plugin::{AttributePath, Diagnostic, Diagnostics};

/// Where the value of an attribute is. The attribute table knows, but for the elements of objects
/// and maps.
pub fn value_path(attribute: &AttributeId) -> AttributePath {
    let of = |id: &AttributeId| match path_of(id) {
        "" => AttributePath::empty(),
        path => AttributePath::from(path),
    };
    match attribute {
        AttributeId::Subnet(name) => of(&AttributeId::Subnets).key(name),
        AttributeId::AzureName(name) => of(&AttributeId::AzureNames).attr(name),
        AttributeId::AwsName(name) => of(&AttributeId::AwsNames).attr(name),
        AttributeId::Logs(name) => of(&AttributeId::TunnelLogs).attr(*name),
        AttributeId::InsideCidr(key) => AttributePath::root("inside_cidrs").attr(key.to_string()),
        AttributeId::Policy(name) => of(&AttributeId::IpsecPolicy).attr(*name),
        AttributeId::PresharedKey(key) => of(&AttributeId::PresharedKeys).attr(key.to_string()),
        AttributeId::Tag(name) => of(&AttributeId::Tags).key(name),
        AttributeId::Timeout(name) => of(&AttributeId::Timeouts).attr(name),
        id => of(id),
    }
}

/// Where a diagnostic about an attribute points.
pub fn attribute_path(attribute: &AttributeId) -> AttributePath {
    match attribute {
        // Of a path that ends in name, Terraform shows the line of the resource's own name.
        AttributeId::NetworkName => value_path(&AttributeId::Network),
        other => value_path(other),
    }
}

/// Faults for the user, each at its attribute. Terraform points no further than at the resource
/// where an attribute is nested, so its path is said too.
pub fn diagnostics(violations: impl IntoIterator<Item = Violation>) -> Diagnostics {
    let tell = |fault: Violation| {
        let make = if fault.is_warning() {
            Diagnostic::warning
        } else {
            Diagnostic::error
        };
        let (path, problem) = (attribute_path(&fault.attribute), fault.kind.to_string());
        let detail = if path.steps().len() > 1 {
            format!("{path}: {problem}")
        } else {
            problem
        };
        make(fault.kind.summary()).detail(detail).at(path)
    };
    violations.into_iter().map(tell).collect()
}
