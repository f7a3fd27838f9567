#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Directories, siphera.env, and the secrets. siphera.env is written once and is the admin's from then on; a flag that is
# given again changes its own line. Secrets are made once and never shown. Sourced by install.sh.

# make_data_dir PATH MODE OWNER: the same, and what lies in it changes hands with it when the box runs another way than before.
make_data_dir() {
  local before
  before=$(stat -c %u:%g "$1" 2>/dev/null || true)
  make_dir "$@"
  [[ -z $before || $before == "$(stat -c %u:%g "$1" 2>/dev/null || true)" ]] || own -R "$3" "$1"
}

make_directories() {
  make_dir "$ETC_DIR" 755
  make_dir "$ETC_DIR/secrets" 711
  make_dir "$ETC_DIR/mosquitto" 755
  make_dir "$ETC_DIR/nginx" 755
  make_dir "$ETC_DIR/janus" 755
  make_dir "$ETC_DIR/coturn" 755
  make_dir "$ETC_DIR/kamailio" 755
  make_dir "$ETC_DIR/pki" 755
  make_dir "$DATA_DIR" 755
  make_data_dir "$DATA_DIR/core" 700 "$CORE_OWNER"
  make_data_dir "$DATA_DIR/panel" 700 "$PANEL_OWNER"
  make_data_dir "$DATA_DIR/signaling" 700 "$SIGNALING_OWNER"
  make_data_dir "$DATA_DIR/camera" 700 "$CAMERA_OWNER"
  make_data_dir "$DATA_DIR/sip-bridge" 700 "$SIP_OWNER"
  make_sip_directories
  make_data_dir "$DATA_DIR/mosquitto" 700 "$MQTT_OWNER"
  make_data_dir "$RECORDINGS_DIR" 700 "$CAMERA_OWNER"
  # Where an admin mounts further disks for footage.
  make_dir "$FOOTAGE_ROOT" 755
  [[ $MODE != docker ]] || make_socket_directories
  make_dir "$BACKUP_DIR" 700
}

# What the bridge writes for Kamailio and for the front door, and what Kamailio reports to the bridge; registrations, beside them, are
# Kamailio's own. Each directory gives its group to what is made in it (setgid). Kamailio keeps the last good plan below the plan.
make_sip_directories() {
  make_data_dir "$DATA_DIR/sip" 755 "$KAMAILIO_OWNER"
  make_data_dir "$DATA_DIR/sip/plan" 2770 "${SIP_OWNER%:*}:${KAMAILIO_OWNER#*:}"
  make_data_dir "$DATA_DIR/sip/spool" 2770 "${KAMAILIO_OWNER%:*}:${SIP_OWNER#*:}"
  make_data_dir "$DATA_DIR/sip/public" 2755 "${SIP_OWNER%:*}:${WWW_OWNER#*:}"
}

# Between the services that are on the host's network (camera, sip-bridge, Kamailio) and the containers' networks lie sockets in
# place of ports. A socket takes the group of its directory (setgid): core's is for those two services, theirs are for nginx.
make_socket_directories() {
  make_dir "$DATA_DIR/run" 755
  make_dir "$DATA_DIR/run/core" 2750 "${CORE_OWNER%:*}:$CORE_DOOR_GROUP"
  make_dir "$DATA_DIR/run/camera" 2750 "${CAMERA_OWNER%:*}:${WWW_OWNER#*:}"
  make_dir "$DATA_DIR/run/sip-bridge" 2750 "${SIP_OWNER%:*}:${WWW_OWNER#*:}"
  make_dir "$DATA_DIR/run/kamailio" 2750 "${KAMAILIO_OWNER%:*}:${WWW_OWNER#*:}"
}

# HOST_NAME → the setting as siphera.env keeps it. The mode is kept as it was decided: an upgrade does not change it unasked.
write_settings() {
  local name file=$ETC_DIR/siphera.env
  if [[ ! -e $file ]]; then
    {
      printf '%s\n' '# Settings of this Siphera box. Yours: the installer never overwrites this file; it only changes the line of an' \
        '# option that is given to it again. After a change by hand run ./install.sh to apply it. See docs/guide/install.md.'
      for name in "${SETTINGS[@]}"; do printf 'SIPHERA_%s=%s\n' "$name" "$(setting_value "$name")"; done
    } | write_file "$file" 644
    return
  fi
  for name in "${SETTINGS[@]}"; do update_setting "$file" "$name"; done
}

# As it was said, not as it was worked out: `auto` stays `auto`.
setting_value() {
  local said=$1_SETTING
  printf '%s' "${!said-${!1}}"
}

update_setting() {
  local file=$1 name=$2 line
  line=SIPHERA_$name=$(setting_value "$2")
  ! grep -qxF -- "$line" "$file" || return 0
  if grep -q "^SIPHERA_$name=" "$file"; then
    awk -v prefix="SIPHERA_$name=" -v line="$line" 'index($0, prefix) == 1 { print line; next } { print }' "$file" | write_file "$file" 644
  else
    { cat "$file" && printf '%s\n' "$line"; } | write_file "$file" 644
  fi
}

# make_secret NAME OWNER: 32 bytes, base64, readable by its one reader.
make_secret() {
  local file=$ETC_DIR/secrets/$1
  if [[ ! -s $file ]]; then
    note "secret $1"
    if [[ $DRY_RUN == yes ]]; then return; fi
    (umask 077 && openssl rand -base64 32 >"$file.tmp")
    mv -f -- "$file.tmp" "$file"
  fi
  do_it chmod 400 "$file"
  own "$2" "$file"
}

make_secrets() {
  # Encrypts the account keys of alarm panels at rest.
  make_secret panel.key "$PANEL_OWNER"
  # Encrypts the box's half of the keys with which talk devices open their stores, and what push needs.
  make_secret signaling.key "$SIGNALING_OWNER"
  # Whoever has it makes credentials for the relay: signaling. coturn has it in its own configuration.
  make_secret turn.secret "$SIGNALING_OWNER"
  # Encrypts the passwords of cameras at rest and signs links to footage.
  make_secret camera.key "$CAMERA_OWNER"
  # Whoever has it commands Janus: the camera service alone. Janus has it in its own configuration.
  make_secret janus.secret "$CAMERA_OWNER"
  # Encrypts the passwords of trunks at rest.
  make_secret sip-bridge.key "$SIP_OWNER"
  # Whoever has it makes credentials for softphones: the bridge. Kamailio has both of these in its own configuration.
  make_secret sip.secret "$SIP_OWNER"
  # Whoever has it commands Kamailio: the bridge.
  make_secret sip-rpc.secret "$SIP_OWNER"
  # Proves to core that the `siphera` command is run by root: new setup codes, password resets, the self-test.
  make_secret admin.key "$CORE_OWNER"
}
