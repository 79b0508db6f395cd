//! A statement on its way to whichever database this is.

use std::{borrow::Cow, fmt::Write as _};

use sqlx::{
    AssertSqlSafe, FromRow, Postgres, Sqlite, postgres::PgRow, query::Query, sqlite::SqliteRow,
};

use super::{
    Result,
    db::{Read, Write},
    value::{ToValue, Value},
};

/// A row type both databases can produce; `#[derive(sqlx::FromRow)]` gives one.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// SQL text in the dialect both databases share, and its parameters.
#[derive(Debug)]
pub struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// Starts a statement. Parameters are written `$1`, `$2`, ….
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), values: Vec::new() }
}

/// A `LIKE` pattern that finds `text` anywhere; goes with `ESCAPE '\'`. Fold both sides first
/// where case is not to matter: the databases disagree about it.
pub fn like(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{text}%")
}

impl Sql {
    /// Gives the next parameter its value.
    #[must_use]
    pub fn bind(mut self, value: impl ToValue) -> Self {
        self.values.push(value.to_value());
        self
    }

    /// Appends text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends a parameter together with its placeholder.
    pub fn push_bind(&mut self, value: impl ToValue) -> &mut Self {
        self.values.push(value.to_value());
        // Writing to a string cannot fail.
        let _ = write!(self.text.to_mut(), "${}", self.values.len());
        self
    }

    /// Appends a list of parameters, with commas between: for `IN (…)`. The list must not be
    /// empty, and its length must be bounded by the caller.
    pub fn push_list<T: ToValue>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.push_bind(value);
        }
        self
    }

    /// All rows.
    pub async fn fetch_all<T: Row>(self, tx: &mut Read) -> Result<Vec<T>> {
        tx.tx.fetch_all(self).await
    }

    /// The row, if there is one.
    pub async fn fetch_optional<T: Row>(self, tx: &mut Read) -> Result<Option<T>> {
        tx.tx.fetch_optional(self).await
    }

    /// The one row that must be there, such as a count.
    pub async fn fetch_one<T: Row>(self, tx: &mut Read) -> Result<T> {
        Ok(tx.tx.fetch_optional(self).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// The single number of a single row, such as a count.
    pub async fn fetch_number(self, tx: &mut Read) -> Result<i64> {
        Ok(self.fetch_one::<(i64,)>(tx).await?.0)
    }

    /// Whether there is any row.
    pub async fn exists(self, tx: &mut Read) -> Result<bool> {
        tx.tx.exists(self).await
    }

    /// Runs the statement and says how many rows it touched.
    pub async fn execute(self, tx: &mut Write) -> Result<u64> {
        tx.tx.execute(self).await
    }

    /// Has the statement run before the next one, and at the latest before the commit. That
    /// saves a round trip. Several in a row may become one statement, so it must be an `INSERT` of
    /// rows that nothing can refuse and that no other queued statement touches, and it must not
    /// begin with `WITH`. Where it fails all the same, the statement after it reports it.
    pub fn later(self, tx: &mut Write) {
        tx.tx.later(self);
    }

    /// A statement that does nothing.
    pub(super) fn nothing() -> Self {
        sql("")
    }

    pub(super) fn into_parts(self) -> (Cow<'static, str>, Vec<Value>) {
        (self.text, self.values)
    }

    pub(super) fn from_parts(text: Cow<'static, str>, values: Vec<Value>) -> Self {
        Self { text, values }
    }

    pub(super) fn sqlite<'q>(self) -> Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments> {
        bind_all!(self)
    }

    pub(super) fn postgres<'q>(
        self,
    ) -> Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
        bind_all!(self)
    }
}

// The text is safe: `sql` and `push` take only literals, `push_bind` only adds `$n`.
macro_rules! bind_all {
    ($sql:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql.text));
        for value in $sql.values {
            query = match value {
                Value::Text(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Bool(v) => query.bind(v),
                Value::Time(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
            };
        }
        query
    }};
}
use bind_all;
