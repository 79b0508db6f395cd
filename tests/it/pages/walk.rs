//! The way of the tour: every page, and the states that pages can be in.

use identity_center::{app::App, cloud, organization, policy::catalogue};
use zeroize::Zeroizing;

use super::tour::Tour;
use crate::{
    house::TestHouse,
    journey::{Company, act},
};

/// Lists that can be searched, and an address that finds nothing there.
const NOTHING_FOUND: &[(&str, &str)] = &[
    ("/console/users?search=nothing-like-it", "console-users-not-found"),
    ("/console/groups?search=nothing-like-it", "console-groups-not-found"),
    ("/console/sessions?search=nothing-like-it", "console-sessions-not-found"),
    ("/console/configurations?search=nothing-like-it", "console-configurations-not-found"),
    ("/console/authorization?search=nothing-like-it", "console-authorization-not-found"),
    ("/console/user-syncs?search=nothing-like-it", "console-user-syncs-not-found"),
    ("/console/explorer?search=nothing-like-it", "console-explorer-not-found"),
    ("/console/requests?state=Withdrawn", "console-requests-not-found"),
    ("/console/requests/scopes?search=nothing-like-it", "console-scopes-not-found"),
    ("/console/organization?search=nothing-like-it", "console-organization-not-found"),
    ("/console/audit?actor=nothing-like-it", "console-audit-not-found"),
    ("/console/settings/sso/attempts?text=nothing-like-it", "console-attempts-not-found"),
    ("/console/settings/scim/requests?whom=nothing-like-it", "console-scim-requests-not-found"),
];

/// Pages that are empty in a space that was opened a moment ago.
const EMPTY: &[&str] = &[
    "/console",
    "/console/users",
    "/console/groups",
    "/console/sessions",
    "/console/configurations",
    "/console/authorization",
    "/console/user-syncs",
    "/console/explorer",
    "/console/requests",
    "/console/requests/scopes",
    "/console/drift",
    "/console/tasks",
    "/console/settings/sso",
    "/console/settings/sso/attempts",
    "/console/settings/sso/tests",
    "/console/settings/scim",
    "/console/settings/scim/requests",
    "/console/settings/scim/deletions",
    "/console/settings/scim/schemas",
    "/console/settings/events",
    "/console/expiring",
    "/console/keys",
];

/// What only somebody who may not change it sees.
const LOOKED_AT_ONLY: &[&str] = &[
    "/console/users",
    "/console/configurations",
    "/console/settings/sso",
    "/console/organization",
];

const PASSWORD: &str = "correct horse battery staple";

impl Tour {
    /// Every page of the console.
    pub async fn through_the_console(&mut self) {
        self.look("/console/login", "console-login").await;
        self.fill("account", "100000000001").await;
        self.fill("user_name", "admin").await;
        self.fill("password", "a guess").await;
        self.press_on("main form button").await;
        self.inspect("console-login-refused").await;
        self.make_things().await;
        self.enter_console().await;
        self.give_access().await;
        self.drift().await;
        self.follow("/console").await;
        self.states_of_the_console().await;
        self.a_new_company().await;
    }

    /// Every page of everybody else.
    pub async fn through_the_portal(&mut self) {
        self.outside().await;
        self.make_things().await;
        self.enter_console().await;
        self.looks = false;
        self.give_access().await;
        self.looks = true;
        self.inside_the_portal().await;
        self.follow("/docs/api").await;
    }

    /// Before anybody is signed in.
    async fn outside(&mut self) {
        self.look("/portal/acme/login", "portal-login").await;
        self.sign_in_as("nobody").await;
        self.inspect("portal-not-provisioned").await;
        self.look("/cloud/login", "cloud-login").await;
        self.look("/portal/nowhere/login", "problem-no-space").await;
    }

    /// Both wizards, step by step, and what they lead to.
    async fn give_access(&mut self) {
        self.visit("/console/authorization").await;
        self.press_first("input[name=account]:not(:checked)").await;
        self.run("document.querySelectorAll('input[name=account]')[2].click()").await;
        self.inspect("wizard-1-accounts").await;
        self.press_on(".chosen .button-main").await;
        self.press_first("input[name=principal]").await;
        self.inspect("wizard-2-identities").await;
        self.press_on(".chosen .button-main").await;
        self.press_first("input[name=configuration]").await;
        self.inspect("wizard-3-configurations").await;
        self.press_on(".chosen .button-main").await;
        self.inspect("wizard-4-review").await;
        self.agree().await;
        self.press_on("form.confirm button").await;
        self.settle().await;
        self.run("location.reload()").await;
        self.find(thirtyfour::By::Css("progress".to_owned())).await;
        self.inspect("wizard-5-progress").await;
        self.look("/console/authorization/identities", "wizard-nothing-chosen").await;

        self.visit("/console/authorization").await;
        self.run("document.querySelectorAll('input[name=account]')[1].click()").await;
        self.press_on("button[formaction='/console/user-syncs/new']").await;
        self.press_first("input[name=principal]").await;
        self.inspect("sync-wizard-2-identities").await;
        self.press_on(".chosen .button-main").await;
        self.inspect("sync-wizard-3-basics").await;
        self.press_on(".chosen .button-main").await;
        self.inspect("sync-wizard-4-review").await;
        self.agree().await;
        self.press_on("form.confirm button").await;
        self.settle().await;
    }

    /// What a plan asks for before it is carried out.
    async fn agree(&self) {
        self.run(
            "const agreed = document.querySelector('#agreed'); if (agreed) agreed.click();
             const typed = document.querySelector('#typed');
             if (typed) typed.value = document.querySelector('label[for=typed]').textContent
                .match(/[“\"「]([^”\"」]+)[”\"」]/)?.[1] ?? ''",
        )
        .await;
    }

    async fn states_of_the_console(&mut self) {
        for (path, name) in NOTHING_FOUND {
            self.look(path, name).await;
        }
        // A department with nothing in it.
        self.visit("/console/organization?search=nothing-like-it").await;
        self.press_on("nav li:last-child a[href*='department=']").await;
        self.inspect("console-department").await;
        let mut pages = Vec::new();
        for page in ["edit", "new", "accounts"] {
            let link =
                format!("return document.querySelector(\"main a[href$='/{page}']\").pathname");
            pages.push(self.run(&link).await.as_str().unwrap().to_owned());
        }
        for page in pages {
            let name = page.rsplit('/').next().unwrap();
            self.look(&page, &format!("console-department-{name}")).await;
        }

        self.look("/console/nowhere", "problem-console").await;
        self.look("/console/users/u-nobody", "problem-no-user").await;

        // Forms that come back with what was wrong.
        self.visit("/console/users/new").await;
        self.fill("user_name", "not a name").await;
        self.press_on("main form .form-foot button").await;
        self.inspect("console-users-refused").await;
        self.visit("/console/configurations/new").await;
        self.fill("name", "no good").await;
        self.press_on("main form .form-foot button").await;
        self.inspect("console-configuration-refused").await;
        self.visit("/console/settings/events").await;
        self.fill("url", "http://127.0.0.1/").await;
        self.press_on("main form:has([name=url]) .form-foot button").await;
        self.inspect("console-events-refused").await;

        // What is shown once.
        self.visit("/console/keys").await;
        self.press_on("main form[action='/console/keys'] button").await;
        self.inspect("console-key-fresh").await;
        self.visit("/console/settings/scim").await;
        self.press_on("form[action$='/tokens'] button").await;
        self.inspect("console-scim-token-fresh").await;

        // A request of the directory, tried again; and whether one counts who was refused.
        self.visit("/console/settings/scim/requests?outcome=refused").await;
        let request = self.link("/console/settings/scim/requests/").await;
        self.look(&request, "console-scim-refusal").await;
        self.press_on("form[action$='/replay'] button").await;
        self.inspect("console-scim-rehearsal").await;
        self.visit("/console/groups?search=Data").await;
        let group = self.link("/console/groups/").await;
        self.visit("/console/users?search=carol").await;
        let user = self.link("/console/users/").await;
        let id = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
        let why = format!("/console/settings/scim/why?user={}&group={}", id(&user), id(&group));
        self.look(&why, "console-scim-why-answered").await;
        self.look(&format!("/console/explorer?user={}", id(&user)), "console-explorer-user").await;

        // An access that is taken away, a role that is deployed again, a user sync that ends.
        let proposal = self.propose().await;
        self.look(&proposal, "console-sso-proposal").await;
        self.visit("/console/settings/sso").await;
        self.inspect("console-sso-proposed").await;
        self.visit("/console/user-syncs").await;
        self.inspect("console-user-syncs-filled").await;

        // The menu of a narrow window.
        self.visit("/console").await;
        self.look_at_menu().await;
    }

    async fn inside_the_portal(&mut self) {
        self.enter_portal("alice").await;
        self.follow("/portal/acme").await;
        self.visit("/portal/acme/requests").await;
        self.run("document.querySelector('#reason').removeAttribute('required')").await;
        self.press_on("main form[action$='/requests'] .button-main").await;
        self.inspect("portal-request-refused").await;
        self.visit("/portal/acme").await;
        let role = self.link("/portal/acme/accounts/").await;
        self.look(&role, "portal-role").await;
        self.press_on(".star").await;
        self.inspect("portal-role-favourite").await;
        self.press_on("#show-credentials").await;
        self.inspect("portal-credentials").await;
        self.look("/portal/acme?tab=roles&search=nothing-like-it", "portal-not-found").await;
        self.look("/portal/acme?tab=roles&search=staging", "portal-found").await;
        let state = "/portal/acme/command-line?state=abcdefghijklmnopqrstuvwxyz012345";
        self.look(state, "portal-command-line").await;
        self.press_on("#decline").await;
        self.inspect("portal-command-line-refused").await;
        let state = "/portal/acme/command-line?state=zyxwvutsrqponmlkjihgfedcba987654";
        self.visit(state).await;
        self.press_on("#allow").await;
        self.inspect("portal-command-line-allowed").await;
        self.enter_account().await;
        self.look("/cloud?action=cvm:DescribeInstances", "cloud-account").await;
        self.press_on("form[action^='/cloud/credentials'] button").await;
        self.inspect("cloud-credentials").await;
        self.look("/portal/acme", "portal-home-used").await;
        self.look("/portal/acme/sessions", "portal-sessions-used").await;
        self.press_on("form[action$='/sign-out'] button").await;
        self.inspect("portal-signed-out").await;
        self.look("/portal/acme/signed-out", "portal-signed-out-elsewhere").await;
        // Somebody who has nothing.
        self.enter_portal("erin").await;
        for (path, name) in [
            ("/portal/acme", "portal-empty"),
            ("/portal/acme?tab=users", "portal-empty-users"),
            ("/portal/acme/requests", "portal-empty-requests"),
            ("/portal/acme/sessions", "portal-empty-sessions"),
        ] {
            self.look(path, name).await;
        }
    }

    /// Another server: a company without a space, with an empty one, and somebody who may only
    /// look.
    async fn a_new_company(&mut self) {
        let house = TestHouse::sqlite().await;
        let demo = std::mem::replace(&mut self.base, house.url(""));
        let act = act(&house);
        let account = house
            .app
            .db
            .write(async |tx| organization::create(tx, &act, "Newcomers").await)
            .await
            .unwrap()
            .1
            .uin;
        hire(&house.app, &act, account, "chief", "QcloudOrganizationFullAccess").await;
        self.sign_in_at_console(&account.to_string(), "chief", PASSWORD).await;
        self.look("/console", "no-space-console").await;
        self.look("/console/users", "no-space-users").await;
        self.visit("/console").await;
        self.fill("name", "No Good").await;
        self.run("document.querySelector('#open').showPopover()").await;
        self.press_on("#open .button-main").await;
        self.inspect("no-space-refused").await;

        let company = Company::bare(&house, "empty").await;
        hire(&house.app, &act, company.management, "chief", "QcloudOrganizationFullAccess").await;
        hire(&house.app, &act, company.management, "reader", "QcloudOrganizationReadOnlyAccess")
            .await;
        let account = company.management.to_string();
        self.sign_in_at_console(&account, "chief", PASSWORD).await;
        for path in EMPTY {
            self.look(path, &format!("empty{}", path.replace('/', "-"))).await;
        }
        self.look("/portal/empty/login", "portal-not-ready").await;
        self.sign_in_at_console(&account, "reader", PASSWORD).await;
        for path in LOOKED_AT_ONLY {
            self.look(path, &format!("reader{}", path.replace('/', "-"))).await;
        }
        self.base = demo;
        house.close().await;
    }
}

async fn hire(
    app: &App,
    act: &identity_center::audit::Act,
    account: identity_center::id::Uin,
    name: &str,
    policy: &str,
) {
    let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let policy = catalogue::by_name(policy).unwrap().id;
    app.db
        .write(async |tx| {
            let user = cloud::create_user(tx, act, account, name, Some(&hash), "").await?;
            cloud::attach_user_policy(tx, act, &user, policy).await
        })
        .await
        .unwrap();
}
