//! What is asked of an API server, and what becomes of it.
//!
//! In: statuses and Events. Out: requests, and the class of how they ended. Must never know: when to ask, and whether
//! to ask again.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::{Event, EventSeries};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::Request;
use kube::{Client, Resource};
use serde_json::json;
use tokio::time::Instant;

use super::content::Content;
use super::slot::ObjectRef;
use crate::api::VERSION;

/// Who owns the fields that we write.
const FIELD_MANAGER: &str = "celemetry";

/// How long an answer may take: longer than a healthy API server ever does, and short enough that a hanging one is
/// noticed between two heartbeats.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request as the client takes it.
pub(super) type Built = Result<http::Request<Vec<u8>>, kube::core::request::Error>;

/// Why a request did not succeed: a class, and never what the API server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(super) enum Refusal {
    /// 403
    #[error("no right")]
    Forbidden,
    /// 404
    #[error("no such object")]
    NotFound,
    /// 409
    #[error("conflict")]
    Conflict,
    /// 429
    #[error("too many requests")]
    Throttled,
    /// Another 4xx.
    #[error("refused with status {0}")]
    Refused(u16),
    /// 5xx
    #[error("failed with status {0}")]
    Failed(u16),
    /// No answer, or none that can be understood.
    #[error("no answer")]
    Unanswered,
    /// No request: a name that is none.
    #[error("not a request")]
    Unspeakable,
}

/// Complaints about one kind of request: each class at most once a minute, and then with how many there were.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    classes: BTreeMap<Refusal, (Instant, u64)>,
}

const COMPLAINT_EVERY: Duration = Duration::from_secs(60);

/// Applies a status, by force: nobody else has a say in it.
///
/// It goes by name. A UID beside the name would change nothing: a custom resource's status subresource takes the status
/// out of what is applied, and ignores the rest. `pacing` knows of an object that took the name of another.
pub(super) fn apply_status(object: &ObjectRef, content: &Content) -> Built {
    let body = json!({
        "apiVersion": object.group.api_version(),
        "kind": object.kind,
        "metadata": { "name": object.name, "namespace": object.namespace },
        "status": content.json(),
    });
    let resource = resource(object);
    let request = Request::new(DynamicObject::url_path(&resource, Some(&object.namespace)));
    let params = PatchParams::apply(FIELD_MANAGER).force();
    request.patch_subresource("status", &object.name, &params, &Patch::Apply(&body))
}

/// Creates an Event.
pub(super) fn create_event(event: &Event) -> Built {
    let data = serde_json::to_vec(event).map_err(kube::core::request::Error::SerializeBody)?;
    events(event.metadata.namespace.as_deref()).create(&PostParams::default(), data)
}

/// Says of an Event that it has happened `count` times by now.
pub(super) fn repeat_event(namespace: &str, name: &str, count: i32, last: MicroTime) -> Built {
    let series = EventSeries { count, last_observed_time: last };
    events(Some(namespace)).patch(name, &PatchParams::default(), &Patch::Merge(json!({ "series": series })))
}

/// The object that an Event is about.
pub(super) fn reference(object: &ObjectRef) -> ObjectReference {
    ObjectReference {
        api_version: Some(object.group.api_version()),
        kind: Some(object.kind.to_owned()),
        name: Some(object.name.clone()),
        namespace: Some(object.namespace.clone()),
        uid: Some(object.uid.clone()),
        ..ObjectReference::default()
    }
}

/// Sends a request and waits for its end, though not for ever.
pub(super) async fn send(client: &Client, request: Built) -> Result<(), Refusal> {
    let request = request.map_err(|_| Refusal::Unspeakable)?;
    match tokio::time::timeout(PATIENCE, client.request_text(request)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(kube::Error::Api(status))) => Err(Refusal::of(status.code)),
        Ok(Err(_)) | Err(_) => Err(Refusal::Unanswered),
    }
}

fn events(namespace: Option<&str>) -> Request {
    Request::new(Event::url_path(&(), namespace))
}

fn resource(object: &ObjectRef) -> ApiResource {
    ApiResource {
        group: object.group.name().to_owned(),
        version: VERSION.to_owned(),
        api_version: object.group.api_version(),
        kind: object.kind.to_owned(),
        // The plural of every kind of ours: Metric, DataSink, RemoteClusterAccess.
        plural: format!(
            "{}{}",
            object.kind.to_lowercase(),
            if object.kind.ends_with('s') { "es" } else { "s" }
        ),
    }
}

// === impl Refusal ===

impl Refusal {
    fn of(code: u16) -> Self {
        match code {
            403 => Refusal::Forbidden,
            404 => Refusal::NotFound,
            409 => Refusal::Conflict,
            429 => Refusal::Throttled,
            400..500 => Refusal::Refused(code),
            500..600 => Refusal::Failed(code),
            _ => Refusal::Unanswered,
        }
    }
}

// === impl Complaints ===

impl Complaints {
    /// Whether to complain about this now; if so, about how many like it since the last time.
    pub(super) fn about(&mut self, refusal: Refusal, now: Instant) -> Option<u64> {
        let (next, unsaid) = self.classes.entry(refusal).or_insert((now, 0));
        *unsaid += 1;
        (*next <= now).then(|| {
            *next = now + COMPLAINT_EVERY;
            std::mem::take(unsaid)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_code_is_all_that_is_kept_of_a_refusal() {
        for (code, expected) in [
            (400, "refused with status 400"),
            (401, "refused with status 401"),
            (403, "no right"),
            (404, "no such object"),
            (409, "conflict"),
            (422, "refused with status 422"),
            (429, "too many requests"),
            (500, "failed with status 500"),
            (504, "failed with status 504"),
            (0, "no answer"),
            (302, "no answer"),
        ] {
            assert_eq!(Refusal::of(code).to_string(), expected, "{code}");
        }
    }

    #[test]
    fn each_class_is_complained_about_once_a_minute_with_what_was_not_said() {
        let (start, mut complaints) = (Instant::now(), Complaints::default());
        for (seconds, code, expected) in [
            (0, 403, Some(1)),
            (1, 403, None),
            (2, 500, Some(1)),
            (59, 403, None),
            (60, 403, Some(3)),
            (61, 500, None),
            (300, 403, Some(1)),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(complaints.about(Refusal::of(code), now), expected, "{seconds}: {code}");
        }
    }
}
