//! Organisations, departments and accounts.
