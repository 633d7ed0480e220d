//! Splitting streams into values.

use proptest::prelude::*;

use super::model::*;
use crate::row::Documents;

/// All values and errors of a stream that arrives in chunks of these lengths, over and over.
fn split(stream: &[u8], chunks: &[usize], limit: usize) -> Vec<String> {
    let mut documents = Documents::new(limit);
    let mut found = vec![];
    let mut lengths = chunks.iter().cycle();
    let mut rest = stream;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at((*lengths.next().unwrap()).clamp(1, rest.len()));
        rest = behind;
        documents.push(chunk);
        while let Some(next) = documents.next() {
            found.push(match next {
                Ok(value) => String::from_utf8_lossy(value).into_owned(),
                Err(error) => format!("! {error}"),
            });
        }
    }
    if let Err(error) = documents.finish() {
        found.push(format!("! {error}"));
    }
    found
}

/// Demands these values and errors, in one chunk, byte by byte and in between.
fn check(stream: &str, limit: usize, expected: &[&str]) {
    for chunks in [&[usize::MAX][..], &[1], &[7], &[16, 3]] {
        assert_eq!(split(stream.as_bytes(), chunks, limit), expected, "{stream:?} in chunks of {chunks:?}");
    }
}

#[test]
fn streams_are_cut_where_values_end() {
    check("", 100, &[]);
    check(" \r\n\t ", 100, &[]);
    check("{}", 100, &["{}"]);
    check("{}[]{}", 100, &["{}", "[]", "{}"]);
    check("{\"a\": 1}\n{\"b\": [2]}\n", 100, &["{\"a\": 1}", "{\"b\": [2]}"]);
    check(
        "{\n  \"a\": {\n    \"b\": \"}\"\n  }\n}\n[]",
        100,
        &["{\n  \"a\": {\n    \"b\": \"}\"\n  }\n}", "[]"],
    );
    check(r#"{"a":"\"}"}{"\\":"{"}"#, 100, &[r#"{"a":"\"}"}"#, r#"{"\\":"{"}"#]);
    check(r#"{"é":"😀"}"#, 100, &[r#"{"é":"😀"}"#]);
}

#[test]
fn what_is_no_value_is_dropped_up_to_the_next_line() {
    let error = "! expected an object or a list at byte 0 of the stream";
    check("Error: {no}\n{}", 100, &[error, "{}"]);
    check("}}\n{}", 100, &[error, "{}"]);
    check("null", 100, &[error]);
    check("\"{}\"\n[]", 100, &[error, "[]"]);
    check("{}x\n{}", 100, &["{}", "! expected an object or a list at byte 2 of the stream", "{}"]);
}

#[test]
fn line_that_was_cut_short_in_a_string_costs_that_line_only() {
    check("{\"a\":\"b\n{}", 100, &["! line break in a string at byte 7 of the stream", "{}"]);
    check("{\"a\":\"b\\\n{}\n{}", 100, &["! line break in a string at byte 8 of the stream", "{}", "{}"]);
}

#[test]
fn value_without_end_is_an_error_at_the_end_of_the_stream() {
    check("{} {\"a\":", 100, &["{}", "! a value that does not end at byte 3 of the stream"]);
    check("[\"", 100, &["! a value that does not end at byte 0 of the stream"]);
}

#[test]
fn value_beyond_the_limit_is_dropped_and_the_next_one_is_not() {
    check("[1234567]", 9, &["[1234567]"]);
    let error = "! a value that is longer than the limit at byte 0 of the stream";
    check("[12345678]{}", 9, &[error, "{}"]);
    check("[\"\\\"]]]]]]]]]]]]\", 1] [2]", 9, &[error, "[2]"]);
    check("[\"345678901\n{}", 9, &[error, "{}"]);
    check("[[[[[[[[[[[[", 9, &[error]);
}

#[test]
fn buffer_stays_bounded_by_limit_and_chunk() {
    let mut documents = Documents::new(64);
    let mut errors = 0;
    documents.push(b"[\"");
    for _ in 0..10_000 {
        documents.push(&[b'x'; 100]);
        while let Some(next) = documents.next() {
            errors += usize::from(next.is_err());
        }
        assert!(documents.buffered() <= 264, "{}", documents.buffered());
    }
    assert_eq!(errors, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_values(
        values in proptest::collection::vec((any_object(), any::<Vec<u8>>()), 0..6),
        chunks in proptest::collection::vec(1usize..200, 1..8),
        broken in proptest::option::of((any::<prop::sample::Index>(), "[{}\\[\\]\"\\\\\n x]{1,3}")),
        limit in prop_oneof![Just(usize::MAX), 10usize..400],
    ) {
        let written: Vec<String> = values.iter().map(|(value, noise)| value.written(noise)).collect();
        let mut stream = written.concat().into_bytes();
        match broken {
            Some((place, text)) => {
                let at = place.index(stream.len() + 1);
                stream.splice(at..at, text.bytes());
            }
            None if limit == usize::MAX => {
                let expected: Vec<_> = written.iter().map(|text| text.trim().to_owned()).collect();
                prop_assert_eq!(&split(&stream, &[usize::MAX], limit), &expected);
            }
            None => {}
        }
        prop_assert_eq!(split(&stream, &chunks, limit), split(&stream, &[usize::MAX], limit));
    }
}
