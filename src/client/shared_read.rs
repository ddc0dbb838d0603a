//! One call for requests that come at the same time, such as those of ten links on one gateway.
//!
//! Rule: the call begins after each request that it answers. No request sees an older state than a
//! call of its own would, so writes invalidate nothing and nothing is kept.

use super::{CallContext, ErrorContext, Interrupted};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The call begins when no request has joined for this long. Terraform starts ten reads at once, and
/// a debug build on two busy cores receives them 1 to 10 ms apart. A call to a real cloud takes 100
/// to 400 ms.
const QUIET_TIME: Duration = Duration::from_millis(20);
/// The longest time for which the first request waits for others.
const MAX_GATHER_TIME: Duration = Duration::from_millis(100);

/// The calls that gather requests at the moment, by name: an operation or a URL.
#[derive(Debug)]
pub struct SharedReads<V, E>(Mutex<BTreeMap<String, Arc<Call<V, E>>>>);

#[derive(Debug)]
struct Call<V, E> {
    /// No longer changed once the call has begun.
    requests: Mutex<Requests>,
    /// Locked by the request that makes the call for all; the others wait for the lock.
    outcome: tokio::sync::Mutex<Option<Result<V, E>>>,
}

#[derive(Clone, Debug, Default)]
struct Requests {
    count: usize,
    /// What all of them ask for.
    keys: BTreeSet<String>,
}

impl<V, E> Call<V, E> {
    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no further request joins.
    async fn gather(&self) {
        let begun = Instant::now();
        let mut seen = 0;
        while seen < self.requests().count && begun.elapsed() < MAX_GATHER_TIME {
            seen = self.requests().count;
            tokio::time::sleep(QUIET_TIME).await;
        }
    }
}

impl<V, E> Default for SharedReads<V, E> {
    fn default() -> Self {
        SharedReads(Mutex::default())
    }
}

impl<V: Clone, E: Clone + From<Interrupted>> SharedReads<V, E> {
    /// Returns the result of one `fetch` for the keys of all requests of that name. It may contain
    /// what only other requests asked for. If the request that makes the call is interrupted, the
    /// next one makes it.
    ///
    /// # Errors
    /// What `fetch` returns, to all requests; `Cancelled` and `DeadlineExceeded` to one.
    pub async fn read<F: Future<Output = Result<V, E>>>(
        &self,
        ctx: &CallContext,
        name: &str,
        keys: BTreeSet<String>,
        fetch: impl FnOnce(BTreeSet<String>) -> F,
    ) -> Result<V, E> {
        let context = ErrorContext::new("read", name);
        let call = self.join(name, keys);
        let mut outcome = ctx
            .run(Duration::ZERO, &context, call.outcome.lock())
            .await?;
        if let Some(outcome) = &*outcome {
            return outcome.clone();
        }
        ctx.run(Duration::ZERO, &context, call.gather()).await?;
        let result = fetch(self.close(name, &call)).await;
        // An interruption concerns this request only.
        ctx.check(&context)?;
        *outcome = Some(result.clone());
        result
    }

    fn join(&self, name: &str, keys: BTreeSet<String>) -> Arc<Call<V, E>> {
        let mut gathering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let call = gathering.entry(name.to_owned()).or_insert_with(|| {
            Arc::new(Call {
                requests: Mutex::default(),
                outcome: tokio::sync::Mutex::default(),
            })
        });
        let mut requests = call.requests();
        requests.count += 1;
        requests.keys.extend(keys);
        drop(requests);
        Arc::clone(call)
    }

    /// Lets no further request join the call, and returns what it is to ask for.
    fn close(&self, name: &str, call: &Arc<Call<V, E>>) -> BTreeSet<String> {
        let mut gathering = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if gathering
            .get(name)
            .is_some_and(|open| Arc::ptr_eq(open, call))
        {
            gathering.remove(name);
        }
        call.requests().keys.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use futures::future::join_all;

    type Reads = SharedReads<BTreeSet<String>, Interrupted>;

    /// The calls of a test, each with its keys.
    #[derive(Default)]
    struct Calls(Mutex<Vec<Vec<String>>>);

    impl Calls {
        async fn read(
            &self,
            reads: &Reads,
            ctx: &CallContext,
            key: &str,
        ) -> Result<BTreeSet<String>, Interrupted> {
            let fetch = |keys: BTreeSet<String>| async move {
                self.0.lock().unwrap().push(keys.iter().cloned().collect());
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(keys)
            };
            reads
                .read(ctx, "list", BTreeSet::from([key.to_owned()]), fetch)
                .await
        }

        fn made(&self) -> Vec<String> {
            self.0
                .lock()
                .unwrap()
                .iter()
                .map(|keys| keys.concat())
                .collect()
        }
    }

    fn minute() -> CallContext {
        CallContext::with_timeout(Duration::from_secs(60))
    }

    #[tokio::test(start_paused = true)]
    async fn requests_at_the_same_time_use_one_call() {
        let (reads, calls) = (Reads::default(), Calls::default());
        let ctx = minute();
        let all = join_all(["a", "b", "c"].map(|key| calls.read(&reads, &ctx, key))).await;
        assert!(all.iter().all(|read| read.as_ref().unwrap().len() == 3));
        assert_eq!(calls.made(), ["abc"]);
    }

    #[tokio::test(start_paused = true)]
    async fn gathering_ends_while_requests_keep_coming() {
        let (reads, calls) = (Reads::default(), Calls::default());
        let ctx = minute();
        let all = join_all((0..50).map(|n| {
            let (reads, calls, ctx) = (&reads, &calls, &ctx);
            async move {
                tokio::time::sleep(Duration::from_millis(10 * n)).await;
                calls.read(reads, ctx, "a").await
            }
        }));
        assert!(all.await.iter().all(Result::is_ok));
        assert!((4..10).contains(&calls.made().len()), "{:?}", calls.made());
    }

    #[tokio::test(start_paused = true)]
    async fn request_does_not_use_a_call_that_has_begun() {
        let (reads, calls) = (Reads::default(), Calls::default());
        let ctx = minute();
        let late = async {
            tokio::time::sleep(QUIET_TIME + Duration::from_millis(1)).await;
            calls.read(&reads, &ctx, "b").await
        };
        let (first, second) = tokio::join!(calls.read(&reads, &ctx, "a"), late);
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(calls.made(), ["a", "b"]);
    }

    #[tokio::test(start_paused = true)]
    async fn next_request_takes_over_an_interrupted_call() {
        for cancelled_after in [1, 100] {
            let (reads, calls) = (Reads::default(), Calls::default());
            let (stopped, ctx) = (minute(), minute());
            let cancel = async {
                tokio::time::sleep(Duration::from_millis(cancelled_after)).await;
                stopped.cancel.cancel();
            };
            let context = ErrorContext::new("w", "t");
            let read = calls.read(&reads, &stopped, "a");
            let first = stopped.run(Duration::ZERO, &context, read);
            let (first, second, ()) = tokio::join!(first, calls.read(&reads, &ctx, "b"), cancel);
            assert!(!matches!(first, Ok(Ok(_))));
            assert!(second.unwrap().contains("b"));
        }
    }
}
