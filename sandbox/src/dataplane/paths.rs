//! The tunnels as they are at one moment: which ends meet, since when, and what either cloud would report of it.
//!
//! What takes time (negotiation, the BGP session, telemetry) takes a time that follows from the tunnel's address and the
//! instant, so that nothing here draws chance. A session goes on for as long as nothing that it was made of changes.

use super::rules::{Agreed, Judgement, Verdict, judge};
use super::{AwsEnd, AzureEnd};
use crate::time::{SimTime, Span};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;

/// From agreement to IPsec, from IPsec to BGP, and from either to AWS's telemetry: least and most seconds.
const IPSEC_SECONDS: (u64, u64) = (8, 20);
const BGP_SECONDS: (u64, u64) = (5, 15);
const TELEMETRY_SECONDS: (u64, u64) = (5, 30);
/// Weight that Azure gives to every learned route.
const AZURE_WEIGHT: u32 = 32_768;
/// BGP keepalives and tunnel traffic: what an idle session exchanges.
const KEEPALIVE_MS: u64 = 10_000;
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

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Seen {
    #[default]
    Down,
    Ipsec,
    Bgp,
}

/// One AWS endpoint and what has become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Path {
    /// Of both ends as they were judged.
    fingerprint: u64,
    /// Of what the running session was made of.
    session: u64,
    judgement: Judgement,
    connection_id: String,
    instance: usize,
    ipsec_at: Option<SimTime>,
    bgp_at: Option<SimTime>,
    /// When the first rekey fails.
    fails_at: Option<SimTime>,
    down_at: SimTime,
    /// Since when the peer has been silent.
    silent_from: Option<SimTime>,
    /// AWS dropped the silent peer, does not redial, and the peer only responds.
    given_up: bool,
    reported: Seen,
    telemetry: AwsTelemetry,
    to_aws: Vec<Ipv4Net>,
    to_azure: Vec<Ipv4Net>,
    aws_asn: u32,
}

/// What is kept of an Azure end to answer for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    connection_id: String,
    gateway_id: String,
    instance: usize,
    local_ip: Option<Ipv4Addr>,
    neighbor: Option<Ipv4Addr>,
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
}

impl Paths {
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
        self.paths.get(&outside_ip).map_or_else(
            || AwsTelemetry { status_message: "IPSEC IS DOWN".into(), ..AwsTelemetry::default() },
            |path| path.telemetry.clone(),
        )
    }

    /// What AWS has learned by that tunnel at this moment.
    pub fn aws_learned(&self, outside_ip: Ipv4Addr) -> &[Ipv4Net] {
        match self.paths.get(&outside_ip) {
            Some(path) if path.seen(self.now) == Seen::Bgp => &path.to_aws,
            _ => &[],
        }
    }

    /// What an established tunnel agreed on.
    pub fn negotiated(&self, outside_ip: Ipv4Addr) -> Option<&Agreed> {
        let path = self.paths.get(&outside_ip).filter(|path| path.seen(self.now) != Seen::Down)?;
        path.judgement.agreed.as_ref()
    }

    /// Where that tunnel stands or fails by the rules, whatever the time that it still takes.
    pub fn judgement(&self, outside_ip: Ipv4Addr) -> Option<&Judgement> {
        self.paths.get(&outside_ip).map(|path| &path.judgement)
    }

    pub fn azure_tunnel(&self, connection_id: &str, instance: usize) -> AzureTunnel {
        let path = self.path(connection_id, instance).filter(|path| path.seen(self.now) != Seen::Down);
        let since = path.and_then(|path| path.ipsec_at);
        let bytes = since.map_or(0, |since| self.now.0.saturating_sub(since.0) / KEEPALIVE_MS * IDLE_BYTES);
        AzureTunnel { connected: since.is_some(), since, ingress_bytes: bytes, egress_bytes: bytes }
    }

    pub fn azure_peers(&self, gateway_id: &str) -> Vec<AzurePeer> {
        let mut peers = Vec::new();
        for row in self.rows.iter().filter(|row| row.enable_bgp && row.gateway_id.eq_ignore_ascii_case(gateway_id)) {
            let (Some(local_ip), Some(neighbor), Some(asn)) = (row.local_ip, row.neighbor, row.asn) else { continue };
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

impl Path {
    fn new(now: SimTime) -> Self {
        Path {
            fingerprint: 0,
            session: 0,
            judgement: Judgement::down(Verdict::IkeNoAnswer, "not looked at yet"),
            connection_id: String::new(),
            instance: 0,
            ipsec_at: None,
            bgp_at: None,
            fails_at: None,
            down_at: now,
            silent_from: None,
            given_up: false,
            reported: Seen::Down,
            telemetry: AwsTelemetry {
                status_message: "IPSEC IS DOWN".into(),
                last_status_change: now,
                ..AwsTelemetry::default()
            },
            to_aws: Vec::new(),
            to_azure: Vec::new(),
            aws_asn: 0,
        }
    }

    /// One of the ends is not as it was.
    fn change(&mut self, now: SimTime, aws: &AwsEnd, azure: Option<&AzureEnd>, answers: bool) {
        let was = self.seen(now);
        self.follow_silence(now, was, aws, azure);
        let mut judgement = match azure {
            Some(azure) => judge(aws, azure),
            None if !aws.serving => Judgement::down(Verdict::IkeNoAnswer, "the AWS endpoint is not in service"),
            None if answers => {
                let reason = format!("the gateway at {} has no IKE configuration for {}", aws.peer_ip, aws.outside_ip);
                Judgement::down(Verdict::IkeNoProposal, reason)
            }
            None => Judgement::down(Verdict::IkeNoAnswer, format!("nothing answers at {}", aws.peer_ip)),
        };
        if self.given_up && judgement.verdict.ipsec() {
            let reason = "AWS dropped the silent peer and does not redial, Azure only responds";
            judgement = Judgement::down(Verdict::IkeNoAnswer, reason);
        }
        self.connection_id = azure.map(|azure| azure.connection_id.clone()).unwrap_or_default();
        self.instance = azure.map(|azure| azure.instance).unwrap_or_default();
        self.to_aws = azure.map(|azure| azure.announces.clone()).unwrap_or_default();
        self.to_azure = aws.announces.clone();
        self.aws_asn = aws.asn;
        if let Some(azure) = azure.filter(|_| judgement.verdict.ipsec()) {
            let session = fingerprint(&(
                (&aws.vpn_connection_id, &aws.pre_shared_key, aws.phase2_lifetime_seconds, &judgement.agreed),
                (&azure.connection_id, azure.instance, &azure.policy, azure.enable_bgp),
            ));
            if self.ipsec_at.is_none() || self.session != session {
                self.drop_session(now, was);
                self.session = session;
                self.ipsec_at = Some(now + delay(IPSEC_SECONDS, aws.outside_ip, now));
            }
            let life = Span::seconds(u64::from(aws.phase2_lifetime_seconds.min(azure_lifetime(azure))));
            self.fails_at = self.ipsec_at.filter(|_| !judgement.rekeys).map(|at| at + life);
            self.bgp_at = if judgement.verdict == Verdict::Up {
                let from = self.ipsec_at.unwrap_or(now).max(now);
                self.bgp_at.or_else(|| Some(from + delay(BGP_SECONDS, aws.outside_ip, from)))
            } else {
                None
            };
        } else {
            self.drop_session(now, was);
        }
        if self.judgement.verdict != judgement.verdict && was == Seen::Bgp && self.bgp_at.is_none() {
            self.down_at = now;
        }
        self.judgement = judgement;
    }

    /// After a loss longer than its timeout an AWS end that does not restart stays down until the peer dials or the
    /// endpoint is replaced.
    fn follow_silence(&mut self, now: SimTime, was: Seen, aws: &AwsEnd, azure: Option<&AzureEnd>) {
        let responder = azure.is_some_and(|azure| azure.connection_mode == "ResponderOnly");
        if !aws.serving || azure.is_some() && !responder {
            self.silent_from = None;
            self.given_up = false;
        } else if azure.is_none_or(|azure| !azure.serving) {
            if was != Seen::Down {
                self.silent_from = Some(now);
            }
        } else if let Some(from) = self.silent_from.take() {
            let timeout = Span::seconds(u64::from(aws.dpd_timeout_seconds));
            self.given_up |= aws.dpd_timeout_action != "restart" && from + timeout < now;
        }
    }

    fn drop_session(&mut self, now: SimTime, was: Seen) {
        if was != Seen::Down {
            self.down_at = now;
        }
        self.ipsec_at = None;
        self.bgp_at = None;
        self.fails_at = None;
    }

    fn seen(&self, now: SimTime) -> Seen {
        let due = |at: Option<SimTime>| at.is_some_and(|at| at <= now);
        match (due(self.ipsec_at) && !due(self.fails_at), due(self.bgp_at)) {
            (true, true) => Seen::Bgp,
            (true, false) => Seen::Ipsec,
            _ => Seen::Down,
        }
    }

    /// When what is seen now began.
    fn since(&self, seen: Seen, now: SimTime) -> SimTime {
        let began = match seen {
            Seen::Bgp => self.bgp_at,
            Seen::Ipsec => self.ipsec_at,
            Seen::Down => self.fails_at.filter(|at| *at <= now),
        };
        began.unwrap_or_default().max(self.down_at)
    }

    /// Lets AWS's telemetry catch up with what is.
    fn report(&mut self, now: SimTime, outside_ip: Ipv4Addr) {
        let seen = self.seen(now);
        let routes = if self.reported == Seen::Bgp && seen == Seen::Bgp { count(&self.to_aws) } else { 0 };
        if seen == self.reported {
            if seen == Seen::Bgp && self.telemetry.accepted_routes != routes {
                self.telemetry.accepted_routes = routes;
                self.telemetry.status_message = format!("{routes} BGP ROUTES");
            }
            return;
        }
        let since = self.since(seen, now);
        let shown = since + delay(TELEMETRY_SECONDS, outside_ip, since);
        if shown > now {
            return;
        }
        let routes = if seen == Seen::Bgp { count(&self.to_aws) } else { 0 };
        self.reported = seen;
        self.telemetry = AwsTelemetry {
            up: seen == Seen::Bgp,
            status_message: match seen {
                Seen::Down => "IPSEC IS DOWN".into(),
                Seen::Ipsec => "IPSEC IS UP".into(),
                Seen::Bgp => format!("{routes} BGP ROUTES"),
            },
            accepted_routes: routes,
            last_status_change: since,
        };
    }
}

/// Azure's lifetime of a child, by policy or by default.
fn azure_lifetime(azure: &AzureEnd) -> u32 {
    azure.policy.as_ref().map_or(27_000, |policy| policy.sa_life_time_seconds)
}

fn count(networks: &[Ipv4Net]) -> u32 {
    u32::try_from(networks.len()).unwrap_or(u32::MAX)
}

/// A time between the two that follows from the address and the instant.
fn delay((least, most): (u64, u64), ip: Ipv4Addr, at: SimTime) -> Span {
    let spread = (most - least) * 1_000 + 1;
    Span(least * 1_000 + fingerprint(&(ip, at.0, least)) % spread)
}

fn fingerprint(value: &impl Hash) -> u64 {
    let mut hasher = Fnv(0xCBF2_9CE4_8422_2325);
    value.hash(&mut hasher);
    hasher.finish()
}

/// FNV-1a, the same in every build: saved worlds go on where they stopped. Not against ill will.
struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        // The low bits of FNV vary too little to be a remainder's source.
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
    }
}
