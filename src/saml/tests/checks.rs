//! Every rule broken once, on both sides of its boundary where it has one.

use jiff::SignedDuration;

use super::house::*;
use crate::saml::response::{MAXIMUM_SKEW, verify};
use crate::saml::trace::Check;

#[test]
fn each_rule_refuses_under_its_own_name() {
    let cases: &[(&str, &str, Check)] = &[
        (" Destination=\"https://sp.", " Destination=\"https://other.", Check::Destination),
        (
            "Destination=\"https://sp.example.com/saml/acs/z-1\"",
            "Destination=\"https://sp.example.com/saml/acs/z-1/\"",
            Check::Destination,
        ),
        ("status:Success", "status:Requester", Check::Status),
        ("Version=\"2.0\"", "Version=\"1.1\"", Check::Version),
        ("saml:AudienceRestriction>", "saml:OneTimeUse>", Check::Conditions),
        ("<saml:Audience>https://sp", "<saml:Audience>https://other", Check::Audience),
        ("cm:bearer", "cm:holder-of-key", Check::SubjectConfirmation),
        ("Recipient=\"https://sp", "Recipient=\"https://other", Check::Recipient),
        (
            "InResponseTo=\"_request1\" NotOnOrAfter",
            "InResponseTo=\"_request2\" NotOnOrAfter",
            Check::InResponseTo,
        ),
        ("InResponseTo=\"_request1\" NotOnOrAfter", "NotOnOrAfter", Check::InResponseTo),
        (
            "InResponseTo=\"_request1\" IssueInstant",
            "InResponseTo=\"_request2\" IssueInstant",
            Check::InResponseTo,
        ),
        ("1.1:nameid-format:unspecified", "2.0:nameid-format:transient", Check::NameIdFormat),
        (">alice<", ">al\u{7f}ice<", Check::NameId),
        (">alice<", "> \t <", Check::NameId),
        (">alice<", ">al\nice<", Check::NameId),
    ];
    for (from, to, check) in cases {
        assert_eq!(refused_by(&changed(from, to)), *check, "{from} -> {to}");
    }
}

#[test]
fn both_issuers_must_be_the_configured_one() {
    let message = unsigned();
    let response = message.replacen(IDP, "https://evil.example.com", 1);
    assert_eq!(refused_by(&sign_assertion(&response)), Check::ResponseIssuer);
    let at = message.rfind(IDP).unwrap();
    let mut assertion = message.clone();
    assertion.replace_range(at..at + IDP.len(), "https://evil.example.com");
    assert_eq!(refused_by(&sign_assertion(&assertion)), Check::AssertionIssuer);
}

#[test]
fn a_signed_response_names_destination_and_issuer() {
    let message = unsigned();
    let without = message.replacen(&format!(" Destination=\"{ACS}\""), "", 1);
    assert!(judge(&sign_assertion(&without)).result.is_ok());
    assert_eq!(refused_by(&sign_response(&without)), Check::Destination);
}

#[test]
fn missing_parts_are_refused() {
    let message = unsigned();
    let cut = |from: &str, to: &str| {
        let (start, end) = (message.find(from).unwrap(), message.find(to).unwrap() + to.len());
        sign_assertion(&format!("{}{}", &message[..start], &message[end..]))
    };
    assert_eq!(refused_by(&cut("<saml:Conditions", "</saml:Conditions>")), Check::Conditions);
    assert_eq!(
        refused_by(&cut("<saml:AuthnStatement", "</saml:AuthnStatement>")),
        Check::AuthnStatement
    );
    assert_eq!(
        refused_by(&cut("<saml:AudienceRestriction", "</saml:AudienceRestriction>")),
        Check::Audience
    );
    assert_eq!(
        refused_by(&cut("<saml:SubjectConfirmation ", "</saml:SubjectConfirmation>")),
        Check::SubjectConfirmation
    );
    assert_eq!(refused_by(&cut("<saml:Subject>", "</saml:Subject>")), Check::Structure);
    assert_eq!(refused_by(&cut("<samlp:Status>", "</samlp:Status>")), Check::Structure);
    assert_eq!(
        refused_by(&changed("NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient", "Recipient")),
        Check::ConfirmationExpiry
    );
    assert_eq!(
        refused_by(&changed(
            "NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient",
            "NotBefore=\"2026-11-22T09:00:00Z\" NotOnOrAfter=\"2026-11-22T10:05:00Z\" Recipient"
        )),
        Check::SubjectConfirmation
    );
}

#[test]
fn every_audience_restriction_must_match() {
    let ours = format!(
        "<saml:AudienceRestriction><saml:Audience>{SP}</saml:Audience></saml:AudienceRestriction>"
    );
    let other = ours.replace(SP, "https://other.example.com");
    assert_eq!(refused_by(&changed(&ours, &format!("{ours}{other}"))), Check::Audience);
    assert!(judge(&changed(&ours, &format!("{ours}{ours}"))).result.is_ok());
    let either =
        ours.replace("<saml:Audience>", "<saml:Audience>urn:x:y</saml:Audience><saml:Audience>");
    assert!(judge(&changed(&ours, &either)).result.is_ok());
}

#[test]
fn conditions_we_know_are_accepted_and_others_refused() {
    let end = "</saml:AudienceRestriction>";
    let with = |more: &str| changed(end, &format!("{end}{more}"));
    assert!(judge(&with("<saml:OneTimeUse></saml:OneTimeUse>")).result.is_ok());
    assert!(
        judge(&with("<saml:ProxyRestriction Count=\"0\"></saml:ProxyRestriction>")).result.is_ok()
    );
    let twice = "<saml:OneTimeUse></saml:OneTimeUse><saml:OneTimeUse></saml:OneTimeUse>";
    assert_eq!(refused_by(&with(twice)), Check::Conditions);
    assert_eq!(refused_by(&with("<saml:Condition></saml:Condition>")), Check::Conditions);
}

/// Judges the plain message at a time, in seconds from when it was made.
fn at(seconds: i64, skew: i64) -> Option<Check> {
    let mut wanted = expected();
    wanted.now = now() + SignedDuration::from_secs(seconds);
    wanted.skew = SignedDuration::from_secs(skew);
    wanted.second_opinion = false;
    judge_as(&issued().xml, &wanted).result.err().map(|refusal| refusal.check)
}

#[test]
fn time_limits_hold_to_the_second() {
    // Made at 0: valid from -60 to 300.
    assert_eq!(at(359, 60), None);
    assert_eq!(at(360, 60), Some(Check::ConfirmationExpiry));
    assert_eq!(at(299, 0), None);
    assert_eq!(at(300, 0), Some(Check::ConfirmationExpiry));
    assert_eq!(at(-60, 60), None);
    assert_eq!(at(-61, 60), Some(Check::IssueInstant));
    assert_eq!(at(0, 0), None);
    assert_eq!(at(-1, 0), Some(Check::IssueInstant));
    // More skew than the most there is counts as the most there is.
    let most = MAXIMUM_SKEW.as_secs();
    assert_eq!(at(299 + most, 9999), None);
    assert_eq!(at(300 + most, 9999), Some(Check::ConfirmationExpiry));
    assert_eq!(at(300, -9999), Some(Check::ConfirmationExpiry));
}

#[test]
fn each_time_limit_has_its_own_check() {
    let conditions = "NotBefore=\"2026-11-22T09:59:00Z\" NotOnOrAfter=\"2026-11-22T10:05:00Z\"";
    let window = |from: &str, to: &str| {
        let to = format!("NotBefore=\"2026-11-22T{from}Z\" NotOnOrAfter=\"2026-11-22T{to}Z\"");
        judge(&changed(conditions, &to)).result.err().map(|refusal| refusal.check)
    };
    assert_eq!(window("10:01:00", "10:05:00"), None);
    assert_eq!(window("10:01:01", "10:05:00"), Some(Check::NotBefore));
    assert_eq!(window("09:00:00", "09:59:01"), None);
    assert_eq!(window("09:00:00", "09:59:00"), Some(Check::NotOnOrAfter));
    let session = "SessionNotOnOrAfter=\"2026-11-22T11:00:00Z\"";
    let passed = changed(session, "SessionNotOnOrAfter=\"2026-11-22T09:59:00Z\"");
    assert_eq!(refused_by(&passed), Check::SessionNotOnOrAfter);
    let live = changed(session, "SessionNotOnOrAfter=\"2026-11-22T09:59:01Z\"");
    assert!(judge(&live).result.is_ok());
    let future = changed("AuthnInstant=\"2026-11-22T10:00", "AuthnInstant=\"2026-11-22T10:02");
    assert_eq!(refused_by(&future), Check::AuthnStatement);
    let old = changed("IssueInstant=\"2026-11-22T10:00:00Z", "IssueInstant=\"2026-11-22T09:48:59Z");
    assert_eq!(refused_by(&old), Check::IssueInstant);
    let young =
        changed("IssueInstant=\"2026-11-22T10:00:00Z", "IssueInstant=\"2026-11-22T09:49:00.000Z");
    assert!(judge(&young).result.is_ok());
}

#[test]
fn instants_are_utc_and_complete() {
    for bad in [
        "2026-11-22T10:00:00",
        "2026-11-22T10:00:00+00:00",
        "2026-11-22",
        "now",
        "2026-02-30T10:00:00Z",
    ] {
        let xml = changed("IssueInstant=\"2026-11-22T10:00:00Z", &format!("IssueInstant=\"{bad}"));
        assert_eq!(refused_by(&xml), Check::Structure, "{bad}");
    }
}

#[test]
fn name_ids_are_bounded_and_trimmed_of_xml_space_only() {
    let named = |name: &str| judge(&changed(">alice<", &format!(">{name}<"))).result;
    assert_eq!(named(&"x".repeat(512)).unwrap().name_id.len(), 512);
    assert_eq!(named(&"x".repeat(513)).unwrap_err().check, Check::NameId);
    assert_eq!(named("\n  alice\n").unwrap().name_id, "alice");
    assert_eq!(named("\u{a0}alice\u{3000}").unwrap().name_id, "\u{a0}alice\u{3000}");
}

#[test]
fn exactly_one_assertion() {
    let message = sign_assertion(&unsigned());
    let assertion = assertion_of(&message);
    let second = assertion.replace("_assertion", "_assertion2");
    let two = message.replace(&assertion, &format!("{assertion}{second}"));
    assert_eq!(refused_by(&two), Check::AssertionCount);
    assert_eq!(refused_by(&message.replace(&assertion, "")), Check::AssertionCount);
    let hidden = "<saml:EncryptedAssertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>";
    // Ours to count, and not to open: there is no key.
    assert_eq!(refused_by(&message.replace(&assertion, hidden)), Check::Decryption);
    let both = message.replace(&assertion, &format!("{assertion}{hidden}"));
    assert_eq!(refused_by(&both), Check::AssertionCount);
}

#[test]
fn a_failure_is_explained_by_the_identity_providers_own_words() {
    let message = unsigned();
    let assertion = assertion_of(&message);
    let denied = message.replace(&assertion, "").replace(
        "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"></samlp:StatusCode>",
        "<samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:Responder\"><samlp:StatusCode \
         Value=\"urn:oasis:names:tc:SAML:2.0:status:RequestDenied\"/></samlp:StatusCode>\
         <samlp:StatusMessage>not assigned</samlp:StatusMessage>",
    );
    let refusal = judge(&denied).result.unwrap_err();
    assert_eq!(refusal.check, Check::Status);
    assert!(refusal.received.contains("RequestDenied: not assigned"));
}

#[test]
fn unknown_structure_is_refused() {
    let inside = |marker: &str, more: &str| changed(marker, &format!("{more}{marker}"));
    let cases = [
        inside("<samlp:Status>", "<samlp:Extensions></samlp:Extensions>"),
        inside("<saml:Conditions ", "<saml:Advice></saml:Advice>"),
        inside("<saml:AuthnStatement ", "<saml:Advice></saml:Advice>"),
        changed("<saml:Conditions ", "text<saml:Conditions "),
        changed("<saml:Subject>", "<saml:Subject xmlns:x=\"urn:x\" x:y=\"z\">"),
        changed("<saml:Subject>", "<saml:Subject Surprise=\"z\">"),
        changed(">alice<", ">alice<saml:X></saml:X><"),
        changed("saml:AttributeStatement>", "saml:AuthzDecisionStatement>"),
    ];
    for case in cases {
        assert_eq!(refused_by(&case), Check::Structure);
    }
}

#[test]
fn what_real_identity_providers_add_is_accepted() {
    let xs = "<saml:AttributeValue xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" \
              xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"xs:string\">alice@";
    // The type is spelled in a prefix that exclusive canonicalisation does not see.
    let canonical = xs.replace(" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\"", "");
    let unseen = changed("<saml:AttributeValue>alice@", &canonical).replace(&canonical, xs);
    assert!(judge(&unseen).result.is_ok());
    let foreign = changed(
        "<saml:Attribute Name=\"mail\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">",
        "<saml:Attribute xmlns:o=\"urn:o\" Name=\"mail\" NameFormat=\"n\" o:Source=\"x\">",
    );
    assert!(judge(&foreign).result.is_ok());
}

#[test]
fn rich_statements_are_read_and_the_second_opinion_follows() {
    let name = "<saml:AttributeValue><saml:NameID Format=\"urn:f\" NameQualifier=\"q\">pseudonym\
                </saml:NameID></saml:AttributeValue>";
    let targeted = changed("<saml:AttributeValue>alice@example.com</saml:AttributeValue>", name);
    let verified = judge(&targeted).result.unwrap();
    assert_eq!(verified.values("mail").collect::<Vec<_>>(), ["pseudonym"]);
    let rich = [
        changed(
            "<saml:AuthnContext><saml:AuthnContextClassRef>",
            "<saml:SubjectLocality Address=\"192.0.2.1\"></saml:SubjectLocality>\
             <saml:AuthnContext><saml:AuthnContextClassRef>",
        ),
        changed(
            "</saml:AuthnContextClassRef>",
            "</saml:AuthnContextClassRef><saml:AuthnContextDeclRef>urn:d</saml:AuthnContextDeclRef>\
             <saml:AuthenticatingAuthority>urn:a</saml:AuthenticatingAuthority>",
        ),
        changed(
            "<saml:SubjectConfirmationData ",
            "<saml:SubjectConfirmationData Address=\"192.0.2.1\" ",
        ),
        changed("<saml:AttributeValue>alice@example.com</saml:AttributeValue>", ""),
        changed("<saml:AttributeValue>alice@example.com<", "<saml:AttributeValue><"),
        changed(
            "<saml:Issuer>",
            "<saml:Issuer Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:entity\">",
        ),
    ];
    for (index, xml) in rich.iter().enumerate() {
        let outcome = judge(xml);
        assert!(outcome.result.is_ok(), "{index}: {:?}", outcome.result);
    }
    let statement = assertion_of(&unsigned());
    let start = statement.find("<saml:AuthnStatement").unwrap();
    let end = statement.find("</saml:AuthnStatement>").unwrap() + "</saml:AuthnStatement>".len();
    let first = &statement[start..end];
    let second = first.replace("T11:00:00Z", "T10:30:00Z");
    let two = judge(&changed(first, &format!("{first}{second}"))).result.unwrap();
    assert_eq!(two.session_not_on_or_after, "2026-11-22T10:30:00Z".parse().ok());
}

#[test]
fn base64_may_be_wrapped_and_nothing_else() {
    let base64 = issued().base64();
    let mut wrapped = String::new();
    for (index, character) in base64.char_indices() {
        if index % 76 == 0 {
            wrapped.push_str("\r\n");
        }
        wrapped.push(character);
    }
    assert!(verify(&wrapped, &expected()).result.is_ok());
    let broken = [
        base64.trim_end_matches('=').to_owned() + "=====",
        format!("{base64}\u{0}"),
        String::from("a-_b"),
    ];
    for bad in broken {
        assert_eq!(verify(&bad, &expected()).result.unwrap_err().check, Check::Encoding);
    }
    let long = "A".repeat(500 * 1024);
    assert_eq!(verify(&long, &expected()).result.unwrap_err().check, Check::Encoding);
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    let mut wanted = expected();
    wanted.sp_entity_id = "https://other.example.com";
    wanted.now = now() + SignedDuration::from_hours(1);
    let outcome = judge_as(&issued().xml, &wanted);
    let failed: Vec<Check> = outcome
        .trace
        .entries()
        .iter()
        .filter(|entry| entry.verdict == crate::saml::trace::Verdict::Failed)
        .map(|entry| entry.check)
        .collect();
    assert!(failed.contains(&Check::Audience) && failed.contains(&Check::NotOnOrAfter));
    assert!(!outcome.trace.entries().iter().any(|entry| entry.check == Check::SecondOpinion));
    assert!(outcome.result.is_err());
}
