//! Permission configurations and assignments.
