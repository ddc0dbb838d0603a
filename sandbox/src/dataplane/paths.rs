//! The tunnels as they are at one moment: which ends meet, since when, and what either cloud would report of it.
//!
//! What takes time (negotiation, the BGP session, telemetry) takes a time that follows from the tunnel's address and the
//! instant, so that nothing here draws chance. A session goes on for as long as nothing that it was made of changes.
//!
//! All of that is by the rules. While a lab is attached, everything but the judgement is what its daemons say.

use super::path::{Path, Seen, count, fingerprint};
use super::rules::{Agreed, Judgement, Verdict};
use super::told::{Report, Told};
use super::{AwsEnd, AzureEnd};
use crate::time::{SimTime, Span};
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

/// Azure's word on one instance's tunnel of a connection: IPsec, whatever BGP does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AzureTunnel {
    pub connected: bool,
    pub since: Option<SimTime>,
    pub ingress_bytes: u64,
    pub egress_bytes: u64,
}

/// A row of Azure's BGP peer status: every connection has one per instance, the useless one included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzurePeer {
    pub instance: usize,
    pub local_ip: Ipv4Addr,
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
    pub neighbor: Option<Ipv4Addr>,
    asn: Option<u32>,
    enable_bgp: bool,
    networks: Vec<Ipv4Net>,
}

/// Every tunnel between the two clouds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Paths {
    now: SimTime,
    paths: BTreeMap<Ipv4Addr, Path>,
    rows: Vec<Row>,
    #[serde(skip)]
    told: Option<Told>,
}

impl Paths {
    /// An attached lab's report, believed until `valid` has passed without another.
    pub fn tell(&mut self, now: SimTime, report: Report, valid: Span) {
        let before = self.lab().cloned();
        self.told = Some(Told::new(now, report, now + valid, before));
    }

    /// The rules answer again.
    pub fn detach(&mut self) {
        self.told = None;
    }

    /// The report of the lab that is attached.
    pub fn report(&self) -> Option<&Report> {
        self.lab().map(|told| &told.report)
    }

    fn lab(&self) -> Option<&Told> {
        self.told.as_ref().filter(|told| self.now <= told.valid_until)
    }

    /// Time goes by, and the ends are as they were.
    pub fn pass(&mut self, now: SimTime) {
        self.now = now;
        self.paths.iter_mut().for_each(|(outside_ip, path)| path.report(now, *outside_ip));
    }

    /// Looks at all ends again.
    pub fn refresh(&mut self, now: SimTime, aws: &[AwsEnd], azure: &[AzureEnd]) {
        self.now = now;
        let mut meeting: HashMap<(Ipv4Addr, Ipv4Addr), &AzureEnd> = HashMap::with_capacity(azure.len());
        let mut answering: HashMap<Ipv4Addr, bool> = HashMap::with_capacity(azure.len());
        for end in azure {
            meeting.entry((end.public_ip, end.peer_ip)).or_insert(end);
            *answering.entry(end.public_ip).or_default() |= end.serving;
        }
        let mut kept = BTreeMap::new();
        for end in aws {
            let peer = meeting.get(&(end.peer_ip, end.outside_ip)).copied();
            let answers = answering.get(&end.peer_ip).copied().unwrap_or_default();
            let mut path = self.paths.remove(&end.outside_ip).unwrap_or_else(|| Path::new(now));
            let fingerprint = fingerprint(&(end, peer, answers));
            if path.fingerprint != fingerprint {
                path.fingerprint = fingerprint;
                path.change(now, end, peer, answers);
            }
            path.report(now, end.outside_ip);
            kept.insert(end.outside_ip, path);
        }
        self.paths = kept;
        self.rows = azure.iter().map(Row::of).collect();
    }

    pub fn aws_telemetry(&self, outside_ip: Ipv4Addr) -> AwsTelemetry {
        if let Some(told) = self.lab() {
            return told.telemetry(outside_ip);
        }
        self.paths.get(&outside_ip).map_or_else(
            || AwsTelemetry { status_message: "IPSEC IS DOWN".into(), ..AwsTelemetry::default() },
            |path| path.telemetry.clone(),
        )
    }

    /// What AWS has learned by that tunnel at this moment.
    pub fn aws_learned(&self, outside_ip: Ipv4Addr) -> &[Ipv4Net] {
        if let Some(told) = self.lab() {
            return told.aws(outside_ip).filter(|word| word.session.is_up()).map_or(&[], |word| &word.routes);
        }
        match self.paths.get(&outside_ip) {
            Some(path) if path.seen(self.now) == Seen::Bgp => &path.to_aws,
            _ => &[],
        }
    }

    /// What an established tunnel agreed on.
    pub fn negotiated(&self, outside_ip: Ipv4Addr) -> Option<&Agreed> {
        if let Some(told) = self.lab() {
            return told.aws(outside_ip)?.sa.as_ref()?.agreed.as_ref();
        }
        let path = self.paths.get(&outside_ip).filter(|path| path.seen(self.now) != Seen::Down)?;
        path.judgement.agreed.as_ref()
    }

    /// Where that tunnel stands or fails by the rules, whatever the time that it still takes.
    pub fn judgement(&self, outside_ip: Ipv4Addr) -> Option<&Judgement> {
        self.paths.get(&outside_ip).map(|path| &path.judgement)
    }

    pub fn azure_tunnel(&self, connection_id: &str, instance: usize) -> AzureTunnel {
        if let Some(told) = self.lab() {
            return told.tunnel(connection_id, instance);
        }
        let path = self.path(connection_id, instance).filter(|path| path.seen(self.now) != Seen::Down);
        let since = path.and_then(|path| path.ipsec_at);
        let bytes = since.map_or(0, |since| self.now.0.saturating_sub(since.0) / KEEPALIVE_MS * IDLE_BYTES);
        AzureTunnel { connected: since.is_some(), since, ingress_bytes: bytes, egress_bytes: bytes }
    }

    pub fn azure_peers(&self, gateway_id: &str) -> Vec<AzurePeer> {
        let mut peers = Vec::new();
        for row in self.rows.iter().filter(|row| row.enable_bgp && row.gateway_id.eq_ignore_ascii_case(gateway_id)) {
            let (Some(local_ip), Some(neighbor), Some(asn)) = (row.local_ip, row.neighbor, row.asn) else { continue };
            if let Some(told) = self.lab() {
                peers.push(told.peer(row, local_ip, neighbor, asn, self.now));
                continue;
            }
            let path = self.path(&row.connection_id, row.instance);
            let up = path.filter(|path| path.seen(self.now) == Seen::Bgp);
            let connected_since = up.and_then(|path| path.bgp_at);
            let bad_as = path.is_some_and(|path| path.judgement.verdict == Verdict::BgpBadPeerAs);
            let messages = connected_since.map_or(0, |since| 3 + self.now.0.saturating_sub(since.0) / KEEPALIVE_MS);
            peers.push(AzurePeer {
                instance: row.instance,
                local_ip,
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
                routes_received: up.map_or(0, |path| count(&path.to_azure)),
                messages_sent: messages,
                messages_received: messages,
            });
        }
        peers
    }

    pub fn azure_learned(&self, gateway_id: &str) -> Vec<LearnedRoute> {
        let mut routes = Vec::new();
        let mut own = BTreeSet::new();
        for row in self.rows.iter().filter(|row| row.gateway_id.eq_ignore_ascii_case(gateway_id)) {
            let Some(local_ip) = row.local_ip else { continue };
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
            if let Some(told) = self.lab() {
                routes.extend(told.learned(row, local_ip));
                continue;
            }
            let Some(neighbor) = row.neighbor else { continue };
            let path = self.path(&row.connection_id, row.instance).filter(|path| path.seen(self.now) == Seen::Bgp);
            for (path, network) in path.into_iter().flat_map(|path| path.to_azure.iter().map(move |net| (path, net))) {
                routes.push(LearnedRoute {
                    instance: row.instance,
                    local_ip,
                    network: *network,
                    next_hop: Some(neighbor),
                    source_peer: neighbor,
                    origin: "EBgp",
                    as_path: path.aws_asn.to_string(),
                    weight: AZURE_WEIGHT,
                });
            }
        }
        routes
    }

    fn path(&self, connection_id: &str, instance: usize) -> Option<&Path> {
        self.paths
            .values()
            .find(|path| path.instance == instance && path.connection_id.eq_ignore_ascii_case(connection_id))
    }
}

impl Row {
    fn of(end: &AzureEnd) -> Self {
        Row {
            connection_id: end.connection_id.clone(),
            gateway_id: end.gateway_id.clone(),
            instance: end.instance,
            local_ip: end.bgp_ip,
            neighbor: end.peer_bgp_ip,
            asn: end.peer_asn,
            enable_bgp: end.enable_bgp,
            networks: end.announces.clone(),
        }
    }
}
