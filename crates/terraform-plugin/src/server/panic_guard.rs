//! Converts panics in handlers into errors for the user. A panic message may contain a secret, so
//! only its location is reported.

use crate::errors;
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

/// Logs the location of later panics instead of printing their message.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|location| format!("{}:{}", location.file(), location.line()));
        tracing::error!(place, "panicked");
        PLACE.set(place);
    }));
}

/// Runs a future to its end or its panic.
pub(super) async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, Panic> {
    // The hook ran on this very thread, right before the panic got here.
    AssertUnwindSafe(future)
        .catch_unwind()
        .await
        .map_err(|_| Panic {
            place: PLACE.take(),
        })
}

impl Panic {
    /// The error for the user.
    pub(super) fn diagnostic(&self, call: &str) -> Diagnostic {
        errors::crashed(call, self.place.as_deref())
    }
}
