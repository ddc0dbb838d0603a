//! Warns of shared keys that the credentials have no permission to read.

use crate::provider::summaries;
use bgp_vpn::observed::{KeyRead, Observed};
use terraform_plugin::Diagnostic;

/// A warning that names the connections; None if every existing key was read.
pub fn unread_keys(observed: &Observed) -> Option<Diagnostic> {
    let denied = observed
        .azure
        .keys
        .iter()
        .filter(|(_, seen)| **seen == KeyRead::Forbidden);
    let ids: Vec<String> = denied
        .filter_map(|(key, _)| {
            Some(
                observed
                    .azure
                    .connections
                    .get(key)
                    .as_ref()?
                    .resource
                    .id
                    .to_string(),
            )
        })
        .collect();
    (!ids.is_empty()).then(|| warning(&ids))
}

/// The warning about these connections.
pub fn warning(ids: &[String]) -> Diagnostic {
    let detail = format!(
        "The credentials have no permission to read the shared keys of these connections:\n  {}\n\nThe link works, but these keys are not \
         compared with those in AWS: a key that is changed on one side only is not reported as drift and not repaired. To compare \
         them, grant the permissions Microsoft.Network/connections/sharedKey/read and Microsoft.Network/connections/sharedKey/action (the role Network Contributor includes it). To \
         set new keys on both sides without it, change rotate_keys.",
        ids.join("\n  ")
    );
    Diagnostic::warning(summaries::UNREAD_KEYS).detail(detail)
}
