//! STS: temporary credentials on the word of a SAML provider, without a signature.

use super::credentials;
use crate::{
    app::App,
    audit::Act,
    cloud::{sign_in::Refused, sts::RoleArn},
    tc3::CommonCode,
    web::{
        api::{
            call::{Access, Action, Answer, Unsigned},
            fields::{Field, Parameters},
            refusal::Refusal,
        },
        cloud::{self, Lasting, NoCredentials, Wanted},
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
    let role: RoleArn = parameters.text("RoleArn").parse()?;
    let wanted = Wanted {
        response: parameters.text("SAMLAssertion"),
        provider_arn: parameters.text("PrincipalArn"),
        role: &role,
        session_name: parameters.text("RoleSessionName"),
        lasting: Lasting::Wished(parameters.integer("DurationSeconds")),
    };
    match cloud::assume_role(app, act, wanted).await {
        Ok(session) => Ok(credentials(&session)),
        Err(NoCredentials::Refused(refused)) => Err(refusal(refused)),
        Err(NoCredentials::Sts(error)) => Err(error.into()),
        Err(NoCredentials::SwitchedOff) => Err(Refusal::common(
            CommonCode::UnauthorizedOperation,
            "The role of `RoleArn` gives out no credentials for the command line.",
        )),
    }
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
        | Refused::Disputed(_)
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
