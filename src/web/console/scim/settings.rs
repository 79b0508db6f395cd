//! The switches of a space: where clients disagree, the brake, and how long requests are kept.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::HERE;
use crate::web::messages::Message;
use crate::{
    app::App,
    space::{self, Brake, ScimSettings},
    web::{
        console::{
            Administrator,
            conflict::{Entry, Place, Unsaved, Version, conflict, unchanged},
            frame::{Frame, ListQuery, Section, Wrong, done},
        },
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/scim_settings.html")]
struct Switches {
    frame: Frame,
    tab: &'static str,
    clients: [Switch; 5],
    brake: Switch,
    brake_numbers: [Field; 3],
    record_numbers: [Field; 2],
    mark: String,
    wrong: Option<Wrong>,
}

impl Switches {
    fn version(&self) -> Version {
        let tick = |it: &Switch| Entry::tick(it.name, it.label, it.on);
        let number = |it: &Field| Entry::text(it.name(), it.label(), it.said());
        let ticks = self.clients.iter().chain([&self.brake]).map(tick);
        let numbers = self.brake_numbers.iter().chain(&self.record_numbers).map(number);
        Version(ticks.chain(numbers).collect())
    }
}

/// A box to tick.
struct Switch {
    name: &'static str,
    label: Message,
    hint: Message,
    on: bool,
}

/// The form. Numbers are text until it is known that they are numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SettingsForm {
    patch_without_body: bool,
    always_emit_members: bool,
    refuse_unknown_members: bool,
    allow_equal_group_names: bool,
    refuse_renames: bool,
    brake_enabled: bool,
    brake_users: String,
    brake_percent: String,
    brake_window: String,
    record_days: String,
    record_megabytes: String,
    mark: String,
}

impl SettingsForm {
    fn of(settings: &ScimSettings) -> Self {
        Self {
            patch_without_body: settings.patch_without_body,
            always_emit_members: settings.always_emit_members,
            refuse_unknown_members: settings.refuse_unknown_members,
            allow_equal_group_names: settings.allow_equal_group_names,
            refuse_renames: settings.refuse_renames,
            brake_enabled: settings.brake.enabled,
            brake_users: settings.brake.users.to_string(),
            brake_percent: settings.brake.percent.to_string(),
            brake_window: settings.brake.window.to_string(),
            record_days: settings.record_days.to_string(),
            record_megabytes: settings.record_megabytes.to_string(),
            mark: String::new(),
        }
    }

    /// The settings, or the name of the field that is no number.
    fn settings(&self) -> Result<ScimSettings, &'static str> {
        let number = |name, text: &str| text.trim().parse().map_err(|_| name);
        Ok(ScimSettings {
            patch_without_body: self.patch_without_body,
            always_emit_members: self.always_emit_members,
            refuse_unknown_members: self.refuse_unknown_members,
            allow_equal_group_names: self.allow_equal_group_names,
            refuse_renames: self.refuse_renames,
            brake: Brake {
                enabled: self.brake_enabled,
                users: number("brake_users", &self.brake_users)?,
                percent: number("brake_percent", &self.brake_percent)?,
                window: number("brake_window", &self.brake_window)?,
            },
            record_days: number("record_days", &self.record_days)?,
            record_megabytes: number("record_megabytes", &self.record_megabytes)?,
        })
    }
}

fn page(
    who: &Administrator,
    form: &SettingsForm,
    said: Option<&str>,
    wrong: Option<Wrong>,
) -> Switches {
    let switch = |name, label, hint, on| Switch { name, label, hint, on };
    let number = |name, label: Message, hint: Message, value: &str| {
        let error = Wrong::at(wrong.as_ref(), name);
        Field::number(name, label).longest(10).hint(hint).value(value).error(error)
    };
    Switches {
        frame: Frame::new(who, Section::Scim, said),
        tab: "/settings",
        clients: [
            switch(
                "patch_without_body",
                key!("scim-set-patch"),
                key!("scim-set-patch-hint"),
                form.patch_without_body,
            ),
            switch(
                "always_emit_members",
                key!("scim-set-empty"),
                key!("scim-set-empty-hint"),
                form.always_emit_members,
            ),
            switch(
                "refuse_unknown_members",
                key!("scim-set-unknown"),
                key!("scim-set-unknown-hint"),
                form.refuse_unknown_members,
            ),
            switch(
                "allow_equal_group_names",
                key!("scim-set-equal"),
                key!("scim-set-equal-hint"),
                form.allow_equal_group_names,
            ),
            switch(
                "refuse_renames",
                key!("scim-set-renames"),
                key!("scim-set-renames-hint"),
                form.refuse_renames,
            ),
        ],
        brake: switch(
            "brake_enabled",
            key!("scim-set-brake"),
            key!("scim-set-brake-hint"),
            form.brake_enabled,
        ),
        brake_numbers: [
            number(
                "brake_users",
                key!("scim-set-users"),
                key!("scim-set-users-hint"),
                &form.brake_users,
            ),
            number(
                "brake_percent",
                key!("scim-set-percent"),
                key!("scim-set-percent-hint"),
                &form.brake_percent,
            ),
            number(
                "brake_window",
                key!("scim-set-window"),
                key!("scim-set-window-hint"),
                &form.brake_window,
            ),
        ],
        record_numbers: [
            number(
                "record_days",
                key!("scim-set-days"),
                key!("scim-set-days-hint"),
                &form.record_days,
            ),
            number(
                "record_megabytes",
                key!("scim-set-megabytes"),
                key!("scim-set-megabytes-hint"),
                &form.record_megabytes,
            ),
        ],
        mark: form.mark.clone(),
        wrong,
    }
}

pub(super) async fn show(
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let form = SettingsForm::of(&administrator.space()?.scim_settings.0);
    let mut page = page(&administrator, &form, query.done.as_deref(), None);
    page.mark = page.version().mark();
    Ok(Page::new(page).into_response())
}

pub(super) async fn save(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<SettingsForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let wrong = match form.settings() {
        Err(field) => Wrong::field(field, t!("no-whole-number")),
        Ok(settings) => {
            let act = &administrator.act;
            let saved = app
                .db
                .write(async |tx| -> Result<(), Unsaved<space::Error>> {
                    space::lock(tx, space.id).await?;
                    if let Some(now) = space::space(tx, space.id).await? {
                        let now = SettingsForm::of(&now.scim_settings.0);
                        let now = page(&administrator, &now, None, None).version();
                        unchanged(&form.mark, now)?;
                    }
                    let saved = space::set_scim_settings(tx, act, space, &settings);
                    saved.await.map_err(Unsaved::Room)
                })
                .await;
            match saved {
                Ok(()) => return Ok(done(&format!("{HERE}/settings"), "settings-saved")),
                Err(Unsaved::Meanwhile(now)) => {
                    let mine = page(&administrator, &form, None, None);
                    let here = format!("{HERE}/settings");
                    let place = Place {
                        title: key!("scim-switches"),
                        back: here.clone(),
                        back_label: t!("scim-switches"),
                        edit: here.clone(),
                        action: here,
                    };
                    let mine_says = mine.version();
                    return Ok(conflict(mine.frame, place, &now, mine_says));
                }
                Err(Unsaved::Room(error)) => Wrong::of(error.into())?,
            }
        }
    };
    let page = page(&administrator, &form, None, Some(wrong));
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
