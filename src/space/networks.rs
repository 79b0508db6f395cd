//! From where people may come to the portal of a space (SET-10). The console is not guarded by this,
//! so that no administrator can lock themselves out.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Error, store::lock};
use crate::{
    audit::{self, Act, Change, Scope},
    id::SpaceId,
    space::space,
    store::{Write, sql},
};

/// The most addresses and networks of a space.
pub const MOST_NETWORKS: usize = 100;
/// How much of an entry that is wrong is repeated, in characters.
const SHOWN: usize = 64;

/// Addresses and networks, as they were given. None at all admit everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads IPv4 and IPv6 addresses and CIDRs. What is there twice counts once.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let (mut networks, mut misread, mut count) = (Vec::new(), Vec::new(), 0);
        for entry in entries {
            count += 1;
            match parse(entry) {
                Ok(network) if networks.contains(&network) => {}
                Ok(network) => networks.push(network),
                Err(why) => misread.push((entry.chars().take(SHOWN).collect(), why)),
            }
        }
        if count > MOST_NETWORKS {
            return Err(Error::TooManyNetworks);
        }
        if misread.is_empty() {
            Ok(Self(networks))
        } else {
            Err(Error::NetworksInvalid(Misread(misread)))
        }
    }

    /// Whether somebody from this address may come in. Where there are networks, an address that
    /// nobody knows is in none of them.
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        let inside = |address: IpAddr| {
            let address = address.to_canonical();
            self.0.iter().any(|network| network.contains(&address))
        };
        self.0.is_empty() || address.is_some_and(inside)
    }

    /// The entries as text: an address without its prefix.
    pub fn entries(&self) -> Vec<String> {
        let text = |network: &IpNet| {
            if network.prefix_len() == network.max_prefix_len() {
                network.addr().to_string()
            } else {
                network.to_string()
            }
        };
        self.0.iter().map(text).collect()
    }
}

fn parse(entry: &str) -> Result<IpNet, Why> {
    let network = match entry.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => entry.parse::<IpNet>().map_err(|_| Why::Nothing)?,
    };
    // Clients that come by IPv4 are known by that address only.
    let mapped = |address: Ipv6Addr| address.to_ipv4_mapped().is_some();
    match network {
        IpNet::V6(six) if mapped(six.addr()) => Err(Why::Mapped),
        network if network.trunc() == network => Ok(network),
        network => Err(Why::HostBits(network.trunc())),
    }
}

/// The entries that cannot be read, each with why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread(Vec<(String, Why)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    Nothing,
    Mapped,
    HostBits(IpNet),
}

impl Misread {
    /// The entries alone, as they were written.
    pub fn entries(&self) -> String {
        self.0.iter().map(|(entry, _)| entry.as_str()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (entry, why) in &self.0 {
            write!(f, "{separator}\u{201c}{entry}\u{201d} ")?;
            match why {
                Why::Nothing => f.write_str("is no address and no network")?,
                Why::Mapped => f.write_str("must be written as an IPv4 address")?,
                Why::HostBits(network) => write!(f, "is an address within a network: {network}?")?,
            }
            separator = "; ";
        }
        Ok(())
    }
}

/// Decides from where people may come to the portal of a space; says what is decided now. Sessions
/// from elsewhere are refused at once.
pub async fn set_networks(
    tx: &mut Write,
    act: &Act,
    id: SpaceId,
    networks: &Networks,
) -> Result<(), Error> {
    lock(tx, id).await?;
    let old = space(tx, id).await?.ok_or(Error::NotOpen)?;
    if old.sign_in_networks.0 == *networks {
        return Ok(());
    }
    sql("UPDATE spaces SET sign_in_networks = $1, updated_at = $2 WHERE id = $3")
        .bind(&json!(networks))
        .bind(act.now)
        .bind(id)
        .execute(tx)
        .await?;
    tx.forget_settings();
    let change = Change {
        scope: Scope::Space(id),
        action: "space.sign_in_networks",
        object_kind: "space",
        object_id: &id.to_string(),
        before: json!({ "networks": old.sign_in_networks.0.entries() }),
        after: json!({ "networks": networks.entries() }),
    };
    Ok(audit::record(tx, act, change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(networks: &[&str], address: &str) -> bool {
        let networks = Networks::parse(networks.iter().copied()).unwrap();
        networks.admit(Some(address.parse().unwrap()))
    }

    #[test]
    fn set_10_both_sides_of_each_boundary() {
        for (network, inside, outside) in [
            ("10.1.2.0/23", ["10.1.2.0", "10.1.3.255"], ["10.1.1.255", "10.1.4.0"]),
            ("198.51.100.5", ["198.51.100.5", "::ffff:198.51.100.5"], ["198.51.100.4", "::1"]),
            ("0.0.0.0/0", ["0.0.0.0", "255.255.255.255"], ["::", "::1"]),
            (
                "2001:db8::/33",
                ["2001:db8::", "2001:db8:7fff:ffff::"],
                ["2001:db8:8000::", "10.0.0.1"],
            ),
            ("::1", ["::1", "::1"], ["::2", "127.0.0.1"]),
        ] {
            for address in inside {
                assert!(admits(&[network], address), "{network} {address}");
            }
            for address in outside {
                assert!(!admits(&[network], address), "{network} {address}");
            }
        }
        assert!(admits(&["10.0.0.0/8", "::1"], "::1"));
        // None at all: everybody, even somebody from nowhere.
        assert!(admits(&[], "203.0.113.1") && Networks::default().admit(None));
        assert!(!Networks::parse(["0.0.0.0/0", "::/0"]).unwrap().admit(None));
    }

    #[test]
    fn set_10_every_entry_that_is_wrong_is_named() {
        let given =
            ["10.0.0.0/33", "", "10.0.0.1/8", "10.0.0.1", "host", "::ffff:10.0.0.1", "10.0.0/8"];
        let error = Networks::parse(given).unwrap_err().to_string();
        for word in [
            "“10.0.0.0/33” is no",
            "“” is no",
            "10.0.0.0/8?",
            "“host” is no",
            "“::ffff:10.0.0.1” must be written as an IPv4",
            "“10.0.0/8” is no",
        ] {
            assert!(error.contains(word), "{word}: {error}");
        }
        assert!(!error.contains("“10.0.0.1” "), "{error}");
        let many: Vec<String> = (0..=MOST_NETWORKS).map(|n| format!("10.0.0.{n}")).collect();
        let parse = |n: usize| Networks::parse(many.iter().take(n).map(String::as_str));
        assert_eq!(parse(MOST_NETWORKS).unwrap().entries().len(), MOST_NETWORKS);
        assert!(matches!(parse(MOST_NETWORKS + 1), Err(Error::TooManyNetworks)));
    }

    #[test]
    fn they_come_back_as_they_were_given() {
        let given = ["172.16.0.0/16", "198.51.100.5", "2001:db8::/32", "::1", "::1"];
        let networks = Networks::parse(given).unwrap();
        assert_eq!(networks.entries(), given[..4]);
        let kept = serde_json::to_string(&networks).unwrap();
        assert_eq!(serde_json::from_str::<Networks>(&kept).unwrap(), networks);
    }
}
