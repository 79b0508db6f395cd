//! The embedded cloud: accounts with a CAM of their own.
