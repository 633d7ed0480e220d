//! Reads the inside of one `{…}`.
//!
//! In: the characters of a block. Out: steps, and literals where operands may be. Must never know: how steps run.

use super::super::query::{End, KubectlStep, Literal, Name, Range, Step, SyntaxError};
use super::Character;

/// How often a path may be read again inside itself; client-go reads operands and quoted keys as paths.
const MAX_DEPTH: usize = 8;

/// What ends a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// `}`
    Brace,
    /// The end of the text, as if `}` stood there.
    Text,
}

/// The inside of one `{…}`, while it is read.
#[derive(Debug)]
pub(super) struct Block<'t> {
    pub(super) text: &'t [Character],
    pub(super) next: usize,
    pub(super) depth: usize,
}

/// What a block consists of.
#[derive(Debug)]
pub(super) enum Part {
    Step(Step),
    Literal(Literal, usize),
}

// === impl Block ===

impl<'t> Block<'t> {
    pub(super) fn new(text: &'t [Character], depth: usize) -> Self {
        Block { text, next: 0, depth }
    }

    /// Reads a block that must be a path.
    pub(super) fn steps(self, ending: Ending) -> Result<Vec<Step>, SyntaxError> {
        let mut steps = Vec::new();
        for part in self.parts(ending)? {
            match part {
                Part::Step(step) => steps.push(step),
                Part::Literal(_, at) => {
                    return Err(SyntaxError::new(at, "a literal stands only in a comparison"));
                }
            }
        }
        Ok(steps)
    }

    pub(super) fn parts(mut self, ending: Ending) -> Result<Vec<Part>, SyntaxError> {
        if self.depth > MAX_DEPTH {
            return Err(self.error("the path nests too deeply"));
        }
        let mut parts = Vec::new();
        loop {
            if self.starts_with("[?(") {
                self.next += 3;
                parts.push(Part::Step(self.filter()?));
                continue;
            }
            if self.starts_with("..") {
                self.descent(&mut parts)?;
                continue;
            }
            let Some(first) = self.peek() else {
                return match ending {
                    Ending::Text => Ok(parts),
                    Ending::Brace => Err(self.error("missing '}' at the end")),
                };
            };
            match first.c {
                '}' if ending == Ending::Brace => {
                    self.next += 1;
                    return self.nothing_follows().map(|()| parts);
                }
                ' ' | '@' | '$' => self.next += 1,
                '[' => {
                    self.next += 1;
                    self.brackets(&mut parts)?;
                }
                '.' => {
                    self.next += 1;
                    parts.push(Part::Step(self.field()?));
                }
                '"' | '\'' => parts.push(self.string(first)?),
                '+' | '-' | '0'..='9' => parts.push(self.number(first)?),
                c if is_word(c) => parts.push(self.word(first)?),
                c => return Err(self.error(format!("unexpected {}", shown(c)))),
            }
        }
    }

    /// After the block's `}`.
    fn nothing_follows(&self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => Ok(()),
            Some(Character { c: '{', at }) => {
                Err(SyntaxError::new(at, "only one {…} block is possible here"))
            }
            Some(Character { at, .. }) => {
                Err(SyntaxError::new(at, "text outside of {…} is not possible here"))
            }
        }
    }

    /// `..`, and a name directly behind it.
    fn descent(&mut self, parts: &mut Vec<Part>) -> Result<(), SyntaxError> {
        if matches!(parts.last(), Some(Part::Step(Step::Kubectl(KubectlStep::Descend)))) {
            return Err(self.error("unexpected '..' after '..'"));
        }
        self.next += 2;
        parts.push(Part::Step(Step::Kubectl(KubectlStep::Descend)));
        if self.peek().is_some_and(|first| is_word(first.c)) {
            parts.push(Part::Step(self.field()?));
        }
        Ok(())
    }

    /// The name behind a dot: anything up to a terminator, where a backslash takes the next character as it is.
    fn field(&mut self) -> Result<Step, SyntaxError> {
        let mut name = String::new();
        let start = self.next;
        while let Some(Character { c, .. }) = self.peek() {
            if c == '\\' {
                self.next += 1;
                match self.peek() {
                    // client-go drops every backslash, a doubled one too.
                    Some(Character { c: '\\', .. }) => {}
                    Some(Character { c, .. }) => name.push(c),
                    None => return Err(self.error("a backslash must stand before a character")),
                }
            } else if is_terminator(c) {
                break;
            } else {
                name.push(c);
            }
            self.next += 1;
        }
        let wildcard = matches!(self.text[start..self.next], [Character { c: '*', .. }]);
        Ok(if wildcard { Step::Kubectl(KubectlStep::Members) } else { Step::Name(Name::new(name)) })
    }

    /// What stands between `[` and the next `]`, whatever it is.
    fn brackets(&mut self, parts: &mut Vec<Part>) -> Result<(), SyntaxError> {
        let rest = &self.text[self.next..];
        let open = self.text[self.next - 1];
        let len = rest
            .iter()
            .position(|c| matches!(c.c, ']' | '\n'))
            .filter(|&len| rest[len].c == ']')
            .ok_or_else(|| SyntaxError::new(open.at, "missing ']'"))?;
        let inside = &rest[..len];
        self.next += len + 1;
        if inside.iter().any(|c| c.c == ',') {
            let alternatives: Result<Vec<_>, _> =
                inside.split(|c| c.c == ',').map(|part| self.alternative(open, part)).collect();
            parts.push(Part::Step(Step::Kubectl(KubectlStep::Union(alternatives?))));
            return Ok(());
        }
        match inside {
            [Character { c: '\'', .. }, key @ .., Character { c: '\'', .. }]
                if !key.iter().any(|c| c.c == '\'') =>
            {
                parts.extend(self.key(open, key)?.into_iter().map(Part::Step));
            }
            _ => parts.push(Part::Step(Step::Kubectl(KubectlStep::Range(range(open, inside)?)))),
        }
        Ok(())
    }

    /// One alternative of a union, read as if it stood in brackets of its own.
    fn alternative(&self, open: Character, part: &[Character]) -> Result<Vec<Step>, SyntaxError> {
        let first = part.iter().position(|c| c.c != ' ').unwrap_or(part.len());
        let last = part.iter().rposition(|c| c.c != ' ').map_or(first, |last| last + 1);
        let close = Character { c: ']', at: part.last().map_or(open.at, |c| c.at) };
        let bracketed: Vec<_> = std::iter::once(open)
            .chain(part[first..last].iter().copied())
            .chain(std::iter::once(close))
            .collect();
        Block::new(&bracketed, self.depth + 1).steps(Ending::Text)
    }

    /// A quoted key, read as if it stood behind a dot: dots in it separate names.
    fn key(&self, open: Character, key: &[Character]) -> Result<Vec<Step>, SyntaxError> {
        let dot = Character { c: '.', at: open.at };
        let dotted: Vec<_> = std::iter::once(dot).chain(key.iter().copied()).collect();
        Block::new(&dotted, self.depth + 1).steps(Ending::Text)
    }

    /// `true`, `false`, or a word that client-go's templates would not understand either, or not as a path.
    fn word(&mut self, first: Character) -> Result<Part, SyntaxError> {
        let rest = &self.text[self.next..];
        let len = rest.iter().take_while(|c| !is_terminator(c.c)).count();
        let word: String = rest[..len].iter().map(|c| c.c).collect();
        self.next += len;
        match word.as_str() {
            "true" => Ok(Part::Literal(Literal::Bool(true), first.at)),
            "false" => Ok(Part::Literal(Literal::Bool(false), first.at)),
            "range" | "end" => Err(SyntaxError::new(first.at, format!("'{word}' is not possible here"))),
            _ => Err(SyntaxError::new(
                first.at,
                format!("unexpected '{word}' (a name follows a dot: '.{word}')"),
            )),
        }
    }

    pub(super) fn peek(&self) -> Option<Character> {
        self.text.get(self.next).copied()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        let rest = self.text.get(self.next..).unwrap_or(&[]);
        rest.len() >= prefix.len() && prefix.chars().zip(rest).all(|(expected, c)| c.c == expected)
    }

    /// An error at the next character, or at the end.
    pub(super) fn error(&self, message: impl Into<String>) -> SyntaxError {
        let end = self.text.last().map_or(0, |last| last.at + 1);
        SyntaxError::new(self.peek().map_or(end, |c| c.at), message)
    }
}

/// `n`, `a:b`, `a:b:c`, each number optional, or `*`.
fn range(open: Character, inside: &[Character]) -> Result<Range, SyntaxError> {
    let text: String = inside.iter().map(|c| c.c).collect();
    let at = inside.first().map_or(open.at, |c| c.at);
    let invalid = || {
        let hint = if text.starts_with('"') { "; keys are in single quotes" } else { "" };
        SyntaxError::new(at, format!("'{text}' is not an index, a slice or a key{hint}"))
    };
    if text == "*" {
        return Ok(Range { start: None, end: End::Open, step: None });
    }
    let numbers: Result<Vec<Option<i64>>, _> = text
        .split(':')
        .map(|number| match number {
            "" => Ok(None),
            number if number.starts_with('+') => Err(invalid()),
            number => number.parse().map(Some).map_err(|_| invalid()),
        })
        .collect();
    match numbers?.as_slice() {
        [start] => Ok(Range { start: *start, end: End::AfterStart, step: None }),
        [start, end] => Ok(Range { start: *start, end: end.map_or(End::Open, End::At), step: None }),
        [start, end, step] => Ok(Range { start: *start, end: end.map_or(End::Open, End::At), step: *step }),
        _ => Err(invalid()),
    }
}

fn is_terminator(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}')
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn shown(c: char) -> String {
    match c {
        '\n' | '\r' => "line break".to_string(),
        c => format!("{c:?}"),
    }
}
