//! Objects that change at random, the same way for the same seed as far as the API server takes part.
//!
//! In: namespaces, a seed. Out: a thread that creates, changes and deletes, whether or not the API server answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use fastrand::Rng;
use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, pod, until};

/// A running workload.
pub(super) struct Workload {
    ends: Arc<AtomicBool>,
    written: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// One request.
struct Change {
    method: Method,
    path: String,
    body: Value,
}

/// Between two changes.
const PAUSE: Duration = Duration::from_millis(5);

/// Pods a namespace.
const PODS: u32 = 20;

// === impl Workload ===

impl Workload {
    pub(super) fn begin(client: &Client, namespaces: &[String], mark: &str, seed: u64) -> Self {
        let (client, namespaces, mark) = (client.clone(), namespaces.to_vec(), mark.to_owned());
        let (ends, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (ending, counted) = (Arc::clone(&ends), Arc::clone(&written));
        let thread = std::thread::spawn(move || {
            let mut random = Rng::with_seed(seed);
            while !ending.load(Ordering::Relaxed) {
                let change = Change::random(&namespaces, &mark, &mut random);
                if change.make(&client) {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
                sleep(PAUSE);
            }
        });
        Self { ends, written, thread }
    }

    /// Waits until the API server has taken so many more changes.
    #[track_caller]
    pub(super) fn wait_further(&self, changes: usize) {
        let goal = self.written.load(Ordering::Relaxed) + changes;
        until("further changes", || match self.written.load(Ordering::Relaxed) {
            written if written >= goal => Ok(()),
            written => Err(format!("{written} of {goal}")),
        });
    }

    /// Ends it. Gives how many changes the API server has taken.
    pub(super) fn end(self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        self.written.load(Ordering::Relaxed)
    }
}

// === impl Change ===

impl Change {
    fn random(namespaces: &[String], mark: &str, random: &mut Rng) -> Self {
        let namespace = &namespaces[random.usize(..namespaces.len())];
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let name = format!("p{:02}", random.u32(..PODS));
        let one = format!("{pods}/{name}");
        let patch = |path: &str, body: Value| Change { method: Method::PATCH, path: path.to_owned(), body };
        match random.u32(..100) {
            0..30 => Change { method: Method::POST, path: pods, body: new_pod(namespace, &name, random) },
            30..45 => Change { method: Method::DELETE, path: one, body: json!({"gracePeriodSeconds": 0}) },
            45..70 => {
                let phase = ["Pending", "Running", "Failed", "Succeeded"][random.usize(..4)];
                patch(&format!("{one}/status"), json!({"status": {"phase": phase}}))
            }
            70..80 => patch(&one, json!({"metadata": {"labels": labels(random)}})),
            80..90 => patch(&one, json!({"metadata": {"annotations": {"size": size(random)}}})),
            90..97 => {
                patch(&one, json!({"spec": {"containers": [{"name": "main", "image": image(random)}]}}))
            }
            _ => {
                let mark = if random.bool() { json!(mark) } else { Value::Null };
                patch(
                    &format!("/api/v1/namespaces/{namespace}"),
                    json!({"metadata": {"labels": {"churn": mark}}}),
                )
            }
        }
    }

    /// Sends it. Tells whether the API server took it.
    fn make(&self, client: &Client) -> bool {
        let kind = match self.method {
            Method::PATCH => "application/merge-patch+json",
            _ => "application/json",
        };
        let answer = client.send(&self.method, &self.path, kind, self.body.to_string());
        answer.is_ok_and(|answer| answer.status.is_success())
    }
}

fn new_pod(namespace: &str, name: &str, random: &mut Rng) -> Value {
    let mut new = pod(namespace, name);
    if random.bool() {
        new = new.container("side", &[]);
    }
    let metadata = json!({"labels": labels(random), "annotations": {"size": size(random)}});
    let mut object = new.with(json!({"metadata": metadata})).object().clone();
    // In a patch null takes away; in a new object it would be a value.
    for map in ["labels", "annotations"] {
        object["metadata"][map].as_object_mut().unwrap().retain(|_, value| !value.is_null());
    }
    object
}

fn labels(random: &mut Rng) -> Value {
    let app = [json!("web"), json!("db"), json!("cache"), Value::Null][random.usize(..4)].clone();
    let skip = if random.u32(..5) == 0 { json!("yes") } else { Value::Null };
    json!({"app": app, "skip": skip})
}

/// A number, no number, or nothing.
fn size(random: &mut Rng) -> Value {
    match random.u32(..6) {
        0 => Value::Null,
        1 => json!("much"),
        _ => json!(random.i64(-50..1_000).to_string()),
    }
}

fn image(random: &mut Rng) -> String {
    format!("registry.test/main:{}", random.u32(1..4))
}
