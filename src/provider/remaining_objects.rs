//! Warns once for each failed operation of the objects that it leaves.

use super::summaries;
use bgp_vpn::action::ActionTarget;
use std::collections::BTreeSet;
use terraform_plugin::Diagnostic;

/// Starts the list of created objects.
pub const CREATED: &str = "Created by this run: ";
/// Starts the list of objects that cost money.
pub const BILLED: &str = "Billed by the hour: ";

/// What exists of the link after a failure, what of it costs money, and what to do. Holds unless a
/// rollback follows.
pub fn remaining_objects(verb: &str, creates: bool, made: &BTreeSet<ActionTarget>) -> Diagnostic {
    if verb == "deleted" {
        return Diagnostic::warning(summaries::INCOMPLETE_DESTROY).detail(
            "The remaining objects are still in the state. Fix the cause of the error, then run destroy again.",
        );
    }
    let incomplete = Diagnostic::warning(summaries::INCOMPLETE_LINK);
    if made.is_empty() && !creates {
        return Diagnostic::warning(summaries::INCOMPLETE_UPDATE).detail(
            "This run created nothing. The objects of the link are in the state. Fix the cause of the error, then apply again: the apply \
             makes the remaining changes.",
        );
    }
    if made.is_empty() {
        return incomplete
            .detail("This run created nothing. Fix the cause of the error, then apply again.");
    }
    let words: Vec<String> = made.iter().map(ToString::to_string).collect();
    let costs = |o: &&ActionTarget| {
        matches!(
            o,
            ActionTarget::Gateway | ActionTarget::VpnConnection(_) | ActionTarget::PublicIp(_)
        )
    };
    let bill: Vec<String> = made.iter().filter(costs).map(ToString::to_string).collect();
    let bill = if bill.is_empty() {
        String::new()
    } else {
        format!(" {BILLED}{}.", bill.join(", "))
    };
    let kept = if creates {
        "All created objects are in the state. Fix the cause of the error, then apply again: the apply completes the link, even if Terraform \
         reports it as tainted and plans a replacement. To delete the objects, run terraform destroy."
    } else {
        "All created objects are in the state. Fix the cause of the error, then apply again: the apply completes the link."
    };
    incomplete.detail(format!("{CREATED}{}.{bill} {kept}", words.join(", ")))
}

/// What is left where an update did not delete the former AWS side.
pub fn remaining_after_blocked_move() -> Diagnostic {
    Diagnostic::warning(summaries::INCOMPLETE_UPDATE).detail(
        "The previous AWS side was not deleted completely, and no part of the new one was created. Fix the cause of the error and apply \
         again, or restore the previous settings and apply.",
    )
}

/// What a rollback that failed leaves behind.
pub fn remaining_after_rollback() -> Diagnostic {
    Diagnostic::warning(summaries::INCOMPLETE_ROLLBACK).detail(
        "The objects that the rollback did not delete are still in the state. Fix the cause of the error, then run destroy to delete \
         them, or apply to complete the link.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use bgp_vpn::tunnel::Instance;

    #[test]
    fn remaining_objects_name_billed_ones() {
        let made = BTreeSet::from([
            ActionTarget::Gateway,
            ActionTarget::Vpc,
            ActionTarget::PublicIp(Instance::Zero),
        ]);
        let diagnostics = format!("{:?}", remaining_objects("built", true, &made));
        let billed = diagnostics.split(BILLED).nth(1).unwrap_or_default();
        assert!(
            billed.contains("Azure gateway")
                && billed.contains("public IP")
                && !billed.contains("VPC"),
            "{diagnostics}"
        );
        assert!(
            !format!("{:?}", remaining_objects("built", true, &BTreeSet::new())).contains(BILLED)
        );
    }
}
