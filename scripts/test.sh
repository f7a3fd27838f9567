#!/bin/sh
# `npm test`: all checks and tests of the tree, on a bare Debian 12 too. Brings Node, npm and Debian's daemons itself, then
# hands over to scripts/src/test-run.ts, whose last line is `N passed, N failed`.
set -eu
cd "$(dirname "$0")/.."

# shellcheck source=scripts/toolchain.sh
. scripts/toolchain.sh

need_packages ca-certificates openssl janus coturn kamailio kamailio-websocket-modules kamailio-tls-modules \
  kamailio-sqlite-modules kamailio-json-modules kamailio-utils-modules kamailio-extra-modules kamailio-autheph-modules rtpengine-daemon sip-tester \
  baresip-core espeak-ng mosquitto mosquitto-clients nginx-light libnginx-mod-stream runit sqlite3 \
  chromium libnss3-tools netcat-openbsd iproute2 procps bats shellcheck shfmt \
  curl ffmpeg unzip python3 python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
use_toolchain
exec node scripts/src/test-run.ts "$@"
