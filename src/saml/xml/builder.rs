//! From tokens to the tree.

use quick_xml::events::{BytesDecl, BytesStart, Event};

use super::{
    AttributeNode, Child, DeclarationNode, Document, ElementId, NameNode, Node, Piece, Span,
    XML_NAMESPACE, XMLNS_NAMESPACE, is_blank, is_ncname,
    parse::{Limits, Profile, XmlProblem},
};

const ATTRIBUTES_PER_ELEMENT: usize = 32;
const NAME_LENGTH: usize = 256;
/// Declarations in scope at one time; bounds the cost of resolving a name.
const NAMESPACES_IN_SCOPE: usize = 64;

/// Puts the tree together, token by token.
pub(super) struct Builder<'i> {
    profile: Profile,
    limits: Limits,
    /// What is read.
    input: &'i str,
    /// What it says and does not spell out. Its places are counted on from the input's end.
    said: String,
    elements: Vec<Node>,
    contents: Vec<Child>,
    attributes: Vec<AttributeNode>,
    declarations: Vec<DeclarationNode>,
    open: Vec<Open>,
    /// The declarations in scope, innermost last.
    scope: Vec<DeclarationNode>,
    /// The attributes of the element at hand, until their namespaces are known.
    plain: Vec<(Span, Span, Span)>,
    count: usize,
    /// Whether anything at all has been read: the declaration must come first.
    started: bool,
    /// Whether a processing instruction stood inside the root.
    instructed: bool,
}

struct Open {
    id: ElementId,
    raw_name: Span,
    /// How long the scope was before this element's declarations.
    scope: usize,
}

/// A number of things that a profile allows: all of them fit.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl<'i> Builder<'i> {
    pub(super) fn new(input: &'i str, profile: Profile) -> Self {
        // A message of eight thousand bytes has some sixty elements.
        let about = input.len() / 128;
        Self {
            profile,
            limits: profile.limits(),
            input,
            said: XML_NAMESPACE.to_owned(),
            elements: Vec::with_capacity(about),
            contents: Vec::with_capacity(2 * about),
            attributes: Vec::with_capacity(about),
            declarations: Vec::new(),
            open: Vec::new(),
            scope: Vec::new(),
            plain: Vec::new(),
            count: 0,
            started: false,
            instructed: false,
        }
    }

    /// The place of a piece of the input.
    fn span(&self, piece: &[u8]) -> Result<Span, XmlProblem> {
        if piece.is_empty() {
            return Ok(Span::default());
        }
        let start = piece.as_ptr().addr().wrapping_sub(self.input.as_ptr().addr());
        let end = start.wrapping_add(piece.len());
        // Between two characters, at both ends, and nowhere else.
        self.input.get(start..end).ok_or(XmlProblem::Malformed)?;
        Ok(Span { start: small(start), end: small(end) })
    }

    fn text(&self, span: Span) -> &str {
        let (start, end) = (span.start as usize, span.end as usize);
        let length = self.input.len();
        if start < length || end <= length {
            &self.input[start..end]
        } else {
            &self.said[start - length..end - length]
        }
    }

    /// The place of what has been said since it had this length.
    fn said_since(&self, length: usize) -> Span {
        let before = self.input.len();
        Span { start: small(before + length), end: small(before + self.said.len()) }
    }

    fn xml_namespace(&self) -> Span {
        let start = self.input.len();
        Span { start: small(start), end: small(start + XML_NAMESPACE.len()) }
    }

    pub(super) fn event(&mut self, event: &Event<'_>, offset: usize) -> Result<(), XmlProblem> {
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
                let written = self.text(self.span(name.as_ref())?);
                let open = self.open.last().ok_or(XmlProblem::Malformed)?;
                if self.text(open.raw_name) != written.trim_end_matches([' ', '\t', '\r', '\n']) {
                    return Err(XmlProblem::Malformed);
                }
                self.close();
                Ok(())
            }
            Event::Text(raw) => {
                let span = self.span(raw)?;
                let text = self.text(span);
                if raw.contains(&b'>') && text.contains("]]>") {
                    return Err(XmlProblem::Malformed);
                }
                if raw.contains(&b'\r') {
                    let text = text.replace("\r\n", "\n").replace('\r', "\n");
                    self.say(&text)
                } else {
                    self.content(span)
                }
            }
            Event::GeneralRef(reference) => {
                let name = str::from_utf8(reference).map_err(|_| XmlProblem::Encoding)?;
                if self.open.is_empty() {
                    return Err(XmlProblem::OutsideRoot);
                }
                let character = resolve_reference(name)?;
                self.say(character.encode_utf8(&mut [0; 4]))
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

    /// Adds text that does not stand in the input as it is meant.
    fn say(&mut self, text: &str) -> Result<(), XmlProblem> {
        let length = self.said.len();
        self.said.push_str(text);
        self.content(self.said_since(length))
    }

    /// Adds text to the open element.
    fn content(&mut self, span: Span) -> Result<(), XmlProblem> {
        let Some(open) = self.open.last() else {
            let blank = is_blank(self.text(span));
            return if blank { Ok(()) } else { Err(XmlProblem::OutsideRoot) };
        };
        if span.start == span.end {
            return Ok(());
        }
        let id = open.id;
        let last = self.elements[id.0 as usize].contents.map(|(_, last)| last as usize);
        if let Some(last) = last
            && let Piece::Text(before) = self.contents[last].what
        {
            // One text, in several pieces: it is put together behind what is said.
            let piece = self.joined(before, span);
            self.contents[last].what = Piece::Text(piece);
            return Ok(());
        }
        self.count_node()?;
        self.append(id, Piece::Text(span));
        Ok(())
    }

    /// The place where two texts stand one after the other.
    fn joined(&mut self, before: Span, after: Span) -> Span {
        let (input, end) = (self.input, self.input.len() + self.said.len());
        if before.end == after.start && after.end as usize == end {
            return Span { start: before.start, end: after.end };
        }
        if before.end as usize != end {
            let length = self.said.len();
            let text = self.text(before).to_owned();
            self.said.push_str(&text);
            let moved = self.said_since(length);
            return self.joined(moved, after);
        }
        if let Some(text) = input.get(after.start as usize..after.end as usize) {
            self.said.push_str(text);
        } else {
            let text = self.text(after).to_owned();
            self.said.push_str(&text);
        }
        Span { start: before.start, end: small(self.input.len() + self.said.len()) }
    }

    fn append(&mut self, parent: ElementId, what: Piece) {
        let index = small(self.contents.len());
        self.contents.push(Child { what, next: None });
        let node = &mut self.elements[parent.0 as usize];
        let first = match node.contents {
            Some((first, last)) => {
                self.contents[last as usize].next = Some(index);
                first
            }
            None => index,
        };
        node.contents = Some((first, index));
    }

    fn start(&mut self, tag: &BytesStart<'_>, offset: usize) -> Result<(), XmlProblem> {
        self.count_node()?;
        if self.open.is_empty() && !self.elements.is_empty() {
            return Err(XmlProblem::OutsideRoot);
        }
        if self.open.len() >= self.limits.depth {
            return Err(XmlProblem::TooDeep);
        }
        let raw_name = self.span(tag.name().as_ref())?;
        let (scope, declared) = (self.scope.len(), self.declarations.len());
        let written = self.span(tag.attributes_raw())?;
        self.attributes_of(written, declared)?;
        self.scope.extend_from_slice(&self.declarations[declared..]);
        if self.scope.len() > NAMESPACES_IN_SCOPE {
            return Err(XmlProblem::TooManyNamespaces);
        }
        let (prefix, local) = self.split_name(raw_name)?;
        let name = self.resolve(prefix, local, true)?;
        let first = self.attributes.len();
        for index in 0..self.plain.len() {
            let (prefix, local, value) = self.plain[index];
            let name = self.resolve(prefix, local, false)?;
            if self.attributes[first..].iter().any(|other| {
                self.text(other.name.local) == self.text(name.local)
                    && self.text(other.name.namespace) == self.text(name.namespace)
            }) {
                return Err(XmlProblem::DuplicateAttribute);
            }
            self.attributes.push(AttributeNode { name, value });
        }
        let id = ElementId(small(self.elements.len()));
        let parent = self.open.last().map(|open| open.id);
        if let Some(parent) = parent {
            self.append(parent, Piece::Element(id));
        }
        let range = |start, end| Span { start: small(start), end: small(end) };
        self.elements.push(Node {
            name,
            attributes: range(first, self.attributes.len()),
            declarations: range(declared, self.declarations.len()),
            contents: None,
            parent,
            offset,
        });
        self.open.push(Open { id, raw_name, scope });
        Ok(())
    }

    /// Takes apart what stands between an element's name and its `>`: declarations come to the
    /// others, attributes wait until all declarations are known.
    ///
    /// Ours, because quick-xml's own iterator forgives missing white space.
    fn attributes_of(&mut self, written: Span, declared: usize) -> Result<(), XmlProblem> {
        const BLANK: [char; 4] = [' ', '\t', '\r', '\n'];
        self.plain.clear();
        let input = self.input;
        let mut rest = &input[written.start as usize..written.end as usize];
        let mut count = 0;
        loop {
            let trimmed = rest.trim_start_matches(BLANK);
            if trimmed.is_empty() {
                return Ok(());
            }
            if trimmed.len() == rest.len() {
                return Err(XmlProblem::Attribute);
            }
            if count >= ATTRIBUTES_PER_ELEMENT {
                return Err(XmlProblem::TooManyAttributes);
            }
            count += 1;
            let (name, after) = trimmed.split_once('=').ok_or(XmlProblem::Attribute)?;
            let name = self.span(name.trim_end_matches(BLANK).as_bytes())?;
            let after = after.trim_start_matches(BLANK);
            let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
            let quote = quote.ok_or(XmlProblem::Attribute)?;
            let (value, after) = after[1..].split_once(quote).ok_or(XmlProblem::Attribute)?;
            rest = after;
            let (prefix, local) = self.split_name(name)?;
            let value = self.attribute_value(value)?;
            let prefix = match (self.text(prefix), self.text(local)) {
                ("", "xmlns") => Span::default(),
                ("xmlns", _) => local,
                _ => {
                    self.plain.push((prefix, local, value));
                    continue;
                }
            };
            let name = self.text(prefix);
            check_namespace(name, self.text(value))?;
            if self.declarations[declared..].iter().any(|it| self.text(it.prefix) == name) {
                return Err(XmlProblem::DuplicateAttribute);
            }
            self.declarations.push(DeclarationNode { prefix, namespace: value });
        }
    }

    /// Prefix (empty when none) and local part, both checked.
    fn split_name(&self, name: Span) -> Result<(Span, Span), XmlProblem> {
        let text = self.text(name);
        if text.len() > NAME_LENGTH {
            return Err(XmlProblem::Name);
        }
        let colon = text.bytes().position(|byte| byte == b':');
        let (prefix, local) = match colon {
            Some(colon) => {
                let middle = name.start + small(colon);
                let prefix = Span { start: name.start, end: middle };
                if !is_ncname(self.text(prefix)) {
                    return Err(XmlProblem::Name);
                }
                (prefix, Span { start: middle + 1, end: name.end })
            }
            None => (Span::default(), name),
        };
        if is_ncname(self.text(local)) { Ok((prefix, local)) } else { Err(XmlProblem::Name) }
    }

    /// The value of an attribute, which is often what stands there.
    fn attribute_value(&mut self, raw: &str) -> Result<Span, XmlProblem> {
        let special = |byte: &u8| matches!(byte, b'&' | b'<' | b'\t' | b'\n' | b'\r');
        if !raw.as_bytes().iter().any(special) {
            return self.span(raw.as_bytes());
        }
        let length = self.said.len();
        let mut rest = raw;
        while let Some(index) = rest.as_bytes().iter().position(special) {
            self.said.push_str(&rest[..index]);
            let after = &rest[index + 1..];
            rest = match rest.as_bytes()[index] {
                b'<' => return Err(XmlProblem::Attribute),
                b'&' => {
                    let (name, after) = after.split_once(';').ok_or(XmlProblem::Reference)?;
                    self.said.push(resolve_reference(name)?);
                    after
                }
                b'\r' => {
                    self.said.push(' ');
                    after.strip_prefix('\n').unwrap_or(after)
                }
                _ => {
                    self.said.push(' ');
                    after
                }
            };
        }
        self.said.push_str(rest);
        Ok(self.said_since(length))
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.scope.truncate(open.scope);
        }
    }

    fn resolve(&self, prefix: Span, local: Span, element: bool) -> Result<NameNode, XmlProblem> {
        let namespace = match self.text(prefix) {
            "xml" => self.xml_namespace(),
            "xmlns" => return Err(XmlProblem::Name),
            "" if !element => Span::default(),
            name => match self.scope.iter().rev().find(|it| self.text(it.prefix) == name) {
                Some(found) => found.namespace,
                None if name.is_empty() => Span::default(),
                None => return Err(XmlProblem::UndeclaredPrefix),
            },
        };
        Ok(NameNode { prefix, local, namespace })
    }

    pub(super) fn finish(self) -> Result<Document, XmlProblem> {
        if !self.open.is_empty() {
            return Err(XmlProblem::Malformed);
        }
        if self.elements.is_empty() {
            return Err(XmlProblem::Empty);
        }
        let mut text = String::with_capacity(self.input.len() + self.said.len());
        text.push_str(self.input);
        text.push_str(&self.said);
        Ok(Document {
            text,
            elements: self.elements,
            contents: self.contents,
            attributes: self.attributes,
            declarations: self.declarations,
            instructed: self.instructed,
        })
    }
}

pub(super) fn is_xml_character(character: char) -> bool {
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

/// What a prefix may be bound to (Namespaces in XML 1.0 §3).
fn check_namespace(prefix: &str, namespace: &str) -> Result<(), XmlProblem> {
    let reserved = prefix == "xmlns"
        || namespace == XMLNS_NAMESPACE
        || (prefix == "xml") != (namespace == XML_NAMESPACE);
    let undeclares = namespace.is_empty() && prefix.is_empty();
    if reserved || !(undeclares || is_absolute(namespace)) {
        return Err(XmlProblem::Namespace);
    }
    Ok(())
}

/// A scheme, a colon, something after it, all as RFC 3986 has it. Canonicalisation is undefined for
/// relative namespaces, so no signature over one can mean anything; and libxml2 canonicalises nothing
/// in which one is no URI.
fn is_absolute(namespace: &str) -> bool {
    let Some((scheme, rest)) = namespace.split_once(':') else { return false };
    let mut bytes = scheme.bytes();
    !rest.is_empty()
        && bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        && is_uri_rest(rest)
}

/// What may stand behind the scheme of a URI, but for user names and literal addresses, and for `&`,
/// which libxml2 canonicalises as it is and others as `&amp;`.
fn is_uri_rest(rest: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$'()*+,;=%".contains(&byte);
    let escaped = |escape: &str| escape.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    let authority = rest.strip_prefix("//").and_then(|it| it.split(['/', '?', '#']).next());
    let authority = authority.unwrap_or_default();
    let port = authority.split_once(':').map_or("", |(_, port)| port);
    rest.bytes().all(known)
        && rest.split('%').skip(1).all(escaped)
        && rest.bytes().filter(|byte| *byte == b'#').count() <= 1
        && !authority.contains('@')
        && port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit())
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
