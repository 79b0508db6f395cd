//! The text of filters and paths, read byte by byte.

use std::borrow::Cow;

use super::{Filter, Literal, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Operator};
use crate::scim::error::{Error, ErrorKind};
use crate::scim::path::AttributePath;

/// Whether the parser stands inside the brackets of a value path, where they cannot nest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Brackets {
    Inside,
    Outside,
}

/// Recursive descent over the bytes of the text. Depth is bounded, so the stack is too.
pub(in crate::scim) struct Parser<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    terms: usize,
    kind: ErrorKind,
}

impl<'a> Parser<'a> {
    /// A parser whose refusals are of `kind`.
    pub(in crate::scim) fn new(text: &'a str, kind: ErrorKind) -> Result<Self, Error> {
        if text.len() > MAX_LENGTH {
            return Err(Error::new(kind, format!("Longer than {MAX_LENGTH} bytes")));
        }
        Ok(Self { text, position: 0, depth: 0, terms: 0, kind })
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn fail(&self, what: &str) -> Error {
        self.fail_at(self.position, what)
    }

    /// Positions are told in characters, from 1, as an editor counts them.
    fn fail_at(&self, position: usize, what: &str) -> Error {
        let before = self.text.get(..position).unwrap_or(self.text);
        Error::new(self.kind, format!("{what} at character {}", before.chars().count() + 1))
    }

    pub(in crate::scim) fn skip_spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.position += 1;
        }
        found
    }

    pub(in crate::scim) fn end(&self) -> Result<(), Error> {
        if self.position < self.text.len() {
            return Err(self.fail("Nothing more was expected"));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(&format!("Nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(())
    }

    /// Whether the keyword stands here as a word of its own; consumes it if so.
    fn keyword(&mut self, word: &str) -> bool {
        let rest = self.rest();
        let stands = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && rest
                .as_bytes()
                .get(word.len())
                .is_none_or(|next| matches!(next, b' ' | b'\t' | b'\r' | b'\n' | b'('));
        if stands {
            self.position += word.len();
        }
        stands
    }

    pub(super) fn disjunction(&mut self, brackets: Brackets) -> Result<Filter<'a>, Error> {
        let first = self.conjunction(brackets)?;
        let mut parts = vec![first];
        while self.keyword("or") {
            parts.push(self.conjunction(brackets)?);
        }
        Ok(one_or(parts, Filter::Or))
    }

    fn conjunction(&mut self, brackets: Brackets) -> Result<Filter<'a>, Error> {
        let first = self.term(brackets)?;
        let mut parts = vec![first];
        while self.keyword("and") {
            parts.push(self.term(brackets)?);
        }
        Ok(one_or(parts, Filter::And))
    }

    /// One term, with the space around it.
    fn term(&mut self, brackets: Brackets) -> Result<Filter<'a>, Error> {
        self.skip_spaces();
        let start = self.position;
        let filter = if self.keyword("not") {
            self.skip_spaces();
            if self.peek() == Some(b'(') {
                Filter::Not(Box::new(self.group(brackets)?))
            } else {
                // An attribute that happens to be called "not".
                self.position = start;
                self.comparison(brackets)?
            }
        } else if self.peek() == Some(b'(') {
            self.group(brackets)?
        } else {
            self.comparison(brackets)?
        };
        self.skip_spaces();
        Ok(filter)
    }

    fn group(&mut self, brackets: Brackets) -> Result<Filter<'a>, Error> {
        self.enter()?;
        self.position += 1;
        let inner = self.disjunction(brackets)?;
        if !self.take(b')') {
            return Err(self.fail("A closing parenthesis was expected"));
        }
        self.depth -= 1;
        Ok(inner)
    }

    fn comparison(&mut self, brackets: Brackets) -> Result<Filter<'a>, Error> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.fail(&format!("More than {MAX_TERMS} comparisons")));
        }
        let start = self.position;
        let path = self.attribute_path()?;
        if self.peek() != Some(b'[') {
            return self.operation(path);
        }
        if brackets == Brackets::Inside {
            return Err(self.fail("Brackets within brackets are not allowed"));
        }
        if path.sub.is_some() {
            return Err(self.fail_at(start, "A sub-attribute cannot have brackets, seen"));
        }
        let Some(inner) = self.brackets(&path)? else {
            return Err(self.fail("Brackets were expected"));
        };
        // Entra ID: a comparison of the sub-attribute of the value that the brackets select.
        let inner = match self.sub_attribute()? {
            None => inner,
            Some(name) => {
                let sub = AttributePath { urn: None, name, sub: None };
                let last = self.operation(sub)?;
                match inner {
                    Filter::And(mut parts) => {
                        parts.push(last);
                        Filter::And(parts)
                    }
                    other => Filter::And(vec![other, last]),
                }
            }
        };
        Ok(Filter::Value(path, Box::new(inner)))
    }

    /// The operator and the value that follow an attribute.
    fn operation(&mut self, path: AttributePath<'a>) -> Result<Filter<'a>, Error> {
        self.skip_spaces();
        let start = self.position;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
            self.position += 1;
        }
        let word = self.text.get(start..self.position).unwrap_or_default();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = match word.to_ascii_lowercase().as_str() {
            "eq" => Operator::Eq,
            "ne" => Operator::Ne,
            "co" => Operator::Co,
            "sw" => Operator::Sw,
            "ew" => Operator::Ew,
            "gt" => Operator::Gt,
            "ge" => Operator::Ge,
            "lt" => Operator::Lt,
            "le" => Operator::Le,
            _ => {
                return Err(self.fail_at(
                    start,
                    "An operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr) was expected",
                ));
            }
        };
        self.skip_spaces();
        let literal = self.literal()?;
        Ok(Filter::Compare(path, operator, literal))
    }

    /// An attribute path: everything up to the first byte that no path holds.
    pub(in crate::scim) fn attribute_path(&mut self) -> Result<AttributePath<'a>, Error> {
        let start = self.position;
        while self.peek().is_some_and(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'-' | b'_' | b'.' | b':')
        }) {
            self.position += 1;
        }
        let token = self.text.get(start..self.position).unwrap_or_default();
        AttributePath::from_token(token)
            .ok_or_else(|| self.fail_at(start, "The name of an attribute was expected"))
    }

    /// The filter in the brackets that stand here, if they do.
    pub(in crate::scim) fn brackets(
        &mut self,
        path: &AttributePath<'a>,
    ) -> Result<Option<Filter<'a>>, Error> {
        if self.peek() != Some(b'[') {
            return Ok(None);
        }
        if path.sub.is_some() {
            return Err(self.fail("Brackets cannot follow a sub-attribute, seen"));
        }
        self.enter()?;
        self.position += 1;
        let inner = self.disjunction(Brackets::Inside)?;
        if !self.take(b']') {
            return Err(self.fail("A closing bracket was expected"));
        }
        self.depth -= 1;
        Ok(Some(inner))
    }

    /// `.name` behind closing brackets, if it stands here.
    pub(in crate::scim) fn sub_attribute(&mut self) -> Result<Option<&'a str>, Error> {
        if !self.take(b'.') {
            return Ok(None);
        }
        let start = self.position;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'-' | b'_'))
        {
            self.position += 1;
        }
        let token = self.text.get(start..self.position).unwrap_or_default();
        AttributePath::from_token(token)
            .map(|path| Some(path.name))
            .ok_or_else(|| self.fail_at(start, "The name of a sub-attribute was expected"))
    }

    fn literal(&mut self) -> Result<Literal<'a>, Error> {
        if self.peek() == Some(b'"') {
            return self.quoted().map(Literal::Text);
        }
        let start = self.position;
        while self.peek().is_some_and(|byte| {
            !matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'"' | b'(' | b')' | b'[' | b']')
        }) {
            self.position += 1;
        }
        let word = self.text.get(start..self.position).unwrap_or_default();
        if word.is_empty() {
            return Err(self.fail("A value was expected"));
        }
        if matches!(self.peek(), Some(b'"' | b'(' | b'[')) {
            return Err(self.fail("A value without quotes cannot hold this, seen"));
        }
        if word.contains('\0') {
            return Err(self.fail_at(start, "A value holds U+0000, seen"));
        }
        Ok(if word.eq_ignore_ascii_case("null") { Literal::Null } else { Literal::Bare(word) })
    }

    /// A JSON string. Without escapes it is borrowed as it stands.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Error> {
        let start = self.position;
        self.position += 1;
        let mut escaped = false;
        loop {
            match self.peek() {
                None => return Err(self.fail("A closing quote was expected")),
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.position += 2;
                }
                Some(0..=0x1f) => {
                    return Err(self.fail("A control character must be escaped, seen"));
                }
                Some(_) => self.position += 1,
            }
        }
        self.position += 1;
        let whole = self.text.get(start..self.position).unwrap_or_default();
        if !escaped {
            return Ok(Cow::Borrowed(whole.get(1..whole.len() - 1).unwrap_or_default()));
        }
        let text: String = serde_json::from_str(whole)
            .map_err(|_| self.fail_at(start, "The string holds an invalid escape; it begins"))?;
        if text.contains('\0') {
            return Err(self.fail_at(start, "A value holds U+0000; it begins"));
        }
        Ok(Cow::Owned(text))
    }
}

fn one_or<'a>(
    mut parts: Vec<Filter<'a>>,
    many: impl FnOnce(Vec<Filter<'a>>) -> Filter<'a>,
) -> Filter<'a> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}
