//! The identity provider: proposed, tested and approved; how sign-in goes, and where metadata is
//! fetched from.

use base64::{Engine, engine::general_purpose::STANDARD};
use identity_center::{credential, saml::encoding, space};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    api::Client,
    fake_idp::{FakeIdp, wrong_key},
    house::TestHouse,
    journey::{Company, count},
    on_both,
    own::administrator,
};

/// A company, and somebody who calls our own actions.
struct Desk<'h> {
    house: &'h TestHouse,
    company: Company<'h>,
    client: Client,
}

impl<'h> Desk<'h> {
    async fn open(house: &'h TestHouse) -> Self {
        let company = Company::open(house, "acme").await;
        let full = "QcloudOrganizationFullAccess";
        let client = administrator(house, company.management, "olga", full).await;
        Self { house, company, client }
    }

    fn here(&self, mut given: Value) -> Value {
        given["ZoneId"] = json!(self.company.space.id);
        given
    }

    async fn done(&self, action: &str, given: Value) -> Value {
        self.client.done(self.house, action, self.here(given)).await
    }

    async fn refused(&self, action: &str, given: Value, code: &str, word: &str) {
        let given = self.here(given);
        let (found, text) = self.client.refusal(self.house, action, given.clone()).await;
        assert_eq!(found, code, "{action} {given}: {text}");
        assert!(text.contains(word), "{action} {given}: {text}");
    }

    /// A token of the space, whose directory may push from now on.
    async fn scim_token(&self) -> String {
        let (app, space) = (&self.company.house.app, &self.company.space);
        let act = app.own_act("test").unwrap();
        let made = app.db.write(async |tx| -> anyhow::Result<_> {
            space::set_scim_enabled(tx, &act, space, true).await?;
            Ok(credential::create(tx, &act, space.id, None).await?.1)
        });
        made.await.unwrap().expose_secret().to_owned()
    }

    async fn propose(&self, metadata: &str) -> Value {
        let given = json!({ "EncodedMetadataDocument": STANDARD.encode(metadata) });
        let made = self.done("ProposeSAMLIdentityProvider", given).await;
        json!({ "ProposalId": made["ProposalId"] })
    }
}

/// An identity provider that nobody signs in with yet.
fn draft() -> FakeIdp {
    FakeIdp { entity_id: "https://new.example.com/metadata".to_owned() }
}

const GONE: &str = "ResourceNotFound.SAMLProposalNotExist";
const PARAM: &str = "InvalidParameter.ParamError";

on_both! {
    async fn set_07_sso_09_a_proposal_is_approved_by_an_action_as_it_was_shown(house) {
        let desk = Desk::open(house).await;
        let proposal = desk.propose(&draft().metadata()).await;
        let shown = desk.done("DescribeSAMLProposal", proposal.clone()).await;
        assert_eq!((&shown["Origin"], &shown["CreatedBy"]), (&json!("Metadata"), &json!("olga")));
        assert_eq!((&shown["NeedsConfirmation"], &shown["EntityIds"]), (&json!(true), &json!([])));
        let entity = &shown["Configuration"]["Differences"][0];
        assert_eq!(entity, &json!({ "Part": "EntityId", "Now": desk.company.idp.entity_id,
            "Then": draft().entity_id, "IsChange": true }));

        // Sign-in is on: it has to be confirmed; and what it was compared with has to stand.
        let mut approval = proposal.clone();
        approval["ComparedWith"] = shown["ComparedWith"].clone();
        let unconfirmed = "FailedOperation.ReplacementNotConfirmed";
        desk.refused("ApproveSAMLProposal", approval.clone(), unconfirmed,
            "`IsReplacementConfirmed`").await;
        approval["IsReplacementConfirmed"] = json!(true);
        let mut stale = approval.clone();
        stale["ComparedWith"] = json!("0000");
        let changed = "FailedOperation.SAMLIdentityProviderChanged";
        desk.refused("ApproveSAMLProposal", stale, changed, "changed").await;
        desk.done("ApproveSAMLProposal", approval.clone()).await;
        let now = desk.client.clone();
        let current = now.done(house, "ListExpirations", desk.here(json!({}))).await;
        assert!(current["TotalCounts"].as_i64().unwrap() > 0);
        desk.refused("ApproveSAMLProposal", approval, GONE, "`ProposalId`").await;
        desk.refused("DescribeSAMLProposal", proposal, GONE, "`ProposalId`").await;

        // By hand; and thrown away.
        let by_hand = json!({ "EntityId": "https://hand.example.com/", "LoginUrl": "https://hand.example.com/sso",
            "X509Certificate": wrong_key().certificate().pem() });
        let made = desk.done("ProposeSAMLIdentityProvider", by_hand).await;
        let made = json!({ "ProposalId": made["ProposalId"] });
        let shown = desk.done("DescribeSAMLProposal", made.clone()).await;
        assert_eq!(shown["Origin"], "ByHand");
        assert_eq!(shown["Configuration"]["Differences"][0]["Now"], draft().entity_id, "approved");
        desk.done("DiscardSAMLProposal", made.clone()).await;
        desk.refused("DiscardSAMLProposal", made, GONE, "`ProposalId`").await;

        let metadata = STANDARD.encode(draft().metadata());
        for (given, code, word) in [
            (json!({}), PARAM, "`EntityId`"),
            (json!({ "EntityId": "https://a.example/" }), PARAM, "`LoginUrl`"),
            (json!({ "EncodedMetadataDocument": metadata, "LoginUrl": "https://a.example/" }), PARAM,
                "`LoginUrl`"),
            (json!({ "EncodedMetadataDocument": "%" }),
                "FailedOperation.DecodeMetadataDocumentFailed", "`EncodedMetadataDocument`"),
            (json!({ "EncodedMetadataDocument": STANDARD.encode("<a/>") }),
                "FailedOperation.MetadataCosParsingFailed", "metadata"),
            (json!({ "EntityId": "https://a.example/", "LoginUrl": "https://a.example/",
                "X509Certificate": "no" }),
                "InvalidParameterValue.X509CertificateFormatError", "`X509Certificate`"),
        ] {
            desk.refused("ProposeSAMLIdentityProvider", given, code, word).await;
        }
        for id in ["idp-p-000000000001", "x"] {
            let given = json!({ "ProposalId": id, "EntityId": "e" });
            desk.refused("ChooseSAMLProposal", given, GONE, "`ProposalId`").await;
        }
    }

    async fn set_07_sso_07_one_of_several_identity_providers_is_chosen_by_an_action(house) {
        let desk = Desk::open(house).await;
        let inner = |metadata: String| metadata[metadata.find("<md:EntityDescriptor").unwrap()..].to_owned();
        let several = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}</md:EntitiesDescriptor>",
            inner(draft().metadata()), inner(FakeIdp::new().metadata()));
        let proposal = desk.propose(&several).await;
        let shown = desk.done("DescribeSAMLProposal", proposal.clone()).await;
        let ids = shown["EntityIds"].as_array().unwrap();
        assert!(ids.len() == 2 && ids.contains(&json!(draft().entity_id)), "{shown}");
        assert_eq!(shown["Configuration"], Value::Null);
        let mut choice = proposal.clone();
        choice["EntityId"] = json!(draft().entity_id);
        let chosen = desk.done("ChooseSAMLProposal", choice).await;
        let shown = desk.done("DescribeSAMLProposal", json!({ "ProposalId": chosen["ProposalId"] })).await;
        assert_eq!(shown["Configuration"]["Differences"][0]["Then"], draft().entity_id);
        desk.refused("DescribeSAMLProposal", proposal, GONE, "`ProposalId`").await;
    }

    async fn set_07_sso_17_a_test_sign_in_is_begun_and_read_by_actions(house) {
        let desk = Desk::open(house).await;
        let proposal = desk.propose(&draft().metadata()).await;
        let test = desk.done("CreateSignInTest", proposal.clone()).await;
        let test = json!({ "SignInTestId": test["SignInTestId"] });
        let listed = desk.done("ListSignInTests", json!({})).await;
        let row = &listed["SignInTests"][0];
        assert_eq!((&row["Outcome"], &row["CreatedBy"]), (&json!("Waiting"), &json!("olga")));
        let unanswered = "FailedOperation.SignInTestNotAnswered";
        desk.refused("DescribeSignInTestBundle", test.clone(), unanswered, "No answer").await;

        // A browser goes where the action says, and the answer is judged.
        let begun = desk.done("StartSignInTest", test.clone()).await;
        assert_eq!((&begun["Method"], &begun["SAMLRequest"]), (&json!("GET"), &json!("")));
        let address = begun["Url"].as_str().unwrap();
        let request = draft().read(address);
        let relay_state = address.parse::<url::Url>().unwrap();
        let relay_state = relay_state.query_pairs().find(|it| it.0 == "RelayState").unwrap().1;
        let message = draft().answer(&request, "alice", house.now().to_jiff()).signed();
        let form = [("SAMLResponse", message.base64()), ("RelayState", relay_state.into_owned())];
        let browser = house.browser();
        let back = browser.post(desk.company.acs_url()).form(&form).send().await.unwrap();
        assert_eq!(back.status(), reqwest::StatusCode::SEE_OTHER);
        let shown = desk.done("DescribeSignInTest", test.clone()).await;
        assert_eq!(shown["SignInTest"]["Outcome"], "Passed", "{shown}");
        assert_eq!((&shown["IsProposalWaiting"], &shown["Report"]["Assertion"]["Identity"]),
            (&json!(true), &json!("alice")));
        let checks = shown["Report"]["Checks"].as_array().unwrap();
        assert!(checks.iter().any(|it| it["Check"] == "signature" && it["Verdict"] == "Passed"));
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_tickets").await, 0, "nobody is let in");
        let bundle = desk.done("DescribeSignInTestBundle", test.clone()).await;
        let bundle: Value = serde_json::from_str(bundle["Bundle"].as_str().unwrap()).unwrap();
        assert_eq!(bundle["sign_in"]["outcome"], "passed");

        // Of what people sign in with, posted.
        let settings = json!({ "IsPosted": true });
        let takes_posts = desk.company.idp.metadata().contains("HTTP-POST");
        if takes_posts {
            desk.done("UpdateSAMLRequestSettings", settings).await;
            let present = desk.done("CreateSignInTest", json!({})).await;
            let present = json!({ "SignInTestId": present["SignInTestId"] });
            let begun = desk.done("StartSignInTest", present).await;
            assert_eq!(begun["Method"], "POST");
            let request = begun["SAMLRequest"].as_str().unwrap();
            let request = String::from_utf8(encoding::decode(request).unwrap()).unwrap();
            assert!(request.contains("AuthnRequest"), "{request}");
            assert_ne!(begun["RelayState"], "");
        } else {
            desk.refused("UpdateSAMLRequestSettings", settings, PARAM, "`IsPosted`").await;
        }

        let no_test = "ResourceNotFound.SignInTestNotExist";
        for action in ["StartSignInTest", "DescribeSignInTest", "DescribeSignInTestBundle"] {
            for id in ["st-000000000001", "x"] {
                desk.refused(action, json!({ "SignInTestId": id }), no_test, "`SignInTestId`").await;
            }
        }
        let missing = json!({ "ProposalId": "idp-p-000000000001" });
        desk.refused("CreateSignInTest", missing, GONE, "`ProposalId`").await;
    }

    async fn set_07_sso_18_how_sign_in_goes_is_decided_by_actions(house) {
        let desk = Desk::open(house).await;
        let before = desk.done("DescribeSAMLSettings", json!({})).await;
        assert_eq!(before, json!({
            "Requests": { "IsSigned": false, "IsPosted": false, "ForceAuthn": false,
                "NameIdPolicy": "Unspecified", "AuthnContexts": [] },
            "Responses": { "IdentityAttribute": "", "AllowUnsolicited": false },
        }));
        // A part is changed, and the rest stays.
        let context = "urn:oasis:names:tc:SAML:2.0:ac:classes:X509";
        let given = json!({ "IsSigned": true, "NameIdPolicy": "Email", "AuthnContexts": [context] });
        desk.done("UpdateSAMLRequestSettings", given).await;
        desk.done("UpdateSAMLRequestSettings", json!({ "ForceAuthn": true })).await;
        desk.done("UpdateSAMLResponseSettings", json!({ "IdentityAttribute": "uid" })).await;
        desk.done("UpdateSAMLResponseSettings", json!({ "AllowUnsolicited": true })).await;
        let after = desk.done("DescribeSAMLSettings", json!({})).await;
        assert_eq!(after, json!({
            "Requests": { "IsSigned": true, "IsPosted": false, "ForceAuthn": true,
                "NameIdPolicy": "Email", "AuthnContexts": [context] },
            "Responses": { "IdentityAttribute": "uid", "AllowUnsolicited": true },
        }));
        let none = json!({ "IdentityAttribute": "" });
        let none = desk.done("UpdateSAMLResponseSettings", none).await;
        assert_eq!(none["Responses"]["IdentityAttribute"], "");
        for (action, given, word) in [
            ("UpdateSAMLRequestSettings", json!({ "AuthnContexts": ["no uri"] }), "`AuthnContexts`"),
            ("UpdateSAMLRequestSettings", json!({ "NameIdPolicy": "Odd" }), "`NameIdPolicy`"),
            ("UpdateSAMLResponseSettings", json!({ "IdentityAttribute": " uid" }),
                "`IdentityAttribute`"),
        ] {
            desk.refused(action, given, PARAM, word).await;
        }

        // Where metadata is fetched from.
        let source = async || desk.done("DescribeSAMLMetadataSource", json!({})).await;
        assert_eq!(source().await, json!({ "SAMLMetadataSource": null, "ProposalId": "" }));
        let no_source = "ResourceNotFound.SAMLMetadataSourceNotExist";
        desk.refused("FetchSAMLMetadata", json!({}), no_source, "address").await;
        desk.refused("RemoveSAMLMetadataSource", json!({}), no_source, "address").await;
        let url = "http://127.0.0.1:1/metadata";
        for (given, word) in [
            (json!({ "Url": "ftp://a.example/" }), "`Url`"),
            (json!({ "Url": url, "IsAutomatic": true }), "`IsAutomatic`"),
            (json!({ "Url": url, "PinnedCertificates": ["no"] }), "`PinnedCertificates`"),
        ] {
            desk.refused("SetSAMLMetadataSource", given, PARAM, word).await;
        }
        let pin = wrong_key().certificate().pem();
        let given = json!({ "Url": url, "PinnedCertificates": [pin], "IsAutomatic": true });
        let set = desk.done("SetSAMLMetadataSource", given).await;
        assert_eq!(set["SAMLMetadataSource"]["PinnedCertificates"], json!([pin]));
        assert_eq!(source().await["SAMLMetadataSource"]["IsAutomatic"], true);
        let fetched = desk.done("FetchSAMLMetadata", json!({})).await;
        assert_eq!((&fetched["Outcome"], &fetched["ProposalId"]), (&json!("Failed"), &json!("")));
        assert_eq!(source().await["SAMLMetadataSource"]["FailureReason"], fetched["FailureReason"]);
        let soon = "LimitExceeded.SAMLMetadataFetch";
        desk.refused("FetchSAMLMetadata", json!({}), soon, "moment").await;
        desk.done("RemoveSAMLMetadataSource", json!({})).await;
        assert_eq!(source().await["SAMLMetadataSource"], Value::Null);
    }

    async fn set_07_sso_17_what_came_to_the_doors_is_read_by_actions(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        desk.company.switch_sign_in(true).await;
        let browser = house.browser();
        let inside = browser.get(desk.company.ticket_for(&browser, "alice").await).send().await;
        assert_eq!(inside.unwrap().status(), reqwest::StatusCode::SEE_OTHER);
        let refused = desk.company.post(&browser, "not base64!").await;
        assert_eq!(refused.status(), reqwest::StatusCode::FORBIDDEN);

        let all = desk.done("ListSignInAttempts", json!({})).await;
        assert_eq!(all["TotalCounts"], 2, "{all}");
        let [bad, good] = [0, 1].map(|row| all["SignInAttempts"][row].clone());
        assert_eq!((&bad["Outcome"], &bad["NameId"]), (&json!("Refused"), &json!("")));
        assert_eq!((&good["Outcome"], &good["NameId"]), (&json!("SignedIn"), &json!("alice")));
        for (given, expected) in [
            (json!({ "Outcome": "Refused" }), &bad),
            (json!({ "Cause": bad["Cause"] }), &bad),
            (json!({ "Keyword": "ALICE" }), &good),
            (json!({ "Keyword": bad["CausedBy"] }), &bad),
        ] {
            let found = desk.done("ListSignInAttempts", given).await;
            assert_eq!(found["SignInAttempts"], json!([expected]));
        }
        desk.refused("ListSignInAttempts", json!({ "Cause": "no_such" }), PARAM, "`Cause`").await;
        desk.refused("ListSignInAttempts", json!({ "Outcome": "Lost" }), PARAM, "`Outcome`").await;
        let one = json!({ "SignInAttemptId": good["SignInAttemptId"] });
        let shown = desk.done("DescribeSignInAttempt", one.clone()).await;
        assert_eq!(shown["SignInAttempt"], good);
        let checks = shown["Checks"].as_array().unwrap();
        assert!(checks.iter().any(|it| it["Check"] == "signature" && it["Verdict"] == "Passed"));
        let bundle = desk.done("DescribeSignInAttemptBundle", one).await["Bundle"].clone();
        assert!(!bundle.as_str().unwrap().contains("alice"), "names are masked: {bundle}");
        let nothing = "ResourceNotFound.SignInAttemptNotExist";
        for action in ["DescribeSignInAttempt", "DescribeSignInAttemptBundle"] {
            for id in ["sa-000000000001", "x"] {
                let given = json!({ "SignInAttemptId": id });
                desk.refused(action, given, nothing, "`SignInAttemptId`").await;
            }
        }

        assert_eq!(desk.done("ListRefusedLogouts", json!({})).await["TotalCounts"], 0);
        let slo = house.url(&format!("/saml/slo/{}", desk.company.space.id));
        let noise = browser.post(slo).form(&[("SAMLRequest", "AAAA")]).send().await.unwrap();
        assert!(noise.status().is_client_error());
        let found = desk.done("ListRefusedLogouts", json!({})).await;
        assert_eq!((&found["TotalCounts"], &found["RefusedLogouts"][0]["Times"]), (&json!(1), &json!(1)));

        let sent = desk.done("ListSCIMRequests", json!({})).await;
        assert_eq!(sent["SCIMRequests"], json!([]));
        let token = desk.scim_token().await;
        let users = house.url("/scim/v2/Users");
        let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
        for name in ["carol", "carol"] {
            let body = json!({ "schemas": [schema], "userName": name, "password": "hunter2" });
            let post = reqwest::Client::new().post(&users).bearer_auth(&token);
            let post = post.header("Content-Type", "application/scim+json").body(body.to_string());
            post.send().await.unwrap();
        }
        house.app.recorder.flush().await;
        let sent = desk.done("ListSCIMRequests", json!({ "Method": "POST" })).await;
        let [again, first] = [0, 1].map(|row| sent["SCIMRequests"][row].clone());
        assert_eq!((&first["Outcome"], &first["HttpStatus"]), (&json!("Done"), &json!(201)), "{sent}");
        assert_eq!((&again["ScimType"], &again["HttpStatus"]), (&json!("uniqueness"), &json!(409)));
        for (given, expected) in [
            (json!({ "Outcome": "Refused" }), &again),
            (json!({ "PrincipalType": "User", "PrincipalId": first["PrincipalId"] }), &first),
        ] {
            let found = desk.done("ListSCIMRequests", given).await;
            assert_eq!(found["SCIMRequests"], json!([expected]));
        }
        let by_name = desk.done("ListSCIMRequests", json!({ "PrincipalName": "CAROL" })).await;
        assert_eq!(by_name["SCIMRequests"].as_array().unwrap().len(), 2);
        assert_eq!(desk.done("ListSCIMRequests", json!({ "Method": "GET" })).await["SCIMRequests"], json!([]));
        desk.refused("ListSCIMRequests", json!({ "PrincipalId": "x" }), PARAM, "`PrincipalId`").await;
        let one = json!({ "SCIMRequestId": first["SCIMRequestId"] });
        let shown = desk.done("DescribeSCIMRequest", one).await;
        assert_eq!(shown["SCIMRequest"], first);
        let body = shown["Body"].as_str().unwrap();
        assert!(body.contains("carol") && !body.contains("hunter2"), "{body}");
        let made = shown["AuditRecordIds"].as_array().unwrap();
        let log = desk.client.done(house, "ListAuditRecords", json!({ "MaxResults": 50 })).await;
        let log = log["AuditRecords"].as_array().unwrap();
        assert!(log.iter().any(|it| made.contains(&it["AuditRecordId"]) && it["Action"] == "user.create"),
            "{made:?} {log:?}");
        for id in ["sr-000000000001", "x"] {
            let given = json!({ "SCIMRequestId": id });
            let nothing = "ResourceNotFound.SCIMRequestNotExist";
            desk.refused("DescribeSCIMRequest", given, nothing, "`SCIMRequestId`").await;
        }
    }
}
