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

/// One line for each of `lines`, in their order and each [fit to be shown](one_line), up to `most` bytes; how many
/// had no room is said at the end.
pub(super) fn lines<L: AsRef<str>>(lines: &[L], most: usize) -> String {
    /// Room for `\n… and 18446744073709551615 more`.
    const REST: usize = 40;
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let line = one_line(line.as_ref());
        let is_last = at + 1 == lines.len();
        let room = if is_last { most } else { most.saturating_sub(REST) };
        let fits = text.len() + usize::from(at > 0) + line.len() <= room;
        if at > 0 {
            text.push('\n');
        }
        if fits {
            text.push_str(&line);
        } else if at == 0 {
            text.push_str(&line[..line.floor_char_boundary(room.saturating_sub("…".len()))]);
            text.push('…');
        } else {
            text.push_str(&format!("… and {} more", lines.len() - at));
            return text;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_have_no_room_are_counted() {
        let long = "x".repeat(300);
        for (given, most, expected) in [
            (vec![], 100, String::new()),
            (vec!["a"], 100, "a".into()),
            (vec!["a", "b"], 100, "a\nb".into()),
            (vec!["a", "b\nc\u{1b}"], 100, "a\nb\\nc\\u{1b}".into()),
            (vec!["a", &long, "b"], 100, "a\n… and 2 more".into()),
            (vec!["a", "b", &long], 100, "a\nb\n… and 1 more".into()),
            (vec![&long], 100, format!("{}…", "x".repeat(97))),
            (vec![&long, "b"], 100, format!("{}…\nb", "x".repeat(57))),
        ] {
            assert_eq!(lines(&given, most), expected, "{given:?}");
        }
    }

    #[test]
    fn many_lines_stay_within_the_room() {
        for (length, most) in (1..130).flat_map(|length| [64, 100, 1024].map(|most| (length, most))) {
            let many = vec!["é".repeat(length); 500];
            let text = lines(&many, most);
            assert!(text.len() <= most, "{length} {most}: {}", text.len());
            let shown = text.lines().filter(|line| line.starts_with('é')).count();
            assert!(text.ends_with(&format!("… and {} more", 500 - shown)), "{text}");
        }
    }
}
