//! From a state to a plan; nothing here reads or writes.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, Conflict, ConflictKind, ObjectChange, ObjectKind, Operation, Place, Plan, PlannedTask,
    Reach, State, What, state::DeploymentFacts,
};
use crate::{
    id::{ConfigurationId, Principal, Uin, UserId},
    permission::{AssignmentState, DeploymentState, Difference},
    provisioning::names,
    task::Kind,
};

/// What an operation would do to a state.
pub fn plan(state: &State, operation: &Operation) -> Plan {
    let mut builder = Builder::new(state);
    match operation {
        Operation::Assign(triples) => builder.assign(triples),
        Operation::Unassign { triples, strategy } => builder.unassign(triples, *strategy),
        Operation::Deploy(places) => builder.deploy_all(places, false),
        Operation::Redeploy(places) => builder.deploy_all(places, true),
        Operation::Undeploy { places, remove_assignments } => {
            builder.undeploy_all(places, *remove_assignments);
        }
        Operation::Clear(places) => builder.clear_all(places),
        Operation::Sync(new) => builder.sync(new),
        Operation::Unsync(ids) => builder.unsync(ids),
        Operation::DeleteUser(id) => builder.delete(ObjectKind::User, &id.to_string()),
        Operation::DeleteGroup(id) => builder.delete(ObjectKind::Group, &id.to_string()),
        Operation::DeleteConfiguration(id) => {
            builder.delete(ObjectKind::Configuration, &id.to_string());
        }
        Operation::Edit(id, edit) => builder.edit(*id, edit.redeploy),
    }
    builder.finish(operation)
}

/// A plan under way, and what it has changed in the state so far.
pub(super) struct Builder<'s> {
    pub state: &'s State,
    pub plan: Plan,
    /// As they will be.
    pub assignments: BTreeMap<Place, BTreeMap<Principal, AssignmentState>>,
    /// As they will be.
    pub deployments: BTreeMap<Place, DeploymentFacts>,
    /// The accounts whose SAML provider is there, or will be; none where its name is taken.
    pub providers: BTreeMap<Uin, Option<bool>>,
    /// CAM users, as they are and as they will be, where that is planned.
    pub reach: [BTreeSet<Reach>; 2],
}

impl<'s> Builder<'s> {
    fn new(state: &'s State) -> Self {
        Self {
            state,
            plan: Plan::default(),
            assignments: state.assignments.clone(),
            deployments: state.deployments.clone(),
            providers: BTreeMap::new(),
            reach: [BTreeSet::new(), BTreeSet::new()],
        }
    }

    pub fn object(
        &mut self,
        account: impl Into<Option<Uin>>,
        kind: ObjectKind,
        name: impl Into<String>,
        change: Change,
        detail: impl Into<String>,
    ) {
        let (account, name, detail) = (account.into(), name.into(), detail.into());
        self.plan.objects.push(ObjectChange { account, kind, name, change, detail });
    }

    /// Something that stands in the way; told once.
    pub fn conflict(
        &mut self,
        kind: ConflictKind,
        account: impl Into<Option<Uin>>,
        name: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let (account, name, detail) = (account.into(), name.into(), detail.into());
        self.plan.is_refused |= match kind {
            ConflictKind::NotFound
            | ConflictKind::InUse
            | ConflictKind::Busy
            | ConflictKind::Managed => true,
            ConflictKind::Exists
            | ConflictKind::NameClash
            | ConflictKind::ByHand
            | ConflictKind::AccessKeys => false,
        };
        let conflict = Conflict { kind, account, name, detail };
        if !self.plan.conflicts.contains(&conflict) {
            self.plan.conflicts.push(conflict);
        }
    }

    pub fn task(
        &mut self,
        kind: Kind,
        place: (Uin, Option<ConfigurationId>),
        principal: Option<Principal>,
        fails: bool,
    ) {
        let (account, configuration) = place;
        self.plan.tasks.push(PlannedTask { kind, account, configuration, principal, fails });
    }

    /// Whether the provider of an account can be trusted to be there; it is made if it is not.
    pub fn ensure_provider(&mut self, account: Uin) -> bool {
        let usable = match self.provider(account) {
            Some(true) => return true,
            Some(false) => true,
            None => false,
        };
        let name = names::saml_provider(self.state.space);
        if usable {
            self.object(account, ObjectKind::SamlProvider, name, Change::Create, "");
            self.providers.insert(account, Some(true));
        } else {
            let detail = "a SAML provider that is not managed by Identity Center has this name";
            self.conflict(ConflictKind::NameClash, account, name, detail);
        }
        usable
    }

    /// Whether an account is in another cloud, where nothing is done but by hand; told then.
    pub fn by_hand(&mut self, account: Uin, name: &str) -> bool {
        let elsewhere = self.state.other_clouds.contains(&account);
        if elsewhere {
            let detail = "the account is in another cloud: somebody has to do it there by hand";
            self.conflict(ConflictKind::ByHand, account, name, detail);
        }
        elsewhere
    }

    /// Whether our provider is there; none where its name is taken.
    pub fn provider(&mut self, account: Uin) -> Option<bool> {
        if let Some(known) = self.providers.get(&account) {
            return *known;
        }
        let key = (account, ObjectKind::SamlProvider, names::saml_provider(self.state.space));
        let known = match self.state.taken.get(&key) {
            Some(by) if *by == Some(self.state.space) => Some(true),
            Some(_) => None,
            // Where nothing is known of the account itself, our own word has to do; and a task may
            // be about to make it.
            None => Some(self.state.deployments.iter().any(|(place, deployment)| {
                place.account == account
                    && deployment.content.is_none()
                    && deployment.state == DeploymentState::InProgress
            })),
        };
        self.providers.insert(account, known);
        known
    }

    /// The provider goes when nothing of the space is left on the account; `syncs` says how many
    /// user syncs are to stay.
    pub fn release_provider(&mut self, account: Uin, syncs: usize) {
        let deployed = self.deployments.iter().any(|(place, deployment)| {
            place.account == account && deployment.state != DeploymentState::Removing
        });
        if !deployed && syncs == 0 && self.provider(account) == Some(true) {
            let name = names::saml_provider(self.state.space);
            self.object(account, ObjectKind::SamlProvider, name, Change::Remove, "");
            self.providers.insert(account, Some(false));
        }
    }

    /// How many user syncs of an account are to stay as things are.
    pub fn staying_syncs(&self, account: Uin) -> usize {
        let stays = |state| state != AssignmentState::Removing;
        let all = self.state.syncs.iter();
        all.filter(|sync| sync.account_uin == account && stays(sync.state)).count()
    }

    /// The people that an identity stands for.
    pub fn people_of(&self, principal: Principal) -> Vec<UserId> {
        match principal {
            Principal::User(id) if self.state.people.contains_key(&id) => vec![id],
            Principal::User(_) => Vec::new(),
            Principal::Group(id) => self.state.members.get(&id).cloned().unwrap_or_default(),
        }
    }

    fn delete(&mut self, kind: ObjectKind, id: &str) {
        let state = self.state;
        let Some(subject) = &state.subject else {
            return self.conflict(ConflictKind::NotFound, None, id, "it is not there");
        };
        if subject.managed {
            let detail = "a directory keeps it while SCIM is on";
            self.conflict(ConflictKind::Managed, None, subject.name.as_str(), detail);
        }
        for (what, count) in subject.holders.iter().filter(|(_, count)| *count > 0) {
            let detail = format!("{what}: {count}");
            self.conflict(ConflictKind::InUse, None, subject.name.as_str(), detail);
        }
        self.object(None, kind, subject.name.as_str(), Change::Remove, "");
    }

    fn edit(&mut self, id: ConfigurationId, redeploy: bool) {
        let state = self.state;
        let Some(edited) = &state.edited else { return };
        let difference = Difference::between(&edited.content, &edited.new);
        let name = edited.before.name.as_str();
        let detail = difference.to_string();
        self.object(None, ObjectKind::Configuration, name, Change::Update, detail);
        let places: Vec<Place> = state.deployments.keys().copied().collect();
        for place in places {
            let Some(facts) = state.deployments.get(&place) else { continue };
            if redeploy && facts.state != DeploymentState::Removing {
                let there = (place.account, Some(id));
                self.task(Kind::ProvisionConfiguration, there, None, false);
                self.deploy(place);
                continue;
            }
            let Some(deployed) = &facts.content else { continue };
            let (was, is) = (*deployed != edited.content, *deployed != edited.new);
            if was != is {
                let detail = if is {
                    format!("becomes outdated: {}", Difference::between(deployed, &edited.new))
                } else {
                    "is current again".to_owned()
                };
                self.object(place.account, ObjectKind::Deployment, name, Change::Update, detail);
            }
        }
    }

    fn finish(mut self, operation: &Operation) -> Plan {
        let [mut before, mut after] = std::mem::take(&mut self.reach);
        let places: BTreeSet<Place> =
            self.state.assignments.keys().chain(self.assignments.keys()).copied().collect();
        for place in places {
            before.extend(self.holders(place, self.state.assignments.get(&place)));
            after.extend(self.holders(place, self.assignments.get(&place)));
        }
        let mut plan = self.plan;
        if plan.is_refused {
            // Nothing happens.
            plan = Plan { conflicts: plan.conflicts, is_refused: true, ..Plan::default() };
        } else {
            plan.gains = after.difference(&before).cloned().collect();
            plan.losses = before.difference(&after).cloned().collect();
            plan.objects.sort();
            plan.objects.dedup();
        }
        plan.conflicts.sort();
        plan.operation = operation.canonical();
        plan
    }

    /// Who has a configuration on an account, through assignments that count or are about to.
    fn holders(
        &self,
        place: Place,
        assignments: Option<&BTreeMap<Principal, AssignmentState>>,
    ) -> Vec<Reach> {
        let counts = |state| match state {
            AssignmentState::Active | AssignmentState::Pending => true,
            AssignmentState::Failed | AssignmentState::Removing => false,
        };
        let Some(all) = assignments else { return Vec::new() };
        let principals = all.iter().filter(|(_, state)| counts(**state));
        let people = principals.flat_map(|(principal, _)| self.people_of(*principal));
        people
            .filter_map(|user| self.reach_of(user, place.account, What::Role(place.configuration)))
            .collect()
    }

    /// Somebody reaches something, unless they are shut out.
    pub fn reach_of(&self, user: UserId, account: Uin, what: What) -> Option<Reach> {
        let person = self.state.people.get(&user).filter(|person| person.enabled)?;
        Some(Reach { user, user_name: person.name.clone(), account, what })
    }
}
