//! Our own actions, beside the public API: what the console needs that the public API lacks.

pub mod account;
pub mod command_line;
pub mod deployment;
pub mod directory;
pub mod drift;
pub mod event;
pub mod history;
pub mod key;
pub mod look;
pub mod other_cloud;
pub mod overview;
pub mod plan;
pub mod proposal;
pub mod scim;
pub mod session;
pub mod sign_in;
pub mod sign_in_test;
pub mod task;
