//! The mass-change brake (SCIM-21): how it stands, and letting a directory pass it for a time.

use axum::{Form, extract::State, response::Response};
use serde::Deserialize;

use super::{HERE, fault};
use crate::{
    app::App,
    directory::scim::brake_state,
    space::{self, Brake, Space},
    store::{Read, Timestamp},
    web::{
        Fault,
        console::{Administrator, frame::done, words},
        pages::{PageError, Problem},
    },
};

const HOUR: i64 = 3600;
/// For how many hours it can be lifted.
static HOURS: [i64; 3] = [1, 4, 24];

/// How the brake of a space stands, in words.
pub struct Standing {
    /// Its numbers.
    brake: Brake,
    /// Users who went within its window.
    pub going: i64,
    /// When it took hold, if it holds now.
    pub held_at: Option<Timestamp>,
    /// Until when it lets everything pass.
    pub lifted_until: Option<Timestamp>,
}

impl Standing {
    /// How it stands at this moment.
    pub async fn of(tx: &mut Read, space: &Space, now: Timestamp) -> Result<Self, Fault> {
        let state = brake_state(tx, space, now).await.map_err(fault)?;
        let brake = space.scim_settings.0.brake;
        let holds = brake.enabled && state.lifted_until.is_none();
        Ok(Self {
            brake,
            going: state.going,
            held_at: state.held_at.filter(|_| holds),
            lifted_until: state.lifted_until,
        })
    }

    /// Whether there is one at all.
    pub fn enabled(&self) -> bool {
        self.brake.enabled
    }

    /// The class of its badge, and its word.
    pub fn badge(&self) -> words::Badge {
        match (self.brake.enabled, self.lifted_until, self.held_at) {
            (false, ..) => ("", key!("brake-off")),
            (true, Some(_), _) => ("badge-warn", key!("brake-lifted")),
            (true, None, Some(_)) => ("badge-bad", key!("brake-holds")),
            (true, None, None) => ("badge-good", key!("brake-ready")),
        }
    }

    /// When it takes hold.
    pub fn rule(&self) -> String {
        let Brake { users, percent, window, .. } = self.brake;
        let window = words::duration(window);
        t!("scim-brake-rule", users = users, percent = percent, window = window)
    }

    /// For how many hours it can be lifted.
    #[expect(clippy::unused_self, reason = "reads well in the template")]
    pub fn choice(&self) -> &'static [i64] {
        &HOURS
    }
}

#[derive(Deserialize)]
pub(super) struct LiftForm {
    hours: i64,
}

pub(super) async fn lift(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<LiftForm>,
) -> Result<Response, PageError> {
    if !HOURS.contains(&form.hours) {
        return Err(Problem::refused("Refused", t!("scim-brake-hours")).into());
    }
    let until = administrator.act.now.plus_seconds(form.hours * HOUR);
    set(&app, &administrator, Some(until)).await?;
    Ok(done(HERE, "brake-lifted"))
}

pub(super) async fn back(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    set(&app, &administrator, None).await?;
    Ok(done(HERE, "brake-back"))
}

async fn set(app: &App, who: &Administrator, until: Option<Timestamp>) -> Result<(), PageError> {
    let space = who.space()?;
    app.db.write(async |tx| space::lift_scim_brake(tx, &who.act, space, until).await).await?;
    Ok(())
}
