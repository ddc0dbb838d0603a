//! One AWS endpoint through time: negotiating, up, failing at a rekey, given up, and what AWS's telemetry says of it.

use super::paths::AwsTelemetry;
use super::rules::{Judgement, Verdict, judge};
use super::{AwsEnd, AzureEnd};
use crate::time::{SimTime, Span};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;

/// From agreement to IPsec, from IPsec to BGP, and from either to AWS's telemetry: least and most seconds.
const IPSEC_SECONDS: (u64, u64) = (8, 20);
const BGP_SECONDS: (u64, u64) = (5, 15);
const TELEMETRY_SECONDS: (u64, u64) = (5, 30);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Seen {
    #[default]
    Down,
    Ipsec,
    Bgp,
}

/// One AWS endpoint and what has become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Path {
    /// Of both ends as they were judged.
    pub fingerprint: u64,
    /// Of what the running session was made of.
    session: u64,
    pub judgement: Judgement,
    pub connection_id: String,
    pub instance: usize,
    pub ipsec_at: Option<SimTime>,
    pub bgp_at: Option<SimTime>,
    /// When the first rekey fails.
    fails_at: Option<SimTime>,
    down_at: SimTime,
    /// Since when the peer has been silent.
    silent_from: Option<SimTime>,
    /// AWS dropped the silent peer, does not redial, and the peer only responds.
    given_up: bool,
    reported: Seen,
    pub telemetry: AwsTelemetry,
    pub to_aws: Vec<Ipv4Net>,
    pub to_azure: Vec<Ipv4Net>,
    pub aws_asn: u32,
}

impl Path {
    pub fn new(now: SimTime) -> Self {
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
    pub fn change(&mut self, now: SimTime, aws: &AwsEnd, azure: Option<&AzureEnd>, answers: bool) {
        let was = self.seen(now);
        self.follow_silence(now, was, aws, azure);
        let mut judgement = judge(aws, azure, answers);
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

    pub fn seen(&self, now: SimTime) -> Seen {
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
    pub fn report(&mut self, now: SimTime, outside_ip: Ipv4Addr) {
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

pub(super) fn count(networks: &[Ipv4Net]) -> u32 {
    u32::try_from(networks.len()).unwrap_or(u32::MAX)
}

/// A time between the two that follows from the address and the instant.
fn delay((least, most): (u64, u64), ip: Ipv4Addr, at: SimTime) -> Span {
    let spread = (most - least) * 1_000 + 1;
    Span(least * 1_000 + fingerprint(&(ip, at.0, least)) % spread)
}

/// A number that two values share only if they are equal, near enough.
pub(super) fn fingerprint(value: &impl Hash) -> u64 {
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
