#!/bin/bash
# The parent of the native services: started by siphera.service, or by `siphera start` where there is no systemd.
# Ends only after every service has ended, so that a stop loses nothing that was being written.
set -eEuo pipefail
umask 022

readonly SV_DIR=${SIPHERA_SV_DIR:-/etc/siphera/sv}
readonly RUN_DIR=${SIPHERA_RUN_DIR:-/run/siphera}
# Seconds a service has to end; core's own bound is 8.
readonly STOP_SECONDS=20

mkdir -p "$RUN_DIR/supervise" "$RUN_DIR/nginx"
# Core makes its socket here; panel, signaling and camera reach it through the group.
chown siphera:siphera "$RUN_DIR"
chmod 750 "$RUN_DIR"
chmod 700 "$RUN_DIR/supervise"
rm -f "$RUN_DIR/core.sock"

runsvdir -P "$SV_DIR" &
runner=$!
echo $$ >"$RUN_DIR/supervise.pid"

# A runsv ends after its service and that one's log.
any_left() {
  local service
  for service in "$SV_DIR"/*/; do
    [[ $(sv status "$service" 2>&1) == fail:* ]] || return 0
  done
  return 1
}

wait_for_end() {
  local try
  for ((try = 0; try < $1 * 5; try++)); do
    any_left || return 0
    sleep 0.2
  done
  return 1
}

stop() {
  trap - TERM INT HUP
  # runsvdir passes TERM to each runsv and ends; each runsv then stops its service and waits for it.
  kill -HUP "$runner" 2>/dev/null || true
  wait_for_end "$STOP_SECONDS" || {
    echo "these did not end in time and are killed: $(sv status "$SV_DIR"/*/ 2>/dev/null | grep '^run:' | cut -d: -f2 | xargs)"
    sv kill "$SV_DIR"/*/ >/dev/null 2>&1 || true
    wait_for_end 3 || true
  }
  rm -f "$RUN_DIR/supervise.pid"
  exit 0
}
trap stop TERM INT HUP

wait "$runner"
