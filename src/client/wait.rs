//! Waiting until a cloud has done what a call only started.

use super::poll_interval::poll_delay;
use super::{CallContext, ErrorContext, Interrupted, WaitLog};
use std::future::Future;
use std::time::Duration;
use tokio::time::Instant;

/// Reported where an object of the link disappears while a run waits for it.
pub const DELETED_OUTSIDE: &str = "it was deleted outside of Terraform. If it belongs to this link, the next apply creates it again";

/// What a read showed of something awaited.
#[derive(Debug)]
pub enum Progress<T> {
    /// As awaited.
    Done(T),
    /// Not yet.
    Pending {
        /// What is missing, for the error at the deadline.
        state: String,
        /// How long the cloud asks to wait before the next read.
        retry_after: Option<Duration>,
    },
}

impl<T> Progress<T> {
    pub fn pending(state: impl Into<String>) -> Self {
        Progress::Pending {
            state: state.into(),
            retry_after: None,
        }
    }
}

/// Reads again and again, quickly at first and more slowly later, until `condition` is done. It
/// receives what was read, and for how long this has waited.
///
/// # Errors
/// That of `condition`; `Cancelled`; `DeadlineExceeded` with the last state.
pub async fn wait_until<R, T, E, F>(
    ctx: &CallContext,
    describe: &ErrorContext,
    mut read: impl FnMut() -> F,
    mut condition: impl FnMut(R, Duration) -> Result<Progress<T>, E>,
) -> Result<T, E>
where
    F: Future<Output = R>,
    E: From<Interrupted>,
{
    let begun = Instant::now();
    let mut log = WaitLog::begin();
    loop {
        let seen = read().await;
        match condition(seen, begun.elapsed())? {
            Progress::Done(it) => return Ok(it),
            Progress::Pending { state, retry_after } => {
                let context = describe.clone().with_message(state);
                log.pending(&context);
                ctx.sleep(poll_delay(begun.elapsed(), retry_after), &context)
                    .await?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn wait_for_condition_or_report_last_state() {
        let (describe, begun) = (ErrorContext::new("wait for", "it"), Instant::now());
        let elapsed = || std::future::ready(begun.elapsed().as_secs());
        let at_least = |least: u64| {
            move |seen: u64, _: Duration| -> Result<Progress<u64>, Interrupted> {
                Ok(if seen >= least {
                    Progress::Done(seen)
                } else {
                    Progress::pending(format!("only {seen} s"))
                })
            }
        };
        let ctx = CallContext::with_timeout(Duration::from_secs(60));
        let done = wait_until(&ctx, &describe, elapsed, at_least(10)).await;
        assert!(done.is_ok_and(|at| (10..14).contains(&at)));
        let late = wait_until(&ctx, &describe, elapsed, at_least(90)).await;
        assert!(
            matches!(&late, Err(Interrupted::DeadlineExceeded(last)) if last.message.starts_with("only ")),
            "{late:?}"
        );
        assert!(begun.elapsed() <= Duration::from_secs(60));
    }
}
