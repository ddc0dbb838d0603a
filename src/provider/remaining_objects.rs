//! What a failed operation leaves behind, once for all of its errors.

use crate::link::action::ActionTarget;
use crate::plugin::Diagnostic;
use std::collections::BTreeSet;

/// What exists of the link after a failure, what of it costs money, and what to do. Holds unless a rollback follows.
pub fn remaining_objects(verb: &str, creates: bool, made: &BTreeSet<ActionTarget>) -> Diagnostic {
    if verb == "deleted" {
        return Diagnostic::warning("Incomplete destroy").detail(
            "The remaining objects are still in the state. Run destroy again once the cause of the error is removed.",
        );
    }
    let incomplete = Diagnostic::warning("Incomplete link");
    if made.is_empty() {
        return incomplete.detail("This run created nothing. Apply again once the cause of the error is removed.");
    }
    let words: Vec<String> = made.iter().map(ToString::to_string).collect();
    let costs = |o: &&ActionTarget| {
        matches!(o, ActionTarget::Gateway | ActionTarget::VpnConnection(_) | ActionTarget::PublicIp(_))
    };
    let bill: Vec<String> = made.iter().filter(costs).map(ToString::to_string).collect();
    let bill = if bill.is_empty() { String::new() } else { format!(" Billed by the hour: {}.", bill.join(", ")) };
    let kept = if creates {
        "They are in the state. The next apply continues from there: if Terraform reports the link as tainted and plans a replacement, \
         the link is finished all the same. Destroy removes them."
    } else {
        "They are in the state. The next apply continues from there."
    };
    incomplete.detail(format!("Created by this run: {}.{bill} {kept}", words.join(", ")))
}

/// What is left where an update did not delete the former AWS side.
pub fn remaining_after_blocked_move() -> Diagnostic {
    Diagnostic::warning("Incomplete update").detail(
        "The former AWS side was not deleted completely, and nothing of the new one was created. Apply again once the cause of the error \
         is removed, or restore the former settings and apply.",
    )
}

/// What a rollback that failed leaves behind.
pub fn remaining_after_rollback() -> Diagnostic {
    Diagnostic::warning("Incomplete rollback").detail(
        "The objects that the rollback did not delete are still in the state. Once the cause of the error is removed, run destroy to delete \
         them, or apply to finish the link.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::tunnel::Instance;

    #[test]
    fn remaining_objects_name_billed_ones() {
        let made = BTreeSet::from([ActionTarget::Gateway, ActionTarget::Vpc, ActionTarget::PublicIp(Instance::Zero)]);
        let diagnostics = format!("{:?}", remaining_objects("built", true, &made));
        let billed = diagnostics.split("Billed by the hour: ").nth(1).unwrap_or_default();
        assert!(
            billed.contains("Azure gateway") && billed.contains("public IP") && !billed.contains("VPC"),
            "{diagnostics}"
        );
        assert!(!format!("{:?}", remaining_objects("built", true, &BTreeSet::new())).contains("Billed"));
    }
}
