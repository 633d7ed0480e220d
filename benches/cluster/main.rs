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
mod load;
mod readers;

use std::time::{Duration, Instant};

use serde_json::json;

use harness::operator::{Usage, usage};
use harness::process::Daemon;
use harness::{Collector, Operator, Plane, Sink, Value, until_within};
use load::{Load, Scale};

/// What one reader used for the updates, and holds.
struct Row {
    name: &'static str,
    synced: Usage,
    cpu: Duration,
    resident: u64,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(kubeconfig) = arguments.iter().skip_while(|argument| *argument != readers::FLAG).nth(1) {
        return readers::run(kubeconfig);
    }
    // `cargo test --benches` only asks whether it starts.
    if arguments.iter().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    measure(&Scale::from_environment());
    harness::stop(false);
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
    let others: Vec<(&str, Daemon)> =
        readers::KINDS.iter().map(|kind| (*kind, readers::start(kind, &kubeconfig))).collect();
    for (kind, daemon) in &others {
        until_within(Duration::from_secs(300), &format!("{kind} has every Pod"), || {
            daemon.log().contains(readers::SYNCED).then_some(()).ok_or_else(|| daemon.tail())
        });
    }
    let mut rows =
        vec![Row { name: "celemetry", synced: operator.usage(), cpu: Duration::ZERO, resident: 0 }];
    rows.extend(others.iter().map(|(name, daemon)| Row {
        name,
        synced: usage(daemon.id()),
        cpu: Duration::ZERO,
        resident: 0,
    }));
    let steady = plane.requests(&user).len();
    let updates = load.churn(Duration::from_secs(scale.seconds));
    // Whatever was sent last has been read by now.
    std::thread::sleep(Duration::from_secs(2));
    for (row, after) in rows
        .iter_mut()
        .zip(std::iter::once(operator.usage()).chain(others.iter().map(|(_, d)| usage(d.id()))))
    {
        (row.cpu, row.resident) = (after.cpu.saturating_sub(row.synced.cpu), after.resident);
    }
    costs(&rows, updates);
    freshness(&load, &operator, &sink, scale);
    let lists = plane.requests(&user)[steady..].iter().filter(|request| request.reads_all()).count();
    println!("\nLISTs that may return more than one object, in steady state: {lists}");
    println!("open watches of Pods by the operator: {}", watches(&plane, &user));
}

fn watches(plane: &Plane, user: &harness::plane::users::User) -> usize {
    plane.requests(user).iter().filter(|request| request.is("watch", "pods") && !request.over).count()
}

fn costs(rows: &[Row], updates: u64) {
    println!(
        "\n{:<28} {:>10} {:>14} {:>12} {:>8}",
        "reader", "sync, CPU", "CPU an event", "resident", "ratio"
    );
    let floor = rows.iter().find(|row| row.name == readers::FLOOR).map_or(Duration::ZERO, |row| row.cpu);
    for row in rows {
        let an_event = row.cpu.as_micros() as f64 / updates as f64;
        let ratio = row.cpu.as_secs_f64() / floor.as_secs_f64();
        println!(
            "{:<28} {:>8.2} s {:>11.1} µs {:>8.1} MiB {:>8.2}",
            row.name,
            row.synced.cpu.as_secs_f64(),
            an_event,
            row.resident as f64 / 1_048_576.0,
            ratio
        );
    }
    println!("({updates} updates; the ratio is to {})", readers::FLOOR);
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
