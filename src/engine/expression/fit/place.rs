//! Where in a text a name stands.
//!
//! In: a text and names in the order in which they stand in it. Out: byte offsets. Must never know: what names mean.

/// Finds names one after the other.
#[derive(Debug)]
pub(super) struct Places<'t> {
    text: &'t str,
    /// Behind the last name.
    next: usize,
    /// Where that begins.
    last: usize,
}

impl<'t> Places<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Places { text, next: 0, last: 0 }
    }

    /// Where the name stands next, as it is or with its dots escaped. The beginning of the text where it is written in
    /// another way.
    pub(super) fn next(&mut self, name: &str) -> usize {
        let escaped = name.replace('.', "\\.");
        for written in [name, escaped.as_str()] {
            if let Some(at) = name_at(self.text, self.next, written) {
                (self.last, self.next) = (at, at + written.len());
                return at;
            }
        }
        0
    }

    /// Where the last name stands.
    pub(super) fn last(&self) -> usize {
        self.last
    }

    /// Passes over a text that is no name.
    pub(super) fn skip(&mut self, literal: &str) {
        if let Some(at) = self.text.get(self.next..).and_then(|rest| rest.find(literal)) {
            self.next += at + literal.len();
        }
    }
}

/// Where `name` stands as a word of its own, at `from` or later.
pub(super) fn name_at(text: &str, from: usize, name: &str) -> Option<usize> {
    let rest = text.get(from..).filter(|_| !name.is_empty())?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let found = rest.match_indices(name).find(|(at, _)| {
        let before = text[..from + at].chars().next_back();
        let after = rest[at + name.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    });
    found.map(|(at, _)| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_order_and_whole() {
        let mut places = Places::new(r"$.ab.b[?(@.b == 'b')].c\.d.b");
        assert_eq!(places.next("ab"), 2);
        assert_eq!(places.next("b"), 5);
        assert_eq!(places.next("b"), 11);
        places.skip("b");
        assert_eq!(places.next("c.d"), 22);
        assert_eq!(places.next("b"), 27);
        assert_eq!(places.next("b"), 0, "there is none left");
    }
}
