//! What is refused before the parser of RFC 9535 sees a text, and where its function calls are.
//!
//! In: the text of a path. Out: the places of the calls. Must never know: the parser's tree.

use super::super::query::SyntaxError;

/// The longest path, in bytes.
const MAX_BYTES: usize = 4096;

/// How deeply brackets and parentheses may nest. The parser and the evaluation recurse once per level.
const MAX_DEPTH: usize = 32;

/// How deeply calls may nest: where a text is wrong, the parser tries each level several times.
const MAX_CALL_DEPTH: usize = 6;

/// Walks over the tokens of a text.
struct Scan<'t> {
    text: &'t [char],
    next: usize,
    /// The brackets that are open: where, which, and whether they are those of a call.
    open: Vec<Bracket>,
    calls: Vec<usize>,
}

#[derive(Clone, Copy)]
struct Bracket {
    at: usize,
    close: char,
    call: bool,
}

/// Checks length, nesting, balance, strings and names, and gives the places of all calls in order.
///
/// # Errors
/// What is wrong, and at which character.
pub(super) fn scan(text: &str) -> Result<Vec<usize>, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, format!("the path is longer than {MAX_BYTES} bytes")));
    }
    let characters: Vec<char> = text.chars().collect();
    if characters.first() != Some(&'$') {
        return Err(SyntaxError::new(1, "a path of RFC 9535 begins with '$'"));
    }
    let mut scan = Scan { text: &characters, next: 1, open: Vec::new(), calls: Vec::new() };
    while scan.next < characters.len() {
        scan.token()?;
    }
    if characters.last().is_some_and(|&c| is_blank(c)) {
        scan.next = characters.len() - 1;
        return Err(scan.unexpected());
    }
    match scan.open.pop() {
        Some(bracket) => Err(SyntaxError::new(bracket.at, format!("missing '{}'", bracket.close))),
        None => Ok(scan.calls),
    }
}

// === impl Scan ===

impl Scan<'_> {
    fn token(&mut self) -> Result<(), SyntaxError> {
        let c = self.text[self.next];
        match c {
            '\'' | '"' => return self.string(c),
            '[' => self.open(']', false)?,
            '(' => self.open(')', false)?,
            ']' | ')' if self.open.pop().is_none_or(|bracket| bracket.close != c) => {
                return Err(self.unexpected());
            }
            '.' => return self.name(),
            c if c.is_ascii_lowercase() => return self.word(),
            _ => {}
        }
        self.next += 1;
        Ok(())
    }

    fn open(&mut self, close: char, call: bool) -> Result<(), SyntaxError> {
        self.open.push(Bracket { at: self.next + 1, close, call });
        let calls = self.open.iter().filter(|bracket| bracket.call).count();
        if self.open.len() > MAX_DEPTH || calls > MAX_CALL_DEPTH {
            return Err(SyntaxError::new(self.next + 1, "the path nests too deeply"));
        }
        Ok(())
    }

    fn string(&mut self, quote: char) -> Result<(), SyntaxError> {
        let start = self.next;
        self.next += 1;
        while let Some(&c) = self.text.get(self.next) {
            self.next += if c == '\\' { 2 } else { 1 };
            if c == quote {
                return Ok(());
            }
        }
        Err(SyntaxError::new(start + 1, "unterminated string"))
    }

    /// A dot, or two, and the name behind it, without blanks between them. Behind a name, or blanks behind a name, only an
    /// operator can follow, never another name.
    fn name(&mut self) -> Result<(), SyntaxError> {
        while self.text.get(self.next) == Some(&'.') {
            self.next += 1;
        }
        let start = self.next;
        if self.text.get(start).is_some_and(|&c| is_blank(c)) {
            return Err(self.unexpected());
        }
        self.next += self.count(is_name);
        if self.next > start {
            let blanks = self.count(is_blank);
            if self.text.get(self.next + blanks).is_some_and(|&c| is_name(c)) {
                self.next += blanks;
                return Err(self.unexpected());
            }
        }
        Ok(())
    }

    /// A function's name, or a literal.
    fn word(&mut self) -> Result<(), SyntaxError> {
        let start = self.next;
        self.next += self.count(is_name);
        if self.text.get(self.next) == Some(&'(') {
            self.calls.push(start + 1);
            self.open(')', true)?;
            self.next += 1;
        }
        Ok(())
    }

    fn count(&self, belongs: impl Fn(char) -> bool) -> usize {
        self.text[self.next..].iter().take_while(|c| belongs(**c)).count()
    }

    fn unexpected(&self) -> SyntaxError {
        SyntaxError::new(self.next + 1, format!("unexpected {:?}", self.text[self.next]))
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric() || !c.is_ascii()
}
