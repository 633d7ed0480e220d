//! Random paths of RFC 9535 that use all of its grammar, and random documents that have what they look for.
//!
//! In: a seed. Out: texts and documents. Must never know: what paths select.

use serde_json::{Map, Value, json};

/// Decisions: SplitMix64, so that a case is known by its seed alone.
pub(super) struct Choices(u64);

/// Keys, most of them names that need no quotes.
const KEYS: [&str; 20] = [
    "a", "b", "c", "a", "b", "c", "d", "_x", "é", "☺", "𝄞", "", "a.b", "a'b", "a\"b", "\\", " ", "0", "-1",
    "\n",
];

/// Keys that may stand behind a dot.
const NAMES: [&str; 9] = ["a", "b", "c", "a", "b", "d", "_x", "é", "☺"];

const TEXTS: [&str; 12] = ["", "a", "b", "ab", "abc", "aab", "A", "é", "a\nb", "𝄞☺", "a.b", "\\"];

const PATTERNS: [&str; 16] = [
    "a",
    "a.?",
    "[a-c]+",
    ".*",
    "a|b",
    "(a|b)*c?",
    "[^a]",
    "a{2}b",
    "a{1,}",
    ".",
    "\\\\.",
    "[.]",
    "\\\\p{Lu}",
    "é",
    "",
    "b+$|^a",
];

const NUMBERS: [&str; 20] = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "-2",
    "1.0",
    "1.5",
    "2.5",
    "-0.5",
    "1e0",
    "15e-1",
    "1E2",
    "100",
    "-0",
    "0.1",
    "2e3",
    "9007199254740991",
    "-3",
    "4",
];

/// What stands before a comparison, around its operator, and behind it; around a query that selects one node at most; around an
/// index from the end.
const MARKS: [char; 8] =
    ['\u{e000}', '\u{e001}', '\u{e002}', '\u{e003}', '\u{e004}', '\u{e005}', '\u{e006}', '\u{e007}'];

/// A query without its marks.
pub(super) fn as_written(query: &str) -> String {
    query.replace(MARKS, "")
}

/// The same query in other words: comparisons by `<` and `==` alone, as RFC 9535 defines the others, and indices from the end as
/// slices.
pub(super) fn reworded(query: &str) -> String {
    reword(&mut query.chars(), None)
}

fn reword(text: &mut std::str::Chars<'_>, end: Option<char>) -> String {
    let mut written = String::new();
    while let Some(character) = text.next().filter(|character| Some(*character) != end) {
        let mut part = |mark: usize| reword(text, Some(MARKS[mark]));
        match MARKS.iter().position(|mark| *mark == character) {
            Some(0) => {
                let [left, operator, right] = [1, 2, 3].map(part);
                written += &match operator.as_str() {
                    "<=" => format!("({left}<{right}||{left}=={right})"),
                    ">" => format!("{right}<{left}"),
                    ">=" => format!("({right}<{left}||{left}=={right})"),
                    _ => format!("{left}{operator}{right}"),
                };
            }
            // With a slice in it, it is none of those any more.
            Some(4) => match part(5) {
                query if query.contains("[-") => written += &format!("value({query})"),
                query => written += &query,
            },
            Some(6) => {
                let index: i64 = part(7).parse().expect("it is an index");
                let end = if index == -1 { String::new() } else { (index + 1).to_string() };
                written += &format!("{index}:{end}");
            }
            _ => written.push(character),
        }
    }
    written
}

// === impl Choices ===

impl Choices {
    pub(super) fn new(seed: u64) -> Self {
        Choices(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).expect("it is below a usize")
    }

    fn pick<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.below(choices.len())]
    }

    /// Whether something that happens once in `count` times happens.
    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// A list or a map of lists, maps and scalars.
    pub(super) fn document(&mut self) -> Value {
        let mut left = 40;
        self.value(4, true, &mut left)
    }

    fn value(&mut self, depth: usize, container: bool, left: &mut usize) -> Value {
        *left = left.saturating_sub(1);
        match if depth == 0 || *left == 0 {
            self.below(7)
        } else {
            self.below(14) + if container { 7 } else { 0 }
        } {
            0 => Value::Null,
            1 => json!(self.once_in(2)),
            2 | 3 => serde_json::from_str(self.pick(&NUMBERS)).expect("it is a number"),
            4..7 => json!(self.pick(&TEXTS)),
            7..11 => {
                let count = self.below(5);
                (0..count).map(|_| self.value(depth - 1, false, left)).collect()
            }
            _ => {
                let count = self.below(5);
                let mut member = |choices: &mut Choices| {
                    (choices.pick(&KEYS).to_owned(), choices.value(depth - 1, false, left))
                };
                Value::Object((0..count).map(|_| member(self)).collect::<Map<_, _>>())
            }
        }
    }

    /// A query, whose comparisons are marked.
    pub(super) fn query(&mut self) -> String {
        let mut text = "$".to_owned();
        for _ in 0..[0, 1, 1, 2, 2, 2, 3, 3, 4, 5][self.below(10)] {
            text += &self.segment(2);
        }
        text
    }

    /// A query with one character too many, too few, or another one.
    pub(super) fn damaged(&mut self) -> String {
        // With one digit more, numbers of 16 digits are too large for one or the other.
        let mut text: Vec<char> =
            as_written(&self.query()).replace("9007199254740991", "7").chars().collect();
        let at = self.below(text.len());
        let other = [
            '[', ']', '(', ')', '\'', '"', '.', '?', '@', '$', ',', ':', '=', '!', '<', '&', '|', '*', '-',
            '0', '1', 'a', 'e', '\\', '+',
        ];
        let other = other[self.below(other.len())];
        match self.below(3) {
            0 => text.insert(at, other),
            1 => text[at] = other,
            _ => drop(text.remove(at)),
        }
        text.into_iter().collect()
    }

    fn segment(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..4 => format!(".{}", self.pick(&NAMES)),
            4 => ".*".to_owned(),
            5 => match self.below(3) {
                0 => format!("..{}", self.pick(&NAMES)),
                1 => "..*".to_owned(),
                _ => format!("..{}", self.brackets(depth)),
            },
            _ => self.brackets(depth),
        }
    }

    fn brackets(&mut self, depth: usize) -> String {
        let count = [1, 1, 1, 1, 2, 3][self.below(6)];
        let selectors: Vec<String> =
            (0..count).map(|_| format!("{}{}{}", self.blank(), self.selector(depth), self.blank())).collect();
        format!("[{}]", selectors.join(","))
    }

    fn selector(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..3 => {
                let key = self.pick(&KEYS);
                self.quoted(key)
            }
            3 => "*".to_owned(),
            4 => self.pick(&["0", "1", "2", "5"]).to_owned(),
            5 => self.index_from_end(),
            6 => self.slice(),
            _ if depth == 0 => "0".to_owned(),
            _ => format!("?{}{}", self.blank(), self.logical(depth - 1)),
        }
    }

    fn slice(&mut self) -> String {
        const BOUNDS: [&str; 12] = ["", "", "", "0", "1", "2", "3", "-1", "-2", "9", "-9", "100"];
        let (start, end) = (self.pick(&BOUNDS), self.pick(&BOUNDS));
        let step = self.pick(&["", ":", ":1", ":2", ":-1", ":-2", ":3", ":0", ":-9"]);
        let blank = self.blank();
        format!("{start}{blank}:{end}{step}")
    }

    fn logical(&mut self, depth: usize) -> String {
        match self.below(9) {
            0 => {
                let operator = self.pick(&["&&", "||"]);
                let (left, right) = (self.basic(depth), self.basic(depth));
                format!("{left}{}{operator}{}{right}", self.blank(), self.blank())
            }
            1 => format!("{} && {} || {}", self.basic(depth), self.basic(depth), self.basic(depth)),
            _ => self.basic(depth),
        }
    }

    fn basic(&mut self, depth: usize) -> String {
        match self.below(12) {
            0..6 => {
                let operator = self.pick(&["==", "!=", "<", "<=", ">", ">="]);
                let (left, right) = (self.comparable(depth), self.comparable(depth));
                let (before, behind) = (self.blank(), self.blank());
                let [begin, first, second, end, ..] = MARKS;
                format!("{begin}{left}{before}{first}{operator}{second}{behind}{right}{end}")
            }
            6 | 7 => self.path(depth),
            8 => format!("!{}{}", self.blank(), self.path(depth)),
            9 => format!("{}({})", self.pick(&["", "!", "! "]), self.logical(depth.saturating_sub(1))),
            10 => self.pattern(depth),
            _ => format!("!{}", self.pattern(depth)),
        }
    }

    fn pattern(&mut self, depth: usize) -> String {
        let function = self.pick(&["match", "search"]);
        let text = if self.once_in(6) { self.literal() } else { self.comparable(depth) };
        let pattern = if self.once_in(4) { self.singular() } else { format!("'{}'", self.pick(&PATTERNS)) };
        format!("{function}({text},{}{pattern})", self.blank())
    }

    fn comparable(&mut self, depth: usize) -> String {
        match self.below(10) {
            0..4 => self.singular(),
            4..7 => self.literal(),
            7 => match self.below(3) {
                0 => format!("length({})", self.literal()),
                1 => format!("length(value({}))", self.path(depth)),
                _ => format!("length({})", self.singular()),
            },
            8 => format!("count({})", self.path(depth)),
            _ => format!("value({})", self.path(depth)),
        }
    }

    /// A query that may select several nodes, about the element or the document.
    fn path(&mut self, depth: usize) -> String {
        let mut text = self.pick(&["@", "@", "@", "$"]).to_owned();
        for _ in 0..self.below(3) {
            text += &self.segment(depth);
        }
        text
    }

    /// A query that selects one node at most.
    fn singular(&mut self) -> String {
        let mut text = self.pick(&["@", "@", "@", "$"]).to_owned();
        for _ in 0..self.below(3) {
            text += &match self.below(5) {
                0 => format!("[{}]", self.pick(&["0", "1", "2"])),
                1 => format!("[{}]", self.index_from_end()),
                2 => {
                    let key = self.pick(&KEYS);
                    format!("[{}]", self.quoted(key))
                }
                _ => format!(".{}", self.pick(&NAMES)),
            };
        }
        format!("{}{text}{}", MARKS[4], MARKS[5])
    }

    fn index_from_end(&mut self) -> String {
        format!("{}{}{}", MARKS[6], self.pick(&["-1", "-2", "-7"]), MARKS[7])
    }

    fn literal(&mut self) -> String {
        match self.below(8) {
            0..3 => self.pick(&NUMBERS).to_owned(),
            3..6 => {
                let text = self.pick(&TEXTS);
                self.quoted(text)
            }
            6 => self.pick(&["true", "false"]).to_owned(),
            _ => "null".to_owned(),
        }
    }

    /// A string in one of the quotes, with escapes where they are needed, and some where they are not.
    fn quoted(&mut self, text: &str) -> String {
        let quote = if self.once_in(3) { '"' } else { '\'' };
        let mut written = String::from(quote);
        for character in text.chars() {
            match character {
                '\\' => written += "\\\\",
                '\n' => written += self.pick(&["\\n", "\\u000a", "\\u000A"]),
                '/' => written += self.pick(&["/", "\\/"]),
                _ if character == quote => {
                    written.push('\\');
                    written.push(character);
                }
                _ if self.once_in(8) => {
                    // Of a pair of units, they read capital digits only.
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        written += &format!("\\u{unit:04X}");
                    }
                }
                _ => written.push(character),
            }
        }
        written.push(quote);
        written
    }

    fn blank(&mut self) -> &'static str {
        if self.once_in(8) { self.pick(&[" ", "  ", "\t", "\n"]) } else { "" }
    }
}
