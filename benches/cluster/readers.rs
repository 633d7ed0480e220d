//! Other readers of the same Pods, each a process of its own.
//!
//! In: a kubeconfig. Out: nothing but what they cost, and a line once they have every Pod.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::{AsyncBufReadExt, StreamExt, pin_mut};
use k8s_openapi::api::core::v1::Pod;
use kube::core::{DynamicObject, params};
use kube::discovery::ApiResource;
use kube::runtime::{WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Config};

use crate::harness::process::Daemon;
use crate::harness::{folder, until_within};

/// Says that this process is a reader; what follows is its kubeconfig.
const FLAG: &str = "--reader";
/// What a reader writes when it has every Pod.
const SYNCED: &str = "has every Pod";
/// Reads the same bytes and drops them.
pub(crate) const FLOOR: &str = "read and drop (floor)";
const TYPED: &str = "kube-rs reflector, Pod";
const DYNAMIC: &str = "kube-rs reflector, Dynamic";

/// All readers.
const KINDS: [&str; 3] = [FLOOR, TYPED, DYNAMIC];

/// How long a reader may take for its first list.
const PATIENCE: Duration = Duration::from_secs(300);

/// Tells a reader which one it is.
const KIND: &str = "READER";

/// Starts all of them, one after the other, and waits until each has every Pod.
pub(crate) fn start_all(kubeconfig: &Path) -> Vec<(&'static str, Daemon)> {
    let ready = |kind: &'static str| {
        let daemon = start(kind, kubeconfig);
        until_within(PATIENCE, &format!("{kind} has every Pod"), || {
            daemon.log().contains(SYNCED).then_some(()).ok_or_else(|| daemon.tail())
        });
        (kind, daemon)
    };
    KINDS.into_iter().map(ready).collect()
}

/// Starts a reader.
fn start(kind: &str, kubeconfig: &Path) -> Daemon {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.arg(FLAG).arg(kubeconfig).env(KIND, kind).stdin(Stdio::null());
    let log = folder::fresh("reader").join("log");
    Daemon::start(kind, &mut command, &log)
}

/// What this process was started for.
pub(crate) enum Purpose {
    /// To measure.
    Measure,
    /// To be measured: it was, and is over.
    Read,
    /// To see whether it starts.
    Start,
}

/// Is a reader until it is killed, if that is what this process was started for.
pub(crate) fn purpose() -> Purpose {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(kubeconfig) = arguments.iter().skip_while(|argument| *argument != FLAG).nth(1) {
        run(kubeconfig);
        return Purpose::Read;
    }
    // `cargo test --benches` only asks whether it starts.
    let is_asked = arguments.iter().any(|argument| argument == "--test" || argument == "--list");
    if is_asked { Purpose::Start } else { Purpose::Measure }
}

fn run(kubeconfig: &str) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime starts");
    let kind = std::env::var(KIND).unwrap_or_default();
    runtime.block_on(async {
        let client = client(kubeconfig).await;
        match kind.as_str() {
            FLOOR => drain(client).await,
            TYPED => reflect(Api::<Pod>::all(client)).await,
            _ => {
                let resource = ApiResource::erase::<Pod>(&());
                reflect_dynamic(Api::<DynamicObject>::all_with(client, &resource), resource).await;
            }
        }
    });
}

async fn client(kubeconfig: &str) -> Client {
    let read = kube::config::Kubeconfig::read_from(kubeconfig).expect("the kubeconfig is readable");
    let config = Config::from_custom_kubeconfig(read, &kube::config::KubeConfigOptions::default()).await;
    Client::try_from(config.expect("the kubeconfig is whole")).expect("a client can be made")
}

/// Lists by pages, then watches, and keeps nothing.
async fn drain(client: Client) {
    let request = kube::core::Request::new("/api/v1/pods");
    let (mut go_on, mut position) = (None, String::new());
    loop {
        let page = params::ListParams { limit: Some(500), continue_token: go_on, ..Default::default() };
        let text = client.request_text(request.list(&page).expect("a request")).await.expect("a page");
        let head: Head = serde_json::from_str(&text).expect("a list");
        position.clone_from(&head.metadata.resource_version);
        go_on = Some(head.metadata.go_on).filter(|go_on| !go_on.is_empty());
        if go_on.is_none() {
            break;
        }
    }
    say();
    let watch = params::WatchParams { bookmarks: true, ..Default::default() };
    let lines =
        client.request_stream(request.watch(&watch, &position).expect("a request")).await.expect("a watch");
    pin_mut!(lines);
    let mut buffer = Vec::new();
    while let Ok(read) = lines.read_until(b'\n', &mut buffer).await {
        if read == 0 {
            break;
        }
        buffer.clear();
    }
}

/// The head of a list; its items are skipped.
#[derive(serde::Deserialize)]
struct Head {
    metadata: ListMetadata,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListMetadata {
    resource_version: String,
    #[serde(rename = "continue", default)]
    go_on: String,
}

async fn reflect(pods: Api<Pod>) {
    let (store, writer) = reflector::store();
    let events =
        reflector(writer, watcher(pods, watcher::Config::default())).default_backoff().touched_objects();
    let ready = tokio::spawn(async move {
        store.wait_until_ready().await.expect("the reflector runs");
        say();
        // Holds the store for as long as the process runs.
        std::future::pending::<()>().await;
        drop(store);
    });
    events.for_each(|_| std::future::ready(())).await;
    ready.abort();
}

async fn reflect_dynamic(pods: Api<DynamicObject>, resource: ApiResource) {
    let writer = reflector::store::Writer::<DynamicObject>::new(resource);
    let store = writer.as_reader();
    let events =
        reflector(writer, watcher(pods, watcher::Config::default())).default_backoff().touched_objects();
    let ready = tokio::spawn(async move {
        store.wait_until_ready().await.expect("the reflector runs");
        say();
        std::future::pending::<()>().await;
        drop(store);
    });
    events.for_each(|_| std::future::ready(())).await;
    ready.abort();
}

#[allow(clippy::print_stderr, reason = "the parent waits for this line in the log")]
fn say() {
    eprintln!("{SYNCED}");
}
