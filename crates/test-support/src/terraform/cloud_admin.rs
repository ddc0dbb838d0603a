//! Manual changes to the clouds, outside Terraform: through the clients of the product, one call at
//! a time.

use super::Sandbox;
use awsazure::aws::model::{
    Region, RouteTableId, TunnelOptions, VpcId, VpnConnectionId, VpnGatewayId,
};
use awsazure::aws::settings::Endpoints;
use awsazure::aws::{self, Aws, Ec2, Filter, IdempotencyKey};
use awsazure::azure::credential::CredentialSettings;
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure::azure::documents::{gateway, local_gateway};
use awsazure::azure::model::PublicIp;
use awsazure::azure::{self, Azure, AzureSettings, ResourceId};
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;
use tokio::runtime::Runtime;

pub struct CloudAdmin {
    pub(super) runtime: Runtime,
    pub(super) azure: Azure,
    pub(super) ec2: Ec2,
    http: reqwest::Client,
    ec2_url: String,
    /// Client id, client secret and tenant.
    login: [String; 3],
}

const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn azure_waits() -> azure::CallContext {
    azure::CallContext::with_timeout(PATIENCE)
}

pub(super) fn aws_waits() -> aws::CallContext {
    aws::CallContext::with_timeout(PATIENCE)
}

impl CloudAdmin {
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
            endpoints: Endpoints {
                ec2: url.clone(),
                sts: url,
            },
            custom_ca_bundle: Some(ca.display().to_string()),
            ..aws::Settings::default()
        });
        let ec2 = runtime
            .block_on(aws.region(
                &aws_waits(),
                region.map(|name| Region(name.to_owned())).as_ref(),
            ))
            .unwrap();
        let credentials = CredentialSettings::default().filled_from(&of);
        let settings = AzureSettings {
            credentials,
            extra_roots: vec![ca],
            ..AzureSettings::default()
        };
        let azure = runtime.block_on(async { Azure::new(settings) }).unwrap();
        // The clients above have installed what does the cryptography.
        let http = reqwest::Client::builder()
            .tls_certs_only(roots)
            .build()
            .unwrap();
        let login =
            ["ARM_CLIENT_ID", "ARM_CLIENT_SECRET", "ARM_TENANT_ID"].map(|name| of(name).unwrap());
        CloudAdmin {
            runtime,
            azure,
            ec2,
            http,
            ec2_url,
            login,
        }
    }

    fn azure_id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    pub fn make_group(&self, name: &str) {
        self.runtime
            .block_on(
                self.azure
                    .create_group(name, "eastus", &Tags::new(), &azure_waits()),
            )
            .unwrap();
    }

    /// Makes a VNet; its id.
    pub fn make_network(
        &self,
        group: &str,
        name: &str,
        space: &str,
        subnets: &[(&str, &str)],
    ) -> String {
        let id = self.azure.network_id(group, "virtualNetworks", name);
        let new = NewVirtualNetwork {
            location: "eastus".to_owned(),
            address_space: vec![space.parse().unwrap()],
            subnets: subnets
                .iter()
                .map(|(name, net)| ((*name).to_owned(), net.parse().unwrap()))
                .collect(),
            tags: Tags::new(),
        };
        self.runtime
            .block_on(
                self.azure
                    .create_virtual_network(&id, &new, &|_| true, &azure_waits()),
            )
            .unwrap();
        id.to_string()
    }

    /// Makes a VPC; its id.
    pub fn make_vpc(&self, cidr: &str) -> String {
        let (ctx, none) = (aws_waits(), Tags::new());
        let vpc = self.ec2.create_vpc(
            &ctx,
            cidr.parse().unwrap(),
            &none,
            IdempotencyKey::new(&none),
        );
        self.runtime.block_on(vpc).unwrap().id.to_string()
    }

    /// Makes a route table in addition to the main one of the VPC; its id.
    pub fn make_route_table(&self, vpc: &str) -> String {
        let (ctx, none, vpc) = (aws_waits(), Tags::new(), VpcId(vpc.to_owned()));
        let table = self
            .ec2
            .create_route_table(&ctx, &vpc, &none, IdempotencyKey::new(&none));
        self.runtime.block_on(table).unwrap().id.to_string()
    }

    /// Makes a virtual private gateway and attaches it; its id.
    pub fn make_vpn_gateway(&self, vpc: &str, asn: u32) -> String {
        let (ctx, none) = (aws_waits(), Tags::new());
        self.runtime.block_on(async {
            let made = self
                .ec2
                .create_vpn_gateway(&ctx, Asn(asn), &none, IdempotencyKey::new(&none))
                .await
                .unwrap();
            self.ec2
                .wait_vpn_gateway_available(&ctx, &made.id)
                .await
                .unwrap();
            let vpc = VpcId(vpc.to_owned());
            self.ec2
                .attach_vpn_gateway(&ctx, &made.id, &vpc)
                .await
                .unwrap();
            self.ec2
                .wait_vpn_gateway_attached(&ctx, &made.id, &vpc)
                .await
                .unwrap();
            made.id.to_string()
        })
    }

    /// Makes a transit gateway, with options in EC2's words (`Options.AmazonSideAsn=64600`); its id
    /// once it is available.
    pub fn make_transit_gateway(&self, options: &str) -> String {
        let made = self.say_to_ec2(&format!(
            "Action=CreateTransitGateway&Version=2016-11-15&{options}"
        ));
        let (_, rest) = made.split_once("<transitGatewayId>").unwrap();
        let (id, _) = rest.split_once('<').unwrap();
        let available = |states: &str| states.contains("<state>available</state>");
        let ask =
            format!("Action=DescribeTransitGateways&Version=2016-11-15&TransitGatewayIds.1={id}");
        while !available(&self.say_to_ec2(&ask)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        id.to_owned()
    }

    /// A call that the product never makes. The sandbox wants to know who calls, and verifies no
    /// signature.
    fn say_to_ec2(&self, form: &str) -> String {
        let scope = format!(
            "AKIAEXAMPLE/20260101/{}/ec2/aws4_request",
            self.ec2.region()
        );
        let caller =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let call = self.http.post(&self.ec2_url).body(form.to_owned());
        let call = call.header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        let call = call
            .header("authorization", caller)
            .header("x-amz-date", "20260101T000000Z")
            .send();
        self.runtime
            .block_on(async { call.await.unwrap().text().await.unwrap() })
    }

    pub fn delete_azure_connection(&self, connection: &str, gateway: &str) {
        let (connection, gateway) = (Self::azure_id(connection), Self::azure_id(gateway));
        self.runtime
            .block_on(
                self.azure
                    .delete_connection(&connection, &gateway, &azure_waits()),
            )
            .unwrap();
    }

    /// Deletes a gateway, which must have no connections left.
    pub fn delete_azure_gateway(&self, gateway: &str) {
        self.runtime
            .block_on(
                self.azure
                    .delete_gateway(&Self::azure_id(gateway), &azure_waits()),
            )
            .unwrap();
    }

    /// Gives a connection another shared key.
    pub fn set_key(&self, connection: &str, gateway: &str, key: &str) {
        let (connection, gateway) = (Self::azure_id(connection), Self::azure_id(gateway));
        let key = PreSharedKey::parse(key).unwrap();
        self.runtime
            .block_on(
                self.azure
                    .set_shared_key(&connection, &gateway, &key, &azure_waits()),
            )
            .unwrap();
    }

    /// Changes options of every tunnel of a VPN connection.
    pub fn change_tunnels(&self, id: &str, options: &TunnelOptions) {
        let (ctx, vpn) = (aws_waits(), self.vpn(id));
        self.runtime.block_on(async {
            for tunnel in &vpn.tunnels {
                self.ec2
                    .change_tunnel(&ctx, &vpn.id, tunnel.outside_ip, options)
                    .await
                    .unwrap();
            }
        });
    }

    /// Points a local network gateway at another address.
    pub fn redirect(&self, local_gateway: &str, ip: Ipv4Addr) {
        let id = Self::azure_id(local_gateway);
        let edit = |doc: &mut serde_json::Value| local_gateway::set_gateway_ip(doc, ip);
        self.runtime
            .block_on(self.azure.change_local_gateway(&id, &edit, &azure_waits()))
            .unwrap();
    }

    /// APIPA addresses that a gateway lists, both instances' together.
    pub fn listed_addresses(&self, gateway: &str) -> Vec<String> {
        let id = Self::azure_id(gateway);
        let seen = self
            .runtime
            .block_on(self.azure.get_gateway(&id, &azure_waits()))
            .unwrap()
            .unwrap();
        let mut all: Vec<String> = seen
            .instances
            .iter()
            .flat_map(|at| at.custom_bgp_ips.iter().map(Ipv4Addr::to_string))
            .collect();
        all.sort();
        all
    }

    /// Adds an APIPA address to an instance of a gateway.
    pub fn list_address(&self, gateway: &str, instance: usize, ip: Ipv4Addr) {
        let id = Self::azure_id(gateway);
        self.runtime.block_on(async {
            let seen = self
                .azure
                .get_gateway(&id, &azure_waits())
                .await
                .unwrap()
                .unwrap();
            let at = seen.instances[instance].ip_configuration_id.clone();
            let edit = |doc: &mut serde_json::Value| gateway::add_custom_bgp_ip(doc, &at, ip);
            self.azure
                .change_gateway(&id, &edit, &azure_waits())
                .await
                .unwrap();
        });
    }

    /// Gives a gateway another size.
    pub fn resize(&self, gateway: &str, sku: &str) {
        let id = Self::azure_id(gateway);
        let edit = |doc: &mut serde_json::Value| gateway::set_sku(doc, sku);
        self.runtime
            .block_on(self.azure.change_gateway(&id, &edit, &azure_waits()))
            .unwrap();
    }

    /// Whether a route table gets the routes of a VPN gateway.
    pub fn propagates(&self, table: &str, gateway: &str) -> bool {
        let (filter, ctx) = (aws::Filter::id(RouteTableId(table.to_owned())), aws_waits());
        let found = self
            .runtime
            .block_on(self.ec2.describe_route_tables(&ctx, &filter))
            .unwrap();
        found
            .iter()
            .any(|table| table.propagating.iter().any(|id| id.0 == gateway))
    }

    pub fn switch_propagation_on(&self, table: &str, gateway: &str) {
        let (table, gateway) = (
            RouteTableId(table.to_owned()),
            VpnGatewayId(gateway.to_owned()),
        );
        let ctx = aws_waits();
        self.runtime.block_on(async {
            self.ec2
                .enable_propagation(&ctx, &table, &gateway)
                .await
                .unwrap();
            self.ec2
                .wait_propagation(&ctx, &table, &gateway, true)
                .await
                .unwrap();
        });
    }

    pub fn switch_propagation_off(&self, table: &str, gateway: &str) {
        let (table, gateway) = (
            RouteTableId(table.to_owned()),
            VpnGatewayId(gateway.to_owned()),
        );
        let ctx = aws_waits();
        self.runtime
            .block_on(self.ec2.disable_propagation(&ctx, &table, &gateway))
            .unwrap();
    }

    pub fn delete_vpn_connection(&self, id: &str) {
        let (ctx, id) = (aws_waits(), VpnConnectionId(id.to_owned()));
        self.runtime.block_on(async {
            self.ec2.delete_vpn_connection(&ctx, &id).await.unwrap();
            self.ec2
                .wait_vpn_connection_deleted(&ctx, &id)
                .await
                .unwrap();
        });
    }

    /// Deletes a VPN gateway without VPN connections.
    pub fn delete_vpn_gateway(&self, gateway: &str, vpc: &str) {
        let (ctx, id) = (aws_waits(), VpnGatewayId(gateway.to_owned()));
        self.runtime.block_on(async {
            self.ec2
                .detach_vpn_gateway(&ctx, &id, &VpcId(vpc.to_owned()))
                .await
                .unwrap();
            self.ec2.wait_vpn_gateway_detached(&ctx, &id).await.unwrap();
            self.ec2.delete_vpn_gateway(&ctx, &id).await.unwrap();
        });
    }

    /// Takes all tags off an object of AWS or Azure.
    pub fn untag(&self, id: &str, keys: &[&str]) {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        self.runtime.block_on(async {
            match ResourceId::parse(id) {
                Ok(id) => self
                    .azure
                    .set_tags(&id, &Tags::new(), &azure_waits())
                    .await
                    .unwrap(),
                Err(_) => self
                    .ec2
                    .delete_tags(&aws_waits(), &[id.to_owned()], &keys)
                    .await
                    .unwrap(),
            }
        });
    }

    /// Public IPs of a group.
    pub fn public_ips(&self, group: &str) -> Vec<PublicIp> {
        self.runtime
            .block_on(self.azure.list_public_ips(group, &azure_waits()))
            .unwrap()
    }

    /// Makes the public IPs of a link, by its name and tags, as a create that ended early leaves
    /// them.
    pub fn leave_public_ips(&self, group: &str, link: &str, location: &str, network: &str) {
        let first = *Slot::new(0).unwrap().inside_cidrs().get(TunnelKey::ALL[0]);
        let tags = LinkId::new(&Self::azure_id(network), first);
        for instance in Instance::ALL {
            let id = self.azure.network_id(
                group,
                "publicIPAddresses",
                &format!("{link}-gateway-ip{}", instance.index()),
            );
            let new = NewPublicIp {
                location: location.to_owned(),
                zones: Vec::new(),
                tags: tags.tags(instance),
            };
            self.runtime
                .block_on(
                    self.azure
                        .create_public_ip(&id, &new, &|_| true, &azure_waits()),
                )
                .unwrap();
        }
    }

    /// Makes a gateway serve point-to-site clients: with a third public IP, and with routes for the
    /// clients.
    pub fn add_clients(&self, group: &str, gateway: &str, clients: &serde_json::Value) {
        let id = Self::azure_id(gateway);
        let third = self.azure.network_id(group, "publicIPAddresses", "clients");
        let zones = ["1", "2", "3"].map(str::to_owned).to_vec();
        let new = NewPublicIp {
            location: "eastus".to_owned(),
            zones,
            tags: Tags::new(),
        };
        self.runtime
            .block_on(
                self.azure
                    .create_public_ip(&third, &new, &|_| true, &azure_waits()),
            )
            .unwrap();
        let edit = |doc: &mut serde_json::Value| {
            let properties = &mut doc["properties"];
            let configurations = properties["ipConfigurations"].as_array_mut().unwrap();
            if configurations.len() < 3 {
                let mut one = configurations[0].clone();
                (one["name"], one["id"]) = ("clients".into(), serde_json::Value::Null);
                one["properties"]["publicIPAddress"]["id"] = third.as_str().into();
                one.as_object_mut().unwrap().remove("id");
                configurations.push(one);
                properties["vpnClientConfiguration"] = clients.clone();
                properties["customRoutes"] =
                    serde_json::json!({"addressPrefixes": ["10.9.0.0/16"]});
            }
        };
        self.runtime
            .block_on(self.azure.change_gateway(&id, &edit, &azure_waits()))
            .unwrap();
    }

    /// Adds APIPA addresses to a gateway with RADIUS clients, as a user does who knows the secret.
    pub fn list_addresses_with_secret(
        &self,
        gateway: &str,
        cidrs: &PerTunnel<InsideCidr>,
        secret: &str,
    ) {
        let mut doc = self.gateway_document(gateway);
        let at: Vec<_> = doc["properties"]["ipConfigurations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["id"].clone())
            .collect();
        for (key, cidr) in cidrs.iter() {
            let at = Self::azure_id(at[key.instance.index()].as_str().unwrap());
            gateway::add_custom_bgp_ip(&mut doc, &at, cidr.azure_ip());
        }
        doc["properties"]["vpnClientConfiguration"]["radiusServerSecret"] = secret.into();
        self.put(gateway, &doc);
        let settled =
            || self.gateway_document(gateway)["properties"]["provisioningState"] == "Succeeded";
        while !settled() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A gateway's document, as Azure returns it.
    pub fn gateway_document(&self, gateway: &str) -> serde_json::Value {
        let id = Self::azure_id(gateway);
        self.runtime
            .block_on(self.azure.get_gateway(&id, &azure_waits()))
            .unwrap()
            .unwrap()
            .resource
            .raw
    }

    /// Writes a document to Azure, with a token of its own.
    fn put(&self, id: &str, doc: &serde_json::Value) {
        let (url, token) = (&self.ec2_url, self.token());
        self.runtime.block_on(async {
            let put = self
                .http
                .put(format!("{url}{id}?api-version=2025-01-01"))
                .body(doc.to_string());
            let put = put.header("content-type", "application/json");
            let put = put.header("authorization", format!("Bearer {token}"));
            let answer = put.send().await.unwrap();
            assert!(
                answer.status().is_success(),
                "{}",
                answer.text().await.unwrap()
            );
        });
    }

    /// Deletes a subnet's route table, as the console does: the association first.
    pub fn delete_route_table(&self, table: &str) {
        let (ctx, id) = (aws_waits(), RouteTableId(table.to_owned()));
        self.runtime.block_on(async {
            for table in self
                .ec2
                .describe_route_tables(&ctx, &Filter::id(&id))
                .await
                .unwrap()
            {
                for (_, association) in &table.subnets {
                    self.ec2
                        .disassociate_route_table(&ctx, association)
                        .await
                        .unwrap();
                }
            }
            self.ec2.delete_route_table(&ctx, &id).await.unwrap();
        });
    }

    /// Spells the tag names of an Azure object in capitals and adds some, as a policy does.
    pub fn respell_tags(&self, id: &str, added: &[(&str, &str)]) {
        let url = format!("{}{id}?api-version=2025-01-01", self.ec2_url);
        let token = self.token();
        self.runtime.block_on(async {
            let bearer = format!("Bearer {token}");
            let seen = self
                .http
                .get(&url)
                .header("authorization", &bearer)
                .send()
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            let seen: serde_json::Value = serde_json::from_str(&seen).unwrap();
            let capitals = seen["tags"]
                .as_object()
                .unwrap()
                .iter()
                .map(|(k, v)| (k.to_uppercase(), v.clone()));
            let added = added
                .iter()
                .map(|(k, v)| ((*k).to_owned(), serde_json::json!(v)));
            let tags: serde_json::Map<String, serde_json::Value> = capitals.chain(added).collect();
            // Without any in between Azure keeps the spelling.
            for tags in [serde_json::json!({}), serde_json::json!(tags)] {
                loop {
                    let call = self.http.patch(&url).header("authorization", &bearer);
                    let call = call.header("content-type", "application/json");
                    let answer = call
                        .body(serde_json::json!({"tags": tags}).to_string())
                        .send()
                        .await
                        .unwrap();
                    match answer.status().as_u16() {
                        409 | 429 => tokio::time::sleep(Duration::from_millis(20)).await,
                        status => {
                            assert!(status < 300, "{}", answer.text().await.unwrap());
                            break;
                        }
                    }
                }
            }
        });
    }

    fn token(&self) -> String {
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https://management.azure.com/.default",
            self.login[0], self.login[1]
        );
        self.runtime.block_on(async {
            let call = self
                .http
                .post(format!(
                    "{}/{}/oauth2/v2.0/token",
                    self.ec2_url, self.login[2]
                ))
                .body(form);
            let call = call.header("content-type", "application/x-www-form-urlencoded");
            let answer: serde_json::Value =
                serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap();
            answer["access_token"].as_str().unwrap().to_owned()
        })
    }
}
