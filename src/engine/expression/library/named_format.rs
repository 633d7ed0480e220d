//! Kubernetes' named formats: `format.dns1123Label().validate('my-name')`.
//!
//! In: names of formats, texts. Out: formats, what is wrong with a text. Must never know: rows.

use std::sync::Arc;

use super::super::types::StaticType::{Format as Form, Optional, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload, string};
use crate::error::EvaluationError;
use crate::scalar::Format;

pub(super) const TABLE: &[Overload] = &[
    function("format.named", &[String], Optional, named),
    method("validate", &[Form, String], Optional, validate),
    function("format.dns1123Label", &[], Form, |_, _| Ok(Value::Format(Format::Dns1123Label))),
    function("format.dns1123Subdomain", &[], Form, |_, _| Ok(Value::Format(Format::Dns1123Subdomain))),
    function("format.dns1035Label", &[], Form, |_, _| Ok(Value::Format(Format::Dns1035Label))),
    function("format.qualifiedName", &[], Form, |_, _| Ok(Value::Format(Format::QualifiedName))),
    function("format.dns1123LabelPrefix", &[], Form, |_, _| Ok(Value::Format(Format::Dns1123LabelPrefix))),
    function("format.dns1123SubdomainPrefix", &[], Form, |_, _| {
        Ok(Value::Format(Format::Dns1123SubdomainPrefix))
    }),
    function("format.dns1035LabelPrefix", &[], Form, |_, _| Ok(Value::Format(Format::Dns1035LabelPrefix))),
    function("format.labelValue", &[], Form, |_, _| Ok(Value::Format(Format::LabelValue))),
    function("format.uri", &[], Form, |_, _| Ok(Value::Format(Format::Uri))),
    function("format.uuid", &[], Form, |_, _| Ok(Value::Format(Format::Uuid))),
    function("format.byte", &[], Form, |_, _| Ok(Value::Format(Format::Byte))),
    function("format.date", &[], Form, |_, _| Ok(Value::Format(Format::Date))),
    function("format.datetime", &[], Form, |_, _| Ok(Value::Format(Format::Datetime))),
];

/// What checking a format may copy of a text: a URL is taken apart.
const GROWTH: usize = 6;

fn named<'r>(arguments: &[Value<'r>], _: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let format = Format::named(string(arguments, 0)?);
    Ok(Value::Optional(format.map(|format| Arc::new(Value::Format(format)))))
}

/// Nothing where the text has the format, else a list of what is wrong.
fn validate<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let Some(Value::Format(format)) = arguments.first() else { return Err(no_overload()) };
    let text = string(arguments, 1)?;
    budget.build(text.len().saturating_mul(GROWTH))?;
    let faults = format.faults(text);
    if faults.is_empty() {
        return Ok(Value::Optional(None));
    }
    budget.build_values(faults.len())?;
    budget.build(faults.iter().map(std::string::String::len).sum())?;
    let faults = faults.into_iter().map(Value::text).collect();
    Ok(Value::Optional(Some(Arc::new(Value::List(faults)))))
}
