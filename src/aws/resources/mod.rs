//! The calls of EC2 that a link needs, a file for each kind of object. Describing what is not there
//! answers an empty list.

mod account;
mod change_connection;
mod customer_gateway;
mod describe;
mod identity;
mod network;
mod occupants;
mod route_table;
mod shared_describe;
mod tags;
mod transit_gateway;
mod tunnel_options;
mod vpn_connection;
mod vpn_gateway;

pub use change_connection::{ConnectionEndpoints, ConnectionOptions};
pub use describe::Filter;
pub use identity::Identity;
pub(super) use shared_describe::SharedDescribes;
pub(super) use tunnel_options::{carries, read_options, shows};
pub use vpn_connection::{NewConnection, VpnConnectionOptions};

use super::client::Ec2;
use super::error::Error;
use super::retry::RetryPolicy;
use crate::client::CallContext;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use bgp_vpn::types::Tags;
use std::future::Future;
use std::time::Duration;

/// How an object that a create was to make is known again when the response was lost.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey<'a> {
    /// Tags that only this object has among those of its kind. Empty: it cannot be looked up, the
    /// loss is reported.
    pub tags: &'a Tags,
    /// Ids of objects that carried these tags before the create: predecessors that are about to be
    /// replaced.
    pub known_ids: &'a [String],
}

impl<'a> IdempotencyKey<'a> {
    /// Objects with these tags, none of which existed before.
    pub fn new(tags: &'a Tags) -> Self {
        IdempotencyKey {
            tags,
            known_ids: &[],
        }
    }
}

/// The tags of an object to be made; none where there are none, for EC2 refuses an empty list.
fn tag_specification(kind: ResourceType, tags: &Tags) -> Option<Vec<TagSpecification>> {
    let list = tags
        .iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect();
    (!tags.is_empty()).then(|| {
        vec![
            TagSpecification::builder()
                .resource_type(kind)
                .set_tags(Some(list))
                .build(),
        ]
    })
}

impl Ec2 {
    /// Sends a delete. An object that does not exist counts as deleted.
    async fn delete<T, E, F>(
        &self,
        ctx: &CallContext,
        operation: &'static str,
        target: &str,
        send: impl FnMut() -> F,
    ) -> Result<(), Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let deleted = self.with_retry(ctx, RetryPolicy::DELETE, operation, target, send);
        ignore_not_found(deleted.await)
    }

    /// Sends a call that detaches a gateway. EC2 rejects it as a conflict where the gateway is not
    /// attached, which is the wanted state.
    async fn detach<T, E, F>(
        &self,
        ctx: &CallContext,
        operation: &'static str,
        target: &str,
        send: impl FnMut() -> F,
    ) -> Result<(), Error>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let policy = RetryPolicy {
            busy: Duration::ZERO,
            ..RetryPolicy::DELETE
        };
        match self.with_retry(ctx, policy, operation, target, send).await {
            Err(Error::ConflictRetryable(context)) if context.code == "Gateway.NotAttached" => {
                Ok(())
            }
            other => ignore_not_found(other),
        }
    }
}

/// Deleting what is not there has succeeded.
fn ignore_not_found<T>(result: Result<T, Error>) -> Result<(), Error> {
    match result {
        Ok(_) | Err(Error::NotFound(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The one among the found that did not exist before its create. None where nothing could tell it
/// from others.
fn find_new<T>(found: Vec<T>, own: IdempotencyKey<'_>, id: impl Fn(&T) -> &str) -> Option<T> {
    if own.tags.is_empty() {
        return None;
    }
    found
        .into_iter()
        .find(|one| own.known_ids.iter().all(|known| known != id(one)))
}
