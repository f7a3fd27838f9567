#!/bin/bash
# Healthy when Janus answers a ping on its WebSocket. Bash alone: the image has no HTTP client. A ping needs no secret.
set -eEuo pipefail

answer() {
  local line reply
  exec 3<>"/dev/tcp/127.0.0.1/${JANUS_PORT:-7088}"
  printf 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: janus-protocol\r\nSec-WebSocket-Key: c2lwaGVyYS1oZWFsdGgtMQ==\r\n\r\n' >&3
  IFS= read -r line <&3
  [[ $line == *' 101 '* ]]
  while IFS= read -r line <&3 && [[ $line != $'\r' ]]; do :; done
  # One text frame (RFC 6455 §5.2): a masked payload of 37 bytes, the mask being zero so that it stands there as it is.
  printf '\x81\xa5\0\0\0\0{"janus":"ping","transaction":"ping"}' >&3
  IFS= read -r -d '}' reply <&3
  [[ $reply == *'"pong"'* ]] || { echo "Janus said: ${reply:2}" && return 1; }
}

export -f answer
exec timeout 4 bash -eEuo pipefail -c answer
