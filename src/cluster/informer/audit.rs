//! Looks at some object of the source again, and has what is held of it compared.
//!
//! In: time, objects as they pass, what the API server shows of one by its name, how far the watch has come. Out: requests,
//! findings. Must never know: what an object contributes to, who counts findings.
//!
//! A difference alone proves nothing: the event may be under way, or have been overtaken. It is told only if it was found
//! when every event up to the object's version had been passed on, and the next look showed the same version and found it
//! again. For then the first comparison was with just that version: the watch can know no newer one than a later look.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use celemetry_engine::audit::{Seen, Verdict};
use celemetry_engine::change::{Change, SourceId};
use celemetry_engine::row::List;
use kube::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::Running;
use super::following::Ended;
use super::rewind::went_back;
use super::sample::{Sample, Subject};
use crate::cluster::answer::fetch;
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::feed::{Auditor, Finding, Skipped};
use crate::cluster::resource::{Collection, PageRequest};

/// Shares looks out among the sources of a cluster, so that each is looked at as often as any other.
#[derive(Debug)]
pub(in crate::cluster) struct Turns {
    per_minute: u32,
    /// Sources that are watched and have an object.
    sources: AtomicUsize,
}

/// The looks of one source.
pub(super) struct Audit {
    source: SourceId,
    auditor: Arc<dyn Auditor>,
    turn: Turn,
    sample: Sample,
    state: State,
    /// How long what differs at the same version is waited for where positions cannot be compared.
    patience: Duration,
    /// Since when no watch is open.
    closed: Option<Instant>,
    /// Whether the latest request was refused, which is told once.
    is_refused: bool,
}

/// A source's part in the looks.
pub(super) struct Turn {
    pub(super) turns: Arc<Turns>,
    /// Whether it is counted among the sources.
    pub(super) taken: bool,
}

enum State {
    /// Nothing is looked at before the next turn; `None` before the first one was given.
    Resting(Option<Instant>),
    /// The API server was asked.
    Asked(Look, Asked),
    /// What it showed is being compared.
    Comparing(Look, Shown, JoinHandle<Verdict>),
    /// It differed, and is to be looked at again.
    Doubting(Look, Doubt),
}

/// One object, looked at until it is clear whether it is right.
#[derive(Clone, Debug)]
struct Look {
    subject: Subject,
    /// How often it was looked at.
    count: u32,
    /// What the look before found.
    before: Option<Doubt>,
}

/// A difference that proves nothing yet.
#[derive(Clone, Debug)]
struct Doubt {
    version: Version,
    /// How far a watch must have come that has brought this version.
    position: String,
    /// Since when the object is known to have this version.
    since: Instant,
    /// Whether every event up to the version had been passed on when it was compared.
    caught_up: bool,
    compared: Instant,
}

/// The object's resourceVersion; none where it is gone.
type Version = Option<String>;

/// What was compared.
struct Shown {
    version: Version,
    position: String,
    caught_up: bool,
    /// Whether every event that has come was passed on.
    all_passed_on: bool,
    /// What people call the object.
    label: String,
}

/// A request under way, and how far the watch had come when it was sent.
struct Asked {
    task: JoinHandle<Result<Answer, Fault>>,
    position: String,
}

/// A list by name.
pub(super) struct Answer {
    item: Option<Vec<u8>>,
    position: String,
}

/// What has come of a wait.
pub(super) enum Step {
    Shown(Result<Answer, Fault>),
    Compared(Verdict),
}

/// How long it may take to open a watch anew. An event is under way for no longer than this and the time for which a
/// watch may be silent; where it took longer, both begin anew.
const RECONNECTION: Duration = Duration::from_secs(30);

/// Between two looks at what differs.
const PAUSE: Duration = Duration::from_secs(1);

/// An object that has had another version at each of so many looks is left alone.
const MOST_LOOKS: u32 = 5;

// === impl Turns, Turn ===

impl Turns {
    /// So many looks a minute in all; none at all for 0.
    pub(in crate::cluster) fn new(per_minute: u32) -> Self {
        Turns { per_minute, sources: AtomicUsize::new(0) }
    }
}

impl Turn {
    /// When it is this source's turn next: at random, so that looks are spread over time.
    pub(super) fn next(&mut self) -> Option<Instant> {
        if !std::mem::replace(&mut self.taken, true) {
            self.turns.sources.fetch_add(1, Ordering::Relaxed);
        }
        let sources = u32::try_from(self.turns.sources.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let period = Duration::from_secs(60).saturating_mul(sources).checked_div(self.turns.per_minute)?;
        Some(Instant::now() + period.mul_f64(0.5 + fastrand::f64()))
    }

    /// Leaves the looks to other sources.
    pub(super) fn give_up(&mut self) {
        if std::mem::take(&mut self.taken) {
            self.turns.sources.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.give_up();
    }
}

// === impl Audit ===

impl Audit {
    /// Of a source whose watch may be silent for `idle`.
    pub(super) fn new(
        source: SourceId,
        auditor: Arc<dyn Auditor>,
        turns: Arc<Turns>,
        idle: Duration,
    ) -> Self {
        Audit {
            source,
            auditor,
            patience: idle.saturating_add(RECONNECTION),
            turn: Turn { turns, taken: false },
            sample: Sample::new(fastrand::u64(..)),
            state: State::Resting(None),
            closed: None,
            is_refused: false,
        }
    }

    /// A watch is open. Nothing came while there was none, so what has differed for long may still come.
    pub(super) fn watch_opened(&mut self) {
        if self.closed.take().is_none_or(|closed| closed.elapsed() <= RECONNECTION) {
            return;
        }
        let doubt = match &mut self.state {
            State::Resting(_) => None,
            State::Asked(look, _) | State::Comparing(look, ..) => look.before.as_mut(),
            State::Doubting(_, doubt) => Some(doubt),
        };
        if let Some(doubt) = doubt {
            doubt.since = Instant::now();
        }
    }

    /// The watch has ended.
    pub(super) fn watch_closed(&mut self) {
        self.closed.get_or_insert_with(Instant::now);
    }

    /// Notices a change that is passed on. What was being looked at when a list begins is looked at no further.
    pub(super) fn notice(&mut self, change: &Change) {
        self.sample.notice(change);
        if matches!(change, Change::Begin { .. }) && !matches!(self.state, State::Resting(_)) {
            self.found(Finding::Skipped(Skipped::Unsettled));
        }
    }

    /// Asks when it is time to, and waits for what comes of it. May be dropped before it is ready without losing anything.
    pub(super) async fn next(&mut self, client: &Client, collection: &Collection, position: &str) -> Step {
        loop {
            match &mut self.state {
                // Asked again when something has come.
                State::Resting(None) if self.sample.is_empty() => {
                    self.turn.give_up();
                    return pending().await;
                }
                State::Resting(None) => match self.turn.next() {
                    Some(at) => self.state = State::Resting(Some(at)),
                    None => return pending().await,
                },
                State::Resting(Some(at)) => {
                    sleep_until(*at).await;
                    self.state = match self.sample.draw() {
                        Some(subject) => {
                            Look { subject, count: 0, before: None }.ask(client, collection, position)
                        }
                        None => State::Resting(None),
                    };
                }
                State::Doubting(look, doubt) => {
                    sleep_until(doubt.next_look(position, self.patience)).await;
                    let look = Look { before: Some(doubt.clone()), ..look.clone() };
                    self.state = look.ask(client, collection, position);
                }
                State::Asked(_, asked) => {
                    let broke_off = |_| Err(Fault::new(FaultClass::Unreachable, "the request broke off"));
                    return Step::Shown((&mut asked.task).await.unwrap_or_else(broke_off));
                }
                State::Comparing(_, _, verdict) => {
                    return Step::Compared(verdict.await.unwrap_or(Verdict::Unsettled));
                }
            }
        }
    }

    /// Has compared what was shown.
    fn compare(&mut self, seen: Seen, shown: Shown) {
        if let State::Asked(look, _) = std::mem::replace(&mut self.state, State::Resting(None)) {
            let since = look.before.as_ref().filter(|doubt| doubt.version == shown.version);
            let has_waited =
                shown.all_passed_on && since.is_some_and(|doubt| doubt.since.elapsed() >= self.patience);
            let shown = Shown { caught_up: shown.caught_up || has_waited, ..shown };
            let verdict = tokio::spawn(self.auditor.compare(self.source, seen));
            self.state = State::Comparing(look, shown, verdict);
        }
    }

    /// What the verdict means, after those before it.
    fn judge(&mut self, verdict: Verdict) {
        let State::Comparing(look, shown, _) = std::mem::replace(&mut self.state, State::Resting(None))
        else {
            return;
        };
        // What has no resourceVersion may have changed between two looks.
        let is_versioned = shown.version.as_deref() != Some("");
        let before = look.before.filter(|doubt| is_versioned && doubt.version == shown.version);
        match verdict {
            Verdict::Equal => self.found(Finding::Equal),
            Verdict::Unsettled => self.found(Finding::Skipped(Skipped::Unsettled)),
            Verdict::Differs(_) if before.as_ref().is_some_and(|doubt| doubt.caught_up) => {
                self.found(Finding::Mismatch { object: shown.label, verdict });
            }
            Verdict::Differs(_) if look.count >= MOST_LOOKS => {
                self.found(Finding::Skipped(Skipped::Moving));
            }
            Verdict::Differs(_) => {
                let compared = Instant::now();
                let since = before.map_or(compared, |doubt| doubt.since);
                let Shown { version, position, caught_up, .. } = shown;
                let look = Look { before: None, ..look };
                self.state = State::Doubting(look, Doubt { version, position, since, caught_up, compared });
            }
        }
    }

    /// Tells what was found, and rests until the next turn.
    fn found(&mut self, finding: Finding) {
        self.state = State::Resting(None);
        self.auditor.found(self.source, finding);
    }

    fn refused(&mut self, fault: &Fault, collection: &Collection) {
        if !std::mem::replace(&mut self.is_refused, true) {
            let source = &collection.resource;
            tracing::warn!(%source, %fault, "objects cannot be looked at again: what is held of them is not audited");
        }
        self.found(Finding::Skipped(Skipped::Refused));
    }
}

// === impl Look, Doubt, Asked ===

impl Look {
    fn ask(self, client: &Client, collection: &Collection, position: &str) -> State {
        let Subject { namespace, name, .. } = &self.subject;
        let request = PageRequest {
            namespace: Some(String::from(&**namespace)).filter(|namespace| !namespace.is_empty()),
            name: Some(name.to_string()),
            ..PageRequest::default()
        };
        let (client, collection) = (client.clone(), collection.clone());
        let task = tokio::spawn(async move { show(&client, &collection, &request).await });
        State::Asked(Look { count: self.count + 1, ..self }, Asked { task, position: position.to_owned() })
    }
}

impl Doubt {
    /// When to look again: soon where it was compared in time, otherwise when the watch has come as far.
    fn next_look(&self, position: &str, patience: Duration) -> Instant {
        let soon = self.compared + PAUSE;
        let is_time = self.caught_up || has_reached(position, &self.position);
        if is_time { soon } else { soon.max(self.since + patience) }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether a watch at `position` has brought everything up to `version`. Where the two cannot be compared, it is not known.
fn has_reached(position: &str, version: &str) -> bool {
    match (position.parse::<u128>(), version.parse::<u128>()) {
        (Ok(position), Ok(version)) => position >= version,
        _ => false,
    }
}

async fn show(client: &Client, collection: &Collection, request: &PageRequest) -> Result<Answer, Fault> {
    let bytes = fetch(client, collection.list(request)?).await?;
    let list = List::split(&bytes).ok().flatten();
    let list = list.ok_or_else(|| Fault::new(FaultClass::Malformed, "the answer to a LIST is no list"))?;
    match &list.items[..] {
        [] => Ok(Answer { item: None, position: list.resource_version }),
        [item] => Ok(Answer { item: Some(item.to_vec()), position: list.resource_version }),
        _ => Err(Fault::new(FaultClass::Invalid, "the API server does not select objects by their name")),
    }
}

// === impl Running ===

impl Running {
    /// Goes on with a look. Gives how the connection ends, if it does.
    pub(super) fn audited(&mut self, step: Step) -> Option<Ended> {
        let answer = match step {
            Step::Compared(verdict) => {
                self.audit.judge(verdict);
                return None;
            }
            Step::Shown(Err(fault)) => {
                self.audit.refused(&fault, &self.collection);
                return None;
            }
            Step::Shown(Ok(answer)) => answer,
        };
        let State::Asked(look, asked) = &self.audit.state else { return None };
        if went_back(&answer.position, &asked.position) {
            let (source, newest, seen) = (&self.collection.resource, &answer.position, &asked.position);
            tracing::warn!(%source, newest, seen, "the API server's history went back: listing anew");
            return Some(Ended::Relist);
        }
        self.audit.is_refused = false;
        let Subject { key, namespace, name } = look.subject.clone();
        let row = match answer.item.as_deref().map(|item| self.handler.read(item)) {
            Some(Err(_)) => {
                self.audit.found(Finding::Skipped(Skipped::Undecodable));
                return None;
            }
            Some(Ok(row)) if row.name() != &*name => {
                let fault =
                    Fault::new(FaultClass::Invalid, "the API server does not select objects by their name");
                self.audit.refused(&fault, &self.collection);
                return None;
            }
            Some(Ok(row)) => Some(row),
            None => None,
        };
        let kind = &self.collection.resource.kind;
        let label = [kind, &*namespace, &*name].into_iter().filter(|part| !part.is_empty());
        let label = label.collect::<Vec<_>>().join("/");
        // Another object of the same name may have followed it.
        let row = row.filter(|row| row.key() == key);
        let version = row.as_ref().map(|row| row.resource_version().to_owned());
        // What is gone stays gone, for nothing has its UID again: it is enough to have come as far as when that was first
        // seen, however much has happened to others since.
        let first_gone = look.before.as_ref().filter(|doubt| doubt.version.is_none());
        let gone_at = first_gone.map_or(answer.position, |doubt| doubt.position.clone());
        let position = version.clone().unwrap_or(gone_at);
        let all_passed_on = self.outlet.waiting() == 0;
        let caught_up = all_passed_on && has_reached(&self.position, &position);
        let seen = row.map_or(Seen::Gone(key), Seen::There);
        self.audit.compare(seen, Shown { version, position, caught_up, all_passed_on, label });
        None
    }
}
