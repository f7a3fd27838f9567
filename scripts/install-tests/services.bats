#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2317 # the steps under test read the variables; bats runs each test in a subshell
# The runit tree, the systemd unit, and what is restarted when.

load helpers

setup() {
  setup_box
  configure_box
}

@test "every service has a run script, a log, a bound on that log, and a shell that reads it" {
  while IFS= read -r name; do
    sh -n "$ETC_DIR/sv/$name/run"
    sh -n "$ETC_DIR/sv/$name/log/run"
    grep -q '^s[0-9]' "$LOG_DIR/$name/config"
    sh -n "$ETC_DIR/native/$name.env"
  done < <(native_services)
}

@test "each part runs under a user of its own" {
  for pair in core:siphera panel:siphera-panel signaling:siphera-signaling camera:siphera-camera janus:siphera-janus coturn:siphera-turn mosquitto:siphera-mqtt \
    sip-bridge:siphera-sip kamailio:siphera-kamailio rtpengine-a:siphera-rtp rtpengine-b:siphera-rtp; do
    grep -q "chpst -u ${pair#*:}[: ]" "$ETC_DIR/sv/${pair%%:*}/run"
  done
}

@test "Kamailio is in the group of the spool, whose files may be the bridge's" {
  grep -q 'chpst -u siphera-kamailio:siphera-kamailio:siphera-sip ' "$ETC_DIR/sv/kamailio/run"
  run grep -lE 'chpst -u [a-z:-]+:siphera-sip[: ]' "$ETC_DIR"/sv/{core,panel,signaling,camera,janus,coturn,mosquitto,nginx,rtpengine-a}/run
  [ "$status" -ne 0 ]
}

@test "a change of the log level restarts what reads it, and an unchanged box restarts nothing" {
  CHANGED_SERVICES=() CHANGED_FILES=()
  write_services
  [ -z "$(services_to_restart)" ]
  MQTT_PORT=8884
  render_configuration
  write_services
  [ "$(services_to_restart | xargs)" = 'core mosquitto' ]
}

@test "an upgrade starts just the daemons anew whose scripts it changed" {
  cp -r "$COMPOSE_DIR" "$BATS_TEST_TMPDIR/compose"
  COMPOSE_DIR=$BATS_TEST_TMPDIR/compose
  CHANGED_SERVICES=() CHANGED_FILES=()
  write_services
  [ -z "$(services_to_restart)" ]
  echo '# new' >>"$COMPOSE_DIR/kamailio/modules.cfg"
  echo '# new' >>"$COMPOSE_DIR/rtpengine/run.sh"
  echo '# new' >>"$COMPOSE_DIR/janus/healthcheck.sh"
  write_services
  [ "$(services_to_restart | xargs)" = 'kamailio rtpengine-a rtpengine-b' ]
}

@test "footage to other systems by RTSP is off until it is given a port" {
  run grep RTSP "$ETC_DIR/native/camera.env"
  [ "$status" -ne 0 ]
  RTSP_PORT=8554
  write_services
  grep -qx "CAMERA_RTSP_LISTEN='0.0.0.0:8554'" "$ETC_DIR/native/camera.env"
}

@test "the relay is told to signaling with its ports, and the secret by its file alone" {
  grep -qx "TURN_URIS='turn:box.example.org:3478?transport=udp,turn:box.example.org:3478?transport=tcp,turns:box.example.org:5349?transport=tcp'" "$ETC_DIR/native/signaling.env"
  grep -qx "TURN_SECRET_FILE='$ETC_DIR/secrets/turn.secret'" "$ETC_DIR/native/signaling.env"
  run grep -rF "$(cat "$ETC_DIR/secrets/turn.secret")" "$ETC_DIR/native" "$ETC_DIR/sv"
  [ "$status" -ne 0 ]
}

@test "push services are told the admin's address, if there is one" {
  run grep PUSH "$ETC_DIR/native/signaling.env"
  [ "$status" -ne 0 ]
  ADMIN_EMAIL=site@example.org
  write_services
  grep -qx "PUSH_CONTACT='mailto:site@example.org'" "$ETC_DIR/native/signaling.env"
}

@test "a relay that is switched off goes, and signaling offers none" {
  [ -d "$ETC_DIR/sv/coturn" ]
  TURN_PORT=off
  write_services
  [ ! -d "$ETC_DIR/sv/coturn" ]
  grep -qx "TURN_URIS=''" "$ETC_DIR/native/signaling.env"
}

@test "phones that are switched off leave no service, no configuration and no port" {
  [ -d "$ETC_DIR/sv/kamailio" ]
  [ -s "$ETC_DIR/kamailio/kamailio.cfg" ]
  SIP_PORT=off
  render_configuration
  write_services
  for name in sip-bridge rtpengine-a rtpengine-b kamailio; do [ ! -d "$ETC_DIR/sv/$name" ]; done
  [ ! -e "$ETC_DIR/kamailio/kamailio.cfg" ]
  run open_ports
  [[ $output != *5060* && $output != *30000* ]]
}

@test "the two relays for sound share the ports without overlap" {
  RTP_PORTS=30000-30999
  [ "$(rtp_half a)" = '30000 30499' ]
  [ "$(rtp_half b)" = '30500 30999' ]
  RTP_PORTS=40001-40100
  [ "$(rtp_half a) $(rtp_half b)" = '40001 40050 40051 40100' ]
}

@test "nginx's workers get through to where a large body waits" {
  [ "$(stat -c %a "$ROOT/var/cache/siphera/nginx")" = 711 ]
}

@test "a firewall is told every port that must pass" {
  [ "$(open_ports)" = 'tcp 443 80 8883 12000 3478 5349 5060 5061, udp 12000 20000-20199 3478 5060 30000-30999' ]
  RTSP_PORT=8554 TURN_PORT=off SIP_PORT=off
  [ "$(open_ports)" = 'tcp 443 80 8883 12000 8554, udp 12000 20000-20199' ]
}

@test "a service that is no longer wanted goes" {
  [ -d "$ETC_DIR/sv/mdns" ]
  MDNS_NAME=none
  write_services
  [ ! -d "$ETC_DIR/sv/mdns" ]
}

@test "systemd accepts the units" {
  mkdir -p "$APP_DIR/compose/runit" "$BATS_TEST_TMPDIR/units"
  cp "$REPO/compose/runit/supervise.sh" "$APP_DIR/compose/runit/"
  cp "$REPO/install.sh" "$APP_DIR/"
  for unit in siphera.service siphera-renew.service siphera-renew.timer; do
    render "$COMPOSE_DIR/runit/$unit.template" >"$BATS_TEST_TMPDIR/units/$unit"
    run grep -vE '^(#.*|\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=.+|)$' "$BATS_TEST_TMPDIR/units/$unit"
    [ -z "$output" ]
  done
  # Where systemd is not installed, as in a container, the units are never used.
  if command -v systemd-analyze >/dev/null; then systemd-analyze verify "$BATS_TEST_TMPDIR"/units/*; fi
}

@test "nginx and mosquitto accept the rendered configuration" {
  sed -e '/^user /d' -e "s#include /etc/nginx/mime.types#include /etc/nginx/mime.types#" "$ETC_DIR/nginx/nginx.conf" >"$ETC_DIR/nginx/test.conf"
  mkdir -p "$RUN_DIR/nginx" "$ROOT/var/cache/siphera/nginx"
  nginx -t -q -c "$ETC_DIR/nginx/test.conf"
  run timeout 1 mosquitto -c "$ETC_DIR/mosquitto/mosquitto.conf"
  [[ $output != *'rror found at'* ]]
}

@test "coturn runs with the rendered configuration, as its user would" {
  sed -e 's/^listening-port=.*/listening-port=13478/' -e 's/^tls-listening-port=.*/tls-listening-port=15349/' "$ETC_DIR/coturn/turnserver.conf" >"$ETC_DIR/coturn/test.conf"
  echo listening-ip=127.0.0.1 >>"$ETC_DIR/coturn/test.conf"
  turnserver -c "$ETC_DIR/coturn/test.conf" >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
  relay=$!
  try_for 10 env TURN_LISTEN_PORT=13478 "$COMPOSE_DIR/coturn/healthcheck.sh"
  kill "$relay"
  wait "$relay" || true
  grep -q 'White listing: 127.84.85.86' "$BATS_TEST_TMPDIR/log"
  run grep -iE 'unknown|bad configuration|cannot find' "$BATS_TEST_TMPDIR/log"
  [ -z "$output" ]
  run grep -F "$(cat "$ETC_DIR/secrets/turn.secret")" "$BATS_TEST_TMPDIR/log"
  [ -z "$output" ]
}

@test "uninstall keeps settings, data and backups; --purge removes them" {
  mkdir -p "$PREFIX/app"
  echo data >"$DATA_DIR/core/core.sqlite"
  RECORDINGS_DIR=$ROOT/srv/footage
  mkdir -p "$RECORDINGS_DIR/lost+found" "$RECORDINGS_DIR/2026"
  echo footage >"$RECORDINGS_DIR/2026/segment.mp4"
  PURGE=no uninstall
  [ -s "$ETC_DIR/siphera.env" ]
  [ -s "$DATA_DIR/core/core.sqlite" ]
  [ -s "$RECORDINGS_DIR/2026/segment.mp4" ]
  [ ! -e "$PREFIX" ]
  remove_users() { :; }
  PURGE=yes uninstall
  [ ! -e "$ETC_DIR" ]
  [ ! -e "$DATA_DIR" ]
  [ "$(ls -A "$RECORDINGS_DIR")" = lost+found ]
}
