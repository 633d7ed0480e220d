//! Questions to answers.
//!
//! In: a request. Out: a whole answer, or one that goes on. Must never know: connections.

use std::convert::Infallible;
use std::sync::Arc;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::discovery;
use super::refusal::Refusal;
use super::request::{Form, ListOptions, Question, Token};
use super::store::Store;
use super::watching;
use crate::simulator::event::{self, Next, list, list_metadata};
use crate::simulator::state::{Kind, Selection};
use crate::simulator::{Cluster, Id};

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// The answer to a request, whose body is ignored.
pub(super) fn answer<B>(store: &Arc<Store>, request: &Request<B>) -> Answer {
    try_answer(store, request)
        .unwrap_or_else(|refusal| whole(refusal.code, "application/json", refusal.status()))
}

fn try_answer<B>(store: &Arc<Store>, request: &Request<B>) -> Result<Answer, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::read_only());
    }
    let accept = request.headers().get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let form = Form::accepted(accept);
    let json = |text| whole(StatusCode::OK, "application/json", text);
    Ok(match Question::read(request.uri())? {
        Question::Version => json(VERSION.to_owned()),
        Question::Health => whole(StatusCode::OK, "text/plain", "ok".to_owned()),
        Question::Groups { is_core } => {
            whole(StatusCode::OK, discovery::content_type(accept), discovery::groups(is_core, accept))
        }
        Question::Kinds { api_version } => json(discovery::kinds(&api_version)?),
        Question::Object(selection) => json(object(store, &selection, form)?),
        Question::List(selection, options) => json(a_list(store, &selection, options, form)?),
        Question::Watch(selection, options) => stream(watching::watch(store, selection, options, form)?),
        Question::Nothing { watch: Some(seconds), .. } => stream(watching::nothing(store, seconds)),
        Question::Nothing { kind, api_version, watch: None } => json(empty(store, kind, api_version, form)),
    })
}

const VERSION: &str = r#"{"major":"1","minor":"34","gitVersion":"v1.34.0-simulated","gitCommit":"","gitTreeState":"clean","buildDate":"2026-01-01T00:00:00Z","goVersion":"","compiler":"","platform":"linux/amd64"}"#;

fn object(store: &Store, selection: &Selection, form: Form) -> Result<String, Refusal> {
    let page = store.look(|cluster| cluster.page(selection, Id(0), 1));
    let name = selection.name.as_deref().unwrap_or_default();
    let missing = || Refusal::not_found(format!("{} {name:?}", selection.kind.plural()));
    let body = page.bodies.first().ok_or_else(missing)?;
    let mut text = String::new();
    write_object(selection.kind, body, form, &mut text);
    Ok(text)
}

/// Appends an object in the form that was accepted.
pub(super) fn write_object(kind: Kind, body: &str, form: Form, out: &mut String) {
    match form {
        Form::Whole => event::object(kind, body, out),
        Form::Metadata => {
            out.push_str(r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":"#);
            out.push_str(&metadata(body));
            out.push('}');
        }
    }
}

/// The metadata of an object's body.
fn metadata(body: &str) -> String {
    let object: Result<serde_json::Value, _> = serde_json::from_str(&format!("{{{body}"));
    object.map_or_else(|_| "{}".to_owned(), |object| object["metadata"].to_string())
}

fn a_list(store: &Store, selection: &Selection, options: ListOptions, form: Form) -> Result<String, Refusal> {
    let ListOptions { limit, go_on, version, is_exact } = options;
    let newest = store.look(Cluster::version);
    if let Some(version) = version.filter(|version| *version > newest) {
        return Err(Refusal::too_new(version, newest));
    }
    if let Some(version) = version.filter(|version| is_exact && *version < newest) {
        return Err(Refusal::expired(version, newest));
    }
    if let Some(Token { version, .. }) = go_on {
        store.position(version).map_err(|expired| Refusal::expired(version, expired.oldest))?;
    }
    let (begin, page, count) = store.look(|cluster| {
        let begin = go_on.unwrap_or(Token { version: cluster.version(), first: Id(0), listed: 0 });
        let page = cluster.page(selection, begin.first, limit.unwrap_or(usize::MAX));
        (begin, page, cluster.count(selection.kind))
    });
    let (version, listed) = (begin.version, begin.listed.saturating_add(page.bodies.len()));
    let is_all = *selection == Selection::all(selection.kind);
    let next = page.next.map(|first| Next {
        token: Token { version, first, listed }.to_string(),
        // Only known where nothing is selected, as of an API server.
        remaining: is_all.then_some(count.saturating_sub(listed)),
    });
    let (next, mut text) = (next.as_ref(), String::new());
    match form {
        Form::Whole => list(selection.kind, version, &page.bodies, next, &mut text),
        Form::Metadata => {
            text.push_str(r#"{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/v1","#);
            list_metadata(version, next, &mut text);
            text.push_str(r#","items":["#);
            for (at, body) in page.bodies.iter().enumerate() {
                text.push_str(if at > 0 { "," } else { "" });
                write_object(selection.kind, body, form, &mut text);
            }
            text.push_str("]}\n");
        }
    }
    Ok(text)
}

/// A list of nothing.
fn empty(store: &Store, kind: &str, api_version: &str, form: Form) -> String {
    let (kind, api_version) = match form {
        Form::Whole => (kind, api_version),
        Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1"),
    };
    let mut text = format!(r#"{{"kind":"{kind}List","apiVersion":"{api_version}","#);
    list_metadata(store.look(Cluster::version), None, &mut text);
    text.push_str(r#","items":[]}"#);
    text
}

fn whole(code: StatusCode, content_type: &'static str, text: String) -> Answer {
    let body = Full::new(Bytes::from(text)).boxed_unsync();
    with_head(code, content_type, body)
}

fn stream(body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    with_head(StatusCode::OK, "application/json", body)
}

fn with_head(code: StatusCode, content_type: &'static str, body: UnsyncBoxBody<Bytes, Infallible>) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = code;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
