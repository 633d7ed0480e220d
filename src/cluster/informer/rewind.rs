//! Notices that a server's history went back, as after a restored backup.
//!
//! In: a collection, the latest position that was seen, time. Out: the newest position of the server, if it is before
//! that. Must never know: watches, what is done about it.

use std::time::Duration;

use celemetry_engine::row::List;
use kube::Client;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use crate::cluster::answer::fetch;
use crate::cluster::fault::{Fault, FaultClass};
use crate::cluster::resource::{Collection, PageRequest};

/// Checks now and then whether the server is at an earlier position than it was: then its state is not what was
/// watched, and a watch would wait in silence for the future.
pub(super) struct Rewind {
    every: Duration,
    at: Instant,
    asked: Option<Asked>,
}

struct Asked {
    /// The position when it was asked: by the answer the watch may have gone on.
    seen: String,
    task: JoinHandle<Result<String, Fault>>,
}

// === impl Rewind, Asked ===

impl Rewind {
    pub(super) fn new(every: Duration) -> Self {
        Rewind { every, at: Instant::now() + every.mul_f64(0.5 + fastrand::f64() / 2.0), asked: None }
    }

    /// Asks when it is time to, and compares. Gives the newest position if it is before one that was seen when it was
    /// asked for; a position is an integer wherever positions can be compared at all.
    pub(super) async fn next(
        &mut self,
        client: &Client,
        collection: &Collection,
        seen: &str,
    ) -> Option<String> {
        if self.asked.is_none() {
            sleep_until(self.at).await;
            let (client, collection) = (client.clone(), collection.clone());
            let task = tokio::spawn(async move { newest_position(&client, &collection).await });
            self.asked = Some(Asked { seen: seen.to_owned(), task });
        }
        let asked = self.asked.as_mut()?;
        let newest = (&mut asked.task).await;
        let seen = std::mem::take(&mut asked.seen);
        self.asked = None;
        self.at = Instant::now() + self.every;
        // Where it cannot be asked for the watch tells soon enough what is wrong.
        let newest = newest.ok()?.ok()?;
        went_back(&newest, &seen).then_some(newest)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The position of the newest state, from a list of at most one object.
pub(super) async fn newest_position(client: &Client, collection: &Collection) -> Result<String, Fault> {
    let one = PageRequest { limit: Some(1), ..PageRequest::default() };
    let answer = fetch(client, collection.list(&one)?).await?;
    let list = List::split(&answer).ok().flatten();
    list.map(|list| list.resource_version)
        .ok_or_else(|| Fault::new(FaultClass::Malformed, "the answer to a LIST is no list"))
}

/// Whether the newest position is before one that was seen.
pub(super) fn went_back(newest: &str, seen: &str) -> bool {
    match (newest.parse::<u128>(), seen.parse::<u128>()) {
        (Ok(newest), Ok(seen)) => newest < seen,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_compared_as_integers_where_they_are_integers() {
        for (newest, seen, expected) in [
            ("9", "10", true),
            ("10", "9", false),
            ("10", "10", false),
            ("18446744073709551616", "18446744073709551617", true),
            ("a", "10", false),
            ("9", "", false),
        ] {
            assert_eq!(went_back(newest, seen), expected, "{newest} {seen}");
        }
    }
}
