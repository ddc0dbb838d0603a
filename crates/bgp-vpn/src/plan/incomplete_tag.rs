//! The action that removes the incomplete tag at the end of a create.

use super::action_list::ActionList;
use crate::action::{Action, ActionTarget, Verb};
use crate::observed::Observed;
use crate::ownership_tags::TAG_INCOMPLETE;

/// The unfinished mark comes off when everything else is done, be it there already or on an object
/// about to be made.
pub(super) fn plan_incomplete_tag(observed: &Observed, list: &mut ActionList) {
    if list.touches(&ActionTarget::IncompleteTag) {
        return;
    }
    let marked = |tags: &crate::types::Tags| tags.contains_key(TAG_INCOMPLETE);
    let aws = &observed.aws;
    let any = aws
        .customer_gateways
        .iter()
        .any(|(_, c)| c.as_ref().is_some_and(|c| marked(&c.tags)))
        || aws
            .vpn_connections
            .iter()
            .any(|(_, v)| v.as_ref().is_some_and(|v| marked(&v.tags)))
        || aws.gateway.as_ref().is_some_and(|g| marked(&g.tags))
        || aws.vpc.as_ref().is_some_and(|v| marked(&v.tags));
    let made = |action: &Action| {
        let kind = &action.target;
        action.verb == Verb::Create
            && matches!(
                kind,
                ActionTarget::VpnGateway
                    | ActionTarget::CustomerGateway(_)
                    | ActionTarget::VpnConnection(_)
                    | ActionTarget::Vpc
                    | ActionTarget::InternetGateway
                    | ActionTarget::PublicSubnet
                    | ActionTarget::PublicRouteTable
            )
    };
    if any || list.actions.iter().any(made) {
        list.push(Verb::Delete, ActionTarget::IncompleteTag, vec![]);
    }
}
