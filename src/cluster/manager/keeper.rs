//! The task that owns all informers of a cluster.
//!
//! In: interests, catalogues, nudges. Out: informers, and what each interest means now. Must never know: who wants what
//! and why.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::{Arc, Weak};
use std::time::Duration;

use celemetry_engine::change::SourceId;
use futures_util::FutureExt;
use kube::Client;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::asking::Asking;
use super::definitions;
use super::{Alive, Command, Interest, Observed, Resolution, Settings, Wanted};
use crate::cluster::discovery::{Catalog, discover};
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::feed::{Intake, Phase, Reviews, SourceState};
use crate::cluster::informer::{Informer, Mode, Turns};
use crate::cluster::resource::{Collection, Resource};
use crate::cluster::target::Target;

/// Owns informers and interests.
///
/// Invariant: an informer runs for every entry of `sources`, and an entry is there for as long as somebody holds it.
pub(super) struct Keeper<I> {
    client: Client,
    intake: I,
    settings: Settings,
    /// Whose turn it is to look at an object again.
    turns: Arc<Turns>,
    inbox: mpsc::Receiver<Command>,
    /// What the server served when it was asked last; `None` before the first answer.
    catalog: Option<Catalog>,
    wants: Vec<Want>,
    sources: BTreeMap<Key, Source>,
    /// Wakes the task when something is not held any more.
    released: Arc<Notify>,
    /// Wakes the task when a definition has changed.
    redefined: Arc<Notify>,
    /// How many changes of definitions were noticed.
    pub(super) redefinitions: watch::Sender<u64>,
    asking: Asking,
    /// What the server serves, as soon as it says so.
    answer: Option<JoinHandle<Result<Catalog, Fault>>>,
    /// How an informer tells that it has panicked. Holds one: the first ends the task.
    panics: (mpsc::Sender<Panic>, mpsc::Receiver<Panic>),
}

struct Want {
    wanted: Wanted,
    resolution: watch::Sender<Resolution>,
    alive: Weak<Alive>,
    /// The sources that the resolution names.
    keys: Vec<Key>,
}

/// What tells sources apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    collection: Collection,
    mode: Mode,
}

struct Source {
    id: SourceId,
    state: watch::Receiver<SourceState>,
    reviews: Reviews,
    alive: Weak<Alive>,
    task: JoinHandle<()>,
}

/// What a panic says.
type Panic = Box<dyn Any + Send>;

/// What wakes the task.
enum Event {
    Command(Command),
    Released,
    Redefined,
    Due,
    Answered(Result<Catalog, Fault>),
    Panicked(Panic),
    Closed,
}

/// How long the server may take to say what it serves: an aggregated API that is down holds up the answer.
const PATIENCE: Duration = Duration::from_secs(60);

// === impl Keeper ===

impl<I: Intake> Keeper<I> {
    pub(super) fn new(client: Client, intake: I, settings: Settings, inbox: mpsc::Receiver<Command>) -> Self {
        Keeper {
            client,
            intake,
            turns: Arc::new(Turns::new(settings.audits_per_minute)),
            settings,
            inbox,
            catalog: None,
            wants: vec![],
            sources: BTreeMap::new(),
            released: Arc::default(),
            redefined: Arc::default(),
            redefinitions: watch::Sender::new(0),
            asking: Asking::new(Instant::now()),
            answer: None,
            panics: mpsc::channel(1),
        }
    }

    /// Runs until nobody can want anything any more.
    ///
    /// # Panics
    /// Where an informer has.
    pub(super) async fn run(mut self) {
        let following =
            definitions::follow(self.client.clone(), self.settings.pace.clone(), Arc::clone(&self.redefined));
        let definitions = self.spawn(following);
        loop {
            match self.next().await {
                Event::Command(command) => self.command(command).await,
                Event::Released => self.sweep().await,
                Event::Redefined => {
                    self.asking.redefined(Instant::now());
                    self.redefinitions.send_modify(|count| *count = count.wrapping_add(1));
                }
                Event::Due => self.ask(),
                Event::Answered(answer) => self.answered(answer).await,
                // Its objects would never change again, and nobody would know.
                Event::Panicked(panic) => resume_unwind(panic),
                Event::Closed => break,
            }
        }
        definitions.abort();
        for source in self.sources.values() {
            source.task.abort();
        }
    }

    async fn next(&mut self) -> Event {
        let due = self.asking.next();
        let is_asking = self.answer.is_some();
        let answer = async {
            match &mut self.answer {
                Some(task) => task.await.unwrap_or_else(|_| Err(broke_off())),
                None => std::future::pending().await,
            }
        };
        let tick = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            command = self.inbox.recv() => command.map_or(Event::Closed, Event::Command),
            () = self.released.notified() => Event::Released,
            () = self.redefined.notified() => Event::Redefined,
            answer = answer => Event::Answered(answer),
            Some(panic) = self.panics.1.recv() => Event::Panicked(panic),
            () = tick, if !is_asking => Event::Due,
        }
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Want(wanted, reply) => {
                let alive = Arc::new(Alive(Arc::clone(&self.released)));
                let (resolution, receiver) = watch::channel(Resolution::Pending);
                self.wants.push(Want { wanted, resolution, alive: Arc::downgrade(&alive), keys: vec![] });
                self.resolve(self.wants.len() - 1).await;
                // Refused only by an asker that has gone, and the interest with it.
                let _ = reply.send(Interest { resolution: receiver, _alive: alive });
            }
            Command::SelectableFields(target, reply) => self.selectable_fields(&target, reply),
        }
    }

    /// Answers beside everything else, since the server must be asked.
    fn selectable_fields(&self, target: &Target, reply: oneshot::Sender<Vec<String>>) {
        let resources =
            self.catalog.as_ref().and_then(|catalog| catalog.resolve(target).ok()).unwrap_or_default();
        let client = self.client.clone();
        tokio::spawn(async move {
            let mut common: Option<Vec<String>> = None;
            for resource in &resources {
                let fields = definitions::selectable_fields(&client, resource).await.unwrap_or_default();
                common = Some(match common {
                    None => fields,
                    Some(common) => common.into_iter().filter(|field| fields.contains(field)).collect(),
                });
            }
            // Refused only by an asker that has gone.
            let _ = reply.send(common.unwrap_or_default());
        });
    }

    /// Asks the server what it serves.
    fn ask(&mut self) {
        self.asking.asked(Instant::now());
        let client = self.client.clone();
        let asking =
            async move { timeout(PATIENCE, discover(&client)).await.unwrap_or_else(|_| Err(broke_off())) };
        self.answer = Some(tokio::spawn(asking));
    }

    async fn answered(&mut self, answer: Result<Catalog, Fault>) {
        self.answer = None;
        match answer {
            Ok(catalog) => {
                if self.catalog.as_ref() != Some(&catalog) {
                    self.catalog = Some(catalog);
                    for want in 0..self.wants.len() {
                        self.resolve(want).await;
                    }
                }
                self.asking.answered(self.is_something_missing(), Instant::now());
            }
            Err(fault) => {
                tracing::debug!(%fault, "the API server does not say what it serves");
                if self.catalog.is_none() {
                    for want in &self.wants {
                        want.resolution.send_replace(Resolution::Unknown(fault.clone()));
                    }
                }
                self.asking.failed(fault.retry_after, Instant::now());
            }
        }
    }

    fn is_something_missing(&self) -> bool {
        let vanished = |source: &Source| {
            matches!(&source.state.borrow().phase,
                Phase::Failed { fault, .. } if fault.class == FaultClass::NotFound)
        };
        self.wants.iter().any(|want| want.keys.is_empty()) || self.sources.values().any(vanished)
    }

    /// Finds out what a want means now, and tells it where that has changed.
    async fn resolve(&mut self, want: usize) {
        let Some(catalog) = &self.catalog else { return };
        let Wanted { target, field_selector, metadata_only, mode } = self.wants[want].wanted.clone();
        let resources = match catalog.resolve(&target) {
            Ok(resources) => resources,
            Err(unresolved) => {
                self.wants[want].keys.clear();
                self.wants[want].resolution.send_replace(Resolution::Unresolved(unresolved));
                self.asking.unresolved(Instant::now());
                return;
            }
        };
        let key = |resource| Key {
            collection: Collection { resource, field_selector: field_selector.clone(), metadata_only },
            mode,
        };
        let keys: Vec<Key> = resources.into_iter().map(key).collect();
        if keys == self.wants[want].keys {
            return;
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in &keys {
            let Some(observed) = self.observe(key).await else { return };
            found.push(observed);
        }
        self.wants[want].keys = keys;
        self.wants[want].resolution.send_replace(Resolution::Found(found));
    }

    /// The source of a key, started where there is none. `None` where nobody takes changes any more.
    async fn observe(&mut self, key: &Key) -> Option<Observed> {
        let resource = key.collection.resource.clone();
        if let Some(source) = self.sources.get(key) {
            if let Some(alive) = source.alive.upgrade() {
                let (state, reviews) = (source.state.clone(), source.reviews.clone());
                return Some(Observed { source: source.id, resource, state, reviews, _alive: alive });
            }
            // Nobody holds it any more, which the next sweep would have found.
            self.close(key).await;
        }
        let (source, observed) = self.start(key, resource).await?;
        self.sources.insert(key.clone(), source);
        Some(observed)
    }

    async fn start(&self, key: &Key, resource: Resource) -> Option<(Source, Observed)> {
        let feed = self.intake.open().await?;
        let alive = Arc::new(Alive(Arc::clone(&self.released)));
        let (sender, state) = watch::channel(SourceState::default());
        let reviews = Reviews::new();
        let id = feed.source;
        let informer = Informer {
            client: self.client.clone(),
            collection: key.collection.clone(),
            pace: self.settings.pace.clone(),
            mode: key.mode,
            reviews: reviews.clone(),
            turns: Arc::clone(&self.turns),
            state: sender,
        };
        tracing::info!(source = %resource, "informer starts");
        let task = self.spawn(informer.run(feed));
        let source = Source {
            id,
            state: state.clone(),
            reviews: reviews.clone(),
            alive: Arc::downgrade(&alive),
            task,
        };
        Some((source, Observed { source: id, resource, state, reviews, _alive: alive }))
    }

    /// Starts a task whose panic ends this one.
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let panics = self.panics.0.clone();
        tokio::spawn(async move {
            if let Err(panic) = AssertUnwindSafe(work).catch_unwind().await {
                // Refused only beside another panic, or by a manager that has ended.
                let _ = panics.try_send(panic);
            }
        })
    }

    /// Gives up what nobody holds any more: first interests, whose resolutions hold sources, then sources.
    async fn sweep(&mut self) {
        self.wants.retain(|want| want.alive.strong_count() > 0);
        let unheld = |(key, source): (&Key, &Source)| (source.alive.strong_count() == 0).then(|| key.clone());
        let keys: Vec<Key> = self.sources.iter().filter_map(unheld).collect();
        for key in keys {
            self.close(&key).await;
        }
    }

    /// Stops an informer, and closes its source once nothing of it is sent any more.
    async fn close(&mut self, key: &Key) {
        let Some(source) = self.sources.remove(key) else { return };
        source.task.abort();
        // It was aborted, so an error is what is expected.
        let _ = source.task.await;
        tracing::info!(source = %key.collection.resource, "informer ends");
        self.intake.close(source.id).await;
    }
}

fn broke_off() -> Fault {
    Fault::new(FaultClass::Unreachable, "asking the API server broke off")
}
