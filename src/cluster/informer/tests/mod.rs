//! Informers against a scripted API server: what a real one cannot be made to do at will.
//!
//! The script answers requests in order; the clock is paused, so that pauses and silences take no time.

mod audit;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::row::{FieldPlan, HashSeed};
use celemetry_engine::snapshot::MetricId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use kube::Client;
use kube::client::Body;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::audit::Turn;
use super::{Informer, Mode, Pace, Turns};
use crate::cluster::fault::FaultClass;
use crate::cluster::feed::{Auditor, Feed, Finding, Phase, Reviews, SourceState};
use crate::cluster::resource::{Collection, Resource};

/// What the server does with a request.
enum Answer {
    /// A complete answer.
    Whole(u16, String),
    /// A watch: these bytes, and then silence until it is dropped.
    Open(Vec<String>),
    /// A watch: these bytes, and then its end.
    Ended(Vec<String>),
    /// A watch: these bytes, one of those every second, and then silence.
    Slow(Vec<String>, Vec<String>),
    /// A watch that is silent for so long and then ends.
    Lasting(Duration),
    /// No answer at all.
    Silence,
}

type AnswerBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// Requests as they came, and answers that are left.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    answers: VecDeque<Answer>,
    requests: Vec<String>,
}

impl Server {
    fn new(answers: Vec<Answer>) -> Self {
        Server(Arc::new(Mutex::new(Script { answers: answers.into(), requests: vec![] })))
    }

    fn requests(&self) -> Vec<String> {
        self.0.lock().unwrap().requests.clone()
    }

    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            let request = short(request.uri());
            async move { server.answer(request).await }
        });
        Client::new(service, "default")
    }

    async fn answer(&self, request: String) -> Result<Response<AnswerBody>, std::io::Error> {
        let answer = {
            let mut script = self.0.lock().unwrap();
            script.requests.push(request);
            script.answers.pop_front()
        };
        let chunks = |chunks: Vec<String>| {
            chunks.into_iter().map(|chunk| Ok::<_, std::io::Error>(Frame::data(Bytes::from(chunk))))
        };
        let (status, body) = match answer {
            Some(Answer::Whole(status, text)) => {
                (status, Full::new(Bytes::from(text)).map_err(|never| match never {}).boxed_unsync())
            }
            Some(Answer::Ended(parts)) => {
                (200, BodyExt::boxed_unsync(StreamBody::new(futures_util::stream::iter(chunks(parts)))))
            }
            Some(Answer::Lasting(time)) => {
                let end = async move { tokio::time::sleep(time).await };
                let silent = futures_util::StreamExt::filter_map(futures_util::stream::once(end), |()| {
                    std::future::ready(None::<Result<Frame<Bytes>, std::io::Error>>)
                });
                (200, BodyExt::boxed_unsync(StreamBody::new(silent)))
            }
            Some(Answer::Open(parts)) => {
                let open = futures_util::StreamExt::chain(
                    futures_util::stream::iter(chunks(parts)),
                    futures_util::stream::pending(),
                );
                (200, BodyExt::boxed_unsync(StreamBody::new(open)))
            }
            Some(Answer::Slow(first, parts)) => {
                let slow = futures_util::StreamExt::then(
                    futures_util::stream::iter(chunks(parts)),
                    |chunk| async move {
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        chunk
                    },
                );
                let slow = futures_util::StreamExt::chain(futures_util::stream::iter(chunks(first)), slow);
                let open = futures_util::StreamExt::chain(slow, futures_util::stream::pending());
                (200, BodyExt::boxed_unsync(StreamBody::new(open)))
            }
            Some(Answer::Silence) | None => std::future::pending().await,
        };
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

/// `list`, `list limit=1`, `list continue=x`, `list in NAMESPACE`, `watch 7`.
fn short(uri: &http::Uri) -> String {
    let query: Vec<(String, String)> = uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let value = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if value("watch").is_some() {
        return format!("watch {}", value("resourceVersion").unwrap_or("?"));
    }
    if let Some(selector) = value("fieldSelector") {
        return format!("one {}", selector.replace("%3D", "="));
    }
    let namespace = uri.path().split("/namespaces/").nth(1).and_then(|rest| rest.split('/').next());
    match (value("limit"), value("continue"), namespace) {
        (Some("1"), _, _) => "probe".to_owned(),
        (_, Some(go_on), _) => format!("list continue={go_on}"),
        (_, _, Some(namespace)) => format!("list in {namespace}"),
        (None, None, None) => "list at once".to_owned(),
        _ => "list".to_owned(),
    }
}

fn object(name: &str, version: u32) -> String {
    format!(
        r#"{{"metadata":{{"name":"{name}","namespace":"n","uid":"{name}","resourceVersion":"{version}"}}}}"#
    )
}

fn list(version: u32, go_on: &str, names: &[&str]) -> Answer {
    let items: Vec<String> = names.iter().map(|name| object(name, version)).collect();
    let items = items.join(",");
    Answer::Whole(
        200,
        format!(
            r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"{version}","continue":"{go_on}"}},"items":[{items}]}}"#
        ),
    )
}

fn event(kind: &str, name: &str, version: u32) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{}}}\n", object(name, version))
}

fn status(code: u16, reason: &str) -> Answer {
    Answer::Whole(code, format!(r#"{{"kind":"Status","code":{code},"reason":"{reason}","message":"told"}}"#))
}

fn expired_event() -> String {
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,\"reason\":\"Expired\"}}\n".to_owned()
}

/// An informer at work on a scripted server.
struct Bench {
    server: Server,
    changes: mpsc::Receiver<(SourceId, Change)>,
    plans: watch::Sender<Arc<FieldPlan>>,
    state: watch::Receiver<SourceState>,
    reviews: Reviews,
    clerk: Arc<Clerk>,
}

/// Gives verdicts as they are scripted, and notes what it is asked and told.
#[derive(Debug, Default)]
struct Clerk {
    verdicts: Mutex<VecDeque<Verdict>>,
    notes: Mutex<Vec<String>>,
}

impl Clerk {
    fn note(&self, note: String) {
        self.notes.lock().unwrap().push(note);
    }
}

impl Auditor for Clerk {
    fn compare(&self, _: SourceId, seen: Seen) -> BoxFuture<'static, Verdict> {
        self.note(match seen {
            Seen::There(row) => format!("{}@{}", row.name(), row.resource_version()),
            Seen::Gone(_) => "gone".to_owned(),
        });
        let verdict = self.verdicts.lock().unwrap().pop_front().unwrap_or(Verdict::Equal);
        std::future::ready(verdict).boxed()
    }

    fn found(&self, _: SourceId, finding: Finding) {
        self.note(match finding {
            Finding::Equal => "equal".to_owned(),
            Finding::Mismatch { object, .. } => format!("mismatch {object}"),
            Finding::Skipped(reason) => format!("{reason:?}"),
        });
    }
}

fn plan(epoch: u32) -> Arc<FieldPlan> {
    let mut plan = FieldPlan::new(HashSeed::default());
    plan.set_epoch(epoch);
    Arc::new(plan)
}

impl Bench {
    fn start(capacity: usize, mode: Mode, answers: Vec<Answer>) -> Self {
        // Checks of the server's history would be requests between the others.
        let pace = Pace { page_size: 2, rewind_check: Duration::from_secs(1_000_000), ..Pace::default() };
        Bench::start_at(pace, capacity, mode, answers)
    }

    fn start_at(pace: Pace, capacity: usize, mode: Mode, answers: Vec<Answer>) -> Self {
        Bench::open(pace, capacity, mode, answers).run()
    }

    /// Lets the informer begin to wait for a plan that is worth a list.
    fn run(self) -> Self {
        let first = self.plans.clone();
        tokio::spawn(async move { first.send_replace(plan(1)) });
        self
    }

    /// A source for which nothing is registered yet.
    fn open(pace: Pace, capacity: usize, mode: Mode, answers: Vec<Answer>) -> Self {
        // Looks at objects would be requests between the others.
        Bench::open_with(pace, capacity, mode, answers, 0)
    }

    fn open_with(pace: Pace, capacity: usize, mode: Mode, answers: Vec<Answer>, audits: u32) -> Self {
        let server = Server::new(answers);
        let (sender, changes) = mpsc::channel(capacity);
        let (plans, plan_receiver) = watch::channel(plan(0));
        let (state, state_receiver) = watch::channel(SourceState::default());
        let reviews = Reviews::new();
        let resource = Resource {
            group: String::new(),
            version: "v1".into(),
            kind: "Pod".into(),
            plural: "pods".into(),
            namespaced: true,
            watchable: true,
        };
        let informer = Informer {
            client: server.client(),
            collection: Collection { resource, field_selector: None, metadata_only: false },
            pace,
            mode,
            reviews: reviews.clone(),
            turns: Arc::new(Turns::new(audits)),
            state,
        };
        let clerk = Arc::new(Clerk::default());
        tokio::spawn(informer.run(Feed {
            source: SourceId(0),
            plans: plan_receiver,
            opened: 0,
            changes: sender,
            auditor: Arc::clone(&clerk) as Arc<dyn Auditor>,
        }));
        Bench { server, changes, plans, state: state_receiver, reviews, clerk }
    }

    /// The next change in short: `begin 1`, `+a@7` (listed), `*a@7` (watched), `?a@7` (reviewed), `-`, `end`.
    async fn next(&mut self) -> String {
        let change = timeout(Duration::from_secs(600), self.changes.recv()).await.expect("a change comes");
        match change.expect("the informer runs").1 {
            Change::Begin { epoch } => format!("begin {epoch}"),
            Change::Upsert { row, origin } => {
                let sign = match origin {
                    Origin::List => '+',
                    Origin::Watch => '*',
                    Origin::Review => '?',
                };
                format!("{sign}{}@{}", row.name(), row.resource_version())
            }
            Change::Delete { .. } => "-".to_owned(),
            Change::Undecodable { .. } => "broken".to_owned(),
            Change::End => "end".to_owned(),
        }
    }

    async fn expect(&mut self, changes: &[&str]) {
        for expected in changes {
            assert_eq!(self.next().await, *expected, "{:?}", self.server.requests());
        }
    }

    /// Waits until the clerk has so many notes, and gives them.
    async fn notes(&self, count: usize) -> Vec<String> {
        for _ in 0..10_000 {
            let notes = self.clerk.notes.lock().unwrap().clone();
            if notes.len() >= count {
                return notes;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{:?} {:?}", self.clerk.notes.lock().unwrap(), self.server.requests())
    }

    async fn phase(&mut self, wanted: impl FnMut(&SourceState) -> bool) {
        let reached = timeout(Duration::from_secs(600), self.state.wait_for(wanted)).await;
        reached.expect("the state is reached").expect("the informer runs");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_listed_before_anything_is_registered() {
    let answers = vec![list(7, "", &["a"]), Answer::Open(vec![])];
    let mut bench = Bench::open(Pace::default(), 64, Mode::Watch, answers);
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(bench.server.requests(), [""; 0]);
    bench.plans.send_replace(plan(1));
    bench.expect(&["begin 1", "+a@7", "end"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_first_list_comes_page_by_page_and_the_watch_goes_on_from_it() {
    let answers = vec![
        list(7, "more", &["a", "b"]),
        list(7, "", &["c"]),
        Answer::Open(vec![event("MODIFIED", "a", 8), event("DELETED", "b", 9)]),
    ];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "+b@7", "+c@7", "end", "*a@8", "-"]).await;
    assert_eq!(bench.server.requests(), ["list", "list continue=more", "watch 7"]);
    bench.phase(|state| state.phase == Phase::Watching && state.synced).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_or_breaks_goes_on_at_its_position_without_a_list() {
    let answers = vec![
        list(7, "", &[]),
        Answer::Ended(vec![event("ADDED", "a", 8)]),
        Answer::Ended(vec![
            "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"20\"}}}\n".into(),
        ]),
        status(503, "ServiceUnavailable"),
        Answer::Open(vec![event("ADDED", "b", 21)]),
    ];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end", "*a@8", "*b@21"]).await;
    assert_eq!(bench.server.requests(), ["list", "watch 7", "watch 8", "watch 20", "watch 20"]);
}

#[tokio::test(start_paused = true)]
async fn events_may_be_cut_anywhere() {
    let text = event("ADDED", "a", 8) + &event("ADDED", "b", 9);
    let pieces = text.as_bytes().chunks(7).map(|piece| String::from_utf8(piece.to_vec()).unwrap()).collect();
    let mut bench = Bench::start(64, Mode::Watch, vec![list(7, "", &[]), Answer::Open(pieces)]);
    bench.expect(&["begin 1", "end", "*a@8", "*b@9"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_too_old_is_listed_anew_however_that_is_said() {
    let answers = vec![
        list(7, "", &["a"]),
        Answer::Open(vec![expired_event()]),
        list(20, "", &["b"]),
        status(410, "Gone"),
        list(30, "", &["c"]),
        status(504, "Timeout"),
        Answer::Open(vec![]),
    ];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "end", "begin 1", "+b@20", "end", "begin 1", "+c@30", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    let expected = ["list", "watch 7", "list", "watch 20", "list", "watch 30", "watch 30"];
    assert_eq!(bench.server.requests(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_list_whose_pages_expire_is_read_at_once() {
    let answers = vec![
        list(7, "1", &["a", "b"]),
        list(7, "2", &["c", "d"]),
        status(410, "Expired"),
        list(9, "", &["a", "b", "c", "d", "e"]),
        Answer::Open(vec![]),
    ];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "+b@7", "+c@7", "+d@7"]).await;
    bench.expect(&["begin 1", "+a@9", "+b@9", "+c@9", "+d@9", "+e@9", "end"]).await;
    let expected = ["list", "list continue=1", "list continue=2", "list at once"];
    assert_eq!(bench.server.requests()[..4], expected);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_falls_silent_is_opened_anew() {
    let answers = vec![list(7, "", &[]), Answer::Open(vec![]), Answer::Open(vec![event("ADDED", "a", 8)])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end", "*a@8"]).await;
    assert_eq!(bench.server.requests(), ["list", "watch 7", "watch 7"]);
}

#[tokio::test(start_paused = true)]
async fn watches_that_never_say_anything_are_a_named_failure() {
    let mut answers = vec![list(7, "", &[])];
    answers.extend((0..3).map(|_| Answer::Open(vec![])));
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    bench.phase(|state| matches!(state.phase, Phase::Failed { .. })).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_a_named_failure_that_heals() {
    let answers = vec![Answer::Silence, list(7, "", &["a"]), Answer::Open(vec![])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1"]).await;
    bench
        .phase(|state| {
            matches!(&state.phase, Phase::Failed { fault, .. } if fault.class == FaultClass::Unreachable)
        })
        .await;
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_not_answered_is_opened_anew_long_before_a_list_would_be_given_up() {
    let answers = vec![list(7, "", &["a"]), Answer::Silence, Answer::Open(vec![event("ADDED", "b", 8)])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    let began = Instant::now();
    bench.expect(&["*b@8"]).await;
    assert!(began.elapsed() < Duration::from_secs(22), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_listed_is_named() {
    for (code, reason, class) in [
        (403, "Forbidden", FaultClass::Forbidden),
        (404, "NotFound", FaultClass::NotFound),
        (401, "Unauthorized", FaultClass::Unauthorized),
        (429, "TooManyRequests", FaultClass::Throttled),
        (500, "InternalError", FaultClass::Server),
    ] {
        let mut bench = Bench::start(64, Mode::Watch, vec![status(code, reason)]);
        bench
            .phase(|state| matches!(&state.phase, Phase::Failed { fault, .. } if fault.class == class))
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_list_is_a_named_failure() {
    for text in ["", "nonsense", "{}", r#"{"kind":"Pod"}"#, r#"{"kind":"PodList","items":[{"#] {
        let mut bench = Bench::start(64, Mode::Watch, vec![Answer::Whole(200, text.to_owned())]);
        bench
            .phase(|state| {
                matches!(&state.phase, Phase::Failed { fault, .. } if fault.class == FaultClass::Malformed)
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_sends_what_is_no_event_is_left_for_a_list() {
    for garbage in ["\u{7f}garbage\n", "{\"kind\":\"Status\"}\n"] {
        let answers = vec![
            list(7, "", &[]),
            Answer::Open(vec![garbage.to_owned()]),
            list(8, "", &["a"]),
            Answer::Open(vec![]),
        ];
        let mut bench = Bench::start(64, Mode::Watch, answers);
        bench.expect(&["begin 1", "end", "begin 1", "+a@8", "end"]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_cannot_be_read_is_told_and_the_rest_goes_on() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let broken =
        format!("{{\"type\":\"MODIFIED\",\"object\":{{\"metadata\":{{\"uid\":\"a\"}},\"x\":{deep}}}}}\n");
    let answers = vec![list(7, "", &[]), Answer::Open(vec![broken, event("ADDED", "b", 9)])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end", "broken", "*b@9"]).await;
    bench.phase(|state| state.undecodable == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_plan_is_listed_beside_the_watch() {
    let answers =
        vec![list(7, "", &["a"]), Answer::Open(vec![]), list(9, "more", &["a", "b"]), list(9, "", &["c"])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    bench.plans.send_replace(plan(2));
    bench.expect(&["begin 2", "+a@9", "+b@9", "+c@9", "end"]).await;
    assert_eq!(bench.server.requests(), ["list", "watch 7", "list", "list continue=more"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_beside_the_watch_that_fails_is_begun_again() {
    let answers =
        vec![list(7, "", &[]), Answer::Open(vec![]), status(500, "InternalError"), list(9, "", &["a"])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    bench.plans.send_replace(plan(2));
    bench.expect(&["begin 2", "begin 2", "+a@9", "end"]).await;
    assert_eq!(bench.state.borrow().phase, Phase::Watching);
}

#[tokio::test(start_paused = true)]
async fn a_list_beside_the_watch_that_goes_on_failing_is_a_named_state_and_not_hurried_by_events() {
    let mut answers = vec![list(7, "", &[]), Answer::Open(vec![]), status(403, "Forbidden")];
    answers.extend((0..3).map(|_| status(403, "Forbidden")));
    answers.push(list(9, "", &["a"]));
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    bench.plans.send_replace(plan(2));
    let begun = Instant::now();
    bench
        .phase(|state| state.list_fault.as_ref().is_some_and(|fault| fault.class == FaultClass::Forbidden))
        .await;
    assert_eq!(bench.state.borrow().phase, Phase::Watching);
    bench.expect(&["begin 2", "begin 2", "begin 2", "begin 2", "begin 2", "+a@9", "end"]).await;
    // 0.8, 1.6, 3.2 and 6.4 s, each less up to a half.
    assert!(begun.elapsed() >= Duration::from_secs(6), "{:?}", begun.elapsed());
    bench.phase(|state| state.list_fault.is_none()).await;
}

#[tokio::test(start_paused = true)]
async fn lists_that_each_end_in_another_one_come_more_and_more_slowly() {
    let expired = |version| [list(version, "", &[]), status(410, "Gone")];
    let mut answers: Vec<_> = (1..=6).flat_map(expired).collect();
    answers.extend([list(7, "", &["a"]), Answer::Open(vec![])]);
    let mut bench = Bench::start(64, Mode::Watch, answers);
    let begun = Instant::now();
    for _ in 0..6 {
        bench.expect(&["begin 1", "end"]).await;
    }
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    // 0.8 to 25.6 s, each less up to a half.
    assert!(begun.elapsed() >= Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_as_soon_as_it_has_begun_is_a_fault_with_a_back_off() {
    let mut answers = vec![list(7, "", &[])];
    answers.extend((0..5).map(|_| Answer::Ended(vec![])));
    answers.push(Answer::Open(vec![event("ADDED", "a", 8)]));
    let mut bench = Bench::start(64, Mode::Watch, answers);
    let begun = Instant::now();
    bench.expect(&["begin 1", "end"]).await;
    bench.phase(|state| matches!(state.phase, Phase::Failed { .. })).await;
    bench.expect(&["*a@8"]).await;
    assert!(begun.elapsed() >= Duration::from_secs(12), "{:?}", begun.elapsed());
    bench.phase(|state| state.phase == Phase::Watching).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_was_to_end_soon_is_no_fault_when_it_does() {
    let mut answers = vec![list(7, "", &[])];
    // The server counts whole seconds, from well before its answer comes where both have much to do.
    answers.extend((0..20).map(|_| Answer::Lasting(Duration::from_millis(600))));
    answers.push(Answer::Open(vec![event("ADDED", "a", 8)]));
    let age = Duration::from_millis(1_900);
    let mut bench =
        Bench::start_at(Pace { watch_age: age..age, ..Pace::default() }, 64, Mode::Watch, answers);
    let begun = Instant::now();
    bench.expect(&["begin 1", "end", "*a@8"]).await;
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn namespaces_are_looked_at_again_between_events() {
    let answers = vec![list(7, "", &[]), Answer::Open(vec![]), list(9, "", &["a"])];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    bench.reviews.ask(["shop".to_owned()]);
    bench.expect(&["?a@9"]).await;
    assert_eq!(bench.server.requests(), ["list", "watch 7", "list in shop"]);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_went_back_is_noticed_while_the_watch_is_silent() {
    let bookmark =
        "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"50\"}}}\n".to_owned();
    let answers = vec![
        list(30, "", &["a"]),
        Answer::Open(vec![bookmark]),
        list(60, "", &[]),
        list(40, "", &[]),
        list(41, "", &["b"]),
        Answer::Open(vec![]),
    ];
    let pace = Pace {
        rewind_check: Duration::from_secs(10),
        watch_idle: Duration::from_secs(3_600),
        ..Pace::default()
    };
    let mut bench = Bench::start_at(pace, 64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@30", "end", "begin 1", "+b@41", "end"]).await;
    bench.phase(|state| state.phase == Phase::Watching).await;
    assert_eq!(bench.server.requests()[..6], ["list", "watch 30", "probe", "probe", "list", "watch 41"]);
}

#[tokio::test(start_paused = true)]
async fn what_may_be_listed_but_not_watched_is_listed_until_it_may() {
    let answers = vec![
        list(7, "", &["a"]),
        status(403, "Forbidden"),
        list(7, "", &[]),
        list(8, "", &["b"]),
        status(403, "Forbidden"),
        list(9, "", &["c"]),
        Answer::Ended(vec![]),
        list(10, "", &["d"]),
        Answer::Open(vec![event("ADDED", "e", 11)]),
    ];
    let mut bench = Bench::start(64, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    bench
        .phase(|state| {
            matches!(&state.phase, Phase::Polling { instead_of_watching: Some(fault), .. }
                if fault.class == FaultClass::Forbidden)
        })
        .await;
    bench
        .expect(&["begin 1", "+b@8", "end", "begin 1", "+c@9", "end", "begin 1", "+d@10", "end", "*e@11"])
        .await;
    bench.phase(|state| state.phase == Phase::Watching).await;
}

#[tokio::test(start_paused = true)]
async fn polling_lists_every_period_and_at_once_for_a_new_plan() {
    let answers = vec![list(7, "", &["a"]), list(8, "", &["a"]), list(9, "", &["a"])];
    let period = Duration::from_secs(300);
    let mut bench = Bench::start(64, Mode::Poll(period), answers);
    let start = tokio::time::Instant::now();
    bench.expect(&["begin 1", "+a@7", "end", "begin 1", "+a@8"]).await;
    assert_eq!(start.elapsed().as_secs(), 300);
    bench.expect(&["end"]).await;
    bench.phase(|state| state.phase == Phase::Polling { every: period, instead_of_watching: None }).await;
    bench.plans.send_replace(plan(2));
    bench.expect(&["begin 2", "+a@9", "end"]).await;
    assert_eq!(start.elapsed().as_secs(), 300);
    assert_eq!(bench.server.requests(), ["list", "list", "list"]);
}

#[tokio::test(start_paused = true)]
async fn a_busy_engine_holds_up_lists_but_no_watch() {
    let mut events: Vec<String> = vec![];
    for version in 8..2_008 {
        events.push(event("MODIFIED", "a", version));
    }
    let answers = vec![list(7, "", &["a"]), Answer::Open(events)];
    let mut bench = Bench::start(1, Mode::Watch, answers);
    bench.expect(&["begin 1", "+a@7", "end"]).await;
    // Nobody takes changes now; the watch is read all the same, and the latest state waits.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut last = String::new();
    let mut taken = 0;
    while last != "*a@2007" {
        last = bench.next().await;
        taken += 1;
    }
    assert!(taken < 10, "{taken} changes for one object");
}

#[tokio::test(start_paused = true)]
async fn a_backlog_beyond_its_bound_is_dropped_and_listed_anew() {
    let events = (0..20_000).map(|n| event("ADDED", &format!("p{n}"), 8 + n)).collect();
    let answers =
        vec![list(7, "", &[]), Answer::Open(events), list(90_000, "", &["z"]), Answer::Open(vec![])];
    let mut bench = Bench::start(1, Mode::Watch, answers);
    bench.expect(&["begin 1", "end"]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut taken = 0;
    while bench.next().await != "begin 1" {
        taken += 1;
        assert!(taken < 100, "what was dropped is not sent");
    }
    bench.expect(&["+z@90000", "end"]).await;
}
