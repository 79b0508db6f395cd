//! The demo's identity provider: a small real SAML identity provider that believes whoever one
//! says one is. It is there in demo mode only, and its page says what it is.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;

use super::{
    Anyone, Caller, Fault, Routes,
    page::Page,
    pages::{self, PageError, Problem},
    saml::post::{Message, SamlPost},
};
use crate::{
    app::{App, DemoIdentityProvider},
    directory::{self, User, UserFilter},
    id::SpaceId,
    saml::{
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format,
        request::AuthnRequest,
        sp_metadata::IdentityProvider,
    },
    secret::{hex, random},
    space::{self, Space},
    sso,
    store::PageRequest,
};

/// How many people the page offers to pick from.
const PEOPLE: i64 = 30;

pub(super) fn routes() -> Routes {
    let routes = Routes::new()
        .get("/demo/idp", Caller::Anyone, metadata)
        .get("/demo/idp/sso", Caller::Anyone, ask)
        .post("/demo/idp/sso", Caller::Anyone, answer);
    pages::open_door(routes)
}

fn provider(app: &App) -> Result<&DemoIdentityProvider, Problem> {
    app.demo.as_deref().ok_or_else(|| Problem::not_found(t!("problem-no-page")))
}

async fn metadata(State(app): State<App>) -> Result<Response, PageError> {
    let provider = provider(&app)?;
    let metadata = provider_metadata(provider)?;
    Ok(([(CONTENT_TYPE, "application/samlmetadata+xml")], metadata).into_response())
}

/// What the demo's identity provider says about itself.
pub fn provider_metadata(provider: &DemoIdentityProvider) -> Result<String, Fault> {
    let sso_url = format!("{}/sso", provider.entity_id);
    IdentityProvider {
        entity_id: &provider.entity_id,
        sso_url: &sso_url,
        certificates: std::slice::from_ref(provider.key.certificate()),
    }
    .metadata()
    .map_err(|_| Fault::Internal("metadata of ours cannot be written"))
}

#[derive(Debug, Deserialize)]
struct Question {
    #[serde(rename = "SAMLRequest")]
    request: String,
    #[serde(rename = "RelayState")]
    relay_state: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(flatten)]
    question: Question,
    user_name: String,
}

#[derive(Template)]
#[template(path = "demo/identity_provider.html")]
struct WhoAreYou<'a> {
    space: &'a str,
    people: &'a [User],
    request: &'a str,
    relay_state: Option<&'a str>,
}

/// Asks who one is.
async fn ask(
    State(app): State<App>,
    Query(question): Query<Question>,
) -> Result<Response, PageError> {
    provider(&app)?;
    let (_, space) = understand(&app, &question).await?;
    let people = app
        .db
        .read(async |tx| {
            let page = PageRequest::first(PEOPLE);
            directory::users(tx, space.id, &UserFilter::default(), page).await
        })
        .await?;
    let page = WhoAreYou {
        space: &space.name,
        people: &people.rows,
        request: &question.request,
        relay_state: question.relay_state.as_deref(),
    };
    Ok(Page::new(page).into_response())
}

/// Vouches for whoever one says one is, towards the space that asked and nobody else.
async fn answer(
    State(app): State<App>,
    caller: Anyone,
    Form(answer): Form<Answer>,
) -> Result<Response, PageError> {
    let provider = provider(&app)?;
    let (request, space) = understand(&app, &answer.question).await?;
    let name = answer.user_name.trim();
    if name.is_empty() || name.chars().count() > 256 || name.chars().any(char::is_control) {
        return Err(Problem {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "UserNameInvalid",
            title: key!("demo-who"),
            message: t!("demo-name-length"),
            onward: None,
        }
        .into());
    }
    let id = || random::<20>().map(|bytes| format!("_{}", hex(&bytes)));
    let now = caller.act.now.to_jiff();
    let acs_url = sso::acs_url(&app.settings, space.id);
    let issued = ResponseToIssue {
        response_id: &id().map_err(Fault::from)?,
        assertion_id: &id().map_err(Fault::from)?,
        issuer: &provider.entity_id,
        acs_url: &acs_url,
        audience: &request.issuer,
        in_response_to: Some(&request.id),
        name_id: name,
        name_id_format: name_id_format::UNSPECIFIED,
        session_index: &id().map_err(Fault::from)?,
        attributes: &[AttributeToState { name: "userName", values: &[name] }],
        authenticated_at: now,
        now,
        lifetime: SignedDuration::from_mins(5),
        session_lifetime: Some(SignedDuration::from_hours(8)),
    }
    .issue(&provider.key)
    .map_err(|_| Fault::Internal("the demo's response cannot be signed"))?;
    let page = SamlPost {
        action: &acs_url,
        message: Message::Response(&issued.base64()),
        relay_state: answer.question.relay_state.as_deref(),
        destination: &t!("demo-portal-of", space = space.name),
    };
    Ok(page.page()?)
}

/// The request and the space that sent it. The answer goes to that space's own address, whatever
/// the request says: it is not signed.
async fn understand(app: &App, question: &Question) -> Result<(AuthnRequest, Space), PageError> {
    let not_understood = || Problem {
        status: StatusCode::BAD_REQUEST,
        code: "SamlRequestInvalid",
        title: key!("problem-not-understood"),
        message: t!("demo-not-ours"),
        onward: None,
    };
    let request = AuthnRequest::from_redirect(&question.request).map_err(|_| not_understood())?;
    let prefix = app.settings.url("/saml/sp/");
    let id = request.issuer.strip_prefix(&prefix).and_then(|id| id.parse::<SpaceId>().ok());
    let id = id.ok_or_else(not_understood)?;
    let space = app.db.read(async |tx| space::space(tx, id).await).await?;
    Ok((request, space.ok_or_else(not_understood)?))
}
