//! Cursors: positions in a list, sealed, so that only ours come back and nobody reads them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::answer::Refusal;
use crate::{
    app::App,
    directory::scim::Position,
    id::SpaceId,
    scim::{Error, ErrorKind, list::Query},
    secret::sha256,
    web::Fault,
};

/// Seconds that a cursor is good for (RFC 9865 §4, `cursorTimeout`).
pub const TIMEOUT: u64 = 3600;

/// Where the next page begins.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cursor {
    /// Which of the kinds that are listed.
    pub kind: usize,
    /// The position among them; at their beginning without one.
    pub position: Option<Position>,
    /// What is listed.
    query: Vec<u8>,
    /// When it was made, in seconds.
    at: i64,
}

fn purpose(space: SpaceId) -> String {
    format!("scim cursor of {space}")
}

/// What makes a list another one. The size of a page may change on the way.
fn fingerprint(query: &Query, endpoint: &str) -> Vec<u8> {
    let text = format!("{endpoint}\n{:?}\n{:?}\n{}", query.filter, query.sort_by, query.descending);
    sha256(text.as_bytes()).to_vec()
}

/// The cursor of a request; none at the beginning.
pub fn open(
    app: &App,
    space: SpaceId,
    query: &Query,
    endpoint: &str,
) -> Result<Option<Cursor>, Refusal> {
    let Some(text) = query.cursor.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let invalid = |detail: &str| Error::new(ErrorKind::InvalidCursor, detail);
    let unknown = || invalid("This cursor was not made here");
    let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| unknown())?;
    let opened = app.sealer.open(&purpose(space), &sealed).map_err(|_| unknown())?;
    let cursor: Cursor = serde_json::from_slice(&opened).map_err(|_| unknown())?;
    if cursor.query != fingerprint(query, endpoint) {
        return Err(invalid("This cursor belongs to another query: begin with an empty one").into());
    }
    let age = app.clock.now().as_second().saturating_sub(cursor.at);
    if age > i64::try_from(TIMEOUT).unwrap_or(i64::MAX) {
        let detail = "This cursor is too old: begin with an empty one";
        return Err(Error::new(ErrorKind::ExpiredCursor, detail).into());
    }
    Ok(Some(cursor))
}

/// The text of a cursor.
pub fn seal(
    app: &App,
    space: SpaceId,
    query: &Query,
    endpoint: &str,
    kind: usize,
    position: Option<Position>,
) -> Result<String, Refusal> {
    let at = app.clock.now().as_second();
    let cursor = Cursor { kind, position, query: fingerprint(query, endpoint), at };
    let text = serde_json::to_vec(&cursor)
        .map_err(|_| Fault::Internal("a cursor could not be written"))?;
    let sealed = app.sealer.seal(&purpose(space), &text).map_err(Fault::from)?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}
