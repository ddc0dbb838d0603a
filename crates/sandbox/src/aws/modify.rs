//! Changes to a VPN connection. Each takes minutes, in which the endpoints that it replaces serve
//! no traffic.

use super::connection::{Connection, already_used, check_bandwidth, not_available, uses_secret};
use super::errors::ApiError;
use super::lifecycle::{Lifecycle, State, find_live, find_mut};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tunnel_options::TunnelOptions;
use super::xml::Xml;
use crate::time::{SimDuration, SimTime};
use crate::world::Context;
use ipnet::Ipv4Net;

const REPLACE_LEAST: SimDuration = SimDuration::minutes(2);
const REPLACE_MOST: SimDuration = SimDuration::minutes(5);
/// How long a change takes that replaces no endpoint.
const TOUCH: SimDuration = SimDuration::seconds(20);
/// Regions in which the bandwidth of a connection is fixed (hashicorp/terraform-provider-aws#47843).
/// The error is not documented; this is the one for other options that a region does not support.
const FIXED_BANDWIDTH: [&str; 1] = ["us-west-2"];

impl Region {
    pub(super) fn modify_vpn_tunnel_options(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnConnectionId")?;
        let connection = self.available_connection(id, cx.now)?;
        let place = connection.tunnel(params)?;
        let changes = TunnelOptions::read(params, "TunnelOptions.")?;
        if changes.is_empty() {
            return Err(ApiError::missing("TunnelOptions"));
        }
        let skip = params.flag("SkipTunnelReplacement")?.unwrap_or(false);
        if skip && !changes.only_lifecycle_control() {
            return Err(ApiError::combination(
                "SkipTunnelReplacement is for turning the lifecycle control on or off only.",
            ));
        }
        let secret = uses_secret(params)?;
        let secret_arn = match &connection.secret_arn {
            None if secret == Some(true) => Some(self.secret_arn(id, cx.rng)),
            there => there.clone(),
        };
        let own = connection
            .tunnels
            .get(place)
            .map(|tunnel| tunnel.inside_cidr);
        if let Some(cidr) = changes.inside_cidr.filter(|cidr| Some(*cidr) != own)
            && self
                .inside_cidrs(&connection.target)
                .any(|taken| taken == cidr)
        {
            return Err(already_used(cidr));
        }
        let customer = self.customer_gateways.get(&connection.customer_gateway_id);
        let dialled = customer.is_some_and(|customer| customer.ip_address.is_some());
        let mut options = connection
            .tunnels
            .get(place)
            .map(|tunnel| tunnel.options.clone())
            .unwrap_or_default();
        options.merge(changes);
        options.check(dialled)?;
        let until = cx.now
            + if skip {
                TOUCH
            } else {
                cx.rng.duration(REPLACE_LEAST, REPLACE_MOST)
            };
        let connection = find_mut(&mut self.vpn_connections, id, cx.now)?;
        connection.lifecycle = Lifecycle::modifying(until);
        connection.secret_arn = secret_arn;
        if let Some(tunnel) = connection.tunnels.get_mut(place) {
            if let Some(cidr) = options.inside_cidr.take() {
                tunnel.inside_cidr = cidr;
            }
            if let Some(key) = options.pre_shared_key.take() {
                tunnel.key = key;
            }
            tunnel.secret = secret.unwrap_or(tunnel.secret);
            tunnel.options = options;
            if !skip {
                tunnel.replaced_until = Some(until);
            }
        }
        self.show(id, cx)
    }

    pub(super) fn modify_vpn_connection(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnConnectionId")?;
        let connection = self.available_connection(id, cx.now)?;
        let target =
            if params.get("VpnGatewayId").is_some() || params.get("TransitGatewayId").is_some() {
                self.target(params, cx.now)?
            } else {
                connection.target.clone()
            };
        let customer_id = params
            .get("CustomerGatewayId")
            .unwrap_or(&connection.customer_gateway_id)
            .to_owned();
        if target == connection.target && customer_id == connection.customer_gateway_id {
            return Err(ApiError::combination("The request changes nothing."));
        }
        let customer = find_live(&self.customer_gateways, &customer_id, cx.now)?;
        self.check_asn(customer, &target)?;
        if target != connection.target {
            let taken: Vec<Ipv4Net> = self.inside_cidrs(&target).collect();
            if let Some(clash) = connection
                .tunnels
                .iter()
                .find(|tunnel| taken.contains(&tunnel.inside_cidr))
            {
                return Err(already_used(clash.inside_cidr));
            }
        }
        let connection = self.replace_both(id, cx)?;
        let is_moved = connection.target != target;
        connection.target = target;
        connection.customer_gateway_id = customer_id;
        if is_moved {
            let moved = connection.clone();
            self.detach_from_transit_gateway(id, cx.now);
            self.attach_to_transit_gateway(&moved, cx);
        }
        self.show(id, cx)
    }

    pub(super) fn modify_vpn_connection_options(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnConnectionId")?;
        let transit = self
            .available_connection(id, cx.now)?
            .target_ids()
            .1
            .is_some();
        let local = params.parsed::<Ipv4Net>("LocalIpv4NetworkCidr")?;
        let remote = params.parsed::<Ipv4Net>("RemoteIpv4NetworkCidr")?;
        let bandwidth = params.get("TunnelBandwidth").map(str::to_owned);
        check_bandwidth(bandwidth.as_deref(), transit)?;
        let fixed = cx.settings.fixed_bandwidth || FIXED_BANDWIDTH.contains(&self.name.as_str());
        if bandwidth.is_some() && fixed {
            return Err(ApiError::unsupported(
                "Modifying the tunnel bandwidth is not currently supported in this region.",
            ));
        }
        if local.is_none() && remote.is_none() && bandwidth.is_none() {
            return Err(ApiError::combination("The request changes nothing."));
        }
        let options = &mut self.replace_both(id, cx)?.options;
        if let Some(cidr) = local {
            options.local_cidr = cidr.to_string();
        }
        if let Some(cidr) = remote {
            options.remote_cidr = cidr.to_string();
        }
        options.bandwidth = bandwidth.or(options.bandwidth.take());
        self.show(id, cx)
    }

    pub(super) fn replace_vpn_tunnel(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let id = params.require("VpnConnectionId")?;
        let place = self.available_connection(id, cx.now)?.tunnel(params)?;
        let until = cx.now + cx.rng.duration(REPLACE_LEAST, REPLACE_MOST);
        let connection = find_mut(&mut self.vpn_connections, id, cx.now)?;
        connection.lifecycle = Lifecycle::modifying(until);
        if let Some(tunnel) = connection.tunnels.get_mut(place) {
            tunnel.replaced_until = Some(until);
            tunnel.last_maintenance = Some(cx.now);
        }
        Ok(Xml::done())
    }

    fn available_connection(&self, id: &str, now: SimTime) -> Result<&Connection, ApiError> {
        let connection = find_live(&self.vpn_connections, id, now)?;
        if connection.lifecycle.state == State::Available {
            Ok(connection)
        } else {
            Err(not_available(id))
        }
    }

    fn replace_both(
        &mut self,
        id: &str,
        cx: &mut Context<'_>,
    ) -> Result<&mut Connection, ApiError> {
        let until = cx.now + cx.rng.duration(REPLACE_LEAST, REPLACE_MOST);
        let connection = find_mut(&mut self.vpn_connections, id, cx.now)?;
        connection.lifecycle = Lifecycle::modifying(until);
        for tunnel in &mut connection.tunnels {
            tunnel.replaced_until = Some(until);
        }
        Ok(connection)
    }

    fn show(&self, id: &str, cx: &Context<'_>) -> ApiResult {
        let connection = find_live(&self.vpn_connections, id, cx.now)?;
        let mut xml = Xml::new();
        xml.nest("vpnConnection", |xml| {
            self.write_connection(connection, cx, xml)
        });
        Ok(xml)
    }
}
