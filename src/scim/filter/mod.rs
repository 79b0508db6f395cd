//! The filter language of RFC 7644 §3.4.2.2: one syntax tree for filters and PATCH paths.
//!
//! Accepted beyond the grammar, because clients send it and it means one thing only:
//! operators and literals in any letter case, `not(` and `eq"x"` without a space (several),
//! values without quotes (several), and a comparison behind brackets,
//! `emails[type eq "work"].value eq "x"` (Entra ID).

mod parser;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::error::{Error, ErrorKind};
use super::path::AttributePath;
use parser::Brackets;
pub(super) use parser::Parser;

/// Longest filter or path, in bytes.
pub const MAX_LENGTH: usize = 8 * 1024;
/// Deepest nesting of parentheses and brackets.
pub const MAX_DEPTH: usize = 64;
/// Most comparisons in one filter.
pub const MAX_TERMS: usize = 1000;

/// A comparison operator that takes a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

/// What an attribute is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal<'a> {
    /// Between quotes, escapes resolved.
    Text(Cow<'a, str>),
    /// Without quotes: a number, `true`, `false`, or the bare word of a lenient client. The
    /// attribute's type decides how it is read.
    Bare(&'a str),
    /// `null`: no value.
    Null,
}

impl Literal<'_> {
    /// The characters of the literal; none for null.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bare(text) => Some(text),
            Self::Null => None,
        }
    }

    /// The literal as a boolean. Entra ID compares booleans with strings, `"True"`.
    pub fn boolean(&self) -> Option<bool> {
        let text = self.text()?;
        if text.eq_ignore_ascii_case("true") {
            Some(true)
        } else if text.eq_ignore_ascii_case("false") {
            Some(false)
        } else {
            None
        }
    }
}

/// A filter. `And` and `Or` hold two or more.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter<'a> {
    /// All of these.
    And(Vec<Filter<'a>>),
    /// At least one of these.
    Or(Vec<Filter<'a>>),
    /// Not this.
    Not(Box<Filter<'a>>),
    /// The attribute has a value.
    Present(AttributePath<'a>),
    /// The attribute compares so with the value.
    Compare(AttributePath<'a>, Operator, Literal<'a>),
    /// One value of the attribute satisfies the whole inner filter, whose paths name
    /// sub-attributes.
    Value(AttributePath<'a>, Box<Filter<'a>>),
}

impl<'a> Filter<'a> {
    /// Reads a filter. A refusal says at which character.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let mut parser = Parser::new(text, ErrorKind::InvalidFilter)?;
        let filter = parser.disjunction(Brackets::Outside)?;
        parser.end()?;
        Ok(filter)
    }

    /// Calls `visit` for every comparison, those in brackets included, with the attribute whose
    /// brackets it stands in.
    pub fn visit(&self, visit: &mut impl FnMut(Option<&AttributePath<'a>>, &Self)) {
        self.visit_within(None, visit);
    }

    fn visit_within(
        &self,
        outer: Option<&AttributePath<'a>>,
        visit: &mut impl FnMut(Option<&AttributePath<'a>>, &Self),
    ) {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                for part in parts {
                    part.visit_within(outer, visit);
                }
            }
            Self::Not(inner) => inner.visit_within(outer, visit),
            Self::Value(path, inner) => inner.visit_within(Some(path), visit),
            Self::Present(_) | Self::Compare(..) => visit(outer, self),
        }
    }
}
