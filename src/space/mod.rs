//! Spaces: everything of one organisation's Identity Center.
