//! Requests to answers.
//!
//! In: method, path, headers. Out: whole answers. Must never know: connections, how often anyone asks.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, AsHeaderName, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderValue, VARY,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;

use crate::admin::{Readiness, Shows, Sources, negotiate};
use crate::export::prometheus::{Format, render_with};

/// Pages rendered at once. Two, so that one great page does not keep a second scraper waiting.
const RENDERS: usize = 2;

/// What is waited for that `/readyz` names; the rest is counted.
const MOST_NAMED: usize = 100;

/// The longest name of something that is waited for, in bytes. It may come from a user's Metric.
const LONGEST_NAME: usize = 256;

/// What can be asked for.
pub(super) struct Pages {
    sources: Sources,
    shows: Shows,
    renders: Arc<Semaphore>,
}

type Answer = Response<Full<Bytes>>;

// === impl Pages ===

impl Pages {
    pub(super) fn new(sources: Sources, shows: Shows) -> Self {
        Pages { sources, shows, renders: Arc::new(Semaphore::new(RENDERS)) }
    }

    /// The answer to `request`, whose body is ignored. To HEAD the head of the answer to GET.
    pub(super) async fn answer<B>(self: &Arc<Self>, request: &Request<B>) -> Answer {
        let path = request.uri().path();
        if !self.shows.includes(path) {
            return plain(StatusCode::NOT_FOUND, "not found\n");
        }
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        let mut answer = match path {
            "/metrics" => self.metrics(request.headers()).await,
            "/readyz" => ready(&self.sources.readiness.borrow()),
            _ => plain(StatusCode::OK, "ok\n"),
        };
        if request.method() == Method::HEAD {
            *answer.body_mut() = Full::default();
        }
        answer
    }

    async fn metrics(self: &Arc<Self>, headers: &HeaderMap) -> Answer {
        let format = negotiate::format(&lines(headers, ACCEPT));
        let gzip = negotiate::gzip(&lines(headers, ACCEPT_ENCODING));
        let turn = self.renders.clone().acquire_owned().await.expect("the semaphore is never closed");
        let pages = self.clone();
        // Off the runtime's workers: a page of 100,000 series takes many times what a probe may wait. The turn goes
        // along, since the client may leave while the page is rendered.
        let rendering = tokio::task::spawn_blocking(move || {
            let page = pages.page(format, gzip);
            drop(turn);
            page
        });
        let page = rendering.await;
        let Ok(page) = page else {
            return plain(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be rendered\n");
        };
        let mut answer = whole(StatusCode::OK, format.content_type(), page);
        let headers = answer.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        if gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        answer
    }

    fn page(&self, format: Format, gzip: bool) -> Vec<u8> {
        // Cloned, not borrowed: who flushes must not wait for a page.
        let snapshot = self.sources.snapshot.borrow().clone();
        let series = snapshot.metrics.values().map(|table| table.len()).sum();
        let readings = self.sources.telemetry.readings(snapshot.metrics.len(), series);
        let mut page = String::new();
        let rendered = render_with(&snapshot, &readings, format, self.sources.profile, &mut page);
        self.sources.telemetry.count_omitted(rendered.omitted);
        if gzip { compressed(page.as_bytes()) } else { page.into_bytes() }
    }
}

/// Whether the program is ready, and otherwise what is waited for, a line each.
fn ready(readiness: &Readiness) -> Answer {
    if readiness.is_ready() {
        return plain(StatusCode::OK, "ok\n");
    }
    let mut page = "not ready, waiting for:\n".to_owned();
    for name in readiness.waiting.iter().take(MOST_NAMED) {
        let end = name.floor_char_boundary(LONGEST_NAME);
        page.extend(name[..end].chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }));
        page.push_str(if end < name.len() { "…\n" } else { "\n" });
    }
    let more = readiness.waiting.len().saturating_sub(MOST_NAMED);
    if more > 0 {
        page.push_str(&format!("and {more} more\n"));
    }
    plain(StatusCode::SERVICE_UNAVAILABLE, page)
}

fn compressed(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(page).and_then(|()| encoder.finish()).expect("writing to a Vec cannot fail")
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    whole(status, "text/plain; charset=utf-8", text)
}

/// An answer with its length, which HEAD keeps when it drops the body.
fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let body = body.into();
    let length = HeaderValue::from(body.len());
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer
}

/// The values of all lines of a header; what is not ASCII counts as absent.
fn lines(headers: &HeaderMap, name: impl AsHeaderName) -> Vec<&str> {
    headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok()).collect()
}
