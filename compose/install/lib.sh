#!/usr/bin/env bash
# What every step of the installer uses: messages, changes that a dry run only names, files written whole, templates.
# Sourced by install.sh and by the tests of the steps; it does nothing by itself.

say() { printf '%s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
warn() { printf '!! %s\n' "$*" >&2; }

# fail WHAT [WHAT-TO-DO]: ends the run. Exit 1 is a failed step, 2 a wrong use, 3 a machine that does not fit.
fail() {
  warn "$1"
  [[ -z ${2-} ]] || warn "What to do: $2"
  exit "${FAIL_CODE:-1}"
}

step() { printf '\n== %s\n' "$*"; }

# do_it COMMAND…: a change. A dry run prints it instead.
do_it() {
  if [[ ${DRY_RUN:-no} == yes ]]; then
    note "would run: $*"
  else
    "$@"
  fi
}

# The same, with the command's own chatter kept for the log and shown when it fails.
quietly() {
  if [[ ${DRY_RUN:-no} == yes ]]; then
    note "would run: $*"
    return
  fi
  local output code=0
  output=$("$@" 2>&1) || code=$?
  [[ -z ${LOG_FILE-} ]] || printf '$ %s\n%s\n' "$*" "$output" >>"$LOG_FILE"
  [[ $code -eq 0 ]] || {
    printf '%s\n' "$output" | head -n 10 >&2
    printf '%s\n' "$output" | tail -n +11 | tail -n 30 >&2
    return "$code"
  }
}

have() { command -v "$1" >/dev/null 2>&1; }

# try_for SECONDS COMMAND…: repeats it until it succeeds; false when the time is over.
try_for() {
  local left=$1
  shift
  while ! "$@"; do
    ((left -= 1)) || return 1
    sleep 1
  done
}

# write_file PATH MODE OWNER <content: written beside and moved, so that nobody ever reads half of it; left alone (and
# answered with 1) when it holds that already. OWNER is user:group; empty leaves it to root.
write_file() {
  local path=$1 mode=$2 owner=${3-} temporary
  temporary=$(mktemp "${TMPDIR:-/tmp}/siphera.XXXXXX")
  cat >"$temporary"
  # What fills it failed and said so: half a file, or an empty one, must not take the place of a good one.
  [[ -s $temporary ]] || {
    rm -f "$temporary"
    fail "there is nothing to write to $path"
  }
  if [[ ${DRY_RUN:-no} == yes ]]; then
    cmp -s "$temporary" "$path" 2>/dev/null || note "would write: $path"
    rm -f "$temporary"
    return
  fi
  if ! cmp -s "$temporary" "$path" 2>/dev/null; then
    install -m "$mode" "$temporary" "$path.tmp"
    mv -f -- "$path.tmp" "$path"
    CHANGED_FILES+=("$path")
  fi
  rm -f "$temporary"
  chmod "$mode" "$path"
  [[ -z $owner ]] || own "$owner" "$path"
}

# own USER:GROUP PATH…: skipped in tests that are not root.
own() {
  [[ ${SKIP_OWNERS:-no} == yes ]] || do_it chown "$@"
}

# make_dir PATH MODE OWNER
make_dir() {
  if [[ ! -d $1 ]]; then do_it mkdir -p -- "$1"; fi
  if [[ ${DRY_RUN:-no} == yes && ! -d $1 ]]; then return; fi
  do_it chmod "$2" "$1"
  [[ -z ${3-} ]] || own "$3" "$1"
}

# render TEMPLATE: puts the value of NAME for each {{NAME}}; a name without a value is an error, not an empty place.
render() {
  local text name
  text=$(cat -- "$1")
  while [[ $text =~ \{\{([A-Z0-9_]+)\}\} ]]; do
    name=${BASH_REMATCH[1]}
    [[ -n ${!name+set} ]] || fail "the template $1 names {{$name}}, which has no value"
    text=${text//"{{$name}}"/"${!name}"}
  done
  printf '%s\n' "$text"
}

# Is process 1 systemd, so that units start something?
has_systemd() { [[ -d ${SYSTEMD_MARK:-/run/systemd/system} ]]; }

# port_user PROTOCOL PORT|FIRST-LAST: prints who listens there, if anyone; nothing when the tool is missing.
port_user() {
  have ss || return 0
  ss -H -n -l -p "--$1" "sport >= :${2%-*} and sport <= :${2#*-}" 2>/dev/null | head -n 1
}
