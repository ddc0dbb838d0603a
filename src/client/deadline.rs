//! How long an operation may take, without the time that it spends in a queue.
//!
//! Steps of one operation run at the same time and share its deadline. The clock is paused while
//! at least one of them is in a queue: two that queue at the same time move the end by the time
//! that either of them does, not by the sum. Once over, a deadline stays over. Queueing moves it by
//! at most a fixed time, so that it always comes.

use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Far enough to never come, near enough for every clock.
const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);

/// When an operation is to end; clones share it.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<watch::Sender<Budget>>);

#[derive(Clone, Copy, Debug)]
struct Budget {
    /// The end, with all queueing up to `since`.
    end: Instant,
    /// The end, however long the queue.
    latest: Instant,
    /// Steps in a queue at this moment.
    queued: usize,
    /// Since when there is at least one.
    since: Instant,
}

/// While this exists, the clock is paused.
#[derive(Debug)]
#[must_use = "the clock runs again when this is dropped"]
pub struct Queued(Deadline);

impl Budget {
    fn end(&self, now: Instant) -> Instant {
        let waiting = if self.queued > 0 {
            now.saturating_duration_since(self.since)
        } else {
            Duration::ZERO
        };
        (self.end + waiting).min(self.latest)
    }
}

impl Deadline {
    /// Comes after `limit`, moved by queueing for at most `longest_queue`.
    pub fn new(limit: Duration, longest_queue: Duration) -> Self {
        let now = Instant::now();
        let end = now + limit.min(NEVER);
        Deadline(Arc::new(watch::Sender::new(Budget {
            end,
            latest: end + longest_queue,
            queued: 0,
            since: now,
        })))
    }

    /// Comes after `limit`, queue or no queue.
    pub fn fixed(limit: Duration) -> Self {
        Self::new(limit, Duration::ZERO)
    }

    /// Stops the clock until the value is dropped.
    pub fn queue(&self) -> Queued {
        self.0.send_modify(|budget| {
            if budget.queued == 0 {
                budget.since = Instant::now();
            }
            budget.queued += 1;
        });
        Queued(self.clone())
    }

    pub fn is_over(&self) -> bool {
        self.is_over_after(Duration::ZERO)
    }

    /// Whether it is known to come before `span` is over. While the clock is paused that is
    /// open, but for a long queue's end.
    pub fn is_over_after(&self, span: Duration) -> bool {
        let (now, budget) = (Instant::now(), *self.0.borrow());
        let span = if budget.queued > 0 {
            Duration::ZERO
        } else {
            span
        };
        now + span >= budget.end(now)
    }

    /// Waits until it comes.
    pub async fn over(&self) {
        let mut changes = self.0.subscribe();
        loop {
            let budget = *changes.borrow_and_update();
            if self.is_over() {
                return;
            }
            let wake = if budget.queued > 0 {
                budget.latest
            } else {
                budget.end(Instant::now())
            };
            tokio::select! {
                () = tokio::time::sleep_until(wake) => {}
                // Cannot fail: this holds a sender.
                _ = changes.changed() => {}
            }
        }
    }

    /// Whether both are of one operation.
    pub fn is_shared_with(&self, other: &Deadline) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.0.0.send_modify(|budget| {
            budget.queued = budget.queued.saturating_sub(1);
            if budget.queued == 0 {
                budget.end += Instant::now().saturating_duration_since(budget.since);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minutes(count: u64) -> Duration {
        Duration::from_secs(60 * count)
    }

    /// Waits until it comes, and returns how long after `begun` that was.
    async fn comes(deadline: &Deadline, begun: Instant) -> Duration {
        deadline.over().await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_queueing_extends_deadline_by_union() {
        let (deadline, begun) = (Deadline::new(minutes(60), minutes(600)), Instant::now());
        let step = |from: u64, to: u64| {
            let deadline = deadline.clone();
            async move {
                tokio::time::sleep(minutes(from)).await;
                let queued = deadline.queue();
                tokio::time::sleep(minutes(to - from)).await;
                drop(queued);
            }
        };
        // 10 to 40 and 50 to 55: 35 minutes, where the sum is 75.
        let steps = futures::future::join4(step(10, 30), step(10, 40), step(20, 40), step(50, 55));
        let (_, came) = tokio::join!(steps, comes(&deadline, begun));
        assert_eq!(came, minutes(95));
        assert!(deadline.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn deadline_passes_unmoved_without_queueing() {
        let (deadline, begun) = (Deadline::new(minutes(60), minutes(600)), Instant::now());
        assert!(!deadline.is_over_after(minutes(59)) && deadline.is_over_after(minutes(61)));
        assert_eq!(comes(&deadline, begun).await, minutes(60));
        let queued = deadline.queue();
        assert!(deadline.is_over(), "a queue revives what is over");
        assert_eq!(comes(&deadline, begun).await, minutes(60));
        drop(queued);
        assert!(deadline.is_over());
    }

    #[tokio::test(start_paused = true)]
    async fn endless_queueing_extends_deadline_by_fixed_time() {
        let (deadline, begun) = (Deadline::new(minutes(60), minutes(600)), Instant::now());
        let queued = deadline.queue();
        assert!(
            !deadline.is_over_after(minutes(90)),
            "the clock stands still"
        );
        assert_eq!(comes(&deadline, begun).await, minutes(660));
        drop(queued);
        assert!(deadline.is_over());
        let fixed = Deadline::fixed(minutes(60));
        let (_queued, begun) = (fixed.queue(), Instant::now());
        assert_eq!(comes(&fixed, begun).await, minutes(60));
    }

    #[tokio::test(start_paused = true)]
    async fn waiter_notices_queueing_during_wait() {
        let (deadline, begun) = (Deadline::new(minutes(60), minutes(600)), Instant::now());
        let waiter = tokio::spawn({
            let deadline = deadline.clone();
            async move { comes(&deadline, begun).await }
        });
        tokio::time::sleep(minutes(59)).await;
        let queued = deadline.queue();
        tokio::time::sleep(minutes(100)).await;
        assert!(!waiter.is_finished());
        drop(queued);
        assert_eq!(waiter.await.ok(), Some(minutes(160)));
    }
}
