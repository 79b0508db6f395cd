//! A statement on its way to whichever database this is.

use std::{borrow::Cow, fmt::Write as _};

use serde::de::DeserializeOwned;
use sqlx::{
    AssertSqlSafe, FromRow, Postgres, Sqlite, postgres::PgRow, query::Query, sqlite::SqliteRow,
};

use super::{
    Error, Result,
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
    peek: bool,
    keep: bool,
    /// Whether a value is text that no database of ours keeps.
    has_nul: bool,
}

/// Starts a statement. Parameters are written `$1`, `$2`, ….
pub fn sql(text: &'static str) -> Sql {
    Sql { text: Cow::Borrowed(text), values: Vec::new(), peek: false, keep: false, has_nul: false }
}

/// A `LIKE` pattern that finds `text` anywhere; goes with `ESCAPE '\'`. Fold both sides first
/// where case is not to matter: the databases disagree about it.
pub fn like(text: &str) -> String {
    let text = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    format!("%{text}%")
}

impl Sql {
    /// Says that the statement only looks: it locks nothing, and need not be in the transaction.
    /// Where nothing was written yet, PostgreSQL is spared beginning one for it.
    #[must_use]
    pub fn peek(mut self) -> Self {
        self.peek = true;
        self
    }

    /// Says that the database is to keep the statement ready, however many parameters it has:
    /// its text is one of few.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Gives the next parameter its value.
    #[must_use]
    pub fn bind(mut self, value: impl ToValue) -> Self {
        self.value(value);
        self
    }

    fn value(&mut self, value: impl ToValue) {
        let value = value.to_value();
        if let Value::Text(Some(text)) = &value {
            self.has_nul |= text.contains('\0');
        }
        self.values.push(value);
    }

    /// Refuses text with NUL, which PostgreSQL cannot keep: nothing that comes from outside gets as
    /// far as a database that fails of it, whichever database it is.
    fn sound(self) -> Result<Self> {
        if self.has_nul { Err(Error::Nul) } else { Ok(self) }
    }

    /// Appends text.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends a parameter together with its placeholder.
    pub fn push_bind(&mut self, value: impl ToValue) -> &mut Self {
        self.value(value);
        // Writing to a string cannot fail.
        let _ = write!(self.text.to_mut(), "${}", self.values.len());
        self
    }

    /// Appends ` LIMIT …`. The number is part of the text: it decides how the rows are best found, so
    /// the database is to know it when it makes its plan. There must be few different ones.
    pub fn push_limit(&mut self, rows: u64) -> &mut Self {
        // Writing to a string cannot fail.
        let _ = write!(self.text.to_mut(), " LIMIT {rows}");
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

    /// Appends a list of any length as one parameter, in brackets and with one column, `value`: for
    /// `IN …` and for `FROM … AS n`. The text is the same for every length, and the statement is
    /// one where a list of parameters would have to be cut.
    pub fn push_numbers(&mut self, values: impl Into<Vec<i64>>) -> &mut Self {
        self.values.push(Value::Numbers(values.into()));
        let number = self.values.len();
        // Writing to a string cannot fail. How it is really said depends on the database.
        let _ = write!(self.text.to_mut(), "{NUMBERS}${number}{NUMBERS}");
        self
    }

    /// All rows.
    pub async fn fetch_all<T: Row>(self, tx: &mut Read) -> Result<Vec<T>> {
        tx.tx.fetch_all(self.sound()?).await
    }

    /// All rows, in no order, for a moderate number of large ones; `columns` names all columns. SQLite
    /// hands rows from its own thread to ours one by one, which takes longer than finding them: there
    /// they come as one value.
    pub async fn fetch_packed<T: Row + DeserializeOwned>(
        self,
        tx: &mut Read,
        columns: &'static str,
    ) -> Result<Vec<T>> {
        tx.tx.fetch_packed(self.sound()?, columns).await
    }

    /// The row, if there is one.
    pub async fn fetch_optional<T: Row>(self, tx: &mut Read) -> Result<Option<T>> {
        tx.tx.fetch_optional(self.sound()?).await
    }

    /// The one row that must be there, such as a count.
    pub async fn fetch_one<T: Row>(self, tx: &mut Read) -> Result<T> {
        Ok(tx.tx.fetch_optional(self.sound()?).await?.ok_or(sqlx::Error::RowNotFound)?)
    }

    /// The single number of a single row, such as a count.
    pub async fn fetch_number(self, tx: &mut Read) -> Result<i64> {
        Ok(self.fetch_one::<(i64,)>(tx).await?.0)
    }

    /// The numbers that a `SELECT` of one column of numbers finds, in ascending order. They come as
    /// one row: a hundred thousand take a tenth of the time that as many rows take.
    pub async fn fetch_numbers(self, tx: &mut Read) -> Result<Vec<i64>> {
        tx.tx.fetch_numbers(self.sound()?).await
    }

    /// Whether there is any row.
    pub async fn exists(self, tx: &mut Read) -> Result<bool> {
        tx.tx.exists(self.sound()?).await
    }

    /// Runs the statement and says how many rows it touched.
    pub async fn execute(self, tx: &mut Write) -> Result<u64> {
        tx.tx.execute(self.sound()?).await
    }

    /// Has the statement run before the next one, and at the latest before the commit. That
    /// saves a round trip. Several in a row may become one statement, so it must write
    /// rows that nothing can refuse and that no other queued statement touches, and it must not
    /// begin with `WITH`. Where it fails all the same, the statement after it reports it.
    pub async fn later(self, tx: &mut Write) -> Result<()> {
        tx.tx.later(self.sound()?).await
    }

    /// A `DELETE` or `UPDATE` of what the write rests on, as it has read it: where it touches no
    /// row, or several, the write fails with [`Error::Overtaken`] and nothing of it is kept. It
    /// goes with what is left for [later](Sql::later), under the same conditions. So a write that
    /// has only [peeked](Sql::peek) is one statement on PostgreSQL, and needs no transaction.
    ///
    /// See [`Db::write_claiming`](super::Db::write_claiming).
    pub async fn claim(self, tx: &mut Write) -> Result<()> {
        tx.tx.claim(self.sound()?).await
    }

    /// All rows as one list of lists.
    pub(super) fn packed(mut self, columns: &'static str) -> Self {
        self.text =
            format!("SELECT json_group_array(json_array({columns})) FROM ({})", self.text).into();
        self
    }

    pub(super) fn is_kept(&self) -> bool {
        self.keep || self.values.len() <= KEPT
    }

    pub(super) fn is_peek(&self) -> bool {
        self.peek
    }

    pub(super) fn parameters(&self) -> usize {
        self.values.len()
    }

    /// A statement that does nothing.
    pub(super) fn nothing() -> Self {
        sql("")
    }

    pub(super) fn into_parts(self) -> (Cow<'static, str>, Vec<Value>) {
        (self.text, self.values)
    }

    /// Several statements in one: kept ready if each of them is.
    pub(super) fn from_parts(text: Cow<'static, str>, values: Vec<Value>, keep: bool) -> Self {
        Self { text, values, peek: false, keep, has_nul: false }
    }

    /// The same with another statement behind it, which has no parameters.
    pub(super) fn then(mut self, statement: &'static str) -> Self {
        self.text.to_mut().push_str(statement);
        self
    }

    /// The same inside something else, which has no parameters.
    #[must_use]
    pub fn inside(mut self, before: &'static str, after: &'static str) -> Self {
        self.text = format!("{before}{}{after}", self.text).into();
        self
    }

    pub(super) fn sqlite<'q>(mut self) -> Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments> {
        let text = self.said("(SELECT value FROM json_each(", "))");
        let keep = self.is_kept();
        let (text, values) = unnamed(&text, self.values);
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(keep);
        for value in values {
            query = match value {
                Value::Text(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Bool(v) => query.bind(v),
                Value::Time(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::Numbers(v) => query.bind(json(&v)),
            };
        }
        query
    }

    pub(super) fn postgres<'q>(
        mut self,
    ) -> Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments> {
        let text = self.said("(SELECT unnest(", "::bigint[]) AS value)");
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(self.is_kept());
        for value in self.values {
            query = match value {
                Value::Text(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Bool(v) => query.bind(v),
                Value::Time(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::Numbers(v) => query.bind(v),
            };
        }
        query
    }

    /// The text, with lists of numbers as one database says it. The text is safe: `sql` and
    /// `push` take only literals, the rest adds only `$n`.
    fn said(&mut self, before: &str, after: &str) -> Cow<'static, str> {
        if !self.values.iter().any(|value| matches!(value, Value::Numbers(_))) {
            return std::mem::take(&mut self.text);
        }
        let mut said = String::with_capacity(self.text.len() + 64);
        for (at, part) in self.text.split(NUMBERS).enumerate() {
            if at % 2 == 1 {
                said.extend([before, part, after]);
            } else {
                said.push_str(part);
            }
        }
        said.into()
    }
}

/// The text with `?` for each `$n`, and the values in the order in which they stand there. To
/// SQLite `$n` is a name, and it looks every name up among all the others: a statement with
/// thousands of them takes longer to read than to run.
fn unnamed(text: &str, mut values: Vec<Value>) -> (String, Vec<Value>) {
    let mut said = String::with_capacity(text.len());
    let mut order = Vec::with_capacity(values.len());
    each_parameter(text, |before, parameter| {
        said.push_str(before);
        if let Some(number) = parameter {
            // A bare parameter after LIMIT has SQLite read the statement anew for every value.
            said.push_str(if before.ends_with("LIMIT ") { "(? + 0)" } else { "?" });
            order.push(number - 1);
        }
    });
    if order.iter().copied().eq(0..values.len()) {
        return (said, values);
    }
    // What stands there several times is copied for all of them but the last.
    let mut last = vec![0; values.len()];
    for (place, number) in order.iter().enumerate() {
        if let Some(last) = last.get_mut(*number) {
            *last = place;
        }
    }
    let ordered = order.iter().enumerate().map(|(place, number)| match values.get_mut(*number) {
        Some(value) if last.get(*number) == Some(&place) => {
            std::mem::replace(value, Value::Int(None))
        }
        Some(value) => value.clone(),
        // A parameter that was given no value is null.
        None => Value::Int(None),
    });
    (said, ordered.collect())
}

/// Goes through a statement: the text up to each parameter together with its number, which is
/// at least 1, and then the rest. What is quoted has no parameters.
pub(super) fn each_parameter(statement: &str, mut found: impl FnMut(&str, Option<usize>)) {
    let (mut quoted, mut from, mut at) = (false, 0, 0);
    while let Some(next) = statement[at..].find(['\'', '$']) {
        let here = at + next;
        at = here + 1;
        if statement.as_bytes()[here] == b'\'' {
            quoted = !quoted;
            continue;
        }
        let digits = statement[at..].bytes().take_while(u8::is_ascii_digit).count();
        if let (false, Ok(number @ 1..)) = (quoted, statement[at..at + digits].parse::<usize>()) {
            found(&statement[from..here], Some(number));
            at += digits;
            from = at;
        }
    }
    found(&statement[from..], None);
}

/// A statement with more parameters is prepared anew each time: its text is another one the next
/// time, and keeping it ready would only take memory.
const KEPT: usize = 200;

/// How many of some rows the next statement is to write, at most `most`: the largest power of two. So
/// there are few different statements, and the database keeps all of them ready ([`Sql::keep`]).
pub fn portion(rows: usize, most: usize) -> usize {
    (rows.clamp(1, most.max(1)) / 2 + 1).next_power_of_two()
}

/// Stands on both sides of the parameter of a list of numbers.
const NUMBERS: char = '\u{1}';

fn json(numbers: &[i64]) -> String {
    let mut text = String::with_capacity(20 * numbers.len() + 2);
    text.push('[');
    for (at, number) in numbers.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{number}");
    }
    text.push(']');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, values: &[i64]) -> (String, Vec<Value>) {
        unnamed(text, values.iter().map(|value| Value::Int(Some(*value))).collect())
    }

    fn numbers(values: &[i64]) -> Vec<Value> {
        values.iter().map(|value| Value::Int(Some(*value))).collect()
    }

    #[test]
    fn parameters_lose_their_names_and_values_stand_where_they_are_wanted() {
        let (text, values) = said("SELECT $1, $2", &[7, 8]);
        assert_eq!((text.as_str(), values), ("SELECT ?, ?", numbers(&[7, 8])));
        let (text, values) = said("a = $2 AND b = $1 AND c = $2", &[7, 8]);
        assert_eq!((text.as_str(), values), ("a = ? AND b = ? AND c = ?", numbers(&[8, 7, 8])));
        // What is quoted is text, also behind a doubled quote.
        let (text, values) = said("'$1' || '''$2' || $1 || 'it''s $3'", &[7]);
        assert_eq!(text, "'$1' || '''$2' || ? || 'it''s $3'");
        assert_eq!(values, numbers(&[7]));
        assert_eq!(said("SELECT '$'", &[]).0, "SELECT '$'");
        assert_eq!(said("SELECT $10", &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]).1, numbers(&[10]));
    }

    #[test]
    fn a_limit_does_not_depend_on_its_value() {
        let (text, values) = said("SELECT a FROM b WHERE c = $1 LIMIT $2 OFFSET $3", &[1, 2, 3]);
        assert_eq!(text, "SELECT a FROM b WHERE c = ? LIMIT (? + 0) OFFSET ?");
        assert_eq!(values, numbers(&[1, 2, 3]));
    }

    #[test]
    fn rows_are_written_in_powers_of_two() {
        let of = |mut rows: usize| {
            let mut all = Vec::new();
            while rows > 0 {
                all.push(portion(rows, 64));
                rows -= all[all.len() - 1];
            }
            all
        };
        assert_eq!(of(1), [1]);
        assert_eq!(of(7), [4, 2, 1]);
        assert_eq!(of(200), [64, 64, 64, 8]);
    }
}
