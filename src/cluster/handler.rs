//! ResourceEventHandler: raw objects and watch events become changes.
//!
//! In: the bytes of a list's item or of a watch event, the field plan of their source. Out: changes, with the position
//! in history that they prove. Must never know: connections, channels, metrics.

use std::sync::Arc;

use celemetry_engine::change::{Change, Origin};
use celemetry_engine::row::{DecodeError, Decoder, Defaults, Envelope, Event, FieldPlan, ObjectKey, Row};

use super::broken::Broken;
use super::fault::{Fault, FaultClass};
use super::resource::Resource;

/// Decodes the objects of one source.
#[derive(Debug)]
pub(super) struct ResourceEventHandler {
    decoder: Decoder,
    api_version: String,
    kind: String,
    broken: Broken,
}

/// What a watch event says.
#[derive(Debug)]
pub(super) enum Told {
    /// An object changed; the position after that, if it could be read.
    Change(Change, Option<String>),
    /// Nothing, except how far the watch has come.
    Position(String),
    /// The watch is over.
    Failed(Fault),
    /// Nothing.
    Nothing,
}

// === impl ResourceEventHandler ===

impl ResourceEventHandler {
    pub(super) fn new(resource: &Resource, plan: Arc<FieldPlan>) -> Self {
        ResourceEventHandler {
            decoder: Decoder::new(plan),
            api_version: resource.api_version(),
            kind: resource.kind.clone(),
            broken: Broken::default(),
        }
    }

    /// From now on objects are decoded with another plan.
    pub(super) fn set_plan(&mut self, plan: Arc<FieldPlan>) {
        self.decoder = Decoder::new(plan);
    }

    /// A list begins that will show every object.
    pub(super) fn list_begins(&mut self) {
        self.broken.list_begins();
    }

    /// The list has shown every object that the watch has not.
    pub(super) fn list_ends(&mut self) {
        self.broken.list_ends();
    }

    /// Objects that cannot be decoded as they are now.
    pub(super) fn undecodable(&self) -> usize {
        self.broken.count()
    }

    /// An item of a list. Items of a list of built-in kinds do not say what they are, so that is added.
    pub(super) fn item(&mut self, item: &[u8], origin: Origin) -> Change {
        match self.decode(item) {
            Ok(row) => Change::Upsert { row, origin },
            Err(_) => self.broken(item),
        }
    }

    /// An object that is looked at again: nothing of it is remembered.
    pub(super) fn read(&mut self, object: &[u8]) -> Result<Row, DecodeError> {
        let defaults =
            Defaults { api_version: Some(&self.api_version), kind: Some(&self.kind), namespace: None };
        self.decoder.decode(object, defaults)
    }

    /// A watch event.
    pub(super) fn event(&mut self, event: &[u8]) -> Told {
        let Ok(envelope) = Envelope::split_unchecked(event) else {
            return Told::Failed(Fault::new(FaultClass::Malformed, "the watch sends what is no watch event"));
        };
        match envelope.event {
            Event::Added | Event::Modified => match self.decode(envelope.object) {
                Ok(row) => {
                    let position = row.resource_version().to_owned();
                    Told::Change(Change::Upsert { row, origin: Origin::Watch }, Some(position))
                }
                Err(_) => Told::Change(self.broken(envelope.object), None),
            },
            Event::Deleted => match self.decode(envelope.object) {
                Ok(row) => {
                    let position = row.resource_version().to_owned();
                    Told::Change(Change::Delete { key: row.key() }, Some(position))
                }
                Err(_) => match self.identify_broken(envelope.object) {
                    Some(key) => {
                        self.broken.mended(key);
                        Told::Change(Change::Delete { key }, None)
                    }
                    None => Told::Change(Change::Undecodable { key: None }, None),
                },
            },
            Event::Bookmark => match self.decode(envelope.object) {
                Ok(row) if !row.resource_version().is_empty() => {
                    Told::Position(row.resource_version().to_owned())
                }
                _ => Told::Nothing,
            },
            Event::Error => Told::Failed(Fault::of_event(envelope.object)),
            Event::Unknown => Told::Nothing,
        }
    }

    fn decode(&mut self, object: &[u8]) -> Result<Row, DecodeError> {
        let row = self.read(object)?;
        self.broken.mended(row.key());
        Ok(row)
    }

    /// An object that cannot be read may still tell which one it is.
    fn broken(&mut self, object: &[u8]) -> Change {
        let key = self.identify_broken(object);
        self.broken.broke(key);
        Change::Undecodable { key }
    }

    fn identify_broken(&mut self, object: &[u8]) -> Option<ObjectKey> {
        let defaults =
            Defaults { api_version: Some(&self.api_version), kind: Some(&self.kind), namespace: None };
        self.decoder.identify_broken(object, defaults)
    }
}

#[cfg(test)]
mod tests {
    use celemetry_engine::row::HashSeed;

    use super::*;

    fn handler() -> ResourceEventHandler {
        let resource = Resource {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            plural: "deployments".into(),
            namespaced: true,
            watchable: true,
        };
        ResourceEventHandler::new(&resource, Arc::new(FieldPlan::new(HashSeed::default())))
    }

    /// `+name@position`, `-@position`, `?`, `@position`, `! class`, `.`
    fn short(told: &Told) -> String {
        let at =
            |position: &Option<String>| position.as_deref().map(|at| format!("@{at}")).unwrap_or_default();
        match told {
            Told::Change(Change::Upsert { row, .. }, position) => format!("+{}{}", row.label(), at(position)),
            Told::Change(Change::Delete { .. }, position) => format!("-{}", at(position)),
            Told::Change(Change::Undecodable { key }, _) => format!("?{}", key.is_some()),
            Told::Change(other, _) => format!("{other:?}"),
            Told::Position(position) => format!("@{position}"),
            Told::Failed(fault) => format!("! {:?}", fault.class),
            Told::Nothing => ".".into(),
        }
    }

    fn check(event: &str, expected: &str) {
        assert_eq!(short(&handler().event(event.as_bytes())), expected, "{event}");
    }

    #[test]
    fn events_become_changes_and_positions() {
        let object = r#"{"metadata":{"name":"a","namespace":"n","uid":"1","resourceVersion":"7"}}"#;
        let event = |kind: &str| format!(r#"{{"type":"{kind}","object":{object}}}"#);
        check(&event("ADDED"), "+apps/v1/Deployment/n/a@7");
        check(&event("MODIFIED"), "+apps/v1/Deployment/n/a@7");
        check(&event("DELETED"), "-@7");
        check(&event("BOOKMARK"), "@7");
        check(&event("NOVEL"), ".");
        check(r#"{"type":"BOOKMARK","object":{}}"#, ".");
        check(r#"{"type":"ERROR","object":{"code":410,"reason":"Expired"}}"#, "! Expired");
        check("[]", "! Malformed");
    }

    #[test]
    fn an_object_that_cannot_be_read_is_known_by_its_uid_and_counted() {
        let mut handler = handler();
        let deep = "[".repeat(200) + &"]".repeat(200);
        let object = format!(r#"{{"metadata":{{"uid":"1"}},"spec":{deep}}}"#);
        let event = |kind: &str| format!(r#"{{"type":"{kind}","object":{object}}}"#);
        assert_eq!(short(&handler.event(event("MODIFIED").as_bytes())), "?true");
        assert_eq!(handler.undecodable(), 1);
        assert_eq!(short(&handler.event(event("DELETED").as_bytes())), "-");
        assert_eq!(handler.undecodable(), 0);
        assert!(matches!(handler.item(b"{", Origin::List), Change::Undecodable { key: None }));
        assert_eq!(handler.undecodable(), 1);
    }

    #[test]
    fn an_object_that_can_be_read_again_is_counted_no_more() {
        let mut handler = handler();
        let deep = "[".repeat(200) + &"]".repeat(200);
        let event = |spec: &str| {
            format!(r#"{{"type":"MODIFIED","object":{{"metadata":{{"uid":"1"}},"spec":{spec}}}}}"#)
        };
        handler.event(event(&deep).as_bytes());
        handler.event(event(&deep).as_bytes());
        assert_eq!(handler.undecodable(), 1);
        handler.event(event("{}").as_bytes());
        assert_eq!(handler.undecodable(), 0);
    }
}
