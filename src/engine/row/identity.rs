//! What is always read of an object: who it is.
//!
//! In: where the decoder met the identity's places. Out: their texts and the object's key. Must never know: plans.

use std::ops::Range;

use super::cursor::Cursor;
use super::decode::Defaults;
use super::digest::object_key;
use super::projection::{Part, Role};
use super::tape::Tape;
use super::{HashSeed, Identity, ObjectKey, Span};

/// Where the identity's places were met in the object that is being decoded.
///
/// Invariant: a later duplicate has overwritten what an earlier one left.
#[derive(Clone, Debug, Default)]
pub(super) struct Sightings {
    parts: [Sighting; 6],
    /// The bytes of `metadata.labels`.
    pub(super) labels: Range<usize>,
    /// How far the reading of `metadata` has come.
    metadata: Progress,
}

/// What was met at one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sighting {
    /// Nothing.
    #[default]
    Absent,
    /// Something that is no string.
    Other,
    /// A string that begins here.
    String(usize),
}

/// See [`Sightings`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Progress {
    /// There is none, or it is no map.
    #[default]
    NoMap,
    /// It has begun.
    Begun,
    /// It is complete.
    Complete,
}

// === impl Sightings ===

impl Sightings {
    /// A place of the identity begins at `at` with the byte `first`.
    pub(super) fn begin(&mut self, role: Role, first: u8, at: usize) {
        match role {
            Role::Plain | Role::Root => {}
            Role::Labels => self.labels = at..at,
            Role::Metadata => {
                for part in [Part::Namespace, Part::Name, Part::Uid, Part::ResourceVersion] {
                    self.parts[part as usize] = Sighting::Absent;
                }
                self.labels = 0..0;
                self.metadata = if first == b'{' { Progress::Begun } else { Progress::NoMap };
            }
            Role::Text(part) => {
                self.parts[part as usize] =
                    if first == b'"' { Sighting::String(at) } else { Sighting::Other };
            }
        }
    }

    /// The place that has begun ends before `at`.
    pub(super) fn end(&mut self, role: Role, at: usize) {
        match role {
            Role::Labels => self.labels.end = at,
            Role::Metadata if self.metadata == Progress::Begun => self.metadata = Progress::Complete,
            _ => {}
        }
    }

    /// The default that stands in for `part`, where the object lacks it.
    pub(super) fn missing<'a>(&self, part: Part, defaults: &Defaults<'a>) -> Option<&'a str> {
        if self.parts[part as usize] != Sighting::Absent {
            return None;
        }
        match part {
            Part::ApiVersion => defaults.api_version,
            Part::Kind => defaults.kind,
            Part::Namespace if self.metadata != Progress::NoMap => defaults.namespace,
            _ => None,
        }
    }

    /// Copies the identity behind the texts on the tape.
    pub(super) fn collect(&self, text: &str, defaults: &Defaults<'_>, tape: &mut Tape) -> Identity {
        let mut cursor = Cursor::new(text.as_bytes());
        let mut part = |part| self.part(part, text, &mut cursor, defaults, tape);
        Identity {
            api_version: part(Part::ApiVersion),
            kind: part(Part::Kind),
            namespace: part(Part::Namespace),
            name: part(Part::Name),
            uid: part(Part::Uid),
            resource_version: part(Part::ResourceVersion),
        }
    }

    fn part(
        &self,
        part: Part,
        text: &str,
        cursor: &mut Cursor<'_>,
        defaults: &Defaults<'_>,
        tape: &mut Tape,
    ) -> Span {
        let start = tape.text.len();
        if let Sighting::String(at) = self.parts[part as usize] {
            // The string was checked when it was met, unless the object broke off in it.
            cursor.at = at;
            if let Ok(quoted) = cursor.string() {
                quoted.append_to(&mut tape.text, text);
            }
        } else if let Some(default) = self.missing(part, defaults) {
            tape.text.push_str(default);
        }
        tape.since(start)
    }

    /// Whether what was met names the object although the rest of it is broken: its UID, or all of its metadata
    /// without one.
    pub(super) fn suffices(&self, identity: &Identity) -> bool {
        identity.uid.len > 0
            || (self.metadata == Progress::Complete && identity.kind.len > 0 && identity.name.len > 0)
    }
}

// === impl Identity ===

impl Identity {
    /// The object's key.
    pub(super) fn key(&self, seed: HashSeed, tape: &Tape) -> ObjectKey {
        let [uid, kind, namespace, name] =
            [self.uid, self.kind, self.namespace, self.name].map(|span| tape.slice(span));
        object_key(seed, uid, kind, namespace, name)
    }
}
