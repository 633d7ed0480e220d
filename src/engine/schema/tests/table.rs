//! Findings as tables of one-line cases.

use serde_json::json;

use super::super::{Schema, misfits};
use super::schema;
use crate::definition::{
    Aggregation, Definition, Formula, Language, Projection, ProjectionKind, ValueFrom, ValueKind,
};

fn workload() -> Schema {
    schema(&json!({
        "kind": "string",
        "metadata": {"name": "string", "labels": {"*": "string"}, "creationTimestamp": "string"},
        "spec": {
            "replicas": "int", "paused": "bool", "weight": "number", "port": "numberOrString",
            "containers": [{"name": "string", "image": "string", "ports": [{"containerPort": "int"}],
                            "limits": {"*": "numberOrString"}}],
            "free": "any",
        },
        "status": {"phase": "string", "conditions": [{"type": "string", "status": "string"}]},
    }))
}

fn found(definition: &Definition) -> Vec<String> {
    misfits(definition, &workload()).iter().map(ToString::to_string).collect()
}

/// What is found in a value of any type.
pub(super) fn check(language: Language, cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let mut definition = Definition::count("m");
        let formula = Formula { language, text: (*text).to_owned(), place: "at".to_owned() };
        let kind = ProjectionKind::Slice;
        definition.projections.push(Projection { name: "a".to_owned(), formula, kind, default: None });
        let explained = crate::explain::explain(&definition);
        assert!(explained.is_ok(), "{text}: {explained:?}");
        let found = found(&definition);
        if found != *expected {
            wrong.push_str(&format!("{text}\n  expected {expected:?}\n  found    {found:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn fields_that_do_not_exist_are_found_with_a_suggestion() {
    check(
        Language::Cel,
        &[
            ("object.stats.phase", &["at:1:8: the object has no field 'stats' (did you mean 'status'?)"]),
            ("object.status.phas", &["at:1:15: status has no field 'phas' (did you mean 'phase'?)"]),
            ("object['status']['phas']", &["at:1:18: status has no field 'phas' (did you mean 'phase'?)"]),
            ("has(object.status.phas)", &["at:1:19: status has no field 'phas' (did you mean 'phase'?)"]),
            ("has(object.status.phase.phase)", &["at:1:25: status.phase is a string and has no fields"]),
            ("object.?status.?phas", &["at:1:17: status has no field 'phas' (did you mean 'phase'?)"]),
            ("object.?status.phas", &["at:1:16: status has no field 'phas' (did you mean 'phase'?)"]),
            ("object.?status[?'phas']", &["at:1:17: status has no field 'phas' (did you mean 'phase'?)"]),
            (
                "true &&\n  object.status.phas == 'a'",
                &["at:2:17: status has no field 'phas' (did you mean 'phase'?)"],
            ),
            (
                "has(object.status.phas) && object.status.phas == 'a'",
                &["at:1:19: status has no field 'phas' (did you mean 'phase'?)"],
            ),
            ("object.metadata.labels.whatever", &[]),
            ("object.spec.free.whatever[0].more", &[]),
            ("object.spec.nothing.like.this", &["at:1:13: spec has no field 'nothing'"]),
        ],
    );
}

#[test]
fn shapes_are_carried_through_loops_and_bindings() {
    let image = "spec.containers[*] has no field 'imag' (did you mean 'image'?)";
    let at = |column: u32| format!("at:1:{column}: {image}");
    check(
        Language::Cel,
        &[
            ("object.spec.containers.exists(c, c.imag == 'a')", &[&at(36)]),
            ("object.spec.containers.filter(c, c.name == 'a').map(c, c.imag)", &[&at(58)]),
            ("object.spec.containers.filter(c, c.name == 'a')[0].imag", &[&at(52)]),
            ("object.spec.containers.all(i, c, i == 0 || c.imag == '')", &[&at(46)]),
            ("object.spec.containers.transformList(i, c, c.imag)", &[&at(46)]),
            ("object.spec.containers.sortBy(c, c.name)[0].imag", &[&at(45)]),
            ("object.spec.containers.map(c, {'it': c})[0].it.imag", &[&at(48)]),
            ("cel.bind(c, object.spec.containers[0], c.imag)", &[&at(42)]),
            ("(object.spec.paused ? object.spec.containers[0] : object.spec.containers[1]).imag", &[&at(78)]),
            ("[object.spec.containers[0]][0].imag", &[&at(32)]),
            ("object.?spec.?containers.optMap(c, c[0].imag)", &[&at(41)]),
            ("object.?spec.?containers.orValue([]).map(c, c.imag)", &[&at(47)]),
            ("object.spec.containers[?0].?imag", &[&at(29)]),
            (
                "object.spec.containers[0].ports.map(p, p.containerPort + 'a')",
                &[
                    "at:1:56: no such overload: int + string (spec.containers[*].ports[*].containerPort is an integer)",
                ],
            ),
            ("(object.spec.paused ? object.spec : object.status).phase", &[]),
            ("object.metadata.labels.exists(k, k.startsWith('a'))", &[]),
            ("object.metadata.labels.exists(k, k + 1 == 2)", &["at:1:36: no such overload: string + int"]),
            ("object.spec.containers.exists(k, object.spec.free[k] == 1)", &[]),
        ],
    );
}

#[test]
fn what_can_never_be_right_is_found() {
    check(
        Language::Cel,
        &[
            (
                "object.spec.replicas == '3'",
                &["at:1:22: spec.replicas is an integer, which never equals a string"],
            ),
            (
                "'3' != object.spec.replicas",
                &["at:1:5: spec.replicas is an integer, which always differs from a string"],
            ),
            (
                "object.spec.replicas == object.kind",
                &["at:1:22: spec.replicas is an integer, which never equals kind, a string"],
            ),
            (
                "object.spec.replicas > object.kind",
                &["at:1:22: no such overload: int > string (spec.replicas is an integer, kind is a string)"],
            ),
            (
                "object.spec.replicas.matches('3')",
                &["at:1:22: no such overload: int.matches(string) (spec.replicas is an integer)"],
            ),
            (
                "object.spec.replicas.exists(r, r == 1)",
                &["at:1:13: expected a list or a map to loop over, and spec.replicas is an integer"],
            ),
            ("object.spec.containers['app']", &["at:1:24: spec.containers is a list and has no field 'app'"]),
            (
                "object.spec.containers[object.kind]",
                &["at:1:31: spec.containers is a list and is indexed by numbers"],
            ),
            (
                "object.spec.containers.image",
                &["at:1:24: spec.containers is a list and has no field 'image'; its elements have one"],
            ),
            ("object.metadata.labels[0]", &["at:1:24: metadata.labels is a map: its keys are strings"]),
            ("object.spec.replicas && true", &["at:1:13: expected a bool, and spec.replicas is an integer"]),
            ("!object.spec.replicas", &["at:1:14: expected a bool, and spec.replicas is an integer"]),
            ("object.kind ? 1 : 2", &["at:1:8: expected a bool, and kind is a string"]),
            ("-object.kind", &["at:1:1: only a number has a negative, and kind is a string"]),
            (
                "object.spec.replicas in ['1', '2']",
                &["at:1:22: spec.replicas is an integer, which is never among what is a string"],
            ),
            (
                "'a' in object.kind",
                &["at:1:15: expected a list or a map to look through, and kind is a string"],
            ),
        ],
    );
}

#[test]
fn what_no_function_and_no_operator_takes_is_found() {
    check(
        Language::Cel,
        &[
            (
                "object.metadata.creationTimestamp < timestamp('2026-01-01T00:00:00Z')",
                &[
                    "at:1:35: no such overload: string < google.protobuf.Timestamp (metadata.creationTimestamp is a string)",
                ],
            ),
            (
                "size(object.spec.replicas)",
                &["at:1:1: no such overload: size(int) (spec.replicas is an integer)"],
            ),
        ],
    );
}

#[test]
fn what_may_be_right_is_not_found() {
    let fine: Vec<(&str, &[&str])> = [
        "object.spec.replicas == 3 && object.spec.replicas == 3.0",
        "object.spec.weight == 3 && object.spec.weight > 2.5",
        "object.spec.port == 'http' || object.spec.port == 80",
        "object.spec.port.startsWith('h')",
        "quantity(object.spec.containers[0].limits.cpu).isGreaterThan(quantity('1'))",
        "object.spec.replicas == null || object.status == null",
        "object.spec.free == 1 && object.spec.free == 'a' && object.spec.free.matches('a')",
        "type(object.spec.replicas) == int",
        "dyn(object.spec.replicas) == 'a'",
        "object.spec.free.exists(x, x == 1 || x == 'a')",
        "object == {'a': 1}",
        "object.spec.containers.map(c, c.name) == ['a']",
        "[1, 'a'].exists(x, x == object.kind)",
        "object.metadata.labels == {'a': 'b'}",
        "has(object.metadata.labels.app) && 'app' in object.metadata.labels",
        "timestamp(object.metadata.creationTimestamp).getFullYear() > 2000",
        "object.?spec.?free.orValue(object.kind) == 1",
        "math.greatest(object.spec.replicas, 3) > 1",
        "object.spec.containers.map(c, c.image).distinct().join(',') == ''",
        "optional.none().orValue(object.spec).replicas == 1",
        "object.spec.containers.transformMapEntry(i, c, {c.name: c.image}).app == 'a'",
        "object.spec[object.kind] == 1",
        "cel.bind(object, {'a': 1}, object.a == 1)",
    ]
    .into_iter()
    .map(|text| (text, &[][..]))
    .collect();
    check(Language::Cel, &fine);
}

#[test]
fn results_are_what_they_are_needed_for() {
    let filter = Definition::count("m").filter("object.spec.replicas");
    assert_eq!(found(&filter), ["filter:1:1: a filter is a bool, and spec.replicas is an integer"]);
    let each = Definition::count("m").each("object.spec.replicas").by("a", "item.x");
    assert_eq!(
        found(&each),
        ["each:1:1: the elements of a list or a map are needed, and spec.replicas is an integer"]
    );
    let by = Definition::count("m").by("a", "object.spec.containers");
    assert_eq!(found(&by), ["by.a:1:1: type primitive needs a scalar, and spec.containers is a list"]);
    let mut both = Definition::count("m").by("a", "");
    both.projections[0].formula.language = Language::Rfc9535;
    both.projections[0].formula.text = "$['spec','status']".to_owned();
    let expected = "by.a:1:1: type primitive needs a scalar, and spec is a map or status is a map";
    assert_eq!(found(&both), [expected]);
    let value = Definition::count("m").aggregate(Aggregation::Sum, ValueKind::Integer, "object.spec.paused");
    assert_eq!(found(&value), ["value:1:1: a number is needed, and spec.paused is a bool"]);
    let optional =
        Definition::count("m").aggregate(Aggregation::Sum, ValueKind::Integer, "object.?spec.?replicas");
    assert_eq!(found(&optional), Vec::<String>::new());
}

#[test]
fn what_was_computed_is_told_by_its_type() {
    let filter = Definition::count("m").filter("object.spec.replicas > 1 ? 1 : 2");
    assert_eq!(found(&filter), ["filter:1:1: a filter is a bool, this is an integer"]);
    let either = Definition::count("m").filter("!(object.spec.replicas > 1 ? 1 : 'a')");
    assert_eq!(found(&either), ["filter:1:28: expected a bool, this is an integer or a string"]);
}

#[test]
fn a_time_is_read_as_one() {
    let found = |kind: ValueKind, text: &str| {
        let schema = super::schema(&json!({"metadata": {"creationTimestamp": "time"}}));
        let definition = Definition::count("m").aggregate(Aggregation::Max, kind, text);
        misfits(&definition, &schema).into_iter().map(|error| error.to_string()).collect::<Vec<_>>()
    };
    let field = "object.metadata.creationTimestamp";
    let expected = ["value:1:1: metadata.creationTimestamp is a time, which `type: timestamp` reads"];
    for kind in [ValueKind::Integer, ValueKind::Double, ValueKind::Quantity, ValueKind::Duration] {
        assert_eq!(found(kind, field), expected, "{kind:?}");
    }
    assert_eq!(found(ValueKind::Integer, "object.metadata.?creationTimestamp"), expected);
    assert_eq!(found(ValueKind::Timestamp, field), [""; 0]);
    assert_eq!(found(ValueKind::Integer, "int(timestamp(object.metadata.creationTimestamp))"), [""; 0]);
    assert_eq!(found(ValueKind::Integer, "object.metadata.creationTimestamp.size()"), [""; 0]);
}

#[test]
fn an_item_has_an_index_or_a_key() {
    let of = |each: &str, by: &str| found(&Definition::count("m").each(each).by("a", by));
    let no_key = "by.a:1:1: no such variable: key (the items are elements of a list: use index)";
    let no_index = "by.a:1:8: no such variable: index (the items are entries of a map: use key)";
    assert_eq!(of("object.spec.containers", "key"), [no_key]);
    assert_eq!(of("object.metadata.labels", "string(index)"), [no_index]);
    assert_eq!(of("object.spec.containers", "string(index)"), [""; 0]);
    assert_eq!(of("object.metadata.labels", "key"), [""; 0]);
    assert_eq!(of("object.spec.free", "key + string(index)"), [""; 0], "nothing is known of it");
    assert_eq!(of("object.spec.containers", "['a'].map(key, key)[0]"), [""; 0], "another variable");
}

#[test]
fn an_item_is_an_element_of_its_list() {
    let by = |each: Definition| found(&each.by("a", "item.nam").by("b", "index + 1"));
    let expected = ["by.a:1:6: spec.containers[*] has no field 'nam' (did you mean 'name'?)"];
    assert_eq!(by(Definition::count("m").each("object.spec.containers")), expected);
    assert_eq!(by(Definition::count("m").each("object.?spec.?containers")), expected);
    for (language, text) in [
        (Language::Kubectl, "spec.containers"),
        (Language::Kubectl, "spec.containers[*]"),
        (Language::Rfc9535, "$.spec.containers[*]"),
    ] {
        let formula = Formula { language, text: text.to_owned(), place: "each".to_owned() };
        let each = Definition { for_each: Some(formula), ..Definition::count("m") };
        assert_eq!(by(each), expected, "{text}");
    }
    let labels = Definition::count("m").each("object.metadata.labels").by("a", "item + 1");
    assert_eq!(found(&labels), ["by.a:1:6: no such overload: string + int (metadata.labels.* is a string)"]);
}

#[test]
fn a_default_does_not_make_a_value_right() {
    let formula = Formula::cel("object.spec.replica", "value");
    let value = ValueFrom {
        formula,
        kind: ValueKind::Integer,
        aggregation: Aggregation::Sum,
        default: Some(json!(1)),
    };
    let definition = Definition { value: Some(value), ..Definition::count("m") };
    assert_eq!(found(&definition), ["value:1:13: spec has no field 'replica' (did you mean 'replicas'?)"]);
}

#[test]
fn of_a_schema_that_is_part_of_itself_everything_is_known() {
    let mut schema = Schema::new();
    let node = schema.add(super::Shape::Anything);
    let name = schema.add(super::Shape::String);
    schema.set(node, super::Shape::closed([("child", node), ("name", name)]));
    schema.set(Schema::ROOT, super::Shape::closed([("top", node)]));
    let deep = format!("object.top{}.nam == ''", ".child".repeat(100));
    let found = misfits(&Definition::count("m").filter(&deep), &schema);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.ends_with("has no field 'nam' (did you mean 'name'?)"), "{}", found[0].message);
    assert!(found[0].message.len() < 200, "{}", found[0].message);
    let formula = Formula { language: Language::Kubectl, text: "..nam".to_owned(), place: "each".to_owned() };
    let each = Definition { for_each: Some(formula), ..Definition::count("m") };
    assert_eq!(misfits(&each, &schema).len(), 1);
}

#[test]
fn of_many_members_one_must_have_the_field() {
    let many = schema(&json!({"spec": {
        "a": "string", "b": "int", "c": "bool", "d": "string", "e": "string", "f": {"name": "string"},
        "g": [{"inner": {"image": "string"}}], "h": {"name": "int"},
    }}));
    let at = |language, text: &str| {
        let formula = Formula { language, text: text.to_owned(), place: "each".to_owned() };
        let each = Definition { for_each: Some(formula), ..Definition::count("m") };
        let found = misfits(&each, &many);
        found.first().map(ToString::to_string).unwrap_or_default()
    };
    let unknown = |column: u32| {
        format!("each:1:{column}: there is no field 'nam' in spec or below (did you mean 'name'?)")
    };
    for (language, text, expected) in [
        (Language::Rfc9535, "$.spec.*.nam", unknown(10)),
        (Language::Rfc9535, "$.spec[*]['nam']", unknown(12)),
        (Language::Rfc9535, "$.spec[?@.nam]", unknown(11)),
        (Language::Kubectl, "spec.*.nam", unknown(8)),
        (Language::Cel, "object.spec.map(k, object.spec[k].nam)", unknown(35)),
        (Language::Rfc9535, "$.spec.*.name", String::new()),
        (Language::Rfc9535, "$.spec[?@.image]", String::new()),
        (Language::Rfc9535, "$.spec[?@ == 1 || @.name == 'a' || @.name == 1]", String::new()),
        (Language::Kubectl, "spec.*.name", String::new()),
        (Language::Cel, "object.spec.map(k, object.spec[k].name)", String::new()),
    ] {
        assert_eq!(at(language, text), expected, "{text}");
    }
}

#[test]
fn of_objects_of_another_release_a_path_may_ask_for_what_is_not_known() {
    let known = workload();
    let asked = |language, text: &str, schema: &Schema| {
        let formula = Formula { language, text: text.to_owned(), place: "each".to_owned() };
        let each = Definition { for_each: Some(formula), ..Definition::count("m") };
        misfits(&each, schema).len()
    };
    for (language, text) in [
        (Language::Rfc9535, "$.spec.containers[?@.resizePolicy]"),
        (Language::Rfc9535, "$.spec.containers[?!(@.resizePolicy && @.resizePolicy == 'a')]"),
        (Language::Kubectl, "spec.containers[?(@.resizePolicy)].name"),
    ] {
        assert_eq!(asked(language, text, &known), 1, "{text}");
        assert_eq!(asked(language, text, &known.clone().dated()), 0, "{text}");
    }
    let misspelt = "$.spec.containers[?@.imag]";
    assert_eq!(asked(Language::Rfc9535, misspelt, &known.dated()), 1);
}
