//! Decodes the planned fields of one JSON object in one pass over its bytes.
//!
//! In: the raw bytes of an object and the field plan of its source. Out: a [`Row`]. Must never know: plans, series.

use std::sync::Arc;

use super::cursor::Cursor;
use super::fault::{DecodeError, Fault, Reason};
use super::identity::Sightings;
use super::projection::{Part, Projection, Role, TargetId};
use super::skip::MAX_DEPTH;
use super::string::Quoted;
use super::tape::Tape;
use super::{FieldPlan, HashSeed, Identity, Kind, NodeKey, ObjectKey, Row, digest};

/// What an object that does not say it itself is taken to be: items of a LIST of built-in kinds carry neither
/// `kind` nor `apiVersion`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults<'a> {
    /// `apiVersion` of an object without one.
    pub api_version: Option<&'a str>,
    /// `kind` of an object without one.
    pub kind: Option<&'a str>,
    /// `metadata.namespace` of an object that has metadata without one.
    pub namespace: Option<&'a str>,
}

/// Turns objects of one source into rows. Keeps its buffers between objects.
///
/// What it refuses, beyond what is no JSON: a root that is no object, a nesting of more than 127, lone surrogates,
/// and objects of more than 1 GiB. What it lets pass: numbers that no plan reads need only consist of the
/// characters of numbers.
#[derive(Debug)]
pub struct Decoder {
    epoch: u32,
    seed: HashSeed,
    projection: Projection,
    /// What is read where only the identity is wanted.
    bare: Projection,
    tape: Tape,
}

/// The longest object, in bytes. A row's text holds every byte of its object at most twice and is addressed with
/// 32 bits.
const MAX_BYTES: usize = 1 << 30;

/// One pass over one object.
struct Pass<'p, 'd> {
    text: &'d str,
    cursor: Cursor<'d>,
    defaults: Defaults<'d>,
    projection: &'p Projection,
    tape: &'p mut Tape,
    sightings: Sightings,
    /// Whether what nests too deeply is passed over, rather than an error.
    lenient: bool,
}

// === impl Decoder ===

impl Decoder {
    /// A decoder for the given plan, as it is now.
    #[allow(clippy::needless_pass_by_value)]
    pub fn new(plan: Arc<FieldPlan>) -> Self {
        Decoder {
            epoch: plan.epoch(),
            seed: plan.seed(),
            projection: Projection::new(&plan),
            bare: Projection::new(&FieldPlan::new(plan.seed())),
            tape: Tape::default(),
        }
    }

    /// Decodes the single JSON object that `object` holds.
    ///
    /// # Errors
    /// Where the bytes are not one JSON object in UTF-8, or nested too deeply.
    pub fn decode(&mut self, object: &[u8], defaults: Defaults<'_>) -> Result<Row, DecodeError> {
        let text = checked_text(object, &defaults)?;
        let mut pass = Pass::new(text, defaults, &self.projection, &mut self.tape);
        pass.document()?;
        let sightings = pass.sightings;
        let kept = self.tape.text.len();
        let digest = digest::row(self.seed, &self.tape, kept);
        let identity = sightings.collect(text, &defaults, &mut self.tape);
        let raw_labels = &object[sightings.labels];
        Ok(Row {
            key: identity.key(self.seed, &self.tape),
            epoch: self.epoch,
            labels: digest::labels(self.seed, self.tape.slice(identity.namespace), raw_labels),
            digest,
            identity,
            nodes: self.tape.nodes.as_slice().into(),
            text: self.tape.text.as_str().into(),
            slots: self.tape.slots(&self.projection),
        })
    }

    /// The key that [`decode`](Self::decode) would give the object; for objects that are gone.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), except that the grammar of no number is checked.
    pub fn identify(&mut self, object: &[u8], defaults: Defaults<'_>) -> Result<ObjectKey, DecodeError> {
        let text = checked_text(object, &defaults)?;
        let mut pass = Pass::new(text, defaults, &self.bare, &mut self.tape);
        pass.document()?;
        let sightings = pass.sightings;
        let identity = sightings.collect(text, &defaults, &mut self.tape);
        Ok(identity.key(self.seed, &self.tape))
    }

    /// The key of an object that cannot be decoded, if it stands before the place where the object is broken. Too deep a
    /// nesting is no such place, as long as it lies outside what names the object.
    pub fn identify_broken(&mut self, object: &[u8], defaults: Defaults<'_>) -> Option<ObjectKey> {
        let whole = object.utf8_chunks().next()?.valid();
        let text = checked_text(whole.as_bytes(), &defaults).ok()?;
        let mut pass = Pass::new(text, defaults, &self.bare, &mut self.tape);
        pass.lenient = true;
        // An error is what is expected here; what was met before it counts.
        let _ = pass.document();
        let sightings = pass.sightings;
        let identity: Identity = sightings.collect(text, &defaults, &mut self.tape);
        sightings.suffices(&identity).then(|| identity.key(self.seed, &self.tape))
    }
}

/// The object as text, if it is UTF-8 and its texts can be addressed.
pub(super) fn checked_text<'d>(object: &'d [u8], defaults: &Defaults<'_>) -> Result<&'d str, DecodeError> {
    let defaults = [defaults.api_version, defaults.kind, defaults.namespace];
    let added: usize = defaults.into_iter().flatten().map(str::len).sum();
    if object.len().saturating_add(added) > MAX_BYTES {
        return Err(Fault::new(object, 0, Reason::Long).into());
    }
    std::str::from_utf8(object).map_err(|error| Fault::new(object, error.valid_up_to(), Reason::Utf8).into())
}

// === impl Pass ===

impl<'p, 'd> Pass<'p, 'd> {
    fn new(text: &'d str, defaults: Defaults<'d>, projection: &'p Projection, tape: &'p mut Tape) -> Self {
        tape.reset(projection);
        let cursor = Cursor::new(text.as_bytes());
        Pass { text, cursor, defaults, projection, tape, sightings: Sightings::default(), lenient: false }
    }

    /// Reads the whole input, which is one object.
    fn document(&mut self) -> Result<(), Fault> {
        if self.cursor.token() != b'{' {
            return self.cursor.fail(Reason::Object);
        }
        self.value(Some(TargetId::ROOT), NodeKey::None, false, MAX_DEPTH)?;
        self.cursor.finish()
    }

    /// Reads the value that begins here onto the tape. `keep`: it lies in a subtree that is kept whole. `room`: how
    /// many containers may still be opened, which also bounds the recursion.
    fn value(&mut self, target: Option<TargetId>, key: NodeKey, keep: bool, room: u32) -> Result<(), Fault> {
        let (tree, scalar) = target.map_or((false, false), |id| self.projection.target(id).kept());
        let (tree, keep) = (keep || tree, keep || scalar);
        match self.cursor.token() {
            b'{' => self.map(target, key, tree, room),
            b'[' => self.list(target, key, tree, room),
            b'"' => {
                let node = self.tape.open(target, key, Kind::String, keep);
                let quoted = self.cursor.string()?;
                if keep {
                    let start = self.tape.text.len();
                    quoted.append_to(&mut self.tape.text, self.text);
                    self.tape.nodes[node as usize].span = self.tape.since(start);
                }
                Ok(())
            }
            b'-' | b'0'..=b'9' => {
                let start = self.cursor.at;
                if keep {
                    self.cursor.number()?;
                } else {
                    self.cursor.skip(room)?;
                }
                self.scalar(target, key, Kind::Number, keep, start);
                Ok(())
            }
            b't' => self.literal(target, key, Kind::Bool, keep, "true"),
            b'f' => self.literal(target, key, Kind::Bool, keep, "false"),
            b'n' => self.literal(target, key, Kind::Null, keep, "null"),
            _ => self.cursor.fail(Reason::Value),
        }
    }

    fn literal(
        &mut self,
        target: Option<TargetId>,
        key: NodeKey,
        kind: Kind,
        keep: bool,
        word: &'static str,
    ) -> Result<(), Fault> {
        let start = self.cursor.at;
        self.cursor.literal(word)?;
        self.scalar(target, key, kind, keep, start);
        Ok(())
    }

    /// Adds the scalar that began at `start` and ends here. Of `null` the kind says everything.
    fn scalar(&mut self, target: Option<TargetId>, key: NodeKey, kind: Kind, keep: bool, start: usize) {
        let node = self.tape.open(target, key, kind, keep);
        if keep && kind != Kind::Null {
            self.tape.nodes[node as usize].span = self.tape.push(&self.text[start..self.cursor.at]);
        }
    }

    fn list(&mut self, target: Option<TargetId>, key: NodeKey, keep: bool, room: u32) -> Result<(), Fault> {
        let each = target.and_then(|id| self.projection.target(id).each);
        let whole = keep || each.is_some();
        let node = self.tape.open(target, key, Kind::List, whole);
        if !whole {
            return self.cursor.skip(room);
        }
        let room = self.enter(room)?;
        let mut len = 0;
        let mut more = self.cursor.first_element()?;
        while more {
            self.value(each, NodeKey::None, keep, room)?;
            len += 1;
            more = self.cursor.next_element()?;
        }
        self.tape.close(node, len);
        Ok(())
    }

    fn map(&mut self, target: Option<TargetId>, key: NodeKey, keep: bool, room: u32) -> Result<(), Fault> {
        let whole = keep || target.is_some_and(|id| self.projection.target(id).each.is_some());
        let node = self.tape.open(target, key, Kind::Map, whole);
        let len = if whole {
            let room = self.enter(room)?;
            self.whole_members(node, target, room)?
        } else {
            match target.filter(|id| !self.projection.target(*id).members.is_empty()) {
                Some(id) => {
                    let room = self.enter(room)?;
                    self.planned_members(node, id, room)?
                }
                None => {
                    self.cursor.skip(room)?;
                    0
                }
            }
        };
        let added = target.map_or(0, |id| self.add_defaults(id, whole));
        self.tape.close(node, len + added);
        Ok(())
    }

    /// Takes one off the nesting that is still allowed.
    fn enter(&self, room: u32) -> Result<u32, Fault> {
        match room.checked_sub(1) {
            Some(room) => Ok(room),
            None => self.cursor.fail(Reason::Depth),
        }
    }

    /// Reads every member of the map that begins here. Gives how many there are, duplicates once.
    fn whole_members(&mut self, map: u32, target: Option<TargetId>, room: u32) -> Result<u32, Fault> {
        let (mut len, mut ascending, mut previous) = (0, true, None);
        let mut member = self.cursor.first_member()?;
        while let Some(quoted) = member {
            let start = self.tape.text.len();
            quoted.append_to(&mut self.tape.text, self.text);
            let name = self.tape.since(start);
            let text = self.tape.slice(name);
            // API servers write the keys of maps in order, in which case there can be no duplicate.
            ascending = ascending && previous.is_none_or(|previous| self.tape.slice(previous) < text);
            previous = Some(name);
            let found = target.and_then(|id| self.projection.target(id).members.find(text.as_bytes()));
            self.member(found, NodeKey::Name(name), true, room)?;
            len += 1;
            member = self.cursor.next_member()?;
        }
        Ok(if ascending { len } else { self.tape.drop_duplicates(map) })
    }

    /// Reads the planned members of the map that begins here and skips the others. Gives how many are there.
    fn planned_members(&mut self, map: u32, target: TargetId, room: u32) -> Result<u32, Fault> {
        let mut len = 0;
        let mut member = self.cursor.first_member()?;
        while let Some(quoted) = member {
            match self.find(target, quoted) {
                Some(id) if self.projection.target(id).planned => {
                    match self.tape.met(id, map) {
                        Some(earlier) => self.tape.replace(earlier),
                        None => len += 1,
                    }
                    self.member(Some(id), NodeKey::Field(id.field()), false, room)?;
                }
                Some(id) => self.sight(id, room)?,
                None => self.pass_over(room)?,
            }
            member = self.cursor.next_member()?;
        }
        Ok(len)
    }

    /// The target of the member with the name at `quoted`.
    #[inline]
    fn find(&self, map: TargetId, quoted: Quoted) -> Option<TargetId> {
        let members = &self.projection.target(map).members;
        if quoted.escaped {
            let mut name = String::new();
            quoted.append_to(&mut name, self.text);
            return members.find(name.as_bytes());
        }
        members.find(&self.cursor.bytes[quoted.start..quoted.end])
    }

    /// Reads the value of a member onto the tape.
    fn member(&mut self, target: Option<TargetId>, key: NodeKey, keep: bool, room: u32) -> Result<(), Fault> {
        let role = target.map_or(Role::Plain, |id| self.projection.target(id).role);
        if role == Role::Plain {
            return self.value(target, key, keep, room);
        }
        let first = self.cursor.token();
        self.sightings.begin(role, first, self.cursor.at);
        self.value(target, key, keep, room)?;
        self.sightings.end(role, self.cursor.at);
        Ok(())
    }

    /// Steps over a member that neither a plan nor the identity reads.
    fn pass_over(&mut self, room: u32) -> Result<(), Fault> {
        match self.cursor.skip(room) {
            Err(fault) if self.lenient && fault.is_depth() => self.cursor.skip_nested(),
            passed => passed,
        }
    }

    /// Notes what the identity takes from a member that no plan reads.
    fn sight(&mut self, id: TargetId, room: u32) -> Result<(), Fault> {
        let target = self.projection.target(id);
        let first = self.cursor.token();
        self.sightings.begin(target.role, first, self.cursor.at);
        if first == b'{' && !target.members.is_empty() {
            let room = self.enter(room)?;
            let mut member = self.cursor.first_member()?;
            while let Some(quoted) = member {
                match self.find(id, quoted) {
                    Some(id) => self.sight(id, room)?,
                    None => self.pass_over(room)?,
                }
                member = self.cursor.next_member()?;
            }
        } else {
            self.pass_over(room)?;
        }
        self.sightings.end(target.role, self.cursor.at);
        Ok(())
    }

    /// Adds what the object lacks and the defaults have to the map that is about to be closed. Gives how many
    /// members that was.
    fn add_defaults(&mut self, map: TargetId, whole: bool) -> u32 {
        let parts: &[(&str, Part)] = match self.projection.target(map).role {
            Role::Root => &[("apiVersion", Part::ApiVersion), ("kind", Part::Kind)],
            Role::Metadata => &[("namespace", Part::Namespace)],
            _ => return 0,
        };
        let mut added = 0;
        for (name, part) in parts {
            if let Some(default) = self.sightings.missing(*part, &self.defaults) {
                added += self.add_default(map, whole, name, default);
            }
        }
        added
    }

    fn add_default(&mut self, map: TargetId, whole: bool, name: &str, text: &str) -> u32 {
        let id = self.projection.target(map).members.find(name.as_bytes());
        let planned = id.filter(|id| self.projection.target(*id).planned);
        let keep = whole || planned.is_some_and(|id| self.projection.target(id).kept().1);
        let key = match planned {
            _ if whole => NodeKey::Name(self.tape.push(name)),
            Some(id) => NodeKey::Field(id.field()),
            None => return 0,
        };
        let node = self.tape.open(id, key, Kind::String, keep);
        if keep {
            self.tape.nodes[node as usize].span = self.tape.push(text);
        }
        1
    }
}
