//! SCIM 2.0 as a protocol: resources, schemas, filters, paths, patches, errors.
//!
//! Nothing here knows a database or an HTTP server: bodies come in as bytes, documents as JSON
//! objects in canonical spelling, and decisions go out as values. What clients send beyond the
//! RFCs is understood here, in one place each, named after the client that needs it.
//!
//! * [`json`] reads bodies strictly; [`error`] is what a refusal looks like
//! * [`schema`] are the tables of attributes and the discovery documents made from them
//! * [`filter`] and [`path`] read the two small languages, [`evaluate`] gives them meaning
//! * [`document`] validates bodies, [`patch`] changes documents, [`projection`] cuts answers,
//!   [`bulk`] orders many requests in one, [`list`] pages resources, [`order`] sorts them, [`version`] tells their versions apart

pub mod bulk;
pub mod document;
pub mod error;
pub mod evaluate;
pub mod filter;
pub mod json;
pub mod list;
pub mod order;
pub mod patch;
pub mod path;
pub mod projection;
pub mod schema;
pub mod version;

pub use error::{Error, ErrorKind};
