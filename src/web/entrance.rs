//! The portal that a path names: whether it is there, or has moved with its space's name (ACT-06),
//! and whether one may come in from where one is (SET-10).

use std::net::IpAddr;

use axum::http::{StatusCode, Uri};

use super::pages::{PageError, Problem};
use crate::{
    space::{self, Space},
    store::{self, Read},
};

/// What stands where a path leads.
#[derive(Debug)]
pub enum Entrance {
    /// A portal that is open from there.
    Open(Box<Space>),
    /// A portal that is not open from there.
    Closed,
    /// Nothing any more: the space has this name now.
    Moved(String),
    /// Nothing.
    Nothing,
}

impl Entrance {
    /// Looks up the space of this name for somebody from this address.
    pub async fn find(
        tx: &mut Read,
        name: &str,
        address: Option<IpAddr>,
    ) -> Result<Self, store::Error> {
        if let Some(space) = space::space_by_name(tx, name).await? {
            return Ok(Self::to(space, address));
        }
        let moved = space::space_by_former_name(tx, name).await?;
        Ok(moved.map_or(Self::Nothing, |space| Self::Moved(space.name)))
    }

    /// The portal of this space for somebody from this address.
    pub fn to(space: Space, address: Option<IpAddr>) -> Self {
        let open = space.sign_in_networks.0.admit(address);
        if open { Self::Open(Box::new(space)) } else { Self::Closed }
    }

    /// The space, for a page; otherwise the page to show instead, or the address to go to.
    pub fn space(self, uri: &Uri) -> Result<Space, PageError> {
        match self {
            Self::Open(space) => Ok(*space),
            Self::Closed => Err(closed().into()),
            Self::Moved(name) => Err(PageError::Moved(moved_to(uri, &name))),
            Self::Nothing => Err(Problem::not_found(t!("no-such-portal")).into()),
        }
    }
}

/// What somebody is told who comes from elsewhere: nothing about what is inside.
pub fn closed() -> Problem {
    Problem {
        status: StatusCode::FORBIDDEN,
        code: "AddressNotAllowed",
        title: key!("problem-not-from-here"),
        message: t!("portal-networks-only"),
        onward: None,
    }
}

/// The same address below the portal of the space that is called `name` now.
pub fn moved_to(uri: &Uri, name: &str) -> String {
    // "", "portal", the old name, and what follows.
    let rest = uri.path().splitn(4, '/').nth(3).map(|rest| format!("/{rest}")).unwrap_or_default();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/portal/{name}{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_found_below_the_new_name() {
        for (old, new) in [
            ("/portal/old", "/portal/new"),
            ("/portal/old/", "/portal/new/"),
            ("/portal/old?tab=users", "/portal/new?tab=users"),
            (
                "/portal/old/accounts/1/roles/a%2Fb/login?x=/y",
                "/portal/new/accounts/1/roles/a%2Fb/login?x=/y",
            ),
            ("/portal/o%6Cd/login", "/portal/new/login"),
        ] {
            assert_eq!(moved_to(&old.parse().unwrap(), "new"), new);
        }
    }
}
