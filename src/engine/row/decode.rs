//! Decodes the planned fields of one JSON object.
//!
//! In: the raw bytes of an object and the field plan of its source. Out: a [`Row`]. Must never know: plans, series.

use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

use super::{ABSENT, FieldId, FieldPlan, Identity, Kind, Node, NodeKey, ObjectKey, Row, Span};

/// Why bytes are no object that a row can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct DecodeError {
    /// Where the decoder stopped.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// What an object that does not say it itself is taken to be: items of a LIST of built-in kinds carry neither
/// `kind` nor `apiVersion`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Defaults<'a> {
    /// `apiVersion` of an object without one.
    pub api_version: Option<&'a str>,
    /// `kind` of an object without one.
    pub kind: Option<&'a str>,
    /// `metadata.namespace` of an object without one.
    pub namespace: Option<&'a str>,
}

/// Turns objects of one source into rows. Keeps its buffers between objects.
#[derive(Debug)]
pub struct Decoder {
    plan: Arc<FieldPlan>,
}

impl Decoder {
    /// A decoder for the given plan.
    pub fn new(plan: Arc<FieldPlan>) -> Self {
        Decoder { plan }
    }

    /// Decodes the single JSON object that `object` holds.
    ///
    /// # Errors
    /// Where the bytes are not one JSON object, or nested too deeply.
    pub fn decode(&mut self, object: &[u8], defaults: Defaults<'_>) -> Result<Row, DecodeError> {
        let value: serde_json::Value =
            serde_json::from_slice(object).map_err(|_| DecodeError { offset: 0, reason: "not JSON" })?;
        let mut build = Build {
            plan: &self.plan,
            nodes: vec![],
            text: String::new(),
            slots: vec![ABSENT; self.plan.len()],
        };
        let mut value = value;
        for (name, default) in [("apiVersion", defaults.api_version), ("kind", defaults.kind)] {
            if let (Some(text), Some(map)) = (default, value.as_object_mut()) {
                map.entry(name).or_insert_with(|| text.into());
            }
        }
        if let (Some(text), Some(map)) =
            (defaults.namespace, value.pointer_mut("/metadata").and_then(|m| m.as_object_mut()))
        {
            map.entry("namespace").or_insert_with(|| text.into());
        }
        build.value(&value, Some(FieldId::ROOT), NodeKey::None, false);
        let mut span = |pointer: &str| {
            let text = value.pointer(pointer).and_then(|v| v.as_str()).unwrap_or("");
            build.push(text)
        };
        let identity = Identity {
            api_version: span("/apiVersion"),
            kind: span("/kind"),
            namespace: span("/metadata/namespace"),
            name: span("/metadata/name"),
            uid: span("/metadata/uid"),
            resource_version: span("/metadata/resourceVersion"),
        };
        let get = |span: Span| &build.text[span.start as usize..][..span.len as usize];
        let seed = self.plan.seed();
        let hash = |parts: &[&str]| {
            let mut hasher = SipHasher13::new_with_keys(seed.0, seed.1);
            for part in parts {
                hasher.write_usize(part.len());
                hasher.write(part.as_bytes());
            }
            hasher.finish128().as_u128()
        };
        let key = if identity.uid.len > 0 {
            hash(&[get(identity.uid)])
        } else {
            hash(&[get(identity.kind), get(identity.namespace), get(identity.name)])
        };
        let labels = value.pointer("/metadata/labels").map(ToString::to_string).unwrap_or_default();
        let labels = hash(&[get(identity.namespace), &labels]);
        let digest = hash(&[&format!("{:?}", build.nodes), &build.text]);
        Ok(Row {
            key: ObjectKey(key),
            epoch: self.plan.epoch(),
            labels,
            digest,
            identity,
            nodes: build.nodes.into(),
            text: build.text.into(),
            slots: build.slots.into(),
        })
    }
}

struct Build<'p> {
    plan: &'p FieldPlan,
    nodes: Vec<Node>,
    text: String,
    slots: Vec<u32>,
}

impl Build<'_> {
    fn push(&mut self, text: &str) -> Span {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        Span { start, len: text.len() as u32 }
    }

    fn value(&mut self, value: &serde_json::Value, field: Option<FieldId>, key: NodeKey, keep: bool) {
        let index = self.nodes.len();
        let planned = field.map(|id| self.plan.field(id));
        let keep = keep || planned.is_some_and(|f| f.keeps > 0);
        if let Some(id) = field
            && !self.plan.field(id).repeated
        {
            self.slots[id.index()] = index as u32;
        }
        let mut node = Node { kind: Kind::Null, whole: keep, key, span: Span::default(), end: 0 };
        self.nodes.push(node);
        match value {
            serde_json::Value::Null => {}
            serde_json::Value::Bool(b) => {
                node.kind = Kind::Bool;
                if keep {
                    node.span = self.push(if *b { "true" } else { "false" });
                }
            }
            serde_json::Value::Number(n) => {
                node.kind = Kind::Number;
                if keep {
                    node.span = self.push(&n.to_string());
                }
            }
            serde_json::Value::String(s) => {
                node.kind = Kind::String;
                if keep {
                    node.span = self.push(s);
                }
            }
            serde_json::Value::Array(items) => {
                node.kind = Kind::List;
                let each = planned.and_then(|f| f.each);
                if keep || each.is_some() {
                    node.whole = true;
                    node.span.len = items.len() as u32;
                    for item in items {
                        self.value(item, each, NodeKey::None, keep);
                    }
                }
            }
            serde_json::Value::Object(members) => {
                node.kind = Kind::Map;
                let keep = keep || planned.is_some_and(|f| f.each.is_some());
                node.whole = keep;
                for (name, member) in members {
                    let id = planned
                        .and_then(|f| f.members.iter().find(|(n, _)| **n == **name))
                        .map(|(_, id)| *id);
                    if keep {
                        let span = self.push(name);
                        node.span.len += 1;
                        self.value(member, id, NodeKey::Name(span), true);
                    } else if let Some(id) = id {
                        node.span.len += 1;
                        self.value(member, Some(id), NodeKey::Field(id), false);
                    }
                }
            }
        }
        node.end = self.nodes.len() as u32;
        self.nodes[index] = node;
    }
}
