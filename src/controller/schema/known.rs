//! All kinds that something is known of, and which of them a target means.
//!
//! In: kinds with their schemas. Out: what of a Metric fits none of its target's objects. Must never know: files,
//! clusters.

use std::cell::OnceCell;
use std::cmp::Reverse;

use celemetry_engine::error::CompileError;
use celemetry_engine::schema::Schema;
use kube::core::Version;

use super::builtin::{BUILTIN, Builtin, KUBERNETES};
use super::{Kind, misfits_of_all};
use crate::cluster::discovery::Catalog;
use crate::cluster::resource::Resource;
use crate::cluster::target::Target;
use crate::controller::lower::Lowered;

/// Kinds of Kubernetes, and those that were added.
#[derive(Debug)]
pub struct KnownKinds {
    /// By group, then kind, then version, the preferred one first.
    kinds: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    kind: Kind,
    source: Source,
    /// Made when it is asked for.
    schema: OnceCell<Schema>,
}

#[derive(Debug)]
enum Source {
    Builtin(&'static Builtin),
    Added,
}

// === impl KnownKinds ===

impl KnownKinds {
    /// The kinds of Kubernetes.
    pub fn new() -> Self {
        let known = |builtin: &'static Builtin| Known {
            kind: Kind::new(builtin.group, builtin.version, builtin.kind),
            source: Source::Builtin(builtin),
            schema: OnceCell::new(),
        };
        let mut kinds = KnownKinds { kinds: BUILTIN.iter().map(known).collect() };
        kinds.sort();
        kinds
    }

    /// Adds kinds; one that is known already is replaced.
    pub fn add(&mut self, added: impl IntoIterator<Item = (Kind, Schema)>) {
        for (kind, schema) in added {
            self.kinds.retain(|known| known.kind != kind);
            self.kinds.push(Known { kind, source: Source::Added, schema: OnceCell::from(schema) });
        }
        self.sort();
    }

    /// All kinds, and of each whether it is Kubernetes' own.
    pub fn all(&self) -> impl Iterator<Item = (&Kind, bool)> {
        self.kinds.iter().map(|known| (&known.kind, matches!(known.source, Source::Builtin(_))))
    }

    fn sort(&mut self) {
        let order = |known: &Known| {
            let Kind { group, version, kind } = &known.kind;
            (group.clone(), kind.clone(), Reverse(Version::parse(version).priority()))
        };
        self.kinds.sort_by_cached_key(order);
    }

    /// What of a Metric fits none of its target's objects. Nothing where a kind may be meant that is not known.
    pub fn misfits(&self, lowered: &Lowered) -> Vec<CompileError> {
        let target = &lowered.target;
        if target.kind.is_none() {
            // Whatever else a cluster has in that group.
            return vec![];
        }
        let target = Target::new(target.group.as_deref(), target.version.as_deref(), target.kind.as_deref());
        let catalog = Catalog::new(self.kinds.iter().map(|known| resource(&known.kind)).collect());
        let Ok(meant) = catalog.resolve(&target) else { return vec![] };
        let meant = meant.iter().filter_map(|resource| {
            let kind = Kind::new(&resource.group, &resource.version, &resource.kind);
            self.kinds.iter().find(|known| known.kind == kind)
        });
        misfits_of_all(&lowered.definition, meant.map(|known| (known.name(), known.schema())))
    }
}

impl Default for KnownKinds {
    fn default() -> Self {
        KnownKinds::new()
    }
}

// === impl Known ===

impl Known {
    fn schema(&self) -> &Schema {
        self.schema.get_or_init(|| match self.source {
            Source::Builtin(builtin) => builtin.schema(),
            Source::Added => Schema::new(),
        })
    }

    /// For messages: of a kind of Kubernetes, of which version that is what is known.
    fn name(&self) -> String {
        match self.source {
            Source::Builtin(_) => format!("{} in Kubernetes {KUBERNETES}", self.kind),
            Source::Added => self.kind.to_string(),
        }
    }
}

/// A kind as a catalogue has it. The plural does not matter there.
fn resource(kind: &Kind) -> Resource {
    let Kind { group, version, kind } = kind.clone();
    let plural = kind.to_lowercase();
    Resource { group, version, kind, plural, namespaced: true, watchable: true }
}
