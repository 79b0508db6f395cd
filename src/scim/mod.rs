//! SCIM 2.0 as a protocol: resources, schemas, filters, paths, patches, errors.
