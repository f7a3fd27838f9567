#!/usr/bin/env bats
# shellcheck disable=SC2034,SC2030,SC2031 # the steps under test read the variables; bats runs each test in a subshell
# Compose mode with an engine that only writes down what it was asked. The real one is for npm run test:compose.

load helpers

setup() {
  setup_box
  MODE=docker
  set_owners
  fake docker
  configure_docker
}

configure_docker() {
  make_directories
  write_settings
  make_secrets
  make_certificates
  render_configuration
  write_compose_env
  write_renewal
}

@test "a second run changes no file" {
  before=$(snapshot)
  configure_docker
  [ "$before" = "$(snapshot)" ]
}

@test "the services get an authority of their own, whose key none of them can read" {
  openssl verify -CAfile "$ETC_DIR/pki/internal/ca/ca.crt" "$ETC_DIR/pki/internal/panel/panel.crt"
  run openssl verify -CAfile "$ETC_DIR/pki/ca/ca.crt" "$ETC_DIR/pki/internal/panel/panel.crt"
  [ "$status" -ne 0 ]
  [ "$(stat -c %a "$ETC_DIR/pki/internal/ca")" = 700 ]
  [ ! -e "$ETC_DIR/pki/internal/panel/ca.key" ]
}

@test "Compose is told the settings, the addresses of the console, and where to build" {
  grep -qx 'SIPHERA_PUBLIC_URLS=https://box.example.org,https://box.local,https://192.168.7.5' "$ETC_DIR/compose.env"
  build_images
  start_containers
  [[ $(calls) == *"docker compose --project-name siphera --env-file $ETC_DIR/compose.env -f $APP_DIR/docker-compose.yml build"* ]]
  [[ $(calls) == *'up -d --remove-orphans'* ]]
}

@test "offline it builds no image" {
  OFFLINE=yes
  build_images
  [ -z "$(calls)" ]
}

@test "a dry run asks nothing of the engine" {
  DRY_RUN=yes
  build_images
  start_containers
  wait_for_containers
  [ -z "$(calls)" ]
}

@test "the rendered configuration names the containers' own ports and users" {
  grep -q 'listen 8443 ssl' "$ETC_DIR/nginx/nginx.conf"
  grep -q 'server core:7080' "$ETC_DIR/nginx/nginx.conf"
  run grep -q '^user ' "$ETC_DIR/nginx/nginx.conf"
  [ "$status" -ne 0 ]
  grep -q 'listener 8883' "$ETC_DIR/mosquitto/mosquitto.conf"
}

@test "between the host's network and the containers lie sockets whose directories name who may open them" {
  [ "$(stat -c %a "$DATA_DIR/run/core")" = 2750 ]
  [ "$(stat -c %a "$DATA_DIR/run/camera")" = 2750 ]
  grep -q 'server unix:/run/siphera/camera/http.sock' "$ETC_DIR/nginx/nginx.conf"
  run grep -q 'camera:7083' "$ETC_DIR/nginx/nginx.conf"
  [ "$status" -ne 0 ]
}

@test "the RTSP port is told to Compose only when there is one" {
  run grep -q RTSP_LISTEN "$ETC_DIR/compose.env"
  [ "$status" -ne 0 ]
  RTSP_PORT=8554
  write_compose_env
  grep -qx 'SIPHERA_RTSP_LISTEN=0.0.0.0:8554' "$ETC_DIR/compose.env"
}

@test "Compose is told where the relay is; without one it starts no container for it" {
  grep -qx 'SIPHERA_TURN_URIS=turn:box.example.org:3478?transport=udp,turn:box.example.org:3478?transport=tcp,turns:box.example.org:5349?transport=tcp' "$ETC_DIR/compose.env"
  grep -qx 'SIPHERA_TURN_PORT=3478' "$ETC_DIR/compose.env"
  [ "$(grep -E '^(listening-port|cert)=' "$ETC_DIR/coturn/turnserver.conf" | xargs)" = 'listening-port=3478 cert=/etc/siphera/pki/turn/turn.crt' ]
  start_containers
  [[ $(calls) != *'--scale'* ]]
  TURN_PORT=off
  write_compose_env
  start_containers
  [[ $(calls) == *'up -d --remove-orphans --scale coturn=0'* ]]
  grep -qx 'SIPHERA_TURN_URIS=' "$ETC_DIR/compose.env"
  run grep -q '^SIPHERA_TURN_PORT=' "$ETC_DIR/compose.env"
  [ "$status" -ne 0 ]
}

@test "in the container the relay has the same ports, whatever is published" {
  TURN_PORT=40000 TURNS_PORT=40001
  render_configuration
  write_compose_env
  grep -qx 'listening-port=3478' "$ETC_DIR/coturn/turnserver.conf"
  grep -q 'turns:box.example.org:40001' "$ETC_DIR/compose.env"
}

@test "certificates are renewed daily by cron where there is no systemd" {
  sh -n "$ROOT/etc/cron.daily/siphera-renew"
  grep -q 'renew-certificates' "$ROOT/etc/cron.daily/siphera-renew"
}

@test "both readers of the Compose file take it" {
  export PATH=${PATH#*bin:}
  command -v docker-compose >/dev/null || return 0
  cd "$REPO"
  docker-compose --env-file "$ETC_DIR/compose.env" config -q
}
