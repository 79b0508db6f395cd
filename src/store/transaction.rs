//! A transaction under way, on whichever database: statements on their way, attempts, its end.

use std::fmt::Write as _;

use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use sqlx::{
    Executor, Row as _,
    error::{DatabaseError, ErrorKind},
    postgres::PgRow,
    sqlite::SqliteRow,
};

use super::{
    Error, Kind, Result,
    group::{Listeners, News},
    postgres::Session,
    sql::{Row, Sql, each_parameter},
    sqlite::Lent,
};

/// At most so many statements wait for the next one.
const QUEUED: usize = 32;

/// And so many parameters: PostgreSQL takes 65,535 in one statement, which one more must not pass.
const QUEUED_PARAMETERS: usize = 3000;

/// A transaction under way. Dropped, it is rolled back.
pub(super) struct Tx {
    link: Link,
    /// What goes before the next statement.
    queue: Vec<Queued>,
    /// A statement is on its way. Still so when the next one comes, it was dropped half way.
    running: bool,
    /// A statement failed in such a way that nothing more can be done here.
    lost: bool,
    /// What was claimed was not as it had been read.
    overtaken: bool,
    /// How many attempts are open, one inside the other.
    attempts: usize,
}

pub(super) enum Link {
    Sqlite(Lent),
    Postgres(Session),
}

enum Queued {
    Savepoint(usize),
    Release(usize),
    RollBack(usize),
    Statement(Sql),
    /// A statement that has to touch one row; only for PostgreSQL.
    Claim(Sql),
}

impl Tx {
    pub(super) fn new(link: Link) -> Self {
        Self { link, queue: Vec::new(), running: false, lost: false, overtaken: false, attempts: 0 }
    }

    pub(super) fn kind(&self) -> Kind {
        match &self.link {
            Link::Sqlite(_) => Kind::Sqlite,
            Link::Postgres(_) => Kind::Postgres,
        }
    }

    /// Has a statement run before the next one.
    pub(super) async fn later(&mut self, sql: Sql) -> Result<()> {
        self.wait(Queued::Statement(sql)).await
    }

    /// Like [`Tx::later`], and the statement has to touch one row. On SQLite nobody else writes
    /// meanwhile, and asking costs no round trip: there it runs at once.
    pub(super) async fn claim(&mut self, sql: Sql) -> Result<()> {
        match self.kind() {
            Kind::Sqlite => {
                if self.execute(sql).await? == 1 {
                    Ok(())
                } else {
                    Err(self.set_overtaken())
                }
            }
            Kind::Postgres => self.wait(Queued::Claim(sql)).await,
        }
    }

    fn set_overtaken(&mut self) -> Error {
        (self.lost, self.overtaken) = (true, true);
        Error::Overtaken
    }

    /// Whether a claim has failed here.
    pub(super) fn is_overtaken(&self) -> bool {
        self.overtaken
    }

    async fn wait(&mut self, queued: Queued) -> Result<()> {
        self.queue.push(queued);
        let parameters: usize = self.queue.iter().map(Queued::parameters).sum();
        let few = self.queue.len() < QUEUED && parameters < QUEUED_PARAMETERS;
        if few { Ok(()) } else { self.flush().await }
    }

    pub(super) async fn fetch_all<T: Row>(&mut self, sql: Sql) -> Result<Vec<T>> {
        let sql = self.ready(sql).await?;
        Ok(match &mut self.link {
            Link::Sqlite(lent) => {
                let fetched = lent.connection()?.fetch_all(sql.sqlite()).await;
                rows::<T, SqliteRow>(&self.settle(fetched)?)?
            }
            Link::Postgres(session) => {
                let fetched = session.connection()?.fetch_all(sql.postgres()).await;
                rows::<T, PgRow>(&self.settle(fetched)?)?
            }
        })
    }

    pub(super) async fn fetch_optional<T: Row>(&mut self, sql: Sql) -> Result<Option<T>> {
        let sql = self.ready(sql).await?;
        Ok(match &mut self.link {
            Link::Sqlite(lent) => {
                let fetched = lent.connection()?.fetch_optional(sql.sqlite()).await;
                self.settle(fetched)?.as_ref().map(T::from_row).transpose()?
            }
            Link::Postgres(session) => {
                let fetched = session.connection()?.fetch_optional(sql.postgres()).await;
                self.settle(fetched)?.as_ref().map(T::from_row).transpose()?
            }
        })
    }

    pub(super) async fn fetch_packed<T: Row + DeserializeOwned>(
        &mut self,
        sql: Sql,
        columns: &'static str,
    ) -> Result<Vec<T>> {
        if self.kind() == Kind::Postgres {
            return self.fetch_all(sql).await;
        }
        let packed = sql.packed(columns);
        let (all,): (String,) =
            self.fetch_optional(packed).await?.ok_or(sqlx::Error::RowNotFound)?;
        serde_json::from_str(&all)
            .map_err(|error| Error::Corrupt { column: columns.to_owned(), source: Box::new(error) })
    }

    pub(super) async fn fetch_numbers(&mut self, sql: Sql) -> Result<Vec<i64>> {
        let aggregate = match self.kind() {
            Kind::Sqlite => ") SELECT group_concat(number) FROM found",
            Kind::Postgres => ") SELECT array_agg(number) FROM found",
        };
        let sql = self.ready(sql.inside("WITH found (number) AS (", aggregate)).await?;
        let mut numbers: Vec<i64> = match &mut self.link {
            Link::Sqlite(lent) => {
                let fetched = lent.connection()?.fetch_one(sql.sqlite()).await;
                let row = self.settle(fetched)?;
                let text: Option<&str> = row.try_get(0)?;
                text.unwrap_or_default()
                    .split_terminator(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?
            }
            Link::Postgres(session) => {
                let fetched = session.connection()?.fetch_one(sql.postgres()).await;
                let numbers: Option<Vec<i64>> = self.settle(fetched)?.try_get(0)?;
                numbers.unwrap_or_default()
            }
        };
        numbers.sort_unstable();
        Ok(numbers)
    }

    pub(super) async fn exists(&mut self, sql: Sql) -> Result<bool> {
        let sql = self.ready(sql).await?;
        Ok(match &mut self.link {
            Link::Sqlite(lent) => {
                let fetched = lent.connection()?.fetch_optional(sql.sqlite()).await;
                self.settle(fetched)?.is_some()
            }
            Link::Postgres(session) => {
                let fetched = session.connection()?.fetch_optional(sql.postgres()).await;
                self.settle(fetched)?.is_some()
            }
        })
    }

    pub(super) async fn execute(&mut self, sql: Sql) -> Result<u64> {
        let sql = self.ready(sql).await?;
        let touched = match &mut self.link {
            Link::Sqlite(lent) => touched(lent, sql).await,
            Link::Postgres(session) => {
                session.connection()?.execute(sql.postgres()).await.map(|done| done.rows_affected())
            }
        };
        self.settle(touched)
    }

    /// The statement as it can be sent now: what stands in the queue has gone before it, or goes
    /// with it.
    async fn ready(&mut self, sql: Sql) -> Result<Sql> {
        if self.lost || self.running {
            self.lost = true;
            return Err(Error::Lost);
        }
        let sql = match &mut self.link {
            Link::Sqlite(lent) => match (lent.take_opening(), self.queue.is_empty()) {
                (None, true) => sql,
                (opening, _) => script(opening, &mut self.queue, sql),
            },
            Link::Postgres(session) => {
                if !sql.is_peek() || !self.queue.is_empty() {
                    let begun = session.begin().await;
                    self.settle(begun)?;
                }
                self.flush_postgres().await?;
                sql
            }
        };
        self.running = true;
        Ok(sql)
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        if self.is_lost() {
            return Err(Error::Lost);
        }
        match &mut self.link {
            Link::Sqlite(lent) => {
                let sql = script(lent.take_opening(), &mut self.queue, Sql::nothing());
                self.running = true;
                let touched = touched(lent, sql).await;
                self.settle(touched).map(drop)
            }
            Link::Postgres(session) => {
                let begun = session.begin().await;
                self.settle(begun)?;
                self.flush_postgres().await
            }
        }
    }

    async fn flush_postgres(&mut self) -> Result<()> {
        if self.queue.is_empty() {
            return Ok(());
        }
        for step in steps(std::mem::take(&mut self.queue)) {
            self.step_postgres(step).await?;
        }
        Ok(())
    }

    async fn step_postgres(&mut self, step: Step) -> Result<()> {
        let Link::Postgres(session) = &mut self.link else { return Ok(()) };
        // One that begins here and ends with it has nobody else to say how it ends.
        let is_delayed = session.is_delayed() && !session.has_begun();
        let connection = session.connection()?;
        self.running = true;
        let is_claim = match &step {
            Step::Control(_) => false,
            Step::Statements(all) => all.iter().any(|statement| statement.is_claim),
        };
        let done = match step {
            Step::Control(text) => connection.execute(sqlx::AssertSqlSafe(text)).await.map(drop),
            Step::Statements(all) => {
                connection.execute(joined(all, is_delayed).postgres()).await.map(drop)
            }
        };
        let is_overtaken = is_claim && done.as_ref().is_err_and(is_division_by_zero);
        let settled = self.settle(done);
        if is_overtaken { Err(self.set_overtaken()) } else { settled }
    }

    /// A statement has come back.
    fn settle<T>(&mut self, result: sqlx::Result<T>) -> Result<T> {
        self.running = false;
        if let Link::Postgres(session) = &mut self.link {
            session.settled(&result);
        }
        if let Err(error) = &result {
            match &mut self.link {
                Link::Sqlite(lent) => match error {
                    // SQLite takes back the statement, and goes on.
                    sqlx::Error::Database(error) if refused(error.as_ref()) => {}
                    sqlx::Error::Database(_) => self.lost = true,
                    _ => {
                        self.lost = true;
                        lent.set_broken();
                    }
                },
                // In a transaction PostgreSQL does nothing more before it is rolled back.
                Link::Postgres(session) => {
                    self.lost = !session.is_glance();
                    // Of two that wait for one another PostgreSQL ends one.
                    self.overtaken |= has_code(error, "40P01");
                }
            }
        }
        Ok(result?)
    }

    /// Opens an attempt: what follows can be undone alone.
    pub(super) fn open_attempt(&mut self) -> usize {
        let attempt = self.attempts;
        self.attempts += 1;
        self.queue.push(Queued::Savepoint(attempt));
        attempt
    }

    /// Ends an attempt, and those inside it that were dropped.
    pub(super) fn close_attempt(&mut self, attempt: usize, keep: bool) {
        self.attempts = attempt;
        let unsent = self
            .queue
            .iter()
            .position(|queued| matches!(queued, Queued::Savepoint(open) if *open == attempt));
        match (unsent, keep && !self.lost && !self.running) {
            (Some(at), true) => drop(self.queue.remove(at)),
            (Some(at), false) => self.queue.truncate(at),
            (None, true) => self.queue.push(Queued::Release(attempt)),
            (None, false) => {
                // It tells whether the transaction is still there: if it is, all is well again.
                self.queue.clear();
                self.queue.push(Queued::RollBack(attempt));
                self.lost = false;
                self.overtaken = false;
                self.running = false;
            }
        }
    }

    /// Whether a statement has failed so that nothing that was done here can be kept.
    pub(super) fn is_lost(&self) -> bool {
        self.lost || self.running
    }

    /// Has the work kept; waits until it is durable.
    pub(super) async fn keep(mut self, news: News, listeners: &Listeners) -> Result<()> {
        if self.is_lost() {
            return Err(Error::Lost);
        }
        if self.queue.iter().all(|queued| matches!(queued, Queued::Release(_))) {
            self.queue.clear();
        }
        if let Link::Postgres(session) = &self.link
            && !session.has_begun()
            && self
                .queue
                .iter()
                .all(|queued| matches!(queued, Queued::Statement(_) | Queued::Claim(_)))
        {
            // What is a single statement is a transaction by itself.
            for step in steps(std::mem::take(&mut self.queue)) {
                self.step_postgres(step).await?;
            }
        }
        match self.link {
            Link::Sqlite(mut lent) => {
                // What is still to be written goes with the commit, if nobody comes between.
                let last = (!self.queue.is_empty())
                    .then(|| script(lent.take_opening(), &mut self.queue, Sql::nothing()));
                lent.keep(last, news).await
            }
            Link::Postgres(_) => {
                self.flush().await?;
                let Link::Postgres(session) = self.link else { return Ok(()) };
                session.commit().await?;
                listeners.tell(news);
                Ok(())
            }
        }
    }

    /// Has the work undone.
    pub(super) async fn undo(self) -> Result<()> {
        match self.link {
            Link::Sqlite(lent) => lent.undo().await,
            // Its rollback goes out with the connection's return to the pool.
            Link::Postgres(_) => Ok(()),
        }
    }
}

/// Runs a script on SQLite and says how many rows its last statement touched.
async fn touched(lent: &mut Lent, sql: Sql) -> sqlx::Result<u64> {
    let mut results = lent.connection()?.execute_many(sql.sqlite());
    let mut touched = 0;
    while let Some(result) = results.next().await {
        touched = result?.rows_affected();
    }
    Ok(touched)
}

/// Whether a rule of the schema refused the statement, which has no effect beyond it.
fn refused(error: &dyn DatabaseError) -> bool {
    !matches!(error.kind(), ErrorKind::Other)
}

fn rows<T, R>(rows: &[R]) -> sqlx::Result<Vec<T>>
where
    R: sqlx::Row,
    T: for<'r> sqlx::FromRow<'r, R>,
{
    rows.iter().map(T::from_row).collect()
}

/// One text for SQLite, which takes several statements at once.
fn script(opening: Option<&'static str>, queue: &mut Vec<Queued>, last: Sql) -> Sql {
    let mut text = opening.unwrap_or_default().to_owned();
    let mut keep = last.is_kept();
    let (last_text, mut values) = last.into_parts();
    for queued in queue.drain(..) {
        match queued {
            Queued::Statement(sql) | Queued::Claim(sql) => {
                let shift = values.len();
                keep &= sql.is_kept();
                let (statement, more) = sql.into_parts();
                values.extend(more);
                shift_parameters(&statement, shift, &mut text);
            }
            control => control.write(&mut text),
        }
        text.push(';');
    }
    text.push_str(&last_text);
    Sql::from_parts(text.into(), values, keep)
}

enum Step {
    Control(String),
    Statements(Vec<Joined>),
}

/// A statement of several in one.
struct Joined {
    sql: Sql,
    /// Whether it has to touch one row.
    is_claim: bool,
}

/// The steps in which PostgreSQL gets what is queued: neighbours become one.
fn steps(queue: Vec<Queued>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for queued in queue {
        let statement = match queued {
            Queued::Statement(sql) => Joined { sql, is_claim: false },
            Queued::Claim(sql) => Joined { sql, is_claim: true },
            control => {
                if let Some(Step::Control(text)) = steps.last_mut() {
                    text.push(';');
                    control.write(text);
                } else {
                    let mut text = String::new();
                    control.write(&mut text);
                    steps.push(Step::Control(text));
                }
                continue;
            }
        };
        match steps.last_mut() {
            Some(Step::Statements(statements)) => statements.push(statement),
            _ => steps.push(Step::Statements(vec![statement])),
        }
    }
    steps
}

/// One statement for PostgreSQL, which takes one at a time; but that one may have others in it. A
/// claim that touches no row divides by zero, which undoes them all.
fn joined(statements: Vec<Joined>, is_delayed: bool) -> Sql {
    let last = statements.len().saturating_sub(1);
    let claims: Vec<usize> = (0..=last)
        .filter(|index| statements.get(*index).is_some_and(|statement| statement.is_claim))
        .collect();
    let has_end = is_delayed || !claims.is_empty();
    let mut text = String::new();
    let (mut values, mut keep) = (Vec::new(), true);
    for (index, Joined { sql, is_claim }) in statements.into_iter().enumerate() {
        let is_inside = has_end || index < last;
        // Writing to a string cannot fail.
        let _ = match (is_inside, index) {
            (true, 0) => write!(text, "WITH later_0 AS ("),
            (true, _) => write!(text, ", later_{index} AS ("),
            (false, _) => Ok(()),
        };
        let shift = values.len();
        keep &= sql.is_kept();
        let (statement, more) = sql.into_parts();
        values.extend(more);
        shift_parameters(&statement, shift, &mut text);
        if is_claim {
            text.push_str(" RETURNING 1");
        }
        if is_inside {
            text.push_str(") ");
        }
    }
    if has_end {
        text.push_str("SELECT 1");
        for index in claims {
            // Of one row one, of none or several nothing.
            let _ = write!(
                text,
                " / (SELECT CASE COUNT(*) WHEN 1 THEN 1 ELSE 0 END FROM later_{index})"
            );
        }
    }
    if is_delayed {
        text.push_str(", set_config('synchronous_commit', 'off', true)");
    }
    Sql::from_parts(text.into(), values, keep)
}

fn is_division_by_zero(error: &sqlx::Error) -> bool {
    has_code(error, "22012")
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some(code))
}

impl Queued {
    fn parameters(&self) -> usize {
        match self {
            Self::Statement(sql) | Self::Claim(sql) => sql.parameters(),
            Self::Savepoint(_) | Self::Release(_) | Self::RollBack(_) => 0,
        }
    }

    fn write(&self, text: &mut String) {
        // Writing to a string cannot fail.
        let _ = match self {
            Self::Savepoint(attempt) => write!(text, "SAVEPOINT attempt_{attempt}"),
            Self::Release(attempt) => write!(text, "RELEASE SAVEPOINT attempt_{attempt}"),
            Self::RollBack(attempt) => write!(
                text,
                "ROLLBACK TO SAVEPOINT attempt_{attempt};RELEASE SAVEPOINT attempt_{attempt}"
            ),
            Self::Statement(_) | Self::Claim(_) => Ok(()),
        };
    }
}

/// Copies a statement, its parameters counted on from `shift`.
pub(super) fn shift_parameters(statement: &str, shift: usize, text: &mut String) {
    each_parameter(statement, |before, parameter| {
        text.push_str(before);
        if let Some(number) = parameter {
            // Writing to a string cannot fail.
            let _ = write!(text, "${}", number + shift);
        }
    });
}
