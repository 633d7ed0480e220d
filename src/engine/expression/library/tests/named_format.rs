//! Kubernetes' named formats.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("format.named('dns1123Label')", "some(format(DNS1123Label))"),
    ("format.named('nope')", "none"),
    ("format.dns1123Label().validate('my-name')", "none"),
    (
        "format.dns1123Label().validate('My-name')",
        r#"some(["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"])"#,
    ),
    ("format.dns1123Label().validate('a.b')", r#"some(["must not contain dots"])"#),
    (
        "format.dns1123Label().validate('')",
        r#"some(["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"])"#,
    ),
    (
        "format.dns1123Label().validate('-a')",
        r#"some(["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"])"#,
    ),
    ("format.dns1123Subdomain().validate('a.b-c.d')", "none"),
    (
        "format.dns1123Subdomain().validate('a..b')",
        r#"some(["a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"])"#,
    ),
    ("format.dns1035Label().validate('a1')", "none"),
    (
        "format.dns1035Label().validate('1a')",
        r#"some(["a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"])"#,
    ),
    ("format.dns1123LabelPrefix().validate('a-')", "none"),
    (
        "format.dns1123LabelPrefix().validate('-')",
        r#"some(["a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"])"#,
    ),
    ("format.dns1123SubdomainPrefix().validate('a.b-')", "none"),
    ("format.dns1123SubdomainPrefix().validate('a.-')", "none"),
    ("format.dns1035LabelPrefix().validate('a-')", "none"),
    ("format.qualifiedName().validate('example.com/a_B.c')", "none"),
    (
        "format.qualifiedName().validate('a/b/c')",
        r#"some(["a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"])"#,
    ),
    ("format.qualifiedName().validate('/c')", r#"some(["prefix part must be non-empty"])"#),
    (
        "format.qualifiedName().validate('a_/c-')",
        r#"some(["prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')", "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"])"#,
    ),
    (
        "format.qualifiedName().validate('')",
        r#"some(["name part must be non-empty", "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"])"#,
    ),
    (
        "format.qualifiedName().validate('a/')",
        r#"some(["name part must be non-empty", "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"])"#,
    ),
    ("format.labelValue().validate('')", "none"),
    (
        "format.labelValue().validate('a b')",
        r#"some(["a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"])"#,
    ),
    (
        "format.labelValue().validate('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
        r#"some(["must be no more than 63 bytes"])"#,
    ),
    ("format.uri().validate('https://example.com')", "none"),
    ("format.uuid().validate('123e4567-e89b-12d3-a456-426614174000')", "none"),
    ("format.uuid().validate('123E4567E89B12D3A456426614174000')", "none"),
    ("format.uuid().validate('x')", r#"some(["does not match the UUID format"])"#),
    ("format.byte().validate('aGVsbG8=')", "none"),
    ("format.byte().validate('aGVsbG8')", r#"some(["invalid base64"])"#),
    ("format.byte().validate('')", r#"some(["invalid base64"])"#),
    ("format.byte().validate('====')", r#"some(["invalid base64"])"#),
    ("format.byte().validate('a===')", r#"some(["invalid base64"])"#),
    ("format.date().validate('2021-02-28')", "none"),
    ("format.date().validate('2021-02-29')", r#"some(["invalid date"])"#),
    ("format.date().validate('21-1-1')", r#"some(["invalid date"])"#),
    ("format.datetime().validate('2021-01-01T00:00:00Z')", "none"),
    ("format.datetime().validate('2021-01-01t23:59:59.123+99:99')", "none"),
    ("format.datetime().validate('2021-01-01T24:00:00Z')", r#"some(["invalid datetime"])"#),
    ("format.datetime().validate('2021-01-01T00:00:60Z')", r#"some(["invalid datetime"])"#),
    ("format.datetime().validate('2021-01-01 00:00:00Z')", r#"some(["invalid datetime"])"#),
    ("format.datetime().validate('2021-01-01T00:00:00')", r#"some(["invalid datetime"])"#),
    ("format.datetime().validate('2021-01-01T00:00:00,5z')", "none"),
    ("format.dns1123Label() == format.dns1123Label()", "true"),
    ("format.dns1123Label() == format.labelValue()", "false"),
    ("type(format.date())", "type(kubernetes.NamedFormat)"),
    ("format.nope().validate('x')", "compile: spec.filter:1:1: undeclared reference to 'format'"),
];

#[test]
fn texts_are_checked_against_formats() {
    check(CASES, OBJECT);
}
