//! Reading an element by its expected shape: which attributes, which children,
//! in which order. What is not named is refused, never skipped.

use super::namespace::SCHEMA_INSTANCE;
use super::xml::{Content, Element, is_blank, trim};

/// How a document departs from the shape it should have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// An element where none, or another one, should be.
    #[error("unexpected element {found} in {parent}")]
    UnexpectedElement {
        /// The enclosing element.
        parent: String,
        /// What was found.
        found: String,
    },
    /// An element that must be there is not.
    #[error("element {wanted} is missing in {parent}")]
    MissingElement {
        /// The enclosing element.
        parent: String,
        /// What should be there.
        wanted: String,
    },
    /// An attribute the shape does not know.
    #[error("unexpected attribute {found} on {parent}")]
    UnexpectedAttribute {
        /// The element.
        parent: String,
        /// The attribute.
        found: String,
    },
    /// An attribute that must be there is not.
    #[error("attribute {wanted} is missing on {parent}")]
    MissingAttribute {
        /// The element.
        parent: String,
        /// The attribute.
        wanted: &'static str,
    },
    /// Text between elements.
    #[error("unexpected text in {parent}")]
    UnexpectedText {
        /// The enclosing element.
        parent: String,
    },
    /// More than an honest one holds.
    #[error("too much in {parent}")]
    TooMuch {
        /// The element.
        parent: String,
    },
    /// A value that cannot be read as what it should be.
    #[error("bad value of {field} on {parent}")]
    BadValue {
        /// The element.
        parent: String,
        /// Which attribute or content.
        field: &'static str,
    },
}

/// An element's name for people: prefix as written and local part.
pub fn label(element: Element<'_>) -> String {
    let name = element.name();
    if name.prefix.is_empty() {
        name.local.to_owned()
    } else {
        format!("{}:{}", name.prefix, name.local)
    }
}

/// A cursor over the children of an element that holds only elements.
#[derive(Debug)]
pub struct Children<'d> {
    parent: Element<'d>,
    elements: Vec<Element<'d>>,
    next: usize,
}

/// Which attributes with a prefix an element may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// Only those of XML Schema for instances (part 1 §2.6).
    Refused,
    /// Of any namespace; they are ignored.
    Ignored,
}

/// The attributes that XML Schema lets stand on every element. Anything else of its namespace is
/// nobody's, and other implementations take an `xsi:ID` for an ID.
const OF_INSTANCES: [&str; 4] = ["type", "nil", "schemaLocation", "noNamespaceSchemaLocation"];

/// Refuses attributes that are not in the list.
pub fn check_attributes(
    element: Element<'_>,
    known: &[&str],
    foreign: Foreign,
) -> Result<(), ShapeError> {
    for attribute in element.attributes() {
        let name = &attribute.name;
        let fine = match name.namespace {
            "" => known.contains(&name.local),
            SCHEMA_INSTANCE if OF_INSTANCES.contains(&name.local) => true,
            _ => foreign == Foreign::Ignored,
        };
        if !fine {
            return Err(ShapeError::UnexpectedAttribute {
                parent: label(element),
                found: name.local.to_owned(),
            });
        }
    }
    Ok(())
}

/// The value of an attribute that must be there.
pub fn required<'d>(element: Element<'d>, name: &'static str) -> Result<&'d str, ShapeError> {
    element
        .attribute(name)
        .ok_or_else(|| ShapeError::MissingAttribute { parent: label(element), wanted: name })
}

/// The text of an element that holds nothing else, its attributes checked.
pub fn leaf<'d>(element: Element<'d>, attributes: &[&str]) -> Result<&'d str, ShapeError> {
    check_attributes(element, attributes, Foreign::Refused)?;
    element.text().ok_or_else(|| match element.elements().next() {
        Some(found) => {
            ShapeError::UnexpectedElement { parent: label(element), found: label(found) }
        }
        None => ShapeError::UnexpectedText { parent: label(element) },
    })
}

/// As [`leaf`], with XML white space trimmed off both ends.
pub fn trimmed_leaf<'d>(element: Element<'d>, attributes: &[&str]) -> Result<&'d str, ShapeError> {
    leaf(element, attributes).map(trim)
}

/// Shorthand for a value that does not read as it should.
pub fn bad_value(element: Element<'_>, field: &'static str) -> ShapeError {
    ShapeError::BadValue { parent: label(element), field }
}

impl<'d> Children<'d> {
    /// Starts reading: attributes are checked, text between elements refused.
    pub fn of(parent: Element<'d>, attributes: &[&str]) -> Result<Self, ShapeError> {
        Self::with(parent, attributes, Foreign::Refused)
    }

    /// As [`Children::of`], saying what happens to attributes of other namespaces.
    pub fn with(
        parent: Element<'d>,
        attributes: &[&str],
        foreign: Foreign,
    ) -> Result<Self, ShapeError> {
        check_attributes(parent, attributes, foreign)?;
        let mut elements = Vec::new();
        for content in parent.contents() {
            match content {
                Content::Element(element) => elements.push(element),
                Content::Text(text) if is_blank(text) => {}
                Content::Text(_) => {
                    return Err(ShapeError::UnexpectedText { parent: label(parent) });
                }
            }
        }
        Ok(Self { parent, elements, next: 0 })
    }

    /// The next child, whatever it is.
    pub fn any(&mut self) -> Option<Element<'d>> {
        let element = self.elements.get(self.next).copied()?;
        self.next += 1;
        Some(element)
    }

    /// The next child when it has this name.
    pub fn optional(&mut self, namespace: &str, local: &str) -> Option<Element<'d>> {
        let element = self.elements.get(self.next).copied()?;
        if element.is(namespace, local) {
            self.next += 1;
            return Some(element);
        }
        None
    }

    /// The next child, which must have this name.
    pub fn required(&mut self, namespace: &str, local: &str) -> Result<Element<'d>, ShapeError> {
        self.optional(namespace, local).ok_or_else(|| match self.elements.get(self.next) {
            Some(found) => self.unexpected(*found),
            None => {
                ShapeError::MissingElement { parent: label(self.parent), wanted: local.to_owned() }
            }
        })
    }

    /// All next children of this name.
    pub fn many(&mut self, namespace: &str, local: &str) -> Vec<Element<'d>> {
        std::iter::from_fn(|| self.optional(namespace, local)).collect()
    }

    /// Ends reading: nothing may be left.
    pub fn end(self) -> Result<(), ShapeError> {
        match self.elements.get(self.next) {
            Some(found) => Err(self.unexpected(*found)),
            None => Ok(()),
        }
    }

    /// The error for a child that has no place here.
    pub fn unexpected(&self, found: Element<'_>) -> ShapeError {
        ShapeError::UnexpectedElement { parent: label(self.parent), found: label(found) }
    }
}
