//! Reads RFC 9535: the syntax tree of the `jsonpath-rust` crate → the steps of a query tree.
//!
//! In: the text of a path. Out: steps. Must never know: field plans, rows.
//!
//! The crate's parser bounds its own nesting at 128 and lets some texts pass that the RFC refuses: functions of its own,
//! ill-typed arguments, blanks inside names. So a scan comes first, which bounds what the parser sees and finds
//! unbalanced texts with a better message, and every function is checked against section 2.4.3 afterwards.

mod functions;
mod scan;

use jsonpath_rust::parser::errors::JsonPathError;
use jsonpath_rust::parser::model;
use jsonpath_rust::parser::parse_json_path;

use super::patterns::Patterns;
use super::query::{
    Anchor, Comparison, Literal, Logical, Name, Operand, Selector, Slice, Step, Subquery, SyntaxError,
};
use crate::row::FieldId;
use functions::Functions;

/// The parser takes no integers of more digits than this and few of as many.
const MAX_DIGITS: usize = 16;

/// Reads one path.
///
/// # Errors
/// What is wrong, and at which character.
pub(super) fn parse(text: &str, patterns: &mut Patterns) -> Result<Vec<Step>, SyntaxError> {
    let calls = scan::scan(text)?;
    let query = parse_json_path(text).map_err(|error| refusal(text, &calls, &error))?;
    let mut lowering = Lowering { functions: Functions::new(calls), patterns };
    lowering.segments(query.segments)
}

/// Turns the parser's tree into ours, in the order of the text.
struct Lowering<'p> {
    functions: Functions,
    patterns: &'p mut Patterns,
}

// === impl Lowering ===

impl Lowering<'_> {
    fn segments(&mut self, segments: Vec<model::Segment>) -> Result<Vec<Step>, SyntaxError> {
        segments.into_iter().map(|segment| self.segment(segment)).collect()
    }

    fn segment(&mut self, segment: model::Segment) -> Result<Step, SyntaxError> {
        Ok(match segment {
            model::Segment::Selector(model::Selector::Name(name)) => Step::Name(Name::new(name)),
            model::Segment::Descendant(segment) => Step::Descendants(self.selectors(*segment)?),
            segment => Step::Children(self.selectors(segment)?),
        })
    }

    fn selectors(&mut self, segment: model::Segment) -> Result<Vec<Selector>, SyntaxError> {
        match segment {
            model::Segment::Selector(selector) => Ok(vec![self.selector(selector)?]),
            model::Segment::Selectors(selectors) => {
                selectors.into_iter().map(|selector| self.selector(selector)).collect()
            }
            model::Segment::Descendant(_) => Err(SyntaxError::new(0, "unexpected '..' after '..'")),
        }
    }

    fn selector(&mut self, selector: model::Selector) -> Result<Selector, SyntaxError> {
        Ok(match selector {
            model::Selector::Name(name) => Selector::Name(Name::new(name)),
            model::Selector::Wildcard => Selector::Wildcard,
            model::Selector::Index(index) => Selector::Index(index),
            model::Selector::Slice(start, end, step) => {
                Selector::Slice(Slice { start, end, step: step.unwrap_or(1) })
            }
            model::Selector::Filter(filter) => Selector::Filter(self.filter(filter)?),
        })
    }

    fn filter(&mut self, filter: model::Filter) -> Result<Logical, SyntaxError> {
        Ok(match filter {
            model::Filter::Or(parts) => Logical::Any(self.filters(parts)?),
            model::Filter::And(parts) => Logical::All(self.filters(parts)?),
            model::Filter::Atom(model::FilterAtom::Filter { expr, not }) => negated(self.filter(*expr)?, not),
            model::Filter::Atom(model::FilterAtom::Test { expr, not }) => negated(self.test(*expr)?, not),
            model::Filter::Atom(model::FilterAtom::Comparison(comparison)) => self.comparison(*comparison)?,
        })
    }

    fn filters(&mut self, filters: Vec<model::Filter>) -> Result<Vec<Logical>, SyntaxError> {
        filters.into_iter().map(|filter| self.filter(filter)).collect()
    }

    fn test(&mut self, test: model::Test) -> Result<Logical, SyntaxError> {
        Ok(match test {
            model::Test::RelQuery(segments) => Logical::Exists(self.query(Anchor::Current, segments)?),
            model::Test::AbsQuery(query) => {
                Logical::Exists(self.query(Anchor::Object(FieldId::ROOT), query.segments)?)
            }
            model::Test::Function(function) => self.logical_function(*function)?,
        })
    }

    fn query(&mut self, anchor: Anchor, segments: Vec<model::Segment>) -> Result<Subquery, SyntaxError> {
        Ok(Subquery { anchor, steps: self.segments(segments)? })
    }

    fn comparison(&mut self, comparison: model::Comparison) -> Result<Logical, SyntaxError> {
        let (left, kind, right) = match comparison {
            model::Comparison::Eq(left, right) => (left, Comparison::Equal, right),
            model::Comparison::Ne(left, right) => (left, Comparison::NotEqual, right),
            model::Comparison::Gt(left, right) => (left, Comparison::Greater, right),
            model::Comparison::Gte(left, right) => (left, Comparison::GreaterOrEqual, right),
            model::Comparison::Lt(left, right) => (left, Comparison::Less, right),
            model::Comparison::Lte(left, right) => (left, Comparison::LessOrEqual, right),
        };
        Ok(Logical::Compare(Box::new(self.comparable(left)?), kind, Box::new(self.comparable(right)?)))
    }

    fn comparable(&mut self, comparable: model::Comparable) -> Result<Operand, SyntaxError> {
        match comparable {
            model::Comparable::Literal(value) => Ok(Operand::Literal(literal(value))),
            model::Comparable::Function(function) => self.value_function(function),
            model::Comparable::SingularQuery(query) => Ok(Operand::Singular(singular(query))),
        }
    }
}

fn negated(condition: Logical, not: bool) -> Logical {
    if not { Logical::Not(Box::new(condition)) } else { condition }
}

fn literal(literal: model::Literal) -> Literal {
    match literal {
        model::Literal::Int(value) => Literal::Integer(value),
        model::Literal::Float(value) => Literal::Double(value),
        model::Literal::String(text) => Literal::String(text.into()),
        model::Literal::Bool(value) => Literal::Bool(value),
        model::Literal::Null => Literal::Null,
    }
}

fn singular(query: model::SingularQuery) -> Subquery {
    let (anchor, segments) = match query {
        model::SingularQuery::Current(segments) => (Anchor::Current, segments),
        model::SingularQuery::Root(segments) => (Anchor::Object(FieldId::ROOT), segments),
    };
    let step = |segment| match segment {
        model::SingularQuerySegment::Name(name) => Step::Name(Name::new(name)),
        model::SingularQuerySegment::Index(index) => Step::Children(vec![Selector::Index(index)]),
    };
    Subquery { anchor, steps: segments.into_iter().map(step).collect() }
}

/// The parser's error in a user's terms.
fn refusal(text: &str, calls: &[usize], error: &JsonPathError) -> SyntaxError {
    let offset = match error {
        JsonPathError::PestError(error) => offset(&format!("{:?}", error.location)),
        JsonPathError::InvalidNumber(_) => {
            return SyntaxError::new(0, "a number is out of range or malformed");
        }
        // Of arguments it refuses those of `count` alone, which must be paths.
        JsonPathError::InvalidJsonPath(message) => {
            let place = calls.iter().find(|place| counts_no_path(text, **place));
            return place
                .map_or(SyntaxError::new(0, message.clone()), |place| functions::no_path(*place, "count"));
        }
        _ => return SyntaxError::new(0, "this is no path of RFC 9535"),
    };
    let Some((before, after)) = offset.and_then(|offset| text.split_at_checked(offset)) else {
        return SyntaxError::new(0, "this is no path of RFC 9535");
    };
    let place = before.chars().count() + 1;
    if let Some(name) = function(after) {
        return functions::unknown(place, name);
    }
    let message = match after.chars().next() {
        None => "unexpected end of the path".to_string(),
        Some('0'..='9') if digits(after) >= MAX_DIGITS => {
            "integers end at 2^53: in a filter, larger numbers are written with an exponent, such as 1e16"
                .to_string()
        }
        Some(c) => format!("unexpected {c:?}"),
    };
    SyntaxError::new(place, message)
}

/// Whether the call at this place is one of `count` with something else than a path.
fn counts_no_path(text: &str, place: usize) -> bool {
    let call: String = text.chars().skip(place - 1).collect();
    let argument = call.strip_prefix("count(").map(str::trim_start);
    argument.is_some_and(|argument| !argument.starts_with(['@', '$']))
}

/// The function that a text begins with a call of, if there is none of that name.
fn function(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (is_name && rest.starts_with('(') && !functions::NAMES.contains(&name)).then_some(name)
}

/// The number in `Pos(17)` or `Span((17, 18))`: the type itself belongs to a crate that the parser does not export.
fn offset(location: &str) -> Option<usize> {
    let number = location.trim_start_matches(|c: char| !c.is_ascii_digit());
    number[..digits(number)].parse().ok()
}

/// How many digits a text begins with.
fn digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}
