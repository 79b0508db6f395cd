//! The integration tests: one binary, through the front door.
//!
//! Each test gets a [`house::TestHouse`]: the real router on a real port, on SQLite or on
//! PostgreSQL, with a clock that the test sets.

mod api;
mod house;
mod real_identity_provider;
mod routes;
mod schema;
mod scim;
mod server;
mod tools;
