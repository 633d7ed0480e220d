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
use tokio::time::timeout;

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
    pub input: Input,
    /// Which objects go where.
    pub routes: Vec<Route>,
    /// The first list counts as complete after this long without input.
    pub sync_after: Duration,
    /// Where changes go; while it is full the input is not read.
    pub changes: mpsc::Sender<(SourceId, Change)>,
    /// Where notices go; while it is full further ones are dropped, since [`Counts`] holds their number.
    pub notices: mpsc::Sender<Notice>,
}

/// How a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What was met.
    pub counts: Counts,
    /// Whether an ERROR event ended it.
    pub failed: bool,
}

/// Why a stream could not be read to its end.
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
    /// Nobody takes changes any more.
    #[error("the engine has ended")]
    Closed,
}

type Chunk = std::io::Result<Vec<u8>>;

const CHUNK_BYTES: usize = 64 * 1024;

/// Chunks that are read ahead, so that reading and decoding overlap. When full the reader waits.
const CHUNK_CAPACITY: usize = 4;

// === impl Stream ===

impl Stream {
    /// Reads to the end of input, an ERROR event or an error.
    ///
    /// # Errors
    /// Where the input cannot be read or is not JSON; what came before stays applied.
    pub async fn run(self) -> Result<Summary, StreamError> {
        let chunks = read_in_thread(self.input.clone());
        self.follow(chunks).await
    }

    async fn follow(self, mut chunks: mpsc::Receiver<Chunk>) -> Result<Summary, StreamError> {
        let name = self.input.name();
        let malformed = |error| StreamError::Malformed { input: name.clone(), error };
        let mut router = Router::new(self.routes);
        let mut framing = Framing::new();
        let mut outlet = Outlet { out: Outbox::default(), changes: self.changes, notices: self.notices };
        router.begin(&mut outlet.out);
        outlet.send().await?;
        while let Some(chunk) = next_chunk(&mut chunks, &mut router, self.sync_after, &mut outlet).await? {
            framing.push(chunk.map_err(|source| StreamError::Read { input: name.clone(), source })?);
            while let Some(document) = framing.next().map_err(malformed)? {
                let flow = router.document(document, &mut outlet.out);
                outlet.send().await?;
                if flow.is_break() {
                    return Ok(Summary { counts: router.counts().clone(), failed: true });
                }
            }
        }
        framing.finish().map_err(malformed)?;
        router.complete(&mut outlet.out);
        outlet.send().await?;
        Ok(Summary { counts: router.counts().clone(), failed: false })
    }
}

/// Waits for input; where it stays away long enough the first lists are complete.
async fn next_chunk(
    chunks: &mut mpsc::Receiver<Chunk>,
    router: &mut Router,
    sync_after: Duration,
    outlet: &mut Outlet,
) -> Result<Option<Chunk>, StreamError> {
    if !router.is_complete() {
        match timeout(sync_after, chunks.recv()).await {
            Ok(chunk) => return Ok(chunk),
            Err(_) => {
                router.complete(&mut outlet.out);
                outlet.send().await?;
            }
        }
    }
    Ok(chunks.recv().await)
}

/// Hands every JSON value of `reader` to `take`, in order, until that breaks. `input` names it in errors.
///
/// # Errors
/// Where the input cannot be read or is not JSON.
pub fn read_json(
    input: &str,
    mut reader: impl Read,
    take: &mut dyn FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, StreamError> {
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
            if take(document).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }
    framing.finish().map_err(malformed)?;
    Ok(ControlFlow::Continue(()))
}

/// Reads on a thread of its own: a read from a silent pipe cannot be cancelled, and must not hold up the end of the
/// process. The thread ends with the input, or with the first chunk that nobody takes.
fn read_in_thread(input: Input) -> mpsc::Receiver<Chunk> {
    let (sender, receiver) = mpsc::channel(CHUNK_CAPACITY);
    std::thread::spawn(move || {
        if let Err(error) = read(input, &sender) {
            // Refused only where the stream has ended, and with it the interest in the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

fn read(input: Input, sender: &mpsc::Sender<Chunk>) -> std::io::Result<()> {
    let mut reader: Box<dyn Read> = match input {
        Input::Stdin => Box::new(std::io::stdin()),
        Input::File(path) => Box::new(File::open(path)?),
    };
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

/// The two channels, and what is about to go into them.
struct Outlet {
    out: Outbox,
    changes: mpsc::Sender<(SourceId, Change)>,
    notices: mpsc::Sender<Notice>,
}

// === impl Outlet, Input ===

impl Outlet {
    async fn send(&mut self) -> Result<(), StreamError> {
        for notice in self.out.notices.drain(..) {
            // Full: see `Stream::notices`.
            let _ = self.notices.try_send(notice);
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

    /// What messages call it.
    pub fn name(&self) -> String {
        match self {
            Input::Stdin => "standard input".into(),
            Input::File(path) => path.display().to_string(),
        }
    }
}

#[cfg(test)]
mod tests;
