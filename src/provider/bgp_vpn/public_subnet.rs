//! The public subnet of a VPC that a link creates, when its range changes. The range of a subnet
//! cannot be changed, and two subnets of a VPC may not overlap, so the former subnet is deleted
//! first. EC2 rejects that while it contains a network interface.

use super::attribute_paths::value_path;
use super::change_set::ChangeSet;
use super::model::{read_config, to_value};
use crate::provider::summaries;
use bgp_vpn::config::{Attr, AttributeId, Config};
use bgp_vpn::observed::Observed;
use terraform_plugin::{Diagnostic, Value};

/// The range before and after.
struct RangeChange {
    before: Attr<String>,
    planned: Attr<String>,
}

impl RangeChange {
    fn of(before: &Config, planned: &Config) -> Self {
        let range = |config: &Config| config.public_subnet().map(String::clone);
        RangeChange {
            before: range(before),
            planned: range(planned),
        }
    }

    fn read(changes: ChangeSet<'_>) -> Self {
        Self::of(changes.prior, changes.planned)
    }

    fn replaces(&self) -> bool {
        self.before.is_set() && self.before != self.planned && !self.planned.is_unknown()
    }
}

/// Whether the existing subnet is replaced or deleted.
pub fn replaces(changes: ChangeSet<'_>) -> bool {
    RangeChange::read(changes).replaces()
}

/// Whether the existing subnet is deleted, with its route table.
pub fn goes(changes: ChangeSet<'_>) -> bool {
    let range = RangeChange::read(changes);
    range.replaces() && range.planned.is_null()
}

/// Whether the subnet and its route table are added or removed.
pub fn comes_or_goes(prior: &Config, planned: &Config) -> bool {
    let range = RangeChange::of(prior, planned);
    !range.planned.is_unknown() && range.before.is_null() != range.planned.is_null()
}

/// `aws.public_subnet_id` in the plan of an update whose VPC stays.
pub fn planned_id(changes: ChangeSet<'_>) -> Value {
    let range = RangeChange::read(changes);
    let before = changes.prior.aws.public_subnet_id.clone();
    let recreated = before.is_null() || range.before != range.planned;
    match (!range.planned.is_null(), recreated) {
        (true, true) => Value::unknown(),
        (false, true) => Value::Null,
        (_, false) => to_value(before),
    }
}

/// What the change costs.
pub fn warning(changes: ChangeSet<'_>) -> Option<Diagnostic> {
    let range = RangeChange::read(changes);
    if !range.replaces() {
        return None;
    }
    let path = value_path(&AttributeId::PublicSubnet);
    let id = changes.prior.aws.public_subnet_id.known();
    let id = id.map_or("not created yet", String::as_str);
    let was = range.before.known().map_or("", String::as_str);
    let detail = match range.planned.known() {
        Some(now) => format!(
            "{path} changes from {was} to {now}. The public subnet ({id}) is deleted and then created with the new range. AWS rejects \
             the deletion while the subnet contains a network interface; nothing is deleted in that case."
        ),
        None => format!(
            "{path} ({was}) is no longer configured. The public subnet ({id}), its route table and the internet gateway of this link \
             are deleted. AWS rejects the deletion while they are in use."
        ),
    };
    let warning = Diagnostic::warning(summaries::PUBLIC_SUBNET_DELETED);
    Some(warning.detail(detail).at(path))
}

/// Puts the range of the subnet that is there in place of the one that was planned, where a run
/// failed.
pub fn follow_range(state: &mut Value, observed: &Observed) {
    let there = observed
        .aws
        .subnets
        .iter()
        .find(|subnet| observed.aws.public_subnet.as_ref() == Some(&subnet.id));
    if let Some(subnet) = there.filter(|_| read_config(state).vpc.is_set()) {
        state.set_at(
            &value_path(&AttributeId::PublicSubnet),
            subnet.cidr.to_string(),
        );
    }
}
