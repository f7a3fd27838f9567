#!/bin/bash
# Runs nginx in the foreground, natively (under runsv) and as the container's entry point, and makes it read its
# certificate again when that was renewed, without dropping a connection.
set -eEuo pipefail

: "${NGINX_CONF_DIR:?}" "${NGINX_RUN_DIR:?}" "${NGINX_CACHE_DIR:?}" "${PKI_DIR:?}"
readonly WATCHED=("$PKI_DIR/front/front.crt" "$NGINX_CONF_DIR/nginx.conf")
# Seconds between two looks at the files.
readonly WATCH_INTERVAL=5

mkdir -p "$NGINX_RUN_DIR" "$NGINX_CACHE_DIR"
server='' pause=''
stop() {
  trap - TERM INT
  # A child that is left over would hold the log open.
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  # QUIT lets open requests end; runsv and the engine kill after their own patience.
  [[ -z $server ]] || kill -QUIT "$server" 2>/dev/null || true
  [[ -z $server ]] || timeout 5 tail --pid="$server" -f /dev/null || kill -TERM "$server" 2>/dev/null || true
  exit 0
}
trap stop TERM INT

# Files, and in Compose the addresses of the services: nginx resolves a name only when it reads its configuration.
fingerprint() {
  stat -L -c '%i %s %Y %n' "${WATCHED[@]}"
  local host
  for host in ${UPSTREAM_HOSTS-}; do getent ahostsv4 "$host" || true; done
}

known=$(fingerprint)
nginx -c "$NGINX_CONF_DIR/nginx.conf" -g 'daemon off;' &
server=$!
while kill -0 "$server" 2>/dev/null; do
  sleep "$WATCH_INTERVAL" &
  pause=$!
  wait "$pause" || true
  now=$(fingerprint)
  if [[ $now != "$known" ]]; then
    known=$now
    echo 'certificate, configuration or addresses changed: reading them again'
    kill -HUP "$server" 2>/dev/null || true
  fi
done
wait "$server"
