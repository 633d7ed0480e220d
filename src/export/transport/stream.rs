//! A TLS stream that remembers why it failed.
//!
//! In: bytes both ways. Out: the same, and the first failure. Must never know: what the bytes mean.
//!
//! In TLS 1.3 a client has ended its handshake before the server has looked at its certificate, so the server's refusal comes
//! with the first bytes of the answer; and HTTP/2 passes on of an error only its text.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{Failure, tls};

/// Where the first failure is noted.
pub(super) type Noted = Arc<OnceLock<Failure>>;

/// A stream whose failures are noted.
pub(super) struct NotingStream<S> {
    pub(super) stream: S,
    pub(super) noted: Noted,
}

impl<S: Unpin> NotingStream<S> {
    fn note<T>(&self, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &polled
            && let Some(failure) = tls::failure_in(error)
        {
            // Only the first counts: it is the reason for those that follow.
            let _ = self.noted.set(failure);
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for NotingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.note(polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for NotingStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.note(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
