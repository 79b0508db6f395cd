//! From bytes to the tree.

use quick_xml::{Reader, events::Event};

use super::{
    Document,
    builder::{Builder, is_xml_character},
};

/// What kind of document is read: a message, or metadata, which people edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A protocol message: no comments, no processing instructions, at most 256 KiB.
    Message,
    /// Metadata: comments and processing instructions are skipped, at most 4 MiB.
    Metadata,
}

/// What a profile allows: bytes, levels, elements and texts.
pub(super) struct Limits {
    pub(super) size: usize,
    pub(super) depth: usize,
    pub(super) nodes: usize,
}

impl Profile {
    pub(super) fn limits(self) -> Limits {
        match self {
            Self::Message => Limits { size: 256 * 1024, depth: 48, nodes: 20_000 },
            Self::Metadata => Limits { size: 4 * 1024 * 1024, depth: 64, nodes: 200_000 },
        }
    }
}

/// Why a text is not a document we read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at byte {offset}")]
pub struct XmlError {
    /// What is wrong.
    pub problem: XmlProblem,
    /// How far into the input, in bytes.
    pub offset: usize,
}

/// What the strict profile refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlProblem {
    /// Larger than the profile allows.
    #[error("the document is too large")]
    TooLarge,
    /// Nested too deeply.
    #[error("elements are nested too deeply")]
    TooDeep,
    /// Too many elements and texts.
    #[error("too many nodes")]
    TooManyNodes,
    /// Too many attributes on an element.
    #[error("too many attributes")]
    TooManyAttributes,
    /// Too many namespaces in scope.
    #[error("too many namespaces")]
    TooManyNamespaces,
    /// The bytes are not UTF-8, or the declaration names another encoding.
    #[error("the encoding is not UTF-8")]
    Encoding,
    /// Not XML 1.0, or a declaration that is malformed or not at the start.
    #[error("bad XML declaration")]
    Declaration,
    /// A document type declaration.
    #[error("document type declarations are refused")]
    DocumentType,
    /// A processing instruction in a message.
    #[error("processing instructions are refused")]
    ProcessingInstruction,
    /// A comment in a message.
    #[error("comments are refused")]
    Comment,
    /// A CDATA section.
    #[error("CDATA sections are refused")]
    Cdata,
    /// A reference to anything but the five predefined entities or a legal character.
    #[error("undeclared entity or illegal character reference")]
    Reference,
    /// A control character or another code point XML forbids.
    #[error("illegal character")]
    Character,
    /// A name that is malformed or too long.
    #[error("malformed name")]
    Name,
    /// An attribute that is malformed.
    #[error("malformed attribute")]
    Attribute,
    /// The same attribute twice, by name or by namespace.
    #[error("duplicate attribute")]
    DuplicateAttribute,
    /// A prefix nothing declares.
    #[error("undeclared prefix")]
    UndeclaredPrefix,
    /// A namespace declaration that is malformed, relative or reserved.
    #[error("bad namespace declaration")]
    Namespace,
    /// Tags that do not match, or an input that ends within an element.
    #[error("malformed markup")]
    Malformed,
    /// Anything but white space before or after the root element.
    #[error("content outside the root element")]
    OutsideRoot,
    /// No element at all.
    #[error("no root element")]
    Empty,
}

/// Reads a whole document under a profile.
pub fn parse(input: &[u8], profile: Profile) -> Result<Document, XmlError> {
    let at = |problem, offset| XmlError { problem, offset };
    let limits = profile.limits();
    if input.len() > limits.size {
        return Err(at(XmlProblem::TooLarge, limits.size));
    }
    let text = str::from_utf8(input).map_err(|e| at(XmlProblem::Encoding, e.valid_up_to()))?;
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    // The reader would take another one off. That one is text.
    if body.starts_with('\u{feff}') {
        return Err(at(XmlProblem::Malformed, 0));
    }
    let start = text.len() - body.len();
    // Nearly always nothing here can be wrong, and that is found out without decoding anything.
    if body.bytes().any(|byte| byte < b' ' || byte == 0xef)
        && let Some((index, _)) = body.char_indices().find(|(_, c)| !is_xml_character(*c))
    {
        return Err(at(XmlProblem::Character, start + index));
    }
    let mut builder = Builder::new(body, profile);
    let mut reader = Reader::from_str(body);
    reader.config_mut().check_end_names = true;
    loop {
        let offset = start + usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let event = reader.read_event().map_err(|_| at(XmlProblem::Malformed, offset))?;
        if matches!(event, Event::Eof) {
            return builder.finish().map_err(|problem| at(problem, offset));
        }
        builder.event(&event, offset).map_err(|problem| at(problem, offset))?;
    }
}
