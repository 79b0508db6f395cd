//! Messages that are made to be slow: how long until they are refused.

use std::time::Instant;

use identity_center::saml::{encoding, response};

use crate::{Report, mark, messages::Idp};

/// The longest that a refusal may take (milliseconds).
const LONGEST: f64 = 50.0;

pub fn measure(report: &mut Report) {
    let Ok(idp) = Idp::new() else { return };
    let Ok(message) = idp.usual() else { return };
    report.heading("Messages made to be slow", "message | kB | refused after ms | goal");
    for (name, message) in messages(&message) {
        let encoded = encoding::encode(message.as_bytes());
        let mut longest = 0.0_f64;
        for _ in 0..5 {
            let began = Instant::now();
            let outcome = response::verify(&encoded, &idp.expected(true));
            longest = longest.max(began.elapsed().as_secs_f64() * 1e3);
            assert!(outcome.result.is_err(), "{name} was accepted");
        }
        report.row(&[
            name.to_owned(),
            format!("{}", message.len() / 1_000),
            format!("{longest:.2}"),
            format!("≤ {LONGEST} {}", mark(longest <= LONGEST)),
        ]);
    }
}

fn messages(good: &str) -> Vec<(&'static str, String)> {
    let fill = |at: &str, what: &str| {
        let room = 255_000 - good.len();
        let times = room / what.len();
        good.replacen(at, &format!("{}{at}", what.repeat(times)), 1)
    };
    let numbered =
        |what: fn(usize) -> String, count: usize| (0..count).map(what).collect::<Vec<_>>().concat();
    let end = "</saml:AttributeStatement>";
    let value =
        "<saml:Attribute Name=\"a\"><saml:AttributeValue>v</saml:AttributeValue></saml:Attribute>";
    let prefixes: String = numbered(|i| format!("p{i} "), 30_000);
    vec![
        ("text of 255 kB in an attribute", fill("</saml:AttributeValue>", "x")),
        ("character references of 255 kB", fill("</saml:AttributeValue>", "&#x41;")),
        ("thousands of attributes, one statement", fill(end, value)),
        ("48 levels, many times", fill(end, &format!("{}{}", "<x>".repeat(30), "</x>".repeat(30)))),
        ("thousands of levels", fill(end, "<x>")),
        (
            "thousands of XML attributes",
            good.replacen(
                "<saml:Subject>",
                &format!("<saml:Subject{}>", numbered(|i| format!(" a{i}=\"\""), 20_000)),
                1,
            ),
        ),
        (
            "thousands of namespaces",
            good.replacen(
                "<saml:Subject>",
                &format!("<saml:Subject{}>", numbered(|i| format!(" xmlns:n{i}=\"u{i}\""), 12_000)),
                1,
            ),
        ),
        (
            "60 namespaces on each of thousands of elements",
            fill(end, &format!("<x{}></x>", numbered(|i| format!(" xmlns:n{i}=\"u\""), 30))),
        ),
        (
            "thousands of references",
            good.replacen(
                "<ds:Reference ",
                &format!(
                    "{}<ds:Reference ",
                    "<ds:Reference URI=\"\"></ds:Reference>".repeat(6_000)
                ),
                1,
            ),
        ),
        (
            "thousands of transforms",
            good.replacen(
                "</ds:Transforms>",
                &format!(
                    "{}</ds:Transforms>",
                    "<ds:Transform Algorithm=\"x\"></ds:Transform>".repeat(5_000)
                ),
                1,
            ),
        ),
        (
            "a long list of prefixes",
            good.replacen(
                "xml-exc-c14n#\"></ds:Transform>",
                &format!(
                    "xml-exc-c14n#\"><ec:InclusiveNamespaces \
                 xmlns:ec=\"http://www.w3.org/2001/10/xml-exc-c14n#\" PrefixList=\"{prefixes}\">\
                 </ec:InclusiveNamespaces></ds:Transform>"
                ),
                1,
            ),
        ),
        (
            "thousands of signatures",
            fill(
                "<saml:Subject>",
                "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"></ds:Signature>",
            ),
        ),
        ("thousands of IDs", fill(end, "<x ID=\"i\"></x>")),
        ("prefixes that nothing declares, looked for everywhere", looked_for()),
        ("noise", "<".repeat(255_000)),
    ]
}

/// A list of long prefixes, none of which is declared, over 19,000 elements at a depth where as many
/// declarations as are allowed are in scope. Its signature is nobody's.
fn looked_for() -> String {
    let name = |kind: char, at: usize| format!("{kind}{}{at:02}", "p".repeat(240));
    let declared = |from: usize| {
        (from..from + 24)
            .map(|at| format!(" xmlns:{}=\"u\"", name('d', at)))
            .collect::<Vec<_>>()
            .concat()
    };
    let list: Vec<String> = (0..16).map(|at| name('l', at)).collect();
    let ds = "http://www.w3.org/2000/09/xmldsig#";
    let exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
    format!(
        "<p:Response xmlns:p=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
         xmlns:a=\"urn:oasis:names:tc:SAML:2.0:assertion\"{} ID=\"_r\" Version=\"2.0\" \
         IssueInstant=\"2026-11-22T10:00:00Z\"><a:Issuer>x</a:Issuer><ds:Signature xmlns:ds=\"{ds}\">\
         <ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{exclusive}\"/><ds:SignatureMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/><ds:Reference URI=\"#_r\">\
         <ds:Transforms><ds:Transform Algorithm=\"{ds}enveloped-signature\"/><ds:Transform \
         Algorithm=\"{exclusive}\"><ec:InclusiveNamespaces xmlns:ec=\"{exclusive}\" \
         PrefixList=\"{}\"/></ds:Transform></ds:Transforms><ds:DigestMethod \
         Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestValue>AAAA</ds:DigestValue>\
         </ds:Reference></ds:SignedInfo><ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>\
         <p:Status><p:StatusCode Value=\"x\"/><p:StatusDetail><x{}>{}{}{}</x></p:StatusDetail>\
         </p:Status><a:EncryptedAssertion/></p:Response>",
        declared(0),
        list.join(" "),
        declared(24),
        "<x>".repeat(40),
        "<y/>".repeat(19_000),
        "</x>".repeat(40),
    )
}
