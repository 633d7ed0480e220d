//! Kubernetes quantities: `500m`, `2Gi`, `1e3`.

/// An exact amount in units of 1e-9.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Quantity {
    /// Billionths.
    pub nanos: i128,
}
