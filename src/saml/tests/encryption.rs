//! Encrypted assertions: what is opened, what is not, and that opening proves nothing.

use super::house::*;
use super::parcel::*;
use crate::saml::certificate::Certificate;
use crate::saml::encoding;
use crate::saml::encryption::{AES_128_GCM, DecryptionKey};
use crate::saml::response::{Expected, Outcome, Received, Refusal};
use crate::saml::trace::{Check, Verdict};

const GCM: [&str; 3] = [
    AES_128_GCM,
    "http://www.w3.org/2009/xmlenc11#aes192-gcm",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
];
const CBCS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#aes192-cbc",
    CBC,
];
/// What an administrator reads of whatever does not open, whyever.
const CLOSED: &str = "no key of this space opens it, or it was changed on its way";

fn verdict(outcome: &Outcome, check: Check) -> Option<Verdict> {
    outcome.trace.entries().iter().find(|entry| entry.check == check).map(|entry| entry.verdict)
}

fn refusal(xml: &str) -> Refusal {
    judge_encrypted(xml).result.unwrap_err()
}

/// What refuses a response that is not signed itself and holds this.
fn refusal_of(parcel: &Parcel<'_>, text: &str) -> Refusal {
    refusal(&around(&parcel.close(text.as_bytes())))
}

#[test]
fn aes_gcm_is_opened_wherever_the_signature_is() {
    for cipher in GCM {
        let parcel = Parcel { cipher, ..Parcel::new() };
        let inside = around(&parcel.close(assertion(true).as_bytes()));
        let outside = sign_response(&around(&parcel.close(assertion(false).as_bytes())));
        let both = sign_response(&inside);
        for message in [inside, outside, both] {
            let outcome = judge_encrypted(&message);
            assert_eq!(verdict(&outcome, Check::Decryption), Some(Verdict::Passed), "{cipher}");
            assert_eq!(verdict(&outcome, Check::SecondOpinion), Some(Verdict::Passed), "{cipher}");
            let verified = outcome.result.unwrap();
            assert_eq!(verified.name_id, "alice");
            assert_eq!(verified.assertion_id, "_assertion");
            let groups: Vec<_> = verified.values("groups").collect();
            assert_eq!(groups, ["a&b", "<c>", "d\"e'f\r\n\tg"]);
        }
    }
}

#[test]
fn opening_proves_nothing_about_who_closed() {
    // Anybody can encrypt for us: the certificate is public.
    let message = around(&Parcel::new().close(assertion(false).as_bytes()));
    assert_eq!(refusal(&message).check, Check::Signature);
    let forged = sign_element(&assertion(false), "_assertion", attacker());
    let message = around(&Parcel::new().close(forged.as_bytes()));
    assert_eq!(refusal(&message).check, Check::Signature);
    // A good signature around it does not excuse a bad one inside.
    assert_eq!(refusal(&sign_response(&message)).check, Check::Signature);
    let changed = assertion(true).replace(">alice<", ">root<");
    let message = sign_response(&around(&Parcel::new().close(changed.as_bytes())));
    assert_eq!(refusal(&message).check, Check::Signature);
}

#[test]
fn a_response_whose_signature_does_not_hold_is_not_opened() {
    let closed = Parcel::new().close(assertion(false).as_bytes());
    let signed = sign_response(&around(&closed));
    let evil = assertion(false).replace(">alice<", ">root<");
    let swapped = signed.replace(&closed, &Parcel::new().close(evil.as_bytes()));
    let forged = sign_element(&around(&closed), "_response", attacker());
    for message in [swapped, forged] {
        let outcome = judge_encrypted(&message);
        assert_eq!(verdict(&outcome, Check::Decryption), None);
        assert_eq!(outcome.result.unwrap_err().check, Check::Signature);
    }
    // Nor one that is refused for anything else.
    let elsewhere = around(&Parcel::new().close(assertion(true).as_bytes()))
        .replace("Destination=\"https://sp.", "Destination=\"https://other.");
    let outcome = judge_encrypted(&elsewhere);
    assert_eq!(verdict(&outcome, Check::Decryption), Some(Verdict::NotApplicable));
    assert_eq!(verdict(&outcome, Check::NameId), None);
    assert_eq!(outcome.result.unwrap_err().check, Check::Destination);
}

#[test]
fn aes_cbc_is_opened_only_inside_a_signed_response() {
    for cipher in CBCS {
        let parcel = Parcel { cipher, ..Parcel::new() };
        for signed in [false, true] {
            let message = around(&parcel.close(assertion(signed).as_bytes()));
            assert_eq!(judge_encrypted(&sign_response(&message)).result.unwrap().name_id, "alice");
            let refused = refusal(&message);
            assert_eq!(refused.check, Check::Decryption);
            assert_eq!(refused.received, "AES-CBC is accepted only inside a signed response");
            let forged = sign_element(&message, "_response", attacker());
            assert_eq!(refusal(&forged).check, Check::Signature);
        }
    }
}

#[test]
fn oaep_goes_with_these_digests_and_nothing_else() {
    let sha = ["xmldsig#sha1", "xmlenc#sha256", "xmldsig-more#sha384", "xmlenc#sha512"];
    let digests = [
        None,
        Some("http://www.w3.org/2000/09/xmldsig#sha1"),
        Some("http://www.w3.org/2001/04/xmlenc#sha256"),
        Some("http://www.w3.org/2001/04/xmldsig-more#sha384"),
        Some("http://www.w3.org/2001/04/xmlenc#sha512"),
    ];
    assert!(digests.iter().flatten().zip(sha).all(|(digest, end)| digest.ends_with(end)));
    let masks = [
        None,
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha1"),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha256"),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha384"),
        Some("http://www.w3.org/2009/xmlenc11#mgf1sha512"),
    ];
    let accepted = |parcel: &Parcel<'_>| {
        let message = around(&parcel.close(assertion(true).as_bytes()));
        judge_encrypted(&message).result.map(|verified| verified.name_id)
    };
    for digest in digests {
        let parcel = Parcel { digest, ..Parcel::new() };
        assert_eq!(accepted(&parcel).as_deref(), Ok("alice"), "{digest:?}");
        for mask in masks {
            let parcel = Parcel { transport: OAEP_11, mask, ..parcel.clone() };
            assert_eq!(accepted(&parcel).as_deref(), Ok("alice"), "{digest:?} {mask:?}");
        }
    }
    let refused = |parcel: Parcel<'_>| {
        let refused = refusal_of(&parcel, &assertion(true));
        assert_eq!(refused.check, Check::Decryption);
        refused.received
    };
    let md5 = Some("http://www.w3.org/2001/04/xmldsig-more#md5");
    let refused_digest = refused(Parcel { digest: md5, ..Parcel::new() });
    assert!(refused_digest.contains("md5 is not accepted in RSA-OAEP"), "{refused_digest}");
    let mask = Some("http://www.w3.org/2009/xmlenc11#mgf1sha224");
    let refused_mask = refused(Parcel { transport: OAEP_11, mask, ..Parcel::new() });
    assert!(refused_mask.contains("mgf1sha224 is not accepted"), "{refused_mask}");
    // The older algorithm fixes its mask.
    let refused_mask = refused(Parcel { mask: masks[2], ..Parcel::new() });
    assert!(refused_mask.contains("unexpected element xenc11:MGF"), "{refused_mask}");
}

#[test]
fn weak_and_unknown_algorithms_are_refused_by_name() {
    // Really encrypted so: the name refuses it, not the failure to open it.
    let wraps: [fn(&str) -> String; 2] = [around, |inside| sign_response(&around(inside))];
    for message in wraps {
        let parcel = Parcel { transport: PKCS1, digest: None, ..Parcel::new() };
        let refused = refusal(&message(&parcel.close(assertion(true).as_bytes())));
        assert_eq!(refused.check, Check::Decryption);
        assert_eq!(refused.received, format!("key encryption algorithm {PKCS1} is not accepted"));
    }
    for cipher in [
        "http://www.w3.org/2001/04/xmlenc#tripledes-cbc",
        "http://www.w3.org/2001/04/xmlenc#kw-aes256",
        "http://www.w3.org/2009/xmlenc11#aes256-gcm ",
        "",
    ] {
        let refused = refusal_of(&Parcel { cipher, ..Parcel::new() }, &assertion(true));
        assert_eq!(refused.check, Check::Decryption);
        assert_eq!(refused.received, format!("encryption algorithm {cipher} is not accepted"));
    }
    let transport = "http://www.w3.org/2001/04/xmlenc#kw-aes256";
    let refused = refusal_of(&Parcel { transport, ..Parcel::new() }, &assertion(true));
    assert_eq!(refused.received, format!("key encryption algorithm {transport} is not accepted"));
}

#[test]
fn either_key_opens_while_both_are_there() {
    let judged = |to: &Certificate, keys: &[DecryptionKey]| {
        let message =
            around(&Parcel { to: vec![to], ..Parcel::new() }.close(assertion(true).as_bytes()));
        judge_as(&message, &Expected { decryption_keys: keys, ..expected() }).result
    };
    let [new, old] = [0, 1].map(|at| ours()[at].certificate());
    for to in [new, old] {
        assert_eq!(judged(to, ours()).unwrap().name_id, "alice");
    }
    assert!(judged(new, &ours()[..1]).is_ok());
    for (to, keys) in [(old, &ours()[..1]), (new, &ours()[1..]), (key().certificate(), ours())] {
        let refused = judged(to, keys).unwrap_err();
        assert_eq!((refused.check, refused.received.as_str()), (Check::Decryption, CLOSED));
    }
    let refused = judged(new, &[]).unwrap_err();
    assert_eq!(refused.check, Check::Decryption);
    assert_eq!(refused.received, "this space has no encryption key");
}

#[test]
fn whatever_does_not_open_is_one_and_the_same() {
    let damages: [fn(&mut Vec<u8>); 8] = [
        |bytes| bytes[0] ^= 1,
        |bytes| bytes[40] ^= 0x80,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.truncate(28),
        |bytes| bytes.truncate(11),
        Vec::clear,
        |bytes| bytes.extend([0; 16]),
    ];
    for damage in damages {
        let refused = refusal_of(&Parcel { damage, ..Parcel::new() }, &assertion(true));
        assert_eq!((refused.check, refused.received.as_str()), (Check::Decryption, CLOSED));
    }
    let key_damages: [fn(&mut Vec<u8>); 6] = [
        |bytes| bytes[0] ^= 1,
        |bytes| *bytes.last_mut().unwrap() ^= 1,
        |bytes| bytes.truncate(255),
        |bytes| bytes.push(0),
        |bytes| bytes.fill(0xff),
        Vec::clear,
    ];
    for key_damage in key_damages {
        let refused = refusal_of(&Parcel { key_damage, ..Parcel::new() }, &assertion(true));
        assert_eq!((refused.check, refused.received.as_str()), (Check::Decryption, CLOSED));
    }
    // AES-CBC, where a signature says that the identity provider itself sends this.
    let blocks: [fn(&mut Vec<u8>); 6] = [
        |bytes| *bytes = raw_cbc(&(0..32).collect::<Vec<u8>>(), &[0; 32]),
        |bytes| *bytes = raw_cbc(&(0..32).collect::<Vec<u8>>(), &[17; 32]),
        |bytes| bytes.truncate(16),
        |bytes| bytes.truncate(15),
        |bytes| bytes.truncate(bytes.len() - 1),
        Vec::clear,
    ];
    for damage in blocks {
        let parcel = Parcel { cipher: CBC, damage, ..Parcel::new() };
        let message = sign_response(&around(&parcel.close(assertion(true).as_bytes())));
        let refused = refusal(&message);
        assert_eq!((refused.check, refused.received.as_str()), (Check::Decryption, CLOSED));
    }
}

#[test]
fn keys_for_others_may_be_there_up_to_a_number() {
    let (mine, other) = (ours()[0].certificate(), attacker().certificate());
    let judged = |to: Vec<&Certificate>| {
        let parcel = Parcel { to, ..Parcel::new() };
        judge_encrypted(&around(&parcel.close(assertion(true).as_bytes()))).result
    };
    assert!(judged(vec![other, mine]).is_ok());
    assert!(judged(vec![other, other, other, mine]).is_ok());
    let refused = judged(vec![other, other, other, other, mine]).unwrap_err();
    assert_eq!(refused.received, "5 encrypted keys, of 1 to 4");
    assert_eq!(judged(vec![]).unwrap_err().received, "0 encrypted keys, of 1 to 4");
}

#[test]
fn the_key_may_stand_beside_the_data_and_nowhere_else() {
    let beside = Parcel { beside: true, ..Parcel::new() };
    let message = around(&beside.close(assertion(true).as_bytes()));
    assert_eq!(judge_encrypted(&message).result.unwrap().name_id, "alice");
    assert!(judge_encrypted(&sign_response(&message)).result.is_ok());
    let elsewhere = "a reference to a key that is not in the encrypted assertion";
    for (from, to) in [
        ("URI=\"#_ek\"", "URI=\"#_other\""),
        ("URI=\"#_ek\"", "URI=\"\""),
        ("URI=\"#_ek\"", "URI=\"https://evil.example/key\""),
        ("URI=\"#_ek\"", "URI=\"#_response\""),
        ("xmlenc#EncryptedKey\"", "xmlenc#DerivedKey\""),
        ("Id=\"_ek\"", "Id=\"_ek2\""),
    ] {
        assert!(message.contains(from));
        let refused = refusal(&message.replace(from, to));
        assert_eq!((refused.check, refused.received.as_str()), (Check::Decryption, elsewhere));
    }
}

#[test]
fn the_shape_is_the_one_we_know() {
    let message = around(&Parcel::new().close(assertion(true).as_bytes()));
    assert!(judge_encrypted(&message).result.is_ok());
    let value = |message: &str| {
        let start = message.rfind("<xenc:CipherValue>").unwrap();
        let end = message[start..].find("</xenc:CipherValue>").unwrap() + start + 19;
        message[start..end].to_owned()
    };
    let fetched = "<xenc:CipherReference URI=\"https://evil.example/\"></xenc:CipherReference>";
    let hint = "<xenc:EncryptedKey>";
    let fine = [
        (" Type=\"http://www.w3.org/2001/04/xmlenc#Element\"", String::new()),
        (hint, "<xenc:EncryptedKey Recipient=\"https://sp.example.com/\">".to_owned()),
        (hint, format!("<ds:KeyName>us</ds:KeyName>{hint}")),
        (
            "</xenc:CipherData></xenc:EncryptedKey>",
            "</xenc:CipherData><xenc:ReferenceList><xenc:DataReference URI=\"#d\"/>\
             </xenc:ReferenceList><xenc:CarriedKeyName>k</xenc:CarriedKeyName></xenc:EncryptedKey>"
                .to_owned(),
        ),
        (
            "</xenc:EncryptionMethod><xenc:CipherData>",
            format!(
                "</xenc:EncryptionMethod><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo><xenc:CipherData>",
                attacker().certificate().base64()
            ),
        ),
    ];
    for (from, to) in fine {
        assert!(message.contains(from), "{from}");
        let outcome = judge_encrypted(&message.replacen(from, &to, 1));
        assert!(outcome.result.is_ok(), "{from} -> {to}: {:?}", outcome.result);
    }
    let bad = [
        ("xmlenc#Element\"", "xmlenc#Content\""),
        ("<xenc:EncryptedData ", "<xenc:EncryptedData Surprise=\"x\" "),
        (hint, "<xenc:EncryptedKey Surprise=\"x\">"),
        (hint, "<xenc:AgreementMethod/><xenc:EncryptedKey>"),
        ("</xenc:EncryptedData>", "<xenc:EncryptionProperties/></xenc:EncryptedData>"),
        ("</xenc:EncryptedData>", "</xenc:EncryptedData>text"),
        ("</saml:EncryptedAssertion>", "<saml:Assertion/></saml:EncryptedAssertion>"),
        (
            "</xenc:CipherData></xenc:EncryptedKey>",
            "</xenc:CipherData><xenc:ReferenceList><xenc:KeyReference URI=\"#d\"/>\
             </xenc:ReferenceList></xenc:EncryptedKey>",
        ),
        (
            "</xenc:CipherData></xenc:EncryptedKey>",
            "</xenc:CipherData><xenc:ReferenceList><xenc:DataReference URI=\"http://x/\"/>\
             </xenc:ReferenceList></xenc:EncryptedKey>",
        ),
        ("<ds:DigestMethod", "<xenc:OAEPparams>AAAA</xenc:OAEPparams><ds:DigestMethod"),
        ("<ds:DigestMethod", "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/><ds:DigestMethod"),
        (value(&message).as_str(), fetched),
        (value(&message).as_str(), "<xenc:CipherValue>!</xenc:CipherValue>"),
        (value(&message).as_str(), "<xenc:CipherValue><b/></xenc:CipherValue>"),
    ]
    .map(|(from, to)| (from.to_owned(), to.to_owned()));
    for (from, to) in bad {
        assert!(message.contains(&from), "{from}");
        let refused = refusal(&message.replacen(&from, &to, 1));
        assert_eq!(refused.check, Check::Decryption, "{from} -> {to}");
        assert_ne!(refused.received, CLOSED, "{from} -> {to}");
    }
}

#[test]
fn there_is_one_assertion_in_the_clear_or_encrypted() {
    let closed = Parcel::new().close(assertion(true).as_bytes());
    let other = assertion(false).replace("_assertion", "_other");
    let other = sign_element(&other, "_other", key());
    let other_closed = Parcel::new().close(other.as_bytes());
    for inside in [
        format!("{closed}{other}"),
        format!("{other}{closed}"),
        format!("{closed}{other_closed}"),
        format!("{closed}{closed}"),
        format!(
            "{closed}<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"
        ),
    ] {
        for message in [around(&inside), sign_response(&around(&inside))] {
            let outcome = judge_encrypted(&message);
            assert_eq!(verdict(&outcome, Check::Decryption), None);
            assert!(outcome.trace.entries().iter().any(|entry| {
                entry.check == Check::AssertionCount && entry.verdict == Verdict::Failed
            }));
        }
    }
}

#[test]
fn what_is_inside_is_as_strict_as_what_is_outside() {
    let good = assertion(true);
    let refused = |text: &str| {
        let refused = refusal_of(&Parcel::new(), text);
        assert_eq!(refused.check, Check::Decryption, "{text}");
        refused.received
    };
    for (text, problem) in [
        (String::new(), "no root element"),
        ("nonsense".to_owned(), "content outside the root element"),
        (good.replace(">alice<", ">al<!-- -->ice<"), "comments are refused"),
        (good.replace(">alice<", "><![CDATA[alice]]><"), "CDATA sections are refused"),
        (format!("<!DOCTYPE a [<!ENTITY x \"y\">]>{good}"), "document type declarations"),
        (format!("{good}{good}"), "content outside the root element"),
        (good[..good.len() - 1].to_owned(), "malformed markup"),
        (good.replace(" xmlns:saml=", " xmlns:other="), "undeclared prefix"),
        (good.replace(">alice<", ">al\u{0}ice<"), "illegal character"),
        ("<a>".repeat(20_000), "nested too deeply"),
    ] {
        let received = refused(&text);
        assert!(received.starts_with("what was encrypted is not strict XML"), "{received}");
        assert!(received.contains(problem), "{problem}: {received}");
    }
    let latin = Parcel::new().close(b"<a>\xe9</a>");
    assert!(refusal(&around(&latin)).received.contains("the encoding is not UTF-8"));
    let closed = Parcel::new().close(good.as_bytes());
    for (text, name) in [
        (closed, "saml:EncryptedAssertion"),
        (issued().xml, "samlp:Response"),
        ("<Assertion/>".to_owned(), "Assertion"),
    ] {
        assert_eq!(refused(&text), format!("what was encrypted is {name}, not an assertion"));
    }
    // White space and a declaration around it are what some encoders write.
    let declared = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{good}\n");
    assert!(judge_encrypted(&around(&Parcel::new().close(declared.as_bytes()))).result.is_ok());
}

#[test]
fn every_check_behind_it_still_stands() {
    for (from, to, check) in [
        ("<saml:Audience>https://sp", "<saml:Audience>https://other", Check::Audience),
        ("Recipient=\"https://sp", "Recipient=\"https://other", Check::Recipient),
        ("cm:bearer", "cm:holder-of-key", Check::SubjectConfirmation),
        ("InResponseTo=\"_request1\"", "InResponseTo=\"_request2\"", Check::InResponseTo),
        ("Version=\"2.0\"", "Version=\"1.1\"", Check::Version),
        (IDP, "https://evil.example.com", Check::AssertionIssuer),
        ("1.1:nameid-format:unspecified", "2.0:nameid-format:transient", Check::NameIdFormat),
        ("NotBefore=\"2026-11-22T09:59:00Z", "NotBefore=\"2026-11-22T10:02:00Z", Check::NotBefore),
        ("<saml:Subject>", "<saml:Advice></saml:Advice><saml:Subject>", Check::Structure),
    ] {
        let plain = assertion(false);
        assert!(plain.contains(from), "{from}");
        let signed = sign_element(&plain.replace(from, to), "_assertion", key());
        let message = around(&Parcel::new().close(signed.as_bytes()));
        assert_eq!(refusal(&message).check, check, "{from}");
        assert_eq!(refusal(&sign_response(&message)).check, check, "{from}");
    }
    // An ID is unique in both documents together.
    let twin = assertion(false).replace("_assertion", "_response");
    let twin = sign_element(&twin, "_response", key());
    let message = around(&Parcel::new().close(twin.as_bytes()));
    assert_eq!(refusal(&message).check, Check::UniqueIds);
}

#[test]
fn keys_are_fetched_only_for_messages_that_need_them() {
    let is_encrypted =
        |xml: &str| Received::parse(&encoding::encode(xml.as_bytes())).is_encrypted();
    let closed = Parcel::new().close(assertion(true).as_bytes());
    assert!(is_encrypted(&around(&closed)));
    assert!(!is_encrypted(&issued().xml));
    assert!(!is_encrypted(&closed));
    assert!(!is_encrypted("<nonsense"));
}
