#!/usr/bin/env bash
# Measures how fast the API, SCIM and sign-in are: `make bench`; BENCH=api, scim or saml for one of them.
#
# Builds the release binary, starts a private PostgreSQL that keeps what it is told (fsync and
# synchronous_commit on) and runs the benches on SQLite and on it. The reports are printed and put
# into target/bench. Settings: BENCH_USERS (1000000), BENCH_SECONDS (10) per figure,
# BENCH_ASSIGNMENTS (10000; of api), BENCH_DATABASES (sqlite,postgres), BENCH_ONLY (create,bulk,read,change,join,group,page; of scim).
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/packages.sh build

for bench in ${BENCH:-api saml scim}; do
    cargo bench --locked --bench "$bench" --no-run
    case "${BENCH_DATABASES:-sqlite,postgres}" in
        *postgres*) POSTGRES_DURABLE=yes scripts/with-postgres.sh cargo bench --locked --bench "$bench" ;;
        *) cargo bench --locked --bench "$bench" ;;
    esac
done
