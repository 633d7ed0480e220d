//! The cel crate's syntax tree → ours.
//!
//! In: text within the limits. Out: [`Syntax`]. Must never know: fields, functions, values of rows.
//!
//! The crate is used as a parser only, with its macros switched off: `has`, `exists` and their kind arrive as the calls
//! that the author wrote, and become syntax of their own here.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators};

use super::Value;
use super::fault::{Checked, Fault, fault};
use super::syntax::{Arithmetic, CallSyntax, Comparison, Macro, MacroSyntax, Syntax, SyntaxKind};

/// How many nodes an expression may have.
const MAX_NODES: usize = 4096;

/// Parses a CEL expression that is within the limits.
///
/// # Errors
/// The first place where the text is no CEL.
pub(super) fn parse(text: &str) -> Checked<Syntax> {
    let parsed = cel::Env::default().parser().parse_with_source_info(text);
    let (root, source) = parsed.map_err(|errors| first_error(text, &errors))?;
    Converter { text, source, nodes: 0 }.convert(&root)
}

/// The first error, without the crate's own rendering, which panics on long lines.
fn first_error(text: &str, errors: &cel::ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else { return fault(0, "no expression") };
    let (line, column) = first.pos;
    let lines_before = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let before: usize = text.split_inclusive('\n').take(lines_before).map(|line| line.chars().count()).sum();
    let at = before + usize::try_from(column).unwrap_or(1).saturating_sub(1);
    let message = first.msg.strip_prefix("Syntax error: ").unwrap_or(&first.msg);
    fault(u32::try_from(at).unwrap_or(0), format!("syntax error: {message}"))
}

struct Converter<'t> {
    text: &'t str,
    source: SourceInfo,
    nodes: usize,
}

impl Converter<'_> {
    fn convert(&mut self, node: &IdedExpr) -> Checked<Syntax> {
        let at = self.source.offset_for(node.id).map_or(0, |(start, _)| start);
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(fault(at, format!("more than {MAX_NODES} parts")));
        }
        let kind = match &node.expr {
            Expr::Ident(name) => SyntaxKind::Identifier(name.trim_start_matches('.').to_owned()),
            Expr::Literal(literal) => SyntaxKind::Literal(convert_literal(literal)),
            Expr::Select(select) => SyntaxKind::Select {
                operand: self.boxed(&select.operand)?,
                name: select.field.clone(),
                optional: false,
            },
            Expr::Call(call) => return self.call(at, call),
            Expr::List(list) => {
                let element = |(index, element)| {
                    let optional = list.optional_indices.contains(&index);
                    Ok((self.convert(element)?, optional))
                };
                SyntaxKind::List(list.elements.iter().enumerate().map(element).collect::<Checked<_>>()?)
            }
            Expr::Map(map) => {
                let entries = map.entries.iter().map(|entry| self.entry(at, &entry.expr));
                SyntaxKind::Map(entries.collect::<Checked<_>>()?)
            }
            Expr::Struct(message) => {
                return Err(fault(at, format!("unknown type '{}'", message.type_name)));
            }
            Expr::Comprehension(_) | Expr::Unspecified => return Err(fault(at, "syntax error")),
        };
        Ok(Syntax { at, kind })
    }

    fn boxed(&mut self, node: &IdedExpr) -> Checked<Box<Syntax>> {
        self.convert(node).map(Box::new)
    }

    fn pair(&mut self, arguments: &[IdedExpr]) -> Checked<Box<[Syntax; 2]>> {
        match arguments {
            [a, b] => Ok(Box::new([self.convert(a)?, self.convert(b)?])),
            _ => Err(fault(0, "syntax error")),
        }
    }

    fn entry(&mut self, at: u32, entry: &EntryExpr) -> Checked<(Syntax, Syntax, bool)> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                Ok((self.convert(&entry.key)?, self.convert(&entry.value)?, entry.optional))
            }
            EntryExpr::StructField(_) => Err(fault(at, "syntax error")),
        }
    }

    fn call(&mut self, at: u32, call: &CallExpr) -> Checked<Syntax> {
        let kind = match (&call.target, call.args.as_slice()) {
            (None, arguments) if is_operator(&call.func_name) => {
                self.operator(at, &call.func_name, arguments)?
            }
            (None, [argument]) if call.func_name == operators::HAS => self.has(argument)?,
            (Some(target), arguments) => match macro_of(&call.func_name, arguments.len()) {
                Some(kind) => return self.bind(at, kind, target, arguments),
                None => return self.function(at, call),
            },
            _ => return self.function(at, call),
        };
        Ok(Syntax { at, kind })
    }

    fn function(&mut self, at: u32, call: &CallExpr) -> Checked<Syntax> {
        let target = call.target.as_ref().map(|target| self.convert(target)).transpose()?;
        let arguments = call.args.iter().map(|argument| self.convert(argument)).collect::<Checked<_>>()?;
        let name = call.func_name.trim_start_matches('.').to_owned();
        let at = self.name_before(at, &name);
        Ok(Syntax { at, kind: SyntaxKind::Call(Box::new(CallSyntax { target, name, arguments })) })
    }

    /// Calls are placed at their parenthesis; their authors look for the name before it.
    fn name_before(&self, parenthesis: u32, name: &str) -> u32 {
        let before: String = self.text.chars().take(parenthesis as usize).collect();
        match before.trim_end().strip_suffix(name) {
            Some(rest) => u32::try_from(rest.chars().count()).unwrap_or(parenthesis),
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

    fn bind(&mut self, at: u32, kind: Macro, target: &IdedExpr, arguments: &[IdedExpr]) -> Checked<Syntax> {
        let target = self.convert(target)?;
        let variable = self.convert(&arguments[0])?;
        let SyntaxKind::Identifier(name) = variable.kind else {
            return Err(fault(variable.at, "the first argument must be the name of a variable"));
        };
        let condition = match kind {
            Macro::Map if arguments.len() == 2 => None,
            Macro::OptMap | Macro::OptFlatMap => None,
            _ => Some(self.convert(&arguments[1])?),
        };
        let result = match kind {
            Macro::Map | Macro::OptMap | Macro::OptFlatMap => arguments.last(),
            _ => None,
        };
        let result = result.map(|result| self.convert(result)).transpose()?;
        let kind =
            SyntaxKind::Macro(Box::new(MacroSyntax { kind, target, variable: name, condition, result }));
        Ok(Syntax { at, kind })
    }

    fn operator(&mut self, at: u32, name: &str, arguments: &[IdedExpr]) -> Checked<SyntaxKind> {
        if let Some(operator) = arithmetic(name) {
            return Ok(SyntaxKind::Arithmetic(operator, self.pair(arguments)?));
        }
        if let Some(operator) = comparison(name) {
            return Ok(SyntaxKind::Compare(operator, self.pair(arguments)?));
        }
        Ok(match (name, arguments) {
            (operators::IN, _) => SyntaxKind::In(self.pair(arguments)?),
            (operators::LOGICAL_NOT, [operand]) => SyntaxKind::Not(self.boxed(operand)?),
            (operators::NEGATE, [operand]) => SyntaxKind::Negate(self.boxed(operand)?),
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _) => {
                let mut terms = Vec::new();
                self.terms(name, arguments, &mut terms)?;
                if name == operators::LOGICAL_AND { SyntaxKind::And(terms) } else { SyntaxKind::Or(terms) }
            }
            (operators::CONDITIONAL, [condition, then, otherwise]) => SyntaxKind::Conditional(Box::new([
                self.convert(condition)?,
                self.convert(then)?,
                self.convert(otherwise)?,
            ])),
            (operators::INDEX | operators::OPT_INDEX, [operand, index]) => SyntaxKind::Index {
                operand: self.boxed(operand)?,
                index: self.boxed(index)?,
                optional: name == operators::OPT_INDEX,
            },
            (operators::OPT_SELECT, [operand, field]) => {
                let operand = self.boxed(operand)?;
                match &field.expr {
                    Expr::Literal(LiteralValue::String(name)) => {
                        SyntaxKind::Select { operand, name: name.inner().to_owned(), optional: true }
                    }
                    _ => return Err(fault(at, "syntax error")),
                }
            }
            _ => return Err(fault(at, "syntax error")),
        })
    }

    /// The terms of `a && b && c`, which the crate nests in a balanced tree.
    fn terms(&mut self, name: &str, arguments: &[IdedExpr], terms: &mut Vec<Syntax>) -> Checked<()> {
        for argument in arguments {
            match &argument.expr {
                Expr::Call(call) if call.func_name == name => self.terms(name, &call.args, terms)?,
                _ => terms.push(self.convert(argument)?),
            }
        }
        Ok(())
    }
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

/// Operators are named by their shape: `_+_`, `!_`, `_?_:_`, `@in`.
fn is_operator(name: &str) -> bool {
    name.starts_with(['_', '!', '-', '@'])
        && name.contains(['@', '+', '-', '*', '/', '%', '<', '>', '=', '!', '?', '[', '&', '|'])
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

fn macro_of(name: &str, arguments: usize) -> Option<Macro> {
    Some(match (name, arguments) {
        ("all", 2) => Macro::All,
        ("exists", 2) => Macro::Exists,
        ("exists_one" | "existsOne", 2) => Macro::ExistsOne,
        ("filter", 2) => Macro::Filter,
        ("map", 2 | 3) => Macro::Map,
        ("optMap", 2) => Macro::OptMap,
        ("optFlatMap", 2) => Macro::OptFlatMap,
        _ => return None,
    })
}
