//! Streams fed chunk by chunk, under a paused clock where time matters.

use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::row::{FieldPlan, HashSeed};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::{Chunk, Input, Stream, StreamError, Summary};
use crate::cluster::router::{Notice, Route};
use crate::cluster::target::Target;

/// A stream over Pods whose input the test writes.
struct Bench {
    chunks: Option<mpsc::Sender<Chunk>>,
    changes: mpsc::Receiver<(SourceId, Change)>,
    notices: mpsc::Receiver<Notice>,
    task: JoinHandle<Result<Summary, StreamError>>,
}

fn bench(change_capacity: usize) -> Bench {
    let (chunk_sender, chunks) = mpsc::channel(4);
    let (change_sender, changes) = mpsc::channel(change_capacity);
    let (notice_sender, notices) = mpsc::channel(16);
    let plan = Arc::new(FieldPlan::whole(HashSeed::default()));
    let stream = Stream {
        input: Input::Stdin,
        routes: vec![Route { target: Target::new(None, None, Some("Pod")), source: SourceId(0), plan }],
        sync_after: Duration::from_secs(1),
        changes: change_sender,
        notices: notice_sender,
    };
    let task = tokio::spawn(stream.follow(chunks));
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
    async fn end(mut self) -> (Vec<String>, Result<Summary, StreamError>) {
        self.chunks = None;
        let mut changes = vec![];
        loop {
            match self.change().await {
                closed if closed == "closed" => break,
                change => changes.push(change),
            }
        }
        (changes, self.task.await.unwrap())
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
        assert!(end.is_ok());
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
    let mut bench = bench(64);
    bench.write(added("a").as_bytes()).await;
    bench.write(br#"{"type":"ERROR","object":{"kind":"Status","message":"too old"}}"#).await;
    assert_eq!(bench.notices.recv().await, Some(Notice::Error("too old".into())));
    let (changes, end) = bench.end().await;
    assert_eq!(changes, ["begin", "+a"]);
    assert!(end.unwrap().failed);
}

async fn refused(input: &str) -> String {
    let bench = bench(64);
    bench.write(input.as_bytes()).await;
    bench.end().await.1.unwrap_err().to_string()
}

#[tokio::test(start_paused = true)]
async fn what_is_no_json_is_refused_with_its_line_and_byte() {
    let input = format!("{}\nError from server\n", added("a"));
    let message = refused(&input).await;
    let byte = added("a").len() + 1;
    assert!(message.starts_with(&format!("standard input: line 2, byte {byte}: not JSON")), "{message}");
}

#[tokio::test(start_paused = true)]
async fn an_input_that_ends_within_a_value_is_refused() {
    assert!(refused(r#"{"type":"ADDED","object":{"kind""#).await.contains("does not end"));
}

#[tokio::test]
async fn a_missing_file_is_an_error_that_names_it() {
    let (changes, _changes) = mpsc::channel(4);
    let (notices, _notices) = mpsc::channel(4);
    let stream = Stream {
        input: Input::new("/nonexistent/events.jsonl"),
        routes: vec![],
        sync_after: Duration::from_secs(1),
        changes,
        notices,
    };
    let message = stream.run().await.unwrap_err().to_string();
    assert!(message.starts_with("/nonexistent/events.jsonl: "), "{message}");
}
