//! Strings, conversions, regular expressions, quantities.

use super::check;

const OBJECT: &str = r#"{
    "s": "hello", "u": "äö€😀", "i": 42, "d": 2.5, "t": true, "n": null, "l": [1, 2], "m": {"a": 1}, "empty": "",
    "cpu": "500m", "mem": "2Gi", "re": "^h.*o$", "bad": "(", "num": "17", "float": "2.5e3"
}"#;

#[test]
fn sizes_count_code_points_bytes_elements_and_entries() {
    check(
        &[
            ("size(object.s)", "5"),
            ("object.u.size()", "4"),
            ("size(b'abc')", "3"),
            ("size(bytes(object.u))", "11"),
            ("object.l.size()", "2"),
            ("size(object.m)", "1"),
            ("size([1, 2, 3]) + size({})", "3"),
            ("size(object.i)", "error: no such overload: size(int)"),
            ("size(object.n)", "error: no such overload: size(null_type)"),
            ("object.d.size()", "error: no such overload: double.size()"),
            ("size(object.empty) == 0", "true"),
        ],
        OBJECT,
    );
}

#[test]
fn strings_are_searched() {
    check(
        &[
            ("object.s.contains('ell')", "true"),
            ("object.s.contains('')", "true"),
            ("object.s.contains('x')", "false"),
            ("object.s.startsWith('he')", "true"),
            ("object.s.startsWith('hello!')", "false"),
            ("object.s.endsWith('lo')", "true"),
            ("object.u.endsWith('😀')", "true"),
            ("object.i.startsWith('4')", "error: no such overload: int.startsWith(string)"),
            ("object.s.startsWith(object.i)", "error: no such overload: string.startsWith(int)"),
            ("object.nope.startsWith('a')", "error: no such key: nope"),
            ("object.s.matches('^h.*o$')", "true"),
            ("object.s.matches('ell')", "true"),
            ("matches(object.s, '^ell')", "false"),
            ("object.s.matches(object.re)", "true"),
            ("object.i.matches('4')", "error: no such overload: int.matches(string)"),
            ("'ab'.matches('a' + 'b')", "true"),
        ],
        OBJECT,
    );
}

#[test]
fn conversions_are_exact_or_an_error() {
    check(
        &[
            ("int('42')", "42"),
            ("int(object.num) + 1", "18"),
            ("int(object.s)", r#"error: cannot convert "hello" to int"#),
            ("int(2.9)", "2"),
            ("int(-2.9)", "-2"),
            ("int(object.d * 1e30)", "error: integer overflow"),
            ("int(18446744073709551615u)", "compile: spec.filter:1:1: integer overflow"),
            ("int('1.5')", r#"compile: spec.filter:1:1: cannot convert "1.5" to int"#),
            ("int(7u)", "7"),
            ("uint(7)", "7u"),
            ("uint(object.i)", "42u"),
            ("uint(-object.i)", "error: unsigned integer overflow"),
            ("uint('18446744073709551615')", "18446744073709551615u"),
            ("uint(2.5)", "2u"),
            ("double(object.i)", "42.0"),
            ("double(object.float)", "2500.0"),
            ("double('0x1p-2')", "0.25"),
            ("double('-0X1.8P+1')", "-3.0"),
            ("double('0x_1_0p0')", "16.0"),
            ("double('0x1')", "compile: spec.filter:1:1: cannot convert \"0x1\" to double"),
            ("double('nan')", "NaN"),
            ("double('+NaN')", "compile: spec.filter:1:1: cannot convert \"+NaN\" to double"),
            ("double('-nan')", "compile: spec.filter:1:1: cannot convert \"-nan\" to double"),
            ("double('-inf')", "-inf"),
            ("double(3u)", "3.0"),
            ("double(object.s)", r#"error: cannot convert "hello" to double"#),
            ("string(object.i)", r#""42""#),
            ("string(object.d)", r#""2.5""#),
            ("string(1000000.0)", r#""1e+06""#),
            ("string(999999.0)", r#""999999""#),
            ("string(0.0001)", r#""0.0001""#),
            ("string(0.00001)", r#""1e-05""#),
            ("string(1.5e300)", r#""1.5e+300""#),
            ("string(object.t)", r#""true""#),
            ("string(7u)", r#""7""#),
            ("string(b'abc')", r#""abc""#),
            ("string(b'\\xff')", "compile: spec.filter:1:1: invalid UTF-8 in bytes"),
            ("string(object.l)", "error: no such overload: string(list)"),
            ("string(object.n)", "error: no such overload: string(null_type)"),
            ("bytes('äb')", "b[195, 164, 98]"),
            ("bool('true') && bool('1') && !bool('FALSE')", "true"),
            ("bool(object.s)", r#"error: cannot convert "hello" to bool"#),
            ("dyn(object.i) + 1", "43"),
            ("type(object.s)", "type(string)"),
            ("type(object.n) == type(null)", "true"),
        ],
        OBJECT,
    );
}

#[test]
fn quantities_are_exact() {
    check(
        &[
            ("quantity(object.cpu)", "quantity(500000000n)"),
            ("quantity('2Gi') == quantity('2048Mi')", "true"),
            ("quantity(object.mem).isGreaterThan(quantity('1Gi'))", "true"),
            ("quantity(object.mem).isLessThan(quantity('1Gi'))", "false"),
            ("quantity('1').compareTo(quantity('1000m'))", "0"),
            ("quantity('1').compareTo(quantity('2'))", "-1"),
            ("sign(quantity('-5'))", "-1"),
            ("sign(quantity('0'))", "0"),
            ("quantity('1.5k').asInteger()", "1500"),
            ("quantity('500m').isInteger()", "false"),
            ("quantity('500m').asInteger()", "error: cannot convert value to integer"),
            ("quantity(object.cpu).asApproximateFloat()", "0.5"),
            ("quantity('1').add(quantity('500m'))", "quantity(1500000000n)"),
            ("quantity('1').add(2)", "quantity(3000000000n)"),
            ("quantity('1').sub(quantity('500m')).sub(1)", "quantity(-500000000n)"),
            ("isQuantity(object.cpu) && !isQuantity(object.s)", "true"),
            (
                "quantity(object.cpu) < quantity('1')",
                "compile: spec.filter:1:22: no such overload: kubernetes.Quantity < kubernetes.Quantity",
            ),
            ("type(quantity('1'))", "type(kubernetes.Quantity)"),
        ],
        OBJECT,
    );
}
