//! What a lab breaks on request: the path of a tunnel, silently, or an Azure gateway instance.

use super::{AwsEndpoint, AzureEndpoint};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// Written as `tunnel 169.254.21.0/30`, `tunnel OUTSIDE-ADDRESS`, `instance 0` (of every gateway)
/// or `instance PUBLIC-ADDRESS`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum LabFault {
    /// The internet loses every packet to and from the tunnel's AWS address and says nothing.
    Tunnel(Ipv4Net),
    /// All IKE daemons and the BGP speaker of an Azure instance are gone at once.
    Instance(usize),
    InstanceAt(Ipv4Addr),
}

impl LabFault {
    pub fn affects_aws(&self, end: &AwsEndpoint) -> bool {
        matches!(self, LabFault::Tunnel(net) if *net == end.inside_cidr || *net == Ipv4Net::from(end.outside_ip))
    }

    pub fn affects_azure(&self, end: &AzureEndpoint) -> bool {
        match self {
            LabFault::Tunnel(_) => false,
            LabFault::Instance(instance) => end.instance == *instance,
            LabFault::InstanceAt(ip) => end.public_ip == *ip,
        }
    }
}

impl fmt::Display for LabFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabFault::Tunnel(net) if net.prefix_len() == 32 => write!(f, "tunnel {}", net.addr()),
            LabFault::Tunnel(net) => write!(f, "tunnel {net}"),
            LabFault::Instance(instance) => write!(f, "instance {instance}"),
            LabFault::InstanceAt(ip) => write!(f, "instance {ip}"),
        }
    }
}

/// The text does not name a fault.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{0}` is neither `tunnel INSIDE-CIDR|OUTSIDE-ADDRESS` nor `instance NUMBER|PUBLIC-ADDRESS`"
)]
pub struct InvalidLabFault(String);

impl FromStr for LabFault {
    type Err = InvalidLabFault;

    fn from_str(text: &str) -> Result<LabFault, InvalidLabFault> {
        let unknown = || InvalidLabFault(text.to_owned());
        let (kind, what) = text.trim().split_once(' ').ok_or_else(unknown)?;
        let net = what
            .parse::<Ipv4Net>()
            .or_else(|_| what.parse::<Ipv4Addr>().map(Ipv4Net::from))
            .ok();
        let number = what.parse::<usize>().ok().map(LabFault::Instance);
        match kind {
            "tunnel" => net.map(LabFault::Tunnel),
            "instance" => number.or_else(|| what.parse().ok().map(LabFault::InstanceAt)),
            _ => None,
        }
        .ok_or_else(unknown)
    }
}

impl TryFrom<String> for LabFault {
    type Error = InvalidLabFault;

    fn try_from(text: String) -> Result<LabFault, InvalidLabFault> {
        text.parse()
    }
}

impl From<LabFault> for String {
    fn from(fault: LabFault) -> String {
        fault.to_string()
    }
}
