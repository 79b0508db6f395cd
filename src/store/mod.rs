//! One SQL text on SQLite and PostgreSQL.
//!
//! * [`Db`] opens a database, brings its schema up to date and lends transactions:
//!   [`Db::read`] for a snapshot, [`Db::write`] for a change that commits on `Ok` and rolls
//!   back on `Err`.
//! * On SQLite, writes that wait for each other share a commit; on both, [`Write::attempt`] lets a
//!   part of a write fail alone.
//! * [`Read`] and [`Write`] are those transactions. A function that only reads takes
//!   `&mut Read`, and a `&mut Write` is good enough for it.
//! * [`sql()`] starts a statement, in the dialect both databases share, with `$1`, `$2`, … for
//!   its parameters.
//! * [`Timestamp`], [`Json`] and [`text_enum!`] are the column types the databases disagree
//!   about.
//!
//! "Not found" is `Option`, never an error.

mod db;
mod error;
mod group;
mod json;
mod paging;
mod postgres;
mod session;
mod sql;
mod sqlite;
mod timestamp;
mod transaction;
mod value;

#[cfg(test)]
mod tests;

pub use db::{Db, Kind, Read, Write};
pub use error::{Error, Result};
pub use json::Json;
pub use paging::{Page, PageRequest};
pub use session::{
    Door, IDP_SESSION, NewSession, SUBJECT, Sessions, end_session, end_sessions,
    forget_expired_sessions, open_session, session_hash,
};
pub use sql::{Row, Sql, like, portion, sql};
pub use timestamp::Timestamp;
pub use value::{ToValue, Value, text_enum};
