//! The tunnels at one moment: which endpoints are connected, since when, and what each cloud
//! reports.
//!
//! The durations of negotiation, BGP session setup and telemetry derive from the tunnel's address
//! and the start time, so the result is deterministic. A session lasts until one of the settings
//! that it was negotiated with changes.
//!
//! Without a lab the status follows from the rules. While a lab is attached, its daemons report the
//! status, and the rules only say whether the settings match.

use super::lab_report::{LabReport, ReportHistory};
use super::rules::{Agreed, Negotiation, TunnelStatus};
use super::tunnel::{Layer, Tunnel, count, revision};
use super::{AwsEndpoint, AzureEndpoint};
use crate::time::{SimDuration, SimTime};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// Weight that Azure gives to every learned route.
pub(super) const AZURE_WEIGHT: u32 = 32_768;
/// BGP keepalives and tunnel traffic: what an idle session exchanges.
pub(super) const KEEPALIVE_MS: u64 = 10_000;
const IDLE_BYTES: u64 = 85;

/// AWS's word on one tunnel. It lags behind what is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsTelemetry {
    pub up: bool,
    pub status_message: String,
    pub accepted_routes: u32,
    pub last_status_change: SimTime,
}

/// Azure's word on one instance's tunnel of a connection: IPsec, regardless of BGP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureTunnel {
    pub connected: bool,
    pub since: Option<SimTime>,
    pub ingress_bytes: u64,
    pub egress_bytes: u64,
}

/// A row of Azure's BGP peer status: every connection has one per instance, the useless one
/// included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzurePeer {
    pub instance: usize,
    pub local_ip: Ipv4Addr,
    /// Next hop of what Azure announces to this neighbor.
    pub next_hop: Ipv4Addr,
    pub neighbor: Ipv4Addr,
    pub asn: u32,
    pub connected_since: Option<SimTime>,
    /// `Connected`, `Connecting` or `Idle`.
    pub state: &'static str,
    pub routes_received: u32,
    pub messages_sent: u64,
    pub messages_received: u64,
}

/// A row of Azure's learned routes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedRoute {
    pub instance: usize,
    pub local_ip: Ipv4Addr,
    pub network: Ipv4Net,
    /// None for the gateway's own networks.
    pub next_hop: Option<Ipv4Addr>,
    pub source_peer: Ipv4Addr,
    /// `Network` or `EBgp`.
    pub origin: &'static str,
    pub as_path: String,
    pub weight: u32,
}

/// What is kept of an Azure end to answer for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    pub connection_id: String,
    gateway_id: String,
    pub instance: usize,
    pub local_ip: Option<Ipv4Addr>,
    #[serde(default)]
    pub next_hop: Option<Ipv4Addr>,
    pub neighbor: Option<Ipv4Addr>,
    asn: Option<u32>,
    enable_bgp: bool,
    networks: Vec<Ipv4Net>,
}

/// Every tunnel between the two clouds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tunnels {
    now: SimTime,
    tunnels: BTreeMap<Ipv4Addr, Tunnel>,
    rows: Vec<Row>,
    #[serde(skip)]
    history: Option<ReportHistory>,
}

impl Tunnels {
    /// An attached lab's report, believed until `valid` has passed without another.
    pub fn accept_report(&mut self, now: SimTime, report: LabReport, valid: SimDuration) {
        let before = self.lab().cloned();
        self.history = Some(ReportHistory::new(now, report, now + valid, before));
    }

    /// The rules answer again.
    pub fn detach(&mut self) {
        self.history = None;
    }

    /// The report of the lab that is attached.
    pub fn report(&self) -> Option<&LabReport> {
        self.lab().map(|history| &history.report)
    }

    fn lab(&self) -> Option<&ReportHistory> {
        self.history
            .as_ref()
            .filter(|history| self.now <= history.valid_until)
    }

    /// Time goes by, and the ends are as they were.
    pub fn advance(&mut self, now: SimTime) {
        self.now = now;
        self.tunnels
            .iter_mut()
            .for_each(|(outside_ip, tunnel)| tunnel.report(now, *outside_ip));
    }

    /// Looks at all ends again.
    pub fn refresh(&mut self, now: SimTime, aws: &[AwsEndpoint], azure: &[AzureEndpoint]) {
        self.now = now;
        let mut meeting: HashMap<(Ipv4Addr, Ipv4Addr), &AzureEndpoint> =
            HashMap::with_capacity(azure.len());
        let mut answering: HashMap<Ipv4Addr, bool> = HashMap::with_capacity(azure.len());
        for end in azure {
            meeting.entry((end.public_ip, end.peer_ip)).or_insert(end);
            *answering.entry(end.public_ip).or_default() |= end.serving;
        }
        let mut kept = BTreeMap::new();
        for end in aws {
            let peer = meeting.get(&(end.peer_ip, end.outside_ip)).copied();
            let answers = answering.get(&end.peer_ip).copied().unwrap_or_default();
            let mut tunnel = self
                .tunnels
                .remove(&end.outside_ip)
                .unwrap_or_else(|| Tunnel::new(now));
            let revision = revision(&(end, peer, answers));
            if tunnel.revision != revision {
                tunnel.revision = revision;
                tunnel.change(now, end, peer, answers);
            }
            tunnel.report(now, end.outside_ip);
            kept.insert(end.outside_ip, tunnel);
        }
        self.tunnels = kept;
        self.rows = azure.iter().map(Row::of).collect();
    }

    pub fn aws_telemetry(&self, outside_ip: Ipv4Addr) -> AwsTelemetry {
        if let Some(history) = self.lab() {
            return history.telemetry(outside_ip);
        }
        self.tunnels.get(&outside_ip).map_or_else(
            || AwsTelemetry {
                status_message: "IPSEC IS DOWN".into(),
                ..AwsTelemetry::default()
            },
            |tunnel| tunnel.telemetry.clone(),
        )
    }

    /// What AWS has learned by that tunnel at this moment.
    pub fn aws_learned(&self, outside_ip: Ipv4Addr) -> &[Ipv4Net] {
        if let Some(history) = self.lab() {
            return history
                .aws(outside_ip)
                .filter(|word| word.session.is_up())
                .map_or(&[], |word| &word.routes);
        }
        match self.tunnels.get(&outside_ip) {
            Some(tunnel) if tunnel.layer(self.now) == Layer::Bgp => &tunnel.to_aws,
            _ => &[],
        }
    }

    /// What an established tunnel agreed on.
    pub fn negotiated(&self, outside_ip: Ipv4Addr) -> Option<&Agreed> {
        if let Some(history) = self.lab() {
            return history.aws(outside_ip)?.sa.as_ref()?.agreed.as_ref();
        }
        let tunnel = self
            .tunnels
            .get(&outside_ip)
            .filter(|tunnel| tunnel.layer(self.now) != Layer::Down)?;
        tunnel.negotiation.agreed.as_ref()
    }

    /// Where that tunnel stands or fails by the rules, regardless of the time that it still takes.
    pub fn negotiation(&self, outside_ip: Ipv4Addr) -> Option<&Negotiation> {
        self.tunnels
            .get(&outside_ip)
            .map(|tunnel| &tunnel.negotiation)
    }

    pub fn azure_tunnel(&self, connection_id: &str, instance: usize) -> AzureTunnel {
        if let Some(history) = self.lab() {
            return history.tunnel(connection_id, instance);
        }
        let tunnel = self
            .tunnel(connection_id, instance)
            .filter(|tunnel| tunnel.layer(self.now) != Layer::Down);
        let since = tunnel.and_then(|tunnel| tunnel.ipsec_at);
        let bytes = since.map_or(0, |since| {
            self.now.0.saturating_sub(since.0) / KEEPALIVE_MS * IDLE_BYTES
        });
        AzureTunnel {
            connected: since.is_some(),
            since,
            ingress_bytes: bytes,
            egress_bytes: bytes,
        }
    }

    pub fn azure_peers(&self, gateway_id: &str) -> Vec<AzurePeer> {
        let mut peers = Vec::new();
        for row in self
            .rows
            .iter()
            .filter(|row| row.enable_bgp && row.gateway_id.eq_ignore_ascii_case(gateway_id))
        {
            let (Some(local_ip), Some(neighbor), Some(asn)) = (row.local_ip, row.neighbor, row.asn)
            else {
                continue;
            };
            if let Some(history) = self.lab() {
                peers.push(history.peer(row, local_ip, neighbor, asn, self.now));
                continue;
            }
            let tunnel = self.tunnel(&row.connection_id, row.instance);
            let up = tunnel.filter(|tunnel| tunnel.layer(self.now) == Layer::Bgp);
            let connected_since = up.and_then(|tunnel| tunnel.bgp_at);
            let bad_as = tunnel
                .is_some_and(|tunnel| tunnel.negotiation.status == TunnelStatus::BgpBadPeerAs);
            let messages = connected_since.map_or(0, |since| {
                3 + self.now.0.saturating_sub(since.0) / KEEPALIVE_MS
            });
            peers.push(AzurePeer {
                instance: row.instance,
                local_ip,
                next_hop: row.next_hop.unwrap_or(local_ip),
                neighbor,
                asn,
                connected_since,
                state: if up.is_some() {
                    "Connected"
                } else if bad_as {
                    "Idle"
                } else {
                    "Connecting"
                },
                routes_received: up.map_or(0, |tunnel| count(&tunnel.to_azure)),
                messages_sent: messages,
                messages_received: messages,
            });
        }
        peers
    }

    pub fn azure_learned(&self, gateway_id: &str) -> Vec<LearnedRoute> {
        let mut routes = Vec::new();
        let mut own = BTreeSet::new();
        for row in self
            .rows
            .iter()
            .filter(|row| row.gateway_id.eq_ignore_ascii_case(gateway_id))
        {
            let Some(local_ip) = row.local_ip else {
                continue;
            };
            if own.insert(row.instance) {
                routes.extend(row.networks.iter().map(|network| LearnedRoute {
                    instance: row.instance,
                    local_ip,
                    network: *network,
                    next_hop: None,
                    source_peer: local_ip,
                    origin: "Network",
                    as_path: String::new(),
                    weight: AZURE_WEIGHT,
                }));
            }
            if let Some(history) = self.lab() {
                routes.extend(history.learned(row, local_ip));
                continue;
            }
            let Some(neighbor) = row.neighbor else {
                continue;
            };
            let tunnel = self
                .tunnel(&row.connection_id, row.instance)
                .filter(|tunnel| tunnel.layer(self.now) == Layer::Bgp);
            for (tunnel, network) in tunnel
                .into_iter()
                .flat_map(|tunnel| tunnel.to_azure.iter().map(move |net| (tunnel, net)))
            {
                routes.push(LearnedRoute {
                    instance: row.instance,
                    local_ip,
                    network: *network,
                    next_hop: Some(neighbor),
                    source_peer: neighbor,
                    origin: "EBgp",
                    as_path: tunnel.aws_asn.to_string(),
                    weight: AZURE_WEIGHT,
                });
            }
        }
        routes
    }

    fn tunnel(&self, connection_id: &str, instance: usize) -> Option<&Tunnel> {
        self.tunnels.values().find(|tunnel| {
            tunnel.instance == instance && tunnel.connection_id.eq_ignore_ascii_case(connection_id)
        })
    }
}

impl Row {
    fn of(end: &AzureEndpoint) -> Self {
        Row {
            connection_id: end.connection_id.clone(),
            gateway_id: end.gateway_id.clone(),
            instance: end.instance,
            local_ip: end.bgp_ip,
            next_hop: end.next_hop,
            neighbor: end.peer_bgp_ip,
            asn: end.peer_asn,
            enable_bgp: end.enable_bgp,
            networks: end.announces.clone(),
        }
    }
}
