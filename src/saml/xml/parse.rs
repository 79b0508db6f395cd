//! From bytes to the tree.

use quick_xml::Reader;
use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::{
    Attribute, Child, Declaration, Document, ElementId, Name, Node, XML_NAMESPACE, XMLNS_NAMESPACE,
    is_blank, is_ncname,
};

/// What kind of document is read: a message, or metadata, which people edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A protocol message: no comments, no processing instructions, at most 256 KiB.
    Message,
    /// Metadata: comments and processing instructions are skipped, at most 4 MiB.
    Metadata,
}

struct Limits {
    size: usize,
    depth: usize,
    nodes: usize,
}

const ATTRIBUTES_PER_ELEMENT: usize = 32;
const NAME_LENGTH: usize = 256;
/// Declarations in scope at one time; bounds the cost of resolving a name.
const NAMESPACES_IN_SCOPE: usize = 64;

impl Profile {
    fn limits(self) -> Limits {
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
    let start = text.len() - body.len();
    if let Some((index, _)) = body.char_indices().find(|(_, c)| !is_xml_character(*c)) {
        return Err(at(XmlProblem::Character, start + index));
    }
    let mut builder = Builder {
        profile,
        limits,
        nodes: Vec::new(),
        open: Vec::new(),
        scope: Vec::new(),
        count: 0,
        started: false,
        instructed: false,
    };
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

struct Builder {
    profile: Profile,
    limits: Limits,
    nodes: Vec<Node>,
    open: Vec<Open>,
    scope: Vec<Declaration>,
    count: usize,
    /// Whether anything at all has been read: the declaration must come first.
    started: bool,
    /// Whether a processing instruction stood inside the root.
    instructed: bool,
}

struct Open {
    id: ElementId,
    raw_name: String,
    /// How long the scope was before this element's declarations.
    scope: usize,
}

impl Builder {
    fn event(&mut self, event: &Event<'_>, offset: usize) -> Result<(), XmlProblem> {
        let first = !std::mem::replace(&mut self.started, true);
        match event {
            Event::Start(tag) => self.start(tag, offset),
            Event::Empty(tag) => {
                self.start(tag, offset)?;
                self.close();
                Ok(())
            }
            Event::End(tag) => {
                let name = tag.name();
                let written = str::from_utf8(name.as_ref()).map_err(|_| XmlProblem::Encoding)?;
                let open = self.open.last().ok_or(XmlProblem::Malformed)?;
                if open.raw_name != written.trim_end_matches([' ', '\t', '\r', '\n']) {
                    return Err(XmlProblem::Malformed);
                }
                self.close();
                Ok(())
            }
            Event::Text(raw) => {
                let raw = str::from_utf8(raw).map_err(|_| XmlProblem::Encoding)?;
                if raw.contains("]]>") {
                    return Err(XmlProblem::Malformed);
                }
                self.text(&normalise_line_ends(raw))
            }
            Event::GeneralRef(reference) => {
                let name = str::from_utf8(reference).map_err(|_| XmlProblem::Encoding)?;
                if self.open.is_empty() {
                    return Err(XmlProblem::OutsideRoot);
                }
                let character = resolve_reference(name)?;
                self.text(character.encode_utf8(&mut [0; 4]))
            }
            Event::Decl(declaration) if first => check_declaration(declaration),
            Event::Decl(_) => Err(XmlProblem::Declaration),
            Event::Comment(_) if self.profile == Profile::Metadata => Ok(()),
            Event::PI(_) if self.profile == Profile::Metadata => {
                // A signature covers it (exclusive canonicalisation §2), and the tree has it not.
                self.instructed |= !self.open.is_empty();
                Ok(())
            }
            Event::Comment(_) => Err(XmlProblem::Comment),
            Event::PI(_) => Err(XmlProblem::ProcessingInstruction),
            Event::CData(_) => Err(XmlProblem::Cdata),
            Event::DocType(_) => Err(XmlProblem::DocumentType),
            Event::Eof => Ok(()),
        }
    }

    fn count_node(&mut self) -> Result<(), XmlProblem> {
        self.count += 1;
        if self.count > self.limits.nodes { Err(XmlProblem::TooManyNodes) } else { Ok(()) }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlProblem> {
        let Some(open) = self.open.last() else {
            return if is_blank(text) { Ok(()) } else { Err(XmlProblem::OutsideRoot) };
        };
        if text.is_empty() {
            return Ok(());
        }
        let index = open.id.0;
        if let Some(Child::Text(existing)) = self.nodes[index].children.last_mut() {
            existing.push_str(text);
            return Ok(());
        }
        self.count_node()?;
        self.nodes[index].children.push(Child::Text(text.to_owned()));
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>, offset: usize) -> Result<(), XmlProblem> {
        self.count_node()?;
        if self.open.is_empty() && !self.nodes.is_empty() {
            return Err(XmlProblem::OutsideRoot);
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlProblem::TooDeep);
        }
        let name = tag.name();
        let raw_name = str::from_utf8(name.as_ref()).map_err(|_| XmlProblem::Encoding)?;
        let raw_attributes =
            str::from_utf8(tag.attributes_raw()).map_err(|_| XmlProblem::Encoding)?;
        let written = split_attributes(raw_attributes)?;
        let scope = self.scope.len();
        let mut declarations = Vec::new();
        let mut plain = Vec::new();
        for (name, value) in written {
            match split_name(name)? {
                ("", "xmlns") => declarations.push(declaration("", value)?),
                ("xmlns", prefix) => declarations.push(declaration(prefix, value)?),
                (prefix, local) => plain.push((prefix, local, value)),
            }
        }
        self.scope.extend(declarations.iter().cloned());
        if self.scope.len() > NAMESPACES_IN_SCOPE {
            return Err(XmlProblem::TooManyNamespaces);
        }
        let (prefix, local) = split_name(raw_name)?;
        let name = self.resolve(prefix, local, true)?;
        let mut attributes: Vec<Attribute> = Vec::with_capacity(plain.len());
        for (prefix, local, value) in plain {
            let name = self.resolve(prefix, local, false)?;
            if attributes.iter().any(|other| {
                other.name.local == name.local && other.name.namespace == name.namespace
            }) {
                return Err(XmlProblem::DuplicateAttribute);
            }
            attributes.push(Attribute { name, value });
        }
        let id = ElementId(self.nodes.len());
        let parent = self.open.last().map(|open| open.id);
        if let Some(parent) = parent {
            self.nodes[parent.0].children.push(Child::Element(id));
        }
        let children = Vec::new();
        self.nodes.push(Node { name, attributes, declarations, children, parent, offset });
        self.open.push(Open { id, raw_name: raw_name.to_owned(), scope });
        Ok(())
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.scope.truncate(open.scope);
        }
    }

    fn resolve(&self, prefix: &str, local: &str, element: bool) -> Result<Name, XmlProblem> {
        let namespace = match prefix {
            "xml" => XML_NAMESPACE,
            "xmlns" => return Err(XmlProblem::Name),
            "" if !element => "",
            _ => match self.scope.iter().rev().find(|it| it.prefix == prefix) {
                Some(found) => &found.namespace,
                None if prefix.is_empty() => "",
                None => return Err(XmlProblem::UndeclaredPrefix),
            },
        };
        Ok(Name {
            prefix: prefix.to_owned(),
            local: local.to_owned(),
            namespace: namespace.to_owned(),
        })
    }

    fn finish(self) -> Result<Document, XmlProblem> {
        if !self.open.is_empty() {
            return Err(XmlProblem::Malformed);
        }
        if self.nodes.is_empty() {
            return Err(XmlProblem::Empty);
        }
        Ok(Document { nodes: self.nodes, instructed: self.instructed })
    }
}

fn is_xml_character(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        other => other >= ' ',
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), XmlProblem> {
    let version = declaration.version().map_err(|_| XmlProblem::Declaration)?;
    if version.as_ref() != b"1.0" {
        return Err(XmlProblem::Declaration);
    }
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case(b"utf-8") => Ok(()),
        Some(Ok(_)) => Err(XmlProblem::Encoding),
        Some(Err(_)) => Err(XmlProblem::Declaration),
    }
}

/// Prefix (empty when none) and local part, both checked.
fn split_name(name: &str) -> Result<(&str, &str), XmlProblem> {
    if name.len() > NAME_LENGTH {
        return Err(XmlProblem::Name);
    }
    let (prefix, local) = match name.split_once(':') {
        Some((prefix, local)) if is_ncname(prefix) => (prefix, local),
        Some(_) => return Err(XmlProblem::Name),
        None => ("", name),
    };
    if is_ncname(local) { Ok((prefix, local)) } else { Err(XmlProblem::Name) }
}

fn declaration(prefix: &str, namespace: String) -> Result<Declaration, XmlProblem> {
    let reserved = prefix == "xmlns"
        || namespace == XMLNS_NAMESPACE
        || (prefix == "xml") != (namespace == XML_NAMESPACE);
    let undeclares = namespace.is_empty() && prefix.is_empty();
    if reserved || !(undeclares || is_absolute(&namespace)) {
        return Err(XmlProblem::Namespace);
    }
    Ok(Declaration { prefix: prefix.to_owned(), namespace })
}

/// A scheme, a colon, something after it. Canonicalisation is undefined for
/// relative namespaces, so no signature over one can mean anything.
fn is_absolute(namespace: &str) -> bool {
    let Some((scheme, rest)) = namespace.split_once(':') else { return false };
    let mut bytes = scheme.bytes();
    !rest.is_empty()
        && bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && !namespace.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Splits what stands between an element's name and its `>`.
///
/// Ours, because quick-xml's own iterator forgives missing white space.
fn split_attributes(raw: &str) -> Result<Vec<(&str, String)>, XmlProblem> {
    let mut found: Vec<(&str, String)> = Vec::new();
    let mut rest = raw;
    loop {
        let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        if trimmed.is_empty() {
            return Ok(found);
        }
        if trimmed.len() == rest.len() {
            return Err(XmlProblem::Attribute);
        }
        if found.len() >= ATTRIBUTES_PER_ELEMENT {
            return Err(XmlProblem::TooManyAttributes);
        }
        let (name, after) = trimmed.split_once('=').ok_or(XmlProblem::Attribute)?;
        let name = name.trim_end_matches([' ', '\t', '\r', '\n']);
        let after = after.trim_start_matches([' ', '\t', '\r', '\n']);
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let quote = quote.ok_or(XmlProblem::Attribute)?;
        let (value, after) = after[1..].split_once(quote).ok_or(XmlProblem::Attribute)?;
        if found.iter().any(|(other, _)| *other == name) {
            return Err(XmlProblem::DuplicateAttribute);
        }
        found.push((name, attribute_value(value)?));
        rest = after;
    }
}

fn attribute_value(raw: &str) -> Result<String, XmlProblem> {
    let mut value = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(index) = rest.find(['&', '<', '\t', '\n', '\r']) {
        value.push_str(&rest[..index]);
        let after = &rest[index + 1..];
        rest = match rest.as_bytes()[index] {
            b'<' => return Err(XmlProblem::Attribute),
            b'&' => {
                let (name, after) = after.split_once(';').ok_or(XmlProblem::Reference)?;
                value.push(resolve_reference(name)?);
                after
            }
            b'\r' => {
                value.push(' ');
                after.strip_prefix('\n').unwrap_or(after)
            }
            _ => {
                value.push(' ');
                after
            }
        };
    }
    value.push_str(rest);
    Ok(value)
}

fn resolve_reference(name: &str) -> Result<char, XmlProblem> {
    let digits = match name {
        "amp" => return Ok('&'),
        "lt" => return Ok('<'),
        "gt" => return Ok('>'),
        "apos" => return Ok('\''),
        "quot" => return Ok('"'),
        other => other.strip_prefix('#').ok_or(XmlProblem::Reference)?,
    };
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.is_empty() || digits.len() > 8 || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(XmlProblem::Reference);
    }
    u32::from_str_radix(digits, radix)
        .ok()
        .and_then(char::from_u32)
        .filter(|character| is_xml_character(*character))
        .ok_or(XmlProblem::Reference)
}

fn normalise_line_ends(raw: &str) -> std::borrow::Cow<'_, str> {
    if raw.contains('\r') {
        raw.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        raw.into()
    }
}
