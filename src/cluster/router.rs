//! Sends each object to the sources whose target means it.
//!
//! In: JSON documents: watch events, lists, bare objects, of any kinds in any mixture. Out: changes, per source.
//! Must never know: where documents come from, channels, metrics. Pure.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::row::{
    DecodeError, Decoder, Defaults, Envelope, Event, FieldPlan, HashSeed, List, NodeRef, ObjectKey, Row,
};

use super::target::{Target, is_cluster_scoped};

/// Turns documents into changes of its sources.
///
/// Invariant: every source sees `Begin`, then upserts and deletes, and `End` once.
#[derive(Debug)]
pub struct Router {
    lanes: Vec<Lane>,
    /// Tells what an object is where no lane does.
    identifier: Decoder,
    /// The lane that took the latest object: its decoder is tried first, so that most objects are decoded once.
    likely: Option<usize>,
    counts: Counts,
}

/// A source and the objects it stands for.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which objects.
    pub target: Target,
    /// Which source.
    pub source: SourceId,
    /// The source's newest field plan. A file or pipe cannot be listed again, so it stays with this plan.
    pub plan: Arc<FieldPlan>,
}

/// What a document led to.
#[derive(Debug, Default)]
pub struct Outbox {
    /// To be applied in this order.
    pub changes: Vec<(SourceId, Change)>,
    /// To be told.
    pub notices: Vec<Notice>,
}

/// Something about the input that does not stop it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Notice {
    /// An object that no row can be made of; its last contribution stands.
    #[error("an object cannot be decoded: {0}")]
    Undecodable(DecodeError),
    /// An event of a type that the watch protocol does not have.
    #[error("a watch event of unknown type {0:?} is ignored")]
    UnknownEvent(String),
}

/// What was met so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects that a source took, once each time they were seen.
    pub objects: u64,
    /// Objects that could not be decoded.
    pub undecodable: u64,
    /// Events of unknown types.
    pub unknown_events: u64,
    /// Objects that no target means, by `apiVersion/Kind`; beyond 100 of those, under "others".
    pub untargeted: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Lane {
    target: Target,
    source: SourceId,
    decoder: Decoder,
    epoch: u32,
    complete: bool,
}

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// It may be one of the first list.
    Insert,
    /// It changed, so the first list is over.
    Update,
    /// It is gone, so the first list is over.
    Delete,
}

const MAX_UNTARGETED_KINDS: usize = 100;

// === impl Router ===

impl Router {
    /// A router over these sources. Call [`begin`](Self::begin) first.
    pub fn new(routes: Vec<Route>) -> Self {
        let lanes = routes.into_iter().map(|route| Lane {
            target: route.target,
            source: route.source,
            epoch: route.plan.epoch(),
            decoder: Decoder::new(route.plan),
            complete: false,
        });
        Router {
            lanes: lanes.collect(),
            identifier: Decoder::new(Arc::new(FieldPlan::new(HashSeed::default()))),
            likely: None,
            counts: Counts::default(),
        }
    }

    /// Begins the first list of every source.
    pub fn begin(&mut self, out: &mut Outbox) {
        let begins = self.lanes.iter().map(|lane| (lane.source, Change::Begin { epoch: lane.epoch }));
        out.changes.extend(begins);
    }

    /// Ends the first list of every source that has not had its end.
    pub fn complete(&mut self, out: &mut Outbox) {
        self.complete_where(|_| true, out);
    }

    /// Whether every source's first list is complete.
    pub fn is_complete(&self) -> bool {
        self.lanes.iter().all(|lane| lane.complete)
    }

    /// What was met so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes one JSON value: a watch event, a list or an object. `Break` with its message after an ERROR event, which
    /// ends the source: no more documents are wanted, and what is incomplete stays so.
    pub fn document(&mut self, document: &[u8], out: &mut Outbox) -> ControlFlow<String> {
        if let Ok(envelope) = Envelope::split_unchecked(document) {
            return self.event(&envelope, document, out);
        }
        match List::split(document) {
            Ok(Some(list)) => {
                for item in &list.items {
                    self.object(item, Action::Insert, list.defaults(), out);
                }
            }
            // What is no JSON shows when it is decoded.
            Ok(None) | Err(_) => self.object(document, Action::Insert, Defaults::default(), out),
        }
        ControlFlow::Continue(())
    }

    fn event(&mut self, envelope: &Envelope<'_>, document: &[u8], out: &mut Outbox) -> ControlFlow<String> {
        match envelope.event {
            Event::Added => self.object(envelope.object, Action::Insert, Defaults::default(), out),
            Event::Modified => self.object(envelope.object, Action::Update, Defaults::default(), out),
            Event::Deleted => self.object(envelope.object, Action::Delete, Defaults::default(), out),
            Event::Bookmark => self.bookmark(envelope.object, out),
            Event::Error => {
                let status = decode_whole(envelope.object);
                let message = status.as_ref().ok().and_then(|status| status.root().get("message")?.as_str());
                return ControlFlow::Break(one_line(message.unwrap_or("no message")));
            }
            Event::Unknown => {
                self.counts.unknown_events += 1;
                let event = decode_whole(document);
                let name = event.as_ref().ok().and_then(|event| event.root().get("type")?.as_str());
                out.notices.push(Notice::UnknownEvent(one_line(name.unwrap_or_default())));
            }
        }
        ControlFlow::Continue(())
    }

    /// The bookmark that ends the initial events of its kind ends the first list of the sources that mean this kind.
    fn bookmark(&mut self, object: &[u8], out: &mut Outbox) {
        let Ok(bookmark) = decode_whole(object) else { return };
        if is_end_of_first_list(bookmark.root()).unwrap_or(false) {
            self.complete_where(|target| target.matches(bookmark.api_version(), bookmark.kind()), out);
        }
    }

    fn complete_where(&mut self, wanted: impl Fn(&Target) -> bool, out: &mut Outbox) {
        for lane in self.lanes.iter_mut().filter(|lane| !lane.complete && wanted(&lane.target)) {
            lane.complete = true;
            out.changes.push((lane.source, Change::End));
        }
    }

    /// Decodes once for every source that means the object, and once more only where the likely one does not.
    fn object(&mut self, object: &[u8], action: Action, defaults: Defaults<'_>, out: &mut Outbox) {
        let decoder = match self.likely {
            Some(likely) => &mut self.lanes[likely].decoder,
            None => &mut self.identifier,
        };
        let first = match decode(decoder, object, defaults) {
            Ok(row) => row,
            Err(error) => {
                let key = decoder.identify_broken(object, defaults);
                return self.undecodable(error, key, action, out);
            }
        };
        let (api_version, kind) = (first.api_version().to_owned(), first.kind().to_owned());
        let (probe, mut first) = (self.likely.take(), Some(first));
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if !lane.target.matches(&api_version, &kind) {
                continue;
            }
            self.likely.get_or_insert(index);
            let row = match first.take_if(|_| probe == Some(index)) {
                Some(row) => Ok(row),
                None => decode(&mut lane.decoder, object, defaults),
            };
            let change = match row {
                Ok(row) if action == Action::Delete => Change::Delete { key: row.key() },
                Ok(row) => Change::Upsert { row, origin: Origin::Watch },
                // It was decodable a moment ago, and the decoders differ only in what they keep.
                Err(_) => Change::Undecodable { key: None },
            };
            if action != Action::Insert && !std::mem::replace(&mut lane.complete, true) {
                out.changes.push((lane.source, Change::End));
            }
            out.changes.push((lane.source, change));
        }
        match self.likely {
            Some(_) => self.counts.objects += 1,
            None => {
                self.likely = probe;
                self.untargeted(&api_version, &kind);
            }
        }
    }

    /// An object that cannot be read may still tell which one it is. Then every source hears of it, since its kind may
    /// stand behind the break: those that do not have it pay no heed.
    fn undecodable(&mut self, error: DecodeError, key: Option<ObjectKey>, action: Action, out: &mut Outbox) {
        self.counts.undecodable += 1;
        out.notices.push(Notice::Undecodable(error));
        let Some(key) = key else { return };
        for lane in &self.lanes {
            let change = match action {
                Action::Delete => Change::Delete { key },
                Action::Insert | Action::Update => Change::Undecodable { key: Some(key) },
            };
            out.changes.push((lane.source, change));
        }
    }

    fn untargeted(&mut self, api_version: &str, kind: &str) {
        let known = &mut self.counts.untargeted;
        let name = match (api_version, kind) {
            (_, "") => "objects without a kind".to_owned(),
            ("", kind) => kind.to_owned(),
            (api_version, kind) => format!("{api_version}/{kind}"),
        };
        let full = known.len() >= MAX_UNTARGETED_KINDS && !known.contains_key(&name);
        *known.entry(if full { "others".to_owned() } else { name }).or_default() += 1;
    }
}

/// A server always gives a UID, and a namespace where there is one; a manifest that was never applied has no UID, and
/// lands in `default` where its author named no namespace.
pub(super) fn decode(
    decoder: &mut Decoder,
    object: &[u8],
    defaults: Defaults<'_>,
) -> Result<Row, DecodeError> {
    let row = decoder.decode(object, defaults)?;
    if row.uid().is_empty() && row.namespace().is_empty() && !is_cluster_scoped(row.api_version(), row.kind())
    {
        return decoder.decode(object, Defaults { namespace: Some("default"), ..defaults });
    }
    Ok(row)
}

/// For the few objects that are no objects of the cluster. The seed does not matter, since their hashes are not used.
fn decode_whole(object: &[u8]) -> Result<Row, DecodeError> {
    Decoder::new(Arc::new(FieldPlan::whole(HashSeed::default()))).decode(object, Defaults::default())
}

/// What a stranger wrote, fit for a line of a message: no control characters, and not for ever.
fn one_line(text: &str) -> String {
    let shown = text.chars().map(|character| if character.is_control() { ' ' } else { character });
    shown.take(MESSAGE_CHARACTERS).collect()
}

/// The most that is shown of a message from the input.
const MESSAGE_CHARACTERS: usize = 500;

fn is_end_of_first_list(bookmark: NodeRef<'_>) -> Option<bool> {
    let annotations = bookmark.get("metadata")?.get("annotations")?;
    Some(annotations.get("k8s.io/initial-events-end")?.as_str()? == "true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use celemetry_engine::row::HashSeed;

    const PODS: SourceId = SourceId(0);
    const NODES: SourceId = SourceId(1);

    fn route(kind: &str, source: SourceId) -> Route {
        let target = Target::new(None, None, Some(kind));
        Route { target, source, plan: Arc::new(FieldPlan::whole(HashSeed::default())) }
    }

    fn router() -> Router {
        Router::new(vec![route("Pod", PODS), route("node", NODES)])
    }

    /// Changes in short: `+0 shop/web-1`, `-0`, `end 0`, `? 0`.
    fn feed(router: &mut Router, documents: &[&str]) -> (Vec<String>, Vec<Notice>) {
        let mut out = Outbox::default();
        for document in documents {
            let _ = router.document(document.as_bytes(), &mut out);
        }
        let short = |(source, change): &(SourceId, Change)| match change {
            Change::Begin { .. } => format!("begin {}", source.0),
            Change::Upsert { row, .. } => format!("+{} {}/{}", source.0, row.namespace(), row.name()),
            Change::Delete { .. } => format!("-{}", source.0),
            Change::Undecodable { .. } => format!("? {}", source.0),
            Change::End => format!("end {}", source.0),
        };
        (out.changes.iter().map(short).collect(), out.notices)
    }

    fn check(document: &str, expected: &[&str]) {
        assert_eq!(feed(&mut router(), &[document]).0, expected, "{document}");
    }

    #[test]
    fn an_object_that_cannot_be_read_is_known_by_its_uid() {
        let broken = |event: &str| {
            let deep = "[".repeat(200) + &"]".repeat(200);
            format!(
                r#"{{"type":"{event}","object":{{"kind":"Pod","metadata":{{"uid":"1"}},"spec":{deep}}}}}"#
            )
        };
        check(&broken("MODIFIED"), &["? 0", "? 1"]);
        check(&broken("DELETED"), &["-0", "-1"]);
    }

    #[test]
    fn documents_become_changes_of_the_sources_that_mean_them() {
        check(r#"{"kind":"Pod","metadata":{"name":"a","namespace":"shop"}}"#, &["+0 shop/a"]);
        check(r#"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}"#, &["+1 /n"]);
        check(r#"{"kind":"Secret","metadata":{"name":"s"}}"#, &[]);
        check(r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a","uid":"1"}}}"#, &["+0 /a"]);
        check(
            r#"{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"a","uid":"1"}}}"#,
            &["end 0", "+0 /a"],
        );
        check(
            r#"{"type":"DELETED","object":{"kind":"Pod","metadata":{"name":"a","uid":"1"}}}"#,
            &["end 0", "-0"],
        );
        check(r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}"#, &[]);
        check(
            r#"{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#,
            &["+0 default/a"],
        );
        check(r#"{"kind":"List","apiVersion":"v1","items":[{"metadata":{"name":"a"}}]}"#, &[]);
        check(
            r#"{"kind":"List","apiVersion":"v1","items":[{"kind":"Pod","metadata":{"name":"a"}},
               {"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}]}"#,
            &["+0 default/a", "+1 /n"],
        );
        check("[1]", &[]);
    }

    #[test]
    fn a_bookmark_ends_the_first_list_of_its_kind_only_and_only_once() {
        let bookmark = r#"{"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1",
            "metadata":{"annotations":{"k8s.io/initial-events-end":"true"}}}}"#;
        let mut router = router();
        assert_eq!(feed(&mut router, &[bookmark, bookmark]).0, ["end 0"]);
        assert!(!router.is_complete());
        let mut out = Outbox::default();
        router.complete(&mut out);
        assert_eq!(out.changes.len(), 1);
        assert!(router.is_complete());
    }

    #[test]
    fn an_error_event_is_told_and_stops_the_source_without_completing_it() {
        let mut out = Outbox::default();
        let mut router = router();
        let error = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#;
        assert_eq!(router.document(error.as_bytes(), &mut out), ControlFlow::Break("too old".into()));
        assert!(out.notices.is_empty());
        assert!(out.changes.is_empty() && !router.is_complete());
    }

    #[test]
    fn an_event_that_is_no_addition_ends_the_first_list_of_its_kind_only_and_only_once() {
        let modified = r#"{"type":"MODIFIED","object":{"kind":"Pod","metadata":{"name":"a","uid":"1"}}}"#;
        let mut router = router();
        assert_eq!(feed(&mut router, &[modified, modified]).0, ["end 0", "+0 /a", "+0 /a"]);
        assert!(!router.is_complete());
    }

    #[test]
    fn what_nobody_wants_is_counted_by_kind() {
        let mut router = router();
        let secret = r#"{"apiVersion":"v1","kind":"Secret","metadata":{}}"#;
        let lease = r#"{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{}}"#;
        feed(&mut router, &[secret, secret, lease, "{}"]);
        let counts = &router.counts().untargeted;
        let expected = [("coordination.k8s.io/v1/Lease", 1), ("objects without a kind", 1), ("v1/Secret", 2)];
        assert_eq!(counts.iter().map(|(k, n)| (k.as_str(), *n)).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn kinds_nobody_wants_are_remembered_within_a_bound() {
        let mut router = router();
        for n in 0..1_000 {
            let object = format!(r#"{{"kind":"Kind{n}"}}"#);
            feed(&mut router, &[&object]);
        }
        assert_eq!(router.counts().untargeted.len(), MAX_UNTARGETED_KINDS + 1);
        assert_eq!(router.counts().untargeted.values().sum::<u64>(), 1_000);
    }

    #[test]
    fn an_event_of_unknown_type_is_told_and_ignored() {
        let (changes, notices) = feed(&mut router(), &[r#"{"type":"SYNC","object":{"kind":"Pod"}}"#]);
        assert!(changes.is_empty());
        assert_eq!(notices, [Notice::UnknownEvent("SYNC".into())]);
    }

    #[test]
    fn an_object_that_several_targets_mean_goes_to_each() {
        let mut router = Router::new(vec![route("Pod", PODS), route("", NODES)]);
        let pod = r#"{"kind":"Pod","metadata":{"name":"a","uid":"1"}}"#;
        assert_eq!(feed(&mut router, &[pod]).0, ["+0 /a", "+1 /a"]);
        assert_eq!(router.counts().objects, 1);
    }
}
