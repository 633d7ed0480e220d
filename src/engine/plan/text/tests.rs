//! The projection result table, in both forms.

use std::sync::Arc;

use super::number::{self, Place};
use super::{ProjectionError, Rendered, default_text, null_text, render};
use crate::definition::ProjectionKind::{self, Map, Primitive, Slice, Timestamp as Time};
use crate::definition::TextForm::{Go, Native};
use crate::definition::{Formula, Language, TextForm};
use crate::expression::{Budget, Demand, Environment, Expression, MapValue, Outcome, Scope, Text, Value};
use crate::row::{Decoder, Defaults, FieldPlan, HashSeed};
use crate::scalar::{Duration, Held, Offset, Quantity, Timestamp};

/// One object with a value of every kind.
const OBJECT: &str = r#"{
    "s": "text", "empty": "", "html": "<a&b>", "lines": "a\nb\t\"c\"\\", "separators": "\u2028\u2029", "control": "\u0001\b\f",
    "t": true, "f": false, "n": null,
    "i": 42, "zero": 0, "minus": -7, "million": 1000000, "max": 9223372036854775807, "min": -9223372036854775808,
    "d": 3.14, "whole": 1.0, "large": 1000000.0, "larger": 1234567.5, "small": 0.0001, "smaller": 0.00001, "tiny": 1e-7,
    "huge": 1e21, "exp": 1e2, "minusd": -2.5,
    "l": [3, 1, 2], "el": [], "mixed": ["a", null, true, 1.5, {"b": [], "a": {}}], "nested": [[1], [2, 3]],
    "m": {"z": 1, "a": "x", "é": null}, "em": {}, "deep": {"b": {"d": 1, "c": [{"y": 0.5, "x": "<"}]}, "a": [null]},
    "time": "2024-01-02T03:04:05Z", "offset": "2024-01-02T03:04:05+02:00", "fraction": "2024-01-02T03:04:05.999Z",
    "before": "1969-12-31T23:59:59.5Z", "lower": "2024-01-02t03:04:05z", "date": "2024-01-02",
    "items": [{"v": "x"}, {"v": "y"}, {"w": 1}], "ones": [{"v": "x"}], "nulls": [{"v": null}, {"v": null}]
}"#;

fn shown(rendered: Result<Rendered<'_>, ProjectionError>) -> String {
    match rendered {
        Ok(Rendered::Absent) => "ABSENT".to_string(),
        Ok(Rendered::Null) => "NULL".to_string(),
        Ok(Rendered::Text(text)) => text.into_owned(),
        Err(error) => format!("error: {error}"),
    }
}

/// What `path` gives of [`OBJECT`], in both forms.
fn projected(path: &str, kind: ProjectionKind) -> [String; 2] {
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let mut fields = plan.record();
    let formula = Formula { language: Language::Kubectl, text: path.to_string(), place: String::new() };
    let path = Expression::compile(&formula, &Scope::default(), Demand::Whole, &mut fields).unwrap();
    fields.finish();
    let row = Decoder::new(Arc::new(plan)).decode(OBJECT.as_bytes(), Defaults::default()).unwrap();
    let environment = Environment { row: &row, item: None, position: None };
    let outcome = path.evaluate(&environment, &mut Budget::EXPRESSION.clone()).unwrap();
    [Go, Native].map(|form| shown(render(&outcome, kind, form, &mut Budget::EXPRESSION.clone())))
}

/// The same text in both forms.
fn both(path: &str, kind: ProjectionKind, expected: &str) {
    forms(path, kind, expected, expected);
}

fn forms(path: &str, kind: ProjectionKind, go: &str, native: &str) {
    assert_eq!(projected(path, kind), [go, native], "{path} as {kind:?}");
}

fn computed(value: Value<'_>, kind: ProjectionKind, go: &str, native: &str) {
    let outcome = Outcome::Value(value);
    let texts = [Go, Native].map(|form| shown(render(&outcome, kind, form, &mut Budget::EXPRESSION.clone())));
    assert_eq!(texts, [go, native], "{outcome:?} as {kind:?}");
}

#[test]
fn primitive_is_the_text_of_a_scalar() {
    both("s", Primitive, "text");
    both("empty", Primitive, "");
    both("html", Primitive, "<a&b>");
    both("lines", Primitive, "a\nb\t\"c\"\\");
    both("t", Primitive, "true");
    both("f", Primitive, "false");
    both("i", Primitive, "42");
    both("zero", Primitive, "0");
    both("minus", Primitive, "-7");
    both("million", Primitive, "1000000");
    both("max", Primitive, "9223372036854775807");
    both("min", Primitive, "-9223372036854775808");
    both("d", Primitive, "3.14");
    both("whole", Primitive, "1");
    both("exp", Primitive, "100");
    both("minusd", Primitive, "-2.5");
    both("small", Primitive, "0.0001");
    forms("large", Primitive, "1e+06", "1000000");
    forms("larger", Primitive, "1.2345675e+06", "1234567.5");
    forms("smaller", Primitive, "1e-05", "0.00001");
    forms("tiny", Primitive, "1e-07", "0.0000001");
    forms("huge", Primitive, "1e+21", "1000000000000000000000");
    both("time", Primitive, "2024-01-02T03:04:05Z");
    both("l[0]", Primitive, "3");
    both("l[-1]", Primitive, "2");
    both("ones[*].v", Primitive, "x");
    both("items[*].w", Primitive, "1");
}

#[test]
fn primitive_is_nothing_else() {
    both("l", Primitive, "error: found a list where a primitive is needed");
    both("el", Primitive, "error: found a list where a primitive is needed");
    both("m", Primitive, "error: found a map where a primitive is needed");
    both("em", Primitive, "error: found a map where a primitive is needed");
    both(".", Primitive, "error: found a map where a primitive is needed");
    both("l[*]", Primitive, "error: 3 values where one is needed");
    both("items[*].v", Primitive, "error: 2 values where one is needed");
    both("nulls[*].v", Primitive, "error: 2 values where one is needed");
    both("m.*", Primitive, "error: 3 values where one is needed");
}

#[test]
fn slice_is_the_json_of_a_list_or_of_all_that_a_path_selects() {
    both("l", Slice, "[3,1,2]");
    both("el", Slice, "[]");
    both("nested", Slice, "[[1],[2,3]]");
    both("mixed", Slice, r#"["a",null,true,1.5,{"a":{},"b":[]}]"#);
    both("s", Slice, r#"["text"]"#);
    both("empty", Slice, r#"[""]"#);
    both("i", Slice, "[42]");
    both("t", Slice, "[true]");
    both("f", Slice, "[false]");
    both("d", Slice, "[3.14]");
    both("large", Slice, "[1000000]");
    both("whole", Slice, "[1]");
    both("smaller", Slice, "[0.00001]");
    forms("tiny", Slice, "[1e-7]", "[0.0000001]");
    forms("huge", Slice, "[1e+21]", "[1000000000000000000000]");
    forms("html", Slice, r#"["\u003ca\u0026b\u003e"]"#, r#"["<a&b>"]"#);
    forms("separators", Slice, r#"["\u2028\u2029"]"#, "[\"\u{2028}\u{2029}\"]");
    both("lines", Slice, r#"["a\nb\t\"c\"\\"]"#);
    both("control", Slice, r#"["\u0001\b\f"]"#);
    both("m", Slice, r#"[{"a":"x","z":1,"é":null}]"#);
    both("em", Slice, "[{}]");
    both("l[*]", Slice, "[3,1,2]");
    both("l[0:2]", Slice, "[3,1]");
    both("l[0]", Slice, "[3]");
    both("items[*].v", Slice, r#"["x","y"]"#);
    both("items[*]", Slice, r#"[{"v":"x"},{"v":"y"},{"w":1}]"#);
    both("nested[*]", Slice, "[[1],[2,3]]");
    both("nulls[*].v", Slice, "[null,null]");
    both("m.*", Slice, r#"["x",1,null]"#);
    both(".", Slice, "error: found the whole object where a list is needed");
}

#[test]
fn map_is_the_json_of_a_map() {
    both("m", Map, r#"{"a":"x","z":1,"é":null}"#);
    both("em", Map, "{}");
    forms(
        "deep",
        Map,
        r#"{"a":[null],"b":{"c":[{"x":"\u003c","y":0.5}],"d":1}}"#,
        r#"{"a":[null],"b":{"c":[{"x":"<","y":0.5}],"d":1}}"#,
    );
    both("items[2]", Map, r#"{"w":1}"#);
    both("ones[*]", Map, r#"{"v":"x"}"#);
    both("s", Map, "error: found a string where a map is needed");
    both("i", Map, "error: found a number where a map is needed");
    both("d", Map, "error: found a number where a map is needed");
    both("t", Map, "error: found a boolean where a map is needed");
    both("l", Map, "error: found a list where a map is needed");
    both("items[*]", Map, "error: 3 values where one is needed");
    let [go, native] = projected(".", Map);
    assert!(go.contains(r#","html":"\u003ca\u0026b\u003e","huge":1e+21,"i":42,"#), "{go}");
    assert!(native.contains(r#","html":"<a&b>","huge":1000000000000000000000,"i":42,"#), "{native}");
    assert!(go.starts_with(r#"{"before":"1969"#) && go.ends_with(r#","whole":1,"zero":0}"#), "{go}");
}

#[test]
fn timestamp_is_unix_seconds() {
    both("time", Time, "1704164645");
    both("offset", Time, "1704157445");
    both("fraction", Time, "1704164645");
    both("before", Time, "-1");
    both("ones[*].v", Time, "error: not a timestamp: it must be RFC 3339, such as 2006-01-02T15:04:05Z");
    assert!(projected("lower", Time)[0].starts_with("error: not a timestamp"));
    assert!(projected("date", Time)[0].starts_with("error: not a timestamp"));
    assert!(projected("empty", Time)[1].starts_with("error: not a timestamp"));
    both("i", Time, "error: found a number where a timestamp is needed");
    both("t", Time, "error: found a boolean where a timestamp is needed");
    both("l", Time, "error: found a list where a timestamp is needed");
    both("m", Time, "error: found a map where a timestamp is needed");
    both(".", Time, "error: found a map where a timestamp is needed");
    both("l[*]", Time, "error: 3 values where one is needed");
}

#[test]
fn null_and_absent_are_told_apart() {
    for kind in [Primitive, Slice, Map, Time] {
        both("n", kind, "NULL");
        both("m.é", kind, "NULL");
        both("missing", kind, "ABSENT");
        both("n.deeper", kind, "ABSENT");
        both("s.deeper", kind, "ABSENT");
        both("em.a.b", kind, "ABSENT");
        both("el[*]", kind, "ABSENT");
        both("items[*].x", kind, "ABSENT");
        both("n[0]", kind, "ABSENT");
        both("l[?(@>9)]", kind, "ABSENT");
    }
    both("mixed[1]", Primitive, "NULL");
}

#[test]
fn default_stands_in_for_what_is_absent_and_natively_for_null() {
    let default = Ok("d".into());
    let check = |rendered: Rendered<'_>, kind, form, expected: Result<Option<&str>, &str>| {
        let text = rendered.or_default(Some(&default), kind, form).map_err(|error| error.to_string());
        assert_eq!(
            text.as_ref().map(Option::as_deref).map_err(String::as_str),
            expected,
            "{kind:?} {form:?}"
        );
    };
    let text = || Rendered::Text("x".into());
    check(text(), Primitive, Go, Ok(Some("x")));
    check(text(), Primitive, Native, Ok(Some("x")));
    check(Rendered::Absent, Primitive, Go, Ok(Some("d")));
    check(Rendered::Absent, Primitive, Native, Ok(Some("d")));
    check(Rendered::Absent, Map, Go, Ok(Some("d")));
    check(Rendered::Null, Primitive, Go, Ok(Some("null")));
    check(Rendered::Null, Primitive, Native, Ok(Some("d")));
    check(Rendered::Null, Slice, Go, Ok(Some("[null]")));
    check(Rendered::Null, Slice, Native, Ok(Some("d")));
    check(Rendered::Null, Map, Go, Err("found null where a map is needed"));
    check(Rendered::Null, Map, Native, Ok(Some("d")));
    check(Rendered::Null, Time, Go, Err("found null where a timestamp is needed"));
    check(Rendered::Null, Time, Native, Ok(Some("d")));
    assert_eq!(Rendered::Null.or_default(None, Primitive, Native), Ok(Some("null".into())));
    assert_eq!(Rendered::Absent.or_default(None, Slice, Go), Ok(None));
    assert!(null_text(Map).is_err() && null_text(Time).is_err());
}

#[test]
fn default_is_a_string_for_scalars_and_any_json_otherwise() {
    let check = |json: &str, kind, expected: Option<&str>| {
        let text = default_text(&serde_json::from_str(json).unwrap(), kind);
        assert_eq!(text.ok().as_deref(), expected, "{json} as {kind:?}");
    };
    check(r#""none""#, Primitive, Some("none"));
    check(r#""""#, Primitive, Some(""));
    check(r#""0""#, Time, Some("0"));
    check("0", Primitive, None);
    check("true", Primitive, None);
    check("null", Primitive, None);
    check("0", Time, None);
    check("[]", Primitive, None);
    check("[]", Slice, Some("[]"));
    check(r#"[1, "a"]"#, Slice, Some(r#"[1,"a"]"#));
    check(r#""none""#, Slice, Some(r#""none""#));
    check("{}", Map, Some("{}"));
    check(r#""none""#, Map, Some(r#""none""#));
}

fn string(text: &'static str) -> Value<'static> {
    Value::String(Text::Borrowed(text))
}

fn map(entries: Vec<(Value<'static>, Value<'static>)>) -> Value<'static> {
    Value::Map(Arc::new(MapValue { entries }))
}

fn some(value: Value<'static>) -> Value<'static> {
    Value::Optional(Some(Arc::new(value)))
}

#[test]
fn computed_scalar_has_its_text() {
    let time = Value::Timestamp(Timestamp::parse("2024-01-02T03:04:05+02:00").unwrap(), Offset::default());
    let early = Value::Timestamp(Timestamp { seconds: -1, nanos: 500_000_000 }, Offset::default());
    computed(string("a"), Primitive, "a", "a");
    computed(Value::Bool(true), Primitive, "true", "true");
    computed(Value::Int(-3), Primitive, "-3", "-3");
    computed(Value::Int(1_000_000), Primitive, "1000000", "1000000");
    computed(Value::Uint(u64::MAX), Primitive, "18446744073709551615", "18446744073709551615");
    computed(Value::Double(1e6), Primitive, "1e+06", "1000000");
    computed(Value::Double(0.5), Primitive, "0.5", "0.5");
    computed(Value::Double(f64::NAN), Primitive, "NaN", "NaN");
    computed(Value::Double(f64::INFINITY), Primitive, "+Inf", "Infinity");
    computed(Value::Double(f64::NEG_INFINITY), Primitive, "-Inf", "-Infinity");
    computed(Value::Null, Primitive, "NULL", "NULL");
    computed(Value::Null, Map, "NULL", "NULL");
    computed(time.clone(), Primitive, "2024-01-02T01:04:05Z", "2024-01-02T01:04:05Z");
    computed(time, Time, "1704157445", "1704157445");
    computed(early, Time, "-1", "-1");
    computed(string("2024-01-02T03:04:05Z"), Time, "1704164645", "1704164645");
    computed(Value::Duration(Duration { nanos: 90_000_000_000 }), Primitive, "90s", "90s");
    computed(Value::Quantity(Quantity::parse("0.5").unwrap(), Held::INTEGER), Primitive, "500m", "500m");
    computed(Value::Optional(None), Primitive, "ABSENT", "ABSENT");
    computed(Value::Optional(None), Slice, "ABSENT", "ABSENT");
    computed(some(string("a")), Primitive, "a", "a");
    computed(some(some(Value::Int(1))), Primitive, "1", "1");
    computed(some(Value::Null), Primitive, "NULL", "NULL");
}

#[test]
fn computed_list_and_map_are_json() {
    let list = || Value::List(vec![Value::Int(1), string("<"), Value::Double(1e21), Value::Null].into());
    computed(list(), Slice, r#"[1,"\u003c",1e+21,null]"#, r#"[1,"<",1000000000000000000000,null]"#);
    computed(list(), Primitive, LIST_NO_PRIMITIVE, LIST_NO_PRIMITIVE);
    computed(Value::List(Vec::new().into()), Slice, "[]", "[]");
    computed(Value::Int(1), Slice, "[1]", "[1]");
    computed(string("a\"b"), Slice, r#"["a\"b"]"#, r#"["a\"b"]"#);
    computed(Value::Duration(Duration { nanos: 1_500_000_000 }), Slice, r#"["1.5s"]"#, r#"["1.5s"]"#);
    computed(some(list()), Slice, r#"[1,"\u003c",1e+21,null]"#, r#"[1,"<",1000000000000000000000,null]"#);
    let pairs = || {
        map(vec![(Value::Int(10), Value::Bool(true)), (Value::Int(9), list()), (string("a"), string("b"))])
    };
    computed(
        pairs(),
        Map,
        r#"{"10":true,"9":[1,"\u003c",1e+21,null],"a":"b"}"#,
        r#"{"10":true,"9":[1,"<",1000000000000000000000,null],"a":"b"}"#,
    );
    computed(map(vec![(Value::Bool(true), Value::Uint(1))]), Map, r#"{"true":1}"#, r#"{"true":1}"#);
    computed(map(vec![]), Slice, "[{}]", "[{}]");
    computed(map(vec![]), Map, "{}", "{}");
}

const LIST_NO_PRIMITIVE: &str = "error: found a list where a primitive is needed";

#[test]
fn computed_value_without_text_is_an_error() {
    let bytes = || Value::Bytes(vec![1].into());
    let no_json = "error: bytes cannot be written as JSON";
    computed(
        bytes(),
        Primitive,
        "error: found bytes where a primitive is needed",
        "error: found bytes where a primitive is needed",
    );
    computed(
        bytes(),
        Slice,
        "error: found bytes where a list is needed",
        "error: found bytes where a list is needed",
    );
    computed(Value::List(vec![bytes()].into()), Slice, no_json, no_json);
    computed(map(vec![(string("a"), bytes())]), Map, no_json, no_json);
    let no_type = "error: found a type where a primitive is needed";
    computed(Value::Type("int".into()), Primitive, no_type, no_type);
    let no_number = "error: NaN or an infinity cannot be written as JSON";
    computed(Value::Double(f64::NAN), Slice, no_number, no_number);
    let no_map = "error: found a duration where a map is needed";
    computed(Value::Duration(Duration { nanos: 0 }), Map, no_map, no_map);
    let no_time = "error: found a quantity where a timestamp is needed";
    computed(Value::Quantity(Quantity::parse("1").unwrap(), Held::INTEGER), Time, no_time, no_time);
}

/// JSON number, by itself in Go (`%v`), in JSON text in Go (`encoding/json`), and natively. Go's columns were printed by
/// Go 1.26.
const NUMBERS: &[[&str; 4]] = &[
    ["0", "0", "0", "0"],
    ["-0", "0", "0", "0"],
    ["0.0", "0", "0", "0"],
    ["-0.0", "-0", "-0", "-0"],
    ["1.0", "1", "1", "1"],
    ["1.5", "1.5", "1.5", "1.5"],
    ["100000.0", "100000", "100000", "100000"],
    ["999999.0", "999999", "999999", "999999"],
    ["999999.9", "999999.9", "999999.9", "999999.9"],
    ["1000000", "1000000", "1000000", "1000000"],
    ["1000000.0", "1e+06", "1000000", "1000000"],
    ["1e6", "1e+06", "1000000", "1000000"],
    ["1E6", "1e+06", "1000000", "1000000"],
    ["1e+6", "1e+06", "1000000", "1000000"],
    ["1234567.0", "1.234567e+06", "1234567", "1234567"],
    ["1234567.5", "1.2345675e+06", "1234567.5", "1234567.5"],
    ["0.0001", "0.0001", "0.0001", "0.0001"],
    ["0.00012", "0.00012", "0.00012", "0.00012"],
    ["0.00009999", "9.999e-05", "0.00009999", "0.00009999"],
    ["0.00001", "1e-05", "0.00001", "0.00001"],
    ["0.000001", "1e-06", "0.000001", "0.000001"],
    ["9.99e-7", "9.99e-07", "9.99e-7", "0.000000999"],
    ["1e-7", "1e-07", "1e-7", "0.0000001"],
    ["1.5e-10", "1.5e-10", "1.5e-10", "0.00000000015"],
    ["1e20", "1e+20", "100000000000000000000", "100000000000000000000"],
    ["1e21", "1e+21", "1e+21", "1000000000000000000000"],
    ["1.5e21", "1.5e+21", "1.5e+21", "1500000000000000000000"],
    ["9223372036854775807", "9223372036854775807", "9223372036854775807", "9223372036854775807"],
    ["9223372036854775808", "9.223372036854776e+18", "9223372036854776000", "9223372036854775808"],
    ["12345678901234567890", "1.2345678901234567e+19", "12345678901234567000", "12345678901234567890"],
    ["9007199254740993", "9007199254740993", "9007199254740993", "9007199254740993"],
    ["9007199254740993.0", "9.007199254740992e+15", "9007199254740992", "9007199254740992"],
    ["-1e6", "-1e+06", "-1000000", "-1000000"],
    ["-0.00001", "-1e-05", "-0.00001", "-0.00001"],
    [
        "1e100",
        "1e+100",
        "1e+100",
        "10000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    ],
    ["5e-1", "0.5", "0.5", "0.5"],
    ["1e400", "error", "error", "error"],
    ["-1e400", "error", "error", "error"],
];

#[test]
fn number_is_written_as_go_or_in_its_shortest_form() {
    for [json, bare, inside, native] in NUMBERS {
        let text = |form: TextForm, place| {
            number::of_json(json, form, place).map_or_else(|_| "error".to_string(), |text| text.into_owned())
        };
        assert_eq!(text(Go, Place::Bare), *bare, "{json}");
        assert_eq!(text(Go, Place::Json), *inside, "{json}");
        assert_eq!(text(Native, Place::Bare), *native, "{json}");
        assert_eq!(text(Native, Place::Json), *native, "{json}");
    }
}
