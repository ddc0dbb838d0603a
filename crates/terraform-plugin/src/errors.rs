//! The errors of the protocol layer itself.

use crate::diagnostics::Diagnostic;
use crate::path::AttributePath;

/// An import that returned neither an object nor an error.
pub fn nothing_imported() -> Diagnostic {
    Diagnostic::error("Invalid import ID").detail("No object has this ID. Correct the ID.")
}

/// A stored state that is not JSON.
pub fn state_not_json() -> Diagnostic {
    Diagnostic::error("Invalid stored state").detail("The stored state is not JSON.")
}

/// A stored state in the format of Terraform 0.11 and older.
pub fn state_too_old() -> Diagnostic {
    Diagnostic::error("Invalid stored state").detail(
        "The stored state has the format of Terraform 0.11 or older. No version of this provider wrote it. Remove the resource from \
         the state, then import it.",
    )
}

/// The detail for a stored state that does not match the schema.
pub fn other_schema_version(error: &dyn std::fmt::Display, stored: i64, current: i64) -> String {
    format!(
        "{error}. The state has schema version {stored}, and the provider has {current}. Use the version of the provider that wrote the \
         state."
    )
}

/// A resource type without identity.
pub fn missing_identity(type_name: &str) -> Diagnostic {
    Diagnostic::error("Missing resource identity")
        .detail(format!("The resource {type_name:?} has no identity."))
}

/// A call that the end of the process interrupted.
pub fn interrupted(call: &str) -> Diagnostic {
    Diagnostic::error("Unable to complete the operation").detail(format!(
        "The provider stopped while {call} was in progress. Run the command again."
    ))
}

/// A panic of a handler. The panic message may contain a secret, so only the location is reported.
pub fn crashed(call: &str, place: Option<&str>) -> Diagnostic {
    let place = place
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    Diagnostic::error("Unable to continue after a provider crash").detail(format!(
        "{call} panicked{place}. This is a bug in the provider. Report it with this message. Progress before the panic is saved in the \
         state."
    ))
}

/// A deferred operation where the client does not support deferral.
pub fn unsupported_deferral() -> Diagnostic {
    Diagnostic::error("Unsupported deferral").detail(
        "A value that this operation needs is not known yet, and this version of Terraform cannot defer the operation. Apply the \
         resources that it depends on first (terraform apply -target=ADDRESS).",
    )
}

/// A `moved` block from another resource type.
pub fn unsupported_move(source: &str, target: &str) -> Diagnostic {
    Diagnostic::error("Unsupported move of state").detail(format!(
        "{source:?} cannot be moved to {target:?}. Use a \"removed\" block with destroy = false for the {source}, then an \"import\" \
         block for the {target}."
    ))
}

/// A write-only attribute where the client does not support them.
pub fn unsupported_write_only(path: AttributePath) -> Diagnostic {
    Diagnostic::error("Unsupported write-only attribute")
        .detail(format!(
            "The attribute {path} is write-only, which requires Terraform 1.11 or newer. Use Terraform 1.11 or newer, or remove the \
             attribute."
        ))
        .at(path)
}

/// A resource type, data source or function that the provider does not have.
pub fn unsupported_type<'a>(
    kind: &str,
    name: &str,
    present: impl Iterator<Item = &'a String>,
) -> Diagnostic {
    let present: Vec<&str> = present.map(String::as_str).collect();
    let detail = match present.as_slice() {
        [] => format!("The provider has no {kind}s."),
        _ => format!("The provider has: {}.", present.join(", ")),
    };
    Diagnostic::error(format!("Unsupported {kind} {name:?}")).detail(detail)
}

/// A value that cannot be decoded. `what` names it ("the stored state").
pub fn invalid_value(what: &str, error: &dyn std::fmt::Display, path: AttributePath) -> Diagnostic {
    Diagnostic::error(format!("Invalid value in {what}"))
        .detail(format!("{error}."))
        .at(path)
}
