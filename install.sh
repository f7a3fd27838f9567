#!/usr/bin/env bash
# Installs, upgrades or repairs a Siphera box: `./install.sh --help`. Install = upgrade = repair: every step looks at what is
# there and does only what is missing, so that running it twice changes nothing.
set -eEuo pipefail
# `… | write_file` must see this shell's variables.
shopt -s lastpipe
umask 022

SOURCE_DIR=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# Tests install into a directory instead of /.
ROOT=${SIPHERA_ROOT:-}
ETC_DIR=$ROOT/etc/siphera
PREFIX=$ROOT/opt/siphera
LOG_DIR=$ROOT/var/log/siphera
APP_DIR=$PREFIX/app
# shellcheck disable=SC2034 # used by the steps
{
  TOOLS_DIR=$PREFIX/toolchain
  COMPOSE_DIR=$SOURCE_DIR/compose
  INSTALL_DIR=$SOURCE_DIR/compose/install
  CHANGED_FILES=()
  CHANGED_SERVICES=()
  COMPOSE=()
  RUN_DIR=$ROOT/run/siphera
}
LOG_FILE=''
[[ ${DEBUG:-0} != 1 ]] || set -x

for file in lib options preflight packages users toolchain app config certificates templates services docker uninstall finish; do
  # shellcheck source=/dev/null
  . "$SOURCE_DIR/compose/install/$file.sh"
done

stack_trace() {
  local code=$? frame
  [[ $BASH_SUBSHELL -eq 0 ]] || return "$code"
  warn "a step failed (code $code): $BASH_COMMAND"
  for ((frame = 1; frame < ${#FUNCNAME[@]}; frame++)); do
    warn "  in ${FUNCNAME[frame]} (${BASH_SOURCE[frame]##*/}:${BASH_LINENO[frame - 1]})"
  done
  return "$code"
}
at_exit() {
  local code=$?
  release_services
  [[ $code -eq 0 || -z $LOG_FILE ]] || warn "The log of this run: $LOG_FILE"
}
trap stack_trace ERR
trap at_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# From here on everything is also written to a dated file.
open_log() {
  [[ $DRY_RUN == no ]] || return 0
  mkdir -p "$LOG_DIR"
  LOG_FILE=$LOG_DIR/install-$(date -u +%Y%m%dT%H%M%SZ).log
  (umask 077 && : >"$LOG_FILE")
  exec > >(tee -a "$LOG_FILE") 2>&1
}

install_native() {
  step 'Daemons from Debian'
  local packages=()
  mapfile -t packages < <(native_packages)
  install_packages "${packages[@]}"
  native_users
  set_owners
  step 'Programs'
  make_dir "$PREFIX" 755
  install_toolchain
  install_app
}

install_docker() {
  step 'Programs'
  install_packages openssl ca-certificates
  set_owners
  make_dir "$PREFIX" 755
  install_app
}

configure() {
  step 'Settings, secrets, certificates'
  make_directories
  write_settings
  make_secrets
  make_certificates
  render_configuration
  # From here on what is installed counts, not the tree it came from.
  # shellcheck disable=SC2034 # the services' step reads it
  [[ $DRY_RUN == yes ]] || COMPOSE_DIR=$APP_DIR/compose
}

start() {
  step 'Services'
  if [[ $MODE == docker ]]; then
    write_compose_env
    build_images
    start_containers
    write_renewal
    wait_for_containers
  else
    write_services
    write_unit
    start_services
    wait_for_services
  fi
}

# An upgrade keeps a verified copy of the data from before the new programs touch it.
backup_before_upgrade() {
  [[ -n ${APP_CHANGED-} && -s $DATA_DIR/core/core.sqlite && -x $ROOT/usr/local/bin/siphera && $DRY_RUN == no ]] || return 0
  step 'Backup before the upgrade'
  "$ROOT/usr/local/bin/siphera" backup || fail 'the backup failed, so the upgrade stops here' 'siphera doctor'
}

install_box() {
  step 'Looking at this machine (nothing is changed yet)'
  load_settings
  fill_defaults
  ask_questions
  check_settings
  preflight
  open_log
  if [[ $MODE == docker ]]; then install_docker; else install_native; fi
  install_command
  configure
  backup_before_upgrade
  start
  step 'Self-test'
  run_self_test
  farewell
}

show_status() {
  load_settings
  fill_defaults
  [[ -x $ROOT/usr/local/bin/siphera && -r $ETC_DIR/siphera.env ]] || {
    say 'The box is not installed on this machine.'
    exit 1
  }
  exec "$ROOT/usr/local/bin/siphera" status
}

# What the renew service, or the host's timer, calls once a day.
renew_certificates() {
  load_settings
  fill_defaults
  set_owners
  make_certificates
  # New addresses are another place for live video and for the sound of phones, and new origins to core, signaling and Kamailio.
  # coturn and Kamailio see their certificate and the addresses by themselves.
  render_janus
  render_kamailio
  if [[ $MODE == native ]]; then
    write_services
    start_services
  elif find_compose; then
    write_compose_env
    [[ ${#CHANGED_FILES[@]} -eq 0 ]] || start_containers
  fi
}

parse_options "$@"
case $COMMAND in
  install) install_box ;;
  status) show_status ;;
  renew-certificates) renew_certificates ;;
  uninstall)
    load_settings
    fill_defaults
    [[ $EUID -eq 0 || ${SKIP_OWNERS:-no} == yes ]] || fail 'only root can remove the box'
    uninstall
    ;;
esac
