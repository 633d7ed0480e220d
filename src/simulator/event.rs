//! What the simulated API server says.
//!
//! In: bodies of objects. Out: the JSON of watch events, bookmarks and pages of lists. Must never know: how objects
//! change.

use std::fmt::Write;

use super::state::Kind;

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// To an object of which kind.
    pub kind: Kind,
    /// The resourceVersion that the object has by it.
    pub version: u64,
    /// The object's namespace; empty where there is none.
    pub namespace: String,
    /// The object's name; empty in a bookmark.
    pub name: String,
    /// The object without its kind and apiVersion: from `"metadata":` to the end.
    pub body: String,
}

/// What can happen to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Added,
    /// It is another.
    Modified,
    /// It is gone; the event shows how it was last.
    Deleted,
    /// Nothing, but the watcher has seen everything up to here.
    Bookmark,
}

// === impl Event ===

impl Event {
    /// Appends the event as a line of the watch protocol.
    pub fn write(&self, out: &mut String) {
        let action = match self.action {
            Action::Added => "ADDED",
            Action::Modified => "MODIFIED",
            Action::Deleted => "DELETED",
            Action::Bookmark => "BOOKMARK",
        };
        put(out, format_args!(r#"{{"type":"{action}","object":"#));
        object(self.kind, &self.body, out);
        out.push_str("}\n");
    }

    /// A bookmark. The one that ends the initial events of a streaming list says so.
    pub fn bookmark(kind: Kind, version: u64, ends_the_list: bool) -> Self {
        let annotations = match ends_the_list {
            true => r#","annotations":{"k8s.io/initial-events-end":"true"}"#,
            false => "",
        };
        let body = format!(r#""metadata":{{"resourceVersion":"{version}"{annotations}}}}}"#);
        let (namespace, name) = (String::new(), String::new());
        Event { action: Action::Bookmark, kind, version, namespace, name, body }
    }
}

/// Appends an object as a watch and a GET show it.
pub fn object(kind: Kind, body: &str, out: &mut String) {
    put(out, format_args!(r#"{{"kind":"{}","apiVersion":"{}",{body}"#, kind.name(), kind.api_version()));
}

/// How a list goes on behind a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// By which token the next page is asked for.
    pub token: String,
    /// How many objects are still to come, where that is known.
    pub remaining: Option<usize>,
}

/// Appends a page of a list, as of `version`. Items of built-in kinds stand there without kind and apiVersion, as from an
/// API server.
pub fn list(kind: Kind, version: u64, bodies: &[String], next: Option<&Next>, out: &mut String) {
    let (name, api_version) = (kind.name(), kind.api_version());
    put(out, format_args!(r#"{{"kind":"{name}List","apiVersion":"{api_version}","#));
    list_metadata(version, next, out);
    out.push_str(r#","items":["#);
    for (at, body) in bodies.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match kind {
            Kind::Database => object(kind, body, out),
            _ => put(out, format_args!("{{{body}")),
        }
    }
    out.push_str("]}\n");
}

/// Appends what a list says of itself.
pub fn list_metadata(version: u64, next: Option<&Next>, out: &mut String) {
    put(out, format_args!(r#""metadata":{{"resourceVersion":"{version}""#));
    if let Some(Next { token, remaining }) = next {
        put(out, format_args!(r#","continue":"{token}""#));
        if let Some(remaining) = remaining {
            put(out, format_args!(r#","remainingItemCount":{remaining}"#));
        }
    }
    out.push('}');
}

/// Appends formatted text.
pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a String cannot fail");
}
