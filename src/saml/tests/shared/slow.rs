//! Messages that are made to be slow, and what stops each. The bench measures them, and a test holds
//! each to the rule that is named here, so that none is refused early for something else.

use openssl::pkey::{PKey, PKeyRef, Private, Public};

use super::closed::{DATA_KEY, closed, sealed};
use super::recipe::{Form, RSA_SHA256, Recipe, listing};
use crate::saml::encoding;
use crate::saml::response::Outcome;
use crate::saml::trace::Verdict;

const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
/// A message is no longer than this (bytes), with room for a signature.
const ROOM: usize = 252_000;

const ACCEPTED: &[(&str, &str)] = &[];
const TOO_LONG: &[(&str, &str)] = &[("signature", LONG_LIST)];
/// Looking for every prefix at every element takes other people's code seconds.
const LONG_LIST: &str = "the list of inclusive prefixes is too long for this many elements";

/// A message that is made to be slow.
pub struct Slow {
    pub name: &'static str,
    pub message: String,
    /// Checks that fail, the one that refuses first, each with what it says it received: how that
    /// begins. With none the message is honest, and only long.
    pub by: &'static [(&'static str, &'static str)],
}

impl Slow {
    /// What is wrong with the judgement, if it is not the one that is meant.
    pub fn surprise(&self, outcome: &Outcome) -> Option<String> {
        let failed: Vec<(&str, &str)> = outcome
            .trace
            .entries()
            .iter()
            .filter(|entry| entry.verdict == Verdict::Failed)
            .map(|entry| (entry.check.name(), entry.received.as_str()))
            .collect();
        let meant = |(check, begin): &(&str, &str)| {
            failed.iter().any(|(it, received)| it == check && received.starts_with(begin))
        };
        let first = self.by.first().map(|(check, _)| *check);
        let fine = self.by.iter().all(meant)
            && failed.first().map(|(check, _)| *check) == first
            && outcome.result.is_ok() == self.by.is_empty();
        (!fine).then(|| {
            let short = |text: &str| text.chars().take(100).collect::<String>();
            let failed: Vec<_> = failed.iter().map(|(check, it)| (check, short(it))).collect();
            format!("{}: {failed:?}, and not {:?}", self.name, self.by)
        })
    }
}

/// What they are made of.
pub struct Material<'a> {
    /// A good message: response and assertion signed, as we write it.
    pub good: &'a str,
    /// The same without signatures.
    pub unsigned: &'a str,
    /// The ID of its response.
    pub id: &'a str,
    /// The identity provider's key.
    pub key: &'a PKey<Private>,
    /// The keys of ours that assertions are encrypted for.
    pub ours: &'a [&'a PKeyRef<Public>],
}

fn numbered(count: usize, what: impl Fn(usize) -> String) -> String {
    (0..count).map(what).collect()
}

impl Material<'_> {
    /// The message with this as often before the place as there is room for, but not more often.
    fn filled(message: &str, at: &str, what: &str, most: usize) -> String {
        let times = (ROOM.saturating_sub(message.len()) / what.len()).min(most);
        message.replacen(at, &format!("{}{at}", what.repeat(times)), 1)
    }

    fn fill(&self, at: &str, what: &str) -> String {
        Self::filled(self.good, at, what, usize::MAX)
    }

    fn replaced(&self, from: &str, to: &str) -> String {
        self.good.replacen(from, to, 1)
    }

    /// All of them.
    pub fn messages(&self) -> Option<Vec<Slow>> {
        let mut all = self.forged();
        all.extend(self.encrypted()?);
        all.extend(self.signed()?);
        Some(all)
    }

    /// What anybody can send who has seen a good message.
    fn forged(&self) -> Vec<Slow> {
        const CHANGED: &[(&str, &str)] = &[("signature", "the signed content was changed")];
        let slow = |name, message, by| Slow { name, message, by };
        let (subject, end) = ("<saml:Subject>", "</saml:AttributeStatement>");
        let value = "</saml:AttributeValue>";
        let attribute = "<saml:Attribute Name=\"a\"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>";
        let on_subject = |what: String| self.replaced(subject, &format!("<saml:Subject{what}>"));
        let deep = |levels: usize| format!("{}{}", "<x>".repeat(levels), "</x>".repeat(levels));
        let nested = numbered(3, |level| {
            let declared = numbered(30, |at| format!(" xmlns:n{level}x{at}=\"urn:u\""));
            format!("<x{declared}>")
        });
        let many = numbered(30_000, |at| format!("p{at} "));
        let listed = format!(
            "{EXCLUSIVE}\"><ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{many}\">\
             </ec:InclusiveNamespaces></ds:Transform>"
        );
        let references = "<ds:Reference URI=\"\"></ds:Reference>".repeat(6_000);
        let transforms = "<ds:Transform Algorithm=\"x\"></ds:Transform>".repeat(5_000);
        vec![
            slow("text of 250 kB in an attribute", self.fill(value, "x"), CHANGED),
            slow("character references of 250 kB", self.fill(value, "&#x41;"), CHANGED),
            slow("thousands of attributes, one statement", self.fill(end, attribute), CHANGED),
            slow(
                "48 levels, as often as the limit allows",
                Self::filled(self.good, end, &deep(45), 420),
                &[("structure", "unexpected element x in saml:AttributeStatement")],
            ),
            slow(
                "more nodes than the limit allows",
                self.fill(end, &deep(45)),
                &[("xml", "too many nodes")],
            ),
            slow(
                "thousands of levels",
                self.fill(end, "<x>"),
                &[("xml", "elements are nested too deeply")],
            ),
            slow(
                "thousands of XML attributes",
                on_subject(numbered(20_000, |at| format!(" a{at}=\"\""))),
                &[("xml", "too many attributes")],
            ),
            slow(
                "thousands of namespaces on one element",
                on_subject(numbered(10_000, |at| format!(" xmlns:n{at}=\"urn:u{at}\""))),
                &[("xml", "too many attributes")],
            ),
            slow(
                "90 namespaces in scope",
                Self::filled(self.good, end, &nested, 1),
                &[("xml", "too many namespaces")],
            ),
            slow(
                "30 namespaces on each of hundreds of elements",
                self.fill(
                    end,
                    &format!("<x{}></x>", numbered(30, |at| format!(" xmlns:n{at}=\"urn:u\""))),
                ),
                &[("structure", "unexpected element x in saml:AttributeStatement")],
            ),
            slow(
                "thousands of references",
                self.replaced("<ds:Reference ", &format!("{references}<ds:Reference ")),
                &[("signature", "unexpected element ds:Reference in ds:SignedInfo")],
            ),
            slow(
                "thousands of transforms",
                self.replaced("</ds:Transforms>", &format!("{transforms}</ds:Transforms>")),
                &[("signature", "the signature's transforms are not accepted")],
            ),
            slow(
                "a long list of prefixes",
                self.replaced(&format!("{EXCLUSIVE}\"></ds:Transform>"), &listed),
                &[("signature", "bad list of inclusive prefixes")],
            ),
            slow(
                "thousands of signatures",
                self.fill(subject, &format!("<ds:Signature xmlns:ds=\"{DS}\"></ds:Signature>")),
                &[("structure", "unexpected element ds:Signature in saml:Assertion")],
            ),
            slow("thousands of IDs", self.fill(end, "<x ID=\"i\"></x>"), &[("unique-ids", "")]),
            slow(
                "prefixes that nothing declares, looked for everywhere",
                looked_for("<y/>", 19_000),
                &[("destination", "absent"), ("signature", LONG_LIST)],
            ),
            slow(
                "listed prefixes that each element declares anew",
                looked_for(&format!("<y{}/>", declaring(&borrowed(&prefixes("l", 240, 16)))), 55),
                &[("destination", "absent"), ("signature", LONG_LIST)],
            ),
            slow(
                "thousands of names of keys",
                self.fill("</ds:KeyInfo>", "<ds:KeyName>k</ds:KeyName>"),
                &[("signature", "too much in ds:KeyInfo")],
            ),
            slow("noise", "<".repeat(255_000), &[("xml", "malformed markup")]),
            slow("more than is read", "<x>".repeat(150_000), &[("encoding", "")]),
        ]
    }

    /// What anybody can send who has our certificates: each recipient costs an operation with each
    /// private key of ours.
    fn encrypted(&self) -> Option<Vec<Slow>> {
        const CLOSED: &[(&str, &str)] = &[("decryption", "no key of this space opens it")];
        let last = self.ours.last()?;
        let noise = encoding::encode(&[0x5a; 256]);
        let text = vec![b'x'; 180_000];
        let other = sealed(last, &[2; 32])?;
        let right = sealed(last, &DATA_KEY)?;
        let (noise, other, right) = (noise.as_str(), other.as_str(), right.as_str());
        let hostile = "<x>".repeat(50_000);
        let slow = |name, keys: [&str; 4], text: &[u8], by| {
            Some(Slow { name, message: self.parcel(keys, text)?, by })
        };
        Some(vec![
            slow("four keys that nobody has, for every key of ours", [noise; 4], &text, CLOSED)?,
            slow("four keys for our last key, none the right one", [other; 4], &text, CLOSED)?,
            slow(
                "encrypted for us, thousands of levels",
                [noise, other, other, right],
                hostile.as_bytes(),
                &[("decryption", "what was encrypted is not strict XML: elements are nested")],
            )?,
        ])
    }

    /// The message with this text encrypted in the place of its assertion.
    fn parcel(&self, keys: [&str; 4], text: &[u8]) -> Option<String> {
        let start = self.unsigned.find("<saml:Assertion ")?;
        let before = self.unsigned.get(..start)?;
        Some(format!("{before}{}</samlp:Response>", closed(&keys, text)?))
    }

    /// What an identity provider really signed: the second opinion is asked.
    fn signed(&self) -> Option<Vec<Slow>> {
        let end = "</saml:AttributeStatement>";
        let fill = |at: &str, what: &str, most| Self::filled(self.unsigned, at, what, most);
        let attribute = "<saml:Attribute Name=\"a\"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>";
        let foreign = numbered(14, |at| format!(" xmlns:n{at}=\"urn:u{at}\" n{at}:a=\"\""));
        let plain = Recipe::good(self.key, RSA_SHA256);
        // Sixteen long prefixes at all attributes: nowhere declared, at the root, at each.
        let (long, short) = (prefixes("l", 240, 16), prefixes("l", 1, 16));
        let (long, short) = (borrowed(&long), borrowed(&short));
        let (long_list, short_list) = (listing(&long.join(" ")), listing(&short.join(" ")));
        let searching = Recipe { transforms: &long_list, content: Form::Exclusive(&long), ..plain };
        let bounded = Recipe { transforms: &short_list, content: Form::Exclusive(&short), ..plain };
        let attributes = |most| fill(end, "<saml:Attribute Name=\"a\"/>", most);
        let declared = declaring(&long);
        let at_root = attributes(9_000).replacen(
            "<samlp:Response ",
            &format!("<samlp:Response{declared} "),
            1,
        );
        let each = format!("<saml:Attribute Name=\"a\"{declared}/>");
        // As many others in scope as there may be, which all begin alike.
        let crowd = |message: String, length| {
            let others = prefixes("l", length, 76);
            let others = borrowed(&others);
            [
                ("samlp:Response ", 16..36),
                ("saml:Assertion ", 36..56),
                ("saml:AttributeStatement", 56..76),
            ]
            .into_iter()
            .fold(message, |message, (tag, range)| {
                let tag = format!("<{}", tag.trim_end());
                message.replacen(&tag, &format!("{tag}{}", declaring(&others[range])), 1)
            })
        };
        let mut all = Vec::new();
        for (name, recipe, message, by) in [
            (
                "signed: text of 240 kB",
                plain,
                fill("</saml:AttributeValue>", "x", usize::MAX),
                ACCEPTED,
            ),
            ("signed: thousands of attributes", plain, fill(end, attribute, 6_000), ACCEPTED),
            (
                "signed: 14 namespaces on each of hundreds of attributes",
                plain,
                fill(end, &format!("<saml:Attribute Name=\"a\"{foreign}/>"), usize::MAX),
                ACCEPTED,
            ),
            (
                "signed: 16 prefixes, as many attributes as their list allows",
                bounded,
                crowd(attributes(1_150), 1),
                ACCEPTED,
            ),
            (
                "signed: 16 long prefixes that nothing declares",
                searching,
                attributes(9_000),
                TOO_LONG,
            ),
            (
                "signed: 16 long prefixes that nothing declares, and 60 more in scope",
                searching,
                crowd(attributes(8_400), 240),
                TOO_LONG,
            ),
            ("signed: 16 long prefixes declared at the root", searching, at_root, TOO_LONG),
            (
                "signed: 16 long prefixes on each attribute",
                searching,
                fill(end, &each, usize::MAX),
                TOO_LONG,
            ),
        ] {
            all.push(Slow { name, message: recipe.sign(&message, self.id)?, by });
        }
        Some(all)
    }
}

/// Prefixes that begin alike.
fn prefixes(first: &str, length: usize, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{first}{}{at:02}", "p".repeat(length))).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn declaring(prefixes: &[&str]) -> String {
    prefixes.iter().flat_map(|prefix| [" xmlns:", prefix, "=\"urn:u\""]).collect()
}

/// A list of long prefixes over so many elements, at a depth where nearly as many declarations as are
/// allowed are in scope. Its signature is nobody's.
fn looked_for(element: &str, count: usize) -> String {
    let declared = |from: usize| {
        numbered(22, |at| format!(" xmlns:d{}{:02}=\"urn:u\"", "p".repeat(240), from + at))
    };
    let list = prefixes("l", 240, 16);
    format!(
        "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"{} ID=\"_r\" Version=\"2.0\" \
         IssueInstant=\"2026-11-22T10:00:00Z\"><a:Issuer>x</a:Issuer><ds:Signature xmlns:ds=\"{DS}\">\
         <ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/><ds:SignatureMethod \
         Algorithm=\"{RSA_SHA256}\"/><ds:Reference URI=\"#_r\"><ds:Transforms>{}</ds:Transforms>\
         <ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:SignedInfo>\
         <ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>\
         <p:Status><p:StatusCode Value=\"x\"/><p:StatusDetail><x{}>{}{}{}</x></p:StatusDetail>\
         </p:Status><a:EncryptedAssertion/></p:Response>",
        declared(0),
        listing(&list.join(" ")),
        declared(22),
        "<x>".repeat(40),
        element.repeat(count),
        "</x>".repeat(40),
    )
}
