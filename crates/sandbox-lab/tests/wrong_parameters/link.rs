//! A complete link as the defaults of the provider make it, of one or two tunnels, in both clouds'
//! words. Each half is written down on its own.

use awsazure_sandbox::dataplane::{AwsEndpoint, AzureEndpoint, AzurePolicy};
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;

#[derive(Clone, Debug)]
pub struct Link {
    /// The endpoints of tunnels 1 and 2 of AWS's first VPN connection.
    pub aws: Vec<AwsEndpoint>,
    /// For each tunnel's Azure connection, its end at instance 0 and the useless one at instance 1.
    pub azure: Vec<AzureEndpoint>,
}

impl Link {
    /// Links of different numbers have different gateways and outside addresses.
    pub fn new(number: u8, tunnels: usize) -> Link {
        let tunnels = || {
            (1..=u8::try_from(tunnels).unwrap())
                .collect::<Vec<u8>>()
                .into_iter()
        };
        Link {
            aws: tunnels().map(|tunnel| aws(number, tunnel)).collect(),
            azure: tunnels()
                .flat_map(|tunnel| [azure(number, tunnel, 0), azure(number, tunnel, 1)])
                .collect(),
        }
    }

    /// The policy of the first tunnel's connection, on both instances.
    pub fn policy(&mut self, change: impl Fn(&mut AzurePolicy)) {
        self.connection(|end| change(end.policy.as_mut().unwrap()));
    }

    /// What concerns the first tunnel's connection concerns both of its ends.
    pub fn connection(&mut self, change: impl Fn(&mut AzureEndpoint)) {
        self.azure.iter_mut().take(2).for_each(change);
    }
}

pub fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

pub fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|word| (*word).to_owned()).collect()
}

fn aws(number: u8, tunnel: u8) -> AwsEndpoint {
    AwsEndpoint {
        vpn_connection_id: format!("vpn-{number}"),
        gateway_id: format!("vgw-{number}"),
        outside_ip: Ipv4Addr::new(198, 18, number, tunnel),
        inside_cidr: format!("169.254.2{tunnel}.0/30")
            .parse::<Ipv4Net>()
            .unwrap(),
        peer_ip: Ipv4Addr::new(203, 0, number, 10),
        asn: 64_512,
        peer_asn: 65_000,
        static_routes_only: false,
        pre_shared_key: format!("Key.{number}.{tunnel}_example"),
        phase1_encryption: words(&["AES256"]),
        phase1_integrity: words(&["SHA2-384"]),
        phase1_dh_groups: vec![20],
        phase2_encryption: words(&["AES256-GCM-16"]),
        phase2_integrity: words(&["SHA2-384"]),
        phase2_dh_groups: vec![20],
        phase1_lifetime_seconds: 27_000,
        phase2_lifetime_seconds: 3_600,
        rekey_margin_seconds: 270,
        rekey_fuzz_percent: 100,
        accelerated: false,
        ike_versions: words(&["ikev2"]),
        startup_action: "start".into(),
        dpd_timeout_action: "restart".into(),
        dpd_timeout_seconds: 30,
        serving: true,
        announces: Vec::new(),
    }
}

fn azure(number: u8, tunnel: u8, instance: u8) -> AzureEndpoint {
    AzureEndpoint {
        connection_id: format!("/connections/{number}-{tunnel}"),
        gateway_id: format!("/gateways/{number}"),
        instance: usize::from(instance),
        ip_configuration_id: format!("/gateways/{number}/ipConfigurations/{instance}"),
        public_ip: Ipv4Addr::new(203, 0, number, 10 + instance),
        bgp_ip: Some(Ipv4Addr::new(169, 254, 20 + tunnel, 2 + 4 * instance)),
        next_hop: Some(Ipv4Addr::new(169, 254, 21, 2 + 4 * instance)),
        peer_ip: Ipv4Addr::new(198, 18, number, tunnel),
        peer_bgp_ip: Some(Ipv4Addr::new(169, 254, 20 + tunnel, 1)),
        peer_asn: Some(64_512),
        asn: 65_000,
        shared_key: format!("Key.{number}.{tunnel}_example"),
        enable_bgp: true,
        connection_mode: "ResponderOnly".into(),
        policy: Some(AzurePolicy {
            ike_encryption: "AES256".into(),
            ike_integrity: "SHA384".into(),
            dh_group: "ECP384".into(),
            ipsec_encryption: "GCMAES256".into(),
            ipsec_integrity: "GCMAES256".into(),
            pfs_group: "ECP384".into(),
            sa_life_time_seconds: 27_000,
            sa_data_size_kilobytes: 2_147_483_647,
        }),
        serving: true,
        announces: Vec::new(),
    }
}
