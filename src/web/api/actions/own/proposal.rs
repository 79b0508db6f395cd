//! What is proposed for the identity provider: given, looked at, approved exactly or thrown away
//! (SSO-09).

use serde_json::{Value, json};

use crate::{
    id::{ProposalId, SpaceId},
    saml::{
        binding,
        certificate::Certificate,
        metadata::{Endpoint, IdpMetadata},
    },
    sso::{
        self, Content, Difference, Looked, Origin, Part, Proposal, ProviderError,
        RemovedCertificate,
    },
    web::api::{
        actions::{
            ZONE_ID, action,
            saml::{document, parse},
        },
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR},
        refusal::Refusal,
        shape::{id, time},
    },
};

const NOT_FOUND: &str = "ResourceNotFound.SAMLProposalNotExist";
const PROPOSAL_ID: Field = Field::text("ProposalId").required();
/// Most entity ids that are told to choose from; a federation may have thousands.
const MOST_CHOICES: usize = 2000;

pub const ACTIONS: &[Action] = &[
    action(
        "ProposeSAMLIdentityProvider",
        &[
            ZONE_ID,
            Field::text("EncodedMetadataDocument"),
            Field::text("EntityId"),
            Field::text("LoginUrl"),
            Field::text("X509Certificate"),
        ],
        |call| Box::pin(propose(call)),
    ),
    action("DescribeSAMLProposal", &[ZONE_ID, PROPOSAL_ID], |call| Box::pin(describe(call))),
    action(
        "ChooseSAMLProposal",
        &[ZONE_ID, PROPOSAL_ID, Field::text("EntityId").required()],
        |call| Box::pin(choose(call)),
    ),
    action(
        "ApproveSAMLProposal",
        &[
            ZONE_ID,
            PROPOSAL_ID,
            Field::text("ComparedWith").required(),
            Field::boolean("IsReplacementConfirmed"),
        ],
        |call| Box::pin(approve(call)),
    ),
    action("DiscardSAMLProposal", &[ZONE_ID, PROPOSAL_ID], |call| Box::pin(discard(call))),
];

/// The number in `ProposalId`.
pub fn proposal_id(text: &str) -> Result<ProposalId, Refusal> {
    id(text, NOT_FOUND, "ProposalId")
}

/// What was refused, with the parameter that it is about.
fn refused(error: sso::Error) -> Refusal {
    let is_gone = matches!(error, sso::Error::Provider(ProviderError::ProposalNotFound));
    let refusal = Refusal::from(error);
    if is_gone { refusal.naming("ProposalId") } else { refusal }
}

/// The space, and the proposal that a call names, to be read before anything is written.
pub async fn proposed(call: &Call, id: ProposalId) -> Result<(SpaceId, Proposal), Refusal> {
    call.app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = sso::proposal(tx, space, id).await?;
            let found = found.ok_or_else(|| refused(ProviderError::ProposalNotFound.into()))?;
            Ok((space, found))
        })
        .await
}

/// Metadata, or else values by hand. With metadata the entity id says which one is meant where
/// there are several.
fn content(call: &Call) -> Result<(Origin, Content), Refusal> {
    let parameters = &call.parameters;
    let entity_id = parameters.optional_text("EntityId");
    if let Some(document) = document(parameters)? {
        for name in ["LoginUrl", "X509Certificate"] {
            if parameters.optional_text(name).is_some() {
                let text = format!(
                    "The parameter `{name}` must not be given beside `EncodedMetadataDocument`."
                );
                return Err(Refusal::new(PARAM_ERROR, text));
            }
        }
        let content = Content::metadata(&document)?;
        return Ok(match entity_id {
            Some(entity_id) => (Origin::Upload, content.choosing(entity_id)),
            None => (Origin::Upload, content),
        });
    }
    let given = |name: &str| {
        parameters.optional_text(name).map(str::to_owned).ok_or_else(|| {
            let text = format!(
                "The parameter `{name}` must be given where there is no `EncodedMetadataDocument`."
            );
            Refusal::new(PARAM_ERROR, text)
        })
    };
    let certificate = match parameters.optional_text("X509Certificate") {
        Some(file) => Some(parse(file)?.pem()),
        None => None,
    };
    let (entity_id, login_url) = (given("EntityId")?, given("LoginUrl")?);
    Ok((Origin::Hand, Content::ByHand { entity_id, login_url, certificate }))
}

async fn propose(call: &Call) -> Answer {
    // Nobody has documents read for them who cannot say which space they mean.
    call.app.db.read(async |tx| call.space(tx).await).await?;
    let (origin, content) = content(call)?;
    let looked = Looked::at(content, call.act.now).await?;
    let id = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::propose(tx, &call.act, space, origin, looked).await?)
        })
        .await?;
    Ok(object([("ProposalId", json!(id))]))
}

/// The word for where a proposal is from.
fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Upload => "Metadata",
        Origin::Hand => "ByHand",
        Origin::Source => "Fetched",
    }
}

fn difference(one: &Difference) -> Value {
    let part = match one.part {
        Part::EntityId => "EntityId",
        Part::Redirect => "RedirectUrl",
        Part::Post => "PostUrl",
        Part::Logout => "LogoutUrl",
        Part::Certificate => "Certificate",
    };
    json!({
        "Part": part,
        "Now": one.now.as_deref().unwrap_or_default(),
        "Then": one.then.as_deref().unwrap_or_default(),
        "IsChange": one.is_change(),
    })
}

/// A certificate, by what tells it from others and when it ends.
pub fn certificate(one: &Certificate) -> Value {
    let facts = one.facts();
    json!({
        "Fingerprint": facts.fingerprint,
        "Subject": facts.subject,
        "NotBefore": time(facts.not_before.into()),
        "NotAfter": time(facts.not_after.into()),
        "X509Certificate": one.pem(),
    })
}

fn endpoints(all: &[Endpoint]) -> Vec<Value> {
    let one = |it: &Endpoint| {
        let way = if it.binding == binding::POST { "Post" } else { "Redirect" };
        json!({ "Binding": way, "Url": it.location })
    };
    all.iter().map(one).collect()
}

fn removed(one: &RemovedCertificate) -> Value {
    json!({
        "Fingerprint": one.fingerprint,
        "RemovedBy": one.removed_by,
        "RemoveTime": time(one.removed_at),
    })
}

/// What a configuration made of the metadata would say.
fn description(
    call: &Call,
    current: Option<&sso::IdentityProvider>,
    read: &IdpMetadata,
    gone: &[RemovedCertificate],
) -> Value {
    let warnings = read.warnings(call.act.now.to_jiff());
    json!({
        "Differences": sso::differences(current, read).iter().map(difference).collect::<Vec<_>>(),
        "SignOnServices": endpoints(&read.single_sign_on),
        "LogoutServices": endpoints(&read.single_logout),
        "NameIdFormats": read.name_id_formats,
        "WantsSignedRequests": read.want_authn_requests_signed,
        "ValidUntil": read.valid_until.map(|it| time(it.into())).unwrap_or_default(),
        "Certificates": read.certificates.iter().map(certificate).collect::<Vec<_>>(),
        "Warnings": warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "RemovedBefore": gone.iter().map(removed).collect::<Vec<_>>(),
    })
}

/// What is proposed, beside what is configured; or what there is to choose from first.
async fn describe(call: &Call) -> Answer {
    let (_, proposal) = proposed(call, proposal_id(call.parameters.text("ProposalId"))?).await?;
    let (space, current) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let current = sso::identity_provider(tx, space.id).await?;
            Ok((space, current))
        })
        .await?;
    let mut choice = proposal.content().clone().choice().await?;
    choice.truncate(MOST_CHOICES);
    if choice.len() < 2 {
        choice.clear();
    }
    let looked = Looked::at(proposal.content().clone(), call.act.now).await?;
    let described = match looked.description(current.as_ref())? {
        Some(read) if choice.is_empty() => {
            let gone = async |tx: &mut crate::store::Read| {
                sso::removed_before(tx, space.id, &read).await.map_err(Refusal::from)
            };
            let gone = call.app.db.read(gone).await?;
            description(call, current.as_ref(), &read, &gone)
        }
        Some(_) | None => Value::Null,
    };
    Ok(object([
        ("ProposalId", json!(proposal.id)),
        ("Origin", json!(origin(proposal.origin))),
        ("CreatedBy", json!(proposal.created_by)),
        ("CreateTime", json!(time(proposal.created_at))),
        ("EntityIds", json!(choice)),
        ("Configuration", described),
        ("ComparedWith", json!(sso::standing(current.as_ref()))),
        ("NeedsConfirmation", json!(space.sso_enabled && current.is_some())),
    ]))
}

async fn choose(call: &Call) -> Answer {
    let id = proposal_id(call.parameters.text("ProposalId"))?;
    let (_, proposal) = proposed(call, id).await?;
    let content = proposal.content().clone().choosing(call.parameters.text("EntityId"));
    let looked = Looked::at(content, call.act.now).await?;
    let chosen = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            sso::choose(tx, &call.act, space, id, looked).await.map_err(refused)
        })
        .await?;
    Ok(object([("ProposalId", json!(chosen))]))
}

/// Replacing a provider while sign-in is on has to be confirmed.
async fn approve(call: &Call) -> Answer {
    let id = proposal_id(call.parameters.text("ProposalId"))?;
    let (_, proposal) = proposed(call, id).await?;
    let looked = Looked::at(proposal.content().clone(), call.act.now).await?;
    let compared = call.parameters.text("ComparedWith");
    let confirmed = call.parameters.is_true("IsReplacementConfirmed");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let is_there = sso::identity_provider(tx, space.id).await?.is_some();
            if space.sso_enabled && is_there && !confirmed {
                return Err(Refusal::new(
                    "FailedOperation.ReplacementNotConfirmed",
                    "Sign-in is on: `IsReplacementConfirmed` must be true to replace the identity \
                     provider.",
                ));
            }
            let id = proposal.id;
            sso::approve(tx, &call.act, space.id, id, looked, compared).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}

async fn discard(call: &Call) -> Answer {
    let id = proposal_id(call.parameters.text("ProposalId"))?;
    let (_, proposal) = proposed(call, id).await?;
    let looked = Looked::at(proposal.content().clone(), call.act.now).await?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            sso::discard(tx, &call.act, space, id, &looked).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}
