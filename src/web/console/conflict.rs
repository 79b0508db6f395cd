//! Two administrators at one form: a form carries a mark of what it was made from, and whoever saves
//! what somebody else has changed meanwhile is shown both versions, and chooses. A form without a
//! mark is not held up. The marks are compared under the lock that forms take; a directory or a
//! program that writes in that very moment, on PostgreSQL, takes another.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::frame::{FormPage, Frame};
use crate::{
    secret::{hex, sha256},
    store,
    web::{
        messages::Message,
        page::{Field, Page},
    },
};

/// One field of a form, as somebody has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    label: Message,
    shown: String,
    /// What the form sends of it: nothing for a box that is not ticked.
    sends: Vec<(&'static str, String)>,
}

impl Entry {
    /// A line of text, as it is written.
    pub fn text(name: &'static str, label: impl Into<Message>, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { label: label.into(), shown: value.clone(), sends: vec![(name, value)] }
    }

    /// One word of some, with what a page calls it.
    pub fn choice(
        name: &'static str,
        label: impl Into<Message>,
        value: impl Into<String>,
        shown: impl Into<String>,
    ) -> Self {
        Self { label: label.into(), shown: shown.into(), sends: vec![(name, value.into())] }
    }

    /// A box to tick, one of several that are sent by one name.
    pub fn one_of(name: &'static str, label: impl Into<Message>, value: impl Into<String>) -> Self {
        Self { label: label.into(), shown: t!("on"), sends: vec![(name, value.into())] }
    }

    /// Whether it is ticked; it is at first.
    #[must_use]
    pub fn ticked(self, is_on: bool) -> Self {
        if is_on { self } else { Self { shown: t!("off"), sends: Vec::new(), ..self } }
    }

    /// A box to tick.
    pub fn tick(name: &'static str, label: impl Into<Message>, is_on: bool) -> Self {
        Self::one_of(name, label, "true").ticked(is_on)
    }
}

/// The fields of a form as they are at one moment, or as somebody wants them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Version(pub Vec<Entry>);

impl Version {
    /// What the fields of a form say.
    pub fn of(fields: &[Field]) -> Self {
        let entry = |field: &Field| Entry::text(field.name(), field.label(), field.said());
        Self(fields.iter().map(entry).collect())
    }

    /// What a form that is made from this carries along: equal for what sends the same.
    pub fn mark(&self) -> String {
        let sent: Vec<&(&str, String)> = self.0.iter().flat_map(|entry| &entry.sends).collect();
        hex(&sha256(serde_json::json!(sent).to_string().as_bytes()))
    }
}

/// Why a change was not saved.
#[derive(Debug)]
pub(super) enum Unsaved<E> {
    /// The room refused it.
    Room(E),
    /// Somebody has changed it since the form was made: as it is now.
    Meanwhile(Version),
}

impl<E: From<store::Error>> From<store::Error> for Unsaved<E> {
    fn from(error: store::Error) -> Self {
        Self::Room(error.into())
    }
}

/// Goes on only if nothing has changed since the form was made. To be asked in the transaction of the
/// change, of what it holds; a form without a mark was not made by a page of ours and asks nothing.
pub(super) fn unchanged<E>(mark: &str, now: Version) -> Result<(), Unsaved<E>> {
    if mark.is_empty() || mark == now.mark() { Ok(()) } else { Err(Unsaved::Meanwhile(now)) }
}

/// A field of both versions.
struct Row {
    label: Message,
    theirs: String,
    mine: String,
}

impl Row {
    fn differs(&self) -> bool {
        self.theirs != self.mine
    }
}

/// The page with both versions.
#[derive(Template)]
#[template(path = "console/conflict.html")]
struct ConflictPage {
    frame: Frame,
    title: Message,
    back: String,
    back_label: String,
    action: String,
    /// Where the form is, with what there is now.
    edit: String,
    rows: Vec<Row>,
    sends: Vec<(&'static str, String)>,
    mark: String,
}

/// Where a form is, and where it goes.
pub(super) struct Place {
    /// What the form is for.
    pub title: Message,
    /// The page of what it changes.
    pub back: String,
    /// What that is called.
    pub back_label: String,
    /// Where the form is.
    pub edit: String,
    /// Where it is sent.
    pub action: String,
}

/// Shows both versions: as it is `now`, and as somebody wants it. What they wanted can be sent again,
/// over what there is now.
pub(super) fn conflict(frame: Frame, place: Place, now: &Version, mine: Version) -> Response {
    let Place { title, back, back_label, edit, action } = place;
    let rows = now.0.iter().zip(&mine.0).map(|(theirs, mine)| Row {
        label: theirs.label,
        theirs: theirs.shown.clone(),
        mine: mine.shown.clone(),
    });
    let page = ConflictPage {
        frame,
        title,
        back,
        back_label,
        action,
        edit,
        rows: rows.collect(),
        mark: now.mark(),
        sends: mine.0.into_iter().flat_map(|entry| entry.sends).collect(),
    };
    Page::new(page).status(StatusCode::CONFLICT).into_response()
}

impl FormPage {
    /// What its fields say.
    pub fn version(&self) -> Version {
        Version::of(&self.fields)
    }

    /// The same form, made from what its fields say.
    #[must_use]
    pub fn marked(self) -> Self {
        Self { mark: self.version().mark(), ..self }
    }

    /// The same form again, made from what it was made from before.
    #[must_use]
    pub fn marked_as(self, mark: &str) -> Self {
        Self { mark: mark.to_owned(), ..self }
    }

    /// What this form wants, beside what there is now.
    pub fn conflict(self, now: &Version) -> Response {
        let mine = self.version();
        let Self { frame, title, back, back_label, action, .. } = self;
        let edit = format!("{action}/edit");
        conflict(frame, Place { title, back, back_label, edit, action }, now, mine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(name: &str, is_on: bool) -> Version {
        Version(vec![
            Entry::text("name", key!("name"), name),
            Entry::tick("on", key!("name"), is_on),
        ])
    }

    #[test]
    fn a_mark_tells_versions_apart() {
        let one = version("a", true);
        assert_eq!(one.mark(), version("a", true).mark());
        for other in [version("b", true), version("a", false), Version::default()] {
            assert_ne!(one.mark(), other.mark());
        }
        assert!(unchanged::<()>(&one.mark(), one.clone()).is_ok());
        assert!(unchanged::<()>("", one.clone()).is_ok());
        assert!(matches!(
            unchanged::<()>(&one.mark(), version("b", true)),
            Err(Unsaved::Meanwhile(_))
        ));
    }
}
