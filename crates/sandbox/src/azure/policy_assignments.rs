//! Azure Policy: assignments of three built-in definitions with effect deny, what they deny, and
//! `checkPolicyRestrictions`, which evaluates a resource before it exists.

use super::call::{Call, Verb, What};
use super::errors::ApiError;
use super::ids;
use super::operations::json_response;
use super::resource_ops;
use super::service::AzureService;
use crate::http::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an id of an assignment has between its scope and its name.
const PROVIDER: &str = "/providers/Microsoft.Authorization/policyAssignments/";
const DEFINITIONS: &str = "/providers/Microsoft.Authorization/policyDefinitions/";

/// Names of the built-in definitions that are simulated.
const NOT_ALLOWED_TYPES: &str = "6c112d4e-5bc7-47ae-a041-ea2d9dccd749";
const ALLOWED_LOCATIONS: &str = "e56962a6-4747-49cd-b67b-bf8b01975c4c";
const REQUIRE_TAG: &str = "871b6d14-10aa-478d-b590-94f262ecfa99";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct PolicyAssignment {
    scope: String,
    name: String,
    /// Name of a built-in definition.
    definition: String,
    parameters: Value,
}

/// A resource as a policy sees it.
struct Subject<'a> {
    resource_type: &'a str,
    content: &'a Value,
}

impl PolicyAssignment {
    fn id(&self) -> String {
        format!("{}{PROVIDER}{}", self.scope, self.name)
    }

    fn document(&self) -> Value {
        json!({"id": self.id(), "name": self.name, "type": "Microsoft.Authorization/policyAssignments",
            "properties": {"displayName": self.name, "scope": self.scope, "enforcementMode": "Default",
                "policyDefinitionId": format!("{DEFINITIONS}{}", self.definition), "parameters": self.parameters}})
    }

    fn covers(&self, scope: &str) -> bool {
        let (scope, own) = (scope.to_lowercase(), self.scope.to_lowercase());
        scope
            .strip_prefix(&own)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn parameter(&self, name: &str) -> &Value {
        self.parameters
            .get(name)
            .and_then(|parameter| parameter.get("value"))
            .unwrap_or(&Value::Null)
    }

    /// Why it denies the resource.
    fn denies(&self, subject: &Subject<'_>) -> Option<String> {
        let listed = |name: &str, text: &str| {
            let list = self.parameter(name).as_array();
            list.is_some_and(|list| {
                list.iter()
                    .filter_map(Value::as_str)
                    .any(|one| one.eq_ignore_ascii_case(text))
            })
        };
        match self.definition.as_str() {
            NOT_ALLOWED_TYPES if listed("listOfResourceTypesNotAllowed", subject.resource_type) => {
                Some(format!("{} is not allowed", subject.resource_type))
            }
            ALLOWED_LOCATIONS => {
                let location = subject.content.get("location").and_then(Value::as_str)?;
                let plain = location.replace(' ', "").to_lowercase();
                (!listed("listOfAllowedLocations", &plain))
                    .then(|| format!("location {location} is not allowed"))
            }
            REQUIRE_TAG => {
                let name = self.parameter("tagName").as_str()?;
                let tags = subject.content.get("tags").and_then(Value::as_object);
                let has =
                    tags.is_some_and(|tags| tags.keys().any(|key| key.eq_ignore_ascii_case(name)));
                (!has).then(|| format!("tag {name} is missing"))
            }
            _ => None,
        }
    }
}

impl AzureService {
    pub(super) fn policy_assignment(
        &mut self,
        verb: Verb,
        scope: &str,
        name: &str,
        request: &Request,
    ) -> Result<Response, ApiError> {
        let key = format!("{scope}{PROVIDER}{name}").to_lowercase();
        match verb {
            Verb::Put => {
                let body = resource_ops::body(request)?;
                let properties = resource_ops::properties(&body);
                let definition = properties
                    .get("policyDefinitionId")
                    .and_then(Value::as_str)
                    .and_then(|id| id.rsplit('/').next())
                    .unwrap_or_default();
                if ![NOT_ALLOWED_TYPES, ALLOWED_LOCATIONS, REQUIRE_TAG].contains(&definition) {
                    return Err(ApiError::new(
                        404,
                        "PolicyDefinitionNotFound",
                        format!("The policy definition '{definition}' is not simulated."),
                    ));
                }
                let assignment = PolicyAssignment {
                    scope: scope.to_owned(),
                    name: name.to_owned(),
                    definition: definition.to_owned(),
                    parameters: properties.get("parameters").cloned().unwrap_or(Value::Null),
                };
                let made = json_response(201, &assignment.document());
                self.policy_assignments.insert(key, assignment);
                Ok(made)
            }
            Verb::Delete => Ok(match self.policy_assignments.remove(&key) {
                Some(assignment) => json_response(200, &assignment.document()),
                None => Response::new(204),
            }),
            _ => match self.policy_assignments.get(&key) {
                Some(assignment) => Ok(json_response(200, &assignment.document())),
                None => Err(ApiError::new(
                    404,
                    "PolicyAssignmentNotFound",
                    format!("The policy assignment '{name}' is not found."),
                )),
            },
        }
    }

    /// `POST SCOPE/providers/Microsoft.PolicyInsights/checkPolicyRestrictions`. Policies that do not
    /// deny the resource are left out.
    pub(super) fn check_policy_restrictions(
        &self,
        scope: &str,
        request: &Request,
    ) -> Result<Response, ApiError> {
        let body = Value::Object(resource_ops::body(request)?);
        let content = body
            .pointer("/resourceDetails/resourceContent")
            .unwrap_or(&Value::Null);
        let resource_type = content
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let subject = Subject {
            resource_type,
            content,
        };
        let evaluations: Vec<Value> = self
            .policy_assignments
            .values()
            .filter(|assignment| assignment.covers(scope))
            .filter_map(|assignment| {
                let reason = assignment.denies(&subject)?;
                Some(json!({
                    "policyInfo": {"policyDefinitionId": format!("{DEFINITIONS}{}", assignment.definition),
                        "policyAssignmentId": assignment.id()},
                    "evaluationResult": "NonCompliant", "evaluationDetails": {"reason": reason}}))
            })
            .collect();
        Ok(json_response(
            200,
            &json!({"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": evaluations}}),
        ))
    }

    /// Rejects a write that an assignment denies. Resource groups are not evaluated: these
    /// definitions evaluate resources with tags and a location only.
    pub(super) fn require_no_denying_policy(
        &self,
        call: &Call,
        request: &Request,
    ) -> Result<(), ApiError> {
        let What::Item(Verb::Put, id) = &call.what else {
            return Ok(());
        };
        if self.policy_assignments.is_empty() || id.parent.is_some() {
            return Ok(());
        }
        let content = Value::Object(resource_ops::body(request)?);
        let subject = Subject {
            resource_type: id.kind.type_name(),
            content: &content,
        };
        let scope = ids::group_id(&id.subscription, &id.group);
        for assignment in self.policy_assignments.values() {
            if assignment.covers(&scope) && assignment.denies(&subject).is_some() {
                return Err(ApiError::new(
                    403,
                    "RequestDisallowedByPolicy",
                    format!(
                        "Resource '{}' was disallowed by policy. Policy identifiers: '[{{\"policyAssignment\":{{\"name\":\"{}\",\"id\":\"{}\"}}}}]'.",
                        id.name,
                        assignment.name,
                        assignment.id()
                    ),
                ));
            }
        }
        Ok(())
    }
}
