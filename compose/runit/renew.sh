#!/bin/bash
# Once a day: renews what the box's own CA issued for servers, 30 days before its end or when the box's addresses changed.
# Broker and front door notice the new files by themselves. (With Compose a timer of the host does the same.)
set -eEuo pipefail

# Seconds: a day.
readonly INTERVAL=86400
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)

pause=''
stop() {
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  exit 0
}
trap stop TERM INT
while true; do
  "$root/install.sh" renew-certificates || echo 'renewal failed; trying again tomorrow'
  sleep "$INTERVAL" &
  pause=$!
  wait "$pause" || true
done
