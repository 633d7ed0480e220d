//! The bytes of strings as nodes, which kubectl's `.*` makes of them.
//!
//! In: a byte. Out: a node that is its number, in a row that nobody else has. Must never know: queries, objects.

use std::sync::{Arc, LazyLock};

use crate::row::{Decoder, Defaults, FieldPlan, HashSeed, NodeRef, Row};

/// A list of all bytes.
static ROW: LazyLock<Row> = LazyLock::new(|| {
    let numbers: Vec<String> = (0..=u8::MAX).map(|byte| byte.to_string()).collect();
    let object = format!("{{\"bytes\":[{}]}}", numbers.join(","));
    let mut decoder = Decoder::new(Arc::new(FieldPlan::whole(HashSeed(0, 0))));
    decoder.decode(object.as_bytes(), Defaults::default()).expect("a list of numbers is an object's member")
});

static NODES: LazyLock<Vec<NodeRef<'static>>> =
    LazyLock::new(|| ROW.root().get("bytes").into_iter().flat_map(NodeRef::items).collect());

/// The node of a byte.
pub(super) fn node(byte: u8) -> NodeRef<'static> {
    NODES[usize::from(byte)]
}
