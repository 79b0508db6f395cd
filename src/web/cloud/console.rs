//! The account console: who one is in an account, and what one may do there.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::{
    assume::gives_credentials,
    principal::{CloudVisitor, console_of},
};
use crate::{
    app::App,
    cloud::{self, AttachedPolicy, CallerIdentity, CamPrincipal},
    organization::{self, Account},
    policy::{Decision, Effect, Reason, document::Document},
    store::Timestamp,
    web::{
        Fault,
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

/// Longest action or resource that is tried.
const LONGEST: usize = 512;

/// What to try, in the address: trying changes nothing.
#[derive(Deserialize)]
pub(super) struct Trial {
    action: Option<String>,
    resource: Option<String>,
}

/// What came of a trial.
struct Verdict {
    action: String,
    resource: String,
    decision: Decision,
    /// The statement that decided, as JSON.
    statement: Option<String>,
}

impl Verdict {
    fn reason(&self) -> crate::web::messages::Message {
        match self.decision.reason {
            Reason::Allowed => key!("cloud-reason-allowed"),
            Reason::ExplicitDeny => key!("cloud-reason-denied"),
            Reason::ImplicitDeny => key!("cloud-reason-implicit"),
        }
    }
}

/// A policy as a row of the list.
struct PolicyRow {
    name: String,
    is_preset: bool,
    document: String,
}

#[derive(Template)]
#[template(path = "cloud/account.html")]
struct AccountPage<'a> {
    account: &'a Account,
    principal: &'a CamPrincipal,
    identity: CallerIdentity,
    ends_at: Option<Timestamp>,
    policies: Vec<PolicyRow>,
    action: Field,
    resource: Field,
    verdict: Option<Verdict>,
}

impl AccountPage<'_> {
    /// The role session that the window is about, for its address.
    fn window(&self) -> Option<String> {
        match self.principal {
            CamPrincipal::Role(session) => Some(session.id.to_string()),
            CamPrincipal::User(_) | CamPrincipal::Federated(_) => None,
        }
    }

    /// What the window's own addresses end with.
    fn query(&self) -> String {
        self.window().map(|id| format!("?as={id}")).unwrap_or_default()
    }

    fn role(&self) -> Option<&str> {
        match self.principal {
            CamPrincipal::Role(session) => Some(&session.role_name),
            CamPrincipal::User(_) | CamPrincipal::Federated(_) => None,
        }
    }
}

/// The account console: the account, the role, its end, its policies, and a try.
pub(super) async fn show(
    State(app): State<App>,
    visitor: CloudVisitor,
    Query(trial): Query<Trial>,
) -> Result<Response, PageError> {
    let principal = &visitor.principal;
    let wanted = trial.action.as_deref().map(str::trim).filter(|action| !action.is_empty());
    let resource = trial.resource.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let resource = resource.unwrap_or("*");
    if wanted.is_some_and(|action| action.len() > LONGEST) || resource.len() > LONGEST {
        return Err(Problem::refused("TooLong", t!("cloud-too-long")).into());
    }
    let context = cloud::context(&visitor.act, principal);
    let (account, policies, decision) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let found = organization::of_account(tx, principal.account()).await?;
            let (_, account) = found.ok_or(Fault::Internal("an account is gone"))?;
            let policies = cloud::policies(tx, principal).await?;
            let decision = match wanted {
                None => None,
                Some(action) => {
                    let now = visitor.act.now;
                    Some(cloud::authorize(tx, principal, action, resource, &context, now).await?)
                }
            };
            Ok((account, policies, decision))
        })
        .await?;
    let verdict = wanted.zip(decision).map(|(action, decision)| Verdict {
        action: action.to_owned(),
        resource: resource.to_owned(),
        statement: deciding_statement(&policies, &decision),
        decision,
    });
    let page = AccountPage {
        account: &account,
        principal,
        identity: principal.identity(),
        ends_at: match principal {
            CamPrincipal::Role(session) => Some(session.expires_at),
            CamPrincipal::Federated(federated) => Some(federated.expires_at),
            CamPrincipal::User(_) => None,
        },
        policies: policies
            .iter()
            .map(|policy| PolicyRow {
                name: policy.name.clone(),
                is_preset: policy.is_preset,
                document: pretty(&policy.document),
            })
            .collect(),
        action: Field::text("action", key!("cloud-action"))
            .hint(key!("cloud-action-hint"))
            .longest(512)
            .value(wanted.unwrap_or_default()),
        resource: Field::text("resource", key!("cloud-resource"))
            .hint(key!("cloud-resource-hint"))
            .longest(512)
            .value(resource),
        verdict,
    };
    Ok(Page::new(page).into_response())
}

fn deciding_statement(policies: &[AttachedPolicy], decision: &Decision) -> Option<String> {
    let deciding = decision.deciding.as_ref()?;
    let policy = policies.iter().find(|policy| policy.name == deciding.policy)?;
    let statement = policy.document.statements().get(deciding.statement)?;
    serde_json::to_string_pretty(statement).ok()
}

fn pretty(document: &Document) -> String {
    let text = document.to_json();
    serde_json::from_str::<serde_json::Value>(&text)
        .and_then(|value| serde_json::to_string_pretty(&value))
        .unwrap_or(text)
}

#[derive(Template)]
#[template(path = "cloud/credentials.html")]
struct CredentialsPage<'a> {
    secret_id: &'a str,
    secret_key: &'a str,
    token: &'a str,
    ends_at: Timestamp,
    back: String,
}

/// The temporary credentials of a role session, for the command line.
pub(super) async fn credentials(
    State(app): State<App>,
    visitor: CloudVisitor,
) -> Result<Response, PageError> {
    let CamPrincipal::Role(session) = &visitor.principal else {
        let message = t!("cloud-role-only");
        return Err(Problem::refused("NoCredentials", message).into());
    };
    let found = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            if !gives_credentials(tx, session.account_uin, &session.role_name).await? {
                return Ok(None);
            }
            let found = cloud::credentials(tx, &app.sealer, session.id).await?;
            Ok(Some(found.ok_or(Fault::Internal("a session is gone"))?))
        })
        .await?;
    let Some((secret_id, secret_key, token)) = found else {
        return Err(Problem::refused("CommandLineOff", t!("portal-no-credentials")).into());
    };
    let page = CredentialsPage {
        secret_id: &secret_id,
        secret_key: &secret_key,
        token: &token,
        ends_at: session.expires_at,
        back: console_of(&visitor.principal),
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "cloud/login.html")]
struct LoginPage;

/// Where somebody lands who is in no account.
pub(super) async fn login() -> Response {
    Page::new(LoginPage).into_response()
}

/// Ends what the window is about. The role session itself ends at its time, with its credentials.
pub(super) async fn sign_out(
    visitor: Result<CloudVisitor, Response>,
    session: Session,
) -> Result<Response, PageError> {
    match visitor {
        Ok(visitor) => visitor.leave(&session).await?,
        Err(_) => session.flush().await?,
    }
    Ok(Redirect::to("/cloud/login").into_response())
}
