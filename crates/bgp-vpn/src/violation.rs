//! What is wrong with a configuration: which field, why, and what to do. Violations do not depend
//! on a configuration language; `provider` gives each field its path.

pub use super::config::AttributeId;

use super::inside_cidr::InsideCidrError;
use super::ipsec::IpsecPolicyError;
use super::names::NameError;
use super::rekeying::RekeyOrderError;
use super::summaries;
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
    /// A warning does not stop the plan.
    pub severity: Severity,
}

impl Violation {
    pub fn is_warning(&self) -> bool {
        self.severity == Severity::Warning
    }

    pub fn error(field: AttributeId, problem: ViolationKind) -> Self {
        Violation {
            attribute: field,
            kind: problem,
            severity: Severity::Error,
        }
    }

    pub fn warning(field: AttributeId, problem: ViolationKind) -> Self {
        Violation {
            attribute: field,
            kind: problem,
            severity: Severity::Warning,
        }
    }
}

/// What is wrong. Its text consists of sentences: what, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViolationKind {
    #[error("{0}.")]
    Name(NameError),
    #[error(
        "{0:?} is not an IPv4 network in CIDR notation without host bits, such as 10.1.0.0/16."
    )]
    InvalidCidr(String),
    #[error("{0:?} is not the ID of {1}.")]
    InvalidId(String, &'static str),
    #[error("{given:?} is not supported. Use one of {allowed}.")]
    NotOneOf {
        given: String,
        allowed: &'static str,
    },
    #[error("{given} is out of range. Use {least} to {most}{unit}.")]
    OutOfRange {
        given: i64,
        least: i64,
        most: i64,
        unit: &'static str,
    },
    #[error("{0:?} is not a duration such as \"120m\", \"2h30m\" or \"90s\".")]
    InvalidDuration(String),
    #[error(
        "{0:?} is not the ARN of a CloudWatch log group, such as arn:aws:logs:eu-west-1:123456789012:log-group:vpn. Use the ARN of the group without the suffix :*."
    )]
    InvalidLogGroup(String),
    #[error(
        "The log group is in {has}, and AWS requires it in the region of the VPN connections, {needs}. Use a log group in {needs}."
    )]
    LogGroupInOtherRegion { has: String, needs: String },
    #[error("This format applies to a log that is not enabled. Set {0} too, or remove the format.")]
    LogFormatWithoutGroup(&'static str),
    #[error(
        "{0:?} is not the name of an AWS region, such as eu-west-1. Correct aws.region of the link. If the link has none, correct the region of the provider (aws.region, AWS_REGION or AWS_DEFAULT_REGION)."
    )]
    InvalidRegion(String),
    #[error("{0}.")]
    MissingRequired(&'static str),
    #[error(
        "A link on a transit gateway has no virtual private gateway and is not attached to a VPC. Remove aws.{0} or aws.transit_gateway_id."
    )]
    ConflictsWithTransitGateway(&'static str),
    #[error(
        "AWS supports this setting only for VPN connections of transit gateways. Remove it, or set aws.transit_gateway_id."
    )]
    RequiresTransitGateway,
    #[error(
        "AWS keeps accelerated tunnels up only if Azure initiates the rekeys, and Microsoft does not document that a gateway with azure.connection_mode = \"ResponderOnly\" does. Use azure.connection_mode = \"Default\"."
    )]
    NoRekeyInitiator,
    #[error(
        "AWS keeps accelerated tunnels up only if Azure initiates the rekeys. For IPsec, the configured lifetimes guarantee this. For IKE, no setting can: both lifetimes are 28800 s, and AWS may rekey up to 540 s before the end. Each tunnel may be down for a few seconds every 8 hours."
    )]
    UncertainIkeRekey,
    #[error(
        "AWS keeps accelerated tunnels up only if Azure initiates the rekeys. {0}, or set aws.enable_acceleration = false."
    )]
    RekeyOrder(RekeyOrderError),
    #[error(
        "{network} and {gateway} are in different Azure subscriptions. A VPN gateway is in the subscription of its virtual network. Correct one of the two IDs."
    )]
    ConflictingSubscriptions { network: String, gateway: String },
    #[error("{given:?} and {other:?} name different objects. Remove one of the two attributes.")]
    ConflictingIds { given: String, other: String },
    #[error("{0}.")]
    Cidr(InsideCidrError),
    #[error(
        "{cidr} is also the inside CIDR of {other}. Every tunnel needs its own /30. Use another CIDR, or remove both and set slot."
    )]
    DuplicateInsideCidr { cidr: String, other: TunnelKey },
    #[error(
        "azure.names.{other} is also {name:?}. Objects of the same type need different names in a resource group."
    )]
    DuplicateName { name: String, other: String },
    #[error("{0}.")]
    Policy(IpsecPolicyError),
    #[error("{0}.")]
    UnsupportedAlgorithm(String),
    #[error(
        "The preset cloud_default leaves every choice to the two clouds. Remove the individual fields, or remove the preset."
    )]
    PolicyFieldsWithCloudDefault,
    #[error(
        "azure.asn and aws.asn are both {0}. External BGP needs different ASNs. Change one of them."
    )]
    AsnsEqual(u32),
    #[error(
        "ASN {0} is reserved by IANA or not accepted by Azure for a gateway. Use a private ASN, such as 65000, or 65515, the default of Azure."
    )]
    AzureAsn(i64),
    #[error(
        "ASN {0} cannot be used: AWS must accept it for a new gateway, and Azure must accept it for a BGP peer. Valid values: 64512-65514, 65516, 65521-65534 and 4200000000-4294967294."
    )]
    AwsAsn(i64),
    #[error(
        "A gateway with SKU {0:?} cannot be created for this link. Azure creates gateways that support BGP only with the SKUs VpnGw1AZ to VpnGw5AZ. Use VpnGw2AZ."
    )]
    Sku(String),
    #[error("SKU {sku} exists only as {has}. Remove generation, or set another SKU.")]
    Generation { sku: String, has: &'static str },
    #[error(
        "aws.startup_action = \"add\" and azure.connection_mode = \"ResponderOnly\" both wait for the peer, so the tunnels would never come up. Use aws.startup_action = \"start\", or azure.connection_mode = \"Default\"."
    )]
    NoInitiator,
    #[error(
        "After a DPD timeout, AWS does not reconnect (aws.dpd_timeout_action = {0:?}), and Azure only responds (azure.connection_mode = \"ResponderOnly\"). The tunnel would stay down. Use aws.dpd_timeout_action = \"restart\", or azure.connection_mode = \"Default\"."
    )]
    NoReconnectInitiator(String),
    #[error(
        "azure.connection_mode = \"InitiatorOnly\" does not respond to AWS, and aws.startup_action = \"start\" makes AWS initiate. The first connection attempts of AWS fail. Use aws.startup_action = \"add\"."
    )]
    BothInitiate,
    #[error("{subnet} is not within {space}.")]
    NotWithin { subnet: String, space: String },
    #[error("The subnets {0} and {1} overlap. Change one of them.")]
    SubnetsOverlap(String, String),
    #[error("{0} is too small for a VPN gateway. Azure requires /29 or larger and recommends /27.")]
    GatewaySubnetTooSmall(String),
    #[error(
        "{0} works, but Azure recommends /27 or larger. The subnet cannot be resized while a gateway uses it."
    )]
    GatewaySubnetSmall(String),
    #[error(
        "The subnet of a VPN gateway must be named exactly GatewaySubnet, with these capitals. Use gateway_subnet_prefix, which creates it."
    )]
    GatewaySubnetMisnamed,
    #[error("Both clouds must accept the pre-shared key of {0}: {1}.")]
    Key(TunnelKey, PskError),
    #[error(
        "Set preshared_keys_wo_version too, and increase it whenever a key changes. Terraform does not store the keys, so it cannot detect when they change."
    )]
    KeysWithoutVersion,
    #[error(
        "preshared_keys_wo_version is set without preshared_keys_wo. Set preshared_keys_wo, or remove the version."
    )]
    VersionWithoutKeys,
    #[error(
        "rotate_keys generates keys, but preshared_keys_wo configures them. Change the keys there and increase preshared_keys_wo_version: they are applied one tunnel at a time. Or remove preshared_keys_wo to use generated keys."
    )]
    RotationOfConfiguredKeys,
    #[error("Change or remove the tag: {0}.")]
    Tag(TagError),
    #[error("{given} overlaps {reserved}, which neither cloud accepts in a network.")]
    ReservedRange { given: String, reserved: String },
    #[error("{0:?} occurs twice. Azure ignores letter case in subnet names.")]
    DuplicateSubnet(String),
    #[error("{0:?} is not an Azure region, such as westeurope or \"West Europe\".")]
    InvalidLocation(String),
    #[error("{0} is not a whole number.")]
    NotAnInteger(String),
    #[error("{0:?} is out of range. Use 1 second to 168 hours.")]
    Timeout(String),
    #[error(
        "This change replaces an object, but aws.{0} is the ID of the current one. Remove aws.{0}, or set it to the ID of the new object."
    )]
    PinnedByExistingId(&'static str),
    #[error(
        "{0:?} is not an availability zone. Use zone numbers such as \"1\", \"2\" and \"3\", or [] in a location without availability zones."
    )]
    InvalidZone(String),
    #[error(
        "The public IPs of this link exist in {has}, and Azure cannot move them. Set azure.zones to these zones, or remove it. To use other zones, recreate the link: terraform apply -replace=ADDRESS."
    )]
    ZonesImmutable { has: String },
    #[error(
        "azure.gateway_id names an existing gateway, so no public IP is created and azure.zones has no effect. Remove one of the two."
    )]
    ZonesOfExistingGateway,
    #[error("{0}")]
    Preflight(super::preflight_issue::PreflightIssue),
    #[error(transparent)]
    Account(super::account::AccountIssue),
}

impl ViolationKind {
    /// One line, without a full stop.
    pub fn summary(&self) -> &'static str {
        match self {
            ViolationKind::Name(_) => summaries::INVALID_AZURE_NAME,
            ViolationKind::InvalidCidr(_) | ViolationKind::NotWithin { .. } => {
                summaries::INVALID_CIDR_BLOCK
            }
            ViolationKind::SubnetsOverlap(..) => summaries::CONFLICTING_SUBNETS,
            ViolationKind::InvalidId(..) => summaries::INVALID_ID,
            ViolationKind::NotOneOf { .. } => summaries::INVALID_VALUE,
            ViolationKind::OutOfRange { .. } | ViolationKind::NotAnInteger(_) => {
                summaries::INVALID_NUMBER
            }
            ViolationKind::InvalidDuration(_) => summaries::INVALID_DURATION,
            ViolationKind::InvalidRegion(_) => summaries::INVALID_REGION,
            ViolationKind::InvalidLogGroup(_) | ViolationKind::LogGroupInOtherRegion { .. } => {
                summaries::INVALID_LOG_GROUP
            }
            ViolationKind::LogFormatWithoutGroup(_) => summaries::MISSING_LOG_GROUP,
            ViolationKind::MissingRequired(_) => summaries::MISSING_REQUIRED_ARGUMENT,
            ViolationKind::ConflictingSubscriptions { .. } => summaries::CONFLICTING_SUBSCRIPTIONS,
            ViolationKind::ConflictingIds { .. }
            | ViolationKind::ConflictsWithTransitGateway(_)
            | ViolationKind::ZonesOfExistingGateway => summaries::CONFLICTING_ATTRIBUTES,
            ViolationKind::Cidr(_) => summaries::INVALID_INSIDE_CIDR,
            ViolationKind::DuplicateInsideCidr { .. } => summaries::CONFLICTING_INSIDE_CIDRS,
            ViolationKind::Policy(_) => summaries::INVALID_IPSEC_POLICY,
            ViolationKind::UnsupportedAlgorithm(_) => summaries::UNSUPPORTED_ALGORITHM,
            ViolationKind::PolicyFieldsWithCloudDefault => summaries::CONFLICTING_IPSEC_POLICY,
            ViolationKind::DuplicateName { .. } => summaries::CONFLICTING_NAMES,
            ViolationKind::AsnsEqual(_) => summaries::CONFLICTING_ASNS,
            ViolationKind::AzureAsn(_) => summaries::INVALID_AZURE_ASN,
            ViolationKind::AwsAsn(_) => summaries::INVALID_AWS_ASN,
            ViolationKind::Sku(_) => summaries::UNSUPPORTED_SKU,
            ViolationKind::Generation { .. } => summaries::UNSUPPORTED_GENERATION,
            ViolationKind::NoInitiator | ViolationKind::NoReconnectInitiator(_) => {
                summaries::MISSING_INITIATOR
            }
            ViolationKind::RequiresTransitGateway => summaries::MISSING_TRANSIT_GATEWAY_ID,
            ViolationKind::NoRekeyInitiator | ViolationKind::UncertainIkeRekey => {
                summaries::UNCERTAIN_REKEYING
            }
            ViolationKind::RekeyOrder(_) => summaries::INVALID_REKEY_ORDER,
            ViolationKind::BothInitiate => summaries::TWO_INITIATORS,
            ViolationKind::GatewaySubnetTooSmall(_) | ViolationKind::GatewaySubnetMisnamed => {
                summaries::INVALID_GATEWAY_SUBNET
            }
            ViolationKind::GatewaySubnetSmall(_) => summaries::SMALL_GATEWAY_SUBNET,
            ViolationKind::Key(..) => summaries::INVALID_PRESHARED_KEY,
            ViolationKind::KeysWithoutVersion => summaries::MISSING_KEYS_VERSION,
            ViolationKind::VersionWithoutKeys => summaries::MISSING_PRESHARED_KEYS,
            ViolationKind::RotationOfConfiguredKeys => summaries::CONFLICTING_KEY_SETTINGS,
            ViolationKind::PinnedByExistingId(_) => summaries::CONFLICTING_EXISTING_ID,
            ViolationKind::Tag(_) => summaries::INVALID_TAG,
            ViolationKind::ReservedRange { .. } => summaries::INVALID_ADDRESS_RANGE,
            ViolationKind::DuplicateSubnet(_) => summaries::CONFLICTING_SUBNET_NAMES,
            ViolationKind::InvalidLocation(_) => summaries::INVALID_LOCATION,
            ViolationKind::Timeout(_) => summaries::INVALID_TIMEOUT,
            ViolationKind::InvalidZone(_) => summaries::INVALID_ZONE,
            ViolationKind::ZonesImmutable { .. } => summaries::UNSUPPORTED_CHANGE_OF_ZONES,
            ViolationKind::Preflight(finding) => finding.summary(),
            ViolationKind::Account(issue) => issue.summary(),
        }
    }
}
