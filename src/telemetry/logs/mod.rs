//! celemetry's own logs: one line an event on standard error, as JSON or as text.
//!
//! In: events of `tracing`. Out: lines. Must never know: who logs, and why.
//!
//! What a line holds may come from strangers, so control characters are escaped, values are cut, and a message that
//! repeats without end is cut and counted. What kube logs about answers that it cannot read quotes them whole, Secrets
//! included, so it is never shown, at no level.

mod flood;
mod line;
mod value;

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::flood::Floods;
use self::line::Head;
use self::value::Fields;

use super::push::Push;

pub use flood::left_out;

/// How logs are written, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// As JSON or as text.
    pub format: Format,
    /// How times are written.
    pub time: TimeEncoding,
    /// The least severe level that is shown of celemetry itself; of the libraries below it, warnings and errors are.
    pub level: Level,
    /// Directives in the form of `RUST_LOG`, which replace the level: `info`, `celemetry=debug,kube_runtime=info`.
    pub directives: Option<String>,
}

/// The form of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object: `time`, `level`, `target`, `message`, then the fields.
    #[default]
    Json,
    /// The same as text, for people.
    Text,
}

/// How times are written: zap's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeEncoding {
    /// RFC 3339 in UTC with microseconds, such as `2026-01-31T12:00:00.000000Z`.
    #[default]
    Rfc3339,
    /// Seconds since 1970, with a fraction.
    Epoch,
    /// Milliseconds since 1970, with a fraction.
    Millis,
    /// Nanoseconds since 1970.
    Nanos,
}

/// A severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// What changes the state of the process or of a metric. Default.
    #[default]
    Info,
    /// What somebody should mend.
    Warn,
    /// What did not work.
    Error,
}

/// The directives cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("RUST_LOG: {0}")]
pub struct DirectivesError(String);

/// Logs of this target quote whole answers of an API server.
const QUOTES_ANSWERS: &str = "kube_client::client";

/// Writes lines to `W`.
struct Lines<W> {
    settings: Settings,
    out: Mutex<(W, Floods)>,
}

/// The filter that `settings` ask for.
///
/// # Errors
/// Where the directives cannot be read.
pub fn filter(settings: &Settings) -> Result<EnvFilter, DirectivesError> {
    let level = settings.level.name();
    let own = format!("warn,celemetry={level},celemetry_engine={level}");
    let directives = settings.directives.as_deref().unwrap_or(&own);
    EnvFilter::try_new(directives).map_err(|error| DirectivesError(error.to_string()))
}

/// Logs to standard error from now on, panics included, and lets `push` have the spans.
///
/// # Errors
/// Where the directives cannot be read. A process that logs already goes on as it did.
pub fn install(settings: &Settings, push: &Push) -> Result<(), DirectivesError> {
    // First the traces, whose type says that they are a layer of the bare registry.
    let traced = Registry::default().with(push.layer());
    let installed: Result<(), TryInitError> = traced.with(layer(settings, std::io::stderr())?).try_init();
    if installed.is_ok() {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            let payload = panic.payload_as_str().unwrap_or_default();
            tracing::error!(target: "celemetry", place, payload, "a task panicked");
        }));
    }
    Ok(())
}

/// The layer that writes lines to `out`.
///
/// # Errors
/// Where the directives cannot be read.
pub fn layer<S>(
    settings: &Settings,
    out: impl Write + Send + 'static,
) -> Result<impl Layer<S>, DirectivesError>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let quotes_nothing = filter_fn(|metadata: &Metadata<'_>| metadata.target() != QUOTES_ANSWERS);
    let filter = filter(settings)?.and(quotes_nothing);
    let lines = Lines { settings: settings.clone(), out: Mutex::new((out, Floods::default())) };
    Ok(lines.with_filter(filter))
}

// === impl Level ===

impl Level {
    /// Its name in lines and directives.
    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

impl From<tracing::Level> for Level {
    fn from(level: tracing::Level) -> Self {
        match level {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        }
    }
}

// === impl Lines ===

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    W: Write + Send + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // A panic while a line was written has at worst cut that line.
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let (out, floods) = &mut *out;
        let Some(left_out) = floods.pass(event.metadata().callsite(), Instant::now()) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.add_missing(outer);
            }
        }
        if left_out > 0 {
            fields.count("left_out", left_out);
        }
        let metadata = event.metadata();
        let time = line::now(self.settings.time);
        let head = Head { time: &time, level: (*metadata.level()).into(), target: metadata.target() };
        let line = line::line(self.settings.format, head, &fields);
        // There is nowhere to report it.
        let _ = out.write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests;
