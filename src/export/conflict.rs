//! Which metric a name belongs to when several want it.
//!
//! In: the names and shapes of all metrics, and their age. Out: for each either its Prometheus name or why it gets
//! none. Must never know: series, clusters, how a conflict reaches its author.

use std::collections::{BTreeMap, BTreeSet};

use celemetry_engine::definition::MetricInfo;
use celemetry_engine::snapshot::{MetricId, MetricShape};

use crate::export::names::{FamilyName, family_name};
use crate::export::profile::{PointKind, Profile};
use crate::telemetry;

/// A metric that wants to be exported under its name.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// Which metric.
    pub id: MetricId,
    /// Its names.
    pub info: &'a MetricInfo,
    /// What its numbers are.
    pub shape: MetricShape,
    /// The lowest wins: the Unix seconds at which the declaring object was created, or its place in the input.
    /// Among equals the name of the source decides, then the id.
    pub precedence: i64,
}

/// Why a metric is not exported. The text is for the author of that metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameConflict {
    /// The name is celemetry's own.
    #[error(
        "metric name \"{name}\" is reserved: names that begin with \"celemetry_\" or \"celemetry.\" are celemetry's own"
    )]
    Reserved {
        /// The name.
        name: String,
    },
    /// There is no such name in Prometheus.
    #[error("metric name \"{name}\" holds no ASCII letter or digit")]
    Empty {
        /// The name.
        name: String,
    },
    /// An older metric has the name and means something else by it.
    #[error("metric name \"{name}\" belongs to the older {winner}, with another {what}")]
    Differs {
        /// The name.
        name: String,
        /// The source of the metric that keeps the name.
        winner: String,
        /// What does not agree: type, unit or description.
        what: &'static str,
    },
    /// A Metric of the same namespace and name, in the other group, has the name: nothing would tell their series apart.
    #[error(
        "metric name \"{name}\" belongs to the {winner} of the other API group, which is the same to whoever reads it"
    )]
    Twin {
        /// The name.
        name: String,
        /// The source of the metric that keeps the name.
        winner: String,
    },
    /// An older metric has another name that is the same in Prometheus.
    #[error(
        "metric name \"{name}\" and \"{other}\" of the older {winner} are both \"{translated}\" in Prometheus"
    )]
    SameTranslation {
        /// The name.
        name: String,
        /// The name that was there before.
        other: String,
        /// What both become.
        translated: String,
        /// The source of the metric that keeps the name.
        winner: String,
    },
}

/// The names that are taken.
///
/// Invariant: every name in `by_name` has its translation in `translations`, which points back to it.
pub(super) struct Register<'a> {
    profile: Profile,
    by_name: BTreeMap<&'a str, Holder<'a>>,
    translations: BTreeMap<String, &'a str>,
}

/// The first metric that came with a name.
struct Holder<'a> {
    info: &'a MetricInfo,
    /// Who shares the name.
    sources: BTreeSet<&'a str>,
    meaning: Meaning<'a>,
    family: FamilyName,
}

/// What metrics must agree on to share a name.
struct Meaning<'a> {
    kind: PointKind,
    unit: &'a str,
    description: &'a str,
}

/// What a metric's name becomes in Prometheus, as far as names are told apart; `None` where nothing is left of it.
pub fn translation(profile: Profile, info: &MetricInfo, shape: MetricShape) -> Option<String> {
    let meaning = Meaning::of(profile, info, shape);
    family_name(&info.name, meaning.unit, meaning.kind).map(|family| family.name)
}

/// The metrics that may not be exported, with the reason. All others may: those of one name share it.
pub fn resolve(profile: Profile, claims: &[Claim<'_>]) -> BTreeMap<MetricId, NameConflict> {
    let mut oldest_first: Vec<&Claim<'_>> = claims.iter().collect();
    oldest_first.sort_by_key(|claim| (claim.precedence, claim.info.source.as_str(), claim.id));
    let mut register = Register::new(profile);
    let mut conflicts = BTreeMap::new();
    for claim in oldest_first {
        if let Err(conflict) = register.claim(claim.info, claim.shape) {
            conflicts.insert(claim.id, conflict);
        }
    }
    conflicts
}

// === impl NameConflict ===

impl NameConflict {
    /// Whether the name is refused whatever other metrics there are.
    pub fn is_of_the_name_alone(&self) -> bool {
        matches!(self, NameConflict::Reserved { .. } | NameConflict::Empty { .. })
    }
}

// === impl Register ===

impl<'a> Register<'a> {
    pub(super) fn new(profile: Profile) -> Self {
        Register { profile, by_name: BTreeMap::new(), translations: BTreeMap::new() }
    }

    /// Takes the name for a metric, or lets it share the name with those that have it.
    pub(super) fn claim(
        &mut self,
        info: &'a MetricInfo,
        shape: MetricShape,
    ) -> Result<FamilyName, NameConflict> {
        let meaning = Meaning::of(self.profile, info, shape);
        if let Some(holder) = self.by_name.get_mut(info.name.as_str()) {
            return holder.share(&meaning, &info.source);
        }
        let name = || info.name.clone();
        let family = family_name(&info.name, meaning.unit, meaning.kind)
            .ok_or_else(|| NameConflict::Empty { name: name() })?;
        if telemetry::is_reserved(&info.name) || telemetry::is_reserved(&family.name) {
            return Err(NameConflict::Reserved { name: name() });
        }
        if let Some(other) = self.translations.get(&family.name) {
            let winner = self.by_name[other].info.source.clone();
            let (other, translated) = (String::from(*other), family.name);
            return Err(NameConflict::SameTranslation { name: name(), other, translated, winner });
        }
        self.translations.insert(family.name.clone(), &info.name);
        let sources = BTreeSet::from([info.source.as_str()]);
        self.by_name.insert(&info.name, Holder { info, sources, meaning, family: family.clone() });
        Ok(family)
    }
}

impl<'a> Meaning<'a> {
    fn of(profile: Profile, info: &'a MetricInfo, shape: MetricShape) -> Self {
        let (kind, unit) = (profile.point_kind(shape), profile.unit(info, shape));
        Meaning { kind, unit, description: profile.description(info) }
    }
}

impl<'a> Holder<'a> {
    fn share(&mut self, wanted: &Meaning<'_>, source: &'a str) -> Result<FamilyName, NameConflict> {
        let what = if self.meaning.kind != wanted.kind {
            "type"
        } else if self.meaning.unit != wanted.unit {
            "unit"
        } else if self.meaning.description != wanted.description {
            "description"
        } else if self.sources.insert(source) {
            return Ok(self.family.clone());
        } else {
            return Err(NameConflict::Twin { name: self.info.name.clone(), winner: source.to_owned() });
        };
        let (name, winner) = (self.info.name.clone(), self.info.source.clone());
        Err(NameConflict::Differs { name, winner, what })
    }
}

#[cfg(test)]
mod tests {
    use celemetry_engine::definition::{Aggregation, ValueKind};

    use super::*;

    const COUNT: MetricShape = MetricShape::CountOfObjects;
    const MAX: MetricShape = MetricShape::Aggregate(ValueKind::Integer, Aggregation::Max);

    fn info(source: &str, [name, unit, description]: [&str; 3]) -> MetricInfo {
        let [source, name, unit, description] = [source, name, unit, description].map(String::from);
        MetricInfo { source, name, unit, description, ..MetricInfo::default() }
    }

    /// The messages for metrics `a`, `b`, … of these names, shapes and ages.
    fn conflicts(metrics: &[([&str; 3], MetricShape, i64)]) -> Vec<String> {
        let sources = ["a", "b", "c", "d"].map(|name| format!("Metric/x/{name}"));
        let infos: Vec<_> = metrics.iter().zip(&sources).map(|((names, ..), s)| info(s, *names)).collect();
        let claims: Vec<_> = infos
            .iter()
            .zip(metrics)
            .zip(0..)
            .map(|((info, (_, shape, precedence)), id)| Claim {
                id: MetricId(id),
                info,
                shape: *shape,
                precedence: *precedence,
            })
            .collect();
        let conflicts = resolve(Profile::Native, &claims);
        conflicts
            .iter()
            .map(|(id, conflict)| format!("{}: {conflict}", &sources[id.0 as usize][9..]))
            .collect()
    }

    #[test]
    fn metrics_that_agree_share_a_name() {
        let sum = MetricShape::Aggregate(ValueKind::Double, Aggregation::Sum);
        assert_eq!(conflicts(&[(["n", "s", "d"], COUNT, 1), (["n", "s", "d"], sum, 2)]), [""; 0]);
    }

    #[test]
    fn metrics_that_nothing_tells_apart_do_not_share_a_name() {
        let twin = info("Metric/x/a", ["n", "s", "d"]);
        let claim = |id| Claim { id: MetricId(id), info: &twin, shape: COUNT, precedence: 1 };
        let conflicts = resolve(Profile::Native, &[claim(1), claim(2)]);
        assert!(matches!(conflicts.get(&MetricId(2)), Some(NameConflict::Twin { .. })), "{conflicts:?}");
        assert_eq!(conflicts.len(), 1);
    }

    #[test]
    fn of_metrics_that_disagree_the_oldest_keeps_the_name() {
        let first = (["n", "s", "d"], COUNT, 2);
        let loses = |what: &str| {
            [format!("b: metric name \"n\" belongs to the older Metric/x/a, with another {what}")]
        };
        assert_eq!(conflicts(&[first, (["n", "s", "d"], MAX, 3)]), loses("type"));
        assert_eq!(conflicts(&[first, (["n", "", "d"], COUNT, 3)]), loses("unit"));
        assert_eq!(conflicts(&[first, (["n", "s", "e"], COUNT, 3)]), loses("description"));
        assert_eq!(
            conflicts(&[first, (["n", "s", "d"], MAX, 1)]),
            ["a: metric name \"n\" belongs to the older Metric/x/b, with another type"]
        );
    }

    #[test]
    fn among_equally_old_ones_the_source_decides() {
        assert_eq!(conflicts(&[(["n", "", ""], COUNT, 1), (["n", "", ""], MAX, 1)]).len(), 1);
        assert!(conflicts(&[(["n", "", ""], COUNT, 1), (["n", "", ""], MAX, 1)])[0].starts_with("b: "));
    }

    #[test]
    fn names_that_are_one_in_prometheus_collide() {
        assert_eq!(
            conflicts(&[(["a_b", "", ""], COUNT, 2), (["a.b", "", ""], COUNT, 1)]),
            ["a: metric name \"a_b\" and \"a.b\" of the older Metric/x/b are both \"a_b\" in Prometheus"]
        );
        assert_eq!(conflicts(&[(["age", "s", ""], MAX, 1), (["age.seconds", "", ""], MAX, 2)]).len(), 1);
    }

    #[test]
    fn a_loser_does_not_keep_others_from_the_name_it_wanted() {
        let metrics =
            [(["n", "s", ""], COUNT, 1), (["n", "By", ""], COUNT, 2), (["n.bytes", "", ""], COUNT, 3)];
        assert_eq!(conflicts(&metrics).len(), 1);
    }

    #[test]
    fn own_and_empty_names_are_refused() {
        for name in ["celemetry_up", "celemetry.up", "celemetry-up", ".celemetry.up", "celemetry.é", "é", ""]
        {
            assert_eq!(conflicts(&[([name, "", ""], COUNT, 1)]).len(), 1, "{name}");
        }
        for name in ["celemetry", "celemetryx", "a.celemetry.b", "Celemetry.a"] {
            assert_eq!(conflicts(&[([name, "", ""], COUNT, 1)]), [""; 0], "{name}");
        }
        assert_eq!(conflicts(&[(["celemetry", "s", ""], MAX, 1)]).len(), 1);
    }
}
