//! Manual changes in Azure.

use super::{CloudAdmin, waits};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::network::NewVirtualNetwork;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure::azure::documents::{gateway, local_gateway};
use awsazure::azure::model::PublicIp;
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::ownership_tags::LinkId;
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::types::{PreSharedKey, Tags};
use std::net::Ipv4Addr;
use std::time::Duration;

impl CloudAdmin {
    pub(super) fn azure_id(text: &str) -> ResourceId {
        ResourceId::parse(text).unwrap()
    }

    pub fn make_group(&self, name: &str) {
        self.runtime
            .block_on(
                self.azure
                    .create_group(name, "eastus", &Tags::new(), &waits()),
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
                    .create_virtual_network(&id, &new, &|_| true, &waits()),
            )
            .unwrap();
        id.to_string()
    }

    pub fn delete_azure_connection(&self, connection: &str, gateway: &str) {
        let (connection, gateway) = (Self::azure_id(connection), Self::azure_id(gateway));
        self.runtime
            .block_on(
                self.azure
                    .delete_connection(&connection, &gateway, &waits()),
            )
            .unwrap();
    }

    /// Deletes a gateway, which must have no connections left.
    pub fn delete_azure_gateway(&self, gateway: &str) {
        self.runtime
            .block_on(
                self.azure
                    .delete_gateway(&Self::azure_id(gateway), &waits()),
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
                    .set_shared_key(&connection, &gateway, &key, &waits()),
            )
            .unwrap();
    }

    /// Points a local network gateway at another address.
    pub fn redirect(&self, local_gateway: &str, ip: Ipv4Addr) {
        let id = Self::azure_id(local_gateway);
        let edit = |doc: &mut serde_json::Value| local_gateway::set_gateway_ip(doc, ip);
        self.runtime
            .block_on(self.azure.change_local_gateway(&id, &edit, &waits()))
            .unwrap();
    }

    /// APIPA addresses that a gateway lists, both instances' together.
    pub fn listed_addresses(&self, gateway: &str) -> Vec<String> {
        let id = Self::azure_id(gateway);
        let seen = self
            .runtime
            .block_on(self.azure.get_gateway(&id, &waits()))
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
                .get_gateway(&id, &waits())
                .await
                .unwrap()
                .unwrap();
            let at = seen.instances[instance].ip_configuration_id.clone();
            let edit = |doc: &mut serde_json::Value| gateway::add_custom_bgp_ip(doc, &at, ip);
            self.azure
                .change_gateway(&id, &edit, &waits())
                .await
                .unwrap();
        });
    }

    /// Gives a gateway another size.
    pub fn resize(&self, gateway: &str, sku: &str) {
        let id = Self::azure_id(gateway);
        let edit = |doc: &mut serde_json::Value| gateway::set_sku(doc, sku);
        self.runtime
            .block_on(self.azure.change_gateway(&id, &edit, &waits()))
            .unwrap();
    }

    /// Public IPs of a group.
    pub fn public_ips(&self, group: &str) -> Vec<PublicIp> {
        self.runtime
            .block_on(self.azure.list_public_ips(group, &waits()))
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
                .block_on(self.azure.create_public_ip(&id, &new, &|_| true, &waits()))
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
                    .create_public_ip(&third, &new, &|_| true, &waits()),
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
            .block_on(self.azure.change_gateway(&id, &edit, &waits()))
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
        let provisioned =
            || self.gateway_document(gateway)["properties"]["provisioningState"] == "Succeeded";
        while !provisioned() {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A gateway's document, as Azure returns it.
    pub fn gateway_document(&self, gateway: &str) -> serde_json::Value {
        let id = Self::azure_id(gateway);
        self.runtime
            .block_on(self.azure.get_gateway(&id, &waits()))
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
