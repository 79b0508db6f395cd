//! What a space decides about its directories: the switches of clients that disagree, the brake,
//! and how long requests are remembered.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, Space};
use crate::{
    audit::{self, Act, Change, Scope},
    id::SpaceId,
    store::{self as database, Read, Timestamp, Write, sql},
};

/// The switches of a space. Each stands where directories, test suites and the RFCs disagree; the
/// defaults suit every client that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScimSettings {
    /// PATCH answers 204 and no body (strict validators of Entra ID), instead of 200 with one.
    pub patch_without_body: bool,
    /// A group without members shows `members: []` instead of leaving it out (authentik to
    /// 2026.5).
    pub always_emit_members: bool,
    /// A member that is no user of the directory is refused, instead of kept and conferring
    /// nothing.
    pub refuse_unknown_members: bool,
    /// Several groups may have one name.
    pub allow_equal_group_names: bool,
    /// A user's name never changes (SCIM-11, strict mode).
    pub refuse_renames: bool,
    /// The mass-change brake.
    pub brake: Brake,
    /// Days for which requests are remembered (SCIM-20).
    pub record_days: i64,
    /// Megabytes that remembered requests may take.
    pub record_megabytes: i64,
}

/// The mass-change brake (SCIM-21): it holds when more than `users` and more than `percent` of the
/// users would be disabled or deleted within `window` seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Brake {
    /// Whether there is one.
    pub enabled: bool,
    /// Users that may go whatever the share.
    pub users: i64,
    /// Share of the users, in percent, that may go whatever the number.
    pub percent: i64,
    /// Seconds that are looked back.
    pub window: i64,
}

impl Default for Brake {
    fn default() -> Self {
        Self { enabled: true, users: 50, percent: 20, window: 3600 }
    }
}

impl Default for ScimSettings {
    fn default() -> Self {
        Self {
            patch_without_body: false,
            always_emit_members: false,
            refuse_unknown_members: false,
            allow_equal_group_names: false,
            refuse_renames: false,
            brake: Brake::default(),
            record_days: 30,
            record_megabytes: 1024,
        }
    }
}

impl ScimSettings {
    /// Refuses numbers out of range, by name.
    fn check(&self) -> Result<(), Error> {
        let ranges = [
            ("brake_users", "the number of users of the brake", self.brake.users, 1, 1_000_000),
            ("brake_percent", "the percentage of the brake", self.brake.percent, 1, 100),
            ("brake_window", "the window of the brake in seconds", self.brake.window, 60, 604_800),
            ("record_days", "the days of the request log", self.record_days, 1, 3650),
            (
                "record_megabytes",
                "the megabytes of the request log",
                self.record_megabytes,
                1,
                1_048_576,
            ),
        ];
        match ranges
            .into_iter()
            .find(|(_, _, number, least, most)| !(least..=most).contains(&number))
        {
            Some((field, setting, _, least, most)) => {
                Err(Error::OutOfRange { field, setting, least, most })
            }
            None => Ok(()),
        }
    }
}

/// Decides the switches of a space. Deciding what is decided already changes nothing.
pub async fn set_scim_settings(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    settings: &ScimSettings,
) -> Result<(), Error> {
    settings.check()?;
    let (before, after) = (json!(space.scim_settings.0), json!(settings));
    if before == after {
        return Ok(());
    }
    sql("UPDATE spaces SET scim_settings = $1, updated_at = $2 WHERE id = $3")
        .bind(&after)
        .bind(act.now)
        .bind(space.id)
        .execute(tx)
        .await?;
    tx.forget_settings();
    let differing = |these: &Value, those: &Value| -> Value {
        these
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, value)| those.get(name.as_str()) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let (was, is) = (differing(&before, &after), differing(&after, &before));
    record(tx, act, space.id, "space.scim_settings", was, is).await
}

/// Lets mass changes pass until `until` (SCIM-21); none puts the brake back.
pub async fn lift_scim_brake(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    until: Option<Timestamp>,
) -> Result<(), Error> {
    sql("UPDATE spaces SET scim_brake_lifted_until = $1, updated_at = $2 WHERE id = $3")
        .bind(until)
        .bind(act.now)
        .bind(space.id)
        .execute(tx)
        .await?;
    tx.forget_settings();
    let state = |until: Option<Timestamp>| json!({ "lifted_until": until.map(|t| t.to_string()) });
    let (was, is) = (state(space.scim_brake_lifted_until), state(until));
    record(tx, act, space.id, "space.scim_brake", was, is).await
}

/// Until when the brake is lifted, as this transaction sees it.
pub async fn scim_brake_lifted_until(
    tx: &mut Read,
    space: SpaceId,
) -> database::Result<Option<Timestamp>> {
    let row: Option<(Option<Timestamp>,)> =
        sql("SELECT scim_brake_lifted_until FROM spaces WHERE id = $1")
            .bind(space)
            .fetch_optional(tx)
            .await?;
    Ok(row.and_then(|(until,)| until))
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "space",
        object_id: &space.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_decided_is_the_default_and_nonsense_is_refused_by_name() {
        let read: ScimSettings = serde_json::from_str(r#"{"refuse_renames":true}"#).unwrap();
        assert_eq!(read, ScimSettings { refuse_renames: true, ..Default::default() });
        assert!(read.check().is_ok());
        let brake = Brake { percent: 0, ..Default::default() };
        let error = ScimSettings { brake, ..Default::default() }.check().unwrap_err();
        assert!(error.to_string().contains("percentage of the brake"), "{error}");
        let error = ScimSettings { record_days: 0, ..Default::default() }.check().unwrap_err();
        assert!(error.to_string().contains("days"), "{error}");
    }
}
