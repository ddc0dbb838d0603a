//! VPN connections. Together with `tunnel_options`, the only calls that carry keys.

use super::tunnel_options::{made_with, redact_keys};
use super::{Filter, IdempotencyKey, find_new, tag_specification};
use crate::aws::client::Ec2;
use crate::aws::error::{Error, call_context};
use crate::aws::from_sdk;
use crate::aws::model::{
    Bandwidth, CustomerGatewayId, KeyStorage, State, TargetGateway, TunnelOptions, VpnConnection,
    VpnConnectionId,
};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types as sdk;
use bgp_vpn::types::Tags;

/// Options of a new VPN connection in addition to its tunnels. Only what is set is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VpnConnectionOptions {
    /// Transit gateways only.
    pub enable_acceleration: Option<bool>,
    pub key_storage: Option<KeyStorage>,
    /// Transit gateways only, and not in every region even the default.
    pub tunnel_bandwidth: Option<Bandwidth>,
}

/// A connection to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewConnection<'a> {
    pub customer_gateway: &'a CustomerGatewayId,
    /// `TargetGateway::Other` is refused.
    pub target: &'a TargetGateway,
    pub tunnels: &'a [TunnelOptions; 2],
    pub options: &'a VpnConnectionOptions,
    pub tags: &'a Tags,
    pub idempotency: IdempotencyKey<'a>,
}

impl Ec2 {
    /// Makes a BGP connection with two tunnels; it is `Pending` for minutes, and which of the two
    /// gets which outside address is AWS's choice.
    ///
    /// # Errors
    /// See `Error`. No message holds a key.
    pub async fn create_vpn_connection(
        &self,
        ctx: &CallContext,
        new: &NewConnection<'_>,
    ) -> Result<VpnConnection, Error> {
        let NewConnection {
            customer_gateway,
            target,
            tunnels,
            options: extras,
            tags,
            idempotency: own,
        } = *new;
        let operation = "CreateVpnConnection";
        let (vgw, tgw) = match target {
            TargetGateway::VpnGateway(id) => (Some(id.0.clone()), None),
            TargetGateway::TransitGateway(id) => (None, Some(id.0.clone())),
            TargetGateway::Other => {
                let words = "only VPN gateways and transit gateways can be its end";
                let context = call_context(operation, customer_gateway);
                return Err(Error::Rejected(context.with_message(words)));
            }
        };
        let spec = tag_specification(sdk::ResourceType::VpnConnection, tags);
        let send = || {
            // TunnelInsideIpVersion stays away: some regions refuse even its default.
            let options = sdk::VpnConnectionOptionsSpecification::builder()
                .static_routes_only(false)
                .set_enable_acceleration(extras.enable_acceleration)
                .set_tunnel_bandwidth(
                    extras
                        .tunnel_bandwidth
                        .map(|it| sdk::VpnTunnelBandwidth::from(it.as_str())),
                )
                .set_tunnel_options(Some(tunnels.iter().map(made_with).collect()))
                .build();
            let call = self
                .client()
                .create_vpn_connection()
                .r#type("ipsec.1")
                .customer_gateway_id(&customer_gateway.0);
            let call = call
                .set_vpn_gateway_id(vgw.clone())
                .set_transit_gateway_id(tgw.clone())
                .options(options);
            call.set_pre_shared_key_storage(extras.key_storage.map(|storage| storage.to_string()))
                .set_tag_specifications(spec.clone())
                .send()
        };
        let look = || async {
            let filter = Filter {
                customer_gateway: Some(customer_gateway.clone()),
                ..Filter::tags(own.tags)
            };
            let mut found = self.describe_vpn_connections(ctx, &filter).await?;
            found.retain(|connection| {
                connection.target == *target && connection.state != State::Deleting
            });
            Ok(find_new(found, own, |connection| &connection.id.0))
        };
        let read =
            |o: &aws_sdk_ec2::operation::create_vpn_connection::CreateVpnConnectionOutput| {
                o.vpn_connection().and_then(from_sdk::vpn_connection)
            };
        let made = self
            .create_once(
                ctx,
                RetryPolicy::CREATE,
                (operation, &customer_gateway.0),
                send,
                read,
                look,
            )
            .await;
        redact_keys(made, tunnels)
    }

    /// Starts deleting it; wait with `wait_vpn_connection_deleted`.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn delete_vpn_connection(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_vpn_connection()
                .vpn_connection_id(&id.0)
                .send()
        };
        self.delete(ctx, "DeleteVpnConnection", &id.0, send).await
    }
}
