#!/usr/bin/env bash
# Measures how fast SCIM is: `make bench`.
#
# Builds the release binary, starts a private PostgreSQL that keeps what it is told (fsync and
# synchronous_commit on) and runs benches/scim on SQLite and on it. The report is printed and put
# into target/bench. Settings: BENCH_USERS (1000000), BENCH_SECONDS (10) per figure,
# BENCH_DATABASES (sqlite,postgres), BENCH_ONLY (create,bulk,read,change,join,group,page).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh build

cargo bench --locked --bench scim --no-run
case "${BENCH_DATABASES:-sqlite,postgres}" in
    *postgres*) POSTGRES_DURABLE=yes scripts/with-postgres.sh cargo bench --locked --bench scim ;;
    *) cargo bench --locked --bench scim ;;
esac
