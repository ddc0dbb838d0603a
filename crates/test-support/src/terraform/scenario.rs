//! A link that is created and then changed, step by step, and the networks for one.

use super::{CloudAdmin, Link, TestEnv, World};
use serde_json::Value;

/// Objects by kind: what must stay the same through a change in place.
pub fn census(world: &World) -> Vec<(String, usize)> {
    let mut kinds: Vec<String> = world
        .aws
        .iter()
        .chain(&world.azure)
        .map(|object| object.kind.clone())
        .collect();
    kinds.sort();
    let count = |kind: &String| {
        (
            kind.clone(),
            kinds.iter().filter(|other| *other == kind).count(),
        )
    };
    let mut counts: Vec<(String, usize)> = kinds.iter().map(count).collect();
    counts.dedup();
    counts
}

/// Whether a plan or an apply warned of that.
pub fn has_warning(said: &str, summary: &str) -> bool {
    said.contains(&format!("Warning: {summary}"))
}

/// A link in its clouds, changed step by step.
pub struct Scenario {
    pub env: TestEnv,
    pub link: Link,
}

impl Scenario {
    pub fn apply() -> Option<Self> {
        let (env, link) = (TestEnv::new()?, Link::complete("link"));
        env.write(&link.to_string());
        env.apply();
        Some(Scenario { env, link })
    }

    pub fn state(&self) -> Value {
        self.env.resource("awsazure_bgp_vpn", "link")
    }

    /// The addresses that the Azure gateway lists for its sessions.
    pub fn listed(&self) -> Vec<String> {
        self.env
            .cloud_admin()
            .listed_addresses(self.state()["azure"]["gateway_id"].as_str().unwrap())
    }

    /// Changes the configuration in place; what the plan said.
    pub fn changes(&mut self, change: impl FnOnce(Link) -> Link) -> String {
        self.link = change(self.link.clone());
        self.env.write(&self.link.to_string());
        let before = census(&self.env.world());
        let plan = self.env.plan();
        assert_eq!(
            plan.change(&self.link.address()).actions,
            ["update"],
            "{}",
            plan.text
        );
        self.env.apply();
        assert!(self.env.plan_is_empty(), "after\n{}", self.link);
        assert_eq!(census(&self.env.world()), before, "after\n{}", self.link);
        plan.text
    }

    pub fn finish(self) {
        self.env.destroy();
        let left = self.env.world();
        assert!(left.is_empty(), "{left:#?}");
    }
}

/// The text of a JSON value that is a string.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

impl CloudAdmin {
    /// Creates a VNet `10.x.0.0/16` with a gateway subnet in the group `hub`; returns its id.
    pub fn make_hub_network(&self, name: &str, x: u8) -> String {
        let (range, subnet) = (format!("10.{x}.0.0/16"), format!("10.{x}.255.0/27"));
        self.make_network("hub", name, &range, &[("GatewaySubnet", &subnet)])
    }
}

impl TestEnv {
    /// Creates a group, a VNet and a VPC; returns the configuration of a link between them.
    pub fn link_between_networks(&self) -> Link {
        let cloud_admin = self.cloud_admin();
        cloud_admin.make_group("hub");
        let (vnet, vpc) = (
            cloud_admin.make_hub_network("vnet1", 1),
            cloud_admin.make_vpc("10.2.0.0/16"),
        );
        Link::between("link", "hub", &vnet, &vpc)
    }

    /// How many Azure gateways, Azure connections and VPN connections exist: 1, 4 and 2 for one
    /// complete link.
    pub fn link_counts(&self) -> [usize; 3] {
        let world = self.world();
        ["virtualNetworkGateways", "connections", "vpn-connection"]
            .map(|kind| world.of_kind(kind).len())
    }
}
