//! A browser that goes from page to page of the demo, and looks closely at each.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use thirtyfour::{By, WebDriver};

use crate::{
    commands::Demo,
    tools::{Browser, axe},
};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One browser at one demo.
pub struct Tour {
    demo: Demo,
    browser: Browser,
    axe: String,
    /// Patterns of paths, the more definite first.
    patterns: Vec<String>,
    /// Routes whose page was looked at.
    seen: BTreeSet<String>,
    /// Names of the pages that were looked at.
    names: BTreeSet<String>,
    problems: Vec<String>,
    pictures: Option<PathBuf>,
    _data: tempfile::TempDir,
}

impl Tour {
    /// None where a tool is missing.
    pub async fn begin() -> Option<Self> {
        let axe = axe()?;
        let browser = Browser::start().await?;
        let data = tempfile::tempdir().unwrap();
        let demo = Demo::start(data.path());
        let mut patterns: Vec<String> = super::routes_with_pages().into_iter().collect();
        patterns.sort_by_key(|pattern| (pattern.matches('{').count(), pattern.clone()));
        let pictures = std::env::var_os("IDENTITY_CENTER_SCREENSHOTS").map(PathBuf::from);
        if let Some(folder) = &pictures {
            std::fs::create_dir_all(folder).unwrap();
        }
        Some(Self {
            demo,
            browser,
            axe,
            patterns,
            seen: BTreeSet::new(),
            names: BTreeSet::new(),
            problems: Vec::new(),
            pictures,
            _data: data,
        })
    }

    fn driver(&self) -> &WebDriver {
        &self.browser.driver
    }

    /// The routes that were looked at.
    pub fn seen(&self) -> &BTreeSet<String> {
        &self.seen
    }

    /// What was found, and on how many pages.
    pub async fn end(self) -> (Vec<String>, usize) {
        self.browser.close().await;
        self.demo.stop();
        (self.problems, self.names.len())
    }

    /// The route that a path is of.
    fn route(&self, path: &str) -> Option<&String> {
        let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        self.patterns.iter().find(|pattern| {
            let wanted: Vec<&str> = pattern.trim_end_matches('/').split('/').collect();
            wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(want, is)| want.starts_with('{') || want == is)
        })
    }

    pub async fn visit(&self, path: &str) {
        self.driver().goto(format!("{}{path}", self.demo.url)).await.unwrap();
    }

    /// Where the demo is.
    pub fn url(&self) -> &str {
        &self.demo.url
    }

    /// Presses a copy button; what is in the clipboard then.
    pub async fn copy(&self, css: &str) -> String {
        let may = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
            "origin": self.demo.url });
        self.browser.developer("Browser.grantPermissions", may).await;
        self.press_first(css).await;
        let read = "const done = arguments[arguments.length - 1];
            setTimeout(() => navigator.clipboard.readText().then(done, (no) => done('' + no)), 200)";
        let read = self.driver().execute_async(read, Vec::new()).await.unwrap();
        read.json().as_str().unwrap().to_owned()
    }

    /// Presses keys where the focus is.
    pub async fn keys(&self, keys: &str) {
        self.driver().action_chain().send_keys(keys).perform().await.unwrap();
    }

    /// Presses Tab until the focus is on an element that can be seen to have it.
    pub async fn tab_to(&self, css: &str) {
        let there = format!("return document.activeElement?.matches(\"{css}\") ?? false");
        for _ in 0..200 {
            self.keys("\u{e004}").await;
            if self.run(&there).await == json!(true) {
                let ring = "const style = getComputedStyle(document.activeElement);
                    return style.outlineStyle !== 'none' || document.activeElement.matches('.skip')";
                assert_eq!(self.run(ring).await, json!(true), "no ring around {css}");
                return;
            }
        }
        panic!("Tab does not come to {css} at {}", self.path().await);
    }

    /// Waits until a script says yes.
    pub async fn until(&self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.driver().execute(script, Vec::new()).await;
            if said.is_ok_and(|said| said.json() == &json!(true)) {
                return;
            }
            assert!(Instant::now() < deadline, "never: {script}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// How many windows are open.
    pub async fn windows(&self) -> usize {
        self.driver().windows().await.unwrap().len()
    }

    pub async fn until_windows(&self, count: usize) {
        let deadline = Instant::now() + PATIENCE;
        while self.windows().await < count {
            assert!(Instant::now() < deadline, "no window opened");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where the browser is.
    pub async fn path(&self) -> String {
        let url = self.driver().current_url().await.unwrap();
        match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        }
    }

    /// Goes somewhere and looks.
    pub async fn look(&mut self, path: &str, name: &str) {
        self.visit(path).await;
        self.inspect(name).await;
    }

    pub async fn fill(&self, name: &str, text: &str) {
        let field = self.find(By::Css(format!("[name='{name}']"))).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    async fn find(&self, by: By) -> thirtyfour::WebElement {
        let deadline = Instant::now() + PATIENCE;
        loop {
            for element in self.driver().find_all(by.clone()).await.unwrap_or_default() {
                if element.is_displayed().await.unwrap_or(false) {
                    return element;
                }
            }
            if Instant::now() >= deadline {
                let page = self.driver().source().await.unwrap_or_default();
                panic!("{by:?} is not at {}\n{page}", self.path().await);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The button or link of these words.
    pub async fn press(&self, words: &str) {
        let path = format!("//main//*[self::a or self::button][normalize-space()='{words}']");
        self.find(By::XPath(path)).await.click().await.unwrap();
    }

    pub async fn press_first(&self, css: &str) {
        self.find(By::Css(css.to_owned())).await.click().await.unwrap();
    }

    pub async fn run(&self, script: &str) -> Value {
        self.driver().execute(script, Vec::new()).await.unwrap().json().clone()
    }

    async fn developer(&self, command: &str, parameters: Value) {
        self.browser.developer(command, parameters).await;
    }

    async fn scheme(&self, scheme: &str) {
        let feature = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            // Colours change at once.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.developer("Emulation.setEmulatedMedia", feature).await;
    }

    async fn width(&self, width: Option<u32>) {
        match width {
            Some(width) => {
                let metrics = json!({ "width": width, "height": 800, "deviceScaleFactor": 1,
                    "mobile": false });
                self.developer("Emulation.setDeviceMetricsOverride", metrics).await;
            }
            None => self.developer("Emulation.clearDeviceMetricsOverride", json!({})).await,
        }
    }

    async fn picture(&self, name: &str, kind: &str) {
        let Some(folder) = &self.pictures else { return };
        let file = folder.join(format!("{name}.{kind}.png"));
        self.driver().screenshot(&file).await.unwrap();
    }

    /// What axe-core says of the page as it is, by these rules.
    async fn ask_axe(&mut self, name: &str, kind: &str, options: Value) {
        let run = "const done = arguments[arguments.length - 1];
             axe.run(document, arguments[0]).then(
               (found) => done(found.violations.map((it) => it.id + ': ' + it.help + ' – '
                 + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)
                     + ' (' + (node.any[0]?.message ?? '') + ')').join(' | '))),
               (error) => done(['axe failed: ' + error]))";
        let found = self.driver().execute_async(run, vec![options]).await.unwrap();
        for violation in found.json().as_array().unwrap() {
            let path = self.path().await;
            self.problems.push(format!("{name} ({kind}, {path}): {}", violation.as_str().unwrap()));
        }
    }

    /// Looks closely at the page that is open.
    pub async fn inspect(&mut self, name: &str) {
        let path = self.path().await;
        let plain = path.split('?').next().unwrap_or_default();
        if let Some(route) = self.route(plain).cloned() {
            self.seen.insert(route);
        }
        if !self.names.insert(name.to_owned()) {
            return;
        }
        // A page that looks again by itself must not do so under our eyes.
        self.run(
            "for (const it of document.querySelectorAll('[data-refresh-seconds]')) it.remove()",
        )
        .await;
        self.scheme("light").await;
        self.run(&self.axe).await;
        let all = json!({ "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
            "best-practice"], "resultTypes": ["violations"] });
        self.ask_axe(name, "light", all).await;
        self.picture(name, "light").await;
        self.scheme("dark").await;
        let contrast = json!({ "runOnly": { "type": "rule", "values": ["color-contrast"] },
            "resultTypes": ["violations"] });
        self.ask_axe(name, "dark", contrast).await;
        self.picture(name, "dark").await;
        self.scheme("light").await;
        // 320 px is also 1280 px at 400 % (WCAG 1.4.10); text at 200 % is 640 px of these.
        for width in [320, 640] {
            self.width(Some(width)).await;
            let wide = self.run("return document.documentElement.scrollWidth").await;
            if wide.as_u64().is_none_or(|wide| wide > u64::from(width)) {
                self.problems.push(format!("{name} ({path}): {wide} px wide in {width}"));
            }
            if width == 320 {
                self.picture(name, "narrow").await;
            }
        }
        self.width(None).await;
    }

    /// Looks at the page of each route and tab that links lead to from here, on this door's side.
    pub async fn follow(&mut self, from: &str) {
        let door = from.split('/').nth(1).unwrap_or_default().to_owned();
        let mut ahead = VecDeque::from([from.to_owned()]);
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        known.insert(self.kind_of(from).unwrap_or_default(), from.to_owned());
        while let Some(path) = ahead.pop_front() {
            self.visit(&path).await;
            let kind = self.kind_of(&path).unwrap_or_default();
            self.inspect(&name_of(&kind)).await;
            let links = self
                .run(
                    "return [...document.querySelectorAll('a[href]')]
                      .filter((a) => a.origin === location.origin && !a.hasAttribute('download'))
                      .map((a) => a.pathname + a.search)",
                )
                .await;
            for link in links.as_array().unwrap().iter().filter_map(Value::as_str) {
                if link.split('/').nth(1).map(|it| it.split('?').next()) != Some(Some(&*door)) {
                    continue;
                }
                let Some(kind) = self.kind_of(link) else { continue };
                if let std::collections::btree_map::Entry::Vacant(new) = known.entry(kind) {
                    new.insert(link.to_owned());
                    ahead.push_back(link.to_owned());
                }
            }
        }
    }

    /// What a link is like: its route, and its tab if it says one. None for what is no page.
    fn kind_of(&self, link: &str) -> Option<String> {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let route = self.route(path)?;
        if super::ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == route) {
            return None;
        }
        let tab = query.split('&').find_map(|pair| pair.strip_prefix("tab="));
        Some(match tab {
            Some(tab) => format!("{route}?{tab}"),
            None => route.clone(),
        })
    }

    /// A directory pushes somebody, and something that is refused.
    pub async fn push_things(&self) {
        let token = self.demo.after("token ").to_owned();
        let scim = format!("{}/scim/v2/Users", self.demo.url);
        for (name, expected) in [("erin", 201), ("erin", 409)] {
            let push = json!({ "userName": name, "displayName": "Erin", "active": true });
            let pushed = Client::new().post(&scim).bearer_auth(&token).json(&push).send();
            assert_eq!(pushed.await.unwrap().status().as_u16(), expected);
        }
    }

    /// Signs in at the console.
    pub async fn enter_console(&self) {
        self.visit("/console/login").await;
        self.fill("account", self.demo.after("account ")).await;
        self.fill("user_name", "admin").await;
        self.fill("password", self.demo.after("password ")).await;
        self.press_first("main form button").await;
        self.find(By::Css(".console".to_owned())).await;
    }

    /// What the demo has none of: somebody made by hand, a receiver of events, a test sign-in.
    pub async fn make_things(&self) {
        self.visit("/console/users/new").await;
        self.fill("user_name", "frank").await;
        self.press("Create user").await;
        self.visit("/console/groups/new").await;
        self.fill("name", "Visitors").await;
        self.press("Create group").await;
        self.visit("/console/settings/events").await;
        self.fill("url", "https://events.example.com/in").await;
        self.press_first("main form:has([name=url]) button").await;
        self.visit("/console/settings/sso/tests").await;
        self.press_first("main form button").await;
    }

    /// Signs in at the portal as somebody.
    pub async fn enter_portal(&mut self, name: &str) {
        self.visit("/portal/acme/login").await;
        self.sign_in_as(name).await;
    }

    /// From the sign-in page that is open through the demo's identity provider.
    pub async fn sign_in_as(&mut self, name: &str) {
        self.press_first("#sign-in").await;
        self.find(By::Css("#user_name".to_owned())).await;
        self.inspect("demo-identity-provider").await;
        self.fill("user_name", name).await;
        self.press_first("main form:has(#user_name) button").await;
        self.find(By::Css(".workspace".to_owned())).await;
    }

    /// From the portal's home into an account, in this window.
    pub async fn enter_account(&self) {
        self.visit("/portal/acme").await;
        self.run("for (const it of document.querySelectorAll('form[target]')) it.removeAttribute('target')")
            .await;
        self.press_first("section.account form button").await;
        self.find(By::Css("#account".to_owned())).await;
    }
}

/// The name of a route's pictures.
fn name_of(kind: &str) -> String {
    let name: String = kind
        .trim_start_matches('/')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let mut short = name.replace("--", "-").replace("--", "-");
    while short.ends_with('-') {
        short.pop();
    }
    short
}
