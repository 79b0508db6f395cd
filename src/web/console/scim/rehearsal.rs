//! A recorded request tried again, without anything being written: then and now (SCIM-20).

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{
    HERE, body,
    effect::Effects,
    requests::{self, Row},
    told::Told,
};
use crate::{
    app::App,
    credential::{self, Credential},
    id::ScimRequestId,
    recorder::{self, Conditions, Failures, Outcome, Recorded},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, Section},
        },
        page::Page,
        pages::{PageError, Problem},
        scim,
    },
};

#[derive(Template)]
#[template(path = "console/scim_rehearsal.html")]
struct Replayed {
    frame: Frame,
    row: Row,
    status: u16,
    badge: &'static str,
    verdict: crate::web::messages::Message,
    /// Whether SCIM is on; a rehearsal passes the switch, the directory would not.
    enabled: bool,
    explanation: Option<Told>,
    detail: Option<String>,
    answer: Option<String>,
    /// The preconditions that were sent again.
    conditions: Vec<(&'static str, String)>,
    effects: Effects,
}

/// What changed between then and now.
fn verdict(then: Outcome, now: Outcome) -> crate::web::messages::Message {
    match (then == Outcome::Done, now == Outcome::Done) {
        (true, true) => key!("scim-verdict-done-done"),
        (true, false) => key!("scim-verdict-done-refused"),
        (false, true) => key!("scim-verdict-refused-done"),
        (false, false) => key!("scim-verdict-refused-refused"),
    }
}

pub(super) async fn replay(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ScimRequestId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let recorded = requests::find(&app, space.id, id).await?;
    // The token may be gone, and a rehearsal needs none.
    let credential = Credential {
        id: recorded.credential_id,
        space_id: space.id,
        enabled: true,
        created_at: recorded.at,
        expires_at: administrator.act.now,
    };
    let opened = app
        .db
        .read(async |tx| credential::open(tx, space, credential).await)
        .await
        .map_err(|_| Fault::Internal("a space cannot be opened for a rehearsal"))?;
    let rehearsed =
        scim::rehearse(&app, administrator.act.clone(), opened, &recorded).await.map_err(|_| {
            Problem::refused("CannotBeReplayed", t!("scim-cannot-be-replayed"))
                .onward(format!("{HERE}/requests/{id}"), key!("scim-back-to-request"))
        })?;
    let answer = rehearsed.body.as_deref().map(body::pretty);
    let now = as_if_recorded(&recorded, rehearsed.status, rehearsed.body.as_deref());
    let page = Replayed {
        frame: Frame::new(&administrator, Section::Scim, None),
        status: rehearsed.status,
        badge: Row::new(now.clone()).badge,
        verdict: verdict(recorded.outcome(), now.outcome()),
        conditions: words(&recorded),
        enabled: space.scim_enabled,
        explanation: recorder::explain(&now).map(Told::from),
        detail: now.detail,
        answer,
        effects: Effects::of(&rehearsed.effects),
        row: Row::new(recorded),
    };
    Ok(Page::new(page).into_response())
}

fn words(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let Conditions { if_match, if_none_match } = recorded.conditions();
    let all = [("If-Match", if_match), ("If-None-Match", if_none_match)];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The request as it would have been recorded with today's answer.
fn as_if_recorded(recorded: &Recorded, status: u16, answer: Option<&str>) -> Recorded {
    let answer = answer.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let text = |name: &str| {
        answer.as_ref().filter(|_| status >= 400)?.get(name)?.as_str().map(str::to_owned)
    };
    let results = answer.as_ref().and_then(|answer| answer.get("Operations")?.as_array());
    let failures = results.and_then(|results| Failures::of(results.iter().enumerate()));
    let mut now = recorded.clone().with_outcome(i64::from(status), failures);
    now.scim_type = text("scimType");
    now.detail = text("detail");
    now
}
