//! Everything changes, and things break meanwhile. In the end every series, on the page and at the sink, is what the
//! API server's own lists come to.

mod naive;
mod workload;

use std::collections::BTreeMap;
use std::process::Command;

use fastrand::Rng;
use serde_json::{Value as Json, json};

use crate::harness::sink::point::Attributes;
use crate::harness::{Plane, Proxy, Scene, Sink, Value, folder, until};
use naive::Family;
use workload::Workload;

tests![
    a_seeded_churn_over_a_wire_that_breaks_costs_no_number,
    another_seeded_churn_over_a_wire_that_breaks_costs_no_number,
    a_seeded_churn_over_an_api_server_that_dies_costs_no_number,
    a_namespace_that_is_relabelled_enters_and_leaves,
];

/// What breaks.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// All connections to the API server are reset.
    Cut,
    /// They fall silent.
    Darken,
    /// For a while there is no API server at all.
    Refuse,
    /// The operator stands still for a while.
    Freeze,
    /// A Metric is edited to something else and back.
    Edit,
    /// A Metric comes and goes.
    Fleeting,
    /// The API server is killed, and started again.
    Kill,
    /// The same, and meanwhile history is forgotten.
    Forget,
    /// The API server stands still for a while.
    Pause,
}

/// What can break on a plane that others use as well.
const OF_THE_WIRE: [Fault; 6] =
    [Fault::Cut, Fault::Darken, Fault::Refuse, Fault::Freeze, Fault::Edit, Fault::Fleeting];

/// Everything that is looked at.
struct Churn<'p> {
    plane: &'p Plane,
    proxy: Proxy,
    scene: Scene<'p>,
    sink: Sink,
    namespaces: Vec<String>,
    /// The value of the label that makes a namespace count.
    mark: String,
}

// === impl Churn ===

impl<'p> Churn<'p> {
    fn start(plane: &'p Plane, hint: &str) -> Self {
        let proxy = Proxy::before(plane.address());
        // So that no fault of these lasts long enough to withdraw anything.
        let flags =
            ["--stale-after", "5m", "--watch-idle", "3s", "--heartbeat", "2s", "--audit-per-minute", "1200"];
        let scene = Scene::on(plane, hint).by_way_of(proxy.address()).args(&flags).start();
        let sink = Sink::start();
        scene.declare_sink("default", &sink.grpc());
        let mut namespaces = vec![scene.namespace.clone()];
        namespaces.extend((0..2).map(|_| plane.namespace(hint)));
        let mark = scene.namespace.clone();
        let churn = Self { plane, proxy, scene, sink, namespaces, mark };
        for (name, _) in churn.metrics() {
            churn.declare(name);
        }
        churn
    }

    fn metrics(&self) -> Vec<(&'static str, Json)> {
        naive::metrics(&self.namespaces, &self.mark)
    }

    /// Declares one of the Metrics as it is meant to be.
    fn declare(&self, name: &str) -> Json {
        let spec = self.metrics().into_iter().find(|(known, _)| *known == name).unwrap().1;
        self.scene.declare(&format!("churn-{name}"), spec)
    }

    /// Objects change at random while these faults happen one after the other; after each everything is right.
    fn suffer(&mut self, faults: &[Fault], seed: u64) {
        let mut written = 0;
        for (seed, fault) in (seed..).zip(faults) {
            let workload = Workload::begin(self.plane.client(), &self.namespaces, &self.mark, seed);
            workload.wait_further(40);
            self.happen(*fault, &workload);
            workload.wait_further(40);
            written += workload.end();
            // At once, so that nothing that comes later heals it.
            self.wait_equal(&format!(
                "every series after {fault:?} of {faults:?}, {written} changes, seed {seed}"
            ));
        }
    }

    /// Objects were looked at again all the while, and nothing was found wrong.
    #[track_caller]
    fn was_audited(&self) {
        let page = self.scene.operator.metrics();
        let audits = page.sum("celemetry_audit_objects_total", &[]);
        assert!(audits >= 20.0, "{audits} audits\n{}", self.scene.operator.tail());
    }

    fn happen(&mut self, fault: Fault, workload: &Workload) {
        match fault {
            Fault::Cut => self.proxy.cut(),
            Fault::Darken => self.proxy.darken(),
            Fault::Refuse => {
                self.proxy.refuse();
                workload.wait_further(40);
                self.proxy.pass();
            }
            Fault::Freeze => {
                self.scene.operator.pause();
                workload.wait_further(80);
                self.scene.operator.resume();
            }
            Fault::Edit => {
                let client = self.scene.client();
                let edited = self.scene.metric("churn-edited", &json!({}));
                client.patch(&edited, &json!({"spec": {"filter": "object.metadata.name != 'p07'"}}));
                workload.wait_further(20);
                client.patch(&edited, &json!({"spec": {"projections": null}}));
                workload.wait_further(20);
                client.delete(&edited);
                self.declare("edited");
            }
            Fault::Fleeting => {
                let fleeting = self.scene.declare("churn-fleeting", json!({"dataSinkRef": {}}));
                workload.wait_further(40);
                self.scene.client().delete(&fleeting);
            }
            Fault::Kill | Fault::Forget => {
                self.plane.kill_server();
                if matches!(fault, Fault::Forget) {
                    self.plane.compact();
                }
                self.plane.start_server();
            }
            Fault::Pause => {
                let lines = self.scene.operator.log().lines().count();
                self.plane.pause_server();
                // Longer than a watch may be silent.
                until("the operator to notice", || {
                    let log = self.scene.operator.log();
                    let news: Vec<&str> = log.lines().skip(lines).collect();
                    if news.iter().any(|line| line.contains("pods.v1")) {
                        Ok(())
                    } else {
                        Err(news.join("\n"))
                    }
                });
                self.plane.resume_server();
            }
        }
    }

    /// The lists of the API server: Pods, Namespaces.
    fn lists(&self) -> (Vec<Json>, Vec<Json>) {
        let client = self.plane.client();
        let pods = self.namespaces.iter().flat_map(|name| client.list("v1", "Pod", Some(name))).collect();
        let mut namespaces = client.list("v1", "Namespace", None);
        namespaces.retain(|one| self.namespaces.iter().any(|name| one["metadata"]["name"] == *name));
        (pods, namespaces)
    }

    /// Waits until every series is there with its value, and no other.
    #[track_caller]
    fn wait_equal(&self, what: &str) {
        until(what, || {
            let (pods, namespaces) = self.lists();
            let mut expected = naive::series(&pods, &namespaces, &self.mark);
            expected.insert("fleeting", Family::new());
            let page = self.scene.operator.metrics();
            // Objects are looked at again all the while.
            let wrong = page.sum("celemetry_audit_mismatches_total", &[]);
            assert!(wrong == 0.0, "{what}: {wrong} mismatches\n{}", self.scene.operator.tail());
            for (name, expected) in &expected {
                let name = format!("churn_{name}");
                for (place, seen) in
                    [("/metrics", page.family(&name)), ("the sink", at_sink(&self.sink, &name))]
                {
                    if seen != *expected {
                        let tail = self.scene.operator.tail();
                        return Err(format!(
                            "{name} at {place}: {seen:#?}\ninstead of {expected:#?}\n{tail}"
                        ));
                    }
                }
            }
            Ok(())
        });
    }

    /// What `celemetry eval` makes of the lists is the same.
    #[track_caller]
    fn eval_agrees(&self) {
        let (pods, namespaces) = self.lists();
        let folder = folder::fresh("churn");
        let (metrics_file, objects_file) = (folder.join("metrics.json"), folder.join("pods.json"));
        let mut expected = naive::series(&pods, &namespaces, &self.mark);
        // It has no labels of namespaces.
        expected.remove("spaces");
        let metrics: Vec<String> = self
            .metrics()
            .into_iter()
            .filter(|(name, _)| expected.contains_key(name))
            .map(|(name, spec)| self.scene.metric(&format!("churn-{name}"), &spec).to_string())
            .collect();
        std::fs::write(&metrics_file, metrics.join("\n")).unwrap();
        let list = json!({"apiVersion": "v1", "kind": "PodList", "items": pods});
        std::fs::write(&objects_file, list.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_celemetry"));
        let output = command
            .args(["eval", "-o", "json", "-f"])
            .arg(&metrics_file)
            .arg(&objects_file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answer: Json = serde_json::from_slice(&output.stdout).unwrap();
        let mut seen: BTreeMap<&str, Family> = expected.keys().map(|name| (*name, Family::new())).collect();
        for series in answer["series"].as_array().unwrap() {
            let name = series["metric"].as_str().unwrap().trim_start_matches("churn_");
            let attributes = series["attributes"].as_object().unwrap().iter();
            let labels: Vec<String> = attributes.map(|(name, value)| format!("{name}={value}")).collect();
            seen.get_mut(name).unwrap().insert(labels.join(","), series["value"].as_f64().unwrap());
        }
        assert_eq!(seen, expected);
    }
}

/// The series of a metric as a backend would show them, in the words of a page.
fn at_sink(sink: &Sink, name: &str) -> Family {
    let text = |attributes: &Attributes| {
        let pairs: Vec<String> = attributes.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        pairs.join(",")
    };
    let number = |value: &Value| match value {
        Value::Integer(integer) => *integer as f64,
        Value::Double(double) => *double,
        Value::Withdrawn => unreachable!("it is no series"),
    };
    sink.series(name).iter().map(|(attributes, value)| (text(attributes), number(value))).collect()
}

/// Faults drawn by a seed, each kind at least once.
fn drawn(kinds: &[Fault], further: usize, seed: u64) -> Vec<Fault> {
    let mut random = Rng::with_seed(seed);
    let mut faults = kinds.to_vec();
    faults.extend((0..further).map(|_| kinds[random.usize(..kinds.len())]));
    random.shuffle(&mut faults);
    faults
}

fn over_a_wire_that_breaks(seed: u64) {
    let plane = Plane::shared();
    let mut churn = Churn::start(&plane, "churn");
    churn.suffer(&drawn(&OF_THE_WIRE, 4, seed), seed);
    churn.eval_agrees();
    churn.was_audited();
    // Whatever happened, every Metric says that all is well.
    for (name, _) in churn.metrics() {
        churn.scene.wait_ready(&churn.scene.metric(&format!("churn-{name}"), &json!({})));
    }
}

fn a_seeded_churn_over_a_wire_that_breaks_costs_no_number() {
    over_a_wire_that_breaks(1);
}

fn another_seeded_churn_over_a_wire_that_breaks_costs_no_number() {
    over_a_wire_that_breaks(20);
}

fn a_seeded_churn_over_an_api_server_that_dies_costs_no_number() {
    let plane = Plane::own();
    let mut churn = Churn::start(&plane, "dying");
    let faults = [Fault::Kill, Fault::Forget, Fault::Pause, Fault::Cut, Fault::Edit];
    churn.suffer(&drawn(&faults, 1, 3), 3);
    churn.eval_agrees();
    churn.was_audited();
}

fn a_namespace_that_is_relabelled_enters_and_leaves() {
    let plane = Plane::shared();
    let mut churn = Churn::start(&plane, "relabelled");
    let client = plane.client();
    for namespace in &churn.namespaces {
        crate::harness::pod(namespace, "a").create(client);
    }
    churn.wait_equal("no namespace");
    let namespaces = churn.namespaces.clone();
    let label = |namespace: &str, mark: Json| {
        let metadata = json!({"name": namespace});
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata});
        client.patch(&object, &json!({"metadata": {"labels": {"churn": mark}}}));
    };
    for (namespace, enters) in
        [(0, true), (1, true), (0, false), (2, true), (1, false), (0, true), (2, false)]
            .map(|(at, enters)| (&namespaces[at], enters))
    {
        label(namespace, if enters { json!(churn.mark) } else { json!("other") });
        let of_it = format!("namespace={namespace:?}");
        until(&format!("{namespace} to enter or leave"), || {
            let family = churn.scene.operator.metrics().family("churn_spaces");
            if family.contains_key(&of_it) == enters { Ok(()) } else { Err(churn.scene.operator.tail()) }
        });
        churn.wait_equal("the others as before");
    }
    let of_pods = churn.scene.full_lists("pods");
    // A namespace that is new and has the label from the beginning counts as well.
    let new = plane.namespace_with("relabelled", &json!({"churn": churn.mark}));
    churn.namespaces.push(new.clone());
    crate::harness::pod(&new, "a").create(client);
    until("the new namespace", || {
        let family = churn.scene.operator.metrics().family("churn_spaces");
        if family.contains_key(&format!("namespace={new:?}")) { Ok(()) } else { Err(format!("{family:?}")) }
    });
    assert!(churn.scene.full_lists("pods") <= of_pods + 1, "at most that namespace was listed");
}
