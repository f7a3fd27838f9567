#!/usr/bin/env bash
# The installer's flags, their environment twins, their defaults, and --help. Sourced by install.sh.
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Order of weight: flag, environment, what an earlier run wrote to siphera.env, default.

usage() {
  cat <<'TEXT'
Siphera site box: installs, upgrades or repairs it (the same command does all three).

  ./install.sh [options]              install, upgrade or repair, then run the self-test
  ./install.sh status                 what is installed and running
  ./install.sh uninstall [--purge]    remove the programs; with --purge also configuration, data and backups

Options (environment twin in brackets)
  -y, --yes                  ask nothing, take the defaults            [SIPHERA_YES=yes]
  --dry-run                  say what would be done, change nothing    [SIPHERA_DRY_RUN=yes]
  --offline                  fetch nothing: packages, images and node_modules must be here already [SIPHERA_OFFLINE=yes]
  --mode native|docker|auto  Debian's own daemons, or Compose; auto takes Compose where an engine runs [SIPHERA_MODE]
  --host-name NAME           name that browsers use for the box        [SIPHERA_HOST_NAME]
  --addresses LIST           its addresses, comma-separated, or auto: those of its network cards, looked up each day [SIPHERA_ADDRESSES]
  --mdns-name NAME           its name on the LAN without DNS (default: the host's name with .local; "none": no mDNS) [SIPHERA_MDNS_NAME]
  --https-port N             443                                       [SIPHERA_HTTPS_PORT]
  --http-port N              80, answers with a redirect only          [SIPHERA_HTTP_PORT]
  --mqtt-port N              8883                                      [SIPHERA_MQTT_PORT]
  --dc09-port N              12000, TCP and UDP                        [SIPHERA_DC09_PORT]
  --media-address ADDRESS    where browsers reach live video by WebRTC: an address of this machine, or auto: its first one [SIPHERA_MEDIA_ADDRESS]
  --media-ports FIRST-LAST   20000-20199, UDP, for that                [SIPHERA_MEDIA_PORTS]
  --turn-port N              3478, UDP and TCP: relay for calls that find no direct way; off: no relay [SIPHERA_TURN_PORT]
  --turns-port N             5349, TCP: the same by TLS                [SIPHERA_TURNS_PORT]
  --sip-port N               5060, UDP and TCP: phones, intercoms and trunks; off: no phones [SIPHERA_SIP_PORT]
  --sips-port N              5061, TCP: the same by TLS                [SIPHERA_SIPS_PORT]
  --rtp-ports FIRST-LAST     30000-30999, UDP: sound of phone calls    [SIPHERA_RTP_PORTS]
  --rtsp-port N              the cameras' pictures by RTSP for other systems, by links that an admin makes; default: off [SIPHERA_RTSP_PORT]
  --data-dir DIR             /var/lib/siphera                          [SIPHERA_DATA_DIR]
  --recordings-dir DIR       DATA-DIR/recordings: the cameras' footage, best on a disk of its own [SIPHERA_RECORDINGS_DIR]
  --backup-dir DIR           DATA-DIR/backup                           [SIPHERA_BACKUP_DIR]
  --cert FILE --key FILE     your own certificate (with its chain) and key for the front door [SIPHERA_CERT, SIPHERA_KEY]
  --own-ca                   go back to a certificate of the box's own CA [SIPHERA_OWN_CA=yes]
  --admin-email ADDRESS      where the box's own mail says it comes from, and the suggested first admin [SIPHERA_ADMIN_EMAIL]
  --log-level LEVEL          debug, info, warn or error                [SIPHERA_LOG_LEVEL]
  --no-self-test             do not send the test alarms at the end    [SIPHERA_SELF_TEST=no]
  -h, --help                 this text

It needs Debian 12 and root. Answers are kept in /etc/siphera/siphera.env, which is written once and then yours; a flag
given again changes its line there. A log of each run is in /var/log/siphera.
TEXT
}

# Names kept in siphera.env, in its order.
readonly SETTINGS=(MODE HOST_NAME ADDRESSES MDNS_NAME HTTPS_PORT HTTP_PORT MQTT_PORT DC09_PORT TURN_PORT TURNS_PORT SIP_PORT SIPS_PORT RTP_PORTS MEDIA_ADDRESS MEDIA_PORTS
  RTSP_PORT DATA_DIR RECORDINGS_DIR BACKUP_DIR CERT KEY ADMIN_EMAIL LOG_LEVEL)

# Where the camera service commands its Janus, on loopback. Not Janus's own default: another one may be on this machine.
readonly JANUS_PORT=7088
# Of phones, all on loopback: softphones (behind the front door), Kamailio's RPC and reports, digits, and the two relays for sound.
readonly SIP_WS_PORT=7064 SIP_RPC_PORT=7065 SIP_EVENTS_PORT=7066 SIP_DTMF_PORT=7067 RTP_A_PORT=7068 RTP_B_PORT=7069
# Where both ends of a relayed call meet, inside of coturn: an address of loopback on which nothing else listens, and what clients
# are shown in its place (RFC 5737).
readonly TURN_RELAY_ADDRESS=127.84.85.86 TURN_SHOWN_ADDRESS=198.51.100.1

parse_options() {
  COMMAND=install
  PURGE=no
  while [[ $# -gt 0 ]]; do
    case $1 in
      install | status | uninstall | renew-certificates) COMMAND=$1 ;;
      --purge) PURGE=yes ;;
      -y | --yes) SIPHERA_YES=yes ;;
      --dry-run) SIPHERA_DRY_RUN=yes ;;
      --offline) SIPHERA_OFFLINE=yes ;;
      --own-ca) SIPHERA_OWN_CA=yes ;;
      --no-self-test) SIPHERA_SELF_TEST=no ;;
      -h | --help) usage && exit 0 ;;
      --mode | --host-name | --addresses | --address | --mdns-name | --https-port | --http-port | --mqtt-port | --dc09-port | --media-address | \
        --media-ports | --rtsp-port | --turn-port | --turns-port | --sip-port | --sips-port | --rtp-ports | --data-dir | --recordings-dir | --backup-dir | --cert | --key | --admin-email | --log-level)
        [[ $# -ge 2 ]] || FAIL_CODE=2 fail "$1 needs a value" './install.sh --help'
        set_option "$1" "$2"
        shift
        ;;
      *) FAIL_CODE=2 fail "unknown argument '$1'" './install.sh --help' ;;
    esac
    shift
  done
  DRY_RUN=${SIPHERA_DRY_RUN:-no} OFFLINE=${SIPHERA_OFFLINE:-no} ASSUME_YES=${SIPHERA_YES:-no}
  OWN_CA=${SIPHERA_OWN_CA:-no} SELF_TEST=${SIPHERA_SELF_TEST:-yes}
}

set_option() {
  local name=${1#--}
  [[ $name != address ]] || name=addresses
  name=${name^^}
  printf -v "SIPHERA_${name//-/_}" '%s' "$2"
}

# Takes the answers of an earlier run for what was not said now.
load_settings() {
  local line name
  [[ -r $ETC_DIR/siphera.env ]] || return 0
  while IFS= read -r line; do
    [[ $line =~ ^SIPHERA_([A-Z0-9_]+)=(.*)$ ]] || continue
    name=SIPHERA_${BASH_REMATCH[1]}
    [[ -n ${!name+set} ]] || printf -v "$name" '%s' "${BASH_REMATCH[2]}"
  done <"$ETC_DIR/siphera.env"
}

fill_defaults() {
  if [[ $OWN_CA == yes ]]; then SIPHERA_CERT='' SIPHERA_KEY=''; fi
  MODE=${SIPHERA_MODE:-auto}
  HOST_NAME=${SIPHERA_HOST_NAME:-$(default_host_name)}
  ADDRESSES=${SIPHERA_ADDRESSES:-auto} ADDRESSES_SETTING=${SIPHERA_ADDRESSES:-auto}
  [[ $ADDRESSES != auto ]] || ADDRESSES=$(default_addresses)
  MDNS_NAME=${SIPHERA_MDNS_NAME:-$(default_mdns_name)}
  HTTPS_PORT=${SIPHERA_HTTPS_PORT:-443} HTTP_PORT=${SIPHERA_HTTP_PORT:-80}
  MQTT_PORT=${SIPHERA_MQTT_PORT:-8883} DC09_PORT=${SIPHERA_DC09_PORT:-12000}
  TURN_PORT=${SIPHERA_TURN_PORT:-3478} TURNS_PORT=${SIPHERA_TURNS_PORT:-5349}
  SIP_PORT=${SIPHERA_SIP_PORT:-5060} SIPS_PORT=${SIPHERA_SIPS_PORT:-5061} RTP_PORTS=${SIPHERA_RTP_PORTS:-30000-30999}
  MEDIA_ADDRESS=${SIPHERA_MEDIA_ADDRESS:-auto} MEDIA_ADDRESS_SETTING=${SIPHERA_MEDIA_ADDRESS:-auto}
  [[ $MEDIA_ADDRESS != auto ]] || MEDIA_ADDRESS=$(default_media_address)
  MEDIA_PORTS=${SIPHERA_MEDIA_PORTS:-20000-20199} RTSP_PORT=${SIPHERA_RTSP_PORT:-off}
  DATA_DIR=${SIPHERA_DATA_DIR:-$ROOT/var/lib/siphera}
  RECORDINGS_DIR=${SIPHERA_RECORDINGS_DIR:-$DATA_DIR/recordings}
  FOOTAGE_ROOT=$ROOT/var/lib/siphera-footage
  BACKUP_DIR=${SIPHERA_BACKUP_DIR:-$DATA_DIR/backup}
  CERT=${SIPHERA_CERT-} KEY=${SIPHERA_KEY-}
  ADMIN_EMAIL=${SIPHERA_ADMIN_EMAIL-} LOG_LEVEL=${SIPHERA_LOG_LEVEL:-info}
}

short_host_name() {
  local name
  name=$(cat /proc/sys/kernel/hostname 2>/dev/null || echo siphera)
  name=${name%%.*}
  name=$(tr -cd 'A-Za-z0-9-' <<<"$name")
  printf '%s' "${name:-siphera}"
}

default_mdns_name() { printf '%s.local' "$(short_host_name)"; }

# The host's full name where it has one; else the one it has on the LAN by mDNS.
default_host_name() {
  local full
  full=$(hostname -f 2>/dev/null || true)
  if [[ $full == *.* && $full != localhost* && $full != *.localdomain ]]; then printf '%s' "$full"; else default_mdns_name; fi
}

# Global addresses of the network cards; those of container bridges and tunnels are of no use to a browser.
default_addresses() {
  if ! have ip; then
    # A fresh Debian may lack iproute2; it comes with the daemons.
    { hostname -I 2>/dev/null || true; } | tr ' ' '\n' | sed '/^$/d; /^fe80/d' | paste -sd, -
    return
  fi
  { ip -o addr show scope global 2>/dev/null || true; } |
    awk '$2 !~ /^(docker|br-|veth|virbr|tun|wg|lo)/ { split($4, a, "/"); if (!seen[a[1]]++) print a[1] }' | paste -sd, -
}

# Janus offers this one to browsers: it skips loopback, and of several addresses all but one only cost time. IPv4 first,
# because a browser on the LAN has that.
default_media_address() {
  local list
  list=$(default_addresses | tr ',' '\n' | sed '/^127\./d; /^::1$/d; /^$/d')
  { grep -v ':' <<<"$list" || printf '%s\n' "$list"; } | head -n 1
}

check_settings() {
  local port
  FAIL_CODE=2
  [[ $MODE =~ ^(native|docker|auto)$ ]] || fail "--mode is native, docker or auto, not '$MODE'"
  [[ $HOST_NAME =~ ^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$ ]] || fail "--host-name '$HOST_NAME' is no host name"
  [[ ! $HOST_NAME =~ ^[0-9.]+$ ]] || fail "--host-name must be a name: passkeys and certificates of phones do not work on an address" 'give addresses with --addresses'
  [[ -z $ADDRESSES || $ADDRESSES =~ ^[0-9A-Fa-f.:,]+$ ]] || fail "--addresses '$ADDRESSES' is no list of addresses"
  [[ $MDNS_NAME == none || $MDNS_NAME =~ ^[A-Za-z0-9-]+\.local$ ]] || fail "--mdns-name '$MDNS_NAME' must be one label with .local, or none"
  for port in "$HTTPS_PORT" "$HTTP_PORT" "$MQTT_PORT" "$DC09_PORT"; do
    [[ $port =~ ^[0-9]{1,5}$ && $port -ge 1 && $port -le 65535 ]] || fail "'$port' is no port"
  done
  [[ $(printf '%s\n' "$HTTPS_PORT" "$HTTP_PORT" "$MQTT_PORT" "$DC09_PORT" | sort -u | wc -l) -eq 4 ]] || fail 'two parts of the box cannot have the same port'
  check_media_settings
  check_turn_settings
  check_sip_settings
  [[ $DATA_DIR == /* && $BACKUP_DIR == /* && $RECORDINGS_DIR == /* && $DATA_DIR$BACKUP_DIR$RECORDINGS_DIR =~ ^[A-Za-z0-9/._-]+$ ]] || fail 'directories must be absolute, of letters, digits and / . _ -'
  [[ $LOG_LEVEL =~ ^(debug|info|warn|error)$ ]] || fail "--log-level '$LOG_LEVEL' is none of debug, info, warn, error"
  [[ -z $ADMIN_EMAIL || $ADMIN_EMAIL =~ ^[^[:space:]@\"\'\$]+@[^[:space:]@\"\'\$]+$ ]] || fail "--admin-email '$ADMIN_EMAIL' is no address"
  check_own_certificate
  FAIL_CODE=1
}

check_media_settings() {
  local first=${MEDIA_PORTS%-*} last=${MEDIA_PORTS#*-}
  [[ -z $MEDIA_ADDRESS || $MEDIA_ADDRESS =~ ^[0-9A-Fa-f.:]+$ ]] || fail "--media-address '$MEDIA_ADDRESS' is no address"
  [[ ! $MEDIA_ADDRESS =~ ^(127\.|::1$) ]] || fail '--media-address cannot be loopback: no browser reaches that'
  [[ $MEDIA_PORTS =~ ^[0-9]{4,5}-[0-9]{4,5}$ && $first -ge 1024 && $last -le 65535 && $last -gt $first ]] || fail "--media-ports '$MEDIA_PORTS' is no range of ports"
  # A viewer needs one port; fewer than this is a typing error.
  [[ $((last - first)) -ge 19 ]] || fail "--media-ports '$MEDIA_PORTS' is room for $((last - first + 1)) viewers only" 'give at least 20 ports'
  [[ $RTSP_PORT == off || ($RTSP_PORT =~ ^[0-9]{1,5}$ && $RTSP_PORT -ge 1 && $RTSP_PORT -le 65535) ]] || fail "--rtsp-port '$RTSP_PORT' is no port, nor off"
  [[ ! " $HTTPS_PORT $HTTP_PORT $MQTT_PORT $DC09_PORT " == *" $RTSP_PORT "* ]] || fail 'two parts of the box cannot have the same port'
}

check_turn_settings() {
  local port ports=("$TURN_PORT" "$TURNS_PORT") taken=("$HTTPS_PORT" "$HTTP_PORT" "$MQTT_PORT" "$DC09_PORT" "$RTSP_PORT")
  [[ $TURN_PORT != off ]] || return 0
  for port in "${ports[@]}"; do
    # coturn is never root, so it takes none of the ports below.
    [[ $port =~ ^[0-9]{4,5}$ && $port -ge 1024 && $port -le 65535 ]] || fail "--turn-port and --turns-port '$port' is no port from 1024 on"
    [[ ! " ${taken[*]} " == *" $port "* ]] || fail 'two parts of the box cannot have the same port'
  done
  [[ $TURN_PORT != "$TURNS_PORT" ]] || fail 'two parts of the box cannot have the same port'
}

check_sip_settings() {
  local port first=${RTP_PORTS%-*} last=${RTP_PORTS#*-} taken=("$HTTPS_PORT" "$HTTP_PORT" "$MQTT_PORT" "$DC09_PORT" "$RTSP_PORT" "$TURN_PORT" "$TURNS_PORT")
  [[ $SIP_PORT != off ]] || return 0
  for port in "$SIP_PORT" "$SIPS_PORT"; do
    # Kamailio is never root, so it takes none of the ports below.
    [[ $port =~ ^[0-9]{4,5}$ && $port -ge 1024 && $port -le 65535 ]] || fail "--sip-port and --sips-port '$port' is no port from 1024 on"
    [[ ! " ${taken[*]} " == *" $port "* ]] || fail 'two parts of the box cannot have the same port'
  done
  [[ $SIP_PORT != "$SIPS_PORT" ]] || fail 'two parts of the box cannot have the same port'
  [[ $RTP_PORTS =~ ^[0-9]{4,5}-[0-9]{4,5}$ && $first -ge 1024 && $last -le 65535 && $last -gt $first ]] || fail "--rtp-ports '$RTP_PORTS' is no range of ports"
  # A call takes four ports, and each of the two relays has one half of them.
  [[ $((last - first)) -ge 79 ]] || fail "--rtp-ports '$RTP_PORTS' is room for $(((last - first + 1) / 8)) calls only" 'give at least 80 ports'
  [[ $last -lt ${MEDIA_PORTS%-*} || $first -gt ${MEDIA_PORTS#*-} ]] || fail '--rtp-ports and --media-ports overlap'
}

# The first half of the ports for sound is relay a's, the second b's.
rtp_half() {
  local first=${RTP_PORTS%-*} last=${RTP_PORTS#*-} middle
  middle=$(((first + last + 1) / 2))
  if [[ $1 == a ]]; then printf '%s %s\n' "$first" "$((middle - 1))"; else printf '%s %s\n' "$middle" "$last"; fi
}

# The admin's certificate must be usable before anything is touched.
check_own_certificate() {
  [[ -n $CERT || -n $KEY ]] || return 0
  [[ -n $CERT && -n $KEY ]] || fail '--cert and --key belong together'
  [[ -r $CERT && -r $KEY ]] || fail "cannot read $CERT or $KEY"
  have openssl || return 0
  openssl x509 -in "$CERT" -noout -checkend 0 >/dev/null 2>&1 || fail "$CERT is no certificate, or has ended"
  [[ $(openssl x509 -in "$CERT" -noout -pubkey) == "$(openssl pkey -in "$KEY" -pubout 2>/dev/null)" ]] || fail "$KEY is not the key of $CERT"
  [[ $(openssl x509 -in "$CERT" -noout -checkhost "$HOST_NAME") != *'does NOT'* ]] || fail "$CERT is not for $HOST_NAME" 'give the name it is for with --host-name'
}

# Asks the few questions that matter, with the default ready; --yes, a dry run, an earlier answer or no terminal asks none.
ask_questions() {
  local answer
  [[ $ASSUME_YES == no && $DRY_RUN == no && ! -e $ETC_DIR/siphera.env && -t 0 ]] || return 0
  read -r -p "Name of the box in the browser [$HOST_NAME]: " answer
  HOST_NAME=${answer:-$HOST_NAME}
  read -r -p "Its addresses on the LAN [$ADDRESSES]: " answer
  if [[ -n $answer ]]; then ADDRESSES=$answer ADDRESSES_SETTING=$answer; fi
  read -r -p "E-mail of the first admin [${ADMIN_EMAIL:-none}]: " answer
  ADMIN_EMAIL=${answer:-$ADMIN_EMAIL}
  read -r -p 'Install now? [Y/n] ' answer
  [[ ! $answer =~ ^[nN] ]] || fail 'stopped by you; nothing was changed'
}
