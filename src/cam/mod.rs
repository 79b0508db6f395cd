//! What we need of an account's access management.
