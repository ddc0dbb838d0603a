//! What is known of a failed call.

use super::cloud_text::clean;
use bgp_vpn::permissions::advice::MissingPermission;
use std::fmt;
use std::time::Duration;

/// The circumstances of a failure. Texts of others are cleaned where they enter. Holds no key, no
/// token and no URL with a signature in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorContext {
    /// What was being done, in words that the target completes: `create connection`, `AWS
    /// CreateVpnGateway of`.
    pub operation: String,
    /// Id of the object, or what stands for it: the path of a request, or what is to be created.
    pub target: String,
    /// HTTP status; None where no response came.
    pub status: Option<u16>,
    /// The cloud's error code; empty where the response had none.
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
    /// Azure's, which covers all requests of one operation.
    pub correlation_id: Option<String>,
    /// How long the cloud asks to wait before the next attempt.
    pub retry_after: Option<Duration>,
    /// The permission that a rejected call lacks.
    pub missing_permission: Option<MissingPermission>,
}

impl ErrorContext {
    pub fn new(operation: impl Into<String>, target: impl fmt::Display) -> Self {
        ErrorContext {
            operation: operation.into(),
            target: target.to_string(),
            ..ErrorContext::default()
        }
    }

    /// These facts with a message of our own.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Box<Self> {
        self.message = clean(&message.into());
        Box::new(self)
    }
}

impl fmt::Display for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.target)?;
        for part in [&self.code, &self.message] {
            if !part.is_empty() {
                write!(f, ": {part}")?;
            }
        }
        let id = |name: &str, id: &Option<String>| id.as_ref().map(|id| format!("{name} {id}"));
        let marks: Vec<String> = [
            self.status.map(|status| format!("HTTP {status}")),
            id("request id", &self.request_id),
            id("correlation id", &self.correlation_id),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !marks.is_empty() {
            write!(f, " ({})", marks.join(", "))?;
        }
        match &self.missing_permission {
            Some(missing) => write!(f, "\n\n{missing}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn show_only_what_is_known() {
        let mut context = ErrorContext::new("create gateway", "/g");
        assert_eq!(context.to_string(), "create gateway /g");
        context.message = "no right".to_owned();
        (context.status, context.code) = (Some(403), "AuthorizationFailed".to_owned());
        context.request_id = Some("r1".to_owned());
        assert_eq!(
            context.to_string(),
            "create gateway /g: AuthorizationFailed: no right (HTTP 403, request id r1)"
        );
    }
}
