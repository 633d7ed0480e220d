//! A table that is redrawn in place, with the few control sequences that every terminal of the last decades knows.
//!
//! In: text and the window's size. Out: standard error. Must never know: series.
//!
//! The alternate screen is used, so that what was there before comes back, and lines never wrap.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::{Duration, Instant};

/// A terminal that shows the table.
#[derive(Debug)]
pub(super) struct Screen {
    title: String,
    note: String,
    colours: bool,
    entered: bool,
    /// The lines that were drawn last, without their spaces, and since when each has been there; `None` is since the
    /// beginning.
    lines: BTreeMap<String, Option<Instant>>,
}

/// Columns and rows of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// What is assumed where the terminal does not tell.
const USUAL: Size = Size { columns: 80, rows: 24 };

const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const PLAIN: &str = "\x1b[0m";

/// How long a line that is new or different stands out.
const FRESH: Duration = Duration::from_secs(1);

/// The size of the window behind standard error.
pub(super) fn size() -> Size {
    let told = terminal_size::terminal_size_of(std::io::stderr());
    told.map_or(USUAL, |(columns, rows)| Size { columns: columns.0.into(), rows: rows.0.into() })
}

// === impl Screen ===

impl Screen {
    /// A screen, unless the terminal says that it understands no control sequences.
    pub(super) fn new(title: String) -> Option<Self> {
        let dumb = std::env::var_os("TERM").is_none_or(|terminal| terminal.is_empty() || terminal == "dumb");
        // https://no-color.org: any value that is not empty.
        let colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let lines = BTreeMap::new();
        (!dumb).then_some(Screen { title, note: String::new(), colours, entered: false, lines })
    }

    /// Sets the line at the top.
    pub(super) fn head(&mut self, title: String) {
        self.title = title;
    }

    /// Sets the line at the bottom.
    pub(super) fn note(&mut self, line: &str) {
        line.clone_into(&mut self.note);
    }

    /// Draws `table`, as much of it as the window holds. Lines that are new or different stand out for a while.
    pub(super) fn draw(&mut self, table: &str, size: Size, now: Instant) {
        let enter = if self.entered { "" } else { ENTER };
        self.entered = true;
        self.notice(table, now);
        emit(&format!("{enter}{}", self.frame(table, size, now)));
    }

    /// Gives the terminal back as it was.
    pub(super) fn leave(&mut self) {
        if std::mem::take(&mut self.entered) {
            emit(LEAVE);
        }
    }

    /// Learns which lines are there, and since when. Another width of a column makes no other line.
    fn notice(&mut self, table: &str, now: Instant) {
        let is_first = self.lines.len() < 2;
        let since = |line: &str| {
            let line = words(line);
            let known = self.lines.get(&line).copied();
            (line, known.unwrap_or((!is_first).then_some(now)))
        };
        self.lines = table.lines().map(since).collect();
    }

    fn is_fresh(&self, line: &str, now: Instant) -> bool {
        let since = self.lines.get(&words(line)).copied().flatten();
        since.is_some_and(|since| now.duration_since(since) < FRESH)
    }

    fn frame(&self, table: &str, size: Size, now: Instant) -> String {
        let mut lines: Vec<String> = vec![self.styled(BOLD, &clip(&self.title, size.columns))];
        let room = size.rows.saturating_sub(3);
        let count = table.lines().count();
        let shown = if count > room { room.saturating_sub(1) } else { count };
        lines.extend(table.lines().take(shown).map(|line| {
            let style = if self.is_fresh(line, now) { GREEN } else { "" };
            self.styled(style, &clip(line, size.columns))
        }));
        if count > shown {
            lines.push(self.styled(DIM, &format!("… {} further lines", count - shown)));
        }
        if !self.note.is_empty() {
            lines.push(self.styled(DIM, &clip(&self.note, size.columns)));
        }
        lines.truncate(size.rows.max(1));
        format!("{HOME}{}{CLEAR_LINE}{CLEAR_BELOW}", lines.join(&format!("{CLEAR_LINE}\r\n")))
    }

    fn styled(&self, style: &str, text: &str) -> String {
        let is_plain = style.is_empty() || !self.colours;
        if is_plain { text.to_owned() } else { format!("{style}{text}{PLAIN}") }
    }
}

/// A line with single spaces.
fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most so many characters, with those that could steer the terminal made visible.
fn clip(line: &str, columns: usize) -> String {
    line.chars().take(columns).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn emit(text: &str) {
    let mut stderr = std::io::stderr().lock();
    // There is nowhere to report that standard error cannot be written.
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Screen {
        let lines = BTreeMap::new();
        Screen { title: "title".into(), note: "note".into(), colours: false, entered: false, lines }
    }

    fn lines(table: &str, columns: usize, rows: usize) -> Vec<String> {
        let frame = screen().frame(table, Size { columns, rows }, Instant::now());
        let text = frame.replace(HOME, "").replace(CLEAR_LINE, "").replace(CLEAR_BELOW, "");
        text.split("\r\n").map(str::to_owned).collect()
    }

    #[test]
    fn a_frame_never_exceeds_the_window() {
        let table: String = (0..100).map(|n| format!("{n} a rather long line of a table\n")).collect();
        for rows in 0..30 {
            for columns in [0, 1, 10, 200] {
                let lines = lines(&table, columns, rows);
                assert!(lines.len() <= rows.max(1), "{} lines in {rows} rows", lines.len());
                assert!(lines.iter().all(|line| line.chars().count() <= columns.max(20)));
            }
        }
    }

    #[test]
    fn a_table_that_fits_is_shown_whole() {
        assert_eq!(lines("a\nb\n", 80, 24), ["title", "a", "b", "note"]);
    }

    #[test]
    fn a_table_that_does_not_fit_says_how_much_is_missing() {
        assert_eq!(lines("a\nb\nc\nd\n", 80, 6), ["title", "a", "b", "… 2 further lines", "note"]);
    }

    #[test]
    fn a_line_that_is_new_or_different_stands_out_for_a_second() {
        let (mut screen, start) = (Screen { colours: true, ..screen() }, Instant::now());
        let size = Size { columns: 80, rows: 24 };
        let mut green = |table: &str, millis: u64| -> Vec<String> {
            let now = start + Duration::from_millis(millis);
            screen.notice(table, now);
            let frame = screen.frame(table, size, now);
            let lines = frame.split("\r\n").filter(|line| line.contains(GREEN));
            lines
                .map(|line| words(&line.replace(GREEN, "").replace(PLAIN, "").replace(CLEAR_LINE, "")))
                .collect()
        };
        let none: Vec<String> = vec![];
        assert_eq!(green("NAME VALUE\n", 0), none);
        assert_eq!(green("NAME VALUE\na 1\nb 2\n", 0), none);
        assert_eq!(green("NAME   VALUE\na   1\nb   20\nc   3\n", 100), ["b 20", "c 3"]);
        assert_eq!(green("NAME   VALUE\na   1\nb   20\nc   3\n", 1_050), ["b 20", "c 3"]);
        assert_eq!(green("NAME   VALUE\na   5\nb   20\nc   3\n", 1_150), ["a 5"]);
        screen.colours = false;
        assert!(!screen.frame("NAME\na 5\n", size, start).contains(GREEN));
    }

    #[test]
    fn text_cannot_steer_the_terminal() {
        assert_eq!(clip("a\x1b[2Jb", 80), "a\u{fffd}[2Jb");
    }
}
