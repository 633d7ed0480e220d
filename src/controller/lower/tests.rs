//! What lowering makes of a Metric, and every message it has.

// A table reads better with literals passed as they are.
#![allow(clippy::needless_pass_by_value)]

use celemetry_engine::definition::{Aggregation, Language, ProjectionKind, TextForm, ValueKind};
use serde_json::{Value, json};

use super::formula::{AGGREGATIONS, DIALECTS, PROJECTION_KINDS, VALUE_KINDS};
use super::settings::MODES;
use super::*;
use crate::api::Metric;

const NATIVE: LowerOptions<'_> = LowerOptions {
    profile: Profile::Native,
    objects: Objects::Input,
    default_mode: Mode::EventDriven,
    base_attributes: BaseAttributes::LeftOut,
    allow_secret_data: false,
    selectable_fields: &[],
};
const UPSTREAM: LowerOptions<'_> = LowerOptions { profile: Profile::UpstreamV12, ..NATIVE };
const CLUSTER: LowerOptions<'_> = LowerOptions { objects: Objects::Cluster, ..NATIVE };

/// A Metric of Pods named `m`, with the members of `spec` beside its own or instead of them.
fn metric(spec: &Value) -> Metric {
    let mut whole = json!({ "name": "m", "target": { "kind": "Pod" } });
    whole.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    let metadata = json!({ "name": "pods", "namespace": "shop" });
    serde_json::from_value(json!({ "metadata": metadata, "spec": whole })).unwrap()
}

fn lowered(spec: Value, options: LowerOptions<'_>) -> Lowered {
    lower(&metric(&spec), options).unwrap_or_else(|errors| panic!("{spec}: {errors:?}"))
}

fn errors(spec: Value, expected: &[&str]) {
    let found = lower(&metric(&spec), NATIVE).expect_err(&spec.to_string());
    let found = found.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(found, expected, "{spec}");
}

fn warnings(spec: Value, options: LowerOptions<'_>, expected: &[&str]) {
    assert_eq!(lowered(spec.clone(), options).warnings, expected, "{spec}");
}

#[test]
fn what_is_absent_has_its_default() {
    let Lowered { definition, target, field_selector, mode, debounce, interval, warnings, .. } =
        lowered(json!({}), NATIVE);
    assert_eq!(definition.info.source, "Metric/shop/pods");
    assert_eq!((definition.info.namespace.as_str(), definition.info.object.as_str()), ("shop", "pods"));
    assert_eq!((definition.info.name.as_str(), definition.info.description.as_str()), ("m", ""));
    assert_eq!(&*definition.tenant, "shop");
    assert!(
        definition.labels.is_empty() && definition.fields.is_empty() && definition.projections.is_empty()
    );
    assert_eq!((definition.namespaces, definition.filter, definition.for_each), (None, None, None));
    assert_eq!(definition.value, None);
    assert_eq!(definition.text, TextForm::Native);
    assert_eq!(definition.max_series, 10_000);
    assert_eq!(target, Target { group: None, version: None, kind: Some("Pod".to_owned()) });
    assert_eq!((field_selector, mode), (None, Mode::EventDriven));
    assert_eq!((debounce, interval), (Duration::from_secs(1), Duration::from_secs(600)));
    assert!(warnings.is_empty());
}

#[test]
fn a_missing_namespace_is_default() {
    let mut metric = metric(&json!({}));
    metric.metadata.namespace = None;
    let definition = lower(&metric, NATIVE).unwrap().definition;
    assert_eq!((&*definition.info.source, &*definition.tenant), ("Metric/default/pods", "default"));
}

#[test]
fn an_empty_text_is_an_absent_one() {
    let empty = json!({
        "unit": "", "labelSelector": "", "fieldSelector": "", "namespaceSelector": "", "filter": " ",
        "mode": "", "interval": "", "flush": { "debounce": "" }, "namespaces": [], "projections": [],
    });
    assert_eq!(lowered(empty, NATIVE), lowered(json!({}), NATIVE));
}

#[test]
fn what_is_written_arrives() {
    let Lowered { definition, target, mode, debounce, interval, .. } = lowered(
        json!({
            "target": { "kind": "deployment", "group": "apps", "version": "v1", "cache": { "enabled": "true" } },
            "description": "About Deployments",
            "unit": "By",
            "labelSelector": "app=web,!old",
            "fieldSelector": "metadata.name!=a",
            "namespaces": ["b", "a"],
            "filter": "object.spec.replicas > 1",
            "forEach": { "fieldPath": "spec.template.spec.containers" },
            "valueFrom": { "expression": "1", "type": "double", "aggregation": "max", "default": "0" },
            "mode": "Polling",
            "interval": "1d12h",
            "flush": { "debounce": "250ms" },
            "limits": { "maxSeries": 7 },
        }),
        NATIVE,
    );
    let part = |text: &str| Some(text.to_owned());
    assert_eq!(target, Target { group: part("apps"), version: part("v1"), kind: part("deployment") });
    assert_eq!((&*definition.info.description, &*definition.info.unit), ("About Deployments", "By"));
    assert_eq!(crate::controller::print_label_selector(&definition.labels), "app=web,!old");
    assert_eq!(definition.fields[0].path, ["metadata", "name"]);
    assert_eq!(definition.namespaces.unwrap().into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let filter = definition.filter.unwrap();
    assert_eq!((filter.language, &*filter.place), (Language::Cel, "spec.filter"));
    let for_each = definition.for_each.unwrap();
    assert_eq!((for_each.language, &*for_each.place), (Language::Kubectl, "spec.forEach.fieldPath"));
    let value = definition.value.unwrap();
    assert_eq!((value.formula.language, &*value.formula.place), (Language::Cel, "spec.valueFrom.expression"));
    assert_eq!((value.kind, value.aggregation), (ValueKind::Double, Aggregation::Max));
    assert_eq!(value.default, Some(json!("0")));
    assert_eq!(definition.max_series, 7);
    assert_eq!((mode, interval), (Mode::Polling, Duration::from_secs(36 * 3600)));
    assert_eq!(debounce, Duration::from_millis(250));
}

/// The language that a path is read in.
fn language(path: &str, dialect: Option<&str>) -> Language {
    let projection = json!({ "name": "a", "fieldPath": path, "dialect": dialect });
    lowered(json!({ "projections": [projection] }), NATIVE).definition.projections[0].formula.language
}

#[test]
fn a_leading_dollar_is_rfc_9535_unless_the_dialect_is_written() {
    assert_eq!(language("status.phase", None), Language::Kubectl);
    assert_eq!(language(".status.phase", None), Language::Kubectl);
    assert_eq!(language("{.status.phase}", None), Language::Kubectl);
    assert_eq!(language("{$.status.phase}", None), Language::Kubectl);
    assert_eq!(language(" $.a", None), Language::Kubectl);
    assert_eq!(language("$.status.phase", None), Language::Rfc9535);
    assert_eq!(language("$", None), Language::Rfc9535);
    assert_eq!(language("$.status.phase", Some("Kubectl")), Language::Kubectl);
    assert_eq!(language("status.phase", Some("RFC9535")), Language::Rfc9535);
    assert_eq!(language("status.phase", Some("")), Language::Kubectl);
}

#[test]
fn a_path_that_reads_in_two_ways_is_warned_of() {
    let check = |path: &str, options, expected: &[&str]| {
        let projection = json!({ "name": "a", "fieldPath": path });
        let place =
            expected.iter().map(|text| format!("spec.projections[0].fieldPath: {text}")).collect::<Vec<_>>();
        let place = place.iter().map(String::as_str).collect::<Vec<_>>();
        warnings(json!({ "projections": [projection] }), options, &place);
    };
    for plain in ["a.b", ".a.b", "{.a.b}", "$.a.b", "$['a']['b']", "$.a[0]", "$.a[*].b", ".", "..a"] {
        check(plain, NATIVE, &[]);
    }
    let about = |what: &str, how: &str| {
        format!("'{what}' is read as RFC 9535, for the leading '$'; kubectl {how}; `dialect` settles it")
    };
    check("$..a", NATIVE, &[&about("..", "gives the matches in another order")]);
    // Only one of the dialects accepts it.
    check("$.a[?@.b=='c']", NATIVE, &[]);
    let compared = "skips what lacks the field and refuses to compare values of different types";
    check("$.a[?(@.b=='c')]", NATIVE, &[&about("[?", compared)]);
    check("$.a['b.c']", NATIVE, &[&about("['b.c']", "reads a path in the quotes")]);
    check("$.a[1:2]", NATIVE, &[&about(":", "refuses a slice that is out of range")]);
    check("$.a[-1]", NATIVE, &[&about("[-1]", "refuses an index that is out of range")]);
    for plain in ["a.b", "{.a.b}", ".", "..a", "a[?(@.b=='c')]"] {
        check(plain, UPSTREAM, &[]);
    }
    check("$.a", UPSTREAM, &["a leading '$' is RFC 9535; metrics-operator finds nothing there"]);
    check(".a.b", UPSTREAM, &["a leading '.' is the root; metrics-operator searches the whole object"]);
    let settled = json!({ "projections": [{ "name": "a", "fieldPath": "$..a", "dialect": "RFC9535" }] });
    warnings(settled, NATIVE, &[]);
}

#[test]
fn projections_without_a_name_or_a_formula_are_skipped_as_upstream_does_and_said() {
    let spec = json!({ "projections": [
        { "fieldPath": "a" },
        { "name": "", "fieldPath": "a", "type": "odd" },
        { "name": "b" },
        { "name": "c", "fieldPath": "", "expression": "", "type": "odd" },
        { "name": "d", "fieldPath": "", "expression": "object.d" },
        { "name": "e", "fieldPath": "e", "expression": "", "type": "slice", "default": [1] },
        { "name": "f", "fieldPath": "f", "type": "map", "default": null },
        { "name": "g", "fieldPath": "g", "type": "timestamp" },
    ] });
    errors(
        spec.clone(),
        &[
            "spec.projections[0]: needs a name",
            "spec.projections[1]: needs a name",
            "spec.projections[2]: needs fieldPath or expression",
            "spec.projections[3]: needs fieldPath or expression",
        ],
    );
    let Lowered { definition, warnings, .. } = lowered(spec, UPSTREAM);
    let found = definition.projections.iter().map(|projection| {
        (
            projection.name.as_str(),
            projection.kind,
            projection.formula.place.as_str(),
            projection.default.clone(),
        )
    });
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("d", ProjectionKind::Primitive, "spec.projections[4].expression", None),
            ("e", ProjectionKind::Slice, "spec.projections[5].fieldPath", Some(json!([1]))),
            ("f", ProjectionKind::Map, "spec.projections[6].fieldPath", None),
            ("g", ProjectionKind::Timestamp, "spec.projections[7].fieldPath", None),
        ]
    );
    assert_eq!(
        warnings,
        [
            "spec.projections[0]: has no name: left out, as metrics-operator does",
            "spec.projections[1]: has no name: left out, as metrics-operator does",
            "spec.projections[2]: has neither fieldPath nor expression: left out, as metrics-operator does",
            "spec.projections[3]: has neither fieldPath nor expression: left out, as metrics-operator does",
        ]
    );
}

#[test]
fn of_two_projections_with_one_name_the_later_stands() {
    let spec = json!({ "projections": [
        { "name": "a", "fieldPath": "x" }, { "name": "b", "fieldPath": "y" }, { "name": "a", "fieldPath": "z" },
    ] });
    let Lowered { definition, warnings, .. } = lowered(spec, NATIVE);
    let found = definition.projections.iter().map(|projection| projection.formula.text.as_str());
    assert_eq!(found.collect::<Vec<_>>(), ["y", "z"]);
    assert_eq!(warnings, ["spec.projections[2]: takes the place of an earlier projection named 'a'"]);
}

#[test]
fn namespaces_of_a_kind_that_is_in_none_are_warned_of_and_ignored() {
    let on_nodes = json!({ "target": { "kind": "node" }, "namespaces": ["a"] });
    warnings(on_nodes.clone(), NATIVE, &["spec.namespaces: a node is in no namespace: ignored"]);
    assert_eq!(lowered(on_nodes, NATIVE).definition.namespaces, None);
    let elsewhere = json!({ "target": { "kind": "Node", "group": "example.org" }, "namespaces": ["a"] });
    assert!(lowered(elsewhere, NATIVE).definition.namespaces.is_some());
}

#[test]
fn odd_projections_are_errors_with_their_place() {
    let name = |mut item: Value| {
        item["name"] = json!("a");
        json!({ "projections": [{ "name": "z", "fieldPath": "z" }, item] })
    };
    errors(
        name(json!({ "fieldPath": "a", "expression": "b" })),
        &["spec.projections[1]: has both fieldPath and expression, of which one is needed"],
    );
    errors(
        name(json!({ "fieldPath": "a", "type": "odd" })),
        &["spec.projections[1].type: 'odd' is none of primitive, slice, map, timestamp"],
    );
    errors(
        name(json!({ "fieldPath": "a", "dialect": "kubectl" })),
        &["spec.projections[1].dialect: 'kubectl' is none of Kubectl, RFC9535"],
    );
    let says = |item: Value, warning: &str| warnings(name(item), NATIVE, &[warning]);
    says(
        json!({ "expression": "a", "dialect": "RFC9535" }),
        "spec.projections[1].dialect: has no meaning beside an expression",
    );
    says(
        json!({ "fieldPath": "a", "default": 1 }),
        "spec.projections[1].default: should be a string for type primitive: as it is, an absent value is an error",
    );
    says(
        json!({ "fieldPath": "a", "type": "timestamp", "default": {} }),
        "spec.projections[1].default: should be a string for type timestamp: as it is, an absent value is an error",
    );
}

#[test]
fn odd_values_are_errors_with_their_place() {
    errors(json!({ "valueFrom": {} }), &["spec.valueFrom: needs fieldPath or expression"]);
    errors(
        json!({ "valueFrom": { "fieldPath": "a", "expression": "b" } }),
        &["spec.valueFrom: has both fieldPath and expression, of which one is needed"],
    );
    errors(
        json!({ "valueFrom": { "fieldPath": "a", "type": "int", "aggregation": "p99", "dialect": "x", "default": [] } }),
        &[
            "spec.valueFrom.type: 'int' is none of integer, timestamp, double, quantity, duration",
            "spec.valueFrom.aggregation: 'p99' is none of sum, max, min, mean, count",
            "spec.valueFrom.default: must be a string or a number",
            "spec.valueFrom.dialect: 'x' is none of Kubectl, RFC9535",
        ],
    );
    errors(json!({ "forEach": {} }), &["spec.forEach: needs fieldPath or expression"]);
    errors(
        json!({ "forEach": { "fieldPath": "a", "expression": "b" } }),
        &["spec.forEach: has both fieldPath and expression, of which one is needed"],
    );
}

#[test]
fn names_and_units_are_opentelemetrys() {
    for good in ["a", "A-b_c.d/e9", &"x".repeat(255)] {
        assert_eq!(lowered(json!({ "name": good }), NATIVE).definition.info.name, good);
    }
    let only = "letters, digits, '_', '.', '-' and '/' are allowed";
    errors(json!({ "name": null }), &["spec.name: is missing"]);
    errors(json!({ "name": "" }), &["spec.name: is missing"]);
    errors(json!({ "name": "9a" }), &["spec.name: '9a' must begin with a letter"]);
    errors(json!({ "name": "ä" }), &["spec.name: 'ä' must begin with a letter"]);
    errors(json!({ "name": "a b" }), &[&format!("spec.name: 'a b' must not hold ' ': {only}")]);
    errors(json!({ "name": "a\nb" }), &[&format!("spec.name: 'a\\nb' must not hold '\\n': {only}")]);
    errors(json!({ "name": "x".repeat(256) }), &["spec.name: has 256 characters, at most 255 are allowed"]);
    errors(json!({ "unit": "a b" }), &["spec.unit: must be at most 63 ASCII characters without spaces"]);
    errors(
        json!({ "unit": "x".repeat(64) }),
        &["spec.unit: must be at most 63 ASCII characters without spaces"],
    );
}

#[test]
fn a_unit_that_is_not_written_follows_from_the_number() {
    let unit = |mut spec: Value, options| {
        spec["target"] = spec.get("target").cloned().unwrap_or_else(|| json!({ "kind": "Pod" }));
        lowered(spec, options).definition.info.unit.clone()
    };
    let value = |kind: &str, aggregation: &str| json!({ "valueFrom": { "fieldPath": "a", "type": kind, "aggregation": aggregation } });
    assert_eq!(unit(json!({}), NATIVE), "{pod}");
    assert_eq!(unit(json!({ "target": { "group": "apps" } }), NATIVE), "{object}");
    assert_eq!(unit(json!({ "forEach": { "fieldPath": "a" } }), NATIVE), "{item}");
    assert_eq!(unit(value("quantity", "count"), NATIVE), "{pod}");
    assert_eq!(unit(value("timestamp", "min"), NATIVE), "s");
    assert_eq!(unit(value("duration", "sum"), NATIVE), "s");
    assert_eq!(unit(value("quantity", "sum"), NATIVE), "");
    assert_eq!(unit(json!({}), UPSTREAM), "");
    assert_eq!(unit(value("timestamp", "min"), UPSTREAM), "");
    assert_eq!(unit(json!({ "unit": "By" }), UPSTREAM), "By");
}

#[test]
fn settings_that_cannot_be_are_errors_with_their_place() {
    errors(json!({ "target": null }), &["spec.target: is missing"]);
    errors(
        json!({ "target": { "kind": "", "cache": {} } }),
        &["spec.target: names nothing: it needs at least one of kind, group and version"],
    );
    errors(json!({ "mode": "polling" }), &["spec.mode: 'polling' is none of EventDriven, Polling"]);
    errors(json!({ "interval": "0s" }), &["spec.interval: must be longer than nothing"]);
    errors(json!({ "interval": "-5m" }), &["spec.interval: '-5m' is negative"]);
    errors(json!({ "limits": { "maxSeries": 0 } }), &["spec.limits.maxSeries: is 0, must be at least 1"]);
    errors(
        json!({ "namespaces": ["a", "A", ""] }),
        &[
            "spec.namespaces[1]: 'A' cannot be the name of a namespace",
            "spec.namespaces[2]: '' cannot be the name of a namespace",
        ],
    );
    let wrong = lower(&metric(&json!({ "flush": { "debounce": "soon" } })), NATIVE).unwrap_err();
    let wrong = wrong[0].to_string();
    assert!(
        wrong.starts_with("spec.flush.debounce: 'soon' is no duration such as 10m or 1h30m: "),
        "{wrong}"
    );
}

#[test]
fn selectors_are_checked_where_they_stand() {
    errors(json!({ "labelSelector": "a in b" }), &["spec.labelSelector:1:6: found 'b', expected '('"]);
    errors(
        json!({ "fieldSelector": "metadata.name=a,b" }),
        &["spec.fieldSelector:1:17: 'b' has no operator (=, ==, !=)"],
    );
    errors(
        json!({ "namespaceSelector": "a," }),
        &["spec.namespaceSelector:1:3: found the end, expected a label key or '!'"],
    );
    warnings(
        json!({ "fieldSelector": "status.podIPs=a" }),
        NATIVE,
        &[
            "spec.fieldSelector: status.podIPs: an API server compares it with the empty text; status.podIP is filled",
        ],
    );
}

#[test]
fn all_errors_are_told_at_once() {
    let mut metric =
        metric(&json!({ "name": "9", "target": null, "labelSelector": "=", "interval": "x", "mode": "y" }));
    metric.metadata.name = None;
    let places = lower(&metric, NATIVE).unwrap_err().into_iter().map(|error| error.place).collect::<Vec<_>>();
    assert_eq!(
        places,
        ["spec.target", "spec.name", "metadata.name", "spec.labelSelector", "spec.mode", "spec.interval"]
    );
}

#[test]
fn what_needs_a_cluster_is_said_without_one() {
    errors(
        json!({ "namespaceSelector": "a=b" }),
        &["spec.namespaceSelector: needs the labels of namespaces, which are not available here"],
    );
    let spec = json!({ "mode": "Polling", "dataSinkRef": {}, "remoteClusterAccessRef": { "name": "a" } });
    warnings(
        spec.clone(),
        NATIVE,
        &[
            "spec.mode: Polling has no meaning here: every change of the input counts at once",
            "spec.dataSinkRef: nothing is pushed here",
            "spec.remoteClusterAccessRef: no cluster is asked here: the objects are those of the input",
        ],
    );
    warnings(spec, CLUSTER, &[]);
}

#[test]
fn in_a_cluster_the_api_server_selects_by_fields() {
    let Lowered { definition, field_selector, .. } =
        lowered(json!({ "fieldSelector": "spec.own=a" }), CLUSTER);
    assert_eq!((definition.fields.len(), field_selector.as_deref()), (0, Some("spec.own=a")));
}

#[test]
fn in_a_cluster_what_kubernetes_does_not_select_its_own_kinds_by_is_said() {
    let spec = |kind: &str, selector: &str| json!({ "target": { "kind": kind }, "fieldSelector": selector });
    let refused = "the API server refuses it, unless it is newer";
    let only = "objects of this kind are not selected by the field 'spec.foo', only by metadata.name, metadata.namespace";
    for kind in ["ConfigMap", "deployment"] {
        warnings(spec(kind, "spec.foo=a"), CLUSTER, &[&format!("spec.fieldSelector: {only}: {refused}")]);
    }
    warnings(spec("Widget", "spec.foo=a"), CLUSTER, &[]);
    warnings(spec("Job", "status.successful=0"), CLUSTER, &[]);
    let wrong = lower(&metric(&spec("Widget", "spec.foo")), CLUSTER).unwrap_err();
    assert_eq!(wrong[0].to_string(), "spec.fieldSelector:1:1: 'spec.foo' has no operator (=, ==, !=)");
}

#[test]
fn messages_stay_one_line_of_bearable_length() {
    let error = |mode: &str| lower(&metric(&json!({ "mode": mode })), NATIVE).unwrap_err()[0].to_string();
    assert_eq!(error("a\u{1b}[2J\nb"), "spec.mode: 'a\\u{1b}[2J\\nb' is none of EventDriven, Polling");
    assert_eq!(error(&"x".repeat(10_000)).chars().count(), "spec.mode: ".len() + 501);
}

#[test]
fn the_profile_decides_how_values_are_written() {
    for (profile, text) in [
        (Profile::Native, TextForm::Native),
        (Profile::UpstreamV1, TextForm::Go),
        (Profile::UpstreamV12, TextForm::Go),
    ] {
        assert_eq!(lowered(json!({}), LowerOptions { profile, ..NATIVE }).definition.text, text);
    }
}

#[test]
fn the_profile_names_the_scope() {
    for (profile, scope) in
        [(Profile::Native, "celemetry"), (Profile::UpstreamV1, "metric"), (Profile::UpstreamV12, "metric")]
    {
        assert_eq!(lowered(json!({}), LowerOptions { profile, ..NATIVE }).definition.info.scope, scope);
    }
}

#[test]
fn the_upstream_profiles_add_the_target_as_written_and_the_cluster() {
    let added = BaseAttributes::Added { cluster: "host" };
    let target = json!({ "target": { "kind": "deployment", "group": "apps", "version": "" } });
    let attributes = |options| lowered(target.clone(), options).definition.info.base_attributes.clone();
    for profile in [Profile::UpstreamV1, Profile::UpstreamV12] {
        let options = LowerOptions { profile, base_attributes: added, ..NATIVE };
        let expected = [("cluster", "host"), ("group", "apps"), ("resource", "deployment")];
        assert_eq!(attributes(options), expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
        let nowhere = BaseAttributes::Added { cluster: "" };
        assert_eq!(attributes(LowerOptions { base_attributes: nowhere, ..options }).len(), 2);
    }
    assert_eq!(attributes(LowerOptions { base_attributes: added, ..NATIVE }), []);
    assert_eq!(attributes(UPSTREAM), []);
}

#[test]
fn a_projection_takes_the_place_of_a_base_attribute_and_falls_back_on_it() {
    let projections = json!({ "projections": [
        { "name": "resource", "fieldPath": "metadata.name" },
        { "name": "cluster", "fieldPath": "spec.cluster", "default": "own" },
        { "name": "version", "fieldPath": "spec.versions", "type": "slice" },
        { "name": "phase", "fieldPath": "status.phase" },
    ], "target": { "kind": "Pod", "version": "v1", "group": "" } });
    let base_attributes = BaseAttributes::Added { cluster: "host" };
    let definition = lowered(projections.clone(), LowerOptions { base_attributes, ..UPSTREAM }).definition;
    assert_eq!(definition.info.base_attributes, []);
    let defaults = |definition: &Definition| {
        definition.projections.iter().map(|projection| projection.default.clone()).collect::<Vec<_>>()
    };
    assert_eq!(defaults(&definition), [Some(json!("Pod")), Some(json!("own")), None, None]);
    assert_eq!(defaults(&lowered(projections, UPSTREAM).definition), [None, Some(json!("own")), None, None]);
}

#[test]
fn a_mode_that_is_not_written_is_that_of_the_process() {
    let polling = LowerOptions { default_mode: Mode::Polling, ..NATIVE };
    assert_eq!(lowered(json!({}), polling).mode, Mode::Polling);
    assert_eq!(lowered(json!({ "mode": "EventDriven" }), polling).mode, Mode::EventDriven);
    assert!(lowered(json!({}), polling).warnings.is_empty());
}

#[test]
fn the_schema_admits_exactly_the_choices_that_are_understood() {
    fn names<T>(choices: &[(&str, T)]) -> Value {
        choices.iter().map(|(name, _)| *name).collect()
    }
    let definition = api::custom_resource_definition::<Metric>(api::Group::default());
    let spec =
        &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"];
    let projection = &spec["projections"]["items"]["properties"];
    let value = &spec["valueFrom"]["properties"];
    assert_eq!(spec["mode"]["enum"], names(MODES));
    assert_eq!(projection["type"]["enum"], names(PROJECTION_KINDS));
    assert_eq!(projection["dialect"]["enum"], names(DIALECTS));
    assert_eq!(value["type"]["enum"], names(VALUE_KINDS));
    assert_eq!(value["aggregation"]["enum"], names(AGGREGATIONS));
    assert_eq!(value["dialect"]["enum"], names(DIALECTS));
}

#[test]
fn in_a_cluster_known_fields_are_selected_here_and_others_by_the_server() {
    let check = |kind: &str, selector: &str, selectable: &[String], here: usize, pushed: Option<&str>| {
        let spec = json!({ "target": { "kind": kind }, "fieldSelector": selector });
        let options = LowerOptions { selectable_fields: selectable, ..CLUSTER };
        let Lowered { definition, field_selector, .. } = lowered(spec, options);
        assert_eq!((definition.fields.len(), field_selector.as_deref()), (here, pushed), "{selector}");
    };
    check("Pod", "status.phase=Running,spec.nodeName!=a", &[], 2, None);
    check("Pod", "metadata.name=a", &[], 1, None);
    check("Pod", "spec.own=a", &[], 0, Some("spec.own=a"));
    check("Database", "spec.color=red", &[], 0, Some("spec.color=red"));
    check("Database", "spec.color=red", &[".spec.color".to_owned()], 1, None);
    // Where the two answers may differ, the server's is the right one.
    check("Pod", "status.podIPs=a", &[], 0, Some("status.podIPs=a"));
}

#[test]
fn in_a_cluster_namespaces_are_selected_by_their_labels() {
    let labels = |value: &str| [("team".to_owned(), value.to_owned())].into();
    let all = [("a", labels("red")), ("b", labels("blue")), ("c", labels("red"))];
    let counted = |spec: Value| {
        let counted =
            lowered(spec, CLUSTER).counted_namespaces(all.iter().map(|(name, labels)| (*name, labels)));
        counted.map(|counted| counted.into_iter().collect::<Vec<_>>())
    };
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert_eq!(counted(json!({})), None);
    assert_eq!(counted(json!({ "namespaceSelector": "" })), None);
    assert_eq!(counted(json!({ "namespaceSelector": "team=red" })), names(&["a", "c"]));
    assert_eq!(counted(json!({ "namespaceSelector": "team=red", "namespaces": ["a", "b"] })), names(&["a"]));
    assert_eq!(counted(json!({ "namespaces": ["x"] })), names(&["x"]));
    assert_eq!(counted(json!({ "namespaceSelector": "team=none" })), names(&[]));
}

#[test]
fn a_sink_and_a_cluster_are_referred_to_by_name() {
    assert_eq!(lowered(json!({}), CLUSTER).data_sink, None);
    assert_eq!(lowered(json!({ "dataSinkRef": {} }), CLUSTER).data_sink.as_deref(), Some("default"));
    assert_eq!(lowered(json!({ "dataSinkRef": { "name": "a" } }), CLUSTER).data_sink.as_deref(), Some("a"));
    let spec = json!({ "remoteClusterAccessRef": { "name": "a", "namespace": "b" } });
    let remote = RemoteCluster { name: "a".to_owned(), namespace: "b".to_owned() };
    assert_eq!(lowered(spec, CLUSTER).remote, Some(remote));
}

#[test]
fn of_secrets_only_metadata_is_asked_for_unless_that_is_allowed() {
    let secrets = json!({ "target": { "kind": "secret" } });
    let denied = lowered(secrets.clone(), CLUSTER);
    assert!(denied.metadata_only && denied.definition.confidential);
    assert_eq!(
        denied.warnings,
        ["spec.target: of Secrets only the metadata is read; what they hold needs --allow-secret-data"]
    );
    let allowed = lowered(secrets, LowerOptions { allow_secret_data: true, ..CLUSTER });
    assert!(!allowed.metadata_only && allowed.definition.confidential && allowed.warnings.is_empty());
    assert!(!lowered(json!({}), CLUSTER).metadata_only);
}

#[test]
fn nothing_is_said_of_secrets_where_the_target_is_wrong() {
    for target in [json!(null), json!({}), json!({ "kind": "" })] {
        let declared = metric(&json!({ "name": "a", "target": target }));
        let (lowered, errors) = lower_in_part(&declared, CLUSTER);
        assert_eq!((errors.len(), lowered.warnings.len()), (1, 0), "{errors:?} {:?}", lowered.warnings);
        assert!(lowered.metadata_only);
    }
}
