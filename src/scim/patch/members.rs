//! What an operation on `members` wants of the set. The set itself stays in the database.

use serde_json::Value;

use super::{Action, MemberChange};
use crate::scim::document;
use crate::scim::error::{Error, ErrorKind};
use crate::scim::filter::{Filter, Operator};
use crate::scim::schema::Location;

/// The change one operation makes; none when it changes nothing whatever the members are.
pub(super) fn change<'a>(
    action: Action,
    location: &Location<'_>,
    filter: Option<Filter<'a>>,
    value: Option<&'a Value>,
) -> Result<Option<MemberChange<'a>>, Error> {
    if let Some(sub_attribute) = location.sub_attribute {
        let detail =
            format!("{} of a member is immutable: add and remove members", sub_attribute.name);
        return Err(Error::new(ErrorKind::Mutability, detail));
    }
    match (action, filter) {
        // Okta, new Entra ID jobs: remove members[value eq "…"].
        (Action::Remove, Some(filter)) => {
            let mut values = Vec::new();
            Ok(Some(if collect_values(&filter, &mut values) {
                MemberChange::Remove(values)
            } else {
                MemberChange::RemoveMatching(filter)
            }))
        }
        // Old Entra ID jobs, rauthy, JumpCloud: a list of those who leave. Keycloak: null
        // empties the group.
        (Action::Remove, None) => Ok(Some(match value {
            None | Some(Value::Null) => MemberChange::Replace(Vec::new()),
            Some(value) => MemberChange::Remove(document::read_members(value)?.unwrap_or_default()),
        })),
        (Action::Add, None) => {
            let Some(value) = value else { return Ok(None) };
            let members = document::read_members(value)?.unwrap_or_default();
            Ok((!members.is_empty()).then_some(MemberChange::Add(members)))
        }
        (Action::Replace, None) => {
            let Some(value) = value else { return Ok(None) };
            let members = document::read_members(value)?.unwrap_or_default();
            Ok(Some(MemberChange::Replace(members)))
        }
        (Action::Add | Action::Replace, Some(_)) => {
            let detail = "a member is immutable: add and remove members by value";
            Err(Error::new(ErrorKind::Mutability, detail))
        }
    }
}

/// Collects the values of `value eq "…"`, alone or joined by `or`; false when the filter says
/// anything else.
fn collect_values(filter: &Filter<'_>, values: &mut Vec<String>) -> bool {
    match filter {
        Filter::Compare(path, Operator::Eq, literal)
            if path.urn.is_none()
                && path.sub.is_none()
                && path.name.eq_ignore_ascii_case("value") =>
        {
            literal.text().map(|text| values.push(text.to_owned())).is_some()
        }
        Filter::Or(parts) => parts.iter().all(|part| collect_values(part, values)),
        _ => false,
    }
}
