#!/bin/bash
# Runs Kamailio in the foreground, natively (under runsv) and as the container's entry point. What must stay true: it starts
# whatever state the plan, the databases and the certificate are in, for an emergency call needs none of them. Other addresses of
# the machine, or another configuration, start it again; calls go on meanwhile. A new certificate is read without that.
set -eEuo pipefail

: "${KAMAILIO_CONF_DIR:?}" "${KAMAILIO_RUN_DIR:?}" "${SIP_DIR:?}"
here=$(cd "$(dirname "$0")" && pwd)
readonly here
readonly PORT=${SIP_PORT:-5060} TLS_PORT=${SIPS_PORT:-5061}
# Where sip.crt and sip.key, or the front door's, lie.
readonly CERTIFICATE=${SIP_CERT_FILE:-} KEY=${SIP_KEY_FILE:-}
# Megabytes, shared and of each process.
readonly SHARED=${KAMAILIO_SHARED_MB:-128} OWN=${KAMAILIO_OWN_MB:-12}
# Seconds between two looks.
readonly WATCH_INTERVAL=2
# Refusals of a new certificate after which Kamailio is started anew to read it.
readonly RELOADS=5
# Seconds for each step of a start that needs the disk: an emergency call needs none.
readonly DISK_PATIENCE=3
# Looks at most that a start because of other addresses waits for calls that are being set up: two minutes.
readonly SETUP_LOOKS=60

mkdir -p "$KAMAILIO_RUN_DIR" "$SIP_DIR/plan/last-good" "$SIP_DIR/spool" "$SIP_DIR/public"
server='' pause=''
stop() {
  trap - TERM INT
  [[ -z $pause ]] || kill "$pause" 2>/dev/null || true
  [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true
  [[ -z $server ]] || timeout 8 tail --pid="$server" -f /dev/null || true
  [[ -z $server ]] || kill -KILL -- "-$server" 2>/dev/null || true
  exit 0
}
trap stop TERM INT

# Loopback, and the address of each network or the ones that were given. A phone finds us by IPv4. Networks of containers, virtual
# machines and tunnels come and go, and have no phones, as in compose/install/options.sh; who has them there names the addresses.
addresses() {
  {
    echo 127.0.0.1
    if [[ -n ${SIP_ADDRESSES:-} ]]; then tr ' ' '\n' <<<"$SIP_ADDRESSES"; else network_addresses; fi
  } | { grep . || true; } | sort -u
}
network_addresses() {
  local name address
  if ! command -v ip >/dev/null; then
    hostname -I | tr ' ' '\n' | { grep -v : || true; }
    return
  fi
  ip -4 -o addr show scope global 2>/dev/null | while read -r _ name _ address _; do
    [[ $name =~ ^(docker|br-|veth|virbr|tun|wg|lo) ]] || echo "${address%%/*}"
  done
}
# Whether requests wait for an answer, as one of a call that rings does; also when Kamailio does not say.
is_setting_up() {
  local stats current waiting
  stats=$(timeout -k 1 2 kamcmd -s "unix:$KAMAILIO_RUN_DIR/ctl" tm.stats 2>/dev/null) || return 0
  current=$(sed -n 's/^[[:space:]]*current: *\([0-9]*\).*/\1/p' <<<"$stats")
  waiting=$(sed -n 's/^[[:space:]]*waiting: *\([0-9]*\).*/\1/p' <<<"$stats")
  [[ $current != "$waiting" ]]
}
has_certificate() {
  [[ -n $CERTIFICATE && -r $CERTIFICATE && -r $KEY ]] && openssl x509 -noout -in "$CERTIFICATE" 2>/dev/null &&
    openssl pkey -noout -in "$KEY" 2>/dev/null
}
write_listen() {
  local address main=''
  {
    while read -r address; do
      [[ $address == 127.* && -n $main ]] || main=$address
      echo "listen=udp:$address:$PORT"
      echo "listen=tcp:$address:$PORT"
      ! has_certificate || echo "listen=tls:$address:$TLS_PORT"
    done <<<"$1"
    # What a trunk that we register at calls back.
    echo "#!subst \"!CFG_CONTACT!$main:$PORT!g\""
    if has_certificate; then
      echo 'enable_tls=yes'
      echo '#!define WITH_TLS'
    fi
  } >"$KAMAILIO_RUN_DIR/listen.cfg"
  printf '[server:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\ncertificate = %s\nprivate_key = %s\n' "$CERTIFICATE" "$KEY" \
    >"$KAMAILIO_RUN_DIR/tls.cfg"
  printf '[client:default]\nmethod = TLSv1.2+\nverify_certificate = no\nrequire_certificate = no\n' >>"$KAMAILIO_RUN_DIR/tls.cfg"
}

# A plan that Kamailio can read: a sound database with each table, and a list of destinations.
is_sound() {
  local said code=0 name questions='pragma quick_check; select grp, ip_addr, mask, port, tag from address limit 0; select l_uuid from uacreg limit 0; select table_name, table_version from version limit 0;'
  [[ -s $1/plan.sqlite && -f $1/dispatcher.list ]] || return 1
  for name in account number member did prefix emergency location pidf trunk setting; do
    questions+="select key_name, key_type, value_type, key_value, expires from \"$name\" limit 0;"
  done
  said=$(timeout -k 1 "$DISK_PATIENCE" sqlite3 -bail -readonly "$1/plan.sqlite" "$questions" 2>&1) || code=$?
  if ((code == 124 || code == 137)); then
    echo "$1 could not be checked in $DISK_PATIENCE s: taken as it is"
  elif [[ $said != ok ]]; then
    return 1
  fi
  ! grep -Ev '^[[:space:]]*(#.*)?$|^[0-9]+[[:space:]]+sips?:[^[:space:]]+([[:space:]]+[0-9]+([[:space:]]+[0-9]+([[:space:]]+[^[:space:]]+)?)?)?$' "$1/dispatcher.list" >/dev/null
}
# Beside it, and renamed: whoever reads finds the old or the new one whole.
copy_plan() {
  local name
  for name in plan.sqlite dispatcher.list; do
    timeout -k 1 "$DISK_PATIENCE" cp "$1/$name" "$2/.$name.new" || return
    chmod 640 "$2/.$name.new"
    mv "$2/.$name.new" "$2/$name"
  done
}
empty_plan() {
  rm -f "$1/.plan.sqlite.new"
  sqlite3 "$1/.plan.sqlite.new" <"$here/plan.sql"
  mv "$1/.plan.sqlite.new" "$1/plan.sqlite"
  : >"$1/dispatcher.list"
}
check_plan() {
  local plan=$SIP_DIR/plan
  # Of a Kamailio of before: the log of one database must not be read with another.
  rm -f "$plan/plan.sqlite-wal" "$plan/plan.sqlite-shm"
  if is_sound "$plan"; then
    copy_plan "$plan" "$plan/last-good" || echo 'the plan cannot be kept for another time'
    return
  fi
  [[ ! -e $plan/plan.sqlite ]] || mv "$plan/plan.sqlite" "$plan/plan.sqlite.damaged"
  if is_sound "$plan/last-good"; then
    echo 'the plan is damaged or missing: taking the one that worked last'
    copy_plan "$plan/last-good" "$plan" || empty_plan "$plan"
  else
    echo 'there is no plan: starting with none'
    empty_plan "$plan"
  fi
}
# One that cannot be read is put aside: phones sign in again by themselves, reports in it are kept for a person to look at. One
# that could not be looked at in time is taken as it is.
check_database() {
  local said code=0
  if [[ -e $1 ]]; then
    said=$(timeout -k 1 "$DISK_PATIENCE" sqlite3 "$1" 'pragma quick_check' 2>/dev/null) || code=$?
    if ((code == 124 || code == 137)); then
      echo "$1 could not be checked in $DISK_PATIENCE s: taken as it is"
    elif ((code != 0)) || [[ $said != ok ]]; then
      echo "$1 is damaged: put aside"
      mv "$1" "$1.damaged"
      rm -f "$1-wal" "$1-shm"
    fi
  fi
  timeout -k 1 "$DISK_PATIENCE" sqlite3 "$1" <"$2" >/dev/null || echo "$1 cannot be made"
  chmod 660 "$1" 2>/dev/null || true
}

# It has the passwords of trunks and phones, and nobody needs it once there is a Kamailio with another plan.
forget_damaged_plan() {
  rm -f "$SIP_DIR/plan/plan.sqlite.damaged"
}

configuration() {
  stat -L -c '%i %s %Y' "$KAMAILIO_CONF_DIR/kamailio.cfg"
}
certificate() {
  has_certificate || { echo none && return; }
  stat -L -c '%i %s %Y' "$CERTIFICATE"
}

# A run.sh that was killed leaves its Kamailio behind, which holds the ports; another program may have got its number.
end_leftover() {
  local pid file=$KAMAILIO_RUN_DIR/kamailio.pid
  pid=$(cat "$file" 2>/dev/null || true)
  if [[ $pid =~ ^[0-9]+$ && $(cat "/proc/$pid/comm" 2>/dev/null) == kamailio ]]; then
    echo "ending Kamailio $pid, which was left behind"
    kill -KILL -- "-$pid" 2>/dev/null || true
    timeout 5 tail --pid="$pid" -f /dev/null || true
  fi
  rm -f "$file"
}

# kamcmd ends well when Kamailio refuses, and a file may be looked at between its key and its certificate: asked again at the next look.
reads_certificate() {
  local said
  said=$(kamcmd -s "unix:$KAMAILIO_RUN_DIR/ctl" tls.reload 2>&1) && [[ $said != *rror* ]]
}

while true; do
  refused=0 started=$(configuration) listening=$(addresses) known=$(certificate) again='' looks=0
  write_listen "$listening"
  check_plan
  check_database "$SIP_DIR/registrations.sqlite" "$here/registrations.sql"
  check_database "$SIP_DIR/spool/events.sqlite" "$here/spool.sql"
  rm -f "$KAMAILIO_RUN_DIR/ctl"
  end_leftover
  # In a group of its own: what a crash of its first process leaves behind would hold the ports.
  setsid kamailio -f "$KAMAILIO_CONF_DIR/kamailio.cfg" -DD -E -m "$SHARED" -M "$OWN" -Y "$KAMAILIO_RUN_DIR" -P "$KAMAILIO_RUN_DIR/kamailio.pid" &
  server=$!
  while kill -0 "$server" 2>/dev/null; do
    sleep "$WATCH_INTERVAL" &
    pause=$!
    wait "$pause" || true
    if ((looks == 0)) && kill -0 "$server" 2>/dev/null && [[ -S $KAMAILIO_RUN_DIR/ctl ]]; then forget_damaged_plan; fi
    [[ $(configuration) == "$started" ]] || again='the configuration changed'
    if [[ $(addresses) != "$listening" ]]; then
      looks=$((looks + 1))
      ((looks != 1)) || echo 'the addresses changed: waiting until no call is being set up'
      # Seen twice: one look may have come between the old and the new.
      if ((looks > SETUP_LOOKS)) || { ((looks > 1)) && ! is_setting_up; }; then again='the addresses changed'; fi
    else
      looks=0
    fi
    now=$(certificate)
    if [[ $now != "$known" ]]; then
      if [[ $now == none || $known == none ]]; then
        again='the certificate came or went'
      elif reads_certificate; then
        echo 'the certificate changed: it was read again'
        known=$now refused=0
      elif ((++refused >= RELOADS)); then
        again='the certificate could not be read again'
      fi
    fi
    if [[ -n $again ]]; then
      echo "$again: starting Kamailio again"
      kill -TERM "$server" 2>/dev/null || true
      break
    fi
  done
  code=0
  wait "$server" || code=$?
  kill -KILL -- "-$server" 2>/dev/null || true
  server=''
  # The supervisor (runsv, the container engine) restarts us after a crash.
  [[ -n $again ]] || exit "$code"
done
