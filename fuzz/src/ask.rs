//! One expression, asked of every object: whatever its text, it compiles or is refused with its place, and what it gives
//! is decided by the object alone, not by how much of it was kept, within what it may cost.

use std::sync::Arc;

use celemetry_engine::definition::{Formula, Language};
use celemetry_engine::error::{CompileError, EvaluationError};
use celemetry_engine::expression::{Budget, Demand, Environment, Expression, Outcome, Scope};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, FieldUses, HashSeed, Row};

use crate::objects::OBJECTS;
use crate::show;

const SEED: HashSeed = HashSeed(1, 2);

/// The stack on which any text must compile and run: what the limits on texts promise, in a debug build.
const STACK: usize = 1024 * 1024;

/// An expression, a row with all that it reads, and what it gives for it.
pub struct Answer<'a> {
    /// The object as JSON.
    pub object: &'a str,
    /// The expression.
    pub expression: &'a Expression,
    /// The fields of the object that the expression reads.
    pub row: &'a Row,
    /// What the expression gives.
    pub outcome: &'a Result<Outcome<'a>, EvaluationError>,
}

/// Asks an expression of every object, and `judge` what it makes of each answer. Gives the error where it does not compile.
///
/// # Panics
/// Where a promise is broken.
pub fn ask(language: Language, text: &str, judge: impl Fn(&Answer<'_>) + Sync) -> Result<(), CompileError> {
    on_small_stack(|| ask_here(language, text, &judge))
}

/// Runs on a stack as small as any text must do with.
///
/// # Panics
/// Where there is no thread to be had.
pub fn on_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let running = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
        running.expect("there is a thread to be had").join().expect("a panic has ended the process")
    })
}

fn ask_here(language: Language, text: &str, judge: &dyn Fn(&Answer<'_>)) -> Result<(), CompileError> {
    let formula = Formula { language, text: text.to_owned(), place: "spec.filter".to_owned() };
    let mut cut = FieldPlan::new(SEED);
    let mut whole = FieldPlan::whole(SEED);
    let nothing = format!("{cut:?}");
    let (expression, uses) = match (compile(&formula, &mut cut), compile(&formula, &mut whole)) {
        (Ok((expression, uses)), Ok(_)) => (expression, uses),
        (Err(error), Err(same)) => {
            assert_eq!(error, same, "the error does not depend on the field plan");
            check_place(&error, text);
            assert_eq!(format!("{cut:?}"), nothing, "what is refused leaves nothing in the field plan");
            return Err(error);
        }
        (one, other) => panic!("{:?}, with whole objects {:?}", one.err(), other.err()),
    };
    let mut decoders = [Arc::new(cut.clone()), Arc::new(whole)].map(Decoder::new);
    for object in OBJECTS {
        let [row, whole] = decoders.each_mut().map(|decoder| {
            decoder.decode(object.as_bytes(), Defaults::default()).expect("the objects are JSON")
        });
        check(&expression, &row, &whole);
        let outcome = evaluate(&expression, &row, &mut { Budget::EXPRESSION });
        judge(&Answer { object, expression: &expression, row: &row, outcome: &outcome });
    }
    cut.release(&uses);
    assert_eq!(format!("{cut:?}"), nothing, "what is given up leaves nothing in the field plan");
    Ok(())
}

fn compile(formula: &Formula, plan: &mut FieldPlan) -> Result<(Expression, FieldUses), CompileError> {
    let mut fields = plan.record();
    let expression = Expression::compile(formula, &Scope::default(), Demand::Whole, &mut fields)?;
    Ok((expression, fields.finish()))
}

fn evaluate<'r>(
    expression: &'r Expression,
    row: &'r Row,
    budget: &mut Budget,
) -> Result<Outcome<'r>, EvaluationError> {
    expression.evaluate(&Environment { row, item: None, position: None }, budget)
}

/// The same answer at the same cost from what is kept and from everything; with just that budget, and not with less.
fn check(expression: &Expression, row: &Row, whole: &Row) {
    let (answer, cost) = answer(expression, row, Budget::EXPRESSION);
    assert_eq!(
        (&answer, cost),
        (&self::answer(expression, whole, Budget::EXPRESSION).0, cost),
        "row against whole object"
    );
    let (steps, bytes) = cost;
    assert!(steps <= Budget::EXPRESSION.steps && bytes <= Budget::EXPRESSION.bytes);
    if answer.starts_with("error: expression needs more than") {
        return;
    }
    assert_eq!(
        self::answer(expression, row, Budget::new(steps, bytes)),
        (answer, cost),
        "a budget met exactly"
    );
    for less in [(steps.checked_sub(1), Some(bytes)), (Some(steps), bytes.checked_sub(1))] {
        let (Some(steps), Some(bytes)) = less else { continue };
        let (answer, _) = self::answer(expression, row, Budget::new(steps, bytes));
        assert!(answer.starts_with("error: expression needs more than"), "{answer} with too small a budget");
    }
}

/// What an expression gives, and the steps and bytes it takes.
fn answer(expression: &Expression, row: &Row, granted: Budget) -> (String, (u64, u64)) {
    let mut budget = granted;
    let outcome = evaluate(expression, row, &mut budget);
    (show::outcome(&outcome), (granted.steps - budget.steps, granted.bytes - budget.bytes))
}

/// An error names a place that the text has.
///
/// # Panics
/// Where it does not.
pub fn check_place(error: &CompileError, text: &str) {
    if error.line == 0 {
        assert_eq!(error.column, 0, "{error}");
        return;
    }
    let line = text.split('\n').nth(error.line as usize - 1);
    let line = line.unwrap_or_else(|| panic!("there is no such line: {error}"));
    assert!(
        error.column >= 1 && error.column as usize <= line.chars().count() + 1,
        "there is no such column: {error}"
    );
}
