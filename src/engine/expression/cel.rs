//! The cel crate's syntax tree → ours.
//!
//! In: text within the limits. Out: [`Syntax`]. Must never know: fields, functions, values of rows.
//!
//! The crate is used as a parser only, with its macros switched off: `has`, `exists` and their kind arrive as the calls
//! that the author wrote, and become syntax of their own here.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, SourceInfo, operators};

use super::Value;
use super::fault::{Checked, Fault, fault};
use super::syntax::{Arithmetic, BindSyntax, CallSyntax, Comparison, Macro, MacroSyntax, Syntax, SyntaxKind};
use super::wording::in_own_words;

/// How many nodes an expression may have.
const MAX_NODES: usize = 4096;

/// Parses a CEL expression that is within the limits.
///
/// # Errors
/// The first place where the text is no CEL.
pub(super) fn parse(text: &str) -> Checked<Syntax> {
    let parser = cel::Env::default().parser().enable_ident_escape_syntax(true);
    let parsed = parser.parse_with_source_info(text);
    let (root, source) = parsed.map_err(|errors| first_error(text, &errors))?;
    Converter { text, source, nodes: 0 }.convert(&root)
}

/// The first error, without the crate's own rendering, which panics on long lines.
fn first_error(text: &str, errors: &cel::ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else { return fault(0, "no expression") };
    let (line, column) = first.pos;
    let line = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let column = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let at = text[before..].char_indices().nth(column).map_or(text.len(), |(byte, _)| before + byte);
    let message = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    let (at, message) = in_own_words(message, text, at);
    fault(u32::try_from(at).unwrap_or(0), format!("syntax error: {message}"))
}

struct Converter<'t> {
    text: &'t str,
    source: SourceInfo,
    nodes: usize,
}

impl Converter<'_> {
    /// Converts a node. What hangs on its left, as in `a.b[c] + d`, is walked down in a loop: such chains are the
    /// deepest part of a tree.
    fn convert(&mut self, node: &IdedExpr) -> Checked<Syntax> {
        let mut chain = Vec::new();
        let mut first = node;
        while let Some(left) = left_of(first) {
            chain.push(first);
            first = left;
        }
        let mut syntax = self.begin(first)?;
        while let Some(node) = chain.pop() {
            syntax = self.extend(node, syntax)?;
        }
        Ok(syntax)
    }

    fn place(&mut self, node: &IdedExpr) -> Checked<u32> {
        let at = self.source.offset_for(node.id).map_or(0, |(start, _)| start);
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(fault(at, format!("more than {MAX_NODES} parts")));
        }
        Ok(at)
    }

    /// A node that nothing hangs on the left of.
    fn begin(&mut self, node: &IdedExpr) -> Checked<Syntax> {
        let at = self.place(node)?;
        let kind = match &node.expr {
            Expr::Ident(name) => SyntaxKind::Identifier(name.trim_start_matches('.').to_owned()),
            Expr::Literal(literal) => SyntaxKind::Literal(convert_literal(literal)),
            Expr::Call(call) => return self.call(at, call),
            Expr::List(list) => self.list(list)?,
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| self.entry(at, &entry.expr));
                SyntaxKind::Map(entries.collect::<Checked<_>>()?)
            }
            Expr::Struct(message) => {
                return Err(fault(at, format!("unknown type '{}'", message.type_name)));
            }
            Expr::Select(_) | Expr::Comprehension(_) | Expr::Unspecified => return Err(broken(at)),
        };
        Ok(Syntax { at, kind })
    }

    /// A node whose left part is converted already.
    fn extend(&mut self, node: &IdedExpr, left: Syntax) -> Checked<Syntax> {
        let at = self.place(node)?;
        let kind = match &node.expr {
            Expr::Select(select) => {
                SyntaxKind::Select { operand: Box::new(left), name: select.field.clone(), optional: false }
            }
            Expr::Call(call) if call.target.is_some() => {
                return match (macro_of(&call.func_name, call.args.len()), call.args.as_slice()) {
                    (Some(kind), arguments) => self.each(at, kind, left, arguments),
                    (None, [variable, value, body]) if is_bind(call, &left) => {
                        self.bind(at, variable, value, body)
                    }
                    (None, _) => self.function(at, call, Some(left)),
                };
            }
            Expr::Call(call) => match call.args.as_slice() {
                [_, right] => self.binary(at, &call.func_name, left, right)?,
                _ => return Err(broken(at)),
            },
            _ => return Err(broken(at)),
        };
        Ok(Syntax { at, kind })
    }

    fn boxed(&mut self, node: &IdedExpr) -> Checked<Box<Syntax>> {
        self.convert(node).map(Box::new)
    }

    fn list(&mut self, list: &ListExpr) -> Checked<SyntaxKind> {
        let element = |(index, element)| {
            let optional = list.optional_indices.contains(&index);
            Ok((self.convert(element)?, optional))
        };
        list.elements.iter().enumerate().map(element).collect::<Checked<_>>().map(SyntaxKind::List)
    }

    fn entry(&mut self, at: u32, entry: &EntryExpr) -> Checked<(Syntax, Syntax, bool)> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                Ok((self.convert(&entry.key)?, self.convert(&entry.value)?, entry.optional))
            }
            EntryExpr::StructField(_) => Err(broken(at)),
        }
    }

    fn call(&mut self, at: u32, call: &CallExpr) -> Checked<Syntax> {
        let kind = match call.args.as_slice() {
            [operand] if call.func_name == operators::LOGICAL_NOT => SyntaxKind::Not(self.boxed(operand)?),
            [operand] if call.func_name == operators::NEGATE => SyntaxKind::Negate(self.boxed(operand)?),
            [argument] if call.func_name == operators::HAS => self.has(argument)?,
            arguments if call.func_name == operators::LOGICAL_AND => {
                SyntaxKind::And(self.terms(call, arguments)?)
            }
            arguments if call.func_name == operators::LOGICAL_OR => {
                SyntaxKind::Or(self.terms(call, arguments)?)
            }
            [condition, then, otherwise] if call.func_name == operators::CONDITIONAL => {
                let condition = self.convert(condition)?;
                let then = self.convert(then)?;
                SyntaxKind::Conditional(Box::new([condition, then, self.convert(otherwise)?]))
            }
            _ => return self.function(at, call, None),
        };
        Ok(Syntax { at, kind })
    }

    fn function(&mut self, at: u32, call: &CallExpr, target: Option<Syntax>) -> Checked<Syntax> {
        let mut arguments: Vec<_> =
            call.args.iter().map(|argument| self.convert(argument)).collect::<Checked<_>>()?;
        let name = call.func_name.trim_start_matches('.').to_owned();
        let at = self.name_before(at, &name);
        // The greatest of three numbers or more is the greatest of a list.
        if arguments.len() > 2
            && target.as_ref().is_some_and(|target| is_named(target, "math"))
            && matches!(name.as_str(), "greatest" | "least")
        {
            let list = arguments.drain(..).map(|argument| (argument, false)).collect();
            arguments.push(Syntax { at, kind: SyntaxKind::List(list) });
        }
        Ok(Syntax { at, kind: SyntaxKind::Call(Box::new(CallSyntax { target, name, arguments })) })
    }

    /// Calls are placed at their parenthesis; their authors look for the name before it.
    fn name_before(&self, parenthesis: u32, name: &str) -> u32 {
        let before = self.text.get(..parenthesis as usize).unwrap_or_default();
        match before.trim_end().strip_suffix(name) {
            Some(rest) => u32::try_from(rest.len()).unwrap_or(parenthesis),
            None => parenthesis,
        }
    }

    fn has(&mut self, argument: &IdedExpr) -> Checked<SyntaxKind> {
        let argument = self.convert(argument)?;
        match argument.kind {
            SyntaxKind::Select { operand, name, optional: false } => Ok(SyntaxKind::Has { operand, name }),
            _ => Err(fault(argument.at, "has() takes a selection such as has(object.status.phase)")),
        }
    }

    /// A macro that loops, or looks into an optional.
    fn each(
        &mut self,
        at: u32,
        (kind, pair): (Macro, bool),
        target: Syntax,
        arguments: &[IdedExpr],
    ) -> Checked<Syntax> {
        let (first, second, rest) = match arguments {
            [first, second, rest @ ..] if pair => (first, Some(second), rest),
            [first, rest @ ..] => (first, None, rest),
            [] => return Err(broken(at)),
        };
        let (_, variable) = self.variable(first, "first")?;
        let second = second.map(|second| self.variable(second, "second")).transpose()?;
        if let Some((at, second)) = &second
            && *second == variable
        {
            return Err(fault(*at, format!("both variables have the name '{variable:.64}'")));
        }
        let second = second.map(|(_, name)| name);
        let (condition, result) = match (kind, rest) {
            (Macro::All | Macro::Exists | Macro::ExistsOne | Macro::Filter, [condition]) => {
                (Some(condition), None)
            }
            (_, [result]) => (None, Some(result)),
            (_, [condition, result]) => (Some(condition), Some(result)),
            _ => return Err(broken(at)),
        };
        let condition = condition.map(|condition| self.convert(condition)).transpose()?;
        let result = result.map(|result| self.convert(result)).transpose()?;
        let each = MacroSyntax { kind, target, variable, second, condition, result };
        Ok(Syntax { at, kind: SyntaxKind::Macro(Box::new(each)) })
    }

    /// `cel.bind(variable, value, body)`
    fn bind(&mut self, at: u32, variable: &IdedExpr, value: &IdedExpr, body: &IdedExpr) -> Checked<Syntax> {
        let (_, variable) = self.variable(variable, "first")?;
        let bind = BindSyntax { variable, value: self.convert(value)?, body: self.convert(body)? };
        Ok(Syntax { at, kind: SyntaxKind::Bind(Box::new(bind)) })
    }

    /// A name that is bound, and where it stands.
    fn variable(&mut self, argument: &IdedExpr, which: &str) -> Checked<(u32, String)> {
        let variable = self.convert(argument)?;
        match variable.kind {
            SyntaxKind::Identifier(name) => Ok((variable.at, name)),
            _ => Err(fault(variable.at, format!("the {which} argument must be the name of a variable"))),
        }
    }

    /// An operator between two operands, of which the left is converted already.
    fn binary(&mut self, at: u32, name: &str, left: Syntax, right: &IdedExpr) -> Checked<SyntaxKind> {
        if name == operators::OPT_SELECT {
            return match &right.expr {
                Expr::Literal(LiteralValue::String(name)) => {
                    let name = name.inner().to_owned();
                    Ok(SyntaxKind::Select { operand: Box::new(left), name, optional: true })
                }
                _ => Err(broken(at)),
            };
        }
        let right = self.convert(right)?;
        if let Some(operator) = arithmetic(name) {
            return Ok(SyntaxKind::Arithmetic(operator, Box::new([left, right])));
        }
        if let Some(comparison) = comparison(name) {
            return Ok(SyntaxKind::Compare(comparison, Box::new([left, right])));
        }
        if name == operators::IN {
            return Ok(SyntaxKind::In(Box::new([left, right])));
        }
        let optional = name == operators::OPT_INDEX;
        Ok(SyntaxKind::Index { operand: Box::new(left), index: Box::new(right), optional })
    }

    /// The terms of `a && b && c`, which the crate nests in a balanced tree.
    fn terms(&mut self, call: &CallExpr, arguments: &[IdedExpr]) -> Checked<Vec<Syntax>> {
        let mut terms = Vec::new();
        let mut rest: Vec<&IdedExpr> = arguments.iter().rev().collect();
        while let Some(node) = rest.pop() {
            match &node.expr {
                Expr::Call(inner) if inner.func_name == call.func_name => {
                    rest.extend(inner.args.iter().rev());
                }
                _ => terms.push(self.convert(node)?),
            }
        }
        Ok(terms)
    }
}

/// What a node hangs on.
fn left_of(node: &IdedExpr) -> Option<&IdedExpr> {
    match &node.expr {
        Expr::Select(select) => Some(&select.operand),
        Expr::Call(call) => match (&call.target, call.args.as_slice()) {
            (Some(target), _) => Some(target),
            (None, [left, _]) if is_binary(&call.func_name) => Some(left),
            _ => None,
        },
        _ => None,
    }
}

fn is_binary(name: &str) -> bool {
    arithmetic(name).is_some()
        || comparison(name).is_some()
        || [operators::IN, operators::INDEX, operators::OPT_INDEX, operators::OPT_SELECT].contains(&name)
}

/// A tree of a shape that the parser does not make.
fn broken(at: u32) -> Fault {
    fault(at, "syntax error")
}

fn convert_literal(literal: &LiteralValue) -> Value<'static> {
    match literal {
        LiteralValue::Boolean(value) => Value::Bool(*value.inner()),
        LiteralValue::Bytes(value) => Value::Bytes(value.inner().into()),
        LiteralValue::Double(value) => Value::Double(*value.inner()),
        LiteralValue::Int(value) => Value::Int(*value.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::String(value) => Value::text(value.inner()),
        LiteralValue::UInt(value) => Value::Uint(*value.inner()),
    }
}

fn arithmetic(name: &str) -> Option<Arithmetic> {
    Some(match name {
        operators::ADD => Arithmetic::Add,
        operators::SUBSTRACT => Arithmetic::Subtract,
        operators::MULTIPLY => Arithmetic::Multiply,
        operators::DIVIDE => Arithmetic::Divide,
        operators::MODULO => Arithmetic::Remainder,
        _ => return None,
    })
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        operators::EQUALS => Comparison::Equal,
        operators::NOT_EQUALS => Comparison::NotEqual,
        operators::LESS => Comparison::Less,
        operators::LESS_EQUALS => Comparison::LessOrEqual,
        operators::GREATER => Comparison::Greater,
        operators::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// The macro of that name with so many arguments, and whether it binds two variables.
/// Macros, and how many arguments each takes.
pub(super) const MACROS: [(&str, &[usize]); 14] = [
    ("all", &[2, 3]),
    ("cel.bind", &[3]),
    ("exists", &[2, 3]),
    ("existsOne", &[2, 3]),
    ("exists_one", &[2, 3]),
    ("filter", &[2]),
    ("has", &[1]),
    ("map", &[2, 3]),
    ("optFlatMap", &[2]),
    ("optMap", &[2]),
    ("sortBy", &[2]),
    ("transformList", &[3, 4]),
    ("transformMap", &[3, 4]),
    ("transformMapEntry", &[3, 4]),
];

fn macro_of(name: &str, arguments: usize) -> Option<(Macro, bool)> {
    Some(match (name, arguments) {
        ("all", 2 | 3) => (Macro::All, arguments == 3),
        ("exists", 2 | 3) => (Macro::Exists, arguments == 3),
        ("exists_one" | "existsOne", 2 | 3) => (Macro::ExistsOne, arguments == 3),
        ("filter", 2) => (Macro::Filter, false),
        ("map", 2 | 3) => (Macro::Map, false),
        ("transformList", 3 | 4) => (Macro::Map, true),
        ("transformMap", 3 | 4) => (Macro::TransformMap, true),
        ("transformMapEntry", 3 | 4) => (Macro::TransformMapEntry, true),
        ("sortBy", 2) => (Macro::SortBy, false),
        ("optMap", 2) => (Macro::OptMap, false),
        ("optFlatMap", 2) => (Macro::OptFlatMap, false),
        _ => return None,
    })
}

fn is_bind(call: &CallExpr, target: &Syntax) -> bool {
    call.func_name == "bind" && is_named(target, "cel")
}

fn is_named(syntax: &Syntax, name: &str) -> bool {
    matches!(&syntax.kind, SyntaxKind::Identifier(found) if found == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_take_what_their_table_says() {
        for (name, counts) in MACROS.iter().filter(|(name, _)| !matches!(*name, "has" | "cel.bind")) {
            let taken: Vec<usize> = (0..8).filter(|count| macro_of(name, *count).is_some()).collect();
            assert_eq!(taken, *counts, "{name}");
        }
    }
}
