//! VPN gateways: made, attached to a VPC, detached and deleted.

use super::{Filter, IdempotencyKey, find_new, ignore_not_found, tag_specification};
use crate::aws::client::Ec2;
use crate::aws::error::Error;
use crate::aws::from_sdk;
use crate::aws::model::{VpcId, VpnGateway, VpnGatewayId};
use crate::aws::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::types::{GatewayType, ResourceType};
use bgp_vpn::types::{Asn, Tags};

impl Ec2 {
    /// Creates a VPN gateway; it is `Pending` at first and not attached.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn create_vpn_gateway(
        &self,
        ctx: &CallContext,
        asn: Asn,
        tags: &Tags,
        own: IdempotencyKey<'_>,
    ) -> Result<VpnGateway, Error> {
        let spec = tag_specification(ResourceType::VpnGateway, tags);
        let send = || {
            let call = self
                .client()
                .create_vpn_gateway()
                .r#type(GatewayType::Ipsec1);
            call.amazon_side_asn(i64::from(asn.0))
                .set_tag_specifications(spec.clone())
                .send()
        };
        let look = || async {
            let mut found = self
                .describe_vpn_gateways(ctx, &Filter::tags(own.tags))
                .await?;
            found.retain(|gateway| {
                gateway.asn == asn && gateway.state != crate::aws::model::State::Deleting
            });
            Ok(find_new(found, own, |gateway| &gateway.id.0))
        };
        let read = |o: &aws_sdk_ec2::operation::create_vpn_gateway::CreateVpnGatewayOutput| {
            o.vpn_gateway().and_then(from_sdk::vpn_gateway)
        };
        self.create_once(
            ctx,
            RetryPolicy::CREATE,
            ("CreateVpnGateway", &format!("ASN {asn}")),
            send,
            read,
            look,
        )
        .await
    }

    /// Starts attaching it; done or under way already is done.
    ///
    /// # Errors
    /// `DependencyViolation` if it is attached to another VPC or the VPC has another one; see `Error`.
    pub async fn attach_vpn_gateway(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .attach_vpn_gateway()
                .vpn_gateway_id(&id.0)
                .vpc_id(&vpc.0)
                .send()
        };
        match self
            .with_retry(ctx, RetryPolicy::ATTACH, "AttachVpnGateway", &id.0, send)
            .await
        {
            Err(Error::DependencyViolation(taken)) => {
                let found = self.describe_vpn_gateways(ctx, &Filter::id(id)).await?;
                let done = found
                    .iter()
                    .any(|gateway| gateway.attachment.as_ref().is_some_and(|(at, _)| at == vpc));
                if done {
                    Ok(())
                } else {
                    Err(Error::DependencyViolation(taken))
                }
            }
            other => other.map(drop),
        }
    }

    /// Starts detaching it; done or under way already is done.
    ///
    /// # Errors
    /// See `Error`.
    pub async fn detach_vpn_gateway(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
        vpc: &VpcId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .detach_vpn_gateway()
                .vpn_gateway_id(&id.0)
                .vpc_id(&vpc.0)
                .send()
        };
        let policy = RetryPolicy {
            not_found: std::time::Duration::ZERO,
            ..RetryPolicy::ATTACH
        };
        ignore_not_found(
            self.with_retry(ctx, policy, "DetachVpnGateway", &id.0, send)
                .await,
        )
    }

    /// # Errors
    /// `DependencyViolation` while attached or while VPN connections end on it; see `Error`.
    pub async fn delete_vpn_gateway(
        &self,
        ctx: &CallContext,
        id: &VpnGatewayId,
    ) -> Result<(), Error> {
        let send = || {
            self.client()
                .delete_vpn_gateway()
                .vpn_gateway_id(&id.0)
                .send()
        };
        self.delete(ctx, "DeleteVpnGateway", &id.0, send).await
    }
}
