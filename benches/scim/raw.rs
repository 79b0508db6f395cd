//! The database without us: one connection of the same driver with the same settings, and the
//! statements that the product's rows need at the least, in as few round trips as the driver
//! can. What the server reaches is held against this.

use std::sync::Arc;

use anyhow::{Context, Result};
use identity_center::{
    clock::Clock,
    id::Ids,
    store::{Kind, Timestamp, Value},
};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqliteConnection,
    postgres::PgConnectOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// A connection.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A statement, written once.
pub type Text = Arc<str>;

macro_rules! bound {
    ($text:expr, $values:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone($text)));
        for value in $values {
            query = match value {
                Value::Text(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Bool(v) => query.bind(v),
                Value::Time(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                // Nobody has any here.
                Value::Numbers(_) => query.bind(None::<i64>),
            };
        }
        query
    }};
}

impl Raw {
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let options = url
                .parse::<SqliteConnectOptions>()?
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .row_buffer_size(256)
                .pragma("wal_autocheckpoint", "10000")
                .pragma("temp_store", "memory")
                .pragma("cache_size", "-16000");
            return Ok(Self::Sqlite(options.connect().await?));
        }
        let mut connection = url.parse::<PgConnectOptions>()?.connect().await?;
        connection.execute("SET jit = off").await?;
        Ok(Self::Postgres(connection))
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    pub async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }

    /// Runs statements that are told apart by semicolons, without parameters.
    pub async fn script(&mut self, text: &str) -> Result<()> {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => {
                connection.execute(sqlx::raw_sql(text)).await?;
            }
            Self::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(text)).await?;
            }
        }
        Ok(())
    }

    /// Lets the database do what it puts off, so that it does it in no figure: what is dead is
    /// cleared away, and what was changed is written back.
    pub async fn settle(&mut self) -> Result<()> {
        match self.kind() {
            Kind::Sqlite => self.script("PRAGMA wal_checkpoint(truncate)").await,
            Kind::Postgres => {
                self.script("VACUUM ANALYZE").await?;
                self.script("CHECKPOINT").await
            }
        }
    }

    pub async fn execute(&mut self, text: &Text, values: Vec<Value>) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                connection.execute(bound!(text, values)).await?;
            }
            Self::Postgres(connection) => {
                connection.execute(bound!(text, values)).await?;
            }
        }
        Ok(())
    }

    /// How many rows there are; all of them are read.
    pub async fn count_rows(&mut self, text: &Text, values: Vec<Value>) -> Result<usize> {
        Ok(match self {
            Self::Sqlite(connection) => connection.fetch_all(bound!(text, values)).await?.len(),
            Self::Postgres(connection) => connection.fetch_all(bound!(text, values)).await?.len(),
        })
    }

    /// The numbers of the first column.
    pub async fn numbers(&mut self, text: &str, values: Vec<Value>) -> Result<Vec<i64>> {
        let text = &Text::from(text);
        Ok(match self {
            Self::Sqlite(connection) => connection
                .fetch_all(bound!(text, values))
                .await?
                .iter()
                .map(|row| row.try_get(0))
                .collect::<Result<_, _>>()?,
            Self::Postgres(connection) => connection
                .fetch_all(bound!(text, values))
                .await?
                .iter()
                .map(|row| row.try_get(0))
                .collect::<Result<_, _>>()?,
        })
    }

    pub async fn number(&mut self, text: &str, values: Vec<Value>) -> Result<i64> {
        self.numbers(text, values).await?.first().copied().context("no row")
    }

    /// Statements that share their parameters, as one durable commit in one round trip.
    pub fn transaction(&self, statements: &[String]) -> Text {
        match self {
            Self::Sqlite(_) => format!("BEGIN IMMEDIATE;{};COMMIT", statements.join(";")).into(),
            Self::Postgres(_) => match statements.split_last() {
                None => "SELECT 1".into(),
                Some((last, [])) => last.as_str().into(),
                Some((last, others)) => {
                    let others: Vec<String> = others
                        .iter()
                        .enumerate()
                        .map(|(at, text)| format!("part_{at} AS ({text})"))
                        .collect();
                    format!("WITH {} {last}", others.join(", ")).into()
                }
            },
        }
    }

    /// A table of the numbers `$1` to `$2`, named `n`, with a column `i`.
    pub fn series(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => {
                "(WITH RECURSIVE c (i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM c WHERE i < $2)
                  SELECT i FROM c) n"
            }
            Self::Postgres(_) => "generate_series($1::bigint, $2::bigint) AS n (i)",
        }
    }

    /// `n.i` as seven digits.
    pub fn digits(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "printf('%07d', n.i)",
            Self::Postgres(_) => "lpad(n.i::text, 7, '0')",
        }
    }
}

/// A row that the product has written, to write others like it.
#[derive(Clone)]
pub struct Template {
    pub table: &'static str,
    columns: Vec<String>,
    values: Vec<Value>,
}

/// What stands for the number in a template's texts.
pub const TAG: &str = "0000000";

/// Columns that hold the number of the row itself or of the user it belongs to.
const NUMBERED: [&str; 3] = ["id", "user_id", "subject_id"];

impl Template {
    /// The rows of a table that fulfil a condition on a number.
    pub async fn read(
        raw: &mut Raw,
        table: &'static str,
        condition: &str,
        number: i64,
    ) -> Result<Vec<Self>> {
        let text = format!("SELECT * FROM {table} WHERE {condition} $1");
        let text = &Text::from(text);
        let number = vec![Value::Int(Some(number))];
        let mut templates = Vec::new();
        match raw {
            Raw::Sqlite(connection) => {
                for row in connection.fetch_all(bound!(text, number)).await? {
                    templates.push(Self::of(table, &row, |row, at, kind| {
                        Ok(match kind {
                            "INTEGER" => Value::Int(row.try_get(at)?),
                            "BLOB" => Value::Bytes(row.try_get(at)?),
                            _ => Value::Text(row.try_get(at)?),
                        })
                    })?);
                }
            }
            Raw::Postgres(connection) => {
                for row in connection.fetch_all(bound!(text, number)).await? {
                    templates.push(Self::of(table, &row, |row, at, kind| {
                        Ok(match kind {
                            "INT8" => Value::Int(row.try_get(at)?),
                            "BOOL" => Value::Bool(row.try_get(at)?),
                            "TIMESTAMPTZ" => Value::Time(row.try_get::<Option<Timestamp>, _>(at)?),
                            "BYTEA" => Value::Bytes(row.try_get(at)?),
                            _ => Value::Text(row.try_get(at)?),
                        })
                    })?);
                }
            }
        }
        Ok(templates)
    }

    fn of<R: Row>(
        table: &'static str,
        row: &R,
        value: impl Fn(&R, usize, &str) -> sqlx::Result<Value>,
    ) -> Result<Self> {
        use sqlx::{Column, TypeInfo};
        let mut template = Self { table, columns: Vec::new(), values: Vec::new() };
        for (at, column) in row.columns().iter().enumerate() {
            template.columns.push(column.name().to_owned());
            template.values.push(value(row, at, column.type_info().name())?);
        }
        Ok(template)
    }

    /// The number in a column.
    pub fn number(&self, column: &str) -> Option<i64> {
        let at = self.columns.iter().position(|name| name == column)?;
        match self.values.get(at) {
            Some(Value::Int(number)) => *number,
            _ => None,
        }
    }

    /// The text in a column.
    pub fn text(&self, column: &str) -> Option<&str> {
        let at = self.columns.iter().position(|name| name == column)?;
        match self.values.get(at) {
            Some(Value::Text(text)) => text.as_deref(),
            _ => None,
        }
    }

    /// An `INSERT` of so many rows whose parameters begin after `before`.
    pub fn insert(&self, rows: usize, before: usize) -> String {
        let width = self.columns.len();
        let rows: Vec<String> = (0..rows)
            .map(|row| {
                let values: Vec<String> =
                    (1..=width).map(|at| format!("${}", before + row * width + at)).collect();
                format!("({})", values.join(","))
            })
            .collect();
        let columns = self.columns.join(",");
        format!("INSERT INTO {} ({columns}) VALUES {}", self.table, rows.join(","))
    }

    /// The values of another row: its number and its texts are its own.
    pub fn row(&self, id: i64, user: i64, tag: &str, values: &mut Vec<Value>) {
        for (column, value) in self.columns.iter().zip(&self.values) {
            values.push(match (column.as_str(), value) {
                ("id", _) => Value::Int(Some(id)),
                ("user_id" | "subject_id", _) => Value::Int(Some(user)),
                (_, Value::Text(Some(text))) => Value::Text(Some(text.replace(TAG, tag))),
                (_, value) => value.clone(),
            });
        }
    }

    /// Writes as many rows like it as the series has, inside the database, with ids that are so much
    /// smaller.
    pub fn multiply(&self, raw: &Raw, age: i64) -> String {
        let (digits, series) = (raw.digits(), raw.series());
        let values: Vec<String> = self
            .columns
            .iter()
            .zip(&self.values)
            .map(|(column, value)| match value {
                _ if NUMBERED.contains(&column.as_str()) => {
                    format!("t.{column} - {age} + n.i")
                }
                Value::Text(Some(text)) if text.contains(TAG) => {
                    format!("replace(t.{column}, '{TAG}', {digits})")
                }
                _ => format!("t.{column}"),
            })
            .collect();
        let key = if self.columns.iter().any(|name| name == "id") { "id" } else { "user_id" };
        let more = if self.columns.iter().any(|name| name == "position") {
            format!(" AND t.position = {}", self.number("position").unwrap_or(0))
        } else {
            String::new()
        };
        format!(
            "INSERT INTO {table} ({}) SELECT {} FROM {table} t, {series} WHERE t.{key} = $3{more}",
            self.columns.join(","),
            values.join(","),
            table = self.table,
        )
    }
}

/// Fresh ids, like the product's.
pub struct Fresh {
    ids: Ids,
    clock: Clock,
}

impl Fresh {
    pub fn new() -> Result<Self> {
        Ok(Self { ids: Ids::new()?, clock: Clock::system() })
    }

    pub fn id(&self) -> i64 {
        self.ids.next(self.clock.now())
    }

    /// The time, as the column of this database holds it.
    pub fn now(&self, kind: Kind) -> Value {
        match kind {
            Kind::Sqlite => Value::Text(Some(self.clock.now().to_string())),
            Kind::Postgres => Value::Time(Some(self.clock.now())),
        }
    }
}
