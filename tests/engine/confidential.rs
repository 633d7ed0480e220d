//! What a confidential definition says of its objects: everything but what they hold.

use celemetry_engine::change::{Change, Origin, SourceId};
use celemetry_engine::definition::{
    Aggregation, Definition, Formula, Language, Projection, ProjectionKind, ValueFrom, ValueKind,
};
use celemetry_engine::error::CONFIDENTIAL;
use celemetry_engine::row::{Decoder, Defaults, Envelope, Row};
use celemetry_engine::{Engine, Options};

/// What must never be told. Every value of the object holds one of these, and so does every error that quotes it.
const CANARIES: [&str; 2] = ["canary", "918273645"];

const OBJECT: &str = r#"{"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"shop","name":"login","uid":"1"},
    "text":"canary","zone":"canary/canary","regex":"(canary","whole":918273645,"half":918273645.5,"huge":918273645e300,
    "beyond":"918273645918273645918273645","great":9182736459182736459182736459182736,"list":[1],"map":{"a":1},
    "texts":["canary","canary"],"nested":[{"a":"canary"},{"b":918273645}]}"#;

/// Whether an error quotes something where that is not confidential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// A value of the object.
    Value,
    /// Kinds, counts and the expression's own text.
    Kind,
}
use Tells::{Kind, Value};

const FILTERS: &[(&str, Tells)] = &[
    ("object.list[object.whole] == 1", Value),
    ("object.list[object.half] == 1", Value),
    ("object.list[uint('18446744073709551615')] == 1 || object.text == ''", Kind),
    ("object.map[object.text] == 1", Value),
    ("object.map[object.whole] == 1", Value),
    ("object.map[object.half] == 1", Value),
    ("{'a': 1}[object.text] == 1", Value),
    ("[1][object.whole] == 1", Value),
    ("int(object.text) == 1", Value),
    ("uint(object.text) == 1u", Value),
    ("double(object.text) == 1.0", Value),
    ("bool(object.text)", Value),
    ("int(object.huge) == 1", Kind),
    ("timestamp(object.text) == timestamp(0)", Kind),
    ("duration(object.text) == duration('1s')", Kind),
    ("quantity(object.text).isInteger()", Kind),
    ("quantity(object.beyond).asInteger() == 1", Kind),
    ("timestamp(0).getHours(object.zone) == 1", Value),
    ("timestamp(0).getHours(object.text) == 1", Value),
    ("'x'.matches(object.regex)", Kind),
    ("object.whole.matches('x')", Kind),
    ("object.text + 1 == 2", Kind),
    ("object.text < 1", Kind),
    ("-object.text == 1", Kind),
    ("{object.list: 1}.size() == 1", Kind),
    ("object.text.all(x, x)", Kind),
    ("object.text.absent == 1", Kind),
    ("object.absent == 1", Kind),
    ("object.whole * 918273645918273 == 1", Kind),
    ("object.text", Kind),
    ("optional.none().value() == object.text", Kind),
    (
        "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, [1,2,3,4,5,6,7,8,9,10].all(d, object.text.startsWith('canary')))))",
        Kind,
    ),
];

const VALUES: &[(ValueKind, Language, &str, Tells)] = &[
    (ValueKind::Integer, Language::Kubectl, "text", Value),
    (ValueKind::Integer, Language::Kubectl, "half", Value),
    (ValueKind::Integer, Language::Cel, "object.half", Value),
    (ValueKind::Integer, Language::Cel, "double(object.half)", Value),
    (ValueKind::Integer, Language::Cel, "quantity(string(object.whole)).add(quantity('500m'))", Kind),
    (ValueKind::Integer, Language::Cel, "dyn(timestamp(object.whole))", Kind),
    (ValueKind::Integer, Language::Kubectl, "texts[*]", Kind),
    (ValueKind::Integer, Language::Kubectl, "map", Kind),
    (ValueKind::Double, Language::Kubectl, "text", Value),
    (ValueKind::Double, Language::Rfc9535, "$.texts[*]", Kind),
    (ValueKind::Quantity, Language::Kubectl, "text", Value),
    (ValueKind::Quantity, Language::Kubectl, "beyond", Value),
    (ValueKind::Quantity, Language::Kubectl, "great", Value),
    (ValueKind::Quantity, Language::Cel, "double(object.whole) * 1e30", Value),
    (ValueKind::Duration, Language::Kubectl, "text", Value),
    (ValueKind::Duration, Language::Kubectl, "great", Value),
    (ValueKind::Timestamp, Language::Kubectl, "text", Value),
    (ValueKind::Timestamp, Language::Kubectl, "whole", Value),
    (ValueKind::Timestamp, Language::Cel, "dyn(object.whole + 0)", Value),
];

const ATTRIBUTES: &[(ProjectionKind, Language, &str, Tells)] = &[
    (ProjectionKind::Primitive, Language::Kubectl, "map", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "texts[*]", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "texts[7]", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "text[0]", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "text[?(@.a==1)]", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "nested[?(@.a>1)].a", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "text.*", Kind),
    (ProjectionKind::Primitive, Language::Kubectl, "huge", Kind),
    (ProjectionKind::Primitive, Language::Cel, "object.map[object.text]", Value),
    (ProjectionKind::Map, Language::Kubectl, "text", Kind),
    (ProjectionKind::Timestamp, Language::Kubectl, "text", Kind),
    (ProjectionKind::Timestamp, Language::Kubectl, "whole", Kind),
    (ProjectionKind::Slice, Language::Cel, "dyn(bytes(object.text))", Kind),
];

/// The engine with one definition, and what it tells of the object.
struct Told {
    /// Of the listener.
    messages: Vec<String>,
    /// Of the status.
    last: Option<String>,
}

fn told(definition: &Definition) -> Told {
    let (mut engine, source, row) = engine(definition);
    let mut messages = Vec::new();
    engine.apply(source, Change::Upsert { row, origin: Origin::Watch }, &mut |failure| {
        messages.push(format!("{} {:?} {failure:?}", failure.error, failure.error));
    });
    let metric = engine.flush_all().metrics.keys().next().copied().expect("the metric is complete");
    Told { messages, last: engine.status(metric).expect("registered").errors.last_message }
}

fn engine(definition: &Definition) -> (Engine, SourceId, Row) {
    // Without the index, which spares objects some errors.
    let mut engine = Engine::new(Options { index: false, ..Options::default() });
    let source = engine.add_source();
    engine.register(definition, &[source]).unwrap_or_else(|errors| panic!("{definition:?}: {}", errors[0]));
    let fields = engine.field_plan(source).expect("the source exists");
    engine.apply(source, Change::Begin { epoch: fields.epoch() }, &mut |_| {});
    engine.apply(source, Change::End, &mut |_| {});
    let mut decoder = Decoder::new(fields);
    let row = decoder.decode(OBJECT.as_bytes(), Defaults::default()).expect("the object is JSON");
    (engine, source, row)
}

/// Every error there is a definition for, with whether it quotes a value.
fn definitions() -> Vec<(Definition, Tells)> {
    let formula = |language, text: &str| Formula { language, text: text.into(), place: "here".into() };
    let start = || Definition::count("secrets");
    let filters = FILTERS.iter().map(|(text, tells)| (start().filter(text), *tells));
    let values = VALUES.iter().map(|(kind, language, text, tells)| {
        let (formula, aggregation) = (formula(*language, text), Aggregation::Sum);
        let value = ValueFrom { formula, kind: *kind, aggregation, default: None };
        (Definition { value: Some(value), ..start() }, *tells)
    });
    let attributes = ATTRIBUTES.iter().map(|(kind, language, text, tells)| {
        let formula = formula(*language, text);
        let projection = Projection { name: "a".into(), formula, kind: *kind, default: None };
        (Definition { projections: vec![projection], ..start() }, *tells)
    });
    let each = [
        (start().each("object.text"), Kind),
        (start().each("object.texts").by("a", "item.absent"), Kind),
        (start().each("object.texts").aggregate(Aggregation::Sum, ValueKind::Integer, "item"), Value),
    ];
    filters.chain(values).chain(attributes).chain(each).collect()
}

#[test]
fn no_error_of_a_confidential_definition_quotes_a_value() {
    for (definition, tells) in definitions() {
        let open = told(&definition);
        let quotes = |text: &str| CANARIES.iter().any(|canary| text.contains(canary));
        let last = open.last.unwrap_or_else(|| panic!("nothing failed: {definition:?}"));
        assert_eq!(quotes(&last), tells == Value, "{last}");
        let closed = told(&Definition { confidential: true, ..definition });
        let discreet = closed.last.expect("it fails as before");
        for text in closed.messages.iter().chain([&discreet]) {
            assert!(!quotes(text), "{text}");
        }
        assert_eq!(closed.messages.len(), open.messages.len());
        let place = last.split(": ").next().expect("an error begins with its place");
        assert!(discreet.starts_with(place), "{discreet}");
        let withheld = discreet.contains(CONFIDENTIAL);
        assert!(withheld || (discreet == last && tells == Kind), "{last}\n{discreet}");
    }
}

#[test]
fn what_is_wrong_is_said_all_the_same() {
    let message = |definition: Definition| {
        told(&Definition { confidential: true, ..definition }).last.expect("it fails")
    };
    assert_eq!(
        message(Definition::count("m").filter("int(object.text) == 1")),
        "filter: cannot convert (confidential) to int"
    );
    assert_eq!(
        message(Definition::count("m").aggregate(Aggregation::Sum, ValueKind::Quantity, "object.text")),
        "value: (confidential): not a quantity: it must be a decimal number with an optional suffix, such as 1.5, 500m, 2Gi or 1e3"
    );
}

#[test]
fn neither_rows_nor_what_decodes_them_show_what_they_hold() {
    let (engine, _, row) = engine(&Definition::count("m").by("a", "object.text"));
    assert_eq!(row.root().kind(), celemetry_engine::row::Kind::Map);
    let change = Change::Upsert { row, origin: Origin::Review };
    let event = format!(r#"{{"type":"ADDED","object":{OBJECT}}}"#);
    let envelope = Envelope::split(event.as_bytes()).expect("the event is whole");
    let mut decoder = Decoder::new(engine_fields());
    decoder.decode(OBJECT.as_bytes(), Defaults::default()).expect("the object is JSON");
    for text in
        [format!("{change:?}"), format!("{envelope:?}"), format!("{decoder:?}"), format!("{engine:?}")]
    {
        assert!(!text.contains("canary") && !text.contains("99, 97, 110, 97, 114, 121"), "{text}");
    }
}

/// Fields that hold every text of the object.
fn engine_fields() -> std::sync::Arc<celemetry_engine::row::FieldPlan> {
    std::sync::Arc::new(celemetry_engine::row::FieldPlan::whole(celemetry_engine::row::HashSeed::default()))
}
