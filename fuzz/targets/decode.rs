//! JSON and a plan of fields: the decoder reads what `serde_json` reads, or both refuse.
//!
//! Input: a line of paths, then the document. `spec.nodeName` asks for presence and kind, `=spec.containers.*.name` for
//! the value (`*` is every element), and a path that begins with `-` is asked for and given up again.

#![no_main]

use std::sync::Arc;

use celemetry_engine::row::{
    DecodeError, Decoder, Defaults, Documents, Envelope, FieldId, FieldPlan, FieldUses, HashSeed, List,
    NodeRef, Row, skim,
};
use celemetry_fuzz::json::{kind, value};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const SEED: HashSeed = HashSeed(3, 5);

/// How deep a path may go: deeper ones are no more interesting.
const LONGEST_PATH: usize = 12;

/// A path that stays asked for.
struct Path<'t> {
    steps: Vec<Step<'t>>,
    keep: bool,
}

/// One step of a path, and the field that it leads to.
struct Step<'t> {
    /// `*` is every element.
    name: &'t str,
    field: FieldId,
}

fuzz_target!(|input: &[u8]| {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let Ok(paths) = str::from_utf8(&input[..end]) else { return };
    let document = input.get(end + 1..).unwrap_or_default();
    let (plan, paths) = plan(paths);
    let truth = truth(document);
    let whole = Decoder::new(Arc::new(FieldPlan::whole(SEED))).decode(document, Defaults::default());
    check_whole(truth.as_ref(), &whole, document);
    let mut decoder = Decoder::new(Arc::new(plan));
    match decoder.decode(document, Defaults::default()) {
        Ok(row) => {
            assert_eq!(decoder.identify(document, Defaults::default()), Ok(row.key()), "a key is a key");
            match (&truth, whole) {
                (_, Err(error)) => {
                    assert!(is_about_a_number(&error, document), "accepted in spite of {error}");
                }
                (Some(Ok(truth)), Ok(whole)) => {
                    assert_eq!((row.key(), row.labels_hash()), (whole.key(), whole.labels_hash()));
                    for path in &paths {
                        check_path(&row, Some(row.root()), Some(truth), path, 0, false);
                    }
                }
                (_, Ok(_)) => {}
            }
        }
        Err(error) => assert!(whole.is_err(), "refused for {error} what is accepted as a whole"),
    }
    check_frames(document, truth.and_then(Result::ok).as_ref());
    check_stream(document);
});

/// The field plan of a line of paths, and those that stay.
fn plan(line: &str) -> (FieldPlan, Vec<Path<'_>>) {
    let mut plan = FieldPlan::new(SEED);
    let mut live = Vec::new();
    let mut dead: Vec<FieldUses> = Vec::new();
    for text in line.split(' ').filter(|text| !text.is_empty()).take(16) {
        let (gone, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (keep, text) = text.strip_prefix('=').map_or((false, text), |rest| (true, rest));
        let mut recorder = plan.record();
        let mut at = FieldId::ROOT;
        let mut steps = Vec::new();
        for name in text.split('.').take(LONGEST_PATH) {
            at = if name == "*" { recorder.each(at) } else { recorder.member(at, name) };
            steps.push(Step { name, field: at });
        }
        if keep {
            recorder.keep(at);
        }
        let uses = recorder.finish();
        if gone {
            dead.push(uses);
        } else {
            live.push(Path { steps, keep });
        }
    }
    dead.iter().for_each(|uses| plan.release(uses));
    (plan, live)
}

/// What `serde_json` says of a document whose root must be an object; `None` where it cannot judge, because a number
/// has no double.
fn truth(document: &[u8]) -> Option<Result<Value, ()>> {
    match serde_json::from_slice::<Value>(document) {
        Ok(value) => Some(if value.is_object() { Ok(value) } else { Err(()) }),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(Err(())),
    }
}

/// What is skipped need not have numbers in the grammar of JSON, so `1-2` may be one, or one with something behind it.
fn is_about_a_number(error: &DecodeError, document: &[u8]) -> bool {
    let before = document.get(error.offset.wrapping_sub(1)).copied().unwrap_or(0);
    error.reason == "invalid number" || matches!(before, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

fn check_whole(truth: Option<&Result<Value, ()>>, whole: &Result<Row, DecodeError>, document: &[u8]) {
    match (truth, whole) {
        (Some(Ok(truth)), Ok(row)) => {
            assert_eq!(&value(row.root()), truth);
            check_identity(row, truth);
        }
        (Some(Ok(_)), Err(error)) => panic!("refused: {error}"),
        (Some(Err(())), Ok(_)) => panic!("accepted what serde_json refuses"),
        (Some(Err(())), Err(_)) | (None, _) => {}
    }
    match (skim(document), whole) {
        (Err(error), Ok(_)) => panic!("skipping refuses what reading accepts: {error}"),
        (Ok(_), Err(error))
            if str::from_utf8(document).is_ok() && document.trim_ascii_start().starts_with(b"{") =>
        {
            assert!(is_about_a_number(error, document), "skipping accepts what reading refuses: {error}");
        }
        _ => {}
    }
}

fn check_identity(row: &Row, truth: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &truth["metadata"];
    let expected =
        [&truth["apiVersion"], &truth["kind"], &metadata["namespace"], &metadata["name"], &metadata["uid"]];
    let found = [row.api_version(), row.kind(), row.namespace(), row.name(), row.uid()];
    assert_eq!(found.map(str::to_owned), expected.map(text));
    assert_eq!(row.resource_version(), text(&metadata["resourceVersion"]));
}

/// Demands that a path leads to what it leads to in the object, in presence, kind and value.
fn check_path(
    row: &Row,
    node: Option<NodeRef<'_>>,
    truth: Option<&Value>,
    path: &Path<'_>,
    depth: usize,
    repeated: bool,
) {
    assert_eq!(node.map(NodeRef::kind), truth.map(kind), "at step {depth}");
    let (Some(node), Some(truth)) = (node, truth) else { return };
    let Some(step) = path.steps.get(depth) else {
        if path.keep {
            assert_eq!(&value(node), truth, "a value that is kept");
        }
        return;
    };
    if step.name == "*" {
        let Value::Array(items) = truth else { return };
        assert_eq!(
            (node.len(), node.items().count()),
            (items.len(), items.len()),
            "elements that are asked for"
        );
        for (node, item) in node.items().zip(items) {
            check_path(row, Some(node), Some(item), path, depth + 1, true);
        }
        return;
    }
    let below = node.member(step.field, step.name);
    if !repeated {
        assert_eq!(format!("{:?}", row.at(step.field)), format!("{below:?}"), "the slot of a field");
    }
    check_path(row, below, truth.get(step.name), path, depth + 1, repeated);
}

/// Lists and watch events are taken apart where `serde_json` sees the parts.
fn check_frames(document: &[u8], truth: Option<&Value>) {
    if let Some(truth) = truth {
        let list = List::split(document).expect("a list is an object");
        let is_list = truth["kind"].as_str().unwrap_or_default().ends_with("List")
            && truth.get("items").is_some_and(|items| items.is_array() || items.is_null());
        assert_eq!(list.is_some(), is_list);
        if let (Some(list), Some(items)) = (list, truth["items"].as_array()) {
            let found: Vec<Value> = list
                .items
                .iter()
                .map(|item| serde_json::from_slice(item).expect("an item is a value"))
                .collect();
            assert_eq!(&found, items);
        }
        if let (Ok(envelope), object) = (Envelope::split(document), &truth["object"]) {
            assert_eq!(
                &serde_json::from_slice::<Value>(envelope.object).expect("an object is a value"),
                object
            );
        }
    }
    if let Ok(unchecked) = Envelope::split_unchecked(document)
        && serde_json::from_slice::<Value>(unchecked.object).is_ok()
    {
        assert_eq!(Envelope::split(document), Ok(unchecked), "what needs no check is the same with it");
    }
}

/// However a stream arrives, the same values come out of it.
fn check_stream(bytes: &[u8]) {
    if bytes.len() > 4096 {
        return;
    }
    for limit in [usize::MAX, 40] {
        let at_once = split(bytes, bytes.len().max(1), limit);
        for chunk in [1, 7, 64] {
            assert_eq!(split(bytes, chunk, limit), at_once, "in chunks of {chunk}");
        }
    }
}

fn split(bytes: &[u8], chunk: usize, limit: usize) -> Vec<String> {
    let mut documents = Documents::new(limit);
    let mut found = Vec::new();
    for chunk in bytes.chunks(chunk) {
        documents.push(chunk);
        while let Some(next) = documents.next() {
            found.push(next.map_or_else(
                |error| format!("! {error}"),
                |value| String::from_utf8_lossy(value).into_owned(),
            ));
        }
    }
    found.extend(documents.finish().err().map(|error| format!("! {error}")));
    found
}
