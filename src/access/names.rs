//! What everything is called that a page is about: one query for each kind, however many there are.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, Uin},
    organization::AccountKind,
    store::{self as database, Read, sql},
};

/// Accounts, configurations and identities of a space, by name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    accounts: BTreeMap<Uin, (String, AccountKind)>,
    configurations: BTreeMap<ConfigurationId, String>,
    principals: BTreeMap<Principal, String>,
}

/// Whose names are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Accounts.
    pub accounts: BTreeSet<Uin>,
    /// Configurations.
    pub configurations: BTreeSet<ConfigurationId>,
    /// Users and groups.
    pub principals: BTreeSet<Principal>,
}

impl Names {
    /// The names of these, as far as the space has them; users and groups that were deleted are
    /// named, too, as long as something of them is left.
    pub async fn read(
        tx: &mut Read,
        space: SpaceId,
        wanted: &Wanted,
    ) -> Result<Self, database::Error> {
        let mut names = Self::default();
        if !wanted.accounts.is_empty() {
            let numbers: Vec<i64> = wanted.accounts.iter().map(|uin| uin.0).collect();
            let mut query = sql("SELECT a.uin, a.name, a.kind FROM accounts a
                 JOIN spaces s ON s.organization_id = a.organization_id WHERE s.id = ");
            query.push_bind(space).push(" AND a.uin IN ").push_numbers(numbers);
            let found: Vec<(Uin, String, AccountKind)> = query.fetch_all(tx).await?;
            names.accounts =
                found.into_iter().map(|(uin, name, kind)| (uin, (name, kind))).collect();
        }
        if !wanted.configurations.is_empty() {
            let numbers: Vec<i64> = wanted.configurations.iter().map(|id| id.0).collect();
            let mut query = sql("SELECT id, name FROM permission_configurations WHERE space_id = ");
            query.push_bind(space).push(" AND id IN ").push_numbers(numbers);
            names.configurations = query.fetch_all(tx).await?.into_iter().collect();
        }
        for (kind, text) in [
            (PrincipalKind::User, "SELECT id, user_name FROM users WHERE space_id = "),
            (PrincipalKind::Group, "SELECT id, name FROM groups WHERE space_id = "),
        ] {
            let of_kind = wanted.principals.iter().filter(|it| it.kind() == kind);
            let numbers: Vec<i64> = of_kind.map(|it| it.number()).collect();
            if numbers.is_empty() {
                continue;
            }
            let mut query = sql(text);
            query.push_bind(space).push(" AND id IN ").push_numbers(numbers);
            let found: Vec<(i64, String)> = query.fetch_all(tx).await?;
            let named =
                found.into_iter().map(|(number, name)| (Principal::new(kind, number), name));
            names.principals.extend(named);
        }
        Ok(names)
    }

    /// An account's name; its number where the space has no such account.
    pub fn account(&self, uin: Uin) -> String {
        self.accounts.get(&uin).map_or_else(|| uin.to_string(), |(name, _)| name.clone())
    }

    /// The management account, if it is among them.
    pub fn management(&self) -> Option<(Uin, &str)> {
        let mut all = self.accounts.iter();
        all.find(|(_, (_, kind))| *kind == AccountKind::Management)
            .map(|(uin, (name, _))| (*uin, name.as_str()))
    }

    /// A configuration's name; its id where it is gone.
    pub fn configuration(&self, id: ConfigurationId) -> String {
        self.configurations.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// A user's or group's name; its id where it is gone.
    pub fn principal(&self, principal: Principal) -> String {
        self.principals.get(&principal).cloned().unwrap_or_else(|| principal.to_string())
    }

    /// The accounts, by number.
    pub fn accounts(&self) -> impl Iterator<Item = (Uin, &str)> {
        self.accounts.iter().map(|(uin, (name, _))| (*uin, name.as_str()))
    }

    /// The configurations, by their making.
    pub fn configurations(&self) -> impl Iterator<Item = (ConfigurationId, &str)> {
        self.configurations.iter().map(|(id, name)| (*id, name.as_str()))
    }

    /// The users, then the groups.
    pub fn principals(&self) -> impl Iterator<Item = (Principal, &str)> {
        self.principals.iter().map(|(principal, name)| (*principal, name.as_str()))
    }
}
