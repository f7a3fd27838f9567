#!/usr/bin/env bash
# shellcheck disable=SC2034 # its variables are used by the other files that install.sh reads
# Node 24 and npm 11 in a folder of ours, whatever the host has (nothing, Debian's 18, 20, or a newer one that an upgrade of
# the host may take away). Any npm fetches them once; Debian's is installed for that only when there is none, and goes again.
# Sourced by install.sh.

# npm 11 is the first that `npm ci`s this tree right with install scripts off (npm 9 links no .bin/node).
readonly NPM_VERSION=11.19.1

# The same version the lock file gives developers and CI.
node_version() { sed -nE "s/^ *\"$NODE_PACKAGE\": \"([0-9.]+)\".*/\1/p" "$SOURCE_DIR/package.json" | head -n 1; }

toolchain_node() { printf '%s/node_modules/%s/bin/node' "$TOOLS_DIR" "$NODE_PACKAGE"; }

toolchain_is_good() {
  [[ -x $(toolchain_node) && $("$(toolchain_node)" --version 2>/dev/null) == "v$(node_version)" ]] &&
    [[ $(sed -nE 's/^ *"version": "([^"]+)".*/\1/p' "$TOOLS_DIR/node_modules/npm/package.json" 2>/dev/null | head -n 1) == "$NPM_VERSION" ]]
}

install_toolchain() {
  if ! toolchain_is_good; then
    note "Node $(node_version) and npm $NPM_VERSION into $TOOLS_DIR"
    if [[ $DRY_RUN == yes ]]; then return; fi
    if [[ $OFFLINE == yes ]]; then copy_toolchain; else fetch_toolchain; fi
    toolchain_is_good || fail 'Node did not arrive as expected' "look at the log $LOG_FILE"
  fi
  PATH=$TOOLS_DIR/node_modules/.bin:$(dirname "$(toolchain_node)"):$PATH
  export PATH
  [[ $(readlink "$PREFIX/node" 2>/dev/null) == "$(toolchain_node)" ]] || do_it ln -sfn "$(toolchain_node)" "$PREFIX/node"
}

# An offline source tree carries node_modules, with Node in it; npm is needed only to fetch, so the host's absence is no harm.
copy_toolchain() {
  local from=$SOURCE_DIR/node_modules/$NODE_PACKAGE
  [[ -x $from/bin/node ]] || fail 'there is no Node in this source tree' 'run npm ci in it on a machine with internet, or install without --offline'
  mkdir -p "$TOOLS_DIR/node_modules/npm"
  cp -a "$from" "$TOOLS_DIR/node_modules/"
  printf '{\n  "version": "%s"\n}\n' "$NPM_VERSION" >"$TOOLS_DIR/node_modules/npm/package.json"
}

fetch_toolchain() {
  local before=() fetched=no
  mkdir -p "$TOOLS_DIR"
  printf '{ "private": true }\n' >"$TOOLS_DIR/package.json"
  if ! have npm; then
    mapfile -t before < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
    note "there is no npm: Debian's fetches Node and goes again"
    with_services_held apt_install npm
    fetched=yes
  fi
  quietly npm install --prefix "$TOOLS_DIR" --cache "$TOOLS_DIR/cache" --ignore-scripts --no-audit --no-fund --no-save --no-package-lock \
    "npm@$NPM_VERSION" "$NODE_PACKAGE@$(node_version)" ||
    fail 'npm could not fetch Node' "look at the log $LOG_FILE; is the registry reachable?"
  [[ $fetched == no ]] || remove_new_packages "${before[@]}"
}

# What came with Debian's npm, and nothing that was here before.
remove_new_packages() {
  local now=() new=()
  mapfile -t now < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  mapfile -t new < <(comm -13 <(printf '%s\n' "$@" | sort) <(printf '%s\n' "${now[@]}" | sort))
  [[ ${#new[@]} -eq 0 ]] || quietly apt-get purge -y "${new[@]}" || warn "Debian's npm could not be removed again; it does no harm"
}
