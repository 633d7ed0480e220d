//! Label selectors in the form that kubectl takes on its command line.
//!
//! In: `a=b, c in (d, e), !f, g>5`. Out: requirements. Must never know: rows, metrics.
//!
//! The grammar and its odd corners are those of `k8s.io/apimachinery/pkg/labels.Parse`: `in` and `notin` are keywords
//! only where an operator stands, and an absent value is the empty one (`a=`, `a in (,b)`, `a in ()`).

use std::collections::BTreeSet;

use celemetry_engine::definition::{LabelOperator, LabelRequirement};

/// Why a text is no selector.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectorError {
    /// Line in the text, from 1.
    pub line: u32,
    /// Column within the line in characters, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

/// The requirements of a selector, in the order of the text; all must hold. An empty text requires nothing.
///
/// # Errors
/// The first thing that labels.Parse would refuse, with where it stands.
pub fn parse_label_selector(text: &str) -> Result<Vec<LabelRequirement>, SelectorError> {
    let mut parser = Parser { text, at: 0 };
    let mut requirements = vec![];
    if parser.peek().token == Token::End {
        return Ok(requirements);
    }
    loop {
        requirements.push(parser.requirement()?);
        let next = parser.take();
        match next.token {
            Token::End => return Ok(requirements),
            Token::Comma => {}
            _ => return Err(parser.unexpected(next, "',' or the end")),
        }
    }
}

/// The text of a selector that [`parse_label_selector`] reads as these requirements.
pub fn print_label_selector(requirements: &[LabelRequirement]) -> String {
    requirements.iter().map(print_requirement).collect::<Vec<_>>().join(",")
}

/// The greatest length of a name and of a value.
const NAME_LENGTH: usize = 63;
/// The greatest length of a key's prefix, which is a DNS subdomain.
const PREFIX_LENGTH: usize = 253;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Word,
    Comma,
    Open,
    Close,
    Not,
    Equals,
    NotEquals,
    Greater,
    Less,
    End,
}

/// A token, what it covers, and where that begins, in bytes.
#[derive(Clone, Copy, Debug)]
struct Lexeme<'t> {
    token: Token,
    text: &'t str,
    at: usize,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

// === impl Parser ===

impl<'t> Parser<'t> {
    fn peek(&self) -> Lexeme<'t> {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\r', '\n']);
        let at = self.text.len() - rest.len();
        let (token, length) = match rest.as_bytes() {
            [] => (Token::End, 0),
            [b'=', b'=', ..] => (Token::Equals, 2),
            [b'!', b'=', ..] => (Token::NotEquals, 2),
            [b'=', ..] => (Token::Equals, 1),
            [b'!', ..] => (Token::Not, 1),
            [b',', ..] => (Token::Comma, 1),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b'>', ..] => (Token::Greater, 1),
            [b'<', ..] => (Token::Less, 1),
            _ => (Token::Word, rest.find(ends_word).unwrap_or(rest.len())),
        };
        Lexeme { token, text: &rest[..length], at }
    }

    fn take(&mut self) -> Lexeme<'t> {
        let lexeme = self.peek();
        self.at = lexeme.at + lexeme.text.len();
        lexeme
    }

    fn requirement(&mut self) -> Result<LabelRequirement, SelectorError> {
        let negated = self.peek().token == Token::Not;
        if negated {
            self.take();
        }
        let key = self.take();
        if key.token != Token::Word {
            let expected = if negated { "a label key" } else { "a label key or '!'" };
            return Err(self.unexpected(key, expected));
        }
        check_key(key.text).map_err(|reason| self.error(key.at, reason))?;
        let operator = if negated {
            LabelOperator::DoesNotExist
        } else if matches!(self.peek().token, Token::End | Token::Comma) {
            LabelOperator::Exists
        } else {
            self.operator()?
        };
        Ok(LabelRequirement { key: key.text.to_owned(), operator })
    }

    fn operator(&mut self) -> Result<LabelOperator, SelectorError> {
        let operator = self.take();
        match (operator.token, operator.text) {
            (Token::Equals, _) => Ok(LabelOperator::In(BTreeSet::from([self.value()?.text.to_owned()]))),
            (Token::NotEquals, _) => {
                Ok(LabelOperator::NotIn(BTreeSet::from([self.value()?.text.to_owned()])))
            }
            (Token::Greater, _) => self.integer().map(LabelOperator::GreaterThan),
            (Token::Less, _) => self.integer().map(LabelOperator::LessThan),
            (Token::Word, "in") => self.values().map(LabelOperator::In),
            (Token::Word, "notin") => self.values().map(LabelOperator::NotIn),
            _ => Err(self.unexpected(operator, "an operator (in, notin, =, ==, !=, >, <)")),
        }
    }

    /// A single value, which may be left out.
    fn value(&mut self) -> Result<Lexeme<'t>, SelectorError> {
        let next = self.peek();
        match next.token {
            Token::End | Token::Comma => return Ok(Lexeme { text: "", ..next }),
            Token::Word => {}
            _ => return Err(self.unexpected(next, "a value")),
        }
        self.take();
        check_value(next.text).map_err(|reason| self.error(next.at, reason))?;
        Ok(next)
    }

    fn integer(&mut self) -> Result<i64, SelectorError> {
        let value = self.value()?;
        value
            .text
            .parse()
            .map_err(|_| self.error(value.at, "'>' and '<' need an integer of at most 64 bits".to_owned()))
    }

    /// A list in parentheses, in which a missing value is the empty one.
    fn values(&mut self) -> Result<BTreeSet<String>, SelectorError> {
        let open = self.take();
        if open.token != Token::Open {
            return Err(self.unexpected(open, "'('"));
        }
        let mut values = BTreeSet::new();
        loop {
            let value = self.peek();
            let expected = if value.token == Token::Word {
                self.take();
                check_value(value.text).map_err(|reason| self.error(value.at, reason))?;
                "',' or ')'"
            } else {
                "a value, ',' or ')'"
            };
            let next = self.take();
            match next.token {
                Token::Comma | Token::Close if value.token == Token::Word => {
                    values.insert(value.text.to_owned())
                }
                Token::Comma | Token::Close => values.insert(String::new()),
                _ => return Err(self.unexpected(next, expected)),
            };
            if next.token == Token::Close {
                return Ok(values);
            }
        }
    }

    fn unexpected(&self, found: Lexeme<'_>, expected: &str) -> SelectorError {
        let found_text = match found.token {
            Token::End => "the end".to_owned(),
            _ => format!("'{}'", found.text),
        };
        self.error(found.at, format!("found {found_text}, expected {expected}"))
    }

    fn error(&self, at: usize, message: String) -> SelectorError {
        SelectorError::at(self.text, at, message)
    }
}

// === impl SelectorError ===

impl SelectorError {
    /// An error at the byte `at` of `text`, which is the begin of a character.
    pub(super) fn at(text: &str, at: usize, message: String) -> Self {
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        SelectorError {
            line: number(before.matches('\n').count() + 1),
            column: number(before[line_start..].chars().count() + 1),
            message,
        }
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn ends_word(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n' | '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// Whether `key` is what Kubernetes calls a qualified name: a name, or a DNS subdomain, a slash and a name.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        None => (None, key),
        Some((prefix, name)) => (Some(prefix), name),
    };
    if prefix.is_some_and(|prefix| !is_dns_subdomain(prefix)) {
        return Err(format!(
            "label key '{key}': the part before '/' must be a DNS name of at most {PREFIX_LENGTH} characters"
        ));
    }
    if name.is_empty() || !is_name(name) {
        return Err(format!(
            "label key '{key}': the name must be 1 to {NAME_LENGTH} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
        ));
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(format!(
        "label value '{value}' must be at most {NAME_LENGTH} letters, digits, '-', '_' and '.', with a letter or digit at both ends"
    ))
}

fn is_name(text: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    bytes.len() <= NAME_LENGTH
        && ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// RFC 1123: labels of lower-case letters, digits and `-`, joined by dots.
fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= PREFIX_LENGTH && text.split('.').all(is_dns_label)
}

/// RFC 1123, without its limit of 63 characters, which Kubernetes does not apply within a subdomain.
pub(super) fn is_dns_label(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().is_some_and(inner)
        && bytes.last().is_some_and(inner)
        && bytes.iter().all(|byte| inner(byte) || *byte == b'-')
}

fn print_requirement(requirement: &LabelRequirement) -> String {
    let key = &requirement.key;
    let one =
        |values: &BTreeSet<String>| (values.len() == 1).then(|| values.iter().next().cloned()).flatten();
    let list = |values: &BTreeSet<String>| values.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    match &requirement.operator {
        LabelOperator::Exists => key.clone(),
        LabelOperator::DoesNotExist => format!("!{key}"),
        LabelOperator::GreaterThan(bound) => format!("{key}>{bound}"),
        LabelOperator::LessThan(bound) => format!("{key}<{bound}"),
        LabelOperator::In(values) => match one(values) {
            Some(value) => format!("{key}={value}"),
            None => format!("{key} in ({})", list(values)),
        },
        LabelOperator::NotIn(values) => match one(values) {
            Some(value) => format!("{key}!={value}"),
            None => format!("{key} notin ({})", list(values)),
        },
    }
}
