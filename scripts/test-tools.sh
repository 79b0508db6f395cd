#!/usr/bin/env bash
# Prepares the tools that only the tests use, outside the tree and once per version, and prints
# where they are as shell assignments:
#
#   eval "$(scripts/test-tools.sh)" && cargo nextest run
#
# A variable that is already set is left as it is, so that another tool can be put in its place.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'test tools: %s\n' "$*" >&2; }
cache=${XDG_CACHE_HOME:-$HOME/.cache}/identity-center
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9

# Python: the client libraries of tests/python/requirements.txt, by hash. It names all that are to
# be there, so pip looks for no others.
prepare_python() {
    local requirements=tests/python/requirements.txt key
    key=$({ python3 -c 'import sys; print(sys.version, sys.prefix)'; cat "$requirements"; } | sha256sum | cut -c 1-16)
    python=$cache/python-$key/bin/python
    [ ! -f "$cache/python-$key/complete" ] || return 0
    say "installing the Python packages of $requirements"
    rm -rf "$cache/python-$key"
    python3 -m venv "$cache/python-$key"
    "$python" -m pip install --quiet --no-input --disable-pip-version-check \
        --require-hashes --no-deps --requirement "$requirements" >&2
    touch "$cache/python-$key/complete"
}

# SimpleSAMLphp: Debian's package, unpacked and not installed, because the package wants Apache.
prepare_simplesamlphp() {
    local work
    simplesamlphp=$cache/simplesamlphp/usr/share/simplesamlphp
    [ ! -f "$simplesamlphp/www/index.php" ] || return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        say "SimpleSAMLphp comes from Debian's package. Elsewhere, unpack SimpleSAMLphp 1.19 and set" \
            "IDENTITY_CENTER_TEST_SIMPLESAMLPHP to the folder that holds its www folder."
        return 1
    fi
    say "downloading and unpacking SimpleSAMLphp"
    work=$(mktemp -d "$cache/simplesamlphp.XXXXXX")
    if ! (cd "$work" && apt-get -qq download simplesamlphp 2>/dev/null); then
        # The package lists of a fresh machine are empty.
        if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo apt-get -qq update; fi >&2
        (cd "$work" && apt-get -qq download simplesamlphp) >&2
    fi
    dpkg -x "$work"/simplesamlphp_*.deb "$work/unpacked"
    rm -rf "$cache/simplesamlphp"
    mv "$work/unpacked" "$cache/simplesamlphp"
    rm -rf "$work"
}

# LemonLDAP::NG: Debian's packages with the Perl libraries that they need, unpacked likewise.
prepare_lemonldap() {
    local work packages
    lemonldap=$cache/lemonldap
    [ ! -f "$lemonldap/complete" ] || return 0
    if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
        say "LemonLDAP::NG comes from Debian's packages. Elsewhere, unpack LemonLDAP::NG 2.16 with Lasso and its" \
            "Perl libraries and set IDENTITY_CENTER_TEST_LEMONLDAP to the folder that holds their usr folder."
        return 1
    fi
    packages=$(sed 's/#.*//' tests/idp/lemonldap.packages)
    say "downloading and unpacking LemonLDAP::NG"
    work=$(mktemp -d "$cache/lemonldap.XXXXXX")
    # shellcheck disable=SC2086
    if ! (cd "$work" && apt-get -qq download $packages 2>/dev/null); then
        # The package lists of a fresh machine are empty.
        if [ "$(id -u)" -eq 0 ]; then apt-get -qq update; else sudo apt-get -qq update; fi >&2
        (cd "$work" && apt-get -qq download $packages) >&2
    fi
    mkdir "$work/unpacked"
    for package in "$work"/*.deb; do dpkg -x "$package" "$work/unpacked"; done
    touch "$work/unpacked/complete"
    rm -rf "$lemonldap"
    mv "$work/unpacked" "$lemonldap"
    rm -rf "$work"
}

# axe-core, which looks for what keeps people out of a page: one file of a package that npm downloads,
# by hash.
prepare_axe() {
    local work version=4.14.1 hash=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
    axe=$cache/axe-core-$version/axe.min.js
    [ ! -f "$axe" ] || return 0
    if ! command -v npm >/dev/null; then
        say "axe-core comes by npm. Elsewhere, set IDENTITY_CENTER_TEST_AXE to its axe.min.js, version $version."
        return 1
    fi
    say "downloading axe-core $version"
    work=$(mktemp -d "$cache/axe.XXXXXX")
    (cd "$work" && npm pack --silent "axe-core@$version") >&2
    printf '%s  %s\n' "$hash" "$work/axe-core-$version.tgz" | sha256sum --check --quiet >&2
    tar -xzf "$work/axe-core-$version.tgz" -C "$work" package/axe.min.js package/LICENSE
    rm -rf "${axe%/*}"
    mv "$work/package" "${axe%/*}"
    rm -rf "$work"
}

first_of() {
    local name
    for name in "$@"; do command -v "$name" && return; done
    say "none of these is on PATH: $*"
    return 1
}

python=${IDENTITY_CENTER_TEST_PYTHON:-}
[ -n "$python" ] || prepare_python
simplesamlphp=${IDENTITY_CENTER_TEST_SIMPLESAMLPHP:-}
[ -n "$simplesamlphp" ] || prepare_simplesamlphp
lemonldap=${IDENTITY_CENTER_TEST_LEMONLDAP:-}
[ -n "$lemonldap" ] || prepare_lemonldap
axe=${IDENTITY_CENTER_TEST_AXE:-}
[ -n "$axe" ] || prepare_axe
chromium=${IDENTITY_CENTER_TEST_CHROMIUM:-$(first_of chromium chromium-browser google-chrome)}
chromedriver=${IDENTITY_CENTER_TEST_CHROMEDRIVER:-$(first_of chromedriver)}

printf 'export %s=%q\n' \
    IDENTITY_CENTER_TEST_PYTHON "$python" \
    IDENTITY_CENTER_TEST_SIMPLESAMLPHP "$simplesamlphp" \
    IDENTITY_CENTER_TEST_LEMONLDAP "$lemonldap" \
    IDENTITY_CENTER_TEST_AXE "$axe" \
    IDENTITY_CENTER_TEST_CHROMIUM "$chromium" \
    IDENTITY_CENTER_TEST_CHROMEDRIVER "$chromedriver"
