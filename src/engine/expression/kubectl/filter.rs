//! Reads filters.
//!
//! In: what follows `[?(`. Out: conditions. Must never know: how conditions are evaluated.

use super::super::query::{Comparison, Condition, KubectlOperand, KubectlStep, Step, SyntaxError};
use super::Character;
use super::block::{Block, Ending, Part};

/// Left side, operator, right side.
type Split<'t> = (&'t [Character], &'t [Character], &'t [Character]);

// === impl Block ===

impl Block<'_> {
    /// What follows `[?(`.
    pub(super) fn filter(&mut self) -> Result<Step, SyntaxError> {
        let open = self.text[self.next - 3];
        let len = filter_length(&self.text[self.next..])
            .ok_or_else(|| SyntaxError::new(open.at, "missing ')' of the filter"))?;
        let inside = &self.text[self.next..self.next + len];
        self.next += len + 1;
        if self.peek().is_none_or(|c| c.c != ']') {
            return Err(self.error("expected ']' after ')': a filter is one comparison or one path"));
        }
        self.next += 1;
        let condition = self.condition(inside)?;
        Ok(Step::Kubectl(KubectlStep::Where(Box::new(condition))))
    }

    fn condition(&self, text: &[Character]) -> Result<Condition, SyntaxError> {
        let Some((left, operator, right)) = split_comparison(text) else {
            return Ok(match self.operand(text)? {
                KubectlOperand::Steps(steps) => Condition::Exists(steps),
                // A literal is there for every element.
                KubectlOperand::Literal(_) => Condition::Exists(Vec::new()),
            });
        };
        let spelled: String = operator.iter().map(|c| c.c).collect();
        let comparison = match spelled.as_str() {
            "==" => Comparison::Equal,
            "!=" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => {
                let message = match right {
                    [Character { c: '~', .. }, ..] => {
                        "kubectl's dialect has no regular expressions".to_string()
                    }
                    _ => format!("unknown operator '{spelled}', expected one of == != < <= > >="),
                };
                return Err(SyntaxError::new(operator[0].at, message));
            }
        };
        Ok(Condition::Compare(self.operand(left)?, comparison, self.operand(right)?))
    }

    fn operand(&self, text: &[Character]) -> Result<KubectlOperand, SyntaxError> {
        let mut parts = Block::new(text, self.depth + 1).parts(Ending::Text)?;
        if let [Part::Literal(..)] = parts.as_slice()
            && let Some(Part::Literal(literal, _)) = parts.pop()
        {
            return Ok(KubectlOperand::Literal(literal));
        }
        let mut steps = Vec::new();
        for part in parts {
            match part {
                Part::Step(step) => steps.push(step),
                Part::Literal(_, at) => {
                    return Err(SyntaxError::new(
                        at,
                        "unexpected literal: a filter is one comparison or one path",
                    ));
                }
            }
        }
        Ok(KubectlOperand::Steps(steps))
    }
}

/// How far a filter reaches: to the first `)` outside of its first quoted string.
fn filter_length(text: &[Character]) -> Option<usize> {
    let mut quote = None;
    let mut closed = false;
    for (index, c) in text.iter().enumerate() {
        match c.c {
            '\n' => return None,
            '"' | '\'' => match quote {
                None => quote = Some(c.c),
                Some(quote) => closed |= c.c == quote && text[index - 1].c != '\\',
            },
            ')' if quote.is_some() == closed => return Some(index),
            _ => {}
        }
    }
    None
}

/// Splits a condition at its first operator. As client-go's regular expression does, it takes all of `!<=>` that
/// stands together for the operator, but leaves a character for the right side.
fn split_comparison(text: &[Character]) -> Option<Split<'_>> {
    let is_operator = |c: &Character| matches!(c.c, '!' | '<' | '>' | '=');
    let start = text.iter().position(is_operator).filter(|&start| start > 0)?;
    let run = text[start..].iter().take_while(|c| is_operator(c)).count();
    let end = if start + run == text.len() { start + run - 1 } else { start + run };
    (end > start).then(|| (&text[..start], &text[start..end], &text[end..]))
}
