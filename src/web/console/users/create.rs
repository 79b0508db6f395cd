//! Up to ten users at once (USR-02, USR-03): what was right is made, what was wrong is shown again.

use std::array;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    directory::{self, MOST_USERS_PER_CALL, NewUser, OnRefusal, User},
    web::{
        console::{
            Administrator,
            frame::{Frame, Section, Wrong, done},
        },
        messages::Message,
        page::Page,
        pages::PageError,
    },
};

/// The columns of the form: the name of the field, its label, how long it may be.
static COLUMNS: [(&str, Message, u32); 6] = [
    ("user_name", key!("user-name"), 64),
    ("last_name", key!("user-last-name"), 64),
    ("first_name", key!("user-first-name"), 64),
    ("display_name", key!("user-display-name"), 256),
    ("email", key!("user-email"), 128),
    ("description", key!("remarks"), 1024),
];

#[derive(Template)]
#[template(path = "console/users_new.html")]
struct NewUsers {
    frame: Frame,
    columns: &'static [(&'static str, Message, u32)],
    rows: Vec<Row>,
    wrong: Option<Wrong>,
    /// Those that were made although others were wrong.
    made: Vec<User>,
}

/// What somebody typed into one row.
#[derive(Clone, Debug, Default)]
struct Row {
    place: usize,
    cells: [String; COLUMNS.len()],
    wrong: Option<Wrong>,
}

/// One cell as the form shows it.
struct Cell<'r> {
    name: String,
    label: Message,
    value: &'r str,
    longest: u32,
    required: bool,
    wrong: Option<String>,
}

impl Row {
    fn number(&self) -> usize {
        self.place + 1
    }

    fn is_empty(&self) -> bool {
        self.cells.iter().all(|cell| cell.trim().is_empty())
    }

    /// The fields of the first row are called like a form's of one user.
    fn field(&self, column: &str) -> String {
        match self.place {
            0 => column.to_owned(),
            place => format!("{column}-{place}"),
        }
    }

    fn cells(&self) -> Vec<Cell<'_>> {
        COLUMNS
            .iter()
            .zip(&self.cells)
            .map(|((name, label, longest), value)| Cell {
                name: self.field(name),
                label: *label,
                value,
                longest: *longest,
                required: self.place == 0 && *name == "user_name",
                wrong: Wrong::at(self.wrong.as_ref(), name),
            })
            .collect()
    }

    /// What is wrong with the row and with no field of it.
    fn wrong_as_a_whole(&self) -> Option<&str> {
        let wrong = self.wrong.as_ref()?;
        let at_a_field = COLUMNS.iter().any(|(name, ..)| Wrong::at(Some(wrong), name).is_some());
        (!at_a_field).then_some(wrong.message.as_str())
    }

    fn user(&self) -> NewUser {
        let [user_name, last_name, first_name, display_name, email, description] =
            array::from_fn(|at| self.cells[at].trim().to_owned());
        NewUser {
            user_name,
            first_name,
            last_name,
            display_name,
            email,
            description,
            disabled: false,
        }
    }
}

/// The rows of a form that was sent. What is no field of it is left out.
fn rows_of(sent: &[(String, String)]) -> Vec<Row> {
    let mut rows = empty_rows();
    for (name, value) in sent {
        let (column, place) = match name.rsplit_once('-') {
            Some((column, place)) => (column, place.parse().unwrap_or(usize::MAX)),
            None => (name.as_str(), 0),
        };
        let column = COLUMNS.iter().position(|(known, ..)| *known == column);
        if let (Some(column), Some(row)) = (column, rows.get_mut(place)) {
            row.cells[column].clone_from(value);
        }
    }
    rows
}

fn empty_rows() -> Vec<Row> {
    (0..MOST_USERS_PER_CALL).map(|place| Row { place, ..Row::default() }).collect()
}

/// These rows first, and empty ones after them.
fn padded(rows: Vec<Row>) -> Vec<Row> {
    let mut padded = empty_rows();
    for (place, (slot, row)) in padded.iter_mut().zip(rows).enumerate() {
        *slot = Row { place, ..row };
    }
    padded
}

pub(in crate::web::console) async fn new(
    administrator: Administrator,
) -> Result<Response, PageError> {
    administrator.space()?;
    let frame = Frame::new(&administrator, Section::Users, None);
    let rows = empty_rows();
    let page = NewUsers { frame, columns: &COLUMNS, rows, wrong: None, made: Vec::new() };
    Ok(Page::new(page).into_response())
}

pub(in crate::web::console) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(sent): Form<Vec<(String, String)>>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let mut rows: Vec<Row> = rows_of(&sent).into_iter().filter(|row| !row.is_empty()).collect();
    if rows.is_empty() {
        // The room's own words for a row without a name.
        rows.push(Row::default());
    }
    let new: Vec<NewUser> = rows.iter().map(Row::user).collect();
    let limit = app.settings.limits.users;
    let outcomes = app
        .db
        .write(async |tx| {
            let (act, others) = (&administrator.act, OnRefusal::MakeTheOthers);
            directory::create_users(tx, act, space, &new, limit, others).await
        })
        .await?;
    let (mut made, mut left) = (Vec::new(), Vec::new());
    for (mut row, outcome) in rows.into_iter().zip(outcomes) {
        match outcome {
            Ok(user) => made.push(user),
            Err(error) => {
                row.wrong = Some(Wrong::of(error.into())?);
                left.push(row);
            }
        }
    }
    if left.is_empty() {
        return Ok(match made.as_slice() {
            [user] => done(&format!("/console/users/{}", user.id), "user-created"),
            _ => done("/console/users", "users-created"),
        });
    }
    let summary = t!("users-some-wrong", count = left.len());
    let page = NewUsers {
        frame: Frame::new(&administrator, Section::Users, None),
        columns: &COLUMNS,
        rows: padded(left),
        wrong: Some(Wrong::whole(summary)),
        made,
    };
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_row_by_row_and_nothing_else_is() {
        let sent = [
            ("user_name", "ann"),
            ("email", "ann@example.com"),
            ("user_name-9", "zoe"),
            ("user_name-10", "one too many"),
            ("user_name-x", "nobody"),
            ("is_root-1", "true"),
        ];
        let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let rows = rows_of(&sent);
        assert_eq!(rows.len(), MOST_USERS_PER_CALL);
        let names: Vec<String> =
            rows.iter().filter(|row| !row.is_empty()).map(|row| row.user().user_name).collect();
        assert_eq!(names, ["ann", "zoe"]);
        assert_eq!(rows[0].user().email, "ann@example.com");
        let left = padded(vec![rows[9].clone()]);
        assert_eq!((left[0].field("user_name"), left.len()), ("user_name".to_owned(), 10));
        assert_eq!(left[1].field("email"), "email-1");
    }
}
