#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Who owns and runs what. Each part has a user of its own: panel reads hostile bytes and must not read core's CA key.
# Natively they are system users made here; in containers fixed numbers that the images name. Sourced by install.sh.

native_users() {
  # The group of `siphera` may open core's internal socket; panel, signaling, camera and sip-bridge are in it, the others are not.
  ensure_user siphera ''
  ensure_user siphera-panel siphera
  ensure_user siphera-signaling siphera
  ensure_user siphera-camera siphera
  ensure_user siphera-sip siphera
  ensure_user siphera-kamailio ''
  ensure_user siphera-rtp ''
  ensure_user siphera-janus ''
  ensure_user siphera-turn ''
  ensure_user siphera-mqtt ''
  ensure_user siphera-www ''
}

ensure_user() {
  local user=$1 group=$2
  if ! getent passwd "$user" >/dev/null; then
    note "user $user"
    do_it useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
  fi
  [[ -z $group ]] || id -nG "$user" 2>/dev/null | tr ' ' '\n' | grep -qx "$group" || do_it usermod -a -G "$group" "$user"
}

set_owners() {
  if [[ $MODE == docker ]]; then
    CORE_OWNER=10001:10001 PANEL_OWNER=10002:10002 SIGNALING_OWNER=10003:10003 MQTT_OWNER=10004:10004 WWW_OWNER=10005:10005
    CAMERA_OWNER=10006:10006 JANUS_OWNER=10007:10007 TURN_OWNER=10008:10008
    SIP_OWNER=10009:10009 KAMAILIO_OWNER=10011:10011 CORE_DOOR_GROUP=10020
  else
    CORE_OWNER=siphera:siphera PANEL_OWNER=siphera-panel:siphera-panel SIGNALING_OWNER=siphera-signaling:siphera-signaling
    MQTT_OWNER=siphera-mqtt:siphera-mqtt WWW_OWNER=root:siphera-www CAMERA_OWNER=siphera-camera:siphera-camera
    JANUS_OWNER=siphera-janus:siphera-janus TURN_OWNER=siphera-turn:siphera-turn
    SIP_OWNER=siphera-sip:siphera-sip KAMAILIO_OWNER=siphera-kamailio:siphera-kamailio
  fi
}

remove_users() {
  local user
  for user in siphera-panel siphera-signaling siphera-camera siphera-janus siphera-turn siphera-sip siphera-kamailio siphera-rtp siphera-mqtt \
    siphera-www siphera; do
    if getent passwd "$user" >/dev/null; then quietly userdel "$user" || true; fi
  done
}
