//! Signature and envelope of the signed JSON API.
