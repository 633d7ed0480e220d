//! What the variables `OTEL_*` say about who receives.
//!
//! In: variables. Out: receivers. Must never know: requests.
//!
//! As OpenTelemetry specifies ("Environment Variable Specification", "OpenTelemetry Protocol Exporter"), but that
//! without an endpoint nothing is sent: a Collector on this host is no good guess in a cluster. What is not read here
//! (headers, compression, intervals, sampling) the SDK reads itself.

use std::time::Duration;

use super::PushError;

/// Who receives what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Receivers {
    /// Of metrics, if they are sent.
    pub(super) metrics: Option<Receiver>,
    /// Of traces, if they are sent.
    pub(super) traces: Option<Receiver>,
    /// PEM of the authority that the receivers' certificates must come from; `None`: those of the system.
    pub(super) certificate: Option<Vec<u8>>,
}

/// Who receives one signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receiver {
    /// The whole URL.
    pub(super) endpoint: String,
    /// How it is spoken to.
    pub(super) protocol: Protocol,
    /// How long one request may take.
    pub(super) timeout: Duration,
}

/// How a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, as protobuf.
    Http,
}

/// One signal's own variables, each of which goes before the general one.
struct Signal {
    path: &'static str,
    exporter: &'static str,
    endpoint: &'static str,
    protocol: &'static str,
    timeout: &'static str,
}

const METRICS: Signal = Signal {
    path: "/v1/metrics",
    exporter: "OTEL_METRICS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    timeout: "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
};

const TRACES: Signal = Signal {
    path: "/v1/traces",
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    protocol: "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    timeout: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/// How long a request may take where no variable says it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The receivers that the variables name.
///
/// # Errors
/// Where a variable cannot be what it is.
pub(super) fn receivers(variable: &dyn Fn(&str) -> Option<String>) -> Result<Receivers, PushError> {
    // A variable that is empty counts as one that is not set.
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(Receivers::default());
    }
    let metrics = METRICS.receiver(&variable)?;
    let traces = TRACES.receiver(&variable)?;
    let file = variable(CERTIFICATE).filter(|_| metrics.is_some() || traces.is_some());
    let read = |file: String| {
        std::fs::read(&file).map_err(|error| PushError::Variable {
            variable: CERTIFICATE,
            problem: format!("{file}: {error}"),
        })
    };
    Ok(Receivers { metrics, traces, certificate: file.map(read).transpose()? })
}

// === impl Receiver ===

impl Receiver {
    /// Whether it is spoken to over TLS.
    pub(super) fn is_encrypted(&self) -> bool {
        self.endpoint.starts_with("https://")
    }
}

// === impl Signal ===

impl Signal {
    fn receiver(&self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Receiver>, PushError> {
        let problem = |variable, problem: &str| PushError::Variable { variable, problem: problem.to_owned() };
        match variable(self.exporter).as_deref() {
            None | Some("otlp") => {}
            Some("none") => return Ok(None),
            Some(_) => return Err(problem(self.exporter, "only otlp and none are supported")),
        }
        let (own, general) = (variable(self.endpoint), variable(ENDPOINT));
        let (name, endpoint) = match (&own, &general) {
            (Some(own), _) => (self.endpoint, own),
            (None, Some(general)) => (ENDPOINT, general),
            (None, None) => return Ok(None),
        };
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(problem(name, "must begin with http:// or https://"));
        }
        let (name, value) = match variable(self.protocol) {
            Some(value) => (self.protocol, Some(value)),
            None => (PROTOCOL, variable(PROTOCOL)),
        };
        let protocol = match value.as_deref() {
            None | Some("http/protobuf") => Protocol::Http,
            Some("grpc") => Protocol::Grpc,
            Some(_) => return Err(problem(name, "only grpc and http/protobuf are supported")),
        };
        let endpoint = match (protocol, &own) {
            (Protocol::Http, None) => format!("{}{}", endpoint.trim_end_matches('/'), self.path),
            _ => endpoint.clone(),
        };
        let millis = variable(self.timeout).or_else(|| variable(TIMEOUT)).and_then(|text| text.parse().ok());
        Ok(Some(Receiver {
            endpoint,
            protocol,
            timeout: millis.map_or(DEFAULT_TIMEOUT, Duration::from_millis),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Variables as `NAME=VALUE`, without `OTEL_` and what is the same in most of them.
    fn of(variables: &str) -> Result<(Option<Receiver>, Option<Receiver>), String> {
        let found = |name: &str| {
            let mut pairs = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| format!("OTEL_{known}") == name).map(|(_, value)| value.to_owned())
        };
        let found = receivers(&found).map_err(|error| error.to_string())?;
        Ok((found.metrics, found.traces))
    }

    fn at(protocol: Protocol, endpoint: &str) -> Option<Receiver> {
        Some(Receiver { endpoint: endpoint.to_owned(), protocol, timeout: DEFAULT_TIMEOUT })
    }

    #[test]
    fn variables_mean_what_the_specification_says() {
        use Protocol::{Grpc, Http};
        for (variables, metrics, traces) in [
            ("", None, None),
            ("SERVICE_NAME=x EXPORTER_OTLP_PROTOCOL=grpc", None, None),
            (
                "EXPORTER_OTLP_ENDPOINT=http://c:4318",
                at(Http, "http://c:4318/v1/metrics"),
                at(Http, "http://c:4318/v1/traces"),
            ),
            (
                "EXPORTER_OTLP_ENDPOINT=https://c/a/ EXPORTER_OTLP_PROTOCOL=http/protobuf",
                at(Http, "https://c/a/v1/metrics"),
                at(Http, "https://c/a/v1/traces"),
            ),
            (
                "EXPORTER_OTLP_ENDPOINT=http://c:4317 EXPORTER_OTLP_PROTOCOL=grpc",
                at(Grpc, "http://c:4317"),
                at(Grpc, "http://c:4317"),
            ),
            ("EXPORTER_OTLP_METRICS_ENDPOINT=http://c/m", at(Http, "http://c/m"), None),
            (
                "EXPORTER_OTLP_ENDPOINT=http://c EXPORTER_OTLP_TRACES_ENDPOINT=http://t:1 EXPORTER_OTLP_TRACES_PROTOCOL=grpc",
                at(Http, "http://c/v1/metrics"),
                at(Grpc, "http://t:1"),
            ),
            ("EXPORTER_OTLP_ENDPOINT=http://c TRACES_EXPORTER=none", at(Http, "http://c/v1/metrics"), None),
            ("EXPORTER_OTLP_ENDPOINT=http://c SDK_DISABLED=TRUE", None, None),
            ("EXPORTER_OTLP_ENDPOINT= METRICS_EXPORTER=otlp", None, None),
        ] {
            assert_eq!(of(variables), Ok((metrics, traces)), "{variables}");
        }
        let timeout = of("EXPORTER_OTLP_TRACES_ENDPOINT=http://c EXPORTER_OTLP_TIMEOUT=500")
            .unwrap()
            .1
            .unwrap()
            .timeout;
        assert_eq!(timeout, Duration::from_millis(500));
    }

    #[test]
    fn variables_that_cannot_be_are_named() {
        for (variables, expected) in [
            (
                "EXPORTER_OTLP_ENDPOINT=c:4317",
                "OTEL_EXPORTER_OTLP_ENDPOINT: must begin with http:// or https://",
            ),
            (
                "EXPORTER_OTLP_ENDPOINT=http://c EXPORTER_OTLP_PROTOCOL=http/json",
                "OTEL_EXPORTER_OTLP_PROTOCOL: only grpc and http/protobuf are supported",
            ),
            ("METRICS_EXPORTER=console", "OTEL_METRICS_EXPORTER: only otlp and none are supported"),
            (
                "EXPORTER_OTLP_ENDPOINT=http://c EXPORTER_OTLP_CERTIFICATE=/none",
                "OTEL_EXPORTER_OTLP_CERTIFICATE: /none: No such file or directory (os error 2)",
            ),
        ] {
            assert_eq!(of(variables), Err(expected.to_owned()), "{variables}");
        }
        assert_eq!(of("EXPORTER_OTLP_CERTIFICATE=/none"), Ok((None, None)));
    }
}
