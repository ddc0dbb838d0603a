//! Looks at a link's tunnels after every call, from a moment at which all four carry routes.

use super::Sim;
use super::fault_point::Scenario;
use awsazure_sandbox::world::World;
use bgp_vpn::tunnel::TunnelKey;
use std::sync::{Arc, Mutex};

/// How few carried routes at the worst moment, and the call after which that was so.
#[derive(Clone)]
pub struct AvailabilityMonitor(Arc<Mutex<(usize, String)>>);

impl AvailabilityMonitor {
    /// Looks on from now.
    ///
    /// # Errors
    /// Not all four are there to begin with.
    pub fn over(sim: &Sim) -> Result<Self, String> {
        let now = tunnels_up(&sim.sandbox.world());
        if now != TunnelKey::ALL.len() {
            return Err(format!("{now} tunnels carry routes to begin with"));
        }
        let availability =
            AvailabilityMonitor(Arc::new(Mutex::new((TunnelKey::ALL.len(), String::new()))));
        let watching = availability.clone();
        sim.sandbox.watch(Box::new(move |world, _, exchange| {
            let (now, call) = (tunnels_up(world), &exchange.record);
            let mut worst = watching.0.lock().unwrap();
            if now < worst.0 {
                *worst = (
                    now,
                    format!("call {}, {} {}", call.n, call.operation, call.target),
                );
            }
        }));
        Ok(availability)
    }

    /// # Errors
    /// Fewer than `least` at some moment.
    pub fn check_at_least(&self, least: usize) -> Result<(), String> {
        let (fewest, when) = self.0.lock().unwrap().clone();
        if fewest < least {
            Err(format!(
                "{fewest} tunnels carried routes, not {least}, after {when}"
            ))
        } else {
            Ok(())
        }
    }
}

/// How many tunnels a change must leave, however often it breaks off and is taken up again; None
/// where it cannot spare them.
pub fn min_tunnels_up(operation: Scenario) -> Option<usize> {
    use Scenario::*;
    match operation {
        Settings | Network | Rotate | Keys | Secret | HiddenRotate | HiddenKeys => Some(3),
        Bandwidth | Accelerated => Some(2),
        Create | HiddenCreate | Read | Import | Destroy | Addresses | Asn | AzureAsn
        | HiddenAsn | Gateway | Given | Transit => None,
    }
}

fn tunnels_up(world: &World) -> usize {
    world
        .aws
        .endpoints()
        .iter()
        .filter(|end| !world.tunnels.aws_learned(end.outside_ip).is_empty())
        .count()
}
