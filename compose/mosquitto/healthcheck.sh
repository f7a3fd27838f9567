#!/bin/sh
# Healthy when a client with a certificate of the box CA connects by TLS and the broker answers it.
set -eu
: "${PKI_DIR:?}"
# shellcheck disable=SC2016 # the topic is named $SYS
exec mosquitto_sub -h localhost -p "${MQTT_LISTEN_PORT:-8883}" -V 5 -W 4 -C 1 -t '$SYS/broker/uptime' -i "health-$$" \
  --cafile "$PKI_DIR/ca/ca.crt" --cert "$PKI_DIR/mqtt/siphera-health.crt" --key "$PKI_DIR/mqtt/siphera-health.key" >/dev/null
