//! Small texts that ask for much end as they must on a stack of 1 MiB, within their budget. How long they take:
//! `benches/hostile.rs`.

use std::fmt::Write;
use std::sync::Arc;

use celemetry_engine::definition::Formula;
use celemetry_engine::expression::{Budget, Demand, Environment, Expression, Scope};
use celemetry_engine::row::{Decoder, Defaults, FieldPlan, HashSeed};

use self::texts::{End, Hostile};

#[path = "../../benches/hostile/texts.rs"]
mod texts;

#[test]
fn every_hostile_text_ends_as_it_must_on_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let wrong = thread.spawn(|| {
        let object = texts::object();
        let mut wrong = String::new();
        for hostile in texts::all() {
            if let Err(error) = check(&hostile, &object) {
                writeln!(wrong, "{:?}, {}: {error}", hostile.language, hostile.name).unwrap();
            }
        }
        wrong
    });
    let wrong = wrong.expect("a thread starts").join().expect("nothing panics");
    assert!(wrong.is_empty(), "{wrong}");
}

fn check(hostile: &Hostile, object: &str) -> Result<(), String> {
    let place = "spec.filter".to_owned();
    let formula = Formula { language: hostile.language, text: hostile.text.clone(), place };
    let mut plan = FieldPlan::new(HashSeed(1, 2));
    let mut fields = plan.record();
    let compiled = Expression::compile(&formula, &Scope::default(), Demand::Whole, &mut fields);
    drop(fields.finish());
    let compiled = match (compiled, hostile.end) {
        (Ok(compiled), End::Fails(_) | End::Gives) => compiled,
        (Err(error), End::Refused(part)) if error.to_string().contains(part) => return Ok(()),
        (Err(error), _) => return Err(format!("refused: {:.200}", error.to_string())),
        (Ok(_), End::Refused(_)) => return Err("it compiles".to_owned()),
    };
    let row = Decoder::new(Arc::new(plan)).decode(object.as_bytes(), Defaults::default());
    let row = row.expect("the object is JSON");
    let mut budget = Budget::EXPRESSION;
    let outcome = compiled.evaluate(&Environment { row: &row, item: None, position: None }, &mut budget);
    let steps = Budget::EXPRESSION.steps - budget.steps;
    assert_eq!(steps, budget.spent(), "what is left was granted");
    match (&outcome, hostile.end) {
        (Ok(_), End::Gives) => Ok(()),
        (Err(error), End::Fails(part)) if error.to_string().contains(part) => Ok(()),
        (Ok(_), _) => Err(format!("it has a value, for {steps} steps")),
        (Err(error), _) => Err(format!("{error}, for {steps} steps")),
    }
}
