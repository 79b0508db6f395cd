#!/usr/bin/env bash
# Every test, with everything the tests start: `make test`. An argument runs only the tests whose
# name contains it.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${IDENTITY_CENTER_TEST_COMPLETE:-}" ]; then
    scripts/packages.sh test
    tools=$(scripts/test-tools.sh)
    eval "$tools"
    # A tool that a test misses is from here on a failure, and no reason to skip.
    export IDENTITY_CENTER_TEST_COMPLETE=1
    # A snapshot that changed fails; a run never rewrites it.
    export INSTA_UPDATE=no
    [ -n "${IDENTITY_CENTER_TEST_POSTGRES:-}" ] || exec scripts/with-postgres.sh scripts/test.sh "$@"
fi

names=() seconds=() results=()
suite() {
    local name=$1 start=$SECONDS result=passed
    shift
    printf '\n== %s: %s\n' "$name" "$*"
    "$@" || result=FAILED
    names+=("$name") seconds+=($((SECONDS - start))) results+=("$result")
}

# nextest runs each test in a process of its own, several at a time; cargo does without it.
tests_of() {
    local target=(--"$1")
    shift
    [ "${target[0]}" = --lib ] || target=(--test "${target[0]#--}")
    if cargo nextest --version >/dev/null 2>&1; then
        # With a name given, a suite may have nothing of that name.
        cargo nextest run --locked --no-fail-fast --no-tests="$([ $# -eq 0 ] && echo fail || echo pass)" \
            "${target[@]}" "$@"
    else
        cargo test --locked --no-fail-fast "${target[@]}" -- "$@"
    fi
}

suite build cargo test --locked --no-run --lib --bins --tests
if [ "${results[0]}" = passed ]; then
    # What is true of the whole house: seconds each.
    for target in rooms rules messages console_only; do
        suite "$target" tests_of "$target" "$@"
    done
    suite unit tests_of lib "$@"
    suite integration tests_of it "$@"
    suite examples cargo test --locked --doc "$@"
fi

printf '\n%-14s %8s\n' suite seconds
for i in "${!names[@]}"; do
    printf '%-14s %8s  %s\n' "${names[i]}" "${seconds[i]}" "${results[i]}"
done
case " ${results[*]} " in *' FAILED '*) exit 1 ;; esac
