//! Which link is meant: where to look for its objects, what to take down of it, and how a user
//! names one to import.

use super::adoption::Adoption;
use super::inside_cidr::InsideCidr;
use super::known_ids::KnownIds;
use super::managed::Managed;
use super::names::AzureNames;
use super::ownership_tags::{AwsEndpoint, LinkId};
use super::spec::{AwsGateway, AwsSpec, TransitRouting};
use super::tunnel::{PerTunnel, TunnelKey};
use crate::aws::{Region, TransitGatewayId, VpnGatewayId};
use crate::azure::id::ResourceId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::Ipv4Addr;

/// Where to look for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupScope {
    pub known: KnownIds,
    /// Ownership tag, for what is there but in no state.
    pub link: Option<LinkId>,
    /// Identify the tunnels: those from before a change of addresses.
    pub inside_cidrs: PerTunnel<InsideCidr>,
    /// Names under which Azure objects would be found whose ids are not known.
    pub names: Option<AzureNames>,
    /// What an object that no state names must be to be taken over.
    pub adoption: Adoption,
    /// Objects that the state names as this link's own.
    pub recorded_ids: Managed,
    /// Whether the shared keys are to be read too.
    pub read_keys: bool,
    pub attachment_reads: AttachmentReads,
}

/// What is read of the attachments of the VPN connections to a transit gateway. A link that
/// configures nothing of them needs no call for them once their ids are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttachmentReads {
    #[default]
    Nothing,
    /// Those whose id is not known.
    Unknown,
    /// All of them, with association and tags.
    Associations,
    /// And the route tables into which they propagate.
    Propagations,
}

impl AttachmentReads {
    /// What a link with this AWS side needs.
    pub fn of(aws: &AwsSpec) -> Self {
        let on_transit_gateway = matches!(aws.gateway, AwsGateway::TransitGateway(_));
        Self::of_routing(on_transit_gateway, &aws.transit_routing)
    }

    /// What a link with this routing needs.
    pub fn of_routing(on_transit_gateway: bool, routing: &TransitRouting) -> Self {
        if !on_transit_gateway {
            AttachmentReads::Nothing
        } else if !routing.propagations.is_empty() {
            AttachmentReads::Propagations
        } else if routing.association.is_some() {
            AttachmentReads::Associations
        } else {
            AttachmentReads::Unknown
        }
    }
}

impl LookupScope {
    /// A search for a link of which no state tells more than these ids.
    pub fn by_ids(
        known: KnownIds,
        link: Option<LinkId>,
        inside_cidrs: PerTunnel<InsideCidr>,
    ) -> Self {
        let (adoption, recorded) = (Adoption::default(), Managed::default());
        LookupScope {
            known,
            link,
            inside_cidrs,
            names: None,
            adoption,
            recorded_ids: recorded,
            read_keys: true,
            attachment_reads: AttachmentReads::default(),
        }
    }
}

/// What to take down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeardownSpec {
    pub link: LinkId,
    /// All that may be deleted, and nothing else.
    pub managed: Managed,
    pub region: Region,
    pub subscription: String,
    pub resource_group: String,
    /// The Azure gateway, deleted or not.
    pub azure_gateway: Option<ResourceId>,
    /// This link's addresses, to be taken off a gateway that stays. Empty where the gateway is to
    /// be left alone.
    pub own_bgp_addresses: Vec<Ipv4Addr>,
    /// Subnets of the VNet that the link created, by name, the gateway's left out.
    pub subnets: BTreeSet<String>,
    /// What stays for another link, once all of `managed` is deleted.
    pub hands_over: Option<HandOver>,
    /// AWS objects that stay in place. They get the incomplete tag, so that a later create of the
    /// same link adopts them.
    pub stays: Managed,
    /// The AWS side that replaces the deleted one: recorded before the first deletion.
    pub moves_to: Option<AwsEndpoint>,
}

/// The AWS side of a move that did not finish, where neither the state nor the configuration names
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterruptedMove {
    pub endpoint: AwsEndpoint,
    pub objects: Managed,
}

/// Objects of a link that another one takes over: they get its ownership tags, and the incomplete
/// tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    pub link: LinkId,
    /// The AWS side, as its tag has it.
    pub endpoint: Option<String>,
    pub kept: Managed,
    /// Values of the AWS tag `Name`, by id.
    pub names: BTreeMap<String, String>,
}

/// A link as a user names it for import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportId {
    pub azure_gateway: ResourceId,
    /// The AWS end, where the link is named by its two ends.
    pub aws_gateway: Option<AwsGatewayId>,
    /// Inside CIDR of the link's first tunnel, or of any where the AWS end is named too.
    pub inside_cidr: Option<InsideCidr>,
    /// None: the provider's.
    pub region: Option<Region>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsGatewayId {
    VpnGateway(VpnGatewayId),
    TransitGateway(TransitGatewayId),
}

/// Why a text is not an import ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportIdError {
    #[error("{0:?} is not the ID of an Azure VPN gateway")]
    InvalidGateway(String),
    #[error("{0} is not the ID of a virtual network gateway")]
    WrongResourceType(ResourceId),
    #[error(
        "the inside CIDR, vgw-... ID or tgw-... ID after the ID of the Azure gateway is missing"
    )]
    MissingAwsGateway,
    #[error("{0:?} is neither an inside CIDR nor a vgw-... or tgw-... ID: {1}")]
    InvalidAwsGateway(String, super::inside_cidr::InsideCidrError),
    #[error("{0:?} is not an inside CIDR: {1}")]
    InvalidInsideCidr(String, super::inside_cidr::InsideCidrError),
    #[error("{0:?} after the inside CIDR is not part of an import ID")]
    TooManyParts(String),
    #[error("{0:?} is not an AWS region")]
    InvalidRegion(String),
}

impl ImportId {
    /// The ID of a link, by its first inside CIDR.
    pub fn of_link(
        azure_gateway: ResourceId,
        inside_cidrs: &PerTunnel<InsideCidr>,
        region: Region,
    ) -> Self {
        ImportId {
            azure_gateway,
            aws_gateway: None,
            inside_cidr: Some(*inside_cidrs.get(TunnelKey::ALL[0])),
            region: Some(region),
        }
    }

    /// `<Azure gateway id>,<inside CIDR>`, or `<Azure gateway id>,<vgw-...>[,<inside CIDR>]`,
    /// either with `@<region>` at its end.
    ///
    /// # Errors
    /// The first part that cannot be read.
    pub fn parse(text: &str) -> Result<Self, ImportIdError> {
        let text = text.trim();
        let (text, region) = match text.rsplit_once('@') {
            Some((rest, region)) => (rest, Some(check_region(region)?)),
            None => (text, None),
        };
        let mut parts = text.split(',').map(str::trim);
        let gateway = parts.next().unwrap_or_default();
        let azure_gateway = ResourceId::parse(gateway)
            .map_err(|_| ImportIdError::InvalidGateway(gateway.to_owned()))?;
        if !azure_gateway
            .kind()
            .eq_ignore_ascii_case("virtualNetworkGateways")
        {
            return Err(ImportIdError::WrongResourceType(azure_gateway));
        }
        let end = parts
            .next()
            .filter(|end| !end.is_empty())
            .ok_or(ImportIdError::MissingAwsGateway)?;
        let has_prefix = |prefix: &str| {
            let digits = end.strip_prefix(prefix);
            digits.is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_alphanumeric())
            })
        };
        let aws_gateway = if has_prefix("vgw-") {
            Some(AwsGatewayId::VpnGateway(VpnGatewayId(end.to_owned())))
        } else if has_prefix("tgw-") {
            Some(AwsGatewayId::TransitGateway(TransitGatewayId(
                end.to_owned(),
            )))
        } else {
            None
        };
        let inside_cidr = if aws_gateway.is_none() {
            Some(
                InsideCidr::parse(end).map_err(|violation| {
                    ImportIdError::InvalidAwsGateway(end.to_owned(), violation)
                })?,
            )
        } else {
            let cidr = parts.next();
            cidr.map(|t| {
                InsideCidr::parse(t)
                    .map_err(|violation| ImportIdError::InvalidInsideCidr(t.to_owned(), violation))
            })
            .transpose()?
        };
        match parts.next() {
            Some(more) => Err(ImportIdError::TooManyParts(more.to_owned())),
            None => Ok(ImportId {
                azure_gateway,
                aws_gateway,
                inside_cidr,
                region,
            }),
        }
    }
}

fn check_region(text: &str) -> Result<Region, ImportIdError> {
    Region::parse(text).ok_or_else(|| ImportIdError::InvalidRegion(text.to_owned()))
}

impl ImportId {
    /// The same link in another region, or in one to be filled in.
    pub fn in_region(&self, region: &str) -> String {
        format!(
            "{}@{region}",
            ImportId {
                region: None,
                ..self.clone()
            }
        )
    }
}

impl fmt::Display for ImportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.azure_gateway)?;
        match &self.aws_gateway {
            Some(AwsGatewayId::VpnGateway(id)) => write!(f, ",{id}")?,
            Some(AwsGatewayId::TransitGateway(id)) => write!(f, ",{id}")?,
            None => {}
        }
        if let Some(cidr) = self.inside_cidr {
            write!(f, ",{cidr}")?;
        }
        match &self.region {
            Some(region) => write!(f, "@{region}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GATEWAY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/VNet1GW";

    #[test]
    fn import_id_forms_round_trip() {
        for tail in [
            ",169.254.21.0/30",
            ",169.254.21.0/30@eu-west-1",
            ",vgw-1",
            ",vgw-1,169.254.22.4/30",
            ",vgw-1@us-east-1",
        ] {
            let text = format!("{GATEWAY}{tail}");
            assert_eq!(ImportId::parse(&text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn import_id_error_names_wrong_part() {
        let violation = |tail: &str| ImportId::parse(&format!("{GATEWAY}{tail}")).unwrap_err();
        assert_eq!(violation(""), ImportIdError::MissingAwsGateway);
        assert!(matches!(
            violation(",10.0.0.0/30"),
            ImportIdError::InvalidAwsGateway(..)
        ));
        assert!(matches!(
            violation(",vgw-1,x"),
            ImportIdError::InvalidInsideCidr(..)
        ));
        assert!(matches!(
            violation(",vgw-1 2"),
            ImportIdError::InvalidAwsGateway(..)
        ));
        assert!(matches!(
            violation("\u{b}/,vgw-1"),
            ImportIdError::InvalidGateway(_)
        ));
        assert!(matches!(
            violation(",169.254.21.0/30,x"),
            ImportIdError::TooManyParts(_)
        ));
        assert!(matches!(
            violation(",vgw-1@Ireland"),
            ImportIdError::InvalidRegion(_)
        ));
        assert!(matches!(
            ImportId::parse("vpn-1,vgw-1"),
            Err(ImportIdError::InvalidGateway(_))
        ));
        let connection = GATEWAY.replace("virtualNetworkGateways", "connections");
        assert!(matches!(
            ImportId::parse(&format!("{connection},vgw-1")),
            Err(ImportIdError::WrongResourceType(_))
        ));
    }
}
