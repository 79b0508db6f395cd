//! Identity Center: one way in for people who work in many cloud accounts.
//!
//! The rooms, from the ground up. A room may use what stands above it in this
//! list, never what stands below; `tests/rooms.rs` holds the exact table.
//!
//! * ground: [`store`] (two databases, one SQL), [`clock`], [`id`], [`secret`], [`config`]
//! * engines, without database or HTTP: [`scim`], [`saml`], [`cam`], [`tc3`]
//! * domain rooms: [`audit`], [`event`], [`task`], [`organization`], [`space`], [`directory`],
//!   [`policy`], [`permission`], [`cloud`], [`provisioning`], [`credential`], [`recorder`],
//!   [`sso`], [`access`], [`overview`]
//! * doors: [`web`], and [`cli`] on the command line
//! * [`app`] is what a request may reach, [`server`] the running server

pub mod access;
pub mod app;
pub mod audit;
pub mod cam;
pub mod cli;
pub mod clock;
pub mod cloud;
pub mod config;
pub mod credential;
pub mod directory;
pub mod durations;
pub mod event;
pub mod expiry;
pub mod id;
pub mod organization;
pub mod overview;
pub mod permission;
pub mod policy;
pub mod provisioning;
pub mod rate;
pub mod recorder;
pub mod request;
pub mod saml;
pub mod scim;
pub mod secret;
pub mod server;
pub mod space;
pub mod sso;
pub mod store;
pub mod task;
pub mod tc3;
pub mod web;
