//! A definition → a plan, with every defect named at once.
//!
//! In: a definition and the field plan of its source. Out: a plan, or all errors. Must never know: rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::definition::{
    Aggregation, Definition, FieldRequirement, Formula, LabelRequirement, Projection, ProjectionKind,
    TextForm, ValueFrom,
};
use crate::error::CompileError;
use crate::expression::{Demand, Expression, ItemScope, Scope, SharedExpressions};
use crate::index::{Conditions, LabelTest, Selector};
use crate::row::{FieldId, FieldPlan, FieldRecorder};

use serde_json::Value as Json;

use super::text::ProjectionError;
use super::{FieldTest, Plan, ProjectionStep, Step, ValueStep, amount, demands, text};

/// Compiles the parts of one definition and gathers their errors.
struct Compiler<'p> {
    shared: &'p mut SharedExpressions,
    fields: FieldRecorder<'p>,
    scope: Scope,
    errors: Vec<CompileError>,
    /// Those that have patterns, each once.
    with_patterns: Vec<Expression>,
}

/// What the compiled patterns of one definition may take together, in KiB.
const MAX_PATTERNS_KIB: usize = 1024;

impl Plan {
    /// Compiles `definition` by itself, adding to `fields` what it reads.
    ///
    /// # Errors
    /// Every defect of the definition; `fields` is then as it was.
    pub fn compile(definition: &Definition, fields: &mut FieldPlan) -> Result<Plan, Vec<CompileError>> {
        let mut shared = SharedExpressions::new(fields.seed());
        Plan::compile_shared(definition, fields, &mut shared)
    }

    /// As [`compile`](Self::compile), sharing expressions with other plans of the same source.
    pub(crate) fn compile_shared(
        definition: &Definition,
        fields: &mut FieldPlan,
        shared: &mut SharedExpressions,
    ) -> Result<Plan, Vec<CompileError>> {
        let mut compiler = Compiler {
            shared,
            fields: fields.record(),
            scope: Scope::default(),
            errors: Vec::new(),
            with_patterns: Vec::new(),
        };
        let labels = definition.labels.iter().map(|label| compiler.label(label)).collect();
        let field_tests = definition.fields.iter().map(|field| compiler.field(field)).collect();
        if definition.namespaces.is_some() {
            compiler.path(&["metadata", "namespace"]);
        }
        let filter = definition.filter.as_ref().and_then(|formula| compiler.filter(formula));
        let elements = definition.for_each.as_ref().and_then(|formula| compiler.elements(formula));
        let projections = compiler.projections(&definition.projections, definition.text);
        let value = definition.value.as_ref().and_then(|value| compiler.value(value));
        let Compiler { fields, errors, .. } = compiler;
        if !errors.is_empty() {
            return Err(errors);
        }
        let filters = filter.as_ref().map(|step| step.expression.conditions().to_vec()).unwrap_or_default();
        let selector = Selector { labels, namespaces: definition.namespaces.clone().map(Arc::new) };
        Ok(Plan {
            conditions: Arc::new(Conditions { selector, filters }),
            fields: field_tests,
            filter,
            elements,
            projections,
            value,
            form: definition.text,
            confidential: definition.confidential,
            uses: fields.finish(),
        })
    }
}

impl Compiler<'_> {
    /// The field at a chain of names from the root, kept.
    fn path(&mut self, names: &[&str]) -> FieldId {
        let field = names.iter().fold(FieldId::ROOT, |parent, name| self.fields.member(parent, name));
        self.fields.keep(field);
        field
    }

    fn label(&mut self, label: &LabelRequirement) -> LabelTest {
        LabelTest { field: self.path(&["metadata", "labels", &label.key]), operator: label.operator.clone() }
    }

    fn field(&mut self, requirement: &FieldRequirement) -> FieldTest {
        let names: Vec<&str> = requirement.path.iter().map(String::as_str).collect();
        FieldTest { field: self.path(&names), requirement: requirement.clone() }
    }

    fn expression(&mut self, formula: &Formula, demand: Demand) -> Option<Step> {
        match self.shared.compile(formula, &self.scope, demand, &mut self.fields) {
            Ok(expression) => {
                self.count_patterns(&expression, &formula.place)?;
                Some(Step { expression, place: formula.place.as_str().into() })
            }
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    /// Nothing where the patterns of this one and of those before it are too large together.
    fn count_patterns(&mut self, expression: &Expression, place: &str) -> Option<()> {
        let takes = expression.patterns_kib();
        if takes == 0 || self.with_patterns.iter().any(|other| other.is_same(expression)) {
            return Some(());
        }
        if self.with_patterns.iter().map(Expression::patterns_kib).sum::<usize>() + takes > MAX_PATTERNS_KIB {
            self.refuse(
                place,
                format!(
                    "the regular expressions of one definition are too large together: more than {MAX_PATTERNS_KIB} KiB"
                ),
            );
            return None;
        }
        self.with_patterns.push(expression.clone());
        Some(())
    }

    fn filter(&mut self, formula: &Formula) -> Option<Step> {
        let step = self.expression(formula, Demand::Whole)?;
        self.demand(&formula.place, demands::of_filter(&step.expression));
        Some(step)
    }

    /// The list of `forEach`; from here on `item` is in scope.
    fn elements(&mut self, formula: &Formula) -> Option<Step> {
        let step = self.expression(formula, Demand::Elements);
        if let Some(step) = &step {
            self.demand(&formula.place, demands::of_elements(&step.expression));
        }
        let item = match step.as_ref().and_then(|step| step.expression.elements()) {
            Some(field) => ItemScope::Field(field),
            None => ItemScope::Computed,
        };
        self.scope.item = Some(item);
        step
    }

    /// Projections sorted by name; of several with one name the last stays, as a later pair replaces an earlier.
    fn projections(&mut self, projections: &[Projection], form: TextForm) -> Vec<ProjectionStep> {
        let mut by_name = BTreeMap::new();
        for projection in projections {
            let default = projection.default.as_ref().map(|json| default_text(projection.kind, form, json));
            if let Some(step) = self.expression(&projection.formula, Demand::Whole) {
                let given = demands::of_projection(&step.expression, projection.kind, form);
                self.demand(&projection.formula.place, given);
                let name: Arc<str> = projection.name.as_str().into();
                by_name.insert(name.clone(), ProjectionStep { name, step, kind: projection.kind, default });
            }
        }
        by_name.into_values().collect()
    }

    fn value(&mut self, value: &ValueFrom) -> Option<ValueStep> {
        let place = &value.formula.place;
        let default =
            match value.default.as_ref().map(|json| amount::of_default(json, value.kind)).transpose() {
                Ok(default) => default,
                Err(error) => {
                    self.refuse(&beside(place, "default"), error.message.into_owned());
                    None
                }
            };
        let step = self.expression(&value.formula, Demand::Whole)?;
        self.demand(place, demands::of_value(&step.expression, value.kind));
        Some(ValueStep { step, kind: value.kind, count: value.aggregation == Aggregation::Count, default })
    }

    /// Refuses what can give for no object what it is for.
    fn demand(&mut self, place: &str, given: Result<(), String>) {
        if let Err(message) = given {
            self.refuse(place, message);
        }
    }

    fn refuse(&mut self, place: &str, message: String) {
        self.errors.push(CompileError { place: place.to_owned(), line: 0, column: 0, message });
    }
}

/// The member `name` beside the member that `place` names: `spec.valueFrom.fieldPath` → `spec.valueFrom.default`.
fn beside(place: &str, name: &str) -> String {
    match place.rsplit_once('.') {
        Some((parent, _)) => format!("{parent}.{name}"),
        None => name.to_owned(),
    }
}

/// A default's text. Beyond what upstream takes, a number or a Bool stands for its digits or its name.
fn default_text(kind: ProjectionKind, form: TextForm, json: &Json) -> Result<Box<str>, ProjectionError> {
    let scalar = json.is_number() || json.is_boolean();
    if scalar && form == TextForm::Native && kind == ProjectionKind::Primitive {
        return Ok(json.to_string().into());
    }
    text::default_text(json, kind).map(String::into)
}
