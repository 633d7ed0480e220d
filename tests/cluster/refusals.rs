//! Rights that are missing, taken away and given, and Metrics that ask for what is not there.

use http::Method;
use serde_json::json;

use super::modes::own_rights;
use crate::harness::client::collection;
use crate::harness::plane::users::Rule;
use crate::harness::{GROUPS, Kind, Plane, Scene, rule, until};

tests![
    without_any_right_to_the_objects_the_metric_says_so_and_heals_when_it_is_given,
    rights_that_are_taken_away_withdraw_the_series_and_given_back_they_are_right,
    what_a_metric_asks_in_vain_is_told_with_its_place_and_disturbs_no_other,
    an_object_that_cannot_be_decoded_is_counted_and_leaves_the_others_right,
    without_the_right_to_list_namespaces_a_selector_of_them_says_so_and_heals,
    a_group_that_may_not_be_listed_keeps_nobody_waiting,
    what_is_in_no_namespace_is_no_tenant_s_whatever_else_cannot_be_seen,
    kubectl_shows_what_is_amiss,
];

fn without_any_right_to_the_objects_the_metric_says_so_and_heals_when_it_is_given() {
    let plane = Plane::shared();
    let user = plane.user_with(&own_rights());
    let scene = Scene::on(&plane, "forbidden").user(user.clone()).start();
    let client = scene.client();
    scene.pod("a").create(client);
    let metric = scene.declare("forbidden-pods", json!({}));
    let allowed = scene.declare(
        "forbidden-namespaces",
        json!({
            "target": {"kind": "Namespace", "version": "v1"}, "namespaces": null,
            "filter": format!("object.metadata.name == '{}'", scene.namespace),
        }),
    );
    let message = scene.wait_reason(&metric, "Synced", "Forbidden");
    assert!(message.contains("pods.v1") && message.contains("list"), "{message}");
    scene.wait_reason(&metric, "Ready", "MonitoringFailed");
    scene.sees("forbidden_pods", &[]);
    scene.wait_ready(&allowed);
    scene.sees("forbidden_namespaces", &[("", 1.0)]);
    assert_eq!(scene.operator.readyz().unwrap().0, 200, "a Metric without rights keeps nobody waiting");

    plane.allow(&user, &[own_rights(), vec![rule("", "pods", "list,watch")]].concat());
    scene.wait_ready(&metric);
    scene.sees("forbidden_pods", &[("", 1.0)]);
}

fn rights_that_are_taken_away_withdraw_the_series_and_given_back_they_are_right() {
    let plane = Plane::shared();
    let rights = [own_rights(), vec![rule("", "pods", "list,watch")]].concat();
    let user = plane.user_with(&rights);
    let scene = Scene::on(&plane, "revoked").user(user.clone()).args(&["--watch-age", "2s"]).start();
    let client = scene.client();
    let a = scene.pod("a").create(client);
    scene.pod("b").create(client);
    let metric = scene.declare("revoked-pods", json!({}));
    scene.wait_ready(&metric);
    scene.sees("revoked_pods", &[("", 2.0)]);

    plane.allow(&user, &own_rights());
    scene.wait_reason(&metric, "Synced", "Forbidden");
    scene.wait_reason(&metric, "Exported", "Stale");
    scene.sees("revoked_pods", &[]);
    // Nobody tells of these.
    client.delete(&a);
    for name in ["c", "d"] {
        scene.pod(name).create(client);
    }
    plane.allow(&user, &rights);
    scene.wait_ready(&metric);
    scene.sees("revoked_pods", &[("", 3.0)]);
}

fn what_a_metric_asks_in_vain_is_told_with_its_place_and_disturbs_no_other() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "vain").start();
    let client = scene.client();
    scene.pod("a").create(client);
    let good = scene.declare("vain-good", json!({}));
    for (number, (part, kind, reason, told)) in [
        (json!({"interval": "ten minutes"}), "Ready", "InvalidSpec", "spec.interval"),
        (json!({"interval": "0s"}), "Ready", "InvalidSpec", "spec.interval"),
        (json!({"flush": {"debounce": "1"}}), "Ready", "InvalidSpec", "spec.flush.debounce"),
        (json!({"target": {"kind": "Unicorn"}}), "Synced", "TargetNotFound", "unicorn"),
        (json!({"target": {"kind": "Pod", "version": "v9"}}), "Synced", "TargetNotFound", "v9"),
        (
            json!({"filter": "objct.metadata.name"}),
            "ExpressionsValid",
            "InvalidExpression",
            "spec.filter:1:1",
        ),
        (
            json!({"projections": [{"name": "a", "expression": "object.metadata.name + 1 +"}]}),
            "ExpressionsValid",
            "InvalidExpression",
            "spec.projections[0].expression:1:",
        ),
        (json!({"namespaces": ["Not a name"]}), "Ready", "InvalidSpec", "spec.namespaces[0]"),
        (json!({"name": "1st"}), "Ready", "MetricCreationFailed", "spec.name"),
    ]
    .into_iter()
    .enumerate()
    {
        let metric = scene.declare(&format!("vain-{number}"), part.clone());
        let message = scene.wait_reason(&metric, kind, reason);
        assert!(message.contains(told), "{part}: {message}");
        client.wait_condition(&metric, "Ready", "False");
        client.wait_condition(&metric, "Error", "True");
    }
    scene.wait_ready(&good);
    scene.sees("vain_good", &[("", 1.0)]);
    assert_eq!(scene.operator.readyz().unwrap().0, 200);
    // A new operator finds them all and is ready none the less: each is in a state that is told.
    let user = plane.operator_user();
    let mut second = crate::harness::Operator::on(&plane.kubeconfig(&user))
        .args(&["--watch-namespace", &scene.namespace])
        .start();
    second.wait_ready();
    second.wait_family("vain_good", &[("", 1.0)]);
}

/// Lists within lists, so many that celemetry reads no further. Text, since whoever would make it a value reads no
/// further either.
fn too_deep() -> String {
    format!("{}1{}", "[".repeat(300), "]".repeat(300))
}

fn an_object_that_cannot_be_decoded_is_counted_and_leaves_the_others_right() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "undecodable").start();
    let client = scene.client();
    let kind = Kind::new("Widget").install(client);
    let object = |name: &str, size: i64| kind.object(Some(&scene.namespace), name, json!({"size": size}));
    let widgets = collection(&kind.api_version(), "Widget", Some(&scene.namespace));
    let send = |method: &Method, path: &str, content_type: &str, body: String| {
        let answer = client.send(method, path, content_type, body).unwrap();
        assert!(answer.status.is_success(), "{}\n{}", answer.status, answer.body);
    };
    let spoil = |name: &str, size: i64| {
        let body = format!(r#"{{"spec": {{"size": {size}, "rest": {}}}}}"#, too_deep());
        send(&Method::PATCH, &format!("{widgets}/{name}"), "application/merge-patch+json", body);
    };
    let good = client.create(&object("good", 1));
    let bad = client.create(&object("bad", 10));
    let never = object("never", 1_000);
    let deep = never.to_string().replace("1000", &format!("1000, \"rest\": {}", too_deep()));
    send(&Method::POST, &widgets, "application/json", deep);
    let size = json!({"fieldPath": "spec.size", "type": "integer", "aggregation": "sum"});
    let metric = scene.declare(
        "undecodable-sizes",
        json!({"target": {"group": kind.group, "kind": "Widget"}, "valueFrom": size}),
    );
    let message = scene.wait_reason(&metric, "Synced", "Degraded");
    assert!(message.contains("widgets") && message.contains("an object cannot be decoded"), "{message}");
    client.wait_condition(&metric, "Ready", "True");
    // One in the list that has never been right counts for nothing.
    scene.sees("undecodable_sizes", &[("", 11.0)]);
    // One that becomes so keeps what it was.
    spoil("bad", 100);
    client.patch(&good, &json!({"spec": {"size": 2}}));
    scene.sees("undecodable_sizes", &[("", 12.0)]);
    client.patch(&bad, &json!({"spec": {"rest": null}}));
    scene.sees("undecodable_sizes", &[("", 102.0)]);
    spoil("bad", 0);
    client.patch(&good, &json!({"spec": {"size": 3}}));
    scene.sees("undecodable_sizes", &[("", 103.0)]);
    client.delete(&bad);
    scene.sees("undecodable_sizes", &[("", 3.0)]);
    // What is mended, or gone, is held against nobody any more.
    client.patch(&never, &json!({"spec": {"rest": null}}));
    scene.wait_reason(&metric, "Synced", "ListComplete");
    scene.sees("undecodable_sizes", &[("", 1_003.0)]);
}

fn without_the_right_to_list_namespaces_a_selector_of_them_says_so_and_heals() {
    let plane = Plane::shared();
    let pods = rule("", "pods", "list,watch");
    let all = [own_rights(), vec![pods]].concat();
    let user = plane.user_with(&without(&all, &|rule| rule.resources == ["namespaces"]));
    let scene = Scene::on(&plane, "unselectable").user(user.clone()).start();
    let client = scene.client();
    scene.pod("a").create(client);
    let named = format!("kubernetes.io/metadata.name={}", scene.namespace);
    let metric = scene.declare("selected-pods", json!({"namespaces": null, "namespaceSelector": named}));
    let message = scene.wait_reason(&metric, "Synced", "Forbidden");
    assert!(message.contains("namespaces.v1"), "{message}");
    assert_eq!(scene.operator.readyz().unwrap().0, 200, "it is told, so nobody waits for it");
    scene.sees("selected_pods", &[]);
    plane.allow(&user, &all);
    scene.wait_ready(&metric);
    scene.sees("selected_pods", &[("", 1.0)]);
}

fn without(rights: &[Rule], left_out: &dyn Fn(&Rule) -> bool) -> Vec<Rule> {
    rights.iter().filter(|rule| !left_out(rule)).cloned().collect()
}

fn a_group_that_may_not_be_listed_keeps_nobody_waiting() {
    let plane = Plane::shared();
    let rights = [
        without(&own_rights(), &|rule| rule.resources == ["*"]),
        vec![rule(GROUPS[0], "*", "*"), rule("", "pods", "list,watch")],
    ];
    let user = plane.user_with(&rights.concat());
    let scene = Scene::on(&plane, "half").user(user).start();
    scene.pod("a").create(scene.client());
    let metric = scene.declare("half-pods", json!({}));
    scene.wait_ready(&metric);
    scene.sees("half_pods", &[("", 1.0)]);
    until("readiness", || match scene.operator.readyz() {
        Ok((200, _)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

fn what_is_in_no_namespace_is_no_tenant_s_whatever_else_cannot_be_seen() {
    let plane = Plane::shared();
    // Of the group's four kinds two are in namespaces, and these may not be seen.
    let of_cluster = rule("rbac.authorization.k8s.io", "clusterroles,clusterrolebindings", "list,watch");
    let user = plane.user_with(&[own_rights(), vec![of_cluster]].concat());
    let scene = Scene::on(&plane, "beyond").user(user).args(&["--tenancy", "namespaced"]).start();
    let target = json!({"group": "rbac.authorization.k8s.io", "version": "v1"});
    let mixed = scene.declare("beyond-mixed", json!({"target": target, "namespaces": null}));
    let target = json!({"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"});
    let outside = scene.declare("beyond-outside", json!({"target": target, "namespaces": null}));
    scene.wait_reason(&mixed, "Synced", "Forbidden");
    scene.sees("beyond_mixed", &[("", 0.0)]);
    let message = scene.wait_reason(&outside, "Ready", "InvalidSpec");
    assert!(message.contains("spec.target") && message.contains("in no namespace"), "{message}");
    scene.sees("beyond_outside", &[]);
    scene.sees("beyond_mixed", &[("", 0.0)]);
}

fn kubectl_shows_what_is_amiss() {
    let plane = Plane::shared();
    let scene = Scene::on(&plane, "shown").start();
    let good = scene.declare("shown-good", json!({}));
    let bad = scene.declare("shown-bad", json!({"name": "shown.bad", "target": {"kind": "Unicorn"}}));
    scene.wait_reason(&bad, "Ready", "MonitoringFailed");
    scene.declare("shown-good", json!({"name": "shown.good"}));
    scene.wait_ready(&good);
    let kubectl = |arguments: &[&str]| {
        let output = plane
            .kubectl(&scene.user)
            .args(arguments)
            .args(["--namespace", &scene.namespace])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    until("what kubectl shows", || {
        let table = kubectl(&["get", "metrics.metrics.open-control-plane.io"]);
        let row =
            |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        let is_right = row("shown-good").contains("True") && row("shown-bad").contains("False");
        if is_right { Ok(()) } else { Err(table) }
    });
    let described = kubectl(&["describe", "metrics.metrics.open-control-plane.io", "shown-bad"]);
    assert!(described.contains("TargetNotFound") && described.contains("unicorn"), "{described}");
}
