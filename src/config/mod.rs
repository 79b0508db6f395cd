//! Settings: one struct per section of the file.
