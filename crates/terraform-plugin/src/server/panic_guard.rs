//! Panics in handlers become errors for the user. What a panic says may hold a secret, so only its place is told.

use std::cell::RefCell;
use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::diagnostics::Diagnostic;

thread_local! {
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A handler panicked.
pub(super) struct Panic {
    place: Option<String>,
}

/// From now on panics leave a log line with their place, instead of printing what they say.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|location| format!("{}:{}", location.file(), location.line()));
        tracing::error!(place, "panicked");
        PLACE.set(place);
    }));
}

/// Runs a future to its end or its panic.
pub(super) async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, Panic> {
    // The hook ran on this very thread, right before the panic got here.
    AssertUnwindSafe(future).catch_unwind().await.map_err(|_| Panic { place: PLACE.take() })
}

impl Panic {
    /// What to tell the user.
    pub(super) fn diagnostic(&self, call: &str) -> Diagnostic {
        let place = self.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        Diagnostic::error("The provider failed on a fault of its own").detail(format!(
            "It panicked in {call}{place}. This is a bug in the provider: please report it with this place. \
             What was done before is kept in the state."
        ))
    }
}
