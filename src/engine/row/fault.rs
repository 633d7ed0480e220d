//! Why JSON text is refused.
//!
//! In: the readers of JSON. Out: an error that names the place. Must never know: what is read.

/// Why bytes are no object that a row can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {offset}")]
pub struct DecodeError {
    /// Where the decoder stopped.
    pub offset: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// The same in eight bytes, so that the readers' results travel in registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    /// Where; the last number stands for all beyond it.
    offset: u32,
    reason: Reason,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    End,
    Value,
    Name,
    Colon,
    MapGoesOn,
    ListGoesOn,
    Literal,
    Number,
    Control,
    Escape,
    Surrogate,
    Depth,
    Object,
    NoObject,
    Type,
    Behind,
    Utf8,
    Long,
}

// === impl Fault ===

impl Fault {
    /// Whether lists and maps nest too deeply.
    pub(super) fn is_depth(self) -> bool {
        self.reason == Reason::Depth
    }

    /// A fault at `at`; if that is behind the last of `bytes`, what is wrong is that they end there.
    #[cold]
    #[inline(never)]
    pub(super) fn new(bytes: &[u8], at: usize, reason: Reason) -> Self {
        let reason = if at >= bytes.len() { Reason::End } else { reason };
        Fault { offset: u32::try_from(at.min(bytes.len())).unwrap_or(u32::MAX), reason }
    }
}

// === impl Reason ===

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Reason::End => "unexpected end",
            Reason::Value => "expected a value",
            Reason::Name => "expected the name of a member",
            Reason::Colon => "expected :",
            Reason::MapGoesOn => "expected , or }",
            Reason::ListGoesOn => "expected , or ]",
            Reason::Literal => "unknown literal",
            Reason::Number => "invalid number",
            Reason::Control => "control character in a string",
            Reason::Escape => "invalid escape",
            Reason::Surrogate => "lone surrogate",
            Reason::Depth => "nested too deeply",
            Reason::Object => "expected an object",
            Reason::NoObject => "a watch event without an object",
            Reason::Type => "a watch event without a type",
            Reason::Behind => "text behind the value",
            Reason::Utf8 => "invalid UTF-8",
            Reason::Long => "longer than 1 GiB",
        }
    }
}

impl From<Fault> for DecodeError {
    fn from(fault: Fault) -> Self {
        DecodeError { offset: fault.offset as usize, reason: fault.reason.text() }
    }
}
