//! A bearer token that somebody else keeps in a file and renews there.
//!
//! In: requests. Out: the same with `Authorization`. Must never know: what is asked.
//!
//! kube has such a layer too. It does not cut the line's end, which a Secret that was made from a file often has, and
//! then no request can be made at all.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use tokio::time::Instant;
use tower_service::Service;

/// How long a token that was read is used before the file is read again: as client-go. Kubernetes renews a projected
/// token when a fifth of its life is left, at least two minutes before its end.
const RELOAD: Duration = Duration::from_secs(60);

/// Adds the token to every request of `S`.
#[derive(Clone, Debug)]
pub(super) struct Authorized<S> {
    inner: S,
    token: Arc<TokenFile>,
}

/// A file that holds a token.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    last: Mutex<(HeaderValue, Instant)>,
}

// === impl TokenFile ===

impl TokenFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read or holds no token; the message does not quote it.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let header = read(path)?;
        Ok(TokenFile { path: path.to_owned(), last: Mutex::new((header, Instant::now())) })
    }

    /// The header. A file that cannot be read any more leaves the last token in use: some take it away once it was
    /// read, and a server that no longer takes it says so.
    pub(super) fn header(&self) -> HeaderValue {
        // A panic between two assignments cannot happen here.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.1.elapsed() >= RELOAD {
            let header = read(&self.path).unwrap_or_else(|_| last.0.clone());
            *last = (header, Instant::now());
        }
        last.0.clone()
    }
}

/// A few hundred bytes in memory, as a rule: read where the request is made.
fn read(path: &Path) -> Result<HeaderValue, String> {
    let say = |what: &dyn std::fmt::Display| format!("token file {}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| say(&error))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(say(&"is empty"));
    }
    let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| say(&"holds no token"))?;
    header.set_sensitive(true);
    Ok(header)
}

// === impl Authorized ===

impl<S> Authorized<S> {
    pub(super) fn new(inner: S, token: TokenFile) -> Self {
        Authorized { inner, token: Arc::new(token) }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Authorized<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        request.headers_mut().insert(AUTHORIZATION, self.token.header());
        self.inner.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::connect::tests::Folder;

    #[tokio::test(start_paused = true)]
    async fn a_renewed_token_is_used_within_a_minute() {
        let folder = Folder::new("token");
        let path = folder.file("token", "first\n");
        let token = TokenFile::open(&path).unwrap();
        folder.file("token", "second");
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(token.header(), "Bearer first");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(token.header(), "Bearer second");
        assert!(token.header().is_sensitive());
        std::fs::remove_file(&path).unwrap();
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(token.header(), "Bearer second", "a file that is gone takes no token away");
    }

    #[test]
    fn a_file_without_a_token_is_said_without_its_text() {
        let folder = Folder::new("no-token");
        for (text, what) in [("", "is empty"), (" \n", "is empty"), ("se\ncret", "holds no token")] {
            let path = folder.file("token", text);
            let message = TokenFile::open(&path).unwrap_err();
            assert!(message.ends_with(what) && !message.contains("cret"), "{message}");
        }
    }
}
