//! The whole operator on a real control plane: how fresh its numbers are and what they cost, beside a reflector of kube-rs
//! and beside reading the same bytes and dropping them, which is the floor.
//!
//! In: `PODS`, `METRICS`, `RATE` (updates a second), `SECONDS`, `PROBES` from the environment. Out: a table on standard
//! output. Must never know: how the operator works.
//!
//! Three readers follow the same Pods through the same updates, each a process of its own; processor time and memory are
//! the operating system's figures of each. Freshness is from before a write is sent to when its effect is seen.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "the table is what this is for")]

#[path = "../../tests/cluster/harness/mod.rs"]
mod harness;
mod costs;
mod load;
mod readers;

use std::time::{Duration, Instant};

use serde_json::json;

use costs::Cost;
use harness::operator::{Usage, usage};
use harness::{Collector, Operator, Plane, Sink, Value, until_within};
use load::{Load, Scale};
use readers::Purpose;

fn main() {
    if matches!(readers::purpose(), Purpose::Measure) {
        measure(&Scale::from_environment());
        harness::stop(false);
    }
}

fn measure(scale: &Scale) {
    let plane = Plane::shared();
    let (user, reader) = (plane.operator_user(), plane.operator_user());
    println!(
        "{} Pods, {} Metrics, {} updates/s for {} s",
        scale.pods, scale.metrics, scale.rate, scale.seconds
    );
    let load = Load::new(&plane, scale);
    load.fill();
    let sink = Sink::start();
    let collector = Collector::before(&sink);
    load.declare(&collector.grpc());
    let mut operator =
        Operator::on(&plane.kubeconfig(&user)).env("OPERATOR_CONFIG_NAMESPACE", load.namespace()).start();
    operator.wait_ready();
    let everything = Value::Integer(i64::try_from(scale.pods).unwrap());
    sink.wait_value(load::TOTAL, &[], everything);
    let kubeconfig = plane.kubeconfig(&reader);
    let others = readers::start_all(&kubeconfig);
    let look =
        || std::iter::once(operator.usage()).chain(others.iter().map(|(_, daemon)| usage(daemon.id())));
    let synced: Vec<Usage> = look().collect();
    let steady = plane.requests(&user).len();
    let updates = load.churn(Duration::from_secs(scale.seconds));
    // Whatever was sent last has been read by now.
    std::thread::sleep(Duration::from_secs(2));
    let names = std::iter::once("celemetry").chain(others.iter().map(|(name, _)| *name));
    let costs: Vec<Cost> =
        names.zip(synced).zip(look()).map(|((name, synced), after)| Cost { name, synced, after }).collect();
    costs::print(&costs, updates);
    freshness(&load, &operator, &sink, scale);
    let lists = plane.requests(&user)[steady..].iter().filter(|request| request.reads_all()).count();
    println!("\nLISTs that may return more than one object, in steady state: {lists}");
    println!("open watches of Pods by the operator: {}", watches(&plane, &user));
}

fn watches(plane: &Plane, user: &harness::plane::users::User) -> usize {
    plane.requests(user).iter().filter(|request| request.is("watch", "pods") && !request.over).count()
}

/// Writes a number into a Pod now and then, while everything else goes on, and waits for it at both ends.
fn freshness(load: &Load, operator: &Operator, sink: &Sink, scale: &Scale) {
    let (mut page, mut collected) = (vec![], vec![]);
    load.beside(|| {
        for number in 1..=scale.probes {
            let sent = Instant::now();
            load.probe(number);
            let at_page = until_within(Duration::from_secs(30), "the page shows it", || {
                let value = operator.metrics().value(load::PROBE, &[]);
                if value == Some(number as f64) { Ok(Instant::now()) } else { Err(format!("{value:?}")) }
            });
            let value = Value::Integer(i64::try_from(number).unwrap());
            let point = sink.wait_value(load::PROBE, &[], value);
            page.push(at_page - sent);
            collected.push(point.arrived - sent);
        }
    });
    println!("\n{:<28} {:>8} {:>8} {:>8}", "change to", "p50", "p99", "max");
    for (what, mut times) in [("/metrics", page), ("the Collector's receiver", collected)] {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64();
        println!("{what:<28} {:>6.3} s {:>6.3} s {:>6.3} s", at(50), at(99), at(100));
    }
    println!("(debounce 1 s; {} probes)", scale.probes);
}

/// What one Metric of the load looks like.
fn metric(namespace: &str, name: &str, spec: serde_json::Value) -> serde_json::Value {
    let mut spec = spec;
    spec["target"] = json!({"kind": "Pod", "version": "v1"});
    spec["dataSinkRef"] = json!({"name": "default"});
    json!({
        "apiVersion": "metrics.open-control-plane.io/v1alpha1", "kind": "Metric",
        "metadata": {"namespace": namespace, "name": name}, "spec": spec,
    })
}
