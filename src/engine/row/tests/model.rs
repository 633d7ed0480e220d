//! JSON as a plain tree, how it may be written, and what a row of it must answer. Deliberately naive.

use proptest::prelude::*;

use crate::row::*;

/// A JSON value; maps may hold a name several times.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

/// Choices of spelling, used up one by one and then repeated.
pub(super) struct Spelling<'n> {
    noise: &'n [u8],
    at: usize,
}

impl Json {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Json::Null => Kind::Null,
            Json::Bool(_) => Kind::Bool,
            Json::Number(_) => Kind::Number,
            Json::String(_) => Kind::String,
            Json::List(_) => Kind::List,
            Json::Map(_) => Kind::Map,
        }
    }

    /// The members of a map, of each name the last.
    pub(super) fn members(&self) -> Vec<(&str, &Json)> {
        let Json::Map(members) = self else { return vec![] };
        let last = |at: usize| members[at + 1..].iter().all(|(name, _)| *name != members[at].0);
        (0..members.len()).filter(|at| last(*at)).map(|at| (&*members[at].0, &members[at].1)).collect()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        self.members().into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Json::String(text) => text,
            _ => "",
        }
    }

    /// Reads what `serde_json` makes of a document; numbers keep only what `f64` and 64-bit integers hold.
    pub(super) fn of_serde(value: &serde_json::Value) -> Json {
        use serde_json::Value;
        match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(n) => Json::Number(n.to_string()),
            Value::String(s) => Json::String(s.clone()),
            Value::Array(items) => Json::List(items.iter().map(Json::of_serde).collect()),
            Value::Object(members) => {
                Json::Map(members.iter().map(|(name, value)| (name.clone(), Json::of_serde(value))).collect())
            }
        }
    }

    /// Reads all of a value that a row keeps whole.
    pub(super) fn of_row(node: NodeRef<'_>) -> Json {
        let text = || node.as_str().or(node.as_number()).expect("kept").to_owned();
        match node.kind() {
            Kind::Null => Json::Null,
            Kind::Bool => Json::Bool(node.as_bool().expect("kept")),
            Kind::Number => Json::Number(text()),
            Kind::String => Json::String(text()),
            Kind::List => {
                let items: Vec<_> = node.items().map(Json::of_row).collect();
                assert_eq!(items.len(), node.len());
                Json::List(items)
            }
            Kind::Map => {
                let members: Vec<_> =
                    node.entries().map(|(name, value)| (name.to_owned(), Json::of_row(value))).collect();
                assert_eq!(members.len(), node.len());
                Json::Map(members)
            }
        }
    }

    /// Without replaced members, in the order of the document.
    pub(super) fn resolved(&self) -> Json {
        match self {
            Json::List(items) => Json::List(items.iter().map(Json::resolved).collect()),
            Json::Map(_) => {
                let members = self.members().into_iter();
                Json::Map(members.map(|(name, value)| (name.to_owned(), value.resolved())).collect())
            }
            scalar => scalar.clone(),
        }
    }

    /// With members in the order of their names and numbers as `serde_json` writes them.
    pub(super) fn normal(&self) -> Json {
        match self.resolved() {
            Json::List(items) => Json::List(items.iter().map(Json::normal).collect()),
            Json::Map(members) => {
                let mut members: Vec<_> = members.into_iter().map(|(name, v)| (name, v.normal())).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Json::Map(members)
            }
            Json::Number(text) => Json::Number(
                serde_json::from_str::<serde_json::Number>(&text).map_or(text, |n| n.to_string()),
            ),
            scalar => scalar,
        }
    }

    pub(super) fn write(&self, spelling: &mut Spelling<'_>, out: &mut String) {
        spelling.space(out);
        match self {
            Json::Null => out.push_str("null"),
            Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Json::Number(text) => out.push_str(text),
            Json::String(text) => spelling.string(text, out),
            Json::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    item.write(spelling, out);
                }
                spelling.space(out);
                out.push(']');
            }
            Json::Map(members) => {
                out.push('{');
                for (at, (name, value)) in members.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    spelling.space(out);
                    spelling.string(name, out);
                    spelling.space(out);
                    out.push(':');
                    value.write(spelling, out);
                }
                spelling.space(out);
                out.push('}');
            }
        }
        spelling.space(out);
    }

    pub(super) fn written(&self, noise: &[u8]) -> String {
        let mut out = String::new();
        self.write(&mut Spelling { noise, at: 0 }, &mut out);
        out
    }
}

impl Spelling<'_> {
    fn next(&mut self) -> u8 {
        let byte = self.noise.get(self.at % self.noise.len().max(1)).copied().unwrap_or(255);
        self.at += 1;
        byte
    }

    fn space(&mut self, out: &mut String) {
        match self.next() {
            0..=9 => out.push(' '),
            10..=14 => out.push_str("\r\n\t "),
            15 => out.push_str(&" ".repeat(70)),
            _ => {}
        }
    }

    fn string(&mut self, text: &str, out: &mut String) {
        out.push('"');
        for c in text.chars() {
            let escape = self.next() < 20;
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '/' if escape => out.push_str("\\/"),
                '\n' if escape => out.push_str("\\n"),
                c if escape || c < ' ' => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => out.push(c),
            }
        }
        out.push('"');
    }
}

const NAMES: [&str; 16] = [
    "apiVersion",
    "kind",
    "metadata",
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "labels",
    "spec",
    "a",
    "b",
    "c",
    "",
    "ä\"/\\\n",
    "a/b.c",
    "😀",
];

pub(super) fn any_name() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        // Often the same few, so that duplicates and planned members meet.
        20 => proptest::sample::select(&["a", "b", "metadata"][..]).prop_map(str::to_owned),
        20 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => ".{0,20}",
    ]
}

const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "-0.0",
    "1",
    "-1",
    "0.5",
    "1.0",
    "1e2",
    "1E-2",
    "1e+2",
    "9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "12345678901234567890",
    "123456789012345678901234567890",
    "1.7976931348623157e308",
    "5e-324",
    "0.1000000000000000055511151231257827",
];

fn any_scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        proptest::sample::select(&NUMBERS[..]).prop_map(|text| Json::Number(text.to_owned())),
        any::<i32>().prop_map(|n| Json::Number(n.to_string())),
        any_name().prop_map(Json::String),
        "[a-z\"\\\\\n\u{0}é😀\u{7f}]{0,40}".prop_map(Json::String),
    ]
}

/// A value of up to a few dozen nodes, with names that occur in plans and identities.
pub(super) fn any_json() -> impl Strategy<Value = Json> {
    any_scalar().prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::List),
            5 => proptest::collection::vec((any_name(), inner.clone()), 0..7).prop_map(Json::Map),
            1 => proptest::collection::vec((any_name(), inner), 10..40).prop_map(Json::Map),
        ]
    })
}

/// A map such as the root of an object is.
pub(super) fn any_object() -> impl Strategy<Value = Json> {
    proptest::collection::vec((any_name(), any_json()), 0..8).prop_map(Json::Map)
}
