//! How two values that ought to be equal differ, where that is easily overlooked.

use url::Url;

/// In what alone two values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// White space at the ends.
    WhiteSpace,
    /// The slash at the end.
    Slash,
    /// Upper and lower case, which count.
    LetterCase,
    /// `http` and `https`.
    Scheme,
    /// The host of an address.
    Host,
    /// Its port.
    Port,
    /// Its path.
    Path,
    /// What follows its question mark.
    Query,
}

/// In words, what makes the two differ; none when they differ in more than one such thing.
pub fn difference(wanted: &str, received: &str) -> Option<Difference> {
    if wanted == received {
        return None;
    }
    if wanted.trim() == received.trim() {
        return Some(Difference::WhiteSpace);
    }
    if wanted.trim_end_matches('/') == received.trim_end_matches('/') {
        return Some(Difference::Slash);
    }
    if wanted.eq_ignore_ascii_case(received) {
        return Some(Difference::LetterCase);
    }
    let (wanted, received) = (Url::parse(wanted).ok()?, Url::parse(received).ok()?);
    let same = |part: fn(&Url) -> String| part(&wanted) == part(&received);
    let (scheme, path) = (same(|url| url.scheme().to_owned()), same(|url| url.path().to_owned()));
    let host = same(|url| url.host_str().unwrap_or_default().to_owned());
    let port = same(|url| url.port().map(|port| port.to_string()).unwrap_or_default());
    let query = same(|url| url.query().unwrap_or_default().to_owned());
    match (scheme, host, port, path, query) {
        (false, true, true, true, true) => Some(Difference::Scheme),
        (true, false, _, true, true) => Some(Difference::Host),
        (true, true, false, true, true) => Some(Difference::Port),
        (true, true, true, false, true) => Some(Difference::Path),
        (true, true, true, true, false) => Some(Difference::Query),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_overlooked_is_said() {
        let wanted = "https://sp.example.com/acs/1";
        for (received, apart) in [
            ("https://sp.example.com/acs/1/", Some(Difference::Slash)),
            ("https://sp.example.com/acs/1 ", Some(Difference::WhiteSpace)),
            ("https://SP.example.com/acs/1", Some(Difference::LetterCase)),
            ("http://sp.example.com/acs/1", Some(Difference::Scheme)),
            ("https://test.example.com/acs/1", Some(Difference::Host)),
            ("https://sp.example.com:8443/acs/1", Some(Difference::Port)),
            ("https://sp.example.com/acs/2", Some(Difference::Path)),
            ("https://sp.example.com/acs/1?x=y", Some(Difference::Query)),
            ("http://test.example.com/acs/2", None),
            ("urn:something", None),
            (wanted, None),
        ] {
            assert_eq!(difference(wanted, received), apart, "{received}");
        }
    }
}
