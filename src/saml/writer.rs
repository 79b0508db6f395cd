//! Writes XML that is canonical as written: explicit end tags, declarations and
//! attributes in the order the caller gives, which must be the canonical one
//! (a test holds every emitter to it).

use super::c14n::{escape_attribute, escape_text};

/// A value holds a character that XML cannot carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a value holds a character that XML cannot carry")]
pub struct UnwritableText;

/// A growing piece of XML.
#[derive(Debug, Default)]
pub struct XmlWriter {
    out: Vec<u8>,
    open: Vec<&'static str>,
    unwritable: bool,
}

impl XmlWriter {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an element. Declarations first, sorted by prefix; then attributes,
    /// sorted by name.
    pub fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) -> &mut Self {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        for (name, value) in attributes {
            self.inspect(value);
            self.out.push(b' ');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"=\"");
            escape_attribute(value, &mut self.out);
            self.out.push(b'"');
        }
        self.out.push(b'>');
        self.open.push(name);
        self
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.inspect(text);
        escape_text(text, &mut self.out);
        self
    }

    /// Closes the innermost element.
    pub fn close(&mut self) -> &mut Self {
        if let Some(name) = self.open.pop() {
            self.out.extend_from_slice(b"</");
            self.out.extend_from_slice(name.as_bytes());
            self.out.push(b'>');
        }
        self
    }

    /// An element that holds only text.
    pub fn leaf(
        &mut self,
        name: &'static str,
        attributes: &[(&str, &str)],
        text: &str,
    ) -> &mut Self {
        self.open(name, attributes).text(text).close()
    }

    /// XML that is written already, such as a signed assertion.
    pub fn raw(&mut self, xml: &str) -> &mut Self {
        self.out.extend_from_slice(xml.as_bytes());
        self
    }

    /// How many bytes are written.
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// Closes what is open and returns the text.
    pub fn finish(mut self) -> Result<String, UnwritableText> {
        while !self.open.is_empty() {
            self.close();
        }
        if self.unwritable {
            return Err(UnwritableText);
        }
        String::from_utf8(self.out).map_err(|_| UnwritableText)
    }

    fn inspect(&mut self, text: &str) {
        self.unwritable |= text.chars().any(|c| {
            (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}')
        });
    }
}
