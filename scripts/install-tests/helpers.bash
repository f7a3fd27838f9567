#!/usr/bin/env bash
# shellcheck disable=SC2034 # the steps under test read these
# What the tests of the installer's steps share: a root of their own, the steps loaded as install.sh loads them, and fake
# commands in front of the PATH that only write down how they were called.

setup_box() {
  REPO=$(cd -- "$BATS_TEST_DIRNAME/../.." && pwd)
  ROOT=$BATS_TEST_TMPDIR/root
  ETC_DIR=$ROOT/etc/siphera PREFIX=$ROOT/opt/siphera RUN_DIR=$ROOT/run/siphera LOG_DIR=$ROOT/var/log/siphera
  APP_DIR=$PREFIX/app TOOLS_DIR=$PREFIX/toolchain
  SOURCE_DIR=$REPO COMPOSE_DIR=$REPO/compose INSTALL_DIR=$REPO/compose/install
  CHANGED_FILES=() CHANGED_SERVICES=() COMPOSE=(docker compose) LOG_FILE=''
  DRY_RUN=no OFFLINE=no ASSUME_YES=yes OWN_CA=no SELF_TEST=no SKIP_OWNERS=yes SYSTEMD_MARK=$ROOT/no-systemd
  mkdir -p "$ROOT/etc" "$ROOT/usr/sbin" "$ROOT/usr/local/bin"
  shopt -s lastpipe
  local file
  for file in lib options preflight packages users toolchain app config certificates templates services docker uninstall finish; do
    # shellcheck source=/dev/null
    . "$INSTALL_DIR/$file.sh"
  done
  SIPHERA_HOST_NAME=box.example.org SIPHERA_ADDRESSES=192.168.7.5 SIPHERA_MDNS_NAME=box.local SIPHERA_MODE=native
  fill_defaults
  set_owners
}

# fake NAME [OUTPUT]: a command that succeeds and logs its arguments.
fake() {
  mkdir -p "$BATS_TEST_TMPDIR/bin"
  printf '%s' "${2-}" >"$BATS_TEST_TMPDIR/bin/$1.output"
  # shellcheck disable=SC2016 # $0 and $* are the fake's own
  printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s/calls"\ncat "$0.output"\n' "$1" "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/$1"
  chmod 755 "$BATS_TEST_TMPDIR/bin/$1"
  PATH=$BATS_TEST_TMPDIR/bin:$PATH
}

calls() { cat "$BATS_TEST_TMPDIR/calls" 2>/dev/null || true; }

# Every file below the root with mode, inode and content.
snapshot() { (cd "$ROOT" && find . -type f -exec stat -c '%n %a %i' {} + | sort && find . -type f -exec sha256sum {} + | sort -k2); }

configure_box() {
  make_directories
  write_settings
  make_secrets
  make_certificates
  render_configuration
  write_services
}
