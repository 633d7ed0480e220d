//! Kubernetes' versions.

use super::{OBJECT, check};

const CASES: &[(&str, &str)] = &[
    ("semver(object.ver)", "semver(1.2.3-rc.1)"),
    ("semver('1.2.3').major()", "1"),
    ("semver('1.2.3').minor()", "2"),
    ("semver('1.2.3').patch()", "3"),
    ("semver('1.2')", "compile: spec.filter:1:1: not a version: it must have three numbers, such as 1.2.3"),
    ("semver('1.2', true)", "semver(1.2.0)"),
    ("semver('v1.2.3', true)", "semver(1.2.3)"),
    (
        "semver('v1.2.3')",
        "compile: spec.filter:1:1: not a version: a part that should be a number is none, has a leading zero or is too large",
    ),
    ("semver('01.02.03', true)", "semver(1.2.3)"),
    (
        "semver('1.0.0-0123', true)",
        "compile: spec.filter:1:1: not a version: a part that should be a number is none, has a leading zero or is too large",
    ),
    (
        "semver('1-rc', true)",
        "compile: spec.filter:1:1: not a version: one with fewer than three numbers cannot have a prerelease or build metadata",
    ),
    (
        "semver('1.2-rc', true)",
        "compile: spec.filter:1:1: not a version: one with fewer than three numbers cannot have a prerelease or build metadata",
    ),
    ("semver('00.0.1', true)", "semver(0.0.1)"),
    (
        "semver('v', true)",
        "compile: spec.filter:1:1: not a version: a part that should be a number is none, has a leading zero or is too large",
    ),
    (
        "semver('', true)",
        "compile: spec.filter:1:1: not a version: a part that should be a number is none, has a leading zero or is too large",
    ),
    ("semver('1.2.3', false)", "semver(1.2.3)"),
    ("isSemver('1.2.3')", "true"),
    ("isSemver('1.2.3+build.5')", "true"),
    ("isSemver('1.2.3+')", "false"),
    ("isSemver('1.2.3-')", "false"),
    ("isSemver('1.2.3-a..b')", "false"),
    ("isSemver('1.2.3-01')", "false"),
    ("isSemver('1.2.3-0a')", "true"),
    ("isSemver('1.2.3.4')", "false"),
    ("isSemver('v1.2', true)", "true"),
    ("isSemver('1.2.3-é')", "false"),
    ("isSemver('99999999999999999999.0.0')", "false"),
    ("semver('1.2.3').isGreaterThan(semver('1.2.3-rc.1'))", "true"),
    ("semver('1.2.3-rc.1').isLessThan(semver('1.2.3-rc.2'))", "true"),
    ("semver('1.2.3-rc.1').compareTo(semver('1.2.3-rc.1.1'))", "-1"),
    ("semver('1.2.3-1').compareTo(semver('1.2.3-a'))", "-1"),
    ("semver('1.2.3-10').compareTo(semver('1.2.3-9'))", "1"),
    ("semver('1.2.3+a') == semver('1.2.3+b')", "true"),
    ("semver('1.2.3') == semver('1.2.4')", "false"),
    ("type(semver('1.2.3'))", "type(kubernetes.Semver)"),
    ("semver('18446744073709551615.0.0').major()", "-1"),
];

#[test]
fn versions_are_read_and_ordered() {
    check(CASES, OBJECT);
}
