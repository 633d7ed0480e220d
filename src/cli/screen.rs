//! A table that is redrawn in place, with the few control sequences that every terminal of the last decades knows.
//!
//! In: text and the window's size. Out: standard error. Must never know: series.
//!
//! The alternate screen is used, so that what was there before comes back, and lines never wrap.

use std::io::Write;

/// A terminal that shows the table.
#[derive(Debug)]
pub(super) struct Screen {
    title: String,
    note: String,
    colours: bool,
    entered: bool,
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
const PLAIN: &str = "\x1b[0m";

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
        (!dumb).then_some(Screen { title, note: String::new(), colours, entered: false })
    }

    /// Sets the line at the top.
    pub(super) fn head(&mut self, title: String) {
        self.title = title;
    }

    /// Sets the line at the bottom.
    pub(super) fn note(&mut self, line: &str) {
        line.clone_into(&mut self.note);
    }

    /// Draws `table`, as much of it as the window holds.
    pub(super) fn draw(&mut self, table: &str, size: Size) {
        let enter = if self.entered { "" } else { ENTER };
        self.entered = true;
        emit(&format!("{enter}{}", self.frame(table, size)));
    }

    /// Gives the terminal back as it was.
    pub(super) fn leave(&mut self) {
        if std::mem::take(&mut self.entered) {
            emit(LEAVE);
        }
    }

    fn frame(&self, table: &str, size: Size) -> String {
        let mut lines: Vec<String> = vec![self.styled(BOLD, &clip(&self.title, size.columns))];
        let room = size.rows.saturating_sub(3);
        let count = table.lines().count();
        let shown = if count > room { room.saturating_sub(1) } else { count };
        lines.extend(table.lines().take(shown).map(|line| clip(line, size.columns)));
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
        if self.colours { format!("{style}{text}{PLAIN}") } else { text.to_owned() }
    }
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
        Screen { title: "title".into(), note: "note".into(), colours: false, entered: false }
    }

    fn lines(table: &str, columns: usize, rows: usize) -> Vec<String> {
        let frame = screen().frame(table, Size { columns, rows });
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
    fn text_cannot_steer_the_terminal() {
        assert_eq!(clip("a\x1b[2Jb", 80), "a\u{fffd}[2Jb");
    }
}
