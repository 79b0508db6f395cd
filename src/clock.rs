//! The time.
