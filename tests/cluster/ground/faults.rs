//! What breaks on demand in a plane is broken, and whole again afterwards.

use std::net::TcpStream;
use std::time::Duration;

use http::Method;
use serde_json::json;

use crate::harness::{Plane, pod, stays};

tests![
    a_killed_server_comes_back_with_everything,
    a_paused_server_answers_when_it_goes_on,
    compaction_and_a_restart_make_old_versions_expire,
    a_restored_plane_has_older_versions_again,
];

fn a_killed_server_comes_back_with_everything() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").create(plane.client());
    plane.kill_server();
    assert!(TcpStream::connect(plane.address()).is_err(), "the port refuses");
    plane.start_server();
    assert_eq!(plane.client().read(&made).unwrap()["metadata"]["uid"], made["metadata"]["uid"]);
}

fn a_paused_server_answers_when_it_goes_on() {
    let plane = Plane::bare(&[]);
    plane.pause_server();
    let asking = std::thread::spawn({
        let client = plane.client().clone();
        move || client.get("/version")
    });
    stays(Duration::from_millis(300), "the silence", || {
        if asking.is_finished() { Err("an answer".to_owned()) } else { Ok(()) }
    });
    plane.resume_server();
    assert!(asking.join().unwrap()["gitVersion"].is_string());
}

fn watch_from(plane: &Plane, version: &str) -> (u16, Option<u64>) {
    let path = format!("/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion={version}");
    let response = plane.client().send(&Method::GET, &path, "application/json", String::new()).unwrap();
    let first: Option<serde_json::Value> =
        response.body.lines().next().map(|line| serde_json::from_str(line).unwrap());
    (response.status.as_u16(), first.and_then(|event| event["object"]["code"].as_u64()))
}

fn compaction_and_a_restart_make_old_versions_expire() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").create(plane.client());
    let version = made["metadata"]["resourceVersion"].as_str().unwrap();
    plane.client().patch(&made, &json!({"metadata": {"labels": {"a": "b"}}}));
    assert_eq!(watch_from(&plane, version), (200, None), "the change is still there to be told");
    plane.compact();
    plane.kill_server();
    plane.start_server();
    let (status, code) = watch_from(&plane, version);
    assert!(status == 410 || code == Some(410), "{status}, {code:?}");
}

fn a_restored_plane_has_older_versions_again() {
    let plane = Plane::bare(&[]);
    let namespace = plane.namespace("ground");
    let old = pod(&namespace, "old").create(plane.client());
    let backup = plane.back_up();
    let new = pod(&namespace, "new").create(plane.client());
    // More writes than a starting server does by itself.
    for number in 0..100 {
        plane.client().patch(&new, &json!({"metadata": {"labels": {"number": number.to_string()}}}));
    }
    let version = || {
        let list = plane.client().get("/api/v1/pods?limit=1");
        list["metadata"]["resourceVersion"].as_str().unwrap().parse::<u64>().unwrap()
    };
    let before = version();
    plane.restore(&backup);
    assert!(version() < before, "{} is not before {before}\n{}", version(), plane.server_log());
    assert!(plane.client().read(&old).is_some() && plane.client().read(&new).is_none());
}
