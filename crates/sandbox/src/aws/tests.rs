//! The half world driven by raw requests, as a client would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod links;
mod network;
mod refusals;
mod shapes;

use super::AwsService;
use crate::authorization::Authorization;
use crate::dataplane::{AzureEndpoint, AzurePolicy, Tunnels};
use crate::http::{Request, Response};
use crate::rng::Rng;
use crate::schema::SchemaValidator;
use crate::time::SimTime;
use crate::world::{Context, Settings};

/// A cloud, its clock, and what Azure has reported.
struct Bench {
    cloud: AwsService,
    rng: Rng,
    now: SimTime,
    tunnels: Tunnels,
    settings: Settings,
    authorization: Authorization,
    azure: Vec<AzureEndpoint>,
    validator: SchemaValidator,
}

/// Every answer that a test got is held against the service model; requests are wrong on purpose in
/// many of them.
impl Drop for Bench {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.validator.words, Vec::<String>::new());
        }
    }
}

impl Bench {
    fn new() -> Self {
        Bench {
            cloud: AwsService::new(),
            rng: Rng::seeded(7),
            now: SimTime(0),
            tunnels: Tunnels::default(),
            settings: Settings::default(),
            authorization: Authorization::default(),
            azure: Vec::new(),
            validator: SchemaValidator::default(),
        }
    }

    fn send(&mut self, request: &Request) -> Response {
        self.cloud.advance(self.now, &mut self.rng);
        self.tunnels
            .refresh(self.now, &self.cloud.endpoints(), &self.azure);
        let call = AwsService::classify(request).expect("a call to AWS");
        let mut cx = Context {
            now: self.now,
            rng: &mut self.rng,
            tunnels: &self.tunnels,
            settings: &self.settings,
            authorization: &mut self.authorization,
        };
        let response = self.cloud.handle(&call, request, &mut cx);
        self.validator.aws_answer(&call, &response);
        response
    }

    /// Status and body of a signed call with that form.
    fn raw(&mut self, form: &str) -> (u16, String) {
        let response = self.send(&signed(&format!("{form}&Version=2016-11-15")));
        (response.status, String::from_utf8(response.body).unwrap())
    }

    /// A call that must succeed. Five seconds pass, so that its effect is visible.
    fn call(&mut self, form: &str) -> String {
        let (status, body) = self.raw(form);
        assert_eq!(status, 200, "{form}: {body}");
        self.wait(5);
        body
    }

    /// The code of a call that must be refused.
    fn refused(&mut self, form: &str) -> String {
        let (status, body) = self.raw(form);
        assert!(status >= 400, "{form} was not refused: {body}");
        text(&body, "Code")
    }

    fn wait(&mut self, seconds: u64) {
        self.now.0 += seconds * 1_000;
    }

    /// A VPC, a gateway attached to it and a customer gateway, all available.
    fn network(&mut self) -> (String, String, String) {
        let vpc = text(
            &self.call("Action=CreateVpc&CidrBlock=10.1.0.0%2F16"),
            "vpcId",
        );
        let vgw = text(
            &self.call("Action=CreateVpnGateway&Type=ipsec.1"),
            "vpnGatewayId",
        );
        self.wait(10);
        self.call(&format!(
            "Action=AttachVpnGateway&VpcId={vpc}&VpnGatewayId={vgw}"
        ));
        self.wait(60);
        let cgw = self.customer("20.0.0.4");
        (vpc, vgw, cgw)
    }

    fn customer(&mut self, ip: &str) -> String {
        let form = format!(
            "Action=CreateCustomerGateway&Type=ipsec.1&BgpAsn=65000&IpAddress={ip}&DeviceName=d-{ip}"
        );
        text(&self.call(&form), "customerGatewayId")
    }

    /// A VPN connection with the tutorial's addresses for instance 0, available, and its two
    /// outside addresses by tunnel.
    fn connection(&mut self, vgw: &str, cgw: &str) -> (String, [String; 2]) {
        let form = format!(
            "Action=CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={cgw}&VpnGatewayId={vgw}\
             &Options.TunnelOptions.1.TunnelInsideCidr=169.254.21.0%2F30&Options.TunnelOptions.1.PreSharedKey=first_key.1\
             &Options.TunnelOptions.1.StartupAction=start\
             &Options.TunnelOptions.2.TunnelInsideCidr=169.254.22.0%2F30&Options.TunnelOptions.2.PreSharedKey=second_key.2\
             &Options.TunnelOptions.2.StartupAction=start"
        );
        let body = self.call(&form);
        self.wait(300);
        let outside = |cidr: &str| {
            let (before, _) = body
                .split_once(&format!("<tunnelInsideCidr>{cidr}"))
                .expect("the CIDR");
            text(
                &before[before.rfind("<outsideIpAddress>").expect("an address")..],
                "outsideIpAddress",
            )
        };
        (
            text(&body, "vpnConnectionId"),
            [outside("169.254.21.0/30"), outside("169.254.22.0/30")],
        )
    }
}

/// Azure's end of one tunnel of that connection.
fn azure_end(outside: &str, tunnel: usize, key: &str) -> AzureEndpoint {
    let third = 21 + tunnel;
    AzureEndpoint {
        connection_id: format!("/connections/c{tunnel}"),
        gateway_id: "/gateways/g".into(),
        instance: 0,
        ip_configuration_id: "/ip0".into(),
        public_ip: "20.0.0.4".parse().unwrap(),
        bgp_ip: Some(format!("169.254.{third}.2").parse().unwrap()),
        next_hop: Some("169.254.21.2".parse().unwrap()),
        peer_ip: outside.parse().unwrap(),
        peer_bgp_ip: Some(format!("169.254.{third}.1").parse().unwrap()),
        peer_asn: Some(64_512),
        asn: 65_000,
        shared_key: key.into(),
        enable_bgp: true,
        connection_mode: "ResponderOnly".into(),
        policy: Some(AzurePolicy {
            ike_encryption: "AES256".into(),
            ike_integrity: "SHA384".into(),
            dh_group: "ECP384".into(),
            ipsec_encryption: "GCMAES256".into(),
            ipsec_integrity: "GCMAES256".into(),
            pfs_group: "ECP384".into(),
            sa_life_time_seconds: 3_600,
            sa_data_size_kilobytes: 2_147_483_647,
        }),
        serving: true,
        announces: vec!["10.0.0.0/16".parse().unwrap()],
    }
}

fn signed(form: &str) -> Request {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
    request(
        form,
        &[("authorization", scope), ("x-amz-date", "20260101T000000Z")],
    )
}

fn request(form: &str, headers: &[(&str, &str)]) -> Request {
    Request {
        method: "POST".into(),
        base_url: "https://127.0.0.1:1".into(),
        path: "/".into(),
        query: String::new(),
        headers: headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        body: form.as_bytes().to_vec(),
    }
}

/// The text of the first element of that name.
fn text(xml: &str, name: &str) -> String {
    let (_, rest) = xml
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no <{name}> in {xml}"));
    rest.split_once(&format!("</{name}>"))
        .expect("an end tag")
        .0
        .to_owned()
}
