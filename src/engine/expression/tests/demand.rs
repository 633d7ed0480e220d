//! What a row must keep for an expression, and what it must not.

use super::{compile, row};
use crate::row::{FieldPlan, HashSeed};

/// Every text in the object is different, so that the row's own text shows what was kept.
const POD: &str = r#"{
    "metadata": {"labels": {"app": "app-text", "tier": "tier-text"}, "annotations": {"note": "note-text"}},
    "spec": {
        "containers": [
            {"name": "first-name", "image": "first-image", "env": [{"name": "e", "value": "env-text"}]},
            {"name": "second-name", "image": "second-image"}
        ],
        "host": "host-text"
    },
    "status": {"phase": "phase-text", "conditions": {"ready": "ready-text"}}
}"#;

const TEXTS: [&str; 10] = [
    "app-text",
    "tier-text",
    "note-text",
    "first-name",
    "second-name",
    "first-image",
    "second-image",
    "env-text",
    "host-text",
    "phase-text",
];

fn kept(text: &str) -> Vec<&'static str> {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    compile(text, &mut plan).expect(text);
    let row = row(&plan, POD);
    TEXTS.into_iter().filter(|kept| row.text.contains(kept)).collect()
}

#[test]
fn a_row_keeps_only_what_is_read() {
    let images: &[&str] = &["first-image", "second-image"];
    let labels: &[&str] = &["app-text", "tier-text"];
    let containers: &[&str] = &["first-name", "second-name", "first-image", "second-image", "env-text"];
    let cases: &[(&str, &[&str])] = &[
        ("object.status.phase == 'x'", &["phase-text"]),
        ("object.status.phase", &["phase-text"]),
        ("has(object.status.phase)", &[]),
        ("object.metadata.labels.app == 'x'", &["app-text"]),
        ("object['metadata']['labels']['app'] == 'x'", &["app-text"]),
        ("object.metadata.labels['app'] in ['x']", &["app-text"]),
        ("object.metadata.labels", labels),
        ("object.metadata.labels[object.status.phase]", &["app-text", "tier-text", "phase-text"]),
        ("object.metadata.labels == {}", labels),
        ("object.metadata.labels == 'x'", &[]),
        ("object.metadata.labels < 'x'", &[]),
        ("object.spec.containers.exists(c, c.image == 'x')", images),
        ("object.spec.containers.map(c, c.image)", images),
        ("object.spec.containers.filter(c, c.image == 'x')", containers),
        ("object.spec.containers.filter(c, c.image == 'x').size()", images),
        ("size(object.spec.containers.filter(c, has(c.env)))", &[]),
        ("size(object.spec.containers)", &[]),
        ("object.spec.containers.size() > 1", &[]),
        ("size(object.spec.host)", &["host-text"]),
        ("object.spec.containers[0].image == 'x'", images),
        ("object.spec.containers.exists(c, has(c.env) && c.env.exists(e, e.value == 'x'))", &["env-text"]),
        ("object.spec.containers.exists(c, c.env.all(e, has(e.value)))", &[]),
        ("object.?spec.?host.orValue('')", &["host-text"]),
        ("object.spec.host.startsWith('x') && !has(object.status.phase)", &["host-text"]),
        ("object.spec.containers", containers),
        ("object.metadata.annotations.exists(k, k == 'note')", &["note-text"]),
        ("object.spec.host + 'x'", &["host-text"]),
        ("object.spec.containers.exists(i, c, c.image == 'x')", images),
        ("object.spec.containers.transformList(i, c, i > 0, c.image)", images),
        ("object.spec.containers.all(i, c, i >= 0)", &[]),
        ("object.metadata.annotations.exists(k, v, v == 'x')", &["note-text"]),
        ("object.metadata.labels.transformMap(k, v, v)", labels),
        ("object.spec.containers.sortBy(c, c.image)", containers),
        ("cel.bind(all, object.spec.containers, all.exists(c, c.image == 'x'))", images),
        ("cel.bind(host, object.spec.host, host == 'x' || host == 'y')", &["host-text"]),
        ("cel.bind(spec, object.spec, has(spec.host))", &[]),
        ("object.spec.host.find('x')", &["host-text"]),
        ("object.spec.containers + object.spec.containers", containers),
        ("false && object.spec.host == 'x'", &["host-text"]),
    ];
    for (text, expected) in cases {
        assert_eq!(kept(text), *expected, "{text}");
    }
    assert_eq!(kept("object == object").len(), TEXTS.len());
}

#[test]
fn a_text_that_does_not_compile_leaves_nothing_behind() {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    compile("object.status.phase == 'x' && nope", &mut plan).expect_err("unknown name");
    assert!(!row(&plan, POD).text.contains("phase-text"));
}
