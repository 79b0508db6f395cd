//! Extension schemas that the space has registered.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::Value;

use super::{HERE, fault};
use crate::{
    app::App,
    directory::scim::{self as directory, Registered},
    id::PrincipalKind,
    scim::{self, ErrorKind, json, schema::registered::MAX_SCHEMAS},
    web::{
        console::{
            Administrator,
            frame::{Frame, ListQuery, Section, Wrong, done},
        },
        page::{Field, Page},
        pages::{PageError, Problem, sentence},
    },
};

#[derive(Template)]
#[template(path = "console/scim_schemas.html")]
#[expect(clippy::struct_field_names, reason = "the template says what it lists")]
struct Schemas {
    frame: Frame,
    tab: &'static str,
    schemas: Vec<SchemaRow>,
    may_add: bool,
    groups: bool,
    document: Field,
    wrong: Option<Wrong>,
}

struct SchemaRow {
    schema: Registered,
    attributes: String,
    document: String,
}

impl SchemaRow {
    fn new(schema: Registered) -> Self {
        let names = schema.attributes.0.as_array().into_iter().flatten();
        let names = names.filter_map(|one| one.get("name")?.as_str());
        let attributes = names.collect::<Vec<_>>().join(", ");
        let document = Value::Object(schema.document());
        let document = serde_json::to_string_pretty(&document).unwrap_or_default();
        Self { schema, attributes, document }
    }
}

/// The form of a new schema.
#[derive(Default, Deserialize)]
pub(super) struct SchemaForm {
    resource_type: String,
    document: String,
}

async fn look(
    app: &App,
    who: &Administrator,
    said: Option<&str>,
    form: &SchemaForm,
    wrong: Option<Wrong>,
) -> Result<Schemas, PageError> {
    let space = who.space()?.id;
    let schemas = app.db.read(async |tx| directory::registered(tx, space).await).await?;
    Ok(Schemas {
        frame: Frame::new(who, Section::Scim, said),
        tab: "/schemas",
        may_add: schemas.len() < MAX_SCHEMAS,
        schemas: schemas.into_iter().map(SchemaRow::new).collect(),
        groups: form.resource_type == PrincipalKind::Group.as_str(),
        document: Field::long_text("document", key!("scim-schema-document"))
            .hint(key!("scim-schema-document-hint"))
            .value(&form.document)
            .error(Wrong::at(wrong.as_ref(), "document")),
        wrong,
    })
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let form = SchemaForm::default();
    let page = look(&app, &administrator, query.done.as_deref(), &form, None).await?;
    Ok(Page::new(page).into_response())
}

pub(super) async fn register(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<SchemaForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let registered = match (read(&form), form.resource_type.parse::<PrincipalKind>()) {
        (_, Err(_)) => Err(Wrong::whole(t!("scim-choose-kind"))),
        (Err(error), _) => Err(Wrong::field("document", sentence(&error.detail))),
        (Ok(document), Ok(kind)) => {
            let act = &administrator.act;
            app.db
                .write(async |tx| directory::register(tx, act, space, kind, &document).await)
                .await
                .map_or_else(|error| refusal(error).map(Err), |()| Ok(Ok(())))?
        }
    };
    match registered {
        Ok(()) => Ok(done(&format!("{HERE}/schemas"), "schema-registered")),
        Err(wrong) => {
            let page = look(&app, &administrator, None, &form, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

fn read(form: &SchemaForm) -> Result<serde_json::Map<String, Value>, scim::Error> {
    json::parse_object(form.document.as_bytes())
}

/// What the document was refused for.
fn refusal(error: directory::Error) -> Result<Wrong, PageError> {
    match error {
        directory::Error::Refused(error) if error.kind != ErrorKind::Internal => {
            Ok(Wrong::field("document", sentence(&error.detail)))
        }
        other => Err(fault(other).into()),
    }
}

#[derive(Deserialize)]
pub(super) struct RemoveForm {
    urn: String,
}

pub(super) async fn remove(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<RemoveForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let act = &administrator.act;
    let removed =
        app.db.write(async |tx| directory::unregister(tx, act, space, &form.urn).await).await;
    match removed {
        Ok(true) => Ok(done(&format!("{HERE}/schemas"), "schema-removed")),
        Ok(false) => Err(Problem::not_found(t!("scim-no-schema")).into()),
        Err(error) => {
            let wrong = Wrong::whole(refusal(error)?.message);
            let form = SchemaForm::default();
            let page = look(&app, &administrator, None, &form, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
