#!/bin/bash
# Healthy when the relay answers a ping of its control protocol (ng: a cookie, then bencoding).
set -eEuo pipefail

ask() {
  local answer control=${RTPENGINE_CONTROL:-}
  if [[ -z $control ]]; then if [[ ${RTPENGINE_NAME:-a} == b ]]; then control=127.0.0.1:2233; else control=127.0.0.1:2223; fi; fi
  exec 3<>"/dev/udp/${control%:*}/${control##*:}"
  printf 'health d7:command4:pinge' >&3
  answer=$(head -c 22 <&3)
  [[ $answer == *pong* ]] || { echo "rtpengine said: ${answer:-nothing}" && return 1; }
}

export -f ask
exec timeout 4 bash -eEuo pipefail -c ask
