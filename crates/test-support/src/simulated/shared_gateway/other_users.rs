//! Other users, who edit the shared Azure gateway meanwhile.

use super::simulated;
use crate::simulated::Sim;
use crate::simulated::scenario_gen::pick;
use awsazure::azure::ResourceId;
use awsazure::azure::documents::gateway::{add_custom_bgp_ip, remove_custom_bgp_ip};
use awsazure_sandbox::rng::Rng;
use awsazure_sandbox::time::SimDuration;
use serde_json::json;
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// No link's slot reaches up there.
pub(super) fn of_others(ip: Ipv4Addr) -> bool {
    ip.octets()[2] == 21 && ip.octets()[3] >= 200
}

/// People who know nothing of the links and have business of their own with the gateway.
pub(super) struct Others {
    pub(super) sim: Sim,
    /// The gateway and the names of its two IP configurations.
    pub(super) gateway: (ResourceId, [&'static str; 2]),
    pub(super) rng: Rng,
    /// Addresses that they have on it.
    pub(super) own: BTreeSet<Ipv4Addr>,
    pub(super) edits: u64,
}

impl Others {
    /// Edits at random moments until the caller drops the future.
    pub(super) async fn edit(&mut self) -> Result<(), String> {
        loop {
            let pause = SimDuration::seconds(30 + self.rng.below(900));
            tokio::time::sleep(simulated(&self.sim, pause)).await;
            self.once().await?;
        }
    }

    /// Another address, one address less, or another tag. They look whether it worked.
    async fn once(&mut self) -> Result<(), String> {
        let ((gateway, names), limits) = (self.gateway.clone(), self.sim.limits());
        let gateway = &gateway;
        let ip = Ipv4Addr::new(169, 254, 21, 200 + 4 * self.rng.below(10) as u8 + 2);
        let name = pick(&mut self.rng, &names);
        let version = self.rng.below(1000).to_string();
        let remove = self.own.contains(&ip);
        let (kind, of) = (
            self.rng.below(3),
            names.map(|name| gateway.child("ipConfigurations", name)),
        );
        let edit = |doc: &mut serde_json::Value| match (kind, remove) {
            (0, _) => doc["tags"]["reviewed"] = json!(version),
            (_, true) => of.iter().for_each(|of| remove_custom_bgp_ip(doc, of, ip)),
            (_, false) => add_custom_bgp_ip(doc, &gateway.child("ipConfigurations", name), ip),
        };
        let done = self
            .sim
            .clouds
            .azure
            .change_gateway(gateway, &edit, &limits.call_context())
            .await;
        self.edits += u64::from(done.is_ok());
        let world = self.sim.sandbox.world();
        let rows = world.azure.objects();
        let row = rows.iter().find(|row| {
            gateway
                .to_string()
                .eq_ignore_ascii_case(row["id"].as_str().unwrap_or_default())
        });
        let listed: BTreeSet<Ipv4Addr> = row
            .and_then(|row| serde_json::from_value(row["custom_bgp_addresses"].clone()).ok())
            .ok_or("the gateway is gone")?;
        self.own = listed.into_iter().filter(|ip| of_others(*ip)).collect();
        Ok(())
    }
}
