//! Pages of a list, by position after a key so that they survive inserts.

/// What page is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The id of the last row of the page before; none for the first page.
    pub after: Option<i64>,
    /// Rows to skip from there; for clients that count.
    pub offset: i64,
    /// At most so many rows.
    pub limit: i64,
}

impl PageRequest {
    /// The first `limit` rows.
    pub const fn first(limit: i64) -> Self {
        Self { after: None, offset: 0, limit }
    }
}

/// One page and how many rows there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// How many rows all pages have together.
    pub total: i64,
    /// The id to go on after; none on the last page.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// A page out of one row more than was asked for: the extra one tells that there is a next
    /// page.
    pub fn of(mut rows: Vec<T>, total: i64, limit: i64, id: impl Fn(&T) -> i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(id) } else { None };
        Self { rows, total, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(change).collect(),
            total: self.total,
            next: self.next,
        }
    }
}
