//! The three discovery documents (RFC 7643 §5 to §7): they say what works, and only that.

use serde_json::{Value, json};

use super::{
    Attribute, Kind, Mutability, ResourceType, ResourceTypes, Returned, Schema, Uniqueness,
};

const CONFIG_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What `/ServiceProviderConfig` announces. Nothing is announced that does not work.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Resources per answer to a filter, at most.
    pub max_results: u64,
    /// Bulk requests, when they are answered.
    pub bulk: Option<BulkLimits>,
    /// Whether lists can be sorted.
    pub sort: bool,
    /// Whether versions are shown and preconditions heeded.
    pub etag: bool,
    /// Paging, when it can be by cursor.
    pub pagination: Option<PageLimits>,
}

/// How large a bulk request may be (RFC 7644 §3.7.4).
#[derive(Debug, Clone, Copy)]
pub struct BulkLimits {
    /// Operations in one request, at most.
    pub max_operations: u64,
    /// Bytes of its body, at most.
    pub max_payload_size: u64,
}

/// Paging as RFC 9865 §4 announces it. Paging by index is the default.
#[derive(Debug, Clone, Copy)]
pub struct PageLimits {
    /// Resources per page when the request does not say.
    pub default_page_size: u64,
    /// Resources per page, at most.
    pub max_page_size: u64,
    /// Seconds that a cursor is good for, at least; none when it does not age.
    pub cursor_timeout: Option<u64>,
}

/// `/ServiceProviderConfig`. `securityEvents` (RFC 9967) stays unsaid: clients with a strict model of
/// RFC 7643 §5 (scim2-models, authentik) refuse the whole document for a member they do not know, and
/// events and asynchronous requests work all the same. `base` is the SCIM base URL without a trailing slash.
pub fn service_provider_config(base: &str, limits: &Limits) -> Value {
    let bulk = limits.bulk.unwrap_or(BulkLimits { max_operations: 0, max_payload_size: 0 });
    let mut document = json!({
        "schemas": [CONFIG_SCHEMA],
        "patch": { "supported": true },
        "bulk": {
            "supported": limits.bulk.is_some(),
            "maxOperations": bulk.max_operations,
            "maxPayloadSize": bulk.max_payload_size,
        },
        "filter": { "supported": true, "maxResults": limits.max_results },
        "changePassword": { "supported": false },
        "sort": { "supported": limits.sort },
        "etag": { "supported": limits.etag },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A SCIM token of the space, in the Authorization header (RFC 6750).",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
    });
    if let Some(pages) = limits.pagination {
        document["pagination"] = json!({
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": pages.default_page_size,
            "maxPageSize": pages.max_page_size,
        });
        if let Some(seconds) = pages.cursor_timeout {
            document["pagination"]["cursorTimeout"] = seconds.into();
        }
    }
    document["meta"] = json!({
        "resourceType": "ServiceProviderConfig",
        "location": format!("{base}/ServiceProviderConfig"),
    });
    document
}

impl ResourceTypes {
    /// Every resource type, for `/ResourceTypes`.
    pub fn describe(&self, base: &str) -> Vec<Value> {
        self.iter().map(|kind| describe_type(kind, base)).collect()
    }

    /// One resource type by its id, in any letter case.
    pub fn describe_one(&self, base: &str, id: &str) -> Option<Value> {
        self.iter()
            .find(|kind| kind.name.eq_ignore_ascii_case(id))
            .map(|kind| describe_type(kind, base))
    }

    /// Every schema, for `/Schemas`.
    pub fn describe_schemas(&self, base: &str) -> Vec<Value> {
        self.schemas().map(|schema| describe_schema(schema, base)).collect()
    }

    /// One schema by its URN, in any letter case.
    pub fn describe_schema(&self, base: &str, urn: &str) -> Option<Value> {
        self.schemas()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
            .map(|schema| describe_schema(schema, base))
    }

    fn schemas(&self) -> impl Iterator<Item = &Schema> {
        self.iter().flat_map(|kind| {
            std::iter::once(kind.schema).chain(kind.extensions.iter().map(|schema| &**schema))
        })
    }
}

fn describe_type(kind: &ResourceType, base: &str) -> Value {
    let mut document = json!({
        "schemas": [RESOURCE_TYPE_SCHEMA],
        "id": kind.name,
        "name": kind.name,
        "description": kind.description,
        "endpoint": kind.endpoint,
        "schema": kind.schema.id,
    });
    if !kind.extensions.is_empty() {
        let extensions = kind
            .extensions
            .iter()
            .map(|extension| json!({ "schema": extension.id, "required": false }));
        document["schemaExtensions"] = extensions.collect();
    }
    document["meta"] = json!({
        "resourceType": "ResourceType",
        "location": format!("{base}/ResourceTypes/{}", kind.name),
    });
    document
}

fn describe_schema(schema: &Schema, base: &str) -> Value {
    json!({
        "schemas": [SCHEMA_SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": schema.attributes.iter().map(describe_attribute).collect::<Vec<_>>(),
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base}/Schemas/{}", schema.id),
        },
    })
}

fn describe_attribute(attribute: &Attribute) -> Value {
    let mut document = json!({
        "name": attribute.name,
        "type": match attribute.kind {
            Kind::String => "string",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::DateTime => "dateTime",
            Kind::Binary => "binary",
            Kind::Reference => "reference",
            Kind::Complex => "complex",
        },
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "caseExact": attribute.case_exact,
        "mutability": match attribute.mutability {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        },
        "returned": match attribute.returned {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Request => "request",
            Returned::Default => "default",
        },
        "uniqueness": match attribute.uniqueness {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
            Uniqueness::Global => "global",
        },
    });
    if !attribute.canonical_values.is_empty() {
        document["canonicalValues"] = attribute.canonical_values.iter().collect();
    }
    if !attribute.reference_types.is_empty() {
        document["referenceTypes"] = attribute.reference_types.iter().collect();
    }
    if attribute.kind == Kind::Complex {
        document["subAttributes"] =
            attribute.sub_attributes.iter().map(describe_attribute).collect();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_not_announced() {
        let limits = Limits { max_results: 1000, ..Limits::default() };
        let config = service_provider_config("http://x/scim/v2", &limits);
        for feature in ["bulk", "changePassword", "sort", "etag"] {
            assert_eq!(config[feature]["supported"], false, "{feature}");
        }
        assert_eq!(config["patch"]["supported"], true);
        assert_eq!(config["filter"]["maxResults"], 1000);
        assert!(config.get("pagination").is_none() && config.get("securityEvents").is_none());
    }

    #[test]
    fn what_works_is_announced_with_its_limits() {
        let limits = Limits {
            max_results: 1000,
            bulk: Some(BulkLimits { max_operations: 10_000, max_payload_size: 16 << 20 }),
            sort: true,
            etag: true,
            pagination: Some(PageLimits {
                default_page_size: 100,
                max_page_size: 1000,
                cursor_timeout: Some(3600),
            }),
        };
        let config = service_provider_config("http://x/scim/v2", &limits);
        assert_eq!(config["bulk"]["maxPayloadSize"], 16_777_216);
        assert_eq!(config["bulk"]["maxOperations"], 10_000);
        for feature in ["bulk", "sort", "etag"] {
            assert_eq!(config[feature]["supported"], true, "{feature}");
        }
        assert_eq!(
            config["pagination"],
            json!({
                "cursor": true, "index": true, "defaultPaginationMethod": "index",
                "defaultPageSize": 100, "maxPageSize": 1000, "cursorTimeout": 3600,
            })
        );
        assert_eq!(config["meta"]["location"], "http://x/scim/v2/ServiceProviderConfig");
    }

    #[test]
    fn schemas_are_found_by_urn_in_any_case_and_list_sub_attributes() {
        let types = ResourceTypes::standard();
        let user = types
            .describe_schema("http://x", "URN:ietf:params:scim:schemas:core:2.0:user")
            .unwrap();
        let emails = user["attributes"].as_array().unwrap().iter().find(|a| a["name"] == "emails");
        assert_eq!(emails.unwrap()["subAttributes"].as_array().unwrap().len(), 4);
        assert!(types.describe_schema("http://x", "urn:none").is_none());
        assert_eq!(types.describe_schemas("http://x").len(), 3);
        assert_eq!(types.describe("http://x")[0]["id"], "User");
        assert_eq!(types.describe_one("http://x", "GROUP").unwrap()["endpoint"], "/Groups");
    }
}
