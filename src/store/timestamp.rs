//! A point in time as a column.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::{
    Postgres, Sqlite,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef},
    sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef},
};

/// A point in time, kept to the microsecond.
///
/// PostgreSQL has `TIMESTAMPTZ`. SQLite has no such type, so there it is text of one fixed
/// width: comparing the text then compares the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp(jiff::Timestamp);

impl Timestamp {
    /// Whole seconds since 1970, rounded towards zero.
    pub fn as_second(self) -> i64 {
        self.0.as_second()
    }

    /// Milliseconds since 1970.
    pub fn as_millisecond(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The time of a number of seconds since 1970; the nearest possible one if out of range.
    pub fn from_second(second: i64) -> Self {
        Self(jiff::Timestamp::from_second(second).unwrap_or(if second < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        }))
    }

    /// This time and a span later (or earlier, if the span is negative); stays within what can
    /// be written down.
    #[must_use]
    pub fn plus(self, span: jiff::SignedDuration) -> Self {
        Self::from(self.0.saturating_add(span).unwrap_or(self.0))
    }

    /// This time and some seconds later.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        self.plus(jiff::SignedDuration::from_secs(seconds))
    }

    /// Whole seconds from `earlier` to this time; negative when it lies ahead.
    pub fn seconds_since(self, earlier: Self) -> i64 {
        self.0.as_second() - earlier.0.as_second()
    }

    /// The time as jiff has it.
    pub fn to_jiff(self) -> jiff::Timestamp {
        self.0
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self(jiff::Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time))
    }
}

impl From<Timestamp> for time::OffsetDateTime {
    fn from(time: Timestamp) -> Self {
        Self::from_unix_timestamp(time.as_second()).unwrap_or(Self::UNIX_EPOCH)
    }
}

impl From<time::OffsetDateTime> for Timestamp {
    fn from(time: time::OffsetDateTime) -> Self {
        Self::from_second(time.unix_timestamp())
    }
}

/// RFC 3339 in UTC with six decimals.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        text.parse::<jiff::Timestamp>().map(Self::from)
    }
}

impl sqlx::Type<Sqlite> for Timestamp {
    fn type_info() -> SqliteTypeInfo {
        <str as sqlx::Type<Sqlite>>::type_info()
    }
}

impl sqlx::Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buf: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Sqlite>::encode(self.to_string(), buf)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Timestamp {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<&str as sqlx::Decode<Sqlite>>::decode(value)?.parse()?))
    }
}

impl sqlx::Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        <jiff_sqlx::Timestamp as sqlx::Type<Postgres>>::type_info()
    }
}

impl sqlx::Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buf: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        sqlx::Encode::<Postgres>::encode(jiff_sqlx::Timestamp::from(self.0), buf)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<jiff_sqlx::Timestamp as sqlx::Decode<Postgres>>::decode(value)?.to_jiff()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_time_order() {
        let times =
            ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00.5Z", "2026-11-22T10:00:00.123456789Z"];
        let mut times: Vec<Timestamp> = times.iter().map(|t| t.parse().unwrap()).collect();
        let mut texts: Vec<String> = times.iter().map(Timestamp::to_string).collect();
        times.sort();
        texts.sort();
        assert_eq!(texts, times.iter().map(Timestamp::to_string).collect::<Vec<_>>());
        assert_eq!(texts[1], "2026-11-22T10:00:00.123456Z");
    }

    #[test]
    fn arithmetic_never_leaves_the_calendar() {
        let time = Timestamp::from_second(i64::MAX);
        assert!(time.plus_seconds(i64::MAX) >= Timestamp::from_second(0));
        assert!(Timestamp::from_second(i64::MIN) < Timestamp::from_second(0));
    }
}
