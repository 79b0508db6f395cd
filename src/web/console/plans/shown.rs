//! A plan in the words of a page.

use std::collections::{BTreeMap, BTreeSet};

use super::{PolicyWords, worst};
use crate::{
    access::{
        Names, WantedNames,
        plan::{
            Change, Conflict, ConflictKind, ObjectChange, ObjectKind, Operation, Place, Plan,
            Reach, What,
        },
    },
    app::App,
    id::{ConfigurationId, Principal, PrincipalKind, Uin},
    permission::{self, Content, DeploymentFilter, Difference, MOST_POLICIES, PolicyKind},
    policy::Risk,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync, UserSync},
    space::Space,
    store::{PageRequest, Read, Timestamp},
    web::{
        console::{limits, words},
        messages::Message,
        pages::PageError,
    },
};

/// A row about an object, or about what stands in the way.
pub(super) struct ObjectRow {
    pub account: Option<(Uin, String)>,
    pub kind: Message,
    pub name: String,
    pub class: &'static str,
    pub change: Message,
    pub detail: String,
}

/// A row about somebody who gains or loses something.
pub(super) struct ReachRow {
    pub user: crate::id::UserId,
    pub user_name: String,
    pub account: Uin,
    pub account_name: String,
    pub what: String,
    pub is_role: bool,
}

/// Whose names a plan needs.
pub(super) fn named(plan: &Plan, operation: &Operation) -> WantedNames {
    let mut wanted = WantedNames::default();
    wanted.accounts.extend(plan.objects.iter().filter_map(|it| it.account));
    wanted.accounts.extend(plan.conflicts.iter().filter_map(|it| it.account));
    for reach in plan.gains.iter().chain(&plan.losses) {
        wanted.accounts.insert(reach.account);
        if let What::Role(id) = &reach.what {
            wanted.configurations.insert(*id);
        }
    }
    for task in &plan.tasks {
        wanted.accounts.insert(task.account);
        wanted.configurations.extend(task.configuration);
        wanted.principals.extend(task.principal);
    }
    let mut place = |it: &Place| {
        wanted.accounts.insert(it.account);
        wanted.configurations.insert(it.configuration);
    };
    match operation {
        Operation::Assign(all) | Operation::Unassign { triples: all, .. } => {
            for it in all {
                place(&it.into());
            }
            wanted.principals.extend(all.iter().map(|it| it.principal));
        }
        Operation::Deploy(all)
        | Operation::Redeploy(all)
        | Operation::Clear(all)
        | Operation::Undeploy { places: all, .. } => all.iter().for_each(place),
        Operation::Sync(all) => {
            wanted.accounts.extend(all.iter().map(|it| it.account));
            wanted.principals.extend(all.iter().map(|it| it.principal));
        }
        Operation::Unsync(_) => {}
        Operation::DeleteUser(id) => {
            wanted.principals.insert(Principal::User(*id));
        }
        Operation::DeleteGroup(id) => {
            wanted.principals.insert(Principal::Group(*id));
        }
        Operation::DeleteConfiguration(id) | Operation::Edit(id, _) => {
            wanted.configurations.insert(*id);
        }
    }
    wanted
}

fn kind_words(kind: ObjectKind) -> Message {
    match kind {
        ObjectKind::Role => key!("object-role"),
        ObjectKind::PolicyBinding => key!("object-binding"),
        ObjectKind::Policy => key!("object-policy"),
        ObjectKind::SamlProvider => key!("object-provider"),
        ObjectKind::CamUser => key!("object-cam-user"),
        ObjectKind::Assignment => key!("object-assignment"),
        ObjectKind::UserSync => key!("object-user-sync"),
        ObjectKind::Deployment => key!("object-deployment"),
        ObjectKind::Configuration => key!("object-configuration"),
        ObjectKind::User => key!("object-user"),
        ObjectKind::Group => key!("object-group"),
    }
}

fn change_words(change: Change) -> (&'static str, Message) {
    match change {
        Change::Create => ("badge-good", key!("change-create")),
        Change::Update => ("badge-busy", key!("change-update")),
        Change::Remove => ("badge-bad", key!("change-remove")),
        Change::TakeOver => ("badge-warn", key!("change-take-over")),
        Change::Release => ("badge-warn", key!("change-release")),
    }
}

fn conflict_words(kind: ConflictKind) -> Message {
    match kind {
        ConflictKind::Exists => key!("conflict-exists"),
        ConflictKind::NotFound => key!("conflict-not-found"),
        ConflictKind::NameClash => key!("conflict-name"),
        ConflictKind::InUse => key!("conflict-in-use"),
        ConflictKind::Busy => key!("conflict-busy"),
        ConflictKind::AccessKeys => key!("conflict-access-keys"),
        ConflictKind::ByHand => key!("conflict-by-hand"),
        ConflictKind::Managed => key!("conflict-managed"),
    }
}

/// The first objects of a plan.
pub(super) fn objects(plan: &Plan, names: &Names, most: usize) -> Vec<ObjectRow> {
    let row = |it: &ObjectChange| {
        let (class, change) = change_words(it.change);
        ObjectRow {
            account: it.account.map(|uin| (uin, names.account(uin))),
            kind: kind_words(it.kind),
            name: it.name.clone(),
            class,
            change,
            detail: it.detail.clone(),
        }
    };
    plan.objects.iter().take(most).map(row).collect()
}

/// The first things that stand in the way.
pub(super) fn conflicts(plan: &Plan, names: &Names, most: usize) -> Vec<ObjectRow> {
    let row = |it: &Conflict| ObjectRow {
        account: it.account.map(|uin| (uin, names.account(uin))),
        kind: conflict_words(it.kind),
        name: it.name.clone(),
        class: "badge-warn",
        change: key!("conflict"),
        detail: it.detail.clone(),
    };
    plan.conflicts.iter().take(most).map(row).collect()
}

/// The first of those who gain or lose something.
pub(super) fn reaches(all: &[Reach], names: &Names, most: usize) -> Vec<ReachRow> {
    let row = |it: &Reach| ReachRow {
        user: it.user,
        user_name: it.user_name.clone(),
        account: it.account,
        account_name: names.account(it.account),
        what: match &it.what {
            What::Role(id) => names.configuration(*id),
            What::CamUser(name) => name.clone(),
        },
        is_role: matches!(it.what, What::Role(_)),
    };
    all.iter().take(most).map(row).collect()
}

/// A deployment that is to be made again.
pub(super) struct Redeployed {
    pub account: Uin,
    pub account_name: String,
    pub configuration: ConfigurationId,
    pub configuration_name: String,
    pub updated_at: Timestamp,
    pub badge: words::Badge,
    /// What becomes different (PC-16): empty where nothing does.
    pub difference: String,
    pub versions: (i64, i64),
}

/// What else the page of an act shows.
#[derive(Default)]
pub(super) struct Detail {
    /// What is chosen, by kind.
    pub accounts: Vec<(Uin, String)>,
    pub identities: Vec<(Principal, String)>,
    pub configurations: Vec<(ConfigurationId, String)>,
    /// The policies of the configurations that are given, or those that come.
    pub policies: Vec<(String, Vec<PolicyWords>)>,
    /// How many preset and custom policies the configuration will have, and may have (PC-15).
    pub counts: Option<[(usize, usize); 2]>,
    pub redeployed: Vec<Redeployed>,
    pub syncs: Vec<UserSync>,
    /// What a user sync says.
    pub basics: Option<NewUserSync>,
}

impl Detail {
    pub async fn read(
        tx: &mut Read,
        app: &App,
        space: &Space,
        operation: &Operation,
        names: &Names,
    ) -> Result<Self, PageError> {
        let mut detail = Self::default();
        match operation {
            Operation::Assign(triples) | Operation::Unassign { triples, .. } => {
                let accounts: BTreeSet<Uin> = triples.iter().map(|it| it.account).collect();
                let principals: BTreeSet<_> = triples.iter().map(|it| it.principal).collect();
                let ids: BTreeSet<_> = triples.iter().map(|it| it.configuration).collect();
                detail.choose(names, accounts, principals, &ids);
                if matches!(operation, Operation::Assign(_)) {
                    detail.read_policies(tx, &ids, names).await?;
                }
            }
            Operation::Deploy(places) | Operation::Redeploy(places) => {
                detail.read_deployments(tx, space, places).await?;
            }
            Operation::Undeploy { places, .. } | Operation::Clear(places) => {
                let accounts = places.iter().map(|it| it.account).collect();
                let ids = places.iter().map(|it| it.configuration).collect();
                detail.choose(names, accounts, BTreeSet::new(), &ids);
            }
            Operation::Sync(new) => {
                let accounts = new.iter().map(|it| it.account).collect();
                let principals = new.iter().map(|it| it.principal).collect();
                detail.choose(names, accounts, principals, &BTreeSet::new());
                detail.basics = new.first().cloned();
            }
            Operation::Unsync(ids) => {
                detail.syncs = provisioning::user_syncs_of(tx, space.id, ids).await?;
            }
            Operation::Edit(id, edit) => {
                let name = names.configuration(*id);
                let added: Vec<PolicyWords> = edit.added.iter().map(PolicyWords::of_new).collect();
                let has = permission::policies(tx, *id).await?;
                let count = |kind| has.iter().filter(|it| it.kind == kind).count();
                let presets =
                    (count(PolicyKind::Preset) + added.len()).saturating_sub(edit.removed.len());
                if !added.is_empty() {
                    let custom = (count(PolicyKind::Custom), limits(app).custom_policies);
                    detail.counts = Some([(presets, MOST_POLICIES), custom]);
                    detail.policies.push((name.clone(), added));
                }
                detail.configurations.push((*id, name));
            }
            Operation::DeleteConfiguration(id) => {
                detail.configurations.push((*id, names.configuration(*id)));
            }
            Operation::DeleteUser(id) => {
                let who = Principal::User(*id);
                detail.identities.push((who, names.principal(who)));
            }
            Operation::DeleteGroup(id) => {
                let who = Principal::Group(*id);
                detail.identities.push((who, names.principal(who)));
            }
        }
        Ok(detail)
    }

    fn choose(
        &mut self,
        names: &Names,
        accounts: BTreeSet<Uin>,
        principals: BTreeSet<Principal>,
        configurations: &BTreeSet<ConfigurationId>,
    ) {
        self.accounts = accounts.into_iter().map(|it| (it, names.account(it))).collect();
        self.identities = principals.into_iter().map(|it| (it, names.principal(it))).collect();
        let named = configurations.iter().map(|it| (*it, names.configuration(*it)));
        self.configurations = named.collect();
    }

    async fn read_policies(
        &mut self,
        tx: &mut Read,
        ids: &BTreeSet<ConfigurationId>,
        names: &Names,
    ) -> Result<(), PageError> {
        let ids: Vec<ConfigurationId> = ids.iter().copied().collect();
        let mut by_configuration: BTreeMap<ConfigurationId, Vec<PolicyWords>> = BTreeMap::new();
        for policy in permission::policies_of(tx, &ids).await? {
            let words = PolicyWords::of(&policy);
            by_configuration.entry(policy.configuration_id).or_default().push(words);
        }
        for id in ids {
            let policies = by_configuration.remove(&id).unwrap_or_default();
            self.policies.push((names.configuration(id), policies));
        }
        Ok(())
    }

    /// The deployments at these places, with what a redeployment changes (DPL-06).
    async fn read_deployments(
        &mut self,
        tx: &mut Read,
        space: &Space,
        places: &[Place],
    ) -> Result<(), PageError> {
        let accounts: BTreeSet<Uin> = places.iter().map(|it| it.account).collect();
        let ids: BTreeSet<ConfigurationId> = places.iter().map(|it| it.configuration).collect();
        let ids: Vec<ConfigurationId> = ids.into_iter().collect();
        let filter = DeploymentFilter {
            accounts: accounts.into_iter().collect(),
            configurations: ids.clone(),
            ..DeploymentFilter::default()
        };
        let most = i64::try_from(places.len().saturating_mul(places.len())).unwrap_or(i64::MAX);
        let page = PageRequest::first(most.clamp(1, 2500));
        let found = permission::deployments(tx, space.id, &filter, page).await?;
        let mut current: BTreeMap<ConfigurationId, Content> = BTreeMap::new();
        let policies = permission::policies_of(tx, &ids).await?;
        let durations = permission::session_durations(tx, space.id, &ids).await?;
        for (id, seconds) in durations {
            let of_this: Vec<_> =
                policies.iter().filter(|it| it.configuration_id == id).cloned().collect();
            current.insert(id, permission::content(seconds, &of_this));
        }
        for it in found.rows {
            let place = Place { account: it.account_uin, configuration: it.configuration_id };
            if !places.contains(&place) {
                continue;
            }
            let old = it.deployed_content.as_deref().and_then(Content::from_text);
            let new = current.get(&it.configuration_id).cloned().unwrap_or_default();
            let badge = words::deployment(it.status());
            let current_version = it.current_version;
            self.redeployed.push(Redeployed {
                account: it.account_uin,
                account_name: it.account_name,
                configuration: it.configuration_id,
                configuration_name: it.configuration_name,
                updated_at: it.updated_at,
                badge,
                difference: Difference::between(&old.unwrap_or_default(), &new).to_string(),
                versions: (it.deployed_version.unwrap_or_default(), current_version),
            });
        }
        Ok(())
    }

    /// The first configuration whose policies let somebody give themselves anything.
    pub fn privileged(&self) -> Option<String> {
        let found = self.policies.iter().find(|(_, all)| worst(all) == Risk::Privileged);
        found.map(|(name, _)| name.clone())
    }

    /// How many users and groups are chosen.
    pub fn identity_counts(&self) -> (usize, usize) {
        let users = self.identities.iter().filter(|it| it.0.kind() == PrincipalKind::User).count();
        (users, self.identities.len() - users)
    }
}

/// What a page calls a conflict policy.
pub(in crate::web::console) fn duplication(strategy: DuplicationStrategy) -> Message {
    match strategy {
        DuplicationStrategy::TakeOver => key!("sync-take-over"),
        DuplicationStrategy::KeepBoth => key!("sync-keep-both"),
    }
}

/// What a page calls a delete policy.
pub(in crate::web::console) fn deletion(strategy: DeletionStrategy) -> Message {
    match strategy {
        DeletionStrategy::Keep => key!("sync-keep"),
        DeletionStrategy::Delete => key!("sync-delete"),
    }
}
