//! VPN connections with static routing. AWS fixes the kind of routing for a connection's life, so
//! no change of such a link can bring its BGP sessions up: it is rejected before any tunnel is
//! touched.

use super::change_set::ChangeSet;
use super::private_state::PrivateState;
use crate::provider::summaries;
use bgp_vpn::observed::Observed;
use bgp_vpn::vpn_connection::statically_routed;
use terraform_plugin::Diagnostic;

impl PrivateState {
    /// Remembers which connections a reading shows with static routing.
    pub fn record_static_routing(&mut self, observed: &Observed) {
        self.static_routed = statically_routed(observed)
            .map(|id| id.to_string())
            .collect();
    }
}

/// Rejects an import of such connections.
pub fn refuse_import(observed: &Observed) -> Option<Diagnostic> {
    refusal(
        statically_routed(observed).map(|id| id.to_string()),
        "Create VPN connections with dynamic routing (BGP), then import those.",
    )
}

/// Rejects a plan that would keep such connections.
pub fn refuse_plan(private: &PrivateState, changes: ChangeSet<'_>) -> Option<Diagnostic> {
    let replaced = !changes.requires_replace().is_empty() || changes.aws_side_replaced();
    let kept = private.static_routed.iter().filter(|_| !replaced).cloned();
    refusal(
        kept,
        "Delete these connections; the next apply then creates them with dynamic routing.",
    )
}

pub fn refusal(ids: impl Iterator<Item = String>, advice: &str) -> Option<Diagnostic> {
    let ids: Vec<String> = ids.collect();
    let detail = format!(
        "VPN connections with static routing (StaticRoutesOnly is true): {}. AWS cannot enable BGP on an existing VPN connection, and \
         every tunnel of this resource needs BGP. {advice}",
        ids.join(" and ")
    );
    (!ids.is_empty()).then(|| {
        Diagnostic::error(summaries::UNSUPPORTED_STATIC_ROUTING)
            .detail(detail)
            .at("tunnels")
    })
}
