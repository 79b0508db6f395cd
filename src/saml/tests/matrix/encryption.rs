//! Encryption tricks: what does not open, what opens and proves nothing, and what is put where it
//! does not belong.

use super::*;
use crate::saml::certificate::Certificate;
use crate::saml::tests::house::attacker;
use crate::saml::tests::parcel::{CBC, PKCS1, Parcel};

const CLOSED: (Check, Cause) = (Check::Decryption, Cause::EncryptedForAnother);
const ALGORITHM: (Check, Cause) = (Check::Decryption, Cause::EncryptionAlgorithm);
const FORM: (Check, Cause) = (Check::Decryption, Cause::EncryptionForm);
const CBC_ALONE: (Check, Cause) = (Check::Decryption, Cause::EncryptionNotSigned);
const COUNT: (Check, Cause) = (Check::AssertionCount, Cause::SeveralAssertions);
const NOT_SIGNED: (Check, Cause) = (Check::Signature, Cause::NotSigned);
const OTHER: (Check, Cause) = (Check::Signature, Cause::OtherCertificate);
const CHANGED: (Check, Cause) = (Check::Signature, Cause::ContentChanged);

/// The assertion of the usual message, signed.
fn signed() -> String {
    assertion_of(&sign(&unsigned(), Signed::Assertion))
}

/// The usual message with this in the place of its assertion.
fn around(inside: &str) -> String {
    let message = unsigned();
    message.replace(&assertion_of(&message), inside)
}

fn around_signed(inside: &str) -> String {
    sign_element(&around(inside), "_response", key())
}

/// As it is, and in a response that is signed too: then nothing about the encryption changes.
fn either(name: &str, inside: &str, by: (Check, Cause)) -> [Case; 2] {
    [
        Case::new(name, around(inside), by),
        Case::new(format!("{name}, in a signed response"), around_signed(inside), by),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = closed();
    cases.extend(algorithms());
    cases.extend(places());
    cases.extend(contents());
    cases
}

/// What does not open says nothing of why.
fn closed() -> Vec<Case> {
    let mut cases = Vec::new();
    let text = signed();
    let other: Vec<&Certificate> = vec![attacker().certificate()];
    let parcel = Parcel { to: other, ..Parcel::new() };
    cases.extend(either("for somebody else's key", &parcel.close(text.as_bytes()), CLOSED));
    for (name, damage) in [
        ("the nonce changed", (|bytes| bytes[0] ^= 1) as fn(&mut Vec<u8>)),
        ("the ciphertext changed", |bytes| bytes[40] ^= 0x80),
        ("the tag changed", |bytes| *bytes.last_mut().unwrap() ^= 1),
        ("the tag cut short", |bytes| bytes.truncate(bytes.len() - 1)),
        ("the tag cut to four bytes", |bytes| bytes.truncate(bytes.len() - 12)),
        ("the tag cut off", |bytes| bytes.truncate(bytes.len() - 16)),
        ("nothing but a nonce", |bytes| bytes.truncate(12)),
        ("no ciphertext at all", Vec::clear),
    ] {
        let parcel = Parcel { damage, ..Parcel::new() };
        cases.extend(either(name, &parcel.close(text.as_bytes()), CLOSED));
    }
    for (name, key_damage) in [
        ("the encrypted key changed", (|bytes| bytes[0] ^= 1) as fn(&mut Vec<u8>)),
        ("the encrypted key cut short", |bytes| bytes.truncate(255)),
        ("an encrypted key above the modulus", |bytes| bytes.fill(0xff)),
        ("no encrypted key", Vec::clear),
    ] {
        let parcel = Parcel { key_damage, ..Parcel::new() };
        cases.extend(either(name, &parcel.close(text.as_bytes()), CLOSED));
    }
    // The right key, under the name of a cipher with another length or mode.
    let parcel = Parcel::new().close(text.as_bytes());
    for (name, other) in [("AES-128", "aes128-gcm"), ("AES-192", "aes192-gcm")] {
        let renamed = parcel.replace("aes256-gcm", other);
        cases.extend(either(&format!("AES-256 under the name of {name}"), &renamed, CLOSED));
    }
    let cbc = parcel.replace("http://www.w3.org/2009/xmlenc11#aes256-gcm", CBC);
    cases.push(Case::new("AES-GCM under the name of AES-CBC", around(&cbc), CBC_ALONE));
    cases
}

fn algorithms() -> Vec<Case> {
    let mut cases = Vec::new();
    let text = signed();
    let close = |parcel: Parcel<'_>| parcel.close(text.as_bytes());
    let good = close(Parcel::new());
    let gcm = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
    for (name, uri) in [
        ("triple DES", "http://www.w3.org/2001/04/xmlenc#tripledes-cbc"),
        ("ChaCha20", "http://www.w3.org/2021/04/xmldsig-more#chacha20poly1305"),
        ("no cipher", ""),
        ("a cipher in capitals", "HTTP://WWW.W3.ORG/2009/XMLENC11#AES256-GCM"),
    ] {
        cases.extend(either(name, &good.replace(gcm, uri), ALGORITHM));
    }
    let pkcs1 = Parcel { transport: PKCS1, digest: None, ..Parcel::new() };
    cases.extend(either("RSA of PKCS #1 v1.5", &close(pkcs1), ALGORITHM));
    let oaep = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
    for (name, uri) in [
        ("RSA-OAEP under the name of PKCS #1 v1.5", PKCS1),
        ("a key under a shared secret", "http://www.w3.org/2001/04/xmlenc#kw-aes256"),
        ("no key encryption", ""),
    ] {
        assert!(good.contains(oaep));
        cases.extend(either(name, &good.replace(oaep, uri), ALGORITHM));
    }
    let md5 =
        Parcel { digest: Some("http://www.w3.org/2001/04/xmldsig-more#md5"), ..Parcel::new() };
    cases.extend(either("RSA-OAEP with MD5", &close(md5), ALGORITHM));
    let cbc = close(Parcel { cipher: CBC, ..Parcel::new() });
    cases.push(Case::new("AES-CBC in a response that is not signed", around(&cbc), CBC_ALONE));
    let by_attacker = sign_element(&around(&cbc), "_response", attacker());
    cases.push(Case::new("AES-CBC in a response that the attacker signed", by_attacker, OTHER));
    let other = close(Parcel { cipher: CBC, damage: |bytes| bytes[20] ^= 1, ..Parcel::new() });
    let swapped = around_signed(&cbc).replace(&cbc, &other);
    cases.push(Case::new("AES-CBC changed in a signed response", swapped, CHANGED));
    cases
}

/// Where encrypted things stand.
fn places() -> Vec<Case> {
    let mut cases = Vec::new();
    let text = signed();
    let good = Parcel::new().close(text.as_bytes());
    let second = text.replace("\"_assertion\"", "\"_second\"");
    for (name, inside) in [
        ("two encrypted assertions", format!("{good}{}", Parcel::new().close(second.as_bytes()))),
        ("the same encrypted assertion twice", format!("{good}{good}")),
        ("one in the clear before an encrypted one", format!("{second}{good}")),
        ("one in the clear behind an encrypted one", format!("{good}{second}")),
    ] {
        cases.extend(either(name, &inside, COUNT));
    }
    let beside = Parcel { beside: true, ..Parcel::new() }.close(text.as_bytes());
    for (name, from, to) in [
        ("the address of a key", "URI=\"#_ek\"", "URI=\"https://evil.example/key\""),
        ("a key that is not there", "URI=\"#_ek\"", "URI=\"#_other\""),
        ("a key in the response", "URI=\"#_ek\"", "URI=\"#_response\""),
        ("the document as the key", "URI=\"#_ek\"", "URI=\"\""),
        ("a key that is derived", "xmlenc#EncryptedKey\"", "xmlenc#DerivedKey\""),
    ] {
        assert!(beside.contains(from), "{name}");
        cases.extend(either(name, &beside.replace(from, to), FORM));
    }
    let start = beside.find("<xenc:EncryptedKey").unwrap();
    let end = beside.find("</xenc:EncryptedKey>").unwrap() + "</xenc:EncryptedKey>".len();
    let (outside, rest) = (&beside[start..end], [&beside[..start], &beside[end..]].concat());
    for (name, inside) in [
        ("the encrypted key before the encrypted assertion", format!("{outside}{rest}")),
        ("the encrypted key behind the encrypted assertion", format!("{rest}{outside}")),
    ] {
        cases.extend(either(name, &inside, (Check::Structure, Cause::UnknownParts)));
    }
    for (name, to) in
        [("no recipient", Vec::new()), ("five recipients", vec![ours()[0].certificate(); 5])]
    {
        let parcel = Parcel { to, ..Parcel::new() };
        cases.extend(either(name, &parcel.close(text.as_bytes()), FORM));
    }
    let fetched = "<xenc:CipherReference URI=\"https://evil.example/\"></xenc:CipherReference>";
    let start = good.rfind("<xenc:CipherValue>").unwrap();
    let end = good.rfind("</xenc:CipherValue>").unwrap() + "</xenc:CipherValue>".len();
    let by_reference = format!("{}{fetched}{}", &good[..start], &good[end..]);
    cases.extend(either("ciphertext to fetch", &by_reference, FORM));
    let content = good.replace("xmlenc#Element\"", "xmlenc#Content\"");
    cases.extend(either("content in place of an element", &content, FORM));
    cases
}

/// Opening proves nothing: everybody has our certificate. And what comes out is as strict as ever.
fn contents() -> Vec<Case> {
    let mut cases = Vec::new();
    let bare = assertion_of(&unsigned());
    let close = |text: &str| Parcel::new().close(text.as_bytes());
    let text = signed();
    cases.push(Case::new("nothing signed", around(&close(&bare)), NOT_SIGNED));
    let forged = sign_element(&bare, "_assertion", attacker());
    cases.extend(either("the attacker's assertion", &close(&forged), OTHER));
    let evil = text.replace(">alice<", ">root<");
    cases.extend(either("an assertion that was changed", &close(&evil), CHANGED));
    let honest = close(&bare);
    let swapped =
        around_signed(&honest).replace(&honest, &close(&bare.replace(">alice<", ">root<")));
    cases.push(Case::new("other ciphertext in a signed response", swapped, CHANGED));
    let borrowed = around_signed(&honest).replace(&honest, &close(&text));
    cases.push(Case::new("a good assertion in another's signed response", borrowed, CHANGED));
    let twin = bare.replace("\"_assertion\"", "\"_response\"");
    let twin = sign_element(&twin, "_response", key());
    cases.extend(either(
        "the response's ID again inside",
        &close(&twin),
        (Check::UniqueIds, Cause::DuplicateIds),
    ));
    for (name, inside) in [
        ("an encrypted assertion inside an encrypted one", close(&text)),
        ("a response inside", sign(&unsigned(), Signed::Both)),
        ("two assertions inside", format!("{text}{text}")),
        ("a comment inside the name", text.replace(">alice<", ">al<!-- -->ice<")),
        ("a document type inside", format!("<!DOCTYPE a [<!ENTITY x \"y\">]>{text}")),
        ("prefixes that only the response declares", text.replacen(" xmlns:saml=", " xmlns:x=", 1)),
        ("noise", "noise".to_owned()),
        ("nothing", String::new()),
        ("thousands of levels", "<x>".repeat(20_000)),
    ] {
        cases.extend(either(name, &close(&inside), FORM));
    }
    let start = bare.find("<saml:NameID").unwrap();
    let end = bare.find("</saml:NameID>").unwrap() + "</saml:NameID>".len();
    // Where it stands the prefix is declared.
    let sealed = close(&bare[start..end]).replace("EncryptedAssertion", "EncryptedID").replacen(
        " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"",
        "",
        1,
    );
    let hidden = bare.replace(&bare[start..end], &sealed);
    let hidden = sign_element(&hidden, "_assertion", key());
    let by = (Check::Structure, Cause::EncryptedNameId);
    cases.push(Case::new("the name encrypted by itself", around(&hidden), by));
    cases.extend(either("the name encrypted again inside", &close(&hidden), by));
    cases
}
