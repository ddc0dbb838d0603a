//! Where the two clouds contradict each other about a tunnel.
//!
//! Each side of a tunnel is configured with what the other side is or accepts. Both configurations
//! are compared field by field, without a specification: the link may have been created by hand. A
//! field that one cloud does not return, such as a key in Secrets Manager, is not compared.

mod bgp;
mod ipsec;

pub use bgp::bgp_mismatches;
pub use ipsec::ipsec_mismatches;

use crate::types::Asn;
use std::fmt;
use std::net::Ipv4Addr;

/// One field on which the two sides of a tunnel do not agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The customer gateway stands for another address than the Azure gateway instance has.
    AzureAddress { aws: Ipv4Addr, azure: Ipv4Addr },
    /// The local network gateway stands for another address than the AWS endpoint has.
    AwsAddress { azure: Ipv4Addr, aws: Ipv4Addr },
    /// The keys differ. They are never shown.
    Key,
    /// The Azure connection has no key.
    MissingKey,
    /// AWS waits for Azure, and Azure waits for AWS.
    NoInitiator { startup_action: String },
    /// The Azure connection uses an IKE version that AWS does not accept.
    IkeVersion { azure: String, aws: Vec<String> },
    /// Azure proposes an algorithm that AWS does not accept.
    Algorithm {
        field: Field,
        azure: String,
        aws: Vec<String>,
    },
    /// The Azure connection uses traffic selectors, which leave the BGP addresses out.
    AzureSelectors,
    /// The VPN connection accepts narrower ranges than 0.0.0.0/0, which leave the BGP addresses
    /// out.
    AwsSelectors { local: String, remote: String },
    /// BGP is disabled on the Azure connection.
    BgpDisabled,
    /// The VPN connection routes statically.
    StaticRouting,
    /// The customer gateway names another ASN than the Azure gateway has.
    AzureAsn { aws: Asn, azure: Asn },
    /// The local network gateway names another ASN than the AWS gateway has.
    AwsAsn { azure: Asn, aws: Asn },
    /// The local network gateway names no BGP peer.
    MissingPeer,
    /// The local network gateway names another BGP peer than the AWS endpoint is.
    AwsPeer { azure: Ipv4Addr, aws: Ipv4Addr },
    /// The Azure connection does not use the address at which AWS expects its peer.
    AzurePeer { aws: Ipv4Addr },
}

/// A choice of algorithm that both sides make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    IkeEncryption,
    IkeIntegrity,
    DhGroup,
    IpsecEncryption,
    IpsecIntegrity,
    PfsGroup,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::IkeEncryption => "IKE encryption",
            Field::IkeIntegrity => "IKE integrity",
            Field::DhGroup => "DH group of IKE",
            Field::IpsecEncryption => "IPsec encryption",
            Field::IpsecIntegrity => "IPsec integrity",
            Field::PfsGroup => "PFS group of IPsec",
        })
    }
}

/// A clause that names the field and both values.
impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mismatch::AzureAddress { aws, azure } => write!(
                f,
                "the customer gateway has the address {aws}, but the Azure gateway instance has {azure}"
            ),
            Mismatch::AwsAddress { azure, aws } => write!(
                f,
                "the local network gateway has the address {azure}, but the AWS endpoint has {aws}"
            ),
            Mismatch::Key => f.write_str("the pre-shared keys of AWS and Azure differ"),
            Mismatch::MissingKey => f.write_str("the Azure connection has no pre-shared key"),
            Mismatch::NoInitiator { startup_action } => write!(
                f,
                "neither side initiates: the startup action in AWS is {startup_action:?}, and the connection mode in Azure is ResponderOnly"
            ),
            Mismatch::IkeVersion { azure, aws } => write!(
                f,
                "the IKE version differs: Azure uses {azure}, and AWS accepts {}",
                aws.join(", ")
            ),
            Mismatch::Algorithm { field, azure, aws } => write!(
                f,
                "the {field} differs: Azure has {azure}, and AWS accepts {}",
                aws.join(", ")
            ),
            Mismatch::AzureSelectors => f.write_str(
                "the Azure connection uses policy-based traffic selectors, which exclude the BGP addresses",
            ),
            Mismatch::AwsSelectors { local, remote } => write!(
                f,
                "the VPN connection accepts only {local} and {remote}, which exclude the BGP addresses"
            ),
            Mismatch::BgpDisabled => {
                f.write_str("BGP is disabled on the Azure connection (enableBgp is false)")
            }
            Mismatch::StaticRouting => f.write_str("the VPN connection uses static routes only"),
            Mismatch::AzureAsn { aws, azure } => write!(
                f,
                "the customer gateway has ASN {aws}, but the Azure gateway has {azure}"
            ),
            Mismatch::AwsAsn { azure, aws } => write!(
                f,
                "the local network gateway has ASN {azure}, but the AWS gateway has {aws}"
            ),
            Mismatch::MissingPeer => f.write_str("the local network gateway has no BGP peer"),
            Mismatch::AwsPeer { azure, aws } => write!(
                f,
                "the local network gateway has the BGP peer {azure}, but the AWS peer is {aws}"
            ),
            Mismatch::AzurePeer { aws } => write!(
                f,
                "AWS expects its BGP peer at {aws}, but the Azure connection uses another address"
            ),
        }
    }
}
