#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# The box CA and what it signs: the front door, the broker, core's and the health check's client certificates, and in Compose
# an internal CA of its own for the services among themselves (a device certificate must not open core's internal API).
# Run by the installer and, once a day, by the `renew` service. Sourced.

# What the CA may sign. Phones are told to trust it, so a stolen key must be good for this box's kind of names alone:
# its host name, the names that only exist on a LAN, and private networks (and the box's own address, should it be public).
ca_permits() {
  printf '%s' "$HOST_NAME,local,localhost,internal,home.arpa,lan,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,127.0.0.0/8,fc00::/7,fe80::/10,::1"
  [[ -z $ADDRESSES ]] || printf ',%s' "$ADDRESSES"
  [[ $(short_host_name) == siphera ]] || printf ',%s' "$(short_host_name)"
}

server_names() {
  printf '%s,localhost,127.0.0.1,::1' "$HOST_NAME"
  [[ $MDNS_NAME == none || $MDNS_NAME == "$HOST_NAME" ]] || printf ',%s' "$MDNS_NAME"
  [[ -z $ADDRESSES ]] || printf ',%s' "$ADDRESSES"
}

pki() { do_it bash "$INSTALL_DIR/pki.sh" "$@"; }

# give OWNER DIR: the files of one reader. Certificates are public, keys are the reader's alone.
give() {
  [[ $DRY_RUN == no ]] || return 0
  chmod 755 "$2"
  find "$2" -maxdepth 1 -name '*.crt' -exec chmod 644 {} +
  find "$2" -maxdepth 1 -name '*.key' -exec chmod 400 {} +
  own -R "$1" "$2"
}

make_certificates() {
  local dir=$ETC_DIR/pki names
  names=$(server_names)
  [[ -s $dir/ca/ca.crt ]] || note "the box's own CA"
  pki ca "$dir/ca" --name "Siphera box ${HOST_NAME//,/}" --permit "$(ca_permits)"
  check_ca_names "$names"
  pki server "$dir/ca" mqtt --san "$names,mosquitto.internal" --out "$dir/mqtt"
  pki client "$dir/ca" siphera-health --out "$dir/mqtt"
  pki client "$dir/ca" siphera-core --out "$dir/core"
  make_front_certificate "$names"
  copy_front_certificate turn "$TURN_OWNER"
  copy_front_certificate sip "$KAMAILIO_OWNER"
  [[ $MODE != docker ]] || make_internal_certificates
  # Core signs the devices' certificates and rewrites the list of revoked ones.
  give "$CORE_OWNER" "$dir/ca"
  give "$CORE_OWNER" "$dir/core"
  give "$MQTT_OWNER" "$dir/mqtt"
  give "$WWW_OWNER" "$dir/front"
  give "$TURN_OWNER" "$dir/turn"
  give "$KAMAILIO_OWNER" "$dir/sip"
}

# A new host name outside of what the CA may sign needs a new CA, which every phone and device must be told about: never unasked.
check_ca_names() {
  local scratch
  [[ $DRY_RUN == no ]] || return 0
  scratch=$(mktemp -d)
  if ! bash "$INSTALL_DIR/pki.sh" server "$ETC_DIR/pki/ca" probe --san "$1" --out "$scratch" 2>/dev/null; then
    rm -rf -- "$scratch"
    fail "the box's CA was made for other names and may not sign for $1" \
      "keep the old name and addresses, use your own certificate (--cert, --key), or make a new CA: docs/guide/operate.md, 'A new host name'"
  fi
  rm -rf -- "$scratch"
}

make_front_certificate() {
  local dir=$ETC_DIR/pki/front
  make_dir "$dir" 755
  if [[ -n $CERT ]]; then
    if [[ $DRY_RUN == yes ]]; then note "would use the certificate $CERT" && return; fi
    cmp -s "$KEY" "$dir/front.key" || { install -m 400 "$KEY" "$dir/front.key.tmp" && mv -f "$dir/front.key.tmp" "$dir/front.key"; }
    cmp -s "$CERT" "$dir/front.crt" || { install -m 644 "$CERT" "$dir/front.crt.tmp" && mv -f "$dir/front.crt.tmp" "$dir/front.crt"; }
    : >"$dir/own"
    return
  fi
  # Going back to the box's CA after an admin's certificate: that key is the admin's, ours gets its own.
  [[ ! -e $dir/own ]] || do_it rm -f "$dir/own" "$dir/front.key" "$dir/front.crt"
  pki server "$ETC_DIR/pki/ca" front --san "$1" --out "$dir"
}

# copy_front_certificate NAME OWNER: coturn and Kamailio have the front door's certificate, each in a copy that its user can read: the
# key first, as both are read again when the certificate changes.
copy_front_certificate() {
  local name=$1 from=$ETC_DIR/pki/front dir=$ETC_DIR/pki/$1
  make_dir "$dir" 755
  [[ $DRY_RUN == no ]] || return 0
  cmp -s "$from/front.key" "$dir/$name.key" || {
    install -m 400 "$from/front.key" "$dir/$name.key.tmp"
    own "$2" "$dir/$name.key.tmp"
    mv -f "$dir/$name.key.tmp" "$dir/$name.key"
  }
  cmp -s "$from/front.crt" "$dir/$name.crt" || { install -m 644 "$from/front.crt" "$dir/$name.crt.tmp" && mv -f "$dir/$name.crt.tmp" "$dir/$name.crt"; }
}

make_internal_certificates() {
  local dir=$ETC_DIR/pki/internal name
  pki ca "$dir/ca" --name 'Siphera internal' --permit internal,core,panel,signaling,cli,localhost
  for name in core panel signaling cli; do
    pki internal "$dir/ca" "$name" --san "$name,$name.internal,localhost" --out "$dir/$name"
    # install makes the file anew, whatever is there.
    [[ $DRY_RUN == yes ]] || cmp -s "$dir/ca/ca.crt" "$dir/$name/ca.crt" || install -m 644 "$dir/ca/ca.crt" "$dir/$name/ca.crt"
  done
  give "$CORE_OWNER" "$dir/core"
  give "$PANEL_OWNER" "$dir/panel"
  give "$SIGNALING_OWNER" "$dir/signaling"
  [[ $DRY_RUN == yes ]] || chmod 700 "$dir/ca"
}
