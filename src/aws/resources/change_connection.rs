//! Changes of a VPN connection that stays. Both of its tunnels are down until AWS has provisioned
//! their endpoints again.

use super::Filter;
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::model::{
    Bandwidth, CustomerGatewayId, NetworkCidrs, State, TargetGateway, VpnConnection,
    VpnConnectionId, VpnGatewayId,
};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types as sdk;

/// What `ModifyVpnConnectionOptions` changes. Only what is set is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionOptions {
    pub bandwidth: Option<Bandwidth>,
    pub networks: Option<NetworkCidrs>,
}

/// What `ModifyVpnConnection` changes: the customer gateway or the gateway at AWS. Only what is set
/// is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionEndpoints {
    pub customer_gateway: Option<CustomerGatewayId>,
    /// `TargetGateway::Other` is not sent.
    pub target: Option<TargetGateway>,
}

impl ConnectionOptions {
    /// Whether a connection has all that is set here.
    pub fn is_on(&self, connection: &VpnConnection) -> bool {
        self.bandwidth
            .is_none_or(|wanted| wanted == connection.bandwidth)
            && self
                .networks
                .is_none_or(|wanted| wanted == connection.networks)
    }
}

impl ConnectionEndpoints {
    /// Whether a connection has all that is set here.
    pub fn is_on(&self, connection: &VpnConnection) -> bool {
        self.customer_gateway
            .as_ref()
            .is_none_or(|wanted| *wanted == connection.customer_gateway_id)
            && self
                .target
                .as_ref()
                .is_none_or(|wanted| *wanted == connection.target)
    }
}

impl Ec2 {
    /// Starts a change of options. The outside addresses stay; wait with
    /// `change_connection_options`.
    ///
    /// # Errors
    /// See `Error`.
    pub(in crate::aws) async fn modify_connection_options(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        wanted: &ConnectionOptions,
    ) -> Result<(), Error> {
        let send = || {
            let call = self
                .client()
                .modify_vpn_connection_options()
                .vpn_connection_id(&id.0);
            call.set_tunnel_bandwidth(
                wanted
                    .bandwidth
                    .map(|it| sdk::VpnTunnelBandwidth::from(it.as_str())),
            )
            .set_local_ipv4_network_cidr(wanted.networks.map(|it| it.local.to_string()))
            .set_remote_ipv4_network_cidr(wanted.networks.map(|it| it.remote.to_string()))
            .send()
        };
        // A lost answer: done where it has changed. A change under way may be another process's.
        let look = || async {
            let found = self.describe_vpn_connections(ctx, &Filter::id(id)).await?;
            Ok(found
                .iter()
                .any(|connection| wanted.is_on(connection))
                .then_some(()))
        };
        self.create_once(
            ctx,
            RetryPolicy::MODIFY,
            ("ModifyVpnConnectionOptions", &id.0),
            send,
            |_| Some(()),
            look,
        )
        .await
    }

    /// Starts a change of the customer gateway or of the gateway at AWS; wait with
    /// `change_connection_endpoints`.
    ///
    /// # Errors
    /// See `Error`.
    pub(in crate::aws) async fn modify_connection_ends(
        &self,
        ctx: &CallContext,
        id: &VpnConnectionId,
        wanted: &ConnectionEndpoints,
    ) -> Result<(), Error> {
        let (vgw, tgw) = match &wanted.target {
            Some(TargetGateway::VpnGateway(VpnGatewayId(id))) => (Some(id.clone()), None),
            Some(TargetGateway::TransitGateway(id)) => (None, Some(id.0.clone())),
            Some(TargetGateway::Other) | None => (None, None),
        };
        let send = || {
            let call = self
                .client()
                .modify_vpn_connection()
                .vpn_connection_id(&id.0);
            call.set_customer_gateway_id(wanted.customer_gateway.as_ref().map(|it| it.0.clone()))
                .set_vpn_gateway_id(vgw.clone())
                .set_transit_gateway_id(tgw.clone())
                .send()
        };
        // A lost answer: done where it has changed, or is being changed to this.
        let look = || async {
            let found = self.describe_vpn_connections(ctx, &Filter::id(id)).await?;
            Ok(found
                .iter()
                .any(|one| wanted.is_on(one) && one.state != State::Deleting)
                .then_some(()))
        };
        self.create_once(
            ctx,
            RetryPolicy::MODIFY,
            ("ModifyVpnConnection", &id.0),
            send,
            |_| Some(()),
            look,
        )
        .await
    }
}
