//! Lists as sets, and optionals in lists.

use super::{OBJECT, check};

const SETS: &[(&str, &str)] = &[
    ("sets.contains([1, 2, 3], [2])", "true"),
    ("sets.contains(object.l, [1.0])", "true"),
    ("sets.contains([], [1])", "false"),
    ("sets.contains([1], [])", "true"),
    ("sets.equivalent([1, 2, 2], [2, 1])", "true"),
    ("sets.equivalent([1], [1, 2])", "false"),
    ("sets.intersects([1, 2], [2, 3])", "true"),
    ("sets.intersects([1], [])", "false"),
    ("sets.intersects(object.l, object.ls)", "false"),
    ("sets.contains(object.m, [1])", "error: no such overload: sets.contains(map, list)"),
];

const OPTIONALS: &[(&str, &str)] = &[
    ("optional.unwrap([optional.of(1), optional.none(), optional.of(2)])", "[1, 2]"),
    ("[optional.of(1), optional.none()].unwrapOpt()", "[1]"),
    ("object.l.unwrapOpt()", "error: a int among the optionals to unwrap"),
];

#[test]
fn lists_are_compared_as_sets() {
    check(SETS, OBJECT);
}

#[test]
fn optionals_in_lists_are_unwrapped() {
    check(OPTIONALS, OBJECT);
}
