//! A plan × a row → what the row contributes.
//!
//! In: a plan, a row, a meter. Out: an [`Evaluation`]. A failure concerns what it concerns and nothing else: of the
//! filter, the object does not count; of an attribute, the attribute is left out; of a value, the element is left out.

use std::borrow::Cow;
use std::sync::Arc;

use crate::definition::{ProjectionKind, TextForm};
use crate::error::EvaluationError;
use crate::expression::{Budget, Environment, Memo, Outcome, Position, Text, Value};
use crate::row::{Kind, Row};
use crate::series::Amount;

use super::{Contributed, Evaluation, Failure, FieldTest, Meter, Plan, ProjectionStep, Step, ValueStep};
use super::{amount, elements, text};

/// Longer texts are cut, and told apart by a hash of all of them: a label is no place for documents.
const LONGEST_TEXT: usize = 1024;

impl Plan {
    /// What `row` contributes. Selectors are checked here too, so this alone is the meaning of the definition.
    pub fn evaluate<'r>(&'r self, row: &'r Row, meter: &mut Meter) -> Evaluation<'r> {
        if self.selects(row) { self.evaluate_selected(row, None, meter) } else { Evaluation::default() }
    }

    /// Whether the selectors of labels and namespaces hold for a row.
    pub(crate) fn selects(&self, row: &Row) -> bool {
        self.conditions.selector.matches(row)
    }

    /// As [`evaluate`](Self::evaluate), for a row that the selectors are known to hold for. With a memo, what is remembered
    /// of the event is used, and added to.
    pub(crate) fn evaluate_selected<'r>(
        &'r self,
        row: &'r Row,
        memo: Option<&Memo<'r>>,
        meter: &mut Meter,
    ) -> Evaluation<'r> {
        let mut evaluation = self.filtered(row, memo, meter);
        if self.confidential {
            for failure in &mut evaluation.failures {
                failure.error = failure.error.discreet();
            }
        }
        evaluation
    }

    /// What `row` contributes if fields and filter hold for it.
    fn filtered<'r>(&'r self, row: &'r Row, memo: Option<&Memo<'r>>, meter: &mut Meter) -> Evaluation<'r> {
        let mut evaluation = Evaluation::default();
        if !self.fields.iter().all(|test| test.holds(row)) {
            return evaluation;
        }
        let mut run = Run { meter, memo, environment: Environment { row, item: None, position: None } };
        match self.filter.as_ref().map(|step| run.filter(step)) {
            None | Some(Ok(true)) => evaluation.matched = true,
            Some(Ok(false)) => return evaluation,
            Some(Err(failure)) => {
                evaluation.failures.push(failure);
                return evaluation;
            }
        }
        match &self.elements {
            None => self.element(&mut run, &mut evaluation),
            Some(step) => match run.elements(step) {
                Ok(found) => {
                    for (position, item) in found {
                        if run.meter.left == 0 {
                            evaluation.failures.push(exhausted(step));
                            break;
                        }
                        run.environment.item = Some(item);
                        run.environment.position = Some(position);
                        self.element(&mut run, &mut evaluation);
                    }
                }
                Err(failure) => evaluation.failures.push(failure),
            },
        }
        evaluation
    }

    /// What each element, or the object as a whole, contributes by itself, if selectors and filter hold: for explanations.
    ///
    /// # Errors
    /// Where there are no elements because their expression fails.
    pub(crate) fn apart<'r>(
        &'r self,
        row: &'r Row,
        meter: &mut Meter,
    ) -> Result<Vec<(Option<Element<'r>>, Evaluation<'r>)>, Failure<'r>> {
        let mut run = Run { meter, memo: None, environment: Environment { row, item: None, position: None } };
        let found: Vec<Option<Element<'r>>> = match &self.elements {
            None => vec![None],
            Some(step) => run.elements(step)?.into_iter().map(Some).collect(),
        };
        let mut apart = Vec::with_capacity(found.len());
        for element in found {
            if let Some((position, item)) = element.clone() {
                (run.environment.item, run.environment.position) = (Some(item), Some(position));
            }
            let mut evaluation = Evaluation { matched: true, ..Evaluation::default() };
            self.element(&mut run, &mut evaluation);
            if self.confidential {
                evaluation.failures.iter_mut().for_each(|failure| failure.error = failure.error.discreet());
            }
            apart.push((element, evaluation));
        }
        Ok(apart)
    }

    /// What one element, or the object as a whole, contributes.
    fn element<'r>(&'r self, run: &mut Run<'_, 'r>, evaluation: &mut Evaluation<'r>) {
        let amount = match &self.value {
            None => Amount::Unit,
            Some(value) => match run.value(value) {
                Ok(Some(amount)) => amount,
                Ok(None) => {
                    evaluation.without_value += 1;
                    return;
                }
                Err(failure) => {
                    evaluation.failures.push(failure);
                    return;
                }
            },
        };
        let mut attributes = Vec::with_capacity(self.projections.len());
        for projection in &self.projections {
            match run.text(projection, self.form) {
                Ok(Some(text)) if !text.is_empty() => attributes.push((&projection.name, text)),
                Ok(_) => {}
                Err(failure) => evaluation.failures.push(failure),
            }
        }
        evaluation.contributions.push(Contributed { attributes, amount });
    }
}

/// An element of a `forEach` and where it stands.
pub(crate) type Element<'r> = (Position<'r>, Value<'r>);

/// One evaluation under way.
struct Run<'m, 'r> {
    meter: &'m mut Meter,
    memo: Option<&'m Memo<'r>>,
    environment: Environment<'r>,
}

impl<'r> Run<'_, 'r> {
    fn evaluate(&mut self, step: &'r Step) -> Result<Outcome<'r>, Failure<'r>> {
        let memo = self.memo;
        self.charged(step, |step, environment, budget| {
            step.expression.evaluate_with(environment, memo, budget)
        })
    }

    /// Does something within what one expression may cost, and books what it has cost.
    fn charged<T>(
        &mut self,
        step: &'r Step,
        work: impl FnOnce(&'r Step, &Environment<'r>, &mut Budget) -> Result<T, EvaluationError>,
    ) -> Result<T, Failure<'r>> {
        if self.meter.left == 0 {
            return Err(exhausted(step));
        }
        let mut budget = Budget::EXPRESSION.at_most(self.meter.left);
        let outcome = work(step, &self.environment, &mut budget);
        self.meter.left -= budget.spent();
        self.meter.spent += budget.spent();
        outcome.map_err(|error| fail(step, error))
    }

    fn filter(&mut self, step: &'r Step) -> Result<bool, Failure<'r>> {
        let memo = self.memo;
        self.charged(step, |step, environment, budget| step.expression.holds_with(environment, memo, budget))
    }

    fn elements(&mut self, step: &'r Step) -> Result<elements::Elements<'r>, Failure<'r>> {
        let outcome = self.evaluate(step)?;
        elements::of(outcome, step.expression.gives_elements()).map_err(|error| fail(step, error))
    }

    fn value(&mut self, value: &'r ValueStep) -> Result<Option<Amount>, Failure<'r>> {
        let outcome = self.evaluate(&value.step)?;
        let found = amount::of(&outcome, value.kind).map_err(|error| fail(&value.step, error))?;
        let found = found.or(value.default);
        Ok(if value.count { found.map(|_| Amount::Unit) } else { found })
    }

    fn text(
        &mut self,
        projection: &'r ProjectionStep,
        form: TextForm,
    ) -> Result<Option<Cow<'r, str>>, Failure<'r>> {
        let (kind, default, memo) = (projection.kind, projection.default.as_ref(), self.memo);
        let text = self.charged(&projection.step, |step, environment, budget| {
            let outcome = step.expression.evaluate_with(environment, memo, budget)?;
            if let (ProjectionKind::Primitive, Some(text)) = (kind, text_of_row(&outcome)) {
                return Ok(Some(Cow::Borrowed(text)));
            }
            let rendered = text::render(&outcome, kind, form, budget);
            let text = rendered.and_then(|rendered| rendered.or_default(default, kind, form));
            text.map_err(EvaluationError::from)
        })?;
        Ok(text.map(cut))
    }
}

/// The string that an outcome is, if it is one of the row: by far the most frequent attribute.
fn text_of_row<'r>(outcome: &Outcome<'r>) -> Option<&'r str> {
    match outcome {
        Outcome::Nodes(nodes) => match nodes.as_slice() {
            [node] => node.as_str(),
            _ => None,
        },
        Outcome::Value(Value::String(Text::Borrowed(text))) => Some(text),
        Outcome::Value(_) => None,
    }
}

impl FieldTest {
    fn holds(&self, row: &Row) -> bool {
        let text = row.at(self.field).and_then(|node| match node.kind() {
            Kind::String => node.as_str(),
            Kind::Number => node.as_number(),
            Kind::Bool => node.as_bool().map(|value| if value { "true" } else { "false" }),
            Kind::Null | Kind::List | Kind::Map => None,
        });
        (text.unwrap_or("") == self.requirement.value) == self.requirement.equal
    }
}

fn exhausted(step: &Step) -> Failure<'_> {
    fail(step, EvaluationError::new("the steps that one event may cost this namespace are used up"))
}

fn fail(step: &Step, error: EvaluationError) -> Failure<'_> {
    Failure { place: &step.place, error }
}

/// Texts beyond the limit: their beginning and a hash of the whole, so that two long texts stay two.
fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let hash = siphasher::sip128::SipHasher13::new().hash(text.as_bytes()).as_u128();
    let end = text.floor_char_boundary(LONGEST_TEXT - 40);
    Cow::Owned(format!("{}…{hash:032x}", &text[..end]))
}

impl Contributed<'_> {
    /// The identity of the series that this contributes to.
    pub fn identity(&self) -> crate::snapshot::Attributes {
        let pairs = self.attributes.iter().map(|(name, text)| (Arc::clone(name), Box::from(&**text)));
        crate::snapshot::Attributes::new(pairs)
    }
}
