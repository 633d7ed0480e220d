//! Random calls of the libraries, and random paths in kubectl's dialect with the documents that they are about.
//!
//! In: a seed. Out: texts and documents. Must never know: what they give. Left out is what is known to differ: a repetition that is
//! repeated behind flags, binary amounts beyond 64 bits, keys that are neither texts nor whole numbers.

use std::fmt::Write;

use fastrand::Rng;
use serde_json::{Value, json};

/// Makes texts.
pub(crate) struct Generator(Rng);

/// Keys of documents, mostly names of one letter.
const KEYS: &[&str] = &[
    "a", "b", "c", "t", "v", "l", "a", "b", "t", "v", "l", "x-y", "a.b", "a/b", "é", "", "0", "a b", "a}b",
    "a]b", "a,b", "@", "$", "*", "a:b", "range", "true",
];

/// A kind of call.
type Call = fn(&mut Generator) -> String;

const CALLS: [Call; 9] = [
    Generator::text,
    Generator::pattern,
    Generator::url,
    Generator::version,
    Generator::address,
    Generator::amount,
    Generator::template,
    Generator::list,
    Generator::time,
];

/// What patterns are made of, and mistakes in them.
const PATTERN_PARTS: &[&str] = &[
    "a",
    "b",
    "\\d",
    "\\w",
    "\\s",
    "\\b",
    "\\B",
    ".",
    "*",
    "+",
    "?",
    "|",
    "(",
    ")",
    "[",
    "^",
    "]",
    "-",
    "{2}",
    "{1,2}",
    "{",
    "}",
    "$",
    "(?:",
    "\\pL",
    "[[:alpha:]]",
    "\\",
    "é",
    "0",
    "\\x41",
    "\\Q",
    "\\E",
    "\\z",
    "[^a]",
    "[a-z]",
    "&&",
    "~~",
    "--",
    ",",
    "#",
    " ",
    "<",
    "\\<",
    "_",
    "(?i)",
    "(?U)",
    "(?-U)",
    "(?s:",
];

// === impl Generator ===

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Generator(Rng::with_seed(seed))
    }

    /// A call of a library function.
    pub(crate) fn call(&mut self) -> String {
        let call = CALLS[self.0.usize(..CALLS.len())];
        call(self)
    }

    fn pick<'c>(&mut self, choices: &[&'c str]) -> &'c str {
        choices[self.0.usize(..choices.len())]
    }

    /// A literal of up to so many parts.
    fn literal(&mut self, parts: &[&str], most: usize) -> String {
        let count = self.0.usize(..=most);
        let text: String = (0..count).map(|_| self.pick(parts)).collect();
        quoted(&text)
    }

    fn index(&mut self) -> &'static str {
        self.pick(&["-2", "-1", "0", "1", "2", "3", "5", "8"])
    }

    fn text(&mut self) -> String {
        let text = self.literal(&["a", "b", "a", "é", "€", "😀", " ", "\n"], 6);
        let (part, other) = (self.literal(&["a", "b", "é"], 2), self.literal(&["a", "b", "é"], 2));
        let (from, to) = (self.index(), self.index());
        let call = match self.0.usize(..11) {
            0 => format!("indexOf({part})"),
            1 => format!("indexOf({part}, {from})"),
            2 => format!("lastIndexOf({part})"),
            3 => format!("lastIndexOf({part}, {from})"),
            4 => format!("substring({from})"),
            5 => format!("substring({from}, {to})"),
            6 => format!("replace({part}, {other}, {from})"),
            7 => format!("split({part})"),
            8 => format!("split({part}, {from})"),
            9 => format!("charAt({from})"),
            _ => "trim()".to_owned(),
        };
        format!("{text}.{call}")
    }

    fn pattern(&mut self) -> String {
        let text = self.literal(&["a", "b", "A", "0", "1", " ", "é", "\n", "<", "_", "-", "{", "&", "~"], 6);
        let flags = self.pick(&["", "", "", "(?i)", "(?s)", "(?U)", "(?m)"]);
        let count = self.0.usize(..=7);
        let mut pattern: String = (0..count).map(|_| self.pick(PATTERN_PARTS)).collect();
        // Repeated again behind flags, and only there, a repetition is one of a repetition.
        for repetition in ["*(?", "+(?", "?(?", "}(?"] {
            pattern = pattern.replace(repetition, "(?");
        }
        let pattern = quoted(&format!("{flags}{pattern}"));
        let limit = self.index();
        match self.0.usize(..4) {
            0 => format!("{text}.find({pattern})"),
            1 => format!("{text}.findAll({pattern})"),
            2 => format!("{text}.findAll({pattern}, {limit})"),
            _ => format!("{text}.matches({pattern})"),
        }
    }

    fn url(&mut self) -> String {
        let mut url = self
            .pick(&["http://", "https://", "/", "//", "HTTP://", "mailto:", "1:", "", "file:///"])
            .to_owned();
        for _ in 0..self.0.usize(..5) {
            url.push_str(
                self.pick(&["a", "b.c", ":", "80", "@", "[::1]", "[", "%", "%41", "%2f", "é", " ", "ex"]),
            );
        }
        url.push_str(self.pick(&["", "/"]));
        for _ in 0..self.0.usize(..7) {
            url.push_str(self.pick(&[
                "a", "%41", "%zz", "%2F", "é", " ", "*", "'", "(", "[", "?", "#", "=", "&", "+", ";", "@",
            ]));
        }
        let part = self.pick(&[
            "",
            ".getHost()",
            ".getHostname()",
            ".getPort()",
            ".getEscapedPath()",
            ".getQuery()",
        ]);
        if self.0.bool() {
            format!("url({}){part}", quoted(&url))
        } else {
            format!("isURL({})", quoted(&url))
        }
    }

    fn version(&mut self) -> String {
        let text = self.literal(
            &["1", "0", "2", ".", ".", "-", "+", "rc", "a", "01", "v", "1.2.3", "10", "é", "-", ".0"],
            6,
        );
        let mut sound = || {
            let prerelease = self.pick(&["", "-1", "-a", "-a.1", "-1.a", "-10", "-9", "--"]);
            quoted(&format!("1.2.3{prerelease}{}", self.pick(&["", "+x"])))
        };
        let (a, b) = (sound(), sound());
        match self.0.usize(..4) {
            0 => format!("semver({text})"),
            1 => format!("semver({text}, true)"),
            2 => format!("semver({a}).compareTo(semver({b}))"),
            _ => format!("semver({a}) == semver({b})"),
        }
    }

    fn address(&mut self) -> String {
        const SOUND: &[&str] = &[
            "1.2.3.4",
            "10.0.0.1",
            "::1",
            "fe80::1",
            "2001:db8::",
            "ff02::1",
            "224.0.0.5",
            "255.255.255.255",
            "169.254.0.1",
            "0.0.0.0",
            "1:0:0:2:0:0:0:3",
            "1:2:3:4:5:6:0:0",
        ];
        let text = self.literal(
            &["1", "0", "255", "256", ".", ".", ":", "::", "ff", "FFFF", "0a", "1.2.3.4", "%e", "12345"],
            7,
        );
        let mut range = || {
            let length = self.pick(&["0", "8", "16", "31", "32", "33", "64", "128", "129", "08", "+1", ""]);
            quoted(&format!("{}/{length}", self.pick(SOUND)))
        };
        let (range, other) = (range(), range());
        let sound = quoted(self.pick(SOUND));
        let question =
            self.pick(&["family", "isUnspecified", "isLoopback", "isLinkLocalMulticast", "isGlobalUnicast"]);
        match self.0.usize(..6) {
            0 => format!("ip({text})"),
            1 => format!("ip.isCanonical({text})"),
            2 => format!("ip({sound}).{question}()"),
            3 => format!("cidr({range}).masked()"),
            4 => format!("cidr({range}).containsIP({sound})"),
            _ => format!("cidr({range}).containsCIDR({other})"),
        }
    }

    fn amount(&mut self) -> String {
        let mut quantity = || {
            let sign = self.pick(&["", "-", "+"]);
            let whole = self.pick(&["", "1", "0", "5", "00", "19", "9000", "1234567890123"]);
            let fraction = self.pick(&["", ".", ".5", ".0", ".125", ".10"]);
            let suffix = self.pick(&[
                "", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "u", "n", "e3", "e-3", "E2", "x",
            ]);
            format!("quantity({})", quoted(&format!("{sign}{whole}{fraction}{suffix}")))
        };
        let (a, b) = (quantity(), quantity());
        let call = self.pick(&["isInteger()", "asInteger()", "asApproximateFloat()"]);
        match self.0.usize(..5) {
            0 => format!("{a}.{call}"),
            1 => format!("{a}.add({b}).{call}"),
            2 => format!("{a}.sub({b}).{call}"),
            3 => format!("{a}.compareTo({b})"),
            _ => format!("{a} == {b}"),
        }
    }

    fn template(&mut self) -> String {
        const VALUES: &[&str] = &[
            "1",
            "-5",
            "2u",
            "1.5",
            "-0.001",
            "1e21",
            "123456.789",
            "'aé'",
            "b'ab'",
            "true",
            "null",
            "[1, 2]",
            "['a']",
            "{'a': 1.5}",
            "int",
            "duration('1.5s')",
            "'NaN'",
            "0.0 / 0.0",
            "[1.5]",
            "optional.of(1)",
            "{true: 'x'}",
        ];
        let template = self
            .literal(&["%s", "%d", "%f", "%.2f", "%e", "%x", "%X", "%o", "%b", "%%", "a", "é", "%", "%q"], 3);
        let count = self.0.usize(..4);
        let values: Vec<String> = (0..count).map(|_| format!("dyn({})", self.pick(VALUES))).collect();
        format!("{template}.format([{}])", values.join(", "))
    }

    fn list(&mut self) -> String {
        const VALUES: &[&str] = &[
            "1",
            "2",
            "3",
            "1.5",
            "2.0",
            "'a'",
            "'b'",
            "true",
            "null",
            "[1]",
            "2u",
            "b'x'",
            "duration('1s')",
        ];
        const CALLS: &[&str] =
            &["sum", "min", "max", "isSorted", "distinct", "reverse", "sort", "first", "last", "flatten"];
        let mut list = || {
            let count = self.0.usize(..5);
            let values: Vec<String> = (0..count).map(|_| format!("dyn({})", self.pick(VALUES))).collect();
            format!("[{}]", values.join(", "))
        };
        let (list, other) = (list(), list());
        let (from, to, value) = (self.index(), self.index(), self.pick(VALUES));
        match self.0.usize(..7) {
            0 => format!("{list}.indexOf(dyn({value}))"),
            1 => format!("{list}.lastIndexOf(dyn({value}))"),
            2 => format!("{list}.slice({from}, {to})"),
            3 => format!("sets.{}({list}, {other})", self.pick(&["contains", "equivalent", "intersects"])),
            4 => format!("{list}.transformMap(i, v, v)"),
            5 => format!("{list}.sortBy(x, {})", self.pick(&["x", "1", "[x].size()", "string(x)"])),
            _ => format!("{list}.{}()", self.pick(CALLS)),
        }
    }

    fn time(&mut self) -> String {
        let mut stamp = || {
            let day = self.pick(&["01-01", "02-29", "02-30", "09-30"]);
            let time = self.pick(&["00:00:00", "3:04:05", "23:59:60", "12:30:30.123456789"]);
            let offset = self.pick(&["Z", "+01:00", "-07:30", "z", "+24:00", ""]);
            format!("timestamp('2020-{day}T{time}{offset}')")
        };
        let (a, b) = (stamp(), stamp());
        let span = self.literal(&["1", "h", "m", "s", ".5", "ms", "us", "ns", "90", "1.5", "0", "-"], 5);
        let zone = self.pick(&[
            "UTC",
            "",
            "Europe/Berlin",
            "America/New_York",
            "+02:00",
            "-07:30",
            "02:00",
            "Nope",
            "Asia/Kolkata",
        ]);
        match self.0.usize(..6) {
            0 => format!("string({a})"),
            1 => format!("{a} - {b}"),
            2 => format!("string({a} + duration({span}))"),
            3 => format!("string(duration({span}))"),
            4 => format!("{a}.getDayOfYear('{zone}')"),
            _ => format!("{a}.getHours('{zone}')"),
        }
    }

    /// A JSON object, or sometimes a list.
    pub(crate) fn document(&mut self) -> Value {
        let mut left = 30;
        loop {
            let value = self.value(4, &mut left);
            if value.is_object() || value.is_array() && self.0.bool() {
                return value;
            }
            left = 30;
        }
    }

    fn value(&mut self, depth: usize, left: &mut usize) -> Value {
        *left = left.saturating_sub(1);
        let count = self.0.usize(1..5).min(self.0.usize(..6));
        match if depth == 0 || *left == 0 { self.0.usize(..9) } else { self.0.usize(4..16) } {
            0 => Value::Null,
            1 => json!(self.0.bool()),
            2 | 3 => json!(self.0.i64(-2..4)),
            4 => [Value::Null, json!(1.5), json!(2.0), json!(-0.5), json!(true)][self.0.usize(..5)].clone(),
            5..9 => json!(self.pick(&["x", "y", "", "a", "xy", "é", "it's", "a)b", "1", "\t"])),
            9..12 => (0..count).map(|_| self.value(depth - 1, left)).collect(),
            // What filters are for.
            12 => (0..count).map(|_| self.item(depth, left)).collect(),
            _ => {
                let member = |_| (self.pick(KEYS).to_owned(), self.value(depth - 1, left));
                Value::Object((0..=count).map(member).collect())
            }
        }
    }

    fn item(&mut self, depth: usize, left: &mut usize) -> Value {
        let mut item = json!({"t": self.pick(&["x", "y", "z"]), "v": self.0.i64(-1..4)});
        match self.0.u8(..6) {
            0 => drop(item.as_object_mut().map(|item| item.remove("t"))),
            1 => item["v"] = self.value(0, left),
            2 => item["l"] = self.value(depth - 1, left),
            _ => {}
        }
        item
    }

    /// A path in kubectl's dialect, in braces.
    pub(crate) fn path(&mut self) -> String {
        let steps = [0, 1, 1, 2, 2, 2, 3, 3, 4, 5][self.0.usize(..10)];
        let path: String = (0..steps).map(|_| self.step(1)).collect();
        let mut text = match self.0.usize(..9) {
            0 => format!("{{${path}}}"),
            1 => format!("{{@{path}}}"),
            2 => format!("{{ {path} }}"),
            _ => format!("{{{path}}}"),
        };
        if self.0.u8(..10) == 0 {
            self.damage(&mut text);
        }
        text
    }

    /// One character too many, too few, or another one.
    fn damage(&mut self, text: &mut String) {
        let mut characters: Vec<char> = text.chars().collect();
        // What stands before the brace is text.
        let at = self.0.usize(1..characters.len());
        let other = self.pick(&[
            "[", "]", "(", ")", "'", "\"", ".", "?", "@", "$", ",", ":", "=", "!", "<", "{", "}", "*", "-",
            "0", "1", "a", " ", "\\", "+",
        ]);
        let other = other.chars().next().unwrap();
        match self.0.usize(..3) {
            0 => characters.insert(at, other),
            1 => characters[at] = other,
            _ => drop(characters.remove(at)),
        }
        *text = characters.into_iter().collect();
    }

    fn step(&mut self, depth: usize) -> String {
        match self.0.usize(..22) {
            0..8 => format!(".{}", self.name()),
            8 | 9 => format!("['{}']", self.name()),
            10 => format!("['{}']", self.pick(&["a.b", "a.t", "l.0", "*", "", "b.c.a", "a..b"])),
            11 | 12 => format!("[{}]", self.index()),
            13 => format!("[{}]", self.range()),
            14 => "[*]".to_owned(),
            15 => ".*".to_owned(),
            16 => self.union(),
            17 => format!("..{}", self.name()),
            18 if self.0.bool() => self.pick(&["..", "..[0]", "..['a']", "..[*]"]).to_owned(),
            _ if depth == 0 => format!(".{}", self.name()),
            _ => self.filter(depth - 1),
        }
    }

    /// A key as it stands behind a dot: what would end it is escaped, mostly.
    fn name(&mut self) -> String {
        let key = self.pick(KEYS);
        let careless = self.0.u8(..30) == 0;
        let mut name = String::new();
        for character in key.chars() {
            if !careless && (" .,[]$@{}\\*".contains(character) || self.0.u8(..40) == 0) {
                name.push('\\');
            }
            name.push(character);
        }
        name
    }

    fn range(&mut self) -> String {
        let (from, to) =
            (self.pick(&["0", "1", "", "-1", "-9", "5"]), self.pick(&["", "1", "2", "9", "-1", "0"]));
        format!("{from}:{to}{}", self.pick(&["", "", ":", ":1", ":2", ":-1", ":0"]))
    }

    fn union(&mut self) -> String {
        let count = self.0.usize(2..4);
        let alternative = |_| match self.0.usize(..6) {
            0..3 => format!("'{}'", self.name()),
            3 => self.pick(&["0", "1", "-1", "5", ""]).to_owned(),
            4 => self.range(),
            _ => "*".to_owned(),
        };
        let alternatives: Vec<String> = (0..count).map(alternative).collect();
        format!("[{}]", alternatives.join(self.pick(&[",", ", ", " ,"])))
    }

    fn filter(&mut self, depth: usize) -> String {
        let left = if self.0.u8(..8) == 0 { self.constant() } else { self.operand(depth) };
        let blank = self.pick(&["", "", " "]);
        if self.0.u8(..4) == 0 {
            return format!("[?({blank}{left}{blank})]");
        }
        let operator = self.pick(&["==", "!=", "<", "<=", ">", ">=", "==", "=", "=~", "&&"]);
        let right = if self.0.u8(..4) == 0 { self.operand(depth) } else { self.constant() };
        format!("[?({left}{blank}{operator}{blank}{right})]")
    }

    fn operand(&mut self, depth: usize) -> String {
        let anchor = self.pick(&["@", "@", "@", "$", ""]);
        // Mostly what items have.
        match self.0.usize(..6) {
            0..3 => format!("{anchor}.{}", self.pick(&["t", "v", "l"])),
            3 => anchor.to_owned(),
            _ => {
                let steps = self.0.usize(1..3);
                let steps: String = (0..steps).map(|_| self.step(depth)).collect();
                format!("{anchor}{steps}")
            }
        }
    }

    fn constant(&mut self) -> String {
        self.pick(&[
            "'x'",
            "'y'",
            "\"y\"",
            "1",
            "2",
            "0",
            "-1",
            "+1",
            "2.5",
            "1.5",
            "2.",
            ".5",
            "true",
            "false",
            "'a'",
            "'it\\'s'",
            "'\\u00e9'",
            "'a)b'",
            "''",
            "'\\t'",
            "null",
            "1.2.3",
            "0x1",
            "1e3",
        ])
        .to_owned()
    }
}

/// A literal of CEL in ASCII.
fn quoted(text: &str) -> String {
    let mut literal = String::from("'");
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            literal.push(character);
        } else {
            write!(literal, "\\U{:08x}", u32::from(character)).unwrap();
        }
    }
    literal.push('\'');
    literal
}
