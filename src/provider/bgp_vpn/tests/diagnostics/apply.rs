//! Errors and warnings of an apply, a read or an import.

use super::{azure, gateway, samples};
use crate::aws::model::{Region, VpnGatewayId};
use crate::azure::credentials::{CredentialError, RejectedMethod};
use crate::azure::{self as azure_cloud, ClientBuildError};
use crate::client::{ErrorContext, Interrupted};
use crate::provider::backend::diagnostics::{
    apply_outcome, discover_failed, import_advice, invalid_azure_settings, read_failed,
    remaining_addresses, status_advice,
};
use crate::provider::bgp_vpn::{
    apply, apply_plan, import as importing, missing_settings, read, replaced, resolve_plan,
    static_routing, teardown,
};
use crate::provider::remaining_objects::{
    remaining_after_blocked_move, remaining_after_rollback, remaining_objects,
};
use crate::reconcile::{self, ActionError, ActionFailure, DiscoverError, ReconcileOutcome};
use bgp_vpn::action::{Action, ActionTarget, Verb};
use bgp_vpn::blockers::{BlockReason, Blocker};
use bgp_vpn::config::{Attr, Config};
use bgp_vpn::conflict::Conflict;
use bgp_vpn::inside_cidr::{InsideCidrError, Slot};
use bgp_vpn::lookup::{AwsGatewayId, ImportId, ImportIdError};
use bgp_vpn::managed::{Kind, Managed};
use bgp_vpn::mismatches::Mismatch;
use bgp_vpn::missing_routes::missing_routes;
use bgp_vpn::tunnel::{Instance, TunnelKey};
use bgp_vpn::types::Asn;
use std::collections::BTreeSet;
use std::time::Duration;
use terraform_plugin::Diagnostic;

const LIMIT: Duration = Duration::from_secs(120 * 60);

fn failed(target: ActionTarget, verb: Verb, error: ActionError) -> Vec<Diagnostic> {
    let action = Action::new(target, verb, Vec::new());
    let failures = vec![ActionFailure {
        action: Some(action),
        error,
    }];
    let outcome = apply_outcome(
        ReconcileOutcome {
            failures,
            ..ReconcileOutcome::default()
        },
        "built",
        LIMIT,
    );
    outcome
        .diagnostics
        .into_iter()
        .filter(Diagnostic::is_error)
        .collect()
}

pub fn action_errors() -> Vec<Diagnostic> {
    let key = TunnelKey::ALL[0];
    let context = ErrorContext::new("create connection", gateway()).with_message("exists");
    let timed_out = ErrorContext::new("create gateway", gateway()).with_message("no result");
    let blocker = |held: String, by: &str, reason| Blocker {
        held,
        by: by.to_owned(),
        reason,
    };
    let errors = samples!(ActionError {
        ActionError::Aws(_) => ActionError::Aws(crate::aws::Error::Settings("no AWS region: set aws.region".into())),
        ActionError::Azure(_) => ActionError::Azure(azure_cloud::Error::AlreadyExists(context)),
        ActionError::Interrupted(_) => ActionError::Interrupted(Interrupted::DeadlineExceeded(
            ErrorContext::new("wait for the BGP session of", key).with_message("AWS reports DOWN"),
        )),
        ActionError::MissingDependency(_) => ActionError::MissingDependency("the VPN gateway".into()),
        ActionError::BgpSessionTimeout { .. } => ActionError::BgpSessionTimeout {
            key,
            minutes: 15,
            aws: "DOWN, IPSEC IS UP".into(),
            azure: "that the peer is Connecting".into(),
            mismatches: vec![Mismatch::AwsAsn { azure: Asn(64_999), aws: Asn(64_512) }],
        },
        ActionError::DeletedOutside { .. } => ActionError::DeletedOutside {
            id: azure("connections", "prod").to_string(),
            awaited: format!("the BGP session of {key}"),
        },
        ActionError::NoRoutes { .. } => ActionError::NoRoutes {
            key,
            tunnels: vec![key, TunnelKey::ALL[2]],
            minutes: 15,
            fault: missing_routes(1, Some(0)).unwrap(),
        },
        ActionError::RouteCountDropped { .. } => ActionError::RouteCountDropped { key, had: 2, has: 1, minutes: 15 },
        ActionError::PeersNotReady { .. } => ActionError::PeersNotReady {
            spared: ActionTarget::Tunnel(key),
            why: vec!["instance1_tunnel1 is down (AWS reports DOWN, IPSEC IS DOWN)".into()],
        },
        ActionError::FixedBandwidth { .. } => {
            ActionError::FixedBandwidth { id: "vpn-1".into(), region: "us-west-2".into() }
        },
        ActionError::DependencyCycle => ActionError::DependencyCycle,
        ActionError::Internal { .. } => ActionError::internal(ActionTarget::Connection(key), Verb::Create),
        ActionError::NoKey(_) => ActionError::NoKey(key),
        ActionError::NoRandomness => ActionError::NoRandomness,
        ActionError::ForeignCustomerGateway { .. } => ActionError::ForeignCustomerGateway { id: "cgw-1".into() },
        ActionError::Conflict(_) => ActionError::Conflict(Conflict::Name(azure("connections", "prod").to_string())),
        ActionError::ConcurrentApply { .. } => {
            ActionError::ConcurrentApply { sign: "the heartbeat tag of cgw-1 changed to 7".into() }
        },
        ActionError::Blocked { .. } => ActionError::Blocked {
            found: vec![
                blocker(gateway().to_string(), "the connection branch", BlockReason::UsedBy),
                blocker("vpc-1".into(), "subnet-1", BlockReason::Contains),
                blocker("prod-rg".into(), "the lock no-delete", BlockReason::Locked),
            ],
        },
        ActionError::StaticRouting { .. } => ActionError::StaticRouting { ids: vec!["vpn-1".into(), "vpn-2".into()] },
        ActionError::NoSpareCidr => ActionError::NoSpareCidr,
        ActionError::ZonesRequired { .. } => ActionError::ZonesRequired { location: "westeurope".into() },
        ActionError::NotOwned { .. } => ActionError::NotOwned { id: "vpc-1".into(), tag: "link-1".into() },
        ActionError::NotEmpty { .. } => ActionError::NotEmpty { kind: "the VPN gateway", found: "vpn-9".into() },
        ActionError::AddressLost(_) => ActionError::AddressLost("169.254.21.2".into()),
    });
    let mut found: Vec<Diagnostic> = errors
        .into_iter()
        .flat_map(|error| failed(ActionTarget::Connection(key), Verb::Create, error))
        .collect();
    let timed_out = ActionError::Azure(azure_cloud::Error::DeadlineExceeded(timed_out));
    found.extend(failed(ActionTarget::Gateway, Verb::Create, timed_out));
    for verb in [Verb::Update, Verb::Delete, Verb::WaitFor] {
        found.extend(failed(
            ActionTarget::VpnConnection(Instance::Zero),
            verb,
            ActionError::NoRandomness,
        ));
    }
    let unread = ActionFailure {
        action: None,
        error: ActionError::NoRandomness,
    };
    let outcome = ReconcileOutcome {
        failures: vec![unread],
        ..ReconcileOutcome::default()
    };
    found.extend(apply_outcome(outcome, "built", LIMIT).diagnostics);
    found
}

pub fn aws_errors() -> Vec<Diagnostic> {
    use crate::aws::Error;
    let context = || {
        let mut context = ErrorContext::new("AWS CreateVpnConnection for", "vgw-1");
        (context.status, context.code) = (Some(400), "CODE".into());
        context.request_id = Some("REQUEST".into());
        context.with_message("Message of AWS")
    };
    let errors = samples!(Error {
        Error::NotFound(_) => Error::NotFound(context()),
        Error::Throttled(_) => Error::Throttled(context()),
        Error::ConflictRetryable(_) => Error::ConflictRetryable(context()),
        Error::DependencyViolation(_) => Error::DependencyViolation(context()),
        Error::Denied(_) => Error::Denied(context()),
        Error::Unauthenticated(_) => Error::Unauthenticated(context()),
        Error::Quota(_) => Error::Quota(context()),
        Error::Rejected(_) => Error::Rejected(context()),
        Error::ServiceUnavailable(_) => Error::ServiceUnavailable(context()),
        Error::OutcomeUnknown(_) => Error::OutcomeUnknown(context()),
        Error::Malformed(_) => Error::Malformed(context()),
        Error::Untrusted(_) => Error::Untrusted(context()),
        Error::Unreachable(_) => Error::Unreachable(context()),
        Error::Settings(_) => Error::Settings("aws.access_key is set without aws.secret_key".into()),
        Error::NoCredentials(_) => Error::NoCredentials("getting AWS credentials failed: CAUSE. The provider looked at, in this order: SOURCES".into()),
        Error::MissingCredentials(_) => Error::MissingCredentials("no AWS credentials were found (CAUSE). The provider looked at, in this order: SOURCES. Set one of them".into()),
        Error::InvalidRegion(_) => Error::InvalidRegion("the EC2 endpoint of the region eu-west-9 cannot be resolved (CAUSE). If eu-west-9 is not a region of AWS, correct aws.region of the link".into()),
        Error::Cancelled(_) => Error::Cancelled(context()),
        Error::DeadlineExceeded(_) => Error::DeadlineExceeded(context()),
    });
    let target = || ActionTarget::VpnConnection(Instance::Zero);
    errors
        .into_iter()
        .flat_map(|error| failed(target(), Verb::Create, error.into()))
        .collect()
}

pub fn azure_errors() -> Vec<Diagnostic> {
    use azure_cloud::Error;
    let context = || {
        let mut context = ErrorContext::new("create gateway", gateway());
        (context.status, context.code) = (Some(409), "Code".into());
        context.with_message("Message of Azure")
    };
    let errors = samples!(Error {
        Error::NotFound(_) => Error::NotFound(context()),
        Error::GroupNotFound(_) => Error::GroupNotFound(context()),
        Error::Throttled(_) => Error::Throttled(context()),
        Error::ConflictRetryable(_) => Error::ConflictRetryable(context()),
        Error::DependencyViolation(_) => Error::DependencyViolation(context()),
        Error::Conflict(_) => Error::Conflict(context()),
        Error::PreconditionFailed(_) => Error::PreconditionFailed(context()),
        Error::AlreadyExists(_) => Error::AlreadyExists(context()),
        Error::Denied(_) => Error::Denied(context()),
        Error::Rejected(_) => Error::Rejected(context()),
        Error::ServiceUnavailable(_) => Error::ServiceUnavailable(context()),
        Error::OutcomeUnknown(_) => Error::OutcomeUnknown(context()),
        Error::Untrusted(_) => Error::Untrusted(context()),
        Error::Unauthenticated(_) => Error::Unauthenticated(context()),
        Error::Unreachable(_) => Error::Unreachable(context()),
        Error::NoCredentials(_) => Error::NoCredentials(context()),
        Error::Malformed(_) => Error::Malformed(context()),
        Error::OperationFailed(_) => Error::OperationFailed(context()),
        Error::Cancelled(_) => Error::Cancelled(context()),
        Error::DeadlineExceeded(_) => Error::DeadlineExceeded(context()),
    });
    let mut found: Vec<Diagnostic> = errors
        .into_iter()
        .flat_map(|error| failed(ActionTarget::Gateway, Verb::Create, error.into()))
        .collect();
    let method = RejectedMethod {
        method: "client secret",
        missing: vec!["azure.client_secret (ARM_CLIENT_SECRET)".into()],
    };
    let faults = samples!(ClientBuildError {
        ClientBuildError::Credential(_) => ClientBuildError::Credential(CredentialError::NothingUsable(vec![method])),
        ClientBuildError::Cloud(_) => {
            ClientBuildError::Cloud(azure_cloud::cloud::CloudConfigError::UnknownEnvironment("german".into()))
        },
    });
    found.extend(faults.iter().map(invalid_azure_settings));
    let incomplete = CredentialError::IncompletePrincipal {
        set: vec!["client_id (ARM_CLIENT_ID)".into()],
        missing: vec!["client_secret (ARM_CLIENT_SECRET)".into()],
    };
    found.push(invalid_azure_settings(&incomplete.into()));
    found
}

pub fn others() -> Vec<Diagnostic> {
    let end = |outcome: ReconcileOutcome| {
        apply_outcome(outcome, "built", LIMIT)
            .diagnostics
            .into_iter()
    };
    let cause = || {
        ActionError::Aws(crate::aws::Error::Settings(
            "no AWS region: set aws.region".into(),
        ))
    };
    let remaining = Action::new(
        ActionTarget::Gateway,
        Verb::Update,
        vec!["the Azure gateway's SKU is VpnGw1AZ, not VpnGw2AZ".into()],
    );
    let mut found = Vec::new();
    found.extend(
        end(ReconcileOutcome {
            cancelled: true,
            ..ReconcileOutcome::default()
        })
        .filter(Diagnostic::is_error),
    );
    let outcome = ReconcileOutcome {
        remaining: vec![remaining],
        ..ReconcileOutcome::default()
    };
    found.extend(end(outcome).filter(Diagnostic::is_error));
    found.extend(read_failed("the link", &cause()));
    found.push(read::read_timed_out(Duration::from_secs(600)));
    found.push(apply::without_inside_cidrs());
    found.push(missing_settings::missing_subscription());
    found.push(missing_settings::missing_region());
    found.push(resolve_plan::missing_setting("azure.location"));
    found.push(apply_plan::rolled_back());
    let (summary, detail) = replaced::unrepeatable_words("aws.vpn_gateway_id");
    found.push(
        Diagnostic::error(summary)
            .detail(detail)
            .at("aws.vpn_gateway_id"),
    );
    found.push(read::not_refreshed());
    let resumed = |adopted| ReconcileOutcome {
        resumed: true,
        adopted,
        ..ReconcileOutcome::default()
    };
    found.extend(end(resumed(vec!["vpn-1".into(), "cgw-1".into()])));
    found.extend(end(resumed(Vec::new())));
    found.extend(end(ReconcileOutcome {
        heartbeat_error: Some(cause()),
        ..ReconcileOutcome::default()
    }));
    found.extend(end(ReconcileOutcome {
        denied: vec![reconcile::Denial {
            action: reconcile::BGP_PEERS,
            scope: gateway(),
            reason: "HTTP 403".into(),
        }],
        ..ReconcileOutcome::default()
    }));
    let made = BTreeSet::from([ActionTarget::Gateway, ActionTarget::Vpc]);
    found.push(remaining_objects("built", true, &made));
    found.push(remaining_objects("built", false, &made));
    found.push(remaining_objects("built", true, &BTreeSet::new()));
    found.push(remaining_objects("built", false, &BTreeSet::new()));
    found.push(remaining_objects("deleted", false, &made));
    found.push(remaining_after_blocked_move());
    found.push(remaining_after_rollback());
    found.push(remaining_addresses(&gateway(), &["169.254.21.2".into()]));
    found.push(crate::provider::bgp_vpn::unread_keys::warning(&[azure(
        "connections",
        "prod",
    )
    .to_string()]));
    found.push(crate::provider::backend::diagnostics::denied_read(
        &crate::client::DeniedRead {
            action: "ec2:DescribeNatGateways".to_owned(),
            scope: "vpc-1".to_owned(),
            consequence: "Objects of others in the VPC may be missed.",
            reason: "HTTP 403".to_owned(),
        },
    ));
    let mut removed = Managed::default();
    removed.add(Kind::AwsVpc, "vpc-1");
    removed.add(Kind::AwsVpnConnection, "vpn-1");
    let link = Config {
        name: Attr::Known("prod".to_owned()),
        group: Attr::Known("prod-rg".to_owned()),
        ..Config::default()
    };
    found.extend(teardown::removal_warning(&removed, None, &link));
    found.extend(teardown::destroy_warning(&removed, &link));
    found.extend(replaced::on_request(
        &removed,
        &["awsazure_bgp_vpn.link".into()],
        &link,
    ));
    found
}

pub fn import() -> Vec<Diagnostic> {
    let net = |text: &str| text.parse().unwrap();
    let cidr = *Slot::default().inside_cidrs().get(TunnelKey::ALL[0]);
    let invalid = || InsideCidrError::NotA30(net("169.254.21.0/29"));
    let (region, end) = (
        || Region("eu-west-1".into()),
        || "virtual private gateway vgw-1".to_owned(),
    );
    let ids = samples!(ImportIdError {
        ImportIdError::InvalidGateway(_) => ImportIdError::InvalidGateway("vpn-1".into()),
        ImportIdError::WrongResourceType(_) => ImportIdError::WrongResourceType(azure("virtualNetworks", "vnet1")),
        ImportIdError::MissingAwsGateway => ImportIdError::MissingAwsGateway,
        ImportIdError::InvalidAwsGateway(..) => ImportIdError::InvalidAwsGateway("169.254.21.0/29".into(), invalid()),
        ImportIdError::InvalidInsideCidr(..) => ImportIdError::InvalidInsideCidr("169.254.21.0/29".into(), invalid()),
        ImportIdError::TooManyParts(_) => ImportIdError::TooManyParts("x".into()),
        ImportIdError::InvalidRegion(_) => ImportIdError::InvalidRegion("ireland".into()),
    });
    let mut found: Vec<Diagnostic> = ids
        .iter()
        .map(|fault| importing::invalid_import_id("ID", fault))
        .collect();
    let not_here = |regions: &[&str]| DiscoverError::NotHere {
        fault: Box::new(DiscoverError::NoEnd {
            region: region(),
            end: end(),
        }),
        regions: regions
            .iter()
            .map(|region| Region((*region).to_owned()))
            .collect(),
    };
    let elsewhere = || ["vgw-2".to_owned()].into();
    let faults = samples!(DiscoverError {
        DiscoverError::Cause(_) => DiscoverError::Cause(ActionError::NoRandomness),
        DiscoverError::NoGateway(_) => DiscoverError::NoGateway(gateway().to_string()),
        DiscoverError::WrongGateway { .. } => {
            DiscoverError::WrongGateway { id: gateway().to_string(), what: "has BGP disabled" }
        },
        DiscoverError::NoEnd { .. } => DiscoverError::NoEnd { region: region(), end: end() },
        DiscoverError::NoConnection { .. } => DiscoverError::NoConnection {
            region: region(),
            end: end(),
            addresses: "20.0.0.1, 20.0.0.2".into(),
            elsewhere: elsewhere(),
        },
        DiscoverError::NoTunnel { .. } => {
            DiscoverError::NoTunnel { region: region(), cidr, found: "vpn-1 (169.254.21.4/30)".into() }
        },
        DiscoverError::NotHere { .. } => not_here(&[]),
        DiscoverError::TwoEnds(_) => DiscoverError::TwoEnds("vgw-1 and vgw-2".into()),
        DiscoverError::Ambiguous(_) => DiscoverError::Ambiguous("vpn-1 (169.254.21.4/30)".into()),
    });
    let id = ImportId {
        azure_gateway: gateway(),
        aws_gateway: Some(AwsGatewayId::VpnGateway(VpnGatewayId("vgw-1".into()))),
        inside_cidr: None,
        region: None,
    };
    let faults: Vec<DiscoverError> = faults
        .into_iter()
        .chain([not_here(&["us-east-1"])])
        .collect();
    found.extend(
        faults
            .iter()
            .flat_map(|fault| discover_failed(fault, &import_advice(fault, &id))),
    );
    let advised = faults
        .iter()
        .filter(|fault| fault.other_regions().is_some());
    found.extend(advised.flat_map(|fault| discover_failed(fault, &status_advice(fault))));
    found.extend(static_routing::refusal(
        ["vpn-1".to_owned()].into_iter(),
        "Create VPN connections with dynamic routing (BGP), then import those.",
    ));
    found.push(importing::wrong_instance(&[
        "169.254.21.2 is listed on instance1, but instance0_tunnel1 needs it on instance0".into(),
    ]));
    found.push(importing::incomplete());
    found.push(importing::shared());
    found
}
