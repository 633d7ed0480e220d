//! Takes a watch event apart: `{"type": "ADDED", "object": {…}}`.
//!
//! In: the bytes of one event. Out: what happened, and the bytes of the object. Must never know: kinds, rows.
//! The format is `WatchEvent` of Kubernetes' API conventions, "Efficient detection of changes".

use super::cursor::Cursor;
use super::fault::{DecodeError, Fault, Reason};
use super::string::Quoted;

/// One watch event.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'e> {
    /// What happened.
    pub event: Event,
    /// The bytes of the object it happened to: one JSON value.
    pub object: &'e [u8],
}

/// What a watch event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The object is there, and the watcher has not seen it before.
    Added,
    /// The object has changed.
    Modified,
    /// The object is gone; this is its last state.
    Deleted,
    /// No object: `metadata.resourceVersion` tells how far the watch has come.
    Bookmark,
    /// No object but a Status: the watch has failed.
    Error,
    /// Anything else, which a reader should ignore.
    Unknown,
}

// === impl Envelope ===

impl std::fmt::Debug for Envelope<'_> {
    /// Never the object: object bodies do not reach logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} of {} bytes", self.event, self.object.len())
    }
}

impl<'e> Envelope<'e> {
    /// Takes `event` apart. Members may stand in any order, others are ignored, and of duplicates the last counts.
    /// The object has been skipped, not read: what is wrong with its numbers or its UTF-8 shows when it is decoded.
    ///
    /// # Errors
    /// Where the bytes are not one JSON object with a string `type` and an `object`.
    pub fn split(event: &'e [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(event);
        let mut parts = (None, None);
        if cursor.token() != b'{' {
            cursor.fail(Reason::Object)?;
        }
        let mut member = cursor.first_member()?;
        while let Some(name) = member {
            read_member(&mut cursor, name, &mut parts)?;
            member = cursor.next_member()?;
        }
        cursor.finish()?;
        match parts {
            (Some(event), Some(object)) => Ok(Envelope { event, object }),
            (None, _) => Err(Fault::new(event, 0, Reason::Type).into()),
            (_, None) => Err(Fault::new(event, 0, Reason::NoObject).into()),
        }
    }

    /// As [`split`](Self::split), without a pass over the object where the event is spelled exactly as API servers do:
    /// `type`, then `object`, then nothing, without whitespace. The object is then whatever lies between, and only
    /// decoding it shows whether it is one JSON value; where it is not, `split` says why.
    ///
    /// # Errors
    /// As [`split`](Self::split), for events spelled otherwise.
    pub fn split_unchecked(event: &'e [u8]) -> Result<Self, DecodeError> {
        match event.trim_ascii_end().strip_prefix(b"{\"type\":\"").and_then(spelled_by_server) {
            Some(envelope) => Ok(envelope),
            None => Envelope::split(event),
        }
    }
}

fn spelled_by_server(rest: &[u8]) -> Option<Envelope<'_>> {
    // The longest type has eight letters.
    let end = rest.iter().take(9).position(|byte| *byte == b'"')?;
    // A type that is none may be no string at all: control characters, escapes, broken UTF-8.
    let event = Some(Event::named(&rest[..end])).filter(|event| *event != Event::Unknown)?;
    let object = rest[end..].strip_prefix(b"\",\"object\":")?.strip_suffix(b"}")?;
    (object.starts_with(b"{") && object.ends_with(b"}")).then_some(Envelope { event, object })
}

/// Reads the value of the member `name`, if it is one of the two.
fn read_member<'e>(
    cursor: &mut Cursor<'e>,
    name: Quoted,
    (event, object): &mut (Option<Event>, Option<&'e [u8]>),
) -> Result<(), Fault> {
    let first = cursor.token();
    let start = cursor.at;
    let name = name.resolved(cursor.bytes)?;
    cursor.frame()?;
    match &*name {
        "type" if first == b'"' => {
            let text = Cursor::starting_at(cursor.bytes, start).string()?.resolved(cursor.bytes)?;
            *event = Some(Event::named(text.as_bytes()));
        }
        "type" => *event = None,
        "object" => *object = Some(&cursor.bytes[start..cursor.at]),
        _ => {}
    }
    Ok(())
}

// === impl Event ===

impl Event {
    fn named(name: &[u8]) -> Self {
        match name {
            b"ADDED" => Event::Added,
            b"MODIFIED" => Event::Modified,
            b"DELETED" => Event::Deleted,
            b"BOOKMARK" => Event::Bookmark,
            b"ERROR" => Event::Error,
            _ => Event::Unknown,
        }
    }
}
