//! Two administrators at one form: whoever saves second sees both versions, and nothing is written
//! over in silence.

use identity_center::{
    event::Kind,
    id::Principal,
    organization,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync},
};
use reqwest::StatusCode;

use crate::{access::Desk, fake_idp::FakeIdp, journey::Company, on_both, whole_way::input};

/// A form: where it is, where it goes, what the first of two says there and what the second does.
struct Form {
    page: String,
    action: String,
    first: Vec<(&'static str, &'static str)>,
    second: Vec<(&'static str, &'static str)>,
    /// How a page shows what each of them said.
    words: [&'static str; 2],
}

fn fields(mark: &str, said: &[(&str, &str)]) -> Vec<(String, String)> {
    let said = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    said.chain([("mark".to_owned(), mark.to_owned())]).collect()
}

/// The hidden fields of the form that sends the second version again.
fn sent_again(page: &str) -> Vec<(String, String)> {
    let (_, form) = page.split_once("<form class=\"form-foot\" method=\"post\"").unwrap();
    let (form, _) = form.split_once("</form>").unwrap();
    let read = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        let (value, _) = rest.split_once("\">").unwrap();
        let value = value.replace("&#38;", "&").replace("&#34;", "\"");
        (name.to_owned(), value)
    };
    form.split("<input type=\"hidden\" name=\"").skip(1).map(read).collect()
}

async fn both_want_it(desk: &Desk<'_>, form: &Form) {
    let Form { page, action, first, second, words } = form;
    // Both have opened the form; the first saves.
    let mark = input(&desk.page(page).await, "mark");
    assert_eq!(mark.len(), 64, "{page}");
    let saved = desk.post(action, &fields(&mark, first)).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{page}: {}", saved.page);
    assert!(desk.page(page).await.contains(words[0]), "{page}");
    // The second is shown both, and nothing of theirs is saved.
    let late = desk.post(action, &fields(&mark, second)).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{page}: {}", late.page);
    assert!(late.page.contains("Somebody else has changed this meanwhile"), "{}", late.page);
    assert!(late.page.contains("Differs"), "{}", late.page);
    let now = desk.page(page).await;
    assert!(now.contains(words[0]) && !now.contains(words[1]), "{page}: {now}");
    for word in words {
        assert!(late.page.contains(word), "{page}: {word}: {}", late.page);
    }
    // Sent again the same as before, it is as late as it was.
    assert_eq!(desk.post(action, &fields(&mark, second)).await.status, StatusCode::CONFLICT);
    // A third is in between while the second reads: the button of that page is too late as well.
    let again = sent_again(&late.page);
    let third = desk.post(action, &fields(&input(&now, "mark"), second)).await;
    assert_eq!(third.status, StatusCode::SEE_OTHER, "{page}: {}", third.page);
    let back = input(&desk.page(page).await, "mark");
    assert_eq!(desk.post(action, &fields(&back, first)).await.status, StatusCode::SEE_OTHER);
    let late = desk.post(action, &fields(&mark, second)).await;
    // The same first version stands there again: what was made from it may be saved over it.
    assert_eq!(late.status, StatusCode::CONFLICT);
    let done = desk.post(action, &again).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{page}: {}", done.page);
    let now = desk.page(page).await;
    assert!(now.contains(words[1]) && !now.contains(words[0]), "{page}: {now}");
    // Who saves what a refused form said goes on from what that was made from.
    let mark = input(&now, "mark");
    assert_eq!(desk.post(action, &fields(&mark, first)).await.status, StatusCode::SEE_OTHER);
}

const ONE: &str = "What the first says";
const TWO: &str = "What the second says";

fn texts(
    page: String,
    action: String,
    name: &'static str,
    rest: &[(&'static str, &'static str)],
) -> Form {
    let with = |text| rest.iter().copied().chain([(name, text)]).collect();
    Form { page, action, first: with(ONE), second: with(TWO), words: [ONE, TWO] }
}

on_both! {
    async fn two_at_one_user_group_configuration_or_user_sync(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let crew = world.group("crew", &[ann]).await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let sync = NewUserSync {
            principal: Principal::User(ann),
            account: world.member.uin,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Keep,
        };
        let made = world
            .write(async |tx, act| {
                provisioning::create_user_syncs(tx, act, world.space.id, &[sync], 50).await
            })
            .await;
        desk.settle().await;
        let sync = made[0].user_sync.unwrap();
        let at = |what: &str| format!("/console/{what}");
        for form in [
            texts(at(&format!("users/{ann}/edit")), at(&format!("users/{ann}")), "description", &[]),
            texts(at(&format!("groups/{crew}/edit")), at(&format!("groups/{crew}")), "description",
                &[("name", "crew")]),
            texts(at(&format!("configurations/{look}/edit")), at(&format!("configurations/{look}")),
                "description", &[("session_duration", "3600")]),
            texts(at(&format!("user-syncs/{sync}")), at(&format!("user-syncs/{sync}")),
                "description", &[("deletion", "Keep")]),
        ] {
            both_want_it(&desk, &form).await;
        }
    }

    async fn two_at_one_department_or_account(house) {
        let desk = Desk::open(house).await;
        let books = desk.account_in("Finance", "books").await;
        let organization = desk.world.management.organization_id;
        let found = desk.world.read(async |tx| organization::account(tx, organization, books).await);
        let node = found.await.unwrap().node_id;
        let at = |what: &str| format!("/console/organization/{what}");
        for form in [
            texts(at(&format!("departments/{node}/edit")), at(&format!("departments/{node}")),
                "remark", &[("name", "Finance")]),
            texts(at(&format!("accounts/{books}/edit")), at(&format!("accounts/{books}")), "remark",
                &[("name", "books")]),
        ] {
            both_want_it(&desk, &form).await;
        }
    }

    async fn two_at_the_settings_of_a_space(house) {
        let desk = Desk::open(house).await;
        let company = Company {
            house,
            organization: desk.world.space.organization_id,
            management: desk.world.management.uin,
            space: desk.world.space.clone(),
            idp: FakeIdp::new(),
        };
        company.set_identity_provider().await;
        let at = |what: &str| format!("/console/settings/{what}");
        let numbers = [("brake_percent", "20"), ("brake_window", "60"), ("record_days", "30"),
            ("record_megabytes", "512")];
        let with_users = |users| numbers.into_iter().chain([("brake_users", users)]).collect();
        let responses =
            texts(at("sso/responses"), at("sso/responses"), "identity_attribute", &[]);
        let requests = Form {
            page: at("sso/requests"),
            action: at("sso/requests"),
            first: vec![("name_id", "unspecified"), ("authn_contexts", "urn:first")],
            second: vec![("name_id", "unspecified"), ("authn_contexts", "urn:second")],
            words: ["urn:first", "urn:second"],
        };
        let scim = Form {
            page: at("scim/settings"),
            action: at("scim/settings"),
            first: with_users("77123"),
            second: with_users("88123"),
            words: ["77123", "88123"],
        };
        for form in [responses, requests, scim] {
            both_want_it(&desk, &form).await;
        }
        // Where a box is ticked, the second version ticks it again.
        let kind = Kind::CHOICE[0];
        let new = [("url", "http://127.0.0.1:9/first"), ("kinds", kind.as_str())];
        let new: Vec<_> = new.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let made = desk.post(&at("events"), &new).await;
        assert_eq!(made.status, StatusCode::OK, "{}", made.page);
        let (_, rest) = made.page.split_once("href=\"/console/settings/events/").unwrap();
        let here = at(&format!("events/{}", rest.split('"').next().unwrap()));
        let kind = kind.as_str();
        both_want_it(&desk, &Form {
            page: here.clone(),
            action: here,
            first: vec![("url", "http://127.0.0.1:9/one"), ("kinds", kind)],
            second: vec![("url", "http://127.0.0.1:9/two"), ("kinds", kind), ("full_content", "true")],
            words: ["127.0.0.1:9/one", "127.0.0.1:9/two"],
        }).await;
    }

    async fn a_form_that_is_refused_keeps_what_it_was_made_from(house) {
        let desk = Desk::open(house).await;
        let ann = desk.world.user("ann").await;
        let (page, action) = (format!("/console/users/{ann}/edit"), format!("/console/users/{ann}"));
        let mark = input(&desk.page(&page).await, "mark");
        let long = "x".repeat(200);
        let refused = desk.post(&action, &fields(&mark, &[("last_name", long.as_str())])).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(input(&refused.page, "mark"), mark);
        let saved = desk.post(&action, &fields(&mark, &[("last_name", "First")])).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER);
        // What was refused before and is mended now is late all the same.
        let late = desk.post(&action, &fields(&mark, &[("last_name", "Second")])).await;
        assert_eq!(late.status, StatusCode::CONFLICT);
        // No script of anybody's own is stopped by a mark that it does not have.
        let plain = vec![("last_name".to_owned(), "Third".to_owned())];
        assert_eq!(desk.post(&action, &plain).await.status, StatusCode::SEE_OTHER);
    }
}
