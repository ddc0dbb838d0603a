//! Actions for the customer gateway and the VPN connection of one Azure gateway instance, and for its two tunnels.

use super::action_list::ActionList;
use super::incomplete_tag::plan_incomplete_tag;
use crate::action::{ActionTarget, Change, NewTunnel, Verb};
use crate::aws::{CustomerGateway, State};
use crate::compare::{self, TunnelDiff};
use crate::customer_gateway::customer_gateway_needs_replacement;
use crate::keys::{self, key_action};
use crate::observed::Observed;
use crate::spec::Spec;
use crate::tunnel::Instance;
use crate::{replacement, vpn_connection};

pub(super) fn diff_aws_instance(
    spec: &Spec,
    observed: &Observed,
    instance: Instance,
    list: &mut ActionList,
) {
    let customer = ActionTarget::CustomerGateway(instance);
    let have_customer = observed.aws.customer_gateways.get(instance).as_ref();
    match have_customer {
        None => list.create(customer.clone()),
        Some(have) => match replacement::replaced_customer_gateway(spec, observed, instance) {
            Some(why) => {
                list.push(Verb::Delete, customer.clone(), vec![]);
                list.push(Verb::Create, customer.clone(), vec![why]);
            }
            // The connection uses one that fits: this one is not needed any more.
            None if customer_gateway_needs_replacement(spec, observed, instance).is_some() => {}
            None if is_foreign_customer_gateway(spec, observed, have, instance) => {}
            None => list.update(customer.clone(), compare::tag_diff(&have.tags, spec)),
        },
    }
    let connection = ActionTarget::VpnConnection(instance);
    let mark_new = |list: &mut ActionList| {
        let rolled = instance
            .tunnels()
            .into_iter()
            .filter(|key| keys::rotation_tag_pending(spec, observed, *key));
        rolled.for_each(|key| list.push(Verb::Create, ActionTarget::KeyRotationTag(key), vec![]));
        plan_incomplete_tag(observed, list);
    };
    let new = || {
        Change::NewVpnConnection(instance.tunnels().map(|key| NewTunnel {
            key: key_action(spec, observed, key),
            has_rotation_tag: !keys::rotation_tag_pending(spec, observed, key),
        }))
    };
    let Some(have) = observed.aws.vpn_connections.get(instance) else {
        let because = vec![format!("{connection} is missing")];
        list.push_change(Verb::Create, connection, because, new());
        return mark_new(list);
    };
    // One that only is missing is created and then set; one that is replaced takes its connection
    // along.
    let customer_replaced = list.has(Verb::Delete, &customer);
    let obsolete = compare::vpn_connection_needs_replacement(spec, have, instance);
    if customer_replaced || obsolete.is_some() {
        let why = format!(
            "the VPN connection {} to {instance} uses a customer gateway that is replaced",
            have.id
        );
        let why = obsolete.unwrap_or(why);
        list.push(Verb::Delete, connection.clone(), vec![]);
        list.push_change(Verb::Create, connection, vec![why], new());
        return mark_new(list);
    }
    if have.state == State::Pending {
        list.push(Verb::WaitFor, connection.clone(), vec![]);
    }
    let because = compare::vpn_connection(spec, observed, have, instance);
    if !because.is_empty() {
        let settings = vpn_connection::diff_connection(spec, observed, have, instance);
        let tags = !compare::tag_diff(&have.tags, spec).is_empty();
        list.push_change(
            Verb::Update,
            connection,
            because,
            Change::VpnConnection { settings, tags },
        );
    }
    for key in instance.tunnels() {
        let Some(tunnel) = observed.tunnel(key) else {
            continue;
        };
        let TunnelDiff {
            reasons: mut because,
            nondisruptive,
            change: options,
        } = compare::tunnel(spec, tunnel, key);
        because.extend(keys::endpoint_key_reasons(spec, observed, key));
        if keys::needs_rotation(spec, observed, key) {
            list.push(Verb::Create, ActionTarget::KeyRotationTag(key), vec![]);
        }
        if !because.is_empty() {
            let change = Change::Tunnel {
                options,
                key: key_action(spec, observed, key),
            };
            if because == nondisruptive {
                list.nondisruptive.insert(ActionTarget::Tunnel(key));
            }
            list.push_change(Verb::Update, ActionTarget::Tunnel(key), because, change);
        }
    }
    plan_incomplete_tag(observed, list);
}

/// Whether a customer gateway is another user's, which was set on a connection of this link's: it
/// gets no tags.
fn is_foreign_customer_gateway(
    spec: &Spec,
    observed: &Observed,
    have: &CustomerGateway,
    instance: Instance,
) -> bool {
    let made_here = observed
        .aws
        .vpn_connections
        .get(instance)
        .as_ref()
        .is_some_and(|vpn| spec.link.is_on(&vpn.tags));
    made_here && !spec.link.is_on(&have.tags)
}
