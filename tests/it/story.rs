//! The seed story: from an empty organisation to a person in an account, at the pages alone; in
//! English with the mouse, and in Chinese with the keyboard alone.

use std::time::{Duration, Instant};

use identity_center::{clock::Clock, cloud};
use serde_json::{Value, json};
use thirtyfour::{By, Key, WebDriver};
use zeroize::Zeroizing;

use crate::{
    house::{Database, TestHouse},
    tools::{Browser, IdentityProvider},
};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const PASSWORD: &str = "correct horse battery staple";
/// More stops than any page has.
const MOST_STOPS: usize = 150;

/// What somebody uses pages with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    Mouse,
    Keyboard,
}

/// Somebody at a browser.
struct Traveller<'b> {
    driver: &'b WebDriver,
    hand: Hand,
    base: String,
}

impl Traveller<'_> {
    async fn run(&self, script: &str) -> Value {
        self.driver.execute(script, Vec::new()).await.map_or(Value::Null, |it| it.json().clone())
    }

    /// Waits until a script says yes; pages come and go meanwhile.
    async fn until(&self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(script).await != json!(true) {
            if Instant::now() >= deadline {
                let page = self.driver.source().await.unwrap_or_default();
                panic!("{:?}: {script}\n{page}", self.hand);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn visit(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// Until the address is of this path.
    async fn at(&self, part: &str) {
        self.until(&format!("return document.readyState === 'complete' && (location.pathname + location.search).includes({part:?})")).await;
    }

    async fn keys(&self, keys: impl Into<thirtyfour::TypingData>) {
        self.driver.action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Tab by Tab to what a selector means.
    async fn tab_to(&self, css: &str) {
        let here = format!("return document.activeElement?.matches({css:?}) === true");
        for _ in 0..MOST_STOPS {
            if self.run(&here).await == json!(true) {
                return;
            }
            self.keys(Key::Tab + "").await;
        }
        panic!("no Tab leads to {css} at {:?}", self.driver.current_url().await);
    }

    async fn is_there(&self, css: &str) {
        self.until(&format!(
            "return [...document.querySelectorAll({css:?})].some((it) => it.getClientRects().length > 0 && !it.disabled)"
        ))
        .await;
    }

    /// Uses a button, link or box.
    async fn press(&self, css: &str) {
        self.is_there(css).await;
        match self.hand {
            Hand::Mouse => {
                let found = self.driver.find_all(By::Css(css)).await.unwrap();
                for one in found {
                    if one.is_displayed().await.unwrap() {
                        one.scroll_into_view().await.unwrap();
                        one.click().await.unwrap();
                        return;
                    }
                }
                panic!("{css} cannot be clicked");
            }
            Hand::Keyboard => {
                self.tab_to(css).await;
                let is_box = "return document.activeElement.type === 'checkbox'";
                let key =
                    if self.run(is_box).await == json!(true) { Key::Space } else { Key::Enter };
                self.keys(key + "").await;
            }
        }
    }

    async fn write(&self, css: &str, text: &str) {
        self.is_there(css).await;
        match self.hand {
            Hand::Mouse => {
                let field = self.driver.find(By::Css(css)).await.unwrap();
                field.click().await.unwrap();
                field.send_keys(text).await.unwrap();
            }
            Hand::Keyboard => {
                self.tab_to(css).await;
                self.driver.active_element().await.unwrap().send_keys(text).await.unwrap();
            }
        }
    }
}

/// A house with an organisation, in which nobody has set anything up.
async fn empty() -> (TestHouse, String) {
    let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
    let act = house.app.own_act("test").unwrap();
    let key = cloud::new_access_key(&house.app.sealer).unwrap();
    let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let account = house
        .app
        .db
        .write(async |tx| -> Result<String, cloud::Error> {
            let (_, management, _) = cloud::install(tx, &act, "Org", "admin", "x", &key).await?;
            cloud::create_member(tx, &act, &management, None, "shop", "").await?;
            cloud::set_password(tx, &act, management.uin, &hash).await?;
            Ok(management.uin.to_string())
        })
        .await
        .unwrap();
    (house, account)
}

/// The story in one language with one hand. False where there is no identity provider.
async fn tell(driver: &WebDriver, tag: &str, hand: Hand) -> bool {
    let (house, account) = empty().await;
    let who = Traveller { driver, hand, base: house.url("") };

    // The administrator signs in and opens a space.
    who.visit("/console").await;
    who.press(&format!("button[name=language][value={tag:?}]")).await;
    who.until(&format!("return document.documentElement.lang === {tag:?}")).await;
    who.write("[name=account]", &account).await;
    who.write("[name=user_name]", "admin").await;
    who.write("[name=password]", PASSWORD).await;
    who.press("main form .button-main").await;
    who.write("[name=name]", "acme").await;
    // The name is looked at while it is written.
    who.until("return document.querySelector('#verdict').textContent.includes('acme')").await;
    who.press("button[popovertarget=open]:not([popovertargetaction])").await;
    who.press("#open .button-main").await;
    who.is_there("[data-copy$='/portal/acme/login']").await;

    // The identity provider.
    let space: Vec<(i64,)> = house
        .app
        .db
        .read(async |tx| -> identity_center::store::Result<_> {
            identity_center::store::sql("SELECT id FROM spaces").fetch_all(tx).await
        })
        .await
        .unwrap();
    let id = identity_center::id::SpaceId(space[0].0);
    let service = house.browser().get(house.url(&format!("/saml/sp/{id}"))).send().await.unwrap();
    let Some(provider) = IdentityProvider::start(&service.text().await.unwrap()) else {
        house.close().await;
        return false;
    };
    who.press("a[href='/console/settings/sso']").await;
    who.press("main a[href='/console/settings/sso/provider']").await;
    let metadata = provider.metadata.split_whitespace().collect::<Vec<_>>().join(" ");
    who.write("[name=text]", &metadata).await;
    who.press("form[action$='/metadata'] .button-main").await;
    who.press("form[action$='/approve'] .button-main").await;
    who.press("button[popovertarget=switch]:not([popovertargetaction])").await;
    who.press("form[action='/console/settings/sso/on'] .button-main").await;
    who.is_there(".notice-good[role=status]").await;

    // Alice, while everything is by hand; then SCIM is switched on.
    who.press("a[href='/console/users']").await;
    who.press("main a[href='/console/users/new']").await;
    who.write("[name=user_name]", "alice").await;
    who.press("main form .form-foot .button-main").await;
    who.at("/console/users/u-").await;
    who.press("a[href='/console/settings/scim']").await;
    who.press("form[action='/console/settings/scim/on'] button").await;
    who.is_there("form[action='/console/settings/scim/off']").await;

    // A configuration.
    who.press("a[href='/console/configurations']").await;
    who.press("main a[href='/console/configurations/new']").await;
    who.write("[name=name]", "look").await;
    who.press("main form .form-foot .button-main").await;
    who.press("main a[href$='/policies']").await;
    who.write("#search", "QcloudCVMReadOnlyAccess").await;
    who.press(".search button").await;
    who.at("search=QcloudCVMReadOnlyAccess").await;
    who.press("input[name=add]").await;
    who.press(".chosen .button-main").await;
    who.press("form.confirm .form-foot button").await;
    who.at("/console/configurations/").await;

    // Alice gets it on the account.
    who.press("a[href='/console/authorization']").await;
    who.press(&format!("input[name=account]:not([value='{account}'])")).await;
    who.press(".chosen .button-main").await;
    who.at("/identities").await;
    who.press("input[name=principal]").await;
    who.press(".chosen .button-main").await;
    who.at("/authorization/configurations").await;
    who.press("input[name=configuration]").await;
    who.press(".chosen .button-main").await;
    who.at("/review").await;
    who.press("form.confirm .form-foot button").await;
    // The page looks again by itself until the task is done, and says so.
    who.at("/console/tasks/of/").await;
    who.is_there("tbody .badge-good").await;

    // What to tell people stands on the overview, in the reader's language and time.
    who.press("nav a[href='/console']").await;
    who.is_there("[data-copy$='/portal/acme/login']").await;
    let local = "return [...document.querySelectorAll('main time[datetime]')].every((it) => it.title.endsWith('UTC'))";
    who.until(local).await;

    // Alice signs in, and enters the account.
    who.visit("/portal/acme/login").await;
    who.press("#sign-in").await;
    who.write("[name=username]", "alice").await;
    who.write("[name=password]", "alice-password").await;
    who.press("form [type=submit], form button").await;
    who.at("/portal/acme").await;
    who.until(&format!("return document.documentElement.lang === {tag:?}")).await;
    let portal = driver.window().await.unwrap();
    who.press("section.account form button.button-main").await;
    let deadline = Instant::now() + PATIENCE;
    let account = loop {
        let windows = driver.windows().await.unwrap();
        if let Some(other) = windows.into_iter().find(|window| *window != portal) {
            break other;
        }
        assert!(Instant::now() < deadline, "no account opens");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    driver.switch_to_window(account).await.unwrap();
    who.until("return document.querySelector('#role')?.textContent.includes('look') === true")
        .await;
    driver.close_window().await.unwrap();
    driver.switch_to_window(portal).await.unwrap();
    driver.delete_all_cookies().await.unwrap();
    drop(provider);
    house.close().await;
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn act_01_sso_01_scim_04_pc_01_rs_02_prt_10_the_seed_story() {
    let Some(browser) = Browser::start().await else { return };
    for (tag, hand) in [("en", Hand::Mouse), ("zh-CN", Hand::Keyboard)] {
        if !tell(&browser.driver, tag, hand).await {
            break;
        }
    }
    browser.close().await;
}
