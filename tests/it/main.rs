//! The integration tests: one binary, through the front door.
//!
//! Each test gets a [`house::TestHouse`]: the real router on a real port, on SQLite or on
//! PostgreSQL, with a clock that the test sets.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]
#![expect(
    clippy::format_push_string,
    clippy::assigning_clones,
    clippy::unused_self,
    reason = "what a test does should be read at a glance"
)]

mod access;
mod account;
mod api;
mod api_examples;
mod as_console;
mod audited;
mod browser;
mod budgets;
mod by_hand;
mod clients;
mod cloud;
mod command_line;
mod commands;
mod conflict;
mod console;
mod drift;
mod endings;
mod events;
mod fake_idp;
mod filled;
mod guessing;
mod house;
mod identity_center;
mod journey;
mod kill;
mod nul;
mod other_cloud;
mod outbound;
mod own;
mod own_sessions;
mod pages;
mod people;
mod permission;
mod plans;
mod portal;
mod privileged;
mod provisioning;
mod races;
mod real_identity_provider;
mod real_logout;
mod routes;
mod rules;
mod schema;
mod scim;
mod server;
mod simplesamlphp;
mod slow_requests;
mod speech;
mod spid;
mod sso;
mod store;
mod task;
mod tls;
mod tools;
mod whole_way;
mod world;
