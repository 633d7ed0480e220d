//! Objects from files, folders and standard input, one document after another.
//!
//! In: paths. Out: the JSON text of each document. Must never know: what a document means.
//!
//! JSON is read piece by piece and handed on as it was written; YAML is read whole and turned into JSON.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::ops::ControlFlow;

use super::input::{files, parse_documents};
use crate::cluster::stream::{Input, Sink, read_json};

/// Hands every document of `paths` to `sink`, in order. Where that breaks, the rest of the file is left out, and the next one
/// follows.
///
/// # Errors
/// The first thing that cannot be read, as a line for people.
pub(super) fn read_objects(paths: &[String], sink: &mut dyn Sink) -> Result<(), String> {
    for path in paths {
        if path == "-" {
            read(&Input::Stdin, std::io::stdin().lock(), sink)?;
            continue;
        }
        for file in files(path).map_err(|error| error.to_string())? {
            let input = Input::File(file.clone());
            let opened = File::open(&file).map_err(|error| format!("{}: {error}", input.name()))?;
            read(&input, BufReader::new(opened), sink)?;
        }
    }
    Ok(())
}

fn read(input: &Input, mut reader: impl BufRead, sink: &mut dyn Sink) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", input.name());
    let (blank, begins_like_json) = skip_blanks(&mut reader).map_err(failed)?;
    if begins_like_json && !is_named_yaml(input) {
        // What was skipped is put back, so that lines and bytes are counted from the beginning.
        let all = blank.as_slice().chain(reader);
        return read_json(&input.name(), all, sink).map_err(|error| error.to_string());
    }
    let mut text = blank;
    reader.read_to_end(&mut text).map_err(failed)?;
    let documents = parse_documents(&input.name(), &text).map_err(|error| error.to_string())?;
    for document in documents {
        let flow = sink.document(document.value.to_string().as_bytes());
        if flow != ControlFlow::Continue(false) {
            sink.place(&input.name(), document.place.line);
        }
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn is_named_yaml(input: &Input) -> bool {
    let Input::File(path) = input else { return false };
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// Reads leading blanks, and tells whether `{` or `[` follows them.
fn skip_blanks(reader: &mut impl BufRead) -> std::io::Result<(Vec<u8>, bool)> {
    let mut blank = vec![];
    loop {
        let buffer = reader.fill_buf()?;
        let blanks = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let next = buffer.get(blanks).copied();
        let is_end = buffer.is_empty();
        blank.extend_from_slice(&buffer[..blanks]);
        reader.consume(blanks);
        if is_end || next.is_some() {
            return Ok((blank, matches!(next, Some(b'{' | b'['))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Texts(Vec<String>);

    impl Sink for Texts {
        fn document(&mut self, document: &[u8]) -> ControlFlow<(), bool> {
            self.0.push(String::from_utf8(document.to_vec()).unwrap());
            ControlFlow::Continue(false)
        }

        fn place(&mut self, _: &str, _: u64) {}
    }

    fn check(input: &Input, text: &str, expected: &[&str]) {
        let mut documents = Texts(vec![]);
        // A buffer of one byte meets every boundary.
        let reader = BufReader::with_capacity(1, text.as_bytes());
        assert_eq!(read(input, reader, &mut documents), Ok(()), "{text}");
        assert_eq!(documents.0, expected, "{text}");
    }

    #[test]
    fn json_is_handed_on_as_it_was_written_and_yaml_becomes_json() {
        let yaml = Input::new("objects.yaml");
        check(&Input::Stdin, "", &[]);
        check(&Input::Stdin, " \n ", &[]);
        check(&Input::Stdin, "\n{\"a\": 1.50}{\"b\":2}\n", &["{\"a\": 1.50}", "{\"b\":2}"]);
        check(&Input::Stdin, "a: 1\n---\nb: [x]\n", &["{\"a\":1}", "{\"b\":[\"x\"]}"]);
        check(&yaml, "{a: 1}\n---\n{b: 2}\n", &["{\"a\":1}", "{\"b\":2}"]);
    }

    #[test]
    fn lines_are_counted_from_the_beginning_of_the_input() {
        let message = read(&Input::Stdin, "\n\n{\"a\": 1}\nx".as_bytes(), &mut Texts(vec![]));
        assert!(message.unwrap_err().starts_with("standard input: line 4, byte 12:"));
    }
}
