//! What a Metric may see.
//!
//! In: a choice of whoever runs the operator. Out: a type. Must never know: how the choice is enforced.

/// What a Metric may see, and whom it may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tenancy {
    /// The whole cluster; references may name a namespace: as metrics-operator. Default.
    #[default]
    Open,
    /// Its own namespace, and nothing beyond it.
    Namespaced,
}
