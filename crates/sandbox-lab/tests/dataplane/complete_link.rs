//! A link of four tunnels between two networks, in both clouds' words.

use super::link::{Link, ip};
use awsazure_sandbox::dataplane::{AwsEndpoint, AzureEndpoint};
use std::net::Ipv4Addr;

/// The endpoints of a complete link: tunnels 1 and 2 of instance 0, then those of instance 1.
pub fn complete_link(number: u8) -> Link {
    let mut link = Link::new(number, 2);
    for end in &mut link.azure {
        end.next_hop = first_address(end.instance);
    }
    let (aws, azure) = (link.aws.clone(), link.azure.clone());
    link.aws.extend(aws.into_iter().map(second_instance));
    link.azure.extend(azure.into_iter().map(second_connection));
    for end in &mut link.aws {
        end.announces = vec![format!("10.2{number}.0.0/16").parse().unwrap()];
    }
    for end in &mut link.azure {
        end.announces = vec![format!("10.1{number}.0.0/16").parse().unwrap()];
    }
    link
}

/// The first APIPA address of an instance.
pub fn first_address(instance: usize) -> Option<Ipv4Addr> {
    Some(ip(["169.254.21.2", "169.254.21.6"][instance]))
}

fn shift(address: Ipv4Addr, by: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(address) + by)
}

/// The endpoint of the other VPN connection with the same tunnel number.
fn second_instance(end: AwsEndpoint) -> AwsEndpoint {
    let inside = shift(end.inside_cidr.addr(), 4);
    AwsEndpoint {
        vpn_connection_id: format!("{}-second", end.vpn_connection_id),
        outside_ip: shift(end.outside_ip, 2),
        inside_cidr: format!("{inside}/30").parse().unwrap(),
        peer_ip: shift(end.peer_ip, 1),
        ..end
    }
}

/// The connection to that endpoint. Instance 0 only has a placeholder on it.
fn second_connection(end: AzureEndpoint) -> AzureEndpoint {
    AzureEndpoint {
        connection_id: format!("{}-second", end.connection_id),
        peer_ip: shift(end.peer_ip, 2),
        peer_bgp_ip: end.peer_bgp_ip.map(|address| shift(address, 4)),
        ..end
    }
}
