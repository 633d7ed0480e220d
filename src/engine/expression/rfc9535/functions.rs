//! The functions of RFC 9535 (section 2.4), with their types checked.
//!
//! In: the parser's calls. Out: conditions and operands. Must never know: how the functions run.

use jsonpath_rust::parser::model;

use super::super::query::{
    Anchor, Extent, Literal, Logical, Matches, Operand, Pattern, Subquery, SyntaxError, compile_pattern,
};
use super::Lowering;
use crate::row::FieldId;

/// What functions there are.
pub(super) const NAMES: [&str; 5] = ["length", "count", "match", "search", "value"];

/// The places of all calls of a text, handed out in order: the parser's tree does not have them.
pub(super) struct Functions {
    places: std::vec::IntoIter<usize>,
}

// === impl Functions ===

impl Functions {
    pub(super) fn new(places: Vec<usize>) -> Self {
        Functions { places: places.into_iter() }
    }

    fn next(&mut self) -> usize {
        self.places.next().unwrap_or(0)
    }
}

impl Lowering<'_> {
    /// A function that is a condition by itself.
    pub(super) fn logical_function(&mut self, function: model::TestFunction) -> Result<Logical, SyntaxError> {
        let place = self.functions.next();
        match function {
            model::TestFunction::Match(subject, pattern) => {
                self.matches(place, subject, pattern, Extent::Whole)
            }
            model::TestFunction::Search(subject, pattern) => {
                self.matches(place, subject, pattern, Extent::Part)
            }
            model::TestFunction::Custom(name, _) => Err(unknown(place, &name)),
            function => {
                let message =
                    format!("{}(…) gives a value, which must be compared with something", name(&function));
                Err(SyntaxError::new(place, message))
            }
        }
    }

    /// A function that gives a value.
    pub(super) fn value_function(&mut self, function: model::TestFunction) -> Result<Operand, SyntaxError> {
        let place = self.functions.next();
        match function {
            model::TestFunction::Length(argument) => {
                Ok(Operand::Length(Box::new(self.value_argument(place, "length", *argument)?)))
            }
            model::TestFunction::Count(argument) => {
                Ok(Operand::Count(self.nodes_argument(place, "count", argument)?))
            }
            model::TestFunction::Value(argument) => {
                Ok(Operand::Value(self.nodes_argument(place, "value", argument)?))
            }
            model::TestFunction::Custom(name, _) => Err(unknown(place, &name)),
            function => {
                let message =
                    format!("{}(…) is true or false and cannot be used as a value", name(&function));
                Err(SyntaxError::new(place, message))
            }
        }
    }

    fn matches(
        &mut self,
        place: usize,
        subject: model::FnArg,
        pattern: model::FnArg,
        extent: Extent,
    ) -> Result<Logical, SyntaxError> {
        let name = if extent == Extent::Whole { "match" } else { "search" };
        let subject = self.value_argument(place, name, subject)?;
        let pattern = match self.value_argument(place, name, pattern)? {
            Operand::Literal(Literal::String(text)) => Pattern::Compiled(
                compile_pattern(&text, extent, self.patterns)
                    .map_err(|message| SyntaxError::new(place, message))?,
            ),
            operand => Pattern::Computed(operand),
        };
        Ok(Logical::Matches(Box::new(Matches { subject, pattern, extent })))
    }

    /// An argument of `ValueType`: a literal, a path to at most one node, or a function that gives a value.
    fn value_argument(
        &mut self,
        place: usize,
        name: &str,
        argument: model::FnArg,
    ) -> Result<Operand, SyntaxError> {
        let test = match argument {
            model::FnArg::Literal(literal) => return Ok(Operand::Literal(super::literal(literal))),
            model::FnArg::Test(test) => *test,
            model::FnArg::Filter(_) => {
                return Err(SyntaxError::new(place, format!("{name}(…) needs a value, not a condition")));
            }
        };
        let (anchor, segments) = match test {
            model::Test::Function(function) => return self.value_function(*function),
            model::Test::RelQuery(segments) => (Anchor::Current, segments),
            model::Test::AbsQuery(query) => (Anchor::Object(FieldId::ROOT), query.segments),
        };
        if !segments.iter().all(is_singular) {
            let message = format!("{name}(…) needs one value, and this path may select several");
            return Err(SyntaxError::new(place, message));
        }
        Ok(Operand::Singular(self.query(anchor, segments)?))
    }

    /// An argument of `NodesType`: any path.
    fn nodes_argument(
        &mut self,
        place: usize,
        name: &str,
        argument: model::FnArg,
    ) -> Result<Subquery, SyntaxError> {
        if let model::FnArg::Test(test) = argument {
            match *test {
                model::Test::RelQuery(segments) => return self.query(Anchor::Current, segments),
                model::Test::AbsQuery(query) => {
                    return self.query(Anchor::Object(FieldId::ROOT), query.segments);
                }
                model::Test::Function(_) => {}
            }
        }
        Err(no_path(place, name))
    }
}

fn is_singular(segment: &model::Segment) -> bool {
    matches!(segment, model::Segment::Selector(model::Selector::Name(_) | model::Selector::Index(_)))
}

fn name(function: &model::TestFunction) -> &str {
    match function {
        model::TestFunction::Custom(name, _) => name,
        model::TestFunction::Length(_) => "length",
        model::TestFunction::Value(_) => "value",
        model::TestFunction::Count(_) => "count",
        model::TestFunction::Search(..) => "search",
        model::TestFunction::Match(..) => "match",
    }
}

/// The argument selects no nodes.
pub(super) fn no_path(place: usize, name: &str) -> SyntaxError {
    SyntaxError::new(place, format!("{name}(…) needs a path"))
}

/// There is no such function.
pub(super) fn unknown(place: usize, name: &str) -> SyntaxError {
    let message = format!("unknown function '{name}', expected one of {}", NAMES.join(", "));
    SyntaxError::new(place, message)
}
