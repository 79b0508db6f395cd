//! Where two parsers may read two things, other encodings, and names that look like others.

use super::*;

const XML: Check = Check::Xml;
const SHAPE: Check = Check::Structure;

pub(super) fn differentials() -> Vec<Case> {
    let mut cases = Vec::new();
    let entity = "<!DOCTYPE x [<!ENTITY a \"alice\">]>";
    let remote = "<!DOCTYPE x SYSTEM \"http://127.0.0.1/x.dtd\">";
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    let file = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]>";
    let parameter = "<!DOCTYPE x [<!ENTITY % p SYSTEM \"http://127.0.0.1/\">%p;]>";
    for what in EVERY {
        let message = sign(&unsigned(), what);
        let mut add = |name: &str, changed: String, by| {
            cases.push(Case::new(format!("{name}, signed: {what:?}"), changed, by));
        };
        for (name, declaration) in [
            ("a document type", entity),
            ("a remote document type", remote),
            ("entities that grow", bomb),
            ("an entity from a file", file),
            ("a parameter entity", parameter),
        ] {
            add(name, format!("{declaration}{message}"), XML);
        }
        for (name, to) in [
            ("a comment at the end of the name", ">alice<!-- --><"),
            ("a comment in the name", ">al<!-- -->ice<"),
            ("a processing instruction in the name", ">al<?x y?>ice<"),
            ("CDATA as the name", "><![CDATA[alice]]><"),
            ("CDATA in the name", ">al<![CDATA[ice]]><"),
            ("an entity in the name", ">al&x;ice<"),
            ("a NUL reference in the name", ">alice&#0;<"),
            ("a control reference in the name", ">alice&#1;<"),
            ("a surrogate reference in the name", ">alice&#xD800;<"),
            ("an unterminated reference", ">alice&#65<"),
            ("a bare ampersand", ">alice&<"),
        ] {
            add(name, message.replace(">alice<", to), XML);
        }
        for (name, from, to, by) in [
            ("an attribute twice", "Version=\"2.0\"", "Version=\"2.0\" Version=\"2.0\"", XML),
            ("an undeclared prefix", "<saml:Conditions ", "<saml:Conditions q:x=\"\" ", XML),
            ("an attribute without quotes", "Version=\"2.0\"", "Version=2.0", XML),
            ("tags that cross", "</saml:NameID>", "</saml:Subject>", XML),
            ("a bound xml prefix", "<saml:Subject>", "<saml:Subject xmlns:xml=\"urn:evil\">", XML),
            ("an unbound prefix", "<saml:Subject>", "<saml:Subject xmlns:saml=\"\">", XML),
            (
                "the assertion in another namespace",
                "<saml:Subject>",
                "<saml:Subject xmlns:saml=\"urn:evil\">",
                SHAPE,
            ),
            ("an element in the name", ">alice<", ">alice<x></x><", SHAPE),
        ] {
            assert!(message.contains(from), "{name}");
            add(name, message.replacen(from, to, 1), by);
        }
        // Attributes that others take for identifiers, bases or switches.
        let schema = "http://www.w3.org/2001/XMLSchema-instance";
        for (name, written) in [
            ("xsi:ID", format!("xmlns:xsi=\"{schema}\" xsi:ID=\"_0\"")),
            ("xsi:anything", format!("xmlns:xsi=\"{schema}\" xsi:x=\"0\"")),
            ("xml:id", "xml:id=\"_0\"".to_owned()),
            ("xml:base", "xml:base=\"http://127.0.0.1/\"".to_owned()),
            ("xml:space", "xml:space=\"preserve\"".to_owned()),
            ("xml:lang", "xml:lang=\"en\"".to_owned()),
        ] {
            for (at, by) in [
                ("ds:KeyInfo", (Check::Signature, Cause::SignatureForm)),
                ("saml:Subject", (SHAPE, Cause::UnknownParts)),
            ] {
                let from = format!("<{at}>");
                assert!(message.contains(&from), "{from}");
                let to = format!("<{at} {written}>");
                cases.push(Case::new(
                    format!("{name} on {at}, signed: {what:?}"),
                    message.replacen(&from, &to, 1),
                    by,
                ));
                if at == "saml:Subject" {
                    let signed = sign(&unsigned().replacen(&from, &to, 1), what);
                    let name = format!("{name} on {at}, signed so: {what:?}");
                    cases.push(Case::new(name, signed, by));
                }
            }
        }
        let mut add = |name: &str, changed: String, by| {
            cases.push(Case::new(format!("{name}, signed: {what:?}"), changed, by));
        };
        add("something after the end", format!("{message}<x></x>"), XML);
        add("text after the end", format!("{message}x"), XML);
        add("two messages", format!("{message}{message}"), XML);
        add("text before the beginning", format!("x{message}"), XML);
        add("cut short", message[..message.len() - 1].to_owned(), XML);
        add("not closed", message.replace("</samlp:Response>", ""), XML);
    }
    cases
}

fn numbered(count: usize, piece: fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

pub(super) fn encodings() -> Vec<Case> {
    let message = sign(&unsigned(), Signed::Both);
    let wide =
        |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { message.encode_utf16().flat_map(bytes).collect() };
    let declared = |encoding: &str| {
        format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>{message}").into_bytes()
    };
    let with = |bytes: &[u8]| {
        let (before, after) = message.split_once(">alice<").unwrap();
        [before.as_bytes(), b">alice", bytes, b"<", after.as_bytes()].concat()
    };
    let mut deep = String::new();
    for _ in 0..100_000 {
        deep.push_str("<x>");
    }
    let attributes = numbered(10_000, |i| format!(" a{i}=\"\""));
    let namespaces = numbered(5_000, |i| format!(" xmlns:n{i}=\"urn:{i}\""));
    vec![
        Case::new("UTF-16, big end first", [&[0xfe, 0xff], &*wide(u16::to_be_bytes)].concat(), XML),
        Case::new(
            "UTF-16, little end first",
            [&[0xff, 0xfe], &*wide(u16::to_le_bytes)].concat(),
            XML,
        ),
        Case::new(
            "two marks",
            [&[0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf], message.as_bytes()].concat(),
            XML,
        ),
        Case::new("UTF-16 without a mark", wide(u16::to_be_bytes), XML),
        Case::new("declared as UTF-16", declared("UTF-16"), XML),
        Case::new("declared as UTF-7", declared("UTF-7"), XML),
        Case::new("declared as Latin-1", declared("ISO-8859-1"), XML),
        Case::new("XML 1.1", message.replacen('<', "<?xml version=\"1.1\"?><", 1), XML),
        Case::new("an overlong sequence", with(&[0xc0, 0xbc]), XML),
        Case::new("a lone continuation", with(&[0x80]), XML),
        Case::new("a surrogate in UTF-8", with(&[0xed, 0xa0, 0x80]), XML),
        Case::new("a NUL", with(&[0]), XML),
        Case::new("a vertical tab", with(&[0x0b]), XML),
        Case::new("U+FFFE", with("\u{fffe}".as_bytes()), XML),
        Case::new("nothing", "", XML),
        Case::new("white space", " \n ", XML),
        Case::new("noise", vec![0x17; 4_000], XML),
        Case::new("a hundred thousand levels", deep, XML),
        Case::new("ten thousand attributes", format!("<x{attributes}></x>"), XML),
        Case::new("five thousand namespaces", format!("<x{namespaces}></x>"), XML),
        Case::new("a long name", format!("<{}></x>", "x".repeat(100_000)), XML),
        Case::new("257 kB", format!("<x>{}</x>", "x".repeat(257 * 1024)), XML),
    ]
}

pub(super) fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    let long = format!(">{}<", "a".repeat(513));
    for (name, to) in [
        ("nothing", "><"),
        ("white space", "> \t\n <"),
        ("two lines", ">al\nice<"),
        ("a carriage return", ">al&#xD;ice<"),
        ("a delete character", ">alice\u{7f}<"),
        ("a C1 control", ">alice\u{85}<"),
        ("513 characters", long.as_str()),
    ] {
        cases.extend(changed(name, ">alice<", to, Check::NameId));
    }
    cases.extend(changed(
        "a transient name",
        "1.1:nameid-format:unspecified",
        "2.0:nameid-format:transient",
        Check::NameIdFormat,
    ));
    let message = unsigned();
    let start = message.find("<saml:NameID").unwrap();
    let close = "</saml:NameID>";
    let end = start + message[start..].find(close).unwrap() + close.len();
    let name = &message[start..end];
    cases.extend(resigned("no name", &message.replace(name, ""), (Check::NameId, Cause::NoNameId)));
    for (what, to) in [
        ("two names", format!("{name}{name}")),
        ("an encrypted name", "<saml:EncryptedID></saml:EncryptedID>".to_owned()),
        ("a base identifier", "<saml:BaseID></saml:BaseID>".to_owned()),
    ] {
        cases.extend(resigned(what, &message.replace(name, &to), Check::Structure));
    }
    cases
}
