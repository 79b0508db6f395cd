//! User syncs: what their tasks will find in the accounts and leave behind.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, ConflictKind, ObjectKind, What, make::Builder, state::SyncFacts};
use crate::{
    id::{Principal, Uin, UserId, UserSyncId},
    permission::AssignmentState,
    provisioning::{DeletionStrategy, DuplicationStrategy, NewUserSync, names},
    task::Kind,
};

/// The CAM users of people, as they will be.
type Synced = BTreeMap<(Uin, UserId), String>;

impl Builder<'_> {
    pub(super) fn sync(&mut self, new: &[NewUserSync]) {
        let mut pairs: BTreeSet<(Uin, Principal)> =
            self.state.syncs.iter().map(|it| (it.account_uin, it.principal())).collect();
        let mut synced = self.state.synced.clone();
        let (mut made, mut any) = (BTreeSet::new(), false);
        let before = self.covered(&BTreeSet::new(), &[]);
        for one in new {
            let name = self.state.name_of(one.principal);
            let duplicate = !pairs.insert((one.account, one.principal));
            let there = (one.account, None);
            self.task(Kind::StartUserSync, there, Some(one.principal), duplicate);
            if duplicate {
                let detail = "the user sync exists already";
                self.conflict(ConflictKind::Exists, one.account, name, detail);
                continue;
            }
            any = true;
            self.object(one.account, ObjectKind::UserSync, name, Change::Create, "");
            let name = self.state.name_of(one.principal);
            if !self.by_hand(one.account, &name) && self.ensure_provider(one.account) {
                self.make_users(one, &mut synced, &mut made);
            }
        }
        self.plan.is_refused |= !any;
        let more: Vec<(Uin, Principal)> = pairs.into_iter().collect();
        let after = self.covered(&BTreeSet::new(), &more);
        let old = self.state.synced.clone();
        self.tell_reach(&before, &old, &after, &synced);
    }

    /// The CAM users of one sync, in the order of its people, up to one that cannot be made.
    fn make_users(
        &mut self,
        sync: &NewUserSync,
        synced: &mut Synced,
        made: &mut BTreeSet<(Uin, String)>,
    ) {
        for user in self.people_of(sync.principal) {
            if synced.contains_key(&(sync.account, user)) {
                continue;
            }
            let Some(person) = self.state.people.get(&user) else { continue };
            let first = names::cam_user(&person.name, &self.state.suffix);
            let mut candidates = vec![first.clone()];
            if sync.duplication == DuplicationStrategy::KeepBoth {
                candidates.push(names::second_cam_user(&first));
            }
            let chosen = candidates.into_iter().find(|name| {
                let noted = synced
                    .iter()
                    .any(|((account, _), noted)| *account == sync.account && noted == name);
                !noted && self.is_usable(sync, name, made)
            });
            let Some(name) = chosen else {
                let detail = "a CAM user that is not managed by Identity Center has this name";
                self.conflict(ConflictKind::NameClash, sync.account, first, detail);
                return;
            };
            self.make_user(sync.account, &name);
            made.insert((sync.account, name.to_ascii_lowercase()));
            synced.insert((sync.account, user), name);
        }
    }

    fn is_usable(&self, sync: &NewUserSync, name: &str, made: &BTreeSet<(Uin, String)>) -> bool {
        let key = (sync.account, name.to_ascii_lowercase());
        match self.state.cam_users.get(&key) {
            None => !made.contains(&key),
            Some(found) if found.is_root => false,
            Some(found) => {
                found.managed_by == Some(self.state.space)
                    || sync.duplication == DuplicationStrategy::TakeOver
            }
        }
    }

    fn make_user(&mut self, account: Uin, name: &str) {
        let key = (account, name.to_ascii_lowercase());
        match self.state.cam_users.get(&key) {
            None => self.object(account, ObjectKind::CamUser, name, Change::Create, ""),
            Some(found) if found.managed_by == Some(self.state.space) => {}
            Some(found) => {
                // US-06: what it brings along stays with it.
                let (keys, policies) = (found.access_keys, found.policies);
                let password = if found.has_password { "its password" } else { "no password" };
                let detail = format!(
                    "keeps its access keys ({keys}), its policies ({policies}) and {password}; \
                     the embedded cloud has no MFA that could be lost"
                );
                self.object(account, ObjectKind::CamUser, name, Change::TakeOver, detail);
            }
        }
    }

    pub(super) fn unsync(&mut self, ids: &[UserSyncId]) {
        let mut ended = BTreeSet::new();
        let mut order: Vec<&SyncFacts> = Vec::new();
        for id in ids {
            let Some(sync) = self.state.syncs.iter().find(|sync| sync.id == *id) else {
                let detail = "there is no such user sync";
                self.conflict(ConflictKind::NotFound, None, id.to_string(), detail);
                continue;
            };
            if ended.insert(*id) {
                let there = (sync.account_uin, None);
                self.task(Kind::DeleteUserSync, there, Some(sync.principal()), false);
                let name = self.state.name_of(sync.principal());
                self.object(sync.account_uin, ObjectKind::UserSync, name, Change::Remove, "");
                order.push(sync);
            }
        }
        let before = self.covered(&BTreeSet::new(), &[]);
        let after = self.covered(&ended, &[]);
        let mut synced = self.state.synced.clone();
        for sync in order {
            // The first task of an account lets go of all whom nothing covers any more, its way.
            if self.let_go(sync, &after, &mut synced) {
                let staying = self.state.syncs.iter().filter(|it| {
                    it.account_uin == sync.account_uin
                        && it.state != AssignmentState::Removing
                        && !ended.contains(&it.id)
                });
                let staying = staying.count();
                self.release_provider(sync.account_uin, staying);
            }
        }
        let old = self.state.synced.clone();
        self.tell_reach(&before, &old, &after, &old);
    }

    /// Whether all whom nothing covers any more could be let go of.
    fn let_go(
        &mut self,
        sync: &SyncFacts,
        covered: &BTreeSet<(Uin, UserId)>,
        synced: &mut Synced,
    ) -> bool {
        let account = sync.account_uin;
        let uncovered: Vec<(UserId, String)> = synced
            .iter()
            .filter(|((at, user), _)| *at == account && !covered.contains(&(account, *user)))
            .map(|((_, user), name)| (*user, name.clone()))
            .collect();
        let mut all = true;
        for (user, name) in uncovered {
            let key = (account, name.to_ascii_lowercase());
            let found = self.state.cam_users.get(&key);
            let found = found.filter(|found| found.managed_by == Some(self.state.space));
            match (found, sync.deletion_strategy) {
                (None, _) => {}
                (Some(_), DeletionStrategy::Keep) => {
                    self.object(account, ObjectKind::CamUser, name, Change::Release, "");
                }
                (Some(found), DeletionStrategy::Delete) if found.access_keys > 0 => {
                    let detail = format!(
                        "it has access keys ({}): it is shut out and stays",
                        found.access_keys
                    );
                    self.conflict(ConflictKind::AccessKeys, account, name, detail);
                    all = false;
                    continue;
                }
                (Some(_), DeletionStrategy::Delete) => {
                    self.object(account, ObjectKind::CamUser, name, Change::Remove, "");
                }
            }
            synced.remove(&(account, user));
        }
        all
    }

    /// Whom the user syncs cover that are to stay, without some and with more.
    fn covered(
        &self,
        without: &BTreeSet<UserSyncId>,
        more: &[(Uin, Principal)],
    ) -> BTreeSet<(Uin, UserId)> {
        let stays =
            |it: &&SyncFacts| it.state != AssignmentState::Removing && !without.contains(&it.id);
        let kept = self.state.syncs.iter().filter(stays);
        let removing: BTreeSet<(Uin, Principal)> = self
            .state
            .syncs
            .iter()
            .filter(|it| it.state == AssignmentState::Removing)
            .map(|it| (it.account_uin, it.principal()))
            .collect();
        kept.map(|it| (it.account_uin, it.principal()))
            .chain(more.iter().copied().filter(|pair| !removing.contains(pair)))
            .flat_map(|(account, principal)| {
                self.people_of(principal).into_iter().map(move |user| (account, user))
            })
            .collect()
    }

    fn tell_reach(
        &mut self,
        covered_before: &BTreeSet<(Uin, UserId)>,
        before: &Synced,
        covered_after: &BTreeSet<(Uin, UserId)>,
        after: &Synced,
    ) {
        for (place, (covered, synced)) in
            [(covered_before, before), (covered_after, after)].into_iter().enumerate()
        {
            for ((account, user), name) in synced {
                if covered.contains(&(*account, *user)) {
                    let reach = self.reach_of(*user, *account, What::CamUser(name.clone()));
                    self.reach[place].extend(reach);
                }
            }
        }
    }
}
