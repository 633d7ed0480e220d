//! What Kubernetes' environment declares, overload by overload: `examples/expressions/kubernetes.md` has an example of each, to
//! which both give the same answer; and what the page about expressions says that Kubernetes answers otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Value, json};

use crate::documented::{Example, asked, cells, code, plain, same};
use crate::kubernetes::{agree, answers, ask, nodes_of, same_nodes, template};
use crate::program::root;

const PAGE: &str = "examples/expressions/kubernetes.md";

/// How the page begins what is not available here.
const ABSENT: &str = "\n## Declared there, not available here\n";

/// An overload, or a macro.
struct Declaration {
    signature: String,
    /// As their type checker names it.
    id: String,
}

/// The page: what it says of each signature.
struct Page {
    prose: String,
    /// An expression, and what it gives.
    examples: BTreeMap<String, (String, String)>,
    /// Why it is not available.
    absent: BTreeMap<String, String>,
    /// Of a row that stands twice.
    twice: Vec<String>,
}

#[test]
fn whatever_kubernetes_declares_is_in_the_page_with_an_example_on_which_both_agree() {
    let (declared, page) = (declared(), read());
    let (_, object) = asked();
    let tried: Vec<&Declaration> =
        declared.iter().filter(|one| page.examples.contains_key(&one.signature)).collect();
    let request = |one: &&Declaration| json!({"language": "cel", "expression": page.examples[&one.signature].0, "object": object, "variables": {"object": object}});
    let requests: Vec<Value> = tried.iter().map(request).collect();
    let mut found = BTreeMap::new();
    let mut wrong = String::new();
    for (one, (ours, theirs)) in tried.iter().zip(answers(&requests)) {
        let (text, gives) = &page.examples[&one.signature];
        let calls = theirs["calls"].as_array().is_some_and(|calls| calls.iter().any(|id| *id == one.id));
        if !calls {
            writeln!(wrong, "{}: {text} does not call it: {theirs}", one.signature).unwrap();
        } else if !agree(&ours, &theirs) {
            writeln!(wrong, "{}: {text}\n  ours   {ours}\n  theirs {theirs}", one.signature).unwrap();
        }
        let given = ours.get("value").map_or_else(|| ours.to_string(), |value| plain(value).to_string());
        if !same(gives, &given) {
            writeln!(wrong, "{}: {text}\n  written {gives}\n  given   {given}", one.signature).unwrap();
        }
        found.insert(one.signature.clone(), (text.clone(), given));
    }
    let known: BTreeSet<&String> = page.examples.keys().chain(page.absent.keys()).collect();
    let declared_there: BTreeSet<&String> = declared.iter().map(|one| &one.signature).collect();
    let missing: Vec<_> = declared_there.difference(&known).collect();
    let gone: Vec<_> = known.difference(&declared_there).collect();
    if rewrite() {
        return write(&page, &declared, &found);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(missing.is_empty(), "declared, and not in {PAGE}: {missing:#?}");
    assert!(gone.is_empty(), "in {PAGE}, and not declared: {gone:#?}");
    assert!(page.twice.is_empty(), "twice in {PAGE}: {:#?}", page.twice);
    assert!(tried.len() > 300, "only {} are tried", tried.len());
}

#[test]
fn kubernetes_answers_otherwise_what_the_page_says_it_does() {
    let (mut examples, object) = asked();
    examples.retain(|example| example.elsewhere.is_some());
    let requests: Vec<Value> = examples.iter().map(|example| request(example, &object)).collect();
    let mut wrong = String::new();
    for (example, (ours, theirs)) in examples.iter().zip(answers(&requests)) {
        let written = example.elsewhere.as_deref().unwrap_or_default();
        let given = theirs.get("value").map(|value| plain(value).to_string());
        let fits = match (written, &given) {
            ("error", None) => ours.get("value").is_some(),
            // Only by chance do they agree.
            ("any order", Some(_)) => true,
            (written, Some(given)) => same(written, given) && !agree(&ours, &theirs),
            _ => false,
        };
        if !fits {
            writeln!(wrong, "line {}: {}: {written}, but {theirs}", example.line, example.text).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(examples.len() > 10);
}

#[test]
fn kubernetes_gives_what_the_page_says_where_it_says_nothing_else() {
    let (mut examples, object) = asked();
    examples.retain(|example| !example.is_apart);
    let requests: Vec<Value> = examples.iter().map(|example| request(example, &object)).collect();
    let mut wrong = String::new();
    for (example, (ours, theirs)) in examples.iter().zip(answers(&requests)) {
        let alike = match example.language {
            "kubectl" => same_nodes(&example.text, nodes_of(&ours), nodes_of(&theirs)),
            _ => agree(&ours, &theirs),
        };
        if !alike {
            writeln!(wrong, "line {}: {}\n  ours   {ours}\n  theirs {theirs}", example.line, example.text)
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(examples.len() > 150, "only {} are asked", examples.len());
}

fn request(example: &Example, object: &Value) -> Value {
    let text = if example.language == "kubectl" { template(&example.text) } else { example.text.clone() };
    json!({"language": example.language, "expression": text, "object": object, "variables": {"object": object}})
}

fn declared() -> Vec<Declaration> {
    let answer = ask(b"{\"language\": \"declarations\"}\n");
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let declaration = |one: &Value| Declaration { signature: text(one, "signature"), id: text(one, "id") };
    answer["declarations"].as_array().unwrap().iter().map(declaration).collect()
}

fn read() -> Page {
    let text = std::fs::read_to_string(root().join(PAGE)).unwrap();
    let prose = text.split_inclusive('\n').take_while(|line| !line.starts_with('|')).collect();
    let (examples, absent) = text.split_once(ABSENT).expect("the page says what is not available");
    let mut page = Page { prose, examples: BTreeMap::new(), absent: BTreeMap::new(), twice: Vec::new() };
    for row in rows(examples) {
        let [signature, text, gives] = &row[..] else { panic!("{row:?}") };
        let entry = (code(text).unwrap(), code(gives).unwrap());
        let signature = code(signature).unwrap();
        page.twice.extend(page.examples.insert(signature.clone(), entry).map(|_| signature));
    }
    for row in rows(absent) {
        let [signature, why] = &row[..] else { panic!("{row:?}") };
        assert!(!why.is_empty(), "{signature}: why not?");
        page.absent.insert(code(signature).unwrap(), why.clone());
    }
    page
}

/// The rows of a table without its head.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

#[allow(clippy::disallowed_methods, reason = "the page is written where somebody asks for it")]
fn rewrite() -> bool {
    std::env::var_os("CELEMETRY_WRITE_FUNCTIONS").is_some()
}

/// Writes the page in the order in which functions are declared. What has no example yet gets a question mark.
fn write(page: &Page, declared: &[Declaration], found: &BTreeMap<String, (String, String)>) {
    let cell = |text: &str| text.replace('|', "\\|");
    let unknown = ("?".to_owned(), "?".to_owned());
    let mut text = page.prose.clone() + "| overload | CEL | gives |\n|---|---|---|\n";
    for Declaration { signature, .. } in
        declared.iter().filter(|one| !page.absent.contains_key(&one.signature))
    {
        let (example, gives) = found.get(signature).unwrap_or(&unknown);
        writeln!(text, "| `{}` | `{}` | `{}` |", cell(signature), cell(example), cell(gives)).unwrap();
    }
    text += ABSENT;
    text += "\n| overload | why |\n|---|---|\n";
    for Declaration { signature, .. } in declared {
        if let Some(why) = page.absent.get(signature) {
            writeln!(text, "| `{}` | {} |", cell(signature), cell(why)).unwrap();
        }
    }
    std::fs::write(root().join(PAGE), text).unwrap();
}
