#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by templates
# The native services: a runit tree in /etc/siphera/sv, started by one systemd unit where systemd runs, else directly.
# Sourced by install.sh. Run scripts and environment files are derived: they follow siphera.env at every run.

native_services() {
  printf '%s\n' mosquitto core panel signaling janus camera nginx renew
  [[ $TURN_PORT == off ]] || printf '%s\n' coturn
  [[ $SIP_PORT == off ]] || printf '%s\n' sip-bridge rtpengine-a rtpengine-b kamailio
  [[ $MDNS_NAME == none ]] || printf '%s\n' mdns
}

# env_line NAME VALUE: for `.` in sh. Values come from checked settings; none holds a quote.
env_line() { printf "%s='%s'\n" "$1" "$2"; }

public_urls() {
  local name list=()
  IFS=, read -ra names <<<"$HOST_NAME,${MDNS_NAME/none/},$ADDRESSES"
  for name in "${names[@]}"; do
    [[ -n $name ]] || continue
    [[ $name != *:* ]] || name="[$name]"
    [[ " ${list[*]} " == *" https://$name$(port_suffix) "* ]] || list+=("https://$name$(port_suffix)")
  done
  (IFS=, && printf '%s' "${list[*]}")
}

core_env() {
  env_line CORE_HTTP_LISTEN 127.0.0.1:7080
  env_line CORE_INTERNAL_LISTEN "unix:$RUN_DIR/core.sock"
  env_line CORE_METRICS_LISTEN 127.0.0.1:7180
  env_line CORE_ADMIN_KEY_FILE "$ETC_DIR/secrets/admin.key"
  env_line DATA_DIR "$DATA_DIR/core"
  env_line MQTT_URL "mqtts://localhost:$MQTT_PORT"
  env_line MQTT_CERT_FILE "$ETC_DIR/pki/core/siphera-core.crt"
  env_line MQTT_KEY_FILE "$ETC_DIR/pki/core/siphera-core.key"
  env_line MQTT_CA_FILE "$ETC_DIR/pki/ca/ca.crt"
  env_line MQTT_PUBLIC_URL "mqtts://$HOST_NAME:$MQTT_PORT"
  env_line CA_DIR "$ETC_DIR/pki/ca"
  env_line PUBLIC_HOST_NAME "$HOST_NAME"
  env_line PUBLIC_URLS "$(public_urls)"
  env_line FRONT_CERT_FILE "$ETC_DIR/pki/front/front.crt"
  env_line SETUP_CODE_FILE "$DATA_DIR/core/setup-code"
  env_line BACKUP_DIR "$BACKUP_DIR"
  env_line ADMIN_EMAIL "$ADMIN_EMAIL"
}

panel_env() {
  env_line PANEL_HTTP_LISTEN 127.0.0.1:7082
  env_line PANEL_DC09_LISTEN "0.0.0.0:$DC09_PORT"
  env_line PANEL_METRICS_LISTEN 127.0.0.1:7182
  env_line CORE_INTERNAL_URL "unix:$RUN_DIR/core.sock"
  env_line DATA_DIR "$DATA_DIR/panel"
  env_line PANEL_KEY_FILE "$ETC_DIR/secrets/panel.key"
}

signaling_env() {
  env_line SIGNALING_LISTEN 127.0.0.1:7081
  env_line SIGNALING_METRICS_LISTEN 127.0.0.1:7181
  env_line CORE_INTERNAL_URL "unix:$RUN_DIR/core.sock"
  env_line PUBLIC_ORIGINS "$(public_urls)"
  env_line DATA_DIR "$DATA_DIR/signaling"
  env_line SIGNALING_KEY_FILE "$ETC_DIR/secrets/signaling.key"
  # Whom a push service writes to when this box misbehaves.
  [[ -z $ADMIN_EMAIL ]] || env_line PUSH_CONTACT "mailto:$ADMIN_EMAIL"
  env_line TURN_URIS "$(turn_uris)"
  env_line TURN_SECRET_FILE "$ETC_DIR/secrets/turn.secret"
}

# Where phones and browsers reach the relay, best way first; nothing when there is none.
turn_uris() {
  [[ $TURN_PORT == off ]] || printf 'turn:%s:%s?transport=udp,turn:%s:%s?transport=tcp,turns:%s:%s?transport=tcp' \
    "$HOST_NAME" "$TURN_PORT" "$HOST_NAME" "$TURN_PORT" "$HOST_NAME" "$TURNS_PORT"
}

camera_env() {
  env_line CAMERA_HTTP_LISTEN 127.0.0.1:7083
  env_line CAMERA_METRICS_LISTEN 127.0.0.1:7183
  [[ $RTSP_PORT == off ]] || env_line CAMERA_RTSP_LISTEN "0.0.0.0:$RTSP_PORT"
  env_line CORE_INTERNAL_URL "unix:$RUN_DIR/core.sock"
  env_line DATA_DIR "$DATA_DIR/camera"
  env_line RECORDINGS_DIR "$RECORDINGS_DIR"
  env_line STORAGE_ROOTS "$FOOTAGE_ROOT,/mnt,/srv"
  env_line CAMERA_KEY_FILE "$ETC_DIR/secrets/camera.key"
  env_line JANUS_URL "ws://127.0.0.1:$JANUS_PORT"
  env_line JANUS_SECRET_FILE "$ETC_DIR/secrets/janus.secret"
  env_line PUBLIC_HOST_NAME "$HOST_NAME"
  env_line PUBLIC_URL "https://$HOST_NAME$(port_suffix)"
}

sip_bridge_env() {
  env_line SIP_BRIDGE_LISTEN 127.0.0.1:7084
  env_line SIP_BRIDGE_METRICS_LISTEN 127.0.0.1:7184
  env_line CORE_INTERNAL_URL "unix:$RUN_DIR/core.sock"
  env_line DATA_DIR "$DATA_DIR/sip-bridge"
  env_line SIP_DIR "$DATA_DIR/sip"
  env_line SIP_BRIDGE_KEY_FILE "$ETC_DIR/secrets/sip-bridge.key"
  env_line SIP_SECRET_FILE "$ETC_DIR/secrets/sip.secret"
  env_line KAMAILIO_RPC_SECRET_FILE "$ETC_DIR/secrets/sip-rpc.secret"
  sip_bridge_places
}

# The same natively and in the container, which is on the host's network.
sip_bridge_places() {
  env_line SIP_DOMAIN "$HOST_NAME"
  env_line SIP_WEBSOCKET_URL "wss://$HOST_NAME$(port_suffix)/sip"
  env_line KAMAILIO_RPC_URL "http://127.0.0.1:$SIP_RPC_PORT/RPC"
  env_line KAMAILIO_EVENTS "127.0.0.1:$SIP_EVENTS_PORT"
  env_line RTPENGINE_CONTROL "a=127.0.0.1:$RTP_A_PORT,b=127.0.0.1:$RTP_B_PORT"
  env_line DTMF_LISTEN "127.0.0.1:$SIP_DTMF_PORT"
  env_line SIP_ADDRESS "${MEDIA_ADDRESS:-127.0.0.1}:$SIP_PORT"
  [[ ${SIPHERA_ALARM_CALLS_ABROAD:-no} != yes ]] || env_line ALARM_CALLS_ABROAD yes
  [[ -z $MEDIA_ADDRESS ]] || env_line MEDIA_ADDRESS "$MEDIA_ADDRESS"
}

kamailio_env() {
  env_line KAMAILIO_CONF_DIR "$ETC_DIR/kamailio"
  env_line KAMAILIO_RUN_DIR "$ROOT/var/cache/siphera/kamailio"
  env_line SIP_DIR "$DATA_DIR/sip"
  env_line SIP_PORT "$SIP_PORT"
  env_line SIPS_PORT "$SIPS_PORT"
  env_line SIP_CERT_FILE "$ETC_DIR/pki/sip/sip.crt"
  env_line SIP_KEY_FILE "$ETC_DIR/pki/sip/sip.key"
}

rtpengine_a_env() { rtpengine_env a "$RTP_A_PORT"; }
rtpengine_b_env() { rtpengine_env b "$RTP_B_PORT"; }
rtpengine_env() {
  local first last
  read -r first last < <(rtp_half "$1")
  env_line RTPENGINE_NAME "$1"
  env_line RTPENGINE_CONTROL "127.0.0.1:$2"
  env_line RTPENGINE_PORT_MIN "$first"
  env_line RTPENGINE_PORT_MAX "$last"
  env_line DTMF_LISTEN "127.0.0.1:$SIP_DTMF_PORT"
  [[ -z $MEDIA_ADDRESS ]] || env_line MEDIA_ADDRESS "$MEDIA_ADDRESS"
}

janus_env() {
  env_line JANUS_CONF_DIR "$ETC_DIR/janus"
  env_line JANUS_PORT "$JANUS_PORT"
}

coturn_env() {
  env_line COTURN_CONF_DIR "$ETC_DIR/coturn"
  env_line COTURN_RUN_DIR "$ROOT/var/cache/siphera/coturn"
  env_line PKI_DIR "$ETC_DIR/pki"
  env_line TURN_LISTEN_PORT "$TURN_PORT"
}

mosquitto_env() {
  env_line MOSQUITTO_CONF_DIR "$ETC_DIR/mosquitto"
  env_line PKI_DIR "$ETC_DIR/pki"
}

nginx_env() {
  env_line NGINX_CONF_DIR "$ETC_DIR/nginx"
  env_line NGINX_RUN_DIR "$RUN_DIR/nginx"
  env_line NGINX_CACHE_DIR "$ROOT/var/cache/siphera/nginx"
  env_line PKI_DIR "$ETC_DIR/pki"
}

mdns_env() { env_line MDNS_CONF "$ETC_DIR/avahi-daemon.conf"; }
renew_env() { env_line SIPHERA_ETC "$ETC_DIR"; }

common_env() {
  env_line LOG_LEVEL "$LOG_LEVEL"
  env_line NODE_ENV production
  env_line APP_DIR "$APP_DIR"
  env_line NODE "$PREFIX/node"
}

# Of a daemon's run.sh and of the configuration that is read where it lies: when an upgrade changes them the daemon starts anew, and only
# then, because calls and pictures go through it.
scripts_line() {
  local dir=$COMPOSE_DIR/$1
  [[ ! -d $dir ]] || env_line SCRIPTS_DIGEST "$(cd "$dir" &&
    find . -type f -not -name healthcheck.sh -not -name Dockerfile -not -name '*.template' -exec sha256sum {} + | LC_ALL=C sort -k 2 | sha256sum | cut -c 1-16)"
}

write_services() {
  local name changed
  make_dir "$ETC_DIR/sv" 755
  make_dir "$ETC_DIR/native" 755
  make_dir "$LOG_DIR" 755
  make_dir "$ROOT/var/cache/siphera" 755
  # nginx's master makes its own directories in it, for its workers alone; the workers must get through.
  make_dir "$ROOT/var/cache/siphera/nginx" 711
  make_dir "$ROOT/var/cache/siphera/coturn" 700 "$TURN_OWNER"
  make_dir "$ROOT/var/cache/siphera/kamailio" 700 "$KAMAILIO_OWNER"
  while IFS= read -r name; do
    changed=${#CHANGED_FILES[@]}
    { common_env && "${name//-/_}_env" && scripts_line "${name%-[ab]}"; } | write_file "$ETC_DIR/native/$name.env" 644
    write_service "$name"
    [[ ${#CHANGED_FILES[@]} -eq $changed ]] || CHANGED_SERVICES+=("$name")
  done < <(native_services)
  remove_unused_services
}

write_service() {
  local name=$1 SERVICE_NAME=$1 sv=$ETC_DIR/sv/$1 part
  make_dir "$sv" 755
  make_dir "$sv/log" 755
  make_dir "$LOG_DIR/$name" 750 siphera:adm
  for part in '' log/; do
    [[ $DRY_RUN == yes ]] || ln -sfn "$RUN_DIR/supervise/$name${part:+.log}" "$sv/${part}supervise"
  done
  render "$COMPOSE_DIR/runit/log.template" | write_file "$sv/log/run" 755
  # Ten files of 5 MB a service: a week of a busy box, and a bound.
  printf 's5000000\nn10\n' | write_file "$LOG_DIR/$name/config" 644
  # The two relays for sound are run alike.
  render "$COMPOSE_DIR/runit/${name%-[ab]}.template" | write_file "$sv/run" 755
  render "$COMPOSE_DIR/runit/finish.template" | write_file "$sv/finish" 755
}

remove_unused_services() {
  local dir
  for dir in "$ETC_DIR"/sv/*/; do
    [[ -d $dir ]] || continue
    native_services | grep -qx "$(basename "$dir")" || do_it rm -rf -- "${dir%/}"
  done
}

write_unit() {
  has_systemd || return 0
  render "$COMPOSE_DIR/runit/siphera.service.template" | write_file "$ROOT/etc/systemd/system/siphera.service" 644
  if have systemd-analyze && [[ $DRY_RUN == no ]]; then
    quietly systemd-analyze verify "$ROOT/etc/systemd/system/siphera.service" || fail 'systemd does not accept our unit' "look at the log $LOG_FILE"
  fi
  quietly systemctl daemon-reload
  quietly systemctl enable siphera.service
}

# Starts what is not running and restarts what has changed; a box that is as it should be is left alone.
start_services() {
  local name
  if [[ $DRY_RUN == yes ]]; then return; fi
  if ! box_is_running; then
    note 'starting the services'
    if has_systemd; then quietly systemctl start siphera.service; else start_directly; fi
    return
  fi
  for name in $(services_to_restart); do
    note "restarting $name"
    quietly sv -w 20 restart "$ETC_DIR/sv/$name" || true
  done
}

services_to_restart() {
  {
    if [[ ${APP_CHANGED:-no} == yes ]]; then printf '%s\n' core panel signaling camera sip-bridge renew; fi
    printf '%s\n' "${CHANGED_SERVICES[@]}"
    if [[ " ${CHANGED_FILES[*]} " == *"$ETC_DIR/mosquitto/mosquitto.conf "* ]]; then echo mosquitto; fi
    if [[ " ${CHANGED_FILES[*]} " == *"$ETC_DIR/nginx/"* ]]; then echo nginx; fi
  } | sed '/^$/d' | sort -u
}

start_directly() {
  mkdir -p "$RUN_DIR"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin setsid -f "$APP_DIR/compose/runit/supervise.sh" >>"$LOG_DIR/supervise.log" 2>&1 </dev/null
  try_for 10 test -s "$RUN_DIR/supervise.pid" || fail 'the supervisor did not start' "look at $LOG_DIR/supervise.log"
}

# True when a service and its health check are content.
service_is_up() {
  [[ $(sv status "$ETC_DIR/sv/$1" 2>/dev/null) == run:* ]] || return 1
  case $1 in
    core) http_ok 7180 ;;
    signaling) http_ok 7181 ;;
    panel) http_ok 7182 ;;
    camera) http_ok 7183 ;;
    sip-bridge) http_ok 7184 ;;
    kamailio) SIP_PORT=$SIP_PORT "$COMPOSE_DIR/kamailio/healthcheck.sh" >/dev/null 2>&1 ;;
    rtpengine-a) RTPENGINE_CONTROL=127.0.0.1:$RTP_A_PORT "$COMPOSE_DIR/rtpengine/healthcheck.sh" >/dev/null 2>&1 ;;
    rtpengine-b) RTPENGINE_CONTROL=127.0.0.1:$RTP_B_PORT "$COMPOSE_DIR/rtpengine/healthcheck.sh" >/dev/null 2>&1 ;;
    janus) env JANUS_PORT="$JANUS_PORT" "$COMPOSE_DIR/janus/healthcheck.sh" >/dev/null 2>&1 ;;
    coturn) TURN_LISTEN_PORT=$TURN_PORT "$COMPOSE_DIR/coturn/healthcheck.sh" >/dev/null 2>&1 ;;
    mosquitto) PKI_DIR=$ETC_DIR/pki MQTT_LISTEN_PORT=$MQTT_PORT "$COMPOSE_DIR/mosquitto/healthcheck.sh" >/dev/null 2>&1 ;;
    nginx) HTTPS_LISTEN_PORT=$HTTPS_PORT "$COMPOSE_DIR/nginx/healthcheck.sh" >/dev/null 2>&1 ;;
  esac
}

# By bash alone: a fresh Debian has no curl.
http_ok() {
  local status
  exec 9<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n' >&9
  IFS= read -r -t 3 status <&9 || true
  exec 9>&- 9<&-
  [[ $status == *' 200 '* ]]
} 2>/dev/null

wait_for_services() {
  local name
  if [[ $DRY_RUN == yes ]]; then return; fi
  while IFS= read -r name; do
    try_for 60 service_is_up "$name" || {
      warn "$name did not come up; its last words:"
      tail -n 5 "$LOG_DIR/$name/current" 2>/dev/null | cut -c1-400 >&2 || true
      fail "$name is not healthy" "siphera doctor; the log is $LOG_DIR/$name/current"
    }
    note "$name is up"
  done < <(native_services)
}
