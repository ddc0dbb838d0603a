//! What can be refused without asking a cloud. Fields that are absent or not known yet break no
//! rule.

mod asn;
mod cidr;
mod combination;
mod ids;
mod names;
mod networks;
mod required;
mod sku;
mod values;

pub use cidr::{gateway_subnet_size, parse_cidr};
pub use combination::{ChangedParts, validate_combination};
pub use ids::is_region;
pub use required::validate_required;
pub use sku::generations;

use super::config::{Attr, Config};
use super::ipsec_validation::validate_ipsec_policy;
use super::violation::{AttributeId, Violation, ViolationKind};
use cidr::{validate_cidr, validate_gateway_subnet_size};
use ids::validate_ids;
use names::{validate_names, validate_tags};
use networks::{validate_inside_cidrs, validate_virtual_network, validate_vpc};
use values::{
    validate_enums, validate_null_elements, validate_numbers, validate_preshared_keys,
    validate_timeouts, validate_zones,
};

/// Everything that is wrong with the fields taken one by one, and with those that contradict each
/// other regardless of the rest will be.
pub fn validate_fields(config: &Config) -> Vec<Violation> {
    let mut violations = Vec::new();
    validate_names(config, &mut violations);
    validate_ids(config, &mut violations);
    validate_enums(config, &mut violations);
    validate_numbers(config, &mut violations);
    violations.extend(config.non_integers.iter().map(|(field, text)| {
        Violation::error(field.clone(), ViolationKind::NotAnInteger(text.clone()))
    }));
    if let Attr::Known(network) = &config.network {
        validate_virtual_network(network, &mut violations);
    }
    if let Attr::Known(vpc) = &config.vpc {
        validate_vpc(vpc, &mut violations);
    }
    validate_cidr(
        &config.gateway_subnet_prefix,
        AttributeId::GatewaySubnet,
        &mut violations,
    );
    validate_gateway_subnet_size(
        &config.gateway_subnet_prefix,
        &AttributeId::GatewaySubnet,
        &mut violations,
    );
    validate_inside_cidrs(&config.inside_cidrs, &mut violations);
    if let Attr::Known(policy) = &config.policy {
        validate_ipsec_policy(policy, &mut violations);
    }
    validate_preshared_keys(config, &mut violations);
    validate_zones(config, &mut violations);
    validate_null_elements(config, &mut violations);
    violations.extend(
        config
            .logs
            .known()
            .into_iter()
            .flat_map(super::tunnel_logs::check),
    );
    validate_tags(config, &mut violations);
    validate_timeouts(config, &mut violations);
    violations
}
