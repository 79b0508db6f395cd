//! What somebody wants done, as the address of a step and the fields of its form say it: so that
//! going back, reloading, sharing a step and signing in again all work.

use std::{collections::BTreeSet, fmt};

use serde::Deserialize;

use crate::{
    access::plan::{self, Edit, Operation, Place},
    id::{ConfigurationId, Principal, Uin, UserSyncId},
    permission::{ConfigurationPolicyName, NewPolicy, RemovalStrategy, Triple},
    provisioning::{DeletionStrategy, DuplicationStrategy, NewUserSync},
    web::console::frame::{Wrong, encode},
};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::web::console) enum Deed {
    /// Assignments are made.
    Assign,
    /// Assignments are taken away.
    Unassign,
    /// Configurations are deployed again.
    Redeploy,
    /// Configurations are taken off accounts.
    Undeploy,
    /// Every assignment of configurations on accounts is taken away.
    Clear,
    /// User syncs are made.
    Sync,
    /// User syncs are ended.
    Unsync,
    /// Policies are added to a configuration, or taken from it.
    Edit,
    /// A configuration is deleted.
    DeleteConfiguration,
    /// A user is deleted.
    DeleteUser,
    /// A group is deleted.
    DeleteGroup,
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Assign => "assign",
            Self::Unassign => "unassign",
            Self::Redeploy => "redeploy",
            Self::Undeploy => "undeploy",
            Self::Clear => "clear",
            Self::Sync => "sync",
            Self::Unsync => "unsync",
            Self::Edit => "edit",
            Self::DeleteConfiguration => "delete-configuration",
            Self::DeleteUser => "delete-user",
            Self::DeleteGroup => "delete-group",
        })
    }
}

impl Deed {
    /// Whether its button warns: it takes something away.
    pub fn is_grave(self) -> bool {
        match self {
            Self::Assign | Self::Redeploy | Self::Sync | Self::Edit => false,
            Self::Unassign
            | Self::Undeploy
            | Self::Clear
            | Self::Unsync
            | Self::DeleteConfiguration
            | Self::DeleteUser
            | Self::DeleteGroup => true,
        }
    }
}

/// What has been chosen so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web::console) struct Wanted {
    pub act: Option<Deed>,
    pub account: Vec<Uin>,
    pub principal: Vec<String>,
    pub configuration: Vec<ConfigurationId>,
    /// `account/configuration`.
    pub place: Vec<String>,
    /// `account/configuration/identity`.
    pub triple: Vec<String>,
    pub sync: Vec<UserSyncId>,
    /// Presets that come, by number.
    pub add: Vec<i64>,
    /// Presets that go, by number.
    pub remove: Vec<i64>,
    /// Custom policies that go, by name.
    pub remove_custom: Vec<String>,
    pub description: String,
    pub duplication: Option<DuplicationStrategy>,
    pub deletion: Option<DeletionStrategy>,
    /// Whether a role goes with the last assignment of it.
    pub undeploy: String,
    /// Whether what is changed is deployed again everywhere.
    pub redeploy: String,
    pub search: String,
    /// The plan that was agreed to.
    pub hash: String,
    /// What was typed to confirm it.
    pub typed: String,
    /// Whether it was said that a take-over is meant.
    pub agreed: String,
}

fn no_such() -> Wrong {
    Wrong::whole(t!("plan-unknown"))
}

fn place(text: &str) -> Option<Place> {
    let (account, configuration) = text.split_once('/')?;
    Some(Place { account: account.parse().ok()?, configuration: configuration.parse().ok()? })
}

fn triple(text: &str) -> Option<Triple> {
    let (place, principal) = text.rsplit_once('/')?;
    let Place { account, configuration } = self::place(place)?;
    Some(Triple { principal: principal.parse().ok()?, account, configuration })
}

impl Wanted {
    /// The choice as fields for the next form, without what only the last step says.
    pub fn carried(&self) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        let mut each = |name, values: Vec<String>| {
            all.extend(values.into_iter().map(|value| (name, value)));
        };
        each("act", self.act.iter().map(ToString::to_string).collect());
        each("account", self.account.iter().map(ToString::to_string).collect());
        each("principal", self.principal.clone());
        each("configuration", self.configuration.iter().map(ToString::to_string).collect());
        each("place", self.place.clone());
        each("triple", self.triple.clone());
        each("sync", self.sync.iter().map(ToString::to_string).collect());
        each("add", self.add.iter().map(ToString::to_string).collect());
        each("remove", self.remove.iter().map(ToString::to_string).collect());
        each("remove_custom", self.remove_custom.clone());
        each("duplication", self.duplication.iter().map(ToString::to_string).collect());
        each("deletion", self.deletion.iter().map(ToString::to_string).collect());
        for (name, value) in [
            ("description", &self.description),
            ("undeploy", &self.undeploy),
            ("redeploy", &self.redeploy),
        ] {
            each(name, (!value.is_empty()).then(|| value.clone()).into_iter().collect());
        }
        all
    }

    /// The fields of the next form but those of these names, which its own boxes say.
    pub fn carried_but(&self, names: &[&str]) -> Vec<(&'static str, String)> {
        self.carried().into_iter().filter(|(name, _)| !names.contains(name)).collect()
    }

    /// The address of a step with this choice.
    pub fn address(&self, path: &str) -> String {
        let fields = self.carried();
        let said: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        if said.is_empty() { path.to_owned() } else { format!("{path}?{}", said.join("&")) }
    }

    /// What to look for, if anything.
    pub fn looked_for(&self) -> Option<String> {
        let wanted = self.search.trim();
        (!wanted.is_empty()).then(|| wanted.to_owned())
    }

    /// The chosen identities, each once; text that is none counts as wrong.
    pub fn principals(&self) -> Result<BTreeSet<Principal>, Wrong> {
        let parsed = self.principal.iter().map(|text| text.parse());
        parsed.collect::<Result<_, _>>().map_err(|_| no_such())
    }

    fn places(&self) -> Result<Vec<Place>, Wrong> {
        let parsed: Option<Vec<Place>> = self.place.iter().map(|text| place(text)).collect();
        let mut places = parsed.ok_or_else(no_such)?;
        for account in &self.account {
            let of_account = self.configuration.iter();
            places.extend(of_account.map(|it| Place { account: *account, configuration: *it }));
        }
        places.sort_unstable();
        places.dedup();
        at_most(places)
    }

    fn triples(&self) -> Result<Vec<Triple>, Wrong> {
        let parsed: Option<Vec<Triple>> = self.triple.iter().map(|text| triple(text)).collect();
        let mut triples = parsed.ok_or_else(no_such)?;
        for principal in self.principals()? {
            for account in &self.account {
                for configuration in &self.configuration {
                    triples.push(Triple {
                        principal,
                        account: *account,
                        configuration: *configuration,
                    });
                }
            }
        }
        triples.sort_unstable();
        triples.dedup();
        at_most(triples)
    }

    fn syncs(&self) -> Result<Vec<NewUserSync>, Wrong> {
        let accounts: BTreeSet<Uin> = self.account.iter().copied().collect();
        let mut all = Vec::new();
        for principal in self.principals()? {
            let one = |account: &Uin| NewUserSync {
                principal,
                account: *account,
                description: self.description.trim().to_owned(),
                // US-04, US-07: what is chosen before anybody chooses.
                duplication: self.duplication.unwrap_or(DuplicationStrategy::TakeOver),
                deletion: self.deletion.unwrap_or(DeletionStrategy::Keep),
            };
            all.extend(accounts.iter().map(one));
        }
        at_most(all)
    }

    /// What it comes to.
    pub fn operation(&self) -> Result<Operation, Wrong> {
        let one = || self.configuration.first().copied().ok_or_else(no_such);
        Ok(match self.act.ok_or_else(|| Wrong::whole(t!("plan-nothing")))? {
            Deed::Assign => Operation::Assign(self.triples()?),
            Deed::Unassign => Operation::Unassign {
                triples: self.triples()?,
                strategy: if self.undeploy.is_empty() {
                    RemovalStrategy::Keep
                } else {
                    RemovalStrategy::DeprovisionForLast
                },
            },
            Deed::Redeploy => Operation::Redeploy(self.places()?),
            Deed::Undeploy => {
                Operation::Undeploy { places: self.places()?, remove_assignments: false }
            }
            Deed::Clear => Operation::Clear(self.places()?),
            Deed::Sync => Operation::Sync(self.syncs()?),
            Deed::Unsync => {
                let ids: BTreeSet<UserSyncId> = self.sync.iter().copied().collect();
                Operation::Unsync(at_most(ids.into_iter().collect())?)
            }
            Deed::Edit => Operation::Edit(one()?, Box::new(self.edit())),
            Deed::DeleteConfiguration => Operation::DeleteConfiguration(one()?),
            Deed::DeleteUser | Deed::DeleteGroup => {
                let who = self.principals()?.into_iter().next();
                match (self.act, who) {
                    (Some(Deed::DeleteUser), Some(Principal::User(id))) => {
                        Operation::DeleteUser(id)
                    }
                    (Some(Deed::DeleteGroup), Some(Principal::Group(id))) => {
                        Operation::DeleteGroup(id)
                    }
                    (_, _) => return Err(no_such()),
                }
            }
        })
    }

    fn edit(&self) -> Edit {
        let presets = self.remove.iter().copied().map(ConfigurationPolicyName::Preset);
        let custom = self.remove_custom.iter().cloned().map(ConfigurationPolicyName::Custom);
        Edit {
            added: self.add.iter().copied().map(NewPolicy::PresetId).collect(),
            removed: presets.chain(custom).collect(),
            redeploy: !self.redeploy.is_empty(),
            ..Edit::default()
        }
    }
}

/// At least one, and no more than a plan takes.
fn at_most<T>(all: Vec<T>) -> Result<Vec<T>, Wrong> {
    if all.is_empty() {
        return Err(Wrong::whole(t!("plan-none-chosen")));
    }
    if all.len() > plan::MOST_ITEMS {
        let message = t!("plan-too-many", count = all.len(), most = plan::MOST_ITEMS);
        return Err(Wrong::whole(message));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn wanted(accounts: i64, users: i64) -> Wanted {
        Wanted {
            act: Some(Deed::Assign),
            account: (0..accounts).map(Uin).collect(),
            principal: (0..users).map(|id| UserId(id).to_string()).collect(),
            configuration: vec![ConfigurationId(1), ConfigurationId(1)],
            ..Wanted::default()
        }
    }

    #[test]
    fn every_combination_is_there_once_and_there_are_not_too_many() {
        let Operation::Assign(all) = wanted(5, 10).operation().unwrap() else { panic!() };
        assert_eq!(all.len(), 50);
        assert!(wanted(6, 10).operation().unwrap_err().message.contains("60"));
        assert!(wanted(0, 10).operation().is_err());
        let stranger = Wanted { principal: vec!["x".to_owned()], ..wanted(1, 0) };
        assert!(stranger.operation().is_err());
        assert!(Wanted { act: None, ..wanted(1, 1) }.operation().is_err());
    }

    #[test]
    fn a_choice_survives_the_way_through_an_address() {
        let all = Wanted {
            triple: vec!["1/rc-000000000001/u-000000000001".to_owned()],
            description: "a & b=c".to_owned(),
            deletion: Some(DeletionStrategy::Delete),
            remove: vec![7],
            ..wanted(2, 3)
        };
        let address = all.address("/x");
        let uri = address.parse().unwrap();
        let read = axum_extra::extract::Query::<Wanted>::try_from_uri(&uri).unwrap().0;
        assert_eq!(read.carried(), all.carried());
        assert!(read.operation().is_ok());
        assert_eq!(all.carried_but(&["account", "triple"]).len(), all.carried().len() - 3);
    }

    #[test]
    fn us_04_us_07_what_is_chosen_before_anybody_chooses() {
        let sync = Wanted { act: Some(Deed::Sync), ..wanted(1, 1) };
        let Operation::Sync(all) = sync.operation().unwrap() else { panic!() };
        assert_eq!(all[0].deletion, DeletionStrategy::Keep);
        assert_eq!(all[0].duplication, DuplicationStrategy::TakeOver);
    }
}
