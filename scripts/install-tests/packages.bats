#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2317 # the steps under test read the variables; bats runs each test in a subshell
# Debian's packages: nothing of the distribution starts, the admin's own things stay as they were.

load helpers

setup() {
  setup_box
  fake apt-get
  fake dpkg-query
}

@test "holds Debian's daemons back while it installs, and puts the admin's policy back" {
  printf '#!/bin/sh\n# mine\nexit 0\n' >"$ROOT/usr/sbin/policy-rc.d"
  during() { [[ $("$ROOT/usr/sbin/policy-rc.d" || echo $?) == 101 ]]; }
  with_services_held during
  grep -q '# mine' "$ROOT/usr/sbin/policy-rc.d"
  [ ! -e "$ROOT/usr/sbin/policy-rc.d.before-siphera" ]
}

@test "leaves no policy behind when the installation fails" {
  run with_services_held false
  [ "$status" -ne 0 ]
  release_services
  [ ! -e "$ROOT/usr/sbin/policy-rc.d" ]
}

@test "installs only what is missing and holds only the units that came with it" {
  missing_packages() { printf '%s\n' mosquitto; }
  install_packages mosquitto nginx-light
  [[ $(calls) == *'apt-get install -y'*mosquitto* ]]
  [[ $(calls) != *nginx-light* ]]
  [ "$(cat "$ETC_DIR/held-units")" = mosquitto ]
}

@test "Debian's own Janus never runs beside the box's" {
  missing_packages() { printf '%s\n' janus ffmpeg; }
  install_packages janus ffmpeg
  [ "$(cat "$ETC_DIR/held-units")" = janus ]
}

@test "Debian's own coturn, which relays everywhere, never runs beside the box's" {
  missing_packages() { printf '%s\n' coturn; }
  install_packages coturn
  [ "$(cat "$ETC_DIR/held-units")" = coturn ]
}

@test "offline it fetches nothing and names what is missing" {
  OFFLINE=yes
  missing_packages() { printf '%s\n' mosquitto; }
  run install_packages mosquitto
  [ "$status" -ne 0 ]
  [[ $output == *mosquitto* ]]
  [ -z "$(calls)" ]
}

@test "a box without mDNS needs no avahi" {
  MDNS_NAME=none
  run native_packages
  [[ $output != *avahi* ]]
}

@test "a box that comes back after an uninstall holds the same units again" {
  mkdir -p "$ETC_DIR"
  echo nginx >"$ETC_DIR/held-units"
  missing_packages() { :; }
  hold_unit() { echo "held $1"; }
  run install_packages nginx-light
  [ "$output" = 'held nginx' ]
}
