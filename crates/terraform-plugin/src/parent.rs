//! Whether the Terraform that started this process is still there.
//!
//! Three signs together leave no gap, also where process 1 is the parent (Terraform as a
//! container's only process) or adopts orphans (an init, a subreaper), which the parent's number
//! alone cannot tell apart:
//!
//! 1. The handshake line cannot be written: Terraform had ended before. The system closes a
//!    process's pipes before it gives its children to another parent, so a parent's number that was
//!    read after that is caught here.
//! 2. The parent's number changes after it was read: Terraform ended later.
//! 3. No client connects: the reader of the line was another process. go-plugin connects as soon as
//!    it has the line.
//!
//! The kernel's own signal (`PR_SET_PDEATHSIG`) is no fourth: it fires when the parent's thread
//! ends, and Go ends threads.

use std::os::unix::process::parent_id;
use std::time::Duration;

use super::request::Cancel;

/// How often to look whether Terraform is still there.
const WATCH: Duration = Duration::from_secs(1);

/// How long a client may take to connect. go-plugin itself gives a plugin one minute to start.
const CONNECT: Duration = Duration::from_secs(60);

/// The process that started this one.
#[derive(Clone, Copy, Debug)]
pub struct Parent(u32);

impl Parent {
    /// The parent at this moment: to be read before the handshake is written.
    pub fn now() -> Self {
        Self(parent_id())
    }

    /// Waits until the parent has ended, or until no client has connected in time. Its stdin shows
    /// nothing: Terraform gives providers the null device.
    pub async fn gone(self, connected: Cancel) {
        tokio::select! {
            () = self.ended() => {}
            () = never(connected) => {}
        }
    }

    async fn ended(self) {
        while parent_id() == self.0 {
            tokio::time::sleep(WATCH).await;
        }
    }
}

/// Ends after [`CONNECT_TIMEOUT`] without a connection; else never.
async fn never(connected: Cancel) {
    if tokio::time::timeout(CONNECT, connected.cancelled())
        .await
        .is_ok()
    {
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn process_without_client_ends_after_a_minute() {
        let long = Duration::from_secs(3600);
        assert!(
            tokio::time::timeout(long, Parent::now().gone(Cancel::new()))
                .await
                .is_ok()
        );
        let connected = Cancel::new();
        connected.cancel();
        assert!(
            tokio::time::timeout(long, Parent::now().gone(connected))
                .await
                .is_err()
        );
        let adopted = Parent(u32::MAX).gone(Cancel::new());
        assert!(
            tokio::time::timeout(WATCH, adopted).await.is_ok(),
            "another parent"
        );
    }
}
