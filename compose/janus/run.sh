#!/bin/bash
# Runs Janus in the foreground, natively (under runsv) and as the container's entry point, and starts it again when its
# configuration changed: another secret, or the machine has another address. Viewers reconnect by themselves within seconds.
set -eEuo pipefail

: "${JANUS_CONF_DIR:?}"
readonly WATCHED=("$JANUS_CONF_DIR/janus.jcfg" "$JANUS_CONF_DIR/janus.transport.websockets.jcfg")
# Seconds between two looks at the files, and until the end of Janus is noticed.
readonly WATCH_INTERVAL=1

janus='' pause=''
stop() {
  trap - TERM INT
  # A child that is left over would hold the log open.
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  [[ -z $janus ]] || kill -TERM "$janus" 2>/dev/null || true
  [[ -z $janus ]] || timeout 5 tail --pid="$janus" -f /dev/null || kill -KILL "$janus" 2>/dev/null || true
  exit 0
}
trap stop TERM INT

# Inode, size and time: files are replaced by a rename, so that one of them always changes.
fingerprint() { stat -L -c '%i %s %Y %n' "${WATCHED[@]}"; }

while true; do
  started=$(fingerprint)
  janus --configs-folder="$JANUS_CONF_DIR" --disable-colors &
  janus=$!
  while kill -0 "$janus" 2>/dev/null; do
    sleep "$WATCH_INTERVAL" &
    pause=$!
    wait "$pause" || true
    [[ $(fingerprint) == "$started" ]] || {
      echo 'the configuration changed: starting Janus again'
      kill -TERM "$janus" 2>/dev/null || true
      break
    }
  done
  code=0
  wait "$janus" || code=$?
  janus=''
  # The supervisor (runsv, the container engine) restarts us after a crash; a change of files is no crash.
  [[ $(fingerprint) != "$started" ]] || exit "$code"
done
