//! Numbers as text.
//!
//! In: the text of a JSON number, or a double. Out: its text in either form. Must never know: where it is used.

use std::borrow::Cow;

use super::ProjectionError;
use crate::definition::TextForm;

/// Where a number stands, which decides when Go turns to exponents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// By itself: Go's `%v`, exponents from 1e6 up and below 1e-4.
    Bare,
    /// In JSON text: Go's `encoding/json`, exponents from 1e21 up and below 1e-6.
    Json,
}

/// The text of a number that stands in an object as `text`.
///
/// Native: a whole number, one without point and exponent, keeps its digits, whatever its size. Go: it does so within 64
/// bits. Anything else is a double.
///
/// # Errors
/// If it is beyond the range of a double.
pub(super) fn of_json(text: &str, form: TextForm, place: Place) -> Result<Cow<'_, str>, ProjectionError> {
    let whole = !text.contains(['.', 'e', 'E']);
    if whole && (form == TextForm::Native || text.parse::<i64>().is_ok()) {
        return Ok(Cow::Borrowed(if text == "-0" { "0" } else { text }));
    }
    match text.parse::<f64>() {
        Ok(double) if double.is_finite() => Ok(Cow::Owned(of_double(double, form, place))),
        _ => Err(ProjectionError::NumberRange),
    }
}

/// The text of a double. In JSON it has to be finite.
pub(super) fn of_double(double: f64, form: TextForm, place: Place) -> String {
    if !double.is_finite() {
        return not_finite(double, form).to_string();
    }
    if form == TextForm::Native {
        return double.to_string();
    }
    let size = double.abs();
    let exponential = match place {
        // As 1e-4 itself is the nearest double to that number, comparing doubles compares decimal exponents.
        Place::Bare => size != 0.0 && !(1e-4..1e6).contains(&size),
        Place::Json => size != 0.0 && !(1e-6..1e21).contains(&size),
    };
    if !exponential {
        return double.to_string();
    }
    let shortest = format!("{double:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    // Go writes two digits of the exponent at least, and takes the zero out of `e-09` in JSON.
    let pad = if exponent.len() < 2 && !(place == Place::Json && sign == '-') { "0" } else { "" };
    format!("{digits}e{sign}{pad}{exponent}")
}

fn not_finite(double: f64, form: TextForm) -> &'static str {
    match (form, double.is_nan(), double > 0.0) {
        (_, true, _) => "NaN",
        (TextForm::Native, _, true) => "Infinity",
        (TextForm::Native, _, false) => "-Infinity",
        (TextForm::Go, _, true) => "+Inf",
        (TextForm::Go, _, false) => "-Inf",
    }
}
