#!/bin/sh
# tests/pki/make.sh: makes the certificates of the tests anew, all of them,
# with openssl.  They are committed, so that no test needs it.  The keys of
# the authorities are thrown away; key.pem belongs to every server.
#
#	root.pem	the authority that the tests trust
#	other.pem	one that vouches for nothing
#	ed25519.pem	one with a key that the library cannot read
#	server.pem	api.example.test and localhost, with its intermediate
#	leaf.pem	the same without
#	wildcard.pem	*.wild.example.test, with its intermediate
#	expired.pem	api.example.test until 2002, with its intermediate

set -eu
cd "$(dirname "$0")"
here=$(pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"

long='-startdate 20200101000000Z -enddate 21191231235959Z'
old='-startdate 20010101000000Z -enddate 20020101000000Z'

mkdir new
: >index
cat >conf <<'CONF'
[ca]
default_ca = here
[here]
dir = .
database = $dir/index
new_certs_dir = $dir/new
rand_serial = yes
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
organizationName = optional
[req]
distinguished_name = none
[none]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[intermediate]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
[server]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:api.example.test, DNS:localhost, IP:127.0.0.1
[wildcard]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:*.wild.example.test
CONF

p256() {
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
	    -out "$1"
}

# issue KEY NAME EXTENSIONS OUT DATES SIGNER..
issue() {
	openssl req -new -config conf -key "$1" -subj "/O=Spillway/CN=$2" \
	    -out request
	extensions=$3 out=$4 dates=$5
	shift 5
	# shellcheck disable=SC2086
	openssl ca -batch -config conf -notext -in request -out "$out" \
	    -extensions "$extensions" $dates "$@" 2>/dev/null
}

p256 root.key
p256 other.key
p256 intermediate.key
p256 key.pem
openssl genpkey -algorithm ED25519 -out ed25519.key

issue root.key 'test root' authority root.pem "$long" \
    -selfsign -keyfile root.key
issue other.key 'other root' authority other.pem "$long" \
    -selfsign -keyfile other.key
issue ed25519.key 'odd root' authority ed25519.pem "$long" \
    -selfsign -keyfile ed25519.key -md null
by_root='-cert root.pem -keyfile root.key'
# shellcheck disable=SC2086
issue intermediate.key 'test intermediate' intermediate intermediate.pem \
    "$long" $by_root

by='-cert intermediate.pem -keyfile intermediate.key'
# shellcheck disable=SC2086
{
	issue key.pem 'test server' server leaf.pem "$long" $by
	issue key.pem 'test wildcard' wildcard wild "$long" $by
	issue key.pem 'test expired' server old "$old" $by
}
cat leaf.pem intermediate.pem >server.pem
cat wild intermediate.pem >wildcard.pem
cat old intermediate.pem >expired.pem
cp root.pem other.pem ed25519.pem server.pem leaf.pem wildcard.pem \
    expired.pem key.pem "$here"
