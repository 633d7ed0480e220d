//! What the example Metrics must say of the simulated cluster, counted by hand.
//!
//! In: the cluster's own objects, not their JSON. Out: the series of every Metric. Must never know: the engine,
//! expressions, watch events.

use std::collections::BTreeMap;

use crate::simulator::Cluster;
use crate::simulator::state::{Phase, Pod};

/// The Metrics of the demo, as YAML: the file and its text.
pub(super) const METRICS: &[(&str, &str)] = &[
    ("examples/pods-by-phase.yaml", include_str!("../../../examples/pods-by-phase.yaml")),
    ("examples/memory-requested.yaml", include_str!("../../../examples/memory-requested.yaml")),
    ("examples/restarts-by-namespace.yaml", include_str!("../../../examples/restarts-by-namespace.yaml")),
    ("examples/oldest-pending-pod.yaml", include_str!("../../../examples/oldest-pending-pod.yaml")),
    ("examples/nodes-not-ready.yaml", include_str!("../../../examples/nodes-not-ready.yaml")),
    ("examples/databases-by-readiness.yaml", include_str!("../../../examples/databases-by-readiness.yaml")),
    ("examples/demo/deployments-behind.yaml", include_str!("../../../examples/demo/deployments-behind.yaml")),
    ("examples/demo/replicas-ready.yaml", include_str!("../../../examples/demo/replicas-ready.yaml")),
    ("examples/demo/jobs-by-outcome.yaml", include_str!("../../../examples/demo/jobs-by-outcome.yaml")),
    ("examples/demo/namespaces-by-team.yaml", include_str!("../../../examples/demo/namespaces-by-team.yaml")),
];

/// Which series: the object that declares its metric, and its attributes in the order of their names.
pub(super) type Key = (String, Vec<(String, String)>);

/// Numbers by series. All of the demo's are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Truth {
    pub(super) series: BTreeMap<Key, i64>,
}

/// Counts everything.
pub(super) fn truth(cluster: &Cluster) -> Truth {
    let mut truth = Truth::default();
    truth.of_pods(cluster);
    truth.of_workloads(cluster);
    let lost = cluster.nodes().iter().filter(|(_, node)| !node.is_heard).count();
    truth.add("nodes-not-ready", &[], lost as i64);
    for (_, database) in cluster.databases().iter() {
        let ready = match database.ready {
            None => "Unknown",
            Some((true, _)) => "True",
            Some((false, _)) => "False",
        };
        truth.add("databases-by-readiness", &[("engine", database.engine), ("ready", ready)], 1);
    }
    for (_, namespace) in cluster.namespaces().iter().filter(|(_, it)| it.meta.deleted.is_none()) {
        truth.add("namespaces-by-team", &[("team", namespace.team)], 1);
    }
    truth
}

// === impl Truth ===

impl Truth {
    fn of_pods(&mut self, cluster: &Cluster) {
        for (_, pod) in cluster.pods().iter() {
            let namespace = [("namespace", &*pod.app.namespace)];
            self.add("pods-by-phase", &[("phase", pod.phase.name())], 1);
            if !matches!(pod.phase, Phase::Succeeded | Phase::Failed) {
                self.add("memory-requested", &namespace, memory(pod));
            }
            if pod.started.is_some() {
                let restarts: u64 = pod.containers.iter().map(|container| container.restarts).sum();
                self.add("restarts-by-namespace", &namespace, restarts as i64);
            }
            if pod.phase == Phase::Pending {
                let created = pod.meta.created.0 as i64;
                let oldest = self.series.entry(key("oldest-pending-pod", &namespace)).or_insert(created);
                *oldest = created.min(*oldest);
            }
        }
    }

    fn of_workloads(&mut self, cluster: &Cluster) {
        let behind = cluster.deployments().iter().filter(|(_, it)| it.ready < it.replicas).count();
        self.add("deployments-behind", &[], behind as i64);
        for (_, set) in cluster.replica_sets().iter() {
            self.add("replicas-ready", &[("namespace", &set.app.namespace)], set.ready as i64);
        }
        for (_, job) in cluster.jobs().iter() {
            let outcome = match job.ended {
                None => "Running",
                Some((true, _)) => "Complete",
                Some((false, _)) => "Failed",
            };
            self.add("jobs-by-outcome", &[("outcome", outcome)], 1);
        }
    }

    fn add(&mut self, metric: &str, attributes: &[(&str, &str)], number: i64) {
        *self.series.entry(key(metric, attributes)).or_default() += number;
    }
}

fn key(metric: &str, attributes: &[(&str, &str)]) -> Key {
    let attributes = attributes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    (format!("Metric/default/{metric}"), attributes.collect())
}

/// What a Pod's containers ask for, in bytes.
fn memory(pod: &Pod) -> i64 {
    let mib: u64 = pod.containers.iter().filter_map(|container| container.memory_mib).sum();
    (mib << 20) as i64
}
