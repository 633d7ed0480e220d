//! The forms that Kubernetes asks of texts: names, labels, dates.
//!
//! In: a text. Out: what is wrong with it, in the words of the API server. Must never know: expressions.

use chrono::NaiveDate;

use super::Url;

/// A form that a text may be required to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A label of a domain name as RFC 1123 has it.
    Dns1123Label,
    /// A domain name as RFC 1123 has it.
    Dns1123Subdomain,
    /// A label of a domain name as RFC 1035 has it.
    Dns1035Label,
    /// A name with an optional domain before it: the key of a label.
    QualifiedName,
    /// A label that something will be appended to.
    Dns1123LabelPrefix,
    /// A domain name that something will be appended to.
    Dns1123SubdomainPrefix,
    /// A label of RFC 1035 that something will be appended to.
    Dns1035LabelPrefix,
    /// The value of a label.
    LabelValue,
    /// A URL.
    Uri,
    /// A UUID.
    Uuid,
    /// Base64.
    Byte,
    /// A day.
    Date,
    /// A point in time.
    Datetime,
}

/// The pattern of each family of names, an explanation, and examples: parts of the messages.
struct Rule {
    pattern: &'static str,
    words: &'static str,
    examples: &'static [&'static str],
}

const LABEL: Rule = Rule {
    pattern: "[a-z0-9]([-a-z0-9]*[a-z0-9])?",
    words: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    examples: &["my-name", "123-abc"],
};

const SUBDOMAIN: Rule = Rule {
    pattern: "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*",
    words: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    examples: &["example.com"],
};

const OLD_LABEL: Rule = Rule {
    pattern: "[a-z]([-a-z0-9]*[a-z0-9])?",
    words: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    examples: &["my-name", "abc-123"],
};

const NAME: Rule = Rule {
    pattern: "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]",
    words: "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    examples: &["MyName", "my.name", "123-abc"],
};

const VALUE: Rule = Rule {
    pattern: "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
    words: "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    examples: &["MyValue", "my_value", "12345"],
};

const MAX_LABEL: usize = 63;
const MAX_SUBDOMAIN: usize = 253;

// === impl Format ===

impl Format {
    /// All of them, by the names that expressions use.
    pub const ALL: [(&'static str, Format); 13] = [
        ("dns1123Label", Format::Dns1123Label),
        ("dns1123Subdomain", Format::Dns1123Subdomain),
        ("dns1035Label", Format::Dns1035Label),
        ("qualifiedName", Format::QualifiedName),
        ("dns1123LabelPrefix", Format::Dns1123LabelPrefix),
        ("dns1123SubdomainPrefix", Format::Dns1123SubdomainPrefix),
        ("dns1035LabelPrefix", Format::Dns1035LabelPrefix),
        ("labelValue", Format::LabelValue),
        ("uri", Format::Uri),
        ("uuid", Format::Uuid),
        ("byte", Format::Byte),
        ("date", Format::Date),
        ("datetime", Format::Datetime),
    ];

    /// The form of this name.
    pub fn named(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }

    /// As the API server names it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Dns1123Label => "DNS1123Label",
            Format::Dns1123Subdomain => "DNS1123Subdomain",
            Format::Dns1035Label => "DNS1035Label",
            Format::QualifiedName => "QualifiedName",
            Format::Dns1123LabelPrefix => "DNS1123LabelPrefix",
            Format::Dns1123SubdomainPrefix => "DNS1123SubdomainPrefix",
            Format::Dns1035LabelPrefix => "DNS1035LabelPrefix",
            Format::LabelValue => "LabelValue",
            Format::Uri => "URI",
            Format::Uuid => "uuid",
            Format::Byte => "byte",
            Format::Date => "date",
            Format::Datetime => "datetime",
        }
    }

    /// What is wrong with a text; nothing where it has the form.
    pub fn faults(self, text: &str) -> Vec<String> {
        let unless = |fine: bool, words: &str| if fine { vec![] } else { vec![words.to_owned()] };
        match self {
            Format::Dns1123Label => label(text),
            Format::Dns1123LabelPrefix => label(&mask_dash(text)),
            Format::Dns1123Subdomain => subdomain(text),
            Format::Dns1123SubdomainPrefix => subdomain(&mask_dash(text)),
            Format::Dns1035Label => old_label(text),
            Format::Dns1035LabelPrefix => old_label(&mask_dash(text)),
            Format::QualifiedName => qualified_name(text),
            Format::LabelValue => label_value(text),
            Format::Uri => Url::fault(text).map(|fault| fault.to_string()).into_iter().collect(),
            Format::Uuid => unless(is_uuid(text), "does not match the UUID format"),
            Format::Byte => unless(is_base64(text), "invalid base64"),
            Format::Date => unless(is_date(text), "invalid date"),
            Format::Datetime => unless(is_datetime(text), "invalid datetime"),
        }
    }
}

fn label(text: &str) -> Vec<String> {
    let mut faults = too_long(text, MAX_LABEL);
    match (is_label(text), is_subdomain(text)) {
        (true, _) => {}
        (false, true) => faults.push("must not contain dots".to_owned()),
        (false, false) => faults.push(LABEL.message("")),
    }
    faults
}

fn subdomain(text: &str) -> Vec<String> {
    limited(text, MAX_SUBDOMAIN, is_subdomain(text), &SUBDOMAIN)
}

fn old_label(text: &str) -> Vec<String> {
    let fine = is_label(text) && text.starts_with(|c: char| c.is_ascii_lowercase());
    limited(text, MAX_LABEL, fine, &OLD_LABEL)
}

fn qualified_name(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut parts = text.splitn(3, '/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => name,
        (Some(domain), Some(name), None) => {
            if domain.is_empty() {
                faults.push("prefix part must be non-empty".to_owned());
            } else {
                faults.extend(subdomain(domain).into_iter().map(|fault| format!("prefix part {fault}")));
            }
            name
        }
        _ => {
            let words = NAME.message("a valid label key ");
            return vec![format!(
                "{words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > MAX_LABEL {
        faults.push(format!("name part must be no more than {MAX_LABEL} bytes"));
    }
    if name.is_empty() || !is_label_value(name) {
        faults.push(NAME.message("name part "));
    }
    faults
}

fn label_value(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if text.len() > MAX_LABEL {
        faults.push(format!("must be no more than {MAX_LABEL} bytes"));
    }
    if !is_label_value(text) {
        faults.push(VALUE.message(""));
    }
    faults
}

fn limited(text: &str, limit: usize, fine: bool, rule: &Rule) -> Vec<String> {
    let mut faults = too_long(text, limit);
    if !fine {
        faults.push(rule.message(""));
    }
    faults
}

fn too_long(text: &str, limit: usize) -> Vec<String> {
    if text.len() > limit { vec![format!("must be no more than {limit} characters")] } else { vec![] }
}

/// A name that ends in a dash, with what will be appended in the place of its end.
fn mask_dash(text: &str) -> std::borrow::Cow<'_, str> {
    match text.strip_suffix('-') {
        // As there, the character before the dash goes too.
        Some(rest) if !rest.is_empty() => {
            let mut kept = rest.chars();
            // Of a character of several bytes a part stays, which no name has.
            let part = if kept.next_back().is_some_and(|last| last.is_ascii()) { "" } else { "\u{fffd}" };
            format!("{}{part}a", kept.as_str()).into()
        }
        _ => text.into(),
    }
}

fn is_label(text: &str) -> bool {
    has_ends(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(), |byte| byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_label_value(text: &str) -> bool {
    text.is_empty() || has_ends(text, |byte| byte.is_ascii_alphanumeric(), |byte| b"-_.".contains(&byte))
}

/// Whether a text begins and ends with one kind of characters, and has also others between.
fn has_ends(text: &str, end: impl Fn(u8) -> bool, between: impl Fn(u8) -> bool) -> bool {
    let bytes = text.as_bytes();
    let ends = bytes.first().copied().is_some_and(&end) && bytes.last().copied().is_some_and(&end);
    ends && bytes.iter().all(|&byte| end(byte) || between(byte))
}

fn is_uuid(text: &str) -> bool {
    let mut rest = text.as_bytes();
    for (index, length) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(b"-").unwrap_or(rest);
        }
        match rest.split_at_checked(length) {
            Some((part, after)) if part.iter().all(u8::is_ascii_hexdigit) => rest = after,
            _ => return false,
        }
    }
    rest.is_empty()
}

/// Padded, and not empty.
fn is_base64(text: &str) -> bool {
    let unpadded = text.trim_end_matches('=');
    let fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let padding = text.len() - unpadded.len();
    !text.is_empty() && text.len().is_multiple_of(4) && padding <= 2 && unpadded.bytes().all(fine)
}

fn is_date(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten()
    };
    let day = || {
        let year = i32::try_from(digits(0..4)?).ok()?;
        NaiveDate::from_ymd_opt(year, digits(5..7)?, digits(8..10)?)
    };
    text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-' && day().is_some()
}

/// A day, `T`, a time with an optional fraction, and an offset; an hour of 24 is let pass.
fn is_datetime(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(day), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(day) && time.len() > 2 && is_time(time)
}

fn is_time(text: &str) -> bool {
    let two = |text: &str, at: usize, most: u32| {
        let part = text.get(at..at + 2)?;
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|number| digits && *number <= most)
    };
    let colons = text.get(2..3) == Some(":") && text.get(5..6) == Some(":");
    if !colons || two(text, 0, 23).is_none() || two(text, 3, 59).is_none() || two(text, 6, 59).is_none() {
        return false;
    }
    let rest = &text[8..];
    // Any character may stand before a fraction.
    let mut after = rest.chars();
    after.next();
    let fraction = after.as_str();
    let end = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    is_offset(rest) || (end.len() < fraction.len() && is_offset(end))
}

/// `z`, or `+01:00` with any digits.
fn is_offset(text: &str) -> bool {
    text == "z"
        || text.strip_prefix(['+', '-']).is_some_and(|offset| {
            let shape = offset.bytes().enumerate();
            offset.len() == 5
                && shape
                    .into_iter()
                    .all(|(at, byte)| if at == 2 { byte == b':' } else { byte.is_ascii_digit() })
        })
}

// === impl Rule ===

impl Rule {
    fn message(&self, before: &str) -> String {
        let examples: String =
            self.examples.iter().map(|example| format!("'{example}', ")).collect::<Vec<_>>().join(" or ");
        format!("{before}{} (e.g. {examples}regex used for validation is '{}')", self.words, self.pattern)
    }
}
