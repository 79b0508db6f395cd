//! What a plan is made from, read with a fixed number of queries.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Edit, Error, MOST_CLEARED, MOST_ITEMS, MOST_ROWS, ObjectKind, Operation, Place,
    subject::{self, Subject},
};
use crate::{
    audit::Act,
    id::{ConfigurationId, GroupId, Principal, PrincipalKind, SpaceId, Uin, UserId, UserSyncId},
    organization::AccountKind,
    permission::{
        self, AssignmentState, Configuration, Content, DeploymentState, Limits, PolicyKind,
        unknown_of,
    },
    provisioning::{DeletionStrategy, DuplicationStrategy, names},
    space::Space,
    store::{self as database, Read, Sql, sql},
};

/// Names that are asked for in one statement.
const NAMES_AT_ONCE: usize = 2000;

/// What is deployed at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeploymentFacts {
    pub state: DeploymentState,
    pub content: Option<Content>,
    /// Whether it is wanted gone: what of it is left is not known.
    pub is_leaving: bool,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub name: String,
    pub enabled: bool,
}

/// A user sync.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct SyncFacts {
    pub id: UserSyncId,
    principal_kind: PrincipalKind,
    principal_id: i64,
    pub account_uin: Uin,
    pub duplication_strategy: DuplicationStrategy,
    pub deletion_strategy: DeletionStrategy,
    pub state: AssignmentState,
}

impl SyncFacts {
    pub fn principal(&self) -> Principal {
        Principal::new(self.principal_kind, self.principal_id)
    }
}

/// A CAM user of an account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct CamFacts {
    account_uin: Uin,
    pub name: String,
    name_key: String,
    pub is_root: bool,
    pub managed_by: Option<SpaceId>,
    pub access_keys: i64,
    pub policies: i64,
    pub has_password: bool,
}

/// What an edit would make of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edited {
    pub before: Configuration,
    pub content: Content,
    pub new: Content,
}

/// All that the plan of an operation depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub(super) space: SpaceId,
    pub(super) suffix: String,
    pub(super) accounts: BTreeSet<Uin>,
    pub(super) configurations: BTreeMap<ConfigurationId, (String, Content)>,
    pub(super) deployments: BTreeMap<Place, DeploymentFacts>,
    pub(super) assignments: BTreeMap<Place, BTreeMap<Principal, AssignmentState>>,
    /// Those of them that end by themselves.
    pub(super) temporary: BTreeSet<(Place, Principal)>,
    pub(super) groups: BTreeMap<GroupId, String>,
    pub(super) people: BTreeMap<UserId, Person>,
    pub(super) members: BTreeMap<GroupId, Vec<UserId>>,
    /// Names in accounts, and which space's deployer made what has them.
    pub(super) taken: BTreeMap<(Uin, ObjectKind, String), Option<SpaceId>>,
    pub(super) cam_users: BTreeMap<(Uin, String), CamFacts>,
    pub(super) syncs: Vec<SyncFacts>,
    pub(super) synced: BTreeMap<(Uin, UserId), String>,
    /// The accounts that are in another cloud.
    pub(super) other_clouds: BTreeSet<Uin>,
    pub(super) subject: Option<Subject>,
    pub(super) edited: Option<Box<Edited>>,
}

impl State {
    fn empty(space: &Space) -> Self {
        Self {
            space: space.id,
            suffix: space.user_sync_suffix.clone(),
            accounts: BTreeSet::new(),
            configurations: BTreeMap::new(),
            deployments: BTreeMap::new(),
            assignments: BTreeMap::new(),
            temporary: BTreeSet::new(),
            groups: BTreeMap::new(),
            people: BTreeMap::new(),
            members: BTreeMap::new(),
            taken: BTreeMap::new(),
            cam_users: BTreeMap::new(),
            syncs: Vec::new(),
            synced: BTreeMap::new(),
            other_clouds: BTreeSet::new(),
            subject: None,
            edited: None,
        }
    }

    /// Reads what the plan of an operation depends on. Refused where the operation itself would be
    /// for what it says: too many items, or what does not exist.
    pub async fn read(
        tx: &mut Read,
        act: &Act,
        space: &Space,
        operation: &Operation,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let mut state = Self::empty(space);
        match operation {
            Operation::Assign(triples) | Operation::Unassign { triples, .. } => {
                count(triples.len())?;
                let principals: Vec<Principal> = triples.iter().map(|it| it.principal).collect();
                let places: Vec<Place> = triples.iter().map(Place::from).collect();
                if matches!(operation, Operation::Assign(_)) {
                    state.known(tx, &principals, &places).await?;
                }
                state.read_places(tx, &places, &principals).await?;
            }
            Operation::Deploy(places) => {
                count(places.len())?;
                state.known(tx, &[], places).await?;
                state.read_places(tx, places, &[]).await?;
            }
            Operation::Redeploy(places)
            | Operation::Clear(places)
            | Operation::Undeploy { places, .. } => {
                count(places.len())?;
                state.read_places(tx, places, &[]).await?;
                let cleared: usize = state.assignments.values().map(BTreeMap::len).sum();
                if !matches!(operation, Operation::Redeploy(_)) && cleared > MOST_CLEARED {
                    return Err(Error::TooLarge(MOST_CLEARED));
                }
            }
            Operation::Sync(new) => {
                count(new.len())?;
                let principals: Vec<Principal> = new.iter().map(|it| it.principal).collect();
                let accounts: Vec<Uin> = new.iter().map(|it| it.account).collect();
                let unknown = unknown_of(tx, space.id, &principals, &accounts, &[]).await?;
                if !unknown.is_empty() {
                    return Err(Error::Unknown(unknown));
                }
                state.read_syncs(tx, &accounts, &principals).await?;
            }
            Operation::Unsync(ids) => {
                count(ids.len())?;
                let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
                let mut query = sql("SELECT account_uin FROM user_syncs WHERE space_id = ");
                query.push_bind(space.id).push(" AND id IN ").push_numbers(ids);
                let accounts: Vec<(Uin,)> = query.fetch_all(tx).await?;
                let accounts: Vec<Uin> = accounts.into_iter().map(|(account,)| account).collect();
                state.read_syncs(tx, &accounts, &[]).await?;
            }
            Operation::DeleteUser(id) => {
                state.subject = subject::user(tx, space, *id).await?;
            }
            Operation::DeleteGroup(id) => {
                state.subject = subject::group(tx, space, *id).await?;
            }
            Operation::DeleteConfiguration(id) => {
                state.subject = subject::configuration(tx, space.id, *id).await?;
            }
            Operation::Edit(id, edit) => state.read_edit(tx, act, *id, edit, limits).await?,
        }
        Ok(state)
    }

    /// What an identity is called.
    pub(super) fn name_of(&self, principal: Principal) -> String {
        let found = match principal {
            Principal::User(id) => self.people.get(&id).map(|it| it.name.clone()),
            Principal::Group(id) => self.groups.get(&id).cloned(),
        };
        found.unwrap_or_else(|| principal.to_string())
    }

    /// What a configuration is called.
    pub(super) fn configuration_name(&self, id: ConfigurationId) -> String {
        self.configurations.get(&id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    async fn known(
        &self,
        tx: &mut Read,
        principals: &[Principal],
        places: &[Place],
    ) -> Result<(), Error> {
        let accounts: Vec<Uin> = places.iter().map(|it| it.account).collect();
        let configurations: Vec<ConfigurationId> =
            places.iter().map(|it| it.configuration).collect();
        let unknown = unknown_of(tx, self.space, principals, &accounts, &configurations).await?;
        if unknown.is_empty() { Ok(()) } else { Err(Error::Unknown(unknown)) }
    }

    async fn read_places(
        &mut self,
        tx: &mut Read,
        places: &[Place],
        principals: &[Principal],
    ) -> Result<(), Error> {
        let accounts = distinct(places.iter().map(|it| it.account.0));
        let configurations = distinct(places.iter().map(|it| it.configuration.0));
        self.accounts = accounts.iter().map(|uin| Uin(*uin)).collect();
        self.read_configurations(tx, &configurations).await?;
        let mut query =
            sql("SELECT account_uin, configuration_id, state, deployed_content, is_leaving
             FROM deployments WHERE space_id = ");
        query.push_bind(self.space).push(" AND account_uin IN ").push_numbers(accounts.clone());
        self.read_deployments(tx, query).await?;
        let mut query = sql("SELECT account_uin, configuration_id, principal_kind, principal_id,
                 state, ends_at IS NOT NULL FROM assignments WHERE space_id = ");
        query.push_bind(self.space).push(" AND account_uin IN ").push_numbers(accounts.clone());
        query.push(" AND configuration_id IN ").push_numbers(configurations);
        let rows: Vec<(Uin, ConfigurationId, PrincipalKind, i64, AssignmentState, bool)> =
            bounded(tx, query).await?;
        let mut everybody: BTreeSet<Principal> = principals.iter().copied().collect();
        for (account, configuration, kind, number, state, ends) in rows {
            let (place, principal) =
                (Place { account, configuration }, Principal::new(kind, number));
            if places.contains(&place) {
                self.assignments.entry(place).or_default().insert(principal, state);
                if ends {
                    self.temporary.insert((place, principal));
                }
                everybody.insert(principal);
            }
        }
        self.read_people(tx, &everybody).await?;
        self.read_sync_rows(tx, &accounts).await?;
        self.read_taken(tx, &accounts).await
    }

    async fn read_configurations(&mut self, tx: &mut Read, ids: &[i64]) -> Result<(), Error> {
        let mut query = sql("SELECT id, name, content FROM permission_configurations
             WHERE space_id = ");
        query.push_bind(self.space).push(" AND id IN ").push_numbers(ids);
        let rows: Vec<(ConfigurationId, String, String)> = query.fetch_all(tx).await?;
        for (id, name, content) in rows {
            let content = Content::from_text(&content).unwrap_or_default();
            self.configurations.insert(id, (name, content));
        }
        Ok(())
    }

    async fn read_deployments(&mut self, tx: &mut Read, query: Sql) -> Result<(), Error> {
        let rows: Vec<(Uin, ConfigurationId, DeploymentState, Option<String>, bool)> =
            bounded(tx, query).await?;
        for (account, configuration, state, content, is_leaving) in rows {
            let content = content.as_deref().and_then(Content::from_text);
            let facts = DeploymentFacts { state, content, is_leaving };
            self.deployments.insert(Place { account, configuration }, facts);
        }
        Ok(())
    }

    async fn read_people(
        &mut self,
        tx: &mut Read,
        principals: &BTreeSet<Principal>,
    ) -> Result<(), Error> {
        let (mut users, mut groups) = (Vec::new(), Vec::new());
        for principal in principals {
            match principal {
                Principal::User(id) => users.push(id.0),
                Principal::Group(id) => groups.push(id.0),
            }
        }
        let enabled = |query: &mut Sql| {
            query.push(", (u.active = ").push_bind(true);
            query.push(" AND u.blocked = ").push_bind(false).push(") AS enabled");
        };
        let mut query = sql("SELECT u.id, u.user_name");
        enabled(&mut query);
        query.push(" FROM users u WHERE u.deleted_at IS NULL AND u.space_id = ");
        query.push_bind(self.space).push(" AND u.id IN ").push_numbers(users);
        let rows: Vec<(UserId, String, bool)> = query.fetch_all(tx).await?;
        for (id, name, enabled) in rows {
            self.people.insert(id, Person { name, enabled });
        }
        let mut query = sql("SELECT id, name FROM groups WHERE deleted_at IS NULL
             AND space_id = ");
        query.push_bind(self.space).push(" AND id IN ").push_numbers(groups.clone());
        let rows: Vec<(GroupId, String)> = query.fetch_all(tx).await?;
        self.groups = rows.into_iter().collect();
        let mut query = sql("SELECT m.group_id, u.id, u.user_name");
        enabled(&mut query);
        query.push(
            " FROM group_members m JOIN users u ON u.id = m.user_id
              WHERE u.deleted_at IS NULL AND u.space_id = ",
        );
        query.push_bind(self.space).push(" AND m.group_id IN ").push_numbers(groups);
        let rows: Vec<(GroupId, UserId, String, bool)> = bounded(tx, query).await?;
        for (group, user, name, enabled) in rows {
            self.members.entry(group).or_default().push(user);
            self.people.insert(user, Person { name, enabled });
        }
        self.members.values_mut().for_each(|all| all.sort_unstable());
        Ok(())
    }

    async fn read_sync_rows(&mut self, tx: &mut Read, accounts: &[i64]) -> Result<(), Error> {
        let mut query = sql("SELECT id, principal_kind, principal_id, account_uin,
                 duplication_strategy, deletion_strategy, state FROM user_syncs WHERE space_id = ");
        query.push_bind(self.space).push(" AND account_uin IN ").push_numbers(accounts);
        self.syncs = bounded(tx, query).await?;
        self.syncs.sort_by_key(|sync| sync.id);
        Ok(())
    }

    async fn read_syncs(
        &mut self,
        tx: &mut Read,
        accounts: &[Uin],
        principals: &[Principal],
    ) -> Result<(), Error> {
        let accounts = distinct(accounts.iter().map(|it| it.0));
        self.accounts = accounts.iter().map(|uin| Uin(*uin)).collect();
        self.read_sync_rows(tx, &accounts).await?;
        let mut query =
            sql("SELECT account_uin, configuration_id, state, deployed_content, is_leaving
             FROM deployments WHERE space_id = ");
        query.push_bind(self.space).push(" AND account_uin IN ").push_numbers(accounts.clone());
        self.read_deployments(tx, query).await?;
        let mut everybody: BTreeSet<Principal> = principals.iter().copied().collect();
        everybody.extend(self.syncs.iter().map(SyncFacts::principal));
        self.read_people(tx, &everybody).await?;
        let mut query = sql("SELECT y.account_uin, y.user_id, y.cam_user_name FROM synced_users y
             JOIN users u ON u.id = y.user_id WHERE u.space_id = ");
        query.push_bind(self.space).push(" AND y.account_uin IN ").push_numbers(accounts.clone());
        let rows: Vec<(Uin, UserId, String)> = bounded(tx, query).await?;
        self.synced =
            rows.into_iter().map(|(account, user, name)| ((account, user), name)).collect();
        self.read_taken(tx, &accounts).await?;
        self.read_cam_users(tx, &accounts).await
    }

    /// Which names that we would use are in use, and by whose objects.
    async fn read_taken(&mut self, tx: &mut Read, accounts: &[i64]) -> Result<(), Error> {
        let mut query = sql("SELECT account_uin FROM other_cloud_accounts WHERE account_uin IN ");
        query.push_numbers(accounts);
        let elsewhere: Vec<(Uin,)> = query.fetch_all(tx).await?;
        self.other_clouds = elsewhere.into_iter().map(|(account,)| account).collect();
        let (mut roles, mut policies) = (vec![String::new()], vec![String::new()]);
        for (name, content) in self.configurations.values() {
            roles.push(names::role(name));
            let custom = content.policies.iter().filter(|it| it.kind == PolicyKind::Custom);
            policies.extend(custom.map(|it| names::policy(name, &it.name)));
        }
        let providers = vec![names::saml_provider(self.space)];
        for (table, kind, wanted) in [
            ("cloud_roles", ObjectKind::Role, roles),
            ("cloud_policies", ObjectKind::Policy, policies),
            ("cloud_saml_providers", ObjectKind::SamlProvider, providers),
        ] {
            let mut query = sql("SELECT account_uin, name, managed_by FROM ");
            query.push(table).push(" WHERE account_uin IN ").push_numbers(accounts);
            query.push(" AND name IN (").push_list(wanted.iter().map(String::as_str)).push(")");
            let rows: Vec<(Uin, String, Option<SpaceId>)> = query.fetch_all(tx).await?;
            let taken = rows.into_iter();
            self.taken.extend(taken.map(|(account, name, by)| ((account, kind, name), by)));
        }
        Ok(())
    }

    async fn read_cam_users(&mut self, tx: &mut Read, accounts: &[i64]) -> Result<(), Error> {
        let mut wanted: BTreeSet<String> =
            self.synced.values().map(|name| name.to_ascii_lowercase()).collect();
        for person in self.people.values() {
            let name = names::cam_user(&person.name, &self.suffix).to_ascii_lowercase();
            wanted.insert(names::second_cam_user(&name));
            wanted.insert(name);
        }
        let wanted: Vec<String> = wanted.into_iter().collect();
        for some in wanted.chunks(NAMES_AT_ONCE) {
            let mut query =
                sql("SELECT c.account_uin, c.name, c.name_key, c.is_root, c.managed_by,
                 (SELECT COUNT(*) FROM cloud_access_keys k WHERE k.user_uin = c.uin) AS access_keys,
                 (SELECT COUNT(*) FROM cloud_user_policies p WHERE p.user_uin = c.uin) AS policies,
                 (c.password_hash IS NOT NULL) AS has_password
                 FROM cloud_users c WHERE c.account_uin IN ");
            query.push_numbers(accounts).push(" AND c.name_key IN (");
            query.push_list(some.iter().map(String::as_str)).push(")");
            let rows: Vec<CamFacts> = query.fetch_all(tx).await?;
            let found = rows.into_iter().map(|it| ((it.account_uin, it.name_key.clone()), it));
            self.cam_users.extend(found);
        }
        Ok(())
    }

    async fn read_edit(
        &mut self,
        tx: &mut Read,
        act: &Act,
        id: ConfigurationId,
        edit: &Edit,
        limits: &Limits,
    ) -> Result<(), Error> {
        let found = permission::configuration(tx, self.space, id).await?;
        let before = found.ok_or(permission::Error::ConfigurationNotFound)?;
        let policies = permission::policies(tx, id).await?;
        let content = permission::content(before.session_duration, &policies);
        let policies_changed = (edit.removed.as_slice(), edit.added.as_slice());
        let new =
            permission::edited(act, &before, policies, policies_changed, &edit.change, limits)?;
        self.configurations.insert(id, (before.name.clone(), new.clone()));
        self.edited = Some(Box::new(Edited { before, content, new }));
        let mut query =
            sql("SELECT account_uin, configuration_id, state, deployed_content, is_leaving
             FROM deployments WHERE space_id = ");
        query.push_bind(self.space).push(" AND configuration_id = ").push_bind(id);
        self.read_deployments(tx, query).await?;
        let accounts = distinct(self.deployments.keys().map(|it| it.account.0));
        self.accounts = accounts.iter().map(|uin| Uin(*uin)).collect();
        if edit.redeploy {
            if accounts.len() > super::MOST_REDEPLOYED {
                return Err(Error::TooLarge(super::MOST_REDEPLOYED));
            }
            self.read_taken(tx, &accounts).await?;
        }
        Ok(())
    }
}

fn count(items: usize) -> Result<(), Error> {
    if (1..=MOST_ITEMS).contains(&items) { Ok(()) } else { Err(Error::CountInvalid) }
}

fn distinct(numbers: impl Iterator<Item = i64>) -> Vec<i64> {
    numbers.collect::<BTreeSet<i64>>().into_iter().collect()
}

/// The rows of a query, unless they are too many to plan with.
async fn bounded<T: database::Row>(tx: &mut Read, mut query: Sql) -> Result<Vec<T>, Error> {
    let most = u64::try_from(MOST_ROWS).unwrap_or(u64::MAX);
    query.push_limit(most.saturating_add(1));
    let rows = query.fetch_all(tx).await?;
    if rows.len() > MOST_ROWS { Err(Error::TooLarge(MOST_ROWS)) } else { Ok(rows) }
}

/// What the accounts of a space are to its organisation; those of others are left out.
pub async fn account_kinds(
    tx: &mut Read,
    space: SpaceId,
    accounts: &[Uin],
) -> Result<BTreeMap<Uin, AccountKind>, database::Error> {
    let mut query = sql("SELECT a.uin, a.kind FROM accounts a
         JOIN spaces s ON s.organization_id = a.organization_id WHERE s.id = ");
    query.push_bind(space).push(" AND a.uin IN ");
    query.push_numbers(accounts.iter().map(|it| it.0).collect::<Vec<i64>>());
    let rows: Vec<(Uin, AccountKind)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().collect())
}
