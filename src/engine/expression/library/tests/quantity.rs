//! Kubernetes' quantities.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("quantity(object.cpu).isInteger()", "false"),
    ("quantity('2').isInteger()", "true"),
    ("quantity('2000m').isInteger()", "false"),
    ("quantity('1.0').isInteger()", "false"),
    ("quantity('8Ei').isInteger()", "false"),
    ("quantity('9Pi').isInteger()", "false"),
    ("quantity('1Ti').isInteger()", "true"),
    ("quantity('1.000').asInteger()", "error: cannot convert value to integer"),
    ("quantity('1.5k').asInteger()", "1500"),
    ("quantity('9223372036854775807').asInteger()", "error: cannot convert value to integer"),
    ("quantity('999999999999999999').asInteger()", "999999999999999999"),
    ("quantity('1k').add(1).asInteger()", "1001"),
    ("quantity('1').add(quantity('1000m')).isInteger()", "false"),
    ("quantity('1').sub(quantity('500m')) == quantity('0.5')", "true"),
    ("quantity('1').sub(1).asInteger()", "0"),
    ("quantity('0.3').asApproximateFloat()", "0.30000000000000004"),
    ("quantity('1.1Ki').asApproximateFloat()", "1126.4"),
    ("quantity('1e-3').asApproximateFloat()", "0.001"),
    ("quantity('100u').asApproximateFloat()", "9.999999999999999e-5"),
    ("quantity(object.mem).compareTo(quantity('1Gi'))", "1"),
    ("quantity(object.mem).isGreaterThan(quantity('1Gi'))", "true"),
    ("quantity(object.mem).isLessThan(quantity('1Gi'))", "false"),
    ("sign(quantity('-1'))", "-1"),
    (
        "quantity('x')",
        "compile: spec.filter:1:1: not a quantity: it must be a decimal number with an optional suffix, such as 1.5, 500m, 2Gi or 1e3",
    ),
    ("quantity('-0').isInteger()", "true"),
    ("isQuantity('1.2.3')", "false"),
    ("isQuantity('+5Mi')", "true"),
    ("quantity('1Ki') == quantity('1024')", "true"),
    ("quantity('1') == object.i", "false"),
];

#[test]
fn quantities_are_exact_and_integers_as_kubernetes_holds_them() {
    check(CASES, OBJECT);
}
