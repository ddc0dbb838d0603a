//! Which operation a request means: methods and paths to names. Fixed path elements match in any
//! letter case.

use super::ids::{self, Id, Kind};
use crate::http::Request;

/// A recognised call. `operation` is the name that the call log and the fault plan use.
#[derive(Clone, Debug)]
pub struct Call {
    pub operation: String,
    /// Id of the resource, or name of the operation record, that the call is about.
    pub target: String,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    MetadataEndpoints,
    InstanceDiscovery,
    OpenIdConfiguration {
        tenant: String,
    },
    Token {
        tenant: String,
    },
    ManagedIdentityToken,
    Tenants,
    Subscriptions,
    Subscription(String),
    /// Regions that a subscription may use.
    Locations(String),
    /// Namespace and whether it is to be registered.
    Provider(String, String),
    Groups(String),
    Group(Verb, String, String),
    /// Subscription and, unless it is all of it, resource group.
    Resources(String, Option<String>),
    Collection {
        subscription: String,
        group: Option<String>,
        kind: Kind,
    },
    Subnets(Id),
    GatewayConnections(Id),
    Item(Verb, Id),
    GetSharedKey(Id),
    PutSharedKey(Id),
    Action(Action, Id),
    /// The management locks at, above and below a scope.
    Locks(String),
    /// What the caller may do at a scope.
    Permissions(String),
    /// One lock: its scope and name.
    Lock(Verb, String, String),
    /// One policy assignment: its scope and name.
    PolicyAssignment(Verb, String, String),
    /// Which policies deny a resource in a scope.
    CheckPolicyRestrictions(String),
    /// Subscription and location.
    Usages(String, String),
    /// Subscription and record of an operation.
    Operation(String, String),
    OperationResult(String, String),
    /// Known address, unknown method.
    NotAllowed,
    /// Beneath `/subscriptions/` or of another provider.
    Unknown(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Head,
    Put,
    Patch,
    Delete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    ResetSharedKey,
    ResetConnection,
    GetIkeSas,
    GetBgpPeerStatus,
    GetLearnedRoutes,
    GetAdvertisedRoutes,
    ResetGateway,
}

impl Verb {
    fn of(method: &str) -> Option<Verb> {
        Some(match method {
            "GET" => Verb::Get,
            "HEAD" => Verb::Head,
            "PUT" => Verb::Put,
            "PATCH" => Verb::Patch,
            "DELETE" => Verb::Delete,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Verb::Get => "Get",
            Verb::Head => "Head",
            Verb::Put => "Put",
            Verb::Patch => "Patch",
            Verb::Delete => "Delete",
        }
    }
}

/// What the call log calls a resource of that kind.
fn short(kind: Kind) -> &'static str {
    match kind {
        Kind::PublicIp => "PublicIp",
        Kind::Gateway => "Gateway",
        Kind::LocalGateway => "LocalGateway",
        Kind::Connection => "Connection",
        Kind::VirtualNetwork => "VirtualNetwork",
        Kind::Subnet => "Subnet",
        Kind::Peering => "Peering",
        Kind::NetworkInterface => "NetworkInterface",
        Kind::PrivateEndpoint => "PrivateEndpoint",
        Kind::NatGateway => "NatGateway",
        Kind::RouteTable => "RouteTable",
        Kind::SecurityGroup => "SecurityGroup",
    }
}

impl What {
    fn operation(&self) -> String {
        match self {
            What::MetadataEndpoints => "GetMetadataEndpoints".into(),
            What::InstanceDiscovery => "GetInstanceDiscovery".into(),
            What::OpenIdConfiguration { .. } => "GetOpenIdConfiguration".into(),
            What::Token { .. } => "GetToken".into(),
            What::ManagedIdentityToken => "GetManagedIdentityToken".into(),
            What::Tenants => "ListTenants".into(),
            What::Subscriptions => "ListSubscriptions".into(),
            What::Subscription(_) => "GetSubscription".into(),
            What::Locations(_) => "ListLocations".into(),
            What::Provider(_, _) => "RegisterProvider".into(),
            What::Groups(_) => "ListResourceGroups".into(),
            What::Group(verb, ..) => format!("{}ResourceGroup", verb.word()),
            What::Resources(..) => "ListResources".into(),
            What::Collection { kind, .. } => format!("List{}s", short(*kind)),
            What::Subnets(_) => "ListSubnets".into(),
            What::GatewayConnections(_) => "ListGatewayConnections".into(),
            What::Item(verb, id) => format!("{}{}", verb.word(), short(id.kind)),
            What::GetSharedKey(_) => "GetSharedKey".into(),
            What::PutSharedKey(_) => "PutSharedKey".into(),
            What::Action(action, _) => format!("{action:?}"),
            What::Locks(_) => "ListLocks".into(),
            What::Permissions(_) => "ListPermissions".into(),
            What::Lock(verb, ..) => format!("{}Lock", verb.word()),
            What::PolicyAssignment(verb, ..) => format!("{}PolicyAssignment", verb.word()),
            What::CheckPolicyRestrictions(_) => "CheckPolicyRestrictions".into(),
            What::Usages(..) => "ListUsages".into(),
            What::Operation(..) => "GetOperation".into(),
            What::OperationResult(..) => "GetOperationResult".into(),
            What::NotAllowed | What::Unknown(_) => "Unknown".into(),
        }
    }

    fn target(&self, path: &str) -> String {
        match self {
            What::Item(_, id)
            | What::Subnets(id)
            | What::GatewayConnections(id)
            | What::GetSharedKey(id)
            | What::PutSharedKey(id)
            | What::Action(_, id) => id.to_string(),
            What::Group(_, subscription, group) => ids::group_id(subscription, group),
            What::Operation(_, record) | What::OperationResult(_, record) => record.clone(),
            What::Provider(_, namespace) => namespace.clone(),
            What::OpenIdConfiguration { tenant } | What::Token { tenant } => tenant.clone(),
            _ => path.to_owned(),
        }
    }
}

/// Names the operation that a request means; None for an address that is none of Azure's.
pub fn classify(request: &Request) -> Option<Call> {
    let decoded: Vec<String> = request
        .path
        .trim_matches('/')
        .split('/')
        .map(|s| ids::decode(s, false))
        .collect();
    let lower: Vec<String> = decoded.iter().map(|s| s.to_ascii_lowercase()).collect();
    let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
    let method = request.method.as_str();
    let what = match (method, lower.as_slice()) {
        ("GET", ["metadata", "endpoints"]) => What::MetadataEndpoints,
        ("GET", ["metadata", "identity", "oauth2", "token"]) => What::ManagedIdentityToken,
        ("GET", ["common", "discovery", "instance"]) => What::InstanceDiscovery,
        (
            "GET",
            [tenant, "v2.0", ".well-known", "openid-configuration"]
            | [tenant, ".well-known", "openid-configuration"],
        ) => What::OpenIdConfiguration {
            tenant: (*tenant).to_owned(),
        },
        ("POST", [tenant, "oauth2", "v2.0", "token"] | [tenant, "oauth2", "token"]) => {
            What::Token {
                tenant: (*tenant).to_owned(),
            }
        }
        ("GET", ["tenants"]) => What::Tenants,
        ("GET", ["subscriptions"]) => What::Subscriptions,
        (_, ["subscriptions", ..]) => {
            let spelled: Vec<&str> = decoded.iter().map(String::as_str).collect();
            beneath(method, &lower, &spelled)
        }
        _ => return None,
    };
    Some(Call {
        operation: what.operation(),
        target: what.target(&request.path),
        what,
    })
}

fn beneath(method: &str, lower: &[&str], spelled: &[&str]) -> What {
    let own = |text: &str| text.to_owned();
    let (Some(subscription), Some(rest), Some(words)) =
        (spelled.get(1), lower.get(2..), spelled.get(2..))
    else {
        return What::NotAllowed;
    };
    let subscription = own(subscription);
    if let [
        scope @ ..,
        "providers",
        "microsoft.authorization",
        list @ ("locks" | "permissions"),
    ] = rest
    {
        let scope = spelled.get(..scope.len() + 2).unwrap_or_default();
        let scope = format!("/{}", scope.join("/"));
        return match (method, *list) {
            ("GET", "locks") => What::Locks(scope),
            ("GET", _) => What::Permissions(scope),
            _ => What::NotAllowed,
        };
    }
    if let (
        [
            scope @ ..,
            "providers",
            "microsoft.authorization",
            "locks",
            _,
        ],
        [.., name],
    ) = (rest, words)
    {
        let scope = spelled.get(..scope.len() + 2).unwrap_or_default();
        return match Verb::of(method) {
            Some(verb @ (Verb::Get | Verb::Put | Verb::Delete)) => {
                What::Lock(verb, format!("/{}", scope.join("/")), own(name))
            }
            _ => What::NotAllowed,
        };
    }
    if let (
        [
            scope @ ..,
            "providers",
            "microsoft.authorization",
            "policyassignments",
            _,
        ],
        [.., name],
    ) = (rest, words)
    {
        let scope = spelled.get(..scope.len() + 2).unwrap_or_default();
        return match Verb::of(method) {
            Some(verb @ (Verb::Get | Verb::Put | Verb::Delete)) => {
                What::PolicyAssignment(verb, format!("/{}", scope.join("/")), own(name))
            }
            _ => What::NotAllowed,
        };
    }
    if let [
        scope @ ..,
        "providers",
        "microsoft.policyinsights",
        "checkpolicyrestrictions",
    ] = rest
    {
        let scope = spelled.get(..scope.len() + 2).unwrap_or_default();
        return if method == "POST" {
            What::CheckPolicyRestrictions(format!("/{}", scope.join("/")))
        } else {
            What::NotAllowed
        };
    }
    match (method, rest, words) {
        ("GET", [], _) => What::Subscription(subscription),
        ("GET", ["locations"], _) => What::Locations(subscription),
        ("GET", ["resourcegroups"], _) => What::Groups(subscription),
        ("GET", ["resources"], _) => What::Resources(subscription, None),
        ("GET", ["operationresults", _], [_, record]) => {
            What::OperationResult(subscription, own(record))
        }
        (
            "POST" | "GET",
            ["providers", _, "register" | "unregister"] | ["providers", _],
            [_, namespace, ..],
        ) => What::Provider(subscription, own(namespace)),
        (
            "GET",
            [
                "providers",
                "microsoft.network",
                "locations",
                location,
                "usages",
            ],
            _,
        ) => What::Usages(subscription, own(location)),
        (
            "GET",
            [
                "providers",
                "microsoft.network",
                "locations",
                _,
                "operations",
                _,
            ],
            [.., record],
        ) => What::Operation(subscription, own(record)),
        (
            "GET",
            [
                "providers",
                "microsoft.network",
                "locations",
                _,
                "operationresults",
                _,
            ],
            [.., record],
        ) => What::OperationResult(subscription, own(record)),
        ("GET", ["providers", "microsoft.network", collection], _) => {
            match Kind::of_collection(collection) {
                Some(kind) => What::Collection {
                    subscription,
                    group: None,
                    kind,
                },
                None => What::Unknown(own(collection)),
            }
        }
        (_, ["resourcegroups", _], [_, group]) => match Verb::of(method) {
            Some(verb) => What::Group(verb, subscription, own(group)),
            None => What::NotAllowed,
        },
        ("GET", ["resourcegroups", _, "resources"], [_, group, _]) => {
            What::Resources(subscription, Some(own(group)))
        }
        (
            "GET",
            [
                "resourcegroups",
                _,
                "providers",
                "microsoft.network",
                collection,
            ],
            [_, group, ..],
        ) => match Kind::of_collection(collection) {
            Some(kind) => What::Collection {
                subscription,
                group: Some(own(group)),
                kind,
            },
            None => What::Unknown(own(collection)),
        },
        (
            _,
            [
                "resourcegroups",
                _,
                "providers",
                "microsoft.network",
                collection,
                _,
                tail @ ..,
            ],
            [_, group, _, _, _, name, after @ ..],
        ) => {
            let Some(kind) = Kind::of_collection(collection) else {
                return What::Unknown(own(collection));
            };
            let id = Id {
                subscription,
                group: own(group),
                kind,
                parent: None,
                name: own(name),
            };
            within(method, id, tail, after)
        }
        (_, ["resourcegroups", _, "providers", provider, ..], _) => What::Unknown(own(provider)),
        _ => What::NotAllowed,
    }
}

/// A resource and what follows its id in the path.
fn within(method: &str, id: Id, tail: &[&str], spelled: &[&str]) -> What {
    let action = |action| What::Action(action, id.clone());
    match (method, id.kind, tail) {
        (_, _, []) => match Verb::of(method) {
            Some(verb) if verb != Verb::Head => What::Item(verb, id),
            _ => What::NotAllowed,
        },
        ("GET", Kind::VirtualNetwork, ["subnets"]) => What::Subnets(id),
        (_, Kind::VirtualNetwork, [child, _]) => {
            match (Verb::of(method), Kind::of_child(child), spelled) {
                (Some(verb @ (Verb::Get | Verb::Put | Verb::Delete)), Some(kind), [_, name]) => {
                    What::Item(verb, id.child(kind, name))
                }
                _ => What::NotAllowed,
            }
        }
        ("GET", Kind::Gateway, ["connections"]) => What::GatewayConnections(id),
        ("POST", Kind::Gateway, ["getbgppeerstatus"]) => action(Action::GetBgpPeerStatus),
        ("POST", Kind::Gateway, ["getlearnedroutes"]) => action(Action::GetLearnedRoutes),
        ("POST", Kind::Gateway, ["getadvertisedroutes"]) => action(Action::GetAdvertisedRoutes),
        ("POST", Kind::Gateway, ["reset"]) => action(Action::ResetGateway),
        ("GET", Kind::Connection, ["sharedkey"]) => What::GetSharedKey(id),
        ("PUT", Kind::Connection, ["sharedkey"]) => What::PutSharedKey(id),
        ("POST", Kind::Connection, ["sharedkey", "reset"]) => action(Action::ResetSharedKey),
        ("POST", Kind::Connection, ["resetconnection"]) => action(Action::ResetConnection),
        ("POST", Kind::Connection, ["getikesas"]) => action(Action::GetIkeSas),
        _ => What::NotAllowed,
    }
}
