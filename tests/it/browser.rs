//! The whole way with a real browser and a real identity provider: an administrator sets
//! everything up at the console, and alice clicks from the login page into an account.

use std::time::{Duration, Instant};

use identity_center::{
    clock::Clock,
    cloud,
    directory::{self, NewUser},
    space, sso,
};
use thirtyfour::{By, WebDriver, WebElement, extensions::query::ElementQueryable};
use zeroize::Zeroizing;

use crate::{
    house::{Database, TestHouse},
    real_logout::without_redirect,
    tools::{Browser, IdentityProvider},
    world::World,
};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one look at a page may take.
const LOOK: Duration = Duration::from_secs(1);
const PASSWORD: &str = "correct horse battery staple";

/// A browser at a house in which nothing is set up but a space and one member account.
struct Visit {
    house: TestHouse,
    world: World,
    browser: Browser,
}

impl Visit {
    /// None where there is no browser. The clock is the machine's, as the browser's is.
    async fn begin() -> Option<Self> {
        let browser = Browser::start().await?;
        let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
        let world = World::make(house.app.clone()).await;
        Some(Self { house, world, browser })
    }

    fn driver(&self) -> &WebDriver {
        &self.browser.driver
    }

    async fn go(&self, path: &str) {
        self.driver().goto(self.house.url(path)).await.unwrap();
    }

    /// The first element that a selector finds, as soon as it can be used.
    async fn find(&self, css: &str) -> WebElement {
        self.displayed(By::Css(css)).await
    }

    /// The first of these elements that can be seen, as soon as one can. A page may be replaced
    /// by the next one at any moment (the tasks look again by themselves), and the driver has more
    /// than one error for that; so whatever goes wrong, the next page is looked at until the
    /// patience ends.
    async fn displayed(&self, by: By) -> WebElement {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let query = self.driver().query(by.clone()).wait(LOOK, Duration::from_millis(50));
            match query.and_displayed().first().await {
                Ok(element) => return element,
                Err(error) if Instant::now() >= deadline => {
                    let page = self.driver().source().await.unwrap_or_default();
                    panic!("{by:?} is not there: {error}\n{page}");
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn click(&self, css: &str) {
        self.find(css).await.click().await.unwrap();
    }

    /// The button or link of these words, as a person finds it.
    async fn press(&self, words: &str) {
        let path = format!("//main//*[self::a or self::button][normalize-space()='{words}']");
        self.displayed(By::XPath(path)).await.click().await.unwrap();
    }

    async fn fill(&self, name: &str, text: &str) {
        let field = self.find(&format!("[name='{name}']")).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Waits until the page's heading says this.
    async fn headed(&self, words: &str) {
        let path = format!("//h1[normalize-space()='{words}']");
        self.displayed(By::XPath(path)).await;
    }

    async fn text(&self, css: &str) -> String {
        self.find(css).await.text().await.unwrap()
    }

    /// Signs in at the console as the root of the management account.
    async fn enter_console(&self) {
        let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
        let uin = self.world.management.uin;
        self.world.write(async |tx, act| cloud::set_password(tx, act, uin, &hash).await).await;
        self.go("/console").await;
        self.fill("account", &uin.to_string()).await;
        self.fill("user_name", "admin").await;
        self.fill("password", "not it").await;
        self.press("Sign in").await;
        assert!(self.text("[role=alert]").await.contains("do not open the console"));
        self.fill("password", PASSWORD).await;
        self.press("Sign in").await;
        self.headed("Overview").await;
    }

    /// Sets the identity provider by its metadata and switches sign-in on.
    async fn connect(&self, provider: &IdentityProvider) {
        self.go("/console/settings/sso/provider").await;
        let text = self.find("[name=text]").await;
        self.driver()
            .execute(
                "arguments[0].value = arguments[1]",
                vec![text.to_json().unwrap(), provider.metadata.clone().into()],
            )
            .await
            .unwrap();
        self.press("Review").await;
        self.headed("Review the identity provider").await;
        self.press("Save").await;
        self.headed("Single sign-on").await;
        self.press("Turn on…").await;
        self.press("Turn on").await;
        assert_eq!(self.text("[role=status]").await, "Switched on.");
    }

    async fn create_user(&self, name: &str) {
        self.go("/console/users/new").await;
        self.fill("user_name", name).await;
        self.press("Create user").await;
        self.headed(name).await;
    }

    async fn create_configuration(&self, name: &str, policy: &str) {
        self.go("/console/configurations/new").await;
        self.fill("name", name).await;
        self.press("Create configuration").await;
        self.headed(name).await;
        self.press("Add policies").await;
        self.fill("search", policy).await;
        self.press("Search").await;
        self.click("input[name=add]").await;
        self.press("Review").await;
        self.headed("Add policies").await;
        self.press("Add policies").await;
        self.headed(name).await;
        assert!(self.text("tbody").await.contains(policy));
    }

    /// The role sync wizard: the member account, one user, one configuration.
    async fn authorize(&self, user: &str, configuration: &str) {
        self.go("/console/authorization").await;
        self.click(&format!("#account-{}", self.world.member.uin)).await;
        self.press("Configure CAM role sync").await;
        self.tick(user).await;
        self.press("Next").await;
        self.tick(configuration).await;
        self.press("Review").await;
        self.headed("Review the role sync").await;
        assert!(self.text("main").await.contains("One task does it."));
        self.press("Start role sync").await;
        self.headed("Create assignment").await;
        // The page looks again by itself until the task is done.
        self.find("tbody .badge-good").await;
    }

    /// Ticks the box in the row of this name.
    async fn tick(&self, name: &str) {
        let path = format!("//label[normalize-space()='{name}']");
        self.displayed(By::XPath(path)).await.click().await.unwrap();
    }

    /// From the user login URL through the identity provider.
    async fn sign_in(&self, name: &str) {
        self.go("/portal/test/login").await;
        self.click("#sign-in").await;
        self.fill("username", name).await;
        self.fill("password", &format!("{name}-password")).await;
        self.click("form [type=submit], form button").await;
    }

    async fn sign_out(&self) {
        self.click("form[action$='/sign-out'] button").await;
    }

    /// Asks the account console whether one may.
    async fn verdict(&self, action: &str) -> String {
        self.fill("action", action).await;
        self.fill("resource", "*").await;
        self.press("Try").await;
        self.find("#verdict").await.attr("data-allowed").await.unwrap().unwrap()
    }

    async fn end(self) {
        self.browser.close().await;
        self.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pc_01_rs_02_rs_03_from_the_login_page_to_the_account_console() {
    let Some(visit) = Visit::begin().await else { return };
    let service = visit.house.url(&format!("/saml/sp/{}", visit.world.space.id));
    let service = visit.house.browser().get(service).send().await.unwrap().text().await.unwrap();
    let Some(provider) = IdentityProvider::start(&service) else { return visit.end().await };

    visit.enter_console().await;
    visit.connect(&provider).await;
    visit.create_user("alice").await;
    visit.create_configuration("ServerReader", "QcloudCVMReadOnlyAccess").await;
    visit.authorize("alice", "ServerReader").await;

    visit.sign_in("alice").await;
    visit.headed("Your accounts").await;
    assert!(visit.text("section.account").await.contains("ServerReader"));
    let portal = visit.driver().window().await.unwrap();
    visit.click("section.account form button").await;
    // The account opens in a window of its own; the portal stays.
    let account = loop {
        let windows = visit.driver().windows().await.unwrap();
        if let Some(other) = windows.into_iter().find(|window| *window != portal) {
            break other;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    visit.driver().switch_to_window(account).await.unwrap();
    visit.headed("one").await;
    assert_eq!(visit.text("#account").await, visit.world.member.uin.to_string());
    assert!(visit.text("#role").await.contains("ServerReader"));
    assert_eq!(visit.verdict("cvm:DescribeInstances").await, "true");
    assert_eq!(visit.verdict("cvm:TerminateInstances").await, "false");
    assert_eq!(visit.verdict("cos:GetObject").await, "false");

    // Out again, here and at the company, where a password is wanted the next time.
    visit.driver().switch_to_window(portal).await.unwrap();
    visit.sign_out().await;
    visit.headed("You are signed out").await;
    visit.press("Sign in again").await;
    visit.click("#sign-in").await;
    visit.find("[name=password]").await;
    visit.end().await;
}

/// The tree of accounts by keyboard alone, and what is chosen beside what can be done with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn maa_01_maa_02_the_tree_is_used_by_keyboard() {
    let Some(visit) = Visit::begin().await else { return };
    visit.world.account("two").await;
    visit.enter_console().await;
    visit.go("/console/authorization").await;
    let action = visit.find(".chosen .button-main").await;
    assert!(!action.is_enabled().await.unwrap(), "nothing is chosen");
    assert_eq!(visit.text("[data-chosen-count]").await, "0");
    let keys = async |keys: &str| {
        let focused = visit.driver().active_element().await.unwrap();
        focused.send_keys(keys).await.unwrap();
    };
    visit.find(".tree summary").await.focus().await.unwrap();
    let (down, up, left, right) = ("\u{e015}", "\u{e013}", "\u{e012}", "\u{e014}");
    // Past the box for all of them to the last account, and choose it.
    keys("\u{e010}").await;
    keys(" ").await;
    assert_eq!(visit.text("[data-chosen-count]").await, "1");
    assert!(action.is_enabled().await.unwrap());
    keys(up).await;
    keys(" ").await;
    assert_eq!(visit.text("[data-chosen-count]").await, "2");
    keys(left).await;
    keys(left).await;
    let open = visit.find(".tree details").await.prop("open").await.unwrap();
    assert_eq!(open.as_deref(), Some("false"));
    keys(right).await;
    keys(down).await;
    assert_eq!(visit.driver().active_element().await.unwrap().tag_name().await.unwrap(), "input");
    // With Enter in the search one stays, and what is chosen stays chosen.
    visit.fill("search", "two\u{e007}").await;
    visit.find("input[name=account]:checked").await;
    assert_eq!(visit.text("[data-chosen-count]").await, "2");
    visit.press("Configure CAM role sync").await;
    visit.headed("Choose users and groups").await;
    // Back leads to the step with all that was chosen.
    visit.driver().back().await.unwrap();
    visit.headed("Multi-account authorisation").await;
    assert_eq!(visit.text("[data-chosen-count]").await, "2");
    visit.end().await;
}

/// What a form leads to, a browser holds to the policy of the form's page: here every step of a
/// logout is a form.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_goes_by_forms_too() {
    let Some(visit) = Visit::begin().await else { return };
    let space = visit.world.space.clone();
    let service = visit.house.url(&format!("/saml/sp/{}", space.id));
    let service = visit.house.browser().get(service).send().await.unwrap().text().await.unwrap();
    let service = without_redirect(&service);
    let Some(provider) = IdentityProvider::start(&service) else { return visit.end().await };
    let metadata = without_redirect(&provider.metadata);
    visit
        .world
        .write(async |tx, act| -> anyhow::Result<()> {
            sso::set_by_metadata(tx, act, space.id, metadata.as_bytes()).await?;
            space::set_sso_enabled(tx, act, &space, true).await?;
            let alice = NewUser { user_name: "alice".to_owned(), ..NewUser::default() };
            directory::create_user(tx, act, space.id, &alice, 10).await?;
            Ok(())
        })
        .await;
    visit.sign_in("alice").await;
    visit.headed("Your accounts").await;
    visit.sign_out().await;
    visit.headed("You are signed out").await;
    visit.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_unknown_sees_why_and_no_portal() {
    let Some(visit) = Visit::begin().await else { return };
    let service = visit.house.url(&format!("/saml/sp/{}", visit.world.space.id));
    let service = visit.house.browser().get(service).send().await.unwrap().text().await.unwrap();
    let Some(provider) = IdentityProvider::start(&service) else { return visit.end().await };
    visit.enter_console().await;
    visit.connect(&provider).await;

    visit.sign_in("bob").await;
    let card = visit.text("main .card").await;
    assert!(card.contains("Code"), "no error page: {card}");
    visit.go("/portal/test").await;
    assert!(visit.driver().current_url().await.unwrap().path().ends_with("/portal/test/login"));

    // The administrator reads the reason.
    visit.go("/console/settings/sso").await;
    assert!(visit.text("tbody .badge-bad").await.contains("Refused"));
    assert!(visit.text("main").await.contains("No user of the directory has this name"));
    visit.end().await;
}
