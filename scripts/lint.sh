#!/usr/bin/env bash
# What a reviewer should not have to look for: `make lint`.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$*"; "$@"; }
step cargo fmt --check
step cargo clippy --locked --all-targets -- -D warnings
# The fuzz targets are a crate of their own, and nothing else compiles them. Their dependencies are ours.
step cargo fmt --check --manifest-path fuzz/Cargo.toml
step cargo check --locked --bins --manifest-path fuzz/Cargo.toml --target-dir "${CARGO_TARGET_DIR:-target}"
RUSTDOCFLAGS='-D warnings' step cargo doc --locked --no-deps --document-private-items
if cargo deny --version >/dev/null 2>&1; then
    step cargo deny check
else
    printf '\n== cargo-deny is not installed: advisories, licences and sources were not checked\n'
fi
