//! What stands between a write and its effect: conditional headers, running changes, locks,
//! references, use by others.

use super::errors::{self, ApiError};
use super::ids::{Id, Kind};
use super::resource::{Resource, State};
use super::resource_ops::title;
use super::service::AzureService;
use crate::http::Request;
use crate::world::Context;

impl AzureService {
    /// If-Match and If-None-Match.
    pub(super) fn check_conditions(
        &self,
        request: &Request,
        existing: Option<&Resource>,
    ) -> Result<(), ApiError> {
        let failed = |message: &str| Err(ApiError::new(412, "PreconditionFailed", message));
        let current = existing.map(|resource| match resource.id.network() {
            Some(network) => self
                .resources
                .get(&network.key())
                .unwrap_or(resource)
                .etag
                .as_str(),
            None => resource.etag.as_str(),
        });
        if let Some(wanted) = request.header("if-match")
            && !current.is_some_and(|etag| wanted == "*" || bare(wanted) == bare(etag))
        {
            return failed(
                "Precondition failed: the resource's ETag does not match the one in If-Match.",
            );
        }
        if let Some(unwanted) = request.header("if-none-match")
            && current.is_some_and(|etag| unwanted == "*" || bare(unwanted) == bare(etag))
        {
            return failed("Precondition failed: the resource exists already.");
        }
        Ok(())
    }

    /// Refuses when `id` itself is being changed.
    pub(super) fn require_idle(
        &self,
        resource: &Resource,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        match &resource.pending {
            Some(pending) => Err(self.busy(&pending.operation, &resource.id, request, cx)),
            None => Ok(()),
        }
    }

    /// Refuses when another write holds the lock of a gateway or virtual network.
    pub(super) fn require_unlocked(
        &self,
        key: &str,
        id: &Id,
        request: &Request,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        match self.locks.get(key) {
            Some(lock) if lock.until > cx.now => Err(self.busy(&lock.operation, id, request, cx)),
            _ => Ok(()),
        }
    }

    /// One refusal in four is the 429 wording.
    fn busy(&self, record: &str, id: &Id, request: &Request, cx: &mut Context<'_>) -> ApiError {
        let url = self
            .operations
            .get(record)
            .map(|operation| operation.status_url(&request.base_url, record));
        errors::another_operation(&url.unwrap_or_default(), id, cx.rng.below(4) == 0)
    }

    /// Refuses when what `id` refers to has not succeeded.
    pub(super) fn require_provisioned(
        &self,
        id: &Id,
        referenced: &Resource,
        cx: &mut Context<'_>,
    ) -> Result<(), ApiError> {
        if referenced.state == State::Succeeded {
            return Ok(());
        }
        let title = referenced
            .pending
            .as_ref()
            .map_or_else(|| title("Put", referenced.id.kind), |p| p.title.clone());
        Err(errors::not_provisioned(
            id,
            &referenced.id,
            referenced.state.word(),
            &title,
            cx.rng.below(2) == 0,
        ))
    }

    /// Refuses to delete what is in use.
    pub(super) fn require_unused(
        &self,
        resource: &Resource,
        cx: &Context<'_>,
    ) -> Result<(), ApiError> {
        let id = &resource.id;
        match id.kind {
            Kind::VirtualNetwork => self
                .subnets_of(id)
                .try_for_each(|subnet| self.subnet_free(subnet, cx)),
            Kind::Subnet => self.subnet_free(resource, cx),
            Kind::PublicIp => self.public_ip_free(resource, cx),
            Kind::Gateway => {
                let used: Vec<String> = self
                    .connections_of(&id.key())
                    .map(|c| c.id.to_string())
                    .collect();
                if used.is_empty() {
                    return Ok(());
                }
                Err(ApiError::bad(
                    "VirtualNetworkGatewayCannotBeDeleted",
                    format!(
                        "Virtual network gateway {id} cannot be deleted because it is in use by {}.",
                        used.join(", ")
                    ),
                ))
            }
            Kind::LocalGateway => {
                let key = id.key();
                let user = self.of_kind(Kind::Connection).find(|connection| {
                    connection
                        .text("/localNetworkGateway2/id")
                        .is_some_and(|used| used.eq_ignore_ascii_case(&key))
                });
                user.map_or(Ok(()), |user| {
                    Err(ApiError::bad(
                        "LocalNetworkGatewayCannotBeDeleted",
                        format!("Local network gateway {id} cannot be deleted because it is in use by {}.", user.id),
                    ))
                })
            }
            Kind::NatGateway | Kind::RouteTable | Kind::SecurityGroup => {
                self.require_unattached(resource)
            }
            Kind::Connection | Kind::Peering | Kind::NetworkInterface | Kind::PrivateEndpoint => {
                Ok(())
            }
        }
    }
}

fn bare(etag: &str) -> &str {
    etag.trim().trim_start_matches("W/").trim_matches('"')
}
