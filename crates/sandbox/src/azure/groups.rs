//! Resource groups, whose delete takes everything in them along, and lists of resources of any
//! kind.

use super::call::Verb;
use super::errors::{self, ApiError};
use super::ids::{self, Id, Kind};
use super::operations::{Operation, OperationResult, PollHeaders, json_response};
use super::resource::{self, Pending, Resource, State};
use super::resource_ops;
use super::service::{AzureService, api_version};
use super::tags;
use crate::http::{Request, Response};
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a gateway's list of connections leaves out of each:
/// VirtualNetworkGatewayConnectionListEntity does not have it.
const UNLISTED: [&str; 7] = [
    "dpdTimeoutSeconds",
    "useLocalAzureIpAddress",
    "tunnelProperties",
    "ingressNatRules",
    "egressNatRules",
    "authenticationType",
    "certificateAuthentication",
];

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub subscription: String,
    pub name: String,
    pub location: String,
    pub tags: Option<Value>,
    /// Its delete, while that runs.
    pub deletion: Option<Pending>,
}

impl Group {
    pub fn id(&self) -> String {
        ids::group_id(&self.subscription, &self.name)
    }

    pub fn state(&self) -> &'static str {
        if self.deletion.is_some() {
            "Deleting"
        } else {
            "Succeeded"
        }
    }

    fn document(&self) -> Value {
        let mut document = json!({"id": self.id(), "name": self.name, "type": "Microsoft.Resources/resourceGroups",
            "location": self.location, "properties": {"provisioningState": self.state()}});
        if let (Some(tags), Some(document)) = (&self.tags, document.as_object_mut()) {
            document.insert("tags".into(), tags.clone());
        }
        document
    }
}

impl AzureService {
    /// Refuses when the resource's group is not there; a group that is going takes reads and
    /// deletes only.
    pub(super) fn require_group(&self, id: &Id) -> Result<(), ApiError> {
        self.groups
            .get(&id.group_key())
            .map(|_| ())
            .ok_or_else(|| errors::group_not_found(&id.group))
    }

    pub(super) fn group(
        &mut self,
        verb: Verb,
        subscription: &str,
        name: &str,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let key = ids::group_key(subscription, name);
        if verb == Verb::Put {
            return self.put_group(subscription, name, request);
        }
        if verb == Verb::Head {
            return Ok(Response::new(if self.groups.contains_key(&key) {
                204
            } else {
                404
            }));
        }
        let group = self
            .groups
            .get_mut(&key)
            .ok_or_else(|| errors::group_not_found(name))?;
        match verb {
            Verb::Patch => {
                let body = resource_ops::body(request)?;
                group.tags = tags::sent(&body, group.tags.as_ref())?;
                Ok(json_response(200, &group.document()))
            }
            Verb::Delete => Ok(self.delete_group(&key, request, cx)),
            _ => Ok(json_response(200, &group.document())),
        }
    }

    fn put_group(
        &mut self,
        subscription: &str,
        name: &str,
        request: &Request,
    ) -> Result<Response, ApiError> {
        let good = (1..=90).contains(&name.chars().count())
            && !name.ends_with('.')
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')'));
        if !good {
            return Err(ApiError::bad(
                "InvalidResourceGroupName",
                format!("The resource group name '{name}' is not valid."),
            ));
        }
        let body = resource_ops::body(request)?;
        let before = self
            .groups
            .get(&ids::group_key(subscription, name))
            .and_then(|group| group.tags.as_ref());
        let tags = tags::sent(&body, before)?;
        let location = body
            .get("location")
            .and_then(Value::as_str)
            .map(resource::location);
        let Some(location) = location.filter(|location| !location.is_empty()) else {
            return Err(ApiError::bad(
                "LocationRequired",
                "The location property is required for this definition.",
            ));
        };
        let key = ids::group_key(subscription, name);
        let Some(group) = self.groups.get_mut(&key) else {
            let group = Group {
                subscription: subscription.to_owned(),
                name: name.to_owned(),
                location,
                tags,
                deletion: None,
            };
            let response = json_response(201, &group.document());
            self.groups.insert(key, group);
            return Ok(response);
        };
        if group.deletion.is_some() {
            return Err(being_deleted(name));
        }
        if group.location != location {
            return Err(ApiError::new(
                409,
                "InvalidResourceGroupLocation",
                format!(
                    "Invalid resource group location '{location}'. The Resource group already exists in location '{}'.",
                    group.location
                ),
            ));
        }
        group.tags = tags;
        Ok(json_response(200, &group.document()))
    }

    fn delete_group(&mut self, key: &str, request: &Request, cx: &mut Context<'_>) -> Response {
        let running = self
            .groups
            .get(key)
            .and_then(|group| group.deletion.as_ref());
        if let Some(pending) = running {
            return self.accepted(
                Response::new(202),
                &pending.operation,
                PollHeaders::Location,
                request,
                cx,
            );
        }
        let beneath = format!("{key}/");
        let holds = |kind: Kind| {
            self.resources
                .values()
                .any(|r| r.id.kind == kind && r.id.group_key() == key)
        };
        let mut seconds = 2;
        if holds(Kind::Connection) {
            seconds += 60 + cx.rng.below(90);
        }
        if holds(Kind::Gateway) {
            seconds += 600 + cx.rng.below(480);
        }
        if self.resources.keys().any(|key| key.starts_with(&beneath)) {
            seconds += 10 + cx.rng.below(20);
        }
        let blocker = self.used_from_outside(&beneath);
        let error = blocker.as_ref().map(|user| {
            let message =
                format!("Deletion of resource group '{key}' failed as a resource in it is still used by {user}.");
            ("ResourceGroupDeletionBlocked".to_owned(), message)
        });
        let blocked = error.is_some();
        let due = cx.now + SimDuration::seconds(if blocked { 30 } else { seconds });
        let operation = Operation {
            subscription: cx.settings.subscription_id.clone(),
            location: String::new(),
            api_version: api_version(request),
            target: key.to_owned(),
            due,
            error,
            answer: OperationResult::Nothing,
            with_status: false,
            polls: 0,
        };
        let record = self.record(operation, cx);
        let pending = Pending {
            due,
            operation: record.clone(),
            title: "DeleteResourceGroup".into(),
            vanish: true,
        };
        if let Some(group) = self.groups.get_mut(key) {
            group.deletion = Some(pending.clone());
        }
        self.agenda.insert((due, key.to_owned()));
        if !blocked {
            for resource in self
                .resources
                .values_mut()
                .filter(|r| r.id.group_key() == key)
            {
                resource.state = State::Deleting;
                resource.pending = Some(pending.clone());
            }
        }
        self.accepted(
            Response::new(202),
            &record,
            PollHeaders::Location,
            request,
            cx,
        )
    }

    /// What outside the group needs something inside it.
    fn used_from_outside(&self, beneath: &str) -> Option<String> {
        let inside = |id: Option<&str>| id.is_some_and(|id| id.to_lowercase().starts_with(beneath));
        let outside = self
            .resources
            .iter()
            .filter(|(key, _)| !key.starts_with(beneath))
            .map(|(_, resource)| resource);
        outside
            .filter(|resource| match resource.id.kind {
                Kind::Gateway => resource.items("/ipConfigurations").iter().any(|c| {
                    inside(resource::text(c, "/properties/subnet/id"))
                        || inside(resource::text(c, "/properties/publicIPAddress/id"))
                }),
                Kind::Connection => ["/virtualNetworkGateway1/id", "/localNetworkGateway2/id"]
                    .iter()
                    .any(|reference| inside(resource.text(reference))),
                Kind::NetworkInterface | Kind::PrivateEndpoint => {
                    super::subnet_users::subnets_of(resource).any(|subnet| inside(Some(subnet)))
                }
                _ => false,
            })
            .map(|resource| resource.id.to_string())
            .next()
    }

    /// A group's delete comes to its end.
    pub(super) fn finish_group(&mut self, key: &str, at: SimTime) {
        let Some(group) = self.groups.get_mut(key) else {
            return;
        };
        let Some(pending) = group.deletion.take_if(|pending| pending.due <= at) else {
            return;
        };
        let beneath = format!("{key}/");
        if self
            .operations
            .get(&pending.operation)
            .is_some_and(|operation| operation.error.is_some())
        {
            for (_, resource) in self
                .resources
                .iter_mut()
                .filter(|(key, _)| key.starts_with(&beneath))
            {
                if resource
                    .pending
                    .take_if(|own| own.operation == pending.operation)
                    .is_some()
                {
                    resource.state = State::Failed;
                }
            }
            return;
        }
        self.resources.retain(|key, _| !key.starts_with(&beneath));
        self.locks.retain(|key, _| !key.starts_with(&beneath));
        self.groups.remove(key);
        self.forget_locks(key);
    }

    pub(super) fn list_groups(&self) -> Response {
        let groups: Vec<Value> = self.groups.values().map(Group::document).collect();
        json_response(200, &json!({"value": groups}))
    }

    /// Tracked resources of a group or subscription, in brief. `$filter` knows `tagName eq '..'`,
    /// `tagValue eq '..'` and `resourceType eq '..'` joined by `and`.
    pub(super) fn list_resources(
        &self,
        subscription: &str,
        group: Option<&str>,
        request: &Request,
    ) -> Result<Response, ApiError> {
        let filter = ids::parameter(&request.query, "$filter").unwrap_or_default();
        let wanted = |field: &str| {
            filter.split(" and ").find_map(|part| {
                let (name, value) = part.trim().split_once(" eq ")?;
                name.eq_ignore_ascii_case(field)
                    .then(|| value.trim().trim_matches('\'').to_owned())
            })
        };
        let (name, value, kind) = (
            wanted("tagName"),
            wanted("tagValue"),
            wanted("resourceType"),
        );
        let matches = |resource: &&Resource| {
            let tags = resource.tags.as_ref().and_then(Value::as_object);
            let tag = name.as_ref().and_then(|name| {
                tags.and_then(|tags| tags.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)))
            });
            resource.id.parent.is_none()
                && (name.is_none() || tag.is_some())
                && value
                    .as_ref()
                    .is_none_or(|value| tag.is_some_and(|(_, own)| own.as_str() == Some(value)))
                && kind
                    .as_ref()
                    .is_none_or(|kind| kind.eq_ignore_ascii_case(resource.id.kind.type_name()))
        };
        let listed: Vec<Value> = self
            .within(subscription, group)?
            .filter(matches)
            .map(|resource| {
                let mut brief = resource.document();
                if let Some(brief) = brief.as_object_mut() {
                    brief.retain(|member, _| {
                        matches!(
                            member.as_str(),
                            "id" | "name" | "type" | "location" | "tags" | "sku"
                        )
                    });
                }
                brief
            })
            .collect();
        Ok(json_response(200, &json!({"value": listed})))
    }

    pub(super) fn list(
        &self,
        subscription: &str,
        group: Option<&str>,
        kind: Kind,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        let found: Vec<&Resource> = self
            .within(subscription, group)?
            .filter(|r| r.id.kind == kind)
            .collect();
        let listed: Vec<Value> = found
            .into_iter()
            .map(|resource| self.render(resource, cx))
            .collect();
        Ok(json_response(200, &json!({"value": listed})))
    }

    fn within(
        &self,
        subscription: &str,
        group: Option<&str>,
    ) -> Result<impl Iterator<Item = &Resource>, ApiError> {
        let key = group.map(|name| ids::group_key(subscription, name));
        if let (Some(key), Some(name)) = (&key, group)
            && !self.groups.contains_key(key)
        {
            return Err(errors::group_not_found(name));
        }
        Ok(self
            .resources
            .values()
            .filter(move |r| key.as_ref().is_none_or(|key| r.id.group_key() == *key)))
    }

    pub(super) fn list_gateway_connections(
        &self,
        gateway: &Id,
        cx: &mut Context<'_>,
    ) -> Result<Response, ApiError> {
        self.find(gateway)?;
        let key = gateway.key();
        let mut listed: Vec<Value> = self
            .connections_of(&key)
            .map(|connection| self.render(connection, cx))
            .collect();
        for properties in listed
            .iter_mut()
            .filter_map(|item| item.get_mut("properties")?.as_object_mut())
        {
            properties.retain(|name, _| !UNLISTED.contains(&name.as_str()));
        }
        Ok(json_response(200, &json!({"value": listed})))
    }
}

/// A group that is going takes no more writes.
pub(super) fn being_deleted(name: &str) -> ApiError {
    ApiError::new(
        409,
        "ResourceGroupBeingDeleted",
        format!(
            "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
        ),
    )
}
