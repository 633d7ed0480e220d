//! Pods, the Metrics over them, and what happens to the Pods.
//!
//! In: a scale. Out: requests to the API server. Must never know: who reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Client, Plane, pod};
use crate::metric;

/// The metric that counts every Pod.
pub(crate) const TOTAL: &str = "bench_total";
/// The metric that shows the number of the latest probe.
pub(crate) const PROBE: &str = "bench_probe";

/// How much of everything.
pub(crate) struct Scale {
    pub(crate) pods: usize,
    pub(crate) metrics: usize,
    /// Updates a second.
    pub(crate) rate: u64,
    pub(crate) seconds: u64,
    pub(crate) probes: u64,
}

/// The load on a plane.
pub(crate) struct Load {
    client: Client,
    namespace: String,
    pods: usize,
    metrics: usize,
    rate: u64,
}

/// Writers at once: each waits for the API server.
const WRITERS: usize = 4;

const PHASES: [&str; 5] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

// === impl Scale ===

impl Scale {
    pub(crate) fn from_environment() -> Self {
        let number = |name: &str, default| {
            std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
        };
        Scale {
            pods: number("PODS", 5_000) as usize,
            metrics: number("METRICS", 20) as usize,
            rate: number("RATE", 100),
            seconds: number("SECONDS", 60),
            probes: number("PROBES", 100),
        }
    }
}

// === impl Load ===

impl Load {
    pub(crate) fn new(plane: &Plane, scale: &Scale) -> Self {
        Load {
            client: plane.client().clone(),
            namespace: plane.namespace("load"),
            pods: scale.pods,
            metrics: scale.metrics,
            rate: scale.rate,
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Creates the Pods, of a realistic size: a third of it is what the server itself notes about fields.
    pub(crate) fn fill(&self) {
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                scope.spawn(move || {
                    for number in (writer..self.pods).step_by(WRITERS) {
                        self.create(number);
                    }
                });
            }
        });
    }

    fn create(&self, number: usize) {
        let environment: Vec<_> =
            (0..30).map(|n| json!({"name": format!("SETTING_{n}"), "value": "x".repeat(60)})).collect();
        pod(&self.namespace, &name(number))
            .label("app", &format!("app-{}", number % 50))
            .label("tier", ["web", "api", "batch"][number % 3])
            .annotation("tick", "0")
            .node(&format!("node-{}", number % 100))
            .with(json!({"spec": {"containers": [{
                "name": "main", "image": "registry.example.org/app:1", "env": environment,
                "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}},
            }]}}))
            .phase(PHASES[number % PHASES.len()])
            .create(&self.client);
    }

    /// Declares the Metrics: what platform teams ask for, over all Pods or the Pods of one app.
    pub(crate) fn declare(&self, endpoint: &str) {
        self.client.apply(&json!({
            "apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "DataSink",
            "metadata": {"namespace": self.namespace, "name": "default"},
            "spec": {"connection": {"endpoint": endpoint}},
        }));
        let mut specs = vec![
            json!({"name": TOTAL}),
            json!({
                "name": PROBE, "fieldSelector": format!("metadata.name={}", name(0)),
                "valueFrom": {"expression": "int(object.metadata.annotations['tick'])", "aggregation": "max"},
            }),
            json!({"name": "bench_by_phase", "projections": [{"name": "phase", "fieldPath": "status.phase"}]}),
            json!({"name": "bench_by_node", "projections": [{"name": "node", "fieldPath": "spec.nodeName"}]}),
            json!({
                "name": "bench_memory",
                "forEach": {"expression": "object.spec.containers"},
                "projections": [{"name": "app", "expression": "object.metadata.labels.app"}],
                "valueFrom": {"expression": "item.resources.requests.memory", "type": "quantity"},
            }),
        ];
        for app in specs.len()..self.metrics {
            specs.push(json!({
                "name": format!("bench_app_{app}"),
                "labelSelector": format!("app=app-{app}"),
                "filter": "object.status.phase != 'Succeeded'",
                "projections": [{"name": "phase", "fieldPath": "status.phase"}],
            }));
        }
        for (number, spec) in specs.into_iter().take(self.metrics.max(2)).enumerate() {
            self.client.apply(&metric(&self.namespace, &format!("metric-{number}"), spec));
        }
    }

    /// Lets Pods change their phase at the rate for a while. Gives how many updates there were.
    pub(crate) fn churn(&self, time: Duration) -> u64 {
        let until = Instant::now() + time;
        self.write_while(|| Instant::now() < until)
    }

    /// The same while something else is done.
    pub(crate) fn beside(&self, work: impl FnOnce()) {
        let going = Arc::new(AtomicBool::new(true));
        thread::scope(|scope| {
            let still = Arc::clone(&going);
            scope.spawn(move || self.write_while(|| still.load(Ordering::Relaxed)));
            work();
            going.store(false, Ordering::Relaxed);
        });
    }

    fn write_while(&self, going: impl Fn() -> bool + Sync) -> u64 {
        let (next, start) = (AtomicU64::new(0), Instant::now());
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    while going() {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        let due = start + Duration::from_secs_f64(number as f64 / self.rate as f64);
                        thread::sleep(due.saturating_duration_since(Instant::now()));
                        self.update(number);
                    }
                });
            }
        });
        next.into_inner()
    }

    /// Another phase for a Pod, never for that of the probes. A multiplier that is coprime to any number of Pods that is
    /// not its multiple visits them all, in no order that anything could rely on.
    fn update(&self, number: u64) {
        let which = 1 + (number * 7_919) as usize % (self.pods - 1);
        let phase = PHASES[(number as usize / (self.pods - 1) + which + 1 + number as usize) % PHASES.len()];
        self.client
            .patch_status(&pod(&self.namespace, &name(which)).object().clone(), &json!({"phase": phase}));
    }

    /// Writes a number where its metric reads it.
    pub(crate) fn probe(&self, number: u64) {
        let tick = json!({"metadata": {"annotations": {"tick": number.to_string()}}});
        self.client.patch(&pod(&self.namespace, &name(0)).object().clone(), &tick);
    }
}

fn name(number: usize) -> String {
    format!("pod-{number}")
}
