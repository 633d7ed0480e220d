//! What became of a request, in the terms of the OTLP specification.
//!
//! In: nothing. Out: outcomes as types. Must never know: protocols.

use std::time::Duration;

use super::Failure;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Taken. What was rejected of it must not be sent again.
    Accepted {
        /// Points that the sink rejected.
        rejected: u64,
        /// What the sink said about it, or a warning: made fit for a log, and cut.
        message: Option<String>,
    },
    /// Not taken; to be sent again later.
    Retry {
        /// Why.
        failure: Failure,
        /// When at the earliest, if the sink said so.
        after: Option<Duration>,
    },
    /// Not taken, since it is larger than the sink takes: to be sent in smaller parts.
    TooLarge {
        /// Why.
        failure: Failure,
    },
    /// Not taken, and must not be sent again.
    Dropped {
        /// Why.
        failure: Failure,
    },
}

/// A message of a sink is cut to so many characters.
const LONGEST_MESSAGE: usize = 256;

// === impl Outcome ===

impl Outcome {
    /// Not taken; to be sent again when it suits us.
    pub(super) fn retry(failure: Failure) -> Self {
        Outcome::Retry { failure, after: None }
    }

    /// Taken, with what the sink says of it.
    pub(super) fn accepted(rejected: i64, message: &str) -> Self {
        let message = (!message.is_empty()).then(|| fit_for_a_log(message));
        Outcome::Accepted { rejected: u64::try_from(rejected).unwrap_or(0), message }
    }
}

/// Control characters escaped, and cut: the other side chose this text.
fn fit_for_a_log(text: &str) -> String {
    let mut fit = String::new();
    let mut characters = text.chars();
    for character in characters.by_ref().take(LONGEST_MESSAGE) {
        if character.is_control() {
            fit.extend(character.escape_debug());
        } else {
            fit.push(character);
        }
    }
    if characters.next().is_some() {
        fit.push('…');
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_a_sink_is_one_line_of_bearable_length() {
        let Outcome::Accepted { rejected, message } = Outcome::accepted(-3, "a\n\u{1b}[31mé") else {
            unreachable!()
        };
        assert_eq!((rejected, message.as_deref()), (0, Some("a\\n\\u{1b}[31mé")));
        let Outcome::Accepted { message, .. } = Outcome::accepted(1, &"é".repeat(1_000_000)) else {
            unreachable!()
        };
        assert_eq!(message.map(|message| message.chars().count()), Some(LONGEST_MESSAGE + 1));
        assert_eq!(Outcome::accepted(0, ""), Outcome::Accepted { rejected: 0, message: None });
    }
}
