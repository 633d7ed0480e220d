//! Steps, objects and definitions out of the fuzzer's bytes, about one byte a choice.
//!
//! Choices that the bytes have run out for are the first of their list.

use std::collections::BTreeSet;

use celemetry_engine::definition::{Definition, LabelOperator, LabelRequirement};
use libfuzzer_sys::arbitrary::Unstructured;
use serde_json::Value as Json;

use crate::trial::{SLOTS, Step};
use crate::vocabulary::{self as words, Body, Container, Parts};

/// What is left of the input.
pub(crate) struct Choices<'b>(pub(crate) Unstructured<'b>);

impl Choices<'_> {
    /// A number from 0 on.
    fn below(&mut self, end: usize) -> usize {
        self.0.int_in_range(0..=end - 1).unwrap_or(0)
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }

    /// One of a list as often as not.
    fn maybe<T: Copy>(&mut self, list: &[T]) -> Option<T> {
        self.one_in(2).then(|| self.pick(list))
    }

    pub(crate) fn step(&mut self) -> Step {
        let source = self.below(2);
        let slot = self.below(SLOTS.into()).try_into().expect("slots are bytes");
        let (count, metric) = (1 + self.below(5), self.below(4));
        match self.below(32) {
            0..8 => Step::Put { source, slot, recreate: self.one_in(8), body: self.body() },
            8..10 => Step::Remove { source, slot },
            10..14 => Step::Watch { source, count },
            14 => Step::Disconnect { source },
            15 | 16 => Step::Begin { source },
            17 | 18 => Step::List { source, count },
            19 | 20 => Step::End { source },
            21 | 22 => Step::Review { source, count },
            23 | 24 => Step::Add { definition: self.definition().into(), both: self.one_in(2) },
            25 => Step::Edit { metric, definition: self.definition().into(), both: self.one_in(2) },
            26 => Step::Drop { metric },
            27 | 28 => Step::Look { metric, namespaces: self.namespaces(&["a", "b", "c", "z"], 4) },
            29 => Step::Flush,
            30 => Step::FlushOne { metric },
            _ if self.one_in(2) => Step::Readmit { source },
            _ => Step::Check,
        }
    }

    fn body(&mut self) -> Json {
        let odd = self.one_in(3);
        let body = Body {
            labels: (!self.one_in(8)).then(|| std::array::from_fn(|at| self.maybe(words::LABELS[at].1))),
            phase: self.pick(if odd { words::ODD_PHASES } else { words::PHASES }),
            weight: self.maybe(words::WEIGHTS).unwrap_or_default(),
            started: self.maybe(words::STARTED).unwrap_or_default(),
            age: self.maybe(words::AGES).unwrap_or_default(),
            priority: self.maybe(words::PRIORITIES).unwrap_or_default(),
            containers: (!self.one_in(8)).then(|| (0..self.below(4)).map(|_| self.container()).collect()),
            noise: self.0.arbitrary().unwrap_or_default(),
        };
        body.json()
    }

    fn container(&mut self) -> Container {
        Container {
            name: self.pick(words::CONTAINERS),
            restarts: self.maybe(&[0, 1, 2, 3, 4, 5]),
            cpu: self.maybe(words::CPUS),
            ready: self.one_in(2),
        }
    }

    fn definition(&mut self) -> Definition {
        let parts = Parts {
            labels: (0..self.below(3)).map(|_| self.requirement()).collect(),
            namespaces: if self.one_in(4) { self.namespaces(&["a", "b", "z"], 2) } else { None },
            fields: self
                .one_in(4)
                .then(|| words::field_requirement(self.pick(words::FIELDS), self.one_in(2))),
            filter: self.maybe(words::FILTERS),
            elements: self.maybe(words::ELEMENTS),
            texts: (0..self.below(3)).map(|_| (self.below(6), self.one_in(2))).collect(),
            value: self
                .maybe(words::VALUES)
                .map(|value| (value, self.pick(words::AGGREGATIONS), self.one_in(2))),
        };
        parts.definition()
    }

    fn requirement(&mut self) -> LabelRequirement {
        let values: BTreeSet<String> =
            (0..1 + self.below(2)).map(|_| self.pick(words::LABEL_VALUES).to_owned()).collect();
        let number = self.below(11).try_into().expect("it is small");
        let operator = match self.below(8) {
            0..3 => LabelOperator::In(values),
            3 => LabelOperator::NotIn(values),
            4 => LabelOperator::Exists,
            5 => LabelOperator::DoesNotExist,
            6 => LabelOperator::GreaterThan(number),
            _ => LabelOperator::LessThan(number),
        };
        LabelRequirement { key: self.pick(words::LABELS).0.to_owned(), operator }
    }

    /// A few of the names, or all namespaces.
    fn namespaces(&mut self, names: &[&str], most: usize) -> Option<BTreeSet<String>> {
        if self.one_in(4) {
            return None;
        }
        Some((0..self.below(most)).map(|_| self.pick(names).to_owned()).collect())
    }
}
