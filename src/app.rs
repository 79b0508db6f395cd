//! Puts a running server together.
