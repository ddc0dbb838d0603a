//! What is wrong with a wish: which field, why, and a way out. Faults know no configuration language; `provider` gives
//! each field its path.

use super::address::CidrFault;
use super::names::NameFault;
use super::policy::PolicyFault;
use super::tunnel::TunnelKey;
use crate::primitives::KeyFault;
use crate::primitives::tags::TagFault;

/// A field that can be at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Name,
    ResourceGroup,
    Location,
    Zones,
    NetworkId,
    NetworkName,
    AddressSpace,
    /// Of the VNet to be created.
    NetworkGatewaySubnet,
    /// Of an existing VNet.
    GatewaySubnet,
    /// A further subnet, by name.
    Subnet(String),
    AzureGateway,
    Sku,
    Generation,
    AzureAsn,
    ConnectionMode,
    AzureDpdSeconds,
    AzureName(String),
    AwsName(String),
    VpcId,
    VpcCidr,
    PublicSubnet,
    VpnGateway,
    TransitGateway,
    Region,
    AwsAsn,
    RouteTables,
    StartupAction,
    DpdAction,
    AwsDpdSeconds,
    KeyStorage,
    Acceleration,
    Bandwidth,
    Logs(&'static str),
    Slot,
    InsideCidr(TunnelKey),
    Policy(&'static str),
    OwnKey(TunnelKey),
    OwnKeys,
    OwnKeysVersion,
    RotateKeys,
    OnCreateFailure,
    Tag(String),
    Tags,
    Timeout(String),
    ManageGateways,
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub field: Field,
    pub problem: Problem,
    /// Told, but let be.
    pub warning: bool,
}

impl Fault {
    pub fn error(field: Field, problem: Problem) -> Self {
        Fault { field, problem, warning: false }
    }

    pub fn warning(field: Field, problem: Problem) -> Self {
        Fault { field, problem, warning: true }
    }
}

/// What is wrong. Its text is whole sentences: what, why, and the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("{0}.")]
    Name(NameFault),
    #[error("{0:?} is not an IPv4 network in CIDR notation with no host bits set, such as 10.1.0.0/16.")]
    NotANetwork(String),
    #[error("{0:?} is not the id of {1}.")]
    NotAnId(String, &'static str),
    #[error("{given:?} is not one of {allowed}.")]
    NotOneOf { given: String, allowed: &'static str },
    #[error("{given} is outside {least} to {most}{unit}.")]
    OutOfRange { given: i64, least: i64, most: i64, unit: &'static str },
    #[error("{0:?} is not a duration such as \"120m\", \"2h30m\" or \"90s\".")]
    NotADuration(String),
    #[error(
        "{0:?} is not the ARN of a CloudWatch log group, such as arn:aws:logs:eu-west-1:123456789012:log-group:vpn. Use the group's ARN, without :* at its end."
    )]
    NotALogGroup(String),
    #[error("There is no log that would have this format: set {0} too, or leave the format out.")]
    FormatWithoutLog(&'static str),
    #[error("{0:?} is not an AWS region, such as eu-west-1.")]
    NotARegion(String),
    #[error("Set {0}.")]
    Missing(&'static str),
    #[error(
        "A link on a transit gateway has no VPN gateway and is not attached to a VPC. Remove {0} or transit_gateway_id."
    )]
    BesideTransit(&'static str),
    #[error(
        "AWS has this for VPN connections of transit gateways only. Leave it out, or end the link on one with transit_gateway_id."
    )]
    TransitOnly,
    #[error(
        "AWS leaves it to the other end to renew the keys of an accelerated connection, and Azure only answers (ResponderOnly): tunnels may drop when keys run out. Use connection_mode = \"Default\"."
    )]
    NobodyRekeys,
    #[error("{given:?} and {other:?} name two different objects. Keep one of the two attributes.")]
    TwoObjects { given: String, other: String },
    #[error("{0}.")]
    Cidr(CidrFault),
    #[error(
        "{cidr} is the inside network of {other} too: every tunnel needs a /30 of its own. Choose another, or leave both to slot."
    )]
    CidrTwice { cidr: String, other: TunnelKey },
    #[error("azure.names.{other} is {name:?} too. Objects of one kind need different names in a resource group.")]
    NameTwice { name: String, other: String },
    #[error("{0}.")]
    Policy(PolicyFault),
    #[error("{0}.")]
    PolicyWord(String),
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
    NobodyDials,
    #[error(
        "After a silent loss AWS would not dial again ({0:?}), and Azure only answers (ResponderOnly): the tunnel would stay down. Use dpd_timeout_action = \"restart\", or connection_mode = \"Default\"."
    )]
    NobodyRedials(String),
    #[error(
        "Azure takes no calls (InitiatorOnly) while AWS dials (start): the first attempts of each tunnel may be lost. startup_action = \"add\" is the quiet pair."
    )]
    BothDial,
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
    Key(TunnelKey, KeyFault),
    #[error(
        "Set preshared_keys_wo_version with it (any number, raised whenever the keys change): Terraform does not store the keys, so it could not tell a new one."
    )]
    KeysWithoutVersion,
    #[error("There is nothing that it is the version of. Set preshared_keys_wo, or remove it.")]
    VersionWithoutKeys,
    #[error(
        "Keys of your own are in preshared_keys_wo: change them there and raise preshared_keys_wo_version, and all tunnels get them one at a time. Or remove preshared_keys_wo, to have keys generated."
    )]
    RotationOfOwnKeys,
    #[error("Invalid tag: {0}. Change or remove it.")]
    Tag(TagFault),
    #[error("{given} overlaps {reserved}, which neither cloud accepts in a network.")]
    ReservedRange { given: String, reserved: String },
    #[error("{0:?} is given twice: Azure compares subnet names without regard to case.")]
    SubnetTwice(String),
    #[error("{0:?} is not an Azure region, such as westeurope or \"West Europe\".")]
    NotALocation(String),
    #[error("{0} is not a whole number.")]
    NotWhole(String),
    #[error("{0:?} is not from 1 second to 168 hours.")]
    Timeout(String),
    #[error(
        "This change takes a new object, while {0} names the present one. Leave {0} out, or name the new object by it."
    )]
    Pinned(&'static str),
    #[error("{0:?} is not an availability zone. Use zone numbers such as \"1\", \"2\" and \"3\", or [] for none.")]
    NotAZone(String),
    #[error(
        "The public IPs of this link exist in {has}, and Azure cannot move them. Set zones to that, or remove it. To use other zones, mark the link for recreation with terraform taint."
    )]
    ZonesFixed { has: String },
    #[error(
        "gateway_id names an existing gateway, so no public IP is created and zones has no effect. Remove zones, or gateway_id."
    )]
    ZonesOfGivenGateway,
    #[error("{0}")]
    Surroundings(super::survey::Finding),
}

impl Problem {
    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            Problem::Name(_) => "Name that Azure refuses",
            Problem::NotANetwork(_) | Problem::NotWithin { .. } | Problem::SubnetsOverlap(..) => "Wrong network",
            Problem::NotAnId(..) => "Wrong id",
            Problem::NotOneOf { .. } => "Unknown word",
            Problem::OutOfRange { .. } => "Number out of range",
            Problem::NotADuration(_) => "Wrong duration",
            Problem::NotARegion(_) => "Wrong region",
            Problem::NotALogGroup(_) => "Wrong log group",
            Problem::FormatWithoutLog(_) => "Format of no log",
            Problem::Missing(_) => "Something is missing",
            Problem::TwoObjects { .. } | Problem::BesideTransit(_) => "Two attributes disagree",
            Problem::Cidr(_) | Problem::CidrTwice { .. } => "Wrong inside CIDR",
            Problem::Policy(_) | Problem::PolicyWord(_) | Problem::PolicyFieldsWithCloudDefault => {
                "Policy that one of the clouds refuses"
            }
            Problem::NameTwice { .. } => "Conflicting names",
            Problem::AsnsEqual(_) | Problem::AzureAsn(_) | Problem::AwsAsn(_) => "Wrong ASN",
            Problem::Sku(_) => "SKU that cannot be created",
            Problem::Generation { .. } => "Generation that the SKU lacks",
            Problem::NobodyDials | Problem::NobodyRedials(_) => "Nobody starts the tunnels",
            Problem::TransitOnly => "Setting of transit gateways",
            Problem::NobodyRekeys => "Nobody renews the keys",
            Problem::BothDial => "Azure answers no calls",
            Problem::GatewaySubnetTooSmall(_) | Problem::GatewaySubnetSmall(_) | Problem::GatewaySubnetMisnamed => {
                "Wrong gateway subnet"
            }
            Problem::Key(..) => "Key that one of the clouds refuses",
            Problem::KeysWithoutVersion | Problem::VersionWithoutKeys => "Keys and their version go together",
            Problem::RotationOfOwnKeys => "Keys of your own are not generated",
            Problem::Pinned(_) => "Change of an object that is named by id",
            Problem::Tag(_) => "Invalid tag",
            Problem::ReservedRange { .. } => "Invalid address range",
            Problem::SubnetTwice(_) => "Conflicting subnet names",
            Problem::NotALocation(_) => "Invalid location",
            Problem::NotWhole(_) => "Invalid number",
            Problem::Timeout(_) => "Invalid timeout",
            Problem::NotAZone(_) => "Invalid availability zone",
            Problem::ZonesFixed { .. } => "Unsupported change of zones",
            Problem::ZonesOfGivenGateway => "Conflicting attributes",
            Problem::Surroundings(finding) => finding.summary(),
        }
    }
}
