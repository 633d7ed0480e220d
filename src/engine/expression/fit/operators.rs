//! Operators and literals.
//!
//! In: what is known of operands. Out: what is known of results. Must never know: functions, macros.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::super::StaticType;
use super::super::check::signatures;
use super::super::syntax::{Arithmetic, Comparison, Syntax, SyntaxKind};
use super::cel::Fitter;
use super::field::article;
use super::seen::Seen;

impl Fitter<'_> {
    pub(super) fn negate(&mut self, at: u32, operand: &Syntax) -> Seen {
        let seen = self.see(operand);
        let negated = [StaticType::Int, StaticType::Double, StaticType::Duration];
        let kinds: Vec<_> = negated.into_iter().filter(|kind| seen.may_be(*kind, self.schema)).collect();
        match kinds.as_slice() {
            [] => {
                let message = seen.contradicting("only a number has a negative", self.schema);
                self.faults.push(at as usize, message)
            }
            [kind] => Seen::Kind(*kind),
            _ => Seen::Anything,
        }
    }

    /// `condition ? then : otherwise`, where otherwise is often another one of these.
    pub(super) fn conditional(&mut self, parts: &[Syntax; 3]) -> Seen {
        self.truth(&parts[0]);
        let mut seen = self.see(&parts[1]);
        let mut last = &parts[2];
        while let SyntaxKind::Conditional(parts) = &last.kind {
            self.truth(&parts[0]);
            seen = seen.or(self.see(&parts[1]));
            last = &parts[2];
        }
        seen.or(self.see(last))
    }

    pub(super) fn arithmetic(&mut self, at: u32, operator: Arithmetic, left: &Seen, right: &Seen) -> Seen {
        let fits =
            |[a, b, _]: &&[StaticType; 3]| left.may_be(*a, self.schema) && right.may_be(*b, self.schema);
        let results: Vec<_> = signatures(operator).iter().filter(fits).map(|[.., result]| *result).collect();
        match results.split_first() {
            None => self.mismatch(at, operator.symbol(), left, right),
            Some((first, rest)) if rest.iter().all(|kind| kind == first) => Seen::of_kind(*first),
            Some(_) => Seen::Anything,
        }
    }

    pub(super) fn compare(&mut self, at: u32, comparison: Comparison, left: &Seen, right: &Seen) -> Seen {
        let equality = match comparison {
            Comparison::Equal => Some("never equals"),
            Comparison::NotEqual => Some("always differs from"),
            _ => None,
        };
        let is_ordered = |seen: &Seen| {
            let unordered = [StaticType::List, StaticType::Map];
            seen.kinds(self.schema).iter().any(|kind| !unordered.contains(kind))
        };
        if !left.may_compare(right, self.schema) {
            match equality {
                Some(verb) => drop(self.unequal(at, verb, left, right)),
                None => drop(self.mismatch(at, comparison.symbol(), left, right)),
            }
        } else if equality.is_none() && !(is_ordered(left) && is_ordered(right)) {
            self.mismatch(at, comparison.symbol(), left, right);
        }
        Seen::Kind(StaticType::Bool)
    }

    /// `spec.replicas is an integer, which never equals a string`
    pub(super) fn unequal(&mut self, at: u32, verb: &str, left: &Seen, right: &Seen) -> Seen {
        let (field, other) = match (left, right) {
            (other, field @ Seen::Field(_)) if !matches!(other, Seen::Field(_)) => (field, other),
            (left, right) => (left, right),
        };
        let other = match other {
            Seen::Field(known) => format!("{known}, {}", article(other, self.schema)),
            computed => article(computed, self.schema).to_owned(),
        };
        let message = format!("{}, which {verb} {other}", field.described(self.schema));
        self.faults.push(at as usize, message)
    }

    /// `needle in haystack`
    pub(super) fn contained(&mut self, at: u32, needle: &Seen, haystack: &Syntax) -> Seen {
        let seen = self.see(haystack);
        match seen.looked_through(self.schema) {
            Err(message) => drop(self.faults.push(self.place_of(haystack), message)),
            Ok(element) if !needle.may_compare(&element, self.schema) => {
                self.unequal(at, "is never among what is", needle, &element);
            }
            Ok(_) => {}
        }
        Seen::Kind(StaticType::Bool)
    }

    pub(super) fn list(&mut self, elements: &[(Syntax, bool)]) -> Seen {
        let mut seen = Vec::with_capacity(elements.len());
        for (element, optional) in elements {
            let element = self.see(element);
            seen.push(if *optional { element.without_optional() } else { element });
        }
        Seen::list(Seen::any(seen))
    }

    /// A map that was written out; its parts are known where its keys are.
    pub(super) fn map(&mut self, entries: &[(Syntax, Syntax, bool)]) -> Seen {
        let mut members = BTreeMap::new();
        let mut named = true;
        for (key, value, optional) in entries {
            self.see(key);
            let value = self.see(value);
            let value = if *optional { value.without_optional() } else { value };
            match &key.kind {
                SyntaxKind::Literal(literal) if literal.as_str().is_some() => {
                    members.insert(literal.as_str().unwrap_or_default().to_owned(), value);
                }
                _ => named = false,
            }
        }
        if named { Seen::Members(Rc::new(members)) } else { Seen::Map(Rc::new(Seen::Anything)) }
    }

    /// Operands that no signature takes.
    pub(super) fn mismatch(&mut self, at: u32, operator: &str, left: &Seen, right: &Seen) -> Seen {
        let (a, b) = (left.type_names(self.schema), right.type_names(self.schema));
        let fields = self.fields_of([left, right]);
        self.faults.push(at as usize, format!("no such overload: {a} {operator} {b}{fields}"))
    }

    /// `: spec.replicas is an integer`, for every operand that is a field.
    pub(super) fn fields_of<'s>(&self, operands: impl IntoIterator<Item = &'s Seen>) -> String {
        let fields = operands.into_iter().filter(|seen| matches!(seen, Seen::Field(_)));
        let mut described: Vec<_> = fields.map(|seen| seen.described(self.schema)).collect();
        described.dedup();
        if described.is_empty() { String::new() } else { format!(" ({})", described.join(", ")) }
    }
}
