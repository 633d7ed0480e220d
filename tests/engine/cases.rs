//! One line a case: a definition, objects, the series they give.

use std::collections::BTreeSet;

use celemetry_engine::change::{Change, Origin};
use celemetry_engine::definition::{
    Aggregation::{self, Count, Max, Mean, Min, Sum},
    Definition, FieldRequirement, Formula, LabelOperator, LabelRequirement, Language, Projection,
    ProjectionKind, TextForm, ValueFrom,
    ValueKind::{self, Double, Duration, Integer, Quantity, Timestamp},
};
use celemetry_engine::row::{Decoder, Defaults};
use celemetry_engine::{Engine, Options};

/// The series that `objects` give, as `name=text,… value`, sorted; then what failed.
fn series(definition: &Definition, objects: &[&str]) -> String {
    let mut engine = Engine::new(Options::default());
    let source = engine.add_source();
    engine.register(definition, &[source]).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let fields = engine.field_plan(source).expect("the source exists");
    let mut decoder = Decoder::new(fields.clone());
    let mut failures = Vec::new();
    engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
    for (at, object) in objects.iter().enumerate() {
        let object =
            object.replacen('{', &format!(r#"{{"metadata":{{"uid":"{at}"}},"#), 1).replace(",}", "}");
        let row = decoder
            .decode(object.as_bytes(), Defaults::default())
            .unwrap_or_else(|error| panic!("{error}: {object}"));
        engine.apply(source, Change::Upsert { row, origin: Origin::List }, &mut |failure| {
            failures.push(failure.error.to_string());
        });
    }
    engine.apply(source, Change::End, &mut |_| {});
    let snapshot = engine.flush_all();
    let table = snapshot.metrics.values().next().expect("the metric is complete");
    let mut lines: Vec<String> = table
        .sorted()
        .iter()
        .map(|series| {
            let pairs: Vec<String> =
                series.attributes.iter().map(|(name, text)| format!("{name}={text}")).collect();
            format!("{} {}", pairs.join(","), series.number).trim_start().to_owned()
        })
        .collect();
    lines.extend(failures.into_iter().map(|failure| format!("! {failure}")));
    lines.join("; ")
}

#[track_caller]
fn check(definition: &Definition, objects: &[&str], expected: &str) {
    assert_eq!(series(definition, objects), expected);
}

fn count() -> Definition {
    Definition::count("m")
}

fn value(aggregation: Aggregation, kind: ValueKind, numbers: &[&str], expected: &str) {
    let formula =
        Formula { language: Language::Kubectl, text: "v".into(), place: "spec.valueFrom.fieldPath".into() };
    let definition =
        Definition { value: Some(ValueFrom { formula, kind, aggregation, default: None }), ..count() };
    let objects: Vec<String> = numbers.iter().map(|number| format!(r#"{{"v":{number}}}"#)).collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    assert_eq!(series(&definition, &objects), expected, "{aggregation:?} of {kind:?} over {numbers:?}");
}

#[test]
fn counts() {
    check(&count(), &[], "0");
    check(&count(), &["{}", "{}"], "2");
    check(&count().by("a", "object.a"), &[], "");
    check(&count().by("a", "object.a"), &[r#"{"a":"x"}"#, r#"{"a":"y"}"#, r#"{"a":"x"}"#], "a=x 2; a=y 1");
    check(&count().by("b", "object.b").by("a", "object.a"), &[r#"{"a":"x","b":"y"}"#], "a=x,b=y 1");
    check(&count().filter("object.a == 'x'"), &[r#"{"a":"x"}"#, r#"{"a":"y"}"#], "1");
    check(&count().filter("object.a == 'x'"), &[r#"{"b":"x"}"#], "0");
    check(
        &count().filter("object.a > 1"),
        &[r#"{"a":"x"}"#, r#"{"a":2}"#],
        "1; ! no such overload: string > int",
    );
}

#[test]
fn absent_null_and_empty_attributes() {
    let by = |text: &str, default: Option<&str>| {
        let formula =
            Formula { language: Language::Kubectl, text: text.into(), place: "spec.projections[0]".into() };
        let default = default.map(Into::into);
        Definition {
            projections: vec![Projection {
                name: "a".into(),
                formula,
                kind: ProjectionKind::Primitive,
                default,
            }],
            ..count()
        }
    };
    check(&by("a", None), &[r#"{"a":"x"}"#, "{}", r#"{"a":""}"#], "2; a=x 1");
    check(&by("a", Some("d")), &["{}"], "a=d 1");
    check(&by("a", Some("d")), &[r#"{"a":null}"#], "a=d 1");
    check(&by("a", None), &[r#"{"a":null}"#], "a=null 1");
    check(&by("a", Some("d")), &[r#"{"a":""}"#], "1");
    check(&by("a", None), &[r#"{"a":[1]}"#], "1; ! found a list where a primitive is needed");
    let go = Definition { text: TextForm::Go, ..by("a", Some("d")) };
    check(&go, &[r#"{"a":null}"#], "a=null 1");
    check(&go, &[r#"{"a":1000000.0}"#], "a=1e+06 1");
    check(&by("a", None), &[r#"{"a":1000000.0}"#], "a=1000000 1");
    check(&by("a", None), &[r#"{"a":true}"#, r#"{"a":"true"}"#], "a=true 2");
}

#[test]
fn long_attributes_are_cut_and_stay_apart() {
    let long = |end: &str| format!(r#"{{"a":"{}{end}"}}"#, "ü".repeat(600));
    let given = series(&count().by("a", "object.a"), &[&long("x"), &long("y"), &long("x")]);
    let lines: Vec<&str> = given.split("; ").collect();
    assert_eq!(lines.len(), 2, "{given}");
    assert!(lines.iter().all(|line| line.len() < 1100 && line.contains('…')), "{given}");
}

#[test]
fn writing_lists_and_maps_is_charged_like_evaluating() {
    let formula =
        Formula { language: Language::Kubectl, text: "a".into(), place: "spec.projections[0]".into() };
    let projection = Projection { name: "a".into(), formula, kind: ProjectionKind::Slice, default: None };
    let definition = Definition { projections: vec![projection], ..count() };
    let list = |count: usize| format!(r#"{{"a":[{}]}}"#, vec!["1"; count].join(","));
    check(&definition, &[&list(3)], "a=[1,1,1] 1");
    check(&definition, &[&list(20_000)], "1; ! expression needs more than 10000 steps");
    let long = format!(r#"{{"a":["{}"]}}"#, "x".repeat(300_000));
    check(&definition, &[&long], "1; ! expression needs more than 10000 steps");
}

#[test]
fn integers() {
    value(Sum, Integer, &["1", "2", "-7"], "-4");
    value(Sum, Integer, &["9223372036854775807", "1"], "9223372036854776000");
    value(Sum, Integer, &["9223372036854775807", "1", "-1"], "9223372036854775807");
    value(Mean, Integer, &["1", "2"], "1.5");
    value(Mean, Integer, &["9223372036854775807", "9223372036854775807"], "9223372036854776000");
    value(Min, Integer, &["3", "-1", "2"], "-1");
    value(Max, Integer, &["3", "-1", "2"], "3");
    value(Count, Integer, &["3", "-1", "2"], "3");
    value(Sum, Integer, &["2.0", "1e3", "-0.0"], "1002");
    value(Sum, Integer, &[r#""12""#, r#""+7""#, r#""007""#], "26");
    value(Sum, Integer, &["2.5"], "! found 2.5 where an integer of 64 bits is needed");
    value(Sum, Integer, &[r#"" 7""#], r#"! found " 7" where an integer of 64 bits is needed"#);
    value(Sum, Integer, &[r#""0x10""#], r#"! found "0x10" where an integer of 64 bits is needed"#);
    value(Sum, Integer, &[r#""1_000""#], r#"! found "1_000" where an integer of 64 bits is needed"#);
    value(
        Sum,
        Integer,
        &["9223372036854775808"],
        "! found 9223372036854775808 where an integer of 64 bits is needed",
    );
    value(Sum, Integer, &["true"], "! found a bool where a number is needed");
    value(Sum, Integer, &["[1]"], "! found a list where a number is needed");
    value(Sum, Integer, &["null", "4"], "4");
    value(Sum, Integer, &["null"], "");
}

#[test]
fn doubles() {
    value(Sum, Double, &["0.1", "0.2"], "0.30000000000000004");
    value(
        Sum,
        Double,
        &["1e308", "1e308", "-1e308", "-1e308", "1e-300"],
        "1e-300".parse::<f64>().map(|n| n.to_string()).as_deref().unwrap_or(""),
    );
    value(Sum, Double, &["1e308", "1e308"], "inf");
    value(Sum, Double, &[r#""NaN""#, "1"], "NaN");
    value(Sum, Double, &[r#""Inf""#, r#""-Inf""#], "NaN");
    value(Mean, Double, &["0.1", "0.2", "0.3"], "0.2");
    value(Min, Double, &["0.5", "-1"], "-1");
    value(Sum, Double, &[r#""500m""#], "0.5");
    value(Sum, Double, &[r#""x""#], r#"! found "x" where a double is needed"#);
}

#[test]
fn quantities() {
    value(Sum, Quantity, &[r#""500m""#, r#""1""#, r#""1Ki""#], "1025.5");
    value(Sum, Quantity, &["2", "0.5"], "2.5");
    value(Max, Quantity, &[r#""500m""#, r#""2Gi""#], "2147483648");
    value(Mean, Quantity, &[r#""1""#, r#""2""#, r#""2""#], "1.6666666666666667");
    value(Sum, Quantity, &[r#""1n""#], "0.000000001");
    assert!(series(&quantity(), &[r#"{"v":"0.1n"}"#]).starts_with("! \"0.1n\": "));
    assert!(series(&quantity(), &[r#"{"v":"1e2147483647"}"#]).starts_with("! \"1e2147483647\": "));
}

fn quantity() -> Definition {
    count().aggregate(Sum, Quantity, "object.v")
}

#[test]
fn durations_and_timestamps() {
    value(Sum, Duration, &[r#""1h30m""#, r#""90s""#], "5490");
    value(Sum, Duration, &[r#""1d""#], "86400");
    value(Min, Duration, &[r#""1.5s""#, "2"], "1.5");
    value(Max, Timestamp, &[r#""1970-01-01T00:01:00Z""#, r#""1970-01-01T00:00:01+00:00""#], "60");
    value(Min, Timestamp, &[r#""1969-12-31T23:59:59.5Z""#], "-1");
    value(Mean, Timestamp, &[r#""1970-01-01T00:00:01Z""#, r#""1970-01-01T00:00:02Z""#], "1.5");
    value(Max, Timestamp, &["12"], "! found 12 where an RFC 3339 timestamp is needed");
    check(
        &count().aggregate(Sum, Duration, "timestamp(object.b) - timestamp(object.a)"),
        &[r#"{"a":"2026-01-01T00:00:00Z","b":"2026-01-01T01:00:00Z"}"#],
        "3600",
    );
}

#[test]
fn values_of_expressions() {
    check(&count().aggregate(Sum, Integer, "size(object.l)"), &[r#"{"l":[1,2]}"#, r#"{"l":[]}"#], "2");
    check(&count().aggregate(Sum, Double, "object.a / 4.0"), &[r#"{"a":1.0}"#], "0.25");
    check(&count().aggregate(Sum, Integer, "object.?a.orValue(7)"), &["{}", r#"{"a":1}"#], "8");
    check(&count().aggregate(Sum, Integer, "object.?a"), &["{}", r#"{"a":1}"#], "1");
    check(&count().aggregate(Sum, Integer, "object.a"), &["{}", r#"{"a":1}"#], "1; ! no such key: a");
    check(&quantity(), &[r#"{"v":"2Gi"}"#], "2147483648");
    check(&count().aggregate(Sum, Quantity, "quantity(object.v)"), &[r#"{"v":"500m"}"#], "0.5");
}

#[test]
fn elements() {
    let each = |cel: &str| count().each(cel);
    check(&each("object.l"), &[r#"{"l":[1,2,3]}"#, r#"{"l":[]}"#], "3");
    check(&each("object.l").by("i", "item.n"), &[r#"{"l":[{"n":"x"},{"n":"y"},{"n":"x"}]}"#], "i=x 2; i=y 1");
    check(&each("object.l").by("i", "string(index)"), &[r#"{"l":["a","b"]}"#], "i=0 1; i=1 1");
    check(
        &each("object.m").by("k", "key").by("v", "item"),
        &[r#"{"m":{"b":"2","a":"1"}}"#],
        "k=a,v=1 1; k=b,v=2 1",
    );
    check(&each("object.l.filter(x, x > 1)").aggregate(Sum, Integer, "item"), &[r#"{"l":[1,2,3]}"#], "5");
    check(
        &each("object.l").aggregate(Sum, Integer, "item"),
        &[r#"{"l":[1,"x",3]}"#],
        r#"4; ! found "x" where an integer of 64 bits is needed"#,
    );
    check(
        &each("object.l").aggregate(Max, Integer, "item.n"),
        &[r#"{"l":[{"n":1},{}]}"#],
        "1; ! no such key: n",
    );
    check(&each("object.l"), &["{}"], "0; ! no such key: l");
    check(&each("object.l"), &[r#"{"l":null}"#], "0");
    check(&each("object.l"), &[r#"{"l":"x"}"#], "0; ! found string where a list or a map is needed");
    let path = |text: &str| {
        let formula =
            Formula { language: Language::Kubectl, text: text.into(), place: "spec.forEach".into() };
        Definition { for_each: Some(formula), ..count() }.by("n", "item.n")
    };
    check(&path("l"), &[r#"{"l":[{"n":"x"},{"n":"y"}]}"#], "n=x 1; n=y 1");
    check(&path("l[*]"), &[r#"{"l":[{"n":"x"},{"n":"y"}]}"#], "n=x 1; n=y 1");
    check(&path("l[*]"), &[r#"{"l":[{"n":"x"}]}"#], "n=x 1");
    check(&path("o[*].l[*]"), &[r#"{"o":[{"l":[{"n":"x"}]},{"l":[{"n":"y"},{"n":"x"}]}]}"#], "n=x 2; n=y 1");
    check(&path("absent"), &["{}"], "");
}

#[test]
fn a_thousand_elements_are_the_most() {
    let list = |count: usize| format!(r#"{{"l":[{}]}}"#, vec!["1"; count].join(","));
    check(&count().each("object.l"), &[&list(1000)], "1000");
    check(
        &count().each("object.l"),
        &[&list(1001)],
        "0; ! 1001 elements, and an object may contribute at most 1000",
    );
}

#[test]
fn selectors() {
    let labels = |operator: LabelOperator| {
        let labels = vec![LabelRequirement { key: "k".into(), operator }];
        Definition { labels, ..count() }
    };
    let set = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<BTreeSet<_>>();
    let with = |label: &str| format!(r#"{{"metadata":{{"uid":"{label}","labels":{{{label}}}}}}}"#);
    let objects = [with(r#""k":"a""#), with(r#""k":"5""#), with(r#""k":"""#), with(r#""j":"a""#), with("")];
    let check = |operator: LabelOperator, expected: &str| {
        let given = labels_series(&labels(operator.clone()), &objects);
        assert_eq!(given, expected, "{operator:?}");
    };
    check(LabelOperator::In(set(&["a"])), "1");
    check(LabelOperator::In(set(&["a", "", "b"])), "2");
    check(LabelOperator::NotIn(set(&["a"])), "4");
    check(LabelOperator::Exists, "3");
    check(LabelOperator::DoesNotExist, "2");
    check(LabelOperator::GreaterThan(4), "1");
    check(LabelOperator::GreaterThan(5), "0");
    check(LabelOperator::LessThan(6), "1");
}

/// As [`series`], for objects that bring their metadata.
fn labels_series(definition: &Definition, objects: &[String]) -> String {
    let mut engine = Engine::new(Options::default());
    let source = engine.add_source();
    engine.register(definition, &[source]).expect("the definition compiles");
    let fields = engine.field_plan(source).expect("the source exists");
    let mut decoder = Decoder::new(fields);
    engine.apply(source, Change::Begin { epoch: 0 }, &mut |_| {});
    for (at, object) in objects.iter().enumerate() {
        let object = object
            .replace(r#""uid":""#, &format!(r#""uid":"{at}-"#))
            .replace(r#"-"k""#, "-k")
            .replace(r#"-"j""#, "-j");
        let object = unescape_uid(&object);
        let row = decoder
            .decode(object.as_bytes(), Defaults::default())
            .unwrap_or_else(|error| panic!("{error}: {object}"));
        engine.apply(source, Change::Upsert { row, origin: Origin::List }, &mut |_| {});
    }
    engine.apply(source, Change::End, &mut |_| {});
    let snapshot = engine.flush_all();
    let table = snapshot.metrics.values().next().expect("the metric is complete");
    table.sorted().iter().map(|series| series.number.to_string()).collect::<Vec<_>>().join("; ")
}

/// UIDs made of labels hold quotes: keep their digits only.
fn unescape_uid(object: &str) -> String {
    let (head, tail) = object.split_once(r#","labels""#).expect("objects have labels");
    let number: String = head.chars().filter(char::is_ascii_digit).take(1).collect();
    format!(r#"{{"metadata":{{"uid":"{number}","labels"{tail}"#)
}

#[test]
fn field_requirements() {
    let field = |path: &str, value: &str, equal: bool| {
        let path = path.split('.').map(str::to_owned).collect();
        Definition { fields: vec![FieldRequirement { path, value: value.into(), equal }], ..count() }
    };
    let objects =
        [r#"{"s":{"p":"x"}}"#, r#"{"s":{"p":true}}"#, r#"{"s":{"p":3}}"#, "{}", r#"{"s":{"p":null}}"#];
    check(&field("s.p", "x", true), &objects, "1");
    check(&field("s.p", "x", false), &objects, "4");
    check(&field("s.p", "true", true), &objects, "1");
    check(&field("s.p", "3", true), &objects, "1");
    check(&field("s.p", "", true), &objects, "2");
}

#[test]
fn filters_are_indexed_by_type() {
    let objects = [
        r#"{"a":1}"#,
        r#"{"a":1.0}"#,
        r#"{"a":"1"}"#,
        r#"{"a":true}"#,
        r#"{"a":null}"#,
        r#"{"a":[1]}"#,
        "{}",
    ];
    check(&count().filter("object.a == 1"), &objects, "2");
    check(&count().filter("object.a == 1.0"), &objects, "2");
    check(&count().filter("object.a == '1'"), &objects, "1");
    check(&count().filter("object.a == true"), &objects, "1");
    check(&count().filter("object.a == null"), &objects, "1");
    check(&count().filter("object.a in [1, '1']"), &objects, "3");
    check(&count().filter("object.a == 1 || object.a == 'x'"), &objects, "2");
    check(&count().filter("9007199254740993 == object.b"), &[r#"{"b":9007199254740993}"#], "1");
}
