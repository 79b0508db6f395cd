//! The doors: HTTP only.
