//! The guide on imports: each path, with the configurations and commands as they are written there.

use awsazure::azure::ResourceId;
use test_support::terraform::{
    Ends, Groups, Guide, TestEnv, Tunnels, is_terraform_since, skip, slot, terraform_program,
};

const ADDRESS: &str = "awsazure_bgp_vpn.link";
const GATEWAY: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestRG1/providers/Microsoft.Network/virtualNetworkGateways/VNet1GW";

/// A link that was built in the portals, and the guide.
struct Portals {
    env: TestEnv,
    ends: Ends,
    guide: Guide,
    /// Calls until the link was complete.
    made: usize,
}

impl Portals {
    fn new() -> Option<Self> {
        let env = TestEnv::new()?;
        let admin = env.cloud_admin();
        let ends = admin.make_ends(&Groups::one("TestRG1"), &[slot(0)], true);
        admin.make_tunnels(&ends, &Tunnels::of_slot("TestRG1", "to aws", 0));
        let made = env.calls().len();
        Some(Portals {
            env,
            ends,
            guide: Guide::read("import.md"),
            made,
        })
    }

    /// A text of the guide with the ids of this world.
    fn real(&self, text: &str) -> String {
        let gateway = ResourceId::parse(&self.ends.gateway).unwrap().to_string();
        let network = GATEWAY.replace("virtualNetworkGateways/VNet1GW", "virtualNetworks/VNet1");
        text.replace(GATEWAY, &gateway)
            .replace(&network, &self.ends.network)
            .replace("vpc-0123456789abcdef0", &self.ends.vpc)
            .replace("vgw-0123456789abcdef0", &self.ends.vgw)
    }

    fn block(&self, words: &str) -> String {
        self.real(self.guide.block("terraform", words))
    }

    /// Runs the commands of a block.
    fn run(&self, words: &str) -> String {
        let mut said = String::new();
        for arguments in self.guide.commands("terraform ", words) {
            let arguments: Vec<String> = arguments.iter().map(|word| self.real(word)).collect();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            if arguments[0] == "apply" {
                arguments.push("-auto-approve");
            }
            arguments.insert(1, "-no-color");
            said.push_str(&self.env.ok(&arguments).stdout);
        }
        said
    }

    /// The link is in the state, the next plan is empty, and nothing was written to a cloud.
    fn imported(&self) {
        assert!(self.env.plan_is_empty());
        assert!(self.env.link("link")["id"].is_string());
        let writes = self.env.writes_since(self.made);
        assert!(writes.is_empty(), "{writes:?}");
    }

    fn forget(&self) {
        self.env.ok(&["state", "rm", ADDRESS]);
    }
}

#[test]
fn guide_imports_link_from_portals() {
    let Some(portals) = Portals::new() else {
        return;
    };
    let configuration = portals.block("virtual_network_id");
    portals.env.write(&configuration);
    let said = portals.run("terraform import");
    assert!(said.contains("No changes."), "{said}");
    portals.imported();

    portals.forget();
    let block = portals.block("  id = ");
    portals.env.write(&format!("{configuration}\n{block}"));
    portals.env.apply();
    portals.imported();

    let terraform = terraform_program().unwrap();
    if is_terraform_since(&terraform, 11) {
        portals.forget();
        portals.env.write(&block);
        portals.run("-generate-config-out");
        portals.imported();
        portals.env.remove_file("generated.tf");
    } else {
        skip("generated configuration (Terraform 1.11 or newer)");
    }

    if is_terraform_since(&terraform, 12) {
        portals.forget();
        let identity = portals.block("identity = {");
        portals.env.write(&format!("{configuration}\n{identity}"));
        portals.env.apply();
        portals.imported();
    } else {
        skip("import by identity (Terraform 1.12 or newer)");
    }

    // What the guide says of a destroy.
    assert_eq!(portals.env.link("link")["manage_gateways"], false);
    portals.env.write(&configuration);
    portals.env.destroy();
    let world = portals.env.world();
    for (kind, left) in [
        ("connections", 0),
        ("vpn-connection", 0),
        ("virtualNetworkGateways", 1),
        ("vpn-gateway", 1),
        ("virtualNetworks", 1),
    ] {
        assert_eq!(world.of_kind(kind).len(), left, "{kind}");
    }
}

/// One apply forgets the former resources and imports the link. Resources of Terraform itself take
/// the places of those of azurerm and aws.
#[test]
fn guide_moves_link_from_other_providers() {
    let Some(portals) = Portals::new() else {
        return;
    };
    let stand_in = |text: &str| {
        text.replace(
            "azurerm_virtual_network_gateway_connection.tunnel",
            "terraform_data.connection",
        )
        .replace(
            "azurerm_local_network_gateway.tunnel",
            "terraform_data.local",
        )
        .replace("aws_vpn_connection.instance", "terraform_data.vpn")
        .replace("aws_customer_gateway.instance", "terraform_data.customer")
        .replace(
            "azurerm_virtual_network_gateway.gateway.id",
            "terraform_data.azure.output",
        )
        .replace("aws_vpn_gateway.gateway.id", "terraform_data.aws.output")
    };
    let resource =
        |name: &str, body: &str| format!("resource \"terraform_data\" {name:?} {{\n  {body}\n}}\n");
    let gateways = [
        resource("azure", &format!("input = {:?}", portals.ends.gateway)),
        resource("aws", &format!("input = {:?}", portals.ends.vgw)),
    ]
    .concat();
    let tunnels =
        ["connection", "local", "vpn", "customer"].map(|name| resource(name, "count = 2"));
    portals
        .env
        .write(&format!("{gateways}{}", tunnels.concat()));
    portals.env.apply();

    let moved = [
        stand_in(&portals.block("removed {")),
        stand_in(&portals.block("azurerm_virtual_network_gateway.gateway.id")),
        portals.block("  id = "),
    ];
    portals.env.write(&format!("{gateways}{}", moved.concat()));
    let promise = "1 to import, 0 to add, 0 to change, 0 to destroy";
    assert!(portals.guide.text.contains(promise));
    let said = portals.env.plan().text;
    assert!(said.contains(promise), "{said}");
    portals.env.apply();
    portals.imported();
    let resources = portals.env.state()["resources"].clone();
    assert_eq!(resources.as_array().unwrap().len(), 3, "{resources}");

    // A missing block would destroy.
    portals.env.write(&format!("{gateways}{}", moved[1]));
    portals
        .env
        .write(&format!("{gateways}{}", tunnels.concat()));
    portals.forget();
    portals.env.apply();
    portals
        .env
        .write(&format!("{gateways}{}{}", moved[1], moved[2]));
    let said = portals.env.plan().text;
    assert!(said.contains("8 to destroy"), "{said}");
}
