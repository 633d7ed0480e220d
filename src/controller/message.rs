//! Messages that quote what a user wrote.
//!
//! In: any text. Out: one line fit for a terminal, a log and a status. Must never know: what the text is about.

/// A message that quotes what a user wrote, fit for a terminal, a log and a status: control characters are escaped,
/// and what is longer than anyone reads is cut.
pub(super) fn one_line(message: &str) -> String {
    const MOST: usize = 500;
    let mut line = String::with_capacity(message.len().min(MOST));
    for (count, character) in message.chars().enumerate() {
        if count == MOST {
            line.push('…');
            break;
        }
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}
