#!/bin/bash
# Runs the broker in the foreground, natively (under runsv) and as the container's entry point, and restarts it when a
# certificate or the list of revoked certificates changes: Mosquitto reads those only at its start for new connections,
# and only a restart cuts a revoked device that is connected. Agents and core reconnect within a second.
set -eEuo pipefail

: "${MOSQUITTO_CONF_DIR:?}" "${PKI_DIR:?}"
readonly WATCHED=("$PKI_DIR/ca/crl.pem" "$PKI_DIR/ca/ca.crt" "$PKI_DIR/mqtt/mqtt.crt" "$MOSQUITTO_CONF_DIR/acl")
# Seconds between two looks at the files: how long a revoked device may stay connected.
readonly WATCH_INTERVAL=1

broker='' pause=''
stop() {
  trap - TERM INT
  # A child that is left over would hold the log open.
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  [[ -z $broker ]] || kill -TERM "$broker" 2>/dev/null || true
  [[ -z $broker ]] || wait "$broker" || true
  exit 0
}
trap stop TERM INT

# Inode, size and time: files are replaced by a rename, so that one of them always changes.
fingerprint() { stat -L -c '%i %s %Y %n' "${WATCHED[@]}"; }

while true; do
  started=$(fingerprint)
  mosquitto -c "$MOSQUITTO_CONF_DIR/mosquitto.conf" &
  broker=$!
  while kill -0 "$broker" 2>/dev/null; do
    sleep "$WATCH_INTERVAL" &
    pause=$!
    wait "$pause" || true
    [[ $(fingerprint) == "$started" ]] || {
      echo 'certificates or access rules changed: restarting the broker'
      kill -TERM "$broker" 2>/dev/null || true
      break
    }
  done
  code=0
  wait "$broker" || code=$?
  broker=''
  # The supervisor (runsv, the container engine) restarts us after a crash; a change of files is no crash.
  [[ $(fingerprint) != "$started" ]] || exit "$code"
done
