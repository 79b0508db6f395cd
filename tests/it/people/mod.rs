//! Users, groups, the space and who administers it: rules of the parts CON, ACT, USR, GRP and SET
//! that are seen at the API, at the console and over SCIM together.

mod limits;
mod pages;
mod several;
mod standing;
