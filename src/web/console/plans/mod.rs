//! Plans at the console: what an act would do, shown before it is done, and done only as it was
//! shown (RS-04). One page for every act: its address says what is wanted, its form brings that
//! back with the hash of the plan that was read.

mod policies;
mod progress;
mod shown;
mod wanted;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::{Form, Query};

pub(super) use policies::{PolicyWords, worst};
pub(super) use progress::{export, list_export, retry_failed, show as progress};
use shown::{Detail, ObjectRow, ReachRow};
pub(super) use shown::{deletion, duplication};
pub(super) use wanted::{Deed, Wanted};

use super::{
    Administrator,
    frame::{Frame, Section, Wrong, done},
    limits,
};
use crate::{
    access::{
        Names,
        plan::{self, Error, Operation, Plan, State as PlanState},
    },
    app::App,
    web::{
        Fault,
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

/// How many objects, people and conflicts a page shows; all are counted.
const MOST_SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "console/plan.html")]
struct PlanPage {
    frame: Frame,
    deed: Deed,
    title: Message,
    submit: Message,
    /// Which step of a wizard it is, if it is one.
    steps: Option<&'static [(u8, Message)]>,
    step: u8,
    /// Where cancelling leads.
    back: String,
    back_label: Message,
    detail: Detail,
    objects: Vec<ObjectRow>,
    object_total: usize,
    gains: Vec<ReachRow>,
    gain_total: usize,
    losses: Vec<ReachRow>,
    loss_total: usize,
    conflicts: Vec<ObjectRow>,
    conflict_total: usize,
    tasks: usize,
    failing: usize,
    is_refused: bool,
    /// What has to be typed, where the act is a grave one (RS-05).
    phrase: Option<String>,
    /// The CAM users that would be taken over (US-06).
    taken_over: usize,
    carried: Vec<(&'static str, String)>,
    hash: String,
    /// The plan became another one since it was read.
    stale: bool,
    wrong: Option<Wrong>,
}

/// What the page of an act is called, what its button says, and where it belongs.
struct Words {
    title: Message,
    submit: Message,
    section: Section,
    back: String,
    back_label: Message,
}

fn words(deed: Deed, wanted: &Wanted) -> Words {
    let account = || wanted.account.first().map(ToString::to_string);
    let placed = || wanted.place.first().and_then(|it| Some(it.split_once('/')?.0.to_owned()));
    let triple = || wanted.triple.first().and_then(|it| Some(it.split_once('/')?.0.to_owned()));
    let at_account = |uin: Option<String>| match uin {
        Some(uin) => (format!("/console/accounts/{uin}"), key!("plan-back-account")),
        None => ("/console/authorization".to_owned(), key!("authorization-title")),
    };
    let at_configuration = |tab: &str| match wanted.configuration.first() {
        Some(id) => (format!("/console/configurations/{id}{tab}"), key!("plan-back-configuration")),
        None => ("/console/configurations".to_owned(), key!("configurations-title")),
    };
    let placed_back = || {
        // Either from one configuration with several accounts, or the other way round.
        let one_configuration = wanted.place.iter().filter_map(|it| it.split_once('/'));
        let mut configurations: Vec<&str> = one_configuration.map(|(_, id)| id).collect();
        configurations.dedup();
        match configurations[..] {
            [id] if wanted.account.is_empty() => (
                format!("/console/configurations/{id}?tab=deployments"),
                key!("plan-back-configuration"),
            ),
            _ => at_account(placed().or_else(account)),
        }
    };
    let (title, submit, section, (back, back_label)) = match deed {
        Deed::Assign => (
            key!("plan-assign"),
            key!("plan-assign-do"),
            Section::Authorization,
            (wanted.address("/console/authorization/configurations"), key!("plan-back-step")),
        ),
        Deed::Unassign => (
            key!("plan-unassign"),
            key!("plan-unassign-do"),
            Section::Authorization,
            at_account(triple().or_else(account)),
        ),
        Deed::Redeploy => (
            key!("plan-redeploy"),
            key!("plan-redeploy-do"),
            Section::Configurations,
            placed_back(),
        ),
        Deed::Undeploy => (
            key!("plan-undeploy"),
            key!("plan-undeploy-do"),
            Section::Configurations,
            placed_back(),
        ),
        Deed::Clear => {
            (key!("plan-clear"), key!("plan-clear-do"), Section::Configurations, placed_back())
        }
        Deed::Sync => (
            key!("plan-sync"),
            key!("plan-sync-do"),
            Section::UserSyncs,
            (wanted.address("/console/user-syncs/basics"), key!("plan-back-step")),
        ),
        Deed::Unsync => (
            key!("plan-unsync"),
            key!("plan-unsync-do"),
            Section::UserSyncs,
            ("/console/user-syncs".to_owned(), key!("user-syncs-title")),
        ),
        Deed::Edit if wanted.add.is_empty() => (
            key!("plan-remove-policies"),
            key!("plan-remove-policies-do"),
            Section::Configurations,
            at_configuration(""),
        ),
        Deed::Edit => (
            key!("plan-add-policies"),
            key!("plan-add-policies-do"),
            Section::Configurations,
            at_configuration("/policies"),
        ),
        Deed::DeleteConfiguration => (
            key!("plan-delete-configuration"),
            key!("plan-delete-configuration-do"),
            Section::Configurations,
            at_configuration(""),
        ),
        Deed::DeleteUser => (
            key!("plan-delete-user"),
            key!("plan-delete-user-do"),
            Section::Users,
            ("/console/users".to_owned(), key!("plan-back-users")),
        ),
        Deed::DeleteGroup => (
            key!("plan-delete-group"),
            key!("plan-delete-group-do"),
            Section::Groups,
            ("/console/groups".to_owned(), key!("plan-back-groups")),
        ),
    };
    Words { title, submit, section, back, back_label }
}

/// The steps of giving access.
pub(super) static ROLE_STEPS: [(u8, Message); 4] = [
    (1, key!("step-accounts")),
    (2, key!("step-identities")),
    (3, key!("step-configurations")),
    (4, key!("step-review")),
];

/// The steps of a user sync.
pub(super) static SYNC_STEPS: [(u8, Message); 4] = [
    (1, key!("step-accounts")),
    (2, key!("step-identities")),
    (3, key!("step-basics")),
    (4, key!("step-review")),
];

/// The plan of what is wanted.
pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let wanted = Wanted { hash: String::new(), ..wanted };
    let operation = match wanted.operation() {
        Ok(operation) => operation,
        Err(wrong) => return Err(refused(&wrong, &wanted)),
    };
    let page = look(&app, &administrator, &wanted, &operation, (false, None)).await?;
    Ok(Page::new(page).into_response())
}

/// An act that cannot be read: what is wrong, and the way back.
fn refused(wrong: &Wrong, wanted: &Wanted) -> PageError {
    let problem = Problem::refused("Refused", wrong.message.clone());
    match wanted.act {
        Some(deed) => {
            let words = words(deed, wanted);
            problem.onward(words.back, words.back_label).into()
        }
        None => problem.into(),
    }
}

async fn look(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    operation: &Operation,
    (stale, wrong): (bool, Option<Wrong>),
) -> Result<PlanPage, PageError> {
    let space = who.space()?;
    let limits = limits(app);
    let deed = wanted.act.ok_or_else(|| Problem::not_found(t!("plan-nothing")))?;
    let (plan, names, detail) = app
        .db
        .read(async |tx| -> Result<_, PageError> {
            let state = PlanState::read(tx, &who.act, space, operation, &limits).await;
            let plan = plan::plan(&state.map_err(not_planned)?, operation);
            let names = Names::read(tx, space.id, &shown::named(&plan, operation)).await?;
            let detail = Detail::read(tx, app, space, operation, &names).await?;
            Ok((plan, names, detail))
        })
        .await?;
    let words = words(deed, wanted);
    let phrase = phrase(deed, &names, &detail, !plan.tasks.is_empty());
    let steps = match deed {
        Deed::Assign => Some(&ROLE_STEPS[..]),
        Deed::Sync => Some(&SYNC_STEPS[..]),
        Deed::Unassign
        | Deed::Redeploy
        | Deed::Undeploy
        | Deed::Clear
        | Deed::Unsync
        | Deed::Edit
        | Deed::DeleteConfiguration
        | Deed::DeleteUser
        | Deed::DeleteGroup => None,
    };
    Ok(PlanPage {
        frame: Frame::new(who, words.section, None),
        deed,
        title: words.title,
        submit: words.submit,
        steps,
        step: 4,
        back: words.back,
        back_label: words.back_label,
        objects: shown::objects(&plan, &names, MOST_SHOWN),
        object_total: plan.objects.len(),
        gains: shown::reaches(&plan.gains, &names, MOST_SHOWN),
        gain_total: plan.gains.len(),
        losses: shown::reaches(&plan.losses, &names, MOST_SHOWN),
        loss_total: plan.losses.len(),
        conflicts: shown::conflicts(&plan, &names, MOST_SHOWN),
        conflict_total: plan.conflicts.len(),
        tasks: plan.tasks.len(),
        failing: plan.tasks.iter().filter(|task| task.fails).count(),
        is_refused: plan.is_refused,
        phrase,
        taken_over: taken_over(&plan),
        carried: wanted.carried(),
        hash: plan.hash(),
        detail,
        stale,
        wrong,
    })
}

fn taken_over(plan: &Plan) -> usize {
    plan.objects.iter().filter(|it| it.change == plan::Change::TakeOver).count()
}

/// What has to be typed before an act is done (RS-05, PC-15): the name of the management account
/// where somebody is given something there, else of the configuration whose policies let somebody
/// give themselves anything.
fn phrase(deed: Deed, names: &Names, detail: &Detail, has_tasks: bool) -> Option<String> {
    // An edit that deploys nothing touches no account yet.
    let management = names.management().filter(|_| has_tasks).map(|(_, name)| name.to_owned());
    match deed {
        Deed::Assign | Deed::Edit => management.or_else(|| detail.privileged()),
        Deed::Sync
        | Deed::Redeploy
        | Deed::Undeploy
        | Deed::Clear
        | Deed::Unassign
        | Deed::Unsync => management,
        Deed::DeleteConfiguration | Deed::DeleteUser | Deed::DeleteGroup => None,
    }
}

/// Why there is no plan, for a page.
fn not_planned(error: Error) -> PageError {
    match error {
        Error::CountInvalid | Error::TooLarge(_) | Error::Refused => {
            Problem::refused("Refused", sentence_of(&error)).into()
        }
        Error::Unknown(_) => Problem::not_found(t!("plan-unknown")).into(),
        // Only carrying out can find that.
        Error::Stale(_) => Problem::refused("Stale", t!("plan-stale")).into(),
        Error::Directory(error) => Fault::from(error).into(),
        Error::Permission(error) => Fault::from(error).into(),
        Error::Provisioning(error) => Fault::from(error).into(),
        Error::Store(error) => Fault::from(error).into(),
    }
}

fn sentence_of(error: &Error) -> String {
    match error {
        Error::CountInvalid => t!("plan-count", most = plan::MOST_ITEMS),
        Error::TooLarge(most) => t!("plan-too-large", most = *most),
        _ => t!("plan-refused"),
    }
}

/// Does what is wanted, if its plan is still the one that was read.
pub(super) async fn apply(
    State(app): State<App>,
    administrator: Administrator,
    Form(wanted): Form<Wanted>,
) -> Result<Response, PageError> {
    let operation = match wanted.operation() {
        Ok(operation) => operation,
        Err(wrong) => return Err(refused(&wrong, &wanted)),
    };
    let again = async |stale, wrong: Option<Wrong>| -> Result<Response, PageError> {
        let page = look(&app, &administrator, &wanted, &operation, (stale, wrong)).await?;
        let status = if stale { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
        Ok(Page::new(page).status(status).into_response())
    };
    let page = look(&app, &administrator, &wanted, &operation, (false, None)).await?;
    // A plan that nobody has read is not carried out, and neither is one that has changed.
    if page.hash != wanted.hash {
        return again(true, None).await;
    }
    if page.phrase.as_ref().is_some_and(|phrase| *phrase != wanted.typed.trim()) {
        let phrase = page.phrase.unwrap_or_default();
        let wrong = Wrong::field("typed", t!("plan-typed-wrong", phrase = phrase));
        return again(false, Some(wrong)).await;
    }
    if page.taken_over > 0 && wanted.agreed.is_empty() {
        return again(false, Some(Wrong::field("agreed", t!("plan-not-agreed")))).await;
    }
    let (space, limits) = (administrator.space()?, limits(&app));
    let applied = app
        .db
        .write(async |tx| {
            plan::apply(tx, &administrator.act, space, &operation, &wanted.hash, &limits).await
        })
        .await;
    match applied {
        Ok(applied) => {
            let request = &administrator.act.request_id;
            Ok(onward(&wanted, &operation, request, !applied.tasks.is_empty()))
        }
        Err(Error::Stale(_)) => again(true, None).await,
        Err(Error::Refused) => again(false, Some(Wrong::whole(t!("plan-refused")))).await,
        Err(error @ (Error::CountInvalid | Error::Unknown(_) | Error::TooLarge(_))) => {
            Err(not_planned(error))
        }
        Err(Error::Directory(error)) => again(false, Some(Wrong::of(error.into())?)).await,
        Err(Error::Permission(error)) => again(false, Some(Wrong::of(error.into())?)).await,
        Err(Error::Provisioning(error)) => again(false, Some(Wrong::of(error.into())?)).await,
        Err(Error::Store(error)) => Err(Fault::from(error).into()),
    }
}

/// Where one goes on after an act: to its tasks, or to the object.
fn onward(wanted: &Wanted, operation: &Operation, request: &str, has_tasks: bool) -> Response {
    let address = match operation {
        Operation::Clear(places) | Operation::Undeploy { places, .. } if places.len() == 1 => {
            let place = places.first();
            let said = place.map(|it| format!("{}/{}", it.account, it.configuration));
            format!("/console/undeploy/{}", said.unwrap_or_default())
        }
        Operation::DeleteConfiguration(_) => {
            return done("/console/configurations", "configuration-deleted");
        }
        Operation::DeleteUser(_) => return done("/console/users", "user-deleted"),
        Operation::DeleteGroup(_) => return done("/console/groups", "group-deleted"),
        Operation::Edit(id, _) if !has_tasks => {
            let code = if wanted.add.is_empty() { "policies-removed" } else { "policies-added" };
            return done(&format!("/console/configurations/{id}"), code);
        }
        Operation::Assign(_)
        | Operation::Unassign { .. }
        | Operation::Deploy(_)
        | Operation::Redeploy(_)
        | Operation::Undeploy { .. }
        | Operation::Clear(_)
        | Operation::Sync(_)
        | Operation::Unsync(_)
        | Operation::Edit(..) => format!("/console/tasks/of/{request}"),
    };
    Redirect::to(&address).into_response()
}
