//! What PUT, PATCH, DELETE and GET of all kinds have in common: preconditions, locks, the change
//! under way and its operation.

use super::errors::{self, ApiError};
use super::ids::{Id, Kind};
use super::operations::{Operation, OperationResult, PollHeaders, json_response};
use super::resource::{self, Object, Pending, Resource, State};
use super::service::{AzureService, Lock, api_version, etag};
use super::tags;
use crate::http::{Request, Response};
use crate::time::SimDuration;
use crate::world::Context;
use serde_json::Value;
use std::net::Ipv4Addr;

/// Top-level members that have their own place; any other comes back as it was sent.
const KNOWN: [&str; 9] = [
    "id",
    "name",
    "type",
    "etag",
    "location",
    "tags",
    "properties",
    "sku",
    "zones",
];

/// A change about to begin: the verb that names its operation, how long it takes, the lock it holds
/// meanwhile (key of a gateway or virtual network), and what its operation has to say in the end.
pub(super) struct PendingChange {
    pub verb: &'static str,
    pub span: SimDuration,
    pub lock: Option<String>,
    pub result: OperationResult,
}

/// A PUT that its kind has checked and normalised.
pub(super) struct ValidatedPut {
    pub properties: Value,
    pub top: Object,
    /// How long the change takes.
    pub span: SimDuration,
    /// Key of the gateway or virtual network whose lock it needs.
    pub lock: Option<String>,
    pub secret: Option<String>,
    pub address: Option<Ipv4Addr>,
    /// The subnets that a virtual network has from now on, when the document says.
    pub subnets: Option<Vec<(Id, Value)>>,
}

impl ValidatedPut {
    pub fn new(properties: Object, span: SimDuration) -> ValidatedPut {
        ValidatedPut {
            properties: properties.into(),
            top: Object::new(),
            span,
            lock: None,
            secret: None,
            address: None,
            subnets: None,
        }
    }
}

/// The request's body, which must be a JSON object.
pub(super) fn body(request: &Request) -> Result<Object, ApiError> {
    match serde_json::from_slice(&request.body) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(ApiError::bad(
            "InvalidRequestContent",
            "The request content was invalid and could not be deserialized.",
        )),
    }
}

/// The body's properties; absent ones are none.
pub(super) fn properties(body: &Object) -> Object {
    body.get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default()
}

impl AzureService {
    pub(super) fn find(&self, id: &Id) -> Result<&Resource, ApiError> {
        self.require_group(id)?;
        self.resources
            .get(&id.key())
            .ok_or_else(|| errors::not_found(id))
    }

    pub(super) fn get(&self, id: &Id, cx: &mut Context<'_>) -> Result<Response, ApiError> {
        let resource = self.find(id)?;
        let response = json_response(200, &self.render(resource, cx));
        // Gateways and connections answer without the header, as recorded.
        Ok(match id.kind {
            Kind::Gateway | Kind::Connection => response,
            Kind::Subnet => {
                let network = id
                    .network()
                    .and_then(|network| self.resources.get(&network.key()));
                response.with_header("ETag", network.unwrap_or(resource).etag.clone())
            }
            _ => response.with_header("ETag", resource.etag.clone()),
        })
    }

    /// A resource as a client sees it now.
    pub(super) fn render(&self, resource: &Resource, cx: &mut Context<'_>) -> Value {
        let document = resource.document();
        match resource.id.kind {
            Kind::VirtualNetwork => self.render_network(resource, document),
            Kind::Subnet => self.render_subnet(resource, document),
            Kind::PublicIp => self.render_public_ip(resource, document),
            Kind::Gateway => self.render_gateway(resource, document, cx),
            Kind::LocalGateway => document,
            Kind::Connection => self.render_connection(resource, document, cx),
            Kind::Peering
            | Kind::NetworkInterface
            | Kind::PrivateEndpoint
            | Kind::NatGateway
            | Kind::RouteTable
            | Kind::SecurityGroup => document,
        }
    }

    pub(super) fn put(
        &mut self,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.require_group(id)?;
        self.writable(id)?;
        check_name(id)?;
        let body = body(request)?;
        let existing = self.resources.get(&id.key());
        self.check_conditions(request, existing)?;
        if let Some(existing) = existing {
            self.require_idle(existing, request, cx)?;
        }
        let location = self.location(id, &body, existing)?;
        let tags = tags::sent(&body, existing.and_then(|existing| existing.tags.as_ref()))?;
        let mut draft = match id.kind {
            Kind::VirtualNetwork => self.validate_network(id, &body, existing, cx)?,
            Kind::Subnet => self.validate_subnet(id, &body, existing, cx)?,
            Kind::PublicIp => self.validate_public_ip(id, &body, &location, existing, cx)?,
            Kind::Gateway => self.validate_gateway(id, &body, &location, existing, cx)?,
            Kind::LocalGateway => validate_local_gateway(id, &body, cx)?,
            Kind::Connection => self.validate_connection(id, &body, &location, existing, cx)?,
            Kind::Peering
            | Kind::NetworkInterface
            | Kind::PrivateEndpoint
            | Kind::NatGateway
            | Kind::RouteTable
            | Kind::SecurityGroup => self.validate_subnet_user(id, &body, cx)?,
        };
        for (name, value) in body
            .iter()
            .filter(|(name, _)| !KNOWN.contains(&name.as_str()))
        {
            draft.top.insert(name.clone(), value.clone());
        }
        if let Some(key) = &draft.lock {
            self.require_unlocked(key, id, request, cx)?;
        }
        let status = if existing.is_none() { 201 } else { 200 };
        let record = self.store(id, location, tags, draft, request, cx);
        self.outcome(id, status, &record, request, cx)
    }

    fn outcome(
        &self,
        id: &Id,
        status: u16,
        record: &str,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let resource = self
            .resources
            .get(&id.key())
            .ok_or_else(|| errors::not_found(id))?;
        let response = json_response(status, &self.render(resource, cx));
        Ok(self.accepted(response, record, PollHeaders::Status, request, cx))
    }

    fn store(
        &mut self,
        id: &Id,
        location: String,
        tags: Option<Value>,
        draft: ValidatedPut,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> String {
        let key = id.key();
        let mut resource = self
            .resources
            .remove(&key)
            .unwrap_or_else(|| blank(id, &location, cx));
        resource.tags = tags;
        resource.top = draft.top;
        resource.properties = draft.properties;
        resource.secret = draft.secret.or(resource.secret);
        resource.address = resource.address.or(draft.address);
        self.resources.insert(key.clone(), resource);
        let record = self.start(
            &key,
            PendingChange {
                verb: "Put",
                span: draft.span,
                lock: draft.lock,
                result: OperationResult::Nothing,
            },
            request,
            cx,
        );
        if let Some(subnets) = draft.subnets {
            let beneath = format!("{key}/");
            let kept: Vec<String> = subnets.iter().map(|(id, _)| id.key()).collect();
            self.resources.retain(|other, at| {
                at.id.kind != Kind::Subnet || !other.starts_with(&beneath) || kept.contains(other)
            });
            for (id, properties) in subnets {
                let key = id.key();
                let mut subnet = self
                    .resources
                    .remove(&key)
                    .unwrap_or_else(|| blank(&id, &location, cx));
                subnet.properties = properties;
                subnet.state = State::Updating;
                subnet.pending = self
                    .resources
                    .get(&id.network().map(|n| n.key()).unwrap_or_default())
                    .and_then(|network| network.pending.clone());
                if let Some(pending) = &subnet.pending {
                    self.agenda.insert((pending.due, key.clone()));
                }
                self.resources.insert(key, subnet);
            }
        }
        record
    }

    /// Begins a change of a stored resource: Updating, a new etag, a lock, an operation's record.
    pub(super) fn start(
        &mut self,
        key: &str,
        change: PendingChange,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> String {
        let PendingChange {
            verb,
            span,
            lock,
            result,
        } = change;
        let due = cx.now + span;
        let (subscription, location) = match self.resources.get(key) {
            Some(resource) => (resource.id.subscription.clone(), resource.location.clone()),
            None => return String::new(),
        };
        let vanish = verb == "Delete";
        let operation = Operation {
            subscription,
            location,
            api_version: api_version(request),
            target: key.to_owned(),
            due,
            error: None,
            answer: result,
            with_status: true,
            polls: 0,
        };
        let record = self.record(operation, cx);
        let fresh = etag(cx.rng);
        let mut network = None;
        if let Some(resource) = self.resources.get_mut(key) {
            resource.state = if vanish {
                State::Deleting
            } else {
                State::Updating
            };
            resource.etag.clone_from(&fresh);
            let title = title(verb, resource.id.kind);
            resource.pending = Some(Pending {
                due,
                operation: record.clone(),
                title,
                vanish,
            });
            network = resource.id.network();
        }
        if let Some(network) = network.and_then(|network| self.resources.get_mut(&network.key())) {
            network.etag = fresh;
        }
        self.agenda.insert((due, key.to_owned()));
        if let Some(lock) = lock {
            self.locks.insert(
                lock,
                Lock {
                    until: due,
                    operation: record.clone(),
                },
            );
        }
        record
    }

    /// PATCH of the tags: at once, but for gateways and connections, which are updated for it.
    pub(super) fn patch(
        &mut self,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let existing = self.find(id)?;
        let body = body(request)?;
        self.check_conditions(request, Some(existing))?;
        self.require_idle(existing, request, cx)?;
        let tags = tags::sent(&body, existing.tags.as_ref())?;
        let key = id.key();
        let lock = match id.kind {
            Kind::Gateway => Some(key.clone()),
            Kind::Connection => Some(
                existing
                    .text("/virtualNetworkGateway1/id")
                    .unwrap_or_default()
                    .to_lowercase(),
            ),
            _ => None,
        };
        if let Some(lock) = &lock {
            self.require_unlocked(lock, id, request, cx)?;
        }
        if let Some(resource) = self.resources.get_mut(&key) {
            resource.tags = tags;
            resource.etag = etag(cx.rng);
        }
        if lock.is_none() {
            return self.get(id, cx);
        }
        let span = cx
            .rng
            .duration(SimDuration::seconds(5), SimDuration::seconds(15));
        let record = self.start(
            &key,
            PendingChange {
                verb: "Patch",
                span,
                lock,
                result: OperationResult::Resource,
            },
            request,
            cx,
        );
        self.outcome(id, 200, &record, request, cx)
    }

    pub(super) fn delete(
        &mut self,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.require_group(id)?;
        let key = id.key();
        let Some(existing) = self.resources.get(&key) else {
            return Ok(Response::new(204));
        };
        self.check_conditions(request, Some(existing))?;
        if let Some(pending) = existing.pending.as_ref().filter(|pending| pending.vanish) {
            return Ok(self.accepted(
                Response::new(202),
                &pending.operation,
                PollHeaders::Both,
                request,
                cx,
            ));
        }
        self.require_idle(existing, request, cx)?;
        let lock = match id.kind {
            Kind::Gateway | Kind::VirtualNetwork => Some(key.clone()),
            Kind::Subnet | Kind::Peering => id.network().map(|network| network.key()),
            Kind::Connection => Some(
                existing
                    .text("/virtualNetworkGateway1/id")
                    .unwrap_or_default()
                    .to_lowercase(),
            ),
            _ => None,
        };
        self.require_unused(existing, cx)?;
        if let Some(lock) = &lock {
            self.require_unlocked(lock, id, request, cx)?;
        }
        let (least, most) = match id.kind {
            Kind::VirtualNetwork => (4, 10),
            Kind::Subnet => (4, 10),
            Kind::PublicIp => (5, 10),
            Kind::Gateway => (600, 1_080),
            Kind::LocalGateway => (10, 20),
            Kind::Connection => (20, 60),
            Kind::Peering
            | Kind::NetworkInterface
            | Kind::PrivateEndpoint
            | Kind::NatGateway
            | Kind::RouteTable
            | Kind::SecurityGroup => (3, 10),
        };
        let span = cx
            .rng
            .duration(SimDuration::seconds(least), SimDuration::seconds(most));
        let record = self.start(
            &key,
            PendingChange {
                verb: "Delete",
                span,
                lock,
                result: OperationResult::Nothing,
            },
            request,
            cx,
        );
        Ok(self.accepted(Response::new(202), &record, PollHeaders::Both, request, cx))
    }

    pub(super) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = &Resource> {
        self.resources
            .values()
            .filter(move |resource| resource.id.kind == kind)
    }

    /// Connections of a gateway, by its key.
    pub(super) fn connections_of<'a>(
        &'a self,
        gateway: &'a str,
    ) -> impl Iterator<Item = &'a Resource> {
        self.of_kind(Kind::Connection).filter(move |connection| {
            ["/virtualNetworkGateway1/id", "/virtualNetworkGateway2/id"]
                .iter()
                .any(|end| {
                    connection
                        .text(end)
                        .is_some_and(|id| id.eq_ignore_ascii_case(gateway))
                })
        })
    }

    /// Where a PUT places the resource: said by its document, once and for all.
    fn location(
        &self,
        id: &Id,
        body: &Object,
        existing: Option<&Resource>,
    ) -> Result<String, ApiError> {
        if let Some(network) = id.network() {
            let network = self.resources.get(&network.key());
            return Ok(network
                .map(|network| network.location.clone())
                .unwrap_or_default());
        }
        let said = body
            .get("location")
            .and_then(Value::as_str)
            .map(resource::location)
            .filter(|said| !said.is_empty());
        match (said, existing) {
            (None, _) => Err(ApiError::bad(
                "LocationRequired",
                "The location property is required for this definition.",
            )),
            (Some(said), Some(existing)) if said != existing.location => Err(ApiError::new(
                409,
                "InvalidResourceLocation",
                format!(
                    "The resource '{}' already exists in location '{}' in resource group '{}'. A resource with the same \
                     name cannot be created in location '{said}'. Please select a new resource name.",
                    id.name, existing.location, id.group
                ),
            )),
            (Some(said), _) if said.chars().all(|c| c.is_ascii_alphanumeric()) => Ok(said),
            (Some(said), _) => Err(ApiError::bad(
                "LocationNotAvailableForResourceType",
                format!(
                    "The provided location '{said}' is not available for resource type '{}'.",
                    id.kind.type_name()
                ),
            )),
        }
    }
}

fn validate_local_gateway(
    id: &Id,
    body: &Object,
    cx: &mut Context<'_>,
) -> Result<ValidatedPut, ApiError> {
    super::local_gateway::validate(id, body, cx)
}

fn blank(id: &Id, location: &str, cx: &mut Context<'_>) -> Resource {
    Resource {
        id: id.clone(),
        location: location.to_owned(),
        tags: None,
        top: Object::new(),
        properties: Value::Null,
        state: State::Updating,
        etag: etag(cx.rng),
        guid: cx.rng.uuid(),
        ready: false,
        pending: None,
        settled: cx.now,
        secret: None,
        next_secret: None,
        address: None,
    }
}

/// The service's name for an operation, as errors quote it.
pub(super) fn title(verb: &str, kind: Kind) -> String {
    format!("{verb}{}Operation", kind.noun())
}

fn check_name(id: &Id) -> Result<(), ApiError> {
    let name = id.name.as_str();
    let most = if id.kind == Kind::VirtualNetwork {
        64
    } else {
        80
    };
    let good = name.len() <= most
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if good {
        return Ok(());
    }
    Err(ApiError::bad(
        "InvalidResourceName",
        format!(
            "Resource name {name} is invalid. The name can be up to {most} characters long. It must begin with a word \
             character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'."
        ),
    ))
}
