//! What a real API server says rarely, or never: history that is gone, calls for patience, nonsense. No number may suffer,
//! and no server may be flooded.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{End, Plane, Relay, Reply, Scene, stays, until};

tests![
    a_history_that_is_gone_is_listed_anew_however_that_is_said,
    a_list_whose_history_goes_between_two_pages_is_read_once_more,
    a_server_that_asks_for_patience_gets_it,
    what_is_no_event_costs_no_number,
    what_is_no_list_is_told_and_heals,
    a_server_that_refuses_everything_is_not_flooded,
];

/// A scene whose operator reaches the API server by way of a relay, opens a watch anew every few seconds, and follows the
/// Pods of its namespace.
fn behind<'p>(plane: &'p Plane, relay: &Relay, hint: &str) -> (Scene<'p>, Value) {
    // So that nothing is withdrawn while nonsense is said.
    let flags = ["--watch-age", "2s", "--stale-after", "5m"];
    let scene = Scene::on(plane, hint).by_way_of(relay.address()).args(&flags).start();
    let metric = scene.declare(&format!("{hint}-pods"), json!({}));
    scene.wait_ready(&metric);
    (scene, metric)
}

/// Changes Pods until all that the relay was to say once was said. Gives how many there are.
#[track_caller]
fn change_until_spent(scene: &Scene<'_>, relay: &Relay, pods: &mut usize) {
    until("what is to be said to be said", || {
        *pods += 1;
        let pod = scene.pod(&format!("p{pods}")).create(scene.client());
        if pods.is_multiple_of(3) {
            scene.client().delete(&pod);
        }
        if relay.is_spent() { Ok(()) } else { Err(scene.operator.tail()) }
    });
}

/// Waits until the metric counts what the API server lists.
#[track_caller]
fn wait_equal(scene: &Scene<'_>, name: &str) {
    let pods = scene.client().list("v1", "Pod", Some(&scene.namespace)).len();
    scene.sees(name, &[("", pods as f64)]);
}

fn a_history_that_is_gone_is_listed_anew_however_that_is_said() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let (scene, metric) = behind(&plane, &relay, "expired");
    let mut pods = 0;
    for reply in [
        Reply::gone(),
        Reply::error_event(0, 410, "Expired"),
        Reply::error_event(2, 410, "Gone"),
        Reply::status(410, "Gone"),
    ] {
        let lists = scene.full_lists("pods");
        relay.once("watch", "pods", [reply.clone()]);
        change_until_spent(&scene, &relay, &mut pods);
        wait_equal(&scene, "expired_pods");
        until("the list", || match scene.full_lists("pods") {
            now if now == lists + 1 => Ok(()),
            now => Err(format!("{reply:?}: {lists} lists and then {now}\n{}", scene.lately("pods"))),
        });
        scene.wait_ready(&metric);
    }
}

fn a_list_whose_history_goes_between_two_pages_is_read_once_more() {
    const OBJECTS: usize = 1_100;
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let scene = Scene::on(&plane, "pages").by_way_of(relay.address()).start();
    for number in 0..OBJECTS {
        let metadata = json!({"namespace": scene.namespace, "name": format!("c{number}")});
        scene.client().create(&json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}));
    }
    relay.once("list", "configmaps", [Reply::Pass, Reply::Pass, Reply::gone()]);
    let metric = scene.declare("pages-maps", json!({"target": {"kind": "ConfigMap", "version": "v1"}}));
    // Nothing is shown of the pages that were there.
    scene.wait_ready(&metric);
    scene.sees("pages_maps", &[("", OBJECTS as f64)]);
    assert!(relay.is_spent());
    let pages = relay.heard("list", "configmaps").len();
    assert!(pages <= 8, "{pages} pages");
}

fn a_server_that_asks_for_patience_gets_it() {
    const ASKED: Duration = Duration::from_secs(3);
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let flags = ["--watch-age", "2s", "--stale-after", "5m"];
    let scene = Scene::on(&plane, "patient").by_way_of(relay.address()).args(&flags).start();
    scene.pod("a").create(scene.client());
    relay.once("list", "pods", [Reply::throttled(3)]);
    let metric = scene.declare("patient-pods", json!({}));
    scene.wait_ready(&metric);
    scene.sees("patient_pods", &[("", 1.0)]);
    let lists = relay.heard("list", "pods");
    let waited = lists[1] - lists[0];
    assert!(waited >= ASKED && waited < ASKED * 3, "{waited:?}");
    // A watch that may not be opened now is opened later, and nothing is listed for that.
    let (lists, watches) = (scene.full_lists("pods"), relay.heard("watch", "pods").len());
    relay.once("watch", "pods", [Reply::throttled(3)]);
    until("the watch after it", || {
        let heard = relay.heard("watch", "pods").len();
        if relay.is_spent() && heard >= watches + 2 { Ok(()) } else { Err(format!("{heard}")) }
    });
    scene.pod("b").create(scene.client());
    scene.sees("patient_pods", &[("", 2.0)]);
    assert_eq!(scene.full_lists("pods"), lists, "{}", scene.lately("pods"));
    scene.wait_ready(&metric);
}

fn what_is_no_event_costs_no_number() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let (scene, metric) = behind(&plane, &relay, "nonsense");
    let mut pods = 0;
    let said = |bytes: &[u8], end: End| Reply::After { lines: 1, bytes: bytes.to_vec(), end };
    for reply in [
        said(b"nonsense\n", End::GoOn),
        said(b"\xff\xfe\0\n", End::GoOn),
        said(b"{\"type\":\"MODIF", End::Break),
        said(b"{\"type\":\"MODIF", End::Close),
        said(b"{\"type\":\"ADDED\",\"object\":null}\n", End::GoOn),
        said(b"{\"type\":\"ADDED\",\"object\":{}}\n", End::GoOn),
        said(b"{\"type\":\"SOMETHING\",\"object\":{}}\n", End::GoOn),
        said(b"[]\n", End::GoOn),
        said(b"\n\n \n", End::GoOn),
        said(&[b' '; 1 << 20], End::Close),
        said(format!("{{\"type\":\"ADDED\",\"object\":{}1", "[".repeat(100_000)).as_bytes(), End::Close),
        Reply::broken(0),
        Reply::status(500, "InternalError"),
        Reply::error_event(1, 500, "InternalError"),
    ] {
        relay.once("watch", "pods", [reply.clone()]);
        change_until_spent(&scene, &relay, &mut pods);
        until(&format!("the truth after {reply:.100?}"), || {
            let pods = scene.client().list("v1", "Pod", Some(&scene.namespace)).len();
            let seen = scene.operator.metrics().family("nonsense_pods");
            if seen.values().eq([&(pods as f64)]) { Ok(()) } else { Err(format!("{seen:?} of {pods}")) }
        });
        scene.wait_ready(&metric);
    }
}

fn what_is_no_list_is_told_and_heals() {
    let plane = Plane::shared();
    let relay = Relay::before(&plane);
    let scene = Scene::on(&plane, "unlisted").by_way_of(relay.address()).start();
    scene.pod("a").create(scene.client());
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let body = |body: &str| Reply::Instead { status: 200, headers: headers.clone(), body: body.into() };
    for (number, reply) in [
        body("<html>Welcome</html>"),
        body("{\"kind\":\"PodList\",\"items\":[{\"metadata\":"),
        body(""),
        Reply::status(503, "ServiceUnavailable"),
        Reply::status(401, "Unauthorized"),
        Reply::After { lines: 0, bytes: vec![], end: End::Break },
    ]
    .into_iter()
    .enumerate()
    {
        relay.always("list", "pods", reply.clone());
        let metric = scene.declare(&format!("unlisted-{number}"), json!({}));
        let told = scene.wait_reason(&metric, "Synced", "TargetUnreachable");
        assert!(told.contains("pods.v1") && !told.contains("html"), "{reply:?}: {told}");
        scene.wait_reason(&metric, "Ready", "MonitoringFailed");
        scene.sees(&format!("unlisted_{number}"), &[]);
        relay.pass();
        scene.wait_ready(&metric);
        scene.sees(&format!("unlisted_{number}"), &[("", 1.0)]);
        // So that the next one begins without a source.
        scene.client().delete(&metric);
        scene.sees(&format!("unlisted_{number}"), &[]);
    }
}

fn a_server_that_refuses_everything_is_not_flooded() {
    const TIME: Duration = Duration::from_secs(8);
    let plane = Plane::shared();
    for (hint, verb, reply) in [
        ("flood-410", "watch", Reply::gone()),
        ("flood-500", "watch", Reply::status(500, "InternalError")),
        ("flood-closed", "watch", Reply::After { lines: 0, bytes: vec![], end: End::Close }),
        ("flood-list", "list", Reply::status(500, "InternalError")),
    ] {
        let relay = Relay::before(&plane);
        let (scene, metric) = behind(&plane, &relay, hint);
        relay.always(verb, "pods", reply);
        let name = format!("{}_pods", hint.replace('-', "_"));
        let asked = || relay.heard("watch", "pods").len() + relay.heard("list", "pods").len();
        let before = asked();
        if verb == "list" {
            // What was seen stands; a new Metric needs a list.
            scene.declare(&format!("{hint}-more"), json!({}));
        }
        stays(TIME, "the series", || {
            let seen = scene.operator.metrics().family(&name);
            if seen.values().eq([&0.0]) { Ok(()) } else { Err(format!("{seen:?}")) }
        });
        let requests = asked() - before;
        assert!((1..=30).contains(&requests), "{hint}: {requests} requests in {TIME:?}");
        relay.pass();
        scene.pod("a").create(scene.client());
        scene.sees(&name, &[("", 1.0)]);
        scene.wait_ready(&metric);
    }
}
