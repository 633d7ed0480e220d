//! What of a Metric fits no object of its target, as far as the API server says what these are.
//!
//! In: what the Metric means, the kinds that its target means now, their schemas as they are published. Out: warnings.
//! Must never know: what happens to warnings. Nothing waits for a schema, and nothing is evaluated otherwise for it.

use std::sync::Arc;

use celemetry_engine::schema::Schema;
use tokio::sync::watch;

use super::task::MetricTask;
use crate::controller::schema::{Kind, misfits_of_all};

/// What was found last.
#[derive(Default)]
pub(super) struct Fitted {
    /// The kinds that are looked at.
    kinds: Vec<Kind>,
    /// What is known of each.
    pub(super) schemas: Vec<watch::Receiver<Option<Arc<Schema>>>>,
    /// The same when the Metric was looked at last.
    known: Vec<Option<Arc<Schema>>>,
    /// Whether the Metric was looked at since it was written.
    is_current: bool,
    /// Each begins with its place.
    pub(super) warnings: Vec<String>,
}

/// Of a target that means more kinds than this, nothing is said: no expression is about all of them.
const MOST_KINDS: usize = 8;

/// A status has no room for more.
const MOST_WARNINGS: usize = 10;

// === impl Fitted ===

impl Fitted {
    /// The Metric was written anew.
    pub(super) fn forget(&mut self) {
        self.is_current = false;
    }
}

/// Whether nothing was published in between.
fn is_same(before: &[Option<Arc<Schema>>], now: &[Option<Arc<Schema>>]) -> bool {
    let is_same = |(before, now): (&Option<Arc<Schema>>, &Option<Arc<Schema>>)| match (before, now) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now),
        (before, now) => before.is_none() && now.is_none(),
    };
    before.len() == now.len() && before.iter().zip(now).all(is_same)
}

// === impl MetricTask ===

impl MetricTask {
    /// Looks at the Metric again where it, its kinds or their schemas have changed.
    pub(super) async fn fit(&mut self) {
        let mut kinds: Vec<Kind> = self
            .observed()
            .iter()
            .map(|seen| Kind::new(&seen.resource.group, &seen.resource.version, &seen.resource.kind))
            .collect();
        if kinds.len() > MOST_KINDS {
            kinds.clear();
        }
        if kinds != self.fitted.kinds {
            let mut schemas = Vec::with_capacity(kinds.len());
            for kind in &kinds {
                // Without anybody who looks there are none.
                schemas.extend(self.context.schemas.of(kind.clone()).await);
            }
            (self.fitted.kinds, self.fitted.schemas, self.fitted.is_current) = (kinds, schemas, false);
        }
        let known: Vec<_> =
            self.fitted.schemas.iter_mut().map(|schema| schema.borrow_and_update().clone()).collect();
        if self.fitted.is_current && is_same(&self.fitted.known, &known) {
            return;
        }
        self.fitted.warnings = self.misfits(&known);
        self.fitted.known = known;
        self.fitted.is_current = true;
    }

    /// Nothing unless something is known of every kind.
    fn misfits(&self, schemas: &[Option<Arc<Schema>>]) -> Vec<String> {
        let Some(lowered) = &self.declaration.lowered else { return vec![] };
        let kinds = &self.fitted.kinds;
        if schemas.len() != kinds.len() || schemas.iter().any(Option::is_none) {
            return vec![];
        }
        let known = kinds.iter().map(ToString::to_string).zip(schemas.iter().filter_map(Option::as_deref));
        let found = misfits_of_all(&lowered.definition, known);
        found.iter().take(MOST_WARNINGS).map(ToString::to_string).collect()
    }
}
