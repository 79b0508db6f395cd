//! How two values that ought to be equal differ, where that is easily overlooked.

use url::Url;

/// In words, what makes the two differ; none when they differ in more than one such thing.
pub fn difference(wanted: &str, received: &str) -> Option<&'static str> {
    if wanted == received {
        return None;
    }
    if wanted.trim() == received.trim() {
        return Some("They differ only in white space at the ends.");
    }
    if wanted.trim_end_matches('/') == received.trim_end_matches('/') {
        return Some("They differ only in the slash at the end.");
    }
    if wanted.eq_ignore_ascii_case(received) {
        return Some("They differ only in letter case, which counts.");
    }
    let (wanted, received) = (Url::parse(wanted).ok()?, Url::parse(received).ok()?);
    let same = |part: fn(&Url) -> String| part(&wanted) == part(&received);
    let (scheme, path) = (same(|url| url.scheme().to_owned()), same(|url| url.path().to_owned()));
    let host = same(|url| url.host_str().unwrap_or_default().to_owned());
    let port = same(|url| url.port().map(|port| port.to_string()).unwrap_or_default());
    let query = same(|url| url.query().unwrap_or_default().to_owned());
    match (scheme, host, port, path, query) {
        (false, true, true, true, true) => Some("They differ only in http and https."),
        (true, false, _, true, true) => Some("They differ only in the host."),
        (true, true, false, true, true) => Some("They differ only in the port."),
        (true, true, true, false, true) => Some("They differ only in the path."),
        (true, true, true, true, false) => {
            Some("They differ only in what follows the question mark.")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_easily_overlooked_is_said() {
        let wanted = "https://sp.example.com/acs/1";
        for (received, word) in [
            ("https://sp.example.com/acs/1/", Some("slash")),
            ("https://sp.example.com/acs/1 ", Some("white space")),
            ("https://SP.example.com/acs/1", Some("letter case")),
            ("http://sp.example.com/acs/1", Some("https")),
            ("https://test.example.com/acs/1", Some("host")),
            ("https://sp.example.com:8443/acs/1", Some("port")),
            ("https://sp.example.com/acs/2", Some("path")),
            ("https://sp.example.com/acs/1?x=y", Some("question mark")),
            ("http://test.example.com/acs/2", None),
            ("urn:something", None),
            (wanted, None),
        ] {
            let found = difference(wanted, received);
            let fits = found.map(|words| word.is_some_and(|word| words.contains(word)));
            assert_eq!(fits, word.map(|_| true), "{received}: {found:?}");
        }
    }
}
