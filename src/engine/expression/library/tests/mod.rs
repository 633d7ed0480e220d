//! What the functions give, a line a case. Whatever Kubernetes has was compared with its own answers, which the program in
//! `tests/control-plane/expressions` gives.

mod text;
mod lists;
mod sets;
mod pairs;
mod quantity;
mod semver;
mod network;
mod url;
mod named_format;
mod regex;
mod template;
mod math;
mod bind;

use super::super::tests::check;

const OBJECT: &str = include_str!("object.json");
