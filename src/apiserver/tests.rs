//! The server over real connections, asked as API servers are.

use std::collections::BTreeMap;

use http_body_util::BodyExt;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{Instant, timeout};

use super::*;
use crate::simulator::state::{Kind, Selection};
use crate::simulator::{Cluster, Id, Settings};

const PATIENCE: Duration = Duration::from_secs(30);

/// A store and a server of it.
struct Bench {
    store: Arc<Store>,
    address: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
}

/// A watch as its client has it.
struct Watching {
    lines: Lines<BufReader<OwnedReadHalf>>,
    _sender: OwnedWriteHalf,
}

impl Bench {
    async fn start(objects: u64, capacity: usize) -> Self {
        let store = Arc::new(Store::new(Cluster::new(Settings { objects, seed: 1 }), capacity));
        let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = server.address();
        let serving = tokio::spawn(server.serve(Arc::clone(&store)));
        Bench { store, address, serving }
    }

    /// Status and JSON of the answer to a GET.
    async fn get(&self, path: &str, accept: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let head = format!("GET {path} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    async fn watch(&self, path: &str) -> Watching {
        let (reader, mut sender) = TcpStream::connect(self.address).await.unwrap().into_split();
        sender.write_all(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await.unwrap();
        Watching { lines: BufReader::new(reader).lines(), _sender: sender }
    }

    fn version(&self) -> u64 {
        self.store.look(Cluster::version)
    }

    /// Resource versions of all objects of a kind by their UIDs, from the cluster itself.
    fn truth(&self, kind: Kind) -> BTreeMap<String, String> {
        let page = self.store.look(|cluster| cluster.page(&Selection::all(kind), Id(0), usize::MAX));
        page.bodies
            .iter()
            .map(|body| version_of(&serde_json::from_str(&format!("{{{body}")).unwrap()))
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Watching {
    /// The next event; heads of answers and chunks are passed over.
    async fn event(&mut self) -> Value {
        loop {
            let line = timeout(PATIENCE, self.lines.next_line()).await.unwrap().unwrap().unwrap();
            if line.starts_with("{\"type\"") {
                return serde_json::from_str(&line).unwrap();
            }
        }
    }
}

fn version_of(object: &Value) -> (String, String) {
    let text = |name: &str| object["metadata"][name].as_str().unwrap().to_owned();
    (text("uid"), text("resourceVersion"))
}

/// Learns from events until the object with this resourceVersion has come.
async fn learn(watching: &mut Watching, known: &mut BTreeMap<String, String>, until: u64) {
    loop {
        let event = watching.event().await;
        if event["type"] == "BOOKMARK" {
            continue;
        }
        let (uid, version) = version_of(&event["object"]);
        let is_last = version == until.to_string();
        if event["type"] == "DELETED" {
            known.remove(&uid);
        } else {
            known.insert(uid, version);
        }
        if is_last {
            return;
        }
    }
}

/// Steps on until an event of a Pod has come, and gives its resourceVersion.
fn step_to_a_pod(store: &Store, at_least: usize) -> u64 {
    let mut last = None;
    let mut count = 0;
    while count < at_least || last.is_none() {
        let events = store.step();
        count += events.len();
        let mut pods = events.iter().filter(|event| event.kind == Kind::Pod && !event.name.is_empty());
        last = pods.next_back().map(|event| event.version);
    }
    last.unwrap()
}

#[tokio::test]
async fn a_list_in_pages_and_a_watch_from_it_lead_to_the_state() {
    let bench = Bench::start(400, 100_000).await;
    let (mut known, mut path, mut pages) = (BTreeMap::new(), "/api/v1/pods?limit=50".to_owned(), 0);
    let position = loop {
        let (status, page) = bench.get(&path, "application/json").await;
        assert_eq!(status, 200);
        known.extend(page["items"].as_array().unwrap().iter().map(version_of));
        pages += 1;
        // The cluster does not wait for those who list.
        step_to_a_pod(&bench.store, 100);
        match page["metadata"]["continue"].as_str() {
            Some(go_on) => path = format!("/api/v1/pods?limit=50&continue={go_on}"),
            None => break page["metadata"]["resourceVersion"].as_str().unwrap().to_owned(),
        }
    };
    assert!(pages > 4);
    let mut watching = bench.watch(&format!("/api/v1/pods?watch=1&resourceVersion={position}")).await;
    let last = step_to_a_pod(&bench.store, 500);
    learn(&mut watching, &mut known, last).await;
    assert_eq!(known, bench.truth(Kind::Pod));
}

#[tokio::test]
async fn a_streaming_list_says_where_it_ends_and_goes_on() {
    let bench = Bench::start(300, 100_000).await;
    let (expected, position) = (bench.truth(Kind::Pod), bench.version());
    let query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watching = bench.watch(&format!("/api/v1/pods?{query}")).await;
    let mut known = BTreeMap::new();
    loop {
        let event = watching.event().await;
        if event["type"] == "BOOKMARK" {
            let metadata = &event["object"]["metadata"];
            assert_eq!(metadata["annotations"]["k8s.io/initial-events-end"], "true");
            assert_eq!(metadata["resourceVersion"], position.to_string());
            break;
        }
        assert_eq!(event["type"], "ADDED");
        known.extend([version_of(&event["object"])]);
    }
    assert_eq!(known, expected);
    let last = step_to_a_pod(&bench.store, 300);
    learn(&mut watching, &mut known, last).await;
    assert_eq!(known, bench.truth(Kind::Pod));
}

#[tokio::test]
async fn a_position_that_is_forgotten_is_gone_for_pages_watches_and_slow_readers() {
    let bench = Bench::start(200, 100).await;
    let position = bench.version();
    let (_, page) = bench.get("/api/v1/pods?limit=5", "application/json").await;
    let go_on = page["metadata"]["continue"].as_str().unwrap();
    let mut slow = bench.watch(&format!("/api/v1/pods?watch=1&resourceVersion={position}")).await;
    step_to_a_pod(&bench.store, 10);
    assert_ne!(slow.event().await["type"], "ERROR");
    bench.store.steps(500);
    let (status, answer) =
        bench.get(&format!("/api/v1/pods?limit=5&continue={go_on}"), "application/json").await;
    assert_eq!((status, &answer["reason"]), (410, &"Expired".into()));
    let mut late = bench.watch(&format!("/api/v1/pods?watch=1&resourceVersion={position}")).await;
    let error = late.event().await;
    assert_eq!((&error["type"], &error["object"]["code"]), (&"ERROR".into(), &410.into()));
    let error = loop {
        let event = slow.event().await;
        if event["type"] == "ERROR" {
            break event;
        }
    };
    assert_eq!(error["object"]["code"], 410);
}

#[tokio::test]
async fn a_watch_from_a_position_that_is_still_to_come_waits_for_it() {
    let bench = Bench::start(200, 100_000).await;
    let position = bench.version() + 200;
    let mut watching = bench.watch(&format!("/api/v1/pods?watch=1&resourceVersion={position}")).await;
    let last = step_to_a_pod(&bench.store, 500);
    let (_, version) = version_of(&watching.event().await["object"]);
    let version: u64 = version.parse().unwrap();
    assert!(position < version && version <= last, "{position} {version} {last}");
}

#[tokio::test]
async fn metadata_alone_one_object_one_namespace_and_what_is_not_there() {
    let bench = Bench::start(200, 100).await;
    let metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let (_, list) = bench.get("/api/v1/namespaces?limit=2", metadata).await;
    assert_eq!(list["kind"], "PartialObjectMetadataList");
    assert_eq!(list["items"][0]["kind"], "PartialObjectMetadata");
    assert_eq!(list["items"][0].as_object().unwrap().len(), 3);
    let (_, pods) = bench.get("/api/v1/namespaces/shop/pods", "application/json").await;
    let pods = pods["items"].as_array().unwrap().clone();
    assert!(!pods.is_empty() && pods.iter().all(|pod| pod["metadata"]["namespace"] == "shop"));
    let name = pods[0]["metadata"]["name"].as_str().unwrap();
    let (_, pod) = bench.get(&format!("/api/v1/namespaces/shop/pods/{name}"), "application/json").await;
    assert_eq!((&pod["kind"], version_of(&pod)), (&"Pod".into(), version_of(&pods[0])));
    let (status, answer) = bench.get("/api/v1/namespaces/shop/pods/none", "application/json").await;
    assert_eq!((status, &answer["reason"]), (404, &"NotFound".into()));
    let future = bench.version() + 1;
    let (status, _) = bench.get(&format!("/api/v1/pods?resourceVersion={future}"), "application/json").await;
    assert_eq!(status, 504);
}

#[tokio::test]
async fn only_loopback_is_served() {
    let refused = Server::bind(SocketAddr::from(([0, 0, 0, 0], 0))).await.unwrap_err();
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_in_which_nothing_happens_ends_when_it_was_to() {
    let store = Arc::new(Store::new(Cluster::new(Settings { objects: 100, seed: 1 }), 100));
    for (asked, expected) in [(Some(2), 2), (None, 1_800), (Some(u64::MAX), 1_800)] {
        let begun = Instant::now();
        let body = super::watching::nothing(&store, asked).collect().await.unwrap();
        assert_eq!((body.to_bytes().len(), begun.elapsed().as_secs()), (0, expected));
    }
}
