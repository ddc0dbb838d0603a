//! VPN connections: two tunnels between a gateway of AWS and a customer gateway.

use super::customer_gateway::CustomerGateway;
use super::errors::ApiError;
use super::gateways::require_ipsec;
use super::lifecycle::{
    self, Lifecycle, Object, State, find_live, find_mut, new_id, object, visible_from,
};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags::Tags;
use super::tunnel_options::{
    DPD_TIMEOUT, Key, PHASE1_LIFETIME, PHASE2_LIFETIME, REKEY_FUZZ, REKEY_MARGIN, TunnelOptions,
    inside_cidr, reserved,
};
use super::xml::Xml;
use crate::dataplane::AwsEndpoint;
use crate::rng::Rng;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

const CREATE_LEAST: SimDuration = SimDuration::seconds(150);
const CREATE_MOST: SimDuration = SimDuration::seconds(280);
const DELETE_LEAST: SimDuration = SimDuration::seconds(20);
const DELETE_MOST: SimDuration = SimDuration::seconds(90);
/// First bytes of addresses that AWS gives to tunnel endpoints.
const OUTSIDE: [u8; 5] = [3, 18, 34, 35, 54];
const TUNNELS: usize = 2;
const KEY_LENGTH: u64 = 32;

/// The AWS side's gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    VpnGateway(String),
    TransitGateway(String),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tunnel {
    pub outside_ip: Ipv4Addr,
    pub inside_cidr: Ipv4Net,
    pub key: Key,
    /// A secret holds the key, and no answer shows it.
    #[serde(default)]
    pub secret: bool,
    /// Without inside CIDR and key.
    pub options: TunnelOptions,
    /// The endpoint is being replaced until then.
    pub replaced_until: Option<SimTime>,
    pub last_maintenance: Option<SimTime>,
}

/// Options of the connection as they were set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Options {
    pub acceleration: bool,
    pub static_routes_only: bool,
    pub local_cidr: String,
    pub remote_cidr: String,
    pub bandwidth: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    pub id: String,
    pub tags: Tags,
    pub visible_from: SimTime,
    pub lifecycle: Lifecycle,
    pub customer_gateway_id: String,
    pub target: Target,
    pub options: Options,
    /// Sorted by outside address.
    pub tunnels: Vec<Tunnel>,
    /// The secret made for the keys of this connection. It stays when they are moved out of it.
    pub secret_arn: Option<String>,
    pub created: SimTime,
}

object!(
    Connection,
    "vpn-connection",
    "vpn",
    "InvalidVpnConnectionID",
    "vpnConnection",
    lifecycle
);

impl Connection {
    /// Lets due changes happen; false when the deleted row is to go.
    pub fn advance(&mut self, now: SimTime) -> bool {
        for tunnel in &mut self.tunnels {
            if tunnel.replaced_until.is_some_and(|until| until <= now) {
                tunnel.replaced_until = None;
            }
        }
        self.lifecycle.advance(now)
    }

    pub fn endpoints(
        &self,
        customer: &CustomerGateway,
        asn: u32,
        announces: &[Ipv4Net],
    ) -> Vec<AwsEndpoint> {
        let serving = matches!(self.lifecycle.state, State::Available | State::Modifying);
        let (Target::VpnGateway(gateway_id) | Target::TransitGateway(gateway_id)) = &self.target;
        self.tunnels
            .iter()
            .map(|tunnel| {
                let options = &tunnel.options;
                AwsEndpoint {
                    vpn_connection_id: self.id.clone(),
                    gateway_id: gateway_id.clone(),
                    outside_ip: tunnel.outside_ip,
                    inside_cidr: tunnel.inside_cidr,
                    peer_ip: customer.ip_address.unwrap_or(Ipv4Addr::UNSPECIFIED),
                    asn,
                    peer_asn: customer.asn,
                    static_routes_only: self.options.static_routes_only,
                    pre_shared_key: tunnel.key.0.clone(),
                    phase1_encryption: options.list("Phase1EncryptionAlgorithm").to_vec(),
                    phase1_integrity: options.list("Phase1IntegrityAlgorithm").to_vec(),
                    phase1_dh_groups: options.groups("Phase1DHGroupNumber"),
                    phase2_encryption: options.list("Phase2EncryptionAlgorithm").to_vec(),
                    phase2_integrity: options.list("Phase2IntegrityAlgorithm").to_vec(),
                    phase2_dh_groups: options.groups("Phase2DHGroupNumber"),
                    phase1_lifetime_seconds: options
                        .number("Phase1LifetimeSeconds")
                        .unwrap_or(PHASE1_LIFETIME),
                    phase2_lifetime_seconds: options
                        .number("Phase2LifetimeSeconds")
                        .unwrap_or(PHASE2_LIFETIME),
                    rekey_margin_seconds: options
                        .number("RekeyMarginTimeSeconds")
                        .unwrap_or(REKEY_MARGIN),
                    rekey_fuzz_percent: options.number("RekeyFuzzPercentage").unwrap_or(REKEY_FUZZ),
                    accelerated: self.options.acceleration,
                    ike_versions: options.list("IKEVersion").to_vec(),
                    startup_action: options.startup_action().to_owned(),
                    dpd_timeout_action: options.dpd_timeout_action().to_owned(),
                    dpd_timeout_seconds: options.number("DPDTimeoutSeconds").unwrap_or(DPD_TIMEOUT),
                    serving: serving && tunnel.replaced_until.is_none(),
                    announces: announces.to_vec(),
                }
            })
            .collect()
    }

    /// What the world's listing adds for a connection.
    pub fn summary(&self) -> Value {
        let (vgw, tgw) = self.target_ids();
        let tunnels: Vec<Value> = self
            .tunnels
            .iter()
            .map(|tunnel| json!({ "outside_ip": tunnel.outside_ip, "inside_cidr": tunnel.inside_cidr }))
            .collect();
        json!({
            "customer_gateway_id": self.customer_gateway_id,
            "vpn_gateway_id": vgw,
            "transit_gateway_id": tgw,
            "tunnels": tunnels,
        })
    }

    /// The VPN gateway's id, the transit gateway's id.
    pub fn target_ids(&self) -> (Option<&str>, Option<&str>) {
        match &self.target {
            Target::VpnGateway(id) => (Some(id), None),
            Target::TransitGateway(id) => (None, Some(id)),
        }
    }
}

impl Region {
    pub(super) fn connections_of(&self, gateway_id: &str) -> impl Iterator<Item = &Connection> {
        self.vpn_connections
            .values()
            .filter(move |connection| match &connection.target {
                Target::VpnGateway(id) | Target::TransitGateway(id) => id == gateway_id,
            })
    }

    pub(super) fn create_vpn_connection(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        require_ipsec(params)?;
        let customer = find_live(
            &self.customer_gateways,
            params.require("CustomerGatewayId")?,
            cx.now,
        )?;
        if customer.lifecycle.state != State::Available {
            let message = format!("The customer gateway '{}' is not available", customer.id);
            return Err(ApiError::new("InvalidCustomerGatewayState", message));
        }
        let target = self.target(params, cx.now)?;
        self.check_asn(customer, &target)?;
        let options = options(params, &target)?;
        let (secret, tags) = (
            uses_secret(params)?.unwrap_or(false),
            lifecycle::initial_tags::<Connection>(params)?,
        );
        let prefixes = params.structures("Options.TunnelOptions");
        if prefixes.len() > TUNNELS {
            return Err(ApiError::new(
                "InvalidParameterValue",
                "At most two tunnels can be specified.",
            ));
        }
        let mut given = prefixes
            .iter()
            .map(|prefix| TunnelOptions::read(params, prefix))
            .collect::<Result<Vec<_>, _>>()?;
        given.resize(TUNNELS, TunnelOptions::default());
        for options in &given {
            options.check(customer.ip_address.is_some())?;
        }
        self.check_quota(&target)?;
        let mut taken: Vec<Ipv4Net> = self.inside_cidrs(&target).collect();
        for cidr in given.iter().filter_map(|options| options.inside_cidr) {
            if taken.contains(&cidr) {
                return Err(already_used(cidr));
            }
            taken.push(cidr);
        }
        let customer_gateway_id = customer.id.clone();
        let id = new_id("vpn", cx.rng);
        let mut tunnels: Vec<Tunnel> = Vec::new();
        for mut options in given {
            let inside_cidr = options
                .inside_cidr
                .take()
                .unwrap_or_else(|| free_inside_cidr(&mut taken, cx.rng));
            let key = options
                .pre_shared_key
                .take()
                .unwrap_or_else(|| random_key(cx.rng));
            let outside_ip = self.free_outside_ip(&tunnels, cx.rng);
            tunnels.push(Tunnel {
                outside_ip,
                inside_cidr,
                key,
                secret,
                options,
                replaced_until: None,
                last_maintenance: None,
            });
        }
        tunnels.sort_by_key(|tunnel| tunnel.outside_ip);
        let secret_arn = secret.then(|| self.secret_arn(&id, cx.rng));
        let connection = Connection {
            visible_from: visible_from(cx.now, cx.rng),
            lifecycle: Lifecycle::pending(cx.now + cx.rng.duration(CREATE_LEAST, CREATE_MOST)),
            created: cx.now,
            id,
            tags,
            customer_gateway_id,
            target,
            options,
            tunnels,
            secret_arn,
        };
        self.attach_to_transit_gateway(&connection, cx);
        let mut xml = Xml::new();
        xml.nest("vpnConnection", |xml| {
            self.write_connection(&connection, cx, xml)
        });
        self.vpn_connections
            .insert(connection.id.clone(), connection);
        Ok(xml)
    }

    pub(super) fn delete_vpn_connection(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnConnectionId")?;
        let connection = find_mut(&mut self.vpn_connections, id, cx.now)?;
        match connection.lifecycle.state {
            State::Modifying => return Err(not_available(id)),
            State::Deleting | State::Deleted => {}
            State::Pending | State::Available => {
                let end = cx.now + cx.rng.duration(DELETE_LEAST, DELETE_MOST);
                connection.lifecycle = Lifecycle::deleting(end);
                self.detach_from_transit_gateway(id, end);
            }
        }
        Ok(Xml::done())
    }

    /// The one gateway that the request names, which must be ready for a connection.
    pub(super) fn target(&self, params: &Params, now: SimTime) -> Result<Target, ApiError> {
        match (params.get("VpnGatewayId"), params.get("TransitGatewayId")) {
            (Some(id), None) => {
                if find_live(&self.vpn_gateways, id, now)?.lifecycle.state != State::Available {
                    let message = format!("The vpnGateway ID '{id}' is not in a valid state");
                    return Err(ApiError::new("InvalidVpnGatewayState", message));
                }
                Ok(Target::VpnGateway(id.to_owned()))
            }
            (None, Some(id)) => {
                if find_live(&self.transit_gateways, id, now)?.lifecycle.state != State::Available {
                    return Err(ApiError::incorrect_state(format!(
                        "{id} is in invalid state"
                    )));
                }
                Ok(Target::TransitGateway(id.to_owned()))
            }
            (None, None) => Err(ApiError::missing("VpnGatewayId")),
            (Some(_), Some(_)) => Err(ApiError::combination(
                "Specify either a VPN gateway or a transit gateway, not both.",
            )),
        }
    }

    pub(super) fn check_asn(
        &self,
        customer: &CustomerGateway,
        target: &Target,
    ) -> Result<(), ApiError> {
        let asn = match target {
            Target::VpnGateway(id) => self.vpn_gateways.get(id).map(|gateway| gateway.asn),
            Target::TransitGateway(id) => self.transit_gateways.get(id).map(|gateway| gateway.asn),
        };
        if asn == Some(customer.asn) {
            return Err(ApiError::new(
                "AsnConflict",
                format!(
                    "The ASN {} of the customer gateway is the same as that of the other gateway",
                    customer.asn
                ),
            ));
        }
        Ok(())
    }

    pub(super) fn secret_arn(&self, id: &str, rng: &mut Rng) -> String {
        self.arn(
            "secretsmanager",
            &format!("secret:s2svpn!{id}-{}", rng.hex(6)),
        )
    }

    fn check_quota(&self, target: &Target) -> Result<(), ApiError> {
        let live = |connection: &&Connection| !connection.gone();
        let (per_gateway, most) = match target {
            Target::VpnGateway(id) => (
                self.connections_of(id).filter(live).count(),
                self.quotas.vpn_connections_per_gateway,
            ),
            Target::TransitGateway(_) => (0, usize::MAX),
        };
        if per_gateway >= most
            || self.vpn_connections.values().filter(live).count() >= self.quotas.vpn_connections
        {
            return Err(ApiError::new(
                "VpnConnectionLimitExceeded",
                "The maximum number of VPN connections has been reached.",
            ));
        }
        Ok(())
    }

    /// Inside CIDRs in use on that gateway.
    pub(super) fn inside_cidrs(&self, target: &Target) -> impl Iterator<Item = Ipv4Net> {
        let (Target::VpnGateway(id) | Target::TransitGateway(id)) = target.clone();
        self.vpn_connections
            .values()
            .filter(move |connection| {
                let (Target::VpnGateway(other) | Target::TransitGateway(other)) =
                    &connection.target;
                *other == id && !connection.gone()
            })
            .flat_map(|connection| connection.tunnels.iter().map(|tunnel| tunnel.inside_cidr))
    }

    fn free_outside_ip(&self, siblings: &[Tunnel], rng: &mut Rng) -> Ipv4Addr {
        loop {
            let first = OUTSIDE
                .get(rng.below(OUTSIDE.len() as u64) as usize)
                .copied()
                .unwrap_or(3);
            let [.., b, c, d] = (rng.next_u64() as u32).to_be_bytes();
            let ip = Ipv4Addr::new(first, b, c, d.clamp(1, 254));
            let mut used = self
                .vpn_connections
                .values()
                .flat_map(|other| &other.tunnels)
                .chain(siblings);
            if used.all(|tunnel| tunnel.outside_ip != ip) {
                return ip;
            }
        }
    }
}

/// Whether the request wants keys kept in a secret, if it says so at all.
pub fn uses_secret(params: &Params) -> Result<Option<bool>, ApiError> {
    match params.get("PreSharedKeyStorage") {
        None => Ok(None),
        Some("Standard") => Ok(Some(false)),
        Some("SecretsManager") => Ok(Some(true)),
        Some(other) => Err(ApiError::value(
            "PreSharedKeyStorage",
            other,
            "Valid values: Standard, SecretsManager.",
        )),
    }
}

pub fn not_available(id: &str) -> ApiError {
    ApiError::new(
        "InvalidVpnConnection.InvalidState",
        format!("The vpnConnection '{id}' must be in the available state to complete the request."),
    )
}

pub fn already_used(cidr: Ipv4Net) -> ApiError {
    ApiError::value(
        "TunnelInsideCidr",
        &cidr.to_string(),
        "The CIDR block is already in use on this gateway.",
    )
}

fn options(params: &Params, target: &Target) -> Result<Options, ApiError> {
    let transit = matches!(target, Target::TransitGateway(_));
    let acceleration = params.flag("Options.EnableAcceleration")?.unwrap_or(false);
    if acceleration && !transit {
        return Err(ApiError::combination(
            "Acceleration is supported on a transit gateway only.",
        ));
    }
    if params.get("Options.TunnelInsideIpVersion") == Some("ipv6") && !transit {
        return Err(ApiError::combination(
            "IPv6 inside tunnels is supported on a transit gateway only.",
        ));
    }
    let bandwidth = params.get("Options.TunnelBandwidth").map(str::to_owned);
    check_bandwidth(bandwidth.as_deref(), transit)?;
    let cidr = |name: &str| -> Result<String, ApiError> {
        Ok(params
            .parsed::<Ipv4Net>(name)?
            .map_or_else(|| "0.0.0.0/0".to_owned(), |cidr| cidr.to_string()))
    };
    Ok(Options {
        acceleration,
        static_routes_only: params.flag("Options.StaticRoutesOnly")?.unwrap_or(false),
        local_cidr: cidr("Options.LocalIpv4NetworkCidr")?,
        remote_cidr: cidr("Options.RemoteIpv4NetworkCidr")?,
        bandwidth,
    })
}

pub fn check_bandwidth(bandwidth: Option<&str>, transit: bool) -> Result<(), ApiError> {
    match bandwidth {
        None | Some("standard") => Ok(()),
        Some("large") if transit => Ok(()),
        Some("large") => Err(ApiError::combination(
            "Large tunnels are supported on a transit gateway only.",
        )),
        Some(other) => Err(ApiError::value(
            "TunnelBandwidth",
            other,
            "Valid values: standard, large.",
        )),
    }
}

/// A random block that is neither reserved nor taken; it is taken then.
fn free_inside_cidr(taken: &mut Vec<Ipv4Net>, rng: &mut Rng) -> Ipv4Net {
    loop {
        let [.., c, d] = (rng.next_u64() as u32).to_be_bytes();
        let first = Ipv4Addr::new(169, 254, c, d & 0xFC);
        if let Ok(cidr) = inside_cidr(&format!("{first}/30"))
            && !reserved(first)
            && !taken.contains(&cidr)
        {
            taken.push(cidr);
            return cidr;
        }
    }
}

fn random_key(rng: &mut Rng) -> Key {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ123456789";
    let letter = |rng: &mut Rng| {
        LETTERS
            .get(rng.below(LETTERS.len() as u64) as usize)
            .copied()
            .map_or('a', char::from)
    };
    Key((0..KEY_LENGTH).map(|_| letter(rng)).collect())
}
