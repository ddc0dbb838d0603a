//! The health of a link, as the status data source reads it.

use super::super::settings::Settings;
use super::super::status::{Denial, HealthSource, LinkHealth, Peers, StatusQuery};
use super::{BackendCache, READ_TIMEOUT, discover_failed, read_failed, status_advice};
use crate::aws::model::{TransitGatewayId, VpnGatewayId};
use crate::reconcile::{self, ActionError, OperationContext};
use async_trait::async_trait;
use bgp_vpn::lookup::{AwsGatewayId, ImportId};
use std::time::Duration;
use terraform_plugin::{Cancel, Diagnostics};

#[async_trait]
impl HealthSource for BackendCache {
    async fn read_health(
        &self,
        _settings: &Settings,
        query: &StatusQuery,
        cancel: Cancel,
    ) -> Result<LinkHealth, Diagnostics> {
        let backend = self.backend()?;
        let end = &query.aws_gateway_id;
        let id = ImportId {
            azure_gateway: query.azure_gateway_id.clone(),
            aws_gateway: Some(if end.starts_with("tgw-") {
                AwsGatewayId::TransitGateway(TransitGatewayId(end.clone()))
            } else {
                AwsGatewayId::VpnGateway(VpnGatewayId(end.clone()))
            }),
            inside_cidr: query.inside_cidr,
            region: query.region.clone(),
        };
        let operation = OperationContext::with_timeout(READ_TIMEOUT, &cancel);
        let clouds = backend.clients_in(Some(query.azure_gateway_id.subscription()))?;
        let found = Box::pin(reconcile::discover(&clouds, &id, &operation)).await;
        let found = found.map_err(|fault| discover_failed(&fault, &status_advice(&fault)))?;
        let operation = OperationContext::with_timeout(Duration::from_secs(120), &cancel);
        let peers = match backend
            .clients()?
            .azure
            .bgp_peers(&query.azure_gateway_id, &operation.call_context())
            .await
        {
            Ok(peers) => Peers::Listed(peers),
            // A gateway that is being changed answers nothing for a while: unknown, not an error.
            Err(error)
                if error.is_retryable()
                    || error.is_not_found()
                    || error.is_transient()
                    || matches!(error, crate::azure::Error::DeadlineExceeded(_)) =>
            {
                Peers::Busy
            }
            Err(error) if reconcile::is_denial(&error) => Peers::Denied(Denial {
                action: reconcile::BGP_PEERS,
                scope: query.azure_gateway_id.to_string(),
                reason: error.to_string(),
            }),
            Err(error) => return Err(read_failed("the BGP peers", &ActionError::Azure(error))),
        };
        Ok(LinkHealth::of(&found.observed, peers))
    }
}
