//! A Metric as it was written last, and what it means.
//!
//! In: the object as JSON, settings. Out: what is to be registered, watched and routed, or every defect. Must never
//! know: whether any of that is possible now.

use std::collections::BTreeSet;
use std::time::Duration;

use celemetry_engine::snapshot::MetricShape;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use super::Settings;
use crate::api;
use crate::cluster::informer::Mode as Observing;
use crate::cluster::manager::Wanted;
use crate::cluster::target::Target;
use crate::controller::defect::{defect, of_manifest};
use crate::controller::lower::{
    BaseAttributes, LowerError, LowerOptions, Lowered, Mode, Objects, lower_in_part,
};
use crate::controller::manifest::{Manifest, ManifestObject, read_manifest};
use crate::controller::status::MetricFacts;
use crate::controller::tenancy::Tenancy;

/// A Metric as it was written last.
#[derive(Debug)]
pub(super) struct Declaration {
    /// The Metric, where it could be read.
    pub(super) metric: Option<Box<api::Metric>>,
    pub(super) generation: i64,
    /// When this process first saw this generation.
    pub(super) known_since: Timestamp,
    /// Unix seconds of the Metric's creation.
    pub(super) created: i64,
    /// What it means; `None` with a defect.
    pub(super) lowered: Option<Lowered>,
    /// Every defect.
    pub(super) errors: Vec<LowerError>,
    /// What was ignored, and whatever else the user should know.
    pub(super) warnings: Vec<String>,
}

// === impl Declaration ===

impl Declaration {
    /// Reads and lowers a Metric. `selectable` are the fields by which the server selects the target's objects.
    pub(super) fn new(value: &Value, settings: &Settings, selectable: &[String]) -> Self {
        let mut declaration = Declaration {
            metric: None,
            generation: generation(value),
            known_since: Timestamp::now(),
            created: created(value),
            lowered: None,
            errors: vec![],
            warnings: vec![],
        };
        match read_manifest(value.clone()) {
            Ok(Manifest { object: ManifestObject::Metric(metric), warnings }) => {
                declaration.warnings = warnings.iter().map(ToString::to_string).collect();
                declaration.metric = Some(metric);
                declaration.lower(settings, selectable);
            }
            Ok(_) => declaration.errors.push(defect("kind", "is no Metric")),
            Err(errors) => declaration.errors.extend(errors.into_iter().map(of_manifest)),
        }
        declaration
    }

    /// A Metric on which the program has failed.
    pub(super) fn broken(value: &Value) -> Self {
        let message = "celemetry itself fails on this Metric: that is a defect of celemetry, see its log";
        Declaration {
            metric: None,
            generation: generation(value),
            known_since: Timestamp::now(),
            created: created(value),
            lowered: None,
            errors: vec![defect("spec", message)],
            warnings: vec![],
        }
    }

    /// What there is to tell of a Metric that is nothing but declared.
    pub(super) fn facts(&self) -> MetricFacts {
        let now = Timestamp::now();
        MetricFacts {
            known_since: self.known_since,
            reconciled: true,
            errors: self.errors.clone(),
            warnings: self.warnings.clone(),
            ..MetricFacts::first_sight(self.generation, Mode::EventDriven, now)
        }
    }

    /// Lowers the Metric anew, because other fields are known to be selectable.
    pub(super) fn lower(&mut self, settings: &Settings, selectable: &[String]) {
        let Some(metric) = &self.metric else { return };
        let options = LowerOptions {
            profile: settings.profile,
            objects: Objects::Cluster,
            default_mode: settings.default_mode,
            allow_secret_data: settings.allow_secret_data,
            selectable_fields: selectable,
            base_attributes: BaseAttributes::Added { cluster: &settings.cluster },
        };
        let (lowered, mut errors) = lower_in_part(metric, options);
        if lowered.remote.is_some() {
            let message = "objects of other clusters cannot be followed yet";
            errors.push(defect("spec.remoteClusterAccessRef", message));
        }
        self.warnings.extend(lowered.warnings.iter().map(ToString::to_string));
        self.warnings.dedup();
        self.lowered = errors.is_empty().then_some(lowered);
        self.errors = errors;
    }

    /// The namespaces whose objects count, as far as names and tenancy say; `None` for all.
    pub(super) fn namespaces_of_tenant(&self, tenancy: Tenancy) -> Option<BTreeSet<String>> {
        let metric = self.metric.as_ref().filter(|_| tenancy == Tenancy::Namespaced)?;
        Some(BTreeSet::from([metric.namespace().to_owned()]))
    }

    /// The namespace of the DataSink that the Metric names: the process's, or where tenants are kept apart its own.
    pub(super) fn namespace_of_sinks(&self, settings: &Settings) -> String {
        match (settings.tenancy, &self.metric) {
            (Tenancy::Namespaced, Some(metric)) => metric.namespace().to_owned(),
            _ => settings.config_namespace.clone(),
        }
    }
}

/// No kind is listed more often than this, whatever an interval says: a list is dear to an API server.
const SHORTEST_PERIOD: Duration = Duration::from_secs(1);

/// Which objects a lowered metric looks at.
pub(super) fn wanted(lowered: &Lowered) -> Wanted {
    let target = &lowered.target;
    Wanted {
        target: Target::new(target.group.as_deref(), target.version.as_deref(), target.kind.as_deref()),
        field_selector: lowered.field_selector.clone(),
        metadata_only: lowered.metadata_only,
        mode: match lowered.mode {
            Mode::EventDriven => Observing::Watch,
            Mode::Polling => Observing::Poll(lowered.interval.max(SHORTEST_PERIOD)),
        },
    }
}

/// What the numbers of a lowered metric are.
pub(super) fn shape(lowered: &Lowered) -> MetricShape {
    MetricShape::of(&lowered.definition)
}

fn generation(value: &Value) -> i64 {
    value["metadata"]["generation"].as_i64().unwrap_or_default()
}

fn created(value: &Value) -> i64 {
    let text = value["metadata"]["creationTimestamp"].as_str().unwrap_or_default();
    text.parse::<Timestamp>().map(Timestamp::as_second).unwrap_or(i64::MAX)
}
