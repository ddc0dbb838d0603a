//! The clients that a link is worked on with, and how long the work may take.

use super::cause::Cause;
use crate::aws::model::Region;
use crate::aws::{self, Aws, Ec2};
use crate::azure::{self, Azure};
use crate::primitives::Deadline;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Both clouds, as the provider block describes them.
#[derive(Clone)]
pub struct Clouds {
    pub azure: Azure,
    pub aws: Aws,
}

/// Both clouds, in the places where one link is.
#[derive(Clone)]
pub struct Site {
    pub azure: Azure,
    pub ec2: Ec2,
}

impl Clouds {
    /// The first call loads AWS's settings.
    ///
    /// # Errors
    /// Where credentials or region are missing.
    pub async fn site(&self, region: Option<&Region>, limits: &Limits) -> Result<Site, Cause> {
        let ec2 = self.aws.region(&limits.aws(), region).await?;
        Ok(Site { azure: self.azure.clone(), ec2 })
    }
}

/// How long an operation may wait for other links of its Azure gateway, above its own time. A gateway has at most 100
/// connections, so 25 links, each of which writes to it for less than half an hour.
const QUEUE: Duration = Duration::from_secs(25 * 30 * 60);

/// Until when, not counting the time for which other links have their turn at the Azure gateway, and the token that ends it sooner.
#[derive(Clone, Debug)]
pub struct Limits {
    pub deadline: Deadline,
    pub cancel: CancellationToken,
}

impl Limits {
    pub fn within(span: Duration, cancel: &CancellationToken) -> Self {
        Limits { deadline: Deadline::new(span, QUEUE), cancel: cancel.clone() }
    }

    pub fn aws(&self) -> aws::Waits {
        aws::Waits { cancel: self.cancel.clone(), deadline: self.deadline.clone() }
    }

    pub fn azure(&self) -> azure::Waits {
        azure::Waits::until(self.deadline.clone(), self.cancel.clone())
    }

    /// The same deadline under a token of its own, which the outer one ends too.
    #[must_use]
    pub fn child(&self) -> Self {
        Limits { deadline: self.deadline.clone(), cancel: self.cancel.child_token() }
    }
}
