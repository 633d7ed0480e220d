//! DynamicInformerManager: one source for everybody who is interested in the same objects.
//!
//! In: interests in targets. Out: what each target means now, and how its sources are doing; informers that start with
//! the first interest and stop with the last. Must never know: metrics, who takes changes.
//!
//! Everything that is handed out is a guard: what nobody holds any more is stopped. So deletion has no code of its own.

mod asking;
mod definitions;
mod keeper;

use std::sync::Arc;

use celemetry_engine::change::SourceId;
use kube::Client;
use tokio::sync::{Notify, mpsc, oneshot, watch};

use super::discovery::Unresolved;
use super::fault::Fault;
use super::feed::{Intake, Reviews, SourceState};
use super::informer::{Mode, Pace};
use super::resource::Resource;
use super::target::Target;
use keeper::Keeper;

/// The way to the manager; clone it freely.
#[derive(Clone, Debug)]
pub struct DynamicInformerManager {
    commands: mpsc::Sender<Command>,
    redefinitions: watch::Receiver<u64>,
}

/// What somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Which kinds.
    pub target: Target,
    /// Only the objects that the server selects by these fields. Such a selection is a source of its own.
    pub field_selector: Option<String>,
    /// Only the metadata of objects: nothing else of them is asked for.
    pub metadata_only: bool,
    /// By watching or by listing.
    pub mode: Mode,
}

/// An interest in a target. Dropping it gives up what nobody else wants.
#[derive(Debug)]
pub struct Interest {
    resolution: watch::Receiver<Resolution>,
    _alive: Arc<Alive>,
}

/// What a target means now.
#[derive(Clone, Debug, Default)]
pub enum Resolution {
    /// It is being found out.
    #[default]
    Pending,
    /// The API server cannot be asked.
    Unknown(Fault),
    /// Nothing, or too much.
    Unresolved(Unresolved),
    /// These sources, in the order of the server's catalogue.
    Found(Vec<Observed>),
}

/// A source that somebody is interested in. It goes on for as long as a clone of this is held.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Which source.
    pub source: SourceId,
    /// Whose objects it shows.
    pub resource: Resource,
    /// How it is doing.
    pub state: watch::Receiver<SourceState>,
    reviews: Reviews,
    _alive: Arc<Alive>,
}

/// How the manager works.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// How its informers treat API servers.
    pub pace: Pace,
    /// How many objects are looked at again each minute, of all that are watched; see [`Auditor`](super::feed::Auditor).
    pub audits_per_minute: u32,
}

/// Tells the manager when the last holder is gone. Dropping cannot wait for a channel: this wakes the manager, which
/// then looks for what nobody holds.
#[derive(Debug)]
pub(super) struct Alive(Arc<Notify>);

/// What may be asked of the manager.
#[derive(Debug)]
enum Command {
    Want(Wanted, oneshot::Sender<Interest>),
    SelectableFields(Target, oneshot::Sender<Vec<String>>),
}

/// Requests that may wait. When full the asker waits.
const COMMAND_CAPACITY: usize = 64;

/// The manager has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the informers have ended")]
pub struct Stopped;

// === impl DynamicInformerManager ===

impl DynamicInformerManager {
    /// A manager of the sources of one cluster, and what is to run for it. That ends when every handle is gone, and
    /// panics where an informer has.
    pub fn new(
        client: Client,
        intake: impl Intake,
        settings: Settings,
    ) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (commands, inbox) = mpsc::channel(COMMAND_CAPACITY);
        let keeper = Keeper::new(client, intake, settings, inbox);
        let redefinitions = keeper.redefinitions.subscribe();
        (DynamicInformerManager { commands, redefinitions }, keeper.run())
    }

    /// Becomes interested in a target.
    ///
    /// # Errors
    /// Where the manager has ended.
    pub async fn want(&self, wanted: Wanted) -> Result<Interest, Stopped> {
        self.ask(|reply| Command::Want(wanted, reply)).await
    }

    /// The fields, as JSONPaths such as `.spec.color`, by which the server selects objects of every kind that a target
    /// means, besides name and namespace, because their CustomResourceDefinitions say so. Empty where that cannot be
    /// told now.
    ///
    /// # Errors
    /// Where the manager has ended.
    pub async fn selectable_fields(&self, target: Target) -> Result<Vec<String>, Stopped> {
        self.ask(|reply| Command::SelectableFields(target, reply)).await
    }

    /// A number that is another one after every change of a definition of kinds.
    pub fn redefinitions(&self) -> watch::Receiver<u64> {
        self.redefinitions.clone()
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}

// === impl Interest, Observed, Alive ===

impl Interest {
    /// What the target means, and will mean.
    pub fn resolution(&self) -> watch::Receiver<Resolution> {
        self.resolution.clone()
    }
}

impl Observed {
    /// Lets the source show the objects of these namespaces once more.
    pub fn review(&self, namespaces: impl IntoIterator<Item = String>) {
        self.reviews.ask(namespaces);
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}
