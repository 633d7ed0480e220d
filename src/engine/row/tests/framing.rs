//! Watch events and lists.

use crate::row::*;

fn split(event: &str) -> Result<(Event, &str), String> {
    let parts =
        |envelope: Envelope<'_>| (envelope.event, envelope.object.as_ptr() as usize, envelope.object.len());
    let envelope = Envelope::split(event.as_bytes()).map_err(|error| error.to_string())?;
    let fast = Envelope::split_unchecked(event.as_bytes()).expect("what split accepts");
    assert_eq!(parts(fast), parts(envelope), "{event}");
    Ok((envelope.event, std::str::from_utf8(envelope.object).unwrap()))
}

#[track_caller]
fn check(event: &str, kind: Event, object: &str) {
    assert_eq!(split(event), Ok((kind, object)), "{event}");
}

#[test]
fn watch_events_are_taken_apart() {
    check(r#"{"type":"ADDED","object":{"a":1}}"#, Event::Added, r#"{"a":1}"#);
    check("{\"type\":\"MODIFIED\",\"object\":{}}\n", Event::Modified, "{}");
    check(r#" { "object" : { "a" : [ ] } , "type" : "DELETED" } "#, Event::Deleted, r#"{ "a" : [ ] }"#);
    check(r#"{"type":"BOOKMARK","object":{}}"#, Event::Bookmark, "{}");
    check(r#"{"type":"ERROR","object":{"kind":"Status"}}"#, Event::Error, r#"{"kind":"Status"}"#);
    check(r#"{"type":"GONE","object":{}}"#, Event::Unknown, "{}");
    check(r#"{"type":"added","object":{}}"#, Event::Unknown, "{}");
    check(r#"{"type":"\u0041DDED","object":{}}"#, Event::Added, "{}");
    check(r#"{"ty\u0070e":"ADDED","object":{}}"#, Event::Added, "{}");
    check(r#"{"x":[{"type":"ERROR"}],"type":"ADDED","object":{},"y":1}"#, Event::Added, "{}");
    check(r#"{"type":"ADDED","type":"DELETED","object":{},"object":{"b":2}}"#, Event::Deleted, r#"{"b":2}"#);
    check(r#"{"type":"ADDED","object":null}"#, Event::Added, "null");
}

#[test]
fn what_is_no_watch_event_is_refused() {
    for (event, error) in [
        ("", "unexpected end at byte 0"),
        ("[]", "expected an object at byte 0"),
        ("{}", "a watch event without a type at byte 0"),
        (r#"{"type":1,"object":{}}"#, "a watch event without a type at byte 0"),
        (r#"{"type":"ADDED"}"#, "a watch event without an object at byte 0"),
        (r#"{"type":"ADDED","object":{}"#, "unexpected end at byte 27"),
        (r#"{"type":"ADDED","object":{}}}"#, "text behind the value at byte 28"),
        (r#"{"type":"ADDED","object":{]}"#, "expected the name of a member at byte 26"),
    ] {
        assert_eq!(split(event), Err(error.to_owned()), "{event}");
    }
}

#[test]
fn unchecked_split_leaves_the_proof_to_the_decoder() {
    let event = br#"{"type":"ADDED","object":{},"more":{}}"#;
    let unchecked = Envelope::split_unchecked(event).unwrap();
    let mut decoder = Decoder::new(FieldPlan::new(HashSeed(1, 2)).into());
    assert!(decoder.decode(unchecked.object, Defaults::default()).is_err());
    assert_eq!(Envelope::split(event).unwrap().object, b"{}");
}

#[test]
fn unchecked_split_takes_no_type_that_is_no_string() {
    for event in [&b"{\"type\":\"ADD\x01\",\"object\":{}}"[..], b"{\"type\":\"\xff\",\"object\":{}}"] {
        assert_eq!(Envelope::split_unchecked(event), Envelope::split(event));
        assert!(Envelope::split(event).is_err());
    }
}

#[test]
fn list_gives_its_items_and_what_they_are() {
    let text = br#"{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"x"},
        "items":[{"metadata":{"name":"a"}}, {"kind":"Other","metadata":{"name":"b"}} ]}"#;
    let list = List::split(text).unwrap().unwrap();
    assert_eq!((list.resource_version.as_str(), list.go_on.as_str(), list.items.len()), ("7", "x", 2));
    let mut decoder = Decoder::new(FieldPlan::whole(HashSeed(1, 2)).into());
    let rows: Vec<_> = list.items.iter().map(|item| decoder.decode(item, list.defaults()).unwrap()).collect();
    assert_eq!((rows[0].api_version(), rows[0].kind(), rows[0].name()), ("v1", "Pod", "a"));
    assert_eq!((rows[1].api_version(), rows[1].kind(), rows[1].name()), ("v1", "Other", "b"));
    assert_eq!(rows[0].root().get("kind").and_then(NodeRef::as_str), Some("Pod"));
    assert_eq!(rows[0].root().len(), 3);
}

#[test]
fn an_object_that_nests_too_deeply_spoils_nothing_around_it() {
    let deep = format!(r#"{{"deep":{}{},"metadata":{{"uid":"u"}}}}"#, "[".repeat(500), "]".repeat(500));
    let text = format!(r#"{{"kind":"PodList","items":[{{"metadata":{{"uid":"a"}}}},{deep},{{}}]}}"#);
    let list = List::split(text.as_bytes()).unwrap().unwrap();
    assert_eq!(list.items.len(), 3);
    assert_eq!(list.items[1], deep.as_bytes());
    let mut decoder = Decoder::new(FieldPlan::new(HashSeed(1, 2)).into());
    let error = decoder.decode(list.items[1], list.defaults()).unwrap_err().to_string();
    assert!(error.starts_with("nested too deeply"), "{error}");
    assert!(decoder.identify_broken(list.items[1], list.defaults()).is_some());
    let event = format!(r#"{{"object": {deep}, "type": "ADDED"}}"#);
    assert_eq!(Envelope::split(event.as_bytes()).unwrap().object, deep.as_bytes());
}

#[test]
fn plain_list_leaves_its_items_as_they_are() {
    let text = br#"{"items":[{"kind":"Pod"}],"apiVersion":"v1","kind":"List"}"#;
    let list = List::split(text).unwrap().unwrap();
    assert_eq!((list.defaults().kind, list.defaults().api_version), (None, None));
    assert_eq!(list.items, [&br#"{"kind":"Pod"}"#[..]]);
}

#[test]
fn only_lists_are_lists() {
    let is_list = |text: &str| List::split(text.as_bytes()).unwrap().map(|list| list.items.len());
    assert_eq!(is_list(r#"{"kind":"Pod","items":[]}"#), None);
    assert_eq!(is_list(r#"{"kind":"PodList"}"#), None);
    assert_eq!(is_list(r#"{"kind":"PodList","items":{}}"#), None);
    assert_eq!(is_list(r#"{"kind":"PodList","items":null}"#), Some(0));
    assert_eq!(is_list(r#"{"kind":"PodList","items":[ ]}"#), Some(0));
    assert_eq!(is_list(r#"{"kind":"PodList","items":[1],"items":[2,3]}"#), Some(2));
    assert!(List::split(b"[]").is_err());
    assert!(List::split(br#"{"kind":"PodList","items":[}"#).is_err());
}
