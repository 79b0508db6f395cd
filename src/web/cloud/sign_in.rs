//! `POST /cloud/login/saml`: an account lets somebody in on the word of its SAML provider.

use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::principal::{CloudVisitor, console_of};
use crate::{
    access,
    app::App,
    cloud::{
        self, CamPrincipal, new_role_session,
        sign_in::{self, Claim, Refused, Rules, Verified},
    },
    saml::response::Received,
    space,
    store::{Timestamp, Write},
    web::{
        Anyone, Fault, log_cause,
        pages::{PageError, Problem},
        saml::limit::Unhurried,
    },
};

/// What the portal's form carries.
#[derive(Deserialize)]
pub(super) struct SamlForm {
    #[serde(rename = "SAMLResponse")]
    response: String,
}

/// Verifies the response, opens the session, and leads to the account console.
pub(super) async fn post(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    session: Session,
    Form(form): Form<SamlForm>,
) -> Result<Response, PageError> {
    match let_in(&app, &caller, &form.response).await {
        Ok(principal) => {
            CloudVisitor::remember(&app, &session, &principal).await?;
            Ok(Redirect::to(&console_of(&principal)).into_response())
        }
        Err(refused) => Err(problem(refused)),
    }
}

async fn let_in(app: &App, caller: &Anyone, response: &str) -> Result<CamPrincipal, Refused> {
    let received = Received::parse(response);
    let claim = sign_in::claim(&received)?;
    match enter(app, caller, received, &claim).await {
        Ok(principal) => Ok(principal),
        Err(NoEntry { refused: Refused::Cloud(error), .. }) => Err(Refused::Cloud(error)),
        Err(NoEntry { refused, name_id }) => {
            let name_id = name_id.as_deref();
            app.db
                .write(async |tx| {
                    cloud::record_refusal(tx, &caller.act, &claim, name_id, &refused).await
                })
                .await
                .map_err(Refused::Cloud)?;
            Err(refused)
        }
    }
}

/// Why nobody was let in, and for whom the response vouched if it was sound.
struct NoEntry {
    refused: Refused,
    name_id: Option<String>,
}

impl From<Refused> for NoEntry {
    fn from(refused: Refused) -> Self {
        Self { refused, name_id: None }
    }
}

async fn enter(
    app: &App,
    caller: &Anyone,
    received: Received,
    claim: &Claim,
) -> Result<CamPrincipal, NoEntry> {
    let (metadata, seconds) = app
        .db
        .read(async |tx| -> Result<_, Refused> {
            let metadata = sign_in::provider_metadata(tx, claim).await?;
            Ok((metadata, sign_in::session_duration(tx, claim).await?))
        })
        .await?;
    let sign_in_url = cloud::sign_in_url(app.settings.public_url.as_str());
    let (saml, now, url) = (app.settings.saml, caller.act.now, sign_in_url.clone());
    let claim = claim.clone();
    // Signatures and the second opinion are slow: never on a thread that serves others.
    let judged = tokio::task::spawn_blocking(move || {
        let rules = Rules {
            sign_in_url: &url,
            skew: jiff::SignedDuration::from_secs(saml.clock_skew),
            second_opinion: saml.second_opinion,
            chosen: None,
            now,
        };
        sign_in::judge(&received, &claim, &metadata, rules)
    });
    let verified = judged.await.map_err(|_| Refused::Cloud(cloud::Error::Interrupted))??;
    open(app, caller, &verified, seconds, &sign_in_url)
        .await
        .map_err(|refused| NoEntry { refused, name_id: Some(verified.name_id().to_owned()) })
}

/// Opens what a sound response opens, in one transaction that asks once more.
async fn open(
    app: &App,
    caller: &Anyone,
    verified: &Verified,
    seconds: i64,
    sign_in_url: &str,
) -> Result<CamPrincipal, Refused> {
    let new_session = match verified.claim() {
        Claim::Role(_) => {
            let seconds = verified.seconds(seconds, caller.act.now);
            Some(new_role_session(&caller.act, &app.sealer, seconds)?)
        }
        Claim::User { .. } => None,
    };
    app.db
        .write(async |tx| -> Result<_, Refused> {
            check_standing(tx, verified, caller.act.now).await?;
            sign_in::enter(tx, &caller.act, verified, sign_in_url, new_session.as_ref()).await
        })
        .await
}

/// The word that is presented may be minutes old. Where it is a space of ours that gave it, ask
/// whether the space would give it still (SES-04).
pub(in crate::web) async fn check_standing(
    tx: &mut Write,
    verified: &Verified,
    now: Timestamp,
) -> Result<(), Refused> {
    let account = verified.claim().account();
    let name = verified.name_id();
    let stands = match verified.role() {
        Some(role) => match cloud::managed_by(tx, account, role).await? {
            Some(space) => {
                space::hold_access(tx, space).await?;
                access::is_entitled(tx, space, name, account, role, now).await?
            }
            None => true,
        },
        None => access::has_cam_user(tx, account, name).await?,
    };
    if stands { Ok(()) } else { Err(Refused::Revoked) }
}

/// What somebody who is not let in sees: one sentence. The reason is in the audit log, and in ours.
fn problem(refused: Refused) -> PageError {
    let (code, message) = match &refused {
        Refused::Cloud(_) => {
            let Refused::Cloud(error) = refused else { return Problem::internal().into() };
            return Fault::from(error).into();
        }
        Refused::Revoked => ("AccessEnded", key!("cloud-access-ended")),
        Refused::Replayed => ("ResponseUsed", key!("cloud-response-used")),
        Refused::NoClaim
        | Refused::UnknownProvider
        | Refused::Saml(_)
        | Refused::Contradiction
        | Refused::SeveralRoles
        | Refused::NoSessionName
        | Refused::UnknownRole
        | Refused::NotTrusted
        | Refused::UnknownUser => ("SignInRefused", key!("cloud-refused")),
    };
    if let Refused::Saml(refusal) = &refused {
        tracing::warn!(check = %refusal.check, wanted = refusal.wanted, "a response was refused");
    }
    log_cause(&refused);
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: key!("problem-not-signed-in"),
        message: message.to_string(),
        onward: None,
    }
    .into()
}
