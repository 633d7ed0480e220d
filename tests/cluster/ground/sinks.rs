//! Sinks and the Collector: what arrives is kept as it was sent, what is answered is what was told.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, DataPointFlags, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    metric, number_data_point,
};
use prost::Message;
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use crate::harness::authority::Authority;
use crate::harness::{Answer, Collector, Sink, Value, runtime};

tests![
    the_collector_passes_points_on_as_they_are,
    a_sink_answers_as_told,
    a_sink_refuses_hangs_and_recovers,
    a_sink_over_tls_is_trusted_by_its_authority_only,
    a_sink_and_the_collector_speak_grpc,
];

fn export(value: Option<i64>) -> ExportMetricsServiceRequest {
    let string = |text: &str| Some(AnyValue { value: Some(any_value::Value::StringValue(text.to_owned())) });
    let attribute = KeyValue { key: "phase".to_owned(), value: string("Running"), ..KeyValue::default() };
    let flags = if value.is_some() { 0 } else { DataPointFlags::NoRecordedValueMask as u32 };
    let value = value.map(number_data_point::Value::AsInt);
    let (start_time_unix_nano, time_unix_nano) = (1_000, 2_000);
    let point = NumberDataPoint {
        attributes: vec![attribute],
        value,
        flags,
        start_time_unix_nano,
        time_unix_nano,
        exemplars: vec![],
    };
    let sum = Sum {
        data_points: vec![point],
        aggregation_temporality: AggregationTemporality::Cumulative as i32,
        is_monotonic: false,
    };
    let metric = Metric {
        name: "k8s.pod.count".to_owned(),
        unit: "{pod}".to_owned(),
        data: Some(metric::Data::Sum(sum)),
        ..Metric::default()
    };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }],
    }
}

fn post(url: &str, request: &ExportMetricsServiceRequest) -> std::io::Result<(u16, String)> {
    let body = request.encode_to_vec();
    let (address, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-protobuf\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.map(|status| (status, answer)).ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}

fn the_collector_passes_points_on_as_they_are() {
    let sink = Sink::start();
    let collector = Collector::before(&sink);
    let running: &[(&str, &str)] = &[("phase", "Running")];
    assert_eq!(post(&collector.http(), &export(Some(7))).unwrap().0, 200, "{}", collector.log());
    let point = sink.wait_value("k8s.pod.count", running, Value::Integer(7));
    assert_eq!(
        (&*point.unit, &*point.kind, point.start, point.time),
        ("{pod}", "sum cumulative", 1_000, 2_000)
    );
    sink.wait_series("k8s.pod.count", &[(running, Value::Integer(7))]);
    post(&collector.http(), &export(None)).unwrap();
    sink.wait_value("k8s.pod.count", running, Value::Withdrawn);
    sink.wait_series("k8s.pod.count", &[]);
    assert!(TcpStream::connect(collector.grpc().trim_start_matches("grpc://")).is_ok());
}

fn a_sink_answers_as_told() {
    let sink = Sink::start();
    sink.answer(Answer::Status(503));
    sink.answer_once([
        Answer::RetryAfter(429, "7".to_owned()),
        Answer::Partial { rejected: 1, message: "no".to_owned() },
        Answer::Grpc(tonic::Code::Internal),
        Answer::RetryInfo(tonic::Code::ResourceExhausted, Duration::from_secs(3)),
        Answer::Huge(1 << 20),
        Answer::Close,
    ]);
    let send = || post(&sink.http(), &export(Some(1)));
    let (status, head) = send().unwrap();
    assert_eq!((status, head.contains("retry-after: 7")), (429, true), "{head}");
    assert_eq!(send().unwrap().0, 200);
    assert_eq!(send().unwrap().0, 500);
    let (status, head) = send().unwrap();
    assert_eq!((status, head.contains("retry-after: 3")), (429, true), "{head}");
    assert!(send().unwrap().1.len() > 1 << 20);
    send().unwrap_err();
    assert_eq!(send().unwrap().0, 503);
    assert_eq!(sink.wait_requests(7).len(), 7);
    assert_eq!(sink.points().len(), 1, "only what was accepted, in part at least, counts");
}

fn a_sink_refuses_hangs_and_recovers() {
    let sink = Sink::start();
    let send = || post(&sink.http(), &export(Some(1))).map_err(|error| error.kind());
    sink.close();
    assert_eq!(send().unwrap_err(), std::io::ErrorKind::ConnectionRefused);
    sink.open();
    sink.answer_once([Answer::Hang, Answer::HangAfterHeaders]);
    assert_eq!(send().unwrap_err(), std::io::ErrorKind::WouldBlock);
    assert_eq!(send().unwrap_err(), std::io::ErrorKind::WouldBlock);
    sink.deaf(true);
    assert_eq!(send().unwrap_err(), std::io::ErrorKind::WouldBlock);
    sink.deaf(false);
    assert_eq!(send().unwrap().0, 200);
    assert_eq!(sink.latest("k8s.pod.count", &[("phase", "Running")]).unwrap().value, Value::Integer(1));
    assert_eq!(sink.requests().len(), 3, "the deaf one heard nothing");
}

fn a_sink_over_tls_is_trusted_by_its_authority_only() {
    let (ours, other) = (Authority::new(), Authority::new());
    let sink = Sink::start_tls(&ours.identity(&["127.0.0.1"]));
    let elsewhere = Sink::start_tls(&ours.identity(&["elsewhere.test"]));
    assert!(sink.http().starts_with("https://") && sink.grpc().starts_with("grpcs://"));
    let handshake = |authority: &Authority, sink: &Sink| {
        let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(authority.client()));
        let name = "127.0.0.1".try_into().unwrap();
        runtime().block_on(async {
            let stream = tokio::net::TcpStream::connect(sink.address()).await?;
            connector.connect(name, stream).await.map(drop)
        })
    };
    handshake(&ours, &sink).unwrap();
    handshake(&other, &sink).unwrap_err();
    handshake(&ours, &elsewhere).unwrap_err();
}

fn a_sink_and_the_collector_speak_grpc() {
    let sink = Sink::start();
    let collector = Collector::before(&sink);
    let send = |url: &str| {
        let endpoint = Endpoint::from_shared(url.replace("grpc://", "http://")).unwrap();
        runtime().block_on(async {
            let mut client = MetricsServiceClient::new(endpoint.connect_lazy());
            // An endpoint's own timeout ends with the headers.
            let answer = tokio::time::timeout(Duration::from_secs(2), client.export(export(Some(3)))).await;
            let answer = answer.unwrap_or_else(|_| Err(Status::new(Code::DeadlineExceeded, "")));
            answer.map(|response| response.into_inner().partial_success)
        })
    };
    // The Collector says of a request that it took whole that it took it in part, with nothing rejected.
    assert_eq!(
        send(&collector.grpc()).unwrap().unwrap_or_default().rejected_data_points,
        0,
        "{}",
        collector.log()
    );
    assert_eq!(sink.latest("k8s.pod.count", &[("phase", "Running")]).unwrap().value, Value::Integer(3));

    let url = sink.grpc();
    let failed = |answer: Answer| {
        sink.answer_once([answer]);
        send(&url).unwrap_err()
    };
    assert_eq!(failed(Answer::Grpc(Code::Unavailable)).code(), Code::Unavailable);
    assert_eq!(failed(Answer::RetryAfter(400, "1".to_owned())).code(), Code::InvalidArgument);
    for hanging in [Answer::Hang, Answer::HangAfterHeaders] {
        assert_eq!(failed(hanging).code(), Code::DeadlineExceeded);
    }
    assert_eq!(failed(Answer::Huge(5 << 20)).code(), Code::OutOfRange, "more than the client takes");
    assert_ne!(failed(Answer::Close).code(), Code::Ok);
    let status = failed(Answer::RetryInfo(Code::ResourceExhausted, Duration::from_millis(3500)));
    assert_eq!(status.code(), Code::ResourceExhausted);
    // 3 s and 500,000,000 ns, as google.protobuf.Duration.
    let delay = [0x08, 3, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
    assert!(status.details().windows(delay.len()).any(|window| window == delay), "{:?}", status.details());

    sink.answer_once([Answer::Accept, Answer::Partial { rejected: 1, message: "no".to_owned() }]);
    assert_eq!(send(&url).unwrap(), None);
    assert_eq!(send(&url).unwrap().unwrap().rejected_data_points, 1);
    assert!(sink.requests()[1..].iter().all(|request| request.grpc && request.points.len() == 1));
}
