//! The task of one pipeline: what happens when.
//!
//! In: changes of the demand, of the snapshot, of who is active; answers; time. Out: one request after the other. Must
//! never know: what is pending and why, which is the backlog's.

use std::collections::BTreeMap;
use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use celemetry_engine::snapshot::{MetricId, Snapshot};
use hyper::body::Bytes;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span};

use super::backlog::{Backlog, Batch};
use super::backoff::Backoff;
use super::{Demand, End, Health, Lead, Shared, Wish, unix_nanos};
use crate::export::otlp::request::Envelope;
use crate::export::transport::{Client, Failure, Outcome, SinkTarget};
use crate::telemetry::{Telemetry, span};

/// Sends requests to one target, one at a time.
pub(super) trait Transport: Send + 'static {
    /// Sends a request and waits for its answer, for a bounded time. The future may be dropped.
    fn send(&mut self, message: Bytes) -> impl Future<Output = Outcome> + Send;
}

/// The task of one pipeline.
pub(super) struct Task<T, C> {
    name: String,
    envelope: Arc<Envelope>,
    telemetry: Arc<Telemetry>,
    demand: watch::Receiver<Demand>,
    snapshots: watch::Receiver<Arc<Snapshot>>,
    lead: Lead,
    health: watch::Sender<Health>,
    connect: C,
    target: SinkTarget,
    /// The latest of each route, by metric.
    routes: BTreeMap<MetricId, Wish>,
    /// Within it every series is sent.
    heartbeat: Duration,
    backlog: Backlog,
    backoff: Backoff,
    /// Nothing is sent before this.
    retry_at: Option<Instant>,
    /// When the pipeline ends, whatever is left; it ends earlier if nothing is.
    finish_at: Option<Instant>,
    /// Nothing while it is used for a request.
    transport: Option<T>,
    /// When partial success was last logged.
    told: Option<Instant>,
}

/// A request on its way: it gives the transport back with the outcome.
struct InFlight<T> {
    batch: Batch,
    answer: Pin<Box<dyn Future<Output = (T, Outcome)> + Send>>,
}

/// What the task wakes for.
enum Event<T> {
    Demand,
    Snapshot,
    Active,
    Answer(T, Outcome),
    Tick,
    /// Nobody is left who could ask for anything.
    Abandoned,
}

/// When to look again whether the lead holds; whoever has lost it is told by then.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// A sink that rejects points is logged at most this often.
const TELL_EVERY: Duration = Duration::from_secs(60);

impl Transport for Client {
    fn send(&mut self, message: Bytes) -> impl Future<Output = Outcome> + Send {
        Client::send(self, message)
    }
}

// === impl Task ===

impl<T: Transport, C: Fn(&SinkTarget) -> T + Send + 'static> Task<T, C> {
    pub(super) fn new(
        shared: &Shared,
        name: &str,
        mut demand: watch::Receiver<Demand>,
        health: watch::Sender<Health>,
        connect: C,
    ) -> Self {
        let target = demand.borrow_and_update().target.clone();
        let mut lead = shared.lead.clone();
        let is_active = *lead.active.borrow_and_update();
        Task {
            name: name.to_owned(),
            envelope: Arc::clone(&shared.envelope),
            telemetry: Arc::clone(&shared.settings.telemetry),
            demand,
            snapshots: shared.snapshots.clone(),
            lead,
            health,
            transport: None,
            connect,
            target,
            routes: BTreeMap::new(),
            heartbeat: shared.settings.heartbeat,
            backlog: Backlog::new(shared.settings.heartbeat, is_active),
            backoff: Backoff::default(),
            retry_at: None,
            finish_at: None,
            told: None,
        }
    }

    pub(super) async fn run(mut self) {
        // What was asked for before the task began.
        let mut in_flight = None;
        if self.meet_demand(&mut in_flight) {
            return;
        }
        loop {
            let now = Instant::now();
            let given_up = self.backlog.advance(now);
            self.count_dropped(given_up);
            if in_flight.is_none() {
                in_flight = self.next_request(now);
            }
            if self.is_finished(in_flight.is_some(), now) {
                return;
            }
            match self.next_event(&mut in_flight).await {
                Event::Demand => {
                    if self.meet_demand(&mut in_flight) {
                        return;
                    }
                }
                Event::Snapshot => self.show_latest(),
                Event::Active => self.follow(&mut in_flight),
                Event::Answer(transport, outcome) => {
                    self.transport = Some(transport);
                    if let Some(InFlight { batch, .. }) = in_flight.take() {
                        self.settle(&batch, outcome);
                    }
                }
                Event::Tick => {}
                Event::Abandoned => return,
            }
        }
    }

    /// The next thing to happen: orders before answers before news, so that a flood of snapshots holds up neither.
    async fn next_event(&mut self, in_flight: &mut Option<InFlight<T>>) -> Event<T> {
        let sends_later = in_flight.is_none() && self.backlog.is_pending();
        let retry = self.retry_at.filter(|_| sends_later);
        let deadline = retry.into_iter().chain(self.finish_at).chain(self.backlog.next_deadline()).min();
        let tick = async {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => pending().await,
            }
        };
        let answer = async {
            match in_flight {
                Some(request) => request.answer.as_mut().await,
                None => pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = self.demand.changed() => match changed {
                Ok(()) => Event::Demand,
                Err(_) => Event::Abandoned,
            },
            () = changed(&mut self.lead.active) => Event::Active,
            (transport, outcome) = answer => Event::Answer(transport, outcome),
            () = changed(&mut self.snapshots), if self.finish_at.is_none() => Event::Snapshot,
            () = tick => Event::Tick,
        }
    }

    /// Takes over what is asked for. Says whether the pipeline is to end at once.
    fn meet_demand(&mut self, in_flight: &mut Option<InFlight<T>>) -> bool {
        let demand = self.demand.borrow_and_update().clone();
        match demand.end {
            Some(End::Now) => return true,
            Some(End::Flushed(deadline)) => {
                // Whoever ends a process takes everything down: what goes from now on is not gone from the cluster.
                if self.finish_at.is_none() {
                    self.show_latest();
                    self.retry_at = None;
                    self.finish_at = Some(deadline);
                }
                return false;
            }
            None => {}
        }
        if demand.target != self.target {
            self.target = demand.target;
            self.start_over(in_flight);
        }
        let now = Instant::now();
        for id in self.routes.keys().filter(|id| !demand.routes.contains_key(id)) {
            self.backlog.unroute(*id, now);
        }
        let latest = Arc::clone(&self.snapshots.borrow());
        for (id, wish) in &demand.routes {
            let known = self.routes.get(id).map(|known| known.number);
            if known != Some(wish.number) {
                self.backlog.route(*id, wish.interval, &latest, now);
            }
        }
        self.routes = demand.routes;
        false
    }

    /// The sink is another. What is on its way to the old one is lost, and everything is sent to the new one.
    fn start_over(&mut self, in_flight: &mut Option<InFlight<T>>) {
        (*in_flight, self.transport) = (None, None);
        (self.backoff, self.retry_at) = (Backoff::default(), None);
        self.backlog.start_over();
        self.health.send_modify(|health| {
            *health = Health { counts: health.counts, ..Health::default() };
        });
    }

    fn show_latest(&mut self) {
        let latest = Arc::clone(&self.snapshots.borrow_and_update());
        self.backlog.show(&latest, Instant::now());
    }

    /// Another process may begin to export the moment this one ceases to, so what is on its way is given up.
    fn follow(&mut self, in_flight: &mut Option<InFlight<T>>) {
        let is_active = *self.lead.active.borrow_and_update();
        if is_active {
            self.show_latest();
            self.backlog.activate(Instant::now());
        } else {
            *in_flight = None;
            self.transport = None;
            self.backlog.deactivate();
        }
        (self.backoff, self.retry_at) = (Backoff::default(), None);
    }

    fn next_request(&mut self, now: Instant) -> Option<InFlight<T>> {
        if self.retry_at.is_some_and(|at| now < at) {
            return None;
        }
        self.retry_at = None;
        if !(self.lead.holds)() {
            self.retry_at = Some(now + LOOK_AGAIN);
            return None;
        }
        // Whatever made room for a request, what it holds is the latest.
        if self.finish_at.is_none() && self.snapshots.has_changed().unwrap_or(false) {
            self.show_latest();
        }
        let request = self.backlog.request(&self.envelope, unix_nanos(SystemTime::now()))?;
        let mut transport = self.transport.take().unwrap_or_else(|| (self.connect)(&self.target));
        let sending = async move {
            let outcome = transport.send(request.message).await;
            if !matches!(outcome, Outcome::Accepted { .. }) {
                span::failed(&Span::current());
            }
            (transport, outcome)
        };
        let answer = Box::pin(sending.instrument(span::export(&self.name)));
        self.telemetry.export.count_request();
        Some(InFlight { batch: request.batch, answer })
    }

    fn is_finished(&self, is_sending: bool, now: Instant) -> bool {
        // A last request that failed is not repeated.
        let is_idle = !is_sending && (self.retry_at.is_some() || !self.backlog.is_pending());
        self.finish_at.is_some_and(|deadline| is_idle || deadline <= now)
    }

    fn settle(&mut self, batch: &Batch, outcome: Outcome) {
        let (now, wall) = (Instant::now(), SystemTime::now());
        match outcome {
            Outcome::Accepted { rejected, message } => {
                self.backlog.acknowledge(batch);
                self.backoff.succeeded();
                for metric in batch.metrics() {
                    if let Some(wish) = self.routes.get(&metric) {
                        wish.exported.send_replace(Some(wall));
                    }
                }
                self.accepted(batch.points as u64, rejected, message.as_deref(), wall);
            }
            Outcome::Retry { failure, after } => {
                self.backlog.put_back(batch);
                self.retry_at = Some(now + self.backoff.failed(after, fastrand::u64(..)));
                self.failed(failure, wall, |counts| counts.retries += 1);
                self.telemetry.export.count_retry();
            }
            Outcome::TooLarge { failure } if self.backlog.split(batch) => {
                tracing::info!(sink = self.name, %failure, bytes = batch.bytes, "the sink takes smaller requests only");
            }
            Outcome::TooLarge { failure } | Outcome::Dropped { failure } => {
                self.backlog.drop_batch(batch, now);
                self.failed(failure, wall, |_| {});
                self.count_dropped(batch.points);
            }
        }
    }

    fn accepted(&mut self, points: u64, rejected: u64, message: Option<&str>, now: SystemTime) {
        let heartbeat = self.heartbeat;
        let was_failing = matches!(self.health.borrow().state, super::State::Failing { .. });
        self.health.send_modify(|health| {
            health.succeeded(rejected > 0, heartbeat, now);
            health.counts.sent += points;
            health.counts.rejected += rejected;
        });
        self.telemetry.export.count_points(points, rejected);
        if was_failing {
            tracing::info!(sink = self.name, "the sink takes requests again");
        }
        let is_told = self.told.is_some_and(|told| told.elapsed() < TELL_EVERY);
        if (rejected > 0 || message.is_some()) && !is_told {
            self.told = Some(Instant::now());
            // A field called `message` would take the place of the line's own.
            let said = message.unwrap_or_default();
            tracing::warn!(sink = self.name, rejected, said, "the sink rejected points or warns");
        }
    }

    fn failed(&mut self, failure: Failure, now: SystemTime, count: impl Fn(&mut super::Counts)) {
        let mut is_news = false;
        self.health.send_modify(|health| {
            is_news = health.failed(failure, now);
            count(&mut health.counts);
        });
        if is_news {
            tracing::warn!(sink = self.name, endpoint = %self.target.endpoint, %failure, "the sink did not take a request");
        }
    }

    fn count_dropped(&mut self, points: usize) {
        if points > 0 {
            self.health.send_modify(|health| health.counts.dropped += points as u64);
            self.telemetry.export.count_dropped(points as u64);
        }
    }
}

/// Waits for a change; for ever where nobody is left who could make one.
async fn changed<V>(receiver: &mut watch::Receiver<V>) {
    if receiver.changed().await.is_err() {
        pending::<()>().await;
    }
}
