//! The real OpenTelemetry Collector, between what is tested and a sink of the test.
//!
//! In: OTLP over gRPC and HTTP. Out: the same, over HTTP, to the sink, as the Collector understood it. It has no queue: a
//! request succeeds when the sink has accepted it.

use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use super::process::Daemon;
use super::{Sink, binaries, folder, port, until};

/// A running Collector. Stopped when it goes.
pub(crate) struct Collector {
    grpc: SocketAddr,
    http: SocketAddr,
    daemon: Daemon,
}

// === impl Collector ===

impl Collector {
    /// Starts one that passes everything to `sink`.
    pub(crate) fn before(sink: &Sink) -> Self {
        let binary = binaries::collector();
        let folder = folder::fresh("collector");
        let (grpc, http) = (port::free(), port::free());
        let exporter = serde_json::json!({
            "metrics_endpoint": sink.http(), "compression": "none",
            "sending_queue": {"enabled": false}, "retry_on_failure": {"enabled": false},
        });
        let config = serde_json::json!({
            "receivers": {"otlp": {"protocols": {
                "grpc": {"endpoint": grpc.to_string()}, "http": {"endpoint": http.to_string()},
            }}},
            "exporters": {"otlp_http": exporter, "debug": {"verbosity": "basic"}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["otlp_http", "debug"]}},
            },
        });
        let file = folder.join("collector.yaml");
        std::fs::write(&file, serde_json::to_string_pretty(&config).unwrap()).unwrap();
        let mut command = Command::new(binary);
        command.arg("--config").arg(&file);
        let mut daemon = Daemon::start("collector", &mut command, &folder.join("collector.log"));
        for address in [grpc, http] {
            until("the Collector", || {
                assert!(daemon.end().is_none(), "the Collector ended\n{}", daemon.tail());
                TcpStream::connect(address).map_err(|error| format!("{error}\n{}", daemon.tail()))
            });
        }
        Self { grpc, http, daemon }
    }

    /// As a DataSink names its receiver of OTLP over gRPC.
    pub(crate) fn grpc(&self) -> String {
        format!("grpc://{}", self.grpc)
    }

    /// The URL of its receiver of OTLP over HTTP, path included.
    pub(crate) fn http(&self) -> String {
        format!("http://{}/v1/metrics", self.http)
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        self.daemon.log()
    }
}
