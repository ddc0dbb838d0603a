//! Objects of other teams in, on and attached to what a link made, each made as its owner would:
//! over the wire.

use super::Sim;
use awsazure_sandbox::http::{Outcome, Request, Response};
use bgp_vpn::observed::Observed;
use bgp_vpn::spec::Spec;
use bgp_vpn::tunnel::TunnelKey;
use serde_json::{Value, json};

/// A token that never expires; the sandbox looks at nothing else of it.
const TOKEN: &str = "Bearer x.ZmZmZmZmZmZmZmZmZmZmZg";

/// What may be in the way of a teardown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Subnet,
    NetworkInterface,
    PrivateEndpoint,
    Peering,
    NatGatewayOfSubnet,
    RouteTableOfSubnet,
    SecurityGroupOfSubnet,
    GroupMember,
    Connection,
    LocalGatewayUser,
    GroupLock,
    GatewayLock,
    AddressLock,
    VpcSubnet,
    VpcNetworkInterface,
    VpcNatGateway,
    VpcEndpoint,
    VpcPeering,
    VpcSecurityGroup,
    VpcNetworkAcl,
    VpcRouteTable,
    EgressGateway,
    VpnConnection,
}

impl Foreign {
    pub const ALL: [Foreign; 23] = [
        Foreign::Subnet,
        Foreign::NetworkInterface,
        Foreign::PrivateEndpoint,
        Foreign::Peering,
        Foreign::NatGatewayOfSubnet,
        Foreign::RouteTableOfSubnet,
        Foreign::SecurityGroupOfSubnet,
        Foreign::GroupMember,
        Foreign::Connection,
        Foreign::LocalGatewayUser,
        Foreign::GroupLock,
        Foreign::GatewayLock,
        Foreign::AddressLock,
        Foreign::VpcSubnet,
        Foreign::VpcNetworkInterface,
        Foreign::VpcNatGateway,
        Foreign::VpcEndpoint,
        Foreign::VpcPeering,
        Foreign::VpcSecurityGroup,
        Foreign::VpcNetworkAcl,
        Foreign::VpcRouteTable,
        Foreign::EgressGateway,
        Foreign::VpnConnection,
    ];

    /// Makes one; its id, in lower case, as a diagnostic has to name it.
    pub async fn make(self, sim: &Sim, spec: &Spec, seen: &Observed) -> String {
        let place = Place { sim, spec, seen };
        let id = match self {
            Foreign::Subnet
            | Foreign::NetworkInterface
            | Foreign::PrivateEndpoint
            | Foreign::Peering
            | Foreign::NatGatewayOfSubnet
            | Foreign::RouteTableOfSubnet
            | Foreign::SecurityGroupOfSubnet => place.in_network(self).await,
            Foreign::GroupMember => {
                place
                    .azure("localNetworkGateways", "theirs", local_gateway())
                    .await
            }
            Foreign::Connection => place.connection("theirs", &place.gateway()).await,
            Foreign::LocalGatewayUser => place.connection_of_another_gateway().await,
            Foreign::GroupLock => place.lock(&place.group("")).await,
            Foreign::GatewayLock => place.lock(&place.gateway()).await,
            Foreign::AddressLock => {
                let ip = seen
                    .azure
                    .public_ips
                    .iter()
                    .find_map(|(_, ip)| Some(ip.as_ref()?.resource.id.to_string()));
                place.lock(&ip.unwrap()).await
            }
            _ => place.in_vpc(self).await,
        };
        // What is being built is not in anybody's way yet.
        tokio::time::sleep(std::time::Duration::from_secs(3_600)).await;
        id.to_lowercase()
    }
}

struct Place<'a> {
    sim: &'a Sim,
    spec: &'a Spec,
    seen: &'a Observed,
}

fn local_gateway() -> Value {
    json!({"gatewayIpAddress": "9.9.9.9", "localNetworkAddressSpace": {"addressPrefixes": ["192.168.0.0/24"]}})
}

impl Place<'_> {
    fn group(&self, rest: &str) -> String {
        format!(
            "/subscriptions/{}/resourceGroups/{}{rest}",
            self.sim.subscription(),
            self.spec.azure.resource_group
        )
    }

    fn gateway(&self) -> String {
        self.spec.azure.gateway.id().to_string()
    }

    /// Where a resource group of others has its objects.
    async fn elsewhere(&self) -> String {
        let group = format!(
            "/subscriptions/{}/resourceGroups/elsewhere",
            self.sim.subscription()
        );
        let (status, _) = self
            .sim
            .say_to_azure("PUT", &group, json!({"location": "westeurope"}))
            .await;
        assert!(status < 300, "{status}");
        format!("{group}/providers/Microsoft.Network")
    }

    async fn put(&self, id: &str, properties: Value) -> String {
        let body = match id.contains("/virtualNetworks/") && id.matches('/').count() > 8 {
            true => json!({"properties": properties}),
            false => json!({"location": "westeurope", "properties": properties}),
        };
        let (status, answer) = self.sim.say_to_azure("PUT", id, body).await;
        assert!(status < 300, "{id}: {answer}");
        tokio::time::sleep(std::time::Duration::from_secs(30)).await;
        id.to_owned()
    }

    async fn azure(&self, kind: &str, name: &str, properties: Value) -> String {
        self.put(
            &self.group(&format!("/providers/Microsoft.Network/{kind}/{name}")),
            properties,
        )
        .await
    }

    async fn lock(&self, scope: &str) -> String {
        let id = format!("{scope}/providers/Microsoft.Authorization/locks/keep");
        let (status, _) = self
            .sim
            .say_to_azure("PUT", &id, json!({"properties": {"level": "CanNotDelete"}}))
            .await;
        assert_eq!(status, 201);
        id
    }

    async fn in_network(&self, what: Foreign) -> String {
        let (network, elsewhere) = (
            self.spec.azure.network.id().to_string(),
            self.elsewhere().await,
        );
        let (frontend, prefix) = (format!("{network}/subnets/frontend"), "10.1.0.0/24");
        match what {
            Foreign::Subnet => {
                self.put(
                    &format!("{network}/subnets/theirs"),
                    json!({"addressPrefix": "10.1.9.0/24"}),
                )
                .await
            }
            Foreign::NetworkInterface => {
                let one = json!({"name": "ip", "properties": {"subnet": {"id": frontend}}});
                self.put(
                    &format!("{elsewhere}/networkInterfaces/nic"),
                    json!({"ipConfigurations": [one]}),
                )
                .await
            }
            Foreign::PrivateEndpoint => {
                self.put(
                    &format!("{elsewhere}/privateEndpoints/pe"),
                    json!({"subnet": {"id": frontend}}),
                )
                .await
            }
            Foreign::Peering => {
                let space = json!({"addressSpace": {"addressPrefixes": ["10.99.0.0/16"]}});
                let remote = self
                    .put(&format!("{elsewhere}/virtualNetworks/hub"), space)
                    .await;
                let properties = json!({"remoteVirtualNetwork": {"id": remote}});
                self.put(
                    &format!("{network}/virtualNetworkPeerings/to-hub"),
                    properties,
                )
                .await
            }
            _ => {
                let (kind, property) = match what {
                    Foreign::NatGatewayOfSubnet => ("natGateways", "natGateway"),
                    Foreign::RouteTableOfSubnet => ("routeTables", "routeTable"),
                    _ => ("networkSecurityGroups", "networkSecurityGroup"),
                };
                let made = self
                    .put(&format!("{elsewhere}/{kind}/theirs"), json!({}))
                    .await;
                self.put(
                    &frontend,
                    json!({"addressPrefix": prefix, property: {"id": made}}),
                )
                .await;
                made
            }
        }
    }

    /// A connection over a local network gateway that is not the link's.
    async fn connection(&self, name: &str, gateway: &str) -> String {
        let elsewhere = self.elsewhere().await;
        let local = self
            .put(
                &format!("{elsewhere}/localNetworkGateways/{name}"),
                local_gateway(),
            )
            .await;
        self.connect(&format!("{elsewhere}/connections/{name}"), gateway, &local)
            .await
    }

    async fn connect(&self, id: &str, gateway: &str, local: &str) -> String {
        let ends = json!({"virtualNetworkGateway1": {"id": gateway, "properties": {}},
            "localNetworkGateway2": {"id": local, "properties": {}}, "connectionType": "IPsec", "sharedKey": "theirs12345"});
        self.put(id, ends).await
    }

    /// Another gateway reaches the same AWS endpoint through the link's local network gateway.
    async fn connection_of_another_gateway(&self) -> String {
        let elsewhere = self.elsewhere().await;
        let subnet =
            json!({"name": "GatewaySubnet", "properties": {"addressPrefix": "10.98.0.0/24"}});
        let network =
            json!({"addressSpace": {"addressPrefixes": ["10.98.0.0/16"]}, "subnets": [subnet]});
        let network = self
            .put(&format!("{elsewhere}/virtualNetworks/other"), network)
            .await;
        let ip = format!("{elsewhere}/publicIPAddresses/other");
        let body = json!({"location": "westeurope", "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
            "properties": {"publicIPAllocationMethod": "Static"}});
        assert!(self.sim.say_to_azure("PUT", &ip, body).await.0 < 300);
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let one = json!({"name": "default", "properties": {"subnet": {"id": format!("{network}/subnets/GatewaySubnet")},
            "publicIPAddress": {"id": ip}, "privateIPAllocationMethod": "Dynamic"}});
        let gateway = json!({"gatewayType": "Vpn", "vpnType": "RouteBased", "ipConfigurations": [one],
            "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"}, "vpnGatewayGeneration": "Generation2"});
        let gateway = self
            .put(
                &format!("{elsewhere}/virtualNetworkGateways/other"),
                gateway,
            )
            .await;
        tokio::time::sleep(std::time::Duration::from_secs(7_200)).await;
        let local = self
            .seen
            .azure
            .local_gateways
            .get(TunnelKey::ALL[0])
            .as_ref()
            .unwrap()
            .resource
            .id
            .to_string();
        self.connect(&format!("{elsewhere}/connections/other"), &gateway, &local)
            .await
    }

    async fn in_vpc(&self, what: Foreign) -> String {
        let vpc = self.seen.aws.vpc.as_ref().unwrap().id.to_string();
        let subnet = self.seen.aws.public_subnet.as_ref().unwrap().to_string();
        let ask = |form: String| async move { self.sim.say_to_ec2(&form).await };
        let (answer, element) = match what {
            Foreign::VpcSubnet => (
                ask(format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.2.9.0/24")).await,
                "subnetId",
            ),
            Foreign::VpcNetworkInterface => (
                ask(format!("CreateNetworkInterface&SubnetId={subnet}")).await,
                "networkInterfaceId",
            ),
            Foreign::VpcNatGateway => (
                ask(format!(
                    "CreateNatGateway&SubnetId={subnet}&ConnectivityType=private"
                ))
                .await,
                "natGatewayId",
            ),
            Foreign::VpcEndpoint => {
                let service = "com.amazonaws.eu-west-1.s3";
                (
                    ask(format!(
                        "CreateVpcEndpoint&VpcId={vpc}&ServiceName={service}"
                    ))
                    .await,
                    "vpcEndpointId",
                )
            }
            Foreign::VpcPeering => {
                let other = ask("CreateVpc&CidrBlock=10.77.0.0/16".to_owned()).await;
                let other = element_of(&other, "vpcId");
                tokio::time::sleep(std::time::Duration::from_secs(30)).await;
                let form = format!("CreateVpcPeeringConnection&VpcId={other}&PeerVpcId={vpc}");
                (ask(form).await, "vpcPeeringConnectionId")
            }
            Foreign::VpcSecurityGroup => {
                let form =
                    format!("CreateSecurityGroup&VpcId={vpc}&GroupName=web&GroupDescription=web");
                (ask(form).await, "groupId")
            }
            Foreign::VpcNetworkAcl => (
                ask(format!("CreateNetworkAcl&VpcId={vpc}")).await,
                "networkAclId",
            ),
            Foreign::VpcRouteTable => (
                ask(format!("CreateRouteTable&VpcId={vpc}")).await,
                "routeTableId",
            ),
            Foreign::EgressGateway => {
                let form = format!("CreateEgressOnlyInternetGateway&VpcId={vpc}");
                (ask(form).await, "egressOnlyInternetGatewayId")
            }
            _ => {
                let form =
                    "CreateCustomerGateway&Type=ipsec.1&BgpAsn=65010&IpAddress=9.8.7.6".to_owned();
                let customer = element_of(&ask(form).await, "customerGatewayId");
                tokio::time::sleep(std::time::Duration::from_secs(60)).await;
                let gateway = self.seen.aws.gateway.as_ref().unwrap().id.to_string();
                let form = format!(
                    "CreateVpnConnection&Type=ipsec.1&CustomerGatewayId={customer}&VpnGatewayId={gateway}"
                );
                (ask(form).await, "vpnConnectionId")
            }
        };
        element_of(&answer, element)
    }
}

/// The text of the first element of that name.
fn element_of(answer: &str, name: &str) -> String {
    let (_, rest) = answer
        .split_once(&format!("<{name}>"))
        .unwrap_or_else(|| panic!("no {name} in {answer}"));
    rest.split('<').next().unwrap_or_default().to_owned()
}

impl Sim {
    async fn say(&self, request: Request) -> Response {
        match self.sandbox.call(request).await {
            Outcome::Response(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    /// A call to Resource Manager that the product never makes.
    pub async fn say_to_azure(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let version = if path.contains("Microsoft.Authorization") {
            "2020-05-01"
        } else {
            "2025-01-01"
        };
        let version = if path.matches('/').count() == 4 {
            "2021-04-01"
        } else {
            version
        };
        self.say_to_azure_in(version, method, path, body).await
    }

    /// `say_to_azure` in a version of the API.
    pub async fn say_to_azure_in(
        &self,
        version: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let answer = self
            .say(Request {
                method: method.to_owned(),
                base_url: "https://arm.sandbox".to_owned(),
                path: path.to_owned(),
                query: format!("api-version={version}"),
                headers: vec![
                    header("authorization", TOKEN),
                    header("content-type", "application/json"),
                ],
                body,
            })
            .await;
        (
            answer.status,
            serde_json::from_slice(&answer.body).unwrap_or_default(),
        )
    }

    /// A call to EC2 that the product never makes: the action and its parameters.
    pub async fn say_to_ec2(&self, form: &str) -> String {
        let scope = format!("AKIAEXAMPLE/20260101/{}/ec2/aws4_request", super::REGION);
        let caller =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let answer = self
            .say(Request {
                method: "POST".to_owned(),
                base_url: "https://ec2.sandbox".to_owned(),
                path: "/".to_owned(),
                query: String::new(),
                headers: vec![
                    header("authorization", &caller),
                    header(
                        "content-type",
                        "application/x-www-form-urlencoded; charset=utf-8",
                    ),
                ],
                body: format!("Version=2016-11-15&Action={form}").into_bytes(),
            })
            .await;
        String::from_utf8(answer.body).unwrap()
    }
}
