//! What can be said of an expression besides its value: what it costs, whose values reach its result, how it came to
//! its result for one object.
//!
//! In: a formula that compiles. Out: answers for people. Must never know: metrics. Nothing here is on the path of an
//! event.

mod cost;
mod origins;
mod path_cost;
mod readings;
mod segments;
mod shown;
mod text;
mod trace;

pub use cost::Estimate;
pub(crate) use origins::member;
pub use readings::{OtherReading, other_reading};
pub use shown::Shown;
pub(crate) use shown::json_of;
pub use trace::Part;
pub(crate) use trace::{Variables, trace};

use super::patterns::Patterns;
use super::{cel, kubectl, limits, query, rfc9535, syntax::Syntax};
use crate::definition::{Formula, Language};

/// A formula as its author wrote it, parsed.
pub(super) enum Parsed {
    Cel(Syntax),
    Path(Vec<query::Step>),
}

/// The formula once more as syntax; `None` for one that does not compile.
pub(super) fn parse(formula: &Formula) -> Option<Parsed> {
    match formula.language {
        Language::Cel => {
            limits::check(&formula.text).ok()?;
            cel::parse(&formula.text).ok().map(Parsed::Cel)
        }
        Language::Rfc9535 => rfc9535::parse(&formula.text, &mut Patterns::default()).ok().map(Parsed::Path),
        Language::Kubectl => kubectl::parse(&formula.text).ok().map(Parsed::Path),
    }
}

/// How many steps evaluating the formula for one object takes, at most where nothing is said about the object but the
/// length of its lists.
pub(crate) fn estimate(formula: &Formula) -> Estimate {
    match parse(formula) {
        Some(Parsed::Cel(syntax)) => cost::of(&syntax),
        Some(Parsed::Path(steps)) => path_cost::of_path(&steps),
        None => Estimate::default(),
    }
}

/// The fields whose texts may be the result, or a part of it, such as `metadata.name` and `spec.containers[*].image`.
/// What `item` is stands in `item`.
pub(crate) fn origins(formula: &Formula, item: &[String]) -> Vec<String> {
    match parse(formula) {
        Some(Parsed::Cel(syntax)) => origins::of(&syntax, item),
        Some(Parsed::Path(steps)) => origins::of_path(&steps),
        None => Vec::new(),
    }
}
