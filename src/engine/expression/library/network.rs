//! Kubernetes' addresses and their ranges: `ip('192.168.0.1')`, `cidr('192.168.0.0/24')`.
//!
//! In: texts, addresses, ranges. Out: addresses, ranges, answers. Must never know: rows.

use std::net::IpAddr;

use super::super::types::StaticType::{self, Bool, Cidr as Range, Int, Ip, String};
use super::super::{Budget, Value};
use super::{Overload, function, method, no_overload, string};
use crate::error::EvaluationError;
use crate::scalar::{Cidr, Ip as Address, ScalarError};

const IP: &[StaticType] = &[Ip];
const RANGE: &[StaticType] = &[Range];

pub(super) const TABLE: &[Overload] = &[
    function("ip", &[String], Ip, |a, b| Ok(Value::Ip(Address(address(a, 0, b)?)))).checking_literals(),
    function("isIP", &[String], Bool, is_ip),
    function("ip.isCanonical", &[String], Bool, is_canonical).checking_literals(),
    function("string", IP, String, written),
    method("family", IP, Int, |a, _| Ok(Value::Int(if given(a)?.is_ipv4() { 4 } else { 6 }))),
    method("isUnspecified", IP, Bool, |a, _| Ok(Value::Bool(given(a)?.is_unspecified()))),
    method("isLoopback", IP, Bool, |a, _| Ok(Value::Bool(given(a)?.is_loopback()))),
    method("isLinkLocalMulticast", IP, Bool, |a, _| Ok(Value::Bool(is_link_local_multicast(given(a)?)))),
    method("isLinkLocalUnicast", IP, Bool, |a, _| Ok(Value::Bool(is_link_local_unicast(given(a)?)))),
    method("isGlobalUnicast", IP, Bool, |a, _| Ok(Value::Bool(is_global_unicast(given(a)?)))),
    function("cidr", &[String], Range, |a, b| range(a, 0, b).map(Value::Cidr)).checking_literals(),
    function("isCIDR", &[String], Bool, is_cidr),
    function("string", RANGE, String, written),
    method("containsIP", &[Range, Ip], Bool, |a, b| {
        Ok(Value::Bool(range(a, 0, b)?.contains(address(a, 1, b)?)))
    }),
    method("containsIP", &[Range, String], Bool, |a, b| {
        Ok(Value::Bool(range(a, 0, b)?.contains(address(a, 1, b)?)))
    }),
    method("containsCIDR", &[Range, Range], Bool, contains_range),
    method("containsCIDR", &[Range, String], Bool, contains_range),
    method("ip", RANGE, Ip, |a, b| Ok(Value::Ip(Address(range(a, 0, b)?.address)))),
    method("prefixLength", RANGE, Int, |a, b| Ok(Value::Int(range(a, 0, b)?.prefix.into()))),
    method("masked", RANGE, Range, |a, b| Ok(Value::Cidr(range(a, 0, b)?.masked()))),
];

fn is_ip<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    Ok(Value::Bool(Address::parse(text).is_ok()))
}

/// Whether a text is an address just as `string` would write it.
fn is_canonical<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    Ok(Value::Bool(address(arguments, 0, budget)?.to_string() == text))
}

fn is_cidr<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = string(arguments, 0)?;
    budget.read(text.len())?;
    Ok(Value::Bool(Cidr::parse(text).is_ok()))
}

fn written<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let text = match arguments {
        [Value::Ip(address)] => address.to_string(),
        [Value::Cidr(range)] => range.to_string(),
        _ => return Err(no_overload()),
    };
    budget.build(text.len())?;
    Ok(Value::text(text))
}

fn contains_range<'r>(arguments: &[Value<'r>], budget: &mut Budget) -> Result<Value<'r>, EvaluationError> {
    let inner = range(arguments, 1, budget)?;
    Ok(Value::Bool(range(arguments, 0, budget)?.contains_range(inner)))
}

/// An address, or the text of one.
fn address(arguments: &[Value<'_>], at: usize, budget: &mut Budget) -> Result<IpAddr, EvaluationError> {
    match arguments.get(at) {
        Some(Value::Ip(address)) => Ok(address.0),
        Some(Value::String(text)) => {
            budget.read(text.as_str().len())?;
            Address::parse(text.as_str()).map(|address| address.0).map_err(failed)
        }
        _ => Err(no_overload()),
    }
}

/// A range, or the text of one.
fn range(arguments: &[Value<'_>], at: usize, budget: &mut Budget) -> Result<Cidr, EvaluationError> {
    match arguments.get(at) {
        Some(Value::Cidr(range)) => Ok(*range),
        Some(Value::String(text)) => {
            budget.read(text.as_str().len())?;
            Cidr::parse(text.as_str()).map_err(failed)
        }
        _ => Err(no_overload()),
    }
}

/// As an error of the evaluation.
fn failed(ScalarError(message): ScalarError) -> EvaluationError {
    EvaluationError::new(message)
}

fn given(arguments: &[Value<'_>]) -> Result<IpAddr, EvaluationError> {
    match arguments {
        [Value::Ip(address)] => Ok(address.0),
        _ => Err(no_overload()),
    }
}

fn is_link_local_multicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

fn is_link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// What is for one receiver and may be routed; private addresses are, too.
fn is_global_unicast(address: IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    !broadcast
        && !address.is_unspecified()
        && !address.is_loopback()
        && !address.is_multicast()
        && !is_link_local_unicast(address)
}
