//! Objects are looked at again, and compared with what is held of them.

use serde_json::{Value, json};

use crate::harness::page::Page;
use crate::harness::{End, Kind, Plane, Relay, Reply, Scene, until};

tests![
    objects_that_change_are_audited_and_nothing_is_found_wrong,
    what_a_watch_has_said_wrongly_is_found_named_and_mended,
];

/// As often as may be.
const OFTEN: [&str; 2] = ["--audit-per-minute", "6000"];

fn audited(page: &Page) -> f64 {
    page.sum("celemetry_audit_objects_total", &[])
}

fn objects_that_change_are_audited_and_nothing_is_found_wrong() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "audit").args(&OFTEN).start();
    let pods: Vec<Value> =
        (0..8).map(|n| scene.pod(&format!("p{n}")).phase("Pending").create(scene.client())).collect();
    let secret = scene.secret("hidden", &json!({"key": "value"}));
    scene.client().create(&secret);
    let phases = json!([{"name": "phase", "fieldPath": "status.phase"}]);
    let metric = scene.declare("audit-phases", json!({"projections": phases}));
    let secrets = scene.declare("audit-secrets", json!({"target": {"kind": "Secret", "version": "v1"}}));
    scene.wait_ready(&metric);
    scene.wait_ready(&secrets);
    let before = audited(&scene.operator.metrics());
    let mut changes = 0;
    until("a hundred audits while objects change", || {
        for pod in &pods {
            let phase = ["Pending", "Running", "Failed"][changes % 3];
            scene.client().patch_status(pod, &json!({"phase": phase}));
            changes += 1;
        }
        match audited(&scene.operator.metrics()) - before {
            audits if audits >= 100.0 && changes >= 100 => Ok(()),
            audits => Err(format!("{audits} audits, {changes} changes")),
        }
    });
    let page = scene.operator.metrics();
    assert_eq!(page.value("celemetry_audit_mismatches_total", &[]), Some(0.0));
    for reason in ["refused", "undecodable"] {
        assert_eq!(page.sum("celemetry_audit_skipped_total", &[("reason", reason)]), 0.0, "{reason}");
    }
    for resource in ["pods", "secrets"] {
        let requests = scene.requests("list", resource);
        assert!(requests.iter().any(|request| request.reads_one() && request.code == 200), "{resource}");
        assert!(scene.requests("get", resource).is_empty(), "a list by name needs no other right");
        assert_eq!(scene.full_lists(resource), 1, "{}", scene.lately(resource));
    }
    costs_are_told(&scene, &metric, changes);
}

/// What the metric has cost is in its status and on the page.
fn costs_are_told(scene: &Scene<'_>, metric: &Value, changes: usize) {
    let labels =
        [("celemetry_metric_name", "audit-phases"), ("celemetry_metric_namespace", &*scene.namespace)];
    until("the account of the metric", || {
        let page = scene.operator.metrics();
        let of =
            |figure: &str| page.value(&format!("celemetry_metric_{figure}"), &labels).unwrap_or_default();
        let figures = ["events_total", "evaluations_total", "steps_total", "series", "bytes"].map(of);
        let [events, evaluations, steps, series, bytes] = figures;
        let is_whole = events >= changes as f64 && evaluations >= changes as f64 && steps >= evaluations;
        if is_whole && series >= 1.0 && bytes >= 8.0 * 24.0 { Ok(()) } else { Err(format!("{figures:?}")) }
    });
    scene.client().wait(metric, "status.cost", |metric| {
        let cost = &metric["status"]["cost"];
        let has = |figure: &&str| cost[*figure].as_i64().is_some_and(|number| number > 0);
        match ["events", "evaluations", "steps", "series", "bytes"].iter().all(has) {
            true => Ok(()),
            false => Err(format!("{cost}")),
        }
    });
}

fn what_a_watch_has_said_wrongly_is_found_named_and_mended() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let flags = ["--watch-age", "2s", OFTEN[0], OFTEN[1]];
    let scene = Scene::on(&plane, "lied").by_way_of(relay.address()).args(&flags).start();
    // A kind that no other test has objects of: with those of all others it might not be the turn of this one for long.
    let kind = Kind::new("Lamp").install(scene.client());
    let lamp = kind.object(Some(&scene.namespace), "a", json!({"colour": "red"}));
    scene.client().create(&lamp);
    let target = json!({"kind": "Lamp", "group": kind.group, "version": "v1"});
    let colours = json!([{"name": "colour", "fieldPath": "spec.colour"}]);
    let metric = scene.declare("lied-colours", json!({"target": target, "projections": colours}));
    let unconcerned = scene.declare("lied-lamps", json!({"target": target}));
    scene.wait_ready(&metric);
    scene.wait_ready(&unconcerned);
    scene.sees("lied_colours", &[("colour=\"red\"", 1.0)]);
    let lists = scene.full_lists("lamps");
    let mut other = scene.client().read(&lamp).unwrap();
    other["spec"]["colour"] = json!("green");
    let event = json!({"type": "MODIFIED", "object": other}).to_string() + "\n";
    relay.once("watch", "lamps", [Reply::After { lines: 0, bytes: event.into_bytes(), end: End::GoOn }]);
    let what = until("the mismatch", || {
        let log = scene.operator.log();
        let found = log.lines().find(|line| line.contains("is not what it gives"));
        found.map(str::to_owned).ok_or_else(|| audits(&scene, &relay))
    });
    assert!(what.contains(&format!("Lamp/{}/a", scene.namespace)), "{what}");
    assert!(what.contains(&format!("Metric/{}/lied-colours", scene.namespace)), "{what}");
    assert!(!what.contains("lied-lamps"), "{what}");
    scene.sees("lied_colours", &[("colour=\"red\"", 1.0)]);
    assert_eq!(scene.full_lists("lamps"), lists + 1, "it was listed once more\n{}", scene.lately("lamps"));
    until("the count of mismatches", || {
        let page = scene.operator.metrics();
        let of =
            |name: &str| page.sum("celemetry_metric_mismatches_total", &[("celemetry_metric_name", name)]);
        let all = page.sum("celemetry_audit_mismatches_total", &[]);
        match (all, of("lied-colours"), of("lied-lamps")) {
            (all, colours, 0.0) if all >= 1.0 && colours == all => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    });
    scene.wait_ready(&metric);
}

/// What is known of a lie that is not found.
fn audits(scene: &Scene<'_>, relay: &Relay) -> String {
    let page = scene.operator.metrics();
    let counts = ["objects", "mismatches", "skipped"].map(|count| {
        let name = format!("celemetry_audit_{count}_total");
        (count, page.sum(&name, &[]))
    });
    format!("said: {}, audits: {counts:?}\n{}", relay.is_spent(), scene.operator.tail())
}
