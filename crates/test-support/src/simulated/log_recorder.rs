//! Records what the provider logs on this thread.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::LazyLock;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Metadata, Subscriber};

thread_local! {
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps all that the provider logs on this thread, at the most talkative level.
struct Recorder;

/// Records until the guard is dropped.
///
/// While a process has one dispatcher, tracing asks the default of the thread that reaches a line
/// first, which for another thread means that the line is disabled in all threads.
pub fn record_log() -> DefaultGuard {
    static SECOND: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Recorder));
    LazyLock::force(&SECOND);
    tracing::subscriber::set_default(Recorder)
}

/// The log since it was last taken.
pub fn take_log() -> String {
    LOG.take()
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        ["awsazure", "terraform_plugin"]
            .iter()
            .any(|krate| metadata.target().starts_with(krate))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        LOG.with_borrow_mut(|log| span.record(&mut Line(log)));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        LOG.with_borrow_mut(|log| values.record(&mut Line(log)));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        LOG.with_borrow_mut(|log| {
            event.record(&mut Line(log));
            log.push('\n');
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
