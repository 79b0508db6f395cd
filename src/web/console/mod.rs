//! The console: the administrators' door.
//!
//! Every page is whole without a script. A GET shows; a POST changes and then leads to a page
//! that says what was done, or shows the form again with what was wrong.

mod accounts;
mod administrator;
mod administrators;
mod audit;
mod authorization;
mod chart;
mod command_line;
mod configurations;
mod conflict;
mod drift;
mod events;
mod expiring;
mod explorer;
mod frame;
mod groups;
mod organization;
mod overview;
mod own;
mod plans;
mod reasons;
mod requests;
mod scim;
mod scopes;
mod sessions;
mod sso;
mod tasks;
mod undeployment;
mod user_syncs;
mod users;
pub(crate) mod words;

pub use administrator::Administrator;
pub(in crate::web) use expiring::ends;

use super::{
    Caller, Routes,
    pages::{self, PageError, Problem},
};
use crate::{app::App, permission, store::Door};

/// Rows that one form may name.
const MOST_AT_ONCE: usize = 50;

/// The routes of the console.
pub(super) fn routes(app: &App) -> Routes {
    use Caller::{Administrator as Admin, Anyone};
    let routes = Routes::new()
        .get("/console/login", Anyone, administrator::login_page)
        .post("/console/login", Anyone, administrator::login)
        .post("/console/logout", Anyone, administrator::logout)
        .get("/console", Admin, overview::show)
        .post("/console/space", Admin, overview::open)
        .get("/console/space/name", Admin, overview::name)
        .get("/console/expiring", Admin, expiring::show)
        .get("/console/sessions", Admin, sessions::list)
        .post("/console/sessions/end", Admin, sessions::end)
        .get("/console/administrators", Admin, administrators::list)
        .get("/console/keys", Admin, administrators::show_keys)
        .post("/console/keys", Admin, administrators::create_key)
        .post("/console/keys/{id}/enable", Admin, administrators::enable_key)
        .post("/console/keys/{id}/disable", Admin, administrators::disable_key)
        .post("/console/keys/{id}/delete", Admin, administrators::delete_key)
        .get("/console/account", Admin, own::show)
        .post("/console/account/password", Admin, own::change_password)
        .post("/console/account/sign-out", Admin, own::end_sessions)
        .get("/console/organization", Admin, organization::show)
        .post("/console/organization/move", Admin, organization::move_accounts)
        .post("/console/organization/departments/{node}", Admin, organization::update_department)
        .get("/console/organization/departments/{node}/edit", Admin, organization::edit_department)
        .post(
            "/console/organization/departments/{node}/delete",
            Admin,
            organization::delete_department,
        )
        .get("/console/organization/departments/{node}/new", Admin, organization::new_department)
        .post(
            "/console/organization/departments/{node}/new",
            Admin,
            organization::create_department,
        )
        .get("/console/organization/departments/{node}/accounts", Admin, organization::new_account)
        .post(
            "/console/organization/departments/{node}/accounts",
            Admin,
            organization::create_account,
        )
        .get("/console/organization/accounts/{uin}/edit", Admin, organization::edit_account)
        .post("/console/organization/accounts/{uin}", Admin, organization::update_account)
        .get("/console/users", Admin, users::list)
        .post("/console/users", Admin, users::create::create)
        .get("/console/users/new", Admin, users::create::new)
        .get("/console/users/{id}", Admin, users::page::show)
        .post("/console/users/{id}", Admin, users::update)
        .get("/console/users/{id}/edit", Admin, users::edit)
        .post("/console/users/{id}/delete", Admin, users::delete)
        .get("/console/users/{id}/adopt", Admin, users::adopt::ask_user)
        .post("/console/users/{id}/adopt", Admin, users::adopt::user)
        .post("/console/users/{id}/status", Admin, users::set_status)
        .post("/console/users/{id}/groups", Admin, users::groups::add)
        .post("/console/users/{id}/groups/remove", Admin, users::groups::remove)
        .get("/console/groups", Admin, groups::list)
        .post("/console/groups", Admin, groups::create)
        .get("/console/groups/new", Admin, groups::new)
        .get("/console/groups/{id}", Admin, groups::page::show)
        .post("/console/groups/{id}", Admin, groups::update)
        .get("/console/groups/{id}/edit", Admin, groups::edit)
        .post("/console/groups/{id}/delete", Admin, groups::delete)
        .get("/console/groups/{id}/adopt", Admin, users::adopt::ask_group)
        .post("/console/groups/{id}/adopt", Admin, users::adopt::group)
        .post("/console/groups/{id}/members", Admin, groups::page::add_members)
        .post("/console/groups/{id}/members/remove", Admin, groups::page::remove_members)
        .get("/console/configurations", Admin, configurations::list)
        .post("/console/configurations", Admin, configurations::create)
        .get("/console/configurations/new", Admin, configurations::new)
        .get("/console/configurations/{id}", Admin, configurations::show)
        .post("/console/configurations/{id}", Admin, configurations::update)
        .get("/console/configurations/{id}/edit", Admin, configurations::edit)
        .get("/console/configurations/{id}/policies", Admin, configurations::choose_policies)
        .get("/console/undeploy/{uin}/{id}", Admin, undeployment::show)
        .get("/console/plan", Admin, plans::show)
        .post("/console/plan", Admin, plans::apply)
        .post("/console/configurations/{id}/command-line", Admin, command_line::set)
        .get("/console/authorization", Admin, authorization::tree)
        .get("/console/authorization/identities", Admin, authorization::identities)
        .get("/console/authorization/configurations", Admin, authorization::configurations)
        .get("/console/authorization/review", Admin, authorization::review)
        .get("/console/accounts/{uin}", Admin, accounts::show)
        .get("/console/user-syncs", Admin, user_syncs::list)
        .get("/console/user-syncs/new", Admin, authorization::sync_identities)
        .get("/console/user-syncs/basics", Admin, user_syncs::basics)
        .get("/console/user-syncs/{id}", Admin, user_syncs::show)
        .post("/console/user-syncs/{id}", Admin, user_syncs::update)
        .get("/console/explorer", Admin, explorer::show)
        .get("/console/drift", Admin, drift::list)
        .post("/console/drift", Admin, drift::answer)
        .post("/console/drift/detect", Admin, drift::detect)
        .get("/console/requests", Admin, requests::list)
        .get("/console/requests/scopes", Admin, scopes::list)
        .post("/console/requests/scopes", Admin, scopes::create)
        .get("/console/requests/scopes/new", Admin, scopes::new)
        .post("/console/requests/scopes/delete", Admin, scopes::delete)
        .post("/console/requests/{id}/approve", Admin, requests::approve)
        .post("/console/requests/{id}/reject", Admin, requests::reject)
        .get("/console/accounts/{uin}/cloud", Admin, accounts::cloud)
        .post("/console/accounts/{uin}/cloud", Admin, accounts::set_cloud)
        .post("/console/accounts/{uin}/steps/{step}/confirm", Admin, accounts::confirm)
        .get("/console/tasks", Admin, tasks::list)
        .post("/console/tasks/{id}/retry", Admin, tasks::retry)
        .get("/console/tasks/export", Admin, plans::list_export)
        .get("/console/tasks/of/{request}", Admin, plans::progress)
        .get("/console/tasks/of/{request}/export", Admin, plans::export)
        .post("/console/tasks/of/{request}/retry", Admin, plans::retry_failed)
        .get("/console/settings/sso", Admin, sso::show)
        .get("/console/settings/sso/provider", Admin, sso::provider::form)
        .post("/console/settings/sso/metadata", Admin, sso::provider::by_metadata)
        .post("/console/settings/sso/by-hand", Admin, sso::provider::by_hand)
        .get("/console/settings/sso/proposals/{id}", Admin, sso::proposals::show)
        .post("/console/settings/sso/proposals/{id}/approve", Admin, sso::proposals::approve)
        .post("/console/settings/sso/proposals/{id}/choose", Admin, sso::proposals::choose)
        .post("/console/settings/sso/proposals/{id}/discard", Admin, sso::proposals::discard)
        .get("/console/settings/sso/certificates", Admin, sso::certificates::form)
        .post("/console/settings/sso/certificates", Admin, sso::certificates::add)
        .post("/console/settings/sso/certificates/{id}/remove", Admin, sso::certificates::remove)
        .post("/console/settings/sso/clear", Admin, sso::certificates::clear)
        .get("/console/settings/sso/keys", Admin, sso::keys::show)
        .post("/console/settings/sso/keys", Admin, sso::keys::add)
        .post("/console/settings/sso/keys/{id}/remove", Admin, sso::keys::remove)
        .post("/console/settings/sso/signing/{purpose}", Admin, sso::keys::prepare)
        .post("/console/settings/sso/signing/{purpose}/{id}/use", Admin, sso::keys::switch)
        .post("/console/settings/sso/signing/{purpose}/{id}/remove", Admin, sso::keys::retire)
        .post("/console/settings/sso/sign-metadata/{to}", Admin, sso::keys::sign_metadata)
        .get("/console/settings/sso/source", Admin, sso::source::form)
        .post("/console/settings/sso/source", Admin, sso::source::save)
        .post("/console/settings/sso/source/fetch", Admin, sso::source::fetch)
        .post("/console/settings/sso/source/remove", Admin, sso::source::remove)
        .get("/console/settings/sso/requests", Admin, sso::requests::show)
        .post("/console/settings/sso/requests", Admin, sso::requests::save)
        .get("/console/settings/sso/responses", Admin, sso::responses::show)
        .post("/console/settings/sso/responses", Admin, sso::responses::save)
        .get("/console/settings/sso/attempts", Admin, sso::attempts::list)
        .get("/console/settings/sso/attempts/{id}", Admin, sso::attempts::show)
        .get("/console/settings/sso/attempts/{id}/bundle", Admin, sso::attempts::bundle)
        .get("/console/settings/sso/tests", Admin, sso::tests::list)
        .post("/console/settings/sso/tests", Admin, sso::tests::of_present)
        .get("/console/settings/sso/tests/{id}", Admin, sso::tests::show)
        .get_that_writes("/console/settings/sso/tests/{id}/start", Admin, sso::tests::start)
        .get("/console/settings/sso/tests/{id}/bundle", Admin, sso::tests::bundle)
        .post("/console/settings/sso/proposals/{id}/test", Admin, sso::tests::of_proposal)
        .post("/console/settings/sso/{to}", Admin, sso::switch)
        .get("/console/settings/events", Admin, events::list)
        .post("/console/settings/events", Admin, events::create)
        .get("/console/settings/events/{id}", Admin, events::show)
        .post("/console/settings/events/{id}", Admin, events::update)
        .post("/console/settings/events/{id}/delete", Admin, events::delete)
        .post(
            "/console/settings/events/{id}/deliveries/{event}/redeliver",
            Admin,
            events::redeliver,
        )
        .post("/console/settings/events/{id}/disable", Admin, events::disable)
        .post("/console/settings/events/{id}/enable", Admin, events::enable)
        .post("/console/settings/events/{id}/replay", Admin, events::replay)
        .post("/console/settings/events/{id}/rotate", Admin, events::rotate)
        .post("/console/settings/events/{id}/test", Admin, events::test)
        .get("/console/audit", Admin, audit::list)
        .get("/console/audit/file", Admin, audit::file);
    pages::door(app, Door::Console, "/console", scim::add_routes(routes))
}

/// What an installation allows of configurations.
fn limits(app: &App) -> permission::Limits {
    let limits = app.settings.limits;
    permission::Limits {
        configurations: limits.configurations,
        custom_policies: limits.custom_policies,
        per_call: limits.per_call,
        ..permission::Limits::default()
    }
}

/// Which way a switch is turned, out of its address, and what to say then.
fn switch_to(to: &str) -> Result<(bool, &'static str), Problem> {
    match to {
        "on" => Ok((true, "switched-on")),
        "off" => Ok((false, "switched-off")),
        _ => Err(Problem::not_found(t!("problem-no-page"))),
    }
}

/// A form that only a mistake or malice could have sent.
fn refused(wrong: &frame::Wrong) -> PageError {
    Problem::refused("Refused", wrong.message.clone()).into()
}
