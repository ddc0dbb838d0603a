//! A bench that plays a client of the world's Azure half, and the tests that stand on it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod protocol;
mod recorded;
mod recorded_gateway;
mod rules;

use crate::http::{Outcome, Request, Response};
use crate::time::{SimDuration, SimTime};
use crate::world::{Settings, World};
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/rg";
const NET: &str = "/subscriptions/00000000-0000-4000-a000-00000000a2e0/resourceGroups/rg/providers/Microsoft.Network";
const VERSION: &str = "api-version=2025-01-01";

struct Bench {
    world: World,
    now: SimTime,
    token: String,
}

/// What came back: status, headers, body.
struct Got {
    status: u16,
    response: Response,
    body: Value,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.response
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn state(&self) -> &str {
        self.body["properties"]["provisioningState"]
            .as_str()
            .unwrap_or_default()
    }
}

/// Every answer that a test got is held against the schemas; requests are wrong on purpose in many
/// of them.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let answers = self
                .world
                .validator
                .words
                .iter()
                .filter(|words| words.contains(": answer") || words.contains("status"));
            // One test makes a member up, to see it come back.
            let wrong: Vec<_> = answers
                .filter(|words| !words.contains("brandNew"))
                .collect();
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}

impl Bench {
    fn new(seed: u64) -> Bench {
        let mut bench = Bench {
            world: World::new(seed, Settings::default()),
            now: SimTime(0),
            token: String::new(),
        };
        bench.log_in();
        bench
    }

    fn log_in(&mut self) {
        let got = self.ask_token("sandbox-client-secret");
        self.token = got.body["access_token"].as_str().unwrap().to_owned();
    }

    fn ask_token(&mut self, secret: &str) -> Got {
        let s = Settings::default();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={secret}&scope=x%2F.default",
            s.client_id
        );
        let request = self.request(
            "POST",
            &format!("/{}/oauth2/v2.0/token", s.tenant_id),
            form.as_bytes(),
        );
        self.answered(&request)
    }

    fn request(&self, method: &str, url: &str, body: &[u8]) -> Request {
        let url = url.trim_start_matches("https://arm");
        let (path, query) = url.split_once('?').unwrap_or((url, VERSION));
        Request {
            method: method.into(),
            base_url: "https://arm".into(),
            path: path.into(),
            query: query.into(),
            headers: vec![
                ("authorization".into(), format!("Bearer {}", self.token)),
                ("content-type".into(), "application/json".into()),
            ],
            body: body.to_vec(),
        }
    }

    fn outcome(&mut self, request: &Request) -> Outcome {
        self.now = self.now + SimDuration(80);
        self.world.handle(self.now, request).outcome
    }

    fn answered(&mut self, request: &Request) -> Got {
        let Outcome::Response(response) = self.outcome(request) else {
            panic!("no answer")
        };
        let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        Got {
            status: response.status,
            response,
            body,
        }
    }

    fn call(&mut self, method: &str, url: &str) -> Got {
        let request = self.request(method, url, b"");
        self.answered(&request)
    }

    fn send(&mut self, method: &str, url: &str, body: &Value) -> Got {
        let request = self.request(method, url, body.to_string().as_bytes());
        self.answered(&request)
    }

    fn with(&mut self, method: &str, url: &str, body: &Value, header: (&str, &str)) -> Got {
        let mut request = self.request(method, url, body.to_string().as_bytes());
        request.headers.push((header.0.into(), header.1.into()));
        self.answered(&request)
    }

    fn pass(&mut self, span: SimDuration) {
        self.now = self.now + span;
    }

    /// Polls what an answer names, every ten seconds, and gives the last status document.
    fn wait(&mut self, got: &Got) -> Value {
        let url = got
            .header("Azure-AsyncOperation")
            .unwrap_or_else(|| panic!("{} {}", got.status, got.body))
            .to_owned();
        loop {
            let poll = self.call("GET", &url);
            assert_eq!(poll.status, 200);
            if poll.body["status"] != "InProgress" {
                return poll.body;
            }
            self.log_in();
            self.pass(SimDuration::seconds(10));
        }
    }

    /// A write that must be accepted and succeed.
    fn done(&mut self, method: &str, url: &str, body: &Value) -> Got {
        let got = self.send(method, url, body);
        let end = self.wait(&got);
        assert_eq!(end["status"], "Succeeded", "{method} {url}: {end}");
        got
    }

    /// Group, network, two public IPs.
    fn ground(seed: u64) -> Bench {
        let mut bench = Bench::new(seed);
        assert_eq!(
            bench
                .send("PUT", GROUP, &json!({"location": "East US"}))
                .status,
            201
        );
        bench.done("PUT", &format!("{NET}/virtualNetworks/v"), &network());
        for i in 0..2 {
            bench.done(
                "PUT",
                &format!("{NET}/publicIPAddresses/p{i}"),
                &public_ip(),
            );
        }
        bench
    }

    /// A complete Azure half: gateway, two local gateways, two connections.
    fn link(seed: u64) -> Bench {
        let mut bench = Bench::ground(seed);
        bench.done("PUT", &gateway_url(), &gateway());
        for k in 0..2 {
            bench.done(
                "PUT",
                &format!("{NET}/localNetworkGateways/l{k}"),
                &local_gateway(k),
            );
            bench.done("PUT", &format!("{NET}/connections/c{k}"), &connection(k));
        }
        bench
    }
}

fn gateway_url() -> String {
    format!("{NET}/virtualNetworkGateways/g")
}

fn network() -> Value {
    json!({"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
        "subnets": [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.1.0/24"}},
            {"name": "small", "properties": {"addressPrefix": "10.1.2.0/30"}}]}})
}

fn public_ip() -> Value {
    json!({"location": "eastus", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
        "properties": {"publicIPAllocationMethod": "Static"}})
}

fn gateway() -> Value {
    let configurations: Vec<Value> = (0..2)
        .map(|i| {
            json!({"name": format!("c{i}"), "properties": {
                "subnet": {"id": format!("{NET}/virtualNetworks/v/subnets/GatewaySubnet")},
                "publicIPAddress": {"id": format!("{NET}/publicIPAddresses/p{i}")}}})
        })
        .collect();
    let peering: Vec<Value> = (0..2)
        .map(|i| {
            json!({"ipconfigurationId": format!("{}/ipConfigurations/c{i}", gateway_url()),
                "customBgpIpAddresses": [format!("169.254.21.{}", 2 + 4 * i), format!("169.254.22.{}", 2 + 4 * i)]})
        })
        .collect();
    json!({"location": "eastus", "properties": {"gatewayType": "Vpn", "vpnType": "RouteBased",
        "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"}, "vpnGatewayGeneration": "Generation2",
        "activeActive": true, "enableBgp": true, "ipConfigurations": configurations,
        "bgpSettings": {"asn": 65_000, "bgpPeeringAddresses": peering}}})
}

fn local_gateway(k: usize) -> Value {
    json!({"location": "eastus", "properties": {"gatewayIpAddress": format!("52.0.0.{}", k + 1),
        "bgpSettings": {"asn": 64_512, "bgpPeeringAddress": format!("169.254.{}.1", 21 + k)}}})
}

fn connection(k: usize) -> Value {
    let custom: Vec<Value> = (0..2)
        .map(|i| {
            json!({"ipConfigurationId": format!("{}/ipConfigurations/c{i}", gateway_url()),
                "customBgpIpAddress": format!("169.254.{}.{}", 21 + k, 2 + 4 * i)})
        })
        .collect();
    json!({"location": "eastus", "properties": {"connectionType": "IPSec", "enableBgp": true,
        "virtualNetworkGateway1": {"id": gateway_url()},
        "localNetworkGateway2": {"id": format!("{NET}/localNetworkGateways/l{k}"), "properties": {}},
        "sharedKey": "first.Key_1", "connectionMode": "ResponderOnly", "gatewayCustomBgpIpAddresses": custom}})
}
