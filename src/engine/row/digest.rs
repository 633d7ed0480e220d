//! The keyed hashes by which objects are told apart and rows compared.
//!
//! In: the texts and nodes of a row. Out: 128-bit hashes. Must never know: JSON, field plans.
//! SipHash-1-3 with 128 bits: keyed, because what is hashed is chosen by tenants.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use super::tape::Tape;
use super::{HashSeed, Kind, Node, NodeKey, ObjectKey};

/// What is hashed stands first in it, so that no hash of one kind is ever one of another kind.
#[derive(Clone, Copy)]
enum Domain {
    Uid = 1,
    Name = 2,
    Labels = 3,
    Row = 4,
}

/// The identity of an object: by its UID, or by kind, namespace and name where it has none.
pub(super) fn object_key(seed: HashSeed, uid: &str, kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey(if uid.is_empty() {
        of_texts(seed, Domain::Name, [kind.as_bytes(), namespace.as_bytes(), name.as_bytes()])
    } else {
        of_texts(seed, Domain::Uid, [uid.as_bytes()])
    })
}

/// What decides the answer of every label selector: the namespace and the labels as they stand in the object.
pub(super) fn labels(seed: HashSeed, namespace: &str, raw: &[u8]) -> u128 {
    of_texts(seed, Domain::Labels, [namespace.as_bytes(), raw])
}

/// All that a row can be asked: its nodes, and the first `kept` bytes of its text. Nodes that a duplicate has
/// replaced do not count.
pub(super) fn row(seed: HashSeed, tape: &Tape, kept: usize) -> u128 {
    let mut hasher = start(seed, Domain::Row);
    each_live(tape, |node| hash_node(&mut hasher, node));
    if tape.replaced {
        each_live(tape, |node| {
            for span in texts(node).into_iter().flatten() {
                hasher.write(tape.slice(span).as_bytes());
            }
        });
    } else {
        hasher.write(&tape.text.as_bytes()[..kept]);
    }
    hasher.finish128().as_u128()
}

fn start(seed: HashSeed, domain: Domain) -> SipHasher13 {
    let mut hasher = SipHasher13::new_with_keys(seed.0, seed.1);
    hasher.write_u64(domain as u64);
    hasher
}

fn of_texts<const N: usize>(seed: HashSeed, domain: Domain, texts: [&[u8]; N]) -> u128 {
    let mut hasher = start(seed, domain);
    for text in texts {
        hasher.write_u64(text.len() as u64);
        hasher.write(text);
    }
    hasher.finish128().as_u128()
}

fn each_live(tape: &Tape, mut visit: impl FnMut(&Node)) {
    let mut next = 0;
    while let Some(node) = tape.nodes.get(next) {
        if node.key == NodeKey::Replaced {
            next = node.end as usize;
        } else {
            visit(node);
            next += 1;
        }
    }
}

/// The texts of a node in the order in which they stand in the row's text.
fn texts(node: &Node) -> [Option<super::Span>; 2] {
    let name = match node.key {
        NodeKey::Name(span) => Some(span),
        _ => None,
    };
    let scalar = !matches!(node.kind, Kind::List | Kind::Map);
    [name, scalar.then_some(node.span)]
}

/// The largest number that shares a word with kind, key and length.
const SHORT: u32 = (1 << 24) - 1;

/// Kind, key and length of a node in one word; a field number or a name's length beyond 24 bits in a second one.
/// The tree follows from the lengths, since nodes come in the order of the document; `end` need not be hashed.
fn hash_node(hasher: &mut SipHasher13, node: &Node) {
    let (tag, number) = match node.key {
        NodeKey::None | NodeKey::Replaced => (0, 0),
        NodeKey::Field(id) => (1, id.0),
        NodeKey::Name(span) => (2, span.len),
    };
    let head = (node.kind as u64) << 3 | u64::from(node.whole) << 2 | tag;
    hasher.write_u64(u64::from(node.span.len) << 32 | u64::from(number.min(SHORT)) << 8 | head);
    if number >= SHORT {
        hasher.write_u64(u64::from(number));
    }
}
