#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Compose mode: the same settings, certificates and templates, in containers. Sourced by install.sh.

compose() { "${COMPOSE[@]}" --project-name siphera --env-file "$ETC_DIR/compose.env" -f "$APP_DIR/docker-compose.yml" "$@"; }

# What docker-compose.yml asks for: siphera.env and what follows from it. Image names given in the environment are kept,
# so that later runs of `siphera` use the same ones.
write_compose_env() {
  local name
  {
    for name in "${SETTINGS[@]}"; do
      # Off is no port that could be published, and phones have what follows from it.
      [[ $name == TURN_PORT && $TURN_PORT == off ]] || printf 'SIPHERA_%s=%s\n' "$name" "${!name}"
    done
    if [[ -n $ADMIN_EMAIL ]]; then printf 'SIPHERA_PUSH_CONTACT=mailto:%s\n' "$ADMIN_EMAIL"; fi
    printf 'SIPHERA_TURN_URIS=%s\n' "$(turn_uris)"
    printf 'SIPHERA_PUBLIC_URLS=%s\n' "$(public_urls)"
    printf 'SIPHERA_PUBLIC_URL=https://%s%s\n' "$HOST_NAME" "$(port_suffix)"
    sip_bridge_places | sed "s/^/SIPHERA_SIP_BRIDGE_/; s/'//g"
    for name in a b; do "rtpengine_${name}_env" | sed "s/^/SIPHERA_RTP_${name^^}_/; s/'//g"; done
    if [[ $RTSP_PORT != off ]]; then printf 'SIPHERA_RTSP_LISTEN=0.0.0.0:%s\n' "$RTSP_PORT"; fi
    for name in SIPHERA_NODE_IMAGE SIPHERA_DEBIAN_IMAGE SIPHERA_NODE_SERVICE_IMAGE SIPHERA_CAMERA_IMAGE SIPHERA_JANUS_IMAGE SIPHERA_COTURN_IMAGE \
      SIPHERA_SIP_BRIDGE_IMAGE SIPHERA_KAMAILIO_IMAGE SIPHERA_RTPENGINE_IMAGE SIPHERA_MOSQUITTO_IMAGE SIPHERA_NGINX_IMAGE; do
      [[ -z ${!name-} ]] || printf '%s=%s\n' "$name" "${!name}"
    done
  } | write_file "$ETC_DIR/compose.env" 644
}

# Certificates are renewed from the host, which holds the CA's files: daily by systemd, or by cron where there is none.
write_renewal() {
  if has_systemd; then
    render "$COMPOSE_DIR/runit/siphera-renew.service.template" | write_file "$ROOT/etc/systemd/system/siphera-renew.service" 644
    render "$COMPOSE_DIR/runit/siphera-renew.timer.template" | write_file "$ROOT/etc/systemd/system/siphera-renew.timer" 644
    quietly systemctl daemon-reload
    quietly systemctl enable --now siphera-renew.timer
  else
    make_dir "$ROOT/etc/cron.daily" 755
    printf '#!/bin/sh\nexec %s/install.sh renew-certificates\n' "$APP_DIR" | write_file "$ROOT/etc/cron.daily/siphera-renew" 755
  fi
}

build_images() {
  if [[ $OFFLINE == yes ]]; then
    note 'offline: the images must be loaded already'
    return
  fi
  note 'building the images (some minutes the first time)'
  quietly compose build || fail 'an image could not be built' "look at the log $LOG_FILE"
}

# `up` leaves a container alone whose image and settings are the same. Files that are mounted are watched by the daemons.
start_containers() {
  note 'starting the containers'
  local name scale=()
  for name in $(absent_containers); do scale+=(--scale "$name=0"); done
  quietly compose up -d --remove-orphans "${scale[@]}" || {
    if [[ $DRY_RUN == no ]]; then compose ps && compose logs --tail 15; fi >&2
    fail 'the containers did not come up' 'siphera doctor'
  }
}

# Those that are switched off.
absent_containers() {
  [[ $TURN_PORT != off ]] || printf '%s\n' coturn
  [[ $SIP_PORT != off ]] || printf '%s\n' sip-bridge rtpengine-a rtpengine-b kamailio softphone-door
}

container_health() { docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$(compose ps -q "$1")" 2>/dev/null; }
container_is_up() { [[ $(container_health "$1") == healthy ]]; }

wait_for_containers() {
  local name
  if [[ $DRY_RUN == yes ]]; then return; fi
  for name in mosquitto core panel signaling janus coturn camera rtpengine-a rtpengine-b kamailio softphone-door sip-bridge nginx; do
    ! absent_containers | grep -qx "$name" || continue
    try_for 90 container_is_up "$name" || {
      compose logs --tail 15 "$name" >&2 || true
      fail "$name is not healthy" "docker logs of the container; siphera doctor"
    }
    note "$name is up"
  done
}
