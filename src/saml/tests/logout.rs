//! Logout messages: each check on both of its sides, both kinds, both bindings.

use jiff::{SignedDuration, Timestamp};
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use proptest::prelude::*;

use super::house::*;
use super::parcel::{CBC, PKCS1, Parcel, assertion, ours};
use super::signatures::{curve, our_private_key, self_signed};
use crate::saml::certificate::{Certificate, SigningKey};
use crate::saml::logout::{
    Answer, Ending, Expected, LogoutCheck, LogoutError, LogoutRequestToSend, LogoutResponseToSend,
    NameIdentifier, Outcome, Received, Sent, Verified, VerifiedRequest, Way,
};
use crate::saml::redirect::{self, MessageKind};
use crate::saml::response::{MAXIMUM_AGE, MAXIMUM_SKEW, SUCCESS};
use crate::saml::xml::{self, Profile};
use crate::saml::{c14n, encoding, instant, name_id_format};

const SLO: &str = "https://sp.example.com/saml/slo/z-1";
const ID: &str = "_logout1";

fn here() -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        certificates: certificates(),
        decryption_keys: &[],
        url: SLO,
        now: now(),
        skew: SignedDuration::from_secs(60),
    }
}

fn alice() -> NameIdentifier {
    NameIdentifier {
        value: "alice".to_owned(),
        format: Some(name_id_format::PERSISTENT.to_owned()),
        name_qualifier: Some(IDP.to_owned()),
        sp_name_qualifier: Some(SP.to_owned()),
    }
}

fn request(way: &Way) -> Sent {
    let name = alice();
    let request = LogoutRequestToSend {
        id: ID,
        now: now(),
        issuer: IDP,
        name_id: &name,
        session_index: Some("_session"),
    };
    request.send(way, key()).unwrap()
}

fn response(way: &Way, answer: Answer<'_>) -> Sent {
    let response = LogoutResponseToSend {
        id: "_answer1",
        now: now(),
        issuer: IDP,
        in_response_to: ID,
        answer,
        relay_state: Some("a b&c=ä+"),
    };
    response.send(way, key()).unwrap()
}

fn by_post() -> Way {
    Way::Post(SLO.to_owned())
}

fn by_redirect() -> Way {
    Way::Redirect(SLO.to_owned())
}

/// As it arrives.
fn arrived(sent: &Sent) -> Received {
    match sent {
        Sent::Redirect(address) => Received::from_query(query(address)),
        Sent::Post { kind, message, relay_state, .. } => {
            posted(*kind, message, relay_state.as_deref())
        }
    }
}

fn posted(kind: MessageKind, message: &str, relay_state: Option<&str>) -> Received {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair(kind.parameter(), message);
    if let Some(relay_state) = relay_state {
        form.append_pair("RelayState", relay_state);
    }
    Received::from_form(form.finish().as_bytes())
}

fn query(address: &str) -> &str {
    address.split_once('?').unwrap().1
}

fn address(sent: Sent) -> String {
    match sent {
        Sent::Redirect(address) => address,
        Sent::Post { .. } => panic!("posted"),
    }
}

/// The XML of a posted message, without its signature.
fn text(sent: &Sent) -> String {
    let Sent::Post { message, .. } = sent else { panic!("redirected") };
    strip_signatures(&String::from_utf8(encoding::decode(message).unwrap()).unwrap())
}

/// Signs a text as it is, and has it arrive by a form.
fn signed(kind: MessageKind, xml: &str) -> Received {
    let id = xml.split(" ID=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
    let xml = sign_element(xml, id, key());
    posted(kind, &encoding::encode(xml.as_bytes()), None)
}

fn changed_request(from: &str, to: &str) -> Received {
    let xml = text(&request(&by_post()));
    assert!(xml.contains(from), "nothing to change: {from} in {xml}");
    signed(MessageKind::Request, &xml.replace(from, to))
}

fn refusal(outcome: &Outcome) -> LogoutCheck {
    match &outcome.result {
        Ok(accepted) => panic!("accepted as {accepted:?}"),
        Err(refusal) => refusal.check,
    }
}

fn refused(received: &Received) -> LogoutCheck {
    refusal(&received.judge(&here()))
}

fn accepted_request(received: &Received) -> VerifiedRequest {
    match received.judge(&here()).result {
        Ok(Verified::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

#[test]
fn both_kinds_pass_by_both_bindings() {
    for way in [by_post(), by_redirect()] {
        let received = arrived(&request(&way));
        assert_eq!(received.kind(), Some(MessageKind::Request));
        let outcome = received.judge(&here());
        assert_eq!(outcome.answerable.as_deref(), Some(ID));
        let failed = outcome.trace.failures().next();
        assert!(failed.is_none(), "{failed:?}");
        let request = accepted_request(&received);
        assert_eq!(request.id, ID);
        assert_eq!(request.name_id, "alice");
        assert_eq!(request.session_indexes, ["_session"]);
        assert_eq!(request.issued_at, now());
        let longest = MAXIMUM_AGE + SignedDuration::from_secs(60);
        assert_eq!(request.remember_until, now() + longest);

        for (answer, ending) in
            [(Answer::Done, Ending::Complete), (Answer::Refused("replay"), Ending::Failed)]
        {
            let received = arrived(&response(&way, answer));
            assert_eq!(received.relay_state(), Some("a b&c=ä+"));
            let outcome = received.judge(&here());
            assert_eq!(outcome.answerable, None, "an answer is not answered");
            match outcome.result {
                Ok(Verified::Response(response)) => {
                    assert_eq!(response.in_response_to, ID);
                    assert_eq!(response.ending, ending);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn what_we_write_is_canonical_and_says_all_of_the_name() {
    for sent in [request(&by_post()), response(&by_post(), Answer::Refused("<&>"))] {
        let xml = text(&sent);
        let document = xml::parse(xml.as_bytes(), Profile::Message).unwrap();
        let canonical = c14n::exclusive(document.root(), &[], None);
        assert_eq!(String::from_utf8(canonical).unwrap(), xml);
    }
    let xml = text(&request(&by_post()));
    for part in [
        &format!("Format=\"{}\"", name_id_format::PERSISTENT),
        &format!(" NameQualifier=\"{IDP}\""),
        &format!(" SPNameQualifier=\"{SP}\""),
        "NotOnOrAfter=\"2026-11-22T10:05:00Z\"",
        "urn:oasis:names:tc:SAML:2.0:logout:user",
    ] {
        assert!(xml.contains(part), "{part} in {xml}");
    }
    let name = NameIdentifier { format: None, name_qualifier: None, ..alice() };
    let name = NameIdentifier { sp_name_qualifier: None, ..name };
    let bare =
        LogoutRequestToSend { id: ID, now: now(), issuer: SP, name_id: &name, session_index: None };
    let xml = text(&bare.send(&by_post(), key()).unwrap());
    assert!(
        xml.contains(
            "Assertion\">alice</saml:NameID></samlp:LogoutRequest>".trim_start_matches("Assertion")
        ),
        "{xml}"
    );
    assert!(!xml.contains("Format=") && !xml.contains("SessionIndex"), "{xml}");
}

#[test]
fn what_we_send_goes_to_addresses_only() {
    for way in [Way::Redirect("javascript:alert(1)".to_owned()), Way::Post("data:x".to_owned())] {
        let name = alice();
        let request = LogoutRequestToSend {
            id: ID,
            now: now(),
            issuer: SP,
            name_id: &name,
            session_index: None,
        };
        let error = request.send(&way, key()).unwrap_err();
        assert!(matches!(error, LogoutError::Redirect(_) | LogoutError::Location(_)), "{error}");
    }
}

#[test]
fn a_form_has_one_message() {
    let Sent::Post { message, .. } = request(&by_post()) else { panic!() };
    let message: String = url::form_urlencoded::byte_serialize(message.as_bytes()).collect();
    let judged = |body: &str| Received::from_form(body.as_bytes()).judge(&here());
    let fine = format!("SAMLRequest={message}&RelayState=x&submit=Go");
    assert!(judged(&fine).result.is_ok());
    for bad in [
        String::new(),
        "RelayState=x".to_owned(),
        format!("SAMLRequest={message}&SAMLRequest={message}"),
        format!("SAMLRequest={message}&SAMLResponse={message}"),
        format!("SAMLRequest={message}&RelayState=x&RelayState=y"),
        format!("SAMLRequest={message}&RelayState={}", "x".repeat(1025)),
    ] {
        let outcome = judged(&bad);
        assert_eq!(refusal(&outcome), LogoutCheck::Binding, "{bad}");
        assert_eq!(outcome.answerable, None);
    }
    assert_eq!(refusal(&judged("SAMLRequest=%25%25")), LogoutCheck::Encoding);
    let long = format!("SAMLRequest={}", "A".repeat(128 * 1024 + 4));
    assert_eq!(refusal(&judged(&long)), LogoutCheck::Encoding);
    let noise = encoding::encode(b"<a><!-- --></a>");
    assert_eq!(refused(&posted(MessageKind::Request, &noise, None)), LogoutCheck::Xml);
    // The field must be the right one for what is in it.
    let crossed = format!("SAMLResponse={message}");
    assert_eq!(refusal(&judged(&crossed)), LogoutCheck::Structure);
}

#[test]
fn a_query_has_each_parameter_once_and_no_other() {
    let whole = address(request(&by_redirect()));
    let query = query(&whole);
    let judged = |query: &str| Received::from_query(query).judge(&here());
    assert!(judged(query).result.is_ok());
    let deflate = "SAMLEncoding=urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";
    assert!(judged(&format!("{query}&{deflate}")).result.is_ok());
    // The order in the address is the sender's; what is signed has an order of its own.
    let mut turned: Vec<&str> = query.split('&').collect();
    turned.reverse();
    assert!(judged(&turned.join("&")).result.is_ok());
    let mut bad: Vec<String> =
        query.split('&').map(|parameter| format!("{query}&{parameter}")).collect();
    bad.extend([
        String::new(),
        format!("{query}&"),
        format!("{query}&x=y"),
        format!("{query}&RelayState=x&RelayState=x"),
        format!("{query}&SAMLResponse=x"),
        format!("{query}&SAMLEncoding=urn:x"),
        query.replace("SAMLRequest", "SAML%52equest"),
        query.replace("SAMLRequest", "samlrequest"),
        format!("{query}&RelayState=%ff"),
        format!("{query}&RelayState={}", "x".repeat(1025)),
    ]);
    for bad in bad {
        assert_eq!(refusal(&judged(&bad)), LogoutCheck::Binding, "{bad}");
    }
    let bomb = {
        use std::io::Write as _;
        let best = flate2::Compression::best();
        let mut bomb = flate2::write::DeflateEncoder::new(Vec::new(), best);
        bomb.write_all(&vec![b' '; 10_000_000]).unwrap();
        let bomb = encoding::encode(&bomb.finish().unwrap());
        url::form_urlencoded::byte_serialize(bomb.as_bytes()).collect::<String>()
    };
    for message in ["%25", "AAAA", &bomb] {
        let judged = judged(&format!("SAMLRequest={message}"));
        assert_eq!(refusal(&judged), LogoutCheck::Encoding, "{message}");
    }
}

#[test]
fn a_redirect_is_verified_over_the_bytes_that_came() {
    let whole = address(response(&by_redirect(), Answer::Done));
    let query = query(&whole);
    let judged = |query: &str| Received::from_query(query).judge(&here());
    assert!(judged(query).result.is_ok());
    // Every signed parameter, cut, changed, or only escaped otherwise than it was signed.
    for bad in [
        query.replace("RelayState=a", "RelayState=b"),
        query.replace("&RelayState=a+b%26c%3D%C3%A4%2B", ""),
        query.replace("%C3%A4", "%c3%a4"),
        query.replace("rsa-sha256", "rsa-sha512"),
        query.replace("rsa-sha256", "ecdsa-sha256"),
        query.replace("%23rsa-sha256", "%23rsa-sha1"),
        query.split("&SigAlg").next().unwrap().to_owned(),
        query.split("&Signature").next().unwrap().to_owned(),
        query.replace("&Signature=", "&Signature=%25"),
        query.replace("&SigAlg=", "&SigAlg=%25"),
    ] {
        assert_ne!(bad, query, "nothing changed");
        assert_eq!(refusal(&judged(&bad)), LogoutCheck::Signature, "{bad}");
    }
    let attacker = redirect::address(
        SLO,
        MessageKind::Request,
        &text(&request(&by_post())),
        None,
        Some(attacker()),
    )
    .unwrap();
    let outcome = judged(self::query(&attacker));
    assert_eq!(refusal(&outcome), LogoutCheck::Signature);
    assert_eq!(outcome.answerable, None, "nobody known has asked");
    // A signature inside, with and without another beside it.
    let Sent::Post { message, .. } = request(&by_post()) else { panic!() };
    let inside = String::from_utf8(encoding::decode(&message).unwrap()).unwrap();
    for key in [None, Some(key())] {
        let both = redirect::address(SLO, MessageKind::Request, &inside, None, key).unwrap();
        assert_eq!(refusal(&judged(self::query(&both))), LogoutCheck::Signature);
    }
}

/// A query as others write one: small hexadecimal digits, and an algorithm of theirs.
fn foreign(algorithm: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let unsigned =
        redirect::address(SLO, MessageKind::Request, &text(&request(&by_post())), None, None);
    let unsigned = unsigned.unwrap();
    let message =
        query(&unsigned).replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d");
    let escaped: String = url::form_urlencoded::byte_serialize(algorithm.as_bytes()).collect();
    let signed = format!("{message}&SigAlg={}", escaped.to_lowercase());
    let value = encoding::encode(&sign(signed.as_bytes()));
    let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    format!("{signed}&Signature={value}")
}

fn plain(key: &PKey<Private>, digest: MessageDigest, bytes: &[u8]) -> Vec<u8> {
    Signer::new(digest, key).unwrap().sign_oneshot_to_vec(bytes).unwrap()
}

fn judged_with(query: &str, certificates: &[Certificate]) -> Outcome {
    Received::from_query(query).judge(&Expected { certificates, ..here() })
}

#[test]
fn every_strong_algorithm_signs_a_redirect_and_no_weak_one() {
    let rsa = our_private_key();
    let more = "http://www.w3.org/2001/04/xmldsig-more#";
    for (name, digest) in [
        ("rsa-sha256", MessageDigest::sha256()),
        ("rsa-sha384", MessageDigest::sha384()),
        ("rsa-sha512", MessageDigest::sha512()),
    ] {
        let query = foreign(&format!("{more}{name}"), |bytes| plain(&rsa, digest, bytes));
        let outcome = judged_with(&query, certificates());
        assert!(outcome.result.is_ok(), "{name}: {:?}", outcome.result);
    }
    for (name, digest) in [
        ("http://www.w3.org/2000/09/xmldsig#rsa-sha1", MessageDigest::sha1()),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", MessageDigest::md5()),
    ] {
        let query = foreign(name, |bytes| plain(&rsa, digest, bytes));
        assert_eq!(refusal(&judged_with(&query, certificates())), LogoutCheck::Signature, "{name}");
    }
    for (nid, size, name, digest) in [
        (Nid::X9_62_PRIME256V1, 32, "ecdsa-sha256", MessageDigest::sha256()),
        (Nid::SECP384R1, 48, "ecdsa-sha384", MessageDigest::sha384()),
    ] {
        let key = curve(nid);
        let ours = [self_signed(&key)];
        let algorithm = format!("{more}{name}");
        // As X.509 writes it, and as XML signatures do.
        let der = foreign(&algorithm, |bytes| plain(&key, digest, bytes));
        assert!(judged_with(&der, &ours).result.is_ok(), "{name}");
        let raw = foreign(&algorithm, |bytes| {
            let signature = EcdsaSig::from_der(&plain(&key, digest, bytes)).unwrap();
            let mut value = signature.r().to_vec_padded(size).unwrap();
            value.extend(signature.s().to_vec_padded(size).unwrap());
            value
        });
        assert!(judged_with(&raw, &ours).result.is_ok(), "{name}");
        // Another key of the same kind, a key of the other kind, no key.
        assert!(judged_with(&raw, &[self_signed(&curve(nid))]).result.is_err());
        assert!(judged_with(&raw, certificates()).result.is_err());
        assert!(judged_with(&raw, &[]).result.is_err());
    }
}

#[test]
fn a_posted_message_is_signed_inside_by_a_configured_key() {
    let xml = text(&request(&by_post()));
    let unsigned = posted(MessageKind::Request, &encoding::encode(xml.as_bytes()), None);
    assert_eq!(refused(&unsigned), LogoutCheck::Signature);
    let forged = sign_element(&xml, ID, attacker());
    let forged = posted(MessageKind::Request, &encoding::encode(forged.as_bytes()), None);
    let outcome = forged.judge(&here());
    assert_eq!(refusal(&outcome), LogoutCheck::Signature);
    assert_eq!(outcome.answerable, None);
    let Sent::Post { message, .. } = request(&by_post()) else { panic!() };
    let signed = String::from_utf8(encoding::decode(&message).unwrap()).unwrap();
    for changed in [
        signed.replace(">alice<", ">bobby<"),
        signed.replace(">_session<", ">_others<"),
        signed.replace("#rsa-sha256", "#rsa-sha1"),
        signed.replace("URI=\"#_logout1\"", "URI=\"\""),
    ] {
        assert_ne!(changed, signed);
        let changed = posted(MessageKind::Request, &encoding::encode(changed.as_bytes()), None);
        assert_eq!(refused(&changed), LogoutCheck::Signature);
    }
    // Wrapped: the signed request inside of another one.
    let evil = xml.replace(ID, "_evil").replace(">alice<", ">bobby<");
    let wrapped =
        evil.replace("</samlp:LogoutRequest>", &format!("{signed}</samlp:LogoutRequest>"));
    let wrapped = posted(MessageKind::Request, &encoding::encode(wrapped.as_bytes()), None);
    assert_eq!(refused(&wrapped), LogoutCheck::Structure);
}

#[test]
fn each_rule_behind_the_signature_refuses_by_its_name() {
    let name = "saml:NameID";
    for (from, to, check) in [
        ("Version=\"2.0\"", "Version=\"1.1\"", LogoutCheck::Version),
        (SLO, "https://sp.example.com/saml/slo/z-2", LogoutCheck::Destination),
        (SLO, "https://sp.example.com/saml/slo/z-1/", LogoutCheck::Destination),
        (&format!("Destination=\"{SLO}\" "), "", LogoutCheck::Destination),
        (&format!(">{IDP}<"), ">https://idp.example.com<", LogoutCheck::Issuer),
        ("T10:00:00Z", "T10:01:01Z", LogoutCheck::IssueInstant),
        ("T10:00:00Z", "T09:48:59Z", LogoutCheck::IssueInstant),
        ("T10:05:00Z", "T09:59:00Z", LogoutCheck::NotOnOrAfter),
        (">alice<", "><", LogoutCheck::NameId),
        (">alice<", ">a\tb<", LogoutCheck::NameId),
        (
            &format!(">alice</{name}>"),
            &format!(">{}</{name}>", "x".repeat(513)),
            LogoutCheck::NameId,
        ),
        ("ID=\"_logout1\"", "ID=\"1\"", LogoutCheck::Structure),
        (">alice<", "><x/>alice<", LogoutCheck::Structure),
        ("samlp:SessionIndex", "samlp:Extensions", LogoutCheck::Structure),
        ("Reason=", "Why=", LogoutCheck::Structure),
        ("</saml:Issuer>", "</saml:Issuer>text", LogoutCheck::Structure),
    ] {
        let received = match check {
            // Our signer does not sign what is no ID; an unsigned message gets as far.
            LogoutCheck::Structure => {
                let xml = text(&request(&by_post())).replace(from, to);
                posted(MessageKind::Request, &encoding::encode(xml.as_bytes()), None)
            }
            LogoutCheck::Binding
            | LogoutCheck::Encoding
            | LogoutCheck::Xml
            | LogoutCheck::UniqueIds
            | LogoutCheck::Version
            | LogoutCheck::Destination
            | LogoutCheck::Issuer
            | LogoutCheck::Signature
            | LogoutCheck::IssueInstant
            | LogoutCheck::NotOnOrAfter
            | LogoutCheck::Decryption
            | LogoutCheck::NameId
            | LogoutCheck::Replay
            | LogoutCheck::InResponseTo => changed_request(from, to),
        };
        let outcome = received.judge(&here());
        assert_eq!(refusal(&outcome), check, "{from} -> {to}");
        let answerable = !matches!(check, LogoutCheck::Structure | LogoutCheck::Issuer);
        assert_eq!(outcome.answerable.is_some(), answerable, "{check}");
    }
    // The other side of the same limits.
    for (from, to) in [
        ("T10:00:00Z", "T10:01:00Z"),
        ("T10:00:00Z", "T09:49:00Z"),
        ("T10:05:00Z", "T09:59:01Z"),
        ("NotOnOrAfter=\"2026-11-22T10:05:00Z\" ", ""),
        (">alice<", "> alice\n<"),
        (name_id_format::PERSISTENT, name_id_format::EMAIL),
    ] {
        assert_eq!(accepted_request(&changed_request(from, to)).name_id, "alice", "{from} -> {to}");
    }
}

#[test]
fn ids_stand_once() {
    // Two elements of one ID, where the structure leaves room for a second: in the signature.
    let Sent::Post { message, .. } = request(&by_post()) else { panic!() };
    let xml = String::from_utf8(encoding::decode(&message).unwrap()).unwrap();
    let xml = xml.replace("<ds:KeyInfo>", "<ds:KeyInfo Id=\"_logout1\">");
    let received = posted(MessageKind::Request, &encoding::encode(xml.as_bytes()), None);
    let outcome = received.judge(&here());
    assert_eq!(refusal(&outcome), LogoutCheck::UniqueIds);
    assert_eq!(outcome.answerable, None);
}

/// A request whose name is this `EncryptedID`.
fn sealed_request(encrypted: &str) -> String {
    let xml = text(&request(&by_post()));
    let start = xml.find("<saml:NameID").unwrap();
    let end = xml.find("</saml:NameID>").unwrap() + "</saml:NameID>".len();
    xml.replace(&xml[start..end], &encrypted.replace("EncryptedAssertion", "EncryptedID"))
}

fn name_element() -> String {
    let xml = text(&request(&by_post()));
    let start = xml.find("<saml:NameID").unwrap();
    let end = xml.find("</saml:NameID>").unwrap() + "</saml:NameID>".len();
    xml[start..end].to_owned()
}

fn with_our_keys() -> Expected<'static> {
    Expected { decryption_keys: ours(), ..here() }
}

#[test]
fn a_name_that_is_encrypted_for_us_is_opened() {
    let name = name_element();
    assert!(name.contains("xmlns:saml") && name.contains(">alice<"), "{name}");
    for parcel in [
        Parcel::new(),
        Parcel { to: vec![ours()[1].certificate()], beside: true, ..Parcel::new() },
        // The signature covers it, so what AES-CBC lacks is no harm.
        Parcel { cipher: CBC, ..Parcel::new() },
    ] {
        let xml = sealed_request(&parcel.close(name.as_bytes()));
        let received = signed(MessageKind::Request, &xml);
        assert!(received.is_encrypted());
        let outcome = received.judge(&with_our_keys());
        let Ok(Verified::Request(accepted)) = outcome.result else { panic!("{outcome:?}") };
        assert_eq!(accepted.name_id, "alice");
        assert!(outcome.trace.entries().iter().any(|it| it.check == LogoutCheck::Decryption));
    }
    assert!(!arrived(&request(&by_post())).is_encrypted());
    // What is redirected is signed beside the message, and no less.
    let xml = sealed_request(&Parcel::new().close(name.as_bytes()));
    let query = redirected(&xml);
    let outcome = Received::from_query(&query).judge(&with_our_keys());
    assert!(matches!(outcome.result, Ok(Verified::Request(it)) if it.name_id == "alice"));
    let unsigned = query.split("&SigAlg").next().unwrap();
    let outcome = Received::from_query(unsigned).judge(&with_our_keys());
    assert_eq!(refusal(&outcome), LogoutCheck::Signature);
}

/// A redirect that is signed with the right key.
fn redirected(xml: &str) -> String {
    let address = redirect::address(SLO, MessageKind::Request, xml, None, Some(key())).unwrap();
    query(&address).to_owned()
}

#[test]
fn an_encrypted_name_that_does_not_open_is_refused_by_name_and_answered() {
    let name = name_element();
    let other = SigningKey::generate("other", now(), [3; 16]).unwrap();
    let judged = |encrypted: &str, expected: &Expected<'_>| {
        let outcome = signed(MessageKind::Request, &sealed_request(encrypted)).judge(expected);
        assert_eq!(outcome.answerable.as_deref(), Some(ID), "its sender is proved");
        let refusal = outcome.result.unwrap_err();
        (refusal.check, refusal.received)
    };
    let good = Parcel::new().close(name.as_bytes());
    let none = "this space has no encryption key".to_owned();
    assert_eq!(judged(&good, &here()), (LogoutCheck::Decryption, none));
    let ours = with_our_keys();
    for (parcel, received) in [
        (Parcel { to: vec![other.certificate()], ..Parcel::new() }, "no key of this space"),
        (Parcel { damage: |data| data[20] ^= 1, ..Parcel::new() }, "no key of this space"),
        (Parcel { transport: PKCS1, ..Parcel::new() }, "is not accepted"),
    ] {
        let (check, said) = judged(&parcel.close(name.as_bytes()), &ours);
        assert_eq!(check, LogoutCheck::Decryption);
        assert!(said.contains(received), "{said}");
    }
    let empty = "<saml:EncryptedID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">x</saml:EncryptedID>";
    assert_eq!(judged(empty, &ours).0, LogoutCheck::Decryption);
    // What is inside is one readable name and nothing else.
    for (inside, check) in [
        (assertion(true), LogoutCheck::Decryption),
        (name.replace("saml:NameID", "saml:BaseID"), LogoutCheck::Decryption),
        (format!("<!-- -->{name}"), LogoutCheck::Decryption),
        (name.replace(">alice<", "><saml:x></saml:x>alice<"), LogoutCheck::Structure),
        (name.replace("Format=", "Form="), LogoutCheck::Structure),
        (name.replace(">alice<", "><"), LogoutCheck::NameId),
        (name.replace(">alice<", &format!(">{}<", "a".repeat(513))), LogoutCheck::NameId),
    ] {
        assert_eq!(judged(&Parcel::new().close(inside.as_bytes()), &ours).0, check, "{inside}");
    }
}

#[test]
fn our_key_works_for_nobody_whose_message_is_no_good() {
    let xml = sealed_request(&Parcel::new().close(name_element().as_bytes()));
    let opened = |outcome: &Outcome| {
        outcome.trace.entries().iter().any(|it| it.check == LogoutCheck::Decryption)
    };
    let unsigned = posted(MessageKind::Request, &encoding::encode(xml.as_bytes()), None);
    let wrong = xml.replace(IDP, "https://evil.example.com/");
    let late = xml.replace(&instant::format(now()), "2026-11-22T09:00:00Z");
    let elsewhere = xml.replace(SLO, "https://elsewhere.example.com/");
    for (received, check) in [
        (unsigned, LogoutCheck::Signature),
        (signed(MessageKind::Request, &wrong), LogoutCheck::Issuer),
        (signed(MessageKind::Request, &late), LogoutCheck::IssueInstant),
        (signed(MessageKind::Request, &elsewhere), LogoutCheck::Destination),
    ] {
        let outcome = received.judge(&with_our_keys());
        assert_eq!(refusal(&outcome), check);
        assert!(!opened(&outcome), "{check}");
    }
}

#[test]
fn sessions_are_named_one_by_one_or_not_at_all() {
    let one = "<samlp:SessionIndex>_session</samlp:SessionIndex>";
    let none = accepted_request(&changed_request(one, ""));
    assert!(none.session_indexes.is_empty());
    let two = format!("{one}<samlp:SessionIndex> _b </samlp:SessionIndex>");
    let two = accepted_request(&changed_request(one, &two));
    assert_eq!(two.session_indexes, ["_session", "_b"]);
    assert_eq!(
        accepted_request(&changed_request(one, &one.repeat(100))).session_indexes.len(),
        100
    );
    assert_eq!(refused(&changed_request(one, &one.repeat(101))), LogoutCheck::Structure);
}

#[test]
fn the_skew_is_what_is_set_and_never_more_than_it_may_be() {
    let issued = |seconds: i64| {
        let at = instant::format(now() + SignedDuration::from_secs(seconds));
        changed_request("2026-11-22T10:00:00Z", &at)
    };
    let judged = |seconds, skew| {
        let skew = SignedDuration::from_secs(skew);
        issued(seconds).judge(&Expected { skew, ..here() }).result.is_ok()
    };
    assert!(judged(0, 0) && !judged(1, 0));
    assert!(judged(MAXIMUM_SKEW.as_secs(), 10_000) && !judged(MAXIMUM_SKEW.as_secs() + 1, 10_000));
    assert!(judged(0, -5) && !judged(1, -5));
}

#[test]
fn a_response_names_its_request_and_its_status_is_told_apart() {
    let partial = "urn:oasis:names:tc:SAML:2.0:status:PartialLogout";
    let code = |value: &str, inner: &str| {
        format!("<samlp:StatusCode Value=\"{value}\">{inner}</samlp:StatusCode>")
    };
    let whole = text(&response(&by_post(), Answer::Done));
    let done = code(SUCCESS, "");
    assert!(whole.contains(&done));
    let responder = "urn:oasis:names:tc:SAML:2.0:status:Responder";
    for (status, ending) in [
        (code(SUCCESS, ""), Ending::Complete),
        (code(SUCCESS, &code(partial, "")), Ending::Partial),
        (code(responder, &code(partial, "")), Ending::Partial),
        (code(responder, ""), Ending::Failed),
        (code("urn:oasis:names:tc:SAML:2.0:status:Requester", &code(SUCCESS, "")), Ending::Failed),
        (
            format!("{}<samlp:StatusDetail><x></x></samlp:StatusDetail>", code(responder, "")),
            Ending::Failed,
        ),
    ] {
        let xml = whole.replace(&done, &status);
        match signed(MessageKind::Response, &xml).judge(&here()).result {
            Ok(Verified::Response(response)) => assert_eq!(response.ending, ending, "{status}"),
            other => panic!("{other:?}"),
        }
    }
    let mute = whole.replace(" InResponseTo=\"_logout1\"", "");
    assert_eq!(refused(&signed(MessageKind::Response, &mute)), LogoutCheck::InResponseTo);
    let anonymous = whole.replace(&format!(">{IDP}<"), "><");
    assert_eq!(refused(&signed(MessageKind::Response, &anonymous)), LogoutCheck::Issuer);
}

#[test]
fn every_check_has_a_name_of_its_own_and_advice() {
    let all = [
        LogoutCheck::Binding,
        LogoutCheck::Encoding,
        LogoutCheck::Xml,
        LogoutCheck::Structure,
        LogoutCheck::UniqueIds,
        LogoutCheck::Version,
        LogoutCheck::Destination,
        LogoutCheck::Issuer,
        LogoutCheck::Signature,
        LogoutCheck::IssueInstant,
        LogoutCheck::NotOnOrAfter,
        LogoutCheck::Decryption,
        LogoutCheck::NameId,
        LogoutCheck::Replay,
        LogoutCheck::InResponseTo,
    ];
    for check in all {
        let written = serde_json::to_value(check).unwrap();
        assert_eq!(written, check.name(), "the name is the one in the record");
        assert_eq!(all.iter().filter(|it| it.name() == check.name()).count(), 1);
        assert!(check.advice().ends_with('.') && !check.to_string().is_empty());
    }
}

#[test]
fn times_far_away_do_no_harm() {
    let expected = |now: &str| Expected { now: now.parse::<Timestamp>().unwrap(), ..here() };
    for moment in ["9999-12-30T22:00:00Z", "-009999-01-02T01:59:59Z"] {
        assert_eq!(
            refusal(&arrived(&request(&by_redirect())).judge(&expected(moment))),
            LogoutCheck::IssueInstant,
        );
    }
}

proptest! {
    #[test]
    fn no_input_panics(query in ".{0,200}", body in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Received::from_query(&query).judge(&here()).result.is_err());
        prop_assert!(Received::from_form(&body).judge(&here()).result.is_err());
    }

    #[test]
    fn a_relay_state_comes_back_as_it_went(relay_state in "\\PC{0,100}") {
        let sent = LogoutResponseToSend {
            id: "_a", now: now(), issuer: IDP, in_response_to: ID, answer: Answer::Done,
            relay_state: Some(&relay_state),
        };
        for way in [by_post(), by_redirect()] {
            let received = arrived(&sent.send(&way, key()).unwrap());
            prop_assert_eq!(received.relay_state(), Some(relay_state.as_str()));
            prop_assert!(received.judge(&here()).result.is_ok());
        }
    }
}
