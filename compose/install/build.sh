#!/bin/sh
# Builds in a copy of the source tree: `build.sh web DIR` makes DIR/web/dist, `build.sh services DIR` leaves in
# DIR/node_modules just what the services need at run time. Used by the installer and by the images, so that both
# hold the same. Install scripts stay off (.npmrc), and the workspaces stay symlinks: Node strips types only outside node_modules.
set -eu

what=$1
cd "$2"

case $what in
  web)
    npm ci --no-audit --no-fund --workspace web
    cd web
    ../node_modules/.bin/vite build
    ;;
  services)
    npm ci --no-audit --no-fund --omit=dev --workspace services/core --workspace services/panel \
      --workspace services/signaling --workspace services/camera --workspace services/sip-bridge --workspace scripts
    ;;
  *)
    echo "build.sh: web or services, not '$what'" >&2
    exit 2
    ;;
esac
