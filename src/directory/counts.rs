//! The counters that triggers keep in step with users and groups.

use crate::store::{self as database, Kind, Write, sql};

/// Folds the counters of PostgreSQL's connections into one, those aside that somebody is counting
/// in at this moment. On SQLite there is only the one.
pub async fn fold_counts(tx: &mut Write) -> database::Result<()> {
    if tx.kind() == Kind::Sqlite {
        return Ok(());
    }
    sql("WITH loose AS (
             SELECT space_id, kind, source, slot FROM directory_counts WHERE slot <> 0
             FOR UPDATE SKIP LOCKED
         ), gone AS (
             DELETE FROM directory_counts c USING loose l
             WHERE c.space_id = l.space_id AND c.kind = l.kind AND c.source = l.source
               AND c.slot = l.slot
             RETURNING c.space_id, c.kind, c.source, c.total, c.removed
         )
         INSERT INTO directory_counts AS c (space_id, kind, source, slot, total, removed)
         SELECT space_id, kind, source, 0, SUM(total), SUM(removed) FROM gone
         GROUP BY space_id, kind, source
         ON CONFLICT (space_id, kind, source, slot)
         DO UPDATE SET total = c.total + excluded.total, removed = c.removed + excluded.removed")
    .execute(tx)
    .await?;
    Ok(())
}
