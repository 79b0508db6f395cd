//! One strict XML tree for everything that arrives.
//!
//! quick-xml cuts the text into tokens; this file decides which of them a SAML
//! message may hold and resolves names. Anything two parsers might read
//! differently is refused rather than interpreted.

mod parse;

pub use parse::{Profile, XmlError, XmlProblem, parse};

/// The namespace the prefix `xml` is always bound to.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of namespace declarations, which nothing may be bound to.
pub const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// A parsed document. Elements are reached by handles that borrow it.
#[derive(Debug)]
pub struct Document {
    /// The first is the root; a parent always precedes its children.
    nodes: Vec<Node>,
    /// Whether it held processing instructions inside the root, which the tree has not.
    instructed: bool,
}

/// Names one element of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ElementId(usize);

#[derive(Debug)]
struct Node {
    name: Name,
    attributes: Vec<Attribute>,
    declarations: Vec<Declaration>,
    children: Vec<Child>,
    parent: Option<ElementId>,
    offset: usize,
}

#[derive(Debug)]
enum Child {
    Element(ElementId),
    Text(String),
}

/// A qualified name with its namespace resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The prefix as written; empty when there is none.
    pub prefix: String,
    /// The part after the colon.
    pub local: String,
    /// The namespace; empty when there is none.
    pub namespace: String,
}

/// One attribute, its value normalised as XML 1.0 §3.3.3 says for CDATA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// The attribute's name.
    pub name: Name,
    /// The attribute's value.
    pub value: String,
}

/// One namespace declaration (`xmlns` or `xmlns:prefix`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// Empty for the default namespace.
    pub prefix: String,
    /// Empty only for `xmlns=""`.
    pub namespace: String,
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
        (0..self.nodes.len()).map(|index| Element { document: self, id: ElementId(index) })
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

    fn node(self) -> &'d Node {
        &self.document.nodes[self.id.0]
    }

    /// This element's id within its document.
    pub fn id(self) -> ElementId {
        self.id
    }

    /// The element's name.
    pub fn name(self) -> &'d Name {
        &self.node().name
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
    pub fn attributes(self) -> &'d [Attribute] {
        &self.node().attributes
    }

    /// The value of the attribute of this name in no namespace.
    pub fn attribute(self, local: &str) -> Option<&'d str> {
        let mut attributes = self.attributes().iter();
        attributes
            .find(|attribute| attribute.name.namespace.is_empty() && attribute.name.local == local)
            .map(|attribute| attribute.value.as_str())
    }

    /// The namespace declarations written on this element.
    pub fn declarations(self) -> &'d [Declaration] {
        &self.node().declarations
    }

    /// The enclosing element.
    pub fn parent(self) -> Option<Element<'d>> {
        self.node().parent.map(|id| Element { document: self.document, id })
    }

    /// Text and elements in order.
    pub fn contents(self) -> impl Iterator<Item = Content<'d>> {
        self.node().children.iter().map(move |child| match child {
            Child::Element(id) => Content::Element(Element { document: self.document, id: *id }),
            Child::Text(text) => Content::Text(text),
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
        match self.node().children.as_slice() {
            [] => Some(""),
            [Child::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// What the prefix is bound to here: `None` when nothing binds it, and
    /// `Some("")` for the default namespace after `xmlns=""`.
    pub fn namespace_of(self, prefix: &str) -> Option<&'d str> {
        let mut element = Some(self);
        while let Some(current) = element {
            if let Some(found) = current.declarations().iter().find(|it| it.prefix == prefix) {
                return Some(&found.namespace);
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
