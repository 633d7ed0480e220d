//! Streams fed chunk by chunk, under a paused clock where time matters.

use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::row::{FieldPlan, HashSeed};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{Chunk, Flow, Input, Outlet, Placed, StreamError, Summary};
use crate::cluster::router::{Outbox, Route};
use crate::cluster::target::Target;

/// A stream over Pods whose input the test writes.
struct Bench {
    chunks: Option<mpsc::Sender<Chunk>>,
    changes: mpsc::Receiver<(SourceId, Change)>,
    notices: mpsc::Receiver<Placed>,
    task: JoinHandle<Summary>,
}

fn bench(change_capacity: usize) -> Bench {
    let (chunk_sender, chunks) = mpsc::channel(4);
    let (change_sender, changes) = mpsc::channel(change_capacity);
    let (notice_sender, notices) = mpsc::channel(16);
    let plan = Arc::new(FieldPlan::whole(HashSeed::default()));
    let routes = vec![Route { target: Target::new(None, None, Some("Pod")), source: SourceId(0), plan }];
    let outlet = Outlet { out: Outbox::default(), changes: change_sender, notices: notice_sender };
    let flow = Flow::new("standard input".into(), routes, Duration::from_secs(1), outlet);
    let task = tokio::spawn(flow.follow(chunks));
    Bench { chunks: Some(chunk_sender), changes, notices, task }
}

impl Bench {
    async fn write(&self, bytes: &[u8]) {
        self.chunks.as_ref().unwrap().send(Ok(bytes.to_vec())).await.unwrap();
    }

    /// The next change in short.
    async fn change(&mut self) -> String {
        match self.changes.recv().await {
            None => "closed".into(),
            Some((_, Change::Begin { .. })) => "begin".into(),
            Some((_, Change::Upsert { row, .. })) => format!("+{}", row.name()),
            Some((_, Change::Delete { .. })) => "-".into(),
            Some((_, Change::Undecodable { .. })) => "?".into(),
            Some((_, Change::End)) => "end".into(),
        }
    }

    /// Ends the input, and gives all changes that were left and how the stream ended.
    async fn end(mut self) -> (Vec<String>, Option<StreamError>) {
        self.chunks = None;
        let mut changes = vec![];
        loop {
            match self.change().await {
                closed if closed == "closed" => break,
                change => changes.push(change),
            }
        }
        (changes, self.task.await.unwrap().failure)
    }
}

fn added(name: &str) -> String {
    let pod = format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","uid":"{name}"}}}}"#);
    format!(r#"{{"type":"ADDED","object":{pod}}}"#)
}

const BOOKMARK: &str = r#"{"type":"BOOKMARK","object":{"apiVersion":"v1","kind":"Pod",
    "metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}"#;

async fn check(input: &str, expected: &[&str]) {
    for chunk in [1, 7, 4096] {
        let mut bench = bench(64);
        let bytes = input.as_bytes().to_vec();
        let chunks = bench.chunks.take().unwrap();
        tokio::spawn(async move {
            for piece in bytes.chunks(chunk) {
                chunks.send(Ok(piece.to_vec())).await.unwrap();
            }
        });
        let (changes, end) = bench.end().await;
        assert_eq!(changes, expected, "{input} in pieces of {chunk}");
        assert!(end.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_list_ends_with_the_bookmark_or_with_the_input() {
    check("", &["begin", "end"]).await;
    check(&added("a"), &["begin", "+a", "end"]).await;
    check(&format!("{}\n{BOOKMARK}\n{}\n", added("a"), added("b")), &["begin", "+a", "end", "+b"]).await;
    check(&format!("{}{BOOKMARK}{}", added("a"), added("b")), &["begin", "+a", "end", "+b"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_first_list_ends_after_silence() {
    let mut bench = bench(64);
    bench.write(added("a").as_bytes()).await;
    sleep(Duration::from_millis(900)).await;
    bench.write(added("b").as_bytes()).await;
    let written = Instant::now();
    for expected in ["begin", "+a", "+b", "end"] {
        assert_eq!(bench.change().await, expected);
    }
    assert_eq!(written.elapsed(), Duration::from_secs(1));
    bench.write(added("c").as_bytes()).await;
    assert_eq!(bench.change().await, "+c");
}

#[tokio::test(start_paused = true)]
async fn a_full_channel_stops_reading() {
    let mut bench = bench(1);
    let pods: Vec<String> = (0..100).map(|n| added(&format!("p{n}"))).collect();
    let all = pods.join("\n").into_bytes();
    let chunks = bench.chunks.take().unwrap();
    let writer = tokio::spawn(async move {
        for piece in all.chunks(50) {
            chunks.send(Ok(piece.to_vec())).await.unwrap();
        }
    });
    sleep(Duration::from_secs(60)).await;
    assert!(!writer.is_finished());
    let (changes, _) = bench.end().await;
    assert_eq!(changes.len(), 102);
}

#[tokio::test(start_paused = true)]
async fn an_error_event_ends_the_stream_with_its_message() {
    let bench = bench(64);
    bench.write(added("a").as_bytes()).await;
    bench.write(br#"{"type":"ERROR","object":{"kind":"Status","message":"too old"}}"#).await;
    let (changes, end) = bench.end().await;
    assert_eq!(changes, ["begin", "+a"]);
    assert_eq!(end.unwrap().to_string(), "standard input: the event stream reports an error: too old");
}

async fn refused(input: &str) -> String {
    let bench = bench(64);
    bench.write(input.as_bytes()).await;
    bench.end().await.1.unwrap().to_string()
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_refused_with_its_line_and_byte() {
    let input = format!("{}\nError from server\n", added("a"));
    let message = refused(&input).await;
    let byte = added("a").len() + 2;
    assert!(message.starts_with(&format!("standard input: line 2, byte {byte}: not JSON")), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_input_that_ends_within_a_value_is_refused() {
    assert!(refused(r#"{"type":"ADDED","object":{"kind""#).await.contains("does not end"));
}

#[test]
fn a_missing_file_is_an_error_that_names_it() {
    let message = Input::new("/nonexistent/events.jsonl").open().unwrap_err().to_string();
    assert!(message.starts_with("/nonexistent/events.jsonl: "), "{message}");
}

#[tokio::test(start_paused = true)]
async fn what_came_before_text_that_is_no_json_is_a_complete_list() {
    for broken in ["Error from server\n{}", r#"{"type":"ADDED","object":{"kind""#] {
        let bench = bench(64);
        bench.write(format!("{}\n{broken}", added("a")).as_bytes()).await;
        let (changes, end) = bench.end().await;
        assert_eq!(changes, ["begin", "+a", "end"], "{broken}");
        assert!(matches!(end, Some(StreamError::Malformed { .. })), "{broken}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_list_ends_though_the_input_never_pauses() {
    let mut bench = bench(1_000);
    let (mut seen, mut written) = (vec![], 0);
    let start = Instant::now();
    while !seen.iter().any(|change| change == "end") && written < 100 {
        bench.write(added(&format!("p{written}")).as_bytes()).await;
        written += 1;
        sleep(Duration::from_millis(300)).await;
        while let Ok((_, change)) = bench.changes.try_recv() {
            seen.push(if matches!(change, Change::End) { "end" } else { "" }.to_owned());
        }
    }
    let taken = start.elapsed();
    assert!(taken >= Duration::from_secs(10) && taken < Duration::from_secs(11), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_notice_names_the_line_on_which_its_document_begins() {
    let odd = "{\n \"type\": \"ODD\",\n \"object\": {}\n}";
    let input = format!("{}\n\n{odd}\n{odd}", added("a"));
    for size in [1, 7, 50, 4096] {
        let mut bench = bench(64);
        for piece in input.as_bytes().chunks(size) {
            bench.write(piece).await;
        }
        for line in [3, 7] {
            let notice = bench.notices.recv().await.unwrap().to_string();
            let expected =
                format!("standard input: line {line}: a watch event of unknown type \"ODD\" is ignored");
            assert_eq!(notice, expected, "in pieces of {size}");
        }
    }
}
