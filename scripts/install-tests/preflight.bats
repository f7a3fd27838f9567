#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2034,SC2317 # the steps under test read the variables; bats runs each test in a subshell
# Flags, their environment twins, and the look at the machine before anything is touched.

load helpers

setup() {
  setup_box
  printf 'ID=debian\nVERSION_ID="12"\n' >"$ROOT/etc/os-release"
}

installer() { env -u SIPHERA_MODE SIPHERA_ROOT="$ROOT" SKIP_OWNERS=yes "$REPO/install.sh" "$@"; }

@test "help names every setting with its environment twin" {
  run installer --help
  [ "$status" -eq 0 ]
  for name in "${SETTINGS[@]}"; do [[ $output == *"SIPHERA_$name"* ]]; done
}

@test "an unknown argument is an error and names the help" {
  run installer --no-such-thing
  [ "$status" -eq 2 ]
  [[ $output == *--help* ]]
}

@test "a flag without its value is an error" {
  run installer --host-name
  [ "$status" -eq 2 ]
}

@test "a dry run says what it would do and writes nothing" {
  run installer --dry-run --yes --host-name box.example.org --https-port 18443 --http-port 18080 --mqtt-port 18883 --dc09-port 22000 --mode native
  [[ $output == *'Nothing was changed.'* ]] || [[ $output == *'is taken'* ]]
  run find "$ROOT" -type f -not -name os-release
  [ -z "$output" ]
}

@test "another system than Debian 12 is refused" {
  printf 'ID=fedora\nVERSION_ID=41\n' >"$ROOT/etc/os-release"
  run check_system
  [ "$status" -ne 0 ]
  [[ $output == *fedora* ]]
}

@test "a taken port is named before anything is touched" {
  fake ss 'tcp LISTEN 0 128 *:443 *:* users:(("apache2",pid=1,fd=4))'
  run check_ports
  [ "$status" -ne 0 ]
  [[ $output == *apache2* ]]
}

@test "a taken media port is named, with Compose too" {
  MODE=docker
  fake ss ''
  # shellcheck disable=SC2016 # the fake's own
  printf '#!/bin/sh\ncase "$*" in *"--udp sport >= :20000 and sport <= :20199"*) echo "udp UNCONN 0 0 *:20011 *:* users:((\\"coturn\\",pid=1,fd=4))" ;; esac\n' >"$BATS_TEST_TMPDIR/bin/ss"
  fake docker
  run check_ports
  [ "$status" -ne 0 ]
  [[ $output == *coturn* ]]
  [[ $output == *20000-20199/udp* ]]
}

@test "a taken port of the relay is named, with Compose too, unless there is none" {
  MODE=docker
  fake ss ''
  printf '#!/bin/sh\ncase "$*" in *"--udp sport >= :3478 and"*) echo "udp UNCONN 0 0 *:3478 *:* users:((\\"turnserver\\",pid=1,fd=4))" ;; esac\n' >"$BATS_TEST_TMPDIR/bin/ss"
  fake docker
  run check_ports
  [ "$status" -ne 0 ]
  [[ $output == *turnserver* ]]
  [[ $output == *3478/udp* ]]
  TURN_PORT=off
  check_ports
}

@test "media settings that cannot work are refused" {
  for bad in 'MEDIA_ADDRESS=127.0.0.1' 'MEDIA_ADDRESS=box.local' 'MEDIA_PORTS=20000' 'MEDIA_PORTS=20199-20000' 'MEDIA_PORTS=20000-20001' 'RTSP_PORT=443' 'RTSP_PORT=x' 'TURN_PORT=x' 'TURN_PORT=443' 'TURN_PORT=8883' 'TURNS_PORT=3478' 'TURNS_PORT=off' 'RECORDINGS_DIR=footage'; do
    fill_defaults
    local "${bad?}"
    run check_settings
    [ "$status" -eq 2 ]
  done
}

@test "a directory with other things in it is not taken for footage" {
  RECORDINGS_DIR=$ROOT/srv
  mkdir -p "$RECORDINGS_DIR/lost+found"
  check_recordings_dir
  echo theirs >"$RECORDINGS_DIR/file"
  run check_recordings_dir
  [ "$status" -ne 0 ]
  [[ $output == *"$RECORDINGS_DIR/siphera"* ]]
  mkdir -p "$ETC_DIR"
  echo "SIPHERA_RECORDINGS_DIR=$RECORDINGS_DIR" >"$ETC_DIR/siphera.env"
  check_recordings_dir
}

@test "footage that is there is not left behind by another --recordings-dir" {
  mkdir -p "$ETC_DIR" "$DATA_DIR/camera"
  echo "SIPHERA_RECORDINGS_DIR=$ROOT/old" >"$ETC_DIR/siphera.env"
  RECORDINGS_DIR=$ROOT/new
  check_recordings_dir
  echo data >"$DATA_DIR/camera/camera.db"
  run check_recordings_dir
  [ "$status" -ne 0 ]
  [[ $output == *"$ROOT/old"* ]]
}

@test "of several addresses live video takes the first that a browser on the LAN has" {
  default_addresses() { printf 'fd00::2,192.168.7.5,10.0.0.9'; }
  [ "$(default_media_address)" = 192.168.7.5 ]
  default_addresses() { printf 'fd00::2'; }
  [ "$(default_media_address)" = fd00::2 ]
  default_addresses() { printf '127.0.0.1'; }
  [ -z "$(default_media_address)" ]
}

@test "the automatic mode takes Compose where an engine answers, and native where none does" {
  fake docker
  MODE=auto
  pick_mode
  [ "$MODE" = docker ]
  printf '#!/bin/sh\nexit 1\n' >"$BATS_TEST_TMPDIR/bin/docker"
  MODE=auto
  pick_mode
  [ "$MODE" = native ]
}

@test "an address is no host name" {
  HOST_NAME=192.168.7.5
  run check_settings
  [ "$status" -eq 2 ]
}

@test "settings with shell or configuration syntax in them are refused" {
  for bad in 'box;reboot' 'box$(id)' 'box name' '-box' 'box..local'; do
    HOST_NAME=$bad
    run check_settings
    [ "$status" -eq 2 ]
  done
}

@test "two parts of the box cannot share a port" {
  MQTT_PORT=443
  run check_settings
  [ "$status" -eq 2 ]
}

@test "a flag beats the environment, the environment beats siphera.env" {
  mkdir -p "$ETC_DIR"
  printf 'SIPHERA_HTTPS_PORT=1001\nSIPHERA_HTTP_PORT=1002\nSIPHERA_MQTT_PORT=1003\n' >"$ETC_DIR/siphera.env"
  SIPHERA_HTTP_PORT=2002 SIPHERA_MQTT_PORT=2003
  parse_options --mqtt-port 3003
  load_settings
  fill_defaults
  [ "$HTTPS_PORT:$HTTP_PORT:$MQTT_PORT" = 1001:2002:3003 ]
}
