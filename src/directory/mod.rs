//! Users, groups and memberships.
