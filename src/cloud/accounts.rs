//! What comes with an account: its root, the roles it has from the start.

use serde_json::json;

use super::{CamUser, Error, NewAccessKey, create_access_key, create_root, objects::scope_of};
use crate::{
    audit::{self, Act, Change},
    id::{OrganizationId, RoleId, Uin},
    organization::{self, Account, Organization},
    policy::catalogue,
    secret::Sealer,
    space::{self, KeyPurpose, NewKeyPair, Space},
    store::{Timestamp, Write, sql, text_enum},
};

/// The role through which the management account enters a member (MEM-12).
pub const ACCESS_CONTROL_ROLE: &str = "OrganizationAccessControlRole";
/// The role with which Identity Center acts in the management account (ACT-07); spelled so.
pub const SERVICE_LINKED_ROLE: &str = "Orgnization_QCSLinkedRoleInCIC";
/// How long a session of a role lasts that nobody gave a duration, in seconds.
const SESSION_DURATION: i64 = 7_200;

text_enum! {
    /// What kind of role.
    pub enum RoleKind {
        /// Made by somebody in the account, or by a deployer.
        User = "user",
        /// Made with the account.
        System = "system",
        /// A product's own; only that product assumes it.
        ServiceLinked = "service_linked",
    }
}

/// Makes an organisation, its management account and the root who administers it, with an API key
/// (`init`).
pub async fn install(
    tx: &mut Write,
    act: &Act,
    organization: &str,
    administrator: &str,
    password_hash: &str,
    key: &NewAccessKey,
) -> Result<(Organization, Account, CamUser), Error> {
    let (organization, account) = organization::create(tx, act, organization).await?;
    let root = create_root(tx, act, account.uin, administrator, Some(password_hash)).await?;
    create_access_key(tx, act, &root, key).await?;
    Ok((organization, account, root))
}

/// Makes a member account (MEM-11) with what comes with it: a root without a password, and the
/// role through which the management account, and nobody else, enters (MEM-12).
pub async fn create_member(
    tx: &mut Write,
    act: &Act,
    management: &Account,
    node_id: Option<i64>,
    name: &str,
    remark: &str,
) -> Result<Account, Error> {
    let organization = management.organization_id;
    let account = organization::create_member(tx, act, organization, node_id, name, remark).await?;
    create_root(tx, act, account.uin, "root", None).await?;
    let trust = json!({
        "version": "2.0",
        "statement": [{
            "action": "name/sts:AssumeRole",
            "effect": "allow",
            "principal": { "qcs": [format!("qcs::cam::uin/{}:root", management.uin)] },
        }],
    });
    let role = SystemRole {
        account: account.uin,
        name: ACCESS_CONTROL_ROLE,
        description: "Lets the organisation's management account administer this account.",
        kind: RoleKind::System,
        trust: &trust,
        policy: "AdministratorAccess",
    };
    create_system_role(tx, act, &role).await?;
    Ok(account)
}

/// The two key pairs of a space that is to be opened. Slow: off the threads that serve.
pub async fn space_keys(
    name: String,
    now: Timestamp,
) -> Result<[(KeyPurpose, NewKeyPair); 2], Error> {
    let made = tokio::task::spawn_blocking(move || -> Result<_, space::Error> {
        let service = NewKeyPair::generate(&format!("{name} service provider"), now)?;
        let identity = NewKeyPair::generate(&format!("{name} identity provider"), now)?;
        Ok([(KeyPurpose::ServiceProvider, service), (KeyPurpose::IdentityProvider, identity)])
    });
    Ok(made.await.map_err(|_| Error::Interrupted)??)
}

/// Opens the space of an organisation, and makes the role with which Identity Center acts in its
/// management account (ACT-07).
pub async fn activate(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    management: &Account,
    name: &str,
    keys: [(KeyPurpose, NewKeyPair); 2],
) -> Result<Space, Error> {
    let organization: OrganizationId = management.organization_id;
    if organization::departments(tx, organization).await?.is_empty() {
        return Err(space::Error::OrganizationNotOpen.into());
    }
    let space = space::open(tx, act, sealer, organization, name, keys).await?;
    let trust = json!({
        "version": "2.0",
        "statement": [{
            "action": "name/sts:AssumeRole",
            "effect": "allow",
            "principal": { "service": ["cic.cloud.tencent.com"] },
        }],
    });
    let role = SystemRole {
        account: management.uin,
        name: SERVICE_LINKED_ROLE,
        description: "Lets Identity Center act on the accounts of the organisation.",
        kind: RoleKind::ServiceLinked,
        trust: &trust,
        policy: "QcloudOrganizationFullAccess",
    };
    create_system_role(tx, act, &role).await?;
    Ok(space)
}

struct SystemRole<'a> {
    account: Uin,
    name: &'static str,
    description: &'static str,
    kind: RoleKind,
    trust: &'a serde_json::Value,
    policy: &'static str,
}

async fn create_system_role(tx: &mut Write, act: &Act, role: &SystemRole<'_>) -> Result<(), Error> {
    let policy = catalogue::by_name(role.policy).ok_or(Error::PolicyNotFound)?;
    let id: RoleId = act.new_id();
    let made = sql("INSERT INTO cloud_roles
             (id, account_uin, name, description, kind, trust_policy, session_duration,
              console_login, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(id)
    .bind(role.account)
    .bind(role.name)
    .bind(role.description)
    .bind(role.kind)
    .bind(role.trust)
    .bind(SESSION_DURATION)
    .bind(false)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Ok(());
    }
    sql("INSERT INTO cloud_role_policies (role_id, policy_id, attached_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(policy.id)
        .bind(act.now)
        .execute(tx)
        .await?;
    let change = Change {
        scope: scope_of(tx, role.account).await?,
        action: "role.create",
        object_kind: "role",
        object_id: &format!("{}/{}", role.account, role.name),
        before: json!(null),
        after: json!({ "kind": role.kind, "trust_policy": role.trust, "policy": role.policy }),
    };
    Ok(audit::record(tx, act, change).await?)
}
