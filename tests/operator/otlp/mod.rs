//! OTLP as it leaves: requests, and the way to a sink.

mod certificates;
mod server;
mod encoding;
mod http;
mod grpc;
mod tls;
mod pipeline;
