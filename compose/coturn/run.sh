#!/bin/bash
# Runs coturn in the foreground, natively (under runsv) and as the container's entry point. A new certificate is read without
# dropping a call. Another configuration, other addresses of the machine, and a day's end start it again; browsers find back
# by an ICE restart.
set -eEuo pipefail

: "${COTURN_CONF_DIR:?}" "${COTURN_RUN_DIR:?}" "${PKI_DIR:?}"
# Seconds. coturn asks for credentials when an allocation is made, and not again while it is renewed: a session that was ended
# keeps its allocation at most until then.
readonly LIFE=${COTURN_LIFE_SECONDS:-86400}
# Seconds between two looks.
readonly WATCH_INTERVAL=2

mkdir -p "$COTURN_RUN_DIR"
relay='' pause=''
stop() {
  trap - TERM INT
  # A child that is left over would hold the log open.
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  [[ -z $relay ]] || kill -TERM "$relay" 2>/dev/null || true
  [[ -z $relay ]] || timeout 5 tail --pid="$relay" -f /dev/null || kill -KILL "$relay" 2>/dev/null || true
  exit 0
}
trap stop TERM INT

# Inode, size and time: files are replaced by a rename, so that one of them always changes. coturn listens on the addresses that
# were there when it started; those of IPv6 come and go all day (RFC 8981), and are taken up at the day's end.
fingerprint() {
  stat -L -c '%i %s %Y' "$COTURN_CONF_DIR/turnserver.conf"
  hostname -I | tr ' ' '\n' | { grep -v : || true; } | sort
}
certificate() { stat -L -c '%i %s %Y' "$PKI_DIR/turn/turn.crt"; }

# Why it has to start again; nothing when it has not.
reason() {
  if [[ $(fingerprint) != "$started" ]]; then
    echo 'the configuration or the addresses changed'
  elif ((SECONDS - since >= LIFE)); then
    echo 'a day is over'
  fi
}

while true; do
  started=$(fingerprint) known=$(certificate) since=$SECONDS again=''
  turnserver -c "$COTURN_CONF_DIR/turnserver.conf" &
  relay=$!
  while kill -0 "$relay" 2>/dev/null; do
    sleep "$WATCH_INTERVAL" &
    pause=$!
    wait "$pause" || true
    again=$(reason)
    if [[ -n $again ]]; then
      echo "$again: starting coturn again"
      kill -TERM "$relay" 2>/dev/null || true
      break
    fi
    if [[ $(certificate) != "$known" ]]; then
      known=$(certificate)
      echo 'the certificate changed: reading it again'
      kill -USR2 "$relay" 2>/dev/null || true
    fi
  done
  code=0
  wait "$relay" || code=$?
  relay=''
  # The supervisor (runsv, the container engine) restarts us after a crash.
  [[ -n $again ]] || exit "$code"
done
