//! One source: which objects it has shown, what each of them contributes, and how far its lists have come.
//!
//! In: changes in order. Out: which rows are worth evaluating, and which objects are gone. Must never know: what
//! contributions mean, series, metrics.

mod objects;

pub(crate) use objects::{Contribution, Marker, Object, Objects};

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::change::Origin;
use crate::definition::Definition;
use crate::error::CompileError;
use crate::expression::SharedExpressions;
use crate::hash::Prehashed;
use crate::index::{Index, InstanceId};
use crate::plan::Plan;
use crate::row::{FieldPlan, HashSeed, ObjectKey, Row};

/// The state of one source.
///
/// Invariant: an instance is evaluated on rows of its own epoch or later, since earlier rows may lack its fields.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) objects: Objects,
    pub(crate) index: Index,
    /// The plans bound to this source, by instance number.
    plans: Vec<Option<Bound>>,
    fields: FieldPlan,
    expressions: SharedExpressions,
    /// The field plan as decoders have it; `None` while a newer one waits to be asked for.
    published: Option<Arc<FieldPlan>>,
    /// The epoch of the latest Begin.
    begun: u32,
    /// The list under way.
    list: Option<List>,
    /// How many lists have begun; tells what the present one has shown.
    round: u32,
    /// How often a plan has come to count objects of other namespaces: what was evaluated before is never unchanged.
    selection: u32,
    /// Whether some object's evaluation was cut short, for want of steps of a tenant.
    starved: bool,
}

/// A plan at work on a source.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) plan: Box<Plan>,
    /// The first epoch whose rows hold all of the plan's fields.
    pub(crate) epoch: u32,
    /// Whether a list of that epoch has ended: its contributions are complete.
    pub(crate) ready: bool,
    /// The source's selection when it came to count objects of other namespaces.
    reselected: u32,
}

/// The epoch of no row: an object that has it is never taken for unchanged.
const NO_EPOCH: u32 = u32::MAX;

/// How many deletions are remembered during one list, in about 16 MB; beyond it the list is void, and a new one wanted.
const MOST_DELETED: usize = 1 << 20;

/// A list between its Begin and its End.
#[derive(Debug, Default)]
struct List {
    /// What the watch has deleted since Begin: a listed object of that key is older. At most [`MOST_DELETED`].
    deleted: HashSet<ObjectKey, Prehashed>,
    /// Whether an object that could not even be identified was listed: then absence proves nothing.
    uncertain: bool,
}

/// What to do with a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Nothing: it is stale, or what the plans read has not changed.
    Ignore,
    /// Evaluate it.
    Evaluate,
}

impl Source {
    pub(crate) fn new(seed: HashSeed) -> Self {
        Source {
            objects: Objects::default(),
            index: Index::new(seed),
            plans: Vec::new(),
            fields: FieldPlan::new(seed),
            expressions: SharedExpressions::new(seed),
            published: None,
            begun: 0,
            list: None,
            round: 0,
            selection: 0,
            starved: false,
        }
    }

    /// Compiles a definition against the fields of this source.
    pub(crate) fn compile(&mut self, definition: &Definition) -> Result<Plan, Vec<CompileError>> {
        Plan::compile_shared(definition, &mut self.fields, &mut self.expressions)
    }

    /// Gives back what a plan reads that was compiled but not bound.
    pub(crate) fn release(&mut self, plan: &Plan) {
        self.fields.release(&plan.uses);
    }

    /// Binds a plan that was compiled against these fields. It is complete at the End of a list of its epoch.
    pub(crate) fn bind(&mut self, instance: InstanceId, plan: Box<Plan>) {
        self.raise_epoch();
        let at = instance.0 as usize;
        if self.plans.len() <= at {
            self.plans.resize_with(at + 1, || None);
        }
        self.index.insert(instance, plan.conditions.clone(), self.fields.epoch());
        self.plans[at] =
            Some(Bound { plan, epoch: self.fields.epoch(), ready: false, reselected: self.selection });
    }

    /// Forgets a plan; contributions made by it stay until they are purged.
    pub(crate) fn unbind(&mut self, instance: InstanceId) {
        let Some(bound) = self.plans.get_mut(instance.0 as usize).and_then(Option::take) else { return };
        self.index.remove(instance);
        self.fields.release(&bound.plan.uses);
        if std::mem::take(&mut self.starved) {
            // Its tenant has more steps for its other plans now.
            self.raise_epoch();
        }
        while self.plans.last().is_some_and(Option::is_none) {
            self.plans.pop();
        }
    }

    /// Lets a plan count objects of these namespaces and no others. Until every object of a namespace that enters or
    /// leaves has been shown again, what it contributes may be as before.
    pub(crate) fn set_namespaces(&mut self, instance: InstanceId, namespaces: Option<Arc<BTreeSet<String>>>) {
        let Some(bound) = self.plans.get_mut(instance.0 as usize).and_then(Option::as_mut) else { return };
        if bound.plan.namespaces() != namespaces.as_ref() {
            bound.plan.set_namespaces(namespaces);
            self.index.refile(instance, bound.plan.conditions.clone());
            self.selection = self.selection.wrapping_add(1);
            bound.reselected = self.selection;
        }
    }

    pub(crate) fn bound(&self, instance: InstanceId) -> Option<&Bound> {
        self.plans.get(instance.0 as usize)?.as_ref()
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> {
        (0..).zip(&self.plans).filter(|(_, plan)| plan.is_some()).map(|(id, _)| InstanceId(id))
    }

    /// Every plan that is bound, in the order of instance numbers.
    pub(crate) fn all_bound(&self) -> impl Iterator<Item = (InstanceId, &Bound)> {
        (0..).map(InstanceId).zip(&self.plans).filter_map(|(id, bound)| Some((id, bound.as_ref()?)))
    }

    /// The epoch of the latest Begin.
    pub(crate) fn begun(&self) -> u32 {
        self.begun
    }

    /// Whether a list is under way or wanted, so that what is held may be behind what the source shows.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.round == 0 || self.list.is_some() || self.wants_list()
    }

    /// Asks for a list of a new epoch, unless one is asked for already.
    pub(crate) fn raise_epoch(&mut self) {
        if self.published.take().is_some() {
            self.fields.set_epoch(self.fields.epoch() + 1);
        }
    }

    /// The newest field plan. What is registered from now on belongs to a later epoch.
    pub(crate) fn field_plan(&mut self) -> Arc<FieldPlan> {
        self.published.get_or_insert_with(|| Arc::new(self.fields.clone())).clone()
    }

    /// Whether a newer field plan waits than decoders have.
    pub(crate) fn wants_list(&self) -> bool {
        self.published.is_none()
    }

    pub(crate) fn begin(&mut self, epoch: u32) {
        self.begun = self.begun.max(epoch.min(self.fields.epoch()));
        self.round = self.round.wrapping_add(1);
        self.list = Some(List::default());
    }

    /// Decides about a row, and notes that its object was seen.
    pub(crate) fn admit(&mut self, row: &Row, origin: Origin) -> Admission {
        if row.epoch() < self.begun {
            if origin != Origin::Review {
                self.seen(row.key());
            }
            return Admission::Ignore;
        }
        let Some(object) = self.objects.get_mut(row.key()) else {
            let deleted = self.list.as_ref().is_some_and(|list| list.deleted.contains(&row.key()));
            return if deleted && origin != Origin::Watch { Admission::Ignore } else { Admission::Evaluate };
        };
        if origin == Origin::List && object.mark == (Mark { round: self.round, watched: true }) {
            return Admission::Ignore;
        }
        if origin == Origin::Review {
            return Admission::Evaluate;
        }
        object.mark = Mark { round: self.round, watched: origin == Origin::Watch };
        let unchanged = object.epoch == row.epoch()
            && object.digest == row.digest()
            && object.selection == self.selection;
        if unchanged { Admission::Ignore } else { Admission::Evaluate }
    }

    /// Remembers what an object contributes as of `row`. What was cut short is evaluated again at the next occasion.
    pub(crate) fn store(
        &mut self,
        row: &Row,
        origin: Origin,
        contributions: Box<[Contribution]>,
        starved: bool,
    ) {
        self.starved |= starved;
        let epoch = if starved { NO_EPOCH } else { row.epoch() };
        let mark = match origin {
            Origin::List | Origin::Watch => Mark { round: self.round, watched: origin == Origin::Watch },
            Origin::Review => {
                let unseen = self.unseen();
                self.objects.get_mut(row.key()).map_or(unseen, |known| known.mark)
            }
        };
        let (digest, selection) = (row.digest(), self.selection);
        self.objects.insert(row.key(), Object { digest, epoch, selection, mark, contributions });
    }

    /// The mark of what neither the list under way nor the watch beside it has shown.
    fn unseen(&self) -> Mark {
        Mark { round: self.round.wrapping_sub(1), watched: false }
    }

    /// An object was there but told nothing new.
    pub(crate) fn seen(&mut self, key: ObjectKey) {
        if let Some(object) = self.objects.get_mut(key) {
            object.mark =
                Mark { round: self.round, watched: object.mark.watched && object.mark.round == self.round };
        }
    }

    /// An object was there, but nothing of it could be read, not even which one it is.
    pub(crate) fn seen_unidentified(&mut self) {
        if let Some(list) = &mut self.list {
            list.uncertain = true;
        }
    }

    /// Takes an object out that the watch has deleted.
    pub(crate) fn delete(&mut self, key: ObjectKey) -> Option<Object> {
        if let Some(list) = &mut self.list {
            list.deleted.insert(key);
            if list.deleted.len() > MOST_DELETED {
                self.list = None;
                self.raise_epoch();
            }
        }
        self.objects.remove(key)
    }

    /// Ends the list under way and takes out what it has not shown; what is bound at its epoch is complete now.
    /// `None` if no list is under way.
    pub(crate) fn end(&mut self) -> Option<Vec<Object>> {
        let list = self.list.take()?;
        let round = self.round;
        let gone =
            if list.uncertain { Vec::new() } else { self.objects.sweep(|object| object.mark.round == round) };
        for bound in self.plans.iter_mut().flatten() {
            bound.ready |= bound.epoch <= self.begun;
        }
        Some(gone)
    }

    /// How much is held besides objects: 0 once every plan is gone.
    pub(crate) fn entries(&self) -> usize {
        self.plans.len() + self.index.entries() + self.fields.live() + self.expressions.live()
    }
}

impl Bound {
    /// Whether it has come to count objects of other namespaces since `object` was evaluated.
    pub(crate) fn is_reselected_since(&self, object: &Object) -> bool {
        self.reselected.wrapping_sub(object.selection).cast_signed() > 0
    }
}

/// When an object was last seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// In which list, or since which list began.
    round: u32,
    /// Whether by the watch, which beats the list of its round.
    watched: bool,
}
