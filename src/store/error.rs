//! What can go wrong between us and the database.

/// A failure of the store. "Not found" is not one of them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A uniqueness rule or a foreign key of the schema refused the write; names the rule as far
    /// as the database tells it.
    #[error("a rule of the schema refused the write: {0}")]
    Conflict(String),
    /// The database did not hand out a connection in time.
    #[error("the database is busy")]
    Busy,
    /// A second write was begun inside a write: a mistake of ours that would wait for itself.
    #[error("a write was begun inside a write")]
    NestedWrite,
    /// A value is text with NUL in it, which is never kept and never found.
    #[error("text cannot have the character U+0000")]
    Nul,
    /// The transaction was lost, this one's own or one that it shared a commit with: the disk is
    /// full, or something failed before. Nothing of it is kept. The cause was an error of its own,
    /// or is in the log.
    #[error("the transaction was lost")]
    Lost,
    /// What a write had claimed was no longer as it had read it: another write was faster. Nothing
    /// of this one is kept. See [`Sql::claim`](super::Sql::claim).
    #[error("another write was faster")]
    Overtaken,
    /// A stored value that this version cannot read.
    #[error("a stored value of column {column} cannot be read")]
    Corrupt {
        /// The column as the statement named it.
        column: String,
        /// What was wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The address of the database makes no sense.
    #[error("the database URL must begin with sqlite: or postgres://")]
    UnknownScheme,
    /// Anything else the database said.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl Error {
    /// Whether another write was faster, so that this one may be tried again.
    pub(super) fn is_overtaken(&self) -> bool {
        // Of two that wait for one another PostgreSQL ends one (deadlock_detected).
        let is_deadlock = |error: &sqlx::Error| {
            error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("40P01"))
        };
        matches!(self, Self::Overtaken)
            || matches!(self, Self::Database(error) if is_deadlock(error))
    }
}

/// The result of a store function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(e) if e.is_unique_violation() || e.is_foreign_key_violation() => {
                // PostgreSQL names the constraint, SQLite the columns in its message.
                Self::Conflict(e.constraint().map_or_else(|| e.message().to_owned(), str::to_owned))
            }
            // PostgreSQL: a character that it cannot keep (SQLSTATE 22021), which can only be NUL.
            sqlx::Error::Database(e) if e.code().as_deref() == Some("22021") => Self::Nul,
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::ColumnDecode { index, source } => Self::Corrupt { column: index, source },
            other => Self::Database(other),
        }
    }
}
