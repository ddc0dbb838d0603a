//! Creates that may be the first half of a replacement under create_before_destroy, with the old
//! link still there.
//!
//! Terraform takes the old object back as the current one only where the create itself fails, not
//! where the plan right before it does. So conflicts with what exists are warnings in a plan that
//! may be that one, and errors of the create, which looks again before it writes anything.

use bgp_vpn::violation::{Violation, ViolationKind};
use terraform_plugin::{Diagnostics, Severity};

const HINT: &str = "If this create replaces a link under create_before_destroy, the conflict is with the old link, which is unchanged and \
                    still in the state. Remove create_before_destroy here, and from every resource that depends on this link, then \
                    apply again.";

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
    !fault.is_warning() && concerns_existing_object(fault)
}

/// An error or warning because of an object that exists already.
pub fn concerns_existing_object(fault: &Violation) -> bool {
    matches!(&fault.kind, ViolationKind::Preflight(finding) if finding.is_conflict())
}

/// The same for conflicts that are diagnostics already.
pub fn as_warnings(found: Diagnostics) -> Diagnostics {
    let warn = |diagnostic| terraform_plugin::Diagnostic {
        severity: Severity::Warning,
        ..diagnostic
    };
    found.into_iter().map(warn).collect()
}

/// Adds to the last error of a create that wrote nothing because of existing objects what it means
/// under create_before_destroy. A create that follows a destroy in the same process has nothing to
/// do with it.
pub fn explain_errors(errors: Diagnostics, follows_destroy: bool) -> Diagnostics {
    let mut errors: Vec<terraform_plugin::Diagnostic> = errors.into_iter().collect();
    let last = errors.iter_mut().rfind(|diagnostic| diagnostic.is_error());
    if let Some(last) = last.filter(|_| !follows_destroy) {
        last.detail = format!("{}\n\n{HINT}", last.detail);
    }
    errors.into_iter().collect()
}
