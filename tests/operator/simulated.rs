//! `celemetry run` with its real informers over the simulated API server: whatever happens, it ends up with the truth.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use celemetry::apiserver::{Server, Store};
use celemetry::simulator::{Cluster, Settings};
use tokio::runtime::Runtime;

use crate::program::{Program, scratch};

/// How long the program may take to come to the truth once the cluster stands still: a relist after an expired watch may
/// wait out a back-off.
const PATIENCE: Duration = Duration::from_secs(60);

/// Events that the server remembers.
const HISTORY: usize = 300;

/// A simulated API server, and a program that follows it.
struct Ground {
    store: Arc<Store>,
    program: Program,
    _runtime: Runtime,
}

impl Ground {
    fn new(name: &str, metrics: &[&str]) -> Self {
        let store = Arc::new(Store::new(Cluster::new(Settings { objects: 400, seed: 6 }), HISTORY));
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(Server::bind(SocketAddr::from(([127, 0, 0, 1], 0)))).unwrap();
        let kubeconfig = scratch(name, &server.kubeconfig());
        runtime.spawn(server.serve(Arc::clone(&store)));
        let files: Vec<&str> = metrics.iter().flat_map(|file| ["-f", file]).collect();
        let program = Program::run(&[&files[..], &["--kubeconfig", &kubeconfig]].concat());
        Ground { store, program, _runtime: runtime }
    }

    /// Waits until what the program serves is the truth.
    fn check(&self) {
        let expected = truth(&self.store);
        let begun = Instant::now();
        let mut samples = vec![];
        while begun.elapsed() < PATIENCE {
            samples = self.program.samples();
            if samples == expected {
                return;
            }
            // Nothing tells when a page has changed.
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("after {PATIENCE:?} the program serves {samples:#?}, the truth is {expected:#?}");
    }
}

/// What `/metrics` must show of the Pods, Nodes and Databases, counted by hand.
fn truth(store: &Store) -> Vec<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::from([("k8s_node_not_ready".to_owned(), 0)]);
    store.look(|cluster| {
        for (_, pod) in cluster.pods().iter() {
            *counts.entry(format!("k8s_pod_count{{phase=\"{}\"}}", pod.phase.name())).or_default() += 1;
        }
        for (_, node) in cluster.nodes().iter().filter(|(_, node)| !node.is_heard) {
            assert!(node.meta.deleted.is_none());
            *counts.entry("k8s_node_not_ready".to_owned()).or_default() += 1;
        }
        for (_, database) in cluster.databases().iter() {
            let ready = match database.ready {
                None => "Unknown",
                Some((true, _)) => "True",
                Some((false, _)) => "False",
            };
            let series =
                format!("example_database_count{{engine=\"{}\",ready=\"{ready}\"}}", database.engine);
            *counts.entry(series).or_default() += 1;
        }
    });
    counts.into_iter().map(|(series, count)| format!("{series} {count}")).collect()
}

const METRICS: &[&str] =
    &["examples/pods-by-phase.yaml", "examples/nodes-not-ready.yaml", "examples/databases-by-readiness.yaml"];

#[test]
fn an_informer_follows_the_simulated_api_server_through_lists_watches_and_expired_positions() {
    let ground = Ground::new("simulated.kubeconfig", METRICS);
    ground.check();
    for _ in 0..4 {
        (0..60).for_each(|_| drop(ground.store.step()));
        ground.check();
    }
    // So much at once that every position is forgotten: each watch ends with 410, and its kind is listed again.
    for _ in 0..2 {
        ground.store.steps(4 * HISTORY);
        ground.check();
    }
    ground.program.signal("TERM");
    ground.program.ends(0);
}
