#!/bin/sh
# Healthy when the front door answers over TLS with the certificate on disk. Trust is not the question here: the admin's own
# certificate may come from a CA this machine does not know.
set -eu
answer=$(printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' |
  timeout 4 openssl s_client -quiet -connect "127.0.0.1:${HTTPS_LISTEN_PORT:-8443}" 2>/dev/null | head -n 1)
case $answer in
  *' 200 '*) exit 0 ;;
  *) echo "nginx answered '$answer'" && exit 1 ;;
esac
