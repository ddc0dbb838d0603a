//! The tutorial followed by hand, well or loosely: links without tags, with any names and places.

use super::Link;
use super::cloud_admin::{CloudAdmin, waits};
use awsazure::aws::model::{
    Phase, TargetGateway, TunnelOptions, VpcId, VpnConnectionId, VpnGatewayId,
};
use awsazure::aws::{IdempotencyKey, NewConnection as NewVpn, VpnConnectionOptions};
use awsazure::azure::ResourceId;
use awsazure::azure::documents::connection::NewConnection;
use awsazure::azure::documents::gateway::{NewGateway, NewInstance, ip_configuration_id};
use awsazure::azure::documents::local_gateway::NewLocalGateway;
use awsazure::azure::documents::public_ip::NewPublicIp;
use awsazure::azure::model::{ConnectionMode, IpsecPolicy};
use bgp_vpn::inside_cidr::{InsideCidr, Slot};
use bgp_vpn::tunnel::{Instance, PerTunnel, TunnelKey};
use bgp_vpn::types::{Asn, PreSharedKey, Tags};
use std::net::Ipv4Addr;

const PLACE: &str = "eastus";
const AZURE_ASN: Asn = Asn(65_000);
const AWS_ASN: u32 = 64_512;

/// The two gateways with their networks.
#[derive(Clone, Debug)]
pub struct Ends {
    pub network: String,
    pub gateway: String,
    pub addresses: [Ipv4Addr; 2],
    pub vpc: String,
    pub vgw: String,
    /// The VPC's main route table.
    pub table: String,
}

/// What a connection names as custom BGP address of the instance that it does not use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// The address of the same tunnel number, as the tutorial has it.
    Tutorial,
    /// The first choice of the portal.
    Any,
    Absent,
}

impl Ends {
    /// The nine lines of a link between these networks.
    pub fn minimal(&self, label: &str, group: &str) -> Link {
        Link::between(label, group, &self.network, &self.vpc).with("name", "\"VNet1GW\"")
    }

    /// Import id of the one link between the two gateways.
    pub fn id(&self) -> String {
        format!("{},{}", self.gateway, self.vgw)
    }
}

/// The networks of a slot.
pub fn slot(number: u64) -> PerTunnel<InsideCidr> {
    Slot::new(number).unwrap().inside_cidrs()
}

/// How the tunnels were made.
#[derive(Clone, Debug)]
pub struct Tunnels {
    /// Group of the local network gateways and connections.
    pub group: String,
    /// Names of them, with the tunnel's behind.
    pub name: String,
    pub cidrs: PerTunnel<InsideCidr>,
    pub modes: PerTunnel<ConnectionMode>,
    pub placeholder: Placeholder,
    /// The tunnel without a connection; its local network gateway is there.
    pub unconnected: Option<TunnelKey>,
    /// The tunnel whose inside network was left to AWS.
    pub unnumbered: Option<TunnelKey>,
    /// The tunnel whose key was mistyped in Azure.
    pub mistyped: Option<TunnelKey>,
    /// Whether AWS was given the second tunnel first, and Azure's references were typed in
    /// capitals.
    pub odd: bool,
    pub aws_policy: (Phase, Phase),
    pub azure_policy: Option<IpsecPolicy>,
}

impl Tunnels {
    /// As the tutorial says, in the addresses of a slot.
    pub fn of_slot(group: &str, name: &str, slot: u64) -> Self {
        Tunnels {
            group: group.to_owned(),
            name: name.to_owned(),
            cidrs: self::slot(slot),
            modes: PerTunnel::from_fn(|_| ConnectionMode::ResponderOnly),
            placeholder: Placeholder::Tutorial,
            unconnected: None,
            unnumbered: None,
            mistyped: None,
            odd: false,
            aws_policy: (Phase::default(), Phase::default()),
            azure_policy: None,
        }
    }
}

/// Where Part 1 was made: of the VNet, of the public IPs, of the gateway.
pub struct Groups<'a> {
    pub network: &'a str,
    pub addresses: &'a str,
    pub gateway: &'a str,
}

impl<'a> Groups<'a> {
    /// Everything in one.
    pub fn one(group: &'a str) -> Self {
        Groups {
            network: group,
            addresses: group,
            gateway: group,
        }
    }
}

impl CloudAdmin {
    /// Makes both gateways. The Azure gateway lists the addresses of these networks; propagation is
    /// as asked.
    pub fn make_ends(
        &self,
        groups: &Groups<'_>,
        cidrs: &[PerTunnel<InsideCidr>],
        propagation: bool,
    ) -> Ends {
        for group in [groups.network, groups.addresses, groups.gateway] {
            self.make_group(group);
        }
        let subnets = [
            ("FrontEnd", "10.1.0.0/24"),
            ("GatewaySubnet", "10.1.255.0/27"),
        ];
        let network = self.make_network(groups.network, "VNet1", "10.1.0.0/16", &subnets);
        let (azure, ctx) = (&self.azure, waits());
        let gateway = azure.network_id(groups.gateway, "virtualNetworkGateways", "VNet1GW");
        let addresses = self.runtime.block_on(async {
            let mut instances = Vec::new();
            let mut addresses = Vec::new();
            for instance in Instance::ALL {
                let id = azure.network_id(
                    groups.addresses,
                    "publicIPAddresses",
                    &format!("VNet1GWpip{instance}"),
                );
                let zones = ["1", "2", "3"].map(str::to_owned).to_vec();
                let new = NewPublicIp {
                    location: PLACE.to_owned(),
                    zones,
                    tags: Tags::new(),
                };
                let ip = azure
                    .create_public_ip(&id, &new, &|_| true, &ctx)
                    .await
                    .unwrap();
                addresses.push(ip.address.unwrap());
                let own = |key: TunnelKey| cidrs.iter().map(move |cidrs| cidrs.get(key).azure_ip());
                let custom_bgp_ips = instance.tunnels().into_iter().flat_map(own).collect();
                let name = format!("vnetGatewayConfig{}", instance.index());
                instances.push(NewInstance {
                    name,
                    public_ip_id: id,
                    custom_bgp_ips,
                });
            }
            let new = NewGateway {
                location: PLACE.to_owned(),
                sku: "VpnGw2AZ".to_owned(),
                generation: "Generation2".to_owned(),
                asn: AZURE_ASN,
                subnet_id: ResourceId::parse(&network)
                    .unwrap()
                    .child("subnets", "GatewaySubnet"),
                instances,
                tags: Tags::new(),
            };
            azure
                .create_gateway(&gateway, &new, &|_| true, &ctx)
                .await
                .unwrap();
            [addresses[0], addresses[1]]
        });
        let vpc = self.make_vpc("10.2.0.0/16");
        let vgw = self.make_vpn_gateway(&vpc, AWS_ASN);
        let table = self.main_table(&vpc);
        if propagation {
            self.switch_propagation_on(&table, &vgw);
        }
        Ends {
            network,
            gateway: gateway.to_string(),
            addresses,
            vpc,
            vgw,
            table,
        }
    }

    pub fn main_table(&self, vpc: &str) -> String {
        let vpc = VpcId(vpc.to_owned());
        self.runtime
            .block_on(self.ec2.main_route_table(&waits(), &vpc))
            .unwrap()
            .unwrap()
            .id
            .to_string()
    }

    /// A VPN connection between a VPN gateway and some router, with the tunnels' options; its id.
    /// Repeating an address finds the customer gateway that there is.
    pub fn make_vpn(&self, vgw: &str, ip: Ipv4Addr, tunnels: &[TunnelOptions; 2]) -> String {
        let (ctx, none) = (waits(), Tags::new());
        let target = TargetGateway::VpnGateway(VpnGatewayId(vgw.to_owned()));
        self.runtime.block_on(async {
            let customer = self
                .ec2
                .create_customer_gateway(&ctx, ip, AZURE_ASN, "", &none)
                .await
                .unwrap();
            self.ec2
                .wait_customer_gateway_available(&ctx, &customer.id)
                .await
                .unwrap();
            let new = NewVpn {
                customer_gateway: &customer.id,
                target: &target,
                tunnels,
                options: &VpnConnectionOptions::default(),
                tags: &none,
                idempotency: IdempotencyKey::new(&none),
            };
            let made = self.ec2.create_vpn_connection(&ctx, &new).await.unwrap();
            self.ec2
                .wait_vpn_connection_available(&ctx, &made.id, false)
                .await
                .unwrap();
            made.id.to_string()
        })
    }

    /// Makes the VPN connections, local network gateways and connections.
    pub fn make_tunnels(&self, ends: &Ends, how: &Tunnels) {
        self.make_group(&how.group);
        let key_of = |key: TunnelKey| PreSharedKey::parse(&format!("Key_of_{key}")).unwrap();
        let options = |key: TunnelKey| TunnelOptions {
            inside_cidr: Some(how.cidrs.get(key).net()).filter(|_| how.unnumbered != Some(key)),
            key: Some(key_of(key)),
            startup_action: Some("start".to_owned()),
            phase1: how.aws_policy.0.clone(),
            phase2: how.aws_policy.1.clone(),
            ..TunnelOptions::default()
        };
        for instance in Instance::ALL {
            let [one, two] = instance.tunnels().map(options);
            let tunnels = if how.odd { [two, one] } else { [one, two] };
            let vpn =
                self.vpn(&self.make_vpn(&ends.vgw, ends.addresses[instance.index()], &tunnels));
            for key in instance.tunnels() {
                // Identified by key, which every tunnel has.
                let made = vpn
                    .tunnels
                    .iter()
                    .find(|tunnel| tunnel.key == Some(key_of(key)))
                    .unwrap();
                self.make_azure_tunnel(ends, how, key, made.outside_ip, key_of(key));
            }
        }
    }

    pub fn vpn(&self, id: &str) -> awsazure::aws::model::VpnConnection {
        let filter = awsazure::aws::Filter::id(VpnConnectionId(id.to_owned()));
        let found = self
            .runtime
            .block_on(self.ec2.describe_vpn_connections(&waits(), &filter))
            .unwrap();
        found.into_iter().next().unwrap()
    }

    fn make_azure_tunnel(
        &self,
        ends: &Ends,
        how: &Tunnels,
        key: TunnelKey,
        outside: Ipv4Addr,
        secret: PreSharedKey,
    ) {
        let (azure, ctx) = (&self.azure, waits());
        let name = format!("{} {key}", how.name).replace(' ', ".");
        let local = azure.network_id(&how.group, "localNetworkGateways", &name);
        let id = azure.network_id(&how.group, "connections", &name);
        let said = |id: &ResourceId| {
            if how.odd {
                ResourceId::parse(&id.as_str().to_uppercase()).unwrap()
            } else {
                id.clone()
            }
        };
        let gateway = ResourceId::parse(&ends.gateway).unwrap();
        let configuration = |at: Instance| {
            said(&ip_configuration_id(
                &gateway,
                &format!("vnetGatewayConfig{}", at.index()),
            ))
        };
        let mut custom = vec![(configuration(key.instance), how.cidrs.get(key).azure_ip())];
        let other = if key.instance == Instance::Zero {
            Instance::One
        } else {
            Instance::Zero
        };
        let [first, second] = other.tunnels().map(|key| how.cidrs.get(key).azure_ip());
        match how.placeholder {
            Placeholder::Tutorial => {
                custom.push((
                    configuration(other),
                    if key.number == 1 { first } else { second },
                ));
            }
            Placeholder::Any => custom.push((configuration(other), first)),
            Placeholder::Absent => {}
        }
        let new = NewLocalGateway {
            location: PLACE.to_owned(),
            gateway_ip: outside,
            asn: Asn(AWS_ASN),
            bgp_ip: how.cidrs.get(key).aws_ip(),
            tags: Tags::new(),
        };
        self.runtime.block_on(async {
            azure
                .create_local_gateway(&local, &new, &|_| true, &ctx)
                .await
                .unwrap();
            if how.unconnected == Some(key) {
                return;
            }
            let new = NewConnection {
                location: PLACE.to_owned(),
                gateway_id: said(&gateway),
                local_gateway_id: said(&local),
                key: if how.mistyped == Some(key) {
                    PreSharedKey::parse("Mistyped_key").unwrap()
                } else {
                    secret
                },
                mode: *how.modes.get(key),
                dpd_timeout_seconds: 45,
                custom_bgp_ips: custom,
                policy: how.azure_policy.clone(),
                tags: Tags::new(),
            };
            azure
                .create_connection(&id, &new, &|_| true, &ctx)
                .await
                .unwrap();
        });
    }

    /// The IPsec policy of a connection; None where it has Azure's defaults.
    pub fn policy_of(&self, connection: &str) -> Option<IpsecPolicy> {
        let id = ResourceId::parse(connection).unwrap();
        self.runtime
            .block_on(self.azure.get_connection(&id, &waits()))
            .unwrap()
            .unwrap()
            .policy
    }

    /// Switches BGP of a gateway off, or on again.
    pub fn switch_bgp(&self, gateway: &str, on: bool) {
        let id = ResourceId::parse(gateway).unwrap();
        let edit = |doc: &mut serde_json::Value| doc["properties"]["enableBgp"] = on.into();
        self.runtime
            .block_on(self.azure.change_gateway(&id, &edit, &waits()))
            .unwrap();
    }
}
