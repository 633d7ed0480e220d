//! One aspect of an object's state, as Kubernetes writes it in a status.
//!
//! In: conditions as they were and as they are. Out: a type with the limits of `metav1.Condition`, every type and
//! reason that we write, and the merge that keeps times. Must never know: who sets a condition, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// [`Condition::status`]: it holds.
pub const TRUE: &str = "True";
/// [`Condition::status`]: it does not hold.
pub const FALSE: &str = "False";
/// [`Condition::status`]: nobody can say yet.
pub const UNKNOWN: &str = "Unknown";

/// The longest message that we write: what a person reads, and far below the schema's limit.
pub const LONGEST_MESSAGE: usize = 1024;

/// The types of the conditions that we write.
pub mod aspect {
    /// The object does what it is for.
    pub const READY: &str = "Ready";
    /// Values are being collected. Upstream's.
    pub const AVAILABLE: &str = "Available";
    /// Something is wrong. Upstream's, except that it is true then, and false otherwise.
    pub const ERROR: &str = "Error";
    /// The lists of all sources are complete, and kept right since.
    pub const SYNCED: &str = "Synced";
    /// Series leave as asked.
    pub const EXPORTED: &str = "Exported";
    /// Every expression compiles.
    pub const EXPRESSIONS_VALID: &str = "ExpressionsValid";
    /// Neither series nor numbers are beyond their limits.
    pub const WITHIN_LIMITS: &str = "WithinLimits";
}

/// The reasons of the conditions that we write. What each is for stands in the table of `controller::status`.
pub mod reason {
    macro_rules! reasons {
        ($($name:ident = $text:literal;)*) => {
            $(#[doc = concat!("`", $text, "`")] pub const $name: &str = $text;)*
            /// Every one, for tests.
            #[cfg(test)]
            pub const ALL: &[&str] = &[$($text),*];
        };
    }
    reasons! {
        RECONCILING = "Reconciling";
        RECONCILIATION_SUCCEEDED = "ReconciliationSucceeded";
        DATA_SINK_UNAVAILABLE = "DataSinkUnavailable";
        QUERY_CONFIG_CREATION_FAILED = "QueryConfigCreationFailed";
        OTLP_CLIENT_CREATION_FAILED = "OTLPClientCreationFailed";
        METRIC_CREATION_FAILED = "MetricCreationFailed";
        MONITORING_FAILED = "MonitoringFailed";
        METRIC_EXPORT_FAILED = "MetricExportFailed";
        INVALID_METRIC_NAME = "InvalidMetricName";
        MONITORING_ACTIVE = "MonitoringActive";
        MONITORING_INACTIVE = "MonitoringInactive";
        ERROR_DETECTED = "ErrorDetected";
        NO_ERROR = "NoError";

        INVALID_SPEC = "InvalidSpec";
        NAME_CONFLICT = "NameConflict";
        LISTING = "Listing";
        LIST_COMPLETE = "ListComplete";
        WATCH_FORBIDDEN = "WatchForbidden";
        DEGRADED = "Degraded";
        CLUSTER_UNAVAILABLE = "ClusterUnavailable";
        TARGET_NOT_FOUND = "TargetNotFound";
        TARGET_AMBIGUOUS = "TargetAmbiguous";
        TARGET_UNREACHABLE = "TargetUnreachable";
        FORBIDDEN = "Forbidden";
        STALE = "Stale";

        SCRAPE_ONLY = "ScrapeOnly";
        NOT_TRIED_YET = "NotTriedYet";
        EXPORT_SUCCEEDED = "ExportSucceeded";
        DATA_SINK_NOT_FOUND = "DataSinkNotFound";
        INVALID_DATA_SINK = "InvalidDataSink";
        INVALID_ENDPOINT = "InvalidEndpoint";
        ENDPOINT_FORBIDDEN = "EndpointForbidden";
        SECRET_NOT_FOUND = "SecretNotFound";
        SECRET_KEY_NOT_FOUND = "SecretKeyNotFound";
        SECRET_FORBIDDEN = "SecretForbidden";
        SECRET_UNREADABLE = "SecretUnreadable";
        INVALID_CREDENTIALS = "InvalidCredentials";
        ENDPOINT_REFUSED = "EndpointRefused";
        ENDPOINT_NOT_RESOLVED = "EndpointNotResolved";
        TLS_ERROR = "TLSError";
        EXPORT_TIMEOUT = "ExportTimeout";
        SINK_UNAVAILABLE = "SinkUnavailable";
        SINK_THROTTLED = "SinkThrottled";
        UNAUTHENTICATED = "Unauthenticated";
        PERMISSION_DENIED = "PermissionDenied";
        ENDPOINT_NOT_FOUND = "EndpointNotFound";
        EXPORT_REJECTED = "ExportRejected";
        POINTS_REJECTED = "PointsRejected";
        REQUEST_TOO_LARGE = "RequestTooLarge";
        INVALID_RESPONSE = "InvalidResponse";

        VALID = "Valid";
        VALID_WITH_WARNINGS = "ValidWithWarnings";
        EVALUATION_ERRORS = "EvaluationErrors";
        INVALID_EXPRESSION = "InvalidExpression";
        WITHIN_LIMITS = "WithinLimits";
        SERIES_LIMIT_EXCEEDED = "SeriesLimitExceeded";
        SUM_BEYOND_64_BITS = "SumBeyond64Bits";
    }
}

/// One aspect of an object's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(!default, extend("required" = ["lastTransitionTime", "message", "reason", "status", "type"]))]
pub struct Condition {
    /// The aspect, in CamelCase.
    #[serde(rename = "type")]
    #[schemars(extend("maxLength" = 316, "pattern" = TYPE_PATTERN))]
    pub type_: String,
    /// `True`, `False` or `Unknown`.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// Why, as one word for programs.
    #[schemars(extend(
        "minLength" = 1,
        "maxLength" = 1024,
        "pattern" = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
    ))]
    pub reason: String,
    /// Why, for people. May be empty.
    #[schemars(extend("maxLength" = 32768))]
    pub message: String,
    /// When the status last changed, as RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub last_transition_time: String,
    /// The generation of the spec that this was seen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0))]
    pub observed_generation: Option<i64>,
}

/// An optional DNS subdomain and a slash, then a name: the pattern of `metav1.Condition`.
const TYPE_PATTERN: &str = concat!(
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?",
    r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$",
);

// === impl Condition ===

impl Condition {
    /// The condition of a type, if it is there.
    pub fn find<'c>(conditions: &'c [Condition], aspect: &str) -> Option<&'c Condition> {
        conditions.iter().find(|condition| condition.type_ == aspect)
    }

    /// Gives every condition of `next` the time of its last transition: where `previous` has the same type with the
    /// same status, its time stays. Types that `next` does not hold are gone, so that none is left behind untended.
    pub fn merge(previous: &[Condition], mut next: Vec<Condition>) -> Vec<Condition> {
        for condition in &mut next {
            if let Some(known) = Condition::find(previous, &condition.type_)
                && known.status == condition.status
                && !known.last_transition_time.is_empty()
            {
                condition.last_transition_time.clone_from(&known.last_transition_time);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(aspect: &str, status: &str, reason: &str, time: &str) -> Condition {
        Condition {
            type_: aspect.into(),
            status: status.into(),
            reason: reason.into(),
            message: format!("{reason} at {time}"),
            last_transition_time: time.into(),
            observed_generation: Some(1),
        }
    }

    /// What the merge of one previous condition with one next one says: reason, message, time.
    fn merged(previous: Condition, next: Condition) -> [String; 3] {
        let [merged] = Condition::merge(&[previous], vec![next]).try_into().expect("one for one");
        [merged.reason, merged.message, merged.last_transition_time]
    }

    #[test]
    fn the_time_moves_only_when_the_status_flips() {
        for (status, reason, expected) in [
            ("True", "A", ["A", "A at 2", "1"]),
            ("True", "B", ["B", "B at 2", "1"]),
            ("False", "A", ["A", "A at 2", "2"]),
            ("Unknown", "B", ["B", "B at 2", "2"]),
        ] {
            let previous = condition("Ready", "True", "A", "1");
            assert_eq!(
                merged(previous, condition("Ready", status, reason, "2")),
                expected,
                "{status} {reason}"
            );
        }
    }

    #[test]
    fn a_new_type_keeps_its_own_time_and_an_old_one_goes() {
        let previous = [condition("Creating", "True", "A", "1")];
        let next = vec![condition("Ready", "True", "A", "2")];
        assert_eq!(Condition::merge(&previous, next.clone()), next);
    }

    #[test]
    fn a_previous_condition_without_a_time_gives_none() {
        let next = condition("Ready", "True", "A", "2");
        assert_eq!(merged(condition("Ready", "True", "A", ""), next)[2], "2");
    }

    #[test]
    fn reasons_are_words_that_the_schema_takes() {
        for reason in reason::ALL {
            assert!(reason.chars().all(|c| c.is_ascii_alphanumeric()), "{reason}");
            assert!(reason.starts_with(|c: char| c.is_ascii_uppercase()), "{reason}");
            assert_eq!(reason::ALL.iter().filter(|other| *other == reason).count(), 1, "{reason}");
        }
    }
}
