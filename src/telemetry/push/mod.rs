//! celemetry's own metrics and traces, sent by OTLP as the variables `OTEL_*` say.
//!
//! In: variables, readings, spans of `tracing`. Out: OTLP requests. Must never know: who counts, who opens spans.
//!
//! The SDK of OpenTelemetry does the work, in threads of its own: a receiver that is slow or gone delays nothing else.

mod client;
mod variables;

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::Metadata;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::Registry;

use self::client::Client;
use self::variables::{Protocol, Receiver, Receivers};
use super::span::TARGET;
use super::{Reading, Telemetry};

/// Why nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PushError {
    /// A variable cannot be what it is.
    #[error("{variable}: {problem}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The SDK refuses.
    #[error("{0}")]
    Refused(String),
}

/// What is sent, and where to.
#[derive(Debug, Default)]
pub struct Push {
    metrics: Option<SdkMeterProvider>,
    traces: Option<SdkTracerProvider>,
}

/// Gives the readings of one name of this moment.
pub type Readings = Arc<dyn Fn(&str) -> Vec<Reading> + Send + Sync>;

/// How long the last metrics and spans may take to leave at the end of the process.
const LAST_SEND: Duration = Duration::from_secs(2);

/// The instrumentation scope of everything that is sent.
const SCOPE: &str = "celemetry";

// === impl Push ===

impl Push {
    /// Sends from now on, if `variable` names a receiver: to be called within a tokio runtime, which makes the
    /// connections. `attributes` are those of the resource: who sends.
    ///
    /// # Errors
    /// Where a variable cannot be what it is. Nothing is sent then.
    pub fn start(
        variable: impl Fn(&str) -> Option<String>,
        attributes: &[(String, String)],
    ) -> Result<Self, PushError> {
        let Receivers { metrics, traces, certificate } = variables::receivers(&variable)?;
        let attribute = |(key, value): &(String, String)| KeyValue::new(key.clone(), value.clone());
        let attributes: Vec<_> = attributes.iter().map(attribute).collect();
        let resource = Resource::builder_empty().with_attributes(attributes).build();
        let mut push = Push::default();
        if let Some(receiver) = metrics {
            let exporter = metric_exporter(&receiver, certificate.as_deref())?;
            let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter);
            push.metrics = Some(provider.with_resource(resource.clone()).build());
        }
        if let Some(receiver) = traces {
            let exporter = span_exporter(&receiver, certificate.as_deref())?;
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
            push.traces = Some(provider.with_resource(resource).build());
        }
        Ok(push)
    }

    /// The layer that makes spans of [`span`](super::span) into traces, if those are sent.
    pub fn layer(&self) -> Option<impl Layer<Registry> + Send + Sync + 'static> {
        let tracer = self.traces.as_ref()?.tracer(SCOPE);
        let ours = |metadata: &Metadata<'_>| metadata.is_span() && metadata.target() == TARGET;
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // Where in the code, and in which thread, tells users nothing.
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        Some(layer.with_filter(filter_fn(ours)))
    }

    /// Sends what `readings` gives, under the names of `/metrics`, each time metrics are sent.
    pub fn observe(&self, readings: &Readings) {
        let Some(provider) = &self.metrics else { return };
        let meter = provider.meter(SCOPE);
        for Reading { name, help, counter, .. } in Telemetry::families() {
            let readings = Arc::clone(readings);
            let observe = move |instrument: &dyn AsyncInstrument<u64>| {
                for reading in readings(name) {
                    let label =
                        |(key, value): &(&'static str, Arc<str>)| KeyValue::new(*key, Arc::clone(value));
                    instrument.observe(reading.value, &reading.labels.iter().map(label).collect::<Vec<_>>());
                }
            };
            // The provider keeps the callback; the instrument itself is of no further use.
            if counter {
                let builder = meter.u64_observable_counter(name).with_description(help);
                let _ = builder.with_callback(observe).build();
            } else {
                let builder = meter.u64_observable_gauge(name).with_description(help);
                let _ = builder.with_callback(observe).build();
            }
        }
    }

    /// Sends what has not been sent, and ends. Returns within about two seconds.
    pub async fn finish(self) {
        let ending = tokio::task::spawn_blocking(move || {
            // There is nobody left who could do anything about it.
            if let Some(metrics) = &self.metrics {
                let _ = metrics.shutdown_with_timeout(LAST_SEND);
            }
            if let Some(traces) = &self.traces {
                let _ = traces.shutdown_with_timeout(LAST_SEND);
            }
        });
        let _ = tokio::time::timeout(LAST_SEND, ending).await;
    }
}

fn metric_exporter(receiver: &Receiver, certificate: Option<&[u8]>) -> Result<MetricExporter, PushError> {
    let endpoint = receiver.endpoint.as_str();
    let built = match receiver.protocol {
        Protocol::Http => {
            let client = Client::new(Handle::current(), receiver.timeout, certificate)?;
            MetricExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint).build()
        }
        Protocol::Grpc => {
            let builder = MetricExporter::builder().with_tonic().with_endpoint(endpoint);
            match receiver.is_encrypted() {
                true => builder.with_tls_config(tls(certificate)).build(),
                false => builder.build(),
            }
        }
    };
    built.map_err(|error| refused(&error))
}

fn span_exporter(receiver: &Receiver, certificate: Option<&[u8]>) -> Result<SpanExporter, PushError> {
    let endpoint = receiver.endpoint.as_str();
    let built = match receiver.protocol {
        Protocol::Http => {
            let client = Client::new(Handle::current(), receiver.timeout, certificate)?;
            SpanExporter::builder().with_http().with_http_client(client).with_endpoint(endpoint).build()
        }
        Protocol::Grpc => {
            let builder = SpanExporter::builder().with_tonic().with_endpoint(endpoint);
            match receiver.is_encrypted() {
                true => builder.with_tls_config(tls(certificate)).build(),
                false => builder.build(),
            }
        }
    };
    built.map_err(|error| refused(&error))
}

fn tls(certificate: Option<&[u8]>) -> ClientTlsConfig {
    match certificate {
        Some(pem) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)),
        None => ClientTlsConfig::new().with_native_roots(),
    }
}

fn refused(error: &ExporterBuildError) -> PushError {
    PushError::Refused(error.to_string())
}

#[cfg(test)]
mod tests;
