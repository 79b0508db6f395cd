//! Who signed a request, and what that lets them do.

use super::{
    call::{Access, Action, Caller},
    fields::Parameters,
    refusal::{self, Refusal},
    subject::{self, Subject},
    wire::Wire,
};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    cloud::{self, CamPrincipal},
    organization::{self, AccountKind},
    tc3::{Authorization, CommonCode, Signed},
};

/// The signature of a request, as far as it can be judged without the key; none where the client
/// says that the proof is elsewhere.
pub fn signature(wire: &Wire<'_>, now: i64) -> Result<Option<(Signed, i64)>, Refusal> {
    let header = wire.required("Authorization")?;
    let authorization = Authorization::parse(header).map_err(refusal::signature)?;
    let signed = match authorization {
        Authorization::Signed(signed) => signed,
        Authorization::Skip => return Ok(None),
    };
    let timestamp = wire.parts.timestamp().map_err(refusal::signature)?;
    signed.check_time(timestamp, now).map_err(refusal::signature)?;
    Ok(Some((signed, timestamp)))
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

/// Refuses a request that was carried out before. What remembers it becomes durable with what the
/// action writes, at the latest.
pub async fn once(app: &App, act: &Act, signed: &Signed) -> Result<(), Refusal> {
    let (id, signature) = (&signed.secret_id, signed.signature());
    let was_a_read = app.reads.had(signature, act.now.as_second());
    let remembering =
        app.db.write_delayed(async |tx| cloud::is_fresh(tx, id, signature, act.now).await);
    if !was_a_read && remembering.await? {
        return Ok(());
    }
    Err(Refusal::common(
        CommonCode::SignatureExpire,
        "The same signed request has come before. Sign it anew.",
    ))
}

/// May they call this action? Every call of every principal is put to its policies; the root's
/// allow everything. What is the organisation's is for administrators: CAM users of the management
/// account, or somebody in their name (CON-14).
pub async fn authorize(
    app: &App,
    act: &Act,
    caller: &Caller,
    service: &str,
    action: &Action,
    parameters: &Parameters,
) -> Result<(), Refusal> {
    let name = format!("{service}:{}", action.name);
    let refused = |resource: &str| {
        let whereon = if resource == "*" { String::new() } else { format!(" on {resource}") };
        Err(Refusal::common(
            CommonCode::UnauthorizedOperation,
            format!("The caller may not call {name}{whereon}."),
        ))
    };
    let subject = match action.access {
        Access::AnyCredential => return Ok(()),
        Access::Administrator => {
            let is_user = match &caller.principal {
                CamPrincipal::User(_) | CamPrincipal::Federated(_) => true,
                CamPrincipal::Role(_) => false,
            };
            if caller.account.kind != AccountKind::Management || !is_user {
                return refused("*");
            }
            Subject::Everything
        }
        Access::Account(subject) => subject,
    };
    let context = cloud::context(act, &caller.principal);
    let (authority, resources) = app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let resources = subject.resources(tx, caller, parameters).await?;
            Ok((cloud::Authority::of(tx, &caller.principal, act.now).await?, resources))
        })
        .await?;
    for resource in resources {
        let context = subject::with_tags(context.clone(), &resource, parameters);
        if !authority.decide(&name, &resource.name, &context).allowed {
            return refused(&resource.shown);
        }
    }
    Ok(())
}

/// May they do what other actions do, too? One action that carries out what others do is refused to
/// whoever may not call those.
pub async fn authorize_as(
    app: &App,
    act: &Act,
    caller: &Caller,
    service: &str,
    actions: &[&str],
) -> Result<(), Refusal> {
    let context = cloud::context(act, &caller.principal);
    let authority =
        app.db.read(async |tx| cloud::Authority::of(tx, &caller.principal, act.now).await).await?;
    for action in actions {
        let name = format!("{service}:{action}");
        if !authority.decide(&name, "*", &context).allowed {
            return Err(Refusal::common(
                CommonCode::UnauthorizedOperation,
                format!("The caller may not call {name}."),
            ));
        }
    }
    Ok(())
}

/// The caller as the audit log has it.
pub fn actor(caller: &Caller) -> Actor {
    let (kind, id) = match &caller.principal {
        CamPrincipal::User(user) if caller.account.kind == AccountKind::Management => {
            (ActorKind::Administrator, user.uin.to_string())
        }
        CamPrincipal::User(user) => (ActorKind::CloudPrincipal, user.uin.to_string()),
        CamPrincipal::Role(session) => (ActorKind::CloudPrincipal, session.id.to_string()),
        CamPrincipal::Federated(federated) => (ActorKind::CloudPrincipal, federated.id.to_string()),
    };
    Actor { kind, id, name: caller.principal.name().to_owned() }
}
