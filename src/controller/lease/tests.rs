//! Candidates against an API server in memory, on a paused clock.

use std::sync::Mutex;
use std::task::{Context, Poll};

use futures_util::stream;
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tower_service::Service;

use super::*;

/// An API server that knows one Lease.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    lease: Option<Value>,
    version: u64,
    /// Nobody may watch.
    blind: bool,
    /// Requests are taken and never answered.
    dead: bool,
    requests: Vec<String>,
    watches: Vec<mpsc::UnboundedSender<Value>>,
}

type Answer = Response<UnsyncBoxBody<Bytes, std::io::Error>>;

impl Service<Request<Body>> for Server {
    type Response = Answer;
    type Error = std::io::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = std::io::Result<Answer>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let server = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            if server.0.lock().unwrap().dead {
                return std::future::pending().await;
            }
            Ok(server.0.lock().unwrap().answer(&head.method, &head.uri.to_string(), &body))
        })
    }
}

impl Shelf {
    fn answer(&mut self, method: &Method, uri: &str, body: &[u8]) -> Answer {
        let watches = uri.contains("watch=");
        self.requests.push(format!("{}{method}", if watches { "WATCH " } else { "" }));
        let written: Value = serde_json::from_slice(body).unwrap_or_default();
        let version = json!(self.version.to_string());
        match method.as_str() {
            "GET" if watches && self.blind => refusal(403),
            "GET" if watches => self.watch(),
            "GET" => self.lease.clone().map_or_else(|| refusal(404), |lease| good(&lease)),
            "POST" if self.lease.is_some() => refusal(409),
            "PUT" if self.lease.is_none() => refusal(404),
            "PUT" if written["metadata"]["resourceVersion"] != version => refusal(409),
            _ => good(&self.store(written)),
        }
    }

    fn store(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        let event = json!({ "type": "MODIFIED", "object": lease });
        self.watches.retain(|watch| watch.send(event.clone()).is_ok());
        lease
    }

    fn watch(&mut self) -> Answer {
        let (sender, receiver) = mpsc::unbounded_channel::<Value>();
        self.watches.push(sender);
        let lines = stream::unfold(receiver, |mut receiver| async move {
            let event = receiver.recv().await?;
            Some((Ok::<_, std::io::Error>(Frame::data(Bytes::from(format!("{event}\n")))), receiver))
        });
        Response::new(StreamBody::new(lines).boxed_unsync())
    }
}

fn good(value: &Value) -> Answer {
    let body = Full::new(Bytes::from(value.to_string()));
    Response::new(body.map_err(|never| match never {}).boxed_unsync())
}

fn refusal(code: u16) -> Answer {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        _ => "Conflict",
    };
    let status =
        json!({ "kind": "Status", "status": "Failure", "code": code, "message": "", "reason": reason });
    let mut answer = good(&status);
    *answer.status_mut() = http::StatusCode::from_u16(code).unwrap();
    answer
}

impl Server {
    fn stand(&self, identity: &str) -> Election {
        let settings = Settings {
            namespace: "operator".to_owned(),
            name: LEASE.to_owned(),
            identity: identity.to_owned(),
            terms: Terms::default(),
        };
        elect(Client::new(self.clone(), "operator"), settings)
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, Shelf> {
        self.0.lock().unwrap()
    }

    fn spec(&self, field: &str) -> Value {
        self.shelf().lease.as_ref().map(|lease| lease["spec"][field].clone()).unwrap_or_default()
    }
}

/// Waits, on the paused clock, and says how long it took.
async fn leads(election: &Election, wanted: bool) -> Duration {
    let began = Instant::now();
    let mut leads = election.leadership().watch();
    timeout(Duration::from_secs(3_600), leads.wait_for(|leads| *leads == wanted)).await.unwrap().unwrap();
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_first_candidate_leads_and_writes_what_kubectl_shows() {
    let server = Server::default();
    let first = server.stand("first");
    assert!(leads(&first, true).await < Duration::from_secs(1));
    assert!(first.leadership().holds());
    assert_eq!(server.spec("holderIdentity"), "first");
    assert_eq!(server.spec("leaseDurationSeconds"), 15);
    assert_eq!(server.spec("leaseTransitions"), 0);
    let (acquired, renewed) = (server.spec("acquireTime"), server.spec("renewTime"));
    let version = server.shelf().version;
    tokio::time::sleep(Duration::from_secs(21)).await;
    assert!(first.leadership().holds());
    assert_eq!(server.shelf().version, version + 10, "renewed every two seconds");
    assert_eq!(server.spec("acquireTime"), acquired);
    assert_ne!(server.spec("renewTime"), renewed);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_at_once() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    let second = server.stand("second");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!second.leadership().holds());
    let leadership = first.leadership();
    first.release().await;
    assert!(!leadership.holds());
    assert!(!*leadership.watch().borrow());
    assert!(leads(&second, true).await < Duration::from_millis(100));
    assert_eq!(server.spec("holderIdentity"), "second");
    assert_eq!(server.spec("leaseTransitions"), 1);
}

#[tokio::test(start_paused = true)]
async fn without_the_right_to_watch_it_is_taken_within_a_retry_period() {
    let server = Server::default();
    server.shelf().blind = true;
    let first = server.stand("first");
    leads(&first, true).await;
    let second = server.stand("second");
    tokio::time::sleep(Duration::from_secs(7)).await;
    first.release().await;
    assert!(leads(&second, true).await <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn after_a_leader_that_was_killed_another_leads_when_the_lease_is_over() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    let second = server.stand("second");
    tokio::time::sleep(Duration::from_secs(21)).await;
    let leadership = first.leadership();
    drop(first);
    let gap = leads(&second, true).await;
    assert!(gap > Duration::from_secs(10) && gap <= Duration::from_secs(16), "{gap:?}");
    assert!(!leadership.holds());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_cannot_renew_steps_down_before_another_may_lead() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    server.shelf().dead = true;
    let took = leads(&first, false).await;
    assert!(took >= Duration::from_secs(8) && took <= Duration::from_secs(10), "{took:?}");
    assert!(!first.leadership().holds());
    server.shelf().dead = false;
    leads(&first, true).await;
    assert_eq!(server.spec("leaseTransitions"), 0, "it was still its own");
}

#[tokio::test(start_paused = true)]
async fn releasing_ends_in_time_when_nobody_answers() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    server.shelf().dead = true;
    let began = Instant::now();
    first.release().await;
    assert!(began.elapsed() <= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_lead_gives_nothing_back() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    let second = server.stand("second");
    tokio::time::sleep(Duration::from_secs(3)).await;
    second.release().await;
    assert_eq!(server.spec("holderIdentity"), "first");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_deletes_is_made_anew() {
    let server = Server::default();
    let first = server.stand("first");
    leads(&first, true).await;
    server.shelf().lease = None;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(first.leadership().holds());
    assert_eq!(server.spec("holderIdentity"), "first");
}

#[tokio::test(start_paused = true)]
async fn a_lease_keeps_what_others_wrote_on_it() {
    let server = Server::default();
    let lease = json!({
        "metadata": { "name": LEASE, "namespace": "operator", "labels": { "team": "shop" } },
        "spec": { "holderIdentity": "", "leaseTransitions": 7 },
    });
    server.shelf().store(lease);
    leads(&server.stand("first"), true).await;
    assert_eq!(server.shelf().lease.as_ref().unwrap()["metadata"]["labels"]["team"], "shop");
    assert_eq!(server.spec("leaseTransitions"), 8);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_refuses_is_not_asked_more_often() {
    let server = Server::default();
    server.shelf().blind = true;
    let first = server.stand("first");
    leads(&first, true).await;
    let second = server.stand("second");
    server.shelf().requests.clear();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let requests = server.shelf().requests.clone();
    let (reads, writes) =
        (requests.iter().filter(|r| *r == "GET").count(), requests.iter().filter(|r| *r == "PUT").count());
    assert!((29..=31).contains(&reads) && (29..=31).contains(&writes), "{reads} reads, {writes} writes");
    drop(second);
}

#[tokio::test]
async fn without_an_election_the_lead_is_for_ever() {
    let election = Election::always();
    assert!(election.leadership().holds() && *election.leadership().watch().borrow());
    election.release().await;
}
