//! The decoder against `serde_json`, and projected rows against whole ones.

use std::sync::Arc;

use proptest::prelude::*;

use super::model::*;
use crate::row::*;

const SEED: HashSeed = HashSeed(3, 5);

/// One step of a path that a plan asks for.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Each,
}

/// A path, and whether the subtree at its end is kept.
type Path = (Vec<Step>, bool);

fn any_path() -> impl Strategy<Value = Path> {
    let step = prop_oneof![4 => any_name().prop_map(Step::Member), 1 => Just(Step::Each)];
    (proptest::collection::vec(step, 0..5), any::<bool>())
}

fn record(plan: &mut FieldPlan, (steps, keep): &Path) -> FieldUses {
    let mut recorder = plan.record();
    let mut at = FieldId::ROOT;
    for step in steps {
        at = match step {
            Step::Member(name) => recorder.member(at, name),
            Step::Each => recorder.each(at),
        };
    }
    if *keep {
        recorder.keep(at);
    }
    recorder.finish()
}

/// Demands that the field answers as `json` does, and all that is planned below it.
fn agree(
    plan: &FieldPlan,
    row: &Row,
    field: FieldId,
    node: Option<NodeRef<'_>>,
    json: Option<&Json>,
    keep: bool,
) {
    let planned = plan.field(field);
    if !planned.repeated {
        assert_eq!(format!("{:?}", row.at(field)), format!("{node:?}"), "slot of {field:?}");
    }
    assert_eq!(node.map(NodeRef::kind), json.map(Json::kind), "{field:?}");
    let each = planned.each.filter(|id| plan.field(*id).touches > 0);
    let keep = keep || planned.keeps > 0;
    let keep_members = keep || (each.is_some() && json.is_some_and(|json| json.kind() == Kind::Map));
    if let (Some(node), Some(json)) = (node, json) {
        match json {
            Json::Map(_) if keep_members => {
                assert!(node.is_whole());
                assert_eq!(Json::of_row(node), json.resolved());
                for (name, value) in json.members() {
                    assert_eq!(Json::of_row(node.get(name).unwrap()), value.resolved());
                }
            }
            Json::Map(_) => {
                let present = planned.members.keys().filter(|name| json.get(name).is_some()).count();
                assert!(!node.is_whole() && node.len() <= present && node.entries().next().is_none());
            }
            Json::List(items) if keep || each.is_some() => {
                assert!(node.is_whole());
                assert_eq!((node.len(), node.items().count()), (items.len(), items.len()));
            }
            Json::List(_) => assert!(!node.is_whole() && node.items().next().is_none()),
            scalar => {
                assert_eq!(node.is_whole(), keep);
                if keep {
                    assert_eq!(&Json::of_row(node), scalar);
                } else {
                    assert_eq!((node.as_str(), node.as_number(), node.as_bool()), (None, None, None));
                }
            }
        }
        if let (Json::List(items), Some(each)) = (json, each) {
            for (node, item) in node.items().zip(items) {
                agree(plan, row, each, Some(node), Some(item), keep);
            }
        }
    }
    for (name, member) in &planned.members {
        let live = plan.field(*member).touches > 0;
        if live {
            let below = node.and_then(|node| node.member(*member, name));
            agree(plan, row, *member, below, json.and_then(|json| json.get(name)), keep_members);
        }
    }
}

fn identity_agrees(row: &Row, json: &Json, defaults: Defaults<'_>) {
    let text = |map: Option<&Json>, name: &str, default: Option<&str>| match map.and_then(|map| map.get(name))
    {
        Some(value) => value.text().to_owned(),
        None => default.unwrap_or("").to_owned(),
    };
    let metadata = json.get("metadata");
    let namespace = defaults.namespace.filter(|_| metadata.is_some_and(|json| json.kind() == Kind::Map));
    assert_eq!(row.api_version(), text(Some(json), "apiVersion", defaults.api_version));
    assert_eq!(row.kind(), text(Some(json), "kind", defaults.kind));
    assert_eq!(row.namespace(), text(metadata, "namespace", namespace));
    assert_eq!(row.name(), text(metadata, "name", None));
    assert_eq!(row.uid(), text(metadata, "uid", None));
    assert_eq!(row.resource_version(), text(metadata, "resourceVersion", None));
}

/// The object with what the defaults add to it.
fn with_defaults(json: &Json, defaults: Defaults<'_>) -> Json {
    fn add(map: &mut Json, name: &str, default: Option<&str>) {
        if let (Json::Map(members), Some(text)) = (&mut *map, default)
            && members.iter().all(|(known, _)| known != name)
        {
            members.push((name.to_owned(), Json::String(text.to_owned())));
        }
    }
    let mut json = json.resolved();
    if let Json::Map(members) = &mut json
        && let Some((_, metadata)) = members.iter_mut().find(|(name, _)| name == "metadata")
    {
        add(metadata, "namespace", defaults.namespace);
    }
    add(&mut json, "apiVersion", defaults.api_version);
    add(&mut json, "kind", defaults.kind);
    json
}

/// What `serde_json` says of a document whose root must be an object; `None` where it cannot judge, because a
/// number has no double.
fn oracle(bytes: &[u8]) -> Option<Result<serde_json::Value, ()>> {
    match serde_json::from_slice::<serde_json::Value>(bytes) {
        Ok(value) => Some(if value.is_object() { Ok(value) } else { Err(()) }),
        Err(error) if error.to_string().starts_with("number out of range") => None,
        Err(_) => Some(Err(())),
    }
}

fn whole() -> Decoder {
    Decoder::new(Arc::new(FieldPlan::whole(SEED)))
}

/// Demands that a whole row accepts what `serde_json` accepts and equals it, and that skipping differs from it in
/// the grammar of numbers only.
fn decodes_as_serde(bytes: &[u8]) {
    let row = whole().decode(bytes, Defaults::default());
    let skipped = Decoder::new(Arc::new(FieldPlan::new(SEED))).decode(bytes, Defaults::default());
    match (&row, &skipped) {
        (Ok(row), Ok(skipped)) => {
            assert_eq!((row.key(), row.labels_hash()), (skipped.key(), skipped.labels_hash()));
        }
        (Err(error), Ok(_)) => {
            // What the strict reader makes of `1-2` is a number with something behind it.
            let before = bytes.get(error.offset.wrapping_sub(1)).copied().unwrap_or(0);
            let at_number = matches!(before, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
            assert!(
                error.reason == "invalid number" || at_number,
                "{error} {:?}",
                String::from_utf8_lossy(bytes)
            );
        }
        (Ok(_), Err(error)) => panic!("skipping refuses what reading accepts: {error}"),
        (Err(_), Err(_)) => {}
    }
    match oracle(bytes) {
        Some(Ok(value)) => assert_eq!(Json::of_row(row.unwrap().root()).normal(), Json::of_serde(&value)),
        Some(Err(())) => assert!(row.is_err(), "accepted {:?}", String::from_utf8_lossy(bytes)),
        None => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 300 } else { 20_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn whole_row_equals_serde_json(json in any_object(), noise: Vec<u8>) {
        let text = json.written(&noise);
        let row = whole().decode(text.as_bytes(), Defaults::default()).unwrap();
        prop_assert_eq!(Json::of_row(row.root()), json.resolved());
        decodes_as_serde(text.as_bytes());
    }

    #[test]
    fn mutated_documents_are_refused_as_serde_json_refuses_them(
        json in any_object(),
        noise: Vec<u8>,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..4),
    ) {
        let mut bytes = json.written(&noise).into_bytes();
        const TOKENS: &[u8] = b"{}[]:,\"\\ \n0-+.eEtfnu/x\x00\x1f\x80\xc3\xff";
        for (place, byte, edit) in edits {
            let at = place.index(bytes.len().max(1));
            let token = TOKENS[byte as usize % TOKENS.len()];
            match edit {
                0 if at < bytes.len() => bytes[at] = token,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                2 => bytes.truncate(at),
                _ => bytes.insert(at.min(bytes.len()), token),
            }
        }
        decodes_as_serde(&bytes);
    }

    #[test]
    fn projected_row_answers_as_the_object(
        json in any_object(),
        noise: Vec<u8>,
        paths in proptest::collection::vec(any_path(), 0..8),
        dead in proptest::collection::vec(any_path(), 0..3),
        with_all: bool,
    ) {
        let mut plan = FieldPlan::new(SEED);
        let released: Vec<_> = dead.iter().map(|path| record(&mut plan, path)).collect();
        paths.iter().for_each(|path| drop(record(&mut plan, path)));
        released.iter().for_each(|uses| plan.release(uses));
        let text = json.written(&noise);
        let defaults = Defaults {
            api_version: Some("v7").filter(|_| with_all),
            kind: Some("Thing").filter(|_| with_all),
            namespace: Some("shop").filter(|_| with_all),
        };
        let mut decoder = Decoder::new(Arc::new(plan.clone()));
        let row = decoder.decode(text.as_bytes(), defaults).unwrap();
        identity_agrees(&row, &json, defaults);
        let full = with_defaults(&json, defaults);
        agree(&plan, &row, FieldId::ROOT, Some(row.root()), Some(&full), false);
        prop_assert_eq!(decoder.identify(text.as_bytes(), defaults).unwrap(), row.key());
        // Spelled differently, the row is the same row.
        let again = decoder.decode(json.resolved().written(&[]).as_bytes(), defaults).unwrap();
        prop_assert_eq!(again.digest(), row.digest());
    }

    #[test]
    fn rows_differ_exactly_if_their_digests_do(
        first in any_object(), second in any_object(),
        paths in proptest::collection::vec(any_path(), 0..4),
    ) {
        let mut plan = FieldPlan::new(SEED);
        paths.iter().for_each(|path| drop(record(&mut plan, path)));
        let mut decoder = Decoder::new(Arc::new(plan));
        let mut row = |json: &Json| decoder.decode(json.written(&[]).as_bytes(), Defaults::default()).unwrap();
        let (first, second) = (row(&first), row(&second));
        prop_assert_eq!(observable(first.root()) == observable(second.root()), first.digest() == second.digest());
    }
}

/// All that can be asked of a value, as text.
fn observable(node: NodeRef<'_>) -> String {
    let tape = &node.row;
    let text = |span: Span| tape.slice(span).to_owned();
    let mut out = String::new();
    let mut next = node.index as usize;
    while let Some(node) = tape.nodes.get(next) {
        if node.key == NodeKey::Replaced {
            next = node.end as usize;
            continue;
        }
        let key = match node.key {
            NodeKey::Name(span) => format!("{:?}", text(span)),
            other => format!("{other:?}"),
        };
        let scalar = !matches!(node.kind, Kind::List | Kind::Map);
        let value = if scalar { text(node.span) } else { node.span.len.to_string() };
        out += &format!("{key} {:?} {} {value:?}\n", node.kind, node.whole);
        next += 1;
    }
    out
}
