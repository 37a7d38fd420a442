# shellcheck shell=bash
# build-steps.sh - what the recipes of the virtual machine's tools share. To be sourced at the start of a recipe.
#
#   log LINE / die LINE          to people
#   usage                        the recipe's own header
#   start_build NAME OUTPUT      sets CACHE, OUTPUT and TREE, a build tree that goes when the recipe ends
#   run LOG COMMAND...           runs quietly; a line every 15 s, and the end of the log when it fails
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC
unset PYTHONPATH PYTHONHOME MAKEFLAGS MFLAGS CC CXX LD AR NM LLVM CFLAGS CXXFLAGS LDFLAGS CPPFLAGS
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS RUSTC RUSTC_WRAPPER

JOBS=${JOBS:-$(nproc)}
NICENESS=${NICENESS:-10}
KEEP=${KEEP:-}
PROGRESS_SECONDS=15
TICKER=''

log() { printf '%s\n' "$*" >&2; }
die() {
  log "error: $*"
  exit 1
}
usage() { sed -n '2,/^set /{/^set /d;/^#/!d;s/^# \{0,1\}//;p}' "$0"; }

clean_up() {
  [[ -z $TICKER ]] || kill "$TICKER" 2>/dev/null || true
  [[ -n $KEEP ]] || rm -rf "$TREE"
  rm -rf "$OUTPUT.new"
}

start_build() {
  [[ $(uname -m) == x86_64 ]] || die 'x86_64 only'
  OUTPUT=$(realpath -m "$2")
  [[ ! -e $OUTPUT ]] || die "$OUTPUT exists already"
  CACHE=${CACHE:-${HOME:?}/.cache/acra-enclave}
  mkdir -p "$CACHE"
  CACHE=$(cd "$CACHE" && pwd -P)
  TREE=$(mktemp -d "$CACHE/$1-build.XXXXXX")
  trap clean_up EXIT
  mkdir -p "$OUTPUT.new"
}

# The wait needs no process of its own, so none is left when the ticker is told to end.
tick() { # LOG
  local idle started=$SECONDS
  exec {idle}<> <(:)
  while kill -0 $$ 2>/dev/null; do
    read -rt "$PROGRESS_SECONDS" -u "$idle" || true
    log "  $((SECONDS - started)) s: $(tail -n 1 "$1" 2>/dev/null | tr -d '\r' | cut -c -100)"
  done
}

run() {
  local file=$1 status=0
  shift
  tick "$file" &
  TICKER=$!
  nice -n "$NICENESS" "$@" >>"$file" 2>&1 || status=$?
  kill "$TICKER" 2>/dev/null || true
  wait "$TICKER" 2>/dev/null || true
  TICKER=''
  ((status == 0)) && return
  tail -n 40 "$file" >&2
  die "failed ($status): $*"
}
