#!/usr/bin/env bash
# Makes sure that what the build (and the tests) need is on this machine.
# On Debian what is missing is installed with apt-get; elsewhere it is named.
#
#   scripts/packages.sh build     compiler, libraries and headers
#   scripts/packages.sh test      these, and what the tests start: PostgreSQL, PHP, Chromium, Python; what
#                             their pictures are written with: Chinese letters
set -euo pipefail

scope=${1:-}
case $scope in build | test) ;; *) echo "usage: $0 build|test" >&2; exit 2 ;; esac

say() { printf 'packages: %s\n' "$*" >&2; }

# One check per need: a need that something else than Debian's package meets is met.
has_library() { pkg-config --exists "$1" 2>/dev/null; }
has_file() { compgen -G "$1" >/dev/null; }
has_libclang() {
    has_file "${LIBCLANG_PATH:-/nowhere}/libclang*.so*" || has_file '/usr/lib/llvm-*/lib/libclang*.so*' ||
        has_file '/usr/lib*/libclang*.so*' || has_file '/usr/local/lib*/libclang*.so*'
}
has_python_venv() { python3 -c 'import ensurepip, venv, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }
has_php() { php -r "exit(extension_loaded('$1') ? 0 : 1);" 2>/dev/null; }
has_chinese_letters() {
    has_file '/usr/share/fonts/truetype/wqy/*' || has_file '/usr/share/fonts/opentype/noto/*CJK*' ||
        [ -n "$(fc-list :lang=zh-cn family 2>/dev/null)" ]
}
has_postgresql() { has_file '/usr/lib/postgresql/*/bin/initdb' || command -v initdb >/dev/null; }
has_chromium() { command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null; }

# Debian's package, then the command that succeeds when it is not needed.
build_needs='
build-essential     cc --version
pkg-config          pkg-config --version
libssl-dev          has_library openssl
libxml2-dev         has_library libxml-2.0
libxmlsec1-dev      has_library xmlsec1-openssl
libclang-dev        has_libclang
clang               clang --version
'
test_needs='
postgresql          has_postgresql
chromium            has_chromium
chromium-driver     chromedriver --version
php-cli             php --version
php-xml             has_php dom
php-mbstring        has_php mbstring
php-curl            has_php curl
php-sqlite3         has_php pdo_sqlite
xmlsec1             xmlsec1 --version
python3             python3 --version
python3-venv        has_python_venv
openssl             openssl version
curl                curl --version
npm                 npm --version
fonts-wqy-microhei  has_chinese_letters
'

missing() {
    local package check
    while read -r package check; do
        [ -n "$package" ] || continue
        eval "$check" >/dev/null 2>&1 || printf '%s\n' "$package"
    done <<<"$needs"
}

if ! command -v cargo >/dev/null; then
    say "cargo is not on PATH. Install a Rust toolchain (the version is rust-version in Cargo.toml), then try again."
    exit 1
fi

needs=$build_needs
[ "$scope" = build ] || needs+=$test_needs
mapfile -t wanted < <(missing)
[ ${#wanted[@]} -gt 0 ] || exit 0

if ! (. /etc/os-release && [ "$ID" = debian ]) 2>/dev/null || ! command -v apt-get >/dev/null; then
    say "not a Debian system, so nothing is installed. Missing (Debian's package names):"
    printf '  %s\n' "${wanted[@]}" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        say "missing, and neither root nor sudo to install them with. As root: apt-get install ${wanted[*]}"
        exit 1
    fi
    as_root=(sudo)
fi
say "installing with apt-get: ${wanted[*]}"
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends "${wanted[@]}"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    say "apt-get failed: the last lines of what it said are above"
    exit 1
fi

mapfile -t wanted < <(missing)
[ ${#wanted[@]} -eq 0 ] || { say "still missing after the installation: ${wanted[*]}"; exit 1; }
