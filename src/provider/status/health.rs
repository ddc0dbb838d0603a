//! What both clouds say about the health of a link's tunnels, each side for itself.

use crate::azure::model::{BgpPeer, ProvisioningState};
use bgp_vpn::inside_cidr::InsideCidr;
use bgp_vpn::observed::Observed;
use bgp_vpn::tunnel::{PerTunnel, TunnelKey};
use ipnet::Ipv4Net;

/// A fact that may be missing because there is no such object, or because the cloud could not be
/// read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reported<T> {
    /// The cloud could not tell: the object is changing.
    #[default]
    Unknown,
    /// There is no such object.
    NotFound,
    Value(T),
}

impl<T> Reported<T> {
    pub fn known(&self) -> Option<&T> {
        match self {
            Reported::Value(fact) => Some(fact),
            _ => None,
        }
    }
}

impl<T> From<Option<T>> for Reported<T> {
    fn from(fact: Option<T>) -> Self {
        fact.map_or(Reported::NotFound, Reported::Value)
    }
}

/// AWS's telemetry of one tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsHealth {
    pub up: bool,
    /// `IPSEC IS DOWN`, `IPSEC IS UP`, `8 BGP ROUTES`.
    pub message: String,
    pub accepted_routes: u32,
}

/// Azure's view of one tunnel's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureHealth {
    /// `Unknown`, `Connecting`, `Connected`, `NotConnected`. With two tunnels a connection, of
    /// which AWS answers one, `Connected` is as well as it gets.
    pub status: String,
}

/// The row of Azure's BGP peers for this tunnel's own address pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BgpHealth {
    /// `Unknown`, `Stopped`, `Idle`, `Connecting`, `Connected`.
    pub state: String,
    pub routes_learned: u64,
}

/// Both clouds' facts about one tunnel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TunnelHealth {
    pub inside_cidr: Option<InsideCidr>,
    pub aws: Reported<AwsHealth>,
    pub azure: Reported<AzureHealth>,
    pub bgp: Reported<BgpHealth>,
    /// Where the BGP settings of the clouds differ; None where one of them does not return its
    /// settings.
    pub mismatches: Option<Vec<String>>,
}

/// Both clouds' facts about a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkHealth {
    pub tunnels: PerTunnel<TunnelHealth>,
    /// The Azure gateway is being changed and answers nothing about its peers.
    pub azure_busy: bool,
    /// The credentials may not read the gateway's peers: AWS's telemetry is all that there is about
    /// BGP.
    pub peers_denied: Option<Denial>,
}

/// What became of reading the gateway's BGP peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    Listed(Vec<BgpPeer>),
    /// The gateway is being changed.
    Busy,
    Denied(Denial),
}

/// A permission that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub action: &'static str,
    pub scope: String,
    /// What the cloud reported.
    pub reason: String,
}

impl LinkHealth {
    /// Joins what was observed with the gateway's BGP peers.
    pub fn of(observed: &Observed, peers: Peers) -> LinkHealth {
        let gateway = observed.azure.gateway.as_ref();
        let (listed, peers_denied) = match peers {
            Peers::Listed(peers) => (Some(peers), None),
            Peers::Busy => (None, None),
            Peers::Denied(denial) => (None, Some(denial)),
        };
        let unanswered = listed.is_none() && peers_denied.is_none();
        LinkHealth {
            tunnels: PerTunnel::from_fn(|key| tunnel(observed, listed.as_deref(), key)),
            azure_busy: unanswered || gateway.is_some_and(|g| busy(g.resource.state)),
            peers_denied,
        }
    }
}

fn busy(state: ProvisioningState) -> bool {
    matches!(
        state,
        ProvisioningState::Creating | ProvisioningState::Updating | ProvisioningState::Deleting
    )
}

fn tunnel(observed: &Observed, peers: Option<&[BgpPeer]>, key: TunnelKey) -> TunnelHealth {
    let endpoint = observed.tunnel(key);
    let inside_cidr = endpoint
        .and_then(|t| t.inside_cidr)
        .or_else(|| azure_inside_cidr(observed, key));
    let inside_cidr = inside_cidr.and_then(|net| InsideCidr::check(net).ok());
    let aws = match endpoint {
        None => Reported::NotFound,
        Some(endpoint) => endpoint
            .telemetry
            .as_ref()
            .map_or(Reported::Unknown, |telemetry| {
                Reported::Value(AwsHealth {
                    up: telemetry.up,
                    message: telemetry.message.clone(),
                    accepted_routes: telemetry.accepted_routes,
                })
            }),
    };
    let azure = match observed.azure.connections.get(key) {
        None => Reported::NotFound,
        Some(connection) => connection
            .status
            .clone()
            .filter(|status| status != "Unknown")
            .map_or(Reported::Unknown, |status| {
                Reported::Value(AzureHealth { status })
            }),
    };
    TunnelHealth {
        inside_cidr,
        aws,
        azure,
        bgp: peer(peers, inside_cidr),
        mismatches: mismatches(observed, key),
    }
}

/// ASNs and BGP addresses, each as one cloud has it and as it is configured in the other.
fn mismatches(observed: &Observed, key: TunnelKey) -> Option<Vec<String>> {
    let (aws, azure) = (&observed.aws, &observed.azure);
    let inside = InsideCidr::check(observed.tunnel(key)?.inside_cidr?).ok()?;
    let customer = aws.customer_gateways.get(key.instance).as_ref()?;
    let (gateway, at) = (
        azure.gateway.as_ref()?,
        azure.gateway_instance(key.instance)?,
    );
    let (local, connection) = (
        azure.local_gateways.get(key).as_ref()?,
        azure.connections.get(key).as_ref()?,
    );
    let amazon = observed.amazon_asn()?;
    let speaks_from = connection
        .custom_bgp_ips
        .iter()
        .find(|(id, _)| *id == at.ip_configuration_id)
        .map(|(_, ip)| *ip);
    let mut found = Vec::new();
    if customer.asn != gateway.asn {
        found.push(format!(
            "the customer gateway has ASN {}, but the Azure gateway has {}",
            customer.asn, gateway.asn
        ));
    }
    match local.bgp {
        None => found.push("the local network gateway has no BGP peer".to_owned()),
        Some((asn, _)) if asn != amazon => {
            found.push(format!(
                "the local network gateway has ASN {asn}, but the AWS gateway has {amazon}"
            ));
        }
        Some((_, ip)) if ip != inside.aws_ip() => {
            found.push(format!(
                "the local network gateway has the BGP peer {ip}, but the AWS peer is {}",
                inside.aws_ip()
            ));
        }
        Some(_) => {}
    }
    if speaks_from != Some(inside.azure_ip()) {
        found.push(format!(
            "AWS expects its BGP peer at {}, but the Azure connection uses another address",
            inside.azure_ip()
        ));
    }
    if !connection.enable_bgp {
        found.push("BGP is disabled on the Azure connection".to_owned());
    }
    if aws
        .vpn_connections
        .get(key.instance)
        .as_ref()
        .is_some_and(|vpn| vpn.static_routes_only)
    {
        found.push("the VPN connection uses static routes only".to_owned());
    }
    Some(found)
}

/// The inside CIDR as the Azure side has it: the /30 around the local network gateway's BGP
/// address.
fn azure_inside_cidr(observed: &Observed, key: TunnelKey) -> Option<Ipv4Net> {
    let (_, peer) = observed.azure.local_gateways.get(key).as_ref()?.bgp?;
    Ipv4Net::new(peer, 30).ok().map(|net| net.trunc())
}

/// The peer row with the tunnel's AWS address as neighbor, a connected one first: there is one row
/// more for every connection, from the instance that AWS does not know, which never connects.
fn peer(peers: Option<&[BgpPeer]>, inside: Option<InsideCidr>) -> Reported<BgpHealth> {
    let Some(peers) = peers else {
        return Reported::Unknown;
    };
    let Some(inside) = inside else {
        return Reported::NotFound;
    };
    let rows = || {
        peers
            .iter()
            .filter(|row| row.neighbor == Some(inside.aws_ip()))
    };
    let own = || rows().find(|row| row.local == Some(inside.azure_ip()));
    let row = rows()
        .find(|row| row.is_connected())
        .or_else(own)
        .or_else(|| rows().next());
    row.map(|row| BgpHealth {
        state: row.state.clone(),
        routes_learned: row.routes_received,
    })
    .into()
}
