#!/bin/sh
# Reference client: client.sh METHOD URL [FILE]; needs curl and openssl.
# openssl takes the secret as an argument: others on the same machine can see it while it runs.
set -eu
method=$1 url=$2 file=${3:-/dev/null}
rest=${url#*://} authority=${rest%%[/?]*}
target=${rest#"$authority"} path=${target%%\?*} query=
case $target in *\?*) query=${target#*\?} ;; esac
digest="sha-256=:$(openssl dgst -sha256 -binary "$file" | openssl base64 -A):"
inputs='("@method" "@authority" "@path" "@query" "content-digest")'
inputs="$inputs;created=$(date +%s);nonce=\"$(openssl rand -hex 16)\";keyid=\"$ONLINE_GUARD_KEY_ID\""
signature=$(printf '"@method": %s\n"@authority": %s\n"@path": %s\n"@query": ?%s\n"content-digest": %s\n"@signature-params": %s' \
  "$method" "$(echo "$authority" | tr A-Z a-z)" "${path:-/}" "$query" "$digest" "$inputs" |
  openssl dgst -sha256 -hmac "$ONLINE_GUARD_SECRET" -binary | openssl base64 -A)
curl --silent --show-error --fail-with-body --request "$method" --data-binary "@$file" \
  --header "Content-Type: application/json" --header "Content-Digest: $digest" \
  --header "Signature-Input: sig=$inputs" --header "Signature: sig=:$signature:" "$url"
