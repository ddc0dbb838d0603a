//! Resource ids: compared without regard to letter case, kept as they were first written.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kinds of Microsoft.Network resource that there are here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    VirtualNetwork,
    Subnet,
    PublicIp,
    Gateway,
    LocalGateway,
    Connection,
    Peering,
    NetworkInterface,
    PrivateEndpoint,
    NatGateway,
    RouteTable,
    SecurityGroup,
}

impl Kind {
    /// The path element and the type's last part, as Azure spells it.
    pub fn collection(self) -> &'static str {
        match self {
            Kind::VirtualNetwork => "virtualNetworks",
            Kind::Subnet => "subnets",
            Kind::PublicIp => "publicIPAddresses",
            Kind::Gateway => "virtualNetworkGateways",
            Kind::LocalGateway => "localNetworkGateways",
            Kind::Connection => "connections",
            Kind::Peering => "virtualNetworkPeerings",
            Kind::NetworkInterface => "networkInterfaces",
            Kind::PrivateEndpoint => "privateEndpoints",
            Kind::NatGateway => "natGateways",
            Kind::RouteTable => "routeTables",
            Kind::SecurityGroup => "networkSecurityGroups",
        }
    }

    /// The kind of a path element in lower case; the children of a virtual network have their own
    /// kind of path.
    pub fn of_collection(lower: &str) -> Option<Kind> {
        Some(match lower {
            "virtualnetworks" => Kind::VirtualNetwork,
            "publicipaddresses" => Kind::PublicIp,
            "virtualnetworkgateways" => Kind::Gateway,
            "localnetworkgateways" => Kind::LocalGateway,
            "connections" => Kind::Connection,
            "networkinterfaces" => Kind::NetworkInterface,
            "privateendpoints" => Kind::PrivateEndpoint,
            "natgateways" => Kind::NatGateway,
            "routetables" => Kind::RouteTable,
            "networksecuritygroups" => Kind::SecurityGroup,
            _ => return None,
        })
    }

    /// The kind of a virtual network's children, by the path element in lower case.
    pub fn of_child(lower: &str) -> Option<Kind> {
        match lower {
            "subnets" => Some(Kind::Subnet),
            "virtualnetworkpeerings" => Some(Kind::Peering),
            _ => None,
        }
    }

    pub fn type_name(self) -> &'static str {
        match self {
            Kind::VirtualNetwork => "Microsoft.Network/virtualNetworks",
            Kind::Subnet => "Microsoft.Network/virtualNetworks/subnets",
            Kind::PublicIp => "Microsoft.Network/publicIPAddresses",
            Kind::Gateway => "Microsoft.Network/virtualNetworkGateways",
            Kind::LocalGateway => "Microsoft.Network/localNetworkGateways",
            Kind::Connection => "Microsoft.Network/connections",
            Kind::Peering => "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
            Kind::NetworkInterface => "Microsoft.Network/networkInterfaces",
            Kind::PrivateEndpoint => "Microsoft.Network/privateEndpoints",
            Kind::NatGateway => "Microsoft.Network/natGateways",
            Kind::RouteTable => "Microsoft.Network/routeTables",
            Kind::SecurityGroup => "Microsoft.Network/networkSecurityGroups",
        }
    }

    /// How error messages and operation names of the service call it.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::VirtualNetwork => "VirtualNetwork",
            Kind::Subnet => "Subnet",
            Kind::PublicIp => "PublicIpAddress",
            Kind::Gateway => "VirtualNetworkGateway",
            Kind::LocalGateway => "LocalNetworkGateway",
            Kind::Connection => "VirtualNetworkGatewayConnection",
            Kind::Peering => "VirtualNetworkPeering",
            Kind::NetworkInterface => "NetworkInterface",
            Kind::PrivateEndpoint => "PrivateEndpoint",
            Kind::NatGateway => "NatGateway",
            Kind::RouteTable => "RouteTable",
            Kind::SecurityGroup => "NetworkSecurityGroup",
        }
    }
}

/// A resource's id. The `parent` of a subnet or peering is its virtual network's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Id {
    pub subscription: String,
    pub group: String,
    pub kind: Kind,
    pub parent: Option<String>,
    pub name: String,
}

impl Id {
    /// Reads
    /// `/subscriptions/../resourceGroups/../providers/Microsoft.Network/<collection>/<name>[/subnets/<name>]`.
    pub fn parse(text: &str) -> Option<Id> {
        let parts: Vec<&str> = text.strip_prefix('/')?.split('/').collect();
        let [
            s,
            subscription,
            g,
            group,
            p,
            provider,
            collection,
            name,
            rest @ ..,
        ] = parts.as_slice()
        else {
            return None;
        };
        let fixed = s.eq_ignore_ascii_case("subscriptions")
            && g.eq_ignore_ascii_case("resourceGroups")
            && p.eq_ignore_ascii_case("providers")
            && provider.eq_ignore_ascii_case("Microsoft.Network");
        if !fixed || name.is_empty() {
            return None;
        }
        let kind = Kind::of_collection(&collection.to_ascii_lowercase())?;
        let (kind, parent, name) = match rest {
            [] => (kind, None, name),
            [sub, child] if kind == Kind::VirtualNetwork && !child.is_empty() => (
                Kind::of_child(&sub.to_ascii_lowercase())?,
                Some((*name).to_owned()),
                child,
            ),
            _ => return None,
        };
        Some(Id {
            subscription: (*subscription).to_owned(),
            group: (*group).to_owned(),
            kind,
            parent,
            name: (*name).to_owned(),
        })
    }

    /// What ids are compared and stored by.
    pub fn key(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// Key of the resource group that holds it.
    pub fn group_key(&self) -> String {
        group_key(&self.subscription, &self.group)
    }

    /// The virtual network of a subnet or peering.
    pub fn network(&self) -> Option<Id> {
        let name = self.parent.clone()?;
        Some(Id {
            kind: Kind::VirtualNetwork,
            parent: None,
            name,
            ..self.clone()
        })
    }

    /// A subnet of this virtual network.
    pub fn subnet(&self, name: &str) -> Id {
        self.child(Kind::Subnet, name)
    }

    /// A child of this virtual network.
    pub fn child(&self, kind: Kind, name: &str) -> Id {
        Id {
            kind,
            parent: Some(self.name.clone()),
            name: name.to_owned(),
            ..self.clone()
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/providers/Microsoft.Network/",
            group_id(&self.subscription, &self.group)
        )?;
        match &self.parent {
            Some(network) => write!(
                f,
                "virtualNetworks/{network}/{}/{}",
                self.kind.collection(),
                self.name
            ),
            None => write!(f, "{}/{}", self.kind.collection(), self.name),
        }
    }
}

pub fn group_id(subscription: &str, group: &str) -> String {
    format!("/subscriptions/{subscription}/resourceGroups/{group}")
}

pub fn group_key(subscription: &str, group: &str) -> String {
    group_id(subscription, group).to_lowercase()
}

/// Undoes percent-encoding; a stray `%` stands for itself. `plus` also turns `+` into a space, as
/// in queries and forms.
pub fn decode(text: &str, plus: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) if digit(high).is_some() && digit(low).is_some() => {
                out.push((digit(high).unwrap_or(0) * 16 + digit(low).unwrap_or(0)) as u8);
                rest = after;
            }
            (b'+', _) if plus => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The value of a parameter in a query or form, its name compared without regard to letter case.
pub fn parameter(encoded: &str, name: &str) -> Option<String> {
    encoded.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        decode(key, true)
            .eq_ignore_ascii_case(name)
            .then(|| decode(value, true))
    })
}
