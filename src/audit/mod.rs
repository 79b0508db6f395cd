//! Who changed what: one record with every change.
