//! What an author probably meant.
//!
//! In: a name that is not known, and those that are. Out: the nearest of them. Must never know: what names stand for.

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
