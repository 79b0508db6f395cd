//! Canonicalisation against the examples of its specifications.

use std::fmt::Write as _;

use crate::saml::c14n::{exclusive, whole};
use crate::saml::xml::{Document, Element, Profile, parse};

fn read(text: &str) -> Document {
    parse(text.as_bytes(), Profile::Message).unwrap()
}

fn find<'d>(document: &'d Document, local: &str) -> Element<'d> {
    document.elements().find(|it| it.name().local == local).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Exclusive XML Canonicalization 1.0, §2.2: the subtree in two surroundings.
#[test]
fn enveloping_does_not_change_a_subtree() {
    let alone = read(
        "<n1:elem2 xmlns:n0=\"http://a.example\" xmlns:n1=\"http://b.example\" \
         xmlns:xml=\"http://www.w3.org/XML/1998/namespace\" xml:lang=\"en\">\
         <n3:stuff xmlns:n3=\"http://c.example\"/></n1:elem2>",
    );
    let within = read(
        "<n0:pdu xmlns:n0='http://a.example' xmlns:n2='http://d.example' xml:lang='fr' \
         xml:space='retain'><n1:elem2 xmlns:n1='http://b.example' xml:lang='en'>\
         <n3:stuff xmlns:n3='http://c.example'/></n1:elem2></n0:pdu>",
    );
    let wanted = "<n1:elem2 xmlns:n1=\"http://b.example\" xml:lang=\"en\">\
                  <n3:stuff xmlns:n3=\"http://c.example\"></n3:stuff></n1:elem2>";
    assert_eq!(text(exclusive(find(&alone, "elem2"), &[], None)), wanted);
    assert_eq!(text(exclusive(find(&within, "elem2"), &[], None)), wanted);
    let listed = text(exclusive(find(&within, "elem2"), &["n0", "absent"], None));
    assert_eq!(listed, wanted.replacen(" xmlns:n1", " xmlns:n0=\"http://a.example\" xmlns:n1", 1));
}

/// Canonical XML 1.0, §3.3: start and end tags.
#[test]
fn tags_declarations_and_attributes_are_ordered() {
    let document = read(
        "<doc>\n   <e1   />\n   <e3   name = \"elem3\"   id=\"elem3\"   />\n   \
         <e5 a:attr=\"out\" b:attr=\"sorted\" attr2=\"all\" attr=\"I'm\"\n      \
         xmlns:b=\"http://www.ietf.org\"\n      xmlns:a=\"http://www.w3.org\"\n      \
         xmlns=\"http://example.org\"/>\n   <e6 xmlns=\"\" xmlns:a=\"http://www.w3.org\">\n       \
         <e7 xmlns=\"http://www.ietf.org\">\n           <e8 xmlns=\"\" \
         xmlns:a=\"http://www.w3.org\">\n               <e9 xmlns=\"\" \
         xmlns:a=\"http://www.ietf.org\"/>\n           </e8>\n       </e7>\n   </e6>\n</doc>",
    );
    let wanted = "<doc>\n   <e1></e1>\n   <e3 id=\"elem3\" name=\"elem3\"></e3>\n   \
         <e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" \
         xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" \
         a:attr=\"out\"></e5>\n   <e6 xmlns:a=\"http://www.w3.org\">\n       \
         <e7 xmlns=\"http://www.ietf.org\">\n           <e8 xmlns=\"\">\n               \
         <e9 xmlns:a=\"http://www.ietf.org\"></e9>\n           </e8>\n       </e7>\n   </e6>\n</doc>";
    assert_eq!(text(whole(&document)), wanted);
    // Exclusive: a prefix nothing uses is not rendered.
    let exclusive = text(exclusive(document.root(), &[], None));
    assert_eq!(
        exclusive,
        wanted
            .replace("<e6 xmlns:a=\"http://www.w3.org\">", "<e6>")
            .replace("<e9 xmlns:a=\"http://www.ietf.org\">", "<e9>")
    );
}

/// Canonical XML 1.0, §3.4: character modifications.
#[test]
fn characters_are_escaped_as_specified() {
    let document = read(
        "<doc>\r\n<text>First line&#x0d;&#10;Second line</text>\n<value>&#x32;</value>\n\
         <compute expr='value>\"0\" &amp;&amp; value&lt;\"10\" ?\"valid\":\"error\"'>valid</compute>\n\
         <norm attr=' &apos;   &#x20;&#13;&#xa;&#9;   &apos; '/></doc>",
    );
    let wanted = "<doc>\n<text>First line&#xD;\nSecond line</text>\n<value>2</value>\n\
         <compute expr=\"value>&quot;0&quot; &amp;&amp; value&lt;&quot;10&quot; \
         ?&quot;valid&quot;:&quot;error&quot;\">valid</compute>\n\
         <norm attr=\" '    &#xD;&#xA;&#x9;   ' \"></norm></doc>";
    assert_eq!(text(whole(&document)), wanted);
}

#[test]
fn the_default_namespace_is_undone_only_where_it_was_rendered() {
    let document = read("<a xmlns='urn:1'><b xmlns=''><c xmlns='urn:1'/></b></a>");
    let wanted = "<a xmlns=\"urn:1\"><b xmlns=\"\"><c xmlns=\"urn:1\"></c></b></a>";
    assert_eq!(text(exclusive(document.root(), &[], None)), wanted);
    assert_eq!(text(exclusive(find(&document, "b"), &[], None)), "<b><c xmlns=\"urn:1\"></c></b>");
    let prefixed = read("<p:a xmlns:p='urn:p' xmlns='urn:1'><p:b/></p:a>");
    let wanted = "<p:b xmlns=\"urn:1\" xmlns:p=\"urn:p\"></p:b>";
    assert_eq!(text(exclusive(find(&prefixed, "b"), &["#default"], None)), wanted);
}

#[test]
fn the_enveloped_transform_leaves_one_element_out() {
    let document = read("<a>x<s><t/></s>y<s/></a>");
    let first = find(&document, "s");
    assert_eq!(text(exclusive(document.root(), &[], Some(first.id()))), "<a>xy<s></s></a>");
}

/// The rule as the recommendation words it, at every element: a listed prefix is rendered where it
/// is in scope and not rendered with the same value by the nearest element in the output.
fn worded(element: Element<'_>, list: &[&str], shown: &[(String, String)], out: &mut String) {
    let mut shown = shown.to_vec();
    let name = element.name();
    let mut wanted = vec![(name.prefix.to_owned(), name.namespace.to_owned())];
    for attribute in element.attributes().filter(|it| !it.name.prefix.is_empty()) {
        wanted.push((attribute.name.prefix.to_owned(), attribute.name.namespace.to_owned()));
    }
    for prefix in list {
        let prefix = if *prefix == "#default" { "" } else { prefix };
        wanted.extend(element.namespace_of(prefix).map(|it| (prefix.to_owned(), it.to_owned())));
    }
    wanted.sort();
    wanted.dedup();
    let _ = write!(out, "<{}", name.local);
    for (prefix, namespace) in wanted {
        let rendered = shown.iter().rev().find(|it| it.0 == prefix).map(|it| it.1.as_str());
        if rendered.unwrap_or(if prefix.is_empty() { "" } else { "\0" }) != namespace {
            let _ = write!(out, " xmlns:{prefix}={namespace}");
            shown.push((prefix, namespace));
        }
    }
    out.push('>');
    for child in element.elements() {
        worded(child, list, &shown, out);
    }
    out.push('/');
}

/// What [`worded`] shows, out of canonical XML.
fn outline(canonical: &[u8]) -> String {
    fn walk(element: Element<'_>, out: &mut String) {
        let _ = write!(out, "<{}", element.name().local);
        for declaration in element.declarations() {
            let _ = write!(out, " xmlns:{}={}", declaration.prefix, declaration.namespace);
        }
        out.push('>');
        for child in element.elements() {
            walk(child, out);
        }
        out.push('/');
    }
    let document = parse(canonical, Profile::Message).unwrap();
    let mut out = String::new();
    walk(document.root(), &mut out);
    out
}

proptest::proptest! {
    #[test]
    fn listed_prefixes_are_rendered_as_the_recommendation_words_it(
        elements in proptest::collection::vec(
            (0_usize..4, 0_usize..3, proptest::collection::vec((0_usize..4, 0_usize..3), 0..4)),
            1..12,
        ),
    ) {
        let prefixes = ["", "a", "b", "c"];
        let uris = ["urn:x", "urn:y", "urn:z"];
        // All prefixes are bound at the top, so that every name can be used below.
        let mut text = String::from(
            "<r xmlns=\"urn:x\" xmlns:a=\"urn:x\" xmlns:b=\"urn:y\" xmlns:c=\"urn:z\">",
        );
        let mut open: Vec<String> = Vec::new();
        for (prefix, closes, declarations) in &elements {
            for _ in 0..*closes {
                if let Some(name) = open.pop() {
                    let _ = write!(text, "</{name}>");
                }
            }
            let colon = if *prefix == 0 { "" } else { ":" };
            let name = format!("{}{colon}e", prefixes[*prefix]);
            let _ = write!(text, "<{name}");
            let mut seen = Vec::new();
            for (prefix, uri) in declarations {
                if !seen.contains(prefix) {
                    let colon = if *prefix == 0 { "" } else { ":" };
                    let _ = write!(text, " xmlns{colon}{}=\"{}\"", prefixes[*prefix], uris[*uri]);
                    seen.push(*prefix);
                }
            }
            text.push('>');
            open.push(name);
        }
        while let Some(name) = open.pop() {
            let _ = write!(text, "</{name}>");
        }
        text.push_str("</r>");
        let document = parse(text.as_bytes(), Profile::Message).unwrap();
        for list in [&["a"][..], &["a", "c"], &["#default", "b"], &["nothing"], &[]] {
            for apex in document.elements() {
                let mut wanted = String::new();
                worded(apex, list, &[], &mut wanted);
                let found = outline(&exclusive(apex, list, None));
                proptest::prop_assert_eq!(&found, &wanted, "{} with {:?}", text, list);
            }
        }
    }
}
