//! What a lab breaks on request: the path of a tunnel, silently, or a whole Azure gateway instance.

use crate::dataplane::{AwsEnd, AzureEnd};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// Written as `tunnel 169.254.21.0/30`, `tunnel OUTSIDE-ADDRESS`, `instance 0` (of every gateway) or `instance PUBLIC-ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Damage {
    /// The internet loses every packet to and from the tunnel's AWS address and says nothing.
    Tunnel(Ipv4Net),
    /// All IKE daemons and the BGP speaker of an Azure instance are gone at once.
    Instance(usize),
    InstanceAt(Ipv4Addr),
}

impl Damage {
    pub fn hits_aws(&self, end: &AwsEnd) -> bool {
        matches!(self, Damage::Tunnel(net) if *net == end.inside_cidr || *net == Ipv4Net::from(end.outside_ip))
    }

    pub fn hits_azure(&self, end: &AzureEnd) -> bool {
        match self {
            Damage::Tunnel(_) => false,
            Damage::Instance(instance) => end.instance == *instance,
            Damage::InstanceAt(ip) => end.public_ip == *ip,
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Damage::Tunnel(net) if net.prefix_len() == 32 => write!(f, "tunnel {}", net.addr()),
            Damage::Tunnel(net) => write!(f, "tunnel {net}"),
            Damage::Instance(instance) => write!(f, "instance {instance}"),
            Damage::InstanceAt(ip) => write!(f, "instance {ip}"),
        }
    }
}

/// The words do not name a damage.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is neither `tunnel INSIDE-CIDR|OUTSIDE-ADDRESS` nor `instance NUMBER|PUBLIC-ADDRESS`")]
pub struct UnknownDamage(String);

impl FromStr for Damage {
    type Err = UnknownDamage;

    fn from_str(text: &str) -> Result<Damage, UnknownDamage> {
        let unknown = || UnknownDamage(text.to_owned());
        let (kind, what) = text.trim().split_once(' ').ok_or_else(unknown)?;
        let net = what.parse::<Ipv4Net>().or_else(|_| what.parse::<Ipv4Addr>().map(Ipv4Net::from)).ok();
        let number = what.parse::<usize>().ok().map(Damage::Instance);
        match kind {
            "tunnel" => net.map(Damage::Tunnel),
            "instance" => number.or_else(|| what.parse().ok().map(Damage::InstanceAt)),
            _ => None,
        }
        .ok_or_else(unknown)
    }
}

impl TryFrom<String> for Damage {
    type Error = UnknownDamage;

    fn try_from(text: String) -> Result<Damage, UnknownDamage> {
        text.parse()
    }
}

impl From<Damage> for String {
    fn from(damage: Damage) -> String {
        damage.to_string()
    }
}
