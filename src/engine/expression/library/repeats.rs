//! How often repetitions in repetitions repeat what is innermost.
//!
//! In: the atoms, groups and repetitions of a pattern, in order. Out: whether they are too many. Must never know: what an
//! atom is.

/// How often something may be repeated, by all repetitions around it together.
pub(super) const MAX_REPEAT: u32 = 1000;

/// How often the innermost part is repeated at most.
pub(super) struct Repeats {
    /// In the whole pattern and in every group that is open, but for its last atom.
    groups: Vec<u64>,
    /// In the last atom.
    last: u64,
}

impl Default for Repeats {
    fn default() -> Self {
        Repeats { groups: vec![1], last: 1 }
    }
}

// === impl Repeats ===

impl Repeats {
    /// Another atom follows.
    pub(super) fn settle(&mut self) {
        let last = std::mem::replace(&mut self.last, 1);
        if let Some(all) = self.groups.last_mut() {
            *all = last.max(*all);
        }
    }

    /// A group begins.
    pub(super) fn open(&mut self) {
        self.settle();
        self.groups.push(1);
    }

    /// It ends, and is an atom itself.
    pub(super) fn close(&mut self) {
        self.settle();
        self.last = self.groups.pop().unwrap_or(1);
    }

    /// The last atom is repeated so often.
    ///
    /// # Errors
    /// What is wrong with that.
    pub(super) fn multiply(&mut self, most: Option<u32>) -> Result<(), String> {
        self.last = match most {
            // What is never there is not looked into.
            Some(0) => 1,
            Some(most) => self.last * u64::from(most),
            None => self.last,
        };
        if self.last > u64::from(MAX_REPEAT) {
            return Err(format!("its repetitions are too large together, more than {MAX_REPEAT}"));
        }
        Ok(())
    }
}
