//! The strict parser: what it refuses, where its limits are.

use proptest::prelude::*;

use crate::saml::response::Received;
use crate::saml::xml::{Content, Profile, XML_NAMESPACE, XmlProblem, parse};
use crate::saml::{c14n, request};

fn problem(text: &str) -> Option<XmlProblem> {
    parse(text.as_bytes(), Profile::Message).err().map(|error| error.problem)
}

#[test]
fn what_is_not_plain_xml_is_refused() {
    use XmlProblem::*;
    let cases = [
        ("", Empty),
        ("  ", Empty),
        ("text", OutsideRoot),
        ("<a/>text", OutsideRoot),
        ("<a/>&#32;", OutsideRoot),
        ("<a/><b/>", OutsideRoot),
        ("<a>", Malformed),
        ("<a></b>", Malformed),
        ("</a>", Malformed),
        ("<a><b></a></b>", Malformed),
        ("<a", Malformed),
        ("<a>]]></a>", Malformed),
        ("<!DOCTYPE a><a/>", DocumentType),
        ("<?pi x?><a/>", ProcessingInstruction),
        ("<a><?pi x?></a>", ProcessingInstruction),
        ("<!--x--><a/>", Comment),
        ("<a>x<!--x-->y</a>", Comment),
        ("<a><![CDATA[x]]></a>", Cdata),
        ("<a>&x;</a>", Reference),
        ("<a>&#0;</a>", Reference),
        ("<a>&#x1;</a>", Reference),
        ("<a>&#xD800;</a>", Reference),
        ("<a>&#+65;</a>", Reference),
        ("<a>&#x110000;</a>", Reference),
        ("<a b='&x;'/>", Reference),
        ("<a>\u{1}</a>", Character),
        ("<a>\u{0}</a>", Character),
        ("<a>\u{ffff}</a>", Character),
        ("<a b='1' b='2'/>", DuplicateAttribute),
        ("<a xmlns:p='urn:x' xmlns:q='urn:x' p:b='1' q:b='2'/>", DuplicateAttribute),
        ("<p:a/>", UndeclaredPrefix),
        ("<a p:b=''/>", UndeclaredPrefix),
        ("<a><b xmlns:p='urn:x'/><p:c/></a>", UndeclaredPrefix),
        ("<a xmlns='relative'/>", Namespace),
        ("<a xmlns:p='../x'/>", Namespace),
        ("<a xmlns:p=''/>", Namespace),
        ("<a xmlns:xml='urn:x'/>", Namespace),
        ("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", Namespace),
        ("<a xmlns:xmlns='urn:x'/>", Namespace),
        ("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", Namespace),
        ("<a b/>", Attribute),
        ("<a b=c/>", Attribute),
        ("<a b='1'c='2'/>", Attribute),
        ("<a b='<'/>", Attribute),
        ("<a:b:c/>", Name),
        ("<1a/>", Name),
        ("<\u{e9}/>", Name),
        ("<xmlns:a/>", Name),
        (" <?xml version='1.0'?><a/>", Declaration),
        ("<?xml version='1.1'?><a/>", Declaration),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", Encoding),
    ];
    for (text, wanted) in cases {
        assert_eq!(problem(text), Some(wanted), "{text:?}");
    }
    for text in ["<?xml version='1.0' encoding='utf-8'?>\n<a/>\n", "\u{feff}<a/>", "<a b = '1' />"]
    {
        assert_eq!(problem(text), None, "{text:?}");
    }
    let latin = parse(b"<a>\xe9</a>", Profile::Message).unwrap_err();
    assert_eq!((latin.problem, latin.offset), (Encoding, 3));
}

#[test]
fn the_position_of_a_problem_is_told() {
    let error = parse(b"<a>\n<b></c></a>", Profile::Message).unwrap_err();
    assert_eq!((error.problem, error.offset), (XmlProblem::Malformed, 7));
}

#[test]
fn metadata_may_hold_comments_but_no_document_type() {
    let commented = "<!--x--><?pi x?><a>b<!--y-->c</a><!--z-->";
    let document = parse(commented.as_bytes(), Profile::Metadata).unwrap();
    assert_eq!(document.root().text(), Some("bc"));
    let typed = parse(b"<!DOCTYPE a><a/>", Profile::Metadata).unwrap_err();
    assert_eq!(typed.problem, XmlProblem::DocumentType);
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(problem(&nested(48)), None);
    assert_eq!(problem(&nested(49)), Some(XmlProblem::TooDeep));
    let wide = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
    assert_eq!(problem(&wide(20_000)), None);
    assert_eq!(problem(&wide(20_001)), Some(XmlProblem::TooManyNodes));
    let attributes = |count: usize| {
        let all: Vec<String> = (0..count).map(|i| format!(" a{i}=''")).collect();
        format!("<a{}/>", all.concat())
    };
    assert_eq!(problem(&attributes(32)), None);
    assert_eq!(problem(&attributes(33)), Some(XmlProblem::TooManyAttributes));
    let named = |length: usize| format!("<{}/>", "a".repeat(length));
    assert_eq!(problem(&named(256)), None);
    assert_eq!(problem(&named(257)), Some(XmlProblem::Name));
    let sized = |size: usize| format!("<a>{}</a>", "x".repeat(size - 7));
    assert_eq!(problem(&sized(256 * 1024)), None);
    assert_eq!(problem(&sized(256 * 1024 + 1)), Some(XmlProblem::TooLarge));
}

#[test]
fn values_are_normalised_as_xml_says() {
    let text = "<a b='x\ty\r\nz&#10;&amp;&lt;&quot;'>p\r\nq\rr&#13;&gt;&apos;</a>";
    let document = parse(text.as_bytes(), Profile::Message).unwrap();
    assert_eq!(document.root().attribute("b"), Some("x y z\n&<\""));
    assert_eq!(document.root().text(), Some("p\nq\nr\r>'"));
}

#[test]
fn names_resolve_to_the_nearest_declaration() {
    let text =
        "<a xmlns='urn:1' xmlns:p='urn:2'><b xmlns=''><p:c xmlns:p='urn:3' d='' p:d=''/></b></a>";
    let document = parse(text.as_bytes(), Profile::Message).unwrap();
    let all: Vec<_> = document.elements().collect();
    assert!(all[0].is("urn:1", "a") && all[1].is("", "b") && all[2].is("urn:3", "c"));
    let namespaces: Vec<_> = all[2].attributes().map(|it| it.name.namespace).collect();
    assert_eq!(namespaces, ["", "urn:3"]);
}

#[test]
fn a_text_in_many_pieces_is_one_text() {
    let text =
        "\u{feff}<a b='1&lt;2' xml:c='\t' d='3'>x&amp;y\r\nz<e/>&#x41;b\rc&gt;<f>g</f>h&#104;h</a>";
    let document = parse(text.as_bytes(), Profile::Message).unwrap();
    let shown: Vec<String> = document
        .root()
        .contents()
        .map(|content| match content {
            Content::Element(element) => format!("<{}>", element.name().local),
            Content::Text(text) => text.to_owned(),
        })
        .collect();
    assert_eq!(shown, ["x&y\nz", "<e>", "Ab\nc>", "<f>", "hhh"]);
    let attributes: Vec<_> = document
        .root()
        .attributes()
        .map(|it| (it.name.namespace, it.name.local, it.value))
        .collect();
    assert_eq!(attributes, [("", "b", "1<2"), (XML_NAMESPACE, "c", " "), ("", "d", "3")]);
    assert_eq!(document.root().elements().nth(1).unwrap().text(), Some("g"));
    assert_eq!(Some(document.root().elements().nth(1).unwrap().offset()), text.find("<f>"));
    // Twice the same declaration, which the tree would otherwise have to choose from.
    for twice in ["<a xmlns:b='urn:1' xmlns:b='urn:1'/>", "<a xmlns='urn:1' xmlns='urn:2'/>"] {
        let error = parse(twice.as_bytes(), Profile::Message).unwrap_err();
        assert_eq!(error.problem, XmlProblem::DuplicateAttribute);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes, Profile::Message);
        let _ = parse(&bytes, Profile::Metadata);
    }

    #[test]
    fn no_markup_makes_it_panic(text in "[<>/a:b='\"&;#x!\\[\\]?\\- \n0-9é]{0,200}") {
        if let Ok(document) = parse(text.as_bytes(), Profile::Message) {
            // Canonical form is a fixed point.
            let once = c14n::whole(&document);
            let again = parse(&once, Profile::Message).unwrap();
            prop_assert_eq!(c14n::whole(&again), once);
        }
    }

    #[test]
    fn no_form_field_makes_it_panic(text in ".{0,200}") {
        let received = Received::parse(&text);
        prop_assert!(received.verify(&super::house::expected()).result.is_err());
        let _ = request::AuthnRequest::from_redirect(&text);
    }
}

#[test]
fn namespaces_are_uris_that_every_parser_takes() {
    let bound = |to: &str| parse(format!("<a xmlns:p=\"{to}\"/>").as_bytes(), Profile::Message);
    for fine in [
        "urn:oasis:names:tc:SAML:2.0:assertion",
        "http://www.w3.org/2001/04/xmlenc#",
        "http://schemas.example.com:8443/a/b?c=d;e#g",
        "https://idp.example.com",
        "urn:a%20b",
        "mailto:somebody@example.com",
        "tag:example.com,2026:(a)*'!",
    ] {
        assert!(bound(fine).is_ok(), "{fine}");
    }
    for bad in [
        "relative",
        "../x",
        "x:",
        ":x",
        "1:x",
        "urn:a b",
        "urn:&quot;a&quot;",
        "urn:{a}",
        "urn:a&amp;b",
        "urn:a|b",
        "urn:&lt;a&gt;",
        "urn:a\\b",
        "urn:a^`b",
        "urn:\u{e9}",
        "urn:a%2",
        "urn:a%zz",
        "urn:a#b#c",
        "http://a:b/",
        "http://a:123456/",
        "http://[::1]/",
        "http://a@b/",
    ] {
        let problem = bound(bad).unwrap_err().problem;
        assert_eq!(problem, XmlProblem::Namespace, "{bad}");
    }
}
