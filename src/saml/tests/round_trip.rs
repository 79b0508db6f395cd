//! What we sign, we accept, and so does an implementation by other people.

use super::house::*;
use super::requests::request;
use crate::saml::response::Received;
use crate::saml::trace::{Check, Verdict};
use crate::saml::xml::{self, Profile};
use crate::saml::{c14n, role, sp_metadata};

#[test]
fn our_response_is_accepted_with_everything_in_it() {
    let outcome = judge(&issued().xml);
    let verified = outcome.result.unwrap();
    assert_eq!(verified.name_id, "alice");
    assert_eq!(verified.assertion_id, "_assertion");
    assert_eq!(verified.in_response_to.as_deref(), Some(REQUEST));
    assert_eq!(verified.session_index.as_deref(), Some("_session"));
    assert_eq!(verified.session_not_on_or_after, "2026-11-22T11:00:00Z".parse().ok());
    assert_eq!(verified.not_on_or_after, "2026-11-22T10:05:00Z".parse().unwrap());
    assert_eq!(verified.remember_until, "2026-11-22T10:12:00Z".parse().unwrap());
    let groups: Vec<_> = verified.values("groups").collect();
    assert_eq!(groups, ["a&b", "<c>", "d\"e'f\r\n\tg"]);
    assert_eq!(verified.certificate_fingerprint, key().certificate().facts().fingerprint);
    let last = outcome.trace.entries().last().unwrap();
    assert_eq!((last.check, last.verdict), (Check::SecondOpinion, Verdict::Passed));
    let checks: Vec<Check> = outcome.trace.entries().iter().map(|entry| entry.check).collect();
    let mut once = checks.clone();
    once.dedup();
    assert_eq!(checks, once);
    assert_eq!(checks.len(), 29);
}

#[test]
fn one_signature_is_enough_wherever_it_stands() {
    assert_eq!(judge(&sign_assertion(&unsigned())).result.unwrap().name_id, "alice");
    assert_eq!(judge(&sign_response(&unsigned())).result.unwrap().name_id, "alice");
}

#[test]
fn names_with_markup_characters_reach_both_implementations_alike() {
    for name in ["a&b", "<alice>", "alice@example.com", "\u{674e}\u{96f7}", "o'brien \"x\""] {
        let issued = {
            let mut it = template();
            it.name_id = name;
            it
        }
        .issue(key())
        .unwrap();
        assert_eq!(judge(&issued.xml).result.unwrap().name_id, name);
    }
}

#[test]
fn what_we_write_is_canonical_as_written() {
    let certificates = certificates();
    let sp = sp_metadata::ServiceProvider {
        entity_id: SP,
        acs_url: ACS,
        slo_url: "https://sp.example.com/saml/slo/z-1",
        certificates,
        encryption: certificates,
        signs_requests: true,
    };
    let idp = sp_metadata::IdentityProvider { entity_id: IDP, sso_url: IDP, certificates };
    let request = request().xml(None).unwrap();
    for written in [issued().xml, sp.metadata().unwrap(), idp.metadata().unwrap(), request] {
        let document = xml::parse(written.as_bytes(), Profile::Message).unwrap();
        let canonical = c14n::exclusive(document.root(), &[], None);
        assert_eq!(String::from_utf8(canonical).unwrap(), written);
        assert_eq!(String::from_utf8(c14n::whole(&document)).unwrap(), written);
    }
}

#[test]
fn a_response_without_request_leaves_the_attribute_out() {
    let mut unsolicited = template();
    unsolicited.in_response_to = None;
    let xml = unsolicited.issue(key()).unwrap().xml;
    assert!(!xml.contains("InResponseTo"));
    let mut wanted = expected();
    wanted.request_id = None;
    assert_eq!(refused_as(&xml, &wanted), Check::InResponseTo);
    wanted.allow_unsolicited = true;
    assert_eq!(judge_as(&xml, &wanted).result.unwrap().in_response_to, None);
    // Allowing it does not excuse an answer to a request that is no longer known.
    assert_eq!(refused_as(&issued().xml, &wanted), Check::InResponseTo);
}

#[test]
fn control_characters_are_not_written() {
    let mut bad = template();
    bad.name_id = "a\u{0}b";
    assert!(bad.issue(key()).is_err());
}

#[test]
fn the_request_can_be_looked_up_before_judging() {
    let received = Received::parse(&issued().base64());
    assert_eq!(received.in_response_to_unverified(), Some(REQUEST));
    assert_eq!(received.issuer_unverified(), Some(IDP));
    assert!(Received::parse("!!").in_response_to_unverified().is_none());
}

#[test]
fn role_values_are_read_as_they_are_written() {
    let claim = role::RoleClaim {
        uin: 100_000_000_123,
        roles: vec!["TencentCloudSSO-Admin".into()],
        provider: "TencentReservedSSO-z-1".into(),
    };
    let text = "qcs::cam::uin/100000000123:roleName/TencentCloudSSO-Admin,\
                qcs::cam::uin/100000000123:saml-provider/TencentReservedSSO-z-1";
    assert_eq!(claim.to_string(), text);
    assert_eq!(text.parse(), Ok(claim));
    let two =
        "qcs::cam::uin/1:roleName/a;qcs::cam::uin/1:roleName/b,c,qcs::cam::uin/1:saml-provider/p";
    let two: role::RoleClaim = two.parse().unwrap();
    assert_eq!(two.roles, ["a", "b,c"]);
    for (bad, error) in [
        ("", role::RoleError::Malformed),
        ("qcs::cam::uin/1:roleName/a", role::RoleError::Malformed),
        ("qcs::cam::uin/1:roleName/,qcs::cam::uin/1:saml-provider/p", role::RoleError::Malformed),
        ("qcs::cam::uin/+1:roleName/a,qcs::cam::uin/1:saml-provider/p", role::RoleError::Malformed),
        (
            "qcs::cam::uin/1:roleName/a/b,qcs::cam::uin/1:saml-provider/p",
            role::RoleError::Malformed,
        ),
        ("qcs::cam::uin/1:saml-provider/p,qcs::cam::uin/1:roleName/a", role::RoleError::Malformed),
        (
            "qcs::cam::uin/2:roleName/a,qcs::cam::uin/1:saml-provider/p",
            role::RoleError::DifferentAccounts,
        ),
    ] {
        assert_eq!(bad.parse::<role::RoleClaim>(), Err(error), "{bad}");
    }
}

#[test]
fn session_names_fit_and_never_collide() {
    assert_eq!(role::session_name("alice@example.com"), "alice@example.com");
    let longest = "a".repeat(32);
    assert_eq!(role::session_name(&longest), longest);
    let names =
        ["a", "", "a b", "a-b", "a/b", "\u{674e}", "\u{96f7}", &"a".repeat(33), &"a".repeat(34)];
    let mapped: std::collections::HashSet<_> =
        names.iter().map(|it| role::session_name(it)).collect();
    assert_eq!(mapped.len(), names.len());
    for name in mapped {
        assert!((2..=32).contains(&name.len()), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b)));
    }
}
