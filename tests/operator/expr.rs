//! `celemetry expr` from outside.

use crate::program::{ends, output};

const POD: &str = "metadata:\n  name: web-1\n  labels: {app: web}\nspec:\n  containers:\n  - {image: a, cpu: 500m}\n  - {image: b}\n";

#[test]
fn a_document_is_what_the_expression_sees_as_object() {
    for (language, expression, expected) in [
        ("cel", "object.metadata.labels", "{\"app\":\"web\"}\n"),
        ("cel", "object.spec.containers.map(c, c.image)", "[\"a\",\"b\"]\n"),
        ("cel", "size(object.spec.containers) + 1", "3\n"),
        ("cel", "quantity(object.spec.containers[0].cpu).add(1)", "\"1500m\"\n"),
        ("cel", "object.?spec.?nope", "null\n"),
        (
            "cel",
            "[1.5, 2u, b'a', type(1), duration('90m'), {2: true}]",
            "[1.5,2,\"YQ==\",\"int\",\"5400s\",{\"2\":true}]\n",
        ),
        ("jsonpath", "$.spec.containers[*].image", "\"a\"\n\"b\"\n"),
        ("jsonpath", "$.nope", ""),
        ("kubectl", "{.spec.containers[*].image}", "\"a\"\n\"b\"\n"),
    ] {
        assert_eq!(ends(&["expr", language, expression], POD, 0).0, expected, "{expression}");
    }
    assert_eq!(ends(&["expr", "cel", "object == null"], "", 0).0, "true\n");
    assert_eq!(ends(&["expr", "cel", "-object.x"], r#"{"x": 2}"#, 0).0, "-2\n");
    assert_eq!(
        ends(&["expr", "cel", "object.a"], r#"{"a": 12345678901234567890}"#, 0).0,
        "1.2345678901234567e+19\n"
    );
    assert_eq!(ends(&["expr", "jsonpath", "$.a"], r#"{"a": 1.50e400}"#, 0).0, "1.50e400\n");
}

#[test]
fn an_expression_that_is_wrong_or_fails_is_status_1_with_the_place() {
    for (expression, input, expected) in [
        (
            "true &&\n\tobjct.x",
            "{}",
            "error: expression:2:2: undeclared reference to 'objct' (did you mean 'object'?)\n   objct.x\n   ^\n",
        ),
        ("object.x", "{}", "error: no such key: x\n"),
        ("object", "a: 1\n---\nb: 2\n", "error: standard input holds 2 documents; one is wanted\n"),
        ("object", "a: [1\n", "error: -:"),
    ] {
        let (out, err) = ends(&["expr", "cel", expression], input, 1);
        assert_eq!(out, "");
        assert!(err.starts_with(expected), "{err}");
    }
    assert!(ends(&["expr", "cel"], "", 2).1.contains("EXPRESSION"));
    assert!(ends(&["expr", "sql", "1"], "", 2).1.contains("cel, jsonpath, kubectl"));
    assert!(ends(&["expr", "--batch", "cel", "1"], "", 2).1.contains("cannot be used with"));
}

const BATCH: &[(&str, &str)] = &[
    (
        r#"{"language": "cel", "expression": "object.spec.replicas + 1", "variables": {"object": {"spec": {"replicas": 2}}}}"#,
        r#"{"value":{"int64Value":"3"}}"#,
    ),
    (
        r#"{"language": "jsonpath", "expression": "$.a[*]", "variables": {"object": {"a": [1, 2]}}}"#,
        r#"{"values":[1,2]}"#,
    ),
    (
        r#"{"language": "kubectl", "expression": "{.a[5]}", "variables": {"object": {"a": [1, 2]}}}"#,
        r#"{"error":"array index out of bounds: index 5, length 2","stage":"evaluate"}"#,
    ),
    (r#"{"language": "cel", "expression": "1 +"}"#, r#"{"error":"expression:1:4: syntax error: "#),
    (
        r#"{"language": "cel", "expression": "x + y", "variables": {"x": {"uint64Value": "1"}, "y": {"uint64Value": 2}}, "typed": true}"#,
        r#"{"value":{"uint64Value":"3"}}"#,
    ),
    (
        r#"{"language": "cel", "expression": "[a, b, c, d]", "variables": {"a": -0, "b": 1e400, "c": 9223372036854775808, "d": 1.0}}"#,
        r#"{"value":{"listValue":{"values":[{"int64Value":"0"},{"doubleValue":"Infinity"},{"doubleValue":9.223372036854776e+18},{"doubleValue":1.0}]}}}"#,
    ),
    (
        r#"{"language": "cel", "expression": "[optional.of(1), optional.none(), b'a', null, int, duration('1h'), timestamp('2020-01-01T01:00:00+01:00'), quantity('1Ki'), {1: 0.0/0.0}]"}"#,
        r#"{"value":{"listValue":{"values":[{"optionalValue":{"int64Value":"1"}},{"optionalValue":null},{"bytesValue":"YQ=="},{"nullValue":null},{"typeValue":"int"},{"objectValue":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"3600s"}},{"objectValue":{"@type":"type.googleapis.com/google.protobuf.Timestamp","value":"2020-01-01T00:00:00Z"}},{"objectValue":{"@type":"kubernetes.Quantity","value":"1024"}},{"mapValue":{"entries":[{"key":{"int64Value":"1"},"value":{"doubleValue":"NaN"}}]}}]}}}"#,
    ),
    (
        r#"{"language": "cel", "expression": "a.b.c + x", "variables": {"a.b": {"c": "d"}, "x": "e"}}"#,
        r#"{"value":{"stringValue":"de"}}"#,
    ),
    (
        r#"{"language": "jsonpath", "expression": "$[?@.a == 1]", "variables": {"object": {"listValue": {"values": [{"mapValue": {"entries": [{"key": {"stringValue": "a"}, "value": {"int64Value": "1"}}]}}]}}}, "typed": true}"#,
        r#"{"values":[{"a":1}]}"#,
    ),
    (
        r#"{"language": "cel", "expression": "x", "variables": {"x": {"int64Value": "y"}}, "typed": true}"#,
        r#"{"error":"variable 'x': \"y\" is no int64Value","stage":"evaluate"}"#,
    ),
    (
        r#"{"language": "cel", "expression": "object"}"#,
        r#"{"error":"expression:1:1: undeclared reference to 'object'","stage":"compile"}"#,
    ),
    (
        r#"{"language": "jsonpath", "expression": "$"}"#,
        r#"{"error":"expression:1:1: a JSONPath needs the variable 'object'","stage":"compile"}"#,
    ),
    ("nonsense", r#"{"error":"the request is no JSON object: it does not begin with {","stage":"compile"}"#),
];

#[test]
fn a_batch_answers_every_line_in_order() {
    let requests: String = BATCH.iter().map(|(request, _)| format!("{request}\n")).collect();
    let (out, err) = ends(&["expr", "--batch"], &requests, 0);
    assert_eq!(err, "");
    let answers: Vec<&str> = out.lines().collect();
    assert_eq!(answers.len(), BATCH.len());
    for ((request, expected), answer) in BATCH.iter().zip(answers) {
        assert!(answer.starts_with(expected), "{request}\n  expected {expected}\n  found    {answer}");
    }
}

#[test]
fn hostile_requests_end_in_an_answer() {
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(5_000), close.repeat(5_000));
    let texts = [
        nested("(", ")"),
        nested("[", "]"),
        "1+".repeat(1_400) + "1",
        "x.size()".repeat(1_400),
        format!("['aaaaaaaa']{}", ".map(x,x+x)".repeat(33)),
        "lists.range(100000000)".to_owned(),
        format!("'%s'.format([[1]{}])", ".map(x,[x,x])".repeat(30)),
    ];
    let mut requests: String = texts
        .iter()
        .map(|text| format!("{}\n", serde_json::json!({"language": "cel", "expression": text})))
        .collect();
    let deep = nested("[", "]");
    requests += &format!("{{\"language\":\"cel\",\"expression\":\"x\",\"variables\":{{\"x\":{deep}}}}}\n");
    requests += r#"{"language":"cel","expression":"x","variables":{"x":1,\"y\":2}}"#;
    requests.push('\n');
    requests += &format!("{{\"language\":\"jsonpath\",\"expression\":\"$[{}]\"}}\n", "?(".repeat(3_000));
    let found = output(&["expr", "--batch"], requests.as_bytes());
    assert!(found.status.success());
    let answers = String::from_utf8(found.stdout).unwrap();
    assert_eq!(answers.lines().count(), requests.lines().count());
    assert!(answers.lines().all(|answer| answer.starts_with("{\"error\":")), "{answers}");
}
