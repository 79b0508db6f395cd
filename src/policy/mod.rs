//! CAM policies: their documents, what they decide, and the preset catalogue.
//!
//! Identity Center has no permission language of its own (CON-03): a permission configuration
//! binds CAM policies, and this room is what reads and evaluates them.
//!
//! * [`document`] parses and lints a policy document and says where it is wrong;
//! * [`evaluate()`] answers one request from any number of documents: deny wins, and what no
//!   statement allows is denied;
//! * [`describe`] says what a document allows in parts that a page can put into words, and how much
//!   that is;
//! * [`trust`] reads and evaluates the document that says who may assume a role;
//! * [`catalogue`] holds the preset policies, with ids that never change.

pub mod catalogue;
pub mod condition;
pub mod describe;
pub mod document;
pub mod evaluate;
mod lines;
pub mod pattern;
pub mod trust;

#[cfg(test)]
mod tests;

pub use catalogue::Preset;
pub use describe::{Description, Risk, describe};
pub use document::{Document, Effect, Statement};
pub use evaluate::{Context, Deciding, Decision, Reason, Request, evaluate};
pub use lines::line_of;
