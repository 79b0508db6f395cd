//! What is to be deleted, and what still holds it.

use crate::{
    id::{ConfigurationId, GroupId, SpaceId, UserId},
    space::Space,
    store::{self as database, Read, sql},
};

/// Why a user, group or configuration cannot be deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    pub name: String,
    /// Whether a directory keeps it, and SCIM is on.
    pub managed: bool,
    /// What still holds it, and how many.
    pub holders: Vec<(&'static str, i64)>,
}

/// A user to be deleted.
pub(super) async fn user(
    tx: &mut Read,
    space: &Space,
    id: UserId,
) -> Result<Option<Subject>, database::Error> {
    let found: Option<(String, String, i64, i64, i64)> = sql("SELECT u.user_name, u.source,
             (SELECT COUNT(*) FROM group_members m WHERE m.user_id = u.id),
             (SELECT COUNT(*) FROM assignments a
              WHERE a.principal_kind = 'user' AND a.principal_id = u.id),
             (SELECT COUNT(*) FROM user_syncs s
              WHERE s.principal_kind = 'user' AND s.principal_id = u.id)
         FROM users u WHERE u.deleted_at IS NULL AND u.space_id = $1 AND u.id = $2")
    .bind(space.id)
    .bind(id)
    .fetch_optional(tx)
    .await?;
    Ok(found.map(|(name, source, groups, assignments, syncs)| Subject {
        name,
        managed: source == "scim" && space.scim_enabled,
        holders: vec![("groups", groups), ("assignments", assignments), ("user syncs", syncs)],
    }))
}

/// A group to be deleted.
pub(super) async fn group(
    tx: &mut Read,
    space: &Space,
    id: GroupId,
) -> Result<Option<Subject>, database::Error> {
    let found: Option<(String, String, i64, i64, i64)> = sql("SELECT g.name, g.source,
             (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id),
             (SELECT COUNT(*) FROM assignments a
              WHERE a.principal_kind = 'group' AND a.principal_id = g.id),
             (SELECT COUNT(*) FROM user_syncs s
              WHERE s.principal_kind = 'group' AND s.principal_id = g.id)
         FROM groups g WHERE g.deleted_at IS NULL AND g.space_id = $1 AND g.id = $2")
    .bind(space.id)
    .bind(id)
    .fetch_optional(tx)
    .await?;
    Ok(found.map(|(name, source, members, assignments, syncs)| Subject {
        name,
        managed: source == "scim" && space.scim_enabled,
        holders: vec![("members", members), ("assignments", assignments), ("user syncs", syncs)],
    }))
}

/// A configuration to be deleted.
pub(super) async fn configuration(
    tx: &mut Read,
    space: SpaceId,
    id: ConfigurationId,
) -> Result<Option<Subject>, database::Error> {
    let found: Option<(String, i64, i64, i64)> = sql("SELECT c.name,
             (SELECT COUNT(*) FROM configuration_policies p WHERE p.configuration_id = c.id),
             (SELECT COUNT(*) FROM deployments d WHERE d.configuration_id = c.id),
             (SELECT COUNT(*) FROM assignments a WHERE a.configuration_id = c.id)
         FROM permission_configurations c WHERE c.space_id = $1 AND c.id = $2")
    .bind(space)
    .bind(id)
    .fetch_optional(tx)
    .await?;
    Ok(found.map(|(name, policies, deployments, assignments)| Subject {
        name,
        managed: false,
        holders: vec![
            ("policies", policies),
            ("deployments", deployments),
            ("assignments", assignments),
        ],
    }))
}
