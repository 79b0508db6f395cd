//! Who can reach what, and why.
