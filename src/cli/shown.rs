//! Text that others wrote, as a terminal shows it: on one line, with nothing in it that a terminal obeys.
//!
//! In: texts. Out: the same, visible; a line with a caret under a place. Must never know: what the texts say.

use unicode_width::UnicodeWidthChar;

/// So many characters of a line are shown.
const WIDTH: usize = 100;

/// What stands where a line was cut.
const CUT: char = '…';

/// A text with its control characters written out, as `\u{1b}` or `\n`.
pub(super) fn visible(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
    line
}

/// What is shown of a line, and below it a caret under the character at `column`, from 1.
pub(super) fn pointed_at(line: &str, column: usize) -> (String, String) {
    let (shown, indent) = window(line, column);
    let indent = " ".repeat(columns(&shown, indent));
    (shown, format!("{indent}^"))
}

/// What is shown of a line, and how many characters stand before the one at `column`.
fn window(line: &str, column: usize) -> (String, usize) {
    let visible = |c: char| if c == '\t' || c.is_control() { ' ' } else { c };
    let characters: Vec<char> = line.trim_end().chars().map(visible).collect();
    let at = column.saturating_sub(1);
    if characters.len() <= WIDTH {
        return (characters.into_iter().collect(), at.min(WIDTH));
    }
    // The place in the middle, unless the line begins or ends there.
    let start = at.saturating_sub(WIDTH / 2).min(characters.len() - WIDTH);
    let mut shown: Vec<char> = characters[start..start + WIDTH].to_vec();
    if start > 0 {
        shown[0] = CUT;
    }
    if start + WIDTH < characters.len() {
        shown[WIDTH - 1] = CUT;
    }
    (shown.into_iter().collect(), at.saturating_sub(start).min(WIDTH))
}

/// How many columns of a terminal the first so many characters of a line take, and as many spaces where it is shorter.
fn columns(line: &str, characters: usize) -> usize {
    let padded = line.chars().chain(std::iter::repeat(' '));
    padded.take(characters).map(|character| character.width().unwrap_or(0)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, column: usize, shown: &str, indent: usize) {
        assert_eq!(window(line, column), (shown.to_owned(), indent), "{line:?} {column}");
    }

    #[test]
    fn a_caret_stands_under_its_character() {
        check("a: b", 4, "a: b", 3);
        check("\ta: é\u{1b}[2J!", 5, " a: é [2J!", 4);
        check("a: ", 4, "a:", 3);
        check("", 1, "", 0);
    }

    #[test]
    fn nothing_that_somebody_wrote_leaves_its_line() {
        assert_eq!(visible("a\u{1b}[2J\nerror: b\tä日"), "a\\u{1b}[2J\\nerror: b\\tä日");
        assert_eq!(pointed_at("日本 + b", 6), ("日本 + b".to_owned(), "       ^".to_owned()));
    }

    #[test]
    fn wide_characters_take_two_columns_and_those_that_combine_none() {
        assert_eq!(columns("a: 日本語🎉x", 7), 11);
        assert_eq!(columns("e\u{301}x", 2), 1);
        assert_eq!(columns("ab", 4), 4);
    }

    #[test]
    fn of_a_long_line_the_surroundings_are_shown() {
        let line: String = (0..300).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        for column in 1..=300 {
            let (shown, indent) = window(&line, column);
            assert_eq!(shown.chars().count(), WIDTH);
            assert_eq!(shown.chars().nth(indent), line.chars().nth(column - 1), "{column}");
        }
    }
}
