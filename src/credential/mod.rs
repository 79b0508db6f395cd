//! SCIM tokens.
