//! How values look on the wire: times, paging, and the words for our own.

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde_json::{Map, Value, json};

use super::{
    fields::{Field, PARAM_ERROR, Parameters, Rule},
    refusal::Refusal,
};
use crate::{
    directory::{PrincipalKind, Source},
    organization::AccountKind,
    store::{Page, PageRequest, Timestamp},
};

/// `YYYY-MM-DD HH:MM:SS` in UTC+8, as the original writes times.
pub fn time(moment: Timestamp) -> String {
    let zone = TimeZone::fixed(Offset::constant(8));
    moment.to_jiff().to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A moment in the same form, if it was given.
pub fn moment(parameters: &Parameters, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = parameters.optional_text(name) else { return Ok(None) };
    let zone = TimeZone::fixed(Offset::constant(8));
    let read = DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .and_then(|read| Ok(read.to_zoned(zone)?.timestamp()));
    match read {
        Ok(read) => Ok(Some(read.into())),
        Err(_) => Err(Refusal::new(
            PARAM_ERROR,
            format!("The parameter `{name}` must be a time in UTC+8, as YYYY-MM-DD HH:MM:SS."),
        )),
    }
}

/// `MaxResults` and `NextToken`, for actions that list.
pub const MAX_RESULTS: Field = Field::integer("MaxResults").rule(Rule::Within(1, 100));
/// See [`MAX_RESULTS`].
pub const NEXT_TOKEN: Field = Field::text("NextToken");

/// `Enabled` or `Disabled`.
pub const STATUS: Rule = Rule::OneOf(&["Enabled", "Disabled"]);
/// `Manual` or `Synchronized`.
pub const ORIGIN: Rule = Rule::OneOf(&["Manual", "Synchronized"]);
/// The management account, or a member.
pub const TARGET: Rule = Rule::OneOf(&["ManagerUin", "MemberUin"]);
/// User or group.
pub const PRINCIPAL: Rule = Rule::OneOf(&["User", "Group"]);

/// The word for on and off.
pub fn status(enabled: bool) -> &'static str {
    if enabled { "Enabled" } else { "Disabled" }
}

/// The word for where a user or group comes from.
pub fn origin(source: Source) -> &'static str {
    match source {
        Source::Manual => "Manual",
        Source::Scim => "Synchronized",
    }
}

/// Where a user or group comes from, out of its word.
pub fn source(word: Option<&str>) -> Option<Source> {
    match word {
        Some("Manual") => Some(Source::Manual),
        Some("Synchronized") => Some(Source::Scim),
        _ => None,
    }
}

/// The word for what an account is.
pub fn target(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::Management => "ManagerUin",
        AccountKind::Member => "MemberUin",
    }
}

/// The word for what a principal is.
pub fn principal(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "User",
        PrincipalKind::Group => "Group",
    }
}

/// An id, or the refusal that the reference has for one that does not exist: an id that cannot be
/// read names nothing.
pub fn id<T: FromStr>(text: &str, code: &'static str, field: &str) -> Result<T, Refusal> {
    text.parse().map_err(|_| Refusal::new(code, format!("The parameter `{field}` names nothing.")))
}

/// The page a request wants. `NextToken` is base64 of `{"After":…}` and wins over `Offset`.
pub fn page_request(parameters: &Parameters) -> Result<PageRequest, Refusal> {
    let limit = parameters.integer("MaxResults").unwrap_or(10);
    let Some(token) = parameters.optional_text("NextToken") else {
        let offset = parameters.integer("Offset").unwrap_or(0);
        return Ok(PageRequest { after: None, offset, limit });
    };
    let after = STANDARD
        .decode(token)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .and_then(|token| token.get("After")?.as_i64());
    match after {
        Some(after) => Ok(PageRequest { after: Some(after), offset: 0, limit }),
        None => Err(Refusal::new(
            "InvalidParameter.NextTokenInvalid",
            "The parameter `NextToken` is not one that this API gave.",
        )),
    }
}

/// A page as its action answers it: `name` is what the list is called.
pub fn page<T>(
    name: &str,
    page: Page<T>,
    limit: i64,
    one: impl FnMut(T) -> Value,
) -> Map<String, Value> {
    let token = page
        .next
        .map_or_else(String::new, |after| STANDARD.encode(json!({ "After": after }).to_string()));
    let mut answer = Map::new();
    answer.insert("TotalCounts".into(), page.total.into());
    answer.insert("MaxResults".into(), limit.into());
    answer.insert("IsTruncated".into(), page.next.is_some().into());
    answer.insert("NextToken".into(), token.into());
    answer.insert(name.into(), page.rows.into_iter().map(one).collect());
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_eight_hours_ahead_of_utc() {
        let moment: Timestamp = "2026-11-22T20:15:30.5Z".parse().unwrap();
        assert_eq!(time(moment), "2026-11-23 04:15:30");
    }
}
