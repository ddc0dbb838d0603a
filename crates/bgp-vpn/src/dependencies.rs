//! The graph of a link: what each object needs before it can be. Building follows it, taking down
//! runs it backwards.

use super::action::{Action, ActionId, ActionTarget, Verb};
use super::tunnel::{Instance, TunnelKey};

/// What must be there before `target` can be made or changed. AWS and the local network gateways
/// need public addresses only, which a Standard public IP has right after its create (2026-11), so
/// that both are made while Azure creates the gateway for half an hour. Only the connections wait
/// for the gateway.
pub fn dependencies_of(object: &ActionTarget) -> Vec<ActionTarget> {
    use ActionTarget::*;
    match object {
        ResourceGroup | Vpc | VpnGateway => vec![],
        VirtualNetwork | PublicIp(_) => vec![ResourceGroup],
        // The tags of the address record the subnet, which has none.
        GatewaySubnet => vec![VirtualNetwork, PublicIp(Instance::Zero)],
        Subnet(_) => vec![VirtualNetwork],
        Gateway => {
            vec![
                ResourceGroup,
                VirtualNetwork,
                GatewaySubnet,
                PublicIp(Instance::Zero),
                PublicIp(Instance::One),
            ]
        }
        CustomBgpAddresses => vec![Gateway],
        InternetGateway | PublicSubnet => vec![Vpc],
        PublicRouteTable => vec![Vpc, InternetGateway, PublicSubnet],
        VgwAttachment => vec![Vpc, VpnGateway],
        RoutePropagation(None) => vec![VgwAttachment, PublicRouteTable],
        RoutePropagation(Some(_)) => vec![VgwAttachment],
        CustomerGateway(instance) => vec![PublicIp(*instance)],
        VpnConnection(instance) => vec![VpnGateway, CustomerGateway(*instance)],
        TransitAttachment(instance) => vec![VpnConnection(*instance)],
        Tunnel(key) => vec![VpnConnection(key.instance)],
        LocalGateway(key) => vec![ResourceGroup, VpnConnection(key.instance), Tunnel(*key)],
        Connection(key) => vec![
            Gateway,
            CustomBgpAddresses,
            LocalGateway(*key),
            Tunnel(*key),
        ],
        SharedKey(key) => vec![Connection(*key), Tunnel(*key)],
        BgpSession(key) => vec![
            Connection(*key),
            SharedKey(*key),
            Tunnel(*key),
            VgwAttachment,
        ],
        PeerTunnelsUp(_) | PeerConnectionUp(_) | OwnershipTags => vec![],
        KeyRotationTag(key) => vec![
            Tunnel(*key),
            SharedKey(*key),
            Connection(*key),
            BgpSession(*key),
        ],
        IncompleteTag => all_targets(),
    }
}

fn all_targets() -> Vec<ActionTarget> {
    let mut all = vec![
        ActionTarget::ResourceGroup,
        ActionTarget::VirtualNetwork,
        ActionTarget::GatewaySubnet,
        ActionTarget::Gateway,
        ActionTarget::CustomBgpAddresses,
        ActionTarget::Vpc,
        ActionTarget::InternetGateway,
        ActionTarget::PublicSubnet,
        ActionTarget::PublicRouteTable,
        ActionTarget::VpnGateway,
        ActionTarget::VgwAttachment,
        ActionTarget::RoutePropagation(None),
    ];
    for instance in Instance::ALL {
        all.extend([
            ActionTarget::PublicIp(instance),
            ActionTarget::CustomerGateway(instance),
            ActionTarget::VpnConnection(instance),
            ActionTarget::TransitAttachment(instance),
        ]);
    }
    for key in TunnelKey::ALL {
        all.extend([
            ActionTarget::Tunnel(key),
            ActionTarget::LocalGateway(key),
            ActionTarget::Connection(key),
            ActionTarget::SharedKey(key),
            ActionTarget::BgpSession(key),
            ActionTarget::KeyRotationTag(key),
        ]);
    }
    all
}

/// Fills in what each step has to wait for, from the graph and from the other steps of the list.
pub fn assign_dependencies(actions: &mut [Action]) {
    let ids: Vec<ActionId> = actions.iter().map(Action::id).collect();
    for action in actions {
        for (object, verb) in &ids {
            if (object, *verb) == (&action.target, action.verb) {
                continue;
            }
            let waits = match (action.verb, verb) {
                // Objects that are deleted to be recreated must not wait for the tag, which is
                // removed at the end.
                (Verb::Delete, Verb::Delete) => {
                    action.target == ActionTarget::IncompleteTag
                        || *object != ActionTarget::IncompleteTag
                            && depends_on_transitively(object, &action.target)
                }
                (Verb::Delete, _) => {
                    action.target == ActionTarget::IncompleteTag
                        || action.target == ActionTarget::CustomBgpAddresses
                }
                // A range goes after the subnets in it.
                (Verb::Update, Verb::Delete) if action.target == ActionTarget::VirtualNetwork => {
                    matches!(object, ActionTarget::Subnet(_))
                }
                (_, Verb::Delete) => *object == action.target,
                // A connection that stays is there for its tunnels: who goes first is a matter of
                // turns.
                (_, Verb::Update) if matches!(object, ActionTarget::VpnConnection(_)) => {
                    // Another target brings another attachment.
                    action.target == ActionTarget::IncompleteTag
                        || matches!(action.target, ActionTarget::TransitAttachment(_))
                            && dependencies_of(&action.target).contains(object)
                }
                (_, _) => {
                    dependencies_of(&action.target).contains(object)
                        || action.target == ActionTarget::IncompleteTag
                        || depends_on_transitively(&action.target, object)
                }
            };
            if waits {
                action.depends_on.push((object.clone(), *verb));
            }
        }
    }
}

/// Whether `from` needs `to`, straight or through others. Propagation into a named table also
/// stands on the attachment.
fn depends_on_transitively(from: &ActionTarget, to: &ActionTarget) -> bool {
    dependencies_of(from)
        .iter()
        .any(|need| need == to || depends_on_transitively(need, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only connections and their dependents wait for the Azure gateway.
    #[test]
    fn only_connections_depend_on_gateway() {
        for instance in Instance::ALL {
            assert!(!depends_on_transitively(
                &ActionTarget::VpnConnection(instance),
                &ActionTarget::Gateway
            ));
        }
        for key in TunnelKey::ALL {
            assert!(!depends_on_transitively(
                &ActionTarget::LocalGateway(key),
                &ActionTarget::Gateway
            ));
            assert!(depends_on_transitively(
                &ActionTarget::Connection(key),
                &ActionTarget::Gateway
            ));
        }
    }

    #[test]
    fn recreate_does_not_wait_for_its_own_tag() {
        let customer = ActionTarget::CustomerGateway(Instance::Zero);
        let action = |object: &ActionTarget, verb| Action::new(object.clone(), verb, vec![]);
        let mark = ActionTarget::IncompleteTag;
        let mut actions = [
            action(&customer, Verb::Delete),
            action(&customer, Verb::Create),
            action(&mark, Verb::Delete),
        ];
        assign_dependencies(&mut actions);
        assert!(actions[0].depends_on.is_empty());
        assert_eq!(actions[1].depends_on, [(customer.clone(), Verb::Delete)]);
        assert_eq!(actions[2].depends_on.len(), 2, "the mark goes last");
    }

    #[test]
    fn teardown_reverses_dependencies() {
        let action = |object| Action::new(object, Verb::Delete, vec![]);
        let mut actions = [
            action(ActionTarget::ResourceGroup),
            action(ActionTarget::Gateway),
            action(ActionTarget::Connection(TunnelKey::ALL[0])),
        ];
        assign_dependencies(&mut actions);
        assert_eq!(actions[0].depends_on.len(), 2, "the group goes last");
        assert_eq!(
            actions[1].depends_on,
            [(ActionTarget::Connection(TunnelKey::ALL[0]), Verb::Delete)]
        );
        assert!(actions[2].depends_on.is_empty());
    }
}
