//! What is said of shared keys that the credentials may not read.

use crate::link::observed::{KeyRead, Observed};
use crate::plugin::Diagnostic;

/// A warning that names the connections; None where every key that there is was read.
pub fn unread_keys(observed: &Observed) -> Option<Diagnostic> {
    let denied = observed.azure.keys.iter().filter(|(_, seen)| **seen == KeyRead::Forbidden);
    let ids: Vec<String> = denied
        .filter_map(|(key, _)| Some(observed.azure.connections.get(key).as_ref()?.resource.id.to_string()))
        .collect();
    if ids.is_empty() {
        return None;
    }
    let detail = format!(
        "Azure lets these credentials read no shared key of:\n  {}\n\nThe link works all the same, but whether these keys equal AWS's is \
         not compared: one that somebody changes on one side only is neither shown as drift nor mended. No key is changed for \
         that. To have them compared, grant the permission Microsoft.Network/connections/sharedKey/action (Network \
         Contributor has it). To give both ends new keys without it, change rotate_keys.",
        ids.join("\n  ")
    );
    Some(Diagnostic::warning("Shared keys could not be read").detail(detail))
}
