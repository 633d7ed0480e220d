//! What readers of the same objects cost, beside the one that reads and drops them.
//!
//! In: figures of the operating system. Out: a table. Must never know: what the readers do.

use std::time::Duration;

use crate::harness::operator::Usage;
use crate::readers::FLOOR;

/// What one reader used.
pub(crate) struct Cost {
    pub(crate) name: &'static str,
    /// Up to where it had everything.
    pub(crate) synced: Usage,
    /// Behind all updates.
    pub(crate) after: Usage,
}

/// Prints a row for each reader.
pub(crate) fn print(costs: &[Cost], updates: u64) {
    let floor = costs.iter().find(|cost| cost.name == FLOOR).expect("the floor is among the readers");
    println!(
        "\n{:<28}{:>12}{:>8}{:>14}{:>8}{:>13}{:>8}{:>11}",
        "reader", "sync, CPU", "ratio", "CPU an event", "ratio", "resident", "ratio", "peak"
    );
    let mib = |bytes: u64| bytes as f64 / 1_048_576.0;
    for cost in costs {
        let an_event = cost.updates().as_micros() as f64 / updates.max(1) as f64;
        println!(
            "{:<28}{:>10.2} s{:>8.2}{:>11.1} µs{:>8.2}{:>9.1} MiB{:>8.2}{:>7.0} MiB",
            cost.name,
            cost.synced.cpu.as_secs_f64(),
            ratio(cost.synced.cpu, floor.synced.cpu),
            an_event,
            ratio(cost.updates(), floor.updates()),
            mib(cost.after.resident),
            cost.after.resident as f64 / floor.after.resident as f64,
            mib(cost.after.peak),
        );
    }
    println!("({updates} updates; ratios are to {FLOOR})");
}

fn ratio(time: Duration, floor: Duration) -> f64 {
    time.as_secs_f64() / floor.as_secs_f64()
}

// === impl Cost ===

impl Cost {
    /// Processor time for the updates.
    fn updates(&self) -> Duration {
        self.after.cpu.saturating_sub(self.synced.cpu)
    }
}
