//! The office of an administrator: who a CAM user is, which organisation is administered from its
//! account, and with which policies. Every request of the console asks for it, so it is one
//! statement.

use super::{
    Authority, CamUser, Error,
    authorize::{PolicyRow, attached},
};
use crate::{
    id::{DepartmentId, OrganizationId, SpaceId, Uin},
    organization::{Account, AccountKind, Organization},
    space::{Networks, ScimSettings, Space},
    store::{Json, Read, Timestamp, sql},
};

/// Whoever is at the console, and what it belongs to.
#[derive(Clone, Debug)]
pub struct Office {
    /// Who.
    pub user: CamUser,
    /// The organisation of the account.
    pub organization: Organization,
    /// The account.
    pub account: Account,
    /// The organisation's space, if it is open.
    pub space: Option<Space>,
    /// What the user's policies say. They are not read where they decide nothing: of a root, and of
    /// whoever is shut out.
    pub authority: Authority,
}

/// One policy of the user, and everything else once more.
#[derive(sqlx::FromRow)]
struct Row {
    user_name: String,
    is_root: bool,
    blocked: bool,
    managed_by: Option<SpaceId>,
    user_remark: String,
    user_created_at: Timestamp,
    account_uin: Uin,
    organization_id: OrganizationId,
    department_id: DepartmentId,
    node_id: i64,
    department_name: String,
    kind: AccountKind,
    account_name: String,
    account_remark: String,
    account_created_at: Timestamp,
    account_updated_at: Timestamp,
    organization_name: String,
    organization_created_at: Timestamp,
    space_id: Option<SpaceId>,
    space_name: Option<String>,
    user_sync_suffix: Option<String>,
    scim_enabled: Option<bool>,
    scim_settings: Option<Json<ScimSettings>>,
    scim_switched_off_at: Option<Timestamp>,
    scim_brake_lifted_until: Option<Timestamp>,
    sso_enabled: Option<bool>,
    sign_metadata: Option<bool>,
    sign_in_networks: Option<Json<Networks>>,
    space_created_at: Option<Timestamp>,
    space_updated_at: Option<Timestamp>,
    policy_id: Option<i64>,
    policy_name: Option<String>,
    document: Option<String>,
}

impl Row {
    fn space(&self) -> Option<Space> {
        Some(Space {
            id: self.space_id?,
            organization_id: self.organization_id,
            name: self.space_name.clone()?,
            user_sync_suffix: self.user_sync_suffix.clone()?,
            scim_enabled: self.scim_enabled?,
            scim_settings: self.scim_settings.clone()?,
            scim_switched_off_at: self.scim_switched_off_at,
            scim_brake_lifted_until: self.scim_brake_lifted_until,
            sso_enabled: self.sso_enabled?,
            sign_metadata: self.sign_metadata?,
            sign_in_networks: self.sign_in_networks.clone()?,
            created_at: self.space_created_at?,
            updated_at: self.space_updated_at?,
        })
    }
}

/// The office of a CAM user; nothing where there is no such user.
pub async fn office(tx: &mut Read, user: Uin) -> Result<Option<Office>, Error> {
    let rows: Vec<Row> = sql("SELECT u.name AS user_name, u.is_root, u.blocked, u.managed_by,
            u.remark AS user_remark, u.created_at AS user_created_at,
            a.uin AS account_uin, a.organization_id, a.department_id, d.node_id,
            d.name AS department_name, a.kind, a.name AS account_name,
            a.remark AS account_remark, a.created_at AS account_created_at,
            a.updated_at AS account_updated_at,
            o.name AS organization_name, o.created_at AS organization_created_at,
            s.id AS space_id, s.name AS space_name, s.user_sync_suffix, s.scim_enabled,
            s.scim_settings, s.scim_switched_off_at, s.scim_brake_lifted_until, s.sso_enabled,
            s.sign_metadata, s.sign_in_networks, s.created_at AS space_created_at,
            s.updated_at AS space_updated_at,
            up.policy_id, p.name AS policy_name, p.document
        FROM cloud_users u
        JOIN accounts a ON a.uin = u.account_uin
        JOIN departments d ON d.id = a.department_id
        JOIN organizations o ON o.id = a.organization_id
        LEFT JOIN spaces s ON s.organization_id = o.id
        LEFT JOIN cloud_user_policies up
             ON up.user_uin = u.uin AND u.is_root = $2 AND u.blocked = $2
        LEFT JOIN cloud_policies p ON p.id = up.policy_id AND p.account_uin = u.account_uin
        WHERE u.uin = $1 ORDER BY up.policy_id")
    .bind(user)
    .bind(false)
    .fetch_all(tx)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let space = first.space();
    let organization = Organization {
        id: first.organization_id,
        name: first.organization_name.clone(),
        created_at: first.organization_created_at,
    };
    let account = Account {
        uin: first.account_uin,
        organization_id: first.organization_id,
        department_id: first.department_id,
        node_id: first.node_id,
        department_name: first.department_name.clone(),
        kind: first.kind,
        name: first.account_name.clone(),
        remark: first.account_remark.clone(),
        created_at: first.account_created_at,
        updated_at: first.account_updated_at,
    };
    let user = CamUser {
        uin: user,
        account_uin: first.account_uin,
        name: first.user_name.clone(),
        is_root: first.is_root,
        blocked: first.blocked,
        managed_by: first.managed_by,
        remark: first.user_remark.clone(),
        created_at: first.user_created_at,
    };
    let policies = rows.into_iter().filter_map(|row| {
        let policy_id = row.policy_id?;
        Some(PolicyRow { policy_id, name: row.policy_name, document: row.document })
    });
    let authority = Authority::granting(account.uin, attached(policies)?);
    Ok(Some(Office { user, organization, account, space, authority }))
}
