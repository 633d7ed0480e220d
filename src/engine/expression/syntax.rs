//! What an author wrote: the parsed expression before any name is resolved.
//!
//! In: built by a front end. Out: read by the checker. Must never know: fields, rows, functions, a parser's own types.

use super::Value;

/// A part of an expression and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Syntax {
    /// Byte offset in the source.
    pub(super) at: u32,
    /// What stands there.
    pub(super) kind: SyntaxKind,
}

/// See [`Syntax`].
#[derive(Clone, Debug)]
pub(super) enum SyntaxKind {
    Literal(Value<'static>),
    Identifier(String),
    /// `operand.name`, `operand.?name`
    Select {
        operand: Box<Syntax>,
        name: String,
        optional: bool,
    },
    /// `has(operand.name)`
    Has {
        operand: Box<Syntax>,
        name: String,
    },
    /// `operand[index]`, `operand[?index]`
    Index {
        operand: Box<Syntax>,
        index: Box<Syntax>,
        optional: bool,
    },
    Call(Box<CallSyntax>),
    And(Vec<Syntax>),
    Or(Vec<Syntax>),
    Not(Box<Syntax>),
    Negate(Box<Syntax>),
    /// condition, then, otherwise
    Conditional(Box<[Syntax; 3]>),
    Arithmetic(Arithmetic, Box<[Syntax; 2]>),
    Compare(Comparison, Box<[Syntax; 2]>),
    /// `needle in haystack`
    In(Box<[Syntax; 2]>),
    /// Elements, and whether an optional one (`[?x]`) is left out where it has no value.
    List(Vec<(Syntax, bool)>),
    /// Keys, values, and whether an optional value (`{?k: v}`) is left out where it has none.
    Map(Vec<(Syntax, Syntax, bool)>),
    Macro(Box<MacroSyntax>),
    /// `cel.bind(variable, value, body)`
    Bind(Box<BindSyntax>),
}

/// `name(arguments)` or `target.name(arguments)`.
#[derive(Clone, Debug)]
pub(super) struct CallSyntax {
    pub(super) target: Option<Syntax>,
    pub(super) name: String,
    pub(super) arguments: Vec<Syntax>,
}

/// `target.macro(variable, condition, result)`: what binds a variable, or two: the index or key, and the element.
#[derive(Clone, Debug)]
pub(super) struct MacroSyntax {
    pub(super) kind: Macro,
    pub(super) target: Syntax,
    pub(super) variable: String,
    pub(super) second: Option<String>,
    /// What decides: of all, exists, exists_one, filter, and of what collects with one argument more.
    pub(super) condition: Option<Syntax>,
    /// What is collected or sorted by: of map, optMap, optFlatMap, transformMap, transformMapEntry, sortBy.
    pub(super) result: Option<Syntax>,
}

/// A variable that stands for a value in one part of an expression.
#[derive(Clone, Debug)]
pub(super) struct BindSyntax {
    pub(super) variable: String,
    pub(super) value: Syntax,
    pub(super) body: Syntax,
}

/// The macros that bind variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// Also transformList, which binds two variables.
    Map,
    TransformMap,
    TransformMapEntry,
    SortBy,
    OptMap,
    OptFlatMap,
}

/// The operators that compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The operators that compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Arithmetic {
    /// As the author writes it.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }
}

impl Comparison {
    /// As the author writes it.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}
