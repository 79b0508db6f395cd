#!/usr/bin/env bash
# Pictures of every page in target/screenshots, by the test that looks at each page:
# NAME.light.png, .dark.png, .narrow.png (320 px wide) and .zh-CN.png.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/packages.sh test
tools=$(scripts/test-tools.sh)
eval "$tools"
export IDENTITY_CENTER_SCREENSHOTS=$PWD/target/screenshots
rm -rf "$IDENTITY_CENTER_SCREENSHOTS"
cargo test --locked --test it _every_page_of_
printf 'The pictures are in %s\n' "${IDENTITY_CENTER_SCREENSHOTS#"$PWD/"}"
