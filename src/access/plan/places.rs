//! Assignments and deployments: what their tasks will find and leave behind.

use std::collections::BTreeSet;

use super::{Change, ConflictKind, ObjectKind, Place, make::Builder, state::DeploymentFacts};
use crate::{
    id::{Principal, Uin},
    permission::{
        AssignmentState, Content, ContentPolicy, DeploymentState, Difference, PolicyKind,
        RemovalStrategy, Triple,
    },
    provisioning::names,
    task::Kind,
};

impl Builder<'_> {
    pub(super) fn assign(&mut self, triples: &[Triple]) {
        let mut seen = BTreeSet::new();
        let mut new = false;
        for triple in triples {
            let place = Place::from(triple);
            let there = (place.account, Some(place.configuration));
            let name = self.assignment_name(triple);
            let old = self.assignments.get(&place).and_then(|all| all.get(&triple.principal));
            // One that will fail is there all the same until its task has run.
            let is_there = matches!(old, Some(AssignmentState::Pending | AssignmentState::Active));
            let was_seen = !seen.insert(*triple);
            if is_there && !was_seen && self.state.temporary.contains(&(place, triple.principal)) {
                new = true;
                self.task(Kind::CreateAssignment, there, Some(triple.principal), false);
                let detail = "it would have ended by itself, and does not any more";
                self.object(place.account, ObjectKind::Assignment, name, Change::Update, detail);
                self.first_use(place);
                continue;
            }
            let duplicate = was_seen || is_there;
            self.task(Kind::CreateAssignment, there, Some(triple.principal), duplicate);
            if duplicate {
                let detail = "the assignment exists already";
                self.conflict(ConflictKind::Exists, place.account, name, detail);
                continue;
            }
            new = true;
            self.object(place.account, ObjectKind::Assignment, name, Change::Create, "");
            let state = if self.first_use(place) {
                AssignmentState::Pending
            } else {
                AssignmentState::Failed
            };
            self.assignments.entry(place).or_default().insert(triple.principal, state);
        }
        self.plan.is_refused |= !new;
    }

    /// Deploys what was never deployed there; whether it will be there.
    fn first_use(&mut self, place: Place) -> bool {
        match self.deployments.get(&place) {
            // It is there, or a task is about to deploy it.
            Some(
                DeploymentFacts { content: Some(_), is_leaving: false, .. }
                | DeploymentFacts { state: DeploymentState::InProgress, .. },
            ) => true,
            Some(_) | None => self.deploy(place),
        }
    }

    fn assignment_name(&self, triple: &Triple) -> String {
        let configuration = self.state.configuration_name(triple.configuration);
        format!("{}: {configuration}", self.state.name_of(triple.principal))
    }

    pub(super) fn unassign(&mut self, triples: &[Triple], strategy: RemovalStrategy) {
        for triple in triples {
            self.remove_assignment(triple);
        }
        if strategy == RemovalStrategy::DeprovisionForLast {
            let places: BTreeSet<Place> = triples.iter().map(Place::from).collect();
            for place in places {
                if self.remaining(place) == 0 {
                    self.undeploy(place);
                }
            }
            self.release_providers(triples.iter().map(|it| it.account));
        }
    }

    fn remove_assignment(&mut self, triple: &Triple) {
        let place = Place::from(triple);
        let name = self.assignment_name(triple);
        let all = self.assignments.entry(place).or_default();
        match all.remove(&triple.principal) {
            None | Some(AssignmentState::Removing) => {
                let detail = "there is no such assignment";
                self.conflict(ConflictKind::NotFound, place.account, name, detail);
            }
            Some(AssignmentState::Pending | AssignmentState::Active | AssignmentState::Failed) => {
                let there = (place.account, Some(place.configuration));
                self.task(Kind::DeleteAssignment, there, Some(triple.principal), false);
                self.object(place.account, ObjectKind::Assignment, name, Change::Remove, "");
            }
        }
    }

    /// How many assignments are there to stay.
    fn remaining(&self, place: Place) -> usize {
        let stays = |state: &&AssignmentState| {
            matches!(state, AssignmentState::Pending | AssignmentState::Active)
        };
        self.assignments.get(&place).map_or(0, |all| all.values().filter(stays).count())
    }

    fn release_providers(&mut self, accounts: impl Iterator<Item = Uin>) {
        for account in accounts.collect::<BTreeSet<Uin>>() {
            let syncs = self.staying_syncs(account);
            self.release_provider(account, syncs);
        }
    }

    pub(super) fn deploy_all(&mut self, places: &[Place], again: bool) {
        for place in places {
            if again && !self.deployments.contains_key(place) {
                self.not_deployed(*place);
                continue;
            }
            let there = (place.account, Some(place.configuration));
            self.task(Kind::ProvisionConfiguration, there, None, false);
            self.deploy(*place);
        }
    }

    fn not_deployed(&mut self, place: Place) {
        let name = self.state.configuration_name(place.configuration);
        let detail = "the configuration is not deployed on the account";
        self.conflict(ConflictKind::NotFound, place.account, name, detail);
    }

    /// The assignments of a place, but for those on their way out.
    fn assigned(&self, place: Place) -> Vec<Principal> {
        let all = self.assignments.get(&place).into_iter().flatten();
        let stays = all.filter(|(_, state)| **state != AssignmentState::Removing);
        stays.map(|(principal, _)| *principal).collect()
    }

    pub(super) fn clear_all(&mut self, places: &[Place]) {
        for place in places {
            let all = self.assigned(*place);
            if all.is_empty() {
                let name = self.state.configuration_name(place.configuration);
                let detail = "nobody has the configuration on the account";
                self.conflict(ConflictKind::NotFound, place.account, name, detail);
            }
            self.clear(*place, &all);
        }
    }

    fn clear(&mut self, place: Place, principals: &[Principal]) {
        let Place { account, configuration } = place;
        for principal in principals {
            self.remove_assignment(&Triple { principal: *principal, account, configuration });
        }
    }

    pub(super) fn undeploy_all(&mut self, places: &[Place], remove_assignments: bool) {
        if remove_assignments {
            for place in places {
                let state = self.deployments.get(place).map(|it| it.state);
                if state.is_some_and(|state| state != DeploymentState::Removing) {
                    let all = self.assigned(*place);
                    self.clear(*place, &all);
                }
            }
        }
        for place in places {
            let name = self.state.configuration_name(place.configuration);
            match self.deployments.get(place).map(|it| it.state) {
                None => {
                    self.not_deployed(*place);
                    continue;
                }
                Some(DeploymentState::Removing) => {
                    let detail = "a task is taking it off already";
                    self.conflict(ConflictKind::Busy, place.account, name, detail);
                    continue;
                }
                Some(
                    DeploymentState::InProgress
                    | DeploymentState::Deployed
                    | DeploymentState::Failed,
                ) => {}
            }
            let left = self.remaining(*place);
            if left > 0 {
                let detail = format!("assignments: {left}");
                self.conflict(ConflictKind::InUse, place.account, name, detail);
            }
            let there = (place.account, Some(place.configuration));
            self.task(Kind::DeprovisionConfiguration, there, None, false);
            self.undeploy(*place);
        }
        self.release_providers(places.iter().map(|it| it.account));
    }

    /// What the task that deploys finds and makes; whether it ends well.
    pub(super) fn deploy(&mut self, place: Place) -> bool {
        let Place { account, configuration } = place;
        let state = self.state;
        let Some((name, content)) = state.configurations.get(&configuration) else {
            return false;
        };
        let recorded = self.deployments.get(&place).filter(|it| !it.is_leaving);
        let recorded = recorded.and_then(|it| it.content.clone());
        let is_well = !self.by_hand(account, name)
            && self.ensure_provider(account)
            && self.deploy_role(account, name, recorded.as_ref(), content);
        let facts = DeploymentFacts {
            state: if is_well { DeploymentState::Deployed } else { DeploymentState::Failed },
            content: if is_well { Some(content.clone()) } else { recorded },
            is_leaving: false,
        };
        self.deployments.insert(place, facts);
        is_well
    }

    fn deploy_role(
        &mut self,
        account: Uin,
        name: &str,
        recorded: Option<&Content>,
        content: &Content,
    ) -> bool {
        let ours = Some(self.state.space);
        let role = names::role(name);
        let taken = self.state.taken.get(&(account, ObjectKind::Role, role.clone())).copied();
        if taken.is_some_and(|by| by != ours) {
            let detail = "a role that is not managed by Identity Center has this name";
            self.conflict(ConflictKind::NameClash, account, role, detail);
            return false;
        }
        let empty = Content { session_duration: content.session_duration, policies: Vec::new() };
        let difference = Difference::between(recorded.unwrap_or(&empty), content);
        if recorded.is_none() && taken.is_none() {
            self.object(account, ObjectKind::Role, role.as_str(), Change::Create, "");
        } else if let Some((old, new)) = difference.session_duration {
            let detail = format!("session {old} s to {new} s");
            self.object(account, ObjectKind::Role, role.as_str(), Change::Update, detail);
        }
        // Custom policies are made one after the other before anything is bound.
        let own = |it: &&ContentPolicy| it.kind == PolicyKind::Custom;
        for policy in difference.added.iter().filter(own) {
            let own = names::policy(name, &policy.name);
            let taken = self.state.taken.get(&(account, ObjectKind::Policy, own.clone()));
            if taken.is_some_and(|by| *by != ours) {
                let detail = "a policy that is not managed by Identity Center has this name";
                self.conflict(ConflictKind::NameClash, account, own, detail);
                return false;
            }
            self.object(account, ObjectKind::Policy, own, Change::Create, "");
        }
        for policy in &difference.changed {
            let own = names::policy(name, &policy.name);
            self.object(account, ObjectKind::Policy, own, Change::Update, "");
        }
        for (policies, change) in
            [(&difference.added, Change::Create), (&difference.removed, Change::Remove)]
        {
            for policy in policies {
                self.bind(account, name, policy, change);
            }
        }
        for policy in difference.removed.iter().filter(own) {
            let own = names::policy(name, &policy.name);
            self.object(account, ObjectKind::Policy, own, Change::Remove, "");
        }
        true
    }

    fn bind(&mut self, account: Uin, name: &str, policy: &ContentPolicy, change: Change) {
        let bound = match policy.kind {
            PolicyKind::Preset => policy.name.clone(),
            PolicyKind::Custom => names::policy(name, &policy.name),
        };
        let binding = format!("{}: {bound}", names::role(name));
        self.object(account, ObjectKind::PolicyBinding, binding, change, "");
    }

    /// What the task that takes a configuration off finds and removes.
    fn undeploy(&mut self, place: Place) {
        let account = place.account;
        let state = self.state;
        let name = state.configuration_name(place.configuration);
        let role = names::role(&name);
        if self.by_hand(account, &name) {
            return;
        }
        let recorded = self.deployments.remove(&place).and_then(|it| it.content);
        let taken = state.taken.get(&(account, ObjectKind::Role, role.clone())).copied();
        let is_there = match taken {
            Some(by) => by == Some(state.space),
            None => recorded.is_some(),
        };
        if !is_there {
            return;
        }
        self.object(account, ObjectKind::Role, role, Change::Remove, "");
        for policy in recorded.map(|it| it.policies).unwrap_or_default() {
            self.bind(account, &name, &policy, Change::Remove);
            if policy.kind == PolicyKind::Custom {
                let own = names::policy(&name, &policy.name);
                self.object(account, ObjectKind::Policy, own, Change::Remove, "");
            }
        }
    }
}
