//! VPN connections with static routing. AWS fixes the kind of routing for a connection's life, so no change of such a link can
//! bring its BGP sessions up: it is rejected before any tunnel is touched.

use super::changes::Changes;
use super::private::Private;
use crate::link::observed::Observed;
use crate::link::vpn_connection::static_routed;
use crate::plugin::Diagnostic;

impl Private {
    /// Remembers which connections a reading shows with static routing.
    pub fn note_static_routing(&mut self, seen: &Observed) {
        self.static_routed = static_routed(seen).map(|id| id.to_string()).collect();
    }
}

/// Rejects an import of such connections.
pub fn refuse_import(seen: &Observed) -> Option<Diagnostic> {
    refusal(
        static_routed(seen).map(|id| id.to_string()),
        "Create VPN connections with dynamic routing (BGP), then import those.",
    )
}

/// Rejects a plan that would keep such connections.
pub fn refuse_plan(private: &Private, changes: Changes<'_>) -> Option<Diagnostic> {
    let replaced = !changes.replacing().is_empty() || changes.aws_anew();
    let kept = private.static_routed.iter().filter(|_| !replaced).cloned();
    refusal(kept, "Delete these connections; the next apply then creates them with dynamic routing.")
}

fn refusal(ids: impl Iterator<Item = String>, advice: &str) -> Option<Diagnostic> {
    let ids: Vec<String> = ids.collect();
    let detail = format!(
        "{} use static routing (StaticRoutesOnly is true). AWS cannot enable BGP on an existing VPN connection, and every tunnel \
         of this resource needs BGP. {advice}",
        ids.join(" and ")
    );
    (!ids.is_empty()).then(|| Diagnostic::error("Unsupported static routing").detail(detail).at("tunnels"))
}
