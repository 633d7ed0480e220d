//! Sends a request and reads its answer, within bounds of time and size.
//!
//! In: requests. Out: bytes, or a [`Fault`]. Must never know: what the bytes mean.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt;
use kube::Client;
use kube::client::Body;
use tokio::time::timeout;

use super::connect::in_words;
use super::fault::{Fault, FaultClass};

/// How long the head of an answer may take. Long, since a server that lists a large collection thinks before it speaks.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);

/// How long the next bytes of a finite answer may take.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// How much is read of an answer that is no success.
const LONGEST_STATUS: usize = 64 * 1024;

/// The longest finite answer. A page holds a few hundred objects of at most 1.5 MB each.
const LONGEST_ANSWER: usize = 1 << 30;

/// Sends a request; gives the body of a successful answer, of which nothing has been read.
pub(super) async fn send(client: &Client, request: Request<Vec<u8>>) -> Result<Body, Fault> {
    let sent = timeout(HEAD_PATIENCE, client.send(request.map(Body::from)));
    let answer = match sent.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(Fault::new(FaultClass::Unreachable, in_words(&error))),
        Err(_) => return Err(silent()),
    };
    if answer.status().is_success() {
        return Ok(answer.into_body());
    }
    let (head, body) = answer.into_parts();
    let told = read_up_to(body, LONGEST_STATUS).await.unwrap_or_default();
    Err(Fault::of_answer(head.status, &head.headers, &told))
}

/// Sends a request and reads the whole answer.
pub(super) async fn fetch(client: &Client, request: Request<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    read_up_to(send(client, request).await?, LONGEST_ANSWER).await
}

/// The next bytes of a body; `None` at its end. May be dropped before it is ready without losing any.
pub(super) async fn next_bytes(body: &mut Body) -> Option<Result<Bytes, Fault>> {
    loop {
        match body.frame().await? {
            Ok(frame) => match frame.into_data() {
                Ok(bytes) => return Some(Ok(bytes)),
                // Trailers say nothing here.
                Err(_) => continue,
            },
            Err(error) => return Some(Err(Fault::of_transport(&error))),
        }
    }
}

/// The same of an answer that is no longer than `most` bytes.
pub(super) async fn fetch_at_most(
    client: &Client,
    request: Request<Vec<u8>>,
    most: usize,
) -> Result<Vec<u8>, Fault> {
    read_up_to(send(client, request).await?, most).await
}

async fn read_up_to(mut body: Body, most: usize) -> Result<Vec<u8>, Fault> {
    let mut read = Vec::new();
    loop {
        match timeout(BODY_PATIENCE, next_bytes(&mut body)).await {
            Ok(None) => return Ok(read),
            Ok(Some(bytes)) => read.extend_from_slice(&bytes?),
            Err(_) => return Err(silent()),
        }
        if read.len() > most {
            return Err(Fault::new(FaultClass::Malformed, format!("an answer of more than {most} bytes")));
        }
    }
}

fn silent() -> Fault {
    Fault::new(FaultClass::Unreachable, "the API server does not answer")
}
