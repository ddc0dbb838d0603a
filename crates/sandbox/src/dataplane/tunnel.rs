//! One AWS endpoint through time: negotiating, up, failing at a rekey, given up, and what AWS's
//! telemetry says of it.

use super::rules::{Negotiation, TunnelStatus, negotiate};
use super::tunnels::AwsTelemetry;
use super::{AwsEndpoint, AzureEndpoint};
use crate::time::{SimDuration, SimTime};
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use std::hash::{Hash, Hasher};
use std::net::Ipv4Addr;

/// From agreement to IPsec, from IPsec to BGP, and from either to AWS's telemetry: least and most
/// seconds.
const IPSEC_SECONDS: (u64, u64) = (8, 20);
const BGP_SECONDS: (u64, u64) = (5, 15);
const TELEMETRY_SECONDS: (u64, u64) = (5, 30);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Layer {
    #[default]
    Down,
    Ipsec,
    Bgp,
}

/// One AWS endpoint and what has become of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tunnel {
    /// Of both ends as they were judged.
    pub revision: u64,
    /// Of what the running session was made of.
    session: u64,
    pub negotiation: Negotiation,
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
    reported: Layer,
    pub telemetry: AwsTelemetry,
    pub to_aws: Vec<Ipv4Net>,
    pub to_azure: Vec<Ipv4Net>,
    pub aws_asn: u32,
}

impl Tunnel {
    pub fn new(now: SimTime) -> Self {
        Tunnel {
            revision: 0,
            session: 0,
            negotiation: Negotiation::down(TunnelStatus::IkeNoAnswer, "not looked at yet"),
            connection_id: String::new(),
            instance: 0,
            ipsec_at: None,
            bgp_at: None,
            fails_at: None,
            down_at: now,
            silent_from: None,
            given_up: false,
            reported: Layer::Down,
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
    pub fn change(
        &mut self,
        now: SimTime,
        aws: &AwsEndpoint,
        azure: Option<&AzureEndpoint>,
        answers: bool,
    ) {
        let was = self.layer(now);
        self.track_silence(now, was, aws, azure);
        let mut negotiation = negotiate(aws, azure, answers);
        if self.given_up && negotiation.status.ipsec() {
            let reason = "AWS dropped the silent peer and does not redial, Azure only responds";
            negotiation = Negotiation::down(TunnelStatus::IkeNoAnswer, reason);
        }
        self.connection_id = azure
            .map(|azure| azure.connection_id.clone())
            .unwrap_or_default();
        self.instance = azure.map(|azure| azure.instance).unwrap_or_default();
        self.to_aws = azure
            .map(|azure| azure.announces.clone())
            .unwrap_or_default();
        self.to_azure = aws.announces.clone();
        self.aws_asn = aws.asn;
        if let Some(azure) = azure.filter(|_| negotiation.status.ipsec()) {
            let session = revision(&(
                (
                    &aws.vpn_connection_id,
                    &aws.pre_shared_key,
                    aws.phase2_lifetime_seconds,
                    &negotiation.agreed,
                ),
                (
                    &azure.connection_id,
                    azure.instance,
                    &azure.policy,
                    azure.enable_bgp,
                ),
            ));
            if self.ipsec_at.is_none() || self.session != session {
                self.drop_session(now, was);
                self.session = session;
                self.ipsec_at = Some(now + delay(IPSEC_SECONDS, aws.outside_ip, now));
            }
            let life = SimDuration::seconds(u64::from(
                aws.phase2_lifetime_seconds.min(azure_lifetime(azure)),
            ));
            self.fails_at = self
                .ipsec_at
                .filter(|_| !negotiation.rekeys)
                .map(|at| at + life);
            self.bgp_at = if negotiation.status == TunnelStatus::Up {
                let from = self.ipsec_at.unwrap_or(now).max(now);
                self.bgp_at
                    .or_else(|| Some(from + delay(BGP_SECONDS, aws.outside_ip, from)))
            } else {
                None
            };
        } else {
            self.drop_session(now, was);
        }
        if self.negotiation.status != negotiation.status
            && was == Layer::Bgp
            && self.bgp_at.is_none()
        {
            self.down_at = now;
        }
        self.negotiation = negotiation;
    }

    /// After a loss longer than its timeout an AWS end that does not restart stays down until the
    /// peer dials or the endpoint is replaced.
    fn track_silence(
        &mut self,
        now: SimTime,
        was: Layer,
        aws: &AwsEndpoint,
        azure: Option<&AzureEndpoint>,
    ) {
        let responder = azure.is_some_and(|azure| azure.connection_mode == "ResponderOnly");
        if !aws.serving || azure.is_some() && !responder {
            self.silent_from = None;
            self.given_up = false;
        } else if azure.is_none_or(|azure| !azure.serving) {
            if was != Layer::Down {
                self.silent_from = Some(now);
            }
        } else if let Some(from) = self.silent_from.take() {
            let timeout = SimDuration::seconds(u64::from(aws.dpd_timeout_seconds));
            self.given_up |= aws.dpd_timeout_action != "restart" && from + timeout < now;
        }
    }

    fn drop_session(&mut self, now: SimTime, was: Layer) {
        if was != Layer::Down {
            self.down_at = now;
        }
        self.ipsec_at = None;
        self.bgp_at = None;
        self.fails_at = None;
    }

    pub fn layer(&self, now: SimTime) -> Layer {
        let due = |at: Option<SimTime>| at.is_some_and(|at| at <= now);
        match (due(self.ipsec_at) && !due(self.fails_at), due(self.bgp_at)) {
            (true, true) => Layer::Bgp,
            (true, false) => Layer::Ipsec,
            _ => Layer::Down,
        }
    }

    /// When what is seen now began.
    fn since(&self, layer: Layer, now: SimTime) -> SimTime {
        let began = match layer {
            Layer::Bgp => self.bgp_at,
            Layer::Ipsec => self.ipsec_at,
            Layer::Down => self.fails_at.filter(|at| *at <= now),
        };
        began.unwrap_or_default().max(self.down_at)
    }

    /// Lets AWS's telemetry catch up with what is.
    pub fn report(&mut self, now: SimTime, outside_ip: Ipv4Addr) {
        let layer = self.layer(now);
        let routes = if self.reported == Layer::Bgp && layer == Layer::Bgp {
            count(&self.to_aws)
        } else {
            0
        };
        if layer == self.reported {
            if layer == Layer::Bgp && self.telemetry.accepted_routes != routes {
                self.telemetry.accepted_routes = routes;
                self.telemetry.status_message = format!("{routes} BGP ROUTES");
            }
            return;
        }
        let since = self.since(layer, now);
        let shown = since + delay(TELEMETRY_SECONDS, outside_ip, since);
        if shown > now {
            return;
        }
        let routes = if layer == Layer::Bgp {
            count(&self.to_aws)
        } else {
            0
        };
        self.reported = layer;
        self.telemetry = AwsTelemetry {
            up: layer == Layer::Bgp,
            status_message: match layer {
                Layer::Down => "IPSEC IS DOWN".into(),
                Layer::Ipsec => "IPSEC IS UP".into(),
                Layer::Bgp => format!("{routes} BGP ROUTES"),
            },
            accepted_routes: routes,
            last_status_change: since,
        };
    }
}

/// Azure's lifetime of a child, by policy or by default.
fn azure_lifetime(azure: &AzureEndpoint) -> u32 {
    azure
        .policy
        .as_ref()
        .map_or(27_000, |policy| policy.sa_life_time_seconds)
}

pub(super) fn count(networks: &[Ipv4Net]) -> u32 {
    u32::try_from(networks.len()).unwrap_or(u32::MAX)
}

/// A time between the two that follows from the address and the instant.
fn delay((least, most): (u64, u64), ip: Ipv4Addr, at: SimTime) -> SimDuration {
    let spread = (most - least) * 1_000 + 1;
    SimDuration(least * 1_000 + revision(&(ip, at.0, least)) % spread)
}

/// A number that two values share only if they are equal, near enough.
pub(super) fn revision(value: &impl Hash) -> u64 {
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
