//! One look for all who wait: creating a link waits for two VPN connections and four sessions at a
//! time, and one DescribeVpnConnections answers them all.

use super::client::Ec2;
use super::error::{Error, call_context};
use super::model::{VpnConnection, VpnConnectionId};
use super::resources::Filter;
use crate::client::CallContext;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Who is awaited, and what the last look saw. One for each link that is worked on.
#[derive(Debug, Default)]
pub(super) struct SharedPoller {
    /// Connections, with how many wait for each.
    subscribed: Mutex<BTreeMap<VpnConnectionId, usize>>,
    /// Locked during a read: callers that wait for the lock use its result.
    last: tokio::sync::Mutex<Option<PollResult>>,
}

#[derive(Debug)]
struct PollResult {
    at: Instant,
    /// None for a connection that was asked for and is not there.
    found: BTreeMap<VpnConnectionId, Option<VpnConnection>>,
}

/// A connection that a caller waits for, until dropped.
pub struct PollSubscription<'a> {
    ec2: &'a Ec2,
    id: VpnConnectionId,
}

impl Ec2 {
    /// From now on looks at any connection of the link look at this one too.
    pub fn subscribe(&self, id: &VpnConnectionId) -> PollSubscription<'_> {
        *self
            .shared_poller()
            .subscribed()
            .entry(id.clone())
            .or_default() += 1;
        PollSubscription {
            ec2: self,
            id: id.clone(),
        }
    }
}

impl SharedPoller {
    fn subscribed(&self) -> std::sync::MutexGuard<'_, BTreeMap<VpnConnectionId, usize>> {
        self.subscribed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl PollSubscription<'_> {
    pub fn id(&self) -> &VpnConnectionId {
        &self.id
    }

    /// The connection as read by any caller since `since`, or as read now; None if it does not
    /// exist.
    ///
    /// # Errors
    /// What describing answers; `Cancelled`, `DeadlineExceeded`.
    pub async fn poll(
        &self,
        ctx: &CallContext,
        since: Instant,
    ) -> Result<Option<VpnConnection>, Error> {
        let watch = self.ec2.shared_poller();
        let context = call_context("DescribeVpnConnections", &self.id);
        let mut last = ctx.run(Duration::ZERO, &context, watch.last.lock()).await?;
        let seen = last
            .as_ref()
            .filter(|looked| looked.at >= since)
            .and_then(|looked| looked.found.get(&self.id));
        if let Some(seen) = seen {
            return Ok(seen.clone());
        }
        let at = Instant::now();
        let mut found: BTreeMap<_, _> = watch
            .subscribed()
            .keys()
            .map(|id| (id.clone(), None))
            .collect();
        for connection in self
            .ec2
            .describe_vpn_connections(ctx, &Filter::ids(found.keys()))
            .await?
        {
            found.insert(connection.id.clone(), Some(connection));
        }
        let own = found.get(&self.id).cloned().flatten();
        *last = Some(PollResult { at, found });
        Ok(own)
    }
}

impl Drop for PollSubscription<'_> {
    fn drop(&mut self) {
        let mut awaited = self.ec2.shared_poller().subscribed();
        if let Some(count) = awaited.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                awaited.remove(&self.id);
            }
        }
    }
}
