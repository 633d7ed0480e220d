//! Objects as a cluster has them, of which any part may be missing or of another type than usual.
//!
//! In: choices. Out: JSON. Must never know: expressions.

use super::super::random::Tape;

const NAMES: [&str; 6] = ["web", "proxy", "db-0", "", "Ünïcode-€", "web-7d4b9c6f5-x2x9q"];
const IMAGES: [&str; 4] = [
    "registry.example.org/shop/web:1.2.3",
    "nginx",
    "registry.example.org:5000/a@sha256:9f86d081884c7d65",
    ":",
];
const TIMES: [&str; 6] = [
    "2026-01-01T00:00:00Z",
    "2024-02-29T23:59:59.999Z",
    "1969-12-31T23:59:59-05:00",
    "2026-13-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "yesterday",
];
const NUMBERS: [&str; 9] =
    ["0", "1", "3", "30", "-1", "9223372036854775807", "-9223372036854775808", "2.5", "1e3"];

/// An object with parts of a Pod and of a Deployment.
pub(super) fn object(choices: &[u8]) -> String {
    let tape = &mut Tape::new(choices);
    let metadata = members(
        tape,
        &[("name", name), ("namespace", name), ("creationTimestamp", time), ("generation", number)],
        &[("labels", labels), ("annotations", labels), ("finalizers", texts), ("ownerReferences", owners)],
    );
    let spec = members(
        tape,
        &[("nodeName", name), ("replicas", number), ("weight", number), ("paused", truth)],
        &[("containers", containers), ("nodeSelector", labels), ("ports", numbers), ("paths", texts)],
    );
    let status = members(
        tape,
        &[("phase", phase), ("startTime", time), ("readyReplicas", number), ("podIP", name)],
        &[("containerStatuses", statuses), ("conditions", conditions)],
    );
    let kind = tape.pick(&["Pod", "Deployment"]);
    format!(
        r#"{{"apiVersion": "v1", "kind": "{kind}", "metadata": {metadata}, "spec": {spec}, "status": {status}}}"#
    )
}

type Maker = fn(&mut Tape<'_>) -> String;

/// A map: scalars are seldom of a wrong type, lists and maps never, and anything may be absent.
fn members(tape: &mut Tape<'_>, scalars: &[(&str, Maker)], others: &[(&str, Maker)]) -> String {
    let mut members = vec![];
    for (name, make) in scalars {
        match tape.number(20) {
            18 => {}
            19 => members
                .push(format!("{name:?}: {}", tape.pick(&["null", "true", "7", "\"odd\"", "-7", "0.5"]))),
            _ => members.push(format!("{name:?}: {}", make(tape))),
        }
    }
    for (name, make) in others {
        if tape.number(10) < 9 {
            members.push(format!("{name:?}: {}", make(tape)));
        }
    }
    format!("{{{}}}", members.join(", "))
}

fn list(tape: &mut Tape<'_>, most: usize, make: Maker) -> String {
    let items: Vec<String> = (0..tape.number(most + 1)).map(|_| make(tape)).collect();
    format!("[{}]", items.join(", "))
}

fn name(tape: &mut Tape<'_>) -> String {
    format!("{:?}", tape.pick(&NAMES))
}

fn image(tape: &mut Tape<'_>) -> String {
    format!("{:?}", tape.pick(&IMAGES))
}

fn time(tape: &mut Tape<'_>) -> String {
    format!("{:?}", tape.pick(&TIMES))
}

fn phase(tape: &mut Tape<'_>) -> String {
    format!("{:?}", tape.pick(&["Running", "Pending", "Failed"]))
}

fn number(tape: &mut Tape<'_>) -> String {
    tape.pick(&NUMBERS).to_owned()
}

fn truth(tape: &mut Tape<'_>) -> String {
    tape.pick(&["true", "false"]).to_owned()
}

fn numbers(tape: &mut Tape<'_>) -> String {
    list(tape, 3, number)
}

fn texts(tape: &mut Tape<'_>) -> String {
    list(tape, 3, name)
}

fn labels(tape: &mut Tape<'_>) -> String {
    members(tape, &[("app", name), ("app.kubernetes.io/name", name), ("tier", phase)], &[])
}

fn owners(tape: &mut Tape<'_>) -> String {
    list(tape, 2, |tape| members(tape, &[("kind", phase), ("name", name), ("controller", truth)], &[]))
}

fn containers(tape: &mut Tape<'_>) -> String {
    list(tape, 3, |tape| members(tape, &[("image", image), ("name", name)], &[("args", texts)]))
}

fn statuses(tape: &mut Tape<'_>) -> String {
    list(tape, 3, |tape| {
        members(tape, &[("image", image), ("name", name), ("ready", truth), ("restartCount", number)], &[])
    })
}

fn conditions(tape: &mut Tape<'_>) -> String {
    list(tape, 3, |tape| {
        members(tape, &[("lastTransitionTime", time), ("status", truth), ("type", phase)], &[])
    })
}
