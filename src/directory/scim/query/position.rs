//! Positions in a list, for paging by cursor (RFC 9865).

use serde::{Deserialize, Serialize};

use crate::store::Timestamp;

/// The place of the last resource of a page, in a list of some order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// In the order of their making.
    #[serde(rename = "i")]
    Id(i64),
    /// In the order of a time.
    #[serde(rename = "t")]
    Time(Timestamp, i64),
    /// In the order of a folded name.
    #[serde(rename = "n")]
    Text(String, i64),
    /// So many before it, where there is no other order to hold on to.
    #[serde(rename = "o")]
    Offset(u64),
}
