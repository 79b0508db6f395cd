//! Random tokens and sealed secrets.
