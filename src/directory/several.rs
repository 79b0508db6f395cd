//! Several users made by hand at once (USR-02, USR-03).

use super::{Error, NewUser, User, create_user};
use crate::{
    audit::Act,
    id::SpaceId,
    store::{self as database, Write},
};

/// How many users one call makes at most (USR-02).
pub const MOST_USERS_PER_CALL: usize = 10;

/// What becomes of the others when one of them cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRefusal {
    /// They are made (USR-03).
    MakeTheOthers,
    /// None of them is.
    MakeNone,
}

/// One that cannot be made.
#[derive(Debug)]
pub struct Refused {
    /// Its place among those that were to be made, from 0.
    pub place: usize,
    /// What speaks against it.
    pub error: Error,
}

/// Those that cannot be made, each with its row as people count them.
pub(super) fn sentences(refused: &[Refused]) -> String {
    let sentence = |one: &Refused| format!("row {}: {}", one.place + 1, one.error);
    refused.iter().map(sentence).collect::<Vec<_>>().join("; ")
}

/// Makes users in their order, each with an outcome of its own: one that is refused hides none of
/// the others. A name or an address that two of them have is the first one's.
///
/// An error is about all of them: then nothing that was done here may stay.
pub async fn create_users(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &[NewUser],
    limit: i64,
    on_refusal: OnRefusal,
) -> Result<Vec<Result<User, Error>>, Error> {
    if new.is_empty() || new.len() > MOST_USERS_PER_CALL {
        return Err(Error::UserCountInvalid(new.len()));
    }
    let mut outcomes = Vec::with_capacity(new.len());
    for one in new {
        match create_user(tx, act, space, one, limit).await {
            // A text that no database keeps is one row's fault.
            Err(Error::Store(error)) if !matches!(error, database::Error::Nul) => {
                return Err(Error::Store(error));
            }
            outcome => outcomes.push(outcome),
        }
    }
    match on_refusal {
        OnRefusal::MakeTheOthers => Ok(outcomes),
        OnRefusal::MakeNone if outcomes.iter().all(Result::is_ok) => Ok(outcomes),
        OnRefusal::MakeNone => {
            let refused = outcomes
                .into_iter()
                .enumerate()
                .filter_map(|(place, outcome)| outcome.err().map(|error| Refused { place, error }));
            Err(Error::NothingMade(refused.collect()))
        }
    }
}
