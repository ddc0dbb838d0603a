//! Creates that may be the first half of a replacement under create_before_destroy, with the old
//! link still there.
//!
//! Terraform takes the old object back as the current one only where the create itself fails, not
//! where the plan right before it does. So conflicts with what exists are warnings in a plan that
//! may be that one, and errors of the create, which looks again before it writes anything.

use bgp_vpn::violation::{Violation, ViolationKind};
use terraform_plugin::{Diagnostics, Severity};

const HINT: &str = "If this create is part of a replacement: with create_before_destroy, the new link is created while the old one \
                    still uses its gateways and addresses. Remove create_before_destroy here, and from every resource that depends \
                    on this link, then apply again. The old link is unchanged and still in the state.";

/// Converts conflicts with existing objects into warnings. Returns whether there were any.
pub fn downgrade_conflicts(violations: &mut [Violation]) -> bool {
    violations
        .iter_mut()
        .filter(|fault| is_conflict(fault))
        .map(|fault| fault.severity = bgp_vpn::violation::Severity::Warning)
        .count()
        > 0
}

/// An error because of an object that exists already.
pub fn is_conflict(fault: &Violation) -> bool {
    !fault.is_warning()
        && matches!(&fault.kind, ViolationKind::Preflight(finding) if finding.is_conflict())
}

/// The same for conflicts that are diagnostics already.
pub fn as_warnings(found: Diagnostics) -> Diagnostics {
    let warn = |diagnostic| terraform_plugin::Diagnostic {
        severity: Severity::Warning,
        ..diagnostic
    };
    found.into_iter().map(warn).collect()
}

/// Adds to the errors of a create that wrote nothing because of existing objects what they mean
/// under create_before_destroy.
pub fn explain_errors(errors: Diagnostics) -> Diagnostics {
    let explain = |mut diagnostic: terraform_plugin::Diagnostic| {
        if diagnostic.is_error() {
            diagnostic.detail = format!("{}\n\n{HINT}", diagnostic.detail);
        }
        diagnostic
    };
    errors.into_iter().map(explain).collect()
}
