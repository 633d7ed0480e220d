//! Connections that break, API servers that die, history that is lost: in the end the numbers are the API server's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{Client, Plane, Proxy, Scene, until, until_within};

tests![
    a_watch_that_is_cut_again_and_again_loses_nothing_and_lists_nothing,
    a_connection_that_falls_silent_is_given_up_and_nothing_is_missed,
    connections_that_rest_and_die_in_silence_hold_up_no_watch,
    an_api_server_that_is_killed_under_load_and_started_again_costs_no_number,
    an_api_server_that_stands_still_for_a_while_costs_no_number,
    a_history_that_was_forgotten_costs_one_list,
    a_history_that_was_set_back_is_noticed,
];

/// A thread that creates, changes and deletes Pods, whether or not the API server answers.
struct Writing {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<usize>,
}

/// The Metric of these tests.
fn by_phase() -> Value {
    json!({"projections": [{"name": "phase", "fieldPath": "status.phase"}]})
}

/// Waits until the metric has the series that the API server's own list gives.
#[track_caller]
fn wait_equal(scene: &Scene<'_>, name: &str) {
    let mut expected: BTreeMap<String, f64> = BTreeMap::new();
    for pod in scene.client().list("v1", "Pod", Some(&scene.namespace)) {
        *expected.entry(format!("phase={}", pod["status"]["phase"])).or_default() += 1.0;
    }
    let expected: Vec<(&str, f64)> = expected.iter().map(|(phase, count)| (&**phase, *count)).collect();
    scene.sees(name, &expected);
}

// === impl Writing ===

impl Writing {
    fn begin(client: &Client, namespace: &str) -> Self {
        let (client, namespace) = (client.clone(), namespace.to_owned());
        let ends = Arc::new(AtomicBool::new(false));
        let ending = Arc::clone(&ends);
        let thread = std::thread::spawn(move || {
            let mut random = fastrand::Rng::with_seed(7);
            let mut written = 0;
            while !ending.load(Ordering::Relaxed) {
                written += usize::from(write(&client, &namespace, &mut random));
                sleep(Duration::from_millis(5));
            }
            written
        });
        Self { ends, thread }
    }

    /// Waits until so many more writes have succeeded... and ends.
    fn end(self) -> usize {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// One change of one of a few Pods. Tells whether the API server took it.
fn write(client: &Client, namespace: &str, random: &mut fastrand::Rng) -> bool {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let name = format!("p{:02}", random.u32(..20));
    let one = format!("{pods}/{name}");
    let merge = "application/merge-patch+json";
    let (method, path, kind, body) = match random.u32(..10) {
        0..3 => {
            (Method::POST, pods, "application/json", crate::harness::pod(namespace, &name).object().clone())
        }
        3 => (Method::DELETE, one, "application/json", json!({"gracePeriodSeconds": 0})),
        _ => {
            let phase = ["Pending", "Running", "Failed", "Succeeded"][random.usize(..4)];
            (Method::PATCH, format!("{one}/status"), merge, json!({"status": {"phase": phase}}))
        }
    };
    client.send(&method, &path, kind, body.to_string()).is_ok_and(|answer| answer.status.is_success())
}

fn a_watch_that_is_cut_again_and_again_loses_nothing_and_lists_nothing() {
    let plane = Plane::shared();
    let proxy = Proxy::before(plane.address());
    let scene = Scene::on(&plane, "cut").by_way_of(proxy.address()).start();
    let metric = scene.declare("cut-pods", by_phase());
    scene.wait_ready(&metric);
    let lists = scene.full_lists("pods");
    let writing = Writing::begin(scene.client(), &scene.namespace);
    for cuts in 1..=8 {
        until("the next watch", || {
            let watches = scene.requests("watch", "pods").len();
            if watches >= cuts { Ok(()) } else { Err(format!("{watches}\n{}", scene.operator.tail())) }
        });
        proxy.cut();
    }
    let written = writing.end();
    wait_equal(&scene, "cut_pods");
    assert!(written > 20, "{written} writes");
    assert_eq!(scene.full_lists("pods"), lists, "{}", scene.lately("pods"));
    scene.wait_ready(&metric);
}

fn a_connection_that_falls_silent_is_given_up_and_nothing_is_missed() {
    let plane = Plane::shared();
    let proxy = Proxy::before(plane.address());
    let scene = Scene::on(&plane, "silent").by_way_of(proxy.address()).args(&["--watch-idle", "3s"]).start();
    let metric = scene.declare("silent-pods", by_phase());
    scene.wait_ready(&metric);
    scene.pod("before").phase("Running").create(scene.client());
    wait_equal(&scene, "silent_pods");
    let lists = scene.full_lists("pods");
    proxy.darken();
    let writing = Writing::begin(scene.client(), &scene.namespace);
    scene.pod("meanwhile").phase("Unknown").create(scene.client());
    until("an event that came after the silence", || {
        let seen = scene.operator.metrics().sum("silent_pods", &[("phase", "Unknown")]);
        if seen == 1.0 { Ok(()) } else { Err(scene.operator.tail()) }
    });
    assert!(writing.end() > 0);
    wait_equal(&scene, "silent_pods");
    assert_eq!(scene.full_lists("pods"), lists, "it went on where it was\n{}", scene.lately("pods"));
    // Metrics are heard of again, too.
    let later = scene.declare("silent-later", json!({}));
    scene.wait_ready(&later);
    scene.client().delete(&later);
    scene.sees("silent_later", &[]);
}

fn connections_that_rest_and_die_in_silence_hold_up_no_watch() {
    /// A little more than a watch that is silent and one that is not answered take together.
    const IN_TIME: Duration = Duration::from_secs(40);
    let plane = Plane::shared();
    let proxy = Proxy::before(plane.address());
    let scene = Scene::on(&plane, "resting").by_way_of(proxy.address()).args(&["--watch-idle", "3s"]).start();
    scene.wait_ready(&scene.declare("resting-pods", by_phase()));
    // Statuses are written over several connections, which then wait for further requests.
    let others: Vec<Value> =
        (0..10).map(|number| scene.declare(&format!("resting-{number}"), json!({}))).collect();
    others.iter().for_each(|metric| scene.wait_ready(metric));
    proxy.darken();
    scene.pod("meanwhile").phase("Running").create(scene.client());
    until_within(IN_TIME, "the Pod", || {
        let seen = scene.operator.metrics().sum("resting_pods", &[("phase", "Running")]);
        if seen == 1.0 { Ok(()) } else { Err(scene.operator.tail()) }
    });
    wait_equal(&scene, "resting_pods");
}

fn an_api_server_that_is_killed_under_load_and_started_again_costs_no_number() {
    let plane = Plane::own();
    let scene = Scene::on(&plane, "killed").start();
    let metric = scene.declare("killed-pods", by_phase());
    scene.wait_ready(&metric);
    let writing = Writing::begin(scene.client(), &scene.namespace);
    for _ in 0..2 {
        let before = scene.operator.metrics().sum("killed_pods", &[]);
        until("a Pod more or less", || {
            let now = scene.operator.metrics().sum("killed_pods", &[]);
            if now == before { Err(format!("{now}\n{}", scene.operator.tail())) } else { Ok(()) }
        });
        plane.kill_server();
        assert_eq!(scene.operator.healthz().unwrap().0, 200);
        assert_eq!(scene.operator.readyz().unwrap().0, 200, "who scrapes is not sent away");
        plane.start_server();
    }
    assert!(writing.end() > 0);
    wait_equal(&scene, "killed_pods");
    scene.wait_ready(&metric);
    let later = scene.declare("killed-later", json!({}));
    scene.wait_ready(&later);
}

fn an_api_server_that_stands_still_for_a_while_costs_no_number() {
    let plane = Plane::own();
    let scene = Scene::on(&plane, "paused").args(&["--watch-idle", "2s"]).start();
    let metric = scene.declare("paused-pods", by_phase());
    scene.wait_ready(&metric);
    let writing = Writing::begin(scene.client(), &scene.namespace);
    plane.pause_server();
    // Long enough to be taken for dead.
    until("the end of the series", || {
        let left = scene.operator.metrics().family("paused_pods");
        if left.is_empty() { Ok(()) } else { Err(format!("{left:?}\n{}", scene.operator.tail())) }
    });
    plane.resume_server();
    until("series", || {
        let seen = scene.operator.metrics().family("paused_pods");
        if seen.is_empty() { Err(scene.operator.tail()) } else { Ok(()) }
    });
    assert!(writing.end() > 0);
    wait_equal(&scene, "paused_pods");
    scene.wait_ready(&metric);
}

fn a_history_that_was_forgotten_costs_one_list() {
    let plane = Plane::own();
    let proxy = Proxy::before(plane.address());
    // Longer than the server is away: what is withdrawn meanwhile is listed once more.
    let scene =
        Scene::on(&plane, "forgotten").by_way_of(proxy.address()).args(&["--stale-after", "5m"]).start();
    let client = scene.client();
    let metric = scene.declare("forgotten-pods", by_phase());
    let a = scene.pod("a").phase("Running").create(client);
    scene.wait_ready(&metric);
    wait_equal(&scene, "forgotten_pods");
    let lists = scene.full_lists("pods");
    // What happens now, no watch will ever tell.
    proxy.refuse();
    client.delete(&a);
    for name in ["b", "c", "d"] {
        scene.pod(name).phase("Failed").create(client);
    }
    plane.compact();
    plane.kill_server();
    plane.start_server();
    proxy.pass();
    wait_equal(&scene, "forgotten_pods");
    scene.wait_ready(&metric);
    scene.pod("e").create(client);
    wait_equal(&scene, "forgotten_pods");
    assert_eq!(scene.full_lists("pods"), lists + 1, "{}", scene.lately("pods"));
}

fn a_history_that_was_set_back_is_noticed() {
    let plane = Plane::own();
    let scene = Scene::on(&plane, "restored").args(&["--rewind-check", "1s"]).start();
    let client = scene.client();
    let metric = scene.declare("restored-pods", by_phase());
    scene.wait_ready(&metric);
    let lost = scene.pod("lost").phase("Running").create(client);
    wait_equal(&scene, "restored_pods");
    let backup = plane.back_up();
    client.delete(&lost);
    let new = scene.pod("new").phase("Failed").create(client);
    let later = scene.declare("restored-later", json!({}));
    for number in 0..150 {
        client.patch(&new, &json!({"metadata": {"labels": {"number": number.to_string()}}}));
    }
    scene.wait_ready(&later);
    wait_equal(&scene, "restored_pods");
    plane.restore(&backup);
    wait_equal(&scene, "restored_pods");
    scene.sees("restored_pods", &[("phase=\"Running\"", 1.0)]);
    // The Metric that the backup does not know is gone as well, and others are heard of.
    scene.sees("restored_later", &[]);
    let again = scene.declare("restored-again", json!({}));
    scene.wait_ready(&again);
    scene.sees("restored_again", &[("", 1.0)]);
}
