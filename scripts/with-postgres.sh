#!/usr/bin/env bash
# Runs a command beside a private PostgreSQL cluster, which lives as long as the command:
#
#   scripts/with-postgres.sh cargo nextest run
#
# The command finds the cluster in IDENTITY_CENTER_TEST_POSTGRES (a superuser's URL). The cluster
# is made for speed and thrown away: nothing in it survives. With POSTGRES_DURABLE=yes it keeps
# what it is told, as it would in service, for benchmarks; its process is POSTGRES_PID then.
set -euo pipefail

[ $# -gt 0 ] || { echo "usage: $0 COMMAND…" >&2; exit 2; }
say() { printf 'postgresql: %s\n' "$*" >&2; }

# The newest server on the machine: Debian keeps them outside PATH.
bin=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1 || true)
if [ -z "$bin" ]; then
    command -v initdb >/dev/null || { say "no initdb on this machine: install PostgreSQL's server"; exit 1; }
    bin=$(dirname "$(command -v initdb)")
fi

# The server refuses to run as root, so root lends it to PostgreSQL's own user.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    id postgres >/dev/null 2>&1 || { say "running as root, and there is no user postgres to run the server as"; exit 1; }
    as_owner=(runuser -u postgres --)
fi

# Short, because a socket's path has 107 bytes at most, and where the owner can reach it.
make_folder() {
    local parent
    for parent in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
        folder=$(mktemp -d "$parent/ic-pg.XXXXXX") || continue
        [ ${#as_owner[@]} -eq 0 ] || chown postgres: "$folder"
        if [ ${#folder} -le 80 ] && (cd / && "${as_owner[@]}" test -w "$folder"); then return; fi
        rmdir "$folder"
    done
    say "no temporary folder that the server's user can write to"
    exit 1
}

stop() {
    trap - EXIT INT TERM HUP
    (cd / && "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1) || true
    rm -rf "$folder"
}

make_folder
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$password" >"$folder/password"
[ ${#as_owner[@]} -eq 0 ] || chown postgres: "$folder/password"
# "password" and not SCRAM: over loopback it hides nothing more, and spares thousands of hash
# rounds per connection in a client built for debugging.
(cd / && "${as_owner[@]}" "$bin/initdb" -D "$folder/data" -U identity_center -E UTF8 --locale=C --no-sync \
    --auth-local=trust --auth-host=password --pwfile="$folder/password" >"$folder/initdb.log" 2>&1) || {
    cat "$folder/initdb.log" >&2
    exit 1
}
rm -f "$folder/password"

if [ "${POSTGRES_DURABLE:-}" = yes ]; then
    settings="-c shared_buffers=512MB -c max_wal_size=4GB -c fsync=on -c synchronous_commit=on"
else
    settings="-c shared_buffers=128MB -c fsync=off -c synchronous_commit=off \
              -c full_page_writes=off -c autovacuum=off"
fi

# A port is free when the server could take it.
for _ in $(seq 20); do
    port=$((20000 + RANDOM % 12000))
    if (cd / && "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 60 start -o \
        "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$folder -c max_connections=300 \
         $settings" >/dev/null 2>&1); then
        started=yes
        break
    fi
done
[ "${started:-}" = yes ] || { say "the server did not start:"; tail -n 20 "$folder/log" >&2; exit 1; }

export IDENTITY_CENTER_TEST_POSTGRES="postgres://identity_center:$password@127.0.0.1:$port/postgres"
POSTGRES_PID=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null || true)
export POSTGRES_PID
"$@"
