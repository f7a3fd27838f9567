#!/usr/bin/env bash
# shellcheck disable=SC2034 # the templates name these variables
# Renders the daemons' configuration. Native and Compose use the same templates; only ports, paths and upstreams differ.
# Sourced by install.sh.

render_configuration() {
  local PKI_DIR=$ETC_DIR/pki MOSQUITTO_CONF_DIR=$ETC_DIR/mosquitto NGINX_CONF_DIR=$ETC_DIR/nginx
  local MQTT_LISTEN_PORT MOSQUITTO_DATA_DIR HTTP_LISTEN_PORT HTTPS_LISTEN_PORT NGINX_USER_LINE NGINX_RUN_DIR NGINX_CACHE_DIR
  local CORE_UPSTREAM PANEL_UPSTREAM CAMERA_UPSTREAM SIGNALING_UPSTREAM SIP_BRIDGE_UPSTREAM SIP_WS_UPSTREAM SIP_PUBLIC_DIR WEB_DIST_DIR HTTPS_PORT_SUFFIX IPV6_HTTP_LINE='' IPV6_HTTPS_LINE=''
  HTTPS_PORT_SUFFIX=$(port_suffix)
  if [[ $MODE == docker ]]; then set_container_values; else set_native_values; fi
  if [[ -e /proc/net/if_inet6 ]]; then
    IPV6_HTTP_LINE="listen [::]:$HTTP_LISTEN_PORT default_server;"
    IPV6_HTTPS_LINE="listen [::]:$HTTPS_LISTEN_PORT ssl http2 default_server;"
  fi
  render "$COMPOSE_DIR/mosquitto/mosquitto.conf.template" | write_file "$ETC_DIR/mosquitto/mosquitto.conf" 644
  # Mosquitto warns of an access list that others could read.
  write_file "$ETC_DIR/mosquitto/acl" 600 "$MQTT_OWNER" <"$COMPOSE_DIR/mosquitto/acl"
  write_file "$ETC_DIR/nginx/api-headers.conf" 644 <"$COMPOSE_DIR/nginx/api-headers.conf"
  write_file "$ETC_DIR/nginx/page-headers.conf" 644 <"$COMPOSE_DIR/nginx/page-headers.conf"
  render "$COMPOSE_DIR/nginx/nginx.conf.template" | write_file "$ETC_DIR/nginx/nginx.conf" 644
  render_janus
  render_coturn
  render_kamailio
  [[ $MODE != native || $MDNS_NAME == none ]] || render_mdns
}

set_native_values() {
  MQTT_LISTEN_PORT=$MQTT_PORT HTTP_LISTEN_PORT=$HTTP_PORT HTTPS_LISTEN_PORT=$HTTPS_PORT
  MOSQUITTO_DATA_DIR=$DATA_DIR/mosquitto
  NGINX_USER_LINE='user siphera-www;' NGINX_RUN_DIR=$RUN_DIR/nginx NGINX_CACHE_DIR=$ROOT/var/cache/siphera/nginx
  CORE_UPSTREAM=127.0.0.1:7080 SIGNALING_UPSTREAM=127.0.0.1:7081 PANEL_UPSTREAM=127.0.0.1:7082 CAMERA_UPSTREAM=127.0.0.1:7083
  SIP_BRIDGE_UPSTREAM=127.0.0.1:7084 SIP_WS_UPSTREAM=127.0.0.1:$SIP_WS_PORT SIP_PUBLIC_DIR=$DATA_DIR/sip/public
  WEB_DIST_DIR=$APP_DIR/web/dist
}

# As compose/nginx and compose/mosquitto's images and docker-compose.yml have them.
set_container_values() {
  MQTT_LISTEN_PORT=8883 HTTP_LISTEN_PORT=8080 HTTPS_LISTEN_PORT=8443
  MOSQUITTO_DATA_DIR=/var/lib/siphera/mosquitto
  NGINX_USER_LINE='' NGINX_RUN_DIR=/tmp/nginx NGINX_CACHE_DIR=/tmp/nginx/cache
  CORE_UPSTREAM=core:7080 SIGNALING_UPSTREAM=signaling:7081 PANEL_UPSTREAM=panel:7082 CAMERA_UPSTREAM=unix:/run/siphera/camera/http.sock
  SIP_BRIDGE_UPSTREAM=unix:/run/siphera/sip-bridge/http.sock SIP_WS_UPSTREAM=unix:/run/siphera/kamailio/ws.sock SIP_PUBLIC_DIR=/var/lib/siphera/sip/public
  WEB_DIST_DIR=/opt/siphera/web
}

render_janus() {
  local JANUS_CONF_DIR=$ETC_DIR/janus JANUS_SECRET JANUS_IPV6=false JANUS_ADDRESS_LINE='' JANUS_INTERFACE_LINE=''
  if [[ $DRY_RUN == yes ]]; then
    note "would write: $ETC_DIR/janus"
    return
  fi
  [[ $MODE != docker ]] || JANUS_CONF_DIR=/etc/siphera/janus
  JANUS_SECRET=$(cat "$ETC_DIR/secrets/janus.secret")
  # Of all addresses, those of container bridges too, where none is given.
  [[ -z $MEDIA_ADDRESS ]] || JANUS_ADDRESS_LINE="ice_enforce_list = \"$MEDIA_ADDRESS\"" JANUS_INTERFACE_LINE="interface = \"$MEDIA_ADDRESS\""
  [[ $MEDIA_ADDRESS != *:* ]] || JANUS_IPV6=true
  render "$COMPOSE_DIR/janus/janus.jcfg.template" | write_file "$ETC_DIR/janus/janus.jcfg" 400 "$JANUS_OWNER"
  render "$COMPOSE_DIR/janus/janus.transport.websockets.jcfg.template" | write_file "$ETC_DIR/janus/janus.transport.websockets.jcfg" 444
  write_file "$ETC_DIR/janus/janus.plugin.streaming.jcfg" 444 <"$COMPOSE_DIR/janus/janus.plugin.streaming.jcfg"
}

render_coturn() {
  local TURN_LISTEN_PORT=$TURN_PORT TURNS_LISTEN_PORT=$TURNS_PORT COTURN_RUN_DIR=$ROOT/var/cache/siphera/coturn PKI_DIR=$ETC_DIR/pki
  # It listens on all addresses of the machine, or of its container.
  local TURN_SECRET TURN_REALM=$HOST_NAME TURN_LISTENING_LINE=''
  if [[ $TURN_PORT == off ]]; then
    do_it rm -f "$ETC_DIR/coturn/turnserver.conf"
    return
  fi
  if [[ $DRY_RUN == yes ]]; then
    note "would write: $ETC_DIR/coturn"
    return
  fi
  # As docker-compose.yml has them.
  [[ $MODE != docker ]] || TURN_LISTEN_PORT=3478 TURNS_LISTEN_PORT=5349 COTURN_RUN_DIR=/tmp/coturn PKI_DIR=/etc/siphera/pki
  TURN_SECRET=$(cat "$ETC_DIR/secrets/turn.secret")
  render "$COMPOSE_DIR/coturn/turnserver.conf.template" | write_file "$ETC_DIR/coturn/turnserver.conf" 400 "$TURN_OWNER"
}

# Its script is fixed and lies beside run.sh; only what belongs to this box is rendered.
render_kamailio() {
  local SIP_DOMAIN=$HOST_NAME SIP_SECRET KAMAILIO_RPC_SECRET SIP_ORIGINS SIP_DIR=$DATA_DIR/sip KAMAILIO_RUN_DIR=$ROOT/var/cache/siphera/kamailio
  local SIP_TLS_DIR=$ETC_DIR/pki/sip KAMAILIO_SCRIPT_DIR=$APP_DIR/compose/kamailio
  local KAMAILIO_WS_LISTEN=127.0.0.1:$SIP_WS_PORT KAMAILIO_RPC_LISTEN=127.0.0.1:$SIP_RPC_PORT KAMAILIO_EVENTS_LISTEN=127.0.0.1:$SIP_EVENTS_PORT
  local RTPENGINE_A=127.0.0.1:$RTP_A_PORT RTPENGINE_B=127.0.0.1:$RTP_B_PORT
  if [[ $SIP_PORT == off ]]; then
    do_it rm -f "$ETC_DIR/kamailio/kamailio.cfg"
    return
  fi
  if [[ $DRY_RUN == yes ]]; then
    note "would write: $ETC_DIR/kamailio"
    return
  fi
  # As docker-compose.yml has them.
  [[ $MODE != docker ]] || SIP_DIR=/var/lib/siphera/sip KAMAILIO_RUN_DIR=/tmp/kamailio SIP_TLS_DIR=/etc/siphera/pki/sip KAMAILIO_SCRIPT_DIR=/opt/siphera/kamailio
  SIP_SECRET=$(cat "$ETC_DIR/secrets/sip.secret")
  KAMAILIO_RPC_SECRET=$(cat "$ETC_DIR/secrets/sip-rpc.secret")
  SIP_ORIGINS=$(public_urls)
  render "$COMPOSE_DIR/kamailio/kamailio.cfg.template" | write_file "$ETC_DIR/kamailio/kamailio.cfg" 400 "$KAMAILIO_OWNER"
}

render_mdns() {
  local MDNS_LABEL=${MDNS_NAME%.local}
  render "$COMPOSE_DIR/avahi/avahi-daemon.conf.template" | write_file "$ETC_DIR/avahi-daemon.conf" 644
  make_dir "$ROOT/etc/avahi/services" 755
  render "$COMPOSE_DIR/avahi/siphera.service.template" | write_file "$ROOT/etc/avahi/services/siphera.service" 644
}
