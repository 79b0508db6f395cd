//! Makes configurations real in accounts.
