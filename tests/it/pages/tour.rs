//! A browser that goes from page to page of a server, and looks closely at each.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use thirtyfour::{By, WebDriver, WebElement};

use crate::{
    commands::Demo,
    tools::{Browser, axe},
};

/// How long a page may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// One browser at one demo.
pub struct Tour {
    pub demo: Demo,
    pub data: tempfile::TempDir,
    browser: Browser,
    language: Language,
    /// Where the pages are that [`Tour::visit`] opens: the demo, or another server.
    pub base: String,
    /// Patterns of paths, the more definite first.
    patterns: Vec<String>,
    /// Routes whose page was looked at.
    seen: BTreeSet<String>,
    /// Whether [`Tour::inspect`] looks: what leads somewhere need not be looked at each time.
    pub looks: bool,
    /// Names of the pages that were looked at.
    names: BTreeSet<String>,
    problems: Vec<String>,
    pictures: Option<PathBuf>,
}

/// What the pages speak on a tour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Looked at in every way.
    English,
    /// Only that the page speaks it and fits.
    Chinese,
}

impl Language {
    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

impl Tour {
    /// None where a tool is missing.
    pub async fn begin(language: Language) -> Option<Self> {
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
        let base = demo.url.clone();
        let tour = Self {
            demo,
            data,
            browser,
            language,
            base,
            patterns,
            seen: BTreeSet::new(),
            looks: true,
            names: BTreeSet::new(),
            problems: Vec::new(),
            pictures,
        };
        let accepted = json!({ "headers": { "Accept-Language": language.tag() } });
        if language == Language::English {
            let everywhere = json!({ "source": axe });
            tour.developer("Page.addScriptToEvaluateOnNewDocument", everywhere).await;
        }
        tour.developer("Network.enable", json!({})).await;
        tour.developer("Network.setExtraHTTPHeaders", accepted).await;
        tour.scheme("light").await;
        Some(tour)
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
        self.driver().goto(format!("{}{path}", self.base)).await.unwrap();
    }

    /// Presses a copy button; what is in the clipboard then.
    pub async fn copy(&self, css: &str) -> String {
        let may = json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"],
            "origin": self.base });
        self.developer("Browser.grantPermissions", may).await;
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

    /// Holds Shift while a key is pressed.
    pub async fn shifted(&self, key: &str) {
        let chain = self.driver().action_chain().key_down('\u{e008}').send_keys(key);
        chain.key_up('\u{e008}').perform().await.unwrap();
    }

    /// Presses Tab until the focus is on an element that can be seen to have it.
    pub async fn tab_to(&self, css: &str) {
        let there = format!("return document.activeElement?.matches(\"{css}\") ?? false");
        for _ in 0..200 {
            self.keys("\u{e004}").await;
            if self.run(&there).await == json!(true) {
                // It has a ring, and nothing stands before it (WCAG 2.2, 2.4.7 and 2.4.11).
                let seen = "const it = document.activeElement, style = getComputedStyle(it);
                    if (style.outlineStyle === 'none') return 'no ring';
                    const box = it.getBoundingClientRect();
                    const on = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                    return on && (it.contains(on) || on.contains(it) || it.labels?.[0]?.contains(on))
                      ? '' : 'behind ' + on?.outerHTML.slice(0, 80)";
                assert_eq!(self.run(seen).await, json!(""), "{css} at {}", self.path().await);
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
            assert!(Instant::now() < deadline, "never at {}: {script}", self.path().await);
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
        let field = self.find(By::Css(format!(":is(input, textarea)[name='{name}']"))).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub async fn find(&self, by: By) -> WebElement {
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

    /// Clicks on the first of these that is in sight.
    pub async fn press_first(&self, css: &str) {
        self.find(By::Css(css.to_owned())).await.click().await.unwrap();
    }

    /// Clicks, and waits for the next page.
    pub async fn press_on(&self, css: &str) {
        self.run("document.documentElement.dataset.before = 'yes'").await;
        self.press_first(css).await;
        self.until(
            "return document.readyState === 'complete' && !document.documentElement.dataset.before",
        )
        .await;
    }

    pub async fn run(&self, script: &str) -> Value {
        self.driver().execute(script, Vec::new()).await.unwrap().json().clone()
    }

    async fn developer(&self, command: &str, parameters: Value) -> Value {
        self.browser.developer(command, parameters).await
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
            None => {
                self.developer("Emulation.clearDeviceMetricsOverride", json!({})).await;
            }
        }
    }

    /// The whole page, however long.
    async fn picture(&self, name: &str, kind: &str) {
        let Some(folder) = &self.pictures else { return };
        let whole = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.developer("Page.captureScreenshot", whole).await;
        let png = STANDARD.decode(taken["value"]["data"].as_str().unwrap()).unwrap();
        std::fs::write(folder.join(format!("{name}.{kind}.png")), png).unwrap();
    }

    fn wrong(&mut self, problem: String) {
        eprintln!("{problem}");
        self.problems.push(problem);
    }

    /// What axe-core says of the page as it is, by these rules.
    async fn ask_axe(&mut self, name: &str, kind: &str, options: Value) {
        let run = "const done = arguments[arguments.length - 1];
             axe.run(document.querySelector('.ask:popover-open') ?? document, arguments[0]).then(
               (found) => done(found.violations.map((it) => it.id + ': ' + it.help + ' – '
                 + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)
                     + ' (' + (node.any[0]?.message ?? '') + ')').join(' | '))),
               (error) => done(['axe failed: ' + error]))";
        let found = self.driver().execute_async(run, vec![options]).await.unwrap();
        for violation in found.json().as_array().unwrap() {
            let path = self.path().await;
            self.wrong(format!("{name} ({kind}, {path}): {}", violation.as_str().unwrap()));
        }
    }

    /// The rules that count: WCAG 2.2 A and AA, and what axe-core holds for good practice.
    fn every_rule() -> Value {
        json!({ "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa",
            "best-practice"], "resultTypes": ["violations"] })
    }

    /// That nothing is cut off or has to be scrolled sideways. 320 px is 1280 px at 400 % (WCAG
    /// 1.4.10), and 640 px is 1280 px at 200 % (1.4.4).
    async fn fits(&mut self, name: &str) {
        for width in [320, 640, 1280] {
            self.width(Some(width)).await;
            let wide = self
                .run(
                    "const wide = document.documentElement.scrollWidth;
                     const inner = '.scroll, pre, .tabs, .visually-hidden, .ask, .clip, svg, [hidden]';
                     const cut = [...document.querySelectorAll('main .card *')].find((it) =>
                       it.getClientRects().length > 0 && !it.closest(inner)
                       && it.getBoundingClientRect().right
                         > it.closest('.card').getBoundingClientRect().right + 1);
                     if (cut) return 'cut off: ' + cut.outerHTML.slice(0, 150);
                     const out = [...document.querySelectorAll('body *')].filter((it) =>
                       it.getBoundingClientRect().right > innerWidth + 1 && !it.closest('.scroll'));
                     return wide > innerWidth ? wide + ' ' + (out.at(-1)?.outerHTML.slice(0, 150) ?? '') : ''",
                )
                .await;
            if wide != json!("") {
                let path = self.path().await;
                self.wrong(format!("{name} ({path}): in {width} px it is {wide}"));
            }
            if width == 320 && self.language == Language::English {
                self.picture(name, "narrow").await;
            }
        }
        self.width(None).await;
    }

    /// SET-03: what destroys something stands in a dialog or a plan, and a dialog that deletes one
    /// thing says its name.
    async fn asks_by_name(&mut self, name: &str) {
        let found = self
            .run(
                "const said = (it) => (it?.innerText || it?.textContent || '').trim();
                 const names = (form) => [form.closest('tr')?.querySelector('th'),
                   document.querySelector('h1'), form.closest('section')?.querySelector('h2')]
                   .flatMap((it) => said(it).split(/\\s+/)).filter((word) => word.length > 2);
                 const grave = /\\/(delete|remove|end|clear|off|sign-out|undeploy)$/;
                 return [...document.querySelectorAll('main form[method=post]')]
                   .filter((form) => grave.test(new URL(form.action).pathname))
                   .filter((form) => location.pathname.startsWith('/console'))
                   .flatMap((form) => {
                     const ask = form.closest('.ask') ?? form.querySelector('.ask');
                     if (!ask) return ['asks nothing: ' + form.action];
                     const one = /\\/(delete|remove)$/.test(new URL(form.action).pathname);
                     const title = said(ask.querySelector('h2'));
                     if (!one || names(form).some((word) => title.includes(word))) return [];
                     const url = document.querySelector('.facts .copy code');
                     return title.includes(said(url) || '-') ? [] : ['names nothing: ' + title];
                   })",
            )
            .await;
        for problem in found.as_array().unwrap() {
            self.wrong(format!("{name}: {}", problem.as_str().unwrap()));
        }
    }

    /// Looks closely at the page that is open, and at the first dialog that it can show.
    pub async fn inspect(&mut self, name: &str) {
        let path = self.path().await;
        let plain = path.split('?').next().unwrap_or_default();
        if let Some(route) = self.route(plain).cloned() {
            self.seen.insert(route);
        }
        if !self.looks || !self.names.insert(name.to_owned()) {
            return;
        }
        match self.language {
            Language::English => {
                self.asks_by_name(name).await;
                self.ask_axe(name, "light", Self::every_rule()).await;
                self.picture(name, "light").await;
                self.scheme("dark").await;
                let contrast = json!({ "runOnly": { "type": "rule", "values": ["color-contrast"] },
                    "resultTypes": ["violations"] });
                self.ask_axe(name, "dark", contrast).await;
                self.picture(name, "dark").await;
                self.scheme("light").await;
            }
            Language::Chinese => {
                let spoken = self.run("return document.documentElement.lang").await;
                if spoken != json!(self.language.tag()) {
                    self.wrong(format!("{name} ({path}) speaks {spoken}"));
                }
                self.picture(name, "zh-CN").await;
            }
        }
        self.fits(name).await;
        let dialog = "const it = document.querySelector('.ask[popover]');
            if (!it) return false; it.showPopover(); return it.getClientRects().length > 0";
        if self.run(dialog).await == json!(true) {
            let name = format!("{name}-dialog");
            if self.language == Language::English {
                self.ask_axe(&name, "light", Self::every_rule()).await;
                self.picture(&name, "light").await;
            } else {
                self.picture(&name, "zh-CN").await;
            }
            self.fits(&name).await;
            self.run("document.querySelector('.ask[popover]').hidePopover()").await;
        }
    }

    /// The menu of a narrow window, open.
    pub async fn look_at_menu(&mut self) {
        self.width(Some(320)).await;
        self.press_first("button.menu").await;
        if self.language == Language::English {
            self.ask_axe("menu", "light", Self::every_rule()).await;
            self.picture("menu", "narrow").await;
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

    /// What a link is like: its route, and its tab or act if it says one. None for what is no page.
    fn kind_of(&self, link: &str) -> Option<String> {
        let (path, query) = link.split_once('?').unwrap_or((link, ""));
        let route = self.route(path)?;
        if super::ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == route) {
            return None;
        }
        let telling = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            matches!(name, "tab" | "act").then(|| value.to_owned())
        };
        Some(match query.split('&').find_map(telling) {
            Some(told) => format!("{route}?{told}"),
            None => route.clone(),
        })
    }

    /// The first link of the open page that begins so.
    pub async fn link(&self, begins: &str) -> String {
        let found = self
            .run(&format!(
                "return document.querySelector(\"main a[href^='{begins}']\")?.getAttribute('href')"
            ))
            .await;
        let page = self.path().await;
        found.as_str().unwrap_or_else(|| panic!("no link to {begins} at {page}")).to_owned()
    }

    /// Signs in at the console.
    pub async fn enter_console(&self) {
        let (account, password) = (self.demo.after("account "), self.demo.after("password "));
        self.sign_in_at_console(account, "admin", password).await;
    }

    /// Signs in at the console of whatever server.
    pub async fn sign_in_at_console(&self, account: &str, name: &str, password: &str) {
        self.visit("/console/login").await;
        self.fill("account", account).await;
        self.fill("user_name", name).await;
        self.fill("password", password).await;
        self.press_on("main form button").await;
        self.find(By::Css(".console".to_owned())).await;
    }

    /// Signs in at the portal as somebody.
    pub async fn enter_portal(&mut self, name: &str) {
        self.visit("/portal/acme/login").await;
        self.sign_in_as(name).await;
        self.find(By::Css(".workspace".to_owned())).await;
    }

    /// From the sign-in page that is open through the demo's identity provider.
    pub async fn sign_in_as(&mut self, name: &str) {
        self.press_on("#sign-in").await;
        self.find(By::Css("#user_name".to_owned())).await;
        self.inspect("demo-identity-provider").await;
        self.fill("user_name", name).await;
        self.press_on("main form:has(#user_name) button").await;
    }

    /// From the portal's home into an account, in this window.
    pub async fn enter_account(&self) {
        self.visit("/portal/acme").await;
        self.run("for (const it of document.querySelectorAll('form[target]')) it.removeAttribute('target');
            for (const it of document.querySelectorAll('details')) it.open = true")
            .await;
        self.press_first("section.account form[action$='/login'] button").await;
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
