//! Pipelines over real connections.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use celemetry::export::pipeline::{Exporter, Health, Lead, Settings, State};
use celemetry::export::profile::Profile;
use celemetry::export::transport::{AddressPolicy, Failure};
use celemetry::telemetry::Telemetry;
use celemetry_engine::snapshot::{MetricId, Number, Snapshot};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::server::{Reply, Server, status, target};
use crate::snapshots::{COUNT, metric, snapshot};

const PODS: MetricId = MetricId(0);

fn pods(series: &[(&str, i64)]) -> Arc<Snapshot> {
    let pairs: Vec<_> = series.iter().map(|(phase, _)| [("phase", *phase)]).collect();
    let series: Vec<_> =
        pairs.iter().zip(series).map(|(pairs, (_, number))| (&pairs[..], Number::Integer(*number))).collect();
    Arc::new(snapshot([metric("pods", ["k8s.pods", "{pod}", "Pods."], COUNT, &series)]))
}

fn exporter(snapshots: watch::Receiver<Arc<Snapshot>>) -> Exporter {
    let settings = Settings {
        profile: Profile::Native,
        resource: vec![("service.name".to_owned(), "celemetry".to_owned())],
        started: SystemTime::now(),
        heartbeat: Duration::from_secs(60),
        policy: AddressPolicy { allow_loopback: true },
        telemetry: Arc::new(Telemetry::default()),
    };
    Exporter::new(settings, snapshots, Lead::always())
}

/// The points of all requests that arrived since the last time this was asked: values, or that they were withdrawn.
fn arrived(server: &Server) -> Vec<Option<i64>> {
    let mut values = vec![];
    for request in server.requests() {
        // Over gRPC a prefix comes first.
        let prefix = if request.path.starts_with("/opentelemetry") { 5 } else { 0 };
        let request = ExportMetricsServiceRequest::decode(&request.body[prefix..]).unwrap();
        for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
            let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
            values.extend(sum.data_points.iter().map(|point| match point.value {
                Some(Value::AsInt(value)) => Some(value),
                _ => None,
            }));
        }
    }
    values
}

async fn until_arrived(server: &Server, expected: &[Option<i64>]) {
    let mut values = vec![];
    let waiting = async {
        while values.len() < expected.len() {
            values.extend(arrived(server));
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = timeout(Duration::from_secs(20), waiting).await;
    assert_eq!(values, expected);
}

async fn until(health: &mut watch::Receiver<Health>, holds: impl Fn(&Health) -> bool) {
    let waited = timeout(Duration::from_secs(20), health.wait_for(holds)).await;
    waited.expect("in time").expect("the pipeline lives");
}

fn accept(_: usize) -> Reply {
    let mut response = status(200);
    response.headers_mut().insert("grpc-status", "0".parse().unwrap());
    Reply::With(response)
}

#[tokio::test]
async fn a_value_is_sent_changed_and_withdrawn_and_the_sink_may_move() {
    let (snapshots, receiver) = watch::channel(pods(&[("Running", 3), ("Failed", 1)]));
    let exporter = exporter(receiver);
    let first = Server::start(None, accept).await;
    let sink = exporter.open("team/sink", target(&format!("http://{}", first.address)));
    let route = sink.handle().route(PODS, Duration::from_secs(600));
    until_arrived(&first, &[Some(3), Some(1)]).await;
    snapshots.send_replace(pods(&[("Running", 4)]));
    until_arrived(&first, &[None, Some(4)]).await;
    assert!(route.exported().borrow().is_some());
    let second = Server::start(None, accept).await;
    sink.set_target(target(&format!("grpc://{}", second.address)));
    until_arrived(&second, &[Some(4)]).await;
    drop(route);
    until_arrived(&second, &[None]).await;
    assert_eq!(arrived(&first), []);
}

#[tokio::test]
async fn a_sink_that_comes_up_late_gets_the_latest_value_first_and_its_health_is_told() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let (snapshots, receiver) = watch::channel(pods(&[("Running", 3)]));
    let exporter = exporter(receiver);
    let sink = exporter.open("team/sink", target(&format!("http://{address}")));
    let _route = sink.handle().route(PODS, Duration::from_secs(600));
    let mut health = sink.health();
    let refused = |health: &Health| matches!(health.state, State::Failing { failure: Failure::Refused, .. });
    until(&mut health, refused).await;
    snapshots.send_replace(pods(&[("Running", 5)]));
    let server = Server::start(None, accept).await;
    sink.set_target(target(&format!("http://{}", server.address)));
    until(&mut health, |health| matches!(health.state, State::Healthy { .. })).await;
    until_arrived(&server, &[Some(5)]).await;
    exporter.finish(Duration::from_secs(2)).await;
}
