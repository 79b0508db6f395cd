#!/usr/bin/env bash
# LemonLDAP::NG as a SAML identity provider on localhost, served by plackup.
#
#   lemonldap.sh start PORT SP_METADATA_FILE STATE_DIR   prints ENTITY_ID= and METADATA_FILE=
#   lemonldap.sh stop STATE_DIR
#
# On `localhost`, while the service under test is on 127.0.0.1. Each instance keeps everything it
# writes in its STATE_DIR. The people are those of its own demonstration: dwho, rtyler and msmith,
# whose passwords are their names. The NameID is their name, its format unspecified. Requests and
# logout messages are signed and must be.
#
# Environment:
#   IDENTITY_CENTER_TEST_LEMONLDAP  the unpacked Debian packages (only read): the folder with usr/
#   IDP_ENCRYPTS                    what it encrypts for the service: none (the default) or assertion
set -euo pipefail

usage() { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }

stop() {
    local pid_file=$1/plackup.pid pid
    [ -f "$pid_file" ] || return 0
    pid=$(cat "$pid_file")
    # The server leads a group of its own: its workers end with it.
    kill -- "-$pid" 2>/dev/null || true
    for _ in $(seq 50); do
        kill -0 -- "-$pid" 2>/dev/null || break
        sleep 0.05
    done
    rm -f "$pid_file"
}

case ${1:-} in
start) [ $# -eq 4 ] || usage ;;
stop) [ $# -eq 2 ] || usage; stop "$2"; exit 0 ;;
*) usage ;;
esac

port=$2 sp_metadata=$3
root=${IDENTITY_CENTER_TEST_LEMONLDAP:?the unpacked LemonLDAP::NG}
mkdir -p "$4"
state=$(cd "$4" && pwd)
stop "$state"
mkdir -p "$state"/{conf,cache,sessions/lock,psessions/lock,log}
if [ ! -f "$state/idp.pem" ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj '/CN=LemonLDAP::NG for tests' \
        -keyout "$state/idp.pem" -out "$state/idp.crt" 2>/dev/null
fi

machine=$(dpkg --print-architecture 2>/dev/null | sed 's/amd64/x86_64/; s/arm64/aarch64/')-linux-gnu
version=$(perl -e 'printf "%vd", $^V' | cut -d. -f1,2)
# The pictures that it would draw against robots need a library that nothing else does.
mkdir -p "$state/lib/GD"
echo 'package GD::SecurityImage; sub import {} 1;' >"$state/lib/GD/SecurityImage.pm"
export PERL5LIB=$state/lib:$root/usr/share/perl5:$root/usr/lib/$machine/perl5/$version
export LD_LIBRARY_PATH=$root/usr/lib/$machine:$root/usr/lib
export LLNG_DEFAULTCONFFILE=$state/lemonldap-ng.ini

cat >"$state/lemonldap-ng.ini" <<INI
[all]
logLevel = info
checkTime = 600
logger = Lemonldap::NG::Common::Logger::Std
userLogger = Lemonldap::NG::Common::Logger::Std
[configuration]
type = File
dirName = $state/conf
localStorage = Cache::FileCache
localStorageOptions = { 'namespace' => 'config', 'default_expires_in' => 600, 'directory_umask' => '007', 'cache_root' => '$state/cache', 'cache_depth' => 3 }
[portal]
staticPrefix = /static
templateDir = $root/usr/share/lemonldap-ng/portal/templates
languages = en
INI

STATE=$state PORT=$port SP_METADATA=$sp_metadata BASE=$root/var/lib/lemonldap-ng/conf/lmConf-1.json \
    perl -MJSON::PP -e '
    sub text { open my $f, "<", shift or die $!; local $/; <$f> }
    my ($state, $json) = ($ENV{STATE}, JSON::PP->new->canonical);
    my $conf = $json->decode(text($ENV{BASE}));
    my $store = sub { { Directory => "$state/$_[0]", LockDirectory => "$state/$_[0]/lock" } };
    %$conf = (
        %$conf,
        cfgNum => 1, portal => "http://localhost:$ENV{PORT}/", domain => "localhost",
        key => "0123456789abcdef", cookieName => "lemonldap$ENV{PORT}", securedCookie => 0,
        authentication => "Demo", userDB => "Same", passwordDB => "Null", registerDB => "Null",
        globalStorage => "Apache::Session::File", globalStorageOptions => $store->("sessions"),
        persistentStorage => "Apache::Session::File", persistentStorageOptions => $store->("psessions"),
        localSessionStorage => "Cache::FileCache",
        localSessionStorageOptions => { namespace => "sessions", default_expires_in => 600,
            directory_umask => "007", cache_root => "$state/cache", cache_depth => 3 },
        whatToTrace => "_whatToTrace", captcha_login_enabled => 0, requireToken => 0,
        demoExportedVars => { cn => "cn", mail => "mail", uid => "uid" },
        issuerDBSAMLActivation => 1, issuerDBSAMLRule => 1,
        samlServicePrivateKeySig => text("$state/idp.pem"), samlServicePrivateKeySigPwd => "",
        samlServicePublicKeySig => text("$state/idp.crt"),
        samlServiceSignatureMethod => "RSA_SHA256", samlServiceUseCertificateInResponse => 1,
        samlSPMetaDataXML => { sp => { samlSPMetaDataXML => text($ENV{SP_METADATA}) } },
        samlSPMetaDataExportedAttributes => { sp => { mail => "0;mail;;" } },
        samlSPMetaDataOptions => { sp => {
            samlSPMetaDataOptionsNameIDFormat => "unspecified",
            samlSPMetaDataOptionsNameIDSessionKey => "uid",
            samlSPMetaDataOptionsSignSSOMessage => 1, samlSPMetaDataOptionsSignSLOMessage => 1,
            samlSPMetaDataOptionsCheckSSOMessageSignature => 1,
            samlSPMetaDataOptionsCheckSLOMessageSignature => 1,
            samlSPMetaDataOptionsSessionNotOnOrAfterTimeout => 3600,
            samlSPMetaDataOptionsNotOnOrAfterTimeout => 300,
            samlSPMetaDataOptionsEncryptionMode => $ENV{IDP_ENCRYPTS} || "none",
        } },
    );
    open my $out, ">", "$state/conf/lmConf-1.json" or die $!;
    print $out $json->encode($conf);
'

# A cookie for the domain "localhost" is one that browsers do not take.
cat >"$state/portal.psgi" <<'PSGI'
use Lemonldap::NG::Portal::Main;
use Plack::Util;
my $portal = Lemonldap::NG::Portal::Main->run({});
sub {
    my $answer = $portal->(@_);
    Plack::Util::response_cb($answer, sub {
        my $headers = $_[0]->[1];
        for (my $i = 0; $i < @$headers; $i += 2) {
            $headers->[$i + 1] =~ s/;\s*domain=[^;]*//i if lc $headers->[$i] eq 'set-cookie';
        }
        return;
    });
};
PSGI

setsid perl "$root/usr/bin/plackup" -E deployment -s HTTP::Server::PSGI --max-workers 4 -o localhost -p "$port" \
    "$state/portal.psgi" >"$state/log/portal.log" 2>&1 </dev/null &
echo $! >"$state/plackup.pid"
entity_id=http://localhost:$port/saml/metadata
for _ in $(seq 100); do
    if curl -fsS --noproxy '*' "$entity_id" -o "$state/idp-metadata.xml" 2>/dev/null; then
        printf 'ENTITY_ID=%s\nMETADATA_FILE=%s\n' "$entity_id" "$state/idp-metadata.xml"
        exit 0
    fi
    sleep 0.1
done
echo "LemonLDAP::NG did not answer on port $port:" >&2
tail -n 20 "$state/log/portal.log" >&2
stop "$state"
exit 1
