//! What the parser of CEL says → what it means for whoever wrote the expression.
//!
//! In: a message of the parser, the text, a place in it. Out: a place and a message, on one line. Must never know: trees.

/// What is said where the text ends before the expression does.
const ENDS_TOO_EARLY: &str = "the expression ends too early: an operand or a closing bracket is missing";

/// Words that are no names, of the grammar of CEL.
const RESERVED: [&str; 21] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "var",
    "void",
    "while",
];

/// Where and what the parser's `message` at the byte `at` of `text` means.
pub(super) fn in_own_words(message: &str, text: &str, at: usize) -> (usize, String) {
    let end = text.trim_end().len();
    let is_at_end = ["input '<EOF>'", "at '<EOF>'"].iter().any(|end| message.contains(end))
        || message.starts_with("Incomplete `");
    if is_at_end || at >= end {
        return (end.max(at), ENDS_TOO_EARLY.to_owned());
    }
    let rest = &text[at..];
    let literal = [
        ("invalid int literal", "the number is beyond 64 bits"),
        ("invalid uint literal", "the number is beyond 64 bits"),
        ("invalid string literal", "an escape in the text is no character of Unicode"),
        ("invalid bytes literal", r"bytes have escapes of a byte each, such as \x41 or \101"),
    ];
    if let Some((_, meaning)) = literal.iter().find(|(said, _)| message.starts_with(said)) {
        return (at, (*meaning).to_owned());
    }
    let is_unknown = message.starts_with("token recognition error");
    match rest.chars().next() {
        Some('\'' | '"') if is_unknown => of_quoted(text, at),
        Some('$') if is_unknown => (at, "'$' begins a JSONPath, which is a `fieldPath`".to_owned()),
        _ => (at, of_word(message, text, at)),
    }
}

/// A text that could not be read: for an escape, or because it does not end.
fn of_quoted(text: &str, at: usize) -> (usize, String) {
    let quote = text.as_bytes()[at];
    let mut escape = None;
    let mut bytes = text.bytes().enumerate().skip(at + 1);
    while let Some((place, byte)) = bytes.next() {
        match byte {
            b'\\' if escape.is_none() && !is_escape(&text[place + 1..]) => escape = Some(place),
            b'\\' => drop(bytes.next()),
            b'\n' => break,
            byte if byte == quote => {
                let Some(place) = escape else { break };
                let what = text[place + 1..].chars().next().map(visible).unwrap_or_default();
                let hint = format!(r"write '\\{what}', or r'…' for a text without escapes");
                return (place, format!(r"'\{what}' is no escape: {hint}"));
            }
            _ => {}
        }
    }
    (at, "a quote that is opened here is not closed".to_owned())
}

/// Whether what follows a backslash makes an escape with it.
fn is_escape(rest: &str) -> bool {
    let digits = |from: usize, count: usize, radix: u32| {
        let found = rest.get(from..from + count);
        found.is_some_and(|digits| digits.chars().all(|digit| digit.is_digit(radix)))
    };
    match rest.as_bytes().first() {
        Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'?' | b'"' | b'\'' | b'`') => true,
        Some(b'x' | b'X') => digits(1, 2, 16),
        Some(b'u') => digits(1, 4, 16),
        Some(b'U') => digits(1, 8, 16),
        Some(b'0'..=b'3') => digits(0, 3, 8),
        _ => false,
    }
}

/// What stands where it cannot.
fn of_word(message: &str, text: &str, at: usize) -> String {
    let rest = &text[at..];
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    if RESERVED.contains(&&*word) {
        let is_member = text[..at].trim_end().ends_with('.');
        let hint = if is_member { format!(": write ['{word}'] instead of .{word}") } else { String::new() };
        return format!("'{word}' is a reserved word{hint}");
    }
    let operator =
        ["==", "!=", "<=", ">=", "&&", "||"].into_iter().find(|operator| rest.starts_with(operator));
    let meant = match (rest.chars().next(), word.as_str()) {
        _ if operator.is_some() => None,
        (Some('='), _) => Some("=="),
        (Some('&'), _) | (_, "and" | "AND") => Some("&&"),
        (Some('|'), _) | (_, "or" | "OR") => Some("||"),
        (_, "not" | "NOT") => Some("!"),
        (Some('>'), _) if text[..at].ends_with('<') => Some("!="),
        _ => None,
    };
    let found = match operator {
        Some(operator) => operator.to_owned(),
        None if word.is_empty() => rest.chars().next().map(visible).unwrap_or_default(),
        None => word,
    };
    if let Some(meant) = meant {
        return format!("'{found}' is no operator (did you mean '{meant}'?)");
    }
    let reason = match message {
        // Whole expressions may end there.
        message if message.ends_with("expecting <EOF>") => ": an operator is missing before it, or a bracket",
        message if message.contains(" expecting ") => ": an operand is missing before it",
        _ => "",
    };
    format!("'{found:.64}' cannot stand here{reason}")
}

/// A character that breaks no line.
fn visible(character: char) -> String {
    if character.is_control() { character.escape_default().to_string() } else { character.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::cel;

    fn check(text: &str, expected: &str) {
        let fault = cel::parse(text).map(drop).unwrap_err();
        let found = format!(
            "{}: {}",
            fault.at,
            fault.message.strip_prefix("syntax error: ").unwrap_or(&fault.message)
        );
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_cannot_stand_where_it_stands_is_named() {
        for (text, expected) in [
            ("object.a ==", "11: the expression ends too early: an operand or a closing bracket is missing"),
            ("object.a[", "9: the expression ends too early: an operand or a closing bracket is missing"),
            ("a = b", "2: '=' is no operator (did you mean '=='?)"),
            ("a and b", "2: 'and' is no operator (did you mean '&&'?)"),
            ("a <> 1", "3: '>' is no operator (did you mean '!='?)"),
            ("1 + * 2", "4: '*' cannot stand here: an operand is missing before it"),
            ("1 == == 2", "5: '==' cannot stand here: an operand is missing before it"),
            ("a b", "2: 'b' cannot stand here: an operator is missing before it, or a bracket"),
            ("1e", "1: 'e' cannot stand here: an operator is missing before it, or a bracket"),
            ("object..a", "7: '.' cannot stand here"),
            ("object.in", "7: 'in' is a reserved word: write ['in'] instead of .in"),
            ("$.a", "0: '$' begins a JSONPath, which is a `fieldPath`"),
            ("a == é", "5: 'é' cannot stand here"),
            ("a \u{1}", "2: '\\u{1}' cannot stand here"),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn what_is_wrong_with_a_literal_is_told_at_its_place() {
        let unclosed = "a quote that is opened here is not closed";
        for (text, expected) in [
            ("a == 'b", &*format!("5: {unclosed}")),
            ("a == 'b\\'", &format!("5: {unclosed}")),
            ("a == 'b\n'", &format!("5: {unclosed}")),
            ("a.matches('x\\d+')", r"12: '\d' is no escape: write '\\d', or r'…' for a text without escapes"),
            (r"'\400'", r"1: '\4' is no escape: write '\\4', or r'…' for a text without escapes"),
            (r"'\xg0'", r"1: '\x' is no escape: write '\\x', or r'…' for a text without escapes"),
            (
                r"'\\\n\x41\u0041\101\é'",
                r"19: '\é' is no escape: write '\\é', or r'…' for a text without escapes",
            ),
            (r"'\ud800'", "0: an escape in the text is no character of Unicode"),
            (r"b'\u00e9'", r"0: bytes have escapes of a byte each, such as \x41 or \101"),
            ("a < 9223372036854775808", "4: the number is beyond 64 bits"),
            ("18446744073709551616u", "0: the number is beyond 64 bits"),
        ] {
            check(text, expected);
        }
    }
}
