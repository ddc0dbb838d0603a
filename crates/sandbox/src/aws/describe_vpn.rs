//! How a VPN connection is shown: its options, its tunnels, their telemetry, the state of one
//! tunnel in detail.

use super::connection::{Connection, Tunnel};
use super::device_config;
use super::errors::ApiError;
use super::lifecycle::{Object, State, find, select};
use super::query::Params;
use super::region::{ApiResult, Region};
use super::tags;
use super::xml::Xml;
use crate::time::SimTime;
use crate::world::{Context, Settings};
use std::net::Ipv4Addr;

/// Stands for a key that a secret holds.
pub const REDACTED: &str = "REDACTED";

/// Simulated time in EC2's form.
pub fn moment(settings: &Settings, at: SimTime) -> String {
    let seconds = jiff::Timestamp::from_second(settings.unix_seconds(at))
        .unwrap_or_default()
        .to_string();
    format!("{}.{:03}Z", seconds.trim_end_matches('Z'), at.0 % 1_000)
}

impl Tunnel {
    /// The key as an answer may show it.
    pub fn visible_key(&self) -> &str {
        if self.secret { REDACTED } else { &self.key.0 }
    }
}

impl Connection {
    pub fn tunnel(&self, params: &Params) -> Result<usize, ApiError> {
        let text = params.require("VpnTunnelOutsideIpAddress")?;
        let ip: Option<Ipv4Addr> = text.parse().ok();
        self.tunnels
            .iter()
            .position(|tunnel| Some(tunnel.outside_ip) == ip)
            .ok_or_else(|| {
                ApiError::value(
                    "VpnTunnelOutsideIpAddress",
                    text,
                    "The VPN connection has no tunnel with that address.",
                )
            })
    }
}

impl Region {
    pub(super) fn describe_vpn_connections(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let rows = select(
            &self.vpn_connections,
            params,
            "VpnConnectionId",
            cx.now,
            |row, name| self.field(row, name),
        )?;
        let mut xml = Xml::new();
        xml.set("vpnConnectionSet", rows, |xml, connection| {
            self.write_connection(connection, cx, xml)
        });
        Ok(xml)
    }

    fn field(&self, connection: &Connection, name: &str) -> Option<Vec<String>> {
        let (vgw, tgw) = connection.target_ids();
        Some(match name {
            "vpn-connection-id" => vec![connection.id.clone()],
            "state" => vec![connection.lifecycle.state.as_str().to_owned()],
            "type" => vec!["ipsec.1".to_owned()],
            "customer-gateway-id" => vec![connection.customer_gateway_id.clone()],
            "vpn-gateway-id" => vgw.into_iter().map(str::to_owned).collect(),
            "transit-gateway-id" => tgw.into_iter().map(str::to_owned).collect(),
            "option.static-routes-only" => vec![connection.options.static_routes_only.to_string()],
            "route.destination-cidr-block" => Vec::new(),
            "bgp-asn" => {
                let customer = self.customer_gateways.get(&connection.customer_gateway_id);
                customer
                    .map(|customer| customer.asn.to_string())
                    .into_iter()
                    .collect()
            }
            _ => return None,
        })
    }

    fn device_config(&self, connection: &Connection) -> String {
        let asn = match connection.target_ids() {
            (Some(id), _) => self.vpn_gateways.get(id).map(|gateway| gateway.asn),
            (_, Some(id)) => self.transit_gateways.get(id).map(|gateway| gateway.asn),
            _ => None,
        };
        let customer = self.customer_gateways.get(&connection.customer_gateway_id);
        device_config::write(connection, customer, asn.unwrap_or_default())
    }

    pub(super) fn write_connection(
        &self,
        connection: &Connection,
        cx: &Context<'_>,
        xml: &mut Xml,
    ) {
        let state = connection.lifecycle.state;
        xml.text("vpnConnectionId", &connection.id);
        xml.text("state", state.as_str());
        xml.text("type", "ipsec.1");
        xml.text("category", "VPN");
        xml.text("customerGatewayId", &connection.customer_gateway_id);
        let (vgw, tgw) = connection.target_ids();
        xml.maybe("vpnGatewayId", vgw);
        xml.maybe("transitGatewayId", tgw);
        xml.text(
            "gatewayAssociationState",
            if state.is_terminating() {
                "not-associated"
            } else {
                "associated"
            },
        );
        if !state.is_terminating() {
            xml.escaped(
                "customerGatewayConfiguration",
                &self.device_config(connection),
            );
        }
        xml.maybe("preSharedKeyArn", connection.secret_arn.as_ref());
        xml.nest("options", |xml| {
            let options = &connection.options;
            xml.text("enableAcceleration", options.acceleration);
            xml.text("staticRoutesOnly", options.static_routes_only);
            xml.text("localIpv4NetworkCidr", &options.local_cidr);
            xml.text("remoteIpv4NetworkCidr", &options.remote_cidr);
            xml.text("outsideIpAddressType", "PublicIpv4");
            xml.text("tunnelInsideIpVersion", "ipv4");
            xml.maybe("tunnelBandwidth", options.bandwidth.as_ref());
            xml.set("tunnelOptionSet", &connection.tunnels, |xml, tunnel| {
                xml.text("outsideIpAddress", tunnel.outside_ip);
                xml.text("tunnelInsideCidr", tunnel.inside_cidr);
                xml.text("preSharedKey", tunnel.visible_key());
                tunnel.options.write(xml);
            });
        });
        xml.nest("routes", |_| {});
        tags::write(xml, &connection.tags);
        // In an order of its own: the opposite of the tunnels'. None before the endpoints exist and
        // after they are gone.
        let known = matches!(state, State::Available | State::Modifying);
        xml.set(
            "vgwTelemetry",
            connection.tunnels.iter().rev().filter(|_| known),
            |xml, tunnel| {
                let telemetry = cx.tunnels.aws_telemetry(tunnel.outside_ip);
                xml.text("acceptedRouteCount", telemetry.accepted_routes);
                xml.text(
                    "lastStatusChange",
                    moment(
                        cx.settings,
                        telemetry.last_status_change.max(connection.created),
                    ),
                );
                xml.text("outsideIpAddress", tunnel.outside_ip);
                xml.text("status", if telemetry.up { "UP" } else { "DOWN" });
                xml.text("statusMessage", &telemetry.status_message);
            },
        );
    }

    pub(super) fn get_active_vpn_tunnel_status(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let connection = self.listed(params, cx.now)?;
        let Some(tunnel) = connection.tunnels.get(connection.tunnel(params)?) else {
            return Ok(Xml::new());
        };
        let pending =
            connection.lifecycle.state == State::Pending || tunnel.replaced_until.is_some();
        let mut xml = Xml::new();
        xml.nest("activeVpnTunnelStatus", |xml| {
            if let Some(agreed) = cx.tunnels.negotiated(tunnel.outside_ip) {
                xml.text("phase1EncryptionAlgorithm", &agreed.phase1_encryption);
                xml.text("phase1IntegrityAlgorithm", &agreed.phase1_integrity);
                xml.text("phase1DHGroup", agreed.phase1_dh_group);
                xml.text("phase2EncryptionAlgorithm", &agreed.phase2_encryption);
                xml.maybe("phase2IntegrityAlgorithm", agreed.phase2_integrity.as_ref());
                xml.maybe("phase2DHGroup", agreed.phase2_dh_group);
                xml.text("ikeVersion", "ikev2");
            }
            xml.text(
                "provisioningStatus",
                if pending { "pending" } else { "available" },
            );
        });
        Ok(xml)
    }

    pub(super) fn get_vpn_tunnel_replacement_status(
        &mut self,
        params: &Params,
        cx: &mut Context<'_>,
    ) -> ApiResult {
        let connection = self.listed(params, cx.now)?;
        let Some(tunnel) = connection.tunnels.get(connection.tunnel(params)?) else {
            return Ok(Xml::new());
        };
        let (vgw, tgw) = connection.target_ids();
        let mut xml = Xml::new();
        xml.text("vpnConnectionId", &connection.id);
        xml.maybe("transitGatewayId", tgw);
        xml.text("customerGatewayId", &connection.customer_gateway_id);
        xml.maybe("vpnGatewayId", vgw);
        xml.text("vpnTunnelOutsideIpAddress", tunnel.outside_ip);
        xml.nest("maintenanceDetails", |xml| {
            xml.text("pendingMaintenance", "None");
            xml.maybe(
                "lastMaintenanceApplied",
                tunnel.last_maintenance.map(|at| moment(cx.settings, at)),
            );
        });
        Ok(xml)
    }

    fn listed(&self, params: &Params, now: SimTime) -> Result<&Connection, ApiError> {
        let connection = find(
            &self.vpn_connections,
            params.require("VpnConnectionId")?,
            now,
        )?;
        if connection.gone() {
            return Err(super::lifecycle::not_found::<Connection>(&connection.id));
        }
        Ok(connection)
    }
}
