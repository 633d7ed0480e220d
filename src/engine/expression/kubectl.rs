//! Reads kubectl's dialect of JSONPath: the language of client-go's package `util/jsonpath`, version 0.36.
//!
//! In: the text of a path. Out: the steps of a query tree. Must never know: field plans, rows.
//!
//! A path is one `{…}` block of a client-go template, or what would stand in one: `status.phase`, or with a leading
//! dot, as printer columns have it, `.status.phase`. `.` alone is the whole object. What client-go reads, this reads
//! alike, including that `['a.b']` is the path a, b while `['a\.b']` is one key. What no single result can come of
//! is refused: text outside the block, several blocks, `range` and `end`, unknown words, a literal that is not an
//! operand of a comparison, comparison operators that do not exist.

use super::query::{
    Comparison, Condition, End, KubectlOperand, KubectlStep, Literal, Name, Range, Step, SyntaxError,
};

/// The longest path, in bytes.
const MAX_BYTES: usize = 4096;

/// How often a path may be read again inside itself; client-go reads operands and quoted keys as paths.
const MAX_DEPTH: usize = 8;

/// Reads one path.
///
/// # Errors
/// What is wrong, and at which character.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, SyntaxError> {
    if text.len() > MAX_BYTES {
        return Err(SyntaxError::new(0, format!("the path is longer than {MAX_BYTES} bytes")));
    }
    let characters: Vec<Character> =
        text.chars().enumerate().map(|(index, c)| Character { c, at: index + 1 }).collect();
    let path = trimmed(&characters);
    let steps = match path {
        [] => return Err(SyntaxError::new(0, "the path is empty")),
        [Character { c: '.', .. }] => Vec::new(),
        [Character { c: '{', .. }, block @ ..] => Block::new(block, 0).steps(Ending::Brace)?,
        [Character { c: '.', .. }, ..] => Block::new(path, 0).steps(Ending::Text)?,
        [first, ..] => {
            let dotted: Vec<_> =
                std::iter::once(Character { c: '.', at: first.at }).chain(path.iter().copied()).collect();
            Block::new(&dotted, 0).steps(Ending::Text)?
        }
    };
    Ok(steps)
}

/// A character, and its place in the text that the user wrote.
#[derive(Clone, Copy, Debug)]
struct Character {
    c: char,
    at: usize,
}

/// What ends a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// `}`
    Brace,
    /// The end of the text, as if `}` stood there.
    Text,
}

/// The inside of one `{…}`, while it is read.
#[derive(Debug)]
struct Block<'t> {
    text: &'t [Character],
    next: usize,
    depth: usize,
}

/// What a block consists of.
#[derive(Debug)]
enum Part {
    Step(Step),
    Literal(Literal, usize),
}

// === impl Block ===

impl<'t> Block<'t> {
    fn new(text: &'t [Character], depth: usize) -> Self {
        Block { text, next: 0, depth }
    }

    /// Reads a block that must be a path.
    fn steps(self, ending: Ending) -> Result<Vec<Step>, SyntaxError> {
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

    fn parts(mut self, ending: Ending) -> Result<Vec<Part>, SyntaxError> {
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
        Ok(if name == "*" { Step::Kubectl(KubectlStep::Members) } else { Step::Name(Name::new(name)) })
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

    /// What follows `[?(`.
    fn filter(&mut self) -> Result<Step, SyntaxError> {
        let open = self.text[self.next - 3];
        let len = filter_length(&self.text[self.next..])
            .ok_or_else(|| SyntaxError::new(open.at, "missing ')' of the filter"))?;
        let inside = &self.text[self.next..self.next + len];
        self.next += len + 1;
        if self.peek().is_none_or(|c| c.c != ']') {
            return Err(self.error("expected ']' after ')': a filter is one comparison or one path"));
        }
        self.next += 1;
        let condition = self.condition(inside)?;
        Ok(Step::Kubectl(KubectlStep::Where(Box::new(condition))))
    }

    fn condition(&self, text: &[Character]) -> Result<Condition, SyntaxError> {
        let Some((left, operator, right)) = split_comparison(text) else {
            return Ok(match self.operand(text)? {
                KubectlOperand::Steps(steps) => Condition::Exists(steps),
                // A literal is there for every element.
                KubectlOperand::Literal(_) => Condition::Exists(Vec::new()),
            });
        };
        let spelled: String = operator.iter().map(|c| c.c).collect();
        let comparison = match spelled.as_str() {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => {
                let message = match right {
                    [Character { c: '~', .. }, ..] => {
                        "kubectl's dialect has no regular expressions".to_string()
                    }
                    _ => format!("unknown operator '{spelled}', expected one of == != < <= > >="),
                };
                return Err(SyntaxError::new(operator[0].at, message));
            }
        };
        Ok(Condition::Compare(self.operand(left)?, comparison, self.operand(right)?))
    }

    fn operand(&self, text: &[Character]) -> Result<KubectlOperand, SyntaxError> {
        let mut parts = Block::new(text, self.depth + 1).parts(Ending::Text)?;
        if let [Part::Literal(..)] = parts.as_slice()
            && let Some(Part::Literal(literal, _)) = parts.pop()
        {
            return Ok(KubectlOperand::Literal(literal));
        }
        let mut steps = Vec::new();
        for part in parts {
            match part {
                Part::Step(step) => steps.push(step),
                Part::Literal(_, at) => {
                    return Err(SyntaxError::new(
                        at,
                        "unexpected literal: a filter is one comparison or one path",
                    ));
                }
            }
        }
        Ok(KubectlOperand::Steps(steps))
    }

    fn string(&mut self, quote: Character) -> Result<Part, SyntaxError> {
        let unterminated = || SyntaxError::new(quote.at, "unterminated string");
        let inside = &self.text[self.next + 1..];
        let end = (0..inside.len())
            .take_while(|&end| inside[end].c != '\n')
            .find(|&end| inside[end].c == quote.c && (end == 0 || inside[end - 1].c != '\\'))
            .ok_or_else(unterminated)?;
        self.next += end + 2;
        let text = unquote(&inside[..end], quote)?;
        Ok(Part::Literal(Literal::String(text.into()), quote.at))
    }

    fn number(&mut self, first: Character) -> Result<Part, SyntaxError> {
        let rest = &self.text[self.next..];
        let digits = rest.iter().skip(1).take_while(|c| c.c == '.' || c.c.is_ascii_digit()).count();
        let text: String = rest[..=digits].iter().map(|c| c.c).collect();
        self.next += digits + 1;
        let unsigned = text.trim_start_matches(['+', '-']);
        let literal = match (text.parse(), text.parse()) {
            (Ok(integer), _) => Literal::Integer(integer),
            (_, Ok(double)) if unsigned.contains(|c: char| c.is_ascii_digit()) => Literal::Double(double),
            _ => return Err(SyntaxError::new(first.at, format!("'{text}' is not a number"))),
        };
        Ok(Part::Literal(literal, first.at))
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

    fn peek(&self) -> Option<Character> {
        self.text.get(self.next).copied()
    }

    fn starts_with(&self, prefix: &str) -> bool {
        let rest = self.text.get(self.next..).unwrap_or(&[]);
        rest.len() >= prefix.len() && prefix.chars().zip(rest).all(|(expected, c)| c.c == expected)
    }

    /// An error at the next character, or at the end.
    fn error(&self, message: impl Into<String>) -> SyntaxError {
        let end = self.text.last().map_or(0, |last| last.at + 1);
        SyntaxError::new(self.peek().map_or(end, |c| c.at), message)
    }
}

/// Without the blanks around a path, such as the line break at the end of a YAML block.
fn trimmed(text: &[Character]) -> &[Character] {
    let blank = |c: &Character| c.c.is_whitespace();
    let Some(first) = text.iter().position(|c| !blank(c)) else { return &[] };
    let last = text.iter().rposition(|c| !blank(c)).unwrap_or(first);
    // An escaped blank at the end belongs to a name.
    let escaped = text[last].c == '\\' && last + 1 < text.len();
    &text[first..=last + usize::from(escaped)]
}

/// How far a filter reaches: to the first `)` outside of its first quoted string.
fn filter_length(text: &[Character]) -> Option<usize> {
    let mut quote = None;
    let mut closed = false;
    for (index, c) in text.iter().enumerate() {
        match c.c {
            '\n' => return None,
            '"' | '\'' => match quote {
                None => quote = Some(c.c),
                Some(quote) => closed |= c.c == quote && text[index - 1].c != '\\',
            },
            ')' if quote.is_some() == closed => return Some(index),
            _ => {}
        }
    }
    None
}

type Split<'t> = (&'t [Character], &'t [Character], &'t [Character]);

/// Splits a condition at its first operator. As client-go's regular expression does, it takes all of `!<=>` that
/// stands together for the operator, but leaves a character for the right side.
fn split_comparison(text: &[Character]) -> Option<Split<'_>> {
    let is_operator = |c: &Character| matches!(c.c, '!' | '<' | '>' | '=');
    let start = text.iter().position(is_operator).filter(|&start| start > 0)?;
    let run = text[start..].iter().take_while(|c| is_operator(c)).count();
    let end = if start + run == text.len() { start + run - 1 } else { start + run };
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
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

/// Resolves Go's escapes (`strconv.UnquoteChar`).
fn unquote(inside: &[Character], quote: Character) -> Result<String, SyntaxError> {
    let mut bytes = Vec::new();
    let mut rest = inside.iter().copied();
    while let Some(Character { c, at }) = rest.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let invalid = || SyntaxError::new(at, "invalid escape in a string");
        let escape = rest.next().ok_or_else(invalid)?.c;
        let mut digits = |count: usize, radix: u32, first: u32| {
            (0..count)
                .try_fold(first, |value, _| Some(value.wrapping_mul(radix) + rest.next()?.c.to_digit(radix)?))
        };
        let code = match escape {
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'v' => 0x0b,
            '\\' => 0x5c,
            c if c == quote.c => u32::from(c),
            'x' | '0'..='7' => {
                let code = match escape.to_digit(8) {
                    Some(first) => digits(2, 8, first),
                    None => digits(2, 16, 0),
                };
                bytes.push(code.and_then(|code| u8::try_from(code).ok()).ok_or_else(invalid)?);
                continue;
            }
            'u' => digits(4, 16, 0).ok_or_else(invalid)?,
            'U' => digits(8, 16, 0).ok_or_else(invalid)?,
            _ => return Err(invalid()),
        };
        let c = char::from_u32(code).ok_or_else(invalid)?;
        bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
    }
    String::from_utf8(bytes).map_err(|_| SyntaxError::new(quote.at, "the string is not UTF-8"))
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
