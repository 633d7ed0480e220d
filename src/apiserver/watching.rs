//! Watches: what is there, where that is asked for, and then what happens, for as long as anybody reads.
//!
//! In: a store, a selection. Out: lines of the watch protocol. Must never know: connections.
//!
//! Nothing is made before it is read, so a reader that is slow costs no memory. One that is slower than the store
//! forgets is told that its position has expired, as by an API server, and has to list again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::unfold;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::answer::write_object;
use super::refusal::Refusal;
use super::request::{Form, WatchOptions};
use super::store::{Expired, Store};
use crate::simulator::Id;
use crate::simulator::event::{Action, Event};
use crate::simulator::state::Selection;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A watch under way.
struct Watch {
    store: Arc<Store>,
    selection: Selection,
    form: Form,
    bookmarks: bool,
    /// What is still to be shown of that which is there.
    initial: Option<Initial>,
    /// The number of the next event.
    next: u64,
    /// Nothing up to this resourceVersion is told. It may be one that is still to come: a client that has seen another
    /// history waits for it, as at an API server.
    after: u64,
    news: watch::Receiver<u64>,
    ends_at: Option<Instant>,
    bookmark_at: Instant,
    is_over: bool,
}

/// The state at the start of a watch.
struct Initial {
    first: Id,
    version: u64,
    /// Whether its end is told.
    is_marked: bool,
}

/// Bytes that are made at once.
const BATCH_BYTES: usize = 64 * 1024;

/// Objects that are shown at once of what is there.
const BATCH_OBJECTS: usize = 50;

/// How often a watch that wants bookmarks gets one: as often as from an API server.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// The longest watch; an API server ends those of which nothing else is said after half an hour or more.
const LONGEST: u64 = 1_800;

/// A watch of what is selected.
pub(super) fn watch(
    store: &Arc<Store>,
    selection: Selection,
    options: WatchOptions,
    form: Form,
) -> Result<Body, Refusal> {
    let WatchOptions { version, sends_initial, bookmarks, seconds } = options;
    let (newest, count) = store.look_now(|cluster, count| (cluster.version(), count));
    let is_initial = sends_initial || version.is_none();
    let initial = is_initial.then_some(Initial {
        first: Id(0),
        version: newest,
        is_marked: sends_initial && bookmarks,
    });
    let mut text = String::new();
    let next = match version.filter(|_| !is_initial) {
        None => Ok(count),
        Some(version) => store.position(version).map_err(|expired| Refusal::expired(version, expired.oldest)),
    };
    // An API server answers this way as well: the watch begins, and its first event is an error.
    let is_over = next.is_err();
    if let Err(refusal) = &next {
        write_error(refusal, &mut text);
    }
    let watch = Watch {
        store: Arc::clone(store),
        selection,
        form,
        bookmarks,
        initial,
        next: next.unwrap_or(count),
        after: version.filter(|_| !is_initial).unwrap_or(0),
        news: store.news(),
        ends_at: Some(end(seconds)),
        bookmark_at: Instant::now() + BOOKMARK_EVERY,
        is_over,
    };
    Ok(body(watch, text))
}

/// A watch in which nothing ever happens, and that ends after so many seconds, or with the store.
pub(super) fn nothing(store: &Arc<Store>, seconds: Option<u64>) -> Body {
    let (news, ends_at) = (store.news(), end(seconds));
    let stream = unfold(news, move |mut news| async move {
        let _ = timeout_at(ends_at, async { while news.changed().await.is_ok() {} }).await;
        None::<(Result<Frame<Bytes>, Infallible>, watch::Receiver<u64>)>
    });
    BodyExt::boxed_unsync(StreamBody::new(stream))
}

/// When a watch ends that is asked for so long.
fn end(seconds: Option<u64>) -> Instant {
    Instant::now() + Duration::from_secs(seconds.unwrap_or(LONGEST).min(LONGEST))
}

/// `text`, and then what the watch says.
fn body(watch: Watch, text: String) -> Body {
    let stream = unfold((watch, text), |(mut watch, first)| async move {
        let text = if first.is_empty() { watch.next().await? } else { first };
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(text))), (watch, String::new())))
    });
    BodyExt::boxed_unsync(StreamBody::new(stream))
}

// === impl Watch ===

impl Watch {
    /// The next lines; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        loop {
            if self.is_over {
                return None;
            }
            let mut text = String::new();
            self.news.borrow_and_update();
            match self.initial.take() {
                Some(initial) => self.show(&initial, &mut text),
                None => self.tell(&mut text),
            }
            if !text.is_empty() {
                return Some(text);
            }
            if self.initial.is_some() {
                continue;
            }
            tokio::select! {
                news = self.news.changed() => self.is_over = news.is_err(),
                () = passed(self.ends_at) => return None,
                () = sleep_until(self.bookmark_at) => {
                    self.bookmark_at = Instant::now() + BOOKMARK_EVERY;
                    if let Some(bookmark) = self.bookmark() {
                        return Some(bookmark);
                    }
                }
            }
        }
    }

    /// Some of what is there, and what is still to be shown.
    fn show(&mut self, initial: &Initial, text: &mut String) {
        let kind = self.selection.kind;
        let page = self.store.look(|cluster| cluster.page(&self.selection, initial.first, BATCH_OBJECTS));
        for body in &page.bodies {
            self.write_event("ADDED", body, text);
        }
        match page.next {
            Some(first) => self.initial = Some(Initial { first, ..*initial }),
            None if initial.is_marked => Event::bookmark(kind, initial.version, true).write(text),
            None => {}
        }
    }

    /// What has happened, as much as fits.
    fn tell(&mut self, text: &mut String) {
        let told = self.store.events_from(self.next, |event| {
            if event.kind == self.selection.kind && event.version > self.after {
                self.write(event, text);
            }
            text.len() < BATCH_BYTES
        });
        match told {
            Ok(next) => self.next = next,
            Err(Expired { oldest }) => {
                write_error(&Refusal::expired(0, oldest), text);
                self.is_over = true;
            }
        }
    }

    fn write(&self, event: &Event, text: &mut String) {
        match event.action {
            Action::Bookmark if self.bookmarks => event.write(text),
            Action::Bookmark => {}
            _ if !self.selection.matches(&event.namespace, &event.name) => {}
            Action::Added => self.write_event("ADDED", &event.body, text),
            Action::Modified => self.write_event("MODIFIED", &event.body, text),
            Action::Deleted => self.write_event("DELETED", &event.body, text),
        }
    }

    fn write_event(&self, action: &str, body: &str, text: &mut String) {
        text.push_str(&format!(r#"{{"type":"{action}","object":"#));
        write_object(self.selection.kind, body, self.form, text);
        text.push_str("}\n");
    }

    /// How far the watch has got, if that is as far as the store has.
    fn bookmark(&self) -> Option<String> {
        let (version, count) = self.store.look_now(|cluster, count| (cluster.version(), count));
        if !self.bookmarks || count != self.next || version < self.after {
            return None;
        }
        let mut text = String::new();
        Event::bookmark(self.selection.kind, version, false).write(&mut text);
        Some(text)
    }
}

async fn passed(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

fn write_error(refusal: &Refusal, text: &mut String) {
    text.push_str(&format!("{{\"type\":\"ERROR\",\"object\":{}}}\n", refusal.status()));
}
