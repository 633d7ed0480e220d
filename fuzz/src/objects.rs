//! The objects that every expression is asked about: what is usual, and what is odd in one way each.

/// JSON objects.
pub const OBJECTS: [&str; 7] = [
    "{}",
    r#"{
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "shop", "labels": {"app": "web", "tier": "1"}, "annotations": {"a/b.c": "x"},
            "creationTimestamp": "2026-01-02T03:04:05Z"},
        "spec": {"priority": 3, "nodeName": "n", "containers": [
            {"name": "a", "image": "registry/a:1", "ready": true, "restarts": 4, "resources": {"requests": {"cpu": "250m"}}},
            {"name": "b", "image": "b", "ready": false, "restarts": 0, "ports": [{"port": 80}, {"port": 443, "name": "https"}]}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}], "age": "1h30m", "address": "10.1.2.3"}
    }"#,
    // Everything where something else is expected.
    r#"{"metadata": null, "spec": [1, {"containers": 2}], "status": {"phase": 3, "conditions": {"Ready": true}}, "a": [], "s": {}}"#,
    // Short names, for expressions that are made of parts.
    r#"{"a": 1, "b": 2.5, "c": [{"a": 1}, {"a": "x", "s": "x"}], "l": [1, 2, 3, 1.0, "x", null, true], "m": {"a": {"a": 7}, "b": null, "s": "x"},
        "s": "xa", "n": null, "t": true}"#,
    r#"{"a": 9223372036854775807, "b": -9223372036854775808, "c": 18446744073709551615, "l": [0, -0.0, 1e308, 5e-324, 0.1, 123456789012345678901234567890],
        "m": {"a": 1e400000000, "b": 9007199254740993}, "s": "9223372036854775808", "n": 2.0}"#,
    r#"{"": 1, "a.b/c": {"": [2]}, "é": "ä😀\u0000", "a": {"a": {"a": {"a": {"a": [[[[{"a": "deep"}]]]]}}}}, "s": "\\'\"\n", "l": [[], {}, [[]], ""]}"#,
    r#"{"l": [[1, 2], [3], [], 4], "c": [{"l": [1]}, {"l": [2, 3]}, {"m": 1}], "m": {"x": {"l": [1]}, "a": {"l": []}, "k": 3}, "s": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}"#,
];
