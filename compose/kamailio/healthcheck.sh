#!/bin/bash
# Healthy when Kamailio answers OPTIONS by UDP, as a trunk or a phone asks it.
set -eEuo pipefail

ask() {
  local answer port=${SIP_PORT:-5060} id="$RANDOM$RANDOM"
  exec 3<>"/dev/udp/127.0.0.1/$port"
  printf '%s\r\n' "OPTIONS sip:127.0.0.1:$port SIP/2.0" "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK$id" \
    'From: <sip:health@127.0.0.1>;tag=health' "To: <sip:127.0.0.1:$port>" "Call-ID: health-$id" 'CSeq: 1 OPTIONS' \
    'Max-Forwards: 5' 'Content-Length: 0' '' | dd bs=2000 iflag=fullblock status=none >&3
  answer=$(head -c 11 <&3)
  [[ $answer == 'SIP/2.0 200'* ]] || { echo "Kamailio said: ${answer:-nothing}" && return 1; }
}

export -f ask
exec timeout 4 bash -eEuo pipefail -c ask
