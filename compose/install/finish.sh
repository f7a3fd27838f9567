#!/usr/bin/env bash
# The `siphera` command, the self-test, and what the admin is told at the end. Sourced by install.sh.

install_command() {
  write_file "$ROOT/usr/local/bin/siphera" 755 <"$SOURCE_DIR/scripts/siphera"
}

run_self_test() {
  if [[ $DRY_RUN == yes || $SELF_TEST == no ]]; then return; fi
  "$ROOT/usr/local/bin/siphera" self-test || fail 'the box runs, but a test alarm did not arrive' 'siphera doctor, then siphera self-test'
}

# Janus, the camera service and what carries phones are on the host's own network in both modes, so a firewall of the host holds them back.
open_ports() {
  local tcp=("$HTTPS_PORT" "$HTTP_PORT" "$MQTT_PORT" "$DC09_PORT") udp=("$DC09_PORT" "$MEDIA_PORTS")
  [[ $TURN_PORT == off ]] || tcp+=("$TURN_PORT" "$TURNS_PORT") udp+=("$TURN_PORT")
  [[ $SIP_PORT == off ]] || tcp+=("$SIP_PORT" "$SIPS_PORT") udp+=("$SIP_PORT" "$RTP_PORTS")
  [[ $RTSP_PORT == off ]] || tcp+=("$RTSP_PORT")
  printf 'tcp %s, udp %s' "${tcp[*]}" "${udp[*]}"
}

farewell() {
  local url suffix code others
  if [[ $DRY_RUN == yes ]]; then
    say 'Nothing was changed.'
    return
  fi
  suffix=$(port_suffix)
  url=https://$HOST_NAME$suffix
  say
  say "The box runs: $url"
  others=$(public_urls | cut -s -d, -f2- | tr ',' ' ')
  [[ -z $others ]] || note "also: $others"
  if [[ -z $CERT ]]; then
    say "Make phones and PCs trust it: open $url/trust there and follow the steps. The CA's fingerprint (SHA-256) must be"
    note "$(bash "$INSTALL_DIR/pki.sh" fingerprint "$ETC_DIR/pki/ca/ca.crt")"
  fi
  code=$("$ROOT/usr/local/bin/siphera" setup-code --if-needed 2>/dev/null) || code=''
  if [[ -n $code ]]; then
    say "Become its first admin: open $url/setup and give this code (good once; siphera setup-code makes a new one):"
    note "$code"
  fi
  say 'Where a firewall runs on this machine or before it, these must pass from the LAN:'
  note "$(open_ports)"
  has_systemd || [[ $MODE == docker ]] || note 'There is no systemd here: after a restart of the machine start the box with: siphera start'
}
