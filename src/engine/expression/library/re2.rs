//! RE2's syntax in that of the `regex` crate.
//!
//! In: a pattern as Go's `regexp` reads it, which Kubernetes runs. Out: one that matches the same with the `regex` crate. Must
//! never know: limits, texts.
//!
//! What differs: `\d`, `\s`, `\w` and `\b` are about ASCII there; `{` is a character where it begins no repetition; a class
//! knows no operators; `\Q…\E`, octal escapes and the escape of any punctuation exist; flags and escapes that only the crate
//! knows do not.

use super::repeats::{MAX_REPEAT, Repeats};
use super::unicode;

/// What stands before the place that is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing that can be repeated.
    Nothing,
    Atom,
    Repetition,
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    before: Before,
    /// Whether `U` is set, in the whole pattern and in every group that is open.
    ungreedy: Vec<bool>,
    repeats: Repeats,
    /// Flags that stand directly before what is being read.
    flags: Option<Flags>,
}

/// Flags for what follows, such as `(?i)`. What they stand behind can still be repeated.
#[derive(Clone, Copy)]
struct Flags {
    /// Where they begin in what was written.
    at: usize,
    /// Whether `U` was set before them.
    ungreedy: bool,
}

const CLASSES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Translates a pattern.
///
/// # Errors
/// What RE2 would refuse. What both refuse is left to the crate.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator = Translator {
        rest: pattern,
        out: String::with_capacity(pattern.len()),
        before: Before::Nothing,
        ungreedy: vec![false],
        repeats: Repeats::default(),
        flags: None,
    };
    while let Some(character) = translator.take() {
        translator.token(character)?;
    }
    Ok(translator.out)
}

impl Translator<'_> {
    fn take(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn token(&mut self, character: char) -> Result<(), String> {
        let flags = self.flags.take();
        match character {
            '\\' => return self.escape(),
            '[' => {
                self.repeats.settle();
                self.class()?;
            }
            '(' => return self.group(flags),
            ')' => self.close(),
            '|' => {
                self.repeats.settle();
                self.out.push('|');
                self.before = Before::Nothing;
                return Ok(());
            }
            '*' | '+' | '?' => return self.repeat(&character.to_string(), flags),
            '{' => match self.counts()? {
                Some((counts, most)) => {
                    self.repeats.multiply(most)?;
                    return self.repeat(&counts, flags);
                }
                None => {
                    self.repeats.settle();
                    self.out.push_str("\\{");
                }
            },
            '.' | '^' | '$' => {
                self.repeats.settle();
                self.out.push(character);
            }
            _ => {
                self.repeats.settle();
                self.literal(character);
            }
        }
        self.before = Before::Atom;
        Ok(())
    }

    fn open(&mut self, ungreedy: bool) {
        self.repeats.open();
        self.ungreedy.push(ungreedy);
        self.before = Before::Nothing;
    }

    fn close(&mut self) {
        self.out.push(')');
        // One too many is for the crate to report.
        if self.ungreedy.len() > 1 {
            self.ungreedy.pop();
            self.repeats.close();
        }
    }

    fn literal(&mut self, character: char) {
        self.out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }

    /// A repetition, of what stands before the flags if there are any.
    fn repeat(&mut self, operator: &str, flags: Option<Flags>) -> Result<(), String> {
        match self.before {
            Before::Nothing => return Err(format!("nothing to repeat before {operator}")),
            Before::Repetition => return Err(format!("{operator} repeats a repetition")),
            Before::Atom => {}
        }
        let mut lazy = self.skip("?");
        let mut behind = String::new();
        if let Some(Flags { at, ungreedy }) = flags {
            behind = self.out.split_off(at);
            // They are about it already.
            lazy ^= ungreedy != self.is_ungreedy();
        }
        self.out.push_str(operator);
        if lazy {
            self.out.push('?');
        }
        self.out.push_str(&behind);
        self.before = Before::Repetition;
        Ok(())
    }

    fn is_ungreedy(&self) -> bool {
        self.ungreedy.last().is_some_and(|ungreedy| *ungreedy)
    }

    /// `{2}`, `{2,}`, `{2,3}`, and by how much it multiplies; whatever else follows the brace is no repetition.
    fn counts(&mut self) -> Result<Option<(String, Option<u32>)>, String> {
        let Some((inside, after)) = self.rest.split_once('}') else { return Ok(None) };
        let (least, most) = inside.split_once(',').map_or((inside, None), |(a, b)| (a, Some(b)));
        let is_number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            digits && (text.len() < 2 || !text.starts_with('0'))
        };
        if !is_number(least) || !most.is_none_or(|most| most.is_empty() || is_number(most)) {
            return Ok(None);
        }
        let number = |text: &str| text.parse().unwrap_or(u32::MAX);
        let (low, high) = (number(least), most.filter(|most| !most.is_empty()).map(number));
        if low > MAX_REPEAT || high.is_some_and(|high| high > MAX_REPEAT || high < low) {
            return Err(format!("{{{inside:.20}}} is no number of repetitions up to {MAX_REPEAT}"));
        }
        self.rest = after;
        let factor = match most {
            None => Some(low),
            Some("") => Some(low).filter(|low| *low > 0),
            Some(_) => high,
        };
        Ok(Some((format!("{{{inside}}}"), factor)))
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(character) = self.take() else { return Err("it ends in a backslash".to_owned()) };
        self.repeats.settle();
        self.before = Before::Atom;
        match character {
            'Q' => {
                let (quoted, after) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = after;
                if quoted.is_empty() {
                    return Ok(());
                }
                // A repetition behind it is of its last character.
                self.out.push_str(&regex::escape(quoted));
            }
            'A' | 'z' => {
                self.out.push('\\');
                self.out.push(character);
            }
            'b' | 'B' => {
                self.out.push_str("(?-u:\\");
                self.out.push(character);
                self.out.push(')');
            }
            'p' | 'P' => self.property(character == 'P')?,
            _ => match perl_class(character) {
                Some((class, negated)) => {
                    self.out.push_str(if negated { "[^" } else { "[" });
                    self.out.push_str(class);
                    self.out.push(']');
                }
                None => {
                    let value = self.escaped(character)?;
                    self.literal(value);
                }
            },
        }
        Ok(())
    }

    /// The character that an escape stands for, whose first character was taken.
    fn escaped(&mut self, character: char) -> Result<char, String> {
        let invalid = || format!("there is no escape \\{character}");
        Ok(match character {
            'a' => '\u{7}',
            'f' => '\u{c}',
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            'v' => '\u{b}',
            'x' => {
                let digits = if self.skip("{") {
                    let (digits, after) = self.rest.split_once('}').ok_or_else(invalid)?;
                    self.rest = after;
                    digits
                } else {
                    let (digits, after) = self.rest.split_at_checked(2).ok_or_else(invalid)?;
                    self.rest = after;
                    digits
                };
                let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let value = u32::from_str_radix(digits, 16).ok().filter(|_| hexadecimal);
                value.and_then(char::from_u32).ok_or_else(invalid)?
            }
            '0'..='7' => {
                let octal = |c: char| c.to_digit(8);
                if character != '0' && !self.rest.starts_with(|c| octal(c).is_some()) {
                    return Err(invalid());
                }
                let mut value = octal(character).unwrap_or(0);
                for _ in 0..2 {
                    match self.rest.chars().next().and_then(octal) {
                        Some(digit) => {
                            value = value * 8 + digit;
                            self.take();
                        }
                        None => break,
                    }
                }
                char::from_u32(value).ok_or_else(invalid)?
            }
            _ if character.is_ascii() && !character.is_ascii_alphanumeric() => character,
            _ => return Err(invalid()),
        })
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`
    fn property(&mut self, negated: bool) -> Result<(), String> {
        let invalid = || "\\p wants a letter, or a name in braces".to_owned();
        let (name, except) = if self.skip("{") {
            let (name, after) = self.rest.split_once('}').ok_or_else(invalid)?;
            self.rest = after;
            name.strip_prefix('^').map_or((name, false), |name| (name, true))
        } else {
            let letter = self.rest.chars().next().filter(char::is_ascii_alphabetic).ok_or_else(invalid)?;
            let (name, after) = self.rest.split_at(letter.len_utf8());
            self.rest = after;
            (name, false)
        };
        let unknown = || format!("{name:.40} is neither a general category nor a script that \\p knows");
        self.out.push_str(&unicode::property(name, negated != except).ok_or_else(unknown)?);
        Ok(())
    }

    /// `[…]`, whose bracket was taken.
    fn class(&mut self) -> Result<(), String> {
        const OPEN: &str = "unclosed character class";
        self.out.push('[');
        if self.skip("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.skip("]") {
                break;
            }
            first = false;
            if self.posix_class()? {
                continue;
            }
            let character = self.take().ok_or(OPEN)?;
            let low = if character == '\\' {
                let escaped = self.take().ok_or(OPEN)?;
                if matches!(escaped, 'p' | 'P') {
                    self.property(escaped == 'P')?;
                    continue;
                }
                if let Some((class, negated)) = perl_class(escaped) {
                    self.out.push_str(&if negated { format!("[^{class}]") } else { class.to_owned() });
                    continue;
                }
                self.escaped(escaped)?
            } else {
                character
            };
            self.range(low)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn range(&mut self, low: char) -> Result<(), String> {
        let mut high = low;
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
            self.take();
            high = match self.take() {
                Some('\\') => {
                    let escaped = self.take().ok_or("unclosed character class")?;
                    self.escaped(escaped)?
                }
                Some(character) => character,
                None => return Err("unclosed character class".to_owned()),
            };
            if high < low {
                return Err(format!("{low}-{high} is an empty range"));
            }
        }
        self.out.push_str(&format!("\\x{{{:x}}}", u32::from(low)));
        if high > low {
            self.out.push_str(&format!("-\\x{{{:x}}}", u32::from(high)));
        }
        Ok(())
    }

    /// `[:alpha:]` or `[:^alpha:]` within a class.
    fn posix_class(&mut self) -> Result<bool, String> {
        let Some(inside) = self.rest.strip_prefix("[:") else { return Ok(false) };
        let Some((name, after)) = inside.split_once(":]") else { return Ok(false) };
        if !CLASSES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("there is no class [:{name:.20}:]"));
        }
        self.out.push_str(&format!("[:{name}:]"));
        self.rest = after;
        Ok(true)
    }

    /// `(`, `(?:`, `(?i)`, `(?i:`, `(?P<name>`, `(?<name>`
    fn group(&mut self, flags: Option<Flags>) -> Result<(), String> {
        let (at, ungreedy) = (self.out.len(), self.is_ungreedy());
        self.out.push('(');
        if !self.skip("?") {
            self.open(ungreedy);
            return Ok(());
        }
        if self.rest.starts_with("P<") || self.rest.starts_with('<') {
            let end = self.rest.find('>').ok_or("unclosed name of a group")?;
            let (head, after) = self.rest.split_at(end + 1);
            let name = &head[head.find('<').map_or(0, |at| at + 1)..end];
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(format!("{name:.20} is no name of a group"));
            }
            self.rest = after;
            self.open(ungreedy);
            // Nothing refers to it, and the crate knows fewer names.
            return Ok(());
        }
        let end = self.rest.find([':', ')']).ok_or("unclosed group")?;
        let (letters, after) = self.rest.split_at(end);
        let known = letters.chars().all(|flag| matches!(flag, 'i' | 'm' | 's' | 'U' | '-'));
        if !known || letters.matches('-').count() > 1 || letters.ends_with('-') {
            return Err(format!("(?{letters:.20} begins no group"));
        }
        let (set, cleared) = letters.split_once('-').unwrap_or((letters, ""));
        let is_ungreedy = (ungreedy || set.contains('U')) && !cleared.contains('U');
        self.rest = &after[1..];
        if after.starts_with(':') {
            self.open(is_ungreedy);
            self.out.push_str(&format!("?{letters}:"));
            return Ok(());
        }
        if letters.is_empty() {
            // Nothing, of which the crate does not know.
            self.out.pop();
        } else {
            self.out.push_str(&format!("?{letters})"));
        }
        if let Some(innermost) = self.ungreedy.last_mut() {
            *innermost = is_ungreedy;
        }
        self.flags = Some(flags.unwrap_or(Flags { at, ungreedy }));
        Ok(())
    }
}

/// What `\d`, `\s`, `\w` stand for, and whether it is all but that.
fn perl_class(letter: char) -> Option<(&'static str, bool)> {
    let class = match letter.to_ascii_lowercase() {
        'd' => "0-9",
        's' => "\\t\\n\\x0C\\r ",
        'w' => "0-9A-Za-z_",
        _ => return None,
    };
    Some((class, letter.is_ascii_uppercase()))
}
