//! What is known of a declared object when its status is computed: plain values, no handles.
//!
//! In: nothing. Out: types that a controller fills. Must never know: how anything was found out. Texts in here are in
//! our own words: never what a sink or a cluster answered, never the contents of an object or a Secret.

use std::time::Duration;

use celemetry_engine::MetricStatus;
use k8s_openapi::jiff::Timestamp;

use crate::controller::{LowerError, Mode};

/// What is known of a Metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricFacts {
    /// The generation of the spec that all of this is about.
    pub generation: i64,
    /// By watching or by listing, as the spec and the process ask for.
    pub mode: Mode,
    /// The time.
    pub now: Timestamp,
    /// When this process first saw this generation.
    pub known_since: Timestamp,
    /// Whether this generation was looked at; if not, the facts below say nothing yet.
    pub reconciled: bool,
    /// Every defect of the spec, those that only compiling finds included.
    pub errors: Vec<LowerError>,
    /// What the user should know although it is no error; each begins with its place.
    pub warnings: Vec<String>,
    /// Whether the metric may use its name.
    pub name: NameState,
    /// Where its objects come from.
    pub target: TargetState,
    /// Whether every source has had a complete list under the definition of this generation.
    pub first_list_complete: bool,
    /// Where its series go.
    pub sink: SinkState,
    /// What the engine knows of it; `None` while it is not registered.
    pub engine: Option<MetricStatus>,
    /// When its series last reached the sink.
    pub last_export: Option<Timestamp>,
    /// What finding its target cost.
    pub lookup: Option<Lookup>,
}

/// Whether a metric may use its name. The texts are for its author.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum NameState {
    /// It may.
    #[default]
    Free,
    /// An older metric has the name, or one that is the same in Prometheus.
    Taken(String),
    /// Nobody may: the name is celemetry's own, or none in Prometheus.
    Invalid(String),
}

/// Where the objects of a metric come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// Discovery has not answered yet.
    #[default]
    Pending,
    /// The cluster cannot be addressed at all.
    NoCluster {
        /// Why.
        message: String,
    },
    /// The cluster has no such kind.
    NotFound {
        /// What was looked for, such as `Widget.example.com/v1`.
        wanted: String,
    },
    /// The cluster has several such kinds, of which one is needed.
    Ambiguous {
        /// What was found.
        candidates: Vec<String>,
    },
    /// These.
    Resolved {
        /// One for each kind and scope.
        sources: Vec<SourceFacts>,
    },
}

/// What is known of one source of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFacts {
    /// What it is, for people, such as `pods.v1` or `pods.v1 in namespace shop`.
    pub name: String,
    /// How it does.
    pub state: SourceState,
    /// Since when it does so.
    pub since: Timestamp,
    /// Whether its series were taken back because nothing was heard from it for too long.
    pub withdrawn: bool,
}

/// How a source does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceState {
    /// It lists, and has no complete list behind it.
    Listing,
    /// It is watched.
    Live,
    /// It is listed every interval, as asked for.
    Polled,
    /// It is listed every minute, because there is no right to watch.
    ListOnly,
    /// It works, with a reservation.
    Degraded {
        /// The reservation.
        message: String,
    },
    /// It does not work. What it gave before stands until it is withdrawn.
    Failed {
        /// What is wrong.
        fault: SourceFault,
        /// More about it; may be empty.
        message: String,
    },
}

/// What is wrong with a source; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceFault {
    /// There is no right to list.
    Forbidden,
    /// The API server does not serve it, or not any more.
    NotFound,
    /// The API server does not answer, or not usefully.
    Unreachable,
}

/// What finding a target cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    /// How long the last discovery took.
    pub duration: Duration,
    /// How often the answer was known already.
    pub cache_hits: u64,
}

/// What is known of a DataSink.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSinkFacts {
    /// The generation of the spec that all of this is about.
    pub generation: i64,
    /// The time.
    pub now: Timestamp,
    /// When this process first saw this generation.
    pub known_since: Timestamp,
    /// Every defect of the spec.
    pub errors: Vec<LowerError>,
    /// How it does; [`SinkState::NotAsked`] while it was not looked at.
    pub state: SinkState,
}

/// How the way out does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SinkState {
    /// Nobody asks for one.
    #[default]
    NotAsked,
    /// Whether it can be tried is still being read: the DataSink, or its Secrets.
    NotRead,
    /// It cannot even be tried.
    Unusable(SinkDefect),
    /// It can be tried, and was not yet.
    NotTried,
    /// The last request was taken.
    Healthy,
    /// The last request was not taken.
    Failing {
        /// What happened to it.
        failure: ExportFailure,
        /// Since when requests fail.
        since: Timestamp,
    },
}

/// Why a sink cannot even be tried. Names are `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkDefect {
    /// There is no such DataSink.
    DataSinkNotFound {
        /// Its name.
        name: String,
    },
    /// The DataSink's spec is defective; its own status says how.
    InvalidDataSink {
        /// Its name.
        name: String,
    },
    /// The endpoint is none.
    InvalidEndpoint {
        /// Why.
        message: String,
    },
    /// The endpoint is at an address that sinks may not have.
    ForbiddenAddress {
        /// The host as written.
        host: String,
    },
    /// There is no such Secret.
    SecretNotFound {
        /// Its name.
        name: String,
    },
    /// The Secret has no such key.
    SecretKeyNotFound {
        /// Its name.
        name: String,
        /// The key.
        key: String,
    },
    /// There is no right to read the Secret.
    SecretForbidden {
        /// Its name.
        name: String,
    },
    /// The Secret could not be read for another reason: the API server does not answer.
    SecretUnreadable {
        /// Its name.
        name: String,
    },
    /// What the Secret holds cannot be used: no certificate, not one line, no text.
    InvalidCredentials {
        /// Its name.
        name: String,
        /// What is wrong, without a word of its contents.
        message: String,
    },
}

/// What happened to the last request: a class, never what the other side said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExportFailure {
    /// No connection: refused, reset, no route.
    Refused,
    /// The host has no address.
    NotResolved,
    /// The host's address is one that sinks may not have.
    ForbiddenAddress,
    /// No trust: the certificate is of another name.
    CertificateName,
    /// No trust: the certificate is not valid now.
    CertificateExpired,
    /// No trust: the certificate comes from nobody who is trusted.
    CertificateUntrusted,
    /// TLS fails in another way; perhaps nobody speaks it there.
    Tls,
    /// No answer in time.
    Timeout,
    /// The sink says that it cannot serve for now.
    Unavailable,
    /// The sink asks for fewer requests.
    Throttled,
    /// The sink does not know the credentials: an API key, or a client certificate.
    Unauthenticated,
    /// The sink knows the credentials, and they do not suffice.
    PermissionDenied,
    /// There is nothing at the endpoint's path.
    NotFound,
    /// The sink refuses the request for good.
    Rejected,
    /// The sink took the request, but not all of its points.
    PointsRejected,
    /// A single point is beyond what the sink takes at once.
    TooLarge,
    /// The answer is none of OTLP's.
    InvalidResponse,
}

// === impl MetricFacts ===

impl MetricFacts {
    /// All that is known of a generation at first sight.
    pub fn first_sight(generation: i64, mode: Mode, now: Timestamp) -> Self {
        MetricFacts {
            generation,
            mode,
            now,
            known_since: now,
            reconciled: false,
            errors: vec![],
            warnings: vec![],
            name: NameState::default(),
            target: TargetState::default(),
            first_list_complete: false,
            sink: SinkState::default(),
            engine: None,
            last_export: None,
            lookup: None,
        }
    }

    /// Its sources, as far as they are known.
    pub(super) fn sources(&self) -> &[SourceFacts] {
        match &self.target {
            TargetState::Resolved { sources } => sources,
            _ => &[],
        }
    }
}
