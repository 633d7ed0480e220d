//! Places in files, in every way in which a Metric may be written.

use super::super::parse_documents;
use super::*;

/// Of the first document, or item, whose `place` it is.
fn check(text: &str, item: Option<usize>, path: &str, within: (u32, u32), expected: (u64, u64)) {
    let documents = parse_documents("f.yaml", text.as_bytes()).unwrap();
    let place = Place { item, ..documents.last().unwrap().place.clone() };
    let found = Positions::of(text).find(&place, path, within);
    assert_eq!((found.line, found.column), expected, "{path} {within:?} in\n{text}");
}

const BLOCK: &str = "\
# A comment
kind: Metric
spec:
  name: a
  filter: |
    object.a
      && objct.b
  labelSelector: >-
    a in (b),

    c in (d)
  projections:
  - name: x
    expression: \"object.\\\"x\\\" + objct\"
  - {name: y, fieldPath: 'status.''y'}
  target: {kind: Pod}
";

#[test]
fn block_and_flow_style_are_known() {
    check(BLOCK, None, "spec.name", (0, 0), (4, 9));
    check(BLOCK, None, "spec.filter", (2, 6), (7, 10));
    check(BLOCK, None, "spec.labelSelector", (2, 1), (11, 5));
    check(BLOCK, None, "spec.projections[0].expression", (1, 14), (14, 33));
    check(BLOCK, None, "spec.projections[1].fieldPath", (1, 9), (15, 36));
    check(BLOCK, None, "spec.target.kind", (0, 0), (16, 18));
}

#[test]
fn a_quote_at_the_beginning_of_a_block_is_part_of_it() {
    let literal = "spec:\n  filter: |\n    \"web\" == object.metadata.name && objct.b\n";
    check(literal, None, "spec.filter", (1, 34), (3, 38));
    let folded = "a:\n- b: >-  # folded\n\n    'x' +\n    objct.y\n";
    check(folded, None, "a[0].b", (2, 7), (5, 5));
    check("a: |2\n  > b\n", None, "a", (1, 3), (2, 5));
    // None of these is a block.
    check("a:\n  'b'' c'\n", None, "a", (1, 4), (2, 8));
    check("# |\na:\n  # >\n  \"b\\x63 d\"\n", None, "a", (1, 4), (4, 10));
}

#[test]
fn the_name_of_a_member_is_found_before_its_value() {
    let document = parse_documents("f.yaml", BLOCK.as_bytes()).unwrap().pop().unwrap();
    let name = |path: &str| Positions::of(BLOCK).find_name(&document.place, path);
    assert_eq!(name("spec.name"), Position { line: 4, column: 3 });
    assert_eq!(name("spec.projections[1].fieldPath"), Position { line: 15, column: 15 });
    assert_eq!(name("spec.projections[1]"), Position { line: 15, column: 5 });
    assert_eq!(name("spec.unit"), Position { line: 3, column: 1 });
}

#[test]
fn members_with_dots_in_their_names_are_quoted() {
    let text = "metadata:\n  labels:\n    app.kubernetes.io/name: shop\n    b: [c, {\"d]e\": f}]\n";
    check(text, None, "metadata.labels['app.kubernetes.io/name']", (0, 0), (3, 29));
    check(text, None, "metadata.labels['b'][1]['d]e']", (0, 0), (4, 20));
    check(text, None, "metadata.labels['b'].1", (0, 0), (4, 5));
    for cut in [
        "metadata.labels['other']",
        "metadata.labels['app.kubernetes.io/na",
        "metadata.labels[x",
        "metadata.labels['",
    ] {
        check(text, None, cut, (0, 0), (2, 3));
    }
}

#[test]
fn what_is_not_there_is_at_the_part_around_it() {
    check(BLOCK, None, "spec.unit", (0, 0), (3, 1));
    check(BLOCK, None, "spec.projections[1].name.deeper", (0, 0), (15, 6));
    check(BLOCK, None, "spec.projections[7]", (0, 0), (12, 3));
    check(BLOCK, None, "spec.projections[1]", (0, 0), (15, 5));
    check(BLOCK, None, "metadata.name", (0, 0), (2, 1));
    check(BLOCK, None, "", (0, 0), (2, 1));
    // A position beyond the text is the value's.
    check(BLOCK, None, "spec.name", (3, 9), (4, 9));
}

#[test]
fn documents_items_and_events_are_told_apart() {
    let two = "a: 1\n---\nspec:\n  filter: x\n";
    check(two, None, "spec.filter", (1, 1), (4, 11));
    let list = "kind: List\nitems:\n- spec: {filter: a}\n- spec:\n    filter: b + c\n";
    check(list, Some(1), "spec.filter", (1, 5), (5, 17));
    let event = "type: ADDED\nobject:\n  spec:\n    filter: b + c\n";
    check(event, None, "spec.filter", (1, 5), (4, 17));
}

#[test]
fn aliases_are_where_they_are_defined() {
    let text = "x: &f object.a\nspec:\n  filter: *f\n";
    check(text, None, "spec.filter", (1, 8), (1, 14));
}

#[test]
fn json_is_known_too() {
    let text = "{\"a\": 1}\n {\"spec\": {\n\t\"filter\": \"a == \\\"b\\\"\"}}";
    check(text, None, "spec.filter", (1, 7), (3, 20));
    check("{\"spec\": {\"filter\": \"'\\ud83d\\ude00' + b\"}}", None, "spec.filter", (1, 7), (1, 39));
    check("{\"a\": 1} {\"spec\": {\"filter\": \"a + b\"}}", None, "spec.filter", (1, 5), (1, 35));
}

#[test]
fn a_text_that_is_not_understood_has_no_positions() {
    let place = Place { file: "f".into(), document: 0, line: 7, item: None };
    for text in ["", "{", "a: [", "\u{feff}"] {
        let found = Positions::of(text).find(&place, "spec.filter", (1, 1));
        assert_eq!((found.line, found.column), (7, 1), "{text:?}");
    }
}
