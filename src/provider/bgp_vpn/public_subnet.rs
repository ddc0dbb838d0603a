//! The public subnet of a VPC that a link creates, when its range changes. A subnet has one range
//! for life, and two ranges of a VPC may not overlap: the old subnet goes first. EC2 rejects that
//! while a network interface is in it.

use super::change_set::ChangeSet;
use crate::provider::summaries;
use bgp_vpn::observed::Observed;
use terraform_plugin::{Diagnostic, Value};

const RANGE: &str = "aws.vpc.public_subnet_cidr_block";

fn range(value: &Value) -> &Value {
    value.at(&RANGE.into())
}

/// Whether the subnet of before gets another range, or goes.
pub fn replaces(changes: ChangeSet<'_>) -> bool {
    range(changes.prior).is_set() && changes.changed(RANGE) && range(changes.planned).is_known()
}

/// Whether the subnet of before goes, with its route table.
pub fn goes(changes: ChangeSet<'_>) -> bool {
    replaces(changes) && range(changes.planned).is_null()
}

/// Whether the link starts or stops to have one, with a route table of its own.
pub fn comes_or_goes(prior: &Value, planned: &Value) -> bool {
    range(planned).is_known() && range(prior).is_null() != range(planned).is_null()
}

/// `aws.public_subnet_id` in the plan of an update whose VPC stays.
pub fn planned_id(changes: ChangeSet<'_>) -> Value {
    let before = changes.prior.at(&"aws.public_subnet_id".into());
    let wanted = !range(changes.planned).is_null();
    match (wanted, before.is_null() || changes.changed(RANGE)) {
        (true, true) => Value::unknown(),
        (false, true) => Value::Null,
        (_, false) => before.clone(),
    }
}

/// What the change costs.
pub fn warning(changes: ChangeSet<'_>) -> Option<Diagnostic> {
    let id = changes
        .prior
        .at(&"aws.public_subnet_id".into())
        .as_str()
        .unwrap_or("not created yet");
    let was = range(changes.prior).as_str().unwrap_or_default();
    let detail = match range(changes.planned).as_str() {
        Some(now) => format!(
            "{RANGE} changes from {was} to {now}. The public subnet ({id}) is deleted and then created with the new range. AWS rejects \
             the deletion while the subnet contains a network interface; nothing is deleted in that case."
        ),
        None => format!(
            "{RANGE} ({was}) is no longer configured. The public subnet ({id}), its route table and the internet gateway of this link \
             are deleted. AWS rejects the deletion while they are in use."
        ),
    };
    replaces(changes).then(|| {
        Diagnostic::warning(summaries::PUBLIC_SUBNET_DELETED)
            .detail(detail)
            .at(RANGE)
    })
}

/// Puts the range of the subnet that is there in place of the one that was planned, where a run
/// failed.
pub fn follow_range(state: &mut Value, observed: &Observed) {
    let there = observed
        .aws
        .subnets
        .iter()
        .find(|subnet| observed.aws.public_subnet.as_ref() == Some(&subnet.id));
    if let Some(subnet) = there.filter(|_| state.at(&"aws.vpc".into()).is_set()) {
        state.set_at(&RANGE.into(), subnet.cidr.to_string());
    }
}
