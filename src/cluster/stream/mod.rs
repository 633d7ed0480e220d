//! A source from a file or pipe of watch events, lists or objects.
//!
//! In: bytes. Out: changes on a bounded channel, notices on another. Must never know: who takes them, metrics.
//!
//! Memory holds a few chunks and the one document they complete, never the stream: while the channel is full nothing
//! is read.

use std::fs::File;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Duration;

use celemetry_engine::change::{Change, SourceId};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::framing::Framing;
pub use super::framing::Malformed;
use super::router::{Counts, Notice, Outbox, Route, Router};

/// Where bytes come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, or a named pipe.
    File(PathBuf),
}

/// Everything a stream needs.
#[derive(Debug)]
pub struct Stream {
    /// Where bytes come from.
    pub input: Opened,
    /// Which objects go where.
    pub routes: Vec<Route>,
    /// The first list counts as complete after this long without input, and after ten times as long anyway.
    pub sync_after: Duration,
    /// Where changes go; while it is full the input is not read.
    pub changes: mpsc::Sender<(SourceId, Change)>,
    /// Where notices go; while it is full further ones are dropped, since [`Counts`] holds their number.
    pub notices: mpsc::Sender<Placed>,
}

/// An input that could be opened.
pub struct Opened {
    name: String,
    reader: Box<dyn Read + Send>,
}

/// A notice, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{input}: line {line}: {notice}")]
pub struct Placed {
    /// The input's name.
    pub input: String,
    /// The line on which the document begins, from 1.
    pub line: u64,
    /// What is odd about it.
    pub notice: Notice,
}

/// How a stream ended.
#[derive(Debug)]
pub struct Summary {
    /// What was met.
    pub counts: Counts,
    /// What ended it before its end. What came before that stays applied.
    pub failure: Option<StreamError>,
}

/// Why a stream was not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The input could not be opened or read.
    #[error("{input}: {source}")]
    Read {
        /// The input's name.
        input: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The input is not JSON.
    #[error("{input}: {error}")]
    Malformed {
        /// The input's name.
        input: String,
        /// Where, and what is wrong there.
        error: Malformed,
    },
    /// The input says that it failed, by an ERROR event.
    #[error("{input}: the event stream reports an error: {message}")]
    Reported {
        /// The input's name.
        input: String,
        /// As it was reported.
        message: String,
    },
    /// Nobody takes changes any more.
    #[error("the engine has ended")]
    Closed,
}

type Chunk = std::io::Result<Vec<u8>>;

const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that are read ahead, so that reading and decoding overlap. When full the reader waits.
const CHUNK_CAPACITY: usize = 4;

/// So many times [`Stream::sync_after`] the first list may take where input never pauses.
const SYNC_PATIENCE: u32 = 10;

// === impl Stream ===

impl Stream {
    /// Reads to the end of input, an ERROR event or an error.
    pub async fn run(self) -> Summary {
        let Stream { input: Opened { name, reader }, routes, sync_after, changes, notices } = self;
        let outlet = Outlet { out: Outbox::default(), changes, notices };
        Flow::new(name, routes, sync_after, outlet).follow(read_in_thread(reader)).await
    }
}

// === impl Flow ===

impl Flow {
    fn new(name: String, routes: Vec<Route>, sync_after: Duration, outlet: Outlet) -> Self {
        let longest = sync_after.saturating_mul(SYNC_PATIENCE);
        let sync_at = Instant::now().checked_add(longest);
        Flow { name, router: Router::new(routes), outlet, sync_after, sync_at }
    }

    async fn follow(mut self, mut chunks: mpsc::Receiver<Chunk>) -> Summary {
        let failure = self.documents(&mut chunks).await.err();
        Summary { counts: self.router.counts().clone(), failure }
    }

    async fn documents(&mut self, chunks: &mut mpsc::Receiver<Chunk>) -> Result<(), StreamError> {
        let mut framing = Framing::new();
        self.router.begin(&mut self.outlet.out);
        self.send(0).await?;
        while let Some(chunk) = self.next_chunk(chunks).await? {
            let input = || self.name.clone();
            framing.push(chunk.map_err(|source| StreamError::Read { input: input(), source })?);
            if let Err(error) = self.values(&mut framing).await? {
                return self.malformed(error).await;
            }
        }
        if let Err(error) = framing.finish() {
            return self.malformed(error).await;
        }
        self.complete().await
    }

    /// Passes on every value that is complete.
    async fn values(&mut self, framing: &mut Framing) -> Result<Result<(), Malformed>, StreamError> {
        loop {
            let document = match framing.next() {
                Ok(Some(document)) => document,
                Ok(None) => return Ok(Ok(())),
                Err(error) => return Ok(Err(error)),
            };
            let flow = self.router.document(document, &mut self.outlet.out);
            self.send(if self.outlet.out.notices.is_empty() { 0 } else { framing.line() }).await?;
            if let ControlFlow::Break(message) = flow {
                return Err(StreamError::Reported { input: self.name.clone(), message });
            }
        }
    }

    /// The input ends for us where it stops being JSON, so that what came before counts; unless that was nothing.
    async fn malformed(&mut self, error: Malformed) -> Result<(), StreamError> {
        if self.router.counts().objects > 0 {
            self.complete().await?;
        }
        Err(StreamError::Malformed { input: self.name.clone(), error })
    }

    /// Waits for input. Where it stays away long enough, or never does, the first lists are complete.
    async fn next_chunk(&mut self, chunks: &mut mpsc::Receiver<Chunk>) -> Result<Option<Chunk>, StreamError> {
        if !self.router.is_complete() {
            let left = self.sync_at.map(|at| at.saturating_duration_since(Instant::now()));
            let patience = left.map_or(self.sync_after, |left| left.min(self.sync_after));
            if left != Some(Duration::ZERO)
                && let Ok(chunk) = timeout(patience, chunks.recv()).await
            {
                return Ok(chunk);
            }
            self.complete().await?;
        }
        Ok(chunks.recv().await)
    }

    async fn complete(&mut self) -> Result<(), StreamError> {
        self.router.complete(&mut self.outlet.out);
        self.send(0).await
    }

    async fn send(&mut self, line: u64) -> Result<(), StreamError> {
        self.outlet.send(&self.name, line).await
    }
}

/// Takes JSON values one after another.
pub trait Sink {
    /// Takes a value; breaks where no more are wanted. Gives whether there is anything to be said of it.
    fn document(&mut self, document: &[u8]) -> ControlFlow<(), bool>;

    /// Says what there is to be said of the value taken last: where it begins.
    fn place(&mut self, input: &str, line: u64);
}

/// Hands every JSON value of `reader` to `sink`, in order, until that breaks. `input` names it in errors.
///
/// # Errors
/// Where the input cannot be read or is not JSON.
pub fn read_json(input: &str, mut reader: impl Read, sink: &mut dyn Sink) -> Result<(), StreamError> {
    let malformed = |error| StreamError::Malformed { input: input.to_owned(), error };
    let mut framing = Framing::new();
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match reader.read(&mut chunk) {
            Ok(0) => break,
            Ok(len) => chunk.truncate(len),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(StreamError::Read { input: input.to_owned(), source }),
        }
        framing.push(chunk);
        while let Some(document) = framing.next().map_err(malformed)? {
            match sink.document(document) {
                ControlFlow::Continue(false) => {}
                ControlFlow::Continue(true) => sink.place(input, framing.line()),
                ControlFlow::Break(()) => {
                    sink.place(input, framing.line());
                    return Ok(());
                }
            }
        }
    }
    framing.finish().map_err(malformed)
}

/// Reads on a thread of its own: a read from a silent pipe cannot be cancelled, and must not hold up the end of the
/// process. The thread ends with the input, or with the first chunk that nobody takes.
fn read_in_thread(reader: Box<dyn Read + Send>) -> mpsc::Receiver<Chunk> {
    let (sender, receiver) = mpsc::channel(CHUNK_CAPACITY);
    std::thread::spawn(move || {
        if let Err(error) = read(reader, &sender) {
            // Refused only where the stream has ended, and with it the interest in the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

fn read(mut reader: Box<dyn Read>, sender: &mpsc::Sender<Chunk>) -> std::io::Result<()> {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        match reader.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(len) => chunk.truncate(len),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if sender.blocking_send(Ok(chunk)).is_err() {
            return Ok(());
        }
    }
}

/// A stream under way.
struct Flow {
    name: String,
    router: Router,
    outlet: Outlet,
    sync_after: Duration,
    /// When the first list counts as complete anyway; `None` beyond the end of the clock.
    sync_at: Option<Instant>,
}

/// The two channels, and what is about to go into them.
struct Outlet {
    out: Outbox,
    changes: mpsc::Sender<(SourceId, Change)>,
    notices: mpsc::Sender<Placed>,
}

// === impl Opened, Outlet, Input ===

impl Opened {
    /// Any other input, under the name that messages call it. It is read on a thread of its own, and may block.
    pub fn new(name: &str, reader: impl Read + Send + 'static) -> Self {
        Opened { name: name.to_owned(), reader: Box::new(reader) }
    }
}

impl Outlet {
    async fn send(&mut self, input: &str, line: u64) -> Result<(), StreamError> {
        for notice in self.out.notices.drain(..) {
            // Full: see `Stream::notices`.
            let _ = self.notices.try_send(Placed { input: input.to_owned(), line, notice });
        }
        for change in self.out.changes.drain(..) {
            self.changes.send(change).await.map_err(|_| StreamError::Closed)?;
        }
        Ok(())
    }
}

impl Input {
    /// `-` is standard input.
    pub fn new(name: &str) -> Self {
        if name == "-" { Input::Stdin } else { Input::File(name.into()) }
    }

    /// Opens it, which may wait for the writer of a named pipe.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn open(&self) -> Result<Opened, StreamError> {
        let reader: Box<dyn Read + Send> = match self {
            Input::Stdin => Box::new(std::io::stdin()),
            Input::File(path) => match File::open(path) {
                Ok(file) => Box::new(file),
                Err(source) => return Err(StreamError::Read { input: self.name(), source }),
            },
        };
        Ok(Opened { name: self.name(), reader })
    }

    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Input::Stdin => "standard input".into(),
            Input::File(path) => path.display().to_string(),
        }
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
