//! What is wrong with a wish: which field, why, and a way out. Faults know no configuration language; `provider` gives
//! each field its path.

pub use super::config::AttributeId;

use super::inside_cidr::InsideCidrError;
use super::ipsec::IpsecPolicyError;
use super::names::NameError;
use super::tunnel::TunnelKey;
use crate::types::PskError;
use crate::types::tags::TagError;

/// Whether a violation stops the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub attribute: AttributeId,
    pub kind: ViolationKind,
    /// Told, but let be.
    pub severity: Severity,
}

impl Violation {
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }

    pub fn error(field: AttributeId, problem: ViolationKind) -> Self {
        Violation { attribute: field, kind: problem, severity: Severity::Error }
    }

    pub fn warning(field: AttributeId, problem: ViolationKind) -> Self {
        Violation { attribute: field, kind: problem, severity: Severity::Warning }
    }
}

/// What is wrong. Its text is whole sentences: what, why, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViolationKind {
    #[error("{0}.")]
    Name(NameError),
    #[error("{0:?} is not an IPv4 network in CIDR notation with no host bits set, such as 10.1.0.0/16.")]
    InvalidCidr(String),
    #[error("{0:?} is not the id of {1}.")]
    InvalidId(String, &'static str),
    #[error("{given:?} is not one of {allowed}.")]
    NotOneOf { given: String, allowed: &'static str },
    #[error("{given} is outside {least} to {most}{unit}.")]
    OutOfRange { given: i64, least: i64, most: i64, unit: &'static str },
    #[error("{0:?} is not a duration such as \"120m\", \"2h30m\" or \"90s\".")]
    InvalidDuration(String),
    #[error(
        "{0:?} is not the ARN of a CloudWatch log group, such as arn:aws:logs:eu-west-1:123456789012:log-group:vpn. Use the group's ARN, without :* at its end."
    )]
    InvalidLogGroup(String),
    #[error("There is no log that would have this format: set {0} too, or leave the format out.")]
    LogFormatWithoutGroup(&'static str),
    #[error("{0:?} is not an AWS region, such as eu-west-1.")]
    InvalidRegion(String),
    #[error("Set {0}.")]
    MissingRequired(&'static str),
    #[error(
        "A link on a transit gateway has no VPN gateway and is not attached to a VPC. Remove {0} or transit_gateway_id."
    )]
    ConflictsWithTransitGateway(&'static str),
    #[error(
        "AWS has this for VPN connections of transit gateways only. Leave it out, or end the link on one with transit_gateway_id."
    )]
    RequiresTransitGateway,
    #[error(
        "AWS leaves it to the other end to renew the keys of an accelerated connection, and Azure only answers (ResponderOnly): tunnels may drop when keys run out. Use connection_mode = \"Default\"."
    )]
    NoRekeyInitiator,
    #[error("{given:?} and {other:?} name two different objects. Keep one of the two attributes.")]
    ConflictingIds { given: String, other: String },
    #[error("{0}.")]
    Cidr(InsideCidrError),
    #[error(
        "{cidr} is the inside network of {other} too: every tunnel needs a /30 of its own. Choose another, or leave both to slot."
    )]
    DuplicateInsideCidr { cidr: String, other: TunnelKey },
    #[error("azure.names.{other} is {name:?} too. Objects of one kind need different names in a resource group.")]
    DuplicateName { name: String, other: String },
    #[error("{0}.")]
    Policy(IpsecPolicyError),
    #[error("{0}.")]
    UnsupportedAlgorithm(String),
    #[error(
        "The preset cloud_default leaves every choice to the two clouds. Leave the single fields out, or the preset."
    )]
    PolicyFieldsWithCloudDefault,
    #[error("Both ends have ASN {0}, and BGP between the two clouds is external: give one of them another number.")]
    AsnsEqual(u32),
    #[error(
        "ASN {0} is reserved by IANA or not a number that Azure takes for a gateway. Use a private one, such as 65000; 65515 is Azure's own default and legal here."
    )]
    AzureAsn(i64),
    #[error(
        "ASN {0} is nothing that AWS takes for a new gateway and Azure for its peer. Use 64512 to 65534 but 65515 and 65517 to 65520, or 4200000000 to 4294967294."
    )]
    AwsAsn(i64),
    #[error(
        "{0:?} cannot be created: Azure makes new VPN gateways with the zone-redundant SKUs VpnGw1AZ to VpnGw5AZ only (Basic, which has no BGP, apart). Use VpnGw2AZ."
    )]
    Sku(String),
    #[error("{sku} comes as {has} only. Leave generation out, or choose another SKU.")]
    Generation { sku: String, has: &'static str },
    #[error(
        "AWS waits (add) and Azure only answers (ResponderOnly), so nobody would ever start the tunnels. Use startup_action = \"start\", or connection_mode = \"Default\"."
    )]
    NoInitiator,
    #[error(
        "After a silent loss AWS would not dial again ({0:?}), and Azure only answers (ResponderOnly): the tunnel would stay down. Use dpd_timeout_action = \"restart\", or connection_mode = \"Default\"."
    )]
    NoReconnectInitiator(String),
    #[error(
        "Azure takes no calls (InitiatorOnly) while AWS dials (start): the first attempts of each tunnel may be lost. startup_action = \"add\" is the quiet pair."
    )]
    BothInitiate,
    #[error("{subnet} is not part of {whole}.")]
    NotWithin { subnet: String, whole: String },
    #[error("{0} and {1} overlap within one network.")]
    SubnetsOverlap(String, String),
    #[error("{0} is too small for a VPN gateway: Azure needs /29 at least, and recommends /27.")]
    GatewaySubnetTooSmall(String),
    #[error(
        "{0} is enough for this gateway, but Azure recommends /27 or larger: a gateway subnet cannot grow once a gateway sits in it."
    )]
    GatewaySubnetSmall(String),
    #[error(
        "Azure looks for a VPN gateway's subnet by the name GatewaySubnet, in that spelling. Use gateway_subnet_prefix, which makes it."
    )]
    GatewaySubnetMisnamed,
    #[error("A key of {0} is not one that both clouds take: {1}.")]
    Key(TunnelKey, PskError),
    #[error(
        "Set preshared_keys_wo_version with it (any number, raised whenever the keys change): Terraform does not store the keys, so it could not tell a new one."
    )]
    KeysWithoutVersion,
    #[error("There is nothing that it is the version of. Set preshared_keys_wo, or remove it.")]
    VersionWithoutKeys,
    #[error(
        "Keys of your own are in preshared_keys_wo: change them there and raise preshared_keys_wo_version, and all tunnels get them one at a time. Or remove preshared_keys_wo, to have keys generated."
    )]
    RotationOfConfiguredKeys,
    #[error("Invalid tag: {0}. Change or remove it.")]
    Tag(TagError),
    #[error("{given} overlaps {reserved}, which neither cloud accepts in a network.")]
    ReservedRange { given: String, reserved: String },
    #[error("{0:?} is given twice: Azure compares subnet names without regard to case.")]
    DuplicateSubnet(String),
    #[error("{0:?} is not an Azure region, such as westeurope or \"West Europe\".")]
    InvalidLocation(String),
    #[error("{0} is not a whole number.")]
    NotAnInteger(String),
    #[error("{0:?} is not from 1 second to 168 hours.")]
    Timeout(String),
    #[error(
        "This change takes a new object, while {0} names the present one. Leave {0} out, or name the new object by it."
    )]
    PinnedByExistingId(&'static str),
    #[error("{0:?} is not an availability zone. Use zone numbers such as \"1\", \"2\" and \"3\", or [] for none.")]
    InvalidZone(String),
    #[error(
        "The public IPs of this link exist in {has}, and Azure cannot move them. Set zones to that, or remove it. To use other zones, mark the link for recreation with terraform taint."
    )]
    ZonesImmutable { has: String },
    #[error(
        "gateway_id names an existing gateway, so no public IP is created and zones has no effect. Remove zones, or gateway_id."
    )]
    ZonesOfExistingGateway,
    #[error("{0}")]
    Preflight(super::preflight_issue::PreflightIssue),
}

impl ViolationKind {
    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            ViolationKind::Name(_) => "Name that Azure refuses",
            ViolationKind::InvalidCidr(_) | ViolationKind::NotWithin { .. } | ViolationKind::SubnetsOverlap(..) => {
                "Wrong network"
            }
            ViolationKind::InvalidId(..) => "Wrong id",
            ViolationKind::NotOneOf { .. } => "Unknown word",
            ViolationKind::OutOfRange { .. } => "Number out of range",
            ViolationKind::InvalidDuration(_) => "Wrong duration",
            ViolationKind::InvalidRegion(_) => "Wrong region",
            ViolationKind::InvalidLogGroup(_) => "Wrong log group",
            ViolationKind::LogFormatWithoutGroup(_) => "Format of no log",
            ViolationKind::MissingRequired(_) => "Something is missing",
            ViolationKind::ConflictingIds { .. } | ViolationKind::ConflictsWithTransitGateway(_) => {
                "Two attributes disagree"
            }
            ViolationKind::Cidr(_) | ViolationKind::DuplicateInsideCidr { .. } => "Wrong inside CIDR",
            ViolationKind::Policy(_)
            | ViolationKind::UnsupportedAlgorithm(_)
            | ViolationKind::PolicyFieldsWithCloudDefault => "Policy that one of the clouds refuses",
            ViolationKind::DuplicateName { .. } => "Conflicting names",
            ViolationKind::AsnsEqual(_) | ViolationKind::AzureAsn(_) | ViolationKind::AwsAsn(_) => "Wrong ASN",
            ViolationKind::Sku(_) => "SKU that cannot be created",
            ViolationKind::Generation { .. } => "Generation that the SKU lacks",
            ViolationKind::NoInitiator | ViolationKind::NoReconnectInitiator(_) => "Nobody starts the tunnels",
            ViolationKind::RequiresTransitGateway => "Setting of transit gateways",
            ViolationKind::NoRekeyInitiator => "Nobody renews the keys",
            ViolationKind::BothInitiate => "Azure answers no calls",
            ViolationKind::GatewaySubnetTooSmall(_)
            | ViolationKind::GatewaySubnetSmall(_)
            | ViolationKind::GatewaySubnetMisnamed => "Wrong gateway subnet",
            ViolationKind::Key(..) => "Key that one of the clouds refuses",
            ViolationKind::KeysWithoutVersion | ViolationKind::VersionWithoutKeys => {
                "Keys and their version go together"
            }
            ViolationKind::RotationOfConfiguredKeys => "Keys of your own are not generated",
            ViolationKind::PinnedByExistingId(_) => "Change of an object that is named by id",
            ViolationKind::Tag(_) => "Invalid tag",
            ViolationKind::ReservedRange { .. } => "Invalid address range",
            ViolationKind::DuplicateSubnet(_) => "Conflicting subnet names",
            ViolationKind::InvalidLocation(_) => "Invalid location",
            ViolationKind::NotAnInteger(_) => "Invalid number",
            ViolationKind::Timeout(_) => "Invalid timeout",
            ViolationKind::InvalidZone(_) => "Invalid availability zone",
            ViolationKind::ZonesImmutable { .. } => "Unsupported change of zones",
            ViolationKind::ZonesOfExistingGateway => "Conflicting attributes",
            ViolationKind::Preflight(finding) => finding.summary(),
        }
    }
}
