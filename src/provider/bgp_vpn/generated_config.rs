//! The configuration that Terraform writes for an imported link: what differs from a new link's
//! defaults, and not what the named gateways determine.

use super::attributes::{AttributeRow, Mode, Shape, path_of, table};
use super::defaults::{PlanInputs, apply_defaults};
use super::model::{MAIN_ROUTE_TABLE_ID, Model};
use super::private_state::PrivateState;
use super::schema;
use bgp_vpn::config::AttributeId;
use bgp_vpn::preflight::PreflightSnapshot;
use terraform_plugin::Value;

const INSIDE_CIDRS: &str = "inside_cidrs";

/// The shortest configuration by which a link like that of the state would be created.
pub fn generated_config(state: &Value, default_region: Option<String>) -> Value {
    let mut config = schema::resource().configurable(state);
    for row in table().iter().filter(|row| may_be_left_out(row)) {
        let path = row.path.as_str().into();
        if config.at(&path).is_null() {
            continue;
        }
        let mut without = config.clone();
        without.set_at(&path, Value::Null);
        if is_determined_by_gateway(row, &config)
            || is_main_table_alone(row, state)
            || has_default(row, &without, state, default_region.clone())
        {
            config = without;
        }
    }
    for row in table().iter().filter(|row| row.shape == Shape::Object) {
        let path = row.path.as_str().into();
        if config.at(&path).is_set() && leaves(row).all(|leaf| config.at(&leaf.into()).is_null()) {
            config.set_at(&path, Value::Null);
        }
    }
    config
}

/// Inside CIDRs are configured all together or not at all. Objects go with the last attribute in
/// them.
fn may_be_left_out(row: &AttributeRow) -> bool {
    match row.shape {
        Shape::Object => row.path == INSIDE_CIDRS,
        Shape::Value(_) => row.mode == Mode::OptionalComputed && !is_below(&row.path, INSIDE_CIDRS),
    }
}

fn is_below(path: &str, object: &str) -> bool {
    path.strip_prefix(object)
        .is_some_and(|rest| rest.starts_with('.'))
}

fn leaves(object: &AttributeRow) -> impl Iterator<Item = &'static str> {
    table()
        .iter()
        .filter(|row| row.shape != Shape::Object && is_below(&row.path, &object.path))
        .map(|row| row.path.as_str())
}

/// Whether a gateway that the configuration names has this value.
fn is_determined_by_gateway(row: &AttributeRow, config: &Value) -> bool {
    let names = |attribute: &AttributeId| config.at(&path_of(attribute).into()).is_set();
    let is = |attribute: &AttributeId| row.id.as_ref() == Some(attribute);
    let of_azure = row.of_azure_gateway
        || is(&AttributeId::NetworkId)
        || is(&AttributeId::Location)
        || is(&AttributeId::Zones);
    let of_aws = is(&AttributeId::VpcId) || is(&AttributeId::AwsAsn);
    of_azure && names(&AttributeId::AzureGateway)
        || of_aws && (names(&AttributeId::VpnGateway) || names(&AttributeId::TransitGateway))
}

/// The default of the route tables is the main one, which only the clouds know.
fn is_main_table_alone(row: &AttributeRow, state: &Value) -> bool {
    let main = state.at(&MAIN_ROUTE_TABLE_ID.into()).clone();
    row.id == Some(AttributeId::RouteTables)
        && *state.at(&row.path.as_str().into()) == Value::Set(vec![main])
}

/// Whether the create of a link without this attribute would choose the state's value.
fn has_default(
    row: &AttributeRow,
    without: &Value,
    state: &Value,
    default_region: Option<String>,
) -> bool {
    let config = Model::read(without);
    let inputs = PlanInputs {
        config: &config,
        prior: None,
        private: &PrivateState::default(),
        snapshot: &PreflightSnapshot::default(),
        default_region,
    };
    let planned = apply_defaults(&inputs).planned;
    let is_same = |path: &str| planned.at(&path.into()) == state.at(&path.into());
    match row.shape {
        Shape::Object => leaves(row).all(is_same),
        Shape::Value(_) => is_same(&row.path),
    }
}
