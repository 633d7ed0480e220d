//! The simulated cluster: its objects, its time, and who tells of both.
//!
//! In: how many objects, a seed. Out: events, step by step; all objects at any step. Must never know: who listens.
//!
//! Invariant: after [`Cluster::step`] the objects are what a listener knows who has heard every event so far.

use super::agenda::{Agenda, Chance, Step};
use super::body;
use super::event::{Action, Event};
use super::moment::Moment;
use super::random::Random;
use super::shelf::{Id, Shelf};
use super::state::{Database, Deployment, Job, Kind, Meta, Namespace, Node, Pod, ReplicaSet, Selection, Uid};

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// About how many objects there are; at least [`Cluster::MIN_OBJECTS`].
    pub objects: u64,
    /// What chance does. The same seed gives the same events.
    pub seed: u64,
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(super) random: Random,
    pub(super) namespaces: Shelf<Namespace>,
    pub(super) nodes: Shelf<Node>,
    pub(super) deployments: Shelf<Deployment>,
    pub(super) replica_sets: Shelf<ReplicaSet>,
    pub(super) pods: Shelf<Pod>,
    pub(super) jobs: Shelf<Job>,
    pub(super) databases: Shelf<Database>,
    /// What was asked for; how often things happen follows from it.
    pub(super) scale: u64,
    agenda: Agenda,
    /// Milliseconds since 1970.
    now: u64,
    /// The resourceVersion that was given last.
    version: u64,
    /// The number that was given last.
    numbered: u64,
    /// Whether the cluster is still being put up, which nobody is told.
    is_founding: bool,
    told: Vec<Event>,
}

/// Some objects of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The objects without their kinds and apiVersions: from `"metadata":` to the end.
    pub bodies: Vec<String>,
    /// With which object the next page begins.
    pub next: Option<Id>,
}

/// When the simulation begins: any moment that is always the same.
const BEGIN: Moment = Moment(1_767_225_600);

/// The first resourceVersion; from 1 on as in any etcd would do as well.
const FIRST_VERSION: u64 = 1_000;

// === impl Cluster ===

impl Cluster {
    /// The least number of objects: a few of every kind.
    pub const MIN_OBJECTS: u64 = 30;

    /// A cluster in which all is well, at the moment before something happens.
    pub fn new(settings: Settings) -> Self {
        let mut cluster = Cluster {
            random: Random::new(settings.seed),
            namespaces: Shelf::default(),
            nodes: Shelf::default(),
            deployments: Shelf::default(),
            replica_sets: Shelf::default(),
            pods: Shelf::default(),
            jobs: Shelf::default(),
            databases: Shelf::default(),
            scale: settings.objects.max(Self::MIN_OBJECTS),
            agenda: Agenda::default(),
            now: BEGIN.0 * 1_000,
            version: FIRST_VERSION,
            numbered: 0,
            is_founding: true,
            told: Vec::new(),
        };
        cluster.found();
        cluster.is_founding = false;
        cluster
    }

    /// Lets time go on until something happens, and gives all that does: at least one event.
    pub fn step(&mut self) -> Vec<Event> {
        while self.told.is_empty() {
            // Heartbeats and chances plan their own return, so there is always a next step.
            let Some((at, step)) = self.agenda.next() else { break };
            self.now = at;
            self.take(step);
        }
        std::mem::take(&mut self.told)
    }

    /// The time there.
    pub fn now(&self) -> Moment {
        Moment(self.now / 1_000)
    }

    /// The resourceVersion that was given last.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        Kind::ALL.into_iter().map(|kind| self.count(kind)).sum()
    }

    /// Whether there are none, which never happens.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many objects of a kind there are.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Namespace => self.namespaces.len(),
            Kind::Node => self.nodes.len(),
            Kind::Deployment => self.deployments.len(),
            Kind::ReplicaSet => self.replica_sets.len(),
            Kind::Pod => self.pods.len(),
            Kind::Job => self.jobs.len(),
            Kind::Database => self.databases.len(),
        }
    }

    /// A page of at most `limit` objects, from the object `first` on.
    pub fn page(&self, selection: &Selection, first: Id, limit: usize) -> Page {
        let kind = selection.kind;
        let is_meant = |id: &Id| {
            let meta = self.meta_of(kind, *id);
            meta.is_some_and(|meta| selection.matches(meta.namespace(), &meta.name))
        };
        let mut ids = self.ids_from(kind, first).filter(is_meant);
        let here: Vec<Id> = ids.by_ref().take(limit).collect();
        let next = ids.next();
        let bodies = here.into_iter().filter_map(|id| self.body(kind, id)).collect();
        Page { bodies, next }
    }

    /// An object without its kind and apiVersion: from `"metadata":` to the end.
    pub fn body(&self, kind: Kind, id: Id) -> Option<String> {
        let mut out = String::with_capacity(6_500);
        match kind {
            Kind::Namespace => body::namespace(&mut out, self.namespaces.get(id)?),
            Kind::Node => body::node(&mut out, self.nodes.get(id)?),
            Kind::Deployment => body::deployment(&mut out, self.deployments.get(id)?),
            Kind::ReplicaSet => body::replica_set(&mut out, self.replica_sets.get(id)?),
            Kind::Pod => body::pod(&mut out, self.pods.get(id)?),
            Kind::Job => body::job(&mut out, self.jobs.get(id)?),
            Kind::Database => body::database(&mut out, self.databases.get(id)?),
        }
        Some(out)
    }

    /// The object that stands at `draw`, a number of any size: each as likely as any other.
    pub fn any(&self, draw: u64) -> Option<(Kind, Id)> {
        let mut place = draw.checked_rem(self.len() as u64)?;
        for kind in Kind::ALL {
            let count = self.count(kind) as u64;
            if place < count {
                let id = match kind {
                    Kind::Namespace => self.namespaces.any(place),
                    Kind::Node => self.nodes.any(place),
                    Kind::Deployment => self.deployments.any(place),
                    Kind::ReplicaSet => self.replica_sets.any(place),
                    Kind::Pod => self.pods.any(place),
                    Kind::Job => self.jobs.any(place),
                    Kind::Database => self.databases.any(place),
                };
                return Some((kind, id?));
            }
            place -= count;
        }
        None
    }

    /// The numbers of all objects of a kind, from `first` on.
    fn ids_from(&self, kind: Kind, first: Id) -> Box<dyn Iterator<Item = Id> + '_> {
        match kind {
            Kind::Namespace => Box::new(self.namespaces.from(first).map(|(id, _)| id)),
            Kind::Node => Box::new(self.nodes.from(first).map(|(id, _)| id)),
            Kind::Deployment => Box::new(self.deployments.from(first).map(|(id, _)| id)),
            Kind::ReplicaSet => Box::new(self.replica_sets.from(first).map(|(id, _)| id)),
            Kind::Pod => Box::new(self.pods.from(first).map(|(id, _)| id)),
            Kind::Job => Box::new(self.jobs.from(first).map(|(id, _)| id)),
            Kind::Database => Box::new(self.databases.from(first).map(|(id, _)| id)),
        }
    }
}

/// The objects, to be counted by other means than their JSON.
impl Cluster {
    /// All namespaces.
    pub fn namespaces(&self) -> &Shelf<Namespace> {
        &self.namespaces
    }

    /// All Nodes.
    pub fn nodes(&self) -> &Shelf<Node> {
        &self.nodes
    }

    /// All Deployments.
    pub fn deployments(&self) -> &Shelf<Deployment> {
        &self.deployments
    }

    /// All ReplicaSets.
    pub fn replica_sets(&self) -> &Shelf<ReplicaSet> {
        &self.replica_sets
    }

    /// All Pods.
    pub fn pods(&self) -> &Shelf<Pod> {
        &self.pods
    }

    /// All Jobs.
    pub fn jobs(&self) -> &Shelf<Job> {
        &self.jobs
    }

    /// All Databases.
    pub fn databases(&self) -> &Shelf<Database> {
        &self.databases
    }
}

/// What the parts of the simulation share.
impl Cluster {
    /// Plans a step between so many seconds from now.
    pub(super) fn plan(&mut self, low: u64, high: u64, step: Step) {
        let millis = self.random.between(low * 1_000, high * 1_000);
        self.agenda.plan(self.now + millis, step);
    }

    /// Plans the return of something that happens about every `millis`.
    pub(super) fn plan_chance(&mut self, millis: u64, chance: Chance) {
        let millis = self.random.between(millis / 2, millis * 3 / 2).max(1);
        self.agenda.plan(self.now + millis, Step::Chance(chance));
    }

    /// A number for a new object.
    pub(super) fn number(&mut self) -> Id {
        self.numbered += 1;
        Id(self.numbered)
    }

    /// What every new object has. Those that are there from the beginning are some days old.
    pub(super) fn meta(&mut self, name: String, namespace: Option<std::sync::Arc<str>>) -> Meta {
        let age = if self.is_founding { self.random.between(3_600, 30 * 86_400) } else { 0 };
        let created = Moment(self.now().0 - age);
        let uid = Uid(self.random.wide());
        Meta { name, namespace, uid, version: 0, generation: 1, created, deleted: None }
    }

    /// Whether the cluster is still being put up.
    pub(super) fn is_founding(&self) -> bool {
        self.is_founding
    }

    pub(super) fn added(&mut self, kind: Kind, id: Id) {
        self.tell(Action::Added, kind, id);
    }

    pub(super) fn modified(&mut self, kind: Kind, id: Id) {
        self.tell(Action::Modified, kind, id);
    }

    /// Tells how an object was last, and takes it away.
    pub(super) fn deleted(&mut self, kind: Kind, id: Id) {
        self.tell(Action::Deleted, kind, id);
        match kind {
            Kind::Namespace => drop(self.namespaces.remove(id)),
            Kind::Node => drop(self.nodes.remove(id)),
            Kind::Deployment => drop(self.deployments.remove(id)),
            Kind::ReplicaSet => drop(self.replica_sets.remove(id)),
            Kind::Pod => drop(self.pods.remove(id)),
            Kind::Job => drop(self.jobs.remove(id)),
            Kind::Database => drop(self.databases.remove(id)),
        }
    }

    pub(super) fn bookmarks(&mut self) {
        let version = self.version;
        self.told.extend(Kind::ALL.map(|kind| Event::bookmark(kind, version, false)));
    }

    fn tell(&mut self, action: Action, kind: Kind, id: Id) {
        let version = self.version + 1;
        let Some(meta) = self.meta_mut(kind, id) else { return };
        meta.version = version;
        self.version = version;
        if self.is_founding {
            return;
        }
        let names = self.meta_of(kind, id).map(|meta| (meta.namespace().to_owned(), meta.name.clone()));
        if let (Some(body), Some((namespace, name))) = (self.body(kind, id), names) {
            self.told.push(Event { action, kind, version, namespace, name, body });
        }
    }

    fn meta_of(&self, kind: Kind, id: Id) -> Option<&Meta> {
        Some(match kind {
            Kind::Namespace => &self.namespaces.get(id)?.meta,
            Kind::Node => &self.nodes.get(id)?.meta,
            Kind::Deployment => &self.deployments.get(id)?.meta,
            Kind::ReplicaSet => &self.replica_sets.get(id)?.meta,
            Kind::Pod => &self.pods.get(id)?.meta,
            Kind::Job => &self.jobs.get(id)?.meta,
            Kind::Database => &self.databases.get(id)?.meta,
        })
    }

    fn meta_mut(&mut self, kind: Kind, id: Id) -> Option<&mut Meta> {
        Some(match kind {
            Kind::Namespace => &mut self.namespaces.get_mut(id)?.meta,
            Kind::Node => &mut self.nodes.get_mut(id)?.meta,
            Kind::Deployment => &mut self.deployments.get_mut(id)?.meta,
            Kind::ReplicaSet => &mut self.replica_sets.get_mut(id)?.meta,
            Kind::Pod => &mut self.pods.get_mut(id)?.meta,
            Kind::Job => &mut self.jobs.get_mut(id)?.meta,
            Kind::Database => &mut self.databases.get_mut(id)?.meta,
        })
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Schedule(pod) => self.schedule(pod),
            Step::Start(pod) => self.start(pod),
            Step::BecomeReady(pod) => self.become_ready(pod),
            Step::Recover(pod) => self.recover(pod),
            Step::Finish(pod) => self.finish(pod),
            Step::Remove(pod) => self.remove(pod),
            Step::Reconcile(deployment) => self.reconcile(deployment),
            Step::Heartbeat(node) => self.heartbeat(node),
            Step::Evacuate(node) => self.evacuate(node),
            Step::Return(node) => self.come_back(node),
            Step::Expire(job) => self.expire(job),
            Step::Close(namespace) => self.close(namespace),
            Step::Vanish(namespace) => self.vanish(namespace),
            Step::Observe(database) => self.observe(database),
            Step::Chance(chance) => self.chance(chance),
        }
    }
}
