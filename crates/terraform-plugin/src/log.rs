//! Logs on stderr, in the form that Terraform reads from its plugins: one JSON object a line.
//!
//! Only events of this crate and of the provider's own crates are written: what libraries log at
//! trace level includes complete requests, and with them secrets. Without `TF_LOG` nothing is set
//! up at all.

use std::fmt::Debug;
use std::io::{self, Write};

use serde_json::{Map, Value as Json};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

/// Starts logging for the provider of this name, if the environment asks for it:
/// `TF_LOG_PROVIDER_<NAME>`, else `TF_LOG_PROVIDER`, else `TF_LOG`. `crates` are those whose events
/// are written in addition to this crate's.
pub fn start(provider: &str, crates: &'static [&'static str]) {
    let level = level(provider, |name| std::env::var(name).ok());
    if level == LevelFilter::OFF {
        return;
    }
    let layer = TerraformLog {
        level,
        crates,
        module: format!("provider.{provider}"),
    };
    // Only the first subscriber of a process counts.
    drop(tracing::subscriber::set_global_default(
        Registry::default().with(layer),
    ));
}

fn level(provider: &str, environment: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let own = format!(
        "TF_LOG_PROVIDER_{}",
        provider.to_uppercase().replace('-', "_")
    );
    let names = [own.as_str(), "TF_LOG_PROVIDER", "TF_LOG"];
    let chosen = names
        .into_iter()
        .find_map(|name| environment(name).filter(|level| !level.is_empty()));
    match chosen.map(|level| level.to_uppercase()).as_deref() {
        None | Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        // Terraform takes anything else, "JSON" included, as the most there is.
        Some(_) => LevelFilter::TRACE,
    }
}

struct TerraformLog {
    level: LevelFilter,
    /// First parts of the targets that are written, in addition to this crate's.
    crates: &'static [&'static str],
    module: String,
}

/// The crate that a target names.
fn crate_of(target: &str) -> &str {
    target.split("::").next().unwrap_or_default()
}

/// The fields of a span, kept for the events in it.
struct Fields(Map<String, Json>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TerraformLog {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        let source = crate_of(metadata.target());
        (source == crate_of(module_path!()) || self.crates.contains(&source))
            && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Collect(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Fields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(Fields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Collect(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(Fields(fields)) = span.extensions().get() {
                line.extend(
                    fields
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
            }
        }
        event.record(&mut Collect(&mut line));
        let message = line.remove("message").unwrap_or_default();
        line.insert(
            "@level".to_owned(),
            level_name(*event.metadata().level()).into(),
        );
        line.insert("@message".to_owned(), message);
        line.insert("@module".to_owned(), self.module.as_str().into());
        let now = jiff::Timestamp::now()
            .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
            .to_string();
        line.insert("@timestamp".to_owned(), now.into());
        let text = format!("{}\n", Json::Object(line));
        // The reader of the log may be gone.
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

struct Collect<'a>(&'a mut Map<String, Json>);

impl Collect<'_> {
    fn insert(&mut self, field: &Field, value: impl Into<Json>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Collect<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_specific_variable_sets_log_level() {
        let level = |variables: &[(&str, &str)]| {
            level("aws-azure", |name| {
                variables
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| (*v).to_owned())
            })
        };
        assert_eq!(level(&[]), LevelFilter::OFF);
        assert_eq!(level(&[("TF_LOG", "warn")]), LevelFilter::WARN);
        assert_eq!(level(&[("TF_LOG", "JSON")]), LevelFilter::TRACE);
        assert_eq!(
            level(&[("TF_LOG", "trace"), ("TF_LOG_PROVIDER", "error")]),
            LevelFilter::ERROR
        );
        assert_eq!(
            level(&[
                ("TF_LOG_PROVIDER", "error"),
                ("TF_LOG_PROVIDER_AWS_AZURE", "off")
            ]),
            LevelFilter::OFF
        );
    }
}
