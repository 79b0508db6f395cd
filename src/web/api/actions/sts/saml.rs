//! STS: temporary credentials on the word of a SAML provider, without a signature.

use super::credentials;
use crate::{
    app::App,
    audit::Act,
    cloud::{
        self,
        management::Role,
        new_role_session,
        sign_in::{self, Refused, Rules},
        sts::{self, RoleArn},
    },
    saml::response::Received,
    tc3::CommonCode,
    web::{
        api::{
            call::{Access, Action, Answer, Unsigned},
            fields::{Field, Parameters},
            refusal::Refusal,
        },
        cloud::check_standing,
        log_cause,
    },
};

const NAME: &str = "AssumeRoleWithSAML";
const FIELDS: &[Field] = &[
    Field::text("SAMLAssertion").required(),
    Field::text("PrincipalArn").required(),
    Field::text("RoleArn").required(),
    Field::text("RoleSessionName").required(),
    Field::unsigned("DurationSeconds"),
];

pub const UNSIGNED: Unsigned = Unsigned {
    service: "sts",
    version: "2018-08-13",
    name: NAME,
    fields: FIELDS,
    run: |app, act, parameters| Box::pin(assume_role(app, act, parameters)),
};

/// Who signs all the same gains nothing by it.
pub const ACTIONS: &[Action] = &[Action {
    name: NAME,
    access: Access::AnyCredential,
    fields: FIELDS,
    run: |call| Box::pin(assume_role(&call.app, &call.act, &call.parameters)),
}];

async fn assume_role(app: &App, act: &Act, parameters: &Parameters) -> Answer {
    let session_name = parameters.text("RoleSessionName");
    sts::check_session_name(session_name)?;
    let arn: RoleArn = parameters.text("RoleArn").parse()?;
    let received = Received::parse(parameters.text("SAMLAssertion"));
    let claim = sign_in::claim(&received).map_err(refusal)?;
    let provider = format!("qcs::cam::uin/{}:saml-provider/{}", claim.account(), claim.provider());
    if provider != parameters.text("PrincipalArn") || arn.account != claim.account() {
        return Err(refusal(Refused::NoClaim));
    }
    let (role, metadata) = app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let role: Option<Role> = arn.find(tx).await?;
            let metadata = sign_in::provider_metadata(tx, &claim).await.map_err(refusal)?;
            Ok((role.ok_or(Refused::UnknownRole).map_err(refusal)?, metadata))
        })
        .await?;
    let url = cloud::sign_in_url(app.settings.public_url.as_str());
    let (saml, now, sign_in_url) = (app.settings.saml, act.now, url.clone());
    let chosen = (role.name.clone(), session_name.to_owned());
    // Signatures and the second opinion are slow: never on a thread that serves others.
    let judged = tokio::task::spawn_blocking(move || {
        let rules = Rules {
            sign_in_url: &url,
            skew: jiff::SignedDuration::from_secs(saml.clock_skew),
            second_opinion: saml.second_opinion,
            chosen: Some((&chosen.0, &chosen.1)),
            now,
        };
        sign_in::judge(&received, &claim, &metadata, rules)
    });
    let judged = judged.await.map_err(|_| cloud::Error::Interrupted)?;
    let verified = judged.map_err(refusal)?;
    // Only now may the caller learn how long the role's sessions last.
    let seconds = sts::session_seconds(&role, parameters.integer("DurationSeconds"))?;
    let session = new_role_session(act, &app.sealer, verified.seconds(seconds, now))?;
    app.db
        .write(async |tx| -> Result<_, Refused> {
            check_standing(tx, &verified, now).await?;
            sign_in::enter(tx, act, &verified, &sign_in_url, Some(&session)).await
        })
        .await
        .map_err(refusal)?;
    Ok(credentials(&session))
}

/// What somebody is told who is not let in. The caller is a stranger: what there is in an account,
/// and what of the response was wrong, is in the log.
fn refusal(refused: Refused) -> Refusal {
    let message = match refused {
        Refused::Cloud(error) => return error.into(),
        Refused::Replayed => "The parameter `SAMLAssertion` was used already.",
        Refused::Revoked => "The access that the parameter `SAMLAssertion` opens has ended.",
        Refused::NoClaim => {
            "The parameter `SAMLAssertion` does not open the role of `RoleArn` in the name of \
             `PrincipalArn`."
        }
        Refused::UnknownProvider
        | Refused::Saml(_)
        | Refused::Contradiction
        | Refused::SeveralRoles
        | Refused::NoSessionName
        | Refused::UnknownRole
        | Refused::NotTrusted
        | Refused::UnknownUser => {
            "The account does not accept the parameter `SAMLAssertion` for the role of `RoleArn`."
        }
    };
    log_cause(&refused);
    Refusal::common(CommonCode::UnauthorizedOperation, message)
}
