//! One leader among several replicas, by a Lease of `coordination.k8s.io`.
//!
//! In: the API server's Lease. Out: whether this process leads, as a watch channel. Must never know: what a leader does.
//!
//! Losing the lead ends nothing: the process stays a warm standby, and may lead again.

mod candidate;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use k8s_openapi::jiff::Timestamp;
use kube::api::{ObjectMeta, PostParams, WatchParams};
use kube::{Api, Client};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};

use crate::cluster::connect::in_words;

use self::candidate::{Candidate, Record, Step};

pub use candidate::Terms;

/// The Lease's name: metrics-operator's, so that the two never lead side by side in one namespace.
pub const LEASE: &str = "82620e19.metrics.open-control-plane.io";

/// Who stands for election, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Namespace of the Lease: the operator's own.
    pub namespace: String,
    /// Its name; as a rule [`LEASE`].
    pub name: String,
    /// This process's name, and no other's: two processes with one identity would lead side by side.
    pub identity: String,
    /// How long everything takes.
    pub terms: Terms,
}

/// A candidacy. Dropping it ends it without giving the Lease back, so that others wait for its end.
#[derive(Debug)]
pub struct Election {
    leadership: Leadership,
    task: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// Whether this process leads.
#[derive(Clone, Debug)]
pub struct Leadership {
    leads: watch::Receiver<bool>,
    /// `None`: for ever.
    until: Option<watch::Receiver<Option<Instant>>>,
}

/// The task that keeps a candidate up to date.
struct Campaign {
    api: Api<Lease>,
    settings: Settings,
    candidate: Candidate,
    /// The Lease as it was last seen, of which everything that is not ours is kept.
    lease: Option<Lease>,
    leads: watch::Sender<bool>,
    until: watch::Sender<Option<Instant>>,
    release: oneshot::Receiver<()>,
    changed: Arc<Notify>,
    /// The last fault that was said, so that one that goes on is said once.
    fault: Option<String>,
}

/// The end of a candidacy was asked for.
struct Released;

/// How long one request may take. Several must fit between a renewal and the renew deadline.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long giving the Lease back may take. The process is ending; others take over without it, only later.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a watch is asked for; a new one follows.
const WATCH_SECONDS: u32 = 290;

/// How long a watch that failed is not tried again. The Lease is read all the same, every retry period.
const WATCH_PAUSE: Duration = Duration::from_secs(10);

/// Who wrote the Lease, for `kubectl --show-managed-fields`.
const FIELD_MANAGER: &str = "celemetry";

/// Stands for election until the [`Election`] is released or dropped.
pub fn elect(client: Client, settings: Settings) -> Election {
    let (leads, leads_receiver) = watch::channel(false);
    let (until, until_receiver) = watch::channel(None);
    let (release, released) = oneshot::channel();
    let changed = Arc::new(Notify::new());
    let campaign = Campaign {
        api: Api::namespaced(client, &settings.namespace),
        candidate: Candidate::new(settings.identity.clone(), settings.terms, Instant::now()),
        settings,
        lease: None,
        leads,
        until,
        release: released,
        changed,
        fault: None,
    };
    let leadership = Leadership { leads: leads_receiver, until: Some(until_receiver) };
    Election { leadership, task: Some((release, tokio::spawn(campaign.run()))) }
}

// === impl Election, Leadership ===

impl Election {
    /// Leads for ever, alone: nobody else is asked.
    pub fn always() -> Self {
        // The receivers keep the last value of a sender that is gone.
        let (_, leads) = watch::channel(true);
        Election { leadership: Leadership { leads, until: None }, task: None }
    }

    /// Whether this process leads, now and later.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Stops leading and gives the Lease back, so that another takes over at once. Returns within about two seconds.
    /// To be called after the last thing that only a leader does.
    pub async fn release(mut self) {
        if let Some((release, task)) = self.task.take() {
            // A task that is gone holds nothing.
            let _ = release.send(());
            let _ = task.await;
        }
    }
}

impl Drop for Election {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.task {
            task.abort();
        }
    }
}

impl Leadership {
    /// A lead that somebody else decides about, and that no clock ends.
    pub fn of(leads: watch::Receiver<bool>) -> Self {
        Leadership { leads, until: None }
    }

    /// Whether this process leads, and every change of that.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.leads.clone()
    }

    /// Whether this process leads at this very moment. Asks the clock as well, so it is right even if the whole process
    /// has stood still for longer than the Lease lasts. To be asked right before what only a leader may do.
    pub fn holds(&self) -> bool {
        let in_time = match &self.until {
            None => true,
            Some(until) => until.borrow().is_some_and(|until| Instant::now() < until),
        };
        in_time && *self.leads.borrow()
    }
}

// === impl Campaign ===

impl Campaign {
    async fn run(mut self) {
        // A set ends its tasks when it is dropped, however this one ends.
        let mut watching = JoinSet::new();
        let changed = Arc::clone(&self.changed);
        watching.spawn(nudge_on_changes(self.api.clone(), self.settings.name.clone(), changed));
        while self.advance().await.is_ok() {}
        self.step_down();
        // Who takes over later than needed does no harm.
        let _ = timeout(RELEASE_TIMEOUT, self.give_back()).await;
    }

    fn step_down(&self) {
        self.until.send_replace(None);
        self.leads.send_replace(false);
    }

    /// Does what the candidate decides on next.
    async fn advance(&mut self) -> Result<(), Released> {
        let sent = Instant::now();
        match self.candidate.step(sent) {
            Step::Wait(until) => self.wait(until).await?,
            Step::Read => {
                let (api, name) = (self.api.clone(), self.settings.name.clone());
                match self.answer(async move { api.get_opt(&name).await }).await? {
                    Ok(lease) => self.seen(lease),
                    Err(fault) => self.failed(sent, fault),
                }
            }
            Step::Claim => {
                let lease = claim(self.lease.as_ref(), &self.settings);
                let (api, name) = (self.api.clone(), self.settings.name.clone());
                let is_new = self.lease.is_none();
                let writing = async move {
                    let by = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), dry_run: false };
                    match is_new {
                        true => api.create(&by, &lease).await,
                        false => api.replace(&name, &by, &lease).await,
                    }
                };
                match self.answer(writing).await? {
                    Ok(lease) => {
                        let record = record(&lease, &self.settings.terms);
                        self.candidate.claimed(record, sent, Instant::now());
                        self.lease = Some(lease);
                    }
                    Err(Some(kube::Error::Api(status))) if [404, 409].contains(&status.code) => {
                        self.candidate.outdated(sent);
                    }
                    Err(fault) => self.failed(sent, fault),
                }
            }
        }
        self.publish();
        Ok(())
    }

    /// Waits until `until`, a change of the Lease, or the end of the lead.
    async fn wait(&mut self, until: Instant) -> Result<(), Released> {
        let until =
            self.candidate.leads_until().filter(|_| *self.leads.borrow()).map_or(until, |l| l.min(until));
        tokio::select! {
            biased;
            _ = &mut self.release => return Err(Released),
            () = self.changed.notified() => self.candidate.nudge(Instant::now()),
            () = sleep_until(until) => {}
        }
        Ok(())
    }

    /// Waits for an answer, for a while, and stops leading meanwhile when the time has come. `Err(None)`: none came.
    async fn answer<T>(
        &mut self,
        asking: impl Future<Output = kube::Result<T>>,
    ) -> Result<Result<T, Option<kube::Error>>, Released> {
        let mut asking = pin!(timeout(ANSWER_TIMEOUT, asking));
        loop {
            let leading = *self.leads.borrow();
            let end = self.candidate.leads_until().filter(|_| leading);
            let lead_ends = async {
                match end {
                    Some(end) => sleep_until(end).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                _ = &mut self.release => return Err(Released),
                answer = &mut asking => return Ok(match answer {
                    Ok(answer) => answer.map_err(Some),
                    Err(_) => Err(None),
                }),
                () = lead_ends => self.publish(),
            }
        }
    }

    fn seen(&mut self, lease: Option<Lease>) {
        if self.fault.take().is_some() {
            tracing::info!(lease = %self.settings.name, "the Lease can be read again");
        }
        let record = lease.as_ref().map(|lease| record(lease, &self.settings.terms));
        self.candidate.read(record, Instant::now());
        self.lease = lease;
    }

    fn failed(&mut self, sent: Instant, fault: Option<kube::Error>) {
        self.candidate.failed(sent);
        let fault = fault.map_or_else(|| "no answer in time".to_owned(), |error| in_words(&error));
        if self.fault.as_ref() != Some(&fault) {
            tracing::warn!(lease = %self.settings.name, namespace = %self.settings.namespace, error = %fault,
                "the Lease cannot be read or written");
            self.fault = Some(fault);
        }
    }

    /// Says whether this process leads; the deadline first, so that nobody sees a lead without one.
    fn publish(&self) {
        let now = Instant::now();
        let (leads, until) = (self.candidate.leads(now), self.candidate.leads_until());
        self.until.send_if_modified(|known| std::mem::replace(known, until) != until);
        let changed = self.leads.send_if_modified(|known| std::mem::replace(known, leads) != leads);
        if changed {
            let Settings { identity, name, .. } = &self.settings;
            match leads {
                true => tracing::info!(%identity, lease = %name, "leads"),
                false => tracing::warn!(%identity, lease = %name, "leads no longer"),
            }
        }
    }

    /// Takes one's own name off the Lease, as often as something else about it changes meanwhile.
    async fn give_back(&self) {
        let by = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), dry_run: false };
        let name = &self.settings.name;
        while let Ok(Some(mut lease)) = self.api.get_opt(name).await {
            let spec = lease.spec.get_or_insert_default();
            if spec.holder_identity.as_ref() != Some(&self.settings.identity) {
                return;
            }
            spec.holder_identity = Some(String::new());
            spec.lease_duration_seconds = Some(1);
            spec.renew_time = Some(MicroTime(Timestamp::now()));
            match self.api.replace(name, &by, &lease).await {
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                _ => return,
            }
        }
    }
}

impl Drop for Campaign {
    fn drop(&mut self) {
        // The receivers keep the last value of a sender that is gone.
        self.step_down();
    }
}

/// The Lease as it is to be once `settings.identity` holds it.
fn claim(known: Option<&Lease>, settings: &Settings) -> Lease {
    let mut lease = known.cloned().unwrap_or_else(|| Lease {
        metadata: ObjectMeta {
            name: Some(settings.name.clone()),
            namespace: Some(settings.namespace.clone()),
            ..ObjectMeta::default()
        },
        spec: None,
    });
    let now = MicroTime(Timestamp::now());
    let spec: &mut LeaseSpec = lease.spec.get_or_insert_default();
    if spec.holder_identity.as_ref() != Some(&settings.identity) {
        spec.lease_transitions = Some(spec.lease_transitions.map_or(0, |before| before.saturating_add(1)));
        spec.acquire_time = Some(now.clone());
        spec.holder_identity = Some(settings.identity.clone());
    }
    spec.lease_duration_seconds = i32::try_from(settings.terms.duration.as_secs()).ok();
    spec.renew_time = Some(now);
    lease
}

fn record(lease: &Lease, terms: &Terms) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    let seconds = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Record {
        holder: spec.holder_identity.unwrap_or_default(),
        duration: seconds.map_or(terms.duration, Duration::from_secs),
        renewal: spec.renew_time.map(|MicroTime(time)| time.to_string()).unwrap_or_default(),
    }
}

/// Watches the Lease for ever, and says when something about it changed. Only makes others faster: without the right to
/// watch, the Lease is still read every retry period.
async fn nudge_on_changes(api: Api<Lease>, name: String, changed: Arc<Notify>) {
    let what = WatchParams::default().fields(&format!("metadata.name={name}")).timeout(WATCH_SECONDS);
    loop {
        let began = Instant::now();
        // From the present state on: an event for what is there, then one for each change.
        if let Ok(events) = api.watch(&what, "0").await {
            let mut events = pin!(events.into_stream());
            while let Some(Ok(_)) = events.next().await {
                changed.notify_one();
            }
        }
        sleep_until(began + WATCH_PAUSE).await;
    }
}

#[cfg(test)]
mod tests;
