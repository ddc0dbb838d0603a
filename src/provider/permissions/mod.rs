//! The permissions that configurations need, for administrators: a command and a function.
//!
//! | file | holds |
//! |---|---|
//! | `command` | `terraform-provider-awsazure permissions`, which reads HCL |
//! | `function` | `provider::awsazure::required_permissions` |
//! | `hcl_value` | expressions of HCL as values of Terraform |

pub mod command;
pub mod function;
pub mod hcl_value;

use super::bgp_vpn::read_config;
use bgp_vpn::permissions::{Permissions, Phase, required};
use serde_json::Value as Json;
use terraform_plugin::Value;

/// The two documents of a set of permissions.
pub struct Documents {
    pub aws_policy: Json,
    pub azure_role: Json,
}

impl Documents {
    pub fn of(permissions: &Permissions, phase: Phase) -> Self {
        Documents {
            aws_policy: permissions.aws_policy(),
            azure_role: permissions.azure_role(phase),
        }
    }
}

/// The permissions of a link with these attributes. What is not there is null.
pub fn of_configuration(configuration: &Value, phase: Phase) -> Permissions {
    required(&read_config(configuration), phase)
}
