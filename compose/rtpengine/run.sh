#!/bin/bash
# Runs one of the two media relays in the foreground, natively (under runsv) and as the container's entry point: `RTPENGINE_NAME`
# is a or b, and each has its own ports. Without a kernel module, so that it needs no right of its own.
set -eEuo pipefail

case ${RTPENGINE_NAME:?} in
  a) control=2223 first=30000 last=31999 ;;
  b) control=2233 first=32000 last=33999 ;;
  *) echo 'RTPENGINE_NAME is a or b' && exit 1 ;;
esac
# The address that phones and trunks reach: what was given, or the one that the machine leaves by, or loopback alone.
media=${MEDIA_ADDRESS:-}
[[ -n $media ]] || media=$(ip -4 route get 192.0.2.1 2>/dev/null | sed -n 's/.* src \([0-9.]*\).*/\1/p')
[[ -n $media ]] || media=$(hostname -I | tr ' ' '\n' | { grep -v : || true; } | head -n 1)
[[ -n $media ]] || media=127.0.0.1

# Seconds: a call without sound for two minutes is over, one on hold lasts an hour; one nobody answered three minutes.
exec rtpengine --config-file=none --table=-1 --foreground --log-stderr --log-level="${RTPENGINE_LOG_LEVEL:-4}" \
  --interface="$media${MEDIA_ADVERTISED:+!$MEDIA_ADVERTISED}" \
  --listen-ng="${RTPENGINE_CONTROL:-127.0.0.1:$control}" \
  --port-min="${RTPENGINE_PORT_MIN:-$first}" --port-max="${RTPENGINE_PORT_MAX:-$last}" \
  --dtmf-log-dest="${DTMF_LISTEN:-127.0.0.1:5067}" \
  --timeout=120 --silent-timeout=3600 --offer-timeout=240 --delete-delay=2 --tos=184 --num-threads="${RTPENGINE_THREADS:-2}"
