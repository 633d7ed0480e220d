//! What one evaluation may cost.
//!
//! In: charges by the evaluator and the libraries. Out: an error as soon as one cannot be met. Must never know: clocks.
//! Every charge depends on the expression and the row alone, so the same row fails in the same way everywhere.

use super::{Budget, Granted};
use crate::error::EvaluationError;

/// How many bytes of text are read or compared for one step.
const BYTES_A_STEP: usize = 16;

impl Budget {
    /// What one expression may cost for one object: 10,000 steps and 256 KiB.
    pub const EXPRESSION: Budget = Budget::new(10_000, 256 * 1024);

    /// A budget of its own.
    pub const fn new(steps: u64, bytes: u64) -> Self {
        Budget { steps, bytes, granted: Granted { steps, bytes, shared: false }, exhausted: false }
    }

    /// The same budget where all that an event may cost has no more than `left` steps left.
    #[must_use]
    pub fn at_most(mut self, left: u64) -> Self {
        if left < self.steps {
            self.steps = left;
            self.granted = Granted { steps: left, shared: true, ..self.granted };
        }
        self
    }

    /// The steps taken since the budget was granted.
    pub fn spent(&self) -> u64 {
        self.granted.steps - self.steps
    }

    /// Takes `count` steps.
    pub(crate) fn step(&mut self, count: u64) -> Result<(), EvaluationError> {
        match self.steps.checked_sub(count) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => {
                self.steps = 0;
                self.exhausted = true;
                Err(self.granted.too_few_steps())
            }
        }
    }

    /// Takes `count` steps if there are as many left; otherwise none, and tells so.
    #[inline]
    pub(super) fn try_step(&mut self, count: u64) -> bool {
        let left = self.steps.checked_sub(count);
        self.steps = left.unwrap_or(self.steps);
        left.is_some()
    }

    /// Takes what something is known to cost, if there is as much left; otherwise nothing, and tells so.
    pub(super) fn afford(&mut self, steps: u64, bytes: u64) -> bool {
        match (self.steps.checked_sub(steps), self.bytes.checked_sub(bytes)) {
            (Some(steps), Some(bytes)) if !self.exhausted => {
                (self.steps, self.bytes) = (steps, bytes);
                true
            }
            _ => false,
        }
    }

    /// Takes the steps for reading `length` bytes of text: one for every 16.
    pub(crate) fn read(&mut self, length: usize) -> Result<(), EvaluationError> {
        self.step(Budget::reading(length))
    }

    /// The steps for reading `length` bytes of text.
    pub(super) const fn reading(length: usize) -> u64 {
        (length / BYTES_A_STEP) as u64
    }

    /// Takes `length` bytes, and the steps for writing them.
    pub(crate) fn build(&mut self, length: usize) -> Result<(), EvaluationError> {
        self.hold(length)?;
        self.read(length)
    }

    /// Takes `length` bytes, without the steps for writing them.
    pub(crate) fn hold(&mut self, length: usize) -> Result<(), EvaluationError> {
        match self.bytes.checked_sub(length as u64) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => {
                self.bytes = 0;
                self.exhausted = true;
                Err(EvaluationError::plain(format!(
                    "expression needs more than {} bytes",
                    self.granted.bytes
                )))
            }
        }
    }

    /// Takes the bytes of a list or map of `count` values.
    pub(crate) fn build_values(&mut self, count: usize) -> Result<(), EvaluationError> {
        self.build(count.saturating_mul(size_of::<super::Value<'_>>()))
    }

    /// Whether a charge could not be met; whoever absorbs errors must not absorb that one.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }
}

impl Granted {
    #[cold]
    fn too_few_steps(&self) -> EvaluationError {
        let steps = self.steps;
        EvaluationError::plain(if self.shared {
            format!("expression needs more than the {steps} steps that its namespace has left for this event")
        } else {
            format!("expression needs more than {steps} steps")
        })
    }
}
