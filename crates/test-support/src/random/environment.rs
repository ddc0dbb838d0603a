//! Two clouds with networks and gateways already there, written as the state file with which a
//! sandbox starts; and which of them a link is to use. Quotas and throttling are lifted: a hundred
//! links in one region are a matter of the test.

use super::rng::Rng;
use awsazure_sandbox::aws::Quotas;
use awsazure_sandbox::http::{Outcome, Request, Response};
use awsazure_sandbox::time::{SimDuration, SimTime};
use awsazure_sandbox::world::{Settings, World};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const GROUP: &str = "Existing";
pub const REGION: &str = "us-east-1";
/// Of the gateways that are there already.
pub const AZURE_ASN: u32 = 65_020;
pub const AWS_ASN: u32 = 64_800;

/// What there is for one link.
#[derive(Clone, Debug)]
pub struct Environment {
    /// Tells this link's names and address ranges from all others'.
    pub number: usize,
    pub group: &'static str,
    /// Resource id of a VNet; every other one has a gateway subnet.
    pub network: String,
    pub has_gateway_subnet: bool,
    pub vpc: String,
    pub main_table: String,
    /// Ids of an Azure gateway and a VPN gateway in those networks, at one site in five.
    pub gateways: Option<(String, String)>,
    /// Id of a transit gateway of its own, at another one in five.
    pub transit_gateway: Option<String>,
}

impl Environment {
    /// Whether a site of this number has gateways.
    fn is_hub(number: usize) -> bool {
        number % 5 == 4
    }

    fn is_transit(number: usize) -> bool {
        number % 5 == 2
    }

    pub fn name(&self) -> String {
        format!("link{}", self.number)
    }

    /// A range that no other link uses; less than 1,024 sites.
    pub fn azure_range(number: usize) -> String {
        format!("10.{}.{}", number / 4, 64 * (number % 4))
    }
}

/// A world in the making, driven by raw requests.
struct Builder {
    world: World,
    now: SimTime,
    token: String,
}

/// Writes a world with `count` sites for a sandbox that will be started in `dir`.
pub fn prepare(dir: &Path, count: usize) -> Vec<Environment> {
    let epoch_unix_seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs() as i64;
    let mut world = World::new(
        1,
        Settings {
            epoch_unix_seconds,
            throttling: false,
            ..Settings::default()
        },
    );
    world.aws.quotas = Quotas {
        vpcs: 9_999,
        customer_gateways: 9_999,
        vpn_gateways: 9_999,
        vpn_connections: 9_999,
        vpn_connections_per_gateway: 9_999,
        transit_gateways: 9_999,
    };
    let mut builder = Builder {
        world,
        now: SimTime(0),
        token: String::new(),
    };
    builder.log_in();
    let subscription = builder.world.settings.subscription_id.clone();
    let group = format!("/subscriptions/{subscription}/resourceGroups/{GROUP}");
    builder.azure("PUT", &group, &json!({"location": "eastus"}));
    let base = format!("{group}/providers/Microsoft.Network");
    let sites: Vec<Environment> = (0..count)
        .map(|number| builder.networks(&base, number))
        .collect();
    builder.pass(60);
    let hubs: Vec<usize> = (0..count)
        .filter(|number| Environment::is_hub(*number))
        .collect();
    for number in &hubs {
        builder.azure_gateway(&base, *number);
    }
    let mut sites: Vec<Environment> = sites
        .into_iter()
        .map(|environment| builder.with_gateways(&base, environment))
        .collect();
    // Longer than any gateway takes.
    for _ in 0..120 {
        builder.pass(60);
        builder.world.advance(builder.now);
    }
    for environment in &mut sites {
        let tables = builder.aws(&format!(
            "Action=DescribeRouteTables&Filter.1.Name=vpc-id&Filter.1.Value.1={}",
            environment.vpc
        ));
        environment.main_table = element(&tables, "routeTableId");
    }
    fs::create_dir_all(dir).unwrap();
    fs::write(
        dir.join("world.json"),
        serde_json::to_vec(&builder.world).unwrap(),
    )
    .unwrap();
    sites
}

impl Builder {
    fn pass(&mut self, seconds: u64) {
        self.now = self.now + SimDuration::seconds(seconds);
    }

    fn networks(&mut self, base: &str, number: usize) -> Environment {
        let network = format!("{base}/virtualNetworks/net{number}");
        let range = Environment::azure_range(number);
        let (start, third) = range.rsplit_once('.').unwrap();
        let has_gateway_subnet = number.is_multiple_of(2);
        let subnet = json!([{"name": "GatewaySubnet", "properties": {"addressPrefix": format!("{start}.{third}.0/27")}}]);
        let subnets = if has_gateway_subnet {
            subnet
        } else {
            json!([])
        };
        let body = json!({"location": "eastus", "properties": {
            "addressSpace": {"addressPrefixes": [format!("{start}.{third}.0/18")]}, "subnets": subnets}});
        self.azure("PUT", &network, &body);
        let vpc = element(
            &self.aws("Action=CreateVpc&CidrBlock=172.20.0.0%2F16"),
            "vpcId",
        );
        let form = format!("Action=CreateTransitGateway&Options.AmazonSideAsn={AWS_ASN}");
        let transit_gateway =
            Environment::is_transit(number).then(|| element(&self.aws(&form), "transitGatewayId"));
        let (main_table, gateways) = (String::new(), None);
        Environment {
            number,
            group: GROUP,
            network,
            has_gateway_subnet,
            vpc,
            main_table,
            gateways,
            transit_gateway,
        }
    }

    fn azure_gateway(&mut self, base: &str, number: usize) {
        let gateway = format!("{base}/virtualNetworkGateways/hub{number}");
        if number % 2 == 1 {
            let range = Environment::azure_range(number);
            let body = json!({"properties": {"addressPrefix": format!("{range}.0/27")}});
            self.azure(
                "PUT",
                &format!("{base}/virtualNetworks/net{number}/subnets/GatewaySubnet"),
                &body,
            );
            self.pass(60);
        }
        for i in 0..2 {
            let body = json!({"location": "eastus", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
                "properties": {"publicIPAllocationMethod": "Static"}});
            self.azure(
                "PUT",
                &format!("{base}/publicIPAddresses/hub{number}-{i}"),
                &body,
            );
        }
        self.pass(30);
        let configurations: Vec<Value> = (0..2)
            .map(|i| {
                json!({"name": format!("c{i}"), "properties": {
                    "subnet": {"id": format!("{base}/virtualNetworks/net{number}/subnets/GatewaySubnet")},
                    "publicIPAddress": {"id": format!("{base}/publicIPAddresses/hub{number}-{i}")}}})
            })
            .collect();
        let body = json!({"location": "eastus", "properties": {"gatewayType": "Vpn", "vpnType": "RouteBased",
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"}, "vpnGatewayGeneration": "Generation2",
            "activeActive": true, "enableBgp": true, "ipConfigurations": configurations,
            "bgpSettings": {"asn": AZURE_ASN}}});
        self.azure("PUT", &gateway, &body);
    }

    fn with_gateways(&mut self, base: &str, environment: Environment) -> Environment {
        if !Environment::is_hub(environment.number) {
            return environment;
        }
        let form = format!("Action=CreateVpnGateway&Type=ipsec.1&AmazonSideAsn={AWS_ASN}");
        let gateway = element(&self.aws(&form), "vpnGatewayId");
        self.pass(30);
        self.aws(&format!(
            "Action=AttachVpnGateway&VpcId={}&VpnGatewayId={gateway}",
            environment.vpc
        ));
        let azure = format!("{base}/virtualNetworkGateways/hub{}", environment.number);
        Environment {
            gateways: Some((azure, gateway)),
            has_gateway_subnet: true,
            ..environment
        }
    }

    fn log_in(&mut self) {
        let s = self.world.settings.clone();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=x%2F.default",
            s.client_id, s.client_secret
        );
        let answer = self.send(
            "POST",
            &format!("/{}/oauth2/v2.0/token", s.tenant_id),
            "",
            form.as_bytes(),
            &[],
        );
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        self.token = answer["access_token"].as_str().unwrap().to_owned();
    }

    fn azure(&mut self, method: &str, path: &str, body: &Value) {
        self.log_in();
        let headers = [("authorization", format!("Bearer {}", self.token))];
        let answer = self.send(
            method,
            path,
            "api-version=2025-01-01",
            body.to_string().as_bytes(),
            &headers,
        );
        assert!(
            answer.status < 300,
            "{path}: {}",
            String::from_utf8_lossy(&answer.body)
        );
        self.pass(5);
    }

    fn aws(&mut self, form: &str) -> String {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/{REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0"
        );
        let headers = [
            ("authorization", credential),
            ("x-amz-date", "20260101T000000Z".to_owned()),
        ];
        let answer = self.send(
            "POST",
            "/",
            "",
            format!("{form}&Version=2016-11-15").as_bytes(),
            &headers,
        );
        let text = String::from_utf8(answer.body).unwrap();
        assert_eq!(answer.status, 200, "{form}: {text}");
        self.pass(5);
        text
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
        headers: &[(&str, String)],
    ) -> Response {
        let request = Request {
            method: method.into(),
            base_url: "https://127.0.0.1:1".into(),
            path: path.into(),
            query: query.into(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            body: body.to_vec(),
        };
        match self.world.handle(self.now, &request).outcome {
            Outcome::Response(answer) => answer,
            other => panic!("{method} {path}: {other:?}"),
        }
    }
}

/// The text of the first element of that name.
fn element(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no <{name}> in {xml}"));
    rest.split_once('<').unwrap().0.to_owned()
}

/// How a link finds its networks and gateways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Networks by id; gateways made.
    Networks,
    /// Both networks made, in a group that is there.
    Made,
    /// Group and networks made.
    AllMade,
    /// Both gateways by id.
    Gateways,
    /// The VNet and a transit gateway by id.
    Transit,
}

impl Style {
    pub fn of(environment: &Environment, rng: &mut Rng) -> Self {
        match (&environment.gateways, &environment.transit_gateway) {
            (Some(_), _) => Style::Gateways,
            (None, Some(_)) => *rng.pick(&[Style::Transit, Style::Transit, Style::Networks]),
            (None, None) => *rng.pick(&[
                Style::Networks,
                Style::Networks,
                Style::Made,
                Style::AllMade,
            ]),
        }
    }
}
