//! A part of an expression as text.
//!
//! In: syntax. Out: CEL that parses to the same syntax, with the blanks that most people write. Must never know: values
//! of objects.

use std::borrow::Cow;
use std::fmt::Write;

use super::super::syntax::{BindSyntax, CallSyntax, Macro, MacroSyntax, Syntax, SyntaxKind};
use super::super::{Text, Value};

/// How tightly a part holds together; a part that holds less than its surroundings ask for stands in parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Conditional,
    Or,
    And,
    Relation,
    Sum,
    Product,
    Unary,
    Chain,
}

/// The text of a part.
pub(super) fn of(syntax: &Syntax) -> String {
    let mut text = String::new();
    write(syntax, Tightness::Conditional, &mut text);
    text
}

fn tightness(syntax: &Syntax) -> Tightness {
    match &syntax.kind {
        SyntaxKind::Conditional(_) => Tightness::Conditional,
        SyntaxKind::Or(_) => Tightness::Or,
        SyntaxKind::And(_) => Tightness::And,
        SyntaxKind::Compare(..) | SyntaxKind::In(_) => Tightness::Relation,
        SyntaxKind::Arithmetic(operator, _) => match operator.symbol() {
            "+" | "-" => Tightness::Sum,
            _ => Tightness::Product,
        },
        SyntaxKind::Not(_) | SyntaxKind::Negate(_) => Tightness::Unary,
        // A minus before a dot would be read last.
        SyntaxKind::Literal(Value::Int(n)) if *n < 0 => Tightness::Unary,
        SyntaxKind::Literal(Value::Double(n)) if n.is_sign_negative() => Tightness::Unary,
        _ => Tightness::Chain,
    }
}

fn write(syntax: &Syntax, least: Tightness, out: &mut String) {
    let own = tightness(syntax);
    if own < least {
        out.push('(');
        write_bare(syntax, own, out);
        out.push(')');
    } else {
        write_bare(syntax, own, out);
    }
}

fn write_bare(syntax: &Syntax, own: Tightness, out: &mut String) {
    match &syntax.kind {
        SyntaxKind::Literal(value) => literal(value, out),
        SyntaxKind::Identifier(name) => out.push_str(name),
        SyntaxKind::Select { operand, name, optional } => {
            write(operand, Tightness::Chain, out);
            out.push_str(if *optional { ".?" } else { "." });
            out.push_str(&escaped(name));
        }
        SyntaxKind::Has { operand, name } => {
            out.push_str("has(");
            write(operand, Tightness::Chain, out);
            let _ = write!(out, ".{})", escaped(name));
        }
        SyntaxKind::Index { operand, index, optional } => {
            write(operand, Tightness::Chain, out);
            out.push_str(if *optional { "[?" } else { "[" });
            write(index, Tightness::Conditional, out);
            out.push(']');
        }
        SyntaxKind::Call(call) => call_text(call, out),
        SyntaxKind::And(terms) => joined(terms.iter(), " && ", Tightness::Relation, out),
        SyntaxKind::Or(terms) => joined(terms.iter(), " || ", Tightness::And, out),
        SyntaxKind::Not(operand) => unary('!', operand, out),
        SyntaxKind::Negate(operand) => unary('-', operand, out),
        SyntaxKind::Conditional(parts) => {
            write(&parts[0], Tightness::Or, out);
            out.push_str(" ? ");
            write(&parts[1], Tightness::Or, out);
            out.push_str(" : ");
            write(&parts[2], Tightness::Conditional, out);
        }
        SyntaxKind::Arithmetic(operator, operands) => binary(operands, operator.symbol(), own, out),
        SyntaxKind::Compare(comparison, operands) => binary(operands, comparison.symbol(), own, out),
        SyntaxKind::In(operands) => binary(operands, "in", own, out),
        SyntaxKind::List(elements) => {
            out.push('[');
            for (at, (element, optional)) in elements.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(if *optional { "?" } else { "" });
                write(element, Tightness::Conditional, out);
            }
            out.push(']');
        }
        SyntaxKind::Map(entries) => map_text(entries, out),
        SyntaxKind::Macro(each) => macro_text(each, out),
        SyntaxKind::Bind(bind) => bind_text(bind, out),
    }
}

fn map_text(entries: &[(Syntax, Syntax, bool)], out: &mut String) {
    out.push('{');
    for (at, (key, value, optional)) in entries.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        out.push_str(if *optional { "?" } else { "" });
        write(key, Tightness::Conditional, out);
        out.push_str(": ");
        write(value, Tightness::Conditional, out);
    }
    out.push('}');
}

fn bind_text(bind: &BindSyntax, out: &mut String) {
    let _ = write!(out, "cel.bind({}, ", bind.variable);
    joined([&bind.value, &bind.body].into_iter(), ", ", Tightness::Conditional, out);
    out.push(')');
}

fn binary(operands: &[Syntax; 2], symbol: &str, own: Tightness, out: &mut String) {
    write(&operands[0], own, out);
    let _ = write!(out, " {symbol} ");
    // To the right of an operator its equals would be read first.
    let right = match own {
        Tightness::Relation => Tightness::Sum,
        Tightness::Sum => Tightness::Product,
        _ => Tightness::Unary,
    };
    write(&operands[1], right, out);
}

fn unary(symbol: char, operand: &Syntax, out: &mut String) {
    out.push(symbol);
    write(operand, Tightness::Chain, out);
}

fn joined<'s>(parts: impl Iterator<Item = &'s Syntax>, between: &str, least: Tightness, out: &mut String) {
    for (at, part) in parts.enumerate() {
        out.push_str(if at > 0 { between } else { "" });
        write(part, least, out);
    }
}

fn call_text(call: &CallSyntax, out: &mut String) {
    if let Some(target) = &call.target {
        write(target, Tightness::Chain, out);
        out.push('.');
    }
    let _ = write!(out, "{}(", call.name);
    joined(call.arguments.iter(), ", ", Tightness::Conditional, out);
    out.push(')');
}

fn macro_text(each: &MacroSyntax, out: &mut String) {
    write(&each.target, Tightness::Chain, out);
    let name = match each.kind {
        Macro::All => "all",
        Macro::Exists => "exists",
        Macro::ExistsOne => "exists_one",
        Macro::Filter => "filter",
        Macro::Map if each.second.is_some() => "transformList",
        Macro::Map => "map",
        Macro::TransformMap => "transformMap",
        Macro::TransformMapEntry => "transformMapEntry",
        Macro::SortBy => "sortBy",
        Macro::OptMap => "optMap",
        Macro::OptFlatMap => "optFlatMap",
    };
    let _ = write!(out, ".{name}({}", each.variable);
    if let Some(second) = &each.second {
        let _ = write!(out, ", {second}");
    }
    for part in [&each.condition, &each.result].into_iter().flatten() {
        out.push_str(", ");
        write(part, Tightness::Conditional, out);
    }
    out.push(')');
}

fn literal(value: &Value<'static>, out: &mut String) {
    let _ = match value {
        Value::Null => write!(out, "null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::Uint(value) => write!(out, "{value}u"),
        Value::Double(value) => write!(out, "{value:?}"),
        Value::String(text) => write!(out, "{}", quoted(text)),
        Value::Bytes(bytes) => {
            out.push_str("b'");
            for byte in bytes.iter() {
                let _ = write!(out, "\\x{byte:02x}");
            }
            write!(out, "'")
        }
        other => write!(out, "{}", other.type_name()),
    };
}

/// The name of a member, in backticks where it is no identifier.
fn escaped(name: &str) -> Cow<'_, str> {
    let is_identifier = !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name != "in";
    if is_identifier { Cow::Borrowed(name) } else { Cow::Owned(format!("`{name}`")) }
}

fn quoted(text: &Text<'_>) -> String {
    let mut quoted = String::from("'");
    for character in text.as_str().chars() {
        match character {
            '\'' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::super::super::cel::parse;
    use super::of;

    #[test]
    fn parts_read_as_they_were_written() {
        for text in [
            "object.status.phase == 'Running'",
            "!(a && (b || c)) && d",
            "a || b && c",
            "(a || b) && c",
            "a - (b - c) - d * (e + f) % 2",
            "-a.b + -1 + (-1).f()",
            "a ? b : c ? d : e",
            "(a ? b : c) ? d : e",
            "has(object.a.b) && object.?a[?0].orValue('x') in ['a', 'b\\'c\\\\']",
            "object.list.filter(x, x.a > 1u).map(y, y.b > 1.0, {y.c: [y.d, ?y.e]})",
            "object.a.exists(x, x.all(y, y == null)) == true",
            "size(object.a) <= 3 && object.b.matches('^a.*\\n')",
            "object.a.transformList(i, x, i > 0, x.b).sortBy(x, x) + object.b.transformMap(k, v, v)",
            "cel.bind(x, object.a, x + x).exists(i, x, i == x)",
            "object.`odd-name`.b",
            "b'\\x61\\xff' == c",
        ] {
            assert_eq!(of(&parse(text).unwrap()), text);
        }
    }
}
