//! Takes a LIST apart into its items.
//!
//! In: the bytes of a List. Out: the bytes of each item, and what the list says of them. Must never know: rows.
//! The format is that of Kubernetes' API conventions, "Lists".

use super::cursor::Cursor;
use super::decode::Defaults;
use super::fault::{DecodeError, Fault, Reason};
use super::skip::MAX_DEPTH;
use super::string::Quoted;

/// A `List`, or an `XxxList` of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List<'l> {
    /// `apiVersion`; empty if there is none.
    pub api_version: String,
    /// `kind`; empty if there is none.
    pub kind: String,
    /// `metadata.resourceVersion`: where a watch goes on from here; empty if there is none.
    pub resource_version: String,
    /// `metadata.continue`: what to ask for the rest of the list with; empty at its end.
    pub go_on: String,
    /// The bytes of every item, each one JSON value.
    pub items: Vec<&'l [u8]>,
}

// === impl List ===

impl<'l> List<'l> {
    /// Takes `document` apart; of duplicate members the last counts, and `items: null` is an empty list, as Go
    /// writes it. Items have been skipped, not read: what is wrong with their numbers or UTF-8 shows when they are
    /// decoded. `None` if the document is an object without a list of items.
    ///
    /// # Errors
    /// Where the bytes are not one JSON object.
    pub fn split(document: &'l [u8]) -> Result<Option<Self>, DecodeError> {
        let mut cursor = Cursor::new(document);
        let mut list = List::default();
        let mut has_items = false;
        each_member(&mut cursor, |cursor, name| {
            match name {
                "apiVersion" => list.api_version = text(cursor)?,
                "kind" => list.kind = text(cursor)?,
                "metadata" => list.metadata(cursor)?,
                "items" => {
                    list.items.clear();
                    has_items = list.read_items(cursor)?;
                }
                _ => cursor.skip(MAX_DEPTH)?,
            }
            Ok(())
        })?;
        cursor.finish()?;
        Ok((has_items && list.kind.ends_with("List")).then_some(list))
    }

    /// What items that do not say it themselves are: of a `PodList` a `Pod`, in the list's `apiVersion`. Items of a
    /// plain `List` say it themselves.
    pub fn defaults(&self) -> Defaults<'_> {
        match self.kind.strip_suffix("List") {
            Some(kind) if !kind.is_empty() => Defaults {
                api_version: Some(&self.api_version).filter(|text| !text.is_empty()).map(String::as_str),
                kind: Some(kind),
                namespace: None,
            },
            _ => Defaults::default(),
        }
    }

    fn metadata(&mut self, cursor: &mut Cursor<'l>) -> Result<(), Fault> {
        self.resource_version.clear();
        self.go_on.clear();
        if cursor.token() != b'{' {
            return cursor.skip(MAX_DEPTH);
        }
        each_member(cursor, |cursor, name| {
            match name {
                "resourceVersion" => self.resource_version = text(cursor)?,
                "continue" => self.go_on = text(cursor)?,
                _ => cursor.skip(MAX_DEPTH)?,
            }
            Ok(())
        })
    }

    /// Reads the value of `items`; gives whether it is a list.
    fn read_items(&mut self, cursor: &mut Cursor<'l>) -> Result<bool, Fault> {
        match cursor.token() {
            b'[' => {}
            byte => {
                cursor.skip(MAX_DEPTH)?;
                return Ok(byte == b'n');
            }
        }
        let mut more = cursor.first_element()?;
        while more {
            cursor.token();
            let start = cursor.at;
            cursor.frame()?;
            self.items.push(&cursor.bytes[start..cursor.at]);
            more = cursor.next_element()?;
        }
        Ok(true)
    }
}

/// Calls `visit` with every member of the object that begins here; it must step over the value.
fn each_member<'l>(
    cursor: &mut Cursor<'l>,
    mut visit: impl FnMut(&mut Cursor<'l>, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    if cursor.token() != b'{' {
        return cursor.fail(Reason::Object);
    }
    let mut member = cursor.first_member()?;
    while let Some(name) = member {
        let name: std::borrow::Cow<'_, str> = Quoted::resolved(name, cursor.bytes)?;
        visit(cursor, &name)?;
        member = cursor.next_member()?;
    }
    Ok(())
}

/// Steps over a value and gives its text, if it is a string.
fn text(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    if cursor.token() == b'"' {
        return Ok(cursor.string()?.resolved(cursor.bytes)?.into_owned());
    }
    cursor.skip(MAX_DEPTH)?;
    Ok(String::new())
}
