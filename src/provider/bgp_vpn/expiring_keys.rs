//! The warning of a create that AWS credentials do not outlive.

use super::model::Model;
use super::timeouts::timeout;
use crate::aws::credentials::ExpiringKeys;
use crate::provider::summaries;
use std::time::Duration;
use terraform_plugin::Diagnostic;

/// The upper end of what the documentation says of a create. Azure needs most of it for the gateway.
const CREATE: Duration = Duration::from_secs(60 * 60);
/// A create on an existing Azure gateway: four connections, and the wait for BGP.
const CREATE_ON_EXISTING_GATEWAY: Duration = Duration::from_secs(30 * 60);

/// Warns where the keys expire before the create ends.
pub fn warning(
    keys: &ExpiringKeys,
    planned: &Model,
    on_existing_gateway: bool,
) -> Option<Diagnostic> {
    let typical = if on_existing_gateway {
        CREATE_ON_EXISTING_GATEWAY
    } else {
        CREATE
    };
    let needed = typical.min(timeout(planned, "create", 120));
    if keys.valid_for >= needed {
        return None;
    }
    Some(
        Diagnostic::warning(summaries::AWS_CREDENTIALS_EXPIRE).detail(format!(
            "The AWS session token expires in {} minutes ({}), and a create takes up to {} minutes. After that, calls to AWS fail with \
             ExpiredToken. Get new credentials before the apply, or use a source that is renewed: a profile with SSO or \
             credential_process, a web identity, or the role of a container or an instance. If the create fails, get new credentials and \
             apply again to complete the link.",
            keys.valid_for.as_secs() / 60,
            keys.known_from,
            needed.as_secs() / 60,
        )),
    )
}
