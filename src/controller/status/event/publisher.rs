//! Sends Events, one after the other.
//!
//! In: what is worth an Event, who leads. Out: requests to the API server. Must never know: what an Event is about.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::Notice;
use super::correlation::{Correlation, Decision};
use crate::controller::lease::Leadership;
use crate::controller::status::bucket::Bucket;
use crate::controller::status::request::{Complaints, Refusal, create_event, reference, repeat_event, send};
use crate::telemetry::Telemetry;

/// Sends Events while it leads. An Event that the API server does not take is dropped and counted: the status says the
/// same, and is written until it stands.
pub(in crate::controller::status) struct Publisher {
    client: Client,
    leadership: Leadership,
    telemetry: Arc<Telemetry>,
    notices: mpsc::Receiver<Notice>,
    instance: String,
    correlation: Correlation,
    rate: Bucket,
    complaints: Complaints,
}

/// All Events together: 10 a second after a burst of 50, as for statuses.
const EVENTS: Bucket = Bucket::full(Duration::from_millis(100), 50);

/// The longest name of an object.
const NAME_LENGTH: usize = 253;

/// The longest `reportingInstance`.
const INSTANCE_LENGTH: usize = 128;

// === impl Publisher ===

impl Publisher {
    pub(in crate::controller::status) fn new(
        client: Client,
        leadership: Leadership,
        telemetry: Arc<Telemetry>,
        notices: mpsc::Receiver<Notice>,
    ) -> Self {
        Publisher {
            client,
            leadership,
            telemetry,
            notices,
            instance: "celemetry".to_owned(),
            correlation: Correlation::default(),
            rate: EVENTS,
            complaints: Complaints::default(),
        }
    }

    /// Names the instance that reports.
    pub(in crate::controller::status) fn report_as(&mut self, mut instance: String) {
        instance.truncate(instance.floor_char_boundary(INSTANCE_LENGTH));
        if !instance.is_empty() {
            self.instance = instance;
        }
    }

    /// Runs until nobody is left who could announce anything.
    pub(in crate::controller::status) async fn run(mut self) {
        while let Some(notice) = self.notices.recv().await {
            if self.leadership.holds() {
                self.publish(&notice).await;
            }
        }
    }

    async fn publish(&mut self, notice: &Notice) {
        let decision = self.correlation.decide(notice, Instant::now());
        if decision == Decision::Drop {
            self.telemetry.count_event_dropped();
            return;
        }
        let turn = self.rate.next(Instant::now(), 0);
        sleep_until(turn).await;
        self.rate.take(turn);
        let result = match decision {
            Decision::Repeat { name, count } => match self.repeat(notice, &name, count).await {
                Err(Refusal::NotFound) => {
                    self.correlation.expired(notice);
                    self.create(notice).await
                }
                result => result,
            },
            Decision::Create | Decision::Drop => self.create(notice).await,
        };
        match result {
            Ok(()) => self.telemetry.count_event_published(),
            Err(refusal) => {
                self.telemetry.count_event_dropped();
                if let Some(count) = self.complaints.about(refusal, Instant::now()) {
                    tracing::warn!(count, "an Event was not published: {refusal}");
                }
            }
        }
    }

    async fn create(&mut self, notice: &Notice) -> Result<(), Refusal> {
        let event = event(notice, &self.instance, Timestamp::now());
        let name = event.metadata.name.clone().unwrap_or_default();
        send(&self.client, create_event(&event)).await?;
        self.correlation.created(notice, name, Instant::now());
        Ok(())
    }

    async fn repeat(&self, notice: &Notice, name: &str, count: i32) -> Result<(), Refusal> {
        let request = repeat_event(&notice.object.namespace, name, count, MicroTime(Timestamp::now()));
        send(&self.client, request).await
    }
}

/// The Event of a notice. Its name is the object's and the time, as is the custom.
fn event(notice: &Notice, instance: &str, now: Timestamp) -> Event {
    let (object, said) = (&notice.object, &notice.said);
    let suffix = format!(".{:016x}", now.as_nanosecond());
    let room = object.name.floor_char_boundary(NAME_LENGTH - suffix.len());
    let prefix = object.name[..room].trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    Event {
        metadata: ObjectMeta {
            name: Some(format!("{prefix}{suffix}")),
            namespace: Some(object.namespace.clone()),
            ..ObjectMeta::default()
        },
        event_time: Some(MicroTime(now)),
        type_: Some(if said.warning { "Warning" } else { "Normal" }.to_owned()),
        reason: Some(said.reason.to_owned()),
        action: Some(said.action.to_owned()),
        note: Some(said.note.clone()),
        regarding: Some(reference(object)),
        reporting_controller: Some(notice.reporter.to_owned()),
        reporting_instance: Some(instance.to_owned()),
        ..Event::default()
    }
}
