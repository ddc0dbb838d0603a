//! What somebody does to the clouds by hand, beside Terraform: through the product's own clients, one call at a time.

use super::Sandbox;
use awsazure::aws::model::{Region, RouteTableId, TunnelOptions, VpcId, VpnConnectionId, VpnGatewayId};
use awsazure::aws::settings::Endpoints;
use awsazure::aws::{self, Aws, Ec2, Own};
use awsazure::azure::credential::CredentialSettings;
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::{gateway, local_gateway};
use awsazure::azure::{self, Azure, AzureSettings, ResourceId};
use awsazure::primitives::{Asn, SharedKey, Tags};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

pub struct Hands {
    pub(super) runtime: Runtime,
    pub(super) azure: Azure,
    pub(super) ec2: Ec2,
    http: reqwest::Client,
    ec2_url: String,
}

const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn azure_waits() -> azure::Waits {
    azure::Waits::lasting(PATIENCE)
}

pub(super) fn aws_waits() -> aws::Waits {
    aws::Waits::within(PATIENCE)
}

impl Hands {
    /// With the credentials that the sandbox hands out, in its default region.
    pub fn of(sandbox: &Sandbox) -> Self {
        Self::in_region(sandbox, None)
    }

    /// The same in a region of AWS.
    pub fn in_region(sandbox: &Sandbox, region: Option<&str>) -> Self {
        let runtime = Runtime::new().unwrap();
        let of = |name: &str| sandbox.environment().get(name).cloned();
        let ca = PathBuf::from(of("AWSAZURE_SANDBOX_CA").unwrap());
        let url = of("AWSAZURE_SANDBOX_URL");
        let ec2_url = url.clone().unwrap();
        let roots = reqwest::Certificate::from_pem_bundle(&std::fs::read(&ca).unwrap()).unwrap();
        let aws = Aws::new(aws::Settings {
            access_key: of("AWS_ACCESS_KEY_ID"),
            secret_key: of("AWS_SECRET_ACCESS_KEY"),
            region: of("AWS_REGION"),
            endpoints: Endpoints { ec2: url.clone(), sts: url },
            custom_ca_bundle: Some(ca.display().to_string()),
            ..aws::Settings::default()
        });
        let ec2 =
            runtime.block_on(aws.region(&aws_waits(), region.map(|name| Region(name.to_owned())).as_ref())).unwrap();
        let credentials = CredentialSettings::default().filled_from(&of);
        let settings = AzureSettings { credentials, extra_roots: vec![ca], ..AzureSettings::default() };
        let azure = runtime.block_on(async { Azure::new(settings) }).unwrap();
        // The clients above have installed what does the cryptography.
        let http = reqwest::Client::builder().tls_certs_only(roots).build().unwrap();
        Hands { runtime, azure, ec2, http, ec2_url }
    }

    fn azure_id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    pub fn make_group(&self, name: &str) {
        self.runtime.block_on(self.azure.create_group(name, "eastus", &Tags::new(), &azure_waits())).unwrap();
    }

    /// Makes a VNet; its id.
    pub fn make_network(&self, group: &str, name: &str, space: &str, subnets: &[(&str, &str)]) -> String {
        let id = self.azure.network_id(group, "virtualNetworks", name);
        let new = NewVirtualNetwork {
            location: "eastus".to_owned(),
            address_space: vec![space.parse().unwrap()],
            subnets: subnets.iter().map(|(name, net)| ((*name).to_owned(), net.parse().unwrap())).collect(),
            tags: Tags::new(),
        };
        self.runtime.block_on(self.azure.create_virtual_network(&id, &new, &|_| true, &azure_waits())).unwrap();
        id.to_string()
    }

    /// Makes a VPC; its id.
    pub fn make_vpc(&self, cidr: &str) -> String {
        let (waits, none) = (aws_waits(), Tags::new());
        let vpc = self.ec2.create_vpc(&waits, cidr.parse().unwrap(), &none, Own::new(&none));
        self.runtime.block_on(vpc).unwrap().id.to_string()
    }

    /// Makes a route table beside the VPC's main one; its id.
    pub fn make_route_table(&self, vpc: &str) -> String {
        let (waits, none, vpc) = (aws_waits(), Tags::new(), VpcId(vpc.to_owned()));
        let table = self.ec2.create_route_table(&waits, &vpc, &none, Own::new(&none));
        self.runtime.block_on(table).unwrap().id.to_string()
    }

    /// Makes a virtual private gateway and attaches it; its id.
    pub fn make_vpn_gateway(&self, vpc: &str, asn: u32) -> String {
        let (waits, none) = (aws_waits(), Tags::new());
        self.runtime.block_on(async {
            let made = self.ec2.create_vpn_gateway(&waits, Asn(asn), &none, Own::new(&none)).await.unwrap();
            self.ec2.wait_vpn_gateway_available(&waits, &made.id).await.unwrap();
            let vpc = VpcId(vpc.to_owned());
            self.ec2.attach_vpn_gateway(&waits, &made.id, &vpc).await.unwrap();
            self.ec2.wait_vpn_gateway_attached(&waits, &made.id, &vpc).await.unwrap();
            made.id.to_string()
        })
    }

    /// Makes a transit gateway, with options in EC2's words (`Options.AmazonSideAsn=64600`); its id once it is available.
    pub fn make_transit_gateway(&self, options: &str) -> String {
        let made = self.say_to_ec2(&format!("Action=CreateTransitGateway&Version=2016-11-15&{options}"));
        let (_, rest) = made.split_once("<transitGatewayId>").unwrap();
        let (id, _) = rest.split_once('<').unwrap();
        let available = |states: &str| states.contains("<state>available</state>");
        let ask = format!("Action=DescribeTransitGateways&Version=2016-11-15&TransitGatewayIds.1={id}");
        while !available(&self.say_to_ec2(&ask)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        id.to_owned()
    }

    /// A call that the product never makes. The sandbox wants to know who calls, and verifies no signature.
    fn say_to_ec2(&self, form: &str) -> String {
        let scope = format!("AKIAEXAMPLE/20260101/{}/ec2/aws4_request", self.ec2.region());
        let caller = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let call = self.http.post(&self.ec2_url).body(form.to_owned());
        let call = call.header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let call = call.header("authorization", caller).header("x-amz-date", "20260101T000000Z").send();
        self.runtime.block_on(async { call.await.unwrap().text().await.unwrap() })
    }

    pub fn delete_azure_connection(&self, connection: &str, gateway: &str) {
        let (connection, gateway) = (Self::azure_id(connection), Self::azure_id(gateway));
        self.runtime.block_on(self.azure.delete_connection(&connection, &gateway, &azure_waits())).unwrap();
    }

    /// Gives a connection another shared key.
    pub fn set_key(&self, connection: &str, gateway: &str, key: &str) {
        let (connection, gateway) = (Self::azure_id(connection), Self::azure_id(gateway));
        let key = SharedKey::parse(key).unwrap();
        self.runtime.block_on(self.azure.set_shared_key(&connection, &gateway, &key, &azure_waits())).unwrap();
    }

    /// Changes options of every tunnel of a VPN connection.
    pub fn change_tunnels(&self, id: &str, options: &TunnelOptions) {
        let (waits, vpn) = (aws_waits(), self.vpn(id));
        self.runtime.block_on(async {
            for tunnel in &vpn.tunnels {
                self.ec2.change_tunnel(&waits, &vpn.id, tunnel.outside_ip, options).await.unwrap();
            }
        });
    }

    /// Points a local network gateway at another address.
    pub fn redirect(&self, local_gateway: &str, ip: Ipv4Addr) {
        let id = Self::azure_id(local_gateway);
        let edit = |doc: &mut serde_json::Value| local_gateway::set_gateway_ip(doc, ip);
        self.runtime.block_on(self.azure.change_local_gateway(&id, &edit, &azure_waits())).unwrap();
    }

    /// APIPA addresses that a gateway lists, both instances' together.
    pub fn listed_addresses(&self, gateway: &str) -> Vec<String> {
        let id = Self::azure_id(gateway);
        let seen = self.runtime.block_on(self.azure.get_gateway(&id, &azure_waits())).unwrap().unwrap();
        let mut all: Vec<String> =
            seen.instances.iter().flat_map(|at| at.custom_bgp_ips.iter().map(Ipv4Addr::to_string)).collect();
        all.sort();
        all
    }

    /// Adds an APIPA address to an instance of a gateway.
    pub fn list_address(&self, gateway: &str, instance: usize, ip: Ipv4Addr) {
        let id = Self::azure_id(gateway);
        self.runtime.block_on(async {
            let seen = self.azure.get_gateway(&id, &azure_waits()).await.unwrap().unwrap();
            let at = seen.instances[instance].ip_configuration_id.clone();
            let edit = |doc: &mut serde_json::Value| gateway::add_custom_bgp_ip(doc, &at, ip);
            self.azure.change_gateway(&id, &edit, &azure_waits()).await.unwrap();
        });
    }

    pub fn switch_propagation_on(&self, table: &str, gateway: &str) {
        let (table, gateway) = (RouteTableId(table.to_owned()), VpnGatewayId(gateway.to_owned()));
        let waits = aws_waits();
        self.runtime.block_on(async {
            self.ec2.enable_propagation(&waits, &table, &gateway).await.unwrap();
            self.ec2.wait_propagation(&waits, &table, &gateway, true).await.unwrap();
        });
    }

    pub fn switch_propagation_off(&self, table: &str, gateway: &str) {
        let (table, gateway) = (RouteTableId(table.to_owned()), VpnGatewayId(gateway.to_owned()));
        let waits = aws_waits();
        self.runtime.block_on(self.ec2.disable_propagation(&waits, &table, &gateway)).unwrap();
    }

    pub fn delete_vpn_connection(&self, id: &str) {
        let (waits, id) = (aws_waits(), VpnConnectionId(id.to_owned()));
        self.runtime.block_on(async {
            self.ec2.delete_vpn_connection(&waits, &id).await.unwrap();
            self.ec2.wait_vpn_connection_deleted(&waits, &id).await.unwrap();
        });
    }
}
