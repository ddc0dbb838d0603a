//! Links of others on the Azure gateway that this link created, where a plan changes the gateway.

use super::attribute_paths::value_path;
use super::change_set::ChangeSet;
use super::replaced::own_object_ids;
use crate::azure::model::Connection;
use crate::provider::summaries;
use bgp_vpn::config::AttributeId;
use bgp_vpn::ownership_tags::TAG_NAME;
use std::collections::BTreeSet;
use terraform_plugin::Diagnostic;

/// What a change of the gateway does to the connections of others on it. `connections`: all of the
/// gateway.
pub fn other_links_warning(
    changes: ChangeSet<'_>,
    connections: &[Connection],
) -> Option<Diagnostic> {
    let own = own_object_ids(changes.prior);
    let is_own = |connection: &&Connection| {
        let id = connection.resource.id.as_str();
        own.iter().any(|own| own.eq_ignore_ascii_case(id))
    };
    let others = connections.iter().filter(|connection| !is_own(connection));
    let names: BTreeSet<String> = others.map(link_name).collect();
    if names.is_empty() {
        return None;
    }
    let names: Vec<String> = names.into_iter().collect();
    let changed = |attribute: AttributeId| changes.changed(&attribute);
    if changed(AttributeId::AzureAsn) {
        Some(other_links_lose_sessions(&names))
    } else if changed(AttributeId::Sku) {
        Some(other_links_interrupted(&names))
    } else {
        None
    }
}

/// The name of the link that a connection belongs to, or else its own.
fn link_name(connection: &Connection) -> String {
    let resource = &connection.resource;
    match resource.tags.get(TAG_NAME) {
        Some(name) => format!("link {name:?}"),
        None => format!("connection {}", resource.id.name()),
    }
}

pub fn other_links_lose_sessions(names: &[String]) -> Diagnostic {
    Diagnostic::warning(summaries::OTHER_LINKS_INTERRUPTED)
        .detail(format!(
            "The new azure.asn also applies to others on this gateway: {}. Their BGP sessions go down, because their customer gateways in \
             AWS still have the previous ASN. Apply the configurations of these links immediately after this one. A connection that was \
             created manually needs a new customer gateway with the new ASN.",
            names.join(", ")
        ))
        .at(value_path(&AttributeId::AzureAsn))
}

pub fn other_links_interrupted(names: &[String]) -> Diagnostic {
    Diagnostic::warning(summaries::OTHER_LINKS_INTERRUPTED)
        .detail(format!(
            "The change of azure.sku also interrupts others on this gateway: {}. Their tunnels recover without an apply.",
            names.join(", ")
        ))
        .at(value_path(&AttributeId::Sku))
}
