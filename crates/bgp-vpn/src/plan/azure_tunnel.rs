//! Actions for the Azure side of one tunnel: local network gateway, connection, shared key and BGP session.

use super::action_list::ActionList;
use crate::action::{ActionTarget, Verb};
use crate::compare::{self};
use crate::keys::{self};
use crate::observed::Observed;
use crate::spec::Spec;
use crate::tunnel::TunnelKey;

pub(super) fn diff_azure_tunnel(
    spec: &Spec,
    observed: &Observed,
    key: TunnelKey,
    list: &mut ActionList,
) {
    let vpn_renewed = list.has(Verb::Create, &ActionTarget::VpnConnection(key.instance));
    let local = ActionTarget::LocalGateway(key);
    match observed.azure.local_gateways.get(key) {
        None => list.create(local),
        Some(have) => {
            let mut because = compare::local_gateway(spec, observed, key, have);
            if vpn_renewed && because.is_empty() {
                because.push(format!(
                    "the local network gateway for {key} must follow the new AWS endpoint"
                ));
            }
            list.update_nondisruptive(
                local,
                because,
                &compare::azure_tag_diff(&have.resource.tags, spec),
            );
        }
    }
    let connection = ActionTarget::Connection(key);
    match observed.azure.connections.get(key) {
        None => list.create(connection.clone()),
        Some(have) => match compare::connection_needs_replacement(spec, have, key) {
            Some(why) => {
                list.push(Verb::Delete, connection.clone(), vec![]);
                list.push(Verb::Create, connection.clone(), vec![why]);
            }
            None => {
                let because = compare::connection(spec, observed, key, have);
                list.update_nondisruptive(
                    connection.clone(),
                    because,
                    &compare::azure_tag_diff(&have.resource.tags, spec),
                );
            }
        },
    }
    if !list.has(Verb::Create, &connection) {
        let endpoint_changes = list.has(Verb::Update, &ActionTarget::Tunnel(key));
        let because = keys::azure_key_reasons(spec, observed, key, endpoint_changes);
        list.update(ActionTarget::SharedKey(key), because);
    }
    let touched = [
        ActionTarget::VpnConnection(key.instance),
        ActionTarget::Tunnel(key),
        ActionTarget::LocalGateway(key),
        connection,
        ActionTarget::SharedKey(key),
    ];
    if spec.wait_for_bgp
        && (touched.iter().any(|o| list.touches(o)) || list.touches(&ActionTarget::IncompleteTag))
    {
        list.push(Verb::WaitFor, ActionTarget::BgpSession(key), vec![]);
    }
}
