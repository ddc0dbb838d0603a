//! Desired minus observed: the actions that complete a link. One rule per object, regardless of
//! what brought the link into the state it is in: never made, half made, edited by hand, or asked
//! to be different.

mod action_list;
mod aws_connection;
mod aws_network;
mod azure_gateway;
mod azure_network;
mod azure_tunnel;
mod incomplete_tag;
mod route_propagation;
mod transit_attachment;

use crate::action::{Action, ActionTarget, Change, Verb};
use crate::dependencies::assign_dependencies;
use crate::managed::Kind;
use crate::observed::Observed;
use crate::rollout::serialize_disruptive_updates;
use crate::spec::Spec;
use crate::tunnel::{Instance, TunnelKey};
use crate::{lost_tags, vpn_connection};
use action_list::ActionList;
use aws_connection::diff_aws_instance;
use aws_network::diff_aws_network;
use azure_gateway::diff_azure_gateway;
use azure_network::diff_azure_network;
use azure_tunnel::diff_azure_tunnel;
use std::collections::BTreeSet;
use transit_attachment::diff_transit_attachment;

/// The name that Azure demands of the subnet that holds a gateway.
pub const GATEWAY_SUBNET: &str = "GatewaySubnet";

/// Every step from what is there to what is wanted, each with the steps that it waits for. Empty
/// for a complete link.
pub fn plan_actions(spec: &Spec, observed: &Observed) -> Vec<Action> {
    plan_with_nondisruptive(spec, observed).0
}

/// The steps, and the objects of those that interrupt no tunnel.
pub(crate) fn plan_with_nondisruptive(
    spec: &Spec,
    observed: &Observed,
) -> (Vec<Action>, BTreeSet<ActionTarget>) {
    let mut list = ActionList::default();
    diff_azure_network(spec, observed, &mut list);
    diff_azure_gateway(spec, observed, &mut list);
    diff_aws_network(spec, observed, &mut list);
    for instance in Instance::ALL {
        diff_aws_instance(spec, observed, instance, &mut list);
        diff_transit_attachment(spec, observed, instance, &mut list);
    }
    for key in TunnelKey::ALL {
        diff_azure_tunnel(spec, observed, key, &mut list);
    }
    list.update(
        ActionTarget::OwnershipTags,
        lost_tags::describe_lost_tags(spec, observed),
    );
    let ActionList {
        mut actions,
        nondisruptive,
    } = list;
    assign_dependencies(&mut actions);
    serialize_disruptive_updates(spec, observed, &mut actions, &nondisruptive);
    (actions, nondisruptive)
}

/// What the clouds have that differs from this link, one sentence each.
pub fn describe_drift(spec: &Spec, observed: &Observed) -> Vec<String> {
    let awaited = |action: &Action| {
        matches!(action.verb, Verb::WaitFor) || action.target == ActionTarget::IncompleteTag
    };
    let fixed = vpn_connection::statically_routed(observed)
        .map(|id| format!("the VPN connection {id} uses static routing (StaticRoutesOnly), which AWS cannot change"));
    let actions = plan_actions(spec, observed)
        .into_iter()
        .filter(|action| !awaited(action))
        .flat_map(|action| action.reasons);
    fixed.chain(actions).collect()
}

/// The customer gateways and VPN connections whose ids or outside addresses may be other ones after
/// an apply, whether they exist or not.
pub fn recreated_objects(
    spec: &Spec,
    observed: &Observed,
) -> impl Iterator<Item = (Instance, Kind)> {
    let moves = |change: &Change| matches!(change, Change::VpnConnection { settings, .. } if settings.changes_endpoint());
    plan_actions(spec, observed)
        .into_iter()
        .filter_map(move |action| match (action.target, action.verb) {
            (ActionTarget::CustomerGateway(instance), Verb::Create) => {
                Some((instance, Kind::AwsCustomerGateway))
            }
            (ActionTarget::VpnConnection(instance), Verb::Create) => {
                Some((instance, Kind::AwsVpnConnection))
            }
            (ActionTarget::VpnConnection(instance), Verb::Update) if moves(&action.change) => {
                Some((instance, Kind::AwsVpnConnection))
            }
            _ => None,
        })
}

/// The kinds of objects of which a repair creates some: their ids in `managed` are not known before
/// it. None where it may delete the last object of a kind, which then is not in `managed` at all.
pub fn changed_kinds(spec: &Spec, observed: &Observed) -> Option<BTreeSet<Kind>> {
    let actions = plan_actions(spec, observed);
    let kinds = |verb: Verb| -> BTreeSet<Kind> {
        let of_verb = actions.iter().filter(|action| action.verb == verb);
        of_verb.filter_map(|action| action.target.kind()).collect()
    };
    let (created, deleted) = (kinds(Verb::Create), kinds(Verb::Delete));
    deleted.is_subset(&created).then_some(created)
}
