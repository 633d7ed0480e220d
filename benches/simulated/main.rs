//! What it costs to list and follow the Pods of a large cluster, at a pace that no etcd on the same machine could give:
//! celemetry beside reflectors of kube-rs, and beside reading the same bytes and dropping them, which is the floor.
//!
//! In: `OBJECTS`, of which three quarters are Pods, `RATE` (events of Pods a second), `SECONDS` from the environment.
//! Out: a table on standard output. Must never know: how any of the readers works.
//!
//! This process is the API server, simulated, on loopback; each reader is a process of its own, and processor time and
//! memory are the operating system's figures of each. It fails if celemetry's numbers are not the cluster's at the end.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "the table is what this is for")]

#[path = "../../tests/cluster/harness/mod.rs"]
mod harness;
#[path = "../cluster/costs.rs"]
mod costs;
#[path = "../cluster/readers.rs"]
mod readers;
mod metrics;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use celemetry::apiserver::{Server, Store};
use celemetry::simulator::event::Action;
use celemetry::simulator::state::Kind;
use celemetry::simulator::{Cluster, Settings};

use costs::Cost;
use harness::operator::{Usage, usage};
use harness::{Operator, folder, until_within};
use readers::Purpose;

/// How much of everything.
struct Scale {
    objects: u64,
    /// Events of Pods a second.
    rate: u64,
    seconds: u64,
}

/// Events that the server remembers, 120 MB of them: a reader that falls further behind has to list again.
const HISTORY: usize = 20_000;

/// How long the first list, or what is left of the events, may take.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() {
    if matches!(readers::purpose(), Purpose::Measure) {
        measure(&Scale::from_environment());
        harness::stop(false);
    }
}

fn measure(scale: &Scale) {
    let store = Arc::new(Store::new(Cluster::new(Settings { objects: scale.objects, seed: 1 }), HISTORY));
    let pods = store.look(|cluster| cluster.count(Kind::Pod));
    let metrics = metrics::all();
    println!(
        "{pods} Pods, {} Metrics over them, {} events/s for {} s",
        metrics.len(),
        scale.rate,
        scale.seconds
    );
    let kubeconfig = serve(&store);
    let file = folder::fresh("simulated").join("metrics.json");
    std::fs::write(&file, metrics::list(&metrics)).unwrap();
    let operator = Operator::run().arg("-f").arg(&file).arg("--kubeconfig").arg(&kubeconfig).start();
    until_truth(&store, &operator);
    let others = readers::start_all(&kubeconfig);
    let look =
        || std::iter::once(operator.usage()).chain(others.iter().map(|(_, daemon)| usage(daemon.id())));
    let synced: Vec<Usage> = look().collect();
    let events = drive(&store, scale);
    until_truth(&store, &operator);
    until_idle(look);
    let names = std::iter::once("celemetry").chain(others.iter().map(|(name, _)| *name));
    let costs: Vec<Cost> =
        names.zip(synced).zip(look()).map(|((name, synced), after)| Cost { name, synced, after }).collect();
    costs::print(&costs, events);
    println!("celemetry's series are equal to the cluster's truth");
}

/// Serves the cluster from now on; gives the kubeconfig for it.
fn serve(store: &Arc<Store>) -> PathBuf {
    let runtime = harness::runtime();
    let server = runtime.block_on(Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
    let kubeconfig = folder::fresh("simulated").join("kubeconfig");
    std::fs::write(&kubeconfig, server.kubeconfig()).unwrap();
    runtime.spawn(server.serve(Arc::clone(store)));
    kubeconfig
}

/// Lets things happen at the rate. Gives how many of them happened to Pods.
fn drive(store: &Store, scale: &Scale) -> u64 {
    let (began, mut events) = (Instant::now(), 0);
    while events < scale.rate * scale.seconds {
        let due = began + Duration::from_secs_f64(events as f64 / scale.rate as f64);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        let told = store.step();
        let of_pods = told.iter().filter(|event| event.kind == Kind::Pod && event.action != Action::Bookmark);
        events += of_pods.count() as u64;
    }
    println!("the events took {:.1} s", began.elapsed().as_secs_f64());
    events
}

/// Waits until the Pods by phase are what they are.
fn until_truth(store: &Store, operator: &Operator) {
    let mut truth: BTreeMap<String, f64> = BTreeMap::new();
    store.look(|cluster| {
        for (_, pod) in cluster.pods().iter() {
            *truth.entry(format!("phase={:?}", pod.phase.name())).or_default() += 1.0;
        }
    });
    until_within(PATIENCE, "celemetry's numbers are the cluster's", || {
        let seen = operator.metrics().family(metrics::BY_PHASE);
        if seen == truth {
            Ok(())
        } else {
            Err(format!("{seen:?} instead of {truth:?}\n{}", operator.tail()))
        }
    });
}

/// Waits until no reader works any more.
fn until_idle<I: Iterator<Item = Usage>>(look: impl Fn() -> I) {
    const A_WHILE: Duration = Duration::from_secs(1);
    let busy = || look().map(|usage| usage.cpu).collect::<Vec<_>>();
    let mut before = busy();
    until_within(PATIENCE, "every reader has read everything", || {
        std::thread::sleep(A_WHILE);
        let now = busy();
        let worked = now.iter().zip(&before).any(|(now, before)| *now > *before + A_WHILE / 50);
        before = now;
        if worked { Err("they work".to_owned()) } else { Ok(()) }
    });
}

// === impl Scale ===

impl Scale {
    fn from_environment() -> Self {
        let number = |name: &str, default| {
            std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
        };
        Scale {
            objects: number("OBJECTS", 27_500),
            rate: number("RATE", 1_000),
            seconds: number("SECONDS", 30),
        }
    }
}
