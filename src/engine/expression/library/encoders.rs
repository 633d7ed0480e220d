//! The encoders extension: base64.
//!
//! In: bytes, or text that stands for them. Out: the other. Must never know: rows.

use super::super::types::StaticType::{Bytes, String};
use super::super::{Budget, Value};
use super::{Overload, function, no_overload, string};
use crate::error::EvaluationError;

pub(super) const TABLE: &[Overload] = &[
    function("base64.encode", &[Bytes], String, encode),
    function("base64.decode", &[String], Bytes, decode).checking_literals(),
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let [Value::Bytes(bytes)] = arguments else { return Err(no_overload()) };
    let length = bytes.len().div_ceil(3) * 4;
    budget.build(length)?;
    let mut text = std::string::String::with_capacity(length);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for at in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= group.len() { char::from(letter) } else { '=' });
        }
    }
    Ok(Value::text(text))
}

/// Padding may be left out; line breaks are passed over, as Go does.
fn decode<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    budget.build(text.len() / 4 * 3 + 3)?;
    let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let padding = digits.iter().rev().take_while(|byte| **byte == b'=').count();
    let padded = digits.len().is_multiple_of(4) && padding <= 2;
    let unpadded = &digits[..digits.len() - padding];
    if (padding > 0 && !padded) || unpadded.len() % 4 == 1 {
        return Err(invalid());
    }
    let mut bytes = Vec::with_capacity(unpadded.len() / 4 * 3 + 2);
    for group in unpadded.chunks(4) {
        let mut bits = 0;
        for (at, letter) in group.iter().enumerate() {
            let digit = ALPHABET.iter().position(|known| known == letter).ok_or_else(invalid)?;
            bits |= u32::try_from(digit).unwrap_or(0) << (18 - 6 * at);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Ok(Value::Bytes(bytes.into()))
}

fn invalid() -> EvaluationError {
    EvaluationError::new("not base64")
}
