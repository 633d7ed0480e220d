//! One DataSink for as long as it is declared.
//!
//! In: the DataSink as it is written, its Secrets, the health of its pipeline. Out: the pipeline, what metrics see of it,
//! its status. Must never know: other DataSinks, metrics.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{Instrument, Span};

use super::credentials::{Refusal, read_target};
use super::health::sink_state;
use super::{DATA_SINK, SinkView};
use crate::api::{DataSink, DataSinkStatus};
use crate::cluster::fault::{Fault, FaultClass};
use crate::controller::declared::ObjectName;
use crate::controller::defect::{defect, of_manifest};
use crate::controller::lower::LowerError;
use crate::controller::manifest::{Manifest, ManifestObject, read_manifest};
use crate::controller::status::{
    DataSinkFacts, DataSinkStatusSlot, ObjectRef, SinkDefect, SinkState, StatusHandle,
};
use crate::export::pipeline::{Exporter, Health, Sink};
use crate::telemetry::span;

/// The task of one DataSink.
pub(super) struct SinkTask {
    client: Client,
    exporter: Exporter,
    status: StatusHandle,
    name: ObjectName,
    view: watch::Sender<SinkView>,
    pipeline: Option<Sink>,
    /// How many pipelines there have been.
    opened: u64,
    /// What must be mended before anything can be sent.
    defect: Option<SinkDefect>,
}

/// The DataSink as it is written, and since when it is.
struct Written {
    sink: Result<Box<DataSink>, Vec<LowerError>>,
    generation: i64,
    since: Timestamp,
}

/// How often Secrets are read again, to notice that one was changed.
const REREAD: Duration = Duration::from_secs(60);

/// How often Secrets are read while one is missing or refused: somebody is waiting then.
const REREAD_WHILE_AMISS: Duration = Duration::from_secs(5);

/// How long Secrets may take to be read.
const READ_PATIENCE: Duration = Duration::from_secs(15);

// === impl SinkTask ===

impl SinkTask {
    pub(super) fn new(
        client: &Client,
        exporter: &Exporter,
        status: &StatusHandle,
        name: ObjectName,
        view: watch::Sender<SinkView>,
    ) -> Self {
        let (client, exporter, status) = (client.clone(), exporter.clone(), status.clone());
        SinkTask { client, exporter, status, name, view, pipeline: None, opened: 0, defect: None }
    }

    /// Runs until the DataSink is gone.
    pub(super) async fn run(
        mut self,
        mut declared: watch::Receiver<Arc<Value>>,
        mut stored: watch::Receiver<Arc<Value>>,
    ) {
        let mut written = Written::new(&declared.borrow_and_update());
        let mut slot = self.slot(&declared.borrow());
        let mut reread_at = Instant::now();
        loop {
            if reread_at <= Instant::now() {
                let traced = span::reconcile(DATA_SINK.kind, &self.name.namespace, &self.name.name);
                let is_known = self.read(&written).instrument(traced).await;
                let amiss = !is_known || self.defect.is_some() || self.is_refused();
                reread_at = Instant::now() + if amiss { REREAD_WHILE_AMISS } else { REREAD };
            }
            let health = self.pipeline.as_ref().map(Sink::health);
            let state = health.as_ref().map(|health| sink_state(&health.borrow()));
            self.report(&written, &mut slot, state.as_ref());
            tokio::select! {
                changed = declared.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    written = Written::new(&declared.borrow_and_update());
                    reread_at = Instant::now();
                }
                () = state_changed(health, state) => {
                    if self.is_refused() {
                        // Refused credentials may have been replaced.
                        reread_at = reread_at.min(Instant::now() + REREAD_WHILE_AMISS);
                    }
                }
                Ok(()) = stored.changed(), if slot.follows() => {
                    if let Ok(status) = serde_json::from_value(stored.borrow_and_update()["status"].clone()) {
                        slot.stored(&status);
                    }
                }
                () = sleep_until(reread_at) => {}
            }
        }
    }

    fn slot(&self, value: &Value) -> DataSinkStatusSlot {
        let previous: Option<DataSinkStatus> = serde_json::from_value(value["status"].clone()).ok();
        self.status.data_sink(object_ref(&self.name, value), previous.as_ref())
    }

    /// Reads what the DataSink names and tells the pipeline. What is certainly amiss ends the pipeline: a Secret that was
    /// deleted was meant to be. Where the API server cannot be asked everything stays as it is, which gives false.
    async fn read(&mut self, written: &Written) -> bool {
        let target = match &written.sink {
            Err(_) => Err(Refusal::Defect(SinkDefect::InvalidDataSink { name: self.name.name.clone() })),
            Ok(sink) => match timeout(READ_PATIENCE, read_target(&self.client, sink)).await {
                Ok(target) => target,
                Err(_) => {
                    let fault = Fault::new(FaultClass::Unreachable, "the API server does not answer");
                    Err(Refusal::Unknown { secret: None, fault })
                }
            },
        };
        match target {
            Ok(target) => {
                self.defect = None;
                match &self.pipeline {
                    Some(pipeline) => pipeline.set_target(target),
                    None => {
                        self.opened += 1;
                        self.pipeline = Some(self.exporter.open(&self.name.to_string(), target));
                    }
                }
            }
            Err(Refusal::Defect(defect)) => {
                span::failed(&Span::current());
                self.defect = Some(defect);
                self.pipeline = None;
            }
            Err(Refusal::Unknown { secret, fault }) => {
                span::failed(&Span::current());
                tracing::warn!(sink = %self.name, %fault, "Secrets cannot be read");
                // What was found amiss before stands.
                if self.pipeline.is_none() && self.defect.is_none() {
                    self.defect = secret.map(|name| SinkDefect::SecretUnreadable { name });
                }
                return false;
            }
        }
        true
    }

    fn is_refused(&self) -> bool {
        self.pipeline.as_ref().is_some_and(|pipeline| pipeline.health().borrow().credentials_refused)
    }

    fn report(&self, written: &Written, slot: &mut DataSinkStatusSlot, state: Option<&SinkState>) {
        let state = match (&self.defect, state) {
            (Some(defect), _) => SinkState::Unusable(defect.clone()),
            (None, None) => SinkState::NotRead,
            (None, Some(state)) => state.clone(),
        };
        slot.set(&DataSinkFacts {
            generation: written.generation,
            now: Timestamp::now(),
            known_since: written.since,
            state: state.clone(),
            errors: written.errors(),
        });
        let pipeline = self.pipeline.as_ref().map(Sink::handle);
        let opened = self.opened;
        self.view.send_if_modified(|view| {
            let same =
                view.state == state && view.opened == opened && view.pipeline.is_some() == pipeline.is_some();
            *view = SinkView { pipeline, opened, state };
            !same
        });
    }
}

/// Waits until a pipeline's state is no more what it was; for ever where there is no pipeline.
async fn state_changed(health: Option<watch::Receiver<Health>>, was: Option<SinkState>) {
    let Some(mut health) = health else { return std::future::pending().await };
    if health.wait_for(|health| Some(sink_state(health)) != was).await.is_err() {
        // A pipeline that has ended by itself is not opened again before the DataSink changes.
        std::future::pending::<()>().await;
    }
}

/// Identifies an object for its status.
pub(in crate::controller) fn object_ref(name: &ObjectName, value: &Value) -> ObjectRef {
    let kind = if value["kind"] == "DataSink" { "DataSink" } else { "Metric" };
    ObjectRef {
        group: name.group,
        kind,
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        uid: value["metadata"]["uid"].as_str().unwrap_or_default().to_owned(),
    }
}

// === impl Written ===

impl Written {
    fn new(value: &Value) -> Self {
        let sink = match read_manifest(value.clone()) {
            Ok(Manifest { object: ManifestObject::DataSink(sink), .. }) => Ok(sink),
            Ok(_) => Err(vec![defect("kind", "is no DataSink")]),
            Err(errors) => Err(errors.into_iter().map(of_manifest).collect()),
        };
        let generation = value["metadata"]["generation"].as_i64().unwrap_or_default();
        Written { sink, generation, since: Timestamp::now() }
    }

    fn errors(&self) -> Vec<LowerError> {
        self.sink.as_ref().err().cloned().unwrap_or_default()
    }
}
