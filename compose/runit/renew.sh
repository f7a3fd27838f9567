#!/bin/bash
# Renews what the box's own CA issued, 30 days before its end. Broker and front door notice the new files by themselves;
# core reads its client certificate at the start, so it is restarted when that one changed.
set -eEuo pipefail

# Seconds: a day.
readonly INTERVAL=86400
install_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../install" && pwd)

trap 'exit 0' TERM INT
while true; do
  sleep "$INTERVAL" &
  wait $!
  before=$(stat -c %i "$SIPHERA_ETC/pki/core/siphera-core.crt")
  "$install_dir/../../install.sh" renew-certificates
  [[ $(stat -c %i "$SIPHERA_ETC/pki/core/siphera-core.crt") == "$before" ]] || sv restart "$SIPHERA_ETC/sv/core"
done
