//! Who signed a request, and what that lets them do.

use super::{
    call::{Access, Action, Caller},
    refusal::{self, Refusal},
    wire::Wire,
};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    cloud::{self, CamPrincipal},
    organization::{self, AccountKind},
    policy::Context,
    tc3::{Authorization, CommonCode, Signed},
};

/// The signature of a request, as far as it can be judged without the key.
pub fn signature(wire: &Wire<'_>, now: i64) -> Result<(Signed, i64), Refusal> {
    let header = wire.required("Authorization")?;
    let authorization = Authorization::parse(header).map_err(refusal::signature)?;
    let Authorization::Signed(signed) = authorization else {
        return Err(Refusal::common(
            CommonCode::InvalidAuthorization,
            "The action must be signed with TC3-HMAC-SHA256.",
        ));
    };
    let timestamp = wire.parts.timestamp().map_err(refusal::signature)?;
    signed.check_time(timestamp, now).map_err(refusal::signature)?;
    Ok((signed, timestamp))
}

/// Who signed it: the key is looked up, the session token of temporary credentials is checked,
/// then the signature.
pub async fn caller(
    app: &App,
    act: &Act,
    wire: &Wire<'_>,
    signed: &Signed,
    timestamp: i64,
) -> Result<Caller, Refusal> {
    let token = wire.parts.header("x-tc-token").filter(|token| !token.is_empty());
    let found = app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let signer = cloud::signer(tx, &app.sealer, &signed.secret_id, token, act.now).await?;
            let Some(signer) = signer else { return Ok(None) };
            let account = signer.principal.account();
            Ok(organization::of_account(tx, account).await?.map(|found| (signer, found)))
        })
        .await?;
    let Some((signer, (organization, account))) = found else {
        return Err(Refusal::common(
            CommonCode::SecretIdNotFound,
            "The SecretId does not exist or is disabled.",
        ));
    };
    signed.verify(&wire.parts, timestamp, &signer.secret_key).map_err(refusal::signature)?;
    Ok(Caller { account, organization, principal: signer.principal })
}

/// May they call this action? Administrators are principals of the management account whose
/// policies allow `service:Action`; the root's always do (CON-14).
pub async fn authorize(
    app: &App,
    act: &Act,
    caller: &Caller,
    service: &str,
    action: &Action,
) -> Result<(), Refusal> {
    match action.access {
        Access::AnyCredential => return Ok(()),
        Access::Administrator => {}
    }
    let refused = || {
        Err(Refusal::common(
            CommonCode::UnauthorizedOperation,
            format!("The caller may not call {service}:{}.", action.name),
        ))
    };
    let is_user = match &caller.principal {
        CamPrincipal::User(_) => true,
        CamPrincipal::Role(_) => false,
    };
    if caller.account.kind != AccountKind::Management || !is_user {
        return refused();
    }
    let mut context = Context::new();
    if let Some(address) = act.address {
        context = context.with("qcs:ip", address.to_string());
    }
    let name = format!("{service}:{}", action.name);
    let principal = &caller.principal;
    let decision = app
        .db
        .read(async |tx| cloud::authorize(tx, principal, &name, "*", &context, act.now).await)
        .await?;
    if decision.allowed { Ok(()) } else { refused() }
}

/// The caller as the audit log has it.
pub fn actor(caller: &Caller) -> Actor {
    let (kind, id) = match &caller.principal {
        CamPrincipal::User(user) if caller.account.kind == AccountKind::Management => {
            (ActorKind::Administrator, user.uin.to_string())
        }
        CamPrincipal::User(user) => (ActorKind::CloudPrincipal, user.uin.to_string()),
        CamPrincipal::Role(session) => (ActorKind::CloudPrincipal, session.id.to_string()),
    };
    Actor { kind, id, name: caller.principal.name().to_owned() }
}
