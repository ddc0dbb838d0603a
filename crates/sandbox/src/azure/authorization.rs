//! Which RBAC actions a call of Resource Manager needs, and at which scopes.
//!
//! Names of actions are those of Microsoft's page "Azure permissions for Networking", in a stored copy
//! of 2024 and later. That a subnet and a public IP need their `join/action` is in "About roles and
//! permissions for VPN" (stored copy of 2024-12). The same page in a quotation of 2026-08-05
//! (hashicorp/terraform-provider-azurerm issue 29903) lists `sharedKey/action` for the pre-shared key
//! of a connection. The reporter there has `sharedKey/read` alone, and the read fails. Both are
//! required here. Azure answered 500 to that reporter, and 403 to others (Azure/ALZ-PowerShell-Module
//! issue 402, 2025-08-07); this answers 403. Which action belongs to which address is the rule of
//! Resource Manager (type and verb); for listings and operation records it is unverified.

use super::call::{Action, Call, Verb, What};
use super::errors::ApiError;
use super::ids::{self, Id, Kind};
use super::operations::json_response;
use crate::authorization::Authorization;
use crate::http::{Request, Response};
use crate::world::Settings;
use serde_json::{Value, json};

/// An action that a call needs at a scope.
struct Needed {
    action: String,
    scope: String,
    /// It is needed because of the call's own action at another scope.
    is_linked: bool,
}

/// Refuses what the role does not permit.
pub(super) fn authorize(
    call: &Call,
    request: &Request,
    settings: &Settings,
    authorization: &mut Authorization,
) -> Result<(), ApiError> {
    if !authorization.is_active(authorization.azure.is_some()) {
        return Ok(());
    }
    let needed = needed(call, request);
    for one in &needed {
        authorization.record(&one.action);
        let permits = authorization
            .azure
            .as_ref()
            .is_none_or(|role| role.allows(&one.action, &one.scope));
        if !permits {
            return Err(denied(one, needed.first(), settings));
        }
    }
    Ok(())
}

/// What the role permits at a scope, in the form of "Permissions - List For Resource Group"
/// (api-version 2022-04-01, stored copy).
pub(super) fn permissions(scope: &str, authorization: &Authorization) -> Response {
    let roles = match &authorization.azure {
        None => vec![json!({"actions": ["*"], "notActions": []})],
        Some(role) if role.covers(scope) => {
            vec![json!({"actions": role.actions(), "notActions": role.not_actions()})]
        }
        Some(_) => Vec::new(),
    };
    json_response(200, &json!({"value": roles}))
}

fn subscription(id: &str) -> String {
    format!("/subscriptions/{id}")
}

fn needed(call: &Call, request: &Request) -> Vec<Needed> {
    let one = |action: &str, scope: String| {
        vec![Needed {
            action: action.to_owned(),
            scope,
            is_linked: false,
        }]
    };
    let of = |id: &Id, verb: &str| one(&format!("{}/{verb}", id.kind.type_name()), id.to_string());
    match &call.what {
        What::Subscription(id) => one("Microsoft.Resources/subscriptions/read", subscription(id)),
        What::Locations(id) => one(
            "Microsoft.Resources/subscriptions/locations/read",
            subscription(id),
        ),
        What::Provider(id, namespace) => {
            if request.method == "GET" {
                one(
                    "Microsoft.Resources/subscriptions/providers/read",
                    subscription(id),
                )
            } else {
                one(&format!("{namespace}/register/action"), subscription(id))
            }
        }
        What::Groups(id) => one(
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            subscription(id),
        ),
        What::Group(verb, id, group) => {
            let verb = match verb {
                Verb::Get | Verb::Head => "read",
                Verb::Put | Verb::Patch => "write",
                Verb::Delete => "delete",
            };
            one(
                &format!("Microsoft.Resources/subscriptions/resourceGroups/{verb}"),
                ids::group_id(id, group),
            )
        }
        What::Resources(id, None) => one(
            "Microsoft.Resources/subscriptions/resources/read",
            subscription(id),
        ),
        What::Resources(id, Some(group)) => one(
            "Microsoft.Resources/subscriptions/resourceGroups/resources/read",
            ids::group_id(id, group),
        ),
        What::Collection {
            subscription: id,
            group,
            kind,
        } => one(
            &format!("{}/read", kind.type_name()),
            match group {
                Some(group) => ids::group_id(id, group),
                None => subscription(id),
            },
        ),
        What::Subnets(network) => one(
            "Microsoft.Network/virtualNetworks/subnets/read",
            network.to_string(),
        ),
        What::GatewayConnections(gateway) => of(gateway, "connections/read"),
        What::Item(Verb::Get | Verb::Head, id) => of(id, "read"),
        What::Item(Verb::Delete, id) => of(id, "delete"),
        What::Item(Verb::Put | Verb::Patch, id) => {
            let mut all = of(id, "write");
            all.extend(joins(id, request));
            all
        }
        What::GetSharedKey(id) | What::PutSharedKey(id) => {
            let verb = if request.method == "GET" {
                "read"
            } else {
                "write"
            };
            let mut all = of(id, &format!("sharedKey/{verb}"));
            all.extend(of(id, "sharedKey/action"));
            all
        }
        What::Action(action, id) => of(
            id,
            match action {
                Action::ResetSharedKey => "sharedKey/reset/action",
                Action::ResetConnection => "resetconnection/action",
                Action::GetIkeSas => "getikesas/action",
                Action::GetBgpPeerStatus => "getbgppeerstatus/action",
                Action::GetLearnedRoutes => "getlearnedroutes/action",
                Action::GetAdvertisedRoutes => "getadvertisedroutes/action",
                Action::ResetGateway => "reset/action",
            },
        ),
        What::Locks(scope) => one("Microsoft.Authorization/locks/read", scope.clone()),
        What::Permissions(scope) => one("Microsoft.Authorization/permissions/read", scope.clone()),
        What::Lock(verb, scope, _) => {
            let verb = match verb {
                Verb::Put => "write",
                Verb::Delete => "delete",
                _ => "read",
            };
            one(
                &format!("Microsoft.Authorization/locks/{verb}"),
                scope.clone(),
            )
        }
        What::PolicyAssignment(verb, scope, _) => {
            let verb = match verb {
                Verb::Put => "write",
                Verb::Delete => "delete",
                _ => "read",
            };
            one(
                &format!("Microsoft.Authorization/policyAssignments/{verb}"),
                scope.clone(),
            )
        }
        What::CheckPolicyRestrictions(scope) => one(
            "Microsoft.PolicyInsights/checkPolicyRestrictions/read",
            scope.clone(),
        ),
        What::Usages(id, _) => one("Microsoft.Network/locations/usages/read", subscription(id)),
        What::Operation(id, _) => one(
            "Microsoft.Network/locations/operations/read",
            subscription(id),
        ),
        What::OperationResult(id, _) => {
            let of_network = request.path.to_lowercase().contains("/microsoft.network/");
            let action = if of_network {
                "Microsoft.Network/locations/operationResults/read"
            } else {
                "Microsoft.Resources/subscriptions/operationresults/read"
            };
            one(action, subscription(id))
        }
        What::MetadataEndpoints
        | What::InstanceDiscovery
        | What::OpenIdConfiguration { .. }
        | What::Token { .. }
        | What::ManagedIdentityToken
        | What::Tenants
        | What::Subscriptions
        | What::NotAllowed
        | What::Unknown(_) => Vec::new(),
    }
}

/// The `join/action` of what a document refers to.
fn joins(id: &Id, request: &Request) -> Vec<Needed> {
    let Ok(document) = serde_json::from_slice::<Value>(&request.body) else {
        return Vec::new();
    };
    let list = |path: &str| document.pointer(path).and_then(Value::as_array).cloned();
    let mut referring = Vec::new();
    match id.kind {
        Kind::Gateway => referring.extend(list("/properties/ipConfigurations").unwrap_or_default()),
        Kind::VirtualNetwork => referring.extend(list("/properties/subnets").unwrap_or_default()),
        Kind::Subnet => referring.push(document),
        _ => {}
    }
    let fields: &[(&str, &str)] = match id.kind {
        Kind::Gateway => &[
            (
                "subnet",
                "Microsoft.Network/virtualNetworks/subnets/join/action",
            ),
            (
                "publicIPAddress",
                "Microsoft.Network/publicIPAddresses/join/action",
            ),
        ],
        _ => &[
            (
                "networkSecurityGroup",
                "Microsoft.Network/networkSecurityGroups/join/action",
            ),
            ("routeTable", "Microsoft.Network/routeTables/join/action"),
            ("natGateway", "Microsoft.Network/natGateways/join/action"),
        ],
    };
    let mut found = Vec::new();
    for part in &referring {
        for (field, action) in fields {
            let to = part.pointer(&format!("/properties/{field}/id"));
            if let Some(scope) = to.and_then(Value::as_str) {
                found.push(Needed {
                    action: (*action).to_owned(),
                    scope: scope.to_owned(),
                    is_linked: true,
                });
            }
        }
    }
    found
}

/// Resource Manager's refusal. The words of both codes are those of public reports, such as
/// microsoft/planetary-computer-hub pull request 25 (2021-10-21) for the linked one.
fn denied(needed: &Needed, own: Option<&Needed>, settings: &Settings) -> ApiError {
    let client = &settings.client_id;
    let Needed { action, scope, .. } = needed;
    match own.filter(|_| needed.is_linked) {
        None => ApiError::new(
            403,
            "AuthorizationFailed",
            format!(
                "The client '{client}' with object id '{client}' does not have authorization to perform action '{action}' over \
                 scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
            ),
        ),
        Some(own) => ApiError::new(
            403,
            "LinkedAuthorizationFailed",
            format!(
                "The client '{client}' with object id '{client}' has permission to perform action '{}' on scope '{}'; however, it \
                 does not have permission to perform action '{action}' on the linked scope(s) '{scope}' or the linked scope(s) \
                 are invalid.",
                own.action, own.scope
            ),
        ),
    }
}
