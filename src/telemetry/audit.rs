//! What the audit counts: objects that were looked at again, and what came of it.
//!
//! In: findings, counted. Out: readings. Must never know: objects, metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{AUDITED, AUDITS_SKIPPED, MISMATCHES, Reading, counted, reading};

/// What the audit counts.
#[derive(Debug, Default)]
pub struct AuditTelemetry {
    compared: AtomicU64,
    mismatches: AtomicU64,
    /// By [`Skipped`].
    skipped: [AtomicU64; 4],
}

/// Why an object that was looked at again was not compared to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// A list was under way or wanted.
    Unsettled,
    /// It changed from look to look.
    Moving,
    /// The API server did not show it.
    Refused,
    /// It cannot be decoded.
    Undecodable,
}

// === impl AuditTelemetry ===

impl AuditTelemetry {
    /// Counts an object of which just that is held which it gives.
    pub fn count_equal(&self) {
        self.compared.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an object of which, beyond doubt, something else is held.
    pub fn count_mismatch(&self) {
        self.compared.fetch_add(1, Ordering::Relaxed);
        self.mismatches.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an object of which it could not be told.
    pub fn count_skipped(&self, reason: Skipped) {
        self.skipped[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn readings(&self) -> Vec<Reading> {
        let compared = "Objects looked at again and compared with what is held of them.";
        let mismatches = "Objects of which something else was held, found by two looks at one version.";
        let skipped = "Objects looked at again that could not be compared.";
        let mut readings = vec![
            reading(AUDITED, compared, counted(&self.compared)),
            reading(MISMATCHES, mismatches, counted(&self.mismatches)),
        ];
        readings.extend(Skipped::ALL.map(|reason| Reading {
            labels: vec![("reason", reason.name().into())],
            ..reading(AUDITS_SKIPPED, skipped, counted(&self.skipped[reason as usize]))
        }));
        readings
    }
}

// === impl Skipped ===

impl Skipped {
    /// In the order of their names.
    const ALL: [Skipped; 4] = [Skipped::Moving, Skipped::Refused, Skipped::Undecodable, Skipped::Unsettled];

    fn name(self) -> &'static str {
        match self {
            Skipped::Unsettled => "unsettled",
            Skipped::Moving => "moving",
            Skipped::Refused => "refused",
            Skipped::Undecodable => "undecodable",
        }
    }
}
