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
    let all: Vec<(&str, String, Cause)> = vec![
        // What is not a response.
        ("an error page instead of a response", "<html><body/></html>".into(), Cause::NotAResponse),
        (
            "a logout request at the wrong address",
            "<samlp:LogoutRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"/>".into(),
            Cause::NotAResponse,
        ),
        (
            "SAML 1.1",
            "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:1.0:protocol\"/>".into(),
            Cause::OlderSaml,
        ),
        ("SAML 2.0 that says 1.1", changed("Version=\"2.0\"", "Version=\"1.1\""), Cause::OlderSaml),
        ("cut short", issued().xml[..900].to_owned(), Cause::NotXml),
        ("a document type", format!("<!DOCTYPE x>{}", issued().xml), Cause::ForbiddenXml),
        (
            "a comment",
            issued().xml.replace("</saml:NameID>", "<!-- --></saml:NameID>"),
            Cause::ForbiddenXml,
        ),
        (
            "an extension",
            unsigned().replacen(
                "<samlp:Status>",
                "<samlp:Extensions></samlp:Extensions><samlp:Status>",
                1,
            ),
            Cause::UnknownParts,
        ),
        // Who speaks to whom.
        (
            "another ACS URL everywhere",
            sign_assertion(&unsigned().replace(&acs, "\"https://old/\"")),
            Cause::OtherDestination,
        ),
        (
            "another ACS URL in the recipient only",
            changed(&format!("Recipient={acs}"), "Recipient=\"https://old/\""),
            Cause::OtherRecipient,
        ),
        (
            "a signed response without destination",
            signed_response(|it| it.replacen(&format!(" Destination={acs}"), "", 1)),
            Cause::NoDestination,
        ),
        (
            "another tenant",
            sign_assertion(&unsigned().replace(IDP, "https://idp.example.com/two")),
            Cause::OtherIssuer,
        ),
        (
            "another entity id of ours",
            changed(&format!("<saml:Audience>{SP}"), "<saml:Audience>https://sp.example.com"),
            Cause::OtherAudience,
        ),
        ("no audience", without("AudienceRestriction"), Cause::NoAudience),
        ("no conditions", without("Conditions"), Cause::NoConditions),
        // What the identity provider says of itself.
        ("our request is refused", status("Requester", ""), Cause::RequestRefused),
        ("it failed", status("Responder", ""), Cause::IdentityProviderFailed),
        ("a wrong password", status("Responder", "AuthnFailed"), Cause::AuthenticationFailed),
        ("not assigned", status("Responder", "RequestDenied"), Cause::PersonRefused),
        (
            "no such way to authenticate",
            status("Requester", "NoAuthnContext"),
            Cause::AuthnContextNotOffered,
        ),
        (
            "no such format",
            status("Requester", "InvalidNameIDPolicy"),
            Cause::NameIdFormatNotOffered,
        ),
        (
            "success without an assertion",
            unsigned().replace(&assertion_of(&unsigned()), ""),
            Cause::NoAssertion,
        ),
        (
            "two assertions",
            {
                let one = assertion_of(&unsigned());
                let two = one.replace("\"_assertion\"", "\"_another\"");
                unsigned().replace(&one, &format!("{one}{two}"))
            },
            Cause::SeveralAssertions,
        ),
        // Keys.
        ("not signed", unsigned(), Cause::NotSigned),
        (
            "an old certificate here",
            template().issue(attacker()).unwrap().xml,
            Cause::OtherCertificate,
        ),
        ("SHA-1", weak, Cause::WeakAlgorithm),
        (
            "reformatted after signing",
            issued().xml.replace(">alice<", "> alice<"),
            Cause::ContentChanged,
        ),
        (
            "the same ID twice",
            issued().xml.replacen("ID=\"_response\"", "ID=\"_assertion\"", 1),
            Cause::DuplicateIds,
        ),
        // Clocks.
        ("a clock that is ahead", made(10), Cause::ClockAhead),
        ("a clock that is far behind", made(-20), Cause::TooOld),
        ("a clock that is a little behind", made(-7), Cause::Expired),
        (
            "no expiry",
            changed(" NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient", " Recipient"),
            Cause::NoExpiry,
        ),
        // The person.
        (
            "begun at the identity provider",
            sign_assertion(&unsigned().replace(&format!(" InResponseTo=\"{REQUEST}\""), "")),
            Cause::Unsolicited,
        ),
        (
            "an answer to another request",
            sign_assertion(&unsigned().replace(REQUEST, "_another")),
            Cause::OtherRequest,
        ),
        ("holder of key", changed("cm:bearer", "cm:holder-of-key"), Cause::NotBearer),
        ("no authentication statement", without("AuthnStatement"), Cause::NoAuthnStatement),
        (
            "a session that is over",
            changed("SessionNotOnOrAfter=\"2026-11-22T11:", "SessionNotOnOrAfter=\"2026-11-22T08:"),
            Cause::SessionOver,
        ),
        ("no NameID", subject(""), Cause::NoNameId),
        (
            "an encrypted NameID",
            subject("<saml:EncryptedID></saml:EncryptedID>"),
            Cause::EncryptedNameId,
        ),
        ("an empty NameID", subject("<saml:NameID></saml:NameID>"), Cause::EmptyNameId),
        (
            "a transient NameID",
            changed("1.1:nameid-format:unspecified", "2.0:nameid-format:transient"),
            Cause::TransientNameId,
        ),
    ];
    for (what, message, wanted) in &all {
        assert_eq!(cause(message), *wanted, "{what}");
    }
}

#[test]
fn sso_17_noise_is_told_from_damage() {
    for (what, message, wanted) in [
        ("not base64", "?!".to_owned(), Cause::NotBase64),
        ("too much", "A".repeat(500 * 1024), Cause::TooLarge),
        ("UTF-16", encoding::encode(b"\xfe\xff\0<\0a\0/\0>"), Cause::NotUtf8),
    ] {
        assert_eq!(cause_of(&response::verify(&message, &expected())), wanted, "{what}");
    }
}

#[test]
fn sso_17_what_the_settings_here_lack_is_told_too() {
    let none = Expected { certificates: &[], ..expected() };
    assert_eq!(cause_as(&issued().xml, &none), Cause::NoCertificate);
    let other = [attacker().certificate().clone()];
    let others = Expected { certificates: &other, ..expected() };
    assert_eq!(cause_as(&issued().xml, &others), Cause::OtherCertificate);
    let on_a_curve = [self_signed(&curve(Nid::X9_62_PRIME256V1))];
    let others = Expected { certificates: &on_a_curve, ..expected() };
    assert_eq!(cause_as(&issued().xml, &others), Cause::OtherKeyType);
    let contexts = ["urn:mfa".to_owned()];
    let strict = Expected { authn_contexts: &contexts, ..expected() };
    assert_eq!(cause_as(&issued().xml, &strict), Cause::OtherAuthnContext);
    let anew = Expected {
        authenticated_since: Some(now() + SignedDuration::from_mins(5)),
        now: now() + SignedDuration::from_secs(1),
        ..expected()
    };
    assert_eq!(cause_as(&issued().xml, &anew), Cause::OldAuthentication);
}

#[test]
fn sso_17_encryption_is_diagnosed() {
    let closed = |parcel: &Parcel<'_>, signed| parcel.close(assertion(signed).as_bytes());
    let good = Parcel::new();
    let off = around(&closed(&good, true));
    assert_eq!(cause(&off), Cause::EncryptionOff);
    let other = Parcel { to: vec![attacker().certificate()], ..good.clone() };
    let weak = Parcel { transport: PKCS1, ..good.clone() };
    let cbc = Parcel { cipher: CBC, ..good.clone() };
    for (parcel, wanted) in [
        (other, Cause::EncryptedForAnother),
        (weak, Cause::EncryptionAlgorithm),
        (cbc, Cause::EncryptionNotSigned),
    ] {
        let outcome = judge_encrypted(&around(&closed(&parcel, true)));
        assert_eq!(cause_of(&outcome), wanted);
    }
    let outcome = judge_encrypted(&around(&good.close(b"<x/>")));
    assert_eq!(cause_of(&outcome), Cause::EncryptionForm);
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
    for product in Product::ALL {
        assert!(Setting::AcsUrl.place(product).contains("URL") || product == Product::AdFs);
    }
}
