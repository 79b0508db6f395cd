//! A statement on its way to whichever database this is.

use std::fmt::Write as _;

use sqlx::{
    AssertSqlSafe, FromRow, Postgres, Sqlite, postgres::PgRow, query::Query, sqlite::SqliteRow,
};

use super::{
    Result,
    db::{Read, Tx, Write},
    value::{ToValue, Value},
};

/// A row type both databases can produce; `#[derive(sqlx::FromRow)]` gives one.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{}

/// SQL text in the dialect both databases share, and its parameters.
#[derive(Debug)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
}

/// Starts a statement. Parameters are written `$1`, `$2`, ….
pub fn sql(text: &'static str) -> Sql {
    Sql { text: text.to_owned(), values: Vec::new() }
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
        self.text.push_str(text);
        self
    }

    /// Appends a parameter together with its placeholder.
    pub fn push_bind(&mut self, value: impl ToValue) -> &mut Self {
        self.values.push(value.to_value());
        // Writing to a string cannot fail.
        let _ = write!(self.text, "${}", self.values.len());
        self
    }

    /// Appends a list of parameters, with commas between: for `IN (…)`. The list must not be
    /// empty, and its length must be bounded by the caller.
    pub fn push_list<T: ToValue>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.push_bind(value);
        }
        self
    }

    /// All rows.
    pub async fn fetch_all<T: Row>(self, tx: &mut Read) -> Result<Vec<T>> {
        Ok(match &mut tx.tx {
            Tx::Sqlite(tx) => rows::<T, _>(&self.sqlite().fetch_all(&mut **tx).await?)?,
            Tx::Postgres(tx) => rows::<T, _>(&self.postgres().fetch_all(&mut **tx).await?)?,
        })
    }

    /// The row, if there is one.
    pub async fn fetch_optional<T: Row>(self, tx: &mut Read) -> Result<Option<T>> {
        Ok(match &mut tx.tx {
            Tx::Sqlite(tx) => {
                let row = self.sqlite().fetch_optional(&mut **tx).await?;
                row.as_ref().map(T::from_row).transpose()?
            }
            Tx::Postgres(tx) => {
                let row = self.postgres().fetch_optional(&mut **tx).await?;
                row.as_ref().map(T::from_row).transpose()?
            }
        })
    }

    /// The one row that must be there, such as a count.
    pub async fn fetch_one<T: Row>(self, tx: &mut Read) -> Result<T> {
        Ok(match &mut tx.tx {
            Tx::Sqlite(tx) => T::from_row(&self.sqlite().fetch_one(&mut **tx).await?)?,
            Tx::Postgres(tx) => T::from_row(&self.postgres().fetch_one(&mut **tx).await?)?,
        })
    }

    /// The single number of a single row, such as a count.
    pub async fn fetch_number(self, tx: &mut Read) -> Result<i64> {
        Ok(self.fetch_one::<(i64,)>(tx).await?.0)
    }

    /// Whether there is any row.
    pub async fn exists(self, tx: &mut Read) -> Result<bool> {
        Ok(match &mut tx.tx {
            Tx::Sqlite(tx) => self.sqlite().fetch_optional(&mut **tx).await?.is_some(),
            Tx::Postgres(tx) => self.postgres().fetch_optional(&mut **tx).await?.is_some(),
        })
    }

    /// Runs the statement and says how many rows it touched.
    pub async fn execute(self, tx: &mut Write) -> Result<u64> {
        Ok(match &mut tx.tx {
            Tx::Sqlite(tx) => self.sqlite().execute(&mut **tx).await?.rows_affected(),
            Tx::Postgres(tx) => self.postgres().execute(&mut **tx).await?.rows_affected(),
        })
    }

    fn sqlite<'q>(self) -> Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments> {
        bind_all!(self)
    }

    fn postgres<'q>(self) -> Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
        bind_all!(self)
    }
}

fn rows<T, R>(rows: &[R]) -> sqlx::Result<Vec<T>>
where
    R: sqlx::Row,
    T: for<'r> FromRow<'r, R>,
{
    rows.iter().map(T::from_row).collect()
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
