//! Why an object counts or not, step by step.
//!
//! In: a definition and an object as JSON. Out: every step with what it found and its verdict. Must never know: indexes:
//! the object is evaluated whether the index would find the definition or not.

use serde_json::Value as Json;

use crate::definition::{Definition, FieldRequirement, Formula, LabelRequirement};
use crate::error::{CONFIDENTIAL, CompileError};
use crate::expression::explain::{self, Part, Shown, Variables};
use crate::expression::{Position, Value};
use crate::plan::{Evaluation, Meter, Plan};
use crate::row::{DecodeError, Decoder, Defaults, FieldPlan, HashSeed, Row};
use crate::series::Amount;

/// How an object fares.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What people call the object, such as `v1/Pod/shop/web-1`.
    pub object: String,
    /// Whether selectors and filter hold.
    pub matched: bool,
    /// Every requirement of the selectors, whether others hold or not.
    pub tests: Vec<Test>,
    /// The filter, if there is one and the selectors hold.
    pub filter: Option<Evaluated>,
    /// The list or map of the elements, if there is one and the filter holds.
    pub for_each: Option<Evaluated>,
    /// The elements, or the object as a whole.
    pub elements: Vec<TracedElement>,
}

/// One requirement of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What is required.
    pub requirement: Requirement,
    /// What was found, if there was something.
    pub found: Option<String>,
    /// Whether it holds.
    pub holds: bool,
}

/// What a selector requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Of a label.
    Label(LabelRequirement),
    /// Of a field.
    Field(FieldRequirement),
    /// Of the namespace: one of these.
    Namespaces(Vec<String>),
}

/// An expression with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluated {
    /// The expression and its place.
    pub formula: Formula,
    /// What the metric makes of its value: the text of an attribute, a number, a verdict.
    pub made: Shown,
    /// The expression part by part.
    pub part: Part,
}

/// An element, or the object as a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedElement {
    /// Its index or key; `None` for the object as a whole.
    pub position: Option<String>,
    /// The element.
    pub item: Option<Json>,
    /// The number, where it is not a count.
    pub value: Option<Evaluated>,
    /// The attributes by name, in the order of the definition.
    pub attributes: Vec<(String, Evaluated)>,
    /// What it adds to which series, as texts; `None` where it is left out.
    pub contribution: Option<(String, Vec<(String, String)>)>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The definition is at fault.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Compile(Vec<CompileError>),
    /// The object is.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// Evaluates a definition for one object, and says all that led to the result.
///
/// # Errors
/// Where the definition does not compile, or the object is no JSON object.
pub fn trace(definition: &Definition, object: &Json) -> Result<Trace, TraceError> {
    let json = object.to_string();
    let (plan, row) = compiled(definition, &json)?;
    let mut trace = Trace {
        object: row.label(),
        matched: plan.evaluate(&row, &mut meter()).matched,
        tests: tests(definition, object, &json)?,
        filter: None,
        for_each: None,
        elements: Vec::new(),
    };
    if trace.tests.iter().any(|test| !test.holds) {
        return Ok(trace);
    }
    let variables = Variables::object(json, definition.confidential);
    if let Some(formula) = &definition.filter {
        let part = explain::trace(formula, &variables);
        let failed =
            plan.evaluate(&row, &mut meter()).failures.into_iter().find(|f| f.place == formula.place);
        let made = match failed {
            Some(failure) if !trace.matched => Shown::Failed(failure.error.to_string()),
            _ => Shown::Value(trace.matched.into()),
        };
        trace.filter = Some(Evaluated { formula: formula.clone(), made, part });
    }
    if !trace.matched {
        return Ok(trace);
    }
    let apart = plan.apart(&row, &mut meter());
    if let Some(formula) = &definition.for_each {
        let part = explain::trace(formula, &variables);
        let made = match &apart {
            Ok(elements) => Shown::Value(elements.len().into()),
            Err(failure) if definition.confidential => Shown::Failed(failure.error.discreet().to_string()),
            Err(failure) => Shown::Failed(failure.error.to_string()),
        };
        trace.for_each = Some(Evaluated { formula: formula.clone(), made, part });
    }
    for (element, evaluation) in apart.unwrap_or_default() {
        let Some((position, item)) = element else {
            trace.elements.push(traced(definition, &variables, &evaluation));
            continue;
        };
        let json = if definition.confidential { CONFIDENTIAL.into() } else { explain::json_of(&item) };
        let inner = variables.with("item", &item);
        let (inner, position) = match position {
            Position::Index(index) => (inner.with("index", &Value::Int(index)), index.to_string()),
            Position::Key(key) => {
                let shown = if definition.confidential { CONFIDENTIAL } else { key.as_str() };
                (inner.with("key", &Value::String(key.clone())), shown.to_owned())
            }
        };
        let element = traced(definition, &inner, &evaluation);
        trace.elements.push(TracedElement { position: Some(position), item: Some(json), ..element });
    }
    Ok(trace)
}

/// Compiles a definition, and decodes the object with all that it reads.
fn compiled(definition: &Definition, json: &str) -> Result<(Plan, Row), TraceError> {
    let mut fields = FieldPlan::whole(HashSeed::default());
    let plan = Plan::compile(definition, &mut fields).map_err(TraceError::Compile)?;
    let row = Decoder::new(fields.into()).decode(json.as_bytes(), Defaults::default())?;
    Ok((plan, row))
}

fn meter() -> Meter {
    Meter::new(Meter::TENANT_STEPS)
}

/// Each requirement by itself is a definition of its own.
fn tests(definition: &Definition, object: &Json, json: &str) -> Result<Vec<Test>, TraceError> {
    let holds = |only: Definition| -> Result<bool, TraceError> {
        let (plan, row) = compiled(&only, json)?;
        Ok(plan.evaluate(&row, &mut meter()).matched)
    };
    let text = |value: &Json| match value {
        Json::String(text) => Some(text.clone()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
        scalar => Some(scalar.to_string()),
    };
    let mut tests = vec![];
    if let Some(names) = &definition.namespaces {
        tests.push(Test {
            requirement: Requirement::Namespaces(names.iter().cloned().collect()),
            found: text(&object["metadata"]["namespace"]),
            holds: holds(Definition { namespaces: Some(names.clone()), ..Definition::count("") })?,
        });
    }
    for label in &definition.labels {
        tests.push(Test {
            requirement: Requirement::Label(label.clone()),
            found: text(&object["metadata"]["labels"][label.key.as_str()]),
            holds: holds(Definition { labels: vec![label.clone()], ..Definition::count("") })?,
        });
    }
    for field in &definition.fields {
        let found = field.path.iter().fold(object, |value, name| &value[name.as_str()]);
        tests.push(Test {
            requirement: Requirement::Field(field.clone()),
            found: text(found)
                .map(|text| if definition.confidential { CONFIDENTIAL.to_owned() } else { text }),
            holds: holds(Definition { fields: vec![field.clone()], ..Definition::count("") })?,
        });
    }
    Ok(tests)
}

/// What an element, or the object, came to.
fn traced(definition: &Definition, variables: &Variables, evaluation: &Evaluation<'_>) -> TracedElement {
    let contribution = evaluation.contributions.first();
    let failure = |place: &str| {
        let failure = evaluation.failures.iter().find(|failure| failure.place == place);
        failure.map(|failure| Shown::Failed(failure.error.to_string()))
    };
    let evaluated = |formula: &Formula, made: Shown| Evaluated {
        formula: formula.clone(),
        made: failure(&formula.place).unwrap_or(made),
        part: explain::trace(formula, variables),
    };
    let is_secret = definition.confidential;
    let value = definition.value.as_ref().map(|value| {
        let made = match contribution {
            Some(_) if is_secret => Shown::Value(CONFIDENTIAL.into()),
            Some(contributed) => Shown::Value(amount(contributed.amount).into()),
            None => Shown::Nothing,
        };
        evaluated(&value.formula, made)
    });
    let attributes = definition.projections.iter().map(|projection| {
        let found = contribution.map(|contributed| {
            let mut attributes = contributed.attributes.iter();
            attributes.find(|(name, _)| ***name == *projection.name).map(|(_, text)| text)
        });
        let made = match found {
            // Without a number nothing else is asked for.
            None => Shown::Skipped,
            Some(None) => Shown::Nothing,
            Some(Some(_)) if is_secret => Shown::Value(CONFIDENTIAL.into()),
            Some(Some(text)) => Shown::Value(text.as_ref().into()),
        };
        (projection.name.clone(), evaluated(&projection.formula, made))
    });
    let attributes = attributes.collect();
    let contribution = contribution.map(|contributed| {
        let hide = |text: String| if is_secret { CONFIDENTIAL.to_owned() } else { text };
        let attributes =
            contributed.attributes.iter().map(|(name, text)| (name.to_string(), hide(text.to_string())));
        let number = amount(contributed.amount);
        (if definition.value.is_some() { hide(number) } else { number }, attributes.collect())
    });
    TracedElement { position: None, item: None, value, attributes, contribution }
}

/// The number in digits.
fn amount(amount: Amount) -> String {
    match amount {
        Amount::Unit => "1".to_owned(),
        Amount::Integer(value) => value.to_string(),
        Amount::Double(value) => value.to_string(),
        Amount::Nanos(nanos) => {
            let nanos = nanos.get();
            let (sign, size) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
            let text = format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}
