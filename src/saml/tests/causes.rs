//! Identity providers that are set up wrong, each diagnosed by its true cause (SSO-17), and the
//! identity that an attribute gives.

use jiff::SignedDuration;
use openssl::nid::Nid;

use super::house::*;
use super::parcel::{CBC, PKCS1, Parcel, around, assertion, judge_encrypted};
use super::signatures::{curve, self_signed};
use crate::saml::cause::Cause;
use crate::saml::encoding;
use crate::saml::identity_provider::ResponseToIssue;
use crate::saml::product::{Product, Setting};
use crate::saml::response::{self, Expected, Outcome};
use crate::saml::trace::Check;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";

// Why there is no field to change at the identity provider.
/// It was damaged, rewritten or forged after the identity provider had made it.
const DAMAGED: Option<Setting> = None;
/// No product has a setting for it: each writes it right, and nothing else.
const NO_CHOICE: Option<Setting> = None;
/// Its own log says why; it is about the person, or a failure there.
const ELSEWHERE: Option<Setting> = None;

fn cause_of(outcome: &Outcome) -> Cause {
    match &outcome.result {
        Ok(accepted) => panic!("accepted as {accepted:?}"),
        Err(refusal) => refusal.cause,
    }
}

fn cause(xml: &str) -> Cause {
    cause_of(&judge(xml))
}

fn cause_as(xml: &str, expected: &Expected<'_>) -> Cause {
    cause_of(&judge_as(xml, expected))
}

/// What an identity provider sends that refuses.
fn refusing(codes: &str) -> String {
    let message = unsigned();
    let success = "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\">\
                   </samlp:StatusCode>";
    assert!(message.contains(success), "{message}");
    message.replace(success, codes).replace(&assertion_of(&message), "")
}

fn status(first: &str, second: &str) -> String {
    let prefix = "urn:oasis:names:tc:SAML:2.0:status:";
    let inner = if second.is_empty() {
        String::new()
    } else {
        format!("<samlp:StatusCode Value=\"{prefix}{second}\"></samlp:StatusCode>")
    };
    refusing(&format!("<samlp:StatusCode Value=\"{prefix}{first}\">{inner}</samlp:StatusCode>"))
}

fn signed_response(change: impl Fn(&str) -> String) -> String {
    sign_response(&change(&unsigned()))
}

/// A message as it is made some minutes from now.
fn made(minutes: i64) -> String {
    let now = now() + SignedDuration::from_mins(minutes);
    ResponseToIssue { now, authenticated_at: now, ..template() }.issue(key()).unwrap().xml
}

#[test]
fn sso_17_each_broken_identity_provider_is_diagnosed_by_its_true_cause() {
    let acs = format!("\"{ACS}\"");
    let weak = issued().xml.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1");
    let subject = |with: &str| {
        let message = unsigned();
        let (before, rest) = message.split_once("<saml:NameID").unwrap();
        let (_, after) = rest.split_once("</saml:NameID>").unwrap();
        sign_assertion(&format!("{before}{with}{after}"))
    };
    let without = |name: &str| {
        let message = unsigned();
        let (before, rest) = message.split_once(&format!("<saml:{name}")).unwrap();
        let (_, after) = rest.split_once(&format!("</saml:{name}>")).unwrap();
        sign_assertion(&format!("{before}{after}"))
    };
    let all: Vec<(&str, String, Cause, Option<Setting>)> = vec![
        // What is not a response.
        (
            "an error page instead of a response",
            "<html><body/></html>".into(),
            Cause::NotAResponse,
            Some(Setting::AcsUrl),
        ),
        (
            "a logout request at the wrong address",
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>".into(),
            Cause::NotAResponse,
            Some(Setting::AcsUrl),
        ),
        (
            "SAML 1.1",
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\"/>".into(),
            Cause::OlderSaml,
            Some(Setting::Protocol),
        ),
        (
            "SAML 2.0 that says 1.1",
            changed("Version=\"2.0\"", "Version=\"1.1\""),
            Cause::OlderSaml,
            Some(Setting::Protocol),
        ),
        ("cut short", issued().xml[..900].to_owned(), Cause::NotXml, DAMAGED),
        ("a document type", format!("<!DOCTYPE x>{}", issued().xml), Cause::ForbiddenXml, DAMAGED),
        (
            "a comment",
            issued().xml.replace("</saml:NameID>", "<!-- --></saml:NameID>"),
            Cause::ForbiddenXml,
            DAMAGED,
        ),
        (
            "an extension",
            unsigned().replacen(
                "<samlp:Status>",
                "<samlp:Extensions></samlp:Extensions><samlp:Status>",
                1,
            ),
            Cause::UnknownParts,
            NO_CHOICE,
        ),
        (
            "an attribute of a structure",
            changed(">alice@example.com<", "><mail>alice@example.com</mail><"),
            Cause::UnreadableAttributes,
            Some(Setting::Attributes),
        ),
        // Who speaks to whom.
        (
            "another ACS URL everywhere",
            sign_assertion(&unsigned().replace(&acs, "\"https://old/\"")),
            Cause::OtherDestination,
            Some(Setting::AcsUrl),
        ),
        (
            "another ACS URL in the recipient only",
            changed(&format!("Recipient={acs}"), "Recipient=\"https://old/\""),
            Cause::OtherRecipient,
            Some(Setting::AcsUrl),
        ),
        (
            "a signed response without destination",
            signed_response(|it| it.replacen(&format!(" Destination={acs}"), "", 1)),
            Cause::NoDestination,
            Some(Setting::AcsUrl),
        ),
        (
            "another tenant",
            sign_assertion(&unsigned().replace(IDP, "https://idp.example.com/two")),
            Cause::OtherIssuer,
            Some(Setting::IdpEntityId),
        ),
        (
            "another entity id of ours",
            changed(&format!("<saml:Audience>{SP}"), "<saml:Audience>https://sp.example.com"),
            Cause::OtherAudience,
            Some(Setting::Audience),
        ),
        ("no audience", without("AudienceRestriction"), Cause::NoAudience, Some(Setting::Audience)),
        ("no conditions", without("Conditions"), Cause::NoConditions, Some(Setting::Audience)),
        // What the identity provider says of itself.
        (
            "our request is refused",
            status("Requester", ""),
            Cause::RequestRefused,
            Some(Setting::OurMetadata),
        ),
        ("it failed", status("Responder", ""), Cause::IdentityProviderFailed, ELSEWHERE),
        (
            "a wrong password",
            status("Responder", "AuthnFailed"),
            Cause::AuthenticationFailed,
            ELSEWHERE,
        ),
        (
            "not assigned",
            status("Responder", "RequestDenied"),
            Cause::PersonRefused,
            Some(Setting::Assignment),
        ),
        (
            "no such way to authenticate",
            status("Requester", "NoAuthnContext"),
            Cause::AuthnContextNotOffered,
            Some(Setting::AuthnContext),
        ),
        (
            "no such format",
            status("Requester", "InvalidNameIDPolicy"),
            Cause::NameIdFormatNotOffered,
            Some(Setting::NameIdFormat),
        ),
        (
            "success without an assertion",
            unsigned().replace(&assertion_of(&unsigned()), ""),
            Cause::NoAssertion,
            NO_CHOICE,
        ),
        (
            "two assertions",
            {
                let one = assertion_of(&unsigned());
                let two = one.replace("\"_assertion\"", "\"_another\"");
                unsigned().replace(&one, &format!("{one}{two}"))
            },
            Cause::SeveralAssertions,
            NO_CHOICE,
        ),
        // Keys.
        ("not signed", unsigned(), Cause::NotSigned, Some(Setting::SignedParts)),
        (
            "an old certificate here",
            template().issue(attacker()).unwrap().xml,
            Cause::OtherCertificate,
            Some(Setting::SigningCertificate),
        ),
        ("SHA-1", weak, Cause::WeakAlgorithm, Some(Setting::SignatureAlgorithm)),
        (
            "reformatted after signing",
            issued().xml.replace(">alice<", "> alice<"),
            Cause::ContentChanged,
            DAMAGED,
        ),
        (
            "inclusive canonicalisation",
            issued().xml.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
            Cause::OtherCanonicalization,
            Some(Setting::Canonicalization),
        ),
        (
            "exclusive canonicalisation with comments",
            issued().xml.replace(EXCLUSIVE, &format!("{EXCLUSIVE}WithComments")),
            Cause::OtherCanonicalization,
            Some(Setting::Canonicalization),
        ),
        (
            "the same ID twice",
            issued().xml.replacen("ID=\"_response\"", "ID=\"_assertion\"", 1),
            Cause::DuplicateIds,
            DAMAGED,
        ),
        // Clocks.
        ("a clock that is ahead", made(10), Cause::ClockAhead, Some(Setting::Clock)),
        ("a clock that is far behind", made(-20), Cause::TooOld, Some(Setting::Clock)),
        ("a clock that is a little behind", made(-7), Cause::Expired, Some(Setting::Lifetime)),
        (
            "no expiry",
            changed(" NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient", " Recipient"),
            Cause::NoExpiry,
            Some(Setting::Lifetime),
        ),
        // The person.
        (
            "begun at the identity provider",
            sign_assertion(&unsigned().replace(&format!(" InResponseTo=\"{REQUEST}\""), "")),
            Cause::Unsolicited,
            Some(Setting::StartUrl),
        ),
        (
            "an answer to another request",
            sign_assertion(&unsigned().replace(REQUEST, "_another")),
            Cause::OtherRequest,
            Some(Setting::StartUrl),
        ),
        ("holder of key", changed("cm:bearer", "cm:holder-of-key"), Cause::NotBearer, NO_CHOICE),
        (
            "the holder's key in the confirmation",
            changed(
                "</saml:SubjectConfirmationData>",
                "<ds:KeyInfo xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"/></saml:SubjectConfirmationData>",
            ),
            Cause::NotBearer,
            NO_CHOICE,
        ),
        (
            "no authentication statement",
            without("AuthnStatement"),
            Cause::NoAuthnStatement,
            Some(Setting::AuthnStatement),
        ),
        (
            "a session that is over",
            changed("SessionNotOnOrAfter=\"2026-11-22T11:", "SessionNotOnOrAfter=\"2026-11-22T08:"),
            Cause::SessionOver,
            Some(Setting::Clock),
        ),
        ("no NameID", subject(""), Cause::NoNameId, Some(Setting::NameId)),
        (
            "an encrypted NameID",
            subject("<saml:EncryptedID></saml:EncryptedID>"),
            Cause::EncryptedNameId,
            Some(Setting::Encryption),
        ),
        (
            "an empty NameID",
            subject("<saml:NameID></saml:NameID>"),
            Cause::EmptyNameId,
            Some(Setting::NameId),
        ),
        (
            "a NameID that is a text",
            changed(">alice<", &format!(">{}<", "a".repeat(513))),
            Cause::UnreadableNameId,
            Some(Setting::NameId),
        ),
        (
            "a transient NameID",
            changed("1.1:nameid-format:unspecified", "2.0:nameid-format:transient"),
            Cause::TransientNameId,
            Some(Setting::NameIdFormat),
        ),
    ];
    for (what, message, wanted, setting) in &all {
        let found = cause(message);
        assert_eq!((found, found.setting()), (*wanted, *setting), "{what}");
    }
}

#[test]
fn sso_17_noise_is_told_from_damage() {
    let utf_16 = encoding::encode(b"\xfe\xff\0<\0a\0/\0>");
    for (what, message, wanted, setting) in [
        ("not base64", "?!".to_owned(), Cause::NotBase64, Some(Setting::AcsUrl)),
        ("too much", "A".repeat(500 * 1024), Cause::TooLarge, Some(Setting::Attributes)),
        ("UTF-16", utf_16, Cause::NotUtf8, DAMAGED),
    ] {
        let found = cause_of(&response::verify(&message, &expected()));
        assert_eq!((found, found.setting()), (wanted, setting), "{what}");
    }
}

#[test]
fn sso_17_what_the_settings_here_lack_is_told_too() {
    let held = |expected: &Expected<'_>, wanted: Cause, setting: Setting| {
        let found = cause_as(&issued().xml, expected);
        assert_eq!((found, found.setting()), (wanted, Some(setting)));
    };
    let none = Expected { certificates: &[], ..expected() };
    held(&none, Cause::NoCertificate, Setting::SigningCertificate);
    let other = [attacker().certificate().clone()];
    let others = Expected { certificates: &other, ..expected() };
    held(&others, Cause::OtherCertificate, Setting::SigningCertificate);
    let on_a_curve = [self_signed(&curve(Nid::X9_62_PRIME256V1))];
    let others = Expected { certificates: &on_a_curve, ..expected() };
    held(&others, Cause::OtherKeyType, Setting::SigningCertificate);
    let contexts = ["urn:mfa".to_owned()];
    let strict = Expected { authn_contexts: &contexts, ..expected() };
    held(&strict, Cause::OtherAuthnContext, Setting::AuthnContext);
    let anew = Expected {
        authenticated_since: Some(now() + SignedDuration::from_mins(5)),
        now: now() + SignedDuration::from_secs(1),
        ..expected()
    };
    held(&anew, Cause::OldAuthentication, Setting::ForceAuthn);
}

#[test]
fn sso_17_encryption_is_diagnosed() {
    let closed = |parcel: &Parcel<'_>, signed| parcel.close(assertion(signed).as_bytes());
    let good = Parcel::new();
    let off = around(&closed(&good, true));
    assert_eq!(cause(&off), Cause::EncryptionOff);
    assert_eq!(Cause::EncryptionOff.setting(), Some(Setting::Encryption));
    let other = Parcel { to: vec![attacker().certificate()], ..good.clone() };
    let weak = Parcel { transport: PKCS1, ..good.clone() };
    let cbc = Parcel { cipher: CBC, ..good.clone() };
    for (parcel, wanted, setting) in [
        (other, Cause::EncryptedForAnother, Setting::Encryption),
        (weak, Cause::EncryptionAlgorithm, Setting::Encryption),
        (cbc, Cause::EncryptionNotSigned, Setting::SignedParts),
    ] {
        let found = cause_of(&judge_encrypted(&around(&closed(&parcel, true))));
        assert_eq!((found, found.setting()), (wanted, Some(setting)));
    }
    let found = cause_of(&judge_encrypted(&around(&good.close(b"<x/>"))));
    assert_eq!((found, found.setting()), (Cause::EncryptionForm, Some(Setting::Encryption)));
}

#[test]
fn an_attribute_names_the_person_where_that_is_set() {
    let by_mail = Expected { identity_attribute: Some("mail"), ..expected() };
    let transient = changed("1.1:nameid-format:unspecified", "2.0:nameid-format:transient");
    let accepted = judge_as(&transient, &by_mail).result.unwrap();
    assert_eq!(
        (accepted.identity.as_str(), accepted.name_id.as_str()),
        ("alice@example.com", "alice")
    );
    let by_name = judge(&issued().xml).result.unwrap();
    assert_eq!(by_name.identity, "alice");
    // Several values name nobody, nor does none, nor does another attribute's.
    for (attribute, wanted) in [
        ("groups", Cause::UnreadableIdentityAttribute),
        ("Mail", Cause::NoIdentityAttribute),
        ("uid", Cause::NoIdentityAttribute),
    ] {
        let expected = Expected { identity_attribute: Some(attribute), ..expected() };
        let outcome = judge_as(&issued().xml, &expected);
        assert_eq!(cause_of(&outcome), wanted, "{attribute}");
        assert_eq!(wanted.setting(), Some(Setting::Attributes));
        assert_eq!(outcome.result.unwrap_err().check, Check::IdentityAttribute);
    }
    // The same attribute twice is two values, wherever they stand.
    let mail = "<saml:Attribute Name=\"mail\"><saml:AttributeValue>x</saml:AttributeValue>\
                </saml:Attribute>";
    let message = unsigned();
    let end = "</saml:AttributeStatement>";
    assert!(message.contains(end));
    for more in [format!("{mail}{end}"), format!("{end}<saml:AttributeStatement>{mail}{end}")] {
        let twice = sign_assertion(&message.replacen(end, &more, 1));
        assert_eq!(cause_as(&twice, &by_mail), Cause::UnreadableIdentityAttribute);
    }
    let blank = changed(">alice@example.com<", "> \t <");
    assert_eq!(cause_as(&blank, &by_mail), Cause::UnreadableIdentityAttribute);
}

#[test]
fn products_are_told_by_their_entity_ids() {
    for (entity_id, product) in [
        ("https://sts.windows.net/2f1c/", Some(Product::Entra)),
        ("http://www.okta.com/exk1", Some(Product::Okta)),
        ("http://adfs.example.com/adfs/services/trust", Some(Product::AdFs)),
        ("https://sso.example.com/realms/staff", Some(Product::Keycloak)),
        ("https://accounts.google.com/o/saml2?idpid=C01", Some(Product::Google)),
        ("https://idp.example.com/metadata", None),
    ] {
        assert_eq!(Product::of_entity_id(entity_id), product, "{entity_id}");
    }
}

/// What is only told once the assertion holds: by the directory, the ledger and the browser.
#[test]
fn sso_17_what_is_found_after_the_assertion_names_its_field_too() {
    for (cause, setting) in [
        (Cause::UnknownUser, Some(Setting::NameId)),
        (Cause::OtherRelayState, Some(Setting::RelayState)),
        (Cause::UserDisabled, ELSEWHERE),
        (Cause::OtherBrowser, ELSEWHERE),
        (Cause::Replayed, DAMAGED),
        (Cause::Disagreement, DAMAGED),
    ] {
        assert_eq!(cause.setting(), setting, "{}", cause.name());
    }
}
