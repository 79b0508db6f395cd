//! What the audit log holds of what somebody did.

use identity_center::{
    audit::ActorKind,
    cloud,
    id::Uin,
    policy::catalogue,
    store::{self, sql},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::Client,
    api_examples::{Story, Telling},
    house::TestHouse,
    identity_center::all_allowed,
    journey::{count, header},
    on_both,
    whole_way::World,
    with_settings,
};

/// What a call leaves in the log where that is not one record: a record for each thing that it
/// changed, or none where it changed nothing.
const NOT_ONE: &[(&str, &[&str])] = &[
    // An account has a root and the role that the organisation enters it by.
    (
        "organization:CreateOrganizationMember",
        &["account.create", "cam_user.create", "role.create"],
    ),
    ("cam:CreateServiceLinkedRole", &["role.create", "role.attach_policy"]),
    ("cam:DeleteServiceLinkedRole", &["role.delete", "role.ask_deletion"]),
    // ACT-07: the role that is linked to the service.
    ("organization:OpenIdentityCenter", &["space.open", "role.create"]),
    // The provider and the switch are two parameters of one action.
    (
        "organization:SetExternalSAMLIdentityProvider",
        &["identity_provider.set", "space.sso_switch"],
    ),
    ("organization:AuditPermissionApplyOrder", &["assignment.create", "request.approve"]),
    // What was opened with the access ends with it.
    ("identitycenter:EndPortalSession", &["access.end_opened", "portal_session.end"]),
    ("organization:DeleteRoleAssignment", &["assignment.remove", "role_session.revoke"]),
    ("cam:AddUser", &["cam_user.create", "access_key.create"]),
    // It looks, whatever its name says.
    ("sts:QueryApiKey", &[]),
];

/// A record, as far as this is about it.
#[derive(sqlx::FromRow)]
struct Line {
    action: String,
    object_kind: String,
    object_id: String,
    actor_kind: ActorKind,
    actor_id: String,
    actor_name: String,
    request_id: String,
    address: Option<String>,
    state_before: Option<String>,
    state_after: Option<String>,
}

/// What was written after the record with this id, but for what tasks did.
async fn written_since(house: &TestHouse, last: i64) -> Vec<Line> {
    let read: store::Result<_> = house
        .app
        .db
        .read(async |tx| {
            sql("SELECT action, object_kind, object_id, actor_kind, actor_id, actor_name,
                        request_id, address, state_before, state_after
                 FROM audit_records WHERE id > $1 AND actor_kind <> 'system' ORDER BY id")
            .bind(last)
            .fetch_all(tx)
            .await
        })
        .await;
    read.unwrap()
}

/// Whether a call changes nothing and gives nobody a credential, by the name of its action.
fn only_reads(action: &str) -> bool {
    let looks = ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb));
    looks && action != "GetFederationToken"
}

/// Somebody who may look at the organisation.
async fn reader(house: &TestHouse) -> Client {
    let act = house.app.own_act("test").unwrap();
    let management = count(house, "SELECT uin FROM accounts WHERE kind = 'management'").await;
    let made = house.app.db.write(async |tx| {
        let user = cloud::create_user(tx, &act, Uin(management), "reader", None, "").await?;
        let preset = catalogue::by_name("QcloudOrganizationReadOnlyAccess").unwrap();
        cloud::attach_user_policy(tx, &act, &user, preset.id).await?;
        Ok::<_, cloud::Error>(user)
    });
    Client::of(house, &made.await.unwrap()).await
}

with_settings! { all_allowed;
    async fn set_08_each_write_of_the_api_leaves_one_record_of_what_it_changed(house) {
        const LAST: &str = "SELECT COALESCE(MAX(id), 0) FROM audit_records";
        let story = Story::read();
        let mut telling = Telling::begin(house).await;
        let reader = reader(house).await;
        let mut wrong = Vec::new();
        for step in &story.steps {
            if only_reads(&step.action) {
                telling.go_on(step).await;
                continue;
            }
            telling.approach(step).await;
            let name = format!("{}:{}", step.service, step.action);
            // Somebody who may only look is refused, and nothing happened.
            let before = count(house, LAST).await;
            if !step.unsigned && !OWN.contains(&step.action.as_str()) {
                let refused = telling.call_as(&reader, step).await;
                let code = refused["Error"]["Code"].as_str().unwrap_or("done");
                if !code.starts_with("UnauthorizedOperation") && !code.starts_with("AuthFailure") {
                    wrong.push(format!("{name}: the reader was told {code}"));
                }
                if !written_since(house, before).await.is_empty() {
                    wrong.push(format!("{name}: a refused call left a record"));
                }
            }
            let before = count(house, LAST).await;
            let answer = telling.go_on(step).await;
            let lines = written_since(house, before).await;
            let actions: Vec<&str> = lines.iter().map(|line| line.action.as_str()).collect();
            let expected = NOT_ONE.iter().find(|(action, _)| *action == name);
            let is_refused = answer.get("Error").is_some();
            let fits = match expected {
                _ if is_refused => actions.is_empty(),
                Some((_, expected)) if actions == *expected => true,
                Some((_, expected)) => actions.len() == 1 && expected.contains(&actions[0]),
                None => actions.len() == 1,
            };
            if !fits {
                wrong.push(format!("{name}: {actions:?}, refused: {is_refused}"));
            }
            for line in &lines {
                let who = (line.actor_kind, line.actor_name.as_str());
                // Who comes without a signature is nobody until the proof in the call is read.
                let said = if step.unsigned {
                    who == (ActorKind::Anyone, "")
                } else {
                    who == (ActorKind::Administrator, "administrator") && !line.actor_id.is_empty()
                };
                let whole = !line.object_kind.is_empty()
                    && !line.object_id.is_empty()
                    && line.address.as_deref() == Some("127.0.0.1")
                    && line.request_id == lines[0].request_id
                    && !line.request_id.is_empty()
                    && (line.state_before.is_some() || line.state_after.is_some());
                if !(said && whole) {
                    let Line { action, actor_kind, actor_name, object_id, .. } = line;
                    wrong.push(format!(
                        "{name}: {action} {object_id} by {actor_kind} {actor_name:?} {whole}"
                    ));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

/// What everybody who may call it does to nobody but themselves.
const OWN: &[&str] = &[
    "CreateOwnAccessKey",
    "UpdateOwnAccessKey",
    "DeleteOwnAccessKey",
    "EndOwnConsoleSessions",
    "UpdateOwnPassword",
];

on_both! {
    async fn con_04_a_sign_in_and_the_accounts_entered_from_it_share_one_correlation_id(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let own = world.administrator.own();
        let find = async |given: Value| {
            own.done(house, "ListAuditRecords", given).await["AuditRecords"].clone()
        };
        let of = |records: &Value| -> Vec<(String, String)> {
            let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
            let records = records.as_array().unwrap().iter().rev();
            records.map(|one| (text(one, "Action"), text(one, "CorrelationId"))).collect()
        };
        // Two browsers, each with a sign-in of its own. The first enters twice, with a word of its
        // own each time; the second has credentials made.
        let (first, second) = (house.browser(), house.browser());
        world.sign_in(&first, "ann").await;
        let mut words = Vec::new();
        for _ in 0..2 {
            let word = world.word(&first).await;
            assert_eq!(world.enter(&first, &word).await.status(), StatusCode::SEE_OTHER);
            // Single use: the same word again opens nothing.
            assert_eq!(world.enter(&first, &word).await.status(), StatusCode::FORBIDDEN);
            words.push(word);
        }
        assert_ne!(words[0], words[1], "fresh each time");
        world.sign_in(&second, "ann").await;
        let credentials = format!("/accounts/{}/roles/{}/credentials", world.member,
            world.configuration);
        let post = second.post(world.portal(&credentials)).header("Origin", house.url(""));
        let shown = post.send().await.unwrap();
        assert_eq!((shown.status(), header(&shown, "cache-control")), (StatusCode::OK, "no-store"));

        let sign_ins = find(json!({ "Action": "sign_in.succeed" })).await;
        let [(_, one), (_, other)] = &of(&sign_ins)[..] else { panic!("{sign_ins}") };
        assert!(one.starts_with("idp-s-") && other.starts_with("idp-s-") && one != other);
        let together = find(json!({ "CorrelationId": one })).await;
        let steps = of(&together);
        let actions: Vec<&str> = steps.iter().map(|(action, _)| action.as_str()).collect();
        let entering = ["portal.enter_account", "role_session.open"];
        let expected = [&["sign_in.succeed"][..], &entering, &entering].concat();
        assert_eq!(actions, expected);
        assert!(steps.iter().all(|(_, id)| id == one), "{steps:?}");
        let together = find(json!({ "CorrelationId": other })).await;
        let actions: Vec<String> = of(&together).into_iter().map(|(action, _)| action).collect();
        assert_eq!(actions, [&["sign_in.succeed"][..], &entering].concat());
        // Each entry says who, into what, by what; and each opened session which word it was.
        let entered = find(json!({ "Action": "portal.enter_account" })).await;
        for record in entered.as_array().unwrap() {
            assert_eq!(record["ObjectId"], ann);
            let after: Value = serde_json::from_str(record["After"].as_str().unwrap()).unwrap();
            assert_eq!(after["account"], json!(world.member.0));
            assert_eq!(after["configuration"], world.configuration);
        }
        let opened = find(json!({ "Action": "role_session.open" })).await;
        let mut assertions: Vec<String> = opened
            .as_array()
            .unwrap()
            .iter()
            .map(|record| {
                let after = serde_json::from_str::<Value>(record["After"].as_str().unwrap());
                after.unwrap()["assertion"].as_str().unwrap().to_owned()
            })
            .collect();
        assertions.sort_unstable();
        assertions.dedup();
        assert_eq!(assertions.len(), 3);
        // Nothing else hangs together with them.
        let joined = "SELECT COUNT(*) FROM audit_records WHERE correlation_id IS NOT NULL";
        assert_eq!(count(house, joined).await, 8);
    }
}
