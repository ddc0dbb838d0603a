//! The clients that a link is worked on with, and how long the work may take.

use super::cause::Cause;
use crate::aws::model::Region;
use crate::aws::{self, Aws, Ec2};
use crate::azure::{self, Azure};
use std::time::Duration;
use tokio::time::Instant;
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

/// Until when, and the token that ends it sooner.
#[derive(Clone, Debug)]
pub struct Limits {
    pub deadline: Instant,
    pub cancel: CancellationToken,
}

impl Limits {
    pub fn within(span: Duration, cancel: &CancellationToken) -> Self {
        Limits { deadline: Instant::now() + span, cancel: cancel.clone() }
    }

    pub fn aws(&self) -> aws::Waits {
        aws::Waits { cancel: self.cancel.clone(), deadline: self.deadline }
    }

    pub fn azure(&self) -> azure::Waits {
        azure::Waits::until(self.deadline, self.cancel.clone())
    }

    /// The same deadline under a token of its own, which the outer one ends too.
    #[must_use]
    pub fn child(&self) -> Self {
        Limits { deadline: self.deadline, cancel: self.cancel.child_token() }
    }
}
