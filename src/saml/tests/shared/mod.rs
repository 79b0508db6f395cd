//! What benches and fuzz targets share with the tests. Everything of the engine is named as it is
//! here, `crate::saml`, and they have it there too.

pub mod closed;
pub mod edits;
pub mod keys;
pub mod recipe;
pub mod slow;
