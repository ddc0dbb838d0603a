//! Diagnostics from outcomes and errors of the clouds.

use crate::azure::ClientBuildError;
use crate::azure::id::ResourceId;
use crate::client::DeniedRead;
use crate::provider::bgp_vpn::backend::ApplyOutcome;
use crate::provider::bgp_vpn::existing_link::conflict_diagnostic;
use crate::provider::bgp_vpn::unread_keys::unread_keys;
use crate::provider::name_conflict;
use crate::provider::remaining_objects;
use crate::provider::sentence::{capitalize, sentence};
use crate::provider::status::{self, Denial};
use crate::provider::summaries;
use crate::reconcile::{
    ActionError, ActionFailure, DiscoverError, OperationContext, ReconcileOutcome, next_step,
};
use bgp_vpn::action::Verb;
use bgp_vpn::conflict::Conflict;
use bgp_vpn::lookup::{ImportId, LookupScope};
use std::net::Ipv4Addr;
use std::time::Duration;
use terraform_plugin::{Diagnostic, Diagnostics};

/// Adds a warning for each optional read that was rejected.
pub(super) fn warn_of_denied_reads(
    mut outcome: ApplyOutcome,
    operation: &OperationContext,
) -> ApplyOutcome {
    let reads = operation.denied.all();
    reads
        .iter()
        .for_each(|read| outcome.diagnostics.push(denied_read(read)));
    outcome
}

/// The warning about an optional read.
pub(in crate::provider) fn denied_read(read: &DeniedRead) -> Diagnostic {
    let DeniedRead {
        action,
        scope,
        consequence,
        reason,
    } = read;
    Diagnostic::warning(summaries::UNREAD_OBJECTS).detail(format!(
        "The credentials have no permission for {action} on {scope}. {consequence} Grant the permission to avoid this.\n\nReported: {reason}"
    ))
}

/// Rejects settings from which no Azure client can be created.
pub(in crate::provider) fn invalid_azure_settings(fault: &ClientBuildError) -> Diagnostic {
    Diagnostic::error(summaries::UNABLE_TO_CONFIGURE_AZURE)
        .detail(sentence(&fault.to_string()))
        .at("azure")
}

/// The subscription of the objects that are looked up.
pub(super) fn searched_subscription(search: &LookupScope) -> Option<&str> {
    let known = &search.known;
    let id = known.azure_gateway.as_ref().or(known.network.as_ref())?;
    Some(id.subscription())
}

/// Codes of Azure for a subscription that does not exist, or not in the tenant of the credentials.
const WRONG_SUBSCRIPTION: [&str; 3] = [
    "SubscriptionNotFound",
    "InvalidSubscriptionId",
    "InvalidAuthenticationTokenTenant",
];

/// Where to correct a subscription that Azure does not know. `configured`: that of the provider, and
/// where it is set.
pub(in crate::provider) fn subscription_advice(
    cause: &ActionError,
    configured: Option<(&str, &str)>,
) -> Option<String> {
    let ActionError::Azure(error) = cause else {
        return None;
    };
    let context = error.context();
    if !WRONG_SUBSCRIPTION.contains(&context.code.as_str()) {
        return None;
    }
    let target = context.target.to_lowercase();
    let (_, rest) = target.split_once("/subscriptions/")?;
    let used = rest.split('/').next()?;
    let source = match configured {
        Some((id, source)) if id.eq_ignore_ascii_case(used) => source,
        _ => "an Azure resource ID in the configuration",
    };
    Some(format!(
        "The subscription {used} comes from {source}. Correct it there, or use credentials of the tenant that contains it."
    ))
}

/// The summary of an error whose cause is in the settings of the provider.
pub(super) fn settings_summary(cause: &ActionError) -> Option<&'static str> {
    match cause {
        ActionError::Aws(crate::aws::Error::MissingCredentials(_)) => {
            Some(summaries::MISSING_AWS_CREDENTIALS)
        }
        ActionError::Aws(crate::aws::Error::InvalidRegion(_)) => Some(summaries::INVALID_REGION),
        ActionError::Azure(crate::azure::Error::NoCredentials(_)) => {
            Some(summaries::UNABLE_TO_AUTHENTICATE)
        }
        _ => None,
    }
}

/// The ways to authenticate to Azure.
const AZURE_CREDENTIALS: &str = "Use one of: azure.client_id with azure.client_secret or azure.client_certificate_path (ARM_CLIENT_ID, \
    ARM_CLIENT_SECRET, ARM_CLIENT_CERTIFICATE_PATH), azure.use_oidc (ARM_USE_OIDC), azure.use_msi (ARM_USE_MSI), or az login.";

pub(in crate::provider) fn read_failed(what: &str, cause: &ActionError) -> Diagnostics {
    let summary = settings_summary(cause).map(str::to_owned);
    let mut detail = sentence(&cause.to_string());
    if matches!(
        cause,
        ActionError::Azure(crate::azure::Error::NoCredentials(_))
    ) {
        detail = format!("{detail}\n\n{AZURE_CREDENTIALS}");
    }
    Diagnostic::error(summary.unwrap_or_else(|| format!("Unable to read {what}")))
        .detail(detail)
        .into()
}

pub(in crate::provider) fn discover_failed(fault: &DiscoverError, advice: &str) -> Diagnostics {
    Diagnostic::error(summaries::UNABLE_TO_FIND_LINK)
        .detail(sentence(&format!("{fault}{advice}")))
        .into()
}

/// How to import a link that may be in another region, by each form of import.
pub(in crate::provider) fn import_advice(fault: &DiscoverError, id: &ImportId) -> String {
    let Some(regions) = fault.other_regions() else {
        return String::new();
    };
    let (lead, ids) = match regions.is_empty() {
        true => (
            "Correct the ID. If the link is in another region, add that region to the ID",
            vec![id.in_region("<region>")],
        ),
        false => (
            "Tags in Azure point to another region",
            regions
                .iter()
                .map(|region| id.in_region(&region.0))
                .collect(),
        ),
    };
    let ids: Vec<String> = ids.into_iter().map(|id| format!("'{id}'")).collect();
    format!(
        ".\n\n{lead}: {}. Use it with terraform import, or as id of an import block. An import block with identity searches only the \
         region of the provider: use id there.",
        ids.join(" or ")
    )
}

/// The same for the data source.
pub(in crate::provider) fn status_advice(fault: &DiscoverError) -> String {
    let Some(regions) = fault.other_regions() else {
        return String::new();
    };
    let named: Vec<String> = regions
        .iter()
        .map(|region| format!("{:?}", region.0))
        .collect();
    match named.is_empty() {
        true => ". If the link is in another region, set region.".to_owned(),
        false => format!(
            ". Tags in Azure point to another region: set region = {}.",
            named.join(" or ")
        ),
    }
}

pub(in crate::provider) fn apply_outcome(
    ended: ReconcileOutcome,
    verb: &str,
    timeout: Duration,
) -> ApplyOutcome {
    let mut diagnostics = Diagnostics::new();
    unread_keys(&ended.observed)
        .into_iter()
        .for_each(|warning| diagnostics.push(warning));
    if ended.resumed {
        let used = if ended.adopted.is_empty() {
            "used its objects, which are in the state".to_owned()
        } else {
            format!(
                "adopted its objects instead of creating them again: {}",
                ended.adopted.join(", ")
            )
        };
        diagnostics.push(
            Diagnostic::warning(summaries::RESUMED_CREATE).detail(format!(
                "An earlier run did not complete this link. This run {used}."
            )),
        );
    }
    if let Some(cause) = &ended.heartbeat_error {
        diagnostics.push(Diagnostic::warning(summaries::FAILED_HEARTBEAT).detail(format!(
            "{}.\n\nThis run could not update the heartbeat tag of the incomplete link. The tag changes every minute and keeps other runs \
             from taking the link over, so another run may have started to complete it. Make sure that one Terraform state only contains this \
             link: run terraform state rm ADDRESS in the other one.",
            capitalize(&cause.to_string())
        )));
    }
    for denial in &ended.denied {
        let scope = denial.scope.to_string();
        let denial = Denial {
            action: denial.action,
            scope,
            reason: denial.reason.clone(),
        };
        diagnostics.push(status::denied(&denial));
    }
    for failure in &ended.failures {
        let what = match &failure.action {
            Some(step) => format!("{} {}", verb_phrase(step.verb), step.target),
            None => "read the link".to_owned(),
        };
        let summary = match &failure.error {
            ActionError::BgpSessionTimeout { key, .. } => {
                format!("Unable to bring up tunnel {key}")
            }
            ActionError::RouteCountDropped { key, .. } | ActionError::NoRoutes { key, .. } => {
                format!("Missing routes of tunnel {key}")
            }
            ActionError::Blocked { .. } => summaries::CONFLICTING_OBJECTS.to_owned(),
            ActionError::StaticRouting { .. } => summaries::UNSUPPORTED_STATIC_ROUTING.to_owned(),
            ActionError::PeersNotReady { spared, .. } => format!("Unable to update {spared}"),
            ActionError::Azure(crate::azure::Error::AlreadyExists(_)) => {
                summaries::CONFLICTING_AZURE_NAME.to_owned()
            }
            error => {
                settings_summary(error).map_or_else(|| format!("Unable to {what}"), str::to_owned)
            }
        };
        if let ActionError::Conflict(conflict) = &failure.error {
            diagnostics.push(conflict_diagnostic(conflict));
            continue;
        }
        let mut detail = vec![sentence(&failure.error.to_string())];
        detail.extend(name_conflict::advice(failure));
        detail.extend(next_step(&failure.error).map(str::to_owned));
        if failure.error.is_timeout() {
            detail.push(format!(
                "The operation may take {}. To allow more time, set a longer time in timeouts. Apply again to continue.",
                format_minutes(timeout)
            ));
        }
        diagnostics.push(Diagnostic::error(summary).detail(detail.join("\n\n")));
    }
    if ended.cancelled && ended.failures.is_empty() {
        let detail = "The operation was cancelled before it was complete. Run the command again to continue.";
        diagnostics.push(Diagnostic::error(summaries::UNABLE_TO_COMPLETE).detail(detail));
    }
    if !ended.remaining.is_empty() {
        let left: Vec<String> = ended
            .remaining
            .iter()
            .flat_map(|step| {
                if step.reasons.is_empty() {
                    vec![step.target.to_string()]
                } else {
                    step.reasons.clone()
                }
            })
            .collect();
        let detail = format!(
            "All API calls succeeded, but the objects still differ: {}. Another process may be changing them. Apply again.",
            left.join("; ")
        );
        diagnostics.push(Diagnostic::error(summaries::UNABLE_TO_CONVERGE).detail(detail));
    }
    let down = |cause: &ActionError| {
        matches!(
            cause,
            ActionError::BgpSessionTimeout { .. }
                | ActionError::NoRoutes { .. }
                | ActionError::RouteCountDropped { .. }
        )
    };
    let conflicts = ended
        .failures
        .iter()
        .any(|failure| failure.error.is_conflict());
    let broken =
        ended.failures.iter().any(|failure| !down(&failure.error)) || !ended.remaining.is_empty();
    let exists = |failure: &ActionFailure| {
        matches!(
            failure.error,
            ActionError::Conflict(Conflict::Complete { .. })
        )
    };
    let incomplete = diagnostics.has_errors() && !ended.failures.iter().any(exists);
    let remains = incomplete
        .then(|| remaining_objects::remaining_objects(verb, ended.is_create, &ended.made));
    ApplyOutcome {
        observed: ended.observed,
        diagnostics,
        failed: broken,
        conflicts,
        remains,
    }
}

/// Warns of this link's former addresses on a gateway that cannot be updated without losing its
/// RADIUS secret.
pub(super) fn warn_of_remaining_addresses(
    mut outcome: ApplyOutcome,
    former: &[Ipv4Addr],
) -> ApplyOutcome {
    let Some(gateway) = outcome
        .observed
        .azure
        .gateway
        .as_ref()
        .filter(|gateway| gateway.hides_radius_secret)
    else {
        return outcome;
    };
    let left: Vec<String> = gateway
        .custom_bgp_ips()
        .filter(|ip| former.contains(ip))
        .map(ToString::to_string)
        .collect();
    if !left.is_empty() {
        outcome
            .diagnostics
            .push(remaining_addresses(&gateway.resource.id, &left));
    }
    outcome
}

/// Warns of addresses that only the owner of a gateway with RADIUS clients can remove.
pub(in crate::provider) fn remaining_addresses(
    gateway: &ResourceId,
    left: &[String],
) -> Diagnostic {
    let detail = format!(
        "{gateway} still lists {}, which this link no longer uses. The provider did not update the gateway: Azure does not return its \
         RADIUS secret, so an update could clear the secret. The unused addresses are harmless, but no other connection of the gateway can use \
         them. To free them, remove them manually and enter the RADIUS secret again in the same update.",
        left.join(", ")
    );
    Diagnostic::warning(summaries::REMAINING_BGP_ADDRESSES).detail(detail)
}

fn verb_phrase(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::WaitFor => "wait for",
    }
}

pub(super) fn format_minutes(span: Duration) -> String {
    format!("{} minutes", span.as_secs() / 60)
}
