//! The public JSON API: `POST /`, and `GET /` for clients that sign queries.
//!
//! A request is judged in the order of the API reference: size, headers, the form of its
//! signature, time, key, session token, signature, action, parameters, permission; then its action
//! runs. One table ([`table::TABLE`]) has every action with its parameters, and dispatch and
//! checking come from it. Every answer is HTTP 200: the clients look into the body.

mod actions;
mod authenticate;
pub(super) mod call;
pub(super) mod catalogue;
mod command_line;
mod described;
pub(super) mod fields;
mod refusal;
mod shape;
pub(super) mod subject;
pub(super) mod table;
mod wire;

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{
        StatusCode,
        header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse, Redirect, Response},
};

pub use self::described::{Described, described};
use self::{
    call::{Answer, Call},
    fields::Parameters,
    refusal::Refusal,
    wire::Wire,
};
use super::{Caller, Fault, RequestInfo, Routes, log_cause, request::close_after};
use crate::{
    app::App,
    audit::{Act, Actor},
    space,
    tc3::{CommonCode, envelope},
};

/// Largest body, in bytes.
const BODY_LIMIT: usize = 10 * 1024 * 1024;

/// The API's two routes, and those of command lines beside it.
pub(super) fn routes() -> Routes {
    Routes::new()
        .post("/", Caller::ApiCaller, serve)
        .get_that_writes("/", Caller::ApiCaller, get)
        .merge(command_line::routes())
}

/// The actions that the console does what they do, with their services: the organisation's, its
/// Identity Center's, and our own.
pub(super) fn console_actions() -> impl Iterator<Item = (&'static str, &'static str)> {
    let presented = [("organization", "2021-03-31"), catalogue::OWN];
    catalogue::SERVICES
        .iter()
        .filter(move |service| presented.contains(&(service.name, service.version)))
        .flat_map(|service| service.actions.iter().map(|action| (service.name, *action)))
}

/// A person who types our address looks for the console, not for the API.
async fn get(app: State<App>, info: Extension<RequestInfo>, request: Request) -> Response {
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
    let is_person = accepts.is_some_and(|accept| accept.contains("text/html"))
        && !request.headers().contains_key(AUTHORIZATION)
        && request.uri().query().is_none();
    if is_person {
        return Redirect::to("/console").into_response();
    }
    serve(app, info, request).await
}

async fn serve(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let mut unread = false;
    let body = match answer(&app, &info, request).await {
        Ok(content) => envelope::success(&content, &info.id),
        Err(refusal) => {
            if let Some(fault) = refusal.failure() {
                log_cause(fault);
            }
            let (code, message) = refusal.code_and_message();
            unread = code == CommonCode::RequestSizeLimitExceeded.as_str();
            envelope::failure_with(&code, &message, refusal.more(), &info.id)
        }
    };
    match body {
        Ok(body) => {
            let kind = [(CONTENT_TYPE, envelope::CONTENT_TYPE)];
            let mut response = (StatusCode::OK, kind, Body::from(body)).into_response();
            if unread {
                close_after(&mut response);
            }
            response
        }
        Err(error) => {
            log_cause(&error);
            Fault::Internal("an answer could not be written").into_response()
        }
    }
}

async fn answer(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        Refusal::common(
            CommonCode::RequestSizeLimitExceeded,
            "The body is over 10 MiB, or it ended early.",
        )
    })?;
    let headers = wire::raw_headers(&parts);
    let wire = Wire::new(&parts, &headers, &body)?;
    let name = wire.required("X-TC-Action")?.to_owned();
    let version = wire.required("X-TC-Version")?.to_owned();
    let act = info.act(app, Actor::anyone());

    let Some((signed, timestamp)) = authenticate::signature(&wire, act.now.as_second())? else {
        return answer_unsigned(app, &act, wire, &version, &name).await;
    };
    let caller = authenticate::caller(app, &act, &wire, &signed, timestamp).await?;
    let act = act.by(authenticate::actor(&caller));

    let action = table::find(&signed.service, &version, &name)?;
    let (given, origin) = wire.parameters()?;
    let parameters = Parameters::check(action.fields, given, origin)?;
    let authorized = async {
        let service = &signed.service;
        authenticate::authorize(app, &act, &caller, service, action, &parameters).await?;
        if action.only_reads() {
            app.reads.note(signed.signature(), act.now.as_second());
            Ok(())
        } else {
            authenticate::once(app, &act, &signed).await
        }
    };
    let answer = match authorized.await {
        Ok(()) => {
            let call = Call { app: app.clone(), act, caller, parameters };
            match (action.run)(&call).await {
                Err(refusal) if action.is_about_space() => Err(or_not_open(&call, refusal).await),
                other => other,
            }
        }
        Err(refusal) => Err(refusal),
    };
    answer.map_err(|refusal| refusal.of_service(&signed.service))
}

/// ACT-01: before a space is open, whatever is about one says that first. Asked only where a call is
/// refused anyway.
async fn or_not_open(call: &Call, refusal: Refusal) -> Refusal {
    let organization = call.caller.organization.id;
    let found = call.app.db.read(async |tx| space::of_organization(tx, organization).await).await;
    match found {
        Ok(None) => space::Error::NotOpen.into(),
        Ok(Some(_)) | Err(_) => refusal,
    }
}

/// The actions that prove who asks by what they say. They are work for strangers, so there are only
/// so many of them from one place.
async fn answer_unsigned(
    app: &App,
    act: &Act,
    wire: Wire<'_>,
    version: &str,
    name: &str,
) -> Answer {
    let action = table::find_unsigned(version, name)?;
    let counted = app.saml_messages.as_ref().as_ref().map(|limiter| limiter.count(act.address));
    if let Some(Err(seconds)) = counted {
        return Err(Refusal::common(
            CommonCode::RequestLimitExceeded,
            format!("Too many requests come from this address; come again in {seconds} s."),
        ));
    }
    let (given, origin) = wire.parameters()?;
    let parameters = Parameters::check(action.fields, given, origin)?;
    let answer = (action.run)(app, act, &parameters).await;
    answer.map_err(|refusal| refusal.of_service(action.service))
}
