//! Asynchronous steps towards accounts.
