//! The clients that a link is worked on with, and how long the work may take.

use super::error::ActionError;
use crate::aws::model::Region;
use crate::aws::{Aws, Ec2};
use crate::azure::Azure;
use crate::client::{CallContext, Deadline, DeniedReads};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Both clouds, as the provider block describes them.
#[derive(Clone)]
pub struct CloudClients {
    pub azure: Azure,
    pub aws: Aws,
}

/// Both clouds, in the places where one link is.
#[derive(Clone)]
pub struct LinkClients {
    pub azure: Azure,
    pub ec2: Ec2,
}

impl CloudClients {
    /// For reads that other links may make at the same time. AWS has methods of their own for those.
    #[must_use]
    pub fn with_shared_reads(&self) -> Self {
        CloudClients {
            azure: self.azure.with_shared_reads(),
            aws: self.aws.clone(),
        }
    }

    /// The first call loads AWS's settings.
    ///
    /// # Errors
    /// Where credentials or region are missing.
    pub async fn link_clients(
        &self,
        region: Option<&Region>,
        operation: &OperationContext,
    ) -> Result<LinkClients, ActionError> {
        let ec2 = self.aws.region(&operation.call_context(), region).await?;
        Ok(LinkClients {
            azure: self.azure.clone(),
            ec2,
        })
    }
}

/// How long an operation may wait for other links of its Azure gateway, above its own time. A
/// gateway has at most 100 connections, so 25 links, each of which writes to it for less than half
/// an hour.
const MAX_QUEUE_TIME: Duration = Duration::from_secs(25 * 30 * 60);

/// Until when, not counting the time for which other links have their turn at the Azure gateway,
/// and the token that ends it sooner.
#[derive(Clone, Debug)]
pub struct OperationContext {
    pub deadline: Deadline,
    pub cancel: CancellationToken,
    /// Optional reads that were rejected.
    pub denied: DeniedReads,
}

impl OperationContext {
    pub fn with_timeout(span: Duration, cancel: &CancellationToken) -> Self {
        OperationContext {
            deadline: Deadline::new(span, MAX_QUEUE_TIME),
            cancel: cancel.clone(),
            denied: DeniedReads::default(),
        }
    }

    /// Returns the time limit and the token for a call to either cloud.
    pub fn call_context(&self) -> CallContext {
        CallContext {
            denied: self.denied.clone(),
            ..CallContext::with_deadline(self.deadline.clone(), self.cancel.clone())
        }
    }

    /// The same deadline under a token of its own, which the outer one ends too.
    #[must_use]
    pub fn child(&self) -> Self {
        OperationContext {
            deadline: self.deadline.clone(),
            cancel: self.cancel.child_token(),
            denied: self.denied.clone(),
        }
    }
}
