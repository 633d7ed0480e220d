//! Field reads, presence, indices, and the errors of what is absent.

use super::check;

const POD: &str = r#"{
    "kind": "Pod", "metadata": {"name": "web-1", "labels": {"app": "web", "a/b": "c"}, "generation": 3},
    "spec": {"containers": [{"name": "a", "image": "x:1", "ready": true}, {"name": "b", "image": "y:2", "ready": false}],
             "nodeName": null, "paused": true},
    "status": {"phase": "Running", "list": [1, 2.5, "s", null, [7]], "m": {"1": "one"}}
}"#;

#[test]
fn fields_are_read_like_the_whole_object() {
    check(
        &[
            (r#"object.status.phase"#, r#""Running""#),
            (r#"object.status.phase == "Running""#, "true"),
            (r#"object.status.phase != "Running""#, "false"),
            (r#""Running" == object.status.phase && has(object.metadata.labels)"#, "true"),
            (r#"object.status.nope == "x""#, "error: no such key: nope"),
            (r#"object.nope.phase == "x""#, "error: no such key: nope"),
            (r#"object.kind.foo"#, "error: no such key: foo"),
            (r#"has(object.kind.foo)"#, "false"),
            (r#"has(object.status.phase)"#, "true"),
            (r#"has(object.status.nope)"#, "false"),
            (r#"has(object.nope.phase)"#, "error: no such key: nope"),
            (r#"has(object.spec.nodeName)"#, "true"),
            (r#"has(object.spec.nodeName.x)"#, "false"),
            (r#"object["metadata"]["labels"]["a/b"]"#, r#""c""#),
            (r#"object.status.list[0]"#, "1"),
            (r#"object.status.list[1]"#, "2.5"),
            (r#"object.status.list[9]"#, "error: index out of bounds: 9"),
            (r#"object.status.list[-1]"#, "error: index out of bounds: -1"),
            (r#"object.status.list.x"#, "error: unsupported index type 'string' in list"),
            (r#"object.spec.containers[1].name"#, r#""b""#),
            (r#"object.spec.containers.exists(c, c.image == "y:2")"#, "true"),
            (r#"object.spec.containers.all(c, c.image.startsWith("x"))"#, "false"),
            (r#"object.spec.containers.map(c, c.name)"#, r#"["a", "b"]"#),
            (r#"object.spec.containers.filter(c, c.ready).size()"#, "1"),
            (r#"size(object.spec.containers)"#, "2"),
            (r#"size(object.kind)"#, "3"),
            (r#"object.metadata.labels.map(k, k)"#, r#"["a/b", "app"]"#),
        ],
        POD,
    );
}
