//! Kubernetes' URLs: `url('https://example.com/')`.
//!
//! In: texts, URLs. Out: URLs and their parts. Must never know: rows.

use std::sync::Arc;

use super::super::types::StaticType::{self, Bool, Map, String, Url as Address};
use super::super::{Budget, MapValue, Value};
use super::{Overload, function, method, no_overload, string};
use crate::error::EvaluationError;
use crate::scalar::Url;

const ONE: &[StaticType] = &[Address];

pub(super) const TABLE: &[Overload] = &[
    function("url", &[String], Address, url).checking_literals(),
    function("isURL", &[String], Bool, is_url),
    method("getScheme", ONE, String, |a, b| part(a, b, |url| &url.scheme)),
    method("getHost", ONE, String, |a, b| part(a, b, |url| &url.host)),
    method("getHostname", ONE, String, |a, b| part(a, b, Url::hostname)),
    method("getPort", ONE, String, |a, b| part(a, b, Url::port)),
    method("getEscapedPath", ONE, String, |a, b| part(a, b, |url| &url.path)),
    method("getQuery", ONE, Map, query),
];

/// How much longer a URL can be than its text: what must be escaped takes three characters, and is held twice.
const GROWTH: usize = 6;

fn url<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.build(text.len().saturating_mul(GROWTH))?;
    let parsed = Url::parse(text);
    parsed.map(|url| Value::Url(Arc::new(url))).map_err(|error| EvaluationError::new(error.0))
}

fn is_url<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.build(text.len().saturating_mul(GROWTH))?;
    Ok(Value::Bool(Url::is_valid(text)))
}

fn given<'a>(arguments: &'a [Value<'_>]) -> Result<&'a Url, EvaluationError> {
    match arguments {
        [Value::Url(url)] => Ok(url),
        _ => Err(no_overload()),
    }
}

fn part<'r>(
    arguments: &[Value<'r>],
    budget: &mut Budget,
    read: impl Fn(&Url) -> &str,
) -> Result<Value<'r>, EvaluationError> {
    let part = read(given(arguments)?);
    budget.build(part.len())?;
    Ok(Value::text(part))
}

/// The parameters by their names, each with a list of its values.
fn query<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let mut by_name = std::collections::BTreeMap::<std::string::String, Vec<Value<'r>>>::new();
    for (name, value) in given(arguments)?.parameters() {
        budget.build_values(2)?;
        budget.build(name.len().saturating_add(value.len()))?;
        by_name.entry(name).or_default().push(Value::text(value));
    }
    let mut map = MapValue::default();
    for (name, values) in by_name {
        budget.build_values(values.len())?;
        map.insert(Value::text(name), Value::List(values.into()))?;
    }
    Ok(Value::Map(Arc::new(map)))
}
