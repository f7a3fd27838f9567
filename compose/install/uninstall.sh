#!/usr/bin/env bash
# shellcheck disable=SC2034 # LOG_FILE is used by lib.sh
# Takes the box off this machine. Configuration, data and backups stay, unless --purge is given. Debian's packages stay too
# (others may use them); their own units may run again. Sourced by install.sh.

uninstall() {
  if [[ $ASSUME_YES == no && $DRY_RUN == no && -t 0 ]]; then
    local answer
    read -r -p "Remove the box from this machine$([[ $PURGE == no ]] || printf ', with ALL its data and backups')? [y/N] " answer
    [[ $answer =~ ^[yY] ]] || fail 'stopped by you; nothing was changed'
  fi
  step 'Stopping'
  stop_box
  step 'Removing'
  release_units
  if has_systemd; then quietly systemctl disable --now siphera-renew.timer || true; fi
  do_it rm -f "$ROOT/usr/local/bin/siphera" "$ROOT/etc/systemd/system/siphera"{.service,-renew.service,-renew.timer} \
    "$ROOT/etc/avahi/services/siphera.service" "$ROOT/etc/cron.daily/siphera-renew"
  if has_systemd; then quietly systemctl daemon-reload; fi
  do_it rm -rf -- "$PREFIX" "$RUN_DIR" "$ROOT/var/cache/siphera" "$ETC_DIR/sv" "$ETC_DIR/native"
  if [[ $PURGE == yes ]]; then
    purge
  else
    note "kept: $ETC_DIR, $DATA_DIR, $RECORDINGS_DIR, $BACKUP_DIR, $LOG_DIR (./install.sh brings the box back; uninstall --purge removes them)"
  fi
}

stop_box() {
  if [[ -r $ETC_DIR/compose.env ]] && engine_runs && find_compose && [[ -r $APP_DIR/docker-compose.yml ]]; then
    quietly compose down --remove-orphans || warn 'the containers could not be stopped'
    [[ $PURGE == no ]] || quietly docker image rm -f siphera/services:0.1.0 siphera/camera:0.1.0 siphera/janus:0.1.0 siphera/coturn:0.1.0 \
      siphera/sip-bridge:0.1.0 siphera/kamailio:0.1.0 siphera/rtpengine:0.1.0 siphera/mosquitto:0.1.0 siphera/nginx:0.1.0 || true
  fi
  if has_systemd && [[ -e $ROOT/etc/systemd/system/siphera.service ]]; then
    quietly systemctl disable --now siphera.service || true
  elif [[ -r $RUN_DIR/supervise.pid ]]; then
    stop_directly
  fi
}

stop_directly() {
  local pid
  pid=$(cat "$RUN_DIR/supervise.pid")
  do_it kill -TERM "$pid" 2>/dev/null || return 0
  try_for 40 process_is_gone "$pid" || warn 'the services did not stop in time'
}

process_is_gone() { [[ $DRY_RUN == yes ]] || ! kill -0 "$1" 2>/dev/null; }

purge() {
  do_it rm -rf -- "$DATA_DIR/core" "$DATA_DIR/panel" "$DATA_DIR/signaling" "$DATA_DIR/camera" "$DATA_DIR/recordings" "$DATA_DIR/sip-bridge" "$DATA_DIR/sip" "$DATA_DIR/mosquitto" \
    "$DATA_DIR/run" "$DATA_DIR"/before-restore-* "$DATA_DIR"/.restore-*
  # It was empty when it became the box's (check_recordings_dir); it may be the root of a disk.
  if [[ -d $RECORDINGS_DIR ]]; then do_it find "$RECORDINGS_DIR" -mindepth 1 -maxdepth 1 -not -name lost+found -exec rm -rf -- {} +; fi
  if [[ -d $RECORDINGS_DIR ]]; then do_it rmdir --ignore-fail-on-non-empty "$RECORDINGS_DIR" || note "kept: $RECORDINGS_DIR, now empty"; fi
  if [[ -d $FOOTAGE_ROOT ]]; then do_it rmdir --ignore-fail-on-non-empty "$FOOTAGE_ROOT"; fi
  # The data directory may be a mount, or hold what is not ours: only what the box made goes.
  case $BACKUP_DIR in "$DATA_DIR"/*) do_it rm -rf -- "$BACKUP_DIR" ;; *) note "kept: backups outside of the data directory, $BACKUP_DIR" ;; esac
  if [[ -d $DATA_DIR ]]; then do_it rmdir --ignore-fail-on-non-empty "$DATA_DIR"; fi
  do_it rm -rf -- "$ETC_DIR" "$LOG_DIR"
  LOG_FILE=''
  remove_users
}
