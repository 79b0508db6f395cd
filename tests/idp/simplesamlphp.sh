#!/usr/bin/env bash
# SimpleSAMLphp as a SAML identity provider on localhost, served by PHP's own server.
#
#   simplesamlphp.sh start PORT SP_METADATA_FILE STATE_DIR   prints ENTITY_ID= and METADATA_FILE=
#   simplesamlphp.sh stop STATE_DIR
#
# On `localhost`, while the service under test is on 127.0.0.1: to a browser these are two sites,
# so its posts to the assertion consumer service are as cross-site as in real life. Each instance
# keeps everything it writes in its STATE_DIR, so any number of them run side by side.
#
# Environment:
#   IDENTITY_CENTER_TEST_SIMPLESAMLPHP  the unpacked SimpleSAMLphp (it is only read)
#   IDP_USERS    name:password:mail:group,group;…     who can sign in
#   IDP_NAME_ID  uid (default) or mail: the attribute that becomes the NameID, format unspecified
#   IDP_SIGN     both (default), assertion or response
#
# It encrypts assertions if the service's metadata has a key for that.
set -euo pipefail

usage() { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }

stop() {
    local pid_file=$1/php.pid pid
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
library=${IDENTITY_CENTER_TEST_SIMPLESAMLPHP:?the unpacked SimpleSAMLphp}
mkdir -p "$4"
state=$(cd "$4" && pwd)
users=${IDP_USERS:-'alice:alice-password:alice@example.com:developers,administrators;bob:bob-password:bob@example.com:developers'}
name_id=${IDP_NAME_ID:-uid}
case ${IDP_SIGN:-both} in
both) sign_response=true sign_assertion=true ;;
assertion) sign_response=false sign_assertion=true ;;
response) sign_response=true sign_assertion=false ;;
*) usage ;;
esac

encrypt=false
if grep -q 'use="encryption"' "$sp_metadata"; then encrypt=true; fi

stop "$state"
mkdir -p "$state"/{config,metadata,cert,data,tmp,log,www}
ln -sfn "$library/www" "$state/www/simplesaml"
cp "$sp_metadata" "$state/metadata/sp.xml"
if [ ! -f "$state/cert/idp.pem" ]; then
    openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj '/CN=SimpleSAMLphp for tests' \
        -keyout "$state/cert/idp.pem" -out "$state/cert/idp.crt" 2>/dev/null
fi

base=http://localhost:$port/simplesaml/
entity_id=${base}saml2/idp/metadata.php
salt=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
cat >"$state/config/config.php" <<PHP
<?php
\$config = [
    'baseurlpath' => '$base',
    'certdir' => '$state/cert/', 'loggingdir' => '$state/log/', 'datadir' => '$state/data/', 'tempdir' => '$state/tmp/',
    'metadatadir' => '$state/metadata',
    'metadata.sources' => [
        ['type' => 'flatfile', 'directory' => '$state/metadata'],
        ['type' => 'xml', 'file' => '$state/metadata/sp.xml'],
    ],
    'secretsalt' => '$salt', 'auth.adminpassword' => '$salt',
    'technicalcontact_name' => 'tests', 'technicalcontact_email' => 'na@example.org', 'timezone' => 'UTC',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true, 'core' => true, 'saml' => true],
    'store.type' => 'phpsession', 'session.duration' => 3600, 'session.cookie.secure' => false,
    // Cookies know no ports: the names keep instances on one host apart.
    'session.cookie.name' => 'IdpSession$port', 'session.phpsession.cookiename' => 'IdpPhp$port',
    'session.authtoken.cookiename' => 'IdpToken$port', 'session.phpsession.savepath' => '$state/tmp',
    'logging.level' => SimpleSAML\\Logger::INFO, 'logging.handler' => 'file', 'logging.logfile' => 'simplesamlphp.log',
    'showerrors' => true, 'errorreporting' => false, 'production' => false,
    'language.default' => 'en', 'language.available' => ['en'],
];
PHP
echo '<?php $config = [];' >"$state/config/acl.php"

{
    echo '<?php'
    echo '$config = ['
    echo "    'people' => ['exampleauth:UserPass',"
    while IFS=: read -r name password mail groups; do
        [ -n "$name" ] || continue
        printf "        '%s:%s' => ['uid' => ['%s'], 'mail' => ['%s'], 'groups' => ['%s']],\n" \
            "$name" "$password" "$name" "$mail" "${groups//,/"', '"}"
    done < <(printf '%s\n' "$users" | tr ';' '\n')
    echo '    ],'
    echo '];'
} >"$state/config/authsources.php"

cat >"$state/metadata/saml20-idp-hosted.php" <<PHP
<?php
\$metadata['$entity_id'] = [
    'host' => '__DEFAULT__', 'privatekey' => 'idp.pem', 'certificate' => 'idp.crt', 'auth' => 'people',
    'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    'saml20.sign.response' => $sign_response, 'saml20.sign.assertion' => $sign_assertion,
    'assertion.encryption' => $encrypt,
    // Logout is signed both ways.
    'sign.logout' => true, 'validate.logout' => true,
    'SingleLogoutServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'SingleSignOnServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
    'NameIDFormat' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
    'authproc' => [
        // The same value whichever of these formats the service asks for.
        1 => ['class' => 'saml:AttributeNameID', 'attribute' => '$name_id',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified'],
        2 => ['class' => 'saml:AttributeNameID', 'attribute' => '$name_id',
            'Format' => 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress'],
        3 => ['class' => 'saml:AttributeNameID', 'attribute' => '$name_id',
            'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
    ],
];
PHP

# Several workers, because a browser asks for several things at once.
SIMPLESAMLPHP_CONFIG_DIR=$state/config PHP_CLI_SERVER_WORKERS=4 setsid php \
    -d error_reporting=0 -d display_errors=0 -d variables_order=EGPCS -d session.save_path="$state/tmp" \
    -S "localhost:$port" -t "$state/www" >"$state/log/php.log" 2>&1 </dev/null &
echo $! >"$state/php.pid"
for _ in $(seq 100); do
    if curl -fsS --noproxy '*' "$entity_id" -o "$state/idp-metadata.xml" 2>/dev/null; then
        printf 'ENTITY_ID=%s\nMETADATA_FILE=%s\n' "$entity_id" "$state/idp-metadata.xml"
        exit 0
    fi
    sleep 0.1
done
echo "SimpleSAMLphp did not answer on port $port:" >&2
tail -n 20 "$state/log/php.log" >&2
stop "$state"
exit 1
