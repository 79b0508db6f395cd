//! One strict XML tree for everything that arrives.
//!
//! quick-xml cuts the text into tokens; this file decides which of them a SAML
//! message may hold and resolves names. Anything two parsers might read
//! differently is refused rather than interpreted.

mod builder;
mod parse;

pub use parse::{Profile, XmlError, XmlProblem, parse};

/// The namespace the prefix `xml` is always bound to.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of namespace declarations, which nothing may be bound to.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A parsed document. Elements are reached by handles that borrow it.
///
/// Names, values and texts are places in one string: reading a message makes six lists, and not
/// thousands of strings.
#[derive(Debug)]
pub struct Document {
    /// What was read; behind it, what it says by references, tabs and line ends.
    text: String,
    /// The first is the root; a parent always precedes its children.
    elements: Vec<Node>,
    contents: Vec<Child>,
    attributes: Vec<AttributeNode>,
    declarations: Vec<DeclarationNode>,
    /// Whether it held processing instructions inside the root, which the tree has not.
    instructed: bool,
}

/// Names one element of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ElementId(u32);

/// A place in the text of a document.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

#[derive(Debug)]
struct Node {
    name: NameNode,
    attributes: Span,
    declarations: Span,
    /// The first and the last of its contents.
    contents: Option<(u32, u32)>,
    parent: Option<ElementId>,
    offset: usize,
}

#[derive(Debug)]
struct Child {
    what: Piece,
    /// What comes after it in the same element.
    next: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
enum Piece {
    Element(ElementId),
    Text(Span),
}

#[derive(Debug, Clone, Copy)]
struct NameNode {
    prefix: Span,
    local: Span,
    namespace: Span,
}

#[derive(Debug)]
struct AttributeNode {
    name: NameNode,
    value: Span,
}

#[derive(Debug, Clone, Copy)]
struct DeclarationNode {
    prefix: Span,
    namespace: Span,
}

/// A qualified name with its namespace resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'d> {
    /// The prefix as written; empty when there is none.
    pub prefix: &'d str,
    /// The part after the colon.
    pub local: &'d str,
    /// The namespace; empty when there is none.
    pub namespace: &'d str,
}

/// One attribute, its value normalised as XML 1.0 §3.3.3 says for CDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'d> {
    /// The attribute's name.
    pub name: Name<'d>,
    /// The attribute's value.
    pub value: &'d str,
}

/// One namespace declaration (`xmlns` or `xmlns:prefix`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declaration<'d> {
    /// Empty for the default namespace.
    pub prefix: &'d str,
    /// Empty only for `xmlns=""`.
    pub namespace: &'d str,
}

/// A piece of an element's content.
#[derive(Debug, Clone, Copy)]
pub enum Content<'d> {
    /// A child element.
    Element(Element<'d>),
    /// A run of text, references resolved and line ends normalised.
    Text(&'d str),
}

impl Document {
    /// The document's only top-level element.
    pub fn root(&self) -> Element<'_> {
        Element { document: self, id: ElementId(0) }
    }

    /// Every element, in document order.
    pub fn elements(&self) -> impl Iterator<Item = Element<'_>> {
        let all = u32::try_from(self.elements.len()).unwrap_or(u32::MAX);
        (0..all).map(|index| Element { document: self, id: ElementId(index) })
    }

    fn text(&self, span: Span) -> &str {
        &self.text[span.start as usize..span.end as usize]
    }

    fn name(&self, name: NameNode) -> Name<'_> {
        Name {
            prefix: self.text(name.prefix),
            local: self.text(name.local),
            namespace: self.text(name.namespace),
        }
    }
}

/// A handle on one element of a [`Document`].
#[derive(Debug, Clone, Copy)]
pub struct Element<'d> {
    document: &'d Document,
    id: ElementId,
}

impl PartialEq for Element<'_> {
    /// The same element of the same document, not merely an equal one.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.document, other.document)
    }
}

impl<'d> Element<'d> {
    /// Whether the document held processing instructions inside its root. The tree has them not,
    /// so its canonical form is not that of the document.
    pub fn is_instructed(self) -> bool {
        self.document.instructed
    }

    /// How many elements its document has.
    pub fn document_size(self) -> usize {
        self.document.elements.len()
    }

    fn node(self) -> &'d Node {
        &self.document.elements[self.id.0 as usize]
    }

    /// This element's id within its document.
    pub fn id(self) -> ElementId {
        self.id
    }

    /// The element's name.
    pub fn name(self) -> Name<'d> {
        self.document.name(self.node().name)
    }

    /// Whether the element has this namespace and local name.
    pub fn is(self, namespace: &str, local: &str) -> bool {
        let name = self.name();
        name.local == local && name.namespace == namespace
    }

    /// Where the element starts, in bytes from the start of the input.
    pub fn offset(self) -> usize {
        self.node().offset
    }

    /// All attributes in the order written, namespace declarations excluded.
    pub fn attributes(self) -> impl ExactSizeIterator<Item = Attribute<'d>> {
        let Span { start, end } = self.node().attributes;
        self.document.attributes[start as usize..end as usize].iter().map(move |node| Attribute {
            name: self.document.name(node.name),
            value: self.document.text(node.value),
        })
    }

    /// The value of the attribute of this name in no namespace.
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        self.attributes()
            .find(|attribute| attribute.name.namespace.is_empty() && attribute.name.local == local)
            .map(|attribute| attribute.value)
    }

    /// The namespace declarations written on this element.
    pub fn declarations(self) -> impl ExactSizeIterator<Item = Declaration<'d>> {
        let Span { start, end } = self.node().declarations;
        let written = &self.document.declarations[start as usize..end as usize];
        written.iter().map(move |node| Declaration {
            prefix: self.document.text(node.prefix),
            namespace: self.document.text(node.namespace),
        })
    }

    /// The enclosing element.
    pub fn parent(self) -> Option<Element<'d>> {
        self.node().parent.map(|id| Element { document: self.document, id })
    }

    /// Text and elements in order.
    pub fn contents(self) -> impl Iterator<Item = Content<'d>> {
        let mut next = self.node().contents.map(|(first, _)| first);
        std::iter::from_fn(move || {
            let child = &self.document.contents[next? as usize];
            next = child.next;
            Some(match child.what {
                Piece::Element(id) => Content::Element(Element { document: self.document, id }),
                Piece::Text(span) => Content::Text(self.document.text(span)),
            })
        })
    }

    /// Child elements in order.
    pub fn elements(self) -> impl Iterator<Item = Element<'d>> {
        self.contents().filter_map(|content| match content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        })
    }

    /// The text of an element that holds nothing else; `None` when it holds elements.
    pub fn text(self) -> Option<&'d str> {
        let mut contents = self.contents();
        match (contents.next(), contents.next()) {
            (None, _) => Some(""),
            (Some(Content::Text(text)), None) => Some(text),
            (Some(_), _) => None,
        }
    }

    /// What the prefix is bound to here: `None` when nothing binds it, and
    /// `Some("")` for the default namespace after `xmlns=""`.
    pub fn namespace_of(self, prefix: &str) -> Option<&'d str> {
        let mut element = Some(self);
        while let Some(current) = element {
            if let Some(found) = current.declarations().find(|it| it.prefix == prefix) {
                return Some(found.namespace);
            }
            element = current.parent();
        }
        None
    }
}

/// Trims what XML calls white space and nothing else: `str::trim` would also
/// remove U+00A0 and make two different names equal.
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// Whether the text is white space as XML defines it.
pub fn is_blank(text: &str) -> bool {
    trim(text).is_empty()
}

/// Whether the text is a name without colon, which is what an `xs:ID` must be.
/// ASCII only: no identity provider needs more.
pub fn is_ncname(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
