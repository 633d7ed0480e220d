//! Kubernetes' URLs.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("url(object.url).getScheme()", r#""https""#),
    ("url(object.url).getHost()", r#""example.com:8080""#),
    ("url(object.url).getHostname()", r#""example.com""#),
    ("url(object.url).getPort()", r#""8080""#),
    ("url(object.url).getEscapedPath()", r#""/a%20b""#),
    ("url(object.url).getQuery()", r#"{"x": ["1", "3"], "y": ["2"]}"#),
    ("url('/path').getScheme()", r#""""#),
    ("url('/path').getHost()", r#""""#),
    ("url('/path').getPort()", r#""""#),
    ("url('/path').getEscapedPath()", r#""/path""#),
    ("url('HTTPS://Example.com').getScheme()", r#""https""#),
    ("url('https://example.com').getEscapedPath()", r#""""#),
    ("url('https://example.com/path with spaces/').getEscapedPath()", r#""/path%20with%20spaces/""#),
    ("url('https://example.com/a%2fb').getEscapedPath()", r#""/a%2fb""#),
    ("url('https://example.com/ä').getEscapedPath()", r#""/%C3%A4""#),
    (
        "url('https://example.com/a%zz')",
        "compile: spec.filter:1:1: not a URL: a % is not followed by two hexadecimal digits",
    ),
    ("url('https://[::1]:80/').getHost()", r#""[::1]:80""#),
    ("url('https://[::1]:80/').getHostname()", r#""::1""#),
    ("url('https://[::1]/').getHostname()", r#""::1""#),
    ("url('https://[::1').getHost()", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('https://[1.2.3.4]/')", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('https://[fe80::1%25eth0]/').getHostname()", r#""fe80::1%eth0""#),
    ("url('https://example.com:80a/')", "compile: spec.filter:1:1: not a URL: the port is no number"),
    ("url('https://a:b:c/')", "compile: spec.filter:1:1: not a URL: the port is no number"),
    ("url('https://example.com:/').getPort()", r#""""#),
    (
        "url('../relative-path')",
        "compile: spec.filter:1:1: not a URL: it must have a scheme, such as https://example.com, or begin with /",
    ),
    (
        "url('relative')",
        "compile: spec.filter:1:1: not a URL: it must have a scheme, such as https://example.com, or begin with /",
    ),
    ("url('')", "compile: spec.filter:1:1: not a URL: it is empty"),
    ("url('*')", "url(*)"),
    ("url('mailto:a@b.c').getScheme()", r#""mailto""#),
    ("url('mailto:a@b.c').getEscapedPath()", r#""""#),
    ("url(':foo')", "compile: spec.filter:1:1: not a URL: nothing stands before the first colon"),
    (
        "url('1http://x')",
        "compile: spec.filter:1:1: not a URL: it must have a scheme, such as https://example.com, or begin with /",
    ),
    ("url('http://a b.com/')", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('http://a%20b.com/')", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('http://a%41b.com/')", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('http://ex%c3%a4mple.com/').getHost()", r#""exämple.com""#),
    ("url('https://example.com/path?k1=a&k2=b&k2=c').getQuery()", r#"{"k1": ["a"], "k2": ["b", "c"]}"#),
    (
        "url('https://example.com/path?key with spaces=value with spaces').getQuery()",
        r#"{"key with spaces": ["value with spaces"]}"#,
    ),
    ("url('https://example.com/path?a=1;b=2&c').getQuery()", r#"{"c": [""]}"#),
    ("url('https://example.com/path?a=%zz&b=1+2%20').getQuery()", r#"{"b": ["1 2 "]}"#),
    ("url('https://example.com/path?').getQuery()", "{}"),
    ("url('https://example.com/path').getQuery()", "{}"),
    ("url('//example.com/path').getHost()", r#""example.com""#),
    ("url('///example.com/path').getEscapedPath()", r#""///example.com/path""#),
    ("url('https://user@example.com/')", "url(https://user@example.com/)"),
    (
        "url('https://us er@example.com/')",
        "compile: spec.filter:1:1: not a URL: what stands before @ has characters that must be escaped",
    ),
    ("url('https://us%20er:p%40@example.com/')", "url(https://us%20er:p%40@example.com/)"),
    ("url('file:///etc/passwd')", "url(file:///etc/passwd)"),
    ("url('https://example.com#f')", "compile: spec.filter:1:1: not a URL: the host is invalid"),
    ("url('https://example.com/?#f g')", "url(https://example.com/?#f%20g)"),
    ("url('https://example.com/a?b#c') == url('https://example.com/a?b#c')", "true"),
    ("url('https://example.com') == url('https://example.com/')", "false"),
    ("url('https://example.com?')", "url(https://example.com?)"),
    ("url('https://example.com/x[1]').getEscapedPath()", r#""/x[1]""#),
    (r#"url("https://example.com/x'(1)*!").getEscapedPath()"#, r#""/x'(1)*!""#),
    ("isURL(object.url)", "true"),
    ("isURL('x')", "false"),
    (r#"isURL('/a\u0001')"#, "false"),
    ("isURL('http://[::1]a')", "false"),
];

#[test]
fn urls_are_taken_apart() {
    check(CASES, OBJECT);
}
