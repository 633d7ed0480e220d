//! A connection whose writes run out of time.
//!
//! In: a byte stream. Out: the same, failing with `TimedOut` where what was to be written has not been taken by the
//! other side in time. Must never know: HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// Wraps a stream.
///
/// Invariant: `armed` is true from the first write that had to wait to the next complete flush; progress in between
/// does not rearm, so a client that takes a byte a minute gains nothing.
#[derive(Debug)]
pub(super) struct Patience<S> {
    stream: S,
    limit: Duration,
    deadline: Pin<Box<Sleep>>,
    armed: bool,
}

// === impl Patience ===

impl<S: AsyncWrite + Unpin> Patience<S> {
    /// Must be called within a tokio runtime that has a timer.
    pub(super) fn new(stream: S, limit: Duration) -> Self {
        Patience { stream, limit, deadline: Box::pin(tokio::time::sleep(limit)), armed: false }
    }

    fn write(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.armed && self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = write(Pin::new(&mut self.stream), cx);
        if written.is_pending() && !self.armed {
            self.armed = true;
            self.deadline.as_mut().reset(Instant::now() + self.limit);
            ready!(self.deadline.as_mut().poll(cx));
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(cx, |stream, cx| stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(cx, |stream, cx| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if flushed.is_ready() {
            self.armed = false;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{advance, timeout};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_nobody_takes_fails_at_the_limit() {
        let (near, _far) = tokio::io::duplex(4);
        let mut near = Patience::new(near, LIMIT);
        let begun = Instant::now();
        let error = near.write_all(b"more than four").await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_does_not_prolong_it() {
        let (near, mut far) = tokio::io::duplex(1);
        let mut near = Patience::new(near, LIMIT);
        let writing = tokio::spawn(async move { near.write_all(&[0; 1000]).await });
        for _ in 0..10 {
            assert_eq!(far.read_u8().await.ok(), Some(0));
            advance(Duration::from_secs(1)).await;
        }
        assert_eq!(writing.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_flush_the_limit_begins_anew() {
        let (near, mut far) = tokio::io::duplex(4);
        let mut near = Patience::new(near, LIMIT);
        for _ in 0..5 {
            assert!(timeout(LIMIT / 2, near.write_all(b"12345678")).await.is_err(), "it waits");
            far.read_exact(&mut [0; 4]).await.unwrap();
            near.flush().await.unwrap();
            near.write_all(b"90").await.unwrap();
            advance(LIMIT * 2).await;
            far.read_exact(&mut [0; 2]).await.unwrap();
        }
    }
}
