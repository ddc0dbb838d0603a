//! Violations of the configuration, and of the provider block.

use super::samples;
use crate::provider::bgp_vpn::attribute_paths::diagnostics;
use crate::provider::settings::{self, ProviderDataError};
use bgp_vpn::inside_cidr::InsideCidrError;
use bgp_vpn::ipsec::IpsecPolicyError;
use bgp_vpn::names::NameError;
use bgp_vpn::rekeying::RekeyOrderError;
use bgp_vpn::tunnel::TunnelKey;
use bgp_vpn::types::PskError;
use bgp_vpn::types::tags::TagError;
use bgp_vpn::violation::{AttributeId as At, Violation, ViolationKind as Kind};
use terraform_plugin::{Diagnostic, Value};

pub fn provider_block() -> Vec<Diagnostic> {
    let block =
        |name: &str, items: Vec<(&str, Value)>| Value::object([(name, Value::object(items))]);
    let ids = || Value::list(["111122223333"]);
    let role = Value::object([
        ("role_arn", Value::from("arn")),
        ("duration", Value::from("1m")),
    ]);
    let token = Value::object([
        ("role_arn", Value::from("arn")),
        ("web_identity_token", Value::from("TOKEN")),
        ("web_identity_token_file", Value::from("/token")),
    ]);
    let number = Value::Number(terraform_plugin::Number::parse("-1").unwrap());
    let configs = [
        block("aws", vec![("region", Value::from("ireland"))]),
        block("aws", vec![("max_retries", number)]),
        block("aws", vec![("assume_role", Value::list([role]))]),
        block(
            "aws",
            vec![
                ("allowed_account_ids", ids()),
                ("forbidden_account_ids", ids()),
            ],
        ),
        block("aws", vec![("assume_role_with_web_identity", token)]),
        Value::object([("default_tags", Value::map([("aws:team", "net")]))]),
    ];
    let mut found: Vec<Diagnostic> = configs
        .iter()
        .flat_map(|config| settings::decode(config).1)
        .collect();
    let errors = samples!(ProviderDataError {
        ProviderDataError::NotConfigured => ProviderDataError::NotConfigured,
        ProviderDataError::Unknown(_) => ProviderDataError::Unknown(vec!["azure.client_id".into(), "aws.region".into()]),
    });
    found.extend(errors.iter().map(ProviderDataError::diagnostic));
    found
}

fn kinds() -> Vec<Kind> {
    let key = TunnelKey::ALL[0];
    samples!(Kind {
        Kind::Name(_) => Kind::Name(NameError::Start("-prod".into())),
        Kind::InvalidCidr(_) => Kind::InvalidCidr("10.1.0.1/16".into()),
        Kind::InvalidId(..) => Kind::InvalidId("vnet".into(), "a VPC (vpc-...)"),
        Kind::NotOneOf { .. } => Kind::NotOneOf { given: "Start".into(), allowed: "start, add" },
        Kind::OutOfRange { .. } => Kind::OutOfRange { given: 32, least: 0, most: 31, unit: "" },
        Kind::InvalidDuration(_) => Kind::InvalidDuration("5 minutes".into()),
        Kind::InvalidLogGroup(_) => Kind::InvalidLogGroup("vpn".into()),
        Kind::LogGroupInOtherRegion { .. } => Kind::LogGroupInOtherRegion { has: "us-east-1".into(), needs: "eu-west-1".into() },
        Kind::LogFormatWithoutGroup(_) => Kind::LogFormatWithoutGroup("log_group_arn"),
        Kind::InvalidRegion(_) => Kind::InvalidRegion("ireland".into()),
        Kind::MissingRequired(_) => {
            Kind::MissingRequired("Required when both the resource group and the virtual network are created")
        },
        Kind::ConflictsWithTransitGateway(_) => Kind::ConflictsWithTransitGateway("vpc_id"),
        Kind::RequiresTransitGateway => Kind::RequiresTransitGateway,
        Kind::NoRekeyInitiator => Kind::NoRekeyInitiator,
        Kind::UncertainIkeRekey => Kind::UncertainIkeRekey,
        Kind::RekeyOrder(_) => Kind::RekeyOrder(RekeyOrderError::IkeLifetime(27_000)),
        Kind::ConflictingSubscriptions { .. } => Kind::ConflictingSubscriptions {
            network: super::azure("virtualNetworks", "vnet1").to_string(),
            gateway: super::gateway().to_string().replace("SUB", "OTHER"),
        },
        Kind::ConflictingIds { .. } => Kind::ConflictingIds { given: "vnet1".into(), other: "vnet2".into() },
        Kind::Cidr(_) => Kind::Cidr(InsideCidrError::NotACidr("169.254.21".into())),
        Kind::DuplicateInsideCidr { .. } => Kind::DuplicateInsideCidr { cidr: "169.254.21.0/30".into(), other: key },
        Kind::DuplicateName { .. } => Kind::DuplicateName { name: "prod".into(), other: "gateway".into() },
        Kind::Policy(_) => Kind::Policy(IpsecPolicyError::IkeLifetime(60)),
        Kind::UnsupportedAlgorithm(_) => {
            Kind::UnsupportedAlgorithm("\"DES\" is not supported by both clouds: use one of AES128, AES256".into())
        },
        Kind::PolicyFieldsWithCloudDefault => Kind::PolicyFieldsWithCloudDefault,
        Kind::AsnsEqual(_) => Kind::AsnsEqual(65_000),
        Kind::AzureAsn(_) => Kind::AzureAsn(23_456),
        Kind::AwsAsn(_) => Kind::AwsAsn(7_224),
        Kind::Sku(_) => Kind::Sku("VpnGw2".into()),
        Kind::Generation { .. } => Kind::Generation { sku: "VpnGw1AZ".into(), has: "Generation1" },
        Kind::NoInitiator => Kind::NoInitiator,
        Kind::NoReconnectInitiator(_) => Kind::NoReconnectInitiator("clear".into()),
        Kind::BothInitiate => Kind::BothInitiate,
        Kind::NotWithin { .. } => Kind::NotWithin { subnet: "10.9.0.0/24".into(), space: "10.1.0.0/16".into() },
        Kind::SubnetsOverlap(..) => Kind::SubnetsOverlap("10.1.0.0/24".into(), "10.1.0.0/25".into()),
        Kind::GatewaySubnetTooSmall(_) => Kind::GatewaySubnetTooSmall("10.1.255.0/30".into()),
        Kind::GatewaySubnetSmall(_) => Kind::GatewaySubnetSmall("10.1.255.0/28".into()),
        Kind::GatewaySubnetMisnamed => Kind::GatewaySubnetMisnamed,
        Kind::Key(..) => Kind::Key(key, PskError::Length),
        Kind::KeysWithoutVersion => Kind::KeysWithoutVersion,
        Kind::VersionWithoutKeys => Kind::VersionWithoutKeys,
        Kind::RotationOfConfiguredKeys => Kind::RotationOfConfiguredKeys,
        Kind::Tag(_) => Kind::Tag(TagError::TooMany(41)),
        Kind::ReservedRange { .. } => Kind::ReservedRange { given: "10.1.0.0/16".into(), reserved: "127.0.0.0/8".into() },
        Kind::DuplicateSubnet(_) => Kind::DuplicateSubnet("Frontend".into()),
        Kind::InvalidLocation(_) => Kind::InvalidLocation("europe!".into()),
        Kind::NotAnInteger(_) => Kind::NotAnInteger("1.5".into()),
        Kind::Timeout(_) => Kind::Timeout("200h".into()),
        Kind::PinnedByExistingId(_) => Kind::PinnedByExistingId("vpn_gateway_id"),
        Kind::InvalidZone(_) => Kind::InvalidZone("a".into()),
        Kind::ZonesImmutable { .. } => Kind::ZonesImmutable { has: "zones 1, 2, 3".into() },
        Kind::ZonesOfExistingGateway => Kind::ZonesOfExistingGateway,
        Kind::Account(_) => Kind::Account(bgp_vpn::account::AccountIssue::NotRegistered("NotRegistered".into())),
        Kind::Preflight(_) => Kind::Preflight(bgp_vpn::preflight::PreflightIssue::ClaimAtCreate),
    })
}

fn place(kind: &Kind) -> At {
    match kind {
        Kind::Account(_) => At::ResourceGroup,
        Kind::Name(_) => At::Name,
        Kind::InvalidCidr(_) => At::AddressSpace,
        Kind::InvalidId(..) | Kind::ConflictsWithTransitGateway(_) => At::VpcId,
        Kind::NotOneOf { .. } | Kind::NoInitiator | Kind::BothInitiate => At::StartupAction,
        Kind::OutOfRange { .. } | Kind::NotAnInteger(_) => At::Slot,
        Kind::InvalidDuration(_) | Kind::Timeout(_) => At::Timeout("create".into()),
        Kind::InvalidLogGroup(_) | Kind::LogGroupInOtherRegion { .. } => At::Logs("log_group_arn"),
        Kind::LogFormatWithoutGroup(_) => At::Logs("format"),
        Kind::InvalidRegion(_) => At::Region,
        Kind::MissingRequired(_) | Kind::InvalidLocation(_) => At::Location,
        Kind::RequiresTransitGateway => At::Bandwidth,
        Kind::NoRekeyInitiator | Kind::UncertainIkeRekey => At::Acceleration,
        Kind::ConflictingSubscriptions { .. } => At::AzureGateway,
        Kind::ConflictingIds { .. } => At::NetworkId,
        Kind::Cidr(_) | Kind::DuplicateInsideCidr { .. } => At::InsideCidr(TunnelKey::ALL[1]),
        Kind::DuplicateName { .. } => At::AzureName("public_ip_instance0".into()),
        Kind::Policy(_) | Kind::RekeyOrder(_) => At::Policy("ike_lifetime_seconds"),
        Kind::UnsupportedAlgorithm(_) => At::Policy("ike_encryption"),
        Kind::PolicyFieldsWithCloudDefault => At::Policy("preset"),
        Kind::AzureAsn(_) => At::AzureAsn,
        Kind::AsnsEqual(_) | Kind::AwsAsn(_) | Kind::PinnedByExistingId(_) => At::AwsAsn,
        Kind::Sku(_) => At::Sku,
        Kind::Generation { .. } => At::Generation,
        Kind::NoReconnectInitiator(_) => At::DpdAction,
        Kind::NotWithin { .. } | Kind::SubnetsOverlap(..) | Kind::DuplicateSubnet(_) => {
            At::Subnet("frontend".into())
        }
        Kind::GatewaySubnetTooSmall(_) | Kind::GatewaySubnetSmall(_) => At::GatewaySubnet,
        Kind::GatewaySubnetMisnamed => At::Subnet("gatewaysubnet".into()),
        Kind::Key(..) => At::PresharedKey(TunnelKey::ALL[0]),
        Kind::KeysWithoutVersion => At::PresharedKeys,
        Kind::VersionWithoutKeys => At::PresharedKeysVersion,
        Kind::RotationOfConfiguredKeys => At::RotateKeys,
        Kind::Tag(_) => At::Tags,
        Kind::ReservedRange { .. } => At::VpcCidr,
        Kind::InvalidZone(_) | Kind::ZonesImmutable { .. } | Kind::ZonesOfExistingGateway => {
            At::Zones
        }
        Kind::Preflight(_) => At::ManageGateways,
    }
}

fn is_warning(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::GatewaySubnetSmall(_)
            | Kind::NoRekeyInitiator
            | Kind::UncertainIkeRekey
            | Kind::BothInitiate
    )
}

pub fn violations() -> Vec<Diagnostic> {
    let net = |text: &str| text.parse().unwrap();
    let name = || "prod".to_owned();
    let mut kinds = kinds();
    kinds.extend(
        samples!(NameError {
            NameError::Length { .. } => NameError::Length { name: name(), least: 5, most: 64 },
            NameError::Character { .. } => NameError::Character { name: "a b".into(), bad: ' ', group: true },
            NameError::Start(_) => NameError::Start("-prod".into()),
            NameError::End(_) => NameError::End("prod-".into()),
            NameError::EndsWithDot(_) => NameError::EndsWithDot("prod.".into()),
            NameError::TwoDots(_) => NameError::TwoDots("a..b".into()),
        })
        .into_iter()
        .map(Kind::Name),
    );
    kinds.extend(
        samples!(InsideCidrError {
            InsideCidrError::NotACidr(_) => InsideCidrError::NotACidr("169.254.21".into()),
            InsideCidrError::NotA30(_) => InsideCidrError::NotA30(net("169.254.21.0/29")),
            InsideCidrError::NotAligned(_) => InsideCidrError::NotAligned(net("169.254.21.2/30")),
            InsideCidrError::ReservedByAws(_) => InsideCidrError::ReservedByAws(net("169.254.169.252/30")),
            InsideCidrError::OutsideAzureRange(_) => InsideCidrError::OutsideAzureRange(net("169.254.30.0/30")),
        })
        .into_iter()
        .map(Kind::Cidr),
    );
    kinds.extend(
        samples!(IpsecPolicyError {
            IpsecPolicyError::IkeLifetime(_) => IpsecPolicyError::IkeLifetime(60),
            IpsecPolicyError::IpsecLifetime(_) => IpsecPolicyError::IpsecLifetime(60),
            IpsecPolicyError::LifetimesCrossed { .. } => IpsecPolicyError::LifetimesCrossed { ike: 900, ipsec: 3_600 },
            IpsecPolicyError::IpsecIntegrity => IpsecPolicyError::IpsecIntegrity,
        })
        .into_iter()
        .map(Kind::Policy),
    );
    kinds.extend(
        samples!(RekeyOrderError {
            RekeyOrderError::IkeLifetime(_) => RekeyOrderError::IkeLifetime(7_200),
            RekeyOrderError::IpsecLifetime(_) => RekeyOrderError::IpsecLifetime(900),
            RekeyOrderError::CloudDefault => RekeyOrderError::CloudDefault,
        })
        .into_iter()
        .map(Kind::RekeyOrder),
    );
    let keys = samples!(PskError {
        PskError::Length => PskError::Length,
        PskError::Alphabet => PskError::Alphabet,
        PskError::LeadingZero => PskError::LeadingZero,
        PskError::NoRandomness => PskError::NoRandomness,
    });
    kinds.extend(
        keys.into_iter()
            .map(|error| Kind::Key(TunnelKey::ALL[0], error)),
    );
    let key = || "team".to_owned();
    kinds.extend(
        samples!(TagError {
            TagError::EmptyKey(_) => TagError::EmptyKey(String::new()),
            TagError::AwsPrefix(_) => TagError::AwsPrefix("aws:team".into()),
            TagError::OwnPrefix(_) => TagError::OwnPrefix("awsazure:team".into()),
            TagError::LongKey { .. } => TagError::LongKey { key: key(), length: 200 },
            TagError::KeyCharacter { .. } => TagError::KeyCharacter { key: "a<b".into(), bad: '<' },
            TagError::LongValue { .. } => TagError::LongValue { key: key(), length: 300 },
            TagError::ValueCharacter { .. } => TagError::ValueCharacter { key: key(), bad: '\n' },
            TagError::SameForAzure(..) => TagError::SameForAzure("Team".into(), key()),
            TagError::TooMany(_) => TagError::TooMany(41),
        })
        .into_iter()
        .map(Kind::Tag),
    );
    let mut seen = std::collections::BTreeSet::new();
    let violation = |kind: Kind| {
        let make = if is_warning(&kind) {
            Violation::warning
        } else {
            Violation::error
        };
        make(place(&kind), kind)
    };
    diagnostics(kinds.into_iter().map(violation))
        .into_iter()
        .filter(|it| seen.insert(it.detail.clone()))
        .collect()
}
