//! A list, page by page, read beside whatever else goes on.
//!
//! In: a collection. Out: pages, taken apart into items. Must never know: field plans, changes.
//!
//! Memory holds a page that is decoded, one that waits and one that arrives: while nobody takes pages, none is asked for.
//! Pages hold fewer objects where those are large.

use std::ops::Range;

use celemetry_engine::row::List;
use kube::Client;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};

use crate::cluster::answer::fetch;
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::resource::{Collection, PageRequest};
use crate::telemetry::span;

/// A list under way. Dropping it ends the reading.
#[derive(Debug)]
pub(super) struct Lister {
    pages: mpsc::Receiver<Result<Page, Fault>>,
    task: JoinHandle<()>,
}

/// A part of a list.
#[derive(Debug)]
pub(super) struct Page {
    bytes: Vec<u8>,
    items: Vec<Range<usize>>,
    /// The position in history that the whole list is of.
    pub(super) position: String,
    /// Whether no page follows.
    pub(super) last: bool,
}

/// How a list is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Only this namespace.
    pub(super) namespace: Option<String>,
    /// Objects a page; `None` is all at once, for servers whose history is too short for the pages of a list.
    pub(super) page_size: Option<u32>,
}

/// A page beyond this is followed by one of half as many objects. 500 Pods are about 3 MB.
const LARGE_PAGE: usize = 16 << 20;

/// Fewer objects a page are not asked for: an object has at most 1.5 MB.
const SMALLEST_PAGE: u32 = 10;

// === impl Lister ===

impl Lister {
    /// Begins to read.
    pub(super) fn start(client: Client, collection: Collection, listing: Listing) -> Self {
        // One page waits while the next arrives. When full the reading waits.
        let (sender, pages) = mpsc::channel(1);
        let span = span::list(&collection.resource.to_string());
        let reading = async move {
            let mut request = PageRequest {
                namespace: listing.namespace,
                limit: listing.page_size,
                ..PageRequest::default()
            };
            loop {
                let page = read_page(&client, &collection, &request).await;
                let bytes = page.as_ref().map_or(0, |(page, _)| page.bytes.len());
                request.limit = request.limit.map(|limit| next_limit(limit, bytes));
                request.go_on = page.as_ref().ok().and_then(|(_, go_on)| go_on.clone());
                let over = request.go_on.is_none();
                if page.is_err() {
                    span::failed(&Span::current());
                }
                // Refused only where nobody wants the list any more.
                if sender.send(page.map(|(page, _)| page)).await.is_err() || over {
                    return;
                }
            }
        };
        Lister { pages, task: tokio::spawn(reading.instrument(span)) }
    }

    /// The next page; `None` after the last one or a failure. May be dropped before it is ready without losing any.
    pub(super) async fn next(&mut self) -> Option<Result<Page, Fault>> {
        self.pages.recv().await
    }
}

impl Drop for Lister {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The objects of the page after one of `bytes`.
fn next_limit(limit: u32, bytes: usize) -> u32 {
    if bytes > LARGE_PAGE { (limit / 2).max(SMALLEST_PAGE) } else { limit }
}

async fn read_page(
    client: &Client,
    collection: &Collection,
    request: &PageRequest,
) -> Result<(Page, Option<String>), Fault> {
    let bytes = fetch(client, collection.list(request)?).await?;
    let malformed = |what: &str| Fault::new(FaultClass::Malformed, format!("the answer to a LIST {what}"));
    let list = List::split(&bytes).map_err(|error| malformed(&format!("is not JSON: {error}")))?;
    let list = list.ok_or_else(|| malformed("is no list"))?;
    let go_on = Some(list.go_on).filter(|go_on| !go_on.is_empty());
    let start = bytes.as_ptr() as usize;
    let range = |item: &&[u8]| {
        let at = item.as_ptr() as usize - start;
        at..at + item.len()
    };
    let items = list.items.iter().map(range).collect();
    let page = Page { items, position: list.resource_version, last: go_on.is_none(), bytes };
    Ok((page, go_on))
}

// === impl Page ===

impl Page {
    /// The bytes of every object.
    pub(super) fn items(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().map(|range| &self.bytes[range.clone()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_while_they_are_large() {
        assert_eq!(next_limit(500, 3 << 20), 500);
        let limits: Vec<_> =
            std::iter::successors(Some(500), |limit| Some(next_limit(*limit, 500 << 20))).take(8).collect();
        assert_eq!(limits, [500, 250, 125, 62, 31, 15, 10, 10]);
    }
}
