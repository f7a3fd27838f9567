#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# The programs in /opt/siphera/app: a copy of this source tree, its packages, and the built console. A new tree is made
# beside the old one and takes its place in one rename, so that a run that breaks off leaves the box as it was.
# Sourced by install.sh.

readonly NOT_COPIED=(.git .ci .cache node_modules coverage .dev .bench '*.log' '*.tsbuildinfo')

source_files() {
  local name args=()
  for name in "${NOT_COPIED[@]}"; do args+=(-name "$name" -prune -o); done
  (cd "$SOURCE_DIR" && find . -path ./web/dist -prune -o "${args[@]}" -type f -print | LC_ALL=C sort)
}

# One number for all of the source: the same tree is not built twice.
source_digest() {
  (cd "$SOURCE_DIR" && source_files | tr '\n' '\0' | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

install_app() {
  local digest fresh=$PREFIX/app.new
  digest=$(source_digest)
  if [[ -r $APP_DIR/.digest && $(cat "$APP_DIR/.digest") == "$digest-$MODE" ]]; then
    note 'the programs are up to date'
    return
  fi
  APP_CHANGED=yes
  note "programs into $APP_DIR"
  if [[ $DRY_RUN == yes ]]; then return; fi
  rm -rf -- "$fresh"
  mkdir -p "$fresh"
  copy_source "$fresh"
  [[ $MODE == docker ]] || build_app "$fresh"
  printf '%s-%s\n' "$digest" "$MODE" >"$fresh/.digest"
  chmod -R u=rwX,go=rX "$fresh"
  rm -rf -- "$PREFIX/app.old"
  [[ ! -d $APP_DIR ]] || mv -- "$APP_DIR" "$PREFIX/app.old"
  mv -- "$fresh" "$APP_DIR"
  rm -rf -- "$PREFIX/app.old"
}

copy_source() {
  local name args=()
  for name in "${NOT_COPIED[@]}"; do args+=(--exclude="$name"); done
  [[ $OFFLINE == yes ]] || args+=(--exclude=./web/dist)
  tar -C "$SOURCE_DIR" "${args[@]}" -cf - . | tar -C "$1" --no-same-owner -xf -
}

build_app() {
  if [[ $OFFLINE == yes ]]; then
    [[ -s $SOURCE_DIR/web/dist/index.html && -d $SOURCE_DIR/node_modules ]] ||
      fail 'this source tree is not built' 'run npm ci and build the console (compose/install/build.sh web .) on a machine with internet, or install without --offline'
    cp -a "$SOURCE_DIR/node_modules" "$1/"
    return
  fi
  note 'building the console'
  quietly env npm_config_cache="$TOOLS_DIR/cache" "$1/compose/install/build.sh" web "$1" || fail 'the console could not be built' "look at the log $LOG_FILE"
  note 'packages of the services'
  quietly env npm_config_cache="$TOOLS_DIR/cache" npm_config_prefer_offline=true "$1/compose/install/build.sh" services "$1" ||
    fail 'the packages of the services could not be installed' "look at the log $LOG_FILE"
}
