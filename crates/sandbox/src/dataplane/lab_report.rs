//! What the daemons of an attached lab say of the tunnels, in place of the rules: the security
//! associations of each IKE daemon, the sessions and routes of each BGP speaker. Each end has its
//! own word; neither is completed from the other.

use super::rules::Agreed;
use super::tunnels::{
    AZURE_WEIGHT, AwsTelemetry, AzurePeer, AzureTunnel, KEEPALIVE_MS, LearnedRoute, Row,
};
use super::{AwsEndpoint, AzureEndpoint, LabFault};
use crate::time::SimTime;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// An IPsec tunnel as one end's IKE daemon has it: the IKE security association and its installed
/// child.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sa {
    /// In AWS's words; None on Azure's side, which is never asked for it.
    pub agreed: Option<Agreed>,
    pub bytes_in: u64,
    pub bytes_out: u64,
}

/// A BGP session as one end's speaker has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// BIRD's word: `Established`, `Active`, `Connect`, `Passive`, `Idle`, ...; empty where no
    /// session is configured.
    pub state: String,
    /// When it came to that, in BIRD's words.
    pub since: String,
    /// BIRD's words on the last failure, such as `Error: Bad peer AS`.
    pub last_error: Option<String>,
}

impl Session {
    pub fn is_up(&self) -> bool {
        self.state == "Established"
    }
}

/// A route as a speaker learned it from one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub network: Ipv4Net,
    pub next_hop: Option<Ipv4Addr>,
    /// ASNs with blanks between.
    pub as_path: String,
}

/// One AWS endpoint's daemons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsReport {
    pub outside_ip: Ipv4Addr,
    pub inside_cidr: Ipv4Net,
    /// Whether the peer was authenticated, child or not.
    pub ike: bool,
    /// The last refusal in the IKE daemon's log.
    pub trouble: Option<String>,
    /// Set while a child is installed.
    pub sa: Option<Sa>,
    pub session: Session,
    pub routes: Vec<Ipv4Net>,
    /// Networks that its gateway now sends into this tunnel.
    pub best: Vec<Ipv4Net>,
    /// The next hop that Azure announced.
    #[serde(default)]
    pub next_hop: Option<Ipv4Addr>,
}

/// One Azure end's daemons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AzureReport {
    pub connection_id: String,
    pub instance: usize,
    pub public_ip: Ipv4Addr,
    pub peer_ip: Ipv4Addr,
    /// As on AWS's side.
    pub trouble: Option<String>,
    pub sa: Option<Sa>,
    pub session: Session,
    pub routes: Vec<Route>,
}

/// A machine that a lab has put behind a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Host {
    /// The gateway's id in its cloud.
    pub gateway: String,
    /// The network namespace that is the machine.
    pub namespace: String,
    pub address: Ipv4Addr,
}

/// What a lab tells each time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabReport {
    /// Which lab: the prefix of its namespaces.
    pub lab: String,
    pub aws: Vec<AwsReport>,
    pub azure: Vec<AzureReport>,
    /// A machine in each VPC, then one in each VNet.
    pub hosts: Vec<Host>,
    /// What it has broken on request.
    pub faults: Vec<String>,
}

/// A report, and since when what it says has been so.
#[derive(Clone, Debug)]
pub(super) struct ReportHistory {
    pub report: LabReport,
    pub valid_until: SimTime,
    /// By end and layer: what identified the state, and when it was first reported.
    since: BTreeMap<(String, ReportLayer), (String, SimTime)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ReportLayer {
    Telemetry,
    Ipsec,
    Bgp,
}

impl ReportHistory {
    pub fn new(
        now: SimTime,
        report: LabReport,
        valid_until: SimTime,
        before: Option<ReportHistory>,
    ) -> Self {
        let before = before.map(|history| history.since).unwrap_or_default();
        let mut since = BTreeMap::new();
        let mut note = |key: (String, ReportLayer), state: String| {
            let began = before
                .get(&key)
                .filter(|(was, _)| *was == state)
                .map_or(now, |(_, began)| *began);
            since.insert(key, (state, began));
        };
        for word in &report.aws {
            let state = format!("{} {}", word.sa.is_some(), word.session.is_up());
            note((word.outside_ip.to_string(), ReportLayer::Telemetry), state);
        }
        for word in &report.azure {
            if word.sa.is_some() {
                note(
                    (key(&word.connection_id, word.instance), ReportLayer::Ipsec),
                    String::new(),
                );
            }
            if word.session.is_up() {
                note(
                    (key(&word.connection_id, word.instance), ReportLayer::Bgp),
                    word.session.since.clone(),
                );
            }
        }
        ReportHistory {
            report,
            valid_until,
            since,
        }
    }

    fn since(&self, end: String, layer: ReportLayer) -> Option<SimTime> {
        self.since.get(&(end, layer)).map(|(_, began)| *began)
    }

    pub fn aws(&self, outside_ip: Ipv4Addr) -> Option<&AwsReport> {
        self.report
            .aws
            .iter()
            .find(|word| word.outside_ip == outside_ip)
    }

    fn azure(&self, connection_id: &str, instance: usize) -> Option<&AzureReport> {
        let mut words = self
            .report
            .azure
            .iter()
            .filter(|word| word.instance == instance);
        words.find(|word| word.connection_id.eq_ignore_ascii_case(connection_id))
    }

    pub fn telemetry(&self, outside_ip: Ipv4Addr) -> AwsTelemetry {
        let word = self.aws(outside_ip);
        let up = word.is_some_and(|word| word.sa.is_some() && word.session.is_up());
        let routes = word
            .filter(|_| up)
            .map_or(0, |word| super::tunnel::count(&word.routes));
        AwsTelemetry {
            up,
            status_message: match word {
                Some(_) if up => format!("{routes} BGP ROUTES"),
                Some(word) if word.sa.is_some() => "IPSEC IS UP".into(),
                _ => "IPSEC IS DOWN".into(),
            },
            accepted_routes: routes,
            last_status_change: self
                .since(outside_ip.to_string(), ReportLayer::Telemetry)
                .unwrap_or_default(),
        }
    }

    pub fn tunnel(&self, connection_id: &str, instance: usize) -> AzureTunnel {
        let Some(sa) = self
            .azure(connection_id, instance)
            .and_then(|word| word.sa.as_ref())
        else {
            return AzureTunnel::default();
        };
        let since = self.since(key(connection_id, instance), ReportLayer::Ipsec);
        AzureTunnel {
            connected: true,
            since,
            ingress_bytes: sa.bytes_in,
            egress_bytes: sa.bytes_out,
        }
    }

    /// The row of an end: one whose daemons do not run, since no peer would ever initiate it, is
    /// still connecting.
    pub fn peer(
        &self,
        row: &Row,
        local_ip: Ipv4Addr,
        neighbor: Ipv4Addr,
        asn: u32,
        now: SimTime,
    ) -> AzurePeer {
        let word = self.azure(&row.connection_id, row.instance);
        let up = word.filter(|word| word.session.is_up());
        let connected_since =
            up.and_then(|_| self.since(key(&row.connection_id, row.instance), ReportLayer::Bgp));
        let messages =
            connected_since.map_or(0, |since| 3 + now.0.saturating_sub(since.0) / KEEPALIVE_MS);
        let refused = word
            .and_then(|word| word.session.last_error.as_ref())
            .is_some_and(|e| e.contains("Bad peer AS"));
        AzurePeer {
            instance: row.instance,
            local_ip,
            next_hop: row.next_hop.unwrap_or(local_ip),
            neighbor,
            asn,
            connected_since,
            state: match (up, refused) {
                (Some(_), _) => "Connected",
                (None, true) => "Idle",
                (None, false) => "Connecting",
            },
            routes_received: up.map_or(0, |word| {
                u32::try_from(word.routes.len()).unwrap_or(u32::MAX)
            }),
            messages_sent: messages,
            messages_received: messages,
        }
    }

    pub fn learned(&self, row: &Row, local_ip: Ipv4Addr) -> Vec<LearnedRoute> {
        let word = self
            .azure(&row.connection_id, row.instance)
            .filter(|word| word.session.is_up());
        let routes = word.into_iter().flat_map(|word| &word.routes);
        routes
            .map(|route| LearnedRoute {
                instance: row.instance,
                local_ip,
                network: route.network,
                next_hop: route.next_hop,
                source_peer: row.neighbor.unwrap_or(Ipv4Addr::UNSPECIFIED),
                origin: "EBgp",
                as_path: route.as_path.clone(),
                weight: AZURE_WEIGHT,
            })
            .collect()
    }
}

fn key(connection_id: &str, instance: usize) -> String {
    format!("{} {instance}", connection_id.to_lowercase())
}

/// What a sandbox answers a lab: both halves, each as configured in its own cloud, and what is to
/// be broken.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LabInstructions {
    pub aws: Vec<AwsEndpoint>,
    pub azure: Vec<AzureEndpoint>,
    pub faults: Vec<LabFault>,
}
