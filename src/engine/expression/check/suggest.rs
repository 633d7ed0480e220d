//! What an author probably meant.
//!
//! In: a name that is not known, and those that are; what is around it. Out: the nearest of them, the key that was written as
//! names. Must never know: what names stand for.

use super::super::syntax::{Arithmetic, Syntax, SyntaxKind};
use super::super::types::type_named;
use super::Checker;

/// Maps of Kubernetes' objects whose keys are labels or resources, such as `app.kubernetes.io/name` and `amd.com/gpu`.
const HAS_DOTTED_KEYS: [&str; 10] = [
    "labels",
    "annotations",
    "matchLabels",
    "nodeSelector",
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "hard",
    "used",
];

/// Of a longer key nobody would recognise what is suggested.
const LONGEST_KEY: usize = 64;

/// ` (did you mean 'x'?)` for the known name that is nearest to `name`, if one is near; otherwise nothing.
pub(in super::super) fn suggestion<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    // Of a name of one or two letters nothing is left to recognise.
    let farthest = (name.chars().count() / 3).min(3);
    let near = known.into_iter().map(|candidate| (distance(name, candidate), candidate));
    match near.filter(|(distance, _)| *distance <= farthest).min() {
        Some((_, candidate)) => format!(" (did you mean '{candidate}'?)"),
        None => String::new(),
    }
}

/// How many characters must be inserted, removed, replaced or exchanged with their neighbour (optimal string
/// alignment). Names beyond 64 characters are far from everything.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().max(b.len()) > 64 {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

impl Checker<'_, '_> {
    /// What `labels.app-name` and `labels.app.kubernetes.io/name` are probably meant to be, added to the first fault since
    /// there were `before` of them: that there is no such variable. Around a sign that is meant as one most people write
    /// blanks.
    pub(super) fn suggest_key(&mut self, before: usize, computed: &Syntax) {
        let SyntaxKind::Arithmetic(_, operands) = &computed.kind else { return };
        let is_tight = first_of(&operands[1]).at == computed.at + 1;
        if self.faults.len() <= before || !is_tight {
            return;
        }
        if let Some((map, key)) = self.key_of(computed)
            && key.len() <= LONGEST_KEY
        {
            self.faults[before].message += &format!(" (if a key is meant: {map}['{key}'])");
        }
    }

    /// The map and the key that a chain of selections ends in, if the signs in it are those of a name. Behind what is known to
    /// have keys with dots all names are one key.
    fn key_of<'s>(&self, chain: &'s Syntax) -> Option<(&'s str, String)> {
        match &chain.kind {
            SyntaxKind::Arithmetic(operator @ (Arithmetic::Subtract | Arithmetic::Divide), operands) => {
                let end = self.qualified_name(&operands[1]).filter(|name| !begins_with_a_type(name))?;
                let (map, begin) = self.key_of(&operands[0])?;
                Some((map, format!("{begin}{}{end}", operator.symbol())))
            }
            SyntaxKind::Select { operand, name, optional: false } => {
                let SyntaxKind::Select { name: map, .. } = &operand.kind else { return None };
                match self.key_of(operand) {
                    Some((map, begin)) if HAS_DOTTED_KEYS.contains(&map) => {
                        Some((map, format!("{begin}.{name}")))
                    }
                    _ => Some((map, name.clone())),
                }
            }
            _ => None,
        }
    }
}

/// What a chain of selections hangs on.
fn first_of(chain: &Syntax) -> &Syntax {
    let mut first = chain;
    while let SyntaxKind::Select { operand, .. } = &first.kind {
        first = operand;
    }
    first
}

/// Of types that stand where a value must, something else is wrong than that nobody knows them.
fn begins_with_a_type(name: &str) -> bool {
    name.split('.').next().is_some_and(|first| type_named(first).is_some())
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggestion("objct", ["object", "item"]), " (did you mean 'object'?)");
        assert_eq!(suggestion("obejct", ["object"]), " (did you mean 'object'?)");
        assert_eq!(suggestion("x", ["object", "y"]), "");
        assert_eq!(suggestion("startWith", ["endsWith", "startsWith"]), " (did you mean 'startsWith'?)");
    }
}
