//! Azure's state, the way of every call through it, and what happens by itself as time goes on.

use super::call::{self, Action, Call, Verb, What};
use super::errors::{self, ApiError};
use super::groups::Group;
use super::ids::{self, Id, Kind};
use super::management_locks::ManagementLock;
use super::operations::{Operation, json_response};
use super::policy_assignments::PolicyAssignment;
use super::resource::{Resource, State, text};
use super::throttle::Buckets;
use crate::faults::Injected;
use crate::http::{Request, Response};
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A gateway's lock: one write at a time on it and all its connections.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lock {
    pub until: SimTime,
    /// Record of the operation that holds it.
    pub operation: String,
}

/// All of Azure. Maps are keyed by ids in lower case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AzureService {
    pub(super) groups: BTreeMap<String, Group>,
    pub(super) resources: BTreeMap<String, Resource>,
    pub(super) operations: BTreeMap<String, Operation>,
    pub(super) locks: BTreeMap<String, Lock>,
    /// Locks that people put on scopes, by their ids in lower case.
    #[serde(default)]
    pub(super) management_locks: BTreeMap<String, ManagementLock>,
    /// Policies that people assigned to scopes, by the ids of the assignments in lower case.
    #[serde(default)]
    pub(super) policy_assignments: BTreeMap<String, PolicyAssignment>,
    /// Microsoft.Network is not registered in the subscription.
    #[serde(default)]
    pub(super) network_unregistered: bool,
    /// Limit of Standard public IPs at a location, unless it is Azure's default.
    #[serde(default)]
    pub(super) public_ips: Option<usize>,
    /// Subnets and public IPs that a deleted gateway still holds, until when.
    pub(super) lingering: BTreeMap<String, SimTime>,
    /// What happens by itself: when, and to which resource or group.
    pub(super) agenda: BTreeSet<(SimTime, String)>,
    buckets: Buckets,
    /// Grows with every change that may affect the configuration of the gateways.
    revision: u64,
}

impl AzureService {
    pub fn classify(request: &Request) -> Option<Call> {
        call::classify(request)
    }

    /// A number that differs whenever [`AzureService::endpoints`] may.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Answers one call.
    pub fn handle(&mut self, call: &Call, request: &Request, cx: &mut Context<'_>) -> Response {
        self.revision += u64::from(request.method != "GET");
        let result = match self.admit(call, request, cx) {
            Ok(()) => self.dispatch(call, request, cx),
            Err(refusal) => Err(refusal),
        };
        let mut response = result.unwrap_or_else(|refusal| refusal.response(cx.settings));
        super::cloud::hide_newer(&mut response, &api_version(request));
        self.dress(response, call, request, cx)
    }

    /// Token, subscription, api-version and token buckets: what Resource Manager looks at before
    /// anything else.
    fn admit(
        &mut self,
        call: &Call,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        match &call.what {
            What::MetadataEndpoints
            | What::InstanceDiscovery
            | What::OpenIdConfiguration { .. }
            | What::Token { .. }
            | What::ManagedIdentityToken => return Ok(()),
            What::NotAllowed => {
                return Err(ApiError::new(
                    405,
                    "HttpMethodNotAllowed",
                    "The HTTP method is not allowed on this address.",
                ));
            }
            _ => {}
        }
        super::identity::check_token(request, cx)?;
        if let Some(subscription) = subscription_of(&request.path)
            && !subscription.eq_ignore_ascii_case(&cx.settings.subscription_id)
        {
            return Err(ApiError::new(
                404,
                "SubscriptionNotFound",
                format!("The subscription '{subscription}' could not be found."),
            ));
        }
        super::authorization::authorize(call, request, cx.settings, cx.authorization)?;
        let version = api_version(request);
        if version.is_empty() {
            return Err(ApiError::bad(
                "MissingApiVersionParameter",
                "The api-version query parameter (?api-version=) is required for all requests.",
            ));
        }
        if !is_api_version(&version) {
            return Err(ApiError::bad(
                "InvalidApiVersionParameter",
                format!(
                    "The api-version '{version}' is invalid. It must be a date, optionally followed by '-preview'."
                ),
            ));
        }
        cx.settings.azure_cloud.check_version(request, &version)?;
        if let What::Unknown(name) = &call.what {
            return Err(ApiError::new(
                404,
                "InvalidResourceType",
                format!("The resource type '{name}' is not served here."),
            ));
        }
        if cx.settings.throttling {
            self.buckets.take(&request.method, cx.now)
        } else {
            Ok(())
        }
    }

    fn dispatch(
        &mut self,
        call: &Call,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.require_no_management_lock(call, request)?;
        self.require_no_denying_policy(call, request)?;
        self.require_subscription_allows(call, request)?;
        match &call.what {
            What::MetadataEndpoints => {
                Ok(super::identity::metadata(request, cx.settings.azure_cloud))
            }
            What::InstanceDiscovery => Ok(super::identity::instance_discovery(request)),
            What::OpenIdConfiguration { tenant } => {
                Ok(super::identity::openid_configuration(request, tenant))
            }
            What::Token { tenant } => Ok(super::identity::token(request, tenant, cx)),
            What::ManagedIdentityToken => Ok(super::identity::managed_identity_token(request, cx)),
            What::Tenants => Ok(super::identity::tenants(cx)),
            What::Subscriptions => Ok(json_response(
                200,
                &json!({"value": [super::identity::subscription(cx)]}),
            )),
            What::Subscription(_) => Ok(json_response(200, &super::identity::subscription(cx))),
            What::Locations(subscription) => Ok(super::locations::list(
                subscription,
                cx.settings.azure_cloud,
            )),
            What::Provider(subscription, namespace) => Ok(self.resource_provider(
                subscription,
                namespace,
                cx.settings.azure_cloud,
                request,
            )),
            What::Usages(subscription, location) => Ok(self.usages(subscription, location)),
            What::PolicyAssignment(verb, scope, name) => {
                self.policy_assignment(*verb, scope, name, request)
            }
            What::CheckPolicyRestrictions(scope) => self.check_policy_restrictions(scope, request),
            What::Groups(_) => Ok(self.list_groups()),
            What::Group(verb, subscription, group) => {
                self.group(*verb, subscription, group, request, cx)
            }
            What::Resources(subscription, group) => {
                self.list_resources(subscription, group.as_deref(), request)
            }
            What::Collection {
                subscription,
                group,
                kind,
            } => self.list(subscription, group.as_deref(), *kind, cx),
            What::Subnets(network) => self.list_subnets(network, cx),
            What::GatewayConnections(gateway) => self.list_gateway_connections(gateway, cx),
            What::Item(Verb::Get | Verb::Head, id) => self.get(id, cx),
            What::Item(Verb::Put, id) => self.put(id, request, cx),
            What::Item(Verb::Patch, id) => self.patch(id, request, cx),
            What::Item(Verb::Delete, id) => self.delete(id, request, cx),
            What::GetSharedKey(id) => self.get_shared_key(id),
            What::PutSharedKey(id) => self.put_shared_key(id, request, cx),
            What::Action(Action::ResetSharedKey, id) => self.reset_shared_key(id, request, cx),
            What::Action(action, id) => self.post_action(*action, id, request, cx),
            What::Locks(scope) => Ok(self.list_locks(scope)),
            What::Permissions(scope) => {
                Ok(super::authorization::permissions(scope, cx.authorization))
            }
            What::Lock(verb, scope, name) => self.lock(*verb, scope, name, request),
            What::Operation(_, record) => self.operation_status(record, cx),
            What::OperationResult(_, record) => self.operation_result(record, request, cx),
            What::NotAllowed | What::Unknown(_) => {
                Err(ApiError::new(404, "NotFound", "No such address."))
            }
        }
    }

    /// The headers that every answer carries, as recorded.
    fn dress(
        &self,
        mut response: Response,
        call: &Call,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Response {
        for (name, value) in [
            ("Cache-Control", "no-cache"),
            ("Pragma", "no-cache"),
            ("Expires", "-1"),
            (
                "Strict-Transport-Security",
                "max-age=31536000; includeSubDomains",
            ),
            ("X-Content-Type-Options", "nosniff"),
        ] {
            response = response.with_header(name, value);
        }
        if !request.path.starts_with("/subscriptions") {
            return response;
        }
        if matches!(call.what, What::Item(..)) {
            response = response
                .with_header("Server", "Microsoft-HTTPAPI/2.0")
                .with_header("Server", "Microsoft-HTTPAPI/2.0");
        }
        if !response
            .headers
            .iter()
            .any(|(name, _)| name == "x-ms-request-id")
        {
            response = response.with_header("x-ms-request-id", cx.rng.uuid());
        }
        let correlation = request
            .header("x-ms-correlation-request-id")
            .map_or_else(|| cx.rng.uuid(), str::to_owned);
        let (which, left) = self.buckets.left(&request.method);
        let routing = format!(
            "SANDBOX:{}:{correlation}",
            timestamp(cx.settings.unix_seconds(cx.now))
        );
        response
            .with_header("x-ms-arm-service-request-id", cx.rng.uuid())
            .with_header("x-ms-routing-request-id", routing)
            .with_header("x-ms-correlation-request-id", correlation)
            .with_header(
                &format!("x-ms-ratelimit-remaining-subscription-{which}"),
                left.to_string(),
            )
    }

    /// Lets what is due by `now` happen.
    pub fn advance(&mut self, now: SimTime, rng: &mut Rng) {
        while let Some((due, key)) = self.agenda.first().cloned() {
            if due > now {
                break;
            }
            self.revision += 1;
            self.agenda.remove(&(due, key.clone()));
            if self.groups.contains_key(&key) {
                self.finish_group(&key, due);
            } else {
                self.finish(&key, due, rng);
            }
        }
    }

    /// A change of one resource comes to its end.
    fn finish(&mut self, key: &str, at: SimTime, rng: &mut Rng) {
        let Some(resource) = self.resources.get_mut(key) else {
            return;
        };
        let failing = resource
            .pending
            .as_ref()
            .and_then(|pending| self.operations.get(&pending.operation));
        let failing = failing.is_some_and(|operation| operation.error.is_some());
        if let Some((due, secret)) = resource.next_secret.take_if(|_| !failing) {
            if due <= at {
                resource.secret = Some(secret);
            } else {
                resource.next_secret = Some((due, secret));
            }
        }
        let Some(pending) = resource.pending.take_if(|pending| pending.due <= at) else {
            return;
        };
        resource.etag = etag(rng);
        if failing {
            resource.next_secret = None;
            resource.state = State::Failed;
            return;
        }
        if !pending.vanish {
            resource.state = State::Succeeded;
            resource.ready = true;
            resource.settled = at;
            return;
        }
        let id = resource.id.clone();
        if id.kind == Kind::Gateway {
            for configuration in resource.items("/ipConfigurations") {
                for pointer in ["/properties/subnet/id", "/properties/publicIPAddress/id"] {
                    if let Some(held) = text(configuration, pointer) {
                        let lag = rng.duration(SimDuration::seconds(45), SimDuration::seconds(180));
                        self.lingering.insert(held.to_lowercase(), at + lag);
                    }
                }
            }
            self.locks.remove(key);
        }
        self.resources.remove(key);
        self.forget_locks(key);
        if id.kind == Kind::VirtualNetwork {
            let beneath = format!("{key}/");
            self.resources
                .retain(|other, _| !other.starts_with(&beneath));
        }
    }

    /// Every resource and group, for `awsazure-sandbox world`.
    pub fn objects(&self) -> Vec<Value> {
        let groups = self.groups.values().map(|group| {
            json!({"kind": "resourceGroups", "id": group.id(), "name": group.name, "state": group.state(),
                "tags": group.tags.clone().unwrap_or_else(|| json!({}))})
        });
        let resources = self.resources.values().map(|resource| {
            let mut row = json!({"kind": resource.id.kind.collection(), "id": resource.id.to_string(), "name": resource.id.name,
                "state": resource.state.word(), "tags": resource.tags.clone().unwrap_or_else(|| json!({}))});
            if let (Kind::Gateway, Some(row)) = (resource.id.kind, row.as_object_mut()) {
                let entries = super::resource::items(&resource.properties, "/bgpSettings/bgpPeeringAddresses").iter();
                let listed: Vec<&Value> =
                    entries.flat_map(|entry| super::resource::items(entry, "/customBgpIpAddresses")).collect();
                row.insert("custom_bgp_addresses".to_owned(), json!(listed));
                if let Some(set) = super::gateway::has_radius_secrets(resource) {
                    row.insert("radius_secrets".to_owned(), set.into());
                }
            }
            row
        });
        groups.chain(resources).collect()
    }

    /// An injected fault in Azure's words.
    pub fn error_response(
        &self,
        kind: Injected,
        call: &Call,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Response {
        let target = call.target.as_str();
        let wait = SimDuration::seconds(10);
        let refusal = match kind {
            Injected::Refused => ApiError::bad(
                "OperationNotAllowed",
                format!("The operation on '{target}' is not allowed."),
            ),
            Injected::Throttled => ApiError::new(
                429,
                "SubscriptionRequestsThrottled",
                format!(
                    "Number of requests for subscription '{}' exceeded the limit.",
                    cx.settings.subscription_id
                ),
            )
            .after(wait),
            Injected::Unavailable => ApiError::new(
                503,
                "ServiceUnavailable",
                "The service is unavailable. Please try again later.",
            )
            .after(wait),
            Injected::Conflict => {
                let record = cx.rng.uuid();
                let url = format!(
                    "{}/subscriptions/{}/providers/Microsoft.Network/locations/westus/operations/{record}?api-version=2025-01-01",
                    request.base_url, cx.settings.subscription_id
                );
                match Id::parse(target) {
                    Some(id) => errors::another_operation(&url, &id, false),
                    None => ApiError::new(409, "Conflict", "Another operation is in progress."),
                }
            }
            Injected::InternalError => {
                ApiError::new(500, "InternalServerError", "An error occurred.")
            }
            Injected::TokenExpired => super::identity::expired(request, cx),
            Injected::Denied => ApiError::new(
                403,
                "AuthorizationFailed",
                format!(
                    "The client '{}' does not have authorization to perform action '{}' over scope '{target}' or the scope \
                     is invalid. If access was recently granted, please refresh your credentials.",
                    cx.settings.client_id, call.operation
                ),
            ),
            Injected::NotFound => match Id::parse(target) {
                Some(id) => errors::not_found(&id),
                None => ApiError::new(404, "NotFound", format!("'{target}' was not found.")),
            },
        };
        self.dress(refusal.response(cx.settings), call, request, cx)
    }
}

/// A new entity tag, as documents carry it.
pub(super) fn etag(rng: &mut Rng) -> String {
    format!("W/\"{}\"", rng.uuid())
}

/// The request's api-version, empty when it has none.
pub(super) fn api_version(request: &Request) -> String {
    ids::parameter(&request.query, "api-version").unwrap_or_default()
}

fn is_api_version(text: &str) -> bool {
    let date = text.strip_suffix("-preview").unwrap_or(text);
    date.parse::<jiff::civil::Date>().is_ok() && date.len() == 10
}

fn subscription_of(path: &str) -> Option<&str> {
    let mut parts = path.trim_start_matches('/').split('/');
    parts
        .next()
        .filter(|first| first.eq_ignore_ascii_case("subscriptions"))?;
    parts.next()
}

/// `20261122T193700Z`.
fn timestamp(unix_seconds: i64) -> String {
    jiff::Timestamp::from_second(unix_seconds)
        .map(|at| {
            at.to_string()
                .chars()
                .filter(|c| !matches!(c, '-' | ':'))
                .collect()
        })
        .unwrap_or_default()
}
