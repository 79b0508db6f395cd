#!/bin/sh
# Fuzzes everything of the SCIM and SAML engines that reads what others send, each target for FUZZ_SECONDS
# (60 unless said otherwise). A stable toolchain is enough: the coverage that libFuzzer steers by
# is made by the compiler's own pass, so neither nightly nor cargo-fuzz is needed.
#
#   scripts/fuzz.sh [TARGET...]
#
# fuzz/corpus holds what real clients send and is committed; what the fuzzer finds besides goes to
# target/fuzz, and an input that fails stays there under failures.
set -eu
cd "$(dirname "$0")/.."

seconds=${FUZZ_SECONDS:-60}
# The folder the build goes to, wherever cargo has been told to put it.
out=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
targets=${*:-filter path patch document query bulk saml_response saml_metadata saml_request saml_logout}

if ! command -v c++ > /dev/null; then
    scripts/packages.sh build
fi

RUSTFLAGS="-Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares \
-Ccodegen-units=1 --cfg fuzzing" \
    cargo build --release --locked --bins --manifest-path fuzz/Cargo.toml \
    --target "$host" --target-dir "$out"

failed=
for target in $targets; do
    mkdir -p "$out/found/$target" "$out/failures/$target"
    log=$out/$target.log
    case $target in saml_*) dictionary=fuzz/saml.dict ;; *) dictionary=fuzz/scim.dict ;; esac
    # A filter or path is at most 8 KiB; bodies are larger, but everything in them fits as well.
    if "$out/$host/release/$target" "$out/found/$target" "fuzz/corpus/$target" \
        -max_total_time="$seconds" -max_len=16384 -timeout=5 -rss_limit_mb=1024 \
        -dict="$dictionary" -artifact_prefix="$out/failures/$target/" \
        -print_final_stats=1 > "$log" 2>&1; then
        echo "$target: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\) second.*/\1 runs in \2 s/p' "$log")," \
            "$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log") a second, no failure"
    else
        failed=1
        echo "$target: FAILED, see $log and $out/failures/$target"
        tail -n 20 "$log"
    fi
done
test -z "$failed"
