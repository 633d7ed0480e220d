//! One-line cases of decoding.

use std::sync::Arc;

use super::model::Json;
use crate::row::*;

const SEED: HashSeed = HashSeed(7, 11);

/// A plan that keeps these paths; `*` is every element, `?` at the end asks for presence only.
fn plan(paths: &[&str]) -> FieldPlan {
    let mut plan = FieldPlan::new(SEED);
    for path in paths {
        let mut record = plan.record();
        let mut at = FieldId::ROOT;
        for step in path.trim_end_matches('?').split('.') {
            at = if step == "*" { record.each(at) } else { record.member(at, step) };
        }
        if !path.ends_with('?') {
            record.keep(at);
        }
        record.finish();
    }
    plan
}

fn decode(plan: FieldPlan, text: &str) -> Result<Row, String> {
    Decoder::new(Arc::new(plan))
        .decode(text.as_bytes(), Defaults::default())
        .map_err(|error| error.to_string())
}

fn whole(text: &str) -> Result<Row, String> {
    decode(FieldPlan::whole(SEED), text)
}

/// Demands that the member `a` of `{"a": text}` reads as this value, kept and skipped.
#[track_caller]
fn reads(text: &str, value: Json) {
    let object = format!("{{\"a\":{text}}}");
    assert_eq!(whole(&object).map(|row| Json::of_row(row.root().get("a").unwrap())), Ok(value));
    assert!(decode(plan(&[]), &object).is_ok(), "skipped: {object}");
}

/// Demands that `{"a": text}` is refused, kept and skipped.
#[track_caller]
fn refused(text: &str, reason: &str) {
    let object = format!("{{\"a\":{text}}}");
    for plan in [FieldPlan::whole(SEED), plan(&[]), plan(&["a"]), plan(&["a?"])] {
        let error = decode(plan, &object).map(|_| "accepted").unwrap_err();
        assert!(error.starts_with(reason), "{object}: {error}");
    }
}

fn string(text: &str) -> Json {
    Json::String(text.to_owned())
}

#[test]
fn escapes_are_resolved() {
    reads(r#""""#, string(""));
    reads(r#""\"\\\/\b\f\n\r\t""#, string("\"\\/\u{8}\u{c}\n\r\t"));
    reads(r#""\u0041\u00e9\u20AC""#, string("Aé€"));
    reads(r#""\u0000""#, string("\0"));
    reads(r#""\ud83d\ude00\uD83D\uDE00""#, string("😀😀"));
    reads(r#""\uffff\ud7ff\ue000""#, string("\u{ffff}\u{d7ff}\u{e000}"));
    reads(r#""\ud800\udc00\udbff\udfff""#, string("\u{10000}\u{10ffff}"));
    reads(r#""\\u0041""#, string("\\u0041"));
    reads("\"a\u{7f}é😀\"", string("a\u{7f}é😀"));
    reads(
        r#""a long text of more than sixteen bytes \"quoted\" and going on""#,
        string("a long text of more than sixteen bytes \"quoted\" and going on"),
    );
}

#[test]
fn broken_strings_are_refused_kept_or_skipped() {
    for lone in [
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\ud800x""#,
        r#""\udc00""#,
        r#""\udc00\ud800""#,
        r#""\ud83d\ud83d""#,
    ] {
        refused(lone, "lone surrogate");
    }
    refused(r#""\x41""#, "invalid escape");
    refused(r#""\u12""#, "invalid escape");
    refused(r#""\u12g4""#, "invalid escape");
    refused(r#""\u+123""#, "invalid escape");
    refused("\"a\nb\"", "control character");
    refused("\"\0\"", "control character");
    refused("\"\u{1f}\"", "control character");
    refused("\"", "control character".get(99..).unwrap_or("unexpected end"));
    refused("'a'", "expected a value");
}

#[test]
fn broken_structure_is_refused_kept_or_skipped() {
    refused("", "expected a value");
    refused("[1,]", "expected a value");
    refused("[,1]", "expected a value");
    refused("[1 2]", "expected , or ]");
    refused("[1}", "expected , or ]");
    refused("[1", "expected , or ]");
    refused("{\"b\":1,}", "expected the name of a member");
    refused("{,}", "expected the name of a member");
    refused("{1:2}", "expected the name of a member");
    refused("{\"b\"}", "expected :");
    refused("{\"b\" 1}", "expected :");
    refused("{\"b\":}", "expected a value");
    refused("{\"b\":1]", "expected , or }");
    refused("{\"b\":1 \"c\":2}", "expected , or }");
    refused("tru", "unknown literal");
    refused("nul", "unknown literal");
    refused("falsy", "unknown literal");
    refused("True", "expected a value");
    refused("truefalse", "expected , or }");
    refused("1true", "expected , or }");
    refused("NaN", "expected a value");
    refused("+1", "expected a value");
    refused(".5", "expected a value");
    refused("1/2", "expected , or }");
    refused("1}", "text behind the value");
    refused("1\u{a0}", "expected , or }");
    refused("1\u{b}", "expected , or }");
}

#[test]
fn roots_other_than_one_object_are_refused() {
    for text in ["", " ", "[]", "1", "null", "\"a\"", "{}{}", "{} x", "\u{feff}{}"] {
        assert!(whole(text).is_err() && decode(plan(&[]), text).is_err(), "{text:?}");
    }
    assert!(whole(" \r\n\t{ } \n").is_ok());
}

#[test]
fn numbers_keep_their_text() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "1.0",
        "1e400",
        "-1E+2",
        "1e-5",
        "9007199254740993",
        "9223372036854775808",
        "12345678901234567890",
        "0.1000000000000000055511151231257827021181583404541015625",
    ] {
        reads(text, Json::Number(text.to_owned()));
    }
}

#[test]
fn grammar_of_numbers_is_checked_where_they_are_kept() {
    for text in ["01", "-", "1.", "1.e1", "1e", "1e+", "--1", "1-2", "0x", "-a", "1.2.3", "00"] {
        assert!(whole(&format!("{{\"a\":{text}}}")).is_err(), "{text}");
        assert!(decode(plan(&["a"]), &format!("{{\"a\":{text}}}")).is_err(), "{text}");
    }
    for text in ["01", "-", "1.", "1e+", "--1", "1-2"] {
        assert!(decode(plan(&["b"]), &format!("{{\"a\":{text}}}")).is_ok(), "{text}");
    }
}

#[test]
fn later_duplicate_replaces_the_earlier_subtree() {
    let text = r#"{"spec":{"a":1,"b":{"c":2},"a":3},"spec":{"b":{"c":4,"c":"5"}}}"#;
    let row = decode(plan(&["spec.a", "spec.b.c"]), text).unwrap();
    // Fields are numbered in the order in which they were recorded: spec 1, a 2, b 3, c 4.
    let [spec, a, b, c] = [1, 2, 3, 4].map(|id| row.at(FieldId(id)));
    assert_eq!((a.is_none(), row.root().len(), spec.unwrap().len(), b.unwrap().len()), (true, 1, 1, 1));
    assert_eq!(c.unwrap().as_str(), Some("5"));
    assert_eq!(
        spec.unwrap().member(FieldId(3), "b").unwrap().member(FieldId(4), "c").unwrap().as_str(),
        Some("5")
    );
    assert!(spec.unwrap().member(FieldId(2), "a").is_none());

    let row = whole(text).unwrap();
    assert_eq!(row.root().len(), 1);
    let spec = row.root().get("spec").unwrap();
    assert_eq!((spec.len(), spec.entries().count(), spec.get("a").is_none()), (1, 1, true));
    assert_eq!(spec.get("b").unwrap().get("c").unwrap().as_str(), Some("5"));
}

#[test]
fn later_duplicate_replaces_identity_and_labels() {
    let twice = r#"{"kind":"A","metadata":{"name":"n","uid":"u","namespace":"x","labels":{"a":"1"}},"kind":"B","metadata":{"name":"m"}}"#;
    let once = r#"{"kind":"B","metadata":{"name":"m"}}"#;
    for fields in [&[][..], &["metadata.name"], &["metadata.labels", "kind"]] {
        let (twice, once) = (decode(plan(fields), twice).unwrap(), decode(plan(fields), once).unwrap());
        assert_eq!((twice.kind(), twice.name(), twice.namespace(), twice.uid()), ("B", "m", "", ""));
        assert_eq!(
            (twice.key(), twice.labels_hash(), twice.digest()),
            (once.key(), once.labels_hash(), once.digest())
        );
    }
    let row = decode(plan(&[]), r#"{"kind":"A","kind":7,"metadata":{"name":"n"},"metadata":null}"#).unwrap();
    assert_eq!((row.kind(), row.name()), ("", ""));
}

#[test]
fn duplicates_in_big_maps_are_found() {
    let member = |n: usize| format!("\"k{}\":{n}", n % 700);
    let text = format!("{{\"a\":{{{}}}}}", (0..1000).map(member).collect::<Vec<_>>().join(","));
    let row = whole(&text).unwrap();
    let map = row.root().get("a").unwrap();
    assert_eq!((map.len(), map.entries().count()), (700, 700));
    assert_eq!(map.get("k299").unwrap().as_number(), Some("999"));
    assert_eq!(map.get("k300").unwrap().as_number(), Some("300"));
}

#[test]
fn nesting_is_bounded_alike_for_kept_and_skipped_parts() {
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{\"a\":{}1{}}}", open.repeat(depth - 1), close.repeat(depth - 1))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for fields in [&["a"][..], &["b"], &["a?"], &["a.a.a"], &["a.*"]] {
            let accepts = |depth| decode(plan(fields), &nested(open, close, depth));
            assert!(accepts(1).is_ok() && accepts(126).is_ok() && accepts(127).is_ok(), "{fields:?}");
            for depth in [128, 129, 10_000] {
                let error = accepts(depth).map(|_| ()).unwrap_err();
                assert!(error.starts_with("nested too deeply"), "{depth} for {fields:?}: {error}");
            }
        }
        for depth in [126, 127, 128, 129] {
            let text = nested(open, close, depth);
            let ours = whole(&text).is_ok();
            assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{depth}");
        }
        // An empty container is one, too.
        let text = nested(open, close, 127);
        let empty = |depth: usize| text.replace('1', if depth == 127 { "1" } else { "[]" });
        assert!(decode(plan(&[]), &empty(127)).is_ok() && whole(&empty(127)).is_ok());
        assert!(decode(plan(&[]), &empty(128)).is_err() && whole(&empty(128)).is_err());
    }
    assert!(decode(plan(&[]), &"[".repeat(1_000_000)).is_err());
    assert!(decode(plan(&[]), &format!("{{\"a\":{}", "[".repeat(1_000_000))).is_err());
}

#[test]
fn invalid_utf8_is_refused_wherever_it_stands() {
    for bytes in [
        &b"{\"a\":\"\xff\"}"[..],
        b"{\"\xc3\":1}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":1}\xc3",
        b"{\"a\":\"\xc0\xaf\"}",
    ] {
        for plan in [FieldPlan::whole(SEED), plan(&[])] {
            let error =
                Decoder::new(Arc::new(plan)).decode(bytes, Defaults::default()).map(|_| ()).unwrap_err();
            assert_eq!(error.reason, "invalid UTF-8");
        }
    }
}

const SAMPLE: &str = r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a\u00e9","namespace":"n","uid":"u-1",
    "labels":{"b":"c"},"x":[1,-2.5e3,{"y":null}]},"spec":{"list":[{"n":1},{"n":"2"}],"t":true,"f":false},"status":{}}"#;

#[test]
fn object_that_breaks_off_is_refused_at_every_byte() {
    let fields = ["metadata.labels", "spec.list.*.n", "spec.t?", "status"];
    for end in 0..SAMPLE.len() {
        assert!(
            decode(plan(&fields), &SAMPLE[..end]).is_err() && whole(&SAMPLE[..end]).is_err(),
            "{}",
            &SAMPLE[..end]
        );
    }
    assert!(decode(plan(&fields), SAMPLE).is_ok());
}

#[test]
fn key_of_a_broken_object_is_found_once_it_has_been_read() {
    let mut decoder = Decoder::new(Arc::new(plan(&[])));
    let key = decoder.decode(SAMPLE.as_bytes(), Defaults::default()).unwrap().key();
    let uid_ends = SAMPLE.find("\"u-1\"").unwrap() + 5;
    for end in 0..SAMPLE.len() {
        let expected = (end >= uid_ends).then_some(key);
        assert_eq!(
            decoder.identify_broken(&SAMPLE.as_bytes()[..end], Defaults::default()),
            expected,
            "{end}"
        );
    }
    let mut bytes = SAMPLE.as_bytes().to_vec();
    *bytes.last_mut().unwrap() = 0xff;
    assert_eq!(decoder.identify_broken(&bytes, Defaults::default()), Some(key));
    let mut named = |text: &str| decoder.identify_broken(text.as_bytes(), Defaults::default());
    assert_eq!(named(r#"{"kind":"A","metadata":{"name":"n""#), None);
    assert!(named(r#"{"kind":"A","metadata":{"name":"n"}"#).is_some());
    assert_eq!(named(r#"{"metadata":{"name":"n"}"#), None);
}

#[test]
fn key_of_an_object_is_found_behind_what_nests_too_deeply() {
    let mut decoder = Decoder::new(Arc::new(plan(&[])));
    let metadata = r#""kind":"A","metadata":{"name":"n","uid":"u"}"#;
    let key = decoder.decode(format!("{{{metadata}}}").as_bytes(), Defaults::default()).unwrap().key();
    let lists = format!("{}\"]}}\"{}", "[".repeat(100_000), "]".repeat(100_000));
    let maps = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let mut found = |text: &str| {
        assert!(decoder.identify(text.as_bytes(), Defaults::default()).is_err(), "{text:.80}");
        decoder.identify_broken(text.as_bytes(), Defaults::default())
    };
    for deep in [&lists, &maps] {
        assert_eq!(found(&format!(r#"{{"deep":{deep},{metadata}}}"#)), Some(key));
        assert_eq!(found(&format!(r#"{{"deep": {deep}, "z":1, {metadata}"#)), Some(key));
        let inside = format!(r#"{{"kind":"A","metadata":{{"annotations":{deep},"name":"n","uid":"u"}}}}"#);
        assert_eq!(found(&inside), Some(key));
        assert_eq!(found(&format!(r#"{{"deep":{}"#, &deep[..deep.len() - 1])), None);
        assert_eq!(found(&format!(r#"{{"kind":{deep},"metadata":{deep}}}"#)), None);
    }
}

#[test]
fn key_is_the_uid_or_else_kind_namespace_and_name() {
    let key = |text: &str| decode(plan(&[]), text).unwrap().key();
    let first = key(r#"{"kind":"A","metadata":{"namespace":"n","name":"x","uid":"u"}}"#);
    assert_eq!(first, key(r#"{"kind":"B","metadata":{"name":"y","uid":"u"}}"#));
    assert_ne!(first, key(r#"{"kind":"A","metadata":{"namespace":"n","name":"x","uid":"v"}}"#));
    let named = key(r#"{"kind":"A","metadata":{"namespace":"n","name":"x"}}"#);
    assert_eq!(
        named,
        key(r#"{"metadata":{"name":"x","uid":"","namespace":"n"},"apiVersion":"v2","kind":"A"}"#)
    );
    assert_ne!(named, key(r#"{"kind":"A","metadata":{"namespace":"","name":"nx"}}"#));
    assert_ne!(key(r#"{"metadata":{"name":"u"}}"#), key(r#"{"metadata":{"uid":"u"}}"#));
    key("{}");
}

#[test]
fn digest_sees_what_plans_read_and_nothing_else() {
    let digest = |fields: &[&str], text: &str| decode(plan(fields), text).unwrap().digest();
    let quiet = [
        r#"{"metadata":{"uid":"1","resourceVersion":"1"},"a":1}"#,
        r#"{"metadata":{"uid":"2","resourceVersion":"2"},"a":1,"b":2}"#,
    ];
    assert_eq!(digest(&["a"], quiet[0]), digest(&["a"], quiet[1]));
    assert_ne!(digest(&["metadata.uid"], quiet[0]), digest(&["metadata.uid"], quiet[1]));
    assert_ne!(digest(&["a", "b?"], quiet[0]), digest(&["a", "b?"], quiet[1]));
    assert_eq!(digest(&["a?"], r#"{"a":1}"#), digest(&["a?"], r#"{"a":2}"#));
    let different = [
        r#"{}"#,
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":1.0}"#,
        r#"{"a":null}"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":[1]}"#,
        r#"{"a":{"b":1}}"#,
        r#"{"a":["b",1]}"#,
        r#"{"a":true}"#,
        r#"{"a":"true"}"#,
        r#"{"a":["ab","c"]}"#,
        r#"{"a":["a","bc"]}"#,
    ];
    let digests: std::collections::BTreeSet<_> = different.iter().map(|text| digest(&["a"], text)).collect();
    assert_eq!(digests.len(), different.len());
}

#[test]
fn labels_hash_sees_namespace_and_labels_only() {
    let labels = |text: &str| decode(plan(&[]), text).unwrap().labels_hash();
    let base = labels(r#"{"metadata":{"namespace":"n","labels":{"a":"b"},"name":"x"}}"#);
    assert_eq!(base, labels(r#"{"spec":1,"metadata":{"labels":{"a":"b"},"namespace":"n","name":"y"}}"#));
    assert_ne!(base, labels(r#"{"metadata":{"namespace":"m","labels":{"a":"b"}}}"#));
    assert_ne!(base, labels(r#"{"metadata":{"namespace":"n","labels":{"a":"c"}}}"#));
    assert_ne!(base, labels(r#"{"metadata":{"namespace":"n"}}"#));
}

#[test]
fn identity_that_is_no_string_is_empty_and_stays_what_it_is() {
    let defaults = Defaults { api_version: Some("v1"), kind: Some("Pod"), namespace: Some("default") };
    let text = br#"{"apiVersion":1,"kind":null,"metadata":{"namespace":null,"name":["x"]}}"#;
    let row = Decoder::new(Arc::new(plan(&["kind", "apiVersion", "metadata.namespace"])))
        .decode(text, defaults)
        .unwrap();
    assert_eq!((row.api_version(), row.kind(), row.namespace(), row.name()), ("", "", "", ""));
    assert_eq!(
        [1, 2, 4].map(|id| row.at(FieldId(id)).unwrap().kind()),
        [Kind::Null, Kind::Number, Kind::Null]
    );
}

#[test]
fn defaults_fill_in_what_is_absent() {
    let defaults = Defaults { api_version: Some("v1"), kind: Some("Pod"), namespace: Some("default") };
    let mut decoder = Decoder::new(Arc::new(plan(&["kind", "apiVersion?", "metadata.namespace"])));
    let row = decoder.decode(br#"{"metadata":{"name":"x"}}"#, defaults).unwrap();
    assert_eq!((row.api_version(), row.kind(), row.namespace()), ("v1", "Pod", "default"));
    assert_eq!([1, 4].map(|id| row.at(FieldId(id)).unwrap().as_str()), [Some("Pod"), Some("default")]);
    assert!(!row.at(FieldId(2)).unwrap().is_whole());
    let row = decoder.decode(b"{}", defaults).unwrap();
    assert_eq!((row.kind(), row.namespace(), row.at(FieldId(4)).is_none()), ("Pod", "", true));
}

#[test]
fn dead_fields_are_skipped_and_live_ones_keep_their_numbers() {
    let mut plan = plan(&["a.b"]);
    let mut record = plan.record();
    let c = record.member(FieldId::ROOT, "c");
    record.keep(c);
    let uses = record.finish();
    let kept = |plan: &FieldPlan| {
        let row = decode(plan.clone(), r#"{"a":{"b":1},"c":2}"#).unwrap();
        (row.at(FieldId(2)).is_some(), row.at(c).is_some(), row.root().len())
    };
    assert_eq!(kept(&plan), (true, true, 2));
    plan.release(&uses);
    assert_eq!(kept(&plan), (true, false, 1));
}

#[test]
fn many_planned_members_are_found_among_many() {
    let names: Vec<String> = (0..3000).map(|n| format!("label-{n}")).collect();
    let mut plan = FieldPlan::new(SEED);
    let mut record = plan.record();
    for name in names.iter().step_by(2) {
        let field = record.member(FieldId::ROOT, name);
        record.keep(field);
    }
    record.finish();
    let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":\"{name}\"")).collect();
    let row = decode(plan, &format!("{{{}}}", members.join(","))).unwrap();
    assert_eq!(row.root().len(), 1500);
    for (field, name) in names.iter().step_by(2).enumerate() {
        assert_eq!(row.at(FieldId(field as u32 + 1)).unwrap().as_str(), Some(&**name));
    }
}

#[test]
fn node_takes_no_more_than_28_bytes() {
    assert!(size_of::<Node>() <= 28);
}
