//! The harness itself: every fault that it promises is one, every count is exact.

use crate::harness::Test;

mod processes;
mod plane;
mod faults;
mod wire;
mod sinks;

/// The tests of this folder.
pub(crate) fn tests() -> Vec<Test> {
    [processes::tests(), plane::tests(), faults::tests(), wire::tests(), sinks::tests()].concat()
}
