//! The portal's sessions: who is signed in, and ending that (SES-03).

use serde_json::{Value, json};

use crate::{
    id::{IdpSessionId, UserId},
    sso::{self, PortalSession, Sessions},
    web::api::{
        actions::{ZONE_ID, action},
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, page, page_request, time},
    },
};

pub const ACTIONS: &[Action] = &[
    action(
        "ListPortalSessions",
        &[ZONE_ID, Field::text("UserId"), NEXT_TOKEN, MAX_RESULTS],
        |call| Box::pin(list(call)),
    ),
    action(
        "EndPortalSession",
        &[ZONE_ID, Field::text("PortalSessionId"), Field::text("UserId")],
        |call| Box::pin(end(call)),
    ),
];

/// The user that `UserId` names, if it names one.
fn user_id(call: &Call) -> Result<Option<UserId>, Refusal> {
    let text = call.parameters.optional_text("UserId");
    text.map(|text| id(text, "ResourceNotFound.UserNotExist", "UserId")).transpose()
}

fn info(session: &PortalSession) -> Value {
    json!({
        "PortalSessionId": session.id,
        "UserId": session.user,
        "UserName": session.user_name,
        "Address": session.address.as_deref().unwrap_or_default(),
        "Client": session.client.as_deref().unwrap_or_default(),
        "StartTime": time(session.began_at),
        "LastUseTime": time(session.last_used_at),
        "EndTime": time(session.ends_at),
    })
}

async fn list(call: &Call) -> Answer {
    let wanted = page_request(&call.parameters)?;
    let user = user_id(call)?;
    let now = call.act.now;
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::portal_sessions(tx, space, user, now, wanted).await?)
        })
        .await?;
    Ok(page("PortalSessions", found, wanted.limit, |session| info(&session)))
}

/// Ends one session, or all of a user. A user may have none; one that is named must be there.
async fn end(call: &Call) -> Answer {
    let named = call.parameters.optional_text("PortalSessionId");
    let which = match (named, user_id(call)?) {
        (Some(text), None) => {
            let id: IdpSessionId = id(text, NOT_FOUND, "PortalSessionId")?;
            Sessions::One(id)
        }
        (None, Some(user)) => Sessions::Of(user),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::new(
                PARAM_ERROR,
                "One of the parameters `PortalSessionId` and `UserId` is needed, and not both.",
            ));
        }
    };
    let ended = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let ended = sso::end_portal_sessions(tx, &call.act, space, which).await?;
            match which {
                Sessions::One(_) if ended == 0 => Err(Refusal::new(
                    NOT_FOUND,
                    "The parameter `PortalSessionId` names no session that is open.",
                )),
                Sessions::One(_) | Sessions::Of(_) => Ok(ended),
            }
        })
        .await?;
    Ok(object([("EndedCount", json!(ended))]))
}

const NOT_FOUND: &str = "ResourceNotFound.PortalSessionNotExist";
