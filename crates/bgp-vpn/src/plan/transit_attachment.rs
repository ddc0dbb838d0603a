//! Actions for the attachment of a VPN connection to a transit gateway.

use super::action_list::ActionList;
use crate::action::{Action, ActionTarget, Change, Verb};
use crate::observed::Observed;
use crate::spec::{AwsGateway, Spec, TransitRouting};
use crate::transit_routing::{self, AttachmentDiff};
use crate::tunnel::Instance;

pub(super) fn diff_transit_attachment(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
    list: &mut ActionList,
) {
    if !matches!(spec.aws.gateway, AwsGateway::TransitGateway(_)) {
        return;
    }
    let object = ActionTarget::TransitAttachment(instance);
    let connection = ActionTarget::VpnConnection(instance);
    let is_new = |action: &Action| {
        let moves =
            matches!(&action.change, Change::VpnConnection { settings, .. } if settings.target);
        action.target == connection && (action.verb == Verb::Create || moves)
    };
    if list.actions.iter().any(is_new) {
        // AWS creates it with the connection.
        return list.push(Verb::Create, object, vec![]);
    }
    match observed.aws.transit_attachments.get(instance) {
        Some(have) => {
            let AttachmentDiff {
                reasons,
                association,
            } = transit_routing::attachment(spec, observed, instance, have);
            if !reasons.is_empty() {
                let change = Change::TransitAttachment { association };
                list.push_change(Verb::Update, object, reasons, change);
            }
        }
        None if spec.aws.transit_routing != TransitRouting::default() => list.create(object),
        None => {}
    }
}
