#!/bin/bash
# Healthy when coturn asks a stranger for credentials (401). Bash alone: the image has no TURN client that would need none.
set -eEuo pipefail

ask() {
  local answer
  exec 3<>"/dev/udp/127.0.0.1/${TURN_LISTEN_PORT:-3478}"
  # Allocate (RFC 8656): type, length, cookie, and an id of twelve bytes.
  printf '\x00\x03\x00\x00\x21\x12\xa4\x42siphera-call' >&3
  answer=$(head -c 2 <&3 | od -An -tx1 | tr -d ' \n')
  [[ $answer == 0113 ]] || { echo "coturn said: ${answer:-nothing}" && return 1; }
}

export -f ask
exec timeout 4 bash -eEuo pipefail -c ask
