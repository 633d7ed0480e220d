//! A plane: who may do what, who did what, kinds that come and go.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use http::Method;
use serde_json::json;

use crate::harness::{Aggregated, Kind, Plane, pod, rule, until, until_equal};

tests![
    a_plane_starts_and_knows_its_users,
    rights_hold_when_they_are_given_and_no_longer_when_they_are_taken,
    a_watch_is_counted_once_and_a_list_is_seen_with_its_query,
    a_custom_kind_comes_and_goes,
    an_aggregated_kind_is_discovered_listed_and_watched,
    a_kind_that_cannot_be_watched_says_so,
];

fn a_plane_starts_and_knows_its_users() {
    let plane = Plane::shared();
    let version = plane.client().get("/version");
    assert!(version["gitVersion"].as_str().unwrap().starts_with("v1."), "{version}");
    let user = plane.user();
    let review =
        json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview", "metadata": {}});
    let who = plane.client_of(&user).create(&review);
    assert_eq!(who["status"]["userInfo"]["username"], json!(user.name));
    let namespace = plane.namespace("ground");
    let made = pod(&namespace, "web").label("app", "web").node("n1").phase("Running").create(plane.client());
    assert_eq!(made["status"]["phase"], "Running");
    assert_eq!(plane.client().list("v1", "Pod", Some(&namespace)).len(), 1);
    plane.client().delete(&made);
    assert_eq!(plane.client().read(&made), None, "deleted at once");
}

fn rights_hold_when_they_are_given_and_no_longer_when_they_are_taken() {
    let plane = Plane::shared();
    let user = plane.user();
    let status = || {
        let list =
            plane.client_of(&user).send(&Method::GET, "/api/v1/pods", "application/json", String::new());
        list.unwrap().status.as_u16()
    };
    assert_eq!(status(), 403);
    plane.allow(&user, &[rule("", "pods", "list,watch"), rule("apps", "*", "get")]);
    assert_eq!(status(), 200);
    plane.forbid(&user);
    assert_eq!(status(), 403);
}

fn a_watch_is_counted_once_and_a_list_is_seen_with_its_query() {
    let plane = Plane::shared();
    let user = plane.user_with(&[rule("", "pods", "get,list,watch")]);
    let namespace = plane.namespace("ground");
    let watches = |namespace: &str| {
        let of_user = plane.requests(&user).into_iter();
        of_user.filter(|request| request.is("watch", "pods") && request.namespace == namespace).count()
    };
    let mut watching = plane
        .kubectl(&user)
        .args(["get", "pods", "--namespace", &namespace, "--watch", "--output=name"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    until_equal("the watch", &1, || watches(&namespace));
    let open = || {
        plane
            .client()
            .metrics()
            .sum("apiserver_longrunning_requests", &[("verb", "WATCH"), ("resource", "pods")])
    };
    assert!(open() >= 1.0, "open watches are in the server's metrics");
    pod(&namespace, "seen").create(plane.client());
    let mut line = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "pod/seen\n");
    watching.kill().unwrap();
    watching.wait().unwrap();
    until("the end of the watch", || {
        let requests = plane.requests(&user);
        let over = requests.iter().any(|request| request.is("watch", "pods") && request.over);
        if over { Ok(()) } else { Err(format!("{requests:#?}")) }
    });
    assert_eq!(watches(&namespace), 1, "still one");

    plane.client_of(&user).get(&format!("/api/v1/namespaces/{namespace}/pods?limit=1&labelSelector=a%3Db"));
    let list = until("the list", || {
        let requests = plane.requests(&user);
        let list = requests.iter().find(|request| request.query.contains_key("labelSelector"));
        list.cloned().ok_or_else(|| format!("{requests:#?}"))
    });
    assert_eq!((&*list.query["labelSelector"], list.code, list.reads_all()), ("a=b", 200, false));
    let lists =
        plane.requests(&user).into_iter().filter(|request| request.is("list", "pods")).collect::<Vec<_>>();
    assert!(lists.iter().any(|request| request.reads_all()), "kubectl listed all: {lists:#?}");
}

fn a_custom_kind_comes_and_goes() {
    let plane = Plane::shared();
    let client = plane.client();
    let namespace = plane.namespace("ground");
    let kind = Kind::new("Widget").versions(&["v2", "v1"]).selectable("color").install(client);
    client.create(&kind.object(Some(&namespace), "one", json!({"color": "red", "size": 3})));
    let path =
        format!("/apis/{}/v1/namespaces/{namespace}/widgets?fieldSelector=spec.color%3Dred", kind.group);
    let list = client.get(&path);
    assert_eq!(
        list["items"][0]["spec"]["size"], 3,
        "the other version, by a field that it may be selected by"
    );
    kind.remove(client);
    let cluster = Kind::new("Fleet").cluster_scoped().install(client);
    let one = client.apply(&cluster.object(None, "one", json!({})));
    client.patch(&one, &json!({"spec": {"size": 4}}));
    client.patch_status(&one, &json!({"conditions": [{"type": "Ready", "status": "True"}]}));
    let condition = client.wait_condition(&one, "Ready", "True");
    assert_eq!(condition["type"], "Ready");
    let again = client.refused(&cluster.object(None, "one", json!({})));
    assert!(again.contains("already exists"), "{again}");
}

fn an_aggregated_kind_is_discovered_listed_and_watched() {
    let plane = Plane::shared();
    let gadgets = Aggregated::install(&plane, "Gadget");
    gadgets.put("default", "one", &json!({"size": 1}));
    let user = plane.user_with(&[rule(&gadgets.group, "gadgets", "list,watch")]);
    let resource = format!("gadgets.{}", gadgets.group);
    let mut watching = plane
        .kubectl(&user)
        .args(["get", &resource, "--all-namespaces", "--watch", "--output=name"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut told = || assert_eq!(lines.next().unwrap().unwrap(), format!("gadget.{}/one", gadgets.group));
    told();
    gadgets.put("default", "one", &json!({"size": 2}));
    told();
    gadgets.delete("default", "one");
    told();
    watching.kill().unwrap();
    watching.wait().unwrap();
    gadgets.put("default", "two", &json!({}));
    assert_eq!(plane.client().list(&gadgets.api_version(), "Gadget", None).len(), 1);
    gadgets.stop();
    let path = format!("/apis/{}/gadgets", gadgets.api_version());
    until("the end of the server", || {
        match plane.client().send(&Method::GET, &path, "application/json", String::new())? {
            response if response.status == 503 => Ok(()),
            response => Err(response.status.to_string()),
        }
    });
}

fn a_kind_that_cannot_be_watched_says_so() {
    let plane = Plane::shared();
    let gauges = Aggregated::install_unwatchable(&plane, "Gauge");
    gauges.put("default", "one", &json!({}));
    let discovery = plane.client().get(&format!("/apis/{}", gauges.api_version()));
    assert_eq!(discovery["resources"][0]["verbs"], json!(["get", "list"]));
    assert_eq!(plane.client().list(&gauges.api_version(), "Gauge", Some("default")).len(), 1);
    let path = format!("/apis/{}/gauges?watch=true", gauges.api_version());
    let watch = plane.client().send(&Method::GET, &path, "application/json", String::new()).unwrap();
    assert_eq!(watch.status, 405);
}
