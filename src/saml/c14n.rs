//! Canonical XML, without comments.
//!
//! Exclusive canonicalisation 1.0 is what signatures are made over. The
//! inclusive form serves one purpose: to hand a whole message on without losing
//! a declaration that a signature's prefix list may need.

use super::xml::{Attribute, Content, Declaration, Document, Element, ElementId};

/// Writes the element by exclusive canonicalisation.
///
/// `prefixes` is the InclusiveNamespaces prefix list, `#default` standing for
/// the default namespace. `omit` leaves out one descendant with all it holds:
/// the enveloped-signature transform.
pub fn exclusive(element: Element<'_>, prefixes: &[&str], omit: Option<ElementId>) -> Vec<u8> {
    let mut writer = Writer::new(Some((prefixes, element.id())), omit);
    writer.element(element);
    writer.out
}

/// Writes the whole document by inclusive canonicalisation.
pub fn whole(document: &Document) -> Vec<u8> {
    alone(document.root())
}

/// Writes the element by inclusive canonicalisation: a document of its own, which means what the
/// element means where it stands. Attributes of `xml:` around it are not looked for, since no
/// element of the profile has one.
pub fn alone(element: Element<'_>) -> Vec<u8> {
    let mut writer = Writer::new(None, None);
    writer.element(element);
    writer.out
}

struct Writer<'d, 'p> {
    out: Vec<u8>,
    /// The prefix list, and where the output begins. `None`: every declaration is rendered where
    /// it stands (inclusive).
    prefixes: Option<(&'p [&'p str], ElementId)>,
    omit: Option<ElementId>,
    /// Declarations rendered by the ancestors in the output, innermost last.
    shown: Vec<(&'d str, &'d str)>,
    /// Room for what is sorted: the declarations and the attributes of the element at hand.
    declared: Vec<(&'d str, &'d str)>,
    attributes: Vec<Attribute<'d>>,
}

impl<'d, 'p> Writer<'d, 'p> {
    fn new(prefixes: Option<(&'p [&'p str], ElementId)>, omit: Option<ElementId>) -> Self {
        Self {
            out: Vec::with_capacity(4096),
            prefixes,
            omit,
            shown: Vec::new(),
            declared: Vec::new(),
            attributes: Vec::new(),
        }
    }

    fn element(&mut self, element: Element<'d>) {
        let before = self.shown.len();
        let mut declared = std::mem::take(&mut self.declared);
        self.declarations(element, &mut declared);
        let name = element.name();
        self.out.push(b'<');
        self.qualified(name.prefix, name.local);
        for (prefix, namespace) in declared.drain(..) {
            self.out.push(b' ');
            if prefix.is_empty() {
                self.out.extend_from_slice(b"xmlns");
            } else {
                self.qualified("xmlns", prefix);
            }
            self.value(namespace);
            self.shown.push((prefix, namespace));
        }
        self.declared = declared;
        let mut attributes = std::mem::take(&mut self.attributes);
        attributes.extend(element.attributes());
        attributes.sort_unstable_by_key(|it| (it.name.namespace, it.name.local));
        for attribute in attributes.drain(..) {
            self.out.push(b' ');
            self.qualified(attribute.name.prefix, attribute.name.local);
            self.value(attribute.value);
        }
        self.attributes = attributes;
        self.out.push(b'>');
        for content in element.contents() {
            match content {
                Content::Element(child) if Some(child.id()) == self.omit => {}
                Content::Element(child) => self.element(child),
                Content::Text(text) => escape_text(text, &mut self.out),
            }
        }
        self.out.extend_from_slice(b"</");
        self.qualified(name.prefix, name.local);
        self.out.push(b'>');
        self.shown.truncate(before);
    }

    /// The declarations to render on this element, sorted by prefix.
    fn declarations(&self, element: Element<'d>, candidates: &mut Vec<(&'d str, &'d str)>) {
        match self.prefixes {
            None => {
                candidates.extend(element.declarations().map(|it| (it.prefix, it.namespace)));
                // The first element says what those around it say for it.
                let mut around = element.parent().filter(|_| self.out.is_empty());
                while let Some(it) = around {
                    for Declaration { prefix, namespace } in it.declarations() {
                        if !candidates.iter().any(|(nearer, _)| *nearer == prefix) {
                            candidates.push((prefix, namespace));
                        }
                    }
                    around = it.parent();
                }
            }
            Some((inclusive, apex)) => {
                let name = element.name();
                candidates.push((name.prefix, name.namespace));
                let attributes = element.attributes().map(|attribute| attribute.name);
                candidates.extend(
                    attributes
                        .filter(|name| !name.prefix.is_empty())
                        .map(|name| (name.prefix, name.namespace)),
                );
                // Below the apex a listed prefix means something else only where the element
                // itself declares it: nobody makes us look for it at every element.
                for prefix in inclusive {
                    let prefix = if *prefix == "#default" { "" } else { *prefix };
                    candidates.extend(if element.id() == apex {
                        in_scope(element, prefix)
                    } else {
                        declared(element, prefix)
                    });
                }
            }
        }
        candidates
            .retain(|(prefix, namespace)| *prefix != "xml" && !self.is_shown(prefix, namespace));
        candidates.sort_unstable();
        candidates.dedup();
    }

    fn is_shown(&self, prefix: &str, namespace: &str) -> bool {
        match self.shown.iter().rev().find(|(shown, _)| *shown == prefix) {
            Some((_, shown)) => *shown == namespace,
            // `xmlns=""` says nothing where no default namespace is rendered.
            None => prefix.is_empty() && namespace.is_empty(),
        }
    }

    fn qualified(&mut self, prefix: &str, local: &str) {
        if !prefix.is_empty() {
            self.out.extend_from_slice(prefix.as_bytes());
            self.out.push(b':');
        }
        self.out.extend_from_slice(local.as_bytes());
    }

    fn value(&mut self, value: &str) {
        self.out.extend_from_slice(b"=\"");
        escape_attribute(value, &mut self.out);
        self.out.push(b'"');
    }
}

/// The binding of a listed prefix, with the prefix borrowed from the document.
fn in_scope<'d>(element: Element<'d>, prefix: &str) -> Option<(&'d str, &'d str)> {
    let mut current = Some(element);
    while let Some(element) = current {
        if let Some(found) = declared(element, prefix) {
            return Some(found);
        }
        current = element.parent();
    }
    None
}

/// The binding of a prefix that stands on the element itself.
fn declared<'d>(element: Element<'d>, prefix: &str) -> Option<(&'d str, &'d str)> {
    let found = element.declarations().find(|it| it.prefix == prefix)?;
    Some((found.prefix, found.namespace))
}

/// Escapes text as canonical XML does.
pub fn escape_text(text: &str, out: &mut Vec<u8>) {
    escape(text, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    });
}

/// Escapes an attribute's value, to stand in double quotes, as canonical XML does.
pub fn escape_attribute(value: &str, out: &mut Vec<u8>) {
    escape(value, out, |byte| match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    });
}

/// Copies a text, but for the bytes that are said otherwise; what lies between them is copied as
/// one piece.
fn escape(text: &str, out: &mut Vec<u8>, said: impl Fn(u8) -> Option<&'static [u8]>) {
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if let Some(said) = said(*byte) {
            out.extend_from_slice(&bytes[from..at]);
            out.extend_from_slice(said);
            from = at + 1;
        }
    }
    out.extend_from_slice(&bytes[from..]);
}
