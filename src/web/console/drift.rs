//! Drift at the console: what in the accounts is not as it was recorded, and the three answers
//! (DPL-15).

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, Wrong, done},
};
use crate::{
    access::{Names, WantedNames},
    app::App,
    id::DriftId,
    provisioning::drift::{self, Answer, Error, Filter, Finding, Nature, ObjectKind},
    web::{
        Fault,
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

const HERE: &str = "/console/drift";

struct Row {
    it: Finding,
    kind: Message,
    nature: (&'static str, Message),
    configuration: Option<String>,
    recorded: String,
    found: String,
}

#[derive(Template)]
#[template(path = "console/drift.html")]
struct DriftPage {
    frame: Frame,
    rows: Vec<Row>,
    pager: Pager,
    /// How many accounts are being looked at.
    checking: i64,
    /// Whether those that are ignored are shown, too.
    ignored: bool,
    wrong: Option<Wrong>,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(page(&app, &administrator, &query, None).await?).into_response())
}

async fn page(
    app: &App,
    who: &Administrator,
    query: &ListQuery,
    wrong: Option<Wrong>,
) -> Result<DriftPage, PageError> {
    let space = who.space()?.id;
    let ignored = query.tab == "all";
    let filter = Filter { heard_at: (!ignored).then_some(who.act.now), ..Filter::default() };
    let (found, checking, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let found = drift::findings(tx, space, &filter, query.page()).await?;
            let ids = found.rows.iter().filter_map(|it| it.configuration_id);
            let wanted = WantedNames { configurations: ids.collect(), ..WantedNames::default() };
            let names = Names::read(tx, space, &wanted).await?;
            Ok((found, drift::checking(tx, space).await?, names))
        })
        .await?;
    let pager = query.pager(HERE, &found);
    let row = |it: Finding| Row {
        kind: kind_words(it.object_kind),
        nature: nature_words(it.nature),
        configuration: it.configuration_id.map(|id| names.configuration(id)),
        recorded: shown(&it.recorded.0),
        found: shown(&it.found.0),
        it,
    };
    Ok(DriftPage {
        frame: Frame::new(who, Section::Drift, query.done.as_deref()),
        rows: found.rows.into_iter().map(row).collect(),
        pager,
        checking,
        ignored,
        wrong,
    })
}

/// A value as people read it; empty for nothing.
fn shown(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_else(|_| other.to_string()),
    }
}

fn kind_words(kind: ObjectKind) -> Message {
    match kind {
        ObjectKind::Role => key!("object-role"),
        ObjectKind::PolicyBinding => key!("object-binding"),
        ObjectKind::Policy => key!("object-policy"),
        ObjectKind::SamlProvider => key!("object-provider"),
        ObjectKind::CamUser => key!("object-cam-user"),
    }
}

fn nature_words(nature: Nature) -> (&'static str, Message) {
    match nature {
        Nature::Changed => ("badge-warn", key!("drift-changed")),
        Nature::Missing => ("badge-bad", key!("drift-missing")),
        Nature::Extra => ("badge-warn", key!("drift-extra")),
    }
}

/// Has every account looked at now.
pub(super) async fn detect(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let tasks =
        app.db.write(async |tx| drift::detect(tx, &administrator.act, space, None).await).await?;
    Ok(done(HERE, if tasks.is_empty() { "drift-nothing" } else { "drift-looking" }))
}

/// What somebody decided about findings.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct AnswerForm {
    drift: Vec<DriftId>,
    answer: String,
    /// For how many days to hear nothing of them.
    days: Option<i64>,
}

pub(super) async fn answer(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<AnswerForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let now = administrator.act.now;
    let (answer, words) = match (form.answer.as_str(), form.days) {
        ("repair", _) => (Answer::Repair, "drift-repairing"),
        ("adopt", _) => (Answer::Adopt, "drift-adopted"),
        ("ignore", Some(days)) => {
            let until = now.plus_seconds(days.clamp(1, 365).saturating_mul(86_400));
            (Answer::Ignore(until), "drift-ignored")
        }
        _ => return Err(Problem::not_found(t!("plan-nothing")).into()),
    };
    let act = &administrator.act;
    let resolved =
        app.db.write(async |tx| drift::resolve(tx, act, space, &form.drift, answer).await).await;
    let wrong = match resolved {
        Ok(tasks) if tasks.is_empty() => return Ok(done(HERE, words)),
        Ok(_) => {
            let address = format!("/console/tasks/of/{}", act.request_id);
            return Ok(Redirect::to(&address).into_response());
        }
        Err(Error::CountInvalid) => Wrong::whole(t!("drift-none-chosen")),
        Err(Error::NotFound) => Wrong::whole(t!("drift-gone")),
        Err(Error::NotAdoptable(what)) => {
            Wrong::whole(t!("drift-not-adoptable", what = what.clone()))
        }
        Err(Error::Busy(what)) => Wrong::whole(t!("drift-busy", what = what.clone())),
        Err(Error::MomentInvalid) => Wrong::whole(t!("drift-moment")),
        Err(Error::Permission(error)) => Wrong::of(error.into())?,
        Err(Error::Store(error)) => return Err(Fault::from(error).into()),
    };
    let page = page(&app, &administrator, &ListQuery::default(), Some(wrong)).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
