//! The protocol of `tccli sso` (API.md §3.6): JSON by POST, without a signature and an envelope.
//!
//! `tccli` makes up a word and sends the person's browser to the portal with it; there the person
//! says yes (`web/portal/command_line.rs`). Here it comes for the token, lists accounts and roles,
//! has our word to an account written, and takes that to STS for temporary credentials. The token is
//! good for what its user reaches at that moment, and ends with the portal session it came from.
//! The name `LoginToken` or `LoginSkey` is the protocol's.

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{
    actions,
    call::{Answer, object},
    fields::{Field, Origin, Parameters, Rule},
    refusal::Refusal,
};
use crate::{
    access::{self, ReachState, ReachableAccount},
    app::App,
    audit::Actor,
    id::{ConfigurationId, Uin},
    sso::{self, CommandLineTaken},
    store::{Door, NewSession, open_session},
    tc3::{CommonCode, envelope},
    web::{
        Caller, CommandLine, RequestInfo, Routes, log_cause,
        portal::{Unsaid, role_word},
        request::close_after,
    },
};

/// Largest body, in bytes: one that carries a SAML response.
const BODY_LIMIT: usize = 256 * 1024;
/// What the client calls the site that signed it in; it only says it back.
const SITE: &str = "cn";
/// How many accounts or roles an answer has if nobody says.
const USUAL_PAGE: i64 = 20;

/// What every message may carry besides: what the client calls it, and the site.
const TRACE_ID: Field = Field::text("TraceId");
const SITE_FIELD: Field = Field::text("Site");
const LOGIN_TOKEN: Field = Field::text("LoginToken").required();
const TARGET_UIN: Field = Field::integer("TargetUin").required();

pub(super) fn routes() -> Routes {
    use Caller::{Anyone, CommandLine as Line};
    Routes::new()
        .post("/api/sso/check_login_state", Anyone, check_login_state)
        .post("/api/org/list_accounts_for_access_assignment", Line, list_accounts)
        .post("/api/org/list_role_configurations_for_account", Line, list_roles)
        .post("/api/org/gen_saml_response", Line, gen_saml_response)
        .post("/api/org/verify_login_skey", Line, verify_login_skey)
        .post("/api/sts/assume_role_with_saml", Anyone, assume_role_with_saml)
}

/// What a message says: not too many from one place, not too long, and a JSON object.
async fn given(
    app: &App,
    info: &RequestInfo,
    request: Request,
) -> Result<Map<String, Value>, Refusal> {
    let counted = app.command_lines.as_ref().as_ref().map(|limiter| limiter.count(info.address));
    if let Some(Err(seconds)) = counted {
        return Err(Refusal::common(
            CommonCode::RequestLimitExceeded,
            format!("Too many requests come from this address; come again in {seconds} s."),
        ));
    }
    let refused = |message: &str| Refusal::common(CommonCode::InvalidRequest, message);
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
        let message = "The body is over 256 KiB, or it ended early.";
        Refusal::common(CommonCode::RequestSizeLimitExceeded, message)
    })?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(refused("The header `Content-Type` must be application/json."));
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) | Err(_) => Err(refused("The body must be a JSON object.")),
    }
}

/// A message of a command line that shows its token in the field `token`. The token is looked up
/// before anything else is said about the message: a stranger learns nothing.
async fn of_line(
    app: &App,
    info: &RequestInfo,
    request: Request,
    fields: &[Field],
    token: &str,
) -> Result<(CommandLine, Parameters), Refusal> {
    let given = given(app, info, request).await?;
    let line = match given.get(token).and_then(Value::as_str) {
        Some(shown) => CommandLine::find(app, info, shown).await?,
        None => None,
    };
    let line = line.ok_or_else(|| {
        let message = "The login token is wrong, or what it opened has ended. Sign in again.";
        Refusal::common(CommonCode::TokenFailure, message)
    })?;
    Ok((line, Parameters::check(fields, given, Origin::Body)?))
}

/// The answer, without an envelope; a refusal is an `Error` in it.
fn flat(info: &RequestInfo, answer: Answer) -> Response {
    let mut unread = false;
    let mut content = answer.unwrap_or_else(|refusal| {
        if let Some(fault) = refusal.failure() {
            log_cause(fault);
        }
        let (code, message) = refusal.code_and_message();
        unread = code == CommonCode::RequestSizeLimitExceeded.as_str();
        object([("Error", json!({ "Code": code, "Message": message }))])
    });
    content.insert("RequestId".to_owned(), json!(info.id));
    let body = Body::from(Value::Object(content).to_string());
    let kind = [(CONTENT_TYPE, envelope::CONTENT_TYPE)];
    let mut response = (StatusCode::OK, kind, body).into_response();
    if unread {
        close_after(&mut response);
    }
    response
}

const STATE_FIELDS: &[Field] = &[TRACE_ID, Field::text("State").required()];

/// Has the person answered? The first to come after a yes gets a token.
async fn check_login_state(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = login_state(&app, &info, request).await;
    flat(&info, answer)
}

async fn login_state(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let given = given(app, info, request).await?;
    let parameters = Parameters::check(STATE_FIELDS, given, Origin::Body)?;
    let state = parameters.text("State");
    if !sso::is_command_line_state(state) {
        return Err(Refusal::common(
            CommonCode::InvalidParameterValue,
            "The parameter `State` has 32 to 64 letters and digits.",
        ));
    }
    let act = info.act(app, Actor::anyone());
    let nothing = object([("Status", json!("NotFound"))]);
    // Most questions find nothing, and write nothing.
    let read = app.db.read(async |tx| sso::command_line_is_answered(tx, act.now, state).await);
    if !read.await? {
        return Ok(nothing);
    }
    let taken = app
        .db
        .write(async |tx| -> Result<_, sso::Error> {
            let taken = sso::take_command_line(tx, &act, state).await?;
            let CommandLineTaken::Allowed { space, user, idp_session, ends_at } = taken else {
                return Ok((taken, None));
            };
            let data = CommandLine::session(space, user, idp_session, ends_at);
            let new = NewSession { door: Door::CommandLine, data: &data, now: act.now, ends_at };
            Ok((taken, Some(open_session(tx, new).await?)))
        })
        .await?;
    match taken {
        (CommandLineTaken::Allowed { .. }, Some(id)) => {
            let token = json!({ "State": state, "Token": CommandLine::token(id), "Site": SITE });
            Ok(object([("Status", json!("Finished")), ("Token", token)]))
        }
        (CommandLineTaken::Declined, _) => Err(Refusal::common(
            CommonCode::UnauthorizedOperation,
            "The person at the portal said no.",
        )),
        (CommandLineTaken::Nothing | CommandLineTaken::Allowed { .. }, _) => Ok(nothing),
    }
}

/// The accounts that somebody can enter now as some role, from a command line.
async fn enterable(app: &App, line: &CommandLine) -> Result<Vec<ReachableAccount>, Refusal> {
    let (space, user) = (line.user.space.id, line.user.user.id);
    let mut accounts = app.db.read(async |tx| access::reachable(tx, space, user).await).await?;
    for account in &mut accounts {
        account.roles.retain(|role| role.state == ReachState::Deployed && role.command_line);
    }
    accounts.retain(|account| !account.roles.is_empty());
    Ok(accounts)
}

/// So many of `all`, after so many others, and whether there are more.
fn page<T>(all: Vec<T>, skip: i64, most: i64) -> (Vec<T>, bool) {
    let (skip, most) = (usize::try_from(skip), usize::try_from(most));
    let (skip, most) = (skip.unwrap_or(usize::MAX), most.unwrap_or_default());
    let more = all.len() > skip.saturating_add(most);
    (all.into_iter().skip(skip).take(most).collect(), more)
}

const ACCOUNT_FIELDS: &[Field] = &[
    TRACE_ID,
    SITE_FIELD,
    LOGIN_TOKEN,
    Field::integer("PageNum").rule(Rule::Within(1, 1_000_000)),
    Field::integer("PageSize").rule(Rule::Within(1, 100)),
];

async fn list_accounts(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = accounts(&app, &info, request).await;
    flat(&info, answer)
}

async fn accounts(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let (line, parameters) = of_line(app, info, request, ACCOUNT_FIELDS, "LoginToken").await?;
    let found = enterable(app, &line).await?;
    let total = found.len();
    let most = parameters.integer("PageSize").unwrap_or(USUAL_PAGE);
    let skip = (parameters.integer("PageNum").unwrap_or(1) - 1).saturating_mul(most);
    let (found, _) = page(found, skip, most);
    let accounts: Vec<Value> =
        found.iter().map(|it| json!({ "Uin": it.uin, "Name": it.name })).collect();
    Ok(object([("Accounts", json!(accounts)), ("TotalCounts", json!(total))]))
}

const ROLE_FIELDS: &[Field] = &[
    TRACE_ID,
    SITE_FIELD,
    LOGIN_TOKEN,
    TARGET_UIN,
    Field::integer("MaxResults").rule(Rule::Within(1, 100)),
    Field::text("NextToken"),
];

async fn list_roles(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = roles(&app, &info, request).await;
    flat(&info, answer)
}

async fn roles(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let (line, parameters) = of_line(app, info, request, ROLE_FIELDS, "LoginToken").await?;
    let account = parameters.integer("TargetUin").map(Uin);
    let skip = parameters.optional_text("NextToken").map_or(Ok(0), str::parse::<u32>);
    let skip = i64::from(skip.map_err(|_| {
        let message = "The parameter `NextToken` is none that was given out.";
        Refusal::new("InvalidParameter.NextTokenInvalid", message)
    })?);
    let most = parameters.integer("MaxResults").unwrap_or(USUAL_PAGE);
    let accounts = enterable(app, &line).await?;
    let found = accounts.into_iter().find(|it| Some(it.uin) == account);
    let (found, more) = page(found.map(|it| it.roles).unwrap_or_default(), skip, most);
    let roles: Vec<Value> = found
        .iter()
        .map(|role| json!({ "RoleConfigurationId": role.id, "RoleConfigurationName": role.name }))
        .collect();
    let next = if more { (skip + most).to_string() } else { String::new() };
    Ok(object([
        ("RoleConfigurationsForAccount", json!(roles)),
        ("IsTruncated", json!(more)),
        ("NextToken", json!(next)),
    ]))
}

const SAML_FIELDS: &[Field] = &[
    TRACE_ID,
    SITE_FIELD,
    LOGIN_TOKEN,
    TARGET_UIN,
    Field::text("LoginType").required().rule(Rule::OneOf(&["RoleSAML"])),
    Field::text("UserId"),
    Field::text("RoleConfigurationId").required(),
];

async fn gen_saml_response(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = saml_response(&app, &info, request).await;
    flat(&info, answer)
}

async fn saml_response(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let (line, parameters) = of_line(app, info, request, SAML_FIELDS, "LoginToken").await?;
    let no_entry = |code: CommonCode, message: &str| Err(Refusal::common(code, message));
    let none = "You have no such access. It may have ended.";
    let account = parameters.integer("TargetUin").map(Uin);
    let configuration = parameters.text("RoleConfigurationId").parse::<ConfigurationId>().ok();
    let Some((account, configuration)) = account.zip(configuration) else {
        return no_entry(CommonCode::UnauthorizedOperation, none);
    };
    match role_word(app, &line, account, configuration).await {
        Ok(response) => Ok(object([("SAMLResponse", json!(response))])),
        Err(Unsaid::NoEntry(access::Error::NoAccess)) => {
            no_entry(CommonCode::UnauthorizedOperation, none)
        }
        Err(Unsaid::NoEntry(access::Error::NotReady(_))) => no_entry(
            CommonCode::FailedOperation,
            "This access is not ready: it is being set up, or that failed.",
        ),
        Err(Unsaid::SwitchedOff) => no_entry(
            CommonCode::UnauthorizedOperation,
            "Your administrators give out no credentials for the command line with this role.",
        ),
        Err(Unsaid::OtherCloud) => no_entry(
            CommonCode::UnsupportedOperation,
            "This account is in another cloud. Enter it at the portal.",
        ),
        Err(Unsaid::NoEntry(access::Error::Store(error))) => Err(error.into()),
        Err(Unsaid::Fault(fault)) => Err(fault.into()),
    }
}

const SKEY_FIELDS: &[Field] = &[TRACE_ID, SITE_FIELD, Field::text("LoginSkey").required()];

/// Which space the token opens.
async fn verify_login_skey(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = of_line(&app, &info, request, SKEY_FIELDS, "LoginSkey").await;
    let answer = answer.map(|(line, _)| object([("ZoneId", json!(line.user.space.id))]));
    flat(&info, answer)
}

const STS_FIELDS: &[Field] = &[
    TRACE_ID,
    SITE_FIELD,
    Field::text("SAMLAssertion").required(),
    Field::text("PrincipalArn").required(),
    Field::text("RoleArn").required(),
    Field::text("RoleSessionName").required(),
    Field::unsigned("DurationSeconds"),
];

/// The action of STS of that name: the proof is in the response.
async fn assume_role_with_saml(
    State(app): State<App>,
    Extension(info): Extension<RequestInfo>,
    request: Request,
) -> Response {
    let answer = credentials(&app, &info, request).await;
    flat(&info, answer)
}

async fn credentials(app: &App, info: &RequestInfo, request: Request) -> Answer {
    let given = given(app, info, request).await?;
    let parameters = Parameters::check(STS_FIELDS, given, Origin::Body)?;
    let act = info.act(app, Actor::anyone());
    let sts = &actions::sts::saml::UNSIGNED;
    let answer = (sts.run)(app, &act, &parameters).await;
    answer.map_err(|refusal| refusal.of_service(sts.service))
}
