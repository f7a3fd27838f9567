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
# Core makes its socket here; panel and signaling reach it through the group.
chown siphera:siphera "$RUN_DIR"
chmod 750 "$RUN_DIR"
chmod 700 "$RUN_DIR/supervise"
rm -f "$RUN_DIR/core.sock"

runsvdir -P "$SV_DIR" &
runner=$!
echo $$ >"$RUN_DIR/supervise.pid"

any_running() {
  local service
  for service in "$SV_DIR"/*/; do
    [[ $(sv status "$service" 2>/dev/null) != run:* ]] || return 0
  done
  return 1
}

stop() {
  trap - TERM INT HUP
  # runsvdir passes TERM to each runsv and ends; each runsv then waits for its service.
  kill -HUP "$runner" 2>/dev/null || true
  for ((second = 0; second < STOP_SECONDS * 5; second++)); do
    any_running || break
    sleep 0.2
  done
  sv force-stop "$SV_DIR"/* >/dev/null 2>&1 || true
  rm -f "$RUN_DIR/supervise.pid"
  exit 0
}
trap stop TERM INT HUP

wait "$runner"
