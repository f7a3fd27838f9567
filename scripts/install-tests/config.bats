#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2317 # the steps under test read the variables; bats runs each test in a subshell
# Settings, secrets, certificates and rendered configuration: made once, repaired when missing, never taken from the admin.

load helpers

setup() { setup_box; }

@test "a second run changes no file" {
  configure_box
  before=$(snapshot)
  CHANGED_FILES=()
  configure_box
  [ "$before" = "$(snapshot)" ]
  [ "${#CHANGED_FILES[@]}" -eq 0 ]
}

@test "secrets, CA key and certificates that are there are never replaced, even by other content" {
  configure_box
  echo garbage-of-the-admin >"$ETC_DIR/secrets/panel.key.new"
  mv -f "$ETC_DIR/secrets/panel.key.new" "$ETC_DIR/secrets/panel.key"
  key=$(sha256sum <"$ETC_DIR/pki/ca/ca.key")
  configure_box
  [ "$(cat "$ETC_DIR/secrets/panel.key")" = garbage-of-the-admin ]
  [ "$key" = "$(sha256sum <"$ETC_DIR/pki/ca/ca.key")" ]
}

@test "lines and comments that the admin wrote in siphera.env stay" {
  configure_box
  printf '# mine\nSIPHERA_LOG_LEVEL=debug\nOTHER=kept\n' >"$ETC_DIR/siphera.env"
  unset SIPHERA_LOG_LEVEL
  load_settings
  fill_defaults
  [ "$LOG_LEVEL" = debug ]
  write_settings
  grep -qx '# mine' "$ETC_DIR/siphera.env"
  grep -qx 'OTHER=kept' "$ETC_DIR/siphera.env"
  grep -qx 'SIPHERA_LOG_LEVEL=debug' "$ETC_DIR/siphera.env"
}

@test "a flag given again changes its own line and no other" {
  configure_box
  cp "$ETC_DIR/siphera.env" "$BATS_TEST_TMPDIR/before"
  HTTPS_PORT=8443
  write_settings
  run diff "$BATS_TEST_TMPDIR/before" "$ETC_DIR/siphera.env"
  [ "${#lines[@]}" -eq 4 ]
  [ "${lines[3]}" = '> SIPHERA_HTTPS_PORT=8443' ]
}

@test "secrets are 32 random bytes, readable to one user, and siphera.env holds none of them" {
  configure_box
  for name in panel.key admin.key camera.key signaling.key janus.secret turn.secret sip-bridge.key sip.secret sip-rpc.secret; do
    [ "$(stat -c %a "$ETC_DIR/secrets/$name")" = 400 ]
    [ "$(base64 -d "$ETC_DIR/secrets/$name" | wc -c)" -eq 32 ]
    run grep -rqF "$(cat "$ETC_DIR/secrets/$name")" "$ETC_DIR/siphera.env" "$ETC_DIR/native"
    [ "$status" -ne 0 ]
  done
  [ "$(stat -c %a "$ETC_DIR/pki/ca/ca.key")" = 400 ]
}

@test "Janus listens on loopback alone, with the secret that the camera service has, readable to nobody else" {
  configure_box
  grep -q 'ws_ip = "127.0.0.1"' "$ETC_DIR/janus/janus.transport.websockets.jcfg"
  grep -qF "api_secret = \"$(cat "$ETC_DIR/secrets/janus.secret")\"" "$ETC_DIR/janus/janus.jcfg"
  [ "$(stat -c %a "$ETC_DIR/janus/janus.jcfg")" = 400 ]
  run grep -rlF "$(cat "$ETC_DIR/secrets/janus.secret")" "$ETC_DIR"
  [ "${#lines[@]}" -eq 2 ]
}

@test "Kamailio has the secrets that the bridge has, readable to nobody else, and takes commands on loopback alone" {
  configure_box
  conf=$ETC_DIR/kamailio/kamailio.cfg
  [ "$(stat -c %a "$conf")" = 400 ]
  for name in sip.secret sip-rpc.secret; do
    grep -qF "$(cat "$ETC_DIR/secrets/$name")" "$conf"
    run grep -rlF "$(cat "$ETC_DIR/secrets/$name")" "$ETC_DIR"
    [ "${#lines[@]}" -eq 2 ]
  done
  for name in WS RPC EVENTS; do grep -q "CFG_${name}_LISTEN!127\.0\.0\.1:" "$conf"; done
  grep -q 'CFG_ORIGINS!https://box.example.org' "$conf"
}

@test "the relay has the secret that signaling has, readable to nobody else, and relays to its own address alone" {
  configure_box
  conf=$ETC_DIR/coturn/turnserver.conf
  grep -qxF "static-auth-secret=$(cat "$ETC_DIR/secrets/turn.secret")" "$conf"
  [ "$(stat -c %a "$conf")" = 400 ]
  run grep -rlF "$(cat "$ETC_DIR/secrets/turn.secret")" "$ETC_DIR"
  [ "${#lines[@]}" -eq 2 ]
  [ "$(grep -E '^(allowed|denied)-peer-ip' "$conf" | sort | xargs)" = 'allowed-peer-ip=127.84.85.86 denied-peer-ip=0.0.0.0-255.255.255.255 denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' ]
  [ "$(grep -E '^(relay-ip|external-ip)' "$conf" | xargs)" = 'relay-ip=127.84.85.86 external-ip=198.51.100.1/127.84.85.86' ]
  [ "$(grep -E 'listening-port' "$conf" | xargs)" = 'listening-port=3478 tls-listening-port=5349' ]
}

@test "the relay shows the certificate of the front door, and gets the next one too" {
  configure_box
  cmp "$ETC_DIR/pki/front/front.crt" "$ETC_DIR/pki/turn/turn.crt"
  cmp "$ETC_DIR/pki/front/front.key" "$ETC_DIR/pki/turn/turn.key"
  before=$(stat -c %i "$ETC_DIR/pki/turn/turn.crt")
  ADDRESSES=192.168.7.5,10.9.8.7
  make_certificates
  cmp "$ETC_DIR/pki/front/front.crt" "$ETC_DIR/pki/turn/turn.crt"
  [ "$before" != "$(stat -c %i "$ETC_DIR/pki/turn/turn.crt")" ]
  [ "$(stat -c %a "$ETC_DIR/pki/turn/turn.key")" = 400 ]
}

@test "without a relay there is no configuration of one" {
  configure_box
  TURN_PORT=off
  render_configuration
  [ ! -e "$ETC_DIR/coturn/turnserver.conf" ]
}

@test "what talk keeps lies in a directory of signaling's own" {
  configure_box
  [ "$(stat -c %a "$DATA_DIR/signaling")" = 700 ]
  grep -qx "DATA_DIR='$DATA_DIR/signaling'" "$ETC_DIR/native/signaling.env"
  grep -qx "SIGNALING_KEY_FILE='$ETC_DIR/secrets/signaling.key'" "$ETC_DIR/native/signaling.env"
}

@test "live video uses the given address and ports; without an address Janus looks for itself" {
  MEDIA_ADDRESS=192.168.7.5 MEDIA_PORTS=30000-30099
  configure_box
  grep -q 'ice_enforce_list = "192.168.7.5"' "$ETC_DIR/janus/janus.jcfg"
  grep -q 'rtp_port_range = "30000-30099"' "$ETC_DIR/janus/janus.jcfg"
  MEDIA_ADDRESS=''
  render_configuration
  run grep -q 'ice_enforce_list' "$ETC_DIR/janus/janus.jcfg"
  [ "$status" -ne 0 ]
}

@test "footage lies in a directory of its own, closed to all but the camera service" {
  RECORDINGS_DIR=$ROOT/srv/footage
  configure_box
  [ "$(stat -c %a "$RECORDINGS_DIR")" = 700 ]
  grep -qx "RECORDINGS_DIR='$ROOT/srv/footage'" "$ETC_DIR/native/camera.env"
  grep -qx "SIPHERA_RECORDINGS_DIR=$ROOT/srv/footage" "$ETC_DIR/siphera.env"
}

@test "an address that was worked out stays worked out, in siphera.env too" {
  configure_box
  grep -qx 'SIPHERA_MEDIA_ADDRESS=auto' "$ETC_DIR/siphera.env"
}

@test "no private key is readable by others" {
  configure_box
  run find "$ETC_DIR" -name '*.key' -perm /077
  [ -z "$output" ]
}

@test "a template that names an unknown value fails and leaves the file as it was" {
  configure_box
  printf 'port {{NO_SUCH_VALUE}}\n' >"$BATS_TEST_TMPDIR/template"
  echo good >"$ETC_DIR/file"
  run bash -c 'shopt -s lastpipe; set -eo pipefail; CHANGED_FILES=(); . "$1/lib.sh"; render "$2" | write_file "$3" 644' _ "$INSTALL_DIR" "$BATS_TEST_TMPDIR/template" "$ETC_DIR/file"
  [ "$status" -ne 0 ]
  [[ $output == *NO_SUCH_VALUE* ]]
  [ "$(cat "$ETC_DIR/file")" = good ]
}

@test "a missing rendered file comes back" {
  configure_box
  rm "$ETC_DIR/nginx/nginx.conf"
  configure_box
  grep -q 'server_name' "$ETC_DIR/nginx/nginx.conf"
}

@test "a dry run writes nothing" {
  DRY_RUN=yes
  configure_box
  run find "$ROOT" -type f
  [ -z "$output" ]
}

@test "an own certificate is taken, replaced when it is new, and given up with --own-ca" {
  bash "$INSTALL_DIR/pki.sh" ca "$BATS_TEST_TMPDIR/theirs"
  bash "$INSTALL_DIR/pki.sh" server "$BATS_TEST_TMPDIR/theirs" web --san box.example.org
  CERT=$BATS_TEST_TMPDIR/theirs/web.crt KEY=$BATS_TEST_TMPDIR/theirs/web.key
  check_settings
  configure_box
  cmp "$ETC_DIR/pki/front/front.crt" "$CERT"
  CERT='' KEY=''
  configure_box
  openssl verify -CAfile "$ETC_DIR/pki/ca/ca.crt" "$ETC_DIR/pki/front/front.crt"
}

@test "an own certificate for another name is refused before anything is touched" {
  bash "$INSTALL_DIR/pki.sh" ca "$BATS_TEST_TMPDIR/theirs"
  bash "$INSTALL_DIR/pki.sh" server "$BATS_TEST_TMPDIR/theirs" web --san other.example.org
  CERT=$BATS_TEST_TMPDIR/theirs/web.crt KEY=$BATS_TEST_TMPDIR/theirs/web.key
  run check_settings
  [ "$status" -eq 2 ]
  [[ $output == *'not for box.example.org'* ]]
}

@test "a host name that the CA may not sign is refused, with what to do" {
  configure_box
  HOST_NAME=elsewhere.example.com
  run make_certificates
  [ "$status" -ne 0 ]
  [[ $output == *'may not sign'* ]]
}

@test "a new private address is signed by the CA that is there" {
  configure_box
  ca=$(sha256sum <"$ETC_DIR/pki/ca/ca.crt")
  ADDRESSES=192.168.7.5,10.9.8.7
  make_certificates
  openssl x509 -in "$ETC_DIR/pki/front/front.crt" -noout -checkip 10.9.8.7 | grep -q 'does match'
  [ "$ca" = "$(sha256sum <"$ETC_DIR/pki/ca/ca.crt")" ]
}
