//! Versions in the form of semver.org: `1.2.3-rc.1+build`.
//!
//! In: text as `github.com/blang/semver` reads it. Out: a version that has an order. Must never know: expressions.

use std::cmp::Ordering;

use super::ScalarError;

/// A version. Equality and order leave the build metadata out.
#[derive(Clone, Debug)]
pub struct Semver {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// The parts behind `-`; without any it is a release.
    prerelease: Box<[Identifier]>,
    /// What stands behind `+`, or nothing.
    build: Box<str>,
}

/// A part of what makes a version a prerelease. Numbers come before texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(Box<str>),
}

const NO_THREE_PARTS: ScalarError = ScalarError("not a version: it must have three numbers, such as 1.2.3");
const BAD_NUMBER: ScalarError =
    ScalarError("not a version: a part that should be a number is none, has a leading zero or is too large");
const BAD_IDENTIFIER: ScalarError = ScalarError(
    "not a version: what follows - or + must be letters, digits and hyphens, separated by single dots",
);
const SHORT_WITH_EXTRAS: ScalarError = ScalarError(
    "not a version: one with fewer than three numbers cannot have a prerelease or build metadata",
);

// === impl Semver ===

impl Semver {
    /// Reads a version.
    ///
    /// # Errors
    ///
    /// If the text is none.
    pub fn parse(text: &str) -> Result<Self, ScalarError> {
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NO_THREE_PARTS);
        };
        let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(a, b)| (a, Some(b)));
        let prerelease = prerelease.into_iter().flat_map(|text| text.split('.')).map(Identifier::parse);
        let version = Semver {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.collect::<Result<_, _>>()?,
            build: build.unwrap_or_default().into(),
        };
        match build {
            Some(build) if !build.split('.').all(is_identifier) => Err(BAD_IDENTIFIER),
            _ => Ok(version),
        }
    }

    /// Reads a version that may begin with `v`, have leading zeros, or end before the second or third number.
    ///
    /// # Errors
    ///
    /// If the text is none even so.
    pub fn parse_leniently(text: &str) -> Result<Self, ScalarError> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err(SHORT_WITH_EXTRAS);
        }
        parts.resize(3, "0".to_owned());
        Semver::parse(&parts.join("."))
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Semver| (version.major, version.minor, version.patch);
        // A release comes after its prereleases.
        let release = |version: &Semver| version.prerelease.is_empty();
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.prerelease.cmp(&other.prerelease))
    }
}

impl std::fmt::Display for Semver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (index, identifier) in self.prerelease.iter().enumerate() {
            f.write_str(if index == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Text(text) => f.write_str(text)?,
            }
        }
        if self.build.is_empty() { Ok(()) } else { write!(f, "+{}", self.build) }
    }
}

// === impl Identifier ===

impl Identifier {
    fn parse(text: &str) -> Result<Self, ScalarError> {
        if !is_identifier(text) {
            return Err(BAD_IDENTIFIER);
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return number(text).map(Identifier::Number);
        }
        Ok(Identifier::Text(text.into()))
    }
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn number(text: &str) -> Result<u64, ScalarError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() < 2 || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain).ok_or(BAD_NUMBER)
}

/// `007` as `7`, `0-rc` as `0-rc`.
fn without_leading_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|c: char| c.is_ascii_digit()) { rest.to_owned() } else { format!("0{rest}") }
}
