//! The harness itself: every fault that it promises is one, every count is exact.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::Method;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, DataPointFlags, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    metric, number_data_point,
};
use prost::Message;
use serde_json::json;

use crate::harness::authority::Authority;
use crate::harness::page::Page;
use crate::harness::process::Daemon;
use crate::harness::{
    Answer, Collector, Kind, Plane, Proxy, Sink, Value, folder, pod, rule, stays, until, until_equal,
};

tests![
    a_plane_starts_and_knows_its_users,
    rights_hold_when_they_are_given_and_no_longer_when_they_are_taken,
    a_watch_is_counted_once_and_a_list_is_seen_with_its_query,
    a_custom_kind_comes_and_goes,
    a_killed_server_comes_back_with_everything,
    a_paused_server_answers_when_it_goes_on,
    compaction_and_a_restart_make_old_versions_expire,
    a_restored_plane_has_older_versions_again,
    a_proxy_passes_cuts_darkens_and_refuses,
    the_collector_passes_points_on_as_they_are,
    a_sink_answers_as_told,
    a_sink_refuses_hangs_and_recovers,
    a_sink_over_tls_is_trusted_by_its_authority_only,
    a_page_is_read_to_the_last_escape,
    nothing_that_a_test_started_outlives_this_process,
];

fn a_plane_starts_and_knows_its_users() {
    let plane = Plane::shared();
    let version = plane.client().get("/version");
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1."), "{version}");
    let user = plane.user();
    let review =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}});
    let who = plane.client_of(&user).create(&review);
    assert_eq!(who["status"]["userInfo"]["username"], json!(user.name));
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").label("app", "web").node("n1").phase("Running").create(plane.client());
    assert_eq!(made["status"]["phase"], "Running");
    assert_eq!(plane.client().list("v1", "Pod", Some(&namespace)).len(), 1);
    plane.client().delete(&made);
    assert_eq!(plane.client().read(&made), None, "deleted at once");
}

fn rights_hold_when_they_are_given_and_no_longer_when_they_are_taken() {
    let plane = Plane::shared();
    let user = plane.user();
    let status = || {
        let list =
            plane.client_of(&user).send(&Method::GET, "/api/v1/pods", "application/json", String::new());
        list.unwrap().status.as_u16()
    };
    assert_eq!(status(), 403);
    plane.allow(&user, &[rule("", "pods", "list,watch"), rule("apps", "*", "get")]);
    assert_eq!(status(), 200);
    plane.forbid(&user);
    assert_eq!(status(), 403);
}

fn a_watch_is_counted_once_and_a_list_is_seen_with_its_query() {
    let plane = Plane::shared();
    let user = plane.user_with(&[rule("", "pods", "get,list,watch")]);
    let namespace = plane.namespace("ground");
    let watches = |namespace: &str| {
        let of_user = plane.requests(&user).into_iter();
        of_user.filter(|request| request.is("watch", "pods") && request.namespace == namespace).count()
    };
    let mut watching = plane
        .kubectl(&user)
        .args(["get", "pods", "--namespace", &namespace, "--watch", "--output=name"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until_equal("the watch", &1, || watches(&namespace));
    let open = || {
        plane
            .client()
            .metrics()
            .sum("apiserver_longrunning_requests", &[("verb", "WATCH"), ("resource", "pods")])
    };
    assert!(open() >= 1.0, "open watches are in the server's metrics");
    pod(&namespace, "seen").create(plane.client());
    let mut line = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "pod/seen\n");
    watching.kill().unwrap();
    watching.wait().unwrap();
    until("the end of the watch", || {
        let requests = plane.requests(&user);
        let over = requests.iter().any(|request| request.is("watch", "pods") && request.over);
        if over { Ok(()) } else { Err(format!("{requests:#?}")) }
    });
    assert_eq!(watches(&namespace), 1, "still one");

    plane.client_of(&user).get(&format!("/api/v1/namespaces/{namespace}/pods?limit=1&labelSelector=a%3Db"));
    let list = until("the list", || {
        let requests = plane.requests(&user);
        let list = requests.iter().find(|request| request.query.contains_key("labelSelector"));
        list.cloned().ok_or_else(|| format!("{requests:#?}"))
    });
    assert_eq!((&*list.query["labelSelector"], list.code, list.reads_all()), ("a=b", 200, false));
    let lists =
        plane.requests(&user).into_iter().filter(|request| request.is("list", "pods")).collect::<Vec<_>>();
    assert!(lists.iter().any(|request| request.reads_all()), "kubectl listed all: {lists:#?}");
}

fn a_custom_kind_comes_and_goes() {
    let plane = Plane::shared();
    let client = plane.client();
    let namespace = plane.namespace("ground");
    let kind = Kind::new("Widget").versions(&["v2", "v1"]).selectable("color").install(client);
    client.create(&kind.object(Some(&namespace), "one", json!({"color": "red", "size": 3})));
    let path =
        format!("/apis/{}/v1/namespaces/{namespace}/widgets?fieldSelector=spec.color%3Dred", kind.group);
    let list = client.get(&path);
    assert_eq!(
        list["items"][0]["spec"]["size"], 3,
        "the other version, by a field that it may be selected by"
    );
    kind.remove(client);
    let cluster = Kind::new("Fleet").cluster_scoped().install(client);
    let one = client.apply(&cluster.object(None, "one", json!({})));
    client.patch(&one, &json!({"spec": {"size": 4}}));
    client.patch_status(&one, &json!({"conditions": [{"type": "Ready", "status": "True"}]}));
    let condition = client.wait_condition(&one, "Ready", "True");
    assert_eq!(condition["type"], "Ready");
    let again = client.refused(&cluster.object(None, "one", json!({})));
    assert!(again.contains("already exists"), "{again}");
}

fn a_killed_server_comes_back_with_everything() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").create(plane.client());
    plane.kill_server();
    assert!(TcpStream::connect(plane.address()).is_err(), "the port refuses");
    plane.start_server();
    assert_eq!(plane.client().read(&made).unwrap()["metadata"]["uid"], made["metadata"]["uid"]);
}

fn a_paused_server_answers_when_it_goes_on() {
    let plane = Plane::bare(&[]);
    plane.pause_server();
    let asking = std::thread::spawn({
        let client = plane.client().clone();
        move || client.get("/version")
    });
    stays(Duration::from_millis(300), "the silence", || {
        if asking.is_finished() { Err("an answer".to_owned()) } else { Ok(()) }
    });
    plane.resume_server();
    assert!(asking.join().unwrap()["gitVersion"].is_string());
}

/// The status of a watch of Pods from a version, and of the first event's object.
fn watch_from(plane: &Plane, version: &str) -> (u16, Option<u64>) {
    let path = format!("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion={version}");
    let response = plane.client().send(&Method::GET, &path, "application/json", String::new()).unwrap();
    let first: Option<serde_json::Value> =
        response.body.lines().next().map(|line| serde_json::from_str(line).unwrap());
    (response.status.as_u16(), first.and_then(|event| event["object"]["code"].as_u64()))
}

fn compaction_and_a_restart_make_old_versions_expire() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").create(plane.client());
    let version = made["metadata"]["resourceVersion"].as_str().unwrap();
    plane.client().patch(&made, &json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!(watch_from(&plane, version), (200, None), "the change is still there to be told");
    plane.compact();
    plane.kill_server();
    plane.start_server();
    let (status, code) = watch_from(&plane, version);
    assert!(status == 410 || code == Some(410), "{status}, {code:?}");
}

fn a_restored_plane_has_older_versions_again() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let old = pod(&namespace, "old").create(plane.client());
    let backup = plane.back_up();
    let new = pod(&namespace, "new").create(plane.client());
    // More writes than a starting server does by itself.
    for number in 0..100 {
        plane.client().patch(&new, &json!({"metadata": {"labels": {"number": number.to_string()}}}));
    }
    let version = || {
        let list = plane.client().get("/api/v1/pods?limit=1");
        list["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let before = version();
    plane.restore(&backup);
    assert!(version() < before, "{} is not before {before}\n{}", version(), plane.server_log());
    assert!(plane.client().read(&old).is_some() && plane.client().read(&new).is_none());
}

fn a_proxy_passes_cuts_darkens_and_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::before(listener.local_addr().unwrap());
    // A server that sends back what it gets.
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || std::io::copy(&mut stream.try_clone().unwrap(), &mut &stream));
        }
    });
    let connect = || {
        let stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        stream
    };
    let echo = |stream: &mut TcpStream| -> std::io::Result<()> {
        stream.write_all(b"hello")?;
        stream.read_exact(&mut [0; 5])
    };
    let passes = || until("the proxy to pass", || echo(&mut connect()).map_err(|error| error.to_string()));

    let mut first = connect();
    until("an echo", || echo(&mut first).map_err(|error| error.to_string()));
    proxy.cut();
    first.set_read_timeout(None).unwrap();
    assert_eq!(first.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    passes();

    let mut second = connect();
    until("an echo", || echo(&mut second).map_err(|error| error.to_string()));
    proxy.darken();
    assert_eq!(echo(&mut second).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "no answer, no end");
    passes();
    proxy.black_hole();
    assert_eq!(
        echo(&mut connect()).unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "accepted, no answer"
    );
    proxy.pass();
    passes();
    assert_eq!(echo(&mut second).unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "dark for good");

    proxy.refuse();
    assert!(TcpStream::connect(proxy.address()).is_err());
    until_equal("no connections", &0, || proxy.open());
    proxy.pass();
    passes();
}

/// A request with one point of a sum.
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

/// Sends a request as OTLP over HTTP: the status and the head, or how it failed.
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
        crate::harness::runtime().block_on(async {
            let stream = tokio::net::TcpStream::connect(sink.address()).await?;
            connector.connect(name, stream).await.map(drop)
        })
    };
    handshake(&ours, &sink).unwrap();
    handshake(&other, &sink).unwrap_err();
    handshake(&ours, &elsewhere).unwrap_err();
}

fn a_page_is_read_to_the_last_escape() {
    let page = Page::parse("# TYPE a gauge\na{b=\"x\\\"}\\\\,\\n\",c=\"\"} 1.5\na 2\nab{b=\"1\"} NaN\n");
    assert_eq!(page.value("a", &[("b", "x\"}\\,\n"), ("c", "")]), Some(1.5));
    assert_eq!(page.value("a", &[]), Some(2.0));
    assert_eq!(page.sum("a", &[]), 3.5);
    assert_eq!(page.family("ab").len(), 1);
}

fn nothing_that_a_test_started_outlives_this_process() {
    // This program again, as a process that is killed while a process of its own is running.
    const CHILD: &str = "CELEMETRY_TEST_ABANDONS";
    let log = folder::fresh("abandoned").join("log");
    if let Some(file) = std::env::var_os(CHILD) {
        let daemon = Daemon::start("sleeper", Command::new("sleep").arg("600"), &log);
        std::fs::write(file, daemon.id().to_string()).unwrap();
        std::thread::park();
    }
    let file = log.with_extension("id");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ground::nothing_that_a_test_started_outlives_this_process"])
        .env(CHILD, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let id = until("the sleeper", || {
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
        text.parse::<i32>().map_err(|error| error.to_string())
    });
    let lives = || rustix::process::test_kill_process(rustix::process::Pid::from_raw(id).unwrap()).is_ok();
    assert!(lives());
    child.kill().unwrap();
    child.wait().unwrap();
    until_equal("the end of the sleeper", &false, lives);
}
