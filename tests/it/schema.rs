//! Both databases have the same tables, columns and indexes.

use std::collections::BTreeMap;

use crate::house::Database;

type Schema = BTreeMap<String, BTreeMap<String, (String, bool)>>;

/// The type of a column, in words both databases share.
fn common(kind: &str) -> &'static str {
    match kind {
        "INTEGER" | "bigint" | "boolean" => "number",
        "TEXT" | "text" | "timestamp with time zone" => "text",
        "BLOB" | "bytea" => "bytes",
        other => panic!("a type that only one database has: {other}"),
    }
}

#[tokio::test]
async fn sqlite_and_postgres_have_the_same_schema() {
    let Some(postgres) = Database::postgres().await else { return };
    let pool = sqlx::PgPool::connect(&postgres.url()).await.unwrap();
    let columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES'
         FROM information_schema.columns WHERE table_schema = 'public'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let loose: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND data_type = 'text'
           AND collation_name IS DISTINCT FROM 'C' AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(loose.is_empty(), "text without COLLATE \"C\": {loose:?}");
    let indexes: Vec<(String,)> = sqlx::query_as(
        "SELECT indexname::text FROM pg_indexes
         WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    pool.close().await;
    postgres.remove().await;

    let file = Database::sqlite();
    identity_center::store::Db::open(&file.url()).await.unwrap().close().await;
    let pool = sqlx::SqlitePool::connect(&file.url()).await.unwrap();
    let lite_columns: Vec<(String, String, String, bool)> = sqlx::query_as(
        "SELECT t.name, c.name, c.type, NOT c.\"notnull\" AND NOT c.pk
         FROM sqlite_master t JOIN pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let loose: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM pragma_table_list
         WHERE type = 'table' AND strict = 0 AND name NOT LIKE 'sqlite%'
           AND name <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(loose.is_empty(), "tables that are not STRICT: {loose:?}");
    let lite_indexes: Vec<(String,)> = sqlx::query_as(
        "SELECT name FROM sqlite_master WHERE type = 'index' AND name NOT LIKE 'sqlite%'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();

    let gather = |columns: Vec<(String, String, String, bool)>| {
        let mut schema = Schema::new();
        for (table, column, kind, nullable) in columns {
            if table != "_sqlx_migrations" {
                let column_of = schema.entry(table).or_default();
                column_of.insert(column, (common(&kind).to_owned(), nullable));
            }
        }
        schema
    };
    let (lite, postgres) = (gather(lite_columns), gather(columns));
    assert!(lite.len() > 20);
    assert_eq!(lite, postgres);
    let sorted = |mut names: Vec<(String,)>| {
        names.sort();
        names
    };
    assert_eq!(sorted(lite_indexes), sorted(indexes));
}
