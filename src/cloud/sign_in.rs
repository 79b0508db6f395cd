//! The accounts' sign-in: what a SAML response must prove before anybody is let in.
//!
//! In order: [`claim`] reads whose word the response claims to be, [`judge`] verifies it against
//! the SAML provider of that account and believes only what was verified, and [`enter`] decides in
//! one transaction: first use of the assertion, not revoked, the role trusts the provider, the
//! CAM user is this provider's.

use super::{
    CamPrincipal, CamUser, Error, NewRoleSession, RoleSession,
    objects::{self, ProviderRow, scope_of},
    revocations,
    sessions::{self, Terms, Vouched},
};
use crate::{
    audit::{self, Act, Change},
    id::{SpaceId, Uin},
    policy::{
        Context,
        trust::{Asking, TrustPolicy},
    },
    saml::{
        metadata::IdpMetadata,
        response::{Expected, Received, Refusal, VerifiedAssertion},
        role::{ROLE, ROLE_SESSION_NAME, RoleClaim, session_name},
        trace::Check,
    },
    store::{Read, Timestamp, Write, sql},
};

/// The attribute by which a CAM user's sign-in names account and provider; the NameID is the CAM
/// user's name. Value: `qcs::cam::uin/{uin}:saml-provider/{provider}`.
pub const PROVIDER_ATTRIBUTE: &str = "https://cloud.tencent.com/SAML/Attributes/Provider";

/// The action that a role's trust policy must allow.
const ASSUME: &str = "sts:AssumeRoleWithSAML";

/// Whose word a response is, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// To enter an account as a role.
    Role(RoleClaim),
    /// To enter an account as a CAM user.
    User {
        /// The account.
        account: Uin,
        /// The SAML provider that vouches.
        provider: String,
    },
}

impl Claim {
    /// The account.
    pub fn account(&self) -> Uin {
        match self {
            Self::Role(claim) => Uin(claim.uin),
            Self::User { account, .. } => *account,
        }
    }

    /// The SAML provider that vouches.
    pub fn provider(&self) -> &str {
        match self {
            Self::Role(claim) => &claim.provider,
            Self::User { provider, .. } => provider,
        }
    }

    fn read(role: Option<&str>, provider: Option<&str>) -> Result<Self, Refused> {
        match (role, provider) {
            (Some(role), None) => role.parse().map(Self::Role).map_err(|_| Refused::NoClaim),
            (None, Some(provider)) => {
                let text = provider.strip_prefix("qcs::cam::uin/").ok_or(Refused::NoClaim)?;
                let (account, provider) =
                    text.split_once(":saml-provider/").ok_or(Refused::NoClaim)?;
                let account = account.parse().map_err(|_| Refused::NoClaim)?;
                Ok(Self::User { account, provider: provider.to_owned() })
            }
            _ => Err(Refused::NoClaim),
        }
    }
}

/// Why nobody is let in. What is shown is one sentence; the rest is for the log.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The response does not say in whose name it opens which role of which account.
    #[error("the response names no role of an account")]
    NoClaim,
    /// The account has no such SAML provider, or its metadata cannot be read.
    #[error("the account does not know this identity provider")]
    UnknownProvider,
    /// The response is not sound.
    #[error("the response was refused")]
    Saml(#[from] Refusal),
    /// The strict core took the response, and the second opinion did not.
    #[error("the second opinion disagrees over the response")]
    Disputed(Box<Disputed>),
    /// What was verified is not what was claimed at first.
    #[error("the response says two things")]
    Contradiction,
    /// The response names several roles; one is entered at a time.
    #[error("the response names several roles")]
    SeveralRoles,
    /// The session's name is missing, doubled or malformed.
    #[error("the response names no session")]
    NoSessionName,
    /// The response was used before.
    #[error("the response was used before")]
    Replayed,
    /// What the response says was revoked since.
    #[error("the access was revoked")]
    Revoked,
    /// The role is not there, or does not let anybody into the console.
    #[error("the role is not there")]
    UnknownRole,
    /// The role does not trust this provider.
    #[error("the role does not trust this identity provider")]
    NotTrusted,
    /// The CAM user is not there, is not this provider's, or is shut out.
    #[error("the CAM user may not sign in like this")]
    UnknownUser,
    /// The cloud failed.
    #[error(transparent)]
    Cloud(#[from] Error),
}

impl Refused {
    /// The stable name, as in the audit log; of an unsound response the check that it failed.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoClaim => "no-claim",
            Self::UnknownProvider => "unknown-provider",
            Self::Saml(refusal) => refusal.check.name(),
            Self::Disputed(_) => Check::SecondOpinion.name(),
            Self::Contradiction => "contradiction",
            Self::SeveralRoles => "several-roles",
            Self::NoSessionName => "no-session-name",
            Self::Replayed => "replayed",
            Self::Revoked => "revoked",
            Self::UnknownRole => "unknown-role",
            Self::NotTrusted => "not-trusted",
            Self::UnknownUser => "unknown-user",
            Self::Cloud(_) => "failure",
        }
    }
}

impl From<crate::store::Error> for Refused {
    fn from(error: crate::store::Error) -> Self {
        Self::Cloud(error.into())
    }
}

/// Whose word a response claims to be. Nothing of it is believed; it says where to look.
pub fn claim(received: &Received) -> Result<Claim, Refused> {
    Claim::read(
        received.attribute_unverified(ROLE),
        received.attribute_unverified(PROVIDER_ATTRIBUTE),
    )
}

/// What there is to know before a response is judged.
#[derive(Clone, Debug)]
pub struct Known {
    /// The metadata of the SAML provider that is claimed to vouch.
    metadata: String,
    /// The id of the assertion, if the replay ledger has it.
    used: Option<String>,
}

/// Reads what the judgement needs.
pub async fn known(tx: &mut Read, received: &Received, claim: &Claim) -> Result<Known, Refused> {
    let account = claim.account();
    let found = objects::provider(tx, account, claim.provider()).await?;
    let metadata = found.map(|found| found.metadata).ok_or(Refused::UnknownProvider)?;
    let used: Option<(String,)> = match received.assertion_unverified() {
        Some((issuer, id)) => {
            sql("SELECT assertion_id FROM cloud_accepted_assertions
                 WHERE account_uin = $1 AND issuer = $2 AND assertion_id = $3")
            .bind(account)
            .bind(issuer)
            .bind(id)
            .fetch_optional(tx)
            .await?
        }
        None => None,
    };
    Ok(Known { metadata, used: used.map(|(id,)| id) })
}

/// What one implementation took and another did not. Lets nobody in.
#[derive(Debug)]
pub struct Disputed {
    issuer: String,
    assertion: VerifiedAssertion,
    said: String,
}

impl Disputed {
    /// What the strict core took, and what the second opinion said of it.
    pub fn new(issuer: String, assertion: VerifiedAssertion, said: String) -> Self {
        Self { issuer, assertion, said }
    }

    /// What the second opinion said.
    pub fn said(&self) -> &str {
        &self.said
    }

    /// For whom the provider vouched, as the strict core reads it.
    pub fn name_id(&self) -> &str {
        &self.assertion.name_id
    }

    /// Uses the assertion up, so that it is disputed once; says whether it was new. With it the space
    /// whose provider it is, if one manages that.
    pub async fn use_up(
        &self,
        tx: &mut Write,
        claim: &Claim,
    ) -> Result<(bool, Option<SpaceId>), Error> {
        let account = claim.account();
        let is_new = ledger(tx, account, &self.issuer, &self.assertion).await?;
        let provider = objects::provider(tx, account, claim.provider()).await?;
        Ok((is_new, provider.and_then(|provider| provider.managed_by)))
    }
}

/// How strictly a response is judged.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The address of the accounts' sign-in: recipient and audience.
    pub sign_in_url: &'a str,
    /// How far clocks may differ.
    pub skew: jiff::SignedDuration,
    /// Whether an independent implementation must agree.
    pub second_opinion: bool,
    /// Whoever brings the response chose one of the roles that it names, and a name for the
    /// session (STS).
    pub chosen: Option<(&'a str, &'a str)>,
    /// The present.
    pub now: Timestamp,
}

/// A response that was verified against a provider's metadata.
#[derive(Debug)]
pub struct Verified {
    claim: Claim,
    metadata: String,
    issuer: String,
    session_name: String,
    /// Whether a role is entered at the console, which not every role lets in.
    by_console: bool,
    assertion: VerifiedAssertion,
}

impl Verified {
    /// What the response opens, as verified.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    /// For whom the provider vouches, as verified.
    pub fn name_id(&self) -> &str {
        &self.assertion.name_id
    }

    /// How long a session may last where the role grants so many seconds: never longer than the
    /// response says. What has ended within the tolerance of clocks lasts a second.
    pub fn seconds(&self, granted: i64, now: Timestamp) -> i64 {
        let stated = self.assertion.session_not_on_or_after.map(Timestamp::from);
        stated.map_or(granted, |ends| granted.min(ends.seconds_since(now).max(1)))
    }

    /// The one role that the response opens; none if it is for a CAM user.
    pub fn role(&self) -> Option<&str> {
        match &self.claim {
            Claim::Role(claim) => claim.roles.first().map(String::as_str),
            Claim::User { .. } => None,
        }
    }
}

/// Verifies a response against the metadata of the provider that it claims. Does cryptography:
/// never inside a transaction.
pub fn judge(
    received: &Received,
    claimed: &Claim,
    known: Known,
    rules: Rules<'_>,
) -> Result<Verified, Refused> {
    let Known { metadata, used } = known;
    let idp = IdpMetadata::parse(metadata.as_bytes(), rules.now.to_jiff())
        .map_err(|_| Refused::UnknownProvider)?;
    let expected = Expected {
        idp_entity_id: &idp.entity_id,
        certificates: &idp.certificates,
        decryption_keys: &[],
        acs_url: rules.sign_in_url,
        sp_entity_id: rules.sign_in_url,
        request_id: None,
        authn_contexts: &[],
        authenticated_since: None,
        identity_attribute: None,
        allow_unsolicited: true,
        used: used.as_deref(),
        now: rules.now.to_jiff(),
        skew: rules.skew,
        second_opinion: rules.second_opinion,
    };
    let outcome = received.verify(&expected);
    let assertion = match (outcome.result, outcome.refused_proof) {
        (Ok(assertion), _) => assertion,
        (Err(refusal), _) if refusal.check == Check::Replay => return Err(Refused::Replayed),
        (Err(refusal), Some(assertion)) => {
            let disputed = Disputed::new(idp.entity_id, assertion, refusal.received);
            return Err(Refused::Disputed(Box::new(disputed)));
        }
        (Err(refusal), None) => return Err(refusal.into()),
    };
    let mut claim = Claim::read(one(&assertion, ROLE)?, one(&assertion, PROVIDER_ATTRIBUTE)?)?;
    if claim != *claimed {
        return Err(Refused::Contradiction);
    }
    let session_name = match (&mut claim, rules.chosen) {
        (Claim::Role(named), Some((role, name))) => {
            if !named.roles.iter().any(|named| named == role) {
                return Err(Refused::NoClaim);
            }
            named.roles = vec![role.to_owned()];
            name.to_owned()
        }
        (Claim::User { .. }, Some(_)) => return Err(Refused::NoClaim),
        (Claim::Role(role), None) if role.roles.len() != 1 => return Err(Refused::SeveralRoles),
        (Claim::Role(_), None) => {
            let name = one(&assertion, ROLE_SESSION_NAME)?.ok_or(Refused::NoSessionName)?;
            // A sound session name is its own session name.
            if session_name(name) != name {
                return Err(Refused::NoSessionName);
            }
            name.to_owned()
        }
        (Claim::User { .. }, None) => String::new(),
    };
    let by_console = rules.chosen.is_none();
    Ok(Verified { claim, metadata, issuer: idp.entity_id, session_name, by_console, assertion })
}

/// The only value of an attribute; none if it is not there, and several are refused.
fn one<'a>(assertion: &'a VerifiedAssertion, name: &'a str) -> Result<Option<&'a str>, Refused> {
    let mut values = assertion.values(name);
    let first = values.next();
    if values.next().is_some() { Err(Refused::Contradiction) } else { Ok(first) }
}

/// How long a session of the role that a response opens lasts, in seconds: what
/// [`super::new_role_session`] needs before the transaction.
pub async fn session_duration(tx: &mut Read, claim: &Claim) -> Result<i64, Refused> {
    let Claim::Role(claim) = claim else { return Ok(0) };
    let role = claim.roles.first().ok_or(Refused::UnknownRole)?;
    let found = objects::role(tx, Uin(claim.uin), role).await?;
    found.map(|found| found.session_duration).ok_or(Refused::UnknownRole)
}

/// Lets somebody in on a verified response: opens the role session, or says which CAM user it is.
/// `session` is needed for a role.
pub async fn enter(
    tx: &mut Write,
    act: &Act,
    verified: &Verified,
    sign_in_url: &str,
    session: Option<&NewRoleSession>,
) -> Result<CamPrincipal, Refused> {
    let account = verified.claim.account();
    let provider = objects::provider(tx, account, verified.claim.provider()).await?;
    // What the response was verified against must still be what the account trusts.
    let provider = provider
        .filter(|provider| provider.metadata == verified.metadata)
        .ok_or(Refused::UnknownProvider)?;
    accept_once(tx, account, verified).await?;
    // A provider of ours says which portal session is behind this (CON-04). The word of any other
    // joins nothing in our log.
    let index = verified.assertion.session_index.as_deref();
    let within = index.filter(|_| provider.managed_by.is_some()).map(|index| act.within(index));
    let act = within.as_ref().unwrap_or(act);
    match &verified.claim {
        Claim::Role(claim) => {
            let role = claim.roles.first().ok_or(Refused::UnknownRole)?;
            let session = session.ok_or(Refused::UnknownRole)?;
            let session =
                enter_role(tx, act, verified, &provider, role, sign_in_url, session).await?;
            Ok(CamPrincipal::Role(session))
        }
        Claim::User { .. } => {
            Ok(CamPrincipal::User(enter_user(tx, act, verified, &provider).await?))
        }
    }
}

/// The replay ledger: an assertion is accepted once.
async fn accept_once(tx: &mut Write, account: Uin, verified: &Verified) -> Result<(), Refused> {
    let is_new = ledger(tx, account, &verified.issuer, &verified.assertion).await?;
    if is_new { Ok(()) } else { Err(Refused::Replayed) }
}

/// Writes an assertion into the ledger; says whether it was new there.
async fn ledger(
    tx: &mut Write,
    account: Uin,
    issuer: &str,
    assertion: &VerifiedAssertion,
) -> Result<bool, crate::store::Error> {
    let made = sql("INSERT INTO cloud_accepted_assertions
             (account_uin, issuer, assertion_id, expires_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
    .bind(account)
    .bind(issuer)
    .bind(&assertion.assertion_id)
    .bind(Timestamp::from(assertion.remember_until))
    .execute(tx)
    .await?;
    Ok(made == 1)
}

async fn enter_role(
    tx: &mut Write,
    act: &Act,
    verified: &Verified,
    provider: &ProviderRow,
    role_name: &str,
    sign_in_url: &str,
    session: &NewRoleSession,
) -> Result<RoleSession, Refused> {
    let account = verified.claim.account();
    let role = objects::role(tx, account, role_name).await?;
    let role = role
        .filter(|role| role.console_login || !verified.by_console)
        .ok_or(Refused::UnknownRole)?;
    let context = context(act, &verified.issuer, sign_in_url);
    if !trusts(&role.trust_policy, account, &provider.name, &context) {
        return Err(Refused::NotTrusted);
    }
    let vouched = Vouched {
        account,
        provider: &provider.name,
        name_id: &verified.assertion.name_id,
        session_name: &verified.session_name,
    };
    let issued_at = Timestamp::from(verified.assertion.issued_at);
    if revocations::is_revoked(tx, vouched, role_name, issued_at).await? {
        return Err(Refused::Revoked);
    }
    // The role may have changed since the session was prepared.
    if session.expires_at > act.now.plus_seconds(role.session_duration) {
        return Err(Refused::UnknownRole);
    }
    let assertion = Some(verified.assertion.assertion_id.clone());
    let terms = Terms { assertion, ..Terms::default() };
    Ok(sessions::insert(tx, act, role.id, session, vouched, &terms).await?)
}

async fn enter_user(
    tx: &mut Write,
    act: &Act,
    verified: &Verified,
    provider: &ProviderRow,
) -> Result<CamUser, Refused> {
    let account = verified.claim.account();
    let mut query = sql(super::users::USER);
    query.push("account_uin = ").push_bind(account);
    query.push(" AND name = ").push_bind(&verified.assertion.name_id);
    let found: Option<CamUser> = query.fetch_optional(tx).await?;
    let user = found
        .filter(|user| user.managed_by.is_some() && user.managed_by == provider.managed_by)
        .filter(|user| !user.is_root && !user.blocked)
        .ok_or(Refused::UnknownUser)?;
    let vouched = Vouched {
        account,
        provider: &provider.name,
        name_id: &verified.assertion.name_id,
        session_name: &verified.session_name,
    };
    let issued_at = Timestamp::from(verified.assertion.issued_at);
    if revocations::is_revoked(tx, vouched, "", issued_at).await? {
        return Err(Refused::Revoked);
    }
    super::users::remember_login(tx, act, user.uin).await?;
    let change = Change {
        scope: scope_of(tx, account).await?,
        action: "cam_user.signed_in",
        object_kind: "cam_user",
        object_id: &user.uin.to_string(),
        before: serde_json::json!(null),
        after: serde_json::json!({
            "provider": provider.name,
            "assertion": verified.assertion.assertion_id,
        }),
    };
    audit::record(tx, act, change).await?;
    Ok(user)
}

/// Whether a trust policy lets a SAML provider of the account open the role at this sign-in: some
/// statement allows it and none denies it. One that cannot be read trusts nobody.
fn trusts(policy: &str, account: Uin, provider: &str, context: &Context) -> bool {
    let asking = Asking::Provider { account: account.0, name: provider };
    TrustPolicy::parse(policy).is_ok_and(|policy| policy.allows(asking, ASSUME, context))
}

/// What is known of a sign-in, for the conditions of a trust policy.
fn context(act: &Act, issuer: &str, sign_in_url: &str) -> Context {
    let context = Context::new()
        .with("saml:aud", sign_in_url)
        .with("saml:iss", issuer)
        .with("qcs:current_time", act.now.to_jiff().to_string());
    match act.address {
        Some(address) => context.with("qcs:ip", address.to_string()),
        None => context,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://i.example/cloud/login/saml";

    fn policy(effect: &str, action: &str, arn: &str, audience: &str) -> String {
        serde_json::json!({ "version": "2.0", "statement": [{
            "action": action, "effect": effect, "principal": { "federated": [arn] },
            "condition": { "string_equal": { "saml:aud": audience } } }] })
        .to_string()
    }

    #[test]
    fn a_role_trusts_exactly_whom_its_policy_names() {
        let arn = "qcs::cam::uin/100:saml-provider/P";
        let context = Context::new().with("saml:aud", HERE);
        let check = |policy: &str| trusts(policy, Uin(100), "P", &context);
        assert!(check(&policy("allow", "name/sts:AssumeRoleWithSAML", arn, HERE)));
        assert!(check(&policy("allow", "sts:AssumeRole*", arn, HERE)));
        let other = "qcs::cam::uin/101:saml-provider/P";
        for wrong in [
            policy("deny", "name/sts:AssumeRoleWithSAML", arn, HERE),
            policy("allow", "name/sts:AssumeRole", arn, HERE),
            policy("allow", "name/sts:AssumeRoleWithSAML", other, HERE),
            policy("allow", "name/sts:AssumeRoleWithSAML", arn, "https://elsewhere.example"),
            policy("allow", "name/sts:AssumeRoleWithSAML", arn, HERE).replace("2.0", "1.0"),
            policy("allow", "name/sts:AssumeRoleWithSAML", arn, HERE)
                .replace("string_equal", "string_not_equal"),
            "{}".to_owned(),
            String::new(),
        ] {
            assert!(!check(&wrong), "{wrong}");
        }
    }

    #[test]
    fn a_claim_names_an_account_and_a_provider_in_one_way() {
        let role = "qcs::cam::uin/100:roleName/R,qcs::cam::uin/100:saml-provider/P";
        let user = "qcs::cam::uin/100:saml-provider/P";
        assert!(matches!(Claim::read(Some(role), None), Ok(Claim::Role(_))));
        assert!(matches!(Claim::read(None, Some(user)), Ok(Claim::User { .. })));
        for (role, user) in [(None, None), (Some(role), Some(user)), (Some(user), None)] {
            assert!(Claim::read(role, user).is_err());
        }
    }
}
