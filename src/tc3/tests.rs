use proptest::prelude::*;
use serde_json::json;

use super::{
    Authorization, CommonCode, Error, Parts, Signed,
    envelope::{self, Reply},
    query, sign,
    signature::{canonical_request, string_to_sign},
};

const ID: &str = "AKIDexampleexampleexampleexample0001";
const KEY: &str = "SecretKeyExampleExampleExample01";
const USER: &str =
    r#"{"ZoneId": "z-vft38p2hq8tq", "UserName": "\u5f20\u4e09+a@b", "UserStatus": "Enabled"}"#;

fn post<'a>(headers: &'a [(&'a str, &'a [u8])], body: &'a str) -> Parts<'a> {
    Parts { method: "POST", query: "", headers, body: body.as_bytes() }
}

fn json_to(host: &'static str) -> [(&'static str, &'static [u8]); 2] {
    [("Content-Type", b"application/json"), ("Host", host.as_bytes())]
}

fn header(signature: &str) -> Signed {
    match Authorization::parse(&format!(
        "TC3-HMAC-SHA256 Credential={ID}/2026-11-22/organization/tc3_request, \
         SignedHeaders=content-type;host, Signature={signature}"
    )) {
        Ok(Authorization::Signed(signed)) => signed,
        other => panic!("{other:?}"),
    }
}

#[test]
fn requests_captured_from_real_clients_verify() {
    // Python SDK twice, tccli with its URL in Host, the Go SDK through a proxy.
    for (host, timestamp, body, signature) in [
        (
            "127.0.0.1:18080",
            1_795_329_787,
            "{}",
            "cf98e47ff19200c0ae4b8525f45610efa84ddc1b0746fcf4adda24a51ac20ff5",
        ),
        (
            "127.0.0.1:18080",
            1_795_329_787,
            USER,
            "48e2d7775a95e206a58d185597678615989385f7e8619580a6456c505d6b4d4e",
        ),
        (
            "http://127.0.0.1:18082",
            1_795_329_872,
            "{}",
            "4f4b4743ffb28563841ef2e4558dc806cb76b08bcc8339c646391ac1312e4113",
        ),
        (
            "organization.tencentcloudapi.com",
            1_795_330_200,
            r#"{"ZoneId":"z-vft38p2hq8tq"}"#,
            "33e89c5ea42f68d6d4aa05cb23bb9e0fa166bab42e3ac3ad89c81af935d105e2",
        ),
    ] {
        let headers = json_to(host);
        let parts = post(&headers, body);
        let signed = header(signature);
        assert_eq!(signed.check_time(timestamp, timestamp + 300), Ok(()));
        assert_eq!(signed.verify(&parts, timestamp, KEY), Ok(()), "{host} {body}");
        let made = sign(ID, KEY, "organization", timestamp, &parts).unwrap();
        assert!(made.ends_with(signature), "{made}");
        assert_eq!(Authorization::parse(&made), Ok(Authorization::Signed(signed)));
    }
}

#[test]
fn the_intermediate_texts_are_the_documented_ones() {
    let headers = json_to("127.0.0.1:18080");
    let signed = ["content-type".to_owned(), "host".to_owned()];
    let canonical = canonical_request(&post(&headers, "{}"), &signed, str::to_owned).unwrap();
    assert_eq!(
        canonical,
        "POST\n/\n\ncontent-type:application/json\nhost:127.0.0.1:18080\n\ncontent-type;host\n\
         44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    assert_eq!(
        string_to_sign("organization", "2026-11-22", 1_795_329_787, &canonical),
        "TC3-HMAC-SHA256\n1795329787\n2026-11-22/organization/tc3_request\n\
         562ec09cee291326af7bca7569556f29d5f86c40ca1f43392c5a5c95f55a52c1"
    );
    assert_eq!(USER.len(), 85);
}

#[test]
fn every_changed_part_breaks_the_signature() {
    let headers = json_to("127.0.0.1:18080");
    let timestamp = 1_795_329_787;
    let good = header("cf98e47ff19200c0ae4b8525f45610efa84ddc1b0746fcf4adda24a51ac20ff5");
    let fails = |parts: &Parts<'_>, timestamp, key| {
        assert_eq!(good.verify(parts, timestamp, key), Err(Error::Mismatch));
    };
    fails(&post(&headers, "{} "), timestamp, KEY);
    fails(&post(&headers, "{}"), timestamp + 1, KEY);
    fails(&post(&headers, "{}"), timestamp, "another key");
    fails(&post(&json_to("127.0.0.1:18081"), "{}"), timestamp, KEY);
    fails(&Parts { method: "GET", ..post(&headers, "{}") }, timestamp, KEY);
    fails(&Parts { query: "a=b", ..post(&headers, "{}") }, timestamp, KEY);
    let other_service = Signed { service: "cam".to_owned(), ..good.clone() };
    assert_eq!(other_service.verify(&post(&headers, "{}"), timestamp, KEY), Err(Error::Mismatch));
    let without_host = post(&headers[..1], "{}");
    assert_eq!(good.verify(&without_host, timestamp, KEY), Err(Error::UnusableSignedHeader));
    let twice = [headers[0], headers[1], headers[1]];
    assert_eq!(good.verify(&post(&twice, "{}"), timestamp, KEY), Err(Error::UnusableSignedHeader));
}

#[test]
fn signed_headers_are_obeyed_and_may_be_in_lower_case() {
    let headers: [(&str, &[u8]); 4] = [
        ("Content-Type", b"application/json; charset=utf-8"),
        ("Host", b"organization.tencentcloudapi.com"),
        ("X-TC-Action", b" DescribeOrganization "),
        ("X-TC-Timestamp", b"1795330200"),
    ];
    let names = ["content-type", "host", "x-tc-action"].map(str::to_owned);
    let timestamp = post(&headers, "{}").timestamp().unwrap();
    for spelling in [str::to_owned as fn(&str) -> String, str::to_lowercase] {
        let canonical = canonical_request(&post(&headers, "{}"), &names, spelling).unwrap();
        let signature = super::signature::sign_canonical(KEY, timestamp, &canonical);
        let header = format!(
            "TC3-HMAC-SHA256 Credential={ID}/2026-11-22/organization/tc3_request, \
             SignedHeaders=content-type;host;x-tc-action, Signature={signature}"
        );
        let Ok(Authorization::Signed(signed)) = Authorization::parse(&header) else {
            panic!("{header}");
        };
        assert_eq!(signed.verify(&post(&headers, "{}"), timestamp, KEY), Ok(()));
        let mut changed = headers;
        changed[2].1 = b"DeleteOrganization";
        assert_eq!(signed.verify(&post(&changed, "{}"), timestamp, KEY), Err(Error::Mismatch));
    }
}

#[test]
fn an_unsigned_payload_is_signed_by_its_name() {
    let headers: [(&str, &[u8]); 3] = [
        ("Content-Type", b"application/octet-stream"),
        ("Host", b"h"),
        ("X-TC-Content-SHA256", b"UNSIGNED-PAYLOAD"),
    ];
    let made = sign(ID, KEY, "sts", 1_795_330_200, &post(&headers, "one body")).unwrap();
    let Ok(Authorization::Signed(signed)) = Authorization::parse(&made) else { panic!("{made}") };
    assert_eq!(signed.verify(&post(&headers, "another"), 1_795_330_200, KEY), Ok(()));
    // The same signature is worthless once the body counts.
    assert_eq!(
        signed.verify(&post(&headers[..2], "one body"), 1_795_330_200, KEY),
        Err(Error::Mismatch)
    );
}

#[test]
fn time_is_checked_both_ways_and_the_date_is_utc() {
    let signed = header(&"0".repeat(64));
    // 2026-11-22T00:00:00Z
    let midnight = 1_795_305_600;
    for (timestamp, now, expected) in [
        (midnight, midnight + 300, Ok(())),
        (midnight, midnight + 301, Err(Error::Expired)),
        (midnight + 301, midnight, Err(Error::Expired)),
        (midnight - 1, midnight, Err(Error::DateMismatch)),
        (midnight + 86_399, midnight + 86_400, Ok(())),
        (midnight + 86_400, midnight + 86_400, Err(Error::DateMismatch)),
        (i64::MIN, i64::MAX, Err(Error::Expired)),
        (i64::MAX, i64::MAX, Err(Error::MalformedTimestamp)),
    ] {
        assert_eq!(signed.check_time(timestamp, now), expected, "{timestamp} {now}");
    }
    for (text, expected) in [
        (Some("12x"), Err(Error::MalformedTimestamp)),
        (Some("99999999999999999999"), Err(Error::MalformedTimestamp)),
        (Some(" 17 "), Ok(17)),
        (None, Err(Error::MissingHeader("X-TC-Timestamp"))),
    ] {
        let headers: Vec<(&str, &[u8])> =
            text.iter().map(|text| ("x-Tc-timestamp", text.as_bytes())).collect();
        assert_eq!(post(&headers, "").timestamp(), expected);
    }
}

#[test]
fn a_malformed_authorization_says_what_is_wrong() {
    let hash = "0".repeat(64);
    let scope = "AKID/2026-11-22/cam/tc3_request";
    let whole = |credential: &str, headers: &str, signature: &str| {
        format!(
            "TC3-HMAC-SHA256 Credential={credential}, SignedHeaders={headers}, \
             Signature={signature}"
        )
    };
    assert_eq!(Authorization::parse("SKIP"), Ok(Authorization::Skip));
    assert!(Authorization::parse(&whole(scope, "content-type;host", &hash)).is_ok());
    assert!(Authorization::parse(&whole(scope, "Content-Type;Host;x-tc-action", &hash)).is_ok());
    for bad in [
        String::new(),
        "Bearer abc".to_owned(),
        "TC3-HMAC-SHA256".to_owned(),
        "TC3-HMAC-SHA2567 Credential=x".to_owned(),
        format!("TC3-HMAC-SHA256 Credential={scope}"),
        whole("AKID/2026-11-22/cam", "content-type;host", &hash),
        whole("AKID/2026-11-22/cam/aws4_request", "content-type;host", &hash),
        whole("/2026-11-22/cam/tc3_request", "content-type;host", &hash),
        whole("AKID/2026-11-22/CAM/tc3_request", "content-type;host", &hash),
        whole(scope, "content-type", &hash),
        whole(scope, "host", &hash),
        whole(scope, "content-type;;host", &hash),
        whole(scope, "content-type;host", "abcd"),
        whole(scope, "content-type;host", &"g".repeat(64)),
        whole(scope, "content-type;host", &format!("{hash}, Signature={hash}")),
        whole(scope, "content-type;host", &format!("{hash}, Extra=1")),
        whole(
            &format!("{}/2026-11-22/cam/tc3_request", "A".repeat(129)),
            "content-type;host",
            &hash,
        ),
        "x".repeat(5000),
    ] {
        let outcome = Authorization::parse(&bad);
        assert!(matches!(outcome, Err(Error::MalformedAuthorization(_))), "{bad}: {outcome:?}");
    }
}

#[test]
fn envelopes() {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    assert_eq!(
        text(envelope::success(&json!({"ZoneId": "z-1", "Total": 2}), "id").unwrap()),
        r#"{"Response":{"ZoneId":"z-1","Total":2,"RequestId":"id"}}"#
    );
    assert_eq!(text(envelope::success(&(), "id").unwrap()), r#"{"Response":{"RequestId":"id"}}"#);
    let failure = envelope::failure("ResourceNotFound.UserNotExist", "no", "id").unwrap();
    assert_eq!(
        Reply::parse(&failure).unwrap(),
        Reply::Failure {
            code: "ResourceNotFound.UserNotExist".to_owned(),
            message: "no".to_owned(),
            request_id: "id".to_owned(),
        }
    );
    assert_eq!(
        text(failure),
        r#"{"Response":{"Error":{"Code":"ResourceNotFound.UserNotExist","Message":"no"},"RequestId":"id"}}"#
    );
    let reply = Reply::parse(br#"{"Response":{"Error":null,"A":1,"RequestId":"id"}}"#).unwrap();
    assert!(matches!(reply, Reply::Success(content) if content["A"] == 1));
    assert!(Reply::parse(b"<html>").is_err());
    assert!(Reply::parse(br#"{"Response":{"Error":{"Message":"no code"}}}"#).is_err());
}

#[test]
fn queries_unfold() {
    let (parameters, aside) = query::parameters(
        "Action=CreateRoleAssignment&ZoneId=z-1&UserName=%E5%BC%A0%E4%B8%89%2Ba%40b&\
         Info.0.Uin=1&Info.1.Uin=2&Info.0.Type=x+y&Names.0=a&Empty=",
        &["Action"],
    )
    .unwrap();
    assert_eq!(aside["Action"], "CreateRoleAssignment");
    assert_eq!(
        serde_json::Value::Object(parameters),
        json!({
            "Empty": "",
            "Info": [{"Type": "x y", "Uin": "1"}, {"Uin": "2"}],
            "Names": ["a"],
            "UserName": "张三+a@b",
            "ZoneId": "z-1",
        })
    );
    let refused = |text: &str| query::parameters(text, &["Action"]).unwrap_err().to_string();
    assert_eq!(refused("Action=a&Action=b"), "the parameter Action appears twice");
    assert_eq!(refused("A=1&A=2"), "the parameter A appears twice");
    assert_eq!(refused("A=1&A.0=2"), "the parameter A.0 appears twice");
    assert_eq!(refused("A.0=1&A=2"), "the parameter A appears twice");
    assert_eq!(refused("A.0=1&A.2=2"), "the list A has a gap");
    assert_eq!(refused("A..B=1"), "the parameter name A..B is malformed");
    assert_eq!(refused("A.B.C.D.E.F.G.H.I=1"), "the parameter name A.B.C.D.E.F.G.H.I is malformed");
    assert_eq!(refused("A=%ff"), "the query is not percent-encoded UTF-8");
    assert_eq!(refused(&"a=&".repeat(1001)), "the parameter a appears twice");
    let many: Vec<String> = (0..1001).map(|count| format!("a{count}=&")).collect();
    assert_eq!(refused(&many.concat()), "the query has more than 1000 parameters");
    let eleven: Vec<String> = (0..11).map(|index| format!("L.{index}={index}&")).collect();
    let (parameters, _) = query::parameters(&eleven.concat(), &[]).unwrap();
    assert_eq!(parameters["L"][10], "10");
}

#[test]
fn codes_are_distinct() {
    let mut texts: Vec<&str> = CommonCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(CommonCode::SignatureExpire.to_string(), "AuthFailure.SignatureExpire");
    let count = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), count);
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_nothing_else_does(
        host in "[a-z0-9.:/-]{1,30}",
        body in ".{0,60}",
        key in "[A-Za-z0-9]{1,40}",
        timestamp in 0_i64..4_000_000_000,
        query in "[A-Za-z0-9=&%._-]{0,30}",
    ) {
        let headers: [(&str, &[u8]); 2] =
            [("content-type", b"application/json"), ("HOST", host.as_bytes())];
        let parts = Parts { method: "POST", query: &query, headers: &headers, body: body.as_bytes() };
        let made = sign("AKIDx", &key, "cam", timestamp, &parts).unwrap();
        let Ok(Authorization::Signed(signed)) = Authorization::parse(&made) else {
            return Err(TestCaseError::fail(made));
        };
        prop_assert_eq!(signed.check_time(timestamp, timestamp), Ok(()));
        prop_assert_eq!(signed.verify(&parts, timestamp, &key), Ok(()));
        let longer = format!("{body}x");
        let changed = Parts { body: longer.as_bytes(), ..parts };
        prop_assert_eq!(signed.verify(&changed, timestamp, &key), Err(Error::Mismatch));
        prop_assert_eq!(signed.verify(&parts, timestamp, "other key"), Err(Error::Mismatch));
    }

    #[test]
    fn headers_and_queries_never_panic(text in ".{0,200}") {
        let _ = Authorization::parse(&text);
        let _ = Authorization::parse(&format!("TC3-HMAC-SHA256 {text}"));
        let _ = query::parameters(&text, &["Action"]);
    }
}
