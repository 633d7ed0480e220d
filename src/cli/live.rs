//! What `run` and `demo` show on standard error while it runs: a live table on a terminal, otherwise a line for each change.
//!
//! In: snapshots and lines. Out: standard error. Must never know: where they come from.
//!
//! A thread of its own writes, so that a slow or stopped terminal holds up nobody else.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use celemetry_engine::snapshot::{Attributes, MetricTable, Snapshot};

use super::screen::{self, Screen};
use super::shown::visible;
use crate::export::table::write_table;

/// The way to the thread that writes.
#[derive(Clone, Debug)]
pub(super) struct Live {
    messages: SyncSender<Message>,
}

#[derive(Debug)]
enum Message {
    Line(String),
    Title(String),
    Snapshot(Arc<Snapshot>),
    Finish(SyncSender<()>),
}

/// What the thread knows.
struct Writer {
    screen: Option<Screen>,
    latest: Arc<Snapshot>,
    /// When the table is drawn next.
    frame_at: Instant,
    /// Lines that came while a table covered the screen, to be written when it is gone.
    kept: Vec<String>,
}

/// Messages that may wait. When full a line is dropped, which its sender learns, and a snapshot is, since its
/// successor says the same.
const CAPACITY: usize = 256;

/// How often a live table is drawn at most: as often as an eye can follow.
const FRAME: Duration = Duration::from_millis(200);

/// How often it is drawn at least.
const REDRAW: Duration = Duration::from_secs(1);

/// Lines that a live table keeps for its end.
const MAX_KEPT: usize = 1_000;

/// How long the end waits for standard error to take what is left.
const PATIENCE: Duration = Duration::from_secs(2);

// === impl Live ===

impl Live {
    /// Starts to write. `title` heads the table.
    pub(super) fn start(title: String) -> Self {
        let (messages, inbox) = sync_channel(CAPACITY);
        let screen = std::io::stderr().is_terminal().then(|| Screen::new(title)).flatten();
        let writer = Writer { screen, latest: Arc::default(), frame_at: Instant::now(), kept: vec![] };
        std::thread::spawn(move || writer.run(&inbox));
        Live { messages }
    }

    /// Writes a line, whatever is in it; gives whether there was room for it.
    pub(super) fn say(&self, line: &str) -> bool {
        self.messages.try_send(Message::Line(visible(line))).is_ok()
    }

    /// Heads the table with another title; without a table nothing is seen of it.
    pub(super) fn head(&self, title: String) {
        // Where there is no room the next title says more.
        let _ = self.messages.try_send(Message::Title(title));
    }

    /// Shows the series of a snapshot.
    pub(super) fn show(&self, snapshot: Arc<Snapshot>) {
        if let Err(TrySendError::Disconnected(_)) = self.messages.try_send(Message::Snapshot(snapshot)) {
            // The thread ends only when standard error is gone: nothing can be shown any more.
        }
    }

    /// Shows the last snapshot, takes the table away and waits until everything is written.
    pub(super) fn finish(&self, last: Arc<Snapshot>) {
        let (done, is_done) = sync_channel(1);
        for message in [Message::Snapshot(last), Message::Finish(done)] {
            if self.messages.send(message).is_err() {
                return;
            }
        }
        // After this long nobody reads standard error; the end does not wait for them.
        let _ = is_done.recv_timeout(PATIENCE);
    }
}

// === impl Writer ===

impl Writer {
    fn run(mut self, inbox: &Receiver<Message>) {
        loop {
            let message = match &self.screen {
                Some(_) => inbox.recv_timeout(self.frame_at.saturating_duration_since(Instant::now())),
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match message {
                Ok(Message::Line(line)) => self.line(line),
                Ok(Message::Title(title)) => self.title(title),
                Ok(Message::Snapshot(snapshot)) => self.snapshot(snapshot),
                Ok(Message::Finish(done)) => {
                    self.leave();
                    let _ = done.send(());
                    return;
                }
                Err(RecvTimeoutError::Timeout) => self.draw(),
                Err(RecvTimeoutError::Disconnected) => return self.leave(),
            }
        }
    }

    fn line(&mut self, line: String) {
        match &mut self.screen {
            None => write(&[line]),
            Some(screen) => {
                screen.note(&line);
                if self.kept.len() < MAX_KEPT {
                    self.kept.push(line);
                }
            }
        }
    }

    fn title(&mut self, title: String) {
        if let Some(screen) = &mut self.screen {
            screen.head(title);
            self.frame_at = self.frame_at.min(Instant::now() + FRAME);
        }
    }

    fn snapshot(&mut self, snapshot: Arc<Snapshot>) {
        if self.screen.is_none() {
            write(&changes(&self.latest, &snapshot));
        }
        self.latest = snapshot;
        self.frame_at = self.frame_at.min(Instant::now() + FRAME);
    }

    /// Draws the table. It is drawn again soon even when nothing changes: the window may have another size by then.
    fn draw(&mut self) {
        let now = Instant::now();
        self.frame_at = now + REDRAW;
        if let Some(screen) = &mut self.screen {
            let mut table = String::new();
            write_table(&self.latest, &mut table);
            screen.draw(&table, screen::size(), now);
        }
    }

    fn leave(&mut self) {
        if let Some(mut screen) = self.screen.take() {
            screen.leave();
            write(&std::mem::take(&mut self.kept));
        }
    }
}

fn write(lines: &[String]) {
    let mut text = lines.join("\n");
    if !lines.is_empty() {
        text.push('\n');
        let mut stderr = std::io::stderr().lock();
        // There is nowhere to report that standard error cannot be written.
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// A line for each series that is new, different or gone, in the order of metrics and attributes. Compares the tables
/// themselves, so that nothing is missed where snapshots were.
fn changes(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut lines = vec![];
    let shared = shared_names([before, after]);
    let naming = |table: &'_ Arc<MetricTable>| {
        let name = table.info.name.clone();
        let behind = match shared.contains(name.as_str()) {
            true => format!(" ({})", table.info.source),
            false => String::new(),
        };
        Naming { name, behind }
    };
    for (id, table) in &after.metrics {
        match before.metrics.get(id) {
            Some(old) if Arc::ptr_eq(old, table) => {}
            Some(old) => compare(&renamed(old, table), table, &naming(table), &mut lines),
            None => compare(&emptied(table), table, &naming(table), &mut lines),
        }
    }
    for (_, table) in before.metrics.iter().filter(|(id, _)| !after.metrics.contains_key(id)) {
        compare(table, &emptied(table), &naming(table), &mut lines);
    }
    lines
}

/// How the lines of a metric name it.
struct Naming {
    name: String,
    /// The declaring object in parentheses, where the name alone does not tell.
    behind: String,
}

/// The names that several metrics have.
fn shared_names(snapshots: [&Snapshot; 2]) -> BTreeSet<&str> {
    let mut sources: BTreeMap<&str, &str> = BTreeMap::new();
    let mut shared = BTreeSet::new();
    for info in snapshots.iter().flat_map(|snapshot| snapshot.metrics.values()).map(|table| &table.info) {
        if *sources.entry(&info.name).or_insert(&info.source) != info.source {
            shared.insert(info.name.as_str());
        }
    }
    shared
}

/// The series of `table` under the names of `other`, as whoever reads lines knows them by attributes alone.
fn renamed(table: &MetricTable, other: &MetricTable) -> MetricTable {
    let mut renamed = table.clone();
    (renamed.info, renamed.shape) = (Arc::clone(&other.info), other.shape);
    renamed
}

fn emptied(table: &MetricTable) -> MetricTable {
    MetricTable::new(Arc::clone(&table.info), table.shape)
}

fn compare(before: &MetricTable, after: &MetricTable, naming: &Naming, lines: &mut Vec<String>) {
    let Naming { name, behind } = naming;
    let difference = after.difference(before);
    let changed = difference.changed.iter().filter_map(|changed| {
        let was = changed.was.and_then(|slot| before.get(slot));
        // A series that only stands elsewhere has nothing new to say.
        after.get(changed.slot).filter(|series| was.is_none_or(|was| was.number != series.number))
    });
    let mut changed: Vec<_> = changed.collect();
    changed.sort_unstable_by(|one, other| one.attributes.cmp(other.attributes));
    for series in changed {
        lines.push(format!("{name}{} {}{behind}", braces(series.attributes), series.number));
    }
    for series in &difference.vanished {
        lines.push(format!("{name}{} gone{behind}", braces(&series.attributes)));
    }
}

fn braces(attributes: &Attributes) -> String {
    let pairs: Vec<String> = attributes.iter().map(|(name, text)| format!("{name}={text:?}")).collect();
    if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use celemetry_engine::snapshot::{MetricId, MetricShape, Number};

    fn snapshot(series: &[(&str, i64)]) -> Snapshot {
        let info = celemetry_engine::definition::MetricInfo { name: "pods".into(), ..Default::default() };
        let mut table = MetricTable::new(Arc::new(info), MetricShape::CountOfObjects);
        for (slot, (phase, n)) in series.iter().enumerate() {
            let attributes = match *phase {
                "" => Attributes::default(),
                phase => Attributes::new([("phase".into(), phase.into())]),
            };
            table.insert(slot as u32, Arc::new(attributes), Number::Integer(*n));
        }
        Snapshot { metrics: [(MetricId(1), Arc::new(table))].into(), ..Snapshot::default() }
    }

    fn check(before: &Snapshot, after: &Snapshot, expected: &[&str]) {
        assert_eq!(changes(before, after), expected);
    }

    #[test]
    fn every_series_that_changed_is_one_line() {
        let none = Snapshot::default();
        check(&none, &none, &[]);
        check(&none, &snapshot(&[("", 0)]), &["pods 0"]);
        check(&none, &snapshot(&[("Running", 2)]), &["pods{phase=\"Running\"} 2"]);
        check(&snapshot(&[("Running", 2)]), &snapshot(&[("Running", 2)]), &[]);
        check(
            &snapshot(&[("Pending", 1), ("Running", 2)]),
            &snapshot(&[("Failed", 1), ("Running", 3)]),
            &["pods{phase=\"Failed\"} 1", "pods{phase=\"Running\"} 3", "pods{phase=\"Pending\"} gone"],
        );
        check(&snapshot(&[("Running", 2)]), &none, &["pods{phase=\"Running\"} gone"]);
        // Elsewhere in the table, which is told by attributes.
        check(
            &snapshot(&[("Pending", 1), ("Running", 2)]),
            &snapshot(&[("Running", 2), ("Pending", 3)]),
            &["pods{phase=\"Pending\"} 3"],
        );
    }

    #[test]
    fn another_description_changes_no_series() {
        let before = snapshot(&[("Failed", 1), ("Running", 2)]);
        let mut after = snapshot(&[("Failed", 1), ("Running", 3)]);
        let table = after.metrics.values_mut().next().map(Arc::make_mut).unwrap();
        Arc::make_mut(&mut table.info).description = "of all namespaces".into();
        check(&before, &after, &["pods{phase=\"Running\"} 3"]);
    }

    #[test]
    fn a_name_that_several_metrics_have_is_followed_by_the_source() {
        let of = |source: &str| {
            let (name, source) = ("pods".to_owned(), source.to_owned());
            let info = celemetry_engine::definition::MetricInfo { name, source, ..Default::default() };
            let mut table = MetricTable::new(Arc::new(info), MetricShape::CountOfObjects);
            table.insert(0, Arc::new(Attributes::default()), Number::Integer(1));
            Arc::new(table)
        };
        let metrics = [(MetricId(1), of("Metric/a/x")), (MetricId(2), of("Metric/b/x"))].into();
        let both = Snapshot { metrics, ..Snapshot::default() };
        check(&Snapshot::default(), &both, &["pods 1 (Metric/a/x)", "pods 1 (Metric/b/x)"]);
        check(&both, &Snapshot::default(), &["pods gone (Metric/a/x)", "pods gone (Metric/b/x)"]);
    }

    #[test]
    fn a_hostile_attribute_cannot_leave_its_line() {
        let hostile = snapshot(&[("\u{1b}[2J\n", 1)]);
        check(&Snapshot::default(), &hostile, &["pods{phase=\"\\u{1b}[2J\\n\"} 1"]);
    }
}
