//! Creates that may be the first half of a replacement under create_before_destroy, with the old link still there.
//!
//! Terraform takes the old object back as the current one only where the create itself fails, not where the plan right before
//! it does. So conflicts with what exists are warnings in a plan that may be that one, and errors of the create, which looks
//! again before it writes anything.

use crate::link::fault::{Fault, Problem};
use crate::plugin::{Diagnostics, Severity};

const HINT: &str = "If this create is part of a replacement: with create_before_destroy, the new link is created while the old one \
                    still uses its gateways and addresses. Remove create_before_destroy here, and from every resource that depends \
                    on this link, then apply again. The old link is unchanged and still in the state.";

/// Turns conflicts with existing objects into warnings. Returns whether there were any.
pub fn postpone(faults: &mut [Fault]) -> bool {
    let conflict = |fault: &&mut Fault| {
        !fault.warning && matches!(&fault.problem, Problem::Surroundings(finding) if finding.is_conflict())
    };
    faults.iter_mut().filter(conflict).map(|fault| fault.warning = true).count() > 0
}

/// The same for conflicts that are diagnostics already.
pub fn as_warnings(found: Diagnostics) -> Diagnostics {
    let warn = |diagnostic| crate::plugin::Diagnostic { severity: Severity::Warning, ..diagnostic };
    found.into_iter().map(warn).collect()
}

/// Adds to the errors of a create that wrote nothing what they mean under create_before_destroy.
pub fn explained(errors: Diagnostics) -> Diagnostics {
    let explain = |mut diagnostic: crate::plugin::Diagnostic| {
        if diagnostic.is_error() {
            diagnostic.detail = format!("{}\n\n{HINT}", diagnostic.detail);
        }
        diagnostic
    };
    errors.into_iter().map(explain).collect()
}
