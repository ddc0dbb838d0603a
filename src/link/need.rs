//! The graph of a link: what each object needs before it can be. Building follows it, taking down runs it backwards.

use super::step::{Object, Step, StepId, Verb};
use super::tunnel::{Instance, TunnelKey};

/// What must be there before `object` can be made or changed. AWS and the local network gateways need public addresses only, which
/// a Standard public IP has right after its create (2026-11), so that both are made while Azure creates the gateway for half an
/// hour. Only the connections wait for the gateway.
pub fn needs(object: &Object) -> Vec<Object> {
    use Object::*;
    match object {
        ResourceGroup | Vpc | VpnGateway => vec![],
        VirtualNetwork | PublicIp(_) => vec![ResourceGroup],
        // The tags of the address record the subnet, which has none.
        GatewaySubnet => vec![VirtualNetwork, PublicIp(Instance::Zero)],
        Subnet(_) => vec![VirtualNetwork],
        Gateway => {
            vec![ResourceGroup, VirtualNetwork, GatewaySubnet, PublicIp(Instance::Zero), PublicIp(Instance::One)]
        }
        OwnAddresses => vec![Gateway],
        InternetGateway | PublicSubnet => vec![Vpc],
        PublicRouteTable => vec![Vpc, InternetGateway, PublicSubnet],
        Attachment => vec![Vpc, VpnGateway],
        Propagation(None) => vec![Attachment, PublicRouteTable],
        Propagation(Some(_)) => vec![Attachment],
        CustomerGateway(instance) => vec![PublicIp(*instance)],
        VpnConnection(instance) => vec![VpnGateway, CustomerGateway(*instance)],
        Tunnel(key) => vec![VpnConnection(key.instance)],
        LocalGateway(key) => vec![ResourceGroup, VpnConnection(key.instance), Tunnel(*key)],
        Connection(key) => vec![Gateway, OwnAddresses, LocalGateway(*key), Tunnel(*key)],
        SharedKey(key) => vec![Connection(*key), Tunnel(*key)],
        Session(key) => vec![Connection(*key), SharedKey(*key), Tunnel(*key), Attachment],
        OtherTunnels(_) | OtherConnection(_) | OwnershipTags => vec![],
        RolledMark(key) => vec![Tunnel(*key), SharedKey(*key), Connection(*key), Session(*key)],
        UnfinishedMark => everything_else(),
    }
}

fn everything_else() -> Vec<Object> {
    let mut all = vec![
        Object::ResourceGroup,
        Object::VirtualNetwork,
        Object::GatewaySubnet,
        Object::Gateway,
        Object::OwnAddresses,
        Object::Vpc,
        Object::InternetGateway,
        Object::PublicSubnet,
        Object::PublicRouteTable,
        Object::VpnGateway,
        Object::Attachment,
        Object::Propagation(None),
    ];
    for instance in Instance::ALL {
        all.extend([Object::PublicIp(instance), Object::CustomerGateway(instance), Object::VpnConnection(instance)]);
    }
    for key in TunnelKey::ALL {
        all.extend([
            Object::Tunnel(key),
            Object::LocalGateway(key),
            Object::Connection(key),
            Object::SharedKey(key),
            Object::Session(key),
            Object::RolledMark(key),
        ]);
    }
    all
}

/// Fills in what each step has to wait for, from the graph and from the other steps of the list.
pub fn order(steps: &mut [Step]) {
    let ids: Vec<StepId> = steps.iter().map(Step::id).collect();
    for step in steps {
        for (object, verb) in &ids {
            if (object, *verb) == (&step.object, step.verb) {
                continue;
            }
            let waits = match (step.verb, verb) {
                // What is deleted to be made anew must not wait for the mark, which goes when all is made.
                (Verb::Delete, Verb::Delete) => {
                    step.object == Object::UnfinishedMark
                        || *object != Object::UnfinishedMark && reaches(object, &step.object)
                }
                (Verb::Delete, _) => step.object == Object::UnfinishedMark || step.object == Object::OwnAddresses,
                // A range goes after the subnets in it.
                (Verb::Change, Verb::Delete) if step.object == Object::VirtualNetwork => {
                    matches!(object, Object::Subnet(_))
                }
                (_, Verb::Delete) => *object == step.object,
                // A connection that stays is there for its tunnels: who goes first is a matter of turns.
                (_, Verb::Change) if matches!(object, Object::VpnConnection(_)) => {
                    step.object == Object::UnfinishedMark
                }
                (_, _) => {
                    needs(&step.object).contains(object)
                        || step.object == Object::UnfinishedMark
                        || reaches(&step.object, object)
                }
            };
            if waits {
                step.after.push((object.clone(), *verb));
            }
        }
    }
}

/// Whether `from` needs `to`, straight or through others. Propagation into a named table also stands on the attachment.
fn reaches(from: &Object, to: &Object) -> bool {
    needs(from).iter().any(|need| need == to || reaches(need, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_connections_and_what_hangs_on_them_wait_for_the_gateway() {
        for instance in Instance::ALL {
            assert!(!reaches(&Object::VpnConnection(instance), &Object::Gateway));
        }
        for key in TunnelKey::ALL {
            assert!(!reaches(&Object::LocalGateway(key), &Object::Gateway));
            assert!(reaches(&Object::Connection(key), &Object::Gateway));
        }
    }

    #[test]
    fn what_is_made_anew_does_not_wait_for_the_mark_that_waits_for_it() {
        let customer = Object::CustomerGateway(Instance::Zero);
        let step = |object: &Object, verb| Step { object: object.clone(), verb, after: vec![], because: vec![] };
        let mark = Object::UnfinishedMark;
        let mut steps = [step(&customer, Verb::Delete), step(&customer, Verb::Create), step(&mark, Verb::Delete)];
        order(&mut steps);
        assert!(steps[0].after.is_empty());
        assert_eq!(steps[1].after, [(customer.clone(), Verb::Delete)]);
        assert_eq!(steps[2].after.len(), 2, "the mark goes last");
    }

    #[test]
    fn taking_down_runs_the_graph_backwards() {
        let step = |object| Step { object, verb: Verb::Delete, after: vec![], because: vec![] };
        let mut steps =
            [step(Object::ResourceGroup), step(Object::Gateway), step(Object::Connection(TunnelKey::ALL[0]))];
        order(&mut steps);
        assert_eq!(steps[0].after.len(), 2, "the group goes last");
        assert_eq!(steps[1].after, [(Object::Connection(TunnelKey::ALL[0]), Verb::Delete)]);
        assert!(steps[2].after.is_empty());
    }
}
