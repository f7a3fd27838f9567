#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# The daemons from Debian, without letting the distribution start them: the box runs them by its own configuration.
# Sourced by install.sh. What was installed before us is left as it was, its units too.

native_packages() {
  printf '%s\n' mosquitto mosquitto-clients nginx-light janus coturn ffmpeg kamailio kamailio-websocket-modules kamailio-tls-modules kamailio-sqlite-modules \
    kamailio-json-modules kamailio-utils-modules kamailio-extra-modules kamailio-autheph-modules rtpengine-daemon espeak-ng runit openssl sqlite3 ca-certificates iproute2 procps
  [[ $MDNS_NAME == none ]] || printf '%s\n' avahi-daemon
}

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

missing_packages() {
  local package
  for package in "$@"; do
    is_installed "$package" || printf '%s\n' "$package"
  done
}

install_packages() {
  local missing=()
  mapfile -t missing < <(missing_packages "$@")
  hold_known_units
  [[ ${#missing[@]} -gt 0 ]] || return 0
  [[ $OFFLINE == no ]] || fail "these packages are missing: ${missing[*]}" 'install them, or run without --offline'
  note "installing ${missing[*]}"
  if [[ $DRY_RUN == yes ]]; then return; fi
  with_services_held apt_install "${missing[@]}"
  own_units "${missing[@]}"
}

apt_install() {
  export DEBIAN_FRONTEND=noninteractive
  # The lists may be missing (a fresh image) or old: fetch them once, then install.
  quietly apt-get update || warn 'apt-get update failed; trying with the lists that are here'
  quietly apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold "$@" ||
    fail 'apt-get could not install the packages' "look at the log $LOG_FILE and at /etc/apt"
}

# Debian starts a daemon as soon as it is unpacked, unless policy-rc.d says no. The admin's own file comes back afterwards.
with_services_held() {
  local policy=$ROOT/usr/sbin/policy-rc.d code=0
  [[ ! -e $policy ]] || mv -f "$policy" "$policy.before-siphera"
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  HELD_POLICY=$policy
  "$@" || code=$?
  release_services
  return "$code"
}

# Also called by the exit trap, so that a run that broke off leaves no policy behind.
release_services() {
  [[ -n ${HELD_POLICY-} ]] || return 0
  rm -f "$HELD_POLICY"
  [[ ! -e $HELD_POLICY.before-siphera ]] || mv -f "$HELD_POLICY.before-siphera" "$HELD_POLICY"
  HELD_POLICY=''
}

# Units of the daemons that came with this installation: ours run instead. Their names are kept for uninstall.
own_units() {
  local package unit
  for package in "$@"; do
    case $package in
      mosquitto | janus | coturn | kamailio | rtpengine-daemon) unit=$package ;;
      nginx-light) unit=nginx ;;
      avahi-daemon) unit=avahi-daemon ;;
      *) continue ;;
    esac
    make_dir "$ETC_DIR" 755
    grep -qsx "$unit" "$ETC_DIR/held-units" || printf '%s\n' "$unit" >>"$ETC_DIR/held-units"
    hold_unit "$unit"
  done
}

hold_unit() {
  if has_systemd; then
    quietly systemctl disable --now "$1.service" || true
    quietly systemctl mask "$1.service" || true
    [[ $1 != avahi-daemon ]] || quietly systemctl mask --now avahi-daemon.socket || true
  elif [[ -x /usr/sbin/update-rc.d && -e /etc/init.d/$1 ]]; then
    quietly update-rc.d "$1" disable || true
  fi
}

release_units() {
  local unit
  [[ -r $ETC_DIR/held-units ]] || return 0
  while IFS= read -r unit; do
    note "the distribution's own $unit may run again"
    if has_systemd; then
      quietly systemctl unmask "$unit.service" || true
      [[ $unit != avahi-daemon ]] || quietly systemctl unmask avahi-daemon.socket || true
    elif [[ -x /usr/sbin/update-rc.d && -e /etc/init.d/$unit ]]; then
      quietly update-rc.d "$unit" enable || true
    fi
  done <"$ETC_DIR/held-units"
}

# A box that was uninstalled and comes back holds again what it held before.
hold_known_units() {
  local unit
  [[ -r $ETC_DIR/held-units ]] || return 0
  while IFS= read -r unit; do hold_unit "$unit"; done <"$ETC_DIR/held-units"
}
