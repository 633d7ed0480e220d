//! The objects of the simulated cluster.
//!
//! In: nothing. Out: the types. Must never know: how objects change, how they are written as JSON.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::moment::Moment;
use super::shelf::Id;

/// The kinds that the cluster has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `v1/Namespace`
    Namespace,
    /// `v1/Node`
    Node,
    /// `apps/v1/Deployment`
    Deployment,
    /// `apps/v1/ReplicaSet`
    ReplicaSet,
    /// `v1/Pod`
    Pod,
    /// `batch/v1/Job`
    Job,
    /// `databases.example.org/v1/Database`, a custom resource with conditions
    Database,
}

/// Objects of one kind: all, or those of a namespace, or of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Of which kind.
    pub kind: Kind,
    /// In which namespace; `None` is any.
    pub namespace: Option<String>,
    /// Of which name; `None` is any.
    pub name: Option<String>,
}

/// What every object has.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Its name.
    pub name: String,
    /// Its namespace, where its kind has one.
    pub namespace: Option<Arc<str>>,
    /// Its identity.
    pub uid: Uid,
    /// The number of the event that changed it last.
    pub version: u64,
    /// How often its spec was changed, from 1.
    pub generation: u64,
    /// When it was created.
    pub created: Moment,
    /// When it was asked to go, if it was.
    pub deleted: Option<Moment>,
}

/// A UID, random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub u128);

/// What runs in the Pods of a Deployment or Job.
#[derive(Clone, Debug)]
pub struct App {
    /// The value of the label `app`.
    pub name: String,
    /// Where it runs.
    pub namespace: Arc<str>,
    /// The value of the label `tier`.
    pub tier: &'static str,
    /// Whether each Pod has the mesh's proxy beside the main container.
    pub is_meshed: bool,
    /// What the main container asks for, in MiB; `None` is nothing.
    pub memory_mib: Option<u64>,
}

/// Whom an object belongs to.
#[derive(Clone, Debug)]
pub struct Owner {
    /// A ReplicaSet, a Job or a Deployment.
    pub kind: Kind,
    /// Which.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its identity.
    pub uid: Uid,
}

/// A namespace.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// What every object has.
    pub meta: Meta,
    /// The value of the label `team`.
    pub team: &'static str,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct Node {
    /// What every object has.
    pub meta: Meta,
    /// The value of the label `topology.kubernetes.io/zone`.
    pub zone: &'static str,
    /// Whether the kubelet is heard of; if not the condition Ready is Unknown.
    pub is_heard: bool,
    /// When it was heard of last.
    pub heartbeat: Moment,
    /// When that began or ended.
    pub changed: Moment,
    /// The Pods there.
    pub pods: BTreeSet<Id>,
}

/// A Deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// What every object has.
    pub meta: Meta,
    /// What runs in its Pods.
    pub app: Arc<App>,
    /// Which version of that.
    pub revision: u64,
    /// How many Pods it wants.
    pub replicas: u64,
    /// How many Pods it has that are ready, as its status says.
    pub ready: u64,
    /// How many of its Pods have the newest version, as its status says.
    pub updated: u64,
    /// How many Pods it has, as its status says.
    pub total: u64,
    /// Its ReplicaSets, the newest last.
    pub sets: Vec<Id>,
}

/// A ReplicaSet.
#[derive(Clone, Debug)]
pub struct ReplicaSet {
    /// What every object has.
    pub meta: Meta,
    /// The Deployment.
    pub owner: Owner,
    /// What runs in its Pods.
    pub app: Arc<App>,
    /// Which version of that.
    pub revision: u64,
    /// The value of the label `pod-template-hash`.
    pub hash: String,
    /// How many Pods it wants.
    pub replicas: u64,
    /// How many Pods it has, as its status says.
    pub total: u64,
    /// How many of them are ready, as its status says.
    pub ready: u64,
    /// Its Pods that are neither gone nor asked to go nor failed.
    pub pods: BTreeSet<Id>,
}

/// A Pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// What every object has.
    pub meta: Meta,
    /// The ReplicaSet or Job.
    pub owner: Owner,
    /// What runs there.
    pub app: Arc<App>,
    /// The labels that its owner's template gives, beyond those of the app.
    pub hash: String,
    /// Where it runs, once that is decided.
    pub node: Option<(Id, Arc<str>)>,
    /// Its phase.
    pub phase: Phase,
    /// Its condition Ready.
    pub is_ready: bool,
    /// Why it failed, where it has.
    pub reason: Option<&'static str>,
    /// When its containers began.
    pub started: Option<Moment>,
    /// When it changed last.
    pub changed: Moment,
    /// Its containers.
    pub containers: Vec<Container>,
}

/// The phases of a Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Its containers have not begun.
    Pending,
    /// They run, or will again.
    Running,
    /// They have ended well.
    Succeeded,
    /// They have not.
    Failed,
}

/// A container of a Pod.
#[derive(Clone, Debug)]
pub struct Container {
    /// Its name.
    pub name: &'static str,
    /// Its image.
    pub image: String,
    /// What it asks for, in MiB; `None` is nothing.
    pub memory_mib: Option<u64>,
    /// How often it was started again.
    pub restarts: u64,
    /// What it does.
    pub state: ContainerState,
}

/// What a container does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContainerState {
    /// It does not run, for this reason.
    Waiting(&'static str),
    /// It has run since then.
    Running(Moment),
    /// It has ended with this exit status.
    Terminated(u8),
}

/// A Job.
#[derive(Clone, Debug)]
pub struct Job {
    /// What every object has.
    pub meta: Meta,
    /// What runs in its Pod.
    pub app: Arc<App>,
    /// Its Pod.
    pub pod: Option<Id>,
    /// How it ended: whether well, and when.
    pub ended: Option<(bool, Moment)>,
}

/// A custom resource.
#[derive(Clone, Debug)]
pub struct Database {
    /// What every object has.
    pub meta: Meta,
    /// Its engine.
    pub engine: &'static str,
    /// Its storage in GiB.
    pub storage_gib: u64,
    /// Its condition Ready, and since when; `None` until its controller has seen it.
    pub ready: Option<(bool, Moment)>,
}

// === impl Kind ===

impl Kind {
    /// Every kind, in the order in which they are listed.
    pub const ALL: [Kind; 7] = [
        Kind::Namespace,
        Kind::Node,
        Kind::Deployment,
        Kind::ReplicaSet,
        Kind::Pod,
        Kind::Job,
        Kind::Database,
    ];

    /// As `kind` has it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Namespace => "Namespace",
            Kind::Node => "Node",
            Kind::Deployment => "Deployment",
            Kind::ReplicaSet => "ReplicaSet",
            Kind::Pod => "Pod",
            Kind::Job => "Job",
            Kind::Database => "Database",
        }
    }

    /// As paths have it.
    pub fn plural(self) -> &'static str {
        match self {
            Kind::Namespace => "namespaces",
            Kind::Node => "nodes",
            Kind::Deployment => "deployments",
            Kind::ReplicaSet => "replicasets",
            Kind::Pod => "pods",
            Kind::Job => "jobs",
            Kind::Database => "databases",
        }
    }

    /// Whether its objects are in namespaces.
    pub fn is_namespaced(self) -> bool {
        !matches!(self, Kind::Namespace | Kind::Node)
    }

    /// As `apiVersion` has it.
    pub fn api_version(self) -> &'static str {
        match self {
            Kind::Namespace | Kind::Node | Kind::Pod => "v1",
            Kind::Deployment | Kind::ReplicaSet => "apps/v1",
            Kind::Job => "batch/v1",
            Kind::Database => "databases.example.org/v1",
        }
    }
}

// === impl Selection, Uid, Meta, Phase ===

impl Selection {
    /// All objects of a kind.
    pub fn all(kind: Kind) -> Self {
        Selection { kind, namespace: None, name: None }
    }

    /// Whether an object of this namespace and name is among them, if it is of the kind.
    pub fn matches(&self, namespace: &str, name: &str) -> bool {
        self.namespace.as_deref().is_none_or(|wanted| wanted == namespace)
            && self.name.as_deref().is_none_or(|wanted| wanted == name)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        let part = |shift: u32, mask: u128| bits >> shift & mask;
        let (a, b, c) = (part(96, 0xffff_ffff), part(80, 0xffff), part(64, 0xfff));
        write!(f, "{a:08x}-{b:04x}-4{c:03x}-a{:03x}-{:012x}", part(48, 0xfff), part(0, 0xffff_ffff_ffff))
    }
}

impl Meta {
    /// The namespace, or an empty text.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

impl Phase {
    /// As `status.phase` has it.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Pending => "Pending",
            Phase::Running => "Running",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
        }
    }
}

impl App {
    /// The image of the main container in this version.
    pub fn image(&self, revision: u64) -> String {
        format!("registry.example.org/{}:1.{revision}.0", self.name)
    }
}
