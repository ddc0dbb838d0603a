//! Which tunnels are up.

use super::{AwsEnd, AzureEnd};
use crate::time::SimTime;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Paths {}

#[derive(Clone, Debug, Default)]
pub struct AzureTunnel {
    pub connected: bool,
    pub since: Option<SimTime>,
    pub ingress_bytes: u64,
    pub egress_bytes: u64,
}

#[derive(Clone, Debug)]
pub struct AzurePeer {
    pub instance: usize,
    pub local_ip: Ipv4Addr,
    pub neighbor: Ipv4Addr,
    pub asn: u32,
    pub connected_since: Option<SimTime>,
    pub state: &'static str,
    pub routes_received: u32,
    pub messages_sent: u64,
    pub messages_received: u64,
}

#[derive(Clone, Debug)]
pub struct LearnedRoute {
    pub instance: usize,
    pub local_ip: Ipv4Addr,
    pub network: Ipv4Net,
    pub next_hop: Option<Ipv4Addr>,
    pub source_peer: Ipv4Addr,
    pub origin: &'static str,
    pub as_path: String,
    pub weight: u32,
}

impl Paths {
    pub fn refresh(&mut self, _: SimTime, _: &[AwsEnd], _: &[AzureEnd]) {}

    pub fn azure_tunnel(&self, _: &str, _: usize) -> AzureTunnel {
        AzureTunnel::default()
    }

    pub fn azure_peers(&self, _: &str) -> Vec<AzurePeer> {
        Vec::new()
    }

    pub fn azure_learned(&self, _: &str) -> Vec<LearnedRoute> {
        Vec::new()
    }
}
