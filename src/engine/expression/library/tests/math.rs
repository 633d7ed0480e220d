//! The math and encoders extensions.

use super::{OBJECT, check};

const NUMBERS: &[(&str, &str)] = &[
    ("math.greatest(1, 2.5)", "2.5"),
    ("math.greatest(1, 1.0)", "1"),
    ("math.greatest(-1, 5u, 3.0, 5)", "5u"),
    ("math.greatest([1, 7, 3])", "7"),
    ("math.greatest(object.l)", "3"),
    ("math.greatest(object.i)", "42"),
    ("math.greatest('a')", "error: no such overload: math.greatest(string)"),
    ("math.greatest(object.s)", "error: no such overload: math.greatest(string)"),
    ("math.greatest([])", "error: the greatest or least of an empty list"),
    ("math.greatest()", "compile: spec.filter:1:6: 'math.greatest' takes one argument or more, found 0"),
    ("math.least(1, 2.5)", "1"),
    ("math.least(object.i, object.d, 3u)", "2.5"),
    ("math.least(object.ls)", "error: no such overload: math.least(list)"),
    ("math.ceil(object.d)", "3.0"),
    ("math.floor(-1.5)", "-2.0"),
    ("math.round(2.5)", "3.0"),
    ("math.round(-2.5)", "-3.0"),
    ("math.trunc(-2.7)", "-2.0"),
    ("math.ceil(1)", "compile: spec.filter:1:6: no such overload: math.ceil(int)"),
    ("math.isInf(1.0 / 0.0)", "true"),
    ("math.isNaN(0.0 / 0.0)", "true"),
    ("math.isFinite(object.d)", "true"),
    ("math.abs(object.neg)", "5"),
    ("math.abs(-2.5)", "2.5"),
    ("math.abs(-9223372036854775808)", "error: integer overflow"),
    ("math.sign(object.neg)", "-1"),
    ("math.sign(-2.5)", "-1.0"),
    ("math.sign(-0.0)", "0.0"),
    ("math.sign(3u)", "1u"),
    ("math.sqrt(4)", "2.0"),
    ("math.sqrt(-1.0)", "NaN"),
    ("math.bitAnd(6, 3)", "2"),
    ("math.bitAnd(6u, 3u)", "2u"),
    ("math.bitAnd(6u, 3)", "compile: spec.filter:1:6: no such overload: math.bitAnd(uint, int)"),
    ("math.bitOr(6, -8)", "-2"),
    ("math.bitXor(6, 3)", "5"),
    ("math.bitNot(1)", "-2"),
    ("math.bitNot(1u)", "18446744073709551614u"),
    ("math.bitShiftLeft(1, 4)", "16"),
    ("math.bitShiftLeft(1u, 64)", "0u"),
    ("math.bitShiftLeft(1, -1)", "error: cannot shift by a negative number of places: -1"),
    ("math.bitShiftRight(-1, 60)", "15"),
    ("math.bitShiftRight(16u, 3)", "2u"),
];

const BASE64: &[(&str, &str)] = &[
    ("base64.encode(b'hello')", r#""aGVsbG8=""#),
    ("base64.encode(b'')", r#""""#),
    ("base64.encode(b'a')", r#""YQ==""#),
    ("base64.decode('aGVsbG8=')", "b[104, 101, 108, 108, 111]"),
    ("base64.decode('aGVsbG8')", "b[104, 101, 108, 108, 111]"),
    ("base64.decode('')", "b[]"),
    ("base64.decode('a')", "compile: spec.filter:1:8: not base64"),
    ("base64.decode('aGVsbG8==')", "compile: spec.filter:1:8: not base64"),
    ("base64.decode('aG!s')", "compile: spec.filter:1:8: not base64"),
    ("base64.decode(object.s)", "b[181, 167, 40, 113, 171]"),
    ("string(base64.decode('dGFjb2NhdA=='))", r#""tacocat""#),
];

#[test]
fn numbers_are_compared_rounded_and_shifted() {
    check(NUMBERS, OBJECT);
}

#[test]
fn bytes_are_written_in_base64() {
    check(BASE64, OBJECT);
}
