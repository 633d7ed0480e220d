//! The schemas that an API server publishes of the kinds that Metrics target.
//!
//! In: kinds that somebody wants to know of, nudges when definitions change. Out: what is known of each now. Must never
//! know: Metrics.
//!
//! Nobody waits for a schema, and nothing depends on one: where the server does not answer, nothing is known. Of a
//! document only the kinds that are wanted are kept, and it is fetched again only when its path says that it has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use celemetry_engine::schema::Schema;
use kube::Client;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::{Kind, of_document};
use crate::cluster::fault::Fault;
use crate::cluster::openapi::{self, Documents};

/// What is known of a kind now; `None` for nothing.
pub type Published = watch::Receiver<Option<Arc<Schema>>>;

/// The way to the schemas of a cluster; clone it freely.
#[derive(Clone, Debug)]
pub struct PublishedSchemas {
    wants: mpsc::Sender<(Kind, oneshot::Sender<Published>)>,
}

/// Looks them up.
struct Publisher {
    client: Client,
    wants: mpsc::Receiver<(Kind, oneshot::Sender<Published>)>,
    /// Changes with every change of a definition.
    definitions: watch::Receiver<u64>,
    kinds: BTreeMap<Kind, Entry>,
    /// When to look.
    due: BTreeSet<Instant>,
    looking: Option<JoinHandle<Result<Vec<Seen>, Fault>>>,
}

struct Entry {
    schema: watch::Sender<Option<Arc<Schema>>>,
    /// The document that it is from.
    path: Option<String>,
}

/// What a look has shown of a kind: only of those whose document has changed.
struct Seen {
    kind: Kind,
    path: Option<String>,
    schema: Option<Arc<Schema>>,
}

/// What wakes the task.
enum Event {
    Wanted(Kind, oneshot::Sender<Published>),
    Redefined,
    Due,
    Looked(Result<Vec<Seen>, Fault>),
    Closed,
}

/// Requests that may wait. When full the asker waits; they are answered without a look.
const CAPACITY: usize = 64;

/// A look waits this long for others who want to know something.
const COALESCE: Duration = Duration::from_millis(100);

/// How long after a change of a definition the server is asked: it publishes what was declared a moment later.
const AFTER_DEFINITION: [Duration; 3] =
    [Duration::from_millis(500), Duration::from_secs(3), Duration::from_secs(15)];

/// How often the server is asked anyway: aggregated APIs and upgrades announce themselves nowhere.
const ANYWAY: Duration = Duration::from_secs(600);

/// The pause after a failure.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

// === impl PublishedSchemas ===

impl PublishedSchemas {
    /// The schemas of the cluster behind `client`, and what is to run for it. That ends when every handle is gone.
    pub fn new(
        client: Client,
        definitions: watch::Receiver<u64>,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (sender, wants) = mpsc::channel(CAPACITY);
        let (kinds, due) = (BTreeMap::new(), BTreeSet::new());
        let publisher = Publisher { client, wants, definitions, kinds, due, looking: None };
        (PublishedSchemas { wants: sender }, publisher.run())
    }

    /// What is known of a kind, now and later. `None` where nobody looks any more.
    pub async fn of(&self, kind: Kind) -> Option<Published> {
        let (reply, answer) = oneshot::channel();
        self.wants.send((kind, reply)).await.ok()?;
        answer.await.ok()
    }
}

// === impl Publisher ===

impl Publisher {
    async fn run(mut self) {
        loop {
            match self.next().await {
                Event::Wanted(kind, reply) => self.want(kind, reply),
                Event::Redefined => {
                    let now = Instant::now();
                    self.due.extend(AFTER_DEFINITION.map(|pause| now + pause));
                }
                Event::Due => self.look(),
                Event::Looked(seen) => self.looked(seen),
                Event::Closed => break,
            }
        }
        if let Some(looking) = self.looking {
            looking.abort();
        }
    }

    async fn next(&mut self) -> Event {
        let due = self.due.first().copied().filter(|_| self.looking.is_none());
        let tick = async {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let looked = async {
            match &mut self.looking {
                // Broken off is as good as not begun.
                Some(looking) => looking.await.unwrap_or_else(|_| Ok(vec![])),
                None => std::future::pending().await,
            }
        };
        let is_idle = self.kinds.is_empty();
        tokio::select! {
            wanted = self.wants.recv() => match wanted {
                Some((kind, reply)) => Event::Wanted(kind, reply),
                None => Event::Closed,
            },
            Ok(()) = self.definitions.changed(), if !is_idle => Event::Redefined,
            looked = looked => Event::Looked(looked),
            () = tick => Event::Due,
        }
    }

    fn want(&mut self, kind: Kind, reply: oneshot::Sender<Published>) {
        let entry = self.kinds.entry(kind).or_insert_with(|| {
            self.due.insert(Instant::now() + COALESCE);
            Entry { schema: watch::Sender::new(None), path: None }
        });
        // Refused only by an asker that has gone.
        let _ = reply.send(entry.schema.subscribe());
    }

    /// Looks for the kinds that somebody wants to know of; the others are forgotten.
    fn look(&mut self) {
        let now = Instant::now();
        self.due.retain(|at| *at > now);
        self.kinds.retain(|_, entry| entry.schema.receiver_count() > 0);
        if self.kinds.is_empty() {
            self.due.clear();
            return;
        }
        let wanted: Vec<_> =
            self.kinds.iter().map(|(kind, entry)| (kind.clone(), entry.path.clone())).collect();
        self.looking = Some(tokio::spawn(look_for(self.client.clone(), wanted)));
    }

    fn looked(&mut self, seen: Result<Vec<Seen>, Fault>) {
        self.looking = None;
        let mut pause = ANYWAY;
        match seen {
            Ok(seen) => {
                for Seen { kind, path, schema } in seen {
                    // Of a document that could not be had there is no path.
                    if path.is_none() && schema.is_none() {
                        pause = AFTER_FAILURE;
                    }
                    if let Some(entry) = self.kinds.get_mut(&kind) {
                        entry.path = path;
                        entry.schema.send_if_modified(|known| {
                            let is_other = *known != schema;
                            *known = schema;
                            is_other
                        });
                    }
                }
            }
            Err(fault) => {
                tracing::debug!(%fault, "the API server does not describe its kinds");
                pause = AFTER_FAILURE;
            }
        }
        let next = Instant::now() + pause;
        // One that is due sooner brings its successor.
        if self.due.iter().all(|at| *at > next) {
            self.due.insert(next);
        }
    }
}

/// Looks for kinds, of which each may be known from a document already.
async fn look_for(client: Client, wanted: Vec<(Kind, Option<String>)>) -> Result<Vec<Seen>, Fault> {
    let documents: Documents = openapi::documents(&client).await?;
    let mut by_path: BTreeMap<&String, Vec<Kind>> = BTreeMap::new();
    let mut seen = vec![];
    for (kind, known) in wanted {
        match documents.get(&(kind.group.clone(), kind.version.clone())) {
            Some(path) if known.as_ref() == Some(path) => {}
            Some(path) => by_path.entry(path).or_default().push(kind),
            None => seen.push(Seen { kind, path: None, schema: None }),
        }
    }
    for (path, kinds) in by_path {
        let document = openapi::document(&client, path).await;
        let found = match document {
            Ok(document) => lower(document, kinds.clone()).await,
            Err(fault) => {
                tracing::debug!(%fault, path, "the API server does not describe a kind");
                None
            }
        };
        for kind in kinds {
            let schema = found.as_ref().and_then(|found| found.get(&kind).cloned());
            let path = found.is_some().then(|| path.clone());
            seen.push(Seen { kind, path, schema });
        }
    }
    Ok(seen)
}

/// The kinds of a document, made beside everything else: a document is long.
async fn lower(document: serde_json::Value, kinds: Vec<Kind>) -> Option<BTreeMap<Kind, Arc<Schema>>> {
    let lowering = tokio::task::spawn_blocking(move || of_document(&document, |kind| kinds.contains(kind)));
    let found = lowering.await.ok()?.ok()?;
    Some(found.into_iter().map(|(kind, schema)| (kind, Arc::new(schema))).collect())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use celemetry_engine::definition::Definition;
    use celemetry_engine::schema::misfits;
    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::body::Bytes;
    use kube::client::Body;
    use serde_json::json;

    use super::*;

    #[derive(Clone, Default)]
    struct Server(Arc<Mutex<State>>);

    #[derive(Default)]
    struct State {
        /// What it answers, path by path.
        answers: BTreeMap<String, String>,
        /// What it was asked.
        asked: usize,
    }

    impl Server {
        /// From now on it describes Widgets with this field, under this hash.
        fn describe(&self, hash: &str, field: &str) {
            let path = format!("/openapi/v3/apis/shop.example/v1?hash={hash}");
            let root = json!({"paths": {"apis/shop.example/v1": {"serverRelativeURL": path}}});
            let document = json!({"components": {"schemas": {"Widget": {
                "type": "object",
                "properties": {"metadata": {"type": "object"}, field: {"type": "string"}},
                "x-kubernetes-group-version-kind": [{"group": "shop.example", "version": "v1", "kind": "Widget"}],
            }}}});
            let answers =
                BTreeMap::from([("/openapi/v3".to_owned(), root.to_string()), (path, document.to_string())]);
            self.0.lock().unwrap().answers = answers;
        }

        fn fall_silent(&self) {
            self.0.lock().unwrap().answers.clear();
        }

        /// How often it was asked since this was asked last.
        fn asked(&self) -> usize {
            std::mem::take(&mut self.0.lock().unwrap().asked)
        }

        fn client(&self) -> Client {
            let server = self.clone();
            let service = tower::service_fn(move |request: Request<Body>| {
                let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                let mut state = server.0.lock().unwrap();
                state.asked += 1;
                let (status, body) = match state.answers.get(&path) {
                    Some(answer) => (200, answer.clone()),
                    None => (404, "{}".to_owned()),
                };
                let answer = Response::builder().status(status).body(Full::new(Bytes::from(body))).unwrap();
                async move { Ok::<_, Infallible>(answer) }
            });
            Client::new(service, "default")
        }
    }

    fn widget() -> Kind {
        Kind::new("shop.example", "v1", "Widget")
    }

    /// What is found in an expression that reads the field `color`.
    fn found(published: &mut Published) -> Option<usize> {
        let schema = published.borrow_and_update().clone()?;
        Some(misfits(&Definition::count("m").filter("object.color == ''"), &schema).len())
    }

    async fn within(published: &mut Published, expected: Option<usize>, time: Duration) {
        let waited = tokio::time::timeout(time, async {
            while found(published) != expected {
                published.changed().await.unwrap();
            }
        });
        waited.await.unwrap_or_else(|_| panic!("{expected:?} in {time:?}"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_schema_follows_what_the_server_publishes() {
        let server = Server::default();
        server.describe("1", "colour");
        let (definitions, redefined) = watch::channel(0);
        let (schemas, looking) = PublishedSchemas::new(server.client(), redefined);
        let running = tokio::spawn(looking);
        let mut published = schemas.of(widget()).await.unwrap();
        let mut other = schemas.of(widget()).await.unwrap();
        assert!(found(&mut published).is_none(), "nobody waits");
        within(&mut published, Some(1), Duration::from_secs(1)).await;
        within(&mut other, Some(1), Duration::from_secs(1)).await;
        assert_eq!(server.asked(), 2, "one look for both");
        // A definition changes, and later the document.
        definitions.send_replace(1);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(server.asked(), 1, "a document that is the same is not fetched again");
        server.describe("2", "color");
        within(&mut published, Some(0), Duration::from_secs(2)).await;
        // A server that says nothing makes nobody wrong.
        server.fall_silent();
        tokio::time::sleep(ANYWAY + AFTER_FAILURE).await;
        assert_eq!(found(&mut published), Some(0));
        server.describe("3", "colour");
        within(&mut published, Some(1), AFTER_FAILURE + Duration::from_secs(1)).await;
        // Who is not looked for is not asked for.
        drop((published, other));
        tokio::time::sleep(ANYWAY).await;
        server.asked();
        tokio::time::sleep(ANYWAY * 3).await;
        assert_eq!(server.asked(), 0);
        drop(schemas);
        tokio::time::timeout(Duration::from_secs(1), running).await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_document_that_cannot_be_had_is_no_schema_and_asked_for_again() {
        let server = Server::default();
        server.describe("1", "colour");
        let path = "/openapi/v3/apis/shop.example/v1?hash=1";
        let document =
            server.0.lock().unwrap().answers.insert(path.to_owned(), "no JSON".to_owned()).unwrap();
        let (_definitions, redefined) = watch::channel(0);
        let (schemas, looking) = PublishedSchemas::new(server.client(), redefined);
        tokio::spawn(looking);
        let mut published = schemas.of(widget()).await.unwrap();
        let mut unknown = schemas.of(Kind::new("shop.example", "v1", "Gadget")).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(found(&mut published), None);
        server.0.lock().unwrap().answers.insert(path.to_owned(), document);
        within(&mut published, Some(1), AFTER_FAILURE + Duration::from_secs(1)).await;
        assert_eq!(found(&mut unknown), None);
    }
}
