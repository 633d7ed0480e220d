//! Requests as a receiver on loopback gets them.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

use super::super::account::Account;
use super::super::span;
use super::*;

/// A request's path and body.
type Received = (String, Vec<u8>);

/// A receiver that takes everything, one request a connection.
async fn receiver() -> (String, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = request(&mut stream).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).await.unwrap();
            sender.send(request).unwrap();
        }
    });
    (format!("http://{address}"), received)
}

async fn request(stream: &mut TcpStream) -> Received {
    let (mut bytes, mut buffer) = (vec![], [0; 4096]);
    loop {
        let length = stream.read(&mut buffer).await.unwrap();
        bytes.extend_from_slice(&buffer[..length]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if bytes.len() - end - 4 == length.parse::<usize>().unwrap() {
            let path = head.split(' ').nth(1).unwrap().to_owned();
            return (path, bytes[end + 4..].to_vec());
        }
    }
}

fn push(endpoint: &str) -> Push {
    let endpoint = endpoint.to_owned();
    let variable = move |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone()),
        _ => None,
    };
    Push::start(variable, &pairs(&[("service.name", "celemetry"), ("team", "a")])).unwrap()
}

fn texts(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let text = |pair: &KeyValue| {
        let Some(any_value::Value::StringValue(value)) = pair.value.clone()?.value else { return None };
        Some((pair.key.clone(), value))
    };
    let mut texts: Vec<_> = attributes.iter().filter_map(text).collect();
    texts.sort();
    texts
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn value(metrics: &[Metric], name: &str) -> (bool, i64, Vec<(String, String)>) {
    let metric = metrics.iter().find(|metric| metric.name == name).unwrap_or_else(|| panic!("{name}"));
    let (is_sum, points) = match metric.data.as_ref().unwrap() {
        metric::Data::Sum(sum) => (sum.is_monotonic, &sum.data_points),
        metric::Data::Gauge(gauge) => (false, &gauge.data_points),
        other => panic!("{other:?}"),
    };
    let Some(number_data_point::Value::AsInt(value)) = points[0].value else { panic!("{points:?}") };
    (is_sum, value, texts(&points[0].attributes))
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_leave_under_the_names_of_the_page() {
    let (endpoint, mut received) = receiver().await;
    let push = push(&endpoint);
    let telemetry = Arc::new(Telemetry::default());
    let (counted, shown) = (Arc::clone(&telemetry), Arc::clone(&telemetry));
    telemetry.accounts.set([Account { name: "pods".into(), steps: 7, ..Account::default() }]);
    let readings: Readings = Arc::new(move |name| counted.readings_of(name, 3, 40));
    push.observe(&readings);
    telemetry.count_flush();
    telemetry.count_flush();
    push.finish().await;
    let (path, body) = received.recv().await.unwrap();
    assert_eq!(path, "/v1/metrics");
    let request = ExportMetricsServiceRequest::decode(&body[..]).unwrap();
    let resource = &request.resource_metrics[0];
    let attributes = texts(&resource.resource.as_ref().unwrap().attributes);
    assert_eq!(attributes, pairs(&[("service.name", "celemetry"), ("team", "a")]));
    let scope = &resource.scope_metrics[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "celemetry");
    let names: BTreeSet<&str> = shown.readings(3, 40).iter().map(|reading| reading.name).collect();
    assert_eq!(scope.metrics.len(), names.len());
    assert_eq!(value(&scope.metrics, "celemetry_flushes_total"), (true, 2, vec![]));
    assert_eq!(value(&scope.metrics, "celemetry_series"), (false, 40, vec![]));
    let metric = pairs(&[("celemetry_metric_name", "pods"), ("celemetry_metric_namespace", "")]);
    assert_eq!(value(&scope.metrics, "celemetry_metric_steps_total"), (true, 7, metric));
    let version = pairs(&[("version", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(value(&scope.metrics, "celemetry_build_info"), (false, 1, version));
}

#[tokio::test(flavor = "multi_thread")]
async fn our_spans_become_traces_and_nothing_else_does() {
    let (endpoint, mut received) = receiver().await;
    let push = push(&endpoint);
    let subscriber = Registry::default().with(push.layer());
    with_default(subscriber, || {
        let outer = span::reconcile("Metric", "shop", "pods");
        let _outer = outer.enter();
        tracing::info!("an event of the log");
        let _other = tracing::info_span!("somebody else's").entered();
        let inner = span::export("default");
        let _inner = inner.enter();
        span::failed(&inner);
    });
    push.finish().await;
    // Metrics that do not exist are not sent.
    let (path, body) = received.recv().await.unwrap();
    assert_eq!(path, "/v1/traces");
    let request = ExportTraceServiceRequest::decode(&body[..]).unwrap();
    let mut spans = request.resource_spans[0].scope_spans[0].spans.clone();
    spans.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["export", "reconcile"]);
    let [export, reconcile] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(export.parent_span_id, reconcile.span_id);
    assert_eq!(texts(&export.attributes)[..1], pairs(&[("sink", "default")]));
    assert_eq!(export.status.as_ref().unwrap().code, 2);
    let expected = pairs(&[("kind", "Metric"), ("name", "pods"), ("namespace", "shop")]);
    assert!(expected.iter().all(|pair| texts(&reconcile.attributes).contains(pair)), "{reconcile:?}");
    assert!(reconcile.events.is_empty());
}

#[tokio::test]
async fn without_an_endpoint_nothing_is_sent() {
    let push = Push::start(|_| None, &[]).unwrap();
    assert!(push.metrics.is_none() && push.traces.is_none() && push.layer().is_none());
    push.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_delays_the_end_by_two_seconds_at_most() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let push = push(&format!("http://{}", listener.local_addr().unwrap()));
    let readings: Readings = Arc::new(|name| Telemetry::default().readings_of(name, 0, 0));
    push.observe(&readings);
    let began = std::time::Instant::now();
    push.finish().await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}
