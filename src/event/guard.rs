//! Where events may be sent: nobody reaches through us what only this machine reaches.
//!
//! The check is made twice: when an endpoint is made, on its URL, and before each connection, on
//! the very address that is connected to, whatever a name resolves to by then.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::{Host, Url};

use super::Error;

/// Longest URL of an endpoint, in bytes.
const LONGEST_URL: usize = 2048;

/// Which addresses may be connected to: public ones, and those an installation opens.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Vec<IpNet>,
}

impl Guard {
    /// With these networks open besides the public ones.
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed }
    }

    /// Whether this address may be connected to.
    pub fn allows(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.allowed.iter().any(|network| network.contains(&address))
    }

    /// Whether this address may be connected to without TLS.
    pub fn allows_plain(&self, address: IpAddr) -> bool {
        address.to_canonical().is_loopback() && self.allows(address)
    }

    /// The URL of an endpoint: https without user, password and fragment. A name is not looked up
    /// here: what it resolves to is checked when it is connected to.
    pub fn check_url(&self, text: &str) -> Result<Url, Error> {
        let invalid = |reason| Err(Error::UrlInvalid(reason));
        if text.len() > LONGEST_URL {
            return invalid("a URL has at most 2048 characters");
        }
        let Ok(url) = Url::parse(text.trim()) else { return invalid("this is not a URL") };
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("the URL must not hold a user or a password");
        }
        if url.fragment().is_some() {
            return invalid("the URL must not have a fragment");
        }
        if !matches!(url.scheme(), "https" | "http") {
            return invalid("the URL must begin with https://");
        }
        let addresses = match url.host() {
            None => return invalid("the URL must name a host"),
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain("localhost")) => {
                vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
            }
            Some(Host::Domain(_)) => Vec::new(),
        };
        let plain = url.scheme() == "http";
        if plain && !addresses.iter().any(|address| self.allows_plain(*address)) {
            return invalid("the URL must begin with https://");
        }
        if !addresses.is_empty() && !addresses.iter().any(|address| self.allows(*address)) {
            return invalid("nothing is sent to addresses of this network");
        }
        Ok(url)
    }
}

/// Whether an address is one of the public internet (IANA's registries of special addresses).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        // Ours, and from 224 on multicast, reserved and broadcast.
        0 | 10 | 127 | 224..=255 => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => {
            matches!((b, c), (168, _) | (0, 0 | 2) | (88, 99) | (31, 196) | (52, 193) | (175, 48))
        }
        198 => matches!(b, 18 | 19) || (b == 51 && c == 100),
        203 => (b, c) == (0, 113),
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match segments {
        // NAT64 leads to an IPv4 address, and so does 6to4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            is_public_v4(embedded(high, low))
        }
        // Protocol assignments (Teredo among them) and documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Everything that is handed out for the public internet.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_reached() {
        let guard = Guard::default();
        for inside in [
            "0.0.0.0",
            "127.0.0.1",
            "127.255.255.254",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001::1",
            "2001:db8::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "fec0::1",
            "ff02::1",
            "100::1",
        ] {
            assert!(!guard.allows(inside.parse().unwrap()), "{inside}");
        }
        for public in [
            "1.1.1.1",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "2606:4700::1111",
        ] {
            assert!(guard.allows(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn an_installation_opens_networks_of_its_own() {
        let guard = Guard::new(vec!["10.20.0.0/16".parse().unwrap(), "::1/128".parse().unwrap()]);
        for (address, open) in [
            ("10.20.3.4", true),
            ("::ffff:10.20.3.4", true),
            ("10.21.0.1", false),
            ("::1", true),
            ("127.0.0.1", false),
        ] {
            assert_eq!(guard.allows(address.parse().unwrap()), open, "{address}");
        }
        assert!(guard.allows_plain("::1".parse().unwrap()));
        assert!(!guard.allows_plain("10.20.3.4".parse().unwrap()), "http is for loopback only");
    }

    #[test]
    fn urls_of_endpoints() {
        let closed = Guard::default();
        let open = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        for url in
            ["https://hooks.example.com/a?b=c", "https://example.com:8443", "https://1.1.1.1/"]
        {
            assert!(closed.check_url(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "example.com",
            "ftp://example.com/",
            "http://example.com/",
            "http://1.1.1.1/",
            "https://user@example.com/",
            "https://:password@example.com/",
            "https://example.com/#fragment",
            "https://127.0.0.1/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1]/",
            "https://[::ffff:169.254.169.254]/",
            "https://localhost/",
            "http://127.0.0.1/",
            "https://10.0.0.1/",
        ] {
            assert!(closed.check_url(url).is_err(), "{url}");
        }
        assert!(closed.check_url(&format!("https://example.com/{}", "a".repeat(2048))).is_err());
        assert!(open.check_url("http://127.0.0.1:9000/hook").is_ok());
        assert!(open.check_url("http://localhost:9000/hook").is_ok());
        assert!(open.check_url("http://10.0.0.1/").is_err());
    }
}
